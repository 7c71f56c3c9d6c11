"""Colours, keys, labels and axes of maps, how they are saved, and what is refused."""

from __future__ import annotations

from datetime import date
from types import SimpleNamespace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pyproj
import pytest
from affine import Affine
from matplotlib import pyplot as plt
from matplotlib.colors import LogNorm

import worlds
from craterkit import CraterDatabase, sample_data
from craterkit.errors import (
    ArgumentError,
    BodyError,
    ColumnError,
    OutputError,
    RegionError,
)
from map_pictures import R, axes_only, database, flat, image, luminance

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    Array = np.ndarray


@pytest.fixture(autouse=True)
def no_figures_left() -> Iterator[None]:
    yield
    plt.close("all")


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

    def test_one_colour_for_each_region(self) -> None:
        cdb = database([0, 50], 10.0, 5.0)
        cdb.add_circles("floor", 0.5)
        cdb.add_annuli("rim", 1, 1.5)
        ax = cdb.plot(region=["floor", "rim"], color=["red", "blue"], alpha=1)
        floor, rim = (lines.get_edgecolor()[0] for lines in ax.collections)
        assert (tuple(floor), tuple(rim)) == ((1, 0, 0, 1), (0, 0, 1, 1))
        with pytest.raises(ArgumentError, match="color has 1 colours"):
            cdb.plot(region=["floor", "rim"], color=["red"])

    def test_a_logarithmic_scale(self) -> None:
        table = worlds.table([0, 50, 100, 150], 10.0, 2e5).assign(size=[1.0, 10.0, 100.0, -1.0])
        ax = CraterDatabase(table, "moon").plot(column="size", norm="log", cmap="viridis", alpha=1)
        colours = ax.collections[0].get_edgecolor()
        assert np.allclose(colours[:3], plt.get_cmap("viridis")([0.0, 0.5, 1.0]), atol=0.01)
        assert [text.get_text() for text in ax.get_legend().get_texts()] == ["not on the scale (1)"]
        assert ax.child_axes[0].get_yscale() == "log"

    def test_dates_get_a_colour_bar(self) -> None:
        dates = pd.to_datetime(["2020-01-01", "2022-01-01", None, "2024-01-01"])
        cdb = CraterDatabase(worlds.table([0, 50, 100, 150], 10.0, 2e5).assign(at=dates), "moon")
        ax = cdb.plot(column="at", cmap="viridis", alpha=1, vmin="2020-01-01")
        colours = ax.collections[0].get_edgecolor()
        share = (dates[1] - dates[0]) / (dates[3] - dates[0])
        assert np.allclose(colours[[0, 1, 3]], plt.get_cmap("viridis")([0.0, share, 1.0]))
        (bar,) = ax.child_axes
        ax.figure.canvas.draw()
        assert "2022" in [text.get_text() for text in bar.get_yticklabels()]

    def test_days_are_dates_too(self) -> None:
        days = [date(2020, 1, 1), date(2024, 1, 1)]
        cdb = CraterDatabase(worlds.table([0, 50], 10.0, 2e5).assign(day=days), "moon")
        assert cdb.plot(column="day").child_axes

    def test_durations_get_a_colour_bar(self) -> None:
        ages = pd.to_timedelta([1, 2, 5], unit="h")
        cdb = CraterDatabase(worlds.table([0, 50, 100], 10.0, 2e5).assign(age=ages), "moon")
        (bar,) = cdb.plot(column="age").child_axes
        assert bar.get_ylabel() == "age (h)"
        assert bar.get_ylim() == (1, 5)

    def test_names_are_no_formulas(self) -> None:
        table = worlds.table([0, 50], 10.0, 2e5).assign(
            **{"$\\frac$": ["_a$b$", "$"], "$x$": [1, 2]}
        )
        cdb = CraterDatabase(table, "moon")
        ax = cdb.plot(column="$\\frac$")
        ax.figure.canvas.draw()
        assert [text.get_text() for text in ax.get_legend().get_texts()] == ["$", "_a$b$"]
        cdb.plot(column="$x$").figure.canvas.draw()

    @pytest.mark.parametrize("gray", [0, 90, 140, 200, 255])
    def test_lines_stand_out_from_any_ground(self, tmp_path: Path, gray: int) -> None:
        path = worlds.write(
            tmp_path / "a.tif", worlds.lonlat(5.0), np.full((36, 72), gray), dtype="uint8"
        )
        cdb = database([0.0, 90.0], 0.0, 20.0)
        cdb.add_circles("floor", 0.5)
        cdb.add_annuli("rim", 1, 1.5)
        ax = cdb.plot(path, ["floor", "rim"], linewidth=1.5)
        axes_only(ax)
        ax.get_legend().remove()
        ground = luminance(np.array([ax.images[0].cmap(ax.images[0].norm(gray))[:3]]))
        drawn = luminance(image(ax)[..., :3] / 255)
        contrast = (np.maximum(drawn, ground) + 0.05) / (np.minimum(drawn, ground) + 0.05)
        for x, y, radius in ((0.0, 0.0, 10.0), (90.0, 0.0, 20.0), (0.0, 0.0, 30.0)):
            east = ax.transData.transform((x + radius, y)).astype(int)
            assert contrast[east[1] - 2 : east[1] + 3, east[0] - 4 : east[0] + 5].max() > 2

    def test_dark_pages(self) -> None:
        with plt.style.context("dark_background"):
            cdb = database([0, 50], 10.0, 5.0)
            for i in range(8):
                cdb.add_circles(f"r{i}", 1 + i / 9)
            ax = cdb.plot(region=[f"r{i}" for i in range(8)])
            assert min(luminance(lines.get_edgecolor()[0, :3]) for lines in ax.collections) > 0.1
            table = cdb.data.assign(v=[1.0, 2.0])
            again = CraterDatabase(table, "moon")
            again.add_circles("a")
            again.add_circles("b", 2)
            samples = again.plot(region=["a", "b"], column="v").get_legend().get_lines()
            assert {line.get_color() for line in samples} == {"white"}


