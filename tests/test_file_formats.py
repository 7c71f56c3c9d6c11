"""Files are written whole or not at all, and what cannot be written or read is named."""

from __future__ import annotations

import functools
import http.server
import json
import os
import subprocess
import sys
import threading
import zipfile

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import pyproj
import pytest
import shapely

from craterkit import Body, CraterDatabase
from craterkit.errors import (
    ArgumentError,
    AssumedWarning,
    BodyError,
    ColumnError,
    CraterkitError,
    CraterkitWarning,
    CRSError,
    OutputError,
    RegionError,
    TableError,
)
from craterkit.files import geojson, geopackage, geoparquet, shapefile
from craterkit.files.foreign import body_named_by
from worlds import table

MODULES = {"gpkg": geopackage, "parquet": geoparquet, "geojson": geojson, "shp": shapefile}


@pytest.fixture
def craters() -> CraterDatabase:
    frame = table([0.0, 170.0], [10.0, -80.0], [1e4, 2e4]).assign(name=["a", "b"])
    cdb = CraterDatabase(frame, "moon")
    cdb.add_annuli("rim", 1, 1.5)
    return cdb


def contents(folder) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in folder.iterdir()}


# --- Whole or not at all -----------------------------------------------------------------------


@pytest.mark.parametrize("extension", MODULES)
@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError("No space left on device")])
def test_an_interrupted_writer_leaves_the_old_file_whole(
    tmp_path, craters, monkeypatch, extension, error
):
    path = tmp_path / f"x.{extension}"
    craters.to_file(path)
    before = contents(tmp_path)

    def write(contents, where):
        where.write_bytes(b"half a file")
        where.with_suffix(".dbf").write_bytes(b"half a file")
        raise error

    monkeypatch.setattr(MODULES[extension], "write", write)
    with pytest.raises((KeyboardInterrupt, OutputError)):
        craters[:1].to_file(path)
    assert contents(tmp_path) == before


def test_the_files_of_a_shapefile_change_together(tmp_path, craters, monkeypatch):
    path = tmp_path / "x.shp"
    craters.to_file(path)
    before = contents(tmp_path)
    replace, calls = os.replace, []

    def fails_once(*names):
        calls.append(names)
        if len(calls) == 7:
            raise OSError("unplugged")
        replace(*names)

    monkeypatch.setattr(os, "replace", fails_once)
    with pytest.raises(OutputError, match=r"x\.shp cannot be written: unplugged"):
        craters[:1].to_file(path)
    assert contents(tmp_path) == before


def test_indexes_of_a_replaced_shapefile_go_with_it(tmp_path, craters):
    craters.to_file(tmp_path / "x.shp")
    for name in ("x.qix", "x.sbn", "other.qix"):
        (tmp_path / name).write_bytes(b"index")
    craters[:1].to_file(tmp_path / "x.shp")
    assert sorted(file.name for file in tmp_path.iterdir()) == [
        "other.qix", "x.cpg", "x.dbf", "x.prj", "x.shp", "x.shx",
    ]  # fmt: skip
    assert len(gpd.read_file(tmp_path / "x.shp")) == 1


def test_a_shapefile_in_capitals_is_not_another_file(tmp_path, craters):
    craters.to_file(tmp_path / "x.SHP")
    assert {file.name for file in tmp_path.iterdir()} >= {"x.shp", "x.dbf"}
    for name in ("x.SHP", "x.shp", "x.Shp"):
        with pytest.raises(ArgumentError, match=r"x\.shp' exists"):
            craters[:1].to_file(tmp_path / name, overwrite=False)
        assert len(CraterDatabase.read_file(tmp_path / name)) == 2
    for end in ("shp", "shx", "dbf", "prj", "cpg"):
        (tmp_path / f"x.{end}").rename(tmp_path / f"x.{end.upper()}")
    with pytest.raises(ArgumentError, match=r"x\.SHP' exists"):
        craters[:1].to_file(tmp_path / "x.shp", overwrite=False)
    craters[:1].to_file(tmp_path / "x.shp")
    assert {file.suffix for file in tmp_path.iterdir()} == {".shp", ".shx", ".dbf", ".prj", ".cpg"}


