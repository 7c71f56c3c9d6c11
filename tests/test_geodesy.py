"""Geodesics, areas and conformal spheres against PROJ, integration and closed forms."""

import numpy as np
import pytest
from scipy.integrate import quad

from craterkit.bodies import Body
from craterkit.footprints.circles import Centres, Circles, Parallels
from craterkit.footprints.geodesics import meridian_reach, solve_half_width, tangent_parallel
from craterkit.geodesy import (
    band_area,
    cut_distance,
    destination,
    isometric_latitude,
    lat_from_phi,
    parallel_radius,
    phi_from_lat,
    radii_of_curvature,
)
from fields import CERES, MARS, MOON, Figure

FLAT = Figure("flat", 5.0e5, 4.0e5)
FIGURES = [MOON, MARS, CERES, FLAT]
FLATTENED = FIGURES[1:]
LATITUDES = [0.0, 30.0, 60.0, 85.0, 90.0, -30.0, -85.0, -90.0]


def figure_name(figure):
    return figure.name


def body_of(figure):
    return Body(figure.name, figure.a, figure.b)


def positions(count=200):
    rng = np.random.default_rng(7)
    lon = rng.uniform(-180.0, 180.0, count)
    lat = np.degrees(np.arcsin(rng.uniform(-1.0, 1.0, count)))
    return lon, lat, rng.uniform(0.0, 360.0, count)


@pytest.mark.parametrize("figure", FIGURES, ids=figure_name)
class TestLatitudes:
    def test_against_complements(self, figure):
        lat = np.linspace(-90.0, 90.0, 361)
        np.testing.assert_allclose(
            np.degrees(phi_from_lat(body_of(figure), lat)), figure.ographic(lat), atol=1e-12
        )

    def test_there_and_back(self, figure):
        lat = np.array([-90.0, -89.999999, -45.0, 0.0, 1e-9, 12.3, 89.999999, 90.0])
        back = lat_from_phi(body_of(figure), phi_from_lat(body_of(figure), lat))
        np.testing.assert_allclose(back, lat, rtol=1e-14, atol=1e-14)
        assert back[[0, -1]].tolist() == [-90.0, 90.0]


@pytest.mark.parametrize("figure", FIGURES, ids=figure_name)
class TestDestination:
    @pytest.mark.parametrize("share", [1e-6, 0.01, 0.5, 1.5, 2.9])
    def test_against_geodesics(self, figure, share):
        lon, lat, azimuth = positions()
        distance = np.full(lon.size, share * figure.b)
        found_lon, found_lat = destination(body_of(figure), lon, lat, azimuth, distance)
        expected = figure.geod.fwd(lon, figure.ographic(lat), azimuth, distance)
        turned = np.mod(found_lon - expected[0] + 180.0, 360.0) - 180.0
        expected_lat = figure.ocentric(expected[1])
        np.testing.assert_allclose(turned * np.cos(np.radians(expected_lat)), 0.0, atol=2e-9)
        np.testing.assert_allclose(found_lat, expected_lat, atol=2e-9)
        assert (np.abs(found_lon - lon) <= 180.0).all()

    @pytest.mark.parametrize("lat", LATITUDES)
    def test_ends_lie_at_the_distance(self, figure, lat):
        azimuth = np.arange(0.0, 360.0, 7.5)
        for distance in (0.5, 1e3, 1.3 * figure.b):
            x, y = destination(body_of(figure), 179.0, lat, azimuth, distance)
            found = figure.distance(179.0, lat, x, y)
            np.testing.assert_allclose(found, distance, rtol=1e-9, atol=1e-6)

    def test_shapes_broadcast(self, figure):
        lon, lat = destination(
            body_of(figure), np.zeros((4, 1)), 10.0, np.arange(3.0)[None, :], 1000.0
        )
        assert lon.shape == lat.shape == (4, 3)


@pytest.mark.parametrize("figure", FIGURES, ids=figure_name)
class TestCurvature:
    def test_against_their_definitions(self, figure):
        phi = np.radians([-80.0, -10.0, 0.0, 45.0, 90.0])
        meridional, prime = radii_of_curvature(body_of(figure), phi)
        a, b = figure.a, figure.b
        # In a² cos² φ + b² sin² φ, as in textbooks on the ellipse.
        size = a**2 * np.cos(phi) ** 2 + b**2 * np.sin(phi) ** 2
        np.testing.assert_allclose(meridional, a**2 * b**2 / size**1.5, rtol=1e-13)
        np.testing.assert_allclose(prime, a**2 / np.sqrt(size), rtol=1e-13)
        np.testing.assert_allclose(
            parallel_radius(body_of(figure), phi), prime * np.cos(phi), rtol=1e-13
        )

    def test_isometric_latitude_is_the_integral_of_curvatures(self, figure):
        body = body_of(figure)
        for phi in np.radians([-70.0, 5.0, 45.0, 88.0]):

            def slope(t):
                meridional, prime = radii_of_curvature(body, t)
                return meridional / (prime * np.cos(t))

            expected, _ = quad(slope, 0.0, phi, epsabs=1e-12)
            assert isometric_latitude(body, phi) == pytest.approx(expected, rel=1e-10)
        assert isometric_latitude(body, [-np.pi / 2, np.pi / 2]).tolist() == [-np.inf, np.inf]


