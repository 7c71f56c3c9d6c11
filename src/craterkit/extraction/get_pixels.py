"""What `get_pixels` does: the pixels of every feature one by one, in memory or in a file."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from craterkit.errors import ArgumentError
from craterkit.extraction.columns import column_name
from craterkit.extraction.pixel_tables import FrameTable, Layout, ParquetTable
from craterkit.extraction.pixels import PixelsWorker
from craterkit.extraction.survey import Survey
from craterkit.grids.alignment import grid_difference

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import pandas as pd

    from craterkit.extraction.execution import Execution
    from craterkit.extraction.options import Options
    from craterkit.extraction.setting import Setting
    from craterkit.extraction.subject import Subject

__all__ = ["extract_pixels"]


@dataclass(frozen=True)
class MakePixels:
    """Makes the worker that lists pixels, on any machine."""

    columns: Sequence[str]

    def __call__(self, setting: Setting) -> PixelsWorker:
        return PixelsWorker(
            setting.grid,
            setting.subject.features,
            setting.selection,
            self.columns,
            scaled=setting.options.scaled,
        )


def extract_pixels(
    subject: Subject,
    rasters: object,
    options: Options,
    execution: Execution,
    *,
    columns: object,
    out: object,
) -> pd.DataFrame | Path:
    """All pixels as a table, or the path of the Parquet file that holds them."""
    survey = Survey(subject, rasters, options, execution, "Pixels")
    first = survey.sources[0]
    for source in survey.sources[1:]:
        difference = grid_difference(first.grid, source.grid)
        if difference:
            raise ArgumentError(
                f"rasters: {source.raster.name} is not on the grid of {first.raster.name}: "
                f"{difference}; a row is one pixel of all rasters"
            )
    values = [
        (column_name("", source.label, label, "") or "value", band)
        for source in survey.sources
        for label, band in zip(source.band_labels, source.bands, strict=True)
    ]
    layout = Layout.choose(
        columns, values, subject.index, list(subject.regions), scaled=options.scaled
    )
    if "weight" not in layout.columns:
        # The same pixels, without working out what they count for.
        touched = options.coverage == "fraction"
        coverage = "all_touched" if touched else options.coverage
        survey.options = replace(options, coverage=coverage, weights=None)
    frame = FrameTable(layout) if out is None else None
    part_pixels = None if out is None else execution.budget.pixels_at_work
    with ExitStack() as stack:
        table = frame or stack.enter_context(ParquetTable(layout, out))
        stack.enter_context(survey)
        setting = survey.setting(survey.sources)
        plan = setting.plan()
        make = MakePixels(layout.columns)
        for _, result in survey.results(setting, plan, make, part_pixels=part_pixels):
            for rows in result:
                table.add(rows)
    survey.warn_of_outside([plan.outside], stacklevel=3)
    return table.frame() if isinstance(table, FrameTable) else table.path
