"""The walk over a raster by the workers of a Dask cluster.

The chunks of the plan go out in groups. Such an errand carries the centres and sizes of its features,
the regions' definitions and the raster's name; the worker opens the raster, reads the chunks and sends
back what it found. If a worker dies, its errands are given to others.
"""

from __future__ import annotations

import multiprocessing
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np

from craterkit.errors import ArgumentError, ClusterError, CraterkitError, RasterError
from craterkit.extraction.companions import open_companions
from craterkit.extraction.setting import Setting
from craterkit.extraction.walk import count_threads
from craterkit.rasters.gdal_settings import block_cache

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from craterkit.extraction.budget import Budget
    from craterkit.extraction.execution import Execution
    from craterkit.extraction.options import Options
    from craterkit.extraction.plan import Chunk
    from craterkit.extraction.setting import MakeWorker
    from craterkit.extraction.sources import SourceSpec
    from craterkit.extraction.subject import Subject
    from craterkit.extraction.walk import Interruption

    Ints = NDArray[np.intp]

__all__ = ["open_cluster", "walk_on_cluster"]

#: What to do if worker processes do not come into being.
UNGUARDED = (
    "each worker process begins by importing the script that started it, so that there the call must "
    'stand under `if __name__ == "__main__":`'
)

#: Errands that each thread of the cluster gets, if there are chunks enough.
ERRANDS_EACH = 8

#: Errands that are on the way for each thread.
AHEAD = 2


@dataclass(frozen=True)
class Errand:
    """Some chunks of a raster, and all that a worker needs for them."""

    subject: Subject
    specs: Sequence[SourceSpec]
    options: Options
    budget: Budget
    make: MakeWorker
    chunks: Sequence[Chunk]

    def run(self) -> list[Any]:
        """The results of the chunks; on a worker."""
        try:
            return self._results()
        except CraterkitError as error:
            # The causes that rasterio raises cannot be sent.
            error.__cause__ = error.__context__ = None
            raise

    def _results(self) -> list[Any]:
        try:
            sources = [spec.open(self.subject.body) for spec in self.specs]
            companions = open_companions(self.subject.body, self.options)
        except RasterError as error:
            raise RasterError(
                f"a worker of the cluster cannot open a raster: {error}; every worker must find it "
                "under this name"
            ) from error
        setting = Setting.of(self.subject, sources, companions, self.options, self.budget)
        job = setting.job(self.make)
        with setting.open(), block_cache(self.budget.block_cache):
            return [job.run(chunk) for chunk in self.chunks]


@contextmanager
def open_cluster(execution: Execution) -> Iterator[Any]:
    """The user's client, or one of a cluster of local processes for as long as the context lasts.

    Raises
    ------
    ArgumentError
        If dask.distributed is not installed.
    ClusterError
        If the processes cannot be started.
    """
    if execution.client is not None:
        yield execution.client
        return
    try:
        from distributed import Client, LocalCluster
    except ImportError as error:
        raise ArgumentError(
            "scheduler='processes' needs dask.distributed: pip install \"craterkit[dask]\""
        ) from error
    if getattr(multiprocessing.current_process(), "_inheriting", False):
        raise ClusterError(f"scheduler='processes' in a worker process: {UNGUARDED}")
    try:
        started = LocalCluster(  # type: ignore[no-untyped-call]
            n_workers=count_threads(execution.n_jobs),
            threads_per_worker=1,
            processes=True,
            dashboard_address="127.0.0.1:0",
        )
    except (RuntimeError, OSError) as error:
        raise ClusterError(
            f"scheduler='processes': the worker processes cannot be started ({error}); {UNGUARDED}"
        ) from error
    with started as cluster, Client(cluster) as client:  # type: ignore[no-untyped-call]
        yield client


def walk_on_cluster(
    client: Any,  # noqa: ANN401
    setting: Setting,
    make: MakeWorker,
    chunks: Iterator[Chunk],
    interruption: Interruption,
) -> Iterator[tuple[Chunk, Any]]:
    """Results of the chunks, in order; see `craterkit.extraction.walk.walk`.

    Raises
    ------
    ClusterError
        If the cluster has no workers, or loses them again and again.
    """
    threads = sum(client.nthreads().values())
    if not threads:
        raise ClusterError("the cluster has no workers")
    specs = [source.spec.by_name() for source in setting.sources]
    options = setting.options.by_name()
    budget = replace(setting.budget, threads=1)
    renumber = make(setting).renumber
    planned = list(chunks)
    size = max(1, len(planned) // (threads * ERRANDS_EACH))
    groups = iter([planned[i : i + size] for i in range(0, len(planned), size)])
    waiting: deque[tuple[list[Chunk], Ints, Any]] = deque()

    def send(count: int) -> None:
        for group in islice(groups, count):
            rois, errand = _errand(setting, group, specs, options, budget, make)
            waiting.append((group, rois, client.submit(errand.run, pure=False)))

    try:
        send(AHEAD * threads)
        while waiting:
            group, rois, future = waiting.popleft()
            for chunk, result in zip(group, _result(future, group), strict=True):
                yield chunk, renumber(result, rois)
            if interruption.asked:
                return
            send(1)
    finally:
        client.cancel([future for *_, future in waiting])


def _errand(
    setting: Setting,
    group: list[Chunk],
    specs: Sequence[SourceSpec],
    options: Options,
    budget: Budget,
    make: MakeWorker,
) -> tuple[Ints, Errand]:
    """An errand with ROIs numbered anew, and the number that each of these had."""
    size = len(setting.subject.features)
    features, subject = setting.part(np.concatenate([chunk.rois for chunk in group]))
    place = np.empty(size, dtype=np.intp)
    place[features] = np.arange(features.size)
    chunks = [
        chunk.serving(chunk.rois // size * features.size + place[chunk.rois % size], slice(None))
        for chunk in group
    ]
    regions = np.arange(len(setting.subject.regions))
    rois = (regions[:, None] * size + features).ravel()
    return rois, Errand(subject, specs, options, budget, make, chunks)


def _result(future: Any, group: list[Chunk]) -> list[Any]:  # noqa: ANN401
    from distributed import KilledWorker

    try:
        return future.result()
    except KilledWorker as error:
        first, last = group[0].window.row_start, group[-1].window.row_stop - 1
        raise ClusterError(
            f"workers that dealt with rows {first} to {last} died again and again, perhaps for want of "
            f"memory: {error}"
        ) from error
