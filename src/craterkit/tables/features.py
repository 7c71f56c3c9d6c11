"""Features: positions and sizes as checked arrays, made from the rows of a table.

`Features` is a value: three read-only arrays that are right by construction. The functions turn
columns into numbers, name every row that cannot be a feature, and convert the rest.
"""

import sys
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd

from craterkit.bodies import wrap_longitude
from craterkit.errors import ColumnError, FeatureError, TableError
from craterkit.tables.columns import ColumnRoles
from craterkit.tables.row_faults import RowFaults, label_text

if TYPE_CHECKING:
    from geopandas import GeoSeries

__all__ = [
    "Features",
    "features_from_table",
    "has_point_geometry",
    "numeric_column",
    "raw_positions",
]

Floats: TypeAlias = npt.NDArray[np.float64]
Mask: TypeAlias = npt.NDArray[np.bool_]
Values: TypeAlias = pd.api.extensions.ExtensionArray | Floats
Transform: TypeAlias = Callable[[Floats, Floats], tuple[Floats, Floats]]

_NOT_NUMBERS = "boolean date datetime datetime64 time timedelta timedelta64 period interval complex"


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Features:
    """Positions and sizes of features on one body.

    Parameters
    ----------
    lon, lat : array_like of float, shape (n,)
        Planetocentric degrees, longitude to the east in [-180, 180).
    radius : array_like of float, shape (n,)
        Metres, above 0.

    Raises
    ------
    FeatureError
        If the arrays differ in shape or hold a value out of range.

    Examples
    --------
    >>> features = Features(lon=[10.0, -20.0], lat=[0.0, 45.0], radius=[500.0, 1000.0])
    >>> len(features), features[features.radius > 600].lat
    (2, array([45.]))
    """

    lon: Floats
    lat: Floats
    radius: Floats

    def __post_init__(self) -> None:
        for name in ("lon", "lat", "radius"):
            array = np.array(getattr(self, name), dtype=np.float64)
            array.flags.writeable = False
            object.__setattr__(self, name, array)
        shapes = [self.lon.shape, self.lat.shape, self.radius.shape]
        if self.lon.ndim != 1 or shapes.count(shapes[0]) != 3:
            raise FeatureError(f"lon, lat and radius must be 1-D and of one length, not {shapes}")
        ranges = {
            "lon must be in [-180, 180)": (self.lon >= -180) & (self.lon < 180),
            "lat must be in [-90, 90]": np.abs(self.lat) <= 90,
            "radius must be finite and above 0": (self.radius > 0) & np.isfinite(self.radius),
        }
        for rule, good in ranges.items():
            if not good.all():
                raise FeatureError(f"{rule}, which {np.count_nonzero(~good)} values are not")

    def __len__(self) -> int:
        return self.lon.size

    def __getitem__(self, which: slice | npt.NDArray[Any] | list[Any]) -> "Features":
        """Take the features of a slice, a boolean mask or integer positions."""
        if not isinstance(which, slice) and np.ndim(which) == 0:
            raise TypeError(f"take features by slice, mask or positions, not by {which!r}")
        taken = object.__new__(Features)  # parts of checked arrays need no second check
        for name in ("lon", "lat", "radius"):
            array = getattr(self, name)[which if isinstance(which, slice) else _indices(which)]
            array.flags.writeable = False
            object.__setattr__(taken, name, array)
        return taken

    def __repr__(self) -> str:
        return f"<Features of length {len(self)}>"

    def __reduce__(self) -> tuple[Any, ...]:
        # Unpickled arrays would be writeable.
        return Features, (self.lon, self.lat, self.radius)

    def equals(self, other: object) -> bool:
        """Whether `other` holds exactly the same features in the same order."""
        return isinstance(other, Features) and all(
            np.array_equal(getattr(self, name), getattr(other, name))
            for name in ("lon", "lat", "radius")
        )


def _indices(which: npt.NDArray[Any] | list[Any]) -> npt.NDArray[Any]:
    array = np.asarray(which)
    return array if array.size or array.dtype == np.bool_ else array.astype(np.intp)


