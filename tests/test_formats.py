"""File formats: the same field in any of them gives the same numbers, in the right place.

GDAL reads them all; what is tested is that places, special pixels, scales and bands come through.
"""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import rasterio
import rasterio.shutil
from rasterio.control import GroundControlPoint
from rasterio.errors import NotGeoreferencedWarning
from rasterio.rpc import RPC
from rasterio.vrt import WarpedVRT

import worlds
from craterkit import CraterDatabase
from craterkit.errors import CRSError, RasterError
from craterkit.rasters.band_names import netcdf_band_names
from craterkit.rasters.planetary_labels import special_constant

STATS = ["mean", "count", "std", "min", "max", "sum", "median"]


@pytest.fixture(scope="module")
def cdb():
    """Craters in the open, on the seam, at a pole and in each quarter of the globe."""
    lon, lat = [10.3, 179.8, -0.4, 100.0, -75.2], [5.1, -40.2, 33.3, 89.0, -61.0]
    cdb = CraterDatabase(worlds.table(lon, lat, worlds.metres(4.0)), "moon")
    cdb.add_annuli("rim", 1, 1.7)
    return cdb


# One field in many formats


def write_with(driver, path, grid, values, **profile):
    """Write through GDAL."""
    bands = values.reshape(-1, *grid.shape)
    with rasterio.open(
        path,
        "w",
        driver=driver,
        count=bands.shape[0],
        height=grid.shape[0],
        width=grid.shape[1],
        dtype=values.dtype,
        crs=rasterio.CRS.from_wkt(grid.crs.to_wkt()),
        transform=grid.transform,
        **profile,
    ) as file:
        file.write(bands)
    return path


def write_cog(path, grid, values):
    source = worlds.write(path.with_suffix(".plain.tif"), grid, values, dtype=values.dtype.name)
    rasterio.shutil.copy(source, path, driver="COG", blocksize=128, compress="deflate")
    return path


def write_vrt(path, grid, values):
    """A mosaic of a western and an eastern tile."""
    half = grid.shape[1] // 2
    sources = []
    for i, columns in enumerate((slice(0, half), slice(half, None))):
        west = grid.transform.c + i * half * grid.transform.a
        part = worlds.lonlat(grid.transform.a, west)
        part = worlds.Grid(
            (grid.shape[0], half), part.transform, grid.crs, grid.lon[columns], grid.lat
        )
        tile = path.with_name(f"tile{i}.tif")
        worlds.write(tile, part, values[:, columns], dtype=values.dtype.name)
        sources.append(
            f'<SimpleSource><SourceFilename relativeToVRT="1">{tile.name}</SourceFilename>'
            f"<SourceBand>1</SourceBand>"
            f'<SrcRect xOff="0" yOff="0" xSize="{half}" ySize="{grid.shape[0]}"/>'
            f'<DstRect xOff="{i * half}" yOff="0" xSize="{half}" ySize="{grid.shape[0]}"/>'
            "</SimpleSource>"
        )
    wkt = grid.crs.to_wkt("WKT1_GDAL").replace('"', "&quot;")
    path.write_text(
        f'<VRTDataset rasterXSize="{grid.shape[1]}" rasterYSize="{grid.shape[0]}"><SRS>{wkt}</SRS>'
        f"<GeoTransform>{', '.join(map(str, grid.transform.to_gdal()))}</GeoTransform>"
        f'<VRTRasterBand dataType="Int16" band="1">{"".join(sources)}</VRTRasterBand></VRTDataset>'
    )
    return path


