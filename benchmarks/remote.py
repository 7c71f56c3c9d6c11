"""Fifty craters of a cloud-optimised GeoTIFF on a web server, beside downloading it first."""

from __future__ import annotations

import shutil
import tempfile
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import inputs
from benchmarks.measuring import Settings, best_of, isolated
from benchmarks.range_server import Link, serve, traffic
from benchmarks.results import Part, Row
from benchmarks.survey import rim_stats, warm_up
from craterkit import CraterDatabase

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["measure_remote"]

_COUNT = 50
_LINKS = {
    "this machine": Link(),
    "30 ms an answer, 100 Mbit/s a connection": Link(0.03, 12.5e6),
}


def measure_remote(settings: Settings) -> Part:
    """Count requests and bytes, and time both ways over two networks."""
    width = settings.pick(23040, 1024)
    path = inputs.cloud_optimized(settings.data, width)
    size = path.stat().st_size
    rows = []
    for name, link in _LINKS.items():
        with serve(path, link) as served:
            whole, expected = isolated(_download, served.url, settings.jobs).value
            before = traffic(served)
            seconds, table = isolated(_read, f"/vsicurl/{served.url}", settings.jobs).value
            after = traffic(served)
        if not table.equals(expected):
            raise AssertionError("a file read over the network gives other numbers")
        requests, sent = after[0] - before[0], after[1] - before[1]
        rows += [
            Row(f"the whole file first; {name}", whole, note=f"{size / 1e6:,.1f} MB"),
            Row(
                f"blocks as needed; {name}",
                seconds,
                ratios={"the speed": whole / seconds, "the file's bytes": sent / size},
                note=f"{requests} requests, {sent / 1e6:,.2f} MB, the same results",
            ),
        ]
    title = f"{_COUNT} craters, {width} × {width // 2} pixels (GeoTIFF, cloud-optimised) over HTTP; once"
    return Part(title, tuple(rows))


def _database() -> CraterDatabase:
    craters = inputs.power_law_craters(_COUNT)
    cdb = CraterDatabase(craters.assign(diam_km=5 * craters["diam_km"]), "moon")
    cdb.add_annuli("rim", 1, 1.5)
    return cdb


def _read(name: str, jobs: int) -> tuple[float, pd.DataFrame]:
    warm_up()
    cdb = _database()
    return best_of(1, lambda: rim_stats(cdb, name, n_jobs=jobs))


def _download(url: str, jobs: int) -> tuple[float, pd.DataFrame]:
    warm_up()
    cdb = _database()

    def work() -> pd.DataFrame:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "copy.tif"
            with urllib.request.urlopen(url) as answer, path.open("wb") as file:
                shutil.copyfileobj(answer, file, 1 << 20)
            return rim_stats(cdb, path, n_jobs=jobs)

    return best_of(1, work)
