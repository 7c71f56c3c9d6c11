"""NumPy arrays as rasters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from craterkit.errors import ArgumentError, RasterError
from craterkit.rasters.base import Band, Raster, Window, pixel_dtype

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["MEMORY_BLOCK", "ArrayRaster"]

#: Rows and columns in which pixels that lie in memory are copied.
MEMORY_BLOCK = (256, 256)


class ArrayRaster(Raster):
    """A NumPy array as a raster; threads share it, as they only read.

    Parameters
    ----------
    values : ndarray or numpy.ma.MaskedArray
        Pixels as (rows, columns) or (bands, rows, columns). What is masked is no data.
    name : str
        What error messages call it.

    Raises
    ------
    ArgumentError
        If it has another number of dimensions.
    RasterError
        If it is empty, or holds no real numbers.
    """

    crs = None

    def __init__(self, values: NDArray[Any], name: str) -> None:
        self.name = name
        if values.ndim not in (2, 3):
            raise ArgumentError(
                f"{name}: an array must have the dimensions (rows, columns) or (bands, rows, columns); "
                f"its shape is {values.shape}"
            )
        if not values.size:
            raise RasterError(f"{name}: holds no pixels; its shape is {values.shape}")
        dtype = pixel_dtype(values.dtype, name)
        self._values = np.ma.getdata(values).reshape(-1, *values.shape[-2:])
        self._mask: NDArray[np.bool_] | None = None
        if np.ma.getmask(values) is not np.ma.nomask:
            self._mask = np.ma.getmaskarray(values).reshape(self._values.shape)
        self.shape = self._values.shape[1:]
        self.block_shape = MEMORY_BLOCK
        self.bands = [
            Band(number, dtype, (), True, 1.0, 0.0, self._mask is not None, "")
            for number in range(1, self._values.shape[0] + 1)
        ]

    @property
    def transform(self) -> None:
        """None: an array has no place of its own."""
        return None

    def _why_unplaced(self) -> ArgumentError:
        return ArgumentError(
            f"{self.name}: an array does not say where its pixels lie; pass transform= (an affine.Affine "
            'or its six numbers) and raster_crs= (for lon/lat in degrees "planetocentric")'
        )

    def read(
        self, band: Band, window: Window, out: NDArray[Any], mask: NDArray[np.uint8] | None
    ) -> None:
        """Copy a window of raw numbers into `out`, and what is not masked into `mask`."""
        where = (
            band.number - 1,
            slice(window.row_start, window.row_stop),
            slice(window.col_start, window.col_stop),
        )
        out[...] = self._values[where]
        if mask is not None and self._mask is not None:
            mask[...] = ~self._mask[where]
