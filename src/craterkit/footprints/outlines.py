"""Outlines of ROIs on a grid: rings of vertices in pixel coordinates, as many as a tolerance asks for.

An ROI that reaches the edge of a map, its seam or a point that the projection tears apart has an outline
that no ring of the plane represents: it is told from the others here, and served pixel by pixel by
`craterkit.footprints.sampled`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import numpy as np

from craterkit.footprints.scan import Rings
from craterkit.grids.cylindrical import CylindricalGrid

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from craterkit.grids.base import Grid

    Floats = NDArray[np.float64]
    Ints = NDArray[np.intp]
    Bools = NDArray[np.bool_]

__all__ = ["BATCH", "FARTHEST", "NO_RINGS", "Outlines", "to_plane"]

#: ROIs whose outlines are measured at a time.
BATCH = 1 << 15

#: Pixels off the raster: nothing is farther.
FARTHEST = 2.0**40


class Outlines(Protocol):
    """Outlines of n ROIs on a grid.

    Attributes
    ----------
    torn : (n,) ndarray of bool
        ROIs that have no rings.
    leaves : (n,) ndarray of bool
        Those of them of which a part is known to be off the raster or off the map.
    west, east, top, bottom : (n,) ndarray
        Continuous columns and rows that each ROI may touch; NaN if that is unknown.
    """

    torn: Bools
    leaves: Bools
    west: Floats
    east: Floats
    top: Floats
    bottom: Floats

    def __len__(self) -> int: ...

    def rings(self, rois: Ints) -> Rings:
        """Rings of ROIs that have them; their `roi` are positions in `rois`."""

    def ground_areas(self, rois: Ints) -> Floats:
        """True areas of ROIs in m², near enough to tell which share of one is on a raster."""

    def gap(self, roi: int) -> tuple[float, float] | None:
        """Columns between which a torn ROI surely has no pixels, if the seam puts it on both sides."""

    def holes(self, rois: Ints) -> Rings:
        """The holes of torn ROIs, as far as these have rings; their `roi` are positions in `rois`."""

    def holds(self, roi: int, lon: Floats, lat: Floats, *, filled: bool = False) -> Bools:
        """Whether an ROI holds places (planetocentric degrees); NaN are in none.

        If `filled`, those in a hole belong that has rings.
        """

    def vertices(self, roi: int, count: int) -> tuple[Floats, Floats]:
        """Pixel coordinates of about `count` points of an ROI's boundary; NaN off the map."""


_NONE = np.zeros(0, dtype=np.intp)

NO_RINGS = Rings(_NONE, np.zeros(0, dtype=bool), np.zeros(0), _NONE, np.zeros(0), np.zeros(0))


def to_plane(grid: Grid, lon0: Floats, lon: Floats, lat: Floats) -> tuple[Floats, Floats]:
    """Pixel coordinates; on a cylindrical grid columns run on from those of `lon0`."""
    if not isinstance(grid, CylindricalGrid):
        x, y = grid.to_pixels(lon, lat)
        wrong = grid.misplaces(lon, lat, x, y)
        return (np.where(wrong, np.nan, x), np.where(wrong, np.nan, y)) if wrong.any() else (x, y)
    x = grid.column_of(lon0) + (lon - lon0) * grid.columns_per_degree
    return x, np.clip(grid.row_of(lat), -FARTHEST, FARTHEST)
