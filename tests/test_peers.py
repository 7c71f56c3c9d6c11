"""What other libraries get wrong, one test a trap, through the public face only.

The oracles are closed forms on the sphere and plain NumPy over the whole raster.
"""

import warnings
from dataclasses import replace

import numpy as np
import pandas as pd
import pyproj
import pytest
import rasterio
import shapely
from affine import Affine

import worlds
from craterkit import Body, CraterDatabase
from craterkit.errors import (
    AssumedWarning,
    ColumnError,
    CRSError,
    FeatureError,
    OutsideRasterWarning,
    RasterError,
    RegionError,
    TableError,
)
from worlds import MOON, metres

TRUE_GROUND = {"coverage": "fraction", "weights": "area"}

#: Centres in the open, on the seam, at the poles, and so that the 5° or 10° circle just meets one.
PLACES = [
    (0.0, 0.0),
    (180.0, 0.0),
    (-180.0, 60.0),
    (0.0, 60.0),
    (179.9, 80.0),
    (13.3, 85.0),
    (180.0, 88.0),
    (0.0, 90.0),
    (180.0, -60.0),
    (77.7, -85.0),
    (0.0, -90.0),
]


def features(lon, lat, radius, body="moon", **regions):
    """A database whose regions are given as name=(inner, outer)."""
    cdb = CraterDatabase(worlds.table(lon, lat, radius), body)
    for name, (inner, outer) in regions.items():
        cdb.add_annuli(name, inner, outer)
    return cdb


def only(frame, column):
    """The value of a column of a frame with one row."""
    assert len(frame) == 1
    return frame[column].iloc[0]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("worlds")


@pytest.fixture(scope="module")
def ones(folder):
    return worlds.write(folder / "ones.tif", worlds.lonlat(0.5), np.float64(1), dtype="uint8")


@pytest.fixture(scope="module")
def latitudes(folder):
    return worlds.write(folder / "latitudes.tif", worlds.lonlat(0.5), lambda lon, lat: lat)


def bumpy(lon, lat):
    """A smooth field that goes around the body, different at every place."""
    x, y = np.radians(lon), np.radians(lat)
    return (
        100 + 20 * np.sin(2 * y) + 30 * np.cos(y) * np.cos(x - 0.4) + 5 * np.cos(y) * np.sin(3 * x)
    )


# Poles, seam and large circles


@pytest.mark.parametrize(("lon", "lat"), PLACES)
def test_area_of_an_annulus_is_the_same_everywhere(ones, lon, lat):
    cdb = features(lon, lat, metres(5), rim=(1, 2))
    stats = cdb.get_stats(ones, "rim", "weight_sum", **TRUE_GROUND)
    assert only(stats, "weight_sum_rim") == pytest.approx(worlds.annulus_area(5, 10), rel=2e-4)


@pytest.mark.parametrize(("lon", "lat"), PLACES)
@pytest.mark.parametrize(("inner", "outer"), [(5, 10), (2, 4)])
def test_mean_distance_over_an_annulus(tmp_path, lon, lat, inner, outer):
    grid = worlds.lonlat(0.25)
    raster = worlds.write(tmp_path / "d.tif", grid, lambda x, y: worlds.distance(lon, lat, x, y))
    cdb = features(lon, lat, metres(inner), rim=(1, outer / inner))
    mean = only(cdb.get_stats(raster, "rim", "mean", **TRUE_GROUND), "mean_rim")
    # A pixel's centre is nearer than its ground is on average: by pixel² / (12 distance).
    assert mean == pytest.approx(worlds.mean_distance(inner, outer), abs=0.003)


def test_the_closed_form_of_the_mean_distance_agrees_with_the_known_numbers():
    assert worlds.mean_distance(5, 10) == pytest.approx(7.776, abs=5e-4)
    assert worlds.mean_distance(2, 4) == pytest.approx(3.111, abs=5e-4)


@pytest.mark.parametrize(("lon", "lat"), PLACES)
def test_mean_distance_over_an_annulus_of_polygons(tmp_path, lon, lat):
    grid = worlds.lonlat(0.25)
    raster = worlds.write(tmp_path / "d.tif", grid, lambda x, y: worlds.distance(lon, lat, x, y))
    cdb = CraterDatabase(worlds.table(lon, lat, metres(5)), "moon")
    cdb.add_annuli("rim", 1, 2, nvert=360)
    stats = cdb.get_stats(raster, "rim", ["mean", "weight_sum"], **TRUE_GROUND)
    assert only(stats, "mean_rim") == pytest.approx(worlds.mean_distance(5, 10), abs=0.01)
    assert only(stats, "weight_sum_rim") == pytest.approx(worlds.annulus_area(5, 10), rel=2e-3)


@pytest.mark.parametrize("lon", [0.0, 180.0, 64.2])
@pytest.mark.parametrize("lat", [0.0, 60.0, 85.0, 88.0, 90.0, -88.0])
def test_mean_latitude_over_an_annulus_with_area_weights(latitudes, lon, lat):
    cdb = features(lon, lat, metres(2), rim=(1, 2))
    mean = only(cdb.get_stats(latitudes, "rim", "mean", **TRUE_GROUND), "mean_rim")
    assert mean == pytest.approx(worlds.mean_latitude(lat, 2, 4), abs=0.01)


@pytest.mark.parametrize("lat", [0.0, 60.0, 85.0, 88.0, 90.0])
def test_mean_sine_of_latitude_over_an_annulus_with_area_weights(tmp_path, lat):
    raster = worlds.write(
        tmp_path / "sine.tif", worlds.lonlat(0.5), lambda _, y: np.sin(np.radians(y))
    )
    cdb = features(180.0, lat, metres(2), rim=(1, 2))
    mean = only(cdb.get_stats(raster, "rim", "mean", **TRUE_GROUND), "mean_rim")
    assert mean == pytest.approx(worlds.mean_sine_of_latitude(lat, 2, 4), abs=2e-5)


@pytest.mark.parametrize(("lon", "lat"), PLACES)
def test_pixels_whose_centres_lie_in_an_annulus(tmp_path, lon, lat):
    grid = worlds.lonlat(1.0)
    field = bumpy(*grid.mesh)
    raster = worlds.write(tmp_path / "field.tif", grid, field)
    away = worlds.distance(lon, lat, *grid.mesh)
    inner, outer = 5.0123, 10.0234  # no centre lies on these circles
    inside = (away > inner) & (away <= outer)
    cdb = features(lon, lat, metres(1), rim=(inner, outer))
    stats = cdb.get_stats(
        raster, "rim", ["count", "mean", "std", "min", "max", "median"], coverage="center"
    ).iloc[0]
    expected = field[inside]
    assert stats["count_rim"] == expected.size
    assert stats["mean_rim"] == pytest.approx(expected.mean(), rel=1e-12)
    assert stats["std_rim"] == pytest.approx(expected.std(), rel=1e-12)
    assert stats["min_rim"] == expected.min()
    assert stats["max_rim"] == expected.max()
    assert stats["median_rim"] == pytest.approx(np.median(expected), rel=1e-12)


