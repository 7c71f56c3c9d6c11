"""What `get_stats` does: statistics of every feature, in memory or written as they come."""

from __future__ import annotations

import time
from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

import numpy as np

from craterkit.errors import ArgumentError, StatisticError
from craterkit.extraction.batches import portions
from craterkit.extraction.columns import column_name, column_names
from craterkit.extraction.quality import data_flags, place_flags
from craterkit.extraction.stats import StatisticsWorker
from craterkit.extraction.stats_table import StatisticsTable
from craterkit.extraction.survey import Survey
from craterkit.footprints.spans import ranges
from craterkit.rasters.file_states import RasterChangedError
from craterkit.results.ledger import ROI, Ledger
from craterkit.results.manifest import manifest_of
from craterkit.results.parquet import check_table, parquet_path
from craterkit.results.provenance import Provenance, provenance_of, with_columns
from craterkit.statistics.moments import Need
from craterkit.statistics.registry import Request
from craterkit.statistics.tallies import SHARES
from craterkit.tables.carried import without_columns

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import pandas as pd
    from numpy.typing import NDArray

    from craterkit.extraction.blocks import Pixels
    from craterkit.extraction.companions import Layers
    from craterkit.extraction.execution import Execution
    from craterkit.extraction.options import Options
    from craterkit.extraction.plan import Chunk, Plan
    from craterkit.extraction.setting import Setting
    from craterkit.extraction.subject import Subject
    from craterkit.statistics.tallies import Tally

    Bools = NDArray[np.bool_]
    Floats = NDArray[np.float64]
    Ints = NDArray[np.intp]
    Columns = dict[str, NDArray[Any]]

__all__ = ["COUNTS", "RasterStatistics", "extract_stats", "prepared", "write_stats"]

#: Statistics that say how much an ROI has: they stay where too little of it is valid.
AMOUNTS = ("count", "weight_sum", "area", "nodata", "valid_fraction", "unique")

#: Of these, the ones that are 0, not NaN, where nothing could be read.
COUNTS = ("count", "nodata", "unique")

#: Seconds between two writings of finished ROIs.
CHECKPOINT_SECONDS = 5.0


@dataclass(frozen=True)
class MakeStatistics:
    """Makes the worker that computes statistics, on any machine."""

    request: Request

    def tallies(self, options: Options) -> tuple[Tally, ...]:
        """Sums that are needed."""
        shares = options.min_valid_fraction is not None or Need.GROUND in self.request.need
        if shares and options.weights_raster is not None:
            return (*self.request.tallies, SHARES)
        return self.request.tallies

    def __call__(self, setting: Setting) -> StatisticsWorker:
        options = setting.options
        return StatisticsWorker(
            setting.grid,
            setting.selection,
            self.request,
            self.tallies(options),
            area_weighted=options.rules.area_weighted,
            scaled=options.scaled,
            name_roi=setting.subject.name_roi,
        )


@dataclass(frozen=True)
class _Values:
    """A worker that hands over values and weights, of a single ROI and band."""

    setting: Setting

    def work(
        self, chunk: Chunk, pixels: Sequence[Pixels], layers: Layers
    ) -> list[tuple[NDArray[Any], Floats | None]]:
        found = []
        (pixel,) = pixels
        for _, footprints in self.setting.selection.footprints(chunk, layers):
            for portion in portions(footprints):
                spans, weights = portion.spans, portion.weights
                values, valid = pixel.take(ranges(pixel.places(spans), spans.length))
                if valid is not None:
                    values, weights = values[valid], None if weights is None else weights[valid]
                found.append((values, weights))
        return found

    def renumber(self, result: Any, rois: Ints) -> Any:  # noqa: ANN401
        return result


