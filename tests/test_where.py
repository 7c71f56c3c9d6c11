"""`where=`: only pixels on which other rasters have the values asked for."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import rasterio
from affine import Affine

import worlds
from craterkit import CraterDatabase
from craterkit.errors import ArgumentError, CRSError, RasterError
from craterkit.extraction import companions, plan

GRID = worlds.lonlat(2.0)
RNG = np.random.default_rng(5)
VALUES = RNG.integers(0, 1000, GRID.shape)
SLOPE = RNG.uniform(0, 30, GRID.shape)
UNIT = RNG.integers(0, 5, GRID.shape)

#: In the open, on the seam, at both poles.
PLACES = worlds.table([10, 179, 45, -70], [5, -40, 89, -90], worlds.metres(9.3))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("where")
    worlds.write(folder / "values.tif", GRID, VALUES, dtype="int16", block=16)
    worlds.write(folder / "slope.tif", GRID, SLOPE, block=32)
    worlds.write(folder / "unit.tif", GRID, UNIT, dtype="uint8", nodata=0)
    return folder


@pytest.fixture(scope="module")
def cdb():
    cdb = CraterDatabase(PLACES, "moon")
    cdb.add_annuli("rim", 0.5, 1)
    return cdb


def inside(i, inner=0.5, outer=1.0):
    """Pixels whose centres lie in an annulus of feature i."""
    far = worlds.distance(PLACES["lon"][i], PLACES["lat"][i], *GRID.mesh) / 9.3
    return (far > inner) & (far <= outer)


def chosen_values(passes):
    """Values of each feature's rim where `passes` holds."""
    return [VALUES[inside(i) & passes] for i in range(len(PLACES))]


CONDITIONS = {
    "a function of physical values": (("slope.tif", lambda v: v < 10), SLOPE < 10),
    "a value": (("unit.tif", 2), UNIT == 2),
    "several values": (("unit.tif", [2, 4, 7]), np.isin(UNIT, [2, 4])),
    "values in an array": (("unit.tif", np.array([1, 3])), np.isin(UNIT, [1, 3])),
    "the mask's own nodata": (("unit.tif", 0), UNIT == 0),
    "nodata passes no function": (("unit.tif", lambda v: v < 3), (UNIT > 0) & (UNIT < 3)),
    "no whole number": (("unit.tif", [2.5, 3]), UNIT == 3),
}


@pytest.mark.parametrize("name", CONDITIONS)
def test_only_pixels_that_pass_count(cdb, folder, name):
    (raster, condition), passes = CONDITIONS[name]
    where = {folder / raster: condition}
    expected = chosen_values(passes)
    path = folder / "values.tif"
    stats = cdb.get_stats(
        path, "rim", ["mean", "count", "median", "nodata"], coverage="center", where=where
    )
    np.testing.assert_array_equal(stats["count_rim"], [values.size for values in expected])
    np.testing.assert_allclose(stats["mean_rim"], [values.mean() for values in expected])
    np.testing.assert_array_equal(stats["median_rim"], [np.median(values) for values in expected])
    np.testing.assert_array_equal(stats["nodata_rim"], 0)
    arrays = cdb.get_arrays(path, "rim", coverage="center", where=where)["rim"]
    for array, values in zip(arrays, expected, strict=True):
        np.testing.assert_array_equal(np.sort(array.compressed()), np.sort(values))
    pixels = cdb.get_pixels(path, "rim", coverage="center", where=where)
    for i, values in enumerate(expected):
        own = pixels["value"][pixels["feature"] == i]
        np.testing.assert_array_equal(np.sort(own), np.sort(values))


def test_several_conditions_must_all_hold(cdb, folder):
    slope = folder / "slope.tif"
    where = [(slope, lambda v: v > 5), (slope, lambda v: v < 20), (folder / "unit.tif", [1, 2])]
    expected = chosen_values((SLOPE > 5) & (SLOPE < 20) & np.isin(UNIT, [1, 2]))
    stats = cdb.get_stats(folder / "values.tif", "rim", "sum", coverage="center", where=where)
    np.testing.assert_array_equal(stats["sum_rim"], [values.sum() for values in expected])


def test_windows_of_arrays_do_not_depend_on_conditions(cdb, folder):
    path = folder / "values.tif"
    plain = cdb.get_arrays(path, "rim", georeferenced=True)
    none = cdb.get_arrays(path, "rim", georeferenced=True, where={folder / "unit.tif": 9})
    assert list(plain["rim_transform"]) == list(none["rim_transform"])
    for one, other in zip(plain["rim"], none["rim"], strict=True):
        assert one.shape == other.shape
        assert other.mask.all()


