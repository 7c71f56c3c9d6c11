"""The benchmarks: each runs at a tiny size, and its table has the rows that the documentation shows."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
COVERAGES = ('craterkit, `"all_touched"`', 'craterkit, `"center"`', 'craterkit, `"fraction"`')
PEERS = ("exactextract, feature-sequential", "exactextract, raster-sequential", "rasterstats")
MAPS = ("lon/lat", "polar stereographic", "sinusoidal")

WAYS = (
    *("read whole, index, vstack", "read whole into a preallocated array", "rasterio.sample"),
    *("xarray with dask", "craterkit, threads: 1", "craterkit, threads: 2"),
)

#: How the rows of each benchmark begin.
ROWS = {
    "tutorial": ("craterpy", "craterkit, geodesic circles", "craterkit, `nvert=32`"),
    "survey": (
        "bare decode, threads: 1",
        "bare decode, threads: 2",
        "database",
        *COVERAGES,
        *PEERS,
    ),
    "gigapixel": ("bare decode, threads: 1", "bare decode, threads: 2", *COVERAGES, COVERAGES[0]),
    "growth": ("200 of 5 pixels",) * 3 + ("20 of 100 pixels",) * 3,
    "parallel": (
        *("threads: 1", "threads: 2"),
        *("processes, with their start: 1", "processes, with their start: 2"),
        *("workers of a running Dask cluster: 1", "workers of a running Dask cluster: 2"),
    ),
    "remote": ("the whole file first", "blocks as needed") * 2,
    "series": tuple(
        f"{pixels}: {way}"
        for pixels, ways in (
            ("250 pixels, in 25 areas", WAYS),
            ("250 pixels, scattered", WAYS),
            ("6,537 pixels, a tenth of all", [way for way in WAYS if way != "rasterio.sample"]),
        )
        for way in ways
    ),
    "desk": (
        *("map of 2,000 circles", "geopandas: boundaries of 200", "sheet of nine ROIs"),
        *(
            f"{name} of 2,000 features, {verb}"
            for name in ("GeoParquet", "GeoPackage", "GeoJSON")
            for verb in ("written", "read")
        ),
    ),
    "projections": tuple(f"{name}: {row}" for name in MAPS for row in (*PEERS, *COVERAGES)),
}


def benchmark(*arguments):
    command = [sys.executable, "-m", "benchmarks", *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return tmp_path_factory.mktemp("benchmarks")


@pytest.mark.parametrize("name", ROWS)
def test_runs_and_gives_its_rows(name, data):
    if name == "parallel":
        pytest.importorskip("distributed")
    done = benchmark(name, "--quick", "--data", data)
    assert done.returncode == 0, done.stderr
    rows = json.loads((data / "quick" / "run.json").read_text("utf-8"))["parts"][name]["rows"]
    assert len(rows) == len(ROWS[name])
    for row, start in zip(rows, ROWS[name], strict=True):
        assert row["what"].startswith(start)
        assert row["what"] in done.stdout
        assert row["seconds"] is None or row["seconds"] > 0


@pytest.fixture
def kept(tmp_path):
    """A folder with results as a run leaves them."""
    row = {"what": "this", "seconds": 0.5, "rate": 1234.5, "peak": 1e3, "note": "so"}
    part = {"title": "some", "finished": "now", "rows": [row | {"ratios": {"that": 61.04}}]}
    run = {"machine": {"cores": "2"}, "parts": {"survey": part}}
    (tmp_path / "run.json").write_text(json.dumps(run), encoding="utf-8")
    return tmp_path


def test_a_page_keeps_its_prose_and_gets_the_tables(kept):
    page = kept / "page.md"
    page.write_text(
        "before\n<!-- table -->\nold\n<!-- /table -->\nbetween\n<!-- machine -->\n<!-- /machine -->\nend\n",
        encoding="utf-8",
    )
    for _ in range(2):  # a second time changes nothing
        assert benchmark("--render", "--data", kept, "--page", page).returncode == 0
        text = page.read_text("utf-8")
        assert [text.count(word) for word in ("before", "between", "end", "old")] == [1, 1, 1, 0]
        assert "| this | 500 ms | 1,234 | 1,000 MB | 61 × that; so |" in text
        assert "| cores | 2 |" in text


def test_a_page_without_the_sections_is_refused(kept):
    page = kept / "page.md"
    page.write_text("<!-- table -->\n", encoding="utf-8")
    assert "the page needs one" in benchmark("--render", "--data", kept, "--page", page).stderr


def test_an_unknown_name_is_refused(tmp_path):
    done = benchmark("surveys", "--quick", "--data", tmp_path)
    assert done.returncode == 2
    assert "no benchmark surveys" in done.stderr


def test_the_page_has_the_sections():
    text = (ROOT / "docs" / "performance.md").read_text("utf-8")
    for section in ("table", "machine"):
        assert text.count(f"<!-- {section} -->\n") == text.count(f"<!-- /{section} -->\n") == 1