@pytest.mark.skipif(os.name != "posix", reason="whether a process runs can be asked on POSIX only")
def test_what_a_killed_process_left_is_removed(tmp_path):
    code = f"""if True:
        import os, signal
        import pandas as pd
        from craterkit import CraterDatabase
        from craterkit.files import geojson
        def write(contents, path):
            path.write_bytes(b"half a file")
            os.kill(os.getpid(), signal.SIGKILL)
        geojson.write = write
        frame = pd.DataFrame({{"lat": [1], "lon": [2], "radius_m": [3]}})
        CraterDatabase(frame, "moon").to_file({str(tmp_path / "x.geojson")!r})
    """
    subprocess.run([sys.executable, "-c", code], check=False)
    (left,) = tmp_path.iterdir()
    assert left.name.startswith(".x.geojson.")
    running = tmp_path / left.name.replace(left.name.split("-")[-2], str(os.getpid()))
    running.mkdir()
    CraterDatabase(table(1, 2, 3), "moon").to_file(tmp_path / "x.geojson")
    assert {file.name for file in tmp_path.iterdir()} == {"x.geojson", running.name}


def test_a_geopackage_with_other_layers_is_not_replaced(tmp_path, craters):
    path = tmp_path / "x.gpkg"
    craters.to_file(path)
    craters.to_file(path)
    pyogrio.write_dataframe(gpd.read_file(path), path, layer="mine", append=True)
    with pytest.raises(ArgumentError, match=r"x\.gpkg' holds 2 layers \(x, mine\)"):
        craters.to_file(path)
    assert CraterDatabase.read_file(path) == craters


def test_a_link_keeps_leading_to_the_file(tmp_path, craters):
    (tmp_path / "data").mkdir()
    link = tmp_path / "x.geojson"
    link.symlink_to(tmp_path / "data" / "real.geojson")
    craters.to_file(link)
    assert link.is_symlink()
    assert CraterDatabase.read_file(tmp_path / "data" / "real.geojson") == craters


