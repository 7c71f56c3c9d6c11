"""Outlines of regions that distance and azimuth define: curves, with as many vertices as they need."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from craterkit.footprints.outlines import BATCH, NO_RINGS, to_plane
from craterkit.footprints.scan import Rings
from craterkit.geodesy import destination, inverse, phi_from_lat, radii_of_curvature

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

#: Metres by which rounding may misplace a point.
ROUNDING_M = 1e-6

#: Rings inside an outline, and vertices on each, by which the place of an ROI is found that has no outline.
FAN_RINGS, FAN_VERTICES = 8, 64

#: Part of the raster's width that a torn ROI must leave free between two parts of it.
WIDE_GAP = 0.3


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
        #: What is bounded by curves, if the region is a polygon that stands for it.
        self._curve = replace(region, nvert=None) if region.nvert else region  # type: ignore[type-var]
        size = len(features)
        self._empty = ~(region.reach(features.radius) > 0)
        self._count = np.full(size, FEWEST)
        self._smooth = np.zeros(size, dtype=bool)
        self._gaps: dict[int, tuple[float, float]] = {}
        self.torn, self.leaves = np.zeros((2, size), dtype=bool)
        self.west, self.east, self.top, self.bottom = np.full((4, size), np.nan)
        for start in range(0, size, BATCH):
            self._measure(np.arange(start, min(start + BATCH, size)), tolerance)

    def __len__(self) -> int:
        return len(self._features)

    def _measure(self, rois: Ints, tolerance: float) -> None:
        """Find how many vertices ROIs need, whether they are torn, and where they lie."""
        count, going, before = FEWEST, rois, np.full(rois.size, np.inf)
        while going.size:
            x, y = self._shell(going, count)
            stray = _stray(x, y)
            finite = np.asarray(np.isfinite(x + y).all(axis=1))
            if count == FEWEST:
                done = finite & (_roughness(x, y) <= SMOOTH * tolerance)
                hopeless = ~finite
            else:
                with np.errstate(invalid="ignore"):
                    done = stray <= tolerance
                    # Chords of a curve a quarter as long stray a sixteenth as far; a jump remains.
                    hopeless = ~finite | (stray > before / 2.0)
            settled, at = going[done], np.flatnonzero(done)
            self._smooth[settled] = count == FEWEST and self._region.nvert is None
            # Half as many vertices stray by `stray`; a curve's chords stray with the square of their length.
            ratio = np.sqrt(np.maximum(stray[at] / (1.5 * tolerance), 1e-9)) * (count // 2)
            wanted = 2.0 ** np.ceil(np.log2(ratio))
            self._count[settled] = np.clip(wanted, FEWEST // 2, MOST).astype(np.intp)
            margin = 1.5 * stray[at] + 0.1
            self.west[settled], self.east[settled] = (
                x[at].min(axis=1) - margin,
                x[at].max(axis=1) + margin,
            )
            self.top[settled], self.bottom[settled] = (
                y[at].min(axis=1) - margin,
                y[at].max(axis=1) + margin,
            )
            self.torn[settled] = ~(_area(x[at], y[at]) * self._grid.orientation > 0)
            self.torn[going[hopeless & ~done]] = True
            kept = ~done & ~hopeless
            going, before = going[kept], stray[kept]
            count *= 4
            if count > MOST:
                self.torn[going] = True
                break
        self.torn[rois] &= ~self._empty[rois]
        torn = rois[self.torn[rois]]
        if torn.size:
            off = torn[self._is_off_the_map(torn)]
            self.torn[off], self._empty[off] = False, True
        for roi in rois[self.torn[rois]]:
            self._place(int(roi))

    def _is_off_the_map(self, rois: Ints) -> Bools:
        """Whether no part of ROIs is on the map, nor of what lies around them."""
        outline = self._outlines(self._curve, rois, FEWEST)[0]
        on = np.zeros(rois.size, dtype=bool)
        for share in (0.0, 0.5, 1.0, 1.3):
            x, y = self._project(rois, outline.azimuth, outline.distance * share)
            on |= np.isfinite(x + y).any(axis=1)
        return np.asarray(~on)

    def _place(self, roi: int) -> None:
        """Find where a torn ROI lies, by points all over it."""
        which = np.array([roi])
        outline = self._outlines(self._curve, which, FAN_VERTICES)[0]
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

    def _shell(self, rois: Ints, count: int) -> tuple[Floats, Floats]:
        outline = self._outlines(self._curve, rois, count)[0]
        return self._project(rois, outline.azimuth, outline.distance)

    def _outlines(self, region: RoundRegion, rois: Ints, count: int) -> list[Outline]:
        return region.take(rois).outlines(self._features.radius[rois], count)

    def _project(self, rois: Ints, azimuth: Floats, distance: Floats) -> tuple[Floats, Floats]:
        features = self._features
        lon0, lat0 = features.lon[rois][:, None], features.lat[rois][:, None]
        lon, lat = destination(self._grid.body, lon0, lat0, azimuth, distance)
        return to_plane(self._grid, lon0, lon, lat)

    def rings(self, rois: Ints) -> Rings:
        """Rings of ROIs that have them; their `roi` are positions in `rois`."""
        present, smooth = ~self._empty[rois], self._smooth[rois]
        parts = self._smooth_rings(rois, np.flatnonzero(present & smooth))
        for count in np.unique(self._count[rois[present & ~smooth]]):
            at = np.flatnonzero((self._count[rois] == count) & present & ~smooth)
            # Twice as many as on a smooth outline, whose vertices make up for what chords cut off.
            for outline in self._outlines(self._region, rois[at], 2 * int(count)):
                x, y = self._project(rois[at], outline.azimuth, outline.distance)
                parts.append(self._as_rings(at, outline.hole, x, y))
        return Rings.concatenate(parts) if parts else NO_RINGS

    def _smooth_rings(self, rois: Ints, at: Ints) -> list[Rings]:
        """Rings of smooth outlines: few vertices are carried to the plane, the others interpolated."""
        if not at.size:
            return []
        count = self._count[rois[at]]
        parts = []
        for outline in self._outlines(self._region, rois[at], FEWEST):
            x, y = self._project(rois[at], outline.azimuth, outline.distance)
            for wanted in np.unique(count):
                own = np.flatnonzero(count == wanted)
                fine = (_swollen(_interpolate(values[own], int(wanted))) for values in (x, y))
                parts.append(self._as_rings(at[own], outline.hole, *fine))
        return parts

    def _as_rings(self, roi: Ints, hole: bool, x: Floats, y: Floats) -> Rings:
        return Rings(
            roi,
            np.full(roi.size, hole),
            np.full(roi.size, self._grid.orientation),
            np.full(roi.size, x.shape[1]),
            x.ravel(),
            y.ravel(),
        )

    def ground_areas(self, rois: Ints) -> Floats:
        """True areas of ROIs in m², on the sphere that fits the ellipsoid best at their centres."""
        phi = phi_from_lat(self._grid.body, self._features.lat[rois])
        fit = np.sqrt(np.prod(radii_of_curvature(self._grid.body, phi), axis=0))[:, None]
        areas = np.zeros(rois.size)
        for outline in self._outlines(self._region, rois, 4 * FAN_VERTICES):
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

    def holds(self, roi: int, lon: Floats, lat: Floats) -> Bools:
        """Whether an ROI holds places (planetocentric degrees); NaN are in none."""
        features = self._features
        distance, azimuth = inverse(
            self._grid.body, features.lon[roi], features.lat[roi], lon.ravel(), lat.ravel()
        )
        if self._region.nvert:
            held = self._holds_in_plane(roi, distance, azimuth)
        else:
            region = self._region.take(np.full(lon.size, roi))
            radius = np.full(lon.size, features.radius[roi])
            # What rounding puts beyond the boundary lies on it.
            held = region.contains(radius, np.maximum(distance - ROUNDING_M, 0.0), azimuth)
        return np.asarray(held & np.isfinite(distance)).reshape(lon.shape)

    def _holds_in_plane(self, roi: int, distance: Floats, azimuth: Floats) -> Bools:
        """Whether a polygon holds points, with sides straight in the plane of distance and azimuth."""
        import shapely

        held = np.ones(distance.shape, dtype=bool)
        x, y = _from_polar(distance, azimuth)
        for outline in self._outlines(self._region, np.array([roi]), FEWEST):
            shape = shapely.Polygon(
                np.stack(_from_polar(outline.distance, outline.azimuth), axis=-1)[0]
            )
            shapely.prepare(shape)
            held &= shapely.intersects_xy(shape, x, y) != outline.hole
        return held

    def vertices(self, roi: int, count: int) -> tuple[Floats, Floats]:
        """Pixel coordinates of about `count` points of an ROI's boundary; NaN off the map."""
        which = np.array([roi])
        points = [
            self._project(which, outline.azimuth, outline.distance)
            for outline in self._outlines(self._region, which, count)
        ]
        return (
            np.concatenate([x.ravel() for x, _ in points]),
            np.concatenate([y.ravel() for _, y in points]),
        )


