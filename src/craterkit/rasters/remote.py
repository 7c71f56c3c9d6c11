"""Rasters on servers, which may answer late or never."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

from craterkit.daemon_threads import DaemonThreads, result_of
from craterkit.errors import RasterError
from craterkit.rasters.file_states import RasterChangedError
from craterkit.rasters.gdal import GdalRaster
from craterkit.rasters.gdal_settings import (
    CallerSettings,
    patience,
    server_timeouts,
    silence,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from craterkit.rasters.base import Band, Window

__all__ = ["RemoteRaster"]

#: Drivers that take what a server leaves out of a file for zeros.
FILLING = ("ENVI",)


class SilenceError(RasterError):
    """A server that sends nothing."""


class RemoteRaster(GdalRaster):
    """A raster of which parts are on a server.

    GDAL gives a server up that sends nothing for a while. In the main thread, where Ctrl-C would
    have to wait for GDAL, another thread asks.

    Parameters
    ----------
    source : str, os.PathLike or rasterio dataset
        As of `GdalRaster`.

    Raises
    ------
    RasterError
        As of `GdalRaster`; if the server sends nothing; or if GDAL would not say whether it sent all.
    """

    def __init__(self, source: Any) -> None:  # noqa: ANN401
        self._asking = DaemonThreads(1)
        self._silent_until = 0.0
        self._ask(super().__init__, source)
        if self.driver in FILLING:
            self.close()
            raise RasterError(
                f"{self.name}: of {self.driver} files GDAL takes what a server fails to "
                "send for zeros; download it first"
            )

    def dataset(self) -> Any:  # noqa: ANN401
        """The dataset to read from in this thread."""
        return self._ask(super().dataset)

    def read(
        self, band: Band, window: Window, out: NDArray[Any], mask: NDArray[Any] | None
    ) -> None:
        """Read a window, as of `Raster`."""
        self._ask(super().read, band, window, out, mask)

    def read_bands(
        self,
        bands: Sequence[Band],
        window: Window,
        out: Sequence[NDArray[Any]],
        masks: Sequence[NDArray[Any] | None],
    ) -> None:
        """Read a window of several bands, as of `Raster`."""
        self._ask(super().read_bands, bands, window, out, masks)

    def close(self) -> None:
        """Close what was opened here; reading opens it again."""
        self._end()
        super().close()

    def forget(self) -> None:
        """Leave what was opened here to threads that may still read it."""
        self._end()
        super().forget()

    def _end(self) -> None:
        self._asking.close()
        self._asking = DaemonThreads(1)

    def _ask(self, function: Callable[..., Any], *args: Any) -> Any:  # noqa: ANN401
        if threading.current_thread() is not threading.main_thread():
            return self._patiently(function, *args)
        caller = CallerSettings.here()

        def ask() -> Any:  # noqa: ANN401
            with caller.applied():
                return self._patiently(function, *args)

        return result_of(self._asking.submit(ask))

    def _patiently(self, function: Callable[..., Any], *args: Any) -> Any:  # noqa: ANN401
        """What a function gives; a server that was silent is not asked again for as long as that."""
        begin = time.monotonic()
        if begin < self._silent_until:
            raise self._silence()
        try:
            with server_timeouts():
                return function(*args)
        except (SilenceError, RasterChangedError):
            raise
        except RasterError:
            seconds, end = patience(), time.monotonic()
            if seconds and end - begin >= seconds:
                self._silent_until = end + seconds
                raise self._silence() from None
            raise

    def _silence(self) -> SilenceError:
        return SilenceError(f"{self.name}: {silence()}")
