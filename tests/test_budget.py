"""`max_memory`: what it may be, and that arrays really take no more."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
import rasterio
from affine import Affine
from rasterio.env import get_gdal_config

import worlds
from craterkit import CraterDatabase
from craterkit.errors import ArgumentError
from craterkit.extraction.budget import DEFAULT_MEMORY, Budget, parse_memory
from craterkit.rasters.gdal import GdalRaster

MIB = 1024**2

#: Beside the budget: what each call and each ROI takes, whatever the pixels.
MARGIN = 4 * MIB


@pytest.mark.parametrize(
    ("given", "memory"),
    [
        (None, DEFAULT_MEMORY),
        (MIB, MIB),
        (np.int64(2 * MIB), 2 * MIB),
        (3e6, 3_000_000),
        ("2 GB", 2 * 10**9),
        ("2gb", 2 * 10**9),
        (" 1.5GiB ", 3 * 2**29),
        ("512 MiB", 2**29),
        ("512Mi", 2**29),
        ("2048k", 2_048_000),
        ("2048 KiB", 2 * MIB),
        ("1 TB", 10**12),
        ("5000000", 5_000_000),
        ("5000000 B", 5_000_000),
    ],
)
def test_amounts(given, memory):
    assert parse_memory(given) == memory


@pytest.mark.parametrize(
    "given",
    [
        *("", "much", "2 XB", "-2 GB", "2 GB or so", "1e9", "0.5 MiB", "1,5 GB", "1000 iB"),
        *(0, -1, 1e5, np.nan, np.inf, True, b"2 GB", [2]),
    ],
)
def test_what_is_no_amount_is_an_error(given):
    with pytest.raises(ArgumentError, match="max_memory must be a number of bytes or a text"):
        parse_memory(given)


def test_the_argument_is_checked_before_anything_is_read():
    cdb = CraterDatabase(worlds.table(0.0, 0.0, 1e4), "moon")
    cdb.add_circles("c")
    for method in (cdb.get_stats, cdb.get_arrays, cdb.iter_arrays, cdb.get_pixels):
        with pytest.raises(ArgumentError, match="not 'little'"):
            method("nowhere.tif", "c", max_memory="little")


@pytest.mark.parametrize("memory", [MIB, 16 * MIB, 512 * MIB])
@pytest.mark.parametrize("threads", [1, 2, 8, 64])
def test_shares_add_up(memory, threads):
    budget = Budget(memory, threads)
    read = (threads + 1) * budget.pixels_read(4) * 4
    at_work = threads * budget.pixels_at_work * 64
    assert max(read, at_work, budget.values_held * 24) <= memory // 4


# Peaks

MEMORY = 16 * MIB

#: Whole around the body; several times as large as the budget in any dtype.
SHAPE = 1024, 10240
PIXEL = 360 / SHAPE[1]
NORTH = PIXEL * SHAPE[0] / 2


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Rasters in large tiles, and one for weights on another grid."""
    folder = tmp_path_factory.mktemp("large")
    rng = np.random.default_rng(0)
    values = rng.normal(0.0, 1000.0, SHAPE).astype(np.float32)
    for dtype in ("int16", "float32"):
        with rasterio.open(
            folder / f"{dtype}.tif",
            "w",
            driver="GTiff",
            height=SHAPE[0],
            width=SHAPE[1],
            count=1,
            dtype=dtype,
            tiled=True,
            blockxsize=512,
            blockysize=512,
            crs=rasterio.CRS.from_wkt(worlds.MOON_CRS.to_wkt()),
            transform=Affine(PIXEL, 0.0, -180.0, 0.0, -PIXEL, NORTH),
        ) as file:
            file.write(values.astype(dtype), 1)
    coarse = worlds.lonlat(0.5)
    worlds.write(folder / "coarse.tif", coarse, rng.random(coarse.shape), dtype="float32")
    return folder


def database(columns, rows, radius):
    """Circles, by their pixels."""
    cdb = CraterDatabase(
        worlds.table(
            -180.0 + PIXEL * np.asarray(columns),
            NORTH - PIXEL * np.asarray(rows),
            worlds.metres(PIXEL) * np.asarray(radius),
        ),
        "moon",
    )
    cdb.add_circles("c")
    return cdb


