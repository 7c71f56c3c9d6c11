"""Frames of maps: how longitude and latitude become the coordinates of a picture's axes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from craterkit.errors import ArgumentError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from craterkit.bodies import Body
    from craterkit.grids.base import Grid

    Floats = NDArray[np.float64]
    Bools = NDArray[np.bool_]

__all__ = [
    "Box",
    "DegreeFrame",
    "Frame",
    "ProjectedFrame",
    "checked_extent",
    "frame_of_grid",
    "polar_frame",
]

#: Points along each side at which the shape of a frame is looked at.
PROBES = 65

#: Pixels of the picture below which no step of a line is checked for a cut of the map.
SHORT_PX = 3.0

#: How much farther from its ends, in steps on the ground, the middle of a step on the map may lie.
ASTRAY = 1.0


class Box(NamedTuple):
    """A rectangle in the coordinates of axes."""

    left: float
    right: float
    bottom: float
    top: float

    @property
    def width(self) -> float:
        """Its width."""
        return self.right - self.left

    @property
    def height(self) -> float:
        """Its height."""
        return self.top - self.bottom


@dataclass(frozen=True, slots=True)
class DegreeFrame:
    """Axes in degrees of longitude (running on from the left edge) and planetocentric latitude.

    Attributes
    ----------
    body : Body
        The body.
    box : Box
        What is shown.
    """

    body: Body
    box: Box

    #: Where longitudes repeat themselves.
    period = 360.0

    def to_axes(self, lon: ArrayLike, lat: ArrayLike) -> tuple[Floats, Floats]:
        """Axes coordinates of positions: themselves."""
        return np.asarray(lon, dtype=np.float64), np.asarray(lat, dtype=np.float64)

    def cuts(self, lon: Floats, lat: Floats, x: Floats, y: Floats, px_per_unit: float) -> Bools:
        """Which steps along lines are cut by the map: none, since longitudes run on."""
        return np.zeros((*x.shape[:-1], x.shape[-1] - 1), dtype=bool)

    def showing(self, box: Box) -> DegreeFrame:
        """The same frame about another box."""
        return replace(self, box=box)


@dataclass(frozen=True, slots=True)
class ProjectedFrame:
    """Axes in the coordinates of a raster whose rows are no parallels.

    Attributes
    ----------
    grid : Grid
        The raster's grid.
    box : Box
        What is shown.
    """

    grid: Grid
    box: Box

    period = np.inf

    @property
    def body(self) -> Body:
        """The body."""
        return self.grid.body

    def to_axes(self, lon: ArrayLike, lat: ArrayLike) -> tuple[Floats, Floats]:
        """Axes coordinates of positions; NaN off the map."""
        lon, lat = np.asarray(lon, dtype=np.float64), np.asarray(lat, dtype=np.float64)
        column, row = self.grid.to_pixels(lon, lat)
        stray = self.grid.misplaces(lon, lat, column, row)
        x, y = self.from_pixels(column, row)
        return np.where(stray, np.nan, x), np.where(stray, np.nan, y)

    def from_pixels(self, column: ArrayLike, row: ArrayLike) -> tuple[Floats, Floats]:
        """Axes coordinates of pixel coordinates."""
        t = self.grid.transform
        column, row = np.asarray(column, dtype=np.float64), np.asarray(row, dtype=np.float64)
        return t.a * column + t.b * row + t.c, t.d * column + t.e * row + t.f

    def pixels_at(self, x: ArrayLike, y: ArrayLike) -> tuple[Floats, Floats]:
        """Pixel coordinates of axes coordinates."""
        t = self.grid.transform
        determinant = t.a * t.e - t.b * t.d
        east, north = np.asarray(x) - t.c, np.asarray(y) - t.f
        return (
            (t.e * east - t.b * north) / determinant,
            (t.a * north - t.d * east) / determinant,
        )

    def to_body(self, x: ArrayLike, y: ArrayLike) -> tuple[Floats, Floats]:
        """Longitude and latitude at axes coordinates; NaN off the map."""
        return self.grid.to_body(*self.pixels_at(x, y))

    def cuts(self, lon: Floats, lat: Floats, x: Floats, y: Floats, px_per_unit: float) -> Bools:
        """Which steps along lines are cut by the map's edge.

        A step that is cut runs across the map, far from the ground between its ends.

        Parameters
        ----------
        lon, lat, x, y : (n, k) ndarray
            Vertices of n lines, on the ground and on the axes.
        px_per_unit : float
            Pixels of the picture to a unit of the axes.

        Returns
        -------
        (n, k - 1) ndarray of bool
        """
        length = np.hypot(np.diff(x), np.diff(y)) * px_per_unit
        cut = ~np.isfinite(length)
        line, step = np.nonzero(length > SHORT_PX)
        if not line.size:
            return cut
        start, end = (line, step), (line, step + 1)
        middle = self.to_body((x[start] + x[end]) / 2, (y[start] + y[end]) / 2)
        here = _directions(*middle)
        ends = [_directions(lon[which], lat[which]) for which in (start, end)]
        ground = np.linalg.norm(ends[1] - ends[0], axis=-1)
        away = np.maximum(*(np.linalg.norm(here - place, axis=-1) for place in ends))
        cut[line, step] = ~(away <= ASTRAY * ground)
        return cut

    def net(self) -> tuple[Floats, Floats]:
        """Longitude and latitude of points all over the box; NaN off the map."""
        x, y = np.meshgrid(
            np.linspace(self.box.left, self.box.right, PROBES),
            np.linspace(self.box.bottom, self.box.top, PROBES),
        )
        return self.to_body(x, y)

    def showing(self, box: Box) -> ProjectedFrame:
        """The same frame about another box."""
        return replace(self, box=box)


Frame = DegreeFrame | ProjectedFrame


def frame_of_grid(grid: Grid, extent: tuple[float, float, float, float] | None) -> Frame:
    """The frame in which a raster is drawn.

    Parameters
    ----------
    grid : Grid
        The raster's grid.
    extent : tuple of float, optional
        West, east, south and north of what is to be shown; the whole raster by default.

    Raises
    ------
    ArgumentError
        If no part of the extent is on the map.
    """
    if np.isfinite(grid.period):
        return DegreeFrame(grid.body, _degree_box(grid) if extent is None else Box(*extent))
    height, width = grid.shape
    whole = ProjectedFrame(grid, Box(0.0, 0.0, 0.0, 0.0))
    if extent is None:
        x, y = whole.from_pixels([0, width, 0, width], [0, 0, height, height])
        return whole.showing(_bounding_box(x, y))
    west, east, south, north = extent
    lon, lat = np.meshgrid(np.linspace(west, east, PROBES), np.linspace(south, north, PROBES))
    x, y = whole.to_axes(lon, lat)
    if not np.isfinite(x).any():
        raise ArgumentError(f"extent: no part of {extent} is on the map of {grid.name}")
    return whole.showing(_bounding_box(x, y))


def polar_frame(
    body: Body, side: float, lon: Floats, lat: Floats, angle: Floats, margin: float
) -> ProjectedFrame:
    """A polar stereographic frame about some circles, without a raster.

    Parameters
    ----------
    body : Body
        The body.
    side : {1.0, -1.0}
        The north or the south pole.
    lon, lat, angle : (n,) ndarray
        Centres and radii of the circles, degrees; all on that side of the equator.
    margin : float
        Share of the circles' span that is shown around them.
    """
    import pyproj
    from affine import Affine

    from craterkit.coordinates import CoordinateSystem
    from craterkit.grids.projected import ProjectedGrid

    crs = pyproj.CRS.from_user_input(
        f"+proj=stere +lat_0={90 * side:.0f} +a={body.a!r} +b={body.b!r} +units=m +type=crs"
    )
    system = CoordinateSystem.from_user_input(crs, body, what="polar stereographic map")
    reach = float((90.0 - side * lat + angle).max())
    half = 4.0 * body.a * np.tan(np.radians(min(reach, 90.0)) / 2.0)
    pixel = half / 500.0
    grid = ProjectedGrid(
        (1000, 1000),
        Affine(pixel, 0.0, -half, 0.0, -pixel, half),
        system,
        "polar stereographic map",
    )
    frame = ProjectedFrame(grid, Box(-half, half, -half, half))
    x, y = frame.to_axes(lon, lat)
    # Scale grows away from the pole, so circles reach farthest outwards.
    outer = np.hypot(*frame.to_axes(lon, side * np.maximum(side * lat - angle, 0.0)))
    size = outer - np.hypot(x, y)
    box = _bounding_box(np.concatenate([x - size, x + size]), np.concatenate([y - size, y + size]))
    pad = margin * max(box.width, box.height)
    return frame.showing(Box(box.left - pad, box.right + pad, box.bottom - pad, box.top + pad))


def checked_extent(extent: Any) -> tuple[float, float, float, float]:  # noqa: ANN401
    """West, east, south and north, in degrees.

    Raises
    ------
    ArgumentError
        If they are not four finite numbers in that order.
    """
    try:
        west, east, south, north = (float(value) for value in extent)
    except (TypeError, ValueError):
        west = east = south = north = np.nan
    if not (west < east <= west + 360.0 and -90.0 <= south < north <= 90.0):
        raise ArgumentError(
            "extent must be (west, east, south, north) in degrees, with west < east <= west + 360 and "
            f"-90 <= south < north <= 90, not {extent!r}"
        )
    return west, east, south, north


def _degree_box(grid: Any) -> Box:  # noqa: ANN401
    """The degrees that a cylindrical grid covers, in the longitudes of its own coordinates."""
    height = grid.shape[0]
    step = 1.0 / grid.columns_per_degree
    edge = float(grid.to_body(0.5, height / 2)[0]) - 0.5 * step
    ends = sorted([edge, edge + step * grid.extent])
    south, north = sorted(float(lat) for lat in grid.latitude([0.0, height]))
    west, east = (round(end, 9) for end in ends)
    return Box(west, east, south, north)


def _bounding_box(x: Floats, y: Floats) -> Box:
    return Box(*(float(edge(values)) for values in (x, y) for edge in (np.nanmin, np.nanmax)))


def _directions(lon: Floats, lat: Floats) -> Floats:
    """Unit vectors, (..., 3)."""
    east, north = np.radians(lon), np.radians(lat)
    across = np.cos(north)
    return np.stack([across * np.cos(east), across * np.sin(east), np.sin(north)], axis=-1)