def write_netcdf(path, grid, values, times=None, units="days since 2009-06-18", **attributes):
    """NetCDF 3 by the CF conventions, with pixels' centres as coordinates."""
    netcdf_file = pytest.importorskip("scipy.io").netcdf_file
    with netcdf_file(path, "w") as file:
        file.Conventions = "CF-1.8"
        for name, centres in (("lat", grid.lat), ("lon", grid.lon)):
            file.createDimension(name, centres.size)
            coordinate = file.createVariable(name, "f8", (name,))
            coordinate[:] = centres
            coordinate.units = "degrees_north" if name == "lat" else "degrees_east"
        dims = ("lat", "lon")
        if times is not None:
            file.createDimension("time", len(times))
            coordinate = file.createVariable("time", "f8", ("time",))
            coordinate[:] = times
            coordinate.units = units
            dims = ("time", *dims)
        crs = file.createVariable("crs", "i4", ())
        crs.grid_mapping_name = "latitude_longitude"
        crs.spatial_ref = grid.crs.to_wkt("WKT1_GDAL")
        variable = file.createVariable("height", values.dtype, dims)
        variable[:] = values
        variable.grid_mapping = "crs"
        for name, value in attributes.items():
            setattr(variable, name, value)
    return path


PDS3_LABEL = """\
PDS_VERSION_ID = PDS3
RECORD_TYPE = FIXED_LENGTH
RECORD_BYTES = {bytes}
FILE_RECORDS = {rows}
^IMAGE = "{image}"
TARGET_NAME = MOON
OBJECT = IMAGE
  LINES = {rows}
  LINE_SAMPLES = {columns}
  SAMPLE_TYPE = LSB_INTEGER
  SAMPLE_BITS = 16
  SCALING_FACTOR = {scale}
  OFFSET = {offset}
  MISSING_CONSTANT = -32768
{more}END_OBJECT = IMAGE
OBJECT = IMAGE_MAP_PROJECTION
  MAP_PROJECTION_TYPE = "SIMPLE CYLINDRICAL"
  A_AXIS_RADIUS = 1737.4 <KM>
  B_AXIS_RADIUS = 1737.4 <KM>
  C_AXIS_RADIUS = 1737.4 <KM>
  COORDINATE_SYSTEM_NAME = "PLANETOCENTRIC"
  POSITIVE_LONGITUDE_DIRECTION = "{direction}"
  CENTER_LATITUDE = 0.0 <DEG>
  CENTER_LONGITUDE = {center} <DEG>
  MAP_RESOLUTION = {per_degree} <PIX/DEG>
  MAP_SCALE = {kilometres} <KM/PIXEL>
  LINE_PROJECTION_OFFSET = {line} <PIXEL>
  SAMPLE_PROJECTION_OFFSET = {sample} <PIXEL>
END_OBJECT = IMAGE_MAP_PROJECTION
END
"""


def write_pds3(path, grid, values, scale=1.0, offset=0.0, center=0.0, direction="EAST", more=""):
    """A label as those of LOLA's maps, whose offsets count from the centre of the first pixel."""
    rows, columns = grid.shape
    pixel = grid.transform.a
    image = path.with_suffix(".img")
    values.astype("<i2").tofile(image)
    label = PDS3_LABEL.format(
        rows=rows,
        columns=columns,
        bytes=2 * columns,
        image=image.name,
        scale=scale,
        offset=offset,
        center=center,
        direction=direction,
        more=more,
        per_degree=1 / pixel,
        kilometres=float(np.radians(pixel) * worlds.MOON / 1000),
        line=rows / 2 - 0.5,
        sample=columns / 2 - 0.5,
    )
    path.write_text(label.replace("\n", "\r\n"))
    return path


FORMATS = {
    "tif": lambda path, *field: write_with("GTiff", path, *field),
    "cog.tif": write_cog,
    "cub": lambda path, *field: write_with("ISIS3", path, *field),
    "xml": lambda path, *field: write_with("PDS4", path, *field),
    "vic": lambda path, *field: write_with("VICAR", path, *field),
    "lbl": write_pds3,
    "vrt": write_vrt,
    "nc": write_netcdf,
    "zarr": lambda path, *field: write_with("Zarr", path, *field),
    "img": lambda path, *field: write_with("HFA", path, *field),
}


def longitudes(grid):
    lon, _ = grid.mesh
    return np.round(100 * (np.mod(lon + 180, 360) - 180))


