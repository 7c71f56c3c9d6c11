"""The progress bar: how many ROIs and pixels are done, and how fast."""

from __future__ import annotations

import re
import subprocess
import sys
import time

import numpy as np
import pytest

import worlds
from craterkit import CraterDatabase, progress
from craterkit.extraction import get_stats
from craterkit.extraction.budget import Budget
from craterkit.progress import Progress
from craterkit.rasters.gdal import GdalRaster

pytestmark = pytest.mark.filterwarnings("ignore::craterkit.errors.OutsideRasterWarning")

GRID = worlds.lonlat(1.0, north=60.0)
COUNT = 40


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    values = np.random.default_rng(0).normal(size=GRID.shape)
    return worlds.write(tmp_path_factory.mktemp("bar") / "noise.tif", GRID, values, block=16)


@pytest.fixture(scope="module")
def cdb():
    """Features of which some are off the raster, and some are as large as it."""
    rng = np.random.default_rng(1)
    lon, lat = rng.uniform(-180, 180, COUNT), rng.uniform(-80, 80, COUNT)
    radius = rng.uniform(0.5, 5.0, COUNT)
    lat[:3], radius[3:5] = 85.0, 50.0
    cdb = CraterDatabase(worlds.table(lon, lat, worlds.metres(1.0) * radius), "moon")
    cdb.add_circles("floor", 1.0)
    cdb.add_annuli("rim", 0.8, 1.0)
    return cdb


def last_bar(text):
    """Done, total and the rest of the last state of a bar."""
    state = re.findall(r"(\d+\.?\d*k?)/(\d+\.?\d*k?) (\[[^\]]*\])", text)[-1]
    return float(state[0]), float(state[1]), state[2]


def test_it_tells_rois_and_pixels_and_their_rates(cdb, path, capsys):
    cdb.get_stats(path, "rim", progress=True, n_jobs=1)
    said = capsys.readouterr().err
    assert "Statistics:" in said
    done, total, rest = last_bar(said)
    assert done == total == COUNT
    assert re.search(r"[\d.]+k?ROI/s|s/ROI", rest)
    read, rate = re.search(r"([\d.]+)kpx, ([\d.]+[kMG]?)px/s", rest).groups()
    assert 0 < float(read) <= GRID.shape[0] * GRID.shape[1] / 1000
    assert rate


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize(
    "how",
    [
        *("plain", "two rasters", "median", "alone", "arrays", "array files", "iterated"),
        *("pixels", "pixel files"),
    ],
)
def test_all_are_counted_in_the_end(cdb, path, tmp_path, capsys, monkeypatch, how, threads):
    options = {"progress": True, "n_jobs": threads, "max_memory": "1 MiB"}
    total = 2 * COUNT
    regions = ["floor", "rim"]
    if how == "two rasters":
        cdb.get_stats({"a": path, "b": path}, regions, **options)
        total *= 2
    elif how in ("median", "alone"):
        if how == "alone":
            monkeypatch.setattr(Budget, "values_held", property(lambda self: 20))
        cdb.get_stats(path, regions, ["median"], **options)
    elif how == "arrays":
        cdb.get_arrays(path, regions, **options)
    elif how == "array files":
        cdb.get_arrays(path, regions, out=tmp_path / "a.parquet", **options)
    elif how == "iterated":
        assert len(list(cdb.iter_arrays(path, regions, **options))) == total
    elif how == "pixels":
        cdb.get_pixels({"a": path, "b": path}, regions, columns=["a", "b"], **options)
    elif how == "pixel files":
        cdb.get_pixels(path, regions, columns=["value"], out=tmp_path / "p.parquet", **options)
    else:
        cdb.get_stats(path, regions, **options)
    done, of_all, _ = last_bar(capsys.readouterr().err)
    assert (done, of_all) == (total, total)


