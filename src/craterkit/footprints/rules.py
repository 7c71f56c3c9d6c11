"""The rules by which pixels belong to a region of interest, and what they count for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["COVERAGES", "WEIGHTS", "Coverage", "Rules"]

Coverage = Literal["all_touched", "center", "fraction"]

COVERAGES: tuple[str, ...] = ("all_touched", "center", "fraction")
WEIGHTS: tuple[str, ...] = ("area",)


@dataclass(frozen=True, slots=True)
class Rules:
    """How pixels belong and count.

    Attributes
    ----------
    coverage : {"all_touched", "center", "fraction"}
        A pixel belongs if the ROI touches it, if its centre lies in the ROI, or by its covered share.
    area_weighted : bool
        Whether a pixel counts for its area on the ellipsoid (m²) instead of 1.
    """

    coverage: Coverage = "all_touched"
    area_weighted: bool = False

    @property
    def weighted(self) -> bool:
        """Whether pixels count differently at all."""
        return self.area_weighted or self.coverage == "fraction"
