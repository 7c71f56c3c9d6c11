"""The tutorial's steps with one package or another; run as a script, in the package's own environment.

    python tutorial_steps.py PACKAGE TABLE RASTER REPEAT [NVERT]

Prints JSON: the fewest seconds of each step and of all together, and what came out. Only what the
package is said to need is imported, so that it runs beside either.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import sys
import time
import warnings
from typing import Any


def main(package: str, table: str, raster: str, repeat: str, nvert: str = "") -> None:
    warnings.simplefilter("ignore")
    start = time.perf_counter()
    database = importlib.import_module(package).CraterDatabase
    found: dict[str, Any] = {"import": time.perf_counter() - start}
    options = {"nvert": int(nvert)} if nvert else {}
    start = time.perf_counter()
    _round(database, table, raster, options)
    found["first"] = time.perf_counter() - start
    rounds = [_round(database, table, raster, options) for _ in range(int(repeat))]
    best = min(rounds, key=lambda each: sum(each[0].values()))
    found |= {"steps": best[0], "together": sum(best[0].values())} | best[1]
    print(json.dumps(found))


def _round(
    database: Any, table: str, raster: str, options: dict[str, int]
) -> tuple[dict[str, float], dict[str, Any]]:
    """Seconds by step, and the numbers."""
    times = [time.perf_counter()]
    with contextlib.redirect_stdout(sys.stderr):
        cdb = database(table, "moon", units="km")
        times.append(time.perf_counter())
        cdb.add_annuli("rim", 1, 1.5, **options)
        polygons = cdb.rim
        times.append(time.perf_counter())
        stats = cdb.get_stats(raster, "rim")
        times.append(time.perf_counter())
        arrays = cdb.get_arrays(raster, "rim")
        times.append(time.perf_counter())
    names = ("database", "polygons", "statistics", "arrays")
    steps = {name: times[i + 1] - times[i] for i, name in enumerate(names)}
    numbers = {
        "length": len(cdb),
        "polygons": len(polygons),
        "means": [float(value) for value in stats["mean_rim"]],
        "pixels": sum(int(array.count()) for array in arrays["rim"]),
    }
    return steps, numbers


if __name__ == "__main__":
    main(*sys.argv[1:])
