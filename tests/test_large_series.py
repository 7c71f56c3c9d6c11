"""Series in portions, in chunks and with gaps: the values are those of `array[mask]`, or an error."""

from __future__ import annotations

import logging
import threading
import tracemalloc
from functools import partial

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
import rasterio.shutil
from hypothesis import given
from hypothesis import strategies as st

import worlds
from craterkit import PixelSelection
from craterkit.bodies import get_body
from craterkit.coordinates import CoordinateSystem
from craterkit.errors import ArgumentError, UnreadableWarning
from craterkit.footprints.chosen import ChosenFootprints
from craterkit.footprints.rules import Rules
from craterkit.grids.base import make_grid
from craterkit.rasters.gdal import GdalRaster
from craterkit.regions.chosen import ChosenPixels
from craterkit.selection.runs import Runs
from craterkit.series import large_series, reading, series_cluster
from craterkit.series.portions import Portions

GRID = worlds.lonlat(4.0)
COARSE = worlds.lonlat(6.0)
RNG = np.random.default_rng(5)
VALUES = RNG.integers(0, 200, (4, *GRID.shape))
MASK = np.random.default_rng(3).random(GRID.shape) < 0.2
PLANETOCENTRIC = CoordinateSystem.from_user_input(
    worlds.MOON_CRS, get_body("moon"), what="the grid"
)
HUGE = VALUES[0] + 2**53 + 1


def selection(path, mask=MASK):
    return PixelSelection.from_array(mask, grid=path)


def write_all(folder, layers=VALUES, **how):
    return [worlds.write(folder / f"w{i}.tif", GRID, own, **how) for i, own in enumerate(layers)]


def to_file(pixels, folder, rasters, **options):
    return pq.read_table(pixels.get_series(rasters, out=folder / "s.parquet", **options))


def from_file(pixels, folder, rasters, **options):
    table = to_file(pixels, folder, rasters, **options).to_pandas()
    return table.drop(columns=list(large_series.PLACES)).to_numpy().T


def from_chunks(pixels, folder, rasters, chunks=1, **options):
    return pixels.to_xarray(rasters, chunks=chunks, **options).to_numpy()


LATER = pytest.mark.parametrize("read", [from_file, from_chunks])


class TestLargeIntegers:
    """Integers that float64 does not hold are never rounded."""

    @LATER
    @pytest.mark.parametrize(
        ("how", "options"),
        [({"nodata": -9}, {}), ({}, {"errors": "flag"}), ({}, {"nodata": -9})],
    )
    def test_an_error_where_data_may_be_missing(self, tmp_path, read, how, options):
        paths = write_all(tmp_path, [HUGE, HUGE + 1], dtype="int64", **how)
        pixels, options = selection(paths[0]), {"times": [1, 2], **options}
        np.testing.assert_array_equal(pixels.get_series(paths, **options).loc[1], HUGE[MASK])
        with pytest.raises(
            ArgumentError, match=r"w[01]\.tif holds integers beyond 2\*\*53.*chunks="
        ):
            read(pixels, tmp_path, paths, **options)

    @LATER
    def test_exact_where_none_can_be_missing(self, tmp_path, read):
        paths = write_all(tmp_path, [HUGE, HUGE + 1], dtype="int64")
        found = read(selection(paths[0]), tmp_path, paths, times=[1, 2], align="nearest")
        assert found.dtype == np.int64
        np.testing.assert_array_equal(found, [HUGE[MASK], HUGE[MASK] + 1])

    @pytest.mark.parametrize(
        ("large", "dtype", "other"),
        [(2**63 + 5, "uint64", "int64"), (2**53 + 3, "int64", "float32")],
    )
    def test_an_error_beside_another_dtype(self, tmp_path, large, dtype, other):
        values = np.full(GRID.shape, large, dtype=dtype)
        first = worlds.write(tmp_path / "large.tif", GRID, values, dtype=dtype)
        second = worlds.write(tmp_path / "other.tif", GRID, VALUES[0], dtype=other)
        pixels = selection(first)
        for rasters in ([first, second], [second, first]):
            with pytest.raises(ArgumentError, match=r"large\.tif holds integers .* by itself"):
                pixels.get_series(rasters, times=[1, 2])

    def test_what_is_no_data_may_be_large(self, tmp_path):
        values = np.where(VALUES[0] < 50, -(2**62), VALUES[0])
        path = worlds.write(tmp_path / "a.tif", GRID, values, dtype="int64")
        found = selection(path).get_series([path], times=[1], nodata=-(2**62)).to_numpy()[0]
        expected = np.where(VALUES[0] < 50, np.nan, VALUES[0])[MASK]
        np.testing.assert_array_equal(found, expected)


