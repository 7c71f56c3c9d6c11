"""Where pixels lie by their label, where GDAL's reading of it differs.

GDAL's drivers pass over some of what labels say:

- Latitudes of a map on the sphere of the equatorial radius may be planetographic ones of the ellipsoid
  (`LatitudeType`, `COORDINATE_SYSTEM_NAME`, `latitude_type`): on Mars up to 20 km apart.
- ISIS projects polar stereographic maps from the ellipsoid, with planetographic latitudes, whatever the
  label counts (isis/src/base/objs/PolarStereographic/PolarStereographic.cpp). GDAL takes the sphere of the
  polar radius for planetocentric ones: 180 m apart on Ceres at 65°.
- Longitudes may be counted westward. The drivers for ISIS3, PDS3 and VICAR then read the central meridian
  as an east longitude (that for PDS4 does not).
- The line and sample of the projection's origin (`LINE_PROJECTION_OFFSET`, `SAMPLE_PROJECTION_OFFSET`) count
  from the centre of the first pixel for GDAL; products exist in which they count from 1, or have the other
  sign. The bounds in the same label tell which.
- Numbers in quotes count as 0 for the driver for PDS3, and sizes of pixels in some units as kilometres. A size
  that was rounded puts the ends of a large map pixels off, where the resolution beside it is exact.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from craterkit.bodies import planetographic_to_planetocentric
from craterkit.errors import CRSError
from craterkit.rasters.planetary_labels import CENTRE, ISIS, OFFSETS, PDS4

if TYPE_CHECKING:
    from affine import Affine

    from craterkit.coordinates import CoordinateSystem
    from craterkit.rasters.planetary_labels import Label

__all__ = ["corrected_system", "corrected_transform", "stretched"]

#: How far bounds may be from a raster's own edges, in pixels, if they are its edges at all: if they lie as
#: far apart as these, but for `SPAN_PX`.
EDGE_PX, SPAN_PX = 0.25, 0.1

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
    is_sphere = system.a == system.b
    a, b = label.radii or (system.body.a, system.body.b)
    projection = system.projection or ""
    if a != b and is_sphere and label.latitude_type == "planetographic":
        system = replace(system, latitude_type="planetographic", a=a, b=b)
    elif a != b and is_sphere and label.kind == ISIS and "+proj=stere" in projection:
        formulas = re.sub(r"\+(R|a|b)=\S+", "", projection) + f" +a={a!r} +b={b!r}"
        system = replace(
            system, latitude_type="planetographic", a=a, b=b, projection=" ".join(formulas.split())
        )
    quoted = label.has_quoted(*CENTRE)
    if not projection or not (label.counts_westward or quoted):
        return system
    stated = label.centre_longitude or 0.0
    if "+proj=ob_tran" in projection:
        # Its lon_0 is the meridian of its pole, whose sign the driver for PDS3 has right.
        if label.kind == ISIS and label.counts_westward:
            raise CRSError(
                "its label counts longitudes westward, and GDAL takes those of the pole of its oblique "
                "map for eastward ones; pass the right CRS as raster_crs="
            )
        return system
    found = re.search(r"\+lon_0=(\S+)", projection)
    read, east = float(found[1]) if found else 0.0, -stated if label.counts_westward else stated
    if _same_meridian(read, east):
        return system
    if not _same_meridian(read, 0.0 if quoted else stated):
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
    transform : affine.Affine
        What GDAL makes of it, in metres.
    """
    from affine import Affine

    size, offsets = label.pixel_size, label.offsets
    if size is None or offsets is None or transform.b != 0 or transform.d != 0:
        return transform
    ratio = abs(transform.a) / size
    if 0.5 < ratio < 2.0 and not label.has_quoted("MAP_SCALE", *OFFSETS):
        return _resized(transform, 1.0 / ratio)
    row, column = offsets[0] + 0.5, offsets[1] + 0.5
    return Affine(size, 0.0, -column * size, 0.0, -size, row * size)


def _resized(t: Affine, factor: float) -> Affine:
    """A transform with other sizes of pixels about the origin of its coordinates."""
    from affine import Affine

    return Affine(*(factor * number for number in (t.a, t.b, t.c, t.d, t.e, t.f)))


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
    bases = [transform]
    if label.resolved_size and 0.99 < abs(transform.a) / label.resolved_size < 1.01:
        bases.append(_resized(transform, label.resolved_size / abs(transform.a)))
    readings = {
        base: [_sides(label, bounds, shape, base, system) for bounds in _readings(label)]
        for base in bases
    }
    places = [(base, shift) for base in bases for shift in [(0.0, 0.0), *_shifts(label, base)]]
    for base, shift in places:
        if any(all(side.is_edge(shift) for side in sides) for sides in readings[base]):
            return _further(base, *shift)
    for base, shift in places:
        if any(all(side.agrees(shift) for side in sides) for sides in readings[base]):
            return _further(base, *shift)
    wrong = next(side for side in readings[transform][0] if not side.agrees((0.0, 0.0)))
    west, east, south, north = label.bounds
    raise CRSError(
        f"the bounds in its label (longitude {west:g} to {east:g}, latitude {south:g} to {north:g}) are "
        f"{wrong.axis} {wrong.first:.2f} to {wrong.last:.2f} of its map as GDAL places it, which has "
        f"{wrong.axis} 0 to {wrong.size}; pass the right place as transform= (and raster_crs=)"
    )


