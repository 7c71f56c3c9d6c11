"""Values at the centres of chosen pixels on the grid of another raster."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from craterkit.grids.alignment import nearest_pixels
from craterkit.grids.base import TIE_PX
from craterkit.selection.runs import Runs

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from craterkit.grids.base import Grid
    from craterkit.series.reading import Values

    Bools = NDArray[np.bool_]
    Floats = NDArray[np.float64]
    Ints = NDArray[np.intp]

__all__ = ["Resampling"]


@dataclass(frozen=True)
class Resampling:
    """Which pixels of a raster stand for those of another grid, and with which weights.

    Attributes
    ----------
    runs : Runs
        The pixels to read.
    source : (k, n) ndarray of int
        For each of the n pixels, the numbers of k pixels among those read.
    weights : (k, n) ndarray or None
        What these count for, 1 in sum; None where there is one.
    inside : (n,) ndarray of bool
        Which pixels lie on the raster.
    """

    runs: Runs
    source: Ints
    weights: Floats | None
    inside: Bools

    @classmethod
    def nearest(cls, grid: Grid, runs: Runs, other: Grid) -> Resampling:
        """From the pixel of `other` in which the centre of each pixel lies."""
        row, col = (
            axis.astype(np.intp) for axis in nearest_pixels(grid, runs.rows, runs.cols, other)
        )
        return cls._of(row[None], col[None], None, row >= 0, other.columns)

    @classmethod
    def bilinear(cls, grid: Grid, runs: Runs, other: Grid) -> Resampling:
        """From the four pixels of `other` whose centres are around the centre of each pixel."""
        lon, lat = grid.to_body(runs.cols + 0.5, runs.rows + 0.5)
        x, y = other.to_pixels(lon, lat)
        height, width = other.shape[0], other.columns
        period = other.period
        with np.errstate(invalid="ignore"):
            if np.isfinite(period):
                x = np.mod(x + TIE_PX, period) - TIE_PX
            inside = (x >= -TIE_PX) & (x <= width + TIE_PX) & (y >= -TIE_PX)
            inside &= y <= height + TIE_PX
        inside[inside] = ~other.misplaces(lon[inside], lat[inside], x[inside], y[inside])
        x, y = np.where(inside, x, 0.5) - 0.5, np.where(inside, y, 0.5) - 0.5
        left, top = np.floor(x).astype(np.intp), np.floor(y).astype(np.intp)
        east, south = x - left, y - top
        rows = np.stack([top, top, top + 1, top + 1]).clip(0, height - 1)
        cols = np.stack([left, left + 1, left, left + 1])
        cols = cols % width if other.wraps else cols.clip(0, width - 1)
        weights = np.stack(
            [
                (1 - south) * (1 - east),
                (1 - south) * east,
                south * (1 - east),
                south * east,
            ]
        )
        return cls._of(rows, cols, weights, inside, width)

    @classmethod
    def _of(
        cls, row: Ints, col: Ints, weights: Floats | None, inside: Bools, width: int
    ) -> Resampling:
        place = np.where(inside, row * width + col, -1)
        known, source = np.unique(place, return_inverse=True)
        source = source.reshape(place.shape)
        if known.size and known[0] < 0:
            known, source = known[1:], np.maximum(source - 1, 0)
        return cls(Runs.from_pixels(known // width, known % width), source, weights, inside)

    def valid(self, values: Values) -> Bools | None:
        """Which pixels have data: on every pixel that counts; None if all have."""
        if values.valid is None:
            return None if self.inside.all() else self.inside
        if not values.raw.size:
            return self.inside
        known = values.valid[self.source]
        if self.weights is not None:
            known |= self.weights == 0
        return np.asarray(known.all(axis=0) & self.inside)

    def combine(self, values: NDArray[Any], valid: Bools | None) -> NDArray[Any]:
        """The values of all pixels from those of the pixels that were read, of which some are `valid`."""
        if not values.size:
            return np.zeros(self.inside.size, dtype=values.dtype)
        if self.weights is None:
            return np.asarray(values[self.source[0]])
        if valid is not None:
            # What is no data may be NaN, and not even 0 times that is 0.
            values = np.where(valid, values, 0)
        return np.asarray((values[self.source] * self.weights).sum(axis=0))
