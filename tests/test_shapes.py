"""Ellipses, sectors and polygons as users give them: columns, arrays, coordinate systems, mistakes."""

from __future__ import annotations

import copy
import pickle

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import pytest
import shapely

import worlds
from areas import area_on, check_shape
from craterkit import CraterDatabase, sample_data
from craterkit.errors import ColumnError, CRSError, DroppedRowsWarning, RegionError
from craterkit.regions import Ellipse, Sector
from fields import MARS, MOON

NORTH = "+proj=stere +lat_0=90 +lon_0=0 +R=1737400"
SOUTH = "+proj=stere +lat_0=-90 +lon_0=30 +R=1737400"


@pytest.fixture
def robbins():
    """Rows as Robbins' lunar catalogue has them; kilometres and degrees."""
    return pd.DataFrame(
        {
            "CRATER_ID": ["00-1-000000", "00-1-000001", "00-1-000002"],
            "LAT_CIRC_IMG": [-19.8304, 44.7763, 57.0866],
            "LON_CIRC_IMG": [264.757, 328.602, 82.0995],
            "DIAM_CIRC_IMG": [940.96, 249.84, 599.778],
            "DIAM_ELLI_MAJOR_IMG": [975.874, 289.44, 632.571],
            "DIAM_ELLI_MINOR_IMG": [905.968, 245.786, 561.435],
            "DIAM_ELLI_ANGLE_IMG": [35.9919, 127.003, 149.162],
        },
        index=["a", "b", "c"],
    )


@pytest.fixture
def cdb():
    table = worlds.table([10.0, -60.0, 179.5], [0.0, 40.0, -70.0], 2e4)
    table = table.assign(
        long_km=[60.0, 50.0, 44.0],
        short_km=[30.0, 40.0, 44.0],
        semi_m=[30e3, 25e3, 22e3],
        ratio=[1.5, 1.25, 1.1],
        strike=[0.0, 45.0, 170.0],
    )
    return CraterDatabase(table.set_axis(["x", "y", "z"]), "moon")


def square(lon, lat, half=1.0):
    return shapely.box(lon - half, lat - half, lon + half, lat + half)


