"""The pixels of ROIs that are data, group by group: what statistics are made of."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from craterkit.statistics.ordered import Groups

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from craterkit.rasters.base import Band

    Floats = NDArray[np.float64]
    Ints = NDArray[np.intp]
    Bools = NDArray[np.bool_]

__all__ = ["ValidPixels"]

#: How far, in steps of an integer raster, a physical value may lie from a number.
STEP_TIE = 1e-6


@dataclass(frozen=True)
class ValidPixels:
    """Valid pixels of one band in consecutive groups, one for each of some ROIs.

    Attributes
    ----------
    roi : (k,) ndarray of int
        The ROIs.
    pixels, count : (k,) ndarray of int
        Pixels of the footprint, and those of them that are data.
    values : (m,) ndarray
        Raw numbers of the latter.
    weights : (m,) ndarray or None
        Weight of each; None for 1.
    band : Band
        The band.
    scaled : bool
        Whether statistics are of physical values, not of raw numbers.
    places : (m,) ndarray of int or None
        Where each lies in the raster: row times width plus column. None if not wanted.
    areas : (m,) ndarray or None
        Covered area of each, m². None if not wanted.
    shares : (m,) ndarray or None
        Weights before a raster of weights was multiplied in; None: the same as `weights`.
    """

    roi: Ints
    pixels: Ints
    count: Ints
    values: NDArray[Any]
    weights: Floats | None
    band: Band
    scaled: bool
    places: Ints | None = None
    areas: Floats | None = None
    shares: Floats | None = None

    @classmethod
    def among(
        cls,
        roi: Ints,
        starts: Ints,
        raw: NDArray[Any],
        valid: Bools | None,
        weights: Floats | None,
        band: Band,
        *,
        scaled: bool,
        places: Ints | None = None,
        areas: Floats | None = None,
        shares: Floats | None = None,
    ) -> ValidPixels:
        """Those of some pixels that are `valid` (None: all).

        ``starts`` are the first pixels of the groups, none of which is empty.
        """
        pixels = np.diff(starts, append=raw.size)
        if valid is None:
            return cls(roi, pixels, pixels, raw, weights, band, scaled, places, areas, shares)
        count = np.add.reduceat(valid, starts, dtype=np.intp)
        return cls(
            roi,
            pixels,
            count,
            raw[valid],
            None if weights is None else weights[valid],
            band,
            scaled,
            None if places is None else places[valid],
            None if areas is None else areas[valid],
            None if shares is None else shares[valid],
        )

    @property
    def groups(self) -> Groups:
        """The values by ROI."""
        return Groups(self.count, self.values, self.weights)

    @cached_property
    def physical(self) -> Floats:
        """Physical values, or raw numbers if these are wanted, in double precision."""
        if self.scaled and self.band.is_scaled:
            return self.band.physical(self.values)
        return self.values.astype(np.float64)

    @cached_property
    def _some(self) -> Ints:
        """Groups that are not empty."""
        return np.flatnonzero(self.count)

    @cached_property
    def _starts(self) -> Ints:
        """First pixel of each of these."""
        return (np.cumsum(self.count) - self.count)[self._some]

    def reduce(self, function: np.ufunc, of_each: NDArray[Any], dtype: Any = None) -> NDArray[Any]:  # noqa: ANN401
        """`function` (such as `numpy.add`) over what the pixels of each group have; 0 for no pixels."""
        if not self._some.size:
            return np.zeros(self.roi.size, dtype=dtype or of_each.dtype)
        reduced = function.reduceat(of_each, self._starts, dtype=dtype)
        if reduced.size == self.roi.size:
            return reduced
        out = np.zeros(self.roi.size, dtype=reduced.dtype)
        out[self._some] = reduced
        return out

    def add_up(self, of_each: NDArray[Any]) -> Floats:
        """Sums over groups in double precision."""
        return self.reduce(np.add, of_each, np.float64)

    def weighed(self, of_each: NDArray[Any]) -> NDArray[Any]:
        """What each pixel has, times its weight."""
        return of_each if self.weights is None else of_each * self.weights

    def have(self, value: float) -> Bools:
        """Which pixels have a physical (or raw) value, rounding apart."""
        dtype, band = self.values.dtype, self.band
        scaled = self.scaled and band.is_scaled
        if dtype.kind == "f" and scaled:
            rounding = 4.0 * float(np.finfo(dtype).eps) * (abs(value) + abs(band.offset))
            return np.asarray(np.abs(self.physical - value) <= rounding)
        if dtype.kind == "f":
            # What a float32 raster makes of 0.1 is no longer 0.1.
            with np.errstate(over="ignore"):
                return np.asarray(self.values == dtype.type(value))
        step = (value - band.offset) / band.scale if scaled else value
        number, info = round(step), np.iinfo(dtype)
        if abs(step - number) > STEP_TIE or not info.min <= number <= info.max:
            return np.zeros(self.values.size, dtype=np.bool_)
        return np.asarray(self.values == dtype.type(number))
