"""The tutorial's code, word for word but for the package's name.

On the sample data, whose numbers are pinned by independent arithmetic; and, where the folder
``shared/data`` lies beside the checkout, on the rasters and table that the tutorial was printed from.
"""

from __future__ import annotations

from pathlib import Path

import matplotlib
import numpy as np
import pytest
import rasterio

from craterkit import CraterDatabase, sample_data

REAL = Path(__file__).resolve().parents[2] / "shared" / "data"
needs_real_data = pytest.mark.skipif(
    not (REAL / "moon.tif").exists(), reason="no shared/data beside the checkout"
)

TUTORIAL = """\
from craterkit import CraterDatabase, sample_data

craters = sample_data["moon_craters_km.csv"]
moon_tif = sample_data["moon.tif"]

cdb = CraterDatabase(craters, "moon", units="km")
cdb
cdb.add_annuli("rim", 1, 1.5)
stats = cdb.get_stats(moon_tif, "rim")
stats.head()
arrays = cdb.get_arrays(moon_tif, "rim")
roi = arrays["rim"].iloc[0]
print(type(roi), roi.shape)
roi
import numpy as np

# Custom per-crater statistic from the raw arrays
p90 = arrays["rim"].apply(lambda a: np.percentile(a.compressed(), 90))
p90.head()
import matplotlib.pyplot as plt

for i in range(5):
    roi = arrays["rim"].iloc[i]
    plt.hist(roi.compressed(), bins=30, histtype="stepfilled", alpha=0.7, label=f"Crater {i+1}")
    plt.xlabel("Pixel value")
    plt.ylabel("Count")
plt.title(f"Crater rim pixel histograms");
plt.legend()
"""


@pytest.fixture(scope="module")
def ran():
    """The names that the tutorial leaves behind."""
    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    names: dict[str, object] = {}
    plt.close("all")
    exec(compile(TUTORIAL, "tutorial", "exec"), names)
    yield names
    plt.close("all")


class TestOnTheSampleMoon:
    def test_tables(self, ran):
        stats, arrays, table = ran["stats"], ran["arrays"], list(ran["stats"].columns[:-3])
        assert list(stats.columns) == [*table, "mean_rim", "count_rim", "std_rim"]
        assert list(arrays.columns) == [*table, "rim"]
        assert len(stats) == len(arrays) == len(ran["cdb"]) == len(ran["p90"])

    def test_repr(self):
        cdb = CraterDatabase(sample_data["moon_craters_km.csv"], "moon", units="km")
        text = f"CraterDatabase of length {len(cdb)} with attributes lat, lon, rad, center."
        assert repr(cdb) == text

    def test_arrays_are_masked_and_of_the_rasters_type(self, ran):
        assert all(type(a) is np.ma.MaskedArray for a in ran["arrays"]["rim"])
        assert {a.dtype for a in ran["arrays"]["rim"]} == {np.dtype("uint8")}

    def test_statistics_are_those_of_the_arrays(self, ran):
        stats = ran["stats"]
        for i, array in enumerate(ran["arrays"]["rim"]):
            pixels = array.compressed().astype(float)
            assert stats["count_rim"][i] == pixels.size
            assert stats["mean_rim"][i] == pytest.approx(pixels.mean(), rel=1e-12)
            assert stats["std_rim"][i] == pytest.approx(pixels.std(), rel=1e-9, abs=1e-9)
            assert ran["p90"][i] == np.percentile(pixels, 90)

    @pytest.mark.parametrize("i", [0, 1, 4, 100])
    def test_the_pixels_are_those_at_that_distance(self, ran, i):
        """Every pixel whose centre lies well within the annulus, none well outside; haversine."""
        cdb = ran["cdb"]
        with rasterio.open(sample_data["moon.tif"]) as moon:
            image = moon.read(1)
        lat = np.radians(90 - (np.arange(720) + 0.5) / 4)[:, None]
        lon = np.radians((np.arange(1440) + 0.5) / 4 - 180)[None, :]
        lat0, lon0 = np.radians(cdb.lat[i]), np.radians(cdb.lon[i])
        haversine = (
            np.sin((lat - lat0) / 2) ** 2
            + np.cos(lat) * np.cos(lat0) * np.sin((lon - lon0) / 2) ** 2
        )
        distance = 2 * 1_737_400 * np.arcsin(np.sqrt(haversine))
        slack = 1_737_400 * np.radians(0.25) * 0.7072  # half a pixel's diagonal
        surely = (distance > cdb.rad[i] + slack) & (distance < 1.5 * cdb.rad[i] - slack)
        perhaps = (distance > cdb.rad[i] - slack) & (distance < 1.5 * cdb.rad[i] + slack)
        surely &= image != 0
        perhaps &= image != 0
        assert surely.sum() <= ran["stats"]["count_rim"][i] <= perhaps.sum()
        found = np.bincount(ran["arrays"]["rim"][i].compressed(), minlength=256)
        assert (np.bincount(image[surely], minlength=256) <= found).all()
        assert (found <= np.bincount(image[perhaps], minlength=256)).all()

    def test_the_plot_shows_five_histograms(self, ran):
        axes = ran["plt"].gca()
        assert axes.get_title() == "Crater rim pixel histograms"
        assert len(axes.patches) == 5
        assert [text.get_text() for text in axes.get_legend().get_texts()] == [
            f"Crater {i}" for i in range(1, 6)
        ]


# As printed in the tutorial.
PRINTED = """\
0 1145.53  34.72 -14.91 59.517785 14844 14.817788
1  996.84 -47.77  91.99 85.994535 13907 32.254453
2  875.75   8.35  30.83 64.427007  7124 20.342053
3  840.35  -7.83  53.67 68.585645  6562 17.622045
4  714.50 -20.59 -17.29 68.183126  5073 22.664615
"""
ROWS = np.array([line.split()[1:] for line in PRINTED.splitlines()], dtype=float)
P90 = [78.0, 126.0, 92.0, 90.0, 99.8]
COLUMNS = ["Diameter (km)", "Latitude", "Longitude", "mean_rim", "count_rim", "std_rim"]


@needs_real_data
class TestOnTheTutorialsOwnData:
    @staticmethod
    def measure(nvert):
        cdb = CraterDatabase(REAL / "moon_craters_km.csv", "moon", units="km")
        text = "CraterDatabase of length 786 with attributes lat, lon, rad, center."
        assert repr(cdb) == text
        cdb.add_annuli("rim", 1, 1.5, nvert=nvert)
        stats = cdb.get_stats(REAL / "moon.tif", "rim")
        return stats, cdb.get_arrays(REAL / "moon.tif", "rim")["rim"]

    def test_polygons_repeat_the_printed_numbers(self):
        stats, arrays = self.measure(nvert=32)
        assert list(stats.columns) == COLUMNS
        assert np.array_equal(stats[COLUMNS].head().to_numpy().round(6), ROWS)
        assert arrays[0].shape == (162, 201)
        assert arrays[0].dtype == np.uint8
        p90 = arrays.apply(lambda a: np.percentile(a.compressed(), 90))
        assert p90.head().round(9).tolist() == P90

    def test_true_circles_differ_by_less_than_one_percent(self):
        stats, arrays = self.measure(nvert=None)
        assert stats[COLUMNS].head().to_numpy() == pytest.approx(ROWS, rel=0.01)
        assert (stats["count_rim"].head() > ROWS[:, 4]).all()  # polygons lose some ground
        assert arrays[0].shape == (162, 201)
        p90 = arrays.apply(lambda a: np.percentile(a.compressed(), 90))
        assert p90.head().tolist() == pytest.approx(P90, rel=0.01)
