"""Files on the web, downloaded whole or not at all."""

from __future__ import annotations

import gzip
import http.client
import shutil
import urllib.request
import zlib
from pathlib import Path, PurePosixPath
from tempfile import TemporaryFile
from typing import TYPE_CHECKING, Any, BinaryIO
from urllib.parse import unquote, urlsplit

from craterkit.addresses import without_secrets
from craterkit.errors import TableError
from craterkit.rasters.gdal_settings import patience, silence

if TYPE_CHECKING:
    import os

__all__ = ["download"]

#: Bytes that are asked for at a time.
PIECE = 1 << 16


def download(address: str, folder: str | os.PathLike[str]) -> str:
    """Bring a file of an address ``http://`` or ``https://`` into a folder.

    Parameters
    ----------
    address : str
        The address.
    folder : str or os.PathLike
        The folder, in which the file has the name that it has there.

    Returns
    -------
    str
        Its path.

    Raises
    ------
    TableError
        If it cannot be reached, if the server sends nothing for too long (`patience`), or if the
        connection ends before all has come.
    """
    name = PurePosixPath(unquote(urlsplit(address).path)).name or "file"
    path = Path(folder, name)
    shown = without_secrets(address)
    try:
        with (
            urllib.request.urlopen(address, timeout=patience() or None) as answer,
            path.open("wb") as file,
        ):
            packed = answer.headers.get("Content-Encoding", "").lower() in ("gzip", "x-gzip")
            if not packed or name.lower().endswith(".gz"):
                _receive(answer, file, shown)
            else:
                with TemporaryFile() as raw:
                    _receive(answer, raw, shown)
                    raw.seek(0)
                    with gzip.open(raw) as unpacked:
                        shutil.copyfileobj(unpacked, file)
    except TableError:
        raise
    except (OSError, ValueError, EOFError, zlib.error, http.client.HTTPException) as error:
        if isinstance(error, TimeoutError) or isinstance(
            getattr(error, "reason", None), TimeoutError
        ):
            raise TableError(f"{shown} cannot be read: {silence()}") from error
        if isinstance(error, http.client.InvalidURL):  # quotes what may be a password
            raise TableError(
                f"{shown} cannot be read: it is no address that can be opened"
            ) from None
        raise TableError(f"{shown} cannot be read: {error}") from error
    return str(path)


def _receive(answer: Any, file: BinaryIO, shown: str) -> None:  # noqa: ANN401
    """Write what a server sends to a file."""
    received = 0
    # None if the file comes in chunks, whose end is marked.
    total = answer.length
    try:
        while piece := answer.read(PIECE):
            file.write(piece)
            received += len(piece)
    except http.client.IncompleteRead as error:
        raise TableError(
            f"{shown} cannot be read: the connection ended before the file did; try again"
        ) from error
    if total is not None and received < total:
        raise TableError(
            f"{shown} cannot be read: the connection ended after {received} of {total} bytes; try again"
        )
