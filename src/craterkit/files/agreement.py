"""Whether the geometry of a file still is that of the positions and regions that its columns tell."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from craterkit.coordinates import CoordinateSystem
from craterkit.errors import CRSError, TableError
from craterkit.files.contents import Parts
from craterkit.files.geometry import Drawer
from craterkit.regions import Annulus
from craterkit.tables.features import single_points
from craterkit.tables.row_faults import RowFaults

if TYPE_CHECKING:
    import pyproj
    from numpy.typing import NDArray

    from craterkit.bodies import Body
    from craterkit.files.contents import Contents
    from craterkit.regions import Region
    from craterkit.tables.features import Features

    Floats = NDArray[np.float64]
    Bools = NDArray[np.bool_]
    Objects = NDArray[np.object_]
    Rows = slice | NDArray[np.intp]

__all__ = ["check_points", "check_polygons"]

#: Degrees, or as many on the ground of a map, that a point may be off the position in its columns: other
#: software writes rounded coordinates.
MOVED = 1e-6

#: Share of a polygon's size by which its bounds may be off: releases may draw curves with other vertices.
RESHAPED = 1 / 50


def check_points(
    contents: Contents,
    features: Features,
    which: Rows,
    index: pd.Index[Any],
    body: Body,
    where: str,
) -> None:
    """Refuse points that were moved while the columns still say where they were.

    Parameters
    ----------
    contents : Contents
        What the file holds.
    features : Features
        What its columns say.
    which : slice or ndarray of int
        Rows of the file that are features.
    index : pandas.Index
        Of these rows.
    body : Body
        The body.
    where : str
        The file, for messages.

    Raises
    ------
    TableError
        If a point is off in the system in which it was written, and in the one that the file has now.
    """
    import shapely

    shapes = single_points(contents.geometry[which])
    off = np.flatnonzero(
        (shapely.get_type_id(shapes) == shapely.GeometryType.POINT) & ~shapely.is_empty(shapes)
    )
    for crs in _systems(contents):
        if off.size:
            off = off[~_are_at(shapes[off], features[off], crs, body, where)]
    if off.size:
        fields = contents.description["position"]
        raise TableError(
            f"{where}: points are not where the columns {fields['lon']!r} and {fields['lat']!r} say; make "
            "these what the points are, or move the points back:\n"
            + _listing(
                off,
                index,
                lambda i: f"the point is not at {features.lon[i]:g}, {features.lat[i]:g}",
            )
        )


def _systems(contents: Contents) -> list[pyproj.CRS]:
    """The system in which a file was written, and that into which other software has brought it."""
    import pyproj

    written = pyproj.CRS.from_json_dict(contents.description["geometry"]["crs"])
    now = contents.crs
    return [written] if now is None or now == written else [written, now]


def _listing(off: NDArray[np.intp], index: pd.Index[Any], tell: Any) -> str:  # noqa: ANN401
    rows, bad = RowFaults(index), np.zeros(len(index), dtype=bool)
    bad[off] = True
    rows.refuse(bad, tell)
    return rows.listing()


def _are_at(points: Objects, features: Features, crs: pyproj.CRS, body: Body, where: str) -> Bools:
    """Which points are at the centres of features; none in a system in which none can be."""
    import shapely

    from craterkit.regions.projecting import draw_centres

    near = np.zeros(len(points), dtype=bool)
    try:
        system = CoordinateSystem.from_user_input(crs, body, what=where)
        if not system.is_geographic:
            # Projecting is exact where the inverse, on flattened bodies, is not.
            drawn = draw_centres(features, system)
            slack = np.radians(MOVED) * body.a / crs.axis_info[0].unit_conversion_factor
            near = np.asarray(shapely.distance(points, drawn) <= slack)
    except CRSError:
        return near
    rest = np.flatnonzero(~near)
    lon, lat = system.to_body(shapely.get_x(points[rest]), shapely.get_y(points[rest]))
    east = np.radians(np.mod(lon - features.lon[rest] + 180.0, 360.0) - 180.0)
    y, y0 = np.radians(lat), np.radians(features.lat[rest])
    chord = np.sin((y - y0) / 2) ** 2 + np.cos(y) * np.cos(y0) * np.sin(east / 2) ** 2
    near[rest] = np.degrees(2 * np.arcsin(np.sqrt(np.clip(chord, 0, 1)))) <= MOVED
    return near


def check_polygons(
    contents: Contents,
    features: Features,
    region: Region,
    which: Rows,
    index: pd.Index[Any],
    body: Body,
    where: str,
) -> None:
    """Refuse polygons that are not where, or not as large as, those of the region are.

    Parameters
    ----------
    contents, features, which, index, body, where
        As of `check_points`.
    region : Region
        The region whose polygons the file holds, of the features in their order.

    Raises
    ------
    TableError
        If the bounds of a polygon differ by more than a fiftieth of its size from those of the polygon drawn
        anew, in the system in which it was written and in the one that the file has now.
    """
    import shapely

    shapes = contents.geometry[which]
    bounds = shapely.bounds(shapes)
    off = np.flatnonzero(~(shapely.is_missing(shapes) | shapely.is_empty(shapes)))
    for crs in _systems(contents):
        if crs == body.crs and isinstance(region, Annulus) and off.size:
            off = off[~_alike(bounds[off], _rough_bounds(features[off], region, body))]
        if off.size:
            drawn = _drawn_bounds(features[off], region.take(off), body, crs)
            off = off[~_alike(bounds[off], drawn)]
    if off.size:
        name = contents.description["geometry"]["region"]
        fields = contents.description["position"]
        columns = ", ".join(repr(fields[role]) for role in ("lon", "lat", "radius"))
        raise TableError(
            f"{where}: polygons are not those of region {name!r} for the positions and radii in {columns}. A "
            "region is read from its definition, not from its polygons: change the columns and remove the "
            "geometry of these rows, or put the polygons back; polygons of your own make a region with "
            "add_regions:\n"
            + _listing(
                off,
                index,
                lambda i: (
                    f"the polygon is not that of radius {features.radius[i]:g} m at "
                    f"{features.lon[i]:g}, {features.lat[i]:g}"
                ),
            )
        )


def _drawn_bounds(features: Features, region: Region, body: Body, crs: pyproj.CRS) -> Floats:
    import shapely

    nothing = pd.DataFrame()
    try:
        drawer = Drawer(Parts(body, features, nothing, nothing, {"": region}, crs), crs)
    except CRSError:
        return np.full((len(features), 4), np.nan)
    return np.asarray(shapely.bounds(drawer.draw("")))


def _rough_bounds(features: Features, region: Annulus, body: Body) -> Floats:
    """Bounds in longitude and latitude of what is neither at a pole nor at the seam, else NaN."""
    angle = region.outer * features.radius / body.a
    lat = np.radians(features.lat)
    with np.errstate(invalid="ignore"):
        across = np.degrees(np.arcsin(np.sin(angle) / np.cos(lat)))
    up = np.degrees(angle)
    lon, lat = features.lon, features.lat
    found = np.stack([lon - across, lat - up, lon + across, lat + up], axis=1)
    found[(np.abs(lat) + up >= 90.0) | (np.abs(lon) + across >= 180.0)] = np.nan
    return found


def _alike(bounds: Floats, others: Floats) -> Bools:
    size = np.maximum(others[:, 2] - others[:, 0], others[:, 3] - others[:, 1])
    slack = RESHAPED * size + MOVED
    with np.errstate(invalid="ignore"):
        return np.asarray((np.abs(bounds - others) <= slack[:, None]).all(axis=1))
