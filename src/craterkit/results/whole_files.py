"""Files that come whole or not at all."""

from __future__ import annotations

import glob
import os
import secrets
from contextlib import suppress
from typing import TYPE_CHECKING, BinaryIO

from craterkit.results.file_locks import followed, lock, open_own, remove_abandoned

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

__all__ = ["write_whole"]


def write_whole(
    path: Path, write: Callable[[BinaryIO], object], *, folder: Path | None = None
) -> None:
    """Write a file that bears its name only once it is whole and on the disk.

    The unfinished file is locked, so that what killed processes left of this file is told from what
    others are writing, and removed.

    Parameters
    ----------
    path : pathlib.Path
        The file; one that exists is replaced. Of a symbolic link, the file that it leads to.
    write : callable
        Writes its content to an open file.
    folder : pathlib.Path, optional
        Where the unfinished file lies, on the same disk; by default beside `path`. It is the caller's, who
        removes what is left there.
    """
    path = followed(path)
    if folder is None:
        remove_abandoned(path.parent, f".{glob.escape(path.name)}.*-*.tmp")
    file, unfinished = _begun(path, folder or path.parent)
    try:
        with file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
            if os.name == "posix":
                os.replace(unfinished, path)
        if os.name != "posix":  # an open file cannot be renamed there
            os.replace(unfinished, path)
    except BaseException:
        with suppress(OSError):
            unfinished.unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)


def _begun(path: Path, folder: Path) -> tuple[BinaryIO, Path]:
    """A new file, locked, and its name."""
    while True:
        unfinished = folder / f".{path.name}.{os.getpid()}-{secrets.token_hex(4)}.tmp"
        file = open_own(unfinished, new=True)
        # Another process may have taken it for abandoned before it was locked.
        if lock(file) and unfinished.exists():
            return file, unfinished
        file.close()


def _sync_folder(folder: Path) -> None:
    """Make sure that a new name in a folder outlasts a loss of power, where the system can."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
