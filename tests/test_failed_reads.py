"""Reads that fail: GDAL may give zeros after one, or for the missing source of a mosaic; craterkit gives none.

The world is a mosaic of 50 in the west and 51 in the east, so any other number is made up.
"""

from __future__ import annotations

import struct
import warnings

import numpy as np
import pandas as pd
import pytest
import rasterio
import rasterio.shutil
from affine import Affine
from rasterio.errors import NotGeoreferencedWarning
from rasterio.io import MemoryFile
from rasterio.vrt import WarpedVRT

from craterkit import CraterDatabase, Flag, PixelSelection
from craterkit.errors import RasterError, UnreadableWarning

CRS = "+proj=longlat +R=1737400"
WEST, EAST = 50, 51
SOURCE = """<SimpleSource><SourceFilename relativeToVRT="1">{name}</SourceFilename>
<SourceBand>1</SourceBand><SrcRect xOff="0" yOff="0" xSize="900" ySize="900"/>
<DstRect xOff="{left}" yOff="0" xSize="900" ySize="900"/></SimpleSource>"""
MOSAIC = f"""<VRTDataset rasterXSize="1800" rasterYSize="900"><SRS>{CRS}</SRS>
<GeoTransform>-180,.2,0,90,0,-.2</GeoTransform><VRTRasterBand dataType="Byte" band="1">
{{sources}}</VRTRasterBand></VRTDataset>"""


def write_tile(path, value, west, **profile):
    with rasterio.open(
        *(path, "w"),
        **({"driver": "GTiff", "tiled": True, "blockxsize": 128, "blockysize": 128} | profile),
        width=900,
        height=900,
        count=1,
        dtype="uint8",
        crs=CRS,
        transform=Affine(0.2, 0, west, 0, -0.2, 90),
    ) as file:
        file.write(np.full((900, 900), value, dtype=np.uint8), 1)
    return path


@pytest.fixture
def mosaic(tmp_path):
    """A mosaic whose eastern tile is missing."""
    write_tile(tmp_path / "west.tif", WEST, -180.0)
    sources = [
        SOURCE.format(name=name, left=left) for name, left in (("west.tif", 0), ("east.tif", 900))
    ]
    path = tmp_path / "mosaic.vrt"
    path.write_text(MOSAIC.format(sources="".join(sources)))
    return path


@pytest.fixture(scope="module")
def cdb():
    """Circles all over the globe, none of which lies on both tiles."""
    random = np.random.default_rng(5)
    lon = np.concatenate([random.uniform(-165, -15, 40), random.uniform(15, 165, 40)])
    lat = random.uniform(-60, 60, lon.size)
    cdb = CraterDatabase(pd.DataFrame({"lat": lat, "lon": lon, "radius_km": 60.0}), "moon")
    cdb.add_circles("c")
    return cdb


@pytest.fixture(scope="module")
def western(cdb):
    return cdb[cdb.lon.to_numpy() < 0]


def assert_only_the_west(cdb, found, means="mean_c", flags="flags_c"):
    west = cdb.lon < 0
    assert (found[means][west] == WEST).all()
    assert found[means][~west].isna().all()
    np.testing.assert_array_equal((found[flags] & Flag.UNREADABLE) != 0, ~west)


def nested(path):
    """A mosaic of the mosaic."""
    outer = path.with_name("outer.vrt")
    rasterio.shutil.copy(path, outer, driver="VRT")
    return outer


MISSING = r"cannot be read in rows \d+ to \d+, columns \d+ to \d+: .*east\.tif: No such file"


@pytest.mark.parametrize("threads", [1, 4])
@pytest.mark.parametrize("made_of", [lambda path: path, nested])
def test_a_missing_tile_is_an_error_or_flagged_never_zeros(cdb, mosaic, made_of, threads):
    path = made_of(mosaic)
    with pytest.raises(RasterError, match=MISSING):
        cdb.get_stats(path, "c", n_jobs=threads)
    with pytest.warns(UnreadableWarning, match="40 of 80"):
        found = cdb.get_stats(path, "c", errors="flag", n_jobs=threads)
    assert_only_the_west(cdb, found)


def test_an_open_mosaic_is_read_by_its_name_once_a_read_has_failed(cdb, mosaic):
    with rasterio.open(mosaic) as dataset:
        with pytest.raises(RasterError, match=MISSING):
            cdb.get_stats(dataset, "c")
        for _ in range(2):
            with pytest.warns(UnreadableWarning):
                found = cdb.get_stats(dataset, "c", errors="flag")
            assert_only_the_west(cdb, found)
        assert not dataset.closed


def test_a_warped_dataset_is_not_read_on_once_a_read_has_failed(cdb, mosaic):
    with rasterio.open(mosaic) as dataset, WarpedVRT(dataset) as warped:
        for _ in range(2):
            with pytest.raises(RasterError, match=r"east\.tif: No such file.*open it anew"):
                cdb.get_stats(warped, "c")


