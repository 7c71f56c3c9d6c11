"""Maps of databases: what is drawn lies where the geometry says, and nowhere else."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pyproj
import pytest
import rasterio
import shapely
from affine import Affine
from matplotlib import pyplot as plt
from matplotlib.collections import LineCollection, PathCollection

import worlds
from craterkit import CraterDatabase, sample_data
from craterkit.errors import ArgumentError, ColumnError, CRSError, OutputError, RegionError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from matplotlib.axes import Axes

    Array = np.ndarray

R = worlds.MOON

#: Nothing else on these maps has this colour.
MAGENTA = "#FF00FF"

#: Maps in other coordinates than degrees: PROJ's formulas and half of their side in metres.
PROJECTIONS = {
    "north pole": ("+proj=stere +lat_0=90", worlds.metres(25)),
    "south pole": ("+proj=stere +lat_0=-90", worlds.metres(25)),
    "sinusoidal": ("+proj=sinu", worlds.metres(181)),
    "sinusoidal 180": ("+proj=sinu +lon_0=180", worlds.metres(181)),
    "oblique": ("+proj=stere +lat_0=35 +lon_0=178", worlds.metres(40)),
    "orthographic": ("+proj=ortho +lat_0=20 +lon_0=150", R * 1.01),
}

#: Centres and radii in degrees.
PLACES = {
    "interior": (30.0, 20.0, 6.0),
    "seam": (179.0, 10.0, 8.0),
    "far side of the seam": (-178.0, -40.0, 10.0),
    "north pole": (50.0, 86.0, 7.0),
    "exactly at the pole": (0.0, 90.0, 5.0),
    "through the pole": (120.0, 84.0, 6.0),
    "south pole": (-100.0, -80.0, 15.0),
    "prime meridian": (1.0, -30.0, 9.0),
    "small": (160.0, 45.0, 0.7),
}


@pytest.fixture(autouse=True)
def no_figures_left() -> Iterator[None]:
    yield
    plt.close("all")


def database(
    lon: float | list[float], lat: float | list[float], degrees: float | list[float]
) -> CraterDatabase:
    radius = np.radians(np.atleast_1d(degrees)) * R
    return CraterDatabase(worlds.table(lon, lat, radius), "moon")


def flat(path: Path, formulas: str, half: float, size: int = 200, turned: float = 0.0) -> Path:
    """A raster of zeros on a projection, `half` metres to each side of its centre."""
    crs = rasterio.CRS.from_wkt(pyproj.CRS.from_user_input(f"{formulas} +R={R}").to_wkt())
    cos, sin = np.cos(np.radians(turned)), np.sin(np.radians(turned))
    pixel = 2 * half / size
    transform = Affine(
        pixel * cos,
        pixel * sin,
        -half * (cos + sin),
        pixel * sin,
        -pixel * cos,
        half * (cos - sin),
    )
    profile = {"driver": "GTiff", "width": size, "height": size, "count": 1, "dtype": "uint8"}
    with rasterio.open(path, "w", crs=crs, transform=transform, **profile) as file:
        file.write(np.zeros((1, size, size), dtype=np.uint8))
    return path


def image(ax: Axes) -> Array:
    """The figure's pixels, (rows from the bottom, columns, 4)."""
    ax.figure.canvas.draw()
    return np.asarray(ax.figure.canvas.buffer_rgba())[::-1].astype(int)


def coloured(ax: Axes) -> Array:
    """Which pixels have anything of the outlines' colour."""
    pixels = image(ax)
    return np.minimum(pixels[..., 0], pixels[..., 2]) - pixels[..., 1] > 60


def axes_only(ax: Axes) -> None:
    """Without labels and frame, whose pixels are no part of the map."""
    ax.set_axis_off()


def ground_of_pixels(ax: Axes, crs: pyproj.CRS | None) -> tuple[Array, Array]:
    """Longitude and latitude of the middle of every pixel of the figure; NaN off the map."""
    height, width = image(ax).shape[:2]
    px, py = np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5)
    data = ax.transData.inverted().transform(np.column_stack([px.ravel(), py.ravel()]))
    x, y = data.T
    inside = (x > ax.get_xlim()[0]) & (x < ax.get_xlim()[1])
    inside &= (y > ax.get_ylim()[0]) & (y < ax.get_ylim()[1])
    if crs is not None:
        x, y = unproject(crs, x, y)
    shape = (height, width)
    lon, lat = (np.where(inside, value, np.nan).reshape(shape) for value in (x, y))
    return lon, lat


