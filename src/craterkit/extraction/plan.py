"""The plan: which blocks are read when, and which ROIs they serve.

A raster is walked in chunks of whole blocks, from its first row to its last: block rows of its full
width, or parts of one where that would be too much to hold. Each chunk is read once, and only the
blocks that some ROI may touch; every ROI meets the chunks that its rows and columns cross. So what is
held in memory depends on neither the number of ROIs nor the size of the raster.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from craterkit.extraction.batches import batches
from craterkit.extraction.blocks import rectangles
from craterkit.footprints.spans import ranges
from craterkit.rasters.base import Window

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from craterkit.footprints.joined import JoinedRegions
    from craterkit.grids.base import Grid

    Floats = NDArray[np.float64]
    Ints = NDArray[np.intp]
    Bools = NDArray[np.bool_]
    Columns = NDArray[np.int32]

__all__ = ["Chunk", "Plan"]

#: Pixels of a chunk, unless a single row of blocks has more.
CHUNK_PIXELS = 1 << 22

#: An ROI whose bounding box holds more blocks than this may leave some of them out.
FEW_BLOCKS = 4

#: Pixels that are read in the time in which a row of an ROI's footprint is found.
PIXELS_A_ROW = 16

#: So many ROIs are worth several chunks, however small the raster is.
MANY, FEWEST_CHUNKS = 20_000, 16


@dataclass(frozen=True, slots=True)
class Chunk:
    """Some blocks of the raster that are read together.

    Attributes
    ----------
    window : Window
        Its place.
    reads : list of Window
        Blocks to read, joined to rectangles.
    rois : ndarray of int
        ROIs that may have pixels here.
    widths : ndarray
        Columns that each of them may touch.
    begins, ends : ndarray of bool
        Whether this is the first and the last chunk of each of them.
    kept : ndarray of bool
        Whether its pixels may be kept until it has met all its chunks.
    """

    window: Window
    reads: list[Window]
    rois: Ints
    widths: Floats
    begins: Bools
    ends: Bools
    kept: Bools

    def parts(self, rows: NDArray[np.int64], limit: int) -> Iterator[Chunk]:
        """The same window for a run of the ROIs after the other, of about `limit` pixels each.

        `rows` are first and end row of every ROI.
        """
        top, bottom = np.clip(rows[self.rois].T, self.window.row_start, self.window.row_stop)
        part = np.cumsum((bottom - top) * np.minimum(self.widths, self.window.shape[1])) // limit
        cuts = [0, *(np.flatnonzero(np.diff(part)) + 1).tolist(), self.rois.size]
        for start, stop in pairwise(cuts):
            own = slice(start, stop)
            yield self.serving(self.rois[own], own)

    def serving(self, rois: Ints, which: slice | Ints) -> Chunk:
        """The same window for some of its ROIs, at the positions `which`, by other numbers."""
        return replace(
            self,
            rois=rois,
            widths=self.widths[which],
            begins=self.begins[which],
            ends=self.ends[which],
            kept=self.kept[which],
        )


class Plan:
    """How a raster is walked for some ROIs.

    Parameters
    ----------
    grid : Grid
        The raster's grid.
    block_edges : tuple of ndarray of int
        Rows and columns at which its blocks begin, and the ends of the last ones.
    regions : JoinedRegions
        The ROIs.
    pixel_limit : int, optional
        Pixels that a chunk may have at most. Only a block that has more is cut, by rows: then a part of
        it is read at a time.

    Attributes
    ----------
    outside : ndarray of bool
        ROIs that the raster does not reach.
    pixels : ndarray
        Pixels of each ROI on the raster at most.
    """

    def __init__(
        self,
        grid: Grid,
        block_edges: tuple[Ints, Ints],
        regions: JoinedRegions,
        pixel_limit: int | None = None,
    ) -> None:
        height, width = grid.shape
        self._grid = grid
        self._row_edges, self._column_edges = block_edges
        self.rows = np.clip(regions.rows, 0, height)
        low, high = regions.columns()
        self._west = low
        self._width = np.minimum(high - low, grid.columns)
        self._regions = regions
        self._turns = list(self._wrap(low, high))
        reached = np.zeros(len(regions), dtype=bool)
        # Blocks in the bounding box of each ROI.
        self._blocks = np.zeros(len(regions))
        for first, end in self._turns:
            reached |= end > first
            self._blocks += _intervals(self._column_edges, first, end)
        self._blocks *= _intervals(self._row_edges, *self.rows.T)
        self.outside = ~reached | (self.rows[:, 0] >= self.rows[:, 1])
        self.pixels = np.where(
            self.outside, 0.0, (self.rows[:, 1] - self.rows[:, 0]) * np.ceil(self._width)
        )
        np.minimum(self.pixels, regions.most_pixels, out=self.pixels)
        preferred = CHUNK_PIXELS
        if len(regions) > MANY:
            # A small raster under many ROIs: enough chunks for all threads.
            preferred = min(preferred, height * width // FEWEST_CHUNKS)
        self._limit = limit = height * width if pixel_limit is None else pixel_limit
        self._row_cuts, self._column_cuts = _cuts(*block_edges, preferred, limit)

    def _wrap(self, low: Floats, high: Floats) -> Iterator[tuple[Columns, Columns]]:
        """First and end column of each ROI on the raster, for each turn around the body."""
        grid = self._grid
        for turn in (0.0, grid.period, -grid.period):
            first = np.clip(np.floor(low + turn), 0, grid.columns).astype(np.int32)
            end = np.clip(np.ceil(high + turn), 0, grid.columns).astype(np.int32)
            if (end > first).any():
                yield first, end

    def _meetings(self, rois: Ints) -> tuple[Ints, Ints]:
        """Chunk number and ROI of every chunk that each ROI may touch, once each."""
        first = np.searchsorted(self._row_cuts, self.rows[rois, 0], side="right") - 1
        last = np.searchsorted(self._row_cuts, self.rows[rois, 1], side="left")
        roi, down = np.repeat(rois, last - first), ranges(first, last - first)
        across = self._column_cuts.size - 1
        if across == 1:
            return down, roi
        found = []
        for start, end in self._turns:
            left = np.searchsorted(self._column_cuts, start[roi], side="right") - 1
            right = np.searchsorted(self._column_cuts, end[roi], side="left")
            count = np.where(end[roi] > start[roi], right - left, 0)
            chunk = np.repeat(down * across, count) + ranges(left, count)
            found.append(chunk * self.outside.size + np.repeat(roi, count))
        chunk, roi = np.divmod(np.unique(np.concatenate(found)), self.outside.size)
        return chunk, roi

    def chunks(self, only: Ints | None = None, alone: Ints | None = None) -> Iterator[Chunk]:
        """The chunks that some ROI (or one of `only`) may touch, in order.

        Those of `alone` are too large for their pixels to be kept.
        """
        kept = np.ones(self.outside.size, dtype=np.bool_)
        if alone is not None:
            kept[alone] = False
        inside = np.flatnonzero(~self.outside) if only is None else only[~self.outside[only]]
        if not inside.size:
            return
        chunk, roi = self._meetings(inside)
        chunk, roi = self._in_order(chunk, roi)
        first, last = _first_and_last(chunk, roi, self.outside.size)
        across = self._column_cuts.size - 1
        numbers, starts = np.unique(chunk, return_index=True)
        for number, start, stop in zip(
            numbers.tolist(), starts, np.append(starts[1:], chunk.size), strict=True
        ):
            down, right = divmod(number, across)
            window = Window(
                *self._row_cuts[down : down + 2].tolist(),
                *self._column_cuts[right : right + 2].tolist(),
            )
            here = roi[start:stop]
            yield Chunk(
                window,
                self._reads(window, here),
                here,
                self._width[here],
                first[here] == number,
                last[here] == number,
                kept[here],
            )

    def _in_order(self, chunk: Ints, roi: Ints) -> tuple[Ints, Ints]:
        """Meetings by chunk and group; neighbours follow each other, for the processor's caches."""
        # One number for all is sorted several times faster than one key after the other.
        group = self._regions.groups[roi]
        of_chunk, of_group, of_roi = (int(key.max()).bit_length() for key in (chunk, group, roi))
        of_west = max(0, min(16, 63 - of_chunk - of_group - of_roi))
        west = np.clip(self._west[roi] / self._grid.columns + 0.5, 0.0, 2.0)
        key = chunk << of_group | group
        key = key << of_west | (west * (((1 << of_west) - 1) / 2)).astype(np.int64)
        key = key << of_roi | roi
        key.sort()
        return key >> (of_group + of_west + of_roi), key & ((1 << of_roi) - 1)

    def rounds(self, rois: Ints, limit: int) -> Iterator[Ints]:
        """ROIs whose pixels, together, never are more than `limit` at a time, or one that alone has more."""
        while rois.size:
            later = self.too_large(rois, limit)
            together = np.setdiff1d(rois, later)
            if not together.size:
                together, later = later[:1], later[1:]
            yield together
            rois = later

    def too_large(self, rois: Ints, limit: int) -> Ints:
        """Those of some ROIs that must be left for later.

        If pixels of ROIs are kept until these have met all their chunks, those of the others never
        are more than `limit` at a time.
        """
        rois = rois[~self.outside[rois]]
        chunk, roi = self._meetings(rois)
        first, last = _first_and_last(chunk, roi, self.outside.size)
        begin, end, pixels = first[rois], last[rois], self.pixels[rois]
        across = np.flatnonzero((end > begin) | (pixels > limit))
        rois, begin, end, pixels = rois[across], begin[across], end[across], pixels[across]
        order = np.argsort(pixels, kind="stable")
        size = int(end.max(initial=0)) + 2

        def fits(count: int) -> bool:
            """Whether the `count` smallest may be kept together."""
            own = order[:count]
            change = np.bincount(begin[own], pixels[own], size)
            change -= np.bincount(end[own] + 1, pixels[own], size)
            return not count or bool(np.cumsum(change).max() <= limit)

        low, high = 0, rois.size
        while low < high:
            middle = (low + high + 1) // 2
            low, high = (middle, high) if fits(middle) else (low, middle - 1)
        return np.sort(rois[order[low:]])

    def _reads(self, window: Window, rois: Ints) -> list[Window]:
        """Rectangles of blocks that the ROIs may touch within a chunk."""
        rows = _edges_within(self._row_edges, window.row_start, window.row_stop)
        columns = _edges_within(self._column_edges, window.col_start, window.col_stop)
        top, bottom = np.clip(self.rows[rois].T, window.row_start, window.row_stop)
        first_row = np.searchsorted(rows, top, side="right") - 1
        end_row = np.searchsorted(rows, bottom, side="left")
        boxes = []
        for turn in self._turns:
            first, end = (side[rois] for side in turn)
            if self._column_cuts.size > 2:
                first, end = (side.clip(window.col_start, window.col_stop) for side in (first, end))
            there = np.flatnonzero(end > first)
            left = np.searchsorted(columns, first[there], side="right") - 1
            right = np.searchsorted(columns, end[there], side="left")
            boxes.append((there, first_row[there], end_row[there], left, right))
        shape = rows.size - 1, columns.size - 1
        touched = np.zeros(shape, dtype=np.bool_)
        for _, *box in boxes:
            touched |= _marked(shape, *box)
        large = self._blocks[rois] > FEW_BLOCKS
        if large.any():
            small = np.zeros(shape, dtype=np.bool_)
            for there, *box in boxes:
                small |= _marked(shape, *(side[~large[there]] for side in box))
            sizes = np.outer(np.diff(rows), np.diff(columns))
            if (bottom - top)[large].sum() * PIXELS_A_ROW < sizes[touched & ~small].sum():
                touched = small | self._under(window, rois[large], rows, columns)
        return list(rectangles(touched, rows, columns))

    def _under(self, window: Window, rois: Ints, rows: Ints, columns: Ints) -> Bools:
        """Blocks that hold pixels of some ROIs, where these are far apart or around a hole."""
        touched = np.zeros((rows.size - 1, columns.size - 1), dtype=np.bool_)
        yes = np.ones(rois.size, dtype=np.bool_)
        chunk = Chunk(window, [], rois, self._width[rois], yes, yes, yes)
        for batch in batches(self._regions, chunk, self._limit):
            found = self._regions.footprints(rois[batch.rois], batch.row_start, batch.row_stop)
            spans = found.within(window.col_start, window.col_stop).spans
            row = np.searchsorted(rows, spans.row, side="right") - 1
            left = np.searchsorted(columns, spans.start, side="right") - 1
            right = np.searchsorted(columns, spans.stop, side="left")
            touched |= _marked(touched.shape, row, row + 1, left, right)
        return touched


