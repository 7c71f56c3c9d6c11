"""The ledger: what is stored comes back, whatever happens to the process, the disk or the call."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from decimal import Decimal
from itertools import pairwise

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal

from craterkit.errors import ArgumentError, CraterkitError, OutputError, StatisticError
from craterkit.results import ledger as ledgers
from craterkit.results.ledger import Ledger
from craterkit.results.parquet import check_table

MANIFEST = {"coverage": "center", "region": {"inner": 1.0, "outer": 1.5}, "bands": [1]}

INT64 = st.integers(-(2**63), 2**63 - 1)
TEXTS = st.none() | st.text(st.characters(exclude_categories=["Cs"]))


def objects(values):
    out = np.empty(len(values), dtype=object)
    out[:] = values
    return out


COLUMNS = {
    "floats": (st.floats(), np.array),
    "integers": (INT64, lambda values: np.array(values, dtype=np.int64)),
    "bools": (st.booleans(), lambda values: np.array(values, dtype=bool)),
    "texts": (TEXTS, objects),
    "numbers": (st.none() | st.integers(-(2**53), 2**53) | st.floats(), objects),
}


@st.composite
def parts(draw):
    """Parts that do not share ROIs, with the values of every column."""
    rois = draw(st.lists(st.integers(0, 10**9), unique=True, max_size=12))
    cuts = sorted(draw(st.lists(st.integers(0, len(rois)), max_size=3)))
    edges = [0, *cuts, len(rois)]
    found = []
    for start, stop in pairwise(edges):
        size = stop - start
        columns = {
            name: make(draw(st.lists(values, min_size=size, max_size=size)))
            for name, (values, make) in COLUMNS.items()
        }
        found.append((np.array(rois[start:stop], dtype=np.int64), columns))
    return found


@pytest.fixture
def path(tmp_path):
    return tmp_path / "stats.parquet"


def partial_of(path):
    return path.with_name(f"{path.name}.partial")


def part_files(path):
    return sorted((partial_of(path) / "parts").glob("*.parquet"))


@given(parts())
def test_what_is_stored_is_loaded_by_the_next_run(tmp_path_factory, stored):
    path = tmp_path_factory.mktemp("run") / "stats.parquet"
    with Ledger(path, MANIFEST) as ledger:
        for roi, columns in stored:
            ledger.store(4, roi, columns)
    rows = {
        int(number): {name: values[i] for name, values in columns.items()}
        for roi, columns in stored
        for i, number in enumerate(roi)
    }
    with Ledger(path, MANIFEST) as ledger:
        np.testing.assert_array_equal(ledger.finished(4), sorted(rows))
        roi, columns = ledger.load(4)
    assert roi.tolist() == sorted(rows)
    assert list(columns) == list(COLUMNS)
    for name, values in columns.items():
        expected = [rows[number][name] for number in sorted(rows)]
        if name == "texts":
            assert [None if pd.isna(value) else value for value in values] == expected
        elif name in ("floats", "numbers"):
            np.testing.assert_array_equal(values, np.array(expected, dtype=np.float64))
        else:
            assert values.tolist() == expected
    if rows:
        kinds = {name: columns[name].dtype.kind for name in columns if name != "texts"}
        assert kinds == {"floats": "f", "integers": "i", "bools": "b", "numbers": "f"}


def test_an_roi_that_is_stored_twice_comes_once(path):
    with Ledger(path, MANIFEST) as ledger:
        ledger.store(0, [5, 3], {"mean": np.array([5.0, 3.0])})
        ledger.store(0, [3, 1], {"mean": np.array([3.0, 1.0])})
        roi, columns = ledger.load(0)
    assert roi.tolist() == [1, 3, 5]
    assert columns["mean"].tolist() == [1.0, 3.0, 5.0]


def test_sources_are_apart(path):
    with Ledger(path, MANIFEST) as ledger:
        ledger.store(1, [0], {"mean": np.array([1.0])})
        ledger.store(12, [7], {"mean": np.array([12.0])})
        assert [ledger.finished(source).tolist() for source in (0, 1, 12)] == [[], [0], [7]]
        assert ledger.load(0)[0].size == 0


def test_integers_are_exact_until_one_is_missing(path):
    big = 2**60 + 1
    with Ledger(path, MANIFEST) as ledger:
        ledger.store(0, [0], {"sum": np.array([big])})
        ledger.store(0, [], {"sum": np.zeros(0)})
        ledger.store(0, [1], {"sum": np.array([3])})
        assert ledger.load(0)[1]["sum"].tolist() == [big, 3]
        ledger.store(0, [2], {"sum": np.array([np.nan])})
        np.testing.assert_array_equal(ledger.load(0)[1]["sum"], [float(big), 3.0, np.nan])


def test_a_column_of_texts_may_be_all_missing_at_first(path):
    with Ledger(path, MANIFEST) as ledger:
        ledger.store(0, [0], {"class": np.array([np.nan])})
    with Ledger(path, MANIFEST) as ledger:
        ledger.store(0, [1], {"class": objects(["mare"])})
        ledger.store(0, [2], {"class": np.array([np.nan])})
        assert ledger.load(0)[1]["class"].tolist()[1] == "mare"
        assert pd.isna(ledger.load(0)[1]["class"][[0, 2]]).all()


def test_parts_are_one_table_for_pandas(path):
    with Ledger(path, MANIFEST) as ledger:
        ledger.store(0, [0, 1], {"mean": np.array([0.5, 1.5]), "class": objects(["a", None])})
        ledger.store(0, [2], {"mean": np.array([2.5]), "class": np.array([np.nan])})
        table = pd.read_parquet(partial_of(path) / "parts").sort_values("roi")
    assert table["roi"].tolist() == [0, 1, 2]
    assert table["mean"].tolist() == [0.5, 1.5, 2.5]


UNHELD = [
    *({1.5: 2}, (1, 2), 1j, np.ones(2), b"12", object(), Decimal(1), 10**400, 2**53 + 1),
    *(np.datetime64("2020-01-01"), np.timedelta64(5, "s"), pd.Timestamp("2020-01-01")),
]


@pytest.mark.parametrize("value", UNHELD)
def test_what_parquet_cannot_hold_is_an_error_that_names_column_and_roi(path, value):
    with Ledger(path, MANIFEST) as ledger:
        with pytest.raises(StatisticError, match=r"'odd' holds .* for ROI 8"):
            ledger.store(0, [7, 8], {"mean": np.ones(2), "odd": objects([None, value])})
        assert ledger.finished(0).size == 0
    assert part_files(path) == []


def test_texts_of_digits_are_texts_in_whichever_part_they_are(path):
    with Ledger(path, MANIFEST) as ledger:
        for roi, text in enumerate(["007", "big", "inf", "nan", "1"]):
            ledger.store(0, [roi], {"class": objects([text])})
        assert ledger.load(0)[1]["class"].tolist() == ["007", "big", "inf", "nan", "1"]


MIXED = {
    "one part": [(["mare", 2], [4, 5])],
    "two parts": [(["mare"], [4]), ([2], [5])],
    "missing ones": [(["mare", None], [4, 3]), ([None], [6]), ([np.nan, 2], [7, 5])],
    "numbers first": [([None, 2.0], [6, 5]), (["mare"], [4])],
}


@pytest.mark.parametrize("resumed", [False, True])
@pytest.mark.parametrize("parts", MIXED.values(), ids=MIXED)
def test_texts_and_numbers_in_one_column_are_an_error_that_names_both(path, parts, resumed):
    ledger = Ledger(path, MANIFEST, "crater {}".format)
    for values, roi in parts[:-1]:
        ledger.store(0, roi, {"class": objects(values)})
    if resumed:
        ledger.close()
        ledger = Ledger(path, MANIFEST, "crater {}".format)
    values, roi = parts[-1]
    with ledger, pytest.raises(StatisticError, match="'class' holds texts for some") as caught:
        ledger.store(0, roi, {"class": objects(values)})
    assert "'mare' for crater 4" in str(caught.value)
    assert re.search(r"\b2(\.0)? for crater 5", str(caught.value))
    assert len(part_files(path)) == len(parts) - 1


def test_the_name_of_the_column_of_rois_is_taken(path):
    with Ledger(path, MANIFEST) as ledger, pytest.raises(StatisticError, match="'roi'"):
        ledger.store(0, [0], {"roi": np.ones(1)})


TABLES = {
    "numbered": pd.DataFrame({"a": [1, 2]}),
    "named": pd.DataFrame({"a": [1.5, np.nan]}, index=pd.Index(["x", "y"], name="id")),
    "levels": pd.DataFrame(
        {"a": [True, False]},
        index=pd.MultiIndex.from_tuples([("x", 1), ("x", 2)], names=["k", None]),
    ),
    "twice": pd.DataFrame({"a": ["α", None]}, index=[3, 3]),
    "kinds": pd.DataFrame(
        {
            "small": np.array([1, 2], dtype=np.uint8),
            "time": pd.to_datetime(["2020-01-01", None]),
            "kind": pd.Categorical(["a", "b"]),
            "nullable": pd.array([1, None], dtype="Int64"),
        }
    ),
    "empty": pd.DataFrame({"a": np.zeros(0)}),
}


@pytest.mark.parametrize("name", TABLES)
def test_the_final_file_holds_the_table_and_the_manifest(path, name):
    with Ledger(path, MANIFEST) as ledger:
        assert not ledger.complete
        ledger.store(0, [0], {"mean": np.ones(1)})
        assert ledger.finish(TABLES[name]) == path
        assert ledger.complete
    assert_frame_equal(pd.read_parquet(path), TABLES[name])
    assert json.loads(pq.read_schema(path).metadata[b"craterkit"]) == MANIFEST
    assert os.listdir(path.parent) == [path.name]
    with Ledger(path, MANIFEST) as again:
        assert again.complete
    assert os.listdir(path.parent) == [path.name]


def test_geometries_come_back_through_geopandas(path):
    points = gpd.points_from_xy([1, 2], [3, 4], crs="IAU_2015:30100")
    table = gpd.GeoDataFrame({"a": [1, 2], "spot": points}, geometry="spot", index=["x", "y"])
    table["bare"] = gpd.GeoSeries([points[0], None], index=["x", "y"])
    with Ledger(path, MANIFEST) as ledger:
        ledger.finish(table)
    back = gpd.read_parquet(path)
    assert back.crs == table.crs
    assert back.active_geometry_name == "spot"
    assert back["bare"].crs is None
    assert_frame_equal(pd.DataFrame(back.to_wkt()), pd.DataFrame(table.to_wkt()))


@pytest.mark.parametrize(
    ("table", "named"),
    [
        (pd.DataFrame({"good": [1, 2], "odd": objects(["a", 1])}), "'odd'"),
        (pd.DataFrame({"good": [1, 2], "odd": objects(["a", b"b"])}), "'odd'"),
        (pd.DataFrame({"good": [1], "odd": objects([object()])}), "'odd'"),
        (pd.DataFrame({"good": [1], "odd": [1j]}), "'odd'"),
        (pd.DataFrame({"good": [1], "odd": objects([2**70])}), "'odd'"),
        (pd.DataFrame([[1, 2, 3]], columns=["odd", "good", "odd"]), "of the name 'odd'"),
        (pd.DataFrame({"good": [1], 7: [2]}), "not by 7"),
        (pd.DataFrame({"good": [1, 2]}, index=objects(["a", 1])), "index"),
    ],
)
def test_a_table_that_parquet_cannot_hold_is_refused_by_column(table, named):
    with pytest.raises(ArgumentError, match=named) as caught:
        check_table(table)
    assert "'good'" not in str(caught.value)


@pytest.mark.parametrize(
    ("out", "says"),
    [
        (7, "not 7"),
        (b"stats.parquet", "name of a Parquet file"),
        ("stats.csv", "ends in .parquet"),
        ("nowhere/stats.parquet", "no folder 'nowhere'"),
        ("folder.parquet", "is a folder"),
    ],
)
def test_paths_that_cannot_be_are_refused(tmp_path, monkeypatch, out, says):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder.parquet").mkdir()
    with pytest.raises(ArgumentError, match=says):
        Ledger(out, MANIFEST)
    assert os.listdir(tmp_path) == ["folder.parquet"]


def test_without_pyarrow_it_says_what_to_install(path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    with pytest.raises(ArgumentError, match=r"craterkit\[parquet\]"):
        Ledger(path, MANIFEST)
    with pytest.raises(ArgumentError, match=r"craterkit\[parquet\]"):
        check_table(pd.DataFrame({"a": [1]}))


def test_another_working_directory_does_not_matter(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with Ledger("stats.parquet", MANIFEST) as ledger:
        (tmp_path / "elsewhere").mkdir()
        monkeypatch.chdir(tmp_path / "elsewhere")
        ledger.store(0, [0], {"mean": np.ones(1)})
        ledger.finish(pd.DataFrame({"a": [1]}))
    assert sorted(os.listdir(tmp_path)) == ["elsewhere", "stats.parquet"]


OTHER = {
    "coverage": "fraction",
    "region": {"inner": 1.0, "outer": 2.0},
    "bands": [1],
    "where": "x" * 200,
}


def test_parts_of_another_call_are_refused_with_every_difference(path):
    with Ledger(path, MANIFEST) as ledger:
        ledger.store(0, [0], {"mean": np.ones(1)})
    with pytest.raises(ArgumentError) as caught:
        Ledger(path, OTHER)
    message = str(caught.value)
    assert "coverage: 'center' there, 'fraction' now" in message
    assert "region.outer: 1.5 there, 2.0 now" in message
    assert "where: nothing there, 'xxx" in message
    assert "bands" not in message
    assert len(message) < 600
    with Ledger(path, MANIFEST) as ledger:
        assert ledger.finished(0).tolist() == [0]


def test_a_folder_without_parts_is_no_hindrance(path):
    Ledger(path, MANIFEST).close()
    with Ledger(path, OTHER) as ledger:
        ledger.store(0, [0], {"mean": np.ones(1)})
    assert json.loads((partial_of(path) / "manifest.json").read_text()) == OTHER


def test_a_final_file_of_another_call_or_program_is_not_overwritten(path):
    with Ledger(path, MANIFEST) as ledger:
        ledger.finish(pd.DataFrame({"a": [1]}))
    with pytest.raises(ArgumentError, match="coverage: 'center' there, 'fraction' now"):
        Ledger(path, OTHER)
    for write in (pd.DataFrame({"a": [1]}).to_parquet, lambda file: file.write_text("text")):
        write(path)
        before = path.read_bytes()
        with pytest.raises(ArgumentError, match="does not come from get_stats"):
            Ledger(path, MANIFEST)
        assert path.read_bytes() == before
    assert not partial_of(path).exists()


@pytest.mark.parametrize("content", ["arrays", "pixels", None])
def test_a_result_of_another_kind_is_not_compared(path, content):
    about = {"content": content, "rasters": {}} if content else [1]
    table = pa.table({"a": [1]}).replace_schema_metadata({b"craterkit": json.dumps(about)})
    pq.write_table(table, path)
    with pytest.raises(ArgumentError, match="exists and does not come from get_stats"):
        Ledger(path, {"content": "statistics", "rasters": []})


def test_a_file_that_appears_during_the_run_is_not_overwritten(path):
    with Ledger(path, MANIFEST) as ledger:
        ledger.store(0, [0], {"mean": np.ones(1)})
        path.write_text("precious")
        with pytest.raises(OutputError, match="something else during the run"):
            ledger.finish(pd.DataFrame({"a": [1]}))
    assert path.read_text() == "precious"
    assert len(part_files(path)) == 1


def test_a_folder_of_something_else_is_refused_and_left_alone(path):
    partial_of(path).mkdir()
    (partial_of(path) / "notes.txt").write_text("mine")
    with pytest.raises(ArgumentError, match=r"no manifest\.json"):
        Ledger(path, MANIFEST)
    assert (partial_of(path) / "notes.txt").read_text() == "mine"


def test_files_of_the_user_in_the_folder_survive(path):
    with Ledger(path, MANIFEST) as ledger:
        ledger.store(0, [0], {"mean": np.ones(1)})
        (partial_of(path) / "notes.txt").write_text("mine")
        ledger.finish(pd.DataFrame({"a": [1]}))
    assert os.listdir(partial_of(path)) == ["notes.txt"]


def test_a_run_at_work_locks_its_folder_out_for_others(path):
    says = f"process {os.getpid()} on .* is at work"
    with Ledger(path, MANIFEST), pytest.raises(ArgumentError, match=says):
        Ledger(path, MANIFEST)
    Ledger(path, MANIFEST).close()


def stored_two_parts(path):
    with Ledger(path, MANIFEST) as ledger:
        ledger.store(0, np.arange(100), {"mean": np.arange(100.0)})
        ledger.store(0, np.arange(100, 200), {"mean": np.arange(100.0)})
    return part_files(path)[0]


@pytest.mark.parametrize("length", [0, 3, 200, -1])
def test_a_truncated_part_is_named_and_can_be_deleted(path, length):
    part = stored_two_parts(path)
    part.write_bytes(part.read_bytes()[:length])
    with pytest.raises(OutputError, match=f"{part.name} is damaged.*delete it"):
        Ledger(path, MANIFEST)
    part.unlink()
    with Ledger(path, MANIFEST) as ledger:
        assert ledger.finished(0).size == 100


def test_a_part_with_other_bytes_in_it_is_named(path):
    part = stored_two_parts(path)
    content = bytearray(part.read_bytes())
    middle = len(content) // 3
    content[middle : middle + 8] = b"\xaa" * 8
    part.write_bytes(content)
    with pytest.raises(OutputError, match=part.name), Ledger(path, MANIFEST) as ledger:
        ledger.load(0)


@pytest.mark.parametrize("text", ["", '{"coverage": "cen', "[]", "\udcff"])
def test_a_damaged_manifest_is_named(path, text):
    stored_two_parts(path)
    (partial_of(path) / "manifest.json").write_bytes(text.encode(errors="surrogateescape"))
    with pytest.raises(OutputError, match=r"manifest\.json is damaged.*delete the folder"):
        Ledger(path, MANIFEST)


def test_unfinished_files_are_ignored_and_removed(path):
    stored_two_parts(path)
    for folder in (partial_of(path), partial_of(path) / "parts"):
        (folder / ".0-1-ab.parquet.1-cd.tmp").write_bytes(b"PAR1")
    with Ledger(path, MANIFEST) as ledger:
        assert ledger.finished(0).size == 200
    assert not list(partial_of(path).rglob(".*"))


def test_a_run_killed_while_it_removed_its_parts_is_complete(path):
    with Ledger(path, MANIFEST) as ledger:
        ledger.finish(pd.DataFrame({"a": [1]}))
    whole = path.read_bytes()
    path.unlink()
    stored_two_parts(path)
    path.write_bytes(whole)
    with Ledger(path, MANIFEST) as ledger:
        assert ledger.complete
    assert os.listdir(path.parent) == [path.name]


def test_a_complete_file_leaves_parts_of_another_call_alone(path):
    with Ledger(path, MANIFEST) as ledger:
        ledger.finish(pd.DataFrame({"a": [1]}))
    kept = path.rename(path.with_name("kept"))
    with Ledger(path, OTHER) as ledger:
        ledger.store(0, [0], {"mean": np.ones(1)})
    kept.rename(path)
    with Ledger(path, MANIFEST) as ledger:
        assert ledger.complete
    assert len(part_files(path)) == 1


STORING = """
import sys
import numpy as np
from craterkit.results.ledger import Ledger

