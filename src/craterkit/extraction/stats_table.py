"""Statistics of all ROIs over one raster, gathered from what the chunks gave."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from craterkit.results.returned_values import as_numbers
from craterkit.statistics.moments import Moments, Need, sum_dtype
from craterkit.statistics.ordered import Groups
from craterkit.statistics.registry import Statistic
from craterkit.statistics.streamed import Streamed
from craterkit.statistics.tallies import SHARES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

    from craterkit.extraction.plan import Chunk
    from craterkit.extraction.stats import Found, StatisticsWorker
    from craterkit.footprints.joined import JoinedRegions
    from craterkit.grids.base import Grid
    from craterkit.rasters.base import Band
    from craterkit.statistics.ordering import Ordered
    from craterkit.statistics.registry import Request
    from craterkit.statistics.tallies import Tally

    Bools = NDArray[np.bool_]
    Floats = NDArray[np.float64]
    Ints = NDArray[np.intp]
    Passes = Callable[[], Iterator[tuple[NDArray[Any], Floats | None]]]

__all__ = ["StatisticsTable"]

#: By how much a share may exceed 1, relatively, because of rounding.
ROUNDING = 1e-3


class StatisticsTable:
    """Merges what chunks gave, in order, to the statistics of all ROIs.

    Parameters
    ----------
    grid : Grid
        The raster's grid.
    regions : JoinedRegions
        The n ROIs.
    bands : sequence of Band
        The bands.
    request : Request
        The statistics.
    tallies : sequence of Tally
        Sums that they need.
    reached : (n,) ndarray of bool
        Which ROIs the raster reaches.
    worker : StatisticsWorker
        Knows statistics that need all values.
    in_order : int
        About how many values may be put in order at a time.
    weighted : bool
        Whether pixels count differently.
    scaled : bool
        Whether scale and offset are applied.

    Attributes
    ----------
    moments : list of Moments
        Of each band, in raw numbers; whole once the walk is over.
    unread : list of ndarray of bool
        Of each band, which ROIs have pixels in blocks that could not be read.
    """

    def __init__(
        self,
        grid: Grid,
        regions: JoinedRegions,
        bands: Sequence[Band],
        request: Request,
        tallies: Sequence[Tally],
        reached: Bools,
        worker: StatisticsWorker,
        in_order: int,
        *,
        weighted: bool,
        scaled: bool,
    ) -> None:
        self._grid = grid
        self._regions = regions
        self._bands = bands
        self._request = request
        self._reached = reached
        self._worker = worker
        self._in_order = in_order
        self._scaled = scaled
        size = len(regions)
        self.moments = [
            Moments(
                size,
                integer=not weighted and sum_dtype(band.dtype) == np.int64,
                tallies=tallies,
            )
            for band in bands
        ]
        self.unread = [np.zeros(size, dtype=np.bool_) for _ in bands]
        self._columns: list[dict[str, NDArray[Any]]] = [self._empty(size) for _ in bands]
        #: Values of ROIs that have more in chunks still to come.
        self._waiting: list[list[tuple[Ints, Groups]]] = [[] for _ in bands]

    def _empty(self, size: int) -> dict[str, NDArray[Any]]:
        columns = {
            statistic.name: statistic.empty(size) for statistic in self._request.sorted_statistics
        }
        for function in self._request.functions:
            columns[function.name] = np.full(size, np.nan, dtype=object)
        return columns

    def collect(self, chunk: Chunk, result: list[Found]) -> None:
        """Merge what a chunk gave; finish the ROIs that end in it."""
        for number, found in enumerate(result):
            for piece in found.pieces:
                self.moments[number].add(piece)
            for roi in found.unread:
                self.unread[number][roi] = True
            for roi, columns in found.done:
                self._store(number, roi, columns)
            self._waiting[number] += found.waiting
        if any(self._waiting):
            self._finish(chunk.rois[chunk.ends])

    def _finish(self, ended: Ints) -> None:
        for number, waiting in enumerate(self._waiting):
            now, later = [], []
            for key, groups in waiting:
                done = np.isin(key, ended)
                if done.any():
                    now.append((key[done], groups.take(np.flatnonzero(done))))
                if not done.all():
                    later.append((key[~done], groups.take(np.flatnonzero(~done))))
            self._waiting[number] = later
            for part in _portions(now, self._in_order):
                key, groups = Groups.regroup(part)
                self._store(number, key, self._worker.ordered(self._bands[number], key, groups))

    def _store(self, number: int, roi: Ints, columns: dict[str, Any]) -> None:
        for name, values in columns.items():
            self._columns[number][name][roi] = values

    def add_alone(self, number: int, roi: int, passes: Passes, hold: int) -> None:
        """Find the statistics of an ROI on a band that need all its values, of which at most `hold` are kept.

        Each call of ``passes`` yields them all, some at a time, with their weights.
        """
        band = self._bands[number]
        columns: dict[str, Any] = {}
        if self._request.sorted_statistics:
            columns = self._worker.from_sorted(self._streamed(band, passes, hold))
        if self._request.functions:
            parts = list(passes())
            none = np.zeros(0, dtype=band.dtype)
            values = np.concatenate([none, *(values for values, _ in parts)])
            weights = [weight for _, weight in parts if weight is not None]
            groups = Groups(
                np.array([values.size]), values, np.concatenate(weights) if weights else None
            )
            columns |= self._worker.from_functions(band, np.array([roi]), groups)
        self._store(number, np.array([roi]), columns)

    def _streamed(self, band: Band, passes: Passes, hold: int) -> Ordered:
        if not (self._scaled and band.is_scaled):
            return Streamed(passes, band.dtype, hold=hold)
        if band.scale > 0:
            return Streamed(passes, band.dtype, hold=hold).scaled(band.scale, band.offset)
        return Streamed(
            lambda: ((band.physical(values), weights) for values, weights in passes()),
            np.dtype(np.float64),
            hold=hold,
        )

    def valid_fraction(self, number: int, rois: Ints) -> Floats:
        """Weight of the valid pixels of a band over that of the whole ROI, a raster of weights apart.

        ``rois`` ascend, here and below.
        """
        moments = self.moments[number]
        valid = moments.tallies.get(SHARES.name, moments.weight)[rois]
        ground = self._ground(rois)
        with np.errstate(invalid="ignore", divide="ignore"):
            share = np.where(ground > 0, valid / ground, np.nan)
        # The two are summed differently, so that their ratio may exceed 1 by rounding.
        return np.where(share < 1.0 + ROUNDING, np.minimum(share, 1.0), share)

    def _ground(self, rois: Ints) -> Floats:
        """Weight of whole ROIs; of one that the raster does not reach, anything above 0 does."""
        ground = np.ones(rois.size)
        reached = self._reached[rois]
        ground[reached] = self._regions.ground_weight(rois[reached])
        return ground

    def columns(self, rois: Ints) -> list[dict[str, NDArray[Any]]]:
        """The statistics of some ROIs in the order asked for, a dict for each band."""
        return [self._band_columns(number, rois) for number in range(len(self._bands))]

    def _band_columns(self, number: int, rois: Ints) -> dict[str, NDArray[Any]]:
        band, moments = self._bands[number], self.moments[number].take(rois)
        if self._scaled and band.is_scaled:
            moments = moments.scaled(band.scale, band.offset)
        out: dict[str, NDArray[Any]] = {}
        for item in self._request.items:
            if not isinstance(item, Statistic):
                out[item.name] = _plain(self._columns[number][item.name][rois])
            elif item.from_moments is not None:
                out[item.name] = item.from_moments(moments)
            elif item.from_places is not None:
                out[item.name] = item.from_places(moments, self._grid)
            elif item.from_sorted is not None:
                out[item.name] = self._columns[number][item.name][rois]
            else:
                assert Need.GROUND in item.need
                out[item.name] = self.valid_fraction(number, rois)
        return out


def _plain(column: NDArray[Any]) -> NDArray[Any]:
    """An object column as floats if it holds nothing but numbers."""
    numbers = as_numbers(column)
    return column if numbers is None else numbers


def _portions(pieces: list[tuple[Ints, Groups]], limit: int) -> Iterator[list[tuple[Ints, Groups]]]:
    """Cut pieces of groups by their keys, so that each part has about `limit` values or one key."""
    if not pieces:
        return
    keys, of_piece = np.unique(np.concatenate([key for key, _ in pieces]), return_inverse=True)
    count = np.concatenate([groups.count for _, groups in pieces])
    values = np.bincount(of_piece, weights=count)
    part = np.cumsum(values) // limit
    cuts = [*keys[1:][np.diff(part) > 0].tolist(), int(keys[-1]) + 1]
    if len(cuts) == 1:
        yield pieces
        return
    for low, high in pairwise([int(keys[0]), *cuts]):
        chosen = []
        for key, groups in pieces:
            own = np.flatnonzero((key >= low) & (key < high))
            if own.size:
                chosen.append((key[own], groups.take(own)))
        yield chosen
