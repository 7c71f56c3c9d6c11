"""Statistics by passes over values too many to hold are those of the same values in memory."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from craterkit.errors import RasterError
from craterkit.statistics.ordered import Groups, SortedGroups
from craterkit.statistics.registry import STATISTICS, parse_statistics
from craterkit.statistics.runs import Histogram, keys_of, values_of
from craterkit.statistics.streamed import Streamed

INTEGERS = ["uint8", "int8", "uint16", "int16", "uint32", "int32", "uint64", "int64"]
FLOATS = ["float32", "float64"]
PERCENTILES = [f"percentile_{n}" for n in (0, 3, 12.5, 50, 77, 100)]
EXACT = ["majority", "minority", "unique"]
ROUNDED = ["clipped_mean", "clipped_std", "clipped_median", "mad_std"]
ROUNDED += ["biweight_location", "biweight_scale"]


class Passes:
    """Passes over values in portions, counted."""

    def __init__(self, values, weights=None, portion=7):
        self.values, self.weights, self.portion, self.count = values, weights, portion, 0

    def __call__(self):
        self.count += 1
        for start in range(0, self.values.size, self.portion):
            part = slice(start, start + self.portion)
            yield self.values[part][:0], None if self.weights is None else self.weights[part][:0]
            yield self.values[part], None if self.weights is None else self.weights[part]

    def streamed(self, hold):
        return Streamed(self, self.values.dtype, hold=hold)


def together(values, weights=None):
    return SortedGroups(Groups(np.array([values.size]), values, weights))


def ask(groups, name):
    (statistic,) = parse_statistics(name).items
    return statistic.from_sorted(groups)


@st.composite
def worlds(draw, dtypes=(*INTEGERS, *FLOATS)):
    """Values with ties and outliers, in random order."""
    dtype = np.dtype(draw(st.sampled_from(dtypes)))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    size, distinct = draw(st.integers(0, 150)), draw(st.integers(1, 200))
    if dtype.kind == "f":
        values = rng.normal(draw(st.sampled_from([0, 1000])), 10, distinct).astype(dtype)
        values[: draw(st.integers(0, 3))] = 0.0
        values[: draw(st.integers(0, 2))] *= -1
    else:
        info = np.iinfo(dtype)
        near = draw(st.sampled_from([info.min, 0, info.max // 2 + 1]))
        values = near + rng.integers(0, min(info.max // 2, 500), distinct).astype(dtype)
    return rng.choice(values, size).astype(dtype), rng


HOLDS = st.integers(1, 60)


@given(worlds(), HOLDS, st.integers(1, 80), st.booleans())
def test_unweighted_statistics_are_those_in_memory(world, hold, portion, scaled):
    values, _ = world
    streamed, expected = Passes(values, portion=portion).streamed(hold), together(values)
    if scaled:
        streamed, expected = streamed.scaled(0.5, -20.25), expected.scaled(0.5, -20.25)
    for name in [*PERCENTILES, *EXACT]:
        found = ask(streamed, name)
        assert_array_equal(found, ask(expected, name), err_msg=name)
        assert found.dtype == ask(expected, name).dtype
    (found,), (shares,) = ask(streamed, "frac"), ask(expected, "frac")
    assert list(found.items()) == list(shares.items())
    assert_close(streamed, expected)


@given(worlds(), HOLDS, st.sampled_from([0, 1, 4, 12]), st.booleans())
def test_weighted_statistics_are_those_in_memory(world, hold, spread, scaled):
    values, rng = world
    weights = rng.random(values.size) * 10.0 ** -rng.integers(0, spread + 1, values.size)
    weights[rng.random(values.size) < 0.1] = 0.0
    streamed, expected = Passes(values, weights).streamed(hold), together(values, weights)
    if scaled:
        streamed, expected = streamed.scaled(2.0, 7.5), expected.scaled(2.0, 7.5)
    for name in EXACT:
        assert_array_equal(ask(streamed, name), ask(expected, name), err_msg=name)
    (found,), (shares,) = ask(streamed, "frac"), ask(expected, "frac")
    assert list(found) == list(shares)
    assert_allclose(list(found.values()), list(shares.values()), rtol=1e-12)
    assert_close(streamed, expected, PERCENTILES)


def assert_close(streamed, expected, names=()):
    assert_array_equal(streamed.count, expected.count)
    assert_allclose(streamed.weight, expected.weight, rtol=1e-12)
    spread = np.nan_to_num(expected.std).item() + np.nan_to_num(np.abs(expected.mean)).item()
    for name in [*ROUNDED, *names]:
        assert_allclose(
            ask(streamed, name), ask(expected, name), rtol=1e-12, atol=1e-12 * spread, err_msg=name
        )
    assert_allclose(streamed.mean, expected.mean, rtol=1e-12, atol=1e-12 * spread)
    assert_allclose(streamed.std, expected.std, rtol=1e-9, atol=1e-12 * spread)


@given(worlds(FLOATS), HOLDS, st.sampled_from([-1e38, 1e38, 3e-39]))
def test_outliers_do_not_spoil_what_lies_in_between(world, hold, outlier):
    values, rng = world
    values = np.concatenate([values, np.full(3, outlier, dtype=values.dtype)])
    rng.shuffle(values)
    streamed, expected = Passes(values).streamed(hold), together(values)
    for name in [*PERCENTILES, *EXACT, "mad_std"]:
        assert_array_equal(ask(streamed, name), ask(expected, name), err_msg=name)
    assert_allclose(streamed.clipped.mean, expected.clipped.mean, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("hold", [4, 10**6])
def test_an_outlier_does_not_spoil_a_weighted_median(hold):
    values = np.array([-1e38, 1.0, 2.0, 3.0, 1e38])
    weights = np.full(5, 0.3)
    assert together(values, weights).median.item() == 2.0
    assert Passes(values, weights).streamed(hold).median.item() == 2.0


@given(worlds(FLOATS), HOLDS, st.floats(0, 1))
@example((np.array([-0.0, 0.0, 5.0], dtype=np.float32), None), 1, 0.5)
def test_quantiles_are_those_of_numpy(world, hold, q):
    values, _ = world
    expected = np.quantile(values.astype(float), q) if values.size else np.nan
    assert_allclose(Passes(values).streamed(hold).quantile(q), expected, rtol=1e-12, atol=1e-12)


def test_equal_values_stay_exactly_equal():
    values = np.full(1000, np.float32(0.1))
    for weights in (None, np.random.default_rng(0).random(1000)):
        streamed = Passes(values, weights).streamed(2)
        assert ask(streamed, "percentile_33").item() == values[0]
        assert (streamed.mean.item(), streamed.std.item()) == (values[0], 0.0)
        assert ask(streamed, "biweight_location").item() == values[0]


def test_whole_numbers_beyond_double_precision_are_told_apart():
    values = 2**60 + np.arange(100)
    (shares,) = Passes(values).streamed(10).shares()
    assert list(shares) == values.tolist()
    assert Passes(values).streamed(10).unique().item() == 100


def test_whatever_has_weight_counts():
    values, weights = np.arange(100.0), np.full(100, 1e-10)
    weights[:3], weights[-3:] = 0.0, 1.0
    passes = Passes(values, weights)
    streamed = passes.streamed(50)
    assert streamed.count.item() == 97
    assert streamed.unique().item() == 97


@pytest.mark.parametrize("ask_for", ["median", "unique"])
def test_values_that_change_between_passes_are_an_error(ask_for):
    passes = Passes(np.arange(100.0))
    streamed = passes.streamed(20)
    assert streamed.count.item() == 100
    passes.values = passes.values[::2]
    with pytest.raises(RasterError, match="changed between two passes"):
        ask(streamed, ask_for)


def test_values_may_be_scaled_again():
    values = np.random.default_rng(0).normal(size=100)
    streamed = Passes(values).streamed(20).scaled(2.0, 1.0).scaled(4.0, -3.0)
    assert_allclose(streamed.median, np.median(values) * 8.0 + 1.0, rtol=1e-12)
    assert_allclose(streamed.clipped.scaled(0.5, 0.0).mean, streamed.clipped.mean / 2, rtol=1e-12)


@pytest.mark.parametrize("weights", [None, np.zeros(0), np.zeros(5)])
def test_nothing_gives_nan(weights):
    values = np.arange(0 if weights is None else weights.size, dtype=np.float32)
    streamed, expected = Passes(values, weights).streamed(2), together(values, weights)
    for name, statistic in STATISTICS.items():
        if statistic.from_sorted is not None:
            assert_array_equal(ask(streamed, name), ask(expected, name), err_msg=name)
    assert_array_equal([*streamed.mean, *streamed.std], np.nan)


@given(worlds())
def test_keys_are_in_the_order_of_the_values(world):
    values, _ = world
    keys = keys_of(values)
    assert_array_equal(np.sort(values), values_of(np.sort(keys), values.dtype))


@given(st.integers(0, 2**64 - 1), st.integers(0, 2**64 - 1), st.sampled_from([4, 64, 65536]))
def test_bins_hold_the_keys_within_their_bounds(low, high, bins):
    low, high = sorted([low, high])
    histogram = Histogram(low, high, 0, 2**64 - 1, bins=bins, weighted=False)
    for key in (0, low, (low + high) // 2, high, 2**64 - 1):
        own = histogram.bin_of(np.array([key], dtype=np.uint64)).item()
        first, last = histogram.bounds(own, own)
        assert first <= key <= last


@pytest.mark.parametrize("dtype", ["uint8", "int16"])
@pytest.mark.parametrize("weighted", [False, True])
def test_one_pass_is_enough_for_16_bits(dtype, weighted):
    rng = np.random.default_rng(0)
    values = rng.normal(100, 20, 10**5).astype(dtype)
    passes = Passes(values, rng.random(values.size) if weighted else None, portion=30000)
    streamed = passes.streamed(100)
    for name in [*PERCENTILES, *EXACT, *ROUNDED, "frac"]:
        ask(streamed, name)
    assert passes.count == 1


RASTERS = {
    "noise": lambda rng: rng.normal(1000, 50, 300_000),
    "gradient": lambda rng: np.linspace(-1, 1000, 300_000),
    "heavy ties": lambda rng: np.where(rng.random(300_000) < 0.7, 0, rng.normal(size=300_000)),
    "outliers first": lambda rng: np.r_[-3e38, 3e38, rng.normal(1e-3, 1e-9, 300_000)],
    "any size": lambda rng: 10 ** rng.uniform(-35, 35, 300_000),
}


@pytest.mark.parametrize(("dtype", "most"), [("float32", 3), ("float64", 5)])
@pytest.mark.parametrize("raster", RASTERS)
def test_medians_take_few_passes(raster, dtype, most):
    passes = Passes(RASTERS[raster](np.random.default_rng(0)).astype(dtype), portion=20_000)
    assert_array_equal(passes.streamed(65536).median, np.median(passes.values.astype(float)))
    assert passes.count <= most


def test_percentiles_share_their_passes():
    passes = Passes(RASTERS["noise"](np.random.default_rng(0)).astype("float32"), portion=20_000)
    streamed = passes.streamed(65536)
    for percent in range(0, 101, 5):
        streamed.quantile(percent / 100)
    assert passes.count == 2


@pytest.mark.parametrize("weighted", [False, True])
def test_memory_follows_what_may_be_held(weighted):
    rng, hold = np.random.default_rng(0), 100_000
    values = rng.normal(size=8 * hold)
    passes = Passes(values, rng.random(values.size) if weighted else None, portion=hold)
    tracemalloc.start()
    try:
        streamed = passes.streamed(hold)
        ask(streamed, "clipped_mean"), ask(streamed, "biweight_scale"), ask(streamed, "unique")
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 160 * hold + 20_000_000
