"""What a region of interest is, in units of the feature's radius.

A region is a small immutable definition; ground, polygons and pixels are derived from it
elsewhere. Adding one to a database therefore costs nothing, whatever the number of features.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, Self

import numpy as np

from craterkit.errors import RegionError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Bools = NDArray[np.bool_]

__all__ = ["Annulus", "Outline", "Region", "Regions", "RoundRegion", "as_attribute"]

#: Vertices of the simplest polygon.
FEWEST = 3


class Region(Protocol):
    """The definition of an ROI for every feature of a database."""

    def take(self, which: Any) -> Self:  # noqa: ANN401
        """The definition for some of the features: a slice, a mask or positions."""

    def describe(self) -> str:
        """A few words on what it is."""


@dataclass(frozen=True, slots=True)
class Outline:
    """A closed curve about each of n centres, in geodesic polar coordinates.

    Attributes
    ----------
    azimuth : (n, k) or (1, k) ndarray
        Degrees clockwise from north, of vertices that run clockwise around what they enclose.
    distance : (n, k) or (n, 1) ndarray
        Metres from the centre.
    hole : bool
        Whether the curve bounds ground that is left out.
    """

    azimuth: Floats
    distance: Floats
    hole: bool = False


class RoundRegion(Region, Protocol):
    """A region that distance and azimuth from the centre define."""

    @property
    def nvert(self) -> int | None:
        """Vertices, if the region is a polygon; None if it is bounded by curves."""

    def reach(self, radius: Floats) -> Floats:
        """Farthest distance from the centre, metres, for features of these radii (metres)."""

    def contains(self, radius: Floats, distance: Floats, azimuth: Floats) -> Bools:
        """Whether points at these distances (metres) and azimuths (degrees) belong.

        One point for each feature; polygons (`nvert`) answer for the curves that they stand for.
        """

    def outlines(self, radius: Floats, count: int) -> list[Outline]:
        """The boundary, with `count` vertices on a whole turn (or `nvert`)."""


@dataclass(frozen=True, slots=True)
class Annulus:
    """Ground with ``inner * radius < distance <= outer * radius`` from the feature's centre.

    Distances are geodesics on the body's ellipsoid. ``inner = 0`` has no hole: a circle.

    Parameters
    ----------
    inner, outer : float
        Edges, in feature radii; ``0 <= inner < outer``.
    nvert : int, optional
        If given, the region is the polygon whose `nvert` vertices lie on the circle at
        azimuths 0, 360/nvert, ... degrees (and likewise for the hole), instead of the circle.

    Raises
    ------
    RegionError
        If an edge is no finite number, ``inner`` is not below ``outer``, or `nvert` is no
        integer of at least 3.

    Examples
    --------
    >>> Annulus(1, 1.5)
    Annulus(inner=1.0, outer=1.5, nvert=None)
    """

    inner: float
    outer: float
    nvert: int | None = None

    @classmethod
    def circle(cls, size: float, nvert: int | None = None) -> Annulus:
        """Return the ground within ``size * radius`` of the centre."""
        if not _is_number(size) or size <= 0:
            raise RegionError(f"size must be a number of feature radii above 0, not {size!r}")
        return cls(0.0, size, nvert)

    def __post_init__(self) -> None:
        for name in ("inner", "outer"):
            value: object = getattr(self, name)
            if not _is_number(value):
                raise RegionError(f"{name} must be a finite number of feature radii, not {value!r}")
            object.__setattr__(self, name, float(getattr(self, name)))
        if self.inner < 0:
            raise RegionError(f"inner must not be negative, but is {self.inner:g}")
        if self.inner >= self.outer:
            raise RegionError(
                f"inner must be smaller than outer, but inner is {self.inner:g} "
                f"and outer is {self.outer:g}"
            )
        if self.nvert is not None:
            if not _is_number(self.nvert) or self.nvert != int(self.nvert) or self.nvert < FEWEST:
                raise RegionError(
                    f"nvert must be an integer of at least {FEWEST}, not {self.nvert!r}"
                )
            object.__setattr__(self, "nvert", int(self.nvert))

    def take(self, which: Any) -> Self:  # noqa: ANN401
        """The definition for some of the features: the same."""
        return self

    def describe(self) -> str:
        """A few words on what it is."""
        corners = "" if self.nvert is None else f", {self.nvert} vertices"
        if self.inner == 0:
            return f"circle of {self.outer:g} radii{corners}"
        return f"{self.inner:g} to {self.outer:g} radii{corners}"

    def reach(self, radius: Floats) -> Floats:
        """Farthest distance from the centre, metres."""
        return radius * self.outer

    def contains(self, radius: Floats, distance: Floats, azimuth: Floats) -> Bools:
        """Whether points at these distances (metres) and azimuths (degrees) belong."""
        return (distance <= radius * self.outer) & (
            (distance > radius * self.inner) | (self.inner == 0)
        )

    def outlines(self, radius: Floats, count: int) -> list[Outline]:
        """The outer circle, and the inner one if there is a hole."""
        count = self.nvert or count
        azimuth = np.arange(count, dtype=np.float64)[None, :] * (360.0 / count)
        circles = [Outline(azimuth, (radius * self.outer)[:, None])]
        if self.inner > 0:
            circles.append(Outline(azimuth, (radius * self.inner)[:, None], hole=True))
        return circles


def _is_number(value: object) -> bool:
    return (
        isinstance(value, int | float | np.integer | np.floating)
        and not isinstance(value, bool)
        and math.isfinite(value)
    )


def as_attribute(name: str) -> str:
    """Return the attribute under which a region is found."""
    return name.replace(" ", "_")


class Regions(Mapping[str, Region]):
    """Definitions of regions by name, in the order in which they were added.

    Parameters
    ----------
    is_taken : callable
        Says why a name is taken by something else, or returns None.

    Examples
    --------
    >>> regions = Regions(lambda name: None)
    >>> regions.add("rim", Annulus(1, 1.5))
    >>> list(regions)
    ['rim']
    """

    def __init__(self, is_taken: Callable[[str], str | None]) -> None:
        self._is_taken = is_taken
        self._definitions: dict[str, Region] = {}

    def __getitem__(self, name: str) -> Region:
        return self._definitions[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._definitions)

    def __len__(self) -> int:
        return len(self._definitions)

    def __repr__(self) -> str:
        return f"Regions({self._definitions!r})"

    def add(self, name: str, region: Region, *, overwrite: bool = False) -> None:
        """Add a definition.

        Raises
        ------
        RegionError
            If the name is no string, is taken, or is in use and `overwrite` is false.
        """
        if not isinstance(name, str) or not name:
            raise RegionError(f"a region's name must be a string, not {name!r}")
        if name in self and not overwrite:
            raise RegionError(
                f"there is a region {name!r} already; choose another name or pass overwrite=True"
            )
        alike = [
            other for other in self if other != name and as_attribute(other) == as_attribute(name)
        ]
        reason = f"region {alike[0]!r} has the same attribute" if alike else self._is_taken(name)
        if reason is not None:
            raise RegionError(f"a region cannot be called {name!r}: {reason}")
        self._definitions[name] = region

    def pick(self, names: str | Sequence[str]) -> dict[str, Region]:
        """Pick one definition or several.

        Raises
        ------
        RegionError
            If there is no such region, or none is named.
        """
        wanted = (
            [names] if isinstance(names, str) or not isinstance(names, Iterable) else list(names)
        )
        if not wanted:
            raise RegionError("regions names no region")
        for name in wanted:
            if not isinstance(name, str) or name not in self:
                known = ", ".join(map(repr, self)) or "none yet; see add_circles and add_annuli"
                raise RegionError(f"there is no region {name!r}; known: {known}")
        return {name: self[name] for name in wanted}
