"""Batches: ROIs and spans cut into portions that fit the budget, and are worth a thread's while."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from craterkit.footprints.spans import Footprints

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from craterkit.extraction.plan import Chunk
    from craterkit.footprints.joined import JoinedRegions

    Ints = NDArray[np.intp]

__all__ = ["Batch", "batches", "portions"]

#: Pairs of an ROI and a row whose footprints are found at a time. Of fewer, threads that work side by
#: side spend more of their time on handing over the interpreter.
BATCH_ROWS = 1 << 18

#: Such a pair takes as much memory as so many pixels.
PIXELS_A_ROW = 4

#: Pixels whose weights are found at a time, holes included.
BATCH_PIXELS = 1 << 22

#: Pixels that are worked on at a time.
PORTION_PIXELS = 1 << 20


class Batch(NamedTuple):
    """Some ROIs of a chunk, or a strip of a single large one.

    `rois` are positions in those of the chunk; `is_strip` tells that other batches have the rest of
    the ROI's pixels in the chunk.
    """

    rois: slice
    row_start: int
    row_stop: int
    is_strip: bool


def batches(regions: JoinedRegions, chunk: Chunk, limit: int) -> Iterator[Batch]:
    """Cut the ROIs of a chunk into runs of one group, of up to about `limit` pixels each."""
    window, rois = chunk.window, chunk.rois
    if not rois.size:
        return
    limit = min(limit, BATCH_PIXELS)
    rows = max(1, min(BATCH_ROWS, limit // PIXELS_A_ROW))
    top, bottom = np.clip(regions.rows[rois].T, window.row_start, window.row_stop)
    pixels = (bottom - top) * chunk.widths
    large = pixels > limit
    new = np.diff(np.cumsum(bottom - top) // rows) > 0
    new |= np.diff(np.cumsum(pixels) // limit) > 0
    new |= np.diff(regions.groups[rois]) > 0
    new |= large[1:] | large[:-1]
    cuts = [0, *(np.flatnonzero(new) + 1).tolist(), rois.size]
    for start, stop in pairwise(cuts):
        if not large[start]:
            yield Batch(slice(start, stop), window.row_start, window.row_stop, False)
            continue
        step = max(1, int(limit / chunk.widths[start]))
        edges = [*range(int(top[start]), int(bottom[start]), step), int(bottom[start])]
        for first, end in pairwise(edges):
            yield Batch(slice(start, stop), first, end, len(edges) > 2)


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
