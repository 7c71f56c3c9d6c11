"""The statistics that `get_stats` knows: names, formulae, weighting rules.

One registry yields the accepted names, the computation and the documentation.

Notation: v are the values of an ROI's valid pixels and w their weights; w = 1 unless
``coverage="fraction"`` (the covered share) or ``weights=`` (the area in m², a raster) says
otherwise. n* = (Σ w)²/Σ w² is the effective number of values (Kish 1965), which is their number if all
weigh the same.
"""

from __future__ import annotations

import difflib
import inspect
import math
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, Any

import numpy as np

from craterkit.errors import StatisticError
from craterkit.statistics.directions import COSINES, SINES, circular_mean, circular_std
from craterkit.statistics.moments import Need
from craterkit.statistics.ordering import check_squares
from craterkit.statistics.places import latitude, longitude
from craterkit.statistics.robust import biweight_location, biweight_scale, mad_std
from craterkit.statistics.tallies import AREA, WEIGHT_SQUARES, Tally, tally_of_value

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from craterkit.grids.base import Grid
    from craterkit.statistics.moments import Moments
    from craterkit.statistics.ordering import Ordered

    Floats = NDArray[np.float64]

__all__ = ["STATISTICS", "Function", "Request", "Statistic", "definitions", "parse_statistics"]


def _floats(size: int) -> Floats:
    return np.full(size, np.nan)


def _whole_numbers(size: int) -> NDArray[np.int64]:
    return np.zeros(size, dtype=np.int64)


def _dicts(size: int) -> NDArray[Any]:
    out = np.empty(size, dtype=object)
    out[:] = [{} for _ in range(size)]
    return out


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
    from_places : callable, optional
        Computes it for all ROIs from their `Moments` and the raster's grid.
    from_sorted : callable, optional
        Computes it for some ROIs from their values in order.
    empty : callable
        Makes the column of n ROIs without values, for `from_sorted`.
    need : Need
        What it needs beside counts and sums.
    tallies : tuple of Tally
        Further sums that it needs.
    """

    name: str
    formula: str
    from_moments: Callable[[Moments], NDArray[Any]] | None = None
    from_places: Callable[[Moments, Grid], Floats] | None = None
    from_sorted: Callable[[Ordered], NDArray[Any]] | None = None
    empty: Callable[[int], NDArray[Any]] = _floats
    need: Need = Need.NOTHING
    tallies: tuple[Tally, ...] = ()


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


def _ratio(over: NDArray[Any], under: NDArray[Any]) -> Floats:
    """A quotient; NaN where it has none."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(under != 0, over / under, np.nan)


def _standard_error(m: Moments) -> Floats:
    squares = m.tallies["weight squares"]
    check_squares(m.weight, squares)
    effective = m.weight * _ratio(m.weight, squares)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(effective > 1.0, m.std / np.sqrt(effective - 1.0), np.nan)


