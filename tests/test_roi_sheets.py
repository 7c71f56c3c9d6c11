"""Sheets of ROIs against geometry: what must be at which distance and azimuth, on maps of any raster."""

from itertools import pairwise

import numpy as np
import pyproj
import pytest
import rasterio
import shapely
from affine import Affine
from matplotlib.figure import Figure

from craterkit import CraterDatabase
from craterkit.errors import (
    ArgumentError,
    ColumnError,
    CRSError,
    DroppedRowsWarning,
    OutputError,
    RasterTypeError,
    RegionError,
)
from craterkit.extraction.sources import SourceSpec
from craterkit.plotting.frame_sampling import CoarseCells
from craterkit.plotting.hillshade import hillshade
from worlds import MARS_A, MARS_B, MARS_CRS, MOON, lonlat, table, write

GLOBE_025 = Affine(0.25, 0.0, -180.0, 0.0, -0.25, 90.0)
PLACES = [(0.0, 0.0), (10.0, 60.0), (0.0, 90.0), (180.0, 0.0), (-179.9, -84.0), (70.0, -90.0)]


def away(body, lon, lat, to_lon, to_lat):
    """Distance (km) and azimuth on the ellipsoid by pyproj, of planetocentric places."""
    a, b = (MOON, MOON) if body == "moon" else (MARS_A, MARS_B)

    def graphic(value):
        return np.degrees(
            np.arctan2((a / b) ** 2 * np.sin(np.radians(value)), np.cos(np.radians(value)))
        )

    lon, lat, to_lon, to_lat = np.broadcast_arrays(lon, lat, to_lon, to_lat)
    azimuth, _, distance = pyproj.Geod(a=a, b=b).inv(lon, graphic(lat), to_lon, graphic(to_lat))
    return np.asarray(distance) / 1000, np.mod(azimuth, 360)


def polar_stereographic(pixel, size, pole=1.0):
    """Transform, CRS and centres of a raster about a pole; pixels of so many metres."""
    crs = pyproj.CRS.from_user_input(f"+proj=stere +lat_0={90 * pole} +lon_0=20 +R={MOON} +units=m")
    half = pixel * size / 2
    x = -half + (np.arange(size) + 0.5) * pixel
    to_body = pyproj.Transformer.from_crs(crs, crs.geodetic_crs, always_xy=True)
    lon, lat = to_body.transform(*np.meshgrid(x, -x))
    return Affine(pixel, 0.0, -half, 0.0, -pixel, half), crs, lon, lat


def drawn(database, *args, **kwargs):
    """Axes of a sheet that pyplot does not know."""
    return database.plot_rois(*args, fig=Figure(figsize=(4, 4)), **kwargs)


def image(ax):
    """Values of a panel, and east and north of its cells in kilometres."""
    values = ax.images[0].get_array()
    left, right, bottom, top = ax.images[0].get_extent()
    rows, columns = values.shape
    east = left + (np.arange(columns) + 0.5) / columns * (right - left)
    north = top - (np.arange(rows) + 0.5) / rows * (top - bottom)
    return values, *np.meshgrid(east, north)


def outline(ax, number=0):
    """Vertices of a boundary: distance and azimuth."""
    path = ax.patches[number].get_path()
    east, north = path.vertices[np.isin(path.codes, (1, 2))].T
    return np.hypot(east, north), np.mod(np.degrees(np.arctan2(east, north)), 360)


@pytest.fixture(scope="module")
def flat(tmp_path_factory):
    """A constant raster."""
    path = tmp_path_factory.mktemp("flat") / "flat.tif"
    return write(path, lonlat(2.0), lambda lon, lat: 7 + 0 * lon, dtype="float32")


@pytest.mark.parametrize(("lon", "lat"), PLACES)
def test_outlines_lie_at_their_distance_and_azimuth(flat, lon, lat):
    cdb = CraterDatabase(table(lon, lat, 1e5), "moon")
    cdb.add_annuli("rim", 1, 1.5)
    cdb.add_ellipses("ellipse", 1.2, 0.6, azimuth=30)
    cdb.add_sectors("fan", 1, 2, 330, 30)
    (ax,) = drawn(cdb, flat, ["rim", "ellipse", "fan"], 1)
    distance, _ = outline(ax)
    assert np.all(np.isclose(distance, 100) | np.isclose(distance, 150))
    distance, azimuth = outline(ax, 1)
    turned = np.radians(azimuth - 30)
    np.testing.assert_allclose(distance, 72 / np.hypot(0.6 * np.cos(turned), 1.2 * np.sin(turned)))
    distance, azimuth = outline(ax, 2)
    assert distance.min() == pytest.approx(100)
    assert distance.max() == pytest.approx(200)
    assert np.all((azimuth < 30 + 1e-9) | (azimuth > 330 - 1e-9))
    reach = 200 * 1.15
    assert ax.images[0].get_extent() == pytest.approx([-reach, reach, -reach, reach])


