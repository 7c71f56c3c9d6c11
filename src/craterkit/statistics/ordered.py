"""Statistics that need all values of an ROI at once, in order: quantiles, modes, clipped moments.

Pure functions over consecutive groups of values. A group that has none gives NaN.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from craterkit.footprints.spans import ranges
from craterkit.statistics.ordering import (
    CLIP_ROUNDS,
    CLIP_SIGMA,
    averaged_weights,
    interpolate,
    rounded,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from craterkit.statistics.ordering import Terms

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
        if weights is not None:
            kept = weights > 0
            if not kept.all():
                values, weights, group = values[kept], weights[kept], group[kept]
                count = np.bincount(group, minlength=count.size)
        order = _sorting_order(group, values)
        self._set(values[order], None if weights is None else weights[order], count, group)

    def _set(
        self, values: NDArray[Any], weights: Floats | None, count: Ints, group: Ints
    ) -> SortedGroups:
        self.values, self.weights, self.count = values, weights, count
        self.starts = np.cumsum(count) - count
        self._group = group
        return self

    @classmethod
    def _of(
        cls, values: NDArray[Any], weights: Floats | None, count: Ints, group: Ints
    ) -> SortedGroups:
        """Groups that are in order already; `group` is that of each value."""
        return cls.__new__(cls)._set(values, weights, count, group)

    def scaled(self, scale: float, offset: float) -> SortedGroups:
        """Return the groups of ``value * scale + offset``; `scale` is above 0."""
        values = self.values.astype(np.float64) * scale + offset
        return self._of(values, self.weights, self.count, self._group)

    def kept(self, keep: NDArray[np.bool_]) -> SortedGroups:
        """Return the groups with some of their values only."""
        group = self._group[keep]
        count = np.bincount(group, minlength=self.count.size)
        weights = None if self.weights is None else self.weights[keep]
        return self._of(self.values[keep], weights, count, group)

    def each(self, of_group: NDArray[Any]) -> NDArray[Any]:
        """What each group has, for each of its values."""
        return np.repeat(of_group, self.count)

    def add_up(self, of_each: Floats) -> Floats:
        """Weighted sum of what the values of each group have; 0 for an empty group."""
        weighed = of_each if self.weights is None else of_each * self.weights
        sums = np.bincount(self._group, weights=weighed, minlength=self.count.size)
        return sums.astype(np.float64)

    def sums_about_median(self, terms: Terms, scale: Floats) -> list[Floats]:
        """Weighted sums of `terms` of differences from the median; each group has its `scale`."""
        return [self.add_up(term) for term in terms(self.off_median, self.each(scale))]

    @cached_property
    def weight(self) -> Floats:
        """Sum of weights; the number of values without weights."""
        if self.weights is None:
            return self.count.astype(np.float64)
        return self.add_up(np.ones(self.values.size))

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

    @cached_property
    def median(self) -> Floats:
        """Quantile 0.5."""
        return self.quantile(0.5)

    @cached_property
    def off_median(self) -> Floats:
        """Difference of each value from the median of its group."""
        return self.values - self.each(self.median)

    @cached_property
    def median_deviation(self) -> Floats:
        """Median of the absolute differences from the median."""
        return SortedGroups(Groups(self.count, np.abs(self.off_median), self.weights)).median

    @cached_property
    def mean(self) -> Floats:
        """Weighted mean; NaN for an empty group."""
        # Around the median: exact where all values are the same.
        with np.errstate(invalid="ignore"):
            return self.median + self.add_up(self.off_median) / self.weight

    @cached_property
    def std(self) -> Floats:
        """Weighted standard deviation of the population; NaN for an empty group."""
        difference = self.values - self.each(self.mean)
        with np.errstate(invalid="ignore"):
            return np.sqrt(self.add_up(difference * difference) / self.weight)

    @cached_property
    def clipped(self) -> SortedGroups:
        """The groups without outliers: what sigma clipping leaves.

        Values farther than 3 standard deviations from the median are dropped, again and again until
        none is, five times at most.
        """
        keep = np.ones(self.values.size, dtype=np.bool_)
        groups, at = self, np.arange(self.values.size)
        for _ in range(CLIP_ROUNDS):
            inside = np.abs(groups.off_median) <= groups.each(CLIP_SIGMA * groups.std)
            keep[at[~inside]] = False
            # Groups that lose nothing are done.
            losing = np.zeros(self.count.size, dtype=np.bool_)
            losing[groups._group[~inside]] = True
            left = inside & losing[groups._group]
            if not left.any():
                break
            groups, at = groups.kept(left), at[left]
        return self.kept(keep)

    def _plain_quantile(self, q: float, first: Ints, last: Ints) -> Floats:
        position = first + q * (last - first)
        below = np.floor(position).astype(np.intp)
        above = np.minimum(below + 1, last)
        low, high = self.values[below].astype(np.float64), self.values[above].astype(np.float64)
        return interpolate(low, high, position - below)

    @cached_property
    def _running(self) -> Floats:
        """Sums of weights up to each value of a group, itself included."""
        assert self.weights is not None
        some = np.flatnonzero(self.count)
        return _cumulate(self.weights, self.starts[some], self.count[some])

    def _weighted_quantile(self, q: float, some: Ints, first: Ints, last: Ints) -> Floats:
        assert self.weights is not None
        weights, count, running = self.weights, self.count[some], self._running
        total = running[last]
        # In units of the heaviest, whose squares can be summed.
        heaviest = np.maximum.reduceat(weights, first)
        share = weights / np.repeat(heaviest, count)
        effective = (total / heaviest) ** 2 / np.add.reduceat(share * share, first)
        start, stop = averaged_weights(q, total, effective, count)

        def at(bound: Floats) -> Ints:
            """The value that holds a sum of weights."""
            passed = running <= np.repeat(bound, count)
            return np.minimum(first + np.add.reduceat(passed, first, dtype=np.intp), last)

        low, high = at(start), at(stop)
        length = high - low + 1
        # Around the lowest of the values that are averaged: exact where all are the same.
        lowest = self.values[low].astype(np.float64)
        member, each = ranges(low, length), np.repeat(np.arange(some.size), length)
        upper = np.minimum(running[member], stop[each])
        share = upper - np.maximum(running[member] - weights[member], start[each])
        above = share * (self.values[member] - lowest[each])
        new = np.cumsum(length) - length
        return lowest + np.add.reduceat(above, new) / np.add.reduceat(share, new)

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

    def shares(self) -> NDArray[Any]:
        """Share of the weight of each distinct value, ascending: a dict for each group."""
        group, value, weight = self._runs()
        count = np.bincount(group, minlength=self.count.size)
        total = np.bincount(group, weights=weight, minlength=self.count.size)
        share = (weight / total[group]).tolist()
        of_value, ends = value.tolist(), [0, *np.cumsum(count).tolist()]
        out = np.empty(self.count.size, dtype=object)
        for i, (start, stop) in enumerate(pairwise(ends)):
            out[i] = dict(zip(of_value[start:stop], share[start:stop], strict=True))
        return out

    def mode(self, *, rarest: bool = False) -> Floats:
        """Value of the greatest (or least) weight in each group; the smallest of those that tie.

        Weights that differ by less than a billionth tie: their sums are rounded.
        """
        group, value, weight = self._runs()
        if self.weights is not None:
            weight = rounded(weight)
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
