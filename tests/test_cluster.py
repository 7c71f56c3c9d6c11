"""Workers of a Dask cluster find what threads here find, and what goes wrong there is told here."""

from __future__ import annotations

import logging
import os
import pickle
import subprocess
import sys
import zipfile
from contextlib import chdir, contextmanager, nullcontext
from functools import partial
from pathlib import Path

import cloudpickle
import numpy as np
import pandas as pd
import psutil
import pyproj
import pytest
import rasterio
import shapely
import xarray as xr
from affine import Affine
from distributed import Client, LocalCluster
from numpy.testing import assert_allclose, assert_array_equal
from pandas.testing import assert_frame_equal

from craterkit import CraterDatabase, Flag
from craterkit.cluster import errands, workers
from craterkit.errors import (
    ArgumentError,
    ClusterError,
    RasterError,
    UnreadableWarning,
)
from craterkit.extraction import cluster_walk, get_stats
from craterkit.statistics.registry import STATISTICS
from surveys import (
    GRID,
    MEMORY,
    PATIENCE,
    alive,
    corrupt,
    database,
    fatal,
    fatal_once,
    features,
    have_pixels_in,
    rows,
    slopes,
    spread,
    steep,
    wait_for,
    write_field,
)
from worlds import MOON, metres

# Where polygons are drawn, rasterio silences it itself, but with several threads not always.
pytestmark = pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")

FRAME = features()
STATS = ["mean", "count", "std", "flags"]
NAMES = [name for name in STATISTICS if not name.endswith("_N")] + ["percentile_90", "frac_40"]


@pytest.fixture(scope="module")
def cluster():
    with LocalCluster(
        n_workers=2,
        threads_per_worker=1,
        dashboard_address="127.0.0.1:0",
        silence_logs=logging.ERROR,
    ) as cluster:
        yield cluster


@pytest.fixture
def client(cluster):
    with Client(cluster) as client:
        client.wait_for_workers(2)
        yield client


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("rasters")
    write_field(folder / "field.tif", lambda lon, lat: np.round(rows(lon, lat)), dtype="int16")
    both = np.stack([rows(*GRID.mesh), slopes(*GRID.mesh)])
    write_field(folder / "two.tif", both, nodata=float(both[0, 90, 0]), scale=0.5, offset=3.0)
    write_field(folder / "slopes.tif", slopes, mask=slopes(*GRID.mesh) > 8.0)
    write_field(folder / "weights.tif", lambda lon, lat: 1.5 + np.sin(np.radians(2 * lon + lat)))
    write_polar(folder / "polar.tif")
    return folder


def write_polar(path, size=200):
    """A polar stereographic map of half the body."""
    pixel = 4.2 * MOON / size
    crs = pyproj.CRS.from_user_input(f"+proj=stere +lat_0=90 +R={MOON} +units=m")
    y, x = np.indices((size, size)) - size / 2
    profile = {"tiled": True, "blockxsize": 16, "blockysize": 16, "compress": "deflate"}
    with rasterio.open(
        path,
        "w",
        driver="GTiff",
        count=1,
        height=size,
        width=size,
        dtype="float32",
        crs=rasterio.CRS.from_wkt(crs.to_wkt()),
        transform=Affine(pixel, 0.0, -size / 2 * pixel, 0.0, -pixel, size / 2 * pixel),
        **profile,
    ) as file:
        file.write(np.hypot(x, y / 3).astype("float32"), 1)


def craters(frame=FRAME):
    """A database with regions of every kind."""
    size = len(frame)
    major = frame["radius_m"] * (1.0 + np.arange(size) % 3 / 2)
    cdb = database(
        frame.assign(major=major, minor=frame["radius_m"] * 0.8, turn=np.arange(size) * 7.0)
    )
    cdb.add_ellipses("ellipse", "major", "minor", "turn", units="m")
    cdb.add_sectors("sector", 0.2, 1.4, 300, 60)
    cdb.add_circles("gon", 1.0, nvert=9)
    shapes = [
        shapely.box(lon - 2.0, max(lat - 3.0, -89.0), lon + 2.5, min(lat + 2.0, 89.0))
        for lon, lat in zip(frame["lon"], frame["lat"], strict=True)
    ]
    cdb.add_regions("given", shapes)
    return cdb


