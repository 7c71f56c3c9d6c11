"""Parquet files: which names they may have, and which tables they can hold."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from craterkit.errors import ArgumentError, StatisticError, quoted
from craterkit.results.returned_values import (
    as_numbers,
    is_missing,
    is_number,
    loses_digits,
    unwrapped,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

__all__ = [
    "arrow_column",
    "arrow_table",
    "check_table",
    "column_kind",
    "mixed",
    "numpy_column",
    "parquet_path",
]


#: Where pandas keeps a table's ``attrs`` in a file's metadata.
ATTRS_KEY = b"PANDAS_ATTRS"

#: Where a part says that a column is all missing, so that it may yet become numbers or texts.
KIND_KEY = b"kind"

NOT_HELD = "which a Parquet file cannot hold; return a number or a text, or leave out= away"


def parquet_path(path: Any) -> Path:  # noqa: ANN401
    """The argument `out` as a path.

    Raises
    ------
    ArgumentError
        If it is no name of a Parquet file, its folder is missing, or pyarrow is not installed.
    """
    if not isinstance(path, str | os.PathLike) or not isinstance(name := os.fspath(path), str):
        raise ArgumentError(f"out must be the name of a Parquet file, not {path!r}")
    found = Path(name)
    if found.suffix not in (".parquet", ".pq"):
        raise ArgumentError(f"out must be a name that ends in .parquet, not {name!r}")
    if not found.parent.is_dir():
        raise ArgumentError(f"out: there is no folder {str(found.parent)!r}")
    if found.is_dir():
        raise ArgumentError(f"out: {name!r} is a folder; choose another name")
    _check_installed()
    return found


def _check_installed() -> None:
    try:
        import pyarrow.parquet  # noqa: F401
    except ImportError as error:
        raise ArgumentError(
            'out="….parquet" needs pyarrow: pip install "craterkit[parquet]"'
        ) from error


def check_table(table: pd.DataFrame) -> None:
    """Make sure that a Parquet file can hold a table.

    Raises
    ------
    ArgumentError
        If it cannot; every column that is in the way is named. If pyarrow is not installed.
    """
    arrow_table(table)


def arrow_table(table: pd.DataFrame, metadata: Mapping[bytes, bytes] | None = None) -> Any:  # noqa: ANN401
    """A table as Parquet holds it, with its index; geometries as GeoParquet has them.

    Parameters
    ----------
    table : pandas.DataFrame or geopandas.GeoDataFrame
        The table. `pandas.read_parquet` (or `geopandas.read_parquet`) gives it back.
    metadata : dict, optional
        Further entries for the file's metadata.

    Raises
    ------
    ArgumentError
        As `check_table`.
    """
    _check_installed()
    import pyarrow as pa
    import pyarrow.parquet as pq

    _check_names(table)
    flat, entries = _without_geometries(table)
    if table.attrs:
        flat = flat.copy(deep=False)
        flat.attrs = _held_attrs(table.attrs)
        entries[ATTRS_KEY] = json.dumps(flat.attrs).encode()
    try:
        arrow = pa.Table.from_pandas(flat)
        # Some types are known to Arrow, but not to Parquet.
        pq.write_table(arrow.slice(0, 0), pa.BufferOutputStream())
    except (pa.ArrowException, ValueError, TypeError, OverflowError) as error:
        raise ArgumentError(
            _why_unheld(flat) or f"out: the table cannot be written: {error}"
        ) from error
    _check_texts(flat, arrow)
    return arrow.replace_schema_metadata(
        {**(arrow.schema.metadata or {}), **entries, **(metadata or {})}
    )


def _held_attrs(attrs: Mapping[Any, Any]) -> dict[Any, Any]:
    """A table's ``attrs``, but for entries that JSON cannot hold."""
    held = {}
    for key, value in attrs.items():
        with suppress(TypeError, ValueError):
            held[str(key)] = json.loads(json.dumps(value))
    return held


def _check_names(table: pd.DataFrame) -> None:
    twice = table.columns[table.columns.duplicated()].unique()
    if len(twice):
        raise ArgumentError(
            f"out: the table has several columns of the name {quoted(twice)}, which a Parquet file "
            "cannot have; rename all but one"
        )
    odd = [name for name in table.columns if not isinstance(name, str)]
    if odd:
        raise ArgumentError(
            f"out: in a Parquet file columns are named by text, not by {quoted(odd)}; rename them, for "
            "example with table.rename(columns=str)"
        )


def _without_geometries(table: pd.DataFrame) -> tuple[pd.DataFrame, dict[bytes, bytes]]:
    """A table with its geometries as WKB, and what GeoParquet says of them in a file's metadata."""
    names = [str(name) for name, dtype in table.dtypes.items() if dtype.name == "geometry"]
    if not names:
        return table, {}
    import geopandas as gpd

    flat = pd.DataFrame(table).copy(deep=False)
    columns: dict[str, Any] = {}
    for name in names:
        geometry = gpd.GeoSeries(table[name])
        flat[name] = geometry.to_wkb(flavor="iso").astype(object)
        columns[name] = {
            "encoding": "WKB",
            "geometry_types": [],
            "crs": None if geometry.crs is None else geometry.crs.to_json_dict(),
        }
    active = getattr(table, "active_geometry_name", None)
    geo = {"version": "1.0.0", "primary_column": active or names[0], "columns": columns}
    return flat, {b"geo": json.dumps(geo).encode()}


