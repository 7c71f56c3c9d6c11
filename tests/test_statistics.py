"""Each statistic: a 3×3 raster worked by hand, then NumPy and SciPy on real footprints."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import scipy.stats

import worlds
from craterkit import CraterDatabase
from craterkit.errors import StatisticError
from craterkit.statistics.registry import STATISTICS, parse_statistics

# Nine pixels of one degree around (0.5, 0.5); the circle below holds the centres of all nine.
NINE = np.array([[1, 2, 2], [4, 5, 6], [7, 8, 0]], dtype=np.int16)

# Worked by hand for the values 1 2 2 4 5 6 7 8 and a hole of no data (0). Differences from the mean, 35/8,
# are -27 -19 -19 -3 5 13 21 29 eighths; those from the median, 9/2, are -7 -5 -5 -1 1 3 5 7 halves.
VARIANCE = 367 / 64
UNIT_VECTOR = np.exp(1j * np.radians([1, 2, 2, 4, 5, 6, 7, 8])).mean()
DEGREE = np.sin(np.radians([1, 2])) * np.radians(1) * worlds.MOON**2

BY_HAND = {
    "count": 8,
    "weight_sum": 8.0,
    "sum": 35,
    "mean": 4.375,
    "min": 1.0,
    "max": 8.0,
    "range": 7.0,
    "argmin_lon": -0.5,
    "argmin_lat": 1.5,
    "argmax_lon": 0.5,
    "argmax_lat": -0.5,
    "area": 3 * DEGREE[1] + 2 * DEGREE[0],
    "var": VARIANCE,
    "std": np.sqrt(VARIANCE),
    "cv": np.sqrt(VARIANCE) / 4.375,
    "sem": np.sqrt(VARIANCE / 7),
    "skewness": 2544 / 8**4 / VARIANCE**1.5,
    "kurtosis": 1723112 / 8**5 / VARIANCE**2 - 3,
    "circular_mean": np.degrees(np.angle(UNIT_VECTOR)),
    "circular_std": np.degrees(np.sqrt(-2 * np.log(abs(UNIT_VECTOR)))),
    "median": 4.5,
    "iqr": 6.25 - 2.0,
    "mad_std": 2.5 / scipy.stats.norm.ppf(0.75),
    "biweight_location": 4.5
    + (1.5 * 891**2 - 2.5 * 875**2) / (2 * 851**2 + 3 * 875**2 + 891**2 + 2 * 899**2),
    "biweight_scale": np.sqrt(2 * (2 * 49 * 1976**4 + 3 * 25 * 2000**4 + 9 * 2016**4 + 2 * 2024**4))
    / (2 * 1976 * 1780 + 3 * 2000 * 1900 + 2016 * 1980 + 2 * 2024 * 2020),
    "clipped_mean": 4.375,
    "clipped_std": np.sqrt(VARIANCE),
    "clipped_median": 4.5,
    "percentile_0": 1.0,
    "percentile_25": 2.0,
    "percentile_90": 7.3,
    "percentile_100": 8.0,
    "majority": 2.0,
    "mode": 2.0,
    "frac": {1: 1 / 8, 2: 1 / 4, 4: 1 / 8, 5: 1 / 8, 6: 1 / 8, 7: 1 / 8, 8: 1 / 8},
    "frac_2": 1 / 4,
    "frac_-1": 0.0,
    "frac_2.5": 0.0,
    "minority": 1.0,
    "unique": 7,
    "nodata": 1,
    "valid_fraction": 8 / 9,
}


@pytest.fixture
def nine(tmp_path):
    grid = worlds.patch(0.5, 0.5, 1.0, 3)
    path = worlds.write(tmp_path / "nine.tif", grid, NINE, dtype="int16", nodata=0)
    cdb = CraterDatabase(worlds.table(0.5, 0.5, worlds.metres(1.45)), "moon")
    cdb.add_circles("all")
    return cdb, path


def test_every_statistic_has_a_worked_answer():
    # Flags are no numbers: they have tests of their own.
    assert set(STATISTICS) - {"flags"} <= set(BY_HAND)


@pytest.mark.parametrize("name", BY_HAND)
def test_statistic_of_nine_pixels(nine, name):
    cdb, path = nine
    stats = cdb.get_stats(path, "all", [name], coverage="center")
    assert stats[f"{name}_all"].item() == pytest.approx(BY_HAND[name], rel=1e-14)


def test_sigma_clipping_drops_outliers_step_by_step(tmp_path):
    """First 90 000, then 300, which 90 000 had hidden; 3 stays."""
    values = np.array([0, 1, -1] * 8 + [3, 300, 90_000, 0, 1, -1] * 2, dtype=np.float64).reshape(
        6, 6
    )
    path = worlds.write(tmp_path / "spikes.tif", worlds.patch(0, 0, 1.0, 6), values)
    cdb = CraterDatabase(worlds.table(0.0, 0.0, worlds.metres(4.0)), "moon")
    cdb.add_circles("all")
    names = ["clipped_mean", "clipped_std", "clipped_median", "mean"]
    stats = cdb.get_stats(path, "all", names, coverage="center").iloc[0]
    kept = np.sort(values, axis=None)[:-4]
    assert stats["clipped_mean_all"] == pytest.approx(6 / 32)
    assert stats["clipped_std_all"] == pytest.approx(kept.std())
    assert stats["clipped_median_all"] == 0.0
    assert stats["mean_all"] > 5000


def test_argmin_and_argmax_ask_for_both_coordinates(nine):
    cdb, path = nine
    stats = cdb.get_stats(path, "all", ["argmin", "mean", "argmax"], coverage="center")
    assert list(stats.columns[-5:]) == [
        "argmin_lon_all",
        "argmin_lat_all",
        "mean_all",
        "argmax_lon_all",
        "argmax_lat_all",
    ]


@pytest.mark.parametrize("name", ["count", "sum", "unique", "nodata"])
def test_whole_numbers_stay_whole(nine, name):
    cdb, path = nine
    stats = cdb.get_stats(path, "all", [name], coverage="center")
    assert stats[f"{name}_all"].dtype == np.int64


def test_functions_get_values_and_weights(nine):
    cdb, path = nine
    functions = {
        "spread": np.ptp,
        "builtin": max,
        "weighted": lambda values, weights: (values * weights).sum() / weights.sum(),
        "kind": lambda values: str(values.dtype),
    }
    stats = cdb.get_stats(path, "all", ["mean", functions], coverage="center").iloc[0]
    assert stats["spread_all"] == 7
    assert stats["builtin_all"] == 8
    assert stats["weighted_all"] == pytest.approx(stats["mean_all"])
    assert stats["kind_all"] == "float64"


def test_a_function_that_fails_is_named_with_its_row(nine):
    cdb, path = nine
    with pytest.raises(
        StatisticError, match=r"'broken' failed for row 0: ZeroDivisionError: division by zero"
    ):
        cdb.get_stats(path, "all", {"broken": lambda values: 1 / 0})


@pytest.mark.parametrize(
    ("stats", "message"),
    [
        ([], "no statistic"),
        ("maen", "did you mean 'mean'"),
        (["mean", "mean"], "twice"),
        ("percentile_101", "between 0 and 100"),
        ("percentile_", "unknown"),
        ("frac_x", "frac_ takes a number"),
        ("frac_", "frac_ takes a number"),
        ("frac_nan", "frac_ takes a number"),
        ("frac_1e999", "frac_ takes a number"),
        ("skew", "did you mean 'skewness'"),
        (["argmin", "argmin_lon"], "'argmin_lon' twice"),
        ([np.mean], "give a function a name"),
        ({"p": 90}, "no function"),
        ({"": np.mean}, "needs a name"),
        (3, "names and"),
    ],
)
def test_wrong_requests_are_refused(stats, message):
    with pytest.raises(StatisticError, match=message):
        parse_statistics(stats)


@pytest.fixture(scope="module", params=["uint8", "int16", "uint16", "int32", "float32", "float64"])
def noisy(request, tmp_path_factory):
    """A raster of noise with some no data, many craters on it, and all their pixels as arrays."""
    rng = np.random.default_rng(5)
    dtype = np.dtype(request.param)
    grid = worlds.lonlat(1.0)
    values = rng.integers(1, 200, grid.shape)
    values = values + rng.normal(size=grid.shape) if dtype.kind == "f" else values
    values = np.where(rng.random(grid.shape) < 0.1, 0, values).astype(dtype)
    folder = tmp_path_factory.mktemp("noisy")
    path = worlds.write(
        folder / "noise.tif", grid, values, dtype=request.param, nodata=0, scale=-0.5, offset=7.0
    )
    count = 40
    table = pd.DataFrame(
        {
            "lon": rng.uniform(-180, 180, count),
            "lat": np.degrees(np.arcsin(rng.uniform(-1, 1, count))),
            "radius_m": worlds.metres(1.0) * rng.uniform(0.2, 12, count),
        }
    )
    cdb = CraterDatabase(table, "moon")
    cdb.add_annuli("rim", 0.5, 1.5)
    return cdb, path


ORACLES = {
    "sum": np.sum,
    "mean": np.mean,
    "min": np.min,
    "max": np.max,
    "std": np.std,
    "var": np.var,
    "median": np.median,
    "percentile_12.5": lambda v: np.percentile(v, 12.5),
    "range": np.ptp,
    "unique": lambda v: np.unique(v).size,
    "majority": lambda v: scipy.stats.mode(v).mode,
}


@pytest.mark.parametrize("scaled", [True, False])
def test_statistics_equal_those_of_the_arrays(noisy, scaled):
    cdb, path = noisy
    stats = cdb.get_stats(path, "rim", list(ORACLES), scaled=scaled)
    arrays = cdb.get_arrays(path, "rim", scaled=scaled)["rim"]
    for name, oracle in ORACLES.items():
        expected = [oracle(a.compressed().astype(float)) if a.count() else np.nan for a in arrays]
        np.testing.assert_allclose(stats[f"{name}_rim"], expected, rtol=1e-9, err_msg=name)


def test_functions_equal_built_in_statistics(noisy):
    cdb, path = noisy
    stats = cdb.get_stats(
        path,
        "rim",
        ["mean", "std", {"own_mean": lambda v, w: np.average(v, weights=w), "own_std": np.std}],
        weights="area",
    )
    np.testing.assert_allclose(stats["own_mean_rim"], stats["mean_rim"], rtol=1e-9)


def weighted_quantile(values, weights, q):
    """Akinshin (2023) as it is written down: Σ x_i [F(t_i) − F(t_{i−1})]."""
    order = np.argsort(values)
    steps = np.concatenate([[0.0], np.cumsum(weights[order]) / weights.sum()])
    size = weights.sum() ** 2 / (weights**2).sum()
    h = q * (size - 1) + 1
    share = np.clip(size * steps - h + 1, 0.0, 1.0)
    return (values[order] * np.diff(share)).sum()


@pytest.mark.parametrize("options", [{"coverage": "fraction"}, {"weights": "area"}])
def test_weighted_statistics_equal_those_of_repeated_values(noisy, options):
    """Weighted moments and modes, from a function that is handed values and weights."""
    cdb, path = noisy
    kept = {}

    def keep(values, weights):
        kept[len(kept)] = values.astype(float), weights
        return 0.0

    stats = cdb.get_stats(
        path,
        "rim",
        [
            "mean",
            "var",
            "sum",
            "weight_sum",
            "majority",
            "percentile_30",
            {"k": keep},
        ],
        **options,
    )
    stats = stats[stats["weight_sum_rim"] > 0]
    for (values, weights), (_, row) in zip(kept.values(), stats.iterrows(), strict=True):
        assert row["weight_sum_rim"] == pytest.approx(weights.sum())
        assert row["sum_rim"] == pytest.approx((values * weights).sum())
        mean = np.average(values, weights=weights)
        assert row["mean_rim"] == pytest.approx(mean)
        assert row["var_rim"] == pytest.approx(np.average((values - mean) ** 2, weights=weights))
        distinct, where = np.unique(values, return_inverse=True)
        totals = np.bincount(where, weights)
        assert totals[distinct == row["majority_rim"]].item() == pytest.approx(totals.max())
        quantile = weighted_quantile(values, weights, 0.3)
        assert row["percentile_30_rim"] == pytest.approx(quantile, rel=1e-9)


def test_sums_of_large_integers_are_exact(tmp_path):
    values = np.full((3, 3), 2**31 - 1, dtype=np.int32)
    path = worlds.write(tmp_path / "big.tif", worlds.patch(0.5, 0.5, 1.0, 3), values, dtype="int32")
    cdb = CraterDatabase(worlds.table(0.5, 0.5, worlds.metres(1.45)), "moon")
    cdb.add_circles("all")
    stats = cdb.get_stats(path, "all", ["sum", "std"], coverage="center")
    assert stats["sum_all"].item() == 9 * (2**31 - 1)
    assert stats["std_all"].item() == 0.0