@pytest.mark.parametrize("figure", FIGURES, ids=figure_name)
class TestBandArea:
    BANDS = ((-90.0, -89.0), (-30.0, 10.0), (0.0, 1e-4), (44.0, 45.0), (89.999, 90.0), (-90, 90))

    @pytest.mark.parametrize("band", BANDS)
    def test_against_integration(self, figure, band):
        low, high = np.radians(band)

        def ring(phi):
            size = figure.a**2 * np.cos(phi) ** 2 + figure.b**2 * np.sin(phi) ** 2
            return figure.a**4 * figure.b**2 * np.cos(phi) / size**2

        expected, _ = quad(ring, low, high, epsabs=0.0, epsrel=1e-12)
        body = body_of(figure)
        assert band_area(body, low, high) == pytest.approx(expected, rel=1e-10)
        assert band_area(body, high, low) == pytest.approx(-expected, rel=1e-10)

    def test_whole_body(self, figure):
        a, b = figure.a, figure.b
        expected = 4.0 * np.pi * a**2
        if a != b:
            e = np.sqrt(1.0 - (b / a) ** 2)
            expected = 2.0 * np.pi * (a**2 + b**2 / e * np.arctanh(e))
        whole = 2.0 * np.pi * band_area(body_of(figure), -np.pi / 2, np.pi / 2)
        assert whole == pytest.approx(expected, rel=1e-13)

    def test_thin_bands_add_up(self, figure):
        # A millionth of a degree: no cancellation.
        edges = np.radians(60.0 + np.arange(1001) * 1e-6)
        parts = band_area(body_of(figure), edges[:-1], edges[1:])
        whole = band_area(body_of(figure), edges[0], edges[-1])
        assert parts.sum() == pytest.approx(whole, rel=1e-9)
        assert np.ptp(parts) < 1e-4 * parts.mean()


def half_widths(figure, lat0, radius, lat):
    """Half-widths (degrees) of one circle on parallels, as the footprints get them."""
    body = body_of(figure)
    centres = Centres(body, np.array([lat0]))
    # So large that the conformal sphere will do, unless a pole is inside.
    circles = Circles(centres, np.array([radius]), accuracy=1e12)
    parallels = Parallels(body, phi_from_lat(body, lat))
    sight = centres.see(np.zeros(lat.size, dtype=np.intp), parallels, np.arange(lat.size))
    return np.degrees(circles.half_widths(sight))


class TestConformalSphere:
    """Distances of the points that the conformal sphere puts on a circle."""

    @pytest.mark.parametrize(
        ("figure", "share", "bound"),
        [(MARS, 0.01, 1e-9), (MARS, 0.2, 1e-5), (CERES, 0.2, 1.6e-4), (FLAT, 0.2, 5e-4)],
        ids=["mars-1%", "mars-20%", "ceres-20%", "flat-20%"],
    )
    @pytest.mark.parametrize("lat0", [0.0, 30.0, 60.0, 75.0, -45.0])
    def test_accuracy(self, figure, share, bound, lat0):
        radius = share * figure.a
        reach = np.degrees(share)
        lat = lat0 + np.linspace(-0.97, 0.97, 41) * reach
        half = half_widths(figure, lat0, radius, lat)
        there = half > 0
        assert there.sum() > 35
        distance = figure.distance(0.0, lat0, half[there], lat[there])
        # An error in latitude of the end is divided by the slope of the circle there.
        np.testing.assert_allclose(distance, radius, rtol=bound)

    @pytest.mark.parametrize("lat0", [0.0, 60.0, 85.0, 89.9, -60.0])
    @pytest.mark.parametrize("radius", [0.5, 100.0, 5000.0])
    @pytest.mark.parametrize("figure", FIGURES, ids=figure_name)
    def test_small_circles(self, figure, radius, lat0):
        reach = np.degrees(radius / figure.a)
        lat = lat0 + np.linspace(-0.9, 0.9, 7) * reach
        lat = lat[np.abs(lat) < 90.0]
        half = half_widths(figure, lat0, radius, lat)
        whole = figure.distance(0.0, lat0, 180.0, lat) <= radius
        np.testing.assert_array_equal(half >= 180.0 - 1e-9, whole)
        distance = figure.distance(0.0, lat0, half, lat)[~whole]
        np.testing.assert_allclose(distance, radius, rtol=1e-6, atol=2e-8)

    def test_switches_to_geodesics_where_it_would_be_off(self):
        # A basin of 300 km on Ceres, pixels of 100 m, of which 0.05 are 5 m.
        body = body_of(CERES)
        centres = Centres(body, np.array([40.0]))
        circles = Circles(centres, np.array([300e3]), accuracy=5.0)
        lat = np.linspace(15.0, 65.0, 21)
        parallels = Parallels(body, phi_from_lat(body, lat))
        sight = centres.see(np.zeros(21, dtype=np.intp), parallels, np.arange(21))
        half = np.degrees(circles.half_widths(sight))
        distance = CERES.distance(0.0, 40.0, half, lat)
        np.testing.assert_allclose(distance, 300e3, atol=0.01)


