"""Masked arrays of the pixels of ROIs."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from craterkit.footprints.spans import Spans, ranges

if TYPE_CHECKING:
    from collections.abc import Sequence

    from affine import Affine
    from numpy.typing import NDArray

    from craterkit.extraction.blocks import Pixels
    from craterkit.extraction.companions import Layers
    from craterkit.extraction.plan import Chunk
    from craterkit.extraction.selection import Selection
    from craterkit.grids.base import Grid
    from craterkit.rasters.base import Band, Window

    Ints = NDArray[np.intp]
    Bools = NDArray[np.bool_]
    Masked = np.ma.MaskedArray[Any, Any]
    KeepArrays = Callable[[int, list[Masked], tuple[int, int]], None]

__all__ = ["ArrayJoiner", "ArraysWorker"]


@dataclass(frozen=True, slots=True)
class Patch:
    """The part of one ROI's window that lies in one chunk.

    Its columns are unwrapped: they count on beyond the seam, so that the patch is contiguous. `unread`
    is whether some of the ROI's pixels could not be read.
    """

    row: int
    column: int
    raw: NDArray[Any]
    masked: Bools
    unread: bool


class ArraysWorker:
    """Cuts the pixels of ROIs out of a chunk.

    Parameters
    ----------
    grid : Grid
        The raster's grid.
    selection : Selection
        The ROIs and their pixels.
    """

    def __init__(self, grid: Grid, selection: Selection) -> None:
        self._grid = grid
        self._selection = selection
        low, high = selection.regions.columns()
        self._middle = (low + high) / 2
        self._all_around = high - low >= grid.columns

    def work(
        self, chunk: Chunk, pixels: Sequence[Pixels], layers: Layers
    ) -> list[tuple[int, list[Patch]]]:
        """Patches of the ROIs of a chunk: (roi, one patch a band)."""
        out = []
        for batch, footprints, taken in self._selection.whole(chunk, layers):
            rois, spans = chunk.rois[batch.rois], footprints.spans
            if not len(spans):
                continue
            cuts = [*np.flatnonzero(np.diff(spans.roi, prepend=-1)), len(spans)]
            pixel = np.concatenate([[0], np.cumsum(spans.length)])
            for start, stop in pairwise(cuts):
                own = spans.take(slice(int(start), int(stop)))
                roi = int(rois[own.roi[0]])
                left_out = None if taken is None else ~taken[pixel[start] : pixel[stop]]
                unread = False
                if left_out is not None and layers.unread is not None:
                    unknown = layers.unread.ravel().take(layers.places(own)) & ~left_out
                    unread = bool(unknown.any())
                    left_out |= unknown
                out.append((roi, self._patches(roi, own, left_out, pixels, unread=unread)))
        return out

    def renumber(
        self, result: list[tuple[int, list[Patch]]], rois: Ints
    ) -> list[tuple[int, list[Patch]]]:
        """The result with ``rois[i]`` for ROI i."""
        return [(int(rois[roi]), patches) for roi, patches in result]

    def _patches(
        self,
        roi: int,
        spans: Spans,
        left_out: Bools | None,
        pixels: Sequence[Pixels],
        *,
        unread: bool,
    ) -> list[Patch]:
        window = pixels[0].window
        start, stop = self._unwrap(roi, spans, window)
        top, left = int(spans.row[0]), int(start.min())
        height, width = int(spans.row[-1]) - top + 1, int(stop.max()) - left
        outside = np.ones((height, width), dtype=bool)
        places = ranges((spans.row - top) * width + start - left, stop - start)
        outside.reshape(-1)[places] = False if left_out is None else left_out
        patches = []
        for pixel in pixels:
            rows = slice(top - window.row_start, top - window.row_start + height)
            raw = self._columns(pixel.raw[rows], left, width, window)
            masked = outside.copy()
            valid = pixel.band.valid(raw)
            if valid is not None:
                masked |= ~valid
            if pixel.mask is not None:
                masked |= self._columns(pixel.mask[rows], left, width, window) == 0
            lost = unread
            if pixel.unread is not None:
                unknown = self._columns(pixel.unread[rows], left, width, window) & ~outside
                lost |= bool(unknown.any())
                masked |= unknown
            patches.append(Patch(top, left, raw, masked, lost))
        return patches

    def _unwrap(self, roi: int, spans: Spans, window: Window) -> tuple[Ints, Ints]:
        """Columns of an ROI's spans, contiguous across the seam."""
        columns = self._grid.columns
        if not self._grid.wraps or (spans.length >= columns).any():
            return spans.start, spans.stop
        if window.shape[1] < columns and self._all_around[roi]:
            # Rows may be whole parallels, of which this is a part.
            return spans.start, spans.stop
        middle = (spans.start + spans.stop) / 2
        # The turn that brings each span nearest to the ROI's centre.
        turns = np.round((self._middle[roi] - middle) / columns).astype(np.intp)
        start, stop = spans.start + turns * columns, spans.stop + turns * columns
        if stop.max() - start.min() > columns:
            return spans.start, spans.stop
        return start, stop

    def _columns(self, data: NDArray[Any], left: int, width: int, window: Window) -> NDArray[Any]:
        """A copy of `width` columns from `left` on, wrapped around the body if need be.

        ``data`` are the columns of `window`; others give zeros.
        """
        begin = left - window.col_start
        if begin >= 0 and begin + width <= data.shape[1]:
            return data[:, begin : begin + width].copy()
        at = np.arange(left, left + width)
        at = (at % self._grid.columns if self._grid.wraps else at) - window.col_start
        there = (at >= 0) & (at < data.shape[1])
        out = np.zeros((data.shape[0], width), dtype=data.dtype)
        out[:, there] = data[:, at[there]]
        return out


