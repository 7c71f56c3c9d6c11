"""Selecting rows of a database."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from craterkit.errors import TableError

__all__ = ["select_rows"]


def select_rows(
    rows: slice | Sequence[bool] | npt.NDArray[Any] | pd.Series[Any], index: pd.Index[Any]
) -> slice | npt.NDArray[np.intp]:
    """Turn what selects rows of a table into positions.

    Parameters
    ----------
    rows : slice, sequence of bool or int, or pandas.Series
        A slice, a boolean mask or positions; the index of a Series must be the table's.
    index : pandas.Index
        The table's index.

    Raises
    ------
    TableError
        If it selects no rows of this table.

    Examples
    --------
    >>> select_rows([True, False, True], pd.RangeIndex(3))
    array([0, 2])
    """
    if isinstance(rows, slice):
        return rows
    if isinstance(rows, pd.Series) and not rows.index.equals(index):
        raise TableError("the index of the mask is not that of the table")
    which = np.asarray(rows)
    if which.ndim != 1 or (which.size and which.dtype.kind not in "bi"):
        raise TableError(
            f"rows are selected by a boolean mask, a slice or positions, not by {rows!r}"
        )
    if which.dtype.kind != "b":
        beyond = which[(which < -index.size) | (which >= index.size)] if which.size else which
        if beyond.size:
            raise TableError(f"there is no row at position {beyond[0]} among {index.size} rows")
        return which.astype(np.intp)
    if which.size != index.size:
        raise TableError(f"the mask has {which.size} values for {index.size} rows")
    return np.flatnonzero(which)
