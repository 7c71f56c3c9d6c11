"""Moments, directions and robust estimates by themselves: merging, scaling, invariances."""

from __future__ import annotations

import warnings

import astropy.stats
import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from craterkit.rasters.base import Band
from craterkit.statistics.directions import COSINES, SINES, circular_mean, circular_std
from craterkit.statistics.moments import Moments, Need, Piece
from craterkit.statistics.ordered import Groups, SortedGroups
from craterkit.statistics.robust import biweight_location, biweight_scale, mad_std
from craterkit.statistics.valid_pixels import ValidPixels

BAND = Band(1, np.dtype(np.float64), (), True, 1.0, 0.0, False, "")
TALLIES = (SINES, COSINES)


def moments_of(values, weights=None, cuts=()):
    """Moments of one ROI whose pixels come in pieces, the last piece first."""
    moments = Moments(1, integer=False, tallies=TALLIES)
    values = np.asarray(values, dtype=np.float64)
    for part in np.split(np.arange(values.size), sorted(cuts))[::-1]:
        if part.size:
            pixels = ValidPixels.among(
                np.array([0]),
                np.array([0]),
                values[part],
                None,
                None if weights is None else np.asarray(weights, dtype=np.float64)[part],
                BAND,
                scaled=True,
                places=part,
            )
            moments.add(Piece.of(pixels, Need.SHAPE | Need.PLACES, TALLIES))
    return moments


NUMBERS = st.lists(st.integers(-50, 50), min_size=2, max_size=30)
FACTORS = st.sampled_from([-3.0, -0.5, 0.25, 2.0])
SHIFTS = st.sampled_from([-100.0, 0.0, 5.5, 1000.0])


@given(NUMBERS, st.lists(st.integers(0, 30), max_size=5), st.data())
def test_whole_weights_are_repeated_values_in_any_pieces(values, cuts, data):
    weights = data.draw(
        st.lists(st.integers(0, 4), min_size=len(values), max_size=len(values)).filter(any)
    )
    moments = moments_of(values, weights, cuts)
    repeated = np.repeat(values, weights).astype(float)
    assert moments.std.item() == pytest.approx(repeated.std(), abs=1e-12)
    with warnings.catch_warnings():
        # SciPy warns of constants.
        warnings.simplefilter("ignore", RuntimeWarning)
        expected = scipy.stats.skew(repeated), scipy.stats.kurtosis(repeated)
    found = moments.skewness.item(), moments.kurtosis.item()
    assert found == pytest.approx(expected, rel=1e-9, abs=1e-9, nan_ok=True)
    length = np.hypot(np.cos(np.radians(repeated)).sum(), np.sin(np.radians(repeated)).sum())
    if length > 1e-6 * repeated.size:
        angle = circular_mean(moments).item() - scipy.stats.circmean(repeated, high=360)
        assert np.sin(np.radians(angle / 2)) == pytest.approx(0, abs=1e-6)


@given(NUMBERS, FACTORS, SHIFTS)
def test_moments_of_scaled_values_are_scaled_moments(values, scale, offset):
    scaled_moments = moments_of(values, cuts=[3]).scaled(scale, offset)
    direct = moments_of(np.asarray(values) * scale + offset)
    for name in ("mean", "variance", "skewness", "kurtosis", "low", "high"):
        found, expected = getattr(scaled_moments, name), getattr(direct, name)
        np.testing.assert_allclose(found, expected, rtol=1e-7, atol=1e-9, err_msg=name)
    assert scaled_moments.low_place.item() == direct.low_place.item()
    assert scaled_moments.high_place.item() == direct.high_place.item()


@given(NUMBERS, st.lists(st.integers(0, 30), max_size=5))
def test_places_are_of_the_first_of_equals(values, cuts):
    moments = moments_of(values, cuts=cuts)
    assert moments.low_place.item() == np.argmin(values)
    assert moments.high_place.item() == np.argmax(values)


