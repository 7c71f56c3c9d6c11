"""Bad input: a clear, early error that names what is wrong, and never a partial result.

One section for each thing that can be wrong: tables, regions, rasters, arguments.
"""

import re
import warnings
from dataclasses import replace

import geopandas
import numpy as np
import pandas as pd
import pyproj
import pytest
import rasterio
from affine import Affine
from rasterio.errors import NotGeoreferencedWarning

import worlds
from craterkit import Body, CraterDatabase, errors
from craterkit.errors import (
    ArgumentError,
    BodyError,
    ColumnError,
    CraterkitError,
    CRSError,
    DroppedRowsWarning,
    FeatureError,
    RasterError,
    RegionError,
    StatisticError,
    TableError,
)
from worlds import metres

NOTHING_GIVEN = {"lat": [0.0], "lon": [0.0], "radius_m": [100.0]}


@pytest.fixture
def cdb():
    """Two craters, one north and one south, with a region."""
    cdb = CraterDatabase(worlds.table([0, 0], [60, -60], metres(3)), "moon")
    cdb.add_circles("c")
    return cdb


@pytest.fixture(scope="module")
def raster(tmp_path_factory):
    return worlds.write(
        tmp_path_factory.mktemp("good") / "good.tif", worlds.lonlat(1.0), np.float64(1)
    )


@pytest.fixture(params=["get_stats", "get_arrays"])
def extract(request, cdb):
    """Both methods that read rasters."""
    return getattr(cdb, request.param)


# Errors


def test_every_error_derives_from_the_librarys_and_from_a_built_in():
    own = [getattr(errors, name) for name in errors.__all__]
    raised = [c for c in own if not issubclass(c, Warning) and c is not CraterkitError]
    assert len(raised) >= 8
    for error in raised:
        assert issubclass(error, CraterkitError)
        assert issubclass(error, ValueError | OSError | TypeError | RuntimeError)
    assert issubclass(RasterError, OSError)
    assert issubclass(DroppedRowsWarning, UserWarning)


# Rows


@pytest.mark.parametrize(
    ("column", "value", "said"),
    [
        ("radius_m", np.nan, "missing"),
        ("radius_m", np.inf, "not finite"),
        ("radius_m", 0.0, "not above 0"),
        ("radius_m", -5.0, "not above 0"),
        ("radius_m", 1e9, "largest"),
        ("lat", 90.5, "90"),
        ("lat", -91.0, "90"),
        ("lat", np.nan, "missing"),
        ("lon", np.inf, "not finite"),
        ("lon", 1000.0, "720"),
    ],
)
def test_every_row_with_an_impossible_value_is_named(column, value, said):
    table = worlds.table(np.zeros(5), np.zeros(5), 100.0)
    table.index = list("abcde")
    table.loc[["b", "d"], column] = value
    with pytest.raises(FeatureError, match="2 of 5") as caught:
        CraterDatabase(table, "moon")
    lines = [line for line in str(caught.value).splitlines() if "row" in line and column in line]
    assert [re.search(r"row (\w)", line)[1] for line in lines] == ["b", "d"]
    assert all(said in line for line in lines)


def test_a_word_among_numbers_is_shown_as_it_stands_in_the_table():
    table = worlds.table(np.zeros(3), np.zeros(3), 100.0).astype({"lat": object})
    table.loc[2, "lat"] = "12N"
    with pytest.raises(FeatureError, match=r"row 2: lat = '12N'"):
        CraterDatabase(table, "moon")


def test_errors_drop_keeps_the_good_rows_and_reports_the_others(raster):
    table = worlds.table(np.arange(5.0), np.arange(5.0) * 10, metres(2))
    table.index = list("abcde")
    table.loc["b", "radius_m"] = np.nan
    table.loc["d", "lat"] = 95.0
    with pytest.warns(DroppedRowsWarning, match=r"2 of 5(.|\n)*row b(.|\n)*row d") as caught:
        cdb = CraterDatabase(table, "moon", errors="drop")
    assert len(caught) == 1
    assert cdb.lat.index.tolist() == ["a", "c", "e"]
    assert cdb.lat.tolist() == [0, 20, 40]
    cdb.add_circles("c")
    stats = cdb.get_stats(raster, "c", "mean")
    assert stats.index.tolist() == ["a", "c", "e"]
    assert stats["mean_c"].tolist() == [1, 1, 1]
    assert len(table) == 5


