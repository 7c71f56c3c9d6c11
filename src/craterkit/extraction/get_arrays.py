"""What `get_arrays` and `iter_arrays` do: the pixels of every feature as masked arrays."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from craterkit.extraction.arrays import ArrayJoiner, ArraysWorker
from craterkit.extraction.columns import TRANSFORM, column_name, column_names
from craterkit.extraction.survey import Survey

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from craterkit.extraction.execution import Execution
    from craterkit.extraction.options import Options
    from craterkit.extraction.setting import Setting
    from craterkit.extraction.sources import Source
    from craterkit.extraction.subject import Subject

    Ints = NDArray[np.intp]
    Masked = np.ma.MaskedArray[Any, Any]
    Corner = tuple[int, int]

__all__ = ["extract_arrays", "iterate_arrays"]


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
) -> dict[str, NDArray[Any]]:
    """Masked arrays of every feature, by column name; none of which may be `taken`."""
    survey = Survey(subject, rasters, options, execution, "Arrays")
    names = ["", TRANSFORM] if georeferenced else [""]
    labels = column_names(subject.regions, survey.sources, names, taken)
    columns = dict.fromkeys(labels, np.zeros(0))
    outside, size = [], len(subject.features)
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
            outside.append(plan.outside)
            for chunk, result in survey.results(setting, plan, make_worker):
                joiner.collect(chunk, result)
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
    survey.warn_of_outside(outside, stacklevel=3)
    return columns


def iterate_arrays(
    subject: Subject, rasters: object, options: Options, execution: Execution
) -> Iterator[tuple[Any, Masked]]:
    """Masked arrays one by one: (what the feature is called, its array).

    In the order in which the raster is read; ROIs without pixels come last. With several regions,
    rasters or bands, the first is a pair: what the feature is called, and the column's name.
    """
    survey = Survey(subject, rasters, options, execution, "Arrays", patient=False)
    labels = column_names(subject.regions, survey.sources, [""], ())
    return _iterate(survey, several=len(labels) > 1)


def _iterate(survey: Survey, *, several: bool) -> Iterator[tuple[Any, Masked]]:
    subject, budget = survey.subject, survey.execution.budget
    outside = []
    with survey:
        for source, setting in zip(survey.sources, survey.settings(), strict=True):
            ready: list[tuple[int, list[Masked]]] = []

            def keep(
                roi: int,
                found: list[Masked],
                _: Corner,
                ready: list[tuple[int, list[Masked]]] = ready,
            ) -> None:
                ready.append((roi, found))

            joiner = ArrayJoiner(setting.grid, source.bands, keep, scaled=survey.options.scaled)
            plan = setting.plan()
            outside.append(plan.outside)
            rois = np.arange(len(subject))
            alone = plan.too_large(rois, budget.values_held)
            missing = np.ones(rois.size, dtype=np.bool_)
            for together in (np.setdiff1d(rois, alone), *alone[:, None]):
                for chunk, result in survey.results(
                    setting, plan, make_worker, together, part_pixels=budget.pixels_at_work
                ):
                    joiner.collect(chunk, result)
                    for roi, found in ready:
                        missing[roi] = False
                        yield from _named(subject, source, roi, found, several=several)
                    ready.clear()
            none = [joiner.no_array(band) for band in source.bands]
            survey.advance(int(np.count_nonzero(plan.outside)))
            for roi in np.flatnonzero(missing).tolist():
                yield from _named(subject, source, roi, none, several=several)
    survey.warn_of_outside(outside, stacklevel=2)


def _named(
    subject: Subject, source: Source, roi: int, arrays: Iterable[Masked], *, several: bool
) -> Iterator[tuple[Any, Masked]]:
    number, feature = divmod(roi, len(subject.features))
    name, region = subject.index[feature], list(subject.regions)[number]
    for band, array in zip(source.band_labels, arrays, strict=True):
        yield (name, column_name("", source.label, band, region)) if several else name, array


def _objects(values: Iterable[Any]) -> NDArray[Any]:
    """A 1-D object array, whatever the values are."""
    values = list(values)
    out = np.empty(len(values), dtype=object)
    for i, value in enumerate(values):
        out[i] = value
    return out
