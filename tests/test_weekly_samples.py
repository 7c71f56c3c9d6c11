"""The weekly sample rasters: what craterkit finds in them is what they were made with."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest
import rasterio
from scipy import ndimage

from craterkit import CraterDatabase, PixelSelection
from craterkit.samples import sample_data

YEAR = 365.25
NOISE = np.hypot(0.5, 0.2 / np.sqrt(12))  # kelvins: of a pixel, and of rounding to 0.2 K
GROUND_AMPLITUDE, GROUND_MAXIMUM = 6.0, pd.Timestamp("2020-02-17")


@pytest.fixture(scope="module")
def files():
    return sorted(sample_data["moon_weeks"].glob("*.tif"))


@pytest.fixture(scope="module")
def mask():
    with rasterio.open(sample_data["weekly_mask.tif"]) as src:
        return src.read(1)


@pytest.fixture(scope="module")
def stack(files):
    """Temperatures (52, rows, columns), read by rasterio and scaled by hand."""
    layers = []
    for file in files:
        with rasterio.open(file) as src:
            counts = src.read(1)
            kelvins = counts * src.scales[0] + src.offsets[0]
            layers.append(np.where(counts == src.nodata, np.nan, kelvins))
    return np.array(layers)


@pytest.fixture(scope="module")
def truth():
    return pd.read_csv(sample_data["weekly_areas.csv"], parse_dates=["Maximum"])


@pytest.fixture(scope="module")
def pixels():
    return PixelSelection.from_raster(sample_data["weekly_mask.tif"], value=0)


def season(times, values):
    """Mean, amplitude and date of the maximum of a wave of a year's length, by least squares."""
    known = np.isfinite(values)
    angle = 2 * np.pi * (times - times[0]).days.to_numpy() / YEAR
    waves = np.column_stack([np.ones_like(angle), np.cos(angle), np.sin(angle)])
    mean, c, s = np.linalg.lstsq(waves[known], values[known], rcond=None)[0]
    days = YEAR * np.arctan2(s, c) / (2 * np.pi) % YEAR
    return mean, np.hypot(c, s), times[0] + pd.Timedelta(days, "D")


def days_between(one, two):
    """Least distance of two dates in the year."""
    days = abs((one - two) / pd.Timedelta(1, "D")) % YEAR
    return min(days, YEAR - days)


# -------------------------------------------------------------------------------- the files


def test_there_is_a_raster_of_each_monday_of_2020(files):
    mondays = [date(2020, 1, 6) + timedelta(weeks=week) for week in range(52)]
    assert [file.name for file in files] == [f"temperature_{day:%Y%m%d}.tif" for day in mondays]


def test_rasters_are_counts_of_kelvins_on_the_grid_of_the_mask(files):
    with rasterio.open(sample_data["weekly_mask.tif"]) as src:
        grid = src.shape, src.transform, src.crs
        assert src.dtypes == ("uint8",)
    with rasterio.open(sample_data["moon.tif"]) as moon:
        assert moon.crs == grid[2]
        assert (grid[1].a, grid[1].e) == (moon.transform.a, moon.transform.e)
        assert (grid[1].c - moon.transform.c) % grid[1].a == 0
        assert (grid[1].f - moon.transform.f) % grid[1].a == 0
    for file in files:
        with rasterio.open(file) as src:
            assert (src.shape, src.transform, src.crs) == grid
            assert src.dtypes == ("int16",)
            assert src.nodata == -32768
            assert (src.scales, src.offsets, src.units) == ((0.2,), (200.0,), ("K",))


def test_mask_has_250_black_pixels_in_separate_areas(mask, truth):
    assert set(np.unique(mask)) == {0, 255}
    assert (mask == 0).sum() == 250
    labels, count = ndimage.label(mask == 0, np.ones((3, 3)))
    assert count == len(truth) == 13
    sizes = np.bincount(labels.ravel())[1:]
    np.testing.assert_array_equal(sizes, truth["Pixels"])
    assert sorted(sizes)[0] == 1


def test_every_week_has_gaps_and_every_pixel_has_weeks(stack, mask):
    missing = np.isnan(stack)
    assert missing.any(axis=(1, 2)).all()
    assert missing[:, mask == 0].sum(axis=0).max() < 15
    assert (missing.sum(axis=(1, 2)) > 1000).sum() >= 10


# ------------------------------------------------------------------------------- the answer


def test_series_are_what_plain_numpy_reads(pixels, files, stack, mask):
    series = pixels.get_series(sample_data["moon_weeks"] / "*.tif")
    assert series.shape == (52, 250)
    np.testing.assert_allclose(series.to_numpy(), stack[:, mask == 0], rtol=1e-12)
    dates = pd.to_datetime([file.stem.split("_")[1] for file in files])
    assert (series.index == dates).all()
    assert series.attrs["times_from"] == "names"


def test_areas_are_those_of_the_truth_table(pixels, truth):
    areas = pixels.areas
    np.testing.assert_array_equal(areas["area"], truth["Area"])
    np.testing.assert_array_equal(areas["pixels"], truth["Pixels"])
    np.testing.assert_allclose(areas["lat"], truth["Latitude"], atol=0.01)
    np.testing.assert_allclose(areas["lon"], truth["Longitude"], atol=0.01)


def test_an_area_can_be_missing_for_a_whole_week(pixels, files):
    table = pixels.get_stats(files, ["mean", "count"])
    missing = table[table["count"] == 0]
    assert set(missing["area"]) >= {1, 5, 9}
    assert missing["mean"].isna().all()


def test_seasons_of_the_areas_are_the_truth_within_the_noise(pixels, files, truth):
    table = pixels.get_stats(files, "mean")
    for area, own in table.groupby("area"):
        row = truth.loc[area]
        mean, amplitude, maximum = season(pd.DatetimeIndex(own["time"]), own["mean"].to_numpy())
        error = NOISE / np.sqrt(row["Pixels"] * own["mean"].notna().sum())
        assert abs(mean - row["Mean (K)"]) < 5 * error
        assert abs(amplitude - row["Amplitude (K)"]) < 5 * np.sqrt(2) * error
        radians = 5 * np.sqrt(2) * error / row["Amplitude (K)"]
        assert days_between(maximum, row["Maximum"]) < radians * YEAR / (2 * np.pi)


def test_season_of_every_single_pixel(pixels, files, truth):
    series = pixels.get_series(files)
    labels = np.asarray(pixels.labels)
    error = 6 * NOISE * np.sqrt(2 / 40)
    for pixel in series:
        row = truth.loc[labels[pixel]]
        mean, amplitude, _ = season(series.index, series[pixel].to_numpy())
        assert abs(mean - row["Mean (K)"]) < error
        assert abs(amplitude - row["Amplitude (K)"]) < error


def test_rims_of_craters_have_the_season_of_the_ground(files):
    cdb = CraterDatabase(sample_data["moon_craters_km.csv"], "moon", units="km")
    cdb = cdb[cdb.data["Name"].isin(["Tycho", "Wilhelm"]).to_numpy()]
    cdb.add_annuli("rim", 1, 1.5)
    table = cdb.get_series(files, "rim", "mean", min_valid_fraction=0.95)
    assert table["mean"].isna().any()
    for _, own in table.groupby("feature"):
        times = pd.DatetimeIndex(own["time"])
        _, amplitude, maximum = season(times, own["mean"].to_numpy())
        assert amplitude == pytest.approx(GROUND_AMPLITUDE, abs=0.1)
        assert days_between(maximum, GROUND_MAXIMUM) < 1.5
