"""Pieces of ellipses: what a row sees of a circle's boundary, with shares of pixels in closed form.

The square of a circle's half-width hardly differs from a parabola in y over the height of a row. Put
through three of its values, that parabola makes the boundary a piece of an ellipse. What the piece
covers of each pixel that it crosses then follows from areas of segments of the ellipse.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.intp]

__all__ = ["EllipsePieces"]

#: Slices thinner than this, in rows, have no shape of their own: rounding would make it up.
THINNEST = 1e-3


class EllipsePieces(NamedTuple):
    """Parts of slices of a circle, each on one side of where its ellipse is widest.

    Attributes
    ----------
    slice : (m,) ndarray of int
        Which slice each piece belongs to; one in which the ellipse is widest falls into two.
    height, area : (m,) ndarray
        Height in rows, and the integral of the half-width over it.
    wide, narrow : (m,) ndarray
        Half-widths at its ends, in columns.
    peak, segment : (m,) ndarray
        Half-width where the ellipse is widest, and half of that times its half-height in rows.
    near, before : (m,) ndarray
        Rows from where the ellipse is widest to the wide end, and the integral of the half-width over
        them.
    """

    slice: Ints
    height: Floats
    area: Floats
    wide: Floats
    narrow: Floats
    peak: Floats
    segment: Floats
    near: Floats
    before: Floats

    @classmethod
    def through(cls, height: Floats, start: Floats, middle: Floats, end: Floats) -> EllipsePieces:
        """Pieces of slices whose squared half-width is known at both ends and in the middle."""
        # Half-width² = peak² − stretch² w², with w counted in slices from where it is widest.
        stretch_squared = 4.0 * middle
        stretch_squared -= 2.0 * (start + end)
        shapeless = np.flatnonzero((stretch_squared <= 0.0) | (height < THINNEST))
        stretch_squared[shapeless] = 1.0
        slope = end - start
        widest = slope / stretch_squared
        widest *= 0.5
        slope *= widest
        slope *= 0.5
        peak_squared = middle + slope
        half_height = np.sqrt(peak_squared / stretch_squared)
        half_height[shapeless] = 1.0
        peak = np.sqrt(peak_squared, out=peak_squared)
        segment = 0.5 * peak * half_height * height
        near, far = np.abs(-0.5 - widest), np.abs(0.5 - widest)
        near, far = np.minimum(near, far), np.maximum(near, far)
        index = np.arange(height.size)
        within = np.abs(widest) < 0.5
        within[shapeless] = False
        split = np.flatnonzero(within)
        if split.size:
            index = np.concatenate([index, split])
            near = np.concatenate([near, np.zeros(split.size)])
            far = np.concatenate([far, near[split]])
            near[split] = 0.0
            height, peak, half_height, segment = (
                values[index] for values in (height, peak, half_height, segment)
            )
        before, wide = _segments(near / half_height)
        area, narrow = _segments(far / half_height)
        before *= segment
        area *= segment
        area -= before
        wide *= peak
        narrow *= peak
        far -= near
        near *= height
        far *= height
        if shapeless.size:
            mean = np.sqrt([start[shapeless], middle[shapeless], end[shapeless]])
            mean = np.average(mean, axis=0, weights=[1.0, 4.0, 1.0])
            wide[shapeless] = narrow[shapeless] = mean
            area[shapeless] = mean * height[shapeless]
            far[shapeless] = height[shapeless]
        return cls(index, far, area, wide, narrow, peak, segment, near, before)

    def take(self, index: Ints) -> EllipsePieces:
        """The pieces at `index`."""
        return EllipsePieces._make(values[index] for values in self)

    def lines(self, column: Floats, side: float) -> tuple[Ints, Ints, Floats]:
        """Edges of columns that the boundary crosses on one side.

        Parameters
        ----------
        column : (m,) ndarray
            Where half-widths count from.
        side : {-1.0, 1.0}
            Towards lower or towards higher columns.

        Returns
        -------
        piece : (k,) ndarray of int
            Whose boundary it is.
        line : (k,) ndarray of int
            The edge.
        excess : (k,) ndarray
            What the circle covers beyond the edge, more than if its half-width were the mean one.
        """
        ends = column + side * self.narrow, column + side * self.wide
        low, high = ends if side > 0 else ends[::-1]
        start = np.floor(low).astype(np.intp)
        start += 1
        count = np.ceil(high).astype(np.intp)
        count -= start
        np.maximum(count, 0, out=count)
        piece = np.repeat(np.arange(count.size), count)
        start -= np.cumsum(count) - count
        line = np.arange(piece.size)
        line += start[piece]
        distance = line - column[piece]
        distance *= side
        cosine = distance / self.peak[piece]
        np.clip(cosine, 0.0, 1.0, out=cosine)
        excess = np.arccos(cosine)
        excess -= cosine * np.sqrt(1.0 - cosine * cosine)
        excess *= self.segment[piece]
        excess += distance * self.near[piece]
        excess -= self.before[piece]
        distance *= self.height[piece]
        excess -= np.maximum(self.area[piece] - distance, 0.0)
        return piece, line, np.maximum(excess, 0.0, out=excess)


def _segments(sine: Floats) -> tuple[Floats, Floats]:
    """Twice the integral of √(1 − w²) from 0 to `sine`, and that root at its end."""
    np.minimum(sine, 1.0, out=sine)
    root = sine * sine
    np.subtract(1.0, root, out=root)
    np.sqrt(root, out=root)
    integral = np.arcsin(sine)
    integral += sine * root
    return integral, root
