"""What right means: statistics and arrays against closed forms, through the public face alone."""

import itertools
import warnings

import numpy as np
import pandas as pd
import pytest

from craterkit import Body, CraterDatabase
from craterkit.errors import OutsideRasterWarning
from fields import (
    CERES,
    MARS,
    MOON,
    OCENTRIC,
    cap_area,
    global_raster,
    lonlat_transform,
    pixel_centres,
    write_raster,
)

PLACES = [
    pytest.param(lon, lat, id=f"{lon:g}E {lat:g}N")
    for lat in (0.0, 60.0, 85.0, 90.0, -60.0, -85.0, -90.0)
    for lon in (0.0, 180.0)
]
CONVENTIONS = [pytest.param(-180.0, id="±180"), pytest.param(0.0, id="0-360")]
COVERAGES = ["all_touched", "center", "fraction"]
WEIGHTS = [None, "area"]
BODIES = {figure.name: figure for figure in (MOON, MARS, CERES)}

#: A raster's CRS, the body, and whether its latitude is planetographic.
SYSTEMS = [
    pytest.param("moon", OCENTRIC["moon"], False, id="moon"),
    pytest.param("mars", OCENTRIC["mars"], False, id="mars-sphere"),
    pytest.param("mars", "IAU_2015:49902", False, id="mars-ocentric"),
    pytest.param("mars", "IAU_2015:49901", True, id="mars-ographic"),
    pytest.param("ceres", OCENTRIC["ceres"], False, id="ceres-sphere"),
    pytest.param("ceres", "IAU_2015:200000101", True, id="ceres-ographic"),
]


def database(lon, lat, radius, figure=MOON):
    lon, lat, radius = np.broadcast_arrays(lon, lat, radius)
    table = pd.DataFrame({"lon": np.ravel(lon), "lat": np.ravel(lat), "radius_m": np.ravel(radius)})
    return CraterDatabase(table, figure.name)


def stats_of(raster, lon, lat, inner, outer, stats, figure=MOON, **options):
    """Statistics of one annulus with edges in metres, as plain numbers."""
    cdb = database(lon, lat, outer, figure)
    cdb.add_annuli("roi", inner / outer, 1.0)
    out = cdb.get_stats(raster, "roi", stats, **options)
    return [out[f"{name}_roi"].iloc[0] for name in stats]


def radii(figure, *degrees):
    return [np.radians(value) * figure.b for value in degrees]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("fields")


@pytest.fixture(scope="module")
def constant(folder):
    """Rasters of the number 7 in both conventions, by their western edge."""
    return {
        west: global_raster(folder / f"constant{west:g}.tif", lambda *_: 7.0, west=west)
        for west in (-180.0, 0.0)
    }


@pytest.fixture(scope="module")
def noise(folder):
    """The same random field in both conventions, and the field (from -180 eastward)."""
    field = np.random.default_rng(1).normal(100.0, 15.0, (180, 360))
    east = write_raster(folder / "east.tif", field, lonlat_transform(-180.0, 90.0, 1.0))
    positive = write_raster(
        folder / "positive.tif", np.roll(field, 180, axis=1), lonlat_transform(0.0, 90.0, 1.0)
    )
    return {-180.0: east, 0.0: positive, "field": field}


