"""The benchmarks' command line: ``python -m benchmarks [NAME ...]``.

Without names all are run; results are kept in ``run.json`` of the data folder, where benchmarks that
were run by name take the place of their last results. ``--page`` has the sections
``<!-- machine -->`` and ``<!-- table -->`` of a Markdown page filled with what is kept there.
"""

from __future__ import annotations

import argparse
import dataclasses
import datetime
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import machine, results
from benchmarks.desk import measure_desk
from benchmarks.growth import measure_growth
from benchmarks.measuring import Settings
from benchmarks.parallel import measure_parallel
from benchmarks.projections import measure_projections
from benchmarks.remote import measure_remote
from benchmarks.series import measure_series
from benchmarks.survey import measure_gigapixel, measure_survey
from benchmarks.tutorial import incumbent_version, measure_tutorial

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

BENCHMARKS: dict[str, Callable[[Settings], results.Part]] = {
    "tutorial": measure_tutorial,
    "survey": measure_survey,
    "gigapixel": measure_gigapixel,
    "growth": measure_growth,
    "parallel": measure_parallel,
    "remote": measure_remote,
    "projections": measure_projections,
    "series": measure_series,
    "desk": measure_desk,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run benchmarks, print their table and keep it."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if unknown := sorted(set(options.names) - set(BENCHMARKS)):
        parser.error(f"no benchmark {', '.join(unknown)}; there are {', '.join(BENCHMARKS)}")
    folder = options.data / "quick" if options.quick else options.data
    folder.mkdir(parents=True, exist_ok=True)
    settings = Settings(
        data=folder,
        jobs=options.jobs,
        repeat=1 if options.quick else 3,
        quick=options.quick,
        features=2000 if options.quick else options.features,
        tutorial_data=options.tutorial_data,
    )
    run = folder / "run.json"
    for name in () if options.render else options.names or BENCHMARKS:
        start = time.perf_counter()
        part = BENCHMARKS[name](settings)
        print(f"{name}: {time.perf_counter() - start:.0f} s", file=sys.stderr, flush=True)
        _keep(run, name, part, settings)
    described, parts = results.load(run)
    table = results.render(parts.values())
    print(table)
    if options.page:
        page = options.page.read_text(encoding="utf-8")
        page = results.fill(page, "machine", _listed(described))
        options.page.write_text(results.fill(page, "table", table), encoding="utf-8")
    return 0


def _keep(run: Path, name: str, part: results.Part, settings: Settings) -> None:
    """Add results to those kept; what another machine or other versions gave is dropped."""
    described = machine.describe() | {"craterpy": incumbent_version(settings)}
    before, parts = results.load(run)
    if before != described:
        parts = {}
    now = datetime.datetime.now().astimezone()
    finished = f"{now:%Y-%m-%d %H:%M}, commit {machine.commit()}"
    parts[name] = dataclasses.replace(part, finished=finished)
    results.save(run, described, {key: parts[key] for key in BENCHMARKS if key in parts})


def _listed(described: dict[str, str]) -> str:
    """The machine and versions as a Markdown table."""
    rows = [f"| {name} | {value} |" for name, value in described.items()]
    return "\n".join(["| | |", "| --- | --- |", *rows])


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m benchmarks", description=__doc__.split("\n\n")[1])
    names = ", ".join(BENCHMARKS)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {names}; all by default")
    parser.add_argument("--quick", action="store_true", help="tiny sizes: does everything run?")
    parser.add_argument("--render", action="store_true", help="run nothing, show what is kept")
    parser.add_argument("--page", type=Path, help="Markdown page to fill with all that is kept")
    parser.add_argument(
        "--features", type=int, default=1_300_000, help="craters of the survey (1300000)"
    )
    parser.add_argument("--jobs", type=int, default=2, help="threads, processes, workers (2)")
    parser.add_argument(
        "--data", type=Path, default=Path(__file__).parent / "data", help="folder for rasters"
    )
    parser.add_argument(
        "--tutorial-data", type=Path, help="folder with another moon.tif and moon_craters_km.csv"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
