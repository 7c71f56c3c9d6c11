"""What the definitions of regions have in common: checks of their numbers, and turns of vertices."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, TypeAlias, cast

import numpy as np

from craterkit.errors import RegionError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    PerFeature: TypeAlias = float | Floats

__all__ = [
    "as_column",
    "checked_nvert",
    "checked_values",
    "is_number",
    "same_values",
    "take_values",
    "turn",
]

#: Vertices of the simplest polygon.
FEWEST = 3

#: Vertices beyond which a polygon is a mistake, or would fill the memory.
MOST = 100_000


def is_number(value: object) -> bool:
    """Whether a value is one finite number."""
    return (
        isinstance(value, int | float | np.integer | np.floating)
        and not isinstance(value, bool)
        and math.isfinite(value)
    )


def checked_nvert(nvert: object) -> int | None:
    """The number of a polygon's vertices, or None."""
    if nvert is None:
        return None
    number = cast("float", nvert)
    if not is_number(nvert) or number != int(number) or not FEWEST <= number <= MOST:
        raise RegionError(f"nvert must be an integer from {FEWEST} to {MOST}, not {nvert!r}")
    return int(number)


def turn(count: int) -> Floats:
    """Directions of `count` vertices on a whole turn, degrees.

    Every other one of twice as many is one of these exactly.
    """
    return np.arange(count, dtype=np.float64) * (360.0 / count)


def checked_values(value: object, name: str) -> PerFeature:
    """One number for all features, or a read-only array of one for each (NaN: it has none)."""
    if is_number(value):
        return float(cast("float", value))
    array = np.array(value, dtype=np.float64) if np.ndim(cast("Any", value)) else None
    if array is None or array.ndim != 1 or np.isinf(array).any():
        raise RegionError(f"{name} must be a finite number, or an array of one for each feature")
    array.flags.writeable = False
    return array


def take_values(value: PerFeature, which: Any) -> PerFeature:  # noqa: ANN401
    """The value for some of the features: a slice, a mask or positions."""
    return value if isinstance(value, float) else value[which]


def same_values(one: PerFeature, other: PerFeature) -> bool:
    """Whether two values are the same for every feature."""
    return np.array_equal(one, other, equal_nan=True)


def as_column(value: PerFeature) -> Floats:
    """The value as a column, (1, 1) or (n, 1), for use beside vertices."""
    return np.reshape(np.asarray(value, dtype=np.float64), (-1, 1))
