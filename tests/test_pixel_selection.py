"""Sets of pixels: made from masks, points and regions, combined, described and written."""

from __future__ import annotations

import pickle
import re

import numpy as np
import pyproj
import pytest
import rasterio
from affine import Affine
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

import worlds
from craterkit import CraterDatabase
from craterkit.errors import ArgumentError, CRSError, OutsideRasterWarning, RasterError
from craterkit.selection import masks
from craterkit.selection.pixel_selection import PixelSelection
from craterkit.selection.placement import find_body

SHAPES = array_shapes(min_dims=2, max_dims=2, max_side=8)
PAIRS = SHAPES.flatmap(lambda shape: st.tuples(*[arrays(np.bool_, shape)] * 2))


@pytest.fixture
def noise():
    return np.random.default_rng(7).integers(0, 4, (36, 72))


@pytest.fixture
def mask_file(tmp_path, noise):
    return worlds.write(tmp_path / "mask.tif", worlds.lonlat(5), noise, dtype="uint8", block=16)


def on_globe(mask, pixel=5.0, west=-180.0):
    """A selection on a global lon/lat grid of the Moon."""
    grid = worlds.lonlat(pixel, west)
    return PixelSelection.from_array(
        mask, transform=grid.transform, raster_crs="planetocentric", body="moon"
    )


# --- Masks ---------------------------------------------------------------------------------------


def test_the_example_of_the_question():
    mask = np.array([[0, 1, 1], [0, 1, 1], [1, 1, 1]])
    tiffs = np.array(
        [
            [[3, 5, 2], [4, 7, 6], [8, 8, 1]],
            [[1, 5, 2], [6, 7, 6], [8, 8, 1]],
            [[2, 5, 2], [1, 7, 6], [8, 8, 1]],
        ]
    )
    pixels = PixelSelection.from_raster(mask, 0)
    stack = tiffs[:, pixels.rows, pixels.cols]
    assert stack.tolist() == [[3, 4], [1, 6], [2, 1]]
    assert stack[:, 0].tolist() == [3, 1, 2]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0, lambda v: v == 0),
        (2.0, lambda v: v == 2),
        (np.array(2), lambda v: v == 2),
        ([1, 3], lambda v: (v == 1) | (v == 3)),
        (np.array([1, 3]), lambda v: (v == 1) | (v == 3)),
        (lambda v: v >= 2, lambda v: v >= 2),
    ],
)
@pytest.mark.parametrize("window_pixels", [100, 1 << 21])
def test_a_mask_selects_what_numpy_does(
    mask_file, noise, value, expected, window_pixels, monkeypatch
):
    monkeypatch.setattr(masks, "WINDOW_PIXELS", window_pixels)
    pixels = PixelSelection.from_raster(mask_file, value=value)
    np.testing.assert_array_equal(pixels.to_mask(), expected(noise))
    np.testing.assert_array_equal([pixels.rows, pixels.cols], np.nonzero(expected(noise)))
    assert len(pixels) == expected(noise).sum()


def test_every_kind_of_raster_is_a_mask(mask_file, noise):
    xr = pytest.importorskip("xarray")
    with rasterio.open(mask_file) as dataset:
        kinds = [
            PixelSelection.from_raster(given, 1)
            for given in (mask_file, str(mask_file), dataset, noise, noise == 1)
        ]
    labelled = xr.DataArray(noise, dims=("y", "x"))
    for pixels in [*kinds, PixelSelection.from_raster(labelled, 1)]:
        assert pixels.runs.equals(kinds[0].runs)


def test_nodata_is_selected_by_its_value_but_not_put_to_a_condition(tmp_path, noise):
    path = worlds.write(tmp_path / "m.tif", worlds.lonlat(5), noise, dtype="uint8", nodata=0)
    np.testing.assert_array_equal(PixelSelection.from_raster(path, 0).to_mask(), noise == 0)
    everything = PixelSelection.from_raster(path, lambda v: v >= 0)
    np.testing.assert_array_equal(everything.to_mask(), noise > 0)
    other = PixelSelection.from_raster(path, lambda v: v >= 0, nodata=2)
    np.testing.assert_array_equal(other.to_mask(), noise != 2)
    with pytest.raises(
        ArgumentError, match=r"m\.tif: no pixel fulfils .* \(raw value 0\).* pass 0"
    ):
        PixelSelection.from_raster(path, lambda v: v == 0)


