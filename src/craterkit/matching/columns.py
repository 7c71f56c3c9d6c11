"""One table of two: rows that are the same, columns of both, one convention for each column."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import pandas as pd

from craterkit.bodies import planetocentric_to_planetographic
from craterkit.errors import ColumnError, TableError, quoted
from craterkit.tables.columns import recognise_columns
from craterkit.tables.features import numeric_column

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from craterkit.bodies import Body
    from craterkit.tables.features import Features

    Floats = NDArray[np.float64]
    Ints = NDArray[np.intp]

__all__ = ["united_table"]

#: Degrees, and share of a radius, by which a column may differ from the positions and sizes that it gave.
SAME_DEGREES, SAME_SIZE = 1e-7, 1e-9

#: Different values that a column must have on either side to be taken for a position or size if its name
#: does not say so.
TELLING = 3


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
            named = _is_named(name, a.columns, b.columns)
            one, other = _in_one_convention(body, (a[name], b[name]), features, named=named)
            columns[name] = pd.concat([one, other.iloc[new]], ignore_index=True)
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


def _is_named(name: Hashable, *tables: pd.Index[Any]) -> bool:
    """Whether a column's name says that it is a latitude, a longitude or a size."""
    # Other columns, which stand for the roles that are not asked for.
    one, other = object(), object()
    alone = [name, one, other]
    tries: list[tuple[list[Hashable], dict[str, Any]]] = [
        *((list(table), {}) for table in tables),  # names of published tables need their company
        (alone, {"lon_col": one, "rad_col": other}),
        (alone, {"lat_col": one, "rad_col": other}),
        (alone, {"lat_col": one, "lon_col": other}),
    ]
    for columns, given in tries:
        try:
            roles = recognise_columns(columns, **given)
        except ColumnError:
            continue
        if name in (roles.lat, roles.lon, roles.size):
            return True
    return False


def _in_one_convention(
    body: Body,
    columns: tuple[pd.Series[Any], pd.Series[Any]],
    features: tuple[Features, Features],
    *,
    named: bool,
) -> tuple[pd.Series[Any], pd.Series[Any]]:
    """Two columns, the other as the one has it if both give position or size in different conventions."""
    numeric = [pd.api.types.is_numeric_dtype(column.dtype) for column in columns]
    if not named and not all(numeric):
        return columns
    try:
        given = [numeric_column(column, what="position or size") for column in columns]
    except ColumnError:
        return columns
    if not named and min(np.unique(values).size for values in given) < TELLING:
        return columns
    for fitting, values_in in _quantities(body):
        ours, theirs = (fitting(*each) for each in zip(given, features, strict=True))
        if not ours or not theirs:
            continue
        one, other = columns
        converted = not set(ours) & set(theirs)
        if converted or any(numeric):
            # Numbers that are kept as texts become numbers where others have to stand below them.
            one, other = (
                column if is_number else pd.Series(values, index=column.index, name=column.name)
                for column, values, is_number in zip(columns, given, numeric, strict=True)
            )
        if converted:
            other = pd.Series(values_in(ours[0], features[1]), index=other.index, name=other.name)
        return one, other
    return columns


#: Which conventions of a quantity the values of a column fit, and the values of features in one of them.
_Fitting: TypeAlias = "Callable[[Floats, Features], list[Hashable]]"
_Values: TypeAlias = "Callable[[Any, Features], Floats]"


def _quantities(body: Body) -> list[tuple[_Fitting, _Values]]:
    """Ways in which tables give latitudes, longitudes and sizes."""

    def latitude(kind: str, own: Features) -> Floats:
        if kind == "planetocentric":
            return own.lat
        return planetocentric_to_planetographic(own.lat, body.a, body.b)

    def latitudes(given: Floats, own: Features) -> list[Hashable]:
        return [
            kind
            for kind in ("planetocentric", "planetographic")
            if (np.abs(given - latitude(kind, own)) <= SAME_DEGREES).all()
        ]

    def size(metres: float, own: Features) -> Floats:
        return own.radius * metres

    def sizes(given: Floats, own: Features) -> list[Hashable]:
        # Radii and diameters in metres and in kilometres.
        return [
            share
            for share in (1.0, 2.0, 1e-3, 2e-3)
            if (np.abs(given - own.radius * share) <= SAME_SIZE * own.radius * share).all()
        ]

    return [(latitudes, latitude), (_longitudes, _longitude), (sizes, size)]


def _longitudes(given: Floats, own: Features) -> list[Hashable]:
    """Directions of longitude, and the least that it may be: -180 or 0.

    180 and -180 are one meridian, and so are 0 and 360, whichever of them a table has.
    """
    found: list[Hashable] = []
    for sign in (1, -1):
        off = np.mod(given - sign * own.lon + 180.0, 360.0) - 180.0
        if not (np.abs(off) <= SAME_DEGREES).all():
            continue
        found += [
            (sign, least)
            for least in (-180, 0)
            if given.min() >= least - SAME_DEGREES and given.max() <= least + 360 + SAME_DEGREES
        ]
    return found


def _longitude(convention: tuple[int, int], own: Features) -> Floats:
    sign, least = convention
    return np.mod(sign * own.lon - least, 360.0) + least
