"""Random bodies, maps, features and regions, and what a brute force by geodesics says of their pixels.

Positions of pixels are the grid's, which are checked against the formulas of PROJ; distances and azimuths come
from `pyproj.Geod`. Angles are degrees, lengths metres.
"""

from dataclasses import dataclass

import numpy as np
import shapely
from affine import Affine

from craterkit.bodies import Body
from craterkit.coordinates import CoordinateSystem
from craterkit.grids.base import make_grid
from craterkit.grids.cylindrical import CylindricalGrid
from craterkit.regions import Annulus, Ellipse, Polygons, Sector
from craterkit.tables.features import Features
from fields import Figure, Map

BODIES = [
    Figure("moon", 1737400.0, 1737400.0),
    Figure("mercury", 2439400.0, 2439400.0),
    Figure("pebble", 10.0, 10.0),
    Figure("earth", 6378137.0, 6356752.3),
    Figure("mars", 3396190.0, 3376200.0),
    Figure("saturn", 60268000.0, 54364000.0),
    Figure("ceres", 487300.0, 446000.0),
    Figure("vesta", 289000.0, 229000.0),
    Figure("iapetus", 745700.0, 712100.0),
    Figure("bennu", 282.37, 249.25),
    Figure("phobos", 13000.0, 9100.0),
    Figure("eros", 17000.0, 12000.0),
]

#: Projection, and how far maps reach at most: in radii of the body, or in degrees.
PROJECTIONS = {
    "lon/lat": ("lonlat", 180.0),
    "0 to 360": ("lonlat", 180.0),
    "lon/lat, south up": ("lonlat", 180.0),
    "columns westward": ("lonlat", 180.0),
    "part of lon/lat": ("lonlat", 60.0),
    "rotated lon/lat": ("lonlat", 100.0),
    "sheared lon/lat": ("lonlat", 100.0),
    "equirectangular": ("eqc +lat_ts=40 +lon_0={lon}", 1.5),
    "Mercator": ("merc +lon_0={lon}", 2.8),
    "equal-area cylinder": ("cea +lon_0={lon}", 0.95),
    "sinusoidal": ("sinu +lon_0={lon}", 3.3),
    "Mollweide": ("moll +lon_0={lon}", 2.9),
    "north polar stereographic": ("stere +lat_0=90 +lon_0={lon}", 3.0),
    "south polar stereographic": ("stere +lat_0=-90 +lon_0={lon}", 3.0),
    "polar, south up": ("stere +lat_0=90 +lon_0={lon}", 1.5),
    "oblique stereographic": ("stere +lat_0={lat} +lon_0={lon}", 3.0),
    "rotated stereographic": ("stere +lat_0={lat} +lon_0={lon}", 1.5),
    "azimuthal equal-area": ("laea +lat_0={lat} +lon_0={lon}", 2.1),
    "azimuthal equidistant": ("aeqd +lat_0={lat} +lon_0={lon}", 3.3),
    "transverse Mercator": ("tmerc +lat_0={lat} +lon_0={lon}", 1.2),
    "oblique Mercator": ("omerc +lat_0={lat} +lonc={lon} +alpha=35 +gamma=0", 0.6),
    "conformal conic": ("lcc +lat_1=20 +lat_2=55 +lon_0={lon}", 2.0),
    "orthographic": ("ortho +lat_0={lat} +lon_0={lon}", 1.05),
}

KINDS = ("circle", "annulus", "ellipse", "sector", "n-gon", "polygon")

#: Rows and columns of a map.
SIZE = 24


