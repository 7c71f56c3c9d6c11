"""Values of a raster on local frames, read only where a frame lies and only as fine as it is.

A frame's cells are located on the raster; the raster's pixels are taken together to *coarse* cells about as
large as the frame's, of which only those that are needed are read, tile by tile, so that frames across
the seam or across a pole of a large raster cost little.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from craterkit.rasters.base import Window
from craterkit.rasters.thinning import read_thinned

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from craterkit.extraction.sources import Source
    from craterkit.plotting.local_frames import LocalFrame
    from craterkit.rasters.base import Band, Raster

    Floats = NDArray[np.float64]
    Ints = NDArray[np.intp]
    Bools = NDArray[np.bool_]
    Resampling = Literal["bilinear", "nearest"]

__all__ = ["FrameSampler", "Resampling"]

#: Coarse cells along the side of a tile.
TILE = 128

#: Cells along a side of a frame from which the size of the raster's pixels is known.
FEW_CELLS = 48

#: Share of the steps between a frame's cells that may be longer than a coarse cell, in pixels of the raster.
FINE_SHARE = 0.75


@dataclass(frozen=True, slots=True)
class FrameSampler:
    """Reads one band of a raster on local frames.

    Parameters
    ----------
    source : Source
        The raster and its band.
    resampling : {"bilinear", "nearest"}
        How values between pixels are found. Coarse cells are means of pixels, or single ones.
    scaled : bool
        Whether scale and offset are applied.
    """

    source: Source
    resampling: Resampling
    scaled: bool

    def pixel_size(self, frame: LocalFrame, count: int) -> float:
        """Size of the raster's pixels about the frame, in its cells; NaN where the raster is not."""
        few = min(count, FEW_CELLS)
        x, y = self._located(frame, few)
        with np.errstate(invalid="ignore"):
            (x_down, x_across), (y_down, y_across) = (_steps(value) for value in (x, y))
            area = np.abs(x_across * y_down - x_down * y_across)
        area = area[np.isfinite(area) & (area > 0)]
        return float(count / few / np.sqrt(np.median(area))) if area.size else np.nan

    def sample(self, frame: LocalFrame, count: int) -> Floats:
        """Values at the centres of a frame's cells: (count, count), row 0 the northernmost.

        NaN where there are no data, and off the raster.
        """
        x, y = self._located(frame, count)
        height, width = self.source.grid.shape[0], self.source.grid.extent
        with np.errstate(invalid="ignore"):
            inside = (x >= 0) & (x <= width) & (y >= 0) & (y <= height)
        out = np.full(x.shape, np.nan)
        if inside.any():
            step = (_spacing(y, inside), _spacing(x, inside, self.source.grid.period))
            out[inside] = self._values(x[inside], y[inside], step)
        return out

    def _located(self, frame: LocalFrame, count: int) -> tuple[Floats, Floats]:
        """Pixel coordinates of a frame's cells; NaN off the map."""
        lon, lat = frame.places(*frame.cells(count))
        grid = self.source.grid
        x, y = grid.to_pixels(lon, lat)
        wrong = grid.misplaces(lon, lat, x, y)
        return (np.where(wrong, np.nan, x), np.where(wrong, np.nan, y)) if wrong.any() else (x, y)

    def _values(self, x: Floats, y: Floats, step: tuple[int, int]) -> Floats:
        """Values at pixel coordinates, from coarse cells of so many rows and columns."""
        raster, band, grid = self.source.raster, self.source.bands[0], self.source.grid
        cells = CoarseCells(raster, band, step, grid.columns)
        most_rows, most_columns = cells.shape
        if self.resampling == "nearest":
            row = np.minimum((y / step[0]).astype(np.intp), most_rows - 1)
            column = np.minimum((x / step[1]).astype(np.intp), most_columns - 1)
            return self._physical(cells.take(row, column, mean=False))
        down, across = y / step[0] - 0.5, x / step[1] - 0.5
        top, left = np.floor(down).astype(np.intp), np.floor(across).astype(np.intp)
        below, beside = down - top, across - left
        rows = np.clip(np.stack([top, top + 1]), 0, most_rows - 1)[:, None]
        columns = np.stack([left, left + 1])
        columns = (
            np.mod(columns, most_columns) if grid.wraps else np.clip(columns, 0, most_columns - 1)
        )[None]
        found = cells.take(*np.broadcast_arrays(rows, columns), mean=True)
        known = np.isfinite(found)
        weight = np.stack([1.0 - below, below])[:, None] * np.stack([1.0 - beside, beside])[None]
        weight = np.where(known, weight, 0.0)
        # The cell in which a place lies decides whether there are data. Others add their difference
        # from it, so that values between equal ones are exactly these.
        place = (below >= 0.5).astype(np.intp), (beside >= 0.5).astype(np.intp), np.arange(x.size)
        own = known[place]
        values = np.where(own, found[place], np.nan)
        change = np.where(known & own, found - values, 0.0)
        change *= weight
        np.divide(change.sum(axis=(0, 1)), weight.sum(axis=(0, 1)), out=change[0, 0], where=own)
        values += change[0, 0]
        return self._physical(values)

    def _physical(self, raw: Floats) -> Floats:
        band = self.source.bands[0]
        return band.physical(raw) if self.scaled and band.is_scaled else raw


