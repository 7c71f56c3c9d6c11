"""Maps of databases: what is drawn lies where the geometry says, and nowhere else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyproj
import pytest
import shapely
from matplotlib import pyplot as plt
from matplotlib.collections import LineCollection, PathCollection

import worlds
from craterkit import CraterDatabase
from map_pictures import MAGENTA, R, axes_only, coloured, database, flat, image, lines_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from matplotlib.axes import Axes

    Array = np.ndarray


@pytest.fixture(autouse=True)
def no_figures_left() -> Iterator[None]:
    yield
    plt.close("all")


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
        side = np.sign(place[1])
        polar = side * place[1] - place[2] >= 60
        assert (ax.get_xlabel() == "Longitude") != polar
        ax.grid(visible=False)
        if polar:
            for artist in [*ax.texts, ax.collections[0]]:
                artist.remove()
        crs = pyproj.CRS.from_user_input(f"+proj=stere +lat_0={side * 90:.0f} +R={R}")
        check_circle(ax, place, crs if polar else None)

    @pytest.mark.parametrize("place", PLACES.values(), ids=PLACES)
    def test_no_raster_but_an_extent(self, place: tuple[float, float, float]) -> None:
        extent = (-180.0, 180.0, -90.0, 90.0)
        ax = database(*place).plot(color=MAGENTA, alpha=1, extent=extent)
        ax.grid(visible=False)
        check_circle(ax, place, None)

    def test_a_polar_map_shows_all_circles(self) -> None:
        lon, lat = np.array([10.0, 100.0, 130.0]), np.array([-62.0, -75.0, -89.5])
        cdb = database(list(lon), list(lat), [1.5, 3.0, 0.2])
        ax = cdb.plot()
        vertices = np.concatenate([path.vertices for path in ax.collections[1].get_paths()])
        box = np.array([ax.get_xlim(), ax.get_ylim()])
        assert (vertices > box[:, 0]).all()
        assert (vertices < box[:, 1]).all()
        assert (np.ptp(vertices, axis=0) > 0.8 * np.ptp(box, axis=1)).all()
        assert {"60°S", "70°S", "80°S"} & {text.get_text() for text in ax.texts}

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
