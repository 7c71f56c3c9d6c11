"""Quality flags and `min_valid_fraction=`."""

from __future__ import annotations

import pickle

import numpy as np
import pandas as pd
import pytest

import worlds
from craterkit import CraterDatabase, Flag
from craterkit.errors import ArgumentError

GRID = worlds.lonlat(1.0)
REGION = worlds.patch(20.0, 10.0, 1.0, 30)


def flags_of(raster, lon, lat, degrees, *, region=(0, 1), **options):
    """Flags of one feature."""
    cdb = CraterDatabase(worlds.table(lon, lat, worlds.metres(degrees)), "moon")
    cdb.add_annuli("r", *region)
    stats = cdb.get_stats(raster, "r", "flags", **options)
    assert stats["flags_r"].dtype == np.int64
    return Flag(stats["flags_r"].iloc[0])


@pytest.fixture(scope="module")
def everywhere(tmp_path_factory):
    return worlds.write(tmp_path_factory.mktemp("flags") / "all.tif", GRID, np.ones(GRID.shape))


@pytest.fixture(scope="module")
def somewhere(tmp_path_factory):
    return worlds.write(
        tmp_path_factory.mktemp("flags") / "some.tif", REGION, np.ones(REGION.shape), dtype="uint8"
    )


GLOBAL = {
    "in the open": ((10, 5, 8.0), Flag(0)),
    "on the seam": ((178, 5, 8.0), Flag.CROSSES_SEAM),
    "just beside the seam": ((171.5, 0, 8.0), Flag(0)),
    "at a pole": ((10, -88, 8.0), Flag.TOUCHES_POLE | Flag.CROSSES_SEAM),
    "as near a pole as it is wide": ((10, 82.001, 8.0), Flag.TOUCHES_POLE | Flag.CROSSES_SEAM),
    "not quite at a pole": ((0, 81.999, 8.0), Flag(0)),
    "small": ((10, 5, 2.9), Flag.FEW_PIXELS),
    "not small": ((10, 0, 3.1), Flag(0)),
    "not small where pixels are narrow": ((10, 75, 2.5), Flag(0)),
}


@pytest.mark.parametrize("name", GLOBAL)
def test_flags_on_a_raster_of_the_whole_body(everywhere, name):
    place, expected = GLOBAL[name]
    assert flags_of(everywhere, *place) == expected


@pytest.mark.parametrize("west", [0.0, -180.0, 90.0])
def test_the_seam_is_where_the_raster_has_it(tmp_path, west):
    raster = worlds.write(tmp_path / "r.tif", worlds.lonlat(1.0, west=west), np.ones(GRID.shape))
    for lon in (0.5, 90.5, -179.5, 45.0):
        on_seam = abs((lon - west + 180) % 360 - 180) < 8
        assert (Flag.CROSSES_SEAM in flags_of(raster, lon, 0, 8.0)) == on_seam


REGIONAL = {
    "within": ((20, 10, 8.0), Flag(0)),
    "over the east": ((34, 10, 8.0), Flag.PARTLY_OUTSIDE),
    "over the west": ((6, 10, 8.0), Flag.PARTLY_OUTSIDE),
    "over the north": ((20, 24, 8.0), Flag.PARTLY_OUTSIDE),
    "its centre off the raster": ((20, 30, 8.0), Flag.PARTLY_OUTSIDE),
    "outside": ((120, 10, 8.0), Flag.OUTSIDE),
    "outside, small": ((120, 10, 1.0), Flag.OUTSIDE),
}


@pytest.mark.parametrize("name", REGIONAL)
@pytest.mark.filterwarnings("ignore::craterkit.errors.OutsideRasterWarning")
def test_flags_on_a_raster_of_a_part(somewhere, name):
    place, expected = REGIONAL[name]
    assert flags_of(somewhere, *place) == expected


def test_a_pole_beyond_a_raster_lies_outside(tmp_path):
    low = worlds.lonlat(1.0, north=60.0)
    raster = worlds.write(tmp_path / "low.tif", low, np.ones(low.shape))
    assert Flag.PARTLY_OUTSIDE in flags_of(raster, 10, 58, 8.0)
    assert Flag.PARTLY_OUTSIDE not in flags_of(raster, 10, 50, 8.0)


def test_no_pixels(everywhere):
    # A circle between centres.
    assert flags_of(everywhere, 10.0, 5.0, 0.1, coverage="center") == (
        Flag.NO_PIXELS | Flag.FEW_PIXELS
    )
    assert flags_of(everywhere, 10.0, 5.0, 0.1) == Flag.FEW_PIXELS


def test_no_pixels_where_all_are_left_out(everywhere):
    assert Flag.NO_PIXELS in flags_of(everywhere, 10, 5, 8.0, where={everywhere: 2})


def test_masked_pixels(tmp_path):
    values = np.ones(GRID.shape)
    values[:90] = np.nan
    raster = worlds.write(tmp_path / "half.tif", GRID, values)
    assert flags_of(raster, 10, 0, 8.0) == Flag.SOME_MASKED
    assert flags_of(raster, 10, 30, 8.0) == Flag.ALL_MASKED
    assert flags_of(raster, 10, -30, 8.0) == Flag(0)


