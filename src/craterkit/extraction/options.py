"""How rasters are read and pixels chosen: the arguments that all extraction shares."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from craterkit.errors import ArgumentError, quoted
from craterkit.footprints.rules import COVERAGES, WEIGHTS, Rules

if TYPE_CHECKING:
    from craterkit.footprints.rules import Coverage, Weighting

__all__ = ["Options"]


@dataclass(frozen=True)
class Options:
    """How rasters are read and pixels chosen: the arguments that all extraction shares.

    Raises
    ------
    ArgumentError
        If one of them has a value that it cannot take.
    """

    coverage: Coverage = "all_touched"
    weights: Weighting | None = None
    nodata: Any = None
    bands: Any = 1
    scaled: bool = True
    raster_crs: Any = None
    n_jobs: int | None = None
    progress: bool | None = None

    def __post_init__(self) -> None:
        for name, accepted in _ACCEPTED.items():
            value = getattr(self, name)
            if not any(value is choice or _same_text(value, choice) for choice in accepted):
                raise ArgumentError(f"{name} must be one of {quoted(accepted)}, not {value!r}")

    @property
    def rules(self) -> Rules:
        """The rule by which pixels belong, and what they count for."""
        return Rules(self.coverage, area_weighted=self.weights == "area")


_ACCEPTED: dict[str, tuple[object, ...]] = {
    "coverage": COVERAGES,
    "weights": (None, *WEIGHTS),
    "scaled": (True, False),
    "progress": (None, True, False),
}


def _same_text(value: object, choice: object) -> bool:
    return isinstance(value, str) and value == choice
