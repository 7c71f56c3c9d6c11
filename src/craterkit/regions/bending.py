"""Vertices where a map bends curves and edges: near the poles of maps that draw them out into arcs."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry

    from craterkit.regions.drawing import Rings
    from craterkit.regions.map_sheets import CutSheet

    Floats = NDArray[np.float64]
    Bools = NDArray[np.bool_]

__all__ = ["bends", "bent"]

#: Largest triangle of three successive vertices of a curve on a map, as a share of its area. It is 1.5e-4 for
#: those of a small circle, of which there are 64.
LARGEST_TRIANGLE = 3e-4

#: Largest triangle of a straight edge and its middle on a map, as a share of a shape's area, and how often
#: edges are halved.
LARGEST_SHARE, HALVINGS = 1e-5, 12


def bends(sheet: CutSheet, rings: Rings) -> Bools:
    """After which vertices of rings more are needed for chords to follow the curve on a map.

    Those where the triangle with the two neighbours is a large share of the area.

    Parameters
    ----------
    sheet : CutSheet
        The map's.
    rings : Rings
        n rings of k vertices.

    Returns
    -------
    (n, k) ndarray of bool
        Whether the step from a vertex to the next is to be divided.
    """
    # Rings run on past the cut, and so does the map.
    system = replace(sheet.system, projection=f"{sheet.system.projection} +over")
    turn = 360.0 * rings.turn[:, None]
    lon = np.hstack([rings.lon[:, -1:] - turn, rings.lon, rings.lon[:, :1] + turn])
    lat = np.hstack([rings.lat[:, -1:], rings.lat, rings.lat[:, :1]])
    place = np.stack(system.from_body(lon, lat))
    step = np.diff(place, axis=2)
    triangle = np.abs(_cross(step[..., :-1], step[..., 1:])) / 2.0
    # A ring around a pole encloses what lies between it and that.
    pole = np.stack(system.from_body(lon, np.broadcast_to(np.copysign(90.0, -turn), lon.shape)))
    quads = _cross(place[..., 2:] - pole[..., 1:-1], place[..., 1:-1] - pole[..., 2:])
    start = place[..., 1:2]
    closed = _cross(place[..., 1:-1] - start, place[..., 2:] - start)
    area = np.abs(np.where(turn == 0, closed, quads).sum(axis=1, keepdims=True)) / 2.0
    with np.errstate(invalid="ignore"):
        sharp = triangle > LARGEST_TRIANGLE * area
    return np.asarray(sharp | np.roll(sharp, -1, axis=1))


def bent(shape: BaseGeometry, sheet: CutSheet) -> BaseGeometry:
    """A shape with vertices added until its edges, straight in longitude and latitude, are so on a map.

    Parameters
    ----------
    shape : Polygon or MultiPolygon
        In longitude and latitude between the sides of the sheet's cut.
    sheet : CutSheet
        The map's.
    """
    import shapely

    if shape.is_empty:
        return shape

    def placed(points: Floats) -> Floats:
        return np.stack(sheet.to_map(*points.T), axis=1)

    area = shapely.area(shapely.transform(shape, placed))

    def divided(ring: BaseGeometry) -> Floats:
        points: Floats = shapely.get_coordinates(ring)
        for _ in range(HALVINGS):
            middle = (points[1:] + points[:-1]) / 2.0
            corner = placed(points).T
            triangle = np.abs(_cross(placed(middle).T - corner[:, :-1], np.diff(corner))) / 2.0
            off = np.flatnonzero(triangle > LARGEST_SHARE * area)
            if not off.size:
                break
            points = np.insert(points, off + 1, middle[off], axis=0)
        return points

    parts = []
    for part in shapely.get_parts(shape):
        shell, *holes = (divided(ring) for ring in shapely.get_rings(part))
        parts.append(shapely.Polygon(shell, holes))
    return parts[0] if len(parts) == 1 else shapely.MultiPolygon(parts)


def _cross(one: Floats, other: Floats) -> Floats:
    return np.asarray(one[0] * other[1] - one[1] * other[0])
