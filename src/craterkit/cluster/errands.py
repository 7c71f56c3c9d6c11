"""Errands for the workers of a cluster: what they carry, and what all of them share."""

from __future__ import annotations

import pickle
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from craterkit import __version__
from craterkit.errors import ArgumentError, ClusterError, CraterkitError, RasterError

__all__ = ["Errand", "Shared", "another_raster", "made_of", "no_raster", "pickled"]


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
