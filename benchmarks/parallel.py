"""Threads, processes and Dask workers at the same survey, and whether they agree."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks import inputs
from benchmarks.measuring import Settings, best_of, isolated
from benchmarks.results import Part, Row
from benchmarks.survey import database, rim_stats, warm_up

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

__all__ = ["measure_parallel"]


def measure_parallel(settings: Settings) -> Part:
    """Time one and several threads, processes and workers."""
    width, count = settings.pick(23040, 1024), settings.features
    path = inputs.mosaic(settings.data, width)
    repeat = settings.pick(2, 1)
    rows = isolated(_rows, path, count, sorted({1, settings.jobs}), repeat).value
    title = f"{count:,} annuli, {width} × {width // 2} pixels, in parallel; best of {repeat}"
    return Part(title, tuple(rows))


def _rows(path: Path, count: int, jobs: list[int], repeat: int) -> list[Row]:
    distributed: Any = importlib.import_module("distributed")

    warm_up()
    cdb = database(count)

    def timed(**how: Any) -> tuple[float, pd.DataFrame]:
        return best_of(repeat, lambda: rim_stats(cdb, path, **how))

    runs: dict[str, tuple[float, pd.DataFrame, int]] = {}
    for number in jobs:
        runs[f"threads: {number}"] = (*timed(n_jobs=number), number)
    for number in jobs:
        how = {"scheduler": "processes", "n_jobs": number}
        runs[f"processes, with their start: {number}"] = (*timed(**how), number)
    for number in jobs:
        options = {"n_workers": number, "threads_per_worker": 1, "dashboard_address": None}
        with distributed.LocalCluster(**options) as cluster, distributed.Client(cluster) as client:
            runs[f"workers of a running Dask cluster: {number}"] = (*timed(client=client), number)
    first = next(iter(runs.values()))
    rows = []
    for name, (seconds, table, number) in runs.items():
        kind = name.partition(":")[0]
        alone = runs[f"{kind}: {jobs[0]}"][0]
        ratios = {"the speed of one thread": first[0] / seconds}
        if number > jobs[0] and alone != first[0]:
            ratios[f"the speed of {jobs[0]} of them"] = alone / seconds
        rows.append(
            Row(name, seconds, count / seconds, ratios=ratios, note=_agreement(first[1], table))
        )
    return rows


def _agreement(expected: pd.DataFrame, found: pd.DataFrame) -> str:
    """How far statistics differ; counts must not."""
    if not found["count_rim"].equals(expected["count_rim"]):
        raise AssertionError("counts depend on how the work is shared")
    worst = 0.0
    for name in ("mean_rim", "std_rim"):
        one, other = expected[name].to_numpy(), found[name].to_numpy()
        if not np.array_equal(np.isnan(one), np.isnan(other)):
            raise AssertionError(
                f"{name} is missing for other ROIs if the work is shared otherwise"
            )
        worst = max(worst, float(np.nanmax(np.abs(one - other))))
    return "the same results" if worst == 0 else f"counts the same, others within {worst:.1g}"
