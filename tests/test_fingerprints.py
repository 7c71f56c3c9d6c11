"""Fingerprints: the same for the same input in any process, another for any change that matters."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
from functools import partial

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import rasterio
import rasterio.shutil
import shapely
import xarray as xr
from affine import Affine
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays, scalar_dtypes
from rasterio.enums import Resampling
from rasterio.io import MemoryFile
from rasterio.vrt import WarpedVRT

import worlds
from craterkit.errors import ArgumentError
from craterkit.rasters.opening import open_raster
from craterkit.regions import Annulus, Ellipse, Polygons, Sector
from craterkit.results.fingerprints import (
    fingerprint_features,
    fingerprint_function,
    fingerprint_region,
    fingerprint_value,
)
from craterkit.results.manifest_differences import LISTED, differences
from craterkit.results.raster_fingerprints import fingerprint_given, fingerprint_raster
from craterkit.tables.features import Features

GRID = worlds.lonlat(10.0)
VALUES = np.arange(18 * 36).reshape(GRID.shape).astype(np.int16)


def of_raster(given):
    found = fingerprint_given(given)
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    return found


@pytest.fixture
def path(tmp_path):
    return worlds.write(tmp_path / "dem.tif", GRID, VALUES, dtype="int16", nodata=7)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@given(JSON)
def test_values_survive_json_and_do_not_depend_on_order(value):
    def turned(item):
        if isinstance(item, dict):
            return {key: turned(item[key]) for key in reversed(item)}
        return [turned(inner) for inner in item] if isinstance(item, list) else item

    found = fingerprint_value(value)
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    assert fingerprint_value(turned(value)) == found


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_floats_are_exact(value):
    assert json.loads(json.dumps(fingerprint_value(value))) == value


@given(arrays(scalar_dtypes(), array_shapes(min_dims=0, max_dims=3)), st.data())
def test_arrays_are_told_by_values_shape_and_dtype(array, data):
    found = fingerprint_value(array)
    assert fingerprint_value(array.copy(order="F")) == found
    assert fingerprint_value(array.astype(array.dtype.newbyteorder())) == found
    assert fingerprint_value(array.reshape(1, *array.shape)) != found
    other = array.copy()
    place = data.draw(st.integers(0, array.size - 1))
    other.view(np.ndarray).reshape(-1)[place : place + 1].view(np.uint8)[0] ^= 1
    if other.tobytes() != array.tobytes():
        assert fingerprint_value(other) != found


def test_what_lies_under_a_mask_does_not_matter():
    one = np.ma.masked_array([1.0, 2.0], mask=[False, True])
    same = np.ma.masked_array([1.0, 9.0], mask=[False, True])
    shown = np.ma.masked_array([1.0, 0.0], mask=[False, False])
    assert fingerprint_value(one) == fingerprint_value(same) != fingerprint_value(shown)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (np.float64("nan"), "NaN"),
        (-np.inf, "-Infinity"),
        (np.int8(3), 3),
        (np.str_("a"), "a"),
        ((1, ("a", None)), [1, ["a", None]]),
        ({"b", "a"}, ["a", "b"]),
        ({1: "x"}, [[1, "x"]]),
        (Affine(1, 0, 2, 0, -1, 3), [1.0, 0.0, 2.0, 0.0, -1.0, 3.0]),
        (np.dtype("f4"), "float32"),
        (pd.Timestamp("2020-01-01"), "2020-01-01 00:00:00"),
    ],
)
def test_small_values_can_be_read(value, expected):
    assert fingerprint_value(value) == expected


def test_coordinate_systems_are_texts():
    known = fingerprint_value(worlds.MOON_CRS)
    assert "Moon" in known
    assert fingerprint_value(rasterio.CRS.from_wkt(known)).startswith("GEOG")


def test_tables_are_told_by_column():
    table = pd.DataFrame({"a": [1, 2], "b": ["x", None]}, index=["p", "q"])
    other = table.assign(b=["x", "y"])
    found = differences(fingerprint_value(table), fingerprint_value(other))
    assert found == ["columns.b: has changed"]
    assert fingerprint_value(gpd.GeoSeries([shapely.Point(1, 2)])) != fingerprint_value(
        gpd.GeoSeries([shapely.Point(1, 3)])
    )
    lists = pd.DataFrame({"a": [[1], [2]]})
    assert fingerprint_value(lists) != fingerprint_value(pd.DataFrame({"a": [[1], [3]]}))


@pytest.mark.parametrize("value", [threading.Lock(), (i for i in range(3)), sys.stdout])
def test_what_cannot_be_told_in_a_later_run_is_an_error(value):
    with pytest.raises(ArgumentError, match="in a later run"):
        fingerprint_value({"options": [value]})
    with pytest.raises(ArgumentError, match="in a later run"):
        fingerprint_function(lambda v: (v, value))


def test_what_holds_itself_ends():
    knot = [1]
    knot.append(knot)
    assert fingerprint_value(knot) == [1, "itself"]

    def countdown(n):
        return n and countdown(n - 1)

    assert fingerprint_function(countdown) == fingerprint_function(countdown)


FEATURES = Features(lon=[1.0, 2.0], lat=[3.0, 4.0], radius=[5.0, 6.0])
INDEX = pd.Index(["a", "b"])


@pytest.mark.parametrize(
    ("features", "index"),
    [
        (Features(lon=[1.0, 2.5], lat=[3.0, 4.0], radius=[5.0, 6.0]), INDEX),
        (Features(lon=[1.0, 2.0], lat=[3.0, 4.5], radius=[5.0, 6.0]), INDEX),
        (Features(lon=[1.0, 2.0], lat=[3.0, 4.0], radius=[5.0, 6.5]), INDEX),
        (FEATURES[::-1], INDEX),
        (FEATURES[:1], INDEX[:1]),
        (FEATURES, INDEX[::-1]),
        (FEATURES, pd.RangeIndex(2)),
        (FEATURES, pd.MultiIndex.from_tuples([("a", 1), ("b", 2)])),
    ],
)
def test_features_are_told_by_every_number_and_the_index(features, index):
    known = fingerprint_features(FEATURES, INDEX)
    assert fingerprint_features(FEATURES[:], INDEX.copy()) == known
    assert fingerprint_features(features, index) != known


SQUARE = shapely.box(0, 0, 1, 1)
REGIONS = [
    Annulus(0, 1),
    Annulus(0.5, 1),
    Annulus(0, 1, nvert=32),
    Sector(0, 1, 0.0, 90.0),
    Sector(0, 1, np.array([0.0, 10.0]), 90.0),
    Sector(0, 1, np.array([0.0, np.nan]), 90.0),
    Ellipse(np.array([2.0, 3.0]), 1.0, 0.0),
    Ellipse(np.array([2.0, 3.0]), 1.0, 0.0, size=2.0),
    Polygons(np.array([SQUARE, shapely.Polygon()], dtype=object)),
    Polygons(np.array([SQUARE, SQUARE], dtype=object)),
]


def test_regions_are_told_by_every_field():
    found = [fingerprint_region(region) for region in REGIONS]
    texts = {json.dumps(one, allow_nan=False) for one in found}
    assert len(texts) == len(REGIONS)
    assert [fingerprint_region(region.take(slice(None))) for region in REGIONS] == found


def test_a_file_is_told_by_its_state_wherever_one_works(path, monkeypatch):
    known = of_raster(path)
    monkeypatch.chdir(path.parent)
    assert of_raster("dem.tif") == known
    (path.parent / "dem.tif.aux.xml").write_text("<PAMDataset/>")
    assert of_raster(path) == known
    os.utime(path, ns=(1, 1))
    assert differences({"dem": known}, {"dem": of_raster(path)}) == [
        f"dem.files[0]: the file has changed ({path})"
    ]


def write_vrt(path, source):
    path.write_text(
        '<VRTDataset rasterXSize="36" rasterYSize="18"><GeoTransform>0, 1, 0, 0, 0, -1</GeoTransform>'
        '<VRTRasterBand dataType="Int16" band="1"><SimpleSource>'
        f'<SourceFilename relativeToVRT="1">{source.name}</SourceFilename>'
        "<SourceBand>1</SourceBand></SimpleSource></VRTRasterBand></VRTDataset>"
    )


def test_a_vrt_is_told_by_its_sources_and_theirs(path):
    inner, outer = path.with_name("inner.vrt"), path.with_name("outer.vrt")
    write_vrt(inner, path)
    write_vrt(outer, inner)
    known = of_raster(outer)
    assert [file["path"] for file in known["files"]] == [str(path), str(inner), str(outer)]
    os.utime(path, ns=(1, 1))
    assert of_raster(outer) != known


def test_a_file_in_an_archive_is_told_by_the_archive(path):
    archive = shutil.make_archive(str(path.parent / "maps"), "zip", path.parent, path.name)
    found = of_raster(f"/vsizip/{archive}/dem.tif")
    assert [file["path"] for file in found["files"]] == [archive]


@pytest.mark.parametrize("named", ["{}", 'ZARR:"{}":/dem'])
def test_a_folder_is_told_by_all_files_in_it(path, named):
    folder = path.with_name("dem.zarr")
    rasterio.shutil.copy(path, folder, driver="Zarr")
    name = named.format(folder)
    known = of_raster(name)
    chunk = next((folder / "dem").glob("0*"))
    os.utime(chunk, ns=(1, 2**62))
    assert of_raster(name) != known


def test_a_dataset_warped_otherwise_is_another(path):
    found = []
    for how in (Resampling.nearest, Resampling.nearest, Resampling.cubic):
        with rasterio.open(path) as dataset, WarpedVRT(dataset, resampling=how) as warped:
            found.append(of_raster(warped))
    assert found[0] == found[1] != found[2]


def test_datasets_are_told_as_their_files_are(path):
    with rasterio.open(path) as dataset:
        assert of_raster(dataset) == fingerprint_value(dataset) == of_raster(path)
        assert not dataset.closed


def test_files_in_memory_are_told_by_their_pixels(path):
    content = path.read_bytes()
    other = worlds.write(path.with_name("other.tif"), GRID, VALUES + 1, dtype="int16", nodata=7)
    found = []
    for data in (content, content, other.read_bytes()):
        with MemoryFile(data) as file, file.open() as dataset:
            found.append(of_raster(dataset))
    assert found[0] == found[1] != found[2]


def test_arrays_are_told_by_pixels_and_mask():
    masked = np.ma.masked_array(VALUES, mask=VALUES == 3)
    found = [of_raster(values) for values in (VALUES, VALUES + 1, VALUES * 1.0, masked, VALUES.T)]
    assert len({json.dumps(one) for one in found}) == 5
    assert of_raster(VALUES.copy()) == found[0]


def labelled(values=VALUES, x=GRID.lon, **options):
    return xr.DataArray(values, dims=("y", "x"), coords={"y": GRID.lat, "x": x}, **options)


def test_labelled_arrays_are_told_by_pixels_coordinates_and_attributes():
    found = [
        of_raster(array)
        for array in (
            labelled(),
            labelled(VALUES + 1),
            labelled(x=GRID.lon + 1),
            labelled(attrs={"scale_factor": 2.0}),
            labelled(name="dem"),
        )
    ]
    assert len({json.dumps(one) for one in found}) == 5
    assert of_raster(labelled()) == found[0]


@pytest.mark.filterwarnings("ignore:Use `@` matmul:PendingDeprecationWarning")
def test_a_changed_array_is_not_taken_for_its_file(path):
    with xr.open_dataarray(path, engine="rasterio") as array:
        lazy = of_raster(array)
        loaded = array.load()
        known = of_raster(loaded)
        loaded[0, 0, 0] = 99
        assert of_raster(loaded) != known
    assert [file["path"] for file in lazy["files"]] == [str(path)]


def test_dask_arrays_are_told_by_their_graph():
    chunked = labelled().chunk(6)
    assert of_raster(chunked) == of_raster(labelled().chunk(6))
    assert of_raster(chunked + 1) != of_raster(chunked)


def of_remote(path, name):
    """What tells a raster that is elsewhere, by its name."""
    raster = open_raster(path)
    dataset = raster.dataset()
    raster.name = name

    class Remote:
        files = ()
        driver = "GTiff"

    raster._dataset = Remote
    found = fingerprint_raster(raster)
    dataset.close()
    return found


AMAZON = "X-Amz-Algorithm=AWS4&X-Amz-Credential=me%2F20260101&X-Amz-Date=1&X-Amz-Signature=secret"
SIGNED = [
    ("https://host/dem.tif", "https://me:word@host/dem.tif"),
    ("https://host/dem.tif", "https://me:w@rd@host/dem.tif?signature=secret"),
    ("https://host/dem.tif", f"https://host/dem.tif?{AMAZON}"),
    ("https://host/dem.tif", "https://host/dem.tif?Expires=1&Signature=s&Key-Pair-Id=k&Policy=p"),
    ("https://host/dem.tif", "https://host/dem.tif?sv=2&st=1&se=2&sr=b&sp=r&spr=https&sig=s"),
    ("https://host/get?file=a.tif", "https://host/get?token=secret&file=a.tif"),
    ("https://host/get?a=1&b=2", "https://host/get?a=1&access_token=secret&b=2"),
    ("/vsicurl/https://host/a.tif", "/vsicurl?max_retry=3&url=https%3A//me:word@host/a.tif"),
    ("/vsicurl/https://h/get?f=a&v=1", "/vsicurl?url=https%3A//h/get%3Ff%3Da%26v%3D1%26sig%3Ds"),
    ("/vsizip/vsicurl/https://h/a.zip?/dem.tif", "/vsizip/vsicurl/https://h/a.zip?sig=s/dem.tif"),
    ('NETCDF:"/vsicurl/https://h/a.nc":dem', 'NETCDF:"/vsicurl/https://h/a.nc?sig=s":dem'),
]


@pytest.mark.parametrize(("plain", "signed"), SIGNED)
def test_signatures_and_passwords_do_not_matter_and_are_not_kept(path, plain, signed):
    found = of_remote(path, signed)
    assert found == of_remote(path, plain)
    assert not any(secret in found["name"] for secret in ("me:", "word", "w@rd", "secret", "=s"))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("http://x/get?file=a.tif", "http://x/get?file=b.tif"),
        ("http://x/get?file=a.tif&sig=s", "http://x/get?file=b.tif&sig=s"),
        ("http://x/get?a=1&b=2", "http://x/get?b=2&a=1"),
        ("http://x/get?my-token=1", "http://x/get?my-token=2"),
        ("http://x/get?sr=1", "http://x/get?sr=2"),
        ("/vsicurl?url=http%3A//x/a.tif", "/vsicurl?url=http%3A//x/b.tif"),
        ("/vsicurl?url=http%3A//x/get%3Ff%3Da", "/vsicurl?url=http%3A//x/get%3Ff%3Db"),
        (
            "/vsizip/vsicurl/http://x/a.zip?sig=s/a.tif",
            "/vsizip/vsicurl/http://x/a.zip?sig=s/b.tif",
        ),
        ('NETCDF:"/vsicurl/http://x/a.nc?sig=s":a', 'NETCDF:"/vsicurl/http://x/a.nc?sig=s":b'),
        ("<VRTDataset><a/></VRTDataset>", "<VRTDataset><b/></VRTDataset>"),
    ],
)
def test_rasters_elsewhere_are_told_by_the_rest_of_their_address(path, one, other):
    assert of_remote(path, one) != of_remote(path, other)


def test_what_a_description_in_xml_holds_is_not_kept(path):
    found = of_remote(path, "<GDAL_WMS><UserPwd>me:word</UserPwd></GDAL_WMS>")
    assert "word" not in found["name"]


SCRIPT = """
import functools
import numpy as np

