"""Statistics that need all values of an ROI at once, in order: quantiles, modes, user functions.

Pure functions over consecutive groups of values. A group that has none gives NaN.
"""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.intp]

__all__ = ["Groups", "SortedGroups"]


@dataclass(frozen=True, slots=True)
class Groups:
    """Consecutive groups of values.

    Attributes
    ----------
    count : (k,) ndarray of int
        Values in each group; may be 0.
    values : (m,) ndarray
        The values, group by group.
    weights : (m,) ndarray or None
        Weight of each; None for 1.
    """

    count: Ints
    values: NDArray[Any]
    weights: Floats | None

    @property
    def starts(self) -> Ints:
        """First value of each group."""
        return np.cumsum(self.count) - self.count

    @classmethod
    def regroup(cls, pieces: list[tuple[Ints, Groups]]) -> tuple[Ints, Groups]:
        """Join pieces of groups to whole groups.

        Parameters
        ----------
        pieces : list of (key, Groups)
            Pieces, each with the key of every group.

        Returns
        -------
        key : ndarray of int
            Every key once, ascending.
        groups : Groups
            Values of equal keys joined in the order of the pieces.
        """
        keys = np.concatenate([key for key, _ in pieces])
        counts = np.concatenate([groups.count for _, groups in pieces])
        values = np.concatenate([groups.values for _, groups in pieces])
        order = np.argsort(np.repeat(keys, counts), kind="stable")
        unique, inverse = np.unique(keys, return_inverse=True)
        count = np.bincount(inverse, weights=counts, minlength=unique.size).astype(np.intp)
        weights = None
        if pieces[0][1].weights is not None:
            parts = [groups.weights for _, groups in pieces if groups.weights is not None]
            weights = np.concatenate(parts)[order]
        return unique, cls(count, values[order], weights)

    def take(self, index: Ints) -> Groups:
        """Some of the groups."""
        from craterkit.footprints.spans import ranges

        count = self.count[index]
        at = ranges(self.starts[index], count)
        return Groups(count, self.values[at], None if self.weights is None else self.weights[at])


