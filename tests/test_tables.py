"""Files of features come back as tables, or as an error that names the file."""

import bz2
import gzip
import http.server
import lzma
import subprocess
import sys
import threading
import warnings
import zipfile
from functools import partial
from pathlib import Path

import geopandas
import pandas as pd
import pytest

from craterkit.errors import CraterkitError, TableError
from craterkit.tables.columns import recognise_columns
from craterkit.tables.features import features_from_table, has_point_geometry
from craterkit.tables.reading import MissingTableError, read_table

CRATERS = pd.DataFrame(
    {
        "name": ["Tycho", "Piccolómini", "a, b"],
        "lat": [-43.3, -29.7, 88.0],
        "lon": [-11.2, 32.2, -179.5],
        "diam_km": [85.0, 87.6, 1.0],
    }
)
MOON = "IAU_2015:30100"
POINTS = geopandas.GeoDataFrame(
    CRATERS, geometry=geopandas.points_from_xy(CRATERS.lon, CRATERS.lat), crs=MOON
)
TEXT = CRATERS.to_csv(index=False)


def assert_craters(table):
    pd.testing.assert_frame_equal(
        pd.DataFrame(table)[CRATERS.columns.tolist()], CRATERS, check_dtype=False
    )


def features_of(table):
    roles = recognise_columns(list(table.columns), has_points=has_point_geometry(table))
    return features_from_table(table, roles, lambda lon, lat, rows: (lon, lat))[0]


# Text


@pytest.mark.parametrize("suffix", [".csv", ".CSV", ".txt", ".tsv", ".tab"])
@pytest.mark.parametrize("separator", [",", "\t", ";", "|"])
def test_text_with_any_separator(tmp_path, suffix, separator):
    file = tmp_path / f"craters{suffix}"
    CRATERS.to_csv(file, sep=separator, index=False)
    assert_craters(read_table(file))
    assert_craters(read_table(str(file)))


@pytest.mark.parametrize("suffix", [".txt", ".tab"])
def test_text_set_apart_by_spaces(tmp_path, suffix):
    file = tmp_path / f"craters{suffix}"
    file.write_text("  lat   lon  diam_km\n -43.3 -11.2   85.0\n  88.0  0.5 1\n")
    table = read_table(file)
    assert table.columns.tolist() == ["lat", "lon", "diam_km"]
    assert table.lon.tolist() == [-11.2, 0.5]


def test_spaces_after_commas(tmp_path):
    file = tmp_path / "craters.csv"
    file.write_text("lat, lon, diam_km\n1, 2, 3\n")
    assert read_table(file).columns.tolist() == ["lat", "lon", "diam_km"]


def test_robbins_mars_is_separated_by_tabs(tmp_path):
    file = tmp_path / "RobbinsCraterDatabase.txt"
    file.write_text(
        "CRATER_ID\tCRATER_NAME\tLATITUDE_CIRCLE_IMAGE\tLONGITUDE_CIRCLE_IMAGE\tDIAM_CIRCLE_IMAGE\n"
        "01-000000\t\t84.367\t108.746\t82.10\n01-000001\tKorolev\t72.760\t164.464\t82.02\n"
    )
    features = features_of(read_table(file))
    assert features.lat.tolist() == [84.367, 72.76]
    assert features.radius.tolist() == [41050, 41010]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "latin-1", "utf-16"])
def test_encodings(tmp_path, encoding):
    file = tmp_path / "craters.csv"
    file.write_bytes(TEXT.encode(encoding))
    assert_craters(read_table(file))


def test_an_odd_letter_far_down(tmp_path):
    file = tmp_path / "craters.csv"
    file.write_bytes(("name,lat\n" + "Tycho,1\n" * 50_000 + "Piccolómini,2\n").encode("latin-1"))
    assert read_table(file).name.iloc[-1] == "Piccolómini"


@pytest.mark.parametrize(
    ("suffix", "pack"), [(".gz", gzip.compress), (".bz2", bz2.compress), (".xz", lzma.compress)]
)
@pytest.mark.parametrize("encoding", ["utf-8", "latin-1"])
def test_compressed_text(tmp_path, suffix, pack, encoding):
    file = tmp_path / f"craters.v2.csv{suffix}"
    file.write_bytes(pack(TEXT.encode(encoding)))
    assert_craters(read_table(file))


