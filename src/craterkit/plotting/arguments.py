"""Checks of the arguments that pictures share, and figures that are closed if they fail."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import contextmanager
from functools import wraps
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

import numpy as np

from craterkit.errors import ArgumentError, quoted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

__all__ = [
    "checked_axes",
    "checked_count",
    "checked_mapping",
    "checked_number",
    "checked_pair",
    "checked_size",
    "closed_on_error",
    "colours_by_name",
    "names_raster",
    "properties_of",
]

_Arguments = ParamSpec("_Arguments")
_Result = TypeVar("_Result")


@contextmanager
def closed_on_error(figure: Any) -> Iterator[None]:  # noqa: ANN401
    """Close a figure of pyplot's if what follows fails; nothing happens to None."""
    try:
        yield
    except BaseException:
        if figure is not None:
            from matplotlib import pyplot as plt

            plt.close(figure)
        raise


@contextmanager
def properties_of(method: str, artist: str) -> Iterator[None]:
    """Say which artist has no such property, or not of such a value, instead of how it failed."""
    try:
        yield
    except ArgumentError:
        raise
    except ValueError as error:
        raise ArgumentError(f"{method}: {error}; further arguments are for {artist}") from error
    except (AttributeError, TypeError) as error:
        raise TypeError(f"{method}: {error}; further arguments are for {artist}") from error


def names_raster(
    method: Callable[_Arguments, _Result],
) -> Callable[_Arguments, _Result]:
    """Let a method say that its raster is not called `fraster`."""

    @wraps(method)
    def named(*args: _Arguments.args, **kwargs: _Arguments.kwargs) -> _Result:
        if "fraster" in kwargs:
            raise TypeError(f"{method.__name__}: the raster is called raster here, not fraster")
        return method(*args, **kwargs)

    return named


def checked_axes(ax: Any) -> Any:  # noqa: ANN401
    """The axes, if they are rectangular; None for None."""
    from matplotlib.axes import Axes

    if ax is None:
        return None
    if not isinstance(ax, Axes):
        hint = "; pass one of them" if isinstance(ax, np.ndarray | list | tuple) else ""
        raise ArgumentError(f"ax must be axes of matplotlib, not {type(ax).__name__}{hint}")
    if ax.name != "rectilinear":
        raise ArgumentError(f"ax must be rectangular axes, not of the projection {ax.name!r}")
    return ax


def checked_count(name: str, value: object, least: int) -> int:
    """A whole number that is at least so large."""
    if isinstance(value, bool) or not isinstance(value, Integral) or value < least:
        raise ArgumentError(f"{name} must be a whole number of at least {least}, not {value!r}")
    return int(value)


def checked_number(name: str, value: object) -> float:
    """A finite number."""
    if isinstance(value, bool) or not isinstance(value, Real) or not np.isfinite(float(value)):
        raise ArgumentError(f"{name} must be a number, not {value!r}")
    return float(value)


def checked_pair(name: str, value: object, what: str) -> tuple[float, float]:
    """Two finite numbers, the lower one first; `what` says what they are."""
    try:
        low, high = (float(number) for number in np.asarray(value, dtype=np.float64))
    except (TypeError, ValueError):
        low = high = np.nan
    if not (np.isfinite([low, high]).all() and low < high):
        raise ArgumentError(f"{name} must be {what}, the lower one first, not {value!r}")
    return low, high


def checked_size(size: object) -> tuple[float, ...]:
    """Width, or width and height, of a figure."""
    try:
        numbers = np.atleast_1d(np.asarray(size, dtype=np.float64))
    except (TypeError, ValueError):
        numbers = np.zeros(0)
    if numbers.shape not in ((1,), (2,)) or not (np.isfinite(numbers) & (numbers > 0)).all():
        raise ArgumentError(
            f"size must be the width of the figure in inches, or (width, height), not {size!r}"
        )
    return tuple(numbers.tolist())


def checked_mapping(name: str, value: object) -> dict[str, Any]:
    """A mapping as a dict, empty for None."""
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise ArgumentError(f"{name} must be a dict, not {value!r}")
    return dict(value)


def colours_by_name(
    color: Any,  # noqa: ANN401
    names: Sequence[str],
    default: Sequence[Any],
    *,
    known: Iterable[str] = (),
) -> list[Any]:
    """The colour of each of some things that are drawn, from the argument `color`.

    Parameters
    ----------
    color : colour, list of colour, dict or None
        One for all; one for each; or by name, with the default ones for names that it lacks.
    names : sequence of str
        What the things are called.
    default : sequence of colour
        Repeated if there are too few.
    known : iterable of str
        Further names that a dict may have.

    Raises
    ------
    ArgumentError
        If it is none of these, has a name that is not there, or is a list of another length.

    Examples
    --------
    >>> colours_by_name({"rim": "red"}, ["floor", "rim"], ["black", "white"])
    ['black', 'red']
    """
    from matplotlib.colors import is_color_like

    usual = [default[number % len(default)] for number in range(len(names))]
    if color is None:
        return usual
    if is_color_like(color):
        return [color] * len(names)
    if isinstance(color, Mapping):
        wrong = [name for name in color if name not in {*names, *known}]
        if wrong:
            raise ArgumentError(
                f"color: there is nothing called {quoted(wrong)}; there are {quoted(names)}"
            )
        colours = [color.get(name, own) for name, own in zip(names, usual, strict=True)]
    elif isinstance(color, Iterable) and not isinstance(color, str):
        colours = list(color)
        if len(colours) != len(names):
            raise ArgumentError(f"color has {len(colours)} colours for {quoted(names)}")
    else:
        raise ArgumentError(
            f"color must be a colour, a list of one for each of {quoted(names)}, or a dict by "
            f"these names, not {color!r}"
        )
    for own in colours:
        if not is_color_like(own):
            raise ArgumentError(f"color: {own!r} is no colour")
    return colours
