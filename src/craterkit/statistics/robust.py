"""Robust estimators of location and scale, of sorted groups of values.

Pure functions. The weight of a value counts as that many values would, but for the medians, which
are those of `Ordered.quantile`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from craterkit.statistics.ordering import Ordered

    Floats = NDArray[np.float64]

__all__ = ["biweight_location", "biweight_scale", "mad_std"]

#: Standard deviation of a normal distribution over its median absolute deviation: 1/Φ⁻¹(3/4).
MAD_TO_STD = 1.482602218505602

#: Tuning constants of the biweights of location and scale (Beers, Flynn and Gebhardt 1990).
LOCATION_TUNING, SCALE_TUNING = 6.0, 9.0


def mad_std(groups: Ordered) -> Floats:
    """Median absolute deviation, scaled to be the standard deviation of a normal distribution."""
    return MAD_TO_STD * groups.median_deviation


def biweight_location(groups: Ordered) -> Floats:
    """Mean that gives less to values the farther they are from the median; see `STATISTICS`."""

    def terms(off: Floats, reach: Floats) -> tuple[Floats, Floats]:
        share = (1.0 - _squared_distance(off, reach)) ** 2
        return off * share, share

    sums, norm = groups.sums_about_median(terms, LOCATION_TUNING * groups.median_deviation)
    with np.errstate(invalid="ignore", divide="ignore"):
        return groups.median + np.where(groups.median_deviation > 0, sums / norm, 0.0)


def biweight_scale(groups: Ordered) -> Floats:
    """Standard deviation that gives less to values the farther they are; see `STATISTICS`."""

    def terms(off: Floats, reach: Floats) -> tuple[Floats, Floats]:
        u2 = _squared_distance(off, reach)
        return (off * (1.0 - u2) ** 2) ** 2, (1.0 - u2) * (1.0 - 5.0 * u2)

    squares, norm = groups.sums_about_median(terms, SCALE_TUNING * groups.median_deviation)
    with np.errstate(invalid="ignore", divide="ignore"):
        # One root each: the product of two sums of weights may not fit.
        scale = np.sqrt(groups.weight) * np.sqrt(squares) / np.abs(norm)
    return np.where(groups.median_deviation == 0, 0.0, scale)


def _squared_distance(off: Floats, reach: Floats) -> Floats:
    """Squared share of its reach at which each value lies off the median, up to 1."""
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        distance = off / reach
        return np.fmin(distance * distance, 1.0)
