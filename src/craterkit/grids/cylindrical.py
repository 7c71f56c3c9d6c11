"""Cylindrical grids, whose rows are parallels and whose columns are meridians.

A cylindrical grid (lon/lat, equirectangular, Mercator, ...) has parallels for rows and meridians for
columns. Whether a raster has one is measured, not guessed from names: its coordinate system is
asked for the longitude and latitude of points all over it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from craterkit.errors import CRSError, RasterError
from craterkit.geodesy import band_area, phi_from_lat, radii_of_curvature
from craterkit.grids.base import TIE_PX

if TYPE_CHECKING:
    from affine import Affine
    from numpy.typing import ArrayLike, NDArray

    from craterkit.bodies import Body
    from craterkit.coordinates import CoordinateSystem

    Floats = NDArray[np.float64]

__all__ = ["CylindricalGrid", "NotCylindricalError"]

#: How far, in pixels, a point may lie from where a cylindrical grid would have it.
TOLERANCE_PX = 1e-3

#: How far, in pixels, the period may be from a whole number of columns by rounding alone.
ROUNDING_PX = 1e-5

#: Points along each side that are compared.
PROBES = 17


class NotCylindricalError(CRSError):
    """A grid whose rows are no parallels, or whose columns are no meridians."""


@dataclass(frozen=True)
class CylindricalGrid:
    """Shape, affine transform and coordinate system of a raster whose rows are parallels.

    Parameters
    ----------
    shape : tuple of int
        Rows and columns.
    transform : affine.Affine
        From pixel coordinates (x, y) to the coordinates of `system`.
    system : CoordinateSystem
        How those relate to the body's planetocentric longitude and latitude.
    name : str, optional
        What error messages call the raster.

    Raises
    ------
    NotCylindricalError
        If rows are no parallels or columns no meridians.
    RasterError
        If its pixels have no width or no height.

    Attributes
    ----------
    columns : int
        Columns in use: a raster that covers more than 360 degrees repeats itself after these.
    wraps : bool
        Whether the last of these columns borders on the first.
    period : float
        Columns that make 360 degrees.
    pole_rows : tuple of float
        Pixel coordinates y of the south and the north pole; ±inf where the projection has none.
    """

    shape: tuple[int, int]
    transform: Affine
    system: CoordinateSystem
    name: str = "raster"
    period: float = field(init=False)
    columns: int = field(init=False)
    wraps: bool = field(init=False)
    _west: float = field(init=False)
    _step: float = field(init=False)
    pole_rows: tuple[float, float] = field(init=False)

    def __post_init__(self) -> None:
        if self.transform.b != 0 or self.transform.d != 0:
            self._refuse("its affine transform is rotated or sheared")
        if self.transform.a == 0 or self.transform.e == 0:
            raise RasterError(f"{self.name}: its pixels have no width or no height")
        assign = object.__setattr__
        assign(self, "pole_rows", self._find_pole_rows())
        self._measure_columns()
        assign(self, "wraps", self.shape[1] > self.period - 0.5)
        assign(self, "columns", min(self.shape[1], max(int(np.ceil(self.period - TIE_PX)), 1)))
        self._check_parallels()

    def _refuse(self, why: str) -> NoReturn:
        raise NotCylindricalError(
            f"{self.name}: {why}, so its rows are not parallels and its columns not meridians"
        )

    def to_body(self, x: ArrayLike, y: ArrayLike) -> tuple[Floats, Floats]:
        """Longitude and planetocentric latitude at pixel coordinates; NaN off the body."""
        x, y = np.broadcast_arrays(np.asarray(x, dtype=np.float64), y)
        t = self.transform
        lon, lat = self.system.to_body(t.c + t.a * x, t.f + t.e * y)
        return np.asarray(lon), np.asarray(lat)

    def _measure_columns(self) -> None:
        height, width = self.shape
        centre, (low, high) = width / 2, sorted(self.pole_rows)
        middle = min(max(height / 2, low), high)
        neighbours, _ = self.to_body([centre - 0.5, centre + 0.5], middle)
        if not np.isfinite(neighbours).all():
            self._refuse("the middle of it lies outside the domain of its projection")
        rough = float(neighbours[1] - neighbours[0])
        if rough == 0:
            self._refuse("its columns share one longitude")
        # The longest lever that stays within a quarter turn gives the most precise step.
        lever = max(min(float(width), 90.0 / abs(rough)) / 2, 0.5)
        ends, _ = self.to_body([centre - lever, centre + lever], middle)
        if not np.isfinite(ends).all():
            self._refuse("part of its middle row lies outside the domain of its projection")
        turns = np.round((rough * 2 * lever - (ends[1] - ends[0])) / 360.0)
        step = (ends[1] - ends[0] + 360.0 * turns) / (2 * lever)
        if step == 0:
            self._refuse("its columns share one longitude")
        assign = object.__setattr__
        assign(self, "_step", float(step))
        assign(self, "_west", float(ends[0] - step * (centre - lever)))
        period = 360.0 / abs(float(step))
        # Rounding in the file or the projection must not make a whole period a broken one.
        assign(self, "period", float(round(period)) if _nearly_whole(period) else period)

    def _find_pole_rows(self) -> tuple[float, float]:
        """Pixel rows of the south and the north pole; ±inf where the projection has none."""
        t = self.transform
        # Of a cylindrical map, any longitude has them in the same rows.
        _, y = self.system.from_body(np.zeros(2), np.array([-90.0, 90.0]))
        rows = (y - t.f) / t.e
        downward = np.sign(t.e)
        # A projection that sends a pole to infinity may answer with a huge number instead.
        far = ~np.isfinite(rows) | (np.abs(rows) > 1e9)
        rows = np.where(far, np.array([-np.inf, np.inf]) * downward, rows)
        return float(rows[0]), float(rows[1])

    def _check_parallels(self) -> None:
        """Compare a net of points with what a cylindrical grid would give."""
        height, width = self.shape
        low, high = sorted(self.pole_rows)
        y = np.clip(np.linspace(0, height, PROBES), low, high)
        x = np.linspace(0.25, min(width, self.period) - 0.25, PROBES)
        lon, lat = self.to_body(x[None, :], y[:, None])
        inner = np.abs(lat) < 90.0 - 1e-9
        off_column = np.abs(_turned(lon - (self._west + self._step * x))) / abs(self._step)
        _, middle = self.to_body(np.full(PROBES, width / 2), y)
        row_height = np.abs(lat[-1] - lat[0]).max() / max(height, 1)
        off_row = np.abs(lat - middle[:, None]) / max(row_height, 1e-300)
        with np.errstate(invalid="ignore"):
            wrong = ~(off_row < TOLERANCE_PX) | (inner & ~(off_column < TOLERANCE_PX))
        if wrong.any():
            self._refuse(f"its coordinate system ({self.system}) is not cylindrical")

    @property
    def body(self) -> Body:
        """The body that the grid lies on."""
        return self.system.body

    @property
    def extent(self) -> float:
        """Continuous columns in use: at most a period, so that no ground counts twice."""
        return min(float(self.columns), self.period)

    @property
    def radians_per_column(self) -> float:
        """Width of a column, radians of longitude; never negative."""
        return float(np.radians(abs(self._step)))

    @property
    def columns_per_degree(self) -> float:
        """Columns in a degree of longitude; negative if columns count westward."""
        return 1.0 / self._step

    @property
    def eastward(self) -> float:
        """1 if columns count eastward, -1 if westward."""
        return float(np.sign(self._step))

    @property
    def orientation(self) -> float:
        """1 if north lies a quarter turn anticlockwise of east on a screen (y down), else -1."""
        south, north = self.pole_rows
        return self.eastward * float(np.sign(south - north))

    @cached_property
    def row_height(self) -> float:
        """Height of the smallest row on the ground, metres."""
        edges = np.radians(self.latitude(np.linspace(0, self.shape[0], PROBES)))
        meridional, _ = radii_of_curvature(self.body, edges)
        heights = np.abs(np.diff(edges)) * meridional[1:] * (PROBES - 1) / self.shape[0]
        return float(heights[heights > 0].min(initial=np.inf))

    def column_of(self, lon: ArrayLike) -> Floats:
        """Pixel coordinate x of longitudes in degrees, between 0 and `period`."""
        x = (np.asarray(lon, dtype=np.float64) - self._west) / self._step
        return np.asarray(np.mod(x, self.period))

    def row_of(self, lat: ArrayLike) -> Floats:
        """Pixel coordinate y of planetocentric latitudes in degrees; not clipped to the raster."""
        lat = np.asarray(lat, dtype=np.float64)
        _, y = self.system.from_body(np.full(lat.shape, self._middle_longitude), lat)
        with np.errstate(invalid="ignore"):
            rows = (np.asarray(y) - self.transform.f) / self.transform.e
        south, north = self.pole_rows
        rows = np.where(lat <= -90.0, south, np.where(lat >= 90.0, north, rows))
        return np.asarray(rows)

    @cached_property
    def _middle_longitude(self) -> float:
        return float(self.to_body(self.shape[1] / 2, self.shape[0] / 2)[0])

    def latitude(self, y: ArrayLike) -> Floats:
        """Planetocentric latitude in degrees at pixel coordinate y; ±90 beyond the poles."""
        low, high = sorted(self.pole_rows)
        y = np.clip(np.asarray(y, dtype=np.float64), low, high)
        _, lat = self.to_body(self.shape[1] / 2, y)
        return np.clip(lat, -90.0, 90.0)

    def phi(self, y: ArrayLike) -> Floats:
        """Planetographic latitude in radians at pixel coordinate y; ±π/2 beyond the poles."""
        return phi_from_lat(self.body, self.latitude(y))

    def beyond_poles(self, y: ArrayLike) -> NDArray[np.bool_]:
        """Whether pixel coordinates y lie past a pole, where there is no ground."""
        low, high = sorted(self.pole_rows)
        y = np.asarray(y, dtype=np.float64)
        return np.asarray((y < low - TIE_PX) | (y > high + TIE_PX))

    def to_pixels(self, lon: ArrayLike, lat: ArrayLike) -> tuple[Floats, Floats]:
        """Pixel coordinates of positions, x between 0 and `period`."""
        return self.column_of(lon), self.row_of(lat)

    def misplaces(self, lon: Floats, lat: Floats, x: Floats, y: Floats) -> NDArray[np.bool_]:
        """Whether pixel coordinates of positions are not really theirs: never."""
        return np.zeros(x.shape, dtype=bool)

    def areas_at(self, row: ArrayLike, column: ArrayLike) -> Floats:
        """True areas in m², on the body's ellipsoid, of pixels."""
        row, _ = np.broadcast_arrays(row, column)
        return self.row_areas(row.ravel()).reshape(row.shape)

    def row_areas(self, row: NDArray[np.integer[Any]]) -> Floats:
        """True area in m², on the body's ellipsoid, of a pixel in each of some rows."""
        if not row.size:
            return np.zeros(0)
        first = int(row.min())
        edges = np.arange(first, int(row.max()) + 2, dtype=np.float64)
        return self.pixel_area(edges[:-1], edges[1:])[row - first]

    def pixel_area(self, y_from: ArrayLike, y_to: ArrayLike) -> Floats:
        """True area in m², on the body's ellipsoid, of one column between two pixel coordinates y."""
        area = band_area(self.body, self.phi(y_from), self.phi(y_to))
        return np.abs(area) * self.radians_per_column


def _nearly_whole(columns: float) -> bool:
    return abs(columns - round(columns)) < ROUNDING_PX


def _turned(degrees: ArrayLike) -> Floats:
    """Differences of longitude brought into [-180, 180)."""
    return np.mod(np.asarray(degrees, dtype=np.float64) + 180.0, 360.0) - 180.0
