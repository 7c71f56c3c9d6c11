"""Running counts, sums, means, variances and extremes of many ROIs, merged piece by piece.

Pieces are merged with the formulae of Chan, Golub and LeVeque (1983, The American Statistician 37,
242-247) for weighted values, so it matters neither for the result nor for memory into how many
pieces an ROI falls. Everything is in raw numbers; `scaled` turns the whole into physical ones.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.intp]
    Bools = NDArray[np.bool_]

__all__ = ["Moments", "Piece", "sum_dtype"]

#: Sums of integers beyond this go on in float64; two of them still fit int64.
LARGEST_SUM = 1 << 62


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
    squares : (k,) ndarray or None
        Weighted sum of squared differences from the mean of the piece.
    low, high : (k,) ndarray or None
        Extremes.
    """

    roi: Ints
    pixels: Ints
    count: Ints
    weight: Floats
    total: NDArray[Any]
    squares: Floats | None
    low: NDArray[Any] | None
    high: NDArray[Any] | None

    @classmethod
    def of(
        cls,
        roi: Ints,
        starts: Ints,
        values: NDArray[Any],
        valid: Bools | None,
        weights: Floats | None,
        *,
        squares: bool,
        extremes: bool,
    ) -> Piece:
        """Moments of consecutive groups of pixels.

        Parameters
        ----------
        roi : (k,) ndarray of int
            ROI of each group.
        starts : (k,) ndarray of int
            First pixel of each group; none is empty.
        values : (m,) ndarray
            Raw numbers.
        valid : (m,) ndarray of bool or None
            Which of them are data; None if all are.
        weights : (m,) ndarray or None
            Weight of each pixel; None for 1.
        squares, extremes : bool
            Whether these are wanted.
        """
        pixels = np.diff(starts, append=values.size)
        count = pixels
        if valid is not None:
            count = np.add.reduceat(valid, starts, dtype=np.intp)
            values = values[valid]
            weights = None if weights is None else weights[valid]
            kept = np.flatnonzero(count)
            starts = (np.cumsum(count) - count)[kept]
        else:
            kept = np.arange(roi.size)
        size = count[kept]
        if weights is None:
            total = _spread(_sums(values, starts, _safe_sum_dtype(values)), kept, roi.size)
            weight = count.astype(np.float64)
        else:
            weight = _spread(_sums(weights, starts, np.float64), kept, roi.size)
            total = _spread(_sums(weights * values, starts, np.float64), kept, roi.size)
        low = high = square_sums = None
        if extremes:
            low = _spread(
                np.minimum.reduceat(values, starts) if kept.size else values[:0], kept, roi.size
            )
            high = _spread(
                np.maximum.reduceat(values, starts) if kept.size else values[:0], kept, roi.size
            )
        if squares:
            with np.errstate(invalid="ignore", divide="ignore"):
                mean = (total / weight)[kept]
            difference = values - np.repeat(np.nan_to_num(mean), size)
            difference *= difference
            if weights is not None:
                difference *= weights
            square_sums = _spread(_sums(difference, starts, np.float64), kept, roi.size)
        return cls(roi, pixels, count, weight, total, square_sums, low, high)


def _sums(values: NDArray[Any], starts: Ints, dtype: Any) -> NDArray[Any]:  # noqa: ANN401
    if not starts.size:
        return np.zeros(0, dtype=dtype)
    return np.add.reduceat(values, starts, dtype=dtype)


def _spread(values: NDArray[Any], at: Ints, size: int) -> NDArray[Any]:
    """Values of the groups that have any, among zeros for those that have none."""
    if at.size == size:
        return values
    out = np.zeros(size, dtype=values.dtype)
    out[at] = values
    return out


class Moments:
    """Moments of n ROIs.

    Attributes
    ----------
    pixels, count : (n,) ndarray of int64
    weight : (n,) ndarray
    total : (n,) ndarray
        int64 or float64; its weighted mean is `mean`.
    mean, squares, low, high : (n,) ndarray
        NaN, or 0 for `squares`, where there is no data.
    """

    def __init__(self, size: int, *, integer: bool) -> None:
        self.pixels = np.zeros(size, dtype=np.int64)
        self.count = np.zeros(size, dtype=np.int64)
        self.weight = np.zeros(size)
        self.total: NDArray[Any] = np.zeros(size, dtype=np.int64 if integer else np.float64)
        self.squares = np.zeros(size)
        self.low = np.full(size, np.nan)
        self.high = np.full(size, np.nan)

    @property
    def mean(self) -> Floats:
        """Weighted mean; NaN where nothing has weight."""
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.where(self.weight > 0, self.total / self.weight, np.nan)

    def add(self, piece: Piece) -> None:
        """Merge a piece into the ROIs that it is about."""
        roi = piece.roi
        before, weight = self.weight[roi], piece.weight
        if piece.squares is not None:
            # Chan et al. (1983): S = S1 + S2 + (m2 − m1)² w1 w2 / (w1 + w2).
            both = before + weight
            with np.errstate(invalid="ignore", divide="ignore"):
                shift = piece.total / weight - self.total[roi] / before
                between = shift * shift * (before * weight / both)
            between = np.where((before > 0) & (weight > 0), between, 0.0)
            self.squares[roi] += piece.squares + between
        if piece.low is not None and piece.high is not None:
            data = piece.count > 0
            low, high = piece.low[data].astype(np.float64), piece.high[data].astype(np.float64)
            self.low[roi[data]] = np.fmin(self.low[roi[data]], low)
            self.high[roi[data]] = np.fmax(self.high[roi[data]], high)
        self._keep_in_range(piece)
        self.pixels[roi] += piece.pixels
        self.count[roi] += piece.count
        self.weight[roi] += weight
        self.total[roi] += piece.total

    def _keep_in_range(self, piece: Piece) -> None:
        """Go on in float64 once a sum of integers might not fit."""
        if self.total.dtype.kind == "i" and (
            piece.total.dtype.kind == "f"
            or np.abs(self.total[piece.roi]).max(initial=0) >= LARGEST_SUM
        ):
            self.total = self.total.astype(np.float64)

    def scaled(self, scale: float, offset: float) -> Moments:
        """The moments of ``value * scale + offset``."""
        out = Moments(0, integer=False)
        out.pixels, out.count, out.weight = self.pixels, self.count, self.weight
        out.total = self.total * scale + offset * self.weight
        out.squares = self.squares * scale**2
        low, high = self.low * scale + offset, self.high * scale + offset
        out.low, out.high = (low, high) if scale >= 0 else (high, low)
        return out
