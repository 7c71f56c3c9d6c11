"""A database comes back from its files as it was, and other software reads them."""

from __future__ import annotations

import datetime
import json
import sqlite3
import tempfile
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pyogrio
import pyproj
import pytest
import shapely
import shapely.affinity
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from craterkit import Body, CraterDatabase
from craterkit.errors import BodyError, FeatureError, TableError
from worlds import table

KEEPING = ("gpkg", "parquet", "geojson")

BODIES = ("moon", "mars", Body("Rock 7", a=2_000_000.0, b=1_900_000.0))


def with_regions(cdb: CraterDatabase) -> CraterDatabase:
    """All kinds of regions, with numbers of all features and of every one."""
    n = len(cdb)
    cdb.add_circles("floor", 0.5)
    cdb.add_annuli("rim", 1, 1.5, nvert=32)
    cdb.add_ellipses("oval", 1.2, 0.8, azimuth=45, nvert=12)
    cdb.add_sectors("to the north", 1, 2, 315, 45)
    if n:
        ramp = np.linspace(0.1, 1 / 3, n)
        cdb.add_ellipses("ovals", 1 + ramp, 1 - ramp, azimuth=360 * ramp, units="radii")
        cdb.add_sectors("sectors", 0, 2, 90 * ramp, 90 + 90 * ramp)
        south, north = (cdb.lat - 1).clip(lower=-90), (cdb.lat + 1).clip(upper=90)
        cdb.add_regions("box", shapely.box(cdb.lon - 1, south, cdb.lon + 1, north))
    return cdb


def there_and_back(cdb: CraterDatabase, extension: str, region: str | None = None, **options):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, f"craters.{extension}")
        cdb.to_file(path, region, **options)
        assert [file.name for file in Path(folder).iterdir()] == [path.name]
        return CraterDatabase.read_file(path)


def assert_same(found: CraterDatabase, expected: CraterDatabase) -> None:
    assert found == expected
    ours, theirs = found._table, expected._table
    assert list(ours.columns) == list(theirs.columns)
    assert list(ours.dtypes) == list(theirs.dtypes)
    assert type(ours.index) is type(theirs.index)
    assert ours.index.equals(theirs.index)
    assert ours.index.names == theirs.index.names
    for place in range(ours.shape[1]):
        pd.testing.assert_series_equal(
            ours.iloc[:, place], theirs.iloc[:, place], check_exact=True, check_freq=False
        )


CELLS = {
    "int8": st.integers(-128, 127),
    "int64": st.integers(-(2**63), 2**63 - 1),
    "uint64": st.integers(0, 2**64 - 1),
    "Int64": st.none() | st.integers(-(2**63), 2**63 - 1),
    "float64": st.floats(),
    "float32": st.floats(width=32),
    "Float64": st.none() | st.floats(allow_nan=False),
    "bool": st.booleans(),
    "boolean": st.none() | st.booleans(),
    "str": st.none() | st.text(st.characters(exclude_categories=["Cs"]), max_size=5),
    "object": st.none() | st.text(max_size=5),
    "category": st.none() | st.sampled_from(["a", "", "2020-01-01"]),
    "datetime64[ns]": st.none() | st.datetimes(pd.Timestamp(1700, 1, 1), pd.Timestamp(2200, 1, 1)),
    "datetime64[ms]": st.none() | st.datetimes(pd.Timestamp(1700, 1, 1), pd.Timestamp(2200, 1, 1)),
    "timedelta64[ns]": st.none() | st.timedeltas(pd.Timedelta(-1e15), pd.Timedelta(1e15)),
}

LABELS = st.one_of(
    st.text(max_size=6),
    st.sampled_from(
        ["fid", "FID", "geom", "geometry", "id", "ogc_fid", "LAT2", "lat2", 'a"b', "%s"]
    ),
    st.integers(-5, 5),
    st.tuples(st.text(max_size=2), st.integers(0, 3)),
)

