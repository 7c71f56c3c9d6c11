"""Outlines of ROIs on a map: as many vertices as the picture can show, cut where the map is cut."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from craterkit.footprints.spans import ranges
from craterkit.plotting.frames import DegreeFrame
from craterkit.regions import Polygons, RoundRegion
from craterkit.regions.drawing import LONGEST_STEP, Rings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from craterkit.plotting.frames import Frame
    from craterkit.regions import Region
    from craterkit.tables.features import Features

    Floats = NDArray[np.float64]
    Ints = NDArray[np.intp]
    Bools = NDArray[np.bool_]

__all__ = ["Lines", "lines_of_region", "split_lines"]

#: Widths on the picture, in pixels, up to which curves have these numbers of vertices: chords leave the
#: curve by at most a tenth of a pixel.
VERTICES = ((2.0, 8), (8.0, 16), (32.0, 32), (128.0, 64), (512.0, 128), (np.inf, 256))
LARGEST = 1e9

#: By how much the vertices of rough curves are multiplied, and how often.
FINER, PASSES = 8, 2

#: Longest step of a curve, in pixels of the picture; and of one that is cut.
LONGEST_PX, CUT_PX = 24.0, 1.0

#: ROIs, and vertices of rough curves, that are worked on at a time.
BATCH, MOST_VERTICES = 100_000, 4_000_000

#: Share of the body's radius within which an ROI whose centre is off the map is off it, too.
SMALL = 0.1

#: Degrees by which a vertex may miss the seam or a pole.
ON_SEAM = 1e-9


@dataclass(frozen=True, slots=True)
class Lines:
    """What is drawn of the ROIs of a region.

    Attributes
    ----------
    segments : list of (k, 2) ndarray
        Lines, in axes coordinates.
    owner : ndarray of int
        The feature of each.
    points : (m, 2) ndarray
        ROIs that are too small for lines.
    point_owner : (m,) ndarray of int
        The feature of each.
    """

    segments: list[Floats]
    owner: Ints
    points: Floats
    point_owner: Ints

    @classmethod
    def joined(cls, parts: Sequence[Lines]) -> Lines:
        """Several as one."""
        none = np.zeros(0, dtype=np.intp)
        return cls(
            [segment for part in parts for segment in part.segments],
            np.concatenate([none, *(part.owner for part in parts)]),
            np.concatenate([np.zeros((0, 2)), *(part.points for part in parts)]),
            np.concatenate([none, *(part.point_owner for part in parts)]),
        )


def lines_of_region(
    features: Features,
    region: Region,
    frame: Frame,
    px_per_unit: float,
    point_px: float = 1.0,
) -> Lines:
    """Outlines of a region around every feature, as far as they are on the map.

    Parameters
    ----------
    features : Features
        The features.
    region : Region
        The region.
    frame : Frame
        The map.
    px_per_unit : float
        Pixels of the picture to a unit of the axes.
    point_px : float, default 1
        ROIs narrower than this on the picture, in pixels, are points.
    """
    if isinstance(region, Polygons):
        return _lines_of_polygons(region, frame, px_per_unit)
    assert isinstance(region, RoundRegion)
    tracer = _Tracer(features, region, frame, px_per_unit, point_px)
    starts = range(0, len(features), BATCH)
    return Lines.joined([tracer.lines(np.arange(i, min(i + BATCH, len(features)))) for i in starts])


@dataclass(frozen=True, slots=True)
class _Tracer:
    """A region about features, and the map on which it is drawn."""

    features: Features
    region: RoundRegion
    frame: Frame
    px_per_unit: float
    point_px: float

    def lines(self, which: Ints) -> Lines:
        """Of some of the features."""
        which = which[self.region.take(which).reach(self.features.radius[which]) > 0]
        size, center = self._sizes(which)
        seen = ~np.isnan(size)
        which, size, center = which[seen], size[seen], center[seen]
        small = size < self.point_px
        points, point_owner = self._copies(center[small][:, None], which[small])
        parts = [Lines([], np.zeros(0, np.intp), points[:, 0], point_owner)]
        least = self.point_px
        for most, count in VERTICES:
            chosen = which[(size >= least) & (size < most)]
            if chosen.size:
                parts += self._curves(chosen, count)
            least = most
        return Lines.joined(parts)

    def _rings(self, which: Ints, count: int) -> list[Rings]:
        lon, lat, radius = (
            values[which] for values in (self.features.lon, self.features.lat, self.features.radius)
        )
        outlines = self.region.take(which).outlines(radius, count)
        return [Rings.around(self.frame.body, lon, lat, outline) for outline in outlines]

    def _sizes(self, which: Ints) -> tuple[Floats, Floats]:
        """Widths on the picture, NaN off it, and centres on the axes."""
        ring = self._rings(which, 4)[0]
        x, y = self.frame.to_axes(ring.lon, ring.lat)
        center = np.stack(
            self.frame.to_axes(self.features.lon[which], self.features.lat[which]), axis=-1
        )
        reach = self.region.take(which).reach(self.features.radius[which])
        ptp_x, ptp_y = np.ptp(x, axis=1), np.ptp(y, axis=1)
        large = reach > SMALL * self.frame.body.a
        if isinstance(self.frame, DegreeFrame):
            width = np.maximum(ptp_x, ptp_y)
        else:
            # Some vertices may be beyond a cut of the map, or off it.
            away = np.sort(np.hypot(x - center[:, :1], y - center[:, 1:]), axis=1)
            middle = np.isfinite(away).sum(axis=1) // 2
            width = 2.0 * away[np.arange(which.size), middle]
        # A ring about a pole has no width of its own.
        odd = ~ring.simple | large | np.isnan(width)
        size = np.where(odd, LARGEST, width * self.px_per_unit)
        size[np.isnan(x).all(axis=1) & np.isnan(center[:, 0]) & ~large] = np.nan
        box = self.frame.box
        off = (y.min(axis=1) - ptp_y > box.top) | (y.max(axis=1) + ptp_y < box.bottom)
        if isinstance(self.frame, DegreeFrame):
            off |= _fewest(box.left, x.max(axis=1) + ptp_x) > _most(
                box.right, x.min(axis=1) - ptp_x
            )
        else:
            off |= (x.min(axis=1) - ptp_x > box.right) | (x.max(axis=1) + ptp_x < box.left)
        size[off & ~odd] = np.nan
        return size, center

    def _curves(self, which: Ints, count: int, passes: int = PASSES) -> list[Lines]:
        """Of features whose curves have so many vertices, or more where these do not do."""
        parts, drawn = [], []
        rough = np.zeros(which.size, dtype=bool)
        for ring in self._rings(which, count):
            closing = ring.lon[:, :1] + 360.0 * ring.turn[:, None]
            lon = np.concatenate([ring.lon, closing], axis=1)
            lat = np.concatenate([ring.lat, ring.lat[:, :1]], axis=1)
            x, y = self.frame.to_axes(lon, lat)
            cut = self.frame.cuts(lon, lat, x, y, self.px_per_unit)
            if isinstance(self.frame, DegreeFrame):
                rough |= ring.longest_step > LONGEST_STEP
            else:
                length = np.hypot(np.diff(x), np.diff(y)) * self.px_per_unit
                longest = np.where(cut, 0.0, length).max(axis=1)
                rough |= longest > LONGEST_PX
                rough |= cut.any(axis=1) & (longest > CUT_PX)
            drawn.append((x, y, cut))
        if self.region.nvert is not None or passes == 0:
            rough[:] = False
        for x, y, cut in drawn:
            vertices = np.stack([x[~rough], y[~rough]], axis=-1)
            parts.append(self._cut_lines(vertices, cut[~rough], which[~rough]))
        again = which[rough]
        batch = max(1, MOST_VERTICES // (count * FINER))
        for i in range(0, again.size, batch):
            parts += self._curves(again[i : i + batch], count * FINER, passes - 1)
        return parts

    def _cut_lines(self, vertices: Floats, cut: Bools, owner: Ints) -> Lines:
        whole = ~cut.any(axis=1)
        own, own_owner = self._copies(vertices[whole], owner[whole])
        none = np.zeros((0, 2)), np.zeros(0, dtype=np.intp)
        broken, number = split_lines(vertices[~whole], cut[~whole])
        return Lines([*own, *broken], np.append(own_owner, owner[~whole][number]), *none)

    def _copies(self, vertices: Floats, owner: Ints) -> tuple[Floats, Ints]:
        """Lines (n, k, 2), on a map in degrees as often as turns of longitude bring them onto it."""
        return copies(vertices, owner, self.frame)


def copies(vertices: Floats, owner: Ints, frame: Frame) -> tuple[Floats, Ints]:
    """Lines (n, k, 2), on a map in degrees as often as turns of longitude bring them onto it."""
    if not isinstance(frame, DegreeFrame):
        known = np.isfinite(vertices).all(axis=(1, 2))
        return vertices[known], owner[known]
    x = vertices[..., 0]
    left, right = x.min(axis=1, initial=np.inf), x.max(axis=1, initial=-np.inf)
    # What only touches an edge of the map is off it, unless it is no wider.
    touch = np.where(right > left, ON_SEAM, 0.0)
    fewest = _fewest(frame.box.left, right - touch)
    most = _most(frame.box.right, left + touch)
    count = np.maximum(most - fewest + 1, 0).astype(np.intp)
    line = np.repeat(np.arange(owner.size), count)
    turn = ranges(fewest.astype(np.intp), count)
    moved = vertices[line]
    moved[..., 0] += 360.0 * turn[:, None]
    return moved, owner[line]


def _fewest(left: float, x: Floats) -> Floats:
    """Turns after which something whose right edge is at x reaches the left edge of the map."""
    return np.ceil((left - x) / 360.0)


def _most(right: float, x: Floats) -> Floats:
    """Turns after which something whose left edge is at x still reaches the right edge of the map."""
    return np.floor((right - x) / 360.0)


def split_lines(vertices: Floats, cut: Bools) -> tuple[list[Floats], Ints]:
    """What is left of lines without some of their steps.

    Parameters
    ----------
    vertices : (n, k, 2) ndarray
        The lines.
    cut : (n, k - 1) ndarray of bool
        Steps that are left out.

    Returns
    -------
    list of (m, 2) ndarray, and ndarray of int
        The pieces, and which line each is of.

    Examples
    --------
    >>> line = np.array([[[0.0, 0.0], [1.0, 0.0], [8.0, 0.0], [9.0, 0.0]]])
    >>> pieces, number = split_lines(line, np.array([[False, True, False]]))
    >>> [piece[:, 0].tolist() for piece in pieces]
    [[0.0, 1.0], [8.0, 9.0]]
    """
    n, k = vertices.shape[:2]
    if not n:
        return [], np.zeros(0, dtype=np.intp)
    last = np.concatenate([cut, np.ones((n, 1), dtype=bool)], axis=1).ravel()
    ends = np.flatnonzero(last) + 1
    starts = np.concatenate([[0], ends[:-1]])
    kept = ends - starts > 1
    flat = vertices.reshape(-1, 2)
    pieces = [flat[a:b] for a, b in zip(starts[kept].tolist(), ends[kept].tolist(), strict=True)]
    return pieces, starts[kept] // k


def _lines_of_polygons(region: Polygons, frame: Frame, px_per_unit: float) -> Lines:
    """Outlines of given polygons, without the edges along which they were cut at the seam."""
    import shapely

    parts, owner = shapely.get_parts(region.geometries, return_index=True)
    rings, of_part = shapely.get_rings(parts, return_index=True)
    owner = owner[of_part]
    at, ring = shapely.get_coordinates(rings, return_index=True)
    same = ring[1:] == ring[:-1]
    start, end, feature = at[:-1][same], at[1:][same], owner[ring[:-1][same]]
    kept = ~_made_by_seam(start, end, feature)
    # Straight on the ground of longitude and latitude, so with more vertices where the map is bent.
    span = np.abs(end - start).max(axis=1, initial=0.0)
    steps = np.ones(span.shape, dtype=np.intp)
    if not isinstance(frame, DegreeFrame):
        steps = np.maximum(np.ceil(span / 1.0), 1).astype(np.intp)
    # One line a ring: vertices of its edges in order, and a cut behind each edge that is left out.
    edge = np.repeat(np.arange(steps.size), steps)
    share = ranges(np.zeros(steps.size, dtype=np.intp), steps) / steps[edge]
    lonlat = start[edge] + (end - start)[edge] * share[:, None]
    return _edge_lines(lonlat, edge, start, end, kept, ring[:-1][same], feature, frame, px_per_unit)


def _edge_lines(
    lonlat: Floats,
    edge: Ints,
    start: Floats,
    end: Floats,
    kept: Bools,
    ring: Ints,
    feature: Ints,
    frame: Frame,
    px_per_unit: float,
) -> Lines:
    """Lines through the vertices of edges; see `_lines_of_polygons`."""
    last = np.append(edge[1:] != edge[:-1], True)
    following = np.where(last[:, None], end[edge], np.roll(lonlat, -1, axis=0))
    lon = np.stack([lonlat[:, 0], following[:, 0]], axis=1)
    lat = np.stack([lonlat[:, 1], following[:, 1]], axis=1)
    x, y = frame.to_axes(lon, lat)
    cut = frame.cuts(lon, lat, x, y, px_per_unit)[:, 0] | ~kept[edge]
    # Steps that follow each other on one ring make one line.
    joined = np.append(False, (ring[edge][1:] == ring[edge][:-1]) & ~cut[:-1]) & ~cut
    begin = np.flatnonzero(~joined & ~cut)
    stop = np.flatnonzero(~cut & ~np.append(joined[1:], False))
    points = np.stack([x, y], axis=-1)
    pieces, owners = [], []
    for a, b in zip(begin.tolist(), stop.tolist(), strict=True):
        line = np.concatenate([points[a : b + 1, 0], points[b : b + 1, 1]])[None]
        moved, own = copies(line, feature[edge[a : a + 1]], frame)
        pieces += list(moved)
        owners.append(own)
    none = np.zeros(0, dtype=np.intp)
    return Lines(pieces, np.concatenate([none, *owners]), np.zeros((0, 2)), none)


def _made_by_seam(start: Floats, end: Floats, feature: Ints) -> Bools:
    """Which edges are no boundary: along a pole, and on both sides of the seam."""
    at_pole = (np.abs(np.abs(start[:, 1]) - 90.0) < ON_SEAM) & (
        np.abs(np.abs(end[:, 1]) - 90.0) < ON_SEAM
    )
    on_seam = (np.abs(np.abs(start[:, 0]) - 180.0) < ON_SEAM) & (
        np.abs(start[:, 0] - end[:, 0]) < ON_SEAM
    )
    made = at_pole.copy()
    chosen = np.flatnonzero(on_seam & ~at_pole)
    key: Any = np.round(
        np.column_stack(
            [
                feature[chosen],
                np.minimum(start[chosen, 1], end[chosen, 1]),
                np.maximum(start[chosen, 1], end[chosen, 1]),
            ]
        ),
        9,
    )
    _, group = np.unique(key, axis=0, return_inverse=True)
    group = group.ravel()
    east = np.bincount(group, start[chosen, 0] > 0, minlength=group.max(initial=-1) + 1)
    west = np.bincount(group, start[chosen, 0] < 0, minlength=group.max(initial=-1) + 1)
    made[chosen] = ((east > 0) & (west > 0))[group]
    return made
