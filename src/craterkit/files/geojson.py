"""GeoJSON: a feature a line, the description as a member of its own (RFC 7946, section 6.1).

RFC 7946 knows no system but WGS 84. Its forerunner of 2008 has a member ``crs``, which GDAL and all that is
built on it (QGIS, geopandas) still read: the URN of an authority, or any text that GDAL takes.
"""

from __future__ import annotations

import json
import mmap
import re
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from craterkit.files.assembling import fields_of, is_description
from craterkit.files.holdings import Holds, filled
from craterkit.files.ogr import check_eastward, contents_of_frame

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import pyproj
    from numpy.typing import NDArray

    from craterkit.files.contents import Contents

__all__ = ["HOLDS", "RESERVED", "described", "read", "write"]

HOLDS = Holds("none", infinities=False, geometries=False)
RESERVED = frozenset({"geometry", "id"})
MEMBER = "craterkit"

#: Features whose lines are made at a time.
BATCH = 1 << 14

#: Bytes in which a description is looked for at first.
HEAD = 1 << 16


def write(contents: Contents, path: Path) -> None:
    """Write a file of GeoJSON.

    Raises
    ------
    CRSError
        If longitude counts westward: GDAL reads it eastward, whatever the file says of its system.
    """
    if contents.crs is not None:
        check_eastward(contents.crs, "GeoJSON file")
    dump = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(", ", ": ")).encode
    head: dict[str, Any] = {"type": "FeatureCollection", "name": path.stem}
    if contents.crs is not None:
        head["crs"] = {"type": "name", "properties": {"name": _crs_name(contents.crs)}}
    head[MEMBER] = contents.description
    with path.open("w", encoding="utf-8", newline="\n") as file:
        members = ",\n".join(f"{dump(name)}: {dump(value)}" for name, value in head.items())
        file.write(f'{{\n{members},\n"features": [')
        comma = "\n"
        for lines in _lines(contents, dump):
            file.write(comma + ",\n".join(lines))
            comma = ",\n"
        file.write("\n]\n}\n")


def _crs_name(crs: pyproj.CRS) -> str:
    authority = crs.to_authority(min_confidence=100)
    if authority is None:
        return crs.to_wkt("WKT2_2019", pretty=False)
    name, code = authority
    return f"urn:ogc:def:crs:{name.removesuffix('_2015')}::{code}"


def _lines(contents: Contents, dump: Any) -> Iterator[list[str]]:  # noqa: ANN401
    import shapely

    columns = contents.columns
    names = list(columns.columns)
    for start in range(0, len(columns), BATCH):
        rows = slice(start, start + BATCH)
        shapes = contents.geometry[rows]
        empty = shapely.is_missing(shapes) | shapely.is_empty(shapes)
        geometries = np.where(empty, "null", _geometries(shapes))
        cells = [_cells(columns[name].iloc[rows]) for name in names]
        # A table without columns still has rows.
        records = zip(*cells, strict=True) if cells else iter([()] * len(shapes))
        yield [
            f'{{"type": "Feature", "properties": {dump(dict(zip(names, record, strict=True)))}, '
            f'"geometry": {geometry}}}'
            for record, geometry in zip(records, geometries.tolist(), strict=True)
        ]


def _geometries(shapes: NDArray[np.object_]) -> NDArray[np.object_]:
    import shapely

    if np.all(shapely.get_type_id(shapes) == shapely.GeometryType.POINT):
        pairs = zip(shapely.get_x(shapes).tolist(), shapely.get_y(shapes).tolist(), strict=True)
        texts = [f'{{"type": "Point", "coordinates": [{x!r}, {y!r}]}}' for x, y in pairs]
        return np.array(texts, dtype=object)
    return np.asarray(shapely.to_geojson(shapes), dtype=object)


def _cells(values: pd.Series[Any]) -> list[Any]:
    return filled(values, values.isna().to_numpy(), None).to_list()


def read(path: Path, found: dict[str, Any]) -> Contents:
    """Read a file that `write` made, whatever other software has done to it since, with its description."""
    import geopandas as gpd

    # Texts that look like dates stay texts.
    table = gpd.read_file(path, engine="pyogrio", DATE_AS_STRING="YES")
    if table.empty:
        # Without features nothing tells of columns.
        names = [name for name in fields_of(found) if name not in table]
        table = table.join(pd.DataFrame(columns=names, dtype=object))
    return contents_of_frame(table, found)


def described(path: Path) -> dict[str, Any] | None:
    """The member that describes a database, wherever in the file it is; None without one."""
    if path.stat().st_size == 0:
        return None
    pattern = re.compile(rf'"{MEMBER}"\s*:\s*(?={{)'.encode())
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        for found in pattern.finditer(content):
            member = _object_at(content, found.end())
            if is_description(member):
                return member
    return None


def _object_at(content: mmap.mmap, start: int) -> dict[str, Any] | None:
    """The object of JSON that begins at a place."""
    size = HEAD
    while True:
        text = content[start : start + size].decode("utf-8", errors="ignore")
        try:
            found: dict[str, Any] = json.JSONDecoder().raw_decode(text)[0]
        except ValueError:
            if start + size >= len(content):
                return None
            size *= 8
        else:
            return found
