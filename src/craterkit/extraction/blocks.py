"""Reading the blocks of a chunk, and what of them could not be read."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import groupby, pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from craterkit.errors import RasterError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from craterkit.extraction.plan import Chunk
    from craterkit.footprints.spans import Spans
    from craterkit.rasters.base import Band, Raster, Window

    Bools = NDArray[np.bool_]
    Ints = NDArray[np.intp]

__all__ = ["Pixels", "bytes_per_pixel", "read_chunk"]


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


@dataclass
class _Target:
    """Where the pixels of one band go."""

    raster: Raster
    pixels: Pixels
    unread: list[Window] = field(default_factory=list)

    def part(self, window: Window) -> tuple[NDArray[Any], NDArray[np.uint8] | None]:
        where = _within(window, self.pixels.window)
        mask = self.pixels.mask
        return self.pixels.raw[where], None if mask is None else mask[where]

    def done(self) -> Pixels:
        if not self.unread:
            return self.pixels
        unread = np.zeros(self.pixels.raw.shape, dtype=np.bool_)
        for window in self.unread:
            unread[_within(window, self.pixels.window)] = True
        return replace(self.pixels, unread=unread)


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
    targets = [
        _Target(
            raster,
            Pixels(
                band,
                np.zeros(window.shape, dtype=band.dtype),
                np.zeros(window.shape, dtype=np.uint8) if band.has_mask else None,
                window,
            ),
        )
        for raster, band in bands
    ]
    for _, of_raster in groupby(targets, lambda target: id(target.raster)):
        together = list(of_raster)
        for part in chunk.reads:
            _read(together, part, flag_unread=flag_unread)
    return [target.done() for target in targets]


def _read(targets: Sequence[_Target], part: Window, *, flag_unread: bool) -> None:
    raster = targets[0].raster
    try:
        raws, masks = zip(*(target.part(part) for target in targets), strict=True)
        raster.read_bands([target.pixels.band for target in targets], part, raws, masks)
    except RasterError:
        # Which block is it? And what failed once may not fail again, as over a network.
        for target in targets:
            for block in _blocks(raster, part):
                try:
                    raster.read(target.pixels.band, block, *target.part(block))
                except RasterError:
                    if not flag_unread:
                        raise
                    target.unread.append(block)


def _blocks(raster: Raster, part: Window) -> Iterator[Window]:
    """The blocks of a part of a raster."""
    rows, columns = raster.block_edges()
    for top, bottom in pairwise(rows.tolist()):
        if bottom <= part.row_start or top >= part.row_stop:
            continue
        for left, right in pairwise(columns.tolist()):
            if right > part.col_start and left < part.col_stop:
                yield type(part)(
                    max(top, part.row_start),
                    min(bottom, part.row_stop),
                    max(left, part.col_start),
                    min(right, part.col_stop),
                )


def _within(window: Window, outer: Window) -> tuple[slice, slice]:
    return (
        slice(window.row_start - outer.row_start, window.row_stop - outer.row_start),
        slice(window.col_start - outer.col_start, window.col_stop - outer.col_start),
    )
