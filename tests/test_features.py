"""Features as values, and what becomes of the rows of a table."""

import datetime
import decimal
import pickle

import geopandas
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from craterkit.bodies import wrap_longitude
from craterkit.errors import ColumnError, DroppedRowsWarning, FeatureError, TableError
from craterkit.tables.columns import ColumnRoles
from craterkit.tables.features import (
    Features,
    features_from_table,
    has_point_geometry,
    numeric_column,
    raw_positions,
)

ROLES = ColumnRoles("lat", "lon", "radius", is_diameter=False)
POINTS = ColumnRoles(None, None, "radius", is_diameter=False)


def as_is(lon, lat, rows):
    return lon, lat


def make(table, roles=ROLES, to_body=as_is, **arguments):
    return features_from_table(table, roles, to_body, **arguments)


@pytest.fixture
def table():
    return pd.DataFrame(
        {"lat": [0.0, 10.0, -90.0, 90.0], "lon": [0.0, 359.0, -180.0, 700.0], "radius": 5.0}
    )


@pytest.fixture
def features():
    return Features(lon=[1, 2, 3], lat=[4, 5, 6], radius=[7, 8, 9])


# Features


def test_arrays_are_read_only_copies():
    lon = np.array([1.0, 2.0])
    features = Features(lon, [0, 0], [1, 1])
    lon[0] = 99
    assert features.lon.tolist() == [1, 2]
    for array in (features.lon, features.lat, features.radius, features[:1].lon):
        assert array.dtype == np.float64
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 3
    with pytest.raises(AttributeError):
        features.lon = lon


@pytest.mark.parametrize(
    ("which", "lon"),
    [
        (slice(1, None), [2, 3]),
        (np.array([True, False, True]), [1, 3]),
        ([2, 0, 2], [3, 1, 3]),
        ([], []),
        (np.array([-1]), [3]),
    ],
)
def test_taking_features(features, which, lon):
    taken = features[which]
    assert isinstance(taken, Features)
    assert taken.lon.tolist() == lon
    assert len(taken) == len(lon)


def test_one_position_is_not_features(features):
    with pytest.raises(TypeError, match="slice"):
        features[0]


def test_equality_is_exact(features):
    assert features.equals(features[:])
    assert not features.equals(features[:2])
    assert not features.equals(features[[0, 2, 1]])
    assert not features.equals("features")
    restored = pickle.loads(pickle.dumps(features))
    assert restored.equals(features)
    assert not restored.lat.flags.writeable
    assert repr(features) == "<Features of length 3>"


@pytest.mark.parametrize(
    ("lon", "lat", "radius", "message"),
    [
        ([180], [0], [1], "lon must be"),
        ([np.nan], [0], [1], "lon must be"),
        ([0], [90.1], [1], "lat must be"),
        ([0], [0], [0], "radius must be"),
        ([0], [0], [np.inf], "radius must be"),
        ([0, 1], [0], [1], "one length"),
        (0, 0, 1, "1-D"),
    ],
)
def test_impossible_features(lon, lat, radius, message):
    with pytest.raises(FeatureError, match=message):
        Features(lon, lat, radius)


@given(st.floats(-360, 720))
def test_wrapping_longitudes(lon):
    wrapped = wrap_longitude(np.array([lon]))[0]
    assert -180 <= wrapped < 180
    assert np.cos(np.radians(wrapped)) == pytest.approx(np.cos(np.radians(lon)), abs=1e-12)
    assert np.sin(np.radians(wrapped)) == pytest.approx(np.sin(np.radians(lon)), abs=1e-12)
    if -180 <= lon < 180:
        assert wrapped == lon


def test_wrapping_just_below_the_seam():
    below = np.nextafter(-180.0, -np.inf)
    assert -180 <= wrap_longitude(np.array([below]))[0] < 180


# Columns of numbers


@pytest.mark.parametrize(
    "values",
    [
        pd.Series([1.5, None]),
        pd.Series([1.5, None], dtype="float32"),
        pd.Series([1.5, None], dtype="Float64"),
        pd.Series([1.5, None], dtype="float64[pyarrow]"),
        pd.Series([decimal.Decimal("1.5"), None], dtype=pd.ArrowDtype(pa.decimal128(5, 2))),
        pd.Series([decimal.Decimal("1.5"), None]),
        pd.Series(["  1.5 ", None]),
        pd.Series(["1.5", pd.NA], dtype="string"),
        pd.Series(["1.5", None], dtype=pd.ArrowDtype(pa.string())),
        pd.Series(["1.5", None]).astype("category"),
        pd.Series([1.5, None]).astype("category"),
        pd.Series([1.5, pd.NA], dtype=object),
        pd.Series([1.5, np.nan]).astype("Sparse[float64]"),
        pd.Series(["1.5", "1,234"]),
        pd.Series(["1.5", "1_000"]),
        pd.Series(["1.5", ""]),
        pd.Series([1.5, True], dtype=object),
        pd.Series([1.5, pd.Timestamp(0)], dtype=object),
        pd.Series([1.5, [2.0]], dtype=object),
    ],
    ids=lambda series: str(series.dtype),
)
def test_numbers_of_any_dtype(values):
    numbers = numeric_column(values, what="radius")
    assert numbers.dtype == np.float64
    np.testing.assert_array_equal(numbers, [1.5, np.nan])