def test_the_warning_of_dropped_rows_points_at_the_callers_line():
    table = worlds.table([0, 1], 0, [100, -1])
    with pytest.warns(DroppedRowsWarning) as caught:
        CraterDatabase(table, "moon", errors="drop")
    assert caught[0].filename == __file__


def test_errors_drop_says_nothing_about_good_rows():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert len(CraterDatabase(worlds.table([0, 1], 0, 1), "moon", errors="drop")) == 2


def test_errors_drop_may_leave_nothing():
    with pytest.warns(DroppedRowsWarning, match="2 of 2"):
        cdb = CraterDatabase(worlds.table([0, 1], 0, -1), "moon", errors="drop")
    assert len(cdb) == 0


@pytest.mark.parametrize("value", ["ignore", "coerce", None, True])
def test_other_values_of_errors_are_refused(value):
    with pytest.raises(TableError, match="errors must be"):
        CraterDatabase(worlds.table(0, 0, 1), "moon", errors=value)


# Columns and units


@pytest.mark.parametrize("missing", ["lat", "lon", "radius_m"])
def test_missing_columns_are_named_with_the_argument_that_helps(missing):
    table = worlds.table(0, 0, 1).drop(columns=missing)
    argument = {"lat": "lat_col", "lon": "lon_col", "radius_m": "rad_col"}[missing]
    with pytest.raises(ColumnError, match=argument):
        CraterDatabase(table, "moon")


@pytest.mark.parametrize(
    ("first", "second", "argument"),
    [
        ("lat", "latitude", "lat_col"),
        ("lon", "long", "lon_col"),
        ("radius_m", "diameter", "diam_col"),
        ("diam_km", "diam_m", "diam_col"),
    ],
)
def test_ambiguous_columns_are_both_named(first, second, argument):
    table = pd.DataFrame({**NOTHING_GIVEN, first: [1.0], second: [1.0]})
    if argument == "diam_col" and first != "radius_m":
        table = table.drop(columns="radius_m")
    with pytest.raises(ColumnError, match=argument) as caught:
        CraterDatabase(table, "moon")
    assert repr(first) in str(caught.value)
    assert repr(second) in str(caught.value)


def test_a_given_column_settles_what_is_ambiguous():
    table = pd.DataFrame({**NOTHING_GIVEN, "latitude": [7.0], "diameter": [8.0]})
    cdb = CraterDatabase(table, "moon", lat_col="latitude", diam_col="diameter", units="m")
    assert (cdb.lat[0], cdb.rad[0]) == (7.0, 4.0)


@pytest.mark.parametrize("argument", ["lat_col", "lon_col", "rad_col", "diam_col"])
def test_a_given_column_must_exist(argument):
    with pytest.raises(ColumnError, match="nowhere"):
        CraterDatabase(worlds.table(0, 0, 1), "moon", **{argument: "nowhere"})


def test_radius_and_diameter_cannot_both_be_given():
    table = worlds.table(0, 0, 1).assign(diameter=2.0)
    with pytest.raises(ColumnError, match=r"rad_col.*diam_col"):
        CraterDatabase(table, "moon", rad_col="radius_m", diam_col="diameter")


@pytest.mark.parametrize("column", ["latitude_err", "lat_sd", "plateau", "flat", "translation"])
def test_a_look_alike_is_no_latitude(column):
    table = worlds.table(0, 0, 1).rename(columns={"lat": column})
    with pytest.raises(ColumnError, match="latitude"):
        CraterDatabase(table, "moon")


