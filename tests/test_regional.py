"""Rasters that hold a part of the body: a footprint there is the global one, cut to the raster."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import rasterio
from affine import Affine
from rasterio.enums import ColorInterp

import worlds
from craterkit import Body, CraterDatabase, sample_data
from craterkit.errors import ArgumentError

STATS = ["count", "mean", "valid_fraction", "weight_sum"]


def bumpy(lon, lat):
    return np.sin(np.radians(3 * lon)) + np.cos(np.radians(5 * lat))


@pytest.fixture(scope="module")
def rasters(tmp_path_factory):
    """One field on the whole Moon and on a part of it, with the same pixels."""
    folder = tmp_path_factory.mktemp("rasters")
    whole = worlds.lonlat(0.5)
    part = worlds.patch(10.0, 5.0, 0.5, 60)
    return (
        worlds.write(folder / "whole.tif", whole, bumpy),
        worlds.write(folder / "part.tif", part, bumpy),
        # Everything but the part is no data.
        worlds.write(
            folder / "hidden.tif",
            whole,
            lambda lon, lat: np.where(
                (np.abs(lon - 10) < 15) & (np.abs(lat - 5) < 15), bumpy(lon, lat), np.nan
            ),
        ),
    )


@pytest.fixture(scope="module")
def everywhere():
    """Features of all sizes in and around the part, and far from it."""
    rng = np.random.default_rng(1)
    count = 120
    return pd.DataFrame(
        {
            "lat": rng.uniform(-30, 40, count),
            "lon": rng.uniform(-40, 60, count),
            "radius_m": worlds.metres(1.0) * rng.uniform(0.2, 40, count),
        }
    )


@pytest.mark.filterwarnings("ignore::craterkit.errors.OutsideRasterWarning")
@pytest.mark.parametrize("nvert", [None, 3, 4, 7, 32])
@pytest.mark.parametrize("inner", [0.0, 0.6])
@pytest.mark.parametrize(
    "rules",
    [
        {"coverage": "all_touched"},
        {"coverage": "center", "weights": "area"},
        {"coverage": "fraction"},
        {"coverage": "fraction", "weights": "area"},
    ],
    ids=lambda rules: "-".join(rules.values()),
)
def test_the_rest_of_the_body_might_as_well_be_no_data(rasters, everywhere, nvert, inner, rules):
    cdb = CraterDatabase(everywhere, "moon")
    cdb.add_annuli("ring", inner, 1.0, nvert=nvert)
    _, part, hidden = rasters
    got = cdb.get_stats(part, "ring", STATS, **rules)
    expected = cdb.get_stats(hidden, "ring", STATS, **rules)
    assert (got["count_ring"] > 0).sum() > 40
    np.testing.assert_array_equal(got["count_ring"], expected["count_ring"])
    for name in ("mean", "weight_sum"):
        np.testing.assert_allclose(got[f"{name}_ring"], expected[f"{name}_ring"], rtol=1e-9)
    reached = got["count_ring"] > 0
    np.testing.assert_allclose(
        got["valid_fraction_ring"][reached], expected["valid_fraction_ring"][reached], rtol=1e-7
    )


@pytest.mark.parametrize(("pixel", "columns"), [(0.7, 515), (6.98, 52), (1.1, 328), (0.9, 400)])
@pytest.mark.parametrize("lon", [179.85, -179.9, 180.0, 0.0])
@pytest.mark.parametrize("radius", [4e3, 3e5])
def test_columns_that_do_not_divide_the_circle_count_no_ground_twice(
    tmp_path, pixel, columns, lon, radius
):
    rows = 3 * round(30 / pixel)
    grid = worlds.Grid(
        (rows, columns),
        Affine(pixel, 0, -180, 0, -pixel, pixel * rows / 2),
        worlds.MOON_CRS,
        -180 + (np.arange(columns) + 0.5) * pixel,
        pixel * (rows / 2 - np.arange(rows) - 0.5),
    )
    path = worlds.write(tmp_path / "odd.tif", grid, lambda lon, lat: 0 * lon + 1)
    cdb = CraterDatabase(worlds.table(lon, 0.0, radius), "moon")
    cdb.add_circles("c")
    stats = cdb.get_stats(path, "c", STATS, coverage="fraction", weights="area").iloc[0]
    covered = min(columns * pixel, 360.0) >= 360.0
    if covered:
        area = worlds.annulus_area(0, np.degrees(radius / worlds.MOON))
        assert stats["weight_sum_c"] == pytest.approx(area, rel=1e-3)
        assert stats["valid_fraction_c"] == pytest.approx(1.0, rel=1e-9)
    else:
        assert stats["valid_fraction_c"] <= 1.0


@pytest.mark.parametrize(
    ("body", "radius"),
    [("mars", 5.33e6), ("earth", 1.0012e7), *((Body("egg", 1e6, 7e5), r) for r in (1.36e6, 1.5e6))],
    ids=str,
)
def test_circles_of_a_hemisphere_on_flattened_bodies_see_all_their_blocks(tmp_path, body, radius):
    grid = worlds.lonlat(360 / 1024)
    path = worlds.write(tmp_path / "sevens.tif", grid, np.full(grid.shape, 7), block=64)
    cdb = CraterDatabase(worlds.table(0.0, 0.0, radius), body)
    cdb.add_circles("c")
    stats = cdb.get_stats(path, "c", ["min", "mean", "std"], raster_crs="planetocentric")
    assert stats[["min_c", "mean_c", "std_c"]].to_numpy().tolist() == [[7.0, 7.0, 0.0]]


@pytest.mark.filterwarnings("ignore::craterkit.errors.OutsideRasterWarning")
@pytest.mark.parametrize("nvert", [None, 32])
def test_a_raster_of_tiny_pixels_does_not_count_those_of_the_whole_body(tmp_path, nvert):
    path = worlds.write(tmp_path / "fine.tif", worlds.patch(10.0, 5.0, 1e-5, 50), bumpy)
    # Pixels of 0.3 m under a crater of 20 km: 10¹⁰ of them, nearly all off the raster.
    table = worlds.table([10.0, 40.0], [5.0, -20.0], [1e3, 5e5])
    cdb = CraterDatabase(table, "moon")
    cdb.add_circles("c", nvert=nvert)
    stats = cdb.get_stats(path, "c", ["count", "valid_fraction"], weights="area")
    pixel = (worlds.metres(1e-5) ** 2) * np.cos(np.radians(5.0))
    inside = 1.0 if nvert is None else nvert / (2 * np.pi) * np.sin(2 * np.pi / nvert)
    assert stats["count_c"].tolist() == [2500, 0]
    expected = 2500 * pixel / (np.pi * 1e6 * inside)
    assert stats["valid_fraction_c"].tolist() == pytest.approx([expected, 0.0], rel=1e-3)


@pytest.mark.parametrize("nvert", [3, 5, 7])
def test_holes_that_would_stick_out_of_their_shell_are_cut(tmp_path, nvert):
    path = worlds.write(tmp_path / "ones.tif", worlds.lonlat(1.0), lambda lon, lat: 0 * lon + 1)
    lons = np.array([10.0, 100.0, 179.9, -179.9])
    cdb = CraterDatabase(worlds.table(lons, -88.9, worlds.metres(1.3)), "moon")
    cdb.add_annuli("x", 0.5, 1.0, nvert=nvert)
    assert cdb.x.is_valid.all()
    shares = cdb.get_stats(path, "x", "weight_sum", coverage="fraction")["weight_sum_x"]
    # Where the map is cut makes no difference.
    np.testing.assert_allclose(shares, shares[0], rtol=2e-3)


def test_a_function_cannot_change_what_the_next_one_gets():
    def smallest(values):
        values.sort()
        return values[0]

    cdb = CraterDatabase(sample_data["moon_craters_km.csv"], "moon")[:20]
    cdb.add_circles("c")
    first = {"first": lambda values: values[0]}
    both = cdb.get_stats(sample_data["moon.tif"], "c", {"smallest": smallest, **first})
    alone = cdb.get_stats(sample_data["moon.tif"], "c", first)
    pd.testing.assert_series_equal(both["first_c"], alone["first_c"])


def test_one_and_two_columns_are_a_grid(tmp_path):
    for columns in (1, 2):
        width = 360 / columns
        grid = worlds.Grid(
            (18, columns),
            Affine(width, 0, -180, 0, -10, 90),
            worlds.MOON_CRS,
            -180 + (np.arange(columns) + 0.5) * width,
            85 - 10.0 * np.arange(18),
        )
        path = worlds.write(tmp_path / "bands.tif", grid, lambda lon, lat: lat)
        cdb = CraterDatabase(worlds.table(30.0, 5.0, 1e4), "moon")
        cdb.add_circles("c")
        assert cdb.get_stats(path, "c")["mean_c"].tolist() == [5.0]


def test_nodata_that_a_double_cannot_hold_must_be_given(tmp_path):
    huge = 2**53 + 1
    grid = worlds.patch(0.0, 0.0, 1.0, 4)
    path = worlds.write(tmp_path / "ids.tif", grid, np.full((4, 4), 5), dtype="int64", nodata=2**53)
    cdb = CraterDatabase(worlds.table(0.0, 0.0, 9e4), "moon")
    cdb.add_circles("c")
    with pytest.raises(ArgumentError, match=r"ids\.tif.*64-bit.*pass it as nodata="):
        cdb.get_stats(path, "c")
    assert cdb.get_stats(path, "c", nodata=huge)["count_c"].tolist() == [16]
    assert cdb.get_stats(path, "c", nodata=5)["count_c"].tolist() == [0]


def test_many_rasters_are_not_all_open_at_once(tmp_path, monkeypatch):
    path = worlds.write(tmp_path / "one.tif", worlds.lonlat(10.0), bumpy)
    opened = []
    open_ = rasterio.open
    monkeypatch.setattr(
        rasterio, "open", lambda *a, **k: opened.append(open_(*a, **k)) or opened[-1]
    )
    cdb = CraterDatabase(worlds.table(0.0, 0.0, 4e5), "moon")
    cdb.add_circles("c")
    most = 0

    def count(values):
        nonlocal most
        most = max(most, sum(not dataset.closed for dataset in opened))
        return 0.0

    cdb.get_stats({str(i): path for i in range(30)}, "c", {"n": count})
    assert 1 <= most <= 4
    assert all(dataset.closed for dataset in opened)


@pytest.mark.parametrize("nodata", [None, 9])
def test_transparent_pixels_are_no_data(tmp_path, nodata):
    grid = worlds.patch(0.0, 0.0, 1.0, 4)
    values = np.arange(16, dtype="uint8").reshape(4, 4)
    alpha = np.where(values < 4, 0, 200)
    path = worlds.write(
        tmp_path / "rgba.tif", grid, np.stack([values, alpha]), dtype="uint8", nodata=nodata
    )
    with rasterio.open(path, "r+") as file:
        file.colorinterp = [ColorInterp.gray, ColorInterp.alpha]
    cdb = CraterDatabase(worlds.table(0.0, 0.0, 9e4), "moon")
    cdb.add_circles("c")
    visible = [v for v in range(4, 16) if v != nodata]
    stats = cdb.get_stats(path, "c", ["sum", "count", "nodata"]).iloc[0]
    assert stats[["sum_c", "count_c", "nodata_c"]].tolist() == [
        sum(visible),
        len(visible),
        16 - len(visible),
    ]
    array = cdb.get_arrays(path, "c")["c"].iloc[0]
    assert array.compressed().tolist() == visible
