"""The CRS that files have: the same in other formats, damaged, and looked up once for many files."""

from __future__ import annotations

import itertools
import struct
import warnings

import numpy as np
import pyproj
import pytest
import rasterio
import rasterio.shutil
from rasterio.errors import NotGeoreferencedWarning

import worlds
from craterkit import CraterDatabase, PixelSelection
from craterkit.errors import ArgumentError, CRSError

SIZE = 20
VALUES = np.arange(float(SIZE * SIZE)).reshape(SIZE, SIZE)
MASK = np.zeros((SIZE, SIZE), dtype="uint8")
MASK[10, 8:13] = 1

SPHERE = f"+proj=longlat +R={worlds.MOON}"
#: Numbers that make radii which no test has used.
UNSEEN = itertools.count(1)
PLANE = f"+proj=eqc +R={worlds.MOON}"


def write(path, crs, values=VALUES, pixel=None):
    """A raster about the origin of its coordinates."""
    system = pyproj.CRS.from_user_input(crs)
    pixel = pixel or (1.0 if system.is_geographic else 3e4)
    grid = worlds.patch(0.0, 0.0, pixel, SIZE, system)
    return worlds.write(path, grid, values, dtype=values.dtype)


def features(body="moon"):
    cdb = CraterDatabase(worlds.table(0.0, 0.0, 3e5), body)
    cdb.add_circles("c")
    return cdb


# --- The same ground by other names --------------------------------------------------------------


@pytest.mark.parametrize(("driver", "ending"), [("HFA", "img"), ("ENVI", "dat"), ("netCDF", "nc")])
@pytest.mark.parametrize(
    ("crs", "body"),
    [
        (SPHERE, "moon"),
        (PLANE + " +lat_ts=30 +lon_0=-5", "moon"),
        (f"+proj=sinu +lon_0=3 +R={worlds.MOON}", "moon"),
        (f"+proj=eqc +a={worlds.MARS_A} +b={worlds.MARS_B}", "mars"),
        ("IAU_2015:30100", "moon"),
        ("IAU_2015:49901", "mars"),
    ],
)
def test_copies_in_other_formats_lie_on_the_same_grid(tmp_path, crs, body, driver, ending):
    raster, mask = write(tmp_path / "a.tif", crs), write(tmp_path / "mask.tif", crs, MASK)
    copy, copied_mask = tmp_path / f"a.{ending}", tmp_path / f"mask.{ending}"
    for given, made in ((raster, copy), (mask, copied_mask)):
        rasterio.shutil.copy(given, made, driver=driver)
    pixels, cdb = PixelSelection.from_raster(mask, 1), features(body)
    series = pixels.get_series([raster, copy], times=[1, 2]).to_numpy()
    np.testing.assert_array_equal(series, [VALUES[MASK == 1]] * 2)
    assert pixels == PixelSelection.from_raster(copied_mask, 1)
    assert len(PixelSelection.from_raster(copy, lambda v: v > 209, region=pixels)) == 3
    by_time = cdb.get_series([raster, copy], "c", "mean", times=[1, 2])["mean"].to_numpy()
    assert by_time[0] == by_time[1]
    for how in ({"where": {copied_mask: 1}}, {"weights": copied_mask}):
        found = cdb.get_stats(raster, "c", ["mean"], **how)["mean_c"]
        assert found.tolist() == [VALUES[MASK == 1].mean()]


