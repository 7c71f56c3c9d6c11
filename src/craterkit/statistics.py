"""The statistics that `get_stats` knows: names, formulae, weighting rules.

One registry yields the accepted names, the computation and the documentation.

Notation: v are the values of an ROI's valid pixels and w their weights; w = 1 unless
``coverage="fraction"`` (the covered share) or ``weights="area"`` (the area, m²) says otherwise.
"""

from __future__ import annotations

import difflib
import inspect
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from craterkit.errors import StatisticError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from craterkit.extraction.moments import Moments
    from craterkit.extraction.ordered import SortedGroups

__all__ = ["STATISTICS", "Function", "Request", "Statistic", "parse_statistics"]


@dataclass(frozen=True, slots=True)
class Statistic:
    """One statistic.

    Attributes
    ----------
    name : str
        As users write it.
    formula : str
        Definition, weights included; part of the documentation.
    from_moments : callable, optional
        Computes it for all ROIs from their `Moments`.
    from_sorted : callable, optional
        Computes it for some ROIs from their `SortedGroups`.
    squares, extremes, ground : bool
        What it needs: sums of squares, extremes, the weight of the whole ROI.
    """

    name: str
    formula: str
    from_moments: Callable[[Moments], NDArray[Any]] | None = None
    from_sorted: Callable[[SortedGroups], NDArray[Any]] | None = None
    squares: bool = False
    extremes: bool = False
    ground: bool = False


@dataclass(frozen=True, slots=True)
class Function:
    """A user's function of the valid values, or of the values and their weights."""

    name: str
    function: Callable[..., Any]
    takes_weights: bool


def _sum(m: Moments) -> NDArray[Any]:
    if (m.count > 0).all():
        return m.total
    return np.where(m.count > 0, m.total, np.nan)


def _variance(m: Moments) -> NDArray[Any]:
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(m.weight > 0, m.squares / m.weight, np.nan)


STATISTICS: dict[str, Statistic] = {
    s.name: s
    for s in (
        Statistic(
            "count",
            "Number of valid pixels of the footprint, whatever they weigh; an integer.",
            lambda m: m.count,
        ),
        Statistic("weight_sum", "Σ w over the valid pixels.", lambda m: m.weight),
        Statistic(
            "sum",
            "Σ w v. Exact (int64) for unweighted, unscaled integers whose sums fit, if every ROI has "
            "valid pixels.",
            _sum,
        ),
        Statistic("mean", "μ = Σ w v / Σ w.", lambda m: m.mean),
        Statistic("min", "Smallest v; weights do not matter.", lambda m: m.low, extremes=True),
        Statistic("max", "Largest v; weights do not matter.", lambda m: m.high, extremes=True),
        Statistic("range", "max − min.", lambda m: m.high - m.low, extremes=True),
        Statistic(
            "var",
            "Σ w (v − μ)² / Σ w: of the population (ddof 0).",
            _variance,
            squares=True,
        ),
        Statistic("std", "√var.", lambda m: np.sqrt(_variance(m)), squares=True),
        Statistic(
            "median",
            "percentile_50.",
            from_sorted=lambda g: g.quantile(0.5),
        ),
        Statistic(
            "majority",
            "The v with the greatest Σ w; the smallest of those that tie.",
            from_sorted=lambda g: g.mode(),
        ),
        Statistic(
            "minority",
            "The v with the least Σ w; the smallest of those that tie.",
            from_sorted=lambda g: g.mode(rarest=True),
        ),
        Statistic(
            "unique",
            "Number of distinct v; an integer.",
            from_sorted=lambda g: g.unique(),
        ),
        Statistic(
            "nodata",
            "Number of invalid pixels of the footprint within the raster; an integer.",
            lambda m: m.pixels - m.count,
        ),
        Statistic(
            "valid_fraction",
            "Σ w over the valid pixels / Σ w over the whole ROI, the ground outside the raster "
            "included.",
            ground=True,
        ),
    )
}

_POSITIONAL = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)

_PERCENTILE = re.compile(r"percentile_(\d+(?:\.\d+)?)")

