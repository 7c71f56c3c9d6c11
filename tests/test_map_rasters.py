"""Rasters behind maps: pixels lie where they belong, in colours that show them."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING

import numpy as np
import pyproj
import pytest
import rasterio
from affine import Affine
from matplotlib import pyplot as plt

import worlds
from craterkit import CraterDatabase, sample_data
from craterkit.errors import (
    ArgumentError,
    CRSError,
)
from map_pictures import R, database

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from matplotlib.axes import Axes

    Array = np.ndarray


@pytest.fixture(autouse=True)
def no_figures_left() -> Iterator[None]:
    yield
    plt.close("all")


def shown_at(ax: Axes, x: Array, y: Array) -> Array:
    """What the image on axes has at places, in their coordinates."""
    (picture,) = ax.images
    values = np.asarray(picture.get_array())
    left, right, bottom, top = picture.get_extent()
    rows, columns = values.shape[:2]
    row, column = (top - y) / (top - bottom) * rows, (x - left) / (right - left) * columns
    found: Array = values[row.astype(int), column.astype(int)]
    return found


def anywhere(ax: Axes, count: int = 2000) -> tuple[Array, Array]:
    """Places on axes."""
    rng = np.random.default_rng(1)
    return rng.uniform(*ax.get_xlim(), count), rng.uniform(*ax.get_ylim(), count)


class TestPixelsAreWhereTheyBelong:
    """A checkerboard of single pixels, at places all over the map."""

    @pytest.mark.parametrize(
        "extent",
        [
            (0.5, 3.9, 0.5, 3.9),
            (0.6, 10.0, 0.6, 10.0),
            (10.3, 40.75, 10.3, 40.75),
            (0, 4, 0, 4),
            (170.3, 200.7, 80.2, 90.0),
            (-200.4, 100.0, -90.0, -20.1),
        ],
    )
    @pytest.mark.parametrize("south_up", [False, True])
    def test_any_extent(self, tmp_path: Path, extent: tuple[float, ...], south_up: bool) -> None:
        grid = worlds.lonlat(1.0)
        checks = np.indices(grid.shape).sum(axis=0) % 2 * 255
        path = worlds.write(
            tmp_path / "a.tif",
            grid.south_up() if south_up else grid,
            checks[::-1] if south_up else checks,
            dtype="uint8",
        )
        ax = database(2, 2, 0.5).plot(path, extent=extent)
        assert (*ax.get_xlim(), *ax.get_ylim()) == extent
        x, y = anywhere(ax)
        truth = checks[(90 - y).astype(int), ((x + 180) % 360).astype(int)]
        assert np.array_equal(shown_at(ax, x, y), truth)

    @pytest.mark.parametrize("extent", [None, (5.1, 12.3, 4.0, 9.99), (-6.0, 14.9, -3.3, 20.0)])
    def test_pixels_of_which_no_whole_number_goes_round(
        self, tmp_path: Path, extent: tuple[float, ...] | None
    ) -> None:
        pixel, size = 0.37, 50
        checks = np.indices((size, size)).sum(axis=0) % 2 * 255
        path = worlds.write(
            tmp_path / "a.tif", worlds.patch(10.0, 10.0, pixel, size), checks, dtype="uint8"
        )
        ax = database(10, 10, 0.5).plot(path, extent=extent)
        x, y = anywhere(ax)
        row, column = (10 + pixel * size / 2 - y) / pixel, (x - 10 + pixel * size / 2) / pixel
        on = (row >= 0) & (row < size) & (column >= 0) & (column < size)
        truth = checks[row[on].astype(int), column[on].astype(int)]
        assert np.array_equal(shown_at(ax, x[on], y[on]), truth)

    def test_rows_of_unlike_height(self, tmp_path: Path) -> None:
        n, half = 50, worlds.metres(150)
        transform = Affine(2 * np.pi * R / 60, 0, -np.pi * R, 0, -2 * half / n, half)
        stripes = np.tile(np.arange(n)[:, None] % 2 * 255, 60)
        grid = SimpleNamespace(
            shape=stripes.shape,
            transform=transform,
            crs=pyproj.CRS.from_user_input(f"+proj=merc +R={R}"),
        )
        path = worlds.write(tmp_path / "a.tif", grid, stripes, dtype="uint8")  # type: ignore[arg-type]
        ax = database(10, 10, 5).plot(path)
        x, y = anywhere(ax)
        row = (half - R * np.arctanh(np.sin(np.radians(y)))) / (2 * half / n)
        # Edges are right to a quarter of the picture's pixels.
        wrong = shown_at(ax, x, y) != stripes[row.astype(int), 0]
        assert wrong.mean() < 0.03


class TestStretch:
    def limits(self, path: Path, values: Array, dtype: str, **options: object) -> tuple[float, ...]:
        worlds.write(path, worlds.lonlat(5.0), values, dtype=dtype)
        ax = database(10, 10, 5).plot(path, **options)
        assert ax.images[0].get_array().shape == values.shape
        return ax.images[0].get_clim()

    @pytest.mark.parametrize(
        ("highest", "expected"), [(1, (0, 1)), (7, (0, 7)), (64, (0, 64)), (65, (0, 255))]
    )
    def test_bytes(self, tmp_path: Path, highest: int, expected: tuple[float, float]) -> None:
        values = np.zeros((36, 72))
        values[3, 4] = highest
        assert self.limits(tmp_path / "a.tif", values, "uint8") == expected

    def test_a_sparse_mask(self, tmp_path: Path) -> None:
        values = np.zeros((36, 72))
        values[3, 4:8] = 1
        assert self.limits(tmp_path / "a.tif", values, "int16") == (0, 1)

    @pytest.mark.parametrize("value", [0.0, 1.1, -2e6, 1e12])
    def test_a_constant_is_no_noise(self, tmp_path: Path, value: float) -> None:
        values = np.full((36, 72), value)
        values[::2] *= 1 + 1e-15
        low, high = self.limits(tmp_path / "a.tif", values, "float64")
        assert (value - low) / (high - low) == pytest.approx(0.5, abs=1e-3)

    def test_percentiles_and_colours_of_choice(self, tmp_path: Path) -> None:
        values = np.arange(36 * 72.0).reshape(36, 72)
        path = tmp_path / "a.tif"
        found = self.limits(path, values, "float32", stretch=(10, 50), raster_cmap="viridis")
        assert found == tuple(np.percentile(values, (10, 50)))
        ax = database(10, 10, 5).plot(path, raster_cmap="viridis")
        assert ax.images[0].get_cmap().name == "viridis"

    def test_dim_colours_keep_their_hue(self, tmp_path: Path) -> None:
        grid = worlds.lonlat(5.0)
        values = np.stack([np.full(grid.shape, level) for level in (50, 20, 0)])
        path = worlds.write(tmp_path / "a.tif", grid, values, dtype="uint8")
        (picture,) = database(10, 10, 5).plot(path, band=(1, 2, 3)).images
        assert np.allclose(picture.get_array(), [1.0, 0.4, 0.0, 1.0])


class TestRaster:
    def test_reads_no_more_than_is_shown(self, monkeypatch: pytest.MonkeyPatch) -> None:
        from craterkit.rasters.gdal import GdalRaster

        sizes = []
        read = GdalRaster.read

        def counted(self: GdalRaster, band: object, window: object, out: Array, mask: object):
            sizes.append(out.size)
            read(self, band, window, out, mask)  # type: ignore[arg-type]

        monkeypatch.setattr(GdalRaster, "read", counted)
        database(10, 10, 5).plot(sample_data["moon.tif"], size=2, dpi=50)
        assert sum(sizes) <= (2 * 2 * 50) ** 2

    @pytest.mark.parametrize("kind", ["file", "array"])
    def test_thinned_pixels_are_where_they_belong(self, tmp_path: Path, kind: str) -> None:
        grid = worlds.lonlat(0.25)
        values = np.degrees(np.sin(np.radians(grid.mesh[1]))) + grid.mesh[0]
        path = worlds.write(tmp_path / "a.tif", grid, values, dtype="float32", block=64)
        given = {"raster_crs": "planetocentric", "transform": grid.transform}
        raster, options = (path, {}) if kind == "file" else (values, given)
        ax = database(10, 10, 5).plot(raster, size=2, dpi=50, **options)
        shown = ax.images[0].get_array()
        assert shown.shape < grid.shape
        west, east, south, north = ax.images[0].get_extent()
        lon = west + (np.arange(shown.shape[1]) + 0.5) / shown.shape[1] * (east - west)
        lat = north - (np.arange(shown.shape[0]) + 0.5) / shown.shape[0] * (north - south)
        truth = lon + np.degrees(np.sin(np.radians(lat)))[:, None]
        assert np.abs(shown - truth).max() < 2.0

    def test_south_up_looks_the_same(self, tmp_path: Path) -> None:
        grid = worlds.lonlat(1.0)
        pictures = []
        for name, own in (("a", grid), ("b", grid.south_up())):
            path = worlds.write(tmp_path / f"{name}.tif", own, lambda lon, lat: lat + lon / 9)
            pictures.append(database(10, 10, 5).plot(path).images[0].get_array())
        assert np.array_equal(*pictures)

    def test_mercator_is_drawn_in_degrees(self, tmp_path: Path) -> None:
        height = R * np.arctanh(np.sin(np.radians(70.0)))
        crs = pyproj.CRS.from_user_input(f"+proj=merc +R={R}")
        n = 400
        transform = Affine(2 * np.pi * R / n, 0, -np.pi * R, 0, -2 * height / n, height)
        y = height - (np.arange(n) + 0.5) * 2 * height / n
        lat = np.degrees(np.arcsin(np.tanh(y / R)))
        grid = SimpleNamespace(shape=(n, n), transform=transform, crs=crs)
        path = worlds.write(tmp_path / "a.tif", grid, np.tile(lat[:, None], n))  # type: ignore[arg-type]
        ax = database(10, 10, 5).plot(path)
        shown = ax.images[0].get_array()
        rows = 70.0 - (np.arange(shown.shape[0]) + 0.5) / shown.shape[0] * 140.0
        assert np.allclose(ax.get_ylim(), (-70, 70))
        assert np.abs(shown[:, 5] - rows).max() < 1.0

    def test_nodata_is_transparent(self, tmp_path: Path) -> None:
        grid = worlds.lonlat(5.0)
        values = np.where(grid.mesh[0] < 0, -999.0, grid.mesh[1])
        path = worlds.write(tmp_path / "a.tif", grid, values, nodata=-999.0)
        (picture,) = database(10, 10, 5).plot(path).images
        missing = np.ma.getmaskarray(picture.get_array())
        assert missing[:, :36].all()
        assert not missing[:, 36:].any()
        low, high = picture.get_clim()
        assert -90 < low < -80 < 80 < high < 90

    def test_three_bands_are_colours(self, tmp_path: Path) -> None:
        grid = worlds.lonlat(5.0)
        values = np.stack([np.full(grid.shape, level) for level in (255, 102, 0)])
        path = worlds.write(tmp_path / "a.tif", grid, values, dtype="uint8")
        (picture,) = database(10, 10, 5).plot(path, band=(1, 2, 3)).images
        assert np.allclose(picture.get_array(), [1.0, 0.4, 0.0, 1.0])

    def test_ground_without_data_is_hatched(self, tmp_path: Path) -> None:
        path = worlds.write(tmp_path / "a.tif", worlds.patch(10.0, 10.0, 0.1, 100), 0.0)
        assert database(10, 10, 5).plot(path).patch.get_hatch()

    @pytest.mark.parametrize("extent", [(100, 110, 0, 10), (5, 10, 40, 50)])
    def test_an_extent_off_the_raster(
        self, tmp_path: Path, extent: tuple[float, float, float, float]
    ) -> None:
        path = worlds.write(tmp_path / "a.tif", worlds.patch(10.0, 10.0, 0.1, 100), 0.0)
        with pytest.raises(ArgumentError, match="extent"):
            database(10, 10, 5).plot(path, extent=extent)
        assert not plt.get_fignums()

    def test_another_body_is_refused(self) -> None:
        mars = CraterDatabase(worlds.table([0.0], [0.0], [1e5]), "mars")
        with pytest.raises(CRSError, match="Moon"):
            mars.plot(sample_data["moon.tif"])
        assert not plt.get_fignums()


def test_a_large_raster_with_an_alpha_band_is_thinned_too(tmp_path):
    image = np.zeros((2, 2000, 4000), dtype=np.uint8)
    image[0] = 77
    image[1, :, 2000:] = 255
    path = tmp_path / "alpha.tif"
    profile = {
        **{"driver": "GTiff", "count": 2, "height": 2000, "width": 4000, "dtype": "uint8"},
        **{"crs": "IAU_2015:30100", "transform": Affine(0.09, 0, -180, 0, -0.09, 90)},
    }
    with rasterio.open(path, "w", **profile, alpha="yes") as dataset:
        dataset.write(image)
    axes = database(10.0, 0.0, 3.0).plot(path)
    shown = axes.images[0].get_array()
    west, east = np.array_split(np.ma.getmaskarray(shown), 2, axis=1)
    assert west.all()
    assert not east.any()
    assert (shown.compressed() == 77).all()
