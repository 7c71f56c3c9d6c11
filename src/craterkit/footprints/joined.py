"""ROIs of several regions on one grid as one sequence, so that one pass over a raster serves all."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from craterkit.footprints.spans import Footprints, Spans

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from craterkit.footprints.engine import Engine

    Floats = NDArray[np.float64]
    Ints = NDArray[np.intp]

__all__ = ["JoinedRegions"]


class JoinedRegions:
    """The ROIs of several engines, one engine after the other.

    Parameters
    ----------
    engines : sequence of Engine
        On the same grid.

    Attributes
    ----------
    groups : (n,) ndarray of int
        Which engine each ROI belongs to.
    most_pixels : (n,) ndarray
        How many pixels each ROI has at most; infinity where the engine knows no better than its bounds.
    """

    def __init__(self, engines: Sequence[Engine]) -> None:
        self._engines = list(engines)
        sizes = [len(engine) for engine in engines]
        self._starts = np.concatenate([[0], np.cumsum(sizes)]).astype(np.intp)
        self.groups = np.repeat(np.arange(len(sizes)), sizes)
        self.rows = np.concatenate([engine.rows for engine in engines])
        self.torn = np.concatenate([engine.torn for engine in engines])
        self.most_pixels = np.concatenate(
            [getattr(engine, "pixels", np.full(len(engine), np.inf)) for engine in engines]
        )
        self.leaves = np.concatenate([engine.leaves for engine in engines])

    def __len__(self) -> int:
        return int(self._starts[-1])

    def columns(self) -> tuple[Floats, Floats]:
        """Continuous columns that each ROI may touch, unwrapped around its centre."""
        low, high = zip(*(engine.columns() for engine in self._engines), strict=True)
        return np.concatenate(low), np.concatenate(high)

    def _split(self, rois: Ints) -> list[tuple[int, Engine, Ints]]:
        """Position of the first, engine and own numbers of the ROIs of each engine."""
        groups = self.groups[rois]
        if (np.diff(groups) < 0).any():
            raise ValueError("rois must be sorted by group")
        parts = []
        for number, engine in enumerate(self._engines):
            begin, end = np.searchsorted(groups, [number, number + 1])
            if end > begin:
                parts.append((int(begin), engine, rois[begin:end] - self._starts[number]))
        return parts

    def footprints(self, rois: Ints, row_start: int, row_stop: int) -> Footprints:
        """Pixels of some ROIs, sorted by group, between two rows of the raster."""
        found = []
        for begin, engine, own in self._split(rois):
            part = engine.footprints(own, row_start, row_stop)
            spans = part.spans
            moved = Spans(spans.roi + begin, spans.row, spans.start, spans.stop)
            found.append(Footprints(moved, part.weights, part.shares))
        return found[0] if len(found) == 1 else Footprints.concatenate(found)

    def ground_weight(self, rois: Ints) -> Floats:
        """Weight of whole ROIs, sorted by group, the ground outside the raster included."""
        parts = [engine.ground_weight(own) for _, engine, own in self._split(rois)]
        return np.concatenate(parts) if parts else np.zeros(0)