def latitudes(grid):
    return np.round(100 * grid.mesh[1])


def noise(grid):
    return np.random.default_rng(3).integers(-3000, 3000, grid.shape)


@pytest.mark.parametrize("ending", FORMATS)
def test_every_format_gives_the_numbers_of_the_geotiff(cdb, tmp_path, ending):
    grid = worlds.lonlat(1.0)
    values = noise(grid).astype("int16")
    path = FORMATS[ending](tmp_path / f"field.{ending}", grid, values)
    found = cdb.get_stats(path, "rim", STATS)
    expected = cdb.get_stats(worlds.write(tmp_path / "a.tif", grid, values), "rim", STATS)
    for column in expected:
        np.testing.assert_allclose(found[column], expected[column], rtol=1e-12, err_msg=column)


@pytest.mark.parametrize("west", [-180.0, 0.0])
@pytest.mark.parametrize("ending", [e for e in FORMATS if e not in ("vrt", "cog.tif")])
def test_every_format_puts_pixels_where_they_belong(tmp_path, ending, west):
    """A field that is its own longitude, or latitude: 100 times, in degrees."""
    lon, lat = np.array([-100.0, -31.0, 77.0, 140.0]), np.array([-50.0, 23.0, 61.0, -7.0])
    cdb = CraterDatabase(worlds.table(lon, lat, worlds.metres(1.5)), "moon")
    cdb.add_circles("c")
    grid = worlds.lonlat(1.0, west=west)
    options = {"center": west + 180.0} if ending == "lbl" else {}
    for field, expected in ((longitudes, lon), (latitudes, lat)):
        path = tmp_path / f"{field.__name__}.{ending}"
        FORMATS[ending](path, grid, field(grid).astype("int16"), **options)
        found = (
            cdb.get_stats(path, "c", "mean", coverage="fraction", weights="area")["mean_c"] / 100
        )
        np.testing.assert_allclose(found, expected, atol=0.05)


def test_labels_of_isis_and_pds4_give_equirectangular_metres(tmp_path):
    """What a lon/lat grid becomes there; all columns still wrap around the body."""
    grid = worlds.lonlat(1.0)
    for ending in ("cub", "xml"):
        path = FORMATS[ending](tmp_path / f"a.{ending}", grid, noise(grid).astype("int16"))
        with rasterio.open(path) as file:
            assert file.crs.is_projected
            assert file.transform.a == pytest.approx(np.radians(1) * worlds.MOON)


# Special pixels

#: Null, low representation, low instrument, high instrument, high representation saturation.
ISIS_SPECIAL = {
    "uint8": [0, 255],
    "int16": [-32768, -32767, -32766, -32765, -32764],
    "uint16": [0, 1, 2, 65534, 65535],
    "float32": np.arange(0xFF7FFFFB, 0xFF800000, dtype=np.uint32).view(np.float32),
}
ISIS_EXTREMES = {
    "uint8": [1, 254],
    "int16": [-32752, 32767],
    "uint16": [3, 65522],
    "float32": [np.uint32(0xFF7FFFFA).view(np.float32), np.finfo(np.float32).max],
}
ISIS_RESERVED = {"int16": [-32763, -32753], "uint16": [65523, 65533]}


@pytest.fixture
def square():
    """A crater that holds a raster of 4 x 4 pixels."""
    cdb = CraterDatabase(worlds.table(0.0, 0.0, worlds.metres(2.9)), "moon")
    cdb.add_circles("c")
    return cdb


