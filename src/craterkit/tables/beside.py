"""Columns of position and size beside a geometry: whether both say the same."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

import numpy as np

from craterkit.geodesy import inverse
from craterkit.tables.declared import Declaration, LatitudeType
from craterkit.tables.features import TableRows, raw_positions
from craterkit.tables.row_faults import label_text
from craterkit.tables.row_systems import systems_of_columns

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from craterkit.bodies import Body
    from craterkit.coordinates import CoordinateSystem
    from craterkit.tables.columns import ColumnRoles
    from craterkit.tables.outlines import Outlines

    Floats = NDArray[np.float64]

__all__ = ["nearest_declaration", "refuse_other_outlines", "refuse_other_points"]

_KINDS: tuple[LatitudeType, LatitudeType] = ("planetocentric", "planetographic")

#: Share of a feature's radius by which a point may lie off the columns: circles and ellipses that are fitted
#: to the same rim have not quite the same centre.
SHARE = 0.1

#: Factor by which sizes of outlines and columns may differ. A diameter taken for a radius is one of 2.
FACTOR = 1.8

#: Decimals to which columns may have been rounded, and the least slack, degrees, of any.
DECIMALS, LEAST = (1, 2, 3), 1e-4

_HINT = (
    "drop the columns that are wrong, or the geometry, for example with "
    "pandas.DataFrame(table).drop(columns=table.geometry.name)"
)


def nearest_declaration(
    table: pd.DataFrame,
    roles: ColumnRoles,
    body: Body,
    input_crs: object,
    geometry: CoordinateSystem,
    lon: Floats,
    lat: Floats,
) -> tuple[Declaration, Floats, Floats]:
    """How columns beside a geometry count where they do not say it: as it fits the geometry best.

    They may hold either kind of latitude, and count longitude eastward or as the geometry does.

    Parameters
    ----------
    table, roles, body, input_crs
        As of `systems_of_columns`.
    geometry : CoordinateSystem
        The system of the geometry.
    lon, lat : ndarray of float
        Where the geometry is on the body; NaN where it is not known.

    Returns
    -------
    declaration : Declaration
        What fits best.
    lon, lat : ndarray of float
        Where the columns then say that the features are.
    """
    x, y = raw_positions(table, roles)
    found: list[tuple[float, Declaration, Floats, Floats]] = []
    for kind, direction in product(_KINDS, sorted({1, geometry.longitude_sign}, reverse=True)):
        said = Declaration(kind, direction)
        trial = TableRows(table.index)
        systems = systems_of_columns(table, roles, body, input_crs, trial, default=said)
        usable = np.flatnonzero(np.isfinite(x + y) & trial.keep)
        own_lon, own_lat = np.full((2, len(table)), np.nan)
        own_lon[usable], own_lat[usable] = systems.to_body(x[usable], y[usable], usable)
        apart, _ = inverse(body, lon, lat, own_lon, own_lat)
        known = apart[np.isfinite(apart)]
        found.append((float(np.median(known)) if known.size else 0.0, said, own_lon, own_lat))
    return min(found, key=lambda one: one[0])[1:]


def refuse_other_points(
    table: pd.DataFrame,
    roles: ColumnRoles,
    body: Body,
    geometry: CoordinateSystem,
    lon: Floats,
    lat: Floats,
    radius: Floats,
    rows: TableRows,
) -> None:
    """Refuse rows whose point is not where the columns of longitude and latitude say.

    Parameters
    ----------
    table, roles, body, geometry, lon, lat
        As of `nearest_declaration`.
    radius : ndarray of float
        Radii, metres.
    rows : TableRows
        Where the rows are noted.
    """
    _, own_lon, own_lat = nearest_declaration(table, roles, body, "default", geometry, lon, lat)
    slack = np.maximum(_rounding(table, roles, body), SHARE * radius)
    _refuse_places(roles, body, "the point", (lon, lat), (own_lon, own_lat), slack, rows)


def refuse_other_outlines(
    table: pd.DataFrame,
    roles: ColumnRoles,
    body: Body,
    outlines: Outlines,
    lon: Floats,
    lat: Floats,
    radius: Floats,
    rows: TableRows,
) -> None:
    """Refuse rows whose outline is not where, or not as large as, columns say.

    Parameters
    ----------
    table, roles, body
        The table, what its columns are, and the body.
    outlines : Outlines
        The outlines.
    lon, lat, radius : ndarray of float
        What columns say, where there are some.
    rows : TableRows
        Where the rows are noted.
    """
    if roles.lon is not None:
        slack = np.fmax(radius, outlines.radius) + _rounding(table, roles, body)
        places = (outlines.lon, outlines.lat)
        _refuse_places(roles, body, "the outline", places, (lon, lat), slack, rows)
    if roles.size is not None:
        with np.errstate(invalid="ignore", divide="ignore"):
            other = np.abs(np.log(radius / outlines.radius)) > np.log(FACTOR)
        rows.refuse(
            other & rows.keep,
            lambda i: (
                f"{label_text(roles.size)} means a radius of {radius[i]:.6g} m, but the outline is as large "
                f"as a circle of {outlines.radius[i]:.6g} m"
            ),
            f"{_HINT}; units= says the unit of sizes",
        )


def _rounding(table: pd.DataFrame, roles: ColumnRoles, body: Body) -> Floats:
    """Metres by which positions may be off since columns were rounded."""
    values = np.stack(raw_positions(table, roles))
    values = values[np.isfinite(values)]
    slack = LEAST
    for decimals in DECIMALS:
        if np.array_equal(values, np.round(values, decimals)):
            slack = 10.0**-decimals
            break
    return np.full(len(table), np.radians(slack) * body.a)


def _refuse_places(
    roles: ColumnRoles,
    body: Body,
    what: str,
    drawn: tuple[Floats, Floats],
    said: tuple[Floats, Floats],
    slack: Floats,
    rows: TableRows,
) -> None:
    apart, _ = inverse(body, *drawn, *said)
    with np.errstate(invalid="ignore"):
        off = (apart > slack) & rows.keep

    def tell(i: int) -> str:
        return (
            f"{what} is at {drawn[0][i]:.6g} E, {drawn[1][i]:.6g} N, but {label_text(roles.lon)} and "
            f"{label_text(roles.lat)} say {said[0][i]:.6g} E, {said[1][i]:.6g} N, {apart[i] / 1000:.4g} km away"
        )

    rows.refuse(off, tell, _HINT)