def _stray(x: Floats, y: Floats) -> Floats:
    """How far odd vertices are from the middle between their even neighbours, at most."""
    return np.hypot(
        x[:, 1::2] - (x[:, ::2] + np.roll(x[:, ::2], -1, axis=1)) / 2,
        y[:, 1::2] - (y[:, ::2] + np.roll(y[:, ::2], -1, axis=1)) / 2,
    ).max(axis=1)


def _roughness(x: Floats, y: Floats) -> Floats:
    """Size of the finest detail of rings, pixels: their Fourier terms of a quarter of the vertices and more.

    It is next to nothing for the image of a circle, unless the map tears or distorts it.
    """
    count = x.shape[1]
    with np.errstate(invalid="ignore"):
        terms = np.fft.fft(x + 1j * y, axis=1)
    return np.abs(terms[:, count // 4 : count - count // 4 + 1]).max(axis=1) / count


def _from_polar(distance: Floats, azimuth: Floats) -> tuple[Floats, Floats]:
    angle = np.radians(azimuth)
    return distance * np.sin(angle), distance * np.cos(angle)


def _swollen(values: Floats) -> Floats:
    """Coordinates of vertices moved outwards, so that the polygon has the area of its curve.

    Sides θ apart on a circle cover sin(θ)/θ of it. A vertex is 2 (1 − cos θ) radii off the mean of its
    neighbours, which tells the way and the measure.
    """
    turn = 2.0 * np.pi / values.shape[1]
    share = (np.sqrt(turn / np.sin(turn)) - 1.0) / (2.0 * (1.0 - np.cos(turn)))
    bend = 2.0 * values - np.roll(values, 1, axis=1) - np.roll(values, -1, axis=1)
    return values + share * bend


def _interpolate(values: Floats, count: int) -> Floats:
    """Coordinates of `count` vertices on rings through fewer, by trigonometric interpolation."""
    given = values.shape[1]
    if count <= given:
        return values[:, :: given // count]
    return values @ _trigonometric(given, count)


@lru_cache(maxsize=32)
def _trigonometric(given: int, count: int) -> Floats:
    """Weights of `given` values, evenly spaced on a turn, at `count` places; an even number of values.

    With N values and θ the angle between a value and a place: sin(Nθ/2) cot(θ/2) / N.
    """
    theta = 2.0 * np.pi * (np.arange(count)[None, :] / count - np.arange(given)[:, None] / given)
    half = np.mod(theta / 2.0, np.pi)
    meets = np.minimum(half, np.pi - half) < 1e-12
    half = np.where(meets, 1.0, half)
    return np.where(meets, 1.0, np.sin(given * theta / 2.0) / np.tan(half) / given)


def _area(x: Floats, y: Floats) -> Floats:
    """Area of rings, above 0 if they run clockwise as seen on a screen (y down)."""
    x, y = x - x[:, :1], y - y[:, :1]
    return np.asarray((x * np.roll(y, -1, axis=1) - np.roll(x, -1, axis=1) * y).sum(axis=1) / 2)
