"""Pixels that lie inside other features: what ``exclude="neighbors"`` leaves out."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, cast

import numpy as np

from craterkit.footprints.engines import engine_for
from craterkit.footprints.rules import Rules
from craterkit.footprints.spans import Spans, ranges
from craterkit.geodesy import inverse
from craterkit.grids.alignment import same_grid
from craterkit.regions import Annulus, Polygons

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from craterkit.bodies import Body
    from craterkit.footprints.rules import Coverage
    from craterkit.grids.base import Grid
    from craterkit.regions import Region, RoundRegion
    from craterkit.tables.features import Features

    Floats = NDArray[np.float64]
    Ints = NDArray[np.intp]
    Bools = NDArray[np.bool_]

__all__ = ["Neighbors"]

#: Pairs of a neighbour and a row whose pixels are found at a time.
PORTION_ROWS = 1 << 18

#: Pairs of an ROI and a neighbour whose distance is found at a time.
PORTION_PAIRS = 1 << 20

#: Points along each side of a raster at which the size of its pixels is taken.
PROBES = 33

#: Boxes are larger than what they hold by this angle (radians), for rounding.
SLACK = 1e-9


class Neighbors:
    """For each ROI, the circles of other features that take pixels from it.

    These are the circles of `size` feature radii that may reach a pixel of the ROI and do not hold the
    centre of the ROI's own feature. A pixel is taken whole, by its centre.

    Parameters
    ----------
    grid : Grid
        The raster's grid.
    features : Features
        The n features.
    regions : sequence of Region
        The regions; ROI k is that of feature k modulo n in region k // n.
    size : float
        Radius of the circles in feature radii.
    coverage : str
        The rule by which pixels belong to ROIs.
    """

    def __init__(
        self,
        grid: Grid,
        features: Features,
        regions: Sequence[Region],
        size: float,
        coverage: Coverage,
    ) -> None:
        self._grid = grid
        self._engine = engine_for(Annulus.circle(size), grid, features, Rules("center"))
        circles = np.flatnonzero(self._on_raster(grid))
        # A pixel may belong to an ROI that does not hold its centre.
        margin = 0.0 if coverage == "center" else _pixel_diagonal(grid)
        roi, neighbor = [], []
        for number, region in enumerate(regions):
            for own, other in _reaching(grid.body, features, region, circles, size, margin):
                roi.append(own + number * len(features))
                neighbor.append(other)
        rois = np.concatenate([np.zeros(0, dtype=np.intp), *roi])
        order = np.argsort(rois, kind="stable")
        self._neighbor = np.concatenate([np.zeros(0, dtype=np.intp), *neighbor])[order]
        self._count = np.bincount(rois, minlength=len(regions) * len(features))
        self._start = np.cumsum(self._count) - self._count

    def of(self, rois: Ints) -> Ints:
        """Features whose circles may take pixels from some ROIs, ascending."""
        return np.unique(self._neighbor[ranges(self._start[rois], self._count[rois])])

    def on(self, grid: Grid) -> Neighbors | None:
        """The same if they hold on another raster's grid, too; else None."""
        return self if same_grid(self._grid, grid) else None

    def _on_raster(self, grid: Grid) -> Bools:
        """Which circles may hold the centre of a pixel."""
        rows = self._engine.rows
        low, high = self._engine.columns()
        # The first and last column whose centre lies within.
        return (
            (rows[:, 0] < grid.shape[0])
            & (rows[:, 1] > 0)
            & (np.floor(high - 0.5 + SLACK) >= np.ceil(low - 0.5 - SLACK))
        )

    def covering(self, rois: Ints, spans: Spans, top: Ints, bottom: Ints) -> Bools | None:
        """Which pixels of ROIs lie inside neighbours; None if no ROI has a neighbour.

        ``spans`` are those of ``rois`` (positions in it) within the rows from `top` to `bottom` of each.
        """
        count = np.where(bottom > top, self._count[rois], 0)
        if not count.any() or not len(spans):
            return None
        position = np.repeat(np.arange(rois.size), count)
        neighbor = self._neighbor[ranges(self._start[rois], count)]
        first, last = int(top[position].min()), int(bottom[position].max())
        covered = np.zeros(int(spans.length.sum()), dtype=np.bool_)
        for own, others in self._portions(position, neighbor, first, last):
            names, which = np.unique(others, return_inverse=True)
            found = self._engine.footprints(names, first, last).spans
            # Of each circle, the rows that the ROI has.
            rows = last - first + 1
            key = found.roi * rows + found.row - first
            begin = np.searchsorted(key, which * rows + top[own] - first)
            length = np.searchsorted(key, which * rows + bottom[own] - first) - begin
            at = ranges(begin, length)
            covered |= spans.covered(
                Spans(np.repeat(own, length), found.row[at], found.start[at], found.stop[at])
            )
        return covered

    def _portions(
        self, position: Ints, neighbor: Ints, first: int, last: int
    ) -> Iterator[tuple[Ints, Ints]]:
        """Cut pairs of an ROI and a neighbour into runs with a bounded number of rows."""
        top, bottom = np.clip(self._engine.rows[neighbor].T, first, last)
        portion = np.cumsum(bottom - top) // PORTION_ROWS
        cuts = [0, *(np.flatnonzero(np.diff(portion)) + 1), position.size]
        for start, stop in pairwise(cuts):
            yield position[start:stop], neighbor[start:stop]


