"""Series that the workers of a Dask cluster read are, byte for byte, those that threads here read."""

from __future__ import annotations

import logging
import os
import signal
from contextlib import contextmanager
from functools import partial

import numpy as np
import pyarrow.parquet as pq
import pytest
import rasterio
import rasterio.shutil
import xarray as xr
from distributed import Client, LocalCluster
from pandas.testing import assert_frame_equal

import worlds
from craterkit import CraterDatabase, PixelSelection
from craterkit.cluster import workers
from craterkit.errors import ArgumentError, ClusterError, RasterError, UnreadableWarning
from craterkit.extraction.walk import Interruption
from craterkit.series import large_series, tasks
from craterkit.series import series_cluster as series_module
from surveys import alive, corrupt, wait_for
from test_cluster import children

GRID = worlds.lonlat(4.0)
COARSE = worlds.lonlat(6.0)
RNG = np.random.default_rng(11)
VALUES = RNG.integers(0, 200, (6, *GRID.shape))
MASK = np.random.default_rng(3).random(GRID.shape) < 0.2
START = {
    "threads_per_worker": 1,
    "dashboard_address": "127.0.0.1:0",
    "silence_logs": logging.CRITICAL,
}


@pytest.fixture(scope="module")
def client():
    with LocalCluster(n_workers=2, **START) as cluster, Client(cluster) as client:
        client.wait_for_workers(2)
        yield client


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("stack")
    for number, values in enumerate(VALUES):
        block = (None, 16, 32)[number % 3]
        write = partial(worlds.write, grid=GRID, block=block, compress="deflate")
        write(folder / f"i{number}.tif", values=values, dtype="int16")
        write(folder / f"n{number}.tif", values=values, dtype="int16", nodata=number * 7)
        write(folder / f"f{number}.tif", values=values / 7, dtype="float32", mask=values < 150)
        write(folder / f"s{number}.tif", values=values, dtype="uint8", scale=0.1, offset=-3.0)
        write(folder / f"u{number}.tif", values=values, dtype=("uint64", "int64")[number % 2])
        worlds.write(folder / f"c{number}.tif", COARSE, COARSE.mesh[1] + number, nodata=9.0)
        write(folder / f"x{number}.tif", values=values, dtype="uint8", crs=False, transform=False)
    worlds.write(folder / "pixel.tif", GRID, VALUES, dtype="int32", block=16)
    rasterio.shutil.copy(folder / "pixel.tif", folder / "band.tif", interleave="band")
    return folder


def selection(folder, name="i0.tif"):
    return PixelSelection.from_array(MASK, grid=folder / name)


def names(folder, pattern):
    return sorted(map(str, folder.glob(pattern)))


def assert_same_bytes(found, expected):
    assert found.to_numpy().dtype == expected.to_numpy().dtype
    assert found.to_numpy().tobytes() == expected.to_numpy().tobytes()
    assert_frame_equal(found, expected)
    assert found.attrs == expected.attrs


STACKS = {
    "integers": ("i*.tif", {"coordinates": True}),
    "gaps": ("n*.tif", {"progress": True}),
    "gaps that are none": ("n*.tif", {"nodata": -1}),
    "masks": ("f*.tif", {}),
    "scaled": ("s*.tif", {}),
    "raw": ("s*.tif", {"scaled": False}),
    "64 bits": ("u*.tif", {}),
    "all dtypes": ("[ifs]*.tif", {"times": range(18)}),
    "nearest": ("[ic]*.tif", {"times": range(12), "align": "nearest"}),
    "bilinear": ("[ic]*.tif", {"times": range(12), "align": "bilinear"}),
    "bands side by side": ("pixel.tif", {}),
    "bands apart": ("band.tif", {"bands": [5, 2, 3], "times": [1, 2, 3]}),
    "bands of several": ("[bp]*.tif", {"bands": [2, 1], "times": range(4)}),
}


@pytest.mark.parametrize(("pattern", "options"), STACKS.values(), ids=STACKS)
def test_all_stacks(client, folder, pattern, options):
    pixels, rasters = selection(folder), names(folder, pattern)
    rasters = rasters[0] if len(rasters) == 1 else rasters
    expected = pixels.get_series(rasters, **options)
    assert_same_bytes(pixels.get_series(rasters, client=client, **options), expected)


@pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
def test_rasters_that_do_not_say_where_they_lie(client, folder):
    pixels, rasters = PixelSelection.from_array(MASK), names(folder, "x*.tif")
    found = pixels.get_series(rasters, client=client)
    assert_same_bytes(found, pixels.get_series(rasters))
    np.testing.assert_array_equal(found, VALUES[:, MASK])
    statistics = pixels.get_stats(rasters, ["mean", "median"], client=client)
    assert_frame_equal(statistics, pixels.get_stats(rasters, ["mean", "median"]))


