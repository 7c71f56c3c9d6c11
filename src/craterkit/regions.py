"""What a region of interest is, in units of the feature's radius.

A region is a small immutable definition; ground, polygons and pixels are derived from it
elsewhere. Adding one to a database therefore costs nothing, whatever the number of features.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from craterkit.errors import RegionError

__all__ = ["Annulus", "Regions", "as_attribute"]

#: Vertices of the simplest polygon.
FEWEST = 3


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


def _is_number(value: object) -> bool:
    return (
        isinstance(value, int | float | np.integer | np.floating)
        and not isinstance(value, bool)
        and math.isfinite(value)
    )


def as_attribute(name: str) -> str:
    """Return the attribute under which a region is found."""
    return name.replace(" ", "_")


class Regions(Mapping[str, Annulus]):
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
        self._definitions: dict[str, Annulus] = {}

    def __getitem__(self, name: str) -> Annulus:
        return self._definitions[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._definitions)

    def __len__(self) -> int:
        return len(self._definitions)

    def __repr__(self) -> str:
        return f"Regions({self._definitions!r})"

    def add(self, name: str, region: Annulus, *, overwrite: bool = False) -> None:
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

    def pick(self, names: str | Sequence[str]) -> dict[str, Annulus]:
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
