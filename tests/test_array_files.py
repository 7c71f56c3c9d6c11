"""Files of arrays: what `get_arrays(..., out=...)` writes and `read_arrays` gives back."""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import worlds
from craterkit import CraterDatabase, read_arrays
from craterkit.bodies import get_body
from craterkit.errors import ArgumentError, OutputError, OutsideRasterWarning, RasterError
from craterkit.extraction.options import Options
from craterkit.extraction.sources import open_sources
from craterkit.results import array_files

GRID = worlds.lonlat(2.0)
RNG = np.random.default_rng(6)
VALUES = RNG.integers(-500, 500, (2, *GRID.shape)).astype(np.int16)

#: In the open, on the seam, at both poles, and one that is smaller than a pixel.
PLACES = worlds.table([10, 179, 45, -70, 3], [5, -40, 89, -90, 7], worlds.metres(9.3))
PLACES.index = ["open", "seam", "north", "south", "tiny"]
PLACES.loc["tiny", "radius_m"] = 10.0


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("rasters")
    worlds.write(folder / "two.tif", GRID, VALUES, dtype="int16", nodata=7, block=16)
    worlds.write(folder / "scaled.tif", GRID, VALUES[0], dtype="int16", scale=0.1, offset=3.0)
    worlds.write(folder / "float.tif", GRID, VALUES[0] / 3, dtype="float32", nodata=np.nan)
    worlds.write(folder / "whole.tif", GRID, np.ones(GRID.shape), dtype="uint8")
    worlds.write(folder / "part.tif", worlds.patch(10, 5, 2.0, 9), VALUES[0, :9, :9], dtype="int32")
    return folder


def database(table=PLACES):
    cdb = CraterDatabase(table, "moon")
    cdb.add_annuli("rim", 0.5, 1)
    cdb.add_circles("floor", 0.5)
    return cdb


@pytest.fixture(scope="module")
def cdb():
    return database()


