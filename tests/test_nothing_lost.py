"""Runs that are killed, interrupted or fail go on where they stopped, and end as if nothing had been."""

from __future__ import annotations

import os
import signal
import threading
from functools import partial

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from craterkit.errors import ArgumentError, RasterError
from craterkit.extraction import get_stats as module
from craterkit.rasters.gdal import GdalRaster
from surveys import (
    MEMORY,
    alive,
    count_reads,
    database,
    features,
    interrupting_median,
    parts,
    pixels_of,
    process,
    rows,
    run,
    slopes,
    stats_with,
    wait_for,
    write_field,
)

NOTE = "the same call goes on from there"


@pytest.fixture
def folder(tmp_path):
    """A folder with a raster."""
    write_field(tmp_path / "field.tif")
    return tmp_path


@pytest.fixture(autouse=True)
def every_chunk_is_written(monkeypatch):
    monkeypatch.setattr(module, "CHECKPOINT_SECONDS", 0.0)


pytestmark = pytest.mark.usefixtures("usual_ctrl_c")


def out_of(folder):
    return folder / "stats.parquet"


def assert_goes_on(folder, monkeypatch, **arguments):
    """The same call reads what is left, and what comes out is as from a single run without `out`."""
    (folder / "hold").unlink(missing_ok=True)
    with monkeypatch.context() as patch:
        windows = count_reads(patch)
        whole = run(folder)
        needed = pixels_of(windows)
        windows.clear()
        path = run(folder, out=out_of(folder), **arguments)
        assert path == out_of(folder)
        assert 0 < pixels_of(windows) < needed
    assert_same(pd.read_parquet(path), whole)
    assert not {file.name for file in folder.iterdir()} & {"stats.parquet.partial"}
    assert [file.name for file in folder.glob(".*")] == []


def assert_same(found, expected):
    assert_frame_equal(found, pd.DataFrame(expected), rtol=1e-12)
    for name in expected.filter(regex="^count"):
        assert found[name].tolist() == expected[name].tolist()


@pytest.mark.parametrize("deaths", [[40], [40, 120]], ids=["once", "twice"])
def test_a_killed_run_goes_on_where_it_was(folder, monkeypatch, deaths):
    stored = 0
    for death in deaths:
        (folder / "hold").write_text(str(death))
        with process(folder, out=str(out_of(folder))) as running:
            running.wait_until_held()
            running.wait_for(lambda stored=stored: len(parts(running.partial)) > stored)
            running.popen.kill()
            assert running.end() == -signal.SIGKILL
        stored = len(parts(running.partial))
        assert not out_of(folder).exists()
    assert_goes_on(folder, monkeypatch, n_jobs=1)


def test_a_killed_run_on_its_own_cluster_leaves_no_process(folder, monkeypatch):
    (folder / "hold").write_text("60")
    with process(folder, out=str(out_of(folder)), scheduler="processes") as running:
        running.wait_until_held()
        running.wait_for(lambda: parts(running.partial))
        family = running.family()
        assert len(family) > 2
        running.popen.kill()
        running.end()
        wait_for(lambda: not alive(family))
    assert_goes_on(folder, monkeypatch)


@pytest.mark.parametrize("threads", [1, 2])
def test_ctrl_c_waits_for_the_blocks_in_hand(folder, monkeypatch, threads):
    (folder / "hold").write_text("60")
    with process(folder, out=str(out_of(folder)), n_jobs=threads) as running:
        running.wait_until_held()
        before = len(parts(running.partial))
        running.popen.send_signal(signal.SIGINT)
        (folder / "hold").unlink()
        assert running.end() == -signal.SIGINT
    assert "KeyboardInterrupt" in running.said
    assert NOTE in running.said
    assert "ends" not in running.said.split()
    assert len(parts(running.partial)) > before
    assert not out_of(folder).exists()
    assert_goes_on(folder, monkeypatch)


def test_ctrl_c_in_a_terminal_reaches_the_workers_too_and_loses_nothing(folder, monkeypatch):
    (folder / "hold").write_text("60")
    with process(folder, out=str(out_of(folder)), scheduler="processes") as running:
        running.wait_until_held()
        running.wait_for(lambda: parts(running.partial))
        family = running.family()
        os.killpg(running.popen.pid, signal.SIGINT)
        (folder / "hold").unlink()
        assert running.end() == -signal.SIGINT
        wait_for(lambda: not alive(family))
    assert NOTE in running.said
    assert not out_of(folder).exists()
    assert_goes_on(folder, monkeypatch)


def test_the_second_ctrl_c_does_not_wait(folder, monkeypatch):
    (folder / "hold").write_text("60")
    with process(folder, out=str(out_of(folder)), n_jobs=1) as running:
        running.wait_until_held()
        while running.popen.poll() is None:
            # Signals that are sent together count once: each is sent when the other has come.
            running.popen.send_signal(signal.SIGINT)
            (folder / "held").unlink(missing_ok=True)
            running.wait_for(
                lambda: (folder / "held").exists() or running.popen.poll() is not None,
                running=False,
            )
        assert running.end() == -signal.SIGINT
        assert (folder / "hold").exists()
    assert NOTE in running.said
    assert_goes_on(folder, monkeypatch)


