"""Axes of a raster from the coordinates of its pixels' centres."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np

from craterkit.errors import CRSError

if TYPE_CHECKING:
    from affine import Affine
    from numpy.typing import NDArray

    Step = tuple[float, float]

__all__ = ["complete_steps", "mesh_transform", "regular_axis"]

#: How far, in pixels, a centre may lie from where even spacing has it, beside its rounding.
TOLERANCE_PX = 1e-6

#: How far, in pixels, a centre may lie from those of a transform that was written down apart from it.
WRITTEN_TOLERANCE_PX = 1e-2

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


def mesh_transform(x: NDArray[Any], y: NDArray[Any], written: Affine | None, what: str) -> Affine:
    """Affine transform of a rotated raster from coordinates of all its pixels' centres.

    Parameters
    ----------
    x, y : (rows, columns) ndarray
        Coordinates of the centres.
    written : Affine or None
        Tells the step from row to row if there is only one; see `complete_steps`.
    what : str
        What messages call the raster.

    Raises
    ------
    CRSError
        If they are not evenly spaced.
    """
    from affine import Affine

    rows, columns = x.shape
    right, down = (
        None
        if count == 1
        else (float(x[end] - x[0, 0]) / (count - 1), float(y[end] - y[0, 0]) / (count - 1))
        for count, end in ((columns, (0, -1)), (rows, (-1, 0)))
    )
    first = float(x[0, 0]), float(y[0, 0])
    (a, d), (b, e) = complete_steps(right, down, first, written, what, ("column", "row"))
    row, column = np.arange(rows)[:, None], np.arange(columns)
    slack = TOLERANCE_PX * (math.hypot(a, d) + math.hypot(b, e))
    for values, start, along, across in ((x, first[0], a, b), (y, first[1], d, e)):
        rounding = ULPS * float(np.spacing(np.abs(values).max()))
        apart = np.abs(values - (start + along * column + across * row))
        if not apart.max() <= slack + rounding:
            raise CRSError(
                f"{what}: its 2-D coordinates are not evenly spaced along straight lines; pass "
                "transform=, or resample it"
            )
    if a * e == b * d:
        raise CRSError(f"{what}: its 2-D coordinates lie on one line; pass transform=")
    return Affine(a, b, first[0] - (a + b) / 2, d, e, first[1] - (d + e) / 2)


def complete_steps(
    right: Step | None,
    down: Step | None,
    first: Step,
    written: Affine | None,
    what: str,
    names: tuple[str, str],
) -> tuple[Step, Step]:
    """Steps (x, y) from column to column and from row to row, where one row or column tells none.

    They are taken from a transform written down when the raster may have been larger, if it has the
    other step (in either direction) and a centre where the raster has its first.

    Raises
    ------
    CRSError
        If a step is missing and that transform is, too, or is another's.
    """
    if right is not None and down is not None:
        return right, down
    trouble = f"{what}: its only {names[down is None]} does not tell how large a pixel is"
    if written is None:
        raise CRSError(f"{trouble}; pass transform=")
    own = (written.a, written.d), (written.b, written.e)
    size = max(math.hypot(*step) for step in own)
    for step, known in ((right, own[0]), (down, own[1])):
        if step is not None and not any(
            math.hypot(step[0] - sign * known[0], step[1] - sign * known[1])
            <= WRITTEN_TOLERANCE_PX * size
            for sign in (1, -1)
        ):
            raise CRSError(
                f"{trouble}: its attribute GeoTransform has steps of {known} where its coordinates have "
                f"{step}; pass transform="
            )
    inverse = ~written
    for position in (
        inverse.a * first[0] + inverse.b * first[1] + inverse.c,
        inverse.d * first[0] + inverse.e * first[1] + inverse.f,
    ):
        centre = math.floor(position) + 0.5
        if position < 0 or not abs(position - centre) <= WRITTEN_TOLERANCE_PX:
            raise CRSError(
                f"{trouble}: by its attribute GeoTransform no pixel has its centre at {first}; pass "
                "transform="
            )
    return right or own[0], down or own[1]


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
