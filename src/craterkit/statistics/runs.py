"""Distinct values of a stream: keys in their order, runs of equal ones, histograms over keys.

A key is an unsigned integer of as many bits as the value, in the order of the values.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.intp]
    Keys = NDArray[np.unsignedinteger[Any]]

__all__ = ["Collector", "Histogram", "Runs", "key_dtype", "keys_of", "values_of"]

#: Most bins of a histogram.
MOST_BINS = 1 << 16

#: Share of the runs at either end that the bins of a histogram need not separate: outliers.
OUTER_SHARE = 1e-3


def key_dtype(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """Dtype of the keys of values."""
    return np.dtype(f"u{dtype.itemsize}")


def keys_of(values: NDArray[Any]) -> Keys:
    """Keys of values; 0 and -0 have the same.

    Examples
    --------
    >>> keys_of(np.array([-1, 0, 1], dtype=np.int8))
    array([127, 128, 129], dtype=uint8)
    """
    keys = key_dtype(values.dtype)
    top = keys.type(1 << (8 * keys.itemsize - 1))
    if values.dtype.kind == "u":
        return values
    if values.dtype.kind == "i":
        return values.view(keys) ^ top
    bits = (values + values.dtype.type(0)).view(keys)
    # The bits of negative numbers count the other way.
    return np.where(bits & top, ~bits, bits | top)


def values_of(keys: Keys, dtype: np.dtype[Any]) -> NDArray[Any]:
    """Values of keys."""
    top = keys.dtype.type(1 << (8 * keys.dtype.itemsize - 1))
    if dtype.kind == "u":
        return keys
    if dtype.kind == "i":
        return (keys ^ top).view(dtype)
    return np.where(keys & top, keys ^ top, ~keys).view(dtype)


@dataclass(frozen=True)
class Runs:
    """Distinct keys, ascending.

    Attributes
    ----------
    key : (r,) ndarray of unsigned int
        The keys.
    count : (r,) ndarray of int
        How often each occurs.
    weight, squares : (r,) ndarray or None
        Sum of its weights and of their squares; None if weights are 1.
    """

    key: Keys
    count: Ints
    weight: Floats | None
    squares: Floats | None

    @property
    def size(self) -> int:
        """Number of distinct keys."""
        return self.key.size

    @property
    def weighing(self) -> Floats:
        """Sum of the weights of each."""
        return self.count.astype(np.float64) if self.weight is None else self.weight

    @cached_property
    def running(self) -> Floats:
        """Sums of weights up to each, itself included."""
        return np.cumsum(self.weighing)

    @cached_property
    def ranks(self) -> Ints:
        """How many values there are up to each, itself included."""
        return np.cumsum(self.count)

    @classmethod
    def of(cls, keys: Keys, weights: Floats | None) -> Runs:
        """Runs of keys in any order, at least one."""
        if weights is None:
            key = np.sort(keys)
            first = _firsts(key)
            return cls(key[first], np.diff(first, append=key.size), None, None)
        order = np.argsort(keys)
        key, weights = keys[order], weights[order]
        first = _firsts(key)
        sums = np.add.reduceat(weights, first), np.add.reduceat(_squares(weights), first)
        return cls(key[first], np.diff(first, append=key.size), *sums)

    @classmethod
    def join(cls, first: Runs, second: Runs) -> Runs:
        """Runs of two streams."""
        weight = squares = None
        if first.weight is not None and second.weight is not None:
            assert first.squares is not None
            assert second.squares is not None
            weight = np.concatenate([first.weight, second.weight])
            squares = np.concatenate([first.squares, second.squares])
        key = np.concatenate([first.key, second.key])
        return cls(key, np.concatenate([first.count, second.count]), weight, squares).merged()

    def merged(self) -> Runs:
        """Bring what is no runs yet into order, and make equal keys one."""
        if not self.size:
            return self
        # Stable sorting is fast for what is in order by halves.
        order = np.argsort(self.key, kind="stable")
        key = self.key[order]
        first = _firsts(key)
        weight = squares = None
        if self.weight is not None and self.squares is not None:
            weight = np.add.reduceat(self.weight[order], first)
            squares = np.add.reduceat(self.squares[order], first)
        return Runs(key[first], np.add.reduceat(self.count[order], first), weight, squares)

    def bounds(self, first: int, last: int) -> tuple[int, int]:
        """Lowest and highest key of some consecutive runs."""
        return int(self.key[first]), int(self.key[last])

    def among(self, part: slice | NDArray[np.bool_]) -> Runs:
        """Some of the runs."""
        weight = None if self.weight is None else self.weight[part]
        squares = None if self.squares is None else self.squares[part]
        return Runs(self.key[part], self.count[part], weight, squares)

    def between(self, low: int, high: int) -> Runs:
        """The runs with keys from `low` to `high`."""
        kind = self.key.dtype.type
        start = np.searchsorted(self.key, kind(low), side="left")
        return self.among(slice(start, np.searchsorted(self.key, kind(high), side="right")))


def _firsts(key: Keys) -> Ints:
    """Where a new key begins among keys in order."""
    return np.flatnonzero(np.concatenate([[True], key[1:] != key[:-1]]))


def _squares(weights: Floats) -> Floats:
    # Whether they fit is asked of their sum.
    with np.errstate(over="ignore", under="ignore"):
        return weights * weights


class Histogram:
    """Numbers and weights of keys by bins of equal width; the outermost hold what lies beyond, too.

    Parameters
    ----------
    low, high : int
        Keys that the bins divide, both included.
    lowest, highest : int
        Keys that may occur.
    bins : int
        Most bins; a power of two.
    weighted : bool
        Whether keys have weights.
    """

    def __init__(
        self, low: int, high: int, lowest: int, highest: int, *, bins: int, weighted: bool
    ) -> None:
        self._low, self._high, self._lowest, self._highest = low, high, lowest, highest
        self._shift = max(0, (high - low).bit_length() - (bins.bit_length() - 1))
        size = ((high - low) >> self._shift) + 1
        self.count = np.zeros(size, dtype=np.intp)
        self._sums = [np.zeros(size), np.zeros(size)] if weighted else None

    def bin_of(self, keys: Keys) -> Ints:
        """Number of the bin of each key."""
        kind = keys.dtype.type
        within = np.clip(keys, kind(self._low), kind(self._high)) - kind(self._low)
        return (within >> kind(self._shift)).astype(np.intp)

    def bounds(self, first: int, last: int) -> tuple[int, int]:
        """Lowest and highest key of some consecutive bins."""
        low = self._low + (first << self._shift)
        high = self._low + ((last + 1) << self._shift) - 1
        return (
            self._lowest if first == 0 else low,
            self._highest if last == self.count.size - 1 else high,
        )

    def add(self, keys: Keys, weights: Floats | None) -> None:
        """Count keys."""
        at, size = self.bin_of(keys), self.count.size
        self.count += np.bincount(at, minlength=size)
        if weights is not None and self._sums is not None:
            self._sums[0] += np.bincount(at, weights=weights, minlength=size)
            self._sums[1] += np.bincount(at, weights=_squares(weights), minlength=size)

    def add_runs(self, runs: Runs) -> None:
        """Count the keys of runs."""
        at = self.bin_of(runs.key)
        np.add.at(self.count, at, runs.count)
        if self._sums is not None:
            assert runs.weight is not None
            assert runs.squares is not None
            np.add.at(self._sums[0], at, runs.weight)
            np.add.at(self._sums[1], at, runs.squares)

    @property
    def weight(self) -> Floats | None:
        """Sum of the weights of each bin; None if weights are 1."""
        return None if self._sums is None else self._sums[0]

    @property
    def weighing(self) -> Floats:
        """Sum of the weights of each bin, its keys if weights are 1."""
        return self.count.astype(np.float64) if self._sums is None else self._sums[0]

    @property
    def squares(self) -> Floats | None:
        """Sum of their squares; None if weights are 1."""
        return None if self._sums is None else self._sums[1]

    @cached_property
    def running(self) -> Floats:
        """Sums of weights up to each bin, itself included; call it once all keys are in."""
        return np.cumsum(self.weighing)

    @cached_property
    def ranks(self) -> Ints:
        """How many keys there are up to each bin, itself included; call it once all keys are in."""
        return np.cumsum(self.count)

    def slabs(self, most: int) -> Iterator[tuple[int, int]]:
        """First and last bin of consecutive ranges that hold `most` keys each, or are one bin."""
        start, before = 0, 0
        while start < self.count.size:
            stop = int(np.searchsorted(self.ranks, before + most, side="right"))
            stop = max(stop, start + 1)
            if self.ranks[stop - 1] > before:
                yield start, stop - 1
            start, before = stop, int(self.ranks[stop - 1])

    def runs(self, dtype: np.dtype[Any]) -> Runs | None:
        """The keys as runs, if bins are one key wide and no key lies beyond them."""
        if self._shift or self._low > self._lowest or self._high < self._highest:
            return None
        some = np.flatnonzero(self.count)
        sums = (None, None) if self._sums is None else (self._sums[0][some], self._sums[1][some])
        return Runs(some.astype(dtype) + dtype.type(self._low), self.count[some], *sums)

    def narrow(self, lowest: int, highest: int) -> None:
        """State the lowest and highest key that did occur."""
        self._lowest, self._highest = lowest, highest


class Collector:
    """Gathers the keys of a stream as runs, or as a histogram if these are too many.

    Parameters
    ----------
    lowest, highest : int
        Keys that may occur.
    dtype : dtype
        That of the keys.
    most : int
        Most runs.
    weighted : bool
        Whether keys have weights.
    adaptive : bool
        Whether the bins divide the range of most of the keys seen when the runs became too many,
        with as much on either side, instead of all that may occur.
    """

    def __init__(
        self,
        lowest: int,
        highest: int,
        dtype: np.dtype[Any],
        *,
        most: int,
        weighted: bool,
        adaptive: bool = False,
    ) -> None:
        self._lowest, self._highest, self._dtype = lowest, highest, dtype
        self._most, self._weighted, self._adaptive = most, weighted, adaptive
        self._bins = min(MOST_BINS, 1 << max(2, most.bit_length()))
        none = np.zeros(0) if weighted else None
        self._runs = Runs(np.zeros(0, dtype=dtype), np.zeros(0, dtype=np.intp), none, none)
        self._waiting: list[tuple[Keys, Floats | None]] = []
        self._held = 0
        self._seen: tuple[int, int] | None = None
        self._histogram: Histogram | None = None
        if dtype.itemsize <= 2:
            self._histogram = self._over(lowest, highest, MOST_BINS)

    def _over(self, low: int, high: int, bins: int) -> Histogram:
        return Histogram(low, high, self._lowest, self._highest, bins=bins, weighted=self._weighted)

    def add(self, keys: Keys, weights: Floats | None) -> None:
        """Take in keys."""
        if self._adaptive and keys.size:
            low, high = int(keys.min()), int(keys.max())
            seen = self._seen or (low, high)
            self._seen = min(low, seen[0]), max(high, seen[1])
        if self._histogram is not None:
            self._histogram.add(keys, weights)
            return
        self._waiting.append((keys.copy(), None if weights is None else weights.copy()))
        self._held += keys.size
        if self._held >= self._most:
            self._settle()

    def _settle(self) -> None:
        if not self._held:
            return
        keys = np.concatenate([keys for keys, _ in self._waiting])
        weights = None
        if self._weighted:
            weights = np.concatenate([w for _, w in self._waiting if w is not None])
        self._waiting, self._held = [], 0
        self._runs = Runs.join(self._runs, Runs.of(keys, weights))
        if self._runs.size > self._most:
            self._histogram = self._spread()
            self._histogram.add_runs(self._runs)
            self._runs = self._runs.among(slice(0))

    def _spread(self) -> Histogram:
        low, high = self._lowest, self._highest
        if self._adaptive:
            outer = int(self._runs.size * OUTER_SHARE)
            first, last = int(self._runs.key[outer]), int(self._runs.key[-1 - outer])
            reach = last - first + 1
            low, high = max(low, first - reach), min(high, last + reach)
        return self._over(low, high, self._bins)

    def result(self) -> Runs | Histogram:
        """The runs, or the histogram; call it once all keys are in."""
        self._settle()
        if self._histogram is None:
            return self._runs
        if self._seen is not None:
            self._histogram.narrow(*self._seen)
        exact = self._histogram.runs(self._dtype)
        return self._histogram if exact is None else exact
