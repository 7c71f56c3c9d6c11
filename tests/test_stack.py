"""Stacks of rasters: what a user may give, which times its layers get, and what is refused.

The rasters are real files in `tmp_path`; the raw number of every pixel of a layer is its number.
"""

from __future__ import annotations

import gc
import os
import pickle
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import rasterio
from affine import Affine

import worlds
from craterkit.bodies import get_body
from craterkit.errors import ArgumentError, CRSError, RasterError, RasterTypeError
from craterkit.rasters.base import Window
from craterkit.series.opening import open_stack
from craterkit.series.stack import check_same_grid

MOON = get_body("moon")
GRID = worlds.patch(10.0, 20.0, 0.5, 8)
DATES = pd.DatetimeIndex(["2024-03-07", "2024-03-14", "2024-03-21"])
WEEK_NAMES = ["week_8", "week_9", "week_10"]


def write_weeks(folder, names, tags=(), grid=GRID, **options):
    """Rasters whose pixels are 1, 2, 3, ...; `tags` gives those of each."""
    paths = []
    for number, name in enumerate(names, 1):
        path = worlds.write(folder / f"{name}.tif", grid, np.full(grid.shape, number), **options)
        if tags:
            with rasterio.open(path, "r+") as file:
                for domain, own in tags[number - 1].items():
                    file.update_tags(**({"ns": domain} if domain else {}), **own)
        paths.append(path)
    return paths


def first_values(stack):
    """The first pixel of each readable layer, raw."""
    found = []
    for layer in stack.readable:
        out = np.empty((1, 1), layer.band.dtype)
        with layer.raster:
            layer.raster.read(layer.band, Window(0, 1, 0, 1), out, None)
        found.append(float(out[0, 0]))
    return found


@pytest.fixture
def weeks(tmp_path):
    return write_weeks(tmp_path, WEEK_NAMES)


@pytest.mark.parametrize(
    "as_given",
    [
        list,
        tuple,
        iter,
        lambda paths: map(str, paths),
        np.array,
        pd.Series,
        lambda p: np.array(p, str),
    ],
)
def test_rasters_may_be_any_iterable_in_order(weeks, as_given):
    stack = open_stack(MOON, as_given(weeks), DATES)
    assert first_values(stack) == [1, 2, 3]
    assert list(stack.times) == list(DATES)
    assert stack.times.name == "time"
    assert [layer.time for layer in stack.layers] == list(DATES)
    assert stack.times_from == "argument"


@pytest.mark.parametrize("kind", [str, Path])
def test_a_pattern_sorts_numbers_in_names_by_value(weeks, kind):
    stack = open_stack(MOON, kind(weeks[0].parent / "week_*.tif"))
    assert first_values(stack) == [1, 2, 3]
    assert list(stack.times) == WEEK_NAMES
    assert stack.attrs["times_from"] == "stems"
    assert "no date" in stack.attrs["times_detail"]


def test_a_pattern_that_matches_nothing_is_named(tmp_path):
    with pytest.raises(ArgumentError, match=r"no file matches '.*weekly.*\*\.tif'"):
        open_stack(MOON, tmp_path / "weekly" / "*.tif")


def test_a_file_whose_name_looks_like_a_pattern_is_that_file(tmp_path):
    (path,) = write_weeks(tmp_path, ["week[1]"])
    assert len(open_stack(MOON, path)) == 1


def test_keys_are_times(weeks):
    by_time = dict(zip(DATES, weeks, strict=True))
    for rasters in (by_time, pd.Series(by_time), {str(day): path for day, path in by_time.items()}):
        stack = open_stack(MOON, rasters)
        assert list(stack.times) == list(DATES)
        assert stack.times_from == "keys"
    with pytest.raises(ArgumentError, match="keys of rasters are times already"):
        open_stack(MOON, by_time, DATES)


