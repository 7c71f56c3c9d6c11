"""Quality flags: what may be amiss with one ROI on one raster, as bits of a number.

One registry yields the bits, their names and their documentation.
"""

from __future__ import annotations

import enum
import operator
from typing import Any, Self

__all__ = ["Flag"]


class Flag(enum.IntFlag, boundary=enum.STRICT):
    """Quality flags of an ROI on a raster; see the column that ``stats="flags"`` gives.

    Attributes
    ----------
    names : tuple of str
        The flags that are set.
    meaning : str
        What the flag says, or what several together say.

    Examples
    --------
    >>> Flag(36)
    <Flag.NO_PIXELS|FEW_PIXELS: 36>
    >>> Flag(36).names
    ('NO_PIXELS', 'FEW_PIXELS')
    >>> Flag.FEW_PIXELS in Flag(36)
    True
    >>> print(Flag.NO_PIXELS.meaning)
    The raster reaches the ROI, but no pixel belongs to it or all were left out.
    """

    OUTSIDE = 1, "The raster does not reach the ROI."
    PARTLY_OUTSIDE = 2, "The rows or columns of the ROI go on beyond the raster."
    NO_PIXELS = 4, "The raster reaches the ROI, but no pixel belongs to it or all were left out."
    ALL_MASKED = 8, "None of the ROI's pixels is data."
    SOME_MASKED = 16, "Some of the ROI's pixels are no data."
    FEW_PIXELS = 32, "The ROI reaches less than 3 pixels far from the feature's centre."
    TOUCHES_POLE = 64, "A pole of the body lies within the ROI's reach."
    CROSSES_SEAM = (
        128,
        "The ROI lies on both sides of the raster's edge, or reaches the edge or seam of the map.",
    )
    BELOW_MIN_VALID = 256, "The valid fraction is below min_valid_fraction: statistics are NaN."
    UNREADABLE = (
        512,
        "Blocks of the raster that the ROI has pixels in could not be read: count is 0 and statistics "
        "are NaN.",
    )

    _meaning: str

    # pandas would take what can be iterated for a list: ``column & Flag.OUTSIDE`` must work.
    __iter__ = None  # type: ignore[assignment]

    def __new__(cls, value: int, meaning: str = "") -> Self:  # noqa: D102
        flag = int.__new__(cls, value)
        flag._value_ = value
        flag._meaning = meaning
        return flag

    @classmethod
    def _missing_(cls, value: object) -> Any:  # noqa: ANN401
        # The numbers of a column are NumPy's.
        return super()._missing_(operator.index(value) if hasattr(value, "__index__") else value)

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the flags that are set."""
        return tuple(flag.name for flag in type(self) if flag in self and flag.name)

    @property
    def meaning(self) -> str:
        """What the flag says, or what several together say."""
        return " ".join(flag._meaning for flag in type(self) if flag in self)
