"""A global survey: 1.3 million annuli over mosaics of 265 megapixels and of 1.06 gigapixels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from benchmarks import inputs, peers
from benchmarks.measuring import Settings, best_of, decode, isolated
from benchmarks.results import Part, Row
from craterkit import CraterDatabase, sample_data

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

__all__ = [
    "COVERAGES",
    "bare_decodes",
    "database",
    "measure_gigapixel",
    "measure_survey",
    "warm_up",
]

COVERAGES = ("all_touched", "center", "fraction")
DEFAULT = ("mean", "count", "std")
ORDERED = ("mean", "count", "std", "median", "percentile_90")


def measure_survey(settings: Settings) -> Part:
    """Time three coverages beside a bare decode, exactextract and rasterstats."""
    width, count = settings.pick(23040, 1024), settings.features
    path = inputs.mosaic(settings.data, width)
    bare = bare_decodes(path, settings)
    ready = isolated(time_database, count, settings.repeat)
    rows = [
        Row(f"bare decode, threads: {threads}", seconds) for threads, seconds in bare.items()
    ] + [Row(f"database and region of {count:,} craters, from a DataFrame", ready.value)]
    peer_rows, rates = _peer_rows(path, count, bare[1], settings)
    for coverage in COVERAGES:
        done = isolated(time_stats, path, count, coverage, DEFAULT, settings.jobs, settings.repeat)
        seconds, pixels = done.value
        rate = count / seconds
        rows.append(
            Row(
                f'craterkit, `"{coverage}"`',
                seconds,
                rate,
                done.peak,
                {
                    **{f"the rate of {peer}": rate / other for peer, other in rates.items()},
                    f"the bare decode, threads: {settings.jobs}": seconds / bare[settings.jobs],
                },
                f"{pixels / count:,.1f} pixels an ROI",
            )
        )
    title = f"{count:,} annuli, {width} × {width // 2} pixels; best of {settings.repeat}"
    return Part(title, (*rows, *peer_rows))


def measure_gigapixel(settings: Settings) -> Part:
    """Time the same annuli on the large mosaic, and on the small one for comparison."""
    width, count = settings.pick(46080, 2048), settings.features
    small, large = (inputs.mosaic(settings.data, size) for size in (width // 2, width))
    bare = bare_decodes(large, settings)
    rows = [Row(f"bare decode, threads: {threads}", seconds) for threads, seconds in bare.items()]
    for coverage, stats in [*((each, DEFAULT) for each in COVERAGES), ("all_touched", ORDERED)]:
        before = isolated(time_stats, small, count, coverage, stats, settings.jobs, 1)
        done = isolated(time_stats, large, count, coverage, stats, settings.jobs, 1)
        seconds, pixels = done.value
        extra = "" if stats is DEFAULT else ", with median and percentile_90"
        rows.append(
            Row(
                f'craterkit, `"{coverage}"`{extra}',
                seconds,
                count / seconds,
                done.peak,
                {
                    "a quarter of the pixels": seconds / before.value[0],
                    f"the bare decode, threads: {settings.jobs}": seconds / bare[settings.jobs],
                },
                f"{pixels / count:,.1f} pixels an ROI",
            )
        )
    return Part(f"{count:,} annuli, {width} × {width // 2} pixels; once", tuple(rows))


def bare_decodes(path: Path, settings: Settings) -> dict[int, float]:
    """Return the seconds of reading a raster, by number of threads."""
    jobs = sorted({1, settings.jobs})
    best: dict[int, float] = isolated(_best_decodes, path, jobs, settings.repeat).value
    return best


def database(count: int) -> CraterDatabase:
    """Return craters with annuli of 1 to 1.5 radii."""
    cdb = CraterDatabase(inputs.power_law_craters(count), "moon")
    cdb.add_annuli("rim", 1, 1.5)
    return cdb


def rim_stats(cdb: CraterDatabase, raster: object, **how: Any) -> pd.DataFrame:
    """Return statistics of the annuli."""
    table = cdb.get_stats(raster, "rim", progress=False, **how)
    assert isinstance(table, pd.DataFrame)
    return table


def warm_up() -> None:
    """Import everything, so that no measurement pays for it."""
    cdb = CraterDatabase(sample_data["moon_craters_km.csv"], "moon")
    cdb.add_annuli("rim", 1, 1.5)
    for coverage in COVERAGES:
        rim_stats(cdb, sample_data["moon.tif"], stats=["mean", "median"], coverage=coverage)


def time_database(count: int, repeat: int) -> float:
    """Return the seconds from a DataFrame to a database with a region."""
    craters = inputs.power_law_craters(count)
    warm_up()

    def work() -> CraterDatabase:
        cdb = CraterDatabase(craters, "moon")
        cdb.add_annuli("rim", 1, 1.5)
        return cdb

    return best_of(repeat, work)[0]


def time_stats(
    path: Path, count: int, coverage: str, stats: Sequence[str], jobs: int, repeat: int
) -> tuple[float, int]:
    """Return the seconds of `get_stats`, and how many pixels it counted."""
    warm_up()
    cdb = database(count)

    def work() -> int:
        table = rim_stats(cdb, path, stats=stats, coverage=coverage, n_jobs=jobs)
        return int(table["count_rim"].sum())

    return best_of(repeat, work)


def time_peer(path: Path, count: int, sample: int, peer: str, repeat: int) -> tuple[float, float]:
    """Return a peer's seconds for a random sample of the annuli, and how many pixels it counted."""
    craters = inputs.power_law_craters(count).sample(sample, random_state=3)
    polygons = peers.annuli(craters)
    if peer == "rasterstats":
        seconds, found = peers.time_rasterstats(path, polygons, repeat)
        return seconds, sum(each["count"] for each in found)
    seconds, table = peers.time_exactextract(path, polygons, peer, repeat)
    return seconds, float(table["count"].sum())


def _peer_rows(
    path: Path, count: int, bare: float, settings: Settings
) -> tuple[list[Row], dict[str, float]]:
    """Rows of the peers, and the rates of exactextract's faster mode and of rasterstats."""
    rows, rates = [], {}
    for peer in (*peers.STRATEGIES, "rasterstats"):
        sample = settings.pick(4000 if peer == "rasterstats" else 20_000, 200)
        seconds, pixels = isolated(time_peer, path, count, sample, peer, settings.pick(2, 1)).value
        # The sample has it read nearly the whole raster: one decode is not the sample's to pay.
        rates[peer] = sample / max(seconds - bare, 1e-3)
        name = peer if peer == "rasterstats" else f"exactextract, {peer}"
        note = f"without one bare decode; {pixels / sample:,.1f} pixels an ROI"
        rows.append(Row(f"{name}, {sample:,} of them", seconds, rates[peer], note=note))
    best = max(peers.STRATEGIES, key=lambda peer: rates[peer])
    return rows, {f"exactextract ({best})": rates[best], "rasterstats": rates["rasterstats"]}


def _best_decodes(path: Path, jobs: list[int], repeat: int) -> dict[int, float]:
    return {threads: min(decode(path, threads) for _ in range(repeat)) for threads in jobs}
