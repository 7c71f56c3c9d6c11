"""Where the pixels of a selection lie: shape, transform and CRS, and a grid where these suffice."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from craterkit.bodies import get_body, list_bodies
from craterkit.body_check import check_body, radii_text
from craterkit.coordinates import CoordinateSystem, system_on_own_ellipsoid
from craterkit.crs_reading import as_crs, crs_key, horizontal
from craterkit.errors import ArgumentError, CraterkitError, CRSError
from craterkit.grids.alignment import grid_difference, transform_difference
from craterkit.grids.base import make_grid
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

#: How far, relatively, formats may round the radii of one ellipsoid.
RADII_ROUNDING = 1e-9


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
        body = self.body or other.body
        try:
            grid, others = self._grid_on(body), other._grid_on(body)
        except CraterkitError as error:
            if body is not None:
                return f"where its pixels lie cannot be compared: {error}"
            return self._difference_off_ground(other)
        if grid.body.name != others.body.name:
            return f"it is of {others.body.name}, not of {grid.body.name}"
        theirs, own = ((on.body.a, on.body.b) for on in (others, grid))
        if not np.allclose(theirs, own, rtol=RADII_ROUNDING, atol=0.0):
            return f"its ellipsoid has radii of {radii_text(*theirs)}, not {radii_text(*own)}"
        return grid_difference(grid, others)

    def _grid_on(self, body: Body | None) -> Grid:
        """The grid; if there is none, that on a body, or if there is no body, on the CRS's ellipsoid."""
        if self.grid is not None:
            return self.grid
        if self.crs is None or self.transform is None:
            raise CRSError(self.why_not)
        if body is None:
            system = system_on_own_ellipsoid(self.crs)
        else:
            system = CoordinateSystem.from_user_input(self.crs, body, what=self.name)
        return make_grid(self.shape, self.transform, system, self.name)

    def _difference_off_ground(self, other: Placement) -> str:
        """The same of rasters that lie on no ellipsoid."""
        if self.crs is None or other.crs is None or not self.crs.equals(other.crs):
            own, others = _meaning(self.crs), _meaning(other.crs)
            if own != others:
                return f"its CRS is {others}, not {own}"
        if self.transform is None or other.transform is None:
            return ""
        return transform_difference(self.transform, other.transform, self.shape)


def _size(shape: tuple[int, int]) -> str:
    return f"{shape[0]} x {shape[1]}"


def _meaning(crs: pyproj.CRS | None) -> str:
    """What a CRS does, whatever it is called."""
    if crs is None:
        return "missing"
    try:
        system = system_on_own_ellipsoid(crs)
    except CraterkitError:
        return crs.to_wkt()
    return f"{replace(system, crs=None)} ({radii_text(system.a, system.b)})"


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
    crs, found = _understood(given)
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


def _understood(value: Any) -> tuple[pyproj.CRS | None, Body | None]:  # noqa: ANN401
    """A CRS as pyproj has it, and the body that it names; None if it is none, as are names of conventions."""
    if isinstance(value, CoordinateSystem):
        value = value.crs
    if value is None or (isinstance(value, str) and re.fullmatch(r"[\s_A-Za-z-]*", value)):
        # PROJ would look through the names of all its systems.
        return None, None
    key = crs_key(value)
    return _looked_up(value) if key is None else _remembered(key)


@lru_cache(maxsize=64)
def _remembered(key: str | pyproj.CRS) -> tuple[pyproj.CRS | None, Body | None]:
    """The rasters of a stack have one CRS, and looking for its body takes milliseconds."""
    return _looked_up(key)


def _looked_up(value: Any) -> tuple[pyproj.CRS | None, Body | None]:  # noqa: ANN401
    try:
        crs = horizontal(as_crs(value, "", "raster_crs"))
    except CRSError:
        return None, None
    return crs, find_body(crs)


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
