"""Times of the layers of a stack: read from what a user gives, or found in metadata and names.

Nothing is guessed in silence: where times were found, and why not elsewhere, goes with them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from craterkit.errors import ArgumentError
from craterkit.series.dates import Moment, dates_in, read_date
from craterkit.series.given import natural_key
from craterkit.series.metadata import AXIS, DESCRIPTION, OF_FILES, by_certainty

if TYPE_CHECKING:
    from pathlib import PurePath

    import pandas as pd
    from numpy.typing import NDArray

    from craterkit.series.metadata import Position, Statements

__all__ = ["ORIGINS", "Times", "find_times", "order_of", "read_times"]

#: Where `find_times` may be told to look.
ORIGINS = ("metadata", "names", "stems")


@dataclass(frozen=True, slots=True)
class Times:
    """Times of layers, and where they are from.

    Attributes
    ----------
    index : pandas.Index
        One time for each layer: a DatetimeIndex, numbers or texts.
    origin : str
        ``"argument"``, ``"keys"``, ``"coordinate"``, ``"metadata"``, ``"bands"``, ``"names"``,
        ``"stems"`` or ``"order"``.
    detail : str
        Which tag or what part of the names, or why there are no dates.
    """

    index: pd.Index
    origin: str
    detail: str = ""


def read_times(values: object, argument: str = "times") -> pd.Index:
    """Read times as a user gives them.

    Parameters
    ----------
    values : iterable
        Dates of any kind that pandas or NumPy has, texts, or numbers.
    argument : str
        What messages call them.

    Returns
    -------
    pandas.Index
        A DatetimeIndex of dates, also of texts if all of them are dates as a whole (2024-03-07,
        20240307T1230, 2024-067, 2024-W10, 7 Mar 2024, ...); else numbers or texts as they are. Times
        that state a zone are turned into UTC, and have no zone then.

    Raises
    ------
    ArgumentError
        If they are of no or of several kinds, one is missing or has two meanings, or only some state
        a zone.

    Examples
    --------
    >>> list(read_times(["2024-W10", "2024-W11"]).strftime("%d %b"))
    ['04 Mar', '11 Mar']
    >>> list(read_times([1, 2, 4]))
    [1, 2, 4]
    >>> str(read_times(["2024-03-07T12:30+02:00"])[0])
    '2024-03-07 10:30:00'
    """
    import pandas as pd

    if isinstance(values, str | bytes | Mapping) or not isinstance(values, Iterable):
        raise ArgumentError(
            f"{argument} must be a list of dates, numbers or texts, one for each layer, not {values!r}"
        )
    index = pd.Index(values if isinstance(values, pd.Index | pd.Series) else _listed(values))
    if index.nlevels == 1 and index.hasnans:
        place = int(np.flatnonzero(index.isna())[0])
        raise ArgumentError(f"{argument}: the time at position {place} is missing")
    if isinstance(index, pd.CategoricalIndex):
        index = index.astype(index.categories.dtype)
    kind = pd.api.types.infer_dtype(index) if index.nlevels == 1 else "tuple"
    if kind in ("datetime64", "datetime", "date"):
        return _index_of_dates(index, argument)
    if kind == "period":
        return pd.PeriodIndex(index).to_timestamp()
    if kind in ("timedelta64", "timedelta"):
        return pd.TimedeltaIndex(index)
    if kind in ("integer", "floating", "mixed-integer-float"):
        numbers = np.asarray(index)
        return pd.Index(numbers.astype(np.float64) if numbers.dtype == object else numbers)
    if kind == "string":
        return _index_of_texts([str(text) for text in index], argument)
    if not len(index):
        return index
    types = sorted({type(value).__name__ for value in index})
    raise ArgumentError(
        f"{argument} must be all dates, all numbers or all texts, not {', '.join(types)}"
    )


def _listed(values: Iterable[Any]) -> Any:  # noqa: ANN401
    array = getattr(values, "values", None)
    return array if isinstance(array, np.ndarray) and array.ndim == 1 else list(values)


def _index_of_dates(index: pd.Index, argument: str) -> pd.DatetimeIndex:
    """Dates as pandas has them, in UTC if they state zones."""
    import pandas as pd

    if isinstance(index, pd.DatetimeIndex):
        has_zone = [index.tz is not None] * len(index)
    else:
        has_zone = [getattr(date, "tzinfo", None) is not None for date in index]
    _check_zones(list(index), has_zone, argument)
    try:
        dates = pd.DatetimeIndex(pd.to_datetime(index, utc=any(has_zone)))
    except (ValueError, TypeError) as error:
        raise ArgumentError(f"{argument}: cannot be read as dates: {error}") from error
    return dates.tz_localize(None)


def _check_zones(times: Sequence[Any], has_zone: Sequence[bool], argument: str) -> None:
    """Raise if only some times state a zone."""
    if any(has_zone) and not all(has_zone):
        zoned, other = (str(times[has_zone.index(has)]) for has in (True, False))
        raise ArgumentError(
            f"{argument}: {zoned!r} states a zone, but {other!r} states none; state one throughout "
            "(times become UTC), or none"
        )


def _index_of_texts(texts: Sequence[str], argument: str) -> pd.Index:
    import pandas as pd

    found = [read_date(text) for text in texts]
    for text, date in zip(texts, found, strict=True):
        if date is not None and date.moment is None:
            raise ArgumentError(
                f"{argument}: {text!r} has two meanings, as day and month can be swapped; write "
                "year-month-day"
            )
    if not any(found):
        return pd.Index(texts)
    if not all(found):
        dated, other = found.index(next(filter(None, found))), found.index(None)
        raise ArgumentError(
            f"{argument}: {texts[dated]!r} is a date, but {texts[other]!r} is none; give dates "
            "throughout, or none"
        )
    moments = [date.moment for date in found if date is not None and date.moment is not None]
    _check_zones(texts, [moment.has_zone for moment in moments], argument)
    return _dates(moments)


def _dates(moments: Sequence[Moment]) -> pd.DatetimeIndex:
    import pandas as pd

    return pd.DatetimeIndex(np.array([moment.start for moment in moments], "M8[us]"))


def order_of(times: pd.Index, layers: Sequence[str], *, what: str, sort: bool) -> NDArray[np.intp]:
    """Order in which layers follow each other in time.

    Parameters
    ----------
    times : pandas.Index
        Time of each layer.
    layers : sequence of str
        What messages call the layers.
    what : str
        What messages call the times.
    sort : bool
        Whether they may be out of order. Texts (that are no dates) have no order of their own: they
        are kept as they are, or sorted with the numbers in them by value.

    Returns
    -------
    (n,) ndarray of intp
        Position of the layer that is first, second, ...

    Raises
    ------
    ArgumentError
        If two layers have the same time, or times are not ascending without `sort`.
    """
    if times.has_duplicates:
        later = int(np.flatnonzero(times.duplicated())[0])
        first = int(np.flatnonzero(times == times[later])[0])
        raise ArgumentError(
            f"{what}: {_shown(times[later])} is the time of both {layers[first]} and {layers[later]}"
            f"{_others(int(times.duplicated().sum()) - 1)}; pass times= with one time for each layer"
        )
    if _is_text(times):
        texts = [str(text) for text in times]
        places = range(len(texts))
        return np.array(
            sorted(places, key=lambda i: natural_key(texts[i])) if sort else places, np.intp
        )
    order = np.asarray(times.argsort(), dtype=np.intp)
    if not sort and not times.is_monotonic_increasing:
        early = int(np.flatnonzero(times[1:] < times[:-1])[0])
        raise ArgumentError(
            f"{what}: not in order: {_shown(times[early])} ({layers[early]}) comes before "
            f"{_shown(times[early + 1])} ({layers[early + 1]}); pass sort=True to sort the layers by time"
        )
    return order


def _is_text(times: pd.Index) -> bool:
    import pandas as pd

    return bool(pd.api.types.is_string_dtype(times.dtype))


def _shown(time: Any) -> str:  # noqa: ANN401
    """A time as shortly as is exact."""
    return re.sub(r"[ T]00:00:00$", "", str(time))


def _others(count: int) -> str:
    return f" (and {count} further times are given twice)" if count else ""


def find_times(
    stated: Sequence[Statements],
    paths: Sequence[PurePath | None],
    layers: Sequence[str],
    stems: Sequence[str],
    *,
    where: str | None = None,
) -> Times:
    """Find the times of layers in metadata or names; without any, call layers by their names.

    Metadata count if all layers have them in the same place (the first such place of `AXIS`, `TAGS`,
    `DESCRIPTION`); those that may say when a file was made (`OF_FILES`) only if they are asked for.
    Else names count, if each has one date that can only be a date, in the same place of the name, and
    that is not the same in all. Where both could count they must agree.

    Parameters
    ----------
    stated : sequence of dict
        What the metadata of each layer state, by where.
    paths : sequence of PurePath or None
        Path of each layer that is the only one of its file; None for others.
    layers : sequence of str
        What messages call the layers.
    stems : sequence of str
        Names to use if there are no dates; all empty if the rasters have none.
    where : {"metadata", "names", "stems"}, optional
        Look there only.

    Returns
    -------
    Times

    Raises
    ------
    ArgumentError
        If metadata and names contradict each other, or there are no times where `where` says.
    """
    of_files = set(OF_FILES).intersection(*stated)
    if where != "metadata":
        stated = [
            {key: place for key, place in own.items() if key not in OF_FILES} for own in stated
        ]
    everywhere = (key for key in by_certainty(stated[0]) if all(key in own for own in stated))
    common = next(everywhere, None)
    named = _dates_of_names(paths)
    if where is None and not isinstance(named, _Unnamed):
        _check_agreement(stated, common, named, layers)
    if common is not None and where in (None, "metadata"):
        return _of_metadata([own[common] for own in stated], common)
    if where == "metadata":
        raise ArgumentError(f'times="metadata": {_why_unstated(stated, layers)}')
    if not isinstance(named, _Unnamed) and where in (None, "names"):
        return Times(_dates(named), "names")
    if where == "names" and isinstance(named, _Unnamed):
        raise ArgumentError(f'times="names": {named.why}')
    reasons = [_why_unstated(stated, layers)]
    if of_files:
        reasons[0] += (
            f" ({min(of_files)} may say when a file was made; "
            'times="metadata" takes it as the time)'
        )
    if isinstance(named, _Unnamed):
        reasons.append(named.why)
    return _of_stems(stems, "" if where else "; ".join(reasons))


def _of_metadata(positions: Sequence[Position], key: str) -> Times:
    import pandas as pd

    origin = "bands" if key == DESCRIPTION else "metadata"
    origin = "coordinate" if key.startswith(AXIS) else origin
    moments = [position for position in positions if isinstance(position, Moment)]
    if len(moments) == len(positions):
        return Times(_dates(moments), origin, key)
    numbers = [position for position in positions if isinstance(position, float)]
    if len(numbers) < len(positions):
        return Times(pd.Index([str(position) for position in positions]), origin, key)
    whole = all(number.is_integer() for number in numbers)
    return Times(pd.Index(np.array(numbers, np.int64 if whole else np.float64)), origin, key)


def _of_stems(stems: Sequence[str], why: str) -> Times:
    import pandas as pd

    if any(stems):
        return Times(pd.Index(list(stems)), "stems", why)
    return Times(pd.RangeIndex(1, len(stems) + 1), "order", why)


def _why_unstated(stated: Sequence[Statements], layers: Sequence[str]) -> str:
    without = [name for name, own in zip(layers, stated, strict=True) if not own]
    if not without:
        return "the metadata of the rasters state dates in different places"
    if len(without) == len(layers):
        return "no raster's metadata state a date"
    return (
        f"the metadata of {len(without)} of {len(layers)} rasters state no date, as of {without[0]}"
    )


def _check_agreement(
    stated: Sequence[Statements],
    common: str | None,
    named: Sequence[Moment],
    layers: Sequence[str],
) -> None:
    """Raise if metadata say something else than names do."""
    for own, moment, layer in zip(stated, named, layers, strict=True):
        key = common or next(iter(by_certainty(own)), None)
        position = own[key] if key is not None else None
        if isinstance(position, Moment) and not position.agrees(moment):
            raise ArgumentError(
                f"times: the name of {layer} says {moment}, but its metadata ({key}) say {position}; "
                'pass times=, or times="names" or times="metadata" for one of the two'
            )


@dataclass(frozen=True, slots=True)
class _Unnamed:
    """Names that do not all have one date, and why."""

    why: str


def _dates_of_names(paths: Sequence[PurePath | None]) -> list[Moment] | _Unnamed:
    """Dates of the names of files, or else of their folders."""
    known = [path for path in paths if path is not None]
    if not known or len(known) < len(paths):
        return _Unnamed("not every layer has a name of a file of its own")
    found = _dates_of_texts([path.stem for path in known])
    if isinstance(found, _Unnamed) and not any(dates_in(path.stem) for path in known):
        folders = _dates_of_texts([path.parent.name for path in known])
        return found if isinstance(folders, _Unnamed) else folders
    return found


def _dates_of_texts(names: Sequence[str]) -> list[Moment] | _Unnamed:
    """The one date of each name, apart from what all names have in common."""
    dates = [
        {
            _field(name, date.start): (name[date.start : date.end], date.moment)
            for date in dates_in(name)
        }
        for name in names
    ]
    shared = {
        field
        for field, first in dates[0].items()
        if len(names) > 1 and all(own.get(field) == first for own in dates)
    }
    moments: list[Moment] = []
    places = []
    for name, own in zip(names, dates, strict=True):
        fields = [field for field in own if field not in shared]
        if not fields:
            return _Unnamed(f"no date of its own in the name {name!r}")
        if len(fields) > 1:
            return _Unnamed(f"several dates in the name {name!r}")
        text, moment = own[fields[0]]
        if moment is None:
            return _Unnamed(f"{text!r} in the name {name!r} has two meanings, or may be no date")
        places.append(fields[0])
        moments.append(moment)
        if fields[0] != places[0]:
            return _Unnamed(f"the date is elsewhere in the name {name!r} than in {names[0]!r}")
        if moment.is_time_of_day != moments[0].is_time_of_day:
            return _Unnamed(f"of {names[0]!r} and {name!r} only one names a time of day")
    return moments


def _field(name: str, place: int) -> int:
    """How many separators come before a place."""
    return len(re.findall(r"[-_. ]", name[:place]))