@pytest.fixture(scope="module")
def one_by_one(cdb, folder, tmp_path_factory):
    """A file in which every array is a row group of its own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(array_files, "GROUP_BYTES", 1)
        out = tmp_path_factory.mktemp("features") / "a.parquet"
        return cdb.get_arrays(folder / "two.tif", ["rim", "floor"], out=out)


def check_same(array, expected):
    """Bit for bit, but for what lies under the mask."""
    assert type(array) is np.ma.MaskedArray
    assert (array.dtype, array.shape) == (expected.dtype, expected.shape)
    assert (array.mask is np.ma.nomask) == (expected.mask is np.ma.nomask)
    assert repr(array.fill_value) == repr(expected.fill_value)
    mask = np.ma.getmaskarray(expected)
    np.testing.assert_array_equal(np.ma.getmaskarray(array), mask)
    assert array.compressed().tobytes() == expected.compressed().tobytes()
    assert not array.data[mask].any()
    assert array.flags.writeable


class TestRoundTrip:
    """What comes back is what `iter_arrays` gives."""

    @pytest.mark.filterwarnings("ignore::craterkit.errors.OutsideRasterWarning")
    @pytest.mark.parametrize("memory", [None, "1 MiB"])
    @pytest.mark.parametrize(
        ("rasters", "regions", "options"),
        [
            ("two.tif", "rim", {}),
            ("two.tif", ["rim", "floor"], {"bands": "all", "coverage": "center"}),
            ("two.tif", "rim", {"exclude": "neighbors"}),
            ("scaled.tif", "rim", {}),
            ("scaled.tif", "rim", {"scaled": False}),
            ("whole.tif", "floor", {}),
            ("part.tif", "rim", {}),
            (["two.tif", "float.tif", "whole.tif"], ["floor"], {}),
            (["part.tif", "scaled.tif"], ["rim", "floor"], {}),
        ],
        ids=["one", "all", "neighbors", "scaled", "raw", "whole", "outside", "dtypes", "mixed"],
    )
    def test_arrays_come_back(self, cdb, folder, tmp_path, rasters, regions, options, memory):
        several = isinstance(rasters, list)
        rasters = [folder / name for name in rasters] if several else folder / rasters
        options = {"max_memory": memory, **options}
        path = cdb.get_arrays(rasters, regions, out=tmp_path / "a.parquet", **options)
        assert path == tmp_path / "a.parquet"
        for (index, array), (label, expected) in zip(
            read_arrays(path), cdb.iter_arrays(rasters, regions, **options), strict=True
        ):
            assert index == label
            check_same(array, expected)

    @pytest.mark.filterwarnings("ignore::craterkit.errors.OutsideRasterWarning")
    def test_arrays_know_where_they_lie(self, cdb, folder, tmp_path):
        rasters = [folder / "two.tif", folder / "part.tif"]
        frame = cdb.get_arrays(rasters, "rim", georeferenced=True)
        path = cdb.get_arrays(rasters, "rim", out=tmp_path / "a.parquet")
        transforms = [
            transform == frame.loc[index, f"{column}_transform"]
            for (index, column), _, transform in read_arrays(path, georeferenced=True)
        ]
        assert transforms == [True] * (2 * len(cdb))
        assert frame["part_rim_transform"].isna().sum() == 3

    @pytest.mark.parametrize(
        "index",
        [
            pd.RangeIndex(5),
            pd.Index([3, 1, 3, -(2**60), 0]),
            pd.Index(["b", "Ä", "", "b", "c"], dtype=object),
            pd.Index([0.5, np.inf, -0.0, 3, 1e300]),
            pd.date_range("2020-01-01", periods=5, tz="UTC"),
            pd.CategoricalIndex(["x", "y", "x", "z", "y"]),
            pd.Index([1, 2, 3, 4, 5], dtype="Int64"),
        ],
        ids=lambda index: str(index.dtype) if len(set(index)) == 5 else f"twice {index.dtype}",
    )
    def test_labels_come_back(self, folder, tmp_path, index):
        cdb = database(PLACES.set_index(index))
        path = cdb.get_arrays(folder / "two.tif", "rim", out=tmp_path / "a.parquet")
        labels = [label for label, _ in read_arrays(path)]
        assert labels == [label for label, _ in cdb.iter_arrays(folder / "two.tif", "rim")]
        wanted = index[2]
        assert len(list(read_arrays(path, wanted))) == list(index).count(wanted)

    @given(
        arrays=st.lists(
            hnp.array_shapes(min_dims=2, max_dims=2, max_side=5).flatmap(
                lambda shape: st.tuples(hnp.arrays(np.float32, shape), hnp.arrays(np.bool_, shape))
            ),
            max_size=12,
        ),
        memory=st.sampled_from([1, 2**15, 2**30]),
    )
    def test_any_pixels_come_back(self, folder, tmp_path_factory, arrays, memory):
        path = tmp_path_factory.mktemp("any") / "a.parquet"
        source = open_sources(get_body("moon"), folder / "float.tif", Options())[0]
        labels = pa.array(range(len(arrays)), pa.int64())
        dtype = np.dtype(np.float32)
        layout = array_files.ArrayLayout(labels, ["r"], [source], [[dtype]], dtype)
        arrays = [np.ma.MaskedArray(*pair) for pair in arrays]
        with (
            path.open("wb") as file,
            array_files.ArrayFileWriter(layout, file, memory) as writer,
        ):
            for roi, array in enumerate(arrays):
                writer.add(roi, 0, [array], (0, 0))
        found = list(read_arrays(path))
        assert [index for index, _ in found] == list(range(len(arrays)))
        for (_, array), expected in zip(found, arrays, strict=True):
            check_same(array, expected)

    def test_processes_write_the_same(self, cdb, folder, tmp_path):
        pytest.importorskip("distributed")
        paths = [tmp_path / "threads.parquet", tmp_path / "processes.parquet"]
        for path, scheduler in zip(paths, ("threads", "processes"), strict=True):
            cdb.get_arrays(folder / "two.tif", "rim", out=path, scheduler=scheduler, n_jobs=1)
        for (one, array), (other, expected) in zip(*map(read_arrays, paths), strict=True):
            assert one == other
            check_same(array, expected)


class TestFile:
    """What is in the file, for any tool that reads Parquet."""

    def test_rows_are_windows_of_the_raster(self, cdb, folder, tmp_path):
        path = cdb.get_arrays(folder / "two.tif", "rim", bands=[2], out=tmp_path / "a.parquet")
        rows = pd.read_parquet(path).set_index("feature")
        assert set(rows["region"]) == {"rim"}
        assert set(rows["band"]) == {"b2"}
        assert set(rows["dtype"]) == {"int16"}
        for row in rows.itertuples():
            columns = np.arange(row.col, row.col + row.width) % GRID.shape[1]
            window = VALUES[1, row.row : row.row + row.height][:, columns].ravel()
            values = np.asarray(row.values, dtype=float)
            assert values.size == row.height * row.width
            valid = np.isfinite(values)
            np.testing.assert_array_equal(values[valid], window[valid])
            assert not (window[valid] == 7).any()
        stats = cdb.get_stats(folder / "two.tif", "rim", ["count"], bands=2)["count_rim"]
        counts = rows["values"].map(lambda values: np.isfinite(values.astype(float)).sum())
        pd.testing.assert_series_equal(counts.loc[stats.index], stats, check_names=False)

    def test_metadata_say_what_it_is(self, cdb, folder, tmp_path):
        path = cdb.get_arrays({"dem": folder / "two.tif"}, "rim", out=tmp_path / "a.parquet")
        schema = pq.read_schema(path)
        about = json.loads(schema.metadata[b"craterkit"])
        assert (about["content"], about["version"]) == ("arrays", 1)
        raster = about["rasters"]["dem"]
        assert raster["transform"] == list(GRID.transform)[:6]
        assert worlds.pyproj.CRS.from_wkt(raster["crs"]).ellipsoid.semi_major_metre == worlds.MOON
        assert schema.field("values").type.value_type == pa.int16()

    def test_a_convention_has_no_crs(self, cdb, tmp_path):
        options = {"transform": GRID.transform, "raster_crs": "planetocentric"}
        path = cdb.get_arrays(VALUES[0], "rim", out=tmp_path / "a.parquet", **options)
        raster = json.loads(pq.read_schema(path).metadata[b"craterkit"])["rasters"][""]
        assert raster["crs"] is None
        assert "planetocentric latitude, east-positive" in raster["coordinates"]

    def test_row_groups_are_bounded(self, cdb, folder, tmp_path, monkeypatch):
        monkeypatch.setattr(array_files, "GROUP_BYTES", 4000)
        path = cdb.get_arrays(folder / "two.tif", ["rim", "floor"], out=tmp_path / "a.parquet")
        groups = pq.ParquetFile(path).metadata
        sizes = []
        for group in range(groups.num_row_groups):
            table = pq.ParquetFile(path).read_row_group(group, ["height", "width"])
            pixels = table["height"].to_numpy() * table["width"].to_numpy()
            sizes.append((pixels * 3 + 512).sum())
            assert sizes[-1] <= 4000 or len(table) == 1
        assert len(sizes) > 1
        assert all(one + other > 4000 for one, other in itertools.pairwise(sizes))
        assert len(list(read_arrays(path))) == 2 * len(cdb)

    def test_it_is_smaller_than_its_pixels(self, tmp_path):
        smooth = (
            1000 * np.sin(np.radians(GRID.mesh[0])) * np.cos(np.radians(GRID.mesh[1]))
        ).round()
        raster = worlds.write(tmp_path / "r.tif", GRID, smooth, dtype="int16")
        places = worlds.table(np.linspace(-180, 179, 500), np.zeros(500), worlds.metres(20.0))
        path = database(places).get_arrays(raster, "floor", out=tmp_path / "a.parquet")
        assert path.stat().st_size < 0.5 * sum(2 * array.count() for _, array in read_arrays(path))


class TestFeatures:
    """Only some features."""

    @pytest.mark.parametrize(
        "features", ["seam", ["seam"], ["tiny", "north"], [], pd.Index(["open", "open"])], ids=str
    )
    def test_only_those_are_read(self, one_by_one, features):
        wanted = {features} if isinstance(features, str) else set(features)
        expected = [(i, array) for i, array in read_arrays(one_by_one) if i[0] in wanted]
        assert len(expected) == 2 * len(wanted)
        for (index, array), (label, same) in zip(
            read_arrays(one_by_one, features), expected, strict=True
        ):
            assert index == label
            check_same(array, same)

    def test_other_row_groups_are_not_decoded(self, one_by_one, monkeypatch):
        read, whole = pq.ParquetFile.read_row_group, []

        def counted(self, group, columns=None, **options):
            if columns is None:
                whole.append(group)
            return read(self, group, columns, **options)

        monkeypatch.setattr(pq.ParquetFile, "read_row_group", counted)
        assert len(list(read_arrays(one_by_one, "seam"))) == len(whole) == 2

    def test_unknown_ones_are_named_at_once(self, one_by_one):
        with pytest.raises(ArgumentError, match=r"features: .* has none called 'rim', 3$"):
            read_arrays(one_by_one, ["seam", "rim", 3])
        with pytest.raises(ArgumentError, match="and 5 more"):
            read_arrays(one_by_one, range(10))

    def test_what_can_be_no_label_is_an_error(self, folder, tmp_path):
        cdb = database(PLACES.set_index(pd.CategoricalIndex(list("abcde"))))
        path = cdb.get_arrays(folder / "two.tif", "rim", out=tmp_path / "a.parquet")
        with pytest.raises(ArgumentError, match="features must be labels of the table's index"):
            read_arrays(path, [["a"], ["b"]])


class TestWriting:
    """Whole or not at all."""

    def test_arrays_that_were_there_are_replaced(self, cdb, folder, tmp_path):
        out = tmp_path / "a.parquet"
        cdb.get_arrays(folder / "two.tif", ["rim", "floor"], out=out)
        cdb.get_arrays(folder / "two.tif", "rim", out=str(out))
        assert len(list(read_arrays(out))) == len(cdb)
        assert list(tmp_path.iterdir()) == [out]

    @pytest.mark.parametrize("content", ["text", "catalogue", "statistics", "other", "marked"])
    @pytest.mark.parametrize("method", ["get_arrays", "get_pixels"])
    def test_no_other_file_is_replaced(self, cdb, folder, tmp_path, method, content):
        out, raster = tmp_path / "a.parquet", folder / "two.tif"
        if content == "text":
            out.write_text("mine")
        elif content == "catalogue":
            PLACES.to_parquet(out)
        elif content == "statistics":
            cdb.get_stats(raster, "rim", out=out)
        elif content == "other":
            other = cdb.get_pixels if method == "get_arrays" else cdb.get_arrays
            other(raster, "rim", out=out)
        else:
            marked = pa.table({"a": [1]}).replace_schema_metadata({"craterkit": "arrays, pixels"})
            pq.write_table(marked, out)
        before = out.read_bytes()
        message = (
            rf"out: '.*a\.parquet' exists and does not come from {method}; delete it or choose"
        )
        with pytest.raises(ArgumentError, match=message):
            getattr(cdb, method)(raster, "rim", out=out)
        assert out.read_bytes() == before
        assert list(tmp_path.iterdir()) == [out]

    @pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError, RasterError])
    def test_a_failure_leaves_what_was_there(
        self, cdb, one_by_one, folder, tmp_path, monkeypatch, error
    ):
        add, calls = array_files.ArrayFileWriter.add, itertools.count()

        def fail(self, *args):
            if next(calls) == 2:
                raise error("stop")
            add(self, *args)

        monkeypatch.setattr(array_files.ArrayFileWriter, "add", fail)
        monkeypatch.setattr(array_files, "GROUP_BYTES", 1)
        out = tmp_path / "a.parquet"
        out.write_bytes(one_by_one.read_bytes())
        with pytest.raises(error, match="stop"):
            cdb.get_arrays(folder / "two.tif", "rim", out=out)
        assert list(tmp_path.iterdir()) == [out]
        assert out.read_bytes() == one_by_one.read_bytes()

    @pytest.mark.skipif(os.name != "posix", reason="limits are of POSIX")
    @pytest.mark.parametrize("limit", [10, 100_000])
    @pytest.mark.parametrize("method", ["get_arrays", "get_pixels"])
    def test_a_full_disk_is_a_clear_error(self, tmp_path, method, limit):
        out = tmp_path / "a.parquet"
        done = subprocess.run(
            [sys.executable, "-W", "error", "-c", FILLING, out, str(limit), method],
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert (done.returncode, done.stderr) == (0, "")
        assert "a.parquet was not written: " in done.stdout
        assert not list(tmp_path.iterdir())

    @pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may write anywhere")
    def test_a_folder_that_cannot_be_written_is_a_clear_error(self, cdb, folder, tmp_path):
        tmp_path.chmod(0o500)
        try:
            with pytest.raises(OutputError, match=r"a\.parquet was not written"):
                cdb.get_arrays(folder / "two.tif", "rim", out=tmp_path / "a.parquet")
        finally:
            tmp_path.chmod(0o700)

    def test_rois_outside_are_warned_of_where_the_user_calls(self, cdb, folder, tmp_path):
        with pytest.warns(OutsideRasterWarning, match="3 ROIs lie outside") as caught:
            cdb.get_arrays(folder / "part.tif", "rim", out=tmp_path / "a.parquet")
        assert [warning.filename for warning in caught] == [__file__]

    @pytest.mark.parametrize(
        ("index", "message"),
        [
            (pd.Index([1, "a", 2, 3, 4], dtype=object), "cannot be written"),
            (pd.Index(["a", b"b", "c", "d", "e"], dtype=object), "would not come back"),
            (pd.MultiIndex.from_product([["a"], range(5)]), "has 2 levels"),
            (pd.Index([(1, 2)] * 5, tupleize_cols=False), "would not come back"),
            (pd.Index([1, None, 3, 4, 5], dtype="Int64"), "would not come back"),
            (pd.Index([frozenset({i}) for i in range(5)], dtype=object), "cannot be written"),
        ],
        ids=["mixed", "bytes", "levels", "tuples", "missing", "sets"],
    )
    @pytest.mark.parametrize("method", ["get_arrays", "get_pixels"])
    def test_an_index_that_would_not_come_back(self, tmp_path, method, index, message):
        cdb = database(PLACES.set_index(index))
        raster = {"transform": GRID.transform, "raster_crs": "planetocentric"}
        with pytest.raises(ArgumentError, match=rf"out: .*index.* {message}.*reset_index"):
            getattr(cdb, method)(VALUES[0], "rim", out=tmp_path / "a.parquet", **raster)
        assert not list(tmp_path.iterdir())

    @pytest.mark.parametrize(
        ("dtypes", "fits"),
        [
            (("int16", "uint16"), True),
            (("uint8", "float32"), True),
            (("int16", "float32"), True),
            (("int32", "float32"), True),
            (("int32", "float64"), True),
            (("int64", "float64"), False),
            (("uint64", "int8"), False),
            (("int64", "float32"), False),
        ],
    )
    def test_dtypes_that_share_none_are_refused(self, cdb, tmp_path, dtypes, fits):
        extreme = {dtype: np.full(GRID.shape, extreme_of(dtype), dtype) for dtype in dtypes}
        options = {"transform": GRID.transform, "raster_crs": "planetocentric"}
        out = tmp_path / "a.parquet"
        if not fits:
            with pytest.raises(ArgumentError, match=f"no dtype holds.*{dtypes[0]}.*{dtypes[1]}"):
                cdb.get_arrays(extreme, "rim", out=out, **options)
            assert not out.exists()
            return
        cdb.get_arrays(extreme, "rim", out=out, **options)
        for (_, column), array in read_arrays(out):
            assert array.dtype == column.split("_")[0]
            assert (array == extreme_of(array.dtype)).all()

    @pytest.mark.parametrize(
        ("out", "message"),
        [
            (3, "must be the name of a Parquet file"),
            ("a.csv", r"ends in \.parquet"),
            ("no/a.parquet", "there is no folder"),
        ],
    )
    def test_names_that_cannot_be(self, cdb, folder, out, message):
        with pytest.raises(ArgumentError, match=message):
            cdb.get_arrays(folder / "two.tif", "rim", out=out)


def extreme_of(dtype):
    """The greatest number of a dtype."""
    kind = np.dtype(dtype)
    return (np.finfo if kind.kind == "f" else np.iinfo)(kind).max


FILLING = """
import resource, sys
import numpy as np
import worlds
from craterkit import CraterDatabase
from craterkit.errors import OutputError
from craterkit.results import array_files

