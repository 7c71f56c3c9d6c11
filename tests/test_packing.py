"""What a pixel is worth in netCDF files and labelled arrays: packing, missing values, bands, place.

One variable must give one answer through GDAL, xarray and rioxarray; the oracle is written out by hand.
"""

from __future__ import annotations

import numpy as np
import pytest
import rasterio.shutil
from affine import Affine

import worlds
from craterkit import CraterDatabase
from craterkit.errors import CRSError, RasterError
from craterkit.rasters.opening import open_raster
from craterkit.results.fingerprints import fingerprint_value
from test_formats import write_netcdf

xr = pytest.importorskip("xarray")
rioxarray = pytest.importorskip("rioxarray")

#: rioxarray multiplies transforms in a way that affine 3.1 no longer likes.
pytestmark = [
    pytest.mark.filterwarnings("ignore:Use `@`:PendingDeprecationWarning"),
    pytest.mark.filterwarnings("ignore:variable 'height' has _Unsigned attribute"),
    pytest.mark.filterwarnings("ignore:variable 'height' has multiple fill values"),
]

GRID = worlds.patch(0.0, 0.0, 1.0, 4)
PLACE = {"raster_crs": "planetocentric"}


@pytest.fixture(scope="module")
def square():
    """A crater that holds a raster of 4 x 4 pixels."""
    cdb = CraterDatabase(worlds.table(0.0, 0.0, worlds.metres(2.9)), "moon")
    cdb.add_circles("c")
    return cdb


def values_of(cdb, raster, bands=1, **options):
    """Values of all pixels in rows, those without data NaN."""
    found = cdb.get_pixels(raster, "c", bands=bands, **PLACE, **options)
    whole = np.full(16, np.nan)
    whole[found["row"] * 4 + found["col"]] = found["value"]
    return whole


def readings(path, masked=True):
    """The variable of a file as every reader gives it."""
    yield "path", path
    yield "subdataset", f'NETCDF:"{path}":height'
    for ending, driver in (("tif", "GTiff"), ("vrt", "VRT")):
        rasterio.shutil.copy(path, path.with_suffix(f".{ending}"), driver=driver)
        yield f"copy as {driver}", path.with_suffix(f".{ending}")
    for options in ({}, {"masked": True}, {"mask_and_scale": True})[: 3 if masked else 1]:
        with rioxarray.open_rasterio(path, **options) as array:
            yield f"rioxarray {options}", array
            yield f"rioxarray {options} in chunks", array.chunk({"y": 2})
            yield f"rioxarray {options} loaded", array.load()
    for options in ({}, {"mask_and_scale": False}):
        with xr.open_dataset(path, engine="scipy", **options) as dataset:
            yield f"xarray {options}", dataset["height"]
            yield f"xarray {options} in chunks", dataset["height"].chunk({"lat": 2})
            yield f"xarray {options} loaded", dataset["height"].load()


SHORTS = np.arange(16, dtype="i2")
BYTES = np.array([0, 1, 127, -128, -1, -45, 50, 60, *range(2, 10)], dtype="i1")
UNSIGNED = BYTES.view("u1").astype(float)
FLOATS = np.array([-9999.9, -1e30, *np.arange(14) / 8], dtype="f4")


def without(values, *missing):
    return np.where(np.isin(values, missing), np.nan, np.asarray(values, dtype=float))


def within(values, low, high):
    values = np.asarray(values, dtype=float)
    return np.where((values >= low) & (values <= high), values, np.nan)


