"""The sample data: what the files promise, and the truth table against plain NumPy."""

import importlib
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import rasterio

from craterkit.samples import SampleData, sample_data

REPO_DATA = Path(__file__).resolve().parents[1] / "sample_data"
RADIUS_KM = 1737.4


@pytest.fixture(scope="module")
def craters():
    return pd.read_csv(sample_data["moon_craters_km.csv"])


@pytest.fixture(scope="module")
def truth():
    return pd.read_csv(sample_data["crater_depths.csv"])


@pytest.fixture(scope="module")
def dem():
    with rasterio.open(sample_data["moon_dem.tif"]) as src:
        return src.read(1) * src.scales[0] + src.offsets[0]


@pytest.fixture(scope="module")
def image():
    with rasterio.open(sample_data["moon.tif"]) as src:
        return src.read(1)


@pytest.fixture(scope="module")
def remade(tmp_path_factory):
    """The files as the script makes them now."""
    folder = tmp_path_factory.mktemp("remade")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "dont_write_bytecode", True)
        patch.syspath_prepend(str(REPO_DATA))
        importlib.import_module("make_sample_data").make(folder)
    return folder


def haversine_km(lat, lon, lats, lons):
    lat, lon, lats, lons = (np.radians(v) for v in (lat, lon, lats, lons))
    h = np.sin((lats - lat) / 2) ** 2
    h = h + np.cos(lat) * np.cos(lats) * np.sin((lons - lon) / 2) ** 2
    return 2 * RADIUS_KM * np.arcsin(np.sqrt(np.clip(h, 0, 1)))


def pixel_centres(shape):
    rows, columns = shape
    lats = 90 - (np.arange(rows) + 0.5) * 180 / rows
    lons = -180 + (np.arange(columns) + 0.5) * 360 / columns
    return lats[:, None], lons[None, :]


# ------------------------------------------------------------------------------ the mapping


def test_is_a_read_only_mapping():
    assert isinstance(sample_data, Mapping)
    with pytest.raises(TypeError):
        sample_data["moon.tif"] = Path("mine.tif")


def test_every_name_leads_to_data():
    assert {"moon.tif", "moon_dem.tif", "moon_craters_km.csv", "crater_depths.csv"} <= set(
        sample_data
    )
    for name, path in sample_data.items():
        assert path.name == name
        assert path.is_absolute()
        files = list(path.iterdir()) if path.is_dir() else [path]
        assert files
        assert {file.suffix for file in files} <= {".csv", ".tif"}
    assert len(sample_data) == len(list(sample_data))


def test_unknown_name_is_answered_with_the_known_ones():
    with pytest.raises(KeyError, match=r"no sample file 'mars.tif'.*moon.tif.*moon_craters_km"):
        sample_data["mars.tif"]
    assert "README.md" not in sample_data
    assert "make_sample_data.py" not in sample_data
    assert sample_data.get("mars.tif") is None


def test_completion_and_repr_name_the_files():
    assert sample_data._ipython_key_completions_() == list(sample_data)
    assert "moon_dem.tif" in repr(sample_data)


def test_folders_count_if_they_hold_data(tmp_path):
    (tmp_path / "weeks").mkdir()
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "make.py").touch()
    data = SampleData(tmp_path)
    assert list(data) == []
    (tmp_path / "weeks" / "20200106.tif").touch()
    assert dict(data) == {"weeks": tmp_path / "weeks"}
    assert "code" not in data


def test_missing_folder_is_an_empty_mapping(tmp_path):
    empty = SampleData(tmp_path / "nowhere")
    assert list(empty) == []
    with pytest.raises(KeyError, match=r"none in .*nowhere"):
        empty["moon.tif"]


def test_installed_package_uses_its_own_files(tmp_path):
    package = tmp_path / "site" / "craterkit"
    (package / "sample_data").mkdir(parents=True)
    (package / "sample_data" / "moon.tif").touch()
    source = Path(sys.modules[SampleData.__module__].__file__)
    copy = shutil.copy(source, package / "samples.py")
    spec = importlib.util.spec_from_file_location("installed_samples", copy)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert dict(module.sample_data) == {"moon.tif": package / "sample_data" / "moon.tif"}


def test_importing_loads_nothing_heavy():
    source = Path(sys.modules[SampleData.__module__].__file__).read_text(encoding="utf-8")
    imports = [line for line in source.splitlines() if line.startswith(("import ", "from "))]
    assert imports == [
        "from collections.abc import Iterator, Mapping",
        "from pathlib import Path",
    ]


# ------------------------------------------------------------------------------- the tables


def test_catalogue_has_the_promised_columns(craters):
    expected = ["Name", "Type", "Source", "Diameter (km)", "Latitude", "Longitude"]
    assert list(craters.columns) == expected
    assert craters.notna().all(axis=None)
    assert craters["Name"].is_unique
    assert set(craters["Type"]) == {"crater", "mare"}
    assert set(craters["Source"]) == {"IAU", "synthetic"}
    assert 400 <= len(craters) <= 600