def interrupted(folder, beyond=60, **arguments):
    """A call during which Ctrl-C is pressed."""
    (folder / "hold").write_text(str(beyond))
    arguments = {"n_jobs": 1, "max_memory": MEMORY, "progress": False, **arguments}
    stats = stats_with(interrupting_median, folder)
    return database().get_stats(folder / "field.tif", ["floor", "rim"], stats, **arguments)


def test_ctrl_c_without_a_file_ends_after_the_blocks_in_hand(folder, monkeypatch):
    windows = count_reads(monkeypatch)
    with pytest.raises(KeyboardInterrupt) as caught:
        interrupted(folder)
    assert not hasattr(caught.value, "__notes__")
    assert 60 <= max(window.row_stop for window in windows) < 120
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


@pytest.mark.parametrize("threads", [1, 2])
def test_ctrl_c_within_a_statistic_keeps_the_finished_features(folder, monkeypatch, threads):
    with pytest.raises(KeyboardInterrupt) as caught:
        interrupted(folder, n_jobs=threads, out=out_of(folder))
    assert NOTE in caught.value.__notes__[0]
    assert str(out_of(folder)) in caught.value.__notes__[0]
    whole = interrupted(folder, beyond=1000)
    windows = count_reads(monkeypatch)
    found = pd.read_parquet(interrupted(folder, beyond=1000, out=out_of(folder)))
    assert min(window.row_start for window in windows) > 0
    assert_same(found, whole)


def handlers(folder, before=lambda: None):
    """Handlers of Ctrl-C while a call is at work."""
    seen = set()

    def passing(values):
        before()
        seen.add(signal.getsignal(signal.SIGINT))
        return np.ones(values.shape, dtype=bool)

    where = {folder / "field.tif": passing}
    found = database().get_stats(folder / "field.tif", "floor", n_jobs=1, where=where)
    assert len(found) == len(features())
    return seen


def test_the_usual_handler_is_back_after_a_call(folder):
    (during,) = handlers(folder)
    assert during is not signal.default_int_handler
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    for _ in database().iter_arrays(folder / "field.tif", "floor"):
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler

    def fail(values):
        raise OSError

    with pytest.raises(ArgumentError, match="failed"):
        database().get_stats(folder / "field.tif", "floor", where={folder / "field.tif": fail})
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_handler_of_the_user_is_left_alone(folder):
    pressed = []

    def own(number, frame):
        pressed.append(number)

    signal.signal(signal.SIGINT, own)
    assert handlers(folder, lambda: signal.raise_signal(signal.SIGINT)) == {own}
    assert pressed
    assert signal.getsignal(signal.SIGINT) is own


def test_other_threads_install_no_handler(folder):
    seen = []
    thread = threading.Thread(target=lambda: seen.append(handlers(folder)))
    thread.start()
    thread.join()
    assert seen == [{signal.default_int_handler}]


class Failing:
    """Rasters that cannot be read beyond a row, as long as it lasts."""

    def __init__(self, monkeypatch, beyond=60):
        self._patch = monkeypatch
        self._beyond = beyond

    def __enter__(self):
        self._context = self._patch.context()
        patch = self._context.__enter__()
        read = GdalRaster.read

        def reads(raster, band, window, out, mask):
            if window.row_stop > self._beyond:
                raise RasterError(f"{raster.name}: no more")
            read(raster, band, window, out, mask)

        patch.setattr(GdalRaster, "read", reads)

    def __exit__(self, *exception):
        self._context.__exit__(*exception)


def steeper(limit):
    return lambda values: values > limit


@pytest.fixture
def call(folder):
    """A call with many arguments, any of which may be replaced."""
    write_field(folder / "slopes.tif", slopes)
    write_field(folder / "weights.tif", lambda lon, lat: 1.0 + np.cos(np.radians(lat)))

    def call(frame=None, change=lambda cdb: None, regions=("floor", "rim"), **arguments):
        cdb = database(frame)
        change(cdb)
        arguments = {
            "stats": ["mean", "count", {"median": np.median}],
            "coverage": "center",
            "where": {folder / "slopes.tif": steeper(12.0)},
            "weights": folder / "weights.tif",
            "progress": False,
            "max_memory": MEMORY,
            "n_jobs": 1,
            "out": out_of(folder),
            **arguments,
        }
        return cdb.get_stats(folder / "field.tif", list(regions), **arguments)

    return call