def test_any_band_may_be_asked(cdb, folder, tmp_path):
    both = worlds.write(
        tmp_path / "both.tif", GRID, np.stack([SLOPE, UNIT]), descriptions=["s", "u"]
    )
    path = folder / "values.tif"
    expected = cdb.get_stats(path, "rim", where={folder / "unit.tif": 3})
    for band in (2, "u"):
        stats = cdb.get_stats(path, "rim", where=[(both, band, 3)])
        pd.testing.assert_frame_equal(stats, expected)


def test_functions_judge_physical_values_and_values_are_raw(cdb, folder, tmp_path):
    path = folder / "values.tif"
    scaled = worlds.write(tmp_path / "s.tif", GRID, UNIT, dtype="int16", scale=0.5, offset=10.0)
    expected = cdb.get_stats(path, "rim", where={folder / "unit.tif": 3})
    for condition in (3, lambda v: v == 11.5):
        for returned in (True, False):
            stats = cdb.get_stats(path, "rim", where={scaled: condition}, scaled=returned)
            pd.testing.assert_frame_equal(stats, expected)


def test_masked_and_missing_pixels_do_not_pass(cdb, folder, tmp_path):
    path = folder / "values.tif"
    good = SLOPE < 15
    masked = worlds.write(tmp_path / "masked.tif", GRID, UNIT, dtype="uint8", mask=good)
    holes = worlds.write(tmp_path / "holes.tif", GRID, np.where(good, UNIT, np.nan))
    expected = [values.size for values in chosen_values(good & (UNIT == 2))]
    for raster, condition in [(masked, 2), (masked, lambda v: v == 2), (holes, 2), (holes, [2])]:
        stats = cdb.get_stats(path, "rim", "count", coverage="center", where={raster: condition})
        np.testing.assert_array_equal(stats["count_rim"], expected)
    with pytest.raises(ArgumentError, match=r"where takes .* and not NaN, which equals nothing"):
        cdb.get_stats(path, "rim", where={holes: [2, np.nan]})


def test_what_a_condition_masks_does_not_pass(cdb, folder):
    path, slope = folder / "values.tif", folder / "slope.tif"
    expected = cdb.get_stats(path, "rim", where={slope: lambda v: v <= 15})
    for answer in (
        lambda v: np.ma.masked_greater(v, 15) >= 0,
        lambda v: np.ma.masked_array(v <= 99, mask=v > 15),
    ):
        pd.testing.assert_frame_equal(cdb.get_stats(path, "rim", where={slope: answer}), expected)


def test_open_datasets_and_arrays_choose_pixels_too(cdb, folder):
    path = folder / "values.tif"
    expected = cdb.get_stats(path, "rim", where={folder / "unit.tif": 3})
    with rasterio.open(folder / "unit.tif") as dataset:
        pd.testing.assert_frame_equal(cdb.get_stats(path, "rim", where={dataset: 3}), expected)
        assert not dataset.closed
    # An array lies on the raster's own pixels.
    pd.testing.assert_frame_equal(cdb.get_stats(path, "rim", where=[(UNIT, 3)]), expected)
    with pytest.raises(ArgumentError, match=r"shape is \(90, 10\), not \(90, 180\)"):
        cdb.get_stats(path, "rim", where=[(UNIT[:, :10], 3)])


def test_a_dataset_may_be_raster_and_condition_at_once(cdb, folder, monkeypatch):
    monkeypatch.setattr(plan, "CHUNK_PIXELS", 1)
    with rasterio.open(folder / "values.tif") as dataset:
        stats = cdb.get_stats(dataset, "rim", "min", n_jobs=4, where={dataset: lambda v: v > 900})
    assert (stats["min_rim"] > 900).all()


def test_threads_and_chunks_change_nothing(cdb, folder, monkeypatch):
    path = folder / "values.tif"
    options = {"where": {folder / "slope.tif": lambda v: v < 20}, "coverage": "fraction"}
    whole = cdb.get_stats(path, "rim", ["mean", "count", "median"], n_jobs=1, **options)
    monkeypatch.setattr(plan, "CHUNK_PIXELS", 1)
    pieces = cdb.get_stats(path, "rim", ["mean", "count", "median"], n_jobs=2, **options)
    pd.testing.assert_frame_equal(pieces, whole, rtol=1e-12)


