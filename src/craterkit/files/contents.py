"""What a file of a database holds: plain columns, one geometry, and a description of what they are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from craterkit.errors import RegionError
from craterkit.files.definitions import body_to_json, region_to_json
from craterkit.files.fields import Fields, label_to_json
from craterkit.files.given import given_columns
from craterkit.tables.carried import kept_columns
from craterkit.tables.positions import REGION_COLUMNS

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping, Sequence

    import pyproj
    from numpy.typing import NDArray

    from craterkit.bodies import Body
    from craterkit.files.holdings import Holds
    from craterkit.regions import Region
    from craterkit.tables.features import Features

    Objects = NDArray[np.object_]

__all__ = ["VERSION", "Contents", "Parts", "check_region", "contents_of"]

#: Of the description. A later one that older releases cannot read has a higher number.
VERSION = 1


@dataclass(frozen=True)
class Parts:
    """What a database is made of.

    Attributes
    ----------
    body : Body
        The body.
    features : Features
        Positions and radii.
    table : pandas.DataFrame
        The table that it was made from.
    columns : pandas.DataFrame
        The table with what the user has changed and added in `data`.
    regions : mapping
        Regions by name.
    crs : pyproj.CRS
        The system of its centres and polygons.
    """

    body: Body
    features: Features
    table: pd.DataFrame
    columns: pd.DataFrame
    regions: Mapping[str, Region]
    crs: pyproj.CRS


@dataclass(frozen=True)
class Contents:
    """What a file of a database holds.

    Attributes
    ----------
    columns : pandas.DataFrame
        Plain columns, named by texts, with the index 0, 1, 2, ...
    geometry : (n,) ndarray of shapely geometries
        None where a row has none.
    crs : pyproj.CRS or None
        Of the geometry.
    description : dict
        What the columns are: what JSON can hold.
    """

    columns: pd.DataFrame
    geometry: Objects
    crs: pyproj.CRS | None
    description: dict[str, Any]


def contents_of(
    parts: Parts,
    geometry: Objects,
    crs: pyproj.CRS,
    region: str | None,
    *,
    holds: Holds,
    reserved: frozenset[str],
    where: str,
    keep_cols: Sequence[Hashable] | None = None,
    drawn: Mapping[str, Objects] | None = None,
) -> Contents:
    """What a file of these parts of a database holds.

    Parameters
    ----------
    parts : Parts
        The database.
    geometry, crs
        The centres, or the polygons of `region`, and their system.
    region : str or None
        The region whose polygons `geometry` holds.
    holds, reserved, where
        What the columns of the file can hold, which names it has no place for, and what messages call it.
    keep_cols : sequence of labels, optional
        Columns of the table to write; all by default.
    drawn : mapping, optional
        Polygons of regions by name, to be written as texts (WKT) in columns ``<name>_wkt``.

    Raises
    ------
    ColumnError
        If there is no such column, or a label cannot be written.
    ArgumentError
        If columns cannot be written.
    RegionError
        If a region cannot be written.
    """
    from craterkit import __version__

    fields = Fields(holds, reserved, where)
    source = pd.DataFrame(parts.columns)
    added = [label not in parts.table.columns for label in source.columns]
    kept = _kept(source, added, keep_cols)
    described: list[dict[str, Any]] = []
    for place, is_added in kept:
        label = source.columns[place]
        known = {"label": label_to_json(label)} | ({"added": True} if is_added else {})
        described.append(known | fields.add(label, source.iloc[:, place], f"column {label!r}"))
    fields.settle()
    labels = [source.columns[place] for place, _ in kept]
    position = fields.add_positions(parts.features, labels)
    description: dict[str, Any] = {
        "content": "database",
        "version": VERSION,
        "craterkit": __version__,
        "body": body_to_json(parts.body),
        "position": position,
        "given": given_columns(
            [
                (label, entry["field"], fields.columns[entry["field"]])
                for label, entry in zip(labels, described, strict=True)
                if entry["field"] not in position.values()
            ],
            parts.features,
            parts.body,
        ),
        "columns": described,
        "column_names": [label_to_json(name) for name in source.columns.names],
        "table": _kind(parts.table),
        "index": _index(fields, parts.table.index),
        "regions": [_region(fields, name, found) for name, found in parts.regions.items()],
        "crs": parts.crs.to_json_dict(),
        "geometry": {"region": region, "crs": crs.to_json_dict()},
    }
    if region is not None:
        found = fields.add(
            REGION_COLUMNS[0],
            pd.Series([region] * len(parts.features), dtype=object),
            "the region's name",
        )
        description["drawn"] = [found["field"]]
    if drawn:
        import shapely

        for name, polygons in drawn.items():
            texts = pd.Series(shapely.to_wkt(polygons, rounding_precision=-1), dtype=object)
            found = fields.add(f"{name}_wkt", texts, f"region {name!r}")
            description.setdefault("drawn", []).append(found["field"])
    fields.settle()
    columns = pd.DataFrame(fields.columns, index=pd.RangeIndex(len(parts.features)))
    return Contents(columns, geometry, crs, description)


def _kept(
    source: pd.DataFrame, added: list[bool], keep_cols: Sequence[Hashable] | None
) -> list[tuple[int, bool]]:
    """Places of the columns to write, and whether each is the user's addition."""
    kept = set(kept_columns(source, keep_cols, "keep_cols").columns)
    return [pair for pair in enumerate(added) if source.columns[pair[0]] in kept]


def _kind(table: pd.DataFrame) -> dict[str, Any]:
    """Whether a table has geometries, and which of its columns is the active one."""
    if not hasattr(table, "active_geometry_name"):
        return {"geometries": False}
    active: Any = table.active_geometry_name
    return {"geometries": True, "active": None if active is None else label_to_json(active)}


def _index(fields: Fields, index: pd.Index[Any]) -> dict[str, Any]:
    names = [label_to_json(name) for name in index.names]
    if isinstance(index, pd.RangeIndex):
        return {"names": names, "range": [index.start, index.stop, index.step]}
    several = isinstance(index, pd.MultiIndex)
    levels = []
    for number, name in enumerate(index.names):
        own = "index" if not several else f"index_{number}"
        values = pd.Series(index.get_level_values(number))
        levels.append(fields.add(own if name is None else name, values, "the index"))
    return {"names": names, "levels": levels, "several": several}


def _region(fields: Fields, name: str, region: Region) -> dict[str, Any]:
    found = region_to_json(name, region)
    entry: dict[str, Any] = {"name": name, "definition": found.definition}
    for part, values in found.columns.items():
        if values.dtype == object:
            import geopandas as gpd

            column = pd.Series(gpd.GeoSeries(values))
        else:
            column = pd.Series(values)
        added = fields.add(f"{name}_{part}", column, f"region {name!r}")
        entry.setdefault("columns", {})[part] = added
    return entry


def check_region(region: object, regions: Mapping[str, Region]) -> None:
    """Refuse a region that does not exist.

    Raises
    ------
    RegionError
        If it does not.
    """
    if region is not None and (not isinstance(region, str) or region not in regions):
        known = ", ".join(map(repr, regions)) or "none yet; see add_circles and add_annuli"
        raise RegionError(f"there is no region {region!r}; known: {known}")