PERCENTILE_FORMULA = (
    "The value below which N % of the values lie, linear between values: the k-th smallest of n lies "
    "at (k − 1)/(n − 1) (Hyndman and Fan 1996, type 7). With weights: the mean of the step quantile "
    "function over [a, a + 1/n*], a = (N/100)(n* − 1)/n*, n* = (Σ w)²/Σ w² (Akinshin 2023, "
    "arXiv:2304.07265), which is type 7 for equal weights."
)


@dataclass(frozen=True)
class Request:
    """Statistics asked for, in order, and what computing them takes."""

    items: tuple[Statistic | Function, ...]
    squares: bool = field(init=False)
    extremes: bool = field(init=False)
    ground: bool = field(init=False)

    def __post_init__(self) -> None:
        for need in ("squares", "extremes", "ground"):
            wanted = any(getattr(item, need, False) for item in self.items)
            object.__setattr__(self, need, wanted)

    @property
    def sorted_statistics(self) -> list[Statistic]:
        """Those computed from sorted values."""
        return [s for s in self.items if isinstance(s, Statistic) and s.from_sorted is not None]

    @property
    def functions(self) -> list[Function]:
        """The user's functions."""
        return [item for item in self.items if isinstance(item, Function)]

    @property
    def needs_values(self) -> bool:
        """Whether all values of an ROI are needed at once."""
        return bool(self.sorted_statistics or self.functions)


def parse_statistics(stats: Any) -> Request:  # noqa: ANN401
    """Turn what a user asks for into statistics.

    Parameters
    ----------
    stats : str, mapping or iterable of these
        Names; mappings of a name to a function.

    Raises
    ------
    StatisticError
        If a name is unknown or asked for twice, a percentile lies outside 0 to 100, something is no
        function, or nothing is asked for.

    Examples
    --------
    >>> [s.name for s in parse_statistics(["mean", "percentile_90", {"p2p": np.ptp}]).items]
    ['mean', 'percentile_90', 'p2p']
    """
    items = list(_items(stats))
    if not items:
        raise StatisticError("stats names no statistic")
    seen: set[str] = set()
    for item in items:
        if item.name in seen:
            raise StatisticError(f"stats names {item.name!r} twice")
        seen.add(item.name)
    return Request(tuple(items))


def _items(stats: Any) -> Iterable[Statistic | Function]:  # noqa: ANN401
    if isinstance(stats, str):
        yield _named(stats)
    elif isinstance(stats, Mapping):
        for name, function in stats.items():
            yield _function(name, function)
    elif isinstance(stats, Iterable):
        for item in stats:
            if not isinstance(item, str | Mapping):
                raise StatisticError(
                    f"stats takes names and {{name: function}}, not {item!r}; "
                    "give a function a name, for example {'p90': lambda v: np.percentile(v, 90)}"
                )
            yield from _items(item)
    else:
        raise StatisticError(f"stats takes names and {{name: function}}, not {stats!r}")


def _named(name: str) -> Statistic:
    if name in STATISTICS:
        return STATISTICS[name]
    match = _PERCENTILE.fullmatch(name)
    if match:
        percent = float(match[1])
        if percent > 100:
            raise StatisticError(f"{name!r}: a percentile lies between 0 and 100")
        return Statistic(
            name, PERCENTILE_FORMULA, from_sorted=lambda groups: groups.quantile(percent / 100)
        )
    known = [*STATISTICS, "percentile_N"]
    close = difflib.get_close_matches(name, known, n=1)
    hint = f"; did you mean {close[0]!r}?" if close else "."
    raise StatisticError(f"unknown statistic {name!r}{hint} Known are {', '.join(known)}.")


def _function(name: Any, function: Any) -> Function:  # noqa: ANN401
    if not isinstance(name, str) or not name:
        raise StatisticError(f"a function of stats needs a name, not {name!r}")
    if not callable(function):
        raise StatisticError(f"stats: {name!r} is no function but {function!r}")
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):  # built-ins without a signature
        return Function(name, function, takes_weights=False)
    required = sum(p.kind in _POSITIONAL and p.default is p.empty for p in parameters)
    takes_any = any(p.kind in (*_POSITIONAL, inspect.Parameter.VAR_POSITIONAL) for p in parameters)
    if required > 2 or not takes_any:
        raise StatisticError(
            f"stats: the function {name!r} must take the values, or the values and their weights, "
            f"but requires {required} arguments"
        )
    return Function(name, function, takes_weights=required == 2)