def _intervals(edges: Ints, first: NDArray[Any], end: NDArray[Any]) -> Ints:
    """How many of the intervals between `edges` are reached from `first` to `end`."""
    count = np.searchsorted(edges, end, side="left") - np.searchsorted(edges, first, side="right")
    return np.where(end > first, count + 1, 0)


def _marked(shape: tuple[int, int], top: Ints, bottom: Ints, left: Ints, right: Ints) -> Bools:
    """Which cells of a table lie in some rectangles of cells."""
    rows, columns = shape[0] + 1, shape[1] + 1
    # Changes at the corners of each rectangle; their running sums are positive within.
    corners = np.zeros(rows * columns)
    for row, column, sign in (
        (top, left, 1.0),
        (top, right, -1.0),
        (bottom, left, -1.0),
        (bottom, right, 1.0),
    ):
        corners += sign * np.bincount(row * columns + column, minlength=corners.size)
    sums = corners.reshape(rows, columns).cumsum(axis=0).cumsum(axis=1)
    return np.asarray(sums[:-1, :-1] > 0)


def _first_and_last(chunk: Ints, roi: Ints, size: int) -> tuple[Ints, Ints]:
    """First and last chunk of every ROI that occurs; chunks ascend."""
    first, last = np.full((2, size), -1)
    last[roi] = chunk
    first[roi[::-1]] = chunk[::-1]
    return first, last


