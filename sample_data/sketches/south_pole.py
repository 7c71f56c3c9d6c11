"""The sample Moon's south pole on a polar stereographic map: the same surface, drawn more finely.

Old ground comes from the global map; the craters of its table are dug anew, into the same levels.
A few craters that the global map is too coarse for are added, where they disturb no other's rim or
floor.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from affine import Affine
from scipy import ndimage

from sketches import moon
from sketches.craters import CREST, FLOOR_CIRCLE, add_crater
from sketches.globe import MOON_KM, Floats, Index, fractal, separation, unit_vectors
from sketches.moon_brightness import add_floor, exposed, sunlight
from sketches.moon_catalogue import DISTURBED, HEADINGS, craters_of, make_truth
from sketches.moon_relief import rounded

SEED = 19980111
CRS = "IAU_2015:30135"
SIZE, PIXEL = 612, 1.5  # pixels, km
HALF = SIZE * PIXEL / 2
FINE_KM, FINE_M = 14.0, 9.0  # roughness that the global map does not show
EXTRA_COUNT, EXTRA_KM = 28, (12.2, 19.0)
NEAR_POLE, NEAR_POLE_LAT = 6, -86.0  # so many of them lie south of this
PADDING = 8


@dataclass(frozen=True)
class PolarMap:
    """Pixel centres of the map: coordinates in km, places in degrees, unit vectors."""

    x: Floats  # (columns,)
    y: Floats  # (rows,)
    lat: Floats  # (rows, columns)
    lon: Floats
    points: Floats
    km: float = MOON_KM

    @classmethod
    def drawn(cls) -> PolarMap:
        """The south pole in the middle, the prime meridian upward."""
        x = (np.arange(SIZE) + 0.5) * PIXEL - HALF
        y = -x
        away = 2 * np.arctan(np.hypot(x[None, :], y[:, None]) / (2 * MOON_KM))
        lon = np.arctan2(x[None, :], y[:, None])
        lat = away - np.pi / 2
        return cls(x, y, np.degrees(lat), np.degrees(lon), unit_vectors(lat, lon))

    def window(self, lat: float, lon: float, reach: float) -> Index:
        """Index of pixels among which are all whose centres lie within `reach` km of a place."""
        colatitude, angle, lam = np.radians(90 + lat), reach / self.km, np.radians(lon)
        near, far = np.tan((colatitude - angle) / 2), np.tan((colatitude + angle) / 2)
        middle, radius = self.km * (near + far), self.km * (far - near)  # a circle is a circle here
        rows = np.flatnonzero(np.abs(self.y - middle * np.cos(lam)) <= radius)
        columns = np.flatnonzero(np.abs(self.x - middle * np.sin(lam)) <= radius)
        return np.ix_(rows, columns)

    def holds(self, lat: Floats, lon: Floats, reach: Floats) -> np.ndarray:
        """Whether circles of `reach` km around places lie within the map."""
        colatitude, angle, lam = np.radians(90 + lat), reach / self.km, np.radians(lon)
        near, far = np.tan((colatitude - angle) / 2), np.tan((colatitude + angle) / 2)
        middle, radius = self.km * (near + far), self.km * (far - near)
        outermost = np.maximum(np.abs(middle * np.cos(lam)), np.abs(middle * np.sin(lam)))
        return (colatitude + angle < np.pi / 2) & (outermost + radius < HALF)


def make(folder: Path, drawn: moon.Moon) -> None:
    """Write the image, the elevation model and the table into `folder`."""
    rng = np.random.Generator(np.random.PCG64(SEED))
    polar = PolarMap.drawn()
    catalogue = drawn.catalogue[drawn.catalogue["type"] == "crater"]
    extra = choose_extra(rng, polar, catalogue)
    albedo = resampled(drawn.image.albedo, polar)

    dem = resampled(drawn.relief.ground, polar)
    for crater, level in zip(craters_of(catalogue), drawn.relief.levels, strict=True):
        if polar.window(crater.lat, crater.lon, crater.diameter)[0].size:
            add_crater(dem, polar, crater, level)
    for crater in craters_of(extra):
        add_crater(dem, polar, crater)
        add_floor(albedo, polar, crater, 0.5 * rng.random())
    dem += resampled(drawn.relief.roughness, polar) + FINE_M * fractal(rng, polar, FINE_KM, 2)
    dem = rounded(dem)

    north, east = np.gradient(dem, 1000 * PIXEL)
    image = exposed(albedo * sunlight(east, -north))
    place = {
        "crs": CRS,
        "transform": Affine(*(1000 * v for v in (PIXEL, 0, -HALF, 0, -PIXEL, HALF))),
    }
    moon.write_dem(folder / "moon_south_pole_dem.tif", dem, **place)
    moon.write_image(folder / "moon_south_pole.tif", image, **place)

    every = pd.concat([catalogue, extra], ignore_index=True)  # in the order in which they were dug
    lat, lon, radius = every["lat"], every["lon"], every["diameter"] / 2
    inside = polar.holds(lat.to_numpy(), lon.to_numpy(), 1.2 * radius.to_numpy())
    truth = make_truth(every, polar, dem, PIXEL, inside)
    truth = truth.sort_values("diameter", ascending=False, kind="stable").rename(columns=HEADINGS)
    truth.to_csv(folder / "moon_south_pole_craters.csv", index=False, lineterminator="\n")


def resampled(field: Floats, polar: PolarMap) -> Floats:
    """Values of a global map at the pixels of the polar one, by cubic splines."""
    height, width = field.shape
    beyond = np.roll(field[-1 : -PADDING - 1 : -1], width // 2, axis=1)  # the map across the pole
    southern = np.concatenate([field[height // 2 :], beyond])
    wrapped = np.pad(southern, ((0, 0), (PADDING, PADDING)), mode="wrap")
    row = -polar.lat * height / 180 - 0.5
    column = (polar.lon + 180) * width / 360 - 0.5 + PADDING
    return ndimage.map_coordinates(wrapped, [row, column], order=3, mode="nearest")


def choose_extra(
    rng: np.random.Generator, polar: PolarMap, catalogue: pd.DataFrame
) -> pd.DataFrame:
    """Small craters that leave the rims and floors of all others alone, largest first."""
    old = catalogue[["lat", "lon", "diameter"]].to_numpy()
    new = np.empty((0, 3))
    while len(new) < EXTRA_COUNT:
        x, y = rng.uniform(-HALF, HALF, 2)
        lat = np.degrees(2 * np.arctan(np.hypot(x, y) / (2 * MOON_KM))) - 90
        lon, diameter = np.degrees(np.arctan2(x, y)), rng.uniform(*EXTRA_KM)
        lat, lon, diameter = (round(float(value), 2) for value in (lat, lon, diameter))
        reach = DISTURBED * diameter / 2
        far = separation(lat, lon, old[:, 0], old[:, 1])
        outside = far > CREST * old[:, 2] / 2 + reach
        on_wall = (far + reach < old[:, 2] / 2) & (far - reach > FLOOR_CIRCLE * old[:, 2] / 2)
        from_new = separation(lat, lon, new[:, 0], new[:, 1])
        if (
            (outside | on_wall).all()
            and (from_new > CREST * new[:, 2] / 2 + reach).all()
            and polar.holds(lat, lon, diameter)
            and (lat < NEAR_POLE_LAT or len(new) >= NEAR_POLE)
        ):
            new = np.concatenate([new, [[lat, lon, diameter]]])
    new = new[np.argsort(-new[:, 2], kind="stable")]
    names = [f"Polar {number:02d}" for number in range(1, len(new) + 1)]
    table = pd.DataFrame(new, columns=["lat", "lon", "diameter"])
    return table.assign(name=names, type="crater", source="synthetic")[list(catalogue.columns)]
