"""Statistics of the ROIs of a chunk."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from craterkit.errors import StatisticError
from craterkit.extraction.batches import portions
from craterkit.footprints.spans import ranges
from craterkit.statistics.moments import Need, Piece
from craterkit.statistics.ordered import Groups, SortedGroups
from craterkit.statistics.valid_pixels import ValidPixels

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from craterkit.extraction.blocks import Pixels
    from craterkit.extraction.companions import Layers
    from craterkit.extraction.plan import Chunk
    from craterkit.extraction.selection import Selection
    from craterkit.footprints.spans import Footprints
    from craterkit.grids.base import Grid
    from craterkit.rasters.base import Band
    from craterkit.statistics.ordering import Ordered
    from craterkit.statistics.registry import Function, Request
    from craterkit.statistics.tallies import Tally

    Floats = NDArray[np.float64]
    Ints = NDArray[np.intp]

__all__ = ["Found", "StatisticsWorker"]


@dataclass
class Found:
    """What a chunk gives for one band.

    Attributes
    ----------
    pieces : list of Piece
        Moments.
    waiting : list of (roi, Groups)
        Values of ROIs that have more elsewhere.
    done : list of (roi, columns)
        Statistics that need all values, of ROIs that lie within the chunk.
    unread : list of ndarray of int
        ROIs that have pixels in blocks that could not be read.
    """

    pieces: list[Piece] = field(default_factory=list)
    waiting: list[tuple[Ints, Groups]] = field(default_factory=list)
    done: list[tuple[Ints, dict[str, Any]]] = field(default_factory=list)
    unread: list[Ints] = field(default_factory=list)

    def renumber(self, rois: Ints) -> Found:
        """The same with ``rois[i]`` for ROI i."""
        return Found(
            [replace(piece, roi=rois[piece.roi]) for piece in self.pieces],
            [(rois[roi], groups) for roi, groups in self.waiting],
            [(rois[roi], columns) for roi, columns in self.done],
            [rois[roi] for roi in self.unread],
        )


class StatisticsWorker:
    """Computes statistics of the ROIs of a chunk.

    Parameters
    ----------
    grid : Grid
        The raster's grid.
    selection : Selection
        The ROIs and their pixels.
    request : Request
        The statistics.
    tallies : sequence of Tally
        Sums that they need.
    area_weighted : bool
        Whether pixels count for their area.
    scaled : bool
        Whether scale and offset are applied.
    name_roi : callable
        Names an ROI in messages.
    """

    def __init__(
        self,
        grid: Grid,
        selection: Selection,
        request: Request,
        tallies: Sequence[Tally],
        *,
        area_weighted: bool,
        scaled: bool,
        name_roi: Callable[[int], str],
    ) -> None:
        self._grid = grid
        self._selection = selection
        self._request = request
        self._tallies = tallies
        self._area_weighted = area_weighted
        self._scaled = scaled
        self._name_roi = name_roi

    def work(self, chunk: Chunk, pixels: Sequence[Pixels], layers: Layers) -> list[Found]:
        """Moments of the ROIs of a chunk, and ordered statistics of those that lie within it."""
        found = [Found() for _ in pixels]
        for batch, footprints in self._selection.footprints(chunk, layers):
            rois, kept = chunk.rois[batch.rois], chunk.kept[batch.rois]
            values: list[list[tuple[Ints, Groups]]] = [[] for _ in pixels]
            for portion in portions(footprints):
                self._work_portion(rois, kept, portion, pixels, layers, found, values)
            whole = (chunk.begins & chunk.ends)[batch.rois] & (not batch.is_strip)
            for pixel, pieces, of_band in zip(pixels, values, found, strict=True):
                if not pieces:
                    continue
                key, groups = Groups.regroup(pieces)
                is_whole = np.isin(key, rois[whole])
                done, part = np.flatnonzero(is_whole), np.flatnonzero(~is_whole)
                if done.size:
                    columns = self.ordered(pixel.band, key[done], groups.take(done))
                    of_band.done.append((key[done], columns))
                if part.size:
                    of_band.waiting.append((key[part], groups.take(part)))
        return found

    def renumber(self, result: list[Found], rois: Ints) -> list[Found]:
        """The result with ``rois[i]`` for ROI i."""
        return [found.renumber(rois) for found in result]

    def _work_portion(
        self,
        rois: Ints,
        kept: NDArray[np.bool_],
        portion: Footprints,
        pixels: Sequence[Pixels],
        layers: Layers,
        found: list[Found],
        values: list[list[tuple[Ints, Groups]]],
    ) -> None:
        spans, need = portion.spans, self._request.need
        length = spans.length
        new = np.flatnonzero(np.diff(spans.roi, prepend=-1))
        first = spans.roi[new]
        roi, keeping = rois[first], np.flatnonzero(kept[first])
        starts = (np.cumsum(length) - length)[new]
        places = ranges(pixels[0].places(spans), length)
        in_raster = None
        if Need.PLACES in need:
            in_raster = ranges(spans.row * self._grid.shape[1] + spans.start, length)
        areas = self._areas(portion) if Need.AREAS in need else None
        for of_band, of_values, pixel in zip(found, values, pixels, strict=True):
            valid = ValidPixels.among(
                roi,
                starts,
                *pixel.take(places),
                portion.weights,
                pixel.band,
                scaled=self._scaled,
                places=in_raster,
                areas=areas,
                shares=portion.shares,
            )
            of_band.pieces.append(Piece.of(valid, need, self._tallies))
            for unread in (pixel.unread, layers.unread):
                if unread is not None:
                    hit = np.logical_or.reduceat(unread.ravel().take(places), starts)
                    of_band.unread.append(roi[hit])
            if self._request.needs_values and keeping.size:
                groups, keys = valid.groups, roi
                if keeping.size < roi.size:
                    groups, keys = groups.take(keeping), roi[keeping]
                of_values.append((keys, groups))

    def _areas(self, portion: Footprints) -> Floats:
        """Covered area of every pixel, m²."""
        spans = portion.spans
        shares = portion.weights if portion.shares is None else portion.shares
        if self._area_weighted:
            assert shares is not None
            return shares
        length = spans.length
        areas = self._grid.areas_at(np.repeat(spans.row, length), ranges(spans.start, length))
        return areas if shares is None else areas * shares

    def ordered(self, band: Band, roi: Ints, groups: Groups) -> dict[str, Any]:
        """Statistics of whole ROIs that need all their values."""
        columns: dict[str, Any] = {}
        if self._request.sorted_statistics:
            columns = self.from_sorted(self._in_order(band, groups))
        if self._request.functions:
            columns |= self.from_functions(band, roi, groups)
        return columns

    def from_sorted(self, ordered: Ordered) -> dict[str, Any]:
        """Statistics of values in order."""
        columns = {}
        for statistic in self._request.sorted_statistics:
            assert statistic.from_sorted is not None
            columns[statistic.name] = statistic.from_sorted(ordered)
        return columns

    def from_functions(self, band: Band, roi: Ints, groups: Groups) -> dict[str, Any]:
        """What the user's functions say of raw numbers."""
        physical = self._physical(band, groups)
        return {
            function.name: self._apply(function, roi, physical)
            for function in self._request.functions
        }

    def _physical(self, band: Band, groups: Groups) -> Groups:
        """The groups in physical values, or raw ones if so asked, in double precision."""
        scaled = self._scaled and band.is_scaled
        values = band.physical(groups.values) if scaled else groups.values.astype(np.float64)
        return Groups(groups.count, values, groups.weights)

    def _in_order(self, band: Band, groups: Groups) -> SortedGroups:
        if self._scaled and band.is_scaled and band.scale > 0:
            # Raw numbers sort faster, and in the same order.
            return SortedGroups(groups).scaled(band.scale, band.offset)
        if self._scaled and band.is_scaled:
            groups = self._physical(band, groups)
        return SortedGroups(groups)

    def _apply(self, function: Function, roi: Ints, groups: Groups) -> NDArray[Any]:
        out = np.full(groups.count.size, np.nan, dtype=object)
        for i, (start, count) in enumerate(zip(groups.starts, groups.count, strict=True)):
            if not count:
                continue
            own = slice(start, start + count)
            # Copies: a function may sort or change what it gets.
            arguments = [groups.values[own].copy()]
            if function.takes_weights:
                weights = groups.weights
                arguments.append(np.ones(count) if weights is None else weights[own].copy())
            try:
                out[i] = function.function(*arguments)
            except Exception as error:
                raise StatisticError(
                    f"stats: the function {function.name!r} failed for "
                    f"{self._name_roi(int(roi[i]))}: {type(error).__name__}: {error}"
                ) from error
        return out
