"""The second footprint engine: any shape on any grid, by scan-converting rings of vertices.

Outlines are drawn on the body, carried to pixel coordinates and converted to spans for all ROIs at once.
The few that a map tears apart are served pixel by pixel.
"""

from __future__ import annotations

import threading
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from craterkit.footprints.outlines import FARTHEST, NO_RINGS
from craterkit.footprints.rules import Rules
from craterkit.footprints.sampled import outline_vertices, sampled
from craterkit.footprints.scan import Frame, Rings, scan
from craterkit.footprints.spans import Footprints, Spans, ranges
from craterkit.grids.cylindrical import CylindricalGrid

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from craterkit.footprints.outlines import Outlines
    from craterkit.grids.base import Grid

    Floats = NDArray[np.float64]
    Ints = NDArray[np.intp]
    Bools = NDArray[np.bool_]
    Corner = tuple[int, int]

__all__ = ["RingFootprints", "tolerance"]

#: How far an edge may be from the curve that it stands for, in pixels: where whole pixels are counted,
#: and where shares of them are.
TOLERANCE_PX, TOLERANCE_OF_SHARES_PX = 0.05, 0.005

#: Rows of whole ROIs that are weighed at a time, and pixels.
WEIGHED_ROWS, WEIGHED_PIXELS = 1 << 16, 1 << 22

#: Torn ROIs whose outlines are remembered.
KEPT = 64


def tolerance(rules: Rules) -> float:
    """How far, in pixels, an edge may be from the curve that it stands for."""
    return TOLERANCE_OF_SHARES_PX if rules.coverage == "fraction" else TOLERANCE_PX


