"""However a raster is stored, its blocks that ROIs touch are decoded once, and no others."""

from __future__ import annotations

import os
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
import rasterio
import rasterio.shutil
from numpy.testing import assert_array_equal
from rasterio.vrt import WarpedVRT

import fields
import worlds
from craterkit import CraterDatabase
from craterkit.extraction import plan
from craterkit.rasters.gdal import GdalRaster
from craterkit.rasters.vrt_sources import VrtSources, vrt_sources

GRID = worlds.lonlat(0.5)
VALUES = np.random.default_rng(2).integers(-500, 500, (3, *GRID.shape)).astype(np.int16)


@pytest.fixture(scope="module")
def cdb():
    """Features in most places, on the seam and at a pole, two of them large."""
    rng = np.random.default_rng(6)
    count = 70
    lon, lat = rng.uniform(-180, 180, count), np.degrees(np.arcsin(rng.uniform(-1, 1, count)))
    radius = rng.uniform(0.3, 4.0, count)
    lon[:2], lat[:2], radius[2:4] = (180, 10), (12, 90), 30.0
    cdb = CraterDatabase(worlds.table(lon, lat, worlds.metres(1.0) * radius), "moon")
    cdb.add_circles("floor", 1.0)
    cdb.add_annuli("rim", 1.0, 1.5)
    return cdb


@pytest.fixture(scope="module")
def expected(cdb):
    """Statistics of the three bands, from arrays in memory."""
    return cdb.get_stats(
        VALUES,
        ["floor", "rim"],
        bands="all",
        transform=GRID.transform,
        raster_crs="planetocentric",
    )


class Read(NamedTuple):
    name: str
    band: int
    window: tuple[int, int, int, int]


@pytest.fixture
def reads(monkeypatch):
    """What is read of files from now on."""
    found = []
    read = GdalRaster.read_bands

    def noted(self, bands, window, out, masks):
        name = Path(self.name).name
        found.extend(Read(name, band.number, tuple(window)) for band in bands)
        read(self, bands, window, out, masks)

    monkeypatch.setattr(GdalRaster, "read_bands", noted)
    return found


@pytest.fixture(params=["whole", "in chunks"])
def chunks(request, monkeypatch):
    if request.param == "in chunks":
        monkeypatch.setattr(plan, "CHUNK_PIXELS", 1)


