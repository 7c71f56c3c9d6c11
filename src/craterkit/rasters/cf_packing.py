"""What stored numbers mean by the attributes of the CF conventions, in netCDF files and labelled arrays."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from craterkit.errors import RasterError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from craterkit.rasters.base import Band

    Range = tuple[float, float]

__all__ = [
    "BOUNDS",
    "MISSING",
    "UNSIGNED",
    "decoded_range",
    "meant_dtype",
    "missing_values",
    "numbers",
    "valid_range",
    "with_netcdf_tags",
]

#: Attributes that say what stands for no data: of the CF conventions, and of older readers.
MISSING = ("_FillValue", "missing_value", "fill_value", "nodata")

#: Attributes that say between which numbers data lie.
BOUNDS = ("valid_range", "valid_min", "valid_max")

UNSIGNED = "_Unsigned"

#: How far, in steps of the packed integers, a bound in unpacked units may be rounded.
ROUNDING = 1e-6


def numbers(attrs: Mapping[str, Any], key: str, name: str) -> list[float]:
    """The numbers of an attribute.

    Raises
    ------
    RasterError
        If it holds something else.
    """
    values: list[Any] = np.atleast_1d(attrs[key]).tolist() if key in attrs else []
    for value in values:
        if not isinstance(value, int | float):
            raise RasterError(f"{name}: its attribute {key} holds {value!r}, which is not a number")
    return values


def meant_dtype(stored: np.dtype[Any], attrs: Mapping[str, Any], name: str) -> np.dtype[Any]:
    """The dtype that is meant by stored integers, which netCDF 3 only has signed.

    `_Unsigned` says so; or, of bytes, a valid range from 0 to 255.
    """
    if stored.kind not in "iu":
        return stored
    said = str(attrs.get(UNSIGNED, "")).lower()
    is_unsigned = {"true": True, "false": False}.get(said, stored.kind == "u")
    if not said and stored == np.int8:
        is_unsigned = _bounds(attrs, name) in ((0, 255), (0, -1))
    return np.dtype(f"{'u' if is_unsigned else 'i'}{stored.itemsize}")


def missing_values(attrs: Mapping[str, Any], dtype: np.dtype[Any], name: str) -> tuple[float, ...]:
    """Stored numbers that stand for no data, as numbers of the dtype that is meant."""
    found = [_meant(value, dtype) for key in MISSING for value in numbers(attrs, key, name)]
    return tuple(dict.fromkeys(found))


def valid_range(
    attrs: Mapping[str, Any], dtype: np.dtype[Any], scale: float, offset: float, name: str
) -> Range | None:
    """Least and greatest stored number that are data, as numbers of the dtype that is meant.

    They are declared in packed units (CF 1.11, section 8.1), unless they are no numbers of the packed
    integers: then in unpacked ones.

    Raises
    ------
    RasterError
        If they are no range, or floats (which stands for unpacked units in the netCDF User's Guide)
        that could be of either kind.
    """
    ends = _bounds(attrs, name)
    low, high = (None if end is None else _meant(end, dtype) for end in ends)
    if low is None and high is None:
        return None
    if dtype.kind == "f":
        found = (-math.inf if low is None else low, math.inf if high is None else high)
    else:
        info = np.iinfo(dtype)
        is_scaled = scale != 1.0 or offset != 0.0
        given = [end for end in (low, high) if end is not None]
        is_packed = all(_is_whole(end) and info.min <= end <= info.max for end in given)
        if is_packed and is_scaled and any(isinstance(end, float) for end in ends):
            raise RasterError(
                f"{name}: its valid range {_told(attrs)} is of floats, but the numbers are packed as "
                f"{dtype}: it may be meant before or after scale {scale:g} and offset {offset:g} are "
                "applied; make it integers (packed units), or take it out of attrs"
            )
        if not is_packed:
            if is_scaled:
                low, high = (None if v is None else (v - offset) / scale for v in (low, high))
                low, high = (high, low) if scale < 0 else (low, high)
            low = None if low is None else max(math.ceil(low - ROUNDING), info.min)
            high = None if high is None else min(math.floor(high + ROUNDING), info.max)
        found = (info.min if low is None else low, info.max if high is None else high)
    if not found[0] <= found[1]:
        raise RasterError(f"{name}: its valid range {_told(attrs)} holds no number of {dtype}")
    return found


def decoded_range(stored: Range, dtype: np.dtype[Any], scale: float, offset: float) -> Range:
    """The same range after scale and offset were applied, wide enough for their rounding."""
    low, high = sorted(end * scale + offset for end in stored)
    slack = 0.5 * abs(scale)
    if dtype.kind == "f":
        finite = [abs(end) for end in (low, high, offset) if math.isfinite(end)]
        slack = 4.0 * float(np.finfo(np.float32).eps) * max(finite)
    return low - slack, high + slack


def with_netcdf_tags(band: Band, tags: Mapping[str, str], name: str) -> Band:
    """Complete what GDAL tells of a band of netCDF by what it leaves in its metadata.

    GDAL takes the first missing value for nodata, knows unsigned integers of 8 and 16 bits only, and
    obeys a valid range (it puts nodata in place of what is outside) only where both ends are given.
    """
    if "NETCDF_VARNAME" not in tags:
        return band
    packing = [_tag(tags.get("scale_factor", "1"))[0], _tag(tags.get("add_offset", "0"))[0]]
    if not np.allclose(packing, [band.scale, band.offset], rtol=1e-6, atol=0.0):
        return band  # A copy whose numbers were unpacked.
    attrs: dict[str, Any] = {key: _tag(tags[key]) for key in (*MISSING, *BOUNDS) if key in tags}
    attrs[UNSIGNED] = tags.get(UNSIGNED, "")
    dtype = meant_dtype(band.dtype, attrs, name)
    declared = missing_values(attrs, dtype, name)
    own = tuple(_meant(value, dtype) for value in band.nodata)
    is_exact = band.nodata_is_exact or bool(declared)
    if band.nodata_is_exact or not declared:
        declared = tuple(dict.fromkeys((*declared, *own)))
    within = valid_range(attrs, dtype, band.scale, band.offset, name)
    # Whatever nodata= says: where GDAL found a number out of range, this is what it gives.
    placed = () if within is None else (v for v in own if within[0] <= v <= within[1])
    return replace(
        band,
        dtype=dtype,
        nodata=declared,
        nodata_is_exact=is_exact,
        valid_range=within or band.valid_range,
        special=(*band.special, *placed),
    )


def _tag(text: str) -> list[float]:
    """Numbers as GDAL writes them in metadata: ``3``, or ``{3,5}``; what is none is NaN."""
    found: list[float] = []
    for part in text.strip("{}").split(","):
        try:
            found.append(int(part))
        except ValueError:
            try:
                found.append(float(part))
            except ValueError:
                found.append(math.nan)
    return found


def _bounds(attrs: Mapping[str, Any], name: str) -> tuple[float | None, float | None]:
    """Ends of the valid range as they are declared."""
    both = numbers(attrs, "valid_range", name)
    if both and len(both) != 2:
        raise RasterError(f"{name}: its attribute valid_range {both} is not two numbers")
    low, high = both or (None, None)
    least, greatest = (numbers(attrs, key, name) for key in BOUNDS[1:])
    return (least[0] if least else low), (greatest[0] if greatest else high)


def _told(attrs: Mapping[str, Any]) -> str:
    return ", ".join(f"{key}={attrs[key]}" for key in BOUNDS if key in attrs)


def _is_whole(value: float | None) -> bool:
    return value is not None and math.isfinite(value) and value == int(value)


def _meant(value: float, dtype: np.dtype[Any]) -> float:
    """A number in the dtype that is meant: of unsigned ones, what the same bits stand for."""
    if dtype.kind not in "iu" or not _is_whole(value):
        return value
    whole, turn, info = int(value), 2 ** (8 * dtype.itemsize), np.iinfo(dtype)
    if info.min <= whole <= info.max:
        return whole
    other = whole + turn if whole < 0 else whole - turn
    # Only numbers of the other sign of the same size: what is beyond both stays what it is.
    return other if info.min <= other <= info.max and -turn // 2 <= whole < turn else whole
