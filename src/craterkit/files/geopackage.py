"""GeoPackage: one layer, the description in its metadata."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from craterkit.errors import ArgumentError
from craterkit.files.assembling import is_description
from craterkit.files.holdings import Holds
from craterkit.files.ogr import check_eastward, contents_of_frame, write_layer

if TYPE_CHECKING:
    from pathlib import Path

    from craterkit.files.contents import Contents

__all__ = ["HOLDS", "RESERVED", "check_replaced", "read", "write"]

HOLDS = Holds("milliseconds", infinities=True, geometries=False)
RESERVED = frozenset({"geometry", "fid", "geom", "ogc_fid", "rowid", "oid", "_rowid_"})
KEY = "craterkit"


def write(contents: Contents, path: Path) -> None:
    """Write a GeoPackage of one layer, named as the file."""
    check_eastward(contents.crs, "GeoPackage")
    write_layer(
        contents,
        path,
        "GPKG",
        geometry_name="geom",
        layer_metadata={KEY: json.dumps(contents.description)},
    )


def read(path: Path) -> Contents | None:
    """Read a layer that `write` made, whatever other software has done to it since; None without one."""
    import geopandas as gpd

    found = _described(path)
    if len(found) != 1:
        return None
    ((layer, description),) = found.items()
    table = gpd.read_file(path, engine="pyogrio", layer=layer)
    return contents_of_frame(table, description)


def _described(path: Path) -> dict[str, dict[str, Any]]:
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
    return found


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