def _position(name: str, places: Callable[[Moments], NDArray[np.int64]]) -> Statistic:
    both, axis = name.split("_")
    coordinate, found = (
        ("Longitude in [−180, 180)", longitude) if axis == "lon" else ("Latitude", latitude)
    )
    return Statistic(
        name,
        f"{coordinate} (planetocentric degrees, east-positive) of the centre of the pixel with the "
        f"{'smallest' if both == 'argmin' else 'largest'} v, the first in the raster, row by row, if "
        f"several have it; weights do not matter. `{both}` asks for both coordinates.",
        from_places=lambda moments, grid: found(places(moments), grid),
        need=Need.PLACES,
    )


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
            "area",
            "Covered area of the valid pixels on the body's ellipsoid, m², whatever `weights` says: "
            'Σ of each one\'s area, times its covered share with `coverage="fraction"`.',
            lambda m: m.tallies["area"],
            need=Need.AREAS,
            tallies=(AREA,),
        ),
        Statistic(
            "sum",
            "Σ w v. Exact (int64) for unweighted, unscaled integers whose sums fit, if every ROI has "
            "valid pixels.",
            _sum,
        ),
        Statistic("mean", "μ = Σ w v / Σ w.", lambda m: m.mean),
        Statistic("min", "Smallest v; weights do not matter.", lambda m: m.low, need=Need.EXTREMES),
        Statistic("max", "Largest v; weights do not matter.", lambda m: m.high, need=Need.EXTREMES),
        Statistic(
            "range",
            "max − min.",
            lambda m: m.high - m.low,
            need=Need.EXTREMES | Need.DIFFERENCES,
        ),
        _position("argmin_lon", lambda m: m.low_place),
        _position("argmin_lat", lambda m: m.low_place),
        _position("argmax_lon", lambda m: m.high_place),
        _position("argmax_lat", lambda m: m.high_place),
        Statistic(
            "var",
            "Σ w (v − μ)² / Σ w: of the population (ddof 0).",
            lambda m: m.variance,
            need=Need.SQUARES,
        ),
        Statistic("std", "σ = √var.", lambda m: m.std, need=Need.SQUARES),
        Statistic(
            "cv",
            "Coefficient of variation: σ/μ, negative where μ is; NaN where μ = 0.",
            lambda m: _ratio(m.std, m.mean),
            need=Need.SQUARES,
        ),
        Statistic(
            "sem",
            "Standard error of the mean: σ/√(n* − 1), n* = (Σ w)²/Σ w² (Kish 1965); NaN for n* = 1. "
            "Neighbouring pixels are seldom independent: then it is too small.",
            _standard_error,
            need=Need.SQUARES,
            tallies=(WEIGHT_SQUARES,),
        ),
        Statistic(
            "skewness",
            "g₁ = Σ w (v − μ)³ / (σ³ Σ w), without correction for bias; NaN where all v are the same.",
            lambda m: m.skewness,
            need=Need.SHAPE,
        ),
        Statistic(
            "kurtosis",
            "g₂ = Σ w (v − μ)⁴ / (σ⁴ Σ w) − 3: excess (Fisher), 0 for a normal distribution, without "
            "correction for bias; NaN where all v are the same.",
            lambda m: m.kurtosis,
            need=Need.SHAPE,
        ),
        Statistic(
            "circular_mean",
            "Mean direction of v in degrees (aspect, azimuth): atan2(Σ w sin v, Σ w cos v), in "
            "[0, 360); NaN where directions cancel: R < 10⁻¹², "
            "R = √((Σ w sin v)² + (Σ w cos v)²)/Σ w.",
            circular_mean,
            tallies=(SINES, COSINES),
        ),
        Statistic(
            "circular_std",
            "√(−2 ln R) in degrees (Mardia 1972), R as for circular_mean; infinite where directions "
            "cancel.",
            circular_std,
            tallies=(SINES, COSINES),
        ),
        Statistic("median", "percentile_50.", from_sorted=lambda g: g.median),
        Statistic(
            "iqr",
            "percentile_75 − percentile_25.",
            from_sorted=lambda g: g.quantile(0.75) - g.quantile(0.25),
            need=Need.DIFFERENCES,
        ),
        Statistic(
            "mad_std",
            "1.4826 MAD, the median absolute deviation: median of |v − M|, M the median; both as "
            "percentile_50 with these weights. 1.4826… = 1/Φ⁻¹(3/4) makes it the standard deviation "
            "of a normal distribution.",
            from_sorted=mad_std,
            need=Need.DIFFERENCES,
        ),
        Statistic(
            "biweight_location",
            "M + Σ w (v − M)(1 − u²)² / Σ w (1 − u²)², sums over |u| < 1, u = (v − M)/(6 MAD), M and MAD "
            "as for mad_std; M where MAD = 0 (Beers, Flynn and Gebhardt 1990, AJ 100, 32).",
            from_sorted=biweight_location,
            need=Need.DIFFERENCES,
        ),
        Statistic(
            "biweight_scale",
            "√(Σ w · Σ w (v − M)² (1 − u²)⁴) / |Σ w (1 − u²)(1 − 5u²)|, the latter two sums over |u| < 1, "
            "u = (v − M)/(9 MAD), M and MAD as for mad_std; 0 where MAD = 0 (Beers, Flynn and Gebhardt "
            "1990, AJ 100, 32).",
            from_sorted=biweight_scale,
            need=Need.DIFFERENCES,
        ),
        Statistic(
            "clipped_mean",
            "mean after sigma clipping: v farther than 3 σ from the median are dropped, median and σ of "
            "what is left (with weights) are worked out again, until nothing is dropped, five times at "
            "most.",
            from_sorted=lambda g: g.clipped.mean,
            need=Need.DIFFERENCES,
        ),
        Statistic(
            "clipped_std",
            "std after the same sigma clipping.",
            from_sorted=lambda g: g.clipped.std,
            need=Need.DIFFERENCES,
        ),
        Statistic(
            "clipped_median",
            "median after the same sigma clipping.",
            from_sorted=lambda g: g.clipped.median,
            need=Need.DIFFERENCES,
        ),
        Statistic(
            "majority",
            "The v with the greatest Σ w; the smallest of those that tie.",
            from_sorted=lambda g: g.mode(),
        ),
        Statistic(
            "mode",
            "The same as majority, ties included.",
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
            empty=_whole_numbers,
        ),
        Statistic(
            "frac",
            "Share of every distinct v: a dict {v: Σ w of the pixels that have it / Σ w} for each ROI, v "
            "ascending; an empty one without valid pixels.",
            from_sorted=lambda g: g.shares(),
            empty=_dicts,
        ),
        Statistic(
            "nodata",
            "Number of invalid pixels of the footprint within the raster; an integer.",
            lambda m: m.pixels - m.count,
        ),
        Statistic(
            "valid_fraction",
            "Σ w over the valid pixels / Σ w over the whole ROI, the ground outside the raster "
            "included; a raster of weights does not matter.",
            need=Need.GROUND,
        ),
        Statistic(
            "flags",
            "Quality flags: the bits of `craterkit.Flag`, an integer; `Flag(number)` names them.",
        ),
    )
}

