"""How time grows with the number of ROIs and with their size, on a raster held in memory."""

from __future__ import annotations

from functools import partial
from typing import Any

from benchmarks import inputs
from benchmarks.measuring import Settings, best_of, isolated
from benchmarks.results import Part, Row
from benchmarks.survey import COVERAGES, rim_stats, warm_up
from craterkit import CraterDatabase

__all__ = ["measure_growth"]

#: Radius in pixels, and how many craters.
_SIZES = {2: 200_000, 5: 200_000, 20: 50_000, 100: 4000, 500: 200}


def measure_growth(settings: Settings) -> Part:
    """Time numbers of ROIs at one size, and sizes of ROIs."""
    width = settings.pick(11520, 1024)
    rows = []
    numbers = [(count, 5) for count in (10_000, 100_000, 1_000_000)]
    sizes = [(count, radius) for radius, count in _SIZES.items()]
    for count, radius in settings.pick([*numbers, *sizes], [(200, 5), (20, 100)]):
        found = isolated(_time_radius, width, count, radius, settings).value
        for coverage, (seconds, pixels) in found.items():
            what = f'{count:,} of {radius} pixels radius, `"{coverage}"`'
            rows.append(_row(what, count, seconds, pixels))
    size = f"{width} × {width // 2} pixels in memory"
    return Part(f"growth: annuli of one size, {size}; best of {settings.repeat}", tuple(rows))


def _time_radius(
    width: int, count: int, radius: float, settings: Settings
) -> dict[str, tuple[float, int]]:
    """Seconds for craters of one radius, and how many pixels were counted, by coverage."""
    warm_up()
    pixels = inputs.relief(width, 0, width // 2)
    cdb = CraterDatabase(inputs.craters(count, width, radius), "moon")
    cdb.add_annuli("rim", 1, 1.5)

    def work(coverage: Any) -> int:
        table = rim_stats(
            cdb,
            pixels,
            coverage=coverage,
            transform=inputs.lonlat(width),
            raster_crs=inputs.MOON,
            n_jobs=settings.jobs,
        )
        return int(table["count_rim"].sum())

    return {each: best_of(settings.repeat, partial(work, each)) for each in COVERAGES}


def _row(what: str, count: int, seconds: float, pixels: int) -> Row:
    note = (
        f"{1e6 * seconds / count:,.1f} µs an ROI, {1e9 * seconds / pixels:,.1f} ns a pixel; "
        f"{pixels / count:,.1f} pixels an ROI"
    )
    return Row(what, seconds, count / seconds, note=note)
