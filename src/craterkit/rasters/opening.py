"""What a user may give as a raster, and what reads it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import numpy as np

from craterkit.errors import RasterTypeError
from craterkit.extraction.raster_files import is_remote

if TYPE_CHECKING:
    from craterkit.rasters.base import Raster

__all__ = ["is_data_array", "open_raster"]


def open_raster(given: Any, label: str = "") -> Raster:  # noqa: ANN401
    """Open a raster, whatever kind of it a user gives.

    Parameters
    ----------
    given : str, os.PathLike, rasterio dataset, xarray.DataArray or ndarray
        A path, anything that GDAL opens, an open dataset, or pixels in an array.
    label : str, optional
        What error messages call an array that has no name.

    Raises
    ------
    RasterError
        If it cannot be opened, or holds no real numbers.
    RasterTypeError
        If it is something else.
    """
    from craterkit.rasters.gdal import GdalRaster, is_dataset

    if isinstance(given, str | os.PathLike) or is_dataset(given):
        from craterkit.rasters.remote import RemoteRaster

        if is_remote(str(given.name if is_dataset(given) else os.fspath(given))):
            return RemoteRaster(given)
        raster = GdalRaster(given)
        if any(map(is_remote, raster.files)):  # sources of a VRT
            raster.close()
            return RemoteRaster(given)
        return raster
    if isinstance(given, np.ndarray):
        from craterkit.rasters.arrays import ArrayRaster

        return ArrayRaster(given, label or "the array")
    if is_data_array(given):
        from craterkit.rasters.labelled import LabelledRaster

        return LabelledRaster(given, label or "the DataArray")
    raise RasterTypeError(
        "a raster must be a path, a name that GDAL opens, an open rasterio dataset, an "
        f"xarray.DataArray or a NumPy array, not {type(given).__name__}"
    )


def is_data_array(value: object) -> bool:
    """Whether something is an `xarray.DataArray`, told without importing xarray."""
    return any(
        base.__name__ == "DataArray" and base.__module__.partition(".")[0] == "xarray"
        for base in type(value).__mro__
    )
