"""GeoJSON files that do not say in which coordinate system they are."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import geopandas as gpd

__all__ = ["NO_CRS", "without_assumed_crs"]

#: Key of `attrs` of a table that was read from a GeoJSON file without a CRS.
NO_CRS = "craterkit_no_crs"

#: A member "crs" as the specification of 2008 has it; RFC 7946 has none.
_MEMBER = re.compile(rb'"crs"\s*:\s*\{')


def without_assumed_crs(table: gpd.GeoDataFrame, path: str) -> gpd.GeoDataFrame:
    """A table without the CRS of the Earth that GDAL assumes of a GeoJSON file that names none.

    Parameters
    ----------
    table : GeoDataFrame
        What was read.
    path : str
        The file, or a zip archive that holds it alone.

    Returns
    -------
    GeoDataFrame
        The table itself if its CRS is from the file; else one without a CRS, marked in its `attrs`.
    """
    import pyogrio  # type: ignore[import-untyped]

    crs = getattr(table, "crs", None)  # a table without a geometry has none
    if crs is None or crs.to_authority() != ("EPSG", "4326") or not Path(path).is_file():
        return table
    if not pyogrio.read_info(path)["driver"].startswith("GeoJSON") or _has_member(path):
        return table
    found = table.set_crs(None, allow_override=True)
    found.attrs[NO_CRS] = True
    return found


def _has_member(path: str) -> bool:
    if not zipfile.is_zipfile(path):
        return _MEMBER.search(Path(path).read_bytes()) is not None
    with zipfile.ZipFile(path) as archive:
        return any(_MEMBER.search(archive.read(name)) for name in archive.namelist())
