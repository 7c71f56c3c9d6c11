"""What every region can tell, and what those can that distance and azimuth define."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, Self, runtime_checkable

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Bools = NDArray[np.bool_]

__all__ = ["Outline", "Region", "RoundRegion"]


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
        Metres from the centre. 0 all around where an ROI is empty.
    hole : bool
        Whether the curve bounds ground that is left out.
    """

    azimuth: Floats
    distance: Floats
    hole: bool = False


@runtime_checkable
class RoundRegion(Region, Protocol):
    """A region that distance and azimuth from the centre define."""

    @property
    def nvert(self) -> int | None:
        """Vertices, if the region is a polygon; None if it is bounded by curves."""

    def reach(self, radius: Floats) -> Floats:
        """Farthest distance from the centre, metres, for features of these radii (metres).

        0 where the ROI is empty.
        """

    def contains(self, radius: Floats, distance: Floats, azimuth: Floats) -> Bools:
        """Whether points at these distances (metres) and azimuths (degrees) belong.

        One point for each feature; polygons (`nvert`) answer for the curves that they stand for.
        """

    def outlines(self, radius: Floats, count: int) -> list[Outline]:
        """The boundary, with `count` vertices on every curve of it (or `nvert`).

        `count` is even. Twice the count gives twice the vertices of every outline, every other one of
        which, from the first, is a vertex of the coarser outline exactly.
        """