@pytest.mark.parametrize("swapped", [False, True])
@pytest.mark.parametrize(
    ("crs", "other", "told"),
    [
        (SPHERE, "+proj=longlat +R=1738000", ("1737400 m", "1738000 m")),
        (SPHERE, SPHERE + " +pm=10", ("longitude on", "longitude from the meridian 10° E on")),
        (PLANE, PLANE + " +lon_0=10", ("+lon_0=0 ", "+lon_0=10 ")),
        (PLANE, PLANE + " +lat_ts=30", ("+lat_ts=0 ", "+lat_ts=30 ")),
        (PLANE, PLANE + " +units=us-ft", ("+units=m ", "+units=us-ft ")),
        (PLANE, "+proj=eqc +a=1737400 +rf=300", ("1737400 m", "1731608.667 m")),
        (PLANE, "IAU_2015:49910", ("1737400 m", "of Mars")),
        ('LOCAL_CS["here",UNIT["metre",1]]', 'LOCAL_CS["here",UNIT["foot",0.3048]]', ('"metre"', '"foot"')),
        ("IAU_2015:30110", "IAU_2015:30115", ("+lon_0=0 ", "+lon_0=180 ")),
    ],
)  # fmt: skip
def test_differences_are_told(tmp_path, crs, other, told, swapped):
    """By what places pixels, since names may be the same."""
    one, another = (crs, other)[:: -1 if swapped else 1]
    pixels = PixelSelection.from_raster(write(tmp_path / "mask.tif", one, MASK), 1)
    raster = write(tmp_path / "raster.tif", another)
    with pytest.raises((ArgumentError, CRSError), match=r"raster\.tif") as caught:
        pixels.get_series([raster], times=[1])
    assert all(text in str(caught.value) for text in told)


@pytest.mark.parametrize("named_first", [False, True])
def test_a_sphere_without_a_name_is_that_of_a_body_with_its_radius(tmp_path, named_first):
    crs = ("IAU_2015:30100", SPHERE)[:: 1 if named_first else -1]
    pixels = PixelSelection.from_raster(write(tmp_path / "mask.tif", crs[0], MASK), 1)
    series = pixels.get_series([write(tmp_path / "week.tif", crs[1])], times=[1])
    np.testing.assert_array_equal(series.to_numpy()[0], VALUES[MASK == 1])


def test_metres_under_a_lon_lat_crs_are_no_place_but_the_same_pixels(tmp_path):
    mask = write(tmp_path / "mask.tif", SPHERE, MASK, pixel=3e4)
    week, copy = write(tmp_path / "week.tif", SPHERE, pixel=3e4), tmp_path / "week.img"
    rasterio.shutil.copy(week, copy, driver="HFA")
    series = PixelSelection.from_raster(mask, 1).get_series([week, copy], times=[1, 2]).to_numpy()
    np.testing.assert_array_equal(series, [VALUES[MASK == 1]] * 2)
    with pytest.raises(CRSError, match=r"week\.tif: .*latitude 300000 to -300000.*raster_crs="):
        features().get_stats(week, "c")
    assert features().get_stats(week, "c", "count", raster_crs=PLANE)["count_c"][0] > 300


# --- What cannot be read -------------------------------------------------------------------------

MOON_WKT = (
    'GEOGCS["Moon",DATUM["Moon",SPHEROID["Moon",{radius},0]],PRIMEM["Reference",0],'
    'UNIT["degree",{unit}]]'
)
BASE = MOON_WKT.format(radius=worlds.MOON, unit=np.radians(1.0))


def projected(method, metre=1):
    return f'PROJCS["map",{BASE},PROJECTION["{method}"],UNIT["metre",{metre}]]'


