"""Cylindrical grids: rows, columns, periods and areas against hand-made formulas."""

import numpy as np
import pyproj
import pytest
from affine import Affine

from craterkit.bodies import Body, get_body
from craterkit.coordinates import CoordinateSystem
from craterkit.errors import CRSError, RasterError
from craterkit.grids.base import make_grid
from craterkit.grids.cylindrical import CylindricalGrid
from craterkit.grids.projected import ProjectedGrid
from fields import CERES, MARS, MOON, OCENTRIC, lonlat_transform, place

METRES = np.radians(1.0) * MOON.a  # one degree of an equirectangular Moon


#: A global equirectangular Moon of one degree a pixel.
GLOBE = Affine(METRES, 0, -180 * METRES, 0, -METRES, 90 * METRES)


def grid_of(shape, transform, crs="planetocentric", body="moon"):
    system = CoordinateSystem.from_user_input(crs, get_body(body), what="raster")
    return CylindricalGrid(shape, transform, system, "some.tif")


def moon_projection(formulas):
    return f"+proj={formulas} +R={MOON.a} +units=m +no_defs"


def check_inverse(grid, rows):
    """`latitude` and `row_of` undo each other."""
    np.testing.assert_allclose(grid.row_of(grid.latitude(rows)), rows, rtol=1e-9, atol=1e-7)


class TestLonLat:
    @pytest.mark.parametrize(
        ("west", "columns", "period", "in_use", "wraps"),
        [
            (-180.0, 360, 360, 360, True),
            (0.0, 360, 360, 360, True),
            (-180.5, 360, 360, 360, True),
            (-180.0, 361, 360, 360, True),
            (-180.0, 400, 360, 360, True),
            (-180.0, 359, 360, 359, False),
            (20.0, 50, 360, 50, False),
            (170.0, 30, 360, 30, False),
        ],
    )
    def test_columns(self, west, columns, period, in_use, wraps):
        grid = grid_of((180, columns), lonlat_transform(west, 90.0, 1.0))
        assert grid.period == pytest.approx(period, rel=1e-12)
        assert grid.columns == in_use
        assert grid.wraps is wraps
        assert grid.eastward == 1.0
        assert grid.radians_per_column == pytest.approx(np.radians(1.0), rel=1e-12)
        lon = np.array([-180.0, -179.75, 0.0, 20.25, 179.99, 181.0, 359.0])
        expected = np.mod(lon - west, 360.0)
        found = grid.column_of(lon)
        off = np.mod(found - expected + 180.0, 360.0) - 180.0
        np.testing.assert_allclose(off, 0.0, atol=1e-9)
        assert ((found >= 0) & (found < 360)).all()

    def test_rows(self):
        grid = grid_of((60, 90), lonlat_transform(-10.0, 50.0, 0.5))
        lat = np.array([90.0, 50.0, 49.75, 20.0, 0.0, -90.0])
        np.testing.assert_allclose(grid.row_of(lat), (50.0 - lat) / 0.5, atol=1e-9)
        check_inverse(grid, np.linspace(-79.0, 279.0, 50))
        np.testing.assert_allclose(grid.latitude([0.0, 0.5, 60.0]), [50.0, 49.75, 20.0])
        np.testing.assert_allclose(grid.phi([0.0, 60.0]), np.radians([50.0, 20.0]))

    def test_past_the_poles(self):
        grid = grid_of((182, 360), lonlat_transform(-180.0, 91.0, 1.0))
        assert grid.latitude([-1.0, 0.0, 1.0, 181.0, 182.0]).tolist() == [90, 90, 90, -90, -90]
        assert grid.beyond_poles([0.5, 1.0, 1.5, 90.0, 181.0, 181.5]).tolist() == [
            *(True, False, False, False, False, True)
        ]
        area = grid.pixel_area(np.arange(182.0), np.arange(1.0, 183.0))
        assert area[0] == area[-1] == 0.0
        assert 360.0 * area.sum() == pytest.approx(4.0 * np.pi * MOON.a**2, rel=1e-12)

    def test_south_up(self):
        grid = grid_of((180, 360), lonlat_transform(-180.0, 90.0, 1.0, south_up=True, rows=180))
        lat = np.array([-90.0, -30.0, 0.0, 89.5, 90.0])
        np.testing.assert_allclose(grid.row_of(lat), lat + 90.0, atol=1e-9)
        check_inverse(grid, np.linspace(0.0, 180.0, 19))
        assert (grid.pixel_area(np.arange(180.0), np.arange(1.0, 181.0)) > 0).all()

    def test_columns_that_count_westward(self):
        grid = grid_of((180, 360), Affine(-1.0, 0.0, 180.0, 0.0, -1.0, 90.0))
        assert grid.eastward == -1.0
        assert grid.period == pytest.approx(360.0)
        np.testing.assert_allclose(grid.column_of([179.0, 0.0, -179.0]), [1.0, 180.0, 359.0])

    def test_west_positive_longitudes(self):
        grid = grid_of((180, 360), lonlat_transform(0.0, 90.0, 1.0), "planetocentric_west")
        assert grid.eastward == -1.0
        np.testing.assert_allclose(grid.column_of([-10.5, 10.0]), [10.5, 350.0])

    def test_fractional_period(self):
        grid = grid_of((25, 51), lonlat_transform(-180.0, 87.5, 7.0))
        assert grid.period == pytest.approx(360.0 / 7.0, rel=1e-12)

    def test_step_of_a_fine_raster_is_exact(self):
        # 92,160 columns: the last column is where the first one says.
        grid = grid_of((46080, 92160), lonlat_transform(-180.0, 90.0, 1 / 256))
        assert grid.period == pytest.approx(92160.0, abs=1e-7)
        assert grid.column_of(-180.0 + 92159.5 / 256) == pytest.approx(92159.5, abs=1e-6)


