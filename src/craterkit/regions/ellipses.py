"""Ellipses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from craterkit.errors import RegionError
from craterkit.regions.checks import (
    as_column,
    checked_nvert,
    checked_values,
    is_number,
    same_values,
    take_values,
    turn,
)
from craterkit.regions.definitions import Outline

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from craterkit.regions.checks import PerFeature

    Floats = NDArray[np.float64]
    Bools = NDArray[np.bool_]

__all__ = ["Ellipse"]


@dataclass(frozen=True, slots=True, eq=False)
class Ellipse:
    """Ground within an ellipse about the feature's centre, in geodesic polar coordinates.

    A point at distance d and azimuth α belongs if d ≤ size·ρ(α − azimuth), where
    ρ(β) = ab/√((b cos β)² + (a sin β)²) is the polar equation of an ellipse with the semi-axes a and b
    about its centre. Distances are geodesics on the body's ellipsoid.

    Parameters
    ----------
    major, minor : float or (n,) array
        Semi-axes, in feature radii; ``0 < minor <= major``.
    azimuth : float or (n,) array
        Direction of the major axis, degrees clockwise from north.
    size : float, default 1
        Factor on both axes.
    nvert : int, optional
        If given, the region is the polygon whose `nvert` vertices lie on the ellipse, at steps of
        360/nvert degrees of the eccentric anomaly from the end of the major axis at `azimuth`.

    Raises
    ------
    RegionError
        If a number is not finite or out of range.

    Notes
    -----
    Arrays hold one number for each feature; where one is NaN, the feature has no ellipse and its ROI is
    empty.

    Examples
    --------
    >>> Ellipse(1.2, 0.8, azimuth=30).describe()
    'ellipse of 1.2 by 0.8 radii, azimuth 30'
    """

    major: PerFeature
    minor: PerFeature
    azimuth: PerFeature
    size: float = 1.0
    nvert: int | None = None

    def __post_init__(self) -> None:
        for name in ("major", "minor", "azimuth"):
            object.__setattr__(self, name, checked_values(getattr(self, name), name))
        if np.any(np.asarray(self.minor) <= 0):
            raise RegionError("the axes of an ellipse must be above 0")
        if np.any(np.asarray(self.minor) > self.major):
            raise RegionError("the minor axis of an ellipse must not be longer than the major axis")
        if not is_number(self.size) or self.size <= 0:
            raise RegionError(f"size must be a number above 0, not {self.size!r}")
        object.__setattr__(self, "size", float(self.size))
        object.__setattr__(self, "nvert", checked_nvert(self.nvert))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Ellipse):
            return NotImplemented
        return (
            (self.size, self.nvert) == (other.size, other.nvert)
            and same_values(self.major, other.major)
            and same_values(self.minor, other.minor)
            and same_values(self.azimuth, other.azimuth)
        )

    __hash__ = None  # type: ignore[assignment]

    def take(self, which: Any) -> Ellipse:  # noqa: ANN401
        """The definition for some of the features: a slice, a mask or positions."""
        major, minor, azimuth = (
            take_values(value, which) for value in (self.major, self.minor, self.azimuth)
        )
        return Ellipse(major, minor, azimuth, self.size, self.nvert)

    def describe(self) -> str:
        """A few words on what it is."""
        corners = "" if self.nvert is None else f", {self.nvert} vertices"
        if isinstance(self.major, float) and isinstance(self.minor, float):
            major, minor = self.size * self.major, self.size * self.minor
            text = f"ellipse of {major:g} by {minor:g} radii"
        else:
            text = "each feature's ellipse" + ("" if self.size == 1 else f" times {self.size:g}")
        azimuth = f", azimuth {self.azimuth:g}" if isinstance(self.azimuth, float) else ""
        return text + azimuth + corners

    def _semi_axes(self, radius: Floats) -> tuple[Floats, Floats]:
        """Semi-axes in metres, both 0 where a feature has no ellipse."""
        missing = np.isnan(self.major) | np.isnan(self.minor) | np.isnan(self.azimuth)
        scale = np.where(missing, 0.0, self.size * radius)
        return (
            np.where(scale == 0, 0.0, self.major) * scale,
            np.where(scale == 0, 0.0, self.minor) * scale,
        )

    def reach(self, radius: Floats) -> Floats:
        """Farthest distance from the centre, metres; 0 where the ROI is empty."""
        return self._semi_axes(radius)[0]

    def contains(self, radius: Floats, distance: Floats, azimuth: Floats) -> Bools:
        """Whether points at these distances (metres) and azimuths (degrees) belong."""
        major, minor = self._semi_axes(radius)
        beta = np.radians(azimuth - self.azimuth)
        # d ≤ ab/√(…), free of a division.
        across = distance * np.hypot(minor * np.cos(beta), major * np.sin(beta))
        return (major > 0) & (across <= major * minor)

    def outlines(self, radius: Floats, count: int) -> list[Outline]:
        """The ellipse, with vertices at equal steps of the eccentric anomaly."""
        major, minor = (axis[:, None] for axis in self._semi_axes(radius))
        anomaly = np.radians(turn(self.nvert or count))[None, :]
        along, across = major * np.cos(anomaly), minor * np.sin(anomaly)
        azimuth = np.nan_to_num(as_column(self.azimuth)) + np.degrees(np.arctan2(across, along))
        return [Outline(azimuth, np.hypot(along, across))]
