"""Robust estimators of location and scale, of sorted groups of values.

Pure functions. The weight of a value counts as that many values would, but for the medians, which
are those of `SortedGroups.quantile`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from craterkit.statistics.ordered import SortedGroups

    Floats = NDArray[np.float64]

__all__ = ["biweight_location", "biweight_scale", "mad_std"]

#: Standard deviation of a normal distribution over its median absolute deviation: 1/Φ⁻¹(3/4).
MAD_TO_STD = 1.482602218505602

#: Tuning constants of the biweights of location and scale (Beers, Flynn and Gebhardt 1990).
LOCATION_TUNING, SCALE_TUNING = 6.0, 9.0


def mad_std(groups: SortedGroups) -> Floats:
    """Median absolute deviation, scaled to be the standard deviation of a normal distribution."""
    return MAD_TO_STD * groups.median_deviation


def biweight_location(groups: SortedGroups) -> Floats:
    """Mean that gives less to values the farther they are from the median; see `STATISTICS`."""
    u2 = _squared_distance(groups, LOCATION_TUNING)
    share = (1.0 - u2) ** 2
    with np.errstate(invalid="ignore", divide="ignore"):
        shift = groups.add_up(groups.off_median * share) / groups.add_up(share)
    return groups.median + np.where(groups.median_deviation > 0, shift, 0.0)


def biweight_scale(groups: SortedGroups) -> Floats:
    """Standard deviation that gives less to values the farther they are; see `STATISTICS`."""
    u2 = _squared_distance(groups, SCALE_TUNING)
    squares = groups.add_up((groups.off_median * (1.0 - u2) ** 2) ** 2)
    norm = groups.add_up((1.0 - u2) * (1.0 - 5.0 * u2))
    with np.errstate(invalid="ignore", divide="ignore"):
        scale = np.sqrt(groups.weight * squares) / np.abs(norm)
    return np.where(groups.median_deviation == 0, 0.0, scale)


def _squared_distance(groups: SortedGroups, tuning: float) -> Floats:
    """Squared distance of each value from the median in `tuning` median absolute deviations, up to 1."""
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        distance = groups.off_median / groups.each(tuning * groups.median_deviation)
        return np.fmin(distance * distance, 1.0)
