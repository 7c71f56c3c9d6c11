"""What statistics of values in order are, and what they need of the values, however these are held."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from craterkit.errors import StatisticError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.intp]

__all__ = [
    "CLIP_ROUNDS",
    "CLIP_SIGMA",
    "Ordered",
    "Terms",
    "averaged_weights",
    "check_squares",
    "interpolate",
    "rounded",
]

#: Makes terms of sums from differences from the median and from a scale.
Terms = Callable[["Floats", "Floats"], tuple["Floats", ...]]

#: Error of a sum of weights, relative, over the square root of their number: a few roundings.
ROUNDING = 4.0 * float(np.finfo(np.float64).eps)

#: Sums of squares below this have lost digits.
TINIEST = float(np.finfo(np.float64).tiny)

#: Bits of sums of weights that are compared: the others may be rounding.
BITS = 30

#: Sigma clipping: standard deviations around the median, and how often at most (as astropy's defaults).
CLIP_SIGMA, CLIP_ROUNDS = 3.0, 5


class Ordered(Protocol):
    """What statistics need of groups of values that are in order: one number for each group."""

    @property
    def count(self) -> Ints:
        """Number of values that have weight."""

    @property
    def weight(self) -> Floats:
        """Sum of weights."""

    def quantile(self, q: float) -> Floats:
        """Quantile `q`, 0 to 1."""

    @property
    def median(self) -> Floats:
        """Quantile 0.5."""

    @property
    def median_deviation(self) -> Floats:
        """Median of the absolute differences from the median."""

    @property
    def mean(self) -> Floats:
        """Weighted mean."""

    @property
    def std(self) -> Floats:
        """Weighted standard deviation."""

    @property
    def clipped(self) -> Ordered:
        """The groups without outliers."""

    def mode(self, *, rarest: bool = False) -> Floats:
        """Value of the greatest, or least, weight."""

    def unique(self) -> Ints:
        """Number of distinct values."""

    def shares(self) -> NDArray[Any]:
        """Share of the weight of each distinct value: a dict for each group."""

    def sums_about_median(self, terms: Terms, scale: Floats) -> list[Floats]:
        """Weighted sums of `terms` of differences from the median and of `scale`."""


def interpolate(low: Floats, high: Floats, share: Floats) -> Floats:
    """Go a share of the way from one number to another."""
    # As numpy does: from the nearer end, so that equal values stay exactly equal.
    step = high - low
    return np.where(share < 0.5, low + step * share, high - step * (1.0 - share))


def check_squares(weight: Floats, squares: Floats) -> None:
    """Raise where squares of weights have left the range of double precision, unless all weights are 0."""
    beyond = np.flatnonzero((weight > 0) & ~((squares >= TINIEST) & (squares < np.inf)))
    if beyond.size:
        raise StatisticError(
            f"stats: weights with a sum of {weight[beyond[0]]:.3g} cannot be squared in double precision, as "
            "sem and weighted percentiles of large regions take; multiply the raster of weights by a "
            "constant, which changes none of them"
        )


def rounded(weights: Floats) -> Floats:
    """Weights without what rounding makes of their sums, so that equal ones tie: right to a billionth."""
    mantissa, exponent = np.frexp(weights)
    return np.ldexp(np.round(np.ldexp(mantissa, BITS)), exponent - BITS)


def averaged_weights(
    q: float, total: Floats, effective: Floats, count: Ints
) -> tuple[Floats, Floats]:
    """Sums of weights between which the step quantile function is averaged for quantile `q`.

    Parameters
    ----------
    q : float
        0 to 1.
    total, effective, count : (k,) ndarray
        Sum of weights, effective and actual number of values.
    """
    width = total / effective
    start = q * (effective - 1.0) * width
    # Sums of weights are rounded: what lies at the ends must not lead a step too far.
    rounding = np.minimum(ROUNDING * np.sqrt(count) * total, 1e-3 * width)
    return start + rounding, np.minimum(start + width, total) - rounding