@pytest.mark.parametrize(("lon", "lat"), PLACES)
@pytest.mark.parametrize("outer", [30.0, 100.0, 120.0, 179.0])
def test_large_circles_are_the_cap_not_its_complement(tmp_path, lon, lat, outer):
    grid = worlds.lonlat(1.0)
    raster = worlds.write(tmp_path / "d.tif", grid, lambda x, y: worlds.distance(lon, lat, x, y))
    cdb = features(lon, lat, metres(outer), cap=(0, 1))
    stats = cdb.get_stats(raster, "cap", ["weight_sum", "mean", "max"], **TRUE_GROUND).iloc[0]
    assert stats["weight_sum_cap"] == pytest.approx(worlds.annulus_area(0, outer), rel=1e-3)
    assert stats["mean_cap"] == pytest.approx(worlds.mean_distance(0, outer), abs=0.03)
    assert outer - 1 < stats["max_cap"] < outer + 1


@pytest.mark.parametrize("outer", [100.0, 120.0])
def test_polygons_of_large_circles_hold_their_centre_and_not_its_antipode(outer):
    lon, lat = np.array([10, 180, 0]), np.array([20, -40, 90])
    polygons = features(lon, lat, metres(outer), cap=(0, 1)).cap
    assert polygons.is_valid.all()
    assert shapely.intersects(polygons.array, shapely.points(lon, lat)).all()
    assert not shapely.intersects(
        polygons.array, shapely.points((lon + 360) % 360 - 180, -lat)
    ).any()


# How much ground belongs


@pytest.mark.parametrize("lat", [0.0, 45.0, 75.0])
def test_a_circle_misses_no_ground_and_an_n_gon_misses_what_its_formula_says(tmp_path, lat):
    radius = 0.2
    grid = worlds.patch(30.0, lat, 0.01 / np.cos(np.radians(lat)), 60)
    raster = worlds.write(tmp_path / "ones.tif", grid, np.float64(1))
    cdb = CraterDatabase(worlds.table(30.0, lat, metres(radius)), "moon")
    cdb.add_circles("circle")
    cdb.add_circles("polygon", nvert=32)
    stats = cdb.get_stats(raster, ["circle", "polygon"], "weight_sum", **TRUE_GROUND).iloc[0]
    area = worlds.annulus_area(0, radius)
    assert stats["weight_sum_circle"] == pytest.approx(area, rel=2e-4)
    share = 32 / (2 * np.pi) * np.sin(2 * np.pi / 32)
    assert share == pytest.approx(0.9936, abs=1e-4)
    assert stats["weight_sum_polygon"] == pytest.approx(area * share, rel=5e-4)


@pytest.mark.parametrize(("radius", "excess"), [(1, 2.59), (3, 1.46), (10, 1.13), (30, 1.04)])
def test_all_touched_takes_too_much_as_known_and_fraction_takes_the_area(tmp_path, radius, excess):
    # Steiner: a disc that lies anywhere touches pi r² + 4 r + 1 unit squares on average.
    pixel = 1e-3
    size = 2 * radius + 8
    raster = worlds.write(tmp_path / "ones.tif", worlds.patch(0, 0, pixel, size), np.float64(1))
    shifts = (np.arange(12) + 0.37) / 12 - 0.5
    lon, lat = (s.ravel() * pixel for s in np.meshgrid(shifts, shifts))
    cdb = features(lon, lat, metres(radius * pixel), circle=(0, 1))
    area = np.pi * radius**2
    touched = cdb.get_stats(raster, "circle", "count")["count_circle"]
    assert touched.mean() == pytest.approx(area + 4 * radius + 1, rel=0.01)
    assert touched.mean() / area == pytest.approx(excess, abs=0.02)
    shares = cdb.get_stats(raster, "circle", "weight_sum", coverage="fraction")
    np.testing.assert_allclose(shares["weight_sum_circle"], area, rtol=2e-3)


def test_areas_are_those_of_the_features_own_body(tmp_path):
    # Another library takes the Earth's radius for every body.
    raster = worlds.write(
        tmp_path / "mars.tif", worlds.lonlat(0.5, crs=worlds.MARS_CRS), np.float64(1)
    )
    mars = Body("Mars", a=worlds.MARS_A)
    cdb = features(10, 20, metres(5, worlds.MARS_A), body=mars, circle=(0, 1))
    area = only(cdb.get_stats(raster, "circle", "weight_sum", **TRUE_GROUND), "weight_sum_circle")
    assert area == pytest.approx(worlds.annulus_area(0, 5, worlds.MARS_A), rel=5e-4)


# Longitude conventions, map projections and orientation of rasters


@pytest.fixture(scope="module")
def reference(folder):
    """Statistics on a raster from -180 to 180 of features here and there."""
    raster = worlds.write(folder / "reference.tif", worlds.lonlat(1.0), bumpy)
    return scattered().get_stats(raster, "rim", **EVERYTHING)


EVERYTHING = {"stats": ["mean", "count", "std", "min", "max"], "weights": "area"}


def scattered():
    lon, lat = [-10, 0, 10, 180, -179.3, 100, 0], [0, 33.3, -50, 0, 70, 88, -90]
    return features(lon, lat, metres(4), rim=(1, 2))


@pytest.mark.parametrize("west", [0.0, -360.0, -90.0, 17.0, 180.0])
def test_any_longitude_convention_gives_the_same_numbers(tmp_path, reference, west):
    raster = worlds.write(tmp_path / "copy.tif", worlds.lonlat(1.0, west), bumpy)
    stats = scattered().get_stats(raster, "rim", **EVERYTHING)
    pd.testing.assert_frame_equal(stats, reference, rtol=1e-10)


def test_a_0_to_360_raster_under_a_crater_at_10_degrees_west(tmp_path):
    raster = worlds.write(tmp_path / "lon.tif", worlds.lonlat(1.0, 0.0), lambda lon, _: lon)
    stats = features(-10, 0, metres(4), rim=(1, 2)).get_stats(raster, "rim")
    assert only(stats, "mean_rim") == pytest.approx(350.0, abs=1e-9)
    assert only(stats, "count_rim") > 0


@pytest.mark.parametrize(("west", "lon"), [(170, -175), (170, 185), (-190, 178), (530, -175)])
def test_a_regional_raster_beyond_the_seam_meets_craters_in_any_convention(tmp_path, west, lon):
    grid = worlds.patch(west + 10, 0, 0.25, 80)
    raster = worlds.write(tmp_path / "regional.tif", grid, lambda x, _: x)
    mean = only(features(lon, 0, metres(2), c=(0, 1)).get_stats(raster, "c", "mean"), "mean_c")
    assert (mean - lon) % 360 == pytest.approx(0, abs=1e-9)
    assert west < mean < west + 20


