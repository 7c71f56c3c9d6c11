"""Definitions of regions: what belongs to them, their outlines, and what cannot be one."""

from __future__ import annotations

import pickle
from itertools import pairwise

import numpy as np
import pytest
import shapely

from craterkit.errors import RegionError
from craterkit.regions import Annulus, Ellipse, Polygons, Region, Regions, RoundRegion, Sector

N = 5
RADIUS = np.linspace(1e3, 5e4, N)
BY_FEATURE = np.linspace(1.0, 1.4, N)

ROUND = {
    "circle": Annulus.circle(1.0),
    "annulus": Annulus(0.5, 2.0),
    "ellipse": Ellipse(1.5, 0.5, 30.0, size=1.2),
    "ellipses": Ellipse(BY_FEATURE, BY_FEATURE / 3, BY_FEATURE * 100),
    "sector": Sector(0.5, 1.5, 20.0, 75.0),
    "wedge": Sector(0.0, 1.0, 300.0, 10.0),
    "sectors": Sector(1.0, 3.0, BY_FEATURE * 100, BY_FEATURE * 150),
}
SQUARES = Polygons(shapely.box(np.arange(N), 0.0, np.arange(N) + 1.0, 1.0))
ALL = {**ROUND, "polygons": SQUARES}


def corners(outline, n=N):
    """Vertices of outlines in the tangent plane, (n, k, 2): east and north."""
    azimuth, distance = np.broadcast_arrays(np.radians(outline.azimuth), outline.distance)
    plane = np.stack([distance * np.sin(azimuth), distance * np.cos(azimuth)], axis=-1)
    return np.broadcast_to(plane, (n, *plane.shape[1:]))


def shapes(region, count=256):
    """Polygons of a round region in the tangent plane."""
    shell, *holes = (corners(outline) for outline in region.outlines(RADIUS, count))
    return shapely.polygons(shell, holes[0][:, None] if holes else None)


@pytest.mark.parametrize("name", ROUND)
def test_distance_and_azimuth_define_a_round_region(name):
    assert isinstance(ROUND[name], RoundRegion)
    assert ROUND[name].nvert is None


@pytest.mark.parametrize("name", ROUND)
@pytest.mark.parametrize("count", [8, 16, 22, 64])
def test_twice_the_vertices_refine_an_outline(name, count):
    pairs = zip(
        ROUND[name].outlines(RADIUS, count), ROUND[name].outlines(RADIUS, 2 * count), strict=True
    )
    for coarse, fine in pairs:
        assert coarse.hole == fine.hole
        assert fine.azimuth.shape[1] == 2 * coarse.azimuth.shape[1]
        assert coarse.azimuth.shape[1] % 2 == 0
        np.testing.assert_array_equal(fine.azimuth[:, ::2], coarse.azimuth)
        every_other = fine.distance[:, ::2] if fine.distance.shape[1] > 1 else fine.distance
        np.testing.assert_array_equal(every_other, coarse.distance)


@pytest.mark.parametrize("name", ROUND)
def test_outlines_run_clockwise(name):
    for outline in ROUND[name].outlines(RADIUS, 32):
        assert not shapely.is_ccw(shapely.linearrings(corners(outline))).any()


@pytest.mark.parametrize("name", ROUND)
def test_what_a_region_contains_lies_within_its_outlines(name):
    region = ROUND[name]
    dense = shapes(region, 4096)
    random = np.random.default_rng(3)
    inside = 0
    for _ in range(400):
        distance, azimuth = random.uniform(0, 3.2, N) * RADIUS, random.uniform(-360, 720, N)
        at = np.radians(azimuth)
        x, y = distance * np.sin(at), distance * np.cos(at)
        near_the_edge = shapely.distance(shapely.boundary(dense), shapely.points(x, y)) < 1.0
        held = region.contains(RADIUS, distance, azimuth)
        within = shapely.contains_xy(dense, x, y)
        assert (held[~near_the_edge] == within[~near_the_edge]).all()
        inside += held.sum()
    assert 50 < inside < 1900


@pytest.mark.parametrize("name", ROUND)
def test_the_reach_is_the_farthest_vertex(name):
    region = ROUND[name]
    farthest = region.outlines(RADIUS, 64)[0].distance.max(axis=1)
    np.testing.assert_allclose(farthest, region.reach(RADIUS), rtol=1e-12)


