"""What tells a raster from another one, as values that JSON can hold."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np

from craterkit.addresses import without_secrets
from craterkit.extraction.raster_files import (
    absolute_name,
    file_state,
    local_file,
)
from craterkit.rasters.base import Raster, Window
from craterkit.rasters.gdal import GdalRaster
from craterkit.rasters.labelled import MESH_NAMES, LabelledRaster
from craterkit.rasters.opening import open_raster
from craterkit.results.fingerprints import fingerprint_value
from craterkit.results.hashes import HASH, STRIP_BYTES, hash_json

__all__ = ["fingerprint_given", "fingerprint_labelled", "fingerprint_raster"]


def fingerprint_raster(raster: Raster) -> dict[str, Any]:
    """What tells a raster from another one.

    Of a raster in files, names, sizes and times of the files that are on this machine; of one in
    memory, a hash of its pixels; of others what they say of themselves.
    """
    found: dict[str, Any] = {
        "kind": type(raster).__name__,
        "shape": list(raster.shape),
        "crs": fingerprint_value(raster.crs),
        "bands": fingerprint_value(raster.bands),
    }
    if isinstance(raster, GdalRaster):
        names = raster.files
        files = sorted({file for name in names if (file := local_file(name)) is not None})
        found["transform"] = fingerprint_value(raster.transform)
        if raster.resampling:
            found["resampling"] = raster.resampling
        if files:
            found["name"] = without_secrets(absolute_name(raster.name, names))
            found["files"] = [file_state(file) for file in files]
        elif raster.driver == "MEM" or any(name.startswith("/vsimem/") for name in names):
            found["name"] = "in memory"
            found["pixels"] = _hash_pixels(raster)
        else:
            found["name"] = without_secrets(raster.name)
            found["blocks"] = list(raster.block_shape)
    elif isinstance(raster, LabelledRaster):
        found |= fingerprint_labelled(raster.array)
    else:
        found["pixels"] = _hash_pixels(raster)
    return found


def fingerprint_given(given: Any) -> dict[str, Any]:  # noqa: ANN401
    """What tells a raster from another one, given as `open_raster` takes it.

    For rasters that are arguments: a path among other values (`fingerprint_value`) is only a text.
    """
    with open_raster(given) as raster:
        return fingerprint_raster(raster)


def _hash_pixels(raster: Raster) -> str:
    digest = hashlib.sha256()
    height, width = raster.shape
    for band in raster.bands:
        step = max(STRIP_BYTES // (width * band.dtype.itemsize), 1)
        step = -(-step // raster.block_shape[0]) * raster.block_shape[0]
        for start in range(0, height, step):
            window = Window(start, min(start + step, height), 0, width)
            values = np.empty(window.shape, dtype=band.dtype)
            mask = np.full(window.shape, 255, dtype=np.uint8) if band.has_mask else None
            raster.read(band, window, values, mask)
            if mask is not None:
                values[mask == 0] = 0
                digest.update(mask.tobytes())
            digest.update(values.tobytes())
    return HASH + digest.hexdigest()


def fingerprint_labelled(array: Any) -> dict[str, Any]:  # noqa: ANN401
    """What tells an `xarray.DataArray` from another one."""
    found: dict[str, Any] = {
        "name": None if array.name is None else str(array.name),
        "shape": list(array.shape),
        "dimensions": [str(name) for name in array.dims],
        "dtype": str(array.dtype),
        "attributes": hash_json(fingerprint_value(dict(array.attrs))),
        "coordinates": {
            str(name): fingerprint_value(np.asarray(coordinate.values))
            for name, coordinate in array.coords.items()
            if coordinate.ndim <= 1 or name in MESH_NAMES
        },
        "transforms": [
            str(coordinate.attrs["GeoTransform"])
            for coordinate in array.coords.values()
            if "GeoTransform" in coordinate.attrs
        ],
    }
    source = array.encoding.get("source")
    along = {name for coordinate in array.coords.values() for name in coordinate.dims}
    if array.chunks is not None:
        found["dask"] = str(array.data.name)
    elif array.variable._in_memory or source is None or not along.issuperset(array.dims):
        # Without coordinates, nothing else tells which part of a file it is.
        found["pixels"] = fingerprint_value(np.asarray(array.values))
        return found
    if source is not None:
        file = local_file(str(source))
        found["files"] = [file_state(file)] if file else without_secrets(str(source))
    return found