def unproject(crs: pyproj.CRS, x: Array, y: Array) -> tuple[Array, Array]:
    """Longitude and latitude by PROJ; NaN where there is none or it does not lead back."""
    proj = pyproj.Proj(crs)
    lon, lat = proj(x, y, inverse=True)
    back_x, back_y = proj(lon, lat)
    with np.errstate(invalid="ignore"):
        real = np.hypot(back_x - x, back_y - y) < 1.0
    return np.where(real, lon, np.nan), np.where(real, lat, np.nan)


def check_circle(ax: Axes, place: tuple[float, float, float], crs: pyproj.CRS | None) -> None:
    """Pixels on the circle are drawn, and no others."""
    axes_only(ax)
    drawn = coloured(ax)
    lon, lat = ground_of_pixels(ax, crs)
    away = worlds.distance(place[0], place[1], lon, lat) - place[2]
    inner = np.sign(away)
    # The circle passes between neighbours on both sides of it.
    known = np.isfinite(away)
    between = np.zeros(away.shape, dtype=bool)
    for axis in (0, 1):
        side, other = (
            (slice(None, -1), slice(None)) if axis == 0 else (slice(None), slice(None, -1)),
            (slice(1, None), slice(None)) if axis == 0 else (slice(None), slice(1, None)),
        )
        crosses = (inner[side] * inner[other] < 0) & known[side] & known[other]
        # Not where the map is cut: neighbours there are far from each other.
        crosses &= worlds.distance(lon[side], lat[side], lon[other], lat[other]) < 5.0
        between[side] |= crosses
    assert between.sum() > 8
    # Ground between neighbours, in degrees: on sheared maps much where they are hardly a pixel apart.
    sides = [
        np.nan_to_num(worlds.distance(lon, lat, np.roll(lon, step, axis), np.roll(lat, step, axis)))
        for axis in (0, 1)
        for step in (-1, 1)
    ]
    near = grown(between, 3) | (np.abs(away) < 2 * np.minimum(np.max(sides, axis=0), 3.0))
    assert not (drawn & ~near & known).any(), "something is drawn off the circle"
    missing = between & ~grown(drawn, 2)
    assert missing.sum() <= 0.01 * between.sum(), "some of the circle is not drawn"


def grown(mask: Array, pixels: int) -> Array:
    """A mask and all within so many pixels of it."""
    out = mask.copy()
    for _ in range(pixels):
        padded = np.pad(out, 1)
        out = padded[1:-1, 1:-1] | padded[:-2, 1:-1] | padded[2:, 1:-1]
        out |= padded[1:-1, :-2] | padded[1:-1, 2:]
    return out


def lines_of(ax: Axes) -> list[Array]:
    return [
        path.vertices
        for collection in ax.collections
        if isinstance(collection, LineCollection)
        for path in collection.get_paths()
    ]


