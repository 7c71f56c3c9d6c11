"""GeoTIFFs as all sample data have them: one band, tiled, deflated."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import rasterio
from affine import Affine
from numpy.typing import NDArray

MOON_CRS = "IAU_2015:30100"


def lonlat_transform(west: float, north: float, pixel: float) -> Affine:
    """Affine transform of a map in degrees, north up."""
    return Affine(pixel, 0, west, 0, -pixel, north)


def write_raster(
    path: Path,
    values: NDArray[np.generic],
    *,
    crs: str,
    transform: Affine,
    nodata: int,
    description: str,
    scale: float = 1.0,
    offset: float = 0.0,
    units: str = "",
    tile: int | None = 256,
) -> None:
    """Write one band; without `tile` in one strip."""
    height, width = values.shape
    layout = (
        {"tiled": True, "blockxsize": tile, "blockysize": tile}
        if tile is not None
        else {"blockysize": height}
    )
    with rasterio.open(
        path,
        "w",
        driver="GTiff",
        width=width,
        height=height,
        count=1,
        dtype=values.dtype.name,
        crs=crs,
        transform=transform,
        nodata=nodata,
        **layout,
        compress="deflate",
        predictor=2,
        zlevel=9,
    ) as dst:
        dst.write(values, 1)
        dst.set_band_description(1, description)
        dst.scales = (scale,)
        if offset:
            dst.offsets = (offset,)
        dst.units = (units,)