PACKED = {"scale_factor": 0.5, "add_offset": 10.0}
VARIABLES = {
    "fill": (SHORTS, {"_FillValue": np.int16(3)}, without(SHORTS, 3)),
    "missing": (SHORTS, {"missing_value": np.int16(3)}, without(SHORTS, 3)),
    "both": (
        SHORTS,
        {"_FillValue": np.int16(3), "missing_value": np.int16(5), **PACKED},
        without(SHORTS, 3, 5) / 2 + 10,
    ),
    "list": (
        SHORTS,
        {"_FillValue": np.int16(3), "missing_value": np.array([3, 5, 9], dtype="i2")},
        without(SHORTS, 3, 5, 9),
    ),
    "floats": (
        FLOATS,
        {"_FillValue": np.float32(-1e30), "missing_value": np.float32(-9999.9)},
        np.array([np.nan, np.nan, *FLOATS[2:]]),
    ),
    "range": (
        SHORTS,
        {"valid_range": np.array([2, 5], dtype="i2"), **PACKED},
        within(SHORTS, 2, 5) / 2 + 10,
    ),
    "range and fill in it": (
        SHORTS,
        {"valid_range": np.array([2, 9], dtype="i2"), "_FillValue": np.int16(4)},
        without(within(SHORTS, 2, 9), 4),
    ),
    "minimum": (SHORTS, {"valid_min": np.int16(2), **PACKED}, within(SHORTS, 2, 99) / 2 + 10),
    "maximum": (
        SHORTS,
        {"valid_max": np.int16(5), "scale_factor": -0.1, "add_offset": 0.3},
        within(SHORTS, 0, 5) * -0.1 + 0.3,
    ),
    "unpacked range": (
        SHORTS,
        {"valid_min": 11.0, "valid_max": 12.6, **PACKED},
        within(SHORTS / 2 + 10, 11, 12.6),
    ),
    "range of floats": (
        FLOATS,
        {"valid_min": np.float32(0.25), "valid_max": np.float32(1.5)},
        within(FLOATS, 0.25, 1.5),
    ),
    "unsigned": (BYTES, {"_Unsigned": "true"}, UNSIGNED),
    "unsigned, with fill": (
        BYTES,
        {"_Unsigned": "true", "_FillValue": np.int8(-45), **PACKED},
        without(UNSIGNED, 211) / 2 + 10,
    ),
    "unsigned, with range": (
        BYTES,
        {"_Unsigned": "true", "valid_range": np.array([1, -2], dtype="i1")},
        within(UNSIGNED, 1, 254),
    ),
    "unsigned by range": (BYTES, {"valid_range": np.array([0, 255], dtype="i2")}, UNSIGNED),
    "said to be signed": (
        BYTES,
        {"_Unsigned": "false", "_FillValue": np.int8(-45)},
        without(BYTES, -45),
    ),
    "unsigned shorts": (
        BYTES.astype("i2"),
        {"_Unsigned": "true", "_FillValue": np.int16(-45), "valid_max": np.int16(-2)},
        within(without(BYTES.astype("i2").view("u2"), 65491), 0, 65534),
    ),
}


@pytest.mark.parametrize("case", VARIABLES)
def test_a_netcdf_variable_gives_one_answer(square, tmp_path, case):
    stored, attributes, expected = VARIABLES[case]
    path = write_netcdf(tmp_path / "v.nc", GRID, stored.reshape(4, 4), **attributes)
    for reader, raster in readings(path):
        found = values_of(square, raster)
        np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-6, err_msg=reader)


@pytest.mark.parametrize(
    ("dtype", "attributes", "missing"),
    [
        ("i4", {"_Unsigned": "true", "_FillValue": np.int32(-45)}, 2**32 - 45),
        ("i1", {"valid_range": np.array([0, -1], dtype="i1"), "_FillValue": np.int8(-45)}, 211),
    ],
)
def test_unsigned_integers_that_gdal_takes_for_signed(square, tmp_path, dtype, attributes, missing):
    stored = BYTES.astype(dtype).reshape(4, 4)
    path = write_netcdf(tmp_path / "v.nc", GRID, stored, **attributes)
    expected = without(stored.view(f"u{dtype[1]}").ravel(), missing)
    with xr.open_dataset(path, engine="scipy", mask_and_scale=False) as dataset:
        for raster in (path, dataset["height"], rioxarray.open_rasterio(path)):
            np.testing.assert_array_equal(values_of(square, raster), expected)
    with (
        rioxarray.open_rasterio(path, masked=True) as array,
        pytest.raises(RasterError, match=r"meant as uint.*mask_and_scale=False"),
    ):
        values_of(square, array)