LIMIT = 3
NAMES = {"one", "two", "three", "four"}

def scale(v):
    return v * FACTOR

FACTOR = 2

def spread(v, *, tail=0.1):
    '''Spread without tails.'''
    def inner(w):
        return [x for x in w if x in {"a", "b", "c"} or x > LIMIT]
    return scale(np.ptp(inner(v))) + len(NAMES) + tail

def make(limit):
    return lambda v: (v > limit).mean()

class Above:
    power = 2
    def __init__(self, limit):
        self.limit, self.names = limit, {"x", "y", "z"}
    def __call__(self, v):
        return self.share(v) ** self.power
    def share(self, v):
        return (v > self.limit).mean()

functions = [
    spread, lambda v: (v > 5).mean(), make(5), Above(5), Above(5).share, functools.partial(spread, tail=0.2),
    np.ptp, np.maximum, np.vectorize(lambda x: x + 1), len, "abc".count,
]
"""

PRINTING = """
import json
from craterkit.results.fingerprints import fingerprint_function, fingerprint_value

print(json.dumps([fingerprint_function(function) for function in functions]))
print(fingerprint_value(NAMES))
"""

#: What a change must change: positions among the functions.
CHANGES = {
    "LIMIT = 4": {0, 5},
    "FACTOR = 3": {0, 5},
    "NAMES = {'one'}": {0, 5},
    "def scale(v): return v + FACTOR": {0, 5},
    "functions[1] = lambda v: (v > 6).mean()": {1},
    "functions[1] = lambda v: (v >= 5).mean()": {1},
    "functions[1] = lambda v: (v > 5).sum()": {1},
    "functions[1] = lambda w: (w > 5).mean()": set(),
    "\n\n\nfunctions[2] = make(5)": set(),
    "functions[2] = make(6)": {2},
    "functions[3] = Above(6)": {3},
    "Above.power = 3": {3, 4},
    "Above.share = lambda self, v: 1.0": {3, 4},
    "functions[5] = functools.partial(spread, tail=0.3)": {5},
    "functions[8] = np.vectorize(lambda x: x + 2)": {8},
    "functions[10] = 'abd'.count": {10},
}


def in_a_process(seed, script=SCRIPT + PRINTING):
    return subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, "PYTHONHASHSEED": str(seed)},
        capture_output=True,
        text=True,
        check=True,
    ).stdout


def after(change):
    """Fingerprints of the script's functions after a change to it."""
    namespace = {"__name__": "__main__"}
    exec(SCRIPT + change, namespace)
    return [fingerprint_function(function) for function in namespace["functions"]]