@pytest.mark.parametrize("units", ["miles", "meter s", "m/s", 5, ["km"]])
def test_units_of_other_kinds_are_refused_with_those_accepted(units):
    with pytest.raises(TableError, match=r"units(.|\n)*km"):
        CraterDatabase(worlds.table(0, 0, 1), "moon", units=units)


@pytest.mark.parametrize(("column", "units"), [("diam_km", "m"), ("radius_m", "km")])
def test_units_against_the_name_of_the_column_are_refused(column, units):
    table = worlds.table(0, 0, 1).rename(columns={"radius_m": column})
    with pytest.raises(ColumnError, match=column):
        CraterDatabase(table, "moon", units=units)


def test_units_against_a_known_catalogue_are_refused():
    table = pd.DataFrame({"LAT_CIRC_IMG": [0.0], "LON_CIRC_IMG": [0.0], "DIAM_CIRC_IMG": [5.0]})
    assert CraterDatabase(table, "moon").rad.tolist() == [2500]
    with pytest.raises(ColumnError, match="DIAM_CIRC_IMG"):
        CraterDatabase(table, "moon", units="m")


# Datasets, bodies and coordinate systems


@pytest.mark.parametrize("dataset", [None, 5, [1, 2], {"lat": [0]}])
def test_a_dataset_is_a_path_or_a_frame(dataset):
    with pytest.raises(TableError, match="dataset"):
        CraterDatabase(dataset, "moon")


def test_a_missing_table_is_named(tmp_path):
    with pytest.raises(TableError, match=r"craters\.csv") as caught:
        CraterDatabase(tmp_path / "craters.csv", "moon")
    assert isinstance(caught.value, FileNotFoundError)


@pytest.mark.parametrize("body", ["mooon", "Tatooine", "", 12345, None, 3.5])
def test_an_unknown_body_is_named(body):
    with pytest.raises(BodyError, match=re.escape(repr(body))):
        CraterDatabase(worlds.table(0, 0, 1), body)


def test_a_mistyped_body_gets_a_suggestion():
    with pytest.raises(BodyError, match="'Moon'"):
        CraterDatabase(worlds.table(0, 0, 1), "mooon")


@pytest.mark.parametrize("value", ["planetocentrik", "EPSG:99999999", 3.7])
def test_an_unknown_coordinate_system_is_refused(value):
    with pytest.raises(CRSError, match="input_crs"):
        CraterDatabase(worlds.table(0, 0, 1), "moon", value)


@pytest.mark.parametrize("code", ["IAU_2015:49900", "EPSG:4326"])
def test_positions_on_another_body_are_refused(code):
    with pytest.raises(CRSError, match="Moon"):
        CraterDatabase(worlds.table(0, 0, 1), "moon", code)
    points = geopandas.GeoDataFrame(
        {"radius_m": [1.0]}, geometry=geopandas.points_from_xy([0], [0]), crs=code
    )
    with pytest.raises(CRSError, match="Moon"):
        CraterDatabase(points, "moon")


# Regions


@pytest.mark.parametrize(
    ("inner", "outer", "said"),
    [
        (1, 1, "inner"),
        (2, 1, "inner"),
        (-0.5, 1, "inner"),
        (np.nan, 1, "inner"),
        (0, np.inf, "outer"),
        (0, np.nan, "outer"),
        ("1", 2, "inner"),
        (1, None, "outer"),
        (0, 0, "inner"),
    ],
)
def test_impossible_annuli_are_refused_and_leave_no_region(cdb, inner, outer, said):
    with pytest.raises(RegionError, match=said):
        cdb.add_annuli("rim", inner, outer)
    assert list(cdb.regions) == ["c"]


@pytest.mark.parametrize("size", [0, -1, np.nan, np.inf, "1", None])
def test_impossible_circles_are_refused_by_the_name_of_their_argument(cdb, size):
    with pytest.raises(RegionError, match="size"):
        cdb.add_circles("d", size)
    assert list(cdb.regions) == ["c"]


@pytest.mark.parametrize("nvert", [2, 0, -3, 3.5, "32", True])
def test_impossible_numbers_of_vertices_are_refused(cdb, nvert):
    with pytest.raises(RegionError, match="nvert"):
        cdb.add_circles("d", 1, nvert=nvert)


