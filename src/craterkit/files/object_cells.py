"""Columns of texts and of objects as a file holds them, and back; see `cells`."""

from __future__ import annotations

import datetime
import json
import math
import re
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from craterkit.files.holdings import UnheldError, as_series, filled
from craterkit.files.number_cells import nullable_truths

if TYPE_CHECKING:
    Column = pd.Series[Any]
    How = dict[str, Any]

__all__ = [
    "decode_dates",
    "decode_json",
    "decode_texts",
    "decode_truths",
    "encode_objects",
    "encode_strings",
]

#: What is missing from a column of objects.
MISSING = {"None": None, "nan": math.nan, "NA": pd.NA}


def encode_strings(values: Column) -> tuple[Column, How]:
    """A column of one of pandas' dtypes of texts."""
    name = values.dtype.name
    if _is_plain_text(values):
        return _texts(values, {"kind": "text", "dtype": name})
    return _encode_json(values, name)


def _is_plain_text(values: Column) -> bool:
    """Whether every file can hold these texts."""
    return re.search("[\x00\ud800-\udfff]", "".join(values.dropna().astype(object))) is None


def _texts(values: Column, how: How) -> tuple[Column, How]:
    texts = values.to_numpy(dtype=object, copy=True)
    texts[values.isna().to_numpy()] = None
    return as_series(texts), how


def decode_texts(values: Column, how: How) -> Column:
    """Texts of any dtype."""
    if how["dtype"] != "object":
        return filled(values, values.isna().to_numpy(), None).astype(how["dtype"])
    texts = values.to_numpy(dtype=object, copy=True)
    texts[values.isna().to_numpy()] = MISSING[how["missing"]]
    return as_series(texts, values).astype(object)


def encode_objects(values: Column) -> tuple[Column, How]:
    """A column of objects: texts, truths, or whatever JSON gives back as it was."""
    missing = values.isna().to_numpy()
    gone = {_missing_kind(value) for value in values.array[missing]}
    kinds = {type(value) for value in values.array[~missing]}
    if len(gone) <= 1 and None not in gone:
        kind = next(iter(gone), "None")
        if kinds <= {str} and _is_plain_text(values):
            return _texts(values, {"kind": "text", "dtype": "object", "missing": kind})
        if kinds <= {bool}:
            truths = np.where(missing, False, values.to_numpy()).astype(bool)
            how = {"kind": "truth", "missing": kind}
            return as_series(nullable_truths(truths, missing)), how
        if kinds == {datetime.date}:
            texts = values.to_numpy(dtype=object, copy=True)
            texts[~missing] = [date.isoformat() for date in texts[~missing]]
            texts[missing] = None
            return as_series(texts), {"kind": "date", "missing": kind}
    return _encode_json(values, "object")


def _missing_kind(value: object) -> str | None:
    if value is None:
        return "None"
    if value is pd.NA:
        return "NA"
    return "nan" if isinstance(value, float) else None


def decode_truths(values: Column, how: How) -> Column:
    """Truths among objects."""
    missing = values.isna().to_numpy()
    truths = filled(values, missing, False).astype(np.float64).astype(bool).astype(object)
    truths[missing] = MISSING[how["missing"]]
    return truths.astype(object)


def decode_dates(values: Column, how: How) -> Column:
    """Dates among objects."""
    dates = values.to_numpy(dtype=object, copy=True)
    missing = values.isna().to_numpy()
    dates[~missing] = [datetime.date.fromisoformat(text) for text in dates[~missing]]
    dates[missing] = MISSING[how["missing"]]
    return as_series(dates, values).astype(object)


def _encode_json(values: Column, dtype: str) -> tuple[Column, How]:
    cells = np.empty(len(values), dtype=object)
    for i, value in enumerate(values):
        if value is pd.NA and dtype != "object":
            continue
        plain = value.item() if isinstance(value, np.generic) else value
        if plain is None:
            continue
        try:
            text = json.dumps(plain)
            same = _same(json.loads(text), plain)
        except (TypeError, ValueError):
            same = False
        if not same:
            raise UnheldError(f"{type(value).__name__}, such as {value!r}")
        cells[i] = text
    return as_series(cells), {"kind": "json", "dtype": dtype}


def _same(one: object, other: object) -> bool:
    """Whether JSON gave back what it was given, types included."""
    if type(one) is not type(other):
        return False
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_same, one, other))
    if isinstance(one, dict) and isinstance(other, dict):
        return list(one) == list(other) and all(map(_same, one.values(), other.values()))
    return one == other or (one != one and other != other)


def decode_json(values: Column, how: How) -> Column:
    """Objects that were written as JSON, one a cell."""
    missing = values.isna().to_numpy()
    cells = np.empty(len(values), dtype=object)
    for i, (value, gone) in enumerate(zip(values, missing, strict=True)):
        cells[i] = None if gone else json.loads(value)
    return as_series(cells, values).astype(how["dtype"])
