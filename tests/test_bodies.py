"""Bodies, latitude conventions and longitude wrapping, against closed forms and the IAU's list."""

import pickle
import subprocess
import sys

import numpy as np
import pyproj
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from pyproj.database import query_crs_info

from craterkit.bodies import (
    Body,
    get_body,
    list_bodies,
    planetocentric_to_planetographic,
    planetographic_to_planetocentric,
    wrap_longitude,
)
from craterkit.errors import BodyError


class TestBody:
    def test_sphere_by_default(self):
        bennu = Body(" bennu ", 282.37)
        assert (bennu.name, bennu.a, bennu.b, bennu.naif_id) == ("bennu", 282.37, 282.37, None)
        assert bennu.is_sphere
        assert bennu.flattening == bennu.eccentricity_squared == 0
        assert bennu.mean_radius == pytest.approx(282.37)

    def test_derived_quantities_of_an_ellipsoid(self):
        body = Body("x", a=5.0, b=4.0)
        assert not body.is_sphere
        assert body.flattening == pytest.approx(0.2)
        assert body.eccentricity_squared == pytest.approx(9 / 25)
        assert body.mean_radius == pytest.approx(14 / 3)

    @pytest.mark.parametrize("a", [0, -1, np.nan, np.inf, "1737400", None, True, [1.0]])
    def test_impossible_radius_is_refused(self, a):
        with pytest.raises(BodyError, match="equatorial radius"):
            Body("x", a)
        if a is not None:
            with pytest.raises(BodyError, match="polar radius"):
                Body("x", 1e9, a)

    def test_prolate_is_refused_with_both_radii(self):
        with pytest.raises(BodyError, match=r"b = 2 m exceeds .* a = 1 m"):
            Body("x", a=1, b=2)

    @pytest.mark.parametrize("name", ["", "  ", None, 3])
    def test_name_is_required(self, name):
        with pytest.raises(BodyError, match="name"):
            Body(name, 1.0)

    @pytest.mark.parametrize("naif_id", ["301", 301.0, True])
    def test_naif_id_is_an_integer(self, naif_id):
        with pytest.raises(BodyError, match="naif_id"):
            Body("x", 1.0, naif_id=naif_id)

    def test_is_a_value(self):
        one, other = Body("x", 2, 1, 5), Body("x", np.float32(2), 1.0, np.int64(5))
        assert one == other
        assert hash(one) == hash(other)
        assert one != Body("y", 2, 1, 5)
        assert pickle.loads(pickle.dumps(one)) == one
        assert eval(repr(one)) == one
        with pytest.raises(AttributeError):
            one.a = 3

    def test_geod_is_of_the_ellipsoid_and_cached(self):
        mars = get_body("mars")
        assert (mars.geod.a, mars.geod.b) == (3396190.0, 3376200.0)
        assert mars.geod is get_body(499).geod

    def test_crs_of_a_body_of_ones_own(self):
        crs = Body("bennu", a=282.37, b=249.25).crs
        assert crs.name == "bennu - Sphere / Ocentric"
        assert crs.is_geographic
        assert crs.ellipsoid.semi_major_metre == crs.ellipsoid.semi_minor_metre == 282.37
        assert [axis.direction for axis in crs.axis_info] == ["north", "east"]
        again = pyproj.CRS.from_wkt(crs.to_wkt())
        assert again == crs

    def test_own_body_of_a_listed_name_changes_nothing(self):
        own = Body("Moon", a=1738000)
        assert get_body("Moon").a == 1737400
        assert get_body(own) is own
        assert own.crs != get_body("Moon").crs
        assert Body("Moon", a=1738000, naif_id=301).crs == get_body("Moon").crs


