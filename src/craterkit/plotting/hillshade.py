"""Hillshade of heights on a map whose rows run west to east and whose first row is the northernmost."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from craterkit.errors import ArgumentError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

__all__ = ["gradient", "hillshade"]


def gradient(heights: Floats, cell: float) -> tuple[Floats, Floats]:
    """Slopes towards east and north, by the weighted differences of Horn (1981, Proc. IEEE 69, 14-47).

    Each is the mean of three central differences with the weights 1, 2, 1:
    ``((c + 2 f + i) - (a + 2 d + g)) / (8 cell)`` towards east, of the neighbours a b c / d e f / g h i.

    Parameters
    ----------
    heights : (rows, columns) ndarray
        In the unit of `cell`; NaN where unknown.
    cell : float
        Width and height of a cell.

    Returns
    -------
    east, north : (rows - 2, columns - 2) ndarray
        Of all cells but those at the edges; NaN where a neighbour is unknown.
    """
    across = heights[:-2] + 2.0 * heights[1:-1] + heights[2:]
    down = heights[:, :-2] + 2.0 * heights[:, 1:-1] + heights[:, 2:]
    return (across[:, 2:] - across[:, :-2]) / (8.0 * cell), (down[:-2] - down[2:]) / (8.0 * cell)


def hillshade(
    heights: Floats,
    cell: float,
    *,
    azimuth: float = 315.0,
    altitude: float = 45.0,
    exaggeration: float = 1.0,
) -> Floats:
    """How bright a matt surface is under light from one direction.

    The cosine of the angle between the surface's normal and the direction to the light, 0 where the surface
    is turned away. With the slopes p towards east and q towards north it is
    ``(sin h - cos h (p sin A + q cos A)) / sqrt(1 + p² + q²)`` under light from azimuth A, at altitude h.

    Parameters
    ----------
    heights : (rows, columns) ndarray
        In the unit of `cell`; NaN where unknown. The first row is the northernmost.
    cell : float
        Width and height of a cell.
    azimuth : float, default 315
        Where the light comes from, degrees clockwise from north.
    altitude : float, default 45
        How high the light stands, degrees above the horizon; 90 is overhead.
    exaggeration : float, default 1
        Factor on heights.

    Returns
    -------
    (rows - 2, columns - 2) ndarray
        0 to 1, of all cells but those at the edges; NaN where a neighbour is unknown.

    Raises
    ------
    ArgumentError
        If a number is not finite, the light is not above the horizon, or `exaggeration` is not above 0.

    Examples
    --------
    >>> import numpy as np
    >>> hillshade(np.zeros((3, 3)), 10.0, altitude=30).round(3)
    array([[0.5]])
    """
    check_light(azimuth, altitude, exaggeration)
    east, north = gradient(heights * exaggeration, cell)
    toward, up = np.radians(azimuth), np.radians(altitude)
    facing = np.sin(up) - np.cos(up) * (east * np.sin(toward) + north * np.cos(toward))
    shade: Floats = np.maximum(facing / np.sqrt(1.0 + east**2 + north**2), 0.0)
    return shade


def check_light(azimuth: float, altitude: float, exaggeration: float) -> None:
    """Raise unless these can be a light's direction and a factor on heights."""
    if not np.isfinite(azimuth):
        raise ArgumentError(f"azimuth must be a number of degrees, not {azimuth!r}")
    if not 0 < altitude <= 90:
        raise ArgumentError(f"altitude must lie above 0 and up to 90 degrees, but is {altitude!r}")
    if not (exaggeration > 0 and np.isfinite(exaggeration)):
        raise ArgumentError(f"exaggeration must be a number above 0, not {exaggeration!r}")
