"""Polygons of regions: valid, on the circle, and of the right area everywhere."""

import numpy as np
import pandas as pd
import pytest
import shapely

from areas import area_on, check_shape
from craterkit import Body, CraterDatabase
from fields import CERES, MARS, MOON, cap_area

FIGURES = [MOON, MARS, CERES]
LATITUDES = [0.0, 45.0, 60.0, 85.0, 89.99, 90.0, -60.0, -85.0, -90.0]
LONGITUDES = [0.0, 100.3, 180.0, -179.9, 179.0]


def database(figure, lon, lat, radius):
    table = pd.DataFrame({"lon": np.atleast_1d(lon), "lat": np.atleast_1d(lat)})
    table["radius_m"] = radius
    return CraterDatabase(table, Body(figure.name, figure.a, figure.b))


def polygon(figure, lon, lat, inner, outer, nvert=None):
    cdb = database(figure, lon, lat, outer)
    cdb.add_annuli("rim", inner / outer, 1.0, nvert=nvert)
    return cdb.rim.iloc[0]


class TestArea:
    @pytest.mark.parametrize("lon", LONGITUDES)
    @pytest.mark.parametrize("lat", LATITUDES)
    @pytest.mark.parametrize("degrees", [0.001, 1.0, 20.0, 65.0, 100.0, 179.0])
    def test_circles_on_the_sphere(self, lat, lon, degrees):
        radius = np.radians(degrees) * MOON.a
        shape = polygon(MOON, lon, lat, 0.0, radius)
        check_shape(shape)
        assert area_on(MOON, shape) == pytest.approx(cap_area(radius, MOON.a), rel=3e-3)

    @pytest.mark.parametrize("lon", LONGITUDES)
    @pytest.mark.parametrize("lat", LATITUDES)
    @pytest.mark.parametrize(
        ("inner", "outer"), [(0.01, 0.02), (2.0, 3.0), (4.0, 12.0), (40.0, 100.0), (95.0, 170.0)]
    )
    def test_annuli_on_the_sphere(self, lat, lon, inner, outer):
        inner, outer = np.radians([inner, outer]) * MOON.a
        shape = polygon(MOON, lon, lat, inner, outer)
        check_shape(shape)
        expected = cap_area(outer, MOON.a) - cap_area(inner, MOON.a)
        assert area_on(MOON, shape) == pytest.approx(expected, rel=3e-3)

    @pytest.mark.parametrize("figure", [MARS, CERES], ids=lambda f: f.name)
    @pytest.mark.parametrize("lon", [0.0, 180.0])
    @pytest.mark.parametrize("lat", LATITUDES)
    @pytest.mark.parametrize("degrees", [0.5, 10.0, 40.0])
    def test_circles_on_an_ellipsoid(self, figure, lat, lon, degrees):
        radius = np.radians(degrees) * figure.b
        shape = polygon(figure, lon, lat, 0.0, radius)
        check_shape(shape)
        x, y = figure.ring(lon, lat, radius, np.arange(0.0, 360.0, 0.05))
        expected, _ = figure.geod.polygon_area_perimeter(x, figure.ographic(y))
        assert area_on(figure, shape) == pytest.approx(abs(expected), rel=3e-3)

    @pytest.mark.parametrize("lat", LATITUDES)
    @pytest.mark.parametrize("lon", [0.0, 180.0])
    def test_a_circle_around_everything_is_everything(self, lat, lon):
        cdb = database(MOON, lon, lat, 0.9 * np.pi * MOON.a)
        cdb.add_circles("all", 1.3)
        shape = cdb.all.iloc[0]
        check_shape(shape)
        assert area_on(MOON, shape) == pytest.approx(4.0 * np.pi * MOON.a**2, rel=1e-6)