def test_a_run_that_goes_on_counts_what_was_done(cdb, path, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(get_stats, "CHECKPOINT_SECONDS", 0.0)
    read = GdalRaster.read
    left = iter(range(5))

    def interrupted(self, *args):
        if next(left, None) is None:
            raise KeyboardInterrupt
        read(self, *args)

    options = {"n_jobs": 1, "max_memory": "1 MiB", "out": tmp_path / "stats.parquet"}
    monkeypatch.setattr("craterkit.extraction.plan.CHUNK_PIXELS", 1)
    monkeypatch.setattr(GdalRaster, "read", interrupted)
    with pytest.raises(KeyboardInterrupt):
        cdb.get_stats(path, ["floor", "rim"], progress=True, **options)
    monkeypatch.setattr(GdalRaster, "read", read)
    done, total, _ = last_bar(capsys.readouterr().err)
    assert 3 < done < total
    cdb.get_stats(path, ["floor", "rim"], progress=True, **options)
    said = capsys.readouterr().err
    assert last_bar(said)[:2] == (total, total)


def test_a_bar_comes_by_itself_where_work_lasts(cdb, path, capsys, monkeypatch):
    monkeypatch.setattr("craterkit.extraction.plan.CHUNK_PIXELS", 1)
    cdb.get_stats(path, "rim", n_jobs=1)
    assert capsys.readouterr().err == ""
    monkeypatch.setattr(progress, "PATIENCE", 0.0)
    cdb.get_stats(path, "rim", n_jobs=1)
    done, total, _ = last_bar(capsys.readouterr().err)
    assert done == total == COUNT
    cdb.get_stats(path, "rim", n_jobs=1, progress=False)
    assert capsys.readouterr().err == ""


def test_it_waits_for_a_second(capsys, monkeypatch):
    now = 100.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    with Progress(10, "Work") as bar:
        now = 100.9
        bar.advance(4, 2_000_000)
        assert capsys.readouterr().err == ""
        now = 101.5
        bar.advance(2, 1_000_000)
        said = capsys.readouterr().err
        assert "6.00/10.0" in said
        assert "3.0Mpx, 2.0Mpx/s" in said


def test_rates_and_time_left_are_those_of_the_reading(capsys, monkeypatch):
    now = 100.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    with Progress(1_300_000, "Statistics", show=True) as bar:
        now = 130.0
        bar.advance(60_000)
        bar.advance(40_000)
        now = 132.0
        bar.advance(485_000, 90_000_000)
    line = capsys.readouterr().err.split("\r")[-1].rstrip()
    assert line.startswith("Statistics:  45%|████")
    assert line.endswith("| 585k/1.30M [00:02<00:02, 242kROI/s, 90Mpx, 45Mpx/s]")
    assert len(line) <= 80


def test_the_bar_that_comes_by_itself_knows_when_the_reading_began(capsys, monkeypatch):
    now = 100.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    with Progress(100, "Arrays") as bar:
        now = 110.0
        bar.advance(0)
        assert "0.00/100 [00:00<?" in capsys.readouterr().err
        now = 114.0
        bar.advance(40, 4_000)
    assert "40.0/100 [00:04<00:06, 10.0ROI/s, 4.0kpx, 1.0kpx/s]" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("number", "text"),
    [
        *((0, "0"), (0.04, "0.0"), (7, "7.0"), (9.96, "10"), (999, "999"), (999.6, "1.0k")),
        *((45.4e3, "45k"), (3.14e9, "3.1G"), (2e17, "200P")),
    ],
)
def test_numbers_are_short(number, text):
    assert progress._short(number) == text


NOTEBOOK = """
import sys, types
sys.modules["ipykernel.zmqshell"] = types.ModuleType("zmqshell")
sys.modules["IPython"] = types.ModuleType("IPython")
sys.modules["IPython"].get_ipython = lambda: None
sys.modules["ipywidgets"] = None
from craterkit.progress import Progress
with Progress(2, "Work", show=True) as bar:
    bar.advance(2, 5)
"""


def test_a_notebook_without_widgets_has_a_plain_bar():
    done = subprocess.run(
        [sys.executable, "-W", "always", "-c", NOTEBOOK],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    assert "2.00/2.00" in done.stderr
    assert "Warning" not in done.stderr


def test_there_is_none_for_the_last_roi(capsys, monkeypatch):
    monkeypatch.setattr(progress, "PATIENCE", 0.0)
    with Progress(3, "Work") as bar:
        bar.advance(3)
    assert capsys.readouterr().err == ""