class TestAreas:
    @pytest.mark.parametrize("figure", [MOON, MARS, CERES], ids=lambda f: f.name)
    @pytest.mark.parametrize("latitude", ["planetocentric", "planetographic_east"])
    def test_pixels_make_the_body(self, figure, latitude):
        system = CoordinateSystem.from_user_input(
            latitude, Body(figure.name, figure.a, figure.b), what="raster"
        )
        grid = CylindricalGrid((90, 180), lonlat_transform(-180.0, 90.0, 2.0), system)
        areas = grid.pixel_area(np.arange(90.0), np.arange(1.0, 91.0))
        lon, lat = [0.0, 2.0, 2.0, 0.0], np.array([50.0, 50.0, 52.0, 52.0])
        whole = 4.0 * np.pi * figure.a**2
        if not figure.is_sphere:
            e = np.sqrt(1.0 - (figure.b / figure.a) ** 2)
            whole = 2.0 * np.pi * (figure.a**2 + figure.b**2 / e * np.arctanh(e))
        assert 180.0 * areas.sum() == pytest.approx(whole, rel=1e-12)
        # One pixel as a polygon with dense parallels.
        dense = np.linspace(0.0, 2.0, 401)
        lon = np.concatenate([dense, dense[::-1]])
        lat = np.repeat([50.0, 52.0], 401)
        if latitude == "planetocentric":
            lat = figure.ographic(lat)
        expected, _ = figure.geod.polygon_area_perimeter(lon, lat)
        assert areas[19] == pytest.approx(abs(expected), rel=1e-6)

    def test_height_of_rows(self):
        grid = grid_of((60, 90), lonlat_transform(-10.0, 50.0, 0.5))
        assert grid.row_height == pytest.approx(np.radians(0.5) * MOON.a, rel=1e-9)


