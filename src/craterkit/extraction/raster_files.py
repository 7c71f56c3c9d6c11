"""What rasters are read from: files on this machine and whether they changed, addresses elsewhere."""

from __future__ import annotations

import os
import re
from collections import deque
from contextlib import suppress
from pathlib import Path
from stat import S_ISDIR
from typing import Any

from craterkit.rasters.gdal_reports import placed_or_not

__all__ = [
    "absolute_name",
    "file_state",
    "file_version",
    "is_remote",
    "local_file",
    "names_of_files",
]

#: Files beside a raster that say nothing that its bands do not say, and that other programs write.
_DERIVED = (".aux.xml", ".ovr")

#: Files that stand for the folder that they are in.
_ZARR = (".zarray", ".zgroup", ".zmetadata", "zarr.json")

#: Addresses, and GDAL's file systems that ask a server.
_REMOTE = re.compile(
    r"(?<![a-z0-9])(?!file:|zip:|tar:|gzip:|vrt:)[a-z0-9]+://"
    r"|/vsi(?:curl|s3|gs|az|adls|oss|swift|webhdfs|hdfs)(?:_streaming)?[/?]",
    re.IGNORECASE,
)

_ARCHIVE = re.compile(r"(?:/vsi(?:zip|tar|gzip|7z|rar|cached|sparse)/)+(.+)")


def names_of_files(dataset: Any) -> list[str]:  # noqa: ANN401
    """What GDAL reads a dataset from; of a VRT that is made of others also their sources."""
    import rasterio
    from rasterio.errors import RasterioIOError

    found: dict[str, None] = {}
    waiting = deque(dataset.files)
    while waiting:
        name = waiting.popleft()
        if name in found or name.endswith(_DERIVED):
            continue
        found[name] = None
        if name != dataset.name and name.endswith(".vrt"):
            with placed_or_not(), suppress(RasterioIOError), rasterio.open(name) as source:
                waiting += source.files
    return list(found)


def is_remote(name: str) -> bool:
    """Whether GDAL asks a server for what it calls `name`.

    Examples
    --------
    >>> is_remote("https://host/dem.tif"), is_remote("/vsizip/vsis3/maps/a.zip/dem.tif")
    (True, True)
    >>> is_remote("dem.tif"), is_remote("zip:///maps/a.zip!/dem.tif")
    (False, False)
    """
    return _REMOTE.search(name) is not None


def absolute_name(name: str, files: list[str]) -> str:
    """A raster's name, with the file that it names from the root on."""
    for file in files:
        if file in name and os.path.exists(file):
            return name.replace(file, os.path.abspath(file), 1)
    return name


def local_file(name: str) -> Path | None:
    """The file or folder on this machine that holds what GDAL calls `name`; None if there is none."""
    if os.path.exists(name):
        path = Path(os.path.abspath(name))
        return path.parent if path.name in _ZARR else path
    inside = _ARCHIVE.fullmatch(name)
    if inside:
        path = Path(os.path.abspath(inside[1]))
        return next((place for place in (path, *path.parents) if place.is_file()), None)
    return None


def file_state(file: Path) -> dict[str, Any]:
    """Size and time of a file, or of all files in a folder."""
    files = [place for place in file.rglob("*") if place.is_file()] if file.is_dir() else [file]
    states = [place.stat() for place in files]
    return {
        "path": str(file),
        "bytes": sum(state.st_size for state in states),
        "mtime_ns": max((state.st_mtime_ns for state in states), default=0),
    }


def file_version(file: Path) -> tuple[int, int, int] | None:
    """What a file, or folder, has of its own while nobody replaces or changes it; None if it is gone."""
    try:
        state = file.stat()
        if not S_ISDIR(state.st_mode):
            return state.st_size, state.st_mtime_ns, state.st_ino
        found = file_state(file)
    except OSError:
        return None
    return found["bytes"], found["mtime_ns"], state.st_ino