class TestArea:
    """Oracle 1: weights add up to the true area."""

    @pytest.mark.parametrize("west", CONVENTIONS)
    @pytest.mark.parametrize(("lon", "lat"), PLACES)
    @pytest.mark.parametrize("degrees", [(0.0, 3.0), (4.0, 10.0), (30.0, 65.0), (0.0, 120.0)])
    def test_on_the_sphere(self, constant, west, lon, lat, degrees):
        inner, outer = radii(MOON, *degrees)
        (found,) = stats_of(
            constant[west],
            *(lon, lat, inner, outer, ["weight_sum"]),
            coverage="fraction",
            weights="area",
        )
        # 2 π R² (cos a − cos b)
        expected = cap_area(outer, MOON.a) - cap_area(inner, MOON.a)
        assert found == pytest.approx(expected, rel=1e-4)

    @pytest.mark.parametrize(("lon", "lat"), PLACES)
    @pytest.mark.parametrize("coverage", ["all_touched", "center"])
    def test_whole_pixels_straddle_the_edge(self, constant, lon, lat, coverage):
        # Around a pole whole rows belong, and end at whole degrees.
        degrees = (10.0, 25.0) if coverage == "center" else (10.4, 25.4)
        inner, outer = radii(MOON, *degrees)
        (found,) = stats_of(
            constant[-180.0],
            *(lon, lat, inner, outer, ["weight_sum"]),
            coverage=coverage,
            weights="area",
        )
        exact = cap_area(outer, MOON.a) - cap_area(inner, MOON.a)
        if coverage == "center":
            assert found == pytest.approx(exact, rel=0.02)
        else:
            # About a pixel more on both sides, but no more than its diagonal.
            more, less = np.radians(1.5) * MOON.a, np.radians(0.1) * MOON.a
            assert found > cap_area(outer + less, MOON.a) - cap_area(inner - less, MOON.a)
            assert found < cap_area(outer + more, MOON.a) - cap_area(inner - more, MOON.a)

    @pytest.mark.parametrize(("name", "crs", "ographic"), SYSTEMS)
    @pytest.mark.parametrize(("lon", "lat"), PLACES[::2])
    def test_on_an_ellipsoid(self, folder, name, crs, ographic, lon, lat):
        figure = BODIES[name]
        path = folder / f"{crs.replace(':', '_')}.tif"
        if not path.exists():
            global_raster(path, lambda *_: 1.0, crs=crs)
        for degrees in (5.0, 30.0):
            (radius,) = radii(figure, degrees)
            x, y = figure.ring(lon, lat, radius, np.arange(0.0, 360.0, 0.05))
            expected, _ = figure.geod.polygon_area_perimeter(x, figure.ographic(y))
            (found,) = stats_of(
                str(path),
                *(lon, lat, 0.0, radius, ["weight_sum"], figure),
                coverage="fraction",
                weights="area",
            )
            assert found == pytest.approx(abs(expected), rel=1e-4)