@pytest.mark.parametrize(
    "values",
    [
        pd.Series([True, False]),
        pd.Series([True, None], dtype="boolean"),
        pd.Series([True, None], dtype=object),
        pd.Series(pd.to_datetime(["2020-01-01", "2020-01-02"])),
        pd.Series(pd.to_datetime(["2020-01-01", "2020-01-02"], utc=True)),
        pd.Series(pd.to_timedelta([1, 2], unit="s")),
        pd.Series(pd.period_range("2020", periods=2, freq="D")),
        pd.Series([datetime.date(2020, 1, 1)]),
        pd.Series([1j]),
        pd.Series([True, None], dtype="bool[pyarrow]"),
        pd.Series(geopandas.GeoSeries([shapely.Point(0, 0)])),
    ],
    ids=lambda series: str(series.dtype),
)
def test_what_is_not_a_number_is_refused(values):
    with pytest.raises(ColumnError, match="'size' cannot be the radius"):
        numeric_column(values.rename("size"), what="radius")


# Rows


def test_good_rows(table):
    before = table.copy(deep=True)
    features, keep = make(table)
    assert features.lon.tolist() == [0, -1, -180, -20]
    assert features.lat.tolist() == [0, 10, -90, 90]
    assert features.radius.tolist() == [5, 5, 5, 5]
    assert keep.all()
    pd.testing.assert_frame_equal(table, before)


def test_an_empty_table_has_no_features(table):
    features, keep = make(table[:0])
    assert len(features) == len(keep) == 0


@pytest.mark.parametrize(
    ("is_diameter", "unit", "metres"),
    [(False, "m", 5), (True, "m", 2.5), (False, "km", 5000), (True, "km", 2500)],
)
def test_radius_in_metres(table, is_diameter, unit, metres):
    features, _ = make(table, ColumnRoles("lat", "lon", "radius", is_diameter, unit))
    assert features.radius.tolist() == [metres] * 4


@pytest.mark.parametrize(
    ("column", "value", "said"),
    [
        ("lat", 97.2, "lat = 97.2 (beyond ±90)"),
        ("lat", np.nextafter(90, 91), "(beyond ±90)"),
        ("lat", np.nan, "lat is missing"),
        ("lat", -np.inf, "lat = -inf (not finite)"),
        ("lat", "10N", "lat = '10N' (not a number)"),
        ("lat", None, "lat is missing"),
        ("lon", 720.5, "lon = 720.5 (beyond -360 to 720)"),
        ("lon", -361, "(beyond -360 to 720)"),
        ("lon", pd.NA, "lon is missing"),
        ("radius", 0, "radius = 0 (not above 0)"),
        ("radius", -3.0, "radius = -3.0 (not above 0)"),
        ("radius", np.nan, "radius is missing"),
        ("radius", np.inf, "radius = inf (not finite)"),
        ("radius", "1,234", "radius = '1,234' (not a number)"),
        ("radius", True, "radius = True (not a number)"),
    ],
)
def test_a_bad_row_is_named(table, column, value, said):
    table = table.astype({column: object})
    table.index = [15, 16, 17, 18]
    table.loc[17, column] = value
    with pytest.raises(FeatureError, match="1 of 4 rows") as caught:
        make(table)
    assert "row 17: " in str(caught.value)
    assert said in str(caught.value)
    assert "row 16" not in str(caught.value)

    with pytest.warns(DroppedRowsWarning, match="1 of 4 rows were dropped") as issued:
        features, keep = make(table, errors="drop")
    assert len(issued) == 1
    assert said in str(issued[0].message)
    assert keep.tolist() == [True, True, False, True]
    assert features.lat.tolist() == [0, 10, 90]


def test_all_that_is_wrong_with_a_row_is_said(table):
    table.loc[2] = [95.0, np.nan, -1.0]
    with pytest.raises(FeatureError, match=r"row 2: lat = 95.0 .*; lon is missing; radius = -1.0"):
        make(table)


def test_twenty_rows_are_listed_and_the_others_counted():
    table = pd.DataFrame({"lat": np.full(50, 91.0), "lon": 0.0, "radius": 1.0})
    with pytest.raises(FeatureError, match="50 of 50 rows") as caught:
        make(table)
    assert str(caught.value).count("row ") == 20
    assert "row 19:" in str(caught.value)
    assert str(caught.value).endswith("and 30 more")


