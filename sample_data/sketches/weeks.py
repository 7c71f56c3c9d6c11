"""A year of weekly temperatures of one part of the sample Moon, and a mask of its areas of interest.

Every pixel has ``mean + amplitude * cos(2 pi (t - maximum) / YEAR)``, and noise. An area of
interest has its own mean, amplitude and date of the maximum, the ground between has one law.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import ndimage

from sketches.geotiff import MOON_CRS, lonlat_transform, write_raster
from sketches.globe import MOON_KM, Floats, smoothstep, unit_vectors

SEED = 20180822
WEST, NORTH, PIXEL = -30.0, -30.0, 0.25  # degrees; pixels are those of moon.tif
SHAPE = (88, 120)
FIRST, WEEKS, YEAR = date(2020, 1, 6), 52, 365.25

SCALE, OFFSET, NODATA = 0.2, 200.0, -32768  # kelvins per count, kelvins
NOISE = 0.5  # kelvins
GROUND_AMPLITUDE, GROUND_MAXIMUM = 6.0, date(2020, 2, 17)

AREA, ELSEWHERE = 0, 255  # values of the mask: black, and nothing
PIXELS_OF_AREAS = (48, 40, 34, 29, 24, 20, 16, 13, 10, 7, 5, 3, 1)
KEEP_APART = 4.0  # pixels between areas, and to the edge
RIM = (0.9, 1.6)  # radii: areas keep clear of the rims of the table's craters
SMALLEST_RIM_KM = 40.0  # diameter

SWATH_PIXELS = 22.0  # width of a strip that was not observed
SWATH_WEEKS = (4, 9, 10, 17, 19, 23, 27, 30, 33, 38, 41, 44, 49)
CORNER_WEEKS = (13, 14, 15, 36)  # the north-eastern corner was not observed in these


@dataclass(frozen=True)
class Area:
    """An area of interest: its pixels, and its season."""

    rows: NDArray[np.intp]
    columns: NDArray[np.intp]
    mean: float
    amplitude: float
    maximum: date


def make(folder: Path, craters: pd.DataFrame) -> None:
    """Write the mask, the folder of weekly rasters and the table of areas into `folder`.

    `craters` has columns ``lat``, ``lon`` (degrees) and ``diameter`` (km).
    """
    rng = np.random.Generator(np.random.PCG64(SEED))
    lat, lon = pixel_centres()
    areas = choose_areas(rng, forbidden(craters, lat, lon))
    mean, amplitude, maximum = seasons(craters, areas, lat, lon)
    mask = np.full(SHAPE, ELSEWHERE, np.uint8)
    for area in areas:
        mask[area.rows, area.columns] = AREA

    place = {"crs": MOON_CRS, "transform": lonlat_transform(WEST, NORTH, PIXEL), "tile": None}
    write_raster(
        folder / "weekly_mask.tif", mask, **place, nodata=ELSEWHERE, description="areas of interest"
    )
    describe(areas, lat, lon).to_csv(folder / "weekly_areas.csv", index=False, lineterminator="\n")
    (folder / "moon_weeks").mkdir(exist_ok=True)
    for week in range(WEEKS):
        day = FIRST + timedelta(weeks=week)
        angle = 2 * np.pi * (week * 7 - maximum) / YEAR
        kelvins = mean + amplitude * np.cos(angle) + NOISE * rng.standard_normal(SHAPE)
        counts = np.round((kelvins - OFFSET) / SCALE).astype(np.int16)
        counts[unobserved(week, rng)] = NODATA
        write_raster(
            folder / "moon_weeks" / f"temperature_{day:%Y%m%d}.tif",
            counts,
            **place,
            nodata=NODATA,
            description="surface temperature",
            scale=SCALE,
            offset=OFFSET,
            units="K",
        )


def pixel_centres() -> tuple[Floats, Floats]:
    """Latitudes and longitudes of the pixels' centres in degrees, as matrices."""
    rows, columns = np.indices(SHAPE)
    return NORTH - (rows + 0.5) * PIXEL, WEST + (columns + 0.5) * PIXEL


def radii_away(crater: tuple[float, float, float], lat: Floats, lon: Floats) -> Floats:
    """Distance of the pixels from a crater's centre (lat, lon, diameter), in its radii."""
    points = unit_vectors(np.radians(lat), np.radians(lon))
    centre = unit_vectors(np.radians(crater[0]), np.radians(crater[1]))
    chord = np.sqrt(((points - centre) ** 2).sum(axis=-1))
    return 2 * MOON_KM * np.arcsin(chord / 2) / (crater[2] / 2)


def forbidden(craters: pd.DataFrame, lat: Floats, lon: Floats) -> NDArray[np.bool_]:
    """Pixels on the rims of craters."""
    near = np.zeros(SHAPE, dtype=bool)
    for crater in large(craters):
        x = radii_away(crater, lat, lon)
        near |= (x > RIM[0]) & (x < RIM[1])
    return near