class TestSolvedCircles:
    @pytest.mark.parametrize("figure", FLATTENED, ids=figure_name)
    @pytest.mark.parametrize("lat0", LATITUDES)
    @pytest.mark.parametrize("share", [0.01, 0.5, 1.5, 2.5])
    def test_half_widths_end_on_the_circle(self, figure, lat0, share):
        radius = share * figure.b
        lat = np.linspace(-89.5, 89.5, 180)
        phi0 = np.radians(figure.ographic([lat0] * 180))
        phi = np.radians(figure.ographic(lat))
        half = solve_half_width(body_of(figure), phi0, phi, np.full(180, radius))
        nearest = figure.distance(0.0, lat0, 0.0, lat)
        farthest = figure.distance(0.0, lat0, 180.0, lat)
        np.testing.assert_array_equal(half < 0, nearest > radius)
        np.testing.assert_array_equal(half == np.pi, farthest <= radius)
        between = (nearest <= radius) & (farthest > radius)
        distance = figure.distance(0.0, lat0, np.degrees(half), lat)
        np.testing.assert_allclose(distance[between], radius, atol=1e-3)

    @pytest.mark.parametrize("figure", FLATTENED, ids=figure_name)
    @pytest.mark.parametrize("lat0", LATITUDES)
    def test_meridian_reach(self, figure, lat0):
        for share in (0.01, 0.5, 1.4, 3.3):
            radius = share * figure.b
            phi0 = np.radians(figure.ographic([lat0]))
            south, north = meridian_reach(body_of(figure), phi0, np.array([radius]))
            for end, pole in ((south, -90.0), (north, 90.0)):
                lon, lat = 0.0, np.degrees(end)
                beyond = figure.distance(0.0, lat0, 0.0, pole) <= radius
                assert beyond == (np.abs(lat[0]) >= 90.0)
                if beyond:
                    # Latitude counts on past the pole: the other side of the meridian.
                    lon, lat = 180.0, 2 * pole - lat
                if radius < np.pi * figure.b:
                    distance = figure.distance(0.0, lat0, lon, figure.ocentric(lat))
                    assert distance[0] == pytest.approx(radius)

    @pytest.mark.parametrize("figure", FLATTENED, ids=figure_name)
    @pytest.mark.parametrize(("lat0", "share"), [(0.0, 0.3), (50.0, 0.5), (-70.0, 0.2), (0.0, 1.4)])
    def test_tangent_parallel_is_the_widest(self, figure, lat0, share):
        radius = np.array([share * figure.b])
        phi0 = np.radians(figure.ographic([lat0]))
        phi, half = tangent_parallel(body_of(figure), phi0, radius)
        lon, _ = figure.ring(0.0, lat0, radius[0], np.arange(0.0, 180.0, 0.01))
        assert np.degrees(half[0]) == pytest.approx(np.abs(lon).max(), abs=1e-5)
        lat = figure.ocentric(np.degrees(phi))
        distance = figure.distance(0.0, lat0, np.degrees(half), lat)
        assert distance[0] == pytest.approx(radius[0], rel=1e-9)

    @pytest.mark.parametrize("figure", FLATTENED, ids=figure_name)
    def test_a_circle_that_holds_one_pole_has_no_tangent(self, figure):
        phi0 = np.radians(figure.ographic([70.0]))
        phi, half = tangent_parallel(body_of(figure), phi0, np.array([0.7 * figure.b]))
        assert np.isnan(phi[0])
        assert np.isnan(half[0])


@pytest.mark.parametrize("lat", [0.0, 30.0, -70.0, 90.0])
@pytest.mark.parametrize("figure", [MOON, MARS, CERES, FLAT], ids=figure_name)
def test_geodesics_are_the_shortest_way_up_to_the_opposite_parallel(figure, lat):
    body, azimuth = body_of(figure), np.linspace(0.0, 360.0, 25)
    end = cut_distance(body, lat, azimuth)
    lon, opposite = destination(body, 10.0, lat, azimuth, end)
    np.testing.assert_allclose(opposite, -lat, atol=1e-5)
    away = figure.distance(10.0, lat, lon, opposite)
    np.testing.assert_allclose(away, end, rtol=1e-8)
    beyond = figure.distance(10.0, lat, *destination(body, 10.0, lat, azimuth, 1.01 * end))
    assert (beyond < 1.01 * end * (1.0 - 1e-8)).all()
    assert end.max() == pytest.approx(figure.distance(10.0, lat, -170.0, -lat), rel=1e-8)
