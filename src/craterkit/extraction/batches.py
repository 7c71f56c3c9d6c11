"""Batches: ROIs and spans cut into portions that fit the processor's caches."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from craterkit.footprints.spans import Footprints

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from craterkit.extraction.plan import Chunk
    from craterkit.footprints.joined import JoinedRegions

    Ints = NDArray[np.intp]

__all__ = ["batches", "portions"]

#: Pairs of an ROI and a row whose footprints are found at a time.
BATCH_ROWS = 1 << 15

#: Pixels whose weights are found at a time, holes included.
BATCH_PIXELS = 1 << 22

#: Pixels that are worked on at a time.
PORTION_PIXELS = 1 << 18


def batches(regions: JoinedRegions, chunk: Chunk) -> Iterator[slice]:
    """Cut the ROIs of a chunk into runs of one group and of a bounded size."""
    window, rois = chunk.window, chunk.rois
    top, bottom = np.clip(regions.rows[rois].T, window.row_start, window.row_stop)
    rows = np.cumsum(bottom - top) // BATCH_ROWS
    pixels = np.cumsum((bottom - top) * chunk.widths) // BATCH_PIXELS
    new = (np.diff(rows) > 0) | (np.diff(pixels) > 0) | (np.diff(regions.groups[rois]) > 0)
    cuts = [0, *(np.flatnonzero(new) + 1), rois.size]
    for start, stop in pairwise(cuts):
        yield slice(int(start), int(stop))


def portions(footprints: Footprints) -> Iterator[Footprints]:
    """Cut footprints into runs of spans of a bounded number of pixels."""
    spans = footprints.spans
    if not len(spans):
        return
    ends = np.cumsum(spans.length)
    if ends[-1] <= PORTION_PIXELS:
        yield footprints
        return
    cuts = [0, *(np.flatnonzero(np.diff(ends // PORTION_PIXELS) > 0) + 1), len(spans)]
    for start, stop in pairwise(cuts):
        own = slice(ends[start - 1] if start else 0, ends[stop - 1])
        weights, shares = (
            None if of_each is None else of_each[own]
            for of_each in (footprints.weights, footprints.shares)
        )
        yield Footprints(spans.take(slice(int(start), int(stop))), weights, shares)