def nearest(lon, lat, other):
    """Row and column of the pixel of a lon/lat grid in which positions lie, and which have one."""
    t = other.transform
    column = np.floor(np.mod(lon - t.c, 360.0) / t.a).astype(int)
    row = np.floor((lat - t.f) / t.e).astype(int)
    on = (column < other.shape[1]) & (row >= 0) & (row < other.shape[0])
    return np.where(on, row, 0), np.where(on, column, 0), on


OTHER_GRIDS = {
    "finer": worlds.lonlat(0.7, west=-180.3 + 0.013, north=89.6),
    "coarser, 0 to 360": worlds.lonlat(5.0, west=0.0),
    "a region across the seam": worlds.patch(175.3, -38.27, 0.9, 20),
    "south-up": worlds.lonlat(3.0).south_up(),
}


@pytest.mark.parametrize("slab", [1, companions.SLAB_PIXELS])
@pytest.mark.parametrize("name", OTHER_GRIDS)
def test_nearest_takes_the_pixel_under_the_centre(cdb, folder, tmp_path, monkeypatch, name, slab):
    monkeypatch.setattr(companions, "SLAB_PIXELS", slab)
    monkeypatch.setattr(companions, "STRIP_PIXELS", 500)
    other = OTHER_GRIDS[name]
    field = np.random.default_rng(1).uniform(0, 1, other.shape)
    block = 16 if name == "finer" else None
    raster = worlds.write(tmp_path / "other.tif", other, field, block=block)
    row, column, on = nearest(*GRID.mesh, other)
    expected = chosen_values(on & (field[row, column] < 0.4))
    stats = cdb.get_stats(
        folder / "values.tif",
        "rim",
        "count",
        coverage="center",
        where={raster: lambda v: v < 0.4},
        align="nearest",
    )
    np.testing.assert_array_equal(stats["count_rim"], [values.size for values in expected])


def test_nearest_reads_each_block_of_a_chunk_once(cdb, folder, tmp_path, monkeypatch):
    grid = worlds.lonlat(0.5)
    raster = worlds.write(tmp_path / "fine.tif", grid, np.zeros(grid.shape), block=64)
    times = np.zeros(grid.shape, dtype=int)
    read = companions.Companion._read

    def counted(self, window, **options):
        first, end = window.row_start // 64 * 64, -(-window.row_stop // 64) * 64
        left, right = window.col_start // 64 * 64, -(-window.col_stop // 64) * 64
        times[first:end, left:right] += 1
        return read(self, window, **options)

    monkeypatch.setattr(companions.Companion, "_read", counted)
    monkeypatch.setattr(companions, "SLAB_PIXELS", 1)
    cdb.get_stats(folder / "values.tif", "rim", where={raster: 0}, align="nearest")
    assert times.max() == 1


def refused(cdb, folder, grid, tmp_path, values=0.0, **options):
    other = worlds.write(tmp_path / "other.tif", grid, np.full(grid.shape, values))
    with pytest.raises(ArgumentError) as caught:
        cdb.get_stats(folder / "values.tif", "rim", where={other: 0}, **options)
    message = str(caught.value)
    assert "where" in message
    assert str(other) in message
    assert 'align="nearest"' in message
    return message


def test_other_grids_are_refused_with_the_difference(cdb, folder, tmp_path):
    assert "45 x 90 pixels, not 90 x 180" in refused(cdb, folder, worlds.lonlat(4.0), tmp_path)
    shift = replace(GRID, transform=Affine(2.0, 0, -180.5, 0, -2.0, 90.0))
    assert "0.25 pixels elsewhere" in refused(cdb, folder, shift, tmp_path)
    turned = worlds.lonlat(2.0, west=0.0)
    assert "90 pixels elsewhere" in refused(cdb, folder, turned, tmp_path)


def test_another_coordinate_system_is_refused(tmp_path):
    grid = worlds.patch(10.0, 40.0, 0.5, 40, crs=worlds.MARS_CRS)
    crs = worlds.pyproj.CRS.from_user_input("IAU_2015:49901")
    path = worlds.write(tmp_path / "ocentric.tif", grid, np.ones(grid.shape))
    ographic = worlds.write(tmp_path / "ographic.tif", replace(grid, crs=crs), np.zeros(grid.shape))
    cdb = CraterDatabase(worlds.table(10, 40, 100e3), "mars")
    cdb.add_circles("c")
    with pytest.raises(ArgumentError, match=r"coordinates are .*lie up to 0\.\d+ pixels apart"):
        cdb.get_stats(path, "c", where={ographic: 0})
    # The centre of a pixel lies 0.33 degrees, more than half a pixel, from the same coordinates.
    stats = cdb.get_stats(path, "c", "count", where={ographic: 0}, align="nearest")
    assert stats["count_c"].iloc[0] > 0


