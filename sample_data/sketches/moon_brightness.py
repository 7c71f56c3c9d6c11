"""The brightness of the sample Moon: highlands, lava, dark floors, rays, slopes in sunlight."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sketches.craters import Crater, floor_radius
from sketches.globe import Floats, Globe, Surface, around, fractal, smoothstep
from sketches.moon_catalogue import craters_of
from sketches.moon_sketch import DARK_FLOORS, GAP, GAP_PIXELS, RAYS, SOUTH_POLE_AITKEN

IMAGE_NODATA = 0


@dataclass(frozen=True)
class Image:
    """An image, and the albedo that it is drawn from."""

    values: NDArray[np.uint8]
    albedo: Floats


def add_rays(
    fresh: Floats, globe: Globe, crater: Crater, ragged: Floats, rng: np.random.Generator
) -> None:
    """Bright halo and rays of a young crater, in place.

    `fresh` is the share of fresh ground, `ragged` the noise that breaks the rays up.
    """
    length, bright = RAYS[crater.name]
    radius = crater.diameter / 2
    patch = around(globe, crater.lat, crater.lon, length + radius)
    r, azimuth = patch.distance, np.arctan2(patch.east, patch.north)
    streaks = np.zeros_like(r)
    for _ in range(26):
        direction, u, v, w = 2 * np.pi * rng.random(), *rng.random(3)
        reach = radius + length * (0.2 + 0.8 * u**2)
        width = radius * (0.1 + 0.4 * v**2) + 0.017 * r
        turned = (azimuth - direction + np.pi) % (2 * np.pi) - np.pi
        across = np.where(np.abs(turned) < 1.2, r * np.sin(turned), np.inf)
        fade = np.clip(1 - r / reach, 0, 1) ** 0.7
        streaks = np.maximum(streaks, (0.35 + 0.65 * w) * fade * np.exp(-((across / width) ** 2)))
    streaks *= np.clip(0.9 + 0.35 * ragged[patch.index], 0.2, 1.25)
    beyond = np.maximum(r / radius - 1, 0)
    halo = np.exp(-beyond / 1.1) + 0.4 * np.exp(-beyond / 3.5)
    halo *= smoothstep(length + radius, radius, r) * (0.85 + 0.15 * ragged[patch.index])
    light = bright * np.clip(1 - (1 - 0.8 * streaks) * (1 - 0.75 * halo), 0, 1)
    fresh[patch.index] = 1 - (1 - fresh[patch.index]) * (1 - light)


def add_floor(albedo: Floats, globe: Surface, crater: Crater, freshness: float) -> None:
    """Brightness of a crater's floor, walls and rim, in place."""
    radius = crater.diameter / 2
    patch = around(globe, crater.lat, crater.lon, 1.5 * radius + 8)
    x = patch.distance / radius
    value = albedo[patch.index]
    value = value + (3 + 26 * freshness) * np.exp(-(((x - 0.92) / 0.16) ** 2))
    value = value + (22 * freshness - 4) * smoothstep(0.95, 0.7, x)
    if crater.name in DARK_FLOORS:
        extent = max(floor_radius(crater.diameter), 0.7)
        dark = DARK_FLOORS[crater.name] * smoothstep(extent + 0.08, extent - 0.08, x)
        value = value + dark * (54 - value)
    elif 35 < crater.diameter < 160 and freshness > 0.3:
        value = value + 24 * freshness * np.exp(-((x / 0.14) ** 2))  # central peak
    albedo[patch.index] = value


def shading(dem: Floats, globe: Globe) -> Floats:
    """Brightness factor of slopes lit from the east at a middling height."""
    step = globe.km * 1000 * np.radians(180 / globe.shape[0])
    spacing = np.maximum(np.cos(globe.lat), 0.08)[:, None] * 2 * step
    east = (np.roll(dem, -1, axis=1) - np.roll(dem, 1, axis=1)) / spacing
    north = -np.gradient(dem, step, axis=0)
    return sunlight(east, north)


def sunlight(east: Floats, north: Floats) -> Floats:
    """Brightness factor of ground that rises by these slopes eastward and northward."""
    return np.clip(1 - 3.0 * east - 0.9 * north, 0.4, 1.7)


def make_image(
    catalogue: pd.DataFrame, globe: Globe, dem: Floats, shore: Floats, rng: np.random.Generator
) -> Image:
    """Draw the albedo image, 1 to 255, and 0 in the gap."""
    broad, fine = fractal(rng, globe, 900, 4), fractal(rng, globe, 160, 5, 0.65)
    highland = 112 + 8 * broad + 7 * fine
    lat, lon, radius, _ = SOUTH_POLE_AITKEN
    patch = around(globe, lat, lon, 1.2 * radius)
    highland[patch.index] -= 24 * smoothstep(1.2 * radius, 0.5 * radius, patch.distance)
    plains = 58 + 7 * fractal(rng, globe, 800, 6, 0.6) + 2 * fine
    albedo = highland + smoothstep(-16, 12, shore) * (plains - highland)
    fresh = np.zeros_like(albedo)
    for crater in craters_of(catalogue):
        young = RAYS[crater.name][1] if crater.name in RAYS else 0.35 * rng.random() ** 2
        add_floor(albedo, globe, crater, young)
        if crater.name in RAYS:
            add_rays(fresh, globe, crater, fine, rng)
    albedo += np.clip(fresh * (1 + 0.18 * fine), 0, 1) * 0.7 * np.maximum(222 - albedo, 0)
    values = exposed(albedo * shading(dem, globe))
    values[gap(globe)] = IMAGE_NODATA
    return Image(values, albedo)


def exposed(brightness: Floats) -> NDArray[np.uint8]:
    """Brightness as an image has it, from 1 to 255."""
    return np.clip(np.round(brightness), 1, 255).astype(np.uint8)


def gap(globe: Globe) -> NDArray[np.bool_]:
    """Pixels of the strip without image data."""
    lon1, lat1, lon2, lat2 = GAP
    lat, lon = np.degrees(globe.lat)[:, None], np.degrees(globe.lon)[None, :]
    along = (lat - lat1) / (lat2 - lat1)
    centre = lon1 + along * (lon2 - lon1)
    return (
        (along >= 0) & (along <= 1) & (np.abs(lon - centre) < GAP_PIXELS / 2 * 360 / globe.shape[1])
    )
