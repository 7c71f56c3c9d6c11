"""Damaged files are errors of craterkit's own, whatever is wrong with them."""

import json

import numpy as np
import pyarrow.parquet as pq
import pytest

import damage
from craterkit import CraterDatabase, read_arrays
from craterkit.errors import OutputError, RegionError, TableError


@pytest.mark.parametrize("name", damage.FILES)
@pytest.mark.filterwarnings("ignore")
def test_bytes_that_are_wrong_or_lost(name, tmp_path):
    assert damage.foreign_errors(name, tmp_path, np.random.default_rng(42), 12) == []


@pytest.mark.parametrize(
    "changed",
    [
        {"version": "one"},
        {"version": None},
        {"several": None, "rasters": []},
        {"rasters": {"": {}}},
        {"rasters": {"": {"transform": [1, 2]}}},
        {"rasters": {"": {"transform": ["a"] * 6}}},
        {"rasters": {}},
    ],
    ids=str,
)
def test_descriptions_of_arrays(changed, tmp_path):
    path = tmp_path / "arrays.parquet"
    damage.arrays(path)
    table = pq.read_table(path)
    about = json.loads(table.schema.metadata[b"craterkit"]) | changed
    pq.write_table(table.replace_schema_metadata({b"craterkit": json.dumps(about)}), path)
    with pytest.raises(OutputError, match=r"arrays\.parquet"):
        list(read_arrays(path, georeferenced=True))


def test_more_vertices_than_memory_holds(tmp_path):
    cdb = damage.database()
    with pytest.raises(RegionError, match="nvert must be an integer from 3 to 100000"):
        cdb.add_circles("fine", nvert=10**9)
    cdb.add_circles("fine", nvert=12345)
    path = tmp_path / "a.geojson"
    cdb.to_file(path)
    path.write_text(path.read_text().replace("12345", str(10**9)))
    with pytest.raises((TableError, RegionError), match="nvert"):
        CraterDatabase.read_file(path)
