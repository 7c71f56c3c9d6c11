"""Times of layers: dates in texts, times as users give them, and where they are looked for."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from pathlib import PurePath

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from craterkit.errors import ArgumentError
from craterkit.series.dates import Moment, dates_in, read_date
from craterkit.series.given import list_rasters, natural_key
from craterkit.series.metadata import AXIS, DESCRIPTION
from craterkit.series.times import find_times, order_of, read_times

DAY = timedelta(days=1)

DAYS = st.dates(date(1900, 1, 1), date(2099, 12, 31))
MINUTES = st.datetimes(datetime(1900, 1, 1), datetime(2099, 12, 31)).map(
    lambda moment: moment.replace(second=0, microsecond=0)
)

#: Forms of a day as `strftime` has them.
DAY_FORMS = ["%Y-%m-%d", "%Y%m%d", "%Y_%m_%d", "%Y.%m.%d", "%G-W%V-%u", "%GW%V-%u"]
DAY_FORMS += ["doy%Y%j", "%Y_doy_%j", "%YDOY%j", "%d%b%Y", "%d-%B-%Y", "%Y_%b_%d"]
TIME_FORMS = ["%Y%m%dT%H%M", "%Y%m%dT%H%MZ", "%Y%m%dT%H%M%SZ", "%Y-%m-%dT%H-%M-%S", "%Y%m%d%H%M%S"]
TIME_FORMS += ["%Y%jT%H%M", "%Y%m%d%H%M", "%Y-%m-%dT%H:%M:%S", "%Y-%jT%H-%M-%S", "A%Y%jT%H%M"]
TIME_FORMS += ["%Y%m%d_%H%M", "%Y%m%d_%H%M%S", "%Y-%m-%d_%H-%M-%S", "%Y_%m_%d_%H%M", "%d%b%Y_%H%M"]


def moments(name):
    return [found.moment for found in dates_in(name)]


@pytest.mark.parametrize("form", DAY_FORMS)
@given(
    day=DAYS,
    prefix=st.sampled_from(["", "ndvi_", "A", "week-3_"]),
    suffix=st.sampled_from(["", "_v2", "T"]),
)
def test_a_day_in_a_name_comes_back_from_every_form(form, day, prefix, suffix):
    meant = Moment(datetime(day.year, day.month, day.day), DAY)
    assert moments(prefix + day.strftime(form) + suffix) == [meant]
    assert read_date(day.strftime(form)).moment == meant


@pytest.mark.parametrize("form", TIME_FORMS)
@given(time=MINUTES)
def test_a_time_of_day_in_a_name_comes_back_from_every_form(form, time):
    assert [found.start for found in moments(f"ndvi_{time.strftime(form)}_v2")] == [time]
    assert read_date(time.strftime(form)).moment.start == time


@given(day=DAYS, prefix=st.sampled_from(["", "MOD13Q1.", "h18v04_", "2_"]))
def test_an_a_marks_the_day_of_a_year(day, prefix):
    meant = Moment(datetime(day.year, day.month, day.day), DAY)
    assert moments(f"{prefix}{day:A%Y%j}.h18v04") == [meant]


@pytest.mark.parametrize("form", ["%Y%j", "%Y_%j", "%Y-%j", "%GW%V%u", "%Y%m%d_%H-%M"])
@given(day=MINUTES, prefix=st.sampled_from(["", "orbit_", "x", "depth "]))
def test_what_may_be_a_number_as_well_has_no_certain_meaning(form, day, prefix):
    if day.isocalendar().year <= 2099:
        assert moments(f"{prefix}{day.strftime(form)}_v2") == [None]


@pytest.mark.parametrize("text", ["2000123", "2020_010", "2024W101"])
def test_such_numbers_are_texts_where_a_user_gives_them(text):
    assert list(read_times([text])) == [text]


@pytest.mark.parametrize("name", ["20240307T9999", "2024-03-07T24:00", "20240307T240000"])
def test_what_follows_a_t_and_is_no_time_of_day_leaves_no_certain_date(name):
    assert moments(name) == [None]


def test_numbers_that_are_no_time_of_day_leave_the_date():
    day = Moment(datetime(2024, 3, 7), DAY)
    for name in (
        "20240307_9999",
        "20240307_2460_v2",
        "20240307_120",
        "20240307_1200345",
        "20240307_7",
    ):
        assert moments(name) == [day]


@given(DAYS)
def test_a_week_begins_on_its_monday(day):
    monday = day - timedelta(days=day.weekday())
    year, week, _ = day.isocalendar()
    found = Moment(datetime(monday.year, monday.month, monday.day), 7 * DAY)
    if 1900 <= year <= 2099:
        assert moments(f"ndvi_{year}-W{week:02}") == [found]


@given(DAYS, st.sampled_from(["%d-%m-%Y", "%d_%m_%Y", "%d%m%Y", "%m.%d.%Y"]))
def test_day_and_month_that_can_be_swapped_have_no_meaning(day, form):
    certain = day.day > 12 or day.day == day.month
    expected = Moment(datetime(day.year, day.month, day.day), DAY) if certain else None
    assert moments(f"ndvi_{day.strftime(form)}") == [expected]


@pytest.mark.parametrize(
    "name",
    [
        *("week_12", "M104318871", "20240230", "2023_366", "2024-W54", "18990101", "120240307"),
        *("2024-3-7", "2024-03", "2024", "20240307123", "12Foo2024", "20249999"),
    ],
)
def test_other_numbers_are_no_dates(name):
    assert dates_in(name) == []


def test_dates_that_share_characters_have_no_meaning():
    assert moments("12_03_2024-03-07") == [None]
    assert moments("01_02_2024_067") == [None]


def test_two_dates_are_both_found():
    assert len(dates_in("LC08_190031_20240307_20240313_02_T1")) == 2
    assert moments("20240601_2024-03-07") == [moment("2024-06-01"), moment("2024-03-07")]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2024:03:07 12:30:15", "2024-03-07T12:30:15"),
        ("2024-03-07T12:30:15.250Z", "2024-03-07T12:30:15.250000"),
        ("2024-03-07T12:30+02:00", "2024-03-07T10:30:00"),
        ("2024-067T23:30:00-0130", "2024-03-08T01:00:00"),
        ("2024-067", "2024-03-07"),
        (" 2024-03-07 12:30:00 UTC", "2024-03-07T12:30:00"),
        ("2024/03/07", "2024-03-07"),
        ("March 7, 2024", "2024-03-07"),
        ("2024-03", "2024-03-01"),
        ("0999-01-01", "0999-01-01"),
    ],
)
def test_metadata_and_users_write_dates_in_further_ways(text, expected):
    assert str(read_date(text).moment) == expected


@pytest.mark.parametrize(
    "text", ["", "week 10", "2024", "52", "0000:00:00 00:00:00", "a 2024-03-07"]
)
def test_texts_that_are_no_dates_as_a_whole(text):
    assert read_date(text) is None


@pytest.mark.parametrize(
    ("one", "other", "agree"),
    [
        ("2024-W10", "2024-03-07", True),
        ("2024-03-07T12:30", "2024-03-07", True),
        ("2024-03-07", "2024-03-07T23:59:59", True),
        ("2024-03-07", "2024-03-08", False),
        ("2024-W10", "2024-03-11T00:00", False),
    ],
)
def test_dates_agree_if_one_can_lie_in_the_other(one, other, agree):
    a, b = read_date(one).moment, read_date(other).moment
    assert a.agrees(b) == b.agrees(a) == agree


DATES = pd.DatetimeIndex(["2024-03-07", "2024-03-14", "2024-03-21"])


@pytest.mark.parametrize(
    "values",
    [
        DATES,
        list(DATES),
        DATES.to_numpy(),
        pd.Series(DATES),
        [day.date() for day in DATES],
        [day.to_pydatetime() for day in DATES],
        DATES.strftime("%Y%m%d"),
        (text for text in DATES.strftime("%Y-%j")),
        ["7 Mar 2024", "14 Mar 2024", "21 Mar 2024"],
        pd.PeriodIndex(DATES, freq="D"),
    ],
    ids=lambda values: type(values).__name__,
)
def test_dates_of_any_kind_are_dates(values):
    found = read_times(values)
    assert isinstance(found, pd.DatetimeIndex)
    assert list(found) == list(DATES)


BERLIN = DATES.tz_localize("Europe/Berlin")


@pytest.mark.parametrize(
    "values",
    [
        BERLIN,
        list(BERLIN),
        pd.Series(BERLIN),
        [day.to_pydatetime() for day in BERLIN],
        [day.isoformat() for day in BERLIN],
        [
            day.tz_convert(zone)
            for day, zone in zip(BERLIN, ["UTC", "Asia/Tokyo", 3600], strict=True)
        ],
    ],
    ids=lambda values: type(values).__name__,
)
def test_times_with_a_zone_become_utc(values):
    found = read_times(values)
    assert found.tz is None
    assert list(found) == [day.tz_convert("UTC").tz_localize(None) for day in BERLIN]


@pytest.mark.parametrize(
    "values",
    [
        ["2024-03-07T00:00Z", "2024-03-08T00:00"],
        ["2024-03-07T00:00", "2024-03-08T00:00+02:00"],
        ["2024-03-07T00:00Z", "2024-03-08"],
        [BERLIN[0], DATES[1]],
        [DATES[0].to_pydatetime(), BERLIN[1].to_pydatetime()],
        [BERLIN[0].to_pydatetime(), date(2024, 3, 8)],
    ],
)
def test_times_with_and_without_a_zone_cannot_be_compared(values):
    with pytest.raises(ArgumentError, match=r"times: '2024-03-.*states a zone, but '2024.*none"):
        read_times(values)


@pytest.mark.parametrize("dates", [DATES, BERLIN, DATES.strftime("%Y%m%d"), [3, 1], ["b", "a"]])
def test_categories_are_what_they_stand_for(dates):
    values = pd.Series(pd.Categorical(dates))
    pd.testing.assert_index_equal(read_times(values), read_times(dates), exact="equiv")


@pytest.mark.parametrize(
    "values", [[1, 2, 52], [0.5, 1.25], np.arange(3), range(4), ["first", "second"], ["1", "2"]]
)
def test_numbers_and_texts_stay_what_they_are(values):
    assert list(read_times(values)) == list(values)
    assert not isinstance(read_times(values), pd.DatetimeIndex)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ("2024-03-07", "must be a list"),
        (7, "must be a list"),
        (["07/03/2024", "14/03/2024"], "'07/03/2024' has two meanings"),
        (["2024-03-07", "spring"], "'2024-03-07' is a date, but 'spring' is none"),
        (["2024-03-07", None], "position 1 is missing"),
        ([1.0, np.nan], "position 1 is missing"),
        ([date(2024, 3, 7), 8], "not date, int"),
        ([True, False], "not bool"),
        ([(1, 2), (3, 4)], "not tuple"),
        ([[1], [2]], "not list"),
    ],
)
def test_times_that_cannot_be_read(values, message):
    with pytest.raises(ArgumentError, match=message):
        read_times(values)


@given(st.permutations(range(5)))
def test_layers_are_sorted_on_request(order):
    times = pd.Index(np.array(order) * 7)
    found = order_of(times, list("abcde"), what="times", sort=True)
    assert list(times[found]) == [0, 7, 14, 21, 28]
    if list(order) != sorted(order):
        with pytest.raises(ArgumentError, match=r"not in order.*sort=True"):
            order_of(times, list("abcde"), what="times", sort=False)


def test_the_first_pair_of_equal_or_unsorted_times_is_named():
    names = ["a.tif", "b.tif", "c.tif"]
    with pytest.raises(ArgumentError, match=r"2024-03-07 is the time of both a\.tif and c\.tif"):
        order_of(DATES[[0, 1, 0]], names, what="times", sort=True)
    with pytest.raises(
        ArgumentError, match=r"2024-03-21 \(b\.tif\) comes before 2024-03-14 \(c\.tif\)"
    ):
        order_of(DATES[[0, 2, 1]], names, what="times", sort=False)


def test_texts_are_kept_or_sorted_with_their_numbers():
    texts = pd.Index(["week 10", "week 9", "week 1"])
    assert list(order_of(texts, texts, what="times", sort=False)) == [0, 1, 2]
    assert list(texts[order_of(texts, texts, what="times", sort=True)]) == sorted(
        texts, key=natural_key
    )


def find(names, stated=None, where=None, single=True):
    stated = [{} if own is None else own for own in stated or [None] * len(names)]
    paths = [PurePath(name) if single else None for name in names]
    stems = [PurePath(name).stem for name in names]
    return find_times(stated, paths, names, stems, where=where)


def moment(text):
    return read_date(text).moment


@pytest.mark.parametrize(
    "names",
    [
        ["ndvi_20240307.tif", "ndvi_20240314.tif"],
        ["B1_20240307_s9.tif", "B10_20240314_s10.tif"],
        ["run20240601_2024-03-07.tif", "run20240601_2024-03-14.tif"],
        ["orbit_2000123_20240307.tif", "orbit_2000123_20240314.tif"],
        ["MOD13Q1.A2024067.h18v04.hdf", "MOD13Q1.A2024074.h18v04.hdf"],
        ["2024-03-07/ndvi.tif", "2024-03-14/ndvi.tif"],
    ],
)
def test_names_with_one_date_each_give_the_times(names):
    found = find(names)
    assert found.origin == "names"
    assert list(found.index) == list(DATES[:2])


@pytest.mark.parametrize(
    ("names", "why"),
    [
        (["week_1.tif", "week_2.tif"], "no date of its own in the name 'week_1'"),
        (["20240307.tif", "extra.tif"], "no date of its own in the name 'extra'"),
        (["a_07-03-2024.tif", "a_14-03-2024.tif"], "'a_07-03-2024' has two meanings"),
        (["a_07-03-2024.tif", "a_07-03-2024_b.tif"], "no date of its own"),
        (["a_07-03-2024.tif"], "has two meanings"),
        (["orbit_2000123.tif", "orbit_2000124.tif"], "'2000123' in the name .* may be no date"),
        (["orbit_2000123_20240307.tif", "orbit_2000124_20240307.tif"], "'2000123' in the name"),
        (["orbit_2000123_20240307.tif", "orbit_2000124_20240314.tif"], "several dates"),
        (["20240307_1200.tif", "20240314_2512.tif"], "only one names a time of day"),
        (["20240307_20240313.tif", "20240314_20240320.tif"], "several dates in the name"),
        (["a_20240307.tif", "20240314_a.tif"], "elsewhere in the name '20240314_a'"),
        (["20240307_a.tif", "20240307_b.tif"], "no date of its own"),
    ],
)
def test_other_names_are_texts_and_it_is_said_why(names, why):
    found = find(names)
    assert found.origin == "stems"
    assert list(found.index) == [PurePath(name).stem for name in names]
    assert re.search(why, found.detail)
    with pytest.raises(ArgumentError, match=r'times="names": .'):
        find(names, where="names")


def test_without_names_layers_are_counted():
    found = find_times([{}, {}], [None, None], ["x", "y"], ["", ""])
    assert (found.origin, list(found.index)) == ("order", [1, 2])


@pytest.mark.parametrize(
    ("key", "origin"),
    [("TIFFTAG_IMAGEDATE", "metadata"), (AXIS, "coordinate"), (DESCRIPTION, "bands")],
)
def test_metadata_of_all_layers_give_the_times(key, origin):
    stated = [{key: moment("2024-03-07T12:30")}, {key: moment("2024-03-14T11:00")}]
    found = find(["week_1.tif", "week_2.tif"], stated)
    assert (found.origin, found.detail) == (origin, key)
    assert list(found.index) == [pd.Timestamp("2024-03-07T12:30"), pd.Timestamp("2024-03-14T11:00")]


def test_positions_along_an_axis_may_be_numbers_or_texts():
    assert list(find(["x", "x"], [{AXIS: 1.0}, {AXIS: 2.0}]).index) == [1, 2]
    assert list(find(["x", "x"], [{AXIS: 1.0}, {AXIS: 2.5}]).index) == [1.0, 2.5]
    assert list(find(["x", "x"], [{AXIS: "dawn"}, {AXIS: "dusk"}]).index) == ["dawn", "dusk"]


def test_when_a_file_was_made_is_its_time_only_on_request():
    stated = [{"TIFFTAG_DATETIME": moment(f"2025-01-0{i}")} for i in (1, 2)]
    found = find(["week_1.tif", "week_2.tif"], stated)
    assert (found.origin, list(found.index)) == ("stems", ["week_1", "week_2"])
    assert 'TIFFTAG_DATETIME may say when a file was made; times="metadata"' in found.detail
    assert list(find(["20240307.tif", "20240314.tif"], stated).index) == list(DATES[:2])
    asked = find(["20240307.tif", "20240314.tif"], stated, where="metadata")
    assert list(asked.index) == [pd.Timestamp("2025-01-01"), pd.Timestamp("2025-01-02")]


def test_the_first_place_that_all_metadata_share_counts():
    stated = [
        {"DATETIME": moment("2024-03-07"), "TIFFTAG_DATETIME": moment("2025-01-01")},
        {"TIFFTAG_DATETIME": moment("2025-01-02")},
    ]
    found = find(["week_1.tif", "week_2.tif"], stated, where="metadata")
    assert found.detail == "TIFFTAG_DATETIME"
    assert list(found.index) == [pd.Timestamp("2025-01-01"), pd.Timestamp("2025-01-02")]


def test_the_surest_metadata_count():
    stated = [
        {
            "TIFFTAG_DATETIME": moment(f"2025-01-0{i}"),
            "DATETIME": moment(f"2024-06-0{i}"),
            AXIS: day,
        }
        for i, day in ((1, moment("2024-03-07")), (2, moment("2024-03-14")))
    ]
    assert list(find(["week_1.tif", "week_2.tif"], stated).index) == list(DATES[:2])
    for own in stated:
        del own[AXIS]
    assert find(["week_1.tif", "week_2.tif"], stated).detail == "DATETIME"


def test_metadata_of_some_do_not_count():
    stated = [{"DATETIME": moment("2024-03-07")}, None]
    assert find(["20240307.tif", "20240314.tif"], stated).origin == "names"
    found = find(["week_1.tif", "week_2.tif"], stated)
    assert found.origin == "stems"
    assert "1 of 2 rasters state no date, as of week_2.tif" in found.detail
    with pytest.raises(ArgumentError, match=r'times="metadata": .*week_2\.tif'):
        find(["week_1.tif", "week_2.tif"], stated, where="metadata")


@pytest.mark.parametrize("second", [{"DATETIME": moment("2024-03-14")}, None])
def test_metadata_that_contradict_a_name_are_an_error(second):
    names = ["20240307.tif", "20240314.tif"]
    stated = [{"DATETIME": moment("2024-03-08")}, second]
    with pytest.raises(
        ArgumentError,
        match=r"20240307\.tif says 2024-03-07, .*\(DATETIME\) say 2024-03-08; pass times=",
    ):
        find(names, stated)
    assert list(find(names, stated, where="names").index) == list(DATES[:2])
    assert find(names, stated, where="stems").origin == "stems"


def test_metadata_that_agree_with_names_are_finer():
    stated = [{"DATETIME": moment("2024-03-05T10:00")}, {"DATETIME": moment("2024-03-12")}]
    found = find(["2024-W10.tif", "2024-W11.tif"], stated)
    assert list(found.index) == [pd.Timestamp("2024-03-05T10:00"), pd.Timestamp("2024-03-12")]


@pytest.mark.parametrize(
    "index",
    [
        DATES.strftime("%Y-%m-%d"),
        DATES,
        [day.date() for day in DATES],
        DATES.to_period("D"),
        DATES.astype("category"),
        [9, 10, 12],
        ["x", "y", "z"],
    ],
)
def test_the_index_of_a_series_of_rasters_are_its_times(index):
    given = list_rasters(pd.Series(["a.tif", "b.tif", "c.tif"], index=index))
    assert given.rasters == ["a.tif", "b.tif", "c.tif"]
    assert list(read_times(given.keys)) == list(read_times(index))


def test_an_index_that_only_counts_is_no_times():
    assert list_rasters(pd.Series(["a.tif", "b.tif"])).keys is None
