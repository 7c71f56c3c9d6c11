"""Polygons of regions: derived views of circles, on a plane that is a cylinder rolled out.

A circle becomes a ring of vertices at given azimuths. In the plane of longitude and latitude, or of the
columns and rows of a cylindrical grid, that ring closes by itself, or runs once around the body because
the circle holds a pole, or surrounds what the circle leaves out because it holds both. All
three become valid polygons here, cut at the plane's edges and with their holes kept.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from craterkit.geodesy import destination

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry

    from craterkit.bodies import Body
    from craterkit.features import Features
    from craterkit.regions import Annulus

    Floats = NDArray[np.float64]
    Objects = NDArray[np.object_]

__all__ = ["Plane", "Ring", "Rings", "azimuths", "draw_region"]

#: Vertices of a circle's polygon, unless the region or the poles ask for others.
VERTICES = 64

#: Longest step in longitude, degrees, between vertices of a circle's polygon.
LONGEST_STEP = 6.0

#: How often vertices are added between those that are farther apart.
REFINEMENTS = 12


@dataclass(frozen=True, slots=True)
class Rings:
    """Vertices of n circles.

    Attributes
    ----------
    lon : (n, k) ndarray
        Degrees, unwrapped along each ring from its first vertex.
    lat : (n, k) ndarray
        Planetocentric degrees.
    turn : (n,) ndarray of int
        How often each ring runs around the body eastward: -1 if it holds the north pole, 1 if the
        south pole, 0 if none or both.
    inverted : (n,) ndarray of bool
        Whether a ring that closes surrounds the ground outside its circle.
    """

    lon: Floats
    lat: Floats
    turn: NDArray[np.intp]
    inverted: NDArray[np.bool_]

    @classmethod
    def around(cls, body: Body, lon: Floats, lat: Floats, radius: Floats, azimuth: Floats) -> Rings:
        """Rings at a distance of `radius` metres, with vertices at `azimuth` degrees."""
        # Past the antipode a geodesic would come back.
        radius = np.minimum(radius, np.pi * body.a)
        x, y = destination(body, lon[:, None], lat[:, None], azimuth[None, :], radius[:, None])
        steps = np.mod(np.diff(x, axis=1, append=x[:, :1]) + 180.0, 360.0) - 180.0
        x = x[:, :1] + np.concatenate(
            [np.zeros((x.shape[0], 1)), np.cumsum(steps[:, :-1], axis=1)], axis=1
        )
        turn = np.round(steps.sum(axis=1) / 360.0).astype(np.intp)
        # Clockwise rings surround their circle: azimuths run clockwise.
        following = np.roll(y, -1, axis=1)
        area = ((y + following) / 2 * steps).sum(axis=1)
        inverted = (turn == 0) & ((area < 0) | (radius >= np.pi * body.b))
        return cls(x, y, turn, inverted)

    @property
    def simple(self) -> NDArray[np.bool_]:
        """Whether each ring closes and surrounds its circle."""
        return (self.turn == 0) & ~self.inverted

    @property
    def longest_step(self) -> Floats:
        """Longest step in longitude between neighbouring vertices."""
        closing = self.lon[:, :1] + 360.0 * self.turn[:, None]
        return np.abs(np.diff(self.lon, axis=1, append=closing)).max(axis=1)


@dataclass(frozen=True, slots=True)
class Plane:
    """The plane in which polygons are drawn: a cylinder rolled out.

    Attributes
    ----------
    left, right : float
        Its edges, where shapes are cut; at most a period apart.
    period : float
        Width of 360 degrees.
    south, north : float
        y of the poles.
    eastward : float
        1 if x grows eastward, -1 if westward.
    """

    left: float = -180.0
    right: float = 180.0
    period: float = 360.0
    south: float = -90.0
    north: float = 90.0
    eastward: float = 1.0

    def annulus(self, outer: Ring, inner: Ring | None) -> BaseGeometry:
        """What lies within one ring and not within another, cut at the edges."""
        import shapely

        ground = self.fill(outer)
        if inner is not None:
            ground = shapely.difference(ground, self.fill(inner))
        return _areas(ground)

    def fill(self, ring: Ring) -> BaseGeometry:
        """The ground within one ring, cut at the edges."""
        import shapely

        # Bring the first vertex onto the plane.
        x = ring.x - self.period * np.floor((ring.x[0] - self.left) / self.period)
        if ring.turn:
            shift = ring.turn * self.eastward * self.period
            pole = self.north if ring.turn < 0 else self.south
            # A ring that runs around is a line from edge to edge: continue it past both.
            x = np.concatenate([x - shift, x, x + shift, x[:1] + 2 * shift])
            y = np.concatenate([ring.y, ring.y, ring.y, ring.y[:1]])
            line = np.stack([x, y], axis=1)
            corners = [[x[-1], pole], [x[0], pole]]
            return self._cut(_polygon(np.concatenate([line, corners])), turns=(0,))
        ground = self._cut(_polygon(np.stack([x, ring.y], axis=1)), turns=(-1, 0, 1))
        if not ring.inverted:
            return ground
        whole = shapely.box(self.left, self.south, self.right, self.north)
        return shapely.difference(whole, ground)

    def _cut(self, shape: BaseGeometry, turns: tuple[int, ...]) -> BaseGeometry:
        import shapely

        low, high = sorted((self.south, self.north))
        frame = shapely.box(self.left, low, self.right, high)
        copies = [
            shapely.transform(shape, lambda xy, by=turn * self.period: xy + np.array([by, 0.0]))
            for turn in turns
        ]
        parts = [shapely.intersection(copy, frame) for copy in copies]
        return shapely.union_all([part for part in parts if part.area > 0])


@dataclass(frozen=True, slots=True)
class Ring:
    """One ring on a plane; see `Rings`."""

    x: Floats
    y: Floats
    turn: int
    inverted: bool


def _polygon(vertices: Floats) -> BaseGeometry:
    import shapely

    polygon = shapely.Polygon(vertices)
    return polygon if polygon.is_valid else _areas(shapely.make_valid(polygon))


def _areas(shape: BaseGeometry) -> BaseGeometry:
    """The polygons of a shape, without the lines and points that set operations may leave."""
    import shapely

    if shape.geom_type in ("Polygon", "MultiPolygon"):
        return shape
    parts = [part for part in shapely.get_parts(shape) if part.area > 0]
    return shapely.union_all(parts) if parts else shapely.Polygon()


def azimuths(count: int) -> Floats:
    """Azimuths of `count` vertices, from north, clockwise, in degrees."""
    return np.arange(count, dtype=np.float64) * (360.0 / count)


def draw_region(body: Body, features: Features, region: Annulus) -> Objects:
    """Polygons of a region around every feature, in planetocentric longitude and latitude.

    Parameters
    ----------
    body : Body
        The body.
    features : Features
        The n features.
    region : Annulus
        The region.

    Returns
    -------
    (n,) ndarray of shapely geometries
        Valid Polygons, or MultiPolygons where they are cut at ±180 degrees.
    """
    import shapely

    at = azimuths(region.nvert or VERTICES)
    edges = [region.outer] if region.inner == 0 else [region.outer, region.inner]
    rings = [
        Rings.around(body, features.lon, features.lat, features.radius * edge, at) for edge in edges
    ]
    plain = np.abs(rings[0].lon).max(axis=1, initial=0.0) <= 180.0
    for ring in rings:
        plain &= ring.simple
        if region.nvert is None:
            plain &= ring.longest_step <= LONGEST_STEP
    out = np.empty(len(features), dtype=object)
    if plain.any():
        shells, *holes = (
            shapely.linearrings(np.stack([ring.lon[plain], ring.lat[plain]], axis=-1)[:, ::-1])
            for ring in rings
        )
        polygons = shapely.polygons(shells, holes[0][:, None] if holes else None)
        out[plain] = polygons
        if holes:
            # With few vertices a hole may stick out of its shell.
            plain[plain] = shapely.is_valid(polygons)
    plane = Plane()
    for i in np.flatnonzero(~plain):
        own = [
            _one_ring(body, features, int(i), edge, at, refine=region.nvert is None)
            for edge in edges
        ]
        out[i] = shapely.normalize(plane.annulus(own[0], own[1] if len(own) > 1 else None))
    return out


def _one_ring(
    body: Body, features: Features, i: int, edge: float, at: Floats, *, refine: bool
) -> Ring:
    """Ring of feature i; if asked to, with vertices added where longitude runs fast."""
    which = slice(i, i + 1)
    lon, lat, radius = features.lon[which], features.lat[which], features.radius[which] * edge
    rings = Rings.around(body, lon, lat, radius, at)
    for _ in range(REFINEMENTS if refine else 0):
        closing = rings.lon[0, 0] + 360.0 * rings.turn[0]
        far = np.abs(np.diff(rings.lon[0], append=closing)) > LONGEST_STEP
        if not far.any():
            break
        between = at + np.diff(at, append=360.0) / 2
        at = np.sort(np.concatenate([at, between[far]]))
        rings = Rings.around(body, lon, lat, radius, at)
    return Ring(rings.lon[0], rings.lat[0], int(rings.turn[0]), bool(rings.inverted[0]))
