"""The database as a user holds it: columns of their own, copies, selections, pickles."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pandas as pd
import pytest

import worlds
from craterkit import Body, CraterDatabase, sample_data
from craterkit.errors import RegionError, TableError


@pytest.fixture
def cdb():
    cdb = CraterDatabase(sample_data["moon_craters_km.csv"], "moon")
    cdb.add_annuli("rim", 1, 1.5)
    return cdb


def same(cdb):
    return cdb


COPIES = {
    "itself": same,
    "copy": CraterDatabase.copy,
    "copy.copy": copy.copy,
    "copy.deepcopy": copy.deepcopy,
    "pickle": lambda cdb: pickle.loads(pickle.dumps(cdb)),
    "slice": lambda cdb: cdb[:],
    "mask": lambda cdb: cdb[cdb.rad > 0],
    "positions": lambda cdb: cdb[np.arange(len(cdb))],
}


@pytest.mark.parametrize("how", COPIES)
@pytest.mark.parametrize("drawn", [False, True])
def test_a_copy_is_equal_and_has_the_same_polygons(cdb, how, drawn):
    if drawn:
        assert len(cdb.rim)
    other = COPIES[how](cdb)
    assert other == cdb
    assert list(other.regions) == ["rim"]
    assert other.rim.geom_equals_exact(cdb.rim, 0.0).all()
    assert other.data["rim"].crs == cdb.crs


@pytest.mark.parametrize("how", COPIES)
def test_columns_of_the_user_go_along(cdb, how):
    cdb.data["age"] = np.arange(len(cdb), dtype=float)
    assert COPIES[how](cdb).data["age"].tolist() == list(range(len(cdb)))


@pytest.mark.parametrize("how", [name for name in COPIES if name != "itself"])
def test_regions_belong_to_one_database(cdb, how):
    other = COPIES[how](cdb)
    other.add_circles("floor", 0.5)
    assert "floor" not in cdb.regions
    assert not hasattr(cdb, "floor")
    assert other != cdb
    assert len(other.floor) == len(cdb)


def test_selections_keep_index_columns_and_numbers(cdb):
    large = cdb[cdb.rad > 2e5]
    assert 0 < len(large) < len(cdb)
    assert (large.rad > 2e5).all()
    pd.testing.assert_series_equal(large.lat, cdb.lat[cdb.rad > 2e5])
    stats = cdb.get_stats(sample_data["moon.tif"], "rim")
    of_large = large.get_stats(sample_data["moon.tif"], "rim")
    pd.testing.assert_frame_equal(of_large, stats[cdb.rad > 2e5])


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ("rim", "selected by"),
        ([0.5], "selected by"),
        ([True], "1 values for 508 rows"),
        (pd.Series([True], index=["a"]), "index"),
        (np.ones((508, 2), dtype=bool), "selected by"),
    ],
)
def test_rows_that_cannot_be_selected_are_refused(cdb, rows, message):
    with pytest.raises(TableError, match=message):
        cdb[rows]


def test_overwriting_a_region_redraws_it(cdb):
    before = cdb.rim.iloc[300].bounds
    cdb.add_annuli("rim", 1, 3, overwrite=True)
    assert cdb.rim.iloc[300].bounds[0] < before[0]


def test_definitions_cannot_be_changed_behind_its_back(cdb):
    with pytest.raises(TypeError):
        cdb.regions["rim"] = None


def test_databases_of_other_bodies_or_features_differ(cdb):
    table = pd.read_csv(sample_data["moon_craters_km.csv"])
    other = CraterDatabase(table, Body("Moon", 1738e3))
    other.add_annuli("rim", 1, 1.5)
    assert other != cdb
    assert cdb[1:] != cdb[:-1]
    assert cdb != "rim"
    with pytest.raises(TypeError):
        hash(cdb)


def test_columns_of_the_user_and_the_system_count_in_comparisons(cdb):
    copy = cdb.copy()
    assert len(copy.data)
    assert copy == cdb
    copy.data["age"] = 1.0
    assert copy != cdb
    cdb.data["age"] = 1.0
    assert copy == cdb
    cdb.data.loc[3, "age"] = 2.0
    assert copy != cdb
    assert copy.to_crs("IAU_2015:30110") != copy


def test_a_copy_is_deep(cdb):
    cdb.data["age"] = 1.0
    copies = {name: COPIES[name](cdb) for name in COPIES if name != "itself"}
    for copy_ in copies.values():
        copy_.data.loc[:, "age"] = 7.0
        copy_.data.loc[:, "Name"] = "?"
    assert (cdb.data["age"] == 1.0).all()
    assert (cdb.data["Name"] != "?").all()


def test_a_geometry_can_be_any_region(cdb):
    rims = cdb.data.set_geometry("rim")
    assert rims.geometry.geom_equals_exact(cdb.rim, 0.0).all()
    assert cdb.data.geometry.geom_type.eq("Point").all()


def test_tables_with_a_geometry_column_keep_it():
    table = worlds.table([10.0, 20.0], 0.0, 5e3).assign(geometry=["a", "b"])
    cdb = CraterDatabase(table, "moon")
    assert cdb.data["geometry"].tolist() == ["a", "b"]
    assert cdb.data.geometry.name == "center"
    assert cdb.data.geometry.x.tolist() == [10.0, 20.0]


def test_no_column_of_the_table_is_lost_to_the_centres():
    table = worlds.table(10.0, 20.0, 5e3)
    table = table.assign(geometry="a", center="b", feature_center="c")
    cdb = CraterDatabase(table, "moon")
    assert cdb.data[["geometry", "center", "feature_center"]].to_numpy().tolist() == [
        ["a", "b", "c"]
    ]
    assert (cdb.data.geometry.x.item(), cdb.data.geometry.y.item()) == (10.0, 20.0)


def test_columns_of_the_user_are_not_overwritten_by_a_region(cdb):
    cdb.data["age"] = 1.0
    with pytest.raises(RegionError, match="data has a column"):
        cdb.add_circles("age")
    assert (cdb.data["age"] == 1.0).all()


def test_odd_indexes_come_back_untouched(tmp_path):
    path = worlds.write(tmp_path / "one.tif", worlds.lonlat(5.0), lambda lon, lat: lat)
    plain = worlds.table([0.0, 10.0, 20.0], [0.0, 30.0, 60.0], 3e5)
    expected = CraterDatabase(plain, "moon")
    expected.add_circles("c")
    expected = expected.get_stats(path, "c")["mean_c"].to_numpy()
    indexes = [
        pd.Index(["a", "a", "b"]),
        pd.MultiIndex.from_tuples([("x", 1), ("x", 2), ("y", 1)]),
        pd.Index([3, 1, 2], name="id"),
        pd.date_range("2020-01-01", periods=3),
    ]
    for index in indexes:
        cdb = CraterDatabase(plain.set_axis(index), "moon")
        cdb.add_circles("c")
        stats = cdb.get_stats(path, "c")
        pd.testing.assert_index_equal(stats.index, index)
        pd.testing.assert_frame_equal(stats[["lat", "lon", "radius_m"]], plain.set_axis(index))
        np.testing.assert_array_equal(stats["mean_c"], expected)
        assert cdb.c.index.equals(index)


def test_html_shows_body_sizes_and_regions(cdb):
    html = cdb._repr_html_()
    for text in ("508 features on Moon", "<code>rim</code> (1 to 1.5 radii)", "Mare Imbrium"):
        assert text in html


def test_reprs_are_the_tutorials(cdb):
    assert repr(cdb) == ("CraterDatabase of length 508 with attributes lat, lon, rad, center, rim.")
    assert str(cdb) == "Moon CraterDatabase (N=508)"


def sort(data):
    data.sort_values("x", inplace=True)  # noqa: PD002


def sort_and_number(data):
    data.sort_values("x", inplace=True, ignore_index=True)  # noqa: PD002


def sort_what_was_named(data):
    data.set_index("name", inplace=True)  # noqa: PD002
    data.sort_values("x", inplace=True)  # noqa: PD002
    data.reset_index(inplace=True)  # noqa: PD002


#: pandas 3.1 advises against what users may go on doing.
IN_PLACE = pytest.mark.filterwarnings("ignore:The inplace keyword")

#: What users do to `data` in place, and what the database keeps of it.
REARRANGED = {"sorted": sort, "numbered anew": sort_and_number, "named": sort_what_was_named}


def rearranged(how, labels):
    table = pd.DataFrame(
        {
            "name": list("abcd"),
            "lon": [10.0, 20.0, 20.0, 30.0],
            "lat": [1.0, 2.0, 2.0, 3.0],
            "radius_m": [1e3, 2e3, 2e3, 3e3],
            "x": [9, 7, 8, 6],
        },
        index=labels,
    )
    cdb = CraterDatabase(table, "moon")
    cdb.add_circles("rim")
    REARRANGED[how](cdb.data)
    return cdb


@IN_PLACE
@pytest.mark.parametrize("labels", [[0, 1, 2, 3], [5, 5, 7, 5], list("pqrs")], ids=str)
@pytest.mark.parametrize("how", REARRANGED)
def test_rows_that_are_sorted_in_place_keep_their_craters(how, labels, tmp_path):
    cdb = rearranged(how, labels)
    assert cdb.data["name"].tolist() == ["d", "b", "c", "a"]
    copies = [
        cdb[:],
        cdb.to_crs("planetocentric"),
        pickle.loads(pickle.dumps(cdb)),
        CraterDatabase.merge(cdb, cdb),
    ]
    cdb.to_file(tmp_path / "sorted.geojson")
    copies.append(CraterDatabase.read_file(tmp_path / "sorted.geojson"))
    for copied in copies:
        assert copied.data["name"].tolist() == list("abcd")
        assert copied.data["x"].tolist() == [9, 7, 8, 6]
        assert copied.data.geometry.x.tolist() == copied.lon.tolist() == [10, 20, 20, 30]
    assert cdb[[0]].data["name"].tolist() == ["a"]


@IN_PLACE
@pytest.mark.parametrize("how", REARRANGED)
def test_polygons_of_rows_that_were_sorted_are_their_own(how):
    cdb = rearranged(how, [0, 1, 2, 3])
    assert cdb.data["rim"].contains(cdb.data.geometry).all()
    west = cdb.rim.bounds["minx"].to_numpy()
    assert (np.diff(west) >= 0).all()


@IN_PLACE
def test_sorting_once_more_after_a_pickle():
    cdb = pickle.loads(pickle.dumps(rearranged("sorted", [0, 1, 2, 3])))
    sort_and_number(cdb.data)
    assert cdb[:].data["name"].tolist() == list("abcd")


@IN_PLACE
def test_rows_that_are_dropped_in_place_are_refused(tmp_path):
    cdb = rearranged("sorted", [0, 1, 2, 3])
    cdb.data.drop(index=0, inplace=True)  # noqa: PD002
    assert cdb.data["rim"].contains(cdb.data.geometry).all()
    message = r"lost or gained rows \(4 -> 3\).*select rows with cdb\[mask\]"
    for use in (
        lambda: cdb.to_file(tmp_path / "dropped.geojson"),
        lambda: CraterDatabase.merge(cdb, cdb),
        lambda: cdb[:2],
        lambda: cdb.to_crs("IAU_2015:30130"),
        lambda: cdb.rim,
    ):
        with pytest.raises(TableError, match=message):
            use()
    assert not (tmp_path / "dropped.geojson").exists()


@IN_PLACE
def test_rows_whose_centres_are_replaced_are_known_by_their_labels():
    cdb = rearranged("sorted", list("pqrs"))
    cdb.data["geometry"] = cdb.data.geometry.translate(0.0)
    assert cdb[:].data["name"].tolist() == list("abcd")
    cdb.data.index = list("wxyz")
    with pytest.raises(TableError, match="cannot be told apart"):
        cdb.copy()
