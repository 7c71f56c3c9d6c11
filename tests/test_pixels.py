"""`get_pixels`: one row for each pixel, against statistics, arrays and plain geometry."""

from __future__ import annotations

import builtins

import numpy as np
import pandas as pd
import pytest

import worlds
from craterkit import CraterDatabase
from craterkit.errors import ArgumentError, OutsideRasterWarning
from craterkit.extraction import plan
from fields import CERES, MARS, MOON, OCENTRIC

GRID = worlds.lonlat(2.0)
RNG = np.random.default_rng(4)
VALUES = RNG.integers(-100, 100, GRID.shape).astype(np.int16)

#: In the open, on the seam, at both poles.
PLACES = worlds.table([10, 179, 45, -70], [5, -40, 89, -90], worlds.metres(9.3))
PLACES.index = ["open", "seam", "north", "south"]

ALL = ["feature", "region", "row", "col", "lon", "lat", "distance", "azimuth", "value", "weight"]


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pixels")
    return worlds.write(folder / "values.tif", GRID, VALUES, dtype="int16", nodata=7, block=16)


@pytest.fixture(scope="module")
def cdb():
    cdb = CraterDatabase(PLACES, "moon")
    cdb.add_annuli("rim", 0.5, 1)
    cdb.add_circles("floor", 0.5)
    return cdb


@pytest.mark.parametrize("coverage", ["all_touched", "center", "fraction"])
@pytest.mark.parametrize("weights", [None, "area"])
def test_groups_have_the_statistics_of_get_stats(cdb, path, coverage, weights):
    regions = ["rim", "floor"]
    pixels = cdb.get_pixels(path, regions, coverage=coverage, weights=weights)
    stats = cdb.get_stats(
        path, regions, ["mean", "count", "max"], coverage=coverage, weights=weights
    )
    for (region, feature), rows in pixels.groupby(["region", "feature"]):
        mean = np.average(rows["value"], weights=rows["weight"])
        np.testing.assert_allclose(stats.loc[feature, f"mean_{region}"], mean)
        assert stats.loc[feature, f"count_{region}"] == len(rows)
        assert stats.loc[feature, f"max_{region}"] == rows["value"].max()
    assert len(pixels) == stats["count_rim"].sum() + stats["count_floor"].sum()


def test_rows_are_the_pixels_of_the_raster_in_order(cdb, path):
    pixels = cdb.get_pixels(path, ["rim", "floor"])
    assert list(pixels.columns) == ALL
    np.testing.assert_array_equal(pixels["value"], VALUES[pixels["row"], pixels["col"]])
    assert pixels["value"].dtype == np.int16
    assert (pixels["value"] != 7).all()
    assert (pixels["weight"] == 1).all()
    region = pixels["region"].map({"rim": 0, "floor": 1})
    feature = pixels["feature"].map({name: i for i, name in enumerate(PLACES.index)})
    order = np.lexsort((pixels["col"], pixels["row"], feature, region))
    np.testing.assert_array_equal(order, np.arange(len(pixels)))
    assert not pixels.duplicated(["region", "feature", "row", "col"]).any()
    assert isinstance(pixels.index, pd.RangeIndex)


def test_values_are_those_of_get_arrays(cdb, path):
    arrays = cdb.get_arrays(path, "rim")["rim"]
    pixels = cdb.get_pixels(path, "rim", columns=["feature", "value"])
    for name, array in arrays.items():
        own = pixels["value"][pixels["feature"] == name]
        np.testing.assert_array_equal(np.sort(own), np.sort(array.compressed()))


