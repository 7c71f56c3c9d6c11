"""The second footprint engine against the first, on grids that both can serve."""

import numpy as np
import pandas as pd
import pytest
from affine import Affine

from craterkit import CraterDatabase
from craterkit.bodies import Body
from craterkit.coordinates import CoordinateSystem
from craterkit.footprints.engines import engine_for
from craterkit.footprints.parallels import ParallelAnnuli
from craterkit.footprints.rings import RingFootprints, tolerance
from craterkit.footprints.round_outlines import RoundOutlines
from craterkit.footprints.rules import Rules
from craterkit.grids.base import make_grid
from craterkit.grids.cylindrical import CylindricalGrid
from craterkit.regions import Annulus, Ellipse, Sector
from craterkit.tables.features import Features
from fields import MARS, MOON, Map, lonlat_transform

#: How far from a boundary, in pixels, engines may differ: the tolerance of an edge, and rounding.
SLACK = 0.06

DEGREE = np.radians(1.0)
COVERAGES = ("center", "all_touched", "fraction")

#: Projection, shape and transform (degrees, or metres on a unit sphere times degrees).
GRIDS = {
    "east": ("lonlat", (90, 180), lonlat_transform(-180.0, 90.0, 2.0)),
    "positive": ("lonlat", (90, 180), lonlat_transform(0.0, 90.0, 2.0)),
    "south up": ("lonlat", (90, 180), lonlat_transform(-180.0, 90.0, 2.0, south_up=True, rows=90)),
    "regional": ("lonlat", (60, 70), lonlat_transform(-70.0, 70.0, 1.5)),
    "across the seam": ("lonlat", (60, 70), lonlat_transform(140.0, 90.0, 1.5)),
    "broken period": ("lonlat", (45, 103), lonlat_transform(-180.0, 85.0, 3.5)),
    "equirectangular": ("eqc +lat_ts=40", (90, 120), Affine(2.5, 0.0, -150.0, 0.0, -2.0, 90.0)),
    "Mercator": ("merc", (110, 180), Affine(2.0, 0.0, -180.0, 0.0, -2.0, 110.0)),
}


def map_of(name, figure):
    """A grid of GRIDS as a map, and as the library sees it."""
    projection, shape, transform = GRIDS[name]
    if not projection.startswith("lonlat"):
        transform = Affine.scale(DEGREE * figure.a) @ transform
    body = Body(figure.name, figure.a, figure.b)
    chart = Map(figure, projection, shape, transform)
    system = "planetographic_east" if projection == "lonlat" else chart.crs
    grid = make_grid(shape, transform, CoordinateSystem.from_user_input(system, body, what="map"))
    assert isinstance(grid, CylindricalGrid)
    return chart, grid


def features(figure, count, seed=0):
    """Features all over the body, some at poles and seams; radii from a fraction of a pixel on."""
    rng = np.random.default_rng(seed)
    lat = np.degrees(np.arcsin(rng.uniform(-1.0, 1.0, count)))
    lon = rng.uniform(-180.0, 180.0, count)
    lat[:6] = 90.0, -90.0, 88.5, -84.0, 0.0, 50.0
    lon[4:8] = -180.0, 179.9, 0.0, -0.1
    degrees = 10.0 ** rng.uniform(-0.3, 1.6, count)
    # No boundary runs along the centres of a row.
    degrees[[0, 1, 2, 3]] = 6.93, 0.7, 12.1, 6.6
    return Features(lon, lat, degrees * DEGREE * figure.a)


def engines(grid, some, region, rules):
    first = ParallelAnnuli(grid, some, region.inner, region.outer, rules)
    return first, ring_engine(grid, some, region, rules)


def ring_engine(grid, some, region, rules):
    return RingFootprints(grid, RoundOutlines(grid, some, region, tolerance(rules)), rules)


def images(engine):
    """Weights of the pixels of all ROIs, or 1; and which pixels belong."""
    shape, rois = engine.grid.shape, np.arange(len(engine))
    found = engine.footprints(rois, 0, shape[0])
    spans = found.spans
    weights = np.ones(spans.length.sum()) if found.weights is None else found.weights
    out, times = np.zeros((rois.size, *shape)), np.zeros((rois.size, *shape), dtype=int)
    at = 0
    for roi, row, start, stop in zip(spans.roi, spans.row, spans.start, spans.stop, strict=True):
        out[roi, row, start:stop] = weights[at : at + stop - start]
        times[roi, row, start:stop] += 1
        at += stop - start
    assert times.max(initial=0) <= 1
    return out, times > 0


def edges_of_pixels(row, column):
    """Points all along the sides of pixels, and their centres."""
    t = np.linspace(0.0, 1.0, 25)
    x = np.concatenate([t, t, np.zeros(25), np.ones(25), [0.5]])
    y = np.concatenate([np.zeros(25), np.ones(25), t, t, [0.5]])
    return column[:, None] + x, row[:, None] + y


