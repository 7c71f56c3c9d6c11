"""The raster behind a map: read no finer than the picture shows it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from craterkit.errors import ArgumentError
from craterkit.grids.cylindrical import CylindricalGrid
from craterkit.plotting.frames import DegreeFrame
from craterkit.rasters.base import Window
from craterkit.rasters.thinning import read_thinned

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from craterkit.grids.base import Grid
    from craterkit.plotting.frames import Box, Frame, ProjectedFrame
    from craterkit.rasters.base import Band, Raster

    Floats = NDArray[np.float64]
    Ints = NDArray[np.intp]

__all__ = ["Background", "read_background"]

#: Pixels of the raster that are read for each of the picture, along a side.
FINER = 2

#: Percentiles between which pixels other than bytes are stretched.
STRETCH = 1.0, 99.0

#: Bytes up to this value only are a mask, classes or a dim picture: black and white are their own ends.
DIM = 64

#: Share of values within which they are equal but for rounding.
SAME = 1e-9

#: Share of a pixel within which an edge is that of a pixel, and places along a side that show if rows are even.
ON_EDGE, PROBES = 1e-3, 17


@dataclass(frozen=True, slots=True)
class Background:
    """What is drawn behind footprints.

    Attributes
    ----------
    image : (rows, columns) or (rows, columns, 4) ndarray
        Masked where there are no data; or red, green, blue and opacity from 0 to 1.
    limits : tuple of float
        Values that are black and white.
    box : Box or None
        What it covers; None if it covers `pixels` of a raster that is rotated.
    pixels : Window
        Rows and columns of the raster that it covers.
    """

    image: Any
    limits: tuple[float, float]
    box: Box | None
    pixels: Window


def read_background(
    raster: Raster,
    grid: Grid,
    bands: Sequence[Band],
    frame: Frame,
    shape: tuple[int, int],
    stretch: tuple[float, float] | None = None,
) -> Background | None:
    """Read what a picture shows of a raster; None if that is nothing.

    Parameters
    ----------
    raster : Raster
        The raster.
    grid : Grid
        Its grid.
    bands : sequence of Band
        One, or three that are red, green and blue.
    frame : Frame
        The map.
    shape : tuple of int
        Rows and columns of the picture's pixels.
    stretch : tuple of float, optional
        Percentiles that are black and white. By default bytes that are not all dark are drawn as they
        are, other numbers from the 1st to the 99th percentile.
    """
    if len(bands) not in (1, 3):
        raise ArgumentError(
            f"band takes one band, or three that are red, green and blue, not {len(bands)}"
        )
    finer = shape[0] * FINER, shape[1] * FINER
    if isinstance(frame, DegreeFrame):
        assert isinstance(grid, CylindricalGrid)
        window = Window(0, 0, 0, 0)
        rows, columns = _cells(grid, frame.box, finer)
        layers = _in_degrees(raster, grid, bands, rows, columns)
        box: Box | None = type(frame.box)(columns.first, columns.last, rows.last, rows.first)
    else:
        layers, window = _in_pixels(raster, grid, bands, frame, finer)
        box = _upright_box(frame, window)
    if layers is None:
        return None
    limits = _limits_of_bands(layers, bands, stretch)
    if len(bands) == 1:
        return Background(layers[0], limits[0], box, window)
    rgba = np.ones((*layers[0].shape, 4), dtype=np.float32)
    for i, (layer, (low, high)) in enumerate(zip(layers, limits, strict=True)):
        rgba[..., i] = np.clip((layer.filled(low) - low) / (high - low), 0.0, 1.0)
        rgba[..., 3] *= ~np.ma.getmaskarray(layer)
    return Background(rgba, (0.0, 1.0), box, window)


def _limits_of_bands(
    layers: Sequence[Any], bands: Sequence[Band], stretch: tuple[float, float] | None
) -> list[tuple[float, float]]:
    """Values of each band that are black and white."""
    if stretch is None and all(band.dtype == np.uint8 and not band.is_scaled for band in bands):
        brightest = max((int(layer.max()) for layer in layers if layer.count()), default=0)
        if brightest > DIM:
            return [(0.0, 255.0)] * len(bands)
        if len(bands) > 1:
            # Of colours, all bands are made brighter alike.
            return [(0.0, float(max(brightest, 1)))] * len(bands)
        stretch = (0.0, 100.0)
    return [_limits(layer, STRETCH if stretch is None else stretch) for layer in layers]


def _limits(values: Any, stretch: tuple[float, float]) -> tuple[float, float]:  # noqa: ANN401
    """Percentiles of what is known; its ends if these are equal; about the one value that there is."""
    known = values.compressed()
    if not known.size:
        return 0.0, 1.0
    low, high = (float(value) for value in np.percentile(known, stretch))
    if _are_equal(low, high):
        low, high = float(known.min()), float(known.max())
    if _are_equal(low, high):
        half = max(0.5, SAME * abs(low))
        return low - half, high + half
    return low, high


def _are_equal(low: float, high: float) -> bool:
    return high - low <= SAME * max(abs(low), abs(high))


class _Cells(NamedTuple):
    """Cells of equal size along an axis of an image in degrees: from one edge to the other."""

    first: float
    last: float
    number: int

    @property
    def middles(self) -> Floats:
        """Degrees at their centres."""
        share = (np.arange(self.number) + 0.5) / self.number
        return self.first + share * (self.last - self.first)


def _cells(grid: CylindricalGrid, box: Box, most: tuple[int, int]) -> tuple[_Cells, _Cells]:
    """Rows from the north and columns from the west of an image that covers a box.

    Where the raster's pixels are even and no more than `most`, cells are these pixels, and those at the
    edges reach beyond the box. Otherwise there are `most` cells, which the picture cannot tell apart.
    """
    rows = _Cells(box.top, box.bottom, most[0])
    edges = grid.latitude(np.linspace(0.0, grid.shape[0], PROBES))
    even = np.linspace(edges[0], edges[-1], PROBES)
    height = float(np.ptp(edges)) / grid.shape[0]
    if np.abs(edges - even).max() < ON_EDGE * height:
        north = float(edges.max())
        start = np.floor((north - box.top) / height + ON_EDGE)
        count = int(np.ceil((north - box.bottom) / height - ON_EDGE) - start)
        if count <= most[0]:
            rows = _Cells(north - start * height, north - (start + count) * height, count)
    columns = _Cells(box.left, box.right, most[1])
    width = 1.0 / abs(grid.columns_per_degree)
    # The longitude of the raster's western edge, left of the box's.
    column = float(grid.column_of(box.left))
    west = box.left - width * (column if grid.eastward > 0 else grid.extent - column)
    copies = np.arange(
        np.ceil((box.left - west) / 360.0 - grid.extent / grid.period),
        np.floor((box.right - west) / 360.0) + 1,
    )
    if copies.size and (copies.size == 1 or float(grid.period).is_integer()):
        west += 360.0 * float(copies[0])
        start = np.floor((box.left - west) / width + ON_EDGE)
        count = int(np.ceil((box.right - west) / width - ON_EDGE) - start)
        if count <= most[1]:
            columns = _Cells(west + start * width, west + (start + count) * width, count)
    return rows, columns


def _in_degrees(
    raster: Raster, grid: CylindricalGrid, bands: Sequence[Band], rows: _Cells, columns: _Cells
) -> list[Any] | None:
    """The pixels in which the centres of cells lie, however the raster's rows are spaced."""
    count = rows.number, columns.number
    row = np.floor(grid.row_of(rows.middles)).astype(np.intp)
    column = np.floor(grid.column_of(columns.middles)).astype(np.intp)
    down = np.flatnonzero((row >= 0) & (row < grid.shape[0]))
    across = np.flatnonzero((column >= 0) & (column < grid.columns))
    if not down.size or not across.size:
        return None
    # Where the columns begin anew, the raster is read anew.
    breaks = np.flatnonzero(np.diff(column[across]) * grid.eastward < 0) + 1
    layers = []
    for band in bands:
        empty = np.zeros(count, dtype=np.float64 if band.is_scaled else band.dtype)
        values = np.ma.MaskedArray(empty, np.ones(count, dtype=np.bool_))
        for part in np.split(across, breaks):
            values[np.ix_(down, part)] = _picked(raster, band, row[down], column[part])
        layers.append(values)
    return layers


