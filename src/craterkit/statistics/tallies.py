"""Tallies: sums over the valid pixels of ROIs that are merged by adding, such as the covered area."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from craterkit.statistics.valid_pixels import ValidPixels

    Floats = NDArray[np.float64]

__all__ = ["AREA", "SHARES", "WEIGHT_SQUARES", "Tally", "tally_of_value"]


@dataclass(frozen=True, slots=True)
class Tally:
    """A sum over the valid pixels of each ROI.

    Attributes
    ----------
    name : str
        What `Moments.tallies` calls it.
    of_each : callable
        What each pixel adds.
    """

    name: str
    of_each: Callable[[ValidPixels], Floats]


def _weight_squares(pixels: ValidPixels) -> Floats:
    if pixels.weights is None:
        return np.ones(pixels.values.size)
    # Whether they fit is asked of their sum.
    with np.errstate(over="ignore", under="ignore"):
        return pixels.weights * pixels.weights


def _areas(pixels: ValidPixels) -> Floats:
    assert pixels.areas is not None
    return pixels.areas


WEIGHT_SQUARES = Tally("weight squares", _weight_squares)
AREA = Tally("area", _areas)


def _shares(pixels: ValidPixels) -> Floats:
    shares = pixels.weights if pixels.shares is None else pixels.shares
    return np.ones(pixels.values.size) if shares is None else shares


SHARES = Tally("shares", _shares)


def tally_of_value(name: str, value: float) -> Tally:
    """The weight of the pixels that have a value."""
    return Tally(name, lambda pixels: pixels.weighed(pixels.have(value)))