class TestWhereItIsDrawn:
    @pytest.mark.parametrize("place", PLACES.values(), ids=PLACES)
    @pytest.mark.parametrize("west", [-180.0, 0.0], ids=["-180 to 180", "0 to 360"])
    def test_degrees(self, tmp_path: Path, place: tuple[float, float, float], west: float) -> None:
        raster = worlds.write(tmp_path / "a.tif", worlds.lonlat(2.0, west), 0.0, dtype="uint8")
        ax = database(*place).plot(raster, color=MAGENTA, alpha=1, size=4.5)
        assert ax.get_xlim() == (west, west + 360.0)
        check_circle(ax, place, None)

    @pytest.mark.parametrize("place", PLACES.values(), ids=PLACES)
    @pytest.mark.parametrize("projection", PROJECTIONS)
    def test_projections(
        self, tmp_path: Path, place: tuple[float, float, float], projection: str
    ) -> None:
        formulas, half = PROJECTIONS[projection]
        crs = pyproj.CRS.from_user_input(f"{formulas} +R={R}")
        proj = pyproj.Proj(crs)
        x, y = proj(*circle(*place))
        on_map = np.isfinite(x) & (np.maximum(np.abs(x), np.abs(y)) < half)
        ax = database(*place).plot(
            flat(tmp_path / "a.tif", formulas, half), color=MAGENTA, alpha=1, size=4.5
        )
        for artist in [*ax.texts, *ax.collections[:1]]:
            artist.remove()
        if on_map.mean() > 0.05:
            ax.add_collection(LineCollection([]))
            check_circle(ax, place, crs)
        else:
            axes_only(ax)
            assert on_map.any() or not coloured(ax).any()

    def test_rotated(self, tmp_path: Path) -> None:
        raster = flat(tmp_path / "a.tif", "+proj=stere +lat_0=90", worlds.metres(20), turned=30)
        place = (20.0, 86.0, 7.0)
        ax = database(*place).plot(raster, color=MAGENTA, alpha=1)
        for artist in [*ax.texts, *ax.collections[:1]]:
            artist.remove()
        check_circle(ax, place, pyproj.CRS.from_user_input(f"+proj=stere +lat_0=90 +R={R}"))

    @pytest.mark.parametrize("place", PLACES.values(), ids=PLACES)
    def test_no_raster(self, place: tuple[float, float, float]) -> None:
        ax = database(*place).plot(color=MAGENTA, alpha=1)
        ax.grid(visible=False)
        check_circle(ax, place, None)

    def test_extent_across_the_seam(self, tmp_path: Path) -> None:
        raster = worlds.write(
            tmp_path / "a.tif", worlds.lonlat(1.0), lambda lon, lat: lon, dtype="int16"
        )
        place = (179.0, 10.0, 8.0)
        ax = database(*place).plot(
            raster, color=MAGENTA, alpha=1, extent=(160.0, 200.0, -10.0, 30.0)
        )
        (picture,) = ax.images
        shown = picture.get_array()
        assert not np.ma.getmaskarray(shown).any()
        assert (shown[0, 0], shown[0, -1]) == (160, -160)
        check_circle(ax, place, None)

    def test_vertices_lie_on_the_circle(self) -> None:
        place = (70.0, 60.0, 5.0)
        (line,) = lines_of(database(*place).plot())
        away = worlds.distance(place[0], place[1], line[:, 0], line[:, 1])
        assert np.abs(away - place[2]).max() < 1e-9
        assert np.array_equal(line[0], line[-1])

    def test_a_flattened_body(self) -> None:
        cdb = CraterDatabase(worlds.table([70.0], [60.0], [300e3]), "mars")
        (line,) = lines_of(cdb.plot())
        geod = pyproj.Geod(a=worlds.MARS_A, b=worlds.MARS_B)
        squeeze = (worlds.MARS_A / worlds.MARS_B) ** 2
        graphic, centre = (
            np.degrees(np.arctan(squeeze * np.tan(np.radians(lat)))) for lat in (line[:, 1], 60.0)
        )
        n = len(line)
        _, _, length = geod.inv(np.full(n, 70.0), np.full(n, centre), line[:, 0], graphic)
        assert np.allclose(length, 300e3, atol=0.1)

    def test_annulus_has_two_outlines(self) -> None:
        cdb = database(70.0, 20.0, 4.0)
        cdb.add_annuli("rim", 1, 2)
        outer, inner = lines_of(cdb.plot(region="rim"))
        for line, radius in ((outer, 8.0), (inner, 4.0)):
            assert np.allclose(worlds.distance(70.0, 20.0, line[:, 0], line[:, 1]), radius)

    def test_n_gons_keep_their_vertices(self) -> None:
        cdb = database(70.0, 20.0, 4.0)
        cdb.add_circles("square", 1, nvert=4)
        (line,) = lines_of(cdb.plot(region="square"))
        assert line.shape == (5, 2)

    def test_rois_below_a_pixel_are_points(self) -> None:
        ax = database([10.0, 179.9, 50.0], [0.0, 5.0, -5.0], [1e-4, 1e-4, 10.0]).plot(
            extent=(-180, 180, -90, 90)
        )
        (points,) = (c for c in ax.collections if isinstance(c, PathCollection))
        assert np.allclose(points.get_offsets(), [[10.0, 0.0], [179.9, 5.0]])
        assert len(lines_of(ax)) == 1

    def test_very_many_lines_are_joined(self, monkeypatch: pytest.MonkeyPatch) -> None:
        lon, lat = np.meshgrid(np.linspace(-150, 150, 7), np.linspace(-60, 60, 5))
        cdb = database(list(lon.ravel()), list(lat.ravel()), [4.0])
        pictures = []
        for most in (1000, 10):
            monkeypatch.setattr("craterkit.plotting.artists.VERY_MANY", most)
            ax = cdb.plot(color=MAGENTA, alpha=1, extent=(-180, 180, -90, 90), linewidth=1)
            pictures.append(image(ax))
            assert (len(lines_of(ax)) == 35) == (most == 1000)
        assert np.array_equal(*pictures)

    def test_off_the_map_is_nothing(self, tmp_path: Path) -> None:
        raster = worlds.write(
            tmp_path / "a.tif", worlds.patch(10.0, 10.0, 0.1, 100), 0.0, dtype="uint8"
        )
        ax = database([10.0, 100.0], [10.0, -60.0], 1.0).plot(raster)
        assert len(lines_of(ax)) == 1

    def test_empty_database(self) -> None:
        ax = database([10.0], [10.0], [1.0])[:0].plot()
        assert not any(len(line) for line in lines_of(ax))