def test_layers_are_sorted_on_request(weeks):
    shuffled = {DATES[i]: weeks[i] for i in (2, 0, 1)}
    with pytest.raises(
        ArgumentError, match=r"week_10\.tif\) comes before .*week_8\.tif.*sort=True"
    ):
        open_stack(MOON, shuffled)
    stack = open_stack(MOON, shuffled, sort=True)
    assert first_values(stack) == [1, 2, 3]
    assert list(stack.times) == [layer.time for layer in stack.layers] == list(DATES)


@pytest.mark.parametrize(
    ("times", "message"),
    [
        (DATES[:2], "times has 2 entries for 3 rasters"),
        ([1, 2, 3, 4], "times has 4 entries for 3 rasters"),
        (
            [*DATES[:2], DATES[0]],
            r"2024-03-07 is the time of both .*week_8\.tif and .*week_10\.tif",
        ),
        ("weekly", "must be one of 'metadata', 'names', 'stems', or one time"),
        (7, "must be a list of dates"),
    ],
)
def test_times_that_do_not_fit_the_rasters(weeks, times, message):
    with pytest.raises(ArgumentError, match=message):
        open_stack(MOON, weeks, times)


def test_dates_of_names(tmp_path):
    paths = write_weeks(tmp_path, DATES.strftime("ndvi_%Y%m%d_v2"))
    stack = open_stack(MOON, paths)
    assert (list(stack.times), stack.times_from) == (list(DATES), "names")


@pytest.mark.parametrize(
    ("domain", "key", "form"),
    [
        ("", "DATETIME", "%Y:%m:%d %H:%M:%S"),
        ("", "ACQUISITION_DATE", "%Y%m%d"),
        ("", "datetime", "%Y-%m-%dT%H:%M:%SZ"),
        ("IMAGERY", "ACQUISITIONDATETIME", "%Y-%m-%dT%H:%M:%S"),
    ],
)
def test_dates_of_tags(tmp_path, domain, key, form):
    tags = [{domain: {key: day.strftime(form)}} for day in DATES]
    stack = open_stack(MOON, write_weeks(tmp_path, WEEK_NAMES, tags))
    assert (list(stack.times), stack.times_from) == (list(DATES), "metadata")
    assert stack.times_detail == key.upper()


def test_when_files_were_made_is_a_time_only_if_asked_for(tmp_path):
    tags = [{"": {"TIFFTAG_DATETIME": day.strftime("%Y:%m:%d %H:%M:%S")}} for day in DATES]
    paths = write_weeks(tmp_path, WEEK_NAMES, tags)
    stack = open_stack(MOON, paths)
    assert (list(stack.times), stack.times_from) == (WEEK_NAMES, "stems")
    assert list(open_stack(MOON, paths, "metadata").times) == list(DATES)


def test_equal_dates_of_tags_are_an_error_that_says_where_they_are(tmp_path):
    paths = write_weeks(tmp_path, WEEK_NAMES, [{"": {"ACQUISITION_DATE": "2025-01-01"}}] * 3)
    with pytest.raises(ArgumentError, match=r"ACQUISITION_DATE: 2025-01-01 is .*1 further.*times="):
        open_stack(MOON, paths)
    assert list(open_stack(MOON, paths, "stems").times) == WEEK_NAMES


def test_tags_that_contradict_names_are_an_error(tmp_path):
    tags = [{"": {"DATETIME": f"2025-01-0{i}T10:00:00"}} for i in (1, 2, 3)]
    paths = write_weeks(tmp_path, DATES.strftime("%Y-%m-%d"), tags)
    with pytest.raises(
        ArgumentError, match=r"03-07\.tif says 2024-03-07, .* say 2025-01-01T10:00:00"
    ):
        open_stack(MOON, paths)
    assert list(open_stack(MOON, paths, "names").times) == list(DATES)
    assert open_stack(MOON, paths, "metadata").times[0] == pd.Timestamp("2025-01-01T10:00")
    assert list(open_stack(MOON, paths, [1, 2, 3]).times) == [1, 2, 3]