# --- What cannot be written --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (
            lambda c, d: c.to_file(d / "x.xyz"),
            ArgumentError,
            r"x\.xyz.* \.gpkg .*\.parquet .*\.shp",
        ),
        (lambda c, d: c.to_file(d / "x"), ArgumentError, r"known are \.gpkg"),
        (lambda c, d: c.to_file(d), ArgumentError, "is a folder"),
        (
            lambda c, d: c.to_file(d / ".gpkg"),
            ArgumentError,
            "'.gpkg' is an extension without a name",
        ),
        (
            lambda c, d: c.to_file(d / ".SHP"),
            ArgumentError,
            "'.SHP' is an extension without a name",
        ),
        (lambda c, d: c.to_geojson(d), ArgumentError, "filename: .* is a folder"),
        (lambda c, d: c.to_file(d / "no" / "x.gpkg"), ArgumentError, "no folder .*no'"),
        (lambda c, d: c.to_file(7), ArgumentError, "path must be the name of a file, not 7"),
        (lambda c, d: c.to_file(d / "x.gpkg", "floor"), RegionError, "'floor'; known: 'rim'"),
        (lambda c, d: c.to_file(d / "x.gpkg", ["rim"]), RegionError, r"\['rim'\]; known: 'rim'"),
        (
            lambda c, d: c.to_file(d / "x.gpkg", keep_cols=["name", "nam"]),
            ColumnError,
            "no column 'nam'; the columns are 'lat', 'lon', 'radius_m', 'name'",
        ),
        (
            lambda c, d: c.to_file(d / "x.gpkg", keep_cols="name"),
            ArgumentError,
            "a list of columns",
        ),
        (lambda c, d: c.to_file(d / "x.gpkg", crs="IAU_2015:49900"), CRSError, "crs: .*is of Mars"),
        (lambda c, d: c.to_file(d / "x.gpkg", crs="no crs"), CRSError, "crs: 'no crs' is not"),
    ],
)
def test_errors_of_writing(tmp_path, craters, call, error, message):
    with pytest.raises(error, match=message):
        call(craters, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_file_is_kept_if_asked_for(tmp_path, craters):
    (tmp_path / "x.gpkg").write_text("mine")
    with pytest.raises(ArgumentError, match=r"x\.gpkg' exists; .*overwrite=True"):
        craters.to_file(tmp_path / "x.gpkg", overwrite=False)
    assert (tmp_path / "x.gpkg").read_text() == "mine"


@pytest.mark.parametrize("extension", MODULES)
def test_columns_that_no_file_holds_are_all_named(tmp_path, extension):
    frame = table([1, 2], [1, 2], 3).assign(
        spans=pd.interval_range(0, 2), waves=[1j, 2j], sets=[{1}, {2}], good=[1, 2]
    )
    message = r"column 'spans' \(interval.*\); column 'waves' \(complex.*column 'sets' \(set, such as \{1\}"
    with pytest.raises(ArgumentError, match=message):
        CraterDatabase(frame, "moon").to_file(tmp_path / f"x.{extension}")
    CraterDatabase(frame, "moon").to_file(tmp_path / f"x.{extension}", keep_cols=["good"])


def test_an_index_that_no_file_holds(tmp_path):
    frame = table([1, 2], [1, 2], 3).set_axis(pd.interval_range(0, 2))
    with pytest.raises(ArgumentError, match=r"the index \(interval.*reset_index"):
        CraterDatabase(frame, "moon").to_file(tmp_path / "x.gpkg")


@pytest.mark.parametrize(("extension", "most"), [("shp", 255), ("gpkg", 1998)])
def test_more_columns_than_a_file_holds(tmp_path, extension, most):
    columns = {f"a_long_name_{i}": [0] for i in range(most - 3)}
    frame = pd.concat([table(1.0, 2.0, 3.0), pd.DataFrame(columns)], axis=1)
    path = tmp_path / f"x.{extension}"
    CraterDatabase(frame, "moon").to_file(path)
    assert gpd.read_file(path).shape == (1, most + 1)
    with pytest.raises(ArgumentError, match=rf"holds {most} columns, and these are {most + 1}"):
        CraterDatabase(frame.assign(last=1), "moon").to_file(path)


def test_short_names_of_many_columns():
    names = shapefile.short_names(f"a_long_name_{i}" for i in range(20_000))
    assert len({name.casefold() for name in names}) == 20_000
    assert max(map(len, names)) == 10


@pytest.mark.parametrize(
    "name", ["gpkg_contents", "a b", "a'b", "sqlite_x", "rtree_x", "-", " ", "#x", "a.b", "é"]
)
def test_geopackages_of_any_name(tmp_path, craters, name):
    craters.to_file(tmp_path / f"{name}.gpkg")
    assert CraterDatabase.read_file(tmp_path / f"{name}.gpkg") == craters
    assert [file.name for file in tmp_path.iterdir()] == [f"{name}.gpkg"]


@pytest.mark.filterwarnings("ignore::craterkit.errors.AssumedWarning")
@pytest.mark.parametrize(
    ("columns", "options", "right"),
    [
        ({"diam_km": 2.0, "radius_m": 1000.0}, {"diam_col": "diam_km"}, {"diam_col": "diam_km"}),
        ({"diam": 2.0}, {"units": "km"}, {"units": "km"}),
        (
            {"diam_km": 2.0},
            {"input_crs": "planetographic_east"},
            {"input_crs": "planetographic_east"},
        ),
    ],
)
def test_a_shapefile_whose_columns_do_not_tell_how_to_read_them(tmp_path, columns, options, right):
    frame = pd.DataFrame({"lat": [45.0], "lon": [10.0]}).assign(**columns)
    cdb, path = CraterDatabase(frame, "mars", **options), tmp_path / "x.shp"
    cdb.add_circles("floor", 0.5)
    with pytest.warns(CraterkitWarning, match=r"x\.shp (cannot be|has columns).*input_crs="):
        cdb.to_file(path, "floor")
    with pytest.raises(TableError, match=r"ambiguous|'ck_.*disagree(.|\n)*row 0: 'ck_"):
        CraterDatabase.read_file(path)
    assert CraterDatabase.read_file(path, **right)._features.equals(cdb._features)


def test_a_shapefile_does_not_cut_texts(tmp_path):
    cdb = CraterDatabase(table(1, 2, 3).assign(note="é" * 128), "moon")
    with pytest.raises(ArgumentError, match=r"254 bytes, but 'note' has longer ones"):
        cdb.to_file(tmp_path / "x.shp")
    assert list(tmp_path.iterdir()) == []


def test_a_shapefile_does_not_lose_numbers_silently(tmp_path):
    cdb = CraterDatabase(table(1, 2, 3).assign(huge=1e300), "moon")
    with pytest.raises(OutputError, match=r"x\.shp cannot be written without a loss"):
        cdb.to_file(tmp_path / "x.shp")


@pytest.mark.parametrize(
    ("extension", "kept"), [("gpkg", 0), ("shp", 0), ("parquet", 1), ("geojson", 0)]
)
def test_longitudes_that_count_westward(tmp_path, extension, kept):
    cdb = CraterDatabase(table(30, 45, 1e4), "mars")
    path = tmp_path / f"x.{extension}"
    if not kept:
        with pytest.raises(CRSError, match=r"Ographic.* counts westward, which a"):
            cdb.to_file(path, crs="IAU_2015:49901")
        with pytest.raises(CRSError, match=r'write \.parquet, or .*"planetographic_east"'):
            cdb.to_file(path, crs="planetographic_west")
        cdb.to_file(path, crs="planetographic_east")
        assert gpd.read_file(path).geometry[0].x == pytest.approx(30)
        return
    cdb.to_file(path, crs="IAU_2015:49901")
    point = gpd.read_parquet(path).geometry[0]
    assert (point.x, point.y) == pytest.approx(
        (-30, np.degrees(np.arctan((3396.19 / 3376.2) ** 2)))
    )
    assert CraterDatabase.read_file(path) == cdb


@pytest.mark.parametrize("what", ["to_file", "read_file"])
def test_without_pyarrow(tmp_path, craters, monkeypatch, what):
    path = tmp_path / "x.parquet"
    craters.to_file(path)
    for name in ("pyarrow", "pyarrow.parquet", "pyarrow.ipc"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(CraterkitError, match=r'x\.parquet.*pip install "craterkit\[parquet\]"'):
        getattr(craters, what)(path)


# --- What cannot be read -----------------------------------------------------------------------

POINT = {
    "type": "Feature",
    "properties": {"lat": 1, "lon": 2, "radius_m": 3},
    "geometry": {"type": "Point", "coordinates": [2, 1]},
}


@pytest.fixture
def plain(tmp_path):
    """A GeoJSON file without a system."""
    path = tmp_path / "plain.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": [POINT]}))
    return path


