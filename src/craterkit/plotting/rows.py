"""Which features a picture shows, and what it calls them."""

from __future__ import annotations

from collections.abc import Hashable
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from craterkit.errors import ArgumentError, ColumnError, TableError, quoted
from craterkit.tables.rows import select_rows

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Ints = NDArray[np.intp]

__all__ = ["check_label", "feature_names", "picked_rows"]

#: Columns that name features, in any case and with blanks, underscores or neither between words.
NAME_COLUMNS = ("name", "featurename", "cratername", "craterid", "id")


def picked_rows(index: object, labels: pd.Index[Any]) -> Ints:
    """Positions of the features that the argument `index` picks.

    Parameters
    ----------
    index : int, slice, iterable or pandas.Index
        How many of the first rows (all if there are fewer), or what `select_rows` takes.
    labels : pandas.Index
        The table's index.

    Raises
    ------
    ArgumentError
        If it is anything else, picks nothing, or what is not in the table.

    Examples
    --------
    >>> picked_rows(2, pd.Index([7, 8, 9]))
    array([0, 1])
    >>> picked_rows((0, -1), pd.Index([7, 8, 9]))
    array([0, 2])
    >>> picked_rows(pd.Index([9]), pd.Index([7, 8, 9]))
    array([2])
    """
    if isinstance(index, int | np.integer) and not isinstance(index, bool | np.bool_):
        if index < 1:
            raise ArgumentError(f"index: the first {index} rows are none; pass 1 or more")
        rows = np.arange(min(int(index), labels.size))
    else:
        try:
            rows = select_rows(index, labels)
        except TableError as error:
            raise ArgumentError(f"index: {error}; or pass a number of rows") from error
    if not rows.size:
        what = "the table has no rows" if not labels.size else f"index={index!r} picks no rows"
        raise ArgumentError(f"index: {what}")
    return rows


def feature_names(table: pd.DataFrame, rows: Ints, label: Hashable | None) -> list[str]:
    """What a picture calls features.

    Parameters
    ----------
    table : pandas.DataFrame
        The features' table.
    rows : ndarray of int
        Positions of the features.
    label : hashable, optional
        A column with their names; by default one that is called "name", "crater_id" or the like. Features
        without one there are called by the table's index.

    Raises
    ------
    ColumnError
        If there is no such column.
    """
    check_label(table, label)
    column = _name_column(table) if label is None else label
    named = [None] * rows.size if column is None else table[column].iloc[rows].tolist()
    labels = table.index[rows].tolist()
    return [
        (f"row {own}" if isinstance(own, int) else str(own)) if _is_blank(name) else str(name)
        for name, own in zip(named, labels, strict=True)
    ]


def check_label(table: pd.DataFrame, label: Hashable | None) -> None:
    """Make sure that a table has the column that the argument `label` names.

    Raises
    ------
    ColumnError
        If it has not.
    """
    if label is not None and label not in table.columns:
        raise ColumnError(
            f"label: the table has no column {label!r}; it has {quoted(list(table.columns))}"
        )


def _name_column(table: pd.DataFrame) -> Hashable | None:
    plain = {
        str(column).lower().replace(" ", "").replace("_", ""): column
        for column in reversed(table.columns)
    }
    return next((plain[name] for name in NAME_COLUMNS if name in plain), None)


def _is_blank(name: Any) -> bool:  # noqa: ANN401
    return bool(pd.isna(name)) or not str(name).strip()