def both_ways(client, method, *given, **arguments):
    """What a method gives with threads here, and on the cluster."""
    arguments = {"max_memory": MEMORY, "progress": False, **arguments}
    return method(*given, n_jobs=2, **arguments), method(*given, client=client, **arguments)


def assert_same(found, expected):
    """Counts and flags bit for bit, all other numbers to 1e-12."""
    assert list(found) == list(expected)
    for name in expected.columns:
        one, other = found[name], expected[name]
        if name.startswith(("count", "flags", "nodata", "unique")) or one.dtype == object:
            assert one.equals(other), name
        elif one.dtype.kind in "if":
            assert_allclose(one, other, rtol=1e-12, atol=1e-12, err_msg=name)


def test_the_statistics_are_all_here():
    assert {"mean", "median", "clipped_mean", "argmax_lon", "valid_fraction", "frac"} <= set(NAMES)


SURVEYS = {
    "every statistic": {
        "stats": [*NAMES, {"spread": spread, "range_": np.ptp}],
        "coverage": "center",
    },
    "every kind of region": {"regions": ["rim", "ellipse", "sector", "gon", "given"]},
    "shares and areas": {
        "stats": [*STATS, "sum", "median"],
        "coverage": "fraction",
        "weights": "area",
    },
    "rasters and bands": {
        "rasters": ["two.tif", "field.tif"],
        "bands": 1,
        "regions": ["rim", "gon"],
    },
    "all bands": {"rasters": "two.tif", "bands": "all", "nodata": 12.0, "scaled": False},
    "neighbours": {"exclude": "neighbors", "exclude_size": 1.2, "regions": ["floor", "rim"]},
    "a condition": {"where": "slopes.tif"},
    "a raster of weights": {
        "weights": "weights.tif",
        "stats": [*STATS, "valid_fraction", "median"],
    },
    "a polar map": {"rasters": "polar.tif", "regions": ["rim", "ellipse"], "coverage": "fraction"},
    "aligned": {"rasters": "polar.tif", "where": "slopes.tif", "align": "nearest"},
    "little valid": {"rasters": "two.tif", "min_valid_fraction": 0.99, "stats": ["mean", "flags"]},
}


@pytest.mark.filterwarnings("ignore::craterkit.errors.OutsideRasterWarning")
@pytest.mark.parametrize("survey", SURVEYS.values(), ids=SURVEYS)
def test_statistics_are_those_of_threads(client, folder, survey):
    survey = {"rasters": "field.tif", "regions": ["floor", "rim"], "stats": STATS, **survey}
    names = survey.pop("rasters")
    rasters = folder / names if isinstance(names, str) else [folder / name for name in names]
    if "where" in survey:
        survey["where"] = {folder / survey["where"]: steep}
    if survey.get("weights", "").endswith(".tif"):
        survey["weights"] = folder / survey["weights"]
    cdb = craters()
    expected, found = both_ways(client, cdb.get_stats, rasters, **survey)
    assert_same(found, expected)


@pytest.mark.parametrize("where", [False, True])
def test_arrays_are_those_of_threads(client, folder, where):
    arguments = {"where": {folder / "slopes.tif": steep}} if where else {"georeferenced": True}
    cdb = craters()
    expected, found = both_ways(
        client, cdb.get_arrays, folder / "field.tif", ["rim", "given"], **arguments
    )
    assert list(found) == list(expected)
    for region in ("rim", "given"):
        for one, other in zip(found[region], expected[region], strict=True):
            assert one.dtype == other.dtype
            assert_array_equal(one.mask, other.mask)
            assert_array_equal(one.filled(-1), other.filled(-1))
    if not where:
        assert found["rim_transform"].tolist() == expected["rim_transform"].tolist()