def test_a_geojson_without_a_body(plain):
    with pytest.raises(BodyError, match=r"plain\.geojson: of which body is it\?.*pass body="):
        CraterDatabase.read_file(plain)
    for read in (CraterDatabase, CraterDatabase.read_file):
        with pytest.warns(
            AssumedWarning, match="no CRS.*taken for those of Moon.*input_crs="
        ) as told:
            assert read(plain, "moon").lon[0] == 2
        assert len(told) == 1
    assert CraterDatabase.read_file(plain, "moon", "planetocentric").lon[0] == 2
    assert CraterDatabase(plain, "earth").lat[0] == pytest.approx(0.9933, abs=1e-4)


def test_the_body_that_a_crs_names(tmp_path):
    frame = gpd.GeoDataFrame(
        {"radius_m": [5.0]}, geometry=[shapely.Point(30, 45)], crs="IAU_2015:49900"
    )
    for name in ("x.gpkg", "x.shp", "x.geojson"):
        frame.to_file(tmp_path / name)
        found = CraterDatabase.read_file(tmp_path / name)
        assert found.body.name == "Mars"
        assert (found.lon[0], found.lat[0]) == (30, 45)


@pytest.mark.parametrize(
    ("crs", "name"),
    [
        ("IAU_2015:30135", "Moon"),
        ('GEOGCS["GCS_Moon_2000",DATUM["D_Moon_2000",SPHEROID["Moon_2000_IAU_IAG",1737400,0]],'
         'PRIMEM["Reference_Meridian",0],UNIT["Degree",0.0174532925199433]]', "Moon"),
        ("IAU_2015:50200", "Europa"),
        (Body("Rock 7", 100.0).crs, None),
        ("EPSG:4326", None),
        ("+proj=eqc +R=1737400", None),
    ],
)  # fmt: skip
def test_names_of_bodies_in_systems(crs, name):
    found = body_named_by(pyproj.CRS(crs))
    assert (found and found.name) == name


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("none.gpkg", None, "none.gpkg does not exist"),
        ("x.json", "[1, 2]", r"x\.json cannot be read"),
        ("x.json", "", r"x\.json is empty"),
        ("x.geojson", '{"craterkit": {"content": "database"', r"x\.geojson cannot be read"),
        ("x.gpkg", "no package", r"x\.gpkg cannot be read"),
        ("x.parquet", "no parquet", r"x\.parquet cannot be read"),
        ("x.csv", "a,b\n1,2\n", r"x\.csv: no column is the latitude"),
    ],
)
def test_files_that_are_no_tables_of_features(tmp_path, name, text, message):
    if text is not None:
        (tmp_path / name).write_text(text)
    with pytest.raises(TableError, match=message):
        CraterDatabase.read_file(tmp_path / name, "moon")