def test_unsigned_integers_of_64_bits_are_exact(square):
    stored = (np.arange(16) - 8).reshape(4, 4)
    array = labelled(stored, _Unsigned="true", _FillValue=np.int64(-8), valid_max=np.int64(-2))
    found = square.get_arrays(array, "c", **PLACE)["c"].iloc[0]
    assert found.dtype == np.uint64
    expected = [2**64 + v if v < 0 else v for v in stored.ravel().tolist() if v not in (-8, -1)]
    assert found.compressed().tolist() == expected


def test_nodata_of_the_user_leaves_the_valid_range(square, tmp_path):
    """GDAL puts nodata, here 3, in place of what is out of range, and that stays without data."""
    attributes = {"valid_range": np.array([2, 9], dtype="i2"), "_FillValue": np.int16(3)}
    path = write_netcdf(tmp_path / "v.nc", GRID, SHORTS.reshape(4, 4), **attributes)
    found = values_of(square, path, nodata=5)
    np.testing.assert_array_equal(found, without(within(SHORTS, 2, 9), 3, 5))


def test_a_valid_range_that_can_be_read_in_two_ways_is_refused(square):
    array = labelled(SHORTS.reshape(4, 4), valid_min=0.0, valid_max=12.0, **PACKED)
    with pytest.raises(RasterError, match=r"valid_min=0\.0, valid_max=12\.0 is of floats.*int16"):
        values_of(square, array)
    with pytest.raises(RasterError, match=r"valid_range=\[9, 2\] holds no number"):
        values_of(square, labelled(SHORTS.reshape(4, 4), valid_range=[9, 2]))


# Computed arrays keep the attributes


def labelled(values, **attrs):
    coords = {"lat": GRID.lat, "lon": GRID.lon}
    return xr.DataArray(values, dims=("lat", "lon"), coords=coords, attrs=attrs)


RAW = np.arange(16, dtype="i2").reshape(4, 4)
PHYSICAL = without(RAW.ravel(), 0) / 2 + 100


@pytest.fixture(scope="module")
def tif(tmp_path_factory):
    path = tmp_path_factory.mktemp("packing") / "packed.tif"
    stack = np.stack([RAW, RAW])
    return worlds.write(path, GRID, stack, dtype="int16", nodata=0, scale=0.5, offset=100.0)


@pytest.fixture(scope="module")
def netcdf(tmp_path_factory):
    path = tmp_path_factory.mktemp("packing") / "packed.nc"
    attributes = {"_FillValue": np.int16(0), "scale_factor": 0.5, "add_offset": 100.0}
    return write_netcdf(path, GRID, RAW.reshape(1, 4, 4), times=[0], **attributes)


@pytest.fixture(params=["tif", "nc", "tif in chunks", "nc in chunks"])
def raw(request, tif, netcdf):
    if request.param.startswith("tif"):
        with rioxarray.open_rasterio(tif) as array:
            yield array.chunk() if request.param.endswith("chunks") else array
    else:
        with xr.open_dataset(netcdf, engine="scipy", mask_and_scale=False) as dataset:
            array = dataset["height"]
            yield array.chunk() if request.param.endswith("chunks") else array


KEPT = {
    "part": lambda a: a.isel({a.dims[0]: 0}),
    "copy": lambda a: a.copy(deep=True).load(),
    "turned": lambda a: a.transpose(*a.dims[::-1]),
    "joined": lambda a: xr.concat(
        [a.isel({a.dims[1]: s}) for s in (slice(2), slice(2, 4))], a.dims[1]
    ),
    "renamed": lambda a: a.rename("other").assign_coords(further=3),
    "member": lambda a: a.to_dataset(name="v")["v"],
}


