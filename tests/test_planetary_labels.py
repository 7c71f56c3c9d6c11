"""Labels of ISIS, PDS3, PDS4 and VICAR products: what pixels are worth, and where they lie.

Maps hold the longitude or latitude of their pixels' centres, so that their numbers say where these lie.
"""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pyproj
import pytest
import rasterio
import rasterio.shutil
from rasterio.vrt import WarpedVRT

from craterkit import CraterDatabase
from craterkit.coordinates import CoordinateSystem
from craterkit.errors import CRSError, RasterError
from craterkit.rasters.label_places import corrected_system, stretched
from craterkit.rasters.planetary_labels import Label
from labels import isis_map, pds3_map, write_cube, write_pds3, write_with

MARS = (3396190.0, 3376200.0)
TITAN = (2575000.0, 2575000.0)
ROWS, COLUMNS = 360, 720
STEP = 360.0 / COLUMNS


def circle(body, lon, lat, radius_km=80.0):
    cdb = CraterDatabase(pd.DataFrame({"lat": [lat], "lon": [lon], "radius_km": radius_km}), body)
    cdb.add_circles("c")
    return cdb


def mean(cdb, raster, **options):
    options = {"coverage": "fraction"} | options
    return cdb.get_stats(raster, "c", "mean", **options)["mean_c"].iloc[0]


def latitudes(dtype="f4"):
    """The latitude of each row, as the label counts it."""
    rows = 90.0 - (np.arange(ROWS) + 0.5) * STEP
    return np.tile(rows[:, None], COLUMNS).astype(dtype)


def longitudes(middle, dtype="f4"):
    """The east longitude of each column of a map about a meridian."""
    columns = (middle - 180.0 + (np.arange(COLUMNS) + 0.5) * STEP) % 360.0
    return np.tile(columns, (ROWS, 1)).astype(dtype)


# Latitudes


def cube_of(path, kind):
    mapping = isis_map(ROWS, COLUMNS, target="Mars", radii=MARS, LatitudeType=kind.title())
    return write_cube(path, latitudes(), mapping=mapping)


def pds3_of(path, kind):
    entries = pds3_map(ROWS, COLUMNS, radii=MARS, COORDINATE_SYSTEM_NAME=f'"{kind.upper()}"')
    return write_pds3(path, latitudes(), **entries)


def pds4_of(path, kind):
    write_with("PDS4", path, latitudes(), radii=MARS, VAR_TARGET="Mars")
    label = path.read_text().replace("Planetocentric", kind.title())
    label = re.sub(r'(<cart:c_axis_radius unit=")m(">)[^<]*', r"\1km\g<2>3376.2", label)
    path.write_text(label)
    return path


def vicar_of(path, kind):
    write_with("VICAR", path, latitudes(), radii=MARS)
    label = path.read_bytes()
    polar = re.search(rb"C_AXIS_RADIUS=(\S+)", label)
    label = label.replace(polar[0], polar[0].replace(b"3396.1", b"3376.2"))
    path.write_bytes(label.replace(b"PLANETOCENTRIC", kind.upper().encode()))
    return path


@pytest.mark.parametrize("kind", ["planetographic", "planetocentric"])
@pytest.mark.parametrize(
    ("ending", "write"),
    [("cub", cube_of), ("lbl", pds3_of), ("xml", pds4_of), ("vic", vicar_of)],
)
def test_rows_count_the_latitude_that_the_label_names(tmp_path, ending, write, kind):
    path = write(tmp_path / f"mars.{ending}", kind)
    expected = 45.0
    if kind == "planetographic":
        expected = np.degrees(np.arctan(np.tan(np.radians(45.0)) * (MARS[0] / MARS[1]) ** 2))
    # The circle's mean latitude lies south of its centre's: shorter parallels to the north.
    below = 0.5 * (80e3 / MARS[0]) ** 2 / 4
    assert mean(circle("mars", 75.0, 45.0), path) == pytest.approx(
        expected - np.degrees(below), abs=0.02
    )
    # Where the user says what the rows are, the label is not asked.
    sphere = f"+proj=eqc +R={MARS[0]} +lon_0={180 if ending == 'lbl' else 0}"
    assert mean(circle("mars", 75.0, 45.0), path, raster_crs=sphere) == pytest.approx(
        45.0, abs=0.02
    )