def test_a_region_that_cannot_replace_another_leaves_it_as_it_was(cdb):
    before = dict(cdb.regions)
    with pytest.raises(RegionError):
        cdb.add_annuli("c", 2, 1, overwrite=True)
    with pytest.raises(RegionError, match=r"'c' already.*overwrite"):
        cdb.add_annuli("c", 1, 2)
    assert dict(cdb.regions) == before


def test_overwriting_replaces_the_region_and_its_polygons(cdb):
    before = cdb.c.total_bounds
    cdb.add_circles("c", 0.5, overwrite=True)
    after = cdb.c.total_bounds
    assert after[3] < before[3]
    assert cdb.regions["c"].outer == 0.5


ATTRIBUTES = ["lat", "lon", "rad", "center", "data", "body", "crs", "regions", "copy"]
METHODS = ["get_stats", "get_arrays", "add_circles", "add annuli", "__len__", "__class__"]


@pytest.mark.parametrize("name", [*ATTRIBUTES, *METHODS, "_table", "_regions", "geometry"])
def test_names_that_would_shadow_something_are_refused(cdb, name):
    for overwrite in (False, True):
        with pytest.raises(RegionError, match=re.escape(repr(name))):
            cdb.add_circles(name, overwrite=overwrite)
    assert list(cdb.regions) == ["c"]
    assert name not in repr(cdb).partition("center, ")[2]


def test_the_name_of_a_column_of_the_table_is_refused(cdb):
    with pytest.raises(RegionError, match=r"'radius_m'.*column"):
        cdb.add_circles("radius_m")


def test_two_regions_cannot_share_an_attribute(cdb):
    # Blanks become underscores in attributes, so cdb.my_rim could mean either.
    cdb.add_annuli("my rim", 1, 2)
    with pytest.raises(RegionError, match="my_rim"):
        cdb.add_annuli("my_rim", 2, 3)


@pytest.mark.parametrize("name", [5, 1.5, ("a",), b"rim"])
def test_a_name_must_be_a_string(cdb, name):
    with pytest.raises(RegionError, match="name"):
        cdb.add_annuli(name, 1, 2)


@pytest.mark.parametrize("regions", ["rim", ["c", "rim"], ["rim"], "C", ""])
def test_an_unknown_region_is_named_with_those_known(extract, raster, regions):
    named = regions if isinstance(regions, str) else regions[-1]
    with pytest.raises(RegionError, match=f"{named!r}.*known: 'c'"):
        extract(raster, regions)


@pytest.mark.parametrize("regions", [[], None, 5, [None]])
def test_regions_must_be_names(extract, raster, regions):
    with pytest.raises(RegionError, match="region"):
        extract(raster, regions)


def test_asking_for_regions_before_there_are_any_says_how_to_add_them(raster):
    cdb = CraterDatabase(worlds.table(0, 0, 1), "moon")
    with pytest.raises(RegionError, match="add_circles"):
        cdb.get_stats(raster, "rim")


def test_an_unknown_attribute_is_an_attribute_error_that_names_it(cdb):
    with pytest.raises(AttributeError, match="'rym'"):
        _ = cdb.rym
    assert not hasattr(cdb, "rym")


# Keywords


def test_unknown_keywords_are_type_errors(cdb, raster):
    calls = [
        lambda: cdb.add_circles("d", nverts=512),
        lambda: cdb.add_annuli("d", 1, 2, nverts=512),
        lambda: cdb.get_stats(raster, "c", nverts=512),
        lambda: cdb.get_arrays(raster, "c", nverts=512),
        lambda: CraterDatabase(worlds.table(0, 0, 1), "moon", nverts=512),
    ]
    for call in calls:
        with pytest.raises(TypeError, match="nverts"):
            call()
    assert list(cdb.regions) == ["c"]


def test_what_arrays_do_not_know_is_a_type_error(cdb, raster):
    with pytest.raises(TypeError, match="weights"):
        cdb.get_arrays(raster, "c", weights="area")