def test_folders_and_what_is_no_path(tmp_path):
    with pytest.raises(TableError, match="is a directory"):
        CraterDatabase.read_file(tmp_path, "moon")
    with pytest.raises(ArgumentError, match="path must be the name of a file"):
        CraterDatabase.read_file(3)
    with pytest.raises(ArgumentError, match="path is empty"):
        CraterDatabase.read_file("")


def test_a_described_file_that_cannot_be_read_is_no_plain_table(tmp_path, craters, monkeypatch):
    craters.to_file(tmp_path / "x.geojson")

    def fails(*args, **options):
        raise error

    monkeypatch.setattr(geojson, "contents_of_frame", fails)
    error = KeyError("a bug")
    with pytest.raises(TableError, match=r"x\.geojson holds a database that .*KeyError: 'a bug'"):
        CraterDatabase.read_file(tmp_path / "x.geojson")
    error = MemoryError()
    with pytest.raises(MemoryError):
        CraterDatabase.read_file(tmp_path / "x.geojson")


def test_a_geopackage_of_two_databases(tmp_path, craters):
    path = tmp_path / "x.gpkg"
    craters.to_file(path)
    metadata = pyogrio.read_info(path)["layer_metadata"]
    pyogrio.write_dataframe(
        gpd.read_file(path), path, layer="y", append=True, layer_metadata=metadata
    )
    with pytest.raises(TableError, match="holds 2 databases, in the layers x, y; "):
        CraterDatabase.read_file(path)


# --- Files elsewhere ---------------------------------------------------------------------------