def test_flags_are_of_each_region_raster_and_band(tmp_path):
    values = np.ones((2, *GRID.shape))
    values[1, :, 180:] = np.nan
    raster = worlds.write(tmp_path / "two.tif", GRID, values)
    cdb = CraterDatabase(worlds.table([-40, 40], 0, worlds.metres(4.0)), "moon")
    cdb.add_circles("wide")
    cdb.add_circles("narrow", 0.5)
    stats = cdb.get_stats({"r": raster}, ["wide", "narrow"], ["mean"], flags=True, bands="all")
    assert list(stats.columns[3:7]) == [
        "mean_r_b1_wide",
        "flags_r_b1_wide",
        "mean_r_b2_wide",
        "flags_r_b2_wide",
    ]
    assert stats["flags_r_b1_wide"].tolist() == [0, 0]
    assert stats["flags_r_b2_wide"].tolist() == [0, Flag.ALL_MASKED]
    few = int(Flag.FEW_PIXELS)
    assert stats["flags_r_b2_narrow"].tolist() == [few, few | Flag.ALL_MASKED]


def test_asking_twice_gives_one_column(everywhere):
    cdb = CraterDatabase(worlds.table(0, 0, 1e5), "moon")
    cdb.add_circles("c")
    stats = cdb.get_stats(everywhere, "c", ["flags", "mean"], flags=True)
    assert list(stats.columns[3:]) == ["flags_c", "mean_c"]


def test_an_ellipsoids_pole(tmp_path):
    grid = worlds.lonlat(1.0, crs=worlds.MARS_CRS)
    raster = worlds.write(tmp_path / "mars.tif", grid, np.ones(grid.shape))
    geod = worlds.pyproj.Geod(a=worlds.MARS_A, b=worlds.MARS_B)
    graphic = np.degrees(np.arctan(np.tan(np.radians(80.0)) * (worlds.MARS_A / worlds.MARS_B) ** 2))
    to_pole = geod.inv(30.0, graphic, 30.0, 90.0)[2]
    for factor in (0.9999, 1.0001):
        cdb = CraterDatabase(worlds.table(30, 80, factor * to_pole), "mars")
        cdb.add_circles("c")
        flag = Flag(cdb.get_stats(raster, "c", "flags")["flags_c"].iloc[0])
        assert (Flag.TOUCHES_POLE in flag) == (factor > 1)


class TestMinValidFraction:
    """Statistics of ROIs with too few valid pixels are NaN; amounts stay."""

    KEPT = ("count", "weight_sum", "nodata", "valid_fraction", "unique", "area")

    @pytest.fixture
    def stats(self, tmp_path):
        values = np.arange(GRID.shape[0] * GRID.shape[1]).reshape(GRID.shape) % 100
        values[:90] = 255
        raster = worlds.write(tmp_path / "half.tif", GRID, values, dtype="uint8", nodata=255)
        # All, 1 - 0.196, half and none of it valid.
        table = worlds.table(10, [-20, -4, 0, 20], worlds.metres(10.0))
        cdb = CraterDatabase(table, "moon")
        cdb.add_circles("c")

        def compute(**options):
            names = [*self.KEPT, "mean", "sum", "max", "median", {"size": np.size}, "flags"]
            return cdb.get_stats(raster, "c", names, coverage="fraction", **options)

        return compute

    @pytest.mark.parametrize("least", [0.1, 0.6, 0.9, 1.0])
    def test_below_it_statistics_are_nan(self, stats, least):
        plain, found = stats(), stats(min_valid_fraction=least)
        below = plain["valid_fraction_c"] < least
        for name in ("mean", "sum", "max", "median", "size"):
            expected = plain[f"{name}_c"].astype(float).where(~below)
            np.testing.assert_array_equal(found[f"{name}_c"].astype(float), expected)
        for name in self.KEPT:
            np.testing.assert_array_equal(found[f"{name}_c"], plain[f"{name}_c"])
            assert found[f"{name}_c"].dtype == plain[f"{name}_c"].dtype
        flagged = [Flag.BELOW_MIN_VALID in Flag(number) for number in found["flags_c"]]
        assert flagged == below.tolist()

    def test_which_are_below(self, stats):
        found = stats(min_valid_fraction=0.7)
        np.testing.assert_allclose(found["valid_fraction_c"], [1, 0.7477, 0.5, 0], atol=0.005)
        assert found["mean_c"].isna().tolist() == [False, False, True, True]

    @pytest.mark.parametrize("value", [-0.1, 1.1, np.nan, "half", True, [0.5]])
    def test_it_lies_between_0_and_1(self, stats, value):
        with pytest.raises(ArgumentError, match="min_valid_fraction must lie between 0 and 1"):
            stats(min_valid_fraction=value)


class TestFlag:
    """The registry."""

    def test_bits_are_distinct_and_documented(self):
        assert [int(flag) for flag in Flag] == [1 << bit for bit in range(len(Flag))]
        for flag in Flag:
            assert flag.meaning.endswith(".")

    def test_numbers_of_a_column_decode(self):
        flag = Flag(np.int64(3))
        assert flag.names == ("OUTSIDE", "PARTLY_OUTSIDE")
        assert flag.meaning == f"{Flag.OUTSIDE.meaning} {Flag.PARTLY_OUTSIDE.meaning}"
        assert Flag(0).meaning == ""
        assert pickle.loads(pickle.dumps(flag)) == flag

    def test_a_column_is_searched_for_a_flag_as_for_any_number(self):
        column = pd.Series([1, 2, 3, 4])
        assert (column & Flag.OUTSIDE).tolist() == [1, 0, 1, 0]

    @pytest.mark.parametrize("value", [1 << 20, "OUTSIDE", 1.5])
    def test_other_numbers_are_refused(self, value):
        with pytest.raises(ValueError, match=r"Flag|invalid value"):
            Flag(value)


def test_flags_is_a_switch():
    cdb = CraterDatabase(worlds.table(0.0, 0.0, 1e4), "moon")
    cdb.add_circles("c")
    with pytest.raises(ArgumentError, match="flags must be True or False, not 'yes'"):
        cdb.get_stats("nowhere.tif", "c", flags="yes")