@pytest.mark.parametrize("middle", [0.0, 180.0, -75.0])
@pytest.mark.parametrize("true_scale", [0.0, 40.0])
def test_an_equirectangular_raster_in_metres_gives_the_same_numbers(
    tmp_path, reference, middle, true_scale
):
    grid = worlds.equirectangular(1.0, middle, true_scale)
    raster = worlds.write(tmp_path / "metres.tif", grid, bumpy)
    stats = scattered().get_stats(raster, "rim", **EVERYTHING)
    pd.testing.assert_frame_equal(stats, reference, rtol=1e-8)


def test_a_mercator_raster_gives_the_same_means(tmp_path):
    crs = pyproj.CRS.from_wkt(pyproj.CRS.from_user_input(f"+proj=merc +R={MOON} +units=m").to_wkt())
    pixel = np.radians(0.25) * MOON
    width, height = 1440, 1240
    y = (height / 2 - np.arange(height) - 0.5) * pixel
    grid = worlds.Grid(
        (height, width),
        Affine(pixel, 0.0, -width / 2 * pixel, 0.0, -pixel, height / 2 * pixel),
        crs,
        (np.arange(width) + 0.5) * 0.25 - 180,
        np.degrees(np.arctan(np.sinh(y / MOON))),
    )
    raster = worlds.write(tmp_path / "mercator.tif", grid, lambda _, lat: np.sin(np.radians(lat)))
    cdb = features([0, 180, -30], [0, 60, -75], metres(3), rim=(1, 2))
    means = cdb.get_stats(raster, "rim", "mean", **TRUE_GROUND)["mean_rim"]
    expected = [worlds.mean_sine_of_latitude(lat, 3, 6) for lat in (0, 60, -75)]
    np.testing.assert_allclose(means, expected, atol=2e-5)


@pytest.mark.parametrize("lat", [80.0, 85.0, 90.0])
def test_a_polar_raster_is_not_misread(tmp_path, lat):
    crs = pyproj.CRS.from_user_input(f"+proj=stere +lat_0=90 +R={MOON} +units=m")
    transform = Affine(1e4, 0.0, -9e5, 0.0, -1e4, 9e5)
    rows, columns = np.indices((180, 180))
    x, y = transform @ (columns + 0.5, rows + 0.5)
    # Snyder (1987), equations 20-15 and 20-16 for a sphere.
    place = np.degrees(np.arctan2(x, -y)), 90 - 2 * np.degrees(np.arctan(np.hypot(x, y) / 2 / MOON))
    grid = worlds.Grid((180, 180), transform, pyproj.CRS.from_wkt(crs.to_wkt()), *place)
    raster = worlds.write(tmp_path / "polar.tif", grid, worlds.distance(33, lat, *place))
    cdb = features(33, lat, metres(4), rim=(1, 2))
    stats = cdb.get_stats(raster, "rim", ["mean", "area"], **TRUE_GROUND).iloc[0]
    assert stats["mean_rim"] == pytest.approx(worlds.mean_distance(4, 8), abs=2e-3)
    assert stats["area_rim"] == pytest.approx(worlds.annulus_area(4, 8), rel=1e-3)


def test_a_south_up_raster_gives_the_same_numbers(tmp_path, reference):
    raster = worlds.write(tmp_path / "south_up.tif", worlds.lonlat(1.0).south_up(), bumpy)
    stats = scattered().get_stats(raster, "rim", **EVERYTHING)
    pd.testing.assert_frame_equal(stats, reference, rtol=1e-12)


def test_arrays_of_a_south_up_raster_keep_its_rows(tmp_path):
    grid = worlds.lonlat(1.0).south_up()
    raster = worlds.write(tmp_path / "south_up.tif", grid, lambda _, lat: lat)
    array = only(features(50, 20, metres(5), c=(0, 1)).get_arrays(raster, "c"), "c")
    rows = array.mean(axis=1)
    assert (np.diff(rows) == 1).all()
    assert rows.mean() == pytest.approx(20)


# The raster's edge and its data


@pytest.mark.parametrize("coverage", ["all_touched", "center", "fraction"])
def test_a_crater_outside_the_raster_has_no_pixels_and_no_statistics(tmp_path, coverage):
    grid = worlds.patch(20, 10, 0.5, 40)
    raster = worlds.write(tmp_path / "regional.tif", grid, np.float64(7))
    cdb = features([20, 60, -160], [10, 10, -10], metres(2), c=(0, 1))
    with pytest.warns(OutsideRasterWarning, match=r"\b2\b.*regional\.tif") as caught:
        stats = cdb.get_stats(
            raster,
            "c",
            ["mean", "count", "std", "min", "max", "median", "sum", {"f": np.mean}],
            coverage=coverage,
        )
    assert len(caught) == 1
    assert caught[0].filename == __file__
    assert stats["count_c"].iloc[0] > 0
    assert stats["count_c"].iloc[1:].tolist() == [0, 0]
    assert stats["mean_c"].iloc[0] == pytest.approx(7, rel=1e-14)
    others = stats[[f"{name}_c" for name in ("mean", "std", "min", "max", "median", "sum", "f")]]
    assert others.iloc[1:].isna().all(axis=None)
    assert others.iloc[0].notna().all()


def test_a_table_wholly_outside_the_raster_has_no_pixels(tmp_path):
    raster = worlds.write(tmp_path / "regional.tif", worlds.patch(20, 10, 0.5, 40), np.float64(7))
    cdb = features([60, -160], [10, -10], metres(2), c=(0, 1))
    with pytest.warns(OutsideRasterWarning, match=r"2 of 2"):
        stats = cdb.get_stats(raster, "c", ["mean", "count", "median"])
    assert stats["count_c"].tolist() == [0, 0]
    assert stats[["mean_c", "median_c"]].isna().all(axis=None)
    with pytest.warns(OutsideRasterWarning, match=r"2 of 2"):
        arrays = cdb.get_arrays(raster, "c")
    assert [array.size for array in arrays["c"]] == [0, 0]


def test_arrays_of_craters_outside_the_raster_are_empty(tmp_path):
    raster = worlds.write(tmp_path / "regional.tif", worlds.patch(20, 10, 0.5, 40), np.float64(7))
    cdb = features([60, 20], [10, 10], metres(2), c=(0, 1))
    with pytest.warns(OutsideRasterWarning) as caught:
        arrays = cdb.get_arrays(raster, "c")["c"]
    assert len(caught) == 1
    assert isinstance(arrays.iloc[0], np.ma.MaskedArray)
    assert arrays.iloc[0].size == 0
    assert arrays.iloc[0].count() == 0
    assert set(arrays.iloc[1].compressed()) == {7.0}


