"""Sub-rows: thin slices of rows over which a circle's half-width hardly changes.

The covered share of a pixel is the mean, over the height of its row, of what the circle's arc covers of
its width. Near the northern and southern end of a circle the half-width changes like a square root, so
rows that hold an end, and all rows of small circles, are sliced evenly in the angle θ of y = centre +
radius · sin θ, in which the half-width is smooth; others evenly in y. There are more slices where the
half-width changes by more columns.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.intp]

__all__ = ["Slices", "sub_rows"]

#: Slices of a row that a circle crosses from edge to edge, and of one that holds an end of it.
FEWEST_CROSSING = 4
FEWEST_AT_END = 8
MOST = 1 << 14

#: Rows across a circle, below which it is sliced in θ throughout.
SMALL = 12.0

#: Slices for each column by which the half-width changes within the row.
PER_COLUMN = 4.0


class Slices(NamedTuple):
    """Sub-rows: which pair each belongs to, where to take the half-width, and where it ends."""

    pair: Ints
    y_mid: Floats
    y_from: Floats
    y_to: Floats


def sub_rows(
    row: Ints, top: Floats, middle: Floats, bottom: Floats, spread: Floats
) -> Iterator[Slices]:
    """Slice the part of each row that a circle reaches.

    Parameters
    ----------
    row : (m,) ndarray of int
        The rows.
    top, middle, bottom : (m,) ndarray
        First, middle and last y of the circle that each row is about.
    spread : (m,) ndarray
        By how many columns the circle's half-width changes within the row.

    Yields
    ------
    Slices
        Those of some of the rows.
    """
    y_first, y_last = np.maximum(row, top), np.minimum(row + 1.0, bottom)
    crossing = (top <= row) & (bottom >= row + 1.0)
    reached = np.flatnonzero(y_last > y_first)
    fewest = np.where(crossing[reached], FEWEST_CROSSING, FEWEST_AT_END)
    wanted = np.clip(np.nan_to_num(PER_COLUMN * spread[reached]), fewest, MOST)
    count = 1 << np.ceil(np.log2(wanted)).astype(np.intp)
    even = crossing & (bottom - top > SMALL)
    # Odd numbers stand for slices in θ.
    kind = count + ~even[reached]
    for number in np.unique(kind):
        pair = reached[kind == number]
        if number % 2 == 0:
            yield _even_slices(pair, row[pair], int(number))
        else:
            ends = y_first[pair], y_last[pair]
            yield _round_slices(pair, *ends, top[pair], middle[pair], bottom[pair], int(number) - 1)


def _even_slices(pair: Ints, row: Ints, count: int) -> Slices:
    """Slices of equal height of whole rows."""
    steps = np.arange(2 * count + 1) / (2.0 * count)
    y = row[:, None] + steps
    return Slices(
        np.repeat(pair, count), y[:, 1::2].ravel(), y[:, :-1:2].ravel(), y[:, 2::2].ravel()
    )


def _round_slices(
    pair: Ints,
    y_first: Floats,
    y_last: Floats,
    top: Floats,
    middle: Floats,
    bottom: Floats,
    count: int,
) -> Slices:
    """Slices of equal steps in θ."""
    above, below, centre = (middle - top)[:, None], (bottom - middle)[:, None], middle[:, None]

    def angle(y: Floats) -> Floats:
        offset = y[:, None] - centre
        reach = np.where(offset < 0, above, below)
        # A centre at a pole has no height on one side.
        ratio = np.divide(offset, reach, out=np.zeros_like(reach), where=reach > 0)
        return np.arcsin(np.clip(ratio, -1.0, 1.0))

    def y_at(sine: Floats) -> Floats:
        return centre + np.where(sine < 0, above, below) * sine

    start, stop = angle(y_first), angle(y_last)
    edges = y_at(np.sin(start + (stop - start) * np.linspace(0.0, 1.0, count + 1)))
    edges[:, 0], edges[:, -1] = y_first, y_last
    step = (stop - start) / count
    middles = y_at(_sine_of_mean_width(start + step * (np.arange(count) + 0.5), step))
    return Slices(
        np.repeat(pair, count), middles.ravel(), edges[:, :-1].ravel(), edges[:, 1:].ravel()
    )


def _sine_of_mean_width(theta: Floats, step: Floats) -> Floats:
    """Compute sin θ where the half-width cos θ of a unit circle is its mean over a slice of height.

    Over the slice θ ± step/2 that mean is ∫cos² θ dθ / ∫cos θ dθ. It makes the area of a circle
    exact with any number of slices.
    """
    cosine = np.cos(theta)
    area = step + (2.0 * cosine * cosine - 1.0) * np.sin(step)
    height = 4.0 * cosine * np.sin(step / 2)
    mean = np.divide(area, height, out=cosine.copy(), where=height > 0)
    return np.copysign(np.sqrt(np.maximum(1.0 - mean * mean, 0.0)), theta)