# Rasters


@pytest.mark.parametrize("code", ["IAU_2015:49900", "IAU_2015:49910", "EPSG:4326"])
def test_a_raster_of_another_body_is_refused_and_named(tmp_path, extract, code):
    grid = worlds.lonlat(1.0, crs=pyproj.CRS.from_user_input(code))
    path = worlds.write(tmp_path / "other.tif", grid, np.float64(1))
    with pytest.raises(CRSError, match=r"other\.tif.*Moon"):
        extract(path, "c")
    with rasterio.open(path) as dataset, pytest.raises(CRSError, match=r"other\.tif.*Moon"):
        extract(dataset, "c")


def test_a_body_of_ones_own_does_not_match_a_raster_of_another_size(tmp_path):
    cdb = CraterDatabase(worlds.table(0, 0, 20.0), Body("bennu", a=282.37, b=249.25))
    cdb.add_circles("c")
    path = worlds.write(tmp_path / "moon.tif", worlds.lonlat(1.0), np.float64(1))
    with pytest.raises(CRSError, match=r"moon\.tif.*bennu"):
        cdb.get_stats(path, "c")


def test_a_raster_without_a_crs_is_refused_with_the_way_out(tmp_path, cdb, extract):
    path = worlds.write(tmp_path / "bare.tif", worlds.lonlat(1.0), np.float64(4), crs=False)
    with pytest.raises(CRSError, match=r"bare\.tif.*raster_crs="):
        extract(path, "c")
    assert len(extract(path, "c", raster_crs="planetocentric")) == 2
    stats = cdb.get_stats(path, "c", "mean", raster_crs="IAU_2015:30100")
    assert stats["mean_c"].tolist() == [4, 4]


def test_a_given_crs_of_another_body_is_refused(tmp_path, extract):
    path = worlds.write(tmp_path / "bare.tif", worlds.lonlat(1.0), np.float64(4), crs=False)
    with pytest.raises(CRSError, match=r"raster_crs.*Mars"):
        extract(path, "c", raster_crs="IAU_2015:49900")


@pytest.mark.parametrize("crs", [True, False])
def test_a_raster_without_georeferencing_is_refused(tmp_path, extract, crs):
    grid = worlds.lonlat(1.0)
    path = worlds.write(tmp_path / "photo.tif", grid, np.float64(1), crs=crs, transform=False)
    with pytest.raises(CRSError, match=r"photo\.tif.*georeferenc"):
        extract(path, "c")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NotGeoreferencedWarning)
        dataset = rasterio.open(path)
    with dataset, pytest.raises(CRSError, match=r"photo\.tif.*georeferenc"):
        extract(dataset, "c")


@pytest.mark.parametrize("angle", [10.0, -45.0, 180.0])
def test_a_rotated_raster_shows_the_ground_that_its_affine_says(tmp_path, angle):
    grid = worlds.patch(20, 10, 0.5, 60)
    about = Affine.rotation(angle, pivot=(20.0, 10.0)) @ grid.transform
    rows, columns = np.indices(grid.shape)
    lon, lat = about @ (columns + 0.5, rows + 0.5)
    path = worlds.write(tmp_path / "turned.tif", replace(grid, transform=about), lon + 1000 * lat)
    cdb = CraterDatabase(worlds.table(21.3, 8.1, worlds.metres(4)), "moon")
    cdb.add_circles("c")
    stats = cdb.get_stats(path, "c", ["mean", "count"], coverage="center").iloc[0]
    inside = worlds.distance(21.3, 8.1, lon, lat) <= 4
    assert stats["count_c"] == inside.sum()
    assert stats["mean_c"] == pytest.approx((lon + 1000 * lat)[inside].mean())


def test_a_missing_raster_is_named(tmp_path, extract):
    for path in (tmp_path / "nowhere.tif", str(tmp_path / "nowhere.tif")):
        with pytest.raises(RasterError, match=r"nowhere\.tif") as caught:
            extract(path, "c")
        assert isinstance(caught.value, OSError)


