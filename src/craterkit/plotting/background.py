"""The raster behind a map: read no finer than the picture shows it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

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
    raster: Raster, grid: Grid, bands: Sequence[Band], frame: Frame, shape: tuple[int, int]
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
    """
    if len(bands) not in (1, 3):
        raise ArgumentError(
            f"band takes one band, or three that are red, green and blue, not {len(bands)}"
        )
    finer = shape[0] * FINER, shape[1] * FINER
    if isinstance(frame, DegreeFrame):
        assert isinstance(grid, CylindricalGrid)
        layers, window = _in_degrees(raster, grid, bands, frame.box, finer), Window(0, 0, 0, 0)
        box: Box | None = frame.box
    else:
        layers, window = _in_pixels(raster, grid, bands, frame, finer)
        box = _upright_box(frame, window)
    if layers is None:
        return None
    limits = [_limits(layer, band) for layer, band in zip(layers, bands, strict=True)]
    if len(bands) == 1:
        return Background(layers[0], limits[0], box, window)
    rgba = np.ones((*layers[0].shape, 4), dtype=np.float32)
    for i, (layer, (low, high)) in enumerate(zip(layers, limits, strict=True)):
        rgba[..., i] = np.clip((layer.filled(low) - low) / (high - low), 0.0, 1.0)
        rgba[..., 3] *= ~np.ma.getmaskarray(layer)
    return Background(rgba, (0.0, 1.0), box, window)


def _limits(values: Any, band: Band) -> tuple[float, float]:  # noqa: ANN401
    if band.dtype == np.uint8 and not band.is_scaled:
        return 0.0, 255.0
    known = values.compressed()
    if not known.size:
        return 0.0, 1.0
    low, high = (float(value) for value in np.percentile(known, STRETCH))
    if high > low:
        return low, high
    return low - 0.5, high + 0.5


def _in_degrees(
    raster: Raster, grid: CylindricalGrid, bands: Sequence[Band], box: Box, finer: tuple[int, int]
) -> list[Any] | None:
    """Pixels at even steps of longitude and latitude, however the raster's rows are spaced."""
    columns = abs(grid.columns_per_degree) * box.width
    rows = np.clip(grid.row_of(np.array([box.bottom, box.top])), 0, grid.shape[0])
    covered = float(np.ptp(grid.latitude(rows)))
    if not covered > 0:
        return None
    finest = float(np.ptp(rows)) / covered * box.height, columns
    count = [max(1, min(most, round(own))) for most, own in zip(finer, finest, strict=True)]
    lats = box.top - (np.arange(count[0]) + 0.5) / count[0] * box.height
    lons = box.left + (np.arange(count[1]) + 0.5) / count[1] * box.width
    row = np.floor(grid.row_of(lats)).astype(np.intp)
    column = np.floor(np.mod(grid.column_of(lons), grid.period)).astype(np.intp)
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
    thin = min(height, row.size), min(width, column.size)
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
    return [replace(band, nodata=nodata, nodata_is_exact=True) for band in bands]