def test_functions_are_the_same_in_another_process():
    printed = in_a_process(1)
    assert in_a_process(2) == printed
    assert json.loads(printed.partition("\n")[0]) == after("")


@pytest.mark.parametrize("change", CHANGES)
def test_functions_differ_once_they_do_another_thing(change):
    pairs = zip(after(""), after(change), strict=True)
    assert {i for i, (one, other) in enumerate(pairs) if one != other} == CHANGES[change]


REFERRING = """
import abc, dataclasses, enum, functools, re, threading, types
import logging
import numpy as np
import pandas as pd

@dataclasses.dataclass
class Config:
    limit: float
    def above(self, v):
        return v > self.limit

class Mode(enum.Enum):
    LOW, HIGH = 1, 2

class Base(abc.ABC):
    def power(self):
        return POWER

class Above(Base):
    def __init__(self, limit):
        self.limit = limit
    def __call__(self, v):
        return (v > self.limit).mean() ** self.power() * self.scaled
    @property
    def scaled(self):
        return SCALE
    @classmethod
    def made(cls, limit=3):
        return cls(limit)
    @staticmethod
    def shared():
        return cycle

POWER, SCALE, LOCK, LOG = 2, 3, threading.Lock(), logging.getLogger("log")
SERIES, CONFIG, SPACE = pd.Series([1, 2], index=["a", "b"]), Config(1.0), types.SimpleNamespace(t=1)
POLYNOMIAL, PATTERN, ABOVE = np.poly1d([1, 2]), re.compile("a"), Above(1)
SEARCH, NESTED, RANDOM = re.compile("a").search, {"one": [Config(1.0)]}, np.random.default_rng(1)
LOCKED = {"lock": LOCK, "limit": 1}

def cycle(v):
    return Above.made()(v), friends

def friend(v):
    return cycle(v)

friends = {cycle, friend, "a", "b", "c"}

def tuned(v):
    return v.mean() * tuned.factor

tuned.factor = 1

class Times:
    def __init__(self, function, factor):
        functools.update_wrapper(self, function)
        self.factor = factor
    def __call__(self, v):
        return self.factor * self.__wrapped__(v)

wrapped = Times(len, 2)

@functools.lru_cache
def kept(v):
    return STEP

STEP = 1

functions = {
    "wrapped": wrapped,
    "kept": lambda v: kept(v),
    "series": lambda v: SERIES["a"],
    "config": lambda v: CONFIG.above(v),
    "space": lambda v: SPACE.t,
    "polynomial": lambda v: POLYNOMIAL(v),
    "pattern": lambda v: PATTERN,
    "search": lambda v: SEARCH("a"),
    "nested": lambda v: NESTED,
    "mode": lambda v: Mode.HIGH.value,
    "object": lambda v: ABOVE(v),
    "class": lambda v: Above(2)(v),
    "made": Above.made,
    "called": Above(1),
    "cycle": cycle,
    "attribute": tuned,
    "others": lambda v: (LOG.name, LOCKED, RANDOM.normal()),
}
"""