def test_a_kind_of_latitude_that_is_not_understood_is_named(tmp_path):
    path = pds3_of(tmp_path / "m.lbl", "areoid grid")
    with pytest.raises(CRSError, match=r"m\.lbl: its label says that latitudes are 'AREOID GRID'"):
        mean(circle("mars", 75.0, 45.0), path)


@pytest.mark.parametrize(("body", "radii"), [("titan", TITAN), ("mars", MARS)])
def test_the_name_of_a_frame_is_no_kind_of_latitude(tmp_path, body, radii):
    """As on the labels of LOLA's maps."""
    entries = pds3_map(*(ROWS, COLUMNS), radii=radii, centre=0.0)
    entries["COORDINATE_SYSTEM_NAME"] = '"MEAN EARTH/POLAR AXIS OF DE421"'
    path = write_pds3(tmp_path / "m.lbl", longitudes(0.0), target=body.upper(), **entries)
    assert mean(circle(body, 75.0, 0.0), path) == pytest.approx(75.0, abs=1e-3)


@pytest.mark.parametrize("kind", ["Planetographic", "Planetocentric"])
def test_polar_stereographic_cubes_are_of_the_ellipsoid(tmp_path, kind):
    ceres, size, pixel = (482000.0, 446000.0), 400, 1000.0
    place = (np.arange(size) + 0.5 - size / 2) * pixel
    x, y = np.meshgrid(place, -place)
    inverse = pyproj.Proj("+proj=stere +lat_0=90 +a={} +b={}".format(*ceres))
    _, graphic = inverse(x, y, inverse=True)
    centric = np.degrees(np.arctan(np.tan(np.radians(graphic)) * (ceres[1] / ceres[0]) ** 2))
    mapping = isis_map(*(ROWS, COLUMNS), target="Ceres", radii=ceres, LatitudeType=kind) | {
        "ProjectionName": "PolarStereographic",
        "CenterLatitude": 90.0,
        "PixelResolution": f"{pixel} <meters/pixel>",
        "UpperLeftCornerX": -size / 2 * pixel,
        "UpperLeftCornerY": size / 2 * pixel,
    }
    path = write_cube(tmp_path / "p.cub", centric.astype("f4"), mapping=mapping)
    for lat in (88.0, 75.0, 68.0):
        found = circle("ceres", 30.0, lat, 1.0).get_stats(path, "c", "mean", coverage="fraction")
        assert found["mean_c"].iloc[0] == pytest.approx(lat, abs=4e-3)


# Longitudes that grow westward


@pytest.mark.parametrize("direction", ["WEST", "EAST"])
@pytest.mark.parametrize("centre", ["200.0<DEG>", "200.0 <DEG>", '"200.0"', "2.0E2"])
def test_a_central_meridian_is_read_in_any_spelling(tmp_path, centre, direction):
    entries = pds3_map(ROWS, COLUMNS, radii=TITAN, CENTER_LONGITUDE=centre)
    entries["POSITIVE_LONGITUDE_DIRECTION"] = direction
    east = {"WEST": 160.0, "EAST": 200.0}[direction]
    path = write_pds3(tmp_path / "t.lbl", longitudes(east), target="TITAN", **entries)
    assert mean(circle("titan", east, 0.0), path) == pytest.approx(east, abs=1e-3)


COPIES = {"vrt": "VRT", "tif": "GTiff", "img": "HFA"}


