"""Databases merged: what is the same is found as by brute force, and nothing is lost or changed."""

from __future__ import annotations

import time

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import worlds
from craterkit import Body, CraterDatabase, sample_data
from craterkit.errors import ArgumentError, BodyError, CraterkitWarning, RegionError, TableError
from craterkit.matching.pairs import match_features
from craterkit.tables.features import Features
from fields import CERES, MARS, MOON


def database(rows, body="moon", **columns):
    """A database of rows of longitude, latitude and radius in metres."""
    lon, lat, radius = np.reshape(np.array(rows, dtype=float), (-1, 3)).T
    return CraterDatabase(
        pd.DataFrame({"lon": lon, "lat": lat, "radius_m": radius}).assign(**columns), body
    )


def brute_force(figure, a, b, position, size):
    """All pairs compared, then the best taken, the next best of the rest, and so on."""
    found = []
    for i in range(len(a)):
        for j in range(len(b)):
            smaller = min(a.radius[i], b.radius[j])
            away = float(figure.distance(a.lon[i], a.lat[i], b.lon[j], b.lat[j])) / smaller
            apart = abs(a.radius[i] - b.radius[j]) / smaller
            if away <= position and apart <= size:
                found.append((np.hypot(away / position, apart / size), i, j))
    pairs = []
    for _, i, j in sorted(found):
        if all(i != k and j != m for k, m in pairs):
            pairs.append((i, j))
    return sorted(pairs)


def crowd(random, count, spread):
    """Features of many sizes around a pole or the seam, some of them nearly the same."""
    lon = random.choice([-179.9, 179.95, 20.0], count) + random.normal(0, spread, count)
    lat = np.clip(
        random.choice([89.9, -90.0, 0.0], count) + random.normal(0, spread, count), -90, 90
    )
    radius = 1e3 * np.exp(random.choice([0.0, 0.1, 0.3, 2.0, 4.0], count))
    return Features(np.mod(lon + 180, 360) - 180, lat, radius * random.uniform(0.9, 1.1, count))


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    counts=st.tuples(st.integers(0, 25), st.integers(0, 25)),
    spread=st.sampled_from([0.005, 0.05, 0.5]),
    position=st.sampled_from([0.1, 0.5, 1.0, 5.0]),
    size=st.sampled_from([0.05, 0.25, 1.0, 30.0]),
    figure=st.sampled_from([MOON, MARS, CERES]),
)
def test_pairs_are_those_of_brute_force(seed, counts, spread, position, size, figure):
    random = np.random.default_rng(seed)
    a, b = (crowd(random, count, spread) for count in counts)
    body = Body(figure.name, figure.a, figure.b)
    pairs = match_features(body, a, b, position=position, size=size)
    assert list(zip(pairs.a, pairs.b, strict=True)) == brute_force(figure, a, b, position, size)
    expected = figure.distance(a.lon[pairs.a], a.lat[pairs.a], b.lon[pairs.b], b.lat[pairs.b])
    np.testing.assert_allclose(pairs.distance, expected, atol=1e-3)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ((180.0, 0.0), (-179.99, 0.0)),
        ((0.0, 89.995), (180.0, 89.995)),
        ((10.0, -90.0), (-70.0, -90.0)),
        ((-10.0, 0.0), (350.0, 0.0)),
    ],
)
def test_a_crater_is_one_across_the_seam_and_at_the_poles(one, other):
    merged = CraterDatabase.merge(database([(*one, 1e3)]), database([(*other, 1.1e3)]))
    assert len(merged) == 1
    assert merged.rad.tolist() == [1e3]


def test_a_small_crater_in_a_large_one_stays():
    large, small = database([(10, 20, 5e4)]), database([(10, 20, 5e2)])
    assert len(CraterDatabase.merge(large, small)) == 2
    assert len(CraterDatabase.merge(large, small, size=100)) == 1


def test_tolerances_are_in_radii_of_the_smaller():
    """On the equator of the Moon 1 km is 1/30.3234 of a degree."""
    km = np.degrees(1e3 / MOON.a)
    a, b = database([(0, 0, 1.2e3)]), database([(0.49 * km, 0, 1e3)])
    assert len(CraterDatabase.merge(a, b)) == 1
    assert len(CraterDatabase.merge(a, b, position=0.48)) == 2
    assert len(CraterDatabase.merge(a, b, size=0.19)) == 2
    assert len(CraterDatabase.merge(a, a, position=0, size=0)) == 1


def test_duplicates_within_one_database_stay():
    a = database([(0, 0, 1e3), (0, 0, 1e3)])
    assert len(CraterDatabase.merge(a, database([(0, 0, 1e3)]))) == 2
    assert len(CraterDatabase.merge(database([(0, 0, 1e3)]), a)) == 2
    assert len(CraterDatabase.merge(a, database([]))) == 2