def _cuts(rows: Ints, columns: Ints, preferred: int, limit: int) -> tuple[Ints, Ints]:
    """Rows and columns between chunks, given those between blocks."""
    height, width = int(rows[-1]), int(columns[-1])
    tallest = int(np.diff(rows).max())
    if min(tallest, height) * width <= limit:
        return _joined(rows, max(1, min(preferred, limit) // width)), np.array([0, width])
    column_cuts = _joined(columns, max(1, limit // tallest))
    widest = int(np.diff(column_cuts).max())
    row_cuts = _joined(rows, max(1, limit // widest))
    step = max(1, limit // widest)
    cut = [np.append(np.arange(start, stop, step), stop)[1:] for start, stop in pairwise(row_cuts)]
    return np.concatenate([[0], *cut]), column_cuts


def _joined(edges: Ints, size: int) -> Ints:
    """Some of the edges: intervals are joined as long as they are no longer than `size`."""
    cuts, last = [0], 0
    while last < edges.size - 1:
        end = int(np.searchsorted(edges, edges[last] + size, side="right")) - 1
        last = max(end, last + 1)
        cuts.append(int(edges[last]))
    return np.array(cuts)


def _edges_within(edges: Ints, start: int, stop: int) -> Ints:
    """The edges between two places, and these."""
    first, end = np.searchsorted(edges, [start, stop], side="right")
    within = edges[first:end]
    return np.concatenate([[start], within[within < stop], [stop]])
