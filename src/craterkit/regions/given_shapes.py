"""Ellipses and sectors from what a user gives: columns, arrays and numbers."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import numpy as np

from craterkit.errors import AssumedWarning, RegionError, quoted
from craterkit.regions import Ellipse, Sector
from craterkit.tables.columns import EllipseColumns
from craterkit.tables.feature_values import column_of, values_of
from craterkit.tables.row_faults import RowFaults, label_text

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

__all__ = ["read_ellipse", "read_sector"]


def read_ellipse(
    table: pd.DataFrame,
    radius: Floats,
    *,
    major: object,
    minor: object,
    azimuth: object,
    size: float,
    units: str | None,
    nvert: int | None,
    errors: str,
) -> Ellipse:
    """Ellipses of the features of a table; see `CraterDatabase.add_ellipses`."""
    given = {"major": major, "minor": minor, "azimuth": azimuth}
    columns = EllipseColumns(list(table.columns), units)
    missing = [name for name, value in given.items() if value is None]
    if len(missing) == len(given):
        given = dict(zip(given, columns.known(), strict=True))
    elif missing:
        raise RegionError(
            f"major, minor and azimuth are needed together, but {' and '.join(missing)} "
            f"{'is' if len(missing) == 1 else 'are'} missing"
        )
    axes, assumed = {}, []
    rows = RowFaults(table.index)
    for name in ("major", "minor"):
        values = values_of(given[name], table, name, f"{name} axis")
        shown = label_text(column_of(given[name], table) or name)
        if not isinstance(values, float):
            _refuse_missing(rows, values, shown)
            _refuse_values(rows, values <= 0, values, shown, "not above 0")
        axes[name] = values * _radii_per_unit(columns, given[name], table, radius, units, name)
        label = column_of(given[name], table)
        if label is not None and columns.axis(label, name).unit_is_assumed:
            assumed.append(label)
    direction = values_of(given["azimuth"], table, "azimuth", "azimuth of the major axis")
    label = column_of(given["azimuth"], table)
    if not isinstance(direction, float):
        _refuse_missing(rows, direction, label_text(label or "azimuth"))
    if label is not None and columns.counts_from_east(label, "azimuth"):
        direction = 90.0 - direction
    major_axis, minor_axis = axes["major"], axes["minor"]
    if np.ndim(major_axis) or np.ndim(minor_axis):
        longer = np.broadcast_to(minor_axis > major_axis, len(table))
        rows.refuse(longer, lambda i: "the minor axis is longer than the major axis")
    rows.settle(
        errors,
        RegionError,
        refusal="have no ellipse",
        advice="leaves their ROIs empty",
        notice="have no ellipse; their ROIs are empty",
        stacklevel=3,
    )
    if assumed:
        warnings.warn(
            f"nothing names the unit of {quoted(assumed)}, which are taken for metres; pass units=",
            AssumedWarning,
            stacklevel=3,
        )
    if not rows.keep.all():
        major_axis = np.where(rows.keep, major_axis, np.nan)
        minor_axis = np.where(rows.keep, minor_axis, np.nan)
        direction = np.where(rows.keep, direction, np.nan)
    return Ellipse(major_axis, minor_axis, direction, size, nvert)


def _radii_per_unit(
    columns: EllipseColumns,
    value: object,
    table: pd.DataFrame,
    radius: Floats,
    units: str | None,
    parameter: str,
) -> float | Floats:
    """Semi-axes in feature radii for each unit of what is given."""
    label = column_of(value, table)
    if label is not None:
        column = columns.axis(label, parameter)
        share = 0.5 if column.is_full else 1.0
        return share if column.metres_per_unit is None else share * column.metres_per_unit / radius
    if units is None and np.ndim(value):  # type: ignore[arg-type]
        raise RegionError(
            f'{parameter} is an array: pass units="m", "km" or "radii" (of the feature) to say what '
            "its semi-axes are in"
        )
    metres = columns.metres_per_unit
    return 1.0 if units is None or metres is None else metres / radius


def read_sector(
    table: pd.DataFrame,
    inner: float,
    outer: float,
    azimuth_from: object,
    azimuth_to: object,
    *,
    errors: str,
) -> Sector:
    """Sectors of the features of a table; see `CraterDatabase.add_sectors`."""
    rows = RowFaults(table.index)
    azimuths = []
    for name, value in (("azimuth_from", azimuth_from), ("azimuth_to", azimuth_to)):
        values = values_of(value, table, name, "azimuth")
        if not isinstance(values, float):
            _refuse_missing(rows, values, label_text(column_of(value, table) or name))
        azimuths.append(values)
    start, stop = azimuths
    if np.ndim(start) or np.ndim(stop):
        same = np.broadcast_to(np.mod(np.subtract(stop, start), 360.0) == 0, len(table))
        rows.refuse(same, lambda i: "azimuth_from and azimuth_to are the same direction")
    rows.settle(
        errors,
        RegionError,
        refusal="have no sector",
        advice="leaves their ROIs empty",
        notice="have no sector; their ROIs are empty",
        stacklevel=3,
    )
    if not rows.keep.all():
        start, stop = (np.where(rows.keep, values, np.nan) for values in (start, stop))
    return Sector(inner, outer, start, stop)


def _refuse_missing(rows: RowFaults, values: Floats, name: str) -> None:
    rows.refuse(np.isnan(values), lambda i: f"{name} is missing")
    _refuse_values(rows, np.isinf(values), values, name, "not finite")


def _refuse_values(
    rows: RowFaults, bad: NDArray[np.bool_], values: Floats, name: str, why: str
) -> None:
    rows.refuse(bad, lambda i: f"{name} = {values[i]:g} ({why})")
