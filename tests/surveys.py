"""A world to survey, statistics that can be held up on the way, and runs in processes of their own.

What is here must be importable by name, as the workers of a cluster do it.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

import numpy as np
import psutil
import rasterio

from craterkit import CraterDatabase
from craterkit.rasters.base import Window
from craterkit.rasters.gdal import GdalRaster
from worlds import distance, lonlat, metres, table, write

GRID = lonlat(1.0)
BLOCK = 16

#: So little that the raster is read in many chunks.
MEMORY = "1 MiB"

#: Generous: what is waited for comes long before, unless something is wrong.
PATIENCE = 120.0


def rows(lon, lat):
    """A field that grows from row to row, by about 1."""
    return 90.0 - lat + 0.1 * np.sin(np.radians(lon))


def slopes(lon, lat):
    return 20.0 + 15.0 * np.cos(np.radians(3 * lon)) * np.cos(np.radians(lat))


def features(count=60, seed=7):
    """A table of features: small ones anywhere, and some at a pole, on the seam, and very large."""
    rng = np.random.default_rng(seed)
    lon = rng.uniform(-180.0, 180.0, count)
    lat = np.degrees(np.arcsin(rng.uniform(-1.0, 1.0, count)))
    radius = rng.uniform(0.8, 6.0, count)
    lon[:5], lat[:5], radius[:5] = (0, 30, 180, -180, 60), (90, -88, 10, -40, 5), (4, 5, 6, 3, 40)
    return table(lon, lat, radius * metres(1.0))


def database(frame=None):
    cdb = CraterDatabase(features() if frame is None else frame, "moon", units="m")
    cdb.add_circles("floor", 1.0)
    cdb.add_annuli("rim", 1.0, 1.5)
    return cdb


def write_field(path, field=rows, **options):
    return write(path, GRID, field, block=BLOCK, compress="deflate", **options)


def held_median(hold, values):
    """The median; of values beyond the number in the file `hold`, not until that is gone.

    Then there is a file ``held`` beside it.
    """
    while values.min() > _number_in(hold):
        hold.with_name("held").touch()
        time.sleep(0.01)
    return float(np.median(values))


def interrupting_median(file, values):
    """The median; of the first values beyond the number in a file, with Ctrl-C pressed meanwhile."""
    if values.min() > _number_in(file):
        with suppress(FileNotFoundError):  # another thread was quicker
            file.unlink()
            signal.raise_signal(signal.SIGINT)
    return float(np.median(values))


def fatal_once(marker, values):
    """True everywhere; but the first worker process that asks is killed."""
    with suppress(FileExistsError):
        marker.open("x").close()
        os.kill(os.getpid(), signal.SIGKILL)
    return values > -np.inf


def fatal(values):
    """Kill the worker process that asks."""
    os.kill(os.getpid(), signal.SIGKILL)


def steep(values):
    return values > 12.0


def spread(values, weights):
    """A statistic of values and weights."""
    return float(np.average(np.abs(values - values.min()), weights=weights + 1e-9))


def _number_in(file):
    try:
        return float(file.read_text() or "inf")
    except FileNotFoundError:
        return np.inf


def stats_with(median, folder):
    """Statistics of every kind, one of which asks the file ``hold`` of a folder."""
    return ["mean", "count", "std", "percentile_90", {"median": partial(median, folder / "hold")}]


def run(folder, **arguments):
    """Statistics of the raster in a folder, that wait where its file ``hold`` says so."""
    folder = Path(folder)
    arguments = {"max_memory": MEMORY, "n_jobs": 2, "progress": False, **arguments}
    stats = stats_with(held_median, folder)
    return database().get_stats(folder / "field.tif", ["floor", "rim"], stats, **arguments)


_SCRIPT = """
import json, signal, sys
import craterkit.extraction.get_stats as module
from surveys import run