@pytest.mark.parametrize("coverage", ["all_touched", "center", "fraction"])
@pytest.mark.parametrize("dtype", ["uint8", "float32"])
def test_a_crater_half_outside_the_raster_has_the_mean_of_its_inner_half(tmp_path, coverage, dtype):
    grid = worlds.patch(20, 0, 0.25, 80)  # from 10° to 30° E
    raster = worlds.write(tmp_path / "regional.tif", grid, np.float64(50), dtype=dtype)
    cdb = features([10, 30], [0, 0], metres(4), c=(0, 1), rim=(1, 2))
    stats = cdb.get_stats(
        raster, ["c", "rim"], ["mean", "std", "count", "valid_fraction"], coverage=coverage
    )
    for region in ("c", "rim"):
        np.testing.assert_allclose(stats[f"mean_{region}"], 50, rtol=1e-14)
        np.testing.assert_allclose(stats[f"std_{region}"], 0, atol=1e-12)
        assert (stats[f"count_{region}"] > 0).all()
        np.testing.assert_allclose(stats[f"valid_fraction_{region}"], 0.5, atol=0.03)


def test_arrays_of_a_crater_half_outside_the_raster_are_clipped_to_it(tmp_path):
    grid = worlds.patch(20, 0, 0.25, 80)
    raster = worlds.write(tmp_path / "regional.tif", grid, np.float64(50))
    array = only(features(10, 0, metres(4), c=(0, 1)).get_arrays(raster, "c"), "c")
    assert array.shape == (32, 16)
    assert set(array.compressed()) == {50.0}


def test_legitimate_minus_999_is_kept_if_the_file_names_no_nodata(tmp_path):
    raster = worlds.write(
        tmp_path / "cold.tif", worlds.lonlat(1.0), np.float64(-999), dtype="int16"
    )
    cdb = features(0, 0, metres(5), c=(0, 1))
    stats = cdb.get_stats(raster, "c", ["mean", "count", "nodata"])
    assert only(stats, "mean_c") == -999
    assert only(stats, "count_c") > 50
    assert only(stats, "nodata_c") == 0


def test_a_given_nodata_value_replaces_the_files(tmp_path):
    grid = worlds.lonlat(1.0)
    values = np.where(grid.mesh[0] < 0, -999, 5)
    raster = worlds.write(tmp_path / "r.tif", grid, values, dtype="int16", nodata=5)
    cdb = features(0, 0, metres(5), c=(0, 1))
    assert only(cdb.get_stats(raster, "c", "mean"), "mean_c") == -999
    assert only(cdb.get_stats(raster, "c", "mean", nodata=-999), "mean_c") == 5
    by_name = cdb.get_stats({"r": raster}, "c", "mean", nodata={"r": -999})
    assert only(by_name, "mean_r_c") == 5


@pytest.mark.parametrize("null", [-3.4028226550889045e38, -3.4028234663852886e38, -32768, np.nan])
def test_the_files_nodata_value_is_found_among_float32_numbers(tmp_path, null):
    grid = worlds.lonlat(1.0)
    values = np.where(grid.mesh[0] < 0, null, 5)
    raster = worlds.write(tmp_path / "r.tif", grid, values, dtype="float32", nodata=null)
    cdb = features(0, 0, metres(5), c=(0, 1))
    stats = cdb.get_stats(raster, "c", ["mean", "std", "count", "nodata"]).iloc[0]
    assert (stats["mean_c"], stats["std_c"]) == (5, 0)
    assert stats["count_c"] == stats["nodata_c"] > 0


def test_scale_and_offset_are_applied(tmp_path):
    grid = worlds.lonlat(1.0)
    raw = np.round(bumpy(*grid.mesh) * 10)
    raster = worlds.write(tmp_path / "dem.tif", grid, raw, dtype="int16", scale=0.5, offset=1000)
    lon, lat, outer = 30.2, 10.3, 6.01
    inside = worlds.distance(lon, lat, *grid.mesh) <= outer
    cdb = features(lon, lat, metres(outer), c=(0, 1))
    names = ["mean", "std", "min", "max", "sum", "var", "range", "median", {"top": np.max}]
    stats = cdb.get_stats(raster, "c", names, coverage="center").iloc[0]
    unscaled = cdb.get_stats(raster, "c", names, coverage="center", scaled=False).iloc[0]
    for found, v in ((stats, raw[inside] * 0.5 + 1000), (unscaled, raw[inside])):
        expected = {
            "mean": v.mean(),
            "std": v.std(),
            "min": v.min(),
            "max": v.max(),
            "sum": v.sum(),
            "var": v.var(),
            "range": np.ptp(v),
            "median": np.median(v),
            "top": v.max(),
        }
        for name, value in expected.items():
            assert found[f"{name}_c"] == pytest.approx(value, rel=1e-12), name


def test_arrays_are_scaled_unless_raw_numbers_are_wanted(tmp_path):
    raster = worlds.write(
        tmp_path / "dem.tif",
        worlds.lonlat(1.0),
        np.float64(7),
        dtype="int16",
        scale=0.5,
        offset=1000,
    )
    cdb = features(0, 0, metres(3), c=(0, 1))
    scaled = only(cdb.get_arrays(raster, "c"), "c")
    raw = only(cdb.get_arrays(raster, "c", scaled=False), "c")
    assert set(scaled.compressed()) == {1003.5}
    assert raw.dtype == np.int16
    assert set(raw.compressed()) == {7}


def test_nodata_is_compared_with_raw_numbers(tmp_path):
    grid = worlds.lonlat(1.0)
    values = np.where(grid.mesh[0] < 0, -10, 20)  # physical values 995 and 1010
    raster = worlds.write(
        tmp_path / "dem.tif", grid, values, dtype="int16", scale=0.5, offset=1000, nodata=-10
    )
    cdb = features(0, 0, metres(5), c=(0, 1))
    assert only(cdb.get_stats(raster, "c", "mean"), "mean_c") == 1010
    assert only(cdb.get_stats(raster, "c", "mean", nodata=20), "mean_c") == 995
    assert only(cdb.get_stats(raster, "c", "mean", nodata=1010), "mean_c") == pytest.approx(1002.5)


@pytest.mark.parametrize("coverage", ["center", "fraction"])
def test_float32_near_the_radius_of_the_moon_loses_nothing(tmp_path, coverage):
    grid = worlds.lonlat(0.25)
    values = (MOON + np.random.default_rng(1).normal(size=grid.shape)).astype(np.float32)
    raster = worlds.write(tmp_path / "radius.tif", grid, values, dtype="float32")
    inside = worlds.distance(0, 0, *grid.mesh) <= 30.0
    exact = values[inside].astype(np.float64)
    cdb = features(0, 0, metres(30), c=(0, 1))
    stats = cdb.get_stats(raster, "c", coverage=coverage).iloc[0]
    if coverage == "center":
        assert stats["count_c"] == exact.size
        assert stats["mean_c"] == pytest.approx(exact.mean(), abs=1e-6)
        assert stats["std_c"] == pytest.approx(exact.std(), abs=1e-6)
    else:
        assert stats["mean_c"] == pytest.approx(exact.mean(), abs=2e-3)
        assert stats["std_c"] == pytest.approx(exact.std(), abs=2e-3)


