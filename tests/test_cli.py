"""The command line: results, messages, exit codes."""

from __future__ import annotations

import os
import subprocess
import sys

import pandas as pd
import pytest

import craterkit
from craterkit import CraterDatabase, sample_data
from craterkit.cli import main
from craterkit.errors import RasterError
from craterkit.rasters.gdal import GdalRaster

TABLE, IMAGE, DEM = (
    str(sample_data[name]) for name in ("moon_craters_km.csv", "moon.tif", "moon_dem.tif")
)
RIM = ["--annulus", "1", "1.5"]


def run(*arguments, **kwargs):
    """Run the program as a user does."""
    return subprocess.run(
        [sys.executable, "-m", "craterkit", *arguments],
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=120,
        check=False,
        **kwargs,
    )


@pytest.fixture
def rims():
    cdb = CraterDatabase(TABLE, "moon", units="km")
    cdb.add_annuli("annulus", 1, 1.5)
    return cdb


def test_version(capsys):
    with pytest.raises(SystemExit) as end:
        main(["--version"])
    assert end.value.code == 0
    assert capsys.readouterr().out == f"craterkit {craterkit.__version__}\n"


def test_without_a_command_it_shows_the_help(capsys):
    assert main([]) == 0
    assert "demo" in capsys.readouterr().out