ledger = Ledger(sys.argv[1], {"run": 1})
number = int(ledger.finished(0).size)
while True:
    roi = np.arange(number, number + 50)
    ledger.store(0, roi, {"mean": roi * 0.5, "name": np.array([f"n{i}" for i in roi], dtype=object)})
    number += 50
    print(number, flush=True)
"""


def run(code, path, **options):
    return subprocess.Popen(
        [sys.executable, "-c", code, str(path)], stdout=subprocess.PIPE, text=True, **options
    )


@pytest.mark.skipif(os.name != "posix", reason="kill -9 is of POSIX")
def test_kill_9_loses_nothing_that_was_stored(path):
    reported = 0
    for delay in (0.0, 0.013, 0.031):
        with run(STORING, path) as process:
            reported = int(process.stdout.readline())
            time.sleep(delay)
            process.send_signal(signal.SIGKILL)
            for line in process.stdout:
                reported = int(line) if line.endswith("\n") else reported
        with Ledger(path, {"run": 1}) as ledger:
            roi, columns = ledger.load(0)
        assert roi.size >= reported
        np.testing.assert_array_equal(roi, np.arange(roi.size))
        np.testing.assert_array_equal(columns["mean"], roi * 0.5)
        assert columns["name"].tolist() == [f"n{i}" for i in roi]


FILLING = """
import resource, sys
import numpy as np, pandas as pd
from craterkit.errors import CraterkitError, OutputError
from craterkit.results.ledger import Ledger