class ArrayJoiner:
    """Joins the patches of each ROI, in the order of the chunks, to whole arrays.

    Parameters
    ----------
    grid : Grid
        The raster's grid.
    bands : sequence of Band
        The bands.
    keep : callable
        Takes an ROI, its masked array of each band, and the arrays' first row and column.
    scaled : bool
        Whether scale and offset are applied.

    Attributes
    ----------
    unread : set of int
        ROIs that have pixels in blocks that could not be read, on any band.
    """

    def __init__(
        self, grid: Grid, bands: Sequence[Band], keep: KeepArrays, *, scaled: bool
    ) -> None:
        self._grid = grid
        self._bands = bands
        self._keep = keep
        self._scaled = scaled
        self._waiting: dict[int, list[list[Patch]]] = {}
        self.unread: set[int] = set()

    def collect(self, chunk: Chunk, result: Iterable[tuple[int, list[Patch]]]) -> None:
        """Keep patches; join those of ROIs that end in this chunk."""
        for roi, patches in result:
            self._waiting.setdefault(roi, []).append(patches)
            if any(patch.unread for patch in patches):
                self.unread.add(roi)
        for roi in chunk.rois[chunk.ends].tolist():
            if roi in self._waiting:
                self._finish(roi, self._waiting.pop(roi))

    def _finish(self, roi: int, parts: list[list[Patch]]) -> None:
        arrays, corner = [], (0, 0)
        for number, band in enumerate(self._bands):
            patch = _join([patches[number] for patches in parts], self._grid.columns)
            data = patch.raw
            if self._scaled and band.is_scaled:
                data = band.physical(data)
            arrays.append(np.ma.MaskedArray(data, mask=patch.masked))
            corner = patch.row, patch.column
        self._keep(roi, arrays, corner)

    def no_array(self, band: Band) -> Masked:
        """What an ROI without pixels has."""
        scaled = self._scaled and band.is_scaled
        return np.ma.MaskedArray(np.zeros((0, 0), dtype=np.float64 if scaled else band.dtype))

    def transform(self, corner: tuple[int, int]) -> Affine:
        """Affine transform of an array that has its first row and column there."""
        from affine import Affine

        row, column = corner
        t = self._grid.transform
        x, y = t.c + column * t.a + row * t.b, t.f + column * t.d + row * t.e
        return Affine(t.a, t.b, x, t.d, t.e, y)


def _join(patches: list[Patch], columns: int) -> Patch:
    """One patch that holds several of one ROI; `columns` are those of the grid."""
    if len(patches) == 1:
        return patches[0]
    top = min(patch.row for patch in patches)
    bottom = max(patch.row + patch.raw.shape[0] for patch in patches)
    left = min(patch.column for patch in patches)
    right = max(patch.column + patch.raw.shape[1] for patch in patches)
    if right - left > columns:
        # Some rows are whole parallels: the raster's own columns hold everything.
        left, right = 0, columns
    raw = np.zeros((bottom - top, right - left), dtype=patches[0].raw.dtype)
    masked = np.ones(raw.shape, dtype=bool)
    for patch in patches:
        rows = np.arange(patch.raw.shape[0])[:, None] + (patch.row - top)
        across = np.arange(patch.raw.shape[1]) + (patch.column - left)
        across = across % columns if left == 0 else across
        # Patches may meet around the body: what one of them masks may be another's.
        raw[rows, across] = np.where(patch.masked, raw[rows, across], patch.raw)
        masked[rows, across] &= patch.masked
    return Patch(top, left, raw, masked, any(patch.unread for patch in patches))
