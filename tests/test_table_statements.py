"""What a table says of bodies, coordinate systems, hemispheres and units is used, or refused by name."""

import json
import warnings

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from craterkit import Body, CraterDatabase
from craterkit.bodies import get_body
from craterkit.errors import AssumedWarning, ColumnError, DroppedRowsWarning, FeatureError

BASE = {"lat": [45.0, 10.0], "lon": [90.0, 20.0], "diam_km": [2.0, 4.0]}
MARS = (3376200.0 / 3396190.0) ** 2
EARTH = (6356752.314 / 6378137.0) ** 2


def made(body="moon", options=None, **columns):
    return CraterDatabase(pd.DataFrame({**BASE, **columns}), body, **(options or {}))


def centric(lat, ratio):
    """Planetocentric latitude of a planetographic one: tan = ratio tan."""
    return np.degrees(np.arctan(ratio * np.tan(np.radians(lat))))


# --- Bodies ---


@pytest.mark.parametrize("column", ["Target", "TARGET_NAME", "Planet", "BODY"])
@pytest.mark.parametrize("own", ["Moon", "MOON", "IAU_MOON", "301", "IAU_2015:30100", None])
def test_rows_of_other_bodies_are_named_or_dropped(column, own):
    values = {column: pd.array(["Mars", own], dtype=object)}
    with pytest.raises(FeatureError, match=rf"row 0: {column} = 'Mars' is Mars.*of Moon"):
        made(**values)
    with pytest.warns(DroppedRowsWarning, match=column):
        assert made(options={"errors": "drop"}, **values).lon.tolist() == [20]


@pytest.mark.parametrize("values", [["crater", "rille"], [1, 10], [2.5, np.nan], ["", None]])
def test_columns_that_name_no_body_say_nothing(values):
    assert len(made(Target=values)) == 2


def test_a_body_that_is_not_known_beside_one_that_is():
    with pytest.raises(FeatureError, match="row 1: Target = 'Planet 9' is no known body"):
        made(Target=["Moon", "Planet 9"])


def test_a_body_of_ones_own_is_known_by_its_name_with_and_without_number():
    bennu = Body("Bennu", a=28237.0)
    assert len(made(bennu, Body=["Bennu", "101955 BENNU"])) == 2


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("1 Ceres", "Ceres"),
        ("(4) Vesta", "Vesta"),
        ("433 EROS", "Eros"),
        ("134340 Pluto", "Pluto"),
        ("243 Ida", "Ida"),
        ("67P/Churyumov-Gerasimenko", "Churyumov-Gerasimenko"),
        ("52 Europa", "52 Europa"),
        ("IAU_MARS", "Mars"),
    ],
)
def test_names_of_bodies_as_the_field_writes_them(text, name):
    assert get_body(text).name == name


@pytest.mark.parametrize("text", ["2 Ceres", "1 Moon", "2000001 Ceres"])
def test_the_number_must_be_that_of_the_name(text):
    with pytest.raises(ValueError, match="Unknown body"):
        get_body(text)


# --- Coordinate systems ---


@pytest.mark.parametrize(
    ("said", "lon", "lat"),
    [
        ("+West, 0 - 360", -90, 45),
        ("Planetographic, +West, 0 - 360", -90, centric(45, MARS)),
        ("Planetocentric, +East, -180 - 180", 90, 45),
        ("Planetographic, +East, 0 - 360", 90, centric(45, MARS)),
        ("planetographic", -90, centric(45, MARS)),  # longitude in the IAU's direction
        ("0 - 360", 90, 45),
        ("IAU_2015:49901", -90, centric(45, MARS)),
    ],
)
@pytest.mark.parametrize("column", ["Coordinate System", "coord_sys", "CRS"])
def test_a_column_of_coordinate_systems_holds_by_row(column, said, lon, lat):
    cdb = made("mars", **{column: [said, "Planetocentric, +East, 0 - 360"]})
    assert cdb.lon.tolist() == pytest.approx([lon, 20])
    assert cdb.lat.tolist() == pytest.approx([lat, 10])
    over = made("mars", {"input_crs": "planetocentric_west"}, **{column: [said, "nonsense"]})
    assert over.lon.tolist() == [-90, -20]


def test_parts_of_a_coordinate_system_in_columns_of_their_own():
    parts = {
        "Latitude Type": ["Planetographic"] * 2,
        "Positive Longitude Direction": ["West", "East"],
    }
    cdb = made("mars", **parts)
    assert cdb.lon.tolist() == [-90, 20]
    assert cdb.lat.tolist() == pytest.approx(centric(np.array([45, 10]), MARS))
    with pytest.raises(FeatureError, match=r"row 0: (.*) say different coordinate systems"):
        made("mars", **parts, CRS=["+East", "+East"])


