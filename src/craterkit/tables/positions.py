"""The features of a table: which system its positions are in, and what its geometry gives."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from craterkit.coordinates import CoordinateSystem
from craterkit.crs_reading import with_lost_axes
from craterkit.errors import AssumedWarning, ColumnError
from craterkit.tables.body_columns import refuse_other_bodies
from craterkit.tables.columns import recognise_columns
from craterkit.tables.features import (
    Features,
    TableRows,
    features_from_table,
    geometry_of,
    has_point_geometry,
)
from craterkit.tables.geojson_crs import NO_CRS
from craterkit.tables.row_systems import (
    RowSystems,
    is_default,
    is_earth,
    systems_of_columns,
    systems_of_geometry,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    import pandas as pd
    from numpy.typing import NDArray

    from craterkit.bodies import Body
    from craterkit.regions import Polygons
    from craterkit.tables.columns import ColumnRoles
    from craterkit.tables.outlines import Outlines

    Floats = NDArray[np.float64]

__all__ = ["OUTLINE", "REGION_COLUMNS", "Placed", "place_features"]

#: The region of a table's outlines.
OUTLINE = "outline"

#: Columns of our own files that say of which region their polygons are.
REGION_COLUMNS = ("craterkit_region", "ck_region")


class Placed(NamedTuple):
    """Features of the rows that are kept, which these are, their columns, and their outlines if it has some."""

    features: Features
    keep: NDArray[np.bool_]
    roles: ColumnRoles
    outlines: Polygons | None


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
) -> Placed:
    """Features of a table's rows on a body.

    Parameters
    ----------
    table : pandas.DataFrame
        The table, which is left as it is.
    body : Body
        The body.
    input_crs : str, CRS or CoordinateSystem
        The system of the positions; ``"default"`` is what the table says, else planetocentric (on the
        Earth geodetic) and east-positive.
    units, lat_col, lon_col, rad_col, diam_col, errors
        As in `CraterDatabase`.

    Returns
    -------
    Placed

    Raises
    ------
    ColumnError, CRSError, FeatureError
        If columns, coordinate system or rows are wrong.

    Warns
    -----
    AssumedWarning
        If nothing names the unit of sizes, or the body of a GeoJSON file.
    """
    columns = partial(
        recognise_columns,
        list(table.columns),
        rad_col=rad_col,
        diam_col=diam_col,
        units=units,
    )
    has_outlines = _has_outlines(table)
    roles = columns(
        lat_col=lat_col,
        lon_col=lon_col,
        has_points=has_point_geometry(table),
        has_outlines=has_outlines,
    )
    rows = TableRows(table.index)
    refuse_other_bodies(table, body, rows)
    if has_outlines:
        found = _by_outlines(table, roles, body, input_crs, rows)
    elif roles.lon is None:
        beside = _columns_beside(columns)
        found = _by_points(table, roles, beside, body, input_crs, rows)
    else:
        found = _Source(systems_of_columns(table, roles, body, input_crs, rows))
    features, keep = features_from_table(
        table,
        roles,
        found.systems.to_body,
        errors=errors,
        degrees=found.systems.degrees,
        body_radius_limit=np.pi * body.a,
        rows=rows,
        outlines=found.outlines,
        compare=found.compare,
    )
    _tell_assumptions(table, roles, body, input_crs, found)
    if found.outlines is None:
        return Placed(features, keep, roles, None)
    from craterkit.regions import Polygons

    return Placed(features, keep, roles, Polygons(found.outlines.shapes[keep]))


@dataclass(frozen=True)
class _Source:
    """What gives the positions of a table's rows."""

    systems: RowSystems
    compare: Callable[[Floats, Floats, Floats, TableRows], None] | None = None
    outlines: Outlines | None = None


def _has_outlines(table: pd.DataFrame) -> bool:
    """Whether a table is a GeoDataFrame of polygons that are not drawn for another region."""
    geometry = geometry_of(table)
    if geometry is None or has_point_geometry(table):
        return False
    for name in REGION_COLUMNS:
        if name in table and not table[name].isin([OUTLINE]).all():
            return False
    return bool(geometry.geom_type.isin(["Polygon", "MultiPolygon"]).any())


def _geometry_systems(
    table: pd.DataFrame, roles: ColumnRoles, body: Body, input_crs: object, rows: TableRows
) -> RowSystems:
    crs = with_lost_axes(getattr(table, "crs", None))
    return systems_of_geometry(table, roles, body, input_crs, crs, rows)


def _columns_beside(columns: Callable[..., ColumnRoles]) -> ColumnRoles | None:
    """Columns of longitude and latitude beside points, if there are some."""
    try:
        roles = columns(has_outlines=True)
    except ColumnError:  # of several it is not clear which the points' are
        return None
    return None if roles.lon is None else roles


def _by_points(
    table: pd.DataFrame,
    roles: ColumnRoles,
    beside: ColumnRoles | None,
    body: Body,
    input_crs: object,
    rows: TableRows,
) -> _Source:
    systems = _geometry_systems(table, roles, body, input_crs, rows)
    if beside is None:
        return _Source(systems)
    from craterkit.tables.beside import refuse_other_points

    return _Source(systems, partial(refuse_other_points, table, beside, body, systems.systems[0]))


def _by_outlines(
    table: pd.DataFrame, roles: ColumnRoles, body: Body, input_crs: object, rows: TableRows
) -> _Source:
    from craterkit.tables.beside import nearest_declaration, refuse_other_outlines
    from craterkit.tables.outlines import outlines_of

    by_columns = roles.lon is not None
    # Beside columns that give the positions, input_crs is theirs.
    systems = _geometry_systems(table, roles, body, "default" if by_columns else input_crs, rows)
    geometry = geometry_of(table)
    assert geometry is not None
    outlines = outlines_of(
        geometry, body, systems, rows, are_needed=not by_columns or roles.size is None
    )
    compare = partial(refuse_other_outlines, table, roles, body, outlines)
    if not by_columns:
        own = RowSystems([CoordinateSystem(body=body)], np.zeros(len(table), dtype=np.intp))
        return _Source(own, compare, outlines)
    default, _, _ = nearest_declaration(
        table, roles, body, input_crs, systems.systems[0], outlines.lon, outlines.lat
    )
    own = systems_of_columns(table, roles, body, input_crs, rows, default=default)
    return _Source(own, compare, outlines)


def _tell_assumptions(
    table: pd.DataFrame, roles: ColumnRoles, body: Body, input_crs: object, found: _Source
) -> None:
    """Warn of what nothing in the table or the arguments says."""
    said = []
    if roles.unit_is_assumed and found.outlines is None:
        said.append(
            f"nothing names the unit of column {roles.size!r}, which is taken for metres; pass "
            'units="m" or units="km"'
        )
    no_crs = table.attrs.pop(NO_CRS, False)
    by_geometry = roles.lon is None or found.outlines is not None
    if no_crs and by_geometry and is_default(input_crs) and not is_earth(body):
        said.append(
            f"the GeoJSON file has no CRS, and its coordinates are taken for those of {body.name} ("
            f'{found.systems.systems[0]}); pass input_crs="planetocentric", or the system that they are in'
        )
    if said:
        # Warn where the database is made.
        warnings.warn("; ".join(said), AssumedWarning, stacklevel=4)