@pytest.mark.parametrize("inner", [0.0, 0.6])
@pytest.mark.parametrize(
    ("name", "figure"),
    [(name, MOON) for name in GRIDS] + [("Mercator", MARS), ("regional", MARS)],
    ids=lambda value: value if isinstance(value, str) else value.name,
)
class TestBothEngines:
    def some(self, figure):
        return features(figure, 24 if figure.is_sphere else 8)

    def test_centres_differ_at_boundaries_alone(self, name, figure, inner):
        chart, grid = map_of(name, figure)
        some = self.some(figure)
        first, second = engines(grid, some, Annulus(inner, 1.0), Rules("center"))
        (_, mine), (_, other) = images(first), images(second)
        roi, row, column = np.nonzero(mine != other)
        assert roi.size < 0.01 * mine.sum() + 5
        for i in np.unique(roi):
            at = roi == i
            x, y = column[at] + 0.5, row[at] + 0.5
            centre, radius = (some.lon[i], some.lat[i]), some.radius[i]
            off = np.abs(chart.off(centre, radius, x, y))
            if inner:
                off = np.minimum(off, np.abs(chart.off(centre, inner * radius, x, y)))
            assert off.max() < SLACK

    def test_touched_pixels_differ_where_they_are_grazed(self, name, figure, inner):
        chart, grid = map_of(name, figure)
        some = self.some(figure)
        first, second = engines(grid, some, Annulus(inner, 1.0), Rules("all_touched"))
        (_, mine), (_, other) = images(first), images(second)
        roi, row, column = np.nonzero(mine != other)
        assert roi.size < 0.01 * mine.sum() + 5
        for i in np.unique(roi):
            at = roi == i
            x, y = edges_of_pixels(row[at], column[at])
            x = np.minimum(x, grid.extent)  # the last column may end within
            centre, radius = (some.lon[i], some.lat[i]), some.radius[i]
            off = np.abs(np.nanmin(chart.off(centre, radius, x, y), axis=1))
            if inner:
                hole = chart.off(centre, inner * radius, x, y)
                off = np.minimum(off, np.abs(np.nanmax(hole, axis=1)))
            assert off.max() < SLACK

    @pytest.mark.parametrize("area", [False, True])
    def test_shares_are_the_same(self, name, figure, inner, area):
        _, grid = map_of(name, figure)
        rules = Rules("fraction", area)
        first, second = engines(grid, self.some(figure), Annulus(inner, 1.0), rules)
        (mine, _), (other, _) = images(first), images(second)
        whole = grid.row_areas(np.arange(grid.shape[0]))[:, None] if area else 1.0
        assert np.abs((mine - other) / whole).max() < 0.02
        np.testing.assert_allclose(
            other.sum(axis=(1, 2)), mine.sum(axis=(1, 2)), rtol=1e-2, atol=0.02 * np.max(whole)
        )


@pytest.mark.parametrize("area", [False, True])
@pytest.mark.parametrize("coverage", COVERAGES)
@pytest.mark.parametrize("inner", [0.6])
class TestGroundWeight:
    def test_on_a_global_raster_it_is_the_weight_of_the_pixels(self, inner, coverage, area):
        _, grid = map_of("east", MOON)
        rules = Rules(coverage, area)
        engine = ring_engine(grid, features(MOON, 20), Annulus(inner, 1.0), rules)
        weights = images(engine)[0].sum(axis=(1, 2))
        found = engine.ground_weight(np.arange(20))
        np.testing.assert_allclose(found, weights, rtol=2e-3, atol=1e-3 * weights.max())

    def test_on_a_part_of_it_it_stays_the_same(self, inner, coverage, area):
        _, grid = map_of("east", MOON)
        rows, columns = slice(10, 60), slice(30, 100)
        moved = grid.transform @ Affine.translation(columns.start, rows.start)
        part = make_grid((50, 70), moved, grid.system)
        rules = Rules(coverage, area)
        some, region = features(MOON, 20), Annulus(inner, 1.0)
        whole, own = (ring_engine(g, some, region, rules) for g in (grid, part))
        mine = images(own)[0]
        pixel = float(grid.row_areas(np.array([45]))[0]) if area else 1.0
        np.testing.assert_allclose(mine, images(whole)[0][:, rows, columns], atol=0.02 * pixel)
        torn = RoundOutlines(grid, some, region, tolerance(rules)).torn
        reached = np.flatnonzero(mine.any(axis=(1, 2)) & ~torn)
        assert reached.size > 5
        found, expected = own.ground_weight(reached), whole.ground_weight(reached)
        np.testing.assert_allclose(found, expected, rtol=2e-3)


def test_annuli_on_parallels_are_the_first_engine_s_and_all_else_the_second_s():
    _, grid = map_of("east", MOON)
    some, rules = features(MOON, 8), Rules("center")
    assert isinstance(engine_for(Annulus(0.5, 1.0), grid, some, rules), ParallelAnnuli)
    for region in (Ellipse(1.0, 0.5, 30.0), Sector(0.0, 1.0, 20.0, 50.0)):
        assert isinstance(engine_for(region, grid, some, rules), RingFootprints)


