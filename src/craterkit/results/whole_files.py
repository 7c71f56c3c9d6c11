"""Files that come whole or not at all."""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

__all__ = ["write_whole"]


def write_whole(
    path: Path, write: Callable[[BinaryIO], object], *, folder: Path | None = None
) -> None:
    """Write a file that bears its name only once it is whole and on the disk.

    Parameters
    ----------
    path : pathlib.Path
        The file; one that exists is replaced.
    write : callable
        Writes its content to an open file.
    folder : pathlib.Path, optional
        Where the unfinished file lies, on the same disk; by default beside `path`.
    """
    name = f".{path.name}.{os.getpid()}-{secrets.token_hex(4)}.tmp"
    unfinished = (folder or path.parent) / name
    try:
        with unfinished.open("wb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(unfinished, path)
    except BaseException:
        with suppress(OSError):
            unfinished.unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    """Make sure that a new name in a folder outlasts a loss of power, where the system can."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
