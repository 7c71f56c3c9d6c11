"""Scan conversion of rings against shapely, exact areas and itself."""

import numpy as np
import pytest
import shapely
from hypothesis import example, given, settings
from hypothesis import strategies as st

from craterkit.footprints.scan import Frame, Rings, scan

HEIGHT, WIDTH = 24, 30
WHOLE = Frame(0, HEIGHT, 0.0, float(WIDTH))
COVERAGES = ("all_touched", "center", "fraction")
SEARCH = settings(max_examples=25, derandomize=True, database=None)


def star(rng, x, y, size):
    """A polygon that is rarely convex."""
    angle = np.sort(rng.uniform(0.0, 2 * np.pi, 14))
    reach = size * rng.uniform(0.3, 1.0, 14)
    corners = np.stack([x + reach * np.cos(angle), y + reach * np.sin(angle)], axis=1)
    return shapely.make_valid(shapely.Polygon(corners))


def oval(rng, x, y, size):
    """An inclined ellipse of straight edges."""
    angle = np.arange(40) * (2 * np.pi / 40) + rng.uniform(0.0, 6.0)
    flat, shift = rng.uniform(0.2, 1.0), rng.uniform(0.0, 3.0)
    across, down = size * np.cos(angle), size * flat * np.sin(angle + shift)
    return shapely.Polygon(np.stack([x + across, y + down], axis=1))


def ring(rng, x, y, size):
    """An oval with a hole of its own form."""
    outer = oval(rng, x, y, size)
    return outer - shapely.affinity.scale(outer, 0.6, 0.6)


def sieve(rng, x, y, size):
    """A polygon with several holes."""
    shape = star(rng, x, y, 1.5 * size)
    for _ in range(3):
        dx, dy = rng.uniform(-0.6, 0.6, 2) * size
        shape -= oval(rng, x + dx, y + dy, 0.2 * size)
    return shape


def scattered(rng, x, y, size):
    """Parts side by side, one of them with an island in its hole."""
    island = ring(rng, x, y, size) | oval(rng, x, y, 0.2 * size)
    return island | star(rng, x + 0.7 * size, y - size, size)


def block(rng, x, y, size):
    """A box whose sides lie on quarters of pixels, so often between two pixels."""
    x, y, width, height = np.round(4 * np.array([x, y, *rng.uniform(0.3, 1.0, 2) * size])) / 4
    return shapely.box(x, y, x + max(width, 0.25), y + max(height, 0.25))


def lattice(rng, x, y, size):
    """A polygon whose corners are corners and centres of pixels."""
    corners = shapely.get_coordinates(star(rng, x, y, size).convex_hull)
    return shapely.Polygon(np.round(2 * corners) / 2).buffer(0)


KINDS = (star, oval, ring, sieve, scattered, block, lattice)


def shapes_of(kind, seed, count=12):
    """Shapes inside the frame, across each of its sides, around it and off it."""
    rng = np.random.default_rng(seed)
    found = []
    for size in 10.0 ** rng.uniform(-0.7, 1.4, count):
        x, y = rng.uniform(-5.0, WIDTH + 5.0), rng.uniform(-5.0, HEIGHT + 5.0)
        parts = [part for part in shapely.get_parts(kind(rng, x, y, size)) if part.area > 1e-6]
        found.append(shapely.MultiPolygon([p for p in parts if p.geom_type == "Polygon"]))
    return found


def rings_of(shapes):
    """Rings as the scan wants them."""
    roi, hole, sign, corners = [], [], [], []
    for number, shape in enumerate(shapes):
        for part in shapely.get_parts(shape):
            for line in shapely.get_rings(part):
                roi.append(number)
                hole.append(not shapely.equals(line, part.exterior))
                # Anticlockwise with y up is clockwise with y down.
                sign.append(1.0 if line.is_ccw else -1.0)
                corners.append(shapely.get_coordinates(line)[:-1])
    points = np.concatenate(corners) if corners else np.zeros((0, 2))
    count = np.array([len(c) for c in corners], dtype=np.intp)
    return Rings(
        np.array(roi, dtype=np.intp),
        np.array(hole, dtype=bool),
        np.array(sign),
        count,
        points[:, 0],
        points[:, 1],
    )


