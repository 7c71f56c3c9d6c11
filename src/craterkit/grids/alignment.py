"""Whether two rasters share one grid, and where the pixels of one lie on the other."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from craterkit.grids.base import TIE_PX

if TYPE_CHECKING:
    from affine import Affine
    from numpy.typing import NDArray

    from craterkit.grids.base import Grid

    Floats = NDArray[np.float64]
    Ints = NDArray[np.intp]

__all__ = ["grid_difference", "nearest_pixels", "same_grid", "transform_difference"]

#: How far, in pixels, two transforms may put the same pixel apart: what rounded georeferencing does.
TRANSFORM_PX = 1e-3

#: How far, in pixels, two coordinate systems may put the same coordinates apart on the ground.
GROUND_PX = 1e-3

#: Points along each side at which coordinate systems are compared.
PROBES = 17


def grid_difference(grid: Grid, other: Grid) -> str:
    """Say how the grid of another raster differs from `grid`; an empty string if it does not.

    The two may name their coordinate systems differently, as long as both mean the same ground.
    """
    if other.shape != grid.shape:
        return f"it has {_size(other)} pixels, not {_size(grid)}"
    apart = _ground_apart(grid, other)
    if apart > GROUND_PX:
        by = f": the same coordinates lie up to {apart:.3g} pixels apart" if apart < np.inf else ""
        return f"its coordinates are {other.system}, not {grid.system}{by}"
    return transform_difference(grid.transform, other.transform, grid.shape)


def transform_difference(transform: Affine, other: Affine, shape: tuple[int, int]) -> str:
    """Say how far another affine transform puts pixels elsewhere; an empty string if it does not."""
    if transform == other:
        return ""
    height, width = shape
    corners = np.array([0.0, width, 0.0, width]), np.array([0.0, 0.0, height, height])
    shift = np.inf
    if not transform.is_degenerate:
        back = _apply(~transform, *_apply(other, *corners))
        shift = float(np.hypot(back[0] - corners[0], back[1] - corners[1]).max())
    if not shift <= TRANSFORM_PX:
        return f"its affine transform puts pixels up to {shift:.3g} pixels elsewhere"
    return ""


def same_grid(grid: Grid, other: Grid) -> bool:
    """Whether footprints on one grid are those on the other, to the last digit."""
    return grid.transform == other.transform and not grid_difference(grid, other)


def _apply(transform: Affine, x: Floats, y: Floats) -> tuple[Floats, Floats]:
    t = transform
    return t.a * x + t.b * y + t.c, t.d * x + t.e * y + t.f


def _size(grid: Grid) -> str:
    return f"{grid.shape[0]} x {grid.shape[1]}"


def _ground_apart(grid: Grid, other: Grid) -> float:
    """How far the other's coordinate system puts the coordinates of pixels of `grid`, in pixels."""
    if grid.system is other.system or replace(grid.system, crs=None) == replace(
        other.system, crs=None
    ):
        return 0.0
    height, width = grid.shape
    columns, rows = np.meshgrid(
        np.linspace(0.5, width - 0.5, PROBES), np.linspace(0.5, height - 0.5, PROBES)
    )
    x, y = _apply(grid.transform, columns, rows)
    own_lon, own_lat = grid.system.to_body(x, y)
    lon, lat = other.system.to_body(x, y)
    if (np.isfinite(own_lon) != np.isfinite(lon)).any():
        return np.inf
    known = np.isfinite(lon)
    own = np.stack(grid.to_pixels(own_lon[known], own_lat[known]))
    theirs = np.stack(grid.to_pixels(lon[known], lat[known]))
    step = theirs - own
    if np.isfinite(grid.period):
        step[0] -= grid.period * np.round(step[0] / grid.period)
    return float(np.nan_to_num(np.hypot(*step), nan=np.inf).max(initial=0.0))


def nearest_pixels(grid: Grid, row: Ints, column: Ints, other: Grid) -> tuple[Ints, Ints]:
    """Row and column on `other` of the pixel in which the centre of each pixel of `grid` lies.

    Both are −1 where that is off the raster. A centre on a border counts to the pixel behind it.
    """
    lon, lat = grid.to_body(column + 0.5, row + 0.5)
    x, y = other.to_pixels(lon, lat)
    with np.errstate(invalid="ignore"):
        x, y = x + TIE_PX, y + TIE_PX
        if np.isfinite(other.period):
            x = np.mod(x, other.period)
        on = (x >= 0) & (x < other.columns) & (y >= 0) & (y < other.shape[0])
    on[on] = ~other.misplaces(lon[on], lat[on], x[on] - TIE_PX, y[on] - TIE_PX)
    inside = np.where(on, [y, x], -1.0)
    return inside[0].astype(np.int32), inside[1].astype(np.int32)
