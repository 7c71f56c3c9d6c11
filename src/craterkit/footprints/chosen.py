"""Footprints of chosen pixels: these themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from craterkit.errors import ArgumentError
from craterkit.footprints.spans import Footprints, Spans, ranges
from craterkit.grids.alignment import grid_difference

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from craterkit.footprints.rules import Rules
    from craterkit.grids.base import Grid
    from craterkit.regions.chosen import ChosenPixels

    Floats = NDArray[np.float64]
    Ints = NDArray[np.intp]

__all__ = ["ChosenFootprints"]


class ChosenFootprints:
    """An engine whose ROIs are given as pixels; every pixel is covered whole.

    Parameters
    ----------
    grid : Grid
        The grid.
    region : ChosenPixels
        The pixels of the n ROIs.
    rules : Rules
        What pixels count for.

    Attributes
    ----------
    rows : (n, 2) ndarray of int
        First row and end row of each ROI.
    pixels : (n,) ndarray
        How many pixels each ROI has.

    Raises
    ------
    ArgumentError
        If the pixels are of another grid.
    """

    def __init__(self, grid: Grid, region: ChosenPixels, rules: Rules) -> None:
        difference = grid_difference(region.grid, grid)
        if difference:
            raise ArgumentError(
                f"{grid.name} is not on the grid of {region.grid.name}: {difference}"
            )
        self._grid = grid
        self._rules = rules
        self._spans = spans = region.spans
        # Of all spans in order, so that those of any ROI between two rows are found by bisection.
        self._height = grid.shape[0]
        self._places = spans.roi * self._height + spans.row
        edges = np.searchsorted(spans.roi, np.arange(region.size + 1))
        self._first, self._count = edges[:-1], np.diff(edges)
        self.torn = self.leaves = np.zeros(region.size, dtype=np.bool_)
        self.rows = np.zeros((region.size, 2), dtype=np.int64)
        self._low, self._high = np.zeros((2, region.size))
        self.pixels = np.bincount(spans.roi, spans.length, region.size)
        full = np.flatnonzero(self._count)
        if full.size:
            first = self._first[full]
            self.rows[full, 0] = spans.row[first]
            self.rows[full, 1] = spans.row[first + self._count[full] - 1] + 1
            self._low[full] = np.minimum.reduceat(spans.start, first)
            self._high[full] = np.maximum.reduceat(spans.stop, first)

    def __len__(self) -> int:
        return self._count.size

    def columns(self) -> tuple[Floats, Floats]:
        """First and end column of each ROI."""
        return self._low, self._high

    def footprints(self, rois: Ints, row_start: int, row_stop: int) -> Footprints:
        """Pixels of some ROIs between two rows of the raster; their `roi` are positions in `rois`."""
        first, end = max(row_start, 0), min(row_stop, self._height)
        begin = np.searchsorted(self._places, rois * self._height + first)
        spans = self._between(begin, np.searchsorted(self._places, rois * self._height + end))
        return Footprints(spans, self._areas(spans) if self._rules.area_weighted else None)

    def ground_weight(self, rois: Ints) -> Floats:
        """Pixels of whole ROIs, or their area (m²)."""
        first = self._first[rois]
        spans = self._between(first, first + self._count[rois])
        weights = self._areas(spans) if self._rules.area_weighted else None
        roi = np.repeat(spans.roi, spans.length)
        return np.bincount(roi, weights, rois.size).astype(np.float64)

    def _between(self, begin: Ints, end: Ints) -> Spans:
        """The spans with some numbers, for each ROI."""
        count = np.maximum(end - begin, 0)
        spans = self._spans.take(ranges(begin, count))
        roi = np.repeat(np.arange(count.size), count)
        return Spans(roi, spans.row, spans.start, spans.stop)

    def _areas(self, spans: Spans) -> Floats:
        length = spans.length
        return self._grid.areas_at(np.repeat(spans.row, length), ranges(spans.start, length))
