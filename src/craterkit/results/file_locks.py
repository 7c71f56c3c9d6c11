"""Locks on files that the system lets go of when a process ends, however it does."""

from __future__ import annotations

import errno
import sys
from typing import BinaryIO

__all__ = ["lock"]


def lock(file: BinaryIO) -> bool:
    """Lock a file until it is closed; False if another process has it."""
    try:
        if sys.platform == "win32":
            import msvcrt

            file.seek(1 << 30)  # what is in the file can still be read
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        # Some network disks have no locks: names that differ must do there.
        return error.errno not in (errno.EAGAIN, errno.EACCES, errno.EDEADLK)
    return True
