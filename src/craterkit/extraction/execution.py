"""How the work is done: threads or a cluster, memory, progress. It does not change the result."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from craterkit.errors import ArgumentError
from craterkit.extraction.budget import Budget, parse_memory
from craterkit.extraction.walk import count_threads

__all__ = ["SCHEDULERS", "Execution"]

SCHEDULERS = ("threads", "processes")


@dataclass(frozen=True, kw_only=True)
class Execution:
    """How the work is done.

    Attributes
    ----------
    budget : Budget
        Memory, and threads of this process.

    Raises
    ------
    ArgumentError
        If an argument has a value that it cannot take, or two contradict each other.
    """

    n_jobs: int | None = None
    client: Any = None
    scheduler: str | None = None
    max_memory: object = None
    progress: bool | None = None
    budget: Budget = field(init=False)

    def __post_init__(self) -> None:
        budget = Budget(parse_memory(self.max_memory), count_threads(self.n_jobs))
        object.__setattr__(self, "budget", budget)
        if self.scheduler not in (None, *SCHEDULERS):
            raise ArgumentError(
                f"scheduler must be 'threads' or 'processes', not {self.scheduler!r}; pass a Dask client "
                "as client="
            )
        if self.progress not in (None, True, False):
            raise ArgumentError(f"progress must be None, True or False, not {self.progress!r}")
        if self.client is None:
            return
        _check_client(self.client)
        for name in ("scheduler", "n_jobs"):
            if getattr(self, name) is not None:
                raise ArgumentError(
                    f"{name} is of no use with client=: the cluster has its own workers"
                )

    @property
    def on_cluster(self) -> bool:
        """Whether other processes do the work."""
        return self.client is not None or self.scheduler == "processes"


def _check_client(client: Any) -> None:  # noqa: ANN401
    if not (hasattr(client, "submit") and hasattr(client, "scheduler_info")):
        instead = f"; pass Client({client!r})" if isinstance(client, str) else ""
        raise ArgumentError(
            f"client must be a dask.distributed.Client, not {type(client).__name__}{instead}"
        )
    if client.status in ("closing", "closed"):
        raise ArgumentError("client is closed; make a new dask.distributed.Client")
    if client.asynchronous:
        raise ArgumentError(
            "client is asynchronous; pass a dask.distributed.Client that was made without "
            "asynchronous=True, and outside of its event loop"
        )