@pytest.mark.parametrize("bad", [np.inf, -np.inf, np.nan])
def test_infinite_pixels_are_invalid_as_nan_is(tmp_path, bad):
    grid = worlds.lonlat(1.0)
    values = np.full(grid.shape, 3.0)
    values[90, 180] = values[88, 183] = bad
    raster = worlds.write(tmp_path / "r.tif", grid, values, dtype="float32")
    cdb = features(0, 0, metres(5), c=(0, 1))
    stats = cdb.get_stats(raster, "c", ["mean", "std", "max", "min", "nodata", "count"]).iloc[0]
    assert [stats[f"{name}_c"] for name in ("mean", "std", "max", "min", "nodata")] == [
        3,
        0,
        3,
        3,
        2,
    ]
    array = only(cdb.get_arrays(raster, "c"), "c")
    assert array.count() == stats["count_c"]
    assert np.isfinite(array.compressed()).all()


def test_pixels_that_the_mask_band_excludes_are_invalid(tmp_path):
    grid = worlds.lonlat(1.0)
    values = np.where(grid.mesh[0] < 0, 1, 2)
    raster = worlds.write(tmp_path / "r.tif", grid, values, mask=grid.mesh[0] > 0, dtype="uint8")
    cdb = features(0, 0, metres(5), c=(0, 1))
    for nodata in (None, 77):  # another nodata value leaves the mask in force
        stats = cdb.get_stats(raster, "c", ["mean", "count", "nodata"], nodata=nodata).iloc[0]
        assert stats["mean_c"] == 2
        assert stats["count_c"] == stats["nodata_c"] > 0
    assert set(only(cdb.get_arrays(raster, "c"), "c").compressed()) == {2}


def test_a_crater_full_of_nodata_has_count_0_and_no_warning(tmp_path):
    raster = worlds.write(tmp_path / "r.tif", worlds.lonlat(1.0), np.float64(-1), nodata=-1)
    cdb = features(0, 0, metres(5), c=(0, 1))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        stats = cdb.get_stats(raster, "c", ["mean", "std", "count", "median", "min"]).iloc[0]
    assert stats["count_c"] == 0
    assert stats[["mean_c", "std_c", "median_c", "min_c"]].isna().all()


# Bands, names and kinds of raster


@pytest.fixture
def three_bands(tmp_path):
    values = np.stack([np.full((180, 360), band) for band in (10, 20, 30)])
    names = ("red", "green", "blue")
    return worlds.write(
        tmp_path / "rgb.tif", worlds.lonlat(1.0), values, dtype="uint8", descriptions=names
    )


@pytest.mark.parametrize(
    ("bands", "expected"),
    [
        (1, {"mean_c": 10}),
        (3, {"mean_c": 30}),
        ([3, 1], {"mean_blue_c": 30, "mean_red_c": 10}),
        (["green"], {"mean_green_c": 20}),
        ("all", {"mean_red_c": 10, "mean_green_c": 20, "mean_blue_c": 30}),
    ],
)
def test_bands_are_chosen_by_number_or_description(three_bands, bands, expected):
    cdb = features(0, 0, metres(3), c=(0, 1))
    stats = cdb.get_stats(three_bands, "c", "mean", bands=bands)
    found = stats.iloc[0].drop(["lat", "lon", "radius_m"]).to_dict()
    assert list(found.items()) == list(expected.items())
    arrays = cdb.get_arrays(three_bands, "c", bands=bands)
    for name, value in expected.items():
        assert set(only(arrays, name.removeprefix("mean_")).compressed()) == {value}


def test_undescribed_bands_are_named_by_number(tmp_path):
    values = np.stack([np.full((180, 360), band) for band in (10, 20)])
    raster = worlds.write(tmp_path / "r.tif", worlds.lonlat(1.0), values)
    stats = features(0, 0, metres(3), c=(0, 1)).get_stats(raster, "c", "mean", bands="all")
    assert stats.iloc[0, -2:].to_dict() == {"mean_b1_c": 10, "mean_b2_c": 20}


def test_two_rasters_of_one_file_name_are_both_kept(tmp_path):
    paths = []
    for folder, value in (("a", 1), ("b", 2)):
        (tmp_path / folder).mkdir()
        path = tmp_path / folder / "dem.tif"
        paths.append(worlds.write(path, worlds.lonlat(1.0), np.float64(value)))
    cdb = features(0, 0, metres(3), c=(0, 1))
    stats = cdb.get_stats(paths, "c", "mean")
    means = stats.drop(columns=["lat", "lon", "radius_m"])
    assert means.iloc[0].tolist() == [1, 2]
    assert means.columns.is_unique
    arrays = cdb.get_arrays(paths, "c").drop(columns=["lat", "lon", "radius_m"])
    assert [set(array.compressed()) for array in arrays.iloc[0]] == [{1.0}, {2.0}]


def test_names_of_rasters_appear_in_columns_unless_one_bare_raster_is_given(ones):
    cdb = features(0, 0, metres(3), c=(0, 1))
    own = ["lat", "lon", "radius_m"]
    for rasters, column in ((ones, "mean_c"), ([ones], "mean_ones_c"), ({"x": ones}, "mean_x_c")):
        assert cdb.get_stats(rasters, "c", "mean").columns.tolist() == [*own, column]


def test_an_open_dataset_is_a_raster_and_stays_open(ones):
    cdb = features([0, 50], [0, 10], metres(3), c=(0, 1))
    by_name = cdb.get_stats(ones, "c")
    with rasterio.open(ones) as dataset:
        pd.testing.assert_frame_equal(cdb.get_stats(dataset, "c"), by_name)
        named = cdb.get_stats([dataset, dataset], "c", "mean")
        assert named.iloc[0].tolist()[3:] == [1, 1]
        assert only(cdb[:1].get_arrays(dataset, "c"), "c").count() == by_name["count_c"].iloc[0]
        assert not dataset.closed


def test_strings_name_rasters(ones):
    cdb = features(0, 0, metres(3), c=(0, 1))
    pd.testing.assert_frame_equal(cdb.get_stats(str(ones), "c"), cdb.get_stats(ones, "c"))


# Other bodies and conventions of latitude


@pytest.mark.parametrize("code", ["IAU_2015:49900", "IAU_2015:49910", "EPSG:4326", "ESRI:104905"])
def test_a_raster_of_another_body_is_refused(tmp_path, code):
    grid = worlds.lonlat(1.0, crs=pyproj.CRS.from_user_input(code))
    raster = worlds.write(tmp_path / "other.tif", grid, np.float64(1))
    cdb = features(0, 0, metres(3), c=(0, 1))
    for method in (cdb.get_stats, cdb.get_arrays):
        with pytest.raises(CRSError, match=r"other\.tif.*(Mars|Earth).*Moon"):
            method(raster, "c")


