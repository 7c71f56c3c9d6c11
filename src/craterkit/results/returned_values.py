"""What users' functions return: columns of numbers where all values are numbers, of objects elsewhere."""

from __future__ import annotations

from numbers import Integral, Real
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["as_numbers", "is_missing", "is_number", "loses_digits", "unwrapped"]

#: Beyond it not every integer is a float.
EXACT = 2**53

_ODD = (np.ndarray, type(pd.NA), type(pd.NaT))


def as_numbers(values: NDArray[Any]) -> NDArray[np.float64] | None:
    """Objects as floats, with NaN for what is missing; None if one is no number or would lose digits.

    Texts of digits, times and bytes are no numbers.

    Examples
    --------
    >>> as_numbers(np.array([1, None, True], dtype=object))
    array([ 1., nan,  1.])
    >>> as_numbers(np.array(["007"], dtype=object)) is None
    True
    """
    plain = values.tolist()
    kinds = set(map(type, plain))
    if any(issubclass(kind, _ODD) for kind in kinds):
        plain = [None if is_missing(value) else value for value in unwrapped(values)]
        kinds = set(map(type, plain))
    if not all(_is_numeric(kind) or kind is type(None) for kind in kinds):
        return None
    try:
        numbers = np.array(plain, dtype=np.float64)
    except OverflowError:
        return None
    large = np.flatnonzero(np.abs(numbers) >= EXACT).tolist()
    return None if any(loses_digits(plain[i]) for i in large) else numbers


def unwrapped(values: NDArray[Any]) -> list[Any]:
    """The values, with what is in arrays of no dimension taken out."""
    return [value[()] if _is_wrapped(value) else value for value in values.tolist()]


def _is_wrapped(value: object) -> bool:
    return isinstance(value, np.ndarray) and not value.ndim and value is not np.ma.masked


def is_missing(value: object) -> bool:
    """Whether a value stands for none."""
    if value is None or value is np.ma.masked or value is pd.NA or value is pd.NaT:
        return True
    return isinstance(value, float | np.floating) and bool(value != value)


def is_number(value: object) -> bool:
    """Whether a value is a real number or a boolean."""
    return _is_numeric(type(value))


def _is_numeric(kind: type) -> bool:
    return issubclass(kind, Real | np.bool_) and not issubclass(kind, np.timedelta64)


def loses_digits(value: object) -> bool:
    """Whether a value is an integer so large that not all of its neighbours are floats."""
    return isinstance(value, Integral) and abs(int(value)) > EXACT