def test_arrays_come_one_by_one_in_the_same_order(client, folder):
    expected, found = (
        list(arrays)
        for arrays in both_ways(client, craters().iter_arrays, folder / "two.tif", ["floor", "gon"])
    )
    assert [name for name, _ in found] == [name for name, _ in expected]
    for (_, one), (_, other) in zip(found, expected, strict=True):
        assert_array_equal(one.filled(-1), other.filled(-1))


def test_pixels_are_those_of_threads(client, folder):
    expected, found = both_ways(
        client,
        craters().get_pixels,
        [folder / "two.tif", folder / "field.tif"],
        ["rim", "sector"],
        coverage="fraction",
        weights="area",
        exclude="neighbors",
    )
    assert_frame_equal(found, expected, rtol=1e-12, atol=1e-12 * expected["weight"].max())


def test_a_file_goes_on_elsewhere(client, folder, tmp_path, monkeypatch):
    monkeypatch.setattr(get_stats, "CHECKPOINT_SECONDS", 0.0)
    cdb, out = craters(), tmp_path / "stats.parquet"
    arguments = {"max_memory": MEMORY, "progress": False, "out": out}
    expected = cdb.get_stats(folder / "field.tif", "rim", STATS)

    with monkeypatch.context() as patch:
        collect, calls = get_stats.StatisticsTable.collect, []

        def some(self, chunk, result):
            calls.append(chunk)
            if len(calls) > 1:
                raise RuntimeError("enough")
            collect(self, chunk, result)

        patch.setattr(get_stats.StatisticsTable, "collect", some)
        with pytest.raises(RuntimeError, match="enough"):
            cdb.get_stats(folder / "field.tif", "rim", STATS, client=client, **arguments)
    assert list((tmp_path / "stats.parquet.partial" / "parts").iterdir())
    cdb.get_stats(folder / "field.tif", "rim", STATS, n_jobs=1, **arguments)
    assert_same(pd.read_parquet(out), pd.DataFrame(expected))


def test_a_worker_that_dies_costs_nothing_but_time(client, folder, tmp_path):
    cdb, marker = craters(), tmp_path / "dead"
    where = {folder / "slopes.tif": partial(fatal_once, marker)}
    found = cdb.get_stats(
        folder / "field.tif", ["floor", "rim"], STATS, where=where, client=client, max_memory=MEMORY
    )
    assert marker.exists()
    passing = {folder / "slopes.tif": np.isfinite}
    expected = cdb.get_stats(folder / "field.tif", ["floor", "rim"], STATS, where=passing)
    assert_same(found, expected)
    client.wait_for_workers(2)


def test_work_that_kills_every_worker_is_an_error(client, cluster, folder, monkeypatch):
    monkeypatch.setattr(cluster.scheduler, "allowed_failures", 0)
    with pytest.raises(ClusterError, match=r"rows 0 to \d+ died again and again"):
        craters().get_stats(
            folder / "field.tif",
            "rim",
            where={folder / "slopes.tif": fatal},
            client=client,
            max_memory=MEMORY,
        )
    client.wait_for_workers(2)


def test_errors_of_workers_arrive_as_they_are(client, folder):
    def fail(values):
        raise ValueError("too few")

    with pytest.raises(ArgumentError, match=r"the condition on .* failed: ValueError: too few"):
        craters().get_stats(
            folder / "field.tif", "rim", where={folder / "slopes.tif": fail}, client=client
        )


@pytest.mark.parametrize("argument", ["rasters", "where"])
def test_a_raster_that_workers_do_not_find(client, folder, argument):
    with rasterio.MemoryFile((folder / "slopes.tif").read_bytes(), ext=".tif") as memory:
        where = {memory.name: steep} if argument == "where" else None
        raster = memory.name if argument == "rasters" else folder / "field.tif"
        with pytest.raises(RasterError, match="worker of the cluster cannot open") as caught:
            craters().get_stats(raster, "rim", where=where, client=client)
        assert memory.name in str(caught.value)
        assert "every worker must find it under this name" in str(caught.value)


