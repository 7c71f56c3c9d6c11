"""Sub-rows: thin slices of rows over which a circle's half-width hardly changes.

The covered share of a pixel is the mean, over the height of its row, of what the circle's arc covers of
its width. Near the northern and southern end of a circle the half-width changes by many columns within
one row and like a square root, so slices are spaced evenly in the angle θ of y = centre + radius · sin θ,
in which the half-width is smooth, and there are more of them where it changes more.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.intp]

__all__ = ["sub_rows"]

FEWEST = 8
MOST = 1 << 14
PER_COLUMN = 4.0


def sub_rows(
    row: Ints, top: Floats, middle: Floats, bottom: Floats, spread: Floats
) -> Iterator[tuple[Ints, Floats, Floats, Floats]]:
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
    pair : (k,) ndarray of int
        Position in `row` of each slice.
    y_mid, y_from, y_to : (k,) ndarray
        Where the half-width is to be taken, and the ends of the slice.
    """
    y_first, y_last = np.maximum(row, top), np.minimum(row + 1.0, bottom)
    reached = np.flatnonzero(y_last > y_first)
    if not reached.size:
        return
    wanted = np.clip(np.nan_to_num(PER_COLUMN * spread[reached]), FEWEST, MOST)
    slices = 2 ** np.ceil(np.log2(wanted)).astype(np.intp)
    for count in np.unique(slices):
        pair = reached[slices == count]
        above, below = (middle - top)[pair, None], (bottom - middle)[pair, None]
        centre = middle[pair, None]

        def angle(y: Floats, above: Floats = above, below: Floats = below) -> Floats:
            """θ of y; 0 on a side of no height (the centre is at a pole)."""
            offset = y[:, None] - centre  # noqa: B023
            reach = np.where(offset < 0, above, below)
            ratio = np.divide(offset, reach, out=np.zeros_like(reach), where=reach > 0)
            return np.arcsin(np.clip(ratio, -1.0, 1.0))

        start, stop = angle(y_first[pair]), angle(y_last[pair])

        def y_at(sine: Floats, above: Floats = above, below: Floats = below) -> Floats:
            return centre + np.where(sine < 0, above, below) * sine  # noqa: B023

        edges = y_at(np.sin(start + (stop - start) * np.linspace(0.0, 1.0, count + 1)))
        edges[:, 0], edges[:, -1] = y_first[pair], y_last[pair]
        middles = start + (stop - start) * (np.arange(count) + 0.5) / count
        yield (
            np.repeat(pair, count),
            y_at(_sine_of_mean_width(middles, (stop - start) / count)).ravel(),
            edges[:, :-1].ravel(),
            edges[:, 1:].ravel(),
        )


def _sine_of_mean_width(theta: Floats, step: Floats) -> Floats:
    """sin θ where the half-width cos θ of a unit circle is its mean over a slice of height.

    Over the slice θ ± step/2 that mean is ∫cos² θ dθ / ∫cos θ dθ. It makes the area of a circle
    exact with any number of slices.
    """
    area = step + np.cos(2 * theta) * np.sin(step)
    height = 4.0 * np.cos(theta) * np.sin(step / 2)
    mean = np.divide(area, height, out=np.cos(theta), where=height > 0)
    return np.copysign(np.sqrt(np.maximum(1.0 - mean**2, 0.0)), theta)
