"""Files without a description: whether they are read as they were written."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from craterkit.errors import (
    AssumedWarning,
    ColumnError,
    CraterkitError,
    CraterkitWarning,
    TableError,
)
from craterkit.files.given import ROUNDED, apart
from craterkit.tables.features import numeric_column
from craterkit.tables.positions import place_features
from craterkit.tables.row_faults import RowFaults

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from craterkit.bodies import Body
    from craterkit.files.contents import Contents, Parts
    from craterkit.tables.features import Features

    Floats = NDArray[np.float64]

__all__ = ["check_own_columns", "warn_of_columns"]

#: Columns that files get beside others that could be meant, and what they hold.
OWN: dict[str, dict[str, Any]] = {
    "craterkit_lon": {"role": "lon", "sign": 1, "shift": 0.0},
    "craterkit_lat": {"role": "lat", "ographic": False},
    "craterkit_radius_m": {"role": "radius", "factor": 1.0},
}
OWN |= {
    "ck_lon": OWN["craterkit_lon"],
    "ck_lat": OWN["craterkit_lat"],
    "ck_rad_m": OWN["craterkit_radius_m"],
}

ADVICE = (
    "say how they are to be read: units=, input_crs=, lat_col=, lon_col=, rad_col= or diam_col="
)


def check_own_columns(table: pd.DataFrame, features: Features, body: Body, where: str) -> None:
    """Refuse positions and sizes that contradict the columns that `to_file` has written beside others.

    Parameters
    ----------
    table : pandas.DataFrame
        The rows of a file.
    features : Features
        What was made of them without being told how.
    body : Body
        The body.
    where : str
        The file, for messages.

    Raises
    ------
    TableError
        If other columns are in units or in a system that their names do not tell, or were changed.
    """
    rows, names = RowFaults(table.index), []
    for name, form in OWN.items():
        if list(table.columns).count(name) != 1:
            continue
        try:
            values = numeric_column(table[name], what="position or size")
        except ColumnError:
            continue
        role = str(form["role"])
        off = apart(form, values, features, body) > ROUNDED[role]
        if off.any():
            names.append(name)
            made = getattr(features, role)
            rows.refuse(off, _teller(name, values, role, made))
    if names:
        raise TableError(
            f"{where}: {', '.join(map(repr, names))}, which craterkit wrote, and the columns that are read "
            f"disagree. Read those that are right: {ADVICE}:\n{rows.listing()}"
        )


def _teller(name: str, values: Floats, role: str, made: Floats) -> Callable[[int], str]:
    def tell(i: int) -> str:
        return f"{name!r} is {values[i]:.9g}, but the {role} that is read {made[i]:.9g}"

    return tell


def warn_of_columns(contents: Contents, parts: Parts, where: str) -> None:
    """Warn of columns that are read otherwise than they are meant.

    Parameters
    ----------
    contents : Contents
        What a file without a description will hold, under the names that it will have there.
    parts : Parts
        The database.
    where : str
        The file, for messages.

    Warns
    -----
    CraterkitWarning
        If the file, read without being told how, gives no or other positions and sizes.
    """
    import geopandas as gpd

    geometry = gpd.GeoSeries(contents.geometry, crs=contents.crs, index=contents.columns.index)
    table = gpd.GeoDataFrame(contents.columns.assign(geometry=geometry))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", AssumedWarning)
            found, *_ = place_features(
                table,
                parts.body,
                "default",
                None,
                lat_col=None,
                lon_col=None,
                rad_col=None,
                diam_col=None,
                errors="raise",
            )
    except CraterkitError as error:
        why = f"cannot be read back without being told how ({error})"
    else:
        same = all(
            (apart(form, getattr(found, str(form["role"])), parts.features, parts.body)
            <= ROUNDED[str(form["role"])]).all()
            for form in OWN.values()
        )  # fmt: skip
        if same:
            return
        why = "has columns whose names do not tell how they are meant"
    warnings.warn(
        f"{where} {why}; when you read it, {ADVICE}. Formats with a description (.gpkg, .parquet, .geojson) "
        "need nothing",
        CraterkitWarning,
        stacklevel=5,
    )