class TestFields:
    """Oracle 2: means of fields whose integrals over a cap are known."""

    @pytest.mark.parametrize("west", CONVENTIONS)
    @pytest.mark.parametrize(("lon", "lat"), PLACES)
    @pytest.mark.parametrize(("degrees", "bound"), [((0.0, 10.0), 3e-3), ((8.0, 30.0), 3e-4)])
    def test_mean_distance(self, tmp_path, west, lon, lat, degrees, bound):
        # The field is known at pixel centres only, which errs most around a pole: by h²/6b².
        path = global_raster(
            tmp_path / "distance.tif",
            lambda x, y: MOON.distance(lon, lat, x, y) / MOON.a,
            west=west,
        )
        (mean,) = stats_of(
            path,
            *(lon, lat, *radii(MOON, *degrees), ["mean"]),
            coverage="fraction",
            weights="area",
        )
        a, b = np.radians(degrees)
        antiderivative = [np.sin(t) - t * np.cos(t) for t in (a, b)]
        expected = (antiderivative[1] - antiderivative[0]) / (np.cos(a) - np.cos(b))
        assert mean == pytest.approx(expected, rel=bound)

    @pytest.mark.parametrize("west", CONVENTIONS)
    @pytest.mark.parametrize(("lon", "lat"), PLACES)
    @pytest.mark.parametrize("degrees", [(0.0, 10.0), (8.0, 30.0), (60.0, 110.0)])
    def test_mean_sine_of_latitude(self, folder, west, lon, lat, degrees):
        path = folder / f"sine{west:g}.tif"
        if not path.exists():
            global_raster(path, lambda _, y: np.sin(np.radians(y)), west=west)
        (mean,) = stats_of(
            str(path),
            *(lon, lat, *radii(MOON, *degrees), ["mean"]),
            coverage="fraction",
            weights="area",
        )
        a, b = np.radians(degrees)
        expected = np.sin(np.radians(lat)) * (np.cos(a) + np.cos(b)) / 2
        assert mean == pytest.approx(expected, abs=2e-4)

    @pytest.mark.parametrize(("name", "crs", "ographic"), SYSTEMS)
    @pytest.mark.parametrize(("lon", "lat"), PLACES[:8:2])
    def test_distances_on_an_ellipsoid(self, tmp_path, name, crs, ographic, lon, lat):
        figure = BODIES[name]
        (radius,) = radii(figure, 20.0)

        def distance(x, y):
            return figure.distance(lon, lat, x, figure.ocentric(y) if ographic else y)

        path = global_raster(tmp_path / "distance.tif", distance, crs=crs)
        for inner in (0.9 * radius, 0.5 * radius):
            low, high = stats_of(
                path, *(lon, lat, inner, radius, ["min", "max"], figure), coverage="center"
            )
            # Pixel centres within a pixel of both edges, and none beyond.
            pixel = np.radians(1.0) * figure.a
            assert inner - 0.06 * pixel < low < inner + pixel
            assert radius - pixel < high < radius + 0.06 * pixel

    def test_ographic_and_ocentric_rasters_differ_where_they_should(self, tmp_path):
        # At 45° N on Mars the same number of latitude is 20 km of ground.
        paths = {
            crs: global_raster(tmp_path / f"{crs[-5:]}.tif", lambda _, y: y, crs=crs)
            for crs in ("IAU_2015:49902", "IAU_2015:49901")
        }
        found = {
            crs: stats_of(
                path,
                *(10.0, 45.0, 0.0, 300e3, ["mean"], MARS),
                coverage="fraction",
                weights="area",
            )[0]
            for crs, path in paths.items()
        }
        difference = found["IAU_2015:49901"] - found["IAU_2015:49902"]
        assert difference == pytest.approx(float(MARS.ographic(45.0)) - 45.0, rel=0.02)

    def test_raster_crs_overrides_the_file(self, tmp_path):
        path = global_raster(tmp_path / "sphere.tif", lambda _, y: y, crs=OCENTRIC["mars"])
        arguments = (10.0, 45.0, 0.0, 300e3, ["mean"], MARS)
        options = {"coverage": "fraction", "weights": "area"}
        (centric,) = stats_of(path, *arguments, **options)
        (graphic,) = stats_of(path, *arguments, raster_crs="planetographic_east", **options)
        assert graphic - centric == pytest.approx(float(MARS.ographic(45.0)) - 45.0, rel=0.02)


def many(count=25):
    rng = np.random.default_rng(4)
    lon = rng.uniform(-180.0, 180.0, count)
    lat = np.degrees(np.arcsin(rng.uniform(-1.0, 1.0, count)))
    lat[:4] = [90.0, -90.0, 0.0, 85.0]
    lon[:4] = [0.0, 33.3, -180.0, 179.9]
    return lon, lat, 10 ** rng.uniform(3.5, 6.3, count)


def table_of(raster, lon, lat, radius, coverage, weights):
    cdb = database(lon, lat, radius)
    cdb.add_circles("disc", 1.0)
    cdb.add_annuli("rim", 0.5, 1.2)
    stats = ["count", "weight_sum", "mean", "std", "min", "median"]
    out = cdb.get_stats(raster, ["disc", "rim"], stats, coverage=coverage, weights=weights)
    return out.drop(columns=["lon", "lat", "radius_m"])


def assert_same(one, other):
    counts = [name for name in one if name.startswith("count")]
    assert one[counts].equals(other[counts])
    pd.testing.assert_frame_equal(one, other, rtol=1e-9, check_exact=False)


