"""However a raster is cut into chunks, the results are the same, and no more is kept than allowed."""

from __future__ import annotations

from contextlib import contextmanager
from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

import fields
import worlds
from craterkit import CraterDatabase
from craterkit.extraction import batches, plan
from craterkit.extraction.budget import Budget
from craterkit.extraction.plan import Plan
from craterkit.footprints.spans import Footprints, Spans
from craterkit.rasters.base import Window

pytestmark = [
    pytest.mark.filterwarnings("ignore::craterkit.errors.OutsideRasterWarning"),
    pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning"),
]

#: As they come out of sums, however these are ordered; the others do not depend on it.
ROUNDED = ["mean", "std", "sum", "weight_sum", "area", "valid_fraction", "median", "percentile_90"]
ROUNDED += ["mad_std", "circular_mean", "frac_3"]
EXACT = ["count", "nodata", "min", "max", "unique", "majority", "minority", "argmax_lon"]
OWN = {"spread": np.ptp}

POLAR = fields.square_map(fields.MOON, "stere +lat_0=90", 1.2, 70)
GRIDS = {
    "about 0": worlds.lonlat(5.0),
    "about 180": worlds.lonlat(5.0, 0.0),
    "part": worlds.patch(170.0, -20.0, 1.3, 60),
    "polar": worlds.Grid(POLAR.shape, POLAR.transform, POLAR.crs, np.zeros(0), np.zeros(0)),
}
DTYPES = ["uint8", "int16", "int32", "float32", "float64"]


