"""Rasters of any projection: where their pixels lie, and which of them belong to an ROI.

The oracles are pyproj's formulas, geodesic distances, closed forms of areas, exactextract and GDAL.
"""

import functools

import numpy as np
import pytest
import rasterio.features
import shapely
from exactextract import exact_extract
from exactextract.raster import NumPyRasterSource
from scipy.integrate import quad

from craterkit.bodies import Body
from craterkit.coordinates import CoordinateSystem
from craterkit.errors import CRSError, RasterError
from craterkit.footprints.engines import engine_for
from craterkit.footprints.rules import Rules
from craterkit.grids.base import make_grid
from craterkit.grids.projected import ProjectedGrid
from craterkit.regions import Annulus, Ellipse, Sector
from craterkit.tables.features import Features
from fields import (
    CERES,
    MAPS,
    MARS,
    MOON,
    PROJECTIONS,
    Figure,
    map_of,
    place,
    square_map,
    unit_vectors,
)

DEGREE = np.radians(1.0)

#: How far from a boundary, in pixels, centres may be on the wrong side of it.
SLACK = 0.06


def grid_of(chart):
    body = Body(chart.figure.name, chart.figure.a, chart.figure.b)
    crs = "planetographic_east" if chart.crs.is_geographic else chart.crs
    system = CoordinateSystem.from_user_input(crs, body, what="map")
    return make_grid(chart.shape, chart.transform, system, chart.projection)


@functools.cache
def example(name, figure=MOON, size=150):
    chart = map_of(name, figure, size)
    return chart, grid_of(chart)


def features(figure, count, seed=0):
    """Features all over the body, at poles and seams; a few reach halfway around it."""
    rng = np.random.default_rng(seed)
    lat = np.degrees(np.arcsin(rng.uniform(-1.0, 1.0, count)))
    lon = rng.uniform(-180.0, 180.0, count)
    lat[:6] = 90.0, -90.0, 88.5, -84.0, 0.0, 50.0
    lon[4:8] = -180.0, 179.9, 0.0, -0.1
    return Features(lon, lat, 10.0 ** rng.uniform(0.0, 1.8, count) * DEGREE * figure.a)


def image(engine, roi=0):
    """Weights of one ROI's pixels, or 1."""
    shape = engine.grid.shape
    found = engine.footprints(np.array([roi]), 0, shape[0])
    spans = found.spans
    weights = np.ones(spans.length.sum()) if found.weights is None else found.weights
    out = np.zeros(shape)
    at = 0
    for row, start, stop in zip(spans.row, spans.start, spans.stop, strict=True):
        out[row, start:stop] = weights[at : at + stop - start]
        at += stop - start
    return out


def single(grid, lon, lat, radius, region, rules):
    """The image of one ROI."""
    return image(engine_for(region, grid, Features([lon], [lat], [radius]), rules))


