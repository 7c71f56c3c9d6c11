"""Databases, rasters and pictures for the tests of maps."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyproj
import rasterio
from affine import Affine
from matplotlib.collections import LineCollection

import worlds
from craterkit import CraterDatabase

if TYPE_CHECKING:
    from pathlib import Path

    from matplotlib.axes import Axes

    Array = np.ndarray


R = worlds.MOON


#: Nothing else on these maps has this colour.
MAGENTA = "#FF00FF"


def database(
    lon: float | list[float], lat: float | list[float], degrees: float | list[float]
) -> CraterDatabase:
    radius = np.radians(np.atleast_1d(degrees)) * R
    return CraterDatabase(worlds.table(lon, lat, radius), "moon")


def flat(path: Path, formulas: str, half: float, size: int = 200, turned: float = 0.0) -> Path:
    """A raster of zeros on a projection, `half` metres to each side of its centre."""
    crs = rasterio.CRS.from_wkt(pyproj.CRS.from_user_input(f"{formulas} +R={R}").to_wkt())
    cos, sin = np.cos(np.radians(turned)), np.sin(np.radians(turned))
    pixel = 2 * half / size
    transform = Affine(
        pixel * cos,
        pixel * sin,
        -half * (cos + sin),
        pixel * sin,
        -pixel * cos,
        half * (cos - sin),
    )
    profile = {"driver": "GTiff", "width": size, "height": size, "count": 1, "dtype": "uint8"}
    with rasterio.open(path, "w", crs=crs, transform=transform, **profile) as file:
        file.write(np.zeros((1, size, size), dtype=np.uint8))
    return path


def image(ax: Axes) -> Array:
    """The figure's pixels, (rows from the bottom, columns, 4)."""
    ax.figure.canvas.draw()
    return np.asarray(ax.figure.canvas.buffer_rgba())[::-1].astype(int)


def coloured(ax: Axes) -> Array:
    """Which pixels have anything of the outlines' colour."""
    pixels = image(ax)
    return np.minimum(pixels[..., 0], pixels[..., 2]) - pixels[..., 1] > 60


def axes_only(ax: Axes) -> None:
    """Without labels and frame, whose pixels are no part of the map."""
    ax.set_axis_off()


def lines_of(ax: Axes) -> list[Array]:
    return [
        path.vertices
        for collection in ax.collections
        if isinstance(collection, LineCollection)
        for path in collection.get_paths()
    ]


def luminance(rgb: Array) -> Array:
    """Relative luminance of sRGB colours (WCAG)."""
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    found: Array = linear @ [0.2126, 0.7152, 0.0722]
    return found
