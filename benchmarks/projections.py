"""ROIs a second on lon/lat, polar stereographic and sinusoidal copies of one field, against peers.

Annuli of 1 to 2 radii with radii of 5 to 20 pixels around random places, mean, count and std. The
peers get the same annuli as polygons in each raster's own CRS, drawn beforehand; both sides are
timed on the same file in the same run. What reading the file takes is in all figures.

    python benchmarks/projections.py
"""

from __future__ import annotations

import argparse
import os
import time
import warnings
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import rasterio
import shapely
from affine import Affine

from craterkit import CraterDatabase
from craterkit.bodies import get_body
from craterkit.geodesy import destination
from craterkit.rasters.gdal import GdalRaster

DATA = Path(__file__).parent / "data"
RADIUS = 1_737_400.0
STATS = ("mean", "count", "std")

#: PROJ string, and the distance from the middle to the sides, in lunar radii.
MAPS = {
    "lonlat": ("+proj=longlat", None),
    "polar stereographic": ("+proj=stere +lat_0=-90 +lon_0=0", 0.6),
    "sinusoidal": ("+proj=sinu +lon_0=0", np.pi / 4),
}


def make_raster(path: Path, name: str, size: int) -> None:
    """Write ``1000 sin(6 lon) cos(5 lat)`` as int16, in tiles of 256 pixels with deflate."""
    projection, half = MAPS[name]
    if half is None:
        # The northern half of the eastern hemisphere and more, at the size of the others.
        step = 90.0 / size
        transform = Affine(step, 0.0, 0.0, 0.0, -step, 45.0)
    else:
        step = 2 * half * RADIUS / size
        transform = Affine(step, 0.0, -half * RADIUS, 0.0, -step, half * RADIUS)
    crs = rasterio.CRS.from_string(f"{projection} +R={RADIUS} +units=m +no_defs")
    profile = {
        "driver": "GTiff",
        "width": size,
        "height": size,
        "count": 1,
        "dtype": "int16",
        "crs": crs,
        "transform": transform,
        "tiled": True,
        "compress": "deflate",
    }
    rng = np.random.default_rng(1)
    with rasterio.open(path, "w", **profile) as file:
        x = np.arange(size) / size
        for row in range(0, size, 256):
            y = (row + np.arange(min(256, size - row))[:, None]) / size
            field = 1000 * np.sin(40 * x) * np.cos(30 * y) + rng.normal(0, 20, (y.size, size))
            window = rasterio.windows.Window(0, row, size, y.size)
            file.write(field.astype("int16"), 1, window=window)


def make_features(path: Path, count: int) -> pd.DataFrame:
    """Return places all over a raster, with radii of 5 to 20 of its pixels."""
    body = get_body("moon")
    with GdalRaster(path) as raster:
        grid = raster.grid(body)
    rng = np.random.default_rng(2)
    height, width = grid.shape
    row, col = rng.uniform(50, height - 50, count), rng.uniform(50, width - 50, count)
    lon, lat = grid.to_body(col, row)
    pixel = np.sqrt(grid.areas_at(np.floor(row).astype(int), np.floor(col).astype(int)))
    table = pd.DataFrame({"lon": lon, "lat": lat, "radius": pixel * rng.uniform(5, 20, count)})
    return table[np.isfinite(lon) & np.isfinite(pixel)]


def draw(path: Path, features: pd.DataFrame) -> gpd.GeoDataFrame:
    """Return the annuli as polygons of 64 vertices a circle in the raster's CRS."""
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
    polygons = shapely.polygons(rings[0], rings[1][:, None])
    return gpd.GeoDataFrame(geometry=polygons, crs=crs)


def time_exactextract(path: Path, polygons: gpd.GeoDataFrame, strategy: str) -> float:
    from exactextract import exact_extract

    start = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        exact_extract(str(path), polygons, ["mean", "count", "stdev"], strategy=strategy)
    return time.perf_counter() - start


def time_rasterstats(path: Path, polygons: gpd.GeoDataFrame) -> float:
    from rasterstats import zonal_stats

    start = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        zonal_stats(polygons.geometry, str(path), stats=["mean", "count", "std"], all_touched=True)
    return time.perf_counter() - start


def decode(path: Path) -> float:
    """Return the seconds it takes to read every block once, in one thread."""
    start = time.perf_counter()
    with rasterio.open(path) as dataset:
        for row in range(0, dataset.height, 256):
            window = rasterio.windows.Window(0, row, dataset.width, min(256, dataset.height - row))
            dataset.read(1, window=window)
    return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--features", type=int, default=100_000)
    parser.add_argument("--size", type=int, default=16384)
    parser.add_argument("--sample", type=int, default=4000, help="annuli for exactextract")
    parser.add_argument("--few", type=int, default=300, help="annuli for rasterstats")
    arguments = parser.parse_args()
    DATA.mkdir(exist_ok=True)
    print(f"{os.cpu_count()} cores, {arguments.size} x {arguments.size} pixels, int16, deflate")
    for name in MAPS:
        path = DATA / f"{name.replace(' ', '_')}_{arguments.size}.tif"
        if not path.exists():
            make_raster(path, name, arguments.size)
        features = make_features(path, arguments.features)
        bare = decode(path)
        print(f"\n{name}: {len(features):,} annuli; bare decode {bare:.2f} s on one thread")
        own = {}
        for coverage in ("center", "all_touched", "fraction"):
            start = time.perf_counter()
            cdb = CraterDatabase(features, "moon")
            cdb.add_annuli("rim", 1, 2)
            cdb.get_stats(path, "rim", STATS, coverage=coverage, progress=False)
            seconds = time.perf_counter() - start
            own[coverage] = len(features) / seconds
            print(f"  {f'craterkit {coverage}':34s} {seconds:8.2f} s {own[coverage]:12,.0f} ROI/s")
        sample = features.sample(arguments.sample, random_state=3)
        polygons = draw(path, sample)
        rates = {}
        for strategy in ("feature-sequential", "raster-sequential"):
            seconds = time_exactextract(path, polygons, strategy)
            # The sample makes it read the whole raster: one decode is not the sample's to pay.
            rates[strategy] = len(sample) / max(seconds - bare, 1e-3)
            label = f"exactextract {strategy}"
            print(f"  {label:34s} {seconds:8.2f} s {rates[strategy]:12,.0f} ROI/s without a decode")
        few = polygons.iloc[: arguments.few]
        seconds = time_rasterstats(path, few)
        print(f"  {'rasterstats':34s} {seconds:8.2f} s {len(few) / seconds:12,.0f} ROI/s")
        best = max(rates.values())
        for coverage, rate in own.items():
            print(f"  craterkit {coverage} / exactextract's best {rate / best:10.1f} times")


if __name__ == "__main__":
    main()
