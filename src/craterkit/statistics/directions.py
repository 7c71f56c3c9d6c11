"""Statistics of directions in degrees, such as aspect or azimuth."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from craterkit.statistics.tallies import Tally

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from craterkit.statistics.moments import Moments

    Floats = NDArray[np.float64]

__all__ = ["COSINES", "SINES", "circular_mean", "circular_std"]

#: A mean of unit vectors that is this short has no direction.
SHORTEST = 1e-12

SINES = Tally("sines", lambda pixels: pixels.weighed(np.sin(np.radians(pixels.physical))))
COSINES = Tally("cosines", lambda pixels: pixels.weighed(np.cos(np.radians(pixels.physical))))


def circular_mean(moments: Moments) -> Floats:
    """Direction of the mean unit vector, in [0, 360); NaN where it has none."""
    tallies = moments.tallies
    mean = np.degrees(np.arctan2(tallies["sines"], tallies["cosines"])) % 360.0
    # The remainder of an angle just below 0 may be rounded to 360 itself.
    mean = np.where(mean == 360.0, 0.0, mean)
    return np.where(_length(moments) >= SHORTEST, mean, np.nan)


def circular_std(moments: Moments) -> Floats:
    """Circular standard deviation, degrees; infinite where the mean has no direction."""
    length = _length(moments)
    with np.errstate(divide="ignore"):
        std = np.degrees(np.sqrt(-2.0 * np.log(np.minimum(length, 1.0))))
    # Adding 0 makes -0 a plain 0.
    return np.where(length < SHORTEST, np.inf, std + 0.0)


def _length(moments: Moments) -> Floats:
    """Length of the mean unit vector; NaN where nothing has weight."""
    length = np.hypot(moments.tallies["sines"], moments.tallies["cosines"])
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(moments.weight > 0, length / moments.weight, np.nan)
