"""Which rows are selected, and which columns of `data` come along with results."""

import pickle

import geopandas as gpd
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from craterkit import CraterDatabase, sample_data
from craterkit.errors import ArgumentError, ColumnError, TableError

MOON, DEM = sample_data["moon.tif"], sample_data["moon_dem.tif"]


@pytest.fixture(autouse=True)
def _no_figures_stay_open():
    yield
    plt.close("all")


def table(index=(5, 6, 7)):
    return pd.DataFrame(
        {"lat": [0, 10, 20], "lon": [0.0, 20, 40], "radius_km": 50.0, "depth": [1, 2, 3]},
        index=list(index),
    )


@pytest.fixture
def cdb():
    made = CraterDatabase(table(), "moon")
    made.add_circles("c")
    made.data["age"] = ["old", "new", "old"]
    return made


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        (pd.Index([7, 5]), [20, 0]),
        ([0, -1], [0, 20]),
        ((1,), [10]),
        (np.array([2, 0], dtype=np.uint8), [20, 0]),
        (pd.array([0, 2], dtype="Int64"), [0, 20]),
        (slice(1, None), [10, 20]),
        ([True, False, True], [0, 20]),
        (pd.array([True, False, True], dtype="boolean"), [0, 20]),
        (pd.Series([True, False, False], index=[7, 6, 5]), [20]),
        (pd.Series([True, False, False], index=[5, 6, 7], dtype=object), [0]),
        ([], []),
    ],
)
def test_rows_of_a_database_and_of_pictures(cdb, rows, expected):
    assert cdb[rows].lat.tolist() == expected
    if expected:
        axes = cdb.plot_rois(MOON, "c", rows)
        assert axes.size == len(expected)


@pytest.mark.parametrize(
    ("index", "rows", "expected"),
    [
        (list("abc"), ["c", "a"], [20, 0]),
        (list("abc"), pd.Series(["b"]), [10]),
        (["a", "b", "a"], ["a"], [0, 20]),
        ([0.5, 1.5, 2.5], pd.Index([1.5]), [10]),
        (pd.date_range("2024-01-01", periods=3), [pd.Timestamp("2024-01-02")], [10]),
        (pd.MultiIndex.from_tuples([("a", 1), ("a", 2), ("b", 1)]), [("a", 2)], [10]),
    ],
)
def test_rows_by_label(index, rows, expected):
    assert CraterDatabase(table().set_axis(index), "moon")[rows].lat.tolist() == expected


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (pd.Index([0]), "index has no 0"),
        (["x", "y"], "index has no 'x', 'y'"),
        ([3], "no row at position 3"),
        ([0.0], "not by 0.0"),
        (pd.array([True, None, True], dtype="boolean"), "without gaps"),
        (pd.Series([True, False, True]), "index of the mask"),
        ([[0, 1]], "one dimension"),
        (5, "not by 5"),
        (slice("a", "b"), "slice"),
    ],
)
def test_rows_that_are_not_there_are_named(cdb, rows, message):
    with pytest.raises(TableError, match=message):
        cdb[rows]


def pixels(cdb, **options):
    return cdb.get_pixels(MOON, "c", columns=["feature", "value"], **options)


def series(cdb, **options):
    return cdb.get_series([MOON], "c", ["max"], times=[1], **options)


#: Methods that give tables, and columns that each of their tables has.
TABLES = {
    "stats": (lambda cdb, **o: cdb.get_stats(MOON, "c", ["max"], **o), ["max_c"]),
    "arrays": (lambda cdb, **o: cdb.get_arrays(MOON, "c", **o), ["c"]),
    "pixels": (pixels, ["feature", "value"]),
    "series": (series, ["feature", "region", "time", "max"]),
}


@pytest.mark.parametrize("how", TABLES)
def test_columns_of_data_that_go_along(cdb, how, tmp_path):
    get, own = TABLES[how]
    everything = ["lat", "lon", "radius_km", "depth", "age"]
    cdb.data.loc[6, "depth"] = 9
    behind = how in ("pixels", "series")
    for keep, expected in ((None, everything), ([], []), (["age", "depth"], ["depth", "age"])):
        found = get(cdb, keep=keep)
        assert list(found) == (own + expected if behind else expected + own)
    which = found["feature"] if behind else found.index
    assert found["age"].tolist() == which.map({5: "old", 6: "new", 7: "old"}).tolist()
    assert found["depth"].tolist() == which.map({5: 1, 6: 9, 7: 3}).tolist()
    assert list(get(cdb)) == (own if behind else everything + own)
    with pytest.raises(ColumnError, match="keep: there is no column 'agee'"):
        get(cdb, keep=["agee"])
    with pytest.raises(ArgumentError, match="keep must be a list"):
        get(cdb, keep="age")


@pytest.mark.parametrize("how", TABLES)
def test_a_cell_of_a_notebook_runs_again(cdb, how):
    get, own = TABLES[how]
    name = own[-1]
    if how == "arrays":
        return  # the name of a region is none that a column can get
    cdb.data[name] = "of the last run"
    found = get(cdb, keep=None)
    assert found.columns.tolist().count(name) == 1
    assert "of the last run" not in found[name].tolist()
    given = CraterDatabase(table().assign(**{name: 1}), "moon")
    given.add_circles("c")
    with pytest.raises(ArgumentError, match=repr(name)):
        get(given, keep=None)
    assert list(get(given, keep=["depth"])).count(name) == 1


