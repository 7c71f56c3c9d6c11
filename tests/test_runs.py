"""Runs of pixels against NumPy's booleans, and their connected areas against scipy.ndimage."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from scipy import ndimage

from craterkit.rasters.base import Window
from craterkit.selection.areas import label_runs
from craterkit.selection.runs import Runs

SHAPES = array_shapes(min_dims=2, max_dims=2, max_side=9)
MASKS = arrays(np.bool_, SHAPES)
PAIRS = SHAPES.flatmap(lambda shape: st.tuples(*[arrays(np.bool_, shape)] * 2))


def is_canonical(runs):
    """Whether runs are full, sorted, and neither share nor meet."""
    later = (np.diff(runs.row) > 0) | (runs.start[1:] > runs.stop[:-1])
    return bool((runs.length > 0).all() and (np.diff(runs.row) >= 0).all() and later.all())


def regrouped(label):
    """Labels numbered by where each first occurs."""
    order = {}
    return np.array([order.setdefault(value, len(order)) for value in label.tolist()], dtype=int)


@given(MASKS)
def test_a_mask_comes_back_and_pixels_are_in_its_order(mask):
    runs = Runs.from_mask(mask)
    assert is_canonical(runs)
    np.testing.assert_array_equal(runs.to_mask(mask.shape), mask)
    np.testing.assert_array_equal([runs.rows, runs.cols], np.nonzero(mask))
    assert runs.pixels == mask.sum()


@given(PAIRS)
@pytest.mark.parametrize("rule", [np.logical_and, np.logical_or, np.logical_xor, np.greater])
def test_sets_are_combined_as_booleans_are(rule, pair):
    one, other = pair
    runs = Runs.from_mask(one).combined(Runs.from_mask(other), rule)
    assert is_canonical(runs)
    np.testing.assert_array_equal(runs.to_mask(one.shape), rule(one, other))


@given(PAIRS)
def test_a_union_joins_runs_that_overlap_or_meet(pair):
    runs = Runs.union([Runs.from_mask(mask) for mask in pair])
    assert is_canonical(runs)
    np.testing.assert_array_equal(runs.to_mask(pair[0].shape), pair[0] | pair[1])


@given(MASKS, st.randoms())
def test_pixels_in_any_order_and_twice_are_one_set(mask, random):
    pixels = list(zip(*np.nonzero(mask), strict=True)) * 2
    random.shuffle(pixels)
    row, col = np.array(pixels, dtype=np.intp).reshape(-1, 2).T
    assert Runs.from_pixels(row, col).equals(Runs.from_mask(mask))


@given(MASKS, st.data())
def test_a_window_holds_its_part_of_the_pixels(mask, data):
    rows, cols = (
        sorted(data.draw(st.tuples(*[st.integers(0, size)] * 2), label="edges"))
        for size in mask.shape
    )
    window = Window(*rows, *cols)
    part = np.zeros_like(mask)
    part[slice(*rows), slice(*cols)] = mask[slice(*rows), slice(*cols)]
    assert Runs.from_mask(mask).within(window).equals(Runs.from_mask(part))


@given(MASKS)
@pytest.mark.parametrize("connectivity", [4, 8])
def test_areas_are_those_of_ndimage(connectivity, mask):
    runs = Runs.from_mask(mask)
    label, _ = ndimage.label(mask, np.ones((3, 3)) if connectivity == 8 else None)
    found = np.repeat(label_runs(runs, connectivity), runs.length)
    np.testing.assert_array_equal(found, regrouped(label[mask]))


@given(MASKS)
@pytest.mark.parametrize("connectivity", [4, 8])
def test_areas_across_the_seam_are_those_of_two_turns(connectivity, mask):
    """On two copies side by side all areas that go around hang together at the middle."""
    width = mask.shape[1]
    twice, count = ndimage.label(
        np.hstack([mask, mask]), np.ones((3, 3)) if connectivity == 8 else None
    )
    same = list(range(count + 1))
    for one, other in zip(twice[:, :width][mask], twice[:, width:][mask], strict=True):
        old, new = same[one], same[other]
        same = [new if value == old else value for value in same]
    runs = Runs.from_mask(mask)
    found = np.repeat(label_runs(runs, connectivity, width), runs.length)
    np.testing.assert_array_equal(found, regrouped(np.array(same)[twice[:, :width][mask]]))


@given(MASKS, st.integers(0, 8))
def test_turning_the_columns_of_a_globe_keeps_its_areas(mask, turn):
    def sizes(values):
        runs = Runs.from_mask(values)
        label = label_runs(runs, 8, values.shape[1])
        return sorted(np.bincount(label, runs.length).tolist())

    assert sizes(np.roll(mask, turn, axis=1)) == sizes(mask)


def test_half_a_globe_takes_little_memory():
    rows = np.arange(11_520)
    half = Runs(rows, np.zeros_like(rows), np.full_like(rows, 46_080))
    rest = Runs.full((23_040, 46_080)).combined(half, np.greater)
    assert rest.pixels == half.pixels == 11_520 * 46_080
    assert sum(values.nbytes for values in (rest.row, rest.start, rest.stop)) < 300_000
    assert label_runs(half, 8, 46_080).max() == 0
