"""What `get_pixels` does: the pixels of every feature one by one, in memory or in a file."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from craterkit.errors import ArgumentError
from craterkit.extraction.columns import column_name
from craterkit.extraction.pixels import PixelsWorker
from craterkit.extraction.survey import Survey
from craterkit.grids.alignment import grid_difference
from craterkit.results.pixel_tables import CONTENT, Layout, pixel_frame, write_pixels
from craterkit.results.provenance import ATTRIBUTE, provenance_of
from craterkit.results.result_files import result_path, write_result, written_labels

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence
    from pathlib import Path

    import pandas as pd
    from numpy.typing import NDArray

    from craterkit.extraction.execution import Execution
    from craterkit.extraction.options import Options
    from craterkit.extraction.pixels import PixelRows
    from craterkit.extraction.setting import Setting
    from craterkit.extraction.subject import Subject

    Bools = NDArray[np.bool_]

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
    kept: tuple[pd.DataFrame, Sequence[Any]],
    out: object,
) -> pd.DataFrame | Path:
    """All pixels as a table, or the path of the Parquet file that holds them.

    `kept` are columns of the features' table to repeat, and which of them must not be replaced.
    """
    path = None if out is None else result_path(out, CONTENT)
    survey = Survey(subject, rasters, options, execution, "Pixels", walks=1)
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
        columns, values, subject.index, list(subject.regions), *kept, scaled=options.scaled
    )
    if "weight" not in layout.columns:
        # The same pixels, without working out what they count for.
        touched = options.coverage == "fraction"
        coverage = "all_touched" if touched else options.coverage
        survey.options = replace(options, coverage=coverage, weights=options.weights_raster)
    outside: list[Bools] = []
    found: pd.DataFrame | Path
    if path is None:
        with closing(_rows(survey, layout.columns, outside)) as rows:
            found = pixel_frame(layout, rows)
        found.attrs[ATTRIBUTE] = provenance_of("get_pixels", subject, survey.sources, options)
    else:
        labels = written_labels(subject.index)

        def write(file: BinaryIO) -> None:
            with closing(_rows(survey, layout.columns, outside)) as rows:
                write_pixels(file, layout, labels, rows)

        write_result(path, write)
        found = path
    survey.warn_of_outside(outside, stacklevel=3)
    return found


def _rows(
    survey: Survey, columns: Sequence[str], outside: list[Bools]
) -> Generator[PixelRows, None, None]:
    """Rows of all ROIs; into `outside` goes who has none."""
    with survey:
        setting = survey.setting(survey.sources)
        plan = setting.plan()
        outside.append(plan.outside)
        survey.advance(int(np.count_nonzero(plan.outside)))
        make = MakePixels(columns)
        part_pixels = setting.budget.pixels_at_work
        for _, result in survey.results(setting, plan, make, part_pixels=part_pixels):
            yield from result
