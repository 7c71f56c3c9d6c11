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

#: Slices of a row that is sliced evenly in y, and of one that is sliced evenly in θ: at least ...
FEWEST_EVEN, FEWEST_ROUND = 4, 8

#: ... and times the root of the columns by which the half-width changes within the row. A slice of height h
#: whose ends are w columns apart misplaces hw/8 of a pixel at most: 1e-3 with so many.
EVEN_PER_ROOT, ROUND_PER_ROOT = 12.0, 18.0

#: At most.
MOST = 1 << 14

#: Rows across a circle, below which it is sliced in θ throughout.
SMALL = 12.0


class Slices(NamedTuple):
    """Sub-rows: which pair each belongs to, where to take the half-width, and where it ends."""

    pair: Ints
    y_mid: Floats
    y_from: Floats
    y_to: Floats


def sub_rows(
    row: Ints, first: Floats, top: Floats, bottom: Floats, last: Floats, spread: Floats
) -> Iterator[Slices]:
    """Slice the part of each row that a circle reaches.

    Parameters
    ----------
    row : (m,) ndarray of int
        The rows.
    first, last : (m,) ndarray
        First and last y of the circle that each row is about.
    top, bottom : (m,) ndarray
        The y between which the circle holds parts of parallels; whole ones beyond.
    spread : (m,) ndarray
        By how many columns the circle's half-width changes within the row.

    Yields
    ------
    Slices
        Those of some of the rows.
    """
    whole_body = top >= bottom
    top, bottom = np.where(whole_body, last, top), np.where(whole_body, last, bottom)
    yield from _whole_slices(row, first, top)
    yield from _whole_slices(row, bottom, last)

    y_first, y_last = np.maximum(row, top), np.minimum(row + 1.0, bottom)
    reached = np.flatnonzero(y_last > y_first)
    crossing = (top <= row) & (bottom >= row + 1.0) & (bottom - top > SMALL)
    even = crossing[reached]
    wanted = np.sqrt(np.nan_to_num(spread[reached]))
    wanted *= np.where(even, EVEN_PER_ROOT, ROUND_PER_ROOT)
    wanted = np.clip(wanted, np.where(even, FEWEST_EVEN, FEWEST_ROUND), MOST)
    # Rounding must not double the slices of a mirror image.
    count = 1 << np.ceil(np.log2(wanted) - 1e-6).astype(np.intp)
    # Odd numbers stand for slices in θ.
    kind = count + ~even
    for number in np.unique(kind):
        pair = reached[kind == number]
        if number % 2 == 0:
            yield _even_slices(pair, row[pair], int(number))
        else:
            ends = y_first[pair], y_last[pair]
            yield _round_slices(pair, *ends, top[pair], bottom[pair], int(number) - 1)


def _whole_slices(row: Ints, start: Floats, stop: Floats) -> Iterator[Slices]:
    """One slice for the part of each row between two y, where the half-width is constant."""
    y_from, y_to = np.maximum(row, start), np.minimum(row + 1.0, stop)
    pair = np.flatnonzero(y_to > y_from)
    if pair.size:
        y_from, y_to = y_from[pair], y_to[pair]
        yield Slices(pair, (y_from + y_to) / 2, y_from, y_to)


def _even_slices(pair: Ints, row: Ints, count: int) -> Slices:
    """Slices of equal height of whole rows."""
    steps = np.arange(2 * count + 1) / (2.0 * count)
    y = row[:, None] + steps
    return Slices(
        np.repeat(pair, count), y[:, 1::2].ravel(), y[:, :-1:2].ravel(), y[:, 2::2].ravel()
    )


def _round_slices(
    pair: Ints, y_first: Floats, y_last: Floats, top: Floats, bottom: Floats, count: int
) -> Slices:
    """Slices of equal steps in θ."""
    centre, radius = ((top + bottom) / 2)[:, None], ((bottom - top) / 2)[:, None]

    def angle(y: Floats) -> Floats:
        sine = np.clip((y[:, None] - centre) / radius, -1.0, 1.0)
        # Rounding at the ends, where θ is steep, would not be the same for mirror images.
        return np.arcsin(np.where(np.abs(sine) > 1.0 - 1e-12, np.sign(sine), sine))

    start, stop = angle(y_first), angle(y_last)
    edges = centre + radius * np.sin(start + (stop - start) * np.linspace(0.0, 1.0, count + 1))
    edges[:, 0], edges[:, -1] = y_first, y_last
    step = (stop - start) / count
    theta = start + step * (np.arange(count) + 0.5)
    middles = centre + radius * _sine_of_mean_width(theta, step)
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
