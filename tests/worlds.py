"""Small worlds for the tests: analytic fields on the grids that rasters come on, and their oracles.

Nothing here calls the library: distances, areas and means are plain NumPy and closed forms on a
sphere, so that they can tell when the library is wrong. Angles are degrees, lengths metres.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyproj
import rasterio
from affine import Affine
from rasterio.errors import NotGeoreferencedWarning

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    Array = np.ndarray[Any, Any]

MOON = 1_737_400.0
MARS_A, MARS_B = 3_396_190.0, 3_376_200.0

MOON_CRS = pyproj.CRS.from_user_input("IAU_2015:30100")
MARS_CRS = pyproj.CRS.from_user_input("IAU_2015:49900")


@dataclass(frozen=True)
class Grid:
    """Where the pixels of a raster lie: as a file says it, and in longitude and latitude.

    Longitudes and latitudes are those of pixel centres; longitudes run on across the seam.
    """

    shape: tuple[int, int]
    transform: Affine
    crs: pyproj.CRS
    lon: Array
    lat: Array

    @property
    def mesh(self) -> tuple[Array, Array]:
        """Longitude and latitude of every pixel's centre."""
        return tuple(np.meshgrid(self.lon, self.lat))

    def south_up(self) -> Grid:
        """The same pixels with the southernmost row first."""
        t = self.transform
        flipped = Affine(t.a, t.b, t.c, t.d, -t.e, t.f + t.e * self.shape[0])
        return replace(self, transform=flipped, lat=self.lat[::-1])


def lonlat(
    pixel: float = 1.0, west: float = -180.0, crs: pyproj.CRS = MOON_CRS, north: float = 90.0
) -> Grid:
    """A global lon/lat grid in degrees whose first column begins at `west`."""
    width, height = round(360 / pixel), round(2 * north / pixel)
    return Grid(
        (height, width),
        Affine(pixel, 0.0, west, 0.0, -pixel, north),
        crs,
        west + (np.arange(width) + 0.5) * pixel,
        north - (np.arange(height) + 0.5) * pixel,
    )


def patch(lon: float, lat: float, pixel: float, size: int, crs: pyproj.CRS = MOON_CRS) -> Grid:
    """A square regional lon/lat grid with a corner of four pixels at its middle, (lon, lat)."""
    west, north = lon - pixel * size / 2, lat + pixel * size / 2
    return Grid(
        (size, size),
        Affine(pixel, 0.0, west, 0.0, -pixel, north),
        crs,
        west + (np.arange(size) + 0.5) * pixel,
        north - (np.arange(size) + 0.5) * pixel,
    )


def equirectangular(
    pixel: float = 1.0, middle: float = 0.0, true_scale: float = 0.0, radius: float = MOON
) -> Grid:
    """A global equirectangular grid in metres about a central meridian, `pixel` degrees a column."""
    crs = pyproj.CRS.from_wkt(
        pyproj.CRS.from_user_input(
            f"+proj=eqc +lat_ts={true_scale} +lon_0={middle} +R={radius} +units=m"
        ).to_wkt()
    )
    degrees = lonlat(pixel, middle - 180.0, crs)
    height = np.radians(1.0) * radius
    width = height * np.cos(np.radians(true_scale))
    transform = Affine(pixel * width, 0.0, -180 * width, 0.0, -pixel * height, 90 * height)
    return replace(degrees, transform=transform)