@dataclass(frozen=True)
class World:
    """A map, and one feature with a region."""

    figure: Figure
    name: str
    chart: Map
    grid: object
    lon: float
    lat: float
    radius: float
    kind: str
    region: object

    def __str__(self):
        return (
            f"{self.figure.name}, {self.chart.projection}, {tuple(self.chart.transform)[:6]}; "
            f"lon {self.lon!r}, lat {self.lat!r}, radius {self.radius!r}: {self.region!r}"
        )

    @property
    def features(self):
        return Features([self.lon], [self.lat], [self.radius])

    @property
    def is_cylindrical(self):
        return isinstance(self.grid, CylindricalGrid)

    def polar(self, x, y):
        """Distances and azimuths of pixel coordinates; NaN off the map."""
        lon, lat = self.grid.to_body(x, y)
        start, end = self.figure.ographic(self.lat), self.figure.ographic(np.ravel(lat))
        size = end.size
        ahead, _, distance = self.figure.geod.inv(
            np.full(size, self.lon), np.full(size, start), np.ravel(lon), end
        )
        off = np.isnan(end)
        return (np.where(off, np.nan, value).reshape(np.shape(lon)) for value in (distance, ahead))

    def level(self, x, y):
        """A number above 0 inside the region, below 0 outside, about even across its edges."""
        if self.kind == "n-gon":
            return self._signed(self.polygon, x, y)
        if self.kind == "polygon":
            lon, lat = self.grid.to_body(x, y)
            return self._signed(self.region.geometries[0], np.mod(lon + 180.0, 360.0) - 180.0, lat)
        distance, azimuth = self.polar(x, y)
        region = self.region
        if self.kind == "ellipse":
            beta = np.radians(azimuth - region.azimuth)
            reach = (
                region.major
                * region.minor
                / np.hypot(region.minor * np.cos(beta), region.major * np.sin(beta))
            )
            return reach * self.radius - distance
        level = region.outer * self.radius - distance
        if region.inner > 0:
            level = np.minimum(level, distance - region.inner * self.radius)
        if self.kind == "sector":
            begin, end = (
                distance * np.sin(np.radians(way))
                for way in (azimuth - region.azimuth_from, region.azimuth_to - azimuth)
            )
            narrow = (region.azimuth_to - region.azimuth_from) % 360.0 <= 180.0
            level = np.minimum(level, (np.minimum if narrow else np.maximum)(begin, end))
        return level

    @staticmethod
    def _signed(shape, x, y):
        off, points = np.isnan(x), np.nan_to_num([x, y])
        away = shapely.distance(shapely.boundary(shape), shapely.points(*points))
        inside = shapely.contains_xy(shape, *points)
        return np.where(off, np.nan, np.where(inside, away, -away))

    @property
    def polygon(self):
        """The polygon of `nvert` corners, in pixel coordinates; None where the map has none of them."""
        azimuth = np.arange(self.region.nvert) * 360.0 / self.region.nvert
        lon, lat = self.figure.ring(self.lon, self.lat, self.radius * self.region.outer, azimuth)
        if self.is_cylindrical:
            x = self.grid.column_of(self.lon) + (lon - self.lon) * self.grid.columns_per_degree
            return shapely.Polygon(np.stack([x, self.grid.row_of(lat)], axis=1))
        corners = np.stack(self.grid.to_pixels(lon, lat), axis=1)
        return shapely.Polygon(corners) if np.isfinite(corners).all() else None