@pytest.mark.parametrize(
    "wkt",
    [
        projected("Invented"),
        projected("Lambert_Conformal_Conic_2SP"),
        projected("Equirectangular", metre=0),
        projected("Stereographic").replace("],UNIT", '],PARAMETER["latitude_of_origin",200],UNIT'),
        'LOCAL_CS["here",UNIT["metre",1]]',
        MOON_WKT.format(radius=0, unit=1),
        MOON_WKT.format(radius="nan", unit=1),
        MOON_WKT.format(radius=worlds.MOON, unit=0),
        MOON_WKT.format(radius=worlds.MOON, unit=-0.01),
        'PROJCS["cut",GEO',
    ],
)
def test_a_crs_that_cannot_be_used(tmp_path, wkt):
    """PROJ cannot build some, GDAL not even read others."""
    raster = tmp_path / "map.vrt"
    write(tmp_path / "map.tif", PLANE)
    rasterio.shutil.copy(tmp_path / "map.tif", raster, driver="VRT")
    text = raster.read_text()
    start, end = text.index("<SRS"), text.index("</SRS>")
    raster.write_text(f"{text[:start]}<SRS>{wkt.replace(chr(34), '&quot;')}{text[end:]}")
    check_refused_but_for_raster_crs(raster)
    with pytest.raises(CRSError, match=r"^raster_crs: .*raster_crs="):
        features().get_stats(tmp_path / "map.tif", "c", raster_crs=wkt)


@pytest.mark.parametrize(
    ("tag", "value"),
    [(34735, b"\0"), (34735, b"\xff"), (34736, b"\0"), (34736, struct.pack("<d", np.nan))],
)
def test_damaged_keys_of_a_geotiff(tmp_path, tag, value):
    """For an ellipsoid that it cannot read, GDAL takes the Earth's."""
    path = write(tmp_path / "map.tif", PLANE)
    data = bytearray(path.read_bytes())
    (directory,) = struct.unpack_from("<I", data, 4)
    (count,) = struct.unpack_from("<H", data, directory)
    entries = (struct.unpack_from("<HHII", data, directory + 2 + 12 * i) for i in range(count))
    (kind, number, place), = ((k, n, p) for found, k, n, p in entries if found == tag)  # fmt: skip
    size = number * {3: 2, 12: 8}[kind]
    data[place : place + size] = value * (size // len(value))
    path.write_bytes(data)
    check_refused_but_for_raster_crs(path)
    with pytest.raises(CRSError, match=r"map\.tif: .*raster_crs="):
        features("earth").get_stats(path, "c")


def check_refused_but_for_raster_crs(raster):
    expected = None
    for given in (raster, raster.with_name("map.tif")):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", NotGeoreferencedWarning)
            found = features().get_stats(given, "c", ["count", "mean"], raster_crs=PLANE)
        expected = found if expected is None else expected
        assert found.iloc[0].equals(expected.iloc[0])
    assert expected["count_c"][0] > 300
    with pytest.raises(CRSError, match=rf"{raster.name}: .*raster_crs="):
        features().get_stats(raster, "c")
    pixels = PixelSelection.from_raster(raster, 7.0)
    assert pixels.grid is None
    assert (
        PixelSelection.from_raster(raster, 7.0, raster_crs=PLANE, body="moon").body.name == "Moon"
    )
    assert pixels.get_series([raster], times=[1]).to_numpy().tolist() == [[7.0]]


# --- Looked up once ------------------------------------------------------------------------------


@pytest.mark.parametrize("body", [None, "moon"])
@pytest.mark.parametrize("projection", ["longlat", "eqc", "stere"])
def test_files_of_one_crs_share_what_is_found_out_about_it(tmp_path, monkeypatch, projection, body):
    made = []
    build = pyproj.CRS.__init__
    monkeypatch.setattr(
        pyproj.CRS,
        "__init__",
        lambda self, *given, **more: made.append(build(self, *given, **more)),
    )
    counts = []
    for number in (1, 2, 12):
        crs = f"+proj={projection} +R={worlds.MOON + next(UNSEEN) / 64}"
        rasters = [write(tmp_path / f"{number}_{i}.tif", crs) for i in range(number)]
        mask = write(tmp_path / f"mask_{number}.tif", crs, MASK)
        made.clear()
        pixels = PixelSelection.from_raster(mask, 1, body=body)
        pixels.get_series(rasters, times=range(number))
        features().get_series(rasters, "c", "mean", times=range(number))
        counts.append(len(made))
    # Bodies are looked up with the very first.
    assert counts[1] == counts[2] > 0