def images(found, size, shape=(HEIGHT, WIDTH)):
    """Weights as images, one an ROI; on the way, what any spans must be."""
    spans = found.spans
    assert (spans.stop > spans.start).all()
    assert spans.start.min(initial=0) >= 0
    assert spans.stop.max(initial=0) <= shape[1]
    assert spans.row.min(initial=0) >= 0
    assert spans.row.max(initial=0) < shape[0]
    line = (spans.roi * shape[0] + spans.row) * (shape[1] + 1)
    # Each begins after the one before has ended.
    assert (line[1:] + spans.start[1:] >= line[:-1] + spans.stop[:-1]).all()
    weights = np.ones(spans.length.sum()) if found.weights is None else found.weights
    assert weights.size == spans.length.sum()
    assert (weights > 0).all()
    out = np.zeros((size, *shape))
    at = 0
    for roi, row, start, stop in zip(spans.roi, spans.row, spans.start, spans.stop, strict=True):
        out[roi, row, start:stop] = weights[at : at + stop - start]
        at += stop - start
    return out


def scanned(shapes, coverage, frame=WHOLE):
    return images(scan(rings_of(shapes), len(shapes), frame, coverage), len(shapes))


def shares(shape):
    """Area of a shape within every pixel."""
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    pixels = shapely.box(x, y, x + 1, y + 1)
    shapely.prepare(shape)
    found = np.zeros((HEIGHT, WIDTH))
    near = shapely.intersects(shape, pixels)
    found[near] = shapely.area(shapely.intersection(shape, pixels[near]))
    return found


def check(shapes):
    """Compare all three rules with shapely."""
    y, x = np.mgrid[:HEIGHT, :WIDTH] + 0.5
    results = [scanned(shapes, coverage) for coverage in COVERAGES]
    for shape, touched, center, fraction in zip(shapes, *results, strict=True):
        area = shares(shape)
        np.testing.assert_allclose(fraction, area, atol=1e-9)
        clear = (area < 1e-15) | (area > 1e-8)
        np.testing.assert_array_equal((touched > 0)[clear], (area > 0)[clear])
        if shape.is_empty:
            assert not center.any()
            continue
        on_edge = shapely.distance(shape.boundary, shapely.points(x, y)) < 1e-9
        inside = shapely.contains_xy(shape, x, y)
        np.testing.assert_array_equal((center > 0)[~on_edge], inside[~on_edge])


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
@SEARCH
@given(seed=st.integers(0, 2**32 - 1))
def test_pixels_are_those_of_shapely(kind, seed):
    check(shapes_of(kind, seed))


def test_shapes_of_all_kinds_at_once_are_scanned_as_each_alone():
    shapes = [shape for kind in KINDS for shape in shapes_of(kind, 5, 6)]
    for coverage in COVERAGES:
        together = scanned(shapes, coverage)
        for shape, image in zip(shapes, together, strict=True):
            np.testing.assert_allclose(scanned([shape], coverage)[0], image, atol=1e-12)


@pytest.mark.parametrize("coverage", COVERAGES)
def test_the_direction_of_rings_does_not_matter(coverage):
    shapes = [shape for kind in KINDS for shape in shapes_of(kind, 11, 6)]
    other_way = [shapely.reverse(shape) for shape in shapes]
    np.testing.assert_allclose(scanned(other_way, coverage), scanned(shapes, coverage), atol=1e-12)


@pytest.mark.parametrize("coverage", COVERAGES)
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_strips_of_rows_add_up_to_the_whole(kind, coverage):
    shapes = shapes_of(kind, 23, 20)
    strips = (Frame(start, start + 5, 0.0, float(WIDTH)) for start in range(0, HEIGHT - 4, 5))
    parts = [scanned(shapes, coverage, strip) for strip in strips]
    parts.append(scanned(shapes, coverage, Frame(20, HEIGHT, 0.0, float(WIDTH))))
    np.testing.assert_allclose(sum(parts), scanned(shapes, coverage), atol=1e-12)