def test_areas_are_those_of_the_shapes():
    area = np.pi * RADIUS**2
    for name, expected in {
        "circle": area,
        "annulus": area * (4.0 - 0.25),
        "ellipse": area * 1.5 * 0.5 * 1.2**2,
        "ellipses": area * BY_FEATURE**2 / 3,
        "sector": area * (1.5**2 - 0.5**2) * 55 / 360,
        "wedge": area * 70 / 360,
        "sectors": area * 8.0 * BY_FEATURE * 50 / 360,
    }.items():
        np.testing.assert_allclose(
            shapely.area(shapes(ROUND[name], 1 << 14)), expected, rtol=1e-6, err_msg=name
        )


def test_an_ellipse_points_along_its_azimuth():
    major, minor, azimuth = 2.0, 1.0, 30.0
    region = Ellipse(major, minor, azimuth)
    one = np.ones(1)
    for offset, reach in [(0.0, major), (180.0, major), (90.0, minor), (-90.0, minor)]:
        direction = np.array([azimuth + offset])
        assert region.contains(one, reach * one * (1 - 1e-9), direction).all()
        assert not region.contains(one, reach * one * (1 + 1e-9), direction).any()


def test_an_ellipse_of_equal_axes_is_a_circle():
    circle, ellipse = Annulus.circle(1.3).outlines(RADIUS, 64), Ellipse(1.3, 1.3, 0.0)
    np.testing.assert_allclose(
        corners(ellipse.outlines(RADIUS, 64)[0]), corners(circle[0]), atol=1e-9
    )


@pytest.mark.parametrize("turns", [-360.0, 0.0, 360.0])
def test_sectors_hold_their_first_azimuth_and_not_their_last(turns):
    region = Sector(0.0, 1.0, 350.0, 10.0)
    azimuth = np.array([349.999, 350.0, 0.0, 9.999, 10.0, 180.0]) + turns
    held = region.contains(np.ones(6), np.full(6, 0.5), azimuth)
    assert held.tolist() == [False, True, True, True, False, False]


def test_neighbouring_sectors_share_and_lose_nothing():
    edges = [0.0, 33.3, 120.0, 275.5, 360.0]
    sectors = [Sector(0.0, 1.0, a, b) for a, b in pairwise(edges)]
    beside = [np.nextafter(edge, side) for edge in edges for side in (-1e3, 1e3)]
    azimuth = np.concatenate([np.random.default_rng(1).uniform(-720, 720, 1000), edges, beside])
    distance = np.full(azimuth.size, 0.7)
    held = [sector.contains(np.ones(azimuth.size), distance, azimuth) for sector in sectors]
    assert (np.sum(held, axis=0) == 1).all()


@pytest.mark.parametrize("which", [slice(1, 4), np.array([True, False, True, False, True]), [3, 0]])
@pytest.mark.parametrize("name", ALL)
def test_taking_features_takes_their_numbers(name, which):
    region, taken = ALL[name], ALL[name].take(which)
    if name == "polygons":
        assert taken.geometries.tolist() == region.geometries[which].tolist()
        return
    radius = RADIUS[which]
    np.testing.assert_array_equal(taken.reach(radius), region.reach(RADIUS)[which])
    (own, *_), (whole, *_) = taken.outlines(radius, 16), region.outlines(RADIUS, 16)
    np.testing.assert_array_equal(corners(own, radius.size), corners(whole)[which])


@pytest.mark.parametrize("name", ALL)
def test_regions_are_equal_by_value(name):
    region: Region = ALL[name]
    assert region == region.take(slice(None))
    assert region == pickle.loads(pickle.dumps(region))
    assert region != "region"
    for other in ALL:
        assert (ALL[other] == region) == (other == name)


@pytest.mark.parametrize(
    ("region", "other"),
    [
        (Ellipse(1.0, 0.5, 0.0), Ellipse(1.0, 0.5, 1.0)),
        (Ellipse(1.0, 0.5, 0.0), Ellipse(1.0, 0.5, 0.0, size=2.0)),
        (Ellipse(1.0, 0.5, 0.0), Ellipse(1.0, 0.5, 0.0, nvert=8)),
        (Ellipse(BY_FEATURE, 0.5, 0.0), Ellipse(BY_FEATURE[::-1], 0.5, 0.0)),
        (Sector(0, 1, 0.0, 90.0), Sector(0, 1, 0.0, 91.0)),
        (SQUARES, Polygons(shapely.box(np.arange(N), 0.0, np.arange(N) + 2.0, 1.0))),
        (SQUARES, SQUARES.take(slice(1, None))),
    ],
)
def test_other_numbers_make_another_region(region, other):
    assert region != other


