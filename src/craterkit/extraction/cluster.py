"""Errands for the workers of a Dask cluster, and the walk over a raster as errands.

The chunks of the plan go out in groups. Such an errand carries the centres and sizes of its features,
the regions' definitions and the raster's name; the worker opens the raster, reads the chunks and sends
back what it found. If a worker dies, its errands are given to others.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import pickle
import time
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, replace
from itertools import groupby, islice, pairwise
from operator import attrgetter
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, TypeVar

import numpy as np

from craterkit import __version__
from craterkit.errors import ArgumentError, ClusterError, CraterkitError, RasterError
from craterkit.extraction.companions import open_companions
from craterkit.extraction.setting import Setting
from craterkit.extraction.walk import count_threads
from craterkit.rasters.gdal_settings import block_cache
from craterkit.regions.chosen import ChosenPixels

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from craterkit.extraction.budget import Budget
    from craterkit.extraction.execution import Execution
    from craterkit.extraction.options import Options
    from craterkit.extraction.plan import Chunk
    from craterkit.extraction.setting import MakeWorker
    from craterkit.extraction.sources import Header, SourceSpec
    from craterkit.extraction.subject import Subject
    from craterkit.extraction.walk import Interruption

    Ints = NDArray[np.intp]
    Floats = NDArray[np.float64]

__all__ = [
    *("Cluster", "Errand", "another_raster", "carry_out", "count_workers", "made_of"),
    *("Shared", "no_raster", "open_cluster", "pickled", "walk_on_cluster"),
]

Told = TypeVar("Told")

#: What to do if worker processes do not come into being.
UNGUARDED = (
    "each worker process begins by importing the script that started it, so that there the call must "
    'stand under `if __name__ == "__main__":`'
)

#: Errands that each thread of the cluster gets, if there are chunks enough.
ERRANDS_EACH = 8

#: Errands that are on the way for each thread.
AHEAD = 2

#: ROIs of an errand, about, and bytes at most, unless a single ROI has more.
ERRAND_ROIS, ERRAND_BYTES = 50_000, 5_000_000

#: Seconds between looks at the cluster, without any workers at most, and for a result to come at first.
POLL, WITHOUT_WORKERS, TRANSFER = 1.0, 60.0, 10.0


@dataclass(frozen=True, slots=True)
class Cluster:
    """A Dask cluster.

    Attributes
    ----------
    client : dask.distributed.Client
        What reaches it.
    sharing : int
        How many threads of workers share the memory budget.
    """

    client: Any
    sharing: int = 1


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


def no_raster(error: object) -> RasterError:
    """What to raise if a worker cannot open a raster."""
    return RasterError(
        f"a worker of the cluster cannot open a raster: {error}; every worker must find it under this name"
    )


def another_raster(name: str, difference: object) -> RasterError:
    """What to raise if a worker opens another raster."""
    return RasterError(
        f"a worker of the cluster finds another raster under the name {name}: {difference}; every "
        "worker must find the same file under it"
    )


class Shared:
    """A piece of what all errands need, which is sent once.

    Parameters
    ----------
    data : bytes
        The piece.

    Attributes
    ----------
    made : object
        What errands on this worker made of all pieces, to be used again; it goes with the piece.
    """

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.made: Any = None

    def __reduce__(self) -> tuple[type[Shared], tuple[bytes]]:
        return Shared, (self.data,)

    def __sizeof__(self) -> int:
        return len(self.data)


def made_of(shared: Sequence[Shared]) -> Any:  # noqa: ANN401
    """What was pickled and sent in pieces; on a worker, where it is loaded once."""
    if shared[0].made is None:
        shared[0].made = pickle.loads(b"".join(piece.data for piece in shared))
    return shared[0].made


@dataclass(frozen=True)
class SharedRegion:
    """Stands for some of the features of a region that is too much for every errand to carry."""

    which: Ints

    def take(self, which: Ints) -> SharedRegion:
        """The same for some of these features."""
        return SharedRegion(self.which[which])


@dataclass(frozen=True)
class Errand(ABC):
    """What a worker is to do, and all that it needs for it, pickled.

    Attributes
    ----------
    version : str
        Of craterkit.
    own : bytes
        What this errand alone needs.
    """

    answer: ClassVar[str] = "a result"

    version: str
    own: bytes

    def run(self, *shared: Shared) -> bytes:
        """What was found, pickled; on a worker. `shared` is what all errands need, in pieces."""
        if self.version != __version__:
            raise ClusterError(
                f"a worker of the cluster has craterkit {__version__}, but this process "
                f"{self.version}; install the same version everywhere"
            )
        try:
            return pickled(self.results(shared), self.answer)
        except CraterkitError as error:
            # The causes that rasterio raises cannot be sent.
            error.__cause__ = error.__context__ = None
            raise

    @abstractmethod
    def results(self, shared: Sequence[Shared]) -> Any:  # noqa: ANN401
        """What is found."""


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
        return results


def pickled(value: object, what: str) -> bytes:
    """A value as it is sent.

    Raises
    ------
    ArgumentError
        If it cannot be; calls it `what`.
    """
    import cloudpickle  # type: ignore[import-untyped]

    try:
        return cloudpickle.dumps(value)
    except Exception as error:
        raise ArgumentError(
            f"{what} cannot be sent to or from workers of a cluster: {type(error).__name__}: {error}"
        ) from error


@contextmanager
def open_cluster(execution: Execution) -> Iterator[Cluster]:
    """The user's cluster, or one of local processes for as long as the context lasts.

    Raises
    ------
    ArgumentError
        If dask.distributed is not installed.
    ClusterError
        If the processes cannot be started.
    """
    if execution.client is not None:
        yield Cluster(execution.client)
        return
    try:
        from distributed import Client, LocalCluster
    except ImportError as error:
        raise ArgumentError(
            "scheduler='processes' needs dask.distributed: pip install \"craterkit[dask]\""
        ) from error
    if getattr(multiprocessing.current_process(), "_inheriting", False):
        raise ClusterError(f"scheduler='processes' in a worker process: {UNGUARDED}")
    processes = count_threads(execution.n_jobs)
    try:
        started = LocalCluster(  # type: ignore[no-untyped-call]
            n_workers=processes,
            threads_per_worker=1,
            processes=True,
            dashboard_address="127.0.0.1:0",
        )
    except (RuntimeError, OSError) as error:
        reason = error.__cause__ or error
        raise ClusterError(
            f"scheduler='processes': the worker processes cannot be started ({reason}); {UNGUARDED}"
        ) from None
    with started as cluster, Client(cluster) as client:  # type: ignore[no-untyped-call]
        yield Cluster(client, processes)


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


def count_workers(cluster: Cluster) -> int:
    """How many threads the workers have.

    Raises
    ------
    ClusterError
        If there are none.
    """
    with _if_gone():
        threads = int(sum(cluster.client.nthreads().values()))
    if not threads:
        raise ClusterError("the cluster has no workers")
    return threads


def carry_out(
    cluster: Cluster,
    threads: int,
    errands: Iterator[tuple[Told, str, Errand]],
    interruption: Interruption,
    shared: bytes = b"",
) -> Generator[tuple[Told, Any], None, None]:
    """What errands find, in order; each with what the caller tells of it.

    Once an interruption is asked for, no more are sent.

    Parameters
    ----------
    cluster : Cluster
        Whose workers carry them out.
    threads : int
        How many threads these have.
    errands : iterator of (object, str, Errand)
        What the caller tells of an errand, what messages call what it deals with, and the errand.
    interruption : Interruption
        Tells when to stop.
    shared : bytes, optional
        What all errands need; it is sent once.

    Raises
    ------
    ClusterError
        If the cluster is closed, or loses its workers for good or again and again.
    """
    client = cluster.client
    waiting: deque[tuple[Told, str, Any]] = deque()
    pieces: list[Any] = []

    def send(count: int) -> None:
        for told, subject, errand in islice(errands, count):
            with _if_gone():
                future = client.submit(errand.run, *pieces, pure=False)
            waiting.append((told, subject, future))

    try:
        if shared and not _spread(client, shared, pieces, interruption):
            return
        send(AHEAD * threads)
        while waiting:
            told, subject, future = waiting.popleft()
            answer = _answer(client, future, subject, interruption)
            if answer is None:
                return
            yield told, pickle.loads(answer)
            if interruption.asked:
                return
            send(1)
    finally:
        with suppress(Exception, asyncio.CancelledError):
            client.cancel([*(future for *_, future in waiting), *pieces])


def _spread(client: Any, data: bytes, pieces: list[Any], interruption: Interruption) -> bool:  # noqa: ANN401
    """Give all workers some data; False if none is left.

    Each piece is a task, so that it is made again if all who hold it are lost.
    """
    for start in range(0, len(data), ERRAND_BYTES):
        with _if_gone():
            piece = data[start : start + ERRAND_BYTES]
            pieces.append(client.submit(Shared, piece, pure=False))
    for piece in pieces:
        if not _is_done(client, piece, interruption):
            return False
        if piece.status == "error":
            error = piece.exception()
            raise ClusterError(
                f"a worker of the cluster cannot take what errands need ({type(error).__name__}: {error}); "
                f"install craterkit {__version__} everywhere"
            )
    with _if_gone():
        # Else only the worker that has them would be thought fit for the errands.
        client.replicate(pieces)
    return True


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


@contextmanager
def _if_gone() -> Iterator[None]:
    """Turn what Dask raises where a cluster cannot be reached any more into a `ClusterError`."""
    try:
        yield
    except (Exception, asyncio.CancelledError) as error:
        raise _gone(error) from error


def _gone(error: BaseException) -> ClusterError:
    return ClusterError(
        f"the cluster, or its client, was closed or is lost: {type(error).__name__}: {error}"
    )


def _is_done(client: Any, future: Any, interruption: Interruption) -> bool:  # noqa: ANN401
    """Wait until an errand has come to an end; False if there is nobody left to wait for."""
    met = time.monotonic()
    while True:
        with _if_gone():
            try:
                # Unlike `result` this leaves on the worker what was found.
                future.exception(timeout=POLL)
            except TimeoutError:
                working = bool(client.nthreads())
            else:
                return True
        if working:
            met = time.monotonic()
        elif interruption.asked:
            return False
        elif time.monotonic() - met > WITHOUT_WORKERS:
            raise ClusterError("the cluster has lost all its workers")


def _answer(
    client: Any,  # noqa: ANN401
    future: Any,  # noqa: ANN401
    subject: str,
    interruption: Interruption,
) -> bytes | None:
    """What an errand sends back; None if there is nobody left to wait for."""
    from distributed import KilledWorker

    seconds = TRANSFER
    while _is_done(client, future, interruption):
        try:
            return future.result(timeout=seconds)
        except KilledWorker as error:
            raise ClusterError(
                f"workers that dealt with {subject} died again and again, perhaps for want of memory: "
                f"{error}"
            ) from error
        except (Exception, asyncio.CancelledError) as error:
            if future.status == "error":
                raise
            if not isinstance(error, TimeoutError):
                raise _gone(error) from error
            # It is on its way still, or its worker has left with it.
            seconds *= 2
    return None