@pytest.mark.parametrize("weights", WEIGHTS)
@pytest.mark.parametrize("coverage", COVERAGES)
class TestSymmetry:
    """Oracle 3: what is the same ground gives the same numbers."""

    def test_longitude_conventions(self, noise, coverage, weights):
        features = many()
        assert_same(
            table_of(noise[-180.0], *features, coverage, weights),
            table_of(noise[0.0], *features, coverage, weights),
        )

    @pytest.mark.parametrize("turn", [1, 37, 180, -90])
    def test_rotation_by_whole_pixels(self, noise, tmp_path, coverage, weights, turn):
        lon, lat, radius = many()
        path = write_raster(
            tmp_path / "turned.tif",
            np.roll(noise["field"], turn, axis=1),
            lonlat_transform(-180.0, 90.0, 1.0),
        )
        turned = np.mod(lon + turn + 180.0, 360.0) - 180.0
        assert_same(
            table_of(noise[-180.0], lon, lat, radius, coverage, weights),
            table_of(path, turned, lat, radius, coverage, weights),
        )

    def test_mirror_images(self, noise, tmp_path, coverage, weights):
        lon, lat, radius = many()
        transform = lonlat_transform(-180.0, 90.0, 1.0)
        original = table_of(noise[-180.0], lon, lat, radius, coverage, weights)
        path = write_raster(tmp_path / "south.tif", noise["field"][::-1], transform)
        assert_same(original, table_of(path, lon, -lat, radius, coverage, weights))
        path = write_raster(tmp_path / "west.tif", noise["field"][:, ::-1], transform)
        west = np.where(lon == -180.0, lon, -lon)
        assert_same(original, table_of(path, west, lat, radius, coverage, weights))

    def test_row_order(self, noise, tmp_path, coverage, weights):
        features = many()
        path = write_raster(
            tmp_path / "upside.tif",
            noise["field"][::-1],
            lonlat_transform(-180.0, 90.0, 1.0, south_up=True, rows=180),
        )
        assert_same(
            table_of(noise[-180.0], *features, coverage, weights),
            table_of(path, *features, coverage, weights),
        )

    def test_repeated_columns_count_once(self, noise, tmp_path, coverage, weights):
        features = many()
        field = np.concatenate([noise["field"], noise["field"][:, :5]], axis=1)
        path = write_raster(tmp_path / "wide.tif", field, lonlat_transform(-180.0, 90.0, 1.0))
        assert_same(
            table_of(noise[-180.0], *features, coverage, weights),
            table_of(path, *features, coverage, weights),
        )


class TestMembers:
    """Pixel by pixel against brute force: which values the statistics are made of."""

    @pytest.mark.parametrize("west", CONVENTIONS)
    @pytest.mark.parametrize(("lon", "lat"), PLACES)
    def test_center(self, noise, west, lon, lat):
        transform = lonlat_transform(-180.0, 90.0, 1.0)
        distance = MOON.distance(lon, lat, *pixel_centres((180, 360), transform))
        inner, outer = radii(MOON, 7.03, 14.37)
        values = noise["field"][(distance > inner) & (distance <= outer)]
        assert values.size
        found = stats_of(
            noise[west],
            *(lon, lat, inner, outer, ["count", "mean", "std", "min", "max", "median", "sum"]),
            coverage="center",
        )
        expected = [
            *(values.size, values.mean(), values.std(), values.min(), values.max()),
            *(np.median(values), values.sum()),
        ]
        np.testing.assert_allclose(found, expected, rtol=1e-12)

    @pytest.mark.parametrize(("lon", "lat"), PLACES)
    def test_center_weighted_by_area(self, noise, lon, lat):
        transform = lonlat_transform(-180.0, 90.0, 1.0)
        x, y = pixel_centres((180, 360), transform)
        distance = MOON.distance(lon, lat, x, y)
        inner, outer = radii(MOON, 7.03, 14.37)
        inside = (distance > inner) & (distance <= outer)
        values = noise["field"][inside]
        # A pixel's area is proportional to the cosine of its middle latitude.
        weights = np.cos(np.radians(y[inside]))
        found = stats_of(
            noise[-180.0],
            *(lon, lat, inner, outer, ["mean", "std", "sum"]),
            coverage="center",
            weights="area",
        )
        mean = np.average(values, weights=weights)
        area = 2 * MOON.a**2 * np.radians(1.0) * np.sin(np.radians(0.5)) * weights
        expected = [
            *(mean, np.sqrt(np.average((values - mean) ** 2, weights=weights))),
            (area * values).sum(),
        ]
        np.testing.assert_allclose(found, expected, rtol=1e-9)

    @pytest.mark.parametrize(("lon", "lat"), PLACES)
    @pytest.mark.parametrize("coverage", COVERAGES)
    def test_arrays_hold_the_values_of_the_statistics(self, noise, lon, lat, coverage):
        cdb = database(lon, lat, radii(MOON, 12.2)[0])
        cdb.add_annuli("rim", 0.5, 1.0)
        array = cdb.get_arrays(noise[-180.0], "rim", coverage=coverage)["rim"].iloc[0]
        stats = cdb.get_stats(noise[-180.0], "rim", ["count", "sum", "min"], coverage=coverage)
        assert array.count() == stats["count_rim"].iloc[0]
        assert array.min() == stats["min_rim"].iloc[0]
        if coverage != "fraction":
            assert array.sum() == pytest.approx(stats["sum_rim"].iloc[0], rel=1e-12)
        kept = ~np.ma.getmaskarray(array)
        # The window is the bounding box of the pixels.
        for axis in (0, 1):
            edges = kept.any(axis=axis)
            assert edges[0]
            assert edges[-1]