array_files.GROUP_BYTES = 50_000
grid = worlds.lonlat(1.0)
values = np.random.default_rng(1).random(grid.shape)
places = worlds.table(np.linspace(-180, 179, 200), np.zeros(200), worlds.metres(20.0))
cdb = CraterDatabase(places, "moon")
cdb.add_circles("c")
limit = int(sys.argv[2])
resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
try:
    options = {"transform": grid.transform, "raster_crs": "planetocentric"}
    getattr(cdb, sys.argv[3])(values, "c", out=sys.argv[1], progress=False, **options)
except OutputError as error:
    assert isinstance(error, OSError)
    print(error)
"""
FILLING = f"import sys; sys.path.insert(0, {os.path.dirname(__file__)!r})\n{FILLING}"


class TestReading:
    """Files that cannot be read."""

    @pytest.fixture
    def path(self, cdb, folder, tmp_path):
        return cdb.get_arrays(folder / "two.tif", "rim", out=tmp_path / "a.parquet")

    def test_a_missing_file(self, tmp_path):
        with pytest.raises(OutputError, match=r"no\.parquet does not exist"):
            read_arrays(tmp_path / "no.parquet")

    def test_no_parquet_file(self, tmp_path):
        other = tmp_path / "other.parquet"
        other.write_text("lon,lat\n1,2\n")
        with pytest.raises(OutputError, match=r"other\.parquet is no file of arrays"):
            read_arrays(other)

    @pytest.mark.parametrize("metadata", [{}, {"craterkit": "[]"}, {"craterkit": "{}"}], ids=str)
    def test_another_parquet_file(self, tmp_path, metadata):
        other = tmp_path / "other.parquet"
        pq.write_table(pa.table({"a": [1]}).replace_schema_metadata(metadata), other)
        with pytest.raises(OutputError, match=r"other\.parquet is no file of arrays"):
            read_arrays(other)

    def test_a_later_version(self, path):
        table = pq.read_table(path)
        about = json.loads(table.schema.metadata[b"craterkit"]) | {"version": 2}
        pq.write_table(table.replace_schema_metadata({"craterkit": json.dumps(about)}), path)
        with pytest.raises(OutputError, match="later version of craterkit"):
            read_arrays(path)

    def test_a_file_that_was_cut_off(self, path):
        path.write_bytes(path.read_bytes()[:-100])
        with pytest.raises(OutputError, match=r"a\.parquet is no file of arrays"):
            read_arrays(path)

    def test_a_flipped_bit_among_the_values(self, path):
        column = pq.ParquetFile(path).metadata.row_group(0).column(9)
        content = bytearray(path.read_bytes())
        content[column.data_page_offset + column.total_compressed_size - 10] ^= 1
        path.write_bytes(content)
        with pytest.raises(OutputError, match=r"a\.parquet is damaged"):
            list(read_arrays(path))

    def test_shapes_that_do_not_fit(self, path):
        table = pq.read_table(path)
        high = pa.array([1] * len(table), pa.int32())
        index = table.schema.get_field_index("height")
        pq.write_table(table.set_column(index, table.schema.field(index), high), path)
        with pytest.raises(OutputError, match="not as many values as its height and width"):
            list(read_arrays(path))

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            ({"path": 3}, "path must be the name"),
            ({"georeferenced": "yes"}, "georeferenced must be True or False"),
        ],
    )
    def test_arguments(self, path, arguments, message):
        with pytest.raises(ArgumentError, match=message):
            read_arrays(**{"path": path, **arguments})

    def test_a_part_of_the_file_is_in_memory(self, tmp_path):
        raster = worlds.write(tmp_path / "r.tif", GRID, RNG.random(GRID.shape))
        places = worlds.table(np.linspace(-180, 179, 2000), np.zeros(2000), worlds.metres(30.0))
        cdb = database(places)
        path = cdb.get_arrays(raster, "floor", out=tmp_path / "a.parquet", max_memory="1 MiB")
        before = pa.total_allocated_bytes()
        held = [pa.total_allocated_bytes() - before for _ in read_arrays(path)]
        assert max(held) < path.stat().st_size / 4
