"""Which pixels are taken: those of the footprints that other features and other rasters leave."""

from __future__ import annotations

from typing import TYPE_CHECKING

from craterkit.extraction.batches import BATCH_PIXELS, Batch, batches

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    from numpy.typing import NDArray

    from craterkit.extraction.companions import Layers
    from craterkit.extraction.neighbors import Neighbors
    from craterkit.extraction.plan import Chunk
    from craterkit.footprints.joined import JoinedRegions
    from craterkit.footprints.spans import Footprints

    Bools = NDArray[np.bool_]

__all__ = ["Selection"]


class Selection:
    """The pixels of ROIs, chunk by chunk.

    Parameters
    ----------
    regions : JoinedRegions
        The ROIs.
    neighbors : Neighbors, optional
        Features whose pixels are left out.
    pixel_limit : int, optional
        About how many pixels a batch may have.
    """

    def __init__(
        self,
        regions: JoinedRegions,
        neighbors: Neighbors | None = None,
        pixel_limit: int = BATCH_PIXELS,
    ) -> None:
        self.regions = regions
        self.neighbors = neighbors
        self._pixel_limit = pixel_limit

    def footprints(self, chunk: Chunk, layers: Layers) -> Iterator[tuple[Batch, Footprints]]:
        """Batches of the ROIs of a chunk and their pixels in it."""
        for batch, whole, taken in self.whole(chunk, layers):
            footprints = whole if taken is None else whole.keep(taken)
            if layers.weights is not None:
                places = layers.places(footprints.spans)
                footprints = footprints.weighted(layers.weights.ravel().take(places))
            yield batch, footprints

    def whole(
        self, chunk: Chunk, layers: Layers
    ) -> Iterator[tuple[Batch, Footprints, Bools | None]]:
        """The same batches, whole footprints and which of their pixels are taken (None: all)."""
        window = chunk.window
        for batch in batches(self.regions, chunk, self._pixel_limit):
            rois = chunk.rois[batch.rois]
            whole = self.regions.footprints(rois, batch.row_start, batch.row_stop)
            whole = whole.within(window.col_start, window.col_stop)
            taken: Bools | None = None
            if layers.chosen is not None:
                taken = layers.chosen.ravel().take(layers.places(whole.spans))
            if self.neighbors is not None:
                top, bottom = self.regions.rows[rois].clip(batch.row_start, batch.row_stop).T
                covered = self.neighbors.covering(rois, whole.spans, top, bottom)
                if covered is not None:
                    taken = ~covered if taken is None else taken & ~covered
            yield batch, whole, taken