class TestOgraphic:
    @pytest.mark.parametrize("figure", [MARS, CERES], ids=lambda f: f.name)
    def test_rows_are_ographic(self, figure):
        grid = grid_of(
            (180, 360), lonlat_transform(-180.0, 90.0, 1.0), "planetographic_east", figure.name
        )
        rows = np.array([0.0, 10.0, 45.0, 90.0, 133.3, 180.0])
        np.testing.assert_allclose(grid.latitude(rows), figure.ocentric(90.0 - rows), atol=1e-9)
        np.testing.assert_allclose(grid.phi(rows), np.radians(90.0 - rows), atol=1e-12)
        check_inverse(grid, rows)

    def test_names_of_files_decide(self):
        transform = lonlat_transform(-180.0, 90.0, 1.0)
        centric = grid_of((180, 360), transform, "IAU_2015:49900", "mars")
        graphic = grid_of((180, 360), transform, "IAU_2015:49902", "mars")
        for grid in (centric, graphic):
            assert grid.latitude(45.0) == pytest.approx(45.0, abs=1e-12)
        ographic = grid_of((180, 360), transform, "IAU_2015:49901", "mars")
        assert ographic.latitude(45.0) == pytest.approx(MARS.ocentric(45.0), abs=1e-9)


class TestProjections:
    @pytest.mark.parametrize(("lon_0", "lat_ts"), [(0, 0), (180, 0), (0, 40), (-60, 0)])
    def test_equirectangular(self, lon_0, lat_ts):
        shrink = np.cos(np.radians(lat_ts))
        crs = moon_projection(f"eqc +lon_0={lon_0} +lat_ts={lat_ts}")
        transform = Affine(METRES * shrink, 0, -180 * METRES * shrink, 0, -METRES, 90 * METRES)
        grid = grid_of((180, 360), transform, crs)
        assert grid.period == pytest.approx(360.0, rel=1e-10)
        assert grid.columns == 360
        assert grid.wraps
        lat = np.array([-90.0, -45.5, 0.0, 30.0, 90.0])
        np.testing.assert_allclose(grid.row_of(lat), 90.0 - lat, atol=1e-7)
        check_inverse(grid, np.linspace(0.0, 180.0, 19))
        lon = np.array([-170.0, 0.0, 33.3, 179.0])
        off = grid.column_of(lon) - np.mod(lon - lon_0 + 180.0, 360.0)
        np.testing.assert_allclose(np.mod(off + 180.0, 360.0) - 180.0, 0.0, atol=1e-7)

    def test_equirectangular_from_zero_to_360(self):
        # Eastings from 0 to a whole turn, as mission archives have them.
        transform = Affine(METRES, 0, 0, 0, -METRES, 90 * METRES)
        grid = grid_of((180, 360), transform, moon_projection("eqc"))
        assert (grid.columns, grid.wraps) == (360, True)
        np.testing.assert_allclose(grid.column_of([0.25, 10.0, 359.0]), [0.25, 10.0, 359.0])
        np.testing.assert_allclose(grid.column_of(-90.0), 270.0)

    def test_a_region_in_equirectangular_metres(self):
        # Round pixel sizes need not divide the circle.
        transform = Affine(1000.0, 0, 4.0e6, 0, -1000.0, 1.0e6)
        grid = grid_of((500, 600), transform, moon_projection("eqc"))
        assert grid.period == pytest.approx(2 * np.pi * MOON.a / 1000.0, rel=1e-10)
        assert not grid.wraps
        lon, lat = np.degrees(4.1e6 / MOON.a), np.degrees(0.75e6 / MOON.a)
        assert grid.column_of(lon) == pytest.approx(100.0, abs=1e-6)
        assert grid.row_of(lat) == pytest.approx(250.0, abs=1e-6)

    @pytest.mark.parametrize("shape", [(300, 360), (120, 40)])
    def test_mercator(self, shape):
        top = 140.0 * METRES
        transform = Affine(METRES, 0, -180 * METRES, 0, -METRES, top)
        grid = grid_of(shape, transform, moon_projection("merc"))
        lat = np.array([-60.0, 0.0, 45.0, 80.0])
        northing = MOON.a * np.log(np.tan(np.radians(45.0 + lat / 2)))
        np.testing.assert_allclose(grid.row_of(lat), (top - northing) / METRES, atol=1e-6)
        check_inverse(grid, np.linspace(0.0, shape[0], 20))
        # A pole is far away, on its own side: PROJ stops short of infinity.
        assert grid.row_of(90.0) < -1000.0
        assert grid.row_of(-90.0) > 1000.0 + shape[0]
        assert not grid.beyond_poles([-5.0, shape[0] + 5.0]).any()
        assert grid.period == pytest.approx(360.0, rel=1e-10)

    def test_equal_area(self):
        radius = MOON.a
        rows, width = 200, 400
        transform = Affine(
            2 * np.pi * radius / width, 0, -np.pi * radius, 0, -2 * radius / rows, radius
        )
        grid = grid_of((rows, width), transform, moon_projection("cea"))
        lat = np.array([-90.0, -30.0, 0.0, 60.0, 90.0])
        expected = (1.0 - np.sin(np.radians(lat))) * rows / 2
        np.testing.assert_allclose(grid.row_of(lat), expected, atol=1e-6)
        area = grid.pixel_area(np.arange(0.0, rows), np.arange(1.0, rows + 1))
        np.testing.assert_allclose(area, 4 * np.pi * radius**2 / rows / width, rtol=1e-6)

    def test_ellipsoidal_equirectangular_has_ographic_rows(self):
        metres = np.radians(1.0) * MARS.a
        crs = f"+proj=eqc +a={MARS.a} +b={MARS.b} +units=m +no_defs"
        transform = Affine(metres, 0, -180 * metres, 0, -metres, 90 * metres)
        grid = grid_of((180, 360), transform, crs, "mars")
        # PROJ is asked for the northing: its formula on ellipsoids became another in version 9.8.
        ographic = np.array([80.0, 45.0, 0.0, -40.0])
        _, northing = pyproj.Proj(crs)(np.zeros(4), ographic)
        rows = 90.0 - northing / metres
        np.testing.assert_allclose(grid.latitude(rows), MARS.ocentric(ographic), atol=1e-7)
        np.testing.assert_allclose(grid.row_of(MARS.ocentric(ographic)), rows, atol=1e-7)