@pytest.fixture
def served(tmp_path):
    """A folder and its address on the web."""
    handler = functools.partial(QuietHandler, directory=str(tmp_path))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield tmp_path, f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


class QuietHandler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *args):
        pass


@pytest.mark.parametrize("extension", ["gpkg", "parquet", "geojson"])
def test_files_elsewhere_are_read_as_those_here(served, craters, extension):
    folder, address = served
    path = folder / f"x.{extension}"
    craters.to_file(path)
    with zipfile.ZipFile(folder / "x.zip", "w") as archive:
        archive.write(path, f"data/{path.name}")
        archive.writestr("readme.txt", "craters")
    places = [
        f"{address}/{path.name}",
        f"/vsicurl/{address}/{path.name}",
        path.as_uri(),
        folder / "x.zip",
        f"/vsizip/{folder}/x.zip",
        f"/vsizip/{folder}/x.zip/data/{path.name}",
        f"{address}/x.zip",
    ]
    for place in places:
        assert CraterDatabase.read_file(place) == craters, place


def test_files_that_are_not_there(served):
    _, address = served
    with pytest.raises(TableError, match=r"http://.*/no\.gpkg cannot be read: .*404"):
        CraterDatabase.read_file(f"{address}/no.gpkg", "moon")
    with pytest.raises(TableError, match=r"zip://x\.zip: files are read from paths, http"):
        CraterDatabase.read_file("zip://x.zip", "moon")


def test_geojson_in_a_file_system_of_gdal_is_a_plain_table(tmp_path, craters):
    craters.to_file(tmp_path / "x.geojson")
    place = f"/vsisubfile/0_-1,{tmp_path / 'x.geojson'}"
    with pytest.warns(CraterkitWarning, match=r"is read as a table: .* copy it to the disk"):
        assert dict(CraterDatabase.read_file(place).regions) == {}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"version": 2}, "does not know; install a later one"),
        ({"body": {"name": "moon"}}, "does not describe a body"),
        (
            {"regions": [{"name": "rim", "definition": {"kind": "star"}}]},
            "region 'rim' cannot be made",
        ),
        ({"columns": 3}, "description as a database is damaged"),
        ({"index": {}}, "description as a database is damaged"),
    ],
)
def test_damaged_descriptions(tmp_path, craters, change, message):
    path = tmp_path / "x.geojson"
    craters.to_file(path)
    content = json.loads(path.read_text())
    content["craterkit"].update(change)
    path.write_text(json.dumps(content))
    with pytest.raises(TableError, match=message):
        CraterDatabase.read_file(path)


def test_a_column_called_as_the_description(tmp_path):
    frame = table([1, 2], 3, 4).assign(craterkit='{"content": "database"}', note='"craterkit": {')
    cdb = CraterDatabase(frame, "moon")
    cdb.to_file(tmp_path / "x.geojson")
    assert CraterDatabase.read_file(tmp_path / "x.geojson") == cdb


def test_columns_without_a_recognisable_name_are_added_beside_ambiguous_ones(tmp_path):
    frame = pd.DataFrame(
        {"Latitude": [45.0], "lon_W": [30.0], "Radius": [1.0], "craterkit_lat": [0]}
    )
    cdb = CraterDatabase(frame, "mars", "planetographic_west", units="km")
    cdb.to_file(tmp_path / "x.gpkg")
    found = gpd.read_file(tmp_path / "x.gpkg")
    assert found["craterkit_lat_2"][0] == pytest.approx(44.6618, abs=1e-4)
    assert found["craterkit_lon"][0] == -30
    assert found["craterkit_radius_m"][0] == 1000
    assert np.array_equal(found["Latitude"], [45])
    # Read as any table, the file is as unambiguous as the table was.
    again = CraterDatabase.read_file(tmp_path / "x.gpkg", "mars", "planetographic_west", "km",
                                     lat_col="Latitude", lon_col="lon_W")  # fmt: skip
    assert again._features.equals(cdb._features)
