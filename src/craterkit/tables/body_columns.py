"""Columns that say of which body the features are."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from craterkit.body_check import body_called
from craterkit.tables.row_faults import label_text

if TYPE_CHECKING:
    from collections.abc import Hashable

    from craterkit.bodies import Body
    from craterkit.tables.row_faults import RowFaults

__all__ = ["refuse_other_bodies", "text_of"]

_NAMES = {"target", "targetname", "targetbody", "planet", "planetname", "body", "bodyname"}


def refuse_other_bodies(table: pd.DataFrame, body: Body, rows: RowFaults) -> None:
    """Refuse rows that a column such as "Target" says are of another body.

    A column of which no value names a body says nothing of bodies.

    Parameters
    ----------
    table : pandas.DataFrame
        The table.
    body : Body
        The body of the database.
    rows : RowFaults
        Where the rows are noted.
    """
    for place, label in enumerate(table.columns):
        if re.sub(r"[^a-z]", "", str(label).casefold()) in _NAMES:
            _refuse(label, table.iloc[:, place], body, rows)


def _refuse(label: Hashable, column: pd.Series[Any], body: Body, rows: RowFaults) -> None:
    codes, values = pd.factorize(column)
    texts = [text_of(value) for value in values]
    named = [body_called(text, body) for text in texts]
    if any(text.isdecimal() and found is None for text, found in zip(texts, named, strict=True)):
        # These numbers count something else than NAIF ids do.
        named = [None if text.isdecimal() else f for text, f in zip(texts, named, strict=True)]
    if not any(named):
        return
    other = [found is not body and text != "" for text, found in zip(texts, named, strict=True)]

    def tell(i: int) -> str:
        found, value = named[codes[i]], texts[codes[i]]
        of = f"is {found.name}" if found else "is no known body"
        return f"{label_text(label)} = {value!r} {of}, but the database is of {body.name}"

    rows.refuse(np.array([*other, False])[codes], tell)  # a missing value has the code -1


def text_of(value: object) -> str:
    """A cell of a column of words or codes: numbers without the fraction that pandas adds."""
    whole = isinstance(value, float) and value.is_integer()
    return str(int(value) if whole else value).strip()  # type: ignore[call-overload]