def _pixel_diagonal(grid: Grid) -> float:
    """About the longest diagonal of a pixel on the ground, metres."""
    height, width = grid.shape
    x, y = np.meshgrid(
        np.linspace(0.0, width - 1.0, PROBES), np.linspace(0.0, height - 1.0, PROBES)
    )
    corners = [grid.to_body(x + dx, y + dy) for dx, dy in ((0, 0), (1, 1), (1, 0), (0, 1))]
    lengths = [
        inverse(grid.body, *corners[0], *corners[1])[0],
        inverse(grid.body, *corners[2], *corners[3])[0],
    ]
    # Between the points it may be longer.
    return 1.5 * float(np.nan_to_num(lengths).max())


def _reaching(
    body: Body, features: Features, region: Region, circles: Ints, size: float, margin: float
) -> Iterator[tuple[Ints, Ints]]:
    """Pairs of a feature and another whose circle may reach its ROI but not its centre."""
    import shapely

    if not circles.size:
        return
    radius = features.radius * size
    if isinstance(region, Polygons):
        parts, box_of = shapely.get_parts(region.geometries, return_index=True)
        boxes = _widened(shapely.bounds(parts), margin / body.b)
        reach = np.full(len(features), np.inf)
    else:
        box_of = np.arange(len(features))
        reach = cast("RoundRegion", region).reach(features.radius) + margin
        boxes = _boxes(features.lon, features.lat, reach / body.b)
    others = _boxes(features.lon[circles], features.lat[circles], radius[circles] / body.b)
    tree_of, tree_boxes = _cut_at_seam(others)
    which, own_boxes = _cut_at_seam(boxes)
    of = box_of[which]
    # Only bounds matter, and those of a diagonal are its box's.
    tree = shapely.STRtree(shapely.linestrings(tree_boxes.reshape(-1, 2, 2)))
    for start in range(0, of.size, PORTION_PAIRS):
        part = slice(start, start + PORTION_PAIRS)
        asked, hit = tree.query(shapely.linestrings(own_boxes[part].reshape(-1, 2, 2)))
        own, other = of[part][asked], circles[tree_of[hit]]
        # Boxes that were cut may meet twice.
        pair = np.sort(own * len(features) + other)
        own, other = np.divmod(pair[np.diff(pair, prepend=-1) > 0], len(features))
        distance, _ = inverse(
            body, features.lon[own], features.lat[own], features.lon[other], features.lat[other]
        )
        takes = (own != other) & (distance > radius[other])
        takes &= distance <= reach[own] + radius[other]
        yield own[takes], other[takes]


def _boxes(lon: Floats, lat: Floats, angle: Floats) -> Floats:
    """West, south, east and north of caps of angular radii (radians), degrees.

    Seen from the body's centre no two points are farther apart than their distance over the polar radius.
    """
    angle = angle + SLACK
    south, north = lat - np.degrees(angle), lat + np.degrees(angle)
    whole = (south <= -90.0) | (north >= 90.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        # Snyder (1987): the cap touches the meridians at sin Δλ = sin d / cos φ.
        half = np.degrees(np.arcsin(np.minimum(np.sin(angle) / np.cos(np.radians(lat)), 1.0)))
    half = np.where(whole, 180.0, half)
    west = np.where(whole, -180.0, lon - half)
    east = np.where(whole, 180.0, lon + half)
    return np.stack([west, np.maximum(south, -90.0), east, np.minimum(north, 90.0)], axis=1)


def _widened(bounds: Floats, angle: float) -> Floats:
    """Boxes in degrees with all points within an angle (radians) of them."""
    west, south, east, north = bounds.T
    middle = (west + east) / 2
    lat = np.maximum(np.abs(south), np.abs(north))
    around = _boxes(middle, lat, np.full(middle.size, angle))
    margin = (around[:, 2] - around[:, 0]) / 2
    step = np.degrees(angle + SLACK)
    wide = east - west + 2 * margin >= 360.0
    west = np.where(wide, -180.0, west - margin)
    east = np.where(wide, 180.0, east + margin)
    return np.stack(
        [west, np.maximum(south - step, -90.0), east, np.minimum(north + step, 90.0)], axis=1
    )


def _cut_at_seam(boxes: Floats) -> tuple[Ints, Floats]:
    """Boxes within -180 to 180 degrees, and which of the given ones each is of."""
    west, _, east, _ = boxes.T
    parts, names = [], []
    for turn in (0.0, 360.0, -360.0):
        there = np.flatnonzero((east + turn >= -180.0) & (west + turn <= 180.0))
        moved = boxes[there] + [turn, 0.0, turn, 0.0]
        moved[:, 0] = np.maximum(moved[:, 0], -180.0)
        moved[:, 2] = np.minimum(moved[:, 2], 180.0)
        parts.append(moved)
        names.append(there)
    return np.concatenate(names), np.concatenate(parts)
