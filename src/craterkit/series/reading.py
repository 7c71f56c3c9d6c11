"""Reading chosen pixels of rasters, and of these no more than the blocks that hold them."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from craterkit.extraction.blocks import Pixels, cover, read_window, rectangles
from craterkit.footprints.spans import Spans, ranges
from craterkit.rasters.base import Window

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from craterkit.extraction.budget import Budget
    from craterkit.rasters.base import Band, Raster
    from craterkit.selection.runs import Runs

    Bools = NDArray[np.bool_]
    Ints = NDArray[np.intp]

__all__ = ["Reading", "Values"]

#: Pixels that a thread reads at a time at most, unless a row of blocks has more, and bytes of each.
WINDOW_PIXELS, BYTES_READ = 1 << 22, 20


@dataclass(frozen=True, slots=True)
class Values:
    """Raw numbers of chosen pixels.

    Attributes
    ----------
    raw : (n,) ndarray
        The numbers.
    valid : (n,) ndarray of bool or None
        Which of them are data; None: all.
    unread : bool
        Whether some lie in blocks that could not be read.
    """

    raw: NDArray[Any]
    valid: Bools | None
    unread: bool = False


@dataclass(frozen=True, slots=True)
class _Part:
    """A rectangle, which runs lie in it, and the numbers of their pixels there."""

    window: Window
    spans: Spans
    pixels: Ints | slice


class Reading:
    """Which rectangles of rasters with equal blocks are read for some pixels; found once for them all.

    Parameters
    ----------
    runs : Runs
        The n pixels.
    block_edges : tuple of ndarray of int
        Rows and columns at which blocks begin, and the ends of the last ones.
    bands : int
        How many bands are read together.
    budget : Budget
        How much may be read at a time; at least one row of blocks is.
    """

    def __init__(
        self, runs: Runs, block_edges: tuple[Ints, Ints], bands: int, budget: Budget
    ) -> None:
        self._size = runs.pixels
        limit = min(WINDOW_PIXELS, budget.pixels_read(BYTES_READ))
        self._parts = list(_parts(runs, block_edges, limit // bands))

    @property
    def pixels_read(self) -> int:
        """Pixels in the rectangles."""
        return sum(part.window.shape[0] * part.window.shape[1] for part in self._parts)

    def values(
        self, raster: Raster, bands: Sequence[Band], *, flag_unread: bool = False
    ) -> list[Values]:
        """Read the pixels of some bands.

        Parameters
        ----------
        raster : Raster
            A raster with such blocks.
        bands : sequence of Band
            Some of its bands.
        flag_unread : bool, default False
            Whether pixels of blocks that cannot be read are no data.

        Raises
        ------
        RasterError
            If a block cannot be read, unless they are flagged; names the file, the band and the block.
        """
        found = [_Growing(self._size, band) for band in bands]
        for part in self._parts:
            for growing, (raw, valid, unread) in zip(
                found, _read(raster, bands, part, flag_unread=flag_unread), strict=True
            ):
                growing.put(part.pixels, raw, valid)
                growing.unread |= unread
        return [growing.values for growing in found]


class _Growing:
    """Values that come part by part."""

    def __init__(self, size: int, band: Band) -> None:
        self._raw = np.empty(size, dtype=band.dtype)
        self._invalid: Bools | None = None
        self.unread = False

    def put(self, pixels: Ints | slice, raw: NDArray[Any], valid: Bools | None) -> None:
        self._raw[pixels] = raw
        if valid is None or valid.all():
            return
        if self._invalid is None:
            self._invalid = np.zeros(self._raw.size, dtype=np.bool_)
        self._invalid[pixels] = ~valid

    @property
    def values(self) -> Values:
        valid = None if self._invalid is None else ~self._invalid
        return Values(self._raw, valid, self.unread)


def _read(
    raster: Raster, bands: Sequence[Band], part: _Part, *, flag_unread: bool
) -> Iterator[tuple[NDArray[Any], Bools | None, bool]]:
    window = part.window
    raws = [np.empty(window.shape, dtype=band.dtype) for band in bands]
    masks = [np.empty(window.shape, dtype=np.uint8) if band.has_mask else None for band in bands]
    failed = read_window(raster, bands, window, raws, masks, flag_unread=flag_unread)
    for band, raw, mask, unread in zip(bands, raws, masks, failed, strict=True):
        pixels = Pixels(band, raw, mask, window)
        places = ranges(pixels.places(part.spans), part.spans.length)
        values, valid = pixels.take(places)
        lacks = False
        if unread:
            readable = ~cover(unread, window).ravel().take(places)
            lacks = not readable.all()
            valid = readable if valid is None else valid & readable
        yield values, valid, lacks


def _parts(runs: Runs, block_edges: tuple[Ints, Ints], limit: int) -> Iterator[_Part]:
    first = np.cumsum(runs.length) - runs.length
    for block in rectangles(_touched(runs, block_edges), *block_edges):
        for window in _pieces(block, block_edges[0], limit):
            begin, end = np.searchsorted(runs.row, [window.row_start, window.row_stop])
            start = np.maximum(runs.start[begin:end], window.col_start)
            stop = np.minimum(runs.stop[begin:end], window.col_stop)
            own = np.flatnonzero(stop > start)
            if not own.size:
                continue
            start, stop, run = start[own], stop[own], own + begin
            row = runs.row[run]
            spans = Spans(np.zeros_like(row), row, start, stop)
            numbers = _numbers(first[run] + start - runs.start[run], stop - start)
            tight = Window(int(row[0]), int(row[-1]) + 1, int(start.min()), int(stop.max()))
            yield _Part(tight, spans, numbers)


def _numbers(first: Ints, length: Ints) -> Ints | slice:
    """The numbers of pixels in runs, as a slice if they follow each other."""
    ends = first + length
    if np.array_equal(ends[:-1], first[1:]):
        return slice(int(first[0]), int(ends[-1]))
    return ranges(first, length)


def _touched(runs: Runs, block_edges: tuple[Ints, Ints]) -> Bools:
    """Which blocks hold pixels, one boolean a block."""
    rows, columns = block_edges
    change = np.zeros((rows.size - 1, columns.size), dtype=np.intp)
    row = np.searchsorted(rows, runs.row, side="right") - 1
    left = np.searchsorted(columns, runs.start, side="right") - 1
    right = np.searchsorted(columns, runs.stop, side="left")
    np.add.at(change, (row, left), 1)
    np.add.at(change, (row, right), -1)
    return np.asarray(change.cumsum(axis=1)[:, :-1] > 0)


def _pieces(window: Window, row_edges: Ints, limit: int) -> Iterator[Window]:
    """A window in portions of whole blocks that are not too large."""
    width = window.shape[1]
    edges = row_edges[(row_edges > window.row_start) & (row_edges < window.row_stop)]
    cuts, last = [window.row_start], window.row_start
    for edge, following in pairwise([*edges.tolist(), window.row_stop]):
        if (following - last) * width > limit:
            cuts.append(edge)
            last = edge
    for start, stop in pairwise([*cuts, window.row_stop]):
        yield Window(start, stop, window.col_start, window.col_stop)
