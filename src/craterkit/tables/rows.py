"""Selecting rows of a table: by position, by mask, or by label."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from craterkit.errors import TableError, quoted

__all__ = ["select_rows"]


def select_rows(rows: object, labels: pd.Index[Any]) -> npt.NDArray[np.intp]:
    """Positions of the rows that a user selects.

    Parameters
    ----------
    rows : slice, iterable or pandas.Index
        A slice, a boolean mask (a Series is put into the table's order by its index) or positions, of
        which negative ones count from the end; or labels of the table's index: a `pandas.Index`, or an
        iterable of anything but numbers.
    labels : pandas.Index
        The table's index.

    Raises
    ------
    TableError
        If it is anything else, or selects what is not in the table.

    Examples
    --------
    >>> labels = pd.Index([7, 8, 9])
    >>> select_rows([True, False, True], labels)
    array([0, 2])
    >>> select_rows((0, -1), labels)
    array([0, 2])
    >>> select_rows(pd.Index([9]), labels)
    array([2])
    """
    if isinstance(rows, slice):
        try:
            return np.arange(labels.size)[rows]
        except (TypeError, ValueError) as error:
            raise TableError(f"{rows}: a slice counts rows from 0: {error}") from error
    if isinstance(rows, pd.Index):
        return _labelled(rows, labels)
    if not isinstance(rows, Iterable) or isinstance(rows, str | bytes | pd.DataFrame):
        raise TableError(
            "rows are selected by a boolean mask, a slice, positions, or labels of the table's index, "
            f"not by {rows!r}"
        )
    if isinstance(rows, np.ndarray) and rows.ndim == 0:
        raise TableError(f"rows are selected by values in one dimension, not by {rows!r}")
    listed = rows if isinstance(rows, pd.Series) else pd.Series(list(rows), dtype=_dtype(rows))
    if not listed.size:
        return np.zeros(0, dtype=np.intp)
    kind = pd.api.types.infer_dtype(listed, skipna=False)
    if kind == "boolean" and not listed.isna().any():
        return _masked(listed, labels, by_label=isinstance(rows, pd.Series))
    if kind == "integer" and not listed.isna().any():
        return _positions(listed.to_numpy(), labels.size)
    if kind in ("floating", "mixed-integer-float", "decimal", "complex") or listed.isna().any():
        raise TableError(
            "rows are selected by a boolean mask without gaps, positions (integers), or labels of the "
            f"table's index, as a pandas.Index if they are numbers, not by {quoted(listed.iloc[:3])}"
        )
    if any(isinstance(value, list | np.ndarray) for value in listed):
        raise TableError("rows are selected by values in one dimension")
    several = isinstance(labels, pd.MultiIndex)
    return _labelled(pd.Index(listed.tolist(), tupleize_cols=several), labels)


def _dtype(rows: object) -> Any:  # noqa: ANN401
    dtype = getattr(rows, "dtype", None)
    return dtype if dtype is not None and np.ndim(rows) == 1 else object  # type: ignore[arg-type]


def _masked(mask: pd.Series[Any], labels: pd.Index[Any], *, by_label: bool) -> npt.NDArray[np.intp]:
    if by_label and not mask.index.equals(labels):
        known = mask.size == labels.size and labels.isin(mask.index).all()
        if not (known and labels.is_unique and mask.index.is_unique):
            raise TableError("the index of the mask is not that of the table")
        mask = mask.reindex(labels)
    if mask.size != labels.size:
        raise TableError(f"the mask has {mask.size} values for {labels.size} rows")
    return np.flatnonzero(mask.to_numpy(dtype=np.bool_))


def _positions(rows: npt.NDArray[Any], size: int) -> npt.NDArray[np.intp]:
    beyond = [row for row in rows if not -size <= row < size]
    if beyond:
        raise TableError(
            f"there is no row at position {beyond[0]} among {size} rows; positions count from 0, labels "
            "of the table's index go as a pandas.Index"
        )
    return np.mod(rows.astype(np.intp), size)


def _labelled(wanted: pd.Index[Any], labels: pd.Index[Any]) -> npt.NDArray[np.intp]:
    missing = wanted[~wanted.isin(labels)]
    if missing.size:
        raise TableError(f"the table's index has no {quoted(missing[:5].tolist())}")
    return np.asarray(labels.get_indexer_for(wanted), dtype=np.intp)
