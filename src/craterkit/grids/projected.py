"""Grids of any projection, and rotated or sheared ones: positions go through PROJ, pixel by pixel."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from craterkit.errors import CRSError, RasterError
from craterkit.grids.base import TIE_PX
from craterkit.grids.reach import way_out

if TYPE_CHECKING:
    from affine import Affine
    from numpy.typing import ArrayLike, NDArray

    from craterkit.bodies import Body
    from craterkit.coordinates import CoordinateSystem

    Floats = NDArray[np.float64]

__all__ = ["ProjectedGrid"]

#: Points along each side among which one on the body is looked for.
PROBES = 33

#: Areas of pixels are interpolated over this angle (radians) and between these numbers of pixels, and where
#: they are right to this share.
EVEN_ANGLE, FEWEST_EVEN, MOST_EVEN, EVEN = 0.01, 3, 64, 1e-4

#: Pixels that are this far from a parallelogram on the ground are measured in so many parts a side.
WARPED, PARTS = 0.02, 8

#: Pixels by which a point of a map may miss itself, there and back.
GHOST_PX = 0.01

#: Radians by which a position may miss itself, there and back; positions that are tried.
MISPLACED, SPREAD, GOLDEN_ANGLE = 1e-5, 4096, 137.50776405003785

#: Offsets and half-sides, in pixels, of the squares from which a pixel's area is taken: itself, or a part of it
#: where its corners are off the map.
SQUARES = (
    (0.0, 0.0, 0.5),
    (0.0, 0.0, 0.05),
    *((dx, dy, 0.04) for dx in (-0.25, 0.25) for dy in (-0.25, 0.25)),
    *((dx, dy, 0.04) for dx in (-0.45, 0.45) for dy in (-0.45, 0.45)),
)


@dataclass(frozen=True)
class ProjectedGrid:
    """Shape, affine transform and coordinate system of a raster; see `Grid`.

    Parameters
    ----------
    shape : tuple of int
        Rows and columns.
    transform : affine.Affine
        From pixel coordinates (x, y) to the coordinates of `system`; may rotate and shear.
    system : CoordinateSystem
        How those relate to the body's planetocentric longitude and latitude.
    name : str, optional
        What error messages call the raster.

    Raises
    ------
    RasterError
        If the transform maps pixels onto a line.
    CRSError
        If no part of the raster lies on the body.
    """

    shape: tuple[int, int]
    transform: Affine
    system: CoordinateSystem
    name: str = "raster"

    period = np.inf
    wraps = False

    def __post_init__(self) -> None:
        if self.transform.is_degenerate:
            raise RasterError(f"{self.name}: its pixels have no width or no height")
        if self._anchor is None:
            raise CRSError(
                f"{self.name}: no part of it lies within the domain of its projection "
                f"({self.system}): {self.bounds_text}; {way_out(self.system)}"
            )

    @property
    def body(self) -> Body:
        """The body that the grid lies on."""
        return self.system.body

    @property
    def columns(self) -> int:
        """Columns of the raster."""
        return self.shape[1]

    @property
    def extent(self) -> float:
        """Continuous columns of the raster."""
        return float(self.shape[1])

    @property
    def bounds(self) -> Floats:
        """Least and greatest x, and y, of the corners in the coordinates of `system`; (2, 2)."""
        height, width = self.shape
        corners = [self.transform @ (x, y) for x in (0, width) for y in (0, height)]
        return np.stack([np.min(corners, axis=0), np.max(corners, axis=0)], axis=1)

    @property
    def bounds_text(self) -> str:
        """The same for messages."""
        (west, east), (south, north) = self.bounds
        return f"x from {west:.10g} to {east:.10g}, y from {south:.10g} to {north:.10g}"

    @cached_property
    def _anchor(self) -> tuple[float, float] | None:
        """Pixel coordinates of a point on the body, as near the middle as any that were probed."""
        height, width = self.shape
        x, y = np.meshgrid(np.linspace(0.0, width, PROBES), np.linspace(0.0, height, PROBES))
        lon, _ = self.to_body(x, y)
        off_middle = np.hypot(x - width / 2, y - height / 2)
        nearest = np.argmin(np.where(np.isfinite(lon), off_middle, np.inf))
        if not np.isfinite(lon.flat[nearest]):
            return None
        return float(x.flat[nearest]), float(y.flat[nearest])

    @cached_property
    def orientation(self) -> float:
        """1 if north lies a quarter turn anticlockwise of east on a screen (y down), else -1."""
        assert self._anchor is not None
        lon, lat = (float(value) for value in self.to_body(*self._anchor))
        # Off the poles, and inwards if the anchor lies on the map's edge.
        lat = float(np.clip(lat, -89.0, 89.0))
        step = 1e-4
        for sign_x, sign_y in ((1, 1), (-1, 1), (1, -1), (-1, -1)):
            lons = lon + step * sign_x * np.array([0.0, 1.0, 0.0])
            lats = lat + step * sign_y * np.array([0.0, 0.0, 1.0])
            x, y = self.to_pixels(lons, lats)
            cross = (x[1] - x[0]) * (y[2] - y[0]) - (x[2] - x[0]) * (y[1] - y[0])
            if np.isfinite(cross) and cross != 0:
                return float(-np.sign(cross) * sign_x * sign_y)
        return 1.0

    @cached_property
    def _middle_x(self) -> float:
        t = self.transform
        return float(t.c + t.a * self.shape[1] / 2 + t.b * self.shape[0] / 2)

    def to_body(self, x: ArrayLike, y: ArrayLike) -> tuple[Floats, Floats]:
        """Longitude and planetocentric latitude at pixel coordinates; NaN off the map.

        Formulae give positions beyond a map's edge, too: those do not lead back.
        """
        x, y = np.broadcast_arrays(np.asarray(x, dtype=np.float64), y)
        lon, lat = self._locate(x, y)
        back_x, back_y = self.to_pixels(lon, lat)
        with np.errstate(invalid="ignore"):
            ghost = ~(np.abs(back_x - x) + np.abs(back_y - y) <= GHOST_PX)
        return np.where(ghost, np.nan, lon), np.where(ghost, np.nan, lat)

    def _locate(self, x: Floats, y: Floats) -> tuple[Floats, Floats]:
        t = self.transform
        east, north = t.c + t.a * x + t.b * y, t.f + t.d * x + t.e * y
        lon, lat = self.system.to_body(east, north)
        if self.system.is_geographic:
            # A latitude beyond a pole is none, although it would lead back.
            beyond = np.abs(north) * self.system.degrees_per_unit > 90.0 + TIE_PX
            lon, lat = np.where(beyond, np.nan, lon), np.where(beyond, np.nan, lat)
        return np.asarray(lon), np.asarray(lat)

    def misplaces(self, lon: Floats, lat: Floats, x: Floats, y: Floats) -> NDArray[np.bool_]:
        """Whether pixel coordinates of positions are not really theirs.

        Far from their centres the formulae of some projections give any number.
        """
        if self._is_sound:
            return np.zeros(x.shape, dtype=bool)
        back = self._locate(x, y)
        apart = _directions(*back) - _directions(lon, lat)
        with np.errstate(invalid="ignore"):
            return np.asarray(~(np.linalg.norm(apart, axis=-1) <= MISPLACED))

    @cached_property
    def _is_sound(self) -> bool:
        """Whether positions all over the body lead back from where they are mapped to, or nowhere."""
        nth = np.arange(SPREAD) + 0.5
        lat = np.degrees(np.arcsin(1.0 - 2.0 * nth / SPREAD))
        lon = np.mod(nth * GOLDEN_ANGLE, 360.0) - 180.0
        x, y = self.to_pixels(lon, lat)
        apart = np.linalg.norm(_directions(*self._locate(x, y)) - _directions(lon, lat), axis=-1)
        return not (np.isfinite(x) & ~(apart <= MISPLACED)).any()

    def to_pixels(self, lon: ArrayLike, lat: ArrayLike) -> tuple[Floats, Floats]:
        """Pixel coordinates of positions, not clipped to the raster; NaN off the map."""
        east, north = (np.asarray(value) for value in self.system.from_body(lon, lat))
        if self.system.is_geographic:
            turn = 360.0 / self.system.degrees_per_unit
            east = east - turn * np.round((east - self._middle_x) / turn)
        t = self.transform
        determinant = t.a * t.e - t.b * t.d
        east, north = east - t.c, north - t.f
        return (
            (t.e * east - t.b * north) / determinant,
            (t.a * north - t.d * east) / determinant,
        )

    def areas_at(self, row: ArrayLike, column: ArrayLike) -> Floats:
        """True areas in m², on the body's ellipsoid, of pixels.

        That of the quadrilateral between the corners; for a pixel at the map's edge, of a whole
        one by the part that lies on the map; NaN if none of it was found there. Where areas
        change evenly, most are interpolated.
        """
        row, column = np.broadcast_arrays(np.asarray(row, dtype=np.float64), column)
        if not row.size:
            return np.zeros(row.shape)
        step = self._even_step
        first = np.floor(np.array([row.min(), column.min()]) / step)
        last = np.floor(np.array([row.max(), column.max()]) / step)
        shape = tuple((last - first + 1.0).astype(np.intp))
        if step < FEWEST_EVEN or 2 * shape[0] * shape[1] > row.size:
            return self._exact_areas(row, column)
        y, x = row / step - first[0], column / step - first[1]
        areas, even = self._interpolated_areas(y, x, first, shape)
        areas[~even] = self._exact_areas(row[~even], column[~even])
        return areas

    def _interpolated_areas(
        self, y: Floats, x: Floats, first: Floats, shape: tuple[int, ...]
    ) -> tuple[Floats, NDArray[np.bool_]]:
        """Areas by the corners of the cells of a net, and whether they are good enough."""
        step = self._even_step
        rows, columns = (
            (begin + np.arange(size + 1)) * step for begin, size in zip(first, shape, strict=True)
        )
        nodes = self._net_areas(rows, columns)
        middles = self._net_areas(rows[:-1] + step / 2, columns[:-1] + step / 2)
        means = (nodes[:-1, :-1] + nodes[1:, :-1] + nodes[:-1, 1:] + nodes[1:, 1:]) / 4.0
        with np.errstate(invalid="ignore"):
            even = np.abs(means - middles) <= EVEN * middles
        row, column = y.astype(np.intp), x.astype(np.intp)
        down, right = y - row, x - column
        upper = nodes[row, column] * (1.0 - right) + nodes[row, column + 1] * right
        lower = nodes[row + 1, column] * (1.0 - right) + nodes[row + 1, column + 1] * right
        return upper * (1.0 - down) + lower * down, even[row, column]

    def _net_areas(self, rows: Floats, columns: Floats) -> Floats:
        """Areas of pixels in some rows and columns; NaN where a corner is off the map."""
        y, x = np.meshgrid(rows + 0.5, columns + 0.5, indexing="ij")
        return self._square_areas(x.ravel(), y.ravel(), 0.5).reshape(y.shape)

    @cached_property
    def _even_step(self) -> float:
        """Pixels over which the map's scale hardly changes, where it is no worse than in the middle."""
        assert self._anchor is not None
        area = self._exact_areas(np.array(self._anchor[1]), np.array(self._anchor[0]))
        pixel = float(np.sqrt(area)) / self.body.a
        return float(np.clip(np.floor(EVEN_ANGLE / pixel), 1.0, MOST_EVEN)) if pixel > 0 else 1.0

    def _exact_areas(self, row: Floats, column: Floats) -> Floats:
        areas = np.full(row.shape, np.nan)
        for dx, dy, half in SQUARES:
            missing = np.isnan(areas)
            if not missing.any():
                break
            x, y = column[missing] + 0.5 + dx, row[missing] + 0.5 + dy
            areas[missing] = self._square_areas(x, y, half) / (4.0 * half * half)
        return areas

    def _square_areas(self, x: Floats, y: Floats, half: float, *, whole: bool = True) -> Floats:
        """True areas of squares about points; if `whole`, of those that are warped by their parts."""
        sides = np.array([-half, half])
        corners = self._positions(x + sides[[0, 1, 0, 1], None], y + sides[[0, 0, 1, 1], None])
        right, down = corners[1] - corners[0], corners[2] - corners[0]
        across, along = corners[3] - corners[0], corners[2] - corners[1]
        areas = np.linalg.norm(np.cross(across, along), axis=-1) / 2.0
        if not whole:
            return np.asarray(areas)
        # A parallelogram's corner spans its area.
        corner = np.linalg.norm(np.cross(right, down), axis=-1)
        with np.errstate(invalid="ignore"):
            warped = np.flatnonzero(np.abs(corner - areas) > WARPED * areas)
        if warped.size:
            places = half * (np.arange(PARTS) * 2.0 + 1.0 - PARTS) / PARTS
            dx, dy = (offset.ravel()[:, None] for offset in np.meshgrid(places, places))
            px, py = (x[warped] + dx).ravel(), (y[warped] + dy).ravel()
            parts = self._square_areas(px, py, half / PARTS, whole=False)
            parts = parts.reshape(PARTS**2, warped.size)
            known = np.isfinite(parts)
            areas[warped] = (
                PARTS**2
                * np.where(known, parts, 0.0).sum(axis=0)
                / np.maximum(known.sum(axis=0), 1)
            )
        return np.asarray(areas)

    def _positions(self, x: Floats, y: Floats) -> Floats:
        """Positions in space, metres, (..., 3)."""
        lon, lat = self.to_body(x, y)
        a, b = self.body.a, self.body.b
        radius = a * b / np.hypot(b * np.cos(np.radians(lat)), a * np.sin(np.radians(lat)))
        return radius[..., None] * _directions(lon, lat)


def _directions(lon: Floats, lat: Floats) -> Floats:
    """Unit vectors, (..., 3)."""
    east, north = np.radians(lon), np.radians(lat)
    across = np.cos(north)
    return np.stack([across * np.cos(east), across * np.sin(east), np.sin(north)], axis=-1)