def test_the_date_of_a_file_is_the_time_of_none_of_its_bands(tmp_path):
    values = np.zeros((3, *GRID.shape))
    path = worlds.write(tmp_path / "cube.tif", GRID, values)
    with rasterio.open(path, "r+") as file:
        file.update_tags(ACQUISITION_DATE="2025-01-01")
    assert list(open_stack(MOON, path).times) == [1, 2, 3]
    assert list(open_stack(MOON, path, bands=2).times) == [pd.Timestamp("2025-01-01")]
    with rasterio.open(path, "r+") as file:
        for number, day in enumerate(DATES, 1):
            file.update_tags(number, datetime=day.isoformat())
    stack = open_stack(MOON, path)
    assert (list(stack.times), stack.times_from) == (list(DATES), "metadata")


def test_descriptions_of_bands(tmp_path):
    values = np.arange(1, 4)[:, None, None] * np.ones(GRID.shape)
    path = worlds.write(
        tmp_path / "cube.tif", GRID, values, descriptions=list(DATES.strftime("%Y%m%d"))
    )
    stack = open_stack(MOON, path)
    assert (list(stack.times), stack.times_from) == (list(DATES), "bands")
    assert first_values(stack) == [1, 2, 3]
    assert len({id(layer.raster) for layer in stack.layers}) == 1
    assert list(open_stack(MOON, path, bands=[1, 3]).times) == list(DATES[[0, 2]])
    with pytest.raises(ArgumentError, match="2 entries for 3 layers"):
        open_stack(MOON, path, DATES[:2])


@pytest.mark.parametrize(
    ("descriptions", "times"),
    [(["dawn", "noon", "dusk"],) * 2, ([], [1, 2, 3]), (["a"] * 3, [1, 2, 3])],
)
def test_bands_without_dates_are_called_by_description_or_number(tmp_path, descriptions, times):
    values = np.zeros((3, *GRID.shape))
    path = worlds.write(tmp_path / "cube.tif", GRID, values, descriptions=descriptions)
    stack = open_stack(MOON, path)
    assert (list(stack.times), stack.times_from) == (times, "bands")


def test_several_rasters_of_several_bands(tmp_path):
    values = np.arange(1, 3)[:, None, None] * np.ones(GRID.shape)
    paths = [worlds.write(tmp_path / f"{name}.tif", GRID, values) for name in "ab"]
    assert first_values(open_stack(MOON, paths)) == [1, 1]
    assert first_values(open_stack(MOON, paths, bands=2)) == [2, 2]
    stack = open_stack(MOON, paths, bands="all")
    assert first_values(stack) == [1, 2, 1, 2]
    assert list(stack.times) == ["a_b1", "a_b2", "b_b1", "b_b2"]
    with pytest.raises(ArgumentError, match=r'3 entries for 1 rasters; it has 2 bands.*"all"'):
        open_stack(MOON, paths[:1], DATES)


def write_netcdf(path, times, units="days since 2024-01-01", level=None):
    netcdf_file = pytest.importorskip("scipy.io").netcdf_file
    axes = {"time": (times, units)} | ({"level": (level, "m")} if level else {})
    axes |= {"lat": (GRID.lat, "degrees_north"), "lon": (GRID.lon, "degrees_east")}
    with netcdf_file(path, "w") as file:
        file.Conventions = "CF-1.8"
        for name, (positions, unit) in axes.items():
            file.createDimension(name, len(positions))
            coordinate = file.createVariable(name, "f8", (name,))
            coordinate[:], coordinate.units = positions, unit
        crs = file.createVariable("crs", "i4", ())
        crs.grid_mapping_name = "latitude_longitude"
        crs.spatial_ref = GRID.crs.to_wkt("WKT1_GDAL")
        variable = file.createVariable("height", "f4", tuple(axes))
        variable[:] = np.arange(1, variable[:].size / 64 + 1).reshape(*variable.shape[:-2], 1, 1)
        variable.grid_mapping = "crs"
    return path


