"""Spans: runs of pixels, row by row, for many regions of interest at once.

This is the one form in which every footprint engine hands over its pixels, and the only one that
extraction knows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Ints = NDArray[np.intp]
    Floats = NDArray[np.float64]
    Bools = NDArray[np.bool_]

__all__ = ["Footprints", "Spans", "ranges"]


def ranges(start: Ints, length: Ints) -> Ints:
    """``start[i], start[i] + 1, ...`` for `length[i]` numbers, one after the other.

    Examples
    --------
    >>> ranges(np.array([5, 0]), np.array([2, 3]))
    array([5, 6, 0, 1, 2])
    """
    if not length.all():
        full = np.flatnonzero(length)
        start, length = start[full], length[full]
    if not length.size:
        return np.zeros(0, dtype=np.intp)
    # Steps of 1, and from the end of each run to the next one: a running sum lets other threads work.
    ends = np.cumsum(length)
    out = np.ones(int(ends[-1]), dtype=np.intp)
    out[0] = start[0]
    out[ends[:-1]] = start[1:] - start[:-1] - length[:-1] + 1
    return np.cumsum(out, out=out)


@dataclass(frozen=True, slots=True)
class Spans:
    """Runs of pixels: ``row[i]``, columns ``start[i]`` to ``stop[i]`` (exclusive), of ROI ``roi[i]``.

    Sorted by ROI, row and column; no run is empty and no two of an ROI share a pixel.
    """

    roi: Ints
    row: Ints
    start: Ints
    stop: Ints

    def __len__(self) -> int:
        return self.roi.size

    @property
    def length(self) -> Ints:
        """Pixels in each run."""
        return self.stop - self.start

    def take(self, index: Ints | slice) -> Spans:
        """The runs at `index`."""
        return Spans(self.roi[index], self.row[index], self.start[index], self.stop[index])

    def covered(self, other: Spans) -> Bools:
        """Which pixels of these runs lie in runs of `other`, one boolean a pixel.

        The runs of `other` may come in any order and overlap.
        """
        if not len(self):
            return np.zeros(0, dtype=np.bool_)
        # All rows of all ROIs one after the other on one line, on which runs are intervals.
        low = min(int(self.start.min()), int(other.start.min(initial=0)))
        width = max(int(self.stop.max()), int(other.stop.max(initial=0))) - low + 1
        top = int(self.row.min())
        rows = int(self.row.max()) - top + 1
        inside = np.flatnonzero((other.row >= top) & (other.row < top + rows))

        def line(spans: Spans) -> Ints:
            return (spans.roi * rows + spans.row - top) * width - low

        own = line(self)
        begins, length = own + self.start, self.length
        before = np.cumsum(length) - length

        def pixels_before(place: Ints) -> Ints:
            span = np.maximum(np.searchsorted(begins, place, side="right") - 1, 0)
            return before[span] + np.clip(place - begins[span], 0, length[span])

        others = other.take(inside)
        at = line(others)
        first, end = pixels_before(at + others.start), pixels_before(at + others.stop)
        depth = np.zeros(int(length.sum()) + 1, dtype=np.int32)
        np.add.at(depth, first, 1)
        np.subtract.at(depth, end, 1)
        np.cumsum(depth, out=depth)
        return depth[:-1] > 0

    @classmethod
    def union(cls, roi: Ints, row: Ints, start: Ints, stop: Ints) -> Spans:
        """Runs in any order, empty or overlapping, brought into order and joined where they meet."""
        full = stop > start
        if not full.all():
            roi, row, start, stop = roi[full], row[full], start[full], stop[full]
        if roi.size < 2:
            return cls(roi, row, start, stop)
        order = np.lexsort((start, row, roi))
        roi, row, start, stop = roi[order], row[order], start[order], stop[order]
        new_row = (roi[1:] != roi[:-1]) | (row[1:] != row[:-1])
        # A run may lie within an earlier one: what counts is how far any before it went.
        lift = np.concatenate([[0], np.cumsum(new_row)]) * (int(stop.max()) - int(start.min()) + 1)
        reach = np.maximum.accumulate(stop + lift)
        apart = new_row | (start[1:] + lift[1:] > reach[:-1])
        first = np.flatnonzero(np.concatenate([[True], apart]))
        if first.size == roi.size:
            return cls(roi, row, start, stop)
        return cls(roi[first], row[first], start[first], np.maximum.reduceat(stop, first))

    @classmethod
    def join(cls, parts: Sequence[Spans]) -> tuple[Spans, Ints]:
        """Runs of several parts that share no pixel, in order, and the order of their pixels.

        Returns
        -------
        spans : Spans
            The runs, sorted.
        order : ndarray of int
            Where each pixel of `spans` stands among the pixels of the parts.
        """
        roi, row, start, stop = (
            np.concatenate([getattr(part, name) for part in parts])
            for name in ("roi", "row", "start", "stop")
        )
        length = stop - start
        first = np.cumsum(length) - length
        order = np.lexsort((start, row, roi))
        spans = cls(roi[order], row[order], start[order], stop[order])
        return spans, ranges(first[order], length[order])


@dataclass(frozen=True, slots=True)
class Footprints:
    """Pixels of many ROIs and what each pixel counts for.

    Attributes
    ----------
    spans : Spans
        The pixels.
    weights : ndarray or None
        One weight a pixel in the order of `spans`; None if every pixel counts for 1.
    shares : ndarray or None
        Weights before a raster of weights was multiplied in; None: the same as `weights`.
    """

    spans: Spans
    weights: Floats | None = None
    shares: Floats | None = None

    def keep(self, taken: Bools) -> Footprints:
        """The pixels that are `taken`, one boolean a pixel in the order of `spans`."""
        if taken.all():
            return self
        spans = self.spans
        ends = np.cumsum(spans.length)
        begins = ends - spans.length
        # Runs of taken pixels; none goes on from one span to the next.
        goes_on = taken[1:] & taken[:-1]
        goes_on[begins[1:] - 1] = False
        first = np.flatnonzero(np.concatenate([taken[:1], taken[1:] & ~goes_on]))
        last = np.flatnonzero(np.concatenate([taken[:-1] & ~goes_on, taken[-1:]]))
        span = np.searchsorted(ends, first, side="right")
        shift = spans.start[span] - begins[span]
        kept = Spans(spans.roi[span], spans.row[span], first + shift, last + shift + 1)
        return Footprints(
            kept,
            None if self.weights is None else self.weights[taken],
            None if self.shares is None else self.shares[taken],
        )

    def within(self, col_start: int, col_stop: int) -> Footprints:
        """The pixels in some columns."""
        spans = self.spans
        if not len(spans) or (spans.start.min() >= col_start and spans.stop.max() <= col_stop):
            return self
        start, stop = spans.start.clip(col_start, col_stop), spans.stop.clip(col_start, col_stop)
        full = np.flatnonzero(stop > start)
        kept = Spans(spans.roi[full], spans.row[full], start[full], stop[full])
        if self.weights is None:
            return Footprints(kept)
        before = np.cumsum(spans.length) - spans.length
        at = ranges(before[full] + kept.start - spans.start[full], kept.length)
        return Footprints(kept, self.weights[at], None if self.shares is None else self.shares[at])

    def weighted(self, weights: Floats) -> Footprints:
        """The same pixels, each of which counts `weights` times as much."""
        shares = np.ones(weights.size) if self.weights is None else self.weights
        return Footprints(self.spans, shares * weights, shares)

    @classmethod
    def concatenate(cls, parts: Sequence[Footprints]) -> Footprints:
        """Footprints one after the other; all of them have weights, or none has."""
        spans = Spans(
            *(
                np.concatenate([getattr(part.spans, name) for part in parts])
                for name in ("roi", "row", "start", "stop")
            )
        )
        weights, shares = (
            None
            if getattr(parts[0], name) is None
            else np.concatenate([getattr(part, name) for part in parts])
            for name in ("weights", "shares")
        )
        return cls(spans, weights, shares)
