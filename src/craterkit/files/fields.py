"""The columns of a file that holds a database: their names, what is in them, and what they were."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from craterkit.errors import ArgumentError, ColumnError, TableError
from craterkit.files.cells import decode, encode
from craterkit.files.given import PLAIN, may_be
from craterkit.files.holdings import UnheldError

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from numpy.typing import NDArray

    from craterkit.files.holdings import Holds
    from craterkit.tables.features import Features

    Column = pd.Series[Any]

__all__ = ["Fields", "label_from_json", "label_to_json", "restored", "restored_index"]

Json = dict[str, Any]


@dataclass
class Fields:
    """Columns for a file, each under a name of its own.

    Parameters
    ----------
    holds : Holds
        What the file's columns can hold.
    reserved : frozenset of str
        Names that the format keeps for itself.
    where : str
        What messages call the file.
    """

    holds: Holds
    reserved: frozenset[str]
    where: str
    columns: dict[str, Column] = field(default_factory=dict)
    _unheld: list[str] = field(default_factory=list)

    def add(self, label: Hashable, values: Column, what: str) -> Json:
        """Add a column under a name like its label; return its name and how it is read again."""
        free = self.free("_".join(map(str, label)) if isinstance(label, tuple) else str(label))
        try:
            column, how = encode(values.reset_index(drop=True), self.holds)
        except UnheldError as error:
            self._unheld.append(f"{what} ({error})")
            return {"field": free, "how": None}
        self.columns[free] = column
        return {"field": free, "how": how}

    def free(self, name: str) -> str:
        """A name like this one that no column has yet, whatever the case of its letters."""
        taken = {*self.reserved, *(other.casefold() for other in self.columns)}
        name = name.replace("\x00", "").encode(errors="replace").decode() or "column"
        unique, number = name, 1
        while unique.casefold() in taken:
            number += 1
            unique = f"{name}_{number}"
        return unique

    def settle(self) -> None:
        """Refuse columns that the file cannot hold.

        Raises
        ------
        ArgumentError
            If there are any; all are named.
        """
        if self._unheld:
            advice = (
                "make such a column of one type, for example with .astype(str), or leave it out with "
                "keep_cols="
            )
            if all(what.startswith("the index") for what in self._unheld):
                advice = (
                    "make the database of a table with another index, for example table.reset_index(drop=True) "
                    "or table.set_axis(table.index.astype(str))"
                )
            raise ArgumentError(f"{self.where} cannot hold {'; '.join(self._unheld)}; {advice}")

    def add_positions(self, features: Features, labels: Sequence[Hashable]) -> Json:
        """Add longitude, latitude and radius of the features, if no column of the table has them.

        Parameters
        ----------
        features : Features
            The features.
        labels : sequence
            The labels of the columns so far, in the order in which they were added.

        Returns
        -------
        dict
            Names of the columns by "lon", "lat" and "radius" (in metres).
        """
        here = dict(zip(labels, self.columns, strict=True))
        found = {}
        for role, plain in PLAIN.items():
            values = getattr(features, role)
            alike = {label: name for label, name in here.items() if may_be(role, label)}
            own = next(
                (name for name in alike.values() if _holds(self.columns[name], values)), None
            )
            if own is None:
                # A second column that could be the latitude would make the table ambiguous.
                own = self.free(f"craterkit_{plain}" if alike else plain)
                self.columns[own] = pd.Series(values)
            found[role] = own
        return found


def _holds(column: Column, values: NDArray[np.float64]) -> bool:
    return column.dtype == np.float64 and np.array_equal(column.to_numpy(), values)


def restored(file: pd.DataFrame, entry: Json) -> Column | None:
    """A column as it was in the table; None if the file has lost it."""
    if entry["field"] not in file:
        return None
    column: Any = file[entry["field"]]
    return decode(column, entry["how"])


def restored_index(file: pd.DataFrame, described: Json) -> pd.Index[Any]:
    """The index of the table; 0, 1, 2, ... where rows of a numbered one, or its columns, are lost."""
    names = [label_from_json(name) for name in described["names"]]
    if "range" in described:
        start, stop, step = described["range"]
        numbers = range(start, stop, step)
        whole = len(numbers) == len(file)
        return pd.RangeIndex(numbers if whole else range(len(file)), name=names[0])
    levels = [restored(file, entry) for entry in described["levels"]]
    found = [pd.Index(level) for level in levels if level is not None]
    if len(found) < len(levels):
        return pd.RangeIndex(len(file))
    if described["several"]:
        return pd.MultiIndex.from_arrays(found, names=names)
    return found[0].rename(names[0])


def label_to_json(label: Hashable) -> Any:  # noqa: ANN401
    """The label of a column as JSON holds it: a text as it is, anything else in a dictionary.

    Raises
    ------
    ColumnError
        If it is neither text, number, None nor a tuple of such.

    Examples
    --------
    >>> label_to_json(("size", 3))
    {'tuple': ['size', {'int': 3}]}
    """
    if isinstance(label, str):
        return label
    if isinstance(label, tuple):
        return {"tuple": [label_to_json(part) for part in label]}
    plain = label.item() if isinstance(label, np.generic) else label
    if plain is None or type(plain) in (bool, int, float):
        return {type(plain).__name__: plain}
    raise ColumnError(
        f"a file cannot hold a column whose label is {label!r}; rename it to a text, for example with "
        "table.rename(columns=str)"
    )


def label_from_json(found: Any) -> Hashable:  # noqa: ANN401
    """The label that was written; the inverse of `label_to_json`."""
    if isinstance(found, str):
        return found
    if not isinstance(found, dict) or len(found) != 1:
        raise TableError(f"{found!r} is no label of a column")
    ((kind, value),) = found.items()
    return tuple(map(label_from_json, value)) if kind == "tuple" else value
