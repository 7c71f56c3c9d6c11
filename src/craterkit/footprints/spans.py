"""Spans: runs of pixels, row by row, for many regions of interest at once.

This is the one form in which every footprint engine hands over its pixels, and the only one that
extraction knows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Ints = NDArray[np.intp]
    Floats = NDArray[np.float64]

__all__ = ["Footprints", "Spans", "ranges"]


def ranges(start: Ints, length: Ints) -> Ints:
    """``start[i], start[i] + 1, ...`` for `length[i]` numbers, one after the other.

    Examples
    --------
    >>> ranges(np.array([5, 0]), np.array([2, 3]))
    array([5, 6, 0, 1, 2])
    """
    ends = np.cumsum(length)
    out = np.arange(ends[-1] if ends.size else 0)
    out += np.repeat(start - ends + length, length)
    return out


@dataclass(frozen=True, slots=True)
class Spans:
    """Runs of pixels: ``row[i]``, columns ``start[i]`` to ``stop[i]`` (exclusive), of ROI ``roi[i]``.

    Sorted by ROI, row and column; no run is empty and no two of an ROI share a pixel.
    """

    roi: Ints
    row: Ints
    start: Ints
    stop: Ints

    def __len__(self) -> int:
        return self.roi.size

    @property
    def length(self) -> Ints:
        """Pixels in each run."""
        return self.stop - self.start

    def take(self, index: Ints | slice) -> Spans:
        """The runs at `index`."""
        return Spans(self.roi[index], self.row[index], self.start[index], self.stop[index])

    @classmethod
    def union(cls, roi: Ints, row: Ints, start: Ints, stop: Ints) -> Spans:
        """Runs in any order, empty or overlapping, brought into order and joined where they meet."""
        full = stop > start
        if not full.all():
            roi, row, start, stop = roi[full], row[full], start[full], stop[full]
        if roi.size < 2:
            return cls(roi, row, start, stop)
        order = np.lexsort((start, row, roi))
        roi, row, start, stop = roi[order], row[order], start[order], stop[order]
        apart = (roi[1:] != roi[:-1]) | (row[1:] != row[:-1]) | (start[1:] > stop[:-1])
        first = np.flatnonzero(np.concatenate([[True], apart]))
        if first.size == roi.size:
            return cls(roi, row, start, stop)
        return cls(roi[first], row[first], start[first], np.maximum.reduceat(stop, first))

    @classmethod
    def join(cls, parts: Sequence[Spans]) -> tuple[Spans, Ints]:
        """Runs of several parts that share no pixel, in order, and the order of their pixels.

        Returns
        -------
        spans : Spans
            The runs, sorted.
        order : ndarray of int
            Where each pixel of `spans` stands among the pixels of the parts.
        """
        roi, row, start, stop = (
            np.concatenate([getattr(part, name) for part in parts])
            for name in ("roi", "row", "start", "stop")
        )
        length = stop - start
        first = np.cumsum(length) - length
        order = np.lexsort((start, row, roi))
        spans = cls(roi[order], row[order], start[order], stop[order])
        return spans, ranges(first[order], length[order])


@dataclass(frozen=True, slots=True)
class Footprints:
    """Pixels of many ROIs and what each pixel counts for.

    Attributes
    ----------
    spans : Spans
        The pixels.
    weights : ndarray or None
        One weight a pixel in the order of `spans`; None if every pixel counts for 1.
    """

    spans: Spans
    weights: Floats | None = None

    @classmethod
    def concatenate(cls, parts: Sequence[Footprints]) -> Footprints:
        """Footprints one after the other; all of them have weights, or none has."""
        spans = Spans(
            *(
                np.concatenate([getattr(part.spans, name) for part in parts])
                for name in ("roi", "row", "start", "stop")
            )
        )
        if parts[0].weights is None:
            return cls(spans)
        return cls(
            spans, np.concatenate([part.weights for part in parts if part.weights is not None])
        )
