"""What GDAL is told while rasters are read: blocks to keep, how long to wait, a caller's environment."""

from __future__ import annotations

import math
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = [
    *("CallerSettings", "block_cache", "one_thread_for_mosaics", "patience", "server_timeouts"),
    *("silence", "timeouts"),
]

_CACHE = "GDAL_CACHEMAX"
_MOSAIC_THREADS = "VRT_NUM_THREADS"

#: Seconds after which a server that sends nothing is given up, and GDAL's option that says otherwise.
PATIENCE, PATIENCE_OPTION = 60.0, "GDAL_HTTP_LOW_SPEED_TIME"


class _Limits:
    """Limits of GDAL's cache of blocks that are in force; the process has one cache."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._limits: list[int] = []
        self._before = 0

    def add(self, limit: int) -> None:
        from rasterio.env import get_gdal_config, set_gdal_config

        with self._lock:
            if not self._limits:
                self._before = get_gdal_config(_CACHE)
            self._limits.append(limit)
            set_gdal_config(_CACHE, min(*self._limits, self._before))

    def remove(self, limit: int) -> None:
        from rasterio.env import set_gdal_config

        with self._lock:
            self._limits.remove(limit)
            set_gdal_config(_CACHE, min([*self._limits, self._before]))


_LIMITS = _Limits()


@contextmanager
def block_cache(limit: int) -> Iterator[None]:
    """Have GDAL keep no more than so many bytes of decoded blocks, all rasters of the process together.

    By default it keeps a twentieth of all memory. Contexts may overlap in any order.
    """
    _LIMITS.add(limit)
    try:
        yield
    finally:
        _LIMITS.remove(limit)


@contextmanager
def one_thread_for_mosaics() -> Iterator[None]:
    """Have GDAL read the sources of a virtual raster one after the other, in this thread.

    With several threads of its own, it reads zeros where a source is missing or damaged, and only prints
    the error (GDAL 3.10).
    """
    from rasterio._env import del_gdal_config
    from rasterio.env import get_gdal_config, set_gdal_config

    before = get_gdal_config(_MOSAIC_THREADS, normalize=False)
    set_gdal_config(_MOSAIC_THREADS, "1")
    try:
        yield
    finally:
        if before is None:
            del_gdal_config(_MOSAIC_THREADS)
        else:
            set_gdal_config(_MOSAIC_THREADS, before)


@dataclass(frozen=True)
class CallerSettings:
    """Options of the `rasterio.Env` that the caller is in, such as credentials; None if in none."""

    options: dict[str, Any] | None

    @classmethod
    def here(cls) -> CallerSettings:
        """Those of the current thread."""
        from rasterio.env import getenv, hasenv

        if not hasenv():
            return cls(None)
        # The cache is the whole process's.
        return cls({key: value for key, value in getenv().items() if key != _CACHE})

    @contextmanager
    def applied(self) -> Iterator[None]:
        """Have them apply in another thread, too."""
        import rasterio
        from rasterio.env import hasenv, setenv
        from rasterio.session import DummySession

        if self.options is None or hasenv():
            yield
            return
        # Env itself does not take credentials as options.
        with rasterio.Env(session=DummySession()):
            setenv(**self.options)
            yield


def patience() -> float:
    """Seconds after which a server that sends nothing is given up; 0 for never."""
    from rasterio.env import get_gdal_config

    told = get_gdal_config(PATIENCE_OPTION)
    return PATIENCE if told is None else float(told)


def silence() -> str:
    """What to say of a server that was given up."""
    return (
        f"the server sent nothing for {patience():g} s; to wait longer, set {PATIENCE_OPTION} to more "
        f"seconds, in rasterio.Env({PATIENCE_OPTION}=...) or as an environment variable"
    )


def timeouts() -> dict[str, int]:
    """Options by which GDAL gives up servers that send nothing."""
    seconds = math.ceil(patience())
    return {
        "GDAL_HTTP_CONNECTTIMEOUT": seconds,
        PATIENCE_OPTION: seconds,
        "GDAL_HTTP_LOW_SPEED_LIMIT": 1,  # bytes a second
    }


@contextmanager
def server_timeouts() -> Iterator[None]:
    """Have GDAL give up servers that send nothing, in this thread; what the user has set stays.

    Not in the main thread, where options of GDAL are those of all threads.
    """
    from rasterio._env import del_gdal_config
    from rasterio.env import get_gdal_config, set_gdal_config

    missing = {key: value for key, value in timeouts().items() if get_gdal_config(key) is None}
    for key, value in missing.items():
        set_gdal_config(key, value)
    try:
        yield
    finally:
        for key in missing:
            del_gdal_config(key)
