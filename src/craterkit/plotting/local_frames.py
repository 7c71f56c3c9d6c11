"""Local frames: azimuthal-equidistant maps about a feature's centre, north up, and outlines on them.

On such a map every point lies at its true geodesic distance and azimuth from the centre, on a sphere and
on an ellipsoid. East and north are metres on the map.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from craterkit.footprints.outlines import to_plane
from craterkit.geodesy import destination, inverse
from craterkit.regions import Polygons, RoundRegion
from craterkit.regions.drawing import Rings

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray
    from shapely.geometry.base import BaseGeometry

    from craterkit.bodies import Body
    from craterkit.grids.base import Grid
    from craterkit.regions import Outline, Region
    from craterkit.tables.features import Features

    Floats = NDArray[np.float64]

__all__ = ["Curve", "LocalFrame", "outlines", "reach"]

#: Vertices on every curve of a region that curves bound.
VERTICES = 360

#: Points on every straight edge of a region that is a polygon.
EDGE_POINTS = 16

#: Longest step between vertices of a given polygon, degrees.
LONGEST_STEP = 0.5

#: Share of a line's size by which its ends may miss each other, and of an edge that is beside it.
CLOSED, ASIDE = 1e-9, 0.01

#: Degrees from a pole that count as none.
AT_POLE = 1e-9

#: Share of the way to the antipode to which frames reach: there its one point has every azimuth.
FARTHEST = 0.9999


@dataclass(frozen=True, slots=True)
class LocalFrame:
    """A square azimuthal-equidistant map about a place, north up.

    Parameters
    ----------
    body : Body
        The body.
    lon, lat : float
        The centre, planetocentric degrees.
    half : float
        Metres from the centre to each side; at most to the antipode.
    """

    body: Body
    lon: float
    lat: float
    half: float

    @classmethod
    def around(cls, body: Body, lon: float, lat: float, half: float) -> LocalFrame:
        """The frame that reaches so far, or to the antipode."""
        return cls(body, lon, lat, min(half, FARTHEST * np.pi * body.b))

    def cells(self, count: int) -> tuple[Floats, Floats]:
        """East and north, metres, of the centres of `count` by `count` cells; row 0 is the northernmost."""
        steps = ((np.arange(count) + 0.5) / count * 2.0 - 1.0) * self.half
        east, north = np.meshgrid(steps, -steps)
        return east, north

    def places(self, east: ArrayLike, north: ArrayLike) -> tuple[Floats, Floats]:
        """Planetocentric longitude and latitude of points of the frame; NaN beyond the antipode.

        Longitudes lie within 180 degrees of the centre's.
        """
        distance = np.hypot(east, north)
        azimuth = np.degrees(np.arctan2(east, north))
        lon, lat = destination(self.body, self.lon, self.lat, azimuth, distance)
        beyond = distance > FARTHEST * np.pi * self.body.b
        if not beyond.any():
            return lon, lat
        return np.where(beyond, np.nan, lon), np.where(beyond, np.nan, lat)

    def points(self, lon: ArrayLike, lat: ArrayLike) -> Floats:
        """East and north, metres, of places: (..., 2)."""
        distance, azimuth = inverse(self.body, self.lon, self.lat, lon, lat)
        return _polar(azimuth, distance)


@dataclass(frozen=True, slots=True)
class Curve:
    """A line on a frame: (k, 2) of east and north in metres.

    `closed` tells a whole boundary, clockwise around what it encloses, from a part of one; a `hole` is left
    out.
    """

    points: Floats
    closed: bool = True
    hole: bool = False


def reach(body: Body, features: Features, region: Region) -> Floats:
    """Farthest distance of each feature's ROI from its centre, metres; 0 where it is empty."""
    if isinstance(region, RoundRegion):
        return np.asarray(region.reach(features.radius), dtype=np.float64)
    import shapely

    assert isinstance(region, Polygons)
    corners, feature = shapely.get_coordinates(
        shapely.segmentize(region.geometries, LONGEST_STEP), return_index=True
    )
    distance, _ = inverse(
        body, features.lon[feature], features.lat[feature], corners[:, 0], corners[:, 1]
    )
    farthest = np.zeros(len(features))
    np.maximum.at(farthest, feature, distance)
    return farthest


