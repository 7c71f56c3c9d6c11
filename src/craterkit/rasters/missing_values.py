"""Which raw numbers stand for no data: declared values as GDAL compares them, and what no raster measures."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    Bools = NDArray[np.bool_]

__all__ = ["any_declared", "can_be_missing", "equals_declared", "is_number"]

#: GDAL takes floats this many roundings apart for one (`ARE_REAL_EQUAL` in its gcore/gdal_priv.h).
ROUNDINGS = 4

#: Beyond this no raster measures, and a declared value stands for all numbers that its digits leave open:
#: headers write the least float32 as -3.4e38.
HUGE = 1e38

#: The least numbers that ISIS keeps for data, VALID_MIN4 and VALID_MIN8 (USGS ISIS,
#: isis/src/base/objs/SpecialPixel/SpecialPixel.h). Below them are its null and saturations, down to the
#: least float32 and float64.
LEAST_OF_FLOAT32 = float(np.uint32(0xFF7FFFFA).view(np.float32))
LARGEST_FLOAT32 = float(np.finfo(np.float32).max)
LEAST_OF_FLOAT64 = float(np.uint64(0xFFEFFFFFFFFFFFFA).view(np.float64))


def is_number(raw: NDArray[Any]) -> Bools:
    """Which floats may be data: finite ones, but for those that formats reserve.

    ISIS keeps the floats beside the least one for its null and saturated pixels. They outlive the cube in
    GeoTIFFs and arrays, and the least float32 is a common nodata value of its own.
    """
    numbers = np.isfinite(raw)
    low = raw < LEAST_OF_FLOAT32
    if low.any():
        if raw.dtype.itemsize > 4:
            # Between the least float32 and the least float64 there are numbers.
            low &= (raw >= -LARGEST_FLOAT32) | (raw < LEAST_OF_FLOAT64)
        numbers &= ~low
    return numbers


def equals_declared(raw: NDArray[Any], value: float) -> Bools | None:
    """Which raw numbers are the declared value; None if none can be.

    Integers are compared exactly. Floats count as equal within a few roundings, as for GDAL; in float64
    also where they are the value in single precision, of which they may be a copy.

    Examples
    --------
    >>> equals_declared(np.array([-3.4028235e38, 5.0], dtype="f4"), -3.4e38)
    array([ True, False])
    >>> equals_declared(np.array([np.float32(-9999.9), 1.0], dtype="f8"), -9999.9)
    array([ True, False])
    """
    found: Bools | None = None
    for low, high in _meant(raw.dtype, float(value) if raw.dtype.kind == "f" else value):
        within = raw == low if low == high else (raw >= low) & (raw <= high)
        found = within if found is None else found | within
    return found


@lru_cache(maxsize=256)
def _meant(dtype: np.dtype[Any], value: float) -> tuple[tuple[Any, Any], ...]:
    """Intervals of numbers of a dtype that a declared value stands for."""
    if not can_be_missing(dtype, value):
        return ()
    if dtype.kind != "f":
        held = dtype.type(int(value))
        return ((held, held),)
    slack = ROUNDINGS * float(np.finfo(dtype).eps) * abs(value)
    if abs(value) > HUGE:
        slack = _last_digit(value)
    limit = float(np.finfo(dtype).max)
    low, high = (dtype.type(np.clip(value + far, -limit, limit)) for far in (-slack, slack))
    with np.errstate(over="ignore"):
        single = float(np.float32(value))
    if single == value or dtype.itemsize <= 4:
        return ((low, high),)
    return (low, high), (single, single)


def _last_digit(value: float) -> float:
    """What the last digit of a value counts, in the shortest form of single or double precision."""
    with np.errstate(over="ignore"):
        single = np.float32(value)
    number = single if float(single) == value else np.float64(value)
    shortest = np.format_float_scientific(number, trim="-")
    mantissa, _, exponent = shortest.partition("e")
    return float(10.0 ** (int(exponent) - len(mantissa.partition(".")[2])))


def can_be_missing(dtype: np.dtype[Any], value: float) -> bool:
    """Whether a number of a dtype may be a declared value; NaN and infinity are no data anyway."""
    if not np.isfinite(value):
        return False
    if dtype.kind == "f":
        return True
    info = np.iinfo(dtype)
    return int(value) == value and info.min <= value <= info.max


def any_declared(raw: NDArray[Any], values: Iterable[float]) -> Bools | None:
    """Which raw numbers are one of the declared values; None if none can be."""
    found: Bools | None = None
    for value in values:
        same = equals_declared(raw, value)
        if same is not None:
            found = same if found is None else found | same
    return found