class TestGrids:
    @pytest.mark.parametrize("figure", [MOON, MARS], ids=lambda f: f.name)
    @pytest.mark.parametrize("name", MAPS)
    def test_pixels_are_where_the_formulas_say(self, name, figure):
        chart, grid = example(name, figure, 60)
        assert isinstance(grid, ProjectedGrid)
        rows, columns = np.indices(chart.shape)
        lon, lat = grid.to_body(columns + 0.5, rows + 0.5)
        expected = chart.centres
        on = np.isfinite(expected[0])
        np.testing.assert_array_equal(np.isfinite(lon), on)
        apart = unit_vectors(lon[on], lat[on]) - unit_vectors(*(value[on] for value in expected))
        # The inverse of the equal-area projection in PROJ errs by 2e-9 on Mars.
        assert np.abs(apart).max() < 1e-8
        assert on.mean() > 0.1

    @pytest.mark.parametrize("name", MAPS)
    def test_positions_lead_back_to_their_pixels(self, name):
        chart, grid = example(name, MARS, 60)
        lon, lat = chart.centres
        on = np.isfinite(lon) & (np.abs(lat) < 89.0)
        rows, columns = np.indices(chart.shape)
        x, y = grid.to_pixels(lon[on] + 360.0, lat[on])
        np.testing.assert_allclose(x, columns[on] + 0.5, atol=1e-3)
        np.testing.assert_allclose(y, rows[on] + 0.5, atol=1e-3)

    @pytest.mark.parametrize("projection", ["laea +lat_0=-90", "stere +lat_0=90", "tmerc"])
    def test_pixels_of_flattened_bodies_have_their_places(self, projection):
        """PROJ's inverses are off by several of these pixels of 10 m on Ceres, or fail."""
        grid = grid_of(square_map(CERES, projection, 1.0, 97_460))
        x, y = np.meshgrid(np.linspace(0.5, 97_459.5, 14), np.linspace(0.5, 97_459.5, 14))
        lon, lat = grid.to_body(x, y)
        assert np.isfinite(lon).all()
        np.testing.assert_allclose(grid.to_pixels(lon, lat), (x, y), rtol=0, atol=1e-4)

    @pytest.mark.parametrize("figure", [MOON, MARS], ids=lambda f: f.name)
    @pytest.mark.parametrize(
        "name", ["sinusoidal", "Mollweide", "interrupted Goode", "azimuthal equal-area"]
    )
    def test_areas_of_pixels_add_up_to_the_body(self, name, figure):
        chart, grid = example(name, figure)
        on = np.isfinite(chart.centres[0])
        rows, columns = np.nonzero(on)
        e2 = 1.0 - (figure.b / figure.a) ** 2
        e = np.sqrt(e2)
        flat = 1.0 if e == 0 else (1.0 + (1.0 - e2) / e * np.arctanh(e)) / 2.0
        body = 4.0 * np.pi * figure.a**2 * flat
        assert grid.areas_at(rows, columns).sum() == pytest.approx(body, rel=4e-3)

    @pytest.mark.parametrize("name", MAPS)
    def test_orientation_tells_mirror_images(self, name):
        chart, grid = example(name)
        assert grid.orientation == 1.0
        flipped = type(chart)(
            chart.figure,
            chart.projection,
            chart.shape,
            chart.transform @ type(chart.transform).scale(1.0, -1.0),
        )
        if np.isfinite(flipped.centres[0]).any():
            assert grid_of(flipped).orientation == -1.0

    def test_a_raster_off_the_body_is_refused(self):
        chart = square_map(MOON, "ortho +lat_0=90", 0.2, 20)
        away = chart.transform.translation(3.0 * MOON.a, 0.0) @ chart.transform
        with pytest.raises(CRSError, match=r"no part of it lies"):
            grid_of(type(chart)(MOON, chart.projection, chart.shape, away))

    def test_pixels_on_a_line_are_refused(self):
        chart = square_map(MOON, "stere +lat_0=90", 0.2, 20)
        line = type(chart.transform)(1e4, 2e4, 0.0, 1e4, 2e4, 0.0)
        with pytest.raises(RasterError, match="no width or no height"):
            grid_of(type(chart)(MOON, chart.projection, chart.shape, line))