def large(craters: pd.DataFrame) -> list[tuple[float, float, float]]:
    """Latitude, longitude and diameter of the craters whose rims are drawn."""
    rows = craters.loc[craters["diameter"] >= SMALLEST_RIM_KM, ["lat", "lon", "diameter"]]
    return [tuple(row) for row in rows.to_numpy()]


def choose_areas(rng: np.random.Generator, taken: NDArray[np.bool_]) -> list[Area]:
    """Ragged areas of 250 pixels in all, clear of each other, in the order of their first pixel."""
    taken = taken.copy()
    margin = int(KEEP_APART)
    taken[:margin] = taken[-margin:] = True
    taken[:, :margin] = taken[:, -margin:] = True
    found = []
    while len(found) < len(PIXELS_OF_AREAS):
        seed = tuple(rng.integers(0, SHAPE))
        blob = grow(rng, seed, PIXELS_OF_AREAS[len(found)])
        if blob is None or taken[blob].any():
            continue
        taken |= ndimage.distance_transform_edt(~blob) <= KEEP_APART
        found.append(blob)
    found.sort(key=lambda blob: int(np.flatnonzero(blob)[0]))
    return [season_of(rng, blob) for blob in found]


def grow(rng: np.random.Generator, seed: tuple[int, ...], pixels: int) -> NDArray[np.bool_] | None:
    """A connected area of so many pixels around a seed; None where it would leave the map."""
    blob = np.zeros(SHAPE, dtype=bool)
    blob[seed] = True
    cross = ndimage.generate_binary_structure(2, 1)
    while (missing := pixels - int(blob.sum())) > 0:
        edge = np.argwhere(ndimage.binary_dilation(blob, cross) & ~blob)
        chosen = rng.permutation(len(edge))[: max(1, min(missing, len(edge) // 2))]
        blob[tuple(edge[chosen].T)] = True
    touches_edge = blob[[0, -1]].any() or blob[:, [0, -1]].any()
    return None if touches_edge else blob


def season_of(rng: np.random.Generator, blob: NDArray[np.bool_]) -> Area:
    """An area with a mean, an amplitude and a date of the maximum of its own."""
    rows, columns = np.nonzero(blob)
    mean, amplitude = round(rng.uniform(170, 260), 1), round(rng.uniform(8, 30), 1)
    maximum = date(2020, 1, 1) + timedelta(days=int(rng.integers(10, 350)))
    return Area(rows, columns, mean, amplitude, maximum)


def seasons(
    craters: pd.DataFrame, areas: list[Area], lat: Floats, lon: Floats
) -> tuple[Floats, Floats, Floats]:
    """Mean and amplitude (kelvins) of all pixels, and days from the first week to the maximum."""
    mean = 290 * np.cos(np.radians(lat)) ** 0.5
    for crater in large(craters):
        x = radii_away(crater, lat, lon)
        mean -= 14 * smoothstep(1.0, 0.75, x) - 6 * np.exp(-(((x - 1.0) / 0.15) ** 2))
    amplitude = np.full(SHAPE, GROUND_AMPLITUDE)
    maximum = np.full(SHAPE, float((GROUND_MAXIMUM - FIRST).days))
    for area in areas:
        where = area.rows, area.columns
        mean[where], amplitude[where] = area.mean, area.amplitude
        maximum[where] = (area.maximum - FIRST).days
    return mean, amplitude, maximum


def unobserved(week: int, rng: np.random.Generator) -> NDArray[np.bool_]:
    """Pixels without a value in a week: an oblique strip or a corner in some, single ones in all."""
    rows, columns = np.indices(SHAPE)
    missing = rng.random(SHAPE) < 0.002
    if week in SWATH_WEEKS:
        across = columns + 0.35 * rows - rng.uniform(0.1, 1.1) * SHAPE[1]
        missing |= np.abs(across) < SWATH_PIXELS / 2
    if week in CORNER_WEEKS:
        missing |= columns - rows > 0.4 * SHAPE[1]
    return missing


def describe(areas: list[Area], lat: Floats, lon: Floats) -> pd.DataFrame:
    """One row an area: where it is, and its season."""
    return pd.DataFrame(
        {
            "Area": range(len(areas)),
            "Pixels": [len(area.rows) for area in areas],
            "Latitude": [round(lat[area.rows, area.columns].mean(), 3) for area in areas],
            "Longitude": [round(lon[area.rows, area.columns].mean(), 3) for area in areas],
            "Mean (K)": [area.mean for area in areas],
            "Amplitude (K)": [area.amplitude for area in areas],
            "Maximum": [area.maximum.isoformat() for area in areas],
        }
    )
