"""Whether the attributes of a labelled array still say what its numbers mean."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from craterkit.errors import RasterError
from craterkit.rasters.cf_packing import (
    BOUNDS,
    MISSING,
    UNSIGNED,
    decoded_range,
    meant_dtype,
    missing_values,
    numbers,
    valid_range,
)
from craterkit.rasters.missing_values import can_be_missing

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["OFFSETS", "SCALES", "Packing", "comes_from_a_file", "missing_in_source", "packing_of"]

SCALES, OFFSETS = ("scale_factor", "scales"), ("add_offset", "offsets")

#: Names under which rioxarray opens netCDF.
NETCDF = r"^netcdf:|\.(nc4?|cdf)$"

IDENTITY = {**dict.fromkeys(SCALES, 1.0), **dict.fromkeys(OFFSETS, 0.0)}


@dataclass(frozen=True, slots=True)
class Packing:
    """How the numbers of a labelled array are to be read.

    Attributes
    ----------
    attrs : mapping
        Attributes that hold for its numbers.
    applied : mapping
        Attributes that xarray has applied to them.
    stored : numpy.dtype
        Of the numbers in the file, unsigned where attributes say so.
    dtype : numpy.dtype
        Of its own numbers, unsigned where attributes say so.
    nodata : tuple of float
        Which of them stand for no data.
    """

    attrs: Mapping[str, Any]
    applied: Mapping[str, Any]
    stored: np.dtype[Any]
    dtype: np.dtype[Any]
    nodata: tuple[float, ...]

    def valid_range(
        self, own: tuple[float, float], applied: tuple[float, float], name: str
    ) -> tuple[float, float] | None:
        """Least and greatest number that are data, of a band of a scale and an offset.

        Parameters
        ----------
        own, applied : tuple of float
            Scale and offset that are to be applied, and that were.
        name : str
            What error messages call the array.
        """
        scale, offset = applied if own == (1.0, 0.0) else own
        found = valid_range(self.attrs, self.stored, scale, offset, name)
        if found is None or (self.dtype == self.stored and applied == (1.0, 0.0)):
            return found
        return decoded_range(found, self.stored, *applied)


def packing_of(array: Any, name: str) -> Packing:  # noqa: ANN401
    """Find out which attributes of a labelled array hold.

    xarray keeps attributes as it computes, but not `encoding`, where it notes how a file stores the
    array. So they hold where `encoding` names the dtype that the array has, and where a user has given
    them to an array of one's own. Booleans are never packed.

    Raises
    ------
    RasterError
        If attributes matter, and it cannot be known whether they hold; or if they make no sense.
    """
    encoding = array.encoding
    applied = {key: encoding[key] for key in (*IDENTITY, UNSIGNED) if key in encoding}
    attrs = {} if array.dtype.kind == "b" else _declared(array)
    doubtful = [key for key in attrs if _matters(attrs, key, array.dtype, name)]
    if not doubtful:
        return Packing({}, applied, array.dtype, array.dtype, ())
    as_in_file = np.dtype(encoding.get("dtype", encoding.get("rasterio_dtype", array.dtype)))
    if not _hold(array, doubtful):
        raise RasterError(_doubt(array, doubtful, name))
    stored = meant_dtype(as_in_file, applied | attrs, name)
    dtype = stored if array.dtype == as_in_file else array.dtype
    if dtype != stored != as_in_file and UNSIGNED not in applied:
        raise RasterError(
            f"{name}: its {as_in_file} numbers are meant as {stored}, but were masked as they are; open "
            "it with mask_and_scale=False (and not masked=True)"
        )
    return Packing(attrs, applied, stored, dtype, missing_values(attrs, stored, name))


def missing_in_source(array: Any) -> tuple[float, ...]:  # noqa: ANN401
    """What a netCDF file declares missing, of which rioxarray passes one value on, as in the array."""
    from craterkit.rasters.gdal import GdalRaster

    encoding = array.encoding
    source = str(encoding.get("source", ""))
    if "rasterio_dtype" not in encoding or not re.search(NETCDF, source, re.I):
        return ()
    try:
        with GdalRaster(source) as file:
            missing = np.array(file.bands[0].nodata, dtype=array.dtype)
    except (RasterError, OverflowError):
        return ()
    scale, offset = (encoding.get(keys[0], IDENTITY[keys[0]]) for keys in (SCALES, OFFSETS))
    return tuple((missing if (scale, offset) == (1.0, 0.0) else missing * scale + offset).tolist())


def comes_from_a_file(array: Any) -> bool:  # noqa: ANN401
    """Whether an array has coordinates, or attributes, that xarray or rioxarray read from a file."""
    if any("dtype" in coordinate.encoding for coordinate in array.coords.values()):
        return True
    # rioxarray always writes both of these, and where the file has its pixels.
    scaled = all(any(key in array.attrs for key in keys) for keys in (SCALES, OFFSETS))
    placed = any("GeoTransform" in coordinate.attrs for coordinate in array.coords.values())
    return scaled and (placed or "AREA_OR_POINT" in array.attrs)


def _declared(array: Any) -> dict[str, Any]:  # noqa: ANN401
    attrs = {
        key: array.attrs[key]
        for key in (*IDENTITY, *MISSING, *BOUNDS, UNSIGNED)
        if key in array.attrs
    }
    if "rasterio_dtype" in array.encoding:
        # rioxarray reads them from text, which does not tell integers from floats.
        for key in BOUNDS:
            values = np.atleast_1d(attrs.get(key, [])).tolist()
            if values and all(float(value).is_integer() for value in values):
                attrs[key] = [int(value) for value in values]
    return attrs


def _matters(attrs: Mapping[str, Any], key: str, dtype: np.dtype[Any], name: str) -> bool:
    """Whether numbers would be others without an attribute."""
    if key == UNSIGNED:
        said = str(attrs[key]).lower()
        return said in ("true", "false") and (said == "true") != (dtype.kind == "u")
    values = numbers(attrs, key, name)
    if key in IDENTITY:
        return any(value != IDENTITY[key] for value in values)
    if key in MISSING:
        return any(
            math.isfinite(value) and (UNSIGNED in attrs or can_be_missing(dtype, value))
            for value in values
        )
    return True


def _hold(array: Any, doubtful: list[str]) -> bool:  # noqa: ANN401
    """Whether attributes are known to be about the numbers that an array has."""
    encoding = array.encoding
    stored = encoding.get("dtype", encoding.get("rasterio_dtype"))
    if stored is not None:
        # rioxarray notes both dtypes of what it has masked; xarray leaves only bounds when it decodes.
        is_masked = "dtype" in encoding and "rasterio_dtype" in encoding
        return array.dtype == stored or is_masked or set(doubtful) <= set(BOUNDS)
    if comes_from_a_file(array):
        return False
    is_float = array.dtype.kind == "f"
    return not any(
        (is_float and key in IDENTITY)
        or (key in MISSING and not _is_of(array.attrs[key], array.dtype))
        for key in doubtful
    )


def _is_of(value: Any, dtype: np.dtype[Any]) -> bool:  # noqa: ANN401
    """Whether a value may have been declared for numbers of a dtype: those of Python have none."""
    own = getattr(value, "dtype", None)
    if own is None or own.kind == dtype.kind == "f":
        return True
    return bool(own.newbyteorder("=") == dtype.newbyteorder("="))


def _doubt(array: Any, doubtful: list[str], name: str) -> str:  # noqa: ANN401
    listed = ", ".join(f"{key} {array.attrs[key]}" for key in doubtful)
    return (
        f"{name}: it cannot be known whether its attributes ({listed}) hold for its {array.dtype} numbers: "
        "xarray keeps attributes when it computes, but its encoding does not say that the numbers are as "
        "a file stores them. If they are physical values, take those attributes out of attrs; if they are "
        'as stored, set array.encoding["dtype"] = array.dtype; or compute with what is decoded '
        "(mask_and_scale=True)"
    )