def test_times_of_a_netcdf(tmp_path):
    stack = open_stack(MOON, write_netcdf(tmp_path / "t.nc", [66, 73, 80]))
    assert (list(stack.times), stack.times_from) == (list(DATES), "coordinate")
    assert first_values(stack) == [1, 2, 3]
    assert open_stack(MOON, write_netcdf(tmp_path / "u.nc", [1, 2], "sols")).times.tolist() == [
        1,
        2,
    ]


def test_netcdfs_that_follow_each_other(tmp_path):
    paths = [
        write_netcdf(tmp_path / "a.nc", [66, 73]),
        write_netcdf(tmp_path / "b.nc", [60], "days since 2024-01-21"),
    ]
    stack = open_stack(MOON, paths)
    assert list(stack.times) == list(DATES)
    assert first_values(stack) == [1, 2, 1]


def test_bands_of_a_netcdf_that_differ_in_more_than_time(tmp_path):
    path = write_netcdf(tmp_path / "t.nc", [66, 73], level=[0, 10])
    with pytest.raises(ArgumentError, match=r"t\.nc: its bands differ in time and level.*bands="):
        open_stack(MOON, path)
    stack = open_stack(MOON, path, bands=[2, 4])
    assert list(stack.times) == list(DATES[:2])
    assert first_values(stack) == [2, 4]


def test_times_of_a_zarr(tmp_path):
    xr = pytest.importorskip("xarray")
    pytest.importorskip("zarr")
    coords = {"time": DATES, "y": [1.0, 0.0], "x": [0.0, 1.0]}
    values = np.arange(1.0, 4.0)[:, None, None] * np.ones((2, 2))
    array = xr.DataArray(values, coords, ("time", "y", "x"), name="ndvi")
    array.to_dataset().to_zarr(tmp_path / "t.zarr", zarr_format=2, consolidated=False)
    stack = open_stack(None, f'ZARR:"{tmp_path / "t.zarr"}":/ndvi')
    assert (list(stack.times), stack.times_from) == (list(DATES), "coordinate")
    assert first_values(stack) == [1, 2, 3]


def cube(times, dimension="time"):
    xr = pytest.importorskip("xarray")
    values = np.arange(1.0, len(times) + 1)[:, None, None] * np.ones(GRID.shape)
    coords = {dimension: times, "lat": GRID.lat, "lon": GRID.lon}
    array = xr.DataArray(
        values, coords, (dimension, "lat", "lon"), name="ndvi", attrs={"crs": GRID.crs}
    )
    return array


@pytest.mark.parametrize("times", [DATES, [0, 7, 15], [0.5, 1.5, 2.5], ["dawn", "noon", "dusk"]])
def test_times_of_a_labelled_array(times):
    stack = open_stack(MOON, cube(times).transpose("lat", "time", "lon"))
    assert (list(stack.times), stack.times_from) == (list(times), "coordinate")
    assert first_values(stack) == [1, 2, 3]


def test_labelled_arrays_that_have_one_time_each():
    array = cube(DATES)
    stack = open_stack(MOON, [array.isel(time=i) for i in range(3)])
    assert (list(stack.times), stack.times_from) == (list(DATES), "coordinate")
    with pytest.raises(ArgumentError, match="2024-03-07 is the time of both ndvi and ndvi_2"):
        open_stack(MOON, [array.isel(time=0)] * 2)


def test_bands_of_a_labelled_array_are_not_times():
    stack = open_stack(MOON, cube([1, 2, 3], "band"))
    assert (list(stack.times), stack.times_from) == ([1, 2, 3], "bands")


class DayOfTwelveEqualMonths:
    """A date of a calendar that NumPy does not have, as cftime makes them."""

    def __init__(self, text):
        self.text = text

    def isoformat(self):
        return self.text


def test_times_of_another_calendar_are_texts():
    texts = ["2000-01-30", "2000-02-30", "2000-03-30"]
    times = np.array([DayOfTwelveEqualMonths(text) for text in texts])
    assert list(open_stack(MOON, cube(times)).times) == texts


