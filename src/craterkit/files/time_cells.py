"""Columns of instants and durations as a file holds them, and back; see `cells`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from craterkit.files.holdings import Holds, UnheldError, as_series
from craterkit.files.number_cells import encode_integers

if TYPE_CHECKING:
    Column = pd.Series[Any]
    How = dict[str, Any]

__all__ = ["decode_durations", "decode_instants", "encode_durations", "encode_instants"]

SECONDS_OF_YEARS_1_TO_9999 = (-62135596800, 253402300800)


def encode_instants(values: Column, holds: Holds) -> tuple[Column, How]:
    """Points in time: as they are, or as texts in UTC."""
    dtype = values.dtype
    how = {"kind": "instant", "dtype": str(dtype)}
    if isinstance(dtype, pd.DatetimeTZDtype):
        how["zone"] = str(dtype.tz)
        if not _is_zone(how["zone"], dtype):
            raise UnheldError(f"times in the zone {dtype.tz!r}, which has no name")
    if holds.instants == "all":
        return values, how
    if "zone" in how:
        values = values.dt.tz_convert("UTC").dt.tz_localize(None)
    times = values.to_numpy()
    if holds.instants == "milliseconds" and "zone" not in how:
        low, high = (np.datetime64(s, "s") for s in SECONDS_OF_YEARS_1_TO_9999)
        known = times[~np.isnat(times)]
        whole = known.astype("M8[ms]").astype(times.dtype) == known
        if whole.all() and (known >= low).all() and (known < high).all():
            return as_series(times.astype("M8[ms]")), how
    texts = np.datetime_as_string(times).astype(object)
    texts[np.isnat(times)] = None
    return as_series(texts), {**how, "as": "text"}


def _is_zone(name: str, dtype: pd.DatetimeTZDtype) -> bool:
    """Whether a name gives a time zone back."""
    try:
        return bool(pd.DatetimeTZDtype(dtype.unit, name) == dtype)
    except (TypeError, ValueError, KeyError):
        return False


def decode_instants(values: Column, how: How) -> Column:
    """Points in time, in the time zone that they were in."""
    if str(values.dtype) == how["dtype"]:
        return values
    unit: Any = how["dtype"].partition("[")[2].rstrip("]").partition(",")[0]
    if how.get("as") == "text":
        # As long as the column is as it was written; else what pandas makes of it.
        times = np.array(
            [np.datetime64("NaT") if pd.isna(x) else np.datetime64(x) for x in values],
            dtype=f"M8[{unit}]",
        )
        instants = as_series(times, values)
    else:
        zoned = values.dt.tz is not None
        instants = values.dt.tz_convert("UTC").dt.tz_localize(None) if zoned else values
        instants = instants.astype(np.dtype(f"M8[{unit}]"))
    if "zone" in how:
        return instants.dt.tz_localize("UTC").dt.tz_convert(how["zone"])
    return instants


def encode_durations(values: Column) -> tuple[Column, How]:
    """Durations as counts of their own unit."""
    counts = values.to_numpy().view(np.int64)
    how = {"kind": "duration", "dtype": str(values.dtype)}
    return encode_integers(counts, values.isna().to_numpy(), how)


def decode_durations(values: Column, how: How) -> Column:
    """Durations of counts of their unit."""
    missing = values.isna().to_numpy()
    counts = np.array([0 if gone else int(x) for x, gone in zip(values, missing, strict=True)])
    spans = counts.astype(np.int64).astype(how["dtype"])
    spans[missing] = np.timedelta64("NaT")
    return as_series(spans, values)