def outlines(frame: LocalFrame, features: Features, region: Region, grid: Grid) -> list[Curve]:
    """The boundary of the ROI of a single feature, on its frame.

    Parameters
    ----------
    frame : LocalFrame
        The frame, about the feature's centre.
    features : Features
        The feature alone.
    region : Region
        The region, of that feature alone.
    grid : Grid
        The raster's grid, in which the edges of polygons with ``nvert`` vertices are straight.

    Returns
    -------
    list of Curve
        None where the ROI is empty.
    """
    if isinstance(region, Polygons):
        return _polygon(frame, region.geometries[0])
    assert isinstance(region, RoundRegion)
    if not reach(frame.body, features, region)[0] > 0:
        return []
    curves = []
    for outline in region.outlines(features.radius, VERTICES):
        if region.nvert is None:
            azimuth, distance = np.broadcast_arrays(outline.azimuth, outline.distance)
            points = _polar(azimuth[0], distance[0])
        else:
            points = _straight_edges(frame, features, outline, grid)
        curves.append(Curve(points, hole=outline.hole))
    return curves


def _polar(azimuth: Floats, distance: Floats) -> Floats:
    angle = np.radians(azimuth)
    return np.stack([distance * np.sin(angle), distance * np.cos(angle)], axis=-1)


def _straight_edges(frame: LocalFrame, features: Features, outline: Outline, grid: Grid) -> Floats:
    """An outline whose edges are straight on the grid."""
    rings = Rings.around(frame.body, features.lon, features.lat, outline)
    lon = np.append(rings.lon[0], rings.lon[0, 0] + 360.0 * rings.turn[0])
    lat = np.append(rings.lat[0], rings.lat[0, 0])
    x, y = to_plane(grid, np.asarray(lon[0]), lon, lat)
    share = np.arange(EDGE_POINTS) / EDGE_POINTS
    along = (np.arange(lon.size - 1)[:, None] + share).ravel()
    corner = np.arange(lon.size)
    x, y = np.interp(along, corner, x), np.interp(along, corner, y)
    points = frame.points(*grid.to_body(x, y))
    return points[np.isfinite(points).all(axis=1)]


def _polygon(frame: LocalFrame, polygon: BaseGeometry) -> list[Curve]:
    """The boundary of a polygon in longitude and latitude, without the cuts at ±180 degrees."""
    import shapely

    if polygon.is_empty:
        return []
    copies = [
        shapely.transform(polygon, lambda xy, by=turn: xy + np.array([by, 0.0]))
        for turn in (-360.0, 0.0, 360.0)
    ]
    # Where copies meet, the cut between them is gone; it is now where the frame has its antipode.
    whole = shapely.union_all(copies)
    window = shapely.box(frame.lon - 180.0, -90.0, frame.lon + 180.0, 90.0)
    lines = shapely.line_merge(shapely.intersection(shapely.boundary(whole), window))
    parts = [
        part
        for line in shapely.get_parts(shapely.segmentize(lines, LONGEST_STEP))
        if line.geom_type == "LineString"
        for part in _off_poles(shapely.get_coordinates(line))
    ]
    return [_curve(frame, whole, frame.points(part[:, 0], part[:, 1])) for part in parts]


def _curve(frame: LocalFrame, whole: BaseGeometry, points: Floats) -> Curve:
    """A line of the boundary of a polygon: closed if it ends where it began, as those around a pole do."""
    import shapely

    if np.abs(points[-1] - points[0]).max() > CLOSED * np.ptp(points, axis=0).max():
        return Curve(points, closed=False)
    (east, north), edges = points.T, np.diff(points, axis=0)
    if (east[:-1] * north[1:] - east[1:] * north[:-1]).sum() > 0:
        points, edges = points[::-1], -edges[::-1]
    # What a clockwise curve encloses lies to the right of its edges.
    longest = int(np.argmax(np.hypot(*edges.T)))
    east_step, north_step = edges[longest]
    aside = np.array([north_step, -east_step]) * ASIDE
    inside = points[longest] + edges[longest] / 2 + aside
    return Curve(points, hole=not bool(shapely.intersects_xy(whole, *frame.places(*inside))))


def _off_poles(vertices: Floats) -> list[Floats]:
    """A line without the steps that run along a pole, where there is but one point."""
    at_pole = np.abs(vertices[:, 1]) > 90.0 - AT_POLE
    along = np.flatnonzero(at_pole[1:] & at_pole[:-1]) + 1
    return [part for part in np.split(vertices, along) if len(part) > 1]
