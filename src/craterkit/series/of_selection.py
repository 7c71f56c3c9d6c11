"""What a selection of pixels gives of a stack of rasters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from craterkit.bodies import wrap_longitude
from craterkit.extraction.execution import Execution
from craterkit.series.opening import open_stack
from craterkit.series.pixel_series import SeriesOptions, read_series
from craterkit.series.stack import check_same_grid

if TYPE_CHECKING:
    import pandas as pd

    from craterkit.selection.placement import Placement
    from craterkit.selection.runs import Runs
    from craterkit.series.stack import Stack

__all__ = ["PixelSeries"]


class PixelSeries:
    """The methods of `PixelSelection` that read stacks."""

    _runs: Runs
    _placement: Placement

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
    ) -> pd.DataFrame:
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
            Threads; all cores by default and for -1.
        progress : bool, optional
            Whether to show a progress bar; by default once work lasts over a second.

        Returns
        -------
        pandas.DataFrame
            Shape (times, pixels); pixels in the order of `rows` and `cols`, which is that of
            ``array[mask]``. The dtype is that of the rasters; with missing values, NaN in floats.

        Raises
        ------
        RasterError
            If a raster cannot be read.
        CRSError
            If a raster is of another body, or does not say where it lies.
        ArgumentError
            If rasters are on another grid than the selection, or times are not one for each layer,
            different and ascending.

        Examples
        --------
        >>> import numpy as np
        >>> from craterkit import PixelSelection
        >>> mask = np.array([[0, 1, 1], [1, 1, 0]])
        >>> pixels = PixelSelection.from_raster(mask, value=0)
        >>> weeks = [np.arange(6).reshape(2, 3) + 10 * week for week in range(3)]
        >>> pixels.get_series(weeks, times=[1, 2, 3])
               0   1
        time
        1      0   5
        2     10  15
        3     20  25
        """
        import pandas as pd

        options = SeriesOptions(scaled=scaled, align=align, errors=errors)
        execution = Execution(n_jobs=n_jobs, progress=progress)
        stack = self._open_stack(rasters, times, options, bands=bands, nodata=nodata, sort=sort)
        values = read_series(self._runs, self._placement.grid, stack, options, execution)
        table = pd.DataFrame(
            values, index=stack.times, columns=self._columns(coordinates), copy=False
        )
        table.attrs.update(stack.attrs)
        return table

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
