"""From rasters, regions and features to columns: what `get_stats`, `get_arrays` and `get_pixels` do.

Everything is checked before a pixel is read: names, statistics, every raster's body, CRS and grid.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from craterkit.errors import ArgumentError, OutsideRasterWarning, quoted
from craterkit.extraction.arrays import ArraysWorker
from craterkit.extraction.companions import open_companions
from craterkit.extraction.neighbors import Neighbors
from craterkit.extraction.pixel_tables import FrameTable, Layout, ParquetTable
from craterkit.extraction.pixels import PixelsWorker
from craterkit.extraction.plan import Plan
from craterkit.extraction.quality import data_flags, place_flags
from craterkit.extraction.selection import Selection
from craterkit.extraction.sources import open_sources
from craterkit.extraction.stats import StatisticsWorker
from craterkit.extraction.walk import count_threads, walk
from craterkit.footprints.engines import engine_for
from craterkit.footprints.joined import JoinedRegions
from craterkit.grids.alignment import grid_difference
from craterkit.progress import Progress
from craterkit.statistics.moments import Need
from craterkit.statistics.registry import Request

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    import pandas as pd
    from numpy.typing import NDArray

    from craterkit.bodies import Body
    from craterkit.extraction.companions import Companions
    from craterkit.extraction.options import Options
    from craterkit.extraction.sources import Source
    from craterkit.extraction.walk import Worker
    from craterkit.regions import Region
    from craterkit.tables.features import Features

    Columns = dict[str, NDArray[Any]]

__all__ = ["Subject", "extract_arrays", "extract_pixels", "extract_stats"]

#: Statistics that say how much an ROI has: they stay where too little of it is valid.
AMOUNTS = ("count", "weight_sum", "area", "nodata", "valid_fraction", "unique")


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
    computed = Request(tuple(item for item in request.items if item.name != "flags"))
    least = options.min_valid_fraction
    needs_fraction = least is not None or Need.GROUND in computed.need

    def job(source: Source, selection: Selection, plan: Plan) -> Job:
        worker = StatisticsWorker(
            source.grid,
            selection,
            source.bands,
            computed,
            ~plan.outside,
            weighted=options.weighted,
            area_weighted=options.rules.area_weighted,
            share_sums=needs_fraction and options.weights_raster is not None,
            scaled=options.scaled,
            name_roi=lambda roi: subject.name_feature(roi % len(subject.features)),
        )

        def columns() -> list[Columns]:
            found = worker.columns()
            below = [
                None if least is None else worker.valid_fraction(number) < least
                for number in range(len(found))
            ]
            for of_band, too_little in zip(found, below, strict=True):
                if too_little is not None and too_little.any():
                    for name in of_band.keys() - AMOUNTS:
                        of_band[name] = _emptied(of_band[name], too_little)
            if "flags" in names:
                regions = list(subject.regions.values())
                place = place_flags(
                    source.grid, subject.features, regions, selection.regions, plan.outside
                )
                for of_band, moments, too_little in zip(found, worker.moments, below, strict=True):
                    of_band["flags"] = place | data_flags(moments, plan.outside, too_little)
            return found

        return Job(worker, columns)

    return _extract(subject, rasters, options, names, job, "Statistics")


def extract_arrays(
    subject: Subject, rasters: object, options: Options, *, georeferenced: bool
) -> Columns:
    """Masked arrays of every feature, by column name."""
    names = ["", "transform"] if georeferenced else [""]

    def job(source: Source, selection: Selection, _: Plan) -> Job:
        worker = ArraysWorker(source.grid, selection, source.bands, scaled=options.scaled)

        def columns() -> list[Columns]:
            found = [
                {"": _objects(_or_empty(arrays, worker.dtype(band)))}
                for band, arrays in zip(source.bands, worker.arrays, strict=True)
            ]
            if georeferenced:
                transforms = _objects(
                    worker.transform(roi) for roi in range(len(selection.regions))
                )
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
    make_job: Callable[[Source, Selection, Plan], Job],
    description: str,
) -> Columns:
    threads = count_threads(options.n_jobs)
    size = len(subject.features)
    sources, companions = _open(subject, rasters, options)
    columns: Columns = dict.fromkeys(_column_names(subject, sources, names), np.zeros(0))
    outside: list[NDArray[np.bool_]] = []
    total = size * len(subject.regions) * len(sources)
    selection = None
    with Progress(total, description, show=options.progress) as progress, companions:
        for source in sources:
            selection, plan = _plan(subject, source, options, selection)
            outside.append(plan.outside)
            job = make_job(source, selection, plan)
            with source.raster:
                walk(
                    [(source.raster, band) for band in source.bands],
                    plan,
                    job.worker,
                    partial(companions.layers, source.grid),
                    threads=threads,
                    progress=progress,
                )
            for band, found in zip(source.band_labels, job.columns(), strict=True):
                for number, region in enumerate(subject.regions):
                    own = slice(number * size, (number + 1) * size)
                    for name in names:
                        label = _column_name(name, source.label, band, region)
                        columns[label] = found[name][own]
    _warn_of_outside(subject, sources, outside, stacklevel=5)
    return columns


def extract_pixels(
    subject: Subject,
    rasters: object,
    options: Options,
    *,
    index: pd.Index[Any],
    columns: object,
    out: object,
) -> pd.DataFrame | Path:
    """All pixels as a table, or the path of the Parquet file that holds them."""
    threads = count_threads(options.n_jobs)
    sources, companions = _open(subject, rasters, options)
    first = sources[0]
    for source in sources[1:]:
        difference = grid_difference(first.grid, source.grid)
        if difference:
            raise ArgumentError(
                f"rasters: {source.raster.name} is not on the grid of {first.raster.name}: "
                f"{difference}; a row is one pixel of all rasters"
            )
    values = [
        (_column_name("", source.label, label, "") or "value", band)
        for source in sources
        for label, band in zip(source.band_labels, source.bands, strict=True)
    ]
    layout = Layout.choose(columns, values, index, list(subject.regions), scaled=options.scaled)
    if "weight" not in layout.columns:
        # The same pixels, without working out what they count for.
        touched = options.coverage == "fraction"
        coverage = "all_touched" if touched else options.coverage
        options = replace(options, coverage=coverage, weights=None)
    selection, plan = _plan(subject, first, options, None)
    frame = FrameTable(layout) if out is None else None
    with ExitStack() as stack:
        table = frame or stack.enter_context(ParquetTable(layout, out))
        worker = PixelsWorker(
            first.grid,
            subject.features,
            selection,
            layout.columns,
            table.add,
            scaled=options.scaled,
        )
        total = len(selection.regions)
        progress = stack.enter_context(Progress(total, "Pixels", show=options.progress))
        for source in sources:
            stack.enter_context(source.raster)
        stack.enter_context(companions)
        walk(
            [(source.raster, band) for source in sources for band in source.bands],
            plan,
            worker,
            partial(companions.layers, first.grid),
            threads=threads,
            progress=progress,
        )
    _warn_of_outside(subject, [first], [plan.outside], stacklevel=4)
    return table.frame() if isinstance(table, FrameTable) else table.path


def _open(subject: Subject, rasters: object, options: Options) -> tuple[list[Source], Companions]:
    """Open and check every raster, and those that choose and weigh the pixels of all of them."""
    sources = open_sources(subject.body, rasters, options)
    companions = open_companions(subject.body, options)
    for source in sources:
        companions.check(source.grid)
    return sources, companions


def _plan(
    subject: Subject, source: Source, options: Options, before: Selection | None
) -> tuple[Selection, Plan]:
    """The pixels to take from a raster, and how to walk it; `before` is what another one had."""
    definitions = list(subject.regions.values())
    regions = JoinedRegions(
        [engine_for(region, source.grid, subject.features, options.rules) for region in definitions]
    )
    neighbors = None
    if options.exclude is not None:
        if before is not None and before.neighbors is not None:
            neighbors = before.neighbors.on(source.grid)
        neighbors = neighbors or Neighbors(
            source.grid, subject.features, definitions, options.exclude_size, options.coverage
        )
    selection = Selection(regions, neighbors)
    return selection, Plan(source.grid, source.raster.block_shape, regions)


def _emptied(column: NDArray[Any], where: NDArray[np.bool_]) -> NDArray[Any]:
    """A column with NaN for some ROIs."""
    if column.dtype.kind != "O":
        column = column.astype(np.float64)
    return np.where(where, np.nan, column)


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
    subject: Subject,
    sources: list[Source],
    outside_of: list[NDArray[np.bool_]],
    *,
    stacklevel: int,
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
            stacklevel=stacklevel,
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
