"""Arrays as rasters: NumPy arrays with a transform, and labelled ones (xarray).

The oracle of most tests is a GeoTIFF of the same pixels: the numbers must be the same to the last bit.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
import rasterio
from affine import Affine

import worlds
from craterkit import CraterDatabase
from craterkit.errors import (
    ArgumentError,
    CRSError,
    RasterError,
    RasterTypeError,
)
from craterkit.rasters.axes import regular_axis
from craterkit.rasters.band_names import axis_labels
from craterkit.rasters.opening import open_raster

xr = pytest.importorskip("xarray")

STATS = ["mean", "count", "std", "min", "max", "sum", "median"]
SPHERE = "IAU_2015:30100"


def bumpy(lon, lat):
    return 100 * np.sin(np.radians(3 * lon)) + lat**2 / 50


@pytest.fixture(scope="module")
def cdb():
    """Craters in the open, on the seam of either convention, and at a pole."""
    lon, lat = [10.3, 179.8, -0.4, 100.0, -75.2], [5.1, -40.2, 33.3, 89.0, -61.0]
    cdb = CraterDatabase(worlds.table(lon, lat, worlds.metres(4.0)), "moon")
    cdb.add_annuli("rim", 1, 1.7)
    cdb.add_circles("floor", 0.6)
    return cdb


@pytest.fixture(scope="module")
def field():
    grid = worlds.lonlat(1.0)
    return grid, bumpy(*grid.mesh)


@pytest.fixture(scope="module")
def expected(cdb, field, tmp_path_factory):
    """Statistics of the GeoTIFF."""
    path = worlds.write(tmp_path_factory.mktemp("array") / "field.tif", *field)
    return cdb.get_stats(path, ["rim", "floor"], STATS)


def labelled(grid, values, dims=("lat", "lon"), name=None, crs=True, **attrs):
    """A DataArray of a lon/lat grid, its CRS in a coordinate as CF has it."""
    y, x = dims[-2:]
    array = xr.DataArray(
        values, dims=dims, coords={y: grid.lat, x: grid.lon}, name=name, attrs=attrs
    )
    if crs:
        array = array.assign_coords(spatial_ref=0)
        array.spatial_ref.attrs["crs_wkt"] = grid.crs.to_wkt()
    return array


def stats(cdb, raster, **options):
    return cdb.get_stats(raster, ["rim", "floor"], STATS, **options)


def assert_same(found, expected):
    np.testing.assert_array_equal(found.to_numpy(), expected.to_numpy())
    assert list(found) == list(expected)


# NumPy arrays


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_an_array_with_a_transform_gives_what_the_file_gives(cdb, field, expected, n_jobs):
    grid, values = field
    found = stats(cdb, values, transform=grid.transform, raster_crs=SPHERE, n_jobs=n_jobs)
    assert_same(found, expected)


@pytest.mark.parametrize("kind", [tuple, list, np.array, Affine], ids=lambda kind: kind.__name__)
def test_a_transform_is_an_affine_or_its_six_numbers(cdb, field, expected, kind):
    grid, values = field
    numbers = grid.transform[:6]
    transform = Affine(*numbers) if kind is Affine else kind(numbers)
    assert_same(stats(cdb, values, transform=transform, raster_crs="planetocentric"), expected)


@pytest.mark.parametrize(
    "transform", ["1,0,0,0,1,0", 5, (1, 0, 0), [1, 0, np.nan, 0, 1, 0], {"a": 1}.keys(), object()]
)
def test_what_is_no_transform_is_said(cdb, field, transform):
    with pytest.raises(ArgumentError, match=r"transform must be an affine\.Affine"):
        stats(cdb, field[1], transform=transform, raster_crs=SPHERE)


def test_a_transform_in_gdals_order_is_found_out(cdb, field):
    grid, values = field
    with pytest.raises(ArgumentError, match="from_gdal"):
        stats(cdb, values, transform=grid.transform.to_gdal(), raster_crs=SPHERE)


def test_an_array_without_a_place_is_refused_with_the_way_out(cdb, field):
    grid, values = field
    with pytest.raises(ArgumentError, match=r"the array: .*transform=.*raster_crs="):
        cdb.get_stats(values, "rim", raster_crs=SPHERE)
    with pytest.raises(CRSError, match=r"the array: has no CRS.*raster_crs="):
        cdb.get_stats(values, "rim", transform=grid.transform)
    with pytest.raises(ArgumentError, match=r"^b: an array"):
        cdb.get_stats(
            {"a": values, "b": values}, "rim", transform={"a": grid.transform}, raster_crs=SPHERE
        )


def test_the_transform_given_replaces_a_files_own(cdb, field, expected, tmp_path):
    grid, values = field
    elsewhere = worlds.write(tmp_path / "off.tif", worlds.lonlat(1.0, west=-90.0), values)
    assert_same(stats(cdb, elsewhere, transform=grid.transform), expected)
    nowhere = worlds.write(tmp_path / "bare.tif", grid, values, crs=False, transform=False)
    assert_same(stats(cdb, nowhere, transform=grid.transform, raster_crs=SPHERE), expected)


def test_masked_pixels_are_no_data(cdb, field, tmp_path):
    grid, values = field
    masked = values > 60
    path = worlds.write(tmp_path / "masked.tif", grid, values, mask=~masked)
    array = np.ma.MaskedArray(values, mask=masked)
    place = {"transform": grid.transform, "raster_crs": SPHERE}
    assert_same(stats(cdb, array, **place), stats(cdb, path))
    pairs = zip(
        cdb.get_arrays(array, "rim", **place)["rim"],
        cdb.get_arrays(path, "rim")["rim"],
        strict=True,
    )
    for found, of_file in pairs:
        np.testing.assert_array_equal(found.filled(np.nan), of_file.filled(np.nan))
    unmasked = np.ma.MaskedArray(values)
    assert_same(stats(cdb, unmasked, **place), stats(cdb, values, **place))


def test_the_third_dimension_comes_first_and_makes_bands(cdb, field, expected):
    grid, values = field
    stack = np.stack([values, 2 * values, -values])
    found = stats(cdb, stack, bands="all", transform=grid.transform, raster_crs=SPHERE)
    np.testing.assert_array_equal(found["min_b1_rim"], expected["min_rim"])
    np.testing.assert_array_equal(found["min_b2_rim"], 2 * expected["min_rim"])
    np.testing.assert_array_equal(found["max_b3_rim"], -expected["min_rim"])
    with pytest.raises(ArgumentError, match="no band 4"):
        stats(cdb, stack, bands=4, transform=grid.transform, raster_crs=SPHERE)


@pytest.mark.parametrize("shape", [(5,), (2, 2, 5, 5), ()])
def test_arrays_of_other_dimensions_are_refused(cdb, shape):
    with pytest.raises(ArgumentError, match=r"\(rows, columns\)"):
        cdb.get_stats(np.zeros(shape), "rim", transform=Affine.identity(), raster_crs=SPHERE)


def test_an_empty_array_is_refused(cdb):
    with pytest.raises(RasterError, match="no pixels"):
        cdb.get_stats(np.zeros((0, 5)), "rim", transform=Affine.identity(), raster_crs=SPHERE)


@pytest.mark.parametrize(
    ("dtype", "read_as"),
    [
        ("bool", "uint8"),
        ("int8", "int8"),
        ("uint8", "uint8"),
        (">i2", "int16"),
        ("uint16", "uint16"),
        (">i4", "int32"),
        ("int64", "int64"),
        ("uint64", "uint64"),
        ("float16", "float32"),
        (">f4", "float32"),
        ("float32", "float32"),
        ("float64", "float64"),
    ],
)
def test_numbers_of_every_kind_are_read_exactly(dtype, read_as):
    grid = worlds.patch(0.0, 0.0, 1.0, 4)
    values = (np.arange(16) % 2 if dtype == "bool" else np.arange(16)).reshape(4, 4).astype(dtype)
    if dtype.endswith("int64"):
        values = values + (np.iinfo(dtype).max - 15)
    cdb = CraterDatabase(worlds.table(0.0, 0.0, worlds.metres(2.9)), "moon")
    cdb.add_circles("c")
    for raster in (values, labelled(grid, values)):
        place = {} if raster is not values else {"transform": grid.transform, "raster_crs": SPHERE}
        array = cdb.get_arrays(raster, "c", **place)["c"].iloc[0]
        assert array.dtype == np.dtype(read_as)
        assert array.dtype.isnative
        np.testing.assert_array_equal(array.data, values)
        assert array.count() == 16


@pytest.mark.parametrize("dtype", ["complex64", "object", "datetime64[D]", "U3", "longdouble"])
def test_numbers_of_other_kinds_are_refused_by_name(cdb, field, dtype):
    values = np.zeros((180, 360)).astype(dtype)
    place = {"transform": field[0].transform, "raster_crs": SPHERE}
    if np.dtype(dtype).itemsize == 8 and np.dtype(dtype).kind == "f":
        pytest.skip("this platform's longdouble is float64")
    with pytest.raises(RasterError, match=r"the array holds"):
        stats(cdb, values, **place)
    if dtype != "datetime64[D]":
        with pytest.raises(RasterError, match=r"the DataArray holds"):
            stats(cdb, labelled(field[0], values))


def test_nodata_of_64_bits_is_exact():
    huge = np.iinfo(np.int64).max
    values = np.array([[huge, huge - 1], [huge - 2, 7]])
    grid = worlds.patch(0.0, 0.0, 1.0, 2)
    cdb = CraterDatabase(worlds.table(0.0, 0.0, worlds.metres(2.9)), "moon")
    cdb.add_circles("c")
    place = {"transform": grid.transform, "raster_crs": SPHERE}
    assert cdb.get_stats(values, "c", "count", nodata=int(huge), **place)["count_c"].tolist() == [3]
    array = labelled(grid, values, _FillValue=np.int64(huge))
    assert cdb.get_stats(array, "c", "count")["count_c"].tolist() == [3]


def test_arrays_are_named_by_their_place_in_a_list(cdb, field):
    grid, values = field
    named = labelled(grid, values, name="t.mean")
    columns = list(
        cdb.get_stats(
            [values, values, named], "rim", "count", transform=grid.transform, raster_crs=SPHERE
        )
    )
    assert columns[-3:] == ["count_raster_rim", "count_raster_2_rim", "count_t.mean_rim"]


def test_an_array_is_not_changed(cdb, field):
    grid, values = field
    frozen = values.copy()
    frozen.flags.writeable = False
    stats(cdb, frozen, transform=grid.transform, raster_crs=SPHERE)
    np.testing.assert_array_equal(frozen, values)


# Labelled arrays: where their pixels lie


def test_a_labelled_array_gives_what_the_file_gives(cdb, field, expected):
    assert_same(stats(cdb, labelled(*field)), expected)
    assert_same(stats(cdb, labelled(*field, crs=False), raster_crs=SPHERE), expected)


@pytest.mark.parametrize("dims", [("y", "x"), ("LAT", "LON"), ("Latitude", "Longitude")])
def test_dimensions_go_by_many_names(cdb, field, expected, dims):
    assert_same(stats(cdb, labelled(*field, dims=dims)), expected)


def test_dimensions_may_come_in_any_order(cdb, field, expected):
    array = labelled(*field)
    assert_same(stats(cdb, array.transpose("lon", "lat")), expected)
    cube = xr.concat([array, array + 1], "time").transpose("lat", "lon", "time")
    found = cdb.get_stats(cube, "rim", "min", bands=[1, 2])
    np.testing.assert_array_equal(found["min_b1_rim"], expected["min_rim"])
    np.testing.assert_array_equal(found["min_b2_rim"], expected["min_rim"] + 1)


def test_an_axis_may_be_declared_instead_of_named(cdb, field, expected):
    array = labelled(*field, dims=("rows", "columns"))
    with pytest.raises(ArgumentError, match=r"rows, columns.*rename"):
        stats(cdb, array)
    array.rows.attrs["axis"], array.columns.attrs["axis"] = "Y", "X"
    assert_same(stats(cdb, array), expected)


def test_coordinates_beside_the_dimensions_place_pixels_too(cdb, field, expected):
    grid, values = field
    array = labelled(grid, values, dims=("y", "x")).drop_vars(["y", "x"])
    with pytest.raises(CRSError, match="no coordinates along y and x"):
        stats(cdb, array)
    array = array.assign_coords(lat=("y", grid.lat), lon=("x", grid.lon))
    assert_same(stats(cdb, array), expected)


@pytest.mark.parametrize("south_up", [False, True])
@pytest.mark.parametrize("west", [-180.0, 0.0, -90.0])
def test_south_up_and_other_longitudes_give_the_same(cdb, field, expected, west, south_up):
    grid = worlds.lonlat(1.0, west=west)
    values = np.roll(field[1], round(-180 - west), axis=1)
    array = labelled(grid, values)
    assert float(array.sel(lon=60.5 if west < 60 else 420.5, lat=0.5)) == bumpy(60.5, 0.5)
    if south_up:
        array = array.isel(lat=slice(None, None, -1))
        assert array.lat[0] < array.lat[-1]
    found = stats(cdb, array)
    for column in expected:
        np.testing.assert_allclose(found[column], expected[column], rtol=1e-12, err_msg=column)
    assert_same(found.filter(like="count"), expected.filter(like="count"))


def test_west_positive_longitudes_may_descend(cdb, field, expected):
    grid, values = field
    array = labelled(grid, values).assign_coords(lon=-grid.lon)
    found = stats(cdb, array, raster_crs="planetocentric_west")
    assert_same(found.filter(like="count"), expected.filter(like="count"))
    np.testing.assert_allclose(found["mean_rim"], expected["mean_rim"], rtol=1e-12)


@pytest.mark.parametrize("stale", [False, True], ids=["coordinates", "and a stale GeoTransform"])
def test_a_part_of_the_globe_lies_where_its_coordinates_say(field, stale):
    grid, values = field
    whole = labelled(grid, values)
    if stale:
        whole.spatial_ref.attrs["GeoTransform"] = " ".join(map(str, grid.transform.to_gdal()))
    part = whole.sel(lon=slice(20, 60), lat=slice(50, 10))
    assert part.shape == (40, 40)
    cdb = CraterDatabase(worlds.table([40.0, 58.0, -40.0], [30.0, 11.0, 0.0], 2e5), "moon")
    cdb.add_circles("c")
    with pytest.warns(UserWarning, match="1 ROI lies outside"):
        found = cdb.get_stats(part, "c", ["count", "min"])
    of_whole = cdb.get_stats(whole, "c", ["count", "min"])
    assert found["count_c"].tolist()[0] == of_whole["count_c"].tolist()[0]
    assert 0 < found["count_c"].tolist()[1] < of_whole["count_c"].tolist()[1]
    assert found["count_c"].tolist()[2] == 0
    assert found["min_c"][0] == of_whole["min_c"][0]


def test_coordinates_are_centres_of_pixels():
    grid = worlds.patch(0.0, 0.0, 2.0, 2)  # corners at -2, 0 and 2 degrees
    array = labelled(grid, [[1, 2], [3, 4]])
    cdb = CraterDatabase(worlds.table([-1, 1, -1, 1], [1, 1, -1, -1], worlds.metres(0.9)), "moon")
    cdb.add_circles("c")
    found = cdb.get_stats(array, "c", ["mean", "count"])
    assert found["mean_c"].tolist() == [1, 2, 3, 4]
    assert found["count_c"].tolist() == [1, 1, 1, 1]


@pytest.mark.parametrize("per_degree", [1, 3, 4, 7, 10, 64, 100, 128])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("west", [-180.0, 0.0])
def test_rounded_coordinates_still_make_a_whole_period(per_degree, dtype, west):
    count = 360 * per_degree
    centres = (west + (np.arange(count) + 0.5) / per_degree).astype(dtype)
    edge, step = regular_axis(centres, "lon")
    assert edge == west
    assert step == 1 / per_degree
    edge, step = regular_axis(centres[::-1], "lon")
    assert edge == west + 360
    assert step == -1 / per_degree


def test_single_precision_coordinates_give_the_files_numbers(cdb, field, expected):
    array = labelled(*field)
    array = array.assign_coords(lon=array.lon.astype("f4"), lat=array.lat.astype("f4"))
    assert_same(stats(cdb, array), expected)


@pytest.mark.parametrize("step", [303233.5042414948, 0.123456789, 463.0835744, -7.31e-5])
def test_an_odd_step_is_kept(step):
    centres = 17.13 + step * np.arange(5000)
    edge, found = regular_axis(centres, "x")
    assert found == pytest.approx(step, rel=1e-13)
    assert edge == pytest.approx(17.13 - step / 2, abs=1e-9 * abs(step))


def test_uneven_coordinates_are_refused_with_the_place(cdb, field):
    array = labelled(*field)
    rolled = array.assign_coords(lon=array.lon % 360)  # 0 to 179.5 behind 180.5 to 359.5
    with pytest.raises(CRSError, match=r"coordinate lon is not evenly spaced.*359\.5 to 0\.5.*179"):
        stats(cdb, rolled)
    assert len(stats(cdb, rolled.sortby("lon"))) == len(cdb)
    sparse = array.isel(lat=np.delete(np.arange(180), 70))
    with pytest.raises(CRSError, match=r"coordinate lat.*20\.5 to 18\.5 \(positions 69 and 70\)"):
        stats(cdb, sparse)
    gaussian = array.assign_coords(lat=np.degrees(np.arcsin(np.linspace(0.99, -0.99, 180))))
    with pytest.raises(CRSError, match="coordinate lat is not evenly spaced"):
        stats(cdb, gaussian)
    holed = array.assign_coords(lat=np.where(array.lat == 0.5, np.nan, array.lat))
    with pytest.raises(CRSError, match="coordinate lat is nan at position 89"):
        stats(cdb, holed)
    # Whatever the coordinates are: what is given counts.
    grid = field[0]
    found = stats(cdb, gaussian, transform=grid.transform)
    assert_same(found, stats(cdb, array))


def test_coordinates_too_coarse_to_tell_are_refused():
    centres = (5e6 + np.arange(50) * 0.5).astype("f4")
    with pytest.raises(CRSError, match=r"too coarsely rounded \(float32\)"):
        regular_axis(centres, "x")


def test_a_single_row_needs_to_know_its_height(field):
    grid, values = field
    row = labelled(grid, values).isel(lat=[70])
    cdb = CraterDatabase(worlds.table(10.0, 20.0, worlds.metres(3.0)), "moon")
    cdb.add_circles("c")
    with pytest.raises(CRSError, match=r"only lat does not tell.*transform="):
        cdb.get_stats(row, "c")
    row.spatial_ref.attrs["GeoTransform"] = "-180.0 1.0 0.0 90.0 0.0 -1.0"
    found = cdb.get_stats(row, "c", ["count", "mean"])
    given = cdb.get_stats(row, "c", ["count", "mean"], transform=(1, 0, -180, 0, -1, 20))
    assert found["count_c"].tolist() == given["count_c"].tolist() == [8]  # 6.8 to 13.2 degrees
    assert found["mean_c"].tolist() == given["mean_c"].tolist()


def test_without_coordinates_the_geotransform_counts(cdb, field, expected):
    grid, values = field
    array = labelled(grid, values).drop_vars(["lat", "lon"])
    with pytest.raises(CRSError, match=r"no coordinates along lat and lon.*transform="):
        stats(cdb, array)
    array.spatial_ref.attrs["GeoTransform"] = " ".join(map(str, grid.transform.to_gdal()))
    assert_same(stats(cdb, array), expected)
    array.spatial_ref.attrs["GeoTransform"] = "1 2 three"
    with pytest.raises(CRSError, match="GeoTransform '1 2 three' is not six numbers"):
        stats(cdb, array)


def test_curvilinear_coordinates_are_refused(cdb, field):
    grid, values = field
    lon, lat = grid.mesh
    array = xr.DataArray(values, dims=("y", "x"), coords={"lat": (("y", "x"), lat)})
    array = array.assign_coords(lon=(("y", "x"), lon))
    with pytest.raises(CRSError, match="no coordinates along y and x"):
        stats(cdb, array, raster_crs=SPHERE)


# Labelled arrays: their CRS


def test_the_crs_is_found_wherever_it_is_written(cdb, field, expected):
    grid, values = field
    bare = labelled(grid, values, crs=False)
    with pytest.raises(CRSError, match=r"the DataArray: has no CRS.*raster_crs="):
        stats(cdb, bare)
    wkt = grid.crs.to_wkt()
    for attribute in ("crs_wkt", "spatial_ref"):
        placed = bare.assign_coords(spatial_ref=((), 0, {attribute: wkt}))
        assert_same(stats(cdb, placed), expected)
        mapped = bare.assign_coords(crs=((), 0, {attribute: wkt}))
        mapped.attrs["grid_mapping"] = "crs"
        assert_same(stats(cdb, mapped), expected)
        encoded = mapped.copy()
        encoded.encoding["grid_mapping"] = encoded.attrs.pop("grid_mapping")
        assert_same(stats(cdb, encoded), expected)
    unlinked = bare.assign_coords(crs=((), 0, {"spatial_ref": wkt}))
    assert_same(stats(cdb, unlinked), expected)
    cf = {"grid_mapping_name": "latitude_longitude", "earth_radius": worlds.MOON}
    assert_same(stats(cdb, bare.assign_coords(moon=((), 0, cf), spatial_ref=((), 0, cf))), expected)


def test_a_grid_mapping_that_says_too_little_is_no_crs(cdb, field, expected):
    bare = labelled(*field, crs=False)
    vague = bare.assign_coords(spatial_ref=((), 0, {"grid_mapping_name": "polar_stereographic"}))
    with pytest.raises(CRSError, match="raster_crs="):
        stats(cdb, vague)
    assert_same(stats(cdb, vague, raster_crs=SPHERE), expected)


def test_a_labelled_array_of_another_body_is_refused(cdb):
    grid = worlds.lonlat(1.0, crs=worlds.MARS_CRS)
    array = labelled(grid, bumpy(*grid.mesh), name="mola")
    with pytest.raises(CRSError, match=r"mola.*Mars"):
        stats(cdb, array)


def test_the_crs_given_overrides_the_arrays_own(cdb, field, expected):
    grid = worlds.lonlat(1.0, crs=worlds.MARS_CRS)
    assert_same(stats(cdb, labelled(grid, field[1]), raster_crs=SPHERE), expected)


# Labelled arrays: bands


def test_times_name_the_bands(cdb, field, expected):
    grid, values = field
    times = np.array(["2009-07-01", "2009-07-15", "2010-01-01"], "M8[ns]")
    cube = xr.concat([labelled(grid, values + i) for i in range(3)], "time").assign_coords(
        time=times
    )
    found = cdb.get_stats(cube, "rim", ["min", "count"], bands="all")
    assert list(found.filter(like="min")) == [
        "min_2009-07-01_rim",
        "min_2009-07-15_rim",
        "min_2010-01-01_rim",
    ]
    np.testing.assert_array_equal(
        found["min_2010-01-01_rim"], cdb.get_stats(cube[2], "rim", "min")["min_rim"]
    )
    one = cdb.get_stats(cube, "rim", "min", bands="2009-07-15")
    np.testing.assert_array_equal(one["min_rim"], found["min_2009-07-15_rim"])
    with pytest.raises(ArgumentError, match=r"no band '2011'.*1 \(2009-07-01\)"):
        cdb.get_stats(cube, "rim", bands="2011")


@pytest.mark.parametrize(
    ("values", "labels"),
    [
        (np.array(["2020-01-01", "2020-02-01"], "M8[ns]"), ["2020-01-01", "2020-02-01"]),
        (np.array(["2020-01-01T06"], "M8[ns]"), ["2020-01-01T06:00"]),
        (
            np.array(["2020-01-01", "2020-01-01T00:00:00.5"], "M8[ns]"),
            ["2020-01-01T00:00:00.000", "2020-01-01T00:00:00.500"],
        ),
        (np.array(["2020-01-01T00:00:00.000000001"], "M8[ns]"), ["2020-01-01T00:00:00.000000001"]),
        (np.array([750.0, 0.1]), ["750", "0.1"]),
        (np.array([0.1, 1e-3], dtype="f4"), ["0.1", "0.001"]),
        (np.array([10, 20]), ["10", "20"]),
        (np.array(["red", "nir"]), ["red", "nir"]),
    ],
)
def test_labels_are_the_shortest_that_are_exact(values, labels):
    assert axis_labels(values) == labels


def test_a_coordinate_that_only_counts_names_nothing(cdb, field):
    grid, values = field
    cube = xr.concat([labelled(grid, values + i) for i in range(2)], "band")
    for array in (cube, cube.assign_coords(band=[1, 2])):
        found = cdb.get_stats(array, "rim", "min", bands="all")
        assert list(found.filter(like="min")) == ["min_b1_rim", "min_b2_rim"]
    cube.attrs["long_name"] = ("red", "nir")  # as rioxarray has descriptions of bands
    assert "min_nir_rim" in cdb.get_stats(cube, "rim", "min", bands="all")


def test_more_dimensions_must_be_selected_from(cdb, field, expected):
    grid, values = field
    cube = labelled(grid, values).expand_dims(time=2, level=3)
    with pytest.raises(ArgumentError, match=r"dimensions time, level.*isel\(time=0\)"):
        stats(cdb, cube)
    assert_same(stats(cdb, cube.isel(time=0)), expected)
    assert_same(stats(cdb, labelled(grid, values).expand_dims(time=1, level=1)), expected)
    with pytest.raises(ArgumentError, match="lon do not say"):
        stats(cdb, labelled(grid, values).isel(lat=0))


def test_a_dataset_is_a_dict_of_its_variables(cdb, field, expected):
    array = labelled(*field)
    found = cdb.get_stats(xr.Dataset({"a": array, "b": array + 1}), "rim", "min")
    np.testing.assert_array_equal(found["min_a_rim"], expected["min_rim"])
    np.testing.assert_array_equal(found["min_b_rim"], expected["min_rim"] + 1)


# Labelled arrays: what their numbers mean


def test_attributes_hold_for_undecoded_numbers(cdb, field, tmp_path):
    grid, values = field
    raw = np.round(values * 10).astype("int16")
    raw[values > 90] = -9999
    path = worlds.write(
        tmp_path / "scaled.tif", grid, raw, dtype="int16", nodata=-9999, scale=0.1, offset=5.0
    )
    of_file = stats(cdb, path)
    meaning = {"scale_factor": 0.1, "add_offset": np.float64(5.0), "_FillValue": np.int16(-9999)}
    array = labelled(grid, raw, **meaning)
    assert_same(stats(cdb, array), of_file)
    assert_same(stats(cdb, array, scaled=False), stats(cdb, path, scaled=False))
    # Decoded: the same attributes tell where the numbers come from.
    decoded = xr.decode_cf(array.to_dataset(name="v"))["v"]
    assert decoded.encoding["scale_factor"] == 0.1
    assert np.isnan(decoded).any()
    found = stats(cdb, decoded)
    for column in of_file:
        np.testing.assert_allclose(found[column], of_file[column], rtol=1e-12, atol=1e-10)


def test_two_values_may_stand_for_no_data(cdb, field):
    grid, values = field
    raw = np.round(values)
    raw[:, ::5], raw[::7] = -1e30, -999
    array = labelled(grid, raw, _FillValue=-1e30, missing_value=-999.0)
    found = stats(cdb, array)
    expected = stats(cdb, labelled(grid, np.where((raw == -1e30) | (raw == -999), np.nan, raw)))
    assert_same(found, expected)


def test_a_nodata_value_that_is_no_number_is_refused(cdb, field):
    with pytest.raises(RasterError, match=r"'none'.*not a number"):
        stats(cdb, labelled(*field, missing_value="none"))
    with pytest.raises(RasterError, match=r"scale_factor .*not a number"):
        stats(cdb, labelled(*field, scale_factor="big"))


# Lazy arrays


def test_only_windows_that_are_needed_are_read(field, tmp_path, monkeypatch):
    pytest.importorskip("scipy")
    grid, values = field
    labelled(grid, values, name="v").to_netcdf(tmp_path / "v.nc", engine="scipy")
    with xr.open_dataset(tmp_path / "v.nc", engine="scipy", decode_coords="all") as dataset:
        lazy = dataset["v"]
        cdb = CraterDatabase(worlds.table(10.0, 20.0, worlds.metres(3.0)), "moon")
        cdb.add_circles("c")
        found = cdb.get_stats(lazy, "c", STATS)
        assert not lazy.variable._in_memory
        assert_same(found, cdb.get_stats(labelled(grid, values), "c", STATS))


@pytest.mark.parametrize("n_jobs", [1, 2])
@pytest.mark.parametrize("chunks", [(-1, 45, 50), (1, 60, 360), (2, (100, 30, 50), (7, 53, 300))])
def test_chunks_are_computed_once_and_only_where_rois_are(field, chunks, n_jobs):
    pytest.importorskip("dask")
    import dask.array

    grid, values = field
    stack = np.stack([values, values + 1, values + 2])
    computed = []

    def block(index):
        computed.append((index["array-location"][0][1:], index["chunk-location"]))
        return stack[tuple(slice(*place) for place in index["array-location"])]

    def lazily(block_info=None):
        return block(block_info[None])

    chunked = dask.array.map_blocks(
        lazily,
        chunks=dask.array.core.normalize_chunks(chunks, stack.shape),
        dtype="f8",
        meta=np.zeros((0, 0, 0)),
    )
    array = xr.DataArray(
        chunked, dims=("time", "lat", "lon"), coords={"lat": grid.lat, "lon": grid.lon}
    )
    cdb = CraterDatabase(worlds.table([10.0, 179.0], [20.0, -5.0], worlds.metres(6.0)), "moon")
    cdb.add_circles("c")
    computed.clear()
    found = cdb.get_stats(array, "c", STATS, bands="all", raster_crs=SPHERE, n_jobs=n_jobs)
    places = [place for _, place in computed]
    if chunks[0] != 2:  # chunks of one size
        assert len(set(places)) == len(places) < chunked.npartitions
    expected = cdb.get_stats(
        stack, "c", STATS, bands="all", raster_crs=SPHERE, transform=grid.transform
    )
    assert_same(found, expected)


def test_trouble_in_a_lazy_array_names_it_and_the_place(field):
    pytest.importorskip("dask")
    import dask.array

    def fail(block):
        raise ValueError("disk on fire")

    grid, values = field
    chunked = dask.array.from_array(values, chunks=90).map_blocks(fail, meta=np.zeros((0, 0)))
    array = labelled(grid, chunked, name="hot")
    cdb = CraterDatabase(worlds.table(10.0, 20.0, worlds.metres(6.0)), "moon")
    cdb.add_circles("c")
    with pytest.raises(RasterError, match=r"hot: band 1 cannot be read in rows .*disk on fire"):
        cdb.get_stats(array, "c")


# rioxarray


@pytest.fixture
def rioxarray():
    return pytest.importorskip("rioxarray")


#: rioxarray multiplies transforms in a way that affine 3.1 no longer likes.
ignore_multiplication = pytest.mark.filterwarnings("ignore:Use `@`:PendingDeprecationWarning")


@ignore_multiplication
@pytest.mark.parametrize("options", [{}, {"masked": True}, {"mask_and_scale": True}], ids=str)
def test_what_rioxarray_opens_gives_what_the_file_gives(rioxarray, cdb, field, tmp_path, options):
    grid, values = field
    raw = np.round(values * 10).astype("int16")
    raw[values > 90] = -9999
    path = worlds.write(
        tmp_path / "s.tif",
        grid,
        np.stack([raw, raw // 2]),
        dtype="int16",
        nodata=-9999,
        scale=0.1,
        offset=5.0,
        descriptions=("full", "half"),
        block=64,
    )
    with rioxarray.open_rasterio(path, **options) as array:
        found = cdb.get_stats(array, "rim", STATS, bands="all")
        expected = cdb.get_stats(path, "rim", STATS, bands="all")
        assert list(found) == list(expected)
        precision = 1e-6 if "mask_and_scale" in options else 1e-12  # it decodes to float32
        for column in expected:
            np.testing.assert_allclose(found[column], expected[column], rtol=precision, atol=1e-10)


def test_what_rioxarray_alone_was_told_counts(rioxarray, cdb, field, expected):
    grid, values = field
    array = xr.DataArray(values, dims=("down", "across"))
    array = array.assign_coords(down=grid.lat, across=grid.lon).rio.write_crs(grid.crs.to_wkt())
    array.rio.set_spatial_dims("across", "down", inplace=True)
    assert_same(stats(cdb, array), expected)
    array.rio.set_nodata(expected["max_rim"][0], inplace=True)
    found = stats(cdb, array)
    assert found["count_rim"][0] == expected["count_rim"][0] - 1
    assert found["max_rim"][0] < expected["max_rim"][0]


@ignore_multiplication
def test_scales_that_differ_between_bands_are_applied(rioxarray, cdb, field, tmp_path):
    grid, values = field
    raw = np.round(values)
    path = worlds.write(tmp_path / "two.tif", grid, np.stack([raw, raw]))
    with rasterio.open(path, "r+") as file:
        file.scales, file.offsets = (1.0, 0.5), (0.0, 100.0)
    with pytest.warns(UserWarning, match="differ"), rioxarray.open_rasterio(path) as array:
        found = cdb.get_stats(array, "rim", "max", bands="all")
    assert_same(found, cdb.get_stats(path, "rim", "max", bands="all"))


# Neither xarray nor anything else is imported for rasters of other kinds


def test_xarray_is_not_imported_for_other_rasters(tmp_path):
    import subprocess

    code = f"""
import sys
import numpy as np
from craterkit.rasters.opening import open_raster
open_raster({str(worlds.write(tmp_path / "a.tif", worlds.lonlat(10.0), np.float64(1)))!r})
open_raster(np.zeros((2, 2)))
assert not {{"xarray", "rioxarray", "dask"}} & set(sys.modules)
"""
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True, timeout=120)


def test_other_array_likes_are_no_rasters():
    for given in ([[1.0, 2.0]], memoryview(b"ab"), np.float64(3)):
        with pytest.raises(RasterTypeError, match=r"xarray\.DataArray or a NumPy array"):
            open_raster(given)
    assert open_raster(Path(__file__).parent.parent / "sample_data" / "moon.tif").shape