def test_what_a_mask_band_hides_is_never_selected(tmp_path, noise):
    seen = np.arange(72) % 2 == np.zeros((36, 1))
    path = worlds.write(tmp_path / "m.tif", worlds.lonlat(5), noise, dtype="uint8", mask=seen)
    for value in (1, lambda v: v == 1):
        pixels = PixelSelection.from_raster(path, value)
        np.testing.assert_array_equal(pixels.to_mask(), (noise == 1) & seen)


def test_hidden_pixels_are_told_of_when_nothing_is_selected(tmp_path, noise):
    hidden = worlds.write(
        tmp_path / "m.tif", worlds.lonlat(5), noise, dtype="uint8", mask=noise != 3
    )
    for value in (3, lambda v: v == 3):
        with pytest.raises(
            ArgumentError, match=r"that the mask or alpha band shows .*it hides are never"
        ):
            PixelSelection.from_raster(hidden, value)


def test_a_raw_value_that_no_pixel_has_is_told_with_all_its_digits(tmp_path):
    values = np.zeros((2, 2), dtype=np.int64)
    for value, text in [(2**53, "9007199254740992"), (2.0**53, "9007199254740992"), (0.1, "0.1")]:
        with pytest.raises(ArgumentError, match=f"has the raw value {text} in"):
            PixelSelection.from_raster(values, value)


RELATIVE = {
    "a percentile": lambda v: v > np.percentile(v, 90),
    "the mean": lambda v: v > v.mean(),
    "the largest": lambda v: v == v.max(),
    "the smallest": lambda v: v == v.min(),
    "neighbours": lambda v: v > np.roll(v, 1),
    "order": lambda v: np.arange(v.size) < 5,
    "an array of its own": lambda v: np.arange(36 * 72) < 5,
}


@pytest.mark.parametrize("name", RELATIVE)
@pytest.mark.parametrize("window_pixels", [100, 1 << 21])
def test_conditions_must_judge_each_value_by_itself(tmp_path, name, window_pixels, monkeypatch):
    monkeypatch.setattr(masks, "WINDOW_PIXELS", window_pixels)
    values = np.random.default_rng(1).uniform(size=(36, 72))
    # Parts of which all pixels are alike tell nothing.
    values[:10] = 0.0
    with pytest.raises(ArgumentError, match=r"by itself|must return one boolean for each"):
        PixelSelection.from_raster(values, RELATIVE[name])


def test_pixels_may_be_drawn_at_random():
    rng = np.random.default_rng(1)
    drawn = PixelSelection.from_raster(np.zeros((100, 100)), lambda v: rng.random(v.size) < 0.1)
    assert 800 < len(drawn) < 1200


@given(
    arrays(np.float64, st.integers(1, 40), elements=st.floats(-3, 3, width=16)), st.floats(-3, 3)
)
def test_conditions_that_judge_each_value_by_itself_are_never_refused(values, threshold):
    expected = np.abs(values) > threshold
    if expected.any():
        pixels = PixelSelection.from_raster(values[None], lambda v: np.abs(v) > threshold)
        np.testing.assert_array_equal(pixels.to_mask()[0], expected)


def test_values_are_raw_and_conditions_get_physical_ones(tmp_path, noise):
    path = worlds.write(
        tmp_path / "m.tif", worlds.lonlat(5), noise, dtype="int16", scale=0.5, offset=10.0
    )
    expected = PixelSelection.from_raster(path, 3)
    assert PixelSelection.from_raster(path, lambda v: v == 11.5) == expected
    assert PixelSelection.from_raster(path, lambda v: v == 3, scaled=False) == expected


