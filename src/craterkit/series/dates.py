"""Dates in texts: in names of files, in metadata, and as users write them.

What could be read in two ways (07-03-2024 is 7 March or 3 July), or could be a number as well as a
date (2024067), is found, but not decided.
"""

from __future__ import annotations

import re
from calendar import monthrange
from dataclasses import dataclass, field
from datetime import datetime, timedelta

__all__ = ["FoundDate", "Moment", "dates_in", "read_date"]

MONTHS = (
    *("january", "february", "march", "april", "may", "june"),
    *("july", "august", "september", "october", "november", "december"),
)

_SEPARATOR = "[-_.:/ ]"

#: A time of day in a name: after a T, or after a separator if it goes on as a time of day does and is
#: not the year of another date.
_CLOCK_IN_NAME = (
    rf"(?:(?!{_SEPARATOR}(?:19|20)\d\d{_SEPARATOR}\d\d{_SEPARATOR}\d\d(?!\d))"
    r"(?:(?P<T>T)|[-_. ])(?P<H>[01]\d|2[0-3])"
    r"(?:(?P<t>[-_:]?)(?P<M>[0-5]\d)(?P=t)(?P<S>[0-5]\d)|(?(T)[-_:]?|:?)(?P<M2>[0-5]\d))Z?)"
)

#: A time of day in a text that is a date as a whole.
_CLOCK = (
    r"(?:[T_ ](?P<H>\d\d)(?P<t>[-_:]?)(?P<M>\d\d)(?:(?P=t)(?P<S>\d\d)(?:[.,](?P<f>\d+))?)?"
    r"\ ?(?P<z>Z|UTC|[+-]\d\d:?\d\d)?)"
)

#: What a date may look like; `Y` stands for a year, `~` for a separator, `@` for a time of day.
_FORMS = (
    r"(?P<y>Y)(?P<s>~?)(?P<m>\d\d)(?P=s)(?P<d>\d\d)@?",
    r"(?P<y>Y)(?P<m>\d\d)(?P<d>\d\d)(?P<H>\d\d)(?P<M>\d\d)(?P<S>\d\d)?",
    r"(?<![A-Za-z])A(?P<y>Y)(?P<day>\d{3})@?",
    r"(?i:doy)~?(?P<y>Y)~?(?P<day>\d{3})@?",
    r"(?P<y>Y)~?(?i:doy)~?(?P<day>\d{3})@?",
    r"(?P<y>Y)-?(?P<day>\d{3})(?=T)@",
    r"(?P<y>Y)[-_]?W(?P<week>\d\d)(?:-(?P<weekday>[1-7]))?",
    r"(?P<first>\d\d)(?P<s>~?)(?P<second>\d\d)(?P=s)(?P<y>(?:19|20)\d\d)@?",
    r"(?P<d>\d{1,2})~?(?P<month>[A-Za-z]{3,9})~?(?P<y>Y)@?",
    r"(?P<y>Y)~?(?P<month>[A-Za-z]{3,9})~?(?P<d>\d{1,2})@?",
)

#: What may be a date in a name, or something else: a year and a number, a week and a number, or a date
#: and numbers that may be no time of day.
_DOUBTFUL_FORMS = (
    r"(?P<y>Y)~?(?P<day>\d{3})",
    r"(?P<y>Y)[-_]?W(?P<week>\d\d)(?P<weekday>[1-7])",
    r"(?P<y>Y)(?P<s>~?)(?P<m>\d\d)(?P=s)(?P<d>\d\d)[-_. ](?P<H>\d\d)[-_](?P<M>\d\d)",
    r"(?P<y>Y)(?P<s>~?)(?P<m>\d\d)(?P=s)(?P<d>\d\d)T\d\d[-_:]?\d\d\d*",
)

#: What is a date only where nothing else can be meant.
_WHOLE_FORMS = (
    r"(?P<y>Y)-(?P<m>\d\d)",
    r"(?P<y>Y)-(?P<day>\d{3})@?",
    r"(?P<month>[A-Za-z]{3,9})[. ]\ *(?P<d>\d{1,2}),?\ +(?P<y>Y)",
)


def _compile(form: str, year: str, clock: str) -> re.Pattern[str]:
    text = form.replace("Y)", f"{year})").replace("~", _SEPARATOR).replace("@", clock)
    return re.compile(text, re.ASCII)


def _compile_for_names(form: str) -> re.Pattern[str]:
    pattern = _compile(form, r"(?:19|20)\d\d", _CLOCK_IN_NAME).pattern
    return re.compile(rf"(?<!\d)(?=({pattern})(?!\d))", re.ASCII)


_IN_NAMES = [(_compile_for_names(form), True) for form in _FORMS]
_IN_NAMES += [(_compile_for_names(form), False) for form in _DOUBTFUL_FORMS]
_WHOLE = [_compile(form, r"\d{4}", _CLOCK) for form in (*_FORMS, *_WHOLE_FORMS)]


@dataclass(frozen=True, slots=True)
class Moment:
    """The span of time that a date means: a day, a week, a minute, ...

    Attributes
    ----------
    start : datetime.datetime
        Its beginning; in UTC if the text states a zone.
    span : datetime.timedelta
        How long it lasts.
    has_zone : bool
        Whether the text states a zone.
    """

    start: datetime
    span: timedelta
    has_zone: bool = field(default=False, compare=False)

    @property
    def is_time_of_day(self) -> bool:
        """Whether it is finer than a day."""
        return self.span < timedelta(days=1)

    def agrees(self, other: Moment) -> bool:
        """Whether the two have time in common."""
        return self.start < other.start + other.span and other.start < self.start + self.span

    def __str__(self) -> str:
        if self.is_time_of_day:
            return self.start.isoformat()
        return self.start.date().isoformat()


