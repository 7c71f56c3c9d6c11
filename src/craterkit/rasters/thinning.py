"""Evenly spread pixels of a window, for pictures that have fewer than the raster."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from craterkit.rasters.base import Window
from craterkit.rasters.gdal import GdalRaster

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from craterkit.rasters.base import Band, Raster

__all__ = ["read_thinned"]

#: Pixels that are read at a time, about, of rasters that cannot be read thinned themselves.
STRIP_PIXELS = 4_000_000


def read_thinned(
    raster: Raster, band: Band, window: Window, shape: tuple[int, ...]
) -> tuple[NDArray[Any], NDArray[np.bool_] | None]:
    """Read as many pixels of a window as a picture has.

    Parameters
    ----------
    raster : Raster
        The raster; open.
    band : Band
        The band.
    window : Window
        The window.
    shape : tuple of int
        Rows and columns to have; at most the window's.

    Returns
    -------
    raw : ndarray of that shape
        Raw numbers.
    missing : ndarray of bool or None
        Which are no data; None if all are.
    """
    raw = np.empty(shape, dtype=band.dtype)
    mask = np.empty(shape, dtype=np.uint8) if band.has_mask else None
    if shape == window.shape or isinstance(raster, GdalRaster):
        # GDAL picks as many as the arrays hold, out of overviews if the file has some.
        raster.read(band, window, raw, mask)
    else:
        _pick(raster, band, window, raw, mask)
    valid = band.valid(raw)
    missing = None if valid is None else ~valid
    if mask is not None:
        missing = mask == 0 if missing is None else missing | (mask == 0)
    return raw, missing


def _pick(
    raster: Raster,
    band: Band,
    window: Window,
    out: NDArray[Any],
    mask: NDArray[np.uint8] | None,
) -> None:
    """Read a window strip by strip, and keep the pixels in the middle of those of the picture."""
    rows, columns = (
        ((np.arange(count) + 0.5) * size / count).astype(np.intp)
        for count, size in zip(out.shape, window.shape, strict=True)
    )
    height = max(1, STRIP_PIXELS // window.shape[1])
    for first in range(0, window.shape[0], height):
        own = (rows >= first) & (rows < first + height)
        if not own.any():
            continue
        top, bottom = int(rows[own][0]), int(rows[own][-1]) + 1
        strip = window._replace(
            row_start=window.row_start + top, row_stop=window.row_start + bottom
        )
        whole = np.empty(strip.shape, dtype=band.dtype)
        whole_mask = None if mask is None else np.empty(strip.shape, dtype=np.uint8)
        raster.read(band, strip, whole, whole_mask)
        picked = np.ix_(rows[own] - top, columns)
        out[own] = whole[picked]
        if mask is not None and whole_mask is not None:
            mask[own] = whole_mask[picked]