signal.signal(signal.SIGINT, signal.default_int_handler)
module.CHECKPOINT_SECONDS = 0.0
print("begins", flush=True)
run(sys.argv[1], **json.loads(sys.argv[2]))
print("ends", flush=True)
"""


class Process:
    """A `run` in a process of its own, which has its own group."""

    def __init__(self, folder, **arguments):
        self.held = folder / "held"
        self.held.unlink(missing_ok=True)
        self.partial = folder / "stats.parquet.partial"
        command = [sys.executable, "-c", _SCRIPT, str(folder), json.dumps(arguments)]
        path = os.pathsep.join([str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")])
        self.log = folder / f"log{time.monotonic_ns()}"
        with self.log.open("w") as log:
            self.popen = subprocess.Popen(
                command,
                stdout=log,
                stderr=subprocess.STDOUT,
                env={**os.environ, "PYTHONPATH": path},
                start_new_session=True,
            )

    @property
    def said(self):
        return self.log.read_text()

    def wait_for(self, what, *, running=True):
        """Wait until something is so."""
        wait_for(what, lambda: running and self.popen.poll() is not None, lambda: self.said)

    def wait_until_held(self):
        self.wait_for(self.held.exists)

    def end(self):
        """Wait for its end; its return code."""
        self.wait_for(lambda: self.popen.poll() is not None, running=False)
        return self.popen.returncode

    def family(self):
        """The process and all that came out of it."""
        process = psutil.Process(self.popen.pid)
        return [process, *process.children(recursive=True)]


@contextmanager
def process(folder, **arguments):
    """A `Process` that does not outlive the context."""
    process = Process(folder, **arguments)
    family = []
    try:
        yield process
    finally:
        if process.popen.poll() is None:
            family = process.family()
        for member in family:
            with suppress(psutil.NoSuchProcess):
                member.kill()
        process.popen.wait()


def wait_for(what, failed=lambda: False, why=lambda: ""):
    """Wait until something is so; fail if it never will be."""
    end = time.monotonic() + PATIENCE
    while not what():
        # What came true just before the failure counts.
        if failed() and not what():
            raise AssertionError(f"cannot come any more: {why()}")
        assert time.monotonic() < end, why()
        time.sleep(0.01)


def alive(members):
    """Those of some processes that still run."""
    return [
        member
        for member in members
        if member.is_running() and member.status() != psutil.STATUS_ZOMBIE
    ]


def parts(partial):
    return sorted((partial / "parts").glob("*.parquet"))


def count_reads(monkeypatch):
    """From now on, the windows that are read of rasters in this process, as they come."""
    windows = []
    read = GdalRaster.read

    def counted(self, band, window, out, mask):
        windows.append(window)
        read(self, band, window, out, mask)

    monkeypatch.setattr(GdalRaster, "read", counted)
    return windows


def pixels_of(windows):
    return sum(window.shape[0] * window.shape[1] for window in windows)


def corrupt(path, down, across, band=1):
    """Spoil a block of a compressed GeoTIFF; gives its window."""
    with rasterio.open(path) as dataset:
        offset, size = (
            int(dataset.get_tag_item(f"BLOCK_{what}_{across}_{down}", "TIFF", bidx=band))
            for what in ("OFFSET", "SIZE")
        )
        tall, wide = dataset.block_shapes[band - 1]
        shape = dataset.shape
    with path.open("r+b") as file:
        file.seek(offset)
        file.write(b"\xff" * size)
    top, left = down * tall, across * wide
    return Window(top, min(top + tall, shape[0]), left, min(left + wide, shape[1]))


def have_pixels_in(frame, windows, inner, outer):
    """Which features have pixel centres of an annulus of theirs in some windows, by haversines."""
    lon, lat = GRID.mesh
    there = np.zeros(GRID.shape, dtype=bool)
    for window in windows:
        there[window.row_start : window.row_stop, window.col_start : window.col_stop] = True
    radius = np.degrees(frame["radius_m"].to_numpy() / metres(np.degrees(1.0)))
    found = []
    for x, y, r in zip(frame["lon"], frame["lat"], radius, strict=True):
        away = distance(x, y, lon[there], lat[there])
        found.append(
            bool(((away > inner * r) & (away <= outer * r) | ((inner == 0) & (away == 0))).any())
        )
    return np.array(found)
