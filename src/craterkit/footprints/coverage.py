"""Exact shares of pixels, by running sums along rows.

The share of each pixel that a thin arc [low, high] of a row covers is a step up at `low` and a step
down at `high`, each split over two neighbouring pixels. So arcs only leave four numbers each, however
many pixels lie between; one cumulative sum turns all of them into shares.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from craterkit.footprints.spans import ranges

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from craterkit.footprints.spans import Spans

    Floats = NDArray[np.float64]
    Ints = NDArray[np.intp]

__all__ = ["CoverageSums"]

#: What covers less than this share of the largest pixel is left by rounding.
DUST = 1e-11


class CoverageSums:
    """Sums of covered weight over the pixels of some spans.

    Parameters
    ----------
    spans : Spans
        Every pixel that may be covered.

    Examples
    --------
    >>> from craterkit.footprints.spans import Spans
    >>> one = np.array([0])
    >>> spans = Spans(roi=one, row=one, start=np.array([2]), stop=np.array([6]))
    >>> sums = CoverageSums(spans)
    >>> sums.add(one, low=np.array([2.25]), high=np.array([5.5]), weight=np.array([1.0]))
    >>> sums.over(spans)
    array([0.75, 1.  , 1.  , 0.5 ])
    """

    def __init__(self, spans: Spans) -> None:
        self.spans = spans
        length = spans.length
        ends = np.cumsum(length)
        self._size = int(ends[-1]) if ends.size else 0
        #: Column that would stand at place 0.
        self._origin = spans.start - ends + length
        self._places: list[Ints] = []
        self._steps: list[Floats] = []

    def add(self, span: Ints, low: Floats, high: Floats, weight: Floats) -> None:
        """Add arcs [low, high] of `weight` to the rows that `span` names; clipped to those spans."""
        self.step(span, low, weight)
        self.step(span, high, -weight)

    def step(self, span: Ints, edge: Floats, weight: Floats) -> None:
        """Add `weight` from `edge` to the end of the spans that `span` names; clipped to them.

        All steps of a row must add up to 0.
        """
        edge = np.clip(edge, self.spans.start[span], self.spans.stop[span])
        place = edge.astype(np.intp)
        edge -= place
        place -= self._origin[span]
        # At the end of a span nothing spills over.
        share = edge * weight
        self._places += [place, place + 1]
        self._steps += [weight - share, share]

    def bend(self, span: Ints, line: Ints, amount: Floats) -> None:
        """Shift `amount` from the pixel after the column edge `line` to the one before it.

        Pixels beyond the spans that `span` names get and lose nothing.
        """
        start, stop, origin = self.spans.start[span], self.spans.stop[span], self._origin[span]
        for offset, factor in ((-1, 1.0), (0, -2.0), (1, 1.0)):
            self._places.append(np.clip(line + offset, start, stop) - origin)
            self._steps.append(factor * amount)

    def over(self, spans: Spans) -> Floats:
        """Covered weight of every pixel of `spans`, each of which lies within one of the sums' own."""
        if not self._places or not len(spans):
            return np.zeros(int(spans.length.sum()))
        steps = np.bincount(
            np.concatenate(self._places),
            weights=np.concatenate(self._steps),
            minlength=self._size + 2,
        )
        sums: Floats = np.cumsum(steps[: self._size], dtype=np.float64)
        sums[sums < DUST * sums.max(initial=0.0)] = 0.0
        if spans is self.spans:
            return sums
        parent = self.find(spans)
        return sums[ranges(spans.start - self._origin[parent], spans.length)]

    def find(self, spans: Spans) -> Ints:
        """Which of the sums' own spans holds each of `spans`."""
        rows = int(self.spans.row.max()) + 1
        columns = int(self.spans.stop.max()) + 1

        def key(of: Spans) -> NDArray[np.int64]:
            return (of.roi.astype(np.int64) * rows + of.row) * columns + of.start

        return np.searchsorted(key(self.spans), key(spans), side="right") - 1
