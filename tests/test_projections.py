"""Rasters of any projection through the public face: one field on many maps, arrays, given polygons."""

import warnings

import numpy as np
import pandas as pd
import pyproj
import pytest
import rasterio
import shapely
from affine import Affine

import worlds
from craterkit import CraterDatabase, PixelSelection
from craterkit.errors import CRSError, OutsideRasterWarning
from craterkit.extraction import plan
from fields import MARS, MOON, Map, map_of, square_map
from worlds import metres

TRUE_GROUND = {"coverage": "fraction", "weights": "area"}

#: Maps of the whole Moon or most of it, at about one degree a pixel.
CHARTS = {
    "polar stereographic": square_map(MOON, "stere +lat_0=90", 2.6, 320),
    "sinusoidal": square_map(MOON, "sinu", 3.15, 360),
    "Mollweide": square_map(MOON, "moll", 2.9, 360),
    "azimuthal equal-area": square_map(MOON, "laea +lat_0=-30 +lon_0=60", 2.05, 320),
    "rotated lon/lat": square_map(MOON, "lonlat", 130.0, 300, turn=25.0),
}


def write(path, chart, field, **options):
    """A raster of a field of longitude and latitude; no data where the map shows no ground."""
    lon, lat = chart.centres
    values = np.where(np.isfinite(lon), field(lon, lat), np.nan)
    crs = pyproj.CRS.from_user_input("IAU_2015:30100") if chart.crs.is_geographic else chart.crs
    grid = worlds.Grid(chart.shape, chart.transform, crs, lon, lat)
    return worlds.write(path, grid, values, **options)


def smooth(lon, lat):
    """A field that goes around the body, different at every place."""
    x, y = np.radians(lon), np.radians(lat)
    return np.sin(y) + 0.5 * np.cos(y) * np.cos(x - 1.0) + 0.3 * np.cos(y) ** 2 * np.sin(2 * x)


def features(lon, lat, radius, body="moon", **regions):
    cdb = CraterDatabase(worlds.table(lon, lat, radius), body)
    for name, (inner, outer) in regions.items():
        cdb.add_annuli(name, inner, outer)
    return cdb


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("maps")


@pytest.fixture(scope="module")
def rasters(folder):
    """Copies of one field by the names of their maps."""
    found = {name: write(folder / f"{name[:5]}.tif", c, smooth) for name, c in CHARTS.items()}
    found["lon/lat"] = worlds.write(folder / "lonlat.tif", worlds.lonlat(1.0), smooth)
    metric = worlds.equirectangular(1.0, middle=180.0, true_scale=30.0)
    found["equirectangular"] = worlds.write(folder / "eqc.tif", metric, smooth)
    return found


#: Where ROIs of 12° lie on all of the maps.
PLACES = [(20.0, 10.0), (-30.0, 35.0), (60.0, 60.0), (70.0, 70.0), (30.0, 20.0), (85.0, 5.0)]


