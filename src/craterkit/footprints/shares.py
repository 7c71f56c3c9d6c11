"""Covered shares of the pixels of circles and annuli on cylindrical grids.

Almost everywhere the boundary is a piece of an ellipse in each row (`craterkit.footprints.ellipse_pieces`).
Circles that hold a pole, wind far around one, or leave the raster sideways are cut into thin arcs
instead (`craterkit.footprints.subrows`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from craterkit.footprints.circles import Circles, Parallels
from craterkit.footprints.coverage import CoverageSums
from craterkit.footprints.ellipse_pieces import EllipsePieces
from craterkit.footprints.spans import ranges
from craterkit.footprints.subrows import sub_rows
from craterkit.geodesy import lat_from_phi, parallel_radius

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from craterkit.footprints.circles import Centres
    from craterkit.footprints.parallels import Arcs
    from craterkit.footprints.spans import Spans
    from craterkit.grids.cylindrical import CylindricalGrid

    Floats = NDArray[np.float64]
    Ints = NDArray[np.intp]
    Bools = NDArray[np.bool_]

__all__ = ["AnnulusShares", "HalfWidths", "accuracy", "rows_between"]

#: How far, in pixels, edges may be misplaced where whole pixels are counted, and where shares of them are.
TOLERANCE_PX, TOLERANCE_OF_SHARES_PX = 0.05, 0.001

#: Rows farther from the raster than this are as good as infinitely far.
FAR = 2.0**40

#: Largest half-width in longitude, radians, for which rows see pieces of ellipses.
WIDEST = np.pi / 6

#: Cubed slices of a row for the relative change of the ellipse's shape from row to row: for shares
#: of pixels right to 5e-4, and for areas right to 1e-5 of circles with a radius of this many rows.
FOR_SHARES, FOR_AREA, SMALL = 16.0, 140.0, 0.8

#: Largest relative change of the area of pixels within a slice, if areas are wanted.
AREA_CHANGE = 0.005


class HalfWidths(NamedTuple):
    """Half-widths of a circle at the edges of rows, in columns, and how much they change in between.

    0 where an edge lies outside the circle.
    """

    upper: Floats
    lower: Floats
    spread: Floats

    def take(self, index: Ints | Bools) -> HalfWidths:
        """Those of some rows."""
        return HalfWidths._make(values[index] for values in self)


def rows_between(grid: CylindricalGrid, south: Floats, north: Floats) -> tuple[Floats, Floats]:
    """First and last of the continuous rows of two planetographic latitudes in radians."""
    one, other = (
        np.clip(grid.row_of(lat_from_phi(grid.body, phi)), -FAR, FAR) for phi in (north, south)
    )
    return np.minimum(one, other), np.maximum(one, other)


def accuracy(
    grid: CylindricalGrid, centres: Centres, radius: Floats, *, shares: bool
) -> Floats | float:
    """By how many metres the edges of circles may be misplaced."""
    body = grid.body
    if body.is_sphere:
        return 0.0
    # Towards the poles columns become narrow; a degree of latitude is shortest at the equator.
    steepest = np.minimum(np.abs(centres.phi) + radius * body.a / body.b**2, np.pi / 2)
    width = grid.radians_per_column * parallel_radius(body, steepest)
    tolerance = TOLERANCE_OF_SHARES_PX if shares else TOLERANCE_PX
    return tolerance * np.minimum(grid.row_height, width)


class _Exact:
    """Circles without the allowance for ties.

    Attributes
    ----------
    sign : float
        -1 for holes.
    first, top, bottom, last : (n,) ndarray
        Continuous rows: each circle spans `first` to `last`, and holds parts of parallels between
        `top` and `bottom`.
    slices : (n,) ndarray of int
        Slices of a row that are pieces of ellipses; 0 where none is.
    """

    def __init__(
        self,
        grid: CylindricalGrid,
        centres: Centres,
        radius: Floats,
        sign: float,
        *,
        area_weighted: bool,
    ) -> None:
        fine = accuracy(grid, centres, radius, shares=True)
        self.circles = circles = Circles(centres, radius, fine)
        self.sign = sign
        self.first, self.last = rows_between(grid, circles.south, circles.north)
        self.top, self.bottom = rows_between(grid, circles.partial_south, circles.partial_north)
        widest = circles.widest()
        plain = (widest <= WIDEST) & (self.last > self.first)
        rows = self.last - self.first
        with np.errstate(divide="ignore", invalid="ignore"):
            per_row = (circles.north - circles.south) / rows
            steepest = np.maximum(np.abs(circles.south), np.abs(circles.north))
            # Relative changes from row to row: of the length of parallels, and of the parabola.
            shorter = per_row * np.tan(steepest)
            stretch = per_row / np.cos(steepest)
            change = 6.0 * shorter + 2.0 * stretch * widest
            for_shares = FOR_SHARES * np.minimum(stretch / grid.radians_per_column, 1.0)
            for_area = FOR_AREA * np.minimum(2.0 * SMALL / rows, 1.0) ** 3
            slices = np.cbrt(change * np.maximum(for_shares, for_area))
            if area_weighted:
                slices = np.maximum(slices, shorter / AREA_CHANGE)
        self.slices = np.ceil(np.where(plain, np.maximum(slices, 1.0), 0.0)).astype(np.intp)


class AnnulusShares:
    """Covered shares, or areas, of the pixels of annuli.

    Parameters
    ----------
    grid : CylindricalGrid
        The grid.
    centres, column : Centres, (n,) ndarray
        The n centres, and the columns that they lie in.
    edges : sequence of (n,) ndarray
        Outer radii, and inner ones if there are any, in metres.
    inside : (n,) ndarray of bool
        Annuli that do not leave the raster sideways.
    area_weighted : bool
        Whether the covered area (m²) is wanted instead of the share.
    """

    def __init__(
        self,
        grid: CylindricalGrid,
        centres: Centres,
        column: Floats,
        edges: list[Floats],
        inside: Bools,
        *,
        area_weighted: bool,
    ) -> None:
        self._grid = grid
        self._centres = centres
        self._column = column
        self._area_weighted = area_weighted
        self._exact = [
            _Exact(grid, centres, radius, sign, area_weighted=area_weighted)
            for radius, sign in zip(edges, (1.0, -1.0), strict=False)
        ]
        if grid.extent != grid.columns:
            # The last column is cut, and the pieces that cross it would have to be.
            for exact in self._exact:
                exact.slices[~inside] = 0
        self._simple = inside & np.all([exact.slices for exact in self._exact], axis=0)

    def over(self, arcs: Arcs, spans: Spans, whole: Callable[[Arcs], Spans]) -> Floats:
        """Weight of every pixel.

        Parameters
        ----------
        arcs : Arcs
            The rows of the annuli.
        spans : Spans
            The pixels.
        whole : callable
            Gives the pixels of such arcs without their holes.
        """
        if not len(spans):
            return np.zeros(0)
        simple = self._simple
        if simple.all():
            return self._over_simple(arcs, spans)
        if not simple.any():
            return self._over_wrapped(arcs, spans, whole(arcs))
        weights = np.empty(int(spans.length.sum()))
        of_arcs, of_spans = simple[arcs.roi], simple[spans.roi]
        of_pixels = np.repeat(of_spans, spans.length)
        weights[of_pixels] = self._over_simple(
            arcs.take(of_arcs), spans.take(np.flatnonzero(of_spans))
        )
        arcs = arcs.take(~of_arcs)
        weights[~of_pixels] = self._over_wrapped(
            arcs, spans.take(np.flatnonzero(~of_spans)), whole(arcs)
        )
        return weights

    def _over_simple(self, arcs: Arcs, spans: Spans) -> Floats:
        """Weights of annuli within the raster: the boundaries on one side of a hole end there."""
        sums = CoverageSums(spans)
        first, last = _spans_of_rows(arcs, spans)
        known = last >= first
        if not known.all():
            arcs, first, last = arcs.take(known), first[known], last[known]
        for pair, pieces, weight in self._pieces(arcs):
            column = self._column[arcs.roi[pair]]
            for side, span in ((-1.0, first), (1.0, last)):
                _add_boundary(sums, span[pair], pieces, column, side, weight)
        return sums.over(spans)

    def _over_wrapped(self, arcs: Arcs, spans: Spans, whole: Spans) -> Floats:
        """Weights of annuli that may wrap around the body: a row has up to two spans without holes."""
        if not len(spans):
            return np.zeros(0)
        sums = CoverageSums(whole)
        first, last = _spans_of_rows(arcs, whole)
        roi = arcs.roi
        thin = list(self._thin_arcs(arcs))
        fitted = list(self._pieces(arcs))
        period, extent = self._grid.period, self._grid.extent
        for turn in (0.0, period, -period):
            there = (arcs.high + turn > 0) & (arcs.low + turn < extent) & (last >= first)
            second = (last > first) & (
                arcs.low + turn >= whole.stop[np.minimum(first, len(whole) - 1)]
            )
            span = first + second
            for pair, pieces, weight in fitted:
                at = np.flatnonzero(there[pair])
                own = pair[at]
                column = self._column[roi[own]] + turn
                for side in (-1.0, 1.0):
                    _add_boundary(sums, span[own], pieces.take(at), column, side, weight[at])
            for pair, low, high, weight in thin:
                at = np.flatnonzero(there[pair])
                begin, end = (np.minimum(side[at] + turn, extent) for side in (low, high))
                sums.add(span[pair[at]], begin, end, weight[at])
        return sums.over(spans)

    def ground(self, arcs: Arcs) -> Floats:
        """Weight of every whole annulus, the ground outside the raster included."""
        total = np.zeros(len(self._centres))
        for pair, pieces, weight in self._pieces(arcs):
            area = 2.0 * pieces.area * weight
            total += np.bincount(arcs.roi[pair], weights=area, minlength=total.size)
        for pair, low, high, weight in self._thin_arcs(arcs):
            area = np.minimum(high - low, self._grid.period) * weight
            total += np.bincount(arcs.roi[pair], weights=area, minlength=total.size)
        return np.maximum(total, 0.0)

    def _pieces(self, arcs: Arcs) -> Iterator[tuple[Ints, EllipsePieces, Floats]]:
        """Pieces of ellipses: (position in `arcs`, pieces, signed weight of a row's height)."""
        roi = arcs.roi
        for exact, half in zip(self._exact, arcs.half_widths, strict=True):
            y_first = np.maximum(arcs.row, exact.first[roi])
            y_last = np.minimum(arcs.row + 1, exact.last[roi])
            slices = exact.slices[roi]
            slices[y_last <= y_first] = 0
            pair = np.flatnonzero(slices == 1)
            if pair.size:
                begin, end, row = y_first[pair], y_last[pair], arcs.row[pair]
                yield self._fitted(
                    exact,
                    pair,
                    begin,
                    end - begin,
                    # A circle that begins or ends within a row has no width there.
                    np.where(begin > row, 0.0, np.square(half.upper[pair])),
                    self._squares(exact, roi[pair], (begin + end) * 0.5),
                    np.where(end < row + 1, 0.0, np.square(half.lower[pair])),
                )
            several = np.flatnonzero(slices > 1)
            if several.size:
                count = slices[several]
                pair = np.repeat(several, count)
                height = (y_last[pair] - y_first[pair]) / slices[pair]
                begin = y_first[pair] + height * ranges(np.zeros_like(count), count)
                squares = (
                    self._squares(exact, roi[pair], begin + part * height)
                    for part in (0.0, 0.5, 1.0)
                )
                yield self._fitted(exact, pair, begin, height, *squares)

    def _squares(self, exact: _Exact, roi: Ints, y: Floats) -> Floats:
        """Squared half-widths in columns."""
        sight = self._centres.see(roi, Parallels(self._grid.body, self._grid.phi(y)))
        half = np.maximum(exact.circles.half_widths(sight), 0.0)
        half /= self._grid.radians_per_column
        half *= half
        return half

    def _fitted(
        self,
        exact: _Exact,
        pair: Ints,
        y_first: Floats,
        height: Floats,
        start: Floats,
        middle: Floats,
        end: Floats,
    ) -> tuple[Ints, EllipsePieces, Floats]:
        pieces = EllipsePieces.through(height, start, middle, end)
        weight = np.full(height.size, exact.sign)
        if self._area_weighted:
            weight *= self._grid.pixel_area(y_first, y_first + height) / height
        return pair[pieces.slice], pieces, weight[pieces.slice]

    def _thin_arcs(self, arcs: Arcs) -> Iterator[tuple[Ints, Floats, Floats, Floats]]:
        """Arcs of sub-rows of the other circles: (position in `arcs`, low, high, signed weight).

        The weight is the sub-row's share of the row's height, or its area.
        """
        grid, roi = self._grid, arcs.roi
        for exact, half in zip(self._exact, arcs.half_widths, strict=True):
            others = np.flatnonzero(exact.slices[roi] == 0)
            if not others.size:
                continue
            own, row = roi[others], arcs.row[others]
            ends = (exact.first, exact.top, exact.bottom, exact.last)
            first, top, bottom, last = (y[own] for y in ends)
            spread = half.spread[others]
            for pair, y_mid, y_from, y_to in sub_rows(row, first, top, bottom, last, spread):
                centre = own[pair]
                width = np.sqrt(self._squares(exact, centre, y_mid))
                weight = y_to - y_from
                if self._area_weighted:
                    weight = grid.pixel_area(y_from, y_to)
                column = self._column[centre]
                yield others[pair], column - width, column + width, exact.sign * weight


def _spans_of_rows(arcs: Arcs, spans: Spans) -> tuple[Ints, Ints]:
    """First and last span of the row of each arc; the last comes before the first if there is none."""
    rows = int(arcs.row.max(initial=0)) + 1
    of_arcs, of_spans = arcs.roi * rows + arcs.row, spans.roi * rows + spans.row
    first = np.searchsorted(of_spans, of_arcs, side="left")
    return first, np.searchsorted(of_spans, of_arcs, side="right") - 1


def _add_boundary(
    sums: CoverageSums,
    span: Ints,
    pieces: EllipsePieces,
    column: Floats,
    side: float,
    weight: Floats,
) -> None:
    """Add one side of pieces around columns: their mean half-width, and what differs from it."""
    signed = -side * weight
    sums.step(span, column + side * (pieces.area / pieces.height), signed * pieces.height)
    piece, line, excess = pieces.lines(column, side)
    sums.bend(span[piece], line, excess * signed[piece])
