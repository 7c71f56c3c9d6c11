"""Scan conversion: which pixels lie within rings of straight edges, for many ROIs at once.

Rings in pixel coordinates become spans by the lines on which they cross rows. Of a ring whose edges
run up one side and down the other, as the image of nearly every circle does, each row has one crossing
on each side, so that no crossing has to be sorted; all others are sorted along their rows and counted
in and out.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from craterkit.footprints.coverage import CoverageSums
from craterkit.footprints.spans import Footprints, Spans, ranges
from craterkit.grids.base import TIE_PX

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from craterkit.footprints.rules import Coverage

    Floats = NDArray[np.float64]
    Ints = NDArray[np.intp]
    Bools = NDArray[np.bool_]

__all__ = ["Frame", "Rings", "scan"]


class Frame(NamedTuple):
    """The part of the plane that is scanned: rows, and continuous columns from `left` to `right`."""

    row_start: int
    row_stop: int
    left: float
    right: float


@dataclass(frozen=True)
class Rings:
    """Closed rings of vertices in pixel coordinates, one after the other.

    Attributes
    ----------
    roi : (k,) ndarray of int
        Which ROI each ring belongs to.
    hole : (k,) ndarray of bool
        Whether it bounds ground that is left out.
    sign : (k,) ndarray
        1 if the ring runs clockwise as seen on a screen (y down), else -1.
    count : (k,) ndarray of int
        Vertices of each ring.
    x, y : (m,) ndarray
        The vertices, without the first one again.
    """

    roi: Ints
    hole: Bools
    sign: Floats
    count: Ints
    x: Floats
    y: Floats

    @classmethod
    def concatenate(cls, parts: Sequence[Rings]) -> Rings:
        """Rings one after the other."""
        if len(parts) == 1:
            return parts[0]
        names = ("roi", "hole", "sign", "count", "x", "y")
        return cls(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))

    def take(self, index: Ints) -> Rings:
        """Some of the rings."""
        at = ranges(self.starts[index], self.count[index])
        return Rings(
            self.roi[index],
            self.hole[index],
            self.sign[index],
            self.count[index],
            self.x[at],
            self.y[at],
        )

    def moved(self, columns: float) -> Rings:
        """The rings so many columns farther on."""
        return Rings(self.roi, self.hole, self.sign, self.count, self.x + columns, self.y)

    @cached_property
    def starts(self) -> Ints:
        """First vertex of each ring."""
        return np.cumsum(self.count) - self.count

    @cached_property
    def ring(self) -> Ints:
        """Which ring each vertex, and the edge that begins there, belongs to."""
        return np.repeat(np.arange(self.count.size), self.count)

    @cached_property
    def following(self) -> Ints:
        """The vertex at which the edge of each vertex ends."""
        after = np.arange(1, self.x.size + 1)
        after[self.starts + self.count - 1] = self.starts
        return after

    @cached_property
    def area(self) -> Floats:
        """Area of each ring; negative if it runs the other way than `sign` says."""
        x, y = self.x - self.x[self.starts][self.ring], self.y - self.y[self.starts][self.ring]
        cross = x * y[self.following] - x[self.following] * y
        return np.add.reduceat(cross, self.starts) / 2.0 * self.sign

    def bounds(self) -> tuple[Floats, Floats, Floats, Floats]:
        """Least x, greatest x, least y, greatest y of each ring."""
        return (
            np.minimum.reduceat(self.x, self.starts),
            np.maximum.reduceat(self.x, self.starts),
            np.minimum.reduceat(self.y, self.starts),
            np.maximum.reduceat(self.y, self.starts),
        )


class Crossings(NamedTuple):
    """Where edges cross level lines: ring, number of the line, x, and whether the ring begins there."""

    ring: Ints
    line: Ints
    x: Floats
    enters: Bools


def scan(
    rings: Rings,
    size: int,
    frame: Frame,
    coverage: Coverage,
    measure: Callable[[Floats, Floats], Floats] | None = None,
) -> Footprints:
    """Pixels of ROIs.

    Parameters
    ----------
    rings : Rings
        Their rings; two of an ROI cross only if one of them is a hole.
    size : int
        Number of ROIs.
    frame : Frame
        Where pixels are wanted.
    coverage : {"all_touched", "center", "fraction"}
        Which pixels belong; only ``"fraction"`` gives weights.
    measure : callable, optional
        Weight of one column between two y, if that is not their difference; negative if the
        first is the greater.

    Returns
    -------
    Footprints
        Sorted.
    """
    if not rings.count.size:
        none = np.zeros(0, dtype=np.intp)
        spans = Spans(none, none, none, none)
        return Footprints(spans, np.zeros(0) if coverage == "fraction" else None)
    touched = coverage != "center"
    if touched:
        rings = _snapped(rings)
    up = rings.y[rings.following] < rings.y
    turns = np.add.reduceat(up != up[rings.following], rings.starts)
    # Two rings of the same kind in one ROI may lie side by side.
    kinds = np.bincount(rings.roi * 2 + rings.hole, minlength=2 * size).reshape(size, 2)
    bent = turns > 2
    if touched:
        # An edge along a line between rows belongs to one of them alone.
        level = (rings.y == rings.y[rings.following]) & (rings.y == np.floor(rings.y))
        bent |= np.logical_or.reduceat(level, rings.starts)
    winding = np.bincount(rings.roi[bent], minlength=size) > 0
    plain = ~winding & (kinds <= 1).all(axis=1)
    if plain.all():
        spans = _plain_spans(rings, frame, touched=touched)
    else:
        is_plain = plain[rings.roi]
        parts = [_counted_spans(rings.take(np.flatnonzero(~is_plain)), frame, touched=touched)]
        if is_plain.any():
            parts.append(_plain_spans(rings.take(np.flatnonzero(is_plain)), frame, touched=touched))
        spans = Spans.union(
            *(
                np.concatenate([getattr(part, name) for part in parts])
                for name in ("roi", "row", "start", "stop")
            )
        )
    if coverage != "fraction":
        return Footprints(spans)
    return Footprints(spans, _shares(rings, spans, frame, measure or _difference))


def _snapped(rings: Rings) -> Rings:
    """The rings, whose vertices lie on a line between rows where they all but do."""
    whole = np.round(rings.y)
    near = np.abs(rings.y - whole) < TIE_PX
    return replace(rings, y=np.where(near, whole, rings.y)) if near.any() else rings


def _cross(rings: Rings, first: int, end: int, offset: float) -> Crossings:
    """Cross the rings with the lines ``y = first + offset``, ..., ``y = end - 1 + offset``."""
    y0, y1 = rings.y, rings.y[rings.following]
    begin = np.ceil(np.clip(np.minimum(y0, y1) - offset, first, end)).astype(np.intp)
    count = np.ceil(np.clip(np.maximum(y0, y1) - offset, first, end)).astype(np.intp) - begin
    at = np.flatnonzero(count)
    begin, count = begin[at], count[at]
    edge = np.repeat(at, count)
    line = ranges(begin, count)
    x0, x1 = rings.x[at], rings.x[rings.following[at]]
    slope = (x1 - x0) / (y1[at] - y0[at])
    x = np.repeat(x0 - slope * (y0[at] - offset), count) + np.repeat(slope, count) * line
    ring = rings.ring[edge]
    upward = y1[at] < y0[at]
    enters = np.repeat(upward, count) == (rings.sign[ring] > 0)
    return Crossings(ring, line, x, enters)


class Lines(NamedTuple):
    """x at which rings begin and end on each line, a run of lines a ring; NaN off the ring."""

    base: Ints
    low: Floats
    high: Floats


def _line_up(crossings: Crossings, first: Ints, count: Ints) -> Lines:
    """Arrange the crossings of rings that have two a line; ring i has lines `first[i]` and on."""
    base = np.cumsum(count) - count
    total = int(count.sum())
    low, high = np.full(total, np.nan), np.full(total, np.nan)
    place = base[crossings.ring] + crossings.line - first[crossings.ring]
    enters = crossings.enters
    low[place[enters]] = crossings.x[enters]
    high[place[~enters]] = crossings.x[~enters]
    return Lines(base, low, high)


def _plain_spans(rings: Rings, frame: Frame, *, touched: bool) -> Spans:
    """Spans of ROIs with one ring, or with one and a hole, each with two crossings a line."""
    _, _, least, greatest = rings.bounds()
    tie = TIE_PX if touched else 0.0
    top = np.floor(np.clip(least + tie, frame.row_start, frame.row_stop)).astype(np.intp)
    bottom = np.ceil(np.clip(greatest - tie, frame.row_start, frame.row_stop)).astype(np.intp)
    rows = np.maximum(bottom - top, 0)
    if touched:
        base, low, high = _extremes(rings, frame, top, rows)
    else:
        crossings = _cross(rings, frame.row_start, frame.row_stop, 0.5)
        base, low, high = _line_up(crossings, top, rows)
    shells = np.flatnonzero(~rings.hole)
    shells = shells[np.argsort(rings.roi[shells], kind="stable")]
    at = ranges(base[shells], rows[shells])
    roi = np.repeat(rings.roi[shells], rows[shells])
    row = ranges(top[shells], rows[shells])
    low_edge, high_edge = _clip(low[at], frame), _clip(high[at], frame)
    if touched:
        start, stop = np.floor(low_edge + TIE_PX), np.ceil(high_edge - TIE_PX)
        # The frame may end within a column, which nothing beyond touches.
        stop = np.where(low_edge >= frame.right - TIE_PX, start, stop)
    else:
        start, stop = np.ceil(low_edge - 0.5 - TIE_PX), np.floor(high_edge - 0.5 + TIE_PX) + 1.0
    start, stop = np.nan_to_num(start, nan=0.0), np.nan_to_num(stop, nan=0.0)
    if not rings.hole.any():
        return _sorted_spans(roi, row, start, stop, frame)
    # Rows of the hole among those of its shell.
    hole_of = np.full(int(rings.roi.max()) + 1, -1)
    holes = np.flatnonzero(rings.hole)
    hole_of[rings.roi[holes]] = holes
    hole = np.repeat(hole_of[rings.roi[shells]], rows[shells])
    inside = (hole >= 0) & (row >= top[hole]) & (row < top[hole] + rows[hole])
    place = (base[hole] + row - top[hole])[inside]
    hole_low, hole_high = np.full(row.size, np.nan), np.full(row.size, np.nan)
    hole_low[inside], hole_high[inside] = low[place], high[place]
    hole_low, hole_high = _clip(hole_low, frame), _clip(hole_high, frame)
    if touched:
        begin, end = np.ceil(hole_low), np.floor(hole_high)
        end = np.where(hole_high >= frame.right, np.ceil(frame.right), end)
    else:
        begin, end = np.ceil(hole_low - 0.5 - TIE_PX), np.floor(hole_high - 0.5 + TIE_PX) + 1.0
    with np.errstate(invalid="ignore"):
        holed = end > begin
    # Without a hole the left side is all there is.
    begin, end = np.where(holed, begin, stop), np.where(holed, end, stop)
    sides_start = np.stack([start, np.maximum(end, start)], axis=1).ravel()
    sides_stop = np.stack([np.minimum(begin, stop), stop], axis=1).ravel()
    return _sorted_spans(np.repeat(roi, 2), np.repeat(row, 2), sides_start, sides_stop, frame)


def _clip(x: Floats, frame: Frame) -> Floats:
    return np.clip(x, frame.left, frame.right)


def _sorted_spans(roi: Ints, row: Ints, start: Floats, stop: Floats, frame: Frame) -> Spans:
    """Spans of rounded columns, in order already."""
    right = np.ceil(frame.right)
    start, stop = np.maximum(start, frame.left), np.minimum(stop, right)
    full = np.flatnonzero(stop > start)
    spans = Spans(roi[full], row[full], start[full].astype(np.intp), stop[full].astype(np.intp))
    return spans


def _extremes(rings: Rings, frame: Frame, top: Ints, rows: Ints) -> tuple[Ints, Floats, Floats]:
    """How far rings reach within each of their rows, and how far holes are open all through it.

    Returns
    -------
    base : ndarray of int
        Where the rows of each ring begin in the other two.
    low, high : ndarray
        Of shells, least and greatest x within the row; of holes, the columns between which the
        whole height of the row lies in the hole, NaN if there are none.
    """
    rings = _settled(rings)
    crossings = _cross(rings, frame.row_start, frame.row_stop + 1, 0.0)
    lines = np.where(rows > 0, rows + 1, 0)
    inside = (crossings.line >= top[crossings.ring]) & (
        crossings.line < (top + lines)[crossings.ring]
    )
    crossings = Crossings._make(values[inside] for values in crossings)
    at_line = _line_up(crossings, top, lines)
    base = np.cumsum(rows) - rows
    upper = ranges(at_line.base, rows)
    lower = upper + 1
    hole = np.repeat(rings.hole, rows)
    low = np.fmin(at_line.low[upper], at_line.low[lower])
    high = np.fmax(at_line.high[upper], at_line.high[lower])
    # NaN stays NaN: a row that holds an end of a hole is nowhere wholly inside it.
    low[hole] = np.maximum(at_line.low[upper[hole]], at_line.low[lower[hole]])
    high[hole] = np.minimum(at_line.high[upper[hole]], at_line.high[lower[hole]])
    # Vertices may lie farther out than both lines.
    ring, row = rings.ring, np.floor(rings.y)
    kept = (rows[ring] > 0) & (rings.y > frame.row_start) & (rings.y < frame.row_stop)
    ring, x = ring[kept], rings.x[kept]
    place = base[ring] + np.clip(row[kept].astype(np.intp) - top[ring], 0, rows[ring] - 1)
    of_hole = rings.hole[ring]
    shell, inner = np.flatnonzero(~of_hole), np.flatnonzero(of_hole)
    reach_low, reach_high = np.nan_to_num(low, nan=np.inf), np.nan_to_num(high, nan=-np.inf)
    np.minimum.at(reach_low, place[shell], x[shell])
    np.maximum.at(reach_high, place[shell], x[shell])
    low, high = np.where(hole, low, reach_low), np.where(hole, high, reach_high)
    if inner.size:
        with np.errstate(invalid="ignore"):
            middle = (low + high)[place[inner]] / 2
            left = inner[x[inner] < middle]
            right = inner[x[inner] > middle]
        np.maximum.at(low, place[left], x[left])
        np.minimum.at(high, place[right], x[right])
    return base, low, high


def _settled(rings: Rings) -> Rings:
    """The rings, where holes that end on a line between rows cross that line."""
    whole = np.round(rings.y)
    near = (np.abs(rings.y - whole) < TIE_PX) & rings.hole[rings.ring]
    if not near.any():
        return rings
    lowest = rings.y >= (np.maximum.reduceat(rings.y, rings.starts) - TIE_PX)[rings.ring]
    return replace(rings, y=np.where(near, whole + TIE_PX * lowest, rings.y))


def _counted_spans(rings: Rings, frame: Frame, *, touched: bool) -> Spans:
    """Spans of any rings, by counting in and out along each row."""
    crossings = _cross(rings, frame.row_start, frame.row_stop, 0.5)
    roi, hole = rings.roi[crossings.ring], rings.hole[crossings.ring]
    order = np.lexsort((crossings.x, crossings.line, roi))
    roi, row, hole = roi[order], crossings.line[order], hole[order]
    x, enters = _clip(crossings.x[order], frame), crossings.enters[order]
    depth = np.cumsum(np.where(enters != hole, 1, -1))
    before = np.concatenate([[0], depth[:-1]])
    begins, ends = (depth > 0) & (before <= 0), (depth <= 0) & (before > 0)
    # A centre on a shell belongs, one on a hole does not.
    first = np.where(
        hole[begins],
        np.floor(x[begins] - 0.5 + TIE_PX) + 1.0,
        np.ceil(x[begins] - 0.5 - TIE_PX),
    )
    last = np.where(
        hole[ends], np.ceil(x[ends] - 0.5 - TIE_PX), np.floor(x[ends] - 0.5 + TIE_PX) + 1.0
    )
    if touched:
        # The frame may end within a column, short of its centre.
        beyond = crossings.x[order] >= frame.right
        first[beyond[begins]] = last[beyond[ends]] = np.ceil(frame.right)
    start = np.clip(first, frame.left, np.ceil(frame.right)).astype(np.intp)
    stop = np.clip(last, frame.left, np.ceil(frame.right)).astype(np.intp)
    spans = Spans.union(roi[begins], row[begins], start, stop)
    if not touched:
        return spans
    edges = _cut_at_lines(rings, frame)
    west = np.minimum(edges.x0, edges.x1)
    low = np.floor(_clip(west, frame) + TIE_PX).astype(np.intp)
    high = np.ceil(_clip(np.maximum(edges.x0, edges.x1), frame) - TIE_PX).astype(np.intp)
    high = np.where(west < frame.right - TIE_PX, high, low)
    return Spans.union(
        np.concatenate([spans.roi, rings.roi[edges.ring]]),
        np.concatenate([spans.row, edges.row]),
        np.concatenate([spans.start, low]),
        np.concatenate([spans.stop, high]),
    )


class Bits(NamedTuple):
    """Parts of edges, each within one row."""

    ring: Ints
    row: Ints
    x0: Floats
    y0: Floats
    x1: Floats
    y1: Floats


def _cut_at_lines(rings: Rings, frame: Frame) -> Bits:
    """Edges cut where they cross from row to row; those outside the frame's rows are left out."""
    x0, y0 = rings.x, rings.y
    x1, y1 = x0[rings.following], y0[rings.following]
    low, high = np.minimum(y0, y1), np.maximum(y0, y1)
    first = np.floor(np.clip(low, frame.row_start, frame.row_stop)).astype(np.intp)
    last = np.ceil(np.clip(high, frame.row_start, frame.row_stop)).astype(np.intp)
    # A level edge lies in one row, or between two of them and so in none.
    level = (high == low) & (low > frame.row_start) & (low < frame.row_stop)
    count = np.where(level, (first != low).astype(np.intp), last - first)
    edge = np.repeat(np.arange(x0.size), count)
    row = ranges(first, count)
    x0, y0, x1, y1 = x0[edge], y0[edge], x1[edge], y1[edge]
    begin, end = np.clip(y0, row, row + 1.0), np.clip(y1, row, row + 1.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        slope = (x1 - x0) / (y1 - y0)
        x_begin = np.where(begin == y0, x0, x0 + slope * (begin - y0))
        x_end = np.where(end == y1, x1, x0 + slope * (end - y0))
    return Bits(rings.ring[edge], row, x_begin, begin, x_end, end)


def _shares(
    rings: Rings, spans: Spans, frame: Frame, measure: Callable[[Floats, Floats], Floats]
) -> Floats:
    """Covered weight of every pixel of the spans.

    What lies right of an edge is a step in each row that it crosses, split over the pixels that it
    passes through (the signed-area method of font rasterisers).
    """
    if not len(spans):
        return np.zeros(0)
    bits = _cut_at_lines(rings, frame)
    low, high = np.minimum(bits.x0, bits.x1), np.maximum(bits.x0, bits.x1)
    # One piece for each column; what lies beyond a side of the frame is a piece of its own.
    near, far = frame.left - 0.5, np.ceil(frame.right) + 0.5
    first = np.floor(np.clip(low, near, far)).astype(np.intp)
    count = np.maximum(np.ceil(np.clip(high, near, far)).astype(np.intp) - first, 1)
    bit = np.repeat(np.arange(count.size), count)
    column = ranges(first, count)
    opening = np.cumsum(count) - count
    begin, end = column.astype(np.float64), column + 1.0
    begin[opening], end[opening + count - 1] = low, high
    with np.errstate(invalid="ignore", divide="ignore"):
        share = np.where(high > low, 1.0 / (high - low), 0.0)[bit] * (end - begin)
    share[opening[count == 1]] = 1.0
    inward = np.where(rings.hole[bits.ring], -1.0, 1.0) * rings.sign[bits.ring]
    height = measure(bits.y1, bits.y0) * inward
    middle = np.clip((begin + end) / 2, frame.left, frame.right)
    across = np.flatnonzero((begin < frame.right) & (end > frame.right))
    if across.size:
        # The frame ends within this column: what is beyond counts as at its end.
        width = frame.right - begin[across]
        middle[across] = frame.right - width * width / (end - begin)[across] / 2
    span, known = _find(spans, rings.roi[bits.ring], bits.row, bit, middle + TIE_PX)
    sums = CoverageSums(spans)
    sums.step(span[known], middle[known], (height[bit] * share)[known])
    return sums.over(spans)


def _difference(y_from: Floats, y_to: Floats) -> Floats:
    return y_to - y_from


def _find(spans: Spans, roi: Ints, row: Ints, bit: Ints, x: Floats) -> tuple[Ints, Bools]:
    """The span that holds each x in the row of its bit, else the one before it, else the first.

    The second array says whether the row has any.
    """
    rows, width = int(spans.row.max()) + 1, int(spans.stop.max()) + 1
    pair = roi.astype(np.int64) * rows + np.minimum(row, rows - 1)
    span_pair = spans.roi.astype(np.int64) * rows + spans.row
    first = np.searchsorted(span_pair, pair)
    known = span_pair[np.minimum(first, len(spans) - 1)] == pair
    known &= row < rows
    column = np.minimum(np.floor(x), width - 1).astype(np.int64)
    at = np.searchsorted(span_pair * width + spans.start, pair[bit] * width + column, side="right")
    return np.maximum(at - 1, first[bit]), known[bit]