class TestEllipses:
    def test_a_known_catalogue_s_ellipses_need_no_columns(self, robbins):
        cdb = CraterDatabase(robbins, "moon")
        cdb.add_ellipses("rim")
        region = cdb.regions["rim"]
        semi = robbins["DIAM_ELLI_MAJOR_IMG"] * 500, robbins["DIAM_ELLI_MINOR_IMG"] * 500
        np.testing.assert_allclose(region.major * cdb.rad, semi[0])
        np.testing.assert_allclose(region.minor * cdb.rad, semi[1])

    def test_its_angles_count_from_east(self, robbins):
        """0 is east and west, 90 north and south; 30 lies between north and east: azimuth 60."""
        robbins["DIAM_ELLI_ANGLE_IMG"] = [0.0, 90.0, 30.0]
        cdb = CraterDatabase(robbins, "moon")
        cdb.add_ellipses("rim")
        assert cdb.regions["rim"].azimuth.tolist() == [90.0, 0.0, 60.0]
        cdb.add_ellipses("by name", "DIAM_ELLI_MAJOR_IMG", 0.1, "DIAM_ELLI_ANGLE_IMG")
        assert cdb.regions["by name"].azimuth.tolist() == [90.0, 0.0, 60.0]
        cdb.add_ellipses("as it is", 1, 0.5, robbins["DIAM_ELLI_ANGLE_IMG"])
        assert cdb.regions["as it is"].azimuth.tolist() == [0.0, 90.0, 30.0]

    def test_mars_catalogue_is_known_too(self):
        table = pd.DataFrame(
            {
                "LATITUDE_CIRCLE_IMAGE": [10.0],
                "LONGITUDE_CIRCLE_IMAGE": [20.0],
                "DIAM_CIRCLE_IMAGE": [8.0],
                "DIAM_ELLIPSE_MAJOR_IMAGE": [10.0],
                "DIAM_ELLIPSE_MINOR_IMAGE": [6.0],
                "DIAM_ELLIPSE_ANGLE_IMAGE": [-20.0],
            }
        )
        cdb = CraterDatabase(table, "mars")
        cdb.add_ellipses("rim")
        assert cdb.regions["rim"] == Ellipse(np.array([1.25]), np.array([0.75]), np.array([110.0]))

    def test_rows_without_ellipse_are_named(self, robbins):
        robbins.loc["b", robbins.columns[4:]] = np.nan
        cdb = CraterDatabase(robbins, "moon")
        with pytest.raises(
            RegionError, match=r"1 of 3 rows have no ellipse(.|\n)*row b: DIAM_ELLI_M"
        ):
            cdb.add_ellipses("rim")
        assert "rim" not in cdb.regions

    def test_rows_without_ellipse_may_have_empty_rois(self, robbins):
        robbins.loc["b", robbins.columns[4:]] = np.nan
        cdb = CraterDatabase(robbins, "moon")
        with pytest.warns(DroppedRowsWarning, match=r"their ROIs are empty(.|\n)*row b") as caught:
            cdb.add_ellipses("rim", errors="drop")
        assert caught[0].filename == __file__
        assert cdb.rim.is_empty.to_dict() == {"a": False, "b": True, "c": False}
        assert cdb.regions["rim"].reach(cdb.rad.to_numpy())[1] == 0.0

    @pytest.mark.parametrize(
        ("column", "value", "message"),
        [
            ("DIAM_ELLI_MAJOR_IMG", 100.0, "row b: the minor axis is longer"),
            ("DIAM_ELLI_MINOR_IMG", 0.0, r"row b: DIAM_ELLI_MINOR_IMG = 0 \(not above 0\)"),
            ("DIAM_ELLI_MAJOR_IMG", -3.0, r"DIAM_ELLI_MAJOR_IMG = -3 \(not above 0\)"),
            ("DIAM_ELLI_MAJOR_IMG", np.inf, r"DIAM_ELLI_MAJOR_IMG = inf \(not finite\)"),
            ("DIAM_ELLI_ANGLE_IMG", np.nan, "row b: DIAM_ELLI_ANGLE_IMG is missing"),
        ],
    )
    def test_impossible_axes_are_named(self, robbins, column, value, message):
        robbins.loc["b", column] = value
        cdb = CraterDatabase(robbins, "moon")
        with pytest.raises(RegionError, match=message):
            cdb.add_ellipses("rim")
        with pytest.warns(DroppedRowsWarning, match=message):
            cdb.add_ellipses("rim", errors="drop")
        assert cdb.rim.is_empty.tolist() == [False, True, False]

    def test_columns_hold_full_axes_unless_they_say_semi(self, cdb):
        cdb.add_ellipses("full", "long_km", "short_km", "strike")
        cdb.add_ellipses("semi", "semi_m", "short_km", "strike")
        assert cdb.regions["full"].major.tolist() == [1.5, 1.25, 1.1]
        assert cdb.regions["full"].minor.tolist() == [0.75, 1.0, 1.1]
        assert cdb.regions["semi"] == cdb.regions["full"]

    def test_numbers_and_arrays_are_semi_axes(self, cdb):
        cdb.add_ellipses("numbers", 1.5, 0.75, 30, 2)
        assert cdb.regions["numbers"] == Ellipse(1.5, 0.75, 30.0, 2.0)
        ratios = np.array([1.5, 1.25, 1.1])
        cdb.add_ellipses("radii", ratios, 0.5, 0, units="radii")
        cdb.add_ellipses("metres", ratios * 2e4, 1e4, 0, units="m")
        cdb.add_ellipses("km", pd.Series([22, 30, 25], index=["z", "x", "y"]), 10, 0, units="km")
        for name in ("radii", "metres", "km"):
            np.testing.assert_allclose(cdb.regions[name].major, ratios)
            np.testing.assert_allclose(cdb.regions[name].minor, 0.5)

    def test_a_column_may_hold_radii(self, cdb):
        cdb.add_ellipses("oval", "ratio", 0.5, 0, units="radii")
        assert cdb.regions["oval"].major.tolist() == [0.75, 0.625, 0.55]

    def test_columns_that_the_user_added_will_do(self, cdb):
        cdb.data["mapped_axis_km"] = [60.0, 50.0, 44.0]
        cdb.add_ellipses("oval", "mapped_axis_km", 0.5, 0)
        assert cdb.regions["oval"].major.tolist() == [1.5, 1.25, 1.1]

    @pytest.mark.parametrize(
        ("arguments", "error", "message"),
        [
            ({}, ColumnError, "no known catalogue"),
            ({"major": 1, "minor": 0.5}, RegionError, "azimuth is missing"),
            ({"major": 1}, RegionError, "minor and azimuth are missing"),
            ({"major": "lenght_km", "minor": 1, "azimuth": 0}, KeyError, "lenght_km"),
            ({"major": [1, 2, 3], "minor": 0.5, "azimuth": 0}, RegionError, "pass units="),
            (
                {"major": [1, 2], "minor": 0.5, "azimuth": 0, "units": "m"},
                RegionError,
                "3 features",
            ),
            (
                {"major": "long_km", "minor": 1, "azimuth": 0, "units": "m"},
                ColumnError,
                "contradicts",
            ),
            (
                {"major": "long_km", "minor": 0.1, "azimuth": 0, "units": "radii"},
                ColumnError,
                "radii",
            ),
            ({"major": 1, "minor": 0.5, "azimuth": 0, "units": "miles"}, ColumnError, "units must"),
            ({"major": 1, "minor": 0.5, "azimuth": "nowhere"}, KeyError, "nowhere"),
            ({"major": 1, "minor": 2, "azimuth": 0}, RegionError, "longer"),
            ({"major": 1, "minor": True, "azimuth": 0}, RegionError, "minor must be"),
            ({"major": 1, "minor": 0.5, "azimuth": np.nan}, RegionError, "azimuth must be"),
            ({"major": 1, "minor": 0.5, "azimuth": 0, "errors": "ignore"}, ValueError, "errors"),
        ],
    )
    def test_mistakes_are_explained(self, cdb, arguments, error, message):
        with pytest.raises(error, match=message):
            cdb.add_ellipses("oval", **arguments)
        assert not cdb.regions

    def test_a_series_of_other_rows_is_refused(self, cdb):
        with pytest.raises(RegionError, match="index of major is not that of the table"):
            cdb.add_ellipses("oval", pd.Series([1.0, 2.0, 3.0]), 0.5, 0, units="radii")


