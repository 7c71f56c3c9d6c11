"""Files of our own: opened never through links, and locked until their process ends, however it does."""

from __future__ import annotations

import errno
import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from craterkit.errors import OutputError

__all__ = ["followed", "lock", "open_own", "refuse_links", "remove_abandoned"]


def followed(path: Path) -> Path:
    """The file that a path of the user leads to, symbolic links followed."""
    return Path(os.path.realpath(path)) if path.is_symlink() else path


def refuse_links(*paths: Path) -> None:
    """Raise if a name that is to be our own file or folder is a symbolic link.

    Raises
    ------
    OutputError
        Names the link.
    """
    for path in paths:
        if path.is_symlink():
            raise OutputError(
                f"{path} is a symbolic link, but craterkit keeps a file or folder of its own under this "
                "name; remove the link, or choose another name"
            )


def open_own(path: Path, *, new: bool = False) -> BinaryIO:
    """Open a file of our own to read and write it; `new` if it must not be there yet.

    Raises
    ------
    OutputError
        If it is a symbolic link.
    """
    refuse_links(path)
    flags = os.O_RDWR | os.O_CREAT
    for name in ("O_NOFOLLOW", "O_BINARY", "O_CLOEXEC"):
        flags |= getattr(os, name, 0)
    descriptor = os.open(path, flags | (os.O_EXCL if new else 0), 0o666)
    return os.fdopen(descriptor, "r+b")


def lock(file: BinaryIO) -> bool:
    """Lock a file until it is closed; False if another process has it."""
    # Some network disks have no locks: names that differ must do there.
    return _locked(file) is not False


def _locked(file: BinaryIO) -> bool | None:
    """Whether a file is locked now; None where there are no locks."""
    try:
        if sys.platform == "win32":
            import msvcrt

            file.seek(1 << 30)  # what is in the file can still be read
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
            file.seek(0)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        return False if error.errno in (errno.EAGAIN, errno.EACCES, errno.EDEADLK) else None
    return True


def remove_abandoned(folder: Path, pattern: str) -> None:
    """Remove files of our own that no process has locked, as one that was killed leaves them."""
    for path in folder.glob(pattern):
        with suppress(OSError):
            if path.is_symlink():
                continue
            with path.open("r+b") as file:
                abandoned = _locked(file)
                if abandoned and sys.platform != "win32":
                    path.unlink()
            if abandoned and sys.platform == "win32":
                path.unlink()  # an open file cannot be removed there