def test_catalogue_lies_on_the_moon_largest_first(craters):
    assert craters["Latitude"].abs().max() <= 90
    assert craters["Longitude"].abs().max() <= 180
    assert craters["Diameter (km)"].min() > 0
    assert craters["Diameter (km)"].is_monotonic_decreasing
    assert craters["Name"].iloc[0] == "Mare Imbrium"


def test_catalogue_reaches_the_awkward_places(craters):
    degrees = np.degrees(craters["Diameter (km)"] / 2 / RADIUS_KM)
    over_seam = craters["Longitude"].abs() + degrees > 180
    over_pole = craters["Latitude"].abs() + degrees > 90
    assert over_seam.sum() >= 10
    assert craters.loc[over_pole, "Latitude"].pipe(np.sign).nunique() == 2


def test_synthetic_rows_are_marked(craters):
    named = pd.read_csv(sample_data["named_features.csv"])
    real = craters[craters["Source"] == "IAU"]
    assert set(real["Name"]) <= set(named["Name"])
    assert set(named["Name"]) - set(real["Name"]) == {"Oceanus Procellarum", "Mare Frigoris"}
    both = real.merge(named, on="Name", suffixes=("", "_named"))
    for column in ("Diameter (km)", "Latitude", "Longitude"):
        assert (both[column] == both[f"{column}_named"]).all()
    synthetic = craters[craters["Source"] == "synthetic"]
    assert synthetic["Name"].str.fullmatch(r"Synthetic \d{3}").all()
    assert (synthetic["Diameter (km)"] <= 70).all()


@pytest.mark.parametrize(
    ("name", "diameter", "lat", "lon"),
    [
        ("Tycho", 85.3, -43.3, -11.2),
        ("Copernicus", 96.1, 9.6, -20.1),
        ("Plato", 100.7, 51.6, -9.4),
        ("Daedalus", 93.6, -5.8, 179.4),
        ("Shackleton", 20.9, -89.7, 129.8),
        ("Mare Crisium", 555.9, 16.2, 59.1),
    ],
)
def test_named_features_lie_where_they_are_published(craters, name, diameter, lat, lon):
    row = craters.set_index("Name").loc[name]
    assert row["Diameter (km)"] == pytest.approx(diameter, abs=0.05)
    assert haversine_km(lat, lon, row["Latitude"], row["Longitude"]) < 3


# ------------------------------------------------------------------------------ the rasters


@pytest.mark.parametrize(
    ("name", "dtype", "nodata", "scale"),
    [("moon.tif", "uint8", 0, 1.0), ("moon_dem.tif", "int16", -32768, 0.5)],
)
def test_rasters_declare_what_they_are(name, dtype, nodata, scale):
    with rasterio.open(sample_data[name]) as src:
        assert src.dtypes == (dtype,)
        assert src.nodata == nodata
        assert src.scales == (scale,)
        assert src.offsets == (0.0,)
        assert (src.width, src.height) == (1440, 720)
        assert tuple(src.bounds) == (-180, -90, 180, 90)
        assert src.transform.e < 0 < src.transform.a
        assert src.profile["tiled"]
        assert src.crs.is_geographic
        assert "SPHEROID" in src.crs.to_wkt()
        assert "1737400,0" in src.crs.to_wkt()
        assert "Moon" in src.crs.to_wkt()


def test_dem_is_in_metres_above_the_mean_radius(dem):
    with rasterio.open(sample_data["moon_dem.tif"]) as src:
        assert src.units == ("m",)
        assert src.read(1, masked=True).mask.sum() == 0
    weight = np.cos(np.radians(pixel_centres(dem.shape)[0])) + 0 * dem
    assert abs(np.average(dem, weights=weight)) < 1000
    assert 1000 < dem.std() < 3000
    assert dem.min() > -11000
    assert dem.max() < 11000


def test_image_gap_is_a_strip_over_mendel(image, craters):
    missing = image == 0
    assert 100 < missing.sum() < 1000
    mendel = craters.set_index("Name").loc["Mendel"]
    inside = haversine_km(mendel["Latitude"], mendel["Longitude"], *pixel_centres(image.shape))
    share = missing[inside < mendel["Diameter (km)"] / 2].mean()
    assert 0.02 < share < 0.5


def test_maria_are_darker_than_highlands(image, craters):
    def brightness(lat, lon, radius):
        return image[haversine_km(lat, lon, *pixel_centres(image.shape)) < radius].mean()

    maria = craters.set_index("Name").loc[["Mare Imbrium", "Mare Serenitatis", "Mare Crisium"]]
    dark = [brightness(row.Latitude, row.Longitude, 150) for row in maria.itertuples()]
    bright = [brightness(lat, lon, 300) for lat, lon in [(-30, 15), (10, 130), (60, -120)]]
    assert max(dark) < 75
    assert min(bright) > 90


