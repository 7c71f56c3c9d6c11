"""Make the sample data: a Moon with known answers.

Reads the hand-written ``named_features.csv`` and ``moon_sketch.py`` and writes, beside them or
into another folder,

- ``moon_craters_km.csv``: the named features and synthetic small craters, largest first,
- ``moon_dem.tif``: an elevation model in which every crater has the depth of a published law,
- ``moon.tif``: an albedo image of the same surface,
- ``crater_depths.csv``: the depths that can be measured on the elevation model.

Positions and diameters of the named features are real; everything else is drawn from a fixed
seed. Run it as ``python sample_data/make_sample_data.py [folder]``; it takes a few seconds.
"""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import rasterio
from affine import Affine
from moon_sketch import (
    AWKWARD,
    DARK_FLOORS,
    GAP,
    GAP_PIXELS,
    MARE_FILL,
    MARE_PATCHES,
    ORIENTALE,
    ORIENTALE_RINGS,
    RAYS,
    SOUTH_POLE_AITKEN,
)
from numpy.typing import NDArray

Floats = NDArray[np.float64]

HERE = Path(__file__).resolve().parent
SEED = 19690720
MOON_KM = 1737.4
WIDTH, HEIGHT = 1440, 720
CRS = "IAU_2015:30100"
DEM_SCALE = 0.5  # metres per count
DEM_STEP = 10.0  # metres; elevations are rounded to this, which halves the file
DEM_NODATA = -32768
IMAGE_NODATA = 0

# The catalogue leaves out what no circle describes: Oceanus Procellarum and Mare Frigoris.
LARGEST_CIRCULAR_KM = 1200.0
SYNTHETIC_COUNT = 240
SYNTHETIC_KM = (14.0, 60.0)
# Worn craters in the relief that are in no table.
OLD_COUNT = 9000
OLD_KM = (16.0, 140.0)

# Columns of the tables: names used here, headings in the files.
HEADINGS = {
    "name": "Name",
    "type": "Type",
    "source": "Source",
    "diameter": "Diameter (km)",
    "lat": "Latitude",
    "lon": "Longitude",
    "depth": "Depth (m)",
    "measured": "Measured depth (m)",
}

TRANSITION_KM = 10.6  # diameter at which Pike's laws for simple and complex craters cross
LARGEST_DEPTH_KM = 200.0  # diameter up to which the depth law is used
# Reach of a crater's relief, in radii: level rim crest, end of the levelled ground, end of ejecta.
CREST, LEVELLED, EJECTA = 1.1, 1.6, 3.0
DISTURBED = 2.2  # a later crater this near, in its own radii, spoils a measurement
FLOOR_CIRCLE = 0.3
SMALLEST_TRUTH_PIXELS = 4.0  # radius


# --------------------------------------------------------------------------------------------
# The globe and what can be asked about places on it.


@dataclass(frozen=True)
class Globe:
    """Pixel centres of the grid: latitudes and longitudes in radians, unit vectors."""

    lat: Floats
    lon: Floats
    points: Floats  # (height, width, 3)

    @classmethod
    def of_grid(cls) -> "Globe":
        """Pixel centres of the global grid, north up, from 180 W."""
        lat = np.radians(90 - (np.arange(HEIGHT) + 0.5) * 180 / HEIGHT)
        lon = np.radians(-180 + (np.arange(WIDTH) + 0.5) * 360 / WIDTH)
        return cls(lat, lon, unit_vectors(lat[:, None], lon[None, :]))


class Crater(NamedTuple):
    """A crater to draw: centre in degrees, diameter in km."""

    name: str
    lat: float
    lon: float
    diameter: float


@dataclass(frozen=True)
class Patch:
    """The pixels within some distance of a place: their indices, distances and directions."""

    index: tuple[NDArray[np.intp], ...]
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


def around(globe: Globe, lat: float, lon: float, reach: float) -> Patch:
    """Pixels whose centres lie within `reach` km of a place in degrees."""
    phi, lam, angle = np.radians(lat), np.radians(lon), reach / MOON_KM
    rows = np.flatnonzero(np.abs(globe.lat - phi) <= angle)
    if abs(phi) + angle < np.pi / 2:
        half = np.arcsin(np.sin(angle) / np.cos(phi))
        turned = (globe.lon - lam + np.pi) % (2 * np.pi) - np.pi
        columns = np.flatnonzero(np.abs(turned) <= half)
    else:
        columns = np.arange(WIDTH)
    index = np.ix_(rows, columns)
    points = globe.points[index]
    east = np.array([-np.sin(lam), np.cos(lam), 0.0])
    north = np.array([-np.sin(phi) * np.cos(lam), -np.sin(phi) * np.sin(lam), np.cos(phi)])
    chord = np.sqrt(((points - unit_vectors(phi, lam)) ** 2).sum(axis=-1))
    distance = 2 * MOON_KM * np.arcsin(np.clip(chord / 2, 0, 1))
    return Patch(index, distance, MOON_KM * (points @ east), MOON_KM * (points @ north))