class TestOneFieldOnManyMaps:
    def test_statistics_agree(self, rasters):
        lon, lat = np.array(PLACES).T
        cdb = features(lon, lat, metres(6), rim=(1, 2), floor=(0, 1))
        stats = ["mean", "std", "min", "max", "median", "area"]
        found = {
            name: cdb.get_stats(raster, ["rim", "floor"], stats, **TRUE_GROUND)
            for name, raster in rasters.items()
        }
        expected = found.pop("lon/lat")
        for name, own in found.items():
            for region in ("rim", "floor"):
                apart = (own - expected).filter(like=f"_{region}").abs()
                assert apart[f"mean_{region}"].max() < 1.5e-3, name
                assert apart[f"std_{region}"].max() < 3e-3, name
                assert apart[f"median_{region}"].max() < 1e-2, name
                assert apart[[f"min_{region}", f"max_{region}"]].max().max() < 0.03, name
                ratio = own[f"area_{region}"] / expected[f"area_{region}"]
                np.testing.assert_allclose(ratio, 1.0, rtol=3e-3, err_msg=name)

    @pytest.mark.parametrize("name", CHARTS)
    def test_means_over_annuli_are_those_of_closed_forms(self, folder, name):
        sine = write(
            folder / f"sine {name[:5]}.tif", CHARTS[name], lambda _, y: np.sin(y / 57.29578)
        )
        cdb = features(*np.array(PLACES).T, metres(6), rim=(1, 2))
        means = cdb.get_stats(sine, "rim", "mean", **TRUE_GROUND)["mean_rim"]
        expected = [worlds.mean_sine_of_latitude(lat, 6, 12) for _, lat in PLACES]
        np.testing.assert_allclose(means, expected, atol=1e-3)

    @pytest.mark.parametrize("name", CHARTS)
    @pytest.mark.parametrize("place", [(20.0, 10.0), (60.0, 60.0)])
    def test_mean_distance(self, folder, name, place):
        def distance(lon, lat):
            return worlds.distance(*place, lon, lat)

        raster = write(folder / f"away {name[:5]} {place[0]}.tif", CHARTS[name], distance)
        cdb = features(*place, metres(6), rim=(1, 2))
        mean = cdb.get_stats(raster, "rim", "mean", **TRUE_GROUND)["mean_rim"].iloc[0]
        assert mean == pytest.approx(worlds.mean_distance(6, 12), abs=0.015)

    @pytest.mark.parametrize("half", [0.8, 1.3])
    def test_a_view_from_a_height(self, folder, half):
        """The smaller map is full of ground, the larger one shows space around the disc."""
        chart = square_map(MOON, "nsper +h=3e6 +lat_0=10 +lon_0=20", half, 400)
        raster = write(folder / f"view {half}.tif", chart, lambda _, y: np.sin(y / 57.29578))
        cdb = features([20.0, 0.0], [10.0, 25.0], metres(6), rim=(1, 2))
        means = cdb.get_stats(raster, "rim", "mean", **TRUE_GROUND)["mean_rim"]
        expected = [worlds.mean_sine_of_latitude(lat, 6, 12) for lat in (10.0, 25.0)]
        np.testing.assert_allclose(means, expected, atol=1e-3)

    @pytest.mark.parametrize("align", ["nearest", "bilinear"])
    def test_the_far_side_has_no_pixels_in_a_view_from_a_height(self, folder, align):
        """PROJ's formulae of this projection put it onto the near side."""
        chart = square_map(MOON, "geos +h=3e6 +lon_0=20", 1.0, 100)
        raster = write(folder / "geos.tif", chart, lambda lon, _: 1.0 + 0.0 * lon)
        grid = worlds.lonlat(10.0)
        pixels = PixelSelection.from_array(
            np.ones(grid.shape, dtype=bool), transform=grid.transform, raster_crs=grid.crs
        )
        values = pixels.get_series([raster], times=[1], align=align).to_numpy()[0]
        away = worlds.distance(20.0, 0.0, pixels.lon, pixels.lat)
        horizon = np.degrees(np.arccos(MOON.a / (MOON.a + 3e6)))
        np.testing.assert_allclose(values[away < horizon - 12], 1.0)
        assert np.isnan(values[away > horizon]).all()

    def test_distances_around_the_pole_of_a_polar_map(self, folder):
        chart = square_map(MOON, "stere +lat_0=90", 0.5, 200)
        raster = write(folder / "colatitude.tif", chart, lambda _, lat: 90.0 - lat)
        cdb = features(77.0, 90.0, metres(5), rim=(1, 2))
        mean = cdb.get_stats(raster, "rim", "mean", **TRUE_GROUND)["mean_rim"].iloc[0]
        assert mean == pytest.approx(worlds.mean_distance(5, 10), abs=2e-3)

    @pytest.mark.parametrize("name", CHARTS)
    def test_a_constant_stays_constant(self, folder, name):
        raster = write(folder / f"flat {name[:5]}.tif", CHARTS[name], lambda lon, _: 7.0 + 0 * lon)
        lon, lat = [20.0, 179.0, -179.5, 60.0, 0.0], [10.0, 50.0, -20.0, 85.0, -60.0]
        cdb = features(lon, lat, metres(9), c=(0, 1))
        if name == "polar stereographic":
            cdb = features(lon[:4], lat[:4], metres(9), c=(0, 1))
        for rules in ({}, TRUE_GROUND):
            stats = cdb.get_stats(raster, "c", ["mean", "std", "count"], **rules)
            reached = stats["count_c"] > 0
            assert reached.sum() >= 3
            np.testing.assert_allclose(stats["mean_c"][reached], 7.0, rtol=1e-12)
            np.testing.assert_allclose(stats["std_c"][reached], 0.0, atol=1e-6)

    def test_mars_maps_agree_with_lon_lat(self, folder):
        """On a flattened body, with planetocentric lon/lat on the sphere and maps of the ellipsoid."""
        lonlat = worlds.lonlat(0.5, crs=worlds.MARS_CRS)
        rasters = {"lonlat": worlds.write(folder / "mars.tif", lonlat, smooth)}
        for word, half in (("sinu", 3.15), ("stere +lat_0=90", 2.0)):
            chart = square_map(MARS, word, half, 500)
            rasters[word[:4]] = write(folder / f"mars {word[:4]}.tif", chart, smooth)
        cdb = features([20.0, -60.0], [30.0, 65.0], metres(4, worlds.MARS_A), "mars", rim=(1, 2))
        stats = cdb.get_stats(rasters, "rim", "mean", **TRUE_GROUND)
        for own in ("sinu", "ster"):
            np.testing.assert_allclose(
                stats[f"mean_{own}_rim"], stats["mean_lonlat_rim"], atol=1e-3
            )


