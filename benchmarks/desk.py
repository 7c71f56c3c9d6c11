"""Pictures and files: a map of all craters, a sheet of ROIs, and databases written and read again."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import matplotlib as mpl
from matplotlib.figure import Figure

from benchmarks import inputs
from benchmarks.measuring import Settings, best_of, isolated
from benchmarks.results import Part, Row
from craterkit import CraterDatabase, sample_data

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["measure_desk"]

_FORMATS = {"GeoParquet": "parquet", "GeoPackage": "gpkg", "GeoJSON": "geojson"}


def measure_desk(settings: Settings) -> Part:
    """Time a map and files of all craters, beside geopandas, and a sheet of nine."""
    count = settings.features
    some = settings.pick(20_000, 200)
    isolated(inputs.mosaic, settings.data, settings.pick(23040, 512))
    mosaic = inputs.mosaic(settings.data, settings.pick(23040, 512))
    drawn = isolated(_draw_map, count, mosaic, settings.data)
    plain = isolated(_draw_plainly, some, settings.data).value
    sheet = isolated(_draw_sheet, settings.data).value
    rows = [
        Row(
            f"map of {count:,} circles over the mosaic, as PNG",
            drawn.value,
            rate=count / drawn.value,
            peak=drawn.peak,
            ratios={"the rate of geopandas": count / drawn.value * plain / some},
        ),
        Row(f"geopandas: boundaries of {some:,} of them, as PNG", plain, rate=some / plain),
        Row("sheet of nine ROIs of the sample Moon, as PNG", sheet),
    ]
    for name, suffix in _FORMATS.items():
        path = settings.data / f"desk.{suffix}"
        own = isolated(_round_trip, count, path)
        other = isolated(_plain_round_trip, count, path).value
        for i, verb in enumerate(("written", "read")):
            rows.append(
                Row(
                    f"{name} of {count:,} features, {verb}",
                    own.value[i],
                    rate=count / own.value[i],
                    peak=own.peak if i else None,
                    ratios={"the speed of geopandas": other[i] / own.value[i]},
                    note="the same database" if i else "",
                )
            )
    return Part(f"pictures and files: {count:,} craters; once", tuple(rows))


def _database(count: int) -> CraterDatabase:
    cdb = CraterDatabase(inputs.power_law_craters(count), "moon")
    cdb.add_circles("crater")
    return cdb


def _draw_map(count: int, mosaic: Path, folder: Path) -> float:
    mpl.use("Agg")
    _database(10).plot(mosaic, "crater", savefig=folder / "map.png")
    cdb = _database(count)
    start = time.perf_counter()
    cdb.plot(mosaic, "crater", savefig=folder / "map.png")
    return time.perf_counter() - start


def _draw_plainly(count: int, folder: Path) -> float:
    """Polygons are drawn beforehand."""
    polygons = gpd.GeoSeries(_database(count).crater)
    start = time.perf_counter()
    figure = Figure()
    polygons.boundary.plot(ax=figure.add_subplot())
    figure.savefig(folder / "map.png")
    return time.perf_counter() - start


def _draw_sheet(folder: Path) -> float:
    mpl.use("Agg")
    cdb = CraterDatabase(sample_data["moon_craters_km.csv"], "moon")
    cdb.add_annuli("rim", 1, 1.5)

    def draw() -> Any:
        return cdb.plot_rois(sample_data["moon.tif"], "rim", savefig=folder / "sheet.png")

    draw()
    return best_of(3, draw)[0]


def _round_trip(count: int, path: Path) -> tuple[float, float]:
    cdb = _database(count)
    start = time.perf_counter()
    cdb.to_file(path)
    between = time.perf_counter()
    back = CraterDatabase.read_file(path)
    end = time.perf_counter()
    if back != cdb:
        raise AssertionError(f"{path} does not bring back the same database")
    return between - start, end - between


def _plain_round_trip(count: int, path: Path) -> tuple[float, float]:
    """What geopandas takes for the same points and columns."""
    table = gpd.GeoDataFrame(_database(count).data)
    path = path.with_stem("plain")
    start = time.perf_counter()
    if path.suffix == ".parquet":
        table.to_parquet(path)
        between = time.perf_counter()
        gpd.read_parquet(path)
    else:
        table.to_file(path)
        between = time.perf_counter()
        gpd.read_file(path)
    return between - start, time.perf_counter() - between
