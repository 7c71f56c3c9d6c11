"""Passwords, tokens and signatures of addresses appear nowhere."""

import json
import shutil
import subprocess
import sys
import traceback
import warnings
from pathlib import Path
from urllib.parse import quote

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from craterkit import CraterDatabase, PixelSelection, sample_data
from craterkit.addresses import safe_text
from craterkit.cli import main
from craterkit.errors import CraterkitError

SECRET = "hunter2"


@pytest.fixture(autouse=True)
def _no_figures_stay_open():
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def port(tmp_path_factory):
    folder = tmp_path_factory.mktemp("served")
    shutil.copy(sample_data["moon.tif"], folder)
    content = (folder / "moon.tif").read_bytes()
    (folder / "cut.tif").write_bytes(content[: len(content) // 2])
    script = Path(__file__).with_name("served.py")
    command = [sys.executable, str(script), str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        yield int(server.stdout.readline())
        server.kill()


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setenv("GDAL_HTTP_PROXY", "")


NAMES = {
    "user": "http://me:{secret}@{host}/{file}",
    "signed": "http://{host}/{file}?X-Amz-Signature={secret}&X-Amz-Expires=60",
    "token": "/vsicurl/http://{host}/{file}?token={secret}",
    "header": "/vsicurl?header.Authorization=Bearer%20{secret}&url={quoted}",
}


def address(kind, port, file="moon.tif"):
    host = f"127.0.0.1:{port}"
    url = quote(f"http://{host}/{file}")
    return NAMES[kind].format(secret=SECRET, host=host, file=file, quoted=url)


def database():
    cdb = CraterDatabase(pd.DataFrame({"lat": [0.0], "lon": [0.0], "radius_km": [100.0]}), "moon")
    cdb.add_circles("c")
    return cdb


@pytest.mark.parametrize("kind", NAMES)
def test_results_and_files(kind, port, tmp_path):
    name, cdb = address(kind, port), database()
    told = {"progress": False}
    pixels = PixelSelection.from_raster(name, lambda v: v > 100)
    tables = [
        cdb.get_stats(name, "c", **told),
        cdb.get_stats([name], "c", weights=name, where={name: lambda v: v > 0}, **told),
        cdb.get_arrays([name], "c", **told),
        cdb.get_pixels(name, "c", **told),
        cdb.get_series([name, name], "c", **told),
        pixels.get_stats([name], **told),
        pixels.get_series([name], **told),
    ]
    for table in tables:
        assert SECRET not in repr(table.attrs) + repr(list(table)) + repr(table.iloc[:, 0].tolist())
        assert "moon.tif" in repr(table.attrs)
    assert tables[0]["mean_c"].equals(database().get_stats(sample_data["moon.tif"], "c")["mean_c"])
    assert SECRET not in repr(pixels) + repr(pixels.areas.attrs)
    for number, get in enumerate((cdb.get_stats, cdb.get_arrays, cdb.get_pixels)):
        out = get([name], "c", out=tmp_path / f"{number}.parquet", **told)
        assert SECRET.encode() not in Path(out).read_bytes()
    pixels.to_raster(tmp_path / "pixels.tif")
    pixels.to_parquet(tmp_path / "series.parquet", [name])
    for file in tmp_path.rglob("*"):
        assert file.is_dir() or SECRET.encode() not in file.read_bytes()
    ax = cdb.plot_hist(name, "c", progress=False)
    assert SECRET not in ax.get_xlabel() + ax.get_title()


@pytest.mark.parametrize("file", ["absent.tif", "cut.tif"])
@pytest.mark.parametrize("kind", NAMES)
def test_errors_and_warnings(kind, port, file):
    name, cdb = address(kind, port, file), database()
    moon = sample_data["moon.tif"]
    uses = [
        lambda: cdb.get_stats(name, "c"),
        lambda: cdb.get_arrays([name], "c"),
        lambda: cdb.get_stats(moon, "c", where={name: lambda v: v > 0}),
        lambda: cdb.get_stats(moon, "c", weights=name),
        lambda: cdb.get_series([moon, name], "c", errors="flag"),
        lambda: cdb.get_stats(name, "c", errors="flag"),
        lambda: cdb.plot(name),
        lambda: PixelSelection.from_raster(name, lambda v: v > 0),
        lambda: CraterDatabase(name.replace("tif", "csv"), "moon"),
        lambda: CraterDatabase.read_file(name.replace("tif", "gpkg"), "moon"),
    ]
    for use in uses:
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            try:
                text = repr(getattr(use(), "attrs", ""))
            except CraterkitError as error:
                text = "".join(traceback.format_exception(error)) + repr(error)
        lines = [line for line in text.splitlines() if "lambda" not in line]
        assert SECRET not in "\n".join(lines)
        assert SECRET not in " ".join(str(warning.message) for warning in told)


def test_the_command_line(port, tmp_path, capsys):
    table = tmp_path / "craters.csv"
    table.write_text("lat,lon,radius_km\n0,0,100\n")
    for file in ("moon.tif", "absent.tif"):
        main(["stats", str(table), "moon", address("user", port, file), "--circle", "1"])
    told = capsys.readouterr()
    assert "absent.tif" in told.err
    assert SECRET not in told.out + told.err


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("see http://a.org/x, or (https://b.org/y).", None),
        ("no file /home/me/dem?1.tif: 'x@y'", None),
        ("'http://me:pa'ss@h/x.tif': gone", "'http://h/x.tif': gone"),
        ("http://h/x.tif?sig=abc: gone", "http://h/x.tif: gone"),
        (
            "/vsicurl?url=https%3A//h/x.tif&header.X-Api-Key=abc: gone",
            "/vsicurl/https://h/x.tif: gone",
        ),
        ("PG:host=h password='a b' dbname=d", "PG:host=h password= dbname=d"),
    ],
)
def test_messages(text, safe):
    assert safe_text(text) == (text if safe is None else safe)


def test_names_without_secrets_are_as_they_were():
    told = database().get_stats(sample_data["moon.tif"], "c", progress=False).attrs["craterkit"]
    assert told["rasters"][0]["name"] == str(sample_data["moon.tif"])
    assert json.loads(json.dumps(told)) == told
    assert np.isfinite(told["body"]["a"])
