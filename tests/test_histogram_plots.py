"""Histograms of ROIs against numpy.histogram of their arrays."""

import numpy as np
import pytest
from matplotlib.figure import Figure

from craterkit import CraterDatabase
from craterkit.errors import ArgumentError, ColumnError, RegionError
from worlds import lonlat, table, write

BAR = {"histtype": "bar"}


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """A raster of noise in small blocks, with holes, and eight features."""
    values = np.random.default_rng(3).normal(100, 20, size=(180, 360))
    values[80:85] = -1
    path = tmp_path_factory.mktemp("noise") / "noise.tif"
    write(path, lonlat(1.0), values, dtype="float32", nodata=-1, block=16)
    frame = table([0, 180, 20, 60, 70, 100, 0, -70], [0, 10, 89, 5, 5.5, -60, -90, 30], 2e5)
    frame["name"] = list("abcdefgh")
    cdb = CraterDatabase(frame, "moon")
    cdb.add_annuli("rim", 1, 2)
    cdb.add_circles("floor", 0.8)
    return cdb, path


def axes():
    """Axes that pyplot does not know."""
    return Figure().add_subplot()


def heights(ax):
    """Heights of the bars of each histogram, and the edges of the bins."""
    bars = list(ax.containers)
    edges = [bar.get_x() for bar in bars[0]] + [bars[0][-1].get_x() + bars[0][-1].get_width()]
    return np.array([[bar.get_height() for bar in of_one] for of_one in bars]), np.array(edges)