OF_ABOVE = {"object", "class", "made", "called", "cycle"}
REFERRED = {
    "": set(),
    "SERIES = pd.Series([1, 3], index=['a', 'b'])": {"series"},
    "SERIES = pd.Series([1, 2], index=['b', 'a'])": {"series"},
    "CONFIG = Config(2.0)": {"config"},
    "Config.above = lambda self, v: v < self.limit": {"config", "nested"},
    "SPACE.t = 2": {"space"},
    "POLYNOMIAL = np.poly1d([1, 3])": {"polynomial"},
    "PATTERN = re.compile('b')": {"pattern"},
    "SEARCH = re.compile('b').search": {"search"},
    "NESTED['one'][0].limit = 2": {"nested"},
    "class Mode(enum.Enum):\n    LOW, HIGH = 1, 3": {"mode"},
    "ABOVE = Above(2)": {"object"},
    "POWER = 3": OF_ABOVE,
    "SCALE = 4": OF_ABOVE,
    "Base.power = lambda self: 1": OF_ABOVE,
    "Above.made.__func__.__defaults__ = (4,)": OF_ABOVE,
    "friends = {cycle, 'a'}": OF_ABOVE,
    "tuned.factor = 2": {"attribute"},
    "wrapped.factor = 3": {"wrapped"},
    "STEP = 2": {"kept"},
    "LOCKED['limit'] = 2": {"others"},
    "LOCKED['lock'] = threading.Lock(); RANDOM.normal()": set(),
}


