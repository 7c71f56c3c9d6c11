"""Databases from outlines: centres and sizes against analytic truth, and against columns beside them."""

import geopandas as gpd
import numpy as np
import pytest
import shapely
from pyproj import Geod

from craterkit import CraterDatabase
from craterkit.bodies import get_body, planetographic_to_planetocentric
from craterkit.errors import FeatureError, RegionError

MOON = 1737400.0


def ring(lon, lat, radius, *, body="moon", count=720):
    """Vertices of a geodesic circle; of ellipsoids in planetographic latitude."""
    figure = get_body(body)
    ways = np.arange(count) * 360.0 / count
    geod = Geod(a=figure.a, b=figure.b)
    x, y, _ = geod.fwd([lon] * count, [lat] * count, ways, [radius] * count)
    return np.column_stack([x, y])


def outlines(shapes, crs="IAU_2015:30100", **columns):
    return gpd.GeoDataFrame(columns, geometry=shapes, crs=crs)


def place(cdb):
    return [cdb.lon.iloc[0], cdb.lat.iloc[0], cdb.rad.iloc[0]]


@pytest.mark.parametrize("lon", [0.0, 20.0, 179.95])
@pytest.mark.parametrize("lat", [0.0, 60.0, -84.0])
@pytest.mark.parametrize("radius", [1.0, 3e4, 1.5e5])
def test_a_circle_gives_its_centre_and_radius(lon, lat, radius):
    vertices = ring(lon, lat, radius)
    vertices[:, 0] = np.unwrap(vertices[:, 0], period=360)
    cdb = CraterDatabase(outlines([shapely.Polygon(vertices)]), "moon")
    assert place(cdb) == pytest.approx([lon, lat, radius], rel=2e-5, abs=1e-5)
    assert list(cdb.regions) == ["outline"]


@pytest.mark.parametrize(
    ("lon", "lat"), [(179.9, 10.0), (-179.8, -70.0), (20.0, 88.0), (20.0, -89.0)]
)
def test_vertices_from_180_to_minus_180_do_not_go_the_long_way_round(lon, lat):
    cdb = CraterDatabase(outlines([shapely.Polygon(ring(lon, lat, 1e5))]), "moon")
    assert place(cdb) == pytest.approx([lon, lat, 1e5], rel=1e-4)


@pytest.mark.parametrize("pole", [90.0, -90.0])
def test_an_outline_around_a_pole_on_a_polar_map(pole):
    crs = "IAU_2015:30130" if pole > 0 else "IAU_2015:30135"
    cap = shapely.Point(0, 0).buffer(2 * MOON * np.tan(np.radians(5.0) / 2), quad_segs=500)
    found = place(CraterDatabase(outlines([cap], crs), "moon"))
    assert found[1:] == pytest.approx([pole, np.radians(5.0) * MOON], rel=1e-5)


def test_the_area_is_that_of_the_ground():
    """A cell of a grid: R² Δλ (sin φ2 − sin φ1), and a cap of as much."""
    cell = shapely.box(10, 50, 30, 70)
    area = np.radians(20) * np.diff(np.sin(np.radians([50, 70])))[0] * MOON**2
    radius = MOON * np.arccos(1 - area / (2 * np.pi * MOON**2))
    cdb = CraterDatabase(outlines([cell]), "moon")
    assert cdb.rad[0] == pytest.approx(radius, rel=1e-9)
    assert cdb.lon[0] == pytest.approx(20)


@pytest.mark.parametrize("body", ["mars", "ceres"])
@pytest.mark.parametrize("lat", [0.0, -45.0, 80.0])
def test_flattened_bodies(body, lat):
    figure = get_body(body)
    code = 100 * figure.naif_id + 1
    shape = shapely.Polygon(ring(30.0, lat, 0.01 * figure.a, body=body))
    east = figure.ographic_longitude == "east"
    cdb = CraterDatabase(outlines([shape], f"IAU_2015:{code}"), body)
    centric = float(planetographic_to_planetocentric(lat, figure.a, figure.b))
    assert place(cdb)[:2] == pytest.approx([30.0 if east else -30.0, centric], abs=1e-3)
    assert cdb.rad[0] == pytest.approx(0.01 * figure.a, rel=2e-5)