def numeric_column(series: "pd.Series[Any]", *, what: str) -> Floats:
    """Turn a column into numbers; what is missing or no number becomes NaN.

    Parameters
    ----------
    series : pandas.Series
        Numbers of any dtype, or strings of numbers, with or without spaces around them.
    what : str
        The role of the column, for the message.

    Returns
    -------
    numpy.ndarray of float64
        A new array.

    Raises
    ------
    ColumnError
        If the column holds another kind of thing, such as booleans or dates.

    Examples
    --------
    >>> numeric_column(pd.Series([" 12.5 ", "1,234", None]), what="latitude").tolist()
    [12.5, nan, nan]
    """
    kind = getattr(series.dtype, "kind", "O")
    if kind in "iuf":
        return series.to_numpy(dtype=np.float64, na_value=np.nan, copy=True)
    if kind in "bmMc" or isinstance(series.dtype, pd.PeriodDtype | pd.IntervalDtype):
        found = str(series.dtype)
    else:
        values = series.astype(object)
        found = pd.api.types.infer_dtype(values, skipna=True)
        if str(series.dtype) == "geometry":
            found = "geometry"
        elif found not in _NOT_NUMBERS.split():
            if found.startswith(("mixed", "unknown")):
                values = values.mask(np.array([isinstance(v, bool | np.bool_) for v in values]))
            return pd.to_numeric(values, errors="coerce").to_numpy(
                dtype=np.float64, na_value=np.nan, copy=True
            )
    raise ColumnError(f"column {series.name!r} cannot be the {what}: it holds {found}, not numbers")


def has_point_geometry(table: pd.DataFrame) -> bool:
    """Whether a table is a GeoDataFrame whose geometry gives positions.

    True if at least one row has a point, or if there is a geometry and no row.
    """
    geometry = _geometry(table)
    return geometry is not None and (len(table) == 0 or bool((geometry.geom_type == "Point").any()))


def _geometry(table: pd.DataFrame) -> "GeoSeries | None":
    geopandas = sys.modules.get("geopandas")  # not imported: then there is no GeoDataFrame
    if geopandas is None or not isinstance(table, geopandas.GeoDataFrame):
        return None
    return table.geometry if table.active_geometry_name is not None else None


def raw_positions(table: pd.DataFrame, roles: ColumnRoles) -> tuple[Floats, Floats]:
    """Longitudes and latitudes as the table has them, NaN where there is none.

    They are in the table's own system and direction; of a projected geometry they are x and y.

    Returns
    -------
    lon, lat : numpy.ndarray of float64
    """
    if roles.lon is not None and roles.lat is not None:
        return (
            numeric_column(table[roles.lon], what="longitude"),
            numeric_column(table[roles.lat], what="latitude"),
        )
    geometry = _geometry(table)
    if geometry is None:
        raise TableError("the table has neither columns of position nor a geometry")
    import shapely

    shapes = np.asarray(geometry.array, dtype=object)
    usable = (shapely.get_type_id(shapes) == shapely.GeometryType.POINT) & ~shapely.is_empty(shapes)
    lon, lat = np.full((2, len(shapes)), np.nan)
    lon[usable], lat[usable] = shapely.get_x(shapes[usable]), shapely.get_y(shapes[usable])
    return lon, lat


class _Rows(RowFaults):
    """The rows of a table and what is wrong with them."""

    def check_column(
        self, name: Hashable, values: Values, numbers: Floats, rules: list[tuple[Mask, str]]
    ) -> None:
        """Refuse rows whose number is missing, not finite, or against a rule.

        `values` is what the table holds, `numbers` what was made of it.
        """
        finite = np.isfinite(numbers)

        def show(i: int) -> str:
            return (
                f"{name} = {values[i]!r}" if isinstance(values[i], str) else f"{name} = {values[i]}"
            )

        def why_not_finite(i: int) -> str:
            if np.isinf(numbers[i]):
                return f"{show(i)} (not finite)"
            missing = pd.api.types.is_scalar(values[i]) and pd.isna(values[i])
            return f"{label_text(name)} is missing" if missing else f"{show(i)} (not a number)"

        def against(reason: str, i: int) -> str:
            return f"{show(i)} ({reason})"

        self.refuse(~finite, why_not_finite)
        for bad, reason in rules:
            self.refuse(bad & finite, partial(against, reason))

    def check_points(self, geometry: "GeoSeries") -> Mask:
        """Refuse rows whose geometry is not a point; return those whose geometry is."""
        missing, empty = geometry.isna().to_numpy(), geometry.is_empty.to_numpy()
        kinds = geometry.geom_type.to_numpy(dtype=object)
        other = ~missing & ~empty & (kinds != "Point")
        self.refuse(missing, lambda i: f"{geometry.name} is missing")
        self.refuse(empty, lambda i: f"{geometry.name} is empty")
        self.refuse(other, lambda i: f"{geometry.name} is a {kinds[i]}, not a Point")
        return np.asarray(~(missing | empty | other))


