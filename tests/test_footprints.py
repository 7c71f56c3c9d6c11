"""Footprints against brute force, shapely, exactextract, GDAL and rasterstats."""

import functools
import itertools

import numpy as np
import pytest
import rasterio.features
import shapely
from affine import Affine
from exactextract import exact_extract
from exactextract.raster import NumPyRasterSource
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from rasterstats import zonal_stats

from craterkit.bodies import Body
from craterkit.coordinates import CoordinateSystem
from craterkit.footprints.joined import JoinedRegions
from craterkit.footprints.parallels import ParallelAnnuli
from craterkit.footprints.polygons import PolygonAnnuli
from craterkit.footprints.rules import Rules
from craterkit.grids.cylindrical import CylindricalGrid
from craterkit.regions import Annulus
from craterkit.tables.features import Features
from fields import (
    CERES,
    MARS,
    MOON,
    cap,
    cap_area,
    lonlat_transform,
    pixel_centres,
    place,
    ring_between,
)

DEGREE = np.pi / 180.0 * MOON.a
RULES = [
    pytest.param(Rules(coverage, area), id=f"{coverage}{'-area' if area else ''}")
    for coverage in ("all_touched", "center", "fraction")
    for area in (False, True)
]
LATITUDES = [0.0, 60.0, 85.0, 90.0, -60.0, -85.0, -90.0]

#: Shape and transform of grids of many kinds, in degrees.
GRIDS = {
    "east": ((36, 72), lonlat_transform(-180.0, 90.0, 5.0)),
    "positive": ((36, 72), lonlat_transform(0.0, 90.0, 5.0)),
    "fine": ((60, 120), lonlat_transform(-180.0, 90.0, 3.0)),
    "south_up": ((36, 72), lonlat_transform(-180.0, 90.0, 5.0, south_up=True, rows=36)),
    "west_up": ((36, 72), Affine(-5.0, 0.0, 180.0, 0.0, -5.0, 90.0)),
    "shifted": ((36, 72), lonlat_transform(-177.5, 90.0, 5.0)),
    "overlapping": ((36, 73), lonlat_transform(-180.0, 90.0, 5.0)),
    "oblong": ((45, 60), Affine(6.0, 0.0, -180.0, 0.0, -4.0, 90.0)),
    "regional": ((20, 30), lonlat_transform(-60.0, 50.0, 2.0)),
    "across_seam": ((25, 30), lonlat_transform(150.0, 40.0, 2.0)),
    "seam_west": ((25, 30), lonlat_transform(-210.0, 40.0, 2.0)),
    "polar": ((10, 120), lonlat_transform(-180.0, 90.0, 3.0)),
    "half": ((40, 45), lonlat_transform(0.0, 80.0, 4.0)),
    "nearly_all": ((36, 71), lonlat_transform(-180.0, 90.0, 5.0)),
    "odd_period": ((25, 51), lonlat_transform(-180.0, 87.5, 7.0)),
}


def make_grid(shape, transform, figure=MOON, latitude="planetocentric_east"):
    body = Body(figure.name, figure.a, figure.b)
    system = CoordinateSystem.from_user_input(latitude, body, what="raster")
    return CylindricalGrid(shape, transform, system)


def small_grid(name, figure=MOON, latitude="planetocentric_east"):
    return make_grid(*GRIDS[name], figure, latitude)


def features(lon, lat, radius):
    lon, lat, radius = np.broadcast_arrays(lon, lat, np.asarray(radius, dtype=float))
    lon = np.mod(lon + 180.0, 360.0) - 180.0
    return Features(np.atleast_1d(lon), np.atleast_1d(lat), np.atleast_1d(radius))


def image(engine, roi=0, rows=None):
    """Weights of one ROI's pixels as an image of the raster; 1 where a rule has no weights."""
    shape = engine.grid.shape
    found = engine.footprints(np.array([roi]), *(rows or (0, shape[0])))
    out = np.zeros(shape)
    times = np.zeros(shape, dtype=int)
    offset = 0
    spans = found.spans
    for row, start, stop in zip(spans.row, spans.start, spans.stop, strict=True):
        assert 0 <= row < shape[0]
        assert 0 <= start < stop <= shape[1]
        times[row, start:stop] += 1
        length = stop - start
        weights = 1.0 if found.weights is None else found.weights[offset : offset + length]
        out[row, start:stop] = weights
        offset += length
    if found.weights is not None:
        assert found.weights.size == offset
    assert times.max(initial=0) <= 1
    return out


def pixels(engine, roi=0):
    """Which pixels belong to one ROI, whatever they weigh."""
    found = engine.footprints(np.array([roi]), 0, engine.grid.shape[0])
    out = np.zeros(engine.grid.shape, dtype=bool)
    spans = found.spans
    for row, start, stop in zip(spans.row, spans.start, spans.stop, strict=True):
        out[row, start:stop] = True
    return out


def annulus(grid, lon, lat, inner, outer, rules):
    """Engine of one annulus between two radii in metres."""
    if isinstance(rules, str):
        rules = Rules(rules)
    return ParallelAnnuli(grid, features(lon, lat, outer), inner / outer, 1.0, rules)


@functools.cache
def boxes(name):
    """Ground of every pixel of a grid of GRIDS in lon/lat."""
    shape, transform = GRIDS[name]
    rows, columns = np.indices(shape)
    x, y = place(transform, columns, rows)
    x2, y2 = place(transform, columns + 1, rows + 1)
    found = shapely.box(np.minimum(x, x2), np.minimum(y, y2), np.maximum(x, x2), np.maximum(y, y2))
    shapely.prepare(found)
    return found