def test_the_selection_is_sent_in_pieces(client, folder, monkeypatch):
    monkeypatch.setattr(workers, "PIECE_BYTES", 1000)
    monkeypatch.setattr(series_module, "ERRAND_LAYERS", 2)
    pixels, rasters = selection(folder), names(folder, "i*.tif")
    found = pixels.get_series(rasters, client=client)
    assert_same_bytes(found, pixels.get_series(rasters))


def test_nothing_chosen(client, folder):
    pixels, rasters = selection(folder), names(folder, "i*.tif")
    none = pixels - pixels
    found = none.get_series(rasters, client=client)
    assert_same_bytes(found, none.get_series(rasters))


def test_relative_names_and_open_datasets(client, folder, monkeypatch):
    monkeypatch.chdir(folder)
    pixels = selection(folder)
    with rasterio.open("i1.tif") as dataset:
        found = pixels.get_series(["i0.tif", dataset], client=client)
        assert_same_bytes(found, pixels.get_series(["i0.tif", dataset]))


def test_what_cannot_be_read_is_flagged(client, folder, tmp_path):
    pixels = selection(folder)
    spoilt = worlds.write(
        tmp_path / "w1.tif", GRID, VALUES[0], dtype="int16", block=16, compress="deflate"
    )
    window = corrupt(spoilt, 1, 2)
    rasters = [folder / "i0.tif", spoilt, tmp_path / "missing.tif", folder / "i3.tif"]
    arguments = {"times": range(4), "errors": "flag"}
    lost = r"missing\.tif; .* blocks .*w1\.tif"
    with pytest.warns(UnreadableWarning, match=lost):
        expected = pixels.get_series(rasters, **arguments)
    with pytest.warns(UnreadableWarning, match=lost):
        found = pixels.get_series(rasters, client=client, **arguments)
    assert_same_bytes(found, expected)
    assert np.isnan(expected.loc[2]).all()
    assert 0 < np.isnan(expected.loc[1]).sum() < len(pixels)
    with pytest.raises(RasterError, match=rf"{spoilt}: band 1 cannot be read in {window}"):
        pixels.get_series(rasters[:2], times=range(2), client=client)


@pytest.mark.parametrize("pattern", ["i*.tif", "n*.tif"])
def test_files(client, folder, tmp_path, monkeypatch, pattern):
    monkeypatch.setattr(large_series, "GROUP_PIXELS", 300)
    pixels, rasters = selection(folder), names(folder, pattern)
    here = pixels.get_series(rasters, out=tmp_path / "here.parquet")
    there = pixels.get_series(rasters, out=tmp_path / "there.parquet", client=client)
    assert pq.read_metadata(there).num_row_groups > 1
    assert there.read_bytes() == here.read_bytes()


def test_the_progress_bar_counts_layers(client, folder, capsys):
    selection(folder).get_series(names(folder, "i*.tif"), client=client, progress=True)
    assert "6.00/6.00" in capsys.readouterr().err


def test_what_lies_in_memory_is_refused(client, folder):
    pixels = selection(folder)
    labelled = xr.DataArray(VALUES[0], {"lat": GRID.lat, "lon": GRID.lon}, ("lat", "lon"))
    with pytest.raises(ArgumentError, match="the DataArray lies in the memory of this process"):
        PixelSelection.from_array(MASK).get_series([labelled], times=[0], client=client)
    with pytest.raises(ArgumentError, match="the ndarray lies in the memory of this process"):
        PixelSelection.from_array(MASK).get_series([VALUES[0]], times=[0], client=client)
    with (
        rasterio.open(folder / "i0.tif", "r+") as written,
        pytest.raises(ArgumentError, match="is open for writing"),
    ):
        pixels.get_series([written], times=[0], client=client)


def test_a_raster_that_workers_do_not_find(client, folder):
    with rasterio.MemoryFile((folder / "i0.tif").read_bytes(), ext=".tif") as memory:
        with pytest.raises(RasterError, match="worker of the cluster cannot open") as caught:
            selection(folder).get_series([memory.name], times=[0], errors="flag", client=client)
        assert memory.name in str(caught.value)
        assert "every worker must find it under this name" in str(caught.value)


OTHERS = {
    "it has 30 x 60 pixels, not 45 x 90": {"grid": COARSE},
    "band 1 has dtype float32, not int16": {"dtype": "float32"},
    "band 1 has nodata 5.0, not None": {"nodata": 5.0},
    "has no CRS": {"crs": False},
    "has no georeferencing": {"transform": False},
}
UNPLACED = {
    "it has 30 x 60 pixels, not 45 x 90": {"grid": COARSE},
    "band 1 has scale 2.0, not 1.0": {"scale": 2.0},
    "its affine transform puts pixels up to 2 pixels elsewhere": {
        "grid": worlds.lonlat(4.0, west=-172.0)
    },
    "where its pixels lie cannot be compared": {"crs": True},
    "it has no affine transform": {"transform": False},
}


@pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
@pytest.mark.parametrize(
    ("placed", "difference", "other"),
    [
        *((True, *item) for item in OTHERS.items()),
        *((False, *item) for item in UNPLACED.items()),
    ],
)
def test_another_raster_under_the_same_name(
    client, tmp_path, monkeypatch, placed, difference, other
):
    usual = {"grid": GRID, "dtype": "int16", "crs": placed}
    mask = worlds.write(tmp_path / "mask.tif", values=MASK, **usual)
    path = worlds.write(tmp_path / "w.tif", values=VALUES[0], **usual)
    opened = series_module.open_cluster

    @contextmanager
    def elsewhere(execution):
        worlds.write(path, values=np.float64(7), **{**usual, **other})
        with opened(execution) as cluster:
            yield cluster

    monkeypatch.setattr(series_module, "open_cluster", elsewhere)
    pixels = PixelSelection.from_raster(mask, value=1)
    assert (pixels.body is None) != placed
    with pytest.raises(RasterError, match="finds another raster under the name") as caught:
        pixels.get_series([path], times=[0], client=client)
    assert caught.match(f"{path}: .*{difference}.*; every worker must find the same file")


def test_a_worker_that_dies_costs_nothing_but_time(folder, tmp_path):
    """Even if it is the only one, so that the selection is lost with it."""
    pixels, rasters, marker = selection(folder), names(folder, "n*.tif"), tmp_path / "dead"

    def make_deadly():
        results = tasks.Task.results

        def results_or_death(task):
            if task.numbers[0] == 0:
                marker.touch()
                os.kill(os.getpid(), signal.SIGKILL)
            return results(task)

        tasks.Task.results = results_or_death

    with LocalCluster(n_workers=1, **START) as cluster, Client(cluster) as own:
        # The process that takes its place does not know of it.
        own.run(make_deadly)
        found = pixels.get_series(rasters, client=own)
    assert marker.exists()
    assert_same_bytes(found, pixels.get_series(rasters))


def test_copying_to_a_worker_that_hangs_ends():
    class Future:
        status = "finished"

        def exception(self, timeout):
            return None

    class Hanging:
        def submit(self, make, piece, **options):
            return Future()

        def replicate(self, pieces, callback_timeout):
            raise TimeoutError(f"timed out after {callback_timeout} s.")

    pieces = []
    assert workers._spread(Hanging(), b"selection", pieces, Interruption())
    assert len(pieces) == 1


def test_nothing_stays_on_the_workers(client, folder):
    selection(folder).get_series(names(folder, "i*.tif"), client=client)
    wait_for(lambda: not any(client.has_what().values()))


def test_a_cluster_of_its_own_is_gone_afterwards(folder, tmp_path, monkeypatch):
    monkeypatch.setattr(large_series, "GROUP_PIXELS", 300)
    before = children()
    pixels, rasters = selection(folder), names(folder, "i*.tif")
    arguments = {"scheduler": "processes", "n_jobs": 1}
    found = pixels.get_series(rasters, out=tmp_path / "there.parquet", **arguments)
    expected = pixels.get_series(rasters, out=tmp_path / "here.parquet")
    assert found.read_bytes() == expected.read_bytes()
    wait_for(lambda: not alive(children() - before))


def test_arguments_are_those_of_get_stats(client, folder):
    pixels, rasters = selection(folder), names(folder, "i*.tif")
    with pytest.raises(ArgumentError, match="n_jobs is of no use with client="):
        pixels.get_series(rasters, client=client, n_jobs=2)
    with pytest.raises(ArgumentError, match="scheduler must be 'threads' or 'processes'"):
        pixels.get_series(rasters, scheduler="dask")
    with pytest.raises(ArgumentError, match=r"client must be .* not str; pass Client\("):
        pixels.get_series(rasters, client="tcp://localhost:8786")


def test_a_cluster_without_workers_is_an_error(folder):
    with (
        LocalCluster(n_workers=0, processes=False, **START) as cluster,
        Client(cluster) as own,
        pytest.raises(ClusterError, match="the cluster has no workers"),
    ):
        selection(folder).get_series(names(folder, "i*.tif"), client=own)


@pytest.mark.parametrize("by", ["area", "all"])
def test_statistics_of_selections(client, folder, monkeypatch, by):
    monkeypatch.setattr(workers, "PIECE_BYTES", 5000)
    pixels, rasters = selection(folder), names(folder, "[in]*.tif")
    arguments = {"stats": ["mean", "count", "median"], "by": by, "times": range(12)}
    expected = pixels.get_stats(rasters, **arguments)
    found = pixels.get_stats(rasters, client=client, **arguments)
    assert_frame_equal(found, expected, rtol=1e-12)


def test_statistics_of_features(client, folder):
    cdb = CraterDatabase(worlds.table([0, 40], [0, 50], [worlds.metres(20)] * 2), "moon", units="m")
    cdb.add_annuli("rim", 0.5, 1.0)
    rasters = names(folder, "[in]*.tif")
    arguments = {"stats": ["mean", "count", "median"], "times": range(12)}
    expected = cdb.get_series(rasters, "rim", **arguments)
    found = cdb.get_series(rasters, "rim", client=client, **arguments)
    assert_frame_equal(found, expected, rtol=1e-12)
