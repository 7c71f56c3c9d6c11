"""The craters and maria of the sample Moon, and which depths can be measured."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sketches.craters import (
    CREST,
    LARGEST_DEPTH_KM,
    Crater,
    crater_depth,
    measured_depth,
    random_crater,
)
from sketches.globe import Floats, Surface, separation
from sketches.moon_sketch import AWKWARD, MARE_PATCHES

# The catalogue leaves out what no circle describes: Oceanus Procellarum and Mare Frigoris.
LARGEST_CIRCULAR_KM = 1200.0
SYNTHETIC_COUNT = 240
SYNTHETIC_KM = (14.0, 60.0)

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

DISTURBED = 2.2  # a later crater this near, in its own radii, spoils a measurement
SMALLEST_TRUTH_PIXELS = 4.0  # radius


def read_named(path: Path) -> pd.DataFrame:
    """Return the hand-written table of named features."""
    names = {heading: name for name, heading in HEADINGS.items()}
    return pd.read_csv(path).rename(columns=names)


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


def make_truth(
    catalogue: pd.DataFrame,
    surface: Surface,
    dem: Floats,
    pixel: float,
    inside: NDArray[np.bool_] | None = None,
) -> pd.DataFrame:
    """Craters whose depth can be measured on the elevation model, with the answer.

    `catalogue` is in the order in which they were dug, `pixel` the size of a pixel in km; `inside`
    tells which craters the map holds, if not all.
    """
    diameter = catalogue["diameter"]
    resolved = diameter / 2 >= SMALLEST_TRUTH_PIXELS * pixel
    within_law = diameter <= LARGEST_DEPTH_KM
    chosen = undisturbed(catalogue) & resolved & within_law
    truth = catalogue[chosen if inside is None else chosen & inside]
    depth = crater_depth(truth["diameter"].to_numpy()).round(1)
    measured = [round(measured_depth(dem, surface, crater), 3) for crater in craters_of(truth)]
    return truth.drop(columns=["type"]).assign(depth=depth, measured=measured)
