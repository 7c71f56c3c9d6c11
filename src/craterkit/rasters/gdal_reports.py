"""What GDAL reports without failing: errors in a header that it goes on from, and damaged tables of tiles."""

from __future__ import annotations

import logging
import re
import threading
import warnings
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["header_reports", "placed_or_not", "table_reports"]

#: How rasterio logs an error that GDAL signals while a call goes on.
_SIGNALLED = re.compile(r"GDAL signalled an error: err_no=\S+, msg='(.*)'", re.DOTALL)

#: How libtiff says that it passes over the table of where tiles or strips are: they would read as zeros.
_TABLE = re.compile(r'Incorrect count for "(?:Tile|Strip)(?:Offsets|ByteCounts)"')


class _Ear(logging.Filter):
    """Collects what a logger is told by GDAL, thread by thread; what it would not show stays unseen."""

    def __init__(self, name: str, level: int) -> None:
        super().__init__()
        self._logger = logging.getLogger(name)
        self._level = level
        self._lock = threading.Lock()
        self._heard: dict[int, list[str]] = {}
        self._own_level = self._shown = logging.NOTSET

    def filter(self, record: logging.LogRecord) -> bool:
        heard = self._heard.get(threading.get_ident())
        if heard is not None:
            text = record.getMessage()
            signalled = _SIGNALLED.search(text)
            if signalled or _TABLE.search(text):
                heard.append(signalled[1] if signalled else text)
        return record.levelno >= self._shown

    @contextmanager
    def listening(self) -> Iterator[list[str]]:
        """What is heard in this thread meanwhile."""
        thread = threading.get_ident()
        with self._lock:
            if not self._heard:
                self._own_level = self._logger.level
                self._shown = self._logger.getEffectiveLevel()
                self._logger.addFilter(self)
                if self._shown > self._level:
                    self._logger.setLevel(self._level)
            heard = self._heard.setdefault(thread, [])
        try:
            yield heard
        finally:
            with self._lock:
                self._heard.pop(thread, None)
                if not self._heard:
                    self._logger.removeFilter(self)
                    if self._logger.level != self._own_level:
                        self._logger.setLevel(self._own_level)


#: Filters of warnings are the whole process's, and restored wrongly if two threads change them at a time.
_FILTERING = threading.Lock()


@contextmanager
def placed_or_not() -> Iterator[None]:
    """Open rasters without rasterio's warning of one without a place: where that matters, it is refused."""
    from rasterio.errors import NotGeoreferencedWarning

    with _FILTERING, warnings.catch_warnings():
        warnings.simplefilter("ignore", NotGeoreferencedWarning)
        yield


_HEADERS = _Ear("rasterio._env", logging.INFO)
_READS = _Ear("rasterio._err", logging.WARNING)


@contextmanager
def header_reports() -> Iterator[list[str]]:
    """Errors that GDAL reports while headers are read, in this thread.

    A mask that is cut off, for example, is reported, and the raster read as if it had none.
    """
    import rasterio
    from rasterio.env import hasenv
    from rasterio.session import DummySession

    with ExitStack() as stack:
        if not hasenv():
            # Without one, GDAL prints its errors where nobody hears them.
            stack.enter_context(rasterio.Env(session=DummySession()))
        yield stack.enter_context(_HEADERS.listening())


@contextmanager
def table_reports() -> Iterator[list[str]]:
    """Damaged tables of tiles that GDAL meets while pixels are read, in this thread."""
    with _READS.listening() as heard:
        yield heard
