"""The first footprint engine: circles and annuli on cylindrical grids, in closed form.

Rows of a cylindrical grid are parallels, and a circle meets a parallel in one arc. So the footprint
of an annulus is, row by row, an arc less a hole, found for all pairs of an ROI and a row at once.
No polygon is drawn, and nothing is split at the seam: columns are taken modulo the grid's period.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from craterkit.footprints.circles import Centres, Circles, Parallels
from craterkit.footprints.coverage import CoverageSums
from craterkit.footprints.spans import Footprints, Spans, ranges
from craterkit.footprints.subrows import sub_rows
from craterkit.geodesy import lat_from_phi
from craterkit.grids.base import TIE_PX

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from craterkit.footprints.rules import Rules
    from craterkit.grids.cylindrical import CylindricalGrid
    from craterkit.tables.features import Features

    Floats = NDArray[np.float64]
    Ints = NDArray[np.intp]
    Bools = NDArray[np.bool_]

__all__ = ["ParallelAnnuli"]

#: Rows farther from the raster than this are as good as infinitely far.
FAR = 2.0**40

#: Rows (and pairs of an ROI and a row) for which whole ROIs are weighed at a time.
WINDOW_ROWS = 1 << 18


class Arcs(NamedTuple):
    """Arcs in continuous columns, one a pair of an ROI and a row; a NaN hole is none.

    `spread` and `hole_spread` say by how many columns the half-width changes within the row.
    """

    roi: Ints
    row: Ints
    low: Floats
    high: Floats
    hole_low: Floats
    hole_high: Floats
    spread: Floats
    hole_spread: Floats

    def take(self, index: Ints | Bools) -> Arcs:
        return Arcs._make(values[index] for values in self)

    def without_holes(self) -> Arcs:
        none = np.full(self.low.size, np.nan)
        return self._replace(hole_low=none, hole_high=none)

    def shifted(self, columns: float) -> Arcs:
        return self._replace(
            low=self.low + columns,
            high=self.high + columns,
            hole_low=self.hole_low + columns,
            hole_high=self.hole_high + columns,
        )


@dataclass(frozen=True, slots=True)
class Rounding:
    """Which whole pixels an arc holds, and which a hole takes away."""

    touched: bool

    def arc(self, low: Floats, high: Floats) -> tuple[Floats, Floats]:
        if self.touched:
            return np.floor(low), np.ceil(high)
        return np.ceil(low - 0.5), np.floor(high - 0.5) + 1.0

    def hole(self, low: Floats, high: Floats) -> tuple[Floats, Floats]:
        if self.touched:
            return np.ceil(low), np.floor(high)
        return self.arc(low, high)

    def remainder(
        self, hole_low: Floats, hole_high: Floats, period: float
    ) -> tuple[Floats, Floats]:
        """The arc that a hole leaves of a whole parallel."""
        # A centre on the hole's edge belongs to the hole.
        tie = 0.0 if self.touched else 2 * TIE_PX
        return hole_high + tie, hole_low + period - tie


class Exact(NamedTuple):
    """Circles without the allowance for ties, for exact shares.

    `sign` is -1 for holes. Continuous rows: the circle spans `first` to `last`, and holds parts of
    parallels between `top` and `bottom`.
    """

    circles: Circles
    sign: float
    first: Floats
    top: Floats
    bottom: Floats
    last: Floats


class ParallelAnnuli:
    """Annuli around features on a cylindrical grid.

    Parameters
    ----------
    grid : CylindricalGrid
        The grid.
    features : Features
        The n features.
    inner, outer : float
        Edges of the annulus in feature radii.
    rules : Rules
        The rule by which pixels belong, and what they count for.

    Attributes
    ----------
    rows : (n, 2) ndarray of int
        First row and end row that each ROI may touch, not clipped to the raster.
    """

    def __init__(
        self, grid: CylindricalGrid, features: Features, inner: float, outer: float, rules: Rules
    ) -> None:
        self.grid = grid
        self.rules = rules
        # On a cylinder nothing is torn.
        self.torn = self.leaves = np.zeros(len(features), dtype=bool)
        self._rounding = Rounding(touched=rules.coverage != "center")
        self._centres = Centres(grid.body, features.lat)
        self._column = grid.column_of(features.lon)
        pixel = grid.row_height
        tie = TIE_PX * pixel
        # A tie counts as on the boundary: a centre there is in, a pixel grazed there is not.
        outer_tie = -tie if self._rounding.touched else tie
        radius, hole = features.radius * outer, features.radius * inner
        self._outer = Circles(self._centres, np.maximum(radius + outer_tie, 0.0), pixel)
        self._inner = Circles(self._centres, hole + tie, pixel) if inner > 0 else None
        top, bottom = self._rows_between(self._outer.south, self._outer.north)
        self.rows = np.stack([np.floor(top), np.ceil(bottom)], axis=1).astype(np.int64)
        self._exact: list[Exact] = []
        if rules.coverage == "fraction":
            self._exact.append(self._exactly(radius, 1.0))
            if self._inner is not None:
                self._exact.append(self._exactly(hole, -1.0))

    def __len__(self) -> int:
        return len(self._centres)

    def _exactly(self, radius: Floats, sign: float) -> Exact:
        circles = Circles(self._centres, radius, self.grid.row_height)
        ends = self._rows_between(circles.south, circles.north)
        partial = self._rows_between(circles.partial_south, circles.partial_north)
        return Exact(circles, sign, ends[0], *partial, ends[1])

    def _rows_between(self, south: Floats, north: Floats) -> tuple[Floats, Floats]:
        """First and last of the continuous rows of two latitudes."""
        one, other = (
            np.clip(self.grid.row_of(lat_from_phi(self.grid.body, phi)), -FAR, FAR)
            for phi in (north, south)
        )
        return np.minimum(one, other), np.maximum(one, other)

    def columns(self) -> tuple[Floats, Floats]:
        """Continuous columns that each ROI may touch, unwrapped around its centre."""
        reach = self._outer.widest() / self.grid.radians_per_column
        return self._column - reach, self._column + reach

    def footprints(self, rois: Ints, row_start: int, row_stop: int) -> Footprints:
        """Pixels of some ROIs between two rows of the raster.

        Parameters
        ----------
        rois : (k,) ndarray of int
            Which ROIs.
        row_start, row_stop : int
            Rows, within the raster.

        Returns
        -------
        Footprints
            Their `roi` are positions in `rois`.
        """
        arcs = self._arcs(rois, row_start, row_stop)
        spans = self._spans(arcs)
        if self.rules.coverage == "fraction":
            return Footprints(spans, self._fractions(rois, arcs, spans))
        if self.rules.area_weighted:
            return Footprints(spans, np.repeat(self.grid.row_areas(spans.row), spans.length))
        return Footprints(spans)

    def ground_weight(self, rois: Ints) -> Floats:
        """Weight of whole ROIs, the ground outside the raster included.

        Parameters
        ----------
        rois : (k,) ndarray of int
            Which ROIs.

        Returns
        -------
        (k,) ndarray
            Pixels (or their covered shares, or areas) on the grid continued over the whole body.
        """
        total = np.zeros(rois.size)
        for some, start, stop in _row_windows(self.rows[rois]):
            total[some] += self._ground_weight(rois[some], start, stop)
        return total

    def _ground_weight(self, rois: Ints, row_start: int, row_stop: int) -> Floats:
        arcs = self._arcs(rois, row_start, row_stop)
        period = self.grid.period
        if self.rules.coverage == "fraction":
            total = np.zeros(rois.size)
            for pair, low, high, weight in self._thin_arcs(rois, arcs):
                width = np.minimum(high - low, period) * weight
                total += np.bincount(arcs.roi[pair], weights=width, minlength=rois.size)
            return np.maximum(total, 0.0)
        arcs = self._open_whole_parallels(arcs, period)
        low, high = self._rounding.arc(arcs.low, arcs.high)
        hole_low, hole_high = self._rounding.hole(arcs.hole_low, arcs.hole_high)
        hole = np.nan_to_num(np.maximum(hole_high - hole_low, 0.0), nan=0.0)
        width = np.clip(np.minimum(high - low, period) - hole, 0.0, None)
        if self.rules.area_weighted:
            width *= self.grid.row_areas(arcs.row)
        return np.bincount(arcs.roi, weights=width, minlength=rois.size).astype(np.float64)

    def _arcs(self, rois: Ints, row_start: int, row_stop: int) -> Arcs:
        """Arcs of all pairs of an ROI and a row that it reaches, between two rows."""
        top, bottom = np.clip(self.rows[rois].T, row_start, row_stop)
        count = bottom - top
        roi = np.repeat(np.arange(rois.size), count)
        row = ranges(top, count)
        circles = [self._outer] if self._inner is None else [self._outer, self._inner]
        if self._rounding.touched:
            # Rows share their edges: one more edge than rows for each ROI that has any.
            present = np.flatnonzero(count)
            edge_roi = np.repeat(present, count[present] + 1)
            edge_row = ranges(top[present], count[present] + 1)
            phi = self.grid.phi(np.arange(row_start, row_stop + 1, dtype=np.float64))
            parallels = Parallels(self.grid.body, phi)
            sight = self._centres.see(rois[edge_roi], parallels, edge_row - row_start)
            nth_present = np.cumsum(count > 0) - 1
            upper = np.arange(roi.size) + nth_present[roi]
            extremes = [
                circle.strip_extremes(sight, circle.half_widths(sight), upper, upper + 1)
                for circle in circles
            ]
            half = extremes[0][1]
            hole = extremes[1][0] if self._inner is not None else None
        else:
            centres = np.arange(row_start, row_stop) + 0.5
            on_ground = ~self.grid.beyond_poles(centres)
            if not on_ground.all():
                kept = on_ground[row - row_start]
                roi, row = roi[kept], row[kept]
            parallels = Parallels(self.grid.body, self.grid.phi(centres))
            sight = self._centres.see(rois[roi], parallels, row - row_start)
            extremes = []
            half = self._outer.half_widths(sight)
            hole = None if self._inner is None else self._inner.half_widths(sight)
        per_radian = 1.0 / self.grid.radians_per_column
        column = self._column[rois[roi]]
        half = half * per_radian
        none = np.full(roi.size, np.nan)
        hole = none if hole is None else np.where(hole < 0, np.nan, hole * per_radian)
        spreads = [
            (largest - np.maximum(smallest, 0.0)) * per_radian for smallest, largest in extremes
        ]
        arcs = Arcs(
            roi,
            row,
            column - half,
            column + half,
            column - hole,
            column + hole,
            spreads[0] if spreads else none,
            spreads[1] if len(spreads) > 1 else none,
        )
        return arcs.take(half >= 0) if (half < 0).any() else arcs

    def _spans(self, arcs: Arcs) -> Spans:
        """Whole pixels of arcs, wrapped around the body and clipped to the raster."""
        pieces = list(self._on_raster(self._open_whole_parallels(arcs, self.grid.extent)))
        runs = [self._round(piece) for piece in pieces]
        if len(runs) == 1:
            roi, row, start, stop = runs[0]
            full = stop > start
            return Spans(roi[full], row[full], start[full], stop[full])
        return Spans.union(*(np.concatenate(values) for values in zip(*runs, strict=True)))

    def _open_whole_parallels(self, arcs: Arcs, columns: float) -> Arcs:
        """Turn arcs that are whole parallels into so many columns, or into what a hole leaves."""
        period = self.grid.period
        whole = arcs.high - arcs.low >= period - 2 * TIE_PX
        if not whole.any():
            return arcs
        filled = arcs.hole_high - arcs.hole_low >= period - 2 * TIE_PX
        if filled.any():
            arcs, whole = arcs.take(~filled), whole[~filled]
        start, stop = self._rounding.hole(arcs.hole_low, arcs.hole_high)
        with np.errstate(invalid="ignore"):
            holed = whole & (stop > start)
        low, high = self._rounding.remainder(arcs.hole_low, arcs.hole_high, period)
        return arcs._replace(
            low=np.where(whole, np.where(holed, low, 0.0), arcs.low),
            high=np.where(whole, np.where(holed, high, columns), arcs.high),
            hole_low=np.where(whole, np.nan, arcs.hole_low),
            hole_high=np.where(whole, np.nan, arcs.hole_high),
        )

    def _on_raster(self, arcs: Arcs) -> Iterator[Arcs]:
        """The arcs, and copies a period away of those that stick out of it."""
        period, extent = self.grid.period, self.grid.extent
        here = (arcs.low < extent) & (arcs.high > 0)
        yield arcs if here.all() else arcs.take(here)
        west = (arcs.low < 0) & (arcs.low + period < extent)
        east = (arcs.high > extent) & (arcs.high - period > 0)
        if west.any():
            yield arcs.take(west).shifted(period)
        if east.any():
            yield arcs.take(east).shifted(-period)

    def _round(self, arcs: Arcs) -> tuple[Ints, Ints, Ints, Ints]:
        """ROI, row, start and stop of the two sides of each arc, clipped to the raster."""
        low, high = (
            np.clip(arcs.low, 0.0, self.grid.extent),
            np.clip(arcs.high, 0.0, self.grid.extent),
        )
        start, stop = map(self._clip, self._rounding.arc(low, high))
        if self._inner is None:
            return arcs.roi, arcs.row, start, stop
        hole_low, hole_high = self._rounding.hole(arcs.hole_low, arcs.hole_high)
        with np.errstate(invalid="ignore"):
            holed = hole_high > hole_low
        # Without a hole the left side is all there is.
        hole_start = self._clip(np.where(holed, hole_low, self.grid.columns))
        hole_stop = self._clip(np.where(holed, hole_high, self.grid.columns))
        sides = np.empty((2, start.size, 2), dtype=np.intp)
        sides[0, :, 0], sides[1, :, 0] = start, np.minimum(hole_start, stop)
        sides[0, :, 1], sides[1, :, 1] = np.maximum(hole_stop, start), stop
        return np.repeat(arcs.roi, 2), np.repeat(arcs.row, 2), sides[0].ravel(), sides[1].ravel()

    def _clip(self, columns: Floats) -> Ints:
        return np.clip(columns, 0, self.grid.columns).astype(np.intp)

    def _fractions(self, rois: Ints, arcs: Arcs, spans: Spans) -> Floats:
        """Covered share (or area) of every pixel of `spans`."""
        outer = self._spans(arcs.without_holes())
        if not len(outer):
            return np.zeros(0)
        sums = CoverageSums(outer)
        rows = int(arcs.row.max()) + 1
        pair_key, span_key = arcs.roi * rows + arcs.row, outer.roi * rows + outer.row
        first = np.searchsorted(span_key, pair_key, side="left")
        last = np.searchsorted(span_key, pair_key, side="right") - 1
        # A row has a second run only where its arc wraps around the body; none if it is off the raster.
        whole_rows = bool((last == first).all())
        period, extent = self.grid.period, self.grid.extent
        for pair, low, high, weight in self._thin_arcs(rois, arcs):
            if whole_rows and low.min() >= 0 and high.max() <= extent:
                sums.add(first[pair], low, high, weight)
                continue
            for turn in (0.0, period, -period):
                at = _overlapping(low, high, turn, extent) & (last[pair] >= first[pair])
                if not at.any():
                    continue
                which, begin, end = pair[at], low[at] + turn, np.minimum(high[at] + turn, extent)
                second = (last[which] > first[which]) & (begin >= outer.stop[first[which]])
                sums.add(first[which] + second, begin, end, weight[at])
        return sums.over(spans)

    def _thin_arcs(self, rois: Ints, arcs: Arcs) -> Iterator[tuple[Ints, Floats, Floats, Floats]]:
        """Arcs of sub-rows: (position in `arcs`, low, high, signed weight).

        The weight is the sub-row's share of the row's height, or its area.
        """
        grid, roi = self.grid, rois[arcs.roi]
        per_radian = 1.0 / grid.radians_per_column
        for exact, spread in zip(self._exact, (arcs.spread, arcs.hole_spread), strict=False):
            ends = (exact.first, exact.top, exact.bottom, exact.last)
            first, top, bottom, last = (y[roi] for y in ends)
            for pair, y_mid, y_from, y_to in sub_rows(arcs.row, first, top, bottom, last, spread):
                own = roi[pair]
                sight = self._centres.see(own, Parallels(grid.body, grid.phi(y_mid)))
                half = exact.circles.half_widths(sight)
                half *= per_radian
                weight = y_to - y_from
                if self.rules.area_weighted:
                    weight = grid.pixel_area(y_from, y_to)
                # A sub-row that the circle does not reach has an empty arc.
                np.maximum(half, 0.0, out=half)
                column = self._column[own]
                yield pair, column - half, column + half, exact.sign * weight


def _row_windows(rows: NDArray[np.int64]) -> Iterator[tuple[Ints, int, int]]:
    """ROIs, first row and end row of portions with a bounded number of rows in each."""
    if not rows.size:
        return
    for start in range(int(rows[:, 0].min()), int(rows[:, 1].max()), WINDOW_ROWS):
        stop = start + WINDOW_ROWS
        some = np.flatnonzero((rows[:, 0] < stop) & (rows[:, 1] > start))
        top, bottom = np.clip(rows[some].T, start, stop)
        portion = np.cumsum(bottom - top) // WINDOW_ROWS
        for part in np.split(some, np.flatnonzero(np.diff(portion)) + 1):
            if part.size:
                yield (
                    part,
                    max(start, int(rows[part, 0].min())),
                    min(stop, int(rows[part, 1].max())),
                )


def _overlapping(low: Floats, high: Floats, turn: float, extent: float) -> Bools:
    """Whether arcs, shifted by `turn`, have a part on the raster."""
    return (high + turn > 0) & (low + turn < extent)
