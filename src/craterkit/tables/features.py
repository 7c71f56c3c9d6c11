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

    from craterkit.tables.outlines import Outlines

__all__ = [
    "Features",
    "TableRows",
    "features_from_table",
    "geometry_of",
    "has_point_geometry",
    "numeric_column",
    "raw_positions",
    "single_points",
]

Floats: TypeAlias = npt.NDArray[np.float64]
Mask: TypeAlias = npt.NDArray[np.bool_]
Values: TypeAlias = pd.api.extensions.ExtensionArray | Floats
Ints: TypeAlias = npt.NDArray[np.intp]
Transform: TypeAlias = Callable[[Floats, Floats, Ints], tuple[Floats, Floats]]

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
    geometry = geometry_of(table)
    if geometry is None:
        return False
    return len(table) == 0 or bool(geometry.geom_type.isin(["Point", "MultiPoint"]).any())


def geometry_of(table: pd.DataFrame) -> "GeoSeries | None":
    """The active geometry of a GeoDataFrame; None of any other table."""
    geopandas = sys.modules.get("geopandas")  # not imported: then there is no GeoDataFrame
    if geopandas is None or not isinstance(table, geopandas.GeoDataFrame):
        return None
    return table.geometry if table.active_geometry_name is not None else None


def single_points(shapes: npt.NDArray[np.object_]) -> npt.NDArray[np.object_]:
    """Geometries with a point for each MultiPoint of one."""
    import shapely

    single = (shapely.get_type_id(shapes) == shapely.GeometryType.MULTIPOINT) & (
        shapely.get_num_geometries(shapes) == 1
    )
    return np.where(single, shapely.get_geometry(shapes, 0), shapes)


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
    geometry = geometry_of(table)
    if geometry is None:
        raise TableError("the table has neither columns of position nor a geometry")
    import shapely

    shapes = single_points(np.asarray(geometry.array, dtype=object))
    usable = (shapely.get_type_id(shapes) == shapely.GeometryType.POINT) & ~shapely.is_empty(shapes)
    lon, lat = np.full((2, len(shapes)), np.nan)
    lon[usable], lat[usable] = shapely.get_x(shapes[usable]), shapely.get_y(shapes[usable])
    return lon, lat


class TableRows(RowFaults):
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
        import shapely

        missing, empty = geometry.isna().to_numpy(), geometry.is_empty.to_numpy()
        shapes = np.asarray(geometry.array, dtype=object)
        points = shapely.get_type_id(single_points(shapes)) == shapely.GeometryType.POINT
        other = ~missing & ~empty & ~points

        def tell(i: int) -> str:
            count = f" of {len(shapes[i].geoms)} points" if hasattr(shapes[i], "geoms") else ""
            return f"{geometry.name} is a {shapes[i].geom_type}{count}, not a Point"

        self.refuse(missing, lambda i: f"{geometry.name} is missing")
        self.refuse(empty, lambda i: f"{geometry.name} is empty")
        self.refuse(other, tell)
        return np.asarray(~(missing | empty | other))


def features_from_table(
    table: pd.DataFrame,
    roles: ColumnRoles,
    to_body: Transform,
    *,
    errors: str = "raise",
    degrees: bool | Mask = True,
    body_radius_limit: float | None = None,
    rows: TableRows | None = None,
    outlines: "Outlines | None" = None,
    compare: Callable[[Floats, Floats, Floats, TableRows], None] | None = None,
) -> tuple[Features, Mask]:
    """Make features of a table's rows, and name every row that cannot be one.

    Parameters
    ----------
    table : pandas.DataFrame
        The table, which is left as it is.
    roles : ColumnRoles
        Which columns hold what.
    to_body : callable
        ``(lon, lat, rows) -> (lon, lat)``: from the table's system to planetocentric degrees with
        longitude to the east. It gets only rows that passed the checks, and their numbers.
    errors : {"raise", "drop"}, default "raise"
        Whether bad rows are an error, or are left out with a warning.
    degrees : bool or ndarray of bool, default True
        Whether the table's positions are degrees, so that their range can be checked; False for
        projected coordinates. One for all rows, or one for each.
    body_radius_limit : float, optional
        The largest radius in metres that makes sense on the body.
    rows : TableRows, optional
        The rows, with what is wrong with them already.
    outlines : Outlines, optional
        What gives positions and sizes for which the roles have no columns.
    compare : callable, optional
        ``(lon, lat, radius, rows) -> None``: notes rows of which something else in the table says another
        position or size. Longitudes and latitudes are planetocentric, and NaN in bad rows.

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
    >>> features, keep = features_from_table(table, roles, lambda lon, lat, rows: (lon, lat))
    >>> features.lon.tolist(), features.radius.tolist(), keep.tolist()
    ([-10.0, -170.0], [1500.0, 4000.0], [True, True])
    """
    if errors not in ("raise", "drop"):
        raise TableError(f'errors must be "raise" or "drop", not {errors!r}')
    rows = TableRows(table.index) if rows is None else rows
    by_columns = roles.lon is not None and roles.lat is not None
    if outlines is None or by_columns:
        lon, lat = raw_positions(table, roles)
    else:
        lon, lat = outlines.lon, outlines.lat
    lat_rules = [(degrees & (np.abs(lat) > 90), "beyond ±90")]
    lon_rules = [(degrees & ((lon < -360) | (lon > 720)), "beyond -360 to 720")]
    if not by_columns and outlines is None:
        points = rows.check_points(geometry_of(table))
        # Rows without a point are named already.
        rows.check_column("latitude", lat, np.where(points, lat, 0.0), lat_rules)
        rows.check_column("longitude", lon, np.where(points, lon, 0.0), lon_rules)
    elif by_columns:
        rows.check_column(roles.lat, table[roles.lat].array, lat, lat_rules)
        rows.check_column(roles.lon, table[roles.lon].array, lon, lon_rules)
    if roles.size is None and outlines is not None:
        radius = outlines.radius
    else:
        radius = _radii(table, roles, rows, body_radius_limit)

    good = np.flatnonzero(rows.keep)
    body_lon, body_lat = np.full((2, len(table)), np.nan)
    body_lon[good], body_lat[good] = to_body(lon[good], lat[good], good)
    off = rows.keep & ~(np.isfinite(body_lon) & (np.abs(body_lat) <= 90 + 1e-9))
    rows.refuse(off, lambda i: f"({lon[i]}, {lat[i]}) is not on the body")
    if compare is not None:
        compare(body_lon, body_lat, radius, rows)
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
        lon=wrap_longitude(body_lon[rows.keep]),
        lat=np.clip(body_lat[rows.keep], -90.0, 90.0),
        radius=radius[rows.keep],
    )
    return features, rows.keep


def _radii(table: pd.DataFrame, roles: ColumnRoles, rows: TableRows, limit: float | None) -> Floats:
    """Radii in metres of the column of sizes; rows whose are impossible are noted."""
    column = table[roles.size]
    size = numeric_column(column, what="diameter" if roles.is_diameter else "radius")
    with np.errstate(over="ignore", under="ignore"):
        radius = size * (roles.metres_per_unit * (0.5 if roles.is_diameter else 1.0))
    rules = [(radius <= 0, "not above 0"), (np.isinf(radius), "too large")]
    if limit is not None:
        reason = f"a radius beyond {limit:.7g} m, the largest on this body"
        rules[1] = (radius > limit, reason)
    rows.check_column(roles.size, column.array, size, rules)
    return radius