@pytest.mark.parametrize(("lon", "lat"), PLACES)
@pytest.mark.parametrize("body", ["moon", "mars"])
def test_rings_of_distance_are_rings_on_the_map(tmp_path, body, lon, lat):
    grid = lonlat(0.5) if body == "moon" else lonlat(0.5, crs=MARS_CRS)
    path = write(tmp_path / "d.tif", grid, lambda x, y: away(body, lon, lat, x, y)[0])
    cdb = CraterDatabase(table(lon, lat, 5e5), body)
    cdb.add_circles("c", 1)
    (ax,) = drawn(cdb, path, "c", 1, cells=60)
    values, east, north = image(ax)
    assert not np.ma.getmaskarray(values).any()
    # A pixel is 15 km on the Moon and 30 km on Mars; the cone's tip is cut off by less.
    np.testing.assert_allclose(values, np.hypot(east, north), atol=4 if body == "moon" else 8)


@pytest.mark.parametrize(("lon", "lat"), [(10.0, 60.0), (180.0, 0.0), (-179.9, -84.0)])
def test_north_is_up_and_east_is_right(tmp_path, lon, lat):
    path = write(tmp_path / "a.tif", lonlat(0.25), lambda x, y: away("moon", lon, lat, x, y)[1])
    cdb = CraterDatabase(table(lon, lat, 4e5), "moon")
    cdb.add_circles("c", 1)
    (ax,) = drawn(cdb, path, "c", 1, cells=41, resampling="nearest")
    values, east, north = image(ax)
    turn = np.mod(values - np.degrees(np.arctan2(east, north)) + 180, 360) - 180
    assert np.abs(turn[np.hypot(east, north) > 100]).max() < 6


@pytest.mark.parametrize("pole", [1, -1])
def test_at_a_pole_up_is_where_its_meridian_comes_from(tmp_path, pole):
    path = write(tmp_path / "lon.tif", lonlat(0.5), lambda x, y: np.cos(np.radians(x - 40)))
    cdb = CraterDatabase(table(40.0, 90.0 * pole, 4e5), "moon")
    cdb.add_circles("c", 1)
    (ax,) = drawn(cdb, path, "c", 1, cells=41)
    values, east, north = image(ax)
    far = np.hypot(east, north) > 60
    # North of the north pole lies the other half of its meridian; north of the south pole, its own.
    expected = -pole * north[far] / np.hypot(east, north)[far]
    np.testing.assert_allclose(values[far], expected, atol=0.03)


@pytest.mark.parametrize("pole", [1, -1])
def test_a_polar_stereographic_raster_is_no_different(tmp_path, pole):
    transform, crs, lon, lat = polar_stereographic(5e3, 200, pole)
    distance = away("moon", 30.0, 88.0 * pole, lon, lat)[0]
    cdb = CraterDatabase(table(30.0, 88.0 * pole, 1e5), "moon")
    cdb.add_circles("c", 1)
    (ax,) = drawn(cdb, distance, "c", 1, cells=60, transform=transform, raster_crs=crs)
    values, east, north = image(ax)
    np.testing.assert_allclose(values, np.hypot(east, north), atol=2.5)


@pytest.mark.parametrize("resampling", ["nearest", "bilinear"])
@pytest.mark.parametrize("radius", [1e4, 4e5])
def test_the_seam_is_a_place_like_any_other(tmp_path, resampling, radius):
    values = np.random.default_rng(5).normal(size=(180, 360))
    path = write(tmp_path / "noise.tif", lonlat(1.0), values)
    turned = write(tmp_path / "turned.tif", lonlat(1.0), np.roll(values, 180, axis=1))
    renamed = write(tmp_path / "0-360.tif", lonlat(1.0, west=0.0), np.roll(values, 180, axis=1))
    options = {"cells": 50, "resampling": resampling}
    sheets = []
    for raster, lon in ((path, 180.0), (turned, 0.0), (renamed, 180.0)):
        cdb = CraterDatabase(table(lon, 20.0, radius), "moon")
        cdb.add_circles("c", 1)
        (ax,) = drawn(cdb, raster, "c", 1, **options)
        sheets.append(image(ax)[0])
    np.testing.assert_allclose(sheets[1], sheets[0], atol=1e-6)
    np.testing.assert_allclose(sheets[2], sheets[0], atol=1e-6)


