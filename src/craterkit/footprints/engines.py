"""Which footprint engine serves a region on a grid."""

from __future__ import annotations

from typing import TYPE_CHECKING

from craterkit.footprints.parallels import ParallelAnnuli
from craterkit.footprints.polygons import PolygonAnnuli

if TYPE_CHECKING:
    from craterkit.features import Features
    from craterkit.footprints.engine import Engine
    from craterkit.footprints.rules import Rules
    from craterkit.grids import CylindricalGrid
    from craterkit.regions import Annulus

__all__ = ["engine_for"]


def engine_for(region: Annulus, grid: CylindricalGrid, features: Features, rules: Rules) -> Engine:
    """Footprints of a region around features on a grid."""
    if region.nvert is not None:
        return PolygonAnnuli(grid, features, region, rules)
    return ParallelAnnuli(grid, features, region.inner, region.outer, rules)