@pytest.fixture
def western_cube(tmp_path):
    """A map of Titan about 200° W, which is 160° E."""
    mapping = isis_map(
        *(ROWS, COLUMNS),
        target="Titan",
        radii=TITAN,
        centre=200.0,
        LongitudeDirection="PositiveWest",
    )
    return write_cube(tmp_path / "west.cub", longitudes(160.0), mapping=mapping)


@pytest.mark.parametrize("ending", COPIES)
def test_a_copy_of_a_cube_lies_where_the_cube_does(tmp_path, western_cube, ending):
    titan = circle("titan", 160.0, 0.0)
    assert mean(titan, western_cube) == pytest.approx(160.0, abs=1e-3)
    copy = tmp_path / f"copy.{ending}"
    rasterio.shutil.copy(western_cube, copy, driver=COPIES[ending])
    assert mean(titan, copy) == pytest.approx(160.0, abs=1e-3)
    again = tmp_path / "again.vrt"
    rasterio.shutil.copy(copy, again, driver="VRT")
    assert mean(titan, again) == pytest.approx(160.0, abs=1e-3)


def test_what_was_warped_from_the_wrong_place_is_refused(western_cube):
    titan = circle("titan", 160.0, 0.0)
    with rasterio.open(western_cube) as cube:
        with WarpedVRT(cube) as same:
            assert mean(titan, same) == pytest.approx(160.0, abs=1e-3)
        with (
            WarpedVRT(cube, crs=f"+proj=longlat +R={TITAN[0]}") as warped,
            pytest.raises(
                CRSError, match=r"made of .*west\.cub, whose label puts its pixels elsewhere"
            ),
        ):
            mean(titan, warped)


# Where the projection's origin is


REGION = {"west": 30.0, "east": 60.0, "south": -20.0, "north": 10.0}


def regional(path, offsets, *, bounds=REGION, what="longitude", **changed):
    """A map of 4 pixels a degree, whose origin lies 40 rows from its top and 120 columns west of it."""
    rows, columns, radius = 120, 120, MARS[0] / 1000
    lon = 30.0 + (np.arange(columns) + 0.5) / 4
    lat = 10.0 - (np.arange(rows) + 0.5) / 4
    values = np.stack(np.meshgrid(lon, lat))[("longitude", "latitude").index(what)].astype("f4")
    entries = pds3_map(rows, columns, radii=(MARS[0], MARS[0]), centre=0.0)
    entries |= {
        "MAP_SCALE": f"{np.radians(radius / 4)} <KM/PIXEL>",
        "LINE_PROJECTION_OFFSET": offsets[0],
        "SAMPLE_PROJECTION_OFFSET": offsets[1],
        "MAXIMUM_LATITUDE": f"{bounds['north']} <DEGREE>",
        "MINIMUM_LATITUDE": f"{bounds['south']} <DEGREE>",
        "WESTERNMOST_LONGITUDE": f"{bounds['west']} <DEGREE>",
        "EASTERNMOST_LONGITUDE": f"{bounds['east']} <DEGREE>",
    }
    entries = {key: value for key, value in (entries | changed).items() if value is not None}
    return write_pds3(path, values, **entries)


@pytest.mark.parametrize(
    "offsets",
    [
        pytest.param((39.5, -120.5), id="from the centre of the first pixel"),
        pytest.param((40.5, -119.5), id="from 1"),
        pytest.param((40.0, -120.0), id="from the corner"),
        pytest.param((-39.5, 120.5), id="of the other sign"),
        pytest.param((-40.5, 119.5), id="of the other sign, from 1"),
        pytest.param(('"39.5"', '"-120.5"'), id="in quotes"),
    ],
)
def test_the_bounds_in_a_label_tell_what_its_offsets_count_from(tmp_path, offsets):
    mars = circle("mars", 45.0, -5.0)
    for what, expected in (("longitude", 45.0), ("latitude", -5.0)):
        path = regional(tmp_path / f"{what}.lbl", offsets, what=what)
        assert mean(mars, path) == pytest.approx(expected, abs=0.01)