class TestConstant:
    """Oracle 4: a constant stays what it is, however the ROI lies."""

    @pytest.mark.parametrize("weights", WEIGHTS)
    @pytest.mark.parametrize("coverage", COVERAGES)
    @pytest.mark.parametrize("west", CONVENTIONS)
    def test_anywhere(self, constant, coverage, weights, west):
        cdb = database(*many())
        cdb.add_annuli("rim", 0.5, 1.5)
        out = cdb.get_stats(
            constant[west],
            "rim",
            ["mean", "std", "median", "count", "min", "max"],
            coverage=coverage,
            weights=weights,
        )
        hit = out["count_rim"] > 0
        assert hit.sum() >= 15
        for name in ("mean", "median", "min", "max"):
            np.testing.assert_allclose(out[f"{name}_rim"][hit], 7.0, rtol=1e-12)
        np.testing.assert_allclose(out["std_rim"][hit], 0.0, atol=1e-9)

    @pytest.mark.parametrize("coverage", COVERAGES)
    @pytest.mark.parametrize("weights", WEIGHTS)
    def test_on_nodata(self, tmp_path, coverage, weights):
        field = np.full((180, 360), 7.0)
        field[np.random.default_rng(0).uniform(size=field.shape) < 0.4] = -999.0
        field[:3] = -999.0
        path = write_raster(
            tmp_path / "holes.tif", field, lonlat_transform(-180.0, 90.0, 1.0), nodata=-999.0
        )
        cdb = database([0.0, 180.0, 20.0, 0.0], [0.0, 60.0, -85.0, 90.0], 2e5)
        cdb.add_circles("disc", 1.0)
        stats = ["mean", "std", "count", "nodata", "valid_fraction"]
        out = cdb.get_stats(path, "disc", stats, coverage=coverage, weights=weights)
        np.testing.assert_allclose(out["mean_disc"], 7.0)
        np.testing.assert_allclose(out["std_disc"], 0.0, atol=1e-12)
        assert ((out["valid_fraction_disc"] > 0.2) & (out["valid_fraction_disc"] < 0.9)).all()
        full = cdb.get_stats(path, "disc", "count", nodata=12345, coverage=coverage)
        assert full["count_disc"].equals(out["count_disc"] + out["nodata_disc"])

    @pytest.mark.parametrize("coverage", COVERAGES)
    @pytest.mark.parametrize("weights", WEIGHTS)
    @pytest.mark.parametrize(("lon", "lat"), [(10.0, 20.0), (-20.0, -10.0), (30.0, 20.0)])
    def test_partly_outside(self, tmp_path, coverage, weights, lon, lat):
        # A raster from 20° W to 30° E, 10° S to 20° N: an edge or a corner through the middle.
        path = write_raster(
            tmp_path / "part.tif", np.full((60, 100), 7.0), lonlat_transform(-20.0, 20.0, 0.5)
        )
        (radius,) = radii(MOON, 5.0)
        mean, std, share = stats_of(
            path,
            *(lon, lat, 0.0, radius, ["mean", "std", "valid_fraction"]),
            coverage=coverage,
            weights=weights,
        )
        assert mean == pytest.approx(7.0)
        assert std == pytest.approx(0.0, abs=1e-12)
        corner = lon != 10.0
        assert share == pytest.approx(0.25 if corner else 0.5, abs=0.06)

    @pytest.mark.parametrize("coverage", COVERAGES)
    @pytest.mark.parametrize("weights", WEIGHTS)
    @pytest.mark.parametrize(("lon", "lat"), PLACES)
    def test_all_of_a_global_raster_is_valid(self, constant, coverage, weights, lon, lat):
        (share,) = stats_of(
            constant[0.0],
            *(lon, lat, *radii(MOON, 6.1, 12.3), ["valid_fraction"]),
            coverage=coverage,
            weights=weights,
        )
        assert share == pytest.approx(1.0, abs=1e-9)