@pytest.mark.parametrize("operation", KEPT)
def test_selections_and_copies_are_still_packed(square, raw, operation):
    np.testing.assert_array_equal(values_of(square, KEPT[operation](raw)), PHYSICAL)


COMPUTED = {
    "difference": lambda a: a - a,
    "double": lambda a: a * 2,
    "floats": lambda a: a.astype(float),
    "same dtype": lambda a: a.astype("i2"),
    "where": lambda a: a.where(a > 5),
    "filled": lambda a: a.fillna(7),
    "mean": lambda a: a.mean(a.dims[0]),
    "greatest": lambda a: a.max(a.dims[0]),
    "count": lambda a: (a > 5).astype(int),
    "other numbers": lambda a: a.copy(data=np.zeros(a.shape)),
}


@pytest.mark.parametrize("operation", COMPUTED)
def test_computed_arrays_are_refused_with_the_ways_out(square, raw, operation):
    with xr.set_options(keep_attrs=True):
        computed = COMPUTED[operation](raw)
    with pytest.raises(
        RasterError,
        match=r"height|the DataArray.*(scale_factor 0\.5, add_offset 100\.0, _FillValue 0)",
    ) as refused:
        values_of(square, computed)
    assert 'encoding["dtype"] = array.dtype' in str(refused.value)
    numbers = np.asarray(computed).reshape(-1)[:16]
    as_stored = computed.copy()
    as_stored.encoding["dtype"] = computed.dtype
    np.testing.assert_array_equal(values_of(square, as_stored), without(numbers, 0) / 2 + 100)
    physical = computed.copy()
    physical.attrs.clear()
    np.testing.assert_array_equal(values_of(square, physical), numbers)


def test_booleans_are_neither_unpacked_nor_masked(square, raw):
    with xr.set_options(keep_attrs=True):
        above = raw > 5
    assert above.attrs["scale_factor"] == 0.5
    np.testing.assert_array_equal(values_of(square, above), RAW.ravel() > 5)
    found = square.get_stats(above, "c", ["mean", "count"], **PLACE)
    assert found[["mean_c", "count_c"]].to_numpy().tolist() == [[10 / 16, 16]]
    # So do conditions and weights.
    array = above.isel({above.dims[0]: 0})
    found = square.get_stats(array, "c", "count", where=[(array, lambda v: v == 1)], **PLACE)
    assert found["count_c"].tolist() == [10]
    found = square.get_stats(array, "c", "weight_sum", weights=array, **PLACE)
    assert found["weight_sum_c"].tolist() == [10]


@pytest.mark.parametrize("options", [{"masked": True}, {"mask_and_scale": True}], ids=str)
def test_what_was_decoded_is_computed_with(square, tif, tmp_path, options):
    """Nothing that matters is left in attributes."""
    plain = worlds.write(tmp_path / "plain.tif", GRID, RAW, dtype="int16", nodata=0)
    for path, scale, offset in ((plain, 1, 0), (tif, 0.5, 100)):
        if path == tif and "masked" in options:
            continue
        with rioxarray.open_rasterio(path, **options) as array, xr.set_options(keep_attrs=True):
            found = values_of(square, array * 2)
        np.testing.assert_array_equal(found, 2 * (without(RAW.ravel(), 0) * scale + offset))


def test_masked_numbers_are_still_scaled(square, tif):
    with rioxarray.open_rasterio(tif, masked=True) as array:
        np.testing.assert_array_equal(values_of(square, array), PHYSICAL)
        np.testing.assert_array_equal(values_of(square, array.load()), PHYSICAL)
        with (
            xr.set_options(keep_attrs=True),
            pytest.raises(RasterError, match=r"scale_factor 0\.5"),
        ):
            values_of(square, array * 2)


