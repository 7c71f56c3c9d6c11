"""From rasters, regions and features to columns: what `get_stats` and `get_arrays` do.

Everything is checked before a pixel is read: names, statistics, every raster's body, CRS and grid.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

import numpy as np

from craterkit.errors import ArgumentError, OutsideRasterWarning
from craterkit.extraction.arrays import ArraysWorker
from craterkit.extraction.plan import Plan
from craterkit.extraction.stats import StatisticsWorker
from craterkit.extraction.walk import count_threads, walk
from craterkit.footprints.engines import engine_for
from craterkit.footprints.joined import JoinedRegions
from craterkit.footprints.rules import COVERAGES, WEIGHTS, Rules
from craterkit.progress import Progress
from craterkit.rasters import Band, Raster

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from craterkit.bodies import Body
    from craterkit.extraction.walk import Worker
    from craterkit.features import Features
    from craterkit.footprints.rules import Coverage, Weighting
    from craterkit.grids import CylindricalGrid
    from craterkit.regions import Annulus
    from craterkit.statistics import Request

    Columns = dict[str, NDArray[Any]]

__all__ = ["Options", "Subject", "extract_arrays", "extract_stats"]


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
    regions: Mapping[str, Annulus]
    name_feature: Callable[[int], str]
    taken: frozenset[Any] = frozenset()


@dataclass(frozen=True)
class Options:
    """How rasters are read and pixels chosen: the arguments that all extraction shares.

    Raises
    ------
    ArgumentError
        If one of them has a value that it cannot take.
    """

    coverage: Coverage = "all_touched"
    weights: Weighting | None = None
    nodata: Any = None
    bands: Any = 1
    scaled: bool = True
    raster_crs: Any = None
    n_jobs: int | None = None
    progress: bool | None = None

    def __post_init__(self) -> None:
        for name, accepted in _ACCEPTED.items():
            value = getattr(self, name)
            if not any(value is choice or _same_text(value, choice) for choice in accepted):
                raise ArgumentError(f"{name} must be one of {_quoted(accepted)}, not {value!r}")

    @property
    def rules(self) -> Rules:
        """The rule by which pixels belong, and what they count for."""
        return Rules(self.coverage, area_weighted=self.weights == "area")


_ACCEPTED: dict[str, tuple[object, ...]] = {
    "coverage": COVERAGES,
    "weights": (None, *WEIGHTS),
    "scaled": (True, False),
    "progress": (None, True, False),
}


def _same_text(value: object, choice: object) -> bool:
    return isinstance(value, str) and value == choice


@dataclass(frozen=True)
class Source:
    """A raster that is open and checked."""

    label: str
    raster: Raster
    grid: CylindricalGrid
    bands: list[Band]
    band_labels: list[str] = field(default_factory=list)


def extract_stats(subject: Subject, rasters: object, request: Request, options: Options) -> Columns:
    """Statistics of every feature, by column name."""
    names = [item.name for item in request.items]

    def job(source: Source, regions: JoinedRegions, plan: Plan) -> Job:
        worker = StatisticsWorker(
            regions,
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
        worker = ArraysWorker(source.grid, regions, source.bands, scaled=options.scaled)

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
    sources = _open(subject, rasters, options)
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


def _open(subject: Subject, rasters: object, options: Options) -> list[Source]:
    """Check every raster; each is opened again when its turn comes."""
    named = _name_rasters(rasters)
    labels = [label for label, _ in named]
    nodata = _by_label(options.nodata, labels, "nodata")
    crs = _by_label(options.raster_crs, labels, "raster_crs")
    sources = []
    for label, given in named:
        with Raster(given) as raster:
            grid = raster.grid(subject.body, crs[label])
            bands = raster.pick_bands(options.bands)
        if nodata[label] is not None:
            value = _check_nodata(nodata[label])
            bands = [replace(band, nodata=value, nodata_is_exact=True) for band in bands]
        for band in bands:
            if not band.nodata_is_exact:
                raise ArgumentError(
                    f"{raster.name}: band {band.number} declares a nodata value for 64-bit integers, "
                    "which cannot be read exactly; pass it as nodata="
                )
        sources.append(Source(label, raster, grid, bands, _band_labels(bands, options.bands)))
    return sources


def _name_rasters(rasters: object) -> list[tuple[str, Any]]:
    """Label and source of every raster; one bare raster has no label."""
    if isinstance(rasters, Mapping):
        named = [(str(label), raster) for label, raster in rasters.items()]
        for label, _ in named:
            if not label:
                raise ArgumentError("rasters: a raster's name must not be empty")
    elif isinstance(rasters, Iterable) and not isinstance(
        rasters, str | bytes | os.PathLike | np.ndarray
    ):
        named = []
        taken: set[str] = set()
        for raster in rasters:
            label = _unique(_stem(raster), taken)
            taken.add(label)
            named.append((label, raster))
    else:
        return [("", rasters)]
    if not named:
        raise ArgumentError("rasters names no raster")
    return named


def _stem(raster: object) -> str:
    name = raster if isinstance(raster, str | os.PathLike) else getattr(raster, "name", "raster")
    path = os.fspath(name) if isinstance(name, str | os.PathLike) else str(name)
    return PurePath(path.split("?")[0]).stem or "raster"


def _unique(label: str, taken: set[str]) -> str:
    number, unique = 1, label
    while unique in taken:
        number += 1
        unique = f"{label}_{number}"
    return unique


def _by_label(value: Any, labels: list[str], argument: str) -> dict[str, Any]:  # noqa: ANN401
    if not isinstance(value, Mapping):
        return dict.fromkeys(labels, value)
    value = {str(key): own for key, own in value.items()}
    unknown = [key for key in value if key not in labels]
    if unknown:
        known = _quoted(labels) if labels != [""] else "none: a bare raster has no name"
        raise ArgumentError(
            f"{argument} names rasters that were not given: {_quoted(unknown)} (known: {known})"
        )
    return {label: value.get(label) for label in labels}


def _check_nodata(value: Any) -> float:  # noqa: ANN401
    if isinstance(value, bool) or not isinstance(value, int | float | np.integer | np.floating):
        raise ArgumentError(
            f"nodata must be a number, or a dict of numbers by raster, not {value!r}"
        )
    return value  # type: ignore[return-value]


def _band_labels(bands: list[Band], asked: Any) -> list[str]:  # noqa: ANN401
    if isinstance(asked, int | str | np.integer) and asked != "all":
        return [""]
    described = [band.description for band in bands]
    if all(described) and len(set(described)) == len(described):
        return described
    labels = [f"b{band.number}" for band in bands]
    if len(set(labels)) < len(labels):
        raise ArgumentError("bands names a band twice")
    return labels


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
            f"the table has columns that the result needs: {_quoted(clashes)}; rename the region or "
            "give the raster another name, as in {'name': raster}"
        )
    if len(set(columns)) < len(columns):
        twice = sorted({name for name in columns if columns.count(name) > 1})
        raise ArgumentError(f"two results would share a column: {_quoted(twice)}")
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


def _quoted(names: Iterable[object]) -> str:
    return ", ".join(repr(name) for name in names)
