"""Annuli on lon/lat, polar stereographic and sinusoidal copies of one field."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import rasterio
import shapely
from affine import Affine

from benchmarks import peers
from benchmarks.measuring import Settings, best_of, isolated
from benchmarks.results import Part, Row
from benchmarks.survey import COVERAGES, bare_decodes, rim_stats, warm_up
from craterkit import CraterDatabase
from craterkit.bodies import get_body
from craterkit.geodesy import destination
from craterkit.rasters.gdal import GdalRaster

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["measure_projections"]

_RADIUS = 1_737_400.0

#: PROJ string, and the distance from the middle to the sides, in lunar radii.
_MAPS = {
    "lon/lat": ("+proj=longlat", None),
    "polar stereographic": ("+proj=stere +lat_0=-90 +lon_0=0", 0.6),
    "sinusoidal": ("+proj=sinu +lon_0=0", np.pi / 4),
}


def measure_projections(settings: Settings) -> Part:
    """Time all coverages on every map beside exactextract and rasterstats."""
    size, count = settings.pick(16384, 512), settings.pick(100_000, 500)
    rows = []
    for name in _MAPS:
        path = settings.data / f"{name.replace('/', '').replace(' ', '_')}_{size}.tif"
        if not path.exists():
            isolated(_write, path, name, size)
        bare = bare_decodes(path, settings)
        rates = {}
        for peer, (seconds, sample) in isolated(_time_peers, path, count, settings).value.items():
            # The sample has it read nearly the whole raster: one decode is not the sample's to pay.
            rates[peer] = sample / max(seconds - bare[1], 1e-3)
            what = peer if peer == "rasterstats" else f"exactextract, {peer}"
            rows.append(
                Row(
                    f"{name}: {what}, {sample:,} of them",
                    seconds,
                    rates[peer],
                    note=f"without one bare decode of {bare[1]:.2f} s",
                )
            )
        best = max(peers.STRATEGIES, key=lambda peer: rates[peer])
        for coverage, seconds in isolated(_time_stats, path, count, settings).value.items():
            rate = count / seconds
            ratios = {
                f"the rate of exactextract ({best})": rate / rates[best],
                "the rate of rasterstats": rate / rates["rasterstats"],
            }
            rows.append(Row(f'{name}: craterkit, `"{coverage}"`', seconds, rate, ratios=ratios))
    title = f"{count:,} annuli of 5 to 20 pixels radius, {size} × {size} pixels, by projection"
    return Part(f"{title}; best of {settings.repeat}, of peers once", tuple(rows))


def _write(path: Path, name: str, size: int) -> None:
    """Write waves with noise as int16, in tiles of 256 pixels with deflate."""
    projection, half = _MAPS[name]
    if half is None:
        # A quarter of the sphere, so that pixels are about as large as on the others.
        step = 90.0 / size
        transform = Affine(step, 0.0, 0.0, 0.0, -step, 45.0)
    else:
        step = 2 * half * _RADIUS / size
        transform = Affine(step, 0.0, -half * _RADIUS, 0.0, -step, half * _RADIUS)
    profile = {
        "driver": "GTiff",
        "width": size,
        "height": size,
        "count": 1,
        "dtype": "int16",
        "crs": rasterio.CRS.from_string(f"{projection} +R={_RADIUS} +units=m +no_defs"),
        "transform": transform,
        "tiled": True,
        "compress": "deflate",
        "num_threads": "all_cpus",
    }
    rng = np.random.default_rng(1)
    draft = path.with_suffix(".draft.tif")
    with rasterio.open(draft, "w", **profile) as file:
        x = np.arange(size) / size
        for row in range(0, size, 256):
            last = min(row + 256, size)
            y = np.arange(row, last)[:, None] / size
            field = 1000 * np.sin(40 * x) * np.cos(30 * y) + rng.normal(0, 20, (y.size, size))
            file.write(field.astype("int16"), 1, window=((row, last), (0, size)))
    draft.rename(path)


def _features(path: Path, count: int) -> pd.DataFrame:
    """Places all over a raster, with radii of 5 to 20 of its pixels."""
    with GdalRaster(path) as raster:
        grid = raster.grid(get_body("moon"))
    rng = np.random.default_rng(2)
    height, width = grid.shape
    row, col = rng.uniform(50, height - 50, count), rng.uniform(50, width - 50, count)
    lon, lat = grid.to_body(col, row)
    pixel = np.sqrt(grid.areas_at(np.floor(row).astype(int), np.floor(col).astype(int)))
    table = pd.DataFrame({"lon": lon, "lat": lat, "radius": pixel * rng.uniform(5, 20, count)})
    return table[np.isfinite(lon) & np.isfinite(pixel)]


def _polygons(path: Path, features: pd.DataFrame) -> gpd.GeoDataFrame:
    """The annuli as polygons of 64 vertices a circle in the raster's CRS."""
    body = get_body("moon")
    with GdalRaster(path) as raster:
        grid, crs = raster.grid(body), raster.crs
    azimuth = np.arange(64) * (360 / 64)
    rings = []
    for edge in (2.0, 1.0):
        lon, lat = destination(
            body,
            features["lon"].to_numpy()[:, None],
            features["lat"].to_numpy()[:, None],
            azimuth[None, :],
            features["radius"].to_numpy()[:, None] * edge,
        )
        x, y = grid.system.from_body(lon, lat)
        rings.append(shapely.linearrings(np.stack([x, y], axis=-1)))
    return gpd.GeoDataFrame(geometry=shapely.polygons(rings[0], rings[1][:, None]), crs=crs)


def _time_stats(path: Path, count: int, settings: Settings) -> dict[str, float]:
    """Seconds of `get_stats` by coverage."""
    warm_up()
    cdb = CraterDatabase(_features(path, count), "moon")
    cdb.add_annuli("rim", 1, 2)

    def work(coverage: Any) -> None:
        rim_stats(cdb, path, coverage=coverage, n_jobs=settings.jobs)

    return {each: best_of(settings.repeat, partial(work, each))[0] for each in COVERAGES}


def _time_peers(path: Path, count: int, settings: Settings) -> dict[str, tuple[float, int]]:
    """Seconds, and size of the random sample, by peer."""
    features = _features(path, count)
    found = {}
    for peer in (*peers.STRATEGIES, "rasterstats"):
        few = settings.pick(1000 if peer == "rasterstats" else 4000, 50)
        polygons = _polygons(path, features.sample(few, random_state=3))
        if peer == "rasterstats":
            seconds, _ = peers.time_rasterstats(path, polygons, 1)
        else:
            seconds, _ = peers.time_exactextract(path, polygons, peer, 1)
        found[peer] = seconds, few
    return found
