"""The walk over a raster: chunks are read and worked on by threads, results come back in order."""

from __future__ import annotations

import os
import signal
import threading
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import numpy as np

from craterkit.daemon_threads import DaemonThreads, result_of
from craterkit.errors import ArgumentError
from craterkit.extraction.blocks import read_chunk
from craterkit.rasters.gdal_settings import CallerSettings, block_cache

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from concurrent.futures import Future

    from numpy.typing import NDArray

    from craterkit.extraction.blocks import Pixels
    from craterkit.extraction.budget import Budget
    from craterkit.extraction.companions import Layers
    from craterkit.extraction.plan import Chunk
    from craterkit.rasters.base import Band, Raster

    Ints = NDArray[np.intp]

__all__ = ["Interruption", "Job", "Worker", "count_threads", "walk"]

Result = TypeVar("Result")


class Worker(Protocol[Result]):
    """What is done with the pixels of a chunk, in any thread or process."""

    def work(self, chunk: Chunk, pixels: Sequence[Pixels], layers: Layers) -> Result:
        """Turn the pixels of a chunk, one `Pixels` a band, into a result."""

    def renumber(self, result: Result, rois: Ints) -> Result:
        """The result with ``rois[i]`` for ROI i."""


@dataclass(frozen=True)
class Job:
    """All that turns a chunk of a raster into a result.

    Attributes
    ----------
    bands : sequence of (Raster, Band)
        What is read.
    layers : callable
        What other rasters say of a chunk's pixels.
    worker : Worker
        What is done with them.
    flag_unread : bool
        Whether blocks that cannot be read are passed over.
    """

    bands: Sequence[tuple[Raster, Band]]
    layers: Callable[[Chunk], Layers]
    worker: Worker[Any]
    flag_unread: bool = False

    def read(self, chunk: Chunk) -> tuple[list[Pixels], Layers]:
        """The pixels of a chunk."""
        return read_chunk(self.bands, chunk, flag_unread=self.flag_unread), self.layers(chunk)

    def run(self, chunk: Chunk) -> Any:  # noqa: ANN401
        """The result of a chunk."""
        return self.worker.work(chunk, *self.read(chunk))


class Interruption:
    """Ctrl-C as a wish: the first is to stop after the blocks in hand, the second to stop at once.

    Within the context, and if that is entered in the main thread while Python's own handler is at work.
    """

    def __init__(self) -> None:
        self.asked = False
        self._installed = False

    def __enter__(self) -> Interruption:
        in_main = threading.current_thread() is threading.main_thread()
        if in_main and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
            signal.signal(signal.SIGINT, self._ask)
            self._installed = True
        return self

    def __exit__(self, *exception: object) -> None:
        if self._installed:
            signal.signal(signal.SIGINT, signal.default_int_handler)

    def _ask(self, number: int, frame: Any) -> None:  # noqa: ANN401
        if self.asked:
            signal.default_int_handler(number, frame)
        self.asked = True


def count_threads(n_jobs: int | None) -> int:
    """Threads that `n_jobs` asks for: None or -1 is all cores, -2 all but one, and so on.

    Raises
    ------
    ArgumentError
        If `n_jobs` is 0, no integer, or leaves no core.
    """
    cores = (
        len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    )
    if n_jobs is None:
        return cores
    if isinstance(n_jobs, bool) or not isinstance(n_jobs, int | np.integer) or n_jobs == 0:
        raise ArgumentError(
            f"n_jobs must be a number of threads, or -1 for all cores and -2 for all but one, "
            f"not {n_jobs!r}"
        )
    if n_jobs < -cores:
        raise ArgumentError(f"n_jobs={n_jobs} leaves none of the {cores} cores")
    return int(n_jobs) if n_jobs > 0 else cores + 1 + int(n_jobs)


def walk(
    job: Job,
    chunks: Iterator[Chunk],
    budget: Budget,
    interruption: Interruption,
    parts: Callable[[Chunk], Iterator[Chunk]] | None = None,
) -> Iterator[tuple[Chunk, Any]]:
    """Results of the chunks, in order; each chunk is read once.

    Once an interruption is asked for, those that are not begun are left out.

    Parameters
    ----------
    job : Job
        What is done.
    chunks : iterator of Chunk
        Where.
    budget : Budget
        Tells the number of threads.
    interruption : Interruption
        Tells when to stop.
    parts : callable, optional
        Cuts a chunk into several, whose results come one after the other.
    """
    caller = CallerSettings.here()

    def run(chunk: Chunk, shared: _Shared) -> Any:  # noqa: ANN401
        with caller.applied():
            return job.worker.work(chunk, *shared.get())

    def tasks() -> Iterator[tuple[Chunk, _Shared]]:
        for chunk in chunks:
            shared = _Shared(job, chunk)
            for part in (chunk,) if parts is None else parts(chunk):
                yield part, shared

    with block_cache(budget.block_cache):
        yield from _in_order(run, tasks(), budget.threads, interruption)


class _Shared:
    """The pixels of a chunk, read when first asked for, in whichever thread."""

    def __init__(self, job: Job, chunk: Chunk) -> None:
        self._job = job
        self._chunk = chunk
        self._lock = threading.Lock()
        self._read: tuple[list[Pixels], Layers] | None = None

    def get(self) -> tuple[list[Pixels], Layers]:
        with self._lock:
            if self._read is None:
                self._read = self._job.read(self._chunk)
            return self._read


def _in_order(
    run: Callable[[Chunk, _Shared], Any],
    tasks: Iterator[tuple[Chunk, _Shared]],
    threads: int,
    interruption: Interruption,
) -> Iterator[tuple[Chunk, Any]]:
    if threads == 1:
        for chunk, shared in tasks:
            if interruption.asked:
                return
            yield chunk, run(chunk, shared)
        return
    # One task ahead of the threads keeps them busy without piling up pixels.
    waiting: deque[tuple[Chunk, Future[Any]]] = deque()
    with DaemonThreads(threads) as pool:
        for chunk, shared in tasks:
            if interruption.asked:
                break
            waiting.append((chunk, pool.submit(run, chunk, shared)))
            if len(waiting) > threads:
                first, future = waiting.popleft()
                yield first, result_of(future)
        while waiting:
            while interruption.asked and waiting and waiting[-1][1].cancel():
                waiting.pop()
            if waiting:
                first, future = waiting.popleft()
                yield first, result_of(future)
