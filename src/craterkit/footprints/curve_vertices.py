"""Vertices of closed curves in the plane: how many they need, and more of them from few."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

__all__ = ["interpolated", "roughness", "signed_area", "stray", "swollen", "wanted"]


def stray(x: Floats, y: Floats) -> Floats:
    """How far odd vertices are from the middle between their even neighbours, at most."""
    return np.hypot(
        x[:, 1::2] - (x[:, ::2] + np.roll(x[:, ::2], -1, axis=1)) / 2,
        y[:, 1::2] - (y[:, ::2] + np.roll(y[:, ::2], -1, axis=1)) / 2,
    ).max(axis=1)


def roughness(x: Floats, y: Floats) -> Floats:
    """Size of the finest detail of rings, pixels: their Fourier terms of a quarter of the vertices and more.

    It is next to nothing for the image of a circle, unless the map tears or distorts it.
    """
    count = x.shape[1]
    with np.errstate(invalid="ignore"):
        terms = np.fft.fft(x + 1j * y, axis=1)
    return np.abs(terms[:, count // 4 : count - count // 4 + 1]).max(axis=1) / count


def wanted(stray: Floats, count: int, tolerance: float) -> Floats:
    """How many pieces a curve needs, a power of two, whose `count` pieces stray so far from their chords."""
    # Chords stray with the square of their length.
    ratio = np.sqrt(np.maximum(stray / (1.5 * tolerance), 1e-9)) * count
    return np.asarray(2.0 ** np.ceil(np.log2(ratio)))


def swollen(values: Floats) -> Floats:
    """Coordinates of vertices moved outwards, so that the polygon has the area of its curve.

    Sides θ apart on a circle cover sin(θ)/θ of it. A vertex is 2 (1 − cos θ) radii off the mean of its
    neighbours, which tells the way and the measure.
    """
    turn = 2.0 * np.pi / values.shape[1]
    share = (np.sqrt(turn / np.sin(turn)) - 1.0) / (2.0 * (1.0 - np.cos(turn)))
    bend = 2.0 * values - np.roll(values, 1, axis=1) - np.roll(values, -1, axis=1)
    return values + share * bend


def interpolated(values: Floats, count: int) -> Floats:
    """Coordinates of `count` vertices on rings through fewer, by trigonometric interpolation."""
    given = values.shape[1]
    if count <= given:
        return values[:, :: given // count]
    return values @ _trigonometric(given, count)


@lru_cache(maxsize=32)
def _trigonometric(given: int, count: int) -> Floats:
    """Weights of `given` values, evenly spaced on a turn, at `count` places; an even number of values.

    With N values and θ the angle between a value and a place: sin(Nθ/2) cot(θ/2) / N.
    """
    theta = 2.0 * np.pi * (np.arange(count)[None, :] / count - np.arange(given)[:, None] / given)
    half = np.mod(theta / 2.0, np.pi)
    meets = np.minimum(half, np.pi - half) < 1e-12
    half = np.where(meets, 1.0, half)
    return np.where(meets, 1.0, np.sin(given * theta / 2.0) / np.tan(half) / given)


def signed_area(x: Floats, y: Floats) -> Floats:
    """Area of rings, above 0 if they run clockwise as seen on a screen (y down)."""
    x, y = x - x[:, :1], y - y[:, :1]
    return np.asarray((x * np.roll(y, -1, axis=1) - np.roll(x, -1, axis=1) * y).sum(axis=1) / 2)
