"""What a selection of pixels gives of a stack of rasters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from craterkit.bodies import wrap_longitude
from craterkit.errors import ArgumentError
from craterkit.extraction.execution import Execution
from craterkit.selection.placement import place as placement_of
from craterkit.series.opening import open_stack
from craterkit.series.pixel_series import read_series
from craterkit.series.stack import check_same_grid
from craterkit.series.tasks import SeriesOptions

if TYPE_CHECKING:
    import os
    from pathlib import Path

    import pandas as pd
    import xarray as xr
    from numpy.typing import NDArray

    from craterkit.extracting import Statistics
    from craterkit.extraction.subject import Subject
    from craterkit.selection.placement import Placement
    from craterkit.selection.runs import Runs
    from craterkit.series.stack import Stack

__all__ = ["PixelSeries"]


class PixelSeries:
    """The methods of `PixelSelection` that read stacks."""

    _runs: Runs
    _placement: Placement

    if TYPE_CHECKING:

        @property
        def _run_labels(self) -> NDArray[np.intp]: ...

    def get_series(
        self,
        rasters: object,
        *,
        times: object = None,
        bands: int | str | list[int] | None = None,
        nodata: float | dict[str, float] | None = None,
        scaled: bool = True,
        align: str = "error",
        coordinates: bool = False,
        sort: bool = False,
        errors: str = "raise",
        n_jobs: int | None = None,
        progress: bool | None = None,
        max_memory: float | str | None = None,
        client: Any = None,  # noqa: ANN401
        scheduler: str | None = None,
        out: str | os.PathLike[str] | None = None,
    ) -> pd.DataFrame | Path:
        """Read the pixels of a stack of rasters: one row a time, one column a pixel.

        Only the blocks that hold pixels are decoded, once each.

        Parameters
        ----------
        rasters : iterable, str, dict, raster
            The stack: rasters in order of time, a pattern such as ``"weekly/*.tif"``, a dict of
            rasters by time, or one raster whose bands are the times. A raster is a path, a name that
            GDAL opens, an open dataset, an array or an `xarray.DataArray`.
        times : iterable or {"metadata", "names", "stems"}, optional
            One time for each layer. By default those of the dict or of the raster's time axis; else the
            dates in all files' metadata or names, if these are unambiguous; else the names of the
            files. The table's ``attrs["times_from"]`` tells which.
        bands : int, str, list or "all", optional
            Bands of each raster; by default all of one raster that is given alone, else band 1.
        nodata : number or dict, optional
            Raw value that means "no data" instead of the files', for all rasters or by name.
        scaled : bool, default True
            Whether scale and offset of a band are applied.
        align : {"error", "nearest", "bilinear"}, default "error"
            What rasters on another grid do: raise an error, or give the value at the centre of each
            pixel, of the nearest pixel or between the four around it.
        coordinates : bool, default False
            Whether columns have levels ``row``, ``col`` and, if known, ``lon`` and ``lat`` (degrees)
            instead of the pixels' numbers.
        sort : bool, default False
            Whether rasters may come in any order of time; else that is an error.
        errors : {"raise", "flag"}, default "raise"
            What a raster or block that cannot be read does: raise an error, or give NaN.
        n_jobs : int, optional
            Threads (processes with ``scheduler="processes"``); all cores by default and for -1.
        progress : bool, optional
            Whether to show a progress bar; by default once work lasts over a second.
        max_memory : int or str, default "512 MiB"
            With `out`: how much memory values may take, in bytes or as in ``"2 GB"``.
        client : dask.distributed.Client, optional
            A cluster whose workers read the layers (needs ``pip install "craterkit[dask]"``). They open
            rasters by name, so that all must see the same files. Values are the same, byte for byte.
        scheduler : {"threads", "processes"}, optional
            ``"processes"``: a cluster of local processes, started for this call.
        out : str or os.PathLike, optional
            A Parquet file to write (needs ``pip install "craterkit[parquet]"``) instead of gathering the
            table in memory: one row a pixel, with ``row``, ``col``, ``area``, ``lon``, ``lat`` and a column
            for every time. A file that `get_series` wrote is replaced once all is written; any other is
            an error.

        Returns
        -------
        pandas.DataFrame or pathlib.Path
            Shape (times, pixels); pixels in the order of `rows` and `cols`, which is that of
            ``array[mask]``. The dtype is that of the rasters; with missing values, NaN in floats. With
            `out` its path.

        Raises
        ------
        RasterError
            If a raster cannot be read.
        CRSError
            If a raster is of another body, or does not say where it lies.
        ArgumentError
            If rasters are on another grid than the selection, or times are not one for each layer,
            different and ascending; with a cluster, if a raster has no name that workers can open.
        ClusterError
            If a cluster has no workers, or loses them for good.

        Examples
        --------
        >>> import numpy as np
        >>> from craterkit import PixelSelection
        >>> mask = np.array([[0, 1, 1], [0, 1, 1], [1, 1, 1]])
        >>> first = np.array([[3, 5, 2], [4, 7, 6], [8, 8, 1]])
        >>> second, third = first.copy(), first.copy()
        >>> second[mask == 0], third[mask == 0] = [1, 6], [2, 1]
        >>> pixels = PixelSelection.from_raster(mask, value=0)
        >>> series = pixels.get_series([first, second, third])
        >>> series.to_numpy()
        array([[3, 4],
               [1, 6],
               [2, 1]])
        >>> series[0].to_numpy()
        array([3, 1, 2])
        """
        import pandas as pd

        from craterkit.series.series_cluster import series_cluster

        options = SeriesOptions(scaled=scaled, align=align, errors=errors)
        execution = Execution(
            n_jobs=n_jobs,
            client=client,
            scheduler=scheduler,
            max_memory=max_memory,
            progress=progress,
        )
        stack = self._open_stack(rasters, times, options, bands=bands, nodata=nodata, sort=sort)
        grid = self._placement.grid
        with series_cluster(stack, execution) as cluster:
            if out is not None:
                from craterkit.series.large_series import write_series

                labels = self._pixel_labels()
                return write_series(
                    out, self._runs, grid, labels, stack, options, execution, cluster
                )
            values = read_series(self._runs, grid, stack, options, execution, cluster)
        table = pd.DataFrame(
            values, index=stack.times, columns=self._columns(coordinates), copy=False
        )
        table.attrs.update(stack.attrs)
        return table

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
        sort: bool = False,
        errors: Literal["raise", "flag"] = "raise",
        n_jobs: int | None = None,
        progress: bool | None = None,
        max_memory: float | str | None = None,
        client: Any = None,  # noqa: ANN401
        scheduler: str | None = None,
    ) -> pd.DataFrame:
        """Compute statistics of the pixels in every raster of a stack.

        Parameters
        ----------
        rasters, times, bands, nodata, scaled, sort, errors
            As in `get_series`.
        stats : str, sequence or dict, default ("mean", "count", "std")
            As in `CraterDatabase.get_stats`.
        by : {"area", "all"}, default "area"
            Whether each connected area has its own statistics, or all pixels together.
        weights : {None, "area"} or raster, default None
            What pixels count for, as in `CraterDatabase.get_stats`.
        n_jobs, progress, max_memory, client, scheduler
            As in `CraterDatabase.get_stats`.

        Returns
        -------
        pandas.DataFrame
            One row for each area and time, in this order, with the columns ``area`` (its number in
            `areas`; not for ``by="all"``), ``time`` and one for each statistic.

        Raises
        ------
        CRSError
            If it is not known where the selection's raster lies, or a raster is of another body.
        ArgumentError, RasterError, StatisticError
            As `get_series` and `CraterDatabase.get_stats`.

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
        from craterkit.series.statistics import extract_series
        from craterkit.statistics.registry import parse_statistics

        if by not in ("area", "all"):
            raise ArgumentError(f"by must be 'area' or 'all', not {by!r}")
        subject = self._subject(by)
        request = parse_statistics(stats)
        options = Options(weights=weights, scaled=scaled, errors=errors)
        execution = Execution(
            n_jobs=n_jobs,
            client=client,
            scheduler=scheduler,
            max_memory=max_memory,
            progress=progress,
        )
        stack = self._open_stack(
            rasters,
            times,
            SeriesOptions(scaled=scaled, errors=errors),
            bands=bands,
            nodata=nodata,
            sort=sort,
        )
        found = extract_series(subject, stack, request, options, execution)
        table = found.tidy("area", with_region=False)
        return table if by == "area" else table.drop(columns="area")

    def to_xarray(
        self,
        rasters: object,
        *,
        times: object = None,
        bands: int | str | list[int] | None = None,
        nodata: float | dict[str, float] | None = None,
        scaled: bool = True,
        align: str = "error",
        sort: bool = False,
        errors: str = "raise",
        chunks: int | None = None,
    ) -> xr.DataArray:
        """Have the pixels of a stack as a labelled array (needs ``pip install "craterkit[xarray]"``).

        Parameters
        ----------
        rasters, times, bands, nodata, scaled, align, sort, errors
            As in `get_series`.
        chunks : int, optional
            How many layers are read at a time, once they are needed: the array is one of Dask then (needs
            ``pip install "craterkit[dask]"``), for threads of this process. By default all are read at
            once.

        Returns
        -------
        xarray.DataArray
            Dimensions ``time`` and ``pixel``, with the pixels' ``row``, ``col``, ``area`` and, if known,
            ``lon`` and ``lat`` as coordinates.

        Raises
        ------
        RasterError, CRSError, ArgumentError
            As `get_series`; or if `chunks` is less than 1.

        Examples
        --------
        >>> import numpy as np
        >>> from craterkit import PixelSelection
        >>> pixels = PixelSelection.from_raster(np.array([[0, 1], [1, 0]]), value=0)
        >>> array = pixels.to_xarray([np.full((2, 2), week) for week in range(5)])
        >>> array.dims, array.mean("pixel").values
        (('time', 'pixel'), array([0., 1., 2., 3., 4.]))
        """
        import xarray as xr

        from craterkit.series.large_series import lazy_series, pixel_places

        if chunks is not None and (isinstance(chunks, bool) or chunks < 1):
            raise ArgumentError(f"chunks must be a number of layers, not {chunks!r}")
        options = SeriesOptions(scaled=scaled, align=align, errors=errors)
        stack = self._open_stack(rasters, times, options, bands=bands, nodata=nodata, sort=sort)
        grid = self._placement.grid
        if chunks is None:
            values: Any = read_series(self._runs, grid, stack, options, Execution())
        else:
            values = lazy_series(self._runs, grid, stack, options, chunks)
        places = pixel_places(self._runs, grid, self._pixel_labels())
        return xr.DataArray(
            values,
            dims=("time", "pixel"),
            coords={
                "time": stack.times,
                **{name: ("pixel", column) for name, column in places.items()},
            },
            attrs=stack.attrs,
        )

    def _pixel_labels(self) -> NDArray[np.intp]:
        return np.repeat(self._run_labels, self._runs.length)

    def _subject(self, by: str) -> Subject:
        """The areas, or all pixels, as if they were features."""
        import pandas as pd

        from craterkit.extraction.subject import Subject
        from craterkit.regions.chosen import ChosenPixels
        from craterkit.tables.features import Features

        grid = self._placement.known_grid
        label = np.zeros_like(self._runs.row) if by == "all" else self._run_labels
        size = int(label.max(initial=-1)) + 1
        # Where a feature lies matters to regions around it only.
        nowhere = Features(np.zeros(size), np.zeros(size), np.ones(size))
        chosen = ChosenPixels(self._runs.spans(label), size, grid)
        return Subject(grid.body, nowhere, {"pixels": chosen}, pd.RangeIndex(size))

    def _open_stack(
        self,
        rasters: object,
        times: object,
        options: SeriesOptions,
        **how: Any,  # noqa: ANN401
    ) -> Stack:
        """The layers, of which all is checked that can be before pixels are read."""
        stack = open_stack(self._placement.body, rasters, times, errors=options.errors, **how)
        place = self._placement
        check_same_grid(
            stack,
            place.shape if place.grid is None else place.grid,
            place.name,
            align=options.align,
        )
        if place.grid is None and place.transform is not None:
            # Of what body they are is not known, but where they lie on it can be compared.
            for raster in {id(layer.raster): layer.raster for layer in stack.layers}.values():
                if raster is not None and raster.transform is not None:
                    difference = place.difference(placement_of(raster))
                    if difference:
                        raise ArgumentError(
                            f"rasters: {raster.name} is not on the grid of {place.name}: {difference}"
                        )
        return stack

    def _columns(self, coordinates: bool) -> pd.Index:
        import pandas as pd

        if not coordinates:
            return pd.RangeIndex(self._runs.pixels)
        levels: dict[str, Any] = {"row": self._runs.rows, "col": self._runs.cols}
        grid = self._placement.grid
        if grid is not None:
            lon, lat = grid.to_body(levels["col"] + 0.5, levels["row"] + 0.5)
            levels |= {"lon": wrap_longitude(lon), "lat": lat}
        return pd.MultiIndex.from_arrays(list(levels.values()), names=list(levels))