@pytest.mark.parametrize("content", [b"", b"lat,lon,radius\n0,0,1\n", b"II*\0\x08\0\0\0"])
def test_a_file_that_is_no_raster_is_named(tmp_path, extract, content):
    path = tmp_path / "fake.tif"
    path.write_bytes(content)
    with pytest.raises(RasterError, match=r"fake\.tif"):
        extract(path, "c")


def test_a_directory_is_no_raster(tmp_path, extract):
    with pytest.raises(RasterError, match=re.escape(str(tmp_path))):
        extract(tmp_path, "c")


def test_a_closed_dataset_is_refused(raster, extract):
    with rasterio.open(raster) as dataset:
        pass
    with pytest.raises(RasterError, match=r"good\.tif.*closed"):
        extract(dataset, "c")


@pytest.mark.parametrize("rasters", [None, 5, [None], {"a": 5}])
def test_what_is_no_raster_is_a_type_error_that_says_what_is(extract, rasters):
    with pytest.raises(TypeError, match="path"):
        extract(rasters, "c")


@pytest.mark.parametrize("rasters", [[], {}, ()])
def test_no_raster_at_all_is_refused(extract, rasters):
    with pytest.raises(ArgumentError, match="rasters"):
        extract(rasters, "c")


def test_complex_numbers_are_refused(tmp_path, extract):
    path = worlds.write(
        tmp_path / "radar.tif", worlds.lonlat(1.0), np.float64(1), dtype="complex64"
    )
    with pytest.raises(RasterError, match=r"radar\.tif.*complex64"):
        extract(path, "c")


# Damage


