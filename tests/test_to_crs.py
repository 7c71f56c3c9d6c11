"""Centres and polygons in other coordinate systems: right ground, right numbers, and a database that works."""

from __future__ import annotations

import itertools
import pickle

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import pytest
import shapely

import worlds
from craterkit import Body, CraterDatabase, sample_data
from craterkit.errors import CRSError
from fields import CERES, MARS, MOON

#: Area of 64 vertices on a circle, as a share of the circle's.
POLYGON = np.sin(2 * np.pi / 64) / (2 * np.pi / 64)

EQUAL_AREA = {
    "cylindrical": "cea",
    "cylindrical, cut at 0": "cea +lon_0=180",
    "sinusoidal": "sinu",
    "Mollweide": "moll +lon_0=37",
    "Hammer": "hammer",
    "north pole": "laea +lat_0=90",
    "south pole": "laea +lat_0=-90 +lon_0=90",
    "oblique": "laea +lat_0=37 +lon_0=20",
}

PLACES = list(itertools.product([0, 37, 179.9, 180, -100], [0, 30, -60, 85]))
PLACES += [(0, 89.99), (0, 90), (50, -90)]


def database(figure, degrees, places=PLACES):
    lon, lat = np.array(places, dtype=float).T
    table = pd.DataFrame({"lon": lon, "lat": lat, "radius_m": np.radians(degrees) * figure.a})
    return CraterDatabase(table, Body(figure.name, figure.a, figure.b))


def on(figure, projection):
    return f"+proj={projection} +a={figure.a} +b={figure.b} +units=m"


def cap(degrees):
    return 2 * np.pi * MOON.a**2 * (1 - np.cos(np.radians(degrees)))


def beyond(cdb, projection, degrees):
    """Which ROIs come within two degrees of the point that a round map draws out into its rim."""
    if not projection.startswith("laea"):
        return np.zeros(len(cdb), dtype=bool)
    words = dict(word.split("=") for word in projection.split() if "=" in word)
    lon, lat = (float(words.get(name, 0)) for name in ("+lon_0", "+lat_0"))
    opposite = MOON.distance(lon + 180, -lat, cdb.lon.to_numpy(), cdb.lat.to_numpy())
    return np.abs(np.degrees(opposite / MOON.a)) < degrees + 2


@pytest.mark.parametrize("degrees", [1e-4, 1.0, 12.0, 60.0, 100.0])
@pytest.mark.parametrize("name", EQUAL_AREA)
def test_areas_are_those_of_the_ground(name, degrees):
    cdb = database(MOON, degrees)
    cdb.add_circles("circle")
    cdb.add_annuli("annulus", 0.5, 1)
    cdb.add_sectors("sector", 0.2, 1, 300, 20)
    on_map = cdb.to_crs(on(MOON, EQUAL_AREA[name]))
    kept = ~beyond(cdb, EQUAL_AREA[name], degrees)
    expected = {
        "circle": cap(degrees),
        "annulus": cap(degrees) - cap(degrees / 2),
        "sector": (cap(degrees) - cap(degrees / 5)) * 80 / 360,
    }
    for region, area in expected.items():
        shapes = on_map.data[region]
        assert shapes.is_valid.all()
        assert np.isfinite(shapely.get_coordinates(shapes)).all()
        np.testing.assert_allclose(shapes.area[kept] / area, 1.0, atol=4e-3)


@pytest.mark.parametrize("name", EQUAL_AREA)
def test_given_polygons_keep_their_ground(name):
    cdb = database(MOON, 8.0)
    cdb.add_annuli("annulus", 0.5, 1)
    cdb.add_regions("given", cdb.annulus)
    given = cdb.to_crs(on(MOON, EQUAL_AREA[name])).given
    kept = ~beyond(cdb, EQUAL_AREA[name], 8.0)
    assert given.is_valid.all()
    np.testing.assert_allclose(given.area[kept] / (cap(8.0) - cap(4.0)), 1.0, atol=4e-3)


MAPS = ["eqc", "eqc +lon_0=180", "sinu", "stere +lat_0=90", "stere +lat_0=-90 +lon_0=40", "merc"]
MAPS += ["laea +lat_0=37 +lon_0=20", "aeqd +lat_0=30", "lcc +lat_1=20 +lat_2=60", "robin", "tmerc"]