def _readings(label: Label) -> list[tuple[float, float, float, float]]:
    """East-positive bounds as a label may mean them: westward, the least may be called the westernmost."""
    assert label.bounds is not None
    west, east, south, north = label.bounds
    if not label.counts_westward:
        return [label.bounds]
    return [(-west, -east, south, north), (-east, -west, south, north)]


@dataclass(frozen=True)
class _Side:
    """Pixel coordinates of bounds along one axis of a raster.

    Attributes
    ----------
    axis : str
        ``"rows"`` or ``"columns"``.
    first, last : float
        The bounds.
    size : int
        Pixels along the axis.
    rounding : float
        How far the bounds may be off by their last digit, in pixels.
    turn : float
        Pixels after which the raster repeats itself.
    whole : float
        Pixels in a degree, if both the label and the map begin at whole degrees, else 0.
    """

    axis: str
    first: float
    last: float
    size: int
    rounding: float
    turn: float = np.inf
    whole: float = 0.0

    def is_edge(self, shift: tuple[float, float]) -> bool:
        """Whether they are the edges of the raster if that lies so many columns and rows further on."""
        before, after = self._gaps(shift)
        if self.last - self.first >= self.turn - SPAN_PX and self.size >= self.turn - 0.5:
            # Once around, wherever the label begins: at most parts of a degree tell.
            part = before - self.whole * np.round(before / self.whole) if self.whole else 0.0
            return abs(part) <= EDGE_PX
        return abs(before + after) <= SPAN_PX and abs(before - after) / 2.0 <= EDGE_PX

    def agrees(self, shift: tuple[float, float]) -> bool:
        """Whether they are the edges, or lie inside as those of the data alone, or around as rounded ones."""
        before, after = self._gaps(shift)
        rough = before * after >= 0.0 or min(abs(before), abs(after)) <= max(1.0, self.rounding)
        return self.is_edge(shift) or (rough and abs(before + after) > SPAN_PX)

    def _gaps(self, shift: tuple[float, float]) -> tuple[float, float]:
        """Pixels before the first bound and after the last one; negative where these stick out."""
        further = shift[0 if self.axis == "columns" else 1]
        return self.first - further, self.size - self.last + further


def _sides(
    label: Label,
    bounds: tuple[float, float, float, float],
    shape: tuple[int, int],
    transform: Affine,
    system: CoordinateSystem,
) -> list[_Side]:
    """Rows, where they are parallels, and columns, where they are meridians, of east-positive bounds."""
    west, east, south, north = bounds
    latitudes = np.array([south, north])
    if label.latitude_type == "planetographic" and label.radii is not None:
        latitudes = planetographic_to_planetocentric(latitudes, *label.radii)
    centre = label.centre_longitude or 0.0
    centre = -centre if label.counts_westward else centre
    back = ~transform
    lon = np.array([centre, centre, centre + PROBE, centre + PROBE])
    x, y = system.from_body(lon, np.concatenate([latitudes, latitudes]))
    columns, rows = back.a * x + back.b * y + back.c, back.d * x + back.e * y + back.f
    if not np.isfinite([columns, rows]).all() or np.abs(rows[:2] - rows[2:]).max() > SPAN_PX:
        return []
    # The last digit of the bounds, in degrees.
    digit = 10.0 ** -max(len(repr(float(bound)).partition(".")[2].rstrip("0")) for bound in bounds)
    high = abs(float(rows[1] - rows[0])) / max(abs(north - south), 1e-9)
    top, bottom = sorted(map(float, rows[:2]))
    sides = [_Side("rows", top, bottom, shape[0], 0.5 * digit * high)]
    step = float(columns[2] - columns[0]) / PROBE
    if abs(columns[2] - columns[3]) <= SPAN_PX and step > 0:
        width = (east - west) % 360.0 or 360.0
        first = float(columns[0]) + step * (west - centre)
        turn = 360.0 * step
        # The turn that brings the middle of the bounds next to that of the raster.
        first -= turn * np.round((first + step * width / 2.0 - shape[1] / 2.0) / turn)
        last = first + step * width
        whole = step if west.is_integer() and float(centre).is_integer() else 0.0
        sides.append(_Side("columns", first, last, shape[1], 0.5 * digit * step, turn, whole))
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