@pytest.mark.parametrize("figure", [MOON, MARS, CERES], ids=lambda figure: figure.name)
def test_places_distances_and_azimuths(tmp_path, figure):
    crs = worlds.pyproj.CRS.from_user_input(OCENTRIC[figure.name])
    grid = worlds.lonlat(2.0, west=0.0, crs=crs)
    raster = worlds.write(tmp_path / "r.tif", grid, VALUES)
    table = PLACES.assign(radius_m=0.2 * figure.a)
    cdb = CraterDatabase(table, figure.name)
    cdb.add_circles("c")
    pixels = cdb.get_pixels(raster, "c", coverage="center")
    lon, lat = grid.lon[pixels["col"]], grid.lat[pixels["row"]]
    np.testing.assert_allclose(pixels["lon"], (lon + 180) % 360 - 180, atol=1e-9)
    np.testing.assert_allclose(pixels["lat"], lat, atol=1e-9)
    lon0, lat0 = (table.loc[pixels["feature"], name].to_numpy() for name in ("lon", "lat"))
    radius = 0.2 * figure.a
    far = figure.distance(lon0, lat0, lon, lat)
    np.testing.assert_allclose(pixels["distance"], far / radius, rtol=1e-9, atol=1e-12)
    # Forward from the centre one arrives at the pixel.
    end = [
        figure.ring(a, b, d * radius, [azimuth])
        for a, b, d, azimuth in zip(lon0, lat0, pixels["distance"], pixels["azimuth"], strict=True)
    ]
    end_lon, end_lat = (np.concatenate(axis) for axis in zip(*end, strict=True))
    np.testing.assert_allclose(figure.distance(end_lon, end_lat, lon, lat), 0, atol=1e-3)
    assert pixels["azimuth"].between(0, 360, inclusive="left").all()


def test_azimuths_are_clockwise_from_north(tmp_path):
    raster = worlds.write(tmp_path / "r.tif", GRID, VALUES)
    cdb = CraterDatabase(worlds.table(1, 1, worlds.metres(2.2)), "moon")
    cdb.add_annuli("r", 0.5, 1)
    pixels = cdb.get_pixels(raster, "r", coverage="center").set_index(["lon", "lat"])
    expected = {(1, 3): 0, (3, 1): 90, (1, -1): 180, (-1, 1): 270}
    for place, azimuth in expected.items():
        assert pixels.loc[place, "azimuth"] == pytest.approx(azimuth, abs=0.1)


class TestColumns:
    """Which columns, in which order."""

    @pytest.mark.parametrize(
        "columns", [["value", "feature"], "weight", ["azimuth"], ["col", "lat"]]
    )
    def test_they_are_picked_in_order(self, cdb, path, columns):
        picked = cdb.get_pixels(path, "rim", columns=columns, coverage="fraction", weights="area")
        whole = cdb.get_pixels(path, "rim", coverage="fraction", weights="area")
        wanted = [columns] if isinstance(columns, str) else columns
        pd.testing.assert_frame_equal(picked, whole[wanted])

    def test_weights_of_a_raster_choose_pixels_without_their_column(self, cdb, path):
        holes = np.where(VALUES > 0, 1.0, np.nan)
        values = cdb.get_pixels(path, "rim", columns="value", weights=holes)["value"]
        assert (values > 0).all()

    @pytest.mark.parametrize(
        ("columns", "message"),
        [
            (["values"], "unknown columns 'values'; known are 'feature', .*'value', 'weight'"),
            ([], "names no column"),
            (["lon", "lon"], "twice"),
        ],
    )
    def test_other_columns_are_refused(self, cdb, path, columns, message):
        with pytest.raises(ArgumentError, match=message):
            cdb.get_pixels(path, "rim", columns=columns)