def inside(chart, lon, lat, inner, outer):
    """Pixels whose centres lie in an annulus (degrees) about a place on the Moon."""
    away = worlds.distance(lon, lat, *chart.centres)
    return (away > inner) & (away <= outer)


class TestArrays:
    @pytest.mark.parametrize("name", CHARTS)
    def test_arrays_are_windows_of_the_raster(self, rasters, name):
        chart = CHARTS[name]
        lon, lat = np.array(PLACES).T
        cdb = features(lon, lat, metres(5.3), rim=(1, 2))
        arrays = cdb.get_arrays(rasters[name], "rim", coverage="center", georeferenced=True)
        with rasterio.open(rasters[name]) as file:
            band, transform = file.read(1), file.transform
        for (x, y), array, own in zip(PLACES, arrays["rim"], arrays["rim_transform"], strict=True):
            column, row = ~transform @ (own.c, own.f)
            column, row = round(column), round(row)
            assert np.allclose(own, transform @ Affine.translation(column, row), rtol=1e-12)
            window = np.s_[row : row + array.shape[0], column : column + array.shape[1]]
            taken = ~np.ma.getmaskarray(array)
            np.testing.assert_array_equal(array.data[taken], band[window][taken])
            expected = inside(chart, x, y, 5.3, 10.6)
            assert np.count_nonzero(taken != expected[window]) <= 4
            assert taken.sum() == pytest.approx(expected.sum(), abs=4)

    @pytest.mark.parametrize("coverage", ["all_touched", "center", "fraction"])
    def test_arrays_hold_the_pixels_that_statistics_count(self, rasters, coverage):
        lon, lat = np.array([*PLACES, (179.0, 40.0), (-80.0, 0.0)]).T
        cdb = features(lon, lat, metres(8), rim=(0.5, 1.5))
        for name in CHARTS:
            arrays = cdb.get_arrays(rasters[name], "rim", coverage=coverage)["rim"]
            stats = cdb.get_stats(rasters[name], "rim", ["count", "max"], coverage=coverage)
            counts = [array.count() for array in arrays]
            assert counts == stats["count_rim"].tolist()
            highest = [array.max() if array.count() else np.nan for array in arrays]
            np.testing.assert_array_equal(highest, stats["max_rim"])