def test_missing_numbers_are_the_same_region():
    missing = np.array([1.0, np.nan])
    assert Ellipse(missing, 0.5, 0.0) == Ellipse(missing.copy(), 0.5, 0.0)


@pytest.mark.parametrize(
    "region",
    [
        Ellipse(np.array([1.0, np.nan]), np.array([0.5, np.nan]), np.array([10.0, np.nan])),
        Ellipse(1.0, 0.5, np.array([10.0, np.nan])),
        Sector(0.0, 1.0, np.array([10.0, np.nan]), 200.0),
    ],
)
def test_an_roi_without_numbers_is_empty(region):
    radius, middle = np.array([1e3, 1e3]), np.array([100.0, 100.0])
    assert (region.reach(radius) > 0).tolist() == [True, False]
    assert region.contains(radius, middle, middle).tolist() == [True, False]
    (outline,) = region.outlines(radius, 16)
    assert np.isfinite(outline.azimuth).all()
    assert (outline.distance[0] > 0).all()
    assert (outline.distance[1] == 0).all()


def test_shells_run_anticlockwise_and_holes_clockwise():
    square, hole = shapely.box(0, 0, 9, 9), shapely.box(3, 3, 6, 6)
    for shape in (shapely.difference(square, hole), shapely.reverse(square - hole)):
        (polygon,) = Polygons([shape]).geometries
        assert polygon.exterior.is_ccw
        assert not polygon.interiors[0].is_ccw
    assert Polygons([square - hole]) == Polygons([shapely.reverse(square - hole)])


def test_definitions_cannot_be_changed():
    for region in (ROUND["ellipses"], SQUARES):
        array = region.geometries if region is SQUARES else region.major
        with pytest.raises(ValueError, match="read-only"):
            array[0] = array[1]
    given = np.ones(3)
    region = Ellipse(given, 0.5, 0.0)
    given[:] = 9.0
    assert (region.major == 1.0).all()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Ellipse(1.0, 1.5, 0.0), "longer"),
        (lambda: Ellipse(1.0, 0.0, 0.0), "above 0"),
        (lambda: Ellipse(1.0, -1.0, 0.0), "above 0"),
        (lambda: Ellipse(np.inf, 1.0, 0.0), "major"),
        (lambda: Ellipse(1.0, "b", 0.0), "minor"),
        (lambda: Ellipse(1.0, 0.5, np.nan), "azimuth"),
        (lambda: Ellipse(1.0, 0.5, 0.0, size=0), "size"),
        (lambda: Ellipse(1.0, 0.5, 0.0, nvert=2), "nvert"),
        (lambda: Sector(1.0, 0.5, 0.0, 90.0), "inner"),
        (lambda: Sector(0.0, 1.0, 30.0, 30.0), "same direction.*add_annuli"),
        (lambda: Sector(0.0, 1.0, 0.0, 360.0), "same direction.*add_annuli"),
        (lambda: Sector(0.0, 1.0, 0.0, np.array([[1.0]])), "azimuth_to"),
    ],
)
def test_impossible_numbers_are_refused(make, message):
    with pytest.raises(RegionError, match=message):
        make()


@pytest.mark.parametrize(
    ("region", "text"),
    [
        (Ellipse(1.5, 0.5, 30), "ellipse of 1.5 by 0.5 radii, azimuth 30"),
        (Ellipse(1.5, 0.5, 30, nvert=8), "ellipse of 1.5 by 0.5 radii, azimuth 30, 8 vertices"),
        (ROUND["ellipses"], "each feature's ellipse"),
        (Ellipse(BY_FEATURE, 1.0, 0.0, 2.0), "each feature's ellipse times 2, azimuth 0"),
        (Sector(0, 1, 350, 10), "0 to 1 radii, azimuth 350 to 10"),
        (ROUND["sectors"], "1 to 3 radii, azimuth each feature's to each feature's"),
        (SQUARES, "given polygons"),
        (Polygons([shapely.box(0, 0, 1, 1), shapely.Polygon()]), "given polygons, 1 of them empty"),
    ],
)
def test_regions_describe_themselves(region, text):
    assert region.describe() == text


def test_a_region_that_is_dropped_is_gone():
    regions = Regions(lambda name: None)
    regions.add("rim", Annulus(1, 2))
    regions.drop("rim")
    assert not regions
    with pytest.raises(RegionError, match="no region 'rim'"):
        regions.drop("rim")
