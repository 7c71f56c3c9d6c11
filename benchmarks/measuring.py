"""Timing, and measuring in a process of its own."""

from __future__ import annotations

import multiprocessing
import multiprocessing.context
import resource
import sys
import threading
import time
import warnings
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

import rasterio

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

__all__ = ["Isolated", "Settings", "best_of", "decode", "isolated", "processes"]

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Settings:
    """What all benchmarks are told: where rasters are kept, threads, repetitions, craters."""

    data: Path
    jobs: int = 2
    repeat: int = 3
    quick: bool = False
    features: int = 1_300_000
    tutorial_data: Path | None = None

    def pick(self, full: T, quick: T) -> T:
        """Return the first of two sizes, or the second for a quick run."""
        return quick if self.quick else full


@dataclass(frozen=True, slots=True)
class Isolated:
    """What a function returned in a process of its own, and that process's peak memory in MB."""

    value: Any
    peak: float


def best_of(repeat: int, work: Callable[[], T]) -> tuple[float, T]:
    """Return the fewest seconds of some calls, and what the last one returned."""
    best = float("inf")
    for _ in range(repeat):
        start = time.perf_counter()
        result = work()
        best = min(best, time.perf_counter() - start)
    return best, result


def isolated(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> Isolated:
    """Call a module-level function in a fresh process, forked from one that has only imported."""
    with ProcessPoolExecutor(1, mp_context=processes()) as pool:
        return pool.submit(_with_peak, work, args, kwargs).result()


def processes() -> multiprocessing.context.ForkServerContext:
    """Return how processes are started."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["benchmarks.__main__"])
    return context


def decode(path: Path, threads: int) -> float:
    """Return the seconds that it takes to read every block of a raster once.

    Each thread has its own dataset and reads every so-manieth row of blocks.
    """
    ready = threading.Barrier(threads + 1)

    def read(first: int) -> None:
        with rasterio.open(path) as dataset:
            height = dataset.block_shapes[0][0]
            ready.wait()
            for row in range(first * height, dataset.height, threads * height):
                last = min(row + height, dataset.height)
                dataset.read(1, window=((row, last), (0, dataset.width)))

    with ThreadPoolExecutor(threads) as pool:
        tasks = [pool.submit(read, first) for first in range(threads)]
        ready.wait()
        start = time.perf_counter()
        for task in tasks:
            task.result()
        return time.perf_counter() - start


def _with_peak(work: Callable[..., Any], args: Any, kwargs: Any) -> Isolated:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        value = work(*args, **kwargs)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return Isolated(value, peak * (1 if sys.platform == "darwin" else 1024) / 1e6)
