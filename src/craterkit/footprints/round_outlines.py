"""Outlines of regions that distance and azimuth define: curves, with as many vertices as they need.

Every circle is one outline, whatever region it bounds: as the edge of a circle, of an annulus on either side
of it, or of a sector it has the same vertices, so that neighbours share and lose no pixel.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from craterkit.footprints.curve_vertices import (
    interpolated,
    roughness,
    signed_area,
    stray,
    swollen,
    wanted,
)
from craterkit.footprints.outlines import BATCH, NO_RINGS, to_plane
from craterkit.footprints.scan import Rings
from craterkit.footprints.sector_rings import Path, sector_rings, side
from craterkit.geodesy import (
    as_far_as_shortest,
    destination,
    inverse,
    phi_from_lat,
    radii_of_curvature,
)
from craterkit.regions import Annulus, Sector

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from craterkit.grids.base import Grid
    from craterkit.regions import Outline, RoundRegion
    from craterkit.tables.features import Features

    Floats = NDArray[np.float64]
    Ints = NDArray[np.intp]
    Bools = NDArray[np.bool_]

__all__ = ["RoundOutlines"]

#: Vertices of a whole turn: to begin with, and at most.
FEWEST, MOST = 16, 4096

#: An outline whose finest detail is above this share of the tolerance calls for a second look.
SMOOTH = 0.2

#: Metres by which rounding may misplace a point, and share of a distance by which it may.
ROUNDING_M, ROUNDING = 1e-6, 1e-9

#: Rings inside an outline, and vertices on each, by which the place of an ROI is found that has no outline.
FAN_RINGS, FAN_VERTICES = 8, 64

#: Part of the raster's width that a torn ROI must leave free between two parts of it.
WIDE_GAP = 0.3


class _Settled(NamedTuple):
    """What is known of one curve of some ROIs.

    `pieces` is half the vertices that it needs, 0 if it is smooth; `torn` says that no ring of the plane
    represents it; west, east, top and bottom are where it lies.
    """

    pieces: Ints
    torn: Bools
    bounds: Floats


class RoundOutlines:
    """Outlines of a round region around features.

    Parameters
    ----------
    grid : Grid
        The grid.
    features : Features
        The n features.
    region : RoundRegion
        The region.
    tolerance : float
        How far, in pixels, an edge may be from the curve that it stands for.
    """

    def __init__(
        self, grid: Grid, features: Features, region: RoundRegion, tolerance: float
    ) -> None:
        self._grid = grid
        self._features = features
        self._region = region
        self._tolerance = tolerance
        #: What is bounded by curves, if the region is a polygon that stands for it.
        self._own = replace(region, nvert=None) if region.nvert else region  # type: ignore[type-var]
        #: What has the closed curves that bound it, and what has those that are drawn.
        self._curve = self._drawn = self._own
        if isinstance(region, Sector):
            self._curve = self._drawn = Annulus(region.inner, region.outer)
        elif region.nvert:
            self._drawn = region
        self._has_hole = len(self._curve.outlines(np.ones(1), FEWEST)) > 1
        size = len(features)
        self._empty = ~(region.reach(features.radius) > 0)
        #: Half the vertices of the outer and the inner curve; 0 where it is smooth or not known yet.
        self._count = np.zeros((2, size), dtype=np.intp)
        self._plain_hole = np.zeros(size, dtype=bool)
        self._gaps: dict[int, tuple[float, float]] = {}
        self.torn, self.leaves = np.zeros((2, size), dtype=bool)
        self.west, self.east, self.top, self.bottom = self._bounds = np.full((4, size), np.nan)
        for start in range(0, size, BATCH):
            self._measure(np.arange(start, min(start + BATCH, size)))

    def __len__(self) -> int:
        return len(self._features)

    def _measure(self, rois: Ints) -> None:
        """Find how many vertices ROIs need, whether they are torn, and where they lie."""
        shell = self._settle(0, rois)
        self._count[0, rois], self._bounds[:, rois] = shell.pieces, shell.bounds
        self.torn[rois] = shell.torn
        if self._has_hole:
            odd = rois[shell.torn | (shell.pieces > 0)]
            hole = self._settle(1, odd)
            self._count[1, odd] = hole.pieces
            self._plain_hole[odd] = ~hole.torn
            self.torn[odd] |= hole.torn
            if self._region.nvert is None:
                self._empty[rois] |= self._is_behind(1, rois)
        self.torn[rois] &= ~self._empty[rois]
        torn = rois[self.torn[rois]]
        if torn.size:
            off = torn[self._is_off_the_map(torn)]
            self.torn[off], self._empty[off] = False, True
        for roi in rois[self.torn[rois]]:
            self._place(int(roi))
        if isinstance(self._region, Sector):
            own = rois[~self.torn[rois] & ~self._empty[rois]]
            rings = self.rings(own)
            if rings.count.size:
                self._bounds[:, own[rings.roi]] = rings.bounds()

    def _settle(self, edge: int, rois: Ints) -> _Settled:
        """Measure one curve of ROIs."""
        count, going, before = FEWEST, np.arange(rois.size), np.full(rois.size, np.inf)
        found = _Settled(
            np.zeros(rois.size, dtype=np.intp),
            self._folds(edge, rois),
            np.full((4, rois.size), np.nan),
        )
        while going.size:
            x, y = self._project_edge(self._curve, edge, rois[going], count)
            apart = stray(x, y)
            finite = np.asarray(np.isfinite(x + y).all(axis=1))
            if count == FEWEST:
                done = finite & (roughness(x, y) <= SMOOTH * self._tolerance)
                hopeless = ~finite
                smooth = done & (self._region.nvert is None)
            else:
                with np.errstate(invalid="ignore"):
                    done = apart <= self._tolerance
                    # Chords of a curve a quarter as long stray a sixteenth as far; a jump remains.
                    hopeless = ~finite | (apart > before / 2.0)
                smooth = np.zeros(going.size, dtype=bool)
            settled, at = going[done], np.flatnonzero(done)
            own = np.clip(wanted(apart[at], count // 2, self._tolerance), FEWEST // 2, MOST)
            found.pieces[settled] = np.where(smooth[at], 0, own)
            margin = 1.5 * apart[at] + 0.1
            found.bounds[:, settled] = [
                x[at].min(axis=1) - margin,
                x[at].max(axis=1) + margin,
                y[at].min(axis=1) - margin,
                y[at].max(axis=1) + margin,
            ]
            found.torn[settled] |= ~(signed_area(x[at], y[at]) * self._grid.orientation > 0)
            found.torn[going[hopeless & ~done]] = True
            kept = ~done & ~hopeless
            going, before = going[kept], apart[kept]
            count *= 4
            if count > MOST:
                found.torn[going] = True
                break
        return found

    def _folds(self, edge: int, rois: Ints) -> Bools:
        """Whether one curve of ROIs reaches so far that geodesics may not be the shortest way."""
        farthest = self._curve.take(rois).outlines(self._features.radius[rois], FEWEST)[edge]
        nearest_cut = np.pi * self._grid.body.b
        return np.asarray(farthest.distance.max(axis=1) >= nearest_cut * (1.0 - ROUNDING))

    def _is_off_the_map(self, rois: Ints) -> Bools:
        """Whether no part of ROIs is on the map, nor of what lies around them."""
        outline = self._outlines(self._own, rois, FEWEST)[0]
        on = np.zeros(rois.size, dtype=bool)
        for share in (0.0, 0.5, 1.0, 1.3):
            x, y = self._project(rois, outline.azimuth, outline.distance * share)
            on |= np.isfinite(x + y).any(axis=1)
        return np.asarray(~on)

    def _place(self, roi: int) -> None:
        """Find where a torn ROI lies, by points all over it."""
        which = np.array([roi])
        outline = self._outlines(self._own, which, FAN_VERTICES)[0]
        shares = (np.arange(FAN_RINGS + 1) / FAN_RINGS)[:, None]
        x, y = self._project(which, outline.azimuth, outline.distance * shares)
        known = np.isfinite(x + y)
        height, width = self._grid.shape
        with np.errstate(invalid="ignore"):
            within = known & (y >= 0) & (y <= height)
            within &= (x >= 0) & (x <= width) | (self._grid.period < np.inf)
        self.leaves[roi] = not within.all()
        if not within.any() and self._passes_by(roi):
            self.torn[roi], self._empty[roi] = False, True
            return
        if np.count_nonzero(known) < FAN_VERTICES // 16:
            self.west[roi] = self.east[roi] = self.top[roi] = self.bottom[roi] = np.nan
            return
        x, y = x[known], y[known]
        self._find_gap(roi, np.sort(x))
        share = 0.25 if known.all() else 1.0
        margin = share * np.ptp(y) + 2.0
        self.top[roi], self.bottom[roi] = y.min() - margin, y.max() + margin
        if self._grid.period < np.inf:
            # It may hold a pole, and so reach all columns.
            self.west[roi] = self.east[roi] = np.nan
        else:
            margin = share * np.ptp(x) + 2.0
            self.west[roi], self.east[roi] = x.min() - margin, x.max() + margin

    def _find_gap(self, roi: int, x: Floats) -> None:
        steps = np.diff(x)
        at = int(np.argmax(steps))
        if self._grid.period < np.inf or steps[at] < WIDE_GAP * self._grid.shape[1]:
            return
        margin = max(x[at] - x[0], x[-1] - x[at + 1]) / 2.0 + 16.0
        if steps[at] > 2.0 * margin:
            self._gaps[roi] = float(x[at] + margin), float(x[at + 1] - margin)

    def gap(self, roi: int) -> tuple[float, float] | None:
        """Columns between which a torn ROI surely has no pixels, if the seam puts it on both sides."""
        return self._gaps.get(roi)

    def _passes_by(self, roi: int) -> bool:
        """Whether the outline of a torn ROI comes nowhere near the raster, and does not surround it."""
        x, y = self.vertices(roi, MOST)
        step = np.hypot(np.diff(x), np.diff(y))
        height, width = self._grid.shape
        off = np.hypot(
            np.maximum(np.maximum(-x, x - width), 0.0), np.maximum(np.maximum(-y, y - height), 0.0)
        )[:-1]
        # A step off the map may lead anywhere.
        near = ~(off > 2.0 * step) & np.isfinite(x[:-1])
        lon, lat = self._grid.to_body(
            *np.meshgrid(np.linspace(0.0, width, 9), np.linspace(0.0, height, 9))
        )
        return not near.any() and not self.holds(roi, lon, lat).any()

    def _is_behind(self, edge: int, rois: Ints) -> Bools:
        """Whether no ground lies beyond one curve of ROIs, since it is past the antipode all around."""
        body, curve = self._grid.body, self._curve.take(rois)
        outline = curve.outlines(self._features.radius[rois], FEWEST)[edge]
        lat = self._features.lat[rois][:, None]
        _, ended = as_far_as_shortest(body, lat, outline.azimuth, outline.distance)
        return np.asarray(ended.all(axis=1))

    def _outlines(self, region: RoundRegion, rois: Ints, count: int) -> list[Outline]:
        """Outlines of ROIs, as far as geodesics are the shortest way."""
        lat, body = self._features.lat[rois][:, None], self._grid.body
        return [
            replace(each, distance=as_far_as_shortest(body, lat, each.azimuth, each.distance)[0])
            for each in region.take(rois).outlines(self._features.radius[rois], count)
        ]

    def _project_edge(
        self, region: RoundRegion, edge: int, rois: Ints, count: int
    ) -> tuple[Floats, Floats]:
        """Pixel coordinates of the vertices of one curve of ROIs."""
        outline = self._outlines(region, rois, count)[edge]
        return self._project(rois, outline.azimuth, outline.distance)

    def _project(self, rois: Ints, azimuth: Floats, distance: Floats) -> tuple[Floats, Floats]:
        features = self._features
        lon0, lat0 = features.lon[rois][:, None], features.lat[rois][:, None]
        lon, lat = destination(self._grid.body, lon0, lat0, azimuth, distance)
        return to_plane(self._grid, lon0, lon, lat)

    def rings(self, rois: Ints) -> Rings:
        """Rings of ROIs that have them; their `roi` are positions in `rois`."""
        present = np.flatnonzero(~self._empty[rois] & ~self.torn[rois])
        if isinstance(self._region, Sector):
            return self._sector_rings(self._region, rois, present)
        parts = self._edge_rings(0, rois, present)
        if self._has_hole:
            parts += self._edge_rings(1, rois, present)
        return Rings.concatenate(parts) if parts else NO_RINGS

    def holes(self, rois: Ints) -> Rings:
        """The holes of torn ROIs that the map does not tear, as rings of ground that they leave out."""
        parts = self._edge_rings(1, rois, np.flatnonzero(self.torn[rois] & self._plain_hole[rois]))
        return Rings.concatenate(parts) if parts else NO_RINGS

    def _edge_rings(self, edge: int, rois: Ints, at: Ints) -> list[Rings]:
        """Rings of one curve of the ROIs at some positions."""
        parts = self._smooth_rings(edge, rois, at[self._count[edge, rois[at]] == 0])
        for count in np.unique(self._count[edge, rois[at]]):
            own = at[self._count[edge, rois[at]] == count]
            if count > 0:
                # Twice as many as on a smooth outline, whose vertices make up for what chords cut off.
                x, y = self._project_edge(self._drawn, edge, rois[own], 2 * int(count))
                parts.append(self._as_rings(own, edge > 0, x, y))
        return parts

    def _smooth_rings(self, edge: int, rois: Ints, at: Ints) -> list[Rings]:
        """Rings of smooth curves: few vertices are carried to the plane, the others interpolated.

        Others are measured, unless that has been done.
        """
        if not at.size:
            return []
        if self._region.nvert is None:
            x, y = self._project_edge(self._curve, edge, rois[at], FEWEST)
            rough = ~(roughness(x, y) <= SMOOTH * self._tolerance)
        else:
            rough = np.ones(at.size, dtype=bool)
        if rough.any():
            self._count[edge, rois[at[rough]]] = self._settle(edge, rois[at[rough]]).pieces
        parts, smooth = [], np.flatnonzero(~rough)
        if smooth.size:
            at, x, y = at[smooth], x[smooth], y[smooth]
            count = np.clip(wanted(stray(x, y), FEWEST // 2, self._tolerance), FEWEST // 2, MOST)
            for number in np.unique(count):
                own = np.flatnonzero(count == number)
                fine = (swollen(interpolated(values[own], int(number))) for values in (x, y))
                parts.append(self._as_rings(at[own], edge > 0, *fine))
        return parts

    def _sector_rings(self, region: Sector, rois: Ints, at: Ints) -> Rings:
        """Rings of sectors: between the vertices of their circles, and along two directions."""
        if not at.size:
            return NO_RINGS
        outer, *inner = (
            rings.take(np.argsort(rings.roi))
            for rings in (
                Rings.concatenate(self._edge_rings(edge, rois, at))
                for edge in range(1 + self._has_hole)
            )
        )
        own = rois[at]
        directions = region.take(own).directions(own.size)
        radius = self._features.radius[own]

        def drawn(direction: Floats) -> Path:
            def project(which: Ints, distance: Floats) -> tuple[Floats, Floats]:
                return self._project(own[which], direction[which, None], distance)

            return side(project, region.inner * radius, region.outer * radius, self._tolerance)

        x, y = self._project(own, np.zeros((1, 1)), np.zeros((1, 1)))
        centre = Path(np.ones(own.size, dtype=np.intp), x.ravel(), y.ravel())
        sides = drawn(directions[0]), drawn(directions[1])
        return sector_rings(
            outer, inner[0] if inner else centre, directions, sides, self._grid.orientation
        )

    def _as_rings(self, roi: Ints, hole: bool, x: Floats, y: Floats) -> Rings:
        sign = np.full(roi.size, self._grid.orientation)
        if self._region.nvert:
            # The corners of few may run the other way, where a map bends the curve.
            sign = np.where(signed_area(x, y) < 0, -1.0, 1.0)
        return Rings(
            roi,
            np.full(roi.size, hole),
            sign,
            np.full(roi.size, x.shape[1]),
            x.ravel(),
            y.ravel(),
        )

    def ground_areas(self, rois: Ints) -> Floats:
        """True areas of ROIs in m², on the sphere that fits the ellipsoid best at their centres."""
        phi = phi_from_lat(self._grid.body, self._features.lat[rois])
        fit = np.sqrt(np.prod(radii_of_curvature(self._grid.body, phi), axis=0))[:, None]
        areas = np.zeros(rois.size)
        for outline in self._region.take(rois).outlines(
            self._features.radius[rois], 4 * FAN_VERTICES
        ):
            # Between two directions a sphere has R² (1 − cos d/R) up to the distance d.
            per_turn = np.broadcast_to(
                2.0 * np.sin(np.minimum(outline.distance / fit, np.pi) / 2.0) ** 2,
                (rois.size, outline.azimuth.shape[1]),
            )
            turns = np.mod(np.diff(outline.azimuth, append=outline.azimuth[:, :1]) + 180.0, 360.0)
            steps = np.radians(turns - 180.0)
            sums = ((per_turn + np.roll(per_turn, -1, axis=1)) / 2.0 * steps).sum(axis=1)
            areas += np.where(outline.hole, -1.0, 1.0) * sums * fit[:, 0] ** 2
        return areas

    def holds(self, roi: int, lon: Floats, lat: Floats, *, filled: bool = False) -> Bools:
        """Whether an ROI holds places (planetocentric degrees); NaN are in none.

        If `filled`, those in its hole belong.
        """
        features = self._features
        distance, azimuth = inverse(
            self._grid.body, features.lon[roi], features.lat[roi], lon.ravel(), lat.ravel()
        )
        if self._region.nvert:
            held = self._holds_in_plane(roi, distance, azimuth, filled=filled)
        else:
            region = self._region.take(np.full(lon.size, roi))
            if filled and isinstance(region, Annulus | Sector):
                region = replace(region, inner=0.0)
            radius = np.full(lon.size, features.radius[roi])
            # What rounding puts beyond the boundary lies on it.
            held = region.contains(radius, np.maximum(distance - ROUNDING_M, 0.0), azimuth)
        return np.asarray(held & np.isfinite(distance)).reshape(lon.shape)

    def _holds_in_plane(
        self, roi: int, distance: Floats, azimuth: Floats, *, filled: bool
    ) -> Bools:
        """Whether a polygon holds points, with sides straight in the plane of distance and azimuth."""
        import shapely

        held = np.ones(distance.shape, dtype=bool)
        x, y = _from_polar(distance, azimuth)
        which = np.array([roi])
        region, radius = self._region.take(which), self._features.radius[which]
        for outline in region.outlines(radius, FEWEST)[: 1 if filled else None]:
            # Corners behind the body: it is all there is.
            if self._is_behind(int(outline.hole), which)[0]:
                held &= not outline.hole
                continue
            shape = shapely.Polygon(
                np.stack(_from_polar(outline.distance, outline.azimuth), axis=-1)[0]
            )
            shapely.prepare(shape)
            held &= shapely.intersects_xy(shape, x, y) != outline.hole
        return held

    def vertices(self, roi: int, count: int) -> tuple[Floats, Floats]:
        """Pixel coordinates of about `count` points of an ROI's boundary; NaN off the map."""
        which = np.array([roi])
        radius = self._features.radius[which]
        points = []
        for outline, whole in zip(
            self._outlines(self._region, which, count),
            self._region.take(which).outlines(radius, count),
            strict=True,
        ):
            x, y = self._project(which, outline.azimuth, outline.distance)
            # Where geodesics end, there is no edge; what comes from elsewhere may belong all the same.
            ended = (outline.distance < whole.distance) & ~self._region.take(which).contains(
                radius, outline.distance, outline.azimuth
            )
            points.append(np.where(ended, np.nan, (x, y)))
        x, y = (np.concatenate([point[axis].ravel() for point in points]) for axis in (0, 1))
        return x, y


def _from_polar(distance: Floats, azimuth: Floats) -> tuple[Floats, Floats]:
    angle = np.radians(azimuth)
    return distance * np.sin(angle), distance * np.cos(angle)