class TestSeveralRasters:
    """A row is one pixel of all rasters."""

    def test_each_has_its_column(self, cdb, path, tmp_path):
        holes = np.where(VALUES % 3 == 0, np.nan, VALUES / 2)
        other = worlds.write(tmp_path / "half.tif", GRID, holes, dtype="float32", block=32)
        pixels = cdb.get_pixels([path, other], "rim")
        assert list(pixels.columns[8:]) == ["values", "half", "weight"]
        raw = VALUES[pixels["row"], pixels["col"]].astype(float)
        np.testing.assert_array_equal(pixels["values"], np.where(raw == 7, np.nan, raw))
        assert pixels["values"].dtype == np.float64
        assert pixels["half"].dtype == np.float32
        np.testing.assert_array_equal(pixels["half"], holes[pixels["row"], pixels["col"]])
        stats = cdb.get_stats([path, other], "rim", "count")
        assert pixels["values"].notna().sum() == stats["count_values_rim"].sum()
        assert pixels["half"].notna().sum() == stats["count_half_rim"].sum()

    def test_no_row_where_none_has_data(self, cdb, tmp_path):
        values = np.where(VALUES > 0, VALUES, np.nan)
        raster = worlds.write(tmp_path / "r.tif", GRID, np.stack([values, values]))
        pixels = cdb.get_pixels(raster, "rim", bands="all")
        assert list(pixels.columns[8:]) == ["b1", "b2", "weight"]
        assert (pixels["b1"] > 0).all()

    def test_other_grids_are_refused(self, cdb, path, tmp_path):
        other = worlds.lonlat(2.0, west=0.0)
        raster = worlds.write(tmp_path / "other.tif", other, VALUES)
        with pytest.raises(
            ArgumentError, match=r"other\.tif is not on the grid of .*90 pixels else"
        ):
            cdb.get_pixels([path, raster], "rim")

    @pytest.mark.parametrize("name", ["lon", "feature", "weight"])
    def test_names_of_other_columns_are_refused(self, cdb, path, name):
        with pytest.raises(ArgumentError, match=f"called '{name}'"):
            cdb.get_pixels({name: path}, "rim")


def test_scaled_values_are_physical(cdb, tmp_path):
    raster = worlds.write(tmp_path / "s.tif", GRID, VALUES, dtype="int16", scale=0.5, offset=10.0)
    for scaled, expected in ((True, VALUES * 0.5 + 10), (False, VALUES)):
        pixels = cdb.get_pixels(raster, "rim", scaled=scaled)
        np.testing.assert_array_equal(pixels["value"], expected[pixels["row"], pixels["col"]])
        assert pixels["value"].dtype == (np.float64 if scaled else np.int16)


def test_nothing_gives_an_empty_table(path, cdb):
    empty = cdb[:0].get_pixels(path, "rim")
    assert list(empty.columns) == ALL
    assert len(empty) == 0
    assert cdb.get_pixels(path, "rim", where={path: 1000}).dtypes["value"] == np.int16


def test_outside_is_warned_of(tmp_path):
    grid = worlds.patch(20.0, 10.0, 1.0, 30)
    raster = worlds.write(tmp_path / "part.tif", grid, np.ones(grid.shape))
    cdb = CraterDatabase(PLACES, "moon")
    cdb.add_circles("c")
    with pytest.warns(OutsideRasterWarning, match="3 ROIs lie outside") as caught:
        pixels = cdb.get_pixels(raster, "c")
    assert caught[0].filename == __file__
    assert set(pixels["feature"]) == {"open"}


def test_threads_and_chunks_change_nothing(cdb, path, monkeypatch):
    options = {"coverage": "fraction", "weights": "area"}
    whole = cdb.get_pixels(path, ["rim", "floor"], n_jobs=1, **options)
    monkeypatch.setattr(plan, "CHUNK_PIXELS", 1)
    pieces = cdb.get_pixels(path, ["rim", "floor"], n_jobs=2, **options)
    pd.testing.assert_frame_equal(pieces, whole, rtol=1e-9)