class TestRefused:
    @pytest.mark.parametrize(
        "formulas",
        [
            "stere +lat_0=90",
            "stere +lat_0=-90",
            "sinu",
            "moll",
            "ortho +lat_0=10",
            "tmerc",
            "eqdc +lat_1=20 +lat_2=40",
            "aeqd +lat_0=-90",
        ],
    )
    def test_other_projections(self, formulas):
        transform = Affine(METRES, 0, -10 * METRES, 0, -METRES, 12 * METRES)
        with pytest.raises(CRSError, match=r"some\.tif: .*not parallels"):
            grid_of((20, 25), transform, moon_projection(formulas))

    @pytest.mark.parametrize("formulas", ["nsper +h=3e6", "geos +h=3e6"])
    @pytest.mark.parametrize("half", [0.5, 1.5, 3.2])
    def test_views_from_a_height_that_show_space_too(self, formulas, half):
        pixel = 2 * half * MOON.a / 200
        transform = Affine(pixel, 0, -half * MOON.a, 0, -pixel, half * MOON.a)
        with pytest.raises(CRSError, match=r"some\.tif: .*not parallels"):
            grid_of((200, 200), transform, moon_projection(formulas))

    @pytest.mark.parametrize("shape", [(3, 4), (200, 300)])
    def test_sinusoidal_anywhere(self, shape):
        transform = Affine(METRES / 10, 0, 20 * METRES, 0, -METRES / 10, 45 * METRES)
        with pytest.raises(CRSError, match="not parallels"):
            grid_of(shape, transform, moon_projection("sinu"))

    @pytest.mark.parametrize("degrees", [0.001, 30.0, 90.0])
    def test_rotated(self, degrees):
        transform = Affine(1.0, 0.0, -10.0, 0.0, -1.0, 10.0) @ Affine.rotation(degrees)
        with pytest.raises(CRSError, match="rotated"):
            grid_of((20, 20), transform)

    @pytest.mark.parametrize("transform", [Affine(0, 0, 1, 0, -1, 1), Affine(1, 0, 1, 0, 0, 1)])
    def test_pixels_without_size(self, transform):
        with pytest.raises(RasterError, match="no width or no height"):
            grid_of((20, 20), transform)

    def test_another_body(self):
        with pytest.raises(CRSError, match="Mars"):
            grid_of((180, 360), lonlat_transform(-180.0, 90.0, 1.0), OCENTRIC["mars"])


