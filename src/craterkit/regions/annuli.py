"""Circles and annuli."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from craterkit.errors import RegionError
from craterkit.regions.checks import checked_nvert, is_number, turn
from craterkit.regions.definitions import Outline

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Bools = NDArray[np.bool_]

__all__ = ["Annulus"]


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
        if not is_number(size) or size <= 0:
            raise RegionError(f"size must be a number of feature radii above 0, not {size!r}")
        return cls(0.0, size, nvert)

    def __post_init__(self) -> None:
        for name in ("inner", "outer"):
            value: object = getattr(self, name)
            if not is_number(value):
                raise RegionError(f"{name} must be a finite number of feature radii, not {value!r}")
            object.__setattr__(self, name, float(getattr(self, name)))
        if self.inner < 0:
            raise RegionError(f"inner must not be negative, but is {self.inner:g}")
        if self.inner >= self.outer:
            raise RegionError(
                f"inner must be smaller than outer, but inner is {self.inner:g} "
                f"and outer is {self.outer:g}"
            )
        object.__setattr__(self, "nvert", checked_nvert(self.nvert))

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
        azimuth = turn(self.nvert or count)[None, :]
        circles = [Outline(azimuth, (radius * self.outer)[:, None])]
        if self.inner > 0:
            circles.append(Outline(azimuth, (radius * self.inner)[:, None], hole=True))
        return circles