def test_attributes_that_change_nothing_are_no_trouble(square, tmp_path):
    path = worlds.write(tmp_path / "plain.tif", GRID, RAW.astype("u1"), dtype="uint8")
    with rioxarray.open_rasterio(path) as array, xr.set_options(keep_attrs=True):
        for computed in (
            array + 1,
            (array + 1).assign_attrs(_FillValue=np.nan, missing_value=-9.5),
        ):
            assert computed.attrs["scale_factor"] == 1
            np.testing.assert_array_equal(values_of(square, computed), RAW.ravel() + 1)


@pytest.mark.parametrize(
    ("values", "attributes"),
    [
        (RAW.astype(float), {"_FillValue": np.int16(3)}),
        (RAW.astype("i8"), {"missing_value": np.int16(3)}),
        (RAW.astype("f4"), {"scale_factor": 0.5}),
    ],
)
def test_attributes_of_another_kind_of_numbers_are_questioned(square, values, attributes):
    (key,) = attributes
    with pytest.raises(RasterError, match=rf"whether its attributes \({key} .*encoding"):
        values_of(square, labelled(values, **attributes))


# Attributes by band


def test_lists_by_band_follow_the_coordinate(square, tmp_path):
    path = worlds.write(
        tmp_path / "b.tif",
        GRID,
        np.stack([RAW] * 3),
        dtype="int16",
        descriptions=("one", "two", "three"),
    )
    with rasterio.open(path, "r+") as file:
        file.scales, file.offsets = (1.0, 2.0, 0.5), (0.0, 10.0, -3.0)
    with pytest.warns(UserWarning, match="differ"):
        opened = rioxarray.open_rasterio(path)
    with opened as array:
        selections = {
            (2,): [array.isel(band=1), array.isel(band=[1]), array.squeeze().sel(band=2)],
            (3, 1): [array.isel(band=[2, 0]), xr.concat([array[[2]], array[[0]]], "band")],
            (3, 2, 1): [array[::-1], array.isel(band=[2, 1, 0]).load(), array.sortby(-array.band)],
            (1, 2, 3): [array.drop_vars("band"), array.assign_coords(band=[0, 1, 2])],
            (2, 2): [xr.concat([array[1], array[1]], "time")],
        }
        doubtful = [array[:2].drop_vars("band"), xr.concat([array[[0]]] * 2, "band")]
    for numbers, parts in selections.items():
        expected = [
            (RAW * (1.0, 2.0, 0.5)[n - 1] + (0.0, 10.0, -3.0)[n - 1]).ravel() for n in numbers
        ]
        for part in parts:
            for i, values in enumerate(expected):
                np.testing.assert_array_equal(values_of(square, part, bands=i + 1), values)
    for numbers in ((2,), (3, 1), (3, 2, 1)):
        described = [["one", "two", "three"][n - 1] for n in numbers]
        for part in selections[numbers]:
            assert [band.description for band in open_raster(part).bands] == described
    for part in doubtful:
        with pytest.raises(RasterError, match=r"scales has 3 entries for 2 bands.*coordinate band"):
            values_of(square, part)


# Where the pixels of a part lie


PLACES = {
    "rotated": Affine(0.75**0.5, -0.75, -5, -0.5, -1.5 * 0.75**0.5, 12),
    "sheared": Affine(1.0, 0.25, -5, 0.125, -1.0, 9.0),
}
ROTATED_PARTS = {
    "whole": {},
    "part": {"x": slice(5, 20), "y": slice(4, 20)},
    "thinned": {"x": slice(1, None, 3), "y": slice(None, None, 2)},
    "turned": {"x": slice(None, None, -1)},
    "row": {"y": [7]},
    "column": {"x": [11], "y": slice(None, None, -1)},
    "pixel": {"x": [11], "y": [7]},
}


def write_placed(path, place, shape=(20, 20)):
    with rasterio.open(
        path, "w", "GTiff", shape[1], shape[0], 1, "+proj=longlat +R=1737400", place, "float64"
    ) as file:
        file.write(np.arange(shape[0] * shape[1], dtype=float).reshape(shape), 1)
    return path