@pytest.mark.parametrize("dtype", ISIS_SPECIAL)
def test_special_pixels_of_a_cube_are_no_data(tmp_path, square, dtype):
    special = np.append(ISIS_SPECIAL[dtype], np.array(ISIS_RESERVED.get(dtype, []))).astype(dtype)
    extremes = np.array(ISIS_EXTREMES[dtype], dtype=dtype)
    values = np.full(16, 100, dtype=dtype)
    values[: special.size] = special
    values[-2:] = extremes
    grid = worlds.patch(0.0, 0.0, 1.0, 4)
    path = write_with("ISIS3", tmp_path / "special.cub", grid, values.reshape(4, 4))
    found = square.get_stats(path, "c", ["count", "min", "max", "nodata"]).iloc[0]
    assert found["count_c"] == 16 - special.size
    assert found["nodata_c"] == special.size
    assert found["min_c"] == extremes[0]
    assert found["max_c"] == extremes[1]
    array = square.get_arrays(path, "c")["c"].iloc[0]
    np.testing.assert_array_equal(array.compressed(), values[special.size :])


def test_nodata_adds_to_the_special_pixels_of_a_cube(tmp_path, square):
    values = np.full((4, 4), 100, dtype="int16")
    values[0] = -32768, -32767, -32764, 7
    path = write_with("ISIS3", tmp_path / "s.cub", worlds.patch(0.0, 0.0, 1.0, 4), values)
    assert square.get_stats(path, "c", "count")["count_c"].tolist() == [13]
    assert square.get_stats(path, "c", "count", nodata=7)["count_c"].tolist() == [12]


def test_base_and_multiplier_of_a_cube_are_applied(tmp_path, square):
    values = np.full((4, 4), 100, dtype="int16")
    values[0, 0] = -32765
    path = write_with("ISIS3", tmp_path / "s.cub", worlds.patch(0.0, 0.0, 1.0, 4), values)
    label = path.read_bytes()
    for key, old, new in ((b"Base       = ", b"0.0", b"5.5"), (b"Multiplier = ", b"1.0", b"0.5")):
        assert label.count(key + old) == 1
        label = label.replace(key + old, key + new)
    path.write_bytes(label)
    found = square.get_stats(path, "c", ["mean", "count"]).iloc[0]
    assert found["mean_c"] == 55.5
    assert found["count_c"] == 15


def test_special_constants_of_pds4_are_no_data(tmp_path, square):
    values = np.arange(16, dtype="float32").reshape(4, 4)
    path = write_with("PDS4", tmp_path / "s.xml", worlds.patch(0.0, 0.0, 1.0, 4), values)
    constants = """</Axis_Array>
        <Special_Constants>
          <missing_constant>3</missing_constant>
          <high_instrument_saturation>4</high_instrument_saturation>
          <low_representation_saturation>9</low_representation_saturation>
        </Special_Constants>"""
    text = path.read_text()
    end = text.rindex("</Axis_Array>")
    path.write_text(text[:end] + constants + text[end + len("</Axis_Array>") :])
    found = square.get_stats(path, "c", ["count", "sum"]).iloc[0]
    assert found["count_c"] == 13
    assert found["sum_c"] == values.sum() - 16
    assert square.get_stats(path, "c", "count", nodata=0)["count_c"].tolist() == [12]
    kept = [v for v in range(16) if v not in (3, 4, 9)]
    assert square.get_arrays(path, "c")["c"].iloc[0].compressed().tolist() == kept


def test_a_pds3_label_gives_scale_offset_and_what_is_missing(tmp_path, square):
    values = np.full((4, 4), 100)
    values[0, :2] = -32768
    path = write_pds3(tmp_path / "s.lbl", worlds.patch(0, 0, 1.0, 4), values, scale=0.5, offset=1e3)
    found = square.get_stats(path, "c", ["mean", "count"]).iloc[0]
    assert found["mean_c"] == 1050
    assert found["count_c"] == 14


