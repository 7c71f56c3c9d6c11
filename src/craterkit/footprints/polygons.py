"""Footprints of regular polygons (``nvert``) on cylindrical grids.

Vertices lie on the geodesic circle; edges are straight in the grid's plane. Which pixels are touched, and which
centres lie inside, is left to GDAL's rasteriser, so that numbers published with polygons come out
the same. Covered shares are exact.
"""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from craterkit.footprints.edges import covered
from craterkit.footprints.spans import Footprints, Spans
from craterkit.regions.drawing import Plane, Ring, Rings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry

    from craterkit.footprints.rules import Rules
    from craterkit.grids.cylindrical import CylindricalGrid
    from craterkit.regions import Annulus
    from craterkit.tables.features import Features

    Floats = NDArray[np.float64]
    Ints = NDArray[np.intp]
    Window = tuple[int, int, int, int]

__all__ = ["PolygonAnnuli"]

#: Pixels that are rasterised at a time.
TILE_PIXELS = 1 << 24

#: Pixels off the raster: farther than FAR is cut off at MARGIN, and nothing is farther than FARTHEST.
FAR, MARGIN, FARTHEST = 1e6, 1e4, 2.0**40


class PolygonAnnuli:
    """Polygonal annuli around features on a cylindrical grid.

    Parameters
    ----------
    grid : CylindricalGrid
        The grid.
    features : Features
        The n features.
    region : Annulus
        The region; its `nvert` is the number of vertices.
    rules : Rules
        The rule by which pixels belong, and what they count for.

    Attributes
    ----------
    rows : (n, 2) ndarray of int
        First row and end row that each ROI may touch, not clipped to the raster.
    """

    def __init__(
        self, grid: CylindricalGrid, features: Features, region: Annulus, rules: Rules
    ) -> None:
        assert region.nvert is not None
        self.grid = grid
        self.rules = rules
        # On a cylinder nothing is torn.
        self.torn = self.leaves = np.zeros(len(features), dtype=bool)
        self._rings = [
            Rings.around(grid.body, features.lon, features.lat, outline)
            for outline in region.outlines(features.radius, region.nvert)
        ]
        self._x = [self._to_columns(features.lon, ring.lon) for ring in self._rings]
        self._y = [self._to_rows(ring.lat) for ring in self._rings]
        south, north = self._to_rows(np.array([-90.0, 90.0]))
        self._plane = Plane(
            left=0.0,
            right=grid.extent,
            period=grid.period,
            south=float(south),
            north=float(north),
            eastward=grid.eastward,
        )
        self.rows = self._reach_rows()
        self._kept: dict[int, tuple[Spans, Floats | None]] = {}
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return self.rows.shape[0]

    def _to_columns(self, lon0: Floats, lon: Floats) -> Floats:
        """Columns of vertices, unwrapped around the column of their feature."""
        unwrapped = (lon - lon0[:, None]) * self.grid.columns_per_degree
        return self.grid.column_of(lon0)[:, None] + unwrapped

    def _to_rows(self, lat: Floats) -> Floats:
        # Projections may put a pole infinitely far away.
        return np.clip(self.grid.row_of(lat), -FARTHEST, FARTHEST)

    def _reach_rows(self) -> NDArray[np.int64]:
        ring, y = self._rings[0], self._y[0]
        low, high = y.min(axis=1), y.max(axis=1)
        poles = (self._plane.south, self._plane.north)
        for pole, holds in zip(poles, (ring.turn > 0, ring.turn < 0), strict=True):
            holds = holds | ring.inverted
            low = np.where(holds, np.minimum(low, pole), low)
            high = np.where(holds, np.maximum(high, pole), high)
        # GDAL may touch one row more than geometry does.
        return np.stack([np.floor(low) - 1, np.ceil(high) + 1], axis=1).astype(np.int64)

    def columns(self) -> tuple[Floats, Floats]:
        """Continuous columns that each ROI may touch, unwrapped around its centre."""
        ring, x = self._rings[0], self._x[0]
        low, high = x.min(axis=1) - 1.0, x.max(axis=1) + 1.0
        around = ~ring.simple | (high - low > self.grid.period)
        middle, half = (low + high) / 2, self.grid.period / 2
        return np.where(around, middle - half, low), np.where(around, middle + half, high)

    def _shape(self, roi: int, plane: Plane) -> BaseGeometry:
        """Polygon of one ROI in columns and rows."""
        rings = [
            Ring(x[roi], y[roi], int(rings.turn[roi]), bool(rings.inverted[roi]))
            for rings, x, y in zip(self._rings, self._x, self._y, strict=True)
        ]
        inner = rings[1] if len(rings) > 1 else None
        plain = all(not ring.turn and not ring.inverted for ring in rings)
        if plain and rings[0].x.min() >= plane.left and rings[0].x.max() <= plane.right:
            import shapely

            hole = None if inner is None else [np.stack([inner.x, inner.y], axis=1)]
            polygon = shapely.Polygon(np.stack([rings[0].x, rings[0].y], axis=1), hole)
            # With few vertices a hole may stick out of its shell.
            if polygon.is_valid:
                return polygon
        return plane.ground(rings[0], rings[1:])

    def footprints(self, rois: Ints, row_start: int, row_stop: int) -> Footprints:
        """Pixels of some ROIs between two rows of the raster; their `roi` are positions in `rois`."""
        parts = []
        for position, roi in enumerate(rois):
            spans, weights = self._footprint(int(roi), row_stop)
            begin, end = np.searchsorted(spans.row, [row_start, row_stop])
            if weights is not None:
                ends = np.concatenate([[0], np.cumsum(spans.length)])
                weights = weights[ends[begin] : ends[end]]
            own = spans.take(slice(int(begin), int(end)))
            own = Spans(np.full(len(own), position), own.row, own.start, own.stop)
            parts.append(Footprints(own, weights))
        return Footprints.concatenate(parts)

    def _footprint(self, roi: int, row_stop: int) -> tuple[Spans, Floats | None]:
        """All pixels of one ROI; remembered until the walk has passed it."""
        with self._lock:
            known = self._kept.pop(roi, None)
        if known is None:
            known = self._rasterise(roi)
        if self.rows[roi, 1] > row_stop:
            with self._lock:
                self._kept[roi] = known
        return known

    def _rasterise(self, roi: int) -> tuple[Spans, Floats | None]:
        frame = (0, self.grid.shape[0], 0, self.grid.columns)
        none = np.zeros(0, dtype=np.intp)
        spans = [Spans(none, none, none, none)]
        weights = [np.zeros(0)]
        for window, mask, covered_weights in self._tiles(self._shape(roi, self._plane), frame):
            runs = _runs(mask, window[0], window[2])
            spans.append(runs)
            if covered_weights is not None:
                weights.append(covered_weights[mask])
            elif self.rules.area_weighted:
                areas = self._row_areas(window)
                weights.append(np.repeat(areas[runs.row - window[0]], runs.length))
        joined, order = Spans.join(spans)
        if not self.rules.weighted:
            return joined, None
        return joined, np.concatenate(weights)[order]

    def _tiles(
        self, shape: BaseGeometry, frame: Window
    ) -> Iterator[tuple[Window, NDArray[np.bool_], Floats | None]]:
        """Pixels of a shape within a frame: windows that share none, which they are, covered weights."""
        for part in _apart(_crop(shape, frame), self.grid.period):
            if part.is_empty:
                continue
            left, top, right, bottom = part.bounds
            row, row_end = np.clip([np.floor(top) - 1, np.ceil(bottom) + 1], *frame[:2])
            column, column_end = np.clip([np.floor(left) - 1, np.ceil(right) + 1], *frame[2:])
            if row_end <= row or column_end <= column:
                continue
            tall = max(1, int(TILE_PIXELS // (column_end - column)))
            for start in range(int(row), int(row_end), tall):
                window = (start, min(start + tall, int(row_end)), int(column), int(column_end))
                mask = self._burn(part, window)
                weights = None
                if self.rules.coverage == "fraction":
                    weights = covered(part, window, self._measure)
                    mask |= weights > 0
                yield window, mask, weights

    def _row_areas(self, window: Window) -> Floats:
        edges = np.arange(window[0], window[1] + 1, dtype=np.float64)
        return self.grid.pixel_area(edges[:-1], edges[1:])

    def _measure(self, y_from: Floats, y_to: Floats) -> Floats:
        """Signed weight of a column between two rows: its height, or its area."""
        if not self.rules.area_weighted:
            return y_to - y_from
        return np.copysign(self.grid.pixel_area(y_from, y_to), y_to - y_from)

    def _burn(self, shape: BaseGeometry, window: Window) -> NDArray[np.bool_]:
        from affine import Affine
        from rasterio.features import rasterize

        row, row_end, column, column_end = window
        burnt = rasterize(
            [(shape, 1)],
            out_shape=(row_end - row, column_end - column),
            transform=Affine.translation(column, row),
            all_touched=self.rules.coverage != "center",
            dtype=np.uint8,
        )
        return np.asarray(burnt, dtype=bool)

    def ground_weight(self, rois: Ints) -> Floats:
        """Weight of whole ROIs, the ground outside the raster included."""
        whole = replace(self._plane, right=self.grid.period)
        out = np.zeros(rois.size)
        for i, roi in enumerate(rois):
            top, bottom = self.rows[roi]
            frame = (int(top), int(bottom), 0, int(np.ceil(self.grid.period)))
            for window, mask, weights in self._tiles(self._shape(int(roi), whole), frame):
                if weights is not None:
                    out[i] += weights.sum()
                elif self.rules.area_weighted:
                    out[i] += mask.sum(axis=1) @ self._row_areas(window)
                else:
                    out[i] += mask.sum()
        return out


def _crop(shape: BaseGeometry, frame: Window) -> BaseGeometry:
    """A shape without what lies so far off that a rasteriser might not cope."""
    import shapely

    row, row_end, column, column_end = frame
    left, top, right, bottom = shape.bounds
    if min(left - column, top - row) > -FAR and max(right - column_end, bottom - row_end) < FAR:
        return shape
    # Well outside the frame, so that the cut edges touch no pixel of it.
    box = shapely.box(column - MARGIN, row - MARGIN, column_end + MARGIN, row_end + MARGIN)
    return shapely.intersection(shape, box)


def _apart(shape: BaseGeometry, period: float) -> list[BaseGeometry]:
    """The two sides of a shape that is cut at the seam, if they have no pixel in common."""
    import shapely

    parts = shapely.get_parts(shape)
    bounds = shapely.bounds(parts)
    west = bounds[:, 2] < period / 2 - 2.0
    east = bounds[:, 0] > period / 2 + 2.0
    if parts.size < 2 or not (west | east).all() or west.all() or east.all():
        return [shape]
    return [shapely.union_all(parts[west]), shapely.union_all(parts[east])]


def _runs(mask: NDArray[np.bool_], row: int, column: int) -> Spans:
    """Spans of the pixels of a mask whose corner is at `row`, `column`."""
    padded = np.zeros((mask.shape[0], mask.shape[1] + 2), dtype=np.int8)
    padded[:, 1:-1] = mask
    steps = np.diff(padded, axis=1)
    rows, starts = np.nonzero(steps > 0)
    _, stops = np.nonzero(steps < 0)
    return Spans(np.zeros(rows.size, dtype=np.intp), rows + row, starts + column, stops + column)