@pytest.mark.parametrize("dtype", [np.int16, np.uint16, np.int32])
@pytest.mark.parametrize("size", [7, 70_000])
def test_squares_of_integers_do_not_lose_small_differences(dtype, size):
    largest = np.iinfo(dtype).max
    rng = np.random.default_rng(size)
    values = (largest - rng.integers(0, 3, size)).astype(dtype)
    for spread in (values, np.full(size, largest, dtype=dtype)):
        band = Band(1, spread.dtype, (), True, 1.0, 0.0, False, "")
        start = np.array([0, 3])
        pixels = ValidPixels.among(np.arange(2), start, spread, None, None, band, scaled=False)
        moments = Moments(2, integer=True)
        moments.add(Piece.of(pixels, Need.SQUARES))
        parts = np.split((spread.astype(np.int64) - largest).astype(float), [3])
        expected = [part.var() for part in parts]
        np.testing.assert_allclose(moments.variance, expected, rtol=1e-6, atol=1e-12)
        assert moments.total.tolist() == [
            int(part.sum()) + part.size * int(largest) for part in parts
        ]


ROBUST = {
    "location": [lambda g: g.median, biweight_location, lambda g: g.clipped.mean],
    "scale": [lambda g: g.std, mad_std, biweight_scale, lambda g: g.clipped.std],
}


@given(NUMBERS, FACTORS, SHIFTS, st.booleans())
def test_robust_estimates_follow_shifts_and_factors(values, factor, shift, weigh):
    values = np.asarray(values, dtype=float)
    weights = 0.5 + np.arange(values.size) % 3 if weigh else None
    count = np.array([values.size])
    plain = SortedGroups(Groups(count, values, weights))
    moved = SortedGroups(Groups(count, values * factor + shift, weights))
    for location in ROBUST["location"]:
        np.testing.assert_allclose(
            location(moved), location(plain) * factor + shift, rtol=1e-9, atol=1e-9
        )
    for scale in ROBUST["scale"]:
        np.testing.assert_allclose(scale(moved), scale(plain) * abs(factor), rtol=1e-9, atol=1e-9)


@given(st.lists(NUMBERS | st.just([]), min_size=1, max_size=5), st.integers(0, 2**32 - 1))
def test_robust_estimates_of_many_groups_are_those_of_astropy(groups, seed):
    rng = np.random.default_rng(seed)
    groups = [np.asarray(g, dtype=float) + rng.standard_cauchy(len(g)) for g in groups]
    count = np.array([g.size for g in groups])
    together = SortedGroups(Groups(count, np.concatenate(groups), None))
    equal = SortedGroups(Groups(count, np.concatenate(groups), np.full(count.sum(), 0.3)))
    oracles = {
        mad_std: astropy.stats.mad_std,
        biweight_location: astropy.stats.biweight_location,
        biweight_scale: astropy.stats.biweight_scale,
    }
    for function, oracle in oracles.items():
        expected = [oracle(g) if g.size else np.nan for g in groups]
        np.testing.assert_allclose(function(together), expected, rtol=1e-9)
        np.testing.assert_allclose(function(equal), expected, rtol=1e-7)
    nothing = np.full(3, np.nan)
    expected = [astropy.stats.sigma_clipped_stats(g) if g.size else nothing for g in groups]
    clipped = together.clipped
    found = np.transpose([clipped.mean, clipped.median, clipped.std])
    np.testing.assert_allclose(found, expected, rtol=1e-9)


@given(st.lists(st.floats(0, 360), min_size=1, max_size=20), st.floats(-720, 720))
def test_directions_turn_with_north(values, turn):
    plain = moments_of(values)
    turned = moments_of(np.asarray(values) + turn)
    spread = circular_std(plain).item()
    assert circular_std(turned).item() == pytest.approx(spread, rel=1e-6, abs=1e-5) or spread > 300
    if spread < 300:
        half = (circular_mean(turned) - circular_mean(plain) - turn) / 2
        assert np.sin(np.radians(half.item())) == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("values", [[0, 180], [0, 90, 180, 270], [10, 130, 250]])
def test_directions_that_cancel_have_no_mean(values):
    moments = moments_of(values)
    assert np.isnan(circular_mean(moments)).all()
    assert np.isinf(circular_std(moments)).all()


def test_north_is_0_not_360():
    mean = circular_mean(moments_of([350.0, 10.0])).item()
    assert 0 <= mean < 360
    assert min(mean, 360 - mean) == pytest.approx(0, abs=1e-12)
    assert circular_mean(moments_of([-1e-15])).item() == 0.0
