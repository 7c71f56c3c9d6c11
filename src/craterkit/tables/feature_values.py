"""One number for each feature: from a column, an array, or a number that holds for all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from craterkit.errors import ColumnError, RegionError
from craterkit.tables.features import numeric_column

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

__all__ = ["column_of", "in_order", "values_of"]


def in_order(series: pd.Series[Any], index: pd.Index[Any], what: str) -> pd.Series[Any]:
    """Bring a Series into the order of a table's rows, by its index.

    Parameters
    ----------
    series : pandas.Series
        One value for each row.
    index : pandas.Index
        The table's index.
    what : str
        The argument, for the message.

    Raises
    ------
    RegionError
        If the two indexes do not hold the same labels, each once (or the same in the same order).

    Examples
    --------
    >>> in_order(pd.Series([1, 2], index=["b", "a"]), pd.Index(["a", "b"]), "major").to_list()
    [2, 1]
    """
    if series.index.equals(index):
        return series
    if (
        len(series) != len(index)
        or not (series.index.is_unique and index.is_unique)
        or not index.isin(series.index).all()
    ):
        raise RegionError(
            f"the index of {what} is not that of the table; if its {len(series)} values are in the "
            "order of the rows, pass them with the table's index: .set_axis(cdb.data.index)"
        )
    return series.iloc[series.index.get_indexer(index)]


def column_of(value: object, table: pd.DataFrame) -> str | tuple[Any, ...] | None:
    """The label of the column that a value names; None if it is no label."""
    if isinstance(value, str) or (isinstance(value, tuple) and value in table.columns):
        return value
    return None


def values_of(
    value: Any,  # noqa: ANN401
    table: pd.DataFrame,
    parameter: str,
    what: str,
) -> float | Floats:
    """A number for all features, or an array of one for each, NaN where it is missing.

    Parameters
    ----------
    value : float, label of a column, array_like or pandas.Series
        A Series is aligned by its index.
    table : pandas.DataFrame
        The features' table.
    parameter : str
        The argument's name, for messages.
    what : str
        What the value is, for messages.

    Raises
    ------
    ColumnError, RegionError
        If there is no such column, or the value is not one number for each feature.
    """
    label = column_of(value, table)
    if label is not None:
        if label not in table:
            raise ColumnError(f"{parameter}: the table has no column {label!r}")
        return numeric_column(table[label], what=what)
    if np.ndim(value) == 0 and not isinstance(value, pd.Series):
        number = isinstance(value, int | float | np.integer | np.floating)
        if not number or isinstance(value, bool) or not np.isfinite(value):
            raise RegionError(
                f"{parameter} must be a column, a finite number, or an array of one number for "
                f"each feature, not {value!r}"
            )
        return float(value)
    if isinstance(value, pd.Series):
        series = in_order(value, table.index, parameter)
    else:
        if np.ndim(value) != 1 or len(value) != len(table):
            raise RegionError(
                f"{parameter} must have one number for each of the {len(table)} features, but its "
                f"shape is {np.shape(value)}"
            )
        series = pd.Series(value)
    return numeric_column(series.rename(parameter), what=what)
