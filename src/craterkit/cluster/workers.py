"""A Dask cluster: its workers, errands sent to them, and answers that come in order.

If a worker dies, its errands are given to others.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import pickle
import time
from collections import deque
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeVar

from craterkit import __version__
from craterkit.cluster.errands import Shared
from craterkit.errors import ArgumentError, ClusterError
from craterkit.extraction.walk import count_threads

if TYPE_CHECKING:
    from craterkit.cluster.errands import Errand
    from craterkit.extraction.execution import Execution
    from craterkit.extraction.walk import Interruption

__all__ = ["ERRANDS_EACH", "Cluster", "carry_out", "count_workers", "open_cluster"]

Told = TypeVar("Told")

#: What to do if worker processes do not come into being.
UNGUARDED = (
    "each worker process begins by importing the script that started it, so that there the call must "
    'stand under `if __name__ == "__main__":`'
)

#: Errands that each thread of the cluster should get, if there is work enough.
ERRANDS_EACH = 8

#: Errands that are on the way for each thread.
AHEAD = 2

#: Bytes at most of a piece of what all errands share.
PIECE_BYTES = 5_000_000

#: Seconds between looks at the cluster, without any workers at most, and for a result to come at first.
POLL, WITHOUT_WORKERS, TRANSFER = 1.0, 60.0, 10.0

#: Seconds at most in which what all errands need is copied to all workers, before these begin.
REPLICATION = 30.0


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
    for start in range(0, len(data), PIECE_BYTES):
        with _if_gone():
            piece = data[start : start + PIECE_BYTES]
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
    with _if_gone(), suppress(TimeoutError):
        # Else only the worker that has them would be thought fit for the errands. Who does not get
        # them in time, as a worker that hangs, asks for them with its first errand.
        client.replicate(pieces, callback_timeout=REPLICATION)
    return True


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