def test_demo_in_a_process(tmp_path):
    done = run("demo", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert "Mare Imbrium" in done.stdout
    assert done.stdout.count("\n") == 13
    written = {"stats.csv", "map.png", "rois.png", "histograms.png"}
    assert {path.name for path in (tmp_path / "demo").iterdir()} == written
    for name in written:
        assert os.path.normpath(f"demo/{name}") in done.stdout


def test_demo_elsewhere(tmp_path, capsys):
    assert main(["demo", "--out", str(tmp_path / "here")]) == 0
    assert str(tmp_path / "here" / "stats.csv") in capsys.readouterr().out


def test_stats_to_a_csv(tmp_path, rims):
    out = tmp_path / "rims.csv"
    assert main(["stats", TABLE, "moon", IMAGE, *RIM, "--out", str(out)]) == 0
    pd.testing.assert_frame_equal(pd.read_csv(out), rims.get_stats(IMAGE, "annulus"), rtol=1e-12)
    assert list(tmp_path.iterdir()) == [out]


def test_stats_to_standard_output(capsys, tmp_path, rims):
    assert main(["stats", TABLE, "301", IMAGE, *RIM]) == 0
    (tmp_path / "out.csv").write_text(capsys.readouterr().out)
    pd.testing.assert_frame_equal(
        pd.read_csv(tmp_path / "out.csv"), rims.get_stats(IMAGE, "annulus"), rtol=1e-12
    )


def test_every_option_reaches_the_library(tmp_path):
    out = tmp_path / "floors.parquet"
    options = (
        "--circle 0.5 --name floor --stats mean,percentile_90,valid_fraction --units km "
        "--input-crs planetocentric --raster-crs IAU_2015:30100 --nodata 7 --coverage fraction "
        "--weights area --jobs 1 --out"
    )
    assert main(["stats", TABLE, "moon", IMAGE, DEM, *options.split(), str(out)]) == 0
    cdb = CraterDatabase(TABLE, "moon", "planetocentric", "km")
    cdb.add_circles("floor", 0.5)
    expected = cdb.get_stats(
        [IMAGE, DEM],
        "floor",
        ["mean", "percentile_90", "valid_fraction"],
        7,
        coverage="fraction",
        weights="area",
        raster_crs="IAU_2015:30100",
    )
    pd.testing.assert_frame_equal(pd.read_parquet(out), expected, rtol=1e-12, check_dtype=False)
    assert "mean_moon_dem_floor" in expected


def test_polygons(tmp_path):
    out = tmp_path / "rims.csv"
    assert main(["stats", TABLE, "moon", IMAGE, *RIM, "--nvert", "32", "--out", str(out)]) == 0
    cdb = CraterDatabase(TABLE, "moon")
    cdb.add_annuli("annulus", 1, 1.5, nvert=32)
    pd.testing.assert_frame_equal(pd.read_csv(out), cdb.get_stats(IMAGE, "annulus"), rtol=1e-12)


WRONG = {
    "no table": (["nowhere.csv", "moon", IMAGE, *RIM], "nowhere.csv does not exist"),
    "no raster": ([TABLE, "moon", "nowhere.tif", *RIM], "nowhere.tif: cannot be opened"),
    "unknown body": ([TABLE, "mooon", IMAGE, *RIM], "Did you mean 'Moon'"),
    "another body": ([TABLE, "mars", IMAGE, *RIM], "Mars is the body asked for"),
    "edges exchanged": ([TABLE, "moon", IMAGE, "--annulus", "2", "1"], "inner must be smaller"),
    "unknown statistic": ([TABLE, "moon", IMAGE, *RIM, "--stats", "meen"], "did you mean 'mean'"),
    "unit": ([TABLE, "moon", IMAGE, *RIM, "--units", "miles"], "'miles'"),
    "name": ([TABLE, "moon", IMAGE, *RIM, "--name", "lat"], "cannot be called 'lat'"),
    "threads": ([TABLE, "moon", IMAGE, *RIM, "--jobs", "0"], "--jobs must be"),
    "vertices": ([TABLE, "moon", IMAGE, *RIM, "--nvert", "2"], "--nvert must be"),
    "suffix": ([TABLE, "moon", IMAGE, *RIM, "--out", "rims.xls"], "--out must end in .csv"),
    "capitals": ([TABLE, "moon", IMAGE, *RIM, "--out", "r.PARQUET"], "--out must end in .csv or"),
    "folder as file": ([TABLE, "moon", IMAGE, *RIM, "--out", "here.csv"], "'here.csv' is a folder"),
    "folder": ([TABLE, "moon", IMAGE, *RIM, "--out", "no/rims.csv"], "there is no folder 'no'"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_is_told_in_one_line(case, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "here.csv").mkdir()
    arguments, words = WRONG[case]
    failed = case in ("no table", "no raster", "another body")
    assert main(["stats", *arguments]) == (1 if failed else 2)
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("craterkit: error: ")
    assert words in err
    assert err.count("\n") == 1


def test_a_missing_table_beside_a_result_that_is_there(tmp_path, capsys):
    out = tmp_path / "rims.csv"
    out.write_text("mine\n")
    assert main(["stats", "nowhere.csv", "moon", IMAGE, *RIM, "--out", str(out)]) == 1
    assert "nowhere.csv does not exist" in capsys.readouterr().err
    assert out.read_text() == "mine\n"


def test_an_error_in_a_process_shows_no_traceback():
    done = run("stats", "nowhere.csv", "moon", IMAGE, *RIM)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("craterkit: error: nowhere.csv does not exist")


@pytest.mark.parametrize(
    "arguments",
    [
        [TABLE, "moon", IMAGE],
        [TABLE, "moon", *RIM],
        [TABLE, "moon", IMAGE, *RIM, "--circle", "1"],
        [TABLE, "moon", IMAGE, *RIM, "--coverage", "most"],
    ],
    ids=["no region", "no raster", "two regions", "unknown coverage"],
)
def test_wrong_usage(arguments, capsys):
    with pytest.raises(SystemExit) as end:
        main(["stats", *arguments])
    assert end.value.code == 2
    assert capsys.readouterr().err.startswith("usage: craterkit stats")


@pytest.fixture
def bad_table(tmp_path):
    path = tmp_path / "craters.csv"
    path.write_text("name,lat,lon,diam_km\ngood,0,0,100\nbad,95,0,100\n")
    return str(path)


def test_bad_rows_are_named(bad_table, capsys):
    assert main(["stats", bad_table, "moon", IMAGE, *RIM]) == 1
    assert "95" in capsys.readouterr().err


def test_bad_rows_may_be_dropped_with_a_plain_warning(bad_table, capsys):
    assert main(["stats", bad_table, "moon", IMAGE, *RIM, "--drop"]) == 0
    out, err = capsys.readouterr()
    assert [line.split(",")[0] for line in out.splitlines()] == ["name", "good"]
    assert err.startswith("craterkit: warning: ")
    assert "cli.py" not in err


def test_a_failed_write_leaves_nothing(tmp_path, capsys, monkeypatch):
    def full(*args, **kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pd.DataFrame, "to_csv", full)
    out = tmp_path / "rims.csv"
    assert main(["stats", TABLE, "moon", IMAGE, *RIM, "--out", str(out)]) == 1
    assert "cannot be written: [Errno 28] No space left" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_parquet_without_pyarrow_is_refused_before_any_work(tmp_path, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    assert (
        main(["stats", "nowhere.csv", "moon", IMAGE, *RIM, "--out", f"{tmp_path}/a.parquet"]) == 2
    )
    assert "needs pyarrow" in capsys.readouterr().err


@pytest.mark.skipif(os.name == "nt", reason="no such pipes on Windows")
def test_a_reader_that_leaves_early_is_no_error():
    with subprocess.Popen(
        [sys.executable, "-m", "craterkit", "stats", TABLE, "moon", IMAGE, *RIM],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as program:
        program.stdout.close()
        assert program.stderr.read() == b""
        assert program.wait(timeout=120) == 0


@pytest.mark.parametrize(
    ("error", "code", "first"),
    [(KeyboardInterrupt(), 130, "interrupted"), (RasterError("bad block"), 1, "error: bad block")],
    ids=["interrupted", "bad block"],
)
def test_a_run_cut_short_says_that_it_can_go_on(
    tmp_path, monkeypatch, capsys, rims, error, code, first
):
    out = tmp_path / "rims.parquet"

    def fails(*args):
        raise error

    arguments = ["stats", TABLE, "moon", IMAGE, *RIM, "--units", "km", "--out", str(out)]
    with monkeypatch.context() as patch:
        patch.setattr(GdalRaster, "read_bands", fails)
        patch.setattr(GdalRaster, "read", fails)
        assert main(arguments) == code
    assert capsys.readouterr().err == (
        f"craterkit: {first}\ncraterkit: What was finished is kept beside {out}; the same call goes on "
        "from there.\n"
    )
    assert main(arguments) == 0
    expected = rims.get_stats(IMAGE, "annulus")
    pd.testing.assert_frame_equal(pd.read_parquet(out), expected, rtol=1e-12, check_dtype=False)


@pytest.mark.parametrize("name", ["rims.CSV", "rims.pq"])
def test_other_names_of_tables(tmp_path, name, rims):
    out = tmp_path / name
    assert main(["stats", TABLE, "moon", IMAGE, *RIM, "--out", str(out)]) == 0
    found = pd.read_csv(out) if name.endswith("CSV") else pd.read_parquet(out)
    expected = rims.get_stats(IMAGE, "annulus")
    pd.testing.assert_frame_equal(found, expected, rtol=1e-12, check_dtype=False)


def test_an_interrupt_is_quiet(monkeypatch, capsys):
    def interrupted(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr(CraterDatabase, "get_stats", interrupted)
    assert main(["stats", TABLE, "moon", IMAGE, *RIM]) == 130
    assert capsys.readouterr().err == "craterkit: interrupted\n"


def test_what_parquet_cannot_hold_is_a_clear_error(tmp_path, capsys):
    out = tmp_path / "shares.parquet"
    arguments = ["stats", TABLE, "moon", IMAGE, *RIM, "--stats", "frac", "--out", str(out)]
    assert main(arguments) == 2
    assert "error: --out: the dicts that the statistic 'frac' gives" in capsys.readouterr().err
    assert not out.exists()