@contextmanager
def cut(read, work, held, streamed=3000):
    """Chunks, batches and portions of a few pixels; few values that wait, are in order or are held."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(plan, "CHUNK_PIXELS", 1)
        patch.setattr(batches, "BATCH_ROWS", 20)
        patch.setattr(batches, "PORTION_PIXELS", 50)
        patch.setattr(Budget, "pixels_read", lambda self, bytes_each: read)
        patch.setattr(Budget, "pixels_at_work", property(lambda self: work))
        patch.setattr(Budget, "values_held", property(lambda self: held))
        patch.setattr(Budget, "values_in_order", property(lambda self: held))
        patch.setattr(Budget, "values_streamed", property(lambda self: streamed))
        yield


@st.composite
def surveys(draw):
    """A raster with what lies beside it, features that may be anywhere, and options."""
    return SimpleNamespace(
        grid=GRIDS[draw(st.sampled_from(sorted(GRIDS)))],
        dtype=draw(st.sampled_from(DTYPES)),
        block=draw(st.sampled_from([None, 16, 32])),
        scale=draw(st.sampled_from([None, 0.5, -0.25])),
        seed=draw(st.integers(0, 2**32 - 1)),
        basin=draw(st.sampled_from([5.0, 60.0, 120.0, 179.0])),
        nearest=draw(st.booleans()),
        conditions=draw(st.booleans()),
        weights=draw(st.sampled_from([None, "area", "raster"])),
        options={
            "coverage": draw(st.sampled_from(["all_touched", "center", "fraction"])),
            "exclude": draw(st.sampled_from([None, "neighbors"])),
        },
    )


CUTS = st.tuples(st.sampled_from([300, 1000]), st.integers(30, 300), st.integers(100, 900))


def survey(drawn, folder):
    """The database, the raster, and the options of a survey, with its files written to a folder."""
    rng, grid = np.random.default_rng(drawn.seed), drawn.grid
    values = rng.integers(0, 12, (2, *grid.shape)).astype(drawn.dtype)
    if drawn.dtype.startswith("float"):
        values = (values + rng.choice([0.0, 0.3, 1e3], values.shape)).astype(drawn.dtype)
    path = worlds.write(
        folder / "values.tif",
        grid,
        values,
        dtype=drawn.dtype,
        nodata=7,
        scale=drawn.scale,
        offset=None if drawn.scale is None else 3.0,
        block=drawn.block,
    )
    options = dict(drawn.options)
    aside = worlds.lonlat(4.0) if drawn.nearest else grid
    if drawn.nearest:
        options["align"] = "nearest"
    if drawn.conditions:
        condition = rng.integers(0, 10, aside.shape)
        where = worlds.write(folder / "where.tif", aside, condition, dtype="uint8", block=16)
        options["where"] = {where: lambda found: found > 1}
    if drawn.weights == "raster":
        weights = rng.random(aside.shape)
        options["weights"] = worlds.write(folder / "weights.tif", aside, weights, nodata=0.5)
    else:
        options["weights"] = drawn.weights
    count = 12
    lon, lat = rng.uniform(-180, 180, count), np.degrees(np.arcsin(rng.uniform(-1, 1, count)))
    radius = rng.uniform(0.5, 20.0, count)
    # At the pole, near it, on the seam, and a basin on the map.
    lon[:4], lat[:4] = (0, 40, 180, 175), (90, -88, 3, -15)
    radius[3] = drawn.basin
    cdb = CraterDatabase(worlds.table(lon, lat, worlds.metres(1.0) * radius), "moon")
    cdb.add_circles("floor", 1.0)
    cdb.add_annuli("rim", 0.5, 1.0)
    return cdb, path, options


def assert_same_stats(found, expected, *, whole_numbers):
    for column in expected.columns[3:]:
        name = column.rsplit("_", 1)[0]
        if name in EXACT or name in OWN or (whole_numbers and name == "sum"):
            assert_array_equal(found[column], expected[column], err_msg=column)
        else:
            # Values are up to about 1000.
            atol = 0.0 if name == "area" else 1e-9 if name == "circular_mean" else 1e-10
            assert_allclose(found[column], expected[column], rtol=1e-12, atol=atol, err_msg=column)


@settings(max_examples=6)
@given(surveys(), CUTS)
def test_statistics_do_not_depend_on_threads_and_memory(tmp_path_factory, drawn, sizes):
    cdb, path, options = survey(drawn, tmp_path_factory.mktemp("survey"))

    def stats(**how):
        names = [*EXACT, *ROUNDED, OWN]
        return cdb.get_stats(path, ["floor", "rim"], names, progress=False, **options, **how)

    expected = stats(n_jobs=1)
    whole_numbers = (
        drawn.dtype.startswith(("int", "uint"))
        and drawn.weights is None
        and options["coverage"] != "fraction"
    )
    others = [stats(n_jobs=2), stats(n_jobs=1, max_memory="1 MiB")]
    with cut(*sizes):
        others += [stats(n_jobs=1), stats(n_jobs=2)]
    for found in others:
        assert_same_stats(found, expected, whole_numbers=whole_numbers)


@settings(max_examples=5)
@given(surveys(), CUTS)
def test_pixels_do_not_depend_on_threads_and_memory(tmp_path_factory, drawn, sizes):
    cdb, path, options = survey(drawn, tmp_path_factory.mktemp("survey"))

    def pixels(**how):
        columns = ["region", "feature", "row", "col", "b1", "b2", "weight"]
        return cdb.get_pixels(
            path, ["floor", "rim"], columns=columns, bands="all", **options, **how
        )

    expected = pixels(n_jobs=1)
    with cut(*sizes):
        others = [pixels(n_jobs=1), pixels(n_jobs=2)]
    place = ["region", "feature", "row", "col"]
    expected = expected.sort_values(place)
    for found in others:
        found = found.sort_values(place)
        for column in [*place, "b1", "b2"]:
            assert_array_equal(found[column], expected[column])
        # Shares are differences of sums along rows: right to so much of a whole pixel.
        whole = expected["weight"].max()
        assert_allclose(found["weight"], expected["weight"], rtol=1e-12, atol=1e-12 * whole)


@settings(max_examples=5)
@given(surveys(), CUTS)
def test_arrays_do_not_depend_on_threads_and_memory(tmp_path_factory, drawn, sizes):
    cdb, path, options = survey(drawn, tmp_path_factory.mktemp("survey"))
    options.pop("weights")
    if not drawn.conditions:
        options.pop("align", None)
    whole = cdb.get_arrays(path, ["floor", "rim"], georeferenced=True, n_jobs=1, **options)
    expected = {
        (index, region): array
        for region in ("floor", "rim")
        for index, array in whole[region].items()
    }
    with cut(*sizes):
        pieces = cdb.get_arrays(path, ["floor", "rim"], georeferenced=True, n_jobs=2, **options)
        found = dict(cdb.iter_arrays(path, ["floor", "rim"], n_jobs=1, **options))
    assert found.keys() == expected.keys()
    for region in ("floor", "rim"):
        assert list(pieces[f"{region}_transform"]) == list(whole[f"{region}_transform"])
    for (index, region), array in expected.items():
        for other in (found[index, region], pieces.loc[index, region]):
            assert other.dtype == array.dtype
            assert_array_equal(np.ma.getmaskarray(other), np.ma.getmaskarray(array))
            assert_array_equal(other.compressed(), array.compressed())


@pytest.mark.parametrize("dtype", ["int16", "float32"])
@pytest.mark.parametrize("scale", [-0.25, 0.25])
@pytest.mark.parametrize("weights", [None, "area"])
def test_an_roi_too_large_to_hold_has_the_same_order(tmp_path, dtype, scale, weights):
    rng = np.random.default_rng(3)
    grid = GRIDS["about 0"]
    values = rng.normal(0.0, 300.0, grid.shape).round(3).astype(dtype)
    path = worlds.write(
        tmp_path / "a.tif", grid, values, dtype=dtype, scale=scale, offset=scale and 10.0, block=16
    )
    cdb = CraterDatabase(worlds.table(20.0, -40.0, worlds.metres(150.0)), "moon")
    cdb.add_circles("c")
    names = ["median", "percentile_5", "percentile_99", "majority", "minority", "unique", "iqr"]
    names += ["mad_std", "clipped_mean", "clipped_std", "biweight_scale", "frac"]

    def stats():
        return cdb.get_stats(path, "c", names, weights=weights, n_jobs=1).iloc[0, 3:]

    expected = stats()
    with cut(1000, 300, 300, 1500):
        found = stats()
    shares, of_all = found.pop("frac_c"), expected.pop("frac_c")
    assert list(shares) == list(of_all)
    assert_allclose(list(shares.values()), list(of_all.values()), rtol=1e-12)
    for name, value in expected.items():
        assert_allclose(found[name], value, rtol=1e-12, err_msg=name)


# What is kept


class Boxes:
    """ROIs that are their bounding boxes, in rows and in columns around the body."""

    def __init__(self, rows, columns, shape=(0, 0)):
        self.shape = shape
        self.rows = np.asarray(rows, dtype=np.intp).reshape(-1, 2)
        self._columns = np.asarray(columns, dtype=float).reshape(-1, 2).T
        self.groups = np.zeros(len(self.rows), dtype=np.intp)
        self.most_pixels = np.full(len(self.rows), np.inf)

    def __len__(self):
        return len(self.rows)

    def columns(self):
        return tuple(self._columns)

    def footprints(self, rois, row_start, row_stop):
        spans = []
        for number, roi in enumerate(rois):
            there = self.pixels(roi, self.shape)
            for row in range(row_start, row_stop):
                edges = np.flatnonzero(np.diff(there[row], prepend=False, append=False))
                spans += [(number, row, *pair) for pair in edges.reshape(-1, 2).tolist()]
        return Footprints(Spans(*np.array(spans, dtype=np.intp).reshape(-1, 4).T))

    def pixels(self, roi, shape):
        """Which pixels of the raster, which goes around the body, are in an ROI."""
        there = np.zeros(shape, dtype=bool)
        low, high = self._columns[:, roi]
        columns = np.arange(np.floor(low), np.ceil(high)).astype(int) % shape[1]
        top, bottom = np.clip(self.rows[roi], 0, shape[0])
        there[top:bottom, columns] = True
        return there


@st.composite
def plans(draw):
    """ROIs on a small raster that goes around the body, the edges of its blocks, and a plan."""
    shape = draw(st.integers(1, 40)), draw(st.integers(1, 60))
    edges = []
    for size in shape:
        inner = draw(st.sets(st.integers(1, max(size - 1, 1)), max_size=6)) - {size}
        edges.append(np.array([0, *sorted(inner), size], dtype=np.intp))
    height, width = shape
    boxes = st.tuples(
        st.integers(-height, height),
        st.integers(1, 2 * height),
        st.integers(-width // 2, width - 1),
        st.integers(1, width),
    )
    drawn = np.array(draw(st.lists(boxes, min_size=1, max_size=12)))
    top, tall, left, wide = drawn.T
    rois = Boxes(np.stack([top, top + tall], axis=1), np.stack([left, left + wide], axis=1), shape)
    grid = SimpleNamespace(shape=shape, columns=shape[1], period=float(shape[1]))
    limit = draw(st.integers(1, 800))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(plan, "CHUNK_PIXELS", draw(st.integers(1, 2000)))
        made = Plan(grid, tuple(edges), rois, limit)
    return made, rois, shape, edges, limit


def within(window, shape):
    there = np.zeros(shape, dtype=bool)
    there[window.row_start : window.row_stop, window.col_start : window.col_stop] = True
    return there


def blocks_of(edges):
    rows, columns = edges
    for top, bottom in pairwise(rows.tolist()):
        for left, right in pairwise(columns.tolist()):
            yield Window(top, bottom, left, right)


@given(plans())
def test_chunks_hold_every_pixel_once_and_read_what_is_touched(drawn):
    made, rois, shape, edges, limit = drawn
    times, met = np.zeros(shape, dtype=int), np.zeros((len(rois), *shape), dtype=int)
    seen, ended = set(), set()
    for chunk in made.chunks():
        window = within(chunk.window, shape)
        for part in chunk.reads:
            there = within(part, shape)
            assert not (there & ~window).any()
            times[there] += 1
        numbers = chunk.rois.tolist()
        assert not ended & set(numbers)
        assert set(chunk.rois[chunk.begins].tolist()) == set(numbers) - seen
        seen |= set(numbers)
        ended |= set(chunk.rois[chunk.ends].tolist())
        assert chunk.kept.all()
        for roi in numbers:
            met[roi] += window & rois.pixels(roi, shape)
    assert seen == ended
    touched = np.zeros(shape, dtype=bool)
    for roi in range(len(rois)):
        own = rois.pixels(roi, shape)
        assert_array_equal(met[roi], own)
        assert made.outside[roi] == (not own.any())
        touched |= own
    assert times.max(initial=0) <= 1
    assert (times[touched] == 1).all()
    tallest = int(np.diff(edges[0]).max())
    for block in blocks_of(edges):
        if not (within(block, shape) & touched).any():
            # Of a block that is cut, the parts that no ROI touches are not read either.
            assert not times[within(block, shape)].any()
    if tallest * int(np.diff(edges[1]).max()) <= limit:
        for chunk in made.chunks():
            assert chunk.window.shape[0] * chunk.window.shape[1] <= limit
            # No edge of a chunk cuts through a block.
            assert {chunk.window.row_start, chunk.window.row_stop} <= set(edges[0].tolist())
            assert {chunk.window.col_start, chunk.window.col_stop} <= set(edges[1].tolist())


@given(plans(), st.integers(1, 1500))
def test_no_more_is_kept_than_the_limit(drawn, limit):
    made, rois, shape, _, _ = drawn
    alone = made.too_large(np.arange(len(rois)), limit)
    waiting = {}
    for chunk in made.chunks(alone=alone):
        window = within(chunk.window, shape)
        for roi in chunk.rois[chunk.kept & ~(chunk.begins & chunk.ends)].tolist():
            more = int((window & rois.pixels(roi, shape)).sum())
            waiting[roi] = waiting.get(roi, 0) + more
        assert sum(waiting.values()) <= limit
        for roi in chunk.rois[chunk.ends].tolist():
            waiting.pop(roi, None)
    assert not waiting
    assert not made.outside[alone].any()


@given(plans(), st.integers(1, 1500))
def test_as_few_as_need_be_are_dealt_with_alone_and_the_largest(drawn, limit):
    made, rois, _, _, _ = drawn
    alone = set(made.too_large(np.arange(len(rois)), limit).tolist())
    chunks = [set(chunk.rois.tolist()) for chunk in made.chunks()]
    meets = {roi: [i for i, here in enumerate(chunks) if roi in here] for roi in range(len(rois))}
    across = {roi for roi, met in meets.items() if len(met) > 1 or made.pixels[roi] > limit}
    assert alone <= across
    if not alone:
        return
    smallest = min(alone, key=lambda roi: (made.pixels[roi], roi))
    together = [roi for roi in across if roi not in alone] + [smallest]
    assert all(made.pixels[roi] <= made.pixels[smallest] for roi in together)
    # One more of them would be too many.
    assert limit < max(
        sum(made.pixels[roi] for roi in together if meets[roi][0] <= i <= meets[roi][-1])
        for i in range(len(chunks))
    )


@given(plans(), st.integers(1, 600))
def test_parts_share_out_the_rois_of_a_chunk(drawn, limit):
    made, rois, shape, _, _ = drawn
    for chunk in made.chunks():
        parts = list(chunk.parts(made.rows, limit))
        for name in ("rois", "widths", "begins", "ends", "kept"):
            joined = np.concatenate([getattr(part, name) for part in parts])
            assert_array_equal(joined, getattr(chunk, name))
        window = within(chunk.window, shape)
        for part in parts:
            assert (part.window, part.reads) == (chunk.window, chunk.reads)
            sizes = [int((window & rois.pixels(roi, shape)).sum()) for roi in part.rois.tolist()]
            # The first may have any number.
            assert sum(sizes[1:]) < limit


def test_many_rois_on_a_small_raster_are_worth_several_chunks():
    shape, count = (400, 400), plan.MANY + 1
    rois = Boxes(np.tile([0, 400], (count, 1)), np.tile([0.0, 1.0], (count, 1)), shape)
    grid = SimpleNamespace(shape=shape, columns=400, period=400.0)
    edges = (np.arange(0, 401, 8), np.arange(0, 401, 8))
    assert len(list(Plan(grid, edges, rois).chunks())) >= plan.FEWEST_CHUNKS