@pytest.mark.parametrize(
    ("name", "figure"),
    [(name, MOON) for name in MAPS]
    + [
        (name, MARS)
        for name in (
            "north polar stereographic",
            "sinusoidal about 180",
            "Mollweide",
            "orthographic",
            "conformal conic",
            "rotated lon/lat",
        )
    ],
    ids=lambda value: value if isinstance(value, str) else value.name,
)
class TestCentres:
    """Pixels are those whose centres the geodesic distance puts inside."""

    def test_pixels_are_those_whose_centres_lie_inside(self, name, figure):
        chart, grid = example(name, figure)
        some = features(figure, 24 if figure.is_sphere else 12, seed=4)
        engine = engine_for(Annulus(0.5, 1.0), grid, some, Rules("center"))
        reached = 0
        for i, (lon, lat, radius) in enumerate(zip(some.lon, some.lat, some.radius, strict=True)):
            distance = figure.distance(lon, lat, *chart.centres)
            expected = (distance > 0.5 * radius) & (distance <= radius)
            mine = image(engine, i) > 0
            rows, columns = np.nonzero(mine != expected)
            x, y = columns + 0.5, rows + 0.5
            near = [np.abs(chart.off((lon, lat), r, x, y)) for r in (0.5 * radius, radius)]
            assert np.nanmax(np.minimum(*near), initial=0.0) < SLACK
            assert np.isfinite(np.minimum(*near)).all()
            reached += expected.any()
        assert reached > len(some) / 4


@pytest.mark.parametrize("name", MAPS[::2])
def test_the_three_rules_agree(name):
    """Shares are of touched pixels; those of which more than half is covered are mostly centres."""
    chart, grid = example(name)
    some = features(MOON, 10, seed=9)
    engines = [
        engine_for(Annulus(0.4, 1.0), grid, some, Rules(coverage))
        for coverage in ("all_touched", "center", "fraction")
    ]
    on = np.isfinite(chart.centres[0])
    for roi in range(len(some)):
        touched, center, share = (image(engine, roi) for engine in engines)
        assert share.max() <= 1.0 + 1e-9
        assert not ((share > 0.02) & (touched == 0)).any()
        assert not ((center > 0) & (touched == 0) & (share > 0.02)).any()
        # Only the ragged edge of the map is neither here nor there.
        assert not ((share == 0) & (center > 0) & on).any()
        wrong = ((share > 0.9) & (center == 0) | (share < 0.1) & (center > 0)) & on
        assert wrong.sum() <= 0.02 * center.sum() + 2


class TestOffTheMap:
    @pytest.mark.parametrize("coverage", ["all_touched", "center", "fraction"])
    @pytest.mark.parametrize(
        ("name", "lon", "lat"),
        [
            ("orthographic", -140.0, -30.0),
            ("gnomonic", -180.0, 20.0),
            ("north polar stereographic", 0.0, -85.0),
            ("transverse Mercator", 90.0, 0.0),
            ("rotated lon/lat", 170.0, 0.0),
        ],
    )
    def test_beyond_the_horizon_there_is_no_pixel(self, name, lon, lat, coverage):
        _, grid = example(name)
        assert not single(grid, lon, lat, 5e4, Annulus(0.0, 1.0), Rules(coverage)).any()

    @pytest.mark.parametrize("radius", [20.0, 60.0, 150.0])
    @pytest.mark.parametrize("name", ["orthographic", "Mollweide", "azimuthal equal-area"])
    def test_ghosts_beyond_the_edge_never_count(self, name, radius):
        """A raster larger than the map's disc has corners that show no ground."""
        chart, grid = example(name)
        ghosts = ~np.isfinite(chart.centres[0])
        x, y = np.meshgrid(*[np.linspace(-0.02, 1.02, 15)] * 2)
        for lon, lat in ((40.0, 30.0), (-120.0, 10.0)):
            mine = single(grid, lon, lat, radius * DEGREE * MOON.a, Annulus(0, 1), Rules("center"))
            assert not (mine[ghosts] > 0).any()
            touched = single(
                grid, lon, lat, radius * DEGREE * MOON.a, Annulus(0, 1), Rules("all_touched")
            )
            for row, column in np.argwhere(ghosts & (touched > 0)):
                # The map's edge passes through it.
                assert np.isfinite(chart.places(column + x, row + y)[0]).any()

    @pytest.mark.parametrize("name", ["orthographic", "sinusoidal", "interrupted Goode"])
    def test_the_whole_body_is_the_whole_map(self, name):
        chart, grid = example(name)
        mine = single(grid, 10.0, 20.0, np.pi * MOON.a, Annulus(0.0, 1.0), Rules("center"))
        wrong = (mine > 0) != np.isfinite(chart.centres[0])
        # The gaps of an interrupted map end in points that are narrower than what is looked at.
        assert wrong.sum() <= (20 if name == "interrupted Goode" else 0)

    @pytest.mark.parametrize("name", ["azimuthal equal-area", "azimuthal equidistant"])
    def test_a_cap_about_the_antipode_is_a_rim_of_the_map(self, name):
        chart, grid = example(name)
        lon, lat = (-140.0, -30.0) if name == "azimuthal equal-area" else (-80.0, 40.0)
        radius = 35.0 * DEGREE * MOON.a
        mine = single(grid, lon, lat, radius, Annulus(0.0, 1.0), Rules("center"))
        distance = MOON.distance(lon, lat, *chart.centres)
        assert np.count_nonzero((mine > 0) != (distance <= radius)) <= 0.01 * mine.sum()
        assert mine.sum() > 500