@pytest.mark.parametrize("coverage", COVERAGES)
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_a_frame_that_ends_within_a_column_cuts_there(kind, coverage):
    shapes = shapes_of(kind, 31, 20)
    frame = Frame(0, HEIGHT, 0.0, 17.25)
    cut = [shapely.intersection(shape, shapely.box(-99, -99, 17.25, 99)) for shape in shapes]
    found = scanned(shapes, coverage, frame)
    assert not found[:, :, 18:].any()
    if coverage == "center":
        # The last column's centre lies beyond the end.
        expected = scanned(shapes, coverage)
        np.testing.assert_array_equal(found[:, :, :17], expected[:, :, :17])
    elif coverage == "fraction":
        expected = np.stack([shares(shape) for shape in cut])
        np.testing.assert_allclose(found, expected, atol=1e-9)
    else:
        expected = np.stack([shares(shape) for shape in cut])
        clear = (expected < 1e-15) | (expected > 1e-8)
        np.testing.assert_array_equal((found > 0)[clear], (expected > 0)[clear])


@given(
    left=st.integers(-3, WIDTH),
    top=st.integers(-3, HEIGHT),
    width=st.integers(1, WIDTH),
    height=st.integers(1, HEIGHT),
)
@example(left=0, top=0, width=WIDTH, height=HEIGHT)
@SEARCH
def test_boxes_of_whole_pixels_are_these_pixels(left, top, width, height):
    """Neither rounding nor the neighbours that they touch add or take a pixel."""
    expected = np.zeros((HEIGHT, WIDTH))
    expected[max(top, 0) : top + height, max(left, 0) : left + width] = 1.0
    shape = shapely.box(left, top, left + width, top + height)
    for coverage in COVERAGES:
        np.testing.assert_array_equal(scanned([shape], coverage)[0], expected)


@pytest.mark.parametrize("shift", [0.0, 1e-10, -1e-10])
def test_a_hole_of_whole_pixels_leaves_these_out(shift):
    hole = shapely.box(8 + shift, 7 - shift, 12 - shift, 11 + shift)
    shape = shapely.box(3, 4, 20, 18) - hole
    for coverage in COVERAGES:
        image = scanned([shape], coverage)[0]
        assert image.sum() == pytest.approx(17 * 14 - 16, abs=1e-6)
        assert image[7:11, 8:12].sum() == pytest.approx(0.0, abs=1e-6)


def test_a_shape_within_one_pixel_touches_it_and_holds_its_share():
    shapes = [shapely.box(4.2, 6.1, 4.4, 6.4), shapely.box(4.4, 6.4, 4.6, 6.6)]
    touched, center, fraction = (scanned(shapes, coverage) for coverage in COVERAGES)
    for image in touched:
        assert np.argwhere(image).tolist() == [[6, 4]]
    assert not center[0].any()
    assert np.argwhere(center[1]).tolist() == [[6, 4]]
    assert fraction[0, 6, 4] == pytest.approx(0.06)
    assert fraction[1, 6, 4] == pytest.approx(0.04)


def test_a_measure_weighs_what_lies_in_each_row():
    """With ∫ y² dy a box counts for its width times the difference of y³/3."""

    def measure(y_from, y_to):
        return (y_to**3 - y_from**3) / 3.0

    shape = shapely.box(2.25, 3.5, 9.5, 11.25) - shapely.box(4.0, 5.0, 6.5, 8.0)
    found = scan(rings_of([shape]), 1, WHOLE, "fraction", measure)
    image = images(found, 1)[0]
    expected = 7.25 * measure(3.5, 11.25) - 2.5 * measure(5.0, 8.0)
    assert image.sum() == pytest.approx(expected, rel=1e-12)
    assert image[3, 2] == pytest.approx(0.75 * measure(3.5, 4.0))


@pytest.mark.parametrize("coverage", COVERAGES)
def test_rings_off_the_frame_and_no_rings_have_no_pixels(coverage):
    away = [
        shapely.box(-9, 2, -3, 5),
        shapely.box(WIDTH, 2, WIDTH + 4, 5),
        shapely.box(2, -6, 5, 0),
        shapely.box(2, HEIGHT, 5, HEIGHT + 6),
    ]
    for shapes in (away, []):
        found = scan(rings_of(shapes), len(shapes), WHOLE, coverage)
        assert len(found.spans) == 0
        assert (found.weights is None) == (coverage != "fraction")


def test_the_area_of_rings_is_positive_where_the_sign_is_right():
    shapes = [shape for kind in KINDS for shape in shapes_of(kind, 3, 6)]
    rings = rings_of(shapes)
    signed = np.where(rings.hole, -rings.area, rings.area)
    assert (rings.area > 0).all()
    found = np.bincount(rings.roi, weights=signed, minlength=len(shapes))
    np.testing.assert_allclose(found, shapely.area(shapes), rtol=1e-9)
