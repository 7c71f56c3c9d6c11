"""Centres and sizes of features from their outlines."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from craterkit.bodies import planetographic_to_planetocentric, wrap_longitude
from craterkit.geodesy import band_area, phi_from_lat, radii_of_curvature

if TYPE_CHECKING:
    from geopandas import GeoSeries
    from numpy.typing import NDArray
    from shapely import Polygon

    from craterkit.bodies import Body
    from craterkit.tables.row_faults import RowFaults
    from craterkit.tables.row_systems import RowSystems

    Floats = NDArray[np.float64]
    Objects = NDArray[np.object_]

__all__ = ["Outlines", "measured", "outlines_of"]

#: Longest edge, degrees, and places on an edge at which areas are summed: with these to 1e-9.
LONGEST_EDGE, PLACES = 5.0, 4

_AREAS = (3, 6)  # what shapely calls Polygon and MultiPolygon

#: Outlines that are measured at a time.
BATCH = 1 << 12


@dataclass(frozen=True, eq=False)
class Outlines:
    """Polygons on a body, their centres and the radii of circles as large.

    Attributes
    ----------
    shapes : ndarray of shapely geometries
        In planetocentric longitude and latitude, cut at ±180 degrees; empty where a row has none.
    lon, lat : ndarray of float
        Centroids on the ellipsoid, degrees; NaN where a row has none.
    radius : ndarray of float
        Metres, of the circle of the same true area.
    """

    shapes: Objects
    lon: Floats
    lat: Floats
    radius: Floats


def outlines_of(
    geometry: GeoSeries, body: Body, systems: RowSystems, rows: RowFaults, *, are_needed: bool
) -> Outlines:
    """Outlines of the features of a table.

    Parameters
    ----------
    geometry : GeoSeries
        Polygons and MultiPolygons.
    body : Body
        The body.
    systems : RowSystems
        The systems that they are in.
    rows : RowFaults
        Where rows are noted whose geometry is no valid polygon on the body.
    are_needed : bool
        Whether a row without a polygon is one of these.
    """
    import shapely

    from craterkit.regions.given_polygons import polygons_on_body

    shapes = np.array(geometry.array, dtype=object)
    for number, system in enumerate(systems.systems):
        if system.is_geographic:
            own = systems.which == number
            shapes[own] = _unwrapped(shapes[own], system.degrees_per_unit)
    absent = shapely.is_missing(shapes) | shapely.is_empty(shapes)
    which = systems.which if are_needed else np.where(absent, -1, systems.which)
    name = str(geometry.name)
    found = measured(
        polygons_on_body(shapes, systems.systems, which, rows, name, are_needed=are_needed), body
    )
    flat = rows.keep & ~absent & ~(found.radius > 0)
    rows.refuse(flat, lambda i: f"{name} has no area")
    return found


def _unwrapped(shapes: Objects, degrees_per_unit: float) -> Objects:
    """Shapes whose rings run on past the seam where an edge would go the long way round the body.

    A ring that then goes once around the body holds the nearer pole. Shapes with vertices at a pole are
    drawn as they are meant, with edges along the pole.
    """
    import shapely

    turn = 360.0 / degrees_per_unit
    pole = turn / 4.0
    shapes = shapes.copy()
    points, which = shapely.get_coordinates(shapes, return_index=True)
    wide = np.zeros(len(shapes), dtype=bool)
    # Steps from ring to ring are among these, which costs time only.
    wide[which[1:][(np.abs(np.diff(points[:, 0])) > turn / 2) & (which[1:] == which[:-1])]] = True
    wide[which[np.abs(points[:, 1]) >= pole]] = False
    for i in np.flatnonzero(wide & np.isin(shapely.get_type_id(shapes), _AREAS)).tolist():
        parts = [_unwrapped_part(part, turn, pole) for part in shapely.get_parts(shapes[i])]
        shapes[i] = parts[0] if len(parts) == 1 else shapely.MultiPolygon(parts)
    return shapes


def _unwrapped_part(polygon: Polygon, turn: float, pole: float) -> Polygon:
    import shapely

    rings: list[Floats] = []
    for ring in (polygon.exterior, *polygon.interiors):
        xy = shapely.get_coordinates(ring)
        xy[:, 0] = np.unwrap(xy[:, 0], period=turn)
        if rings:  # beside the shell
            xy[:, 0] += turn * np.round((rings[0][:, 0].mean() - xy[:, 0].mean()) / turn)
        elif abs(xy[-1, 0] - xy[0, 0]) > turn / 2:
            end = np.copysign(pole, xy[:, 1].mean())
            xy = np.vstack([xy, [xy[-1, 0], end], [xy[0, 0], end], xy[:1]])
        rings.append(xy)
    return shapely.Polygon(rings[0], rings[1:])


def measured(shapes: Objects, body: Body) -> Outlines:
    """Measure polygons.

    Parameters
    ----------
    shapes : ndarray of shapely geometries
        As of `Outlines`.
    body : Body
        The body.

    Notes
    -----
    The centroid is where the ground's normal has the mean direction of all normals of the polygon's
    ground. Sums over the ground are line integrals along the edges (Green's theorem), of which the
    inner integral runs over latitude from the polygon's southern edge, so that small outlines keep
    their digits.
    """
    parts = [_moments(shapes[at : at + BATCH], body) for at in range(0, len(shapes), BATCH)]
    area, x, y, z = np.concatenate([np.empty((4, 0)), *parts], axis=1)
    flat = np.hypot(x, y)
    with np.errstate(invalid="ignore", divide="ignore"):
        phi = np.where(area > 0, np.arctan2(z, flat), np.nan)
        # Circles of an ellipsoid are those of the sphere of its curvature there, to the fourth order.
        meridional, transverse = radii_of_curvature(body, phi)
        curvature = np.sqrt(meridional * transverse)
        share = np.clip(area / (4.0 * np.pi * curvature**2), 0.0, 1.0)
    return Outlines(
        shapes,
        wrap_longitude(np.degrees(np.arctan2(y, x))),
        planetographic_to_planetocentric(np.degrees(phi), body.a, body.b),
        2.0 * curvature * np.arcsin(np.sqrt(share)),
    )


def _moments(shapes: Objects, body: Body) -> Floats:
    """Area, and the sums of the three components of the normals, of each polygon."""
    import shapely

    fine = shapely.segmentize(shapes, LONGEST_EDGE)
    # Shells run anticlockwise and holes clockwise.
    fine = shapely.reverse(shapely.normalize(fine))
    parts, shape_of = shapely.get_parts(fine, return_index=True)
    rings, part_of = shapely.get_rings(parts, return_index=True)
    points, ring_of = shapely.get_coordinates(rings, return_index=True)
    start = np.flatnonzero(ring_of[1:] == ring_of[:-1])
    owner = shape_of[part_of[ring_of[start]]]
    south = np.nan_to_num(shapely.bounds(fine)[:, 1])[owner, None]
    nodes, weights = np.polynomial.legendre.leggauss(PLACES)
    nodes, weights = (nodes + 1) / 2, weights / 2
    (lon, lat), (step, climb) = points[start].T, (points[start + 1] - points[start]).T
    place_lon = np.radians(lon[:, None] + nodes * step[:, None])
    place_lat = lat[:, None] + nodes * climb[:, None]
    phi, base = phi_from_lat(body, place_lat), phi_from_lat(body, south)
    below = band_area(body, base, phi)
    level, up = _normals_below(body, base, phi)
    turn = np.radians(step)[:, None] * weights
    sums = [below, level * np.cos(place_lon), level * np.sin(place_lon), up]
    return np.stack([-np.bincount(owner, (part * turn).sum(axis=1), len(shapes)) for part in sums])


def _normals_below(body: Body, base: Floats, phi: Floats) -> tuple[Floats, Floats]:
    """Sums, for each radian of longitude, of the normals' components in the equator's plane and along the axis.

    From latitude `base` to `phi`, both planetographic and in radians: the integrals of cos² φ and sin φ cos φ
    times M N, as differences without cancellation.
    """
    e2 = body.eccentricity_squared
    k = body.b / body.a
    s1, s2, c1, c2 = np.sin(base), np.sin(phi), np.cos(base), np.cos(phi)
    rise = 2.0 * np.cos((phi + base) / 2) * np.sin((phi - base) / 2)
    turned = np.sin(phi - base)
    scale = body.b**2 / 2.0
    w = (1.0 - e2 * s1**2) * (1.0 - e2 * s2**2)
    angle = np.arctan2(k * turned, c1 * c2 + k**2 * s1 * s2) / k
    level = scale * (turned * (c1 * c2 - (1.0 - e2) * s1 * s2) / w + angle)
    return level, scale * rise * (s1 + s2) / w
