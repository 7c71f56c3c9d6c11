"""Tables say where their numbers are from, and still do after a round trip through Parquet."""

from __future__ import annotations

import copy
import json

import numpy as np
import pandas as pd
import pytest
from rasterio.transform import Affine

import craterkit
from craterkit import CraterDatabase, sample_data

MOON, DEM = sample_data["moon.tif"], sample_data["moon_dem.tif"]


@pytest.fixture
def cdb():
    cdb = CraterDatabase(sample_data["moon_craters_km.csv"], "moon")[:20]
    cdb.add_annuli("rim", 1, 1.5)
    cdb.add_circles("floor", 0.5)
    return cdb


def below_zero(height):
    return height < 0


def test_statistics_tell_their_rasters_regions_and_rules(cdb):
    stats = cdb.get_stats(
        {"image": MOON, "dem": str(DEM)},
        ["rim", "floor"],
        ["mean", "median"],
        coverage="center",
        weights="area",
        where=[(DEM, below_zero), (MOON, 1, {20, 30})],
        exclude="neighbors",
        nodata={"image": 255},
    )
    told = stats.attrs["craterkit"]
    assert told["method"] == "get_stats"
    assert told["body"] == {"name": "Moon", "a": 1737400.0, "b": 1737400.0}
    assert told["rasters"] == [
        {"label": "image", "name": str(MOON), "bands": [1], "nodata": 255},
        {"label": "dem", "name": str(DEM), "bands": [1]},
    ]
    assert told["regions"] == {"rim": "1 to 1.5 radii", "floor": "circle of 0.5 radii"}
    assert told["statistics"] == ["mean", "median"]
    assert (told["coverage"], told["weights"], told["exclude"]) == ("center", "area", "neighbors")
    assert told["where"][0] == {"raster": str(DEM), "band": 1, "condition": "below_zero"}
    assert set(told["where"][1]["condition"].split(", ")) == {"20", "30"}
    assert told["versions"]["craterkit"] == craterkit.__version__
    assert told["versions"]["pandas"] == pd.__version__


def test_a_raster_as_weight_and_what_lies_in_memory_have_names(cdb):
    array = np.ones((18, 36), dtype=np.uint8)
    placed = Affine(10, 0, -180, 0, -10, 90)
    stats = cdb.get_stats(
        array, "rim", weights=array, transform=placed, raster_crs="planetocentric"
    )
    told = stats.attrs["craterkit"]
    assert told["weights"] == "ndarray"
    assert told["rasters"][0]["raster_crs"] == "planetocentric"
    assert told["rasters"][0]["transform"] == str(placed)
    json.dumps(told)


def test_arrays_and_pixels_tell_it_too(cdb):
    arrays, pixels = cdb.get_arrays(MOON, "rim"), cdb.get_pixels(MOON, "rim")
    assert arrays.attrs["craterkit"]["method"] == "get_arrays"
    assert pixels.attrs["craterkit"]["method"] == "get_pixels"
    assert "statistics" not in arrays.attrs["craterkit"]


def test_it_survives_parquet_however_the_file_is_written(cdb, tmp_path):
    stats = cdb.get_stats(MOON, "rim")
    stats.to_parquet(tmp_path / "by_pandas.parquet")
    cdb.get_stats(MOON, "rim", out=tmp_path / "by_craterkit.parquet")
    for name in ("by_pandas", "by_craterkit"):
        back = pd.read_parquet(tmp_path / f"{name}.parquet")
        assert back.attrs == stats.attrs


def test_a_tables_own_attributes_stay(tmp_path):
    table = pd.DataFrame({"lat": [0.0], "lon": [10.0], "rad_m": [1e5]})
    table.attrs = {"catalogue": "mine", "opaque": object()}
    cdb = CraterDatabase(table, "moon")
    cdb.add_circles("disc")
    stats = cdb.get_stats(MOON, "disc")
    assert stats.attrs["catalogue"] == "mine"
    assert set(table.attrs) == {"catalogue", "opaque"}
    cdb.get_stats(MOON, "disc", out=tmp_path / "out.parquet")
    kept = pd.read_parquet(tmp_path / "out.parquet").attrs
    assert set(kept) == {"catalogue", "craterkit"}


def test_copies_of_tables_share_it():
    cdb = CraterDatabase(sample_data["moon_craters_km.csv"], "moon")[:2]
    cdb.add_circles("disc")
    stats = cdb.get_stats(MOON, "disc")
    assert copy.deepcopy(stats).attrs["craterkit"] is stats.attrs["craterkit"]
    assert stats["mean_disc"].attrs["craterkit"] is stats.attrs["craterkit"]