def random_world(rng, kind=None, name=None):
    """A world, or None if no part of its map lies on the body."""
    figure = BODIES[rng.integers(len(BODIES))]
    name = name or rng.choice(list(PROJECTIONS))
    kind = kind or rng.choice(KINDS)
    chart = random_map(rng, figure, name)
    grid = grid_of(chart)
    if grid is None:
        return None
    x, y = rng.uniform(-0.3, 1.3, 2) * SIZE
    lon, lat = (float(value) for value in grid.to_body(x, y))
    if rng.random() < 0.25 or not np.isfinite(lon):
        lon, lat = rng.uniform(-180.0, 180.0), np.degrees(np.arcsin(rng.uniform(-1.0, 1.0)))
    lat = float(np.clip(lat, -90.0, 90.0))
    if rng.random() < 0.08:
        lat = float(rng.choice([-90.0, 90.0, 0.0, 89.5]))
    lon = (lon + 180.0) % 360.0 - 180.0
    area = grid.areas_at(np.full(2, chart.shape[0] // 2), np.full(2, SIZE // 2))[0]
    pixel = np.sqrt(area) if np.isfinite(area) else figure.a / SIZE
    radius = pixel * 10.0 ** rng.uniform(-0.3, 1.3)
    if rng.random() < 0.2:
        radius = np.pi * figure.a * rng.uniform(0.3, 2.5)
    region = (
        random_region(rng, kind)
        if kind != "polygon"
        else random_polygon(rng, lon, lat, radius / figure.a)
    )
    if region is None:
        return None
    return World(figure, name, chart, grid, lon, lat, radius, kind, region)


def random_map(rng, figure, name):
    projection, reach = PROJECTIONS[name]
    lat = round(float(np.degrees(np.arcsin(rng.uniform(-0.95, 0.95)))), 3)
    projection = projection.format(lon=round(rng.uniform(-180, 180), 3), lat=lat)
    shape = (SIZE, SIZE)
    if name in ("lon/lat", "0 to 360", "lon/lat, south up", "columns westward"):
        pixel = 360.0 / SIZE
        west = 0.0 if name == "0 to 360" else -180.0
        upright = Affine(pixel, 0.0, west, 0.0, -pixel, 90.0)
        shape = (SIZE // 2, SIZE)
        if name == "lon/lat, south up":
            upright = Affine(pixel, 0.0, west, 0.0, pixel, -90.0)
        if name == "columns westward":
            upright = Affine(-pixel, 0.0, 180.0, 0.0, -pixel, 90.0)
        return Map(figure, projection, shape, upright)
    half = reach * (1.0 if rng.random() < 0.4 else 10.0 ** rng.uniform(-2.5, 0.0))
    unit = 1.0 if projection.startswith("lonlat") else figure.a
    pixel = 2.0 * half * unit / SIZE
    middle = rng.uniform(-1.0, 1.0, 2) * (reach - half) * unit
    if name == "part of lon/lat":
        middle = np.array([rng.uniform(-180.0, 180.0), rng.uniform(-1, 1) * (90.0 - half)])
    if name == "equirectangular":
        middle[0] = rng.uniform(-1.0, 1.0) * np.pi * 0.7 * unit
    upright = Affine(
        pixel, 0.0, middle[0] - SIZE / 2 * pixel, 0.0, -pixel, middle[1] + SIZE / 2 * pixel
    )
    if name.startswith("rotated"):
        upright = Affine.rotation(rng.uniform(0.0, 360.0)) @ upright
    elif name.startswith("sheared"):
        upright = Affine.shear(rng.uniform(-30.0, 30.0), 0.0) @ upright
    elif name.endswith("south up"):
        upright = upright @ Affine.translation(0.0, SIZE) @ Affine.scale(1.0, -1.0)
    return Map(figure, projection, shape, upright)


def grid_of(chart):
    from craterkit.errors import CRSError

    body = Body(chart.figure.name, chart.figure.a, chart.figure.b)
    crs = "planetographic_east" if chart.crs.is_geographic else chart.crs
    system = CoordinateSystem.from_user_input(crs, body, what="map")
    try:
        return make_grid(chart.shape, chart.transform, system, chart.projection)
    except CRSError:
        return None


def random_region(rng, kind):
    outer = rng.uniform(0.6, 1.6)
    if kind == "circle":
        return Annulus(0.0, outer)
    if kind == "annulus":
        return Annulus(outer * rng.uniform(0.2, 0.9), outer)
    if kind == "ellipse":
        return Ellipse(outer, outer * rng.uniform(0.3, 1.0), rng.uniform(0.0, 360.0))
    if kind == "sector":
        start = float(rng.choice([rng.uniform(0.0, 360.0), 90.0]))
        inner = outer * float(rng.choice([0.0, rng.uniform(0.1, 0.8)]))
        return Sector(inner, outer, start, start + rng.uniform(20.0, 340.0))
    return Annulus(0.0, outer, int(rng.integers(3, 12)))


def random_polygon(rng, lon, lat, angle):
    """A star of corners in longitude and latitude about a place, off the seam and the poles."""
    reach = min(np.degrees(angle), 88.0 - abs(lat), 178.0 - abs(lon))
    if reach <= 0.05 * np.degrees(angle):
        return None
    turn = np.radians(np.arange(7) * 360.0 / 7 + rng.uniform(0.0, 20.0, 7))
    away = reach * rng.uniform(0.3, 1.0, 7)
    corners = np.stack([lon + away * np.cos(turn), lat + away * np.sin(turn)], axis=1)
    return Polygons(np.array([shapely.Polygon(corners)], dtype=object))
