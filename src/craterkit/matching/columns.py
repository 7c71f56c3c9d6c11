"""One table of two: rows that are the same, columns of both, one convention for each column."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from craterkit.bodies import planetocentric_to_planetographic
from craterkit.errors import TableError, quoted

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from craterkit.bodies import Body
    from craterkit.tables.features import Features

    Floats = NDArray[np.float64]
    Ints = NDArray[np.intp]

__all__ = ["united_table"]

#: Degrees, and share of a radius, by which a column may differ from the positions and sizes that it gave.
SAME_DEGREES, SAME_SIZE = 1e-7, 1e-9


def united_table(
    body: Body,
    tables: tuple[pd.DataFrame, pd.DataFrame],
    features: tuple[Features, Features],
    pairs: tuple[Ints, Ints],
) -> pd.DataFrame:
    """The rows of one table, then those of another that are not among them, with the columns of both.

    Parameters
    ----------
    body : Body
        The body.
    tables, features : tuple
        Of the two databases, row by row.
    pairs : tuple of ndarray of int
        Positions, in the two, of rows that are the same.

    Returns
    -------
    pandas.DataFrame
        Numbered from 0.

    Raises
    ------
    TableError
        If a table has two columns of one name.
    """
    a, b = (_labelled(table) for table in tables)
    for table in (a, b):
        if not table.columns.is_unique:
            twice = table.columns[table.columns.duplicated()].unique()
            raise TableError(
                f"merge needs columns of different names; there are two of {quoted(twice)}"
            )
    new = np.setdiff1d(np.arange(len(b)), pairs[1])
    rows_of_b = np.full(len(a) + new.size, -1)
    rows_of_b[pairs[0]] = pairs[1]
    rows_of_b[len(a) :] = new
    rows_of_a = np.where(np.arange(rows_of_b.size) < len(a), np.arange(rows_of_b.size), -1)
    columns: dict[Any, pd.Series[Any]] = {}
    for name in [*a.columns, *b.columns.difference(a.columns, sort=False)]:
        if name not in a:
            columns[name] = _taken(b[name], rows_of_b)
        elif name not in b or not new.size:
            columns[name] = _taken(a[name], rows_of_a)
        elif not len(a):
            columns[name] = _taken(b[name], rows_of_b)
        else:
            added = _in_the_same_convention(body, a[name], b[name], features).iloc[new]
            columns[name] = pd.concat([a[name], added], ignore_index=True)
    table = pd.DataFrame(columns, index=pd.RangeIndex(rows_of_b.size))
    table.attrs = dict(tables[0].attrs)
    return table


def _labelled(table: pd.DataFrame) -> pd.DataFrame:
    """A table numbered from 0; labels of rows that have a name become a column."""
    table = pd.DataFrame(table)
    names = [name for name in table.index.names if name is not None]
    kept = table.index.to_frame(index=False)[[name for name in names if name not in table.columns]]
    table = table.reset_index(drop=True)
    return pd.concat([kept, table], axis=1) if kept.shape[1] else table


def _taken(column: pd.Series[Any], rows: Ints) -> pd.Series[Any]:
    """Values of some rows; missing where the row is -1."""
    return (
        column.reindex(rows).reset_index(drop=True)
        if (rows < 0).any()
        else column.iloc[rows].reset_index(drop=True)
    )


def _in_the_same_convention(
    body: Body,
    one: pd.Series[Any],
    other: pd.Series[Any],
    features: tuple[Features, Features],
) -> pd.Series[Any]:
    """The other column as the one has it, if both give position or size in different conventions."""
    if not all(pd.api.types.is_numeric_dtype(column.dtype) for column in (one, other)):
        return other
    if any(pd.api.types.is_bool_dtype(column.dtype) for column in (one, other)):
        return other
    values = [column.to_numpy(dtype=np.float64, na_value=np.nan) for column in (one, other)]
    for forms, tolerance in _conventions(body):
        ours, theirs = (
            [form for form in forms if _agrees(given, form(own), tolerance)]
            for given, own in zip(values, features, strict=True)
        )
        if ours and theirs:
            if any(form in theirs for form in ours):
                return other
            return pd.Series(ours[0](features[1]), index=other.index, name=other.name)
    return other


def _agrees(given: Floats, expected: Floats, tolerance: float) -> bool:
    relative = np.abs(expected) if tolerance == SAME_SIZE else 1.0
    return bool((np.abs(given - expected) <= tolerance * relative).all())


def _conventions(body: Body) -> list[tuple[list[Callable[[Features], Floats]], float]]:
    """Ways in which tables give latitudes, longitudes and sizes."""
    return [
        (
            [
                lambda own: own.lat,
                lambda own: planetocentric_to_planetographic(own.lat, body.a, body.b),
            ],
            SAME_DEGREES,
        ),
        (
            [
                lambda own: own.lon,
                lambda own: np.mod(own.lon, 360.0),
                lambda own: np.where(own.lon == -180.0, -180.0, -own.lon),
                lambda own: np.mod(-own.lon, 360.0),
            ],
            SAME_DEGREES,
        ),
        (
            [
                lambda own: own.radius,
                lambda own: 2.0 * own.radius,
                lambda own: own.radius / 1e3,
                lambda own: own.radius / 500.0,
            ],
            SAME_SIZE,
        ),
    ]