@pytest.mark.parametrize("coverage", COVERAGES)
@pytest.mark.parametrize("name", ["east", "broken period", "Mercator"])
def test_an_ellipse_of_equal_axes_is_a_circle(name, coverage):
    _, grid = map_of(name, MOON)
    some, rules = features(MOON, 20), Rules(coverage)
    ellipse = images(engine_for(Ellipse(1.0, 1.0, 33.0), grid, some, rules))[0]
    circle = images(engine_for(Annulus(0.0, 1.0), grid, some, rules))[0]
    if coverage == "fraction":
        np.testing.assert_allclose(ellipse, circle, atol=0.02)
    else:
        assert np.count_nonzero(ellipse != circle) < 0.005 * circle.sum()


@pytest.mark.parametrize("area", [False, True])
@pytest.mark.parametrize("name", ["east", "broken period"])
def test_sectors_all_around_add_up_to_the_annulus(name, area):
    _, grid = map_of(name, MOON)
    some = features(MOON, 20)
    whole = grid.row_areas(np.arange(grid.shape[0]))[:, None] if area else 1.0
    total = 0.0
    for start in (0.0, 100.0, 200.0):
        stop = (start + 100.0) if start < 200.0 else 0.0
        sector = Sector(0.4, 1.0, start, stop)
        total = total + images(engine_for(sector, grid, some, Rules("fraction", area)))[0]
    annulus = images(engine_for(Annulus(0.4, 1.0), grid, some, Rules("fraction", area)))[0]
    assert np.abs((total - annulus) / whole).max() < 0.05
    np.testing.assert_allclose(
        total.sum(axis=(1, 2)),
        annulus.sum(axis=(1, 2)),
        rtol=0.03,
        atol=0.02 * np.max(whole),
    )


@pytest.mark.parametrize("coverage", COVERAGES)
def test_rows_asked_for_in_portions_are_the_same_pixels(coverage):
    _, grid = map_of("positive", MOON)
    engine = ring_engine(grid, features(MOON, 20), Annulus(0.5, 1.0), Rules(coverage))
    rois = np.arange(20)
    whole = engine.footprints(rois, 0, 90)
    parts = [engine.footprints(rois, start, start + 18) for start in range(0, 90, 18)]
    for name in ("roi", "row", "start", "stop"):
        joined = np.concatenate([getattr(part.spans, name) for part in parts])
        order = np.lexsort(
            tuple(
                np.concatenate([getattr(part.spans, key) for part in parts])
                for key in ("start", "row", "roi")
            )
        )
        np.testing.assert_array_equal(joined[order], getattr(whole.spans, name))
    if coverage == "fraction":
        total = sum(part.weights.sum() for part in parts)
        assert total == pytest.approx(whole.weights.sum(), rel=1e-12)


def test_what_an_engine_says_of_rows_and_columns_holds():
    """No pixel lies outside the rows and columns that are announced."""
    _, grid = map_of("regional", MOON)
    engine = ring_engine(grid, features(MOON, 40), Annulus(0.0, 1.0), Rules("all_touched"))
    low, high = engine.columns()
    spans = engine.footprints(np.arange(40), 0, grid.shape[0]).spans
    assert (spans.row >= engine.rows[spans.roi, 0]).all()
    assert (spans.row < engine.rows[spans.roi, 1]).all()
    middle = (spans.start + spans.stop) / 2
    turns = np.round(((low + high)[spans.roi] / 2 - middle) / grid.period) * grid.period
    torn = engine._outlines.torn[spans.roi]
    assert (torn | (spans.start + turns >= np.floor(low[spans.roi]))).all()
    assert (torn | (spans.stop + turns <= np.ceil(high[spans.roi]))).all()


@pytest.mark.parametrize("lat", [90.0, 89.99, -89.9999, -90.0])
@pytest.mark.parametrize(("start", "stop"), [(50.0, 300.0), (0.0, 359.0), (200.0, 150.0)])
def test_sectors_about_a_pole_have_their_area(lat, start, stop):
    """There arcs are straight lines of a lon/lat grid: nothing must bend them."""
    degree = np.radians(MOON.a)
    table = pd.DataFrame({"lon": [0.0], "lat": [lat], "radius_m": [20.0 * degree]})
    cdb = CraterDatabase(table, "moon")
    cdb.add_sectors("part", 0.5, 1.5, start, stop)
    stats = cdb.get_stats(
        np.ones((180, 360)),
        "part",
        "weight_sum",
        coverage="fraction",
        weights="area",
        raster_crs="planetocentric",
        transform=(1, 0, -180, 0, -1, 90),
    )
    band = np.cos(np.radians(10.0)) - np.cos(np.radians(30.0))
    area = MOON.a**2 * np.radians((stop - start) % 360.0) * band
    assert stats["weight_sum_part"].iloc[0] == pytest.approx(area, rel=2e-4)
