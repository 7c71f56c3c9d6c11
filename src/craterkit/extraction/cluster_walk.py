"""The walk over rasters as errands for the workers of a cluster.

The chunks of the plan go out in groups. Such an errand carries the centres and sizes of its features,
the regions' definitions and the raster's name; the worker opens the raster, reads the chunks and sends
back what it found.
"""

from __future__ import annotations

import pickle
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from itertools import groupby, pairwise
from operator import attrgetter
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from craterkit import __version__
from craterkit.cluster.errands import Errand, another_raster, made_of, no_raster, pickled
from craterkit.cluster.workers import ERRANDS_EACH, carry_out, count_workers
from craterkit.errors import ClusterError, RasterError
from craterkit.extraction.companions import open_companions
from craterkit.extraction.setting import Setting
from craterkit.rasters.gdal_settings import block_cache
from craterkit.regions.chosen import ChosenPixels

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from craterkit.cluster.errands import Shared
    from craterkit.cluster.workers import Cluster
    from craterkit.extraction.budget import Budget
    from craterkit.extraction.options import Options
    from craterkit.extraction.plan import Chunk
    from craterkit.extraction.setting import MakeWorker
    from craterkit.extraction.sources import Header, SourceSpec
    from craterkit.extraction.subject import Subject
    from craterkit.extraction.walk import Interruption

    Ints = NDArray[np.intp]
    Floats = NDArray[np.float64]

__all__ = ["walk_on_cluster"]

#: ROIs of an errand, about, and bytes at most, unless a single ROI has more.
ERRAND_ROIS, ERRAND_BYTES = 50_000, 5_000_000


class Common(NamedTuple):
    """What is the same for all errands on some rasters.

    `companions` are the options that gave the companions, `headers` what was found here of each
    raster: these and the companions.
    """

    specs: Sequence[SourceSpec]
    options: Options
    companions: Options
    headers: Sequence[Header]
    budget: Budget
    make: MakeWorker

    def setting(self, subject: Subject) -> Setting:
        """The ROIs on the grid of the rasters, opened by a worker."""
        try:
            sources = [spec.open(subject.body) for spec in self.specs]
            companions = open_companions(subject.body, self.companions)
        except RasterError as error:
            raise no_raster(error) from error
        found = [(source.raster.name, source.header) for source in sources] + companions.headers
        for (name, header), expected in zip(found, self.headers, strict=True):
            if difference := expected.difference(header):
                raise another_raster(name, difference)
        return Setting.of(subject, sources, companions, self.options, self.budget)


@dataclass(frozen=True)
class SharedRegion:
    """Stands for some of the features of a region that is too much for every errand to carry."""

    which: Ints

    def take(self, which: Ints) -> SharedRegion:
        """The same for some of these features."""
        return SharedRegion(self.which[which])


@dataclass(frozen=True)
class WalkErrand(Errand):
    """Some chunks of a raster: `common` is a `Common`, `own` a subject and its chunks.

    What is shared are regions, by name, for which the subject has a `SharedRegion`.
    """

    answer = "stats: what a function returns"

    common: bytes

    def results(self, shared: Sequence[Shared]) -> list[Any]:
        """The results of the chunks."""
        try:
            common: Common = pickle.loads(self.common)
        except Exception as error:
            raise ClusterError(
                "a worker of the cluster cannot load a function of stats= or where= "
                f"({type(error).__name__}: {error}); it must be able to import the same modules"
            ) from error
        subject, chunks = pickle.loads(self.own)
        regions = {
            name: made_of(shared)[name].take(region.which)
            if isinstance(region, SharedRegion)
            else region
            for name, region in subject.regions.items()
        }
        setting = common.setting(replace(subject, regions=regions))
        job, results = setting.job(common.make), []
        with setting.open(), block_cache(common.budget.block_cache):
            for _, together in groupby(chunks, key=attrgetter("window")):
                parts = list(together)
                read = job.read(parts[0])
                results += [job.worker.work(part, *read) for part in parts]
        setting.check_unchanged()
        return results


