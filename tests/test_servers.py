"""Servers that hang up or fall silent: a clear error, never a part taken for the whole."""

from __future__ import annotations

import gzip
import io
import os
import signal
import subprocess
import sys
import zipfile
from contextlib import suppress
from functools import partial
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import rasterio
from pandas.testing import assert_frame_equal
from rasterio.env import getenv
from rasterio.shutil import copy

from craterkit import CraterDatabase, PixelSelection
from craterkit.errors import RasterError, TableError
from servers import STUCK, serving
from surveys import GRID, database, wait_for, write_field

OPTION = "GDAL_HTTP_LOW_SPEED_TIME"

#: Beyond what GDAL asks for when it opens a raster.
BODY = 16_000

TABLE = pd.DataFrame(
    {"lat": np.arange(300) % 80, "lon": np.arange(300), "radius_m": 5000 + np.arange(300)}
)


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")


def written(write):
    file = io.BytesIO()
    write(file)
    return file.getvalue()


def points():
    return gpd.GeoDataFrame(
        TABLE, geometry=gpd.points_from_xy(TABLE["lon"], TABLE["lat"]), crs="IAU_2015:30100"
    )


def zipped():
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("craters.csv", TABLE.to_csv(index=False))
    return file.getvalue()


def by_gdal(kind, folder):
    points().to_file(folder / f"craters.{kind}")
    return (folder / f"craters.{kind}").read_bytes()


TABLES = {
    "csv": lambda folder: TABLE.to_csv(index=False).encode(),
    "tsv": lambda folder: TABLE.to_csv(index=False, sep="\t").encode(),
    "txt": lambda folder: TABLE.to_string(index=False).encode(),
    "csv.gz": lambda folder: gzip.compress(TABLE.to_csv(index=False).encode()),
    "parquet": lambda folder: written(TABLE.to_parquet),
    "geojson": partial(by_gdal, "geojson"),
    "gpkg": partial(by_gdal, "gpkg"),
    "zip": lambda folder: zipped(),
}
READERS = [CraterDatabase, CraterDatabase.read_file]
IDS = ["CraterDatabase", "read_file"]


@pytest.fixture
def address(tmp_path):
    """The addresses of files in a folder, which is there, too."""
    with serving(tmp_path) as address:
        yield address


@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize("read", READERS, ids=IDS)
@pytest.mark.parametrize("kind", TABLES)
def test_a_table_comes_whole_or_not_at_all(tmp_path, address, kind, read, chunked):
    content, name = TABLES[kind](tmp_path), f"craters.{kind}"
    (tmp_path / name).write_bytes(content)
    found = read(address(name, chunked=chunked), "moon")
    np.testing.assert_array_equal(found.rad, TABLE["radius_m"])
    share = f"after {len(content) // 2} of {len(content)} bytes"
    ended = "before the file did" if chunked else share
    with pytest.raises(TableError, match=f"{name} cannot be read: the connection ended {ended}"):
        read(address(name, "cut", chunked=chunked), "moon")


@pytest.mark.parametrize("read", READERS, ids=IDS)
def test_a_table_that_is_compressed_on_its_way(tmp_path, address, read):
    packed = gzip.compress(TABLE.to_csv(index=False).encode())
    (tmp_path / "craters.csv").write_bytes(packed)
    (tmp_path / "cut.csv").write_bytes(packed[:-20])
    found = read(address("craters.csv", encoding="gzip"), "moon")
    np.testing.assert_array_equal(found.rad, TABLE["radius_m"])
    with pytest.raises(TableError, match=r"cut\.csv cannot be read: .*end-of-stream"):
        read(address("cut.csv", encoding="gzip"), "moon")
    with pytest.raises(TableError, match=f"ended after {len(packed) // 2} of {len(packed)}"):
        read(address("craters.csv", "cut", encoding="gzip"), "moon")


@pytest.mark.filterwarnings("ignore:HTTP response code:RuntimeWarning")
@pytest.mark.parametrize("fault", ["mute", "silent"])
@pytest.mark.parametrize("read", READERS, ids=IDS)
@pytest.mark.parametrize("kind", ["csv", "geojson", "shp"])
def test_a_silent_server_gives_no_table(tmp_path, address, monkeypatch, kind, read, fault):
    monkeypatch.setenv(OPTION, "1")
    (tmp_path / f"craters.{kind}").write_bytes(b"lat,lon\n" * 9000)
    with pytest.raises(TableError, match=f"the server sent nothing for 1 s; .* set {OPTION}"):
        read(address(f"craters.{kind}", fault), "moon")


def test_passwords_of_addresses_are_in_no_message(address):
    table, raster = (address(name).replace("://", "://me:pass@") for name in ("x.csv", "x.tif"))
    for read in READERS:
        with pytest.raises(TableError) as caught:
            read(table, "moon")
        assert "pass@" not in str(caught.value)
    with pytest.raises(RasterError, match=r"http://127\S*/x\.tif") as found:
        database().get_stats(raster, "floor")
    assert "pass" not in str(found.value)


@pytest.fixture
def field(tmp_path):
    """A raster, large enough for several answers of a server."""
    noise = np.random.default_rng(1).normal(size=GRID.shape)
    path = write_field(tmp_path / "field.tif", lambda lon, lat: noise)
    assert path.stat().st_size > 10 * BODY
    return path