def test_outlines_are_the_region_outline(tmp_path):
    shapes = [shapely.Polygon(ring(20, 10, 3e4)), shapely.Polygon(ring(179.9, 60, 2e4))]
    table = outlines(shapes, name=["a", "b"])
    table.to_file(tmp_path / "x.shp")
    cdb = CraterDatabase(tmp_path / "x.shp", "moon")
    assert list(cdb.data["name"]) == ["a", "b"]
    assert cdb.outline.iloc[0].symmetric_difference(shapes[0]).area < 1e-9
    assert cdb.outline.iloc[1].geom_type == "MultiPolygon"  # cut at the seam
    for name in ("y.gpkg", "y.parquet", "y.geojson"):
        cdb.to_file(tmp_path / name, "outline")
        assert CraterDatabase.read_file(tmp_path / name) == cdb
    cdb.to_file(tmp_path / "y.shp", "outline")
    again = CraterDatabase(tmp_path / "y.shp", "moon")
    assert again.rad.tolist() == pytest.approx(cdb.rad.tolist())
    assert list(again.regions) == ["outline"]
    with pytest.raises(RegionError, match="outline"):
        CraterDatabase(table.assign(outline=1), "moon")


def test_columns_beside_outlines_are_taken():
    shape = shapely.Polygon(ring(20, 10, 3e4))
    cdb = CraterDatabase(outlines([shape], lat=[10.1], lon=[380.0], diam_km=[50.0]), "moon")
    assert place(cdb) == pytest.approx([20, 10.1, 25e3])
    only_size = CraterDatabase(outlines([shape], Diam_km=[50.0]), "moon")
    assert place(only_size) == pytest.approx([20, 10, 25e3])


@pytest.mark.parametrize(
    ("code", "lat", "lon", "found"),
    [
        (49901, 45.0, 30.0, -30),  # as the outlines count
        (49901, 44.6618, -30.0, -30),  # as tables do by default
        (49902, 45.0, 30.0, 30),
    ],
)
def test_columns_count_as_it_fits_the_outlines(code, lat, lon, found):
    centric = 45.0 if code == 49902 else 44.6618
    shape = shapely.Polygon(ring(30, 45, 5e3, body="mars"))
    table = outlines([shape], f"IAU_2015:{code}", lat=[lat], lon=[lon], diam_km=[10.0])
    assert place(CraterDatabase(table, "mars")) == pytest.approx([found, centric, 5e3], abs=1e-3)


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"lat": 12.0, "lon": 20.0, "diam_km": 60.0}, r"12 N, 60\.65 km away"),
        ({"lat": 10.0, "lon": 20.0, "radius": 30.0}, "radius of 30 m, but the outline.*29999"),
        ({"radius_km": 60.0}, "radius of 60000 m, but the outline"),
    ],
)
def test_outlines_that_contradict_columns_are_named(columns, message):
    table = outlines([shapely.Polygon(ring(20, 10, 3e4))], **{k: [v] for k, v in columns.items()})
    with pytest.raises(FeatureError, match=rf"row 0: .*{message}"):
        CraterDatabase(table, "moon")


def test_rows_without_an_outline_need_columns():
    table = outlines([shapely.Polygon(ring(20, 10, 3e4)), None])
    with pytest.raises(FeatureError, match="row 1: geometry is missing"):
        CraterDatabase(table, "moon")
    cdb = CraterDatabase(table.assign(lat=[10.0, 3], lon=[20.0, 4], diam_km=[60.0, 5]), "moon")
    assert cdb.outline.is_empty.tolist() == [False, True]


@pytest.mark.parametrize("extension", ["gpkg", "geojson", "parquet", "shp"])
def test_polygons_of_other_regions_in_our_files_are_no_outlines(tmp_path, extension):
    cdb = CraterDatabase(outlines([shapely.Point(20, 10)], radius_m=[3e4]), "moon")
    cdb.add_circles("far", 4)
    cdb.add_sectors("aside", 3, 4, 0, 40)
    for region in ("far", "aside"):
        cdb.to_file(tmp_path / f"x.{extension}", region)
        found = CraterDatabase(tmp_path / f"x.{extension}", "moon")
        assert place(found) == [20, 10, 3e4]
        assert not found.regions