def test_systems_that_mean_the_same_ground_are_one(cdb, folder, tmp_path):
    # The same sphere under another name.
    other = replace(GRID, crs=worlds.pyproj.CRS.from_user_input("ESRI:104903"))
    raster = worlds.write(tmp_path / "esri.tif", other, UNIT)
    path = folder / "values.tif"
    pd.testing.assert_frame_equal(
        cdb.get_stats(path, "rim", where={raster: 3}),
        cdb.get_stats(path, "rim", where={folder / "unit.tif": 3}),
    )


def test_a_raster_of_another_body_is_refused(cdb, folder, tmp_path):
    mars = worlds.write(tmp_path / "mars.tif", replace(GRID, crs=worlds.MARS_CRS), UNIT)
    with pytest.raises(CRSError, match=r"mars\.tif.*Mars"):
        cdb.get_stats(folder / "values.tif", "rim", where={mars: 3})


def test_raster_crs_serves_a_raster_without_any(cdb, folder, tmp_path):
    bare = worlds.write(tmp_path / "bare.tif", GRID, UNIT, crs=False)
    path = folder / "values.tif"
    with pytest.raises(CRSError, match=r"bare\.tif: has no CRS"):
        cdb.get_stats(path, "rim", where={bare: 3})
    pd.testing.assert_frame_equal(
        cdb.get_stats(path, "rim", where={bare: 3}, raster_crs="planetocentric"),
        cdb.get_stats(path, "rim", where={folder / "unit.tif": 3}),
    )


@pytest.mark.parametrize(
    "condition",
    [
        lambda v: v,
        lambda v: True,
        lambda v: v[:1] > 0,
        lambda v: (v > 0).astype(int),
        lambda v: None,
    ],
)
def test_answers_that_are_no_booleans_are_refused(cdb, folder, condition):
    with pytest.raises(
        ArgumentError, match=r"where: the condition on .*slope\.tif must return one"
    ):
        cdb.get_stats(folder / "values.tif", "rim", where={folder / "slope.tif": condition})


@pytest.mark.parametrize("jobs", [1, 2])
def test_conditions_must_judge_each_value_by_itself(cdb, folder, monkeypatch, jobs):
    monkeypatch.setattr(plan, "CHUNK_PIXELS", 1)
    where = {folder / "slope.tif": lambda v: v > np.median(v)}
    with pytest.raises(ArgumentError, match=r"where: .*slope\.tif must judge each value by itself"):
        cdb.get_stats(folder / "values.tif", "rim", where=where, n_jobs=jobs)


def test_rounded_georeferencing_is_the_same_grid(cdb, folder, tmp_path):
    path = folder / "values.tif"
    expected = cdb.get_stats(path, "rim", where={folder / "unit.tif": 3})
    rounded = replace(GRID, transform=Affine(2.000001, 0, -180.0004, 0, -2.0, 90.0))
    raster = worlds.write(tmp_path / "rounded.tif", rounded, UNIT)
    pd.testing.assert_frame_equal(cdb.get_stats(path, "rim", where={raster: 3}), expected)
    shift = replace(GRID, transform=Affine(2.0, 0, -180.004, 0, -2.0, 90.0))
    assert "0.002 pixels elsewhere" in refused(cdb, folder, shift, tmp_path)


def test_a_condition_that_fails_is_named(cdb, folder):
    def fails(values):
        raise KeyError("lost")

    with pytest.raises(ArgumentError, match=r"slope\.tif failed: KeyError: 'lost'"):
        cdb.get_stats(folder / "values.tif", "rim", where={folder / "slope.tif": fails})


@pytest.mark.parametrize(
    "where",
    [
        "slope.tif",
        5,
        ["slope.tif"],
        [("a", 1, 2, 3)],
        {"a": "steep"},
        {"a": None},
        {"a": True},
        {"a": []},
    ],
)
def test_other_forms_are_refused(cdb, folder, where):
    with pytest.raises(ArgumentError, match="where"):
        cdb.get_stats(folder / "values.tif", "rim", where=where)


def test_rasters_that_cannot_be_opened_are_refused_before_anything_is_read(cdb, folder):
    with pytest.raises(RasterError, match=r"nowhere\.tif"):
        cdb.get_stats(folder / "values.tif", "rim", where={"nowhere.tif": 1})
    with pytest.raises(ArgumentError, match="where must be a raster"):
        cdb.get_stats(folder / "values.tif", "rim", where={5: 1})
    with pytest.raises(ArgumentError, match="align must be one of"):
        cdb.get_stats(folder / "values.tif", "rim", align="bilinear")
