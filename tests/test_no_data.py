"""What is no data: declared values as other software writes them, masks, alpha bands, numbers of formats."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest
import rasterio
from affine import Affine

from craterkit import CraterDatabase, PixelSelection
from craterkit.errors import ArgumentError

PLACE = {"transform": Affine(1, 0, -4, 0, -1, 4), "raster_crs": "planetocentric"}
LEAST32 = float(np.finfo(np.float32).min)
LEAST64 = float(np.finfo(np.float64).min)


@pytest.fixture(scope="module")
def square():
    """A crater that holds a raster of 8 x 8 pixels."""
    cdb = CraterDatabase(pd.DataFrame({"lat": [0.0], "lon": [0.0], "radius_km": [300.0]}), "moon")
    cdb.add_circles("c")
    return cdb


def write(path, values, **profile):
    bands = np.atleast_3d(values.T).T
    with rasterio.open(
        *(path, "w"),
        driver="GTiff",
        count=bands.shape[0],
        height=8,
        width=8,
        dtype=bands.dtype,
        crs="+proj=longlat +R=1737400",
        transform=PLACE["transform"],
        **profile,
    ) as file:
        file.write(bands)
    return path


def kept(cdb, raster, **options):
    """The pixels that are data, in order."""
    return cdb.get_arrays(raster, "c", **options)["c"].iloc[0].compressed().tolist()


def spoilt(values, dtype):
    """A raster of 64 different numbers that begins with some values."""
    raster = np.arange(100, 164, dtype=dtype)
    raster[: len(values)] = values
    return raster.reshape(8, 8)


ORDINARY = list(range(101, 164))


@pytest.mark.parametrize(
    ("dtype", "pixel", "declared"),
    [
        pytest.param("float32", LEAST32, -3.4e38, id="two digits"),
        pytest.param("float32", LEAST32, -3.40282e38, id="six digits"),
        pytest.param("float32", LEAST32, -3.4028234663852886e38, id="all digits"),
        pytest.param("float32", -9999.9, -9999.9, id="a decimal fraction"),
        pytest.param("float32", 1.70141e38, 1.70141e38, id="a large one"),
        pytest.param("float64", LEAST32, -3.4e38, id="two digits in float64"),
        pytest.param("float64", float(np.float32(-9999.9)), -9999.9, id="a float64 copy"),
        pytest.param("float64", LEAST64, -1.7976931348623e308, id="14 digits"),
        pytest.param("float64", 1e-9, 1e-9, id="a small one"),
        pytest.param("int16", -32768, -32768, id="integers"),
    ],
)
def test_a_declared_value_hides_the_pixels_it_means(square, tmp_path, dtype, pixel, declared):
    raster = spoilt([pixel], dtype)
    path = write(tmp_path / "declared.tif", raster, nodata=declared)
    assert kept(square, path) == ORDINARY
    plain = write(tmp_path / "plain.tif", raster)
    for given in (declared, np.float64(declared), np.dtype(dtype).type(pixel)):
        assert kept(square, plain, nodata=given) == ORDINARY
        assert kept(square, raster, nodata=given, **PLACE) == ORDINARY
    series = square.get_series([path], "c", "count", times=[1])
    assert series["count"].tolist() == [63]


@pytest.mark.parametrize(
    ("dtype", "near", "declared"),
    [
        ("float32", -9998.0, -9999.0),
        ("float64", -9999.0001, -9999.0),
        ("float32", 0.3, 0.0),
        ("float64", -1e38, -3.4e38),
        ("int16", -32767, -32768),
        ("int32", 2**31 - 1, 2.0**31),
    ],
)
def test_numbers_beside_a_declared_value_are_data(square, tmp_path, dtype, near, declared):
    raster = spoilt([near], dtype)
    assert kept(square, raster, nodata=declared, **PLACE) == [raster[0, 0], *ORDINARY]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_numbers_that_formats_reserve_are_no_data_anywhere(square, tmp_path, dtype):
    reserved = np.arange(0xFF7FFFFB, 0xFF800000, dtype="u4").view("f4")
    raster = spoilt([*reserved.tolist(), np.nan, np.inf, -np.inf], dtype)
    path = write(tmp_path / "map.tif", raster)
    for given, place in ((path, {}), (raster, PLACE)):
        assert kept(square, given, **place) == list(range(108, 164))
        # Another value replaces what a file declares, not these.
        assert kept(square, given, nodata=108, **place) == list(range(109, 164))
    least = float(np.uint32(0xFF7FFFFA).view("f4"))
    assert kept(square, spoilt([least], dtype), **PLACE) == [least, *ORDINARY]


@pytest.mark.parametrize("value", [np.inf, -np.inf, np.nan, 0.5, 1e300])
@pytest.mark.parametrize("dtype", ["uint8", "int16", "int64", "uint64"])
def test_a_nodata_value_that_no_integer_equals_hides_none(square, tmp_path, dtype, value):
    raster = spoilt([], dtype)
    path = write(tmp_path / "map.tif", raster, nodata=100)
    assert kept(square, path) == ORDINARY
    assert kept(square, path, nodata=value) == [100, *ORDINARY]


@pytest.mark.parametrize("nodata", [None, 7])
@pytest.mark.parametrize(("mask", "alpha"), [*itertools.product([False, True], repeat=2)])
def test_what_any_of_mask_alpha_and_nodata_hides_is_no_data(square, tmp_path, nodata, mask, alpha):
    values = spoilt([7, 1, 2], "uint8")
    opaque = np.full((8, 8), 255, np.uint8)
    opaque[0, 1] = 0
    shown = np.full((8, 8), 255, np.uint8)
    shown[0, 2] = 0
    bands = np.stack([values, values, values, opaque]) if alpha else np.stack([values] * 3)
    path = tmp_path / "map.tif"
    profile = {"photometric": "RGB", "alpha": "YES"} if alpha else {"photometric": "RGB"}
    with rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True):
        write(path, bands, nodata=nodata, **profile)
        if mask:
            with rasterio.open(path, "r+") as file:
                file.write_mask(shown)
    hidden = {0: nodata is not None, 1: alpha, 2: mask}
    expected = [v for i, v in enumerate(values.ravel().tolist()) if not hidden.get(i)]
    assert kept(square, path) == expected
    # A value may be the mask's own nodata; what a mask or alpha band hides is never selected.
    assert len(PixelSelection.from_raster(path, [7, 1, 2, 103])) == 4 - alpha - mask


def test_a_raw_value_may_be_the_declared_one_in_other_digits(square, tmp_path):
    path = write(tmp_path / "map.tif", spoilt([LEAST32, LEAST32], "float32"), nodata=-3.4e38)
    assert len(PixelSelection.from_raster(path, -3.4e38)) == 2
    counted = square.get_stats(np.ones((8, 8)), "c", "count", where={path: -3.4e38}, **PLACE)
    assert counted["count_c"].tolist() == [2]


def test_nan_is_no_value_to_match(square, tmp_path):
    path = write(tmp_path / "map.tif", spoilt([np.nan], "float32"))
    with pytest.raises(ArgumentError, match=r"value must be .* and not NaN"):
        PixelSelection.from_raster(path, np.nan)
    with pytest.raises(ArgumentError, match=r"where takes .* and not NaN"):
        square.get_stats(path, "c", where={path: [1, np.nan]})


def test_a_masked_answer_selects_nothing_there(tmp_path):
    path = write(tmp_path / "map.tif", spoilt([], "uint8"))
    pixels = PixelSelection.from_raster(path, lambda v: np.ma.masked_greater(v, 109) >= 0)
    assert len(pixels) == 10


def test_two_bands_of_one_description_are_told_apart_by_number(square, tmp_path):
    path = write(tmp_path / "map.tif", np.stack([spoilt([], "uint8")] * 2))
    with rasterio.open(path, "r+") as file:
        file.descriptions = ("nir", "nir")
    for call in (
        lambda: square.get_stats(path, "c", bands="nir"),
        lambda: square.get_stats(path, "c", where=[(path, "nir", 100)]),
        lambda: PixelSelection.from_raster(path, 100, band="nir"),
    ):
        with pytest.raises(ArgumentError, match=r"several bands called 'nir'; .* by number: 1, 2"):
            call()