class TestGaps:
    """Integers become float64 once data are missing, whenever that turns out."""

    @pytest.mark.parametrize("dtype", ["uint8", "int16", "int32", "int64"])
    @pytest.mark.parametrize("gaps", [(), (0,), (2,), (3,), (1, 3)])
    @pytest.mark.parametrize("jobs", [1, 3])
    def test_values_are_those_of_the_arrays(self, tmp_path, dtype, gaps, jobs):
        nodata = [7 if i in gaps else 201 for i in range(4)]
        paths = [
            worlds.write(tmp_path / f"w{i}.tif", GRID, own, dtype=dtype, nodata=nodata[i])
            for i, own in enumerate(VALUES)
        ]
        found = selection(paths[0]).get_series(paths, times=range(4), n_jobs=jobs).to_numpy()
        expected = VALUES[:, MASK].astype("float64" if gaps else dtype)
        for layer in gaps:
            expected[layer, expected[layer] == 7] = np.nan
        assert found.dtype == expected.dtype
        np.testing.assert_array_equal(found, expected)

    def test_no_second_table_is_held(self):
        size, layers = 500, 20
        stack = [np.full((size, size), layer, dtype=np.int32) for layer in range(layers)]
        whole = np.ones((size, size), dtype=bool)
        pixels = PixelSelection.from_array(whole)
        tracemalloc.start()
        found = pixels.get_series(stack, times=range(layers), nodata=layers - 1, n_jobs=1)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        result = found.to_numpy().nbytes
        assert result == layers * size**2 * 8
        assert np.isnan(found.iloc[-1]).all()
        assert peak < 1.3 * result


class TestLaterDtype:
    """A file and a lazy array have the dtype that the table in memory has, or one for gaps."""

    @LATER
    @pytest.mark.parametrize(
        ("dtype", "options", "expected"),
        [
            ("float32", {"align": "bilinear"}, np.float64),
            ("uint8", {"align": "bilinear"}, np.float64),
            ("uint8", {"align": "nearest"}, np.uint8),
            ("float32", {"align": "nearest"}, np.float32),
            ("uint8", {"nodata": 250}, np.float64),
        ],
    )
    def test_on_the_same_grid(self, tmp_path, read, dtype, options, expected):
        paths = write_all(tmp_path, dtype=dtype)
        found = read(selection(paths[0]), tmp_path, paths, times=range(4), **options)
        assert found.dtype == expected
        np.testing.assert_array_equal(found, VALUES[:, MASK])

    @LATER
    def test_on_another_grid(self, tmp_path, read):
        fine = worlds.write(tmp_path / "fine.tif", GRID, VALUES[0], dtype="uint8")
        coarse = worlds.write(tmp_path / "coarse.tif", COARSE, np.uint8(3), dtype="uint8")
        found = read(selection(fine), tmp_path, [coarse], times=[1], align="nearest")
        assert found.dtype == np.float64
        np.testing.assert_array_equal(found, 3)


class TestNames:
    """What columns may be called, found out before anything is read or started."""

    @pytest.mark.parametrize("name", large_series.PLACES)
    def test_places_are_not_overwritten(self, tmp_path, name):
        path = worlds.write(tmp_path / f"{name}.tif", GRID, VALUES[0], dtype="uint8")
        with pytest.raises(ArgumentError, match=f"times: '{name}' would be the name of two"):
            selection(path).get_series([path], out=tmp_path / "s.parquet")
        assert not (tmp_path / "s.parquet").exists()

    def test_before_processes_are_started(self, tmp_path, monkeypatch):
        def never(execution):
            raise AssertionError("processes are started")

        monkeypatch.setattr(series_cluster, "open_cluster", never)
        path = worlds.write(tmp_path / "a.tif", GRID, VALUES[0], dtype="uint8")
        pd.DataFrame({"a": [1]}).to_parquet(tmp_path / "mine.parquet")
        with pytest.raises(ArgumentError, match="does not come from get_series"):
            selection(path).get_series(
                [path], times=[1], out=tmp_path / "mine.parquet", scheduler="processes"
            )