def damaged(path, how):
    """Cut a file in half, or overwrite bytes near its end."""
    content = bytearray(path.read_bytes())
    if how == "truncated":
        del content[len(content) // 2 :]
    else:
        start = len(content) * 3 // 4
        content[start : start + len(content) // 8] = b"\xff" * (len(content) // 8)
    path.write_bytes(bytes(content))
    return path


@pytest.mark.parametrize("n_jobs", [1, 2])
@pytest.mark.parametrize("how", ["truncated", "overwritten"])
def test_a_damaged_raster_is_an_error_that_names_file_band_and_place(
    tmp_path, extract, how, n_jobs
):
    noise = np.random.default_rng(5).normal(size=(180, 360))
    path = worlds.write(
        tmp_path / "bad.tif", worlds.lonlat(1.0), noise, compress="deflate", block=32
    )
    damaged(path, how)
    with pytest.raises(RasterError, match=r"bad\.tif.*band 1.*rows (\d+) to (\d+)") as caught:
        extract(path, "c", n_jobs=n_jobs)
    first, last = map(int, re.search(r"rows (\d+) to (\d+)", str(caught.value)).groups())
    assert first <= 150 <= last + 4  # the southern crater's rows are 147 to 152


def test_a_damaged_raster_among_good_ones_gives_no_partial_result(tmp_path, raster, extract):
    noise = np.random.default_rng(5).normal(size=(180, 360))
    path = worlds.write(tmp_path / "bad.tif", worlds.lonlat(1.0), noise)
    damaged(path, "truncated")
    with pytest.raises(RasterError, match=r"bad\.tif"):
        extract([raster, path], "c")


def test_a_raster_that_is_truncated_in_its_header_cannot_be_opened(tmp_path, extract):
    path = worlds.write(tmp_path / "stub.tif", worlds.lonlat(1.0), np.float64(1))
    path.write_bytes(path.read_bytes()[:60])
    with pytest.raises(RasterError, match=r"stub\.tif"):
        extract(path, "c")


def test_the_library_still_works_after_an_error(tmp_path, cdb, raster):
    path = damaged(
        worlds.write(tmp_path / "bad.tif", worlds.lonlat(1.0), np.float64(1)), "truncated"
    )
    with pytest.raises(RasterError):
        cdb.get_stats(path, "c")
    assert cdb.get_stats(raster, "c", "mean")["mean_c"].tolist() == [1, 1]


# Everything is checked before a pixel is read


@pytest.mark.parametrize("trouble", ["crs", "missing", "body", "bands"])
def test_trouble_with_the_last_raster_is_found_before_the_first_is_read(
    tmp_path, cdb, raster, trouble
):
    grid = worlds.lonlat(1.0, crs=worlds.MARS_CRS if trouble == "body" else worlds.MOON_CRS)
    last = tmp_path / "last.tif"
    if trouble != "missing":
        worlds.write(last, grid, np.float64(1), crs=trouble != "crs")
    seen = []
    bands = {"bands": [1, 2]} if trouble == "bands" else {}
    first = worlds.write(tmp_path / "first.tif", worlds.lonlat(1.0), np.ones((2, 180, 360)))
    with pytest.raises(CraterkitError, match=r"last\.tif"):
        cdb.get_stats([first, last], "c", {"f": lambda values: seen.append(values) or 0}, **bands)
    assert seen == []


# Arguments of extraction


@pytest.mark.parametrize("value", ["touched", "ALL_TOUCHED", None, 1, True, ["center"]])
def test_other_coverages_are_refused_with_those_accepted(extract, raster, value):
    with pytest.raises(ArgumentError, match=r"coverage must.*'all_touched', 'center', 'fraction'"):
        extract(raster, "c", coverage=value)


@pytest.mark.parametrize("value", ["areas", "Area", True, 1, ["area"]])
def test_other_weights_are_refused(cdb, raster, value):
    with pytest.raises(ArgumentError, match="weights must"):
        cdb.get_stats(raster, "c", weights=value)


@pytest.mark.parametrize("value", [0, 1.5, "2", "all", True])
def test_other_numbers_of_threads_are_refused(extract, raster, value):
    with pytest.raises(ArgumentError, match=re.escape(f"not {value!r}")):
        extract(raster, "c", n_jobs=value)


@pytest.mark.parametrize("value", ["none", True, [1], 1j, (0, 1)])
def test_a_nodata_value_must_be_a_number(extract, raster, value):
    with pytest.raises(ArgumentError, match="nodata must"):
        extract(raster, "c", nodata=value)
    with pytest.raises(ArgumentError, match="nodata must"):
        extract({"dem": raster}, "c", nodata={"dem": value})


@pytest.mark.parametrize("argument", ["nodata", "raster_crs"])
def test_dicts_by_raster_name_rasters_that_were_given(extract, raster, argument):
    value = {"dme": 0 if argument == "nodata" else "planetocentric"}
    with pytest.raises(ArgumentError, match=rf"{argument}.*'dme'.*'dem'"):
        extract({"dem": raster}, "c", **{argument: value})
    with pytest.raises(ArgumentError, match=rf"{argument}.*'dme'"):
        extract(raster, "c", **{argument: value})


@pytest.mark.parametrize("bands", [0, 2, -1, "red", [1, 2]])
def test_a_band_that_the_raster_lacks_is_named_with_those_it_has(extract, raster, bands):
    wanted = bands[-1] if isinstance(bands, list) else bands
    with pytest.raises(CraterkitError, match=rf"good\.tif.*no band {wanted!r}.*bands are 1"):
        extract(raster, "c", bands=bands)


@pytest.mark.parametrize("bands", [[], None, 1.5, [1.5], [None], True])
def test_bands_must_be_numbers_or_descriptions(extract, raster, bands):
    with pytest.raises(CraterkitError, match="band") as caught:
        extract(raster, "c", bands=bands)
    assert isinstance(caught.value, ValueError)


def test_a_band_cannot_be_asked_for_twice(extract, raster):
    with pytest.raises(ArgumentError, match=r"bands.*twice"):
        extract(raster, "c", bands=[1, 1])


@pytest.mark.parametrize("value", ["no", "False", None, 2])
def test_scaled_must_be_true_or_false(extract, raster, value):
    with pytest.raises(ArgumentError, match="scaled"):
        extract(raster, "c", scaled=value)


# Statistics


@pytest.mark.parametrize(
    ("stats", "said"),
    [
        ("men", "'men'.*did you mean 'mean'"),
        (["mean", "p90"], "'p90'"),
        ("Mean", "'Mean'"),
        ("percentile_101", "'percentile_101'.*100"),
        ("percentile_-1", "'percentile_-1'"),
        ("percentile_", "'percentile_'"),
        (["mean", "std", "mean"], "'mean' twice"),
        ([], "no statistic"),
        ({}, "no statistic"),
        (None, "stats"),
        (5, "stats"),
        ([np.mean], "name"),
        ({"f": 3}, "'f'"),
        ({"": np.mean}, "name"),
        ({7: np.mean}, "7"),
    ],
)
def test_statistics_that_cannot_be_are_named(cdb, raster, stats, said):
    with pytest.raises(StatisticError, match=said):
        cdb.get_stats(raster, "c", stats)


def test_an_unknown_statistic_is_found_before_the_raster_is_opened(cdb, tmp_path):
    with pytest.raises(StatisticError, match="men"):
        cdb.get_stats(tmp_path / "nowhere.tif", "c", "men")


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_a_function_that_fails_is_named_with_the_row(tmp_path, n_jobs):
    path = worlds.write(tmp_path / "lat.tif", worlds.lonlat(1.0), lambda _, lat: lat)
    table = worlds.table([0, 0], [60, -60], metres(3))
    table.index = ["north", "south"]
    cdb = CraterDatabase(table, "moon")
    cdb.add_circles("c")

    def fussy(values):
        if values.mean() < 0:
            raise RuntimeError("too cold")
        return 1.0

    with pytest.raises(StatisticError, match=r"'fussy'.*'south'.*too cold") as caught:
        cdb.get_stats(path, "c", {"fussy": fussy}, n_jobs=n_jobs)
    assert isinstance(caught.value.__cause__, RuntimeError)


# Columns of the result


def test_a_result_that_clashes_with_a_column_of_the_table_is_refused(raster):
    table = worlds.table(0, 0, metres(3)).assign(mean_c=1.0, std_c=2.0, dem_c=3.0)
    cdb = CraterDatabase(table, "moon")
    cdb.add_circles("c")
    with pytest.raises(ArgumentError, match=r"'mean_c'.*'std_c'"):
        cdb.get_stats(raster, "c")
    with pytest.raises(ArgumentError, match="'dem_c'"):
        cdb.get_arrays({"dem": raster}, "c")
    assert cdb.get_stats({"dem": raster}, "c")["mean_dem_c"].tolist() == [1]


def test_results_cannot_be_put_back_in_and_overwritten(cdb, raster):
    again = CraterDatabase(cdb.get_stats(raster, "c"), "moon")
    again.add_circles("c")
    with pytest.raises(ArgumentError, match="mean_c"):
        again.get_stats(raster, "c")


def test_two_results_of_one_name_are_refused(cdb, raster):
    cdb.add_circles("x_c", 2)
    with pytest.raises(ArgumentError, match="'mean_a_x_c'"):
        cdb.get_stats({"a": raster, "a_x": raster}, ["c", "x_c"], "mean")


def test_a_raster_needs_a_name_in_a_dict(extract, raster):
    with pytest.raises(ArgumentError, match="name"):
        extract({"": raster}, "c")


# Choosing rows


@pytest.mark.parametrize("rows", [[True], [True, False, True], [0.5, 1.5], "c", 0, [[0, 1]]])
def test_rows_are_chosen_by_a_fitting_mask_a_slice_or_positions(cdb, rows):
    with pytest.raises(TableError):
        cdb[rows]


def test_a_mask_of_other_rows_is_refused(cdb):
    with pytest.raises(TableError, match="index"):
        cdb[pd.Series([True, False], index=["x", "y"])]


@pytest.mark.parametrize("source", [None, 5, b"x.tif"], ids=repr)
def test_what_is_no_raster_is_said(cdb, source):
    with pytest.raises(errors.RasterTypeError, match="must be a path"):
        cdb.get_stats(source, "c")
