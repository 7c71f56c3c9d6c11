"""Chosen pixels: an ROI for every feature that is made of pixels of one grid."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from craterkit.footprints.spans import Spans, ranges

if TYPE_CHECKING:
    from craterkit.grids.base import Grid

__all__ = ["ChosenPixels"]


@dataclass(frozen=True, eq=False)
class ChosenPixels:
    """Pixels of a grid for every feature.

    Parameters
    ----------
    spans : Spans
        The pixels, sorted; `Spans.roi` is the feature.
    size : int
        How many features there are.
    grid : Grid
        Their grid; rasters on another one are refused.
    """

    spans: Spans
    size: int
    grid: Grid

    def take(self, which: Any) -> ChosenPixels:  # noqa: ANN401
        """The definition for some of the features: a slice, a mask or positions."""
        features = np.arange(self.size)[which]
        if np.array_equal(features, np.arange(self.size)):
            return self
        edges = np.searchsorted(self.spans.roi, np.arange(self.size + 1))
        count = np.diff(edges)[features]
        spans = self.spans.take(ranges(edges[features], count))
        feature = np.repeat(np.arange(features.size), count)
        return ChosenPixels(
            Spans(feature, spans.row, spans.start, spans.stop), features.size, self.grid
        )

    def describe(self) -> str:
        """A few words on what it is."""
        return f"chosen pixels of {self.grid.name}"
