"""`weights=` a raster: every statistic honours it, and only pixels that have a weight count."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import worlds
from craterkit import CraterDatabase
from craterkit.errors import ArgumentError, RasterError
from craterkit.extraction import batches, plan

GRID = worlds.lonlat(2.0)
RNG = np.random.default_rng(8)
VALUES = RNG.integers(0, 10, GRID.shape)
WHOLE = RNG.integers(0, 4, GRID.shape)

PLACES = worlds.table([10, 179, 45, -70], [5, -40, 89, -90], worlds.metres(9.3))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("weights")
    worlds.write(folder / "values.tif", GRID, VALUES, dtype="int16", nodata=9, block=16)
    worlds.write(folder / "whole.tif", GRID, WHOLE, dtype="uint8")
    return folder


@pytest.fixture(scope="module")
def cdb():
    cdb = CraterDatabase(PLACES, "moon")
    cdb.add_circles("c")
    return cdb


def inside(i):
    return worlds.distance(PLACES["lon"][i], PLACES["lat"][i], *GRID.mesh) <= 9.3


STATS = ["mean", "sum", "std", "var", "median", "percentile_20", "majority", "weight_sum", "count"]


def test_whole_weights_repeat_values(cdb, folder):
    stats = cdb.get_stats(
        folder / "values.tif", "c", STATS, coverage="center", weights=folder / "whole.tif"
    )
    for i in range(len(PLACES)):
        valid = inside(i) & (VALUES != 9)
        values, weights = VALUES[valid], WHOLE[valid]
        repeated = np.repeat(values, weights)
        row = stats.iloc[i]
        np.testing.assert_allclose(row["mean_c"], repeated.mean())
        np.testing.assert_allclose(row["sum_c"], repeated.sum())
        np.testing.assert_allclose(row["std_c"], repeated.std())
        np.testing.assert_allclose(row["var_c"], repeated.var())
        # Quantiles of weighted values have a definition of their own, tested elsewhere.
        assert values.min() <= row["percentile_20_c"] <= row["median_c"] <= values.max()
        counts = np.bincount(values, weights=weights)
        assert row["majority_c"] == counts.argmax()
        assert row["weight_sum_c"] == weights.sum()
        assert row["count_c"] == valid.sum()


def test_functions_get_the_weights(cdb, folder):
    stats = {"mine": lambda v, w: (v * w).sum() / w.sum()}
    found = cdb.get_stats(folder / "values.tif", "c", stats, weights=folder / "whole.tif")
    expected = cdb.get_stats(folder / "values.tif", "c", "mean", weights=folder / "whole.tif")
    np.testing.assert_allclose(found["mine_c"], expected["mean_c"])


def test_weights_multiply_covered_shares(cdb, folder, tmp_path):
    twice = worlds.write(tmp_path / "twice.tif", GRID, 1.0 + (GRID.mesh[1] > 0))
    path = folder / "values.tif"
    shares = cdb.get_pixels(path, "c", coverage="fraction")
    both = cdb.get_pixels(path, "c", coverage="fraction", weights=twice)
    np.testing.assert_allclose(both["weight"], shares["weight"] * np.where(shares["lat"] > 0, 2, 1))
    grouped = both.assign(total=both["weight"] * both["value"]).groupby("feature")
    expected = grouped["total"].sum() / grouped["weight"].sum()
    stats = cdb.get_stats(path, "c", "mean", coverage="fraction", weights=twice)
    np.testing.assert_allclose(stats["mean_c"], expected)


@pytest.mark.parametrize("options", [{}, {"coverage": "fraction"}, {"coverage": "center"}])
def test_ones_are_no_weights(cdb, folder, tmp_path, options):
    ones = worlds.write(tmp_path / "ones.tif", GRID, np.ones(GRID.shape))
    path, stats = folder / "values.tif", [*STATS, "valid_fraction", "area"]
    pd.testing.assert_frame_equal(
        cdb.get_stats(path, "c", stats, weights=ones, **options),
        cdb.get_stats(path, "c", stats, **options),
        check_dtype=False,
    )


@pytest.mark.parametrize("coverage", ["all_touched", "center", "fraction"])
def test_valid_fraction_and_area_are_of_the_ground(cdb, folder, coverage):
    path = folder / "values.tif"
    plain = cdb.get_stats(path, "c", ["valid_fraction", "area"], coverage=coverage)
    weighted = cdb.get_stats(
        path, "c", ["valid_fraction", "area"], coverage=coverage, weights=folder / "whole.tif"
    )
    np.testing.assert_allclose(weighted["valid_fraction_c"], plain["valid_fraction_c"])
    np.testing.assert_allclose(weighted["area_c"], plain["area_c"])
    assert (plain["valid_fraction_c"] < 1).all()


def test_pixels_without_a_weight_are_left_out(cdb, folder, tmp_path):
    path = folder / "values.tif"
    good = WHOLE > 0
    holes = worlds.write(tmp_path / "holes.tif", GRID, np.where(good, 1.0, np.nan))
    nodata = worlds.write(tmp_path / "nodata.tif", GRID, WHOLE > 0, dtype="uint8", nodata=0)
    expected = cdb.get_stats(path, "c", ["mean", "count"], where={folder / "whole.tif": [1, 2, 3]})
    for raster in (holes, nodata):
        stats = cdb.get_stats(path, "c", ["mean", "count"], weights=raster)
        pd.testing.assert_frame_equal(stats, expected)


def test_weights_are_physical_values(cdb, folder, tmp_path):
    path = folder / "values.tif"
    scaled = worlds.write(tmp_path / "s.tif", GRID, WHOLE, dtype="int16", scale=0.5, offset=1.0)
    plain = worlds.write(tmp_path / "p.tif", GRID, 0.5 * WHOLE + 1.0)
    expected = cdb.get_stats(path, "c", STATS, weights=plain)
    for returned in (True, False):
        found = cdb.get_stats(path, "c", STATS, weights=scaled, scaled=returned)
        pd.testing.assert_frame_equal(found, expected)


def test_threads_and_chunks_change_nothing(cdb, folder, monkeypatch):
    options = {"coverage": "fraction", "weights": folder / "whole.tif"}
    names = [*STATS, "valid_fraction", "area"]
    whole = cdb.get_stats(folder / "values.tif", "c", names, n_jobs=1, **options)
    monkeypatch.setattr(plan, "CHUNK_PIXELS", 1)
    monkeypatch.setattr(batches, "PORTION_PIXELS", 20)
    pieces = cdb.get_stats(folder / "values.tif", "c", names, n_jobs=2, **options)
    pd.testing.assert_frame_equal(pieces, whole, rtol=1e-12)


def test_nothing_but_zeros_weighs_nothing(cdb, folder, tmp_path):
    zeros = worlds.write(tmp_path / "zeros.tif", GRID, np.zeros(GRID.shape))
    stats = cdb.get_stats(folder / "values.tif", "c", ["mean", "count", "median"], weights=zeros)
    assert stats[["mean_c", "median_c"]].isna().all(axis=None)
    assert (stats["count_c"] > 0).all()


def test_a_coarser_raster_may_weigh(cdb, folder, tmp_path):
    halves = worlds.lonlat(45.0)
    raster = worlds.write(tmp_path / "halves.tif", halves, 1.0 + (halves.mesh[1] > 0))
    fine = worlds.write(tmp_path / "fine.tif", GRID, 1.0 + (GRID.mesh[1] > 0))
    path = folder / "values.tif"
    with pytest.raises(ArgumentError, match=r"weights: .*halves\.tif is not on the grid"):
        cdb.get_stats(path, "c", weights=raster)
    pd.testing.assert_frame_equal(
        cdb.get_stats(path, "c", weights=raster, align="nearest"),
        cdb.get_stats(path, "c", weights=fine),
    )


def test_an_array_may_weigh(cdb, folder):
    path = folder / "values.tif"
    pd.testing.assert_frame_equal(
        cdb.get_stats(path, "c", weights=WHOLE),
        cdb.get_stats(path, "c", weights=folder / "whole.tif"),
    )


@pytest.mark.parametrize("align", [None, "nearest"])
def test_negative_weights_are_refused_with_their_place(cdb, folder, tmp_path, align):
    weights = np.ones(GRID.shape)
    weights[43, 95] = -2.5
    raster = worlds.write(tmp_path / "negative.tif", GRID, weights)
    message = r"weights: .*negative\.tif holds the weight -2\.5 in row 43, column 95"
    with pytest.raises(RasterError, match=message):
        cdb.get_stats(folder / "values.tif", "c", weights=raster, align=align)


def test_a_missing_file_is_named(cdb, folder):
    with pytest.raises(RasterError, match=r"nowhere\.tif"):
        cdb.get_stats(folder / "values.tif", "c", weights="nowhere.tif")