def circle(lon: float, lat: float, radius: float, count: int = 360) -> tuple[Array, Array]:
    """Points on a circle about a centre, by vectors."""
    y, x, d = np.radians([lat, lon, radius])
    centre = np.array([np.cos(y) * np.cos(x), np.cos(y) * np.sin(x), np.sin(y)])
    north = np.array([-np.sin(y) * np.cos(x), -np.sin(y) * np.sin(x), np.cos(y)])
    east = np.array([-np.sin(x), np.cos(x), 0.0])
    turn = np.linspace(0, 2 * np.pi, count)[:, None]
    points = np.cos(d) * centre + np.sin(d) * (np.cos(turn) * north + np.sin(turn) * east)
    return np.degrees(np.arctan2(points[:, 1], points[:, 0])), np.degrees(np.arcsin(points[:, 2]))


class TestGivenPolygons:
    def test_no_line_where_they_were_cut(self) -> None:
        cdb = database(180.0, 10.0, 5.0)
        cdb.add_regions("box", [shapely.box(170, 0, 190, 20)])
        lines = lines_of(cdb.plot(region="box", extent=(-180, 180, -90, 90)))
        on_seam = [np.abs(np.abs(line[:, 0]) - 180) < 1e-9 for line in lines]
        assert not any((a[1:] & a[:-1]).any() for a in on_seam)
        assert sum(np.abs(np.diff(line, axis=0)).sum() for line in lines) == pytest.approx(80.0)

    def test_an_edge_on_the_seam_is_drawn(self) -> None:
        cdb = database(-175.0, 10.0, 5.0)
        cdb.add_regions("box", [shapely.box(-180, 0, -170, 20)])
        lines = lines_of(cdb.plot(region="box", extent=(-180, 180, -90, 90)))
        assert any((line[:, 0] == -180.0).sum() >= 2 for line in lines)

    def test_a_cap_is_a_line_from_edge_to_edge(self) -> None:
        cdb = database(0.0, 90.0, 5.0)
        cdb.add_regions("cap", [shapely.box(-180, 80, 180, 90)])
        (line,) = lines_of(cdb.plot(region="cap"))
        assert (line[:, 1] == 80.0).all()
        assert np.ptp(line[:, 0]) == 360.0

    def test_edges_follow_parallels_on_a_polar_map(self, tmp_path: Path) -> None:
        raster = flat(tmp_path / "a.tif", "+proj=stere +lat_0=90", worlds.metres(30))
        cdb = database(0.0, 90.0, 5.0)
        cdb.add_regions("cap", [shapely.box(-180, 80, 180, 90)])
        ax = cdb.plot(raster, "cap")
        ring = np.concatenate([path.vertices for path in ax.collections[1].get_paths()])
        radius = 2 * R * np.tan(np.radians(5.0))
        assert np.allclose(np.hypot(*ring.T), radius, rtol=1e-9)


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

    def test_another_body_is_refused(self) -> None:
        mars = CraterDatabase(worlds.table([0.0], [0.0], [1e5]), "mars")
        with pytest.raises(CRSError, match="Moon"):
            mars.plot(sample_data["moon.tif"])
        assert not plt.get_fignums()


