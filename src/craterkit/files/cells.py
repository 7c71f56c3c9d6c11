"""Columns of tables as columns of files, and back: every dtype as something that a file can hold.

A file's column is a plain one: numbers, booleans, texts, dates. How it becomes the table's column again is
told by a small dictionary that goes into the file's description.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from craterkit.files.holdings import IN_JSON, Holds, UnheldError, as_series
from craterkit.files.number_cells import (
    EXACT_INTEGERS,
    MASKED,
    decode_numbers,
    encode_integers,
    encode_masked,
    encode_numbers,
    masked_like,
    nullable_truths,
)
from craterkit.files.object_cells import (
    decode_dates,
    decode_json,
    decode_texts,
    decode_truths,
    encode_objects,
    encode_strings,
)
from craterkit.files.time_cells import (
    decode_durations,
    decode_instants,
    encode_durations,
    encode_instants,
)

if TYPE_CHECKING:
    Column = pd.Series[Any]
    How = dict[str, Any]

__all__ = ["decode", "encode"]


def encode(values: Column, holds: Holds) -> tuple[Column, How]:
    """A column as a file holds it, and how to make it what it was.

    Parameters
    ----------
    values : pandas.Series
        The column, with the index 0, 1, 2, ...
    holds : Holds
        What the file can hold.

    Returns
    -------
    column : pandas.Series
        Numbers, booleans (both of NumPy's dtypes, or of pandas' nullable ones where some are missing),
        texts and None, instants, or geometries.
    how : dict
        What `decode` needs; made of what JSON can hold.

    Raises
    ------
    UnheldError
        If there is no way to write it without a loss.

    Examples
    --------
    >>> column, how = encode(pd.Series([1, 2], dtype="int8"), IN_JSON)
    >>> how
    {'kind': 'number', 'dtype': 'int8'}
    >>> decode(column, how).dtype
    dtype('int8')
    """
    dtype = values.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        return _encode_categories(values)
    if isinstance(dtype, pd.StringDtype):
        return encode_strings(values)
    if dtype.name in MASKED:
        return encode_masked(values)
    if dtype.name == "geometry":
        return _encode_geometries(values, holds)
    if isinstance(dtype, np.dtype) and dtype.kind in "biuf" and dtype.itemsize <= 8:
        return encode_numbers(values.to_numpy(), {"kind": "number", "dtype": dtype.name}, holds)
    if isinstance(dtype, pd.ArrowDtype) and dtype.kind in "biuf":
        nullable: Any = masked_like(dtype)
        column, how = encode_masked(values.astype(nullable))
        return column, {"kind": "arrow", "dtype": str(dtype), "values": how}
    if dtype.kind == "M":
        return encode_instants(values, holds)
    if dtype.kind == "m":
        return encode_durations(values)
    if dtype.kind == "O" and isinstance(dtype, np.dtype):
        return encode_objects(values)
    raise UnheldError(str(dtype))


def decode(values: Column, how: How) -> Column:
    """A column of a file as it was in the table; the inverse of `encode`.

    Parameters
    ----------
    values : pandas.Series
        What was read.
    how : dict
        As from `encode`.

    Returns
    -------
    pandas.Series
        With the index of `values`. Where other software has taken values out of a column that could
        not miss any, it is of pandas' nullable dtype. What other software has put there and is of
        another kind comes as it was read.
    """
    try:
        return _DECODERS[how["kind"]](values, how)
    except (ValueError, TypeError, OverflowError):
        return values


def _encode_categories(values: Column) -> tuple[Column, How]:
    codes = values.cat.codes.to_numpy()
    missing = codes < 0
    names, how = encode(pd.Series(values.cat.categories), IN_JSON)
    if missing.any() and names.dtype.kind in "iu":
        names, how = encode_integers(names.to_numpy(), np.zeros(len(names), dtype=bool), how)
        if len(names) and int(names.abs().max()) > EXACT_INTEGERS:
            names, how = names.astype(str).astype(object), {**how, "as": "text"}
    array = names.to_numpy(dtype=object)
    whole = {
        "kind": "category",
        "ordered": bool(values.cat.ordered),
        "values": how,
        "categories": array.tolist(),
    }
    filled = np.where(missing, 0, codes)
    if names.dtype.kind in "biuf":
        plain = names.to_numpy()[filled] if len(names) else np.zeros(len(values))
        if not missing.any():
            return as_series(plain), whole
        if names.dtype.kind == "b":
            return as_series(nullable_truths(plain, missing)), whole
        if names.dtype.kind == "f":
            return as_series(np.where(missing, np.nan, plain)), whole
        return as_series(pd.arrays.IntegerArray(plain.astype(np.int64), missing)), whole
    cells = array[filled] if len(array) else np.empty(len(values), dtype=object)
    cells[missing] = None
    return as_series(cells), whole


def _decode_categories(values: Column, how: How) -> Column:
    inner = how["values"]
    listed = how["categories"]
    cells = pd.Series(listed, dtype=object) if not listed else pd.Series(listed)
    categories: pd.Index[Any] = pd.Index(decode(cells, inner))
    missing = values.isna().to_numpy()
    known = decode(values[~missing].reset_index(drop=True), inner)
    # Other software may have put names there that were no categories.
    new = pd.Index(known.unique()).difference(categories, sort=False)
    if len(new):
        categories = categories.append(new)
    codes = np.full(len(values), -1)
    codes[~missing] = categories.get_indexer(pd.Index(known))
    made = pd.Categorical.from_codes(codes, categories=categories, ordered=how["ordered"])
    return as_series(made, values)


def _encode_geometries(values: Column, holds: Holds) -> tuple[Column, How]:
    import shapely

    crs = getattr(values.array, "crs", None)
    how: How = {"kind": "geometry", "crs": None if crs is None else crs.to_json_dict()}
    if holds.geometries:
        return values, how
    shapes = np.asarray(values.array, dtype=object)
    return as_series(shapely.to_wkb(shapes, hex=True).astype(object)), how


def _decode_geometries(values: Column, how: How) -> Column:
    import geopandas as gpd
    import pyproj
    import shapely

    crs = None if how["crs"] is None else pyproj.CRS.from_json_dict(how["crs"])
    if values.dtype.name == "geometry":
        shapes = np.asarray(values.array, dtype=object)
    else:
        texts = values.to_numpy(dtype=object, copy=True)
        texts[values.isna().to_numpy()] = None
        shapes = shapely.from_wkb(texts)
    return gpd.GeoSeries(shapes, index=values.index, crs=crs)


def _decode_arrow(values: Column, how: How) -> Column:
    numbers = decode(values, how["values"])
    dtype: Any = pd.ArrowDtype.construct_from_string(how["dtype"])
    return as_series(numbers.astype(dtype), values)


_DECODERS = {
    "number": decode_numbers,
    "instant": decode_instants,
    "duration": decode_durations,
    "text": decode_texts,
    "truth": decode_truths,
    "json": decode_json,
    "arrow": _decode_arrow,
    "date": decode_dates,
    "category": _decode_categories,
    "geometry": _decode_geometries,
}