class TestBehindTheBody:
    """Nothing is farther away than the antipode."""

    FLAT = Figure("flat", 289000.0, 229000.0)

    @pytest.mark.parametrize("figure", [MOON, FLAT], ids=lambda f: f.name)
    @pytest.mark.parametrize("name", ["azimuthal equal-area", "Mollweide", "rotated lon/lat"])
    @pytest.mark.parametrize("coverage", ["all_touched", "center", "fraction"])
    def test_circles_hold_all_ground_and_annuli_none(self, name, coverage, figure):
        chart, grid = example(name, figure, 60)
        on = np.isfinite(chart.centres[0])
        half = figure.distance(20.0, -30.0, -160.0, 30.0)
        for times in (1.0, 1.5, 2.0, 4.6):
            circle, beyond = Annulus(0.0, times), Annulus(times, 1.3 * times)
            mine = single(grid, 20.0, -30.0, 1.0001 * half, circle, Rules(coverage))
            assert (mine[on] > 0).all()
            none = single(grid, 20.0, -30.0, 1.0001 * half, beyond, Rules(coverage))
            assert not none.any()

    @pytest.mark.parametrize("figure", [MOON, FLAT], ids=lambda f: f.name)
    @pytest.mark.parametrize("times", [0.99, 1.2, 2.0, 5.0])
    def test_sectors_about_a_pole_are_bounded_by_meridians(self, times, figure):
        chart, grid = example("south polar stereographic", figure, 80)
        half = figure.distance(0.0, 90.0, 0.0, -90.0)
        mine = single(grid, 0.0, 90.0, half, Sector(0.0, times, 30.0, 100.0), Rules("center"))
        # Those of PROJ are no good on so flat a body.
        rows, columns = np.indices(chart.shape)
        lon, lat = grid.to_body(columns + 0.5, rows + 0.5)
        # From the north pole azimuths run against longitudes.
        azimuth = np.mod(180.0 - lon, 360.0)
        expected = (azimuth >= 30.0) & (azimuth < 100.0)
        expected &= figure.distance(0.0, 90.0, lon, lat) <= times * half
        edge = np.abs(np.mod(np.stack([azimuth - 30.0, azimuth - 100.0]) + 180, 360) - 180).min(0)
        wrong = (mine > 0) != expected
        assert not (wrong & (edge > 0.1) & (lat > -89.0)).sum() > 4
        assert expected.sum() > 500


