"""`iter_arrays`: the arrays of `get_arrays`, one after the other, whatever memory there is."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

import worlds
from craterkit import CraterDatabase
from craterkit.errors import ArgumentError, OutsideRasterWarning, RasterError, RegionError
from craterkit.rasters.gdal import GdalRaster

GRID = worlds.lonlat(0.5)
RNG = np.random.default_rng(5)
TWO_BANDS = RNG.integers(-500, 500, (2, *GRID.shape)).astype(np.int16)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("rasters")
    worlds.write(folder / "two.tif", GRID, TWO_BANDS, dtype="int16", nodata=7, block=64)
    worlds.write(folder / "scaled.tif", GRID, TWO_BANDS[0], dtype="int16", scale=0.5, offset=3.0)
    worlds.write(folder / "part.tif", worlds.patch(10, 5, 0.5, 100), TWO_BANDS[0, :100, :100])
    return folder


@pytest.fixture(scope="module")
def cdb():
    """Craters of all sizes, on the seam and at both poles, too."""
    count = 60
    table = worlds.table(
        [180, -60, 0, *RNG.uniform(-180, 180, count - 3)],
        [90, -88, 5, *np.degrees(np.arcsin(RNG.uniform(-1, 1, count - 3)))],
        worlds.metres(1.0) * RNG.pareto(1.5, count).clip(0.05, 30),
    )
    cdb = CraterDatabase(table, "moon")
    cdb.add_annuli("rim", 1, 1.5)
    cdb.add_circles("floor", 0.7)
    return cdb


def key(array):
    """What makes two masked arrays the same."""
    mask = np.ma.getmaskarray(array)
    data = np.where(mask, array.dtype.type(0), array.data)
    return array.dtype.str, array.shape, repr(array.fill_value), mask.tobytes(), data.tobytes()


def one_by_one(frame, names):
    """What `iter_arrays` ought to give, from what `get_arrays` gives."""
    several = len(names) > 1
    return Counter(
        ((index, name) if several else index, key(array))
        for name in names
        for index, array in frame[name].items()
    )


@pytest.mark.parametrize("memory", [None, "1 MiB"])
@pytest.mark.parametrize(
    ("rasters", "regions", "options", "names"),
    [
        ("two.tif", "rim", {}, ["rim"]),
        ("two.tif", ["rim", "floor"], {"bands": 2}, ["rim", "floor"]),
        ("two.tif", "rim", {"bands": "all"}, ["b1_rim", "b2_rim"]),
        (["two.tif", "scaled.tif"], ["rim"], {}, ["two_rim", "scaled_rim"]),
        ("scaled.tif", "rim", {"scaled": False, "coverage": "center"}, ["rim"]),
        ("two.tif", "rim", {"exclude": "neighbors"}, ["rim"]),
    ],
    ids=["one", "regions", "bands", "rasters", "raw", "neighbors"],
)
def test_arrays_are_those_of_get_arrays(cdb, folder, rasters, regions, options, names, memory):
    several = isinstance(rasters, list)
    rasters = [folder / name for name in rasters] if several else folder / rasters
    frame = cdb.get_arrays(rasters, regions, **options)
    if memory:
        assert max(array.size for array in frame[names[0]]) * 48 > 1024**2
    arrays = cdb.iter_arrays(rasters, regions, max_memory=memory, **options)
    assert Counter((index, key(array)) for index, array in arrays) == one_by_one(frame, names)


def test_arrays_that_wait_are_walked_together(folder, monkeypatch):
    reads = []
    read = GdalRaster.read
    monkeypatch.setattr(
        GdalRaster, "read", lambda self, *args: (reads.append(1), read(self, *args))[1]
    )
    # All across the same rows of blocks: about six at a time wait under this budget.
    places = worlds.table(np.linspace(-180, 179, 200), np.zeros(200), worlds.metres(8.0))
    cdb = CraterDatabase(places, "moon")
    cdb.add_circles("c")
    found = list(cdb.iter_arrays(folder / "two.tif", "c", max_memory="1 MiB", n_jobs=1))
    assert len(found) == 200
    assert len(reads) < 100


def test_labels_that_occur_twice_come_twice(folder):
    places = worlds.table([10, 60, 179], [5, -40, 89], worlds.metres(3.0))
    places.index = ["a", "b", "a"]
    cdb = CraterDatabase(places, "moon")
    cdb.add_circles("c")
    frame = cdb.get_arrays(folder / "two.tif", "c")
    found = cdb.iter_arrays(folder / "two.tif", "c")
    assert Counter((index, key(array)) for index, array in found) == one_by_one(frame, ["c"])


def test_arrays_without_pixels_come_last_and_are_warned_of(cdb, folder):
    with pytest.warns(OutsideRasterWarning, match="ROIs lie outside") as caught:
        found = list(cdb.iter_arrays(folder / "part.tif", "floor"))
    assert [warning.filename for warning in caught] == [__file__]
    assert sorted(index for index, _ in found) == list(range(len(cdb)))
    empty = [array.shape == (0, 0) for _, array in found]
    assert 0 < sum(empty) < len(cdb)
    assert empty == sorted(empty)


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_breaking_off_closes_the_raster(cdb, folder, monkeypatch, n_jobs):
    there = set()
    begin, end = GdalRaster.__enter__, GdalRaster.close
    monkeypatch.setattr(GdalRaster, "__enter__", lambda self: (there.add(id(self)), begin(self))[1])
    monkeypatch.setattr(GdalRaster, "close", lambda self: (there.discard(id(self)), end(self))[1])
    arrays = cdb.iter_arrays(folder / "two.tif", "rim", n_jobs=n_jobs, max_memory="1 MiB")
    next(arrays)
    assert there
    arrays.close()
    assert not there


@pytest.mark.parametrize(
    ("rasters", "regions", "options", "error"),
    [
        ("missing.tif", "rim", {}, RasterError),
        ("two.tif", "rims", {}, RegionError),
        ("two.tif", "rim", {"bands": 3}, ArgumentError),
        ("two.tif", "rim", {"coverage": "all"}, ArgumentError),
        ("two.tif", "rim", {"max_memory": "1 kB"}, ArgumentError),
    ],
    ids=["raster", "region", "band", "coverage", "memory"],
)
def test_errors_come_before_the_first_array(cdb, folder, rasters, regions, options, error):
    with pytest.raises(error):
        cdb.iter_arrays(folder / rasters, regions, **options)