def test_a_band_by_number_and_by_description(tmp_path, noise):
    path = worlds.write(
        tmp_path / "m.tif", worlds.lonlat(5), np.stack([noise, 3 - noise]), descriptions=["a", "b"]
    )
    for band in (2, "b"):
        assert PixelSelection.from_raster(path, 3, band=band) == PixelSelection.from_raster(path, 0)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (7, r"mask\.tif: no pixel has the raw value 7 in band 1 \(uint8\)"),
        (0.5, "no pixel has the raw value 0.5"),
        (lambda v: v > 7, r"mask\.tif: no pixel fulfils the condition"),
        (lambda v: v, "must return one boolean for each of the"),
        (lambda v: v.nonsense, "the condition on .*mask.tif failed: AttributeError"),
        (np.nan, "NaN, which equals nothing"),
        ([], "value must be a raw value"),
        ("v < 5", "value must be a raw value"),
        (None, "value must be a raw value"),
    ],
)
def test_a_mask_that_selects_nothing_or_cannot(mask_file, value, message):
    with pytest.raises(ArgumentError, match=message) as raised:
        PixelSelection.from_raster(mask_file, value)
    assert "where" not in str(raised.value)


def test_masks_that_cannot_be_read(tmp_path):
    with pytest.raises(RasterError, match=r"none\.tif: cannot be opened"):
        PixelSelection.from_raster(tmp_path / "none.tif", 0)
    with pytest.raises(ArgumentError, match="has no band 2"):
        PixelSelection.from_raster(np.zeros((2, 2)), 0, band=2)
    with pytest.raises(ArgumentError, match="array must hold booleans"):
        PixelSelection.from_array(np.zeros((2, 2)))


# --- Regions and points --------------------------------------------------------------------------


@pytest.fixture
def cdb():
    table = worlds.table([0.0, 179.0, 60.0], [0.0, 40.0, -88.0], worlds.metres(12.0))
    cdb = CraterDatabase(table, "moon", units="m")
    cdb.add_circles("floor", 1)
    cdb.add_annuli("rim", 1, 1.5)
    return cdb


def inside(cdb, grid, size):
    """Which pixels' centres lie within `size` radii of some feature."""
    lon, lat = grid.mesh
    near = [
        worlds.distance(x, y, lon, lat) <= 12.0 * size
        for x, y in zip(cdb.lon, cdb.lat, strict=True)
    ]
    return np.logical_or.reduce(near)


def test_regions_are_the_pixels_of_all_their_rois(cdb, mask_file):
    grid = worlds.lonlat(5)
    floor = PixelSelection.from_regions(cdb, "floor", mask_file, coverage="center")
    np.testing.assert_array_equal(floor.to_mask(), inside(cdb, grid, 1.0))
    both = PixelSelection.from_regions(cdb, ["floor", "rim"], mask_file, coverage="center")
    np.testing.assert_array_equal(both.to_mask(), inside(cdb, grid, 1.5))


def test_regions_have_the_pixels_that_get_pixels_lists(cdb, mask_file):
    table = cdb.get_pixels(mask_file, "rim")
    expected = np.zeros((36, 72), dtype=bool)
    expected[table["row"], table["col"]] = True
    rims = PixelSelection.from_regions(cdb, "rim", mask_file)
    np.testing.assert_array_equal(rims.to_mask(), expected)
    assert PixelSelection.from_regions(cdb, "rim", rims) == rims


def test_a_mask_within_a_region(cdb, mask_file, noise):
    rims = PixelSelection.from_regions(cdb, "rim", mask_file)
    expected = (noise == 2) & rims.to_mask()
    for region in ((cdb, "rim"), rims):
        pixels = PixelSelection.from_raster(mask_file, 2, region=region)
        np.testing.assert_array_equal(pixels.to_mask(), expected)
    with pytest.raises(ArgumentError, match=r"no pixel of the \d+ in the region has"):
        PixelSelection.from_raster(mask_file, 9, region=rims)
    with pytest.raises(ArgumentError, match="region must be a pair"):
        PixelSelection.from_raster(mask_file, 2, region="rim")