class TestAxes:
    @pytest.mark.parametrize("kind", ["polar", "mollweide", "3d"])
    def test_axes_that_hold_no_map(self, kind: str) -> None:
        ax = plt.figure().add_subplot(projection=kind)
        with pytest.raises(ArgumentError, match=kind):
            database(10, 10, 5).plot(ax=ax)

    @pytest.mark.parametrize("many", [True, False])
    def test_no_axes(self, many: bool) -> None:
        ax = plt.subplots(1, 2)[1] if many else 3
        with pytest.raises(ArgumentError, match="ax must be axes"):
            database(10, 10, 5).plot(ax=ax)  # type: ignore[arg-type]

    def test_another_body_on_the_same_axes(self) -> None:
        ax = database(10, 10, 5).plot()
        ceres = CraterDatabase(worlds.table([10.0], [10.0], [1e4]), "ceres")
        with pytest.raises(BodyError, match="Ceres"):
            ceres.plot(ax=ax)

    def test_other_coordinates_on_the_same_axes(self, tmp_path: Path) -> None:
        polar = flat(tmp_path / "a.tif", "+proj=stere +lat_0=90", worlds.metres(30))
        cdb = database(10, 85, 2)
        degrees = cdb.plot(sample_data["moon.tif"])
        with pytest.raises(ArgumentError, match="in degrees"):
            cdb.plot(polar, ax=degrees)
        with pytest.raises(ArgumentError, match="in degrees"):
            cdb.plot(sample_data["moon.tif"], ax=cdb.plot(polar))

    def test_a_second_raster_replaces_the_graticule(self, tmp_path: Path) -> None:
        wide = flat(tmp_path / "a.tif", "+proj=stere +lat_0=90", worlds.metres(30))
        near = flat(tmp_path / "b.tif", "+proj=stere +lat_0=90", worlds.metres(5))
        cdb = database(10, 85, 2)
        ax = cdb.plot(near, ax=cdb.plot(wide))
        texts, nets = len(ax.texts), len(ax.collections)
        alone = cdb.plot(near)
        assert texts == len(alone.texts)
        assert nets == len(alone.collections) + 1
        assert ax.get_xlim() == alone.get_xlim()

    @pytest.mark.parametrize("projection", [None, "polar"])
    def test_inverted_axes_stay_so(self, tmp_path: Path, projection: str | None) -> None:
        raster = sample_data["moon.tif"]
        if projection:
            raster = flat(tmp_path / "a.tif", "+proj=stere +lat_0=90", worlds.metres(30))
        cdb = database([10, 200], 80, 2)
        ax = cdb.plot(raster)
        low, high = ax.get_xlim()
        ax.invert_xaxis()
        cdb.plot(ax=ax)
        assert ax.get_xlim() == (high, low)
        vertices = [
            np.concatenate([path.vertices for path in lines.get_paths()])
            for lines in (ax.collections[-2], ax.collections[-1])
        ]
        assert np.array_equal(*vertices)

    def test_a_figure_within_a_figure_is_saved(self, tmp_path: Path) -> None:
        outer = plt.figure(figsize=(4, 2), dpi=50)
        ax = outer.subfigures(1, 2)[1].subplots()
        database(10, 10, 5).plot(
            ax=ax, savefig=tmp_path / "a.png", savefig_kwargs={"bbox_inches": None}
        )
        assert plt.imread(tmp_path / "a.png").shape[:2] == (100, 200)

    @pytest.mark.parametrize("size", [2.5, 3, 4, 7, (8, 2), (2, 5)])
    @pytest.mark.parametrize(
        "extent",
        [(-180, 180, -90, 90), (-180, 180, -10, 10), (10.125, 10.875, -10, 10), (0, 1e-3, 0, 1e-3)],
    )
    def test_labels_do_not_touch(self, size: object, extent: tuple[float, ...]) -> None:
        ax = database(10, 10, 5).plot(extent=extent, size=size)
        ax.figure.canvas.draw()
        for axis, side in ((ax.xaxis, 0), (ax.yaxis, 1)):
            low, high = axis.get_view_interval()
            boxes = [
                label.get_window_extent()
                for label, at in zip(axis.get_ticklabels(), axis.get_ticklocs(), strict=True)
                if low <= at <= high
            ]
            ends = np.array([[box.min[side], box.max[side]] for box in boxes]).reshape(-1, 2)
            assert (ends[1:, 0] > ends[:-1, 1]).all()

    @pytest.mark.parametrize("size", [4, 7])
    @pytest.mark.parametrize("polar", [True, False])
    def test_the_key_covers_no_labels(self, tmp_path: Path, size: float, polar: bool) -> None:
        raster = sample_data["moon.tif"]
        if polar:
            raster = flat(tmp_path / "a.tif", "+proj=stere +lat_0=90", worlds.metres(30))
        cdb = CraterDatabase(worlds.table([0, 90], 80.0, 1e5).assign(v=[1.0, np.nan]), "moon")
        cdb.add_circles("a")
        cdb.add_circles("b", 2)
        ax = cdb.plot(raster, ["a", "b"], column="v", size=size)
        ax.figure.canvas.draw()
        labels = [*ax.texts, ax.xaxis.label, *ax.get_xticklabels()]
        key = [ax.get_legend().get_window_extent(), ax.child_axes[0].get_window_extent()]
        assert not any(
            box.overlaps(label.get_window_extent())
            for box in key
            for label in labels
            if label.get_text()
        )

    def test_a_legend_lies_under_no_other_axes(self) -> None:
        cdb = database([0, 50], 10.0, 5.0)
        cdb.add_circles("a")
        cdb.add_circles("b", 2)
        figure, (left, right) = plt.subplots(1, 2)
        cdb.plot(region=["a", "b"], ax=left)
        cdb.plot(region=["a", "b"], ax=right)
        figure.canvas.draw()
        box = left.get_legend().get_window_extent()
        assert left.get_window_extent().fully_containsx(box.x0)
        assert left.get_window_extent().fully_containsx(box.x1)
        assert right.get_legend().get_window_extent().x0 >= right.get_window_extent().x1

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

    @pytest.mark.parametrize("middle", [0, 180])
    def test_meridians_of_a_sinusoidal_map(self, tmp_path: Path, middle: int) -> None:
        crs = pyproj.CRS.from_user_input(f"+proj=sinu +lon_0={middle} +R={R}")
        proj, pixel = pyproj.Proj(crs), worlds.metres(2)
        transform = Affine(pixel, 0, -worlds.metres(180), 0, -pixel, worlds.metres(90))
        grid = SimpleNamespace(shape=(90, 180), transform=transform, crs=crs)
        raster = worlds.write(tmp_path / "a.tif", grid, np.zeros((90, 180)), dtype="uint8")  # type: ignore[arg-type]
        ax = database(10, 0, 2).plot(raster)
        meridians = 0
        for text in ax.texts:
            name = text.get_text()
            value = float(name.rstrip("NSEW").rstrip("°")) * (-1 if name[-1] in "SW" else 1)
            lon, lat = proj(*text.xy, inverse=True)
            if name[-1] in "NS":
                assert lat == pytest.approx(value, abs=0.1)
            elif abs(lat) > 0.1 or value:
                meridians += 1
                assert abs((lon - value + 180) % 360 - 180) < 0.5
                assert abs(lat) < 60
        assert meridians > 5

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

    @pytest.mark.parametrize("options", [{"foo": 1}, {"format": "pdf"}, {"bbox_inches": "no"}])
    def test_options_that_savefig_does_not_take(
        self, tmp_path: Path, options: dict[str, object]
    ) -> None:
        with pytest.raises(ArgumentError, match="savefig_kwargs"):
            database(10, 10, 5).plot(savefig=tmp_path / "a.png", savefig_kwargs=options)
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
            ({"color": {"rim": "red"}}, ArgumentError, "color: there is nothing called 'rim'"),
            ({"size": 0}, ArgumentError, "size"),
            ({"size": (1, 2, 3)}, ArgumentError, "size"),
            ({"size": "big"}, ArgumentError, "size"),
            ({"dpi": -1}, ArgumentError, "dpi"),
            ({"alpha": 2}, ArgumentError, "alpha"),
            ({"extent": (10, -10, 0, 10)}, ArgumentError, "extent"),
            ({"extent": (0, 10, 0, 100)}, ArgumentError, "extent"),
            ({"savefig_kwargs": [1]}, ArgumentError, "savefig_kwargs"),
            ({"linewdith": 2}, TypeError, "linewdith"),
            ({"fraster": "a.tif"}, TypeError, "raster is the first argument"),
            ({"array": [1.0]}, TypeError, "'array'"),
            ({"edgecolors": "red"}, TypeError, "give color"),
            ({"offsets": [(1, 1)]}, TypeError, "'offsets'"),
            ({"cmap": "viridis"}, ArgumentError, "raster_cmap"),
            ({"norm": "log"}, ArgumentError, "column is not given"),
            ({"vmin": 1}, ArgumentError, "column is not given"),
            ({"column": "depth", "color": "red"}, ArgumentError, "color and column"),
            ({"column": "depth", "vmin": np.nan}, ArgumentError, "vmin must be a finite"),
            ({"column": "depth", "vmin": 3, "vmax": 2}, ArgumentError, "must not be above"),
            ({"column": "depth", "vmin": 3}, ArgumentError, "must not be above"),
            ({"column": "depth", "vmin": "a"}, ArgumentError, "vmin: 'a'"),
            ({"column": "depth", "norm": "lgo"}, ArgumentError, "norm"),
            ({"column": "depth", "norm": "log", "vmin": -1}, ArgumentError, "vmin"),
            ({"column": "depth", "norm": LogNorm(), "vmin": 1}, ArgumentError, "norm has ends"),
            ({"column": "kind", "norm": "log"}, ArgumentError, "shown by category"),
            ({"column": "wave"}, ColumnError, "complex"),
            ({"stretch": (1, 99)}, ArgumentError, "stretch is for the raster"),
            ({"nodata": 0}, ArgumentError, "nodata is for the raster"),
            ({"raster": sample_data["moon.tif"], "stretch": 5}, ArgumentError, "stretch"),
            ({"raster": sample_data["moon.tif"], "raster_cmap": "x"}, ArgumentError, "raster_cmap"),
            ({"raster": sample_data["moon.tif"], "band": 7}, ArgumentError, "band"),
            ({"raster": sample_data["moon.tif"], "band": (1, 1)}, ArgumentError, "band"),
        ],
    )
    def test_bad_argument(
        self, options: dict[str, object], error: type[Exception], match: str
    ) -> None:
        table = worlds.table([0.0], [0.0], [1e5]).assign(depth=1.0, kind="a", wave=1j)
        cdb = CraterDatabase(table, "moon")
        with pytest.raises(error, match=match):
            cdb.plot(**options)  # type: ignore[arg-type]
        assert not plt.get_fignums()