class TestOutside:
    """Oracle 5: no pixels is no numbers, and one warning says so."""

    @pytest.fixture
    def part(self, tmp_path):
        field = np.ones((40, 60), dtype="int16")
        return write_raster(tmp_path / "part.tif", field, lonlat_transform(-20.0, 20.0, 0.5))

    @pytest.mark.parametrize("coverage", COVERAGES)
    @pytest.mark.parametrize("weights", WEIGHTS)
    def test_statistics(self, part, coverage, weights):
        lon, lat = [0.0, 100.0, 180.0, 0.0, 0.0], [10.0, 10.0, 10.0, -40.0, 90.0]
        cdb = database(lon, lat, 1e5)
        cdb.add_annuli("rim", 0.5, 1.5)
        names = ["count", "mean", "std", "sum", "min", "max", "median", "weight_sum"]
        with pytest.warns(OutsideRasterWarning, match="4 ROIs lie outside") as caught:
            out = cdb.get_stats(part, "rim", names, coverage=coverage, weights=weights)
        assert len(caught) == 1
        assert out["count_rim"].iloc[0] > 0
        assert (out["count_rim"].iloc[1:] == 0).all()
        assert (out["weight_sum_rim"].iloc[1:] == 0).all()
        for name in ("mean", "std", "sum", "min", "max", "median"):
            assert out[f"{name}_rim"].iloc[1:].isna().all()
            assert out[f"{name}_rim"].iloc[:1].notna().all()

    @pytest.mark.parametrize("coverage", COVERAGES)
    def test_arrays(self, part, coverage):
        cdb = database([0.0, 100.0], [10.0, 10.0], 1e5)
        cdb.add_circles("disc", 1.0)
        with pytest.warns(OutsideRasterWarning, match="1 ROI lies outside") as caught:
            out = cdb.get_arrays(part, "disc", coverage=coverage)
        assert len(caught) == 1
        inside, outside = out["disc"]
        assert inside.count() > 0
        assert isinstance(outside, np.ma.MaskedArray)
        assert outside.shape == (0, 0)
        assert outside.dtype == np.int16

    def test_several_regions_warn_once(self, part):
        cdb = database([0.0, 100.0], [10.0, 10.0], 1e5)
        cdb.add_circles("disc", 1.0)
        cdb.add_annuli("rim", 1.0, 2.0)
        with pytest.warns(OutsideRasterWarning) as caught:
            cdb.get_stats(part, ["disc", "rim"])
        assert len(caught) == 1
        assert "1 of 2 for 'disc'" in str(caught[0].message)
        assert "1 of 2 for 'rim'" in str(caught[0].message)

    def test_everything_inside_is_silent(self, part):
        cdb = database([0.0, 5.0], [10.0, 12.0], 1e5)
        cdb.add_circles("disc", 1.0)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert (cdb.get_stats(part, "disc")["count_disc"] > 0).all()