def test_a_dataset_is_refused_with_advice():
    with pytest.raises(ArgumentError, match=r"Dataset holds several variables.*dataset\['ndvi'\]"):
        open_stack(MOON, cube(DATES).to_dataset())


@pytest.mark.parametrize(
    ("rasters", "error", "message"),
    [
        ([], ArgumentError, "names no raster"),
        ({}, ArgumentError, "names no raster"),
        ({"a.tif", "b.tif"}, ArgumentError, "a set has no order"),
        (7, RasterTypeError, "not int"),
        ([None], RasterTypeError, "not NoneType"),
        ("nothing.tif", RasterError, r"nothing\.tif: cannot be opened"),
    ],
)
def test_what_is_no_stack(rasters, error, message):
    with pytest.raises(error, match=message):
        open_stack(MOON, rasters)


def test_arrays_have_shapes_only_unless_they_are_placed():
    arrays = [np.full(GRID.shape, number) for number in (1, 2, 3)]
    for rasters in (arrays, np.stack(arrays)):
        stack = open_stack(None, rasters)
        assert list(stack.times) == [1, 2, 3]
        assert stack.times_from == ("order" if rasters is arrays else "bands")
        assert [layer.source for layer in stack.layers] == [None] * 3
        check_same_grid(stack, GRID.shape, "mask")
    with pytest.raises(ArgumentError, match="does not say where its pixels lie"):
        open_stack(MOON, arrays)
    placed = open_stack(MOON, arrays, transform=GRID.transform, raster_crs="planetocentric")
    assert placed.layers[2].source.grid.transform == GRID.transform


def test_files_without_a_place_can_be_stacked_without_a_body(tmp_path):
    paths = write_weeks(tmp_path, WEEK_NAMES, crs=False, transform=False)
    assert first_values(open_stack(None, paths)) == [1, 2, 3]
    with pytest.raises(CRSError, match=r"week_8\.tif: has no georeferencing"):
        open_stack(MOON, paths)


def damage(path, how):
    if how == "missing":
        path.unlink()
    else:
        path.write_bytes(b"II*\0 and nothing else")


@pytest.mark.parametrize("how", ["missing", "corrupt"])
@pytest.mark.parametrize("body", [MOON, None])
def test_a_raster_that_cannot_be_opened_is_named_or_flagged(weeks, how, body):
    damage(weeks[1], how)
    with pytest.raises(RasterError, match=r"week_9\.tif: cannot be opened"):
        open_stack(body, weeks, DATES)
    stack = open_stack(body, weeks, DATES, errors="flag")
    assert list(stack.times) == list(DATES)
    assert first_values(stack) == [1, 3]
    lost = stack.layers[1]
    assert (lost.raster, lost.band, lost.source, lost.is_readable) == (None, None, None, False)
    assert "week_9.tif: cannot be opened" in lost.problem
    check_same_grid(stack, GRID.shape, "mask")


def test_flagging_needs_something_that_can_be_opened(tmp_path, weeks):
    with pytest.raises(ArgumentError, match="errors must be"):
        open_stack(MOON, weeks, errors="ignore")
    series = write_netcdf(tmp_path / "t.nc", [66, 73])
    with pytest.raises(RasterError, match=r"week_0\.tif.*several layers, it is unknown how many"):
        open_stack(MOON, [series, tmp_path / "week_0.tif"], DATES, errors="flag")
    for path in weeks:
        path.unlink()
    with pytest.raises(RasterError, match=r"none of the 3 rasters can be opened: .*week_8\.tif"):
        open_stack(MOON, weeks, DATES, errors="flag")


def test_the_body_is_checked(tmp_path, weeks):
    with pytest.raises(CRSError, match=r"week_8\.tif"):
        open_stack(get_body("mars"), weeks)