def referring(change):
    namespace = {"__name__": "__main__"}
    exec(REFERRING + change, namespace)
    return {name: fingerprint_function(f) for name, f in namespace["functions"].items()}


@pytest.mark.parametrize("change", REFERRED)
def test_functions_differ_with_whatever_they_refer_to(change):
    before, now = referring(""), referring(change)
    assert {name for name in before if before[name] != now[name]} == REFERRED[change]


def test_what_functions_refer_to_is_the_same_in_another_process():
    printing = PRINTING.replace("in functions]", "in functions.values()]").partition("print(f")[0]
    found = [in_a_process(seed, REFERRING + printing) for seed in (1, 2)]
    assert found[0] == found[1]
    assert json.loads(found[0]) == list(referring("").values())


class Knot:
    pass


KNOTS = [Knot() for _ in range(300)]
for knot, following in zip(KNOTS, [*KNOTS[1:], KNOTS[0]], strict=True):
    knot.next, knot.all = following, KNOTS


def test_what_holds_too_much_within_each_other_counts_by_type_where_it_is_referred_to():
    assert fingerprint_function(lambda v: KNOTS) == fingerprint_function(lambda v: KNOTS)
    with pytest.raises(ArgumentError, match="within each other"):
        fingerprint_value(KNOTS)


def test_an_installed_class_counts_by_name():
    assert fingerprint_function(np.ndarray) == "numpy.ndarray"
    assert fingerprint_function(Knot) != f"{__name__}.Knot"


def test_a_function_is_named_where_it_differs():
    one, other = (fingerprint_function(partial(np.percentile, q=q)) for q in (5, 6))
    assert differences({"f": one}, {"f": other}) == ["f: has changed"]
    assert differences({"f": one}, {"f": fingerprint_function(len)}) == [
        "f: 'functools.partial(numpy.percentile)' there, 'builtins.len' now"
    ]


def test_differences_are_listed_once_and_not_without_end():
    there = {str(number): number for number in range(30)}
    found = differences(there, {})
    assert len(found) == LISTED + 1
    assert found[0] == "0: 0 there, nothing now"
    assert found[-1] == f"{30 - LISTED} more"
    assert differences(there, dict(reversed(there.items()))) == []
