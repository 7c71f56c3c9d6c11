"""How rasters are walked: threads, chunks and blocks change nothing, and every block is read once."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import rasterio
from hypothesis import given
from hypothesis import strategies as st

import worlds
from craterkit import CraterDatabase
from craterkit.extraction import batches, plan
from craterkit.rasters.gdal import GdalRaster
from craterkit.statistics.ordered import Groups, SortedGroups

STATS = ["mean", "count", "std", "sum", "min", "max", "median", "majority", "valid_fraction"]


@pytest.fixture(scope="module")
def survey(tmp_path_factory):
    """Craters of all sizes everywhere, basins and poles included, over a tiled raster."""
    rng = np.random.default_rng(11)
    grid = worlds.lonlat(0.5)
    values = rng.integers(-500, 500, grid.shape).astype(np.int16)
    path = worlds.write(
        tmp_path_factory.mktemp("survey") / "relief.tif",
        grid,
        values,
        dtype="int16",
        nodata=-500,
        block=64,
    )
    count = 300
    table = pd.DataFrame(
        {
            "lon": rng.uniform(-180, 180, count),
            "lat": np.degrees(np.arcsin(rng.uniform(-1, 1, count))),
            "radius_m": worlds.metres(1.0) * rng.pareto(1.5, count).clip(0.05, 40),
        }
    )
    table.loc[0, ["lon", "lat"]] = 180.0, 90.0
    table.loc[1, ["lon", "lat", "radius_m"]] = -60.0, -88.0, worlds.metres(30.0)
    cdb = CraterDatabase(table, "moon")
    cdb.add_annuli("rim", 1, 1.5)
    cdb.add_circles("floor", 0.7)
    return cdb, path


@pytest.mark.parametrize("coverage", ["all_touched", "center", "fraction"])
def test_threads_and_chunks_change_nothing(survey, coverage, monkeypatch):
    cdb, path = survey
    options = {"coverage": coverage, "weights": "area"}
    whole = cdb.get_stats(path, ["rim", "floor"], STATS, n_jobs=1, **options)
    monkeypatch.setattr(plan, "CHUNK_PIXELS", 1)
    monkeypatch.setattr(batches, "BATCH_ROWS", 50)
    monkeypatch.setattr(batches, "PORTION_PIXELS", 300)
    pieces = cdb.get_stats(path, ["rim", "floor"], STATS, n_jobs=2, **options)
    for column in whole.columns:
        if column.startswith(("count", "min", "max")):
            np.testing.assert_array_equal(pieces[column], whole[column], err_msg=column)
        else:
            np.testing.assert_allclose(
                pieces[column], whole[column], rtol=1e-9, atol=1e-9, err_msg=column
            )


def test_arrays_do_not_depend_on_chunks(survey, monkeypatch):
    cdb, path = survey
    whole = cdb.get_arrays(path, "rim", n_jobs=1, georeferenced=True)
    monkeypatch.setattr(plan, "CHUNK_PIXELS", 1)
    pieces = cdb.get_arrays(path, "rim", n_jobs=2, georeferenced=True)
    assert list(whole["rim_transform"]) == list(pieces["rim_transform"])
    for one, other in zip(whole["rim"], pieces["rim"], strict=True):
        np.testing.assert_array_equal(one.mask, other.mask)
        np.testing.assert_array_equal(one.compressed(), other.compressed())


def test_regions_and_rasters_together_give_what_each_gives_alone(survey):
    cdb, path = survey
    together = cdb.get_stats({"a": path, "b": str(path)}, ["rim", "floor"])
    for name in ("a", "b"):
        for region in ("rim", "floor"):
            alone = cdb.get_stats(path, region)
            for stat in ("mean", "count", "std"):
                np.testing.assert_array_equal(
                    together[f"{stat}_{name}_{region}"], alone[f"{stat}_{region}"]
                )


@pytest.fixture
def reads(monkeypatch):
    """Windows that are read, in order."""
    windows = []
    read = GdalRaster.read

    def counted(self, band, window, out, mask):
        windows.append((band.number, window))
        return read(self, band, window, out, mask)

    monkeypatch.setattr(GdalRaster, "read", counted)
    return windows


def test_every_block_is_read_once(survey, reads, monkeypatch):
    monkeypatch.setattr(plan, "CHUNK_PIXELS", 1)
    cdb, path = survey
    cdb.get_stats(path, ["rim", "floor"], n_jobs=1)
    times = np.zeros((360, 720), dtype=int)
    for _, (row, row_stop, column, column_stop) in reads:
        assert row % 64 == 0
        assert column % 64 == 0
        times[row:row_stop, column:column_stop] += 1
    assert times.max() == 1
    starts = [window.row_start for _, window in reads]
    assert starts == sorted(starts)


def test_only_the_blocks_that_rois_touch_are_read(survey, reads):
    _, path = survey
    table = pd.DataFrame({"lon": [10.0, 179.9], "lat": [5.0, -45.0], "radius_m": [60e3, 60e3]})
    cdb = CraterDatabase(table, "moon")
    cdb.add_circles("c")
    cdb.get_stats(path, "c")
    # Row 170 and column 380; row 270 and both ends of the raster.
    blocks = {(w.row_start // 64, w.col_start // 64) for _, w in reads}
    assert blocks == {(2, 5), (4, 0), (4, 11)}


def test_an_open_dataset_is_used_and_left_open(survey):
    cdb, path = survey
    with rasterio.open(path) as dataset:
        stats = cdb.get_stats(dataset, "rim")
        assert not dataset.closed
    pd.testing.assert_frame_equal(stats, cdb.get_stats(path, "rim"))


def test_arrays_hold_the_pixels_of_their_transform(survey):
    cdb, path = survey
    arrays = cdb.get_arrays(path, "floor", georeferenced=True)
    with rasterio.open(path) as dataset:
        raw = dataset.read(1)
        for array, transform in zip(arrays["floor"], arrays["floor_transform"], strict=True):
            if transform is None:
                assert array.shape == (0, 0)
                continue
            column = round((transform.c - dataset.transform.c) / transform.a)
            row = round((transform.f - dataset.transform.f) / transform.e)
            columns = np.arange(column, column + array.shape[1]) % dataset.width
            window = raw[row : row + array.shape[0]][:, columns]
            np.testing.assert_array_equal(array.data[~array.mask], window[~array.mask])
            # The window is the bounding box of the footprint: no empty edges, but for no data.
            inside = ~array.mask | (window == -500)
            assert inside[0].any()
            assert inside[-1].any()
            assert inside[:, 0].any()
            assert inside[:, -1].any()


def test_progress_is_shown_on_request_only(survey, capsys):
    cdb, path = survey
    cdb.get_stats(path, "rim", progress=True)
    assert "Statistics" in capsys.readouterr().err
    cdb.get_stats(path, "rim", progress=False)
    assert capsys.readouterr().err == ""


@given(
    st.lists(st.integers(0, 12), min_size=1, max_size=6),
    st.sampled_from(["uint8", "int16", "int32", "float32", "float64"]),
    st.floats(0, 1),
    st.integers(0, 2**32 - 1),
)
def test_quantiles_are_those_of_numpy(counts, dtype, q, seed):
    count = np.array(counts)
    rng = np.random.default_rng(seed)
    values = rng.integers(0, 9, count.sum()).astype(dtype)
    if values.dtype.kind == "f":
        values -= np.asarray(4.3, dtype=dtype)
    groups = np.split(values.astype(float), np.cumsum(count)[:-1])
    expected = [np.quantile(group, q) if group.size else np.nan for group in groups]
    plain = SortedGroups(Groups(count, values, None))
    np.testing.assert_allclose(plain.quantile(q), expected, rtol=1e-12, atol=1e-12)
    # Equal weights, whatever they are, are no weights; what weighs nothing does not count.
    weighted = SortedGroups(Groups(count, values, np.full(values.size, 0.3)))
    np.testing.assert_allclose(weighted.quantile(q), expected, rtol=1e-9, atol=1e-9)
    doubled = Groups(2 * count, np.repeat(values, 2), np.tile([0.7, 0.0], values.size))
    np.testing.assert_allclose(SortedGroups(doubled).quantile(q), expected, rtol=1e-9, atol=1e-9)
