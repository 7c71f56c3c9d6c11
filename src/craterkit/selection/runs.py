"""Runs: a set of pixels as stretches of rows, and its algebra.

However many pixels a run has, it costs three numbers, and so does whatever is done with it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from craterkit.footprints.spans import Spans, ranges

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from craterkit.rasters.base import Window

    Bools = NDArray[np.bool_]
    Ints = NDArray[np.intp]

__all__ = ["Runs"]


@dataclass(frozen=True, slots=True, eq=False)
class Runs:
    """Runs of pixels: ``row[i]``, columns ``start[i]`` to ``stop[i]`` (exclusive).

    Sorted by row and column; no run is empty, and no two of them share a pixel or meet in a row. So a
    set of pixels has one form only. Pixels are numbered in this order, as ``array[mask]`` has them.

    Examples
    --------
    >>> runs = Runs.from_mask(np.array([[True, True, False], [False, False, True]]))
    >>> runs.row, runs.start, runs.stop
    (array([0, 1]), array([0, 2]), array([2, 3]))
    """

    row: Ints
    start: Ints
    stop: Ints

    def __len__(self) -> int:
        return self.row.size

    @property
    def length(self) -> Ints:
        """Pixels in each run."""
        return self.stop - self.start

    @property
    def pixels(self) -> int:
        """Pixels in all."""
        return int(self.length.sum())

    @property
    def rows(self) -> Ints:
        """Row of every pixel."""
        return np.repeat(self.row, self.length)

    @property
    def cols(self) -> Ints:
        """Column of every pixel."""
        return ranges(self.start, self.length)

    @classmethod
    def from_mask(cls, mask: Bools, row: int = 0, col: int = 0) -> Runs:
        """The pixels where an array is true; its first pixel is at (`row`, `col`)."""
        height, width = mask.shape
        # A column of False ends the runs of every row.
        ended = np.zeros((height, width + 1), dtype=np.bool_)
        ended[:, :width] = mask
        flat = ended.ravel()
        edges = np.flatnonzero(flat[1:] != flat[:-1]) + 1
        if flat[0]:
            edges = np.concatenate([[0], edges])
        return cls._between(edges, width + 1)._moved(row, col)

    @classmethod
    def from_pixels(cls, row: Ints, col: Ints) -> Runs:
        """Pixels in any order; one that occurs twice counts once."""
        return cls.union([Runs(row, col, col + 1)])

    @classmethod
    def full(cls, shape: tuple[int, int]) -> Runs:
        """All pixels of a raster."""
        row = np.arange(shape[0])
        return cls(row, np.zeros_like(row), np.full_like(row, shape[1]))

    @classmethod
    def union(cls, parts: Sequence[Runs]) -> Runs:
        """The pixels of several parts, whose runs may be in any order and overlap."""
        row, start, stop = (
            np.concatenate([np.zeros(0, dtype=np.intp), *(getattr(part, name) for part in parts)])
            for name in ("row", "start", "stop")
        )
        spans = Spans.union(np.zeros_like(row), row, start, stop)
        return cls(spans.row, spans.start, spans.stop)

    def spans(self, label: Ints) -> Spans:
        """Their pixels as footprints, by the ROI that each run belongs to."""
        order = np.argsort(label, kind="stable")
        return Spans(label[order], self.row[order], self.start[order], self.stop[order])

    def portion(self, first: int, end: int) -> Runs:
        """The pixels with these numbers."""
        ends = np.cumsum(self.length)
        begins = ends - self.length
        own = np.flatnonzero((ends > first) & (begins < end))
        return Runs(
            self.row[own],
            self.start[own] + np.maximum(first - begins[own], 0),
            self.stop[own] - np.maximum(ends[own] - end, 0),
        )

    def take(self, index: Ints | Bools | slice) -> Runs:
        """The runs at `index`, which must ascend."""
        return Runs(self.row[index], self.start[index], self.stop[index])

    def combined(self, other: Runs, rule: Callable[[Bools, Bools], Bools]) -> Runs:
        """The pixels that a rule picks, given which are in this set and which in the other.

        The rule must not pick a pixel that is in neither.

        Examples
        --------
        >>> a = Runs.from_mask(np.array([[True, True, True, False]]))
        >>> b = Runs.from_mask(np.array([[False, True, False, True]]))
        >>> a.combined(b, np.logical_xor).cols
        array([0, 2, 3])
        """
        width = 1 + max(int(runs.stop.max(initial=0)) for runs in (self, other))
        own, others = self._edges(width), other._edges(width)
        places = np.sort(np.concatenate([own, others]), kind="stable")
        inside = rule(
            np.searchsorted(own, places, side="right") % 2 == 1,
            np.searchsorted(others, places, side="right") % 2 == 1,
        )
        changes = inside.copy()
        changes[1:] ^= inside[:-1]
        return self._between(places[changes], width)

    def _edges(self, width: int) -> Ints:
        """Where runs begin and end, in turn, on the line that rows of `width` pixels make."""
        edges = np.empty(2 * len(self), dtype=np.intp)
        edges[::2], edges[1::2] = self.start, self.stop
        edges += np.repeat(self.row * width, 2)
        return edges

    @classmethod
    def _between(cls, edges: Ints, width: int) -> Runs:
        start, stop = edges[::2], edges[1::2]
        row = start // width
        return cls(row, start - row * width, stop - row * width)

    def _moved(self, rows: int, cols: int) -> Runs:
        return Runs(self.row + rows, self.start + cols, self.stop + cols)

    def equals(self, other: Runs) -> bool:
        """Whether both are the same pixels."""
        return all(
            np.array_equal(getattr(self, name), getattr(other, name))
            for name in ("row", "start", "stop")
        )

    def within(self, window: Window) -> Runs:
        """The pixels in a window, in the raster's rows and columns."""
        first, end = np.searchsorted(self.row, [window.row_start, window.row_stop])
        start = np.maximum(self.start[first:end], window.col_start)
        stop = np.minimum(self.stop[first:end], window.col_stop)
        full = stop > start
        return Runs(self.row[first:end][full], start[full], stop[full])

    def to_mask(self, shape: tuple[int, int]) -> Bools:
        """An array of this shape, true where the pixels are."""
        mask = np.zeros(shape, dtype=np.bool_)
        mask.ravel()[ranges(self.row * shape[1] + self.start, self.length)] = True
        return mask

    def paint(self, values: Any, out: NDArray[Any], window: Window) -> None:  # noqa: ANN401
        """Write a value for the pixels that lie in a window into `out`, which holds that window."""
        runs = self.within(window)
        place = (runs.row - window.row_start) * out.shape[1] + runs.start - window.col_start
        out.ravel()[ranges(place, runs.length)] = values