@pytest.mark.parametrize("figure", [MOON, MARS, CERES], ids=lambda figure: figure.name)
@pytest.mark.parametrize("projection", MAPS)
def test_vertices_lie_on_the_curve(figure, projection):
    """PROJ's formulae take planetographic latitude; its inverses do not converge on Ceres."""
    places = list(itertools.product([10.0, -35.0, 60.0], [15.0, 45.0, 70.0]))
    cdb = database(figure, 2.0, places)
    cdb.add_circles("circle")
    crs = on(figure, projection)
    shapes = cdb.to_crs(crs).circle
    assert (shapes.geom_type == "Polygon").all()
    azimuth = np.arange(64) * 360 / 64
    for place, shape, center in zip(places, shapes, cdb.to_crs(crs).center, strict=True):
        lon, lat = figure.ring(*place, cdb.rad.iloc[0], azimuth)
        points = shapely.points(*pyproj.Proj(crs)(lon, figure.ographic(lat)))
        away = shapely.distance(points, shape.boundary)
        np.testing.assert_allclose(away, 0.0, atol=1e-6 * cdb.rad.iloc[0])
        x, y = pyproj.Proj(crs)(place[0], figure.ographic(place[1]))
        assert (center.x, center.y) == pytest.approx((x, y), abs=1e-3)


def test_planetographic_and_west_positive_numbers():
    """Mars, 45° planetocentric: 45.3388° planetographic; 30° E is 330° W, written as -30."""
    cdb = CraterDatabase(worlds.table(30.0, 45.0, 1e5), "mars")
    cdb.add_circles("rim")
    for target in ("IAU_2015:49901", "planetographic"):
        other = cdb.to_crs(target)
        assert other.center.x.item() == pytest.approx(-30.0, abs=1e-12)
        assert other.center.y.item() == pytest.approx(MARS.ographic(45.0), abs=1e-9)
        lon, lat = shapely.get_coordinates(other.rim.item()).T
        distance = MARS.distance(30.0, 45.0, -lon, MARS.ocentric(lat))
        np.testing.assert_allclose(distance, 1e5, rtol=1e-6)
        assert [axis.direction for axis in other.crs.axis_info] == ["north", "west"]
    assert cdb.to_crs("planetographic_east").center.x.item() == 30.0
    westing = cdb.to_crs("IAU_2015:49911").center.x.item()
    assert westing == pytest.approx(-np.radians(30.0) * 3396190, rel=1e-9)
    assert cdb.to_crs("planetocentric").crs == cdb.crs


@pytest.mark.parametrize("argument", ["dawn_claudia", "claudia_p", "planetocentric_west"])
def test_longitude_frames_have_a_crs_that_leads_back(argument):
    cdb = CraterDatabase(worlds.table(146.0, -1.6, 1e3), "vesta")
    other = cdb.to_crs(argument)
    x = {"dawn_claudia": -4.0, "claudia_p": 136.0, "planetocentric_west": -146.0}[argument]
    assert other.center.x.item() == pytest.approx(x)
    frame = gpd.GeoDataFrame({"radius_m": [1e3]}, geometry=other.center.to_list(), crs=other.crs)
    assert CraterDatabase(frame, "vesta").lon.item() == pytest.approx(146.0)


def test_a_polar_map_shows_the_pole_whole():
    cdb = database(MOON, 5.0, [(0, -90), (180, -88), (-90, -85), (0, -60)])
    cdb.add_annuli("rim", 0.5, 1)
    rim = cdb.to_crs("IAU_2015:30135").rim
    assert (rim.geom_type == "Polygon").all()
    assert (shapely.get_num_interior_rings(rim) == 1).all()
    assert (shapely.get_num_coordinates(rim) == 130).all()
    assert rim.contains(shapely.Point(0, 0)).tolist() == [False, False, False, False]
    filled = shapely.polygons(shapely.get_exterior_ring(rim))
    assert shapely.contains_xy(filled, 0, 0).tolist() == [True, True, False, False]


