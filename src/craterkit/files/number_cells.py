"""Columns of numbers and truths as a file holds them, and back; see `cells`."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from craterkit.files.holdings import IN_JSON, Holds, UnheldError, as_series, filled

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Column = pd.Series[Any]
    How = dict[str, Any]

__all__ = [
    "MASKED",
    "decode_numbers",
    "encode_integers",
    "encode_masked",
    "encode_numbers",
    "masked_like",
    "nullable_truths",
]

#: Beyond this, a float has no place for every integer.
EXACT_INTEGERS = 2**53

#: Beyond this, GDAL makes floats of negative numbers in JSON.
LARGEST = 10**18 - 1

#: Names of pandas' nullable dtypes.
MASKED = frozenset(
    [f"{sign}Int{bits}" for sign in ("", "U") for bits in (8, 16, 32, 64)]
    + ["boolean", "Float32", "Float64"]
)


def encode_numbers(numbers: NDArray[Any], how: How, holds: Holds) -> tuple[Column, How]:
    """A column of one of NumPy's numbers or truths."""
    if numbers.dtype.kind == "f":
        if not holds.infinities and np.isinf(numbers).any():
            texts = [None if math.isnan(x) else repr(float(x)) for x in numbers]
            return as_series(np.array(texts, dtype=object)), {**how, "as": "text"}
        return as_series(numbers.astype(np.float64)), how
    if numbers.dtype.kind == "b":
        return as_series(numbers), how
    return encode_integers(numbers, np.zeros(numbers.size, dtype=bool), how)


def encode_integers(
    integers: NDArray[Any], missing: NDArray[np.bool_], how: How
) -> tuple[Column, How]:
    """Integers, as texts where a file or a float would lose some of their digits."""
    known = integers[~missing]
    beyond = EXACT_INTEGERS if missing.any() else LARGEST
    if known.size and (int(known.max()) > beyond or int(known.min()) < -beyond):
        texts = np.array([str(number) for number in integers.tolist()], dtype=object)
        texts[missing] = None
        return as_series(texts), {**how, "as": "text"}
    integers = np.where(missing, 0, integers).astype(np.int64)
    if not missing.any():
        return as_series(integers), how
    return as_series(pd.arrays.IntegerArray(integers, missing)), how


def encode_masked(values: Column) -> tuple[Column, How]:
    """A column of one of pandas' nullable dtypes of numbers or truths."""
    dtype = values.dtype.name
    missing = values.isna().to_numpy()
    how = {"kind": "number", "dtype": dtype}
    if dtype == "boolean":
        truths = values.to_numpy(dtype=bool, na_value=False)
        return as_series(nullable_truths(truths, missing)), how
    if dtype.startswith("Float"):
        numbers = values.to_numpy(dtype=np.float64, na_value=np.nan)
        if np.isnan(numbers[~missing]).any():
            raise UnheldError(f"{dtype} with both NaN and missing values")
        return encode_numbers(numbers, how, IN_JSON)
    return encode_integers(values.to_numpy(dtype=dtype.lower(), na_value=0), missing, how)


def masked_like(dtype: pd.ArrowDtype) -> str:
    """The nullable dtype of pandas that holds what one of pyarrow does.

    Examples
    --------
    >>> import pyarrow as pa
    >>> masked_like(pd.ArrowDtype(pa.uint8()))
    'UInt8'
    """
    name: str = np.dtype(dtype.pyarrow_dtype.to_pandas_dtype()).name
    if name == "bool":
        return "boolean"
    if name == "float16":
        return "Float32"
    return name.capitalize() if name.startswith("float") else _nullable(name)


def decode_numbers(values: Column, how: How) -> Column:
    """The inverse of the functions that encode."""
    dtype = how["dtype"]
    missing = values.isna().to_numpy()
    if how.get("as") == "text":
        number = float if "float" in dtype.lower() else int
        parsed = [None if gone else number(x) for x, gone in zip(values, missing, strict=True)]
        values = as_series(np.array(parsed, dtype=object), values)
    if dtype in ("bool", "boolean"):
        truths = filled(values, missing, False).astype(np.float64)
        if not truths.isin([0.0, 1.0]).all():
            raise ValueError("not only truths")
        if dtype == "bool" and not missing.any():
            return truths.astype(bool)
        return as_series(nullable_truths(truths.to_numpy(), missing), values)
    if dtype.startswith("float"):
        floats = filled(values, missing, np.nan) if missing.any() else values
        return floats.astype(np.float64).astype(dtype)
    if dtype in MASKED or missing.any():
        nullable: Any = dtype if dtype in MASKED else _nullable(dtype)
        known = filled(values, missing, 0)
        numbers = np.array(known.to_list(), dtype=nullable.lower())
        if not np.array_equal(numbers, known.to_numpy()):
            raise ValueError("not of this dtype")
        return as_series(numbers, values).astype(nullable).mask(missing)
    whole = values.to_numpy().astype(dtype)
    if not np.array_equal(whole, values.to_numpy()):
        raise ValueError("not of this dtype")
    return as_series(whole, values)


def nullable_truths(truths: NDArray[Any], missing: NDArray[np.bool_]) -> Any:  # noqa: ANN401
    """Truths some of which are missing."""
    return pd.arrays.BooleanArray(np.asarray(truths, dtype=np.bool_), missing)


def _nullable(dtype: str) -> str:
    return f"UInt{dtype[4:]}" if dtype.startswith("u") else f"Int{dtype[3:]}"
