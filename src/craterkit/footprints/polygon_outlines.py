"""Outlines of given polygons: edges straight in longitude and latitude, cut until they are so on the map."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from craterkit.footprints.outlines import BATCH, NO_RINGS, to_plane
from craterkit.footprints.scan import Rings
from craterkit.footprints.spans import ranges
from craterkit.geodesy import band_area, phi_from_lat

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from craterkit.grids.base import Grid
    from craterkit.regions import Polygons

    Floats = NDArray[np.float64]
    Ints = NDArray[np.intp]
    Bools = NDArray[np.bool_]

__all__ = ["PolygonOutlines"]

#: How often straight edges are cut, and into how many pieces at most each time.
REFINEMENTS, MOST_PIECES = 4, 64

#: Pieces of a curve all stray to one side, so that what they cut off adds up.
SHARE_OF_TOLERANCE = 0.375


class PolygonOutlines:
    """Outlines of polygons that are given in longitude and latitude.

    Parameters
    ----------
    grid : Grid
        The grid.
    region : Polygons
        The n polygons.
    tolerance : float
        How far, in pixels, an edge may be from the straight line in longitude and latitude that it stands for.
    """

    def __init__(self, grid: Grid, region: Polygons, tolerance: float) -> None:
        self._grid = grid
        self._geometries = region.geometries
        self._tolerance = tolerance
        size = self._geometries.size
        self.torn, self.leaves = np.zeros((2, size), dtype=bool)
        self.west, self.east, self.top, self.bottom = np.full((4, size), np.nan)
        for start in range(0, size, BATCH):
            self._measure(np.arange(start, min(start + BATCH, size)))

    def __len__(self) -> int:
        return int(self._geometries.size)

    def _measure(self, rois: Ints) -> None:
        rings, straight = self._trace(rois)
        if not rings.count.size:
            return
        sound = straight & np.isfinite(rings.area) & (rings.area > 0)
        self.torn[rois[rings.roi[~sound]]] = True
        for values, name, merge in zip(
            rings.bounds(),
            ("west", "east", "top", "bottom"),
            (np.fmin, np.fmax, np.fmin, np.fmax),
            strict=True,
        ):
            own = getattr(self, name)
            merge.at(own, rois[rings.roi], values)
            own[self.torn] = np.nan

    def _trace(self, rois: Ints) -> tuple[Rings, Bools]:
        """Rings of ROIs, and which of them the map does not tear."""
        import shapely

        parts, part_roi = shapely.get_parts(self._geometries[rois], return_index=True)
        lines, part = shapely.get_rings(parts, return_index=True)
        if not lines.size:
            return NO_RINGS, np.zeros(0, dtype=bool)
        hole = np.concatenate([[False], part[1:] == part[:-1]])
        points, line = shapely.get_coordinates(lines, return_index=True)
        west, _, east, _ = shapely.bounds(parts).T
        lon0 = ((west + east) / 2)[part]
        # Rings repeat their first vertex at the end.
        begins = np.flatnonzero(line[1:] == line[:-1])
        ring, start, stop = line[begins], points[begins], points[begins + 1]
        straight = np.ones(lines.size, dtype=bool)
        for _ in range(REFINEMENTS):
            pieces, apart = self._pieces(lon0[ring], start, stop)
            straight[ring[apart]] = False
            if (pieces == 1).all():
                break
            ring, start, stop = _split(ring, start, stop, np.where(straight[ring], pieces, 1))
        else:
            pieces, _ = self._pieces(lon0[ring], start, stop)
            straight[ring[pieces > 2]] = False
        x, y = to_plane(self._grid, lon0[ring], start[:, 0], start[:, 1])
        if self._grid.period < np.inf:
            # Parts that the seam of longitude cuts are brought together again.
            middle = to_plane(self._grid, lon0, lon0, np.zeros(lon0.size))[0]
            first = middle[np.searchsorted(part_roi[part], part_roi[part])]
            x += (np.round((first - middle) / self._grid.period) * self._grid.period)[ring]
        # Shells run anticlockwise on the ground, holes clockwise.
        sign = np.where(hole, 1.0, -1.0) * self._grid.orientation
        count = np.bincount(ring, minlength=lines.size)
        return Rings(part_roi[part], hole, sign, count, x, y), straight

    def _pieces(self, lon0: Floats, start: Floats, stop: Floats) -> tuple[Ints, Bools]:
        """Into how many pieces edges must be cut, and which of them leave the map."""
        middle = (start + stop) / 2
        (x0, y0), (x1, y1), (xm, ym) = (
            to_plane(self._grid, lon0, point[:, 0], point[:, 1]) for point in (start, stop, middle)
        )
        stray = np.hypot(xm - (x0 + x1) / 2, ym - (y0 + y1) / 2)
        apart = ~np.isfinite(stray)
        tolerance = SHARE_OF_TOLERANCE * self._tolerance
        wanted = np.ceil(np.sqrt(np.where(apart, 0.0, stray) / tolerance))
        return np.clip(wanted, 1, MOST_PIECES).astype(np.intp), apart

    def rings(self, rois: Ints) -> Rings:
        """Rings of ROIs that have them; their `roi` are positions in `rois`."""
        return self._trace(rois)[0]

    def ground_areas(self, rois: Ints) -> Floats:
        """True areas of ROIs in m²."""
        import shapely

        body = self._grid.body

        def flatten(points: Floats) -> Floats:
            """To a plane of true areas."""
            phi = phi_from_lat(body, points[:, 1])
            zero = np.zeros(phi.size)
            return np.stack([np.radians(points[:, 0]), band_area(body, zero, phi)], axis=1)

        dense = shapely.segmentize(self._geometries[rois], 1.0)
        return np.asarray(shapely.area(shapely.transform(dense, flatten)))

    def gap(self, roi: int) -> tuple[float, float] | None:
        """Columns between which a torn ROI surely has no pixels: not known of polygons."""
        return None

    def holes(self, rois: Ints) -> Rings:
        """The holes of torn ROIs, as far as these have rings: none."""
        return NO_RINGS

    def holds(self, roi: int, lon: Floats, lat: Floats, *, filled: bool = False) -> Bools:
        """Whether an ROI holds places (planetocentric degrees); NaN are in none."""
        import shapely

        shape = self._geometries[roi]
        shapely.prepare(shape)
        wrapped = np.mod(lon + 180.0, 360.0) - 180.0
        return np.asarray(shapely.intersects_xy(shape, wrapped, lat))

    def vertices(self, roi: int, count: int) -> tuple[Floats, Floats]:
        """Pixel coordinates of about `count` points of an ROI's boundary; NaN off the map."""
        import shapely

        boundary = shapely.boundary(self._geometries[roi])
        dense = shapely.segmentize(boundary, max(shapely.length(boundary) / count, 1e-9))
        lon, lat = shapely.get_coordinates(dense).T
        return self._grid.to_pixels(lon, lat)


def _split(ring: Ints, start: Floats, stop: Floats, pieces: Ints) -> tuple[Ints, Floats, Floats]:
    """Edges cut into equal pieces."""
    edge = np.repeat(np.arange(pieces.size), pieces)
    nth = ranges(np.zeros(pieces.size, dtype=np.intp), pieces)[:, None]
    step = (stop - start)[edge] / pieces[edge][:, None]
    begin = start[edge] + step * nth
    last = (nth[:, 0] == pieces[edge] - 1)[:, None]
    return ring[edge], begin, np.where(last, stop[edge], begin + step)