@pytest.mark.parametrize("threads", [1, 4])
def test_every_output_names_the_missing_tile(cdb, mosaic, threads):
    own = {"n_jobs": threads}
    plain = np.ones((900, 1800))
    place = {"transform": Affine(0.2, 0, -180, 0, -0.2, 90), "raster_crs": "planetocentric"}
    pixels = PixelSelection.from_regions(cdb, "c", plain, **place)
    for call in (
        lambda: cdb.get_arrays(mosaic, "c", **own),
        lambda: list(cdb.iter_arrays(mosaic, "c", **own)),
        lambda: cdb.get_pixels(mosaic, "c", **own),
        lambda: cdb.get_series([mosaic], "c", times=[1], **own),
        lambda: pixels.get_series([mosaic], times=[1], **own),
        lambda: cdb.get_stats(plain, "c", where={mosaic: lambda v: v >= 0}, **own, **place),
        lambda: cdb.get_stats(plain, "c", weights=mosaic, **own, **place),
        lambda: PixelSelection.from_raster(mosaic, 0),
    ):
        with pytest.raises(RasterError, match=r"east\.tif: No such file"):
            call()


def test_workers_of_a_cluster_flag_the_missing_tile(cdb, mosaic):
    with pytest.warns(UnreadableWarning, match="40 of 80"):
        found = cdb.get_stats(mosaic, "c", errors="flag", scheduler="processes", n_jobs=2)
    assert_only_the_west(cdb, found)


# Damaged files


def entries(content):
    """Type, count and value of the tags of a TIFF's first directory, and where each stands."""
    (start,) = struct.unpack("<I", content[4:8])
    (count,) = struct.unpack("<H", content[start : start + 2])
    places = [start + 2 + 12 * i for i in range(count)]
    return {
        tag: (place, *rest)
        for place in places
        for tag, *rest in [struct.unpack("<HHII", content[place : place + 12])]
    }


OFFSETS, BYTE_COUNTS = 324, 325


@pytest.mark.parametrize("tag", [OFFSETS, BYTE_COUNTS])
@pytest.mark.parametrize("damage", ["it lies beyond the file", "it is too short"])
def test_a_damaged_table_of_tiles_is_an_error_or_flagged(western, tmp_path, tag, damage):
    whole = write_tile(tmp_path / "whole.tif", WEST, -180.0, compress="deflate")
    content = bytearray(whole.read_bytes())
    place, _, count, _ = entries(content)[tag]
    if damage == "it is too short":
        content[place + 4 : place + 8] = struct.pack("<I", count // 2)
    else:
        content[place + 8 : place + 12] = struct.pack("<I", len(content) + 1000)
    path = tmp_path / "damaged.tif"
    path.write_bytes(content)
    with MemoryFile(bytes(content)) as memory, memory.open() as dataset:
        for raster in (path, dataset):
            with pytest.raises(RasterError, match="band 1 cannot be read in rows"):
                western.get_stats(raster, "c")
            for _ in range(2):
                with pytest.warns(UnreadableWarning):
                    found = western.get_stats(raster, "c", errors="flag")
                lost = (found["flags_c"] & Flag.UNREADABLE) != 0
                assert lost.any()
                assert found["mean_c"][lost].isna().all()
                assert (found["mean_c"][~lost] == WEST).all()


@pytest.mark.parametrize("left", [0.1, 0.5])
def test_a_mask_that_is_cut_off_is_an_error(tmp_path, left):
    path = write_tile(tmp_path / "masked.tif", WEST, -180.0)
    with rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True), rasterio.open(path, "r+") as file:
        file.write_mask(np.tile(np.arange(900) % 2 == 0, (900, 1)))
    content = path.read_bytes()
    bare = write_tile(tmp_path / "bare.tif", WEST, -180.0).stat().st_size
    path.write_bytes(content[: int(bare + left * (len(content) - bare))])
    hemisphere = CraterDatabase(
        pd.DataFrame({"lat": [0.0], "lon": [-90.0], "radius_km": 2700.0}), "moon"
    )
    hemisphere.add_circles("c")
    with pytest.raises(RasterError, match=r"masked\.tif: (is damaged: |band 1 cannot be read)"):
        hemisphere.get_stats(path, "c")


def test_a_mask_beside_a_raster_that_is_none_is_an_error(western, tmp_path):
    path = write_tile(tmp_path / "west.tif", WEST, -180.0)
    path.with_suffix(".tif.msk").write_bytes(b"II*\0broken")
    with pytest.raises(RasterError, match=r"west\.tif: is damaged: .*west\.tif\.msk"):
        western.get_stats(path, "c")


def test_settings_of_the_caller_outlast_a_read(western, tmp_path):
    path = write_tile(tmp_path / "west.tif", WEST, -180.0)
    with rasterio.Env(VRT_NUM_THREADS="3"):
        western.get_stats(path, "c", n_jobs=1)
        assert rasterio.env.get_gdal_config("VRT_NUM_THREADS") == 3
    assert rasterio.env.get_gdal_config("VRT_NUM_THREADS") is None


def test_sources_without_a_place_are_no_cause_for_a_warning(western, tmp_path):
    """As in mosaics of plain pictures, which the mosaic places."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NotGeoreferencedWarning)
        with rasterio.open(
            *(tmp_path / "west.png", "w"),
            **{"driver": "PNG", "width": 900, "height": 900, "count": 1, "dtype": "uint8"},
        ) as file:
            file.write(np.full((900, 900), WEST, dtype=np.uint8), 1)
    path = tmp_path / "mosaic.vrt"
    path.write_text(MOSAIC.format(sources=SOURCE.format(name="west.png", left=0)))
    assert (western.get_stats(path, "c", n_jobs=2)["mean_c"] == WEST).all()
