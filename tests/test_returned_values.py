"""What functions return stays what it is: only numbers become floats, and only if they keep their digits."""

from __future__ import annotations

import datetime
import math
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from craterkit.results.returned_values import as_numbers
from surveys import database, write_field


def objects(values):
    out = np.empty(len(values), dtype=object)
    out[:] = values
    return out


MISSING = st.sampled_from([None, math.nan, np.float32("nan"), np.ma.masked, pd.NA, pd.NaT])
NUMBERS = (
    st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False)
    | st.fractions().filter(lambda value: abs(value) < 2**53)
    | st.booleans().map(np.bool_)
    | st.integers(-(2**53), 2**53).map(np.int64)
    | st.floats(width=32, allow_nan=False).map(np.float32)
    | st.floats(allow_nan=False).map(np.array)
)
OTHERS = (
    st.text()
    | st.from_regex(r"0\d+", fullmatch=True)
    | st.binary()
    | st.complex_numbers()
    | st.datetimes()
    | st.integers(2**53 + 1)
    | st.integers(max_value=-(2**53) - 1)
    | st.sampled_from(["inf", "nan", b"12", Decimal("1.5"), (1, 2), np.ones(1), np.str_("1")])
    | st.sampled_from([np.timedelta64(5, "s"), np.datetime64("2020-01-01"), np.uint64(2**60 + 1)])
    | st.sampled_from([np.int64(-(2**63)), np.array("007"), np.array(2**60 + 1)])
)


@given(st.lists(NUMBERS | MISSING))
def test_numbers_and_what_is_missing_become_floats(values):
    found = as_numbers(objects(values))
    assert found.dtype == np.float64
    missing = [pd.isna(value) or value is np.ma.masked for value in values]
    expected = [np.nan if gone else float(v) for v, gone in zip(values, missing, strict=True)]
    np.testing.assert_array_equal(found, expected)


@given(st.lists(NUMBERS | MISSING), OTHERS, st.data())
def test_a_single_value_of_another_kind_keeps_all_as_they_are(values, other, data):
    place = data.draw(st.integers(0, len(values)))
    assert as_numbers(objects([*values[:place], other, *values[place:]])) is None


@pytest.mark.parametrize(
    "value",
    ["02389", "1", "inf", b"12", 2**60 + 1, Decimal("1.5"), 1j, (1, 2), datetime.date(2020, 1, 1)],
)
def test_a_table_has_what_a_function_returns(tmp_path, value):
    path = write_field(tmp_path / "field.tif")
    found = database().get_stats(path, "floor", {"given": lambda values: value})["given_floor"]
    given = found[found.notna()].tolist()
    assert given
    assert all(type(one) is type(value) and one == value for one in given)


@pytest.mark.parametrize("value", ["2020-01-01", "2020-01-01T12:30"])
def test_times_stay_times(tmp_path, value):
    path = write_field(tmp_path / "field.tif")
    stats = {
        "time": lambda values: np.datetime64(value),
        "took": lambda values: np.timedelta64(5, "s"),
    }
    found = database().get_stats(path, "floor", stats)
    assert (found["time_floor"].dropna() == pd.Timestamp(value)).all()
    assert (found["took_floor"].dropna() == pd.Timedelta(5, "s")).all()


@pytest.mark.parametrize("value", [3, True, Fraction(3, 2), np.float32(1.5), np.array(3)])
def test_numbers_of_any_kind_are_floats_in_a_table(tmp_path, value):
    path = write_field(tmp_path / "field.tif")
    found = database().get_stats(path, "floor", {"given": lambda values: value})["given_floor"]
    assert found.dtype == np.float64
    assert set(found.dropna()) == {float(value)}
