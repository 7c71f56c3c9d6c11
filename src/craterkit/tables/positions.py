"""Which coordinate system the positions of a table are in, and the features that follow.

Four places can say so: the ``input_crs`` argument, the CRS of a geometry, a column that names the
system, and the names of the columns. What they say must agree.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np

from craterkit.bodies import planetocentric_to_planetographic
from craterkit.coordinates import CoordinateSystem
from craterkit.errors import ColumnError, CRSError
from craterkit.tables.columns import ColumnRoles, recognise_columns
from craterkit.tables.features import features_from_table, has_point_geometry

if TYPE_CHECKING:
    from collections.abc import Hashable

    import pandas as pd
    from numpy.typing import NDArray

    from craterkit.bodies import Body
    from craterkit.tables.features import Features

__all__ = ["place_features"]

#: Difference between the two kinds of latitude, degrees, below which it does not matter which is meant.
SAME_LATITUDE = 1e-9


def place_features(
    table: pd.DataFrame,
    body: Body,
    input_crs: object,
    units: str | None,
    *,
    lat_col: Hashable | None,
    lon_col: Hashable | None,
    rad_col: Hashable | None,
    diam_col: Hashable | None,
    errors: str,
) -> tuple[Features, NDArray[np.bool_], ColumnRoles]:
    """Features of a table's rows on a body.

    Parameters
    ----------
    table : pandas.DataFrame
        The table, which is left as it is.
    body : Body
        The body.
    input_crs : str, CRS or CoordinateSystem
        The system of the positions; ``"default"`` is what the table says, else planetocentric and
        east-positive.
    units, lat_col, lon_col, rad_col, diam_col, errors
        As in `CraterDatabase`.

    Returns
    -------
    features : Features
        Of the rows that are kept.
    keep : ndarray of bool
        Which rows these are.
    roles : ColumnRoles
        Which columns they were made of.

    Raises
    ------
    ColumnError, CRSError, FeatureError
        If columns, coordinate system or rows are wrong.
    """
    roles = recognise_columns(
        list(table.columns),
        lat_col=lat_col,
        lon_col=lon_col,
        rad_col=rad_col,
        diam_col=diam_col,
        units=units,
        has_points=has_point_geometry(table),
    )
    system = _system(table, roles, body, input_crs)
    features, keep = features_from_table(
        table,
        roles,
        system.to_body,
        errors=errors,
        longitude_sign=1,  # the system knows the direction
        degrees=system.is_geographic,
        body_radius_limit=np.pi * body.a,
    )
    return features, keep, roles


def _system(
    table: pd.DataFrame, roles: ColumnRoles, body: Body, input_crs: object
) -> CoordinateSystem:
    if isinstance(input_crs, str) and input_crs.strip().lower() == "default":
        from_geometry = roles.lon is None or roles.lat is None
        crs = getattr(table, "crs", None) if from_geometry else None
        if crs is not None:
            return CoordinateSystem.from_user_input(
                crs, body, what="the dataset's geometry", argument="input_crs"
            )
        declared = _declared_system(table)
        if declared is not None:
            return _checked(declared, roles, body)
        latitude = roles.latitude_type or "planetocentric"
        direction = "west" if roles.longitude_sign < 0 else "east"
        return CoordinateSystem.from_user_input(f"{latitude}_{direction}", body, what="input_crs")
    return _checked(input_crs, roles, body)


def _checked(value: object, roles: ColumnRoles, body: Body) -> CoordinateSystem:
    """The system of `value`, which the names of the columns must not contradict."""
    system = CoordinateSystem.from_user_input(value, body, what="input_crs")
    if not system.is_geographic:
        return system
    if roles.longitude_sign < 0 and system.longitude_sign > 0:
        raise ColumnError(
            f"the name of column {roles.lon!r} says that longitude counts westward, but the "
            f"coordinate system is {system}; pass a west-positive input_crs or rename the column"
        )
    if roles.latitude_type not in (None, system.latitude_type) and not _latitudes_agree(body):
        raise ColumnError(
            f"the name of column {roles.lat!r} says {roles.latitude_type}, but the coordinate system "
            f"is {system}; pass another input_crs or rename the column"
        )
    return system


def _latitudes_agree(body: Body) -> bool:
    return bool(abs(planetocentric_to_planetographic(45.0, body.a, body.b) - 45.0) < SAME_LATITUDE)


def _declared_system(table: pd.DataFrame) -> str | None:
    """What a column "Coordinate System" says, as the IAU gazetteer writes it; None without one.

    For example ``"Planetographic, +West, 0 - 360"``.
    """
    named = [
        column
        for column in table.columns
        if re.sub(r"[^a-z]", "", str(column).lower()) in ("coordinatesystem", "coordsystem")
    ]
    if len(named) != 1:
        return None
    systems = set()
    for value in table[named[0]].dropna().unique():
        text = str(value).lower()
        latitude = next(
            (word for word in ("planetographic", "planetocentric") if word in text), None
        )
        east, west = "east" in text, "west" in text
        if latitude is None or east == west:
            return None
        systems.add(f"{latitude}_{'east' if east else 'west'}")
    if len(systems) > 1:
        raise CRSError(
            f"column {named[0]!r} names several coordinate systems ({', '.join(sorted(systems))}); "
            "split the table, or pass input_crs if one of them holds for all rows"
        )
    return systems.pop() if systems else None