def write(
    path: Path,
    grid: Grid,
    values: Array | Callable[[Array, Array], Array],
    *,
    dtype: str = "float64",
    nodata: float | None = None,
    scale: float | None = None,
    offset: float | None = None,
    mask: Array | None = None,
    descriptions: Sequence[str] = (),
    block: int | None = None,
    compress: str | None = None,
    crs: bool = True,
    transform: bool = True,
) -> Path:
    """Write a GeoTIFF and return its path.

    Parameters
    ----------
    path : Path
        The file.
    grid : Grid
        Where its pixels lie.
    values : ndarray or callable
        Raw numbers, (rows, columns) or (bands, rows, columns); or the field as a function of
        longitude and latitude.
    dtype, nodata, scale, offset, descriptions, compress
        What the file says of its bands.
    mask : ndarray of bool, optional
        Which pixels are data, as a mask band.
    block : int, optional
        Side of square tiles, a multiple of 16; by default strips.
    crs, transform : bool
        Whether the file has these.
    """
    values = values(*grid.mesh) if callable(values) else np.asarray(values)
    bands = np.broadcast_to(values, grid.shape) if values.ndim < 3 else values
    bands = bands.reshape(-1, *grid.shape).astype(dtype)
    profile: dict[str, Any] = {
        "driver": "GTiff",
        "count": bands.shape[0],
        "height": grid.shape[0],
        "width": grid.shape[1],
        "dtype": dtype,
        "nodata": nodata,
    }
    if crs:
        profile["crs"] = rasterio.CRS.from_wkt(grid.crs.to_wkt())
    if transform:
        profile["transform"] = grid.transform
    if block:
        profile |= {"tiled": True, "blockxsize": block, "blockysize": block}
    if compress:
        profile["compress"] = compress
    with warnings.catch_warnings(), rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True):
        # A file without a place is what some tests need.
        warnings.simplefilter("ignore", NotGeoreferencedWarning)
        with rasterio.open(path, "w", **profile) as file:
            file.write(bands)
            if scale is not None:
                file.scales = [scale] * file.count
            if offset is not None:
                file.offsets = [offset] * file.count
            if descriptions:
                file.descriptions = tuple(descriptions)
            if mask is not None:
                file.write_mask(np.broadcast_to(mask, grid.shape))
    return path


def table(
    lon: Sequence[float] | float, lat: Sequence[float] | float, radius: Sequence[float] | float
) -> pd.DataFrame:
    """A table of features with radii in metres."""
    lon, lat, radius = np.broadcast_arrays(*map(np.atleast_1d, (lon, lat, radius)))
    return pd.DataFrame({"lat": lat, "lon": lon, "radius_m": radius})


def metres(degrees: float, radius: float = MOON) -> float:
    """Length on the ground of an angle at the centre."""
    return float(np.radians(degrees) * radius)


def distance(lon0: float, lat0: float, lon: Array, lat: Array) -> Array:
    """Great-circle distance in degrees, by the haversine formula."""
    x, y, x0, y0 = map(np.radians, (lon, lat, lon0, lat0))
    h = np.sin((y - y0) / 2) ** 2 + np.cos(y) * np.cos(y0) * np.sin((x - x0) / 2) ** 2
    return np.degrees(2 * np.arcsin(np.sqrt(np.clip(h, 0.0, 1.0))))


def annulus_area(inner: float, outer: float, radius: float = MOON) -> float:
    """Area in m² between two circles of these angular radii on a sphere."""
    return 2 * np.pi * radius**2 * (np.cos(np.radians(inner)) - np.cos(np.radians(outer)))


def mean_distance(inner: float, outer: float) -> float:
    """Mean distance from the centre, over the ground between two circles, in degrees."""
    a, b = np.radians([inner, outer])
    primitive = (np.sin(b) - b * np.cos(b)) - (np.sin(a) - a * np.cos(a))
    return float(np.degrees(primitive / (np.cos(a) - np.cos(b))))


def mean_sine_of_latitude(lat: float, inner: float, outer: float) -> float:
    """Mean of sin(latitude) over the ground between two circles about latitude `lat`."""
    a, b = np.radians([inner, outer])
    return float(np.sin(np.radians(lat)) * (np.cos(a) + np.cos(b)) / 2)


def mean_latitude(lat: float, inner: float, outer: float, steps: int = 2000) -> float:
    """Mean latitude over the ground between two circles about latitude `lat`, by quadrature."""
    edges = np.cos(np.radians([outer, inner]))
    height = edges[0] + (np.arange(steps) + 0.5) / steps * (edges[1] - edges[0])  # equal areas
    azimuth = (np.arange(steps) + 0.5) / steps * np.pi
    y = np.radians(lat)
    across = np.sqrt(1 - height[:, None] ** 2) * np.cos(azimuth)
    return float(np.degrees(np.arcsin(np.sin(y) * height[:, None] + np.cos(y) * across)).mean())
