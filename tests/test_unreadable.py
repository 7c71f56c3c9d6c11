"""Blocks that cannot be read: named exactly, or flagged in just the ROIs that have pixels there."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest
import rasterio
from numpy.testing import assert_array_equal
from pandas.testing import assert_frame_equal
from rasterio.shutil import copy

from craterkit import Flag
from craterkit.errors import ArgumentError, RasterError, UnreadableWarning
from craterkit.extraction import get_stats as module
from craterkit.rasters.base import Window
from craterkit.rasters.gdal import GdalRaster
from surveys import (
    GRID,
    MEMORY,
    corrupt,
    count_reads,
    database,
    features,
    have_pixels_in,
    parts,
    pixels_of,
    rows,
    slopes,
    write_field,
)

STATS = ["mean", "count", "std", "median", "area", "nodata", "unique", {"range": np.ptp}]
COUNTS = ["count", "nodata", "unique"]
REACH = {"floor": (0.0, 1.0), "rim": (1.0, 1.5)}
FRAME = features(150)

#: A block that no ROI comes near.
LONELY = (1, 3)

#: Blocks by row and column: one in the north, one at the equator and its neighbour, one at the seam.
SPOILT = [(1, 6), (5, 11), (5, 12), (7, 22)]


@pytest.fixture
def intact(tmp_path):
    return write_field(tmp_path / "intact.tif")


@pytest.fixture
def spoilt(tmp_path):
    """A raster with blocks that cannot be read, and their windows."""
    path = write_field(tmp_path / "field.tif")
    return path, [corrupt(path, *block) for block in SPOILT]


def get(rasters, **arguments):
    arguments = {"coverage": "center", "progress": False, "n_jobs": 2, **arguments}
    stats = arguments.pop("stats", STATS)
    return database(FRAME).get_stats(rasters, ["floor", "rim"], stats, **arguments)


def flagged(rasters, **arguments):
    with pytest.warns(UnreadableWarning) as caught:
        found = get(rasters, errors="flag", **arguments)
    return found, "; ".join(str(warning.message) for warning in caught)


def touching(windows, region):
    found = have_pixels_in(FRAME, windows, *REACH[region])
    assert 0 < found.sum() < len(FRAME) / 2
    return found


def assert_flagged(found, expected, windows, label=""):
    """Just the ROIs with pixels in some windows are flagged; all others are as expected."""
    for region in REACH:
        hit = touching(windows, region)
        suffix = f"{label}{region}"
        flags = found[f"flags_{suffix}"]
        assert_array_equal((flags & Flag.UNREADABLE) != 0, hit)
        assert_array_equal(flags[~hit], expected[f"flags_{suffix}"][~hit])
        for name in ("mean", "count", "std", "median", "area", "nodata", "unique", "range"):
            column = found[f"{name}_{suffix}"]
            assert_array_equal(column[~hit], expected[f"{name}_{suffix}"][~hit], err_msg=name)
            empty = column[hit] == 0 if name in COUNTS else column[hit].isna()
            assert empty.all(), name


@pytest.mark.parametrize("memory", [MEMORY, "512 MiB"])
@pytest.mark.parametrize("threads", [1, 2])
def test_the_error_names_the_file_the_band_and_the_block(spoilt, memory, threads):
    path, windows = spoilt
    with pytest.raises(RasterError) as caught:
        get(path, max_memory=memory, n_jobs=threads)
    assert str(caught.value).startswith(f"{path}: band 1 cannot be read in {windows[0]}: ")


def test_a_window_is_called_by_its_rows_and_columns():
    assert str(Window(16, 32, 48, 64)) == "rows 16 to 31, columns 48 to 63"


@pytest.mark.parametrize("memory", [MEMORY, "512 MiB"])
def test_just_the_rois_with_pixels_in_spoilt_blocks_are_flagged(spoilt, intact, memory):
    path, windows = spoilt
    found, _ = flagged(path, max_memory=memory)
    assert_flagged(found, get(intact, stats=[*STATS, "flags"], max_memory=memory), windows)


def test_the_warning_counts_them(spoilt):
    path, windows = spoilt
    _, text = flagged(path)
    counts = [int(touching(windows, region).sum()) for region in REACH]
    assert text == (
        f"{sum(counts)} ROIs have pixels in blocks that could not be read: "
        f"{counts[0]} of 150 for 'floor' on {path}; {counts[1]} of 150 for 'rim' on {path}"
    )


def test_a_spoilt_block_that_nobody_needs_is_no_matter(tmp_path, intact):
    path = write_field(tmp_path / "field.tif")
    assert not have_pixels_in(FRAME, [corrupt(path, *LONELY)], 0.0, 1.6).any()
    assert_frame_equal(get(path), get(intact))


def test_an_intact_raster_gives_flags_and_no_warning(intact):
    assert_frame_equal(get(intact, errors="flag"), get(intact, flags=True))


@pytest.mark.parametrize("coverage", ["all_touched", "fraction"])
def test_under_any_coverage_whoever_is_not_flagged_has_the_right_numbers(spoilt, intact, coverage):
    path, windows = spoilt
    found, _ = flagged(path, coverage=coverage)
    expected = get(intact, stats=[*STATS, "flags"], coverage=coverage)
    for region in REACH:
        bad = (found[f"flags_{region}"] & Flag.UNREADABLE) != 0
        # Whoever has a pixel's centre there touches it as well.
        assert bad[touching(windows, region)].all()
        assert 0 < bad.sum() < len(FRAME) / 2
        assert (found.loc[bad, f"count_{region}"] == 0).all()
        names = [name for name in expected if name.endswith(region)]
        assert_frame_equal(
            found.loc[~bad, names], expected.loc[~bad, names], check_exact=True, check_dtype=False
        )


@pytest.mark.parametrize("interleave", ["band", "pixel"])
def test_bands_and_rasters_are_flagged_apart(tmp_path, interleave):
    both = write_field(tmp_path / "both.tif", np.stack([rows(*GRID.mesh), slopes(*GRID.mesh)]))
    layout = {"tiled": True, "blockxsize": 16, "blockysize": 16, "compress": "deflate"}
    bands, other = tmp_path / "bands.tif", tmp_path / "other.tif"
    for path in (bands, other):
        copy(both, path, driver="GTiff", interleave=interleave, **layout)
    expected = get([bands, other], bands="all", stats=[*STATS, "flags"])
    first, second = corrupt(bands, 2, 5, 1), corrupt(other, 6, 8, 2)
    found, text = flagged([bands, other], bands="all")
    spoilt = {"bands_b1_": first, "other_b2_": second}
    if interleave == "pixel":
        # A block holds both bands.
        spoilt |= {"bands_b2_": first, "other_b1_": second}
    for label in ("bands_b1_", "bands_b2_", "other_b1_", "other_b2_"):
        if label in spoilt:
            assert_flagged(found, expected, [spoilt[label]], label)
        else:
            names = [name for name in expected if label in name]
            assert_frame_equal(found[names], expected[names])
    assert "on bands;" in text
    assert text.endswith("on other")


def test_blocks_of_a_mask_count_as_the_raster_s_own(tmp_path):
    there = slopes(*GRID.mesh) > 12.0
    path = write_field(tmp_path / "field.tif", mask=there)
    expected = get(path, stats=[*STATS, "flags"])
    window = corrupt(path, 4, 15)
    found, _ = flagged(path)
    assert_flagged(found, expected, [window])


@pytest.mark.parametrize("argument", ["where", "weights"])
@pytest.mark.parametrize("align", [None, "nearest"])
def test_blocks_of_where_and_weights_that_cannot_be_read(tmp_path, intact, argument, align):
    path = write_field(tmp_path / "slopes.tif", slopes)
    choose = {"where": {path: lambda values: values > 12.0}} if argument == "where" else {}
    choose = choose or {"weights": path}
    stats = ["mean", "count", "flags"]
    expected = get(intact, stats=stats, align=align, **choose)
    windows = [corrupt(path, *block) for block in SPOILT]
    with pytest.raises(RasterError, match=f"{path}: band 1 cannot be read in {windows[0]}"):
        get(intact, stats=stats, align=align, **choose)
    found, _ = flagged(intact, stats=stats, align=align, **choose)
    for region in REACH:
        hit = touching(windows, region)
        assert_array_equal((found[f"flags_{region}"] & Flag.UNREADABLE) != 0, hit)
        for name in stats:
            column = f"{name}_{region}"
            assert_array_equal(found[column][~hit], expected[column][~hit])
        assert (found[f"count_{region}"][hit] == 0).all()
        assert found[f"mean_{region}"][hit].isna().all()


@pytest.mark.filterwarnings("ignore::craterkit.errors.UnreadableWarning")
def test_arrays_have_what_cannot_be_read_masked(spoilt, intact):
    path, windows = spoilt
    cdb = database(FRAME)
    found = cdb.get_arrays(path, "rim", coverage="center", errors="flag")["rim"]
    expected = cdb.get_arrays(intact, "rim", coverage="center")["rim"]
    lost = 0
    # The values of the field tell rows apart; whoever has no pixel in those blocks lacks nothing.
    hit = touching(windows, "rim")
    for array, whole, bad in zip(found, expected, hit, strict=True):
        assert array.shape == whole.shape
        assert not (whole.mask & ~array.mask).any()
        kept = ~array.mask
        assert_array_equal(array.data[kept], whole.data[kept])
        missing = int((array.mask & ~whole.mask).sum())
        assert (missing > 0) == bad
        lost += missing
    columns = ["feature", "row", "col"]
    pixels = cdb.get_pixels(intact, "rim", coverage="center", columns=columns)
    inside = sum(
        (
            pixels["row"].between(window.row_start, window.row_stop - 1)
            & pixels["col"].between(window.col_start, window.col_stop - 1)
        ).sum()
        for window in windows
    )
    assert lost == inside


def test_arrays_and_pixels_name_the_block_otherwise(spoilt):
    path, windows = spoilt
    cdb = database(FRAME)
    for method in (cdb.get_arrays, cdb.get_pixels, lambda *given: list(cdb.iter_arrays(*given))):
        with pytest.raises(RasterError, match=f"{path}: band 1 cannot be read in {windows[0]}"):
            method(path, "floor")


@pytest.mark.parametrize("how", ["memory", "file", "iterated", "cluster"])
def test_arrays_with_masked_blocks_are_warned_of(spoilt, intact, tmp_path, how):
    path, windows = spoilt
    cdb, options = database(FRAME), {"coverage": "center", "errors": "flag"}
    if how == "cluster":
        options |= {"scheduler": "processes", "n_jobs": 1}

    def get(raster):
        if how == "iterated":
            return list(cdb.iter_arrays(raster, ["floor", "rim"], max_memory=MEMORY, **options))
        out = tmp_path / "arrays.parquet" if how == "file" else None
        return cdb.get_arrays(raster, ["floor", "rim"], out=out, **options)

    get(intact)
    with pytest.warns(UnreadableWarning) as caught:
        get(path)
    floor, rim = (int(touching(windows, region).sum()) for region in REACH)
    assert [(str(warning.message), warning.filename) for warning in caught] == [
        (
            f"{floor + rim} ROIs have pixels in blocks that could not be read: {floor} of 150 for "
            f"'floor' on {path}; {rim} of 150 for 'rim' on {path}",
            __file__,
        )
    ]


@pytest.mark.parametrize("align", [None, "nearest"])
def test_arrays_are_warned_of_where_conditions_cannot_be_read(tmp_path, intact, align):
    path = write_field(tmp_path / "slopes.tif", slopes)
    windows = [corrupt(path, *block) for block in SPOILT]
    cdb, counts = database(FRAME), []
    for region in REACH:
        with pytest.warns(UnreadableWarning, match=f"for {region!r} on {intact}") as caught:
            cdb.get_arrays(
                intact,
                region,
                coverage="center",
                errors="flag",
                align=align,
                where={path: lambda values: values > 12.0},
            )
        counts.append(int(str(caught[0].message).split()[0]))
    assert counts == [touching(windows, region).sum() for region in REACH]


def test_pixels_that_are_left_out_need_not_be_read(tmp_path, intact):
    path = write_field(tmp_path / "field.tif")
    window = corrupt(path, *SPOILT[1])
    there = np.ones(GRID.shape)
    there[window.row_start : window.row_stop, window.col_start : window.col_stop] = 0
    mask = write_field(tmp_path / "mask.tif", there)
    cdb = database(FRAME)
    found = cdb.get_arrays(path, "rim", errors="flag", where={mask: 1})["rim"]
    expected = cdb.get_arrays(intact, "rim", where={mask: 1})["rim"]
    for array, whole in zip(found, expected, strict=True):
        assert_array_equal(array.filled(-9), whole.filled(-9))


def test_a_file_cut_in_the_middle(tmp_path, intact):
    path = write_field(tmp_path / "field.tif")
    whole = path.read_bytes()
    with rasterio.open(path) as dataset:
        blocks = [
            (
                down,
                across,
                int(dataset.get_tag_item(f"BLOCK_OFFSET_{across}_{down}", "TIFF", bidx=1)),
            )
            for down in range(12)
            for across in range(23)
        ]
        sizes = {
            block[:2]: int(
                dataset.get_tag_item(f"BLOCK_SIZE_{block[1]}_{block[0]}", "TIFF", bidx=1)
            )
            for block in blocks
        }
    half = len(whole) // 2
    path.write_bytes(whole[:half])
    lost = [
        Window(16 * down, min(16 * down + 16, 180), 16 * across, min(16 * across + 16, 360))
        for down, across, offset in blocks
        if offset + sizes[down, across] > half
    ]
    assert len(lost) > 50
    with pytest.raises(RasterError, match=rf"{path}: band 1 cannot be read in {lost[0]}"):
        get(path)
    found, _ = flagged(path)
    expected = get(intact)
    for region, reach in REACH.items():
        hit = have_pixels_in(FRAME, lost, *reach)
        assert_array_equal((found[f"flags_{region}"] & Flag.UNREADABLE) != 0, hit)
        assert_array_equal(found[f"mean_{region}"][~hit], expected[f"mean_{region}"][~hit])


def test_finished_features_outlast_a_spoilt_block(tmp_path, intact, monkeypatch):
    monkeypatch.setattr(module, "CHECKPOINT_SECONDS", 0.0)
    path, out = write_field(tmp_path / "field.tif"), tmp_path / "stats.parquet"
    block = corrupt(path, 5, 11)
    windows = count_reads(monkeypatch)

    def attempt():
        windows.clear()
        with pytest.raises(RasterError, match=f"cannot be read in {block}") as caught:
            get(path, max_memory=MEMORY, n_jobs=1, out=out)
        assert "the same call goes on from there" in caught.value.__notes__[0]
        assert not out.exists()
        return pixels_of(windows), parts(tmp_path / "stats.parquet.partial")

    first, kept = attempt()
    assert kept
    # What was finished is not read again.
    second, still = attempt()
    assert second < first
    assert set(kept) <= set(still)

    # A file that was repaired is another file: what was read of it may have been wrong, too.
    path.write_bytes(intact.read_bytes())
    with pytest.raises(ArgumentError, match=f"the file has changed .*{path.name}"):
        get(path, max_memory=MEMORY, n_jobs=1, out=out)


def test_a_file_has_flags_too(spoilt, tmp_path):
    path, windows = spoilt
    found, _ = flagged(path)
    out = tmp_path / "stats.parquet"
    written, text = flagged(path, out=out)
    assert written == out
    assert f"{int(touching(windows, 'rim').sum())} of 150 for 'rim'" in text
    assert_frame_equal(pd.read_parquet(out), pd.DataFrame(found), check_dtype=False)


def vanishing(monkeypatch, path):
    """From now on a file is gone once reading begins."""
    read = GdalRaster.read_bands

    def reads(raster, *arguments):
        if path.exists():
            path.unlink()
        read(raster, *arguments)

    monkeypatch.setattr(GdalRaster, "read_bands", reads)


def test_a_raster_that_vanishes_after_it_was_checked_is_named(tmp_path, monkeypatch):
    path = write_field(tmp_path / "field.tif")
    vanishing(monkeypatch, path)
    with pytest.raises(RasterError, match=f"{path}: band 1 cannot be read in rows .*No such file"):
        get(path)


def test_with_flags_too_a_raster_that_vanishes_is_not_taken_for_an_empty_one(tmp_path, monkeypatch):
    path = write_field(tmp_path / "field.tif")
    vanishing(monkeypatch, path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UnreadableWarning)
        found = get(path, errors="flag")
    assert ((found["flags_floor"] & Flag.UNREADABLE) != 0).all()
    assert (found["count_floor"] == 0).all()
