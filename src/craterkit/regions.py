"""What a region of interest is, in units of the feature's radius.

A region is a small immutable definition; ground, polygons and pixels are derived from it
elsewhere. Adding one to a database therefore costs nothing, whatever the number of features.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from craterkit.errors import RegionError

__all__ = ["Annulus"]

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