def columns_in_use(name):
    """Columns before a grid begins to repeat itself."""
    shape, transform = GRIDS[name]
    return min(shape[1], round(360.0 / abs(transform.a)))


def touching(name, figure, lon, lat, inner, outer):
    """Which pixels of a grid an annulus touches, by polygons alone."""
    found = np.zeros(GRIDS[name][0], dtype=bool)
    if outer <= inner:
        return found
    # The grids reach from -210 to 360 degrees; shapes, from lon - 540 to lon + 540.
    ground = ring_between(figure, 75.0 + np.mod(lon - 75.0 + 180.0, 360.0) - 180.0, lat, 0, outer)
    hole = cap(figure, 75.0 + np.mod(lon - 75.0 + 180.0, 360.0) - 180.0, lat, inner)
    for shape in (ground, hole):
        shapely.prepare(shape)
    found = shapely.intersects(ground, boxes(name)) & ~shapely.touches(ground, boxes(name))
    if inner > 0:
        found &= ~shapely.contains(hole, boxes(name))
    found[:, columns_in_use(name) :] = False
    return found


def check_touched(grid, name, figure, lon, lat, inner, outer, slack):
    """Pixels that a slightly smaller annulus touches belong; those a larger one misses do not."""
    mine = pixels(annulus(grid, lon, lat, inner, outer, "all_touched"))
    surely = touching(name, figure, lon, lat, inner + slack if inner else 0.0, outer - slack)
    maybe = touching(name, figure, lon, lat, max(inner - slack, 0.0), outer + slack)
    assert not (surely & ~mine).any()
    assert not (mine & ~maybe).any()


def check_centers(grid, name, figure, lon, lat, inner, outer, slack, ographic=False):
    shape, transform = GRIDS[name]
    x, y = pixel_centres(shape, transform)
    y = figure.ocentric(y) if ographic else y
    distance = figure.distance(lon, lat, x, y)
    expected = (distance <= outer) & ((distance > inner) | (inner == 0))
    expected[:, columns_in_use(name) :] = False
    near = np.abs(distance - outer) < slack
    if inner > 0:
        near |= np.abs(distance - inner) < slack
    mine = pixels(annulus(grid, lon, lat, inner, outer, "center"))
    np.testing.assert_array_equal(mine[~near], expected[~near])
    assert near.mean() < 0.3


POSITIONS = st.tuples(
    st.one_of(st.floats(-180.0, 179.99), st.sampled_from([-180.0, 0.0, 179.9, 90.0])),
    st.one_of(st.floats(-90.0, 90.0), st.sampled_from([-90.0, -85.0, 0.0, 60.0, 89.0, 90.0])),
)
#: Inner edge as a share of the outer; 0 is no hole.
INNER = st.one_of(st.just(0.0), st.floats(0.05, 0.98))
SEARCH = settings(max_examples=150, deadline=None, derandomize=True, database=None)
SHORT_SEARCH = settings(SEARCH, max_examples=40)


def at_pole_exactly(figure, lat, radius):
    """Whether a circle all but meets a pole or the antipode of one."""
    reach = np.array([figure.distance(0.0, lat, 0.0, pole) for pole in (-90.0, 90.0)])
    return bool((np.abs(reach - radius) < 1e-5 * figure.a).any())