@pytest.fixture
def cut_short(call, folder, monkeypatch):
    """A call of which a part is done."""
    with Failing(monkeypatch), pytest.raises(RasterError, match="no more") as caught:
        call()
    assert NOTE in caught.value.__notes__[0]
    assert parts(folder / "stats.parquet.partial")
    return call


def resized(cdb):
    cdb.add_circles("large", 1.25)


def moved(frame):
    frame.loc[3, "lon"] += 1e-9
    return frame


def renamed(frame):
    return frame.assign(name="a")


def rewritten(folder, name):
    field = {"field.tif": rows, "slopes.tif": slopes}[name]
    write_field(folder / name, lambda lon, lat: field(lon, lat) + 1.0)


def touched(folder, name):
    state = (folder / name).stat()
    os.utime(folder / name, ns=(state.st_atime_ns, state.st_mtime_ns + 1))


OTHER_CALLS = {
    "coverage": ({"coverage": "fraction"}, "coverage: 'center' there, 'fraction' now"),
    "weights": ({"weights": "area"}, "weights"),
    "no weights": ({"weights": None}, "weights"),
    "a statistic more": ({"stats": ["mean", "count", "max", {"median": np.median}]}, "max"),
    "another function": ({"stats": ["mean", "count", {"median": np.mean}]}, "median"),
    "a region of another size": ({"change": resized, "regions": ("floor", "large")}, "large"),
    "a region less": ({"regions": ("floor",)}, "rim"),
    "another threshold": ("where", "where"),
    "no condition": ({"where": None}, "where"),
    "bands": ({"bands": [1]}, "_b1|columns"),
    "nodata": ({"nodata": 40.0}, "nodata"),
    "exclude": ({"exclude": "neighbors"}, "exclude"),
    "min_valid_fraction": ({"min_valid_fraction": 0.5}, "min_valid_fraction"),
    "errors": ({"errors": "flag"}, "errors"),
    "a feature that moved": ({"frame": moved(features())}, "features"),
    "a column more": ({"frame": renamed(features())}, "table"),
    "a feature less": ({"frame": features().iloc[:-1]}, "features"),
}


@pytest.mark.parametrize(("change", "named"), OTHER_CALLS.values(), ids=OTHER_CALLS)
def test_finished_features_of_another_call_are_refused(cut_short, folder, change, named):
    if change == "where":
        change = {"where": {folder / "slopes.tif": steeper(13.0)}}
    before = parts(folder / "stats.parquet.partial")
    with pytest.raises(ArgumentError, match=named) as caught:
        cut_short(**change)
    assert str(caught.value).startswith(f"out: the finished ROIs in {out_of(folder)}.partial")
    assert parts(folder / "stats.parquet.partial") == before


@pytest.mark.parametrize("change", [rewritten, touched])
@pytest.mark.parametrize("name", ["field.tif", "slopes.tif"])
def test_finished_features_of_a_raster_that_changed_are_refused(cut_short, folder, change, name):
    change(folder, name)
    with pytest.raises(ArgumentError, match=f"the file has changed .*{name}"):
        cut_short()


def test_how_the_work_is_done_may_change(cut_short, call, folder):
    whole = call(out=None)
    found = pd.read_parquet(cut_short(n_jobs=2, max_memory="100 MiB", progress=True))
    assert_same(found, whole)


def test_a_finished_file_is_not_made_again(call, folder, monkeypatch):
    call()
    before = out_of(folder).stat().st_mtime_ns
    windows = count_reads(monkeypatch)
    assert call(n_jobs=2) == out_of(folder)
    assert out_of(folder).stat().st_mtime_ns == before
    assert not windows
    with pytest.raises(ArgumentError, match="holds the statistics of another call"):
        call(coverage="fraction")


def test_texts_of_digits_are_the_same_with_a_file(folder):
    def label(values):
        return "007" if values.mean() < 60 else "big"

    arguments = {"n_jobs": 1, "max_memory": MEMORY, "progress": False}
    survey = partial(database().get_stats, folder / "field.tif", "floor", {"label": label})
    whole = survey(**arguments)
    found = pd.read_parquet(survey(**arguments, out=out_of(folder)))
    assert set(whole["label_floor"].dropna()) == {"007", "big"}
    assert found["label_floor"].dropna().tolist() == whole["label_floor"].dropna().tolist()


def test_a_file_of_arrays_is_not_taken_for_statistics(folder):
    database().get_arrays(folder / "field.tif", "floor", out=out_of(folder), progress=False)
    before = out_of(folder).read_bytes()
    with pytest.raises(ArgumentError, match="exists and does not come from get_stats"):
        run(folder, out=out_of(folder))
    assert out_of(folder).read_bytes() == before


def test_two_runs_do_not_share_a_folder(folder):
    (folder / "hold").write_text("60")
    with process(folder, out=str(out_of(folder))) as running:
        running.wait_until_held()
        with pytest.raises(ArgumentError, match=f"process {running.popen.pid} on .* is at work"):
            run(folder, out=out_of(folder))
