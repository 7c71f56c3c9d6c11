"""Geometry and small rasters for the tests, independent of craterkit's own.

Latitudes are planetocentric degrees unless a name says otherwise.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyproj
import rasterio
import shapely
from affine import Affine


@dataclass(frozen=True)
class Figure:
    """A body's ellipsoid."""

    name: str
    a: float
    b: float

    @property
    def is_sphere(self):
        return self.a == self.b

    @property
    def geod(self):
        return pyproj.Geod(a=self.a, b=self.b)

    def ographic(self, lat):
        """Planetographic latitudes, by complements so that the poles are exact."""
        lat = np.asarray(lat, dtype=float)
        flat = (self.b / self.a) ** 2
        colatitude = np.degrees(np.arctan(flat * np.tan(np.radians(90.0 - np.abs(lat)))))
        return np.where(lat == 0, 0.0, np.copysign(90.0 - colatitude, lat))

    def ocentric(self, ographic):
        """Planetocentric latitudes, the inverse of `ographic`."""
        ographic = np.asarray(ographic, dtype=float)
        flat = (self.a / self.b) ** 2
        colatitude = np.degrees(np.arctan(flat * np.tan(np.radians(90.0 - np.abs(ographic)))))
        return np.where(ographic == 0, 0.0, np.copysign(90.0 - colatitude, ographic))

    def distance(self, lon0, lat0, lon, lat):
        """Geodesic distance in metres."""
        lon0, lat0, lon, lat = np.broadcast_arrays(lon0, lat0, lon, lat)
        if self.is_sphere:
            u, v = unit_vectors(lon0, lat0), unit_vectors(lon, lat)
            across = np.linalg.norm(np.cross(u, v), axis=-1)
            return self.a * np.arctan2(across, (u * v).sum(axis=-1))
        start, end = self.ographic(lat0), self.ographic(lat)
        # Each twice, since pyproj takes an array of one value for a number, of which NumPy warns.
        twice = (np.repeat(np.ravel(v), 2) for v in (lon0, start, lon, end))
        return self.geod.inv(*twice)[2][::2].reshape(lon.shape)

    def ring(self, lon0, lat0, radius, azimuth):
        """Longitudes (unwrapped) and latitudes at a distance from a centre."""
        azimuth = np.asarray(azimuth, dtype=float)
        if self.is_sphere:
            lam, phi, alpha = np.radians(lon0), np.radians(lat0), np.radians(azimuth)
            centre = unit_vectors(lon0, lat0)
            north = np.array([-np.sin(phi) * np.cos(lam), -np.sin(phi) * np.sin(lam), np.cos(phi)])
            east = np.array([-np.sin(lam), np.cos(lam), 0.0])
            d = radius / self.a
            ahead = np.outer(np.cos(alpha), north) + np.outer(np.sin(alpha), east)
            x, y, z = (np.cos(d) * centre + np.sin(d) * ahead).T
            lon, lat = np.degrees(np.arctan2(y, x)), np.degrees(np.arctan2(z, np.hypot(x, y)))
        else:
            # One more than is needed: pyproj takes an array of one value for a number.
            n = azimuth.size + 1
            start, ways = np.full(n, self.ographic(lat0)), np.append(azimuth, 0.0)
            lon, lat, _ = self.geod.fwd(np.full(n, lon0), start, ways, np.full(n, radius))
            lon, lat = lon[:-1], self.ocentric(lat[:-1])
        return np.unwrap(lon, period=360.0), lat


MOON = Figure("moon", 1737400.0, 1737400.0)
MARS = Figure("mars", 3396190.0, 3376200.0)
CERES = Figure("ceres", 487300.0, 446000.0)

#: rasterio's name for the planetocentric sphere of each body (the Moon's is its figure).
OCENTRIC = {"moon": "IAU_2015:30100", "mars": "IAU_2015:49900", "ceres": "IAU_2015:200000100"}


def unit_vectors(lon, lat):
    """Directions on the unit sphere, (..., 3)."""
    lam, phi = np.radians(lon), np.radians(lat)
    return np.stack([np.cos(phi) * np.cos(lam), np.cos(phi) * np.sin(lam), np.sin(phi)], axis=-1)


def dense_azimuths(count):
    """Azimuths from 0 to 360, closer and closer to the directions of the poles."""
    close = np.geomspace(1e-9, 0.5, 120)
    even = np.arange(count) * (360.0 / count)
    return np.unique(np.concatenate([even, close, 180.0 - close, 180.0 + close, 360.0 - close]))