@pytest.mark.parametrize(
    ("constant", "value"),
    [
        ("CORE_LOW_REPR_SATURATION = -32767", -32767),
        ("HIGH_INSTR_SATURATION = 1022", 1022),
        ("CORE_HIGH_REPR_SATURATION = 16#8004#", -32764),
        ("INVALID_CONSTANT = 7.0", 7),
    ],
)
def test_special_constants_of_a_pds3_label_are_no_data(tmp_path, square, constant, value):
    values = np.full((4, 4), 100)
    values[0] = -32768, value, value, 101
    grid = worlds.patch(0, 0, 1.0, 4)
    plain = write_pds3(tmp_path / "plain.lbl", grid, values)
    assert square.get_stats(plain, "c", "count")["count_c"].tolist() == [15]
    path = write_pds3(tmp_path / "s.lbl", grid, values, more=f"  {constant}\n")
    assert square.get_stats(path, "c", "count")["count_c"].tolist() == [13]
    # nodata= replaces the value for missing pixels alone.
    assert square.get_stats(path, "c", "count", nodata=101)["count_c"].tolist() == [13]
    assert square.get_arrays(path, "c")["c"].iloc[0].count() == 13


def test_bits_of_a_constant_are_those_of_its_pixels():
    for text, dtype, value in (
        ("16#FF7FFFFB#", "float32", -3.4028226550889045e38),
        ('"16#FFFC#"', "int16", -4),
        ("2#101#", "uint8", 5),
        ("16#FF7FFFFB#", "int16", None),
        ("UNK", "int16", None),
        (0.5, "int16", None),
        (-3.40282265508890445e38, "float32", -3.4028226550889045e38),
    ):
        assert special_constant(text, np.dtype(dtype)) == value


# Longitudes that grow westward


def turned_west(path, center):
    """Give the label of a cube west-positive longitudes about a central meridian."""
    label = path.read_bytes()
    for old, new in (
        (b"LongitudeDirection   = PositiveEast\n", b"LongitudeDirection   = PositiveWest\n"),
        (b"    CenterLongitude      = 0.0\n", f"   CenterLongitude      = {center:g}\n".encode()),
    ):
        assert label.count(old) == 1
        label = label.replace(old, new.rjust(len(old)), 1)
    path.write_bytes(label)
    return path


def test_a_cube_with_west_positive_longitudes_lies_where_its_label_says(tmp_path):
    """ISIS maps west-positive longitudes mirrored: east is on the right in any case."""
    grid = worlds.lonlat(1.0)
    cdb = CraterDatabase(worlds.table([-31.0, 77.0], [23.0, -50.0], worlds.metres(1.5)), "moon")
    cdb.add_circles("c")
    values = longitudes(grid).astype("int16")
    options = {"coverage": "fraction", "weights": "area"}
    path = turned_west(write_with("ISIS3", tmp_path / "mid0.cub", grid, values), 0.0)
    found = cdb.get_stats(path, "c", "mean", **options)["mean_c"] / 100
    np.testing.assert_allclose(found, [-31, 77], atol=0.05)
    # The map's middle is 90° W, that is -90° E: columns begin at 90° E.
    values = longitudes(worlds.lonlat(1.0, west=-270.0)).astype("int16")
    path = turned_west(write_with("ISIS3", tmp_path / "mid90.cub", grid, values), 90)
    right = f"+proj=eqc +lon_0=-90 +R={worlds.MOON} +units=m"
    for crs in (None, right):
        found = cdb.get_stats(path, "c", "mean", raster_crs=crs, **options)["mean_c"] / 100
        np.testing.assert_allclose(found, [-31, 77], atol=0.05)


@pytest.mark.parametrize("ending", ["lbl", "vic"])
def test_other_labels_may_count_longitudes_westward(tmp_path, ending):
    cdb = CraterDatabase(worlds.table([-31.0, 77.0], [23.0, -50.0], worlds.metres(1.5)), "moon")
    cdb.add_circles("c")
    values = longitudes(worlds.lonlat(1.0, west=-270.0)).astype("int16")
    path = tmp_path / f"west.{ending}"
    if ending == "lbl":
        write_pds3(path, worlds.lonlat(1.0), values, center=90.0, direction="WEST")
    else:
        grid = worlds.equirectangular(1.0, middle=90.0)
        write_with("VICAR", path, grid, values, POSITIVE_LONGITUDE_DIRECTION="WEST")
    options = {"coverage": "fraction", "weights": "area"}
    for crs in (None, f"+proj=eqc +lon_0=-90 +R={worlds.MOON} +units=m"):
        found = cdb.get_stats(path, "c", "mean", raster_crs=crs, **options)["mean_c"] / 100
        np.testing.assert_allclose(found, [-31, 77], atol=0.05)


