"""Files that change while they are read: an error, and no result of both the old and the new one."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal
from rasterio.shutil import copy

from craterkit import PixelSelection
from craterkit.errors import ArgumentError, RasterError
from craterkit.rasters.gdal import GdalRaster
from surveys import GRID, MEMORY, database, parts, write_field

CHANGED = "changed while it was being read.*make the same call again"


def twos(lon, lat):
    return np.full(np.shape(lon), 2.0)


@pytest.fixture
def field(tmp_path):
    return write_field(tmp_path / "field.tif")


@pytest.fixture
def still(tmp_path):
    """Another raster, which stays as it is."""
    return write_field(tmp_path / "still.tif")


@pytest.fixture
def newer(tmp_path):
    return write_field(tmp_path / "newer.tif", twos)


def replace(old, new):
    os.replace(new, old)


def overwrite(old, new):
    """Write into a file, whose time is another one then however coarse the clock is."""
    before = old.stat()
    old.write_bytes(new.read_bytes())
    os.utime(old, ns=(before.st_atime_ns, before.st_mtime_ns + 1))


def keep_time_and_size(old, new):
    """Replace a file by one of the same size and time."""
    before = old.stat()
    size = max(before.st_size, new.stat().st_size)
    assert size == before.st_size
    with new.open("r+b") as file:
        file.truncate(size)
    os.utime(new, ns=(before.st_atime_ns, before.st_mtime_ns))
    os.replace(new, old)


CHANGES = [replace, overwrite, keep_time_and_size]


@pytest.fixture
def changing(monkeypatch, newer):
    """Have a file changed before the so-manieth reading of any raster."""

    def begin(file, change=replace, reading=3):
        read, count = GdalRaster.read, [0]

        def reads(raster, band, window, out, mask):
            count[0] += 1
            if count[0] == reading:
                change(file, newer)
            read(raster, band, window, out, mask)

        monkeypatch.setattr(GdalRaster, "read", reads)

    return begin


def stats(raster, **more):
    more = {"max_memory": MEMORY, "progress": False, **more}
    return database().get_stats(raster, "floor", **more)


def pixels():
    return PixelSelection.from_array(np.ones(GRID.shape, dtype=bool))


CALLS = {
    "get_stats": lambda file, still, out: stats(file, n_jobs=1),
    "threads": lambda file, still, out: stats(file, n_jobs=2),
    "flag": lambda file, still, out: stats(file, errors="flag"),
    "get_stats out": lambda file, still, out: stats(file, out=out),
    "where": lambda file, still, out: stats(still, where={file: lambda values: values > 1}),
    "weights": lambda file, still, out: stats(still, weights=file, coverage="center"),
    "one of several": lambda file, still, out: stats([still, file]),
    "get_arrays": lambda file, still, out: database().get_arrays(file, "rim", max_memory=MEMORY),
    "get_arrays out": lambda file, still, out: database().get_arrays(
        file, "rim", max_memory=MEMORY, out=out
    ),
    "iter_arrays": lambda file, still, out: list(
        database().iter_arrays(file, "rim", max_memory=MEMORY)
    ),
    "get_pixels": lambda file, still, out: database().get_pixels(file, "rim", max_memory=MEMORY),
    "get_pixels out": lambda file, still, out: database().get_pixels(
        file, "rim", max_memory=MEMORY, out=out
    ),
    "get_series": lambda file, still, out: database().get_series([still, file], "rim", "mean"),
    "series": lambda file, still, out: pixels().get_series([file, still]),
    "series out": lambda file, still, out: pixels().get_series([still, file], out=out),
    "to_xarray": lambda file, still, out: pixels().to_xarray([file, still], chunks=1).compute(),
    "from_raster": lambda file, still, out: PixelSelection.from_raster(file, lambda v: v > 0),
}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_a_raster_that_changes_is_an_error(field, still, changing, tmp_path, call, change):
    changing(field, change, reading=1)
    out = tmp_path / "out.parquet"
    with pytest.raises(RasterError, match=f"{field} {CHANGED}"):
        call(field, still, out)
    assert not out.exists()


@pytest.mark.parametrize("jobs", [1, 2])
def test_the_source_of_a_vrt_and_what_is_in_an_archive(field, newer, changing, tmp_path, jobs):
    copy(field, tmp_path / "map.vrt", driver="VRT")
    changing(field, overwrite)
    with pytest.raises(RasterError, match=rf"map\.vrt: {field} {CHANGED}"):
        stats(tmp_path / "map.vrt", n_jobs=jobs)
    shutil.make_archive(str(tmp_path / "a"), "zip", tmp_path, "field.tif")
    shutil.make_archive(str(tmp_path / "b"), "zip", tmp_path, "newer.tif")
    (tmp_path / "b.zip").replace(newer)
    changing(tmp_path / "a.zip")
    with pytest.raises(RasterError, match=rf"a\.zip {CHANGED}"):
        stats(f"/vsizip/{tmp_path}/a.zip/field.tif", n_jobs=jobs)


@pytest.mark.filterwarnings("ignore::PendingDeprecationWarning")
def test_a_labelled_array_that_is_loaded_bit_by_bit(field):
    open_rasterio = pytest.importorskip("rioxarray").open_rasterio

    def touching(values):
        os.utime(field, ns=(1, field.stat().st_mtime_ns + 1))
        return values.mean()

    with open_rasterio(field) as lazy, pytest.raises(RasterError, match=f"{field} {CHANGED}"):
        stats(lazy, stats={"mean": touching})
    with open_rasterio(field) as lazy:
        loaded = lazy.load()
    assert len(stats(loaded, stats={"mean": touching}))


def test_a_file_that_changed_before_a_thread_opens_it(field, newer):
    raster = GdalRaster(field)
    raster.close()
    os.replace(newer, field)
    with pytest.raises(RasterError, match=f"{field} {CHANGED}"):
        raster.dataset()


def test_what_was_stored_of_the_old_file_is_not_taken_for_the_new_one(
    field, still, newer, tmp_path, monkeypatch
):
    out = tmp_path / "out.parquet"
    expected = stats([still, newer])

    def change(values):
        if (values > 1).all() and newer.exists() and parts(tmp_path / "out.parquet.partial"):
            os.replace(newer, field)
        return values > -1

    def call():
        return stats([still, field], out=out, n_jobs=1, where=[(still, change)])

    with pytest.raises(RasterError, match=f"{field} {CHANGED}") as caught:
        call()
    assert "goes on from there" not in str(caught.value.__notes__)
    assert parts(tmp_path / "out.parquet.partial")
    with pytest.raises(ArgumentError, match=f"the file has changed .*{field}"):
        call()
    shutil.rmtree(tmp_path / "out.parquet.partial")
    found = pd.read_parquet(call())
    for name in ("mean_still_floor", "mean_newer_floor"):
        np.testing.assert_allclose(found[name.replace("newer", "field")], expected[name])


def test_the_same_call_again_measures_the_new_file(field, newer, changing, tmp_path, monkeypatch):
    expected = stats(newer)
    out = tmp_path / "out.parquet"
    with monkeypatch.context():
        changing(field)
        with pytest.raises(RasterError, match=CHANGED):
            stats(field, out=out)
    assert_frame_equal(pd.read_parquet(stats(field, out=out)), pd.DataFrame(expected))


def test_other_programs_may_write_files_beside_a_raster(field, tmp_path, changing):
    expected = stats(field)

    def overviews(file, newer):
        for name in ("field.tif.aux.xml", "field.tif.ovr"):
            (tmp_path / name).write_text("")

    changing(field, overviews)
    assert_frame_equal(stats(field), expected)


_MANY = """
import resource, sys
import numpy as np
from craterkit import PixelSelection
from surveys import GRID, database
resource.setrlimit(resource.RLIMIT_NOFILE, (120, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
rasters = [f"{sys.argv[1]}/m{number}.{sys.argv[3]}" for number in range(150)]
out = f"{sys.argv[1]}/out.parquet"
cdb, options = database(), {"n_jobs": 2, "progress": False}
pixels = PixelSelection.from_array(np.eye(*GRID.shape, dtype=bool))
calls = {
    "stats": lambda: cdb.get_stats(rasters, "floor", "mean", **options),
    "stats to a file": lambda: cdb.get_stats(rasters, "floor", "mean", out=out, **options),
    "series": lambda: cdb.get_series(rasters, "floor", "mean", times=range(150), **options),
    "pixels": lambda: pixels.get_series(rasters, times=range(150), **options),
    "pixels to a file": lambda: pixels.get_series(
        rasters, times=range(150), out=out, **options
    ),
}
calls[sys.argv[2]]()
"""


@pytest.mark.parametrize("kind", ["tif", "vrt"])
@pytest.mark.parametrize(
    "call", ["stats", "stats to a file", "series", "pixels", "pixels to a file"]
)
def test_more_rasters_than_files_may_be_open(tmp_path, call, kind):
    pytest.importorskip("resource")
    write_field(tmp_path / "m0.tif")
    for number in range(1, 150):
        os.link(tmp_path / "m0.tif", tmp_path / f"m{number}.tif")
    if kind == "vrt":
        for number in range(150):
            copy(tmp_path / f"m{number}.tif", tmp_path / f"m{number}.vrt", driver="VRT")
    path = os.pathsep.join([str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        [sys.executable, "-c", _MANY, str(tmp_path), call, kind],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
