"""The sample Ceres and the sample Moon's south pole: craterkit finds the depths they were given."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyproj
import pytest
import rasterio

from craterkit import CraterDatabase
from craterkit.samples import sample_data

CERES_A, CERES_B = 487_300.0, 446_000.0
MOON = 1_737_400.0


def values_of(name):
    with rasterio.open(sample_data[name]) as src:
        return src.read(1) * src.scales[0]


def depths(cdb, dem, coverage="center"):
    """Mean of the rim crest minus mean of the floor of each crater, in m."""
    cdb.add_annuli("crest", 1, 1.1, overwrite=True)
    cdb.add_circles("floor", 0.3, overwrite=True)
    stats = cdb.get_stats(sample_data[dem], ["crest", "floor"], "mean", coverage=coverage)
    return stats["mean_crest"] - stats["mean_floor"]


def rim_minus_floor(z, x):
    """The same with plain NumPy, from distances in crater radii."""
    return z[(x > 1) & (x <= 1.1)].mean() - z[x <= 0.3].mean()


# ------------------------------------------------------------------------------------ Ceres


@pytest.fixture(scope="module")
def ceres():
    return pd.read_csv(sample_data["ceres_craters.csv"])


def planetographic(latitude):
    tangent = np.tan(np.radians(latitude)) * (CERES_A / CERES_B) ** 2
    return np.degrees(np.arctan(tangent))


@pytest.mark.parametrize(
    ("name", "dtype", "nodata", "scale"),
    [("ceres.tif", "uint8", 0, 1.0), ("ceres_dem.tif", "int16", -32768, 0.5)],
)
def test_ceres_rasters_declare_what_they_are(name, dtype, nodata, scale):
    with rasterio.open(sample_data[name]) as src:
        assert (src.dtypes, src.nodata, src.scales) == ((dtype,), nodata, (scale,))
        assert src.shape == (360, 720)
        assert tuple(src.bounds) == (-180, -90, 180, 90)
        assert "Ographic" in src.crs.to_wkt()
        ellipsoid = pyproj.CRS.from_user_input(src.crs.to_wkt()).ellipsoid
        assert ellipsoid.semi_major_metre == CERES_A
        assert ellipsoid.semi_minor_metre == pytest.approx(CERES_B)
        assert not src.read(1, masked=True).mask.any()


def test_ceres_table_says_which_latitudes_it_has(ceres):
    assert list(ceres.columns) == [
        *("Name", "Diameter (km)", "Latitude", "Longitude", "Coordinate System"),
        *("Depth (m)", "Measured depth (m)"),
    ]
    assert set(ceres["Coordinate System"]) == {"Planetocentric, +East, 0 - 360"}
    assert ceres["Longitude"].between(0, 360).all()
    assert ceres["Longitude"].max() > 300
    assert np.allclose(ceres["Depth (m)"], 250 * ceres["Diameter (km)"] ** 0.65, atol=0.051)


def test_ceres_craters_reach_the_awkward_places(ceres):
    degrees = np.degrees(ceres["Diameter (km)"] * 500 / CERES_B)
    over_pole = ceres.loc[ceres["Latitude"].abs() + degrees > 90, "Latitude"]
    assert set(np.sign(over_pole)) == {1, -1}
    reach = degrees / np.cos(np.radians(ceres["Latitude"]))
    assert ((ceres["Longitude"] - 180).abs() < reach).sum() >= 4
    assert (((ceres["Longitude"] + 180) % 360 - 180).abs() < reach).sum() >= 3


def test_ceres_craters_are_circles_on_the_ellipsoid(ceres):
    """Their depths come out right with geodesic distances, by plain NumPy and pyproj."""
    dem = values_of("ceres_dem.tif")
    lats = 90 - (np.arange(360) + 0.5) / 2
    lons = -180 + (np.arange(720) + 0.5) / 2
    geod = pyproj.Geod(a=CERES_A, b=CERES_B)
    for row in ceres.itertuples(index=False):
        lat = planetographic(row.Latitude)
        near = np.abs(lats - lat) < np.degrees(1.2 * row[1] * 500 * CERES_A / CERES_B**2)
        grid = np.meshgrid(lons, lats[near])
        _, _, away = geod.inv(
            np.full_like(grid[0], row.Longitude), np.full_like(grid[1], lat), *grid
        )
        depth = rim_minus_floor(dem[near], away / (row[1] * 500))
        assert depth == pytest.approx(row[-1], abs=0.001)
        assert depth == pytest.approx(row[-2], rel=0.02)


def test_depths_of_ceres_craters(ceres):
    cdb = CraterDatabase(sample_data["ceres_craters.csv"], "ceres", units="km")
    depth = depths(cdb, "ceres_dem.tif")
    np.testing.assert_allclose(depth, ceres["Measured depth (m)"], rtol=2e-3)
    error = depth / ceres["Depth (m)"] - 1
    assert error.std() < 0.01
    assert abs(error.mean()) < 0.003


def test_other_latitudes_miss_the_craters(ceres):
    cdb = CraterDatabase(
        ceres.drop(columns="Coordinate System"), "ceres", "planetographic", units="km"
    )
    depth = depths(cdb, "ceres_dem.tif")
    assert (depth / ceres["Depth (m)"]).mean() < 0.25


# --------------------------------------------------------------------------- the south pole


@pytest.fixture(scope="module")
def polar():
    return pd.read_csv(sample_data["moon_south_pole_craters.csv"])


def unit_vectors(lon, lat):
    lon, lat = np.radians(lon), np.radians(lat)
    return np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)], axis=-1)


@pytest.fixture(scope="module")
def polar_pixels():
    """Unit vectors of the polar map's pixel centres."""
    x = (np.arange(612) - 305.5) * 1500
    to_body = pyproj.Transformer.from_crs(
        "+proj=stere +lat_0=-90 +R=1737400", "+proj=longlat +R=1737400", always_xy=True
    )
    return unit_vectors(*to_body.transform(*np.meshgrid(x, -x)))