_POSITIONAL = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)

_PERCENTILE = re.compile(r"percentile_(\d+(?:\.\d+)?)", re.ASCII)
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.ASCII | re.IGNORECASE)
_WHOLE = re.compile(r"[+-]?\d+", re.ASCII)

PERCENTILE_FORMULA = (
    "The value below which N % of the values lie, linear between values: the k-th smallest of n lies "
    "at (k − 1)/(n − 1) (Hyndman and Fan 1996, type 7). With weights: the mean of the step quantile "
    "function over [a, a + 1/n*], a = (N/100)(n* − 1)/n*, n* = (Σ w)²/Σ w² (Akinshin 2023, "
    "arXiv:2304.07265), which is type 7 for equal weights."
)


FRAC_FORMULA = (
    "Share of the value N: Σ w of the pixels with v = N / Σ w; N may be negative or decimal, as in "
    "`frac_-1` and `frac_2.5`. Equal means equal but for rounding: to the raster's dtype, and by scale and "
    "offset."
)

#: Names that stand for two statistics.
PAIRS = {name: (f"{name}_lon", f"{name}_lat") for name in ("argmin", "argmax")}


def definitions() -> dict[str, str]:
    """Names that users write, N for a number, and what they mean."""
    found = {}
    for name, statistic in STATISTICS.items():
        found[name] = statistic.formula
        if name == "median":
            found["percentile_N"] = PERCENTILE_FORMULA
        if name == "frac":
            found["frac_N"] = FRAC_FORMULA
    return found


@dataclass(frozen=True)
class Request:
    """Statistics asked for, in order, and what computing them takes."""

    items: tuple[Statistic | Function, ...]
    need: Need = field(init=False)
    tallies: tuple[Tally, ...] = field(init=False)

    def __post_init__(self) -> None:
        named = [item for item in self.items if isinstance(item, Statistic)]
        tallies = {tally.name: tally for item in named for tally in item.tallies}
        object.__setattr__(self, "need", reduce(or_, (item.need for item in named), Need.NOTHING))
        object.__setattr__(self, "tallies", tuple(tallies.values()))

    def __reduce__(self) -> tuple[Any, ...]:
        # By name, so that other processes have their own formulae.
        given = [
            item.name if isinstance(item, Statistic) else {item.name: item.function}
            for item in self.items
        ]
        return (parse_statistics, (given,)) if given else (Request, ((),))

    @property
    def sorted_statistics(self) -> list[Statistic]:
        """Those computed from sorted values."""
        return [s for s in self.items if isinstance(s, Statistic) and s.from_sorted is not None]

    @property
    def functions(self) -> list[Function]:
        """The user's functions."""
        return [item for item in self.items if isinstance(item, Function)]

    def including(self, name: str) -> Request:
        """The request with a statistic behind the others, if it is not among them."""
        if any(item.name == name for item in self.items):
            return self
        return Request((*self.items, STATISTICS[name]))

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
        for name in PAIRS.get(stats, (stats,)):
            yield _named(name)
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
    if name.startswith("frac_"):
        return _share_of_value(name)
    known = [*definitions(), *PAIRS]
    close = difflib.get_close_matches(name, known, n=1)
    hint = f"; did you mean {close[0]!r}?" if close else "."
    raise StatisticError(f"unknown statistic {name!r}{hint} Known are {', '.join(known)}.")


def _share_of_value(name: str) -> Statistic:
    number = name.removeprefix("frac_")
    if not _NUMBER.fullmatch(number) or not math.isfinite(float(number)):
        raise StatisticError(
            f"unknown statistic {name!r}: frac_ takes a number, as in 'frac_2', 'frac_-1' or 'frac_2.5'"
        )
    value = int(number) if _WHOLE.fullmatch(number) else float(number)
    return Statistic(
        name,
        FRAC_FORMULA,
        lambda moments: _ratio(moments.tallies[name], moments.weight),
        tallies=(tally_of_value(name, value),),
    )


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