@pytest.mark.parametrize(
    ("crs", "cut"),
    [
        ("IAU_2015:30110", 180.0),
        ("IAU_2015:30115", 0.0),
        ("+proj=longlat +R=1737400 +lon_wrap=180", 0.0),
    ],
)
def test_polygons_are_cut_where_the_map_is(crs, cut):
    cdb = database(MOON, 4.0, [(0, 10), (90, 10), (180, 10), (-177, 10)])
    cdb.add_circles("circle")
    parts = shapely.get_num_geometries(cdb.to_crs(crs).circle)
    assert (parts > 1).tolist() == [cut == 0, False, cut == 180, cut == 180]


def test_what_a_map_does_not_show_is_empty():
    cdb = database(MOON, 5.0, [(0, 90), (0, 0), (0, -3), (0, -90)])
    cdb.add_circles("circle")
    for projection in ("ortho +lat_0=90", "gnom +lat_0=90"):
        other = cdb.to_crs(on(MOON, projection))
        assert other.circle.is_empty.tolist()[::3] == [False, True]
        assert other.center.is_empty.tolist()[::3] == [False, True]
        assert np.isfinite(shapely.get_coordinates(other.circle)).all()
    # Half of what is around a place on the edge: seen from above, an eighth of an ellipse, about.
    shown = cdb.to_crs(on(MOON, "ortho +lat_0=90")).circle
    assert 0 < shown.area[2] < shown.area[1] < shown.area[0] / 2
    assert np.hypot(*shapely.get_coordinates(shown.iloc[1]).T).max() <= MOON.a * (1 + 1e-9)


def test_vertices_of_an_n_gon_are_joined_by_straight_lines_of_the_map():
    cdb = database(MOON, 5.0, [(20, -80), (100, -90)])
    cdb.add_circles("hexagon", nvert=6)
    assert (shapely.get_num_coordinates(cdb.to_crs("IAU_2015:30135").hexagon) == 7).all()


def test_interrupted_maps_are_refused():
    with pytest.raises(CRSError, match="interrupted"):
        database(MOON, 1.0).to_crs(on(MOON, "igh"))


@pytest.fixture
def cdb():
    cdb = CraterDatabase(sample_data["moon_craters_km.csv"], "moon")
    cdb.add_annuli("rim", 1, 1.5)
    return cdb


@pytest.mark.parametrize("drawn", [False, True])
def test_everything_else_stays_as_it_is(cdb, drawn):
    cdb.data["age"] = np.arange(len(cdb))
    if drawn:
        assert len(cdb.rim)
    polar = cdb.to_crs("IAU_2015:30135")
    for name in ("lat", "lon", "rad"):
        pd.testing.assert_series_equal(getattr(polar, name), getattr(cdb, name))
    assert polar.regions == cdb.regions
    assert polar.crs == polar.center.crs == polar.data.crs == polar.rim.crs == "IAU_2015:30135"
    assert polar.data["age"].tolist() == cdb.data["age"].tolist()
    assert list(polar.data.columns[:-1]) == [name for name in cdb.data.columns if name != "rim"]
    raster = sample_data["moon.tif"]
    pd.testing.assert_frame_equal(polar.get_stats(raster, "rim"), cdb.get_stats(raster, "rim"))
    assert cdb.crs == cdb.rim.crs == "IAU_2015:30100"


def test_it_keeps_working(cdb):
    polar = cdb.to_crs("IAU_2015:30135")
    polar.add_circles("floor", 0.5)
    assert polar.floor.crs == polar.crs
    for other in (
        polar[10:20],
        polar[polar.lat < 0],
        polar.copy(),
        pickle.loads(pickle.dumps(polar)),
    ):
        assert other.crs == other.floor.crs == other.data.crs == polar.crs
        assert other.floor.geom_equals_exact(polar.floor.loc[other.lat.index], 0.0).all()
    polar.drop_region("floor")
    assert "floor" not in polar.data
    assert "rim" in polar._repr_html_()
    back = polar.to_crs(cdb.crs)
    assert back == cdb
    assert back.rim.geom_equals_exact(cdb.rim, 0.0).all()


def test_in_place(cdb):
    copy = cdb.copy()
    assert len(copy.rim)
    assert copy.to_crs("IAU_2015:30110", inplace=True) is None
    assert copy.crs == copy.rim.crs == copy.data.crs == "IAU_2015:30110"
    assert copy.rim.total_bounds[2] > 1e6
    assert cdb.crs == "IAU_2015:30100"