def test_results_of_two_calls_are_joined(cdb):
    both = cdb.get_stats(MOON, "c", "mean").join(cdb.get_stats(DEM, "c", "max", keep=[]))
    assert list(both)[-3:] == ["age", "mean_c", "max_c"]


def test_a_run_to_a_file_goes_on_whatever_of_it_is_in_data(cdb, tmp_path):
    out = tmp_path / "stats.parquet"
    first = pd.read_parquet(cdb.get_stats(MOON, "c", "mean", out=out))
    written = out.stat().st_mtime_ns
    cdb.data["mean_c"] = first["mean_c"] + 1
    assert pd.read_parquet(cdb.get_stats(MOON, "c", "mean", out=out)).equals(first)
    assert out.stat().st_mtime_ns == written
    assert first["age"].tolist() == ["old", "new", "old"]


def test_a_file_of_pixels_has_the_columns_of_the_table(cdb, tmp_path):
    kept = {"keep": ["age", "depth"]}
    path = pixels(cdb, out=tmp_path / "pixels.parquet", **kept)
    columns = ["feature", "value", "depth", "age"]
    found, expected = pd.read_parquet(path), pixels(cdb, **kept)
    assert list(found) == columns
    assert found.sort_values(columns).to_numpy().tolist() == (
        expected.sort_values(columns).to_numpy().tolist()
    )


def test_geometries_of_a_table_go_along():
    points = gpd.points_from_xy([1, 2], [3, 4])
    given = gpd.GeoDataFrame({"radius_km": [50.0, 60]}, geometry=points, crs="IAU_2015:30100")
    cdb = CraterDatabase(given, "moon")
    cdb.add_circles("c")
    cdb.data["age"] = 1
    found = cdb.get_stats(MOON, "c", "count")
    assert isinstance(found, gpd.GeoDataFrame)
    assert found.geometry.tolist() == list(points)


@pytest.mark.filterwarnings("ignore:The inplace keyword")
def test_columns_of_rows_that_were_sorted(cdb):
    cdb.data.sort_values("depth", ascending=False, inplace=True)  # noqa: PD002
    cdb.data["size"] = [3.0, 2.0, 1.0]
    assert cdb.get_stats(MOON, "c", "count")["size"].tolist() == [1, 2, 3]
    cdb.add_ellipses("e", major="size", minor="size", azimuth=0, units="km")
    assert np.ravel(cdb.regions["e"].major).tolist() == sorted(np.ravel(cdb.regions["e"].major))
    with pytest.raises(ColumnError, match="label"):
        cdb.plot_hist(MOON, "c", index=None, label="nam")


def move_points(data):
    data["geometry"] = data.geometry.translate(1.0)


EDITS = {
    "lat": lambda data: data.loc.__setitem__((6, "lat"), 11),
    "lon": lambda data: data.__setitem__("lon", data["lon"] - 360),
    "radius_km": lambda data: data.__setitem__("radius_km", np.nan),
    "geometry": move_points,
}

USES = {
    "stats": lambda cdb, folder: cdb.get_stats(MOON, "c"),
    "arrays": lambda cdb, folder: cdb.get_arrays(MOON, "c"),
    "one by one": lambda cdb, folder: cdb.iter_arrays(MOON, "c"),
    "pixels": lambda cdb, folder: pixels(cdb),
    "series": lambda cdb, folder: series(cdb),
    "part": lambda cdb, folder: cdb[:1],
    "copy": lambda cdb, folder: cdb.copy(),
    "pickle": lambda cdb, folder: pickle.dumps(cdb),
    "system": lambda cdb, folder: cdb.to_crs("IAU_2015:30130"),
    "merged": lambda cdb, folder: CraterDatabase.merge(cdb, cdb),
    "file": lambda cdb, folder: cdb.to_file(folder / "craters.gpkg"),
    "map": lambda cdb, folder: cdb.plot(),
    "histogram": lambda cdb, folder: cdb.plot_hist(MOON, "c", None),
}


@pytest.mark.parametrize("column", EDITS)
@pytest.mark.parametrize("use", USES)
def test_positions_and_sizes_are_not_edited(cdb, column, use, tmp_path):
    before = cdb.data[column].copy()
    EDITS[column](cdb.data)
    with pytest.raises(TableError, match=f"column '{column}' was edited.*CraterDatabase"):
        USES[use](cdb, tmp_path)
    cdb.data[column] = before
    USES[use](cdb, tmp_path)


def test_the_columns_that_were_read_are_known_after_every_way(cdb, tmp_path):
    cdb.to_file(tmp_path / "craters.gpkg")
    ways = [
        cdb[[2, 0]],
        pickle.loads(pickle.dumps(cdb)),
        CraterDatabase.read_file(tmp_path / "craters.gpkg"),
        CraterDatabase.merge(cdb, cdb),
    ]
    for other in ways:
        other.add_circles("d")
        other.data["max_d"] = 0.0
        assert other.get_stats(MOON, "d", ["max"])["age"].tolist() in (
            ["old", "new", "old"],
            ["old", "old"],
        )
        other.data["radius_km"] *= 2
        with pytest.raises(TableError, match="'radius_km' was edited"):
            other.get_stats(MOON, "d")


def test_a_change_of_dtype_is_no_edit(cdb):
    cdb.data["lat"] = cdb.data["lat"].astype(float)
    assert cdb.get_stats(MOON, "c", "count")["lat"].dtype == float


def test_positions_of_a_table_may_be_left_out(cdb):
    del cdb.data["lat"]
    assert "lat" not in cdb.get_stats(MOON, "c")