def walk_on_cluster(
    cluster: Cluster,
    setting: Setting,
    make: MakeWorker,
    chunks: Iterator[Chunk],
    interruption: Interruption,
    part_pixels: int | None = None,
) -> Iterator[tuple[Chunk, Any]]:
    """Results of the chunks, in order; see `craterkit.extraction.walk.walk`.

    A chunk that is too much for an errand gives several results: one with more than `part_pixels`, if
    results hold pixels, or with too many ROIs.

    Raises
    ------
    ClusterError
        If the cluster has no workers, is closed, or loses them for good or again and again.
    """
    threads = count_workers(cluster)
    common = _common(setting, make, cluster.sharing)
    renumber = make(setting).renumber
    planned = list(chunks)
    size = max(1, len(planned) // (threads * ERRANDS_EACH))
    pixels = np.inf
    if part_pixels is not None:
        # Smaller parts would have more workers read the same blocks.
        pixels = max(part_pixels, setting.budget.values_held // 2)
    groups = _groups(setting, planned, size, pixels)
    subject, shared = _without_pixels(setting.subject)
    sent = replace(setting, subject=subject)
    errands = (part for group in groups for part in _errands(sent, group, common))
    with closing(carry_out(cluster, threads, errands, interruption, shared)) as answers:
        for (group, rois), results in answers:
            for chunk, result in zip(group, results, strict=True):
                yield chunk, renumber(result, rois)


def _without_pixels(subject: Subject) -> tuple[Subject, bytes]:
    """A subject without the regions that are made of pixels, and these, pickled."""
    chosen = {
        name: region for name, region in subject.regions.items() if isinstance(region, ChosenPixels)
    }
    if not chosen:
        return subject, b""
    stand_in: Any = SharedRegion(np.arange(len(subject.features)))
    regions = {
        name: stand_in if name in chosen else region for name, region in subject.regions.items()
    }
    return replace(subject, regions=regions), pickled(chosen, "regions")


def _common(setting: Setting, make: MakeWorker, sharing: int) -> bytes:
    """What is the same for all errands, pickled."""
    companions = setting.companions
    chosen = companions.options.by_name()
    pickled(chosen, "where: a condition")
    pickled(make, "stats: a function")
    common = Common(
        [source.spec.by_name() for source in setting.sources],
        setting.options.by_name(),
        chosen,
        [source.header for source in setting.sources] + [own for _, own in companions.headers],
        replace(setting.budget, memory=setting.budget.memory // sharing, threads=1),
        make,
    )
    return pickled(common, "an argument")


def _groups(
    setting: Setting, chunks: Sequence[Chunk], size: int, pixels: float
) -> Iterator[list[Chunk]]:
    """Chunks for an errand each: `size` of them, or fewer if these have many ROIs or pixels."""
    rows = setting.selection.regions.rows
    group: list[Chunk] = []
    load = 0.0
    for chunk in chunks:
        top, bottom = np.clip(rows[chunk.rois].T, chunk.window.row_start, chunk.window.row_stop)
        wide = np.minimum(chunk.widths, chunk.window.shape[1])
        # What share of an errand each ROI is.
        shares = np.maximum((bottom - top) * wide / pixels, 1 / ERRAND_ROIS)
        for part, share in _parts(chunk, np.cumsum(shares)):
            if group and (load + share > 1 or len(group) == size):
                yield group
                group, load = [], 0.0
            group.append(part)
            load += share
    if group:
        yield group


def _parts(chunk: Chunk, ends: Floats) -> Iterator[tuple[Chunk, float]]:
    """A chunk cut wherever the sum of its ROIs' shares of an errand passes a whole number."""
    cuts = [0, *(np.flatnonzero(np.diff(np.floor(ends)) > 0) + 1).tolist(), ends.size]
    for start, stop in pairwise(cuts):
        share = ends[stop - 1] - (ends[start - 1] if start else 0.0)
        own = slice(start, stop)
        yield chunk.serving(chunk.rois[own], own), float(share)


def _errands(
    setting: Setting, group: list[Chunk], common: bytes
) -> Iterator[tuple[tuple[list[Chunk], Ints], str, Errand]]:
    """Errands for a group of chunks: one, or several if that is too long to send.

    Each with its chunks and the numbers of the ROIs that are numbered anew in it, and its rows.
    """
    size = len(setting.subject.features)
    features, subject = setting.part(np.concatenate([chunk.rois for chunk in group]))
    place = np.empty(size, dtype=np.intp)
    place[features] = np.arange(features.size)
    chunks = [
        chunk.serving(chunk.rois // size * features.size + place[chunk.rois % size], slice(None))
        for chunk in group
    ]
    own = pickled((subject, chunks), "the features")
    if len(own) > ERRAND_BYTES and (halves := _halves(group)):
        for half in halves:
            yield from _errands(setting, half, common)
        return
    regions = np.arange(len(setting.subject.regions))
    rois = (regions[:, None] * size + features).ravel()
    first, last = group[0].window.row_start, group[-1].window.row_stop - 1
    yield (group, rois), f"rows {first} to {last}", WalkErrand(__version__, own, common)


def _halves(group: list[Chunk]) -> list[list[Chunk]]:
    """A group of chunks, or a single chunk's ROIs, in two; nothing if there is a single ROI."""
    if len(group) > 1:
        middle = len(group) // 2
        return [group[:middle], group[middle:]]
    (chunk,) = group
    middle = chunk.rois.size // 2
    parts = (slice(middle), slice(middle, None))
    return [[chunk.serving(chunk.rois[own], own)] for own in parts] if middle else []
