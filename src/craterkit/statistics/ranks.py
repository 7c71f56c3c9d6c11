"""Which values of a stream lie at given sums of weights, found by passes over the stream."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from craterkit.errors import RasterError
from craterkit.statistics.ordering import check_squares
from craterkit.statistics.runs import Collector, Histogram, Runs, key_dtype, keys_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    #: Lowest and highest key, both included.
    Interval = tuple[int, int]

__all__ = ["Passes", "Place", "Ranks"]

#: How many values are worked on at a time.
SLICE = 1 << 18

Passes = Callable[[], Iterator[tuple["NDArray[Any]", "Floats | None"]]]


@dataclass(frozen=True, slots=True)
class Place:
    """A distinct value of a stream.

    Attributes
    ----------
    key : int
        Its key.
    below, weight : float
        Weight of all lesser values, and its own.
    rank, count : int
        How many lesser values there are, and how often it occurs.
    """

    key: int
    below: float
    weight: float
    rank: int
    count: int


class Ranks:
    """The order of the values of a stream.

    The first pass gathers distinct values or, if these are too many, a histogram. Further passes look into
    those of its bins that matter; what they find is kept for later questions.

    Parameters
    ----------
    passes : callable
        Starts a pass: yields values and weights (None: 1), always the same.
    dtype : dtype
        That of the values.
    most : int
        Distinct values to hold at a time.
    watch : callable, optional
        Called as the first pass starts; what it returns is called with each portion that counts.
    """

    def __init__(
        self,
        passes: Passes,
        dtype: np.dtype[Any],
        *,
        most: int,
        watch: Callable[[], Callable[[NDArray[Any], Floats | None], None]] | None = None,
    ) -> None:
        self._passes, self._dtype, self._most = passes, dtype, most
        self._watch = watch
        self._found: dict[Interval, Runs | Histogram] = {}

    @classmethod
    def of(cls, runs: Runs, dtype: np.dtype[Any], *, most: int) -> Ranks:
        """The order of values that are known."""
        ranks = cls(lambda: iter(()), dtype, most=most)
        ranks.__dict__["root"] = runs
        return ranks

    @cached_property
    def root(self) -> Runs | Histogram:
        """What the first pass finds."""
        collector = None
        watch = None if self._watch is None else self._watch()
        keys = key_dtype(self._dtype)
        for values, weights in self.portions():
            collector = collector or self._collector(
                (0, 2 ** (8 * keys.itemsize) - 1), weighted=weights is not None, adaptive=True
            )
            collector.add(keys_of(values), weights)
            if watch is not None:
                watch(values, weights)
        return (collector or self._collector((0, 0), weighted=False)).result()

    def _collector(
        self, interval: Interval, *, weighted: bool, adaptive: bool = False
    ) -> Collector:
        return Collector(
            *interval,
            key_dtype(self._dtype),
            most=self._most,
            weighted=weighted,
            adaptive=adaptive,
        )

    def portions(self) -> Iterator[tuple[NDArray[Any], Floats | None]]:
        """Make a pass over the values that have weight, some at a time."""
        step = min(self._most, SLICE)
        for values, weights in self._passes():
            own = np.ascontiguousarray(values, dtype=self._dtype)
            for start in range(0, own.size, step):
                part = slice(start, start + step)
                if weights is None:
                    yield own[part], None
                    continue
                some, their = own[part], weights[part]
                kept = their > 0
                if not kept.all():
                    some, their = some[kept], their[kept]
                if some.size:
                    yield some, their

    @cached_property
    def count(self) -> int:
        """Number of values that count."""
        return int(self.root.count.sum())

    @cached_property
    def weight(self) -> float:
        """Sum of weights."""
        return float(self.root.running[-1]) if self.count else 0.0

    @cached_property
    def effective(self) -> float:
        """Effective number of values, (Σ w)²/Σ w² (Kish 1965)."""
        if self.root.squares is None:
            return self.count
        squares = float(self.root.squares.sum())
        check_squares(np.array([self.weight]), np.array([squares]))
        return self.weight * (self.weight / squares)

    @property
    def ends(self) -> Interval:
        """Lowest and highest key; there must be one."""
        return self.root.bounds(0, self.root.count.size - 1)

    def at(self, sums: Sequence[float], likely: Iterable[float] = ()) -> list[Place]:
        """The least values up to which, themselves included, there is more weight than given sums.

        That is the greatest value of all for a sum that is not less than the weight of all. Values at the
        `likely` sums, which may be asked for next, are looked up in the same passes as far as they fit.
        """
        if sum(found.count.size for found in self._found.values()) > 2 * self._most:
            self._found.clear()
        while True:
            found = [self._find(bound) for bound in sums]
            places = [place for place in found if isinstance(place, Place)]
            if len(places) == len(found):
                return places
            missing = dict(item for item in found if not isinstance(item, Place))
            more = (self._find(bound) for bound in likely)
            self._look_into(missing, dict(item for item in more if not isinstance(item, Place)))

    def known(self, low: int, high: int) -> Runs | None:
        """The values with keys from `low` to `high`, if they have been looked up together."""
        if isinstance(self.root, Runs):
            return self.root.between(low, high)
        for (lowest, highest), found in self._found.items():
            if isinstance(found, Runs) and lowest <= low and high <= highest:
                return found.between(low, high)
        return None

    def forget(self) -> None:
        """Drop what all passes but the first have found."""
        self._found.clear()

    def _find(self, bound: float) -> Place | tuple[Interval, int]:
        """The value at a sum of weights, or the keys to look into for it, and how many they are."""
        node, below, rank = self.root, 0.0, 0
        while True:
            # Not below 0 nor beyond the last key, but for rounding.
            i = int(np.searchsorted(node.running, max(bound - below, 0.0), side="right"))
            if i >= node.count.size:
                i = int(np.flatnonzero(node.count)[-1])
            inner, own = (float(node.running[i - 1]) if i else 0.0), int(node.count[i])
            lesser = int(node.ranks[i]) - own
            interval = node.bounds(i, i)
            if interval[0] == interval[1]:
                weight = own if node.weight is None else float(node.weight[i])
                return Place(interval[0], below + inner, weight, rank + lesser, own)
            assert isinstance(node, Histogram)
            if interval not in self._found:
                return interval, own
            node, below, rank = self._found[interval], below + inner, rank + lesser

    def _look_into(self, missing: dict[Interval, int], likely: dict[Interval, int]) -> None:
        """Find what is in some intervals, which hold as many keys as given."""
        together, alone, room = [], [], self._most
        for interval, count in missing.items():
            if count <= room:
                together.append(interval)
                room -= count
            else:
                alone.append(interval)
        for interval, count in sorted(likely.items(), key=lambda item: item[1]):
            if interval not in missing and count <= room:
                together.append(interval)
                room -= count
        groups = [[interval] for interval in alone] + ([together] if together else [])
        expected = {**likely, **missing}
        counts = [sum(expected[interval] for interval in group) for group in groups]
        for intervals, result in zip(groups, self._collect(groups, counts), strict=True):
            if len(intervals) == 1:
                self._found[intervals[0]] = result
                continue
            assert isinstance(result, Runs)
            for interval in intervals:
                self._found[interval] = result.between(*interval)

    def _collect(self, groups: list[list[Interval]], counts: list[int]) -> list[Runs | Histogram]:
        """What each group of intervals holds, in one pass; they have as many values as given."""
        root = self.root
        assert isinstance(root, Histogram)
        weighted = root.squares is not None
        collectors = [
            self._collector((min(group)[0], max(group)[1]), weighted=weighted) for group in groups
        ]
        kind = key_dtype(self._dtype)
        intervals = sorted((*interval, i) for i, group in enumerate(groups) for interval in group)
        lows = np.array([low for low, _, _ in intervals], dtype=kind)
        highs = np.array([high for _, high, _ in intervals], dtype=kind)
        owner = np.array([i for _, _, i in intervals])
        wanted = np.zeros(root.count.size, dtype=np.bool_)
        for first, last in zip(root.bin_of(lows), root.bin_of(highs), strict=True):
            wanted[first : last + 1] = True
        for values, weights in self.portions():
            keys = keys_of(values)
            at = np.flatnonzero(wanted[root.bin_of(keys)])
            keys = keys[at]
            number = np.searchsorted(lows, keys, side="right") - 1
            inside = (number >= 0) & (keys <= highs[number])
            for i, collector in enumerate(collectors):
                own = inside & (owner[number] == i)
                collector.add(keys[own], None if weights is None else weights[at[own]])
        results = [collector.result() for collector in collectors]
        if [int(result.count.sum()) for result in results] != counts:
            raise RasterError(
                "the raster's values changed between two passes over an ROI; is its file being written?"
            )
        return results

    def walk(self) -> Iterator[Runs]:
        """All distinct values, ascending, as many at a time as may be held."""
        return self._walk(self.root)

    def _walk(self, node: Runs | Histogram) -> Iterator[Runs]:
        if isinstance(node, Runs):
            yield node
            return
        for first, last in node.slabs(self._most):
            count = int(node.count[first : last + 1].sum())
            (found,) = self._collect([[node.bounds(first, last)]], [count])
            yield from self._walk(found)