def test_features_columns_and_index():
    a = database([(0, 0, 1e3), (50, 10, 2e4)], name=["A", "B"], age=[1.0, np.nan])
    b = database([(7, 7, 5e2), (50.001, 10, 2.1e4)], name=["c", "b"], depth=[10, 300])
    a.data["mine"] = [True, False]
    merged = CraterDatabase.merge(a, b)
    assert merged.lon.tolist() == [0, 50, 7]
    assert merged.rad.tolist() == [1e3, 2e4, 5e2]
    assert merged.data.index.tolist() == [0, 1, 2]
    expected = pd.DataFrame(
        {
            "lon": [0.0, 50.0, 7.0],
            "lat": [0.0, 10.0, 7.0],
            "radius_m": [1e3, 2e4, 5e2],
            "name": ["A", "B", "c"],
            "age": [1.0, np.nan, np.nan],
            "depth": [np.nan, 300.0, 10.0],
            "mine": [True, False, np.nan],
        }
    )
    found = pd.DataFrame(merged.data.drop(columns=merged.data.geometry.name))
    pd.testing.assert_frame_equal(found, expected, check_dtype=False)


def test_inputs_are_not_changed():
    a, b = database([(0, 0, 1e3)], n=[1]), database([(0, 0, 1e3), (9, 9, 1e3)], m=["x", "y"])
    a.add_circles("floor", 0.5)
    before = [(one.copy(), pd.DataFrame(one.data).copy()) for one in (a, b)]
    merged = CraterDatabase.merge(a, b)
    merged.data["n"] = 7
    merged.drop_region("floor")
    for one, (copy, data) in zip((a, b), before, strict=True):
        assert one == copy
        pd.testing.assert_frame_equal(pd.DataFrame(one.data), data)


def test_labels_with_a_name_become_a_column():
    a = database([(0, 0, 1e3)]).data.set_axis(pd.Index(["x-1"], name="CRATER_ID"))
    b = database([(9, 9, 1e3)]).data.assign(CRATER_ID=["x-2"])
    merged = CraterDatabase.merge(*(CraterDatabase(pd.DataFrame(t), "moon") for t in (a, b)))
    assert merged.data["CRATER_ID"].tolist() == ["x-1", "x-2"]


def test_other_column_names_units_and_latitudes():
    """Planetographic, west-positive diameters in km against planetocentric, east-positive radii in metres."""
    b = pd.DataFrame({"Latitude": [45.0, 10.0], "Longitude": [-30.0, 50.0], "diam_km": [20.0, 4.0]})
    one = CraterDatabase(worlds.table([30.0], [float(MARS.ocentric(45.0))], 1e4), "mars")
    merged = CraterDatabase.merge(one, CraterDatabase(b, "mars", "planetographic"))
    assert len(merged) == 2
    np.testing.assert_allclose(merged.lon, [30.0, -50.0])
    np.testing.assert_allclose(merged.lat, [MARS.ocentric(45.0), MARS.ocentric(10.0)])
    assert merged.rad.tolist() == [1e4, 2e3]
    assert merged.data["diam_km"].tolist() == [20.0, 4.0]


def test_a_column_of_both_has_one_convention():
    a = pd.DataFrame({"lon": [350.0, 10.0], "lat": [45.0, 0.0], "diam": [2.0, 4.0], "depth": 1.0})
    b = pd.DataFrame({"lon": [-20.0, 15.0], "lat": [45.0, 0.0], "diam": [800.0, 600.0]})
    merged = CraterDatabase.merge(
        CraterDatabase(a, "mars", units="km"),
        CraterDatabase(b.assign(depth=800.0), "mars", "planetographic_east", units="m"),
    )
    assert merged.rad.tolist() == [1e3, 2e3, 400, 300]
    np.testing.assert_allclose(merged.data["diam"], [2.0, 4.0, 0.8, 0.6])
    np.testing.assert_allclose(merged.data["lon"], [350.0, 10.0, 340.0, 15.0])
    np.testing.assert_allclose(merged.data["lat"], [45.0, 0.0, MARS.ocentric(45.0), 0.0])
    assert merged.data["depth"].tolist() == [1, 1, 800, 800]


