"""Connected areas of a selection, and selections as rasters, outlines and pictures."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyproj
import pytest
import rasterio
import shapely
from affine import Affine

import worlds
from craterkit.errors import ArgumentError, CRSError
from craterkit.selection import areas as selection_areas
from craterkit.selection.pixel_selection import PixelSelection


@pytest.fixture
def noise():
    return np.random.default_rng(7).integers(0, 4, (36, 72))


@pytest.fixture
def mask_file(tmp_path, noise):
    return worlds.write(tmp_path / "mask.tif", worlds.lonlat(5), noise, dtype="uint8", block=16)


def on_globe(mask, pixel=5.0, west=-180.0):
    """A selection on a global lon/lat grid of the Moon."""
    grid = worlds.lonlat(pixel, west)
    return PixelSelection.from_array(
        mask, transform=grid.transform, raster_crs="planetocentric", body="moon"
    )


# --- Areas ---------------------------------------------------------------------------------------


def test_areas_of_a_globe_have_their_size_place_and_bounds():
    mask = np.zeros((36, 72), dtype=bool)
    mask[0] = True  # a cap of 5 degrees
    mask[17:19, [0, 71]] = True  # about (180, 0), across the seam
    mask[30, 10:14] = True
    areas = on_globe(mask).areas
    assert areas["pixels"].tolist() == [72, 4, 4]
    radians = np.radians([0, 5])
    across = 2 * np.sin(radians[1]) * np.radians(10.0)
    expected = [2 * np.pi * (1 - np.cos(radians[1])), across]
    np.testing.assert_allclose(
        areas["area_km2"][:2], np.array(expected) * (worlds.MOON / 1e3) ** 2, rtol=1e-9
    )
    np.testing.assert_allclose(areas["lat"][:2], [90.0, 0.0], atol=1e-9)
    np.testing.assert_allclose(areas["lon"][1:], [-180.0, -120.0], atol=1e-9)
    bounds = areas[["row_start", "row_stop", "col_start", "col_stop"]].to_numpy().tolist()
    assert bounds == [[0, 1, 0, 72], [17, 19, 71, 73], [30, 31, 10, 14]]


def test_all_of_a_globe_is_one_area_without_a_centre():
    areas = on_globe(np.ones((36, 72), dtype=bool)).areas
    assert areas["area_km2"].to_numpy() == pytest.approx([4 * np.pi * (worlds.MOON / 1e3) ** 2])
    assert areas[["lon", "lat"]].isna().all(axis=None)


def test_ground_that_a_raster_shows_twice_counts_once():
    mask = np.zeros((36, 74), dtype=bool)  # two columns beyond the full circle
    mask[10, [0, 1, 72, 73]] = True
    grid = worlds.lonlat(5)
    areas = PixelSelection.from_array(
        mask, transform=grid.transform, raster_crs=grid.crs, body="moon"
    ).areas
    once = on_globe(mask[:, :72]).areas
    assert areas["pixels"].tolist() == [4]
    pd.testing.assert_frame_equal(areas.drop(columns="pixels"), once.drop(columns="pixels"))


def test_centres_are_the_mean_directions_of_the_pixels_by_area(noise):
    pixels = on_globe(noise == 1).with_connectivity(4)
    edge = np.radians(90.0 - 5.0 * np.arange(37))
    share = (np.sin(edge[:-1]) - np.sin(edge[1:]))[pixels.rows]
    lon, lat = np.radians(pixels.lon), np.radians(pixels.lat)
    x, y, z = (
        np.bincount(pixels.labels, share * part)
        for part in (np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat))
    )
    areas = pixels.areas
    np.testing.assert_allclose(areas["lat"], np.degrees(np.arctan2(z, np.hypot(x, y))), atol=1e-9)
    apart = areas["lon"] - np.degrees(np.arctan2(y, x))
    np.testing.assert_allclose((apart + 180) % 360 - 180, 0, atol=1e-9)


@pytest.mark.parametrize("portion", [50, 1 << 20])
def test_a_cap_on_a_polar_map_has_its_area_and_its_pole(portion, monkeypatch):
    monkeypatch.setattr(selection_areas, "PORTION_PIXELS", portion)
    crs = pyproj.CRS.from_user_input("IAU_2015:30135")
    pixel = 10_000.0
    transform = Affine(pixel, 0.0, -40 * pixel, 0.0, -pixel, 40 * pixel)
    everything = PixelSelection.from_array(
        np.ones((80, 80), dtype=bool), transform=transform, raster_crs=crs
    )
    cap = PixelSelection.from_array(
        (everything.lat <= -80.0).reshape(80, 80), transform=transform, raster_crs=crs
    )
    areas = cap.areas
    assert areas["area_km2"].sum() == pytest.approx(worlds.annulus_area(0, 10) / 1e6, rel=0.005)
    assert areas["lat"][0] == pytest.approx(-90.0, abs=1e-6)


def test_connectivity_is_a_choice(noise):
    pixels = on_globe(noise == 1)
    by_sides = pixels.with_connectivity(4)
    assert by_sides == pixels
    assert by_sides.labels.max() > pixels.labels.max()
    assert (by_sides & pixels).connectivity == 4
    assert len(by_sides.areas) == by_sides.labels.max() + 1
    with pytest.raises(ArgumentError, match="must be 4 or 8, not 6"):
        pixels.with_connectivity(6)


def test_nothing_has_no_areas(noise):
    nothing = on_globe(noise < 0)
    assert len(nothing.areas) == len(nothing.labels) == len(nothing.to_geodataframe()) == 0
    assert repr(nothing) == "PixelSelection of 0 pixels in 0 areas of the array (36 x 72)"


# --- What they are given out as ------------------------------------------------------------------


def test_a_raster_comes_back_with_its_place(mask_file, tmp_path, noise):
    pixels = PixelSelection.from_raster(mask_file, 1)
    path = pixels.to_raster(tmp_path / "out.tif", dtype="int16", selected=-3, other=7)
    with rasterio.open(mask_file) as mask, rasterio.open(path) as written:
        assert written.crs == mask.crs
        assert written.transform == mask.transform
        assert written.dtypes == ("int16",)
        np.testing.assert_array_equal(written.read(1), np.where(noise == 1, -3, 7))
    assert PixelSelection.from_raster(path, -3) == pixels
    assert sorted(p.name for p in tmp_path.iterdir()) == ["mask.tif", "out.tif"]


def test_a_raster_without_a_place_and_larger_than_a_tile(tmp_path):
    mask = np.random.default_rng(1).random((300, 600)) < 0.1
    path = PixelSelection.from_array(mask).to_raster(tmp_path / "out.tif")
    assert PixelSelection.from_raster(path, 1) == PixelSelection.from_array(mask)


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("out.png", {}, r"must end in \.tif"),
        ("out.tif", {"selected": 256}, "selected 256 is not a number that uint8 holds"),
        ("out.tif", {"other": 1}, "must differ"),
        ("none/out.tif", {}, "cannot be written"),
    ],
)
def test_rasters_that_cannot_be_written(tmp_path, name, options, message):
    pixels = PixelSelection.from_array(np.eye(3, dtype=bool))
    with pytest.raises((ArgumentError, OSError), match=message):
        pixels.to_raster(tmp_path / name, **options)
    assert not any(tmp_path.iterdir())


def test_outlines_cover_the_pixels(mask_file):
    pixels = PixelSelection.from_raster(mask_file, 1)
    by_area, by_pixel = pixels.to_geodataframe(), pixels.to_geodataframe(by="pixel")
    assert by_area.geometry.is_valid.all()
    assert by_pixel.geometry.is_valid.all()
    np.testing.assert_allclose(shapely.area(by_area.geometry), 25.0 * pixels.areas["pixels"])
    np.testing.assert_allclose(shapely.area(by_pixel.geometry), 25.0)
    centres = shapely.get_coordinates(shapely.centroid(by_pixel.geometry)).T
    np.testing.assert_allclose(centres, [pixels.lon, pixels.lat])
    assert by_area.crs == by_pixel.crs == pixels.crs
    for area, outline in enumerate(by_area.geometry):
        dissolved = shapely.union_all(by_pixel.geometry[by_pixel["area"] == area])
        assert outline.equals(dissolved)
    with pytest.raises(ArgumentError, match="by must be"):
        pixels.to_geodataframe(by="row")


def test_outlines_without_a_place_are_in_pixels():
    frame = PixelSelection.from_array(np.array([[False, True], [True, True]])).to_geodataframe()
    assert frame.crs is None
    assert frame.geometry[0].bounds == (0.0, 0.0, 2.0, 2.0)
    assert frame.geometry[0].area == 3.0


def test_a_convention_is_no_crs_of_a_file(tmp_path):
    grid = worlds.lonlat(60)
    mask = np.ones(grid.shape, dtype=bool)
    options = {"transform": grid.transform, "body": "mars"}
    west = PixelSelection.from_array(mask, raster_crs="planetographic", **options)
    with pytest.raises(CRSError, match="have no CRS that a file can name"):
        west.to_raster(tmp_path / "out.tif")
    east = PixelSelection.from_array(mask, raster_crs="planetocentric", **options)
    assert east.to_geodataframe().crs == east.body.crs


def test_plots_are_in_degrees_or_in_pixels(noise):
    from matplotlib import pyplot as plt
    from matplotlib.figure import Figure

    mask = np.zeros((36, 72), dtype=bool)
    mask[10:12, 20:30] = True
    for pixels, extent, label in (
        (on_globe(mask), (-80.0, -30.0, 30.0, 40.0), "Longitude (°E)"),
        (PixelSelection.from_array(mask), (19.5, 29.5, 11.5, 9.5), "Column"),
    ):
        ax = Figure().subplots()
        assert pixels.plot(ax, alpha=0.5) is ax
        assert tuple(ax.images[0].get_extent()) == pytest.approx(extent)
        assert ax.get_xlabel() == label
        assert ax.images[0].get_array().count() == 20
    ax = on_globe(mask).plot()
    assert ax.get_ylabel() == "Latitude (°)"
    plt.close(ax.figure)
    with pytest.raises(ArgumentError, match="no pixels to draw"):
        on_globe(noise < 0).plot(Figure().subplots())


def test_a_plot_of_a_large_raster_shows_single_pixels():
    from matplotlib.figure import Figure

    corners = PixelSelection.from_array(np.eye(9001, dtype=bool)[:: 9000 // 3])
    image = corners.plot(Figure().subplots()).images[0].get_array()
    assert max(image.shape) <= 2000
    assert image.count() == len(corners) == 4


def shown(pixels, **kwargs):
    """The image of a selection, on axes that pyplot does not know."""
    from matplotlib.figure import Figure

    return pixels.plot(Figure().subplots(), **kwargs).images[0]


def test_the_first_row_is_on_top_whatever_matplotlibs_settings_say():
    from matplotlib import rc_context

    mask = np.zeros((6, 4), dtype=bool)
    mask[0], mask[5, 0] = True, True
    with rc_context({"image.origin": "lower"}):
        image = shown(PixelSelection.from_array(mask))
    assert image.origin == "upper"
    assert image.get_extent() == [-0.5, 3.5, 5.5, -0.5]
    assert image.get_array().count(axis=1).tolist() == [4, 0, 0, 0, 0, 1]


@pytest.mark.parametrize("across", [False, True])
def test_thin_areas_stay_and_stay_apart(across):
    from matplotlib import pyplot as plt

    mask = np.zeros((6000, 3000), dtype=bool)
    mask[20::50] = True
    pixels = PixelSelection.from_array(mask.T if across else mask)
    ax = pixels.plot()
    ax.figure.canvas.draw()
    picture = np.asarray(ax.figure.canvas.buffer_rgba())[::-1]
    x0, y0, x1, y1 = (round(edge) for edge in ax.get_window_extent().extents)
    line = picture[(y0 + y1) // 2, x0:x1] if across else picture[y0:y1, (x0 + x1) // 2]
    drawn = line[1:-1, :3].min(axis=1) < 250  # without the frame of the axes
    assert np.count_nonzero(np.diff(drawn.astype(int)) == 1) == pytest.approx(120, abs=2)
    plt.close(ax.figure)


def test_few_areas_are_explained_and_saved(tmp_path):
    from matplotlib import pyplot as plt

    mask = np.zeros((9, 9), dtype=bool)
    mask[1, 1], mask[4, 4], mask[7, 7] = True, True, True
    ax = PixelSelection.from_array(mask).plot(savefig=tmp_path / "areas.png")
    legend = ax.get_legend()
    assert [text.get_text() for text in legend.get_texts()] == ["0", "1", "2"]
    image = ax.images[0]
    for area, handle in enumerate(legend.get_patches()):
        assert handle.get_facecolor() == image.to_rgba(float(area))
    assert legend.get_window_extent().x0 >= ax.get_window_extent().x1
    assert (tmp_path / "areas.png").read_bytes().startswith(b"\x89PNG")
    plt.close(ax.figure)


def test_plots_that_cannot_be_leave_no_figure():
    from matplotlib import pyplot as plt
    from matplotlib.figure import Figure

    pixels = PixelSelection.from_array(np.eye(3, dtype=bool))
    before = plt.get_fignums()
    for error, message, kwargs in (
        (TypeError, r"nosuch.* are for matplotlib\.axes\.Axes\.imshow", {"nosuch": 1}),
        (ArgumentError, "nocmap", {"cmap": "nocmap"}),
        (ArgumentError, "savefig_kwargs must be a dict", {"savefig_kwargs": [1]}),
        (ArgumentError, "must end in", {"savefig": "x.txt"}),
        (ArgumentError, "rectangular axes", {"ax": Figure().add_subplot(projection="mollweide")}),
        (ArgumentError, "axes of matplotlib, not int", {"ax": 3}),
    ):
        with pytest.raises(error, match=message):
            pixels.plot(**kwargs)
    assert plt.get_fignums() == before