def test_tycho_is_the_bright_centre_of_rays(image):
    away = haversine_km(-43.3, -11.22, *pixel_centres(image.shape))
    near = image[away < 100].mean()
    ring = image[(away > 300) & (away < 800)].mean()
    assert near > ring + 25


@pytest.mark.parametrize("raster", ["dem", "image"])
def test_no_step_across_the_seam(raster, request):
    values = request.getfixturevalue(raster).astype(float)
    seam = np.abs(values[:, 0] - values[:, -1]).mean()
    steps = np.abs(np.diff(values[:, -60:], axis=1)).mean(axis=0)
    steps = np.append(steps, np.abs(np.diff(values[:, :60], axis=1)).mean(axis=0))
    assert seam <= steps.max()


@pytest.mark.parametrize("row", [0, -1])
def test_no_step_along_the_rows_next_to_the_poles(dem, row):
    steps = np.abs(np.diff(dem[row], append=dem[row, 0]))
    assert steps.max() <= 50  # a pixel is 17 m wide there


# ------------------------------------------------------------------------ the depth truth


def measure(dem, crater):
    """Rim (1 to 1.1 radii) minus floor (within 0.3 radii), pixels counted by their centres."""
    lats, lons = pixel_centres(dem.shape)
    radius = crater["Diameter (km)"] / 2
    margin = np.degrees(1.2 * radius / RADIUS_KM)
    rows = np.abs(lats[:, 0] - crater["Latitude"]) <= margin
    x = haversine_km(crater["Latitude"], crater["Longitude"], lats[rows], lons) / radius
    z = dem[rows]
    return z[(x > 1) & (x <= 1.1)].mean() - z[x <= 0.3].mean()


def test_depths_follow_the_published_law(truth):
    law = 1044 * truth["Diameter (km)"] ** 0.301
    assert np.allclose(truth["Depth (m)"], law, atol=0.051)
    assert truth["Diameter (km)"].between(60, 200).all()


def test_depths_are_measured_with_plain_numpy(truth, dem):
    measured = np.array([measure(dem, row) for _, row in truth.iterrows()])
    assert np.allclose(measured, truth["Measured depth (m)"], atol=0.001)
    error = measured / truth["Depth (m)"] - 1
    assert np.abs(error).max() < 0.025
    assert abs(error.mean()) < 0.003
    assert error.std() < 0.01


def test_truth_covers_the_seam_and_the_poles(truth, craters):
    assert len(truth) >= 100
    assert truth["Name"].isin(craters["Name"]).all()
    degrees = np.degrees(truth["Diameter (km)"] / 2 / RADIUS_KM)
    beyond = degrees / np.cos(np.radians(truth["Latitude"]))
    assert (truth["Longitude"].abs() + beyond > 180).sum() >= 5
    assert truth["Latitude"].max() > 80
    assert truth["Latitude"].min() < -80


def test_a_depth_law_can_be_recovered(truth):
    slope, intercept = np.polyfit(
        np.log(truth["Diameter (km)"]), np.log(truth["Measured depth (m)"]), 1
    )
    assert slope == pytest.approx(0.301, abs=0.01)
    assert np.exp(intercept) == pytest.approx(1044, rel=0.05)


# ------------------------------------------------------------------------------- the making


def test_files_are_small():
    data = [path for name in sample_data.values() for path in (name, *name.glob("*"))]
    assert sum(path.stat().st_size for path in data if path.is_file()) < 2_500_000


def test_everything_is_remade(remade):
    made = {path.relative_to(remade) for path in remade.rglob("*") if path.is_file()}
    given = {
        path.relative_to(REPO_DATA)
        for path in REPO_DATA.rglob("*")
        if path.suffix in {".csv", ".tif"} and path.name != "named_features.csv"
    }
    assert made == given


def test_tables_are_remade_the_same(remade):
    for table in remade.glob("*.csv"):
        new, old = pd.read_csv(table), pd.read_csv(sample_data[table.name])
        pd.testing.assert_frame_equal(new, old, check_exact=False, atol=0.5)


def test_rasters_are_remade_the_same(remade):
    for raster in remade.rglob("*.tif"):
        path = REPO_DATA / raster.relative_to(remade)
        with rasterio.open(raster) as new, rasterio.open(path) as old:
            assert new.profile == old.profile
            assert new.tags() == old.tags()
            assert (new.scales, new.offsets, new.units) == (old.scales, old.offsets, old.units)
            # Another library's last digit may round a pixel to the neighbouring step.
            assert (new.read(1) != old.read(1)).mean() < 1e-3