def test_a_map_that_seems_to_reach_beyond_the_poles_is_put_back(tmp_path):
    """As those of MOLA, whose offsets count from 1."""
    entries = pds3_map(ROWS, COLUMNS, radii=TITAN) | {
        "LINE_PROJECTION_OFFSET": ROWS / 2 + 0.5,
        "SAMPLE_PROJECTION_OFFSET": COLUMNS / 2 + 0.5,
        "MAXIMUM_LATITUDE": 90.0,
        "MINIMUM_LATITUDE": -90.0,
        "WESTERNMOST_LONGITUDE": 0.0,
        "EASTERNMOST_LONGITUDE": 360.0,
    }
    path = write_pds3(tmp_path / "g.lbl", longitudes(180.0), target="TITAN", **entries)
    assert mean(circle("titan", 100.0, 0.0), path) == pytest.approx(100.0, abs=1e-3)


@pytest.mark.parametrize("centre", [0.0, 180.0, 200.0])
@pytest.mark.parametrize("bounds", [(0.0, 360.0), (-180.0, 180.0)])
def test_bounds_of_a_whole_turn_say_nothing_of_the_seam(tmp_path, centre, bounds):
    entries = pds3_map(ROWS, COLUMNS, radii=TITAN, centre=centre) | {
        "MAXIMUM_LATITUDE": 90.0,
        "MINIMUM_LATITUDE": -90.0,
        "WESTERNMOST_LONGITUDE": bounds[0],
        "EASTERNMOST_LONGITUDE": bounds[1],
    }
    path = write_pds3(tmp_path / "g.lbl", longitudes(centre), target="TITAN", **entries)
    assert mean(circle("titan", 100.0, 0.0), path) == pytest.approx(100.0, abs=1e-3)


def test_bounds_that_stick_out_on_one_side_contradict(tmp_path):
    shifted = REGION | {"south": -17.0, "north": 13.1}
    path = regional(tmp_path / "m.lbl", (39.5, -120.5), bounds=shifted)
    with pytest.raises(CRSError, match=r"m\.lbl: the bounds in its label"):
        mean(circle("mars", 45.0, -5.0), path)


def test_rounded_bounds_are_no_contradiction(tmp_path):
    rough = {"west": 29.0, "east": 61.0, "south": -21.0, "north": 11.0}
    path = regional(tmp_path / "m.lbl", (39.5, -120.5), bounds=rough)
    assert mean(circle("mars", 45.0, -5.0), path) == pytest.approx(45.0, abs=0.01)


def test_bounds_that_nothing_explains_are_refused_with_both_places(tmp_path):
    other = {"west": 130.0, "east": 160.0, "south": -20.0, "north": 10.0}
    path = regional(tmp_path / "m.lbl", (39.5, -120.5), bounds=other)
    with pytest.raises(
        CRSError,
        match=r"m\.lbl: the bounds in its label \(longitude 130 to 160.*columns 400.00 to 520.00",
    ):
        mean(circle("mars", 45.0, -5.0), path)
    place = {"transform": (14818.1, 0, 30 * 59272.5, 0, -14818.1, 10 * 59272.5)}
    assert mean(circle("mars", 45.0, -5.0), path, **place) == pytest.approx(45.0, abs=0.01)


def test_rows_of_a_sinusoidal_map_are_compared_too(tmp_path):
    path = regional(
        tmp_path / "s.lbl", (40.5, -119.5), what="latitude", MAP_PROJECTION_TYPE='"SINUSOIDAL"'
    )
    assert mean(circle("mars", 45.0, -5.0), path) == pytest.approx(-5.0, abs=0.01)


def test_a_mosaic_of_a_map_that_gdal_puts_elsewhere_is_refused(tmp_path):
    path = regional(tmp_path / "m.lbl", (40.5, -119.5))
    rasterio.shutil.copy(path, tmp_path / "m.vrt", driver="VRT")
    with pytest.raises(
        CRSError, match=r"m\.vrt: is made of .*m\.lbl, whose label puts its pixels elsewhere"
    ):
        mean(circle("mars", 45.0, -5.0), tmp_path / "m.vrt")


