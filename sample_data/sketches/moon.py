"""The sample Moon: a table, an elevation model, an image, and depths that can be measured."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sketches.geotiff import MOON_CRS, lonlat_transform, write_raster
from sketches.globe import MOON_KM, Globe
from sketches.moon_brightness import IMAGE_NODATA, Image, make_image
from sketches.moon_catalogue import HEADINGS, make_catalogue, make_truth, read_named
from sketches.moon_relief import Relief, lava_shore, make_dem

SEED = 19690720
SHAPE = (720, 1440)
PIXEL = 360 / SHAPE[1]  # degrees
DEM_SCALE = 0.5  # metres per count
DEM_NODATA = -32768


@dataclass(frozen=True)
class Moon:
    """The Moon as it was drawn."""

    globe: Globe
    catalogue: pd.DataFrame
    relief: Relief
    image: Image


def make(folder: Path, named_features: Path) -> Moon:
    """Write the four files into `folder`."""
    rngs = [np.random.Generator(np.random.PCG64([SEED, part])) for part in range(4)]
    globe, named = Globe.of_grid(SHAPE), read_named(named_features)
    catalogue = make_catalogue(named, rngs[0])
    shore = lava_shore(named, globe, rngs[1])
    relief = make_dem(named, catalogue, globe, shore, rngs[2])
    image = make_image(catalogue, globe, relief.dem, shore, rngs[3])
    truth = make_truth(catalogue, globe, relief.dem, MOON_KM * np.radians(PIXEL))

    text = {"index": False, "lineterminator": "\n"}
    heads = catalogue.rename(columns=HEADINGS)
    heads.to_csv(folder / "moon_craters_km.csv", float_format="%.2f", **text)
    truth.rename(columns=HEADINGS).to_csv(folder / "crater_depths.csv", **text)
    place = {"crs": MOON_CRS, "transform": lonlat_transform(-180, 90, PIXEL)}
    write_dem(folder / "moon_dem.tif", relief.dem, **place)
    write_image(folder / "moon.tif", image.values, **place)
    return Moon(globe, catalogue, relief, image)


def write_dem(path: Path, dem: NDArray[np.float64], **place: object) -> None:
    """Write elevations in m as counts of `DEM_SCALE`."""
    counts = np.round(dem / DEM_SCALE).astype(np.int16)
    write_raster(
        path,
        counts,
        **place,
        nodata=DEM_NODATA,
        description="elevation",
        scale=DEM_SCALE,
        units="m",
    )


def write_image(path: Path, image: NDArray[np.uint8], **place: object) -> None:
    """Write an albedo image."""
    write_raster(path, image, **place, nodata=IMAGE_NODATA, description="albedo")