@pytest.mark.parametrize("code", ["IAU_2015:30100", "ESRI:104903", "IAU_2015:30110"])
def test_every_name_of_the_same_body_is_accepted(tmp_path, code):
    crs = pyproj.CRS.from_user_input(code)
    grid = worlds.equirectangular() if crs.is_projected else worlds.lonlat(1.0)
    raster = worlds.write(
        tmp_path / "moon.tif", replace(grid, crs=crs), lambda lon, _: np.round(lon / 100)
    )
    stats = features(80, 0, metres(3), c=(0, 1)).get_stats(raster, "c", "mean")
    assert only(stats, "mean_c") == 1


def test_the_environment_cannot_switch_the_check_of_the_body_off(tmp_path, monkeypatch):
    monkeypatch.setenv("PROJ_IGNORE_CELESTIAL_BODY", "YES")
    raster = worlds.write(
        tmp_path / "mars.tif", worlds.lonlat(1.0, crs=worlds.MARS_CRS), np.float64(1)
    )
    with pytest.raises(CRSError, match="Mars"):
        features(0, 0, metres(3), c=(0, 1)).get_stats(raster, "c")


def test_planetographic_latitudes_of_mars_become_planetocentric():
    table = worlds.table([0, 30, 0], [45, -45, 90], 1e4)
    graphic = CraterDatabase(table, "mars", "planetographic")
    squared = (worlds.MARS_B / worlds.MARS_A) ** 2
    expected = np.degrees(np.arctan(squared * np.tan(np.radians(45))))
    assert expected == pytest.approx(44.66, abs=0.005)
    np.testing.assert_allclose(graphic.lat, [expected, -expected, 90], rtol=1e-12)
    centric = CraterDatabase(table, "mars", "planetocentric")
    assert centric.lat.tolist() == [45, -45, 90]


def test_planetographic_longitude_of_mars_counts_westward():
    cdb = CraterDatabase(worlds.table(30, 45, 1e4), "mars", "IAU_2015:49901")
    assert cdb.lon.tolist() == [-30]
    assert cdb.lat[0] == pytest.approx(44.6618, abs=1e-4)


def test_a_planetographic_mars_raster_is_read_at_the_right_latitude(tmp_path):
    # The raster holds its own, planetographic latitude; 45° there is 44.66° planetocentric.
    crs = pyproj.CRS.from_user_input("IAU_2015:49901")
    raster = worlds.write(tmp_path / "mars.tif", worlds.lonlat(0.5, crs=crs), lambda _, lat: lat)
    squared = (worlds.MARS_B / worlds.MARS_A) ** 2
    centric = np.degrees(np.arctan(squared))
    cdb = features(0, centric, 20e3, body="mars", c=(0, 1))
    mean = only(cdb.get_stats(raster, "c", "mean", **TRUE_GROUND), "mean_c")
    assert mean == pytest.approx(45.0, abs=0.02)


# Tables


@pytest.mark.parametrize("radius", [0.0, -3.0, np.nan, np.inf])
def test_an_impossible_radius_is_refused_at_once_and_its_row_named(radius):
    table = worlds.table([0, 1, 2], [0, 1, 2], [100.0, radius, 200.0])
    table.index = ["first", "second", "third"]
    with pytest.raises(FeatureError, match="second") as caught:
        CraterDatabase(table, "moon")
    assert "first" not in str(caught.value)
    assert "third" not in str(caught.value)
    assert "radius" in str(caught.value)


@pytest.mark.parametrize("column", ["lat", "lon", "radius_m"])
def test_every_row_with_a_nan_is_named(column):
    table = worlds.table(np.arange(6.0), np.arange(6.0), 100.0)
    table.loc[[1, 4], column] = np.nan
    with pytest.raises(FeatureError, match=rf"2 of 6(.|\n)*row 1: {column}(.|\n)*row 4: {column}"):
        CraterDatabase(table, "moon")


def test_an_empty_table_gives_empty_results(ones):
    table = worlds.table(0.0, 0.0, 1.0).iloc[:0]
    cdb = CraterDatabase(table, "moon")
    cdb.add_annuli("rim", 1, 2)
    cdb.add_circles("polygon", nvert=8)
    stats = cdb.get_stats(ones, ["rim", "polygon"], ["mean", "count", "median", {"f": np.mean}])
    assert len(stats) == 0
    assert stats.columns.tolist() == [
        *table.columns,
        *(f"{n}_{r}" for r in ("rim", "polygon") for n in ("mean", "count", "median", "f")),
    ]
    arrays = cdb.get_arrays(ones, "rim")
    assert len(arrays) == 0
    assert arrays.columns.tolist() == [*table.columns, "rim"]


def test_an_empty_table_is_an_empty_database():
    cdb = CraterDatabase(worlds.table(0.0, 0.0, 1.0).iloc[:0], "moon")
    cdb.add_annuli("rim", 1, 2)
    assert not cdb
    assert len(cdb.lat) == len(cdb.center) == len(cdb.rim) == 0


@pytest.mark.parametrize(
    ("column", "units", "radius"),
    [
        ("diam_km", None, 2500.0),
        ("diam_km", "km", 2500.0),
        ("diam_km", "kilometers", 2500.0),
        ("diam_m", None, 2.5),
        ("diameter", "km", 2500.0),
        ("diameter", "kilometers", 2500.0),
        ("diameter", "kilometres", 2500.0),
        ("radius_km", None, 5000.0),
        ("rad", "m", 5.0),
        ("crater_diameter_km", None, 2500.0),
        ("Diameter (km)", None, 2500.0),
    ],
)
def test_radius_in_metres_from_a_column_of_size_5(column, units, radius):
    table = pd.DataFrame({"lat": [0.0], "lon": [0.0], column: [5.0]})
    assert CraterDatabase(table, "moon", units=units).rad.tolist() == [radius]


def test_metres_are_assumed_with_a_warning():
    table = pd.DataFrame({"lat": [0.0], "lon": [0.0], "diameter": [5.0]})
    with pytest.warns(AssumedWarning, match="'diameter', which is taken for metres"):
        assert CraterDatabase(table, "moon").rad.tolist() == [2.5]


def test_units_that_contradict_the_columns_name_are_refused():
    table = pd.DataFrame({"lat": [0.0], "lon": [0.0], "diam_km": [5.0]})
    with pytest.raises(ColumnError, match="diam_km"):
        CraterDatabase(table, "moon", units="m")


@pytest.mark.parametrize("units", ["miles", "mi", "feet", "", "KM2", 1000])
def test_unknown_units_are_refused(units):
    with pytest.raises(TableError, match="units"):
        CraterDatabase(worlds.table(0, 0, 5), "moon", units=units)


def test_look_alike_columns_are_not_taken_for_positions():
    table = pd.DataFrame(
        {
            "latitude_err": [80.0],
            "plateau": [70.0],
            "long_name": [60.0],
            "radius_sd": [50.0],
            "latitude": [1.0],
            "longitude": [2.0],
            "radius_m": [300.0],
        }
    )
    cdb = CraterDatabase(table, "moon")
    assert [cdb.lat[0], cdb.lon[0], cdb.rad[0]] == [1, 2, 300]
    with pytest.raises(ColumnError, match=r"latitude.*longitude"):
        CraterDatabase(table.drop(columns=["latitude", "longitude"]), "moon")


