"""How pixels are had from a database: the `get_*` methods of `CraterDatabase`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from craterkit.bodies import Body
    from craterkit.extraction.extract import Subject
    from craterkit.features import Features
    from craterkit.footprints.rules import Coverage, Weighting
    from craterkit.regions import Regions

    Rasters = Any | Sequence[Any] | Mapping[str, Any]
    Statistics = str | Mapping[str, Callable[..., Any]] | Iterable[Any]

__all__ = ["ExtractsPixels"]


class ExtractsPixels:
    """Methods that take rasters and give tables."""

    _body: Body
    _features: Features
    _regions: Regions
    _table: pd.DataFrame

    def _subject(self, regions: str | Sequence[str]) -> Subject:
        from craterkit.extraction.extract import Subject

        index = self._table.index
        return Subject(
            self._body,
            self._features,
            self._regions.pick(regions),
            name_feature=lambda i: f"row {index[i]!r}",
            taken=frozenset(self._table.columns),
        )

    def get_stats(
        self,
        rasters: Rasters,
        regions: str | Sequence[str],
        stats: Statistics = ("mean", "count", "std"),
        nodata: float | Mapping[str, float] | None = None,
        n_jobs: int | None = None,
        *,
        coverage: Coverage = "all_touched",
        weights: Weighting | None = None,
        bands: int | str | Sequence[int | str] = 1,
        scaled: bool = True,
        raster_crs: object = None,
        progress: bool | None = None,
    ) -> pd.DataFrame:
        """Compute statistics of rasters in regions.

        Parameters
        ----------
        rasters : raster, list or dict
            A path, a name that GDAL opens or an open rasterio dataset; a list of these, or a dict of
            them by name. Any cylindrical grid of the same body will do: lon/lat or equirectangular in
            either longitude convention, global or regional, north-up or south-up.
        regions : str or list of str
            Names of regions.
        stats : str, list or dict, default ("mean", "count", "std")
            Names out of count, weight_sum, sum, mean, min, max, range, std, var, median, percentile_N,
            majority, minority, unique, nodata and valid_fraction; and ``{name: function}``, where
            the function gets an ROI's valid values as a 1-D float64 array, or values and weights if
            it takes two required arguments. Formulae are in the documentation.
        nodata : number or dict, optional
            Raw value that means "no data" instead of the file's, for all rasters or by name. Mask
            bands, NaN and infinities are invalid in any case.
        n_jobs : int, optional
            Threads; all cores by default and for -1, all but one for -2.
        coverage : {"all_touched", "center", "fraction"}, default "all_touched"
            Whether a pixel belongs if the region touches it, if its centre lies in the region, or with the
            share of it that the region covers.
        weights : {None, "area"}, default None
            ``"area"``: pixels count for their true area on the body's ellipsoid.
        bands : int, str, list or "all", default 1
            Bands by number or description.
        scaled : bool, default True
            Whether to apply the raster's scale and offset.
        raster_crs : CRS or dict, optional
            Coordinate system of the rasters, for all or by name, instead of the files' own.
        progress : bool, optional
            Whether to show a progress bar; by default once work lasts over a second.

        Returns
        -------
        pandas.DataFrame
            The table with columns ``<stat>_<region>`` for one bare raster, and
            ``<stat>_<raster>_<region>`` for a list or dict, where a list's rasters are named by
            the stems of their files. Several bands add ``_b<number>`` or their descriptions.

        Raises
        ------
        RegionError, StatisticError, ArgumentError
            If an argument is wrong.
        CRSError
            If a raster has no CRS, is of another body, or is not on a cylindrical grid.
        RasterError
            If a raster cannot be opened or read; names the file and the place.

        Warns
        -----
        OutsideRasterWarning
            If regions of interest lie outside a raster; these get count 0 and NaN.

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
        """
        from craterkit.extraction.extract import extract_stats
        from craterkit.extraction.options import Options
        from craterkit.statistics import parse_statistics

        request = parse_statistics(stats)
        options = Options(coverage, weights, nodata, bands, scaled, raster_crs, n_jobs, progress)
        return self._with(extract_stats(self._subject(regions), rasters, request, options))

    def get_arrays(
        self,
        rasters: Rasters,
        regions: str | Sequence[str],
        nodata: float | Mapping[str, float] | None = None,
        n_jobs: int | None = None,
        *,
        coverage: Coverage = "all_touched",
        bands: int | str | Sequence[int | str] = 1,
        scaled: bool = True,
        raster_crs: object = None,
        georeferenced: bool = False,
        progress: bool | None = None,
    ) -> pd.DataFrame:
        """Cut the pixels of regions out of rasters.

        Parameters
        ----------
        rasters, regions, nodata, n_jobs, bands, scaled, raster_crs, progress
            As in `get_stats`.
        coverage : {"all_touched", "center", "fraction"}, default "all_touched"
            Which pixels belong; ``"fraction"`` takes those of ``"all_touched"``.
        georeferenced : bool, default False
            Whether to add a column ``<region>_transform`` with each array's affine transform.

        Returns
        -------
        pandas.DataFrame
            The table with a column ``<region>`` (``<raster>_<region>`` for a list or dict) of
            `numpy.ma.MaskedArray`: the bounding box of each ROI's pixels, contiguous across the
            seam, with everything masked that is outside the ROI or no data. Raw numbers keep the raster's
            dtype; scaled ones are float64. An ROI without pixels has an array of shape (0, 0).

        Raises
        ------
        RegionError, ArgumentError, CRSError, RasterError
            As `get_stats`.

        Examples
        --------
        >>> from craterkit import CraterDatabase, sample_data
        >>> cdb = CraterDatabase(sample_data["moon_craters_km.csv"], "moon")
        >>> cdb.add_annuli("rim", 1, 1.5)
        >>> arrays = cdb.get_arrays(sample_data["moon.tif"], "rim")
        >>> type(arrays["rim"].iloc[0]).__name__
        'MaskedArray'
        """
        from craterkit.extraction.extract import extract_arrays
        from craterkit.extraction.options import Options

        options = Options(coverage, None, nodata, bands, scaled, raster_crs, n_jobs, progress)
        subject = self._subject(regions)
        return self._with(extract_arrays(subject, rasters, options, georeferenced=georeferenced))

    def _with(self, columns: Mapping[str, NDArray[Any]]) -> pd.DataFrame:
        """The table, and new columns behind it."""
        new = pd.DataFrame(dict(columns), index=self._table.index)
        return pd.concat([self._table, new], axis=1)