def survey(name):
    """ROIs that are large, overlap, or are many."""
    rng = np.random.default_rng(8)
    if name == "one":
        return database(5000.0, 512.0, 5100.0)
    if name == "across":
        # All of them across the borders of blocks and each other.
        return database(
            rng.uniform(1500, 2500, 8), rng.uniform(400, 600, 8), rng.uniform(200, 300, 8)
        )
    if name == "crowded":
        return database(
            rng.uniform(900, 1100, 100), rng.uniform(200, 300, 100), rng.uniform(40, 70, 100)
        )
    if name == "within":
        # In one block each, and too large to be worked on at once.
        return database(
            rng.uniform(1200, 1300, 30), rng.uniform(250, 260, 30), rng.uniform(200, 210, 30)
        )
    return database(rng.uniform(0, 10240, 3000), rng.uniform(0, 1024, 3000), np.full(3000, 4.0))


def peak_of(call):
    """Bytes of arrays and other objects that a call has at most beyond those before it."""
    tracemalloc.start()
    try:
        call()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.fixture(scope="module", autouse=True)
def imported(folder):
    """What is imported on the way, before it is measured."""
    cdb = survey("many")
    cdb.get_stats(folder / "int16.tif", "c", ["median"], coverage="fraction", weights="area")
    cdb.get_stats(folder / "int16.tif", "c", exclude="neighbors")


MEDIAN = {"stats": ["median", "percentile_90"]}
AREA = {"coverage": "fraction", "weights": "area"}
CALLS = [
    ("one", "int16", {}),
    ("across", "float32", MEDIAN),
    ("across", "int16", MEDIAN | AREA),
    ("within", "int16", AREA),
    ("within", "int16", MEDIAN),
    ("within", "int16", MEDIAN | AREA),
    ("crowded", "int16", MEDIAN | AREA),
    ("crowded", "float32", {"stats": ["skewness", "argmax_lon", "area"]}),
    ("crowded", "int16", {"exclude": "neighbors"}),
    ("crowded", "int16", {"where": "same"}),
    ("crowded", "int16", {"where": "coarse", "align": "nearest"}),
    ("crowded", "int16", {"weights": "coarse", "align": "nearest"}),
    ("many", "float32", MEDIAN | AREA),
]


@pytest.mark.parametrize(("name", "raster", "options"), CALLS)
def test_statistics_take_no_more(folder, name, raster, options):
    cdb, path = survey(name), folder / f"{raster}.tif"
    options = dict(options)
    if "where" in options:
        other = path if options["where"] == "same" else folder / "coarse.tif"
        options["where"] = {other: lambda values: values > 0.2}
    if options.get("weights") == "coarse":
        options["weights"] = folder / "coarse.tif"
    peak = peak_of(
        lambda: cdb.get_stats(path, "c", n_jobs=2, max_memory=MEMORY, progress=False, **options)
    )
    assert peak < MEMORY + MARGIN


@pytest.mark.parametrize("name", ["across", "within", "crowded"])
def test_arrays_and_tables_of_pixels_take_no_more(folder, tmp_path, name):
    cdb, path = survey(name), folder / "int16.tif"
    options = {"n_jobs": 2, "max_memory": MEMORY, "progress": False}
    peaks = {
        "one by one": peak_of(lambda: sum(1 for _ in cdb.iter_arrays(path, "c", **options))),
        "arrays": peak_of(lambda: cdb.get_arrays(path, "c", out=tmp_path / "a.parquet", **options)),
        "pixels": peak_of(
            lambda: cdb.get_pixels(
                path,
                "c",
                columns=["feature", "row", "col", "value"],
                out=tmp_path / "p.parquet",
                **options,
            )
        ),
    }
    assert max(peaks.values()) < MEMORY + MARGIN, peaks


@pytest.mark.parametrize(("memory", "cache"), [(16 * MIB, 2 * MIB), ("4 GiB", 64 * MIB)])
@pytest.mark.parametrize("threads", [1, 2])
def test_gdal_keeps_few_blocks_and_only_meanwhile(folder, monkeypatch, memory, cache, threads):
    seen = set()
    read = GdalRaster.read

    def noted(self, *args):
        seen.add(get_gdal_config("GDAL_CACHEMAX"))
        read(self, *args)

    monkeypatch.setattr(GdalRaster, "read", noted)
    with rasterio.Env(GDAL_CACHEMAX=100 * MIB):
        survey("crowded").get_stats(
            folder / "int16.tif", "c", n_jobs=threads, max_memory=memory, progress=False
        )
        assert get_gdal_config("GDAL_CACHEMAX") == 100 * MIB
    before = get_gdal_config("GDAL_CACHEMAX")
    survey("crowded").get_stats(
        folder / "int16.tif", "c", n_jobs=threads, max_memory=memory, progress=False
    )
    assert get_gdal_config("GDAL_CACHEMAX") == before
    assert seen == {cache}