@pytest.mark.parametrize(
    "changed",
    [
        {"MAP_SCALE": f"{np.radians(MARS[0] / 4)} <METRES/PIXEL>"},
        {"MAP_SCALE": f"{np.radians(MARS[0] / 4)}<m/pixel>"},
        {"MAP_SCALE": None, "MAP_RESOLUTION": "4.0 <PIXEL/DEGREE>"},
        {"MAP_SCALE": np.radians(MARS[0] / 4), "MAP_RESOLUTION": 4.0},
        {"MAP_SCALE": "14.8 <KM/PIXEL>", "MAP_RESOLUTION": 4.0},
    ],
)
def test_the_size_of_a_pixel_is_had_from_any_unit_or_the_resolution(tmp_path, changed):
    path = regional(tmp_path / "m.lbl", (39.5, -120.5), **changed)
    assert mean(circle("mars", 45.0, -5.0), path) == pytest.approx(45.0, abs=0.01)


def test_the_corner_in_pds4_may_be_the_centre_of_a_pixel(tmp_path):
    path = write_with("PDS4", tmp_path / "m.xml", longitudes(0.0), radii=MARS, VAR_TARGET="Mars")
    half = np.pi * MARS[0] / COLUMNS
    label = path.read_text()
    for axis, sign in (("x", 1), ("y", -1)):
        corner = re.search(rf"(<cart:upperleft_corner_{axis}[^>]*>)([^<]*)", label)
        label = label.replace(corner[0], f"{corner[1]}{float(corner[2]) + sign * half!r}")
    path.write_text(label)
    assert mean(circle("mars", 75.0, 0.0), path) == pytest.approx(75.0, abs=0.01)


def test_transposed_and_oblique_maps_are_left_as_gdal_has_them():
    """As those of Cassini's radar: their rows are meridians of a pole of their own."""
    west = {"POSITIVE_LONGITUDE_DIRECTION": "WEST", "CENTER_LONGITUDE": 0.0}
    size = {"MAP_SCALE": 1.0, "LINE_PROJECTION_OFFSET": 10.0, "SAMPLE_PROJECTION_OFFSET": 20.0}
    label = Label("json:PDS", west | size)
    transposed = rasterio.Affine(0, 1000, 5, 1000, 0, 7)
    assert stretched(label, transposed) == transposed
    oblique = CoordinateSystem.from_user_input(
        f"+proj=ob_tran +o_proj=eqc +o_lon_p=-45 +o_lat_p=60 +lon_0=-175 +R={TITAN[0]}",
        *("titan",),
        what="a map",
    )
    assert corrected_system(label, oblique) == oblique
    with pytest.raises(CRSError, match=r"longitudes westward.* pole of its oblique map"):
        corrected_system(
            Label("json:ISIS3", {"LongitudeDirection": "PositiveWest", "CenterLongitude": 0.0}),
            oblique,
        )


# Numbers


@pytest.mark.parametrize("dtype", ["u1", "i1", "<u2", ">i2", "<i4", ">i4", "<u4", ">u4", "<f4"])
def test_numbers_are_those_of_the_label_and_zeros_are_data(tmp_path, dtype):
    dtype = np.dtype(dtype)
    values = np.zeros((ROWS, COLUMNS), dtype=dtype)
    if dtype.kind == "f":
        low, high = -0.5, 1.5
    else:
        low, high = np.iinfo(dtype).min + 1, np.iinfo(dtype).max - 7
    values[:, ::3], values[:, 1::3] = low, high
    path = write_pds3(
        tmp_path / "n.lbl", values, **pds3_map(ROWS, COLUMNS, radii=TITAN), target="TITAN"
    )
    titan = circle("titan", 90.0, 0.0, 400.0)
    stats = ["min", "max", "count", "nodata"]
    found = titan.get_stats(path, "c", stats, coverage="center").iloc[0]
    assert (found["min_c"], found["max_c"], found["nodata_c"]) == (min(low, 0), high, 0)
    array = titan.get_arrays(path, "c", coverage="center")["c"].iloc[0]
    assert array.dtype == dtype.newbyteorder("=")
    assert set(np.unique(array.compressed()).tolist()) == {low, 0, high}
    series = titan.get_series([path], "c", "max", times=[1], coverage="center")
    assert series["max"].tolist() == [high]


