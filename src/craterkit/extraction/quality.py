"""Quality flags of all ROIs over one raster."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import numpy as np

from craterkit.flags import Flag
from craterkit.geodesy import inverse
from craterkit.grids.cylindrical import CylindricalGrid
from craterkit.regions import ChosenPixels, Polygons

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from craterkit.footprints.joined import JoinedRegions
    from craterkit.grids.base import Grid
    from craterkit.regions import Region, RoundRegion
    from craterkit.statistics.moments import Moments
    from craterkit.tables.features import Features

    Bools = NDArray[np.bool_]
    Floats = NDArray[np.float64]
    Flags = NDArray[np.int64]

__all__ = ["data_flags", "place_flags"]

#: An ROI that reaches fewer pixels than this has few.
FEW = 3.0

#: By how many columns an ROI may stick out by rounding alone.
ROUNDING_PX = 1e-6


def place_flags(
    grid: Grid,
    features: Features,
    regions: Sequence[Region],
    rois: JoinedRegions,
    outside: Bools,
) -> Flags:
    """Flags that follow from where the ROIs lie, whatever the raster's pixels hold."""
    low, high = rois.columns()
    flags = np.zeros(len(rois), dtype=np.int64)
    reached = ~outside
    flags[outside] |= Flag.OUTSIDE
    beyond = _beyond_rows(grid, rois) | _beyond_columns(grid, low, high)
    flags[reached & np.where(rois.torn, rois.leaves, beyond)] |= Flag.PARTLY_OUTSIDE
    crosses = rois.torn
    if grid.wraps:
        crosses = crosses | (low < -ROUNDING_PX) | (high > grid.extent + ROUNDING_PX)
    flags[reached & crosses] |= Flag.CROSSES_SEAM
    for number, region in enumerate(regions):
        own = slice(number * len(features), (number + 1) * len(features))
        if isinstance(region, ChosenPixels):
            width, seam = _chosen_columns(region, low[own], high[own])
            flags[own] |= np.where(seam, Flag.CROSSES_SEAM, 0)
            at_pole = _chosen_at_poles(region)
            size = np.maximum(np.ptp(rois.rows[own], axis=1), width) / 2.0
        elif isinstance(region, Polygons):
            at_pole = _polygons_at_poles(region)
            size = np.maximum(np.ptp(rois.rows[own], axis=1), high[own] - low[own]) / 2.0
        else:
            reach = cast("RoundRegion", region).reach(features.radius)
            to_pole, _ = inverse(
                grid.body, features.lon, features.lat, features.lon, np.copysign(90.0, features.lat)
            )
            at_pole = to_pole <= reach
            with np.errstate(divide="ignore", invalid="ignore"):
                size = reach / _pixel_side(grid, features)
        flags[own] |= np.where(at_pole, Flag.TOUCHES_POLE, 0)
        flags[own] |= np.where((size < FEW) & reached[own], Flag.FEW_PIXELS, 0)
    return flags


def _chosen_columns(region: ChosenPixels, low: Floats, high: Floats) -> tuple[Floats, Bools]:
    """Columns from the first to the last pixel of each ROI, across the seam if it lies on both sides."""
    grid, spans = region.grid, region.spans
    width = high - low
    seam = grid.wraps & (low == 0) & (high == grid.columns) & (width > 0)
    if seam.any():
        west = np.zeros(region.size)
        east = np.full(region.size, float(grid.columns))
        left = spans.start < grid.columns // 2
        np.maximum.at(west, spans.roi[left], spans.stop[left])
        np.minimum.at(east, spans.roi[~left], spans.start[~left])
        width = np.where(seam, np.minimum(west + grid.columns - east, grid.columns), width)
    return width, seam


def _chosen_at_poles(region: ChosenPixels) -> Bools:
    """Which ROIs have a pixel in or at whose edge a pole lies."""
    grid, spans = region.grid, region.spans
    found = np.zeros(spans.roi.size, dtype=np.bool_)
    with np.errstate(invalid="ignore"):
        for x, y in zip(*grid.to_pixels([0.0, 0.0], [90.0, -90.0]), strict=True):
            at = (spans.row <= y + ROUNDING_PX) & (spans.row + 1 >= y - ROUNDING_PX)
            if not isinstance(grid, CylindricalGrid):
                # Elsewhere than on a map whose rows are parallels a pole is a point.
                at &= (spans.start <= x + ROUNDING_PX) & (spans.stop >= x - ROUNDING_PX)
            found |= at
    return np.bincount(spans.roi[found], minlength=region.size) > 0


def _beyond_rows(grid: Grid, rois: JoinedRegions) -> Bools:
    top, bottom = rois.rows.T
    above, below = top < 0, bottom > grid.shape[0]
    if isinstance(grid, CylindricalGrid):
        # Past a pole there is no ground that the raster could lack.
        past = grid.beyond_poles([-0.5, grid.shape[0] + 0.5])
        above, below = above & ~past[0], below & ~past[1]
    return np.asarray(above | below)


def _beyond_columns(grid: Grid, low: Floats, high: Floats) -> Bools:
    if grid.wraps:
        return np.zeros(low.size, dtype=np.bool_)
    within = np.zeros(low.size, dtype=np.bool_)
    for turn in (0.0, grid.period, -grid.period) if np.isfinite(grid.period) else (0.0,):
        within |= (low + turn >= -ROUNDING_PX) & (high + turn <= grid.columns + ROUNDING_PX)
    return ~within


def _pixel_side(grid: Grid, features: Features) -> Floats:
    """Side of the pixel at each feature's centre (the nearest one if that is off the raster), metres."""
    x, y = grid.to_pixels(features.lon, features.lat)
    row = np.clip(np.nan_to_num(np.floor(y)), 0, grid.shape[0] - 1).astype(np.intp)
    column = np.clip(np.nan_to_num(np.floor(x)), 0, grid.columns - 1).astype(np.intp)
    return np.sqrt(grid.areas_at(row, column))


def _polygons_at_poles(region: Polygons) -> Bools:
    import shapely

    _, south, _, north = shapely.bounds(region.geometries).T
    with np.errstate(invalid="ignore"):
        return np.asarray((south <= -90.0) | (north >= 90.0))


def data_flags(moments: Moments, outside: Bools, below: Bools | None, unread: Bools) -> Flags:
    """Flags that follow from the pixels of one band.

    `below` is whose valid fraction is too low, `unread` who has pixels that could not be read.
    """
    pixels, count = moments.pixels, moments.count
    flags = np.where(~outside & (pixels == 0), Flag.NO_PIXELS, 0).astype(np.int64)
    flags |= np.where((pixels > 0) & (count == 0), Flag.ALL_MASKED, 0)
    flags |= np.where((count > 0) & (count < pixels), Flag.SOME_MASKED, 0)
    if below is not None:
        flags |= np.where(below, Flag.BELOW_MIN_VALID, 0)
    flags |= np.where(unread, Flag.UNREADABLE, 0)
    return flags
