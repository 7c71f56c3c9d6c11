"""GeoPackage: one layer, the description in its metadata."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from craterkit.errors import ArgumentError, TableError
from craterkit.files.assembling import is_description
from craterkit.files.holdings import Holds
from craterkit.files.ogr import check_eastward, check_width, contents_of_frame, write_layer

if TYPE_CHECKING:
    from pathlib import Path

    from craterkit.files.contents import Contents

__all__ = ["HOLDS", "RESERVED", "check_replaced", "described", "read", "write"]

HOLDS = Holds("milliseconds", infinities=True, geometries=False)
RESERVED = frozenset({"geometry", "fid", "geom", "ogc_fid", "rowid", "oid", "_rowid_"})
KEY = "craterkit"

#: SQLite's 2000, less those of the number and the geometry of a row.
MOST_COLUMNS = 1998


def write(contents: Contents, path: Path) -> None:
    """Write a GeoPackage of one layer, named as the file.

    Raises
    ------
    ArgumentError
        If there are more columns than it holds.
    CRSError
        If longitude counts westward.
    """
    check_eastward(contents.crs, "GeoPackage")
    check_width(contents, MOST_COLUMNS, "a GeoPackage")
    plain = re.match(r"(?!gpkg|sqlite_|rtree_)\w", path.stem, re.IGNORECASE)
    write_layer(
        contents,
        path,
        "GPKG",
        layer=path.stem if plain else f"craters_{path.stem}",
        geometry_name="geom",
        layer_metadata={KEY: json.dumps(contents.description)},
    )


def read(path: Path, found: dict[str, dict[str, Any]]) -> Contents:
    """Read a layer that `write` made, whatever other software has done to it since, with its description.

    Raises
    ------
    TableError
        If there is more than one.
    """
    import geopandas as gpd

    if len(found) > 1:
        raise TableError(
            f"{path} holds {len(found)} databases, in the layers {', '.join(found)}; keep one of them in a "
            "file, or read one with geopandas.read_file(path, layer=...) and pass the GeoDataFrame"
        )
    ((layer, description),) = found.items()
    table = gpd.read_file(path, engine="pyogrio", layer=layer)
    return contents_of_frame(table, description)


def described(path: Path) -> dict[str, dict[str, Any]] | None:
    """The layers that hold a database, and their descriptions; None without one."""
    import pyogrio  # type: ignore[import-untyped]

    found = {}
    for layer in pyogrio.list_layers(path)[:, 0]:
        metadata = pyogrio.read_info(path, layer=layer)["layer_metadata"] or {}
        try:
            description = json.loads(metadata.get(KEY, "null"))
        except ValueError:
            continue
        if is_description(description):
            found[str(layer)] = description
    return found or None


def check_replaced(path: Path) -> None:
    """Refuse to replace a GeoPackage in which other things would be lost, or which is being edited.

    Raises
    ------
    ArgumentError
        If it holds more than one layer, or other software has it open with changes.
    """
    import pyogrio

    log = path.with_name(f"{path.name}-wal")
    if log.exists() and log.stat().st_size:
        raise ArgumentError(
            f"{str(path)!r} is open in other software, which has changed it; close it there first"
        )
    try:
        layers = pyogrio.list_layers(path)[:, 0].tolist()
    except Exception:  # what cannot be read has nothing to lose
        return
    if len(layers) > 1:
        raise ArgumentError(
            f"{str(path)!r} holds {len(layers)} layers ({', '.join(layers)}), which would be lost; "
            "choose another name or delete it"
        )
