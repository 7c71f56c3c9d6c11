"""Where pixels lie by their label, where GDAL's reading of it differs.

GDAL's drivers pass over some of what labels say:

- Latitudes of a map on the sphere of the equatorial radius may be planetographic ones of the ellipsoid
  (`LatitudeType`, `COORDINATE_SYSTEM_NAME`, `latitude_type`): on Mars up to 20 km apart.
- Longitudes may be counted westward. The drivers for ISIS3, PDS3 and VICAR then read the central meridian
  as an east longitude (that for PDS4 does not).
- The line and sample of the projection's origin (`LINE_PROJECTION_OFFSET`, `SAMPLE_PROJECTION_OFFSET`) count
  from the centre of the first pixel for GDAL; products exist in which they count from 1, or have the other
  sign. The bounds in the same label tell which.
- Numbers in quotes count as 0 for the driver for PDS3, and sizes of pixels in some units as kilometres.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from craterkit.bodies import planetographic_to_planetocentric
from craterkit.errors import CRSError
from craterkit.grids.cylindrical import CylindricalGrid
from craterkit.rasters.label_values import text
from craterkit.rasters.planetary_labels import CENTRE, OFFSETS, PDS4

if TYPE_CHECKING:
    from affine import Affine

    from craterkit.coordinates import CoordinateSystem
    from craterkit.grids.base import Grid
    from craterkit.rasters.planetary_labels import Label

__all__ = ["corrected_system", "corrected_transform", "stretched"]

#: How far bounds may be from a raster's own edges, in pixels, if they are its edges at all: if they lie as
#: far apart as these, but for `SPAN_PX`.
EDGE_PX, SPAN_PX = 0.25, 0.1

#: The least share of a raster within the bounds of its label; these may be rounded, or of the data alone.
OVERLAP = 0.5

#: What offsets may count from: their sign, and the pixel coordinate of offset 0 (the centre of the first
#: pixel, one pixel before that, the corner).
COUNTS = [(sign, start) for sign in (1, -1) for start in (0.5, -0.5, 0.0)]


def corrected_system(label: Label, system: CoordinateSystem) -> CoordinateSystem:
    """The coordinate system as the label means it.

    Parameters
    ----------
    label : Label
        The label.
    system : CoordinateSystem
        What GDAL makes of it.

    Raises
    ------
    CRSError
        If the label declares something that is not understood, or another central meridian.
    """
    radii = label.radii or (system.body.a, system.body.b)
    if label.latitude_type == "planetographic" and system.a == system.b != radii[1] != radii[0]:
        system = replace(system, latitude_type="planetographic", a=radii[0], b=radii[1])
    found = re.search(r"\+lon_0=(\S+)", system.projection or "")
    if system.projection is None or not (label.counts_westward or label.has_quoted(*CENTRE)):
        return system
    read, stated = float(found[1]) if found else 0.0, label.centre_longitude or 0.0
    east = -stated if label.counts_westward else stated
    if _same_meridian(read, east):
        return system
    if not _same_meridian(read, 0.0 if label.has_quoted(*CENTRE) else stated):
        raise CRSError(
            f"its label has the central meridian {stated:g}, which is {east:g} east, but its CRS has "
            f"lon_0={read:g}; pass the right one as raster_crs="
        )
    return replace(system, longitude_shift=system.longitude_shift + east - read)


def _same_meridian(one: float, other: float) -> bool:
    return abs((one - other + 180.0) % 360.0 - 180.0) < 1e-6


def stretched(label: Label, transform: Affine) -> Affine:
    """The transform with the label's size of a pixel and origin, where GDAL misread them.

    Parameters
    ----------
    label : Label
        The label.
    transform : Affine
        What GDAL makes of it, in metres.
    """
    from affine import Affine

    size, offsets = label.pixel_size, label.offsets
    if size is None or offsets is None:
        return transform
    if 0.5 < abs(transform.a) / size < 2.0 and not label.has_quoted("MAP_SCALE", *OFFSETS):
        return transform
    row, column = offsets[0] + 0.5, offsets[1] + 0.5
    return Affine(size, 0.0, -column * size, 0.0, -size, row * size)


def corrected_transform(label: Label, grid: Grid) -> Affine:
    """The affine transform of a grid as the bounds in its label have it.

    Parameters
    ----------
    label : Label
        The label.
    grid : Grid
        Where GDAL puts the pixels, in the right coordinate system.

    Raises
    ------
    CRSError
        If the bounds contradict that place, and no known convention explains how.
    """
    if label.shape not in (None, grid.shape) or label.bounds is None:
        return grid.transform
    sides = _sides(label, grid)
    if all(side.agrees(0.0) for side in sides):
        return grid.transform
    for columns, rows in _shifts(label, grid.transform):
        if all(side.agrees({"columns": columns, "rows": rows}[side.axis]) for side in sides):
            return _further(grid.transform, columns, rows)
    wrong = next(side for side in sides if not side.agrees(0.0))
    west, east, south, north = label.bounds
    raise CRSError(
        f"the bounds in its label (longitude {west:g} to {east:g}, latitude {south:g} to {north:g}) are "
        f"{wrong.axis} {wrong.first:.2f} to {wrong.last:.2f} of its map as GDAL places it, which has "
        f"{wrong.axis} 0 to {wrong.size}; pass the right place as transform= (and raster_crs=)"
    )


class _Side:
    """Pixel coordinates of bounds along one axis of a raster."""

    def __init__(self, axis: str, first: float, last: float, size: int) -> None:
        self.axis, self.size = axis, size
        self.first, self.last = sorted((first, last))

    def agrees(self, shift: float) -> bool:
        """Whether they fit the raster if that lies so many pixels further on."""
        first, last = self.first - shift, self.last - shift
        if abs(last - first - self.size) <= SPAN_PX:
            return abs(first + last - self.size) / 2.0 <= EDGE_PX
        shared = min(last, self.size) - max(first, 0.0)
        return shared >= OVERLAP * min(last - first, self.size)


def _sides(label: Label, grid: Grid) -> list[_Side]:
    """Rows, where they are parallels, and columns, where they are meridians, of the label's bounds."""
    assert label.bounds is not None
    west, east, south, north = label.bounds
    latitudes = np.array([south, north])
    if label.latitude_type == "planetographic" and label.radii is not None:
        latitudes = planetographic_to_planetocentric(latitudes, *label.radii)
    if label.counts_westward:
        west, east = -west, -east
    width = (east - west) % 360.0 or 360.0
    middle = west + width / 2.0
    height, columns = grid.shape
    projection = text(label.get("MAP_PROJECTION_TYPE", "map_projection_name"))
    if isinstance(grid, CylindricalGrid):
        wide = width * abs(grid.columns_per_degree)
        x = float(grid.column_of(middle)) - columns / 2.0
        x -= grid.period * np.round(x / grid.period)
        x += columns / 2.0
        rows = grid.row_of(latitudes)
        return [
            _Side("columns", x - wide / 2.0, x + wide / 2.0, columns),
            _Side("rows", float(rows[0]), float(rows[1]), height),
        ]
    if "SINUSOIDAL" in projection.upper() and label.centre_longitude is not None:
        centre = -label.centre_longitude if label.counts_westward else label.centre_longitude
        _, rows = grid.to_pixels(np.full(2, centre), latitudes)
        if np.isfinite(rows).all():
            return [_Side("rows", float(rows[0]), float(rows[1]), height)]
    return []


def _shifts(label: Label, transform: Affine) -> list[tuple[float, float]]:
    """By how many columns and rows further on a raster lies by other conventions than GDAL's."""
    if label.kind == PDS4:
        return [(-0.5, -0.5)]  # The upper left corner is the centre of the first pixel.
    if label.offsets is None:
        return []
    line, sample = label.offsets
    origin = ~transform
    return [
        (origin.c - (sign * sample + start), origin.f - (sign * line + start))
        for sign, start in COUNTS
    ]


def _further(t: Affine, columns: float, rows: float) -> Affine:
    """A transform with its first pixel so many columns and rows further on."""
    from affine import Affine

    return Affine(
        *(t.a, t.b, t.c + t.a * columns + t.b * rows),
        *(t.d, t.e, t.f + t.d * columns + t.e * rows),
    )