def _why_unheld(table: pd.DataFrame) -> str:
    """Which columns, or which index, a Parquet file cannot hold."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    unheld = []
    parts = [(f"column {name!r}", table[name]) for name in table.columns]
    levels = [table.index.get_level_values(level) for level in range(table.index.nlevels)]
    parts += [("index", level.to_series()) for level in levels]
    for what, values in parts:
        try:
            arrow = pa.table({"values": pa.Array.from_pandas(values)})
            pq.write_table(arrow.slice(0, 0), pa.BufferOutputStream())
        except (pa.ArrowException, ValueError, TypeError, OverflowError) as error:
            unheld.append(f"the table's {what} ({error})")
    if not unheld:
        return ""
    return (
        f"out: a Parquet file cannot hold {'; '.join(unheld)}; make each of one type, for example "
        "with .astype(str), or drop it"
    )


def _check_texts(table: pd.DataFrame, arrow: Any) -> None:  # noqa: ANN401
    """Refuse texts among bytes, which Arrow would make bytes, too."""
    import pyarrow as pa

    mixed = [
        name
        for name in table.columns
        if pa.types.is_binary(arrow.schema.field(name).type)
        and any(isinstance(value, str) for value in table[name])
    ]
    if mixed:
        raise ArgumentError(
            f"out: a Parquet file cannot hold texts and bytes in one column, as {quoted(mixed)}; make "
            "them all texts"
        )


def arrow_column(
    name: str, values: NDArray[Any], known: str, name_of: Callable[[int], str]
) -> tuple[Any, Any]:
    """A column as a part holds it, and its field.

    Parameters
    ----------
    name : str
        Its name.
    values : ndarray
        Its values.
    known : {"numbers", "texts", ""}
        What parts stored before hold in it, if that is known: what a column is that is all missing.
    name_of : callable
        What messages call the ROI of a value, by its place among them.

    Raises
    ------
    StatisticError
        If a Parquet file cannot hold it.
    """
    import pyarrow as pa

    values = np.asarray(values)
    if values.dtype.kind in "OUT":
        values = _numbers_or_texts(name, values, name_of)
    elif values.dtype.kind not in "biuf" or values.dtype.itemsize > 8:
        raise StatisticError(f"stats: column {name!r} holds {values.dtype}, {NOT_HELD}")
    missing = not values.size or (values.dtype.kind == "f" and bool(np.isnan(values).all()))
    if values.dtype.kind == "O" or (missing and known == "texts"):
        try:
            array = pa.array(values.astype(object), pa.string(), from_pandas=True)
        except UnicodeEncodeError as error:
            raise StatisticError(
                f"stats: column {name!r} holds a text that is no Unicode"
            ) from error
    else:
        array = pa.array(values)
    unknown = missing and not known
    return array, pa.field(name, array.type, metadata={KIND_KEY: b"unknown"} if unknown else None)


def _numbers_or_texts(
    name: str, values: NDArray[Any], name_of: Callable[[int], str]
) -> NDArray[Any]:
    """A column of objects as floats, or as texts and NaN."""
    numbers = as_numbers(values)
    if numbers is not None:
        return numbers
    plain = unwrapped(values)
    texts = np.array([isinstance(value, str) for value in plain])
    others = np.flatnonzero(~texts & [not is_missing(value) for value in plain]).tolist()
    for i in others:
        value = plain[i]
        if not is_number(value):
            kind = type(value).__name__
            raise StatisticError(
                f"stats: column {name!r} holds {kind} for {name_of(i)}, {NOT_HELD}"
            )
        if loses_digits(value):
            raise StatisticError(
                f"stats: column {name!r} holds {value} for {name_of(i)}, of which a float keeps not all "
                "digits; return a float or a text, or leave out= away"
            )
    if others:
        raise mixed(name, *((name_of(i), plain[i]) for i in (int(texts.argmax()), others[0])))
    out = np.full(len(plain), np.nan, dtype=object)
    out[texts] = [str(value) for value in plain if isinstance(value, str)]
    return out


def mixed(name: str, *examples: tuple[str, object]) -> StatisticError:
    """The error of a column of texts and numbers, with names of ROIs and what they have."""
    found = " and ".join(f"{value!r} for {roi}" for roi, value in examples)
    return StatisticError(
        f"stats: column {name!r} holds texts for some ROIs and numbers for others ({found}), which a "
        "column of a Parquet file cannot; return one or the other, or leave out= away"
    )


def column_kind(field: Any) -> str:  # noqa: ANN401
    """What a column of a part holds: numbers, texts, or nothing that would tell."""
    import pyarrow as pa

    if KIND_KEY in (field.metadata or {}):
        return ""
    return "texts" if pa.types.is_string(field.type) else "numbers"


def numpy_column(column: Any) -> NDArray[Any]:  # noqa: ANN401
    """A column of a part; NaN for what is missing."""
    values = np.array(column.to_numpy())
    if values.dtype.kind == "O":
        values[pd.isna(values)] = np.nan
    return values