@pytest.mark.parametrize(
    ("name", "members"),
    [
        ("craters.csv.zip", ["craters.csv", "__MACOSX/._craters.csv"]),
        ("craters.csv.zip", ["craters"]),
        ("craters.zip", ["folder/craters.csv"]),
        ("craters.zip", ["craters.csv", "README.txt", "paper.pdf"]),
        ("craters.zip", ["craters.txt", "paper.pdf"]),
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "latin-1"])
def test_zipped_text(tmp_path, name, members, encoding):
    with zipfile.ZipFile(tmp_path / name, "w") as archive:
        for member in members:
            archive.writestr(member, TEXT.encode(encoding) if "craters" in member else "note")
    assert_craters(read_table(tmp_path / name))


def test_a_zip_of_several_tables_is_refused(tmp_path):
    file = tmp_path / "craters.zip"
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("a.csv", TEXT)
        archive.writestr("b.csv", TEXT)
    with pytest.raises(TableError, match=r"several tables \(a.csv, b.csv\)"):
        read_table(file)


def test_a_header_alone_is_an_empty_table(tmp_path):
    file = tmp_path / "craters.csv"
    file.write_text("lat,lon,diam_km\n")
    table = read_table(file)
    assert table.columns.tolist() == ["lat", "lon", "diam_km"]
    assert len(features_of(table)) == 0


def test_a_doubled_column_of_a_file_is_ambiguous(tmp_path):
    file = tmp_path / "craters.csv"
    file.write_text("lat,lat,lon,r\n1,2,3,4\n")
    with pytest.raises(TableError, match="ambiguous: 'lat'"):
        features_of(read_table(file))


# Other formats


@pytest.mark.parametrize("suffix", [".parquet", ".geoparquet", ".feather"])
def test_parquet_and_feather(tmp_path, suffix):
    plain, points = tmp_path / f"plain{suffix}", tmp_path / f"points{suffix}"
    if suffix == ".feather":
        CRATERS.to_feather(plain)
        POINTS.to_feather(points)
    else:
        CRATERS.to_parquet(plain)
        POINTS.to_parquet(points)
    table = read_table(plain)
    assert_craters(table)
    assert not isinstance(table, geopandas.GeoDataFrame)
    table = read_table(points)
    assert_craters(table)
    assert has_point_geometry(table)


def test_parquet_without_pyarrow_names_the_extra(tmp_path, monkeypatch):
    file = tmp_path / "craters.parquet"
    CRATERS.to_parquet(file)
    for module in ("pyarrow", "pyarrow.ipc", "pyarrow.parquet"):
        monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(TableError, match=r"craterkit\[parquet\]"):
        read_table(file)


@pytest.mark.parametrize("suffix", [".geojson", ".json", ".gpkg", ".shp", ".fgb"])
def test_geographic_files(tmp_path, suffix):
    file = tmp_path / f"craters{suffix}"
    POINTS.to_file(file, driver="GeoJSON" if suffix == ".json" else None)
    table = read_table(file).sort_values("lat", ignore_index=True)
    expected = CRATERS.sort_values("lat", ignore_index=True)
    pd.testing.assert_frame_equal(
        pd.DataFrame(table)[["lat", "lon", "diam_km"]], expected[["lat", "lon", "diam_km"]]
    )
    features = features_of(table)
    assert features.lon == pytest.approx(expected.lon)
    assert features.radius == pytest.approx(expected.diam_km * 500)


def test_zipped_shapefile(tmp_path):
    POINTS.to_file(tmp_path / "craters.shp")
    with zipfile.ZipFile(tmp_path / "craters.zip", "w") as archive:
        for part in tmp_path.glob("craters.[!z]*"):
            archive.write(part, part.name)
        archive.writestr("README.txt", "note")
    assert len(features_of(read_table(tmp_path / "craters.zip"))) == 3


def test_robbins_moon_as_a_shapefile(tmp_path):
    names = ["CRATER_ID", "LAT_CIRC_IMG", "LON_CIRC_IMG", "DIAM_CIRC_IMG", "DIAM_CIRC_SD_IMG"]
    points = geopandas.GeoDataFrame([["a", 5.0, 6.0, 7.0, 0.1]], columns=names)
    points = points.set_geometry(geopandas.points_from_xy([6.0], [5.0], crs=MOON))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # names are cut after ten characters
        points.to_file(tmp_path / "craters.shp")
    assert features_of(read_table(tmp_path / "craters.shp")).radius.tolist() == [3500]