def test_relative_names_mean_files_of_this_process(client, folder, monkeypatch):
    monkeypatch.chdir(folder)
    expected, found = both_ways(
        client,
        craters().get_stats,
        {"field": "field.tif"},
        "rim",
        STATS,
        where={"slopes.tif": steep},
        weights="weights.tif",
    )
    assert_same(found, expected)


def test_what_lies_in_memory_is_refused(client, folder):
    cdb = craters()
    array = np.zeros(GRID.shape)
    place = {"transform": GRID.transform, "raster_crs": "planetocentric"}
    labelled = xr.DataArray(array, {"lat": GRID.lat, "lon": GRID.lon}, ("lat", "lon"))
    field = folder / "field.tif"
    for argument, call in {
        "rasters": lambda: cdb.get_stats(array, "rim", client=client, **place),
        "dem": lambda: cdb.get_arrays({"dem": array}, "rim", client=client, **place),
        "labelled": lambda: cdb.get_pixels(
            {"labelled": labelled}, "rim", client=client, raster_crs="planetocentric"
        ),
        "where": lambda: cdb.get_stats(field, "rim", where=[(array, 1)], client=client),
        "weights": lambda: cdb.get_stats(field, "rim", weights=array, client=client),
    }.items():
        with pytest.raises(ArgumentError, match=f"^{argument}: the .* lies in the memory"):
            call()


def test_spoilt_blocks_are_flagged_by_workers_too(client, tmp_path):
    path = write_field(tmp_path / "field.tif")
    window = corrupt(path, 5, 11)
    with pytest.raises(RasterError, match=f"{path}: band 1 cannot be read in {window}"):
        craters().get_stats(path, "floor", client=client)
    with pytest.warns(UnreadableWarning):
        found = craters().get_stats(path, "floor", coverage="center", errors="flag", client=client)
    unread = (found["flags_floor"] & Flag.UNREADABLE) != 0
    assert_array_equal(unread, have_pixels_in(FRAME, [window], 0.0, 1.0))


class Inline:
    """A client that does everything at once in this process, on copies as they would be sent.

    Within the context that `elsewhere` makes.
    """

    status, asynchronous = "running", False

    def __init__(self, elsewhere=nullcontext):
        self.sizes, self.results, self.features, self.budgets = [], [], [], []
        self._elsewhere = elsewhere

    def scheduler_info(self):
        return {}

    def nthreads(self):
        return {"here": 2}

    def submit(self, function, *, pure):
        assert not pure
        sent = cloudpickle.dumps(function)
        self.sizes.append(len(sent))
        subject, _ = pickle.loads(function.__self__.own)
        self.features.append(len(subject.features))
        self.budgets.append(pickle.loads(function.__self__.common).budget)
        with self._elsewhere():
            future = Future(pickle.loads(sent))
        self.results.append(0 if future.exception(None) else len(future.result(None)))
        return future

    def cancel(self, futures):
        assert not futures


class Future:
    def __init__(self, work):
        self._answer, self._error = None, None
        try:
            self._answer = work()
        except Exception as error:
            self._error = error

    @property
    def status(self):
        return "finished" if self._error is None else "error"

    def exception(self, timeout):
        return self._error

    def result(self, timeout):
        if self._error is not None:
            raise self._error
        return self._answer


