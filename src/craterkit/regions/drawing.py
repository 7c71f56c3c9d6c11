"""Polygons of regions: derived views of curves, on a plane that is a cylinder rolled out.

A curve becomes a ring of vertices. In the plane of longitude and latitude, or of the columns and rows of
a cylindrical grid, that ring closes by itself, or runs once around the body because the curve holds a
pole, or surrounds what the curve leaves out because it holds both. All three become valid
polygons here, cut at the plane's edges and with their holes kept.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from craterkit.geodesy import as_far_as_shortest, destination
from craterkit.regions import Outline, Polygons, RoundRegion

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry

    from craterkit.bodies import Body
    from craterkit.regions import Region
    from craterkit.tables.features import Features

    Floats = NDArray[np.float64]
    Objects = NDArray[np.object_]

__all__ = ["VERTICES", "Plane", "Ring", "Rings", "areas", "draw_region", "refined_ring"]

#: Vertices of the polygon of a curve, unless the region or the poles ask for others.
VERTICES = 64

#: Longest step in longitude, degrees, between vertices of the polygon of a curve.
LONGEST_STEP = 6.0

#: Share of an ROI's size, and degrees of longitude, that count as none from its centre.
CENTRE = 1e-6

#: Degrees of latitude from a pole, and of longitude from half a turn, that count as none.
AT_POLE, HALF_TURN = 1e-11, 1e-6

#: Curves may bend unlike circles on a map if they reach over this share of the way to a pole.
TO_POLE = 0.1

#: How often vertices are added between those that are farther apart.
REFINEMENTS = 12


@dataclass(frozen=True, slots=True)
class Rings:
    """Vertices of n closed curves that run clockwise around what they enclose.

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
        Whether a ring that closes surrounds the ground outside its curve.
    """

    lon: Floats
    lat: Floats
    turn: NDArray[np.intp]
    inverted: NDArray[np.bool_]

    @classmethod
    def around(cls, body: Body, lon: Floats, lat: Floats, outline: Outline) -> Rings:
        """Rings of an outline about centres at `lon` and `lat`."""
        # Past the far side of the body a geodesic would come back.
        distance, ended = as_far_as_shortest(body, lat[:, None], outline.azimuth, outline.distance)
        x, y = destination(body, lon[:, None], lat[:, None], outline.azimuth, distance)
        rings = cls.through(x, y)
        whole = ended.all(axis=1)
        return cls(rings.lon, rings.lat, rings.turn, rings.inverted | ((rings.turn == 0) & whole))

    @classmethod
    def through(cls, lon: Floats, lat: Floats) -> Rings:
        """Rings of vertices at `lon` and `lat`, (n, k) each, with steps of half a turn at most."""
        # A pole has every longitude: take that of the vertex before.
        lon = np.where(np.abs(lat) > 90.0 - AT_POLE, np.roll(lon, 1, axis=1), lon)
        steps = np.mod(np.diff(lon, axis=1, append=lon[:, :1]) + 180.0, 360.0) - 180.0
        following = np.roll(lat, -1, axis=1)
        middle = (lat + following) / 2
        # A step over a pole keeps to the left of it, since what the ring encloses is on the right.
        over = np.abs(steps) > 180.0 - HALF_TURN
        steps = np.where(over & (steps * middle < 0), steps + np.copysign(360.0, middle), steps)
        x = lon[:, :1] + np.concatenate(
            [np.zeros((lon.shape[0], 1)), np.cumsum(steps[:, :-1], axis=1)], axis=1
        )
        turn = np.round(steps.sum(axis=1) / 360.0).astype(np.intp)
        inverted = (turn == 0) & ((middle * steps).sum(axis=1) < 0)
        return cls(x, lat, turn, inverted)

    def shifted(self, degrees: Floats) -> Rings:
        """The same rings with longitudes that are larger by some degrees, one number for each."""
        if not degrees.any():
            return self
        return Rings(self.lon + degrees[:, None], self.lat, self.turn, self.inverted)

    def take(self, which: NDArray[np.intp]) -> Rings:
        """Some of the rings."""
        return Rings(self.lon[which], self.lat[which], self.turn[which], self.inverted[which])

    @property
    def simple(self) -> NDArray[np.bool_]:
        """Whether each ring closes and surrounds what its curve encloses."""
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

    def ground(self, shell: Ring, holes: Sequence[Ring] = ()) -> BaseGeometry:
        """What lies within one ring and not within others, cut at the edges."""
        import shapely

        ground = self.fill(shell)
        for hole in holes:
            ground = shapely.difference(ground, self.fill(hole))
        return areas(ground)

    def cut(self, shape: BaseGeometry) -> BaseGeometry:
        """A shape that may lie beside the plane, brought onto it and cut at the edges."""
        import shapely

        if not shape.is_valid:
            shape = areas(shapely.make_valid(shape))
        left, _, right, _ = shape.bounds
        fewest = int(np.ceil((self.left - right) / self.period))
        most = int(np.floor((self.right - left) / self.period))
        return areas(self._cut(shape, turns=tuple(range(fewest, most + 1))))

    def cut_all(self, shapes: Objects) -> Objects:
        """Shapes that may lie beside the plane or across its edges, brought onto it and cut there."""
        import shapely

        west, _, east, _ = shapely.bounds(shapes).T
        shift = np.nan_to_num(self.period * np.floor((west - self.left) / self.period))
        moved = shift != 0
        out = shapes.copy()
        if moved.any():
            each = np.repeat(shift[moved], shapely.get_num_coordinates(out[moved]))
            step = np.stack([each, np.zeros(each.size)], axis=1)
            out[moved] = shapely.transform(out[moved], lambda xy: xy - step)
        for i in np.flatnonzero(east - shift > self.right).tolist():
            out[i] = self.cut(shapes[i])
        return out

    def fill(self, ring: Ring) -> BaseGeometry:
        """The ground within one ring, cut at the edges."""
        import shapely

        # Bring the first vertex onto the plane.
        x = ring.x - self.period * np.floor((ring.x[0] - self.left) / self.period)
        if ring.turn:
            shift = ring.turn * self.eastward * self.period
            pole = self.north if ring.turn < 0 else self.south
            # A ring that runs around is a line from edge to edge: continue it past both, so far that
            # where it begins and ends (it may fold back) is off the plane.
            x = np.concatenate([x + turns * shift for turns in range(-2, 3)] + [x[:1] + 3 * shift])
            y = np.concatenate([np.tile(ring.y, 5), ring.y[:1]])
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

    @classmethod
    def of(cls, rings: Rings, i: int) -> Ring:
        """One of several rings in longitude and latitude."""
        return cls(rings.lon[i], rings.lat[i], int(rings.turn[i]), bool(rings.inverted[i]))


def _polygon(vertices: Floats) -> BaseGeometry:
    import shapely

    polygon = shapely.Polygon(vertices)
    return polygon if polygon.is_valid else areas(shapely.make_valid(polygon))


def areas(shape: BaseGeometry) -> BaseGeometry:
    """The polygons of a shape, without the lines and points that set operations may leave."""
    import shapely

    if shape.geom_type in ("Polygon", "MultiPolygon"):
        return shape
    parts = [part for part in shapely.get_parts(shape) if part.area > 0]
    return shapely.union_all(parts) if parts else shapely.Polygon()


def draw_region(
    body: Body,
    features: Features,
    region: Region,
    plane: Plane | None = None,
    bends: Callable[[Rings], NDArray[np.bool_]] | None = None,
) -> Objects:
    """Polygons of a region around every feature, in planetocentric longitude and latitude.

    Parameters
    ----------
    body : Body
        The body.
    features : Features
        The n features.
    region : Region
        The region.
    plane : Plane, optional
        The plane of degrees at whose edges polygons are cut; by default at ±180.
    bends : callable, optional
        Says after which vertices, (n, k), of curves near the poles more are needed where the polygons are
        to be projected.

    Returns
    -------
    (n,) ndarray of shapely geometries
        Valid Polygons, or MultiPolygons where they are cut at the plane's edges; empty Polygons where
        an ROI is.
    """
    import shapely

    plane = plane or Plane()
    if isinstance(region, Polygons):
        return region.geometries.copy() if plane == Plane() else plane.cut_all(region.geometries)
    assert isinstance(region, RoundRegion)
    reach = region.reach(features.radius)
    outlines = region.outlines(features.radius, VERTICES)
    rings = [Rings.around(body, features.lon, features.lat, outline) for outline in outlines]
    filled = reach > 0
    turns = plane.period * np.floor((features.lon - plane.left) / plane.period)
    rings = [ring.shifted(-turns) for ring in rings]
    plain = filled & (reach < np.pi * body.b)
    plain &= rings[0].lon.min(axis=1, initial=np.inf) >= plane.left
    plain &= rings[0].lon.max(axis=1, initial=-np.inf) <= plane.right
    for ring in rings:
        plain &= ring.simple
        if region.nvert is None:
            plain &= ring.longest_step <= LONGEST_STEP
    coarse = [(ring.longest_step > LONGEST_STEP) & (region.nvert is None) for ring in rings]
    if bends is not None and region.nvert is None:
        to_pole = np.radians(90.0 - np.abs(features.lat)) * body.b
        near = np.flatnonzero(filled & (reach > TO_POLE * to_pole))
        for ring, too_coarse in zip(rings, coarse, strict=True):
            too_coarse[near] |= bends(ring.take(near)).any(axis=1)
            plain &= ~too_coarse
    kept, pole = _apart_from_centre(outlines[0], rings[0], reach)
    plain &= ~pole
    out = np.full(len(features), shapely.Polygon(), dtype=object)
    if plain.any():
        shells, *holes = (
            shapely.linearrings(np.stack([lon[plain], lat[plain]], axis=-1)[:, ::-1])
            for lon, lat in (
                (rings[0].lon[:, kept], rings[0].lat[:, kept]),
                *((ring.lon, ring.lat) for ring in rings[1:]),
            )
        )
        polygons = shapely.polygons(shells, holes[0][:, None] if holes else None)
        out[plain] = polygons
        if holes:
            # With few vertices a hole may stick out of its shell.
            plain[plain] = shapely.is_valid(polygons)

    def far(ring: Rings) -> NDArray[np.bool_]:
        return _runs_far(ring) if bends is None else _runs_far(ring) | bends(ring)[0]

    for i in np.flatnonzero(filled & ~plain).tolist():
        own = [
            Ring.of(refined_ring(body, features, i, region, number, far), 0)
            if coarse[number][i]
            else Ring.of(ring, i)
            for number, ring in enumerate(rings)
        ]
        out[i] = shapely.normalize(plane.ground(own[0], own[1:]))
    return out


def _apart_from_centre(
    outline: Outline, rings: Rings, reach: Floats
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Vertices without all but one of those at the centre, and ROIs where these are about a pole."""
    at_centre = np.all(outline.distance <= CENTRE * reach[:, None], axis=0)
    if not at_centre.any() or at_centre.size != rings.lon.shape[1]:
        return np.ones(rings.lon.shape[1], dtype=bool), np.zeros(reach.size, dtype=bool)
    pole = np.ptp(rings.lon[:, at_centre], axis=1) > CENTRE
    kept = np.asarray(~at_centre)
    kept[np.argmax(at_centre)] = True
    return kept, np.asarray(pole)


