"""Statistics of all ROIs over one raster."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from craterkit.errors import StatisticError
from craterkit.extraction.batches import portions
from craterkit.footprints.spans import ranges
from craterkit.statistics.moments import Moments, Need, Piece, sum_dtype
from craterkit.statistics.ordered import Groups, SortedGroups
from craterkit.statistics.registry import Statistic
from craterkit.statistics.tallies import SHARES
from craterkit.statistics.valid_pixels import ValidPixels

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from craterkit.extraction.companions import Layers
    from craterkit.extraction.plan import Chunk
    from craterkit.extraction.selection import Selection
    from craterkit.extraction.walk import Pixels
    from craterkit.footprints.spans import Footprints
    from craterkit.grids.base import Grid
    from craterkit.rasters.base import Band
    from craterkit.statistics.registry import Function, Request

    Floats = NDArray[np.float64]
    Ints = NDArray[np.intp]

    #: What a chunk gives for one band: moments, and values of ROIs that need them all.
    Found = tuple[list[Piece], list[tuple[Ints, Groups]], list[tuple[Ints, dict[str, Any]]]]

__all__ = ["StatisticsWorker"]

#: By how much a share may exceed 1, relatively, because of rounding.
ROUNDING = 1e-3


class StatisticsWorker:
    """Computes statistics from the chunks of a walk.

    Parameters
    ----------
    grid : Grid
        The raster's grid.
    selection : Selection
        The ROIs and their pixels.
    bands : sequence of Band
        The bands.
    request : Request
        The statistics.
    reached : (n,) ndarray of bool
        Which ROIs the raster reaches.
    weighted : bool
        Whether pixels count differently.
    area_weighted : bool
        Whether they count for their area.
    share_sums : bool
        Whether valid fractions are wanted while a raster weighs the pixels, too.
    scaled : bool
        Whether scale and offset are applied.
    name_roi : callable
        Names an ROI in messages.

    Attributes
    ----------
    moments : list of Moments
        Of each band, in raw numbers; whole once the walk is over.
    """

    def __init__(
        self,
        grid: Grid,
        selection: Selection,
        bands: Sequence[Band],
        request: Request,
        reached: NDArray[np.bool_],
        *,
        weighted: bool,
        area_weighted: bool,
        share_sums: bool,
        scaled: bool,
        name_roi: Callable[[int], str],
    ) -> None:
        self._grid = grid
        self._selection = selection
        self._bands = bands
        self._request = request
        self._reached = reached
        self._area_weighted = area_weighted
        self._scaled = scaled
        self._name_roi = name_roi
        size = len(selection.regions)
        self._tallies = (*request.tallies, SHARES) if share_sums else request.tallies
        self.moments = [
            Moments(
                size,
                integer=not weighted and sum_dtype(band.dtype) == np.int64,
                tallies=self._tallies,
            )
            for band in bands
        ]
        self._columns: list[dict[str, NDArray[Any]]] = [self._empty(size) for _ in bands]
        #: Values of ROIs that reach into chunks still to come.
        self._waiting: list[list[tuple[Ints, Groups]]] = [[] for _ in bands]

    def _empty(self, size: int) -> dict[str, NDArray[Any]]:
        columns = {
            statistic.name: statistic.empty(size) for statistic in self._request.sorted_statistics
        }
        for function in self._request.functions:
            columns[function.name] = np.full(size, np.nan, dtype=object)
        return columns

    def work(self, chunk: Chunk, pixels: Sequence[Pixels], layers: Layers) -> list[Found]:
        """Moments of the ROIs of a chunk, and ordered statistics of those that lie within it."""
        found: list[Found] = [([], [], []) for _ in pixels]
        for batch, footprints in self._selection.footprints(chunk, layers):
            rois = chunk.rois[batch]
            values: list[list[tuple[Ints, Groups]]] = [[] for _ in pixels]
            for portion in portions(footprints):
                self._work_portion(rois, portion, pixels, found, values)
            if not self._request.needs_values:
                continue
            within = rois[(chunk.begins & chunk.ends)[batch]]
            for band, pieces, of_band in zip(self._bands, values, found, strict=True):
                if not pieces:
                    continue
                key, groups = Groups.regroup(pieces)
                done = np.isin(key, within)
                whole, part = np.flatnonzero(done), np.flatnonzero(~done)
                of_band[2].append((key[whole], self._ordered(band, key[whole], groups.take(whole))))
                of_band[1].append((key[part], groups.take(part)))
        return found

    def _work_portion(
        self,
        rois: Ints,
        portion: Footprints,
        pixels: Sequence[Pixels],
        found: list[Found],
        values: list[list[tuple[Ints, Groups]]],
    ) -> None:
        spans, need = portion.spans, self._request.need
        length = spans.length
        new = np.flatnonzero(np.diff(spans.roi, prepend=-1))
        roi = rois[spans.roi[new]]
        starts = (np.cumsum(length) - length)[new]
        places = ranges(pixels[0].places(spans), length)
        in_raster = None
        if Need.PLACES in need:
            in_raster = places + pixels[0].row_start * self._grid.shape[1]
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
            of_band[0].append(Piece.of(valid, need, self._tallies))
            if self._request.needs_values:
                of_values.append((roi, valid.groups))

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

    def collect(self, chunk: Chunk, result: list[Found]) -> None:
        """Merge what a chunk gave; finish the ROIs that end in it."""
        for number, (pieces, waiting, done) in enumerate(result):
            for piece in pieces:
                self.moments[number].add(piece)
            for roi, columns in done:
                self._store(number, roi, columns)
            self._waiting[number] += waiting
        if self._request.needs_values:
            ended = chunk.rois[chunk.ends & ~chunk.begins]
            self._finish(ended)

    def _finish(self, ended: Ints) -> None:
        if not ended.size:
            return
        for number, waiting in enumerate(self._waiting):
            if not waiting:
                continue
            now, later = [], []
            for key, groups in waiting:
                done = np.isin(key, ended)
                now.append((key[done], groups.take(np.flatnonzero(done))))
                if not done.all():
                    later.append((key[~done], groups.take(np.flatnonzero(~done))))
            key, groups = Groups.regroup(now)
            self._store(number, key, self._ordered(self._bands[number], key, groups))
            self._waiting[number] = later

    def _store(self, number: int, roi: Ints, columns: dict[str, Any]) -> None:
        for name, values in columns.items():
            self._columns[number][name][roi] = values

    def _ordered(self, band: Band, roi: Ints, groups: Groups) -> dict[str, Any]:
        """Statistics of whole ROIs that need all their values."""
        columns: dict[str, Any] = {}
        if self._request.sorted_statistics:
            in_order = self._in_order(band, groups)
            for statistic in self._request.sorted_statistics:
                assert statistic.from_sorted is not None
                columns[statistic.name] = statistic.from_sorted(in_order)
        if self._request.functions:
            physical = self._physical(band, groups)
            for function in self._request.functions:
                columns[function.name] = self._apply(function, roi, physical)
        return columns

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

    def valid_fraction(self, number: int) -> Floats:
        """Weight of the valid pixels of a band over that of the whole ROI, a raster of weights apart."""
        moments = self.moments[number]
        valid = moments.tallies.get(SHARES.name, moments.weight)
        with np.errstate(invalid="ignore", divide="ignore"):
            share = np.where(self._ground > 0, valid / self._ground, np.nan)
        # The two are summed differently, so that their ratio may exceed 1 by rounding.
        return np.where(share < 1.0 + ROUNDING, np.minimum(share, 1.0), share)

    @cached_property
    def _ground(self) -> Floats:
        """Weight of each whole ROI; of one that the raster does not reach, anything above 0 does."""
        ground = np.ones(len(self._selection.regions))
        reached = np.flatnonzero(self._reached)
        ground[reached] = self._selection.regions.ground_weight(reached)
        return ground

    def columns(self) -> list[dict[str, NDArray[Any]]]:
        """The statistics in the order asked for, a dict for each band."""
        return [self._band_columns(number) for number in range(len(self._bands))]

    def _band_columns(self, number: int) -> dict[str, NDArray[Any]]:
        band, moments = self._bands[number], self.moments[number]
        if self._scaled and band.is_scaled:
            moments = moments.scaled(band.scale, band.offset)
        out: dict[str, NDArray[Any]] = {}
        for item in self._request.items:
            if not isinstance(item, Statistic):
                out[item.name] = _plain(self._columns[number][item.name])
            elif item.from_moments is not None:
                out[item.name] = item.from_moments(moments)
            elif item.from_places is not None:
                out[item.name] = item.from_places(moments, self._grid)
            elif item.from_sorted is not None:
                out[item.name] = self._columns[number][item.name]
            else:
                assert Need.GROUND in item.need
                out[item.name] = self.valid_fraction(number)
        return out


def _plain(column: NDArray[Any]) -> NDArray[Any]:
    """An object column as floats if it holds nothing but numbers."""
    try:
        return column.astype(np.float64)
    except (TypeError, ValueError):
        return column