@pytest.mark.parametrize("said", ["somewhere", "+East, +West", "IAU_2015:30100", "12345"])
def test_a_system_that_is_not_understood_is_named(said):
    with pytest.raises(
        FeatureError, match=rf"row 1: CRS = '{said.replace('+', '.')}'(.|\n)*input_crs="
    ):
        made("mars", CRS=["+East", said])


def test_an_empty_cell_has_what_all_others_have():
    assert made(CRS=["+West", None]).lon.tolist() == [-90, -20]
    three = pd.DataFrame({**BASE, "CRS": ["+West", "+East"]}).assign(name=["a", "b"])
    three = pd.concat([three, three[:1].assign(CRS="")], ignore_index=True)
    with pytest.raises(FeatureError, match="row 2: CRS is missing"):
        CraterDatabase(three, "moon")


def test_names_and_columns_must_agree():
    table = pd.DataFrame({"lat": [1.0], "lon_E": [2.0], "r_m": [3.0], "CRS": ["+West"]})
    with pytest.raises(ColumnError, match="'lon_E' says that longitude counts eastward"):
        CraterDatabase(table, "moon")


@pytest.mark.parametrize("east_west", ["E_W", "E/W", "EW", "lon_dir"])
@pytest.mark.parametrize("west", ["W", "west", "Western"])
@pytest.mark.parametrize("input_crs", ["default", "planetocentric_west"])
def test_hemispheres_beside_numbers_without_signs(east_west, west, input_crs):
    cdb = made(options={"input_crs": input_crs}, **{east_west: [west, "E"], "N_S": ["N", "S"]})
    assert cdb.lon.tolist() == [-90, 20]
    assert cdb.lat.tolist() == [45, -10]


def test_signs_that_repeat_the_hemisphere_are_fine_and_others_are_not():
    assert made(lon=[-90.0, 20.0], E_W=["W", "E"]).lon.tolist() == [-90, 20]
    with pytest.raises(FeatureError, match="row 0: lon = -90 beside E_W = 'E'"):
        made(lon=[-90.0, 20.0], E_W=["E", "W"])
    with pytest.raises(FeatureError, match="row 0: lon = 270 beside E_W = 'W'"):
        made(lon=[270.0, 20.0], E_W=["W", "E"])
    with pytest.raises(FeatureError, match=r"row 1: E_W = 'x' is not understood(.|\n)*'E_W'"):
        made(E_W=["W", "x"])
    assert made(EW=[0.1, 0.2]).lon.tolist() == [90, 20]  # an equivalent width, say


def test_latitudes_of_the_earth_are_geodetic():
    assert made("earth").lat.tolist() == pytest.approx(centric(np.array([45, 10]), EARTH))
    assert made("earth", {"input_crs": "planetocentric"}).lat.tolist() == [45, 10]
    assert made("mars").lat.tolist() == [45, 10]


# --- Units ---


def test_a_unit_that_nothing_names_is_said_once():
    table = pd.DataFrame({"lat": [1.0], "lon": [2.0], "radius": [3.0]})
    with pytest.warns(AssumedWarning, match="unit of column 'radius'.*units=") as told:
        assert CraterDatabase(table, "moon").rad.tolist() == [3]
    assert len(told) == 1
    assert told[0].filename == __file__
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert CraterDatabase(table, "moon", units="m").rad.tolist() == [3]
        assert CraterDatabase(table.set_axis(["lat", "lon", "r_km"], axis=1), "moon").rad[0] == 3000


def test_axes_of_ellipses_whose_unit_nothing_names():
    cdb = made(major=[3000.0, 5000.0], minor=[2000.0, 4000.0])
    with pytest.warns(AssumedWarning, match="unit of 'major', 'minor'"):
        cdb.add_ellipses("oval", "major", "minor", 0.0)
    cdb.add_ellipses("same", "major", "minor", 0.0, units="m")
    assert cdb.regions["oval"] == cdb.regions["same"]


# --- Points beside columns ---


def points(places, crs="IAU_2015:30100", **columns):
    return gpd.GeoDataFrame(columns, geometry=places, crs=crs)