def cap(figure, lon0, lat0, radius, count=4000):
    """The ground within `radius` metres as a shape in lon/lat.

    It repeats itself every 360 degrees, from lon0 - 540 to lon0 + 540.
    """
    frame = shapely.box(lon0 - 540.0, -90.0, lon0 + 540.0, 90.0)
    poles = [bool(figure.distance(lon0, lat0, lon0, pole) < radius) for pole in (-90.0, 90.0)]
    if radius <= 0:
        return shapely.Polygon()
    if radius >= figure.distance(0.0, lat0, 180.0, -lat0):
        return frame
    lon, lat = figure.ring(lon0, lat0, radius, dense_azimuths(count))
    turns = 360.0 * np.arange(-2, 3)
    if poles[0] == poles[1]:
        lon = lon - 360.0 * np.round((lon.mean() - lon0) / 360.0)
        rings = [shapely.Polygon(np.stack([lon + turn, lat], axis=1)) for turn in turns]
        ground = shapely.union_all(rings)
        if poles[0]:
            return shapely.difference(frame, ground)
        return shapely.intersection(frame, ground)
    order = np.argsort(np.mod(lon, 360.0))
    lon, lat = np.mod(lon, 360.0)[order], lat[order]
    base = 360.0 * np.floor(lon0 / 360.0)
    line = np.concatenate([np.stack([lon + base + turn, lat], axis=1) for turn in turns])
    pole = -90.0 if poles[0] else 90.0
    corners = [[line[-1, 0], pole], [line[0, 0], pole]]
    return shapely.intersection(frame, shapely.Polygon(np.concatenate([line, corners])))


def ring_between(figure, lon0, lat0, inner, outer, count=4000):
    """Cap of radius `outer` less that of radius `inner`, metres."""
    ground = cap(figure, lon0, lat0, outer, count)
    return shapely.difference(ground, cap(figure, lon0, lat0, inner, count)) if inner else ground


def cap_area(radius, sphere_radius):
    """Area of a spherical cap, m²."""
    return 4.0 * np.pi * sphere_radius**2 * np.sin(radius / sphere_radius / 2.0) ** 2


def lonlat_transform(west, north, pixel, *, south_up=False, rows=0):
    """Transform of a lon/lat raster whose corner is at (west, north)."""
    if south_up:
        return Affine(pixel, 0.0, west, 0.0, pixel, north - rows * pixel)
    return Affine(pixel, 0.0, west, 0.0, -pixel, north)


def pixel_centres(shape, transform):
    """x and y of pixel centres in the raster's coordinates, both of its shape."""
    rows, columns = np.indices(shape)
    return place(transform, columns + 0.5, rows + 0.5)


def place(transform, x, y):
    """Coordinates of points given in columns and rows."""
    t = transform
    return t.a * x + t.b * y + t.c, t.d * x + t.e * y + t.f


def write_raster(path, values, transform, crs=OCENTRIC["moon"], **profile):
    """Write one band (or several, stacked) as a small GeoTIFF; returns its path."""
    values = np.asarray(values)
    bands = values if values.ndim == 3 else values[None]
    with rasterio.open(
        path,
        "w",
        driver="GTiff",
        count=bands.shape[0],
        height=bands.shape[1],
        width=bands.shape[2],
        dtype=bands.dtype,
        crs=crs,
        transform=transform,
        **profile,
    ) as dataset:
        dataset.write(bands)
    return str(path)


def global_raster(path, field, *, pixel=1.0, west=-180.0, dtype="float64", **profile):
    """Write ``field(lon, lat)`` over a whole body in lon/lat."""
    shape = round(180.0 / pixel), round(360.0 / pixel)
    transform = lonlat_transform(west, 90.0, pixel)
    lon, lat = pixel_centres(shape, transform)
    values = np.broadcast_to(field(lon, lat), shape).astype(dtype)
    return write_raster(path, values, transform, **profile)


