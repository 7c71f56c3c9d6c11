"""Conditions that `where=` puts on the pixels of another raster."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from craterkit.errors import ArgumentError
from craterkit.rasters.missing_values import any_declared, can_be_missing

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from craterkit.rasters.base import Band

    Bools = NDArray[np.bool_]

__all__ = ["Condition", "parse_condition", "parse_where"]

#: Numbers of values that are compared faster one by one.
FEW = 16

#: How many values of either answer a condition is asked again, to see whether it judges them alone.
ASKED_AGAIN = 1 << 16

ACCEPTED = (
    "where takes {raster: condition}, or a list of (raster, condition) or (raster, band, condition); "
    "a condition is a function of physical values that returns booleans, a raw value, or a "
    "collection of raw values"
)


@dataclass(frozen=True)
class Condition:
    """What a pixel must fulfil.

    Attributes
    ----------
    predicate : callable or None
        Which physical values pass: float64 in, booleans out.
    values : tuple of float
        Raw values that pass, if there is no predicate.
    """

    predicate: Callable[[NDArray[np.float64]], Any] | None
    values: tuple[float, ...] = ()
    _is_checked: bool = field(default=False, init=False, repr=False, compare=False)

    @property
    def text(self) -> str:
        """A few words on it: the predicate's name, or the values."""
        if self.predicate is None:
            return ", ".join(f"{value}" for value in self.values)
        return getattr(self.predicate, "__qualname__", None) or repr(self.predicate)

    def passes(
        self,
        band: Band,
        raw: NDArray[Any],
        unmasked: Bools | None,
        *,
        scaled: bool,
        name: str,
    ) -> Bools:
        """Which pixels pass; those without data do not, nor those for which the answer is masked.

        Raw values are compared as they are, so that a value may be the band's own nodata.

        Raises
        ------
        ArgumentError
            If the predicate fails, does not return booleans, or does not judge each value by itself:
            pixels come in parts, and what it says of one must not depend on the others of its part.
        """
        if self.predicate is None:
            passed = _equal_any(band, raw, self.values)
            return passed if unmasked is None else passed & unmasked
        valid = band.valid(raw)
        if unmasked is not None:
            valid = unmasked if valid is None else valid & unmasked
        chosen = raw.ravel() if valid is None else raw[valid]
        values = band.physical(chosen) if scaled else chosen.astype(np.float64)
        passed = np.zeros(raw.shape, dtype=np.bool_)
        if values.size:
            passed[slice(None) if valid is None else valid] = self._ask(values, name).reshape(
                raw.shape if valid is None else -1
            )
        return passed

    def _ask(self, values: NDArray[np.float64], name: str) -> Bools:
        found = self._answer(values, name)
        if not self._is_checked and found.any() and not found.all():
            self._check(values, found, name)
            object.__setattr__(self, "_is_checked", True)
        return found

    def _answer(self, values: NDArray[np.float64], name: str) -> Bools:
        assert self.predicate is not None
        try:
            answer = self.predicate(values)
        except Exception as error:
            raise ArgumentError(
                f"where: the condition on {name} failed: {type(error).__name__}: {error}"
            ) from error
        found = np.asarray(np.ma.filled(answer, False) if np.ma.isMaskedArray(answer) else answer)
        if found.dtype != np.bool_ or found.shape != values.shape:
            raise ArgumentError(
                f"where: the condition on {name} must return one boolean for each of the "
                f"{values.size} values that it gets, but returned {_kind(answer, found)}"
            )
        return found

    def _check(self, values: NDArray[np.float64], found: Bools, name: str) -> None:
        """Raise if values that passed, or that did not, are judged otherwise without the others.

        What is drawn at random is not judged by other values, and may differ.
        """
        for passed in (False, True):
            alone = values[found == passed]
            alone = alone[:: -(-alone.size // ASKED_AGAIN)]
            changed = int(np.count_nonzero(self._answer(alone, name) != passed))
            if changed and np.array_equal(self._answer(values, name), found):
                raise ArgumentError(
                    f"where: the condition on {name} must judge each value by itself, as pixels are "
                    f"read in parts, but answers otherwise for {changed} of {alone.size} values when "
                    "it gets these without the others; compute what it compares with (a percentile, "
                    "a mean) from the whole raster before"
                )


def _kind(answer: object, found: NDArray[Any]) -> str:
    if not found.shape:
        return repr(answer)
    return f"an array of {found.dtype} of shape {found.shape}"


def _equal_any(band: Band, raw: NDArray[Any], values: tuple[float, ...]) -> Bools:
    """Which raw numbers equal any of the values, as the raster's dtype holds them."""
    held = [
        value for value in (_as_held(value, raw.dtype) for value in values) if value is not None
    ]
    if len(held) > FEW:
        passed = np.isin(raw, np.array(held, dtype=raw.dtype))
    else:
        passed = np.zeros(raw.shape, dtype=np.bool_)
        for value in held:
            passed |= raw == value
    # What the band declares for no data may be written with other digits than the value.
    declared = [own for own in band.nodata if can_be_missing(raw.dtype, own)]
    meant = any_declared(np.array(declared, dtype=raw.dtype), values)
    if meant is not None and meant.any():
        missing = any_declared(raw, np.array(declared)[meant].tolist())
        passed = passed if missing is None else passed | missing
    return passed


def _as_held(value: float, dtype: np.dtype[Any]) -> Any:  # noqa: ANN401
    """A value in a raster's dtype; None if no pixel can have it."""
    if dtype.kind == "f":
        with np.errstate(over="ignore"):
            held = dtype.type(value)
        return None if np.isinf(held) and not np.isinf(value) else held
    info = np.iinfo(dtype)
    if not np.isfinite(value) or int(value) != value or not info.min <= value <= info.max:
        return None
    return dtype.type(int(value))


def parse_where(where: Any) -> list[tuple[Any, Any, Condition]]:  # noqa: ANN401
    """Take the argument `where` apart: (raster, band, condition) for each condition.

    Raises
    ------
    ArgumentError
        If it has another form.

    Examples
    --------
    >>> [(raster, band) for raster, band, _ in parse_where([("a.tif", 3), ("b.tif", 2, np.signbit)])]
    [('a.tif', 1), ('b.tif', 2)]
    """
    if where is None:
        return []
    if isinstance(where, Mapping):
        entries: list[Any] = list(where.items())
    elif isinstance(where, str | os.PathLike | np.ndarray) or not isinstance(where, Iterable):
        raise ArgumentError(f"{ACCEPTED}; not {where!r}")
    else:
        entries = list(where)
    parsed = []
    for entry in entries:
        if not isinstance(entry, tuple | list) or len(entry) not in (2, 3):
            raise ArgumentError(f"{ACCEPTED}; not {entry!r}")
        band = entry[1] if len(entry) == 3 else 1
        parsed.append((entry[0], band, parse_condition(entry[-1], ACCEPTED)))
    return parsed


def parse_condition(given: Any, accepted: str) -> Condition:  # noqa: ANN401
    """Make a condition of a raw value, several, or a function of physical values.

    Parameters
    ----------
    given : object
        What the user gives.
    accepted : str
        What an argument takes, for messages.

    Raises
    ------
    ArgumentError
        If it is none of these, or NaN.
    """
    if callable(given):
        return Condition(given)
    if isinstance(given, np.ndarray):
        given = given.ravel().tolist()
    single = not isinstance(given, Iterable) or isinstance(given, str | bytes)
    values = [given] if single else [*given]
    numbers = bool, int, float, np.bool_, np.integer, np.floating
    if not values or any(not isinstance(value, numbers) for value in values):
        raise ArgumentError(f"{accepted}, not {given!r}")
    if any(value != value for value in values):
        raise ArgumentError(
            f"{accepted}, and not NaN, which equals nothing; ~PixelSelection.from_raster(raster, "
            "numpy.isfinite) selects pixels without data"
        )
    return Condition(None, tuple(int(v) if isinstance(v, bool | np.bool_) else v for v in values))