def test_labels_of_any_index(table):
    table["lat"] = [0.0, 91.0, 92.0, 0.0]
    table.index = pd.MultiIndex.from_tuples([("a", 1), ("a", 2), ("b", 1), ("b", 2)])
    with pytest.raises(FeatureError, match=r"row \(a, 2\): lat = 91.0"):
        make(table)
    table.index = ["same"] * 4
    with pytest.raises(FeatureError, match=r"(?s)row same: lat = 91.0.*row same: lat = 92.0"):
        make(table)


def test_columns_of_several_levels(table):
    table.columns = pd.MultiIndex.from_product([["c"], table.columns])
    roles = ColumnRoles(("c", "lat"), ("c", "lon"), ("c", "radius"), is_diameter=False)
    assert len(make(table, roles)[0]) == 4


def test_nullable_columns(table):
    table = table.convert_dtypes()
    table.loc[1, "radius"] = pd.NA
    with pytest.raises(FeatureError, match="row 1: radius is missing"):
        make(table)


def test_a_largest_radius(table):
    table.loc[3, "radius"] = 2e7
    with pytest.raises(FeatureError, match=r"row 3: radius = 20000000.0 .*beyond 5400000 m"):
        make(table, body_radius_limit=5.4e6)


def test_a_size_that_overflows(table):
    table.loc[0, "radius"] = 1e308
    with pytest.raises(FeatureError, match="too large"):
        make(table, ColumnRoles("lat", "lon", "radius", is_diameter=False, unit="km"))


@pytest.mark.parametrize("errors", ["ignore", None, "Raise", True])
def test_other_ways_with_errors(table, errors):
    with pytest.raises(TableError, match="errors must be"):
        make(table, errors=errors)


# Conversion to the body


def test_conversion_gets_good_rows_in_the_tables_system(table):
    table.loc[0, "lat"] = 100.0
    seen = []

    def shift(lon, lat, rows):
        seen.append((lon.tolist(), lat.tolist(), rows.tolist()))
        return lon + 10, lat / 2

    with pytest.warns(DroppedRowsWarning):
        features, _ = make(table, to_body=shift, errors="drop")
    assert seen == [([359, -180, 700], [10, -90, 90], [1, 2, 3])]
    assert features.lon.tolist() == [9, -170, -10]
    assert features.lat.tolist() == [5, -45, 45]


def test_positions_that_cannot_be_converted_are_named(table):
    def to_body(lon, lat, rows):
        return np.where(lon == 359, np.inf, lon), lat

    with pytest.raises(FeatureError, match=r"row 1: \(359.0, 10.0\) is not on the body"):
        make(table, to_body=to_body)
    with pytest.warns(DroppedRowsWarning, match="1 of 4"):
        features, keep = make(table, to_body=to_body, errors="drop")
    assert keep.tolist() == [True, False, True, True]
    assert len(features) == 3


def test_rounding_at_the_pole_is_forgiven(table):
    features, _ = make(table, to_body=lambda lon, lat, rows: (lon, lat * (1 + 1e-15)))
    assert features.lat.tolist()[2:] == [-90, 90]


def test_projected_positions_have_no_range(table):
    table["lat"], table["lon"] = [1e6, 2e6, 3e6, 4e6], 5e6
    features, _ = make(table, to_body=lambda x, y, rows: (x / 1e5, y / 1e5), degrees=False)
    assert features.lat.tolist() == [10, 20, 30, 40]


# Geometry


def test_points_give_the_position():
    points = geopandas.GeoDataFrame(
        {"radius": [1.0, 2.0]}, geometry=geopandas.points_from_xy([350, 20], [5, 6])
    )
    assert has_point_geometry(points)
    lon, lat = raw_positions(points, POINTS)
    assert (lon.tolist(), lat.tolist()) == ([350, 20], [5, 6])
    features, _ = make(points, POINTS)
    assert features.lon.tolist() == [-10, 20]


def test_rows_without_a_point_are_named():
    shapes = [
        shapely.Point(1, 2),
        None,
        shapely.Point(),
        shapely.box(0, 0, 1, 1),
        shapely.Point(0, 95),
    ]
    points = geopandas.GeoDataFrame({"radius": 1.0}, geometry=shapes, index=range(5))
    with pytest.raises(FeatureError, match="4 of 5 rows") as caught:
        make(points, POINTS)
    for said in (
        "row 1: geometry is missing\n",
        "row 2: geometry is empty\n",
        "row 3: geometry is a Polygon, not a Point\n",
        "row 4: latitude = 95.0 (beyond ±90)",
    ):
        assert said in str(caught.value)


def test_which_tables_have_points(table):
    assert not has_point_geometry(table)
    assert not has_point_geometry(geopandas.GeoDataFrame(table))
    boxes = geopandas.GeoDataFrame(table, geometry=[shapely.box(0, 0, 1, 1)] * 4)
    assert not has_point_geometry(boxes)
    assert has_point_geometry(boxes[:0])
    with pytest.raises(TableError, match="neither"):
        make(table, POINTS)
