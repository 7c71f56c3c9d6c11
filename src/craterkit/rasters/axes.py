"""Axes of a raster from the coordinates of its pixels' centres."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np

from craterkit.errors import CRSError

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["regular_axis"]

#: How far, in pixels, a centre may lie from where even spacing has it, beside its rounding.
TOLERANCE_PX = 1e-6

#: Roundings, in units of the last place, of a coordinate that was computed in its own precision.
ULPS = 4

#: A simple fraction is taken for the number meant if chance would rarely put one so near.
CHANCE = 0.01


def regular_axis(centres: NDArray[Any], what: str) -> tuple[float, float]:
    """Outer edge of the first pixel, and step from pixel to pixel, of at least two centres.

    Coordinates are rounded, those of single precision visibly so. Among the numbers within their
    rounding, simple ones are taken for those that were meant: so a global raster of 0.01° has 36,000 columns
    around the body, not 35,999.9985.

    Parameters
    ----------
    centres : (n,) ndarray
        Coordinates of the centres.
    what : str
        What messages call them.

    Raises
    ------
    CRSError
        If they are not finite or not evenly spaced, or too coarsely rounded to tell.
    """
    values = np.asarray(centres, dtype=np.float64)
    wrong = np.flatnonzero(~np.isfinite(values))
    if wrong.size:
        raise CRSError(f"{what} is {values[wrong[0]]} at position {wrong[0]}")
    intervals = values.size - 1
    step = (values[-1] - values[0]) / intervals
    rounding = 0.0
    if centres.dtype.kind == "f":
        ulps = 1 if centres.dtype.itemsize < 8 else ULPS
        rounding = ulps * float(np.spacing(np.abs(centres).max()))
    index = np.arange(values.size)
    apart = np.abs(values - (values[0] + step * index))
    slack = TOLERANCE_PX * abs(step) + 2.0 * rounding
    if step == 0 or apart.max() > slack:
        raise CRSError(_uneven(values, what))
    if rounding > 0.25 * abs(step):
        raise CRSError(
            f"{what} is too coarsely rounded ({centres.dtype}) to place pixels of {abs(step):.6g}; pass "
            "transform="
        )
    simple = _simple(step - rounding / intervals, step + rounding / intervals)
    if simple is not None:
        origins = values - simple * index
        low, high = origins.max() - rounding, origins.min() + rounding
        if low <= high:
            edge = _simple(low - simple / 2, high - simple / 2)
            return (low + high - simple) / 2 if edge is None else edge, simple
    return values[0] - step / 2, step


def _uneven(values: NDArray[np.float64], what: str) -> str:
    """Say where a step differs most from the usual one."""
    steps = np.diff(values)
    usual = float(np.median(steps))
    i = int(np.argmax(np.abs(steps - usual)))
    return (
        f"{what} is not evenly spaced: from {values[i]:.10g} to {values[i + 1]:.10g} (positions {i} and "
        f"{i + 1}) it is a step of {steps[i]:.10g}, where others are {usual:.10g}; sort or resample the "
        "raster, or pass transform="
    )


def _simple(low: float, high: float) -> float | None:
    """The simplest fraction from `low` to `high`; None if it may be there by chance."""
    found = _simplest(Fraction(low), Fraction(high))
    # There are about q² fractions with denominators up to q in an interval of length 1.
    chance = found.denominator**2 * (high - low)
    return float(found) if chance < CHANCE else None


def _simplest(low: Fraction, high: Fraction) -> Fraction:
    """The fraction of the least denominator from `low` to `high` (by continued fractions)."""
    if low <= 0 <= high:
        return Fraction(0)
    if high < 0:
        return -_simplest(-high, -low)
    whole = math.ceil(low)
    if whole <= high:
        return Fraction(whole)
    whole -= 1
    return whole + 1 / _simplest(1 / (high - whole), 1 / (low - whole))
