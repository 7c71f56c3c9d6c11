"""Sectors: annuli between two azimuths."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from craterkit.errors import RegionError
from craterkit.regions.annuli import Annulus
from craterkit.regions.checks import as_column, checked_values, same_values, take_values
from craterkit.regions.definitions import Outline

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from craterkit.regions.checks import PerFeature

    Floats = NDArray[np.float64]
    Bools = NDArray[np.bool_]

__all__ = ["Sector"]

#: Inner edge, as a share of the outer, of a sector that begins at the centre. One point would not do at a
#: pole, where the centre has every longitude at once.
TIP = 1e-7


@dataclass(frozen=True, slots=True, eq=False)
class Sector:
    """Ground between two distances and two azimuths from the feature's centre.

    That is ``inner * radius < distance <= outer * radius`` and an azimuth from `azimuth_from` clockwise to
    before `azimuth_to`. Distances are geodesics on the body's ellipsoid, azimuths their directions
    at the centre.

    Parameters
    ----------
    inner, outer : float
        Edges, in feature radii; ``0 <= inner < outer``. 0 begins at the centre.
    azimuth_from, azimuth_to : float or (n,) array
        Degrees clockwise from north, a whole turn apart or not: 350 to 10 runs through north, as
        does -10 to 10.

    Raises
    ------
    RegionError
        If a number is not finite or out of range, or the azimuths are the same.

    Notes
    -----
    Arrays hold one number for each feature; where one is NaN, the feature has no sector and its ROI is
    empty.

    Examples
    --------
    >>> Sector(1, 3, 350, 10).describe()
    '1 to 3 radii, azimuth 350 to 10'
    """

    inner: float
    outer: float
    azimuth_from: PerFeature
    azimuth_to: PerFeature
    nvert: ClassVar[None] = None

    def __post_init__(self) -> None:
        edges = Annulus(self.inner, self.outer)
        object.__setattr__(self, "inner", edges.inner)
        object.__setattr__(self, "outer", edges.outer)
        for name in ("azimuth_from", "azimuth_to"):
            object.__setattr__(self, name, checked_values(getattr(self, name), name))
        if np.any(self._width() == 0):
            raise RegionError(
                "azimuth_from and azimuth_to are the same direction; a whole turn is an annulus: "
                "use add_annuli"
            )

    def _width(self) -> Floats:
        """Degrees from one azimuth clockwise to the other."""
        return _direction(np.subtract(self.azimuth_to, self.azimuth_from))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Sector):
            return NotImplemented
        return (
            (self.inner, self.outer) == (other.inner, other.outer)
            and same_values(self.azimuth_from, other.azimuth_from)
            and same_values(self.azimuth_to, other.azimuth_to)
        )

    __hash__ = None  # type: ignore[assignment]

    def take(self, which: Any) -> Sector:  # noqa: ANN401
        """The definition for some of the features: a slice, a mask or positions."""
        start, stop = (take_values(value, which) for value in (self.azimuth_from, self.azimuth_to))
        return Sector(self.inner, self.outer, start, stop)

    def describe(self) -> str:
        """A few words on what it is."""
        start, stop = (
            f"{value:g}" if isinstance(value, float) else "each feature's"
            for value in (self.azimuth_from, self.azimuth_to)
        )
        return f"{self.inner:g} to {self.outer:g} radii, azimuth {start} to {stop}"

    def reach(self, radius: Floats) -> Floats:
        """Farthest distance from the centre, metres; 0 where the ROI is empty."""
        return np.where(np.isnan(self._width()), 0.0, radius * self.outer)

    def contains(self, radius: Floats, distance: Floats, azimuth: Floats) -> Bools:
        """Whether points at these distances (metres) and azimuths (degrees) belong."""
        # Compared as they are, since differences would round: neighbouring sectors share and lose nothing.
        start, stop, azimuth = map(_direction, (self.azimuth_from, self.azimuth_to, azimuth))
        after, before = start <= azimuth, azimuth < stop
        between = np.where(start < stop, after & before, after | before)
        return (
            between
            & ~np.isnan(start + stop)
            & Annulus(self.inner, self.outer).contains(radius, distance, azimuth)
        )

    def directions(self, size: int) -> tuple[Floats, Floats]:
        """Where the sectors of so many features begin and end, degrees from 0 to below 360."""
        start, stop = (
            np.broadcast_to(_direction(azimuth), size)
            for azimuth in (self.azimuth_from, self.azimuth_to)
        )
        return start, stop

    def outlines(self, radius: Floats, count: int) -> list[Outline]:
        """One curve: `count` vertices on each arc, half as many on each radius."""
        start = np.nan_to_num(as_column(self.azimuth_from))
        width = np.nan_to_num(as_column(self._width()))
        outer = self.reach(radius)[:, None]
        inner = outer * max(self.inner / self.outer, TIP)
        arc = np.arange(count)[None, :] / count
        side = np.arange(count // 2)[None, :] / (count // 2)
        shape = (radius.size, 3 * count)
        azimuth = np.empty(shape)
        distance = np.empty(shape)
        parts = [
            (start + width * arc, outer),
            (start + width, outer + (inner - outer) * side),
            (start + width * (1.0 - arc), inner),
            (start, inner + (outer - inner) * side),
        ]
        ends = np.cumsum([0, count, count // 2, count, count // 2])
        for (along, away), begin, end in zip(parts, ends[:-1], ends[1:], strict=True):
            azimuth[:, begin:end] = along
            distance[:, begin:end] = away
        return [Outline(azimuth, distance)]


def _direction(azimuth: PerFeature) -> Floats:
    """Degrees from 0 to below 360."""
    wrapped = np.mod(azimuth, 360.0)
    return np.where(wrapped == 360.0, 0.0, wrapped)
