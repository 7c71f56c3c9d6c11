"""Databases of what their files hold."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from craterkit.errors import CraterkitError, TableError
from craterkit.files.agreement import check_points, check_polygons
from craterkit.files.contents import VERSION, Parts
from craterkit.files.definitions import body_from_json, region_from_json
from craterkit.files.fields import label_from_json, restored, restored_index
from craterkit.files.given import check_given
from craterkit.tables.positions import place_features

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from craterkit.files.contents import Contents
    from craterkit.regions import Region

__all__ = ["fields_of", "is_description", "parts_of"]

Json = dict[str, Any]


def is_description(found: object) -> bool:
    """Whether what a file says of itself is that it holds a database."""
    return isinstance(found, dict) and found.get("content") == "database"


def parts_of(contents: Contents, where: str, *, errors: str) -> Parts:
    """The parts of the database that was written.

    Parameters
    ----------
    contents : Contents
        What the file holds. Rows and columns may have been added and taken away by other software.
    where : str
        The file, for messages.
    errors : {"raise", "drop"}
        Whether rows with impossible positions are an error, or are dropped with a warning.

    Raises
    ------
    TableError
        If the description is of a later version, the columns of positions are lost or contradict others
        that gave positions and sizes, points or polygons were moved, or what a region says of every
        feature is lost.
    FeatureError
        If rows, which other software has added, have no possible position or radius.
    """
    described = contents.description
    if described.get("version") != VERSION:
        raise TableError(
            f"{where} was written by craterkit {described.get('craterkit', '?')}, whose files this "
            "release does not know; install a later one"
        )
    try:
        return _parts(contents, where, errors)
    except (CraterkitError, MemoryError):
        raise
    except Exception as error:  # of pyproj, pandas and Arrow, which have no common base
        raise TableError(
            f"{where}: its description as a database is damaged ({error!r}); to read it as any other table, "
            'say how: body=, and for example units="m"'
        ) from error


def _parts(contents: Contents, where: str, errors: str) -> Parts:
    import pyproj

    described, file = contents.description, contents.columns
    body = body_from_json(described["body"])
    index = restored_index(file, described["index"])
    positions = _positions(file, described["position"], where).set_axis(index)
    features, keep, *_ = place_features(
        positions,
        body,
        "planetocentric",
        "m",
        lat_col="lat",
        lon_col="lon",
        rad_col="radius_m",
        diam_col=None,
        errors=errors,
    )
    which: slice | NDArray[np.intp] = slice(None) if keep.all() else np.flatnonzero(keep)
    regions = {entry["name"]: _region(file, entry).take(which) for entry in described["regions"]}
    check_given(file, described, features, which, index[which], body, where)
    drawn = described["geometry"]["region"]
    if drawn is None:
        check_points(contents, features, which, index[which], body, where)
    else:
        check_polygons(contents, features, regions[drawn], which, index[which], body, where)
    table, added = _tables(file, described, index)
    table, added = (frame if keep.all() else frame[keep].copy() for frame in (table, added))
    columns = pd.concat([pd.DataFrame(table), added], axis=1) if added.shape[1] else table
    crs = pyproj.CRS.from_json_dict(described["crs"])
    return Parts(body, features, table, columns, regions, crs)


def _positions(file: pd.DataFrame, fields: Json, where: str) -> pd.DataFrame:
    lost = [name for name in fields.values() if name not in file]
    if lost:
        raise TableError(
            f"{where} has lost {', '.join(map(repr, lost))}, of which its positions and radii were; to read it "
            'as any other table, say how: body=, and for example units="m"'
        )
    roles = {"lon": "lon", "lat": "lat", "radius": "radius_m"}
    return pd.DataFrame({name: file[fields[role]] for role, name in roles.items()})


def _tables(
    file: pd.DataFrame, described: Json, index: pd.Index[Any]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The table, and the columns that the user had added to `data`."""
    found: dict[bool, list[tuple[Any, Any]]] = {False: [], True: []}
    for entry in described["columns"]:
        column = restored(file, entry)
        if column is not None:
            added = bool(entry.get("added"))
            found[added].append((label_from_json(entry["label"]), column))
    names = fields_of(described)
    for name in file.columns:
        if name not in names:
            found[False].append((name, file[name]))
    table = _joined(found[False], index)
    labels = [label_from_json(name) for name in described["column_names"]]
    if len(labels) == table.columns.nlevels:
        table.columns = table.columns.set_names(labels)
    return _kind(table, described["table"]), _joined(found[True], index)


def placing_labels(described: Json) -> list[Any]:
    """The columns of the table that hold positions or sizes."""
    holding = {*described["position"].values(), *(e["field"] for e in described.get("given", []))}
    return [label_from_json(e["label"]) for e in described["columns"] if e["field"] in holding]


def fields_of(described: Json) -> set[str]:
    """All columns of the file that it was written with."""
    entries = [*described["columns"], *described["index"].get("levels", [])]
    entries += [e for region in described["regions"] for e in region.get("columns", {}).values()]
    names = {entry["field"] for entry in entries}
    return names | {*described["position"].values()} | {*described.get("drawn", [])}


def _joined(columns: list[tuple[Any, Any]], index: pd.Index[Any]) -> pd.DataFrame:
    if not columns:
        return pd.DataFrame(index=index)
    # Labels may occur twice, so that they are given to a whole frame.
    joined = pd.concat([pd.DataFrame(column) for _, column in columns], axis=1)
    joined = pd.DataFrame(joined)
    joined.index = index
    labels = [label for label, _ in columns]
    several = all(isinstance(label, tuple) for label in labels)
    joined.columns = (
        pd.MultiIndex.from_tuples(labels) if several else pd.Index(labels, tupleize_cols=False)
    )
    return joined


def _kind(table: pd.DataFrame, described: Json) -> pd.DataFrame:
    if not described["geometries"]:
        return table
    import geopandas as gpd

    active = described["active"]
    label = None if active is None else label_from_json(active)
    made = gpd.GeoDataFrame(table)
    return made if label is None or label not in table else made.set_geometry(label)


def _region(file: pd.DataFrame, entry: Json) -> Region:
    import shapely

    def column(part: str) -> NDArray[Any] | None:
        found = entry.get("columns", {}).get(part)
        values = None if found is None else restored(file, found)
        if values is None:
            return None
        if values.dtype.name != "geometry":
            return values.to_numpy(dtype=np.float64, na_value=np.nan)
        shapes = np.asarray(values.array, dtype=object)
        return np.where(shapely.is_missing(shapes), shapely.Polygon(), shapes)

    return region_from_json(entry["name"], entry["definition"], column)
