"""What rasters are read from: files on this machine and whether they changed, addresses elsewhere."""

from __future__ import annotations

import os
import re
from collections import deque
from contextlib import suppress
from pathlib import Path
from stat import S_ISDIR
from typing import Any
from urllib.parse import unquote

from craterkit.rasters.gdal_reports import placed_or_not
from craterkit.results.hashes import hash_bytes

__all__ = [
    "absolute_name",
    "file_state",
    "file_version",
    "is_remote",
    "local_file",
    "names_of_files",
    "without_secrets",
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

#: GDAL's way of giving options with an address: of these only the address says what is read.
_WITH_OPTIONS = re.compile(r"/vsicurl(?:_streaming)?\?([^}\"]*)")

_USER = re.compile(r"(?<=://)[^/?#\s]*@")

#: A query, up to the end of what GDAL takes for an address.
_QUERY = re.compile(r"\?([^}\"]*)")


def _entries(keys: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![^&?])(?:{keys})=[^&#/]*", re.IGNORECASE)


#: Entries of a query that sign it, and those that may come along with a signature.
_SIGNATURE = _entries(r"x-amz-[\w-]+|x-goog-[\w-]+|signature|sig|token|access_token")
_ALONG = _entries(
    r"awsaccesskeyid|googleaccessid|expires|key-pair-id|policy|s[eprstv]|spr|srt|sip|sk\w+"
)


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


def without_secrets(name: str) -> str:
    """A raster's name without users, passwords and signatures, and with its query only as a hash.

    Examples
    --------
    >>> without_secrets("https://me:word@host/dem.tif?Signature=secret&Expires=1")
    'https://host/dem.tif'
    """
    if name.lstrip().startswith("<"):  # a whole description of a raster in XML
        return _hashed(name)
    name = _WITH_OPTIONS.sub(_address, name)
    return _QUERY.sub(lambda found: _unsigned(found[1]), _USER.sub("", name))


def _address(found: re.Match[str]) -> str:
    """The address among options, as it would be without any."""
    options = (option.partition("=") for option in found[1].split("&"))
    addresses = [unquote(value) for key, _, value in options if key.lower() == "url"]
    return f"/vsicurl/{addresses[-1]}" if addresses else found[0]


def _unsigned(query: str) -> str:
    """A hash of a query without its signature; nothing if nothing else is in it."""
    unsigned = _SIGNATURE.sub("", query)
    if unsigned != query:
        unsigned = _ALONG.sub("", unsigned)
    kept = [part for part in unsigned.split("&") if part]
    return f"?{_hashed('&'.join(kept))}" if kept else ""


def _hashed(text: str) -> str:
    return hash_bytes(text.encode(errors="surrogateescape"))