class SortedGroups:
    """Groups with their values in ascending order; values without weight are left out.

    Parameters
    ----------
    groups : Groups
        In any order.
    """

    def __init__(self, groups: Groups) -> None:
        values, weights, count = groups.values, groups.weights, groups.count
        group = np.repeat(np.arange(count.size), count)
        if weights is not None and not weights.all():
            kept = weights > 0
            values, weights, group = values[kept], weights[kept], group[kept]
            count = np.bincount(group, minlength=count.size)
        order = _sorting_order(group, values)
        self.values = values[order]
        self.weights = None if weights is None else weights[order]
        self.count = count
        self.starts = np.cumsum(count) - count
        self._group = group

    def scaled(self, scale: float, offset: float) -> SortedGroups:
        """Return the groups of ``value * scale + offset``; `scale` is above 0."""
        out = copy(self)
        out.values = self.values.astype(np.float64) * scale + offset
        return out

    def quantile(self, q: float) -> Floats:
        """Quantile `q` (0 to 1) of each group.

        Without weights linear between values: the k-th smallest of n lies at (k − 1)/(n − 1) (type 7
        of Hyndman and Fan 1996, The American Statistician 50, 361-365). With weights its
        generalisation by Akinshin (2023, arXiv:2304.07265): the mean of the step quantile
        function over [a, a + 1/n*], where a = q (n* − 1)/n* and n* = (Σ w)²/Σ w² is Kish's
        effective sample size. Equal weights give type 7; what weighs nothing does not count.
        """
        out = np.full(self.count.size, np.nan)
        some = np.flatnonzero(self.count)
        if some.size:
            first, last = self.starts[some], self.starts[some] + self.count[some] - 1
            if self.weights is None:
                out[some] = self._plain_quantile(q, first, last)
            else:
                out[some] = self._weighted_quantile(q, some, first, last)
        return out

    def _plain_quantile(self, q: float, first: Ints, last: Ints) -> Floats:
        position = first + q * (last - first)
        below = np.floor(position).astype(np.intp)
        share = position - below
        above = np.minimum(below + 1, last)
        low, high = self.values[below].astype(np.float64), self.values[above].astype(np.float64)
        # As numpy does: from the nearer end, so that equal values stay exactly equal.
        step = high - low
        return np.where(share < 0.5, low + step * share, high - step * (1.0 - share))

    def _weighted_quantile(self, q: float, some: Ints, first: Ints, last: Ints) -> Floats:
        assert self.weights is not None
        weights, count = self.weights, self.count[some]
        lowest = self.values[first].astype(np.float64)
        above_lowest = self.values - np.repeat(lowest, count)
        running = _cumulate(weights, first, count)
        integral = _cumulate(weights * above_lowest, first, count)
        total = running[last]
        effective = total**2 / np.add.reduceat(weights * weights, first)

        def integrate_to(bound: Floats) -> tuple[Floats, Floats]:
            """Integral of the step quantile function up to a sum of weights, and its value there."""
            passed = running <= np.repeat(bound, count)
            at = np.minimum(first + np.add.reduceat(passed, first, dtype=np.intp), last)
            rest = running[at] - bound
            return integral[at] - rest * above_lowest[at], above_lowest[at]

        start = q * (effective - 1.0) / effective * total
        low, smallest = integrate_to(start)
        high, largest = integrate_to(np.minimum(start + total / effective, total))
        mean = (high - low) * effective / total
        # Rounding must not lead out of the values that are averaged.
        return lowest + np.clip(mean, smallest, largest)

    def _runs(self) -> tuple[Ints, NDArray[Any], Floats]:
        """Group, value and weight of every distinct value."""
        if not self.values.size:
            return np.zeros(0, dtype=np.intp), self.values, np.zeros(0)
        new = np.ones(self.values.size, dtype=bool)
        new[1:] = (self.values[1:] != self.values[:-1]) | (self._group[1:] != self._group[:-1])
        at = np.flatnonzero(new)
        if self.weights is None:
            weight = np.diff(at, append=self.values.size).astype(np.float64)
        else:
            weight = np.add.reduceat(self.weights, at)
        return self._group[at], self.values[at], weight

    def unique(self) -> Ints:
        """How many distinct values each group has."""
        return np.bincount(self._runs()[0], minlength=self.count.size)

    def mode(self, *, rarest: bool = False) -> Floats:
        """Value of the greatest (or least) weight in each group; the smallest of those that tie.

        Weights that differ by less than a billionth of the greatest tie: their sums are rounded.
        """
        group, value, weight = self._runs()
        if self.weights is not None and group.size:
            greatest = np.zeros(self.count.size)
            np.maximum.at(greatest, group, weight)
            weight = np.round(weight / greatest[group], 9)
        out = np.full(self.count.size, np.nan)
        order = np.lexsort((value, weight if rarest else -weight, group))
        group, value = group[order], value[order]
        first = np.ones(group.size, dtype=bool)
        first[1:] = group[1:] != group[:-1]
        out[group[first]] = value[first]
        return out


def _cumulate(values: Floats, first: Ints, count: Ints) -> Floats:
    """Running sums within groups."""
    # Back to about zero between groups, so that rounding does not grow with what came before.
    steps = values.copy()
    steps[first[1:]] -= np.add.reduceat(values, first)[:-1]
    running = np.cumsum(steps)
    return running - np.repeat(running[first] - values[first], count)


def _sorting_order(group: Ints, values: NDArray[Any]) -> Ints:
    """Order by group, then by value."""
    rank = _rank(values)
    if rank is None:
        return np.lexsort((values, group))
    # One sort of whole numbers is several times as fast as one by two keys.
    rank |= group << 32
    return np.argsort(rank)


def _rank(values: NDArray[Any]) -> NDArray[np.int64] | None:
    """Numbers from 0 to 2³² − 1 in the order of the values; None if the values have more bits."""
    if values.dtype.kind in "iu" and values.dtype.itemsize <= 4:
        return values.astype(np.int64) - np.iinfo(values.dtype).min
    if values.dtype == np.float32:
        bits = values.view(np.int32).astype(np.int64)
        # The bits of negative numbers count the other way.
        return np.where(bits >= 0, bits + 2**31, -1 - bits)
    return None