class TestShape:
    @pytest.mark.parametrize("lat", [0.0, 60.0, -85.0])
    def test_holes_are_kept(self, lat):
        shape = polygon(MOON, 30.0, lat, 20e3, 30e3)
        assert shape.geom_type == "Polygon"
        assert len(shape.interiors) == 1
        assert not shape.contains(shapely.Point(30.0, lat))

    @pytest.mark.parametrize("pole", [90.0, -90.0])
    @pytest.mark.parametrize("lat", [88.0, 90.0])
    def test_the_hole_over_a_pole(self, lat, pole):
        shape = polygon(MOON, 30.0, np.copysign(lat, pole), 100e3, 200e3)
        latitudes = np.copysign([89.9, 84.9], pole)
        # 5.1 degrees from the pole are 155 km, 0.1 are 3.
        assert not shape.intersects(shapely.LineString([[-180, latitudes[0]], [180, latitudes[0]]]))
        if lat == 90.0:
            line = shapely.LineString([[-179.99, latitudes[1]], [179.99, latitudes[1]]])
            assert shape.buffer(1e-9).contains(line)

    @pytest.mark.parametrize("lon", [180.0, -180.0, 179.8, -179.7])
    @pytest.mark.parametrize("inner", [0.0, 0.5])
    def test_cut_at_the_seam(self, lon, inner):
        shape = polygon(MOON, lon, 40.0, inner * 50e3, 50e3)
        check_shape(shape)
        assert shape.geom_type == "MultiPolygon"
        assert shape.bounds[0] == pytest.approx(-180.0)
        assert shape.bounds[2] == pytest.approx(180.0)
        # Both sides, and only near the seam.
        sides = [part.bounds for part in shapely.get_parts(shape)]
        assert any(east < -175.0 for _, _, east, _ in sides)
        assert any(west > 175.0 for west, *_ in sides)
        assert shape.area == pytest.approx(polygon(MOON, 0.0, 40.0, inner * 50e3, 50e3).area)

    @pytest.mark.parametrize("figure", FIGURES, ids=lambda f: f.name)
    @pytest.mark.parametrize("lat", LATITUDES)
    def test_points_inside_and_outside(self, figure, lat):
        """Ground nearer than the polygon's edges is in, ground beyond the circle is not."""
        inner, outer = 0.5 * figure.b, 1.1 * figure.b
        shape = polygon(figure, 180.0, lat, inner, outer)
        rng = np.random.default_rng(3)
        x = rng.uniform(-180.0, 180.0, 3000)
        y = np.degrees(np.arcsin(rng.uniform(-1.0, 1.0, 3000)))
        distance = figure.distance(180.0, lat, x, y)
        # 64 vertices: edges come within 0.5 % of the circle.
        sure = np.abs(distance - outer) > 0.01 * outer
        sure &= np.abs(distance - inner) > 0.01 * inner
        expected = (distance > inner) & (distance < outer)
        found = shapely.contains_xy(shape, x, y)
        np.testing.assert_array_equal(found[sure], expected[sure])

    @pytest.mark.parametrize("figure", FIGURES, ids=lambda f: f.name)
    @pytest.mark.parametrize("lat", [0.0, 60.0, 80.0, -80.0])
    @pytest.mark.parametrize("nvert", [None, 3, 32, 101])
    def test_vertices_lie_on_the_circle(self, figure, lat, nvert):
        for lon in (12.0, 178.1):
            inner, outer = 0.03 * figure.b, 0.06 * figure.b
            shape = polygon(figure, lon, lat, inner, outer, nvert)
            check_shape(shape)
            vertices = shapely.get_coordinates(shape)
            # Cutting at the seam adds vertices on it.
            kept = np.abs(vertices[:, 0]) < 180.0 - 1e-9
            distance = figure.distance(lon, lat, *vertices[kept].T)
            off = np.minimum(np.abs(distance - outer), np.abs(distance - inner))
            assert off.max() < 1e-3
            assert kept.sum() >= 2 * (nvert or 64)

    @pytest.mark.parametrize("figure", FIGURES, ids=lambda f: f.name)
    @pytest.mark.parametrize("nvert", [3, 8, 32])
    def test_azimuths_of_vertices(self, figure, nvert):
        shape = polygon(figure, -40.0, 35.0, 0.0, 0.04 * figure.b, nvert)
        lon, lat = figure.ring(-40.0, 35.0, 0.04 * figure.b, np.arange(nvert) * 360.0 / nvert)
        found = shapely.get_coordinates(shape)[:-1]
        assert len(found) == nvert
        order, expected_order = np.lexsort(found.round(6).T), np.lexsort(np.round([lon, lat], 6))
        np.testing.assert_allclose(
            found[order], np.stack([lon, lat], axis=1)[expected_order], atol=1e-9
        )

    def test_many_at_once_are_each_alone(self):
        rng = np.random.default_rng(11)
        lon, lat = rng.uniform(-180.0, 180.0, 30), rng.uniform(-90.0, 90.0, 30)
        radius = 10 ** rng.uniform(3.0, 6.3, 30)
        cdb = database(MOON, lon, lat, radius)
        cdb.add_annuli("rim", 0.4, 1.0)
        for i, shape in enumerate(cdb.rim):
            alone = polygon(MOON, lon[i], lat[i], 0.4 * radius[i], radius[i])
            assert shapely.equals_exact(shape, alone, 1e-9)

    def test_series_is_in_the_planetocentric_system(self):
        cdb = database(MARS, [0.0], [30.0], 1e5)
        cdb.add_circles("all", 1.0)
        # Ographic latitude 30 would be off by 0.3 degrees; the northern end shows which it is.
        north = cdb.all.iloc[0].bounds[3]
        _, lat = MARS.ring(0.0, 30.0, 1e5, [0.0])
        assert north == pytest.approx(lat[0], abs=1e-9)
        assert cdb.all.crs == cdb.crs
