"""What a selection of pixels gives of the statistics of a stack."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from craterkit.errors import ArgumentError
from craterkit.extraction.execution import Execution
from craterkit.series.placing import check_needs_no_ground, off_ground, open_like
from craterkit.series.resampled import ResampledRaster, resampled
from craterkit.series.tasks import SeriesOptions
from craterkit.series.unreadable import unreadable_layers

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from craterkit.extracting import Statistics
    from craterkit.extraction.options import Options
    from craterkit.extraction.subject import Subject
    from craterkit.grids.base import Grid
    from craterkit.selection.placement import Placement
    from craterkit.selection.runs import Runs
    from craterkit.series.stack import Stack

Align = Literal["error", "nearest", "bilinear"]

__all__ = ["Align", "PixelStatistics"]

#: What statistics are called whose names are those of other columns.
RENAMED = {"area": "area_m2"}


class PixelStatistics:
    """The method of `PixelSelection` that computes statistics of stacks."""

    _runs: Runs
    _placement: Placement

    if TYPE_CHECKING:

        @property
        def _run_labels(self) -> NDArray[np.intp]: ...

    def get_stats(
        self,
        rasters: object,
        stats: Statistics = ("mean", "count", "std"),
        by: Literal["area", "all"] = "area",
        *,
        times: object = None,
        bands: int | str | list[int] | None = None,
        nodata: float | dict[str, float] | None = None,
        weights: Any = None,  # noqa: ANN401
        scaled: bool = True,
        raster_crs: Any = None,  # noqa: ANN401
        transform: Any = None,  # noqa: ANN401
        align: Align = "error",
        sort: bool = False,
        errors: Literal["raise", "flag"] = "raise",
        n_jobs: int | None = None,
        progress: bool | None = None,
        max_memory: float | str | None = None,
        client: Any = None,  # noqa: ANN401
        scheduler: str | None = None,
    ) -> pd.DataFrame:
        """Compute statistics of the pixels in every raster of a stack.

        Where on a body the selection lies need not be known, unless statistics or weights depend on it.

        Parameters
        ----------
        rasters, times, bands, nodata, scaled, raster_crs, transform, align, sort
            As in `get_series`. Layers that `align` resamples are not read by clusters.
        stats : str, sequence or dict, default ("mean", "count", "std")
            As in `CraterDatabase.get_stats`.
        by : {"area", "all"}, default "area"
            Whether each connected area has its own statistics, or all pixels together.
        weights : {None, "area"} or raster, default None
            What pixels count for, as in `CraterDatabase.get_stats`.
        errors : {"raise", "flag"}, default "raise"
            What a raster or block that cannot be read does: raise an error, or give NaN with a warning
            and a flag in the column ``flags``.
        n_jobs, progress, max_memory, client, scheduler
            As in `CraterDatabase.get_stats`.

        Returns
        -------
        pandas.DataFrame
            One row for each area and time, in this order, with the columns ``area`` (its number in
            `areas`; not for ``by="all"``), ``time`` and one for each statistic. That of the statistic
            ``"area"`` is called ``area_m2``. Attributes tell where the numbers are from.

        Raises
        ------
        CRSError
            If a raster is of another body; or if statistics (``"area"``, ``"argmin"``, ...) or `weights`
            need the place of the selection, which is not known.
        ArgumentError, RasterError, StatisticError
            As `get_series` and `CraterDatabase.get_stats`; or if a function is called ``area``,
            ``area_m2`` or ``time``.

        Warns
        -----
        UnreadableWarning
            With ``errors="flag"``, if rasters, or blocks with some of the pixels, cannot be read.

        Examples
        --------
        >>> from craterkit import PixelSelection, sample_data
        >>> deep = PixelSelection.from_raster(sample_data["moon_dem.tif"], lambda height: height < -5000)
        >>> stack = {"2024-01-01": sample_data["moon_dem.tif"], "2024-02-01": sample_data["moon_dem.tif"]}
        >>> table = deep.get_stats(stack, ["max", "count"], by="all")
        >>> list(table), bool((table["max"] < -5000).all()), int(table["count"][0]) == len(deep)
        (['time', 'max', 'count'], True, True)
        """
        from craterkit.extraction.options import Options
        from craterkit.results.provenance import ATTRIBUTE
        from craterkit.series.statistics import check_names, extract_series
        from craterkit.statistics.registry import parse_statistics

        if by not in ("area", "all"):
            raise ArgumentError(f"by must be 'area' or 'all', not {by!r}")
        request = parse_statistics(stats)
        check_names(request, (*RENAMED, *RENAMED.values(), "time"))
        if self._placement.grid is None:
            check_needs_no_ground(self._placement, request, weights)
        options = Options(weights=weights, scaled=scaled, errors=errors)
        reading = SeriesOptions(scaled=scaled, align=align, errors=errors)
        execution = Execution(
            n_jobs=n_jobs,
            client=client,
            scheduler=scheduler,
            max_memory=max_memory,
            progress=progress,
        )
        stack = open_like(
            self._placement,
            rasters,
            times,
            reading,
            bands=bands,
            nodata=nodata,
            raster_crs=raster_crs,
            transform=transform,
            sort=sort,
        )
        grid, placed = self._placement.grid, stack
        if grid is None:
            grid, placed = off_ground(self._placement, stack)
        elif align != "error":
            placed = resampled(stack, self._runs, grid, align, execution.budget, scaled=scaled)
            if execution.on_cluster:
                _check_none_resampled(placed)
        subject = self._subject(by, grid)
        found = extract_series(subject, placed, request, options, execution)
        table = found.tidy("area", with_region=False, renamed=RENAMED)
        problems = unreadable_layers(stack, found.unread)
        table.attrs |= self._provenance("get_stats", stack, options, list(found.found), problems)
        table.attrs[ATTRIBUTE]["align"] = align
        return table if by == "area" else table.drop(columns="area")

    def _provenance(
        self,
        method: str,
        stack: Stack,
        options: Options | SeriesOptions,
        statistics: list[str] | None,
        unreadable: dict[str, str],
    ) -> dict[str, Any]:
        from craterkit.results.provenance import ATTRIBUTE, about_pixels, provenance_of_series

        provenance = provenance_of_series(
            f"PixelSelection.{method}",
            about_pixels(self._placement, self._runs.pixels),
            stack,
            options,
            statistics,
            unreadable=unreadable,
        )
        return {ATTRIBUTE: provenance}

    def _subject(self, by: str, grid: Grid) -> Subject:
        """The areas, or all pixels, as if they were features."""
        import pandas as pd

        from craterkit.extraction.subject import Subject
        from craterkit.regions.chosen import ChosenPixels
        from craterkit.tables.features import Features

        label = np.zeros_like(self._runs.row) if by == "all" else self._run_labels
        size = int(label.max(initial=-1)) + 1
        # Where a feature lies matters to regions around it only.
        nowhere = Features(np.zeros(size), np.zeros(size), np.ones(size))
        chosen = ChosenPixels(self._runs.spans(label), size, grid)
        return Subject(grid.body, nowhere, {"pixels": chosen}, pd.RangeIndex(size))


def _check_none_resampled(stack: Stack) -> None:
    """Raise if a layer is resampled, which workers of a cluster would not do."""
    names = [layer.name for layer in stack.layers if isinstance(layer.raster, ResampledRaster)]
    if names:
        raise ArgumentError(
            f"align: {names[0]} ({len(names)} of {len(stack)} layers) is on another grid, and is resampled "
            "in this process only; leave client= and scheduler= away, or resample it before"
        )