@pytest.mark.parametrize("name", ["north polar stereographic", "rotated lon/lat"])
@pytest.mark.parametrize("radius", [0.4, 1.0, 3.0])
def test_small_sectors_keep_their_corners(name, radius):
    """Radii in pixels: their areas, and neither shared nor lost centres."""
    _, grid = example(name)
    lon, lat = (float(value) for value in grid.to_body(70.3, 41.8))
    pixel = np.sqrt(grid.areas_at(41, 70))
    ways = [10.0, 47.0, 130.0, 200.0, 345.0]
    centres, shares = (
        [
            single(grid, lon, lat, radius * pixel, Sector(0.0, 1.0, *ends), Rules(coverage))
            for ends in zip(ways, [*ways[1:], ways[0]], strict=True)
        ]
        for coverage in ("center", "fraction")
    )
    circle = single(grid, lon, lat, radius * pixel, Annulus(0.0, 1.0), Rules("center"))
    np.testing.assert_array_equal(sum(centres), circle)
    widths = np.mod(np.diff(ways, append=ways[0]), 360.0) / 360.0
    whole = sum(share.sum() for share in shares)
    assert whole == pytest.approx(np.pi * radius**2, rel=0.02)
    if name != "rotated lon/lat":  # which is not conformal
        found = np.array([share.sum() for share in shares]) / whole
        np.testing.assert_allclose(found, widths, atol=0.01)


def polar_area(reach, start=0.0, stop=360.0):
    """∫∫ dA within a distance `reach(azimuth)` (radians on the unit sphere), Moon, m²."""
    value, _ = quad(
        lambda azimuth: 1.0 - np.cos(reach(azimuth)), *np.radians([start, stop]), limit=200
    )
    return MOON.a**2 * value


def ellipse_reach(major, minor, azimuth):
    def reach(direction):
        beta = direction - np.radians(azimuth)
        return major * minor / np.hypot(minor * np.cos(beta), major * np.sin(beta))

    return reach


#: Regions of a feature with a radius of 8°, and their areas.
T = 8.0 * DEGREE
SHAPES = {
    "circle": (Annulus(0.0, 1.0), polar_area(lambda _: T)),
    "annulus": (Annulus(0.5, 1.0), polar_area(lambda _: T) - polar_area(lambda _: T / 2)),
    "ellipse": (Ellipse(1.4, 0.8, 30.0), polar_area(ellipse_reach(1.4 * T, 0.8 * T, 30.0))),
    "sector": (
        Sector(0.3, 1.2, 300.0, 60.0),
        polar_area(lambda _: 1.2 * T, 0, 120) - polar_area(lambda _: 0.3 * T, 0, 120),
    ),
}

#: Where an ROI of 12° lies wholly on a map, untorn.
INSIDE = {
    "north polar stereographic": (70.0, 80.0),
    "south polar stereographic": (0.0, -50.0),
    "oblique stereographic": (-70.0, 60.0),
    "sinusoidal": (30.0, -50.0),
    "sinusoidal about 180": (-180.0, 20.0),
    "Mollweide": (-60.0, 40.0),
    "Robinson": (20.0, 33.0),
    "interrupted Goode": (-100.0, 25.0),
    "transverse Mercator": (10.0, 70.0),
    "azimuthal equal-area": (40.0, -40.0),
    "azimuthal equidistant": (100.0, 30.0),
    "orthographic": (20.0, 10.0),
    "gnomonic": (10.0, -10.0),
    "conformal conic": (50.0, 60.0),
    "oblique Mercator": (100.0, 10.0),
    "rotated pole": (60.0, 10.0),
    "rotated lon/lat": (20.0, 50.0),
    "sheared lon/lat": (20.0, -50.0),
}

#: Where an ROI is cut by a seam or holds a pole that the map draws out to a line or a point.
TORN = {
    "sinusoidal": (179.0, 30.0),
    "sinusoidal about 180": (3.0, -40.0),
    "Mollweide": (-180.0, 70.0),
    "interrupted Goode": (-40.0, 0.0),
    "Robinson": (0.0, 88.0),
    "azimuthal equal-area": (-135.0, -33.0),
    "conformal conic": (-170.0, 50.0),
    "rotated pole": (-160.0, 70.0),
}