class TestSectors:
    def test_azimuths_are_numbers_columns_or_arrays(self, cdb):
        cdb.add_sectors("numbers", 0, 1, 350, 10)
        assert cdb.regions["numbers"] == Sector(0, 1, 350.0, 10.0)
        cdb.add_sectors("column", 0, 1, "strike", 90)
        cdb.add_sectors("array", 0, 1, [0.0, 45.0, 170.0], 90)
        cdb.add_sectors("series", 0, 1, pd.Series([170.0, 45.0, 0.0], index=["z", "y", "x"]), 90)
        assert cdb.regions["column"] == cdb.regions["array"] == cdb.regions["series"]

    @pytest.mark.parametrize(
        ("arguments", "error", "message"),
        [
            ((1, 0.5, 0, 90), RegionError, "inner must be smaller"),
            ((0, 1, 0, 360), RegionError, "add_annuli"),
            ((0, 1, "strike", 45), RegionError, "1 of 3 rows have no sector(.|\n)*row y.*same dir"),
            ((0, 1, [0.0, np.nan, 0.0], 45), RegionError, "row y: azimuth_from is missing"),
            ((0, 1, "dip", 45), KeyError, "dip"),
            ((0, 1, [0.0, 1.0], 45), RegionError, "3 features"),
        ],
    )
    def test_mistakes_are_explained(self, cdb, arguments, error, message):
        with pytest.raises(error, match=message):
            cdb.add_sectors("sector", *arguments)
        assert not cdb.regions