def test_the_robbins_lunar_catalogue_is_understood(tmp_path):
    path = tmp_path / "lunar_crater_database_robbins_2018.csv"
    path.write_text(
        "CRATER_ID,LAT_CIRC_IMG,LON_CIRC_IMG,LAT_ELLI_IMG,LON_ELLI_IMG,DIAM_CIRC_IMG,"
        "DIAM_CIRC_SD_IMG,DIAM_ELLI_MAJOR_IMG,DIAM_ELLI_MINOR_IMG,LAT_ELLI_SD_IMG,ARC_IMG\n"
        "00-1-000000,-19.8,264.7,-19.9,264.6,940.9,21.3,975.8,905.9,0.01,0.57\n"
        "00-1-000001,44.7,328.6,,,249.8,5.9,,,,0.62\n"
    )
    cdb = CraterDatabase(path, "moon")
    np.testing.assert_allclose(cdb.lat, [-19.8, 44.7])
    np.testing.assert_allclose(cdb.lon, [264.7 - 360, 328.6 - 360])
    np.testing.assert_allclose(cdb.rad, [470450, 124900])


def test_the_robbins_and_hynek_mars_catalogue_is_understood(tmp_path):
    path = tmp_path / "RobbinsCraterDatabase_20121016.tsv"
    path.write_text(
        "CRATER_ID\tLATITUDE_CIRCLE_IMAGE\tLONGITUDE_CIRCLE_IMAGE\tDIAM_CIRCLE_IMAGE\tPTS\n"
        "01-000000\t84.367\t108.746\t82.1\t15\n"
    )
    cdb = CraterDatabase(path, "mars")
    assert [cdb.lat[0], cdb.lon[0]] == [84.367, 108.746]
    assert cdb.rad[0] == pytest.approx(41050)


def test_the_gazetteers_west_positive_rows_are_understood():
    table = pd.DataFrame(
        {
            "Feature Name": ["Gale"],
            "Target": ["Mars"],
            "Center Latitude": [-5.37],
            "Center Longitude": [222.19],
            "Diameter": [154.0],
            "Coordinate System": ["Planetographic, +West, 0 - 360"],
        }
    )
    cdb = CraterDatabase(table, "mars")
    assert cdb.lon[0] == pytest.approx(360 - 222.19)
    assert cdb.rad[0] == 77000
    assert abs(cdb.lat[0]) < 5.37


def test_neither_the_table_nor_the_result_shares_data_with_the_caller(ones):
    table = worlds.table([0, 10], [0, 10], metres(3))
    before = table.copy()
    cdb = CraterDatabase(table, "moon")
    cdb.add_circles("c")
    stats = cdb.get_stats(ones, "c")
    _ = cdb.data["c"], cdb.c
    pd.testing.assert_frame_equal(table, before)
    stats.loc[:, "lat"] = 99.0
    table.loc[:, "lat"] = 77.0
    assert cdb.lat.tolist() == [0, 10]
    assert cdb.get_stats(ones, "c", "mean")["lat"].tolist() == [0, 10]


def test_results_keep_the_tables_rows_in_order(tmp_path):
    raster = worlds.write(tmp_path / "lat.tif", worlds.lonlat(1.0), lambda _, lat: lat)
    table = worlds.table([5, 50, -120, 5], [60, -30, 10, 60], metres(2))
    table.index = [9, 3, "x", 3]
    cdb = CraterDatabase(table, "moon")
    cdb.add_circles("c")
    stats = cdb.get_stats(raster, "c", "mean", coverage="center")
    assert stats.index.tolist() == [9, 3, "x", 3]
    np.testing.assert_allclose(stats["mean_c"], [60, -30, 10, 60], atol=0.01)


# Regions


@pytest.mark.parametrize("name", ["lon", "get_stats", "lat", "data", "center", "rad", "copy"])
def test_a_region_cannot_take_the_name_of_an_attribute(ones, name):
    cdb = CraterDatabase(worlds.table(12, 34, metres(3)), "moon")
    for add in (lambda: cdb.add_circles(name), lambda: cdb.add_annuli(name, 1, 2)):
        with pytest.raises(RegionError, match=name):
            add()
    other = CraterDatabase(worlds.table(-56, 0, metres(3)), "moon")
    other.add_circles("c")
    assert (cdb.lon[0], cdb.lat[0], other.lon[0]) == (12, 34, -56)
    assert only(other.get_stats(ones, "c"), "mean_c") == 1


@pytest.mark.parametrize("typo", ["nverts", "n_vert", "vertices"])
def test_a_mistyped_keyword_is_an_error(typo):
    cdb = CraterDatabase(worlds.table(0, 0, metres(3)), "moon")
    with pytest.raises(TypeError, match=typo):
        cdb.add_annuli("rim", 1, 2, **{typo: 512})
    with pytest.raises(TypeError, match=typo):
        cdb.add_circles("c", 1, **{typo: 512})
    assert not cdb.regions


def test_polygons_across_the_seam_and_around_a_pole_keep_their_hole():
    cdb = features([180, 0, 30], [0, 90, 84], metres(5), rim=(1, 2))
    polygons = cdb.rim
    assert polygons.is_valid.all()
    for sign in (-1, 1):  # on both sides of the seam
        in_hole = shapely.points([sign * 177, sign * 10, 30], [0, 87, 85])
        in_rim = shapely.points([sign * 172.5, sign * 10, 30], [0, 82.5, 76.5])
        assert not shapely.intersects(polygons.array, in_hole).any()
        assert shapely.intersects(polygons.array, in_rim).all()


# Arrays


@pytest.mark.parametrize("lon", [180.0, -179.9, 179.6])
@pytest.mark.parametrize("west", [-180.0, 0.0, 100.0])
def test_the_array_of_a_crater_on_a_seam_is_no_wider_than_the_crater(tmp_path, lon, west):
    pixel = 0.25
    raster = worlds.write(tmp_path / "field.tif", worlds.lonlat(pixel, west), bumpy)
    cdb = features([lon, west, 0.0], 0.0, metres(5), rim=(1, 2))
    for array in cdb.get_arrays(raster, "rim")["rim"]:
        assert min(array.shape) >= 80
        assert max(array.shape) <= 82


def test_the_array_across_the_seam_is_contiguous(tmp_path):
    grid = worlds.lonlat(1.0)
    raster = worlds.write(tmp_path / "lon.tif", grid, lambda lon, _: lon)
    array = only(features(180, 0, metres(4), c=(0, 1)).get_arrays(raster, "c"), "c")
    assert array[3].compressed().tolist() == [
        176.5,
        177.5,
        178.5,
        179.5,
        -179.5,
        -178.5,
        -177.5,
        -176.5,
    ]


