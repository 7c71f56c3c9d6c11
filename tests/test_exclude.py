"""`exclude="neighbors"`: without pixels inside other features, against distances pixel by pixel."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest
import shapely
from affine import Affine
from hypothesis import given, settings
from hypothesis import strategies as st

import worlds
from craterkit import CraterDatabase
from craterkit.errors import ArgumentError, OutsideRasterWarning
from craterkit.extraction import batches, neighbors, plan
from fields import CERES, MARS, MOON, OCENTRIC

GRID = worlds.lonlat(2.0)
LON, LAT = GRID.mesh


def field_of(distance, table, size, contains):
    """For each feature, which pixels of the grid its neighbours leave."""
    far = [distance(*row[["lon", "lat"]], LON, LAT) for _, row in table.iterrows()]
    radius = table["radius_m"].to_numpy() * size
    left = []
    for i in range(len(table)):
        free = np.ones(LON.shape, dtype=bool)
        for j in range(len(table)):
            apart = distance(
                table["lon"][j],
                table["lat"][j],
                np.array([table["lon"][i]]),
                np.array([table["lat"][i]]),
            )[0]
            if i != j and not apart <= radius[j]:
                free &= far[j] > radius[j]
        left.append(free & contains(far[i], table["radius_m"][i]))
    return left


def survey(count, seed, radius):
    """Features everywhere, closer to one another at the poles and the seam."""
    rng = np.random.default_rng(seed)
    lon = np.where(
        rng.random(count) < 0.3, 180 + rng.normal(0, 8, count), rng.uniform(-180, 180, count)
    )
    lat = np.degrees(np.arcsin(rng.uniform(-1, 1, count)))
    lat[:3] = [90.0, -90.0, 85.0]
    return worlds.table((lon + 180) % 360 - 180, lat, radius * rng.uniform(0.2, 1.2, count))


@pytest.mark.parametrize("figure", [MOON, MARS, CERES], ids=lambda figure: figure.name)
@pytest.mark.parametrize("size", [1.0, 0.6, 1.7])
def test_pixels_are_those_that_no_neighbour_holds(tmp_path, figure, size):
    table = survey(25, 3, 0.2 * figure.a)
    path = worlds.write(
        tmp_path / "v.tif",
        worlds.lonlat(2.0, crs=worlds.pyproj.CRS.from_user_input(OCENTRIC[figure.name])),
        np.arange(LON.size).reshape(LON.shape),
        block=16,
    )
    cdb = CraterDatabase(table, figure.name)
    cdb.add_annuli("rim", 0.4, 1.1)
    expected = field_of(
        figure.distance,
        table,
        size,
        lambda far, radius: (far > 0.4 * radius) & (far <= 1.1 * radius),
    )
    options = {"coverage": "center", "exclude": "neighbors", "exclude_size": size}
    pixels = cdb.get_pixels(path, "rim", columns=["feature", "value"], **options)
    for i, free in enumerate(expected):
        own = pixels["value"][pixels["feature"] == i]
        np.testing.assert_array_equal(own, np.flatnonzero(free))
    arrays = cdb.get_arrays(path, "rim", **options)["rim"]
    assert [array.count() for array in arrays] == [free.sum() for free in expected]


@pytest.mark.parametrize(
    ("projection", "extent"),
    [("+proj=stere +lat_0=90 +lon_0=30", 0.9), ("+proj=sinu +lon_0=20", np.pi)],
    ids=["stereographic", "sinusoidal"],
)
def test_any_projection(tmp_path, projection, extent):
    crs = worlds.pyproj.CRS.from_user_input(f"{projection} +R={worlds.MOON} +units=m")
    size, edge = 90, extent * worlds.MOON
    step = 2 * edge / size
    x, y = np.meshgrid(*2 * [(np.arange(size) + 0.5) * step - edge])
    lon, lat = worlds.pyproj.Proj(crs)(x, -y, inverse=True, errcheck=False)
    on_map = np.isfinite(lon) & (np.abs(-y) <= np.pi / 2 * worlds.MOON)
    if "sinu" in projection:
        on_map &= np.abs(x) <= np.pi * worlds.MOON * np.cos(np.radians(np.where(on_map, lat, 90)))
    lon, lat = np.where(on_map, lon, 0), np.where(on_map, lat, 0)
    transform = Affine(step, 0, -edge, 0, -step, edge)
    grid = worlds.Grid((size, size), transform, crs, lon[0], lat[:, 0])
    path = worlds.write(tmp_path / "v.tif", grid, np.arange(size * size).reshape(size, size))
    table = survey(25, 3, worlds.metres(12.0))
    table["lat"] = np.where(np.arange(25) % 3 > 0, 90 - np.abs(table["lat"]) / 4, table["lat"])
    cdb = CraterDatabase(table, "moon")
    cdb.add_circles("c")
    far = [MOON.distance(a, b, lon, lat) for a, b in zip(table["lon"], table["lat"], strict=True)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", OutsideRasterWarning)
        pixels = cdb.get_pixels(
            path, "c", columns=["feature", "value"], coverage="center", exclude="neighbors"
        )
    for i, place in table.iterrows():
        free = on_map & (far[i] <= place["radius_m"])
        for j, other in table.iterrows():
            apart = MOON.distance(place["lon"], place["lat"], other["lon"], other["lat"])
            if i != j and apart > other["radius_m"]:
                free &= far[j] > other["radius_m"]
        found = set(pixels["value"][pixels["feature"] == i])
        # Curves are polygons to a twentieth of a pixel here.
        assert len(found ^ set(np.flatnonzero(free))) <= 2


def test_a_pixel_is_dropped_whole_by_its_centre(tmp_path):
    table = worlds.table([0, 11], [0, 0], worlds.metres(10.3))
    path = worlds.write(tmp_path / "v.tif", GRID, np.arange(LON.size).reshape(LON.shape))
    cdb = CraterDatabase(table, "moon")
    cdb.add_circles("c")
    for coverage in ("all_touched", "fraction"):
        whole = cdb.get_pixels(path, "c", coverage=coverage)
        rest = cdb.get_pixels(path, "c", coverage=coverage, exclude="neighbors")
        other = np.where(whole["feature"] == 0, 11, 0)
        far = worlds.distance(other, 0.0, whole["lon"].to_numpy(), whole["lat"].to_numpy())
        pd.testing.assert_frame_equal(rest, whole[far > 10.3].reset_index(drop=True))


def test_touched_pixels_of_apart_circles_are_dropped_too(tmp_path):
    # The circles do not meet, but a pixel between them is touched by one and centred in the other.
    table = worlds.table([1.5, 3.0], [1, 1], worlds.metres(1.0) * np.array([0.6, 0.5]))
    path = worlds.write(tmp_path / "v.tif", GRID, LON)
    cdb = CraterDatabase(table, "moon")
    cdb.add_circles("c")
    for exclude, lons in ((None, [1.0, 3.0, 3.0]), ("neighbors", [1.0, 3.0])):
        pixels = cdb.get_pixels(path, "c", columns=["feature", "value"], exclude=exclude)
        assert pixels["value"].tolist() == lons


def test_nested_features(tmp_path):
    # A small one in a large one, off its centre, and a duplicate of the small one.
    table = worlds.table([0, 10, 10], [0, 0, 0], worlds.metres(1.0) * np.array([30.3, 8.3, 8.3]))
    path = worlds.write(tmp_path / "v.tif", GRID, np.ones(LON.shape))
    cdb = CraterDatabase(table, "moon")
    cdb.add_circles("c")
    stats = cdb.get_stats(path, "c", "count", coverage="center", exclude="neighbors")
    small = worlds.distance(10.0, 0.0, LON, LAT) <= 8.3
    large = worlds.distance(0.0, 0.0, LON, LAT) <= 30.3
    expected = [(large & ~small).sum(), small.sum(), small.sum()]
    np.testing.assert_array_equal(stats["count_c"], expected)


def test_polygons_lose_their_neighbours_as_circles_do(tmp_path):
    table = survey(25, 6, worlds.metres(9.0))[3:].reset_index(drop=True)
    path = worlds.write(tmp_path / "v.tif", GRID, np.arange(LON.size).reshape(LON.shape))
    cdb = CraterDatabase(table, "moon")
    boxes = shapely.box(table["lon"] - 5, table["lat"] - 5, table["lon"] + 5, table["lat"] + 5)
    near = np.abs(table["lat"]) < 84
    cdb = cdb[near.to_numpy()]
    table, boxes = table[near].reset_index(drop=True), boxes[near]
    cdb.add_regions("box", boxes)
    whole = cdb.get_pixels(path, "box", coverage="center")
    rest = cdb.get_pixels(path, "box", coverage="center", exclude="neighbors")
    free = field_of(
        worlds.distance,
        table.assign(radius_m=np.degrees(table["radius_m"] / worlds.MOON)),
        1.0,
        lambda far, radius: np.ones(LON.shape, dtype=bool),
    )
    names = {name: i for i, name in enumerate(cdb.data.index)}
    kept = [
        free[names[name]][row, col]
        for name, row, col in zip(whole["feature"], whole["row"], whole["col"], strict=True)
    ]
    assert len(rest) < len(whole)
    pd.testing.assert_frame_equal(rest, whole[kept].reset_index(drop=True))


def test_threads_chunks_and_portions_change_nothing(tmp_path, monkeypatch):
    table = survey(80, 9, worlds.metres(12.0))
    path = worlds.write(tmp_path / "v.tif", GRID, LAT, block=16)
    cdb = CraterDatabase(table, "moon")
    cdb.add_annuli("rim", 0.5, 1.5)
    cdb.add_circles("c")
    options = {"exclude": "neighbors", "coverage": "fraction"}
    whole = cdb.get_stats({"a": path, "b": path}, ["rim", "c"], n_jobs=1, **options)
    monkeypatch.setattr(plan, "CHUNK_PIXELS", 1)
    monkeypatch.setattr(batches, "BATCH_ROWS", 40)
    monkeypatch.setattr(neighbors, "PORTION_ROWS", 7)
    monkeypatch.setattr(neighbors, "PORTION_PAIRS", 3)
    pieces = cdb.get_stats({"a": path, "b": path}, ["rim", "c"], n_jobs=2, **options)
    pd.testing.assert_frame_equal(pieces, whole, rtol=1e-9)
    np.testing.assert_array_equal(whole["count_a_rim"], whole["count_b_rim"])


@settings(max_examples=30)
@given(st.integers(0, 2**32 - 1), st.integers(-90, 90))
def test_turning_everything_changes_nothing(seed, steps):
    table = survey(12, seed, worlds.metres(20.0))
    turned = table.assign(lon=(table["lon"] + 2.0 * steps + 180) % 360 - 180)
    values = np.random.default_rng(seed).integers(0, 99, GRID.shape).astype(np.int16)
    found = []
    for features, field in ((table, values), (turned, np.roll(values, steps, axis=1))):
        cdb = CraterDatabase(features, "moon")
        cdb.add_annuli("rim", 0.5, 1.5)
        stats = cdb.get_stats(
            field,
            "rim",
            ["count", "sum"],
            exclude="neighbors",
            transform=GRID.transform,
            raster_crs="planetocentric",
        )
        found.append(stats[["count_rim", "sum_rim"]])
    pd.testing.assert_frame_equal(*found)


def test_lonely_features_lose_nothing(tmp_path):
    path = worlds.write(tmp_path / "v.tif", GRID, LAT)
    cdb = CraterDatabase(worlds.table([0, 90], [0, 0], 200e3), "moon")
    cdb.add_circles("c")
    pd.testing.assert_frame_equal(
        cdb.get_stats(path, "c", exclude="neighbors"), cdb.get_stats(path, "c")
    )
    empty = CraterDatabase(worlds.table([0.0], [0.0], 1e3).iloc[:0], "moon")
    empty.add_circles("c")
    assert len(empty.get_stats(path, "c", exclude="neighbors")) == 0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"exclude": "all"}, "exclude must be one of None, 'neighbors', not 'all'"),
        ({"exclude": True}, "exclude must be one of"),
        ({"exclude": "neighbors", "exclude_size": 0}, "exclude_size must be a number"),
        ({"exclude": "neighbors", "exclude_size": "1"}, "exclude_size must be a number"),
        ({"exclude": "neighbors", "exclude_size": np.inf}, "exclude_size must be a number"),
    ],
)
def test_other_values_are_refused(tmp_path, options, message):
    path = worlds.write(tmp_path / "v.tif", GRID, LAT)
    cdb = CraterDatabase(worlds.table(0, 0, 1e5), "moon")
    cdb.add_circles("c")
    for extract in (cdb.get_stats, cdb.get_arrays, cdb.get_pixels):
        with pytest.raises(ArgumentError, match=message):
            extract(path, "c", **options)


def test_exclude_size_alone_is_an_error():
    cdb = CraterDatabase(worlds.table(0.0, 0.0, 1e4), "moon")
    cdb.add_circles("c")
    with pytest.raises(ArgumentError, match="exclude_size is of use with exclude"):
        cdb.get_stats("nowhere.tif", "c", exclude_size=2)
