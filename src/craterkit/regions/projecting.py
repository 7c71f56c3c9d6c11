"""Polygons of regions on maps: curves are projected vertex by vertex, and cut only where a map is.

On a map that is cut along a meridian polygons are drawn in longitude and latitude between the sides of
that cut, and then projected. On one that is continuous around its centre the vertices of a curve are
projected as they are; only what reaches beyond the ground that the map shows is drawn in the plane of
angles around the centre first.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from craterkit.coordinates import CoordinateSystem
from craterkit.regions import Polygons, RoundRegion
from craterkit.regions.bending import bends, bent
from craterkit.regions.drawing import VERTICES, Plane, Rings, areas, draw_region, refined_ring
from craterkit.regions.map_sheets import CutSheet, RoundSheet, sheet_of
from craterkit.regions.round_plane import (
    LONGEST_STEP,
    around_rim,
    doubled_area,
    filled_ring,
    ground_of,
    mended,
    onto_map,
    rim,
    turned,
)

if TYPE_CHECKING:
    import pyproj
    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry

    from craterkit.bodies import Body
    from craterkit.regions import Region
    from craterkit.regions.map_sheets import Sheet
    from craterkit.tables.features import Features

    Floats = NDArray[np.float64]
    Bools = NDArray[np.bool_]
    Objects = NDArray[np.object_]

__all__ = ["draw_centres", "draw_on_map", "read_map"]

#: Features whose polygons are drawn at a time.
BATCH = 1 << 15

#: Longest edge, degrees, of polygons whose edges are to be straight in longitude and latitude, also as a
#: share of the polygon's size.
LONGEST_EDGE, EDGE_SHARE = 1.0, 1 / 32

#: Curves get more vertices than small ROIs have if these reach, from their centre, over this share of the
#: angle to the point opposite to the map's centre.
DISTORTED = 0.1

#: Degrees within which places on two sides of a seam are the same.
SEAM = 1e-9

#: Latitude from which on straight edges are refined.
NEAR_POLE = 80.0

#: How often the edges of given polygons are halved on the far side of the body.
HALVINGS = 12

#: Steps on a map that are this many times longer, beside those on the ground, than their neighbours are tears.
TEAR = 4.0


def read_map(crs: object, body: Body) -> CoordinateSystem:
    """The coordinate system of a map on which polygons can be drawn, with a CRS that names it.

    Parameters
    ----------
    crs : str or CRS
        What `CoordinateSystem.from_user_input` takes.
    body : Body
        The body.

    Raises
    ------
    CRSError
        If it is no coordinate system, is of another body, or of a map that is interrupted.
    """
    system = CoordinateSystem.from_user_input(crs, body, what="crs", argument="crs")
    if system.crs is None:
        named = _named_crs(system)
        system = CoordinateSystem.from_user_input(named, body, what="crs", argument="crs")
    sheet_of(system)
    return system


def _named_crs(system: CoordinateSystem) -> pyproj.CRS:
    """A CRS for the name of a convention of longitude and latitude."""
    import pyproj

    body = system.body
    ographic = system.latitude_type == "planetographic" and not body.is_sphere
    if not ographic and system.longitude_sign > 0 and not system.longitude_shift:
        return body.crs
    flattening = 0.0 if body.is_sphere else body.a / (body.a - body.b)
    toward = "east" if system.longitude_sign > 0 else "west"
    degree = 'ANGLEUNIT["degree",0.0174532925199433]'
    return pyproj.CRS.from_wkt(
        f'GEOGCRS["{body.name} / {"Ographic" if ographic else "Ocentric"}, {toward}-positive",'
        f'DATUM["{body.name}",ELLIPSOID["{body.name}",{body.a!r},{flattening!r}]],'
        f'PRIMEM["Reference Meridian",{system.longitude_shift!r},{degree}],CS[ellipsoidal,2],'
        f'AXIS["latitude",north],AXIS["longitude",{toward}],{degree}]'
    )


def draw_centres(features: Features, system: CoordinateSystem) -> Objects:
    """Points at the centres of features on a map; empty where it does not show them."""
    import shapely

    x, y = sheet_of(system).points(features.lon, features.lat)
    points = np.asarray(shapely.points(x, y), dtype=object)
    points[np.isnan(x + y)] = shapely.Point()
    return points


def draw_on_map(
    body: Body, features: Features, region: Region, system: CoordinateSystem
) -> Objects:
    """Polygons of a region around every feature, in the coordinates of a map.

    Parameters
    ----------
    body : Body
        The body.
    features : Features
        The n features.
    region : Region
        The region.
    system : CoordinateSystem
        The map's.

    Returns
    -------
    (n,) ndarray of shapely geometries
        Valid Polygons, or MultiPolygons where the map cuts an ROI; empty Polygons where an ROI is, or
        where the map does not show any of it.

    Raises
    ------
    CRSError
        If the map is interrupted.
    """
    import shapely

    sheet = sheet_of(system)
    out = np.full(len(features), shapely.Polygon(), dtype=object)
    for start in range(0, len(features), BATCH):
        part = slice(start, start + BATCH)
        own, some = region.take(part), features[part]
        out[part] = (
            _on_cut_sheet(body, some, own, sheet)
            if isinstance(sheet, CutSheet)
            else _on_round_sheet(body, some, own, sheet)
        )
    return out


def _on_cut_sheet(body: Body, features: Features, region: Region, sheet: CutSheet) -> Objects:
    import shapely

    plane = Plane(left=sheet.left, right=sheet.right)
    bent_after = None if sheet.system.is_geographic else partial(bends, sheet)
    shapes = draw_region(body, features, region, plane, bent_after)
    west, south, east, north = shapely.bounds(shapes).T
    if sheet.system.is_geographic and sheet.system.latitude_type == "planetocentric":
        return _projected(shapes, sheet)
    beyond = (south < sheet.south) | (north > sheet.north)
    if beyond.any():
        frame = shapely.box(sheet.left, sheet.south, sheet.right, sheet.north)
        shapes[beyond] = [areas(shape) for shape in shapely.intersection(shapes[beyond], frame)]
    # The edges of the map are curves, and so are those of shapes that are straight in longitude.
    edged = (west <= sheet.left) | (east >= sheet.right)
    edged |= (south <= sheet.south) | (north >= sheet.north)
    straight = np.full(edged.shape, isinstance(region, Polygons))
    shapes[straight | edged] = _fine(shapes[straight | edged])
    # Some maps draw a pole out into an arc that is long beside the ground around it.
    for i in np.flatnonzero((straight | edged) & (np.maximum(north, -south) > NEAR_POLE)).tolist():
        shapes[i] = bent(shapes[i], sheet)
    return _projected(shapes, sheet)


def _fine(shapes: Objects) -> Objects:
    """Shapes with vertices added on long edges."""
    import shapely

    west, south, east, north = np.nan_to_num(shapely.bounds(shapes)).T
    size = np.stack([east - west, north - south], axis=1)
    # Each way by itself: a cut along a meridian may be short where the edge along a pole is long.
    longest = np.clip(size * EDGE_SHARE, SEAM, LONGEST_EDGE)

    def scaled(shapes: Objects, factor: Floats) -> Objects:
        each = np.repeat(factor, shapely.get_num_coordinates(shapes), axis=0)
        return np.asarray(shapely.transform(shapes, lambda xy: xy * each), dtype=object)

    return scaled(shapely.segmentize(scaled(shapes, 1.0 / longest), 1.0), longest)


def _projected(shapes: Objects, sheet: Sheet) -> Objects:
    """Shapes in longitude and latitude, of which the map shows everything, on it."""
    import shapely

    points, which = shapely.get_coordinates(shapes, return_index=True)
    placed = np.stack(sheet.to_map(points[:, 0], points[:, 1]), axis=1)
    lost = np.zeros(shapes.size, dtype=bool)
    # Some formulae fail in places, so that there is nothing to be drawn.
    lost[which[~np.isfinite(placed).all(axis=1)]] = True
    drawn = np.full(shapes.size, shapely.Polygon(), dtype=object)
    drawn[~lost] = shapely.set_coordinates(shapes[~lost].copy(), placed[~lost[which]])
    for i in np.flatnonzero(~shapely.is_valid(drawn)).tolist():
        drawn[i] = mended(drawn[i])
    return drawn


def _on_round_sheet(body: Body, features: Features, region: Region, sheet: RoundSheet) -> Objects:
    if isinstance(region, Polygons):
        return _polygons_on_round_sheet(region, sheet)
    import shapely

    assert isinstance(region, RoundRegion)
    reach = region.reach(features.radius)
    rings = [
        Rings.around(body, features.lon, features.lat, outline)
        for outline in region.outlines(features.radius, VERTICES)
    ]
    filled = reach > 0
    plain = filled & (reach < np.pi * body.b)
    placed = []
    coarse, stretched = np.zeros((2, len(features)), dtype=bool)
    for ring in rings:
        x, y = sheet.to_plane(ring.lon, ring.lat)
        angle = np.hypot(x, y).max(axis=1, initial=0.0)
        within = (angle < sheet.reach) & (doubled_area(x, y) < 0)
        distorted = reach > DISTORTED * np.radians(180.0 - angle) * body.b
        coarse |= within & distorted
        to_x, to_y = sheet.to_map(ring.lon, ring.lat)
        doubtful = np.flatnonzero(plain & ~within)
        if doubtful.size:
            lon, lat = ring.lon[doubtful], ring.lat[doubtful]
            within[doubtful] = _whole(x[doubtful], y[doubtful], lon, lat, sheet)
            stretched[doubtful] |= within[doubtful] & distorted[doubtful]
        plain &= within
        plain &= np.isfinite(to_x + to_y).all(axis=1)
        placed.append(np.stack([to_x, to_y], axis=-1))
    if region.nvert is None:
        plain &= ~coarse
    out = np.full(len(features), shapely.Polygon(), dtype=object)
    if plain.any():
        shells, *holes = (
            shapely.linearrings(vertices[plain][:, :: -int(sheet.handed)]) for vertices in placed
        )
        out[plain] = shapely.polygons(shells, holes[0][:, None] if holes else None)
    # With few vertices a hole may stick out of its shell; those of a sector's tip are one place.
    for i in np.flatnonzero(plain & ~shapely.is_valid(out)).tolist():
        shell, *holes = (ground_of(vertices[i]) for vertices in placed)
        out[i] = areas(shapely.difference(shell, shapely.union_all(holes)))
    if region.nvert is None:
        for i in np.flatnonzero(plain & stretched).tolist():
            shell, *holes = (
                ground_of(_refined_on_map(body, features, i, region, number, sheet))
                for number in range(len(rings))
            )
            out[i] = areas(shapely.difference(shell, shapely.union_all(holes)))
    for i in np.flatnonzero(filled & ~plain).tolist():
        shell, *holes = (
            filled_ring(*_refined(body, features, i, region, number, sheet))
            for number in range(len(rings))
        )
        ground = areas(shapely.difference(shell, shapely.union_all(holes)))
        out[i] = onto_map(ground, sheet)
    return out


def _whole(x: Floats, y: Floats, lon: Floats, lat: Floats, sheet: RoundSheet) -> Bools:
    """Whether a map shows rings whole that lie beyond the reach of its sheet."""
    to_x, to_y = sheet.points(lon, lat)
    seen = np.isfinite(to_x).all(axis=1)
    ground = np.hypot(
        (x - np.roll(x, 1, axis=1)), (y - np.roll(y, 1, axis=1))
    )  # stretched evenly about a small ring, which is all that is asked of it
    with np.errstate(invalid="ignore", divide="ignore"):
        scale = np.hypot(to_x - np.roll(to_x, 1, axis=1), to_y - np.roll(to_y, 1, axis=1)) / ground
        neighbour = np.fmax(np.roll(scale, 1, axis=1), np.roll(scale, -1, axis=1))
        torn = ~(scale <= TEAR * neighbour).all(axis=1)
        clockwise = doubled_area(to_x, to_y) * sheet.handed < 0
    return np.asarray(seen & ~torn & clockwise)


def _refined(
    body: Body, features: Features, i: int, region: RoundRegion, number: int, sheet: RoundSheet
) -> tuple[Floats, bool]:
    """One curve of feature i in the plane of a round sheet, and whether it holds the whole body."""

    def place(rings: Rings) -> Floats:
        return np.stack(sheet.to_plane(rings.lon[0], rings.lat[0]), axis=1)

    def far(rings: Rings) -> Bools:
        vertices = place(rings)
        following = np.roll(vertices, -1, axis=0)
        angle = np.hypot(vertices[:, 0], vertices[:, 1])
        long = np.hypot(*(following - vertices).T) > LONGEST_STEP
        hidden = np.minimum(angle, np.roll(angle, -1)) > sheet.reach + LONGEST_STEP
        # Chords between hidden places may still cross the map.
        return np.asarray(long & (~hidden | turned(vertices, following)))

    rings = refined_ring(body, features, i, region, number, far)
    outline = region.take(slice(i, i + 1)).outlines(features.radius[i : i + 1], VERTICES)[number]
    return around_rim(place(rings)), bool(outline.distance.min() >= np.pi * body.b)


def _refined_on_map(
    body: Body, features: Features, i: int, region: RoundRegion, number: int, sheet: RoundSheet
) -> Floats:
    """One curve of feature i, which a map shows whole, on it."""

    def far(rings: Rings) -> Bools:
        x, y = sheet.to_plane(rings.lon[0], rings.lat[0])
        return np.asarray(np.hypot(np.roll(x, -1) - x, np.roll(y, -1) - y) > LONGEST_STEP)

    rings = refined_ring(body, features, i, region, number, far)
    return np.stack(sheet.to_map(rings.lon[0], rings.lat[0]), axis=1)


def _polygons_on_round_sheet(region: Polygons, sheet: RoundSheet) -> Objects:
    """Given polygons, whose edges are straight in longitude and latitude, on a round sheet."""
    import shapely

    shapes = _fine(region.geometries)
    west, south, east, north = shapely.bounds(shapes).T
    points, which = shapely.get_coordinates(shapes, return_index=True)
    x, y = sheet.to_plane(points[:, 0], points[:, 1])
    beyond = np.zeros(shapes.size, dtype=bool)
    beyond[which[np.hypot(x, y) >= sheet.reach]] = True
    inside = (west > -180.0) & (east < 180.0) & (south > -90.0) & (north < 90.0)
    single = inside & (shapely.get_num_geometries(shapes) == 1)
    beyond |= ~single
    # Around a point opposite to the centre shells run the wrong way.
    shells = shapely.get_exterior_ring(shapely.get_geometry(shapes, 0))
    plane = shapely.transform(shells, partial(_into_plane, sheet))
    filled = ~shapely.is_empty(shapes)
    beyond[filled] |= ~shapely.is_ccw(plane[filled])
    out = shapes.copy()
    near = filled & ~beyond
    out[near] = _projected(shapes[near], sheet)
    for i in np.flatnonzero(filled & beyond).tolist():
        lon, lat = shapely.get_coordinates(shells[i])[-2::-1].T[:, None]
        if single[i] and _whole(*sheet.to_plane(lon, lat), lon, lat, sheet)[0]:
            out[i] = _projected(shapes[i : i + 1], sheet)[0]
            continue
        parts = []
        for part in shapely.get_parts(shapes[i]):
            x, y = _into_plane(sheet, shapely.get_coordinates(part)).T
            if np.hypot(x, y).min() > sheet.reach:
                # All of the map or nothing.
                middle = shapely.Point(sheet.from_plane(np.zeros(1), np.zeros(1)))
                parts += [rim(180.0)] if shapely.intersects(part, middle) else []
                continue
            shell, *holes = (
                filled_ring(_ring_in_plane(ring, sheet, sense))
                for ring, sense in zip(shapely.get_rings(part), _senses(part), strict=True)
            )
            parts.append(areas(shapely.difference(shell, shapely.union_all(holes))))
        ground = areas(shapely.set_precision(shapely.union_all(parts), SEAM))
        out[i] = onto_map(ground, sheet)
    return out


def _into_plane(sheet: RoundSheet, points: Floats) -> Floats:
    # Both sides of the seam of longitude are the same to the last digit.
    lon = np.where(points[:, 0] == 180.0, -180.0, points[:, 0])
    return np.stack(sheet.to_plane(lon, points[:, 1]), axis=1)


def _senses(part: BaseGeometry) -> list[int]:
    """Steps through the rings of a polygon by which they run clockwise around what they enclose."""
    import shapely

    return [-1 if shapely.is_ccw(ring) else 1 for ring in shapely.get_rings(part)]


def _ring_in_plane(ring: BaseGeometry, sheet: RoundSheet, sense: int) -> Floats:
    """Vertices of a ring that runs clockwise on the ground, dense also where the plane is stretched."""
    import shapely

    points = shapely.get_coordinates(ring)
    for _ in range(HALVINGS):
        vertices = _into_plane(sheet, points)
        start, stop = vertices[:-1], vertices[1:]
        angle = np.hypot(*vertices.T)
        long = np.hypot(*(stop - start).T) > 4.0 * LONGEST_EDGE
        hidden = np.minimum(angle[:-1], angle[1:]) > sheet.reach + LONGEST_STEP
        long &= ~hidden | turned(start, stop)
        if not long.any():
            break
        at = np.flatnonzero(long)
        points = np.insert(points, at + 1, (points[at] + points[at + 1]) / 2.0, axis=0)
    vertices = _into_plane(sheet, points)
    return around_rim(vertices[:-1][::sense])
