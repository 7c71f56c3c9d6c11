"""Which footprint engine serves a region on a grid."""

from __future__ import annotations

from typing import TYPE_CHECKING

from craterkit.footprints.chosen import ChosenFootprints
from craterkit.footprints.parallels import ParallelAnnuli
from craterkit.footprints.polygon_outlines import PolygonOutlines
from craterkit.footprints.polygons import PolygonAnnuli
from craterkit.footprints.rings import RingFootprints, tolerance
from craterkit.footprints.round_outlines import RoundOutlines
from craterkit.grids.cylindrical import CylindricalGrid
from craterkit.regions import Annulus, ChosenPixels, Polygons, RoundRegion

if TYPE_CHECKING:
    from craterkit.footprints.engine import Engine
    from craterkit.footprints.rules import Rules
    from craterkit.grids.base import Grid
    from craterkit.regions import Region
    from craterkit.tables.features import Features

__all__ = ["engine_for"]


def engine_for(region: Region, grid: Grid, features: Features, rules: Rules) -> Engine:
    """Footprints of a region around features on a grid."""
    if isinstance(region, ChosenPixels):
        return ChosenFootprints(grid, region, rules)
    if isinstance(region, Polygons):
        return RingFootprints(grid, PolygonOutlines(grid, region, tolerance(rules)), rules)
    if isinstance(region, Annulus) and isinstance(grid, CylindricalGrid):
        if region.nvert is not None:
            return PolygonAnnuli(grid, features, region, rules)
        return ParallelAnnuli(grid, features, region.inner, region.outer, rules)
    assert isinstance(region, RoundRegion)
    return RingFootprints(grid, RoundOutlines(grid, features, region, tolerance(rules)), rules)