class TestReach:
    """Grids that cannot lie on their body are refused; those that are merely odd are not."""

    @pytest.mark.parametrize(
        ("crs", "body", "shape", "transform", "message"),
        [
            *(
                (crs, body, (180, 360), GLOBE, r"latitude 27\d{5}\.?\d* to -27.*metres.*raster_crs=")
                for crs, body in (
                    ("planetocentric", "moon"),
                    ("planetocentric_west", "moon"),
                    ("planetographic", "mars"),
                    ("dawn_claudia", "vesta"),
                    ("IAU_2015:30100", "moon"),
                    ("IAU_2015:49901", "mars"),
                )
            ),
            # Of few pixels, of a region, of a strip along the equator, rotated.
            ("default", "moon", (2, 2), GLOBE @ Affine.scale(180, 90), "latitude 27"),
            ("default", "moon", (5, 5), Affine(10, 0, 3e5, 0, -10, 4e5), "latitude 400000 to"),
            ("default", "moon", (5, 5), Affine(10, 0, 5e6, 0, -10, 20), "longitude 5000000 to"),
            ("default", "moon", (10, 3000), lonlat_transform(0, 5, 1), "longitude 0 to 3000"),
            ("default", "moon", (1, 2), lonlat_transform(-180, 150, 300), "latitude 150 to -150"),
            ("default", "moon", (1, 1), Affine(500, 0, -250, 0, -90, 45), "longitude -250 to 250"),
            (
                *("default", "moon", (1000, 1000)),
                Affine.rotation(20) @ Affine(6, 0, -3000, 0, -6, 3000),
                r"x from -\d+.* but Moon is 360 round",
            ),
            # Rows beyond a pole: by a pixel, and by a part of the raster that holds its middle.
            ("default", "moon", (180, 360), lonlat_transform(-180, 91, 1), "latitude 91 to -89"),
            ("default", "moon", (180, 360), lonlat_transform(-180, 88.9, 1), "latitude 88.9 to -91"),
            ("default", "moon", (60, 360), lonlat_transform(-180, 140, 1), "latitude 140 to 80"),
            (moon_projection("eqc"), "moon", (60, 9), Affine(METRES, 0, 0, 0, -METRES, 140 * METRES),
             "latitude 140 to 80"),
            # Millimetres for metres: of the globe, of a region, of a strip, and of maps of other kinds.
            *(
                (moon_projection(formulas), "moon", shape, transform, "unit")
                for formulas in ("eqc", "cea", "merc")
                for shape, transform in (
                    ((180, 360), Affine.scale(1000) @ GLOBE),
                    ((9, 360), Affine.scale(1000) @ GLOBE),
                )
            ),
            (moon_projection("eqc"), "moon", (9, 9), Affine(1e5, 0, 3e8, 0, -1e5, 4e8), "latitude 13"),
            (moon_projection("sinu"), "moon", (9, 9), Affine(1e5, 0, 3e8, 0, -1e5, 4e8), "no part"),
            (moon_projection("ortho"), "moon", (90, 90), Affine(4e7, 0, -18e8, 0, -4e7, 18e8),
             r"1091640\d\.\d* round"),
        ],
    )  # fmt: skip
    def test_impossible(self, crs, body, shape, transform, message):
        system = CoordinateSystem.from_user_input(crs, get_body(body), what="raster_crs")
        with pytest.raises(CRSError, match=rf"(?s)^some\.tif: .*{message}"):
            make_grid(shape, transform, system, "some.tif")

    @pytest.mark.parametrize(
        ("shape", "transform"),
        [
            ((181, 361), lonlat_transform(-180.5, 90.5, 1.0)),
            ((181, 360), lonlat_transform(-180.0, 90.9, 1.0)),
            ((180, 450), lonlat_transform(-180.0, 90.0, 1.0)),
            ((180, 720), lonlat_transform(-360.0, 90.0, 1.0)),
            ((180, 360), lonlat_transform(360.0, 90.0, 1.0)),
            ((1, 1), lonlat_transform(-180.0, 180.0, 360.0) @ Affine.scale(1.0, 0.5)),
            ((2, 4), lonlat_transform(-180.0, 90.0, 90.0)),
            ((26, 52), lonlat_transform(-180.0, 91.0, 7.0)),
        ],
    )
    def test_possible(self, shape, transform):
        """Half pixels beyond the poles, mosaics that overlap themselves, pixels as large as the body."""
        make_grid(shape, transform, CoordinateSystem(body=get_body("moon")))
        metric = Affine.scale(METRES) @ transform
        equirectangular = CoordinateSystem.from_user_input(moon_projection("eqc"), "moon", what="")
        assert isinstance(make_grid(shape, metric, equirectangular), CylindricalGrid)

    @pytest.mark.parametrize("scale", [1e-3, 1.0])
    @pytest.mark.parametrize(
        "formulas",
        [
            "ob_tran +o_proj=eqc +o_lat_p=40 +o_lon_p=10 +lon_0=20",
            "ob_tran +o_proj=cea +o_lat_p=0 +o_lon_p=10",
            "ob_tran +o_proj=moll +o_lat_p=-30 +o_lon_p=170",
            "omerc +lat_0=17.9 +lonc=180 +alpha=13.6 +gamma=0",
            "omerc +lat_0=-5 +lonc=-179 +alpha=80",
            "stere +lat_0=25 +lon_0=-70",
            "somerc +lat_0=47 +lon_0=7",
        ],
    )
    def test_oblique_maps(self, formulas, scale):
        """Their coordinates are no longitudes and latitudes, and mean nothing about poles."""
        crs = moon_projection(formulas)
        system = CoordinateSystem.from_user_input(crs, "moon", what="raster")
        transform = Affine.scale(scale) @ Affine(METRES, 0, -60 * METRES, 0, -METRES, 100 * METRES)
        grid = make_grid((200, 120), transform, system)
        assert isinstance(grid, ProjectedGrid)
        lon, lat = grid.to_body(60.25, 100.25)
        expected = pyproj.Transformer.from_pipeline(crs).transform(
            0.25 * METRES * scale, -0.25 * METRES * scale, direction="INVERSE"
        )
        np.testing.assert_allclose((np.mod(lon - expected[0] + 90, 360), lat), (90, expected[1]))


def test_grids_of_one_place_are_named_after_their_rasters():
    system = CoordinateSystem(body=get_body("moon"))
    transform = lonlat_transform(-180.0, 90.0, 1.0)
    one, other = (make_grid((180, 360), transform, system, name) for name in ("one", "other"))
    assert (one.name, other.name) == ("one", "other")


def test_every_pixel_centre_is_where_the_affine_says():
    transform = Affine(0.7, 0.0, -31.3, 0.0, -0.4, 62.1)
    grid = grid_of((50, 40), transform)
    rows, columns = np.indices((50, 40)) + 0.5
    lon, lat = place(transform, columns, rows)
    np.testing.assert_allclose(grid.column_of(lon), columns, atol=1e-9)
    np.testing.assert_allclose(grid.row_of(lat), rows, atol=1e-9)
