"""Methods of `CraterDatabase` that extract pixels: `get_stats`, `get_arrays` and the like."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

import pandas as pd

from craterkit.errors import ArgumentError

if TYPE_CHECKING:
    import os
    from pathlib import Path

    import numpy as np

    from craterkit.bodies import Body
    from craterkit.extraction.subject import Subject
    from craterkit.footprints.rules import Coverage
    from craterkit.regions import Regions
    from craterkit.tables.features import Features

    Rasters = Any | Sequence[Any] | Mapping[str, Any]
    Statistics = str | Mapping[str, Callable[..., Any]] | Iterable[Any]
    Where = Mapping[Any, Any] | Iterable[tuple[Any, ...]]

__all__ = ["ExtractsPixels"]


class ExtractsPixels:
    """Methods that take rasters and give tables."""

    _body: Body
    _features: Features
    _regions: Regions
    _table: pd.DataFrame

    if TYPE_CHECKING:

        def _own_columns(self) -> pd.DataFrame: ...

    def _subject(self, regions: str | Sequence[str]) -> Subject:
        from craterkit.extraction.subject import Subject

        return Subject(self._body, self._features, self._regions.pick(regions), self._table.index)

    def _kept(self, keep: object) -> tuple[pd.DataFrame, list[Any]]:
        """The table that goes along, and names of given columns in it, which no result may have."""
        from craterkit.tables.carried import kept_columns

        table, given = kept_columns(self._own_columns(), keep), set(self._table.columns)
        return table, [name for name in table.columns if name in given]

    def get_stats(
        self,
        rasters: Rasters,
        regions: str | Sequence[str],
        stats: Statistics = ("mean", "count", "std"),
        nodata: float | Mapping[str, float] | None = None,
        n_jobs: int | None = None,
        *,
        coverage: Coverage = "all_touched",
        weights: object = None,
        where: Where | None = None,
        exclude: Literal["neighbors"] | None = None,
        exclude_size: float = 1.0,
        min_valid_fraction: float | None = None,
        flags: bool = False,
        bands: int | str | Sequence[int | str] = 1,
        scaled: bool = True,
        raster_crs: object = None,
        transform: object = None,
        align: Literal["nearest"] | None = None,
        errors: Literal["raise", "flag"] = "raise",
        progress: bool | None = None,
        max_memory: float | str | None = None,
        client: object = None,
        scheduler: Literal["threads", "processes"] | None = None,
        keep: Sequence[Hashable] | None = None,
        out: str | os.PathLike[str] | None = None,
    ) -> pd.DataFrame | Path:
        """Compute statistics of rasters in regions.

        Parameters
        ----------
        rasters : raster, list or dict
            A path, a name that GDAL opens (GeoTIFF, ISIS cube, PDS, VICAR, netCDF, Zarr, VRT, ...) or an
            open rasterio dataset; an `xarray.DataArray` with dimensions y (lat), x (lon) and at most one
            more for bands, which is read window by window; a NumPy array, masked or not, of (rows,
            columns) or (bands, rows, columns), with `transform` and `raster_crs`. A list of these, or a
            dict of them by name. Any map of the same body will do, in any projection and with any
            affine transform, global or regional.
        regions : str or list of str
            Names of regions.
        stats : str, list or dict, default ("mean", "count", "std")
            Names out of count, weight_sum, area, sum, mean, min, max, range, argmin_lon, argmin_lat,
            argmax_lon, argmax_lat (argmin and argmax for both), var, std, cv, sem, skewness, kurtosis,
            circular_mean, circular_std, median, percentile_N, iqr, mad_std, biweight_location,
            biweight_scale, clipped_mean, clipped_std, clipped_median, majority, mode, minority, unique,
            frac (shares of all values, a dict), frac_N (share of the value N), nodata, valid_fraction
            and flags; and ``{name: function}``, where the function gets an ROI's valid values as a 1-D
            float64 array, or values and weights if it takes two required arguments. Formulae are in the
            documentation.
        nodata : number or dict, optional
            Raw value that means "no data" instead of the file's, for all rasters or by name. Mask
            bands, NaN and infinities are invalid in any case.
        n_jobs : int, optional
            Threads (processes with ``scheduler="processes"``); all cores by default and for -1, all but
            one for -2. Results do not depend on it, but for rounding in the last digit of sums of
            floating-point numbers.
        coverage : {"all_touched", "center", "fraction"}, default "all_touched"
            Whether a pixel belongs if the region touches it, if its centre lies in the region, or with the
            share of it that the region covers.
        weights : {None, "area"} or raster, default None
            ``"area"``: pixels count for their true area on the body's ellipsoid. A raster: they count for
            its physical value (band 1) times their covered share; pixels without a value there are left
            out, and a negative one is an error.
        where : dict or list, optional
            Only pixels that fulfil conditions on other rasters: ``{raster: condition}``, or a list of
            ``(raster, condition)`` or ``(raster, band, condition)``; all of them must hold. A
            function as condition gets physical values of pixels that are data (1-D float64, in several
            threads, some at a time) and returns as many booleans, judging each value by itself; pixels
            without data do not pass. A number, or a collection of numbers any of which will do, is compared
            with raw values, which may be the raster's own nodata. Pixels that do not pass are not counted
            as ``nodata``.
        exclude : {None, "neighbors"}, default None
            ``"neighbors"``: without pixels whose centres lie inside the circle of any other feature of
            the database, unless that circle holds this feature's centre. So a small crater in a
            large one keeps its pixels, and the large one loses the small one's; duplicates keep theirs.
        exclude_size : float, default 1
            Radius of those circles in feature radii.
        min_valid_fraction : float, optional
            ROIs whose ``valid_fraction`` is below it get NaN, but for count, nodata, weight_sum, area,
            valid_fraction, unique and flags.
        flags : bool, default False
            Whether to add the statistic ``flags``: quality flags, see `craterkit.Flag`.
        bands : int, str, list or "all", default 1
            Bands by number or description.
        scaled : bool, default True
            Whether to apply the raster's scale and offset.
        raster_crs : CRS or dict, optional
            Coordinate system of the rasters, for all or by name, instead of their own. A raster of
            `where` or `weights` that has none of its own gets the one for all.
        transform : affine.Affine, six numbers or dict, optional
            Affine transform from (column, row) to coordinates, for all rasters or by name, instead of
            their own: six numbers are those of `affine.Affine`, not in GDAL's order. An array in `where`
            or `weights` that says nothing of its place lies on the raster's own grid.
        align : {None, "nearest"}, default None
            Rasters of `where` and `weights` must lie on the raster's own grid; with ``"nearest"`` they
            may lie on any, and the pixel in which a pixel's centre lies answers for it.
        errors : {"raise", "flag"}, default "raise"
            What blocks of a raster that cannot be read do: raise an error, or have the ROIs that have
            pixels in them marked with `Flag.UNREADABLE` in a column of flags, with NaN for statistics.
        progress : bool, optional
            Whether to show a progress bar; by default once work lasts over a second.
        max_memory : int or str, default "512 MiB"
            How much memory pixels may take, in bytes or as in ``"2 GB"``. What each feature has beside
            them (some 100 to 300 bytes) is not counted, nor is what a function of `stats` gets: all
            values of an ROI at once. With `client` it holds for this process and for each thread of each
            worker; the processes of ``scheduler="processes"`` share it.
        client : dask.distributed.Client, optional
            A cluster whose workers do the work (needs ``pip install "craterkit[dask]"``). They open rasters
            by name, so that all must see the same files.
        scheduler : {"threads", "processes"}, optional
            ``"processes"``: a cluster of local processes, started for this call.
        keep : list of labels, optional
            Which columns of the table go along; by default all, with those added to `data`, of which the
            result replaces any that has the name of one of its own. ``[]`` for none: results of several
            calls are then joined by their index.
        out : str or os.PathLike, optional
            A Parquet file to write (needs ``pip install "craterkit[parquet]"``). Finished features are kept
            beside it, in ``<out>.partial``, as they come: the same call goes on where one that was cut
            short stopped, and does nothing once all is done. Of another run, the file or the folder is
            not touched but refused.

        Returns
        -------
        pandas.DataFrame, or pathlib.Path with `out`
            The table with columns ``<stat>_<region>`` for one bare raster, and
            ``<stat>_<raster>_<region>`` for a list or dict, where a list's rasters are named by
            the stems of their files and arrays by their own. Several bands add ``_b<number>`` or
            their descriptions: of a DataArray, the labels along its third dimension. Its
            ``attrs["craterkit"]`` say where the numbers are from (rasters and bands, body, regions,
            coverage, weights, conditions, versions) and go along into Parquet files.

        Raises
        ------
        RegionError, StatisticError, ArgumentError, ColumnError
            If an argument is wrong, or a raster of `where` or `weights` is on another grid.
        CRSError
            If a raster has no CRS, is of another body, or no part of it lies on the body.
        RasterError
            If a raster cannot be opened or read; names the file and the block.
        ClusterError
            If a cluster has no workers, or loses them again and again.
        OutputError
            If `out` cannot be written; what was finished is kept.
        KeyboardInterrupt
            After Ctrl-C, once the blocks in hand are done. Pressed twice, it stops at once.

        Warns
        -----
        OutsideRasterWarning
            If regions of interest lie outside a raster; these get count 0 and NaN.
        UnreadableWarning
            If blocks could not be read, with ``errors="flag"``.

        Examples
        --------
        >>> from craterkit import CraterDatabase, sample_data
        >>> cdb = CraterDatabase(sample_data["moon_craters_km.csv"], "moon")
        >>> cdb.add_circles("floor", 0.3)
        >>> depths = cdb.get_stats(
        ...     {"dem": sample_data["moon_dem.tif"]}, "floor", ["mean", "percentile_90"],
        ...     coverage="fraction", weights="area",
        ... )
        >>> list(depths.columns[-2:])
        ['mean_dem_floor', 'percentile_90_dem_floor']

        The rims without their neighbours, only where the ground is lower than the mean sphere:

        >>> cdb.add_annuli("rim", 1, 1.5)
        >>> low = cdb.get_stats(
        ...     sample_data["moon.tif"], "rim", where={sample_data["moon_dem.tif"]: lambda h: h < 0},
        ...     align="nearest", exclude="neighbors", flags=True,
        ... )
        >>> list(low.columns[-4:])
        ['mean_rim', 'count_rim', 'std_rim', 'flags_rim']
        """
        from craterkit.extraction.execution import Execution
        from craterkit.extraction.get_stats import extract_stats, write_stats
        from craterkit.extraction.options import Options
        from craterkit.results.provenance import with_columns
        from craterkit.statistics.registry import parse_statistics

        request = parse_statistics(stats)
        options = Options(
            coverage=coverage,
            weights=weights,
            where=where,
            exclude=exclude,
            exclude_size=exclude_size,
            min_valid_fraction=min_valid_fraction,
            nodata=nodata,
            bands=bands,
            scaled=scaled,
            raster_crs=raster_crs,
            transform=transform,
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
        subject, (table, taken) = self._subject(regions), self._kept(keep)
        if out is not None:
            return write_stats(
                subject, rasters, request, options, execution, table=table, taken=taken, out=out
            )
        return with_columns(
            table, *extract_stats(subject, rasters, request, options, execution, taken=taken)
        )

    def get_arrays(
        self,
        rasters: Rasters,
        regions: str | Sequence[str],
        nodata: float | Mapping[str, float] | None = None,
        n_jobs: int | None = None,
        *,
        coverage: Coverage = "all_touched",
        where: Where | None = None,
        exclude: Literal["neighbors"] | None = None,
        exclude_size: float = 1.0,
        bands: int | str | Sequence[int | str] = 1,
        scaled: bool = True,
        raster_crs: object = None,
        transform: object = None,
        align: Literal["nearest"] | None = None,
        georeferenced: bool = False,
        errors: Literal["raise", "flag"] = "raise",
        progress: bool | None = None,
        max_memory: float | str | None = None,
        client: object = None,
        scheduler: Literal["threads", "processes"] | None = None,
        keep: Sequence[Hashable] | None = None,
        out: str | os.PathLike[str] | None = None,
    ) -> pd.DataFrame | Path:
        """Cut the pixels of regions out of rasters.

        Parameters
        ----------
        rasters, regions, nodata, n_jobs, bands, scaled, raster_crs, transform, progress
            As in `get_stats`.
        max_memory, client, scheduler
            As in `get_stats`; without `out`, `max_memory` does not bound the arrays themselves (see also
            `iter_arrays`).
        where, exclude, exclude_size, align
            As in `get_stats`; pixels that are left out are masked.
        errors : {"raise", "flag"}, default "raise"
            What blocks of a raster that cannot be read do: raise an error, or be masked, with a warning.
        coverage : {"all_touched", "center", "fraction"}, default "all_touched"
            Which pixels belong; ``"fraction"`` takes those of ``"all_touched"``.
        georeferenced : bool, default False
            Whether to add a column ``<region>_transform`` with each array's affine transform; with `out`
            the file has what it takes in any case.
        keep : list of labels, optional
            As in `get_stats`; a file has none of the table's columns.
        out : str or os.PathLike, optional
            A Parquet file to write (needs ``pip install "craterkit[parquet]"``) instead of gathering the
            arrays in memory; `read_arrays` gives them back. A file that `get_arrays` wrote is replaced
            once all is written; any other is an error.

        Returns
        -------
        pandas.DataFrame, or pathlib.Path with `out`
            The table with a column ``<region>`` (``<raster>_<region>`` for a list or dict) of
            `numpy.ma.MaskedArray`: the bounding box of each ROI's pixels, those left out included,
            contiguous across the seam, with everything masked that is outside the ROI, left out or
            no data. Raw numbers keep the raster's
            dtype; scaled ones are float64. An ROI without pixels has an array of shape (0, 0).

        Raises
        ------
        RegionError, ArgumentError, ColumnError, CRSError, RasterError
            As `get_stats`; or if `out` cannot hold the table's index, or the numbers of all rasters.
        OutputError
            If `out` cannot be written; a file that was there before stays.

        Notes
        -----
        Files are Parquet because lists of any length are native to it and many tools read it. A row is
        an array, in the order of `iter_arrays`:

        - ``feature``: the feature's label in the table's index; ``region``: the region's name.
        - ``raster``, ``band``: as columns would call them; empty for one bare raster, and for one band.
        - ``dtype``: the array's; ``height``, ``width``: its shape.
        - ``row``, ``col``: its first row and column in the raster, null for arrays without pixels. Columns
          count on beyond the seam.
        - ``values``: its pixels row by row, with null for what is masked. Rasters of several dtypes share one
          that holds them all exactly.

        The file's metadata have, under ``craterkit``, a JSON text with the version of this format and each
        raster's name, affine transform and CRS (WKT; null for one given by a convention's name).

        Examples
        --------
        >>> from craterkit import CraterDatabase, sample_data
        >>> cdb = CraterDatabase(sample_data["moon_craters_km.csv"], "moon")
        >>> cdb.add_annuli("rim", 1, 1.5)
        >>> arrays = cdb.get_arrays(sample_data["moon.tif"], "rim")
        >>> type(arrays["rim"].iloc[0]).__name__
        'MaskedArray'
        """
        from craterkit.extraction.execution import Execution
        from craterkit.extraction.get_arrays import extract_arrays, store_arrays
        from craterkit.extraction.options import Options
        from craterkit.results.provenance import with_columns

        options = Options(
            coverage=coverage,
            where=where,
            exclude=exclude,
            exclude_size=exclude_size,
            nodata=nodata,
            bands=bands,
            scaled=scaled,
            raster_crs=raster_crs,
            transform=transform,
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
        subject, (table, taken) = self._subject(regions), self._kept(keep)
        if out is not None:
            if keep:
                raise ArgumentError("keep: a file of arrays holds no columns of the table")
            return store_arrays(subject, rasters, options, execution, out=out)
        return with_columns(
            table,
            *extract_arrays(
                subject, rasters, options, execution, georeferenced=georeferenced, taken=taken
            ),
        )

    def iter_arrays(
        self,
        rasters: Rasters,
        regions: str | Sequence[str],
        nodata: float | Mapping[str, float] | None = None,
        n_jobs: int | None = None,
        *,
        coverage: Coverage = "all_touched",
        where: Where | None = None,
        exclude: Literal["neighbors"] | None = None,
        exclude_size: float = 1.0,
        bands: int | str | Sequence[int | str] = 1,
        scaled: bool = True,
        raster_crs: object = None,
        transform: object = None,
        align: Literal["nearest"] | None = None,
        errors: Literal["raise", "flag"] = "raise",
        progress: bool | None = None,
        max_memory: float | str | None = None,
        client: object = None,
        scheduler: Literal["threads", "processes"] | None = None,
    ) -> Iterator[tuple[Any, np.ma.MaskedArray[Any, Any]]]:
        """Cut the pixels of regions out of rasters, one feature after the other.

        For more arrays than memory holds. They come in the order in which the raster is read, those
        without pixels last.

        Parameters
        ----------
        rasters, regions, nodata, n_jobs, bands, scaled, raster_crs, transform, progress
            As in `get_stats`.
        coverage, where, exclude, exclude_size, align, errors
            As in `get_arrays`.
        max_memory, client, scheduler
            As in `get_stats`. An array that is larger than `max_memory` is held nonetheless.

        Yields
        ------
        index : label
            The feature's label in the table's index; with several rasters, regions or bands, a pair of it
            and the name of the column that `get_arrays` would have.
        array : numpy.ma.MaskedArray
            The array that `get_arrays` would give.

        Raises
        ------
        RegionError, ArgumentError, CRSError, RasterError
            As `get_stats`; wrong arguments at once, not with the first array.

        Examples
        --------
        >>> from craterkit import CraterDatabase, sample_data
        >>> cdb = CraterDatabase(sample_data["moon_craters_km.csv"], "moon")
        >>> cdb.add_annuli("rim", 1, 1.5)
        >>> import numpy as np
        >>> reliefs = {i: np.ptp(a) for i, a in cdb.iter_arrays(sample_data["moon_dem.tif"], "rim")}
        """
        from craterkit.extraction.execution import Execution
        from craterkit.extraction.get_arrays import iterate_arrays
        from craterkit.extraction.options import Options

        options = Options(
            coverage=coverage,
            where=where,
            exclude=exclude,
            exclude_size=exclude_size,
            nodata=nodata,
            bands=bands,
            scaled=scaled,
            raster_crs=raster_crs,
            transform=transform,
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
        self._own_columns()  # positions must not have been edited
        return iterate_arrays(self._subject(regions), rasters, options, execution)

    def get_pixels(
        self,
        rasters: Rasters,
        regions: str | Sequence[str],
        nodata: float | Mapping[str, float] | None = None,
        n_jobs: int | None = None,
        *,
        columns: str | Sequence[str] | None = None,
        keep: Sequence[Hashable] | None = (),
        coverage: Coverage = "all_touched",
        weights: object = None,
        where: Where | None = None,
        exclude: Literal["neighbors"] | None = None,
        exclude_size: float = 1.0,
        bands: int | str | Sequence[int | str] = 1,
        scaled: bool = True,
        raster_crs: object = None,
        transform: object = None,
        align: Literal["nearest"] | None = None,
        progress: bool | None = None,
        max_memory: float | str | None = None,
        client: object = None,
        scheduler: Literal["threads", "processes"] | None = None,
        out: str | os.PathLike[str] | None = None,
    ) -> pd.DataFrame | Path:
        """List the pixels of regions, one row for each.

        Parameters
        ----------
        rasters : raster, list or dict
            As in `get_stats`; several must share one grid.
        columns : str or list of str, optional
            Which columns, in order; by default all. Places, distances and azimuths take time: they are
            found only if asked for.
        keep : list of labels or None, default ()
            Columns of the table to repeat in each row of a feature, behind these; None for all.
        regions, nodata, n_jobs, coverage, weights, bands, scaled, raster_crs, transform, progress
            As in `get_stats`.
        where, exclude, exclude_size, align
            As in `get_stats`.
        out : str or os.PathLike, optional
            A Parquet file to write (needs ``pip install "craterkit[parquet]"``) instead of gathering the
            table in memory. A file that `get_pixels` wrote is replaced once all is written; any other
            is an error.

        Returns
        -------
        pandas.DataFrame or pathlib.Path
            A row for each pixel of each ROI that is data on at least one raster:

            - ``feature``: the feature's value in the table's index; ``region``: the region's name.
            - ``row``, ``col``: the pixel, from 0 on.
            - ``lon``, ``lat``: its centre, planetocentric degrees, longitude to the east in [-180, 180).
            - ``distance``: of the pixel's centre from the feature's along the geodesic, in feature radii.
            - ``azimuth``: direction to it at the feature's centre, degrees clockwise from north.
            - ``value`` for one bare raster; else a column for each raster, as its statistics' columns
              are called. NaN where that raster has no data. Unscaled numbers keep the raster's dtype if none
              is missing.
            - ``weight``: what the pixel counts for; 1 unless `coverage` or `weights` say otherwise.

            Rows are in the order of regions, features, rows and columns. With `out` the path of the
            file, in which missing values are nulls and rows come in the order in which the raster was
            read: by chunks of rows of the raster, then as in memory.

        Raises
        ------
        RegionError, ArgumentError, ColumnError, CRSError, RasterError
            As `get_stats`; or if rasters do not share one grid, columns are unknown, or the table's index
            cannot be written to `out`.
        OutputError
            If `out` cannot be written; a file that was there before stays.

        Examples
        --------
        >>> from craterkit import CraterDatabase, sample_data
        >>> cdb = CraterDatabase(sample_data["moon_craters_km.csv"], "moon")
        >>> cdb.add_annuli("rim", 1, 1.5)
        >>> pixels = cdb.get_pixels(
        ...     sample_data["moon.tif"], "rim", columns=["feature", "distance", "value"], coverage="center"
        ... )
        >>> bool(pixels["distance"].between(1, 1.5).all())
        True
        >>> means = pixels.groupby("feature")["value"].mean()
        """
        from craterkit.extraction.execution import Execution
        from craterkit.extraction.get_pixels import extract_pixels
        from craterkit.extraction.options import Options

        options = Options(
            coverage=coverage,
            weights=weights,
            where=where,
            exclude=exclude,
            exclude_size=exclude_size,
            nodata=nodata,
            bands=bands,
            scaled=scaled,
            raster_crs=raster_crs,
            transform=transform,
            align=align,
        )
        execution = Execution(
            n_jobs=n_jobs,
            client=client,
            scheduler=scheduler,
            max_memory=max_memory,
            progress=progress,
        )
        return extract_pixels(
            self._subject(regions),
            rasters,
            options,
            execution,
            columns=columns,
            kept=self._kept(keep),
            out=out,
        )