def decoded(windows, shape, block):
    """How often each block of a file is decoded if nothing is kept."""
    counts = np.zeros([-(-size // side) for size, side in zip(shape, block, strict=True)], int)
    for top, bottom, left, right in windows:
        counts[
            top // block[0] : -(-bottom // block[0]), left // block[1] : -(-right // block[1])
        ] += 1
    return counts


def bytes_read():
    """Bytes that this process has read from files so far."""
    with open("/proc/self/io") as file:
        return int(file.readline().split()[1])


# Files of one kind of blocks


def striped(path, rows):
    profile = {"height": GRID.shape[0], "width": GRID.shape[1], "count": 3, "dtype": "int16"}
    with rasterio.open(
        path,
        "w",
        driver="GTiff",
        blockysize=rows,
        crs=rasterio.CRS.from_wkt(GRID.crs.to_wkt()),
        transform=GRID.transform,
        **profile,
    ) as file:
        file.write(VALUES)


def tiled(path, interleave):
    with rasterio.open(
        path,
        "w",
        driver="GTiff",
        height=GRID.shape[0],
        width=GRID.shape[1],
        count=3,
        dtype="int16",
        tiled=True,
        blockxsize=64,
        blockysize=32,
        interleave=interleave,
        crs=rasterio.CRS.from_wkt(GRID.crs.to_wkt()),
        transform=GRID.transform,
    ) as file:
        file.write(VALUES)


def copied(path, driver, **options):
    plain = path.with_suffix(".plain.tif")
    tiled(plain, "band")
    rasterio.shutil.copy(plain, path, driver=driver, **options)


LAYOUTS = {
    "tiles.tif": lambda path: tiled(path, "band"),
    "pixels.tif": lambda path: tiled(path, "pixel"),
    "strips.tif": lambda path: striped(path, 24),
    "rows.tif": lambda path: striped(path, 1),
    "two strips.tif": lambda path: striped(path, 359),
    "cog.tif": lambda path: copied(path, "COG", blocksize=128, compress="deflate"),
    "jpeg.jp2": lambda path: copied(
        path, "JP2OpenJPEG", quality=100, reversible="YES", blockxsize=64, blockysize=64
    ),
}
BLOCKS = {
    "tiles.tif": (32, 64),
    "pixels.tif": (32, 64),
    "strips.tif": (24, 720),
    "rows.tif": (1, 720),
    "two strips.tif": (359, 720),
    "cog.tif": (128, 128),
    "jpeg.jp2": (64, 64),
}


@pytest.fixture(params=LAYOUTS, scope="module")
def layout(request, tmp_path_factory):
    path = tmp_path_factory.mktemp("layouts") / request.param
    if path.suffix == ".jp2":
        with rasterio.Env() as env:
            if "JP2OpenJPEG" not in env.drivers():
                pytest.skip("GDAL here has no OpenJPEG")
    LAYOUTS[request.param](path)
    with rasterio.open(path) as dataset:
        assert dataset.block_shapes[0] == BLOCKS[path.name]
    return path


@pytest.mark.usefixtures("chunks")
@pytest.mark.parametrize("threads", [1, 2])
def test_every_block_is_decoded_once(cdb, layout, reads, expected, threads):
    found = cdb.get_stats(
        layout, ["floor", "rim"], bands="all", n_jobs=threads, raster_crs="planetocentric"
    )
    for band in (1, 2, 3):
        windows = [read.window for read in reads if read.band == band]
        assert decoded(windows, GRID.shape, BLOCKS[layout.name]).max() == 1
        for column in (f"count_b{band}_floor", f"count_b{band}_rim", f"mean_b{band}_rim"):
            np.testing.assert_allclose(found[column], expected[column], rtol=1e-12, err_msg=column)


SMALL = worlds.metres(1.2)
PLACES = {
    "open": (10.3, 5.2),
    "seam": (179.9, -45.0),
    "north": (70.0, 89.5),
    "south": (-140.0, -90.0),
    "Greenwich": (0.2, 20.0),
}


def near(lon, lat, grid_lon, grid_lat, degrees):
    """Which pixels have centres within a distance."""
    with np.errstate(invalid="ignore"):
        return worlds.distance(lon, lat, grid_lon, grid_lat) <= degrees


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("west", [-180.0, 0.0])
def test_only_touched_blocks_are_read(tmp_path, reads, place, west):
    grid = worlds.lonlat(0.5, west)
    path = worlds.write(tmp_path / "a.tif", grid, VALUES[0], dtype="int16", block=32)
    check_touched(path, PLACES[place], reads, *grid.mesh, pixel=0.5)


@pytest.mark.parametrize("name", ["north polar stereographic", "sinusoidal", "rotated lon/lat"])
@pytest.mark.parametrize("place", [(10.0, 70.0), (-60.0, 75.0), (40.0, 30.0)])
def test_only_touched_blocks_of_a_projected_raster_are_read(tmp_path, reads, name, place):
    there = fields.map_of(name, size=320)
    path = worlds.write(
        tmp_path / "a.tif",
        worlds.Grid(there.shape, there.transform, there.crs, np.zeros(0), np.zeros(0)),
        np.zeros(there.shape),
        dtype="int16",
        block=32,
    )
    check_touched(path, place, reads, *there.centres, pixel=1.3)


def check_touched(path, place, reads, lon, lat, pixel):
    """Blocks with pixels of a small circle are read, and such as have pixels nearby may be."""
    cdb = CraterDatabase(worlds.table(*place, SMALL), "moon")
    cdb.add_circles("c")
    cdb.get_stats(path, "c", n_jobs=1)
    counts = decoded([read.window for read in reads], lon.shape, (32, 32))
    assert counts.max() <= 1
    inside = blocks_with(near(*place, lon, lat, 1.2))
    # The corners of the rectangle around it, and a pixel more.
    around = blocks_with(near(*place, lon, lat, 1.2 * np.sqrt(2) + 2 * pixel))
    assert inside.any()
    assert not (inside & (counts == 0)).any()
    if abs(place[1]) < 80 or lon.shape[0] == lon.shape[1]:
        assert not (~around & (counts > 0)).any()
    else:
        # Rows around a pole are whole.
        assert (counts > 0).any(axis=1).sum() == 1


def blocks_with(pixels, side=32):
    rows, columns = (-(-size // side) * side for size in pixels.shape)
    padded = np.zeros((rows, columns), dtype=bool)
    padded[: pixels.shape[0], : pixels.shape[1]] = pixels
    return padded.reshape(rows // side, side, columns // side, side).any(axis=(1, 3))


# Several files at once


def test_rasters_of_one_grid_are_read_once_each(cdb, tmp_path, reads):
    paths = {}
    for name in ("a", "b"):
        paths[name] = tmp_path / f"{name}.tif"
        tiled(paths[name], "band")
    where, weights = tmp_path / "where.tif", tmp_path / "weights.tif"
    tiled(where, "band")
    worlds.write(weights, GRID, np.ones(GRID.shape), dtype="float32")
    cdb.get_pixels(
        paths,
        ["floor", "rim"],
        columns=["a", "b"],
        where={where: lambda v: v > 0},
        weights=weights,
    )
    for name in ("a.tif", "b.tif", "where.tif"):
        windows = [read.window for read in reads if read.name == name]
        assert decoded(windows, GRID.shape, (32, 64)).max() == 1


# Virtual rasters


class Part(NamedTuple):
    """A piece of the field in a file of its own: rows and columns, and how the file is stored."""

    top: int
    bottom: int
    left: int
    right: int
    block: int | None = 64
    margin: int = 0


def write_parts(folder, parts, *, properties=True, bands=1):
    """A VRT of files; each holds `margin` rows and columns more than are used of it."""
    folder.mkdir(exist_ok=True)
    entries = []
    for number, part in enumerate(parts):
        margin = part.margin
        rows = np.arange(part.top - margin, part.bottom + margin).clip(0, GRID.shape[0] - 1)
        columns = np.arange(part.left - margin, part.right + margin).clip(0, GRID.shape[1] - 1)
        values = VALUES[:bands, rows][:, :, columns]
        grid = worlds.Grid(values.shape[1:], GRID.transform, GRID.crs, np.zeros(0), np.zeros(0))
        path = worlds.write(folder / f"{number}.tif", grid, values, dtype="int16", block=part.block)
        with rasterio.open(path) as dataset:
            tall, wide = dataset.block_shapes[0]
        size = f'xSize="{part.right - part.left}" ySize="{part.bottom - part.top}"'
        told = (
            f'<SourceProperties RasterXSize="{values.shape[2]}" RasterYSize="{values.shape[1]}" '
            f'DataType="Int16" BlockXSize="{wide}" BlockYSize="{tall}"/>'
        )
        entries.append(
            f'<SimpleSource><SourceFilename relativeToVRT="1">{path.name}</SourceFilename>'
            f"<SourceBand>BAND</SourceBand>{told if properties else ''}"
            f'<SrcRect xOff="{margin}" yOff="{margin}" {size}/>'
            f'<DstRect xOff="{part.left}" yOff="{part.top}" {size}/></SimpleSource>'
        )
    wkt = GRID.crs.to_wkt("WKT1_GDAL").replace('"', "&quot;")
    body = "".join(
        f'<VRTRasterBand dataType="Int16" band="{band}"><NoDataValue>-999</NoDataValue>'
        f"{''.join(entries).replace('BAND', str(band))}</VRTRasterBand>"
        for band in range(1, bands + 1)
    )
    path = folder / "all.vrt"
    path.write_text(
        f'<VRTDataset rasterXSize="{GRID.shape[1]}" rasterYSize="{GRID.shape[0]}"><SRS>{wkt}</SRS>'
        f"<GeoTransform>{', '.join(map(str, GRID.transform.to_gdal()))}</GeoTransform>{body}"
        "</VRTDataset>"
    )
    return path


def mosaic(rows, columns, **how):
    """Parts that lie side by side."""
    return [
        Part(top, bottom, left, right, **how)
        for top, bottom in pairwise(rows)
        for left, right in pairwise(columns)
    ]


EVEN = [0, 128, 256, 360], [0, 192, 384, 576, 720]
MOSAICS = {
    "aligned": mosaic(*EVEN),
    "tiles that end anywhere": mosaic([0, 100, 250, 360], [0, 150, 301, 511, 720]),
    "cropped": mosaic([0, 100, 250, 360], [0, 150, 301, 511, 720], margin=10),
    "strips": mosaic(*EVEN, block=None),
    "several kinds": [
        part._replace(block=block)
        for part, block in zip(mosaic(*EVEN), [16, 32, 64, None] * 3, strict=True)
    ],
    "gaps": mosaic(*EVEN)[::2],
    "overlapping by blocks": [
        part._replace(bottom=min(part.bottom + 64, 360), right=min(part.right + 64, 720))
        for part in mosaic(*EVEN)
    ],
    "overlapping anyhow": [
        part._replace(bottom=min(part.bottom + 21, 360), right=min(part.right + 35, 720))
        for part in mosaic(*EVEN)
    ],
    "one": [Part(0, 360, 0, 720)],
}


def pieces_of(window, part):
    """Rows and columns that a window has of a part, in the part's own file."""
    top, bottom, left, right = window
    top, bottom = max(top, part.top), min(bottom, part.bottom)
    left, right = max(left, part.left), min(right, part.right)
    if top >= bottom or left >= right:
        return []
    down, across = part.margin - part.top, part.margin - part.left
    return [(top + down, bottom + down, left + across, right + across)]


def check_sources(parts, folder, windows):
    """Every block of every file of a VRT is decoded once at most."""
    total = 0
    for number, part in enumerate(parts):
        with rasterio.open(folder / f"{number}.tif") as dataset:
            shape, block = dataset.shape, dataset.block_shapes[0]
        pieces = [piece for window in windows for piece in pieces_of(window, part)]
        counts = decoded(pieces, shape, block)
        assert counts.max(initial=0) <= 1
        total += counts.sum()
    assert total


@pytest.mark.usefixtures("chunks")
@pytest.mark.parametrize("name", MOSAICS)
def test_blocks_of_the_files_of_a_vrt_are_decoded_once(cdb, tmp_path, reads, expected, name):
    parts = MOSAICS[name]
    path = write_parts(tmp_path / "vrt", parts)
    found = cdb.get_stats(path, ["floor", "rim"], n_jobs=1)
    check_sources(parts, path.parent, [read.window for read in reads])
    covered = np.zeros(GRID.shape, dtype=bool)
    for part in parts:
        covered[part.top : part.bottom, part.left : part.right] = True
    if covered.all():
        assert_array_equal(found["count_rim"], expected["count_b1_rim"])
        np.testing.assert_allclose(found["mean_rim"], expected["mean_b1_rim"], rtol=1e-12)
    else:
        assert found["count_rim"].sum() < expected["count_b1_rim"].sum()


def test_several_bands_of_a_vrt(cdb, tmp_path, reads):
    parts = MOSAICS["cropped"]
    path = write_parts(tmp_path / "vrt", parts, bands=3)
    cdb.get_stats(path, "rim", bands="all")
    for band in (1, 2, 3):
        check_sources(parts, path.parent, [read.window for read in reads if read.band == band])


@pytest.mark.parametrize("rows", [(0, 360), (100, 101), (70, 333)])
def test_edges_lie_between_blocks_of_all_sources(tmp_path, rows):
    path = write_parts(tmp_path / "vrt", [Part(*rows, 13, 720, margin=5)])
    with rasterio.open(path) as dataset:
        down, across = VrtSources(dataset).block_edges()
    assert (across[0], across[-1]) == (0, 720)
    inner = across[(across > 13) & (across < 720)]
    assert ((inner - 13 + 5) % 64 == 0).all()
    inner = down[(down > rows[0]) & (down < rows[1])]
    assert ((inner - rows[0] + 5) % 64 == 0).all()


@pytest.mark.filterwarnings("ignore:Use `@`:PendingDeprecationWarning")
def test_what_says_nothing_of_blocks_has_its_own(tmp_path):
    plain = worlds.write(tmp_path / "a.tif", GRID, VALUES[0], dtype="int16", block=64)
    with rasterio.open(plain) as dataset:
        assert vrt_sources(dataset) is None
        with WarpedVRT(dataset, width=1440, height=720) as warped:
            assert VrtSources(warped).block_edges() == (None, None)
    path = write_parts(tmp_path / "vrt", MOSAICS["aligned"])
    text = path.read_text()
    for spoilt in (
        text.replace("SrcRect", "Other"),
        text.replace(
            '<SrcRect xOff="0" yOff="0" xSize="192"', '<SrcRect xOff="0" yOff="0" xSize="96"'
        ),
    ):
        path.write_text(spoilt)
        with rasterio.open(path) as dataset:
            assert VrtSources(dataset).block_edges()[1] is None


# Bytes that are read from disk


@contextmanager
def reading_at_most(limit):
    """Fail if more bytes are read from files meanwhile."""
    before = bytes_read()
    yield
    assert bytes_read() - before < limit


@pytest.mark.skipif(not os.path.exists("/proc/self/io"), reason="Linux tells what was read")
@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize(
    "kind",
    [
        *("pixels", "bands", "strips", "vrt", "resampled vrt"),
    ],
)
def test_no_byte_is_read_twice(tmp_path, kind, threads):
    """Under a budget far below the raster's size, so that GDAL keeps nearly nothing."""
    size, bands = 2048, 4
    crs = rasterio.CRS.from_wkt(GRID.crs.to_wkt())
    transform = worlds.patch(0.0, 0.0, 0.02, size).transform
    path = tmp_path / "a.tif"
    blocks = {"tiled": True, "blockxsize": 128, "blockysize": 128}
    if kind == "strips":
        blocks = {"blockysize": 8}
    interleave = "pixel" if kind == "pixels" else "band"
    with rasterio.open(
        path,
        "w",
        driver="GTiff",
        height=size,
        width=size,
        count=bands,
        dtype="int16",
        crs=crs,
        transform=transform,
        interleave=interleave,
        **blocks,
    ) as file:
        for band in range(1, bands + 1):
            file.write(np.full((size, size), band, dtype=np.int16), band)
    stored = path.stat().st_size
    if "vrt" in kind:
        rasterio.shutil.copy(path, path.with_suffix(".vrt"), driver="VRT")
        path = path.with_suffix(".vrt")
        if kind == "resampled vrt":
            path.write_text(
                path.read_text().replace(f'ySize="{size}"/>', f'ySize="{size // 2}"/>', 1)
            )
    cdb = CraterDatabase(
        worlds.table(*np.random.default_rng(1).uniform(-15, 15, (2, 100)), worlds.metres(4.0)),
        "moon",
    )
    cdb.add_circles("c")
    cdb.get_stats(path, "c", bands=1, n_jobs=1)
    with reading_at_most(1.2 * stored + 1_000_000):
        cdb.get_stats(path, "c", bands="all", n_jobs=threads, max_memory="8 MiB")