class TestCenter:
    """A pixel belongs if its centre's distance lies in (inner, outer]."""

    @SEARCH
    @given(st.sampled_from(sorted(GRIDS)), POSITIONS, st.floats(0.05, 180.0), INNER)
    @example("east", (0.0, 90.0), 180.0, 0.5)
    @example("east", (0.0, 0.0), 90.0, 0.0)
    @example("polar", (0.0, -90.0), 178.0, 0.9)
    def test_sphere(self, name, position, degrees, inner):
        outer = degrees * DEGREE
        check_centers(small_grid(name), name, MOON, *position, inner * outer, outer, 1e-3)

    @pytest.mark.parametrize("figure", [MARS, CERES], ids=lambda f: f.name)
    @pytest.mark.parametrize("ographic", [False, True])
    def test_ellipsoid(self, figure, ographic):
        @SHORT_SEARCH
        @given(
            st.sampled_from(["fine", "polar", "across_seam"]),
            POSITIONS,
            st.floats(0.05, 160.0),
            INNER,
        )
        def check(name, position, degrees, inner):
            outer = degrees / 180.0 * np.pi * figure.b
            grid = small_grid(name, figure, "planetographic_east" if ographic else "planetocentric")
            # The conformal sphere may be off by a twentieth of a pixel.
            slack = 0.05 * 3.0 / 180.0 * np.pi * figure.a
            edges = inner * outer, outer
            check_centers(grid, name, figure, *position, *edges, slack, ographic=ographic)

        check()

    @pytest.mark.parametrize("lat", LATITUDES)
    def test_basins_on_a_flattened_body_are_solved(self, lat):
        # Here the conformal sphere is kilometres off; what is left is far below a metre.
        for outer in (600e3, 900e3):
            for lon in (0.0, 180.0):
                grid = small_grid("fine", CERES)
                check_centers(grid, "fine", CERES, lon, lat, 0.6 * outer, outer, 1.0)

    @pytest.mark.parametrize("lat", [0.0, 60.0, 85.0, 89.9, 90.0, -90.0])
    @pytest.mark.parametrize("figure", [MOON, MARS], ids=lambda f: f.name)
    def test_boulders(self, figure, lat):
        # Half a metre, on pixels of 5 cm: no cancellation, at any latitude.
        pixel = np.degrees(0.05 / figure.b)
        circle = np.clip(1.0 / max(np.cos(np.radians(lat)), 1e-12), 1.0, 360.0 / 24 / pixel)
        wide = min(pixel * circle, 15.0)
        north = min(lat + 12 * pixel, 90.0)
        transform = Affine(wide, 0.0, 10.0 - 12 * wide, 0.0, -pixel, north)
        grid = make_grid((24, 24), transform, figure)
        x, y = pixel_centres((24, 24), transform)
        distance = np.where(np.abs(y) < 90.0, figure.distance(10.0, lat, x, y), np.inf)
        mine = pixels(annulus(grid, 10.0, lat, 0.2, 0.5, "center"))
        expected = (distance <= 0.5) & (distance > 0.2)
        near = (np.abs(distance - 0.5) < 2e-4) | (np.abs(distance - 0.2) < 2e-4)
        np.testing.assert_array_equal(mine[~near], expected[~near])
        assert mine.any() == expected.any()

    def test_ties_belong_to_the_circle_that_ends_there(self):
        # Centres at whole multiples of 5 degrees from a pole lie exactly on circles around it.
        grid = small_grid("east")
        for edge in (2.5, 32.5, 92.5, 177.5):
            circle = pixels(annulus(grid, 0.0, 90.0, 0.0, edge * DEGREE, "center"))
            assert circle.sum() == 72 * (round((edge - 2.5) / 5.0) + 1)
            beyond = annulus(grid, 0.0, 90.0, edge * DEGREE, 179.9 * DEGREE, "center")
            assert (circle ^ pixels(beyond)).all()

    @pytest.mark.parametrize("coverage", ["all_touched", "center", "fraction"])
    @pytest.mark.parametrize("lat", [-90.0, -37.0, 0.0, 90.0])
    @pytest.mark.parametrize("share", [1.0, 1.7])
    def test_circles_past_the_antipode_are_the_whole_body(self, coverage, lat, share):
        engine = annulus(small_grid("east"), 20.0, lat, 0.0, share * np.pi * MOON.a, coverage)
        np.testing.assert_allclose(image(engine), 1.0, atol=1e-9)


class TestTouched:
    """A pixel belongs if the ROI touches it, and is lost to a hole only if wholly inside it."""

    @SEARCH
    @given(st.sampled_from(sorted(GRIDS)), POSITIONS, st.floats(0.05, 179.0), INNER)
    @example("east", (0.0, 0.0), 91.0, 0.95)
    @example("east", (-180.0, 60.0), 130.0, 0.5)
    @example("polar", (0.0, -90.0), 178.0, 0.9)
    def test_sphere(self, name, position, degrees, inner):
        outer = degrees * DEGREE
        assume(not at_pole_exactly(MOON, position[1], outer))
        assume(not at_pole_exactly(MOON, position[1], inner * outer))
        # 20 m are 2e-4 of these grids' pixels: more than polygons of 4000 vertices are off.
        slack = max(20.0, 3e-6 * outer)
        check_touched(small_grid(name), name, MOON, *position, inner * outer, outer, slack)

    @pytest.mark.parametrize("figure", [MARS, CERES], ids=lambda f: f.name)
    def test_ellipsoid(self, figure):
        @SHORT_SEARCH
        @given(
            st.sampled_from(["fine", "polar", "across_seam"]),
            POSITIONS,
            st.floats(0.05, 150.0),
            INNER,
        )
        def check(name, position, degrees, inner):
            outer = degrees / 180.0 * np.pi * figure.b
            assume(not at_pole_exactly(figure, position[1], outer))
            assume(not at_pole_exactly(figure, position[1], inner * outer))
            slack = 0.05 * 3.0 / 180.0 * np.pi * figure.a
            grid = small_grid(name, figure)
            check_touched(grid, name, figure, *position, inner * outer, outer, slack)

        check()

    @pytest.mark.parametrize("shift", [0.0, 0.3, 0.49])
    def test_a_tiny_circle_touches_the_pixel_it_lies_in(self, shift):
        grid = small_grid("fine")
        for lat in (0.0, 57.0, -87.0):
            engine = annulus(grid, 31.5 + 3 * shift, lat + 1.5, 0.0, 1.0, "all_touched")
            mine = pixels(engine)
            assert mine.sum() == 1
            assert mine[round((90.0 - lat - 3.0) / 3.0), round((211.5 - 1.5) / 3.0)]

    def test_grazing_is_not_touching(self):
        # The circle around the pole ends at the line between two rows.
        grid = small_grid("east")
        for edge in (5.0, 45.0, 120.0):
            mine = pixels(annulus(grid, 0.0, 90.0, 0.0, edge * DEGREE, "all_touched"))
            assert mine.sum() == 72 * round(edge / 5.0)
            outside = annulus(grid, 0.0, 90.0, edge * DEGREE, 179.9 * DEGREE, "all_touched")
            assert (mine ^ pixels(outside)).all()


def pixel_ring(figure, grid_frame, lon, lat, inner, outer):
    """An annulus as a polygon in columns and rows (counted upward from the southern edge)."""
    west, north, pixel, height = grid_frame
    out = []
    for radius in (outer, inner):
        if radius > 0:
            x, y = figure.ring(lon, lat, radius, np.arange(8000) * 0.045)
            out.append(np.stack([(x - west) / pixel, height - (north - y) / pixel], axis=1))
    return shapely.Polygon(out[0], out[1:])


