"""The statistics of the field, on real footprints: against SciPy, astropy and plain NumPy.

Weighted ones are compared with the stated formulae, and where a weight counts as that many values,
with SciPy on repeated values.
"""

from __future__ import annotations

import astropy.stats
import numpy as np
import pandas as pd
import pyproj
import pytest
import rasterio
import scipy.stats
from affine import Affine

import worlds
from craterkit import CraterDatabase
from craterkit.extraction import batches, plan

WEIGHTED = [{"coverage": "fraction"}, {"weights": "area", "coverage": "center"}]


def clipped(values):
    return dict(
        zip(("mean", "median", "std"), astropy.stats.sigma_clipped_stats(values), strict=True)
    )


ORACLES = {
    "cv": scipy.stats.variation,
    "sem": scipy.stats.sem,
    "skewness": scipy.stats.skew,
    "kurtosis": scipy.stats.kurtosis,
    "circular_mean": lambda v: scipy.stats.circmean(v, high=360, low=0),
    "circular_std": lambda v: scipy.stats.circstd(v, high=360, low=0),
    "iqr": scipy.stats.iqr,
    "mode": lambda v: scipy.stats.mode(v).mode,
    "mad_std": astropy.stats.mad_std,
    "biweight_location": astropy.stats.biweight_location,
    "biweight_scale": astropy.stats.biweight_scale,
    "clipped_mean": lambda v: clipped(v)["mean"],
    "clipped_std": lambda v: clipped(v)["std"],
    "clipped_median": lambda v: clipped(v)["median"],
    "frac_12": lambda v: np.mean(v == 12),
    "frac_-3": lambda v: np.mean(v == -3),
}


def make_survey(folder, dtype, *, scale=None, offset=None):
    """Noise with outliers and gaps, and craters of all sizes on it, basins and a pole included."""
    rng = np.random.default_rng(3)
    grid = worlds.lonlat(1.0)
    values = np.round(rng.normal(20, 12, grid.shape) + rng.pareto(1.5, grid.shape).clip(0, 60))
    values = np.clip(values, 1 if np.dtype(dtype).kind == "u" else -60, 120)
    values = np.where(rng.random(grid.shape) < 0.1, 0, values)
    path = worlds.write(
        folder / f"{dtype}.tif",
        grid,
        values,
        dtype=dtype,
        nodata=0,
        scale=scale,
        offset=offset,
        block=16,
    )
    count = 40
    table = pd.DataFrame(
        {
            "lon": rng.uniform(-180, 180, count),
            "lat": np.degrees(np.arcsin(rng.uniform(-1, 1, count))),
            "radius_m": worlds.metres(1.0) * rng.uniform(1.5, 20, count),
        }
    )
    table.loc[0, ["lon", "lat"]] = 180.0, 90.0
    cdb = CraterDatabase(table, "moon")
    cdb.add_annuli("rim", 0.5, 1.5)
    return cdb, path


