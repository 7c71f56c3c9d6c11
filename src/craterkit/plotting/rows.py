"""Which features a picture shows, and what it calls them."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from craterkit.errors import ArgumentError, ColumnError, quoted

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Ints = NDArray[np.intp]

__all__ = ["feature_names", "picked_rows"]

#: Columns that name features, in any case and with blanks, underscores or neither between words.
NAME_COLUMNS = ("name", "featurename", "cratername", "craterid", "id")


def picked_rows(index: object, labels: pd.Index[Any]) -> Ints:
    """Positions of the features that the argument `index` picks.

    Parameters
    ----------
    index : int, slice, iterable or pandas.Index
        How many of the first rows (all if there are fewer); a slice, a boolean mask or positions, of
        which negative ones count from the end; or labels of the table's index: a `pandas.Index`, or
        an iterable of anything but numbers.
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
    elif isinstance(index, slice):
        rows = np.arange(labels.size)[index]
    elif isinstance(index, Iterable) and not isinstance(index, str | bytes):
        rows = _listed(index, labels)
    else:
        raise ArgumentError(
            "index must be a number of rows, a slice, positions, a boolean mask or labels of the table's "
            f"index, not {index!r}"
        )
    if not rows.size:
        what = "the table has no rows" if not labels.size else f"index={index!r} picks no rows"
        raise ArgumentError(f"index: {what}")
    return rows


def _listed(index: Iterable[Any], labels: pd.Index[Any]) -> Ints:
    if isinstance(index, pd.Series) and index.dtype == bool:
        if not index.index.equals(labels):
            raise ArgumentError("index: the index of the mask is not that of the table")
        index = index.to_numpy()
    listed = index if isinstance(index, pd.Index) else list(index)
    if len(listed) == 0:
        return np.zeros(0, dtype=np.intp)
    values = np.asarray(listed)
    if isinstance(index, pd.Index) or values.dtype.kind not in "bi":
        return _labelled(pd.Index(listed), labels)
    if values.dtype.kind == "b":
        if values.size != labels.size:
            raise ArgumentError(f"index: the mask has {values.size} values for {labels.size} rows")
        return np.flatnonzero(values)
    beyond = values[(values < -labels.size) | (values >= labels.size)]
    if beyond.size:
        raise ArgumentError(
            f"index: there is no row at position {beyond[0]} among {labels.size} rows; positions count "
            "from 0, labels of the table's index go as a pandas.Index"
        )
    return np.asarray(np.mod(values, labels.size), dtype=np.intp)


def _labelled(wanted: pd.Index[Any], labels: pd.Index[Any]) -> Ints:
    missing = wanted[~wanted.isin(labels)]
    if missing.size:
        raise ArgumentError(f"index: the table's index has no {quoted(missing[:5].tolist())}")
    return np.asarray(labels.get_indexer_for(wanted), dtype=np.intp)


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
    if label is not None and label not in table.columns:
        raise ColumnError(
            f"label: the table has no column {label!r}; it has {quoted(list(table.columns))}"
        )
    column = _name_column(table) if label is None else label
    named = [None] * rows.size if column is None else table[column].iloc[rows].tolist()
    labels = table.index[rows].tolist()
    return [
        (f"row {own}" if isinstance(own, int) else str(own)) if _is_blank(name) else str(name)
        for name, own in zip(named, labels, strict=True)
    ]


def _name_column(table: pd.DataFrame) -> Hashable | None:
    plain = {
        str(column).lower().replace(" ", "").replace("_", ""): column
        for column in reversed(table.columns)
    }
    return next((plain[name] for name in NAME_COLUMNS if name in plain), None)


def _is_blank(name: Any) -> bool:  # noqa: ANN401
    return bool(pd.isna(name)) or not str(name).strip()