def test_a_copy_in_which_integers_became_floats_is_refused(tmp_path):
    values = np.ones((ROWS, COLUMNS), dtype="<i4")
    path = write_pds3(
        tmp_path / "n.lbl", values, **pds3_map(ROWS, COLUMNS, radii=TITAN), target="TITAN"
    )
    rasterio.shutil.copy(path, tmp_path / "n.vrt", driver="VRT")
    with pytest.raises(
        RasterError, match=r"n\.vrt: holds the int32 numbers of a PDS3 image as float32"
    ):
        mean(circle("titan", 90.0, 0.0), tmp_path / "n.vrt")


@pytest.mark.parametrize("scaled", [True, False])
def test_scales_may_be_listed_by_band(tmp_path, scaled):
    values = np.stack([np.full((ROWS, COLUMNS), n, "<u2") for n in (100, 200, 300)])
    extra = (" SCALING_FACTOR = (0.1, 0.2, 0.3)", " OFFSET = (1.0, 2.0, 3.0)")
    path = write_pds3(
        *(tmp_path / "b.lbl", values),
        target="TITAN",
        extra=extra,
        **pds3_map(ROWS, COLUMNS, radii=TITAN),
    )
    titan = circle("titan", 90.0, 0.0)
    found = titan.get_stats(path, "c", "max", bands="all", scaled=scaled).iloc[0, -3:].tolist()
    assert found == pytest.approx([11, 42, 93] if scaled else [100, 200, 300])


def test_bands_that_alternate_are_refused_where_gdal_garbles_them(tmp_path):
    path = write_pds3(
        *(tmp_path / "b.lbl", np.zeros((3, ROWS, COLUMNS), "u1")),
        target="TITAN",
        extra=(" BAND_STORAGE_TYPE = SAMPLE_INTERLEAVED",),
        **pds3_map(ROWS, COLUMNS, radii=TITAN),
    )
    with pytest.raises(RasterError, match=r"b\.lbl: its bands alternate from pixel to pixel"):
        mean(circle("titan", 90.0, 0.0), path)


def test_what_is_said_of_other_objects_is_not_of_the_image(tmp_path):
    values = np.full((ROWS, COLUMNS), 100, "u1")
    path = write_pds3(
        *(tmp_path / "i.lbl", values), target="TITAN", **pds3_map(ROWS, COLUMNS, radii=TITAN)
    )
    histogram = "\r\n".join(
        [
            *(
                "OBJECT = IMAGE_HISTOGRAM",
                " ITEMS = 256",
                " OFFSET = 12.0",
                " SCALING_FACTOR = 7.0",
            ),
            *(
                " LINES = 5",
                " SAMPLE_BITS = 32",
                "END_OBJECT = IMAGE_HISTOGRAM",
                "OBJECT = IMAGE\r\n",
            ),
        ]
    )
    path.write_text(path.read_text().replace("OBJECT = IMAGE\n", histogram, 1))
    assert mean(circle("titan", 90.0, 0.0), path, coverage="center") == 100


SATURATED = (
    " CORE_NULL = 0",
    " CORE_HIGH_REPR_SATURATION = (1022, 1023)",
    ' MISSING_CONSTANT = "7<DN>"',
)


@pytest.fixture
def saturated(tmp_path):
    """An image of DN 700 with null, missing and saturated pixels."""
    values = np.full((ROWS, COLUMNS), 700, dtype=">u2")
    for place, special in enumerate((0, 7, 1022, 1023)):
        values[:, place::5] = special
    entries = pds3_map(ROWS, COLUMNS, radii=TITAN)
    return write_pds3(tmp_path / "c.lbl", values, target="TITAN", extra=SATURATED, **entries)


