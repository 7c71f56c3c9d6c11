"""How many blocks of a raster are read: those under pixels that are asked for, not their bounding box."""

import numpy as np
import pandas as pd
import pytest
import rasterio.io
import shapely
from affine import Affine

from craterkit import CraterDatabase, PixelSelection

RADIUS = 1737400.0
CRS = {
    "longlat": (f"+proj=longlat +R={RADIUS}", 180.0),
    "sinusoidal": (f"+proj=sinu +R={RADIUS}", np.pi * RADIUS),
}
BLOCK = 32


@pytest.fixture(params=CRS)
def raster(request, tmp_path):
    """512 x 1024 pixels around the body in blocks of 32 x 32; the value is the pixel's number."""
    crs, east = CRS[request.param]
    values = np.arange(512 * 1024, dtype="float64").reshape(512, 1024)
    path = tmp_path / "tiled.tif"
    side = east / 512
    with rasterio.open(
        path,
        "w",
        driver="GTiff",
        width=1024,
        height=512,
        count=1,
        dtype="float64",
        tiled=True,
        blockxsize=BLOCK,
        blockysize=BLOCK,
        crs=crs,
        transform=Affine(side, 0, -east, 0, -side, east / 2),
    ) as file:
        file.write(values, 1)
    return path


@pytest.fixture
def blocks(monkeypatch):
    """Numbers of blocks that rasterio was asked for."""
    asked, read = [], rasterio.io.DatasetReader.read

    def counted(dataset, *args, **kwargs):
        found = read(dataset, *args, **kwargs)
        asked.append(found.size / BLOCK**2)
        return found

    monkeypatch.setattr(rasterio.io.DatasetReader, "read", counted)

    def count():
        number = sum(asked)
        asked.clear()
        return number

    return count


@pytest.mark.parametrize("memory", [None, "1 MiB"])
@pytest.mark.parametrize("by", ["all", "area"])
@pytest.mark.parametrize(
    ("rows", "columns"), [((100, 400), (300, 700)), ((256, 256), (0, 1023))], ids=["far", "seam"]
)
def test_pixels_of_a_selection(raster, blocks, rows, columns, by, memory):
    mask = np.zeros((512, 1024), dtype=bool)
    mask[rows, columns] = True
    pixels = PixelSelection.from_array(mask, grid=raster, body="moon")
    blocks()
    numbers = 1024.0 * np.array(rows) + columns
    found = pixels.get_stats(raster, ["mean", "median"], by=by, progress=False, max_memory=memory)
    together = by == "all" or len(found) == 1
    expected = [numbers.mean()] if together else numbers
    np.testing.assert_array_equal(found["mean"], expected)
    np.testing.assert_array_equal(found["median"], expected)
    assert blocks() <= 2


def places(region, raster, **options):
    """Blocks that hold pixels of a region, by the table of its pixels."""
    found = region.get_pixels(raster, "r", columns=["row", "col"], progress=False, **options)
    return len({*zip(found["row"] // BLOCK, found["col"] // BLOCK, strict=True)})


def far_apart(cdb):
    parts = [shapely.box(-100, -50, -99, -49), shapely.box(100, 50, 101, 51)]
    cdb.add_regions("r", [shapely.MultiPolygon(parts), shapely.box(-3, -3, 3, 3)])


REGIONS = {
    "parts": far_apart,
    "ring": lambda cdb: cdb.add_annuli("r", 8, 8.1),
    "circle": lambda cdb: cdb.add_circles("r", 3),
}


@pytest.mark.parametrize("coverage", ["center", "fraction"])
@pytest.mark.parametrize("shape", REGIONS)
def test_pixels_of_regions(raster, blocks, shape, coverage):
    table = pd.DataFrame({"lat": [0.0, 30.0], "lon": [0.0, 179.5], "radius_km": 100.0})
    cdb = CraterDatabase(table, "moon")
    REGIONS[shape](cdb)
    least = places(cdb, raster, coverage=coverage)
    blocks()
    cdb.get_stats(raster, "r", "mean", coverage=coverage, progress=False)
    assert least <= blocks() <= least + 8
