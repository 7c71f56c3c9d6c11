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
from craterkit.rasters.planetary_labels import CENTRE, OFFSETS, PDS4

if TYPE_CHECKING:
    from affine import Affine

    from craterkit.coordinates import CoordinateSystem
    from craterkit.rasters.planetary_labels import Label

__all__ = ["corrected_system", "corrected_transform", "stretched"]

#: How far bounds may be from a raster's own edges, in pixels, if they are its edges at all: if they lie as
#: far apart as these, but for `SPAN_PX`.
EDGE_PX, SPAN_PX = 0.25, 0.1

#: The least share of a raster within the bounds of its label; these may be rounded, or of the data alone.
OVERLAP = 0.5

#: Degrees east of the central meridian where rows and columns are probed.
PROBE = 10.0

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


def corrected_transform(
    label: Label, shape: tuple[int, int], transform: Affine, system: CoordinateSystem
) -> Affine:
    """The affine transform as the bounds in the label have it.

    Parameters
    ----------
    label : Label
        The label.
    shape : tuple of int
        Rows and columns.
    transform : affine.Affine
        Where GDAL puts the pixels.
    system : CoordinateSystem
        What its coordinates are.

    Raises
    ------
    CRSError
        If the bounds contradict that place, and no known convention explains how.
    """
    if label.bounds is None or label.shape not in (None, shape):
        return transform
    sides = _sides(label, shape, transform, system)
    if all(side.agrees(0.0) for side in sides):
        return transform
    for columns, rows in _shifts(label, transform):
        if all(side.agrees({"columns": columns, "rows": rows}[side.axis]) for side in sides):
            return _further(transform, columns, rows)
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


def _sides(
    label: Label, shape: tuple[int, int], transform: Affine, system: CoordinateSystem
) -> list[_Side]:
    """Rows, where they are parallels, and columns, where they are meridians, of the label's bounds."""
    assert label.bounds is not None
    west, east, south, north = label.bounds
    latitudes = np.array([south, north])
    if label.latitude_type == "planetographic" and label.radii is not None:
        latitudes = planetographic_to_planetocentric(latitudes, *label.radii)
    centre = label.centre_longitude or 0.0
    if label.counts_westward:
        west, east, centre = -west, -east, -centre
    back = ~transform
    aside = centre + PROBE
    lon = np.array([centre, centre, aside, aside])
    lat = np.concatenate([latitudes, latitudes])
    x, y = system.from_body(lon, lat)
    columns, rows = back.a * x + back.b * y + back.c, back.d * x + back.e * y + back.f
    if not np.isfinite([columns, rows]).all() or np.abs(rows[:2] - rows[2:]).max() > SPAN_PX:
        return []
    sides = [_Side("rows", float(rows[0]), float(rows[1]), shape[0])]
    if abs(columns[2] - columns[3]) <= SPAN_PX:
        step = float(columns[2] - columns[0]) / PROBE
        width = (east - west) % 360.0 or 360.0
        middle = columns[0] + step * (west + width / 2.0 - centre)
        period = 360.0 * step
        middle -= period * np.round((middle - shape[1] / 2.0) / period)
        half = step * width / 2.0
        sides.append(_Side("columns", float(middle - half), float(middle + half), shape[1]))
    return sides


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