def _steps(values: Floats) -> tuple[Floats, Floats]:
    """Differences down and across, of all cells but the last row and column."""
    return values[1:, :-1] - values[:-1, :-1], values[:-1, 1:] - values[:-1, :-1]


def _spacing(values: Floats, inside: Bools, period: float = np.inf) -> int:
    """About how many pixels of the raster a cell of the frame is wide, in one of the raster's directions."""
    with np.errstate(invalid="ignore"):
        steps = [np.abs(step) for step in _steps(np.where(inside, values, np.nan))]
        if np.isfinite(period):
            steps = [np.minimum(step, period - step) for step in steps]
        longest = np.fmax(*steps)
    longest = longest[np.isfinite(longest)]
    if not longest.size:
        return 1
    return max(1, int(np.quantile(longest, 1.0 - FINE_SHARE)))


class CoarseCells:
    """Coarse cells of a raster's band, of `step` rows and columns of its pixels each.

    Parameters
    ----------
    raster : Raster
        The raster.
    band : Band
        The band.
    step : tuple of int
        Rows and columns of a cell; the last ones may have fewer.
    columns : int
        Columns of the raster in use.

    Attributes
    ----------
    shape : tuple of int
        Rows and columns of cells.
    """

    def __init__(self, raster: Raster, band: Band, step: tuple[int, int], columns: int) -> None:
        self._raster, self._band, self._step = raster, band, step
        self._size = (raster.shape[0], columns)
        self.shape = (-(-self._size[0] // step[0]), -(-self._size[1] // step[1]))

    def take(self, row: Ints, column: Ints, *, mean: bool) -> Floats:
        """Raw numbers of cells, NaN where there are no data; only the tiles that hold them are read.

        Parameters
        ----------
        row, column : ndarray of int
            The cells.
        mean : bool
            Whether a cell is the mean of four of its pixels (of those that are data), or its middle one.
        """
        tile_columns = -(-self.shape[1] // TILE)
        tile = row // TILE * tile_columns + column // TILE
        slot = np.zeros(-(-self.shape[0] // TILE) * tile_columns, dtype=np.intp)
        slot[tile.ravel()] = 1
        needed = np.flatnonzero(slot)
        slot[needed] = np.arange(needed.size)
        atlas = np.full((needed.size, TILE, TILE), np.nan)
        for page, number in zip(atlas, needed.tolist(), strict=True):
            top, left = (TILE * value for value in divmod(number, tile_columns))
            for rows, of_rows in self._pieces(top, 0):
                for columns, of_columns in self._pieces(left, 1):
                    window = Window(rows.start, rows.stop, columns.start, columns.stop)
                    count = (of_rows.stop - of_rows.start, of_columns.stop - of_columns.start)
                    page[of_rows, of_columns] = self._cells(window, count, mean=mean)
        found: Floats = atlas[slot[tile], row % TILE, column % TILE]
        return found

    def _pieces(self, first: int, axis: int) -> list[tuple[slice, slice]]:
        """Pixels and the tile's cells that they make, along an axis: whole cells, and a last part of one."""
        step, size = self._step[axis], self._size[axis]
        start, stop = first * step, min((first + TILE) * step, size)
        whole = (stop - start) // step
        middle = start + whole * step
        pieces = [
            (slice(start, middle), slice(0, whole)),
            (slice(middle, stop), slice(whole, whole + 1)),
        ]
        return [(pixels, cells) for pixels, cells in pieces if pixels.stop > pixels.start]

    def _cells(self, window: Window, count: tuple[int, int], *, mean: bool) -> Floats:
        """Cells of equal size that make up a window."""
        parts = tuple(
            number * 2 if mean and size >= 2 * number else number
            for number, size in zip(count, window.shape, strict=True)
        )
        raw, missing = read_thinned(self._raster, self._band, window, parts)
        values: Floats = raw.astype(np.float64)
        if missing is not None:
            values[missing] = np.nan
        if parts == count:
            return values
        blocks = values.reshape(count[0], parts[0] // count[0], count[1], parts[1] // count[1])
        known = np.isfinite(blocks)
        number = known.sum(axis=(1, 3))
        total = np.where(known, blocks, 0.0).sum(axis=(1, 3))
        means = np.full(count, np.nan)
        np.divide(total, number, out=means, where=number > 0)
        return means