class TestGivenPolygons:
    def test_they_are_the_region(self, cdb):
        boxes = [square(0, 0), square(50, 50), square(-100, -20)]
        cdb.add_regions("box", boxes)
        assert shapely.equals(cdb.box.to_numpy(), boxes).all()
        assert cdb.box.crs == cdb.crs

    @pytest.mark.parametrize("name", ["rim", "oval", "sector"])
    def test_drawn_polygons_come_back_as_the_same_ground(self, name):
        table = worlds.table([10.0, 180.0, -60.0, 20.0], [0.0, 40.0, 89.0, -90.0], 9e4)
        cdb = CraterDatabase(table, "moon")
        cdb.add_annuli("rim", 1, 1.5)
        cdb.add_ellipses("oval", 1, 0.5, 30)
        cdb.add_sectors("sector", 0.5, 2, 10, 80)
        drawn = cdb.data[name]
        cdb.add_regions("given", drawn)
        assert shapely.equals(cdb.given.to_numpy(), drawn.to_numpy()).all()

    def test_a_series_is_aligned_by_its_index(self, cdb):
        boxes = gpd.GeoSeries([square(0, 0), square(50, 50), square(-100, -20)], index=list("zxy"))
        for given in (boxes, gpd.GeoDataFrame({"n": 1}, index=boxes.index, geometry=boxes)):
            cdb.add_regions("box", given, overwrite=True)
            assert shapely.equals(cdb.box["z"], boxes["z"])
            assert shapely.equals(cdb.box["x"], boxes["x"])

    def test_a_series_of_other_rows_is_refused(self, cdb):
        boxes = gpd.GeoSeries([square(0, 0)] * 3)
        with pytest.raises(RegionError, match=r"not that of the table(.|\n)*set_axis"):
            cdb.add_regions("box", boxes)
        cdb.add_regions("box", boxes.set_axis(cdb.data.index))
        with pytest.raises(RegionError, match="holds 2"):
            cdb.add_regions("two", [square(0, 0)] * 2)

    def test_repeated_labels_are_fine_in_the_same_order(self):
        table = worlds.table([10.0, 20.0], 0.0, 1e4).set_axis(["a", "a"])
        cdb = CraterDatabase(table, "moon")
        boxes = gpd.GeoSeries([square(0, 0), square(9, 9)], index=["a", "a"])
        cdb.add_regions("box", boxes)
        assert shapely.equals(cdb.box.to_numpy(), boxes.to_numpy()).all()

    @pytest.mark.parametrize("turn", [-720.0, -360.0, 360.0, 720.0])
    def test_whole_turns_of_longitude_make_no_difference(self, cdb, turn):
        shapes = [square(179, 10, 4) - square(179, 10, 3), square(0, 80, 10), square(-170, 0, 30)]
        cdb.add_regions("here", shapes)
        cdb.add_regions("there", shapely.transform(shapes, lambda xy: xy + np.array([turn, 0.0])))
        for here, there in zip(cdb.here, cdb.there, strict=True):
            check_shape(here)
            assert shapely.symmetric_difference(here, there).area < 1e-9
            assert here.area == pytest.approx(there.area)
        assert cdb.here.iloc[0].area == pytest.approx(64 - 36)
        assert cdb.here.iloc[0].contains(shapely.Point(-177.5, 10))
        assert not cdb.here.iloc[0].contains(shapely.Point(180, 10))

    def test_longitudes_to_360_are_brought_home(self, cdb):
        cdb.add_regions("box", [square(270, 0), square(359.5, 0), square(180, 0)])
        assert cdb.box.iloc[0].bounds == (-91, -1, -89, 1)
        assert cdb.box.iloc[1].bounds == (-1.5, -1, 0.5, 1)
        assert cdb.box.iloc[2].bounds == (-180, -1, 180, 1)
        assert shapely.area(cdb.box.to_numpy()) == pytest.approx(4.0)

    @pytest.mark.parametrize(("crs", "pole"), [(NORTH, 90.0), (SOUTH, -90.0)])
    def test_a_ring_around_the_pole_of_a_polar_map_is_the_cap(self, crs, pole):
        """A circle about the pole of a polar map is a parallel; its inside reaches the pole."""
        table = worlds.table([0.0, 0.0, 0.0], pole, 1e4)
        cdb = CraterDatabase(table, "moon")
        radius = 2 * MOON.a * np.tan(np.radians(10.0) / 2)  # colatitude 10°
        cap = shapely.Point(0, 0).buffer(radius, quad_segs=64)
        hole = shapely.Point(0, 0).buffer(radius / 2, quad_segs=64)
        aside = shapely.Point(radius / 4, 0).buffer(radius / 2, quad_segs=64)
        cdb.add_regions("cap", gpd.GeoSeries([cap, cap - hole, cap - aside], crs=crs))
        for shape in cdb.cap:
            check_shape(shape)
        south, north = sorted([pole, pole - np.sign(pole) * 10.0])
        assert cdb.cap.iloc[0].bounds == pytest.approx((-180, south, 180, north))
        areas = [area_on(MOON, shape) for shape in cdb.cap]
        whole = 2 * np.pi * MOON.a**2 * (1 - np.cos(np.radians(10.0)))
        inner = 2 * np.arctan(np.tan(np.radians(5.0)) / 2)
        core = 2 * np.pi * MOON.a**2 * (1 - np.cos(inner))
        assert areas[0] == pytest.approx(whole, rel=1e-3)
        assert areas[1] == pytest.approx(whole - core, rel=1e-3)
        poles = [shape.intersects(shapely.Point(50.0, pole)) for shape in cdb.cap]
        assert poles == [True, False, False]

    @pytest.mark.parametrize("reverse", [False, True])
    @pytest.mark.parametrize("crs", [NORTH, SOUTH, "+proj=eqc +R=1737400", "+proj=sinu +R=1737400"])
    def test_ground_is_told_by_the_polygon_s_own_plane(self, crs, reverse):
        """Places are held on the body as they are on the map, whichever way rings run."""
        project = pyproj.Transformer.from_crs(
            pyproj.CRS.from_proj4("+proj=longlat +R=1737400"), crs, always_xy=True
        ).transform
        lat = -84.0 if crs == SOUTH else 84.0 if crs == NORTH else 10.0
        lon = 150.0 if "eqc" not in crs else 178.0
        centre = np.array(project(lon, lat))
        star = shapely.Polygon(
            centre + 3e5 * np.array([[0, 0.2], [1, 1], [0.6, -1], [-0.4, -1], [-1, 1]])
        )
        shape = star - shapely.Point(centre - np.array([0.0, 1e5])).buffer(5e4)
        if "sinu" in crs:
            shape = shapely.transform(shape, lambda xy: xy - np.array([6e5, 0.0]))
        if reverse:
            shape = shapely.reverse(shape)
        cdb = CraterDatabase(worlds.table(lon, lat, 1e4), "moon")
        cdb.add_regions("star", gpd.GeoSeries([shape], crs=crs))
        drawn = cdb.star.iloc[0]
        check_shape(drawn)
        random = np.random.default_rng(5)
        west, south, east, north = shape.bounds
        x, y = random.uniform(west, east, 4000), random.uniform(south, north, 4000)
        lam, phi = project(x, y, direction="INVERSE")
        lam = (lam + 180.0) % 360.0 - 180.0
        clear = shapely.distance(shapely.boundary(shape), shapely.points(x, y)) > 50.0
        held = shapely.contains_xy(shape, x, y)
        assert (shapely.contains_xy(drawn, lam, phi) == held)[clear].all()
        assert 500 < held.sum() < 3500

    def test_a_corner_may_lie_at_the_pole(self):
        cdb = CraterDatabase(worlds.table(0.0, 90.0, 1e4), "moon")
        side = 3e5
        cdb.add_regions("tile", gpd.GeoSeries([shapely.box(0, 0, side, side)], crs=NORTH))
        cdb.add_regions("all", gpd.GeoSeries([shapely.box(-side, -side, side, side)], crs=NORTH))
        tile, whole = (area_on(MOON, cdb.data[name].iloc[0]) for name in ("tile", "all"))
        assert whole == pytest.approx((2 * side) ** 2, rel=0.02)
        assert tile == pytest.approx(whole / 4, rel=1e-4)

    def test_edges_are_straight_where_they_were_drawn(self):
        """A side of a polar map's square runs along y = side, far from its corners' parallel."""
        cdb = CraterDatabase(worlds.table(0.0, 90.0, 1e4), "moon")
        side = 3e5
        cdb.add_regions("square", gpd.GeoSeries([shapely.box(-side, -side, side, side)], crs=NORTH))
        nearest = 90.0 - np.degrees(2 * np.arctan(side / (2 * MOON.a)))
        assert not cdb.square.iloc[0].contains(shapely.Point(180.0 - 1e-6, nearest - 0.01))
        assert cdb.square.iloc[0].contains(shapely.Point(180.0 - 1e-6, nearest + 0.01))

    def test_planetographic_westward_polygons_are_converted(self):
        cdb = CraterDatabase(worlds.table(-30.0, 45.0, 1e4), "mars")
        box = shapely.box(29, 44, 31, 46)
        cdb.add_regions("box", gpd.GeoSeries([box], crs="IAU_2015:49901"))
        west, south, east, north = cdb.box.iloc[0].bounds
        assert (west, east) == pytest.approx((-31, -29))
        assert (south, north) == pytest.approx(tuple(MARS.ocentric([44.0, 46.0])))

    def test_another_body_s_polygons_are_refused(self, cdb):
        boxes = gpd.GeoSeries([square(0, 0)] * 3, index=cdb.data.index, crs="IAU_2015:49900")
        with pytest.raises(CRSError, match="is of Mars"):
            cdb.add_regions("box", boxes)

    BOWTIE = shapely.Polygon([(0, 0), (1, 1), (1, 0), (0, 1)])

    @pytest.mark.parametrize(
        ("bad", "message"),
        [
            (None, "it is missing"),
            (np.nan, "it is missing"),
            (shapely.Polygon(), "it is empty"),
            (BOWTIE, r"it is invalid \(Self-intersection"),
            (shapely.Point(0, 0), "it is a Point, not a Polygon or MultiPolygon"),
            ("POLYGON", "it is a str"),
            (shapely.box(0, 80, 1, 91), "beyond a latitude of ±90"),
            (shapely.box(-200, 0, 200, 1), "more than 360 degrees"),
        ],
    )
    def test_rows_without_a_usable_polygon_are_named(self, cdb, bad, message):
        shapes = [square(0, 0), bad, square(9, 9)]
        with pytest.raises(RegionError, match=rf"1 of 3 rows(.|\n)*row y: .*{message}"):
            cdb.add_regions("box", shapes)
        with pytest.warns(DroppedRowsWarning, match=rf"row y: .*{message}") as caught:
            cdb.add_regions("box", shapes, errors="drop")
        assert caught[0].filename == __file__
        assert cdb.box.is_empty.tolist() == [False, True, False]

    def test_polygons_beyond_the_edge_of_their_map_are_named(self):
        cdb = CraterDatabase(worlds.table(0.0, 0.0, 1e4), "moon")
        beyond = shapely.box(5e6, 1e6, 6e6, 2e6)
        with pytest.raises(RegionError, match="row 0: it reaches beyond the edge of its map"):
            cdb.add_regions("box", gpd.GeoSeries([beyond], crs="+proj=sinu +R=1737400"))

    @pytest.mark.parametrize(
        "given", [square(0, 0), "polygons.gpkg", 3, pd.DataFrame(), [[square(0, 0)] * 3]]
    )
    def test_what_is_not_one_polygon_for_each_is_refused(self, cdb, given):
        with pytest.raises(RegionError, match="polygons"):
            cdb.add_regions("box", given)

    def test_multipolygons_keep_parts_and_holes(self, cdb):
        shape = shapely.MultiPolygon(
            [square(0, 0, 3) - square(0, 0), square(10, 0) - square(10, 0, 0.2)]
        )
        cdb.add_regions("parts", [shape, shape, square(20, 20)])
        assert shapely.equals(cdb.parts.iloc[1], shape)
        polar = shapely.transform(shape, lambda xy: xy * 1e4)
        cdb.add_regions("polar", gpd.GeoSeries([polar] * 3, index=cdb.data.index, crs=NORTH))
        for drawn in cdb.polar:
            check_shape(drawn)
            expected = shape.area * 1e8
            assert area_on(MOON, drawn) == pytest.approx(expected, rel=0.01)