def test_ground_without_data_shows_as_none(tmp_path):
    def field(x, y):
        return np.where(x > 0, -9999, 50)

    path = write(tmp_path / "half.tif", lonlat(1.0), field, dtype="int16", nodata=-9999, scale=0.1)
    cdb = CraterDatabase(table([0, 60], [0, 0], 3e5), "moon")
    cdb.add_circles("c", 1)
    left, right = drawn(cdb, path, "c")
    values, east, _ = image(left)
    assert np.ma.getmaskarray(values)[east > 1].all()
    np.testing.assert_allclose(values[east < -1].compressed(), 5.0)
    assert np.ma.getmaskarray(image(right)[0]).all()
    assert [text.get_text() for text in right.texts] == ["no data"]
    assert left.patch.get_hatch()
    (ax, _) = drawn(cdb, path, "c", nodata=0, scaled=False)
    assert image(ax)[0].min() == pytest.approx(-9999)


def test_a_regional_raster_ends_at_its_edge(tmp_path):
    data = np.ones((40, 40))
    cdb = CraterDatabase(table(5.0, 0.0, 1e5), "moon")
    cdb.add_circles("c", 1)
    transform = Affine(0.25, 0, -5, 0, -0.25, 5)
    (ax,) = drawn(cdb, data, "c", transform=transform, raster_crs="planetocentric")
    values, east, _ = image(ax)
    masked = np.ma.getmaskarray(values)
    assert masked[east > 1].all()
    assert not masked[east < -1].any()


