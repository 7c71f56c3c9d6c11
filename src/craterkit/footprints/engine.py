"""What extraction asks of a footprint engine, whatever its ROIs and its grid."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from craterkit.footprints.spans import Footprints

    Floats = NDArray[np.float64]
    Ints = NDArray[np.intp]

__all__ = ["Engine"]


class Engine(Protocol):
    """ROIs on a grid, whose pixels can be had for any of them and any rows."""

    #: First row and end row that each ROI may touch, (n, 2), not clipped to the raster.
    rows: NDArray[np.int64]

    #: ROIs that reach the edge or the seam of a map, (n,); bounds of these are rough.
    torn: NDArray[np.bool_]

    #: Those of them of which a part lies beyond the raster or the map.
    leaves: NDArray[np.bool_]

    def __len__(self) -> int: ...

    def columns(self) -> tuple[Floats, Floats]:
        """Continuous columns that each ROI may touch, unwrapped around its centre."""

    def footprints(self, rois: Ints, row_start: int, row_stop: int) -> Footprints:
        """Pixels of some ROIs between two rows of the raster; their `roi` are positions in `rois`."""

    def ground_weight(self, rois: Ints) -> Floats:
        """Weight of whole ROIs, the ground outside the raster included."""