def test_pds4_counts_longitudes_westward_by_itself(tmp_path):
    grid = worlds.equirectangular(1.0, middle=90.0)
    cdb = CraterDatabase(worlds.table([-31.0, 77.0], [23.0, -50.0], worlds.metres(1.5)), "moon")
    cdb.add_circles("c")
    values = longitudes(worlds.lonlat(1.0, west=-270.0)).astype("int16")
    path = write_with("PDS4", tmp_path / "west.xml", grid, values)
    text = path.read_text()
    assert text.count("Positive East") == 1
    path.write_text(text.replace("Positive East", "Positive West"))
    found = cdb.get_stats(path, "c", "mean", coverage="fraction", weights="area")["mean_c"] / 100
    np.testing.assert_allclose(found, [-31, 77], atol=0.05)


# Bands and subdatasets


def test_times_of_a_netcdf_name_its_bands(cdb, tmp_path):
    grid = worlds.lonlat(1.0)
    values = np.stack([noise(grid) + i for i in range(3)]).astype("int16")
    path = write_netcdf(tmp_path / "t.nc", grid, values, times=[0, 31.5, 365])
    found = cdb.get_stats(path, "rim", "min", bands="all")
    names = ["2009-06-18T00:00", "2009-07-19T12:00", "2010-06-18T00:00"]
    assert list(found.filter(like="min")) == [f"min_{name}_rim" for name in names]
    first = found[f"min_{names[0]}_rim"]
    for i, name in enumerate(names):
        np.testing.assert_array_equal(found[f"min_{name}_rim"], first + i)
    one = cdb.get_stats(path, "rim", "min", bands=names[1])
    np.testing.assert_array_equal(one["min_rim"], first + 1)


@pytest.mark.parametrize(
    ("units", "calendar", "positions", "names"),
    [
        ("hours since 2000-01-01 00:00:00", "", ["0", "24"], ["2000-01-01", "2000-01-02"]),
        ("seconds since 1970-01-01T00:00:00Z", "standard", ["30"], ["1970-01-01T00:00:30"]),
        ("days since 0001-01-01", "proleptic_gregorian", ["365"], ["0002-01-01"]),
        ("days since 2000-01-01", "360_day", ["59", "60.5"], ["59", "60.5"]),
        ("months since 2000-01-01", "", ["1"], ["1"]),
        ("days since launch", "", ["1"], ["1"]),
        ("micrometre", "", ["0.75"], ["0.75"]),
    ],
)
def test_positions_along_an_axis_are_decoded_if_they_are_times(units, calendar, positions, names):
    bands = [{"NETCDF_DIM_axis": position, "NETCDF_VARNAME": "v"} for position in positions]
    assert netcdf_band_names({"axis#units": units, "axis#calendar": calendar}, bands) == names


def test_two_axes_name_bands_together():
    bands = [{"NETCDF_DIM_time": "0", "NETCDF_DIM_level": level} for level in ("10", "20")]
    found = netcdf_band_names({"time#units": "days since 2000-01-01"}, bands)
    assert found == ["2000-01-01_10", "2000-01-01_20"]
    assert netcdf_band_names({}, [{}, {}]) == ["", ""]


def test_scale_and_fill_value_of_a_netcdf_are_applied(tmp_path, square):
    values = np.full((4, 4), 100, dtype="int16")
    values[0, :2] = -999
    attributes = {"scale_factor": 0.5, "add_offset": 10.0, "_FillValue": np.int16(-999)}
    path = write_netcdf(tmp_path / "s.nc", worlds.patch(0, 0, 1.0, 4), values, **attributes)
    found = square.get_stats(path, "c", ["mean", "count"]).iloc[0]
    assert found["mean_c"] == 60
    assert found["count_c"] == 14