@pytest.mark.parametrize("step", [(1, 1), (2, 2), (3, 4), (7, 5)])
def test_coarse_cells_are_means_of_their_pixels(tmp_path, step):
    values = np.random.default_rng(1).normal(size=(181, 361))
    grid = lonlat(1.0)
    values = values[:180, :360]
    values[5:9, 7:30] = np.nan
    path = write(tmp_path / "n.tif", grid, values)
    body = CraterDatabase(table(0, 0, 1), "moon").body
    for given in (path, values):
        source = SourceSpec("", given, "planetocentric", grid.transform, None, 1).open(body)
        cells = CoarseCells(source.raster, source.bands[0], step, 360)
        rows, columns = np.indices(cells.shape)
        with source.raster:
            middles = cells.take(rows, columns, mean=False)
            means = cells.take(rows, columns, mean=True)
        whole = (slice(0, 180 // step[0]), slice(0, 360 // step[1]))
        picked = values[step[0] // 2 :: step[0], step[1] // 2 :: step[1]]
        np.testing.assert_array_equal(middles[whole], picked[whole])
        if step == (2, 2):
            with np.errstate(invalid="ignore"):
                blocks = values.reshape(90, 2, 180, 2).swapaxes(1, 2).reshape(90, 180, 4)
                known = np.isfinite(blocks).sum(axis=2)
                expected = np.where(known, np.nansum(blocks, axis=2) / np.maximum(known, 1), np.nan)
            np.testing.assert_allclose(means, expected)


def test_large_rasters_are_read_coarsely(tmp_path, monkeypatch):
    from craterkit.rasters.gdal import GdalRaster

    path = write(tmp_path / "fine.tif", lonlat(0.1), lambda x, y: x + 0 * y, block=256)
    cdb = CraterDatabase(table(60.0, 0.0, 6e5), "moon")
    cdb.add_circles("c", 1)
    read, plain = [], GdalRaster.read

    def counted(self, band, window, out, mask):
        read.append(out.size)
        plain(self, band, window, out, mask)

    monkeypatch.setattr(GdalRaster, "read", counted)
    (ax,) = drawn(cdb, path, "c", cells=20)
    assert sum(read) < 300_000
    values, east, north = image(ax)
    along = np.abs(north) < 60
    np.testing.assert_allclose(values[along], 60 + np.degrees(east[along] * 1e3 / MOON), atol=0.5)


def test_an_alpha_band_masks(tmp_path):
    path = tmp_path / "rgba.tif"
    grid = lonlat(1.0)
    with rasterio.open(
        path, "w", driver="GTiff", width=360, height=180, count=2, dtype="uint8",
        crs=grid.crs.to_wkt(), transform=grid.transform, photometric="minisblack", alpha="yes",
    ) as file:  # fmt: skip
        file.write(np.full((180, 360), 9, dtype="uint8"), 1)
        file.write((255 * (grid.mesh[0] < 0)).astype("uint8"), 2)
    cdb = CraterDatabase(table([0, 0], 0, [3e5, 2.5e6]), "moon")
    cdb.add_circles("c", 1)
    for ax in drawn(cdb, path, "c", cells=30):
        values, east, north = image(ax)
        near = np.hypot(east, north) < 2600
        masked = np.ma.getmaskarray(values)
        assert masked[near & (east > 1)].all()
        assert not masked[near & (east < -1)].any()


@pytest.mark.parametrize("lat", [0.0, -80.0])
def test_polygons_are_not_cut_at_the_seam(flat, lat):
    cdb = CraterDatabase(table(180.0, lat, 1e5), "moon")
    whole = shapely.MultiPolygon(
        [shapely.box(170, lat - 5, 180, lat + 5), shapely.box(-180, lat - 5, -170, lat + 5)]
    )
    cdb.add_regions("box", [whole])
    (ax,) = drawn(cdb, flat, "box")
    distance, azimuth = outline(ax)
    lon, y, _ = pyproj.Geod(a=MOON, b=MOON).fwd(
        np.full(distance.size, 180.0), np.full(distance.size, lat), azimuth, distance * 1000
    )
    on_parallel = np.isclose(np.abs(y - lat), 5)
    on_meridian = np.isclose(np.abs(np.mod(lon, 360) - 180), 10)
    assert np.all(on_parallel | on_meridian)


@pytest.mark.parametrize(("lon", "lat"), [(0, 0), (180, 50), (0, -90), (50, 88)])
def test_holes_are_left_out_when_filled(flat, lon, lat):
    cdb = CraterDatabase(table(lon, lat, 1e5), "moon")
    cdb.add_annuli("rim", 1, 2)
    cdb.add_regions("given", cdb.rim)
    for region in ("rim", "given"):
        (ax,) = drawn(cdb, flat, region, facecolor="red", cells=8)
        (patch,) = ax.patches
        shell, hole = sorted(
            np.sum(ring[:-1, 0] * ring[1:, 1] - ring[1:, 0] * ring[:-1, 1]) / 2
            for ring in patch.get_path().to_polygons()
        )
        assert shell == pytest.approx(-np.pi * 200**2, rel=0.01)
        assert hole == pytest.approx(np.pi * 100**2, rel=0.01)


def test_a_polar_cap_given_as_a_polygon_is_a_circle(flat):
    cdb = CraterDatabase(table(0.0, 90.0, 1e5), "moon")
    cdb.add_regions("cap", [shapely.box(-180, 80, 180, 90)])
    (ax,) = drawn(cdb, flat, "cap")
    distance, _ = outline(ax)
    np.testing.assert_allclose(distance, np.radians(10) * MOON / 1000)


def test_edges_of_n_gons_are_straight_on_the_raster(flat):
    cdb = CraterDatabase(table(0.0, 60.0, 4e5), "moon")
    cdb.add_circles("square", 1, nvert=4)
    (ax,) = drawn(cdb, flat, "square")
    distance, azimuth = outline(ax)
    lon, lat, _ = pyproj.Geod(a=MOON, b=MOON).fwd(
        np.zeros(distance.size), np.full(distance.size, 60.0), azimuth, distance * 1000
    )
    corners = np.flatnonzero(np.isclose(distance, 400))
    assert set(np.round(azimuth[corners]) % 360) == {0, 90, 180, 270}
    for first, last in pairwise(corners):
        cross = (lon[last] - lon[first]) * (lat[first : last + 1] - lat[first]) - (
            lat[last] - lat[first]
        ) * (lon[first : last + 1] - lon[first])
        np.testing.assert_allclose(cross, 0, atol=1e-6)


@pytest.mark.parametrize("azimuth", [0, 90, 200, 315])
def test_the_hillshade_of_a_plane_is_lamberts_cosine(azimuth):
    p, q = 0.3, -0.2
    east, north = np.meshgrid(np.arange(6) * 50.0, -np.arange(5) * 50.0)
    normal = np.array([-p, -q, 1]) / np.sqrt(1 + p**2 + q**2)
    a, h = np.radians(azimuth), np.radians(30)
    light = np.array([np.sin(a) * np.cos(h), np.cos(a) * np.cos(h), np.sin(h)])
    shade = hillshade(p * east + q * north, 50.0, azimuth=azimuth, altitude=30)
    np.testing.assert_allclose(shade, np.full((3, 4), max(normal @ light, 0)))


def test_the_wall_that_faces_the_light_is_bright(tmp_path):
    lon, lat, radius = 30.0, -70.0, 2e5

    def bowl(x, y):
        share = away("moon", lon, lat, x, y)[0] * 1000 / radius
        return 5000 * np.minimum(share**2 - 1, 0) / 0.5

    path = write(tmp_path / "bowl.tif", lonlat(0.25), bowl, dtype="float32", scale=0.5)
    cdb = CraterDatabase(table(lon, lat, radius), "moon")
    cdb.add_circles("c", 1)
    (ax,) = drawn(cdb, path, "c", shade=True, azimuth=270.0, altitude=30.0)
    shade, east, north = image(ax)
    wall = (np.hypot(east, north) > 120) & (np.hypot(east, north) < 180) & (np.abs(north) < 50)
    assert shade[wall & (east > 0)].min() > 0.5 > shade[wall & (east < 0)].max()
    # Slope at the radius r is 2 depth r / radius².
    slope = np.arctan(2 * 5000 * 150e3 / radius**2)
    at = np.argmin(np.hypot(east - 150, north))
    assert shade.flat[at] == pytest.approx(np.sin(np.radians(30) + slope), abs=0.01)
    (ax,) = drawn(cdb, path, "c", shade=True, cmap="viridis")
    assert len(ax.images) == 2


def test_index_picks_as_it_always_did(flat):
    frame = table([0, 10, 20, 30], 0, 1e5)
    frame["name"] = ["a", "b", None, "d"]
    frame.index = [5, 6, 7, 8]
    cdb = CraterDatabase(frame, "moon")
    cdb.add_circles("c")

    def names(index, **kwargs):
        axes = drawn(cdb, flat, "c", index, cells=8, **kwargs)
        return [ax.get_title(loc="left") for ax in axes.flat if ax.figure is not None]

    assert names(9) == ["a", "b", "row 7", "d"]
    assert names(2) == ["a", "b"]
    assert names((1, 3)) == ["b", "d"]
    assert names(range(1, 3)) == ["b", "row 7"]
    assert names(slice(2)) == ["a", "b"]
    assert names([-1, 0]) == ["d", "a"]
    assert names(np.array([True, False, False, True])) == ["a", "d"]
    assert names(frame.index[2:]) == ["row 7", "d"]
    assert names(1, label="lat") == ["0"]


def test_axes_come_in_the_sheets_rows(flat):
    cdb = CraterDatabase(table(np.arange(5) * 20, 0, 1e5), "moon")
    cdb.add_circles("c")
    axes = drawn(cdb, flat, "c", cells=8)
    assert axes.shape == (2, 3)
    assert len(axes[0, 0].figure.axes) == 5
    assert drawn(cdb, flat, "c", 2, cells=8).shape == (2,)
    assert drawn(cdb, flat, "c", columns=1, cells=8).shape == (5, 1)


def test_the_incumbents_calls_work(flat):
    cdb = CraterDatabase(table([0, 10], 0, 1e5), "moon")
    cdb.add_circles("crater", 1.5)
    ax, _ = drawn(
        cdb, flat, "crater", (0, 1),
        {"draw_labels": False, "dms": False, "xlocs": [1], "x_inline": False, "ls": ":"},
        alpha=0.2, color="tab:green", facecolor="none", lw=3, cmap="magma", vmin=0, vmax=10,
    )  # fmt: skip
    assert ax.images[0].get_clim() == (0, 10)
    assert ax.images[0].get_cmap().name == "magma"
    assert ax.patches[0].get_linewidth() == 3
    assert ax.patches[0].get_alpha() == 0.2
    assert ax.get_xgridlines()[0].get_linestyle() == ":"


def test_colours_are_stretched_in_each_panel_or_in_all(tmp_path):
    path = write(tmp_path / "x.tif", lonlat(1.0), lambda x, y: x)
    cdb = CraterDatabase(table([0, 60], 0, 1e5), "moon")
    cdb.add_circles("c")
    limits = [ax.images[0].get_clim() for ax in drawn(cdb, path, "c")]
    assert limits[0][1] < limits[1][0]
    axes = drawn(cdb, path, "c", shared=True)
    assert axes[0].images[0].get_clim() == axes[1].images[0].get_clim()
    assert len(axes[0].figure.axes) == 3


def test_small_frames_are_in_metres(flat):
    cdb = CraterDatabase(table(0, 0, 20), "moon")
    cdb.add_circles("c")
    (ax,) = drawn(cdb, flat, "c")
    assert ax.images[0].get_extent()[1] == pytest.approx(23)
    assert "(m)" in ax.figure._supxlabel.get_text()


def test_an_empty_roi_is_an_empty_panel(flat):
    cdb = CraterDatabase(table([0, 10], 0, 1e5), "moon")
    with pytest.warns(DroppedRowsWarning):
        cdb.add_sectors("fan", 1, 2, [np.nan, 10], [np.nan, 50], errors="drop")
    empty, full = drawn(cdb, flat, "fan")
    assert (len(empty.patches), len(full.patches)) == (0, 1)
    assert empty.images[0].get_extent()[1] == pytest.approx(115)


def test_a_picture_is_written_whole(flat, tmp_path, monkeypatch):
    cdb = CraterDatabase(table(0, 0, 1e5), "moon")
    cdb.add_circles("c")
    path = tmp_path / "sheet.png"
    drawn(cdb, flat, "c", cells=8, savefig=path, savefig_kwargs={"dpi": 40})
    written = path.read_bytes()
    assert written.startswith(b"\x89PNG")

    def fail(self, file, **kwargs):
        file.write(b"half")
        raise OSError("disk full")

    monkeypatch.setattr(Figure, "savefig", fail)
    with pytest.raises(OutputError, match=r"sheet\.png was not written: disk full"):
        drawn(cdb, flat, "c", cells=8, savefig=path)
    assert path.read_bytes() == written
    assert [entry.name for entry in tmp_path.iterdir()] == ["sheet.png"]


@pytest.mark.parametrize("value", [7.3, 1737400.1, -1e-5])
def test_a_constant_raster_is_drawn_as_one_colour(tmp_path, value):
    path = write(tmp_path / "c.tif", lonlat(1.0), np.full((180, 360), value), dtype="float64")
    cdb = CraterDatabase(table(10.3, 40.7, [7e4]), "moon")
    cdb.add_circles("c")
    for raster in (path, np.full((720, 1440), value)):
        options = {} if raster is path else {"raster_crs": "planetocentric"}
        (ax,) = drawn(cdb, raster, "c", transform=None if raster is path else GLOBE_025, **options)
        assert np.ptp(image(ax)[0]) == 0
        low, high = ax.images[0].get_clim()
        assert (value - low) / (high - low) == pytest.approx(0.5)


def test_noise_of_the_last_digit_is_no_picture(flat):
    noise = 7 * (1 + 2e-16 * np.random.default_rng(0).integers(-1, 2, (180, 360)))
    cdb = CraterDatabase(table(0, 0, 1e5), "moon")
    cdb.add_circles("c")
    options = {"transform": lonlat(1.0).transform, "raster_crs": "planetocentric"}
    (ax,) = drawn(cdb, noise, "c", **options)
    assert np.ptp(ax.images[0].get_clim()) >= 1
    (ax,) = drawn(cdb, noise, "c", shade=True, **options)
    assert np.ptp(ax.images[0].get_clim()) > 0.5


def test_a_few_ones_among_zeros_are_seen(tmp_path):
    path = write(tmp_path / "m.tif", lonlat(1.0), lambda x, y: (np.hypot(x - 0.5, y - 0.5) < 1) + 0)
    cdb = CraterDatabase(table(0, 0, 6e5), "moon")
    cdb.add_circles("c")
    (ax,) = drawn(cdb, path, "c", resampling="nearest")
    assert ax.images[0].get_clim() == (0, 1)


def test_north_is_up_whatever_matplotlibs_settings_say(tmp_path):
    from matplotlib import rc_context

    path = write(tmp_path / "lat.tif", lonlat(1.0), lambda x, y: y)
    cdb = CraterDatabase(table(0, 0, 3e5), "moon")
    cdb.add_circles("c")
    for shade in (False, True):
        with rc_context({"image.origin": "lower", "image.interpolation": "bicubic"}):
            (ax,) = drawn(cdb, path, "c", shade=shade, cmap="viridis")
        assert {own.origin for own in ax.images} == {"upper"}
        assert "bicubic" not in {own.get_interpolation() for own in ax.images}
        values = ax.images[-1].get_array()
        assert values[0].mean() > values[-1].mean()


def test_colours_go_to_regions(flat):
    cdb = CraterDatabase(table(0, 0, 1e5), "moon")
    cdb.add_circles("a")
    cdb.add_circles("b", 2)
    for color in (["red", "blue"], {"b": "blue", "a": "red"}):
        (ax,) = drawn(cdb, flat, ["a", "b"], cells=8, color=color)
        assert [patch.get_edgecolor()[:3] for patch in ax.patches] == [(1, 0, 0), (0, 0, 1)]


def test_the_legend_of_regions_is_beside_the_panels(flat):
    from matplotlib import pyplot as plt

    cdb = CraterDatabase(table([0, 10], 0, 1e5), "moon")
    cdb.add_circles("$\\frac$ 5")
    cdb.add_circles("b", 2)
    for figure in (None, Figure(figsize=(8, 4))):
        axes = cdb.plot_rois(flat, ["$\\frac$ 5", "b"], cells=8, fig=figure)
        figure = axes[0].figure
        figure.canvas.draw()
        (legend,) = figure.legends
        assert [text.get_text() for text in legend.get_texts()] == ["$\\frac$ 5", "b"]
        box = legend.get_window_extent()
        assert not any(box.overlaps(ax.get_tightbbox()) for ax in axes)
    plt.close("all")


@pytest.mark.parametrize(
    ("letters", "columns", "size"), [(10, 3, None), (18, 3, 7), (10, 6, 7), (10, 2, (5, 9))]
)
def test_texts_of_panels_do_not_overlap(flat, letters, columns, size):
    from matplotlib import pyplot as plt
    from matplotlib import rc_context

    frame = table(np.arange(columns) * 20 - 100, -45.2, 3e5)
    frame["name"] = (["Mare Tranquillitatis", "Rozhdestvenskiy W", "A"] * 2)[:columns]
    cdb = CraterDatabase(frame, "moon")
    cdb.add_circles("c")
    with rc_context({"font.size": letters}):
        axes = cdb.plot_rois(flat, "c", columns=columns, size=size, cells=8)
        figure = axes[0].figure
        figure.canvas.draw()
    boxes = [box for ax in axes for box in boxes_of_texts(ax)]
    assert not [(a, b) for i, a in enumerate(boxes) for b in boxes[:i] if a.overlaps(b)]
    assert all(figure.bbox.x0 <= box.x0 and box.x1 <= figure.bbox.x1 for box in boxes)
    plt.close(figure)


def boxes_of_texts(ax):
    """Where the names and numbers of a panel are in its drawn figure, less a dot at each side."""
    texts = [ax._left_title, ax._right_title]
    for axis in (ax.xaxis, ax.yaxis):
        low, high = sorted(axis.get_view_interval())
        texts += [tick.label1 for tick in axis.get_major_ticks() if low <= tick.get_loc() <= high]
    boxes = [text.get_window_extent().padded(-1) for text in texts]
    if texts[0].get_text().endswith("\n"):
        boxes[0].y0 = (boxes[0].y0 + boxes[0].y1) / 2
    return boxes


def test_sizes_and_limits_that_can_be(flat):
    from matplotlib import pyplot as plt

    cdb = CraterDatabase(table([0, 10], 0, 1e5), "moon")
    cdb.add_circles("c")
    axes = cdb.plot_rois(
        {"heights": flat}, "c", size=np.array([5, 4]), columns=np.int64(1), cells=np.int64(9),
        shared=True, savefig=None,
    )  # fmt: skip
    figure = axes[0, 0].figure
    assert figure.get_size_inches().tolist() == [5, 4]
    assert figure.axes[-1].get_ylabel() == "heights"
    plt.close(figure)
    for given, expected in (({"vmin": 99.0}, (99, 198)), ({"vmax": -3.0}, (-6, -3))):
        (ax, _) = drawn(cdb, flat, "c", cells=8, **given)
        assert ax.images[0].get_clim() == expected


def test_wrong_arguments_say_what_is_right(flat, tmp_path):
    cdb = CraterDatabase(table([0, 10], 0, 1e5), "moon")
    cdb.add_circles("c")
    mars = write(tmp_path / "mars.tif", lonlat(2.0, crs=MARS_CRS), lambda x, y: x)
    for error, message, args, kwargs in [
        (RegionError, "there is no region 'rim'", (flat, "rim"), {}),
        (ArgumentError, "no row at position 2 among 2 rows", (flat, "c", (0, 2)), {}),
        (ArgumentError, "first 0 rows", (flat, "c", 0), {}),
        (ArgumentError, "picks no rows", (flat, "c", []), {}),
        (ArgumentError, "has no 'x'", (flat, "c", ["x"]), {}),
        (ArgumentError, "index: rows are selected by", (flat, "c", "x"), {}),
        (ColumnError, "no column 'Name'", (flat, "c"), {"label": "Name"}),
        (ArgumentError, "has no band 2", (flat, "c"), {"band": 2}),
        (CRSError, "mars", (mars, "c"), {}),
        (RasterTypeError, "a raster must be", ([flat], "c"), {}),
        (ArgumentError, "cells must be", (flat, "c"), {"cells": 2}),
        (ArgumentError, "margin must be", (flat, "c"), {"margin": -1}),
        (ArgumentError, "resampling must be", (flat, "c"), {"resampling": "cubic"}),
        (ArgumentError, "stretch must be", (flat, "c"), {"stretch": (98, 2)}),
        (ArgumentError, "altitude must lie", (flat, "c"), {"shade": True, "altitude": 0}),
        (ArgumentError, "azimuth must be a number, not 'a'", (flat, "c"), {"azimuth": "a"}),
        (
            ArgumentError,
            "color must be .* 'c', .*, not 'nocolor'",
            (flat, "c"),
            {"color": "nocolor"},
        ),
        (ArgumentError, "color has 0 colours for 'c'", (flat, "c"), {"color": []}),
        (ArgumentError, "color has 2 colours", (flat, "c"), {"color": ["red", "blue"]}),
        (ArgumentError, "nothing called 'x'", (flat, "c"), {"color": {"x": "red"}}),
        (ArgumentError, "no colour map 'nocmap'", (flat, "c"), {"cmap": "nocmap"}),
        (ArgumentError, "stretch must be two percentiles", (flat, "c"), {"stretch": 5}),
        (ArgumentError, "size must be", (flat, "c"), {"size": 0}),
        (ArgumentError, "size must be", (flat, "c"), {"size": "a"}),
        (ArgumentError, "dpi must be", (flat, "c"), {"dpi": -3}),
        (ArgumentError, "vmin must be a number, not nan", (flat, "c"), {"vmin": np.nan}),
        (ArgumentError, "vmin must lie below vmax", (flat, "c"), {"vmin": 5, "vmax": 1}),
        (ArgumentError, "grid_kw must be a dict", (flat, "c"), {"grid_kw": True}),
        (ArgumentError, "grid_kw: .*nosuch", (flat, "c"), {"grid_kw": {"nosuch": 1}}),
        (ArgumentError, "savefig_kwargs must be a dict", (flat, "c"), {"savefig_kwargs": [1]}),
        (ArgumentError, "one raster, not a dict of 2", ({"a": flat, "b": flat}, "c"), {}),
        (ArgumentError, "string to float: 'a'", (flat, "c"), {"lw": "a"}),
        (TypeError, "called raster here", (flat, "c"), {"fraster": flat}),
        (ArgumentError, "no folder", (flat, "c"), {"savefig": tmp_path / "no" / "x.png"}),
        (ArgumentError, "must end in", (flat, "c"), {"savefig": tmp_path / "x.txt"}),
    ]:
        with pytest.raises(error, match=f"(?i){message}"):
            drawn(cdb, *args, **kwargs)
    with pytest.raises(ArgumentError, match="fig must be a figure"):
        cdb.plot_rois(flat, "c", fig=3)


def test_nothing_global_changes(flat):
    import matplotlib
    from matplotlib import pyplot as plt

    cdb = CraterDatabase(table(0, 0, 1e5), "moon")
    cdb.add_circles("c")
    before, figures = dict(matplotlib.rcParams), plt.get_fignums()
    drawn(cdb, flat, "c", cells=8)
    with pytest.raises(
        TypeError, match=r"no_such_property.* are for matplotlib\.patches\.PathPatch"
    ):
        cdb.plot_rois(flat, "c", cells=8, no_such_property=1)
    assert dict(matplotlib.rcParams) == before
    assert plt.get_fignums() == figures
