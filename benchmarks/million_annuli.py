"""A global survey: 1.3 million annuli over a 265-megapixel raster, decode included.

Run with ``python benchmarks/million_annuli.py``; the raster is made once, in ``benchmarks/data``. The peer is
exactextract (extra ``peers``), on a random sample of the same annuli in the same run; neither drawing
its polygons nor decoding the raster once is counted as its time. Ratios are of ROIs a second.
"""

from __future__ import annotations

import argparse
import resource
import time
from pathlib import Path

import numpy as np
import pandas as pd
import rasterio
from affine import Affine

from craterkit import CraterDatabase

DATA = Path(__file__).parent / "data"
MOON = "IAU_2015:30100"


def make_raster(path: Path, width: int) -> None:
    """Write a global int16 raster, tiled and deflated, of smooth relief with some noise."""
    height = width // 2
    rng = np.random.default_rng(1)
    waves = rng.normal(size=(40, 3)) * rng.uniform(2, 60, size=(40, 1))
    phases = rng.uniform(0, 2 * np.pi, 40)
    lon = np.radians((np.arange(width) + 0.5) / width * 360 - 180)
    profile = {
        "driver": "GTiff",
        "dtype": "int16",
        "width": width,
        "height": height,
        "count": 1,
        "crs": MOON,
        "transform": Affine(360 / width, 0, -180, 0, -180 / height, 90),
        "tiled": True,
        "blockxsize": 256,
        "blockysize": 256,
        "compress": "deflate",
        "predictor": 2,
        "nodata": -32768,
    }
    with rasterio.open(path, "w", **profile) as dataset:
        for row in range(0, height, 256):
            lat = np.radians(90 - (np.arange(row, min(row + 256, height)) + 0.5) / height * 180)
            east, north = np.cos(lat)[:, None], np.sin(lat)[:, None]
            relief = np.zeros((lat.size, width), dtype=np.float32)
            for wave, phase in zip(waves[:: max(1, width // 6000)], phases, strict=False):
                x = wave[0] * east * np.cos(lon) + wave[1] * east * np.sin(lon) + wave[2] * north
                relief += 400 * np.cos(x + phase).astype(np.float32)
            relief += rng.integers(-4, 5, relief.shape, dtype=np.int8)
            window = rasterio.windows.Window(0, row, width, lat.size)
            dataset.write(relief.astype(np.int16), 1, window=window)


def make_craters(count: int) -> pd.DataFrame:
    """Return craters of at least 1 km, all over the sphere, with the sizes of a real catalogue."""
    rng = np.random.default_rng(2)
    return pd.DataFrame(
        {
            "lat": np.degrees(np.arcsin(rng.uniform(-1, 1, count))),
            "lon": rng.uniform(-180, 180, count),
            "diam_km": np.minimum(rng.uniform(size=count) ** (-1 / 1.9), 2500.0),
        }
    )


def decode(path: Path) -> float:
    """Return the seconds it takes to read every block once, in one thread."""
    start = time.perf_counter()
    with rasterio.open(path) as dataset:
        for row in range(0, dataset.height, 256):
            window = rasterio.windows.Window(0, row, dataset.width, min(256, dataset.height - row))
            dataset.read(1, window=window)
    return time.perf_counter() - start


def time_exactextract(path: Path, craters: pd.DataFrame) -> float:
    """Return exactextract's seconds for annuli drawn as polygons; the drawing is not timed."""
    import warnings

    from exactextract import exact_extract

    cdb = CraterDatabase(craters, "moon")
    cdb.add_annuli("rim", 1, 1.5)
    frame = cdb.data[["rim"]].rename(columns={"rim": "geometry"}).set_geometry("geometry")
    start = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        exact_extract(str(path), frame, ["mean", "count", "stdev"], strategy="raster-sequential")
    return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--features", type=int, default=1_300_000)
    parser.add_argument("--width", type=int, default=23040)
    parser.add_argument("--sample", type=int, default=20_000, help="annuli for exactextract")
    parser.add_argument("--jobs", type=int, nargs="*", default=[1, 2])
    arguments = parser.parse_args()
    DATA.mkdir(exist_ok=True)
    path = DATA / f"relief_{arguments.width}.tif"
    if not path.exists():
        make_raster(path, arguments.width)
    craters = make_craters(arguments.features)
    bare = decode(path)
    print(f"{'bare decode, 1 thread':44s} {bare:8.2f} s")

    start = time.perf_counter()
    cdb = CraterDatabase(craters, "moon")
    cdb.add_annuli("rim", 1, 1.5)
    print(f"{'database and region':44s} {time.perf_counter() - start:8.2f} s")
    rates = {}
    for coverage in ("center", "all_touched", "fraction"):
        for jobs in arguments.jobs:
            start = time.perf_counter()
            stats = cdb.get_stats(path, "rim", coverage=coverage, n_jobs=jobs, progress=False)
            seconds = time.perf_counter() - start
            rates[coverage] = len(cdb) / seconds
            label = f"craterkit {coverage}, {jobs} threads"
            print(
                f"{label:44s} {seconds:8.2f} s {rates[coverage]:12,.0f} ROI/s "
                f"{seconds / bare:6.1f} × decode, {stats['count_rim'].sum():,} pixels"
            )
    if arguments.sample:
        sample = craters.sample(arguments.sample, random_state=3)
        seconds = time_exactextract(path, sample)
        # The sample makes it read the whole raster: one decode is not the sample's to pay.
        rate = len(sample) / max(seconds - bare, 1e-3)
        print(f"{f'exactextract, {len(sample):,} annuli':44s} {seconds:8.2f} s")
        print(f"{'  without one decode':44s} {seconds - bare:8.2f} s {rate:12,.0f} ROI/s")
        for coverage, own in rates.items():
            print(f"{f'craterkit {coverage} / exactextract':44s} {own / rate:8.1f} ×")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{'peak memory of the process':44s} {peak:8.0f} MB")


if __name__ == "__main__":
    main()