def exact_shares(shape, ground):
    """Covered share of every pixel of a raster of `shape`, by exactextract."""
    height, width = shape
    source = NumPyRasterSource(np.zeros(shape), xmin=0, ymin=0, xmax=width, ymax=height)
    feature = {"type": "Feature", "geometry": shapely.geometry.mapping(ground), "properties": {}}
    found = exact_extract(source, [feature], ["cell_id", "coverage"])[0]["properties"]
    out = np.zeros(shape)
    out.ravel()[found["cell_id"]] = found["coverage"]
    return out


class TestFraction:
    """The covered share of each pixel in the grid's plane."""

    @pytest.mark.parametrize("inner", [0.0, 0.7])
    @pytest.mark.parametrize("lat", [0.0, 33.3, -60.0])
    @pytest.mark.parametrize("radius", [0.3, 0.51, 1.0, 1.7, 3.0, 10.0, 30.0, 100.0, 300.0])
    def test_against_exactextract(self, radius, lat, inner):
        stretch = 1.0 / np.cos(np.radians(lat))
        # A pixel is 300 m: circles of 300 px radius span 3 degrees either way.
        pixel = np.degrees(300.0 / MOON.a)
        height = int(2 * radius * 1.001) + 6
        width = int(2 * radius * stretch * 1.1) + 8
        offsets = [(0.13, 0.41), (0.5, 0.5), (0.0, 0.97)] if radius < 50 else [(0.13, 0.41)]
        errors = []
        for dx, dy in offsets:
            west = 20.0 - (width // 2 + dx) * pixel
            north = lat + (height // 2 + dy) * pixel
            grid = make_grid((height, width), lonlat_transform(west, north, pixel))
            outer = radius * 300.0
            mine = image(annulus(grid, 20.0, lat, inner * outer, outer, "fraction"))
            frame = (west, north, pixel, height)
            ground = pixel_ring(MOON, frame, 20.0, lat, inner * outer, outer)
            share = exact_shares((height, width), ground)
            edge = (share > 0) & (share < 1)
            np.testing.assert_allclose(mine[share == 1], 1.0, atol=1e-3)
            assert mine[share == 0].max(initial=0.0) < 1e-3
            errors.append(np.abs(mine - share)[edge])
            assert mine.sum() == pytest.approx(ground.area, rel=5e-4)
        errors = np.concatenate(errors)
        assert errors.mean() < 0.005
        assert errors.max() < 0.02

    @pytest.mark.parametrize("lon", [0.0, -180.0, 143.7])
    @pytest.mark.parametrize(
        ("lat", "degrees"), [(85.0, 3.0), (-85.0, 12.0), (89.0, 20.0), (40.0, 100.0)]
    )
    def test_against_exactextract_near_poles(self, lat, degrees, lon):
        shape, transform = (90, 180), lonlat_transform(-180.0, 90.0, 2.0)
        grid = make_grid(shape, transform)
        mine = image(annulus(grid, lon, lat, 0.5 * degrees * DEGREE, degrees * DEGREE, "fraction"))
        ground = ring_between(MOON, lon, lat, 0.5 * degrees * DEGREE, degrees * DEGREE)
        to_pixels = shapely.transform(ground, lambda xy: (xy - [-180.0, -90.0]) / 2.0)
        share = exact_shares(shape, shapely.intersection(to_pixels, shapely.box(0, 0, 180, 90)))
        error = np.abs(mine - share)[(share > 0) & (share < 1)]
        assert error.mean() < 0.005
        assert error.max() < 0.02

    @pytest.mark.parametrize(
        ("lon", "lat", "degrees"),
        [
            (112.6, 58.0, 79.93),
            (142.1, -27.14, 119.6),
            (0.0, 0.0, 119.877),
            (-47.32, 7.18, 172.54),
        ],
    )
    def test_against_exactextract_where_parallels_become_whole(self, lon, lat, degrees):
        shape, transform = (60, 120), lonlat_transform(-180.0, 90.0, 3.0)
        mine = image(
            annulus(make_grid(shape, transform), lon, lat, 0.0, degrees * DEGREE, "fraction")
        )
        ground = cap(MOON, lon, lat, degrees * DEGREE)
        to_pixels = shapely.transform(ground, lambda xy: (xy - [-180.0, -90.0]) / 3.0)
        share = exact_shares(shape, shapely.intersection(to_pixels, shapely.box(0, 0, 120, 60)))
        error = np.abs(mine - share)[(share > 0) & (share < 1)]
        assert error.mean() < 0.005
        assert error.max() < 0.02

    @pytest.mark.parametrize("lat", [0.0, 45.0, -75.0])
    @pytest.mark.parametrize("figure", [MARS, CERES], ids=lambda f: f.name)
    def test_against_exactextract_on_an_ellipsoid(self, figure, lat):
        pixel = np.degrees(0.001)
        height, width = 50, int(50 / np.cos(np.radians(lat)))
        west, north = 20.0 - (width / 2 + 0.2) * pixel, lat + (height / 2 - 0.4) * pixel
        outer = 20 * 0.001 * figure.b
        grid = make_grid((height, width), lonlat_transform(west, north, pixel), figure)
        mine = image(annulus(grid, 20.0, lat, 0.4 * outer, outer, "fraction"))
        frame = (west, north, pixel, height)
        share = exact_shares(
            (height, width), pixel_ring(figure, frame, 20.0, lat, 0.4 * outer, outer)
        )
        error = np.abs(mine - share)[(share > 0) & (share < 1)]
        assert error.mean() < 0.005
        assert error.max() < 0.02

    @SEARCH
    @given(st.sampled_from(sorted(GRIDS)), POSITIONS, st.floats(0.05, 179.0), INNER)
    def test_shares_stay_between_none_and_all(self, name, position, degrees, inner):
        outer = degrees * DEGREE
        engine = annulus(small_grid(name), *position, inner * outer, outer, "fraction")
        mine = image(engine)
        assert (mine >= 0).all()
        assert (mine <= 1 + 1e-9).all()
        touched = pixels(annulus(small_grid(name), *position, inner * outer, outer, "all_touched"))
        np.testing.assert_array_equal(pixels(engine), touched)


class TestArea:
    """The weights of a fraction footprint with area weights add up to the ROI's true area."""

    @pytest.mark.parametrize("lon", [0.0, -180.0, 77.7])
    @pytest.mark.parametrize("lat", LATITUDES)
    @pytest.mark.parametrize("degrees", [1.0, 5.0, 20.0, 100.0, 179.0])
    def test_on_the_sphere(self, lat, lon, degrees):
        grid = make_grid((180, 360), lonlat_transform(-180.0, 90.0, 1.0))
        outer, inner = degrees * DEGREE, 0.6 * degrees * DEGREE
        rules = Rules("fraction", area_weighted=True)
        circle = image(annulus(grid, lon, lat, 0.0, outer, rules)).sum()
        assert circle == pytest.approx(cap_area(outer, MOON.a), rel=1e-4)
        found = image(annulus(grid, lon, lat, inner, outer, rules)).sum()
        expected = cap_area(outer, MOON.a) - cap_area(inner, MOON.a)
        assert found == pytest.approx(expected, rel=2e-4)

    @pytest.mark.parametrize("ographic", [False, True])
    @pytest.mark.parametrize("figure", [MARS, CERES], ids=lambda f: f.name)
    @pytest.mark.parametrize("lat", [0.0, 60.0, -85.0, 90.0])
    def test_on_an_ellipsoid(self, lat, figure, ographic):
        latitude = "planetographic_east" if ographic else "planetocentric"
        grid = make_grid((180, 360), lonlat_transform(-180.0, 90.0, 1.0), figure, latitude)
        rules = Rules("fraction", area_weighted=True)
        for degrees in (4.0, 30.0):
            radius = np.radians(degrees) * figure.b
            lon, ring_lat = figure.ring(-170.0, lat, radius, np.arange(0, 360, 0.05))
            expected, _ = figure.geod.polygon_area_perimeter(lon, figure.ographic(ring_lat))
            found = image(annulus(grid, -170.0, lat, 0.0, radius, rules)).sum()
            assert found == pytest.approx(abs(expected), rel=1e-4)

    @pytest.mark.parametrize("radius", [0.3, 1.5, 10.0])
    def test_caps_around_a_pole_weigh_their_area(self, radius):
        # A planar share times the pixel's area would be 11 % off for 1.5 pixels.
        grid = make_grid((180, 360), lonlat_transform(-180.0, 90.0, 1.0))
        engine = annulus(grid, 0.0, 90.0, 0.0, radius * DEGREE, Rules("fraction", True))
        assert image(engine).sum() == pytest.approx(cap_area(radius * DEGREE, MOON.a), rel=1e-6)

    @pytest.mark.parametrize("coverage", ["all_touched", "center"])
    def test_whole_pixels_weigh_their_own_area(self, coverage):
        grid = small_grid("east")
        engine = annulus(grid, 12.0, 60.0, 0.0, 30.0 * DEGREE, Rules(coverage, True))
        weights = image(engine)
        north = np.radians(90.0 - 5.0 * np.arange(36))
        area = MOON.a**2 * np.radians(5.0) * (np.sin(north) - np.sin(north - np.radians(5.0)))
        expected = np.where(pixels(engine), area[:, None], 0.0)
        np.testing.assert_allclose(weights, expected, rtol=1e-10)


class TestAdditivity:
    """Nothing is lost or counted twice between neighbours."""

    @SHORT_SEARCH
    @given(
        st.sampled_from(sorted(GRIDS)),
        POSITIONS,
        st.lists(st.floats(0.5, 179.0), min_size=2, max_size=5, unique=True),
        st.sampled_from(["center", "fraction"]),
    )
    @example("east", (0.0, 90.0), [2.5, 47.5, 90.0], "center")
    def test_concentric_annuli_make_the_circle(self, name, position, edges, coverage):
        edges = np.sort(edges) * DEGREE
        assume((np.diff(edges) > 1.0).all())
        grid = small_grid(name)
        circle = image(annulus(grid, *position, 0.0, edges[-1], coverage))
        parts = [image(annulus(grid, *position, 0.0, edges[0], coverage))]
        for inner, outer in itertools.pairwise(edges):
            parts.append(image(annulus(grid, *position, inner, outer, coverage)))
        if coverage == "center":
            np.testing.assert_array_equal(sum(parts), circle)
        else:
            np.testing.assert_allclose(sum(parts), circle, atol=0.01)

    @SHORT_SEARCH
    @given(
        POSITIONS,
        st.floats(1.0, 179.0),
        st.sampled_from(["center", "fraction"]),
        st.booleans(),
    )
    @example((0.0, 0.0), 60.123, "fraction", True)
    @example((0.0, 90.0), 90.0, "fraction", True)
    def test_cap_and_complement_make_the_sphere(self, position, degrees, coverage, area):
        grid = small_grid("fine")
        lon, lat = position
        distance = MOON.distance(lon, lat, *pixel_centres(*GRIDS["fine"])) / DEGREE
        assume(coverage == "fraction" or np.abs(distance - degrees).min() > 1e-6)
        rules = Rules(coverage, area)
        one = image(annulus(grid, lon, lat, 0.0, degrees * DEGREE, rules))
        other = image(annulus(grid, lon + 180.0, -lat, 0.0, (180.0 - degrees) * DEGREE, rules))
        north = np.radians(90.0 - 3.0 * np.arange(60))
        whole = np.ones(60)
        if area:
            whole = MOON.a**2 * np.radians(3.0) * (np.sin(north) - np.sin(north - np.radians(3.0)))
        sums = (one + other) / whole[:, None]
        np.testing.assert_allclose(sums, 1.0, atol=1e-9 if coverage == "center" else 0.02)


def many_features(count=40, figure=MOON):
    """Features of all sizes everywhere, poles and seam among them."""
    rng = np.random.default_rng(5)
    lon = rng.uniform(-180.0, 180.0, count)
    lat = np.degrees(np.arcsin(rng.uniform(-1.0, 1.0, count)))
    lon[:6] = [-180.0, 179.9, 0.0, 33.0, -180.0, 12.0]
    lat[:6] = [0.0, 60.0, 90.0, -90.0, 85.0, -88.0]
    return features(lon, lat, figure.b * 10 ** rng.uniform(-2.5, 0.3, count))


def as_lists(found):
    spans = found.spans
    weights = [] if found.weights is None else found.weights.tolist()
    return [x.tolist() for x in (spans.roi, spans.row, spans.start, spans.stop)], weights


class TestWindows:
    """Footprints may be had for any ROIs and any rows."""

    @pytest.mark.parametrize("rules", RULES)
    @pytest.mark.parametrize("name", ["fine", "across_seam", "positive"])
    @pytest.mark.parametrize("nvert", [None, 12])
    def test_row_ranges_make_the_whole(self, rules, name, nvert):
        grid = small_grid(name)
        some = many_features(12)
        if nvert is None:
            engine = ParallelAnnuli(grid, some, 0.5, 1.0, rules)
        else:
            engine = PolygonAnnuli(grid, some, Annulus(0.5, 1.0, nvert), rules)
        height = grid.shape[0]
        cuts = [0, 1, 7, 8, 20, height]
        for roi in range(len(some)):
            whole = image(engine, roi)
            parts = [image(engine, roi, rows) for rows in itertools.pairwise(cuts)]
            for start, stop, part in zip(cuts[:-1], cuts[1:], parts, strict=True):
                outside = np.ones(height, dtype=bool)
                outside[start:stop] = False
                assert not part[outside].any()
            # Areas come out of running sums: rounding leaves dust.
            np.testing.assert_allclose(sum(parts), whole, atol=1e-12 * whole.max(initial=1.0))

    @pytest.mark.parametrize("rules", RULES)
    def test_many_at_once_are_each_alone(self, rules):
        grid = small_grid("fine")
        some = many_features()
        engine = ParallelAnnuli(grid, some, 0.3, 1.0, rules)
        rois = np.array([5, 0, 17, 3, 39])
        together = engine.footprints(rois, 0, 60)
        lists, weights = as_lists(together)
        alone, alone_weights = [[], [], [], []], []
        for position, roi in enumerate(rois):
            single = ParallelAnnuli(grid, some[int(roi) : int(roi) + 1], 0.3, 1.0, rules)
            found, more = as_lists(single.footprints(np.array([0]), 0, 60))
            found[0] = [position] * len(found[0])
            for kept, new in zip(alone, found, strict=True):
                kept += new
            alone_weights += more
        assert lists == alone
        dust = 1e-12 * max(weights, default=1.0)
        np.testing.assert_allclose(weights, alone_weights, rtol=1e-9, atol=max(dust, 1e-9))

    @pytest.mark.parametrize("rules", RULES)
    @pytest.mark.parametrize("name", sorted(GRIDS))
    def test_reach_holds_every_pixel(self, rules, name):
        grid = small_grid(name)
        engine = ParallelAnnuli(grid, many_features(), 0.3, 1.0, rules)
        low, high = engine.columns()
        for roi in range(len(engine)):
            rows, columns = np.nonzero(pixels(engine, roi))
            if not rows.size:
                continue
            assert rows.min() >= engine.rows[roi, 0]
            assert rows.max() < engine.rows[roi, 1]
            if high[roi] - low[roi] >= grid.period:
                continue
            middle = (low[roi] + high[roi]) / 2
            turned = np.mod(columns + 0.5 - middle + grid.period / 2, grid.period) - grid.period / 2
            assert np.abs(turned).max() <= (high[roi] - low[roi]) / 2 + 1.0

    def test_nothing_asked_nothing_given(self):
        engine = ParallelAnnuli(small_grid("fine"), many_features(6), 0.0, 1.0, Rules())
        assert len(engine.footprints(np.array([0, 1]), 7, 7).spans) == 0


class TestGroundWeight:
    """Weight of whole ROIs, the ground outside the raster included."""

    @pytest.mark.parametrize("rules", RULES)
    @pytest.mark.parametrize("name", ["fine", "positive", "south_up", "west_up", "overlapping"])
    @pytest.mark.parametrize("figure", [MOON, MARS], ids=lambda f: f.name)
    def test_equals_the_footprint_on_a_global_raster(self, rules, name, figure):
        grid = small_grid(name, figure)
        some = many_features(figure=figure)
        for inner in (0.0, 0.6):
            engine = ParallelAnnuli(grid, some, inner, 1.0, rules)
            ground = engine.ground_weight(np.arange(len(some)))
            expected = [image(engine, roi).sum() for roi in range(len(some))]
            np.testing.assert_allclose(ground, expected, rtol=1e-9, atol=1e-9)

    @pytest.mark.parametrize("rules", RULES)
    def test_is_the_same_on_a_part_of_the_raster(self, rules):
        whole = make_grid((90, 180), lonlat_transform(-180.0, 90.0, 2.0))
        some = many_features()
        rois = np.arange(len(some))
        expected = ParallelAnnuli(whole, some, 0.6, 1.0, rules).ground_weight(rois)
        for north in (50.0, 90.0):
            part = make_grid((20, 30), lonlat_transform(-60.0, north, 2.0))
            found = ParallelAnnuli(part, some, 0.6, 1.0, rules).ground_weight(rois)
            np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-6)

    @pytest.mark.parametrize("rules", RULES)
    def test_of_polygons(self, rules):
        grid = small_grid("fine")
        some = many_features(15)
        engine = PolygonAnnuli(grid, some, Annulus(0.4, 1.0, 24), rules)
        expected = [image(engine, roi).sum() for roi in range(len(some))]
        found = engine.ground_weight(np.arange(len(some)))
        np.testing.assert_allclose(found, expected, rtol=1e-9)


@pytest.mark.parametrize("rules", RULES)
def test_joined_regions_are_their_engines_in_sequence(rules):
    grid = small_grid("across_seam")
    some = many_features(10)
    engines = [
        ParallelAnnuli(grid, some, 0.0, 1.0, rules),
        ParallelAnnuli(grid, some, 1.0, 1.5, rules),
        PolygonAnnuli(grid, some, Annulus(0.5, 1.0, 8), rules),
    ]
    joined = JoinedRegions(engines)
    assert len(joined) == 30
    assert joined.groups.tolist() == [0] * 10 + [1] * 10 + [2] * 10
    np.testing.assert_array_equal(joined.rows, np.concatenate([e.rows for e in engines]))
    rois = np.array([1, 4, 9, 10, 13, 25, 29])
    ground = joined.ground_weight(rois)
    together = joined.footprints(rois, 3, 22)
    lengths = together.spans.length
    ends = np.concatenate([[0], np.cumsum(lengths)])
    for position, roi in enumerate(rois):
        engine, own = engines[roi // 10], np.array([roi % 10])
        alone = engine.footprints(own, 3, 22)
        at = np.flatnonzero(together.spans.roi == position)
        for name in ("row", "start", "stop"):
            np.testing.assert_array_equal(
                getattr(together.spans, name)[at], getattr(alone.spans, name)
            )
        if rules.weighted and at.size:
            weights = together.weights[ends[at[0]] : ends[at[-1] + 1]]
            dust = 1e-12 * weights.max()
            np.testing.assert_allclose(weights, alone.weights, rtol=1e-9, atol=dust)
        assert ground[position] == pytest.approx(engine.ground_weight(own)[0])
    low, high = joined.columns()
    assert low.size == high.size == 30


def ngon(figure, lon, lat, radius, nvert):
    """Vertices on the circle at azimuths 0, 360/nvert, ... in lon/lat."""
    return np.stack(figure.ring(lon, lat, radius, np.arange(nvert) * (360.0 / nvert)), axis=1)


class TestPolygons:
    """Regions with `nvert` are polygons with edges straight in the grid's plane."""

    SHAPE, TRANSFORM = (60, 90), lonlat_transform(-45.0, 70.0, 0.5)
    # No vertex lies on the corner of a pixel, where versions of GDAL differ.
    PLACES = ((-23.1, 55.03, 6.0), (-20.03, 48.2, 2.0), (-12.7, 60.07, 0.9), (-40.1, 66.07, 7.0))

    def shape(self, figure, spot, nvert, inner=0.5):
        lon, lat, degrees = spot
        outer = np.radians(degrees) * figure.b
        shell = ngon(figure, lon, lat, outer, nvert)
        hole = ngon(figure, lon, lat, inner * outer, nvert)
        return shapely.Polygon(shell, [hole])

    def engine(self, figure, spot, nvert, rules, inner=0.5):
        lon, lat, degrees = spot
        grid = make_grid(self.SHAPE, self.TRANSFORM, figure)
        some = features(lon, lat, np.radians(degrees) * figure.b)
        return PolygonAnnuli(grid, some, Annulus(inner, 1.0, nvert), rules)

    @pytest.mark.parametrize("spot", PLACES)
    @pytest.mark.parametrize("nvert", [3, 4, 32, 100])
    @pytest.mark.parametrize("coverage", ["all_touched", "center"])
    @pytest.mark.parametrize("figure", [MOON, MARS], ids=lambda f: f.name)
    def test_whole_pixels_are_those_of_gdal(self, figure, coverage, nvert, spot):
        burnt = rasterio.features.rasterize(
            [(self.shape(figure, spot, nvert), 1)],
            out_shape=self.SHAPE,
            transform=self.TRANSFORM,
            all_touched=coverage == "all_touched",
            dtype="uint8",
        )
        mine = pixels(self.engine(figure, spot, nvert, Rules(coverage)))
        np.testing.assert_array_equal(mine, burnt.astype(bool))
        assert burnt.any()

    @pytest.mark.parametrize("spot", PLACES)
    @pytest.mark.parametrize("all_touched", [True, False])
    @pytest.mark.filterwarnings("ignore:Use `@` matmul:PendingDeprecationWarning")
    def test_whole_pixels_are_those_of_rasterstats(self, all_touched, spot):
        values = np.arange(60.0 * 90.0).reshape(self.SHAPE)
        expected = zonal_stats(
            [self.shape(MOON, spot, 32)],
            values,
            affine=self.TRANSFORM,
            nodata=-1.0,
            all_touched=all_touched,
            stats=["count", "sum"],
        )[0]
        coverage = "all_touched" if all_touched else "center"
        mine = pixels(self.engine(MOON, spot, 32, Rules(coverage)))
        assert mine.sum() == expected["count"]
        assert values[mine].sum() == expected["sum"]

    @pytest.mark.parametrize("spot", PLACES[:3])
    @pytest.mark.parametrize("nvert", [3, 32, 64])
    def test_shares_are_exact(self, nvert, spot):
        shape = self.shape(MOON, spot, nvert)
        mine = image(self.engine(MOON, spot, nvert, Rules("fraction")))
        rows, columns = np.indices(self.SHAPE)
        x, y = place(self.TRANSFORM, columns, rows)
        area = shapely.area(shapely.intersection(shape, shapely.box(x, y - 0.5, x + 0.5, y)))
        np.testing.assert_allclose(mine, area / 0.25, atol=1e-9)
        assert mine.sum() == pytest.approx(shape.area / 0.25, rel=1e-9)

    @pytest.mark.parametrize("lat", [0.0, 60.0, 85.0, -60.0, -85.0])
    @pytest.mark.parametrize("coverage", ["all_touched", "center", "fraction"])
    def test_the_seam_changes_nothing(self, coverage, lat):
        some = features([180.0, 0.0], lat, 4.3 * DEGREE)
        region = Annulus(0.5, 1.0, 16)
        grid = make_grid((180, 360), lonlat_transform(-180.0, 90.0, 1.0))
        engine = PolygonAnnuli(grid, some, region, Rules(coverage))
        across = np.roll(image(engine, 0), 180, axis=1)
        np.testing.assert_allclose(across, image(engine, 1), atol=1e-9)
        assert across.any()

    @pytest.mark.parametrize("lat", [90.0, -90.0, 87.0, -87.0])
    @pytest.mark.parametrize("area", [False, True])
    def test_many_vertices_come_near_the_circle(self, lat, area):
        grid = make_grid((90, 180), lonlat_transform(-180.0, 90.0, 2.0))
        some = features(30.0, lat, 20.0 * DEGREE)
        rules = Rules("fraction", area)
        polygon = PolygonAnnuli(grid, some, Annulus(0.5, 1.0, 720), rules)
        circle = ParallelAnnuli(grid, some, 0.5, 1.0, rules)
        whole = np.ones((90, 1))
        if area:
            north = np.radians(90.0 - 2.0 * np.arange(90))[:, None]
            sines = np.sin(north) - np.sin(north - np.radians(2.0))
            whole = MOON.a**2 * np.radians(2.0) * sines
        np.testing.assert_allclose(image(polygon) / whole, image(circle) / whole, atol=0.02)

    def test_area_weights_of_a_polygon(self):
        # Within a pixel an edge counts at its middle, so areas are not exact to the last digit.
        spot = self.PLACES[0]
        vertices = ngon(MOON, *spot[:2], np.radians(6.0) * MOON.a, 40)
        hole = ngon(MOON, *spot[:2], np.radians(3.0) * MOON.a, 40)
        found = image(self.engine(MOON, spot, 40, Rules("fraction", True))).sum()
        assert found == pytest.approx(green(vertices) - green(hole), rel=2e-6)


def green(vertices):
    """Area on the Moon within a ring with edges straight in lon/lat: |∮ sin φ dλ| R²."""
    lam, phi = np.radians(np.concatenate([vertices, vertices[:1]])).T
    rise, run = np.diff(phi), np.diff(lam)
    sine = np.where(
        np.abs(rise) > 1e-12,
        -np.diff(np.cos(phi)) / np.where(rise == 0, 1.0, rise),
        np.sin((phi[1:] + phi[:-1]) / 2),
    )
    return abs((sine * run).sum()) * MOON.a**2


@pytest.mark.parametrize("figure", [MOON, MARS], ids=lambda f: f.name)
@pytest.mark.parametrize("coverage", ["all_touched", "center", "fraction"])
def test_equirectangular_metres_are_degrees_in_other_units(coverage, figure):
    # On a map of a sphere, latitude is planetocentric, whatever the figure of the body.
    grid = small_grid("fine", figure)
    crs = f"+proj=eqc +R={figure.a} +units=m +no_defs"
    system = CoordinateSystem.from_user_input(crs, grid.body, what="raster")
    metres = np.radians(figure.a)
    transform = Affine(3 * metres, 0, -180 * metres, 0, -3 * metres, 90 * metres)
    copy = CylindricalGrid((60, 120), transform, system)
    some = many_features(10, figure)
    one, other = (ParallelAnnuli(g, some, 0.5, 1.0, Rules(coverage)) for g in (grid, copy))
    for roi in range(len(some)):
        np.testing.assert_allclose(image(one, roi), image(other, roi), atol=1e-6)
    assert sum(image(one, roi).sum() for roi in range(len(some))) > 100
