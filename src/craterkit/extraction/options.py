"""How rasters are read and pixels chosen: the arguments that all extraction shares."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from craterkit.errors import ArgumentError, quoted
from craterkit.extraction.sources import remote_name
from craterkit.footprints.rules import COVERAGES, Rules

if TYPE_CHECKING:
    from craterkit.footprints.rules import Coverage

__all__ = ["ALIGNMENTS", "EXCLUSIONS", "Options"]

EXCLUSIONS: tuple[str, ...] = ("neighbors",)
ALIGNMENTS: tuple[str, ...] = ("nearest",)


@dataclass(frozen=True, kw_only=True)
class Options:
    """How rasters are read and pixels chosen: the arguments that all extraction shares.

    Raises
    ------
    ArgumentError
        If one of them has a value that it cannot take.
    """

    coverage: Coverage = "all_touched"
    weights: Any = None
    where: Any = None
    align: str | None = None
    exclude: str | None = None
    exclude_size: float = 1.0
    min_valid_fraction: float | None = None
    nodata: Any = None
    bands: Any = 1
    scaled: bool = True
    raster_crs: Any = None
    transform: Any = None
    errors: str = "raise"

    def __post_init__(self) -> None:
        object.__setattr__(self, "bands", _held(self.bands))
        object.__setattr__(self, "where", _held_where(self.where))
        for name, accepted in _ACCEPTED.items():
            value = getattr(self, name)
            if not any(value is choice or _same_text(value, choice) for choice in accepted):
                raise ArgumentError(f"{name} must be one of {quoted(accepted)}, not {value!r}")
        if not _is_number(self.exclude_size) or self.exclude_size <= 0:
            raise ArgumentError(
                f"exclude_size must be a number of feature radii above 0, not {self.exclude_size!r}"
            )
        if self.exclude is None and self.exclude_size != 1:
            raise ArgumentError('exclude_size is of use with exclude="neighbors" only')
        least = self.min_valid_fraction
        if least is not None and not (_is_number(least) and 0 <= least <= 1):
            raise ArgumentError(f"min_valid_fraction must lie between 0 and 1, not {least!r}")

    @property
    def rules(self) -> Rules:
        """The rule by which pixels belong, and what they count for."""
        return Rules(self.coverage, area_weighted=_same_text(self.weights, "area"))

    def by_name(self) -> Options:
        """The same for use on other machines, which open rasters by name.

        Raises
        ------
        ArgumentError
            If a raster of `where` or `weights` has no name that could be opened there.
        """
        pairs = self.where.items() if isinstance(self.where, Mapping) else self.where or ()
        where = [(remote_name(raster, "where"), *rest) for raster, *rest in pairs]
        weights = self.weights_raster
        return replace(
            self,
            where=where or None,
            weights=self.weights if weights is None else remote_name(weights, "weights"),
        )

    @property
    def weights_raster(self) -> Any:  # noqa: ANN401
        """The raster that weighs pixels, if there is one."""
        return None if _same_text(self.weights, "area") else self.weights

    @property
    def weighted(self) -> bool:
        """Whether pixels count differently at all."""
        return self.rules.weighted or self.weights_raster is not None


_ACCEPTED: dict[str, tuple[object, ...]] = {
    "coverage": COVERAGES,
    "align": (None, *ALIGNMENTS),
    "exclude": (None, *EXCLUSIONS),
    "scaled": (True, False),
    "errors": ("raise", "flag"),
}


def _held(given: Any) -> Any:  # noqa: ANN401
    """The same; of an iterator, which could be used only once, its items."""
    return tuple(given) if isinstance(given, Iterator) else given


def _held_where(where: Any) -> Any:  # noqa: ANN401
    """What `where` gives, without iterators on any level."""
    if isinstance(where, Mapping):
        return {raster: _held(condition) for raster, condition in where.items()}
    where = _held(where)
    if not isinstance(where, tuple | list):
        return where
    return tuple(
        tuple(_held(part) for part in entry) if isinstance(entry, tuple | list) else entry
        for entry in where
    )


def _same_text(value: object, choice: object) -> bool:
    return isinstance(value, str) and value == choice


def _is_number(value: object) -> bool:
    return (
        isinstance(value, int | float | np.integer | np.floating)
        and not isinstance(value, bool)
        and math.isfinite(value)
    )