def test_errands_carry_no_polygons(folder):
    frame = features(20_000, seed=3)
    frame["radius_m"] = metres(0.5)
    frame.loc[0, "radius_m"] = metres(40.0)
    cdb = CraterDatabase(frame, "moon", units="m")
    cdb.add_circles("floor", 1.0)
    cdb.add_annuli("rim", 1.0, 1.5)
    client = Inline()
    regions = ["floor", "rim"]
    found = cdb.get_stats(folder / "field.tif", regions, STATS, client=client, max_memory="8 MiB")
    assert len(client.sizes) > 4
    assert sum(client.sizes) < 100 * sum(client.features)
    # Few features are of more than one errand.
    assert sum(client.features) < 2 * len(frame)
    assert_frame_equal(found, cdb.get_stats(folder / "field.tif", regions, STATS), rtol=1e-12)


def test_errands_are_small_however_much_meets_a_block(folder, monkeypatch):
    frame = features(3000, seed=4)
    cdb = database(frame)
    expected = cdb.get_stats(folder / "field.tif", "floor", [*STATS, "median"])
    sizes = []
    for module, constant, limit in (
        (cluster_walk, "ERRAND_ROIS", 100),
        (cluster_walk, "ERRAND_BYTES", 10_000),
        (workers, "AHEAD", 2),
    ):
        with monkeypatch.context() as patch:
            patch.setattr(module, constant, limit)
            client = Inline()
            found = cdb.get_stats(
                folder / "field.tif", "floor", [*STATS, "median"], client=client, progress=False
            )
        assert_same(found, expected)
        sizes.append((max(client.features), max(client.sizes)))
    few, short, usual = sizes
    assert few[0] < 110 < usual[0]
    # What is the same for all errands comes on top.
    assert short[1] <= 10_000 + 5_000 < usual[1]


def test_results_are_small_however_many_pixels_meet_a_block(folder):
    cdb = database(features(3000, seed=4))
    arguments = {"max_memory": "4 MiB", "progress": False}
    expected = cdb.get_arrays(folder / "field.tif", "floor", **arguments)
    client = Inline()
    found = cdb.get_arrays(folder / "field.tif", "floor", client=client, **arguments)
    for one, other in zip(found["floor"], expected["floor"], strict=True):
        assert_array_equal(one.filled(-1), other.filled(-1))
    assert max(client.results) < 100_000 < 1_000_000 < sum(client.results)


def test_processes_of_its_own_share_the_memory(folder, monkeypatch):
    client = Inline()
    monkeypatch.setattr("distributed.LocalCluster", lambda **_: nullcontext())
    monkeypatch.setattr("distributed.Client", lambda _: nullcontext(client))
    craters().get_stats(
        folder / "field.tif", "rim", scheduler="processes", n_jobs=4, max_memory="8 MiB"
    )
    craters().get_stats(folder / "field.tif", "rim", client=client, max_memory="8 MiB")
    assert {budget.memory for budget in client.budgets} == {2 * 2**20, 8 * 2**20}


@pytest.mark.parametrize("form", [zip, lambda *both: map(list, zip(*both, strict=True))])
def test_a_condition_that_can_be_read_once_holds_everywhere(folder, tmp_path, form):
    def where(condition=steep):
        return form([folder / "slopes.tif"], [condition])

    cdb, field, out = craters(), folder / "field.tif", tmp_path / "stats.parquet"
    expected = cdb.get_stats(field, "rim", STATS, where=list(where()))
    assert not expected.equals(cdb.get_stats(field, "rim", STATS))
    assert_same(cdb.get_stats(field, "rim", STATS, where=where(), client=Inline()), expected)
    cdb.get_stats(field, "rim", STATS, where=where(), out=out)
    with pytest.raises(ArgumentError, match="where"):
        cdb.get_stats(field, "rim", STATS, where=where(np.isfinite), out=out)


@pytest.mark.parametrize("where", [dict, list])
def test_values_that_can_be_read_once_hold_everywhere(folder, where):
    cdb, field = craters(), folder / "field.tif"
    given = [(field, iter([90, 91]))]
    found = cdb.get_stats(field, "floor", "count", where=where(given), client=Inline())
    assert_same(found, cdb.get_stats(field, "floor", "count", where={field: [90, 91]}))