class TestAdditivity:
    """Oracle 6: neighbours neither lose nor share ground."""

    @pytest.mark.parametrize("weights", WEIGHTS)
    @pytest.mark.parametrize("coverage", ["center", "fraction"])
    @pytest.mark.parametrize(("lon", "lat"), PLACES)
    def test_annuli_make_the_circle(self, noise, coverage, weights, lon, lat):
        cdb = database(lon, lat, radii(MOON, 10.0)[0])
        edges = [0.0, 0.35, 0.5, 1.0, 2.5, 4.0]
        cdb.add_circles("whole", edges[-1])
        parts = []
        for inner, outer in itertools.pairwise(edges):
            parts.append(f"from {inner}")
            cdb.add_annuli(parts[-1], inner, outer)
        out = cdb.get_stats(
            noise[-180.0],
            [*parts, "whole"],
            ["count", "weight_sum", "sum"],
            coverage=coverage,
            weights=weights,
        ).iloc[0]
        for name in ("weight_sum", "sum"):
            total = sum(out[f"{name}_{part}"] for part in parts)
            assert total == pytest.approx(out[f"{name}_whole"], rel=1e-6)
        if coverage == "center":
            assert sum(out[f"count_{part}"] for part in parts) == out["count_whole"]

    @pytest.mark.parametrize("coverage", ["center", "fraction"])
    @pytest.mark.parametrize(("lon", "lat"), PLACES)
    @pytest.mark.parametrize("degrees", [12.3456, 77.789, 90.0])
    def test_cap_and_complement(self, constant, coverage, lon, lat, degrees):
        sphere = 4.0 * np.pi * MOON.a**2
        options = {"coverage": coverage, "weights": "area"}
        names = ["weight_sum", "count"]
        one = stats_of(
            constant[-180.0], *(lon, lat, 0.0, radii(MOON, degrees)[0], names), **options
        )
        rest = radii(MOON, 180.0 - degrees)[0]
        other = stats_of(constant[-180.0], *(lon - 180.0, -lat, 0.0, rest, names), **options)
        # At 90 degrees centres lie on both edges, and belong to both.
        bound = 0.02 if degrees == 90.0 and coverage == "center" else 1e-4
        assert one[0] + other[0] == pytest.approx(sphere, rel=bound)
        if coverage == "center" and degrees != 90.0:
            assert one[1] + other[1] == 180 * 360


class TestPrecision:
    """Oracle 9: single precision near a body's radius."""

    @pytest.mark.parametrize("weights", WEIGHTS)
    @pytest.mark.parametrize("coverage", COVERAGES)
    def test_radii_in_float32(self, tmp_path, coverage, weights):
        field = np.random.default_rng(2).normal(1737400.0, 3.0, (180, 360)).astype("float32")
        transform = lonlat_transform(-180.0, 90.0, 1.0)
        single = write_raster(tmp_path / "single.tif", field, transform)
        double = write_raster(tmp_path / "double.tif", field.astype("float64"), transform)
        cdb = database([0.0, 180.0, 10.0], [0.0, 60.0, 90.0], 1.5e6)
        cdb.add_circles("disc", 1.0)
        names = ["mean", "std", "median", "sum", "count"]
        options = {"coverage": coverage, "weights": weights}
        one = cdb.get_stats(single, "disc", names, **options)
        other = cdb.get_stats(double, "disc", names, **options)
        pd.testing.assert_frame_equal(one, other, rtol=1e-13)
        assert (np.abs(one["std_disc"] - 3.0) < 0.15).all()

    def test_against_longer_sums(self, tmp_path):
        field = np.random.default_rng(2).normal(1737400.0, 3.0, (180, 360)).astype("float32")
        transform = lonlat_transform(-180.0, 90.0, 1.0)
        path = write_raster(tmp_path / "single.tif", field, transform)
        distance = MOON.distance(180.0, 60.0, *pixel_centres((180, 360), transform))
        (radius,) = radii(MOON, 40.003)
        values = field[distance <= radius].astype("longdouble")
        found = stats_of(
            path, *(180.0, 60.0, 0.0, radius, ["mean", "std", "count"]), coverage="center"
        )
        assert found[2] == values.size
        assert found[0] == pytest.approx(float(values.mean()), rel=1e-15)
        assert found[1] == pytest.approx(float(values.std()), rel=1e-9)


def test_bodies_of_ones_own(tmp_path):
    """Ground is measured on the body's figure, whatever sphere the raster is written on."""
    body = Body("Moon", MOON.a)
    path = global_raster(tmp_path / "constant.tif", lambda *_: 1.0)
    cdb = CraterDatabase(pd.DataFrame({"lon": [3.0], "lat": [50.0], "radius_m": [4e5]}), body)
    cdb.add_circles("disc", 1.0)
    out = cdb.get_stats(path, "disc", "weight_sum", coverage="fraction", weights="area")
    assert out["weight_sum_disc"].iloc[0] == pytest.approx(cap_area(4e5, MOON.a), rel=1e-4)
