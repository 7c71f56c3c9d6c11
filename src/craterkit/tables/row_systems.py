"""Which coordinate systems the positions of a table's rows are in.

Four places can say so: the ``input_crs`` argument, the CRS of a geometry, columns that name the system or a
part of it, and the names of the columns. What they say must agree; only `input_crs` overrides columns.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from craterkit.bodies import planetocentric_to_planetographic
from craterkit.body_check import body_called
from craterkit.coordinates import CoordinateSystem
from craterkit.errors import ColumnError
from craterkit.tables.declared import Declaration, declarations, hemispheres
from craterkit.tables.features import raw_positions

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from craterkit.bodies import Body
    from craterkit.tables.columns import ColumnRoles
    from craterkit.tables.row_faults import RowFaults

    Floats = NDArray[np.float64]
    Ints = NDArray[np.intp]

__all__ = ["RowSystems", "is_default", "is_earth", "systems_of_columns", "systems_of_geometry"]

#: Difference between the two kinds of latitude, degrees, below which it does not matter which is meant.
SAME_LATITUDE = 1e-9


@dataclass(frozen=True, eq=False)
class RowSystems:
    """The coordinate systems of the rows of a table.

    Attributes
    ----------
    systems : list of CoordinateSystem
        All that occur.
    which : ndarray of int
        Which of them each row has.
    east, north : ndarray of float or None
        1 or -1 by row where a column says in which hemisphere it is.
    """

    systems: list[CoordinateSystem]
    which: Ints
    east: Floats | None = None
    north: Floats | None = None

    @property
    def degrees(self) -> NDArray[np.bool_]:
        """Which rows have longitude and latitude, not coordinates of a map."""
        return np.array([system.is_geographic for system in self.systems])[self.which]

    def to_body(self, x: Floats, y: Floats, rows: Ints) -> tuple[Floats, Floats]:
        """Planetocentric latitude and east-positive longitude of some rows."""
        lon, lat = np.full((2, rows.size), np.nan)
        for number, system in enumerate(self.systems):
            own = np.flatnonzero(self.which[rows] == number)
            own_x, own_y = x[own], y[own]
            if self.east is not None and system.is_geographic:
                own_x = system.longitude_sign * self.east[rows[own]] * np.abs(own_x)
            if self.north is not None and system.is_geographic:
                own_y = self.north[rows[own]] * np.abs(own_y)
            lon[own], lat[own] = system.to_body(own_x, own_y)
        return lon, lat


def is_default(input_crs: object) -> bool:
    """Whether the user leaves it to the table to say what its coordinate system is."""
    return isinstance(input_crs, str) and input_crs.strip().lower() == "default"


def is_earth(body: Body) -> bool:
    """Whether latitude is geodetic by custom, and GeoJSON the body's own."""
    return body_called("Earth", body) is body


def systems_of_geometry(
    table: pd.DataFrame,
    roles: ColumnRoles,
    body: Body,
    input_crs: object,
    crs: object,
    rows: RowFaults,
) -> RowSystems:
    """Coordinate systems of a geometry with or without a CRS.

    Parameters
    ----------
    table, roles, body
        The table, what its columns are, and the body.
    input_crs : object
        As of `CraterDatabase`.
    crs : object
        The CRS of the geometry, or None.
    rows : RowFaults
        Where rows are noted of which a column says what is not understood.
    """
    if is_default(input_crs) and crs is None:
        return _declared(table, roles, body, rows)
    if is_default(input_crs):
        system = CoordinateSystem.from_user_input(
            crs, body, what="the dataset's geometry", argument="input_crs"
        )
    else:
        system = _checked(input_crs, roles, body, "input_crs")
    return RowSystems([system], np.zeros(len(table), dtype=np.intp))


def systems_of_columns(
    table: pd.DataFrame,
    roles: ColumnRoles,
    body: Body,
    input_crs: object,
    rows: RowFaults,
    *,
    default: Declaration | None = None,
) -> RowSystems:
    """Coordinate systems of columns of longitude and latitude.

    Parameters
    ----------
    table, roles, body, input_crs, rows
        As of `systems_of_geometry`.
    default : Declaration, optional
        What holds where nothing says otherwise; by default the convention of the body.
    """
    if is_default(input_crs):
        found = _declared(table, roles, body, rows, default)
    else:
        system = _checked(input_crs, roles, body, "input_crs")
        found = RowSystems([system], np.zeros(len(table), dtype=np.intp))
    lon, lat = raw_positions(table, roles)
    return replace(
        found,
        east=hemispheres(table, "lon", roles.lon, lon, rows),
        north=hemispheres(table, "lat", roles.lat, lat, rows),
    )


def _declared(
    table: pd.DataFrame,
    roles: ColumnRoles,
    body: Body,
    rows: RowFaults,
    default: Declaration | None = None,
) -> RowSystems:
    said, which, columns = declarations(table, body, rows)
    return RowSystems([_system(one, roles, body, columns, default) for one in said], which)


def _system(
    said: Declaration, roles: ColumnRoles, body: Body, columns: str, default: Declaration | None
) -> CoordinateSystem:
    """The system of what columns and their names say."""
    if said.system is not None:
        return _checked(said.system, roles, body, columns)
    default = default or Declaration()
    latitude = said.latitude_type or roles.latitude_type or default.latitude_type
    if latitude is None:
        latitude = "planetographic" if is_earth(body) else "planetocentric"
    direction = said.direction
    if direction is None and roles.direction_is_named:
        direction = roles.longitude_sign
    direction = direction or default.direction
    name = latitude if direction is None else f"{latitude}_{'east' if direction > 0 else 'west'}"
    if direction is None and said.latitude_type != "planetographic":
        name = f"{latitude}_east"  # a word of the column's name alone turns no longitudes round
    return _checked(name, roles, body, columns)


def _checked(value: object, roles: ColumnRoles, body: Body, what: str) -> CoordinateSystem:
    """The system of `value`, which the names of the columns must not contradict."""
    system = CoordinateSystem.from_user_input(value, body, what=what, argument="input_crs")
    if not system.is_geographic:
        return system
    said = f"the coordinate system of {what} is {system}"
    if roles.direction_is_named and roles.longitude_sign != system.longitude_sign:
        toward = "east" if roles.longitude_sign > 0 else "west"
        raise ColumnError(
            f"the name of column {roles.lon!r} says that longitude counts {toward}ward, but {said}; pass "
            f"another input_crs (an {toward}-positive one) or rename the column"
        )
    if roles.latitude_type not in (None, system.latitude_type) and not _latitudes_agree(body):
        raise ColumnError(
            f"the name of column {roles.lat!r} says {roles.latitude_type}, but {said}; pass another "
            "input_crs or rename the column"
        )
    return system


def _latitudes_agree(body: Body) -> bool:
    return bool(abs(planetocentric_to_planetographic(45.0, body.a, body.b) - 45.0) < SAME_LATITUDE)