@dataclass(frozen=True, slots=True)
class FoundDate:
    """Something in a text that is a date, or may be one.

    Attributes
    ----------
    start, end : int
        Where in the text it is.
    moment : Moment or None
        What it means; None if that could be several things, or no date at all.
    """

    start: int
    end: int
    moment: Moment | None


def dates_in(name: str) -> list[FoundDate]:
    """Find the dates in a name, of the years 1900 to 2099.

    Parameters
    ----------
    name : str
        The name of a file without its ending, or such like.

    Returns
    -------
    list of FoundDate
        From left to right. Two that share characters are one that has no certain meaning.

    Examples
    --------
    >>> [str(found.moment) for found in dates_in("ndvi_20240307_v2")]
    ['2024-03-07']
    >>> [str(found.moment) for found in dates_in("A2024067 or 2024-W10 or 20240307_1230")]
    ['2024-03-07', '2024-03-04', '2024-03-07T12:30:00']
    >>> dates_in("07-03-2024"), dates_in("2024067")
    ([FoundDate(start=0, end=10, moment=None)], [FoundDate(start=0, end=7, moment=None)])
    """
    at: dict[tuple[int, int], set[Moment]] = {}
    for pattern, is_certain in _IN_NAMES:
        for match in pattern.finditer(name):
            moments = _moments(match)
            if moments and (is_certain or match.span(1) not in at):
                at.setdefault(match.span(1), set()).update(moments if is_certain else ())
    found = [FoundDate(*span, _only(moments)) for span, moments in at.items()]
    found = [
        date
        for date in found
        if not any(other != date and _contains(other, date) for other in found)
    ]
    found.sort(key=lambda date: date.start)
    merged: list[FoundDate] = []
    for date in found:
        if merged and date.start < merged[-1].end:
            merged[-1] = FoundDate(merged[-1].start, max(date.end, merged[-1].end), None)
        else:
            merged.append(date)
    return merged


def read_date(text: str) -> FoundDate | None:
    """Read a text that is a date as a whole; None if it is none.

    Parameters
    ----------
    text : str
        A date, perhaps with a time of day and a zone.

    Examples
    --------
    >>> read_date("2024:03:07 12:30:00").moment.start
    datetime.datetime(2024, 3, 7, 12, 30)
    >>> read_date("07/03/2024").moment is None
    True
    >>> read_date("week 10") is None
    True
    """
    text = text.strip()
    moments: set[Moment] = set()
    for pattern in _WHOLE:
        match = pattern.fullmatch(text)
        if match:
            moments |= _moments(match)
    return FoundDate(0, len(text), _only(moments)) if moments else None


def _contains(outer: FoundDate, inner: FoundDate) -> bool:
    within = outer.start <= inner.start and inner.end <= outer.end
    return within and outer.end - outer.start > inner.end - inner.start


def _only(moments: set[Moment]) -> Moment | None:
    return next(iter(moments)) if len(moments) == 1 else None


def _moments(match: re.Match[str]) -> set[Moment]:
    """What a match can mean: nothing if it is no date, two things if days and months can be swapped."""
    part = {name.rstrip("2"): text for name, text in match.groupdict().items() if text is not None}
    year = int(part["y"])
    try:
        clock, span = _clock(part)
        days = _days(part, year)
        moments = set()
        for day, length in days:
            moments.add(Moment(day + clock, span or length, "z" in part))
    except (ValueError, OverflowError):
        return set()
    return moments


def _days(part: dict[str, str], year: int) -> list[tuple[datetime, timedelta]]:
    one = timedelta(days=1)
    if "week" in part:
        monday = datetime.fromisocalendar(year, int(part["week"]), int(part.get("weekday", 1)))
        return [(monday, one if "weekday" in part else 7 * one)]
    if "day" in part:
        day = datetime(year, 1, 1) + (int(part["day"]) - 1) * one
        return [(day, one)] if day.year == year else []
    if "first" in part:
        first, second = int(part["first"]), int(part["second"])
        orders = {(first, second), (second, first)}
        return [(datetime(year, m, d), one) for d, m in orders if _is_date(year, m, d)]
    month = int(part["m"]) if "m" in part else _month(part["month"])
    if "d" in part:
        return [(datetime(year, month, int(part["d"])), one)]
    return [(datetime(year, month, 1), monthrange(year, month)[1] * one)]


def _clock(part: dict[str, str]) -> tuple[timedelta, timedelta | None]:
    """Time since midnight, in UTC if a zone is stated, and how exactly it is stated."""
    if "H" not in part:
        return timedelta(), None
    hours, minutes, seconds = (int(part.get(key, 0)) for key in "HMS")
    if hours > 23 or minutes > 59 or seconds > 59:
        raise ValueError("no time of day")
    fraction = int(f"{part.get('f', ''):0<6}"[:6])
    clock = timedelta(hours=hours, minutes=minutes, seconds=seconds, microseconds=fraction)
    zone = part.get("z", "Z")
    if zone[0] in "+-":
        offset = datetime.strptime(zone.replace(":", ""), "%z").utcoffset()
        clock -= offset or timedelta()
    return clock, timedelta(seconds=1) if "S" in part else timedelta(minutes=1)


def _is_date(year: int, month: int, day: int) -> bool:
    return 1 <= month <= 12 and 1 <= day <= monthrange(year, month)[1]


def _month(name: str) -> int:
    for number, month in enumerate(MONTHS, 1):
        if name.lower() in (month, month[:3]):
            return number
    raise ValueError(f"{name} is no month")
