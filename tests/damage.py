"""Files that are read, and damage at random places: flipped bytes, and ends that are lost."""

import zipfile
from pathlib import Path

import numpy as np
import pandas as pd

from craterkit import CraterDatabase, PixelSelection, read_arrays, sample_data
from craterkit.errors import CraterkitError
from craterkit.results.ledger import Ledger

MOON = sample_data["moon.tif"]


def database():
    rng = np.random.default_rng(1)
    table = pd.DataFrame(
        {
            "lat": rng.uniform(-60, 60, 20),
            "lon": rng.uniform(-170, 170, 20),
            "radius_km": rng.uniform(20, 80, 20),
            "name": [f"crater {i}" for i in range(20)],
        }
    )
    cdb = CraterDatabase(table, "moon")
    cdb.add_annuli("rim", 1, 1.5)
    cdb.add_ellipses("e", major=rng.uniform(1, 2, 20), minor=1.0, azimuth=0.0, units="radii")
    return cdb


def stored(path):
    database().to_file(path)


def zipped(path):
    inner = path.with_suffix(".geojson")
    stored(inner)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(inner, inner.name)
    inner.unlink()


def arrays(path):
    database().get_arrays(MOON, "rim", out=path, progress=False)


def statistics(path):
    database().get_stats(MOON, "rim", "mean", out=path, progress=False)


def selection(path):
    PixelSelection.from_raster(MOON, lambda v: v > 150).to_raster(path)


def read_database(path):
    CraterDatabase.read_file(path)


def read_all_arrays(path):
    for _ in read_arrays(path, georeferenced=True):
        pass


def ledger(path):
    """A run that was cut short: gives a part of it, to be damaged."""
    with Ledger(path, MANIFEST) as kept:
        kept.store(0, np.arange(50), {"mean": np.arange(50.0)})
    (part,) = Path(f"{path}.partial", "parts").iterdir()
    return part


def manifest(path):
    ledger(path)
    return Path(f"{path}.partial", "manifest.json")


def go_on(path):
    with Ledger(path, MANIFEST) as kept:
        kept.finished(0)
        kept.load(0)


MANIFEST = {"content": "statistics", "of": list(range(20))}

#: Names of files, what writes and what reads them.
FILES = {
    "a.gpkg": (stored, read_database),
    "a.parquet": (stored, read_database),
    "a.geojson": (stored, read_database),
    "a.shp": (stored, lambda path: CraterDatabase.read_file(path, "moon")),
    "a.zip": (zipped, read_database),
    "arrays.parquet": (arrays, read_all_arrays),
    "stats.parquet": (statistics, statistics),
    "parts.parquet": (ledger, go_on),
    "manifest.parquet": (manifest, go_on),
    "a.tif": (selection, lambda path: len(PixelSelection.from_raster(path, 1))),
}


def damaged(content, rng):
    """A file's content with a byte or some flipped, a part set to zeros, or its end lost."""
    data = bytearray(content)
    at = int(rng.integers(len(data)))
    kind = rng.integers(4)
    if kind == 0:
        return bytes(data[:at])
    for place in {0: [], 1: [at], 2: rng.integers(len(data), size=8), 3: range(at, at + 64)}[kind]:
        if place < len(data):
            data[place] = 0 if kind == 3 else data[place] ^ int(rng.integers(1, 256))
    return bytes(data)


def foreign_errors(name, folder, rng, count):
    """Errors that are none of craterkit's, as texts."""
    write, read = FILES[name]
    path = folder / name
    victim = write(path) or path
    content, found = victim.read_bytes(), []
    for _ in range(count):
        victim.write_bytes(damaged(content, rng))
        try:
            read(path)
        except CraterkitError:
            pass
        except Exception as error:
            found.append(f"{type(error).__name__}: {error}")
    return found