def test_regions_of_both_are_kept():
    a, b = database([(0, 0, 1e3), (5, 5, 1e3)]), database([(0, 0, 1e3), (9, 9, 1e3)])
    for cdb in (a, b):
        cdb.add_annuli("rim", 1, 1.5)
        cdb.add_ellipses("oval", cdb.rad * 1.5, cdb.rad, [10.0, 20.0], units="m")
        cdb.add_regions("given", cdb.rim)
    a.add_circles("floor", 0.5)
    b.add_sectors("north", 1, 2, 315, 45)
    merged = CraterDatabase.merge(a, b)
    assert list(merged.regions) == ["rim", "oval", "given", "floor", "north"]
    assert merged.regions["oval"].azimuth.tolist() == [10.0, 20.0, 20.0]
    for name in merged.regions:
        known = getattr(a if name in a.regions else b, name)
        if name in a.regions:
            assert merged.data[name].iloc[:2].geom_equals_exact(known, 1e-12).all()
        if name in b.regions:
            added = b.data[name].iloc[[1]].reset_index(drop=True)
            own = merged.data[name].iloc[[2]].reset_index(drop=True)
            assert own.geom_equals_exact(added, 1e-12).all()


def test_regions_that_contradict_each_other_are_refused():
    a, b = database([(0, 0, 1e3)]), database([(0, 0, 1e3)])
    a.add_annuli("rim", 1, 1.5)
    b.add_annuli("rim", 1, 2)
    with pytest.raises(RegionError, match=r"'rim' is 1 to 1.5 radii in a and 1 to 2 radii in b"):
        CraterDatabase.merge(a, b)


def test_shapes_of_one_database_are_left_out_and_said():
    a, b = database([(0, 0, 1e3)]), database([(9, 9, 1e3)])
    a.add_circles("circle")
    a.add_regions("given", a.circle)
    with pytest.warns(CraterkitWarning, match="'given'"):
        merged = CraterDatabase.merge(a, b)
    assert list(merged.regions) == ["circle"]


@pytest.mark.parametrize("sizes", [(0, 0), (0, 2), (2, 0)])
def test_empty_databases(sizes):
    rows = [(0, 0, 1e3), (9, 9, 2e3)]
    a, b = (database(rows[:size]) for size in sizes)
    merged = CraterDatabase.merge(a, b)
    assert merged == (a if sizes[0] else b)


def test_the_system_is_that_of_the_first():
    a, b = database([(0, 0, 1e3)]), database([(9, 9, 1e3)])
    a.add_circles("rim")
    polar = a.to_crs("IAU_2015:30130")
    merged = CraterDatabase.merge(polar, b.to_crs("IAU_2015:30110"))
    assert merged.crs == merged.rim.crs == merged.data.crs == polar.crs


def test_real_catalogues():
    known = CraterDatabase(sample_data["moon_craters_km.csv"], "moon")
    known.add_annuli("rim", 1, 1.5)
    merged = CraterDatabase.merge(known[:400], known[300:])
    assert merged == known
    stats = merged.get_stats(sample_data["moon.tif"], "rim")
    pd.testing.assert_frame_equal(stats, known.get_stats(sample_data["moon.tif"], "rim"))


def test_bad_input():
    a = database([(0, 0, 1e3)])
    with pytest.raises(BodyError, match=r"'Moon'.*'Mars'"):
        CraterDatabase.merge(a, database([(0, 0, 1e3)], "mars"))
    with pytest.raises(ArgumentError, match="b must be a CraterDatabase, not DataFrame"):
        CraterDatabase.merge(a, a.data.drop(columns="geometry"))
    with pytest.raises(ArgumentError, match="a must be a CraterDatabase, not NoneType"):
        CraterDatabase.merge(None, a)
    for name in ("position", "size"):
        for value in ("1 km", -1, np.nan, np.inf, True, None):
            with pytest.raises(ArgumentError, match=name):
                CraterDatabase.merge(a, a, **{name: value})
    table = pd.DataFrame([[0.0, 0.0, 1e3, 1, 2]], columns=["lon", "lat", "radius_m", "x", "x"])
    with pytest.raises(TableError, match="'x'"):
        CraterDatabase.merge(CraterDatabase(table, "moon"), a)


def one_column(name, a, b, positions_a, positions_b, **units):
    """A column of two databases, merged; positions are longitudes, radii 1 km."""
    made = []
    for values, lon in ((a, positions_a), (b, positions_b)):
        table = pd.DataFrame({name: values, "lat": 0.0, "radius_m": 1e3})
        if name != "lon":
            table["lon"] = lon
        made.append(CraterDatabase(table, "moon", **units))
    return CraterDatabase.merge(*made)


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        ([350, 180], [-50, 180, -170], [350, 180, 310, 190]),
        ([350, 360], [-50, 100, -170], [350, 360, 310, 100, 190]),
        ([350, 200], [180, -180 + 10], [350, 200, 180, 190]),
        ([-50, -180], [350, 0, 190], [-50, -180, -10, 0, -170]),
        ([-50, 180], [360, 190], [-50, 180, 0, -170]),
        ([0, 10], [180, 360], [0, 10, 180]),
        ([10, 20], [-30, 40], [10, 20, -30, 40]),
    ],
)
def test_the_convention_of_longitudes_survives_180_and_360(a, b, expected):
    merged = one_column("lon", np.array(a, float), np.array(b, float), None, None)
    assert merged.data["lon"].tolist() == expected
    np.testing.assert_allclose(np.mod(merged.lon, 360.0), np.mod(expected, 360.0))


