"""Where files are: on the disk, or brought there from the web or out of an archive."""

from __future__ import annotations

import os
import re
import tempfile
import urllib.request
import zipfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from craterkit.downloads import download
from craterkit.errors import ArgumentError, TableError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["file_name", "on_disk"]


@contextmanager
def on_disk(name: str, extensions: tuple[str, ...]) -> Iterator[str]:
    """Give the path of a file while it is read.

    Parameters
    ----------
    name : str
        What the user gave: a path; an address ``file://``, ``http://`` or ``https://``; or one of GDAL's file
        systems, of which ``/vsicurl/`` and ``/vsizip/`` are known here.
    extensions : tuple of str
        Extensions of files that may hold a database. One of them that is alone in a zip archive is unpacked.

    Yields
    ------
    str
        A path on the disk; `name` itself where another file system than these holds it.

    Raises
    ------
    TableError
        If the address is of no known kind, cannot be reached, or does not send all.
    """
    scheme = re.match(r"([a-z][a-z0-9+.-]+)://", name, re.I)
    known = None if scheme is None else scheme[1].lower()
    if known not in (None, "http", "https", "file"):
        raise TableError(
            f"{name}: files are read from paths, http://, https:// and file://; for an archive pass its path, "
            "or /vsizip/ before it, and for a cloud's store what GDAL calls it, such as /vsis3/"
        )
    with tempfile.TemporaryDirectory(prefix="craterkit-") as folder:
        if known == "file":
            found = urllib.request.url2pathname(urlsplit(name).path)
        elif known or re.match(r"/vsicurl/https?://", name):
            found = download(name.removeprefix("/vsicurl/"), folder)
        elif name.startswith("/vsi"):
            found = name
        else:
            found = str(Path(name).expanduser())
        yield _unpacked(found, extensions, Path(folder)) or found


def _unpacked(name: str, extensions: tuple[str, ...], folder: Path) -> str | None:
    """The one file of an archive that may hold a database, unpacked; None without one."""
    plain = name.removeprefix("/vsizip/").replace("{", "").replace("}", "")
    if plain == name and not name.lower().endswith(".zip"):
        return None
    archive, _, inner = plain.partition(".zip")
    path = Path(f"{archive}.zip") if plain.lower().count(".zip") else None
    if path is None or not path.is_file() or not zipfile.is_zipfile(path):
        return None
    try:
        with zipfile.ZipFile(path) as opened:
            wanted = inner.strip("/")
            members = [
                member
                for member in opened.namelist()
                if member.lower().endswith(extensions) and not member.startswith("__MACOSX")
            ]
            members = [member for member in members if member == wanted] if wanted else members
            if len(members) != 1:
                return None
            return opened.extract(members[0], folder / "unpacked")
    except Exception as error:  # of zipfile and what unpacks: they have no common base
        raise TableError(
            f"{name}: the archive is damaged, or cannot be unpacked: {error}"
        ) from error


def file_name(path: Any, argument: str) -> str:  # noqa: ANN401
    """A path as text."""
    name = os.fspath(path) if isinstance(path, str | os.PathLike) else None
    if not isinstance(name, str):
        raise ArgumentError(f"{argument} must be the name of a file, not {path!r}")
    if not name:
        raise ArgumentError(f"{argument} is empty; name a file")
    return name
