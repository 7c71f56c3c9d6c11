"""Shapes in the plane of angles and directions around a map's centre, and from there onto the map."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from craterkit.regions.drawing import areas

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry

    from craterkit.regions.map_sheets import RoundSheet

    Floats = NDArray[np.float64]
    Bools = NDArray[np.bool_]

__all__ = [
    "LONGEST_STEP",
    "around_rim",
    "doubled_area",
    "filled_ring",
    "ground_of",
    "mended",
    "onto_map",
    "rim",
    "turned",
]

#: Longest step, degrees, between the vertices of a curve that a round sheet cuts, and vertices of its rim.
LONGEST_STEP, RIM = 0.5, 1440

#: Widest shapes, radians of direction from the centre, that lie before a part of the rim only, and the share
#: of their width by which that part is wider.
WIDEST, WEDGE = 3.0, 0.01

#: Degrees of direction from a map's centre through which its rim is followed.
TURNED = 5.0


def mended(shape: BaseGeometry) -> BaseGeometry:
    """A shape whose edges touch where the map has a point for a pole, or rounding lets them."""
    import shapely

    return areas(shapely.make_valid(shape, method="structure", keep_collapsed=False))


def doubled_area(x: Floats, y: Floats) -> Floats:
    """Twice the areas of (n, k) rings, above 0 if they run anticlockwise."""
    x, y = x - x[:, :1], y - y[:, :1]
    return np.asarray((x * np.roll(y, -1, axis=1) - np.roll(x, -1, axis=1) * y).sum(axis=1))


def turned(vertices: Floats, following: Floats) -> Bools:
    """Whether steps lead to clearly another direction from the centre."""
    lengths = np.hypot(*vertices.T) * np.hypot(*following.T)
    return np.asarray((vertices * following).sum(axis=1) < np.cos(np.radians(TURNED)) * lengths)


def around_rim(vertices: Floats) -> Floats:
    """A ring in the plane of a round sheet, whose steps past the far side of the body go around it."""
    following = np.roll(vertices, -1, axis=0)
    outside = np.minimum(np.hypot(*vertices.T), np.hypot(*following.T)) > 90.0
    parts, begin = [], 0
    for at in np.flatnonzero(outside & turned(vertices, following)).tolist():
        start, stop = (np.arctan2(point[0], point[1]) for point in (vertices[at], following[at]))
        turn = np.mod(stop - start + np.pi, 2.0 * np.pi) - np.pi
        azimuth = start + turn * np.linspace(0.0, 1.0, RIM // 2)
        angle = min(np.hypot(*vertices[at]), np.hypot(*following[at]))
        arc = angle * np.stack([np.sin(azimuth), np.cos(azimuth)], axis=1)
        parts += [vertices[begin : at + 1], arc[1:-1]]
        begin = at + 1
    return np.concatenate([*parts, vertices[begin:]])


def rim(angle: float) -> BaseGeometry:
    """The ground within an angle of the centre, in the plane of a round sheet."""
    import shapely

    turn = np.radians(np.arange(RIM) * (360.0 / RIM))
    return shapely.Polygon(np.stack([angle * np.sin(turn), angle * np.cos(turn)], axis=1))


def ground_of(vertices: Floats) -> BaseGeometry:
    """What a ring encloses in its plane."""
    import shapely

    polygon = shapely.Polygon(vertices)
    return polygon if polygon.is_valid else areas(shapely.make_valid(polygon))


def filled_ring(vertices: Floats, whole: bool = False) -> BaseGeometry:
    """What a ring that runs clockwise encloses, in the plane of a round sheet.

    A ring that runs anticlockwise there encloses the far side of the body.
    """
    import shapely

    if whole:
        return rim(180.0)
    ground = ground_of(vertices)
    if doubled_area(vertices[None, :, 0], vertices[None, :, 1])[0] <= 0:
        return ground
    return shapely.difference(rim(180.0), ground)


def _rim_before(shape: BaseGeometry, angle: float) -> BaseGeometry:
    """The ground within an angle of the centre, as far as a shape needs it.

    A globe seen from afar foreshortens the ground at its rim, so that chords across it leave out much of a
    small shape unless they are short.
    """
    import shapely

    points = shapely.get_coordinates(shape)
    middle = points.mean(axis=0)
    azimuth = np.arctan2(middle[0], middle[1])
    off = np.mod(np.arctan2(points[:, 0], points[:, 1]) - azimuth + np.pi, 2.0 * np.pi) - np.pi
    low, high = off.min(), off.max()
    wider = WEDGE * (high - low)
    if high - low > WIDEST or np.hypot(*points.T).min() == 0.0:
        return rim(angle)
    turn = azimuth + np.linspace(low - wider, high + wider, RIM // 4)
    arc = angle * np.stack([np.sin(turn), np.cos(turn)], axis=1)
    return shapely.Polygon(np.concatenate([[[0.0, 0.0]], arc]))


def onto_map(shape: BaseGeometry, sheet: RoundSheet) -> BaseGeometry:
    """What a map shows of a shape in the plane of its sheet, on the map."""
    import shapely

    if shape.is_empty:
        return shape
    shape = areas(shapely.intersection(shape, _rim_before(shape, sheet.reach)))

    def project(points: Floats) -> Floats:
        return np.stack(sheet.to_map(*sheet.from_plane(points[:, 0], points[:, 1])), axis=1)

    drawn = shapely.transform(shapely.segmentize(shape, LONGEST_STEP), project)
    return shapely.normalize(drawn if drawn.is_valid else mended(drawn))