@pytest.mark.parametrize("shape", SHAPES)
class TestAreas:
    """Weights of shares and areas add up to the ground of the region."""

    RULES = Rules("fraction", True)

    @pytest.mark.parametrize("name", MAPS)
    def test_an_roi_has_its_area_on_every_map(self, name, shape):
        _, grid = example(name, size=300)
        region, area = SHAPES[shape]
        found = single(grid, *INSIDE[name], T * MOON.a, region, self.RULES).sum()
        assert found == pytest.approx(area, rel=2e-3)

    @pytest.mark.parametrize("name", TORN)
    def test_an_roi_that_is_torn_apart_keeps_it(self, name, shape):
        _, grid = example(name, size=300)
        region, area = SHAPES[shape]
        found = single(grid, *TORN[name], T * MOON.a, region, self.RULES).sum()
        # A pole that is a line has pixels that reach along it without end.
        assert found == pytest.approx(area, rel=2e-2 if name == "Robinson" else 1e-2)


@pytest.mark.parametrize("name", ["north polar stereographic", "sinusoidal", "rotated lon/lat"])
def test_a_circle_on_mars_has_its_area(name):
    _, grid = example(name, MARS, 300)
    lon, lat = INSIDE[name]
    radius = 4e5
    found = single(grid, lon, lat, radius, Annulus(0.0, 1.0), Rules("fraction", True)).sum()
    # Of the sphere that fits the surface there: the rest is of the fourth order.
    e2, s2 = 1.0 - (MARS.b / MARS.a) ** 2, np.sin(np.radians(MARS.ographic(lat))) ** 2
    squared = MARS.a**2 * (1.0 - e2) / (1.0 - e2 * s2) ** 2
    expected = 4.0 * np.pi * squared * np.sin(radius / np.sqrt(squared) / 2.0) ** 2
    assert found == pytest.approx(expected, rel=2e-3)


def ring(chart, lon, lat, radius, count=1440):
    """A circle's polygon in pixel coordinates."""
    azimuth = np.arange(count) * (360.0 / count)
    return shapely.Polygon(np.stack(chart.pixels(*chart.figure.ring(lon, lat, radius, azimuth)), 1))


def exact_shares(shape, size):
    """Covered shares of pixels, by exactextract; y up there."""
    source = NumPyRasterSource(np.zeros((size, size)), xmin=0, ymin=0, xmax=size, ymax=size)
    upright = shapely.transform(shape, lambda points: points * [1.0, -1.0] + [0.0, size])
    feature = {"type": "Feature", "geometry": shapely.geometry.mapping(upright), "properties": {}}
    found = exact_extract(source, feature, ["cell_id", "coverage"])[0]["properties"]
    out = np.zeros(size * size)
    out[np.asarray(found["cell_id"], dtype=int)] = found["coverage"]
    return out.reshape(size, size)


#: Projection, half a side in degrees of arc for each pixel of radius, and where an ROI lies.
SHARES = {
    "lonlat": ("lonlat +lon_0=0", (12.3, 41.7)),
    "polar stereographic": ("stere +lat_0=90", (31.0, 83.0)),
    "sinusoidal": ("sinu +lon_0=0", (40.0, -35.0)),
}