def test_a_frame_with_another_active_geometry(cdb):
    cdb.data.set_geometry("rim", inplace=True)
    polar = cdb.to_crs("IAU_2015:30135")
    assert (polar.data.geometry.geom_type == "Point").all()
    assert polar.rim.crs == polar.crs
    assert cdb.copy() == cdb


@pytest.mark.parametrize(
    ("crs", "message"),
    [
        ("IAU_2015:49900", "is of Mars"),
        ("EPSG:4326", "Earth"),
        ("nonsense", "'nonsense' is not a coordinate reference system"),
        (None, "no coordinate reference system"),
        (3.5, "not a coordinate reference system"),
    ],
)
def test_nonsense_is_refused_and_changes_nothing(cdb, crs, message):
    for inplace in (False, True):
        with pytest.raises(CRSError, match=message):
            cdb.to_crs(crs, inplace=inplace)
    assert cdb.crs == "IAU_2015:30100"


#: Circles of 20 km near the poles of the Moon: near, across the seam, around and beside the pole.
POLAR = [(10, 89), (90, 89), (0, 88), (179.5, 89), (10, -89), (170, -89.5), (0, 90), (0, -88)]


@pytest.mark.parametrize(
    ("projection", "tolerance"),
    [
        ("aea +lat_1=30 +lat_2=60", 0.01),
        ("aea +lat_1=-20 +lat_2=-50", 0.01),
        ("sinu", 0.003),
        ("cea", 0.003),
        ("moll", 0.003),
        ("laea +lat_0=-90 +lon_0=30", 0.02),  # the point opposite to the centre is left out
        ("laea +lat_0=90", 0.02),
    ],
)
def test_areas_near_poles_that_are_drawn_out(projection, tolerance):
    """A pole is an arc on a conic map, and the far one all of the rim of an azimuthal one."""
    degrees = np.degrees(20e3 / MOON.a)
    cdb = database(MOON, degrees, POLAR)
    cdb.add_circles("circle")
    cdb.add_annuli("annulus", 0.5, 1)
    on_map = cdb.to_crs(on(MOON, projection))
    expected = {"circle": cap(degrees), "annulus": cap(degrees) - cap(degrees / 2)}
    for region, area in expected.items():
        shapes = on_map.data[region]
        assert shapes.is_valid.all()
        np.testing.assert_allclose(shapes.area / area, 1.0, atol=tolerance)


def test_given_polygons_at_a_pole_that_is_drawn_out():
    """A cap of straight edges in longitude and latitude, on a map that draws the pole as an arc."""
    cdb = database(MOON, 1.0, [(0, 89.9)])
    cdb.add_regions("cap", [shapely.box(-180, 89, 180, 90)])
    shape = cdb.to_crs(on(MOON, "aea +lat_1=30 +lat_2=60")).cap.iloc[0]
    assert shape.area == pytest.approx(cap(1.0), rel=2e-3)


@pytest.mark.parametrize("degrees", [0.1, 1.0, 20.0])
@pytest.mark.parametrize("place", [(0, 0), (77, 0), (180, 0), (-120, 0.3)])
def test_a_circle_on_the_limb_is_shown_up_to_it(place, degrees):
    """A globe shows half of a circle on its limb: as an area of the map, by integration of the cosine."""
    cdb = database(MOON, degrees, [(place[0], place[1] * degrees)])
    cdb.add_circles("circle")
    shape = cdb.to_crs(on(MOON, "ortho +lat_0=-90")).circle.iloc[0]
    size = np.radians(degrees)
    height = np.linspace(-size, 0.0, 20001)
    middle = np.radians(place[1] * degrees)
    # cos(half width) by the cosine rule on every parallel; its area on the map is sin(-lat) cos(lat).
    cosine = (np.cos(size) - np.sin(middle) * np.sin(height)) / (np.cos(middle) * np.cos(height))
    width = 2 * np.arccos(np.clip(cosine, -1, 1))
    expected = MOON.a**2 * np.trapezoid(width * np.sin(-height) * np.cos(height), height)
    assert shape.area == pytest.approx(expected, rel=0.02)
