"""The table that results carry: what a user has made of `data`, and which of its columns go along."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from craterkit.errors import ArgumentError, ColumnError, TableError, quoted

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from craterkit.tables.columns import ColumnRoles

__all__ = [
    *("carried", "edited", "free_columns", "kept_columns"),
    *("placing_columns", "without_columns"),
]


def placing_columns(table: pd.DataFrame, roles: ColumnRoles) -> tuple[Hashable, ...]:
    """The columns that positions and sizes were read from."""
    places: tuple[Hashable, ...] = (roles.lon, roles.lat)
    if None in places:
        places = (getattr(table, "active_geometry_name", None),)
    return tuple(dict.fromkeys([*places, roles.size]))


def edited(column: Hashable) -> TableError:
    """The error of a column of positions or sizes that was edited."""
    return TableError(
        f"data: column {column!r} was edited, but positions and sizes are fixed once a database is made; put "
        "its values back, and make a new database of a changed copy of the table: "
        "CraterDatabase(table, body)"
    )


def carried(own: pd.DataFrame, table: pd.DataFrame, placing: Sequence[Hashable]) -> pd.DataFrame:
    """What results carry of a table that a user may have edited.

    Parameters
    ----------
    own : pandas.DataFrame
        The table as it is now, row by row as `table`.
    table : pandas.DataFrame
        The table as it was given.
    placing : sequence of labels
        Columns that positions and sizes were read from.

    Returns
    -------
    pandas.DataFrame
        Of the class of `table`, with its `attrs`.

    Raises
    ------
    TableError
        If a column of `placing` was edited.
    """
    for name in placing:
        if name in own and name in table and not _same(own[name], table[name]):
            raise edited(name)
    if own.columns.equals(table.columns) and own.equals(pd.DataFrame(table)):
        return table
    active = getattr(table, "active_geometry_name", None)
    if active is not None and active in own:
        import geopandas as gpd

        own = gpd.GeoDataFrame(own, geometry=active)
    own.attrs = {**table.attrs, **own.attrs}
    return own


def _same(one: Any, other: Any) -> bool:  # noqa: ANN401
    if one.equals(other):
        return True
    values, others = (np.asarray(column, dtype=object) for column in (one, other))
    missing = pd.isna(values) & pd.isna(others)
    return values.shape == others.shape and bool(((values == others) | missing).all())


def without_columns(table: pd.DataFrame, names: Iterable[Hashable]) -> pd.DataFrame:
    """A table without columns of some names, if it has any."""
    names = set(names)
    found: pd.DataFrame = table.loc[:, [name not in names for name in table.columns]]
    return table if found.shape == table.shape else found


def free_columns(
    kept: pd.DataFrame, taken: Iterable[Hashable], names: Sequence[str]
) -> pd.DataFrame:
    """Columns of a table that go along with a long result, whose own `names` come first.

    Parameters
    ----------
    kept : pandas.DataFrame
        The columns.
    taken : iterable of labels
        Those of them that the user's own table had; others are replaced.
    names : sequence of str
        Columns of the result.

    Raises
    ------
    ArgumentError
        If one is `taken`.
    """
    clashes = [name for name in taken if name in names]
    if clashes:
        raise ArgumentError(
            f"keep: the result has columns {quoted(clashes)} of its own; rename those of the table, or name "
            "the columns to keep without them"
        )
    return without_columns(kept, names)


def kept_columns(table: pd.DataFrame, keep: object, argument: str = "keep") -> pd.DataFrame:
    """The columns of a table that go along with a result, in its order.

    Parameters
    ----------
    table : pandas.DataFrame
        The table.
    keep : list of labels or None
        Which; all for None.
    argument : str
        The argument's name, for messages.

    Raises
    ------
    ArgumentError
        If `keep` is no list.
    ColumnError
        If the table has no such column.
    """
    if keep is None:
        return table
    if isinstance(keep, str) or not isinstance(keep, Iterable):
        raise ArgumentError(f"{argument} must be a list of columns, not {keep!r}")
    wanted, known = list(keep), list(table.columns)
    unknown = [name for name in wanted if name not in known]
    if unknown:
        raise ColumnError(
            f"{argument}: there is no column {quoted(unknown)}; the columns are "
            f"{quoted(table.columns) or 'none'}"
        )
    found: pd.DataFrame = table.iloc[:, [name in wanted for name in table.columns]]
    return found
