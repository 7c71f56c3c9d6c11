"""`PixelSelection`, a set of pixels of one raster's grid."""

from __future__ import annotations

from functools import cached_property
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from craterkit.bodies import wrap_longitude
from craterkit.errors import ArgumentError, CRSError
from craterkit.selection.areas import area_table, label_runs
from craterkit.selection.making import MadeFromRasters
from craterkit.selection.placement import check_same
from craterkit.selection.runs import Runs
from craterkit.series.of_selection import PixelSeries

if TYPE_CHECKING:
    import os
    from collections.abc import Callable
    from pathlib import Path

    import geopandas as gpd
    import pandas as pd
    import pyproj
    from affine import Affine
    from matplotlib.axes import Axes
    from numpy.typing import DTypeLike, NDArray

    from craterkit.bodies import Body
    from craterkit.grids.base import Grid
    from craterkit.selection.placement import Placement

    Bools = NDArray[np.bool_]
    Floats = NDArray[np.float64]
    Ints = NDArray[np.intp]

__all__ = ["PixelSelection"]


class PixelSelection(MadeFromRasters, PixelSeries):
    """A set of pixels of one raster's grid: those of which values are wanted.

    Made by `from_raster`, `from_array`, `from_points` or `from_regions`, and by combining
    selections of the same grid: ``a & b``, ``a | b``, ``a - b``, ``a ^ b``, and ``~a`` for all other
    pixels of the raster. A selection never changes. It holds runs of pixels, so that half a globe
    takes little memory and time, however fine its grid is.

    Pixels have the order of ``array[mask]`` in NumPy: row by row. Longitude is east-positive,
    latitude planetocentric, both in degrees.

    Examples
    --------
    >>> import numpy as np
    >>> mask = np.array([[0, 1, 1], [0, 1, 1], [1, 1, 1]])
    >>> pixels = PixelSelection.from_raster(mask, 0)
    >>> pixels
    PixelSelection of 2 pixels in 1 area of the array (3 x 3)
    >>> pixels.rows, pixels.cols
    (array([0, 1]), array([0, 0]))

    What has no place on a body can be selected, too; on a raster that has one, pixels have positions:

    >>> from craterkit import sample_data
    >>> deep = PixelSelection.from_raster(sample_data["moon_dem.tif"], lambda height: height < -5000)
    >>> disc = PixelSelection.from_points(deep.lon, deep.lat, sample_data["moon.tif"])
    >>> len(disc - deep), len(deep - disc)
    (0, 0)
    """

    __hash__ = None  # type: ignore[assignment]
    __iter__ = None  # pixels are reached through their attributes
    __contains__ = None

    def _combined(self, other: object, rule: Callable[[Bools, Bools], Bools], sign: str) -> Any:  # noqa: ANN401
        if not isinstance(other, PixelSelection):
            return NotImplemented
        check_same(self._placement, other._placement, sign)
        return self._with(self._runs.combined(other._runs, rule))

    def _with(self, runs: Runs) -> PixelSelection:
        return type(self)(runs, self._placement, self._connectivity)

    def __and__(self, other: PixelSelection) -> PixelSelection:
        return self._combined(other, np.logical_and, "&")

    def __or__(self, other: PixelSelection) -> PixelSelection:
        return self._combined(other, np.logical_or, "|")

    def __xor__(self, other: PixelSelection) -> PixelSelection:
        return self._combined(other, np.logical_xor, "^")

    def __sub__(self, other: PixelSelection) -> PixelSelection:
        return self._combined(other, np.greater, "-")

    def __invert__(self) -> PixelSelection:
        return self._with(Runs.full(self.shape).combined(self._runs, np.greater))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, PixelSelection):
            return NotImplemented
        return self._runs.equals(other._runs) and not self._placement.difference(other._placement)

    def __len__(self) -> int:
        return self._runs.pixels

    def __bool__(self) -> bool:
        return len(self._runs) > 0

    def __repr__(self) -> str:
        count = int(self._run_labels.max(initial=-1)) + 1
        return (
            f"PixelSelection of {_counted(len(self), 'pixel')} in {_counted(count, 'area')} of "
            f"{PurePath(self.name).name} ({self.shape[0]} x {self.shape[1]})"
        )

    # --- The pixels ------------------------------------------------------------------------------

    @property
    def runs(self) -> Runs:
        """The pixels as runs: arrays `row`, `start`, `stop` (exclusive) and `length`."""
        return self._runs

    @property
    def rows(self) -> Ints:
        """Row of every pixel, from 0."""
        return self._runs.rows

    @property
    def cols(self) -> Ints:
        """Column of every pixel, from 0."""
        return self._runs.cols

    @property
    def lon(self) -> Floats:
        """Longitude of every pixel's centre, degrees east, -180 to 180; NaN off the map.

        Raises
        ------
        CRSError
            If it is not known where the raster lies; says what to pass.
        """
        return wrap_longitude(self._centres()[0])

    @property
    def lat(self) -> Floats:
        """Planetocentric latitude of every pixel's centre, degrees; NaN off the map.

        Raises
        ------
        CRSError
            If it is not known where the raster lies; says what to pass.
        """
        return self._centres()[1]

    def _centres(self) -> tuple[Floats, Floats]:
        return self._placement.known_grid.to_body(self.cols + 0.5, self.rows + 0.5)

    def to_mask(self) -> Bools:
        """An array of the raster's shape, true where the pixels are."""
        return self._runs.to_mask(self.shape)

    # --- Their raster ----------------------------------------------------------------------------

    @property
    def placement(self) -> Placement:
        """All that is known of where the raster's pixels lie."""
        return self._placement

    @property
    def name(self) -> str:
        """What messages call the raster."""
        return self._placement.name

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of the raster."""
        return self._placement.shape

    @property
    def grid(self) -> Grid | None:
        """Where the raster's pixels lie on the body; None if that is not known."""
        return self._placement.grid

    @property
    def body(self) -> Body | None:
        """The body; None if it is not known."""
        return self._placement.body

    @property
    def transform(self) -> Affine | None:
        """The raster's affine transform; None if it has none."""
        return self._placement.transform

    @property
    def crs(self) -> pyproj.CRS | None:
        """The raster's CRS; None if it has none, or only a convention such as "planetographic"."""
        return self._placement.crs

    # --- Their areas -----------------------------------------------------------------------------

    @property
    def connectivity(self) -> int:
        """Whether pixels that share a corner only are connected (8) or not (4)."""
        return self._connectivity

    def with_connectivity(self, connectivity: Literal[4, 8]) -> PixelSelection:
        """The same pixels, whose areas are connected by sides alone (4) or by corners, too (8).

        Raises
        ------
        ArgumentError
            If it is neither.

        Examples
        --------
        >>> import numpy as np
        >>> pixels = PixelSelection.from_array(np.eye(3, dtype=bool))
        >>> pixels.labels, pixels.with_connectivity(4).labels
        (array([0, 0, 0]), array([0, 1, 2]))
        """
        if isinstance(connectivity, bool) or connectivity not in (4, 8):
            raise ArgumentError(f"connectivity must be 4 or 8, not {connectivity!r}")
        return type(self)(self._runs, self._placement, connectivity)

    @cached_property
    def _run_labels(self) -> Ints:
        grid = self.grid
        period = grid.columns if grid is not None and grid.wraps else None
        return label_runs(self._runs, self._connectivity, period)

    @property
    def labels(self) -> Ints:
        """Number of the connected area of every pixel, from 0, in the order of first pixels.

        Areas go on across the seam of a raster that goes around the body.
        """
        return np.repeat(self._run_labels, self._runs.length)

    @property
    def areas(self) -> pd.DataFrame:
        """The connected areas, one a row.

        Columns: ``area``, its number as in `labels`; ``pixels``; ``area_km2``, on the body's
        ellipsoid, and ``lon``, ``lat``, the mean position by area, unless it is not known where the
        raster lies; ``row_start``, ``row_stop``, ``col_start``, ``col_stop``, its bounds, ends
        exclusive. Where an area crosses the raster's seam, ``col_stop`` exceeds the number of columns.

        A raster wider than 360 degrees shows some ground twice. That counts once in ``area_km2``,
        ``lon``, ``lat`` and the bounds, but ``pixels``, like `get_series` and `get_stats`, counts
        every pixel of the raster: its two pixels may hold different values.

        Examples
        --------
        >>> import numpy as np
        >>> mask = np.array([[0, 1, 1], [0, 1, 1], [1, 1, 0]])
        >>> PixelSelection.from_raster(mask, 0).areas
           area  pixels  row_start  row_stop  col_start  col_stop
        0     0       2          0         2          0         1
        1     1       1          2         3          2         3
        """
        return area_table(self._runs, self._run_labels, self.grid)

    # --- What they are given out as ------------------------------------------------------------

    def to_raster(
        self,
        path: str | os.PathLike[str],
        *,
        dtype: DTypeLike = "uint8",
        selected: float = 1,
        other: float = 0,
    ) -> Path:
        """Write a GeoTIFF of the raster's shape, transform and CRS, and return its path.

        Parameters
        ----------
        path : str or os.PathLike
            The file; one that is there is replaced once the new one is whole.
        dtype : dtype, default "uint8"
            Of the raster.
        selected, other : number
            What selected pixels hold, and all others.

        Raises
        ------
        ArgumentError
            If `path` does not end in ``.tif``, if the dtype does not hold a value, or both are the same.
        CRSError
            If the raster's coordinates have no CRS that a file can name.
        OutputError
            If it cannot be written.
        """
        from craterkit.selection.writing import write_raster

        crs = self._file_crs()
        return write_raster(
            path,
            self._runs,
            self.shape,
            self.transform,
            crs,
            dtype=dtype,
            selected=selected,
            other=other,
        )

    def _file_crs(self) -> pyproj.CRS | None:
        if self.grid is not None and self.crs is None:
            raise CRSError(
                f"{self.name}: its coordinates ({self.grid.system}) have no CRS that a file can name; "
                "pass a CRS as raster_crs= when the selection is made"
            )
        return self.crs

    def to_geodataframe(self, by: Literal["area", "pixel"] = "area") -> gpd.GeoDataFrame:
        """Outlines of the areas, or of the pixels, in the raster's CRS.

        Parameters
        ----------
        by : {"area", "pixel"}
            One row for each area, with the columns of `areas`; or for each pixel, with ``row``,
            ``col`` and ``area``.

        Returns
        -------
        geopandas.GeoDataFrame
            Of a raster without an affine transform in pixel coordinates: columns and rows. An area
            that crosses the seam, or that hangs together by corners, has several parts.

        Raises
        ------
        ArgumentError
            If `by` is something else.
        CRSError
            If the raster's coordinates have no CRS that a file can name.
        """
        import geopandas as gpd
        import pandas as pd

        from craterkit.selection.polygons import area_polygons, pixel_polygons

        crs = self._file_crs()
        if by == "area":
            table = self.areas
            outlines = area_polygons(self._runs, self._run_labels, self.transform)
        elif by == "pixel":
            table = pd.DataFrame({"row": self.rows, "col": self.cols, "area": self.labels})
            outlines = pixel_polygons(self._runs, self.transform)
        else:
            raise ArgumentError(f"by must be 'area' or 'pixel', not {by!r}")
        return gpd.GeoDataFrame(table, geometry=outlines, crs=crs)

    def plot(
        self,
        ax: Axes | None = None,
        *,
        savefig: str | os.PathLike[str] | None = None,
        savefig_kwargs: dict[str, Any] | None = None,
        **kwargs: Any,  # noqa: ANN401
    ) -> Axes:
        """Draw the pixels within their bounding box, in colours by area.

        Of more than eight areas, some share a colour.

        Where pixels are smaller than the picture's dots, a dot is coloured if one of its pixels is selected.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, optional
            Where; by default in a new figure, with a legend. In degrees if these grow evenly with rows
            and columns, else in columns and rows.
        savefig : str or os.PathLike, optional
            A picture to write; its ending says the format.
        savefig_kwargs : dict, optional
            For `matplotlib.figure.Figure.savefig`.
        **kwargs
            For `matplotlib.axes.Axes.imshow`.

        Returns
        -------
        matplotlib.axes.Axes

        Raises
        ------
        ArgumentError
            If there are no pixels, or an argument is wrong.
        OutputError
            If `savefig` cannot be written.
        """
        from craterkit.selection.drawing import draw

        if not self:
            raise ArgumentError("the selection has no pixels to draw")
        return draw(self._runs, self._run_labels, self.grid, ax, savefig, savefig_kwargs, kwargs)


def _counted(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
