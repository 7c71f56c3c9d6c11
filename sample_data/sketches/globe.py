"""Points on globes, distances between them, and noise that knows neither seam nor pole.

Positions are degrees, latitude first, unless a name says otherwise; lengths are km.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Index = tuple[NDArray[np.intp], ...]

MOON_KM = 1737.4


class Surface(Protocol):
    """Points of a sphere on which a map is drawn."""

    @property
    def km(self) -> float:
        """Radius of the sphere."""

    @property
    def points(self) -> Floats:
        """Unit vectors (height, width, 3) of the pixels' centres."""

    def window(self, lat: float, lon: float, reach: float) -> Index:
        """Index of pixels among which are all whose centres lie within `reach` km of a place."""


@dataclass(frozen=True)
class Globe:
    """Pixel centres of the grid: latitudes and longitudes in radians, unit vectors."""

    lat: Floats
    lon: Floats
    points: Floats  # (height, width, 3)
    km: float = MOON_KM

    @classmethod
    def of_grid(cls, shape: tuple[int, int], km: float = MOON_KM) -> Globe:
        """Pixel centres of a global grid, north up, from 180 W."""
        height, width = shape
        lat = np.radians(90 - (np.arange(height) + 0.5) * 180 / height)
        lon = np.radians(-180 + (np.arange(width) + 0.5) * 360 / width)
        return cls(lat, lon, unit_vectors(lat[:, None], lon[None, :]), km)

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return len(self.lat), len(self.lon)

    def window(self, lat: float, lon: float, reach: float) -> Index:
        """Index of pixels among which are all whose centres lie within `reach` km of a place."""
        phi, lam, angle = np.radians(lat), np.radians(lon), reach / self.km
        rows = np.flatnonzero(np.abs(self.lat - phi) <= angle)
        if abs(phi) + angle < np.pi / 2:
            half = np.arcsin(np.sin(angle) / np.cos(phi))
            turned = (self.lon - lam + np.pi) % (2 * np.pi) - np.pi
            columns = np.flatnonzero(np.abs(turned) <= half)
        else:
            columns = np.arange(len(self.lon))
        return np.ix_(rows, columns)


@dataclass(frozen=True)
class Patch:
    """The pixels within some distance of a place: their indices, distances and directions."""

    index: Index
    distance: Floats  # km
    east: Floats  # km
    north: Floats  # km


def unit_vectors(lat: Floats, lon: Floats) -> Floats:
    """Return the unit vectors (..., 3) of latitudes and longitudes in radians."""
    lat, lon = np.broadcast_arrays(lat, lon)
    return np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)], axis=-1)


def smoothstep(low: float, high: float, x: Floats) -> Floats:
    """0 below `low`, 1 above `high`, smooth between (falling where ``low > high``)."""
    t = np.clip((x - low) / (high - low), 0, 1)
    return t * t * (3 - 2 * t)


def separation(lat1: Floats, lon1: Floats, lat2: Floats, lon2: Floats) -> Floats:
    """Great-circle distance in km between places in degrees."""
    one = unit_vectors(np.radians(lat1), np.radians(lon1))
    two = unit_vectors(np.radians(lat2), np.radians(lon2))
    chord = np.sqrt(((one - two) ** 2).sum(axis=-1))
    return 2 * MOON_KM * np.arcsin(np.clip(chord / 2, 0, 1))


def around(surface: Surface, lat: float, lon: float, reach: float) -> Patch:
    """Pixels around a place in degrees, among them all whose centres lie within `reach` km."""
    phi, lam, km = np.radians(lat), np.radians(lon), surface.km
    index = surface.window(lat, lon, reach)
    points = surface.points[index]
    east = np.array([-np.sin(lam), np.cos(lam), 0.0])
    north = np.array([-np.sin(phi) * np.cos(lam), -np.sin(phi) * np.sin(lam), np.cos(phi)])
    chord = np.sqrt(((points - unit_vectors(phi, lam)) ** 2).sum(axis=-1))
    distance = 2 * km * np.arcsin(np.clip(chord / 2, 0, 1))
    return Patch(index, distance, km * (points @ east), km * (points @ north))


def lattice_noise(rng: np.random.Generator, points: Floats) -> Floats:
    """Smoothly interpolated random values on a cubic lattice of spacing 1, repeated after 64."""
    table = rng.random((64, 64, 64)) - 0.5
    cell = np.floor(points).astype(np.int64)
    tx, ty, tz = (t**3 * (t * (6 * t - 15) + 10) for t in np.moveaxis(points - cell, -1, 0).copy())
    (x0, x1), (y0, y1), (z0, z1) = (
        ((c & 63), (c + 1) & 63) for c in np.moveaxis(cell, -1, 0).copy()
    )

    def along_z(x: NDArray[np.int64], y: NDArray[np.int64]) -> Floats:
        near, far = table[x, y, z0], table[x, y, z1]
        return near + tz * (far - near)

    def along_y(x: NDArray[np.int64]) -> Floats:
        near, far = along_z(x, y0), along_z(x, y1)
        return near + ty * (far - near)

    near, far = along_y(x0), along_y(x1)
    return near + tx * (far - near)


def random_rotation(rng: np.random.Generator) -> Floats:
    """Rotation matrix of a random unit quaternion."""
    w, x, y, z = rng.random(4) - 0.5
    norm = w * w + x * x + y * y + z * z
    skew = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    return np.eye(3) + 2 * (w * skew + skew @ skew) / norm


def fractal(
    rng: np.random.Generator, globe: Surface, wavelength: float, octaves: int, gain: float = 0.5
) -> Floats:
    """Fractal noise of mean 0 and standard deviation 1; `wavelength` km is the longest."""
    total = np.zeros(globe.points.shape[:2])
    for octave in range(octaves):
        shift = 64 * rng.random(3)
        turned = globe.points @ random_rotation(rng)
        points = turned * (2**octave * globe.km / wavelength) + shift
        total += gain**octave * lattice_noise(rng, points)
    return (total - total.mean()) / total.std()
