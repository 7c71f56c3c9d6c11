"""How selections of pixels are made: from masks, arrays, points and regions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np

from craterkit.errors import ArgumentError
from craterkit.extraction.conditions import parse_condition
from craterkit.rasters.opening import open_raster
from craterkit.selection.masks import mask_band, read_mask
from craterkit.selection.placement import check_same, place
from craterkit.selection.runs import Runs

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import ArrayLike, NDArray

    from craterkit.bodies import Body
    from craterkit.database import CraterDatabase
    from craterkit.selection.placement import Placement

    Bools = NDArray[np.bool_]
    Floats = NDArray[np.float64]
    Regions = str | Sequence[str]

__all__ = ["MadeFromRasters"]

VALUES = (
    "value must be a raw value of the mask, a collection of raw values, or a function of physical values "
    "that returns booleans"
)


class MadeFromRasters:
    """Runs of pixels and where they lie, and the class methods that make both."""

    _runs: Runs
    _placement: Placement

    def __init__(self, runs: Runs, placement: Placement, connectivity: int = 8) -> None:
        for values in (runs.row, runs.start, runs.stop):
            values.flags.writeable = False
        self._runs = runs
        self._placement = placement
        self._connectivity = connectivity

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self._runs, self._placement, self._connectivity)

    @classmethod
    def from_raster(
        cls,
        mask: Any,  # noqa: ANN401
        value: float | Sequence[float] | Callable[[Floats], Any],
        *,
        band: int | str = 1,
        region: MadeFromRasters | tuple[CraterDatabase, Regions] | None = None,
        body: str | int | Body | None = None,
        raster_crs: object = None,
        transform: object = None,
        nodata: float | None = None,
        scaled: bool = True,
    ) -> Self:
        """Select the pixels of a mask by their values.

        Parameters
        ----------
        mask : str, os.PathLike, rasterio dataset, xarray.DataArray or ndarray
            A raster. It is read part by part.
        value : number, collection of numbers or callable
            The raw value that selected pixels have, or several of which they have one: also the
            mask's nodata value. Or a condition, a function that gets the physical values of pixels
            that are data as a 1-D array of float64, and returns one boolean for each. It is called
            for each part that is read, so it must judge each value by itself:
            ``lambda v: v > np.percentile(v, 99)`` is an error; compute such a threshold from the
            whole raster before. What a mask band hides is never selected.
        band : int or str, default 1
            The mask's band, by number or description.
        region : (CraterDatabase, str) or PixelSelection, optional
            Only pixels that an ROI of this region (or these) touches, or that are in a selection.
        body : str, int or Body, optional
            The body that the mask is of. By default the database's of `region`, or that which the
            mask's CRS names, if its radii fit. Without a body pixels have rows and columns only.
        raster_crs, transform : optional
            What is to be used instead of the mask's own CRS and affine transform; an array has none.
        nodata : float, optional
            Raw value that stands for no data, instead of the mask's own.
        scaled : bool, default True
            Whether a condition gets values with the mask's scale and offset applied.

        Raises
        ------
        ArgumentError
            If `value` is none of these or NaN, if it selects nothing, if a condition fails or does
            not judge each value by itself, or if `region` is a selection on another grid.
        RasterError
            If the mask cannot be opened or read.
        CRSError
            If `body` or `region` is given and the mask has no place on that body.

        Examples
        --------
        >>> from craterkit.selection.pixel_selection import PixelSelection
        >>> from craterkit import CraterDatabase, sample_data
        >>> cdb = CraterDatabase(sample_data["moon_craters_km.csv"], "moon", units="km")
        >>> cdb.add_circles("floor", 0.5)
        >>> PixelSelection.from_raster(
        ...     sample_data["moon.tif"], lambda v: v > 200, region=(cdb, "floor")
        ... ).body.name
        'Moon'
        """
        condition = parse_condition(value, VALUES)
        selected, pair = _region(region)
        if pair is not None and body is None:
            body = pair[0].body
        with open_raster(mask) as raster:
            chosen = mask_band(raster, band, nodata)
            placement = place(raster, body, raster_crs, transform)
            within = None
            if selected is not None:
                check_same(placement, selected._placement, "region")
                within = selected._runs
            elif pair is not None:
                from craterkit.selection.gathering import runs_of

                within = runs_of(*pair, placement.known_grid, "all_touched", stacklevel=2)
            runs = read_mask(raster, chosen, condition, within, scaled=scaled)
        return cls(runs, placement)

    @classmethod
    def from_array(
        cls,
        array: Bools,
        *,
        grid: Any = None,  # noqa: ANN401
        body: str | int | Body | None = None,
        raster_crs: object = None,
        transform: object = None,
    ) -> Self:
        """Select the pixels where an array of booleans is true; it may be true nowhere.

        Parameters
        ----------
        array : (rows, columns) ndarray of bool
            Which pixels; what is masked is not selected.
        grid : raster or PixelSelection, optional
            What has the same pixels, and says where they lie.
        body, raster_crs, transform : optional
            The body, the CRS and the affine transform, if there is no such raster, or instead of its
            own.

        Raises
        ------
        ArgumentError
            If it is no such array, or `grid` has another shape.

        Examples
        --------
        >>> from craterkit.selection.pixel_selection import PixelSelection
        >>> import numpy as np
        >>> len(PixelSelection.from_array(np.eye(4, dtype=bool)))
        4
        """
        values = np.ma.filled(array, False) if np.ma.isMaskedArray(array) else np.asarray(array)
        if values.dtype != np.bool_ or values.ndim != 2:
            raise ArgumentError(
                "array must hold booleans as (rows, columns); its dtype is "
                f"{values.dtype}, its shape {values.shape}; of numbers, from_raster(array, value) selects"
            )
        given = values if grid is None else grid
        placement = _placement(given, body, raster_crs, transform)
        if placement.shape != values.shape:
            raise ArgumentError(
                f"array has the shape {values.shape}, but {placement.name} {placement.shape}"
            )
        return cls(Runs.from_mask(values), placement)

    @classmethod
    def from_points(
        cls,
        lon: ArrayLike,
        lat: ArrayLike,
        grid: Any,  # noqa: ANN401
        *,
        body: str | int | Body | None = None,
        raster_crs: object = None,
        transform: object = None,
    ) -> Self:
        """Select the pixels of a grid in which points lie.

        Parameters
        ----------
        lon, lat : array_like
            East-positive longitudes and planetocentric latitudes, in degrees. Several points may lie
            in one pixel.
        grid : raster or PixelSelection
            Whose pixels.
        body, raster_crs, transform : optional
            As for `from_raster`.

        Raises
        ------
        ArgumentError
            If points are no positions or lie outside the raster; counts them and names the first.
        CRSError
            If the raster has no place on a body.

        Examples
        --------
        >>> from craterkit.selection.pixel_selection import PixelSelection
        >>> from craterkit import sample_data
        >>> pixels = PixelSelection.from_points([-11.36, 348.64], [-43.31, -43.31], sample_data["moon.tif"])
        >>> len(pixels)
        1
        """
        from craterkit.selection.gathering import runs_at

        placement = _placement(grid, body, raster_crs, transform)
        return cls(runs_at(placement.known_grid, lon, lat), placement)

    @classmethod
    def from_regions(
        cls,
        cdb: CraterDatabase,
        regions: Regions,
        grid: Any,  # noqa: ANN401
        *,
        coverage: Literal["all_touched", "center"] = "all_touched",
        raster_crs: object = None,
        transform: object = None,
    ) -> Self:
        """Select the pixels of a grid that belong to an ROI of any feature.

        Parameters
        ----------
        cdb : CraterDatabase
            Features and regions.
        regions : str or sequence of str
            Names of regions.
        grid : raster or PixelSelection
            Whose pixels.
        coverage : {"all_touched", "center"}
            Whether a pixel belongs if an ROI touches it, or if its centre lies in one.
        raster_crs, transform : optional
            As for `from_raster`.

        Raises
        ------
        RegionError
            If there is no such region.
        CRSError
            If the raster has no place on the database's body.
        ArgumentError
            If no ROI has any pixel.

        Warns
        -----
        OutsideRasterWarning
            If some ROIs lie outside the raster.

        Examples
        --------
        >>> from craterkit.selection.pixel_selection import PixelSelection
        >>> from craterkit import CraterDatabase, sample_data
        >>> cdb = CraterDatabase(sample_data["moon_craters_km.csv"], "moon", units="km")
        >>> cdb.add_annuli("rim", 1, 1.5)
        >>> rims = PixelSelection.from_regions(cdb, "rim", sample_data["moon.tif"])
        >>> rims == PixelSelection.from_regions(cdb, "rim", rims)
        True
        """
        from craterkit.selection.gathering import runs_of

        body = None if isinstance(grid, MadeFromRasters) else cdb.body
        placement = _placement(grid, body, raster_crs, transform)
        return cls(runs_of(cdb, regions, placement.known_grid, coverage, stacklevel=2), placement)


def _region(region: Any) -> tuple[MadeFromRasters | None, tuple[Any, Any] | None]:  # noqa: ANN401
    """A region as a selection, or as a database and names."""
    if region is None or isinstance(region, MadeFromRasters):
        return region, None
    pair = isinstance(region, tuple | list) and len(region) == 2
    if not pair or not hasattr(region[0], "regions"):
        raise ArgumentError(
            'region must be a pair such as (cdb, "rim"), or a PixelSelection, not '
            f"{type(region).__name__}"
        )
    return None, (region[0], region[1])


def _placement(grid: Any, body: Any, raster_crs: Any, transform: Any) -> Placement:  # noqa: ANN401
    """Where the pixels of a raster or a selection lie."""
    if not isinstance(grid, MadeFromRasters):
        with open_raster(grid) as raster:
            return place(raster, body, raster_crs, transform)
    if body is not None or raster_crs is not None or transform is not None:
        raise ArgumentError(
            "body, raster_crs and transform are of use with a raster only; a selection has its own"
        )
    return grid._placement