INDEXES = st.sampled_from(
    [
        lambda n: pd.RangeIndex(n),
        lambda n: pd.RangeIndex(5, 5 + 3 * n, 3, name="row"),
        lambda n: pd.Index(np.arange(n)[::-1] // 2, name="twice"),
        lambda n: pd.Index([f"crater {i}" for i in range(n)]),
        lambda n: pd.date_range("2020", periods=n, freq="h", name="when"),
        lambda n: pd.MultiIndex.from_arrays([["x"] * n, np.arange(n)], names=["group", None]),
    ]
)


@st.composite
def tables(draw):
    n = draw(st.integers(0, 4))

    def column(values, dtype=None):
        cells = draw(st.lists(values, min_size=n, max_size=n))
        return pd.Series(cells, dtype=dtype)

    lat = st.sampled_from([-90.0, 90.0, 0.0, 89.9999999]) | st.floats(-90, 90)
    lon = st.sampled_from([-180.0, 180.0, 179.9999999, 0.0, 360.0]) | st.floats(-180, 360)
    columns = [column(lat, float), column(lon, float), column(st.floats(0.01, 1e3), float)]
    labels = ["lat", "lon", draw(st.sampled_from(["radius_m", "diam_km", "Diameter (m)"]))]
    drawn = st.sampled_from(sorted(CELLS))
    for label, dtype in draw(
        st.lists(st.tuples(LABELS, drawn), max_size=4, unique_by=lambda pair: pair[0])
    ):
        columns.append(column(CELLS[dtype], dtype))
        labels.append(label)
    out = pd.concat(columns, axis=1) if n else pd.DataFrame(dict(enumerate(columns)))
    out.columns = pd.Index(labels, tupleize_cols=False)
    out.index = draw(INDEXES)(n)
    return out


@pytest.mark.parametrize("extension", KEEPING)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(craters=tables(), body=st.sampled_from(BODIES), region=st.sampled_from([None, "rim", "box"]))
def test_a_file_brings_back_the_same_database(extension, craters, body, region):
    cdb = with_regions(CraterDatabase(craters, body, lat_col="lat", lon_col="lon", **size(craters)))
    region = region if region in cdb.regions else None
    assert_same(there_and_back(cdb, extension, region), cdb)


def size(craters: pd.DataFrame) -> dict[str, str]:
    label = craters.columns[2]
    return {"rad_col" if label == "radius_m" else "diam_col": label}


@pytest.fixture
def craters() -> CraterDatabase:
    lon, lat = [0.0, 179.9, -180.0, 30.0, 100.0], [89.0, -90.0, 0.1, 45.0, -60.0]
    frame = table(lon, lat, [3e4, 5e4, 9e4, 1e4, 2e4]).assign(name=list("abcde"), number=range(5))
    return with_regions(CraterDatabase(frame, "moon"))


@pytest.mark.parametrize("extension", KEEPING)
@pytest.mark.parametrize("crs", ["IAU_2015:30130", "IAU_2015:30110", "+proj=sinu +R=1737400"])
@pytest.mark.parametrize("region", [None, "rim"])
def test_the_system_of_the_geometry_does_not_matter(craters, extension, crs, region):
    assert there_and_back(craters, extension, region, crs=crs) == craters


@pytest.mark.parametrize("extension", KEEPING)
def test_a_database_in_another_system_comes_back_in_it(craters, extension):
    polar = craters.to_crs("IAU_2015:30130")
    found = there_and_back(polar, extension)
    assert found == polar
    assert found.crs.name == polar.crs.name


@pytest.mark.parametrize("extension", KEEPING)
def test_columns_added_to_data_come_back_there(craters, extension):
    craters.data["score"] = [0.1, 0.2, np.nan, 1e300, -0.5]
    found = there_and_back(craters, extension)
    assert found == craters
    assert "score" not in found._table
    assert found.data["score"].equals(craters.data["score"])


@pytest.mark.parametrize("extension", KEEPING)
def test_a_table_with_geometries_comes_back_as_one(extension):
    frame = gpd.GeoDataFrame(
        {
            "radius_m": [1e3, 2e3],
            "way": gpd.GeoSeries.from_wkt(["LINESTRING Z (0 1 2, 3 4 5)", None]),
        },
        geometry=shapely.points([10, -180], [1 / 3, 90]),
        crs="IAU_2015:30100",
    )
    cdb = CraterDatabase(frame, "moon")
    found = there_and_back(cdb, extension)
    assert_same(found, cdb)
    assert isinstance(found._table, gpd.GeoDataFrame)
    assert found._table.crs == frame.crs


# --- What other software sees ------------------------------------------------------------------


def read_elsewhere(path: Path) -> gpd.GeoDataFrame:
    return gpd.read_parquet(path) if path.suffix == ".parquet" else pyogrio.read_dataframe(path)


@pytest.mark.parametrize("extension", [*KEEPING, "shp"])
def test_other_software_reads_positions_radii_and_columns(tmp_path, extension):
    frame = pd.DataFrame({"Latitude": [1.5, -90], "Longitude": [350, 179.5], "diam_km": [2.0, 3.0]})
    cdb = CraterDatabase(frame, "moon")
    cdb.to_file(tmp_path / f"x.{extension}")
    found = read_elsewhere(tmp_path / f"x.{extension}")
    lon, radius = "craterkit_lon", "craterkit_radius_m"
    if extension == "shp":
        lon, radius = "ck_lon", "ck_rad_m"
    assert found["Longitude"].tolist() == [350, 179.5]
    assert found[lon].tolist() == [-10, 179.5]
    assert found[radius].tolist() == [1000, 1500]
    assert not {"craterkit_lat", "ck_lat"} & {*found.columns}
    assert [(p.x, p.y) for p in found.geometry] == [(-10, 1.5), (179.5, -90)]


@pytest.mark.parametrize("extension", [*KEEPING, "shp"])
@pytest.mark.parametrize(
    ("body", "crs", "radius"),
    [("moon", None, 1_737_400.0), ("mars", "IAU_2015:49930", 3_396_190.0), (BODIES[2], None, 2e6)],
)
def test_other_software_knows_the_system(tmp_path, extension, body, crs, radius):
    cdb = CraterDatabase(table(10, 80, 1e4), body)
    cdb.to_file(tmp_path / f"x.{extension}", crs=crs)
    found = pyproj.CRS(read_elsewhere(tmp_path / f"x.{extension}").crs)
    assert found.ellipsoid.semi_major_metre == radius
    assert found.is_projected == (crs is not None)
    wkt = found.to_wkt("WKT1_GDAL") if found.is_geographic else found.geodetic_crs.to_wkt()
    assert cdb.body.name.partition(" ")[0] in wkt
    if crs is not None and extension != "shp":
        assert '"49930"' in found.to_wkt("WKT1_GDAL") or "49930" in found.to_wkt()


def test_geojson_is_json_with_a_feature_a_line_and_the_urn_of_its_system(tmp_path, craters):
    craters.to_geojson(tmp_path / "x.geojson", "floor")
    text = (tmp_path / "x.geojson").read_text()
    found = json.loads(text)
    assert found["crs"]["properties"]["name"] == "urn:ogc:def:crs:IAU::30100"
    assert len(found["features"]) == 5
    assert sum(line.startswith('{"type": "Feature"') for line in text.splitlines()) == 5


def test_the_geometry_is_that_of_the_region(tmp_path, craters):
    craters.to_file(tmp_path / "x.parquet", "rim", crs="IAU_2015:30130")
    found = gpd.read_parquet(tmp_path / "x.parquet").geometry
    expected = craters.to_crs("IAU_2015:30130").rim
    shown = ~expected.is_empty
    assert found[~shown].isna().all()
    # A circle around a pole is whole on a map of it.
    assert found[shown].geom_equals_exact(expected[shown], 0).all()
    assert found[0].area == pytest.approx(np.pi * (1.25 * 3e4**2), rel=0.02)


def test_what_the_incumbents_users_call(tmp_path, craters):
    path = str(tmp_path / "x.geojson")
    craters.to_geojson(filename=path, region="rim", crs=None, keep_cols=["name"])
    found = pyogrio.read_dataframe(path)
    assert {"name", "lat", "lon", "radius_m"} <= {*found.columns}
    assert "number" not in found
    assert len(CraterDatabase.read_shapefile(path, "Moon", "m")) == 5
    craters.to_geojson(path, keep_all=True)
    found = pyogrio.read_dataframe(path)
    assert shapely.from_wkt(found["rim_wkt"])[3].equals(craters.rim[3])
    assert CraterDatabase.read_shapefile(path, body="moon") == craters


def test_a_shapefile_is_read_as_any_table(tmp_path, craters):
    craters.to_file(tmp_path / "x.shp")
    found = CraterDatabase.read_shapefile(tmp_path / "x.shp", "moon", units="m")
    assert found._features.equals(craters._features)
    assert CraterDatabase.read_file(tmp_path / "x.shp").body == craters.body
    assert list(found.regions) == []


# --- What other software does to a file --------------------------------------------------------


def edited(path: Path, change) -> None:
    content = json.loads(path.read_text())
    change(content["features"])
    path.write_text(json.dumps(content))


@pytest.fixture
def file(tmp_path, craters) -> Path:
    path = tmp_path / "x.geojson"
    craters.to_file(path)
    return path


def test_rows_and_columns_taken_away_and_added(file, craters):
    def change(features):
        features.reverse()
        del features[1]
        for feature in features:
            feature["properties"]["new"] = 7
            del feature["properties"]["number"]

    edited(file, change)
    found = CraterDatabase.read_file(file)
    left = craters[[4, 2, 1, 0]]
    assert found._features.equals(left._features)
    assert dict(found.regions) == dict(left.regions)
    assert list(found._table.columns) == ["lat", "lon", "radius_m", "name", "new"]
    assert found._table["name"].tolist() == ["e", "c", "b", "a"]


def test_values_taken_out_of_a_column_of_integers(file):
    edited(file, lambda features: features[2]["properties"].update(number=None))
    found = CraterDatabase.read_file(file)._table["number"]
    assert found.dtype == "Int64"
    assert found.tolist() == [0, 1, pd.NA, 3, 4]


def test_a_point_that_was_moved_is_named(file):
    edited(file, lambda features: features[3]["geometry"].update(coordinates=[31, 45]))
    with pytest.raises(TableError, match=r"x\.geojson: points are not where(.|\n)*row 3: "):
        CraterDatabase.read_file(file)
    with pytest.raises(
        TableError, match=r"row 3: the point is at 31 E, .* say 30 E, .* 21\.4. km away"
    ):
        CraterDatabase.read_file(file, "moon", units="m")


@pytest.mark.parametrize(
    ("columns", "options", "change", "message"),
    [
        ({"diam_km": [10.0, 20, 30]}, {}, {"diam_km": 100}, r"row 1: 'diam_km' is 100, but 20 after "
         r"'craterkit_radius_m', which is 10000"),
        ({"lon": [350.0, 20, 180]}, {}, {"lon": 5}, "row 1: 'lon' is 5, but 20 after 'craterkit_lon'"),
        ({}, {"input_crs": "planetographic_east"}, {"lat": 60}, "row 1: 'lat' is 60, but -30 after"),
        ({}, {"input_crs": "planetocentric_west"}, {"lon": 60}, "row 1: 'lon' is 60, but 20 after"),
        ({"D": [1e4, 2e4, 3e4]}, {"diam_col": "D", "units": "m"}, {"D": 1}, "row 1: 'D' is 1, but 20000 after"),
        ({"radius_m": ["5e3", "1e4", "2e4"]}, {}, {"radius_m": "7"}, "row 1: 'radius_m' is 7, but 10000 after"),
        ({"lat": [0.0, 0, 0]}, {}, {"also": 5}, None),
    ],
)  # fmt: skip
@pytest.mark.parametrize("extension", ["gpkg", "geojson"])
@pytest.mark.parametrize("region", [None, "floor"])
def test_a_column_edited_without_its_copy_is_named(
    tmp_path, columns, options, change, message, extension, region
):
    frame = table([-10.0, 20, 100], [45.0, -30, 0], [1e3, 2e3, 3e3]).assign(also=0, **columns)
    frame = frame.drop(columns="radius_m") if {"diam_km", "D"} & {*columns} else frame
    cdb = CraterDatabase(frame, "mars", **options)
    cdb.add_circles("floor", 0.5)
    path = tmp_path / f"x.{extension}"
    cdb.to_file(path, region)
    assert CraterDatabase.read_file(path) == cdb
    changed_in_gis(path, row=1, **change)
    if message is None:
        assert CraterDatabase.read_file(path).data["also"].tolist() == [0, 5, 0]
        return
    with pytest.raises(TableError, match=rf"disagree(.|\n)*{message}"):
        CraterDatabase.read_file(path)


def changed_in_gis(path: Path, row: int, **cells) -> None:
    if path.suffix == ".geojson":
        edited(path, lambda features: features[row]["properties"].update(cells))
        return
    with sqlite3.connect(path) as package:
        for (name,) in package.execute("select name from sqlite_master where type='trigger'"):
            package.execute(f'drop trigger "{name}"')
        for name, value in cells.items():
            package.execute(f'update x set "{name}" = ? where fid = ?', (value, row + 1))
    package.close()


def test_a_column_edited_with_its_copy_is_taken(tmp_path):
    cdb = CraterDatabase(pd.DataFrame({"lat": [1], "lon": [2.0], "diam_km": [3]}), "moon")
    cdb.to_file(tmp_path / "x.geojson")
    changed_in_gis(tmp_path / "x.geojson", row=0, diam_km=4, craterkit_radius_m=2000)
    assert CraterDatabase.read_file(tmp_path / "x.geojson").rad.tolist() == [2000]
    changed_in_gis(tmp_path / "x.geojson", row=0, diam_km=None)
    assert CraterDatabase.read_file(tmp_path / "x.geojson").rad.tolist() == [2000]


@pytest.mark.parametrize("extension", KEEPING)
@pytest.mark.parametrize("crs", [None, "IAU_2015:30110", "IAU_2015:30135"])
@pytest.mark.parametrize("region", ["floor", "rim", "ovals", "sectors", "box"])
def test_polygons_that_were_moved_are_named(tmp_path, craters, extension, crs, region):
    path, south = tmp_path / f"x.{extension}", craters[[1, 4]]
    south.to_file(path, region, crs=crs)
    assert CraterDatabase.read_file(path) == south
    frame = read_elsewhere(path)
    size = max(np.ptp(frame.geometry[1].bounds[::2]), np.ptp(frame.geometry[1].bounds[1::2]))
    frame.loc[1, "geometry"] = shapely.affinity.translate(frame.geometry[1], size / 20, 0)
    rewritten(path, frame)
    with pytest.raises(TableError, match=rf"not those of region '{region}'(.|\n)* row 4: ") as told:
        CraterDatabase.read_file(path)
    assert "row 1" not in str(told.value)
    frame.loc[1, "geometry"] = None
    rewritten(path, frame)
    assert CraterDatabase.read_file(path) == south


def rewritten(path: Path, frame: gpd.GeoDataFrame) -> None:
    """Write what a file holds anew, with its description, as GDAL and pyarrow do."""
    if path.suffix == ".gpkg":
        metadata = pyogrio.read_info(path)["layer_metadata"]
        path.unlink()
        pyogrio.write_dataframe(frame, path, layer="x", layer_metadata=metadata)
    elif path.suffix == ".parquet":
        metadata = pq.read_schema(path).metadata
        frame.to_parquet(path)
        written = pq.read_table(path)
        geo = {b"geo": written.schema.metadata[b"geo"]}
        pq.write_table(written.replace_schema_metadata(metadata | geo), path)
    else:
        description = json.loads(path.read_text())["craterkit"]
        frame.to_file(path, driver="GeoJSON")
        content = json.loads(path.read_text()) | {"craterkit": description}
        path.write_text(json.dumps(content))


@pytest.mark.parametrize("extension", KEEPING)
@pytest.mark.parametrize("region", [None, "rim"])
def test_a_file_that_was_brought_into_another_system(tmp_path, craters, extension, region):
    path, south = tmp_path / f"x.{extension}", craters[[3, 4]]
    south.to_file(path, region)
    rewritten(path, read_elsewhere(path).to_crs("IAU_2015:30120"))
    assert CraterDatabase.read_file(path)._features.equals(south._features)
    frame = read_elsewhere(path)
    frame.geometry = frame.geometry.translate(3e4, 0)
    rewritten(path, frame)
    with pytest.raises(TableError, match=r"are not (where|those)"):
        CraterDatabase.read_file(path)


@pytest.mark.parametrize(
    ("body", "crs"),
    [
        ("ceres", "+proj=laea +lat_0=-90"),
        ("ceres", "IAU_2015:200000136"),
        ("iapetus", "+proj=stere +lat_0=-90"),
        (Body("Long", a=300.0, b=200.0), "+proj=cea"),
    ],
)
def test_maps_of_flattened_bodies_come_back(body, crs):
    frame = table(np.linspace(-179, 179, 40), np.linspace(-80, 80, 40), 5.0)
    cdb = CraterDatabase(frame, body)
    if crs.startswith("+"):
        crs = f"{crs} +a={cdb.body.a} +b={cdb.body.b} +type=crs"
    assert there_and_back(cdb, "parquet", crs=crs) == cdb


@pytest.mark.parametrize("extension", KEEPING)
def test_dates_and_numbers_of_pyarrow_come_back(extension):
    frame = table([1, 2, 3], 0, 5).assign(
        day=[datetime.date(2020, 2, 29), None, datetime.date(1, 1, 1)],
        count=pd.array([1, None, 2**53 + 1], dtype="int64[pyarrow]"),
        short=pd.array([1, 2, 255], dtype="uint8[pyarrow]"),
        share=pd.array([0.1, None, 3], dtype="double[pyarrow]"),
        known=pd.array([True, None, False], dtype="bool[pyarrow]"),
    )
    cdb = CraterDatabase(frame, "moon")
    assert_same(there_and_back(cdb, extension), cdb)


@pytest.mark.parametrize("extension", KEEPING)
@pytest.mark.parametrize("number", [-(10**18), 1 - 10**18, 1 - 2**63, 2**63 - 1])
def test_large_integers_come_back(extension, number):
    cdb = CraterDatabase(table([1, 2], 3, 4).assign(number=[0, number]), "moon")
    assert_same(there_and_back(cdb, extension), cdb)


def test_a_row_that_was_added_without_a_radius_is_named(file):
    new = {"type": "Feature", "properties": {"lat": 1, "lon": 2}, "geometry": None}
    edited(file, lambda features: features.append(new))
    with pytest.raises(FeatureError, match=r"x\.geojson: 1 of 6 .*\n.*row 5: radius_m is missing"):
        CraterDatabase.read_file(file)


def test_columns_that_are_needed_and_lost(tmp_path, craters, file):
    edited(file, lambda features: [feature["properties"].pop("lat") for feature in features])
    with pytest.raises(TableError, match=r"x\.geojson has lost 'lat'"):
        CraterDatabase.read_file(file)
    craters.to_file(file)
    edited(
        file, lambda features: [feature["properties"].pop("box_geometries") for feature in features]
    )
    with pytest.raises(TableError, match="region 'box' needs its geometries"):
        CraterDatabase.read_file(file)


def test_a_file_that_gdal_has_written_anew(tmp_path, craters):
    craters.to_file(tmp_path / "a.gpkg", "rim")
    metadata = pyogrio.read_info(tmp_path / "a.gpkg")["layer_metadata"]
    frame = pyogrio.read_dataframe(tmp_path / "a.gpkg").iloc[[3, 1]]
    pyogrio.write_dataframe(frame, tmp_path / "b.gpkg", layer="kept", layer_metadata=metadata)
    assert CraterDatabase.read_file(tmp_path / "b.gpkg")._features.equals(craters._features[[3, 1]])


def test_the_body_must_be_that_of_the_file(file):
    with pytest.raises(BodyError, match=r"is of .*Moon.*, not of 'mars'"):
        CraterDatabase.read_file(file, "mars")
    assert CraterDatabase.read_file(file, 301).body.name == "Moon"


def test_a_body_of_ones_own_answers_to_its_name(tmp_path):
    cdb = CraterDatabase(table(10, 80, 1e4), BODIES[2])
    cdb.to_file(tmp_path / "x.gpkg")
    assert CraterDatabase.read_file(tmp_path / "x.gpkg", "rock 7") == cdb