class TestColours:
    def test_numbers_get_a_colour_bar(self) -> None:
        cdb = CraterDatabase(
            worlds.table([0, 50, 100], 10.0, 2e5).assign(depth=[1.0, np.nan, 3.0]), "moon"
        )
        ax = cdb.plot(column="depth", cmap="viridis", alpha=1)
        colours = ax.collections[0].get_edgecolor()
        ends = plt.get_cmap("viridis")([0.0, 1.0])
        assert np.allclose(colours[[0, 2]], ends)
        assert np.ptp(colours[1, :3]) == 0
        (bar,) = ax.child_axes
        assert bar.get_ylabel() == "depth"
        assert [text.get_text() for text in ax.get_legend().get_texts()] == ["no value (1)"]

    def test_categories_get_a_legend(self) -> None:
        cdb = CraterDatabase(
            worlds.table([0, 50, 100, 150], 10.0, 2e5).assign(kind=["b", "a", None, "b"]), "moon"
        )
        ax = cdb.plot(column="kind")
        colours = ax.collections[0].get_edgecolor()
        assert np.array_equal(colours[0], colours[3])
        assert not np.array_equal(colours[0], colours[1])
        texts = [text.get_text() for text in ax.get_legend().get_texts()]
        assert texts == ["a", "b", "no value (1)"]
        assert ax.get_legend().get_title().get_text() == "kind"

    def test_many_categories(self) -> None:
        kinds = [f"k{i:02d}" for i in range(12)] + [f"k{i:02d}" for i in range(7)]
        cdb = CraterDatabase(
            worlds.table(np.linspace(-170, 170, 19), 0.0, 1e5).assign(kind=kinds), "moon"
        )
        texts = [text.get_text() for text in cdb.plot(column="kind").get_legend().get_texts()]
        assert texts == [*(f"k{i:02d}" for i in range(7)), "5 others"]

    def test_columns_added_to_data(self) -> None:
        cdb = database([0, 50], 10.0, 5.0)
        cdb.data["age"] = [1.0, 2.0]
        assert cdb.plot(column="age").child_axes
        assert cdb.plot(column=cdb.data["age"] * 2).child_axes

    def test_regions_get_a_legend(self) -> None:
        cdb = database([0, 50], 10.0, 5.0)
        cdb.add_circles("floor", 0.5)
        cdb.add_annuli("rim", 1, 1.5)
        ax = cdb.plot(region=["floor", "rim"], color={"rim": "red"})
        assert [text.get_text() for text in ax.get_legend().get_texts()] == ["floor", "rim"]
        assert cdb.plot(region="rim").get_legend() is None


class TestAxes:
    def test_given_axes_are_used(self) -> None:
        _, (left, right) = plt.subplots(1, 2)
        assert database(10, 10, 5).plot(ax=right) is right
        assert not left.has_data()
        assert len(plt.get_fignums()) == 1

    def test_more_on_the_same_map(self, tmp_path: Path) -> None:
        raster = flat(tmp_path / "a.tif", "+proj=stere +lat_0=90", worlds.metres(30))
        ax = database(10, 85, 2).plot(raster)
        limits, labels = ax.get_xlim(), len(ax.texts)
        assert database(100, 80, 2).plot(ax=ax, color="blue") is ax
        assert (ax.get_xlim(), len(ax.texts)) == (limits, labels)
        own = ax.collections[-1].get_paths()[0].vertices
        x, y = pyproj.Proj(f"+proj=stere +lat_0=90 +R={R}")(100, 80)
        assert np.allclose(own[:-1].mean(axis=0), [x, y], atol=5e3)

    def test_degrees_on_the_axes(self) -> None:
        ax = database(10, 10, 5).plot(extent=(-180, 180, -90, 90))
        ax.figure.canvas.draw()
        assert "60°W" in [text.get_text() for text in ax.get_xticklabels()]
        assert "30°N" in [text.get_text() for text in ax.get_yticklabels()]

    def test_graticule_is_labelled(self, tmp_path: Path) -> None:
        raster = flat(tmp_path / "a.tif", "+proj=stere +lat_0=90", worlds.metres(20))
        ax = database(10, 85, 2).plot(raster)
        texts = {text.get_text(): text.xy for text in ax.texts}
        assert {"0°", "90°E", "180°", "90°W", "80°N"} <= set(texts)
        x, y = texts["90°E"]
        assert x == pytest.approx(ax.get_xlim()[1])
        assert y == pytest.approx(0.0, abs=1.0)
        assert np.hypot(*texts["80°N"]) == pytest.approx(2 * R * np.tan(np.radians(5)), rel=1e-6)

    def test_size_and_dpi(self) -> None:
        ax = database(10, 10, 5).plot(size=(4, 3), dpi=80)
        assert (*ax.figure.get_size_inches(), ax.figure.dpi) == (4, 3, 80)
        assert database(10, 10, 5).plot(size=5).figure.get_size_inches()[0] == 5

    def test_calls_of_the_incumbent(self) -> None:
        cdb = CraterDatabase(sample_data["moon_craters_km.csv"], "moon", units="km")
        cdb.add_annuli("rim", 1, 1.5)
        ax = cdb.plot(sample_data["moon.tif"], "rim", size=6, dpi=100, alpha=0.5, color="tab:blue")
        assert ax.get_xlim() == (-180, 180)
        ax = cdb.plot(sample_data["moon.tif"], "", band=1, linewidth=2, linestyle="dashed")
        assert ax.collections[0].get_linewidth()[0] == 2


