"""Columns that say how positions count: "Coordinate System", kinds of latitude, directions, hemispheres."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from craterkit.coordinates import CoordinateSystem
from craterkit.crs_reading import as_crs
from craterkit.errors import CRSError
from craterkit.tables.body_columns import text_of
from craterkit.tables.row_faults import label_text

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Mapping

    from numpy.typing import NDArray

    from craterkit.bodies import Body
    from craterkit.tables.row_faults import RowFaults

    Floats = NDArray[np.float64]
    Ints = NDArray[np.intp]

__all__ = ["Declaration", "LatitudeType", "declarations", "hemispheres"]

LatitudeType = Literal["planetocentric", "planetographic"]
Sign = Literal[1, -1]


def _set(text: str) -> frozenset[str]:
    return frozenset(text.split())


_SYSTEMS = _set(
    "coordinatesystem coordinatesystemname coordinatesys coordsystem coordsys crs "
    "coordinatereferencesystem latitudetype lattype longitudedirection positivelongitudedirection "
    "longitudepositive positivelongitude"
)
_EAST_WEST = _set(
    "ew eorw eastwest eastorwest lonew longew longitudeew ewhemisphere londir longdir londirection "
    "lonhem lonhemi lonhemisphere longhemisphere longitudehemisphere"
)
_NORTH_SOUTH = _set(
    "ns nors northsouth northorsouth latns latitudens nshemisphere latdir latdirection "
    "latitudedirection lathem lathemi lathemisphere latitudehemisphere"
)

_LATITUDES: dict[str, LatitudeType] = {
    **dict.fromkeys(_set("planetocentric ocentric areocentric geocentric"), "planetocentric"),
    **dict.fromkeys(_set("planetographic ographic areographic geodetic"), "planetographic"),
}
_DIRECTIONS: dict[str, Sign] = {
    **dict.fromkeys(_set("east e eastern eastward"), 1),
    **dict.fromkeys(_set("west w western westward"), -1),
}
_HEMISPHERES: dict[str, Sign] = {
    **dict.fromkeys(_set("north n northern"), 1),
    **dict.fromkeys(_set("south s southern"), -1),
}
_FILLERS = _set(
    "positive longitude longitudes long lon latitude latitudes lat hemisphere to and degree degrees deg "
    "coordinate coordinates system 0 90 180 360"
)
_HINT = "input_crs= overrides what columns say of the coordinate system"


@dataclass(frozen=True)
class Declaration:
    """What is said of a coordinate system: a kind of latitude, a direction of longitude, or all of it."""

    latitude_type: LatitudeType | None = None
    direction: Sign | None = None
    system: CoordinateSystem | None = None

    def joined(self, other: Declaration) -> Declaration | None:
        """What both say together; None if they contradict each other."""
        pairs = [
            (self.latitude_type, other.latitude_type),
            (self.direction, other.direction),
            (self.system, other.system),
        ]
        if any(None not in pair and pair[0] != pair[1] for pair in pairs):
            return None
        return Declaration(*(own if own is not None else others for own, others in pairs))  # type: ignore[arg-type]


def _columns(table: pd.DataFrame, names: frozenset[str]) -> list[tuple[Hashable, pd.Series[Any]]]:
    keys = [re.sub(r"[^a-z]", "", str(label).casefold()) for label in table.columns]
    return [
        (table.columns[place], table.iloc[:, place])
        for place, key in enumerate(keys)
        if key in names
    ]


def declarations(
    table: pd.DataFrame, body: Body, rows: RowFaults
) -> tuple[list[Declaration], Ints, str]:
    """What columns such as "Coordinate System" say of the rows.

    Parameters
    ----------
    table : pandas.DataFrame
        The table.
    body : Body
        The body.
    rows : RowFaults
        Where rows are noted of which a column says what is not understood, or contradicts another.

    Returns
    -------
    declarations : list of Declaration
        All that are made; a single empty one if no column says anything.
    which : ndarray of int, shape (n_rows,)
        Which of them holds for each row.
    names : str
        The columns, for messages.
    """
    found, which = [Declaration()], np.zeros(len(table), dtype=np.intp)
    labels = []
    for label, column in _columns(table, _SYSTEMS):
        codes, said = _read(label, column, rows, lambda text: _understood(text, body), _HINT)
        if not said:
            continue
        labels.append(label_text(label))
        pairs, which = np.unique(np.stack([which, codes], axis=1), axis=0, return_inverse=True)
        which = which.reshape(-1)
        joined = [found[one].joined(said[other]) for one, other in pairs.tolist()]
        clash = np.array([both is None for both in joined])[which] & rows.keep
        rows.refuse(
            clash, lambda i: f"{' and '.join(labels)} say different coordinate systems", _HINT
        )
        found = [both or Declaration() for both in joined]
    return found, which, " and ".join(labels)


def _read(
    label: Hashable,
    column: pd.Series[Any],
    rows: RowFaults,
    understood: Callable[[str], Any],
    hint: str,
) -> tuple[Ints, list[Any]]:
    """What a column says: for each row the place of it in a list, which is empty if it says nothing.

    A row whose cell is empty has what all others have, if they agree.
    """
    codes, values = pd.factorize(column.where(rows.keep))
    texts = [text_of(value) for value in values]
    said = [understood(text) if text else None for text in texts]
    order = np.zeros(len(texts) + 1, dtype=np.intp)
    known: list[Any] = []
    for place, thing in enumerate(said):
        if thing is not None and not isinstance(thing, str):
            order[place] = len(known)
            known.append(thing)

    def tell(i: int) -> str:
        return f"{label_text(label)} = {texts[codes[i]]!r} {said[codes[i]]}"

    rows.refuse(np.array([*(isinstance(thing, str) for thing in said), False])[codes], tell, hint)
    if any(thing != known[0] for thing in known):
        silent = np.array([*(text == "" for text in texts), True])[codes] & rows.keep
        rows.refuse(
            silent, lambda i: f"{label_text(label)} is missing, and other rows differ in it"
        )
    return order[codes], known


def _words(text: str) -> list[str]:
    return re.findall(r"[^\W\d_]+|\d+", text.casefold())


def _understood(text: str, body: Body) -> Declaration | str:
    """What a cell declares, or why it is not understood."""
    words = set(_words(text)) - _FILLERS
    latitudes = {_LATITUDES[word] for word in words if word in _LATITUDES}
    directions = {_DIRECTIONS[word] for word in words if word in _DIRECTIONS}
    strange = words - _LATITUDES.keys() - _DIRECTIONS.keys()
    if not strange and len(latitudes) < 2 and len(directions) < 2:
        return Declaration(next(iter(latitudes), None), next(iter(directions), None))
    try:
        system = CoordinateSystem.from_user_input(text, body, what="it", argument="input_crs")
    except CRSError as error:
        try:
            as_crs(text, "it", "input_crs")
        except CRSError:
            return "is not understood as a coordinate system"
        return f"cannot be used: {str(error).removeprefix('it: ')}"
    return Declaration(system=system)


def hemispheres(
    table: pd.DataFrame,
    axis: Literal["lon", "lat"],
    label: Hashable,
    numbers: Floats,
    rows: RowFaults,
) -> Floats | None:
    """Signs of longitudes or latitudes that have their hemisphere, "E" or "S", in a column of its own.

    Parameters
    ----------
    table : pandas.DataFrame
        The table.
    axis : {"lon", "lat"}
        Which of them.
    label : hashable
        The column of the numbers, for messages.
    numbers : ndarray of float
        The numbers, above 0; or with a sign that says the same.
    rows : RowFaults
        Where rows are noted of which it is not clear what is meant.

    Returns
    -------
    ndarray of float or None
        1 for the east and the north, -1 for the west and the south; None without such a column.
    """
    names, signs = (_EAST_WEST, _DIRECTIONS) if axis == "lon" else (_NORTH_SOUTH, _HEMISPHERES)
    columns = [pair for pair in _columns(table, names) if pair[1].dtype.kind not in "biufc"]
    if not columns:
        return None
    name, column = columns[0]
    hint = f"rename or drop column {name!r} if it says nothing of column {label!r}"
    codes, said = _read(name, column, rows, lambda text: _side(text, signs), hint)
    if not said:
        return None
    sign = np.array(said, dtype=np.float64)[codes]
    mixed = len({*said}) > 1
    # Signs that repeat what the column says are no contradiction.
    redundant = bool((sign * numbers >= 0)[np.isfinite(numbers)].all())
    wrong = (numbers < 0) & (not redundant)
    turned = (numbers > 180) & mixed & (sign < 0)
    rows.refuse(
        (wrong | turned) & rows.keep,
        lambda i: (
            f"{label_text(label)} = {numbers[i]:g} beside {label_text(name)} = {column.iloc[i]!r} "
            "may mean two places"
        ),
        hint,
    )
    return sign


def _side(text: str, signs: Mapping[str, Sign]) -> Sign | str:
    words = set(_words(text)) - _FILLERS
    found = {signs[word] for word in words if word in signs}
    return found.pop() if len(found) == 1 and words <= signs.keys() else "is not understood"