class TestPortions:
    """Pixels by number, cut at rows of blocks."""

    @given(st.integers(0, 2**32), st.integers(0, 60), st.integers(0, 60))
    def test_a_part_is_a_slice_of_all(self, seed, first, end):
        mask = np.random.default_rng(seed).random((6, 10)) < 0.5
        runs = Runs.from_mask(mask)
        label = np.arange(len(runs))
        first, end = sorted((min(first, runs.pixels), min(end, runs.pixels)))
        part, labels = Portions(runs, label).part(first, end)
        np.testing.assert_array_equal(part.rows, runs.rows[first:end])
        np.testing.assert_array_equal(part.cols, runs.cols[first:end])
        np.testing.assert_array_equal(labels, np.repeat(label, runs.length)[first:end])
        assert (part.length > 0).all()

    @given(st.integers(0, 2**32), st.integers(1, 70), st.integers(1, 7))
    def test_cuts(self, seed, most, block):
        mask = np.random.default_rng(seed).random((6, 10)) < 0.5
        runs = Runs.from_mask(mask)
        edges = np.append(np.arange(0, 6, block), 6)
        cuts = Portions(runs, np.zeros(len(runs), dtype=int)).cuts(edges, most)
        sizes = np.diff(cuts)
        assert (cuts[0], cuts[-1]) == (0, mask.sum())
        assert ((sizes > 0) & (sizes <= most)).all()
        starts = {int(mask[:edge].sum()) for edge in edges}
        rows = np.searchsorted(edges, runs.rows, side="right")
        if np.bincount(rows).max(initial=0) <= most:
            assert set(cuts) <= starts

    def test_blocks_are_decoded_once(self, tmp_path, monkeypatch):
        paths = write_all(tmp_path, dtype="uint8", block=16)
        pixels = selection(paths[0])
        windows = []
        read = reading.read_window

        def counted(raster, bands, window, *arguments, **options):
            windows.append((raster.name, window.row_start // 16, window.row_stop - 1))
            return read(raster, bands, window, *arguments, **options)

        monkeypatch.setattr(reading, "read_window", counted)
        most = max(int(MASK[top : top + 16].sum()) for top in (0, 16, 32)) + 10
        monkeypatch.setattr(large_series, "_sizes", lambda *arguments: (most, 50))
        table = to_file(pixels, tmp_path, paths, times=range(4))
        assert len(windows) == 4 * 3
        assert all(last // 16 == block for _, block, last in windows)
        np.testing.assert_array_equal(table["2"], VALUES[2][MASK])
        np.testing.assert_array_equal(table["row"], np.nonzero(MASK)[0])
        np.testing.assert_array_equal(table["area"], pixels.labels)

    def test_a_row_of_blocks_that_is_too_much(self, tmp_path, monkeypatch):
        paths = write_all(tmp_path, dtype="uint8", block=16)
        monkeypatch.setattr(large_series, "_sizes", lambda *arguments: (17, 5))
        found = from_file(selection(paths[0]), tmp_path, paths, times=range(4))
        np.testing.assert_array_equal(found, VALUES[:, MASK])

    def test_nothing_chosen(self, tmp_path):
        (path,) = write_all(tmp_path, VALUES[:1], dtype="uint8")
        table = to_file(selection(path, ~MASK & MASK), tmp_path, [path], times=["a"])
        assert table.num_rows == 0
        assert table.column_names == [*large_series.PLACES, "a"]

    def test_memory_is_bounded(self, tmp_path):
        size = 2000
        rasters = [np.zeros((size, size), dtype=np.uint8)] * 2
        pixels = PixelSelection.from_array(np.ones((size, size), dtype=bool))
        out = partial(pixels.get_series, rasters, times=range(2), max_memory="4 MiB", n_jobs=1)
        tracemalloc.start()
        out(out=tmp_path / "s.parquet")
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 8 * size**2 / 2


class TestChunks:
    """Lazy arrays."""

    def test_a_chunk_of_nothing_but_missing_files(self, tmp_path):
        paths = write_all(tmp_path, VALUES[:2], dtype="int16")
        rasters = [paths[0], tmp_path / "gone.tif", paths[1]]
        with pytest.warns(UnreadableWarning, match="gone"):
            array = selection(paths[0]).to_xarray(rasters, times=range(3), errors="flag", chunks=1)
        found = array.to_numpy()
        np.testing.assert_array_equal(found[[0, 2]], VALUES[:2, MASK])
        assert np.isnan(found[1]).all()

    @pytest.mark.parametrize("chunks", [2.5, "auto", True, 0, -1, (1, 1)])
    def test_chunks_that_cannot_be(self, tmp_path, chunks):
        (path,) = write_all(tmp_path, VALUES[:1], dtype="int16")
        with pytest.raises(ArgumentError, match="chunks must be a number of layers"):
            selection(path).to_xarray([path], times=[1], chunks=chunks)

    def test_on_a_cluster(self, tmp_path):
        from distributed import Client, LocalCluster

        paths = write_all(tmp_path, dtype="int16")
        start = {"dashboard_address": "127.0.0.1:0", "silence_logs": logging.CRITICAL}
        placed = selection(paths[0]).to_xarray(paths, times=range(4), chunks=2)
        in_memory = PixelSelection.from_array(MASK).to_xarray(VALUES, times=range(4), chunks=2)
        np.testing.assert_array_equal(in_memory, VALUES[:, MASK])
        with LocalCluster(n_workers=1, threads_per_worker=1, **start) as cluster, Client(cluster):
            np.testing.assert_array_equal(placed.to_numpy(), VALUES[:, MASK])
            with pytest.raises(Exception, match="serialize") as caught:
                in_memory.compute()
        assert "lies in the memory of this process" in str(caught.getrepr(chain=True))


class TestOpenRasters:
    """A raster is open from the first task that needs it to the last."""

    @pytest.mark.parametrize("jobs", [1, 2])
    def test_rasters_with_bands_apart_are_not_all_open(self, tmp_path, monkeypatch, jobs):
        worlds.write(tmp_path / "pixel.tif", GRID, VALUES[:2], dtype="int16", block=16)
        paths = [tmp_path / f"b{i}.tif" for i in range(8)]
        for path in paths:
            rasterio.shutil.copy(tmp_path / "pixel.tif", path, interleave="band")
        held, most, lock = set(), [0], threading.Lock()
        dataset, close = GdalRaster.dataset, GdalRaster.close

        def opened(self):
            with lock:
                held.add(self.name)
                most[0] = max(most[0], len(held))
            return dataset(self)

        def closed(self):
            with lock:
                held.discard(self.name)
            close(self)

        pixels = selection(paths[0])
        monkeypatch.setattr(GdalRaster, "dataset", opened)
        monkeypatch.setattr(GdalRaster, "close", closed)
        # All first bands come before all second ones.
        times = [time for pair in zip(range(8), range(8, 16), strict=True) for time in pair]
        found = pixels.get_series(paths, bands=[1, 2], times=times, sort=True, n_jobs=jobs)
        np.testing.assert_array_equal(found.loc[:7], np.repeat([VALUES[0][MASK]], 8, axis=0))
        np.testing.assert_array_equal(found.loc[8:], np.repeat([VALUES[1][MASK]], 8, axis=0))
        assert most[0] <= jobs + 1
        assert not held


@given(st.integers(0, 2**32), st.integers(-2, 8), st.integers(-2, 8))
def test_footprints_of_chosen_pixels_between_two_rows(seed, row_start, row_stop):
    grid = make_grid((6, 12), worlds.lonlat(30.0).transform, PLANETOCENTRIC, "grid")
    rng = np.random.default_rng(seed)
    runs = Runs.from_mask(rng.random((6, 12)) < 0.5)
    spans = runs.spans(rng.integers(0, 3, len(runs)))
    engine = ChosenFootprints(grid, ChosenPixels(spans, 4, grid), Rules())
    rois = np.array([0, 1, 3, 2])
    found = engine.footprints(rois, row_start, row_stop).spans
    inside = (spans.row >= row_start) & (spans.row < row_stop)
    expected = sorted(
        zip(
            np.argsort(rois)[spans.roi[inside]], spans.row[inside], spans.start[inside], strict=True
        )
    )
    assert list(zip(found.roi, found.row, found.start, strict=True)) == expected