class TestGivenPolygons:
    """Edges are straight in longitude and latitude, whatever the raster."""

    SQUARE = shapely.box(20, 10, 44, 31)
    HOLED = SQUARE - shapely.box(28, 15, 40, 26)
    BENT = shapely.Polygon([(-60, 10), (-20, 40), (5, 12), (-25, 22)])

    @pytest.mark.parametrize("name", ["polar stereographic", "sinusoidal", "azimuthal equal-area"])
    @pytest.mark.parametrize("shape", [SQUARE, HOLED, BENT], ids=["square", "holed", "bent"])
    def test_pixels_are_those_of_the_densified_polygon(self, rasters, name, shape):
        chart = CHARTS[name]
        dense = shapely.segmentize(shape, 0.05)
        plane = shapely.transform(dense, lambda p: np.stack(chart.pixels(*p.T), axis=1))
        rows, columns = np.indices(chart.shape)
        boxes = shapely.box(columns, rows, columns + 1, rows + 1)
        cover = np.zeros(chart.shape)
        near = shapely.intersects(plane, boxes)
        cover[near] = shapely.area(shapely.intersection(plane, boxes[near]))
        cdb = features(30.0, 20.0, metres(5))
        cdb.add_regions("own", [shape])
        stats = cdb.get_stats(
            rasters[name], "own", ["weight_sum", "mean", "count"], coverage="fraction"
        )
        values = np.nan_to_num(smooth(*chart.centres))
        assert stats["weight_sum_own"].iloc[0] == pytest.approx(cover.sum(), rel=1e-3)
        mean = (values * cover).sum() / cover.sum()
        assert stats["mean_own"].iloc[0] == pytest.approx(mean, abs=1e-4)
        assert stats["count_own"].iloc[0] == pytest.approx(np.count_nonzero(cover), abs=3)
        center = cdb.get_stats(rasters[name], "own", "count", coverage="center")["count_own"]
        held = shapely.contains_xy(shape, *chart.centres)
        assert center.iloc[0] == pytest.approx(held.sum(), abs=6)

    @pytest.mark.parametrize(
        "name", ["polar stereographic", "sinusoidal", "Mollweide", "azimuthal equal-area"]
    )
    @pytest.mark.parametrize(
        ("shape", "area"),
        [
            (shapely.box(165, 30, 195, 55), (30, 30, 55)),
            (shapely.box(-180, 65, 180, 90), (360, 65, 90)),
        ],
        ids=["seam", "pole"],
    )
    def test_polygons_at_seams_and_poles_have_their_area(self, folder, name, shape, area):
        chart = CHARTS[name]
        # Values beyond the map's edge, too: pixels that it cuts have their centre on either side.
        grid = worlds.Grid(chart.shape, chart.transform, chart.crs, *chart.centres)
        raster = worlds.write(folder / f"ones {name[:5]}.tif", grid, np.float64(1))
        cdb = features(30.0, 20.0, metres(5))
        cdb.add_regions("own", [shape])
        found = cdb.get_stats(raster, "own", "weight_sum", **TRUE_GROUND)
        width, south, north = np.radians(area)
        expected = worlds.MOON**2 * width * (np.sin(north) - np.sin(south))
        assert found["weight_sum_own"].iloc[0] == pytest.approx(expected, rel=1e-2)


class TestOffTheMap:
    def test_rois_beyond_the_horizon_are_counted_in_a_warning(self, folder):
        chart = square_map(MOON, "ortho +lat_0=10 +lon_0=20", 1.05, 120)
        raster = write(folder / "disc.tif", chart, smooth)
        cdb = features([20, -160, -150, 30], [10, -10, 0, 5], metres(4), c=(0, 1))
        with pytest.warns(OutsideRasterWarning, match=r"2 (of 4 )?ROIs|2 of") as caught:
            stats = cdb.get_stats(raster, "c", ["mean", "count"])
        assert len(caught) == 1
        assert (stats["count_c"] > 0).tolist() == [True, False, False, True]
        assert stats["mean_c"].isna().tolist() == [False, True, True, False]
        with pytest.warns(OutsideRasterWarning):
            arrays = cdb.get_arrays(raster, "c")["c"]
        assert [array.shape == (0, 0) for array in arrays] == [False, True, True, False]

    @pytest.mark.parametrize("lon", [100.0, 108.0, 112.0])
    def test_what_is_on_the_map_counts_of_an_roi_across_its_edge(self, folder, lon):
        chart = square_map(MOON, "ortho +lat_0=0 +lon_0=20", 1.05, 200)
        raster = write(folder / f"limb {lon}.tif", chart, smooth)
        cdb = features(lon, 5.0, metres(12), c=(0, 1))
        stats = cdb.get_stats(raster, "c", ["count", "mean"], coverage="center").iloc[0]
        held = inside(chart, lon, 5.0, -1.0, 12.0)
        assert stats["count_c"] == pytest.approx(held.sum(), abs=3)
        assert stats["mean_c"] == pytest.approx(smooth(*chart.centres)[held].mean(), abs=3e-3)

    def test_an_roi_beside_the_raster_has_no_pixels(self, folder):
        chart = map_of("north polar stereographic")
        raster = write(folder / "polar.tif", chart, smooth)
        cdb = features([0.0, 0.0], [0.0, 80.0], metres(2), c=(0, 1))
        with pytest.warns(OutsideRasterWarning):
            assert (cdb.get_stats(raster, "c", "count")["count_c"] > 0).tolist() == [False, True]


