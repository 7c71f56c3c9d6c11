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
from craterkit.footprints.shares import AnnulusShares, HalfWidths, accuracy, rows_between
from craterkit.footprints.spans import Footprints, Spans, ranges
from craterkit.grids.base import TIE_PX

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from craterkit.footprints.circles import Sight
    from craterkit.footprints.rules import Rules
    from craterkit.grids.cylindrical import CylindricalGrid
    from craterkit.tables.features import Features

    Floats = NDArray[np.float64]
    Ints = NDArray[np.intp]
    Bools = NDArray[np.bool_]

__all__ = ["ParallelAnnuli"]

#: Rows (and pairs of an ROI and a row) for which whole ROIs are weighed at a time.
WINDOW_ROWS = 1 << 18

#: ROIs whose rows and columns are found at a time.
BOUNDED_TOGETHER = 1 << 15


class Arcs(NamedTuple):
    """Arcs in continuous columns, one a pair of an ROI and a row; a NaN hole is none.

    `half_widths` are those of the circle and the hole, if shares are wanted.
    """

    roi: Ints
    row: Ints
    low: Floats
    high: Floats
    hole_low: Floats
    hole_high: Floats
    half_widths: tuple[HalfWidths, ...] = ()

    def take(self, index: Ints | Bools) -> Arcs:
        return Arcs(
            self.roi[index],
            self.row[index],
            self.low[index],
            self.high[index],
            self.hole_low[index],
            self.hole_high[index],
            tuple(half.take(index) for half in self.half_widths),
        )

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


