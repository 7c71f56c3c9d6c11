"""The demo against the library's own answers, and its picture."""

from __future__ import annotations

import sys

import numpy as np
import pandas as pd
import pytest
from matplotlib.image import imread

from craterkit import CraterDatabase, sample_data
from craterkit.demo import RIMS, draw_rims, measure_rims, run_demo
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
        "histograms": "rim_histograms.png",
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


def test_histograms_hold_every_pixel_of_the_first_rims(measured):
    cdb, stats, pixels = measured
    figure = draw_rims(cdb[:RIMS], list(pixels[:RIMS]))
    map_axes, histograms = figure.axes
    assert map_axes.get_images()
    heights = [polygon.get_xy()[:, 1] for polygon in histograms.patches]
    assert len(heights) == RIMS
    # The outline of a stepped histogram passes every bin twice, once along its bottom at 0.
    assert [h.max() for h in heights] == [
        np.histogram(a.compressed(), bins=30)[0].max() for a in pixels[:RIMS]
    ]
    labels = [text.get_text() for text in histograms.get_legend().get_texts()]
    assert labels == list(stats["Name"][:RIMS])


def test_the_map_shows_two_edges_of_every_rim(measured):
    cdb, _, pixels = measured
    lines = draw_rims(cdb[:RIMS], list(pixels[:RIMS])).axes[0].get_lines()
    assert len(lines) == 2 * RIMS
    outer, inner = lines[0].get_ydata(), lines[1].get_ydata()
    assert np.ptp(outer) == pytest.approx(1.5 * np.ptp(inner), rel=1e-3)


def test_the_picture_is_not_blank(paths):
    picture = imread(paths["histograms"])[..., :3]
    height, width = picture.shape[:2]
    assert (width, height) == (1000, 340)
    left, right = picture[:, : width * 6 // 10], picture[:, width * 7 // 10 :]
    for part in (left, right):
        assert np.unique(part.reshape(-1, 3), axis=0).shape[0] > 100
    coloured = np.ptp(right, axis=2) > 0.2
    assert 0.05 < coloured.mean() < 0.6


def test_matplotlibs_global_state_is_left_alone(tmp_path):
    import matplotlib

    before = dict(matplotlib.rcParams)
    loaded = "matplotlib.pyplot" in sys.modules
    run_demo(tmp_path)
    assert dict(matplotlib.rcParams) == before
    assert ("matplotlib.pyplot" in sys.modules) == loaded
