"""Whether a grid can lie on its body at all, as far as that is certain.

Metres taken for degrees, or millimetres for metres, put rows beyond the poles or make pixels larger
than the body. A map that is merely odd passes: mosaics go round a body twice, maps of its pole show
space around it, and a map in kilometres that is taken for metres is a small one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from craterkit.errors import CRSError

if TYPE_CHECKING:
    from craterkit.coordinates import CoordinateSystem
    from craterkit.grids.cylindrical import CylindricalGrid
    from craterkit.grids.projected import ProjectedGrid

__all__ = ["check_cylindrical", "check_projected", "way_out"]

#: Pixels by which rows may exceed a pole. Half a pixel is common: the centres of the rows at the ends lie on
#: the poles then.
OVERHANG_PX = 1.0 - 1e-3

#: Turns from the prime meridian that no map exceeds.
TURNS = 3.0


def check_cylindrical(grid: CylindricalGrid) -> None:
    """Raise if a row lies beyond a pole, a pixel is larger than the body, or columns go round it many times.

    Raises
    ------
    CRSError
        Says where the pixels would lie.
    """
    height, width = grid.shape
    south, north = grid.pole_rows
    low, high = min(south, north), max(south, north)
    lon, _ = grid.to_body(np.array([0.0, width]), min(max(height / 2, low), high))
    if (
        max(low, height - high) < OVERHANG_PX
        and min(high - low, grid.period) > OVERHANG_PX
        and np.abs(lon).max() <= TURNS * 360.0
    ):
        return
    where = f"longitude {lon[0]:.7g} to {lon[1]:.7g}"
    if np.isfinite(high - low):
        lat = 90.0 - 180.0 * (np.array([0.0, height]) - north) / (south - north)
        where = f"latitude {lat[0]:.7g} to {lat[1]:.7g}, and from {where}"
    raise CRSError(
        f"{grid.name}: its pixels would lie from {where} (coordinates: {grid.system}); "
        f"{way_out(grid.system)}"
    )


def check_projected(grid: ProjectedGrid) -> None:
    """Raise if a pixel is larger than the body, or degrees go round it many times.

    Raises
    ------
    CRSError
        Says how large it would be.
    """
    system, t = grid.system, grid.transform
    if system.is_geographic:
        around, reach = 360.0 / system.degrees_per_unit, np.abs(grid.bounds).max()
    else:
        metres = 1.0 if system.crs is None else system.crs.axis_info[0].unit_conversion_factor
        around, reach = 2.0 * np.pi * grid.body.a / metres, 0.0
    side = float(np.hypot([t.a, t.b], [t.d, t.e]).max())
    if side > around or reach > TURNS * around:
        raise CRSError(
            f"{grid.name}: its pixels would be {side:.10g} wide or high and lie in {grid.bounds_text}, but "
            f"{grid.body.name} is {around:.10g} round (coordinates: {system}); {way_out(system)}"
        )


def way_out(system: CoordinateSystem) -> str:
    """What to pass for a raster that cannot lie on its body."""
    if system.is_geographic:
        return (
            "if its coordinates are metres, pass a projected CRS as raster_crs=; if its affine "
            "transform is wrong, the right one as transform="
        )
    return (
        "its CRS, its affine transform or the unit of one of them is wrong: pass the right CRS as "
        "raster_crs=, or the right transform as transform="
    )
