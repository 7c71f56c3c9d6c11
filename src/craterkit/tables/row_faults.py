"""Rows of a table that are no good: collected first, then named all at once."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from craterkit.errors import ArgumentError, DroppedRowsWarning

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd
    from numpy.typing import NDArray

    Mask = NDArray[np.bool_]

__all__ = ["RowFaults", "label_text"]

_LISTED = 20  # rows that a message lists


class RowFaults:
    """The rows of a table and what is wrong with them.

    Parameters
    ----------
    index : pandas.Index
        The table's index, by which rows are named.

    Attributes
    ----------
    keep : ndarray of bool
        Which rows nothing is wrong with so far.
    """

    def __init__(self, index: pd.Index[Any]) -> None:
        self.index = index
        self.keep: Mask = np.ones(len(index), dtype=bool)
        self.faults: list[tuple[Mask, Callable[[int], str]]] = []
        self.hints: list[str] = []

    def refuse(self, bad: Mask, describe: Callable[[int], str], hint: str = "") -> None:
        """Note bad rows; `describe` tells what is wrong with the row at a place, `hint` the way out."""
        if bad.any():
            self.keep &= ~bad
            self.faults.append((bad, describe))
            if hint and hint not in self.hints:
                self.hints.append(hint)

    def listing(self) -> str:
        """Name the first bad rows and what is wrong with them."""
        bad = np.flatnonzero(~self.keep)
        lines = [
            f"  row {label_text(self.index[i])}: "
            + "; ".join(tell(i) for mask, tell in self.faults if mask[i])
            for i in bad[:_LISTED].tolist()
        ]
        if len(bad) > _LISTED:
            lines.append(f"  and {len(bad) - _LISTED} more")
        return "\n".join([*lines, *self.hints])

    def settle(
        self,
        errors: str,
        error: type[Exception],
        *,
        refusal: str,
        advice: str,
        notice: str,
        stacklevel: int,
    ) -> None:
        """Raise or warn if there are bad rows.

        Parameters
        ----------
        errors : {"raise", "drop"}
            Whether they are an error, or left out with a warning.
        error : type
            What to raise.
        refusal, advice, notice : str
            What the rows cannot, what ``errors="drop"`` would do with them, and what it did.
        stacklevel : int
            Where to warn: 1 is the caller of this method.

        Raises
        ------
        ArgumentError
            If `errors` is neither.
        """
        if errors not in ("raise", "drop"):
            raise ArgumentError(f'errors must be "raise" or "drop", not {errors!r}')
        bad, total = np.count_nonzero(~self.keep), len(self.keep)
        if bad == 0:
            return
        if errors == "raise":
            raise error(
                f'{bad} of {total} rows {refusal} (errors="drop" {advice}):\n{self.listing()}'
            )
        warnings.warn(
            f"{bad} of {total} rows {notice}:\n{self.listing()}",
            DroppedRowsWarning,
            stacklevel=stacklevel + 1,
        )


def label_text(label: object) -> str:
    """A row or column as messages name it."""
    return f"({', '.join(map(str, label))})" if isinstance(label, tuple) else str(label)