def scattered(count=20):
    rng = np.random.default_rng(8)
    lat = np.degrees(np.arcsin(rng.uniform(-1, 1, count)))
    cdb = features(rng.uniform(-180, 180, count), lat, metres(1) * rng.uniform(0.5, 12, count))
    cdb.add_annuli("rim", 0.5, 1.2)
    cdb.add_ellipses("oval", 1.2, 0.6, 40.0)
    cdb.add_circles("polygon", 1, nvert=12)
    return cdb


def stats_of(raster, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", OutsideRasterWarning)
        return scattered().get_stats(
            raster, ["rim", "oval", "polygon"], ["mean", "count", "std", "median"], **options
        )


@pytest.mark.parametrize("rules", [{}, TRUE_GROUND], ids=["touched", "fraction"])
@pytest.mark.parametrize("name", ["polar stereographic", "sinusoidal", "rotated lon/lat"])
class TestWork:
    def test_threads_do_not_change_the_numbers(self, rasters, name, rules):
        one, two = (stats_of(rasters[name], n_jobs=n, **rules) for n in (1, 2))
        pd.testing.assert_frame_equal(one, two, check_exact=True)

    def test_neither_do_small_chunks(self, rasters, name, rules, monkeypatch):
        whole = stats_of(rasters[name], **rules)
        monkeypatch.setattr(plan, "CHUNK_PIXELS", 4000)
        parts = stats_of(rasters[name], **rules)
        for column in whole.columns:
            if column.startswith("count"):
                pd.testing.assert_series_equal(whole[column], parts[column])
            else:
                np.testing.assert_allclose(parts[column], whole[column], rtol=1e-9, atol=1e-9)


def test_a_crs_that_a_file_cannot_hold_may_be_given(folder):
    """A GeoTIFF has no words for an interrupted map."""
    chart = map_of("interrupted Goode", size=300)
    lon, lat = chart.centres
    values = np.where(np.isfinite(lon), smooth(lon, lat), np.nan)
    raster = worlds.write(
        folder / "goode.tif", worlds.Grid(chart.shape, chart.transform, chart.crs, lon, lat), values,
        crs=False,
    )  # fmt: skip
    cdb = features([-100.0, 25.0], [25.0, -30.0], metres(8), c=(0, 1))
    with pytest.raises(CRSError, match=r"goode\.tif"):
        cdb.get_stats(raster, "c")
    stats = cdb.get_stats(raster, "c", "mean", raster_crs=chart.crs, **TRUE_GROUND)
    plain = worlds.write(folder / "plain.tif", worlds.lonlat(1.0), smooth)
    expected = cdb.get_stats(plain, "c", "mean", **TRUE_GROUND)
    np.testing.assert_allclose(stats["mean_c"], expected["mean_c"], atol=2e-3)


def test_every_turn_of_a_raster_is_the_same_ground(folder):
    """The same square of ground, its raster turned by right angles: the same pixels, turned."""
    upright = square_map(MOON, "stere +lat_0=90", 0.4, 90)
    cdb = features([40.0, -100.0, 0.0], [80.0, 75.0, 90.0], metres(3), rim=(0.5, 1.5))
    expected = None
    for quarter in range(4):
        turned = Affine.rotation(90.0 * quarter) @ upright.transform
        chart = Map(MOON, upright.projection, upright.shape, turned)
        raster = write(folder / f"quarter {quarter}.tif", chart, smooth)
        stats = cdb.get_stats(raster, "rim", ["mean", "count", "max"])
        if expected is None:
            expected = stats
        pd.testing.assert_frame_equal(stats, expected, rtol=1e-9)