SHAPES = {
    "ellipses": lambda cdb: cdb.add_ellipses("shape", "long_km", "short_km", "strike"),
    "sectors": lambda cdb: cdb.add_sectors("shape", 1, 2, "strike", 300),
    "polygons": lambda cdb: cdb.add_regions(
        "shape", [square(0, 0), square(179.5, 3), square(9, 9)]
    ),
}
COPIES = {
    "copy": CraterDatabase.copy,
    "deepcopy": copy.deepcopy,
    "pickle": lambda cdb: pickle.loads(pickle.dumps(cdb)),
    "slice": lambda cdb: cdb[:],
    "mask": lambda cdb: cdb[cdb.rad > 0],
}


@pytest.mark.parametrize("shape", SHAPES)
class TestDatabases:
    @pytest.mark.parametrize("how", COPIES)
    def test_copies_are_equal(self, cdb, shape, how):
        SHAPES[shape](cdb)
        other = COPIES[how](cdb)
        assert other == cdb
        assert other.shape.geom_equals_exact(cdb.shape, 0.0).all()

    def test_selections_take_along_their_rows_numbers(self, cdb, shape):
        SHAPES[shape](cdb)
        chosen = cdb[[2, 0]]
        assert chosen != cdb
        assert chosen.shape.index.tolist() == ["z", "x"]
        for label in chosen.shape.index:
            assert shapely.equals_exact(chosen.shape[label], cdb.shape[label])

    def test_other_numbers_make_another_database(self, cdb, shape):
        other = cdb.copy()
        SHAPES[shape](cdb)
        assert other != cdb
        SHAPES[shape](other)
        assert other == cdb
        other.add_sectors("shape", 0, 1, 0, 30, overwrite=True)
        assert other != cdb

    def test_a_name_is_taken_once(self, cdb, shape):
        SHAPES[shape](cdb)
        with pytest.raises(RegionError, match="already"):
            SHAPES[shape](cdb)
        cdb.drop_region("shape")
        assert list(cdb.regions) == []
        assert not hasattr(cdb, "shape")
        SHAPES[shape](cdb)
        assert len(cdb.shape) == 3

    def test_dropping_a_region_forgets_its_polygons(self, cdb, shape):
        SHAPES[shape](cdb)
        assert "shape" in cdb.data.assign(seen=cdb.shape).columns
        cdb.drop_region("shape")
        assert "shape" not in cdb.data.columns
        with pytest.raises(RegionError, match="no region 'shape'"):
            cdb.drop_region("shape")

    def test_it_shows_in_repr_and_html(self, cdb, shape):
        SHAPES[shape](cdb)
        assert repr(cdb).endswith("center, shape.")
        assert f"<code>shape</code> ({cdb.regions['shape'].describe()})" in cdb._repr_html_()


