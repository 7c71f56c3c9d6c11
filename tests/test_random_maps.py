"""Pixels of random regions on random maps against a brute force by geodesics."""

from dataclasses import replace

import numpy as np
import pytest

from craterkit.footprints.engines import engine_for
from craterkit.footprints.rules import Rules
from craterkit.regions import Annulus, Sector
from random_maps import KINDS, PROJECTIONS, random_world

#: How far from an edge, in pixels, a pixel may be decided otherwise: the tolerance, and rounding.
SLACK = 0.052

#: How far shares may be off: of outlines, and of ROIs that a map tears, whose pixels are sampled.
SHARE, TORN_SHARE = 0.002, 0.015

#: Points of a pixel's side for areas, and pixels of a map whose areas are looked at.
PARTS, LOOKED_AT = 40, 8

#: Places around a point, up to `SLACK` away.
WAYS = np.arange(16) * np.pi / 8
AROUND = np.concatenate(
    [np.stack([r * np.cos(WAYS), r * np.sin(WAYS)]) for r in (SLACK, SLACK / 2)], axis=1
)


def engine_of(world, coverage, region=None):
    return engine_for(region or world.region, world.grid, world.features, Rules(coverage))


def image(engine):
    """Weights of the pixels of one ROI, or 1."""
    shape = engine.grid.shape
    found = engine.footprints(np.array([0]), 0, shape[0])
    spans, out = found.spans, np.zeros(shape)
    weights = np.ones(spans.length.sum()) if found.weights is None else found.weights
    at = 0
    for row, start, stop in zip(spans.row, spans.start, spans.stop, strict=True):
        assert engine.rows[0, 0] <= row < engine.rows[0, 1]
        assert not out[row, start:stop].any()
        out[row, start:stop] = weights[at : at + stop - start]
        at += stop - start
    return out


def centres(world):
    rows, columns = np.indices(world.grid.shape)
    return columns + 0.5, rows + 0.5


def has_oracle(world, engine):
    """N-gons have edges straight on the map unless it cuts them, or they hold a pole."""
    if world.kind != "n-gon" or engine.torn[0]:
        return world.kind != "n-gon"
    if world.polygon is None or not world.is_cylindrical:
        return world.polygon is not None and world.polygon.is_valid
    poles = world.figure.distance(world.lon, world.lat, world.lon, np.array([-90.0, 90.0]))
    west, _, east, _ = world.polygon.bounds
    return (
        poles.min() > world.region.outer * world.radius and west >= 0 and east <= world.grid.extent
    )


def check_positions(world):
    x, y = centres(world)
    lon, lat = world.grid.to_body(x, y)
    on = np.isfinite(lon) & (np.abs(lat) < 89.9)
    if on.any():
        off = np.stack(world.chart.pixels(lon[on], lat[on])) - [x[on], y[on]]
        if world.is_cylindrical:
            off[0] -= world.grid.period * np.round(off[0] / world.grid.period)
        elif world.chart.crs.is_geographic:
            turned = (world.chart.pixels(lon[on] + turn, lat[on]) for turn in (-360.0, 360.0))
            off = np.stack([off, *(np.stack(each) - [x[on], y[on]] for each in turned)])
            off = np.abs(off).min(axis=0)
        assert np.abs(off).max() < 1e-2


def check_centres(world):
    engine = engine_of(world, "center")
    got = image(engine) > 0
    if not has_oracle(world, engine):
        return
    level = world.level(*centres(world))
    with np.errstate(invalid="ignore"):
        rows, columns = np.nonzero(got != (level > 0))
    assert np.isfinite(level[rows, columns]).all(), "pixels off the map"
    around = world.level(columns[:, None] + 0.5 + AROUND[0], rows[:, None] + 0.5 + AROUND[1])
    near = ((around > 0) == got[rows, columns][:, None]).any(axis=1)
    assert near.all(), (
        f"{(~near).sum()} centres: rows {rows[~near][:9]}, columns {columns[~near][:9]}"
    )


def edge_pixels(world, rng):
    """Some of the pixels that an edge passes through or close by, all of them on the map."""
    height, width = world.grid.shape
    y, x = np.meshgrid(
        np.arange(-4, 4 * height + 5) / 4.0, np.arange(-4, 4 * width + 5) / 4.0, indexing="ij"
    )
    level = world.level(x, y)
    inside = level > 0
    some = np.lib.stride_tricks.sliding_window_view(inside, (9, 9))[2:-2:4, 2:-2:4]
    known = np.lib.stride_tricks.sliding_window_view(np.isfinite(level), (9, 9))[2:-2:4, 2:-2:4]
    some = some.reshape(*some.shape[:2], -1)[:height, :width]
    known = known.reshape(*known.shape[:2], -1)[:height, :width]
    at = np.argwhere(some.any(axis=-1) & ~some.all(axis=-1) & known.all(axis=-1))
    if world.is_cylindrical:
        at = at[at[:, 1] < int(world.grid.extent)]
    return rng.permutation(at)[:LOOKED_AT]