class TestParquet:
    """`out=`: the same rows in a file."""

    @pytest.mark.parametrize("chunk", [1, plan.CHUNK_PIXELS])
    def test_the_file_holds_the_table(self, cdb, path, tmp_path, monkeypatch, chunk):
        monkeypatch.setattr(plan, "CHUNK_PIXELS", chunk)
        out = tmp_path / "pixels.parquet"
        found = cdb.get_pixels(path, ["rim", "floor"], out=out)
        assert found == out
        assert [file.name for file in tmp_path.iterdir()] == ["pixels.parquet"]
        table = pd.read_parquet(out)
        whole = cdb.get_pixels(path, ["rim", "floor"])
        names = ["region", "feature", "row", "col"]
        table["region"] = table["region"].astype(str)
        pd.testing.assert_frame_equal(
            table.sort_values(names, ignore_index=True),
            whole.sort_values(names, ignore_index=True),
            check_dtype=False,
        )
        assert table["value"].dtype == np.int16

    def test_missing_values_are_nulls(self, cdb, path, tmp_path):
        import pyarrow.parquet as pq

        out = cdb.get_pixels(
            {"a": path, "b": path}, "rim", nodata={"b": -50}, out=tmp_path / "p.parquet"
        )
        table = pq.read_table(out)
        assert str(table.schema.field("a").type) == "int16"
        whole = cdb.get_pixels({"a": path, "b": path}, "rim", nodata={"b": -50})
        for name in ("a", "b"):
            assert table[name].null_count == whole[name].isna().sum() > 0

    def test_a_failure_leaves_what_was_there(self, cdb, path, tmp_path):
        out = cdb.get_pixels(path, "floor", out=tmp_path / "pixels.parquet")
        before = out.read_bytes()

        def fails(values):
            raise ValueError

        with pytest.raises(ArgumentError):
            cdb.get_pixels(path, "rim", out=out, where={path: fails})
        assert out.read_bytes() == before
        assert list(tmp_path.iterdir()) == [out]

    def test_pixels_that_were_there_are_replaced(self, cdb, path, tmp_path):
        out = cdb.get_pixels(path, "floor", out=tmp_path / "pixels.parquet")
        cdb.get_pixels(path, "rim", out=out)
        assert set(pd.read_parquet(out, columns=["region"])["region"]) == {"rim"}

    @pytest.mark.parametrize("out", ["pixels.csv", "nowhere/pixels.parquet", 5, True])
    def test_other_names_are_refused(self, cdb, path, tmp_path, monkeypatch, out):
        monkeypatch.chdir(tmp_path)
        with pytest.raises(ArgumentError, match="out"):
            cdb.get_pixels(path, "rim", out=out)
        assert not list(tmp_path.iterdir())

    @pytest.mark.parametrize(
        "index",
        [
            pd.period_range("2020-01", periods=4, freq="M"),
            pd.interval_range(0, 4),
            pd.CategoricalIndex(["b", "a", "b", "c"]),
            pd.Index([0.5, np.nan, 2.0, 0.5]),
            pd.date_range("2020", periods=4, tz="Europe/Berlin"),
        ],
        ids=lambda index: str(index.dtype),
    )
    def test_labels_come_back(self, path, tmp_path, index):
        cdb = CraterDatabase(PLACES.set_index(index), "moon")
        cdb.add_circles("c")
        columns = ["feature", "value"]
        table = pd.read_parquet(
            cdb.get_pixels(path, "c", out=tmp_path / "p.parquet", columns=columns)
        )
        whole = cdb.get_pixels(path, "c", columns=columns)
        assert table["feature"].dtype == index.dtype
        for label in index.unique():
            rows, expected = (
                frame["value"][
                    frame["feature"].isna() if pd.isna(label) else frame["feature"] == label
                ]
                for frame in (table, whole)
            )
            assert sorted(rows) == sorted(expected) != []

    def test_without_pyarrow_it_says_how_to_get_it(self, cdb, path, tmp_path, monkeypatch):
        original = builtins.__import__

        def without(name, *arguments, **options):
            if name.startswith("pyarrow"):
                raise ImportError(name)
            return original(name, *arguments, **options)

        monkeypatch.setattr(builtins, "__import__", without)
        with pytest.raises(ArgumentError, match=r"craterkit\[parquet\]"):
            cdb.get_pixels(path, "rim", out=tmp_path / "p.parquet")
