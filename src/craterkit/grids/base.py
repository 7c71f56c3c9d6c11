"""Grids: where the pixels of a raster lie on the body.

Pixel coordinates are continuous: pixel ``(row, col)`` covers ``row <= y < row + 1`` and
``col <= x < col + 1``.
"""

from __future__ import annotations

from copy import copy
from functools import lru_cache
from typing import TYPE_CHECKING, Protocol

from craterkit.errors import CRSError, RasterError

if TYPE_CHECKING:
    import numpy as np
    from affine import Affine
    from numpy.typing import ArrayLike, NDArray

    from craterkit.bodies import Body
    from craterkit.coordinates import CoordinateSystem

    Floats = NDArray[np.float64]

__all__ = ["TIE_PX", "Grid", "make_grid"]

#: A point this near a boundary, in pixels, lies on it.
TIE_PX = 1e-9


class Grid(Protocol):
    """What the rest of the library asks of any grid."""

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""

    @property
    def transform(self) -> Affine:
        """From pixel coordinates (x, y) to the coordinates of `system`."""

    @property
    def system(self) -> CoordinateSystem:
        """How those relate to the body's planetocentric longitude and latitude."""

    @property
    def name(self) -> str:
        """What error messages call the raster."""

    @property
    def body(self) -> Body:
        """The body that the grid lies on."""

    @property
    def columns(self) -> int:
        """Columns in use: a raster that covers more than 360 degrees repeats itself after these."""

    @property
    def extent(self) -> float:
        """Continuous columns in use: at most a period, so that no ground counts twice."""

    @property
    def period(self) -> float:
        """Columns that make 360 degrees; infinite where columns are no meridians."""

    @property
    def wraps(self) -> bool:
        """Whether the last of the columns in use borders on the first."""

    @property
    def orientation(self) -> float:
        """1 if north lies a quarter turn anticlockwise of east on a screen (y down), else -1."""

    def to_body(self, x: ArrayLike, y: ArrayLike) -> tuple[Floats, Floats]:
        """Longitude and planetocentric latitude at pixel coordinates; NaN off the body."""

    def to_pixels(self, lon: ArrayLike, lat: ArrayLike) -> tuple[Floats, Floats]:
        """Pixel coordinates of positions, not clipped to the raster; NaN off the map."""

    def misplaces(self, lon: Floats, lat: Floats, x: Floats, y: Floats) -> NDArray[np.bool_]:
        """Whether pixel coordinates (from `to_pixels`) of positions are not really theirs."""

    def areas_at(self, row: ArrayLike, column: ArrayLike) -> Floats:
        """True areas in m², on the body's ellipsoid, of pixels."""


def make_grid(
    shape: tuple[int, int], transform: Affine, system: CoordinateSystem, name: str = "raster"
) -> Grid:
    """The grid of a raster: cylindrical where its rows are parallels and its columns meridians.

    Raises
    ------
    RasterError
        If its pixels have no width or no height.
    CRSError
        If no part of it lies on the body, or it cannot lie there.
    """
    try:
        grid = copy(_measured(shape, transform, system))
    except (CRSError, RasterError):  # which are to name the raster
        return _measure(shape, transform, system, name)
    object.__setattr__(grid, "name", name)
    return grid


@lru_cache(maxsize=64)
def _measured(shape: tuple[int, int], transform: Affine, system: CoordinateSystem) -> Grid:
    """The rasters of a stack lie on one grid, and measuring it takes up to milliseconds."""
    return _measure(shape, transform, system, "")


def _measure(
    shape: tuple[int, int], transform: Affine, system: CoordinateSystem, name: str
) -> Grid:
    from craterkit.grids.cylindrical import CylindricalGrid, NotCylindricalError
    from craterkit.grids.projected import ProjectedGrid
    from craterkit.grids.reach import check_cylindrical, check_projected

    try:
        grid = CylindricalGrid(shape, transform, system, name)
    except NotCylindricalError:
        projected = ProjectedGrid(shape, transform, system, name)
        check_projected(projected)
        return projected
    check_cylindrical(grid)
    return grid
