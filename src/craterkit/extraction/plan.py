"""The plan: which blocks are read when, and which ROIs they serve.

A raster is walked in chunks of whole block rows, from its first row to its last. Each chunk is read once,
and only the blocks that some ROI may touch; every ROI meets the chunks that its rows cross. So
what is held in memory depends on neither the number of ROIs nor the height of the raster.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

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

#: So many ROIs are worth several chunks, however small the raster is.
MANY, FEWEST_CHUNKS = 20_000, 16


@dataclass(frozen=True, slots=True)
class Chunk:
    """Some block rows of the raster.

    Attributes
    ----------
    window : Window
        Its place; always of the raster's full width.
    reads : list of Window
        Blocks to read, joined to rectangles.
    rois : ndarray of int
        ROIs that may have pixels here.
    widths : ndarray
        Columns that each of them may touch.
    begins, ends : ndarray of bool
        Whether this is the first and the last chunk of each of them.
    """

    window: Window
    reads: list[Window]
    rois: Ints
    widths: Floats
    begins: Bools
    ends: Bools


class Plan:
    """How a raster is walked for some ROIs.

    Parameters
    ----------
    grid : Grid
        The raster's grid.
    block_shape : tuple of int
        Rows and columns of its blocks.
    regions : JoinedRegions
        The ROIs.

    Attributes
    ----------
    outside : ndarray of bool
        ROIs that the raster does not reach.
    """

    def __init__(self, grid: Grid, block_shape: tuple[int, int], regions: JoinedRegions) -> None:
        height, width = grid.shape
        self._grid = grid
        self._block = (min(block_shape[0], height), min(block_shape[1], width))
        self._rows = np.clip(regions.rows, 0, height)
        low, high = regions.columns()
        self._west = low
        self._width = np.minimum(high - low, grid.columns)
        self._group = regions.groups
        self._turns = list(self._wrap(low, high))
        reached = np.zeros(len(regions), dtype=bool)
        for first, end in self._turns:
            reached |= end > first
        self.outside = ~reached | (self._rows[:, 0] >= self._rows[:, 1])
        pixels = CHUNK_PIXELS
        if len(regions) > MANY:
            # A small raster under many ROIs: enough chunks for all threads.
            pixels = min(pixels, height * width // FEWEST_CHUNKS)
        blocks = max(1, pixels // (self._block[0] * width))
        self._chunk_rows = self._block[0] * blocks

    def _wrap(self, low: Floats, high: Floats) -> Iterator[tuple[Columns, Columns]]:
        """First and end column of each ROI on the raster, for each turn around the body."""
        grid = self._grid
        for turn in (0.0, grid.period, -grid.period):
            first = np.clip(np.floor(low + turn), 0, grid.columns).astype(np.int32)
            end = np.clip(np.ceil(high + turn), 0, grid.columns).astype(np.int32)
            if (end > first).any():
                yield first, end

    def chunks(self) -> Iterator[Chunk]:
        """The chunks that some ROI may touch, in order."""
        size, height = self._chunk_rows, self._grid.shape[0]
        inside = np.flatnonzero(~self.outside)
        if not inside.size:
            return
        first = self._rows[inside, 0] // size
        last = (self._rows[inside, 1] - 1) // size
        count = last - first + 1
        chunk = ranges(first, count)
        roi = np.repeat(inside, count)
        # Neighbours follow each other, for the sake of the processor's caches.
        order = np.lexsort((self._west[roi], self._group[roi], chunk))
        chunk, roi = chunk[order], roi[order]
        begins = chunk == np.repeat(first, count)[order]
        ends = chunk == np.repeat(last, count)[order]
        numbers, starts = np.unique(chunk, return_index=True)
        for number, start, stop in zip(
            numbers, starts, np.append(starts[1:], chunk.size), strict=True
        ):
            row_start = int(number) * size
            window = Window(row_start, min(row_start + size, height), 0, self._grid.shape[1])
            members = slice(start, stop)
            yield Chunk(
                window,
                self._reads(window, roi[members]),
                roi[members],
                self._width[roi[members]],
                begins[members],
                ends[members],
            )

    def _reads(self, window: Window, rois: Ints) -> list[Window]:
        """Rectangles of blocks that the ROIs may touch within a chunk."""
        tall, wide = self._block
        shape = (-(-window.shape[0] // tall), -(-window.shape[1] // wide))
        last_row = window.shape[0] - 1
        top, bottom = (
            np.clip(self._rows[rois].T - [[window.row_start], [window.row_start + 1]], 0, last_row)
            // tall
        )
        # Corners of each ROI's rectangle of blocks; their running sums are positive within.
        corners = np.zeros((shape[0] + 1) * (shape[1] + 1))
        for first, end in self._turns:
            left, right = first[rois] // wide, (end[rois] - 1) // wide + 1
            there = np.flatnonzero(end[rois] > first[rois])
            for row, column, sign in (
                (top, left, 1.0),
                (top, right, -1.0),
                (bottom + 1, left, -1.0),
                (bottom + 1, right, 1.0),
            ):
                place = row[there] * (shape[1] + 1) + column[there]
                corners += sign * np.bincount(place, minlength=corners.size)
        sums = corners.reshape(shape[0] + 1, shape[1] + 1).cumsum(axis=0).cumsum(axis=1)
        return list(_rectangles(sums[:-1, :-1] > 0, window, self._block))


def _rectangles(touched: Bools, window: Window, block: tuple[int, int]) -> Iterator[Window]:
    """Join touched blocks to rectangles: equal runs of equal neighbouring block rows."""
    change = np.flatnonzero((touched[1:] != touched[:-1]).any(axis=1)) + 1
    for start, stop in zip([0, *change], [*change, touched.shape[0]], strict=True):
        row = np.concatenate([[False], touched[start], [False]])
        edges = np.flatnonzero(row[1:] != row[:-1])
        for left, right in zip(edges[::2], edges[1::2], strict=True):
            yield Window(
                window.row_start + int(start) * block[0],
                min(window.row_start + int(stop) * block[0], window.row_stop),
                int(left) * block[1],
                min(int(right) * block[1], window.col_stop),
            )
