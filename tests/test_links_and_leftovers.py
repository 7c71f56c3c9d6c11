"""Links of the user are followed, our own names never; what killed runs leave is dealt with."""

import os
import subprocess
import sys

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from craterkit import CraterDatabase, PixelSelection, sample_data
from craterkit.cli import main
from craterkit.errors import OutputError

MOON = sample_data["moon.tif"]


@pytest.fixture(autouse=True)
def _no_figures_stay_open():
    yield
    plt.close("all")


pytestmark = pytest.mark.skipif(os.name != "posix", reason="links and signals of POSIX")


def database(count=2):
    table = pd.DataFrame({"lat": 0.0, "lon": np.arange(count) * 10.0, "radius_km": 50.0})
    cdb = CraterDatabase(table, "moon")
    cdb.add_circles("c")
    return cdb


def from_shell(path):
    table = path.parent / "craters.csv"
    table.write_text("lat,lon,radius_km\n0,0,50\n")
    assert main(["stats", str(table), "moon", str(MOON), "--circle", "1", "--out", str(path)]) == 0
    table.unlink()


WRITERS = {
    "stats.parquet": lambda path: database().get_stats(MOON, "c", out=path),
    "arrays.parquet": lambda path: database().get_arrays(MOON, "c", out=path),
    "pixels.parquet": lambda path: database().get_pixels(MOON, "c", out=path),
    "series.parquet": lambda path: selection().to_parquet(path, [MOON]),
    "pixels.tif": lambda path: selection().to_raster(path),
    "craters.gpkg": lambda path: database().to_file(path),
    "craters.shp": lambda path: database().to_file(path),
    "map.png": lambda path: database().plot(savefig=path),
    "shell.csv": from_shell,
}


def selection():
    return PixelSelection.from_raster(MOON, lambda v: v > 250)


@pytest.mark.parametrize("there", [False, True])
@pytest.mark.parametrize("name", WRITERS)
def test_the_target_of_a_link_gets_the_result(name, there, tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "here").mkdir()
    link, target = tmp_path / "here" / name, tmp_path / "data" / name
    link.symlink_to(target)
    if there and name != "stats.parquet":
        WRITERS[name](target)
    WRITERS[name](link)
    assert link.is_symlink()
    assert target.stat().st_size > 0
    assert [file.name for file in link.parent.iterdir()] == [name]
    assert not [
        file for file in target.parent.iterdir() if file.name.endswith((".tmp", ".partial"))
    ]


@pytest.mark.parametrize("own", ["lock", "manifest.json", "parts", ""])
def test_own_names_that_are_links_are_refused(own, tmp_path):
    (tmp_path / "theirs").mkdir()
    precious = tmp_path / "theirs" / "precious.txt"
    precious.write_text("years of work")
    partial = tmp_path / "out.parquet.partial"
    if own:
        partial.mkdir()
    folder = own in ("parts", "")
    (partial / own).symlink_to(precious.parent if folder else precious, target_is_directory=folder)
    with pytest.raises(OutputError, match="is a symbolic link"):
        database().get_stats(MOON, "c", out=tmp_path / "out.parquet")
    assert precious.read_text() == "years of work"
    assert list(precious.parent.iterdir()) == [precious]


KILLED = """if True:
    import os, signal, sys
    from craterkit.rasters.gdal import GdalRaster
    sys.path.insert(0, {tests!r})
    from test_links_and_leftovers import WRITERS
    from pathlib import Path
    read = GdalRaster.read_bands
    def killed(*args):
        os.kill(os.getpid(), signal.SIG{signal})
        read(*args)
    GdalRaster.read_bands = killed
    WRITERS[{name!r}](Path({path!r}))
"""


def begun(name, path, signal):
    code = KILLED.format(tests=os.path.dirname(__file__), signal=signal, name=name, path=str(path))
    return subprocess.Popen([sys.executable, "-c", code])


@pytest.mark.parametrize("name", ["arrays.parquet", "pixels.parquet"])
def test_what_a_killed_run_left_is_removed_and_what_runs_is_not(name, tmp_path):
    path = tmp_path / name
    assert begun(name, path, "KILL").wait() < 0
    (left,) = tmp_path.iterdir()
    with begun(name, path, "STOP") as running:
        os.waitid(os.P_PID, running.pid, os.WSTOPPED | os.WNOWAIT)
        assert len(list(tmp_path.iterdir())) == 1
        assert not left.exists()
        WRITERS[name](path)
        (other,) = set(tmp_path.iterdir()) - {path}
        running.kill()
    WRITERS[name](path)
    assert list(tmp_path.iterdir()) == [path]
    assert other != left


SHAPEFILE = """if True:
    import os, signal, sys
    sys.path.insert(0, {tests!r})
    from test_links_and_leftovers import database
    replace, calls = os.replace, []
    def killed(*args):
        calls.append(args)
        if len(calls) > {count}:
            os.kill(os.getpid(), signal.SIGKILL)
        replace(*args)
    os.replace = killed
    database(3).to_file({path!r})
"""


@pytest.mark.parametrize("how", ["read_file", "constructor", "written again"])
@pytest.mark.parametrize("count", [0, 1, 4, 5, 7, 9])
def test_a_shapefile_in_whose_renaming_a_process_was_killed(count, how, tmp_path):
    path = tmp_path / "craters.shp"
    database(2).to_file(path)
    (tmp_path / "craters.qix").write_bytes(b"index of the old file")
    names = {file.name for file in tmp_path.iterdir()}
    code = SHAPEFILE.format(tests=os.path.dirname(__file__), count=count, path=str(path))
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode < 0
    if how == "written again":
        database(4).to_file(path)
        assert len(CraterDatabase.read_file(path, "moon")) == 4
    elif how == "read_file":
        assert len(CraterDatabase.read_file(path, "moon")) == 3
    else:
        assert len(CraterDatabase(path, "moon")) == 3
    assert {file.name for file in tmp_path.iterdir()} == names - {"craters.qix"}