def test_bands_that_can_be_read_once_are_those_of_all_rasters(folder):
    cdb, rasters = craters(), {"one": folder / "two.tif", "other": folder / "two.tif"}
    expected = cdb.get_stats(rasters, "rim", STATS, bands=[2, 1])
    assert_same(cdb.get_stats(rasters, "rim", STATS, bands=iter([2, 1])), expected)
    found = cdb.get_stats(rasters, "rim", STATS, bands=iter([2, 1]), client=Inline())
    assert_same(found, expected)


def test_pixels_without_a_weight_are_left_out_by_workers_too(folder, tmp_path):
    weights = write_field(tmp_path / "weights.tif", mask=slopes(*GRID.mesh) > 8.0)
    arguments = {"weights": weights, "columns": ["row", "value"]}
    expected = craters().get_pixels(folder / "field.tif", "rim", **arguments)
    assert len(expected) < len(craters().get_pixels(folder / "field.tif", "rim"))
    found = craters().get_pixels(folder / "field.tif", "rim", client=Inline(), **arguments)
    assert_frame_equal(found, expected)


@pytest.mark.parametrize(
    "name",
    ["vrt://field.tif", "GTIFF_DIR:1:field.tif", "/vsizip/maps.zip/field.tif", "./field.tif"],
)
def test_relative_names_within_names_of_gdal(folder, tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "field.tif").write_bytes((folder / "field.tif").read_bytes())
    with zipfile.ZipFile("maps.zip", "w") as archive:
        archive.write("field.tif")
    client = Inline(elsewhere=lambda: chdir("/"))
    expected = craters().get_stats(name, "rim", STATS)
    assert_same(craters().get_stats(name, "rim", STATS, client=client), expected)


def changed(path, **profile):
    """Write a raster anew with another profile, at the same place."""
    with rasterio.open(path) as file:
        values, profile = file.read(), {**file.profile, **profile}
        scale, offset = profile.pop("scale", 1.0), profile.pop("offset", 0.0)
    with rasterio.open(path, "w", **profile) as file:
        file.write(values[:, : profile["height"]].astype(profile["dtype"]))
        file.scales, file.offsets = [scale], [offset]


OTHERS = {
    "it has 90 x 360 pixels, not 180 x 360": {"height": 90},
    "its affine transform puts pixels up to 2 pixels elsewhere": {
        "transform": Affine(1.0, 0.0, GRID.transform.c + 2.0, 0.0, -1.0, 90.0)
    },
    "band 1 has dtype float32, not float64": {"dtype": "float32"},
    "band 1 has nodata 7.0, not None": {"nodata": 7.0},
    "band 1 has nodata nan, not None": {"nodata": np.nan},
    "band 1 has scale 2.0, not 1.0": {"scale": 2.0},
    "band 1 has offset 5.0, not 0.0": {"offset": 5.0},
}


@pytest.mark.parametrize("argument", ["rasters", "where", "weights"])
@pytest.mark.parametrize("difference", OTHERS)
def test_another_raster_under_the_same_name(folder, tmp_path, argument, difference):
    other = write_field(tmp_path / "other.tif")

    @contextmanager
    def elsewhere():
        changed(other, **OTHERS[difference])
        yield

    raster = other if argument == "rasters" else folder / "field.tif"
    companion = {"where": {other: steep}, "weights": other}.get(argument)
    arguments = {} if companion is None else {argument: companion}
    with pytest.raises(RasterError, match="finds another raster under the name") as caught:
        craters().get_stats(raster, "rim", client=Inline(elsewhere), **arguments)
    assert f"{other}: {difference};" in str(caught.value)