def _picked(raster: Raster, band: Band, row: Ints, column: Ints) -> Any:  # noqa: ANN401
    """Pixels of some rows and columns, from a thinned window about them."""
    window = Window(int(row.min()), int(row.max()) + 1, int(column.min()), int(column.max()) + 1)
    height, width = window.shape
    # Rows that are uneven are read as fine as the finest are.
    steps = np.abs(np.diff(row))
    uneven = steps.size and steps.max() > 2 * steps.min() + 1
    thin = min(height, row.size * (FINER if uneven else 1)), min(width, column.size)
    values = _thinned(raster, band, window, thin)
    at_row = (row - window.row_start) * thin[0] // height
    at_column = (column - window.col_start) * thin[1] // width
    return values[np.ix_(at_row, at_column)]


def _in_pixels(
    raster: Raster,
    grid: Grid,
    bands: Sequence[Band],
    frame: ProjectedFrame,
    finer: tuple[int, int],
) -> tuple[list[Any] | None, Window]:
    """The pixels within a box, as they lie in the raster."""
    box = frame.box
    x, y = frame.pixels_at(
        [box.left, box.right, box.left, box.right], [box.bottom, box.bottom, box.top, box.top]
    )
    (row_from, row_to), (column_from, column_to) = (
        (max(0, int(np.floor(at.min()))), min(size, int(np.ceil(at.max()))))
        for at, size in zip((y, x), grid.shape, strict=True)
    )
    window = Window(row_from, row_to, column_from, column_to)
    if row_from >= row_to or column_from >= column_to:
        return None, window
    # A rotated raster's sides share both sides of the picture.
    most = max(finer)
    thin = tuple(min(size, most) for size in window.shape)
    return [_thinned(raster, band, window, thin) for band in bands], window  # type: ignore[arg-type]


def _upright_box(frame: ProjectedFrame, window: Window) -> Box | None:
    """The left, right, lower and upper edge of the picture of a window, unless it is rotated.

    Left of right and lower below upper only if the raster counts that way.
    """
    from craterkit.plotting.frames import Box

    t = frame.grid.transform
    if t.b != 0 or t.d != 0:
        return None
    x, y = frame.from_pixels(
        [window.col_start, window.col_stop], [window.row_stop, window.row_start]
    )
    return Box(float(x[0]), float(x[1]), float(y[0]), float(y[1]))


def _thinned(raster: Raster, band: Band, window: Window, shape: tuple[int, int]) -> Any:  # noqa: ANN401
    """A masked array of physical values, evenly spaced pixels of a window."""
    raw, missing = read_thinned(raster, band, window, shape)
    lacks = np.zeros(shape, dtype=np.bool_) if missing is None else missing
    return np.ma.MaskedArray(band.physical(raw) if band.is_scaled else raw, lacks)


def with_nodata(bands: Sequence[Band], nodata: float | None) -> list[Band]:
    """The bands with another value that stands for no data."""
    if nodata is None:
        return list(bands)
    return [band.with_nodata(nodata) for band in bands]