CALLS = {
    "get_stats": lambda name, **more: database().get_stats(name, "floor", **more),
    "get_arrays": lambda name, **more: database().get_arrays(name, "floor", **more),
    "get_series": lambda name, **more: database().get_series([name], "floor", "mean", **more),
    "where": lambda name, **more: database().get_stats(
        np.ones(GRID.shape),
        "floor",
        transform=GRID.transform,
        raster_crs=GRID.crs.to_wkt(),
        where={name: lambda values: values > 0},
        **more,
    ),
    "pixels": lambda name, **more: PixelSelection.from_array(
        np.ones(GRID.shape, dtype=bool)
    ).get_series([name], **more),
    "from_raster": lambda name, **more: PixelSelection.from_raster(name, lambda values: values > 0),
}


@pytest.mark.parametrize("jobs", [1, 2])
@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_rasters_on_a_server_are_read_as_those_here(field, address, call, jobs):
    here, there = call(field, n_jobs=jobs), call(address("field.tif"), n_jobs=jobs)
    if isinstance(here, pd.DataFrame):
        here, there = here.select_dtypes("number"), there.select_dtypes("number")
        assert here.shape[1]
        assert_frame_equal(pd.DataFrame(here), pd.DataFrame(there))
    else:
        assert np.array_equal(here.rows, there.rows)
        assert np.array_equal(here.cols, there.cols)


@pytest.mark.parametrize("fault", ["cut", "silent", "mute"])
@pytest.mark.parametrize("jobs", [1, 2])
@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_rasters_of_which_a_server_sends_a_part(field, address, call, jobs, fault):
    silent = f"field.tif: the server sent nothing for 1 s; to wait longer, set {OPTION}"
    with rasterio.Env(**{OPTION: 1}):
        with pytest.raises(RasterError, match="cannot be read" if fault == "cut" else silent):
            call(address("field.tif", fault, BODY), n_jobs=jobs)
        assert getenv()[OPTION] == 1


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_rasters_that_a_silent_server_does_not_let_open(field, address, call, monkeypatch):
    monkeypatch.setenv(OPTION, "1")
    with pytest.raises(RasterError, match=r"field\.tif: the server sent nothing for 1 s"):
        call(address("field.tif", "mute"))


def test_a_map_on_this_machine_may_have_its_pixels_on_a_server(
    field, address, tmp_path, monkeypatch
):
    monkeypatch.setenv(OPTION, "1")
    copy(field, tmp_path / "here.vrt", driver="VRT")
    text = (tmp_path / "here.vrt").read_text()
    assert text.count(">field.tif<") == 1
    for name, *fault in (("there",), ("silent", "mute", BODY)):
        source = f">/vsicurl/{address('field.tif', *fault)}<"
        changed = text.replace(">field.tif<", source).replace('relativeToVRT="1"', "")
        (tmp_path / f"{name}.vrt").write_text(changed)
    here = database().get_stats(tmp_path / "here.vrt", "floor")
    there = database().get_stats(tmp_path / "there.vrt", "floor")
    assert_frame_equal(pd.DataFrame(here), pd.DataFrame(there))
    with pytest.raises(RasterError, match=r"silent\.vrt: the server sent nothing for 1 s"):
        database().get_stats(tmp_path / "silent.vrt", "floor")


def test_what_gdal_would_fill_with_zeros_is_refused(tmp_path, address):
    with rasterio.open(
        tmp_path / "x.img", "w", driver="ENVI", width=360, height=180, count=1, dtype="float64",
        crs="IAU_2015:30100", transform=GRID.transform,
    ) as file:  # fmt: skip
        file.write(np.ones(GRID.shape), 1)
    with pytest.raises(RasterError, match="what a server fails to send for zeros; download it"):
        database().get_stats(address("x.img"), "floor")


_SCRIPT = """
import signal, sys
from surveys import database
signal.signal(signal.SIGINT, signal.default_int_handler)
out = sys.argv[3] or None
database().get_stats(sys.argv[1], "floor", n_jobs=int(sys.argv[2]), out=out, progress=False)
"""


@pytest.mark.parametrize("beyond", [0, BODY], ids=["opening", "reading"])
@pytest.mark.parametrize("jobs", [1, 2])
@pytest.mark.parametrize("to_file", [False, True])
def test_ctrl_c_does_not_wait_for_a_silent_server(field, address, tmp_path, beyond, jobs, to_file):
    out = str(tmp_path / "stats.parquet") if to_file else ""
    path = os.pathsep.join([str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")])
    name = address("field.tif", "mute", beyond)
    log = tmp_path / "log"
    with log.open("w") as errors:
        running = subprocess.Popen(
            [sys.executable, "-c", _SCRIPT, name, str(jobs), out],
            stderr=errors,
            # Were a server waited for, it would be for an hour.
            env={**os.environ, "PYTHONPATH": path, OPTION: "3600"},
        )
        try:
            wait_for((tmp_path / STUCK).exists, lambda: running.poll() is not None, log.read_text)
            # The first may be a wish to stop after the blocks in hand.
            while running.poll() is None:
                running.send_signal(signal.SIGINT)
                with suppress(subprocess.TimeoutExpired):
                    running.wait(0.5)
        finally:
            running.kill()
            running.wait()
    assert running.returncode == -signal.SIGINT, log.read_text()
    assert "KeyboardInterrupt" in log.read_text()
