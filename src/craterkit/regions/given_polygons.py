"""Polygons from what a user gives: any coordinate system of the body, any order of rows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from craterkit.coordinates import CoordinateSystem
from craterkit.crs_reading import with_lost_axes
from craterkit.errors import RegionError
from craterkit.regions import Polygons
from craterkit.regions.drawing import Plane, Ring, Rings, areas
from craterkit.tables.feature_values import in_order
from craterkit.tables.row_faults import RowFaults

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry

    from craterkit.bodies import Body

    Floats = NDArray[np.float64]
    Ints = NDArray[np.intp]
    Bools = NDArray[np.bool_]
    Objects = NDArray[np.object_]

__all__ = ["polygons_on_body", "read_polygons"]

#: How far edges may stray from the straight line in their own system, as a share of their ring's size, and
#: how often they are halved for that.
STRAY, HALVINGS = 1e-5, 24

#: Where edges are compared with straight lines. One place would miss curves that cross them there.
PROBES = (0.5, 0.25)

#: Degrees beyond a pole or a whole turn that are rounding.
ROUNDING = 1e-9

#: Longest step in longitude, degrees, of rings that are no case for `Plane`.
PLAIN_STEP = 90.0


def read_polygons(
    polygons: object, body: Body, index: pd.Index[Any], *, errors: str = "raise"
) -> Polygons:
    """Polygons of features from geometries; see `CraterDatabase.add_regions`.

    Parameters
    ----------
    polygons : GeoSeries, GeoDataFrame, pandas.Series, array or sequence
        Shapely Polygons and MultiPolygons, one for each feature.
    body : Body
        The body.
    index : pandas.Index
        The index of the features' table.
    errors : {"raise", "drop"}, default "raise"
        Whether rows without a usable polygon are an error, or get an empty one with a warning.

    Returns
    -------
    Polygons

    Raises
    ------
    RegionError
        If there is not one geometry for each feature, or rows have none that can be an ROI.
    CRSError
        If their coordinate system is not of the body.
    """
    geometries, crs = _geometries(polygons, index)
    system = CoordinateSystem(body=body)
    if crs is not None:
        system = CoordinateSystem.from_user_input(
            crs, body, what="polygons", argument="the polygons' crs"
        )
    rows = RowFaults(index)
    drawn = polygons_on_body(geometries, [system], np.zeros(len(index), dtype=np.intp), rows)
    rows.settle(
        errors,
        RegionError,
        refusal="have no polygon that can be an ROI",
        advice="leaves their ROIs empty",
        notice="have no polygon that can be an ROI; their ROIs are empty",
        stacklevel=3,
    )
    return Polygons(drawn)


def polygons_on_body(
    geometries: Objects,
    systems: Sequence[CoordinateSystem],
    which: Ints,
    rows: RowFaults,
    what: str = "it",
    *,
    are_needed: bool = True,
) -> Objects:
    """Polygons in planetocentric longitude and latitude, cut at ±180 degrees.

    Parameters
    ----------
    geometries : (n,) ndarray of objects
        One for each row.
    systems : sequence of CoordinateSystem
        The systems that they are in.
    which : (n,) ndarray of int
        Which of these each is in.
    rows : RowFaults
        Where rows are noted whose geometry is no valid polygon on the body.
    what : str, default "it"
        What messages call a geometry.
    are_needed : bool, default True
        Whether a row without a geometry, or with an empty one, is wrong.

    Returns
    -------
    (n,) ndarray of shapely geometries
        Empty for rows that something is wrong with.
    """
    _check(rows, geometries, what, are_needed=are_needed)
    drawn = np.full(len(geometries), _nothing(), dtype=object)
    for number, system in enumerate(systems):
        good = np.flatnonzero(rows.keep & (which == number))
        if not good.size:
            continue
        drawn[good], faults = _on_body(geometries[good], system)
        for text, bad in faults.items():
            refused = np.zeros(len(geometries), dtype=bool)
            refused[good[bad]] = True
            rows.refuse(refused, lambda i, text=text: f"{what} {text}")  # type: ignore[misc]
    drawn[~rows.keep] = _nothing()
    return drawn


def _nothing() -> BaseGeometry:
    import shapely

    return shapely.Polygon()


def _geometries(polygons: Any, index: pd.Index[Any]) -> tuple[Objects, object]:  # noqa: ANN401
    """Geometries in the order of the rows, and their CRS if they have one."""
    import geopandas as gpd
    import shapely

    if isinstance(polygons, gpd.GeoDataFrame):
        if polygons.active_geometry_name is None:
            raise RegionError("polygons is a GeoDataFrame without a geometry")
        polygons = polygons.geometry
    crs = with_lost_axes(getattr(polygons, "crs", None))
    if isinstance(polygons, pd.Series):
        polygons = in_order(polygons, index, "polygons").array
    elif (
        isinstance(polygons, str | shapely.Geometry | pd.DataFrame)
        or not isinstance(polygons, Iterable)
        or np.ndim(polygons) > 1  # type: ignore[arg-type]
    ):
        raise RegionError(
            "polygons must be a GeoSeries, or a sequence of one polygon for each feature, not "
            f"{type(polygons).__name__}"
        )
    values = list(polygons)
    if len(values) != len(index):
        raise RegionError(
            f"polygons must hold one for each of the {len(index)} features, but holds {len(values)}"
        )
    geometries = np.empty(len(values), dtype=object)
    geometries[:] = values
    return geometries, crs


def _check(rows: RowFaults, geometries: Objects, what: str, *, are_needed: bool) -> None:
    """Refuse what is no valid polygon."""
    import shapely

    missing = np.asarray(pd.isna(geometries), dtype=bool)
    shaped = shapely.is_geometry(geometries)
    polygonal = shaped.copy()
    polygonal[shaped] = np.isin(
        shapely.get_type_id(geometries[shaped]),
        (shapely.GeometryType.POLYGON, shapely.GeometryType.MULTIPOLYGON),
    )
    empty, invalid = np.zeros((2, geometries.size), dtype=bool)
    empty[polygonal] = shapely.is_empty(geometries[polygonal])
    invalid[polygonal] = ~shapely.is_valid(geometries[polygonal])

    def kind(i: int) -> str:
        return f"{what} is a {getattr(geometries[i], 'geom_type', type(geometries[i]).__name__)}"

    if are_needed:
        rows.refuse(missing, lambda i: f"{what} is missing")
        rows.refuse(empty, lambda i: f"{what} is empty")
    rows.refuse(~missing & ~polygonal, lambda i: f"{kind(i)}, not a Polygon or MultiPolygon")
    rows.refuse(
        invalid,
        lambda i: f"{what} is invalid ({shapely.is_valid_reason(geometries[i])}); see make_valid",
    )


@dataclass(slots=True)
class _Traced:
    """Vertices of many rings, in their own system and on the body; none is repeated at the end."""

    x: Floats
    y: Floats
    lon: Floats
    lat: Floats
    ring: Ints

    @property
    def first(self) -> Ints:
        """Where each ring begins."""
        return np.flatnonzero(np.diff(self.ring, prepend=-1))

    @property
    def following(self) -> Ints:
        """The next vertex of each vertex."""
        following = np.arange(1, self.ring.size + 1)
        first = self.first
        following[np.append(first[1:], self.ring.size) - 1] = first
        return following


def _on_body(geometries: Objects, system: CoordinateSystem) -> tuple[Objects, dict[str, Bools]]:
    """Geometries on the body, cut at ±180 degrees, and what is wrong with which of them."""
    import shapely

    parts, part_of = shapely.get_parts(geometries, return_index=True)
    lines, ring_part = shapely.get_rings(parts, return_index=True)
    ring_of = part_of[ring_part]
    traced = _trace(lines, system)
    first, following = traced.first, traced.following

    def of_rings(bad: Bools) -> Bools:
        """Which geometries have a vertex for which something holds."""
        out = np.zeros(geometries.size, dtype=bool)
        out[ring_of[traced.ring[bad]]] = True
        return out

    off = of_rings(~(np.isfinite(traced.lon) & np.isfinite(traced.lat)))
    beyond = of_rings(np.abs(traced.lat) > 90.0 + ROUNDING)
    traced.lat = np.clip(traced.lat, -90.0, 90.0)
    lon, special = traced.lon, off | beyond
    if not system.is_geographic:
        steps = _half_turn(traced.lon[following] - traced.lon)
        around = np.add.reduceat(np.nan_to_num(steps), first)
        run = np.cumsum(np.nan_to_num(steps)) - np.nan_to_num(steps)
        unwrapped = traced.lon[first][traced.ring] + run - run[first][traced.ring]
        lon = traced.lon + 360.0 * np.round((unwrapped - traced.lon) / 360.0)
        odd = (np.abs(around) > 1.0) | (
            _area(lon, traced.lat, first, following) * _clockwise(traced, system) > 0
        )
        special = special | of_rings(odd[traced.ring] | (np.abs(steps) > PLAIN_STEP))
    wide = ~special
    wide[wide] = _width(lon, ring_of[traced.ring], geometries.size)[wide] > 360.0 + ROUNDING
    out = np.full(geometries.size, _nothing(), dtype=object)
    plain = ~special & ~wide
    if plain.any():
        out[plain] = _built(lon, traced.lat, traced.ring, ring_part, part_of, plain)
    plane = Plane()
    west, _, east, _ = shapely.bounds(out).T
    crooked = plain & ~((west >= -180.0) & (east <= 180.0) & shapely.is_valid(out))
    for i in np.flatnonzero(crooked):
        out[i] = plane.cut(out[i])
    for i in np.flatnonzero(special & ~off & ~beyond):
        rings = np.flatnonzero(ring_of == i)
        out[i] = _ground(plane, traced, rings, ring_part[rings], _clockwise(traced, system))
    return out, {
        "reaches beyond a latitude of ±90 degrees": beyond,
        "reaches beyond the edge of its map projection": off,
        "spans more than 360 degrees of longitude": wide,
    }


def _half_turn(degrees: Floats) -> Floats:
    return np.mod(degrees + 180.0, 360.0) - 180.0


def _trace(lines: Objects, system: CoordinateSystem) -> _Traced:
    """Rings on the body, with vertices added so that edges are straight in their own system."""
    import shapely

    points, ring = shapely.get_coordinates(lines, return_index=True)
    # Rings repeat their first vertex at the end.
    kept = np.append(ring[1:] == ring[:-1], False)
    (x, y), ring = points[kept].T.copy(), ring[kept]
    lon, lat = system.to_body(x, y)
    traced = _Traced(x, y, lon, lat, ring)
    tolerance = STRAY * _extent(traced)
    open_edges = np.ones(x.size, dtype=bool)
    for _ in range(HALVINGS):
        at = np.flatnonzero(open_edges)
        to = traced.following[at]
        stray = np.zeros(at.size)
        for share in PROBES:
            stray = np.fmax(stray, _stray(traced, at, to, share, system))
        far = stray > tolerance[traced.ring[at]]
        at, to = at[far], to[far]
        if not at.size:
            break
        x, y = (traced.x[at] + traced.x[to]) / 2, (traced.y[at] + traced.y[to]) / 2
        lon, lat = system.to_body(x, y)
        open_edges = np.zeros(traced.x.size, dtype=bool)
        open_edges[at] = True
        open_edges = np.insert(open_edges, at + 1, True)
        traced = _Traced(
            np.insert(traced.x, at + 1, x),
            np.insert(traced.y, at + 1, y),
            np.insert(traced.lon, at + 1, lon),
            np.insert(traced.lat, at + 1, lat),
            np.insert(traced.ring, at + 1, traced.ring[at]),
        )
    return traced


def _stray(traced: _Traced, at: Ints, to: Ints, share: float, system: CoordinateSystem) -> Floats:
    """Degrees on the ground from edges to straight lines of longitude and latitude, at one place."""
    lon, lat = system.to_body(
        traced.x[at] + share * (traced.x[to] - traced.x[at]),
        traced.y[at] + share * (traced.y[to] - traced.y[at]),
    )
    step = traced.lon[to] - traced.lon[at]
    if not system.is_geographic:
        step = _half_turn(step)
    aside = lon - (traced.lon[at] + share * step)
    if not system.is_geographic:
        aside = _half_turn(aside)
    along = lat - (traced.lat[at] + share * (traced.lat[to] - traced.lat[at]))
    return np.hypot(aside * np.cos(np.radians(lat)), along)


def _extent(traced: _Traced) -> Floats:
    """Size of each ring, degrees on the ground."""
    lon, lat = np.radians(traced.lon), np.radians(traced.lat)
    places = np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)], axis=1)
    high = np.fmax.reduceat(places, traced.first, axis=0)
    low = np.fmin.reduceat(places, traced.first, axis=0)
    return np.degrees(np.sqrt(((high - low) ** 2).sum(axis=1)))


def _area(x: Floats, y: Floats, first: Ints, following: Ints) -> Floats:
    """Area of rings in a plane, above 0 if they run anticlockwise."""
    # About the first vertex of each, lest small rings far from the origin drown.
    counts = np.diff(np.append(first, x.size))
    x, y = x - np.repeat(x[first], counts), y - np.repeat(y[first], counts)
    return np.add.reduceat(x * y[following] - x[following] * y, first) / 2.0


def _clockwise(traced: _Traced, system: CoordinateSystem) -> Floats:
    """1 for rings that run clockwise on the ground around what they enclose on the map, else -1."""
    area = _area(traced.x, traced.y, traced.first, traced.following)
    return -np.sign(area) * system.longitude_sign


def _width(lon: Floats, geometry: Ints, size: int) -> Floats:
    west, east = np.full(size, np.inf), np.full(size, -np.inf)
    np.fmin.at(west, geometry, lon)
    np.fmax.at(east, geometry, lon)
    return east - west


def _built(
    lon: Floats, lat: Floats, ring: Ints, ring_part: Ints, part_of: Ints, wanted: Bools
) -> Objects:
    """Polygons and MultiPolygons of the wanted geometries, from vertices of rings."""
    import shapely

    own = wanted[part_of[ring_part[ring]]]
    _, ring_number = np.unique(ring[own], return_inverse=True)
    lines = shapely.linearrings(np.stack([lon[own], lat[own]], axis=1), indices=ring_number)
    _, part_number = np.unique(ring_part[wanted[part_of[ring_part]]], return_inverse=True)
    parts = shapely.polygons(lines, indices=part_number)
    _, number = np.unique(part_of[wanted[part_of]], return_inverse=True)
    single = np.bincount(number)[number] == 1
    out = np.empty(np.count_nonzero(wanted), dtype=object)
    out[number[single]] = parts[single]
    if not single.all():
        several, own_number = np.unique(number[~single], return_inverse=True)
        out[several] = shapely.multipolygons(parts[~single], indices=own_number)
    return out


def _ground(
    plane: Plane, traced: _Traced, rings: Ints, part: Ints, clockwise: Floats
) -> BaseGeometry:
    """One geometry whose rings hold poles or cross the seam of longitude."""
    import shapely

    curves = []
    for number in rings:
        begin, end = np.searchsorted(traced.ring, [number, number + 1])
        along = slice(None) if clockwise[number] > 0 else slice(None, None, -1)
        curve = Rings.through(
            traced.lon[begin:end][along][None], traced.lat[begin:end][along][None]
        )
        curves.append(Ring.of(curve, 0))
    starts = np.flatnonzero(np.diff(part, prepend=-1))
    shapes = [
        plane.ground(curves[start], curves[start + 1 : stop])
        for start, stop in zip(starts, [*starts[1:], len(curves)], strict=True)
    ]
    return areas(shapely.union_all(shapes))