def test_west_positive_longitudes_survive_180():
    a = pd.DataFrame({"lon": [180.0, 300.0], "lat": 0.0, "radius_m": 1e3})
    b = pd.DataFrame({"lon": [-180.0, 20.0, -40.0], "lat": 5.0, "radius_m": 1e3})
    merged = CraterDatabase.merge(
        CraterDatabase(a, "moon", "planetocentric_west"), CraterDatabase(b, "moon")
    )
    assert merged.lon.tolist() == [-180.0, 60.0, -180.0, 20.0, -40.0]
    assert merged.data["lon"].tolist() == [180.0, 300.0, 180.0, 340.0, 40.0]


def test_numbers_kept_as_texts_are_converted():
    a = pd.DataFrame({"lat": ["1", "2"], "lon": ["10", " 350 "], "diam": ["10", "20"]})
    b = pd.DataFrame({"lat": [50.0], "lon": [-20.0], "diam": [3000.0]})
    texts, numbers = CraterDatabase(a, "moon", units="km"), CraterDatabase(b, "moon", units="m")
    merged = CraterDatabase.merge(texts, numbers).data
    assert merged["diam"].tolist() == [10.0, 20.0, 3.0]
    assert merged["lon"].tolist() == [10.0, 350.0, 340.0]
    assert merged["lat"].tolist() == [1.0, 2.0, 50.0]
    merged = CraterDatabase.merge(numbers, texts).data
    assert merged["diam"].tolist() == [3000.0, 10000.0, 20000.0]
    assert merged["lon"].tolist() == [-20.0, 10.0, -10.0]
    both = CraterDatabase.merge(texts, CraterDatabase(a.assign(lat="70"), "moon", units="km")).data
    assert both["diam"].tolist() == ["10", "20", "10", "20"]


def test_what_agrees_with_a_size_by_chance_is_left_alone():
    a, b = database([(20, 10, 5)], depth=[10.0]), database([(50, 30, 7)], depth=[7.0])
    assert CraterDatabase.merge(a, b).data["depth"].tolist() == [10.0, 7.0]


def test_columns_with_names_of_their_own_are_known_by_their_values():
    lon = {"a": [350.0, 20.0, 200.0], "b": [-10.0, -30.0, 70.0]}
    a, b = (
        CraterDatabase(
            pd.DataFrame({"u": lon[name], "v": lat, "w": 1e3}),
            "moon",
            lon_col="u",
            lat_col="v",
            rad_col="w",
            units="m",
        )
        for name, lat in (("a", 0.0), ("b", 40.0))
    )
    assert CraterDatabase.merge(a, b).data["u"].tolist() == [350, 20, 200, 350, 330, 70]


@pytest.mark.parametrize("region_in", ["a", "b"])
def test_a_region_with_the_name_of_a_column_is_refused(region_in):
    with_region, with_column = database([(0, 0, 1e3)]), database([(9, 9, 1e3)], rim=5)
    with_region.add_annuli("rim", 1, 2)
    a, b = (with_region, with_column) if region_in == "a" else (with_column, with_region)
    column_in = "b" if region_in == "a" else "a"
    message = (
        f"'rim': the name of a region in {region_in} and of a column in {column_in}; rename or"
    )
    with pytest.raises(RegionError, match=message):
        CraterDatabase.merge(a, b)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), counts=st.tuples(st.integers(0, 40), st.integers(0, 40)))
def test_pairs_among_duplicates_are_those_of_brute_force(seed, counts):
    """Few places and sizes, so that most features have others with the same numbers."""
    random = np.random.default_rng(seed)
    a, b = (
        Features(
            random.choice([0.0, 0.001], count),
            random.choice([0.0, 0.0005], count),
            random.choice([1e3, 1.1e3], count),
        )
        for count in counts
    )
    pairs = match_features(Body("Moon", MOON.a, MOON.b), a, b)
    assert list(zip(pairs.a, pairs.b, strict=True)) == brute_force(MOON, a, b, 0.5, 0.25)


@pytest.mark.parametrize("shift", [0.0, 0.001])
def test_many_features_of_one_place_take_no_time(shift):
    """Each to its like; in rounds of best choices this would take minutes."""
    count = 1500
    a, b = (
        Features(np.full(count, lon), np.zeros(count), np.full(count, 1e3)) for lon in (0.0, shift)
    )
    started = time.perf_counter()
    pairs = match_features(Body("Moon", MOON.a, MOON.b), a, b)
    assert time.perf_counter() - started < 8.0
    assert pairs.a.tolist() == pairs.b.tolist() == list(range(count))
