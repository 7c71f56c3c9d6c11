"""What `get_arrays` and `iter_arrays` do: masked arrays in memory, in a file, or one by one."""

from __future__ import annotations

from collections.abc import Container, Generator, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from craterkit.extraction.arrays import ArrayJoiner, ArraysWorker
from craterkit.extraction.columns import TRANSFORM, column_name, column_names
from craterkit.extraction.survey import Survey
from craterkit.results.array_files import CONTENT, ArrayFileWriter, ArrayLayout
from craterkit.results.provenance import Provenance, provenance_of
from craterkit.results.result_files import result_path, write_result

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from craterkit.extraction.execution import Execution
    from craterkit.extraction.options import Options
    from craterkit.extraction.plan import Plan
    from craterkit.extraction.setting import Setting
    from craterkit.extraction.subject import Subject

    Bools = NDArray[np.bool_]
    Ints = NDArray[np.intp]
    Masked = np.ma.MaskedArray[Any, Any]
    Corner = tuple[int, int]

__all__ = ["extract_arrays", "iterate_arrays", "store_arrays"]


@dataclass
class _Lacking:
    """Which ROIs lack pixels, source by source: as it does not reach them, or cannot be read there."""

    outside: list[Bools] = field(default_factory=list)
    unread: list[Bools] = field(default_factory=list)

    def add(self, plan: Plan, joiner: ArrayJoiner) -> None:
        """Take those of a source that was walked."""
        unread = np.zeros(plan.outside.size, dtype=np.bool_)
        unread[list(joiner.unread)] = True
        self.outside.append(plan.outside)
        self.unread.append(unread)

    def warn(self, survey: Survey, *, stacklevel: int) -> None:
        """Warn of them."""
        survey.warn_of_outside(self.outside, stacklevel=stacklevel + 1)
        survey.warn_of_unread(self.unread, stacklevel=stacklevel + 1)


def make_worker(setting: Setting) -> ArraysWorker:
    """Make the worker that cuts arrays, on any machine."""
    return ArraysWorker(setting.grid, setting.selection)


def extract_arrays(
    subject: Subject,
    rasters: object,
    options: Options,
    execution: Execution,
    *,
    georeferenced: bool,
    taken: Container[Any],
) -> tuple[dict[str, NDArray[Any]], Provenance]:
    """Masked arrays of every feature, by column name (none may be `taken`), and where they are from."""
    survey = Survey(subject, rasters, options, execution, "Arrays")
    names = ["", TRANSFORM] if georeferenced else [""]
    labels = column_names(subject.regions, survey.sources, names, taken)
    columns = dict.fromkeys(labels, np.zeros(0))
    lacking, size = _Lacking(), len(subject.features)
    with survey:
        for source, setting in zip(survey.sources, survey.settings(), strict=True):
            arrays: list[list[Masked | None]] = [[None] * len(subject) for _ in source.bands]
            corners: dict[int, Corner] = {}

            def keep(
                roi: int,
                found: list[Masked],
                corner: Corner,
                arrays: list[list[Masked | None]] = arrays,
                corners: dict[int, Corner] = corners,
            ) -> None:
                corners[roi] = corner
                for of_band, array in zip(arrays, found, strict=True):
                    of_band[roi] = array

            joiner = ArrayJoiner(setting.grid, source.bands, keep, scaled=options.scaled)
            plan = setting.plan()
            survey.advance(int(np.count_nonzero(plan.outside)))
            part_pixels = setting.budget.pixels_at_work
            for chunk, result in survey.results(
                setting, plan, make_worker, part_pixels=part_pixels
            ):
                joiner.collect(chunk, result)
            lacking.add(plan, joiner)
            transforms = [
                joiner.transform(corners[roi]) if roi in corners else None
                for roi in range(len(subject) if georeferenced else 0)
            ]
            for label, band, of_band in zip(source.band_labels, source.bands, arrays, strict=True):
                whole = [joiner.no_array(band) if array is None else array for array in of_band]
                for number, region in enumerate(subject.regions):
                    own = slice(number * size, (number + 1) * size)
                    for name, values in (("", whole), (TRANSFORM, transforms)):
                        if name in names:
                            column = column_name(name, source.label, label, region)
                            columns[column] = _objects(values[own])
    lacking.warn(survey, stacklevel=3)
    return columns, provenance_of("get_arrays", subject, survey.sources, options)