class RasterStatistics:
    """Statistics of all ROIs over one raster.

    Parameters
    ----------
    survey : Survey
        The survey.
    setting : Setting
        The ROIs on the raster's grid.
    names : sequence of str
        The statistics asked for, flags included.
    request : Request
        The statistics to compute.
    """

    def __init__(
        self, survey: Survey, setting: Setting, names: Sequence[str], request: Request
    ) -> None:
        self._survey = survey
        self._setting = setting
        self._names = names
        self._request = request
        self._make = MakeStatistics(request)
        self.plan: Plan = setting.plan()
        options = survey.options
        self._table = StatisticsTable(
            setting.grid,
            setting.selection.regions,
            setting.bands,
            request,
            self._make.tallies(options),
            ~self.plan.outside,
            self._make(setting),
            setting.budget.values_in_order,
            weighted=options.weighted,
            scaled=options.scaled,
        )

    @property
    def unread(self) -> Bools:
        """ROIs that have pixels in blocks that could not be read, on any band."""
        return np.logical_or.reduce(self._table.unread)

    @property
    def unread_on(self) -> list[Bools]:
        """The same for each band."""
        return self._table.unread

    def finished(self, rois: Ints) -> Iterator[Ints]:
        """Work through some ROIs; yields those that are finished, as they are."""
        survey, plan, table = self._survey, self.plan, self._table
        budget = self._setting.budget
        alone, part_pixels = np.zeros(0, dtype=np.intp), None
        rounds: Iterable[Ints] = (rois,)
        if self._request.needs_values:
            large = plan.pixels[rois] > budget.values_in_order
            alone, others = rois[large], rois[~large]
            rounds = plan.rounds(others, budget.values_held) if others.size else (others,)
            # What the threads hand over waits, too.
            part_pixels = max(1, budget.values_held // (budget.threads + 1))
        outside = rois[plan.outside[rois]]
        survey.advance(outside.size)
        yield outside
        for number, together in enumerate(rounds):
            # Sums of those that are alone are found on the way.
            only = np.union1d(together, alone) if alone.size and number == 0 else together
            for chunk, result in survey.results(
                self._setting, plan, self._make, only, alone, part_pixels=part_pixels
            ):
                table.collect(chunk, result)
                yield chunk.rois[chunk.ends & chunk.kept]
        for roi in alone.tolist():
            for band in np.flatnonzero([not unread[roi] for unread in table.unread]).tolist():
                table.add_alone(band, roi, partial(self._values, band, roi), budget.values_streamed)
            survey.advance(1)
            yield np.array([roi])

    def _values(self, band: int, roi: int) -> Iterator[tuple[NDArray[Any], Floats | None]]:
        """All values of an ROI on a band, read anew."""
        for _, found in self._survey.results(
            self._setting,
            self.plan,
            _Values,
            np.array([roi]),
            np.array([roi]),
            bands=slice(band, band + 1),
            here=True,
        ):
            yield from found

    def columns(self, rois: Ints) -> list[Columns]:
        """The statistics of some ROIs that are finished, ascending, by name; for each band."""
        table, least = self._table, self._survey.options.min_valid_fraction
        found = table.columns(rois)
        outside = self.plan.outside[rois]
        for number, of_band in enumerate(found):
            too_little = None
            if least is not None:
                too_little = table.valid_fraction(number, rois) < least
                if too_little.any():
                    for name in of_band.keys() - AMOUNTS:
                        of_band[name] = _emptied(of_band[name], too_little)
            unread = table.unread[number][rois]
            if unread.any():
                for name in of_band:
                    of_band[name] = (
                        np.where(unread, 0, of_band[name])
                        if name in COUNTS
                        else _emptied(of_band[name], unread)
                    )
            if "flags" in self._names:
                moments = table.moments[number].take(rois)
                flags = self._place_flags[rois] | data_flags(moments, outside, too_little, unread)
                of_band["flags"] = flags
        return [{name: of_band[name] for name in self._names} for of_band in found]

    @cached_property
    def _place_flags(self) -> NDArray[np.int64]:
        subject, setting = self._survey.subject, self._setting
        return place_flags(
            setting.grid,
            subject.features,
            list(subject.regions.values()),
            setting.selection.regions,
            self.plan.outside,
        )


def _emptied(column: NDArray[Any], where: Bools) -> NDArray[Any]:
    """A column with NaN for some ROIs."""
    if column.dtype.kind != "O":
        column = column.astype(np.float64)
    return np.where(where, np.nan, column)


def prepared(request: Request, options: Options) -> tuple[list[str], Request]:
    """Names of the statistics to deliver, and the statistics to compute."""
    if options.errors == "flag":
        request = request.including("flags")
    names = [item.name for item in request.items]
    return names, Request(tuple(item for item in request.items if item.name != "flags"))


def extract_stats(
    subject: Subject,
    rasters: object,
    request: Request,
    options: Options,
    execution: Execution,
    *,
    taken: Container[Any],
) -> tuple[Columns, Provenance]:
    """Statistics of every feature, by column name (none may be `taken`), and where they are from."""
    names, request = prepared(request, options)
    survey = Survey(subject, rasters, options, execution, "Statistics")
    labels = column_names(subject.regions, survey.sources, names, taken)
    columns: Columns = dict.fromkeys(labels, np.zeros(0))
    outside, unread = [], []
    rois = np.arange(len(subject))
    with survey:
        for source, setting in zip(survey.sources, survey.settings(), strict=True):
            run = RasterStatistics(survey, setting, names, request)
            for _ in run.finished(rois):
                pass
            outside.append(run.plan.outside)
            unread.append(run.unread)
            _spread(columns, subject, source.label, source.band_labels, run.columns(rois))
    survey.warn_of_outside(outside, stacklevel=3)
    survey.warn_of_unread(unread, stacklevel=3)
    return columns, provenance_of("get_stats", subject, survey.sources, options, names)


def _spread(
    columns: Columns, subject: Subject, label: str, bands: Sequence[str], found: Sequence[Columns]
) -> None:
    """Put statistics of all ROIs into columns of features."""
    size = len(subject.features)
    for band, of_band in zip(bands, found, strict=True):
        for number, region in enumerate(subject.regions):
            own = slice(number * size, (number + 1) * size)
            for name, values in of_band.items():
                columns[column_name(name, label, band, region)] = values[own]


def write_stats(
    subject: Subject,
    rasters: object,
    request: Request,
    options: Options,
    execution: Execution,
    *,
    table: pd.DataFrame,
    taken: Container[Any],
    out: Any,  # noqa: ANN401
) -> Path:
    """Write the table with the statistics of every feature, and finished ROIs as they come.

    No result may have the name of a column that is `taken`. A run that was cut short goes on where it stopped.
    """
    parquet_path(out)
    names, request = prepared(request, options)
    if ROI in names:
        raise StatisticError(f"stats: with out= no function may be called {ROI!r}")
    if "frac" in names:
        raise ArgumentError(
            "out: the dicts that the statistic 'frac' gives do not go into a Parquet file; ask for the "
            "shares of single values, as in 'frac_2'"
        )
    survey = Survey(subject, rasters, options, execution, "Statistics")
    labels = column_names(subject.regions, survey.sources, names, taken)
    table = without_columns(table, labels)
    check_table(table)
    manifest = manifest_of(subject, survey.sources, table, options, request, columns=labels)
    with Ledger(out, manifest, subject.name_roi) as ledger:
        if ledger.complete:
            return ledger.path
        columns: Columns = dict.fromkeys(labels, np.zeros(0))
        outside, unread = [], []
        try:
            with survey:
                for number, setting in enumerate(survey.settings()):
                    run = RasterStatistics(survey, setting, names, request)
                    unread.append(_record(survey, run, ledger, number))
                    outside.append(run.plan.outside)
        except RasterChangedError as error:
            error.add_note(
                f"Finished ROIs beside {ledger.path}, if any, are of the old file: the next call says "
                "which folder to delete."
            )
            raise
        for number, source in enumerate(survey.sources):
            _, stored = ledger.load(number)
            found = [
                {name: stored.get(column_name(name, "", band, ""), np.zeros(0)) for name in names}
                for band in source.band_labels
            ]
            _spread(columns, subject, source.label, source.band_labels, found)
        provenance = provenance_of("get_stats", subject, survey.sources, options, names)
        path = ledger.finish(with_columns(table, columns, provenance))
    survey.warn_of_outside(outside, stacklevel=3)
    survey.warn_of_unread(unread, stacklevel=3)
    return path


def _record(survey: Survey, run: RasterStatistics, ledger: Ledger, number: int) -> Bools:
    """Work through the ROIs of a raster that the ledger does not have yet; gives those unread now."""
    done = ledger.finished(number)
    rois = np.setdiff1d(np.arange(len(survey.subject)), done)
    survey.advance(done.size)
    bands = survey.sources[number].band_labels
    fresh: list[Ints] = []
    last = time.monotonic()

    def write() -> None:
        if not fresh:
            return
        survey.check_unchanged()
        finished = np.sort(np.concatenate(fresh))
        fresh.clear()
        columns = {
            column_name(name, "", band, ""): values
            for band, of_band in zip(bands, run.columns(finished), strict=True)
            for name, values in of_band.items()
        }
        ledger.store(number, finished, columns)

    try:
        for finished in run.finished(rois):
            if finished.size:
                fresh.append(finished)
            if time.monotonic() - last > CHECKPOINT_SECONDS:
                write()
                last = time.monotonic()
    except RasterChangedError:
        raise
    except BaseException as error:
        write()
        error.add_note(
            f"What was finished is kept beside {ledger.path}; the same call goes on from there."
        )
        raise
    write()
    return run.unread