def other_grid(kind):
    if kind == "shape":
        return worlds.patch(10.0, 20.0, 0.5, 6), "it has 6 x 6 pixels, not 8 x 8"
    if kind == "transform":
        return worlds.patch(10.25, 20.0, 0.5, 8), "pixels up to 0.5 pixels elsewhere"
    local = worlds.equirectangular(0.5, middle=5.0)
    step = local.transform.a
    transform = Affine(step, 0.0, 5 * 2 * step, 0.0, -step, 44 * step)
    return worlds.replace(GRID, crs=local.crs, transform=transform), "its coordinates are"


@pytest.mark.parametrize("kind", ["shape", "transform", "crs"])
def test_other_grids_are_named_and_counted(tmp_path, weeks, kind):
    grid, difference = other_grid(kind)
    own = open_stack(MOON, weeks).layers[0].grid
    others = write_weeks(tmp_path, ["other_1", "other_2", "other_3"], grid=grid)
    stack = open_stack(MOON, [weeks[0], *others, weeks[1]])
    with pytest.raises(
        ArgumentError,
        match=rf"other_1\.tif is not on the grid of mask\.tif: .*{difference}.*"
        r'2 others of the 5 rasters \(.*other_2\.tif, .*other_3\.tif\).*align="nearest"',
    ):
        check_same_grid(stack, own, "mask.tif")
    check_same_grid(stack, own, "mask.tif", align="bilinear")
    if kind == "shape":
        with pytest.raises(ArgumentError, match=rf"{difference}; so are 2 others[^;]*$"):
            check_same_grid(stack, own.shape, "mask.tif")


def test_rasters_on_the_grid_pass(weeks):
    stack = open_stack(MOON, weeks)
    check_same_grid(stack, stack.layers[0].grid, "mask.tif")
    check_same_grid(stack, stack.layers[0].grid.shape, "mask.tif")
    with pytest.raises(ArgumentError, match="align must be one of 'error', 'nearest', 'bilinear'"):
        check_same_grid(stack, GRID.shape, "mask.tif", align="cubic")


def test_layers_may_have_different_dtypes_and_scales(tmp_path):
    (a,) = write_weeks(tmp_path, ["a"], dtype="uint8", nodata=0)
    (b,) = write_weeks(tmp_path, ["b"], dtype="int16")
    (c,) = write_weeks(tmp_path, ["c"], dtype="int16", scale=0.5)
    assert open_stack(MOON, [a, a], [1, 2]).dtype() == np.uint8
    assert open_stack(MOON, [a, b]).dtype() == np.int16
    stack = open_stack(MOON, [a, b, c])
    assert stack.dtype() == np.float64
    assert stack.dtype(scaled=False) == np.int16
    assert [layer.band.nodata for layer in stack.layers] == [(0,), (), ()]
    stack = open_stack(MOON, [a, b], nodata={"b": 9})
    assert [layer.band.nodata for layer in stack.layers] == [(0,), (9,)]
    assert [layer.band.nodata for layer in open_stack(None, [a, b], nodata=9).layers] == [(9,)] * 2


@pytest.mark.parametrize("body", [MOON, None])
def test_nodata_must_be_a_number(weeks, body):
    with pytest.raises(ArgumentError, match="nodata must be a number"):
        open_stack(body, weeks, nodata="none")


@pytest.mark.parametrize("body", [MOON, None])
def test_nodata_that_a_double_cannot_hold_must_be_given(tmp_path, body):
    paths = write_weeks(tmp_path, ["a", "ids"], dtype="int64", nodata=2**53)
    with pytest.raises(ArgumentError, match=r"a\.tif: .*read exactly; pass it as nodata="):
        open_stack(body, paths)
    stack = open_stack(body, paths, nodata=2**53 + 1)
    assert [layer.band.nodata for layer in stack.layers] == [(2**53 + 1,)] * 2


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="needs a list of open files")
def test_rasters_are_closed_again(tmp_path):
    paths = write_weeks(tmp_path, [f"week_{i}" for i in range(40)])
    gc.collect()
    before = len(os.listdir("/proc/self/fd"))
    stack = open_stack(MOON, paths)
    assert len(os.listdir("/proc/self/fd")) <= before
    assert len(stack) == 40