def iterate_arrays(
    subject: Subject, rasters: object, options: Options, execution: Execution
) -> Iterator[tuple[Any, Masked]]:
    """Masked arrays one by one: (what the feature is called, its array).

    In the order in which the raster is read; ROIs without pixels come last. With several regions,
    rasters or bands, the first is a pair: what the feature is called, and the column's name.
    """
    survey = Survey(subject, rasters, options, execution, "Arrays", patient=False)
    labels = column_names(subject.regions, survey.sources, [""], ())
    return _named(survey, several=len(labels) > 1)


def store_arrays(
    subject: Subject, rasters: object, options: Options, execution: Execution, *, out: object
) -> Path:
    """Write the arrays that `iterate_arrays` gives to a Parquet file; its path."""
    path = result_path(out, CONTENT)
    survey = Survey(subject, rasters, options, execution, "Arrays")
    column_names(subject.regions, survey.sources, [""], ())
    layout = ArrayLayout.of(subject, survey.sources, scaled=options.scaled)
    lacking = _Lacking()

    def write(file: BinaryIO) -> None:
        with (
            closing(_cuts(survey, lacking)) as cuts,
            ArrayFileWriter(layout, file, execution.budget.memory) as writer,
        ):
            for number, roi, found, corner in cuts:
                writer.add(roi, number, found, corner)

    write_result(path, write)
    lacking.warn(survey, stacklevel=3)
    return path


def _cuts(
    survey: Survey, lacking: _Lacking
) -> Generator[tuple[int, int, list[Masked], Corner | None], None, None]:
    """Number of the source, ROI, array of each band, and their first row and column (None: no pixels).

    Every ROI comes once for each source; those without pixels last. Into `lacking` go those of a source
    once all of them have come.
    """
    subject = survey.subject
    with survey:
        for number, setting in enumerate(survey.settings()):
            source, budget = survey.sources[number], setting.budget
            ready: list[tuple[int, list[Masked], Corner]] = []

            def keep(
                roi: int,
                found: list[Masked],
                corner: Corner,
                ready: list[tuple[int, list[Masked], Corner]] = ready,
            ) -> None:
                ready.append((roi, found, corner))

            joiner = ArrayJoiner(setting.grid, source.bands, keep, scaled=survey.options.scaled)
            plan = setting.plan()
            survey.advance(int(np.count_nonzero(plan.outside)))
            missing = np.ones(len(subject), dtype=np.bool_)
            for together in plan.rounds(np.arange(len(subject)), budget.values_held):
                for chunk, result in survey.results(
                    setting, plan, make_worker, together, part_pixels=budget.pixels_at_work
                ):
                    joiner.collect(chunk, result)
                    for roi, found, corner in ready:
                        missing[roi] = False
                        yield number, roi, found, corner
                    ready.clear()
            none = [joiner.no_array(band) for band in source.bands]
            for roi in np.flatnonzero(missing).tolist():
                yield number, roi, none, None
            lacking.add(plan, joiner)


def _named(survey: Survey, *, several: bool) -> Iterator[tuple[Any, Masked]]:
    subject, regions = survey.subject, list(survey.subject.regions)
    lacking = _Lacking()
    with closing(_cuts(survey, lacking)) as cuts:
        for number, roi, arrays, _ in cuts:
            region, feature = divmod(roi, len(subject.features))
            name, source = subject.index[feature], survey.sources[number]
            for band, array in zip(source.band_labels, arrays, strict=True):
                column = column_name("", source.label, band, regions[region])
                yield (name, column) if several else name, array
    lacking.warn(survey, stacklevel=2)


def _objects(values: Iterable[Any]) -> NDArray[Any]:
    """A 1-D object array, whatever the values are."""
    values = list(values)
    out = np.empty(len(values), dtype=object)
    for i, value in enumerate(values):
        out[i] = value
    return out