def assert_placed(array, whole):
    """Every pixel lies where the pixel of its value lies in the file."""
    row, column = np.divmod(np.asarray(array)[0].astype(int), 20)
    expected = whole.c + whole.a * (column + 0.5) + whole.b * (row + 0.5)
    expected = expected, whole.f + whole.d * (column + 0.5) + whole.e * (row + 0.5)
    found = open_raster(array).transform
    j, i = np.meshgrid(np.arange(row.shape[1]) + 0.5, np.arange(row.shape[0]) + 0.5)
    np.testing.assert_allclose(found.c + found.a * j + found.b * i, expected[0], atol=1e-9)
    np.testing.assert_allclose(found.f + found.d * j + found.e * i, expected[1], atol=1e-9)


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("part", ROTATED_PARTS)
def test_a_part_of_a_rotated_raster_lies_where_its_coordinates_say(tmp_path, place, part):
    path = write_placed(tmp_path / "r.tif", PLACES[place])
    with rioxarray.open_rasterio(path) as array:
        assert_placed(array.isel(ROTATED_PARTS[part]), PLACES[place])


def test_coordinates_that_no_affine_transform_gives_are_refused(tmp_path):
    with rioxarray.open_rasterio(write_placed(tmp_path / "r.tif", PLACES["rotated"])) as array:
        bent = array.assign_coords(xc=array.xc + 1e-3 * array.yc**2)
        flat = array.assign_coords(xc=array.yc)
        thinned_row = array.isel(x=slice(None, None, 2), y=[3])
        moved_row = array.isel(y=[3]).assign_coords(xc=array.xc.isel(y=[3]) + 0.3)
    for wrong, reason in (
        (bent, "not evenly spaced along straight lines"),
        (flat, "lie on one line"),
        (thinned_row, "only row .*GeoTransform has steps"),
        (moved_row, "only row .*no pixel has its centre"),
    ):
        with pytest.raises(CRSError, match=rf"{reason}.*transform="):
            _ = open_raster(wrong).transform


def test_a_single_row_or_column_is_of_the_written_size_if_that_still_holds(tmp_path):
    place = Affine(0.5, 0, -5, 0, -0.25, 9)
    with rioxarray.open_rasterio(write_placed(tmp_path / "r.tif", place)) as array:
        for part in ({"y": [3]}, {"x": [0], "y": slice(5, 9)}, {"x": [4], "y": [19]}):
            assert_placed(array.isel(part), place)
        assert_placed(array[:, ::-1].isel(x=[7]), place)
        coarse = array.coarsen(y=20).mean()
        thinned = array.isel(x=slice(None, None, 2), y=[3])
    for part in (coarse, thinned):
        with pytest.raises(
            CRSError, match=r"only y does not tell how large.*GeoTransform.*transform="
        ):
            _ = open_raster(part).transform


def test_without_coordinates_only_the_whole_lies_where_the_file_says(tmp_path):
    place = Affine(0.5, 0, -5, 0, -0.25, 9)
    path = write_placed(tmp_path / "r.tif", place)
    with rioxarray.open_rasterio(path, parse_coordinates=False) as array:
        for whole in (array, array.squeeze(), array.chunk(), array.copy(deep=True).load()):
            assert open_raster(whole).transform == place
        for part in (array.isel(x=slice(5)), array[:, ::2], array.isel(y=[3]), array + 1):
            with pytest.raises(
                CRSError, match=r"may be a part of.*parse_coordinates=True.*transform="
            ):
                _ = open_raster(part).transform


def test_parts_are_told_apart_by_their_place(tmp_path):
    path = write_placed(tmp_path / "r.tif", PLACES["rotated"])
    for options in ({}, {"parse_coordinates": False}):
        with rioxarray.open_rasterio(path, **options) as array:
            parts = [array.isel(x=slice(i, i + 5)) for i in range(3)]
            found = [str(fingerprint_value(part)) for part in parts]
        assert len(set(found)) == 3
        assert str(fingerprint_value(parts[0])) == found[0]
