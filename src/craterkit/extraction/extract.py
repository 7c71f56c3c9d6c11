"""From rasters, regions and features to columns: what `get_stats` and `get_arrays` do.

Everything is checked before a pixel is read: names, statistics, every raster's body, CRS and grid.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from craterkit.errors import ArgumentError, OutsideRasterWarning, quoted
from craterkit.extraction.arrays import ArraysWorker
from craterkit.extraction.plan import Plan
from craterkit.extraction.selection import Selection
from craterkit.extraction.sources import open_sources
from craterkit.extraction.stats import StatisticsWorker
from craterkit.extraction.walk import count_threads, walk
from craterkit.footprints.engines import engine_for
from craterkit.footprints.joined import JoinedRegions
from craterkit.progress import Progress

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from craterkit.bodies import Body
    from craterkit.extraction.options import Options
    from craterkit.extraction.sources import Source
    from craterkit.extraction.walk import Worker
    from craterkit.features import Features
    from craterkit.footprints.rules import Rules
    from craterkit.regions import Region
    from craterkit.statistics import Request

    Columns = dict[str, NDArray[Any]]

__all__ = ["Subject", "extract_arrays", "extract_stats"]


@dataclass(frozen=True)
class Subject:
    """Whose pixels are wanted.

    Attributes
    ----------
    body : Body
        The body.
    features : Features
        The n features.
    regions : dict
        Regions by name.
    name_feature : callable
        Names feature i in messages.
    taken : frozenset
        Names that no column may have.
    """

    body: Body
    features: Features
    regions: Mapping[str, Region]
    name_feature: Callable[[int], str]
    taken: frozenset[Any] = frozenset()


def extract_stats(subject: Subject, rasters: object, request: Request, options: Options) -> Columns:
    """Statistics of every feature, by column name."""
    names = [item.name for item in request.items]

    def job(source: Source, regions: JoinedRegions, plan: Plan) -> Job:
        worker = StatisticsWorker(
            Selection(regions),
            source.bands,
            request,
            ~plan.outside,
            weighted=options.rules.weighted,
            scaled=options.scaled,
            name_roi=lambda roi: subject.name_feature(roi % len(subject.features)),
        )
        return Job(worker, worker.columns)

    return _extract(subject, rasters, options, names, job, "Statistics")


def extract_arrays(
    subject: Subject, rasters: object, options: Options, *, georeferenced: bool
) -> Columns:
    """Masked arrays of every feature, by column name."""
    if options.coverage == "fraction":
        # The same pixels, without working out their shares.
        options = replace(options, coverage="all_touched")
    names = ["", "transform"] if georeferenced else [""]

    def job(source: Source, regions: JoinedRegions, _: Plan) -> Job:
        worker = ArraysWorker(source.grid, Selection(regions), source.bands, scaled=options.scaled)

        def columns() -> list[Columns]:
            found = [
                {"": _objects(_or_empty(arrays, worker.dtype(band)))}
                for band, arrays in zip(source.bands, worker.arrays, strict=True)
            ]
            if georeferenced:
                transforms = _objects(worker.transform(roi) for roi in range(len(regions)))
                for of_band in found:
                    of_band["transform"] = transforms
            return found

        return Job(worker, columns)

    return _extract(subject, rasters, options, names, job, "Arrays")


@dataclass(frozen=True)
class Job:
    """A worker for one raster, and how to get its columns (of all ROIs, for each band) in the end."""

    worker: Worker[Any]
    columns: Callable[[], list[Columns]]


def _extract(
    subject: Subject,
    rasters: object,
    options: Options,
    names: Sequence[str],
    make_job: Callable[[Source, JoinedRegions, Plan], Job],
    description: str,
) -> Columns:
    threads = count_threads(options.n_jobs)
    size = len(subject.features)
    sources = open_sources(subject.body, rasters, options)
    columns: Columns = dict.fromkeys(_column_names(subject, sources, names), np.zeros(0))
    outside: list[NDArray[np.bool_]] = []
    total = size * len(subject.regions) * len(sources)
    with Progress(total, description, show=options.progress) as progress:
        for source in sources:
            regions, plan = _plan(subject, source, options.rules)
            outside.append(plan.outside)
            job = make_job(source, regions, plan)
            with source.raster:
                walk(
                    source.raster,
                    source.bands,
                    plan,
                    job.worker,
                    threads=threads,
                    progress=progress,
                )
            for band, found in zip(source.band_labels, job.columns(), strict=True):
                for number, region in enumerate(subject.regions):
                    own = slice(number * size, (number + 1) * size)
                    for name in names:
                        label = _column_name(name, source.label, band, region)
                        columns[label] = found[name][own]
    _warn_of_outside(subject, sources, outside)
    return columns


def _plan(subject: Subject, source: Source, rules: Rules) -> tuple[JoinedRegions, Plan]:
    regions = JoinedRegions(
        [
            engine_for(region, source.grid, subject.features, rules)
            for region in subject.regions.values()
        ]
    )
    return regions, Plan(source.grid, source.raster.block_shape, regions)


def _column_name(name: str, raster: str, band: str, region: str) -> str:
    if name == "transform":
        return "_".join(part for part in (raster, band, region, name) if part)
    return "_".join(part for part in (name, raster, band, region) if part)


def _column_names(subject: Subject, sources: list[Source], names: Sequence[str]) -> list[str]:
    """Every column in order: by region, raster, band and statistic."""
    columns = [
        _column_name(name, source.label, band, region)
        for region in subject.regions
        for source in sources
        for band in source.band_labels
        for name in names
    ]
    clashes = [name for name in columns if name in subject.taken]
    if clashes:
        raise ArgumentError(
            f"the table has columns that the result needs: {quoted(clashes)}; rename the region or "
            "give the raster another name, as in {'name': raster}"
        )
    if len(set(columns)) < len(columns):
        twice = sorted({name for name in columns if columns.count(name) > 1})
        raise ArgumentError(f"two results would share a column: {quoted(twice)}")
    return columns


def _warn_of_outside(
    subject: Subject, sources: list[Source], outside_of: list[NDArray[np.bool_]]
) -> None:
    """Warn once, with a count for each raster and region."""
    size, parts, total = len(subject.features), [], 0
    for source, is_outside in zip(sources, outside_of, strict=True):
        for number, region in enumerate(subject.regions):
            outside = int(is_outside[number * size : (number + 1) * size].sum())
            if outside:
                total += outside
                parts.append(
                    f"{outside} of {size} for {region!r} on {source.label or source.raster.name}"
                )
    if total:
        text = "1 ROI lies" if total == 1 else f"{total} ROIs lie"
        warnings.warn(
            f"{text} outside the raster, without any pixels: {'; '.join(parts)}",
            OutsideRasterWarning,
            stacklevel=5,
        )


def _objects(values: Iterable[Any]) -> NDArray[Any]:
    """A 1-D object array, whatever the values are."""
    values = list(values)
    out = np.empty(len(values), dtype=object)
    for i, value in enumerate(values):
        out[i] = value
    return out


def _or_empty(arrays: list[Any], dtype: np.dtype[Any]) -> Iterable[Any]:
    for array in arrays:
        yield np.ma.MaskedArray(np.zeros((0, 0), dtype=dtype)) if array is None else array
