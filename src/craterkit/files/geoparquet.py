"""GeoParquet: geometries as WKB, the description in the file's metadata."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from craterkit.errors import ArgumentError
from craterkit.files.assembling import is_description
from craterkit.files.holdings import Holds
from craterkit.files.ogr import contents_of_frame
from craterkit.results.parquet import arrow_table
from craterkit.results.result_files import METADATA_KEY, description

if TYPE_CHECKING:
    from pathlib import Path

    from craterkit.files.contents import Contents

__all__ = ["HOLDS", "RESERVED", "check_installed", "described", "read", "write"]

HOLDS = Holds("all", infinities=True, geometries=True)
RESERVED = frozenset({"geometry"})


def check_installed(name: str) -> None:
    """Make sure that pyarrow is there.

    Raises
    ------
    ArgumentError
        If it is not.
    """
    try:
        import pyarrow.parquet  # noqa: F401
    except ImportError as error:
        raise ArgumentError(
            f'{name!r} needs pyarrow, which is not installed: pip install "craterkit[parquet]"'
        ) from error


def write(contents: Contents, path: Path) -> None:
    """Write a GeoParquet file."""
    import geopandas as gpd
    import pyarrow.parquet as pq

    columns = contents.columns.assign(geometry=contents.geometry)
    frame = gpd.GeoDataFrame(columns, geometry="geometry", crs=contents.crs)
    metadata = {METADATA_KEY: json.dumps(contents.description).encode()}
    pq.write_table(arrow_table(frame, metadata), path, compression="zstd")


def described(path: Path) -> dict[str, Any] | None:
    """The description of a database in a file's metadata; None without one."""
    import pyarrow.parquet as pq

    found = description(pq.read_schema(path))
    return found if is_description(found) else None


def read(path: Path, found: dict[str, Any]) -> Contents:
    """Read a file that `write` made, whatever other software has done to it since, with its description."""
    import geopandas as gpd

    return contents_of_frame(gpd.read_parquet(path), found)
