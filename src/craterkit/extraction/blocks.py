"""Reading the blocks of a chunk, and what of them could not be read."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import groupby, pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from craterkit.errors import RasterError
from craterkit.rasters.base import Window

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from craterkit.extraction.plan import Chunk
    from craterkit.footprints.spans import Spans
    from craterkit.rasters.base import Band, Raster

    Bools = NDArray[np.bool_]
    Ints = NDArray[np.intp]

__all__ = [
    "Pixels",
    "bytes_per_pixel",
    "cover",
    "read_chunk",
    "read_window",
    "rectangles",
    "within",
]


@dataclass(frozen=True, slots=True)
class Pixels:
    """Raw numbers of one band in one chunk; blocks that no ROI may touch are not filled in.

    Attributes
    ----------
    band : Band
        The band.
    raw : (rows, columns) ndarray
        Raw numbers.
    mask : (rows, columns) ndarray of uint8 or None
        The raster's own mask; 0 is no data.
    window : Window
        Its place.
    unread : (rows, columns) ndarray of bool or None
        Pixels of blocks that could not be read; None if all could.
    """

    band: Band
    raw: NDArray[Any]
    mask: NDArray[np.uint8] | None
    window: Window
    unread: Bools | None = None

    def places(self, spans: Spans) -> Ints:
        """Flat indices of the first pixel of each span."""
        row = spans.row - self.window.row_start
        return row * self.raw.shape[1] + (spans.start - self.window.col_start)

    def take(self, places: Ints) -> tuple[NDArray[Any], Bools | None]:
        """Raw numbers at flat indices, and which of them are data (None: all)."""
        raw = self.raw.ravel().take(places)
        valid = self.band.valid(raw)
        if self.mask is not None:
            unmasked = self.mask.ravel().take(places) != 0
            if not unmasked.all():
                valid = unmasked if valid is None else valid & unmasked
        return raw, valid


def bytes_per_pixel(bands: Sequence[Band]) -> int:
    """What a pixel of a chunk takes."""
    return sum(band.dtype.itemsize + band.has_mask for band in bands)


def read_chunk(
    bands: Sequence[tuple[Raster, Band]], chunk: Chunk, *, flag_unread: bool = False
) -> list[Pixels]:
    """Read the blocks of a chunk that are wanted; those of zeros take no memory.

    Parameters
    ----------
    bands : sequence of (Raster, Band)
        What to read.
    chunk : Chunk
        Where.
    flag_unread : bool, default False
        Whether blocks that cannot be read are told of in `Pixels.unread`.

    Raises
    ------
    RasterError
        If a block cannot be read, unless they are flagged; names the file, the band and the block.
    """
    window = chunk.window
    pixels = [
        Pixels(
            band,
            np.zeros(window.shape, dtype=band.dtype),
            np.zeros(window.shape, dtype=np.uint8) if band.has_mask else None,
            window,
        )
        for _, band in bands
    ]
    done = []
    for _, pairs in groupby(zip(bands, pixels, strict=True), lambda pair: id(pair[0][0])):
        of_raster = list(pairs)
        raster, together = of_raster[0][0][0], [pixel for _, pixel in of_raster]
        unread: list[list[Window]] = [[] for _ in together]
        for part in chunk.reads:
            where = within(part, window)
            failed = read_window(
                raster,
                [pixel.band for pixel in together],
                part,
                [pixel.raw[where] for pixel in together],
                [None if pixel.mask is None else pixel.mask[where] for pixel in together],
                flag_unread=flag_unread,
            )
            for of_band, blocks in zip(unread, failed, strict=True):
                of_band += blocks
        done += [
            replace(pixel, unread=cover(blocks, window)) if blocks else pixel
            for pixel, blocks in zip(together, unread, strict=True)
        ]
    return done


def read_window(
    raster: Raster,
    bands: Sequence[Band],
    window: Window,
    raws: Sequence[NDArray[Any]],
    masks: Sequence[NDArray[np.uint8] | None],
    *,
    flag_unread: bool,
) -> list[list[Window]]:
    """Read a window of some bands; gives the blocks of each that cannot be read, if these are flagged.

    Raises
    ------
    RasterError
        If a block cannot be read, unless they are flagged.
    """
    unread: list[list[Window]] = [[] for _ in bands]
    try:
        raster.read_bands(bands, window, raws, masks)
    except RasterError:
        # Which block is it? And what failed once may not fail again, as over a network.
        for band, raw, mask, failed in zip(bands, raws, masks, unread, strict=True):
            for block in _blocks(raster, window):
                where = within(block, window)
                try:
                    raster.read(band, block, raw[where], None if mask is None else mask[where])
                except RasterError:
                    if not flag_unread:
                        raise
                    failed.append(block)
    return unread


def cover(blocks: Sequence[Window], window: Window) -> Bools:
    """Which pixels of a window lie in some blocks."""
    covered = np.zeros(window.shape, dtype=np.bool_)
    for block in blocks:
        covered[within(block, window)] = True
    return covered


def _blocks(raster: Raster, part: Window) -> Iterator[Window]:
    """The blocks of a part of a raster."""
    rows, columns = raster.block_edges()
    for top, bottom in pairwise(rows.tolist()):
        if bottom <= part.row_start or top >= part.row_stop:
            continue
        for left, right in pairwise(columns.tolist()):
            if right > part.col_start and left < part.col_stop:
                yield Window(
                    max(top, part.row_start),
                    min(bottom, part.row_stop),
                    max(left, part.col_start),
                    min(right, part.col_stop),
                )


def rectangles(touched: Bools, rows: Ints, columns: Ints) -> Iterator[Window]:
    """Join touched blocks to rectangles: equal runs of equal neighbouring rows of blocks.

    `rows` and `columns` are the edges of the blocks.
    """
    change = np.flatnonzero((touched[1:] != touched[:-1]).any(axis=1)) + 1
    for start, stop in zip([0, *change], [*change, touched.shape[0]], strict=True):
        row = np.concatenate([[False], touched[start], [False]])
        edges = np.flatnonzero(row[1:] != row[:-1])
        for left, right in zip(edges[::2], edges[1::2], strict=True):
            yield Window(int(rows[start]), int(rows[stop]), int(columns[left]), int(columns[right]))


def within(window: Window, outer: Window) -> tuple[slice, slice]:
    """Rows and columns of a window in another that holds it."""
    return (
        slice(window.row_start - outer.row_start, window.row_stop - outer.row_start),
        slice(window.col_start - outer.col_start, window.col_stop - outer.col_start),
    )
