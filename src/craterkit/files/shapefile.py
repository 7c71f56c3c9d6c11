"""Shapefiles: names of ten bytes, texts of 254, numbers as decimals, and no place for a description."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from craterkit.errors import ArgumentError, quoted
from craterkit.files.contents import Contents
from craterkit.files.holdings import Holds
from craterkit.files.ogr import check_eastward, check_width, write_layer

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    import pandas as pd

__all__ = ["FAMILY", "HOLDS", "RESERVED", "renamed", "write"]

HOLDS = Holds("none", infinities=False, geometries=False)
RESERVED = frozenset({"geometry"})

#: Files that belong to a Shapefile, indexes that other software makes among them.
FAMILY = frozenset(
    f".{end}"
    for end in (
        *(
            "shp",
            "shx",
            "dbf",
            "prj",
            "cpg",
            "qix",
            "qpj",
            "sbn",
            "sbx",
            "fbn",
            "fbx",
            "ain",
            "aih",
        ),
        *("atx", "ixs", "mxs", "shp.xml"),
    )
)

LONGEST_NAME, LONGEST_TEXT, MOST_COLUMNS = 10, 254, 255

#: Columns that would not be told apart by ten bytes.
SHORT = {
    "craterkit_lon": "ck_lon",
    "craterkit_lat": "ck_lat",
    "craterkit_radius_m": "ck_rad_m",
    "craterkit_region": "ck_region",
}


def write(contents: Contents, path: Path) -> None:
    """Write a Shapefile: several files beside each other.

    Raises
    ------
    ArgumentError
        If texts are too long for it, or columns too many.
    CRSError
        If longitude counts westward.
    """
    check_eastward(contents.crs, "Shapefile")
    check_width(contents, MOST_COLUMNS, "a Shapefile")
    columns = contents.columns
    long = [name for name in columns if _longest(columns[name]) > LONGEST_TEXT]
    if long:
        raise ArgumentError(
            f"a Shapefile holds texts of {LONGEST_TEXT} bytes, but {quoted(long)} has longer ones; write "
            ".gpkg or .parquet, or leave the column out with keep_cols="
        )
    write_layer(renamed(contents), path, "ESRI Shapefile", layer=path.stem, encoding="UTF-8")


def renamed(contents: Contents) -> Contents:
    """The same with the names that columns have in the file."""
    columns = contents.columns.set_axis(short_names(contents.columns.columns), axis=1)
    return Contents(columns, contents.geometry, contents.crs, contents.description)


def _longest(values: pd.Series[Any]) -> int:
    if values.dtype.kind not in "OU":
        return 0
    return max((len(text.encode()) for text in values.dropna()), default=0)


def short_names(names: Iterable[str]) -> list[str]:
    """Names of at most ten bytes, all different.

    Examples
    --------
    >>> short_names(["LAT_CIRC_IMG", "LAT_CIRC_IMG_SD", "lat"])
    ['LAT_CIRC_I', 'LAT_CIRC_1', 'lat']
    """
    found: dict[str, str] = {}
    tried: dict[str, int] = {}
    for name in names:
        cut = unique = SHORT.get(name) or _cut(name, LONGEST_NAME)
        number = tried.get(cut.casefold(), 0)
        while unique.casefold() in found:
            number += 1
            unique = f"{_cut(name, LONGEST_NAME - len(str(number)))}{number}"
        tried[cut.casefold()] = number
        found[unique.casefold()] = unique
    return list(found.values())


def _cut(name: str, size: int) -> str:
    return name.encode()[:size].decode(errors="ignore").strip() or "column"
