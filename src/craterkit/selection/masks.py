"""Pixels that a mask chooses by its values, read window by window."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from craterkit.errors import ArgumentError
from craterkit.rasters.base import Window
from craterkit.rasters.gdal_settings import block_cache
from craterkit.selection.runs import Runs

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from craterkit.extraction.conditions import Condition
    from craterkit.rasters.base import Band, Raster

    Ints = NDArray[np.intp]

__all__ = ["mask_band", "read_mask"]

#: About how many pixels are read at a time.
WINDOW_PIXELS = 1 << 21

#: Whole numbers below this are shown with all their digits, others as floats are.
WHOLE = 1e20

#: Decoded blocks that GDAL keeps, in bytes.
CACHE_BYTES = 1 << 26


def mask_band(raster: Raster, band: int | str, nodata: float | None) -> Band:
    """The band of a mask, with another nodata value if one is given.

    Raises
    ------
    ArgumentError
        If there is no such band, or it is not a single one, or `nodata` is no number.
    """
    bands = raster.pick_bands(band)
    if len(bands) != 1:
        raise ArgumentError(f"band must be a number or a description, not {band!r}")
    if nodata is None:
        return bands[0]
    if isinstance(nodata, bool) or not isinstance(nodata, int | float | np.integer | np.floating):
        raise ArgumentError(f"nodata must be a number, not {nodata!r}")
    return bands[0].with_nodata(nodata)


def read_mask(
    raster: Raster, band: Band, condition: Condition, within: Runs | None, *, scaled: bool
) -> Runs:
    """Read the pixels that fulfil a condition.

    Parameters
    ----------
    raster : Raster
        The mask.
    band : Band
        Its band.
    condition : Condition
        What pixels must fulfil.
    within : Runs or None
        The pixels to choose from; windows without any are not read.
    scaled : bool
        Whether a function gets physical values, not raw ones.

    Raises
    ------
    RasterError
        If the mask cannot be read, or its file has changed meanwhile.
    ArgumentError
        If the function fails, does not return booleans or does not judge each value by itself, if
        it cannot be known which pixels are data, or if no pixel fulfils the condition.
    """
    if condition.predicate is not None and not band.nodata_is_exact:
        raise ArgumentError(
            f"{raster.name}: band {band.number} declares a nodata value for 64-bit integers, which "
            "cannot be read exactly; pass it as nodata="
        )
    with block_cache(CACHE_BYTES):
        chosen = Runs.union(list(_read(raster, band, condition, within, scaled=scaled)))
    raster.check_unchanged()
    if not len(chosen):
        raise ArgumentError(_nothing(raster, band, condition, within))
    return chosen


def _read(
    raster: Raster, band: Band, condition: Condition, within: Runs | None, *, scaled: bool
) -> Iterator[Runs]:
    for window in _windows(raster):
        wanted = None if within is None else within.within(window)
        if wanted is not None and not len(wanted):
            continue
        raw = np.empty(window.shape, dtype=band.dtype)
        mask = np.empty(window.shape, dtype=np.uint8) if band.has_mask else None
        raster.read(band, window, raw, mask)
        try:
            passed = condition.passes(
                band, raw, None if mask is None else mask != 0, scaled=scaled, name=raster.name
            )
        except ArgumentError as error:
            raise ArgumentError(str(error).removeprefix("where: ")) from error.__cause__
        found = Runs.from_mask(passed, window.row_start, window.col_start)
        yield found if wanted is None else found.combined(wanted, np.logical_and)


def _nothing(raster: Raster, band: Band, condition: Condition, within: Runs | None) -> str:
    where = "" if within is None else f" of the {within.pixels} in the region"
    if condition.predicate is None:
        what = f"no pixel{where} has the raw value {', '.join(map(exact, condition.values))}"
    else:
        what = f"no pixel{where} fulfils the condition"
    hint = ""
    if condition.predicate is not None and band.nodata:
        nodata = " or ".join(map(exact, band.nodata))
        hint = (
            f"; pixels without data (raw value {nodata}) are not put to a condition, pass {nodata} "
            "itself to select them"
        )
    if band.has_mask:
        what += " that the mask or alpha band shows"
        hint += "; pixels that it hides are never selected"
    return f"{raster.name}: {what} in band {band.number} ({band.dtype}){hint}"


def exact(value: float) -> str:
    """A number with all its digits, and without needless ones.

    Examples
    --------
    >>> exact(2.0**53), exact(2**64 - 1), exact(0.5)
    ('9007199254740992', '18446744073709551615', '0.5')
    """
    if isinstance(value, float | np.floating) and value.is_integer() and abs(value) < WHOLE:
        value = int(value)
    return str(value)


def _windows(raster: Raster) -> Iterator[Window]:
    """Windows of whole blocks, from the first row to the last; blocks that are too large are cut."""
    rows, columns = raster.block_edges()
    width = raster.shape[1]
    for top, bottom in pairwise(_joined(rows, WINDOW_PIXELS // width).tolist()):
        across = columns[[0, -1]]
        if (bottom - top) * width > 2 * WINDOW_PIXELS:
            across = _joined(columns, WINDOW_PIXELS // (bottom - top))
        for left, right in pairwise(across.tolist()):
            step = max(1, 2 * WINDOW_PIXELS // (right - left))
            for start in range(top, bottom, step):
                yield Window(start, min(start + step, bottom), left, right)


def _joined(edges: Ints, size: int) -> Ints:
    """Some of the edges: intervals are joined to at most about twice `size`."""
    targets = np.arange(0, int(edges[-1]) + 1, max(1, size))
    last = np.searchsorted(edges, targets, side="right") - 1
    return np.append(np.unique(edges[last[last < edges.size - 1]]), edges[-1])
