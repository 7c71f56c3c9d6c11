"""Rasters on another grid than a selection, as if they were on its grid: values where its pixels are."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import replace
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np

from craterkit.grids.alignment import grid_difference
from craterkit.rasters.base import Raster, Window
from craterkit.selection.runs import Runs
from craterkit.series.reading import Reading
from craterkit.series.resampling import Resampling

if TYPE_CHECKING:
    from affine import Affine
    from numpy.typing import NDArray

    from craterkit.extraction.budget import Budget
    from craterkit.grids.base import Grid
    from craterkit.rasters.base import Band
    from craterkit.series.stack import Layer, Stack

    Ints = NDArray[np.intp]

__all__ = ["ResampledRaster", "resampled"]

#: Sides of the blocks in which values are worked out.
BLOCK = (128, 128)

#: Pixels of a window that are worked out at a time, unless a row has more.
STRIP_PIXELS = 1 << 16

#: Strips of which it is remembered where their pixels lie, for other layers.
REMEMBERED = 16


class Way:
    """How some pixels of a grid are found in rasters of another grid with equal blocks.

    Parameters
    ----------
    runs : Runs
        The pixels.
    grid, other : Grid
        Their grid, and that of the rasters.
    edges : tuple of ndarray of int
        Rows and columns at which blocks of the rasters begin and end.
    align : {"nearest", "bilinear"}
        How values are found.
    budget : Budget
        How much may be read at a time.
    """

    def __init__(
        self,
        runs: Runs,
        grid: Grid,
        other: Grid,
        edges: tuple[Ints, Ints],
        align: str,
        budget: Budget,
    ) -> None:
        self.grid = grid
        self.is_bilinear = align == "bilinear"
        self._runs = runs
        self._other = other
        self._edges = edges
        self._budget = budget
        self._known: OrderedDict[Window, tuple[Runs, Resampling, Reading]] = OrderedDict()
        self._lock = Lock()

    def serves(self, other: Grid, edges: tuple[Ints, Ints]) -> bool:
        """Whether another raster is read in the same way."""
        same = all(map(np.array_equal, edges, self._edges))
        return same and not grid_difference(other, self._other)

    def within(self, window: Window) -> tuple[Runs, Resampling, Reading]:
        """The pixels in a window, where their values are from, and how these are read."""
        with self._lock:
            if found := self._known.get(window):
                self._known.move_to_end(window)
                return found
        runs = self._in(window)
        make = Resampling.bilinear if self.is_bilinear else Resampling.nearest
        resampling = make(self.grid, runs, self._other)
        found = runs, resampling, Reading(resampling.runs, self._edges, 1, self._budget)
        with self._lock:
            self._known[window] = found
            while len(self._known) > REMEMBERED:
                self._known.popitem(last=False)
        return found

    def _in(self, window: Window) -> Runs:
        runs = self._runs
        own = slice(*np.searchsorted(runs.row, [window.row_start, window.row_stop]))
        start = np.maximum(runs.start[own], window.col_start)
        stop = np.minimum(runs.stop[own], window.col_stop)
        some = stop > start
        return Runs(runs.row[own][some], start[some], stop[some])


class ResampledRaster(Raster):
    """A band of a raster on another grid, which has data where the selection's pixels are.

    Parameters
    ----------
    raster : Raster
        The raster.
    band : Band
        Its band.
    way : Way
        Which pixels there are, and how they are found.
    scaled : bool
        Whether scale and offset are applied.

    Attributes
    ----------
    name, shape, crs, block_shape, bands
        As `Raster` has them. The one band holds values as they are.
    """

    crs = None

    def __init__(self, raster: Raster, band: Band, way: Way, *, scaled: bool) -> None:
        self.name = raster.name
        self.shape = way.grid.shape
        self.block_shape = BLOCK
        self._raster = raster
        self._band = band
        self._way = way
        self._scaled = scaled and band.is_scaled
        dtype = np.dtype(np.float64) if self._scaled or way.is_bilinear else band.dtype
        own = replace(band, dtype=dtype, nodata=(), nodata_is_exact=True, scale=1.0, offset=0.0)
        self.bands = [replace(own, has_mask=True, valid_range=None, special=())]

    @property
    def transform(self) -> Affine:
        """That of the selection."""
        return self._way.grid.transform

    def read(
        self, band: Band, window: Window, out: NDArray[Any], mask: NDArray[np.uint8] | None
    ) -> None:
        """Work out a window of values, and which of the pixels are chosen and have data.

        Raises
        ------
        RasterError
            If a block of the raster that is needed for it cannot be read.
        """
        rows = max(1, STRIP_PIXELS // max(1, window.shape[1]))
        out[...] = 0
        data = np.zeros(window.shape, dtype=np.bool_)
        for start in range(window.row_start, window.row_stop, rows):
            strip = window._replace(row_start=start, row_stop=min(start + rows, window.row_stop))
            runs, resampling, reading = self._way.within(strip)
            if not len(runs):
                continue
            (found,) = reading.values(self._raster, [self._band])
            values = self._band.physical(found.raw) if self._scaled else found.raw
            valid = resampling.valid(found)
            where = runs.rows - window.row_start, runs.cols - window.col_start
            out[where] = resampling.combine(values, found.valid)
            data[where] = True if valid is None else valid
        if mask is not None:
            mask[...] = data

    def close(self) -> None:
        """Close the raster itself."""
        self._raster.close()


def resampled(
    stack: Stack, runs: Runs, grid: Grid, align: str, budget: Budget, *, scaled: bool
) -> Stack:
    """Have all layers of a stack on one grid.

    Parameters
    ----------
    stack : Stack
        Layers of rasters that are placed on a body.
    runs : Runs
        The pixels of which values are wanted.
    grid : Grid
        Their grid.
    align : {"nearest", "bilinear"}
        How values are found where a raster has another one.
    budget : Budget
        How much may be read at a time.
    scaled : bool
        Whether scale and offset are applied.

    Returns
    -------
    Stack
        The same layers; of those on another grid the rasters are `ResampledRaster`.
    """
    ways: list[Way] = []
    layers: list[Layer] = []
    for layer in stack.layers:
        raster, band, other = layer.raster, layer.band, layer.grid
        if raster is None or band is None or other is None or not grid_difference(grid, other):
            layers.append(layer)
            continue
        edges = raster.block_edges()
        way = next((way for way in ways if way.serves(other, edges)), None)
        if way is None:
            way = Way(runs, grid, other, edges, align, budget)
            ways.append(way)
        own = ResampledRaster(raster, band, way, scaled=scaled)
        layers.append(replace(layer, raster=own, band=own.bands[0], grid=grid))
    return replace(stack, layers=tuple(layers))
