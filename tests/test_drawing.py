"""Polygons of ellipses, sectors and given shapes: valid, of the right ground and area, everywhere."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import shapely

from areas import area_on, check_shape
from craterkit import Body, CraterDatabase
from fields import CERES, MARS, MOON

FIGURES = [MOON, MARS, CERES]
LATITUDES = [0.0, 45.0, -60.0, 85.0, 89.99, 90.0, -90.0]
LONGITUDES = [0.0, 100.3, 180.0, -179.9]
SIZES = [0.001, 1.0, 12.0, 60.0]  # degrees

ELLIPSE = {"major": 1.0, "minor": 0.4, "azimuth": 20.0}
SECTORS = {
    "quarter": (0.0, 1.0, 0.0, 90.0),
    "through north": (0.5, 1.0, 300.0, 20.0),
    "wide": (0.2, 1.0, 90.0, 80.0),
    "narrow": (0.0, 1.0, 179.0, 180.0),
    "half": (0.0, 1.0, 270.0, 90.0),
}


def database(figure, lon, lat, degrees):
    table = pd.DataFrame({"lon": np.atleast_1d(lon), "lat": np.atleast_1d(lat)})
    table["radius_m"] = np.radians(degrees) * figure.a
    return CraterDatabase(table, Body(figure.name, figure.a, figure.b))


def with_ellipse(figure, lon, lat, degrees, **options):
    cdb = database(figure, lon, lat, degrees)
    cdb.add_ellipses("shape", **{**ELLIPSE, **options})
    return cdb


def with_sector(figure, lon, lat, degrees, name):
    cdb = database(figure, lon, lat, degrees)
    cdb.add_sectors("shape", *SECTORS[name])
    return cdb


def within(angle, start, stop):
    """Whether directions lie clockwise from one to another."""
    return np.mod(angle - start, 360.0) < np.mod(stop - start, 360.0)


def ellipse_radius(azimuth, major, minor, direction):
    beta = np.radians(azimuth - direction)
    return major * minor / np.hypot(minor * np.cos(beta), major * np.sin(beta))


def polar(figure, lon0, lat0, lon, lat):
    """Geodesic distance (metres) and azimuth (degrees) from a centre."""
    start, end = figure.ographic(np.full(lon.shape, lat0)), figure.ographic(lat)
    azimuth, _, distance = figure.geod.inv(np.full(lon.shape, lon0), start, lon, end)
    return distance, azimuth


def places(lon0, lat0, degrees, count=3000):
    """Places around a centre, some farther away than `degrees`."""
    random = np.random.default_rng(7)
    lam, phi = MOON.ring(lon0, lat0, MOON.a * np.radians(degrees), random.uniform(0, 360, count))
    near = np.array([lon0, lat0]) if abs(lat0) < 90 else np.array([lam[0], lat0])
    vectors = [
        np.stack([np.cos(b) * np.cos(a), np.cos(b) * np.sin(a), np.sin(b)], axis=-1)
        for a, b in (np.radians([lam, phi]), np.radians(near))
    ]
    share = random.uniform(0, 1.3, count)[:, None]
    x, y, z = (share * vectors[0] + (1 - share) * vectors[1]).T
    return np.degrees(np.arctan2(y, x)), np.degrees(np.arctan2(z, np.hypot(x, y)))


def edge_distance(shape, lon, lat):
    """Degrees on the ground from places to the edge, about."""
    edge = shapely.get_coordinates(shapely.segmentize(shapely.boundary(shape), 0.2))
    a, b = np.radians(edge.T), np.radians([lon, lat])
    u, v = (
        np.stack([np.cos(y) * np.cos(x), np.cos(y) * np.sin(x), np.sin(y)], axis=-1)
        for x, y in (a, b)
    )
    return np.degrees(np.arccos(np.clip(u @ v.T, -1, 1).max(axis=0)))


class TestEllipses:
    @pytest.mark.parametrize("lon", LONGITUDES)
    @pytest.mark.parametrize("lat", LATITUDES)
    @pytest.mark.parametrize("degrees", SIZES)
    def test_area_on_the_sphere(self, lon, lat, degrees):
        """∫ R² (1 − cos ρ(α)) dα."""
        shape = with_ellipse(MOON, lon, lat, degrees).shape.iloc[0]
        check_shape(shape)
        azimuth = np.arange(0.0, 360.0, 0.01)
        rho = np.radians(degrees) * ellipse_radius(azimuth, 1.0, 0.4, 20.0)
        expected = MOON.a**2 * 2 * np.pi * np.mean(2 * np.sin(rho / 2) ** 2)
        assert area_on(MOON, shape) == pytest.approx(expected, rel=3e-3)

    @pytest.mark.parametrize("figure", FIGURES, ids=lambda figure: figure.name)
    @pytest.mark.parametrize("lat", [0.0, 50.0, -89.0])
    def test_small_ones_have_the_area_of_an_ellipse(self, figure, lat):
        cdb = with_ellipse(figure, 33.0, lat, 0.01, size=1.5)
        expected = np.pi * 1.0 * 0.4 * 1.5**2 * cdb.rad.item() ** 2
        assert area_on(figure, cdb.shape.iloc[0]) == pytest.approx(expected, rel=2e-3)

    @pytest.mark.parametrize("figure", FIGURES, ids=lambda figure: figure.name)
    @pytest.mark.parametrize("lon", [30.0, 180.0])
    @pytest.mark.parametrize("lat", [0.0, 70.0, -85.0])
    def test_it_holds_what_is_near_enough_for_its_direction(self, figure, lat, lon):
        degrees = 10.0
        shape = with_ellipse(figure, lon, lat, degrees).shape.iloc[0]
        x, y = places(lon, lat, degrees)
        distance, azimuth = polar(figure, lon, lat, x, y)
        held = distance <= np.radians(degrees) * figure.a * ellipse_radius(azimuth, 1.0, 0.4, 20.0)
        clear = edge_distance(shape, x, y) > 0.15
        assert clear.sum() > 1000
        assert (shapely.contains_xy(shape, x, y) == held)[clear].all()
        assert 100 < held.sum() < x.size

    def test_of_equal_axes_it_is_the_circle(self):
        cdb = database(MARS, [0.0, 179.0, 20.0], [10.0, -45.0, 88.0], 3.0)
        cdb.add_circles("circle")
        cdb.add_ellipses("ellipse", 1, 1, 0)
        assert shapely.equals_exact(cdb.circle, cdb.ellipse, 1e-9).all()

    def test_half_a_turn_makes_no_difference(self):
        cdb = database(MOON, [0.0, 179.0], [10.0, 80.0], 3.0)
        cdb.add_ellipses("one", 1, 0.5, 30)
        cdb.add_ellipses("other", 1, 0.5, 210)
        gap = shapely.area(shapely.symmetric_difference(cdb.one, cdb.other))
        assert (gap < 1e-9).all()

    def test_with_nvert_it_is_a_polygon_on_the_ellipse(self):
        cdb = with_ellipse(MARS, 20.0, 40.0, 2.0, nvert=12)
        lon, lat = shapely.get_coordinates(cdb.shape.iloc[0])[:-1].T
        assert lon.size == 12
        distance, azimuth = polar(MARS, 20.0, 40.0, lon, lat)
        np.testing.assert_allclose(
            distance, cdb.rad.item() * ellipse_radius(azimuth, 1.0, 0.4, 20.0), rtol=1e-9
        )
        assert np.abs(azimuth - 20.0).min() < 1e-6


class TestSectors:
    @pytest.mark.parametrize("name", SECTORS)
    @pytest.mark.parametrize("lon", LONGITUDES)
    @pytest.mark.parametrize("lat", [*LATITUDES, 78.0, -89.5])
    @pytest.mark.parametrize("degrees", SIZES)
    def test_area_is_their_share_of_the_annulus(self, name, lon, lat, degrees):
        """Also where a pole is the centre, lies within or on the edge."""
        inner, outer, start, stop = SECTORS[name]
        shape = with_sector(MOON, lon, lat, degrees, name).shape.iloc[0]
        check_shape(shape)
        a, b = np.radians([inner * degrees, outer * degrees])
        cap = 4 * np.pi * MOON.a**2 * (np.sin(b / 2) ** 2 - np.sin(a / 2) ** 2)
        expected = cap * np.mod(stop - start, 360.0) / 360.0
        # The edge of a narrow one that passes a pole is drawn in steps of some degrees of longitude.
        tolerance = 1e-2 if name == "narrow" else 3e-3
        assert area_on(MOON, shape) == pytest.approx(expected, rel=tolerance)

    @pytest.mark.parametrize("figure", FIGURES, ids=lambda figure: figure.name)
    @pytest.mark.parametrize("name", SECTORS)
    @pytest.mark.parametrize(
        ("lon", "lat"), [(30.0, 0.0), (180.0, 45.0), (0.0, 84.0), (10.0, -80.0)]
    )
    def test_they_hold_what_lies_in_their_direction(self, figure, name, lon, lat):
        inner, outer, start, stop = SECTORS[name]
        degrees = 10.0
        shape = with_sector(figure, lon, lat, degrees, name).shape.iloc[0]
        check_shape(shape)
        x, y = places(lon, lat, degrees)
        distance, azimuth = polar(figure, lon, lat, x, y)
        radius = np.radians(degrees) * figure.a
        held = (inner * radius < distance) & (distance <= outer * radius)
        held &= within(azimuth, start, stop)
        clear = edge_distance(shape, x, y) > 0.15
        assert (shapely.contains_xy(shape, x, y) == held)[clear].all()

    def test_four_quarters_are_the_annulus(self):
        cdb = database(MARS, [5.0, 180.0, 0.0], [0.0, 60.0, 90.0], 4.0)
        cdb.add_annuli("whole", 1, 2)
        for quarter in range(4):
            cdb.add_sectors(f"q{quarter}", 1, 2, quarter * 90, (quarter + 1) * 90)
        areas = [[area_on(MARS, shape) for shape in cdb.data[name]] for name in cdb.regions]
        np.testing.assert_allclose(areas[0], np.sum(areas[1:], axis=0), rtol=2e-3)

    def test_a_feature_s_tip_is_one_vertex(self):
        shape = with_sector(MOON, 20.0, 30.0, 0.0001, "quarter").shape.iloc[0]
        assert shapely.is_valid(shape)
        lon, lat = shapely.get_coordinates(shape).T
        assert (np.hypot(lon - 20.0, lat - 30.0) < 1e-9).sum() == 1


@pytest.mark.parametrize("make", [with_ellipse, lambda *args: with_sector(*args, "through north")])
@pytest.mark.parametrize("lat", [0.0, 60.0, 82.0, -90.0])
@pytest.mark.parametrize("degrees", [0.5, 11.0])
def test_shapes_turn_with_their_feature(make, lat, degrees):
    reference = make(MARS, 0.0, lat, degrees).shape.iloc[0]
    for lon in [90.0, -179.0, 180.0]:
        shape = make(MARS, lon, lat, degrees).shape.iloc[0]
        check_shape(shape)
        assert area_on(MARS, shape) == pytest.approx(area_on(MARS, reference), rel=1e-5)
        x, y = shapely.get_coordinates(shapely.centroid(reference))[0]
        turned = (x + lon + 180.0) % 360.0 - 180.0
        assert shape.distance(shapely.Point(turned, y)) == pytest.approx(
            reference.distance(shapely.Point(x, y)), abs=1e-6
        )


def test_shapes_are_drawn_one_by_one_as_together():
    lon, lat = np.meshgrid([0.0, 100.0, 179.9, -180.0], [0.0, 60.0, 89.0, -90.0])
    table = pd.DataFrame({"lon": lon.ravel(), "lat": lat.ravel(), "radius_km": 60.0})
    cdb = CraterDatabase(table, "moon")
    cdb.add_ellipses("ellipse", 1.5, 0.5, np.linspace(0, 170, len(cdb)))
    cdb.add_sectors("sector", 0, 2, np.linspace(0, 300, len(cdb)), np.linspace(30, 400, len(cdb)))
    for name in cdb.regions:
        for i in range(len(cdb)):
            alone = cdb[i : i + 1].data[name].iloc[0]
            assert shapely.equals_exact(alone, cdb.data[name].iloc[i], 1e-12)


def test_empty_rois_are_empty_polygons():
    cdb = database(MOON, [0.0, 90.0, 180.0], [0.0, 90.0, 0.0], 1.0)
    with pytest.warns(UserWarning, match="have no sector"):
        cdb.add_sectors("sector", 0, 1, 0, [90.0, np.nan, 90.0], errors="drop")
    assert cdb.sector.is_empty.tolist() == [False, True, False]
    assert cdb.sector.geom_type.iloc[1] == "Polygon"


def test_a_database_without_features_has_no_polygons():
    cdb = database(MOON, [], [], [])
    cdb.add_ellipses("ellipse", 1, 0.5, 0)
    cdb.add_sectors("sector", 0, 1, 0, 90)
    cdb.add_regions("given", [])
    assert [len(cdb.data[name]) for name in cdb.regions] == [0, 0, 0]
