"""A global map of a flattened body: where its pixels are, and geodesics between them.

Latitudes are planetographic (the angle between the vertical and the equator's plane) unless a name
says otherwise.
"""

from __future__ import annotations

import numpy as np
import pyproj
from numpy.typing import NDArray

from sketches.globe import Floats, Index


class Spheroid:
    """A body with equatorial radius `a` and polar radius `b` (km), and a map of it.

    The map has square pixels in degrees, from 180 W and 90 N.
    """

    def __init__(self, a: float, b: float, shape: tuple[int, int]) -> None:
        self.a, self.b, self.shape = a, b, shape
        self.pixel = 180 / shape[0]
        self.lat = 90 - (np.arange(shape[0]) + 0.5) * self.pixel
        self.lon = -180 + (np.arange(shape[1]) + 0.5) * self.pixel
        self.points = self._points()
        self._geod = pyproj.Geod(a=1000 * a, b=1000 * b)

    def _points(self) -> Floats:
        """Places of the pixels' centres in units of `a`, shape (height, width, 3)."""
        phi, lam = np.radians(self.lat)[:, None], np.radians(self.lon)[None, :]
        squared = (self.b / self.a) ** 2
        normal = 1 / np.sqrt(np.cos(phi) ** 2 + squared * np.sin(phi) ** 2)
        z = squared * normal * np.sin(phi) + 0 * lam
        across = normal * np.cos(phi)
        return np.stack([across * np.cos(lam), across * np.sin(lam), z], axis=-1)

    @property
    def km(self) -> float:
        """Unit of `points` in km."""
        return self.a

    def planetographic(self, planetocentric: Floats) -> Floats:
        """Turn planetocentric latitudes into planetographic ones."""
        tangent = np.tan(np.radians(planetocentric)) * (self.a / self.b) ** 2
        return np.degrees(np.arctan(tangent))

    def distance(self, lat1: Floats, lon1: Floats, lat2: Floats, lon2: Floats) -> Floats:
        """Length of the geodesic between places in km."""
        lat1, lon1, lat2, lon2 = np.broadcast_arrays(lat1, lon1, lat2, lon2)
        return self._geod.inv(lon1, lat1, lon2, lat2)[2] / 1000

    def window(self, lat: float, lon: float, reach: float) -> Index:
        """Index of pixels among which are all whose centres lie within `reach` km of a place."""
        angle = np.degrees(reach / (self.b**2 / self.a))  # the meridian bends most on the equator
        rows = np.flatnonzero(np.abs(self.lat - lat) <= angle)
        if abs(lat) + angle < 90:
            half = np.arcsin(np.sin(np.radians(angle)) / np.cos(np.radians(lat)))
            turned = (self.lon - lon + 180) % 360 - 180
            columns = np.flatnonzero(np.abs(turned) <= np.degrees(half))
        else:
            columns = np.arange(self.shape[1])
        return np.ix_(rows, columns)

    def around(self, lat: float, lon: float, reach: float) -> tuple[Index, Floats]:
        """Pixels around a place: their index, and the geodesic distance of their centres in km."""
        rows, columns = index = self.window(lat, lon, reach)
        return index, self.distance(lat, lon, self.lat[rows], self.lon[columns])

    def slopes(self, heights: Floats) -> tuple[Floats, Floats]:
        """Rise eastward and northward of a map of heights in m."""
        phi, step = np.radians(self.lat), 1000 * np.radians(self.pixel)
        square = np.cos(phi) ** 2 + (self.b / self.a) ** 2 * np.sin(phi) ** 2
        parallel = self.a / np.sqrt(square) * np.maximum(np.cos(phi), 0.08)
        meridian = self.b**2 / self.a / square**1.5
        east = (np.roll(heights, -1, axis=1) - np.roll(heights, 1, axis=1)) / 2
        north = -np.gradient(heights, axis=0)
        return east / (step * parallel)[:, None], north / (step * meridian)[:, None]


def wrap(lon: NDArray[np.float64] | float) -> NDArray[np.float64] | float:
    """Longitudes from 0 to 360 as from -180 to 180."""
    return (lon + 180) % 360 - 180
