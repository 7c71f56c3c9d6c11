"""The sample Ceres: a strongly flattened body, with craters that are circles on its surface.

The rasters have planetographic latitudes, the table has planetocentric ones.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sketches.craters import (
    CREST,
    EJECTA,
    FLOOR_CIRCLE,
    Crater,
    level_of,
    levelled,
    profile,
    random_crater,
)
from sketches.geotiff import lonlat_transform, write_raster
from sketches.globe import Floats, fractal, smoothstep
from sketches.spheroid import Spheroid, wrap

SEED = 18010101
A_KM, B_KM = 487.3, 446.0  # IAU 2015, as PROJ has it
SHAPE = (360, 720)
CRS = "IAU_2015:200000101"  # planetographic latitudes
COORDINATES = "Planetocentric, +East, 0 - 360"
DEM_SCALE, DEM_STEP, DEM_NODATA = 0.5, 20.0, -32768
IMAGE_NODATA = 0

COUNT, SIZES = 64, (38.0, 150.0)  # km
OLD_COUNT, OLD_KM = 2600, (14.0, 110.0)
CLEAR = 2.2  # a later crater keeps as far from older rims, in its own radii
# Planetocentric latitude, longitude, diameter km: over the poles, the map's edge, the prime meridian.
AWKWARD = (
    *((88.4, 310.0, 74.0), (-87.9, 130.0, 92.0), (80.5, 118.0, 52.0), (-79.5, 15.0, 60.0)),
    *((44.0, 179.2, 128.0), (8.0, 180.6, 86.0), (-47.5, 181.3, 104.0), (-17.0, 178.8, 48.0)),
    *((46.0, 0.8, 96.0), (-45.0, 359.4, 112.0), (2.0, 0.2, 58.0)),
)
BRIGHT_SPOT = (20.0, 239.0, 92.0)  # a young crater with a bright deposit on its floor


def depth_of(diameter: Floats) -> Floats:
    """Depth from rim crest to floor in m, by a law made up for this world; diameters in km."""
    return 250.0 * np.asarray(diameter) ** 0.65


def crater_profile(x: Floats, diameter: float) -> Floats:
    """Height in m at `x` crater radii from the centre."""
    depth = float(depth_of(diameter))
    return profile(x, depth, 0.22 * depth, 0.45)


def make(folder: Path) -> None:
    """Write the image, the elevation model and the table into `folder`."""
    rng = np.random.Generator(np.random.PCG64(SEED))
    body = Spheroid(A_KM, B_KM, SHAPE)
    craters = choose_craters(rng, body)
    dem = make_dem(rng, body, craters)
    image = make_image(rng, body, craters, dem)
    place = {"crs": CRS, "transform": lonlat_transform(-180, 90, body.pixel)}
    write_raster(
        folder / "ceres_dem.tif",
        np.round(dem / DEM_SCALE).astype(np.int16),
        **place,
        nodata=DEM_NODATA,
        description="elevation",
        scale=DEM_SCALE,
        units="m",
    )
    write_raster(
        folder / "ceres.tif", image, **place, nodata=IMAGE_NODATA, description="brightness"
    )
    table = describe(body, craters, dem)
    table.to_csv(folder / "ceres_craters.csv", index=False, lineterminator="\n")


def choose_craters(rng: np.random.Generator, body: Spheroid) -> list[Crater]:
    """Craters with planetocentric latitudes, largest first; none disturbs another's rim."""
    places = [*AWKWARD, BRIGHT_SPOT]
    while len(places) < COUNT:
        lat, lon, diameter = (round(value, 2) for value in random_crater(rng, SIZES))
        lon %= 360
        others = np.array(places)
        apart = body.distance(
            body.planetographic(np.array(lat)),
            lon,
            body.planetographic(others[:, 0]),
            others[:, 1],
        )
        smaller = np.minimum(others[:, 2], diameter) / 2
        larger = np.maximum(others[:, 2], diameter) / 2
        if (apart > CREST * larger + CLEAR * smaller).all():
            places.append((lat, lon, diameter))
    places.sort(key=lambda place: -place[2])
    return [Crater(f"Synthetic {n:02d}", *place) for n, place in enumerate(places, start=1)]


def on_map(body: Spheroid, crater: Crater, reach: float) -> tuple[tuple[NDArray, ...], Floats]:
    """Pixels within `reach` radii of a crater's centre: their index, and distance in radii."""
    lat = float(body.planetographic(np.array(crater.lat)))
    radius = crater.diameter / 2
    index, distance = body.around(lat, wrap(crater.lon), reach * radius)
    return index, distance / radius


def make_dem(rng: np.random.Generator, body: Spheroid, craters: list[Crater]) -> Floats:
    """Elevations in m above the ellipsoid."""
    dem = 1500 * fractal(rng, body, 900, 3) + 350 * fractal(rng, body, 200, 4, 0.55)
    for _ in range(OLD_COUNT):
        old = Crater("", *random_crater(rng, OLD_KM))
        worn = 0.12 + 0.45 * rng.random() ** 2
        index, x = on_map(body, old, EJECTA)
        dem[index] += worn * crater_profile(x, old.diameter)
    for crater in craters:
        index, x = on_map(body, crater, EJECTA)
        z = dem[index]
        dem[index] = levelled(z, x, level_of(z, x)) + crater_profile(x, crater.diameter)
    dem += 25 * fractal(rng, body, 40, 2)
    return DEM_STEP * np.round(dem / DEM_STEP)


def make_image(
    rng: np.random.Generator, body: Spheroid, craters: list[Crater], dem: Floats
) -> NDArray[np.uint8]:
    """Brightness from 1 to 255: dark ground, young craters, slopes lit from the east."""
    ground = 96 + 11 * fractal(rng, body, 700, 5, 0.6) + 6 * fractal(rng, body, 60, 4, 0.7)
    for crater in craters:
        young = rng.random() ** 3
        index, x = on_map(body, crater, EJECTA)
        ground[index] += 60 * young * np.exp(-np.maximum(x - 0.5, 0) / 0.6)
        if (crater.lat, crater.lon, crater.diameter) == BRIGHT_SPOT:
            ground[index] += 110 * smoothstep(0.35, 0.05, x)
    east, north = body.slopes(dem)
    lit = ground * np.clip(1 - 3.0 * east - 0.9 * north, 0.35, 1.8)
    return np.clip(np.round(lit), 1, 255).astype(np.uint8)


def describe(body: Spheroid, craters: list[Crater], dem: Floats) -> pd.DataFrame:
    """The table: places, and depths as made and as measured on the elevation model."""
    measured = []
    for crater in craters:
        index, x = on_map(body, crater, 1.2)
        z = dem[index]
        rim = z[(x > 1) & (x <= CREST)].mean()
        measured.append(round(float(rim - z[x <= FLOOR_CIRCLE].mean()), 3))
    table = pd.DataFrame(craters)
    return pd.DataFrame(
        {
            "Name": table["name"],
            "Diameter (km)": table["diameter"],
            "Latitude": table["lat"],
            "Longitude": table["lon"].round(2),
            "Coordinate System": COORDINATES,
            "Depth (m)": depth_of(table["diameter"].to_numpy()).round(1),
            "Measured depth (m)": measured,
        }
    )
