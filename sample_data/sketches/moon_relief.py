"""The relief of the sample Moon: old ground, lava, worn craters, and the craters of the table."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from sketches.craters import EJECTA, add_crater, crater_profile, random_crater
from sketches.globe import Floats, Globe, around, fractal, smoothstep, unit_vectors
from sketches.moon_catalogue import craters_of
from sketches.moon_sketch import (
    MARE_FILL,
    MARE_PATCHES,
    ORIENTALE,
    ORIENTALE_RINGS,
    SOUTH_POLE_AITKEN,
)

DEM_STEP = 10.0  # metres; elevations are rounded to this, which halves the file
# Worn craters in the relief that are in no table.
OLD_COUNT = 9000
OLD_KM = (16.0, 140.0)


@dataclass(frozen=True)
class Relief:
    """An elevation model, and what it was made of: all in m above the mean radius."""

    dem: Floats
    ground: Floats  # before the craters of the table
    levels: list[float]  # of the ground of each of these, in the order in which they were dug
    roughness: Floats  # added at the end


def lava_shore(named: pd.DataFrame, globe: Globe, rng: np.random.Generator) -> Floats:
    """Distance in km from the shore of the maria, positive inside."""
    edge = fractal(rng, globe, 420, 7, 0.62)  # frays the outlines
    circles = [
        (row.lat, row.lon, MARE_FILL[row.name] * row.diameter / 2)
        for row in named.itertuples(index=False)
        if row.name in MARE_FILL
    ]
    inside = np.full(globe.shape, -1e3)  # signed distance to the shore in km
    outlines = [(*circle, 0.18) for circle in circles] + [(*p, 0.3) for p in MARE_PATCHES]
    for lat, lon, radius, raggedness in outlines:
        fray = min(raggedness * radius, 60.0)
        patch = around(globe, lat, lon, radius + 4 * fray)
        signed = radius - patch.distance + fray * edge[patch.index]
        inside[patch.index] = np.maximum(inside[patch.index], signed)
    return inside


def make_dem(
    named: pd.DataFrame,
    catalogue: pd.DataFrame,
    globe: Globe,
    shore: Floats,
    rng: np.random.Generator,
) -> Relief:
    """Elevations of the global map, rounded."""
    dem = long_waves(globe, rng)
    for row in named[named["type"] == "mare"].itertuples(index=False):
        reach = 0.65 * min(row.diameter, 1400.0)
        patch = around(globe, row.lat, row.lon, reach)
        sink = min(row.diameter, 700.0)  # metres
        dem[patch.index] -= sink * smoothstep(reach, 0.5 * reach, patch.distance)
    plains = np.minimum(-1900 + 250 * fractal(rng, globe, 2400, 2), dem - 300)
    add_old_craters(dem, globe, shore, rng)
    dem += smoothstep(-60, 25, shore) * 0.9 * (plains - dem)
    ground = dem.copy()
    levels = [add_crater(dem, globe, crater) for crater in craters_of(catalogue)]
    roughness = (30 - 18 * smoothstep(-10, 10, shore)) * fractal(rng, globe, 60, 2)
    return Relief(rounded(dem + roughness), ground, levels, roughness)


def rounded(dem: Floats) -> Floats:
    """Elevations in steps of `DEM_STEP`."""
    return DEM_STEP * np.round(dem / DEM_STEP)


def long_waves(globe: Globe, rng: np.random.Generator) -> Floats:
    """Relief older than every crater: swells, the high farside, the two great basins."""
    relief = 900 * fractal(rng, globe, 3200, 3) + 330 * fractal(rng, globe, 420, 6, 0.55)
    farside = 900 * smoothstep(-0.6, 0.8, -globe.points @ unit_vectors(0.0, np.radians(10.0)))
    dem = 300 + relief + farside
    lat, lon, radius, depth = SOUTH_POLE_AITKEN
    patch = around(globe, lat, lon, 1.3 * radius)
    dem[patch.index] -= depth * smoothstep(1.3 * radius, 0.45 * radius, patch.distance)
    patch = around(globe, *ORIENTALE, 900)
    dem[patch.index] -= 3200 * smoothstep(520, 120, patch.distance)
    for ring, height in ORIENTALE_RINGS:
        dem[patch.index] += height * np.exp(-(((patch.distance - ring) / 38) ** 2))
    return dem


def add_old_craters(dem: Floats, globe: Globe, shore: Floats, rng: np.random.Generator) -> None:
    """Worn craters that are in no table, in place: the texture of the highlands."""
    height, width = globe.shape
    for _ in range(OLD_COUNT):
        lat, lon, diameter = random_crater(rng, OLD_KM)
        worn = 0.12 + 0.4 * rng.random() ** 2
        row, column = int((90 - lat) / 180 * height), int((lon + 180) / 360 * width)
        if shore[row, column] > 0:
            continue
        patch = around(globe, lat, lon, EJECTA * diameter / 2)
        dem[patch.index] += worn * crater_profile(patch.distance / (diameter / 2), diameter)
