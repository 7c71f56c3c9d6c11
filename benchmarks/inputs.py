"""Rasters and craters to measure on; rasters are made once and kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import rasterio
import rasterio.shutil
from affine import Affine

from benchmarks.measuring import isolated

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

__all__ = ["MOON", "cloud_optimized", "craters", "lonlat", "mosaic", "power_law_craters", "relief"]

MOON = "IAU_2015:30100"
_RADIUS_KM = 1737.4
_BLOCK = 256
_STEP = 8


def mosaic(folder: Path, width: int) -> Path:
    """Return a global lon/lat mosaic: int16, tiles of 256 pixels, deflate with predictor."""
    path = folder / f"mosaic_{width}.tif"
    if not path.exists():
        isolated(_write_mosaic, path, width)
    return path


def cloud_optimized(folder: Path, width: int) -> Path:
    """Return the mosaic as a cloud-optimised GeoTIFF with overviews."""
    path = folder / f"cog_{width}.tif"
    if not path.exists():
        isolated(_write_cog, mosaic(folder, width), path)
    return path


def relief(width: int, first: int, last: int) -> NDArray[np.int16]:
    """Return rows of a global map of smooth hills with noise of ±4."""
    rng = np.random.default_rng(1)
    waves = rng.normal(size=(12, 3)) * rng.uniform(2, 60, size=(12, 1))
    phases = rng.uniform(0, 2 * np.pi, 12)
    height = width // 2
    lon = np.radians(np.arange(0, width + 1, _STEP) / width * 360 - 180)
    lat = np.radians(90 - np.arange(first, last + _STEP, _STEP) / height * 180)[:, None]
    hills = np.zeros((lat.size, lon.size))
    for (x, y, z), phase in zip(waves, phases, strict=True):
        across = x * np.cos(lon) + y * np.sin(lon)
        hills += 400 * np.cos(np.cos(lat) * across + z * np.sin(lat) + phase)
    share = np.arange(_STEP, dtype=np.float32) / _STEP
    coarse = hills.astype(np.float32)
    columns = coarse[:, :-1, None] + np.diff(coarse, axis=1)[:, :, None] * share
    columns = columns.reshape(lat.size, -1)[:, :width]
    rows = columns[:-1, None, :] + np.diff(columns, axis=0)[:, None, :] * share[:, None]
    smooth = rows.reshape(-1, width)[: last - first].astype(np.int16)
    noise = np.random.default_rng(first + 2).integers(-4, 5, smooth.shape, dtype=np.int8)
    return smooth + noise


def lonlat(width: int) -> Affine:
    """Return the transform of a global lon/lat map."""
    return Affine(360 / width, 0, -180, 0, -360 / width, 90)


def power_law_craters(count: int) -> pd.DataFrame:
    """Return craters of 1 to 2500 km, all over the sphere, with the sizes of a real catalogue."""
    rng = np.random.default_rng(2)
    return pd.DataFrame(
        {
            "lat": np.degrees(np.arcsin(rng.uniform(-1, 1, count))),
            "lon": rng.uniform(-180, 180, count),
            "diam_km": np.minimum(rng.uniform(size=count) ** (-1 / 1.9), 2500.0),
        }
    )


def craters(count: int, width: int, radius: float) -> pd.DataFrame:
    """Return craters of one radius, in pixels at the equator of a global map."""
    table = power_law_craters(count)
    pixel = 2 * np.pi * _RADIUS_KM / width
    return table.assign(diam_km=2 * radius * pixel)


def _write_mosaic(path: Path, width: int) -> None:
    height = width // 2
    profile = {
        "driver": "GTiff",
        "dtype": "int16",
        "width": width,
        "height": height,
        "count": 1,
        "crs": MOON,
        "transform": lonlat(width),
        "tiled": True,
        "blockxsize": _BLOCK,
        "blockysize": _BLOCK,
        "compress": "deflate",
        "predictor": 2,
        "nodata": -32768,
        "num_threads": "all_cpus",
    }
    draft = path.with_suffix(".draft.tif")
    with rasterio.open(draft, "w", **profile) as dataset:
        for row in range(0, height, _BLOCK):
            last = min(row + _BLOCK, height)
            pixels = relief(width, row, last)
            dataset.write(pixels, 1, window=((row, last), (0, width)))
    draft.rename(path)


def _write_cog(source: Path, path: Path) -> None:
    draft = path.with_suffix(".draft.tif")
    rasterio.shutil.copy(
        source, draft, driver="COG", compress="deflate", predictor="yes", num_threads="all_cpus"
    )
    draft.rename(path)