def _runs_far(rings: Rings) -> NDArray[np.bool_]:
    """Which vertices of one ring are far from the next in longitude."""
    closing = rings.lon[0, 0] + 360.0 * rings.turn[0]
    return np.asarray(np.abs(np.diff(rings.lon[0], append=closing)) > LONGEST_STEP)


def refined_ring(
    body: Body,
    features: Features,
    i: int,
    region: RoundRegion,
    number: int,
    far: Callable[[Rings], NDArray[np.bool_]],
) -> Rings:
    """One curve of feature i, with vertices added after those that `far` says.

    Polygons (`region.nvert`) are left as they are.
    """
    which = slice(i, i + 1)
    lon, lat, radius = features.lon[which], features.lat[which], features.radius[which]
    own, count = region.take(which), VERTICES
    outline = own.outlines(radius, count)[number]
    chosen = np.arange(outline.azimuth.shape[1])
    for _ in range(REFINEMENTS):
        picked = Outline(
            outline.azimuth[:, chosen],
            np.broadcast_to(outline.distance, outline.azimuth.shape)[:, chosen],
        )
        rings = Rings.around(body, lon, lat, picked)
        open_steps = far(rings)
        if not open_steps.any() or region.nvert is not None:
            break
        # The vertices so far are every other one of twice as many.
        count *= 2
        outline = own.outlines(radius, count)[number]
        chosen = 2 * chosen
        between = (chosen + np.append(chosen[1:], outline.azimuth.shape[1])) // 2
        chosen = np.sort(np.concatenate([chosen, between[open_steps]]))
    return rings
