"""Statistics of the values in order of one group that is too large to hold, by several passes."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from craterkit.statistics.ordering import (
    CLIP_ROUNDS,
    CLIP_SIGMA,
    averaged_weights,
    interpolate,
)
from craterkit.statistics.ranks import Ranks
from craterkit.statistics.runs import Runs, keys_of, values_of
from craterkit.statistics.totals import Records, Sums, add_up

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import DTypeLike, NDArray

    from craterkit.statistics.ordering import Terms
    from craterkit.statistics.ranks import Passes, Place

    Floats = NDArray[np.float64]
    Ints = NDArray[np.intp]

__all__ = ["Streamed"]

#: A variance is worked out anew if it is less than this share of the mean square that it comes from.
CANCELLED = 1e-3

#: Quantiles that may be asked for together.
PERCENTILES = np.arange(101) / 100.0


class Streamed:
    """One group of values that is too large to hold.

    The results are those of `SortedGroups` for the same values. Arrays take at most about 160 bytes for
    each of the `hold` values, and 20 MB for histograms.

    Parameters
    ----------
    passes : callable
        Starts a pass over the group: yields values (1-D, without NaN) and their weights (None throughout
        for 1), in the same order each time.
    dtype : dtype
        That of the values: integers or floats.
    hold : int
        How many values may be held at a time.
    scale, offset : float, optional
        Statistics are of ``value * scale + offset``; `scale` is above 0. By default of the values.

    Notes
    -----
    One pass is enough while there are no more distinct values than half of `hold`, as in any raster of
    16 bits. Else the first pass gives a histogram, and each pass after it what is in some bins: the
    median of float32 takes two as a rule, three at most (for `hold` of 65536 or more), and other whole
    percentiles then no more if they fit; float64 five at most. With weights there may be one pass more
    for what lies between the values that a quantile averages.
    The median deviation takes as many again, each round of clipping, too, and biweights one more. Modes
    and shares of too many distinct values go through their range in parts that fit, a pass for each.
    """

    def __init__(
        self,
        passes: Passes,
        dtype: DTypeLike,
        *,
        hold: int,
        scale: float = 1.0,
        offset: float = 0.0,
    ) -> None:
        self._set(passes, np.dtype(dtype).newbyteorder("="), hold, scale, offset)

    def _set(
        self,
        source: Passes | Runs,
        dtype: np.dtype[Any],
        hold: int,
        scale: float = 1.0,
        offset: float = 0.0,
    ) -> Streamed:
        self._source, self._dtype, self._hold = source, dtype, hold
        self._scale, self._offset = scale, offset
        most = max(hold // 2, 2)
        if isinstance(source, Runs):
            self._ranks = Ranks.of(source, dtype, most=most)
        else:
            # Few distinct values need no sums but theirs.
            watch = self._start_sums if dtype.itemsize > 2 else None
            self._ranks = Ranks(source, dtype, most=most, watch=watch)
        self._sums: Sums | None = None
        return self

    def _derived(
        self, source: Passes | Runs, dtype: np.dtype[Any], scale: float, offset: float
    ) -> Streamed:
        """A group made from this one."""
        return Streamed.__new__(Streamed)._set(source, dtype, self._hold, scale, offset)

    def scaled(self, scale: float, offset: float) -> Streamed:
        """Return the group of ``value * scale + offset``; `scale` is above 0."""
        offset, scale = self._offset * scale + offset, self._scale * scale
        return self._derived(self._source, self._dtype, scale, offset)

    def _physical(self, values: NDArray[Any]) -> Floats:
        out = values.astype(np.float64)
        return out * self._scale + self._offset if self._is_scaled else out

    @property
    def _is_scaled(self) -> bool:
        return self._scale != 1.0 or self._offset != 0.0

    def _of_key(self, key: int) -> Floats:
        keys = np.array([key], dtype=f"u{self._dtype.itemsize}")
        return self._physical(values_of(keys, self._dtype))

    def _summands(self) -> Iterator[tuple[Floats, Floats | None]]:
        """Values and weights of all that sums are made of."""
        if isinstance(root := self._ranks.root, Runs):
            yield self._physical(values_of(root.key, self._dtype)), root.weighing
            return
        for values, weights in self._ranks.portions():
            yield self._physical(values), weights

    def _start_sums(self) -> Sums:
        self._sums = Sums(self._physical)
        return self._sums

    @property
    def count(self) -> Ints:
        """Number of values that have weight."""
        return np.array([self._ranks.count])

    @cached_property
    def weight(self) -> Floats:
        """Sum of weights; the number of values without weights."""
        return np.array([self._ranks.weight])

    def quantile(self, q: float) -> Floats:
        """Quantile `q` (0 to 1), as `SortedGroups.quantile` defines it."""
        if not self._ranks.count:
            return np.array([np.nan])
        start, stop = self._bounds(q)
        likely = (bound for other in PERCENTILES for bound in self._bounds(float(other)))
        low, high = self._ranks.at([start, stop], likely)
        lowest, highest = self._of_key(low.key), self._of_key(high.key)
        if self._ranks.root.weight is None:
            share = q * (self._ranks.count - 1) - start
            return interpolate(lowest, highest, np.array([share]))
        if low.key == high.key:
            return lowest
        # Averaged is the end of the lowest value, the start of the highest, and all between.
        over, weight = self._between(low, high, float(lowest[0]))
        end, begin = low.below + low.weight - start, stop - high.below
        return lowest + (over + begin * (highest - lowest)) / (end + weight + begin)

    def _bounds(self, q: float) -> tuple[float, float]:
        """Sums of weights at the values between which a quantile lies."""
        ranks = self._ranks
        if ranks.root.weight is None:
            position = q * (ranks.count - 1)
            return float(np.floor(position)), float(np.ceil(position))
        total, effective = np.array([ranks.weight]), np.array([ranks.effective])
        start, stop = averaged_weights(q, total, effective, self.count)
        return float(start[0]), float(stop[0])

    def _between(self, low: Place, high: Place, centre: float) -> tuple[float, float]:
        """Sum over values between two of their differences from `centre`, and of their weights."""
        if high.rank == low.rank + low.count:
            return 0.0, 0.0
        over = weight = 0.0
        for keys, weights in self._keys_between(low.key + 1, high.key - 1):
            off = self._physical(values_of(keys, self._dtype)) - centre
            over += float(off @ weights)
            weight += float(weights.sum())
        return over, weight

    def _keys_between(self, low: int, high: int) -> Iterator[tuple[NDArray[Any], Floats]]:
        """Keys from `low` to `high`, and their weights."""
        known = self._ranks.known(low, high)
        if known is not None:
            yield known.key, known.weighing
            return
        kind = np.dtype(f"u{self._dtype.itemsize}").type
        for values, weights in self._ranks.portions():
            assert weights is not None
            keys = keys_of(values)
            inside = (keys >= kind(low)) & (keys <= kind(high))
            yield keys[inside], weights[inside]

    @cached_property
    def median(self) -> Floats:
        """Quantile 0.5."""
        return self.quantile(0.5)

    @cached_property
    def median_deviation(self) -> Floats:
        """Median of the absolute differences from the median."""
        dtype, root = np.dtype(np.float64), self._ranks.root
        if isinstance(root, Runs):
            keys = keys_of(self._off_median(values_of(root.key, self._dtype)))
            runs = Runs(keys, root.count, root.weight, root.squares).merged()
            return self._derived(runs, dtype, 1.0, 0.0).median

        def passes() -> Iterator[tuple[NDArray[Any], Floats | None]]:
            for values, weights in self._ranks.portions():
                yield self._off_median(values), weights

        return self._derived(passes, dtype, 1.0, 0.0).median

    def _off_median(self, values: NDArray[Any]) -> Floats:
        """Absolute differences from the median."""
        return np.abs(self._physical(values) - self.median)

    def sums_about_median(self, terms: Terms, scale: Floats) -> list[Floats]:
        """Weighted sums of `terms` of differences from the median and of `scale`."""
        sums: list[float] = []
        for values, weights in self._summands():
            made = [add_up(term, weights) for term in terms(values - self.median, scale)]
            sums = [a + b for a, b in zip(sums, made, strict=True)] if sums else made
        return [np.array([total]) for total in sums]

    @cached_property
    def _mean_and_std(self) -> tuple[float, float]:
        if not self._ranks.count:
            return np.nan, np.nan
        total = self._ranks.weight
        if isinstance(self._ranks.root, Runs):
            sums = Sums(centre=float(self.median[0]))
            for values, weights in self._summands():
                sums(values, weights)
            mean = sums.centre + sums.first / total
            about = Sums(centre=mean)
            for values, weights in self._summands():
                about(values, weights)
            return mean, float(np.sqrt(about.second / total))
        assert self._sums is not None
        sums = self._sums
        if not sums.variance(total) > CANCELLED * sums.second / total:
            sums = Sums(centre=sums.centre + sums.first / total)
            for values, weights in self._summands():
                sums(values, weights)
        return sums.centre + sums.first / total, float(np.sqrt(sums.variance(total)))

    @property
    def mean(self) -> Floats:
        """Weighted mean; NaN for no values."""
        return np.array([self._mean_and_std[0]])

    @property
    def std(self) -> Floats:
        """Weighted standard deviation of the population; NaN for no values."""
        return np.array([self._mean_and_std[1]])

    @cached_property
    def clipped(self) -> Streamed:
        """The group without outliers, as `SortedGroups.clipped` defines it."""
        group = self
        for _ in range(CLIP_ROUNDS):
            if not group._ranks.count:
                break
            centre, reach = group.median, CLIP_SIGMA * group.std
            ends = np.concatenate([group._of_key(key) for key in group._ranks.ends])
            if (np.abs(ends - centre) <= reach).all():
                break
            if group is not self:
                group._ranks.forget()
            group = group._within(centre, reach)
        return group

    def _within(self, centre: Floats, reach: Floats) -> Streamed:
        """The values that are not farther than `reach` from `centre`."""

        def near(values: NDArray[Any]) -> NDArray[np.bool_]:
            return np.abs(self._physical(values) - centre) <= reach

        def passes() -> Iterator[tuple[NDArray[Any], Floats | None]]:
            for values, weights in self._ranks.portions():
                kept = near(values)
                yield values[kept], None if weights is None else weights[kept]

        source: Passes | Runs = passes
        if isinstance(root := self._ranks.root, Runs):
            source = root.among(near(values_of(root.key, self._dtype)))
        return self._derived(source, self._dtype, self._scale, self._offset)

    def _distinct(self) -> Iterator[tuple[NDArray[Any], Floats]]:
        """Distinct values, ascending, and their weights, as many at a time as may be held."""
        if not self._is_scaled:
            for runs in self._ranks.walk():
                yield values_of(runs.key, self._dtype), runs.weighing
            return
        # Scaling may make neighbours equal: the last value waits for the next ones.
        last, its_weight = np.zeros(0), np.zeros(0)
        for runs in self._ranks.walk():
            values = self._physical(values_of(runs.key, self._dtype))
            values = np.concatenate([last, values])
            weights = np.concatenate([its_weight, runs.weighing])
            if not values.size:
                continue
            new = np.flatnonzero(np.concatenate([[True], values[1:] != values[:-1]]))
            values, weights = values[new], np.add.reduceat(weights, new)
            last, its_weight = values[-1:], weights[-1:]
            yield values[:-1], weights[:-1]
        yield last, its_weight

    @cached_property
    def _census(self) -> tuple[int, float, float]:
        """Number of distinct values, and those of the greatest and of the least weight."""
        number, most, least = 0, Records(), Records(-1.0)
        for values, weights in self._distinct():
            number += values.size
            most.add(values, weights)
            least.add(values, weights)
        if not number:
            return 0, np.nan, np.nan
        exact = self._ranks.root.weight is None
        return number, most.first(exact=exact), least.first(exact=exact)

    def mode(self, *, rarest: bool = False) -> Floats:
        """Value of the greatest (or least) weight, as `SortedGroups.mode` defines it."""
        return np.array([self._census[2 if rarest else 1]])

    def unique(self) -> Ints:
        """How many distinct values there are."""
        return np.array([self._census[0]])

    def shares(self) -> NDArray[Any]:
        """Share of the weight of each distinct value, ascending: one dict, which holds them all."""
        share: dict[Any, float] = {}
        for values, weights in self._distinct():
            of_each = (weights / self._ranks.weight).tolist()
            share.update(zip(values.tolist(), of_each, strict=True))
        out = np.empty(1, dtype=object)
        out[0] = share
        return out