class RingFootprints:
    """ROIs with outlines on any grid.

    Parameters
    ----------
    grid : Grid
        The grid.
    outlines : Outlines
        The outlines of n ROIs.
    rules : Rules
        The rule by which pixels belong, and what they count for.

    Attributes
    ----------
    rows : (n, 2) ndarray of int
        First row and end row that each ROI may touch, not clipped to the raster.
    torn, leaves : (n,) ndarray of bool
        ROIs that reach the map's edge or seam; those of them that go on beyond it or the raster.
    """

    def __init__(self, grid: Grid, outlines: Outlines, rules: Rules) -> None:
        self.grid = grid
        self.rules = rules
        self._outlines = outlines
        self.torn, self.leaves = outlines.torn, outlines.leaves
        self._kept: dict[int, tuple[Floats, Floats]] = {}
        self._lock = threading.Lock()
        top, bottom = _known(outlines.top, outlines.bottom, outlines.torn, float(grid.shape[0]))
        rows = np.clip([top, bottom], -FARTHEST, FARTHEST)
        if isinstance(grid, CylindricalGrid):
            rows = np.clip(rows, min(grid.pole_rows), max(grid.pole_rows))
        self.rows = np.stack([np.floor(rows[0]), np.ceil(rows[1])], axis=1).astype(np.int64)

    def __len__(self) -> int:
        return len(self._outlines)

    def columns(self) -> tuple[Floats, Floats]:
        """Continuous columns that each ROI may touch, unwrapped around its centre."""
        outlines = self._outlines
        return _known(outlines.west, outlines.east, outlines.torn, self.grid.extent)

    def footprints(self, rois: Ints, row_start: int, row_stop: int) -> Footprints:
        """Pixels of some ROIs between two rows of the raster; their `roi` are positions in `rois`."""
        torn = self._outlines.torn[rois]
        whole = np.flatnonzero(~torn)
        frame = Frame(row_start, row_stop, 0.0, self.grid.extent)
        parts = [self._scanned(rois, whole, frame)]
        holed, holes = self._holes(rois, frame)
        for position in np.flatnonzero(torn):
            top, bottom = np.clip(self.rows[rois[position]], row_start, row_stop)
            low, high = (self._known_columns[side][rois[position]] for side in (0, 1))
            left, right = np.clip([np.floor(low), np.ceil(high)], 0, self.grid.columns).astype(int)
            for west, east in self._sides(int(rois[position]), int(left), int(right)):
                if bottom > top and east > west:
                    window = int(top), int(bottom), west, east
                    part = self._sampled(
                        int(rois[position]), int(position), window, filled=bool(holed[position])
                    )
                    parts.append(part.keep(~part.spans.covered(holes)))
        if len(parts) == 1:
            return parts[0]
        spans, order = Spans.join([part.spans for part in parts])
        if parts[0].weights is None:
            return Footprints(spans)
        return Footprints(
            spans,
            np.concatenate([part.weights for part in parts if part.weights is not None])[order],
        )

    def _sides(self, roi: int, left: int, right: int) -> list[tuple[int, int]]:
        """Columns of a torn ROI, without those between its two sides."""
        gap = self._outlines.gap(roi)
        if gap is None:
            return [(left, right)]
        return [(left, min(int(gap[0]), right)), (max(int(gap[1]), left), right)]

    @cached_property
    def _known_columns(self) -> tuple[Floats, Floats]:
        return self.columns()

    def _holes(self, rois: Ints, frame: Frame) -> tuple[Bools, Spans]:
        """Which torn ROIs have holes with rings, and the pixels whose centres these hold.

        The edge of a hole decides as it does for the ROI that lies within it.
        """
        rings = NO_RINGS
        if self.rules.coverage == "center" and self._outlines.torn[rois].any():
            rings = self._around(self._outlines.holes(rois))
        holed = np.zeros(rois.size, dtype=bool)
        holed[rings.roi] = True
        rings = replace(rings, hole=np.zeros(rings.count.size, dtype=bool))
        return holed, scan(rings, rois.size, frame, "center").spans

    def _scanned(self, rois: Ints, whole: Ints, frame: Frame) -> Footprints:
        """Pixels of those of `rois` that have rings, at positions `whole`."""
        rings = self._outlines.rings(rois[whole])
        rings = replace(rings, roi=whole[rings.roi])
        rings = self._around(rings)
        return self._scan(rings, rois.size, frame)

    def _scan(self, rings: Rings, size: int, frame: Frame, corner: Corner = (0, 0)) -> Footprints:
        """Pixels and weights of rings whose rows and columns are counted from a corner on."""
        coverage, grid = self.rules.coverage, self.grid
        if (
            coverage == "fraction"
            and self.rules.area_weighted
            and isinstance(grid, CylindricalGrid)
        ):
            # Near a pole one half of a pixel has far more ground than the other.
            def area(y_from: Floats, y_to: Floats) -> Floats:
                size = grid.pixel_area(y_from + corner[0], y_to + corner[0])
                return np.copysign(size, y_to - y_from)

            return scan(rings, size, frame, coverage, area)
        found = scan(rings, size, frame, coverage)
        return self._weighted(found.spans, found.weights, corner)

    def _around(self, rings: Rings) -> Rings:
        """The rings, and copies a period away of those that stick out of the raster."""
        period, extent = self.grid.period, self.grid.extent
        if period == np.inf or not rings.count.size:
            return rings
        west, east, _, _ = rings.bounds()
        parts = [rings]
        beyond = (west < 0) & (east + period > 0) & (west + period < extent)
        if beyond.any():
            parts.append(rings.take(np.flatnonzero(beyond)).moved(period))
        beyond = (east > extent) & (west - period < extent) & (east - period > 0)
        if beyond.any():
            parts.append(rings.take(np.flatnonzero(beyond)).moved(-period))
        return Rings.concatenate(parts)

    def _sampled(
        self, roi: int, position: int, window: tuple[int, int, int, int], *, filled: bool
    ) -> Footprints:
        """Pixels of a torn ROI within rows and columns, with those in its hole if `filled`."""
        spans, shares = sampled(
            self.grid, self._outlines, roi, self._vertices(roi), window, self.rules, filled=filled
        )
        spans = Spans(np.full(len(spans), position), spans.row, spans.start, spans.stop)
        return self._weighted(spans, shares)

    def _vertices(self, roi: int) -> tuple[Floats, Floats]:
        """The dense outline of a torn ROI; remembered, as a walk comes back to it."""
        with self._lock:
            known = self._kept.pop(roi, None)
        if known is None:
            known = outline_vertices(self.grid, self._outlines, roi)
        with self._lock:
            self._kept[roi] = known
            if len(self._kept) > KEPT:
                del self._kept[next(iter(self._kept))]
        return known

    def _weighted(self, spans: Spans, shares: Floats | None, corner: Corner = (0, 0)) -> Footprints:
        """Pixels, whose rows and columns are counted from a corner on, with what they count for."""
        if not self.rules.area_weighted:
            return Footprints(spans, shares)
        areas = self._areas(
            Spans(spans.roi, spans.row + corner[0], spans.start + corner[1], spans.stop + corner[1])
        )
        return Footprints(spans, areas if shares is None else areas * shares)

    def _areas(self, spans: Spans) -> Floats:
        """True area of every pixel, m²."""
        if isinstance(self.grid, CylindricalGrid):
            return np.repeat(self.grid.row_areas(spans.row), spans.length)
        row, column = np.repeat(spans.row, spans.length), ranges(spans.start, spans.length)
        areas = self.grid.areas_at(row, column)
        missing = np.isnan(areas)
        if missing.any():
            # Slivers at the edge of a map: their neighbours are as large.
            areas[missing] = np.median(areas[~missing]) if not missing.all() else 0.0
        return areas

    def ground_weight(self, rois: Ints) -> Floats:
        """Weight of whole ROIs, the ground outside the raster included."""
        out = np.zeros(rois.size)
        endless = self._outlines.torn[rois] | (self._sizes(rois) > WEIGHED_PIXELS)
        endless &= ~self._is_inside(rois)
        for position in np.flatnonzero(endless):
            out[position] = self._extrapolated_weight(rois[position : position + 1])
        whole = np.flatnonzero(~endless)
        if self.rules.coverage == "fraction" and not self.rules.area_weighted:
            rings = self._outlines.rings(rois[whole])
            if rings.count.size:
                area = np.where(rings.hole, -rings.area, rings.area)
                out[whole] = np.bincount(rings.roi, weights=area, minlength=whole.size)
            return out
        batch = np.cumsum(self._sizes(rois[whole])) // WEIGHED_PIXELS
        for part in np.split(whole, np.flatnonzero(np.diff(batch)) + 1):
            if part.size:
                out[part] = self._whole_weights(rois[part])
        return out

    def _is_inside(self, rois: Ints) -> Bools:
        """Whether ROIs that have rings lie wholly on the raster."""
        low, high = (side[rois] for side in self._known_columns)
        top, bottom = self.rows[rois].T
        across = (low >= 0) & (high <= self.grid.extent) | self.grid.wraps
        down = (top >= 0) & (bottom <= self.grid.shape[0])
        return np.asarray(across & down & ~self._outlines.torn[rois])

    def _sizes(self, rois: Ints) -> Floats:
        """Pixels of the boxes around ROIs."""
        low, high = (side[rois] for side in self._known_columns)
        return (high - low + 1.0) * (self.rows[rois, 1] - self.rows[rois, 0] + 1.0)

    def _whole_weights(self, rois: Ints) -> Floats:
        """Weight of ROIs that have rings, on a plane without end."""
        out = np.zeros(rois.size)
        rings = self._outlines.rings(rois)
        if not rings.count.size:
            return out
        west, east, top, bottom = rings.bounds()
        left, right = np.floor(west.min()), np.ceil(east.max())
        for start in range(int(np.floor(top.min())), int(np.ceil(bottom.max())), WEIGHED_ROWS):
            # Counted from zero, as in a raster.
            shifted = replace(rings, x=rings.x - left, y=rings.y - start)
            stop = min(WEIGHED_ROWS, int(np.ceil(bottom.max())) - start)
            found = self._scan(
                shifted, rois.size, Frame(0, stop, 0.0, right - left), (start, int(left))
            )
            spans, weights = found.spans, found.weights
            if weights is None:
                out += np.bincount(spans.roi, weights=spans.length, minlength=rois.size)
            else:
                roi = np.repeat(spans.roi, spans.length)
                out += np.bincount(roi, weights=weights, minlength=rois.size)
        return out

    def _extrapolated_weight(self, roi: Ints) -> float:
        """Weight of one ROI from that of its part on the raster and that part's share of its ground.

        For ROIs that the map tears, or that reach so far beyond the raster that their pixels cannot be counted.
        """
        by_area = Rules("fraction", area_weighted=True)
        ground = float(self._outlines.ground_areas(roi)[0])
        if self.rules == by_area:
            return ground
        covered = RingFootprints(self.grid, self._outlines, by_area)._weight_on_raster(roi)
        return self._weight_on_raster(roi) * ground / covered if covered > 0 else 1.0

    def _weight_on_raster(self, roi: Ints) -> float:
        top, bottom = np.clip(self.rows[roi[0]], 0, self.grid.shape[0])
        tall, total = max(1, WEIGHED_PIXELS // self.grid.columns), 0.0
        for start in range(int(top), int(bottom), tall):
            found = self.footprints(roi, start, min(start + tall, int(bottom)))
            weights = found.spans.length if found.weights is None else found.weights
            total += float(weights.sum())
        return total


def _known(low: Floats, high: Floats, torn: Bools, end: float) -> tuple[Floats, Floats]:
    """Bounds of ROIs: the whole raster for torn ones whose place is unknown, nothing for empty ones."""
    unknown = np.isnan(low)
    return np.where(unknown, 0.0, low), np.where(unknown, np.where(torn, end, 0.0), high)
