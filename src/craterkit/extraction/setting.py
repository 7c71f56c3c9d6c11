"""ROIs on the grid of a raster: the same whether set up in this process or on another machine."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from craterkit.extraction.blocks import bytes_per_pixel
from craterkit.extraction.neighbors import Neighbors
from craterkit.extraction.plan import Plan
from craterkit.extraction.selection import Selection
from craterkit.extraction.walk import Job, Worker
from craterkit.footprints.engines import engine_for
from craterkit.footprints.joined import JoinedRegions

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from craterkit.extraction.budget import Budget
    from craterkit.extraction.companions import Companions
    from craterkit.extraction.options import Options
    from craterkit.extraction.sources import Source
    from craterkit.extraction.subject import Subject
    from craterkit.grids.base import Grid
    from craterkit.rasters.base import Band

    Ints = NDArray[np.intp]
    MakeWorker = Callable[["Setting"], Worker[Any]]

__all__ = ["MakeWorker", "Setting"]


@dataclass(frozen=True)
class Setting:
    """ROIs on the grid that some rasters share, and how to get their pixels.

    Attributes
    ----------
    subject : Subject
        Features and regions.
    sources : sequence of Source
        The rasters.
    companions : Companions
        Rasters that choose and weigh pixels.
    options : Options
        How pixels are chosen.
    budget : Budget
        The memory budget.
    selection : Selection
        The ROIs' pixels.
    """

    subject: Subject
    sources: Sequence[Source]
    companions: Companions
    options: Options
    budget: Budget
    selection: Selection

    @classmethod
    def of(
        cls,
        subject: Subject,
        sources: Sequence[Source],
        companions: Companions,
        options: Options,
        budget: Budget,
        before: Setting | None = None,
    ) -> Setting:
        """Put the regions on the grid of the rasters; `before` may have what serves again."""
        budget = replace(budget, bands=sum(len(source.bands) for source in sources))
        grid, definitions = sources[0].grid, list(subject.regions.values())
        regions = JoinedRegions(
            [engine_for(region, grid, subject.features, options.rules) for region in definitions]
        )
        neighbors = None
        if options.exclude is not None:
            if before is not None and before.selection.neighbors is not None:
                neighbors = before.selection.neighbors.on(grid)
            neighbors = neighbors or Neighbors(
                grid, subject.features, definitions, options.exclude_size, options.coverage
            )
        selection = Selection(regions, neighbors, budget.pixels_at_work)
        return cls(subject, sources, companions, options, budget, selection)

    @property
    def grid(self) -> Grid:
        """The rasters' grid."""
        return self.sources[0].grid

    @property
    def bands(self) -> list[Band]:
        """The bands of all rasters."""
        return [band for source in self.sources for band in source.bands]

    def check_unchanged(self) -> None:
        """Raise if a file of a raster has changed; see `Raster.check_unchanged`."""
        for raster in [*(source.raster for source in self.sources), *self.companions.rasters]:
            raster.check_unchanged()

    def plan(self) -> Plan:
        """How the rasters are walked."""
        each = bytes_per_pixel(self.bands) + self.companions.bytes_per_pixel
        return Plan(
            self.grid,
            self.sources[0].raster.block_edges(),
            self.selection.regions,
            self.budget.pixels_read(each),
        )

    def job(self, make: MakeWorker, bands: slice = slice(None)) -> Job:
        """What is done with the pixels (of some of the bands)."""
        flag_unread = self.options.errors == "flag"
        pairs = [(source.raster, band) for source in self.sources for band in source.bands]
        return Job(
            pairs[bands],
            partial(self.companions.layers, self.grid, flag_unread=flag_unread),
            make(self),
            flag_unread=flag_unread,
        )

    def open(self) -> ExitStack:
        """A context within which the rasters are open."""
        with ExitStack() as stack:
            for source in self.sources:
                stack.enter_context(source.raster)
            stack.enter_context(self.companions)
            return stack.pop_all()

    def part(self, rois: Ints) -> tuple[Ints, Subject]:
        """What serves some of the ROIs alone: features, those of neighbours behind them, and these."""
        size = len(self.subject.features)
        own = np.unique(rois % size)
        if self.selection.neighbors is not None:
            others = self.selection.neighbors.of(rois)
            own = np.concatenate([own, np.setdiff1d(others, own)])
        return own, self.subject.part(own)