def subpoints(row, column, count, margin=0.0):
    steps = np.linspace(-margin, 1.0 + margin, count)
    return np.meshgrid(column + steps, row + steps)


def share_of(level):
    """Share of a square in which a function is above 0, linear over triangles."""
    area = 0.0
    low, right, down, far = level[:-1, :-1], level[:-1, 1:], level[1:, :-1], level[1:, 1:]
    for corners in ((low, right, far), (low, down, far)):
        a, b, c = np.sort(np.stack(corners), axis=0)
        with np.errstate(invalid="ignore", divide="ignore"):
            tip = c * c / ((c - b) * (c - a))
            rest = 1.0 - a * a / ((b - a) * (c - a))
        share = np.where(a >= 0, 1.0, np.where(c <= 0, 0.0, np.where(b <= 0, tip, rest)))
        area += share.sum() / 2.0
    return area / low.size


def check_shares(world, rng):
    engine = engine_of(world, "fraction")
    got = image(engine)
    assert got.min(initial=0.0) >= 0.0
    assert got.max(initial=0.0) <= 1.0 + 1e-9
    if not has_oracle(world, engine):
        return
    limit = TORN_SHARE if engine.torn[0] else SHARE
    for row, column in edge_pixels(world, rng):
        level = world.level(*subpoints(row, column, PARTS + 1))
        if not np.isfinite(level).all():
            continue
        share = share_of(level)
        if abs(got[row, column] - share) > limit:
            # Near corners, and where geodesics meet behind the body, levels are not even.
            middles = (np.arange(10 * PARTS) + 0.5) / (10 * PARTS)
            share = (world.level(*np.meshgrid(column + middles, row + middles)) > 0).mean()
        assert abs(got[row, column] - share) <= limit, f"pixel {row}, {column}"


def check_touched(world, rng):
    engine = engine_of(world, "all_touched")
    got = image(engine) > 0
    if world.kind == "n-gon" or not has_oracle(world, engine):
        return  # those are the rasteriser's of GDAL
    for row, column in edge_pixels(world, rng):
        if got[row, column]:
            level = world.level(*subpoints(row, column, 2 * PARTS, SLACK))
            assert (level > 0).any(), f"pixel {row}, {column} is not touched"
        else:
            level = world.level(*subpoints(row, column, PARTS, -SLACK))
            assert not (level > 0).any(), f"pixel {row}, {column} is touched"


def check_sums(world, rng):
    """Circles and annuli with common edges, and sectors with common directions, add up."""
    edges = np.sort(rng.uniform(0.1, 1.6, 3))
    edges[1:] = np.maximum(edges[1:], edges[:-1] * 1.02)
    parts = [Annulus(low, high) for low, high in zip([0.0, *edges[:-1]], edges, strict=True)]
    images = [image(engine_of(world, "center", part)) for part in parts]
    whole = image(engine_of(world, "center", Annulus(0.0, edges[-1])))
    np.testing.assert_array_equal(sum(images), whole, "annuli")
    ways = np.sort(rng.uniform(0.0, 360.0, 4))
    if np.diff(ways, append=ways[0] + 360.0).min() < 1.0:
        return
    sectors = sum(
        image(engine_of(world, "center", Sector(edges[0], edges[1], start, stop)))
        for start, stop in zip(ways, np.roll(ways, -1), strict=True)
    )
    assert sectors.max() <= 1.0
    if not world.is_cylindrical:
        np.testing.assert_array_equal(sectors, images[1], "sectors")
        return
    check_centres(replace(world, kind="annulus", region=parts[1]))
    level = replace(world, kind="annulus", region=parts[1]).level
    rows, columns = np.nonzero(sectors != images[1])
    around = level(columns[:, None] + 0.5 + AROUND[0], rows[:, None] + 0.5 + AROUND[1])
    assert ((around > 0).any(axis=1) & (around < 0).any(axis=1)).all(), "sectors"


def check(seed, kind=None, name=None):
    """All checks of one random world; whether there is one."""
    rng = np.random.default_rng(seed)
    world = random_world(rng, kind, name)
    if world is None:
        return False
    try:
        check_positions(world)
        check_centres(world)
        check_shares(world, rng)
        check_touched(world, rng)
        if world.kind in ("circle", "annulus", "sector"):
            check_sums(world, rng)
    except Exception as error:
        error.add_note(f"seed {seed}, {kind}, {name}: {world}")
        raise
    return True


@pytest.mark.parametrize(("number", "name"), list(enumerate(PROJECTIONS)), ids=list(PROJECTIONS))
def test_pixels_are_those_of_a_brute_force(number, name):
    kind = KINDS[number % len(KINDS)]
    assert any(check((number, attempt), kind, name) for attempt in range(9))


@pytest.mark.deep
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("number", "name"), list(enumerate(PROJECTIONS)), ids=list(PROJECTIONS))
def test_so_are_they_on_many_maps(number, name, kind):
    seeds = np.arange(20) + 1000 * (number * len(KINDS) + KINDS.index(kind) + 1)
    assert sum(check(seed, kind, name) for seed in seeds) >= 10