@pytest.mark.parametrize("ending", ["lbl", "vrt"])
def test_constants_of_a_label_are_no_data_in_a_mosaic_either(tmp_path, saturated, ending):
    path = tmp_path / f"c.{ending}"
    if ending != "lbl":
        rasterio.shutil.copy(saturated, path, driver="VRT")
    titan = circle("titan", 90.0, 0.0, 400.0)
    assert mean(titan, path, coverage="center") == 700
    # Another nodata value replaces what was declared for missing pixels, not what was saturated.
    found = titan.get_arrays(path, "c", nodata=700)["c"].iloc[0].compressed()
    assert set(found.tolist()) == {0, 7}


VRT = """<VRTDataset rasterXSize="{columns}" rasterYSize="{rows}"><SRS>{crs}</SRS>
<GeoTransform>{place}</GeoTransform>{bands}</VRTDataset>"""
BAND = """<VRTRasterBand dataType="{dtype}" band="{number}"><SimpleSource>
<SourceFilename relativeToVRT="1">{name}</SourceFilename><SourceBand>1</SourceBand>
<SrcRect xOff="0" yOff="0" xSize="{columns}" ySize="{rows}"/>
<DstRect xOff="0" yOff="0" xSize="{columns}" ySize="{rows}"/></SimpleSource></VRTRasterBand>"""


def write_vrt(path, *names, dtype):
    """A virtual raster with a band for each file beside it."""
    with rasterio.open(path.parent / names[0]) as first:
        size = {"columns": first.width, "rows": first.height}
        crs, place = first.crs.to_proj4(), ", ".join(map(str, first.transform.to_gdal()))
    bands = "".join(
        BAND.format(dtype=dtype, number=number, name=name, **size)
        for number, name in enumerate(names, 1)
    )
    path.write_text(VRT.format(crs=crs, place=place, bands=bands, **size))
    return path


@pytest.mark.parametrize("dtype", ["Float32", "Int32", "Float64"])
def test_special_pixels_outlive_a_wider_dtype(tmp_path, saturated, dtype):
    path = write_vrt(tmp_path / "wide.vrt", saturated.name, dtype=dtype)
    assert mean(circle("titan", 90.0, 0.0, 400.0), path, coverage="center") == 700


def test_sources_of_a_mosaic_may_say_the_same_in_other_words(tmp_path, western_cube):
    mapping = isis_map(
        *(ROWS, COLUMNS),
        target="TITAN",
        radii=TITAN,
        centre='"200.0"',
        LatitudeType="PLANETOCENTRIC",
        LongitudeDirection="PositiveWest",
    )
    write_cube(tmp_path / "again.cub", longitudes(160.0), mapping=mapping)
    path = write_vrt(tmp_path / "m.vrt", western_cube.name, "again.cub", dtype="Float32")
    assert mean(circle("titan", 160.0, 0.0), path) == pytest.approx(160.0, abs=1e-3)
    write_with("GTiff", tmp_path / "plain.tif", longitudes(0.0), radii=TITAN)
    path = write_vrt(tmp_path / "n.vrt", western_cube.name, "plain.tif", dtype="Float32")
    with pytest.raises(
        RasterError, match=r"n\.vrt: the labels of its sources .* say different things"
    ):
        mean(circle("titan", 160.0, 0.0), path)


def test_sources_are_found_as_gdal_finds_them(tmp_path, western_cube, monkeypatch):
    titan = circle("titan", 160.0, 0.0)
    path = write_vrt(tmp_path / "m.vrt", western_cube.name, dtype="Float32")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    link = elsewhere / "link.vrt"
    link.symlink_to(path)
    monkeypatch.chdir(tmp_path)
    for raster in (link, path.read_text(), "m.vrt"):
        assert mean(titan, raster) == pytest.approx(160.0, abs=1e-3)


