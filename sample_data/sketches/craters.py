"""The shape of craters, and how they are dug into an elevation model.

Depths follow Pike (1977); the ejecta thin with the cube of the distance.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from sketches.globe import Floats, Surface, around, smoothstep

TRANSITION_KM = 10.6  # diameter at which Pike's laws for simple and complex craters cross
LARGEST_DEPTH_KM = 200.0  # diameter up to which the depth law is used
# Reach of a crater's relief, in radii: level rim crest, end of the levelled ground, end of ejecta.
CREST, LEVELLED, EJECTA = 1.1, 1.6, 3.0
FLOOR_CIRCLE = 0.3


class Crater(NamedTuple):
    """A crater to draw: centre in degrees, diameter in km."""

    name: str
    lat: float
    lon: float
    diameter: float


def random_crater(
    rng: np.random.Generator, sizes: tuple[float, float]
) -> tuple[float, float, float]:
    """Latitude and longitude anywhere on the globe, and a diameter from an inverse square law."""
    u, v, w = rng.random(3)
    low, high = sizes
    diameter = (low**-2 - w * (low**-2 - high**-2)) ** -0.5
    return float(np.degrees(np.arcsin(2 * u - 1))), float(360 * v - 180), float(diameter)


def crater_depth(diameter: Floats) -> Floats:
    """Depth from rim crest to floor in m (Pike 1977); diameters in km.

    Simple craters: 0.196 D^1.010 km; complex ones: 1.044 D^0.301 km; the smaller of the two
    (they cross at 10.6 km). Basins beyond the law's range are no deeper than its end.
    """
    d = np.minimum(diameter, LARGEST_DEPTH_KM)
    return 1000 * np.minimum(0.196 * d**1.010, 1.044 * d**0.301)


def rim_height(diameter: Floats) -> Floats:
    """Height of the rim crest above the surroundings in m (Pike 1977); diameters in km."""
    d = np.minimum(diameter, LARGEST_DEPTH_KM)
    return 1000 * np.minimum(0.036 * d**1.014, 0.236 * d**0.399)


def floor_radius(diameter: float) -> float:
    """Radius of the flat floor in crater radii (Pike 1977); none for a simple crater."""
    return 0.0 if diameter < TRANSITION_KM else min(0.187 * diameter**0.249, 0.8)


def crater_profile(x: Floats, diameter: float) -> Floats:
    """Height in m at `x` crater radii from the centre, above the surroundings (Pike 1977)."""
    depth, rim = float(crater_depth(diameter)), float(rim_height(diameter))
    return profile(x, depth, rim, floor_radius(diameter))


def profile(x: Floats, depth: float, rim: float, floor: float) -> Floats:
    """Height in m at `x` crater radii of a crater of any depth, height of the rim (m) and floor."""
    wall = rim - depth * (1 - smoothstep(floor, 1.0, x))
    ejecta = rim * (CREST / np.maximum(x, CREST)) ** 3 * smoothstep(EJECTA, CREST, x)
    return np.where(x <= 1, wall, ejecta)


def level_of(z: Floats, x: Floats) -> float:
    """Mean height of old relief within the rim crest; NaN where that holds no pixel."""
    inside = x <= CREST
    return float(z[inside].mean()) if inside.any() else np.nan


def levelled(z: Floats, x: Floats, level: float) -> Floats:
    """Heights of old relief, levelled within the rim crest, and less and less beyond."""
    return z if np.isnan(level) else z + smoothstep(LEVELLED, CREST, x) * (level - z)


def add_crater(dem: Floats, globe: Surface, crater: Crater, level: float | None = None) -> float:
    """Dig one crater into the elevation model, in place; return the level of its ground.

    `level` is that of the same crater on another map; by default the mean height here.
    """
    radius = crater.diameter / 2
    patch = around(globe, crater.lat, crater.lon, EJECTA * radius)
    x, z = patch.distance / radius, dem[patch.index]
    if level is None:
        level = level_of(z, x)
    dem[patch.index] = levelled(z, x, level) + crater_profile(x, crater.diameter)
    return level


def measured_depth(dem: Floats, globe: Surface, crater: Crater) -> float:
    """Mean of the rim crest (1 to 1.1 radii) minus mean of the floor (within 0.3 radii), in m.

    A pixel counts where its centre lies: ``1 < d <= 1.1`` and ``d <= 0.3`` radii.
    """
    radius = crater.diameter / 2
    patch = around(globe, crater.lat, crater.lon, 1.2 * radius)
    x, z = patch.distance / radius, dem[patch.index]
    return float(z[(x > 1) & (x <= CREST)].mean() - z[x <= FLOOR_CIRCLE].mean())
