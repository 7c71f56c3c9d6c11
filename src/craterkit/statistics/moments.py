"""Running counts, sums, moments and extremes of many ROIs, merged piece by piece.

Pieces are merged with the formulae of Chan, Golub and LeVeque (1983, The American Statistician 37,
242-247), and of Pébay (2008, Sandia Report SAND2008-6212) for third and fourth moments, with sums of
weights for numbers of values. So it matters neither for the result nor for memory into how many
pieces an ROI falls. Everything is in raw numbers; `scaled` turns the whole into physical ones.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Flag
from typing import TYPE_CHECKING, Any

import numpy as np

from craterkit.errors import StatisticError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from craterkit.statistics.tallies import Tally
    from craterkit.statistics.valid_pixels import ValidPixels

    Floats = NDArray[np.float64]
    Ints = NDArray[np.intp]
    Bools = NDArray[np.bool_]

__all__ = ["Moments", "Need", "Piece", "sum_dtype"]

#: Sums of integers beyond this go on in float64; two of them still fit int64.
LARGEST_SUM = 1 << 62

#: Integers up to this are exact in float64.
EXACT = 1 << 53

#: A standard deviation of so small a share of the mean is rounding.
ROUNDING = 1e-14


class Need(Flag):
    """What is worked out beside counts and sums; what is not asked for costs nothing."""

    NOTHING = 0
    #: Sums of squared differences from the mean.
    SQUARES = 1
    #: Those of cubes and fourth powers, too.
    SHAPE = 2 | SQUARES
    #: Smallest and largest value.
    EXTREMES = 4
    #: Where they are, too.
    PLACES = 8 | EXTREMES
    #: The covered area of every pixel.
    AREAS = 16
    #: The weight of whole ROIs.
    GROUND = 32
    #: Differences of values, which double precision must tell apart.
    DIFFERENCES = 64


def sum_dtype(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """Choose the dtype of sums: int64 for integers."""
    return np.dtype(np.int64 if dtype.kind in "iu" else np.float64)


def _safe_sum_dtype(values: NDArray[Any]) -> np.dtype[Any]:
    """Choose the dtype of sums, float64 if integers might not fit."""
    if values.dtype.kind in "iu" and values.dtype.itemsize > 4 and values.size:
        largest = max(int(values.max()), -int(values.min()))
        if largest * values.size >= LARGEST_SUM:
            return np.dtype(np.float64)
    return sum_dtype(values.dtype)


@dataclass(frozen=True, slots=True)
class Piece:
    """Moments of some ROIs over some of their pixels; each ROI occurs once.

    Attributes
    ----------
    roi : (k,) ndarray of int
        The ROIs.
    pixels, count : (k,) ndarray of int
        Pixels of the footprint, and those of them that are data.
    weight : (k,) ndarray
        Sum of the weights of the data.
    total : (k,) ndarray
        Weighted sum; int64 for unweighted integers.
    powers : list of (k,) ndarray
        Weighted sums of the squares, cubes and fourth powers of the differences from the mean of the
        piece, as many of these as are needed.
    low, high : (k,) ndarray or None
        Extremes.
    low_place, high_place : (k,) ndarray of int or None
        Where they are: row times width plus column, the first in the raster among equals.
    tallies : dict of (k,) ndarray
        Other sums, by name.
    """

    roi: Ints
    pixels: Ints
    count: Ints
    weight: Floats
    total: NDArray[Any]
    powers: list[Floats] = field(default_factory=list)
    low: NDArray[Any] | None = None
    high: NDArray[Any] | None = None
    low_place: Ints | None = None
    high_place: Ints | None = None
    tallies: dict[str, Floats] = field(default_factory=dict)

    @classmethod
    def of(cls, pixels: ValidPixels, need: Need, tallies: Sequence[Tally] = ()) -> Piece:
        """Moments and tallies of the pixels of some ROIs."""
        values, weights = pixels.values, pixels.weights
        if need & (Need.SQUARES | Need.DIFFERENCES):
            _check_differences(values)
        powers: list[Floats] | None = None
        if weights is not None:
            weight = pixels.add_up(weights)
            total = pixels.add_up(weights * values)
        else:
            weight = pixels.count.astype(np.float64)
            if Need.SHAPE & need == Need.SQUARES and _squares_fit(pixels):
                total, powers = _exact_squares(pixels)
            else:
                total = pixels.reduce(np.add, values, _safe_sum_dtype(values))
        if powers is None:
            powers = _powers(pixels, weight, total, need)
        low = high = low_place = high_place = None
        if Need.EXTREMES in need:
            low, high = pixels.reduce(np.minimum, values), pixels.reduce(np.maximum, values)
            if Need.PLACES in need:
                low_place, high_place = _first_place(pixels, low), _first_place(pixels, high)
        return cls(
            pixels.roi,
            pixels.pixels,
            pixels.count,
            weight,
            total,
            powers,
            low,
            high,
            low_place,
            high_place,
            {tally.name: pixels.add_up(tally.of_each(pixels)) for tally in tallies},
        )


def _check_differences(values: NDArray[Any]) -> None:
    """Raise if double precision does not tell integers apart."""
    if values.dtype.kind not in "iu" or values.dtype.itemsize < 8 or not values.size:
        return
    largest = max(int(values.max()), int(values.min()), key=abs)
    if abs(largest) > EXACT:
        raise StatisticError(
            f"stats: the raster has integers beyond 2**53 ({largest}), whose differences double precision "
            "does not hold: std, var, range, iqr and what rests on deviations cannot be had of them; "
            "subtract a constant from the raster first, or ask for count, sum, mean, min, max, "
            "percentiles or modes"
        )


def _squares_fit(pixels: ValidPixels) -> bool:
    """Whether the values are integers whose squares can be summed exactly, number times sum included."""
    values = pixels.values
    if values.dtype.kind not in "iu" or not values.size:
        return False
    largest = max(int(values.max()), -int(values.min()))
    return (largest * int(pixels.count.max())) ** 2 < LARGEST_SUM


def _exact_squares(pixels: ValidPixels) -> tuple[NDArray[Any], list[Floats]]:
    """Sums, and the sums of squared differences from the mean, of integers without weights."""
    values = pixels.values.astype(np.int64)
    total = pixels.reduce(np.add, values)
    values *= values
    squares = pixels.count * pixels.reduce(np.add, values) - total * total
    return total, [squares / np.maximum(pixels.count, 1)]


def _powers(pixels: ValidPixels, weight: Floats, total: NDArray[Any], need: Need) -> list[Floats]:
    if Need.SQUARES not in need:
        return []
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.nan_to_num(total / weight)
    difference = pixels.values - np.repeat(mean, pixels.count)
    if Need.SHAPE not in need:
        difference *= difference
        return [pixels.add_up(pixels.weighed(difference))]
    power, sums = pixels.weighed(difference), []
    for _ in range(3):
        power = power * difference
        sums.append(pixels.add_up(power))
    return sums


def _first_place(pixels: ValidPixels, extreme: NDArray[Any]) -> Ints:
    """Where the extreme of each group is, the first in the raster among equals."""
    assert pixels.places is not None
    has_it = pixels.values == np.repeat(extreme, pixels.count)
    return pixels.reduce(
        np.minimum, np.where(has_it, pixels.places, np.iinfo(pixels.places.dtype).max)
    )


#: Attributes of `Moments` that have a number for each ROI.
_OF_EACH = (
    *("pixels", "count", "weight", "total", "squares", "cubes", "fourths"),
    *("low", "high", "low_place", "high_place"),
)


class Moments:
    """Moments of n ROIs.

    Attributes
    ----------
    pixels, count : (n,) ndarray of int64
    weight : (n,) ndarray
    total : (n,) ndarray
        int64 or float64; its weighted mean is `mean`.
    squares, cubes, fourths : (n,) ndarray
        Weighted sums of powers of the differences from the mean; 0 where there is no data.
    low, high : (n,) ndarray
        NaN where there is no data.
    low_place, high_place : (n,) ndarray of int64
        Row times width plus column; -1 where there is no data.
    tallies : dict of (n,) ndarray
        Other sums, by name; 0 where there is no data.
    """

    def __init__(self, size: int, *, integer: bool, tallies: Sequence[Tally] = ()) -> None:
        self.pixels = np.zeros(size, dtype=np.int64)
        self.count = np.zeros(size, dtype=np.int64)
        self.weight = np.zeros(size)
        self.total: NDArray[Any] = np.zeros(size, dtype=np.int64 if integer else np.float64)
        self.squares, self.cubes, self.fourths = np.zeros((3, size))
        self.low, self.high = np.full((2, size), np.nan)
        self.low_place, self.high_place = np.full((2, size), -1, dtype=np.int64)
        self.tallies = {tally.name: np.zeros(size) for tally in tallies}
        self._is_constant: Bools | None = None

    @property
    def mean(self) -> Floats:
        """Weighted mean; NaN where nothing has weight."""
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.where(self.weight > 0, self.total / self.weight, np.nan)

    @property
    def variance(self) -> Floats:
        """Weighted variance of the population; NaN where nothing has weight, 0 where all values are equal."""
        return np.where(self.is_constant & (self.weight > 0), 0.0, self._variance)

    @property
    def _variance(self) -> Floats:
        """The same with what rounding leaves of 0."""
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.where(self.weight > 0, self.squares / self.weight, np.nan)

    @property
    def std(self) -> Floats:
        """Root of the variance."""
        return np.sqrt(self.variance)

    @property
    def skewness(self) -> Floats:
        """Third standardised moment; NaN where all values are the same."""
        return self._standardised(self.cubes, 3)

    @property
    def kurtosis(self) -> Floats:
        """Fourth standardised moment minus that of a normal distribution; NaN as `skewness`."""
        return self._standardised(self.fourths, 4) - 3.0

    def _standardised(self, power: Floats, exponent: int) -> Floats:
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.where(self.is_constant, np.nan, power / self.weight / self.std**exponent)

    @property
    def is_constant(self) -> Bools:
        """Where the values do not differ by more than rounding does."""
        if self._is_constant is None:
            with np.errstate(invalid="ignore"):
                self._is_constant = ~(np.sqrt(self._variance) > ROUNDING * np.abs(self.mean))
        return self._is_constant

    def add(self, piece: Piece) -> None:
        """Merge a piece into the ROIs that it is about."""
        roi = piece.roi
        if piece.powers:
            self._add_powers(piece)
        data = piece.count > 0
        for extreme, place, new, new_place, sign in (
            (self.low, self.low_place, piece.low, piece.low_place, 1.0),
            (self.high, self.high_place, piece.high, piece.high_place, -1.0),
        ):
            if new is not None:
                _keep_smaller(
                    extreme,
                    place,
                    roi[data],
                    new[data].astype(np.float64),
                    None if new_place is None else new_place[data],
                    sign,
                )
        self._keep_in_range(piece)
        self.pixels[roi] += piece.pixels
        self.count[roi] += piece.count
        self.weight[roi] += piece.weight
        self.total[roi] += piece.total
        for name, tally in piece.tallies.items():
            self.tallies[name][roi] += tally

    def _add_powers(self, piece: Piece) -> None:
        """Chan et al. (1983) for squares, Pébay (2008) for cubes and fourth powers."""
        roi, after = piece.roi, piece.weight
        before = self.weight[roi]
        both = (before > 0) & (after > 0)
        with np.errstate(invalid="ignore", divide="ignore"):
            shift = np.where(both, piece.total / after - self.total[roi] / before, 0.0)
            a, b = (np.where(both, part / (before + after), 0.0) for part in (before, after))
        between = shift * shift * before * b
        if len(piece.powers) > 1:
            old, own = self.squares[roi], piece.powers[0]
            across = a * own - b * old
            self.fourths[roi] += (
                piece.powers[2]
                + between * shift * shift * (a * a - a * b + b * b)
                + 6.0 * shift * shift * (a * a * own + b * b * old)
                + 4.0 * shift * (a * piece.powers[1] - b * self.cubes[roi])
            )
            self.cubes[roi] += piece.powers[1] + between * shift * (a - b) + 3.0 * shift * across
        self.squares[roi] += piece.powers[0] + between

    def _keep_in_range(self, piece: Piece) -> None:
        """Go on in float64 once a sum of integers might not fit."""
        if self.total.dtype.kind == "i" and (
            piece.total.dtype.kind == "f"
            or np.abs(self.total[piece.roi]).max(initial=0) >= LARGEST_SUM
        ):
            self.total = self.total.astype(np.float64)

    def take(self, rois: Ints) -> Moments:
        """The moments of some of the ROIs."""
        out = Moments(0, integer=False)
        for name in _OF_EACH:
            setattr(out, name, getattr(self, name)[rois])
        out.tallies = {name: tally[rois] for name, tally in self.tallies.items()}
        return out

    def scaled(self, scale: float, offset: float) -> Moments:
        """The moments of ``value * scale + offset``; tallies are of such values in the first place."""
        out = Moments(0, integer=False)
        out.pixels, out.count, out.weight = self.pixels, self.count, self.weight
        out.total = self.total * scale + offset * self.weight
        out.squares = self.squares * scale**2
        out.cubes, out.fourths = self.cubes * scale**3, self.fourths * scale**4
        out._is_constant = self.is_constant
        low, high = self.low * scale + offset, self.high * scale + offset
        places = self.low_place, self.high_place
        out.low, out.high = (low, high) if scale >= 0 else (high, low)
        out.low_place, out.high_place = places if scale >= 0 else places[::-1]
        out.tallies = self.tallies
        return out


def _keep_smaller(
    extreme: Floats, place: Ints, roi: Ints, new: Floats, new_place: Ints | None, sign: float
) -> None:
    """Keep the smaller (larger for `sign` -1) of two values for some ROIs, the first of equals."""
    old = extreme[roi]
    better = ~(sign * old <= sign * new)
    extreme[roi[better]] = new[better]
    if new_place is not None:
        better |= (old == new) & (new_place < place[roi])
        place[roi[better]] = new_place[better]
