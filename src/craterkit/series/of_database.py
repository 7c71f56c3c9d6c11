"""What a database gives of a stack of rasters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from craterkit.errors import ArgumentError

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping, Sequence

    import pandas as pd

    from craterkit.extracting import Statistics, Where
    from craterkit.extraction.subject import Subject
    from craterkit.footprints.rules import Coverage

__all__ = ["FeatureSeries"]


class FeatureSeries:
    """The methods of `CraterDatabase` that read stacks."""

    if TYPE_CHECKING:

        def _subject(self, regions: str | Sequence[str]) -> Subject: ...

        def _kept(self, keep: object) -> tuple[pd.DataFrame, list[Any]]: ...

    def get_series(
        self,
        rasters: object,
        regions: str | Sequence[str],
        stats: Statistics = ("mean", "count", "std"),
        nodata: float | Mapping[str, float] | None = None,
        n_jobs: int | None = None,
        *,
        times: object = None,
        sort: bool = False,
        bands: int | str | Sequence[int | str] | None = None,
        coverage: Coverage = "all_touched",
        weights: Any = None,  # noqa: ANN401
        where: Where | None = None,
        exclude: Literal["neighbors"] | None = None,
        exclude_size: float = 1.0,
        min_valid_fraction: float | None = None,
        scaled: bool = True,
        raster_crs: Any = None,  # noqa: ANN401
        transform: Any = None,  # noqa: ANN401
        align: Literal["nearest"] | None = None,
        flags: bool = False,
        errors: Literal["raise", "flag"] = "raise",
        keep: Sequence[Hashable] | None = (),
        progress: bool | None = None,
        max_memory: float | str | None = None,
        client: Any = None,  # noqa: ANN401
        scheduler: str | None = None,
    ) -> pd.DataFrame:
        """Compute statistics of every feature in every raster of a stack.

        The footprints are found once for all rasters on one grid, however many there are.

        Parameters
        ----------
        rasters : iterable, str, dict, raster
            The stack: rasters in order of time, a pattern such as ``"weekly/*.tif"``, a dict of
            rasters by time, or one raster whose bands are the times.
        regions : str or sequence of str
            Names of regions.
        stats : str, sequence or dict, default ("mean", "count", "std")
            As in `get_stats`.
        nodata : number or dict, optional
            Raw value that means "no data" instead of the files', for all rasters; or by the name of the
            file without ending, for all files that have it, or by its path.
        n_jobs : int, optional
            Threads; all cores by default and for -1.
        times : iterable or {"metadata", "names", "stems"}, optional
            One time for each layer. By default those of the dict or of the raster's time axis; else the
            dates in all files' metadata or names, if these are unambiguous; else the names of the
            files. The table's ``attrs["times_from"]`` tells which.
        sort : bool, default False
            Whether rasters may come in any order of time; else that is an error.
        bands : int, str, sequence or "all", optional
            Bands of each raster; by default all of one raster that is given alone, else band 1.
        coverage, weights, where, exclude, exclude_size, min_valid_fraction
            As in `get_stats`. Where a layer has gaps, which part of an ROI is missing shifts its mean,
            and may look like a change; with `min_valid_fraction` it is NaN if too little is left.
        scaled, raster_crs, transform, align, flags
            As in `get_stats`, in a dict as for `nodata`; `align` is about the rasters of `where` and
            `weights`.
        errors : {"raise", "flag"}, default "raise"
            What a raster or block that cannot be read does: raise an error, or give NaN with a
            warning; the column ``flags`` says which rows.
        keep : list of labels or None, default ()
            Columns of the table to repeat in each row of a feature, behind the others; None for all.
        progress, max_memory, client, scheduler
            As in `get_stats`.

        Returns
        -------
        pandas.DataFrame
            One row for each feature, region and time, in this order, with the columns ``feature`` (its
            value in the table's index), ``region``, ``time`` and one for each statistic. Its attributes
            tell where the numbers are from, as those of `get_stats`.

        Raises
        ------
        RegionError, StatisticError, ArgumentError, ColumnError, CRSError, RasterError
            As `get_stats`; or if times are not one for each layer, different and ascending, or a
            function is called ``feature``, ``region`` or ``time``.

        Warns
        -----
        UnreadableWarning
            With ``errors="flag"``, if rasters or blocks with pixels of ROIs cannot be read.
        OutsideRasterWarning
            If ROIs lie outside rasters.

        See Also
        --------
        PixelSelection.get_series : The pixels themselves.

        Examples
        --------
        >>> from craterkit import CraterDatabase, sample_data
        >>> cdb = CraterDatabase(sample_data["moon_craters_km.csv"], "moon")
        >>> cdb.add_annuli("rim", 1, 1.5)
        >>> stack = {"2024-01-01": sample_data["moon.tif"], "2024-01-08": sample_data["moon.tif"]}
        >>> series = cdb.get_series(stack, "rim", ["mean", "count"])
        >>> list(series), len(series) == 2 * len(cdb)
        (['feature', 'region', 'time', 'mean', 'count'], True)
        """
        from craterkit.extraction.execution import Execution
        from craterkit.extraction.get_stats import prepared
        from craterkit.extraction.options import Options
        from craterkit.results.provenance import ATTRIBUTE, about_subject, provenance_of_series
        from craterkit.series.opening import open_stack
        from craterkit.series.statistics import check_names, extract_series
        from craterkit.series.unreadable import unreadable_layers
        from craterkit.statistics.registry import parse_statistics
        from craterkit.tables.carried import free_columns

        request = parse_statistics(stats)
        check_names(request, ("feature", "region", "time"))
        options = Options(
            coverage=coverage,
            weights=weights,
            where=where,
            exclude=exclude,
            exclude_size=exclude_size,
            min_valid_fraction=min_valid_fraction,
            scaled=scaled,
            align=align,
            errors=errors,
        )
        execution = Execution(
            n_jobs=n_jobs,
            client=client,
            scheduler=scheduler,
            max_memory=max_memory,
            progress=progress,
        )
        if not isinstance(flags, bool):
            raise ArgumentError(f"flags must be True or False, not {flags!r}")
        if flags:
            request = request.including("flags")
        subject, kept = self._subject(regions), self._kept(keep)
        names, _ = prepared(request, options)
        features = free_columns(*kept, ["feature", "region", "time", *names])
        stack = open_stack(
            subject.body,
            rasters,
            times,
            bands=bands,
            nodata=nodata,
            raster_crs=raster_crs,
            transform=transform,
            sort=sort,
            errors=errors,
        )
        found = extract_series(subject, stack, request, options, execution)
        table = found.tidy("feature", kept=features)
        table.attrs[ATTRIBUTE] = provenance_of_series(
            "get_series",
            about_subject(subject),
            stack,
            options,
            list(found.found),
            unreadable=unreadable_layers(stack, found.unread),
        )
        return table
