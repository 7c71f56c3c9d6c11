"""`weights=` a raster: every statistic honours it, and only pixels that have a weight count."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import worlds
from craterkit import CraterDatabase
from craterkit.errors import ArgumentError, RasterError, StatisticError
from craterkit.extraction import batches, plan
from craterkit.statistics.registry import STATISTICS

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


#: Statistics of the pixels of a footprint, whatever they weigh.
OF_PIXELS = {"count", "nodata", "min", "max", "range", "flags", "area", "valid_fraction"} | {
    name for name in STATISTICS if name.startswith("arg")
}
OF_WEIGHTS = sorted(STATISTICS.keys() - OF_PIXELS)


def test_no_weight_is_as_good_as_no_data_and_any_weight_counts(cdb, folder, tmp_path):
    weights = np.where(RNG.random(GRID.shape) < 0.3, 0.0, 10.0 ** RNG.uniform(-14, 0, GRID.shape))
    weighted = worlds.write(tmp_path / "weights.tif", GRID, weights)
    gaps = worlds.write(tmp_path / "gaps.tif", GRID, weights, nodata=0.0)
    path = folder / "values.tif"
    how = {"coverage": "center", "stats": OF_WEIGHTS}
    found = cdb.get_stats(path, "c", weights=weighted, **how)
    pd.testing.assert_frame_equal(found, cdb.get_stats(path, "c", weights=gaps, **how))
    for i in range(len(PLACES)):
        valid = inside(i) & (VALUES != 9) & (weights > 0)
        values, their = VALUES[valid], weights[valid]
        sums = {v: their[values == v].sum() for v in np.unique(values)}
        assert found["unique_c"][i] == len(sums)
        assert found["minority_c"][i] == min(sums, key=sums.get)
        assert found["majority_c"][i] == max(sums, key=sums.get)
        shares = {v: part / their.sum() for v, part in sums.items()}
        assert found["frac_c"][i] == pytest.approx(shares, rel=1e-12)


@pytest.mark.parametrize("factor", [2.0**-660, 2.0**660])
def test_huge_and_tiny_weights_give_the_same_or_an_error(cdb, folder, tmp_path, factor):
    weights = RNG.uniform(0.1, 1.0, GRID.shape)
    plain = worlds.write(tmp_path / "plain.tif", GRID, weights)
    scaled = worlds.write(tmp_path / "scaled.tif", GRID, weights * factor)
    how = {
        "coverage": "center",
        "stats": [s for s in OF_WEIGHTS if s not in ("sem", "sum", "weight_sum")],
    }
    found = cdb.get_stats(folder / "values.tif", "c", weights=scaled, **how)
    expected = cdb.get_stats(folder / "values.tif", "c", weights=plain, **how)
    pd.testing.assert_frame_equal(found.drop(columns="frac_c"), expected.drop(columns="frac_c"))
    with pytest.raises(StatisticError, match="multiply the raster of weights"):
        cdb.get_stats(folder / "values.tif", "c", "sem", weights=scaled)


@pytest.mark.parametrize("stat", ["std", "range", "iqr", "mad_std", "skewness", "clipped_mean"])
def test_deviations_of_integers_beyond_double_precision_are_an_error(cdb, tmp_path, stat):
    values = 2**60 + np.arange(GRID.shape[0] * GRID.shape[1]).reshape(GRID.shape)
    path = worlds.write(tmp_path / "large.tif", GRID, values, dtype="int64")
    with pytest.raises(StatisticError, match=r"integers beyond 2\*\*53"):
        cdb.get_stats(path, "c", stat)
    found = cdb.get_stats(path, "c", ["mean", "min", "max", "median"])
    columns = [f"{name}_c" for name in ("mean", "min", "max", "median")]
    np.testing.assert_allclose(found[columns], 2.0**60, rtol=1e-13)
