"""The algebra of spans, against sets of pixels."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from craterkit.footprints.spans import Footprints, Spans, ranges

RUN = st.tuples(st.integers(0, 3), st.integers(-1, 4), st.integers(0, 8), st.integers(0, 5))
RUNS = st.lists(RUN, max_size=12)


def spans_of(runs):
    """Runs as (roi, row, start, length), in order and joined."""
    roi, row, start, length = np.array(runs, dtype=np.intp).reshape(-1, 4).T
    return Spans.union(roi, row, start, start + length)


def pixels_of(spans):
    """Every pixel as (roi, row, column), in order."""
    return [
        (int(roi), int(row), column)
        for roi, row, start, stop in zip(spans.roi, spans.row, spans.start, spans.stop, strict=True)
        for column in range(start, stop)
    ]


@given(RUNS, RUNS)
def test_covered_pixels_are_those_of_both(runs, others):
    spans = spans_of(runs)
    roi, row, start, length = np.array(others, dtype=np.intp).reshape(-1, 4).T
    # In any order, overlapping and empty.
    other = Spans(roi, row, start, start + length)
    inside = set(pixels_of(other))
    expected = [pixel in inside for pixel in pixels_of(spans)]
    np.testing.assert_array_equal(spans.covered(other), expected)


@given(RUNS, st.integers(0, 2**32 - 1), st.booleans())
def test_kept_pixels_are_those_taken(runs, seed, weighted):
    spans = spans_of(runs)
    rng = np.random.default_rng(seed)
    pixels = pixels_of(spans)
    taken = rng.random(len(pixels)) < 0.6
    weights = rng.random(len(pixels)) if weighted else None
    kept = Footprints(spans, weights).keep(taken)
    assert pixels_of(kept.spans) == [p for p, t in zip(pixels, taken, strict=True) if t]
    assert (kept.spans.length > 0).all()
    if weighted:
        np.testing.assert_array_equal(kept.weights, weights[taken])
    else:
        assert kept.weights is None


def test_weighting_keeps_the_shares():
    spans = spans_of([(0, 0, 0, 3)])
    factor = np.array([2.0, 0.0, 5.0])
    plain = Footprints(spans).weighted(factor)
    np.testing.assert_array_equal(plain.weights, factor)
    np.testing.assert_array_equal(plain.shares, [1, 1, 1])
    shared = Footprints(spans, np.array([0.5, 1.0, 0.1])).weighted(factor)
    np.testing.assert_array_equal(shared.weights, [1, 0, 0.5])
    np.testing.assert_array_equal(shared.shares, [0.5, 1.0, 0.1])


@given(st.lists(st.tuples(st.integers(-9, 9), st.integers(0, 5)), max_size=8))
def test_ranges_follow_each_other(parts):
    start, length = np.array(parts, dtype=np.intp).reshape(-1, 2).T
    expected = [n for first, count in parts for n in range(first, first + count)]
    np.testing.assert_array_equal(ranges(start, length), expected)
