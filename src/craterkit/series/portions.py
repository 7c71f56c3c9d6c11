"""Portions of a selection, so that not all of its pixels need be held at a time."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from craterkit.selection.runs import Runs

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Ints = NDArray[np.intp]

__all__ = ["Portions"]


class Portions:
    """Pixels of a selection by their numbers.

    Parameters
    ----------
    runs : Runs
        The n pixels.
    labels : (r,) ndarray of int
        The area of each run.

    Examples
    --------
    >>> runs = Runs(*np.array([[0, 1, 1], [2, 0, 5], [6, 3, 9]]))
    >>> portions = Portions(runs, np.array([0, 0, 1]))
    >>> part, labels = portions.part(3, 8)
    >>> part.rows, part.cols, labels
    (array([0, 1, 1, 1, 1]), array([5, 0, 1, 2, 5]), array([0, 0, 0, 0, 1]))
    """

    def __init__(self, runs: Runs, labels: Ints) -> None:
        self._runs, self._labels = runs, labels
        self._ends = np.cumsum(runs.length)

    def part(self, first: int, end: int) -> tuple[Runs, Ints]:
        """The pixels from number `first` on and before `end`, and the area of each."""
        begin = int(np.searchsorted(self._ends, first, side="right"))
        last = int(np.searchsorted(self._ends, end))
        own = slice(begin, last + 1 if end > first else begin)
        row, start, stop = (getattr(self._runs, name)[own] for name in ("row", "start", "stop"))
        if row.size:
            start, stop = start.copy(), stop.copy()
            before = self._ends[begin] - self._runs.stop[begin] + self._runs.start[begin]
            start[0] += first - before
            stop[-1] -= self._ends[last] - end
        runs = Runs(row, start, stop)
        return runs, np.repeat(self._labels[own], runs.length)

    def cuts(self, row_edges: Ints, most: int) -> Sequence[int]:
        """Where to cut the pixels: the number of the first pixel of each portion, and n.

        Parameters
        ----------
        row_edges : ndarray of int
            Rows at which blocks begin, and the end of the last one.
        most : int
            How many pixels a portion may have.

        Returns
        -------
        sequence of int
            Portions are rows of blocks, as many as will do. Only a row of blocks with more than `most`
            pixels is cut into several portions.

        Examples
        --------
        >>> portions = Portions(Runs.full((6, 10)), np.zeros(6, dtype=int))
        >>> portions.cuts(np.array([0, 2, 4, 6]), 50)
        [0, 40, 60]
        >>> portions.cuts(np.array([0, 2, 4, 6]), 15)
        [0, 10, 20, 30, 40, 50, 60]
        """
        ends = np.concatenate([[0], self._ends])
        edges = ends[np.searchsorted(self._runs.row, row_edges)].tolist()
        cuts = [0]
        for begin, end in pairwise([*edges, int(ends[-1])]):
            if end - cuts[-1] <= most:
                continue
            if begin > cuts[-1]:
                cuts.append(begin)
            if end - begin > most:
                pieces = -(-(end - begin) // most)
                cuts += [begin + (end - begin) * piece // pieces for piece in range(1, pieces + 1)]
        return [*cuts, int(ends[-1])] if cuts[-1] < ends[-1] else cuts
