"""Which pixels are taken: those of the footprints, batch by batch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from craterkit.extraction.batches import batches

if TYPE_CHECKING:
    from collections.abc import Iterator

    from craterkit.extraction.plan import Chunk
    from craterkit.footprints.joined import JoinedRegions
    from craterkit.footprints.spans import Footprints

__all__ = ["Selection"]


class Selection:
    """The pixels of ROIs, chunk by chunk.

    Parameters
    ----------
    regions : JoinedRegions
        The ROIs.
    """

    def __init__(self, regions: JoinedRegions) -> None:
        self.regions = regions

    def footprints(self, chunk: Chunk) -> Iterator[tuple[slice, Footprints]]:
        """Batches of the ROIs of a chunk, as slices of ``chunk.rois``, and their pixels in it."""
        window = chunk.window
        for batch in batches(self.regions, chunk):
            rois = chunk.rois[batch]
            yield batch, self.regions.footprints(rois, window.row_start, window.row_stop)
