"""What GDAL is told: a caller's environment holds in all threads, and nothing of ours stays behind."""

from __future__ import annotations

import threading

import numpy as np
import pytest
import rasterio
from rasterio.env import get_gdal_config, getenv, hasenv, setenv

import worlds
from craterkit import CraterDatabase
from craterkit.rasters.gdal import GdalRaster
from craterkit.rasters.gdal_settings import block_cache

GRID = worlds.lonlat(1.0)
CACHE = "GDAL_CACHEMAX"


@pytest.fixture
def cdb():
    rng = np.random.default_rng(1)
    table = worlds.table(rng.uniform(-180, 180, 50), rng.uniform(-80, 80, 50), worlds.metres(5.0))
    cdb = CraterDatabase(table, "moon")
    cdb.add_circles("floor")
    return cdb


@pytest.fixture
def raster(tmp_path):
    values = np.arange(GRID.shape[0] * GRID.shape[1]).reshape(GRID.shape) % 251
    return worlds.write(tmp_path / "r.tif", GRID, values, dtype="uint8", block=16)


@pytest.mark.parametrize("jobs", [1, 2])
def test_credentials_of_the_caller_reach_all_threads(cdb, raster, monkeypatch, jobs):
    seen, read = set(), GdalRaster.read

    def noted(self, *args):
        seen.add((get_gdal_config("AWS_ACCESS_KEY_ID"), hasenv()))
        read(self, *args)

    monkeypatch.setattr(GdalRaster, "read", noted)
    with rasterio.Env():
        # As the sessions of rasterio do it; Env does not take credentials as options.
        setenv(AWS_ACCESS_KEY_ID="key")
        cdb.get_stats(raster, "floor", n_jobs=jobs, max_memory="1 MiB")
        assert getenv()["AWS_ACCESS_KEY_ID"] == get_gdal_config("AWS_ACCESS_KEY_ID") == "key"
    assert seen == {("key", True)}


def test_iterators_may_be_taken_in_turn(cdb, raster):
    one, other = (cdb.iter_arrays(raster, "floor", max_memory="1 MiB") for _ in range(2))
    for (index, array), (label, same) in zip(one, other, strict=True):
        assert index == label
        np.testing.assert_array_equal(array, same)
    assert not hasenv()


def test_an_environment_may_end_between_two_arrays(cdb, raster):
    arrays = cdb.iter_arrays(raster, "floor", max_memory="1 MiB")
    with rasterio.Env():
        next(arrays)
    rest = []
    thread = threading.Thread(target=lambda: rest.extend(arrays))
    thread.start()
    thread.join()
    assert len(rest) == len(cdb) - 1
    assert not hasenv()


def test_limits_of_the_cache_may_overlap_in_any_order():
    before = get_gdal_config(CACHE)
    first, second = block_cache(3_000_000), block_cache(2_000_000)
    first.__enter__()
    assert get_gdal_config(CACHE) == 3_000_000
    second.__enter__()
    assert get_gdal_config(CACHE) == 2_000_000
    first.__exit__(None, None, None)
    assert get_gdal_config(CACHE) == 2_000_000
    second.__exit__(None, None, None)
    assert get_gdal_config(CACHE) == before