# --------------------------------------------------------------------------------------------
# Noise that knows no seam and no pole: it is sampled in space, on the sphere.


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
    rng: np.random.Generator, globe: Globe, wavelength: float, octaves: int, gain: float = 0.5
) -> Floats:
    """Fractal noise of mean 0 and standard deviation 1; `wavelength` km is the longest."""
    total = np.zeros((HEIGHT, WIDTH))
    for octave in range(octaves):
        shift = 64 * rng.random(3)
        turned = globe.points @ random_rotation(rng)
        points = turned * (2**octave * MOON_KM / wavelength) + shift
        total += gain**octave * lattice_noise(rng, points)
    return (total - total.mean()) / total.std()


# --------------------------------------------------------------------------------------------
# The catalogue.


def read_named() -> pd.DataFrame:
    """Return the hand-written table of named features."""
    names = {heading: name for name, heading in HEADINGS.items()}
    return pd.read_csv(HERE / "named_features.csv").rename(columns=names)


def make_catalogue(named: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Named features and synthetic craters, largest first."""
    real = named[named["diameter"] < LARGEST_CIRCULAR_KM].assign(source="IAU")
    places = [*AWKWARD, *random_places(real, rng)]
    synthetic = pd.DataFrame(places, columns=["lat", "lon", "diameter"]).round(2)
    synthetic["name"] = [f"Synthetic {n:03d}" for n in range(1, len(places) + 1)]
    synthetic = synthetic.assign(type="crater", source="synthetic")
    columns = ["name", "type", "source", "diameter", "lat", "lon"]
    table = pd.concat([real, synthetic], ignore_index=True)[columns]
    return table.sort_values(["diameter", "name"], ascending=[False, True], ignore_index=True)


def random_places(
    real: pd.DataFrame, rng: np.random.Generator
) -> Iterator[tuple[float, float, float]]:
    """Places (latitude, longitude, diameter) that keep clear of other craters' rims.

    Cumulative numbers fall with the square of the diameter; a fifth as many lie on lava.
    """
    maria = real[real["type"] == "mare"].assign(radius=lambda row: row["diameter"] / 2)
    lava = np.concatenate([maria[["lat", "lon", "radius"]], np.array(MARE_PATCHES, dtype=float)])
    craters = real.loc[real["type"] == "crater", ["lat", "lon", "diameter"]]
    craters = np.concatenate([craters, np.array(AWKWARD)])
    found = 0
    while found < SYNTHETIC_COUNT:
        lat, lon, diameter = random_crater(rng, SYNTHETIC_KM)
        rims = np.abs(separation(lat, lon, craters[:, 0], craters[:, 1]) - craters[:, 2] / 2)
        on_lava = (separation(lat, lon, lava[:, 0], lava[:, 1]) < lava[:, 2]).any()
        if rims.min() < 0.9 * diameter or (on_lava and rng.random() > 0.2):
            continue
        craters = np.concatenate([craters, [[lat, lon, diameter]]])
        found += 1
        yield lat, lon, diameter


def craters_of(catalogue: pd.DataFrame) -> list[Crater]:
    """Craters of the catalogue in the order in which they are dug: largest first."""
    rows = catalogue.loc[catalogue["type"] == "crater", list(Crater._fields)]
    return [Crater(*row) for row in rows.itertuples(index=False)]


def random_crater(
    rng: np.random.Generator, sizes: tuple[float, float]
) -> tuple[float, float, float]:
    """Latitude and longitude anywhere on the globe, and a diameter from an inverse square law."""
    u, v, w = rng.random(3)
    low, high = sizes
    diameter = (low**-2 - w * (low**-2 - high**-2)) ** -0.5
    return float(np.degrees(np.arcsin(2 * u - 1))), float(360 * v - 180), float(diameter)


# --------------------------------------------------------------------------------------------
# Relief.


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
    """Height in m at `x` crater radii from the centre, above the surroundings."""
    depth, rim = float(crater_depth(diameter)), float(rim_height(diameter))
    wall = rim - depth * (1 - smoothstep(floor_radius(diameter), 1.0, x))
    ejecta = rim * (CREST / np.maximum(x, CREST)) ** 3 * smoothstep(EJECTA, CREST, x)
    return np.where(x <= 1, wall, ejecta)


def level_ground(z: Floats, x: Floats) -> Floats:
    """Level old relief at its mean height within the rim crest; fade out beyond."""
    inside = x <= CREST
    if not inside.any():
        return z
    return z + smoothstep(LEVELLED, CREST, x) * (z[inside].mean() - z)


def add_crater(dem: Floats, globe: Globe, crater: Crater) -> None:
    """Dig one crater into the elevation model, in place."""
    radius = crater.diameter / 2
    patch = around(globe, crater.lat, crater.lon, EJECTA * radius)
    x = patch.distance / radius
    dem[patch.index] = level_ground(dem[patch.index], x) + crater_profile(x, crater.diameter)


def lava_shore(named: pd.DataFrame, globe: Globe, rng: np.random.Generator) -> Floats:
    """Distance in km from the shore of the maria, positive inside."""
    edge = fractal(rng, globe, 420, 7, 0.62)  # frays the outlines
    circles = [
        (row.lat, row.lon, MARE_FILL[row.name] * row.diameter / 2)
        for row in named.itertuples(index=False)
        if row.name in MARE_FILL
    ]
    inside = np.full((HEIGHT, WIDTH), -1e3)  # signed distance to the shore in km
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
) -> Floats:
    """Elevations in m above the mean radius."""
    dem = long_waves(globe, rng)
    for row in named[named["type"] == "mare"].itertuples(index=False):
        reach = 0.65 * min(row.diameter, 1400.0)
        patch = around(globe, row.lat, row.lon, reach)
        sink = min(row.diameter, 700.0)  # metres
        dem[patch.index] -= sink * smoothstep(reach, 0.5 * reach, patch.distance)
    plains = np.minimum(-1900 + 250 * fractal(rng, globe, 2400, 2), dem - 300)
    add_old_craters(dem, globe, shore, rng)
    dem += smoothstep(-60, 25, shore) * 0.9 * (plains - dem)
    for crater in craters_of(catalogue):
        add_crater(dem, globe, crater)
    dem += (30 - 18 * smoothstep(-10, 10, shore)) * fractal(rng, globe, 60, 2)
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
    for _ in range(OLD_COUNT):
        lat, lon, diameter = random_crater(rng, OLD_KM)
        worn = 0.12 + 0.4 * rng.random() ** 2
        row, column = int((90 - lat) / 180 * HEIGHT), int((lon + 180) / 360 * WIDTH)
        if shore[row, column] > 0:
            continue
        patch = around(globe, lat, lon, EJECTA * diameter / 2)
        dem[patch.index] += worn * crater_profile(patch.distance / (diameter / 2), diameter)


# --------------------------------------------------------------------------------------------
# Brightness.


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


def add_floor(albedo: Floats, globe: Globe, crater: Crater, freshness: float) -> None:
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
    step = MOON_KM * 1000 * np.radians(180 / HEIGHT)
    spacing = np.maximum(np.cos(globe.lat), 0.08)[:, None] * 2 * step
    east = (np.roll(dem, -1, axis=1) - np.roll(dem, 1, axis=1)) / spacing
    north = -np.gradient(dem, step, axis=0)
    return np.clip(1 - 3.0 * east - 0.9 * north, 0.4, 1.7)


def make_image(
    catalogue: pd.DataFrame, globe: Globe, dem: Floats, shore: Floats, rng: np.random.Generator
) -> NDArray[np.uint8]:
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
    image = np.clip(np.round(albedo * shading(dem, globe)), 1, 255).astype(np.uint8)
    image[gap(globe)] = IMAGE_NODATA
    return image


def gap(globe: Globe) -> NDArray[np.bool_]:
    """Pixels of the strip without image data."""
    lon1, lat1, lon2, lat2 = GAP
    lat, lon = np.degrees(globe.lat)[:, None], np.degrees(globe.lon)[None, :]
    along = (lat - lat1) / (lat2 - lat1)
    centre = lon1 + along * (lon2 - lon1)
    return (along >= 0) & (along <= 1) & (np.abs(lon - centre) < GAP_PIXELS / 2 * 360 / WIDTH)


# --------------------------------------------------------------------------------------------
# What can be measured.


def measured_depth(dem: Floats, globe: Globe, crater: Crater) -> float:
    """Mean of the rim crest (1 to 1.1 radii) minus mean of the floor (within 0.3 radii), in m.

    A pixel counts where its centre lies: ``1 < d <= 1.1`` and ``d <= 0.3`` radii.
    """
    radius = crater.diameter / 2
    patch = around(globe, crater.lat, crater.lon, 1.2 * radius)
    x, z = patch.distance / radius, dem[patch.index]
    return float(z[(x > 1) & (x <= CREST)].mean() - z[x <= FLOOR_CIRCLE].mean())


def undisturbed(catalogue: pd.DataFrame) -> NDArray[np.bool_]:
    """Whether no crater that was dug later reaches into a crater's rim crest."""
    lat, lon = catalogue["lat"].to_numpy(), catalogue["lon"].to_numpy()
    radius = catalogue["diameter"].to_numpy() / 2
    crater = (catalogue["type"] == "crater").to_numpy()
    free = crater.copy()
    for i in np.flatnonzero(crater):
        later = np.arange(len(catalogue)) > i
        distance = separation(lat[i], lon[i], lat, lon)
        free[i] = not (later & (distance < CREST * radius[i] + DISTURBED * radius)).any()
    return free


def make_truth(catalogue: pd.DataFrame, globe: Globe, dem: Floats) -> pd.DataFrame:
    """Craters whose depth can be measured on the elevation model, with the answer."""
    pixel = MOON_KM * np.radians(180 / HEIGHT)
    diameter = catalogue["diameter"]
    resolved = diameter / 2 >= SMALLEST_TRUTH_PIXELS * pixel
    within_law = diameter <= LARGEST_DEPTH_KM
    truth = catalogue[undisturbed(catalogue) & resolved & within_law]
    depth = crater_depth(truth["diameter"].to_numpy()).round(1)
    measured = [round(measured_depth(dem, globe, crater), 3) for crater in craters_of(truth)]
    return truth.drop(columns=["type"]).assign(depth=depth, measured=measured)


# --------------------------------------------------------------------------------------------
# Files.


def write_raster(
    path: Path,
    values: NDArray[np.generic],
    nodata: int,
    description: str,
    scale: float = 1.0,
    units: str = "",
) -> None:
    """Write one global band as a tiled, deflated GeoTIFF."""
    pixel = 360 / WIDTH
    with rasterio.open(
        path,
        "w",
        driver="GTiff",
        width=WIDTH,
        height=HEIGHT,
        count=1,
        dtype=values.dtype.name,
        crs=CRS,
        transform=Affine(pixel, 0, -180, 0, -pixel, 90),
        nodata=nodata,
        tiled=True,
        blockxsize=256,
        blockysize=256,
        compress="deflate",
        predictor=2,
        zlevel=9,
    ) as dst:
        dst.write(values, 1)
        dst.set_band_description(1, description)
        dst.scales = (scale,)
        dst.units = (units,)


def make(folder: Path = HERE) -> None:
    """Write all four files into `folder`."""
    rngs = [np.random.Generator(np.random.PCG64([SEED, part])) for part in range(4)]
    globe, named = Globe.of_grid(), read_named()
    catalogue = make_catalogue(named, rngs[0])
    shore = lava_shore(named, globe, rngs[1])
    dem = make_dem(named, catalogue, globe, shore, rngs[2])
    image = make_image(catalogue, globe, dem, shore, rngs[3])
    truth = make_truth(catalogue, globe, dem)

    text = {"index": False, "lineterminator": "\n"}
    catalogue = catalogue.rename(columns=HEADINGS)
    truth = truth.rename(columns=HEADINGS)
    catalogue.to_csv(folder / "moon_craters_km.csv", float_format="%.2f", **text)
    truth.to_csv(folder / "crater_depths.csv", **text)
    counts = np.round(dem / DEM_SCALE).astype(np.int16)
    write_raster(folder / "moon_dem.tif", counts, DEM_NODATA, "elevation", DEM_SCALE, "m")
    write_raster(folder / "moon.tif", image, IMAGE_NODATA, "albedo")


if __name__ == "__main__":
    make(Path(sys.argv[1]) if len(sys.argv) > 1 else HERE)