@pytest.mark.parametrize("name", ["lon", "add_sectors", "drop_region", "long_km", "geometry", ""])
def test_names_that_are_taken_are_refused(cdb, name):
    for add in (
        lambda: cdb.add_ellipses(name, 1, 0.5, 0),
        lambda: cdb.add_sectors(name, 0, 1, 0, 90),
        lambda: cdb.add_regions(name, [square(0, 0)] * 3),
    ):
        with pytest.raises(RegionError):
            add()


def test_sample_craters_take_any_shape():
    cdb = CraterDatabase(sample_data["moon_craters_km.csv"], "moon")
    cdb.add_ellipses("oval", 1.2, 0.6, np.arange(len(cdb)) % 180)
    cdb.add_sectors("downrange", 1, 3, 0, 90)
    cdb.add_regions("given", cdb.oval)
    for name in cdb.regions:
        assert cdb.data[name].is_valid.all()
        assert (shapely.area(cdb.data[name].to_numpy()) > 0).all()
    assert shapely.equals(cdb.given.to_numpy(), cdb.oval.to_numpy()).all()


def test_ellipses_and_sectors_name_missing_columns_and_units():
    cdb = CraterDatabase(worlds.table(0.0, 0.0, 1e4), "moon")
    with pytest.raises(ColumnError, match="no column 'az'"):
        cdb.add_sectors("s", 0, 1, "az", 30)
    with pytest.raises(ColumnError, match="radii"):
        cdb.add_ellipses("e", [2.0], [1.0], 0, units="radiuss")