def test_a_raster_that_lies_elsewhere_under_the_same_name(folder, tmp_path):
    write_polar(tmp_path / "polar.tif")

    @contextmanager
    def elsewhere():
        south = pyproj.CRS.from_user_input(f"+proj=stere +lat_0=-90 +R={MOON} +units=m")
        changed(tmp_path / "polar.tif", crs=rasterio.CRS.from_wkt(south.to_wkt()))
        yield

    with pytest.raises(RasterError, match="its coordinates are"):
        craters().get_stats(tmp_path / "polar.tif", "rim", client=Inline(elsewhere))


def test_a_raster_without_data_is_itself_on_workers(folder, tmp_path):
    """NaN as nodata equals itself here."""
    path = write_field(tmp_path / "field.tif", nodata=np.nan)
    expected = craters().get_stats(path, "rim", STATS)
    assert_same(craters().get_stats(path, "rim", STATS, client=Inline()), expected)


def test_workers_need_the_same_version(folder, monkeypatch):
    @contextmanager
    def elsewhere():
        with monkeypatch.context() as patch:
            patch.setattr(errands, "__version__", "0.0.1")
            yield

    with pytest.raises(ClusterError, match=r"a worker of the cluster has craterkit 0\.0\.1, but"):
        craters().get_stats(folder / "field.tif", "rim", client=Inline(elsewhere))


def test_a_cluster_without_workers_is_an_error(folder):
    client = Inline()
    client.nthreads = dict
    with pytest.raises(ClusterError, match="no workers"):
        craters().get_stats(folder / "field.tif", "rim", client=client)


@pytest.mark.parametrize("argument", [{"n_jobs": 2}, {"scheduler": "processes"}])
def test_a_client_has_its_own_workers(folder, argument):
    with pytest.raises(ArgumentError, match=f"{next(iter(argument))} is of no use with client="):
        craters().get_stats(folder / "field.tif", "rim", client=Inline(), **argument)


def test_what_is_no_client_or_scheduler_is_refused(folder):
    with pytest.raises(ArgumentError, match=r"not str; pass Client\('tcp://localhost:8786'\)"):
        craters().get_stats(folder / "field.tif", "rim", client="tcp://localhost:8786")
    with pytest.raises(ArgumentError, match="scheduler must be 'threads' or 'processes'"):
        craters().get_stats(folder / "field.tif", "rim", scheduler="dask")


def test_without_dask_the_error_says_what_to_install(folder, monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(ArgumentError, match=r'pip install "craterkit\[dask\]"'):
        craters().get_stats(folder / "field.tif", "rim", scheduler="processes")


def children():
    """Processes that came out of this one, but for the one that multiprocessing keeps for itself."""
    return {
        child
        for child in psutil.Process().children(recursive=True)
        if "resource_tracker" not in " ".join(child.cmdline())
    }


def test_a_cluster_of_its_own_is_gone_afterwards(folder):
    before = children()
    cdb = craters()
    arguments = {"max_memory": MEMORY, "progress": False, "n_jobs": 2}
    found = cdb.get_stats(folder / "field.tif", "rim", STATS, scheduler="processes", **arguments)
    assert_same(found, cdb.get_stats(folder / "field.tif", "rim", STATS, **arguments))
    wait_for(lambda: not alive(children() - before))


CALL = 'found = database().get_stats({name!r}, "floor", scheduler="processes", n_jobs=1); print(len(found))'


@pytest.mark.parametrize("guard", ["", 'if __name__ == "__main__": '])
def test_a_script_without_a_guard_is_told_so(folder, tmp_path, guard):
    script = tmp_path / "script.py"
    call = CALL.format(name=str(folder / "field.tif"))
    script.write_text(f"from surveys import database\n{guard}{call}\n")
    done = subprocess.run(
        [sys.executable, str(script)],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parent)},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    if guard:
        assert (done.returncode, done.stdout) == (0, f"{len(FRAME)}\n")
    else:
        assert done.returncode == 1
        last = done.stderr.splitlines()[-1]
        assert last.startswith("craterkit.errors.ClusterError: scheduler='processes'")
        assert 'under `if __name__ == "__main__":`' in last
        assert len(done.stderr.splitlines()) < 60