@pytest.mark.filterwarnings("ignore:Use `@`:PendingDeprecationWarning")
def test_special_pixels_are_not_mixed_with_others(saturated):
    titan = circle("titan", 90.0, 0.0, 400.0)
    with rasterio.open(saturated) as image:
        with WarpedVRT(image, width=360, height=180) as nearest:
            assert mean(titan, nearest, coverage="center") == 700
        bilinear = rasterio.enums.Resampling.bilinear
        with (
            WarpedVRT(image, width=360, height=180, resampling=bilinear) as mixed,
            pytest.raises(
                RasterError, match=r"special pixels that the label of .*c\.lbl names are mixed"
            ),
        ):
            mean(titan, mixed)


def test_saturated_pixels_of_a_cube_are_no_data_in_any_float_raster(tmp_path):
    special = np.arange(0xFF7FFFFB, 0xFF800000, dtype="u4").view("f4")
    values = np.full((ROWS, COLUMNS), 100.0, dtype="f4")
    values[:, : 6 * (COLUMNS // 6)].reshape(ROWS, -1, 6)[..., :5] = special
    mapping = isis_map(ROWS, COLUMNS, target="Titan", radii=TITAN)
    cube = write_cube(tmp_path / "c.cub", values, mapping=mapping)
    titan = circle("titan", 90.0, 0.0, 400.0)
    plain = write_with("GTiff", tmp_path / "plain.tif", values.astype("f8"), radii=TITAN)
    rasters = {"cube": cube, "float64 tif": plain}
    for ending, driver in COPIES.items():
        rasters[driver] = tmp_path / f"c.{ending}"
        rasterio.shutil.copy(cube, rasters[driver], driver=driver)
    found = {name: mean(titan, raster, coverage="center") for name, raster in rasters.items()}
    assert found == dict.fromkeys(rasters, 100)
    place = {"transform": (0.5, 0, -180, 0, -0.5, 90), "raster_crs": "planetocentric"}
    assert mean(titan, values, coverage="center", **place) == 100


@pytest.mark.parametrize("opened", ["label", "image"])
def test_scale_and_offset_beside_a_jp2_are_applied(tmp_path, opened):
    image = write_with(
        *("JP2OpenJPEG", tmp_path / "HEIGHT.JP2", np.full((ROWS, COLUMNS), -3000, "i2")),
        radii=TITAN,
        centre=180.0,
        QUALITY=100,
        REVERSIBLE="YES",
    )
    label = write_pds3(
        *(tmp_path / "HEIGHT_JP2.LBL", np.zeros((ROWS, COLUMNS), "<i2")),
        target="TITAN",
        compressed=image,
        extra=(" SCALING_FACTOR = 0.5 <m>", " OFFSET=2575000.<m>"),
        **pds3_map(ROWS, COLUMNS, radii=TITAN),
    )
    path = {"label": label, "image": image}[opened]
    titan = circle("titan", 90.0, 0.0)
    assert mean(titan, path) == 2573500
    assert mean(titan, path, scaled=False) == -3000
    rasterio.shutil.copy(path, tmp_path / "copy.vrt", driver="VRT")
    assert mean(titan, tmp_path / "copy.vrt") == 2573500


# What is no map


def test_a_cube_before_projection_is_told_cam2map(tmp_path):
    path = write_cube(tmp_path / "raw.cub", latitudes())
    with pytest.raises(CRSError, match=r"raw\.cub: its label describes no map projection.*cam2map"):
        mean(circle("mars", 0.0, 0.0), path)


def test_an_image_without_a_header_is_told_its_label(tmp_path):
    label = pds3_of(tmp_path / "MAP.LBL", "planetocentric")
    with pytest.raises(
        RasterError, match=rf"MAP\.img: cannot be opened.*its label {label} says what it holds"
    ):
        mean(circle("mars", 0.0, 0.0), tmp_path / "MAP.img")