class TestRegistry:
    def test_covers_the_list_of_proj(self):
        numbers = {int(i.code) // 100 for i in query_crs_info(auth_name="IAU_2015")}
        assert {get_body(name).naif_id for name in list_bodies()} == numbers
        assert len(list_bodies()) == len(set(list_bodies())) == len(numbers) >= 97

    @pytest.mark.parametrize("name", list_bodies())
    def test_every_body_by_every_key(self, name):
        body = get_body(name)
        assert body.name == name
        assert body.a >= body.b > 0
        number = body.naif_id
        for key in (name.upper(), f" {name} ", number, str(number), f"IAU_2015:{number}00"):
            assert get_body(key) is body
        assert body.crs == pyproj.CRS(f"IAU_2015:{number}00")

    @pytest.mark.parametrize(
        ("name", "a", "b"),
        [
            ("Moon", 1737400, 1737400),
            ("Mercury", 2440530, 2438260),
            ("Mars", 3396190, 3376200),
            ("Ceres", 487300, 446000),
            ("Iapetus", 745700, 712100),
            ("Saturn", 60268000, 54364000),
        ],
    )
    def test_published_radii(self, name, a, b):
        assert (get_body(name).a, get_body(name).b) == (a, b)

    def test_namesakes_stay_apart(self):
        assert get_body("Europa").naif_id == 502
        assert get_body("52 Europa").naif_id == get_body("52_europa").naif_id == 2000052

    @pytest.mark.parametrize(
        ("body", "match"),
        [
            ("mon", "Did you mean 'Moon'"),
            ("bennu", r'Body\("bennu", a='),
            (12345, "12345"),
            ("EPSG:4326", "Unknown body"),
            ("", "Unknown body"),
            (None, "Unknown body"),
            (True, "Unknown body"),
            (301.0, "Unknown body"),
        ],
    )
    def test_unknown(self, body, match):
        with pytest.raises(BodyError, match=match):
            get_body(body)

    @pytest.mark.parametrize(
        ("direction", "names"),
        [
            # from the axes of PROJ's planetographic systems
            ("west", ["Mercury", "Mars", "Jupiter", "Ganymede", "Callisto", "Saturn", "Iapetus"]),
            ("east", ["Earth", "Uranus", "Ceres", "Eros", "Halley"]),
            # from the sense of rotation
            ("west", ["Phobos", "Io", "Europa", "Mimas", "Titan", "Rhea", "Proteus"]),
            ("east", ["Venus", "Ariel", "Triton", "Moon", "Sun", "Pluto", "Charon", "Vesta"]),
            (None, ["Hyperion", "Himalia", "Nereid", "Anthe"]),
        ],
    )
    def test_ographic_longitude(self, direction, names):
        assert [get_body(name).ographic_longitude for name in names] == [direction] * len(names)

    def test_ographic_longitude_of_own_bodies(self):
        assert Body("mars", 3394000).ographic_longitude == "west"
        assert Body("bennu", 282.37).ographic_longitude is None
        assert Body("bennu", 282.37, naif_id=2101955).ographic_longitude == "east"


class TestLatitude:
    @pytest.mark.parametrize(
        ("name", "kilometres"), [("Mars", 20.0), ("Ceres", 43.0), ("Iapetus", 34.4)]
    )
    def test_size_of_the_mistake_at_45_degrees(self, name, kilometres):
        body = get_body(name)
        lat = planetographic_to_planetocentric(45, body.a, body.b)
        assert np.radians(45 - lat) * body.a / 1000 == pytest.approx(kilometres, abs=0.5)

    def test_published_value_on_mars(self):
        # tan 45° = 1, so the tangent is (3376.2/3396.19)² = 0.98826257…
        assert_allclose(planetographic_to_planetocentric(45, 3396190, 3376200), 44.66177, atol=5e-6)

    @pytest.mark.parametrize("name", list_bodies())
    def test_round_trip_and_tangents(self, name):
        body = get_body(name)
        lat = np.linspace(-89, 89, 179)
        centric = planetographic_to_planetocentric(lat, body.a, body.b)
        expected = (body.b / body.a) ** 2 * np.tan(np.radians(lat))
        assert_allclose(np.tan(np.radians(centric)), expected, rtol=1e-12, atol=1e-15)
        assert_allclose(planetocentric_to_planetographic(centric, body.a, body.b), lat, atol=1e-12)

    @pytest.mark.parametrize(
        "convert", [planetographic_to_planetocentric, planetocentric_to_planetographic]
    )
    def test_poles_equator_nan_and_shape(self, convert):
        lat = np.array([[-90.0, 0.0], [90.0, np.nan]])
        converted = convert(lat, 17000, 5500)
        assert_array_equal(converted, lat)
        assert converted.shape == (2, 2)
        assert convert(np.float32(10), 2, 1).dtype == np.float64

    def test_normal_of_the_ellipse(self):
        # At parametric latitude t the normal of the ellipse is (cos t/a, sin t/b).
        a, b, t = 487300.0, 446000.0, np.linspace(-1.5, 1.5, 31)
        graphic = np.degrees(np.arctan2(np.sin(t) / b, np.cos(t) / a))
        centric = np.degrees(np.arctan2(b * np.sin(t), a * np.cos(t)))
        assert_allclose(planetographic_to_planetocentric(graphic, a, b), centric, atol=1e-12)

    def test_sphere_is_exact_and_copied(self):
        lat = np.array([0.1, 33.3])
        same = planetographic_to_planetocentric(lat, 5, 5)
        assert_array_equal(same, lat)
        assert same is not lat

    def test_monotonic_over_the_pole(self):
        # Row edges of a grid may overshoot the pole a little.
        lat = np.linspace(85, 95, 101)
        assert (np.diff(planetographic_to_planetocentric(lat, 17000, 5500)) > 0).all()


class TestWrapLongitude:
    def test_values(self):
        lon = [-180, 180, 540, 190, -190, 0.1, 719.5, np.nan, np.inf]
        expected = [-180, -180, -180, -170, 170, 0.1, -0.5, np.nan, np.nan]
        assert_array_equal(wrap_longitude(lon), expected)

    @given(st.floats(-1e6, 1e6))
    def test_range_and_congruence(self, lon):
        wrapped = float(wrap_longitude(lon))
        assert -180 <= wrapped < 180
        turns = (lon - wrapped) / 360
        assert abs(turns - round(turns)) < 1e-9

    @given(st.floats(-180, 180, exclude_max=True))
    def test_unchanged_inside(self, lon):
        assert float(wrap_longitude(lon)) == lon

    @pytest.mark.parametrize("lon", [np.nextafter(180, 0), np.nextafter(-180, -200)])
    def test_next_to_the_seam(self, lon):
        assert float(wrap_longitude(lon)) == pytest.approx(180, abs=1e-9)


def test_import_is_light():
    code = (
        "import sys, craterkit.bodies, craterkit.coordinates;"
        "print([m for m in ('pyproj', 'rasterio', 'geopandas', 'matplotlib') if m in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"