class _Annuli(NamedTuple):
    """Some ROIs: their centres, the columns of these, and their outer and (if any) inner circles."""

    centres: Centres
    column: Floats
    outer: Circles
    inner: Circles | None


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
        self._lat = features.lat
        self._column = grid.column_of(features.lon)
        self._radius, self._hole = features.radius * outer, features.radius * inner
        self._holed = inner > 0
        self.rows = np.empty((len(features), 2), dtype=np.int64)
        self._reach = np.empty(len(features))
        for start in range(0, len(features), BOUNDED_TOGETHER):
            some = slice(start, start + BOUNDED_TOGETHER)
            circles = self._annuli(some).outer
            top, bottom = rows_between(grid, circles.south, circles.north)
            self.rows[some] = np.stack([np.floor(top), np.ceil(bottom)], axis=1)
            self._reach[some] = circles.widest() / grid.radians_per_column

    def __len__(self) -> int:
        return self._lat.size

    def columns(self) -> tuple[Floats, Floats]:
        """Continuous columns that each ROI may touch, unwrapped around its centre."""
        return self._column - self._reach, self._column + self._reach

    def _annuli(self, rois: Ints | slice) -> _Annuli:
        """What rows have to know of some ROIs."""
        tie = TIE_PX * self.grid.row_height
        # A tie counts as on the boundary: a centre there is in, a pixel grazed there is not.
        outer_tie = -tie if self._rounding.touched else tie
        centres = Centres(self.grid.body, self._lat[rois])
        outer = self._circles(centres, np.maximum(self._radius[rois] + outer_tie, 0.0))
        inner = self._circles(centres, self._hole[rois] + tie) if self._holed else None
        return _Annuli(centres, self._column[rois], outer, inner)

    def _circles(self, centres: Centres, radius: Floats) -> Circles:
        shares = self.rules.coverage == "fraction"
        return Circles(centres, radius, accuracy(self.grid, centres, radius, shares=shares))

    def _shares(self, rois: Ints, annuli: _Annuli) -> AnnulusShares | None:
        """What their covered shares are found from, if these are wanted."""
        if self.rules.coverage != "fraction":
            return None
        column, reach = self._column[rois], self._reach[rois]
        return AnnulusShares(
            self.grid,
            annuli.centres,
            column,
            [self._radius[rois], self._hole[rois]] if self._holed else [self._radius[rois]],
            (column >= reach) & (column + reach <= self.grid.extent),
            area_weighted=self.rules.area_weighted,
        )

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
        annuli = self._annuli(rois)
        arcs = self._arcs(annuli, *np.clip(self.rows[rois].T, row_start, row_stop))
        spans = self._spans(arcs)
        shares = self._shares(rois, annuli)
        if shares is not None:
            return Footprints(spans, shares.over(arcs, spans, self._spans_of_disks))
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
        annuli = self._annuli(rois)
        arcs = self._arcs(annuli, *np.clip(self.rows[rois].T, row_start, row_stop))
        shares = self._shares(rois, annuli)
        if shares is not None:
            return shares.ground(arcs)
        period = self.grid.period
        arcs = self._open_whole_parallels(arcs, period)
        low, high = self._rounding.arc(arcs.low, arcs.high)
        hole_low, hole_high = self._rounding.hole(arcs.hole_low, arcs.hole_high)
        hole = np.nan_to_num(np.maximum(hole_high - hole_low, 0.0), nan=0.0)
        width = np.clip(np.minimum(high - low, period) - hole, 0.0, None)
        if self.rules.area_weighted:
            width *= self.grid.row_areas(arcs.row)
        return np.bincount(arcs.roi, weights=width, minlength=rois.size).astype(np.float64)

    def _arcs(self, annuli: _Annuli, top: Ints, bottom: Ints) -> Arcs:
        """Arcs of all pairs of an ROI and a row that it reaches, from row `top` to row `bottom`."""
        count = bottom - top
        roi = np.repeat(np.arange(count.size), count)
        row = ranges(top, count)
        first = int(top.min()) if top.size else 0
        last = int(bottom.max(initial=first))
        if self._rounding.touched:
            # Rows share their edges: one more edge than rows for each ROI that has any.
            present = np.flatnonzero(count)
            edge_roi = np.repeat(present, count[present] + 1)
            edge_row = ranges(top[present], count[present] + 1)
            phi = self.grid.phi(np.arange(first, last + 1, dtype=np.float64))
            parallels = Parallels(self.grid.body, phi)
            sight = annuli.centres.see(edge_roi, parallels, edge_row - first)
            nth_present = np.cumsum(count > 0) - 1
            upper = np.arange(roi.size) + nth_present[roi]
            _, half, half_widths = self._strips(annuli.outer, sight, upper)
            hole = None
            if annuli.inner is not None:
                hole, _, of_hole = self._strips(annuli.inner, sight, upper)
                half_widths += of_hole
        else:
            centres = np.arange(first, last) + 0.5
            on_ground = ~self.grid.beyond_poles(centres)
            if not on_ground.all():
                kept = on_ground[row - first]
                roi, row = roi[kept], row[kept]
            parallels = Parallels(self.grid.body, self.grid.phi(centres))
            sight = annuli.centres.see(roi, parallels, row - first)
            half_widths = ()
            half = annuli.outer.half_widths(sight)
            hole = None if annuli.inner is None else annuli.inner.half_widths(sight)
        per_radian = 1.0 / self.grid.radians_per_column
        column = annuli.column[roi]
        half = half * per_radian
        none = np.full(roi.size, np.nan)
        hole = none if hole is None else np.where(hole < 0, np.nan, hole * per_radian)
        arcs = Arcs(
            roi, row, column - half, column + half, column - hole, column + hole, half_widths
        )
        return arcs.take(half >= 0) if (half < 0).any() else arcs

    def _strips(
        self, circles: Circles, sight: Sight, upper: Ints
    ) -> tuple[Floats, Floats, tuple[HalfWidths, ...]]:
        """Smallest and largest half-width in rows whose upper edges are given, and what shares take."""
        half = circles.half_widths(sight)
        smallest, largest = circles.strip_extremes(sight, half, upper, upper + 1)
        if self.rules.coverage != "fraction":
            return smallest, largest, ()
        per_radian = 1.0 / self.grid.radians_per_column
        np.maximum(half, 0.0, out=half)
        half *= per_radian
        spread = (largest - np.maximum(smallest, 0.0)) * per_radian
        return smallest, largest, (HalfWidths(half[upper], half[upper + 1], spread),)

    def _spans(self, arcs: Arcs) -> Spans:
        """Whole pixels of arcs, wrapped around the body and clipped to the raster."""
        arcs = self._open_whole_parallels(arcs, self.grid.extent)
        period, extent = self.grid.period, self.grid.extent
        west = (arcs.low < 0) & (arcs.low + period < extent)
        east = (arcs.high > extent) & (arcs.high - period > 0)
        wraps = west | east
        here = (arcs.low < extent) & (arcs.high > 0)
        if not wraps.any():
            return self._round(arcs if here.all() else arcs.take(here))
        # What wraps around the body has to be sorted; the other ROIs are.
        wrapped = np.zeros(int(arcs.roi[-1]) + 1, dtype=np.bool_)
        wrapped[arcs.roi[wraps]] = True
        apart = wrapped[arcs.roi]
        copies = (
            self._round(arcs.take(here & apart)),
            self._round(arcs.take(west).shifted(period)),
            self._round(arcs.take(east).shifted(-period)),
        )
        others = self._round(arcs.take(here & ~apart))
        union = Spans.union(*_end_to_end(copies))
        roi, *places = _end_to_end((others, union))
        order = np.argsort(roi, kind="stable")
        return Spans(roi[order], *(values[order] for values in places))

    def _spans_of_disks(self, arcs: Arcs) -> Spans:
        """Those of the arcs without their holes."""
        none = np.full(arcs.low.size, np.nan)
        return self._spans(arcs._replace(hole_low=none, hole_high=none))

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

    def _round(self, arcs: Arcs) -> Spans:
        """What is not empty of the two sides of each arc, clipped to the raster."""
        low, high = (
            np.clip(arcs.low, 0.0, self.grid.extent),
            np.clip(arcs.high, 0.0, self.grid.extent),
        )
        start, stop = map(self._clip, self._rounding.arc(low, high))
        if not self._holed:
            full = np.flatnonzero(stop > start)
            return Spans(arcs.roi[full], arcs.row[full], start[full], stop[full])
        hole_low, hole_high = self._rounding.hole(arcs.hole_low, arcs.hole_high)
        with np.errstate(invalid="ignore"):
            holed = hole_high > hole_low
        # Without a hole the left side is all there is.
        hole_start = self._clip(np.where(holed, hole_low, self.grid.columns))
        hole_stop = self._clip(np.where(holed, hole_high, self.grid.columns))
        starts, stops = np.empty((2, start.size, 2), dtype=np.intp)
        starts[:, 0], stops[:, 0] = start, np.minimum(hole_start, stop)
        starts[:, 1], stops[:, 1] = np.maximum(hole_stop, start), stop
        starts, stops = starts.ravel(), stops.ravel()
        full = np.flatnonzero(stops > starts)
        arc = full >> 1
        return Spans(arcs.roi[arc], arcs.row[arc], starts[full], stops[full])

    def _clip(self, columns: Floats) -> Ints:
        return np.clip(columns, 0, self.grid.columns).astype(np.intp)


def _end_to_end(parts: Sequence[Spans]) -> list[Ints]:
    """The columns of several spans, one part after the other."""
    names = ("roi", "row", "start", "stop")
    return [np.concatenate([getattr(part, name) for part in parts]) for name in names]


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
