"""Statistics of selections through time: flags, what has no place, names, and what cannot be read."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from affine import Affine

import worlds
from craterkit import CraterDatabase, PixelSelection
from craterkit.errors import (
    ArgumentError,
    CRSError,
    OutsideRasterWarning,
    UnreadableWarning,
)
from craterkit.flags import Flag

GRID = worlds.lonlat(10.0)
VALUES = np.arange(648).reshape(GRID.shape)


def areas():
    """Pixels at the north pole, in the middle, across the seam, and along the south pole."""
    mask = np.zeros(GRID.shape, dtype=bool)
    mask[0, 3] = mask[6:13, 10:19] = mask[3:5, :2] = mask[3:5, -2:] = mask[17, 20:30] = True
    return mask


@pytest.fixture
def path(tmp_path):
    return worlds.write(tmp_path / "first.tif", GRID, VALUES, dtype="int16")


@pytest.fixture
def pixels(path):
    return PixelSelection.from_array(areas(), grid=path)


def corrupted(tmp_path):
    """A raster in strips of three rows, of which the middle ones are spoilt."""
    rng = np.random.default_rng(2)
    path = worlds.write(
        tmp_path / "spoilt.tif",
        GRID,
        rng.integers(0, 1000, GRID.shape),
        dtype="int16",
        block=16,
        compress="deflate",
    )
    data = bytearray(path.read_bytes())
    data[len(data) // 2 - 20 : len(data) // 2 + 20] = b"\xff" * 40
    path.write_bytes(data)
    return path


class TestFlags:
    """Quality flags of chosen pixels."""

    def test_where_areas_lie(self, pixels, path):
        table = pixels.get_stats([path], "flags", times=[0])
        few, pole, seam = Flag.FEW_PIXELS, Flag.TOUCHES_POLE, Flag.CROSSES_SEAM
        # In the order of first pixels: north pole, seam (4 columns wide), middle, south pole.
        assert table["flags"].tolist() == [few | pole, few | seam, 0, pole]
        whole = pixels.get_stats([path], "flags", "all", times=[0])
        assert whole["flags"].tolist() == [pole | seam]

    def test_a_pole_on_a_polar_map_is_a_point(self, tmp_path):
        crs = worlds.pyproj.CRS.from_user_input("IAU_2015:30135")
        shape, size = (20, 20), 1e4
        grid = worlds.Grid(
            shape, Affine(size, 0, -10 * size, 0, -size, 10 * size), crs, np.zeros(20), np.zeros(20)
        )
        path = worlds.write(tmp_path / "polar.tif", grid, np.ones(shape))
        mask = np.zeros(shape, dtype=bool)
        mask[9:16, 9:16] = mask[0:7, 0:7] = mask[0:7, 10:17] = True
        found = PixelSelection.from_array(mask, grid=path).get_stats([path], "flags", times=[0])
        assert found["flags"].tolist() == [0, 0, Flag.TOUCHES_POLE]

    def test_masked_pixels(self, tmp_path, pixels):
        path = worlds.write(
            tmp_path / "n.tif", GRID, np.where(VALUES < 200, -1, VALUES), dtype="int16", nodata=-1
        )
        flags = pixels.get_stats([path], ["flags", "count"], times=[0])
        assert [Flag.ALL_MASKED in Flag(flag) for flag in flags["flags"]] == [
            True,
            True,
            False,
            False,
        ]
        assert flags["count"].tolist() == [0, 0, 63, 10]

    @pytest.mark.parametrize("by", ["area", "all"])
    def test_what_cannot_be_read_is_flagged_and_named(self, tmp_path, pixels, path, by):
        rasters = [path, tmp_path / "gone.tif", corrupted(tmp_path)]
        with pytest.warns(UnreadableWarning) as caught:
            table = pixels.get_stats(rasters, by=by, times=[0, 1, 2], errors="flag")
        texts = [str(warning.message) for warning in caught]
        assert {warning.filename for warning in caught} == {__file__}
        assert any(
            "1 of 3 layers cannot be opened" in text and "gone.tif" in text for text in texts
        )
        assert any("could not be read" in text and "spoilt" in text for text in texts)
        assert table["flags"].dtype == np.int64
        rows = dict(list(table.groupby("time")))
        assert (rows[1]["flags"] == Flag.UNREADABLE).all()
        assert rows[1]["mean"].isna().all()
        assert (rows[1]["count"] == 0).all()
        unread = (rows[2]["flags"] & Flag.UNREADABLE) != 0
        assert unread.any()
        assert rows[2]["mean"].isna().equals(unread)
        assert not (rows[0]["flags"] & Flag.UNREADABLE).any()
        assert set(table.attrs["craterkit"]["unreadable"]) == {
            str(raster) for raster in rasters[1:]
        }


class TestWithoutAPlace:
    """Statistics that need no ground."""

    WEEKS = (VALUES.astype(np.int16), VALUES.astype(np.int16) * 2)
    STATS = ("mean", "count", "median", "max", "valid_fraction")

    def expected(self, mask):
        own = [week[mask] for week in self.WEEKS]
        return [[v.mean(), v.size, np.median(v), v.max(), 1.0] for v in own]

    def check(self, pixels, rasters):
        table = pixels.get_stats(rasters, self.STATS, "all", times=[0, 1])
        np.testing.assert_allclose(table[list(self.STATS)], self.expected(areas()))
        # Without a place, areas end at the seam.
        by_area = pixels.get_stats(rasters, "sum", times=[0, 1])
        assert by_area.groupby("time")["sum"].sum().tolist() == [
            w[areas()].sum() for w in self.WEEKS
        ]
        assert "no body" not in json.dumps(table.attrs["craterkit"])
        return table

    def test_arrays(self):
        table = self.check(PixelSelection.from_array(areas()), self.WEEKS)
        assert table.attrs["craterkit"]["body"] is None

    def test_files_without_crs_or_of_a_place_of_their_own(self, tmp_path):
        local = worlds.pyproj.CRS.from_wkt('LOCAL_CS["site",UNIT["metre",1]]')
        for crs in (None, local):
            grid = worlds.Grid(GRID.shape, GRID.transform, crs, GRID.lon, GRID.lat)
            paths = [
                worlds.write(
                    tmp_path / f"{week}_{crs is None}.tif",
                    grid,
                    values,
                    dtype="int16",
                    crs=crs is not None,
                )
                for week, values in enumerate(self.WEEKS)
            ]
            pixels = PixelSelection.from_array(areas(), grid=paths[0])
            assert pixels.grid is None
            self.check(pixels, paths)

    @pytest.mark.parametrize("stats", ["area", ["mean", "argmin"], ["argmax_lon"]])
    def test_what_needs_ground_is_an_error(self, stats):
        pixels = PixelSelection.from_array(areas())
        with pytest.raises(CRSError, match=r"stats: .* cannot be had without the ground"):
            pixels.get_stats(self.WEEKS, stats)
        for weights in ("area", self.WEEKS[0]):
            with pytest.raises(CRSError, match=r"weights: .* cannot be had without the ground"):
                pixels.get_stats(self.WEEKS, weights=weights)

    def test_pixels_of_rows_that_are_poles_of_no_body_have_no_flags(self):
        pixels = PixelSelection.from_array(np.ones((18, 36), dtype=bool))
        assert pixels.get_stats(self.WEEKS, "flags")["flags"].tolist() == [0, 0]


class TestGivenPlaces:
    """`raster_crs=`, `transform=`, and rasters that do not say where they lie."""

    @staticmethod
    def bare(tmp_path, transform=GRID.transform, name="bare"):
        grid = worlds.Grid(GRID.shape, transform, None, GRID.lon, GRID.lat)
        return worlds.write(tmp_path / f"{name}.tif", grid, VALUES, dtype="int16", crs=False)

    def test_they_lie_where_the_selection_does(self, tmp_path):
        bare = self.bare(tmp_path)
        pixels = PixelSelection.from_array(
            areas(), grid=bare, body="moon", raster_crs="planetocentric"
        )
        for rasters in ([bare], [VALUES]):
            series = pixels.get_series(rasters, times=[0])
            np.testing.assert_array_equal(series.loc[0], VALUES[areas()])
            ground = pixels.get_stats(rasters, "area", times=[0])["area_m2"]
            np.testing.assert_allclose(ground / 1e6, pixels.areas["area_km2"])
            pytest.importorskip("xarray")
            np.testing.assert_array_equal(pixels.to_xarray(rasters, times=[0])[0], VALUES[areas()])

    def test_another_transform_or_shape_is_no_such_place(self, tmp_path, pixels):
        east = self.bare(tmp_path, worlds.lonlat(10.0, 0.0).transform, "east")
        with pytest.raises(CRSError, match=r"east\.tif: has no CRS; .*raster_crs="):
            pixels.get_series([east], times=[0])
        with pytest.raises(
            ArgumentError, match=r"east\.tif is not on the grid .* affine transform"
        ):
            pixels.get_series([east], times=[0], raster_crs="planetocentric")
        with pytest.raises(ArgumentError, match=r"2 x 2 pixels, not 18 x 36, and does not say"):
            pixels.get_series([np.zeros((2, 2))], times=[0])

    def test_it_can_be_said(self, tmp_path, pixels):
        east = self.bare(tmp_path, worlds.lonlat(10.0, 0.0).transform, "east")
        how = {"times": [0], "raster_crs": "planetocentric", "align": "nearest"}
        shifted = pixels.get_series([east], **how).loc[0]
        np.testing.assert_array_equal(shifted, np.roll(VALUES, 18, axis=1)[areas()])
        how |= {"align": "error", "transform": {"east": GRID.transform}}
        np.testing.assert_array_equal(pixels.get_series([east], **how).loc[0], VALUES[areas()])
        del how["align"]
        np.testing.assert_allclose(
            pixels.get_stats([east], "mean", "all", **how)["mean"], VALUES[areas()].mean()
        )


class TestRastersOfSeveralPlaces:
    """Where the mask has no place, the first raster that has one is compared with the others."""

    def test_other_places_are_refused(self, tmp_path, path):
        pixels = PixelSelection.from_array(areas())
        east = worlds.write(tmp_path / "east.tif", worlds.lonlat(10.0, 0.0), VALUES)
        up = worlds.write(tmp_path / "up.tif", GRID.south_up(), VALUES)
        for other in (east, up):
            for method in (pixels.get_series, pixels.get_stats):
                with pytest.raises(
                    ArgumentError, match=rf"{other.name} is not on the grid of .*first"
                ):
                    method([VALUES, path, other], times=range(3))

    def test_what_says_nothing_passes(self, tmp_path, path):
        pixels = PixelSelection.from_array(areas())
        bare = TestGivenPlaces.bare(tmp_path)
        series = pixels.get_series([VALUES, bare, path, VALUES], times=range(4))
        np.testing.assert_array_equal(series, [VALUES[areas()]] * 4)

    def test_resampling_needs_a_place(self, tmp_path):
        local = worlds.pyproj.CRS.from_wkt('LOCAL_CS["site",UNIT["metre",1]]')
        here, there = (
            worlds.write(
                tmp_path / f"{west}.tif",
                worlds.Grid(GRID.shape, Affine(1, 0, west, 0, -1, 0), local, GRID.lon, GRID.lat),
                VALUES,
            )
            for west in (0, 5)
        )
        pixels = PixelSelection.from_array(areas(), grid=here)
        with pytest.raises(
            ArgumentError,
            match=r"align='nearest' needs to know where both lie on a body, but .*0\.tif: ",
        ):
            pixels.get_series([there], times=[0], align="nearest")
        with pytest.raises(ArgumentError, match=r"3 x 3 pixels, .*align='bilinear' needs to know"):
            PixelSelection.from_array(areas()).get_series([np.eye(3)], align="bilinear")


class TestNames:
    """Columns of statistics and of keys."""

    def test_the_area_of_areas(self, pixels, path):
        table = pixels.get_stats([path], ["area", "mean"], times=[0])
        assert list(table) == ["area", "time", "area_m2", "mean"]
        assert table["area"].tolist() == [0, 1, 2, 3]
        np.testing.assert_allclose(table["area_m2"] / 1e6, pixels.areas["area_km2"])
        whole = pixels.get_stats([path], "area", "all", times=[0])
        assert list(whole) == ["time", "area_m2"]
        np.testing.assert_allclose(whole["area_m2"], table["area_m2"].sum())

    @pytest.mark.parametrize("name", ["area", "area_m2", "time"])
    def test_functions_of_selections(self, pixels, path, name):
        with pytest.raises(ArgumentError, match=f"functions cannot be called '{name}'"):
            pixels.get_stats([path], {name: np.max}, times=[0])

    def test_functions_of_features(self, path):
        cdb = features()
        with pytest.raises(ArgumentError, match="'feature', 'region', as other columns"):
            cdb.get_series([path], "disc", {"feature": np.max, "region": np.min}, times=[0])
        table = cdb.get_series([path], "disc", ["area", {"peak": np.max}], times=[0])
        assert list(table)[3:] == ["area", "peak"]


def features():
    cdb = CraterDatabase(worlds.table([10, 45, -70], [5, -40, 30], worlds.metres(15)), "moon")
    cdb.add_circles("disc", 1)
    return cdb


class TestProvenance:
    """What tables tell of their numbers."""

    def test_of_features(self, path, tmp_path):
        table = features().get_series([path], "disc", ["mean", "std"], times=[0], nodata=3)
        told = table.attrs["craterkit"]
        assert (told["method"], told["statistics"]) == ("get_series", ["mean", "std"])
        assert told["rasters"] == [{"label": "first", "name": str(path), "bands": [1], "nodata": 3}]
        assert told["regions"] == {"disc": "circle of 1 radii"}
        assert told["times_from"] == "argument"
        assert told["coverage"] == "all_touched"
        table.to_parquet(tmp_path / "t.parquet")
        assert pd.read_parquet(tmp_path / "t.parquet").attrs == table.attrs

    def test_of_selections(self, pixels, path, tmp_path):
        series = pixels.get_series({"2024-01-01": path})
        stats = pixels.get_stats([path], "mean", "all", times=[0], weights="area")
        for table, method in ((series, "get_series"), (stats, "get_stats")):
            told = table.attrs["craterkit"]
            assert told["method"] == f"PixelSelection.{method}"
            assert told["body"]["name"] == "Moon"
            assert told["selection"] == {
                "raster": str(path),
                "shape": [18, 36],
                "pixels": int(areas().sum()),
            }
            assert told["rasters"][0]["name"] == str(path)
            table.columns = table.columns.astype(str)
            table.to_parquet(tmp_path / f"{method}.parquet")
            assert pd.read_parquet(tmp_path / f"{method}.parquet").attrs == table.attrs
        assert stats.attrs["craterkit"]["weights"] == "area"
        assert series.attrs["craterkit"]["align"] == "error"

    def test_bands_of_one_raster_are_one(self, tmp_path, pixels):
        cube = worlds.write(tmp_path / "cube.tif", GRID, np.stack([VALUES] * 3))
        (raster,) = pixels.get_series(cube).attrs["craterkit"]["rasters"]
        assert raster["bands"] == [1, 2, 3]


def test_rois_outside_are_counted_once_for_all_rasters(tmp_path):
    part = worlds.patch(10.0, 5.0, 1.0, 20)
    paths = [
        worlds.write(tmp_path / f"{week:02}.tif", part, np.ones((20, 20))) for week in range(6)
    ]
    with pytest.warns(OutsideRasterWarning) as caught:
        features().get_series(paths, "disc", times=range(6))
    assert [str(warning.message) for warning in caught] == [
        "2 ROIs lie outside the raster, without any pixels: 2 of 3 for 'disc' on each of 6 rasters "
        "(00 to 05)"
    ]


def test_to_parquet_is_a_series_in_a_file(tmp_path, pixels, path):
    pytest.importorskip("pyarrow")
    out = pixels.to_parquet(tmp_path / "s.parquet", [path], times=["a"])
    table = pd.read_parquet(out)
    np.testing.assert_array_equal(table["a"], VALUES[areas()])
    assert table.attrs == pixels.get_series([path], times=["a"]).attrs


class TestResampled:
    """`align=` in statistics."""

    @staticmethod
    def fine(tmp_path, **how):
        fine = worlds.lonlat(2.5, 0.0)
        values = np.random.default_rng(3).integers(0, 200, fine.shape)
        return worlds.write(
            tmp_path / "fine.tif", fine, values, dtype="uint8", nodata=7, scale=0.5, block=16, **how
        )

    @pytest.mark.parametrize("strip", [1 << 16, 40])
    @pytest.mark.parametrize("align", ["nearest", "bilinear"])
    @pytest.mark.parametrize("scaled", [True, False])
    def test_they_are_those_of_the_resampled_series(
        self, tmp_path, path, pixels, align, scaled, strip, monkeypatch
    ):
        monkeypatch.setattr("craterkit.series.resampled.STRIP_PIXELS", strip)
        part = worlds.write(
            tmp_path / "part.tif", worlds.patch(-60.0, 0.0, 5.0, 12), np.ones((12, 12))
        )
        rasters = [path, self.fine(tmp_path), part]
        how = {"times": [0, 1, 2], "align": align, "scaled": scaled}
        series = pixels.get_series(rasters, **how)
        names = ["mean", "count", "min", "median"]
        table = pixels.get_stats(rasters, names, **how)
        for (area, time), row in table.set_index(["area", "time"]).iterrows():
            own = series.loc[time, pixels.labels == area].dropna()
            expected = [own.mean(), own.size, own.min(), own.median()]
            np.testing.assert_allclose(row[names].astype(float), expected)
        assert table.attrs["craterkit"]["align"] == align
        ground = pixels.get_stats(rasters[1:2], ["area", "flags"], times=[0], align=align)
        lacking = series.loc[1].isna()
        assert lacking.any()
        expected = pixels.areas["area_km2"][~lacking.groupby(pixels.labels).any()]
        np.testing.assert_allclose(ground["area_m2"][expected.index] / 1e6, expected)

    def test_weighed_by_ground(self, tmp_path, path, pixels):
        fine = self.fine(tmp_path)
        series = pixels.get_series([fine], times=[0], align="nearest").loc[0]
        weight = np.cos(np.radians(pixels.lat)) * series.notna()
        found = pixels.get_stats([fine], "mean", "all", times=[0], align="nearest", weights="area")
        np.testing.assert_allclose(
            found["mean"], np.average(series.fillna(0), weights=weight), rtol=1e-12
        )

    def test_another_grid_is_an_error_by_default(self, tmp_path, pixels):
        with pytest.raises(ArgumentError, match=r"fine\.tif is not on the grid .*align="):
            pixels.get_stats([self.fine(tmp_path)], times=[0])

    def test_clusters_do_not_resample(self, tmp_path, pixels):
        pytest.importorskip("distributed")
        with pytest.raises(ArgumentError, match=r"align: .*fine\.tif \(1 of 1 layers\)"):
            pixels.get_stats(
                [self.fine(tmp_path)], times=[0], align="nearest", scheduler="processes"
            )