def test_layers(tmp_path):
    file = tmp_path / "craters.gpkg"
    POINTS.to_file(file, layer="craters")
    geopandas.GeoDataFrame({"style": ["red"]}).to_file(file, layer="layer_styles")
    assert len(read_table(file)) == 3
    POINTS.to_file(file, layer="more")
    with pytest.raises(TableError, match=r"2 layers \(craters, more\)"):
        read_table(file)


@pytest.fixture
def server(tmp_path):
    class Handler(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *arguments):
            """Keep the test's output clean."""

    handler = partial(Handler, directory=tmp_path)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as running:
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{running.server_address[1]}"
        running.shutdown()
        thread.join()


def test_addresses(tmp_path, server, monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    CRATERS.to_csv(tmp_path / "craters.csv", index=False)
    (tmp_path / "craters.csv.gz").write_bytes(gzip.compress(TEXT.encode("latin-1"), mtime=0))
    POINTS.to_parquet(tmp_path / "craters.parquet")
    POINTS.to_file(tmp_path / "craters.geojson")
    for name in ("craters.csv?version=2", "craters.csv.gz", "craters.parquet", "craters.geojson"):
        assert_craters(read_table(f"{server}/{name}"))
    with pytest.raises(TableError, match="404"):
        read_table(f"{server}/absent.csv")


# What cannot be read


def test_a_missing_file(tmp_path):
    with pytest.raises(
        MissingTableError, match=r"absent\.csv does not exist; craterkit reads \.csv"
    ):
        read_table(tmp_path / "absent.csv")
    for kind in (FileNotFoundError, ValueError, TableError, CraterkitError):
        with pytest.raises(kind):
            read_table(tmp_path / "absent.csv")


def test_a_directory(tmp_path):
    with pytest.raises(TableError, match="is a directory"):
        read_table(tmp_path)


@pytest.mark.parametrize("dataset", [None, 5, b"craters.csv", ["craters.csv"]])
def test_what_is_no_path(dataset):
    with pytest.raises(TableError, match="must be a path"):
        read_table(dataset)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("empty.csv", b""),
        ("blank.csv", b"\n  \n"),
        ("empty.parquet", b""),
        ("empty.csv.gz", gzip.compress(b"", mtime=0)),
        ("picture.csv", b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + bytes(range(256))),
        ("truncated.csv.gz", gzip.compress(TEXT.encode() * 99, mtime=0)[:60]),
        ("plain.csv.gz", TEXT.encode()),
        ("plain.csv.zip", TEXT.encode()),
        ("ragged.csv", b"lat,lon\n1,2\n1,2,3,4\n"),
        ("shifted.csv", b"lat,lon,r\n1,2,3,4\n1,2,3,4\n"),
        ("trailing.csv", b"lat,lon,r\n1,2,3,\n"),
        ("quoted.csv", b'lat,lon\n"1,2\n3,4\n'),
        ("text.parquet", TEXT.encode()),
        ("text.feather", TEXT.encode()),
        ("text.geojson", TEXT.encode()),
        ("other.json", b'{"lat": [1, 2]}'),
        ("text.gpkg", TEXT.encode()),
        ("text.shp", TEXT.encode()),
        ("text.xlsx", TEXT.encode()),
        ("text.unknown", TEXT.encode()),
        ("noextension", TEXT.encode()),
    ],
)
def test_what_cannot_be_read_is_named(tmp_path, name, content):
    file = tmp_path / name
    file.write_bytes(content)
    with pytest.raises(TableError) as caught:
        read_table(file)
    assert str(file) in str(caught.value)


def test_geopandas_is_imported_only_when_needed(tmp_path):
    file = Path(tmp_path, "craters.csv")
    file.write_text(TEXT, encoding="utf-8")
    code = (
        "import sys; from craterkit.tables.reading import read_table; import craterkit.tables.features; "
        f"read_table({str(file)!r}); sys.exit('geopandas' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
