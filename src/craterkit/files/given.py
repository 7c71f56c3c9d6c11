"""Columns of a table that gave positions and sizes, beside the file's own: they must not come apart."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from craterkit.bodies import planetocentric_to_planetographic
from craterkit.errors import ColumnError, TableError
from craterkit.tables.columns import recognise_columns
from craterkit.tables.features import numeric_column
from craterkit.tables.row_faults import RowFaults

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Iterator

    import pandas as pd
    from numpy.typing import NDArray

    from craterkit.bodies import Body
    from craterkit.tables.features import Features

    Floats = NDArray[np.float64]
    Rows = slice | NDArray[np.intp]

__all__ = ["PLAIN", "ROUNDED", "apart", "check_given", "given_columns", "may_be"]

Json = dict[str, Any]

#: Columns that are taken for longitude, latitude and radius in metres without being told. A table of them, with
#: one exchanged, tells what that one would be taken for.
PLAIN = {"lon": "lon", "lat": "lat", "radius": "radius_m"}

#: Degrees, and share of a radius, by which a column may differ from the positions and sizes that it gave, when
#: written, and when other software has rounded it.
SAME = {"lon": 1e-7, "lat": 1e-7, "radius": 1e-9}
ROUNDED = {"lon": 1e-6, "lat": 1e-6, "radius": 1e-6}

#: A column whose name does not say what it holds needs as many different values to be known by them.
TELLING = 3

#: Rows by which most columns are told not to be what is looked for.
FIRST = 64


def may_be(role: str, label: Hashable) -> bool:
    """Whether a column of this label would be taken for this part of a position."""
    trial = [label if part == role else name for part, name in PLAIN.items()]
    try:
        roles = recognise_columns(trial)
    except ColumnError:
        return False
    return label in (roles.lon, roles.lat, roles.size)


def given_columns(
    columns: Iterable[tuple[Hashable, str, pd.Series[Any]]], features: Features, body: Body
) -> list[Json]:
    """Find the columns that hold positions or sizes, and how.

    Parameters
    ----------
    columns : iterable of (label, field, values)
        Columns of the table: their labels, and their names and values in the file.
    features : Features
        The features.
    body : Body
        The body.

    Returns
    -------
    list of dict
        The "field", its "role" (lon, lat or radius) and its convention: "sign" and "shift" of a longitude,
        "ographic" of a latitude, "factor" of a radius (column units per metre).
    """
    found = []
    for label, name, column in columns:
        try:
            values = numeric_column(column, what="position or size")
        except ColumnError:
            continue
        form = _form_of(label, values, features, body)
        if form is not None:
            found.append({"field": name, **form})
    return found


def _form_of(label: Hashable, values: Floats, features: Features, body: Body) -> Json | None:
    if not len(features):
        return None
    several = np.unique(values[:FIRST]).size >= TELLING
    named = {role for role in PLAIN if may_be(role, label)}
    for form in _forms(values, features):
        role = form["role"]
        if not (several or role in named):
            continue
        if role == "lon" and form["shift"] and role not in named:
            continue
        if all(
            (apart(form, values[rows], features[rows], body) <= SAME[role]).all()
            for rows in (slice(0, FIRST), slice(None))
        ):
            return form
    return None


def _forms(values: Floats, features: Features) -> Iterator[Json]:
    for ographic in (False, True):
        yield {"role": "lat", "ographic": ographic}
    for sign in (1, -1):
        yield {"role": "lon", "sign": sign, "shift": 0.0}
    for factor in (1.0, 2.0, 1e-3, 2e-3):
        yield {"role": "radius", "factor": factor}
    if np.unique(features.lon[:FIRST]).size > 1 and np.isfinite(values[0]):
        for sign in (1, -1):
            shift = float(np.mod(values[0] - sign * features.lon[0], 360.0))
            yield {"role": "lon", "sign": sign, "shift": shift}


def _expected(form: Json, features: Features, body: Body) -> Floats:
    """What such a column holds of these features."""
    if form["role"] == "radius":
        return np.asarray(form["factor"] * features.radius)
    if form["role"] == "lon":
        return np.asarray(form["sign"] * features.lon + form["shift"])
    if form["ographic"]:
        return planetocentric_to_planetographic(features.lat, body.a, body.b)
    return features.lat


def apart(form: Json, values: Floats, features: Features, body: Body) -> Floats:
    """By how much values are off: degrees, or a share of the radius."""
    expected = _expected(form, features, body)
    with np.errstate(invalid="ignore", over="ignore"):
        if form["role"] == "radius":
            return np.asarray(np.abs(values / expected - 1.0))
        if form["role"] == "lon":
            return np.asarray(np.abs(np.mod(values - expected + 180.0, 360.0) - 180.0))
        return np.asarray(np.abs(values - expected))


def check_given(
    file: pd.DataFrame,
    described: Json,
    features: Features,
    which: Rows,
    index: pd.Index[Any],
    body: Body,
    where: str,
) -> None:
    """Refuse columns that were changed while those that positions and radii are made of were not.

    Parameters
    ----------
    file : pandas.DataFrame
        The columns of the file.
    described : dict
        The file's description.
    features : Features
        What its own columns of positions and radii say.
    which : slice or ndarray of int
        Rows of the file that are features.
    index : pandas.Index
        Of these rows.
    body : Body
        The body.
    where : str
        The file, for messages.

    Raises
    ------
    TableError
        If there are any. Values that are missing contradict nothing.
    """
    rows, fields = RowFaults(index), {}
    for form in described.get("given", []):
        name = form["field"]
        if name not in file:
            continue
        try:
            values = numeric_column(file[name], what=form["role"])[which]
        except ColumnError:
            continue
        off = apart(form, values, features, body) > ROUNDED[form["role"]]
        if off.any():
            copy = described["position"][form["role"]]
            fields[name] = copy
            expected = _expected(form, features, body)
            rows.refuse(off, _teller(name, values, expected, copy, getattr(features, form["role"])))
    if fields:
        pairs = " and ".join(f"{name!r} and {copy!r}" for name, copy in fields.items())
        raise TableError(
            f"{where}: {pairs} disagree; one was changed without the other. Positions and radii are made of "
            f"{', '.join(map(repr, fields.values()))}, so change both; or read the file as any other table, "
            f'by saying how: body=, and for example units="m":\n{rows.listing()}'
        )


def _teller(
    name: str, values: Floats, expected: Floats, copy: str, copies: Floats
) -> Callable[[int], str]:
    def tell(i: int) -> str:
        return f"{name!r} is {values[i]:.9g}, but {expected[i]:.9g} after {copy!r}, which is {copies[i]:.9g}"

    return tell
