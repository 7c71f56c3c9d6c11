"""Where extremes lie on the body."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from craterkit.grids.base import Grid

    Floats = NDArray[np.float64]

__all__ = ["latitude", "longitude"]


def longitude(place: NDArray[np.int64], grid: Grid) -> Floats:
    """Longitudes, in [-180, 180), of the centres of pixels (row times width plus column; -1: NaN)."""
    lon, _ = _centres(place, grid)
    return lon - 360.0 * np.floor((lon + 180.0) / 360.0)


def latitude(place: NDArray[np.int64], grid: Grid) -> Floats:
    """Planetocentric latitudes of the centres of pixels."""
    return _centres(place, grid)[1]


def _centres(place: NDArray[np.int64], grid: Grid) -> tuple[Floats, Floats]:
    lon, lat = np.full((2, place.size), np.nan)
    some = np.flatnonzero(place >= 0)
    row, column = np.divmod(place[some], grid.shape[1])
    lon[some], lat[some] = grid.to_body(column + 0.5, row + 0.5)
    return lon, lat