@dataclass(frozen=True)
class Map:
    """Where the pixels of a raster of any projection lie, by pyproj's formulas alone.

    `projection` is what PROJ calls it, without figure and units; "lonlat" counts in degrees.
    """

    figure: Figure
    projection: str
    shape: tuple[int, int]
    transform: Affine

    @property
    def crs(self):
        units = "" if self.projection.startswith("lonlat") else "+units=m"
        return pyproj.CRS.from_user_input(
            f"+proj={self.projection} +a={self.figure.a} +b={self.figure.b} {units} +no_defs"
        )

    @property
    def formulas(self):
        return pyproj.Proj(self.crs.to_proj4() if self.crs.is_geographic else self.crs)

    def places(self, x, y):
        """Longitude and latitude at pixel coordinates; NaN where nothing on the body is mapped."""
        x, y = np.broadcast_arrays(np.asarray(x, dtype=float), np.asarray(y, dtype=float))
        east, north = place(self.transform, x, y)
        if self.crs.is_geographic:
            lon, ographic = east, north
            found = np.abs(north) <= 90.0
        else:
            # Each twice: pyproj takes an array of one value for a number.
            twice = np.repeat(np.ravel(east), 2), np.repeat(np.ravel(north), 2)
            found = self.formulas(*twice, inverse=True)
            away = np.hypot(*np.subtract(self.formulas(*found), twice))
            lon, ographic, back = (v[::2].reshape(east.shape) for v in (*found, away))
            with np.errstate(invalid="ignore"):
                found = back < 0.01 * np.hypot(self.transform.a, self.transform.d)
        lat = self.figure.ocentric(np.where(found, ographic, np.nan))
        return np.where(found, lon, np.nan), lat

    def pixels(self, lon, lat):
        """Pixel coordinates of places."""
        ographic = self.figure.ographic(lat)
        if self.crs.is_geographic:
            east, north = np.broadcast_arrays(lon, ographic)
        else:
            east, north = self.formulas(np.asarray(lon, dtype=float), ographic)
        return place(~self.transform, np.asarray(east), np.asarray(north))

    @cached_property
    def centres(self):
        """Longitude and latitude of the centres of all pixels."""
        rows, columns = np.indices(self.shape)
        return self.places(columns + 0.5, rows + 0.5)

    def off(self, centre, radius, x, y):
        """How many pixels, about, points lie outside a circle; below 0 inside.

        The distance from the circle on the ground over the length of a pixel in its direction.
        """
        step = 0.02
        away = [
            self.figure.distance(*centre, *self.places(x + dx, y + dy))
            for dx, dy in ((0, 0), (-step, 0), (step, 0), (0, -step), (0, step))
        ]
        slope = np.hypot(away[2] - away[1], away[4] - away[3]) / (2 * step)
        return (away[0] - radius) / np.maximum(slope, 1e-9)


def square_map(figure, projection, half, size, *, turn=0.0, shear=0.0):
    """A map of `size` by `size` pixels, `half` body radii (or degrees) from its middle to its sides."""
    half = half if projection.startswith("lonlat") else half * figure.a
    pixel = 2.0 * half / size
    upright = Affine(pixel, 0.0, -half, 0.0, -pixel, half)
    transform = Affine.rotation(turn) @ Affine.shear(shear, 0.0) @ upright
    return Map(figure, projection, (size, size), transform)


#: Projections of many kinds and how far maps of them reach in radii; some reach beyond their edge.
PROJECTIONS = {
    "north polar stereographic": ("stere +lat_0=90", 1.2),
    "south polar stereographic": ("stere +lat_0=-90 +lon_0=30", 5.0),
    "oblique stereographic": ("stere +lat_0=25 +lon_0=-70", 2.5),
    "sinusoidal": ("sinu", 3.3),
    "sinusoidal about 180": ("sinu +lon_0=180", 3.3),
    "Mollweide": ("moll", 3.0),
    "Robinson": ("robin", 2.9),
    "interrupted Goode": ("igh", 3.3),
    "transverse Mercator": ("tmerc", 1.5),
    "azimuthal equal-area": ("laea +lat_0=30 +lon_0=40", 2.1),
    "azimuthal equidistant": ("aeqd +lat_0=-40 +lon_0=100", 3.3),
    "orthographic": ("ortho +lat_0=30 +lon_0=40", 1.05),
    "gnomonic": ("gnom +lat_0=-20", 3.0),
    "conformal conic": ("lcc +lat_1=30 +lat_2=60 +lon_0=10", 3.0),
    "oblique Mercator": ("ob_tran +o_proj=merc +o_lat_p=30 +o_lon_p=0 +lon_0=20", 3.0),
    "rotated pole": ("ob_tran +o_proj=eqc +o_lat_p=40 +o_lon_p=10 +lon_0=20", 3.3),
}


def map_of(name, figure=MOON, size=150):
    """A map of `PROJECTIONS`, or a rotated or sheared raster in lon/lat."""
    if name == "rotated lon/lat":
        return square_map(figure, "lonlat", 100.0, size, turn=25.0)
    if name == "sheared lon/lat":
        return square_map(figure, "lonlat", 100.0, size, shear=20.0)
    projection, half = PROJECTIONS[name]
    return square_map(figure, projection, half, size)


MAPS = (*PROJECTIONS, "rotated lon/lat", "sheared lon/lat")