@pytest.fixture(scope="module", params=["uint8", "int16", "float32", "float64", "scaled"])
def survey(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("survey")
    if request.param == "scaled":
        return make_survey(folder, "int16", scale=-0.5, offset=22.0)
    return make_survey(folder, request.param)


@pytest.fixture(scope="module")
def scaled(tmp_path_factory):
    return make_survey(tmp_path_factory.mktemp("scaled"), "int16", scale=-0.5, offset=22.0)


def test_statistics_equal_those_of_the_arrays(survey):
    cdb, path = survey
    stats = cdb.get_stats(path, "rim", list(ORACLES))
    arrays = [a.compressed().astype(float) for a in cdb.get_arrays(path, "rim")["rim"]]
    assert min(a.size for a in arrays) > 1
    for name, oracle in ORACLES.items():
        expected = [oracle(a) for a in arrays]
        np.testing.assert_allclose(
            stats[f"{name}_rim"], expected, rtol=1e-9, atol=1e-11, err_msg=name
        )


def test_shares_of_all_values(survey):
    cdb, path = survey
    stats = cdb.get_stats(path, "rim", ["frac", "frac_25", "unique"])
    for (_, row), array in zip(stats.iterrows(), cdb.get_arrays(path, "rim")["rim"], strict=True):
        distinct, count = np.unique(array.compressed().astype(float), return_counts=True)
        assert list(row["frac_rim"]) == distinct.tolist()
        np.testing.assert_allclose(list(row["frac_rim"].values()), count / count.sum())
        assert row["frac_25_rim"] == pytest.approx(row["frac_rim"].get(25, 0.0))
        assert len(row["frac_rim"]) == row["unique_rim"]


def test_places_of_extremes_hold_them(survey):
    """The first pixel with the extreme, of those whose centres lie in the annulus."""
    cdb, path = survey
    names = ["min", "max", "argmin", "argmax"]
    stats = cdb.get_stats(path, "rim", names, coverage="center")
    with rasterio.open(path) as file:
        raw = file.read(1)
        values = np.where(raw == 0, np.nan, raw * file.scales[0] + file.offsets[0])
    grid = worlds.lonlat(1.0)
    lon, lat = grid.mesh
    features = zip(cdb.lon, cdb.lat, cdb.rad, strict=True)
    for (_, row), (lon0, lat0, radius) in zip(stats.iterrows(), features, strict=True):
        distance = worlds.distance(lon0, lat0, lon, lat) / np.degrees(radius / worlds.MOON)
        own = np.where((distance > 0.5) & (distance <= 1.5), values, np.nan)
        for name, extreme, first in (
            ("min", np.nanmin(own), np.nanargmin(own)),
            ("max", np.nanmax(own), np.nanargmax(own)),
        ):
            assert row[f"{name}_rim"] == pytest.approx(extreme)
            assert row[f"arg{name}_lon_rim"] == pytest.approx(lon.flat[first], abs=1e-9)
            assert row[f"arg{name}_lat_rim"] == pytest.approx(lat.flat[first], abs=1e-9)


@pytest.mark.parametrize("west", [-180.0, 0.0])
def test_longitudes_of_extremes_do_not_depend_on_the_rasters_convention(tmp_path, west):
    grid = worlds.lonlat(1.0, west)
    path = worlds.write(tmp_path / "lon.tif", grid, lambda lon, lat: np.sin(np.radians(lon + 170)))
    cdb = CraterDatabase(worlds.table(-170.0, 0.0, worlds.metres(8.2)), "moon")
    cdb.add_circles("c")
    stats = cdb.get_stats(path, "c", ["argmax", "argmin"], coverage="center")
    assert stats["argmax_lon_c"].item() == pytest.approx(-162.5)
    assert stats["argmin_lon_c"].item() == pytest.approx(-177.5)


def weighted_median(values, weights):
    """Akinshin (2023) as it is written down: Σ x_i [F(t_i) − F(t_{i−1})]."""
    order = np.argsort(values)
    steps = np.concatenate([[0.0], np.cumsum(weights[order]) / weights.sum()])
    size = weights.sum() ** 2 / (weights**2).sum()
    share = np.clip(size * steps - (0.5 * (size - 1) + 1) + 1, 0.0, 1.0)
    return (values[order] * np.diff(share)).sum()


def weighted_by_formula(values, weights):
    """Every statistic as its formula says, one ROI at a time."""
    total = weights.sum()
    mean = (weights * values).sum() / total

    def moment(k):
        return (weights * (values - mean) ** k).sum() / total

    std = np.sqrt(moment(2))
    effective = total**2 / (weights**2).sum()
    angle = np.radians(values)
    sine, cosine = (weights * np.sin(angle)).sum(), (weights * np.cos(angle)).sum()
    median = weighted_median(values, weights)
    mad = weighted_median(np.abs(values - median), weights)
    location, scale = ((values - median) / (c * mad) for c in (6, 9))
    near = np.abs(location) < 1
    share = weights * near * (1 - location**2) ** 2
    close = np.abs(scale) < 1
    squares = (weights * close * (values - median) ** 2 * (1 - scale**2) ** 4).sum()
    norm = (weights * close * (1 - scale**2) * (1 - 5 * scale**2)).sum()
    kept, own = values, weights
    for _ in range(5):
        centre, middle = weighted_median(kept, own), np.average(kept, weights=own)
        reach = 3 * np.sqrt(np.average((kept - middle) ** 2, weights=own))
        inside = np.abs(kept - centre) <= reach
        kept, own = kept[inside], own[inside]
    middle = np.average(kept, weights=own)
    return {
        "cv": std / mean,
        "sem": std / np.sqrt(effective - 1),
        "skewness": moment(3) / std**3,
        "kurtosis": moment(4) / std**4 - 3,
        "circular_mean": np.degrees(np.arctan2(sine, cosine)) % 360,
        "circular_std": np.degrees(np.sqrt(-2 * np.log(np.hypot(sine, cosine) / total))),
        "mad_std": mad / scipy.stats.norm.ppf(0.75),
        "biweight_location": median + (share * (values - median)).sum() / share.sum(),
        "biweight_scale": np.sqrt(total * squares) / abs(norm),
        "clipped_mean": middle,
        "clipped_std": np.sqrt(np.average((kept - middle) ** 2, weights=own)),
        "clipped_median": weighted_median(kept, own),
        "frac_12": weights[values == 12].sum() / total,
    }


@pytest.mark.parametrize("options", WEIGHTED)
def test_weighted_statistics_follow_their_formulae(survey, options):
    cdb, path = survey
    names = list(weighted_by_formula(np.array([1.0, 3.0, 4.0]), np.ones(3)))
    stats = cdb.get_stats(
        path, "rim", [*names, {"pixels": lambda values, weights: (values, weights)}], **options
    )
    for _, row in stats.iterrows():
        expected = weighted_by_formula(*row["pixels_rim"])
        for name in names:
            assert row[f"{name}_rim"] == pytest.approx(expected[name], rel=1e-9, abs=1e-11), name


@pytest.mark.parametrize("options", [{}, *WEIGHTED])
def test_chunks_and_threads_change_nothing(scaled, options, monkeypatch):
    cdb, path = scaled
    names = [*ORACLES, "argmin", "argmax", "area", "frac"]
    whole = cdb.get_stats(path, "rim", names, n_jobs=1, **options)
    monkeypatch.setattr(plan, "CHUNK_PIXELS", 1)
    monkeypatch.setattr(batches, "BATCH_ROWS", 50)
    monkeypatch.setattr(batches, "PORTION_PIXELS", 100)
    pieces = cdb.get_stats(path, "rim", names, n_jobs=2, **options)
    for one, other in zip(whole.pop("frac_rim"), pieces.pop("frac_rim"), strict=True):
        assert list(one) == list(other)
        np.testing.assert_allclose(list(one.values()), list(other.values()), rtol=1e-9)
    for column in whole.columns:
        np.testing.assert_allclose(
            pieces[column], whole[column], rtol=1e-9, atol=1e-11, err_msg=column
        )
    for column in ("argmin_lon_rim", "argmin_lat_rim", "argmax_lon_rim", "argmax_lat_rim"):
        np.testing.assert_array_equal(pieces[column], whole[column])


AREA_LATITUDES = [0.0, 60.0, 85.0, 90.0]


@pytest.mark.parametrize("weights", [None, "area"])
@pytest.mark.parametrize("lon", [0.0, 180.0])
def test_area_is_that_of_the_ground_whatever_weighs(tmp_path, weights, lon):
    path = worlds.write(tmp_path / "ones.tif", worlds.lonlat(0.5), np.float64(1.0))
    table = worlds.table(np.full(4, lon), AREA_LATITUDES, worlds.metres(10.0))
    cdb = CraterDatabase(table, "moon")
    cdb.add_annuli("ring", 0.5, 1)
    stats = cdb.get_stats(path, "ring", "area", coverage="fraction", weights=weights)
    # A share is that of a rectangle on the map, whose rows are not of one area: worst at a pole.
    tolerance = 1e-4 if weights else 1e-3
    np.testing.assert_allclose(stats["area_ring"], worlds.annulus_area(5, 10), rtol=tolerance)


@pytest.mark.parametrize("coverage", ["center", "all_touched"])
def test_area_of_whole_pixels_is_their_weight(scaled, coverage):
    cdb, path = scaled
    stats = cdb.get_stats(path, "rim", ["area", "weight_sum"], coverage=coverage, weights="area")
    plain = cdb.get_stats(path, "rim", "area", coverage=coverage)
    np.testing.assert_allclose(plain["area_rim"], stats["weight_sum_rim"], rtol=1e-12)
    np.testing.assert_array_equal(stats["area_rim"], stats["weight_sum_rim"])


def test_area_does_not_depend_on_a_raster_of_weights(scaled, tmp_path):
    cdb, path = scaled
    heavy = worlds.write(
        tmp_path / "heavy.tif", worlds.lonlat(1.0), lambda lon, lat: 2 + np.cos(np.radians(lon))
    )
    for coverage in ("center", "fraction"):
        stats = cdb.get_stats(path, "rim", ["area", "weight_sum"], coverage=coverage, weights=heavy)
        plain = cdb.get_stats(path, "rim", ["area", "weight_sum"], coverage=coverage)
        np.testing.assert_allclose(stats["area_rim"], plain["area_rim"], rtol=1e-12)
        assert (stats["weight_sum_rim"] > plain["weight_sum_rim"]).all()


def test_places_and_areas_on_a_polar_map(tmp_path):
    """A south polar stereographic raster, whose pixels were measured by hand."""
    crs = pyproj.CRS.from_user_input("IAU_2015:30135")
    step, size = 5000.0, 200
    edge = step * size / 2
    path = tmp_path / "south.tif"
    row, column = np.mgrid[:size, :size]
    with rasterio.open(
        path,
        "w",
        driver="GTiff",
        width=size,
        height=size,
        count=1,
        dtype="float64",
        crs=rasterio.CRS.from_wkt(crs.to_wkt()),
        transform=Affine(step, 0, -edge, 0, -step, edge),
    ) as file:
        file.write(np.hypot(row - 80, column - 120), 1)
    cdb = CraterDatabase(worlds.table([40.0], [-88.0], worlds.metres(6.0)), "moon")
    cdb.add_circles("c")
    stats = cdb.get_stats(path, "c", ["area", "argmin"], coverage="fraction").iloc[0]
    assert stats["area_c"] == pytest.approx(worlds.annulus_area(0, 6), rel=1e-3)
    # The centre of row 80, column 120 lies 20.5 steps east of the pole and 19.5 towards lon 0.
    x, y = 20.5 * step, 19.5 * step
    assert stats["argmin_lon_c"] == pytest.approx(np.degrees(np.arctan2(x, y)))
    colatitude = 2 * np.degrees(np.arctan(np.hypot(x, y) / (2 * worlds.MOON)))
    assert stats["argmin_lat_c"] == pytest.approx(colatitude - 90)


def test_area_leaves_out_what_is_no_data(tmp_path):
    grid = worlds.lonlat(1.0)
    path = worlds.write(
        tmp_path / "half.tif", grid, lambda lon, lat: np.where(lon < 0, -1.0, 1.0), nodata=-1.0
    )
    cdb = CraterDatabase(worlds.table(0.0, [0.0, 50.0], worlds.metres(12.0)), "moon")
    cdb.add_circles("c")
    stats = cdb.get_stats(path, "c", "area", coverage="fraction")
    np.testing.assert_allclose(stats["area_c"], worlds.annulus_area(0, 12) / 2, rtol=1e-3)


def test_without_valid_pixels_there_is_nothing_but_amounts(tmp_path):
    path = worlds.write(tmp_path / "void.tif", worlds.lonlat(2.0), np.float64(0.0), nodata=0.0)
    cdb = CraterDatabase(worlds.table([10.0, 40.0], 0.0, worlds.metres(5.0)), "moon")
    cdb.add_circles("rim")
    names = [*ORACLES, "argmin", "argmax"]
    stats = cdb.get_stats(path, "rim", [*names, "area", "frac"])
    assert stats["area_rim"].tolist() == [0.0, 0.0]
    assert stats["frac_rim"].tolist() == [{}, {}]
    assert (
        stats[[c for c in stats.columns if c.endswith("_rim")]]
        .drop(columns=["area_rim", "frac_rim"])
        .isna()
        .all(axis=None)
    )


def test_a_constant_has_no_shape_and_no_scatter(tmp_path):
    """Nor do weights, chunks and rounding give it one."""
    path = worlds.write(tmp_path / "c.tif", worlds.lonlat(1.0), np.float64(0.1), dtype="float64")
    cdb = CraterDatabase(worlds.table([0.0, 90.0], [0.0, 88.0], worlds.metres(9.0)), "moon")
    cdb.add_circles("c")
    names = ["skewness", "kurtosis", "mad_std", "biweight_scale", "clipped_std", "iqr"]
    locations = ["biweight_location", "clipped_mean", "clipped_median", "mode"]
    stats = cdb.get_stats(
        path, "c", names + locations + ["circular_mean"], coverage="fraction", weights="area"
    )
    assert stats[["skewness_c", "kurtosis_c"]].isna().all(axis=None)
    assert (stats[[f"{name}_c" for name in names[2:]]] == 0.0).all(axis=None)
    assert (stats[[f"{name}_c" for name in locations]] == 0.1).all(axis=None)
    np.testing.assert_allclose(stats["circular_mean_c"], 0.1, rtol=1e-12)


def test_single_precision_far_from_zero_gives_the_double_precision_answer(tmp_path):
    rng = np.random.default_rng(8)
    grid = worlds.lonlat(1.0)
    values = (1_737_400 + rng.gamma(2.0, 1.0, grid.shape)).astype(np.float32)
    path = worlds.write(tmp_path / "radius.tif", grid, values, dtype="float32")
    cdb = CraterDatabase(worlds.table(20.0, 10.0, worlds.metres(25.0)), "moon")
    cdb.add_circles("c")
    pixels = cdb.get_arrays(path, "c")["c"].item().compressed().astype(np.float64)
    for name in ("cv", "sem", "skewness", "kurtosis", *list(ORACLES)[8:14]):
        stats = cdb.get_stats(path, "c", name)
        assert stats[f"{name}_c"].item() == pytest.approx(ORACLES[name](pixels), rel=1e-8), name


@pytest.mark.parametrize(
    ("dtype", "scale", "offset", "raw", "name", "others"),
    [
        ("int16", None, None, -1, "frac_-1", ["frac_1", "frac_-1.5", "frac_70000"]),
        ("uint8", 0.1, None, 3, "frac_0.3", ["frac_3", "frac_0.31"]),
        ("int16", -0.5, 1000.0, 3, "frac_998.5", ["frac_998.6", "frac_3"]),
        ("float32", None, None, 0.1, "frac_0.1", ["frac_0.1001"]),
        ("float64", None, None, 2.5e-8, "frac_2.5e-8", ["frac_0"]),
        ("float64", 0.1, 5.0, 0.3, "frac_5.03", ["frac_0.3", "frac_5.030001"]),
        ("float32", 0.1, 5.0, 0.3, "frac_5.03", ["frac_0.3", "frac_5.031"]),
        ("int64", None, None, 2**53 + 1, "frac_9007199254740993", ["frac_9007199254740992"]),
    ],
)
def test_shares_of_values_as_users_write_them(tmp_path, dtype, scale, offset, raw, name, others):
    values = np.array([[raw, 7], [raw, raw]], dtype=dtype)
    path = worlds.write(
        tmp_path / "class.tif",
        worlds.patch(0, 0, 1.0, 2),
        values,
        dtype=dtype,
        scale=scale,
        offset=offset,
    )
    cdb = CraterDatabase(worlds.table(0.0, 0.0, worlds.metres(0.9)), "moon")
    cdb.add_circles("c")
    stats = cdb.get_stats(path, "c", [name, *others], coverage="center")
    assert stats[f"{name}_c"].item() == 0.75
    assert [stats[f"{other}_c"].item() for other in others] == [0.0] * len(others)


def test_shares_of_raw_numbers(scaled):
    cdb, path = scaled
    raw = cdb.get_stats(path, "rim", "frac_20", scaled=False)
    physical = cdb.get_stats(path, "rim", "frac_12")
    np.testing.assert_array_equal(raw["frac_20_rim"], physical["frac_12_rim"])
