"""The walk over a raster: chunks are read and worked on by threads, results come back in order."""

from __future__ import annotations

import os
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import numpy as np

from craterkit.errors import ArgumentError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

    from craterkit.extraction.companions import Layers
    from craterkit.extraction.plan import Chunk, Plan
    from craterkit.footprints.spans import Spans
    from craterkit.progress import Progress
    from craterkit.rasters.base import Band, Raster

    Ints = NDArray[np.intp]

__all__ = ["Pixels", "Worker", "count_threads", "walk"]

Result = TypeVar("Result")

#: Decoded blocks that GDAL may keep during a walk.
BLOCK_CACHE_MB = 64


@dataclass(frozen=True, slots=True)
class Pixels:
    """Raw numbers of one band in one chunk; blocks that no ROI may touch are not filled in."""

    band: Band
    raw: NDArray[Any]
    mask: NDArray[np.uint8] | None
    row_start: int

    def places(self, spans: Spans) -> Ints:
        """Flat indices of the first pixel of each span."""
        return (spans.row - self.row_start) * self.raw.shape[1] + spans.start

    def take(self, places: Ints) -> tuple[NDArray[Any], NDArray[np.bool_] | None]:
        """Raw numbers at flat indices, and which of them are data (None: all)."""
        raw = self.raw.ravel().take(places)
        valid = self.band.valid(raw)
        if self.mask is not None:
            unmasked = self.mask.ravel().take(places) != 0
            if not unmasked.all():
                valid = unmasked if valid is None else valid & unmasked
        return raw, valid


class Worker(Protocol[Result]):
    """What is done with the pixels of a chunk, in any thread, and with the results, in order."""

    def work(self, chunk: Chunk, pixels: Sequence[Pixels], layers: Layers) -> Result:
        """Turn the pixels of a chunk, one `Pixels` a band, into a result; in a thread."""

    def collect(self, chunk: Chunk, result: Result) -> None:
        """Take the result of each chunk, in the order of the chunks; in the caller's thread."""


def count_threads(n_jobs: int | None) -> int:
    """Threads that `n_jobs` asks for: None or -1 is all cores, -2 all but one, and so on.

    Raises
    ------
    ArgumentError
        If `n_jobs` is 0 or no integer.
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
    return int(n_jobs) if n_jobs > 0 else max(1, cores + 1 + int(n_jobs))


def walk(
    bands: Sequence[tuple[Raster, Band]],
    plan: Plan,
    worker: Worker[Any],
    layers: Callable[[Chunk], Layers],
    *,
    threads: int,
    progress: Progress,
) -> None:
    """Read every chunk of the plan once, and what other rasters say of it, for the worker."""
    import rasterio

    def task(chunk: Chunk) -> Any:  # noqa: ANN401
        return worker.work(chunk, _read(bands, chunk), layers(chunk))

    # Blocks are read once, so GDAL need not keep them (by default in a twentieth of all memory).
    with rasterio.Env(GDAL_CACHEMAX=BLOCK_CACHE_MB):
        for chunk, result in _in_order(task, plan.chunks(), threads):
            worker.collect(chunk, result)
            progress.advance(int(chunk.ends.sum()))


def _in_order(task: Any, chunks: Iterator[Chunk], threads: int) -> Iterator[tuple[Chunk, Any]]:  # noqa: ANN401
    if threads == 1:
        for chunk in chunks:
            yield chunk, task(chunk)
        return
    # One task ahead of the threads keeps them busy without piling up pixels.
    waiting: deque[tuple[Chunk, Future[Any]]] = deque()
    with ThreadPoolExecutor(threads) as pool:
        try:
            for chunk in chunks:
                waiting.append((chunk, pool.submit(task, chunk)))
                if len(waiting) > threads:
                    first, future = waiting.popleft()
                    yield first, future.result()
            while waiting:
                first, future = waiting.popleft()
                yield first, future.result()
        finally:
            for _, future in waiting:
                future.cancel()


def _read(bands: Sequence[tuple[Raster, Band]], chunk: Chunk) -> list[Pixels]:
    """Read the blocks of a chunk that are wanted; those of zeros take no memory."""
    window = chunk.window
    pixels = [
        Pixels(
            band,
            np.zeros(window.shape, dtype=band.dtype),
            np.zeros(window.shape, dtype=np.uint8) if band.has_mask else None,
            window.row_start,
        )
        for _, band in bands
    ]
    for raster, of_raster in groupby(zip(bands, pixels, strict=True), lambda pair: pair[0][0]):
        together = [pixel for _, pixel in of_raster]
        for part in chunk.reads:
            rows = slice(part.row_start - window.row_start, part.row_stop - window.row_start)
            columns = slice(part.col_start, part.col_stop)
            raster.read_bands(
                [pixel.band for pixel in together],
                part,
                [pixel.raw[rows, columns] for pixel in together],
                [None if p.mask is None else p.mask[rows, columns] for p in together],
            )
    return pixels