class TestSaving:
    def test_picture(self, tmp_path: Path) -> None:
        path = tmp_path / "a.png"
        database(10, 10, 5).plot(
            savefig=path, savefig_kwargs={"dpi": 50, "bbox_inches": None}, size=4
        )
        assert plt.imread(path).shape[1] == 200
        assert [file.name for file in tmp_path.iterdir()] == ["a.png"]

    @pytest.mark.parametrize("name", ["a.xyz", "noextension"])
    def test_unknown_format(self, tmp_path: Path, name: str) -> None:
        with pytest.raises(ArgumentError, match="savefig"):
            database(10, 10, 5).plot(savefig=tmp_path / name)
        assert not list(tmp_path.iterdir())
        assert not plt.get_fignums()

    def test_folder_in_the_way(self, tmp_path: Path) -> None:
        (tmp_path / "a.png").mkdir()
        with pytest.raises(OutputError, match=r"a\.png"):
            database(10, 10, 5).plot(savefig=tmp_path / "a.png")
        assert not plt.get_fignums()


class TestRefused:
    @pytest.mark.parametrize(
        ("options", "error", "match"),
        [
            ({"region": "rmi"}, RegionError, "no region 'rmi'"),
            ({"column": "dpth"}, ColumnError, "did you mean 'depth'"),
            ({"column": ["depth"]}, ColumnError, "no column"),
            ({"column": pd.Series([1.0], index=[99])}, ArgumentError, "index"),
            ({"column": "depth", "cmap": "nope"}, ArgumentError, "cmap"),
            ({"color": "nocolour"}, ArgumentError, "color"),
            ({"color": {"rim": "red"}}, ArgumentError, "no region 'rim'"),
            ({"size": 0}, ArgumentError, "size"),
            ({"size": (1, 2, 3)}, ArgumentError, "size"),
            ({"size": "big"}, ArgumentError, "size"),
            ({"dpi": -1}, ArgumentError, "dpi"),
            ({"alpha": 2}, ArgumentError, "alpha"),
            ({"extent": (10, -10, 0, 10)}, ArgumentError, "extent"),
            ({"extent": (0, 10, 0, 100)}, ArgumentError, "extent"),
            ({"savefig_kwargs": [1]}, ArgumentError, "savefig_kwargs"),
            ({"linewdith": 2}, TypeError, "linewdith"),
            ({"raster": sample_data["moon.tif"], "band": 7}, ArgumentError, "band"),
            ({"raster": sample_data["moon.tif"], "band": (1, 1)}, ArgumentError, "band"),
        ],
    )
    def test_bad_argument(
        self, options: dict[str, object], error: type[Exception], match: str
    ) -> None:
        cdb = CraterDatabase(worlds.table([0.0], [0.0], [1e5]).assign(depth=1.0), "moon")
        with pytest.raises(error, match=match):
            cdb.plot(**options)  # type: ignore[arg-type]
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
