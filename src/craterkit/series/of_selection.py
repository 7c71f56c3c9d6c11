"""What a selection of pixels gives of a stack of rasters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import numpy as np

from craterkit.bodies import wrap_longitude
from craterkit.extraction.execution import Execution
from craterkit.series.pixel_series import read_series
from craterkit.series.placing import open_like
from craterkit.series.selection_stats import Align, PixelStatistics
from craterkit.series.tasks import SeriesOptions
from craterkit.series.unreadable import unreadable_layers, warn_of_unreadable

if TYPE_CHECKING:
    import os
    from pathlib import Path

    import pandas as pd
    import xarray as xr


__all__ = ["PixelSeries"]


class PixelSeries(PixelStatistics):
    """The methods of `PixelSelection` that read stacks."""

    def get_series(
        self,
        rasters: object,
        *,
        times: object = None,
        bands: int | str | list[int] | None = None,
        nodata: float | dict[str, float] | None = None,
        scaled: bool = True,
        raster_crs: Any = None,  # noqa: ANN401
        transform: Any = None,  # noqa: ANN401
        align: Align = "error",
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
            Raw value that means "no data" instead of the files', for all rasters; or by the name of the
            file without ending, for all files that have it, or by its path.
        scaled : bool, default True
            Whether scale and offset of a band are applied.
        raster_crs, transform : optional
            CRS and affine transform to use instead of the rasters' own, for all or in a dict as for
            `nodata`. A raster of the selection's shape that has no transform, or the selection's transform
            but no CRS, is taken to lie where the selection does.
        align : {"error", "nearest", "bilinear"}, default "error"
            What rasters on another grid do: raise an error, or give the value at the centre of each
            pixel, of the nearest pixel or between the four around it. The latter two need to know where
            on a body the selection lies.
        coordinates : bool, default False
            Whether columns have levels ``row``, ``col`` and, if known, ``lon`` and ``lat`` (degrees)
            instead of the pixels' numbers.
        sort : bool, default False
            Whether rasters may come in any order of time; else that is an error.
        errors : {"raise", "flag"}, default "raise"
            What a raster or block that cannot be read does: raise an error, or give NaN and a warning.
        n_jobs : int, optional
            Threads (processes with ``scheduler="processes"``); all cores by default and for -1.
        progress : bool, optional
            Whether to show a progress bar; by default once work lasts over a second.
        max_memory : int or str, default "512 MiB"
            With `out`: how much memory values may take, in bytes or as in ``"2 GB"``. Blocks are decoded
            once if half of it holds the values that all layers have in a row of blocks; else several
            times.
        client : dask.distributed.Client, optional
            A cluster whose workers read the layers (needs ``pip install "craterkit[dask]"``). They open
            rasters by name, so that all must see the same files. Values are the same, byte for byte.
        scheduler : {"threads", "processes"}, optional
            ``"processes"``: a cluster of local processes, started for this call.
        out : str or os.PathLike, optional
            A Parquet file to write (needs ``pip install "craterkit[parquet]"``) instead of gathering the
            table in memory: one row a pixel, with ``row``, ``col``, ``area``, ``lon``, ``lat`` and a column
            for every time. These are of float64 if integers may be missing, whether or not any is. A file
            that `get_series` wrote is replaced once all is written; any other is an error.

        Returns
        -------
        pandas.DataFrame or pathlib.Path
            Shape (times, pixels); pixels in the order of `rows` and `cols`, which is that of
            ``array[mask]``. The dtype is that of the rasters; with missing values, NaN in floats.
            Its attributes tell where the numbers are from; ``attrs["craterkit"]["unreadable"]`` names
            what could not be read. With `out` its path.

        Raises
        ------
        RasterError
            If a raster cannot be read.
        CRSError
            If a raster is of another body, or does not say where it lies.
        ArgumentError
            If rasters are on another grid than the selection, or, where it has no place, than each
            other; if times are not one for each layer, different and ascending; with a cluster, if a
            raster has no name that workers can open.
        ClusterError
            If a cluster has no workers, or loses them for good.

        Warns
        -----
        UnreadableWarning
            With ``errors="flag"``, if rasters, or blocks with some of the pixels, cannot be read.

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
        stack = open_like(
            self._placement,
            rasters,
            times,
            options,
            bands=bands,
            nodata=nodata,
            raster_crs=raster_crs,
            transform=transform,
            sort=sort,
        )
        grid = self._placement.grid
        unread: set[int] = set()
        path = None
        if out is not None:
            from craterkit.series.large_series import series_path, write_series

            path = series_path(out, stack)
        with series_cluster(stack, execution) as cluster:
            if path is not None:
                labels, lost = self._run_labels, unreadable_layers(stack)
                write_series(
                    *(path, self._runs, labels, grid, stack, options, execution, cluster),
                    unread=unread,
                    attrs=stack.attrs | self._provenance("get_series", stack, options, None, lost),
                )
                warn_of_unreadable(stack, unread, stacklevel=2)
                return path
            values = read_series(
                self._runs, grid, stack, options, execution, cluster, unread=unread
            )
        warn_of_unreadable(stack, unread, stacklevel=2)
        table = pd.DataFrame(
            values, index=stack.times, columns=self._columns(coordinates), copy=False
        )
        problems = unreadable_layers(stack, unread)
        table.attrs |= stack.attrs | self._provenance("get_series", stack, options, None, problems)
        return table

    def to_parquet(
        self,
        path: str | os.PathLike[str],
        rasters: object,
        **options: Any,  # noqa: ANN401
    ) -> Path:
        """Write the pixels of a stack that need not fit in memory: ``get_series(rasters, out=path)``.

        Parameters
        ----------
        path : str or os.PathLike
            The Parquet file, as `out` of `get_series` describes it.
        rasters : iterable, str, dict, raster
            The stack.
        **options
            Further arguments of `get_series`.

        Returns
        -------
        pathlib.Path
            Its path.

        Examples
        --------
        >>> import tempfile
        >>> import numpy as np
        >>> from craterkit import PixelSelection
        >>> pixels = PixelSelection.from_array(np.eye(3, dtype=bool))
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     pixels.to_parquet(f"{folder}/series.parquet", [np.ones((3, 3))]).name
        'series.parquet'
        """
        return cast("Path", self.get_series(rasters, out=path, **options))

    def to_xarray(
        self,
        rasters: object,
        *,
        times: object = None,
        bands: int | str | list[int] | None = None,
        nodata: float | dict[str, float] | None = None,
        scaled: bool = True,
        raster_crs: Any = None,  # noqa: ANN401
        transform: Any = None,  # noqa: ANN401
        align: Align = "error",
        sort: bool = False,
        errors: str = "raise",
        chunks: int | None = None,
    ) -> xr.DataArray:
        """Have the pixels of a stack as a labelled array (needs ``pip install "craterkit[xarray]"``).

        Parameters
        ----------
        rasters, times, bands, nodata, scaled, raster_crs, transform, align, sort, errors
            As in `get_series`; with `chunks`, blocks that cannot be read give NaN without a warning.
        chunks : int, optional
            How many layers are read at a time, once they are needed: the array is one of Dask then (needs
            ``pip install "craterkit[dask]"``), for threads of this process or, of files, for a cluster;
            and of float64 if integers may be missing, whether or not any is. By default all are read
            at once.

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

        from craterkit.series.large_series import check_chunks, lazy_series, pixel_places

        if chunks is not None:
            check_chunks(chunks)
        options = SeriesOptions(scaled=scaled, align=align, errors=errors)
        stack = open_like(
            self._placement,
            rasters,
            times,
            options,
            bands=bands,
            nodata=nodata,
            raster_crs=raster_crs,
            transform=transform,
            sort=sort,
        )
        grid = self._placement.grid
        unread: set[int] = set()
        if chunks is None:
            values: Any = read_series(self._runs, grid, stack, options, Execution(), unread=unread)
        else:
            values = lazy_series(self._runs, grid, stack, options, chunks)
        warn_of_unreadable(stack, unread, stacklevel=2)
        places = pixel_places(self._runs, np.repeat(self._run_labels, self._runs.length), grid)
        return xr.DataArray(
            values,
            dims=("time", "pixel"),
            coords={
                "time": stack.times,
                **{name: ("pixel", column) for name, column in places.items()},
            },
            attrs=stack.attrs,
        )

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