@pytest.mark.parametrize("block", [None, 32])
@pytest.mark.parametrize(("lon", "lat"), PLACES)
def test_arrays_hold_the_pixels_that_statistics_count(tmp_path, lon, lat, block):
    raster = worlds.write(tmp_path / "field.tif", worlds.lonlat(1.0), bumpy, block=block)
    cdb = features(lon, lat, metres(5), rim=(1, 3))
    array = only(cdb.get_arrays(raster, "rim"), "rim")
    stats = cdb.get_stats(raster, "rim", ["count", "mean", "min", "max"]).iloc[0]
    assert array.count() == stats["count_rim"] > 0
    assert array.mean() == pytest.approx(stats["mean_rim"], rel=1e-12)
    assert (array.min(), array.max()) == (stats["min_rim"], stats["max_rim"])


def test_transforms_of_arrays_say_where_they_lie(tmp_path):
    raster = worlds.write(tmp_path / "lon.tif", worlds.lonlat(1.0), lambda lon, _: lon)
    cdb = features([20.5, 180], [10.5, 0], metres(3), c=(0, 1))
    arrays = cdb.get_arrays(raster, "c", georeferenced=True)
    for array, transform in zip(arrays["c"], arrays["c_transform"], strict=True):
        lon = transform.c + transform.a * (np.arange(array.shape[1]) + 0.5)
        away = (array - lon + 180) % 360 - 180
        assert abs(away).max() < 1e-9
    assert arrays["c_transform"].iloc[0].f == 14


# Statistics


DTYPES = ["int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64"]


@pytest.mark.parametrize("dtype", [*DTYPES, "float32", "float64"])
def test_every_statistic_of_every_dtype_is_that_of_numpy(tmp_path, dtype):
    grid = worlds.lonlat(1.0)
    values = np.random.default_rng(7).integers(3, 60, grid.shape)
    raster = worlds.write(tmp_path / "r.tif", grid, values, dtype=dtype, nodata=10)
    lon, lat, outer = 178.3, 40.2, 12.34
    inside = values[worlds.distance(lon, lat, *grid.mesh) <= outer]
    v = inside[inside != 10]
    unique, often = np.unique(v, return_counts=True)
    expected = {
        "count": v.size,
        "weight_sum": v.size,
        "sum": v.sum(),
        "mean": v.mean(),
        "min": v.min(),
        "max": v.max(),
        "range": np.ptp(v),
        "var": v.var(),
        "std": v.std(),
        "median": np.median(v),
        "percentile_90": np.percentile(v, 90),
        "percentile_2.5": np.percentile(v, 2.5),
        "percentile_0": v.min(),
        "percentile_100": v.max(),
        "majority": unique[often.argmax()],
        "minority": unique[often.argmin()],
        "unique": unique.size,
        "nodata": (inside == 10).sum(),
    }
    cdb = features(lon, lat, metres(outer), c=(0, 1))
    own = {"own": lambda values: float(np.sqrt(values.astype(float)).sum())}
    stats = cdb.get_stats(raster, "c", [*expected, own], coverage="center").iloc[0]
    for name, value in expected.items():
        assert stats[f"{name}_c"] == pytest.approx(value, rel=1e-12), name
    assert stats["own_c"] == pytest.approx(np.sqrt(v).sum())


@pytest.mark.parametrize(("dtype", "value"), [("uint8", 255), ("int64", 2**45 + 1)])
def test_sums_of_integers_are_exact(tmp_path, dtype, value):
    grid = worlds.patch(0, 0, 0.01, 200)
    raster = worlds.write(tmp_path / "r.tif", grid, np.full(grid.shape, value), dtype=dtype)
    stats = features(0, 0, metres(0.8), c=(0, 1)).get_stats(raster, "c", ["sum", "count", "mean"])
    assert stats["sum_c"].dtype == np.int64
    assert only(stats, "sum_c") == value * only(stats, "count_c")
    assert only(stats, "mean_c") == value


@pytest.mark.parametrize(("dtype", "value"), [("int64", 2**60), ("uint64", 2**63 + 2**12)])
def test_sums_beyond_64_bits_do_not_wrap_around(tmp_path, dtype, value):
    grid = worlds.patch(0, 0, 0.01, 200)
    raster = worlds.write(tmp_path / "r.tif", grid, np.full(grid.shape, value, dtype), dtype=dtype)
    stats = features(0, 0, metres(0.8), c=(0, 1)).get_stats(raster, "c", ["mean", "sum", "count"])
    assert only(stats, "mean_c") == pytest.approx(value, rel=1e-12)
    assert only(stats, "sum_c") == pytest.approx(float(value) * only(stats, "count_c"), rel=1e-12)


def test_weights_reach_functions_of_two_arguments(latitudes):
    cdb = features(0, 80, metres(5), c=(0, 1))
    functions = {
        "mine": lambda values, weights: (values * weights).sum() / weights.sum(),
        "plain": lambda values: values.mean(),
    }
    stats = cdb.get_stats(latitudes, "c", ["mean", functions], **TRUE_GROUND)
    assert only(stats, "mine_c") == pytest.approx(only(stats, "mean_c"), rel=1e-12)
    assert only(stats, "plain_c") != pytest.approx(only(stats, "mean_c"), abs=0.01)


@pytest.mark.parametrize("block", [None, 16, 64])
@pytest.mark.parametrize("n_jobs", [1, 2, -1])
def test_threads_and_blocks_do_not_change_the_numbers(tmp_path, reference, block, n_jobs):
    raster = worlds.write(tmp_path / "r.tif", worlds.lonlat(1.0), bumpy, block=block)
    stats = scattered().get_stats(raster, "rim", n_jobs=n_jobs, **EVERYTHING)
    pd.testing.assert_frame_equal(stats, reference, rtol=1e-12)


# Damaged files


@pytest.mark.parametrize("block", [None, 32])
@pytest.mark.parametrize("compress", [None, "deflate"])
def test_a_truncated_file_is_an_error_where_it_matters(tmp_path, block, compress):
    noise = np.random.default_rng(3).normal(size=(180, 360))
    path = worlds.write(
        tmp_path / "cut.tif", worlds.lonlat(1.0), noise, block=block, compress=compress
    )
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    north = features(0, 70, metres(3), c=(0, 1))
    inside = worlds.distance(0, 70, *worlds.lonlat(1.0).mesh) <= 3
    stats = north.get_stats(path, "c", "mean", coverage="center")
    assert only(stats, "mean_c") == pytest.approx(noise[inside].mean(), rel=1e-12)
    both = features([0, 0], [70, -70], metres(3), c=(0, 1))
    for n_jobs in (1, 2):
        for method in (both.get_stats, both.get_arrays):
            with pytest.raises(RasterError, match=r"cut\.tif.*band 1.*rows \d+ to \d+"):
                method(path, "c", n_jobs=n_jobs)