def test_an_open_dataset_stays_open(weeks):
    with rasterio.open(weeks[0]) as one, warnings.catch_warnings():
        stack = open_stack(MOON, [one, weeks[1]])
        assert list(stack.times) == WEEK_NAMES[:2]
        assert not one.closed


def test_a_layer_can_be_opened_elsewhere(weeks):
    layer = open_stack(MOON, weeks, DATES).layers[1]
    again = pickle.loads(pickle.dumps(layer.spec)).open(MOON)
    assert again.bands == [layer.band]
    assert again.grid.transform == layer.source.grid.transform


def test_arguments_by_name_reach_all_files_of_that_name(tmp_path):
    paths = []
    for folder in ("2024-03-07", "2024-03-14", "2024-03-21"):
        (tmp_path / folder).mkdir()
        paths += write_weeks(tmp_path / folder, ["ndvi"])

    def nodata(given):
        return [layer.band.nodata for layer in open_stack(MOON, paths, nodata=given).layers]

    assert nodata({"ndvi": 7}) == [(7,), (7,), (7,)]
    assert nodata({"ndvi": 7, paths[1]: 9}) == [(7,), (9,), (7,)]
    assert nodata({str(paths[2]): 9}) == [(), (), (9,)]
    assert nodata({"ndvi_2": 9}) == [(), (9,), ()]
    with pytest.raises(ArgumentError, match=r"nodata names .* not given: 'evi' \(known: 'ndvi'"):
        nodata({"evi": 9})
    placed = open_stack(
        MOON, paths, transform={"ndvi": Affine(1, 0, 0, 0, -1, 0)}, raster_crs={"ndvi": "ographic"}
    )
    assert {layer.grid.transform.a for layer in placed.layers} == {1.0}


class TestTimesOfWhatCannotBeRead:
    """Other layers keep their times; its own must be known, or that is an error."""

    @staticmethod
    def weeks(folder, names, **tags):
        dates = [{"": {key: day.strftime(form) for key, form in tags.items()}} for day in DATES]
        paths = write_weeks(folder, names, dates if tags else ())
        paths[1].unlink()
        return paths

    def test_names_and_stems(self, tmp_path):
        stack = open_stack(MOON, self.weeks(tmp_path, WEEK_NAMES), errors="flag")
        assert (list(stack.times), stack.times_from) == (WEEK_NAMES, "stems")
        paths = self.weeks(tmp_path, DATES.strftime("a_%Y%m%d"))
        stack = open_stack(MOON, paths, errors="flag")
        assert (list(stack.times), stack.times_from) == (list(DATES), "names")

    def test_dates_of_tags_with_one_of_a_name(self, tmp_path):
        paths = self.weeks(tmp_path, DATES.strftime("a_%Y%m%d"), DATETIME="%Y-%m-%dT10:00:00")
        stack = open_stack(MOON, paths, errors="flag")
        ten = pd.Timedelta(hours=10)
        assert list(stack.times) == [DATES[0] + ten, DATES[1], DATES[2] + ten]
        assert stack.times_from == "metadata"
        assert stack.times_detail == "DATETIME; of 1 that cannot be read: the name"
        with pytest.raises(ArgumentError, match=r"20240314\.tif cannot be read, .* not known"):
            open_stack(MOON, paths, "metadata", errors="flag")

    def test_dates_of_tags_alone(self, tmp_path):
        paths = self.weeks(tmp_path, WEEK_NAMES, ACQUISITION_DATE="%Y-%m-%d")
        with pytest.raises(ArgumentError, match=r"week_9\.tif cannot be read, .*pass times="):
            open_stack(MOON, paths, errors="flag")
        stack = open_stack(MOON, paths, DATES, errors="flag")
        assert list(stack.times) == list(DATES)
