"""Where the pixels of a selection lie: shape, transform and CRS, and a grid where these suffice."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from craterkit.bodies import get_body, list_bodies
from craterkit.body_check import check_body
from craterkit.coordinates import CoordinateSystem
from craterkit.errors import ArgumentError, CRSError
from craterkit.grids.alignment import TRANSFORM_PX, grid_difference
from craterkit.rasters.base import as_affine

if TYPE_CHECKING:
    import pyproj
    from affine import Affine

    from craterkit.bodies import Body
    from craterkit.grids.base import Grid
    from craterkit.rasters.base import Raster

__all__ = ["Placement", "check_same", "find_body", "place"]

#: How far, relatively, the radii of a CRS may be from those of the body that it names.
RADII_TOLERANCE = 0.005


@dataclass(frozen=True)
class Placement:
    """Where the pixels of a raster lie, as far as is known.

    Attributes
    ----------
    name : str
        What messages call the raster.
    shape : tuple of int
        Rows and columns.
    transform : affine.Affine or None
        Its affine transform.
    crs : pyproj.CRS or None
        Its CRS; None if it has none, or one that only a convention's name stands for.
    grid : Grid or None
        Where the pixels lie on the body.
    why_not : str
        Why there is no grid.
    """

    name: str
    shape: tuple[int, int]
    transform: Affine | None
    crs: pyproj.CRS | None
    grid: Grid | None
    why_not: str = ""

    @property
    def body(self) -> Body | None:
        """The body; None if it is not known."""
        return None if self.grid is None else self.grid.body

    @property
    def known_grid(self) -> Grid:
        """The grid.

        Raises
        ------
        CRSError
            If there is none.
        """
        if self.grid is None:
            raise CRSError(self.why_not)
        return self.grid

    def difference(self, other: Placement) -> str:
        """Say how the other differs; an empty string if its pixels are the same ones."""
        if other is self:
            return ""
        if other.shape != self.shape:
            return f"it has {_size(other.shape)} pixels, not {_size(self.shape)}"
        if (self.transform is None) != (other.transform is None):
            return f"it has {'no' if other.transform is None else 'an'} affine transform"
        if (self.grid is None) != (other.grid is None):
            lacking = self if self.grid is None else other
            return f"where its pixels lie cannot be compared: {lacking.why_not}"
        if self.grid is not None and other.grid is not None:
            if self.grid.body != other.grid.body:
                return f"it is of {other.grid.body.name}, not of {self.grid.body.name}"
            return grid_difference(self.grid, other.grid)
        if self.crs != other.crs:
            return f"its CRS is {_crs_name(other.crs)}, not {_crs_name(self.crs)}"
        if self.transform is not None and other.transform is not None:
            shift = _shift(self.transform, other.transform, self.shape)
            if not shift <= TRANSFORM_PX:
                return f"its affine transform puts pixels up to {shift:.3g} pixels elsewhere"
        return ""


def _size(shape: tuple[int, int]) -> str:
    return f"{shape[0]} x {shape[1]}"


def _crs_name(crs: pyproj.CRS | None) -> str:
    return "missing" if crs is None else repr(crs.name)


def _shift(transform: Affine, other: Affine, shape: tuple[int, int]) -> float:
    """How far apart, in pixels, two transforms put the corners of a raster."""
    if transform.is_degenerate:
        return 0.0 if transform == other else np.inf
    back = ~transform
    corners = [(x, y) for x in (0, shape[1]) for y in (0, shape[0])]
    there = [
        (t.a * x + t.b * y + t.c, t.d * x + t.e * y + t.f) for t in [other] for x, y in corners
    ]
    again = [(back.a * x + back.b * y + back.c, back.d * x + back.e * y + back.f) for x, y in there]
    return float(np.hypot(*(np.array(again) - np.array(corners)).T).max())


def place(
    raster: Raster, body: object = None, raster_crs: object = None, transform: object = None
) -> Placement:
    """Find out where the pixels of a raster lie.

    Parameters
    ----------
    raster : Raster
        The raster. It need not have a place.
    body : optional
        The body, as `get_body` takes it; by default the one that the CRS names.
    raster_crs, transform : optional
        What is to be used instead of the raster's own.

    Raises
    ------
    CRSError
        If a `body` is given, but there is no transform or CRS, or it is of another body; or if
        `raster_crs` is no CRS.
    ArgumentError
        If `transform` is no transform.
    """
    affine = raster.transform if transform is None else as_affine(transform)
    given: Any = raster.crs if raster_crs is None else raster_crs
    if isinstance(given, str) and not given.strip():
        given = None
    crs = _as_crs(given)
    grid: Grid | None = None
    why_not = ""
    if body is None and isinstance(given, CoordinateSystem):
        body = given.body
    if body is not None:
        grid = raster.grid(_get(body), raster_crs, transform)
    elif affine is None:
        why_not = f"{raster.name}: has no affine transform; pass transform= (and raster_crs=)"
    elif given is None:
        why_not = f"{raster.name}: has no CRS; pass raster_crs= (and body=)"
    else:
        found = None if crs is None else find_body(crs)
        why_not = f"{raster.name}: its CRS does not say which body it is of; pass body="
        if found is not None:
            try:
                grid, why_not = raster.grid(found, raster_crs, transform), ""
            except CRSError as error:
                if raster_crs is not None or transform is not None:
                    raise
                why_not = str(error)
    if grid is not None and crs is None and grid.system == CoordinateSystem(body=grid.body):
        crs = grid.body.crs
    return Placement(raster.name, raster.shape, affine, crs, grid, why_not)


def _get(body: Any) -> Body:  # noqa: ANN401
    return get_body(body)


def _as_crs(value: Any) -> pyproj.CRS | None:  # noqa: ANN401
    """A CRS as pyproj has it; None if it is none, as are names of conventions."""
    import pyproj

    if isinstance(value, CoordinateSystem):
        return value.crs
    if value is None or isinstance(value, pyproj.CRS):
        return value
    if isinstance(value, str) and re.fullmatch(r"[\s_A-Za-z-]*", value):
        # PROJ would look through the names of all its systems.
        return None
    try:
        if hasattr(value, "to_wkt"):
            # WKT 1, which rasterio writes otherwise, has no spherical coordinate systems.
            return pyproj.CRS.from_wkt(value.to_wkt(version="WKT2_2019"))
        return pyproj.CRS.from_user_input(value)
    except (pyproj.exceptions.CRSError, ValueError, TypeError):
        return None


def find_body(crs: pyproj.CRS) -> Body | None:
    """Find the body that a CRS names and whose radii it has; None if there is no such, or several.

    Examples
    --------
    >>> import pyproj
    >>> find_body(pyproj.CRS("IAU_2015:49910")).name
    'Mars'
    >>> find_body(pyproj.CRS("EPSG:32633")).name
    'Earth'
    >>> find_body(pyproj.CRS("+proj=eqc +R=1737400")) is None
    True
    """
    ellipsoid = crs.ellipsoid
    if ellipsoid is None:
        return None
    a, b = ellipsoid.semi_major_metre, ellipsoid.semi_minor_metre
    parts = [crs, crs.datum, ellipsoid, crs.geodetic_crs]
    names = _words(" ".join(part.name for part in parts if part is not None))
    found = []
    for name in list_bodies():
        body = get_body(name)
        off = max(max(a, b) / body.a - 1.0, 1.0 - min(a, b) / body.b)
        # EPSG's systems of the Earth do not name it.
        is_named = f" {_words(name)} " in f" {names} " or name == "Earth"
        if not is_named or off > RADII_TOLERANCE:
            continue
        try:
            check_body(crs, body, "", "")
        except CRSError:
            continue
        found.append(body)
    return found[0] if len(found) == 1 else None


def _words(text: str) -> str:
    """The words and numbers of a text, in lower case."""
    return " ".join(re.findall(r"[^\W\d_]+|\d+", text.casefold()))


def check_same(placement: Placement, other: Placement, what: str) -> None:
    """Raise if the pixels of two placements are not the same ones.

    Raises
    ------
    ArgumentError
        Says how they differ.
    """
    difference = placement.difference(other)
    if difference:
        raise ArgumentError(
            f"{what}: {other.name} is not on the grid of {placement.name}: {difference}"
        )
