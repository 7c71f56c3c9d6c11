"""Threads for work that may take very long, such as asking a server that does not answer."""

from __future__ import annotations

from concurrent.futures import Future, wait
from contextlib import suppress
from functools import partial
from queue import Empty, SimpleQueue
from threading import Thread
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Self

__all__ = ["DaemonThreads", "result_of"]

#: Seconds between two looks whether something is done: on Windows Ctrl-C ends no longer wait.
POLL = 1.0

_Calls = SimpleQueue[tuple[Future[Any], "Callable[[], Any]"] | None]


class DaemonThreads:
    """Threads that carry out calls in order.

    Unlike with `concurrent.futures`, neither Ctrl-C nor the end of the process waits for them.

    Parameters
    ----------
    count : int
        How many at most.
    """

    def __init__(self, count: int) -> None:
        self._count = count
        self._threads: list[Thread] = []
        self._calls: _Calls = SimpleQueue()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *rest: object) -> None:
        self.close()
        if kind is None or not issubclass(kind, KeyboardInterrupt):
            for thread in self._threads:
                while thread.is_alive():
                    thread.join(POLL)

    def submit(self, function: Callable[..., Any], *args: Any) -> Future[Any]:  # noqa: ANN401
        """Have a thread call a function."""
        future: Future[Any] = Future()
        self._calls.put((future, partial(function, *args)))
        if len(self._threads) < self._count:
            thread = Thread(target=_work, args=(self._calls,), daemon=True)
            thread.start()
            self._threads.append(thread)
        return future

    def close(self) -> None:
        """Cancel what is not begun, and have the threads end after what they do."""
        with suppress(Empty):
            while True:
                call = self._calls.get_nowait()
                if call is not None:
                    call[0].cancel()
        for _ in self._threads:
            self._calls.put(None)


def _work(calls: _Calls) -> None:
    while (call := calls.get()) is not None:
        future, function = call
        if future.set_running_or_notify_cancel():
            try:
                future.set_result(function())
            except BaseException as error:
                future.set_exception(error)
        del call, future, function  # results are large


def result_of(future: Future[Any]) -> Any:  # noqa: ANN401
    """What a call gives; Ctrl-C ends the wait for it."""
    while not wait([future], POLL).done:
        pass
    return future.result()