def test_regions_outside_the_raster(cdb, tmp_path):
    patch = worlds.patch(0.0, 0.0, 1.0, 20)
    path = worlds.write(tmp_path / "patch.tif", patch, np.zeros(patch.shape))
    with pytest.warns(
        OutsideRasterWarning, match=r"2 of 3 ROIs lie outside .*patch\.tif"
    ) as caught:
        PixelSelection.from_regions(cdb, "floor", path)
    assert caught[0].filename == __file__
    far = worlds.patch(100.0, 0.0, 1.0, 20)
    path = worlds.write(tmp_path / "far.tif", far, np.zeros(far.shape))
    with pytest.raises(ArgumentError, match="none of the 3 ROIs has a pixel"):
        PixelSelection.from_regions(cdb, "floor", path)
    with pytest.raises(ArgumentError, match="coverage must be"):
        PixelSelection.from_regions(cdb, "floor", path, coverage="fraction")


@settings(max_examples=30)
@given(
    st.lists(
        st.tuples(st.floats(-400, 400), st.floats(-90, 90)).filter(
            lambda p: min(abs(v / 5 - round(v / 5)) for v in p) > 1e-6
        ),
        min_size=1,
    ),
    st.sampled_from([-180.0, 0.0]),
)
def test_points_select_the_pixels_that_hold_them(points, west):
    lon, lat = np.array(points).T
    globe = on_globe(np.zeros((36, 72), dtype=bool), west=west)
    expected = np.zeros((36, 72), dtype=bool)
    expected[((90 - lat) // 5).astype(int), (np.mod(lon - west, 360) // 5).astype(int)] = True
    np.testing.assert_array_equal(PixelSelection.from_points(lon, lat, globe).to_mask(), expected)


def test_points_at_the_ends_of_a_raster_and_outside(mask_file, tmp_path):
    poles = PixelSelection.from_points([0.0, 180.0], [90.0, -90.0], mask_file)
    assert list(zip(poles.rows, poles.cols, strict=True)) == [(0, 36), (35, 0)]
    patch = worlds.patch(0.0, 0.0, 1.0, 20)
    path = worlds.write(tmp_path / "patch.tif", patch, np.zeros(patch.shape))
    with pytest.raises(
        ArgumentError, match=r"2 of 3 points are outside .* number 1 .* lon 30, lat 5"
    ):
        PixelSelection.from_points([0, 30, 0], [0, 5, 50], path)
    with pytest.raises(ArgumentError, match="1 of 2 points are no positions"):
        PixelSelection.from_points([0, 0], [0, 91], path)
    with pytest.raises(ArgumentError, match="as many numbers"):
        PixelSelection.from_points([0, 0], [0], path)


# --- Sets ----------------------------------------------------------------------------------------


@given(PAIRS)
def test_sets_are_combined_as_booleans_are(pair):
    one, other = pair
    a, b = PixelSelection.from_array(one), PixelSelection.from_array(other)
    for found, expected in (
        (a & b, one & other),
        (a | b, one | other),
        (a - b, one & ~other),
        (a ^ b, one ^ other),
        (~a, ~one),
    ):
        np.testing.assert_array_equal(found.to_mask(), expected)
        assert found == PixelSelection.from_array(expected)
        assert len(found) == expected.sum()
        assert bool(found) == expected.any()
    assert (a == b) == (one == other).all()
    assert a - b == a & ~b
    assert ~~a == a


def test_selections_of_other_pixels_are_not_combined(mask_file, tmp_path):
    globe = PixelSelection.from_raster(mask_file, 1)
    shifted = on_globe(np.ones((36, 72), dtype=bool), west=-179.0)
    bare = PixelSelection.from_array(np.ones((36, 72), dtype=bool))
    mars = worlds.write(
        tmp_path / "mars.tif", worlds.lonlat(5, crs=worlds.MARS_CRS), np.ones((36, 72))
    )
    for other, message in (
        (shifted, "puts pixels up to 0.2 pixels elsewhere"),
        (on_globe(np.ones((18, 36), dtype=bool), 10.0), "18 x 36 pixels, not 36 x 72"),
        (bare, "it has no affine transform"),
        (PixelSelection.from_raster(mars, 1), "it is of Mars, not of Moon"),
    ):
        with pytest.raises(ArgumentError, match=message):
            globe & other
        assert globe != other
    with pytest.raises(TypeError):
        globe & np.ones((36, 72), dtype=bool)
    assert len(globe & PixelSelection.from_array(bare.to_mask(), grid=mask_file)) == len(globe)


def test_conventions_and_files_of_one_grid_agree(mask_file, noise):
    assert on_globe(noise == 1) == PixelSelection.from_raster(mask_file, 1)


# --- Places --------------------------------------------------------------------------------------


@pytest.mark.parametrize("west", [-180.0, 0.0])
def test_positions_are_those_of_pixel_centres(west, noise):
    mask = noise == 1
    lon, lat = worlds.lonlat(5, west).mesh
    pixels = on_globe(mask, west=west)
    np.testing.assert_allclose(pixels.lon, (lon[mask] + 180) % 360 - 180, atol=1e-9)
    np.testing.assert_allclose(pixels.lat, lat[mask], atol=1e-9)
    assert pixels.body.name == "Moon"


def test_without_a_place_there_are_rows_and_columns_only(tmp_path):
    array = np.eye(3, dtype=bool)
    anonymous = worlds.equirectangular(60)
    bare = rasterio.CRS.from_wkt(anonymous.crs.to_wkt())
    for pixels, advice in (
        (PixelSelection.from_array(array), "pass transform="),
        (PixelSelection.from_array(array, transform=Affine(1, 0, 0, 0, -1, 0)), "pass raster_crs="),
        (
            PixelSelection.from_array(array, transform=Affine(1, 0, 0, 0, -1, 0), raster_crs=bare),
            "pass body=",
        ),
    ):
        assert pixels.grid is None
        assert pixels.body is None
        assert pixels.rows.tolist() == [0, 1, 2]
        for name in ("lon", "lat"):
            with pytest.raises(CRSError, match=advice):
                getattr(pixels, name)


def test_a_body_that_is_given_must_fit(mask_file):
    with pytest.raises(CRSError, match="is of Moon, but Mars"):
        PixelSelection.from_raster(mask_file, 1, body="mars")
    with pytest.raises(ArgumentError, match="pass transform="):
        PixelSelection.from_array(np.eye(3, dtype=bool), body="moon")


@pytest.mark.parametrize(
    ("crs", "name"),
    [
        ("IAU_2015:30100", "Moon"),
        ("IAU_2015:49910", "Mars"),
        ("ESRI:104903", "Moon"),
        ("IAU_2015:50200", "Europa"),
        ("EPSG:4326", "Earth"),
        ("+proj=eqc +R=1737400", None),
        ("+proj=longlat +a=3396190 +b=3376200", None),
    ],
)
def test_a_crs_tells_its_body_by_name(crs, name):
    found = find_body(pyproj.CRS.from_user_input(crs))
    assert (None if found is None else found.name) == name


# --- Values ---------------------------------------------------------------------------------------


def test_a_selection_is_small_and_never_changes(mask_file):
    pixels = PixelSelection.from_raster(mask_file, 1)
    again = pickle.loads(pickle.dumps(pixels))
    assert again == pixels
    np.testing.assert_array_equal(again.lon, pixels.lon)
    with pytest.raises(ValueError, match="read-only"):
        pixels.runs.start[0] = 5
    half = on_globe(np.arange(360)[:, None] < np.full(720, 180), pixel=0.5)
    assert len(half) == 180 * 720
    assert len(pickle.dumps(half)) < 12_000


def test_repr_is_one_line(mask_file):
    text = repr(PixelSelection.from_raster(mask_file, 1))
    assert re.fullmatch(
        r"PixelSelection of \d+ pixels in \d+ areas of \S*mask\.tif \(36 x 72\)", text
    )