def entries(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


@pytest.mark.parametrize("coverage", ["all_touched", "center"])
@pytest.mark.parametrize("memory", ["512 MiB", "1 MiB"])
def test_counts_are_numpys(world, coverage, memory):
    cdb, path = world
    arrays = cdb.get_arrays(path, "rim", coverage=coverage)["rim"]
    ax = cdb.plot_hist(
        path, "rim", 8, ax=axes(), bins=12, coverage=coverage, max_memory=memory, **BAR
    )
    everything = np.concatenate([array.compressed() for array in arrays])
    edges = np.histogram_bin_edges(everything, 12)
    found, drawn = heights(ax)
    np.testing.assert_allclose(drawn, edges)
    for counts, array in zip(found, arrays, strict=True):
        np.testing.assert_array_equal(counts, np.histogram(array.compressed(), drawn)[0])
    assert entries(ax) == list("abcdefgh")
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("noise", "Count")


def test_all_features_make_one(world):
    cdb, path = world
    columns = cdb.get_arrays(path, ["rim", "floor"])
    ax = cdb.plot_hist(path, ["rim", "floor"], None, ax=axes(), bins=20, range=(60, 140), **BAR)
    found, edges = heights(ax)
    for counts, region in zip(found, ["rim", "floor"], strict=True):
        values = np.concatenate([array.compressed() for array in columns[region]])
        np.testing.assert_array_equal(counts, np.histogram(values, 20, (60, 140))[0])
    np.testing.assert_allclose(edges, np.linspace(60, 140, 21))
    assert entries(ax) == ["rim: 8 ROIs", "floor: 8 ROIs"]
    again = cdb.plot_hist(path, ["rim", "floor"], "all", ax=axes(), bins=20, range=(60, 140), **BAR)
    np.testing.assert_array_equal(heights(again)[0], found)
    with pytest.raises(ArgumentError, match="index=None"):
        cdb.plot_hist(path, "rim", [0] * 33, ax=axes())


@pytest.mark.parametrize("options", [{"weights": "area"}, {"coverage": "fraction"}])
def test_weights_are_summed(world, options):
    cdb, path = world
    pixels = cdb.get_pixels(path, "rim", columns=["feature", "value", "weight"], **options)
    edges = [40, 80, 100, 120, 160]
    ax = cdb.plot_hist(path, "rim", [2, 0], ax=axes(), bins=edges, **BAR, **options)
    for counts, feature in zip(heights(ax)[0], [2, 0], strict=True):
        own = pixels[pixels["feature"] == feature]
        expected = np.histogram(own["value"], edges, weights=own["weight"])[0]
        factor = 1e-6 if "weights" in options else 1
        np.testing.assert_allclose(counts, expected * factor)
    assert ax.get_ylabel() in ("Area (km²)", "Pixels, by covered share")


def test_neighbours_are_those_of_the_whole_database(world):
    cdb, path = world
    options = {"exclude": "neighbors", "coverage": "center"}
    edges = np.linspace(0, 200, 5)
    ax = cdb.plot_hist(path, "rim", [4, 3, 4], ax=axes(), bins=edges, **BAR, **options)
    arrays = cdb.get_arrays(path, "rim", **options)["rim"]
    for counts, i in zip(heights(ax)[0], [4, 3, 4], strict=True):
        np.testing.assert_array_equal(counts, np.histogram(arrays[i].compressed(), edges)[0])
    whole = cdb.get_stats(path, "rim", "count", coverage="center")["count_rim"]
    assert heights(ax)[0][0].sum() < 0.9 * whole[4]


def test_whole_numbers_have_bins_of_whole_numbers(tmp_path):
    values = np.random.default_rng(1).integers(3, 90, size=(180, 360))
    path = write(tmp_path / "counts.tif", lonlat(1.0), values, dtype="uint8")
    cdb = CraterDatabase(table(0, 0, 2e6), "moon")
    cdb.add_circles("c")
    found, edges = heights(cdb.plot_hist(path, "c", ax=axes(), **BAR))
    np.testing.assert_allclose(edges, np.arange(30) * 3 + 2.5)
    inside = cdb.get_arrays(path, "c")["c"][0].compressed()
    np.testing.assert_array_equal(found[0], np.histogram(inside, edges)[0])
    assert found.sum() == inside.size
    few = write(tmp_path / "classes.tif", lonlat(1.0), values % 4, dtype="uint8")
    found, edges = heights(cdb.plot_hist(few, "c", ax=axes(), **BAR))
    np.testing.assert_allclose(edges, [-0.5, 0.5, 1.5, 2.5, 3.5])


def test_scale_and_offset_apply(tmp_path):
    path = write(tmp_path / "s.tif", lonlat(1.0), lambda x, y: 4 + 0 * x, dtype="int16",
                 scale=0.5, offset=10.0)  # fmt: skip
    cdb = CraterDatabase(table(0, 0, 2e5), "moon")
    cdb.add_circles("c")
    edges = [3.5, 4.5, 11.5, 12.5]
    scaled, _ = heights(cdb.plot_hist(path, "c", ax=axes(), bins=edges, **BAR))
    raw, _ = heights(cdb.plot_hist(path, "c", ax=axes(), bins=edges, scaled=False, **BAR))
    assert scaled[0, 2] == raw[0, 0] > 0
    assert scaled[0, 0] == raw[0, 2] == 0


def test_empty_rois_are_told_in_the_legend(world):
    cdb, path = world
    part = cdb[[0, 1]]
    nothing = {"where": {str(path): lambda v: v > 1e6}}
    ax = part.plot_hist(path, "rim", ax=axes(), density=True, **nothing)
    assert entries(ax) == ["a (no pixels)", "b (no pixels)"]
    ax = part.plot_hist(path, "rim", None, ax=axes(), **nothing)
    assert entries(ax) == ["rim: 2 ROIs, 2 of them without pixels"]
    regional = {"transform": (1, 0, -20, 0, -1, 20), "raster_crs": "planetocentric"}
    ax = cdb.plot_hist(np.ones((40, 40)), "rim", (0, 5), ax=axes(), **regional)
    assert entries(ax) == ["a", "f (no pixels)"]


def test_density_log_and_options_go_to_the_axes(world):
    cdb, path = world
    given = axes()
    ax = cdb.plot_hist(path, "rim", 2, ax=given, bins=10, density=True, log=True, **BAR)
    assert ax is given
    found, edges = heights(ax)
    np.testing.assert_allclose((found * np.diff(edges)).sum(axis=1), 1)
    assert (ax.get_yscale(), ax.get_ylabel()) == ("log", "Density")
    ax = cdb.plot_hist(path, "rim", 2, ax=axes(), histtype="step", color=["red", "blue"], lw=3)
    assert [patch.get_edgecolor()[:3] for patch in ax.patches] == [(1, 0, 0), (0, 0, 1)]
    assert ax.patches[0].get_linewidth() == 3


def test_labels_and_a_saved_picture(world, tmp_path):
    cdb, path = world
    saved = tmp_path / "h.svg"
    ax = cdb.plot_hist(path, ["rim", "floor"], 1, label="lon", ax=axes(), savefig=saved)
    assert entries(ax) == ["0, rim", "0, floor"]
    assert saved.read_text(encoding="utf-8").rstrip().endswith("</svg>")


def test_wrong_arguments_say_what_is_right(world):
    cdb, path = world
    for error, message, args, kwargs in [
        (RegionError, "there is no region 'x'", (path, "x"), {}),
        (ArgumentError, "no row at position 8", (path, "rim", [8]), {}),
        (ColumnError, "no column 'Name'", (path, "rim"), {"label": "Name"}),
        (ArgumentError, "has no band 3", (path, "rim"), {"band": 3}),
        (ArgumentError, "one raster, and one band", ([path, path], "rim"), {}),
        (ArgumentError, "bins must be", (path, "rim"), {"bins": "auto"}),
        (ArgumentError, "bins must be", (path, "rim"), {"bins": [3, 2]}),
        (ArgumentError, "bins must be 1 or more", (path, "rim"), {"bins": 0}),
        (ArgumentError, "range must be", (path, "rim"), {"range": (2, 1)}),
        (ArgumentError, "range must be", (path, "rim"), {"range": "ab"}),
        (ArgumentError, "coverage must be", (path, "rim"), {"coverage": "some"}),
        (ArgumentError, "stacked: histograms lie over", (path, "rim"), {"stacked": True}),
        (ArgumentError, "color must be", (path, "rim"), {"color": "nocolor"}),
        (ArgumentError, "color has 0 colours for 'a', 'b'", (path, "rim", 2), {"color": []}),
        (ArgumentError, "nothing called 'x'", (path, "rim", 2), {"color": {"x": "red"}}),
        (ArgumentError, "savefig_kwargs must be", (path, "rim"), {"savefig_kwargs": [1]}),
        (ArgumentError, "'x' is not a valid", (path, "rim"), {"orientation": "x"}),
        (TypeError, r"nosuch.* are for matplotlib\.axes\.Axes\.hist", (path, "rim"), {"nosuch": 3}),
        (TypeError, "called raster here", (path, "rim"), {"fraster": path}),
    ]:
        with pytest.raises(error, match=message):
            cdb.plot_hist(*args, ax=axes(), **kwargs)


@pytest.mark.parametrize("kwargs", [{"nosuch": 3}, {"color": "nocolor"}, {"savefig_kwargs": [1]}])
def test_what_fails_leaves_no_figure(world, kwargs):
    from matplotlib import pyplot as plt

    cdb, path = world
    before = plt.get_fignums()
    with pytest.raises((TypeError, ValueError)):
        cdb.plot_hist(path, "rim", **kwargs)
    assert plt.get_fignums() == before


def test_axes_must_be_rectangular(world):
    cdb, path = world
    for ax, message in (
        (Figure().add_subplot(projection="polar"), "not of the projection 'polar'"),
        (3, "axes of matplotlib, not int"),
        (Figure().subplots(2), "not ndarray; pass one of them"),
    ):
        with pytest.raises(ArgumentError, match=message):
            cdb.plot_hist(path, "rim", 1, ax=ax)


def test_histograms_may_lie_on_their_side(world):
    cdb, path = world
    ax = cdb.plot_hist(path, "rim", 1, ax=axes(), orientation="horizontal")
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("Count", "noise")


def test_colours_go_by_histogram_feature_or_region(world):
    cdb, path = world

    def colours(*args, color):
        ax = cdb.plot_hist(path, *args, ax=axes(), color=color)
        return "".join("r" if patch.get_edgecolor()[0] == 1 else "b" for patch in ax.patches)

    assert colours("rim", 2, color=["red", "blue"]) == "rb"
    assert colours("rim", 2, color={"b": "red", "a": "blue"}) == "br"
    both = ["rim", "floor"]
    assert colours(both, None, color={"rim": "red", "floor": "blue"}) == "rb"
    assert colours(both, 2, color={"rim": "red", "floor": "blue"}) == "rrbb"
    assert colours(both, 2, color={"a": "red", "b": "blue"}) == "rbrb"
    assert colours(both, 2, color=["red", "blue", "blue", "red"]) == "rbbr"


def test_many_are_told_apart_and_explained_beside_the_axes(world):
    from matplotlib import pyplot as plt

    cdb, path = world
    ax = cdb.plot_hist(path, ["rim", "floor"])
    looks = {(patch.get_edgecolor(), patch.get_linestyle()) for patch in ax.patches}
    assert len(ax.patches) == len(looks) == 10
    ax.figure.canvas.draw()
    legend = ax.get_legend().get_window_extent()
    assert legend.x0 >= ax.get_window_extent().x1
    assert ax.figure.bbox.x1 >= legend.x1
    assert ax.figure.bbox.y0 <= legend.y0
    plt.close(ax.figure)


def test_a_legend_does_not_lie_on_other_axes(world):
    cdb, path = world
    left, right = Figure().subplots(1, 2)
    cdb.plot_hist(path, "rim", 8, ax=left)
    left.figure.canvas.draw()
    assert left.get_legend().get_window_extent().x1 < right.get_window_extent().x0


def test_an_empty_histogram_may_be_logarithmic(world):
    cdb, path = world
    ax = cdb.plot_hist(path, "rim", 2, ax=axes(), log=True, where={str(path): lambda v: v > 1e6})
    ax.figure.canvas.draw()
    assert entries(ax) == ["a (no pixels)", "b (no pixels)"]


def test_dollars_in_names_are_dollars(world):
    frame = table([0, 20], [0, 10], 2e5)
    frame["name"] = ["$\\frac$ 5", "a$b$"]
    cdb = CraterDatabase(frame, "moon")
    cdb.add_circles("c")
    ax = cdb.plot_hist({"$\\frac$": world[1]}, "c", ax=axes())
    ax.figure.canvas.draw()
    assert not any(text.get_parse_math() for text in ax.get_legend().get_texts())
    assert entries(ax) == ["$\\frac$ 5", "a$b$"]


def test_a_subfigure_is_saved_with_its_figure(world, tmp_path):
    cdb, path = world
    part, _ = Figure().subfigures(1, 2)
    cdb.plot_hist(path, "rim", 1, ax=part.subplots(), savefig=tmp_path / "h.png")
    assert (tmp_path / "h.png").read_bytes().startswith(b"\x89PNG")


def test_units_that_a_raster_tells_are_shown(tmp_path):
    import rasterio
    import xarray as xr

    path = write(tmp_path / "heights.tif", lonlat(1.0), np.ones((2, 180, 360)))
    with rasterio.open(path, "r+") as file:
        file.units = ("km", "km")
    cdb = CraterDatabase(table(0, 0, 2e5), "moon")
    cdb.add_circles("c")
    assert cdb.plot_hist(path, "c", band=2, ax=axes()).get_xlabel() == "heights, band 2 (km)"
    grid = lonlat(1.0)
    array = xr.DataArray(
        np.ones(grid.shape), {"lat": grid.lat, "lon": grid.lon}, ("lat", "lon"), "night",
        {"units": "K", "crs": grid.crs.to_wkt()},
    )  # fmt: skip
    assert cdb.plot_hist(array, "c", ax=axes()).get_xlabel() == "night (K)"