def test_a_file_of_several_rasters_is_refused_with_their_names(cdb, tmp_path):
    netcdf_file = pytest.importorskip("scipy.io").netcdf_file
    grid = worlds.lonlat(1.0)
    values = noise(grid).astype("int16")
    path = write_netcdf(tmp_path / "two.nc", grid, values)
    with netcdf_file(path, "a") as file:
        other = file.createVariable("albedo", "i2", ("lat", "lon"))
        other[:] = -values
        other.grid_mapping = "crs"
    with pytest.raises(
        RasterError, match=r"two\.nc: holds no bands.*(?i:netcdf):.*two\.nc.*:albedo"
    ):
        cdb.get_stats(path, "rim")
    found = cdb.get_stats(f'NETCDF:"{path}":albedo', "rim", ["min", "max"])
    expected = cdb.get_stats(f'NETCDF:"{path}":height', "rim", ["min", "max"])
    np.testing.assert_array_equal(found["min_rim"], -expected["max_rim"])


# Rasters that are not located by an affine transform


def located_by(path, how):
    """A raster located by control points or rational polynomials only."""
    grid = worlds.lonlat(10.0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NotGeoreferencedWarning)
        worlds.write(path, grid, np.float64(1), crs=False, transform=False)
        with rasterio.open(path, "r+") as file:
            if how == "gcps":
                places = [(row, column) for row in (1, 8, 17) for column in (1, 15, 34)]
                points = [
                    GroundControlPoint(row, column, 10 * column - 180, 90 - 10 * row)
                    for row, column in places
                ]
                file.gcps = points, rasterio.CRS.from_wkt(grid.crs.to_wkt())
            else:
                one = [1.0] + [0.0] * 19
                file.rpcs = RPC(
                    0, 1, 0, 1, one, one, 0, 1, 0, 1, one, one, 0, 1, err_bias=0, err_rand=0
                )
    return path


@pytest.mark.parametrize(("how", "name"), [("gcps", "9 ground control points"), ("rpcs", "RPCs")])
def test_rasters_that_need_warping_are_refused_with_the_command(cdb, tmp_path, how, name):
    path = located_by(tmp_path / "swath.tif", how)
    with pytest.raises(
        CRSError, match=rf"swath\.tif.*{name}.*gdalwarp -t_srs .*swath\.tif.*transform="
    ):
        cdb.get_stats(path, "rim")
    grid = worlds.lonlat(10.0)
    found = cdb.get_stats(
        path, "rim", "mean", transform=grid.transform, raster_crs="planetocentric"
    )
    assert found["mean_rim"].tolist() == [1] * len(cdb)


def test_what_was_warped_by_control_points_is_read(cdb, tmp_path):
    path = located_by(tmp_path / "swath.tif", "gcps")
    crs = rasterio.CRS.from_wkt(worlds.MOON_CRS.to_wkt())
    with rasterio.open(path) as file, WarpedVRT(file, src_crs=crs, crs=crs) as warped:
        found = cdb.get_stats(warped, "rim", ["mean", "count"])
    assert (found["mean_rim"] == 1).all()
    assert (found["count_rim"] > 0).all()


def test_a_raster_without_a_place_is_told_how_to_get_one(cdb, tmp_path):
    path = worlds.write(tmp_path / "photo.tif", worlds.lonlat(1.0), np.float64(1), transform=False)
    with pytest.raises(CRSError, match=r"photo\.tif.*georeferenc.*transform=.*gdal_edit -a_ullr"):
        cdb.get_stats(path, "rim")


# Threads


def test_threads_read_cubes_and_masks_alike(cdb, tmp_path):
    grid = worlds.lonlat(1.0)
    path = write_with("ISIS3", tmp_path / "a.cub", grid, noise(grid).astype("int16"))
    one, two = (cdb.get_stats(path, "rim", STATS, n_jobs=n) for n in (1, 2))
    np.testing.assert_array_equal(one.to_numpy(), two.to_numpy())
