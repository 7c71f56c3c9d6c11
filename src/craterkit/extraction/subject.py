"""Whose pixels are wanted: features and regions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    from craterkit.bodies import Body
    from craterkit.regions import Region
    from craterkit.tables.features import Features

    Ints = NDArray[np.intp]

__all__ = ["Subject"]


@dataclass(frozen=True)
class Subject:
    """Whose pixels are wanted. ROI k is that of feature k modulo n in region k // n.

    Attributes
    ----------
    body : Body
        The body.
    features : Features
        The n features.
    regions : dict
        Regions by name.
    index : pandas.Index
        What the features are called.
    """

    body: Body
    features: Features
    regions: Mapping[str, Region]
    index: pd.Index[Any]

    def __len__(self) -> int:
        """ROIs."""
        return len(self.features) * len(self.regions)

    def name_roi(self, roi: int) -> str:
        """What messages call an ROI."""
        return f"row {self.index[roi % len(self.features)]!r}"

    def part(self, which: Ints) -> Subject:
        """Some of the features, and the same regions of them."""
        regions = {name: region.take(which) for name, region in self.regions.items()}
        return Subject(self.body, self.features[which], regions, self.index[which])