@pytest.mark.parametrize("pixels", [0.3, 1.0, 3.0, 10.0, 40.0, 300.0])
@pytest.mark.parametrize("figure", [MOON, MARS], ids=lambda f: f.name)
@pytest.mark.parametrize("name", SHARES)
def test_shares_are_those_of_exactextract(name, figure, pixels):
    """Below 0.5 % of a pixel on average and 2 % at most over the pixels of the edge."""
    projection, (lon, lat) = SHARES[name]
    size = int(2.6 * pixels) + 8
    arc = 2.5  # degrees
    pixel = arc / pixels * (1.0 if name == "lonlat" else DEGREE * figure.a)
    chart = square_map(figure, projection, 10.0, size)
    # A raster of these pixels about the centre.
    scale = pixel / chart.transform.a
    centre = chart.pixels(lon, lat)
    x, y = (centre[0] - scale * size / 2 + 0.13 * scale, centre[1] - scale * size / 2)
    affine = type(chart.transform)
    near = type(chart)(
        figure,
        projection,
        (size, size),
        chart.transform @ affine.translation(x, y) @ affine.scale(scale),
    )
    radius = arc * DEGREE * figure.a
    mine = single(grid_of(near), lon, lat, radius, Annulus(0.0, 1.0), Rules("fraction"))
    expected = exact_shares(ring(near, lon, lat, radius), size)
    edge = (mine > 0) & (mine < 1) | (expected > 0) & (expected < 1)
    assert edge.any()
    apart = np.abs(mine - expected)
    assert apart[edge].mean() < 0.005
    assert apart.max() < 0.02


class TestPolygons:
    """Regions with `nvert` have corners at geodesic azimuths and edges straight in the plane."""

    PLACES = (
        ("north polar stereographic", 40.3, 80.2, 6.1),
        ("sinusoidal", -60.4, 35.3, 9.3),
        ("azimuthal equal-area", 70.1, 10.2, 7.7),
        ("rotated lon/lat", 12.3, -31.0, 8.2),
    )

    def shape(self, chart, lon, lat, degrees, nvert):
        radius = degrees * DEGREE * chart.figure.a
        return ring(chart, lon, lat, radius, nvert) - ring(chart, lon, lat, radius / 2, nvert)

    def engine(self, grid, figure, lon, lat, degrees, nvert, rules):
        some = Features([lon], [lat], [degrees * DEGREE * figure.a])
        return engine_for(Annulus(0.5, 1.0, nvert), grid, some, rules)

    @pytest.mark.parametrize("figure", [MOON, MARS], ids=lambda f: f.name)
    @pytest.mark.parametrize("nvert", [3, 8, 32])
    @pytest.mark.parametrize("spot", PLACES, ids=lambda spot: spot[0])
    def test_touched_pixels_are_those_of_gdal(self, spot, nvert, figure):
        name, *where = spot
        chart, grid = example(name, figure)
        shape = self.shape(chart, *where, nvert)
        burnt = rasterio.features.rasterize(
            [(shape, 1)], out_shape=chart.shape, all_touched=True, dtype="uint8"
        )
        mine = image(self.engine(grid, figure, *where, nvert, Rules("all_touched")))
        row, column = np.nonzero(mine != burnt)
        # They differ where an edge passes a corner so closely that GDAL misses it.
        pixels = shapely.box(column + 0.01, row + 0.01, column + 0.99, row + 0.99)
        assert not shapely.intersects(shape.boundary, pixels).any()
        assert burnt.sum() > 20

    @pytest.mark.parametrize("nvert", [3, 8, 32])
    @pytest.mark.parametrize("spot", PLACES, ids=lambda spot: spot[0])
    def test_centres_and_shares_are_exact(self, spot, nvert):
        name, *where = spot
        chart, grid = example(name)
        shape = self.shape(chart, *where, nvert)
        rows, columns = np.indices(chart.shape)
        inside = shapely.contains_xy(shape, columns + 0.5, rows + 0.5)
        mine = image(self.engine(grid, MOON, *where, nvert, Rules("center")))
        np.testing.assert_array_equal(mine > 0, inside)
        boxes = shapely.box(columns, rows, columns + 1, rows + 1)
        area = shapely.area(shapely.intersection(shape, boxes))
        share = image(self.engine(grid, MOON, *where, nvert, Rules("fraction")))
        np.testing.assert_allclose(share, area, atol=1e-6)


def test_every_projection_has_its_places():
    assert set(INSIDE) == set(MAPS)
    assert set(TORN) <= set(PROJECTIONS)
    assert place(map_of("Mollweide").transform, 75.0, 75.0) == pytest.approx((0.0, 0.0))
