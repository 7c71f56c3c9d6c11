"""What bands along a further axis are called: its times, wavelengths or levels as short texts."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import ArrayLike, NDArray

__all__ = ["axis_labels", "entries_of_bands", "netcdf_band_names"]

#: Calendars in which times are those of NumPy, from 1582 on.
CALENDARS = ("standard", "gregorian", "proleptic_gregorian")

SECONDS = {"day": 86400, "hour": 3600, "hr": 3600, "minute": 60, "min": 60, "second": 1, "sec": 1}


def axis_labels(values: ArrayLike) -> list[str]:
    """Name positions on an axis as shortly as is exact: times in ISO format, numbers, texts."""
    values = np.asarray(values)
    if values.dtype.kind == "M":
        return _times(values)
    if values.dtype.kind == "f":
        return [np.format_float_positional(value, trim="-") for value in values]
    return [_text(value) for value in values]


def entries_of_bands(
    entries: Sequence[Any], numbers: ArrayLike | None, count: int
) -> list[Any] | None:
    """Entries for bands out of a list that may have been made for more bands; None if it cannot be told.

    Parameters
    ----------
    entries : sequence
        One for each band of a file.
    numbers : array_like of int or None
        Which bands of the file these are, from 1 on, if that is known.
    count : int
        How many bands there are now.
    """
    values = np.asarray([] if numbers is None else numbers)
    if (
        values.size
        and values.dtype.kind in "iu"
        and values.min() > 0
        and values.max() <= len(entries)
    ):
        if values.size > 1 and np.unique(values).size < values.size:
            return None
        return [entries[number - 1] for number in np.broadcast_to(values, count)]
    return list(entries) if len(entries) == count else None


def _times(values: NDArray[Any]) -> list[str]:
    """Times in the coarsest unit that holds all of them."""
    for unit in ("D", "m", "s", "ms", "us"):
        coarse = values.astype(f"M8[{unit}]")
        if (np.isnat(values) | (coarse == values)).all():
            values = coarse
            break
    return [str(text) for text in np.datetime_as_string(values)]


def _text(value: Any) -> str:  # noqa: ANN401
    # Times of other calendars (cftime) have this method, too.
    return str(value.isoformat() if hasattr(value, "isoformat") else value)


def netcdf_band_names(dataset: Mapping[str, str], bands: Sequence[Mapping[str, str]]) -> list[str]:
    """Name bands by the positions that GDAL's metadata of a netCDF give, times decoded."""
    axes = [key for key in (bands[0] if bands else {}) if key.startswith("NETCDF_DIM_")]
    if not axes or any(axis not in band for band in bands for axis in axes):
        return [""] * len(bands)
    texts = []
    for axis in axes:
        name = axis.removeprefix("NETCDF_DIM_")
        positions = [band[axis] for band in bands]
        units, calendar = dataset.get(f"{name}#units", ""), dataset.get(f"{name}#calendar", "")
        texts.append(_decoded(positions, units, calendar) or positions)
    return ["_".join(parts) for parts in zip(*texts, strict=True)]


def _decoded(positions: Sequence[str], units: str, calendar: str) -> list[str] | None:
    """Times such as "hours since 2000-01-01" in ISO format; None if they are no such times."""
    import pandas as pd

    since = re.fullmatch(r"\s*([a-z]+?)s?\s+since\s+(.+)", units, re.I)
    seconds = SECONDS.get(since[1].lower()) if since else None
    if since is None or seconds is None or (calendar or "standard").lower() not in CALENDARS:
        return None
    try:
        start = pd.Timestamp(since[2]).tz_localize(None).to_datetime64().astype("M8[us]")
        elapsed = np.array([float(position) for position in positions]) * seconds * 1e6
    except ValueError:
        return None
    return axis_labels(start + np.round(elapsed).astype("m8[us]"))
