"""Which columns are taken for what, and which are refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from craterkit.errors import ColumnError, CraterkitError
from craterkit.tables.columns import recognise_columns

ROBBINS_MOON = [
    "CRATER_ID",
    "LAT_CIRC_IMG",
    "LON_CIRC_IMG",
    "LAT_ELLI_IMG",
    "LON_ELLI_IMG",
    "DIAM_CIRC_IMG",
    "DIAM_CIRC_SD_IMG",
    "DIAM_ELLI_MAJOR_IMG",
    "DIAM_ELLI_MINOR_IMG",
    "DIAM_ELLI_ECCEN_IMG",
    "DIAM_ELLI_ANGLE_IMG",
    "LAT_ELLI_SD_IMG",
    "LON_ELLI_SD_IMG",
    "ARC_IMG",
    "PTS_RIM_IMG",
]
ROBBINS_SHAPEFILE = [
    "CRATER_ID",
    "LAT_CIRC_I",
    "LON_CIRC_I",
    "LAT_ELLI_I",
    "DIAM_CIRC_",
    "DIAM_CIR_1",
]
ROBBINS_MARS = [
    "CRATER_ID",
    "CRATER_NAME",
    "LATITUDE_CIRCLE_IMAGE",
    "LONGITUDE_CIRCLE_IMAGE",
    "DIAM_CIRCLE_IMAGE",
    "DEPTH_RIMFLOOR_TOPOG",
    "NUMBER_LAYERS",
]
GAZETTEER = [
    "Feature ID", "Feature Name", "Target", "Diameter", "Center Latitude", "Center Longitude",
    "Northern Latitude", "Southern Latitude", "Eastern Longitude", "Western Longitude",
]  # fmt: skip


def refusal(*columns, **arguments):
    """Give the message with which columns are refused."""
    with pytest.raises(ColumnError) as caught:
        recognise_columns(list(columns), **arguments)
    return str(caught.value)


@pytest.mark.parametrize(
    ("columns", "lat", "lon", "size", "is_diameter", "unit"),
    [
        (ROBBINS_MOON, "LAT_CIRC_IMG", "LON_CIRC_IMG", "DIAM_CIRC_IMG", True, "km"),
        (ROBBINS_SHAPEFILE, "LAT_CIRC_I", "LON_CIRC_I", "DIAM_CIRC_", True, "km"),
        (
            ROBBINS_MARS,
            "LATITUDE_CIRCLE_IMAGE",
            "LONGITUDE_CIRCLE_IMAGE",
            "DIAM_CIRCLE_IMAGE",
            True,
            "km",
        ),
        (GAZETTEER, "Center Latitude", "Center Longitude", "Diameter", True, "km"),
        (
            ["name", "clean_name", "diameter", "center_lon", "center_lat"],
            "center_lat",
            "center_lon",
            "diameter",
            True,
            "km",
        ),
        (
            ["Long", "Lat", "Radius (deg)", "Diameter (km)", "D_range"],
            "Lat",
            "Long",
            "Diameter (km)",
            True,
            "km",
        ),
    ],
    ids=[
        "Robbins Moon",
        "its shapefile",
        "Robbins Mars",
        "gazetteer",
        "its shapefile",
        "LU78287GT",
    ],
)
def test_known_catalogues(columns, lat, lon, size, is_diameter, unit):
    roles = recognise_columns(columns)
    assert (roles.lat, roles.lon, roles.size) == (lat, lon, size)
    assert (roles.is_diameter, roles.unit) == (is_diameter, unit)


@pytest.mark.parametrize(
    "columns",
    [
        ["center_lat", "center_lon", "diameter"],
        ["Center_Latitude", "Center_Longitude", "Diameter", "Name"],
        ["Center Latitude", "Center Longitude", "Diameter"],
    ],
)
def test_a_gazetteer_without_its_names_is_in_km_unless_told(columns):
    assert recognise_columns(columns).unit == "km"
    assert recognise_columns(columns, units="m").unit == "m"


@pytest.mark.parametrize(
    ("size", "options", "is_assumed"),
    [
        ("radius", {}, True),
        ("diam", {"diam_col": "diam"}, True),
        ("radius", {"units": "m"}, False),
        ("radius_m", {}, False),
        ("Diameter (km)", {}, False),
    ],
)
def test_what_is_assumed_of_the_unit(size, options, is_assumed):
    assert recognise_columns(["lat", "lon", size], **options).unit_is_assumed is is_assumed


@pytest.mark.parametrize(
    "name",
    [
        "latitude",
        "LATITUDE",
        " Lat ",
        "lat",
        "Latitude (deg)",
        "lat_deg",
        "Lat [°]",
        "lat_dd",
        "centerLat",
        "Center Latitude",
        "centre_lat",
        "crater_latitude",
        "Lat_N",
        "Latitude (deg N)",
        "CentroidLat",
        "North Latitude",
        "latDeg",
        "Latitude (decimal degrees)",
    ],
)
def test_latitudes(name):
    assert recognise_columns([name, "lon", "r"]).lat == name


@pytest.mark.parametrize(
    ("name", "sign"),
    [
        ("longitude", 1),
        ("LON", 1),
        ("long", 1),
        ("Lng", 1),
        ("Lon_E", 1),
        ("Longitude (E)", 1),
        ("lon_W", -1),
        ("longitude_west", -1),
        ("West Longitude", -1),
        ("Longitude (deg W)", -1),
        ("Longitude (+W, 0-360)", -1),
        ("Longitude (0-360E)", 1),
        ("centerLon", 1),
        ("LonE", 1),
        ("Longitude (E/W)", 1),
        ("lon_360", 1),
        ("crater_long", 1),
    ],
)
def test_longitudes_and_their_direction(name, sign):
    roles = recognise_columns(["lat", name, "r"])
    assert (roles.lon, roles.longitude_sign) == (name, sign)
    assert recognise_columns(["lat", name, "r"], lon_col=name).longitude_sign == sign


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("lat", None),
        ("Planetocentric Latitude", "planetocentric"),
        ("lat_ocentric", "planetocentric"),
        ("Planetographic Latitude", "planetographic"),
        ("lat_ographic", "planetographic"),
    ],
)
def test_a_name_may_tell_the_kind_of_latitude(name, kind):
    assert recognise_columns([name, "lon", "r"]).latitude_type == kind


@pytest.mark.parametrize(
    ("name", "is_diameter", "unit"),
    [
        ("radius", False, "m"),
        ("Rad", False, "m"),
        ("r", False, "m"),
        ("R_km", False, "km"),
        ("radius_m", False, "m"),
        ("Radius (metres)", False, "m"),
        ("diameter", True, "m"),
        ("DIAM", True, "m"),
        ("d", True, "m"),
        ("D [km]", True, "km"),
        ("diam_km", True, "km"),
        ("Diam(km)", True, "km"),
        ("DiamKM", True, "km"),
        ("Diameter in km", True, "km"),
        ("diameter_kilometers", True, "km"),
        ("crater_diameter_km", True, "km"),
        ("craterRadiusKm", False, "km"),
        ("Rim Diameter [m]", True, "m"),
        ("mean_diameter_km", True, "km"),
        ("Diameter (km) ", True, "km"),
    ],
)
def test_sizes_and_their_units(name, is_diameter, unit):
    roles = recognise_columns(["lat", "lon", name])
    assert (roles.size, roles.is_diameter, roles.unit) == (name, is_diameter, unit)
    assert roles.metres_per_unit == {"m": 1.0, "km": 1000.0}[unit]


@pytest.mark.parametrize(
    "name",
    [
        "latitude_err",
        "lat_sd",
        "plateau",
        "long_name",
        "relation",
        "radar",
        "radiance",
        "longitudes?x",
        "diameter_sd",
        "d_over_r",
        "Diameter (sd)",
        "Diameter SD (km)",
        "Diameter (log km)",
        "area_km2",
        "x",
        "y",
        "Source_lon",
        "Soure_lat",
        "Western Longitude",
        "lat2",
        "lat_lon",
        "rad_diam",
        "depth",
        "lon_of_target",
        "long_crater",
        "Diameter_ratio",
        "",
        "()",
        "lat_m",
        0,
        ("lat", ""),
        None,
    ],
)
def test_look_alikes_are_nothing(name):
    message = refusal(name)
    assert "no column is the latitude; pass lat_col=" in message
    assert "no column is the longitude; pass lon_col=" in message
    assert "no column is the radius or diameter; pass rad_col= or diam_col=" in message
    assert repr(name) in message
    good = ["lat", "lon", "radius"]
    assert recognise_columns([name, *good]) == recognise_columns(good)


def test_better_tiers_win():
    assert recognise_columns(["center_lat", "lat", "lon", "r"]).lat == "lat"
    assert recognise_columns(["lat", "lon", "d", "r", "crater_diameter_km"]).size == (
        "crater_diameter_km"
    )


@pytest.mark.parametrize(
    ("columns", "parameter", "candidates"),
    [
        (["LAT", "Lat", "lon", "r"], "lat_col=", "'LAT', 'Lat'"),
        (["lat", "latitude", "lon", "r"], "lat_col=", "'lat', 'latitude'"),
        (["lat", "lon_E", "lon_W", "r"], "lon_col=", "'lon_E', 'lon_W'"),
        (["lat", "lon", "radius", "diameter"], "rad_col= or diam_col=", "'radius', 'diameter'"),
        (["lat", "lon", "diam_m", "diam_km"], "rad_col= or diam_col=", "'diam_m', 'diam_km'"),
        (["lat", "lon", "lon.1", "r"], "lon_col=", "'lon', 'lon.1'"),
        (["lat", "lon", "radius", "Radius (px)"], "rad_col=", "'radius', 'Radius (px)'"),
    ],
)
def test_ties_are_loud(columns, parameter, candidates):
    message = refusal(*columns)
    assert message.startswith(f"ambiguous: {candidates}")
    assert parameter in message


def test_a_given_column_settles_a_tie():
    columns = ["lat", "lon", "radius", "diameter_km"]
    by_radius = recognise_columns(columns, rad_col="radius")
    assert (by_radius.size, by_radius.is_diameter, by_radius.unit) == ("radius", False, "m")
    by_diameter = recognise_columns(columns, diam_col="diameter_km")
    assert (by_diameter.is_diameter, by_diameter.unit) == (True, "km")


@pytest.mark.parametrize("label", ["my size", "size_km", 7, ("size", "km"), "latitude_err"])
def test_a_given_column_may_have_any_name(label):
    roles = recognise_columns(["lat", "lon", "radius", label], rad_col=label)
    assert (roles.size, roles.is_diameter) == (label, False)
    assert roles.unit == ("km" if label == "size_km" else "m")


def test_a_given_column_keeps_the_unit_of_its_name_and_catalogue():
    assert recognise_columns(["lat", "lon", "D_km"], rad_col="D_km").unit == "km"
    assert recognise_columns(ROBBINS_MOON, diam_col="DIAM_ELLI_MAJOR_IMG").unit == "km"


def test_a_given_column_must_exist():
    message = refusal("Latitude", "lon", "r", lat_col="latitde")
    assert "lat_col='latitde' is not a column; did you mean 'Latitude'?" in message
    assert "the columns are 'Latitude', 'lon', 'r'" in message


def test_every_role_in_trouble_is_told_at_once():
    message = refusal("LAT", "Lat", "Diameter (miles)")
    assert "'LAT', 'Lat'" in message
    assert "longitude" in message
    assert "miles" in message


def test_conflicting_arguments():
    columns = ["lat", "lon", "r", "d"]
    assert "rad_col='r' and diam_col='d'" in refusal(*columns, rad_col="r", diam_col="d")
    assert "two roles" in refusal(*columns, lat_col="lat", lon_col="lat")


def test_doubled_columns_are_refused_where_they_matter():
    assert "2 columns are named 'lat'" in refusal("lat", "lat", "lon", "r")
    assert "2 columns are named 'x'" in refusal("x", "x", "lon", "r", lat_col="x")
    assert recognise_columns(["note", "note", "lat", "lon", "r"]).lat == "lat"


def test_points_give_the_position():
    roles = recognise_columns(["lat", "lon", "r", "geometry"], has_points=True)
    assert (roles.lat, roles.lon, roles.size) == (None, None, "r")
    given = recognise_columns(["lat", "lon", "r"], lat_col="lat", lon_col="lon", has_points=True)
    assert (given.lat, given.lon) == ("lat", "lon")
    assert "both" in refusal("lat", "lon", "r", lat_col="lat", has_points=True)


@pytest.mark.parametrize(
    ("units", "unit"),
    [
        (None, "m"),
        ("m", "m"),
        ("Meters", "m"),
        ("metre", "m"),
        (" KM ", "km"),
        ("kilometers", "km"),
        ("Kilometre", "km"),
    ],
)
def test_units_as_spelled(units, unit):
    assert recognise_columns(["lat", "lon", "radius"], units=units).unit == unit


@pytest.mark.parametrize("units", ["miles", "", "deg", 5, "k m"])
def test_unknown_units(units):
    assert 'units must be "m", "km"' in refusal("lat", "lon", "r", units=units)
    with pytest.raises(ValueError, match="units"):
        recognise_columns(["lat", "lon", "r"], units=units)


@pytest.mark.parametrize(
    ("columns", "units"),
    [
        (["lat", "lon", "diam_km"], "m"),
        (["lat", "lon", "radius_m"], "km"),
        (ROBBINS_MOON, "m"),
        (ROBBINS_MARS, "meters"),
        (GAZETTEER, "m"),
    ],
)
def test_units_must_not_contradict_the_column(columns, units):
    size = recognise_columns(columns)
    message = refusal(*columns, units=units)
    assert repr(size.size) in message
    assert f"units={units[0]!r}" in message or f"units={units!r}" in message
    assert f"is in {size.unit}" in message
    assert recognise_columns(columns, units=size.unit) == size


@pytest.mark.parametrize("name", ["Diameter (miles)", "Diameter (ft)", "diam_px", "radius_deg"])
@pytest.mark.parametrize("units", [None, "km"])
def test_foreign_units_of_size(name, units):
    assert f"column {name!r} is in" in refusal("lat", "lon", name, units=units)
    assert f"column {name!r} is in" in refusal("lat", "lon", name, units=units, rad_col=name)
    assert recognise_columns(["lat", "lon", name, "Diameter (km)"]).size == "Diameter (km)"


def test_an_unknown_word_in_brackets_needs_units():
    assert "furlongs" in refusal("lat", "lon", "Diameter (furlongs)")
    assert recognise_columns(["lat", "lon", "Diameter (fitted)"], units="km").unit == "km"
    assert "two units" in refusal("lat", "lon", "diam_m (km)")


def test_radians_are_refused_unless_there_are_degrees():
    message = refusal("lat_rad", "Longitude (radians)", "r")
    assert "'lat_rad' is in rad" in message
    assert "'Longitude (radians)' is in radians" in message
    assert recognise_columns(["lat_rad", "lat_deg", "lon", "r"]).lat == "lat_deg"


@given(st.lists(st.one_of(st.text(), st.integers(), st.none(), st.tuples(st.text())), max_size=6))
def test_any_labels_give_roles_or_an_error(labels):
    try:
        roles = recognise_columns(labels)
    except CraterkitError:
        return
    assert {roles.lat, roles.lon, roles.size} <= set(labels)


@given(st.permutations(["lat", "Lon_W", "crater_diameter_km", "lat_err", "long_name", "d"]))
def test_the_order_of_columns_does_not_matter(columns):
    assert recognise_columns(columns) == recognise_columns(sorted(columns))
