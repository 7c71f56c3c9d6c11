"""Values of pixels, areas and features through time, against plain NumPy and loops of `get_stats`."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import rasterio
from hypothesis import given
from hypothesis import strategies as st

import worlds
from craterkit import CraterDatabase, PixelSelection, plot_series
from craterkit.errors import ArgumentError, RasterError, UnreadableWarning
from craterkit.series import large_series, reading

GRID = worlds.lonlat(2.0)
WEEKS = 52
DATES = pd.date_range("2024-01-01", periods=WEEKS, freq="7D")
RNG = np.random.default_rng(5)
VALUES = RNG.integers(-500, 500, (WEEKS, *GRID.shape)).astype(np.int16)


def scattered(count=250, seed=1):
    mask = np.zeros(GRID.shape, dtype=np.uint8)
    mask.ravel()[np.random.default_rng(seed).choice(mask.size, count, replace=False)] = 1
    return mask


MASK = scattered()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("weeks")


@pytest.fixture(scope="module")
def weeks(folder):
    """52 rasters in different block layouts, as the weeks of a year."""
    paths = []
    for week, values in enumerate(VALUES):
        path = folder / f"t_{DATES[week]:%Y-%m-%d}.tif"
        paths.append(
            worlds.write(path, GRID, values, dtype="int16", block=(None, 16, 32)[week % 3])
        )
    return paths


@pytest.fixture(scope="module")
def selection(folder):
    path = worlds.write(folder / "mask.tif", GRID, MASK, dtype="uint8", block=16)
    return PixelSelection.from_raster(path, value=1)


class TestPixels:
    """`PixelSelection.get_series`."""

    def test_52_weeks_of_250_pixels(self, selection, weeks):
        series = selection.get_series(weeks)
        expected = np.vstack([values[MASK == 1] for values in VALUES])
        assert series.shape == (52, 250)
        assert (series.dtypes == np.int16).all()
        np.testing.assert_array_equal(series.to_numpy(), expected)
        assert series.index.tolist() == DATES.tolist()
        assert series.attrs["times_from"] == "names"

    def test_threads_give_the_same_bytes(self, selection, weeks):
        one, two = (selection.get_series(weeks, n_jobs=jobs).to_numpy() for jobs in (1, 2))
        assert one.tobytes() == two.tobytes()

    @given(
        share=st.floats(0.0, 1.0),
        seed=st.integers(0, 100),
        limit=st.sampled_from([1, 50, 1000, 1 << 22]),
    )
    def test_any_selection_is_what_numpy_gives(self, weeks, share, seed, limit):
        mask = np.random.default_rng(seed).random(GRID.shape) < share
        few = PixelSelection.from_array(mask, grid=weeks[0])
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(reading, "WINDOW_PIXELS", limit)
            series = few.get_series(weeks[:4])
        np.testing.assert_array_equal(series.to_numpy(), VALUES[:4, mask])

    def test_only_blocks_with_pixels_are_read(self, folder, monkeypatch):
        path = worlds.write(folder / "blocks.tif", GRID, VALUES[0], dtype="int16", block=16)
        mask = np.zeros(GRID.shape, dtype=bool)
        mask[3:5, 20:22] = mask[50, 100] = True
        seen = []
        read = reading.read_window

        def noted(raster, bands, window, *args, **options):
            seen.append(window)
            return read(raster, bands, window, *args, **options)

        monkeypatch.setattr(reading, "read_window", noted)
        PixelSelection.from_array(mask, grid=path).get_series([path], times=[0])
        assert sorted(window.shape for window in seen) == [(1, 1), (2, 2)]

    def test_columns_may_carry_places(self, selection, weeks):
        columns = selection.get_series(weeks[:2], coordinates=True).columns
        assert columns.names == ["row", "col", "lon", "lat"]
        row, col = np.nonzero(MASK)
        np.testing.assert_array_equal(columns.get_level_values("row"), row)
        np.testing.assert_allclose(columns.get_level_values("lon"), GRID.lon[col])
        np.testing.assert_allclose(columns.get_level_values("lat"), GRID.lat[row])

    def test_missing_values_become_nan_and_only_then_floats(self, folder, selection):
        holes = VALUES[0].copy()
        holes[MASK == 1] = np.arange(250)
        with_nodata = worlds.write(folder / "n.tif", GRID, holes, dtype="int16", nodata=7)
        without = worlds.write(folder / "o.tif", GRID, VALUES[1], dtype="int16")
        series = selection.get_series([with_nodata, without], times=["a", "b"])
        assert (series.dtypes == np.float64).all()
        expected = np.where(np.arange(250) == 7, np.nan, np.arange(250))
        np.testing.assert_array_equal(series.loc["a"], expected)
        np.testing.assert_array_equal(series.loc["b"], VALUES[1][MASK == 1])
        kept = selection.get_series([with_nodata, without], times=["a", "b"], nodata=-9999)
        assert (kept.dtypes == np.int16).all()

    def test_scale_and_offset(self, folder, selection):
        path = worlds.write(folder / "s.tif", GRID, VALUES[0], dtype="int16", scale=0.5, offset=3)
        scaled = selection.get_series([path], times=[1])
        np.testing.assert_array_equal(scaled.loc[1], VALUES[0][MASK == 1] * 0.5 + 3)
        raw = selection.get_series([path], times=[1], scaled=False)
        np.testing.assert_array_equal(raw.loc[1], VALUES[0][MASK == 1])

    @pytest.mark.parametrize("interleave", ["band", "pixel"])
    def test_bands_are_times(self, folder, selection, interleave):
        path = folder / f"{interleave}.tif"
        with rasterio.open(
            path,
            "w",
            driver="GTiff",
            width=GRID.shape[1],
            height=GRID.shape[0],
            count=5,
            dtype="int16",
            crs=rasterio.CRS.from_wkt(GRID.crs.to_wkt()),
            transform=GRID.transform,
            interleave=interleave,
        ) as file:
            file.write(VALUES[:5])
        series = selection.get_series(path, times=range(5))
        np.testing.assert_array_equal(series.to_numpy(), VALUES[:5, MASK == 1])
        few = selection.get_series(path, bands=[4, 2], times=[0, 1])
        np.testing.assert_array_equal(few.to_numpy(), VALUES[[3, 1]][:, MASK == 1])


class TestOtherGrids:
    """`align=`."""

    @staticmethod
    def field(lon, lat):
        return 3.0 * lat + 2.0 * np.minimum(lon % 360, 360 - lon % 360)

    @pytest.mark.parametrize("west", [-180.0, 0.0])
    def test_nearest_and_bilinear(self, folder, west):
        fine = worlds.lonlat(0.5, west)
        path = worlds.write(folder / f"fine_{west}.tif", fine, self.field(*fine.mesh))
        mask = np.abs(GRID.mesh[1]) < 80
        pixels = PixelSelection.from_array(mask, grid=worlds.write(folder / "g.tif", GRID, MASK))
        exact = self.field(pixels.lon, pixels.lat)
        bilinear = pixels.get_series([path], times=[0], align="bilinear").to_numpy()[0]
        # The field is linear but for the kinks at 0 and 180 degrees.
        smooth = (np.abs(pixels.lon) > 1) & (np.abs(pixels.lon) < 179)
        np.testing.assert_allclose(bilinear[smooth], exact[smooth], atol=1e-9)
        np.testing.assert_allclose(bilinear, exact, atol=1.1)
        nearest = pixels.get_series([path], times=[0], align="nearest").to_numpy()[0]
        assert np.abs(nearest - exact).max() <= (3.0 + 2.0) * 0.25 + 1e-9

    def test_pixels_off_the_other_raster_are_missing(self, folder):
        part = worlds.patch(11.0, 21.0, 1.0, 6)
        values = np.arange(36.0).reshape(6, 6)
        values[0, 0] = np.nan
        path = worlds.write(folder / "part.tif", part, values, nodata=np.nan)
        grid = worlds.write(folder / "g.tif", GRID, MASK)
        pixels = PixelSelection.from_points([9.0, 13.0, 40.0], [23.0, 19.0, 23.0], grid)
        nearest, bilinear = (
            pixels.get_series([path], times=[0], align=align).to_numpy()[0]
            for align in ("nearest", "bilinear")
        )
        np.testing.assert_array_equal(nearest, [7.0, np.nan, 35.0])
        np.testing.assert_array_equal(bilinear, [np.nan, np.nan, 31.5])

    def test_other_grids_are_refused_before_anything_is_read(
        self, folder, selection, weeks, monkeypatch
    ):
        other = worlds.write(folder / "shifted.tif", worlds.lonlat(2.0, 1.0), VALUES[0])
        monkeypatch.setattr(reading, "read_window", None)
        with pytest.raises(
            ArgumentError, match=r"shifted\.tif is not on the grid of .*mask\.tif: its aff"
        ):
            selection.get_series([*weeks[:3], other], times=range(4))


class TestBadInput:
    """Errors that name what is wrong."""

    def test_unequal_numbers(self, selection, weeks):
        with pytest.raises(ArgumentError, match="3"):
            selection.get_series(weeks[:3], times=[1, 2])

    def test_a_missing_file_is_named_or_flagged(self, selection, weeks, folder):
        gone = folder / "gone.tif"
        with pytest.raises(RasterError, match=r"gone\.tif"):
            selection.get_series([*weeks[:2], gone], times=range(3))
        with pytest.warns(UnreadableWarning, match=r"1 of 3 layers .*gone\.tif") as caught:
            series = selection.get_series([*weeks[:2], gone], times=range(3), errors="flag")
        assert caught[0].filename == __file__
        assert list(series.attrs["craterkit"]["unreadable"]) == [str(gone)]
        assert series.loc[2].isna().all()
        np.testing.assert_array_equal(series.loc[0], VALUES[0][MASK == 1])

    def test_a_corrupt_file_is_named_or_flagged(self, selection, weeks, folder):
        whole = worlds.write(
            folder / "c.tif", GRID, VALUES[0], dtype="int16", block=16, compress="deflate"
        )
        data = bytearray(whole.read_bytes())
        data[len(data) // 2 : len(data) // 2 + 4000] = b"\xff" * 4000
        (folder / "corrupt.tif").write_bytes(data)
        rasters = [weeks[0], folder / "corrupt.tif"]
        with pytest.raises(RasterError, match=r"corrupt\.tif: band 1 cannot be read"):
            selection.get_series(rasters, times=range(2))
        with pytest.warns(UnreadableWarning, match=r"1 of 2 layers have blocks .*corrupt\.tif"):
            series = selection.get_series(rasters, times=range(2), errors="flag")
        assert list(series.attrs["craterkit"]["unreadable"]) == [str(rasters[1])]
        missing = series.loc[1].isna()
        assert 0 < missing.sum() < 250
        np.testing.assert_array_equal(series.loc[1][~missing], VALUES[0][MASK == 1][~missing])

    def test_places_are_compared_even_if_the_body_is_not_known(self, tmp_path):
        unknown = worlds.pyproj.CRS.from_wkt(
            worlds.MOON_CRS.to_wkt().replace("Moon", "X").replace("1737400", "1700000")
        )
        here, east = (worlds.lonlat(2.0, west, unknown) for west in (-180.0, -178.0))
        mask = worlds.write(tmp_path / "mask.tif", here, MASK, dtype="uint8")
        same = worlds.write(tmp_path / "same.tif", here, VALUES[0], dtype="int16")
        other = worlds.write(tmp_path / "other.tif", east, VALUES[0], dtype="int16")
        pixels = PixelSelection.from_raster(mask, value=1)
        assert pixels.body is None
        found = pixels.get_series([same], times=[0]).to_numpy()
        np.testing.assert_array_equal(found, VALUES[:1, MASK == 1])
        with pytest.raises(
            ArgumentError, match=r"other\.tif is not on the grid of .*mask\.tif: its affine"
        ):
            pixels.get_series([same, other], times=[0, 1])

    @pytest.mark.parametrize(("name", "value"), [("align", "cubic"), ("errors", "ignore")])
    def test_arguments_that_cannot_be(self, selection, weeks, name, value):
        with pytest.raises(ArgumentError, match=name):
            selection.get_series(weeks[:2], **{name: value})

    def test_large_integers_and_gaps(self, folder):
        values = np.full(GRID.shape, 2**60 + 1, dtype=np.int64)
        values[0, 0] = 5
        path = worlds.write(folder / "large.tif", GRID, values, dtype="int64")
        mask = np.zeros(GRID.shape, dtype=bool)
        mask[0, :2] = True
        pixels = PixelSelection.from_array(mask, grid=path)
        assert pixels.get_series([path], times=[0]).to_numpy().tolist() == [[5, 2**60 + 1]]
        with pytest.raises(ArgumentError, match=r"beyond 2\*\*53"):
            pixels.get_series([path], times=[0], nodata=5)


class TestStatistics:
    """Tables of areas and features."""

    def test_areas(self, weeks):
        mask = np.zeros(GRID.shape, dtype=bool)
        mask[10:13, 20:30] = mask[40:42, -2:] = mask[40:42, :3] = True
        pixels = PixelSelection.from_array(mask, grid=weeks[0])
        table = pixels.get_stats(weeks[:3], ["mean", "count", "median"])
        assert list(table) == ["area", "time", "mean", "count", "median"]
        assert len(table) == 2 * 3
        for (area, week), row in table.set_index(["area", "time"]).iterrows():
            number = list(DATES).index(week)
            values = VALUES[number][mask][pixels.labels == area]
            assert row["count"] == values.size
            np.testing.assert_allclose(
                [row["mean"], row["median"]], [values.mean(), np.median(values)]
            )
        whole = pixels.get_stats(weeks[:3], ["mean", "count"], by="all")
        assert list(whole) == ["time", "mean", "count"]
        np.testing.assert_allclose(whole["mean"], VALUES[:3, mask].mean(axis=1))

    def test_areas_weighed_by_ground(self, weeks):
        mask = np.zeros(GRID.shape, dtype=bool)
        mask[:, 7] = True
        pixels = PixelSelection.from_array(mask, grid=weeks[0])
        found = pixels.get_stats(weeks[:1], "mean", weights="area")["mean"]
        expected = np.average(VALUES[0][:, 7], weights=np.cos(np.radians(GRID.lat)))
        np.testing.assert_allclose(found, expected)

    @pytest.mark.parametrize(
        "options",
        [
            {},
            {"coverage": "fraction", "weights": "area"},
            {"exclude": "neighbors", "stats": ["median", "count"]},
            {"flags": True},
        ],
        ids=str,
    )
    def test_features_are_a_loop_of_get_stats(self, weeks, options):
        cdb = features()
        table = cdb.get_series(weeks[:7], ["rim", "floor"], **options)
        assert len(table) == len(cdb) * 2 * 7
        for week, path in enumerate(weeks[:7]):
            for region in ("rim", "floor"):
                expected = cdb.get_stats(path, region, **options)
                own = table[(table["time"] == DATES[week]) & (table["region"] == region)]
                assert own["feature"].tolist() == list(cdb.data.index)
                for name in own.columns[3:]:
                    np.testing.assert_array_equal(own[name], expected[f"{name}_{region}"])

    def test_a_missing_layer_is_nan(self, weeks, folder):
        cdb = features()
        rasters = [weeks[0], folder / "gone.tif", weeks[2]]
        with pytest.warns(UnreadableWarning, match=r"gone\.tif") as caught:
            table = cdb.get_series(rasters, "rim", times=[0, 1, 2], errors="flag")
        assert caught[0].filename == __file__
        lacking = table["time"] == 1
        assert table.loc[lacking, "mean"].isna().all()
        assert (table.loc[lacking, "count"] == 0).all()
        assert table.loc[~lacking, "mean"].notna().all()

    def test_footprints_are_found_once(self, folder, monkeypatch):
        from craterkit.footprints.joined import JoinedRegions

        paths = [
            worlds.write(folder / f"once_{week}.tif", GRID, VALUES[week], dtype="int16")
            for week in range(10)
        ]
        calls = []
        footprints = JoinedRegions.footprints

        def counted(self, *args):
            calls.append(args)
            return footprints(self, *args)

        monkeypatch.setattr(JoinedRegions, "footprints", counted)
        features().get_series(paths, "rim", times=range(10))
        first = len(calls)
        features().get_series(paths[:1], "rim", times=range(1))
        assert first == len(calls) - first


def features():
    cdb = CraterDatabase(
        worlds.table([10, 179, 45, -70], [5, -40, 89, -90], worlds.metres(9.3)), "moon"
    )
    cdb.add_annuli("rim", 0.5, 1)
    cdb.add_circles("floor", 0.5)
    return cdb


class TestLarge:
    """Stacks that need not fit in memory."""

    @pytest.mark.parametrize("together", [1 << 20, 17])
    def test_a_file_has_a_row_a_pixel(self, selection, weeks, tmp_path, together, monkeypatch):
        monkeypatch.setattr(large_series, "GROUP_PIXELS", together)
        path = selection.get_series(weeks, out=tmp_path / "s.parquet")
        table = pd.read_parquet(path)
        row, col = np.nonzero(MASK)
        np.testing.assert_array_equal(table[["row", "col"]], np.stack([row, col], axis=1))
        np.testing.assert_allclose(table["lat"], GRID.lat[row])
        np.testing.assert_array_equal(table["area"], selection.labels)
        values = table.iloc[:, 5:]
        assert values.shape == (250, 52)
        assert (values.dtypes == np.int16).all()
        np.testing.assert_array_equal(values.T, VALUES[:, MASK == 1])
        assert values.columns[0] == "2024-01-01 00:00:00"

    def test_missing_values_in_files(self, folder, selection, tmp_path):
        path = worlds.write(folder / "gaps.tif", GRID, VALUES[0], dtype="int16", nodata=7)
        out = selection.get_series([path], times=["a"], out=tmp_path / "s.parquet")
        expected = VALUES[0][MASK == 1].astype(float)
        np.testing.assert_array_equal(
            pd.read_parquet(out)["a"], np.where(expected == 7, np.nan, expected)
        )

    def test_files_of_others_are_not_replaced(self, selection, weeks, tmp_path):
        out = tmp_path / "mine.parquet"
        pd.DataFrame({"a": [1]}).to_parquet(out)
        with pytest.raises(ArgumentError, match="does not come from get_series"):
            selection.get_series(weeks[:1], out=out)

    @pytest.mark.parametrize("chunks", [None, 5, 100])
    def test_labelled_arrays(self, selection, weeks, chunks):
        if chunks:
            pytest.importorskip("dask.array")
        array = selection.to_xarray(weeks, chunks=chunks)
        assert (array.chunks is None) == (chunks is None)
        np.testing.assert_array_equal(array, VALUES[:, MASK == 1])
        np.testing.assert_array_equal(array["col"], selection.cols)
        assert array["time"].to_index().tolist() == DATES.tolist()
        np.testing.assert_array_equal(array.sel(time="2024-01-15"), VALUES[2, MASK == 1])

    def test_chunks_that_cannot_be(self, selection, weeks):
        with pytest.raises(ArgumentError, match="chunks"):
            selection.to_xarray(weeks, chunks=0)


def legend_of(axes):
    return [text.get_text() for text in axes.get_legend().get_texts()]


class TestPlot:
    """`plot_series`."""

    @pytest.fixture(autouse=True)
    def close_figures(self):
        from matplotlib import pyplot as plt

        yield
        plt.close("all")

    def test_pixels_one_by_one_with_gaps(self):
        series = pd.DataFrame({0: [1.0, np.nan, 3.0], 1: [4.0, 5.0, 6.0]}, index=DATES[:3])
        axes = plot_series(series)
        first, second = (line.get_ydata() for line in axes.lines)
        np.testing.assert_array_equal(first, series[0])
        np.testing.assert_array_equal(second, series[1])
        assert axes.get_xlabel() == "time"

    def test_many_are_shaded(self):
        series = pd.DataFrame(np.arange(300.0).reshape(3, 100))
        series.loc[1] = np.nan
        axes = plot_series(series, most=50)
        (median,) = axes.lines
        np.testing.assert_array_equal(median.get_ydata(), [49.5, np.nan, 249.5])
        assert len(axes.collections) == 1

    def test_a_statistic_of_features(self, weeks):
        table = features().get_series(weeks[:3], ["rim"], ["mean", "median"])
        axes = plot_series(table, "median")
        assert len(axes.lines) == 4
        own = table[table["feature"] == table["feature"][0]]["median"]
        np.testing.assert_array_equal(axes.lines[0].get_ydata(), own)
        assert axes.get_ylabel() == "median"

    def test_what_cannot_be_drawn(self, weeks):
        table = features().get_series(weeks[:2], "rim", "mean")
        with pytest.raises(ArgumentError, match="no column 'mode'"):
            plot_series(table, "mode")
        with pytest.raises(ArgumentError, match="nothing to draw"):
            plot_series(pd.DataFrame(index=DATES))
        for other in (None, [1, 2], np.zeros((2, 2))):
            with pytest.raises(ArgumentError, match=r"series must be a table or array .*, not "):
                plot_series(other)
        with pytest.raises(ArgumentError, match="not all of it are numbers"):
            plot_series(pd.DataFrame({0: ["a", "b"]}))

    def test_labelled_arrays_are_drawn_as_tables_are(self, selection, weeks):
        xr = pytest.importorskip("xarray")
        array = selection.to_xarray(weeks[:3])[:, :4]
        for either in (array, array.T):
            axes = plot_series(either)
            np.testing.assert_array_equal([line.get_ydata() for line in axes.lines], array.T)
            np.testing.assert_array_equal(axes.lines[0].get_xdata(), DATES[:3])
        mean = plot_series(array.mean("pixel"))
        np.testing.assert_array_equal(mean.lines[0].get_ydata(), array.mean("pixel"))
        assert legend_of(plot_series(array, by="area")) == [
            str(area) for area in array["area"].data
        ]
        with pytest.raises(ArgumentError, match=r"by: no series has a 'colour'; they have .*'row'"):
            plot_series(array, by="colour")
        with pytest.raises(
            ArgumentError, match="dimension time and at most one more, not 'x', 'y'"
        ):
            plot_series(xr.DataArray(np.zeros((2, 2)), dims=("x", "y")))

    def test_features_of_one_index_are_drawn_apart(self, weeks):
        table = features().get_series(weeks[:3], "rim", "mean")
        apart = [line.get_ydata() for line in plot_series(table).lines]
        twins = table.assign(
            feature=np.where(table["feature"] == table["feature"].iloc[-1], "b", "a")
        )
        axes = plot_series(twins)
        np.testing.assert_array_equal([line.get_ydata() for line in axes.lines], apart)
        assert legend_of(axes) == ["a, 1", "a, 2", "a, 3", "b, 1"]

    def test_series_of_one_label_share_a_colour_and_a_legend_entry(self):
        series = pd.DataFrame(np.arange(12.0).reshape(3, 4), index=DATES[:3])
        for labels in (
            ["x", "y", "x", "y"],
            pd.Series([7, 3, 7, 3], name="area"),
            np.array([1, 0] * 2),
        ):
            axes = plot_series(series, by=labels)
            colours = [line.get_color() for line in axes.lines]
            assert colours == [colours[0]] * 2 + [colours[2]] * 2
            assert colours[0] != colours[2]
            drawn = [line.get_ydata() for line in axes.lines]
            np.testing.assert_array_equal(drawn, series[[0, 2, 1, 3]].T)
            assert legend_of(axes) == [str(label) for label in labels[:2]]

    def test_a_label_with_many_series_is_a_median_and_a_shade(self):
        values = np.random.default_rng(1).normal(size=(3, 61))
        labels = np.repeat([5, 2, 9], [40, 20, 1])
        axes = plot_series(pd.DataFrame(values), by=labels)
        assert legend_of(axes) == ["5 (n = 40)", "2 (n = 20)", "9"]
        for line, label in zip(axes.lines, (5, 2, 9), strict=True):
            own = values[:, labels == label]
            np.testing.assert_allclose(line.get_ydata(), np.median(own, axis=1))
        for shade, label in zip(axes.collections, (5, 2), strict=True):
            low, high = np.percentile(values[:, labels == label], [5, 95], axis=1)
            y = shade.get_paths()[0].vertices[:, 1]
            assert (y.min(), y.max()) == (pytest.approx(low.min()), pytest.approx(high.max()))

    def test_labels_may_be_named(self, selection, weeks):
        table = features().get_series(weeks[:3], ["rim"], "mean")
        assert legend_of(plot_series(table, by="region")) == ["rim"]
        series = selection.get_series(weeks[:3], coordinates=True).iloc[:, :3]
        assert legend_of(plot_series(series, by="row")) == [
            str(row) for row in dict.fromkeys(selection.rows[:3].tolist())
        ]

    def test_times_are_in_order(self, weeks):
        ordered = pd.DataFrame({0: [1.0, 2.0, 3.0], 1: [5.0, 4.0, 6.0]}, index=DATES[:3])
        axes = plot_series(ordered.iloc[[2, 0, 1]])
        np.testing.assert_array_equal([line.get_ydata() for line in axes.lines], ordered.T)
        np.testing.assert_array_equal(axes.lines[0].get_xdata(), DATES[:3])
        table = features().get_series(weeks[:4], "rim", "mean")
        straight, shuffled = plot_series(table), plot_series(table[::-1])
        for line, own in zip(straight.lines, shuffled.lines[::-1], strict=True):
            np.testing.assert_array_equal(own.get_xydata(), line.get_xydata())

    @pytest.mark.parametrize("count", [2, 7, 15, 20])
    def test_single_series_are_told_apart_and_explained(self, count):
        series = pd.DataFrame(np.arange(3.0 * count).reshape(3, count), index=DATES[:3])
        series.columns = [f"$\\frac$ {number}" for number in range(count)]
        axes = plot_series(series)
        assert legend_of(axes) == list(series)
        assert len({(line.get_color(), line.get_linestyle()) for line in axes.lines}) == count
        axes.figure.canvas.draw()
        beside = axes.get_legend().get_window_extent().x0 >= axes.get_window_extent().x1
        assert beside == (count > 6)

    def test_more_series_than_looks_are_counted(self):
        assert legend_of(plot_series(pd.DataFrame(np.ones((3, 40))), most=50)) == ["40 series"]

    @pytest.mark.parametrize("count", [1, 3])
    def test_series_without_values_show_their_times(self, count):
        from matplotlib import dates

        axes = plot_series(pd.DataFrame({0: [np.nan] * count}, index=DATES[:count]))
        axes.figure.canvas.draw()
        low, high = axes.get_xlim()
        first, last = dates.date2num([DATES[0], DATES[count - 1]])
        assert low < first <= last < high
        assert high < last + 3000
        assert [text.get_text() for text in axes.texts] == ["no data"]

    def test_what_fails_leaves_no_figure(self):
        from matplotlib import pyplot as plt
        from matplotlib.figure import Figure

        before = plt.get_fignums()
        for error, message, kwargs in (
            (TypeError, r"nosuch.* are for matplotlib\.axes\.Axes\.plot", {"nosuch": 1}),
            (ArgumentError, "nocolor", {"color": "nocolor"}),
            (ArgumentError, "most must be", {"most": "a"}),
            (ArgumentError, "rectangular", {"ax": Figure().add_subplot(projection="polar")}),
        ):
            with pytest.raises(error, match=message):
                plot_series(pd.DataFrame(np.ones((3, 2))), **kwargs)
        assert plt.get_fignums() == before

    @pytest.mark.parametrize(
        ("labels", "message"),
        [
            ([1, 2], "by has 2 labels for 40 series"),
            (range(40), "40 different labels, of which 32 can be told apart"),
            ([None] * 40, "the label at position 0 is missing"),
            ("area", "no series has a 'area'; they have no names"),
            (7, "one label for each series, or a name, not 7"),
        ],
    )
    def test_labels_that_cannot_be(self, labels, message):
        with pytest.raises(ArgumentError, match=message):
            plot_series(pd.DataFrame(np.zeros((2, 40))), by=labels)