@pytest.mark.parametrize(
    ("name", "dtype", "nodata", "scale"),
    [
        ("moon_south_pole.tif", "uint8", 0, 1.0),
        ("moon_south_pole_dem.tif", "int16", -32768, 0.5),
    ],
)
def test_polar_rasters_declare_what_they_are(name, dtype, nodata, scale):
    with rasterio.open(sample_data[name]) as src:
        assert (src.dtypes, src.nodata, src.scales) == ((dtype,), nodata, (scale,))
        assert src.shape == (612, 612)
        assert tuple(src.bounds) == (-459_000, -459_000, 459_000, 459_000)
        crs = pyproj.CRS.from_user_input(src.crs.to_wkt())
        assert crs.coordinate_operation.method_name.startswith("Polar Stereographic")
        assert crs.ellipsoid.semi_major_metre == MOON


def test_polar_depths_are_measured_with_plain_numpy(polar, polar_pixels):
    dem = values_of("moon_south_pole_dem.tif")
    for _, crater in polar.iterrows():
        chord = polar_pixels - unit_vectors(crater["Longitude"], crater["Latitude"])
        away = 2 * MOON * np.arcsin(np.sqrt((chord**2).sum(axis=-1)) / 2)
        depth = rim_minus_floor(dem, away / (crater["Diameter (km)"] * 500))
        assert depth == pytest.approx(crater["Measured depth (m)"], abs=0.001)
        assert depth == pytest.approx(crater["Depth (m)"], rel=0.01)


def test_depths_of_polar_craters(polar):
    cdb = CraterDatabase(sample_data["moon_south_pole_craters.csv"], "moon", units="km")
    depth = depths(cdb, "moon_south_pole_dem.tif")
    np.testing.assert_allclose(depth, polar["Measured depth (m)"], rtol=2e-3)
    assert (depth / polar["Depth (m)"] - 1).std() < 0.005


def test_the_pole_lies_in_shackleton(polar):
    by_name = polar.set_index("Name")
    from_pole = np.radians(90 + by_name["Latitude"]) * MOON
    assert list(by_name.index[from_pole < by_name["Diameter (km)"] * 500]) == ["Shackleton"]


def test_both_maps_have_the_same_craters(polar):
    """Elevations of floors, and depths, agree between the polar and the global map."""
    both = pd.read_csv(sample_data["crater_depths.csv"])
    both = both[both["Name"].isin(polar["Name"])]
    assert len(both) >= 4
    cdb = CraterDatabase(both, "moon", units="km")
    np.testing.assert_allclose(
        depths(cdb, "moon_south_pole_dem.tif"), depths(cdb, "moon_dem.tif"), rtol=0.01
    )
    for fine, coarse, tolerance in [
        ("moon_south_pole_dem.tif", "moon_dem.tif", 15),
        ("moon_south_pole.tif", "moon.tif", 8),
    ]:
        floors = [
            cdb.get_stats(sample_data[name], "floor", "mean", coverage="fraction", weights="area")[
                "mean_floor"
            ]
            for name in (fine, coarse)
        ]
        np.testing.assert_allclose(*floors, atol=tolerance)


def test_added_craters_are_only_on_the_polar_map(polar):
    catalogue = pd.read_csv(sample_data["moon_craters_km.csv"])
    added = polar[~polar["Name"].isin(catalogue["Name"])]
    assert added["Name"].str.startswith("Polar ").all()
    assert (added["Diameter (km)"] < 20).all()
    assert (added["Latitude"] < -86).sum() >= 5
