"""Sums and extremes of a stream of values, portion by portion."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from craterkit.statistics.ordering import rounded

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

__all__ = ["Records", "Sums", "add_up"]

#: How many values a provisional centre is the median of.
SAMPLE = 1001


def add_up(values: Floats, weights: Floats | None) -> float:
    """Weighted sum."""
    return float(values.sum() if weights is None else values @ weights)


class Sums:
    """Sums of differences from a centre, and of their squares.

    Parameters
    ----------
    physical : callable, optional
        Makes the numbers to sum from the values.
    centre : float, optional
        By default the median of the first values.
    """

    def __init__(
        self,
        physical: Callable[[NDArray[Any]], Floats] | None = None,
        centre: float = np.nan,
    ) -> None:
        self._physical = physical
        self.centre = centre
        self.first = self.second = 0.0

    def __call__(self, values: NDArray[Any], weights: Floats | None) -> None:
        """Add values."""
        if self._physical is not None:
            values = self._physical(values)
        if np.isnan(self.centre):
            self.centre = float(np.sort(values[:SAMPLE])[min(values.size, SAMPLE) // 2])
        off = values - self.centre
        with np.errstate(over="ignore", invalid="ignore"):
            self.first += add_up(off, weights)
            self.second += add_up(off * off, weights)

    def variance(self, total: float) -> float:
        """Variance of values of this total weight."""
        return self.second / total - (self.first / total) ** 2


class Records:
    """Values, ascending, each of more weight than all before; with `sign` -1, of less.

    Among them is the least of those that tie for the greatest weight.
    """

    def __init__(self, sign: float = 1.0) -> None:
        self._sign = sign
        self.values: list[Any] = []
        self.weights: list[float] = []

    def add(self, values: NDArray[Any], weights: Floats) -> None:
        """Take in values beyond those before."""
        best = self._sign * self.weights[-1] if self.weights else -np.inf
        signed = self._sign * weights
        before = np.maximum.accumulate(np.concatenate([[best], signed]))[:-1]
        new = signed > before
        self.values += values[new].tolist()
        self.weights += weights[new].tolist()

    def first(self, *, exact: bool) -> float:
        """The first of those that tie; unless `exact`, sums of weights are rounded."""
        weights = np.array(self.weights)
        if not exact:
            weights = rounded(weights)
        return float(self.values[int(np.argmax(self._sign * weights))])