def features_from_table(
    table: pd.DataFrame,
    roles: ColumnRoles,
    to_body: Transform,
    *,
    errors: str = "raise",
    longitude_sign: int | None = None,
    degrees: bool = True,
    body_radius_limit: float | None = None,
) -> tuple[Features, Mask]:
    """Make features of a table's rows, and name every row that cannot be one.

    Parameters
    ----------
    table : pandas.DataFrame
        The table, which is left as it is.
    roles : ColumnRoles
        Which columns hold what.
    to_body : callable
        ``(lon, lat) -> (lon, lat)``: from the table's system to planetocentric degrees with
        longitude to the east. It gets only rows that passed the checks.
    errors : {"raise", "drop"}, default "raise"
        Whether bad rows are an error, or are left out with a warning.
    longitude_sign : {None, 1, -1}, optional
        Multiplies the longitudes before `to_body`; None takes that of the roles.
    degrees : bool, default True
        Whether the table's positions are degrees, so that their range can be checked; False for
        projected coordinates.
    body_radius_limit : float, optional
        The largest radius in metres that makes sense on the body.

    Returns
    -------
    features : Features
        The features of the good rows, in the table's order.
    keep : numpy.ndarray of bool, shape (n_rows,)
        Which rows these are.

    Raises
    ------
    FeatureError
        If rows are bad and `errors` is "raise"; the message names them.
    ColumnError
        If a column does not hold numbers.

    Warns
    -----
    DroppedRowsWarning
        If rows are bad and `errors` is "drop".

    Examples
    --------
    >>> table = pd.DataFrame({"lat": [10.0, 20.0], "lon": [350.0, 190.0], "diam_km": [3.0, 8.0]})
    >>> roles = ColumnRoles("lat", "lon", "diam_km", is_diameter=True, unit="km")
    >>> features, keep = features_from_table(table, roles, lambda lon, lat: (lon, lat))
    >>> features.lon.tolist(), features.radius.tolist(), keep.tolist()
    ([-10.0, -170.0], [1500.0, 4000.0], [True, True])
    """
    if errors not in ("raise", "drop"):
        raise TableError(f'errors must be "raise" or "drop", not {errors!r}')
    lon, lat = raw_positions(table, roles)
    size = numeric_column(table[roles.size], what="diameter" if roles.is_diameter else "radius")
    with np.errstate(over="ignore", under="ignore"):
        radius = size * (roles.metres_per_unit * (0.5 if roles.is_diameter else 1.0))

    rows = _Rows(table.index)
    lat_rules = [(np.abs(lat) > 90, "beyond ±90")] if degrees else []
    lon_rules = [((lon < -360) | (lon > 720), "beyond -360 to 720")] if degrees else []
    if roles.lon is None or roles.lat is None:
        points = rows.check_points(_geometry(table))
        # Rows without a point are named already.
        rows.check_column("latitude", lat, np.where(points, lat, 0.0), lat_rules)
        rows.check_column("longitude", lon, np.where(points, lon, 0.0), lon_rules)
    else:
        rows.check_column(roles.lat, table[roles.lat].array, lat, lat_rules)
        rows.check_column(roles.lon, table[roles.lon].array, lon, lon_rules)
    size_rules = [(radius <= 0, "not above 0"), (np.isinf(radius), "too large")]
    if body_radius_limit is not None:
        limit = f"a radius beyond {body_radius_limit:.7g} m, the largest on this body"
        size_rules[1] = (radius > body_radius_limit, limit)
    rows.check_column(roles.size, table[roles.size].array, size, size_rules)

    sign = roles.longitude_sign if longitude_sign is None else longitude_sign
    good = np.flatnonzero(rows.keep)
    body_lon, body_lat = to_body(sign * lon[good], lat[good])
    off = ~(np.isfinite(body_lon) & (np.abs(body_lat) <= 90 + 1e-9))
    unplaced = np.zeros(len(table), dtype=bool)
    unplaced[good[off]] = True
    rows.refuse(unplaced, lambda i: f"({lon[i]}, {lat[i]}) is not on the body")
    # Warn where the database is made: below place_features and the database.
    rows.settle(
        errors,
        FeatureError,
        refusal="cannot be features",
        advice="leaves them out",
        notice="were dropped",
        stacklevel=4,
    )
    features = Features(
        lon=wrap_longitude(body_lon[~off]),
        lat=np.clip(body_lat[~off], -90.0, 90.0),
        radius=radius[rows.keep],
    )
    return features, rows.keep