@pytest.mark.parametrize(
    ("x", "lon", "crs"),
    [
        (20, 20, "IAU_2015:30100"),
        (-20, 340, "IAU_2015:30100"),
        (20.004, 20.0, "IAU_2015:30100"),  # rounded
        (20, 20, "IAU_2015:49901"),  # both westward
        (20, -20, "IAU_2015:49901"),
    ],
)
def test_points_where_the_columns_say(x, lon, crs):
    body = "moon" if "301" in crs else "mars"
    table = points([shapely.Point(x, 45)] * 2, crs, lat=[45.0] * 2, lon=[lon] * 2, r_m=[1.0, 2])
    cdb = CraterDatabase(table, body)
    assert cdb.lon.tolist() == pytest.approx([x if body == "moon" else -x] * 2)


def test_points_elsewhere_are_named_with_the_distance():
    table = points(
        [shapely.Point(20, 0), shapely.Point(21, 0)],
        lat=[0.0, 0.0],
        lon=[20.0, 20.0],
        r_m=[1e3, 1e3],
    )
    with pytest.raises(FeatureError, match=r"row 1: the point is at 21 E, .*lon.*30\.32 km away"):
        CraterDatabase(table, "moon")
    with pytest.warns(DroppedRowsWarning):
        assert len(CraterDatabase(table, "moon", errors="drop")) == 1


def test_multipoints_of_one_are_points():
    table = points([shapely.MultiPoint([(1, 2)]), shapely.Point(3, 4)], r_m=[1.0, 2.0])
    assert CraterDatabase(table, "moon").lon.tolist() == [1, 3]
    table.loc[0, "geometry"] = shapely.MultiPoint([(1, 2), (5, 6)])
    with pytest.raises(FeatureError, match="row 0: geometry is a MultiPoint of 2 points"):
        CraterDatabase(table, "moon")


# --- Files ---


@pytest.mark.parametrize("extension", ["gpkg", "shp", "geojson", "fgb"])
@pytest.mark.parametrize(("code", "x", "y"), [("49901", 30.0, 45.0), ("49911", 1e5, 2e5)])
def test_west_positive_systems_survive_files(tmp_path, extension, code, x, y):
    table = points([shapely.Point(x, y)], f"IAU_2015:{code}", r_m=[5.0])
    table.to_file(tmp_path / f"x.{extension}")
    wanted, found = (
        CraterDatabase(table, "mars"),
        CraterDatabase(tmp_path / f"x.{extension}", "mars"),
    )
    assert wanted.lon[0] < 0
    assert [found.lon[0], found.lat[0]] == pytest.approx([wanted.lon[0], wanted.lat[0]])


def test_a_geojson_without_a_crs_in_its_properties_only(tmp_path):
    feature = {
        "type": "Feature",
        "properties": {"radius_m": 3, "crs": "+East"},
        "geometry": {"type": "Point", "coordinates": [2, 1]},
    }
    (tmp_path / "x.geojson").write_text(
        json.dumps({"type": "FeatureCollection", "features": [feature]})
    )
    with pytest.warns(AssumedWarning, match="no CRS"):
        cdb = CraterDatabase(tmp_path / "x.geojson", "moon")
    assert (cdb.lon[0], cdb.lat[0]) == (2, 1)
    assert not cdb.data.attrs


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (
            "x.csv",
            '# Craters of a region, 5" wide\n#\n\nlat,lon,diam_km,name\n1,2,3,No #7\n4,5,6,b\n',
        ),
        ("x.csv", "\ufeff# Craters\r\nlat;lon;diam_km;name\r\n1;2;3;No #7\r\n4;5;6;b\r\n"),
        ("x.csv", "# Craters\n# lat, lon, diam_km, name\n1, 2, 3, No #7\n4, 5, 6, b\n"),
        ("x.csv", "#lat,lon,diam_km,name\n1,2,3,No #7\n4,5,6,b\n"),
        ("x.tsv", "# Craters\nlat\tlon\tdiam_km\tname\n1\t2\t3\tNo #7\n4\t5\t6\tb\n"),
        ("x.txt", "# by hand\n# lat lon diam_km name\n1 2 3 #7\n4 5 6 b\n"),
    ],
)
def test_comment_lines_above_the_header(tmp_path, name, text):
    (tmp_path / name).write_text(text, encoding="utf-8", newline="")
    cdb = CraterDatabase(tmp_path / name, "moon")
    assert cdb.lat.tolist() == [1, 4]
    assert cdb.rad.tolist() == [1500, 3000]
    assert list(cdb.data.columns[:4]) == ["lat", "lon", "diam_km", "name"]
    assert cdb.data["name"].str.endswith("#7").tolist() == [True, False]