ledger = Ledger(sys.argv[1], {"run": 1})
ledger.store(0, np.arange(10), {"mean": np.arange(10.0)})
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
values = np.random.default_rng(1).random(100_000)
for attempt in (
    lambda: ledger.store(0, np.arange(10, values.size), {"mean": values[10:]}),
    lambda: ledger.finish(pd.DataFrame({"mean": values})),
):
    try:
        attempt()
    except OutputError as error:
        assert isinstance(error, OSError)
        print(error)
"""


@pytest.mark.skipif(os.name != "posix", reason="limits are of POSIX")
def test_a_full_disk_keeps_what_is_finished(path):
    with run(FILLING, path) as process:
        lines = process.stdout.read().splitlines()
    assert process.returncode == 0
    assert len(lines) == 2
    for line, name in zip(lines, ("parts", "stats.parquet"), strict=True):
        assert name in line
        assert "finished ROIs are kept in" in line
    assert not path.exists()
    assert not list(path.parent.rglob(".*"))
    with Ledger(path, {"run": 1}) as ledger:
        assert ledger.load(0)[0].tolist() == list(range(10))
        ledger.finish(pd.DataFrame({"mean": [1.0]}))
    assert path.exists()


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_cannot_be_written_is_named(path):
    path.parent.chmod(0o500)
    try:
        with pytest.raises(OutputError, match=r"stats\.parquet\.partial"):
            Ledger(path, MANIFEST)
    finally:
        path.parent.chmod(0o700)


def test_two_runs_without_a_working_lock_do_not_harm_each_other(path, monkeypatch):
    monkeypatch.setattr(ledgers, "lock", lambda file: True)
    with Ledger(path, MANIFEST) as one, Ledger(path, MANIFEST) as other:
        one.store(0, [0, 1], {"mean": np.array([0.0, 1.0])})
        other.store(0, [1, 2], {"mean": np.array([1.0, 2.0])})
    with Ledger(path, MANIFEST) as ledger:
        roi, columns = ledger.load(0)
    assert (roi.tolist(), columns["mean"].tolist()) == ([0, 1, 2], [0.0, 1.0, 2.0])


def test_errors_are_those_of_the_library():
    assert issubclass(OutputError, CraterkitError)
    assert issubclass(OutputError, OSError)
