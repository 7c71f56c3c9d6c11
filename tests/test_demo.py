"""The demo against the library's own answers, and its pictures."""

from __future__ import annotations

import sys

import numpy as np
import pandas as pd
import pytest
from matplotlib.image import imread

from craterkit import CraterDatabase, sample_data
from craterkit.demo import RIMS, draw_histograms, draw_map, draw_sheet, measure_rims, run_demo
from craterkit.errors import ArgumentError


@pytest.fixture(scope="module")
def paths(tmp_path_factory):
    return run_demo(tmp_path_factory.mktemp("demo") / "new" / "folder with a space")


@pytest.fixture(scope="module")
def measured():
    return measure_rims()


def test_returns_what_it_wrote(paths):
    assert {key: path.name for key, path in paths.items()} == {
        "stats": "stats.csv",
        "map": "map.png",
        "rois": "rois.png",
        "histograms": "histograms.png",
    }
    assert all(path.stat().st_size for path in paths.values())


def test_the_table_is_that_of_get_stats(paths):
    cdb = CraterDatabase(sample_data["moon_craters_km.csv"], "moon", units="km")
    cdb.add_annuli("rim", 1, 1.5)
    stats = ("mean", "count", "std", "percentile_90")
    pd.testing.assert_frame_equal(
        pd.read_csv(paths["stats"]),
        cdb.get_stats(sample_data["moon.tif"], "rim", stats),
        rtol=1e-12,
    )


def test_running_it_again_replaces_the_files(paths):
    folder = paths["stats"].parent
    before = paths["stats"].read_bytes()
    paths["stats"].write_text("something else")
    assert run_demo(folder) == paths
    assert paths["stats"].read_bytes() == before


def test_a_file_in_the_way_of_the_folder_is_named(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(ArgumentError, match=r"'.*file' cannot be made"):
        run_demo(tmp_path / "file")


def test_the_map_shows_every_rim_in_the_colour_of_its_mean(measured):
    cdb, stats = measured
    (axes,) = draw_map(cdb, stats["mean_rim"]).axes
    (key,) = axes.child_axes
    assert axes.get_images()
    low, high = key.get_ylim()
    assert (low, high) == pytest.approx((stats["mean_rim"].min(), stats["mean_rim"].max()))


def test_the_sheet_shows_the_nine_largest_by_name(measured):
    cdb, stats = measured
    panels = [axes for axes in draw_sheet(cdb).axes if axes.get_images()]
    assert [axes.get_title(loc="left").rstrip() for axes in panels] == list(stats["Name"][:9])


def test_histograms_hold_every_pixel_of_the_first_rims(measured):
    cdb, stats = measured
    (axes,) = draw_histograms(cdb).axes
    heights = [polygon.get_xy()[:, 1] for polygon in axes.patches]
    # The outline of a stepped histogram passes every bin twice, once along its bottom at 0.
    steps = [polygon.get_xy()[:, 0] for polygon in axes.patches]
    arrays = cdb.get_arrays(sample_data["moon.tif"], "rim")["rim"]
    for array, height, step in zip(arrays[:RIMS], heights, steps, strict=True):
        edges = np.unique(step)
        assert height.max() == np.histogram(array.compressed(), bins=edges)[0].max()
    labels = [text.get_text() for text in axes.get_legend().get_texts()]
    assert labels == list(stats["Name"][:RIMS])


def test_the_pictures_are_not_blank(paths):
    for name in ("map", "rois", "histograms"):
        picture = imread(paths[name])[..., :3]
        assert np.unique(picture.reshape(-1, 3), axis=0).shape[0] > 100
        assert (np.ptp(picture, axis=2) > 0.2).mean() > 0.005


def test_matplotlibs_global_state_is_left_alone(tmp_path):
    import matplotlib

    before = dict(matplotlib.rcParams)
    loaded = "matplotlib.pyplot" in sys.modules
    run_demo(tmp_path)
    assert dict(matplotlib.rcParams) == before
    assert ("matplotlib.pyplot" in sys.modules) == loaded
