"""What the columns of files can hold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import pandas as pd

if TYPE_CHECKING:
    Column = pd.Series[Any]

__all__ = ["IN_JSON", "Holds", "UnheldError", "as_series", "filled"]


class UnheldError(ValueError):
    """A column that cannot be written; the message says what it holds."""


@dataclass(frozen=True, slots=True)
class Holds:
    """What the columns of a kind of file can hold beside finite numbers, booleans and texts.

    Attributes
    ----------
    instants : {"none", "milliseconds", "all"}
        Points in time: none (they become texts), those without a time zone to the millisecond, or any.
    infinities : bool
        Floats that are infinite.
    geometries : bool
        Further geometries; else they become hexadecimal WKB.
    """

    instants: Literal["none", "milliseconds", "all"]
    infinities: bool
    geometries: bool


#: What JSON holds, in which categories are described.
IN_JSON = Holds("none", infinities=False, geometries=False)


def filled(values: Column, missing: Any, instead: object) -> Column:  # noqa: ANN401
    """A column of objects with something else where values are missing.

    pandas' own `mask` and `where` change the dtype of objects, or warn of it, depending on the version.
    """
    held = values.to_numpy(dtype=object, copy=True)
    held[missing] = instead
    return pd.Series(held, index=values.index, dtype=object)


def as_series(values: Any, like: Column | None = None) -> Column:  # noqa: ANN401
    """A column of these values, with the index of another, or 0, 1, 2, ..."""
    return pd.Series(values, index=None if like is None else like.index)
