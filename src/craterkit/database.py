"""The database of features: what a user works with. No algorithm lives here."""

from __future__ import annotations

import os
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from craterkit.bodies import Body, get_body
from craterkit.errors import TableError
from craterkit.positions import place_features
from craterkit.regions import Annulus, Regions, as_attribute
from craterkit.rows import select_rows
from craterkit.tables import read_table

if TYPE_CHECKING:
    import geopandas as gpd
    import pyproj
    from numpy.typing import NDArray

    from craterkit.extraction.extract import Subject
    from craterkit.footprints.rules import Coverage, Weighting
    from craterkit.frames import RegionFrame

    Rasters = Any | Sequence[Any] | Mapping[str, Any]
    Statistics = str | Mapping[str, Callable[..., Any]] | Iterable[Any]

__all__ = ["CraterDatabase"]


class CraterDatabase:
    """Features with a centre and a radius on a planetary body: craters, domes, boulders, sites.

    Parameters
    ----------
    dataset : path, pandas.DataFrame or geopandas.GeoDataFrame
        A table with a row for each feature: a CSV, TSV or Parquet file or anything that geopandas
        reads, or a frame, which is never changed. A geometry of points gives positions.
    body : str, int or Body
        Name (any case) or NAIF id of the body, or a `Body` with its own radii.
    input_crs : str or CRS, default "default"
        Coordinate system of the positions: ``"planetocentric"``, ``"planetographic"``, either
        with ``"_east"`` or ``"_west"`` for the direction of longitude, ``"claudia_dp"``, ``"claudia_p"`` or
        ``"dawn_claudia"`` on Vesta, or any CRS that pyproj understands. By default what the
        dataset says (the CRS of its geometry, a column "Coordinate System", words in column
        names), else planetocentric and east-positive.
    units : {None, "m", "km"} or spelled out, default None
        Unit of the radius or diameter. By default the one in the column's name, that of a known
        catalogue, or metres.
    lat_col, lon_col : hashable, optional
        Columns of latitude and longitude in degrees. By default found by name.
    rad_col, diam_col : hashable, optional
        Column of the radius or of the diameter; at most one. By default found by name.
    errors : {"raise", "drop"}, default "raise"
        Whether rows with impossible values are an error, or are dropped with a warning.

    Attributes
    ----------
    body : Body
        The body.
    crs : pyproj.CRS
        Its planetocentric, east-positive lon/lat system, in which centres and polygons are.
    lat, lon, rad : pandas.Series
        Planetocentric latitude and longitude (degrees, -180 to 180) and radius (metres).
    center : geopandas.GeoSeries
        The centres as points.
    data : geopandas.GeoDataFrame
        The table, the centres, and each region's polygons once asked for.
    regions : mapping
        Definitions of the regions by name. Each region is an attribute, too: its polygons.

    Raises
    ------
    TableError
        If the dataset cannot be read, columns are missing, ambiguous or contradictory
        (`ColumnError`), or rows have impossible values (`FeatureError`), each of which is named.
    BodyError, CRSError
        If the body is unknown, or the coordinate system is unknown or of another body.

    Examples
    --------
    >>> from craterkit import CraterDatabase, sample_data
    >>> cdb = CraterDatabase(sample_data["moon_craters_km.csv"], "moon", units="km")
    >>> cdb.add_annuli("rim", 1, 1.5)
    >>> stats = cdb.get_stats(sample_data["moon.tif"], "rim")
    >>> list(stats.columns[-3:])
    ['mean_rim', 'count_rim', 'std_rim']
    """

    def __init__(
        self,
        dataset: str | os.PathLike[str] | pd.DataFrame,
        body: str | int | Body,
        input_crs: object = "default",
        units: str | None = None,
        *,
        lat_col: Hashable | None = None,
        lon_col: Hashable | None = None,
        rad_col: Hashable | None = None,
        diam_col: Hashable | None = None,
        errors: str = "raise",
    ) -> None:
        self._body = get_body(body)
        if isinstance(dataset, pd.DataFrame):
            table = dataset
        elif isinstance(dataset, str | os.PathLike):
            table = read_table(dataset)
        else:
            raise TableError(f"dataset must be a path or a DataFrame, not {type(dataset).__name__}")
        self._features, keep = place_features(
            table,
            self._body,
            input_crs,
            units,
            lat_col=lat_col,
            lon_col=lon_col,
            rad_col=rad_col,
            diam_col=diam_col,
            errors=errors,
        )
        self._table = table.copy() if keep.all() else table[keep].copy()
        self._regions = Regions(self._is_taken)
        self._frame: RegionFrame | None = None

    @property
    def body(self) -> Body:
        """The body."""
        return self._body

    @property
    def crs(self) -> pyproj.CRS:
        """The body's planetocentric, east-positive lon/lat system."""
        return self._body.crs

    @property
    def lat(self) -> pd.Series[float]:
        """Planetocentric latitudes of the centres, degrees."""
        return self._series(self._features.lat, "lat")

    @property
    def lon(self) -> pd.Series[float]:
        """Longitudes of the centres, degrees east, -180 to 180."""
        return self._series(self._features.lon, "lon")

    @property
    def rad(self) -> pd.Series[float]:
        """Radii, metres."""
        return self._series(self._features.radius, "rad")

    def _series(self, values: NDArray[np.float64], name: str) -> pd.Series[float]:
        return pd.Series(values.copy(), index=self._table.index, name=name)

    @property
    def center(self) -> gpd.GeoSeries:
        """The centres as points."""
        import shapely

        return self._geo_series(shapely.points(self._features.lon, self._features.lat), "center")

    @property
    def regions(self) -> Mapping[str, Annulus]:
        """Definitions of the regions by name, in the order in which they were added."""
        return MappingProxyType(self._regions)

    @property
    def data(self) -> gpd.GeoDataFrame:
        """The table with the centres as geometry, and a column of polygons for each region.

        Polygons are drawn when their column is first asked for, as in ``cdb.data["rim"]``.
        """
        if self._frame is None:
            from craterkit.frames import region_frame

            self._frame = region_frame(self._table, self.center)
        for name in self._regions:
            self._frame.offer(name, partial(self._draw, name))
        return self._frame

    def _draw(self, name: str) -> gpd.GeoSeries:
        from craterkit.polygons import draw_annuli

        return self._geo_series(draw_annuli(self._body, self._features, self._regions[name]), name)

    def _geo_series(self, geometries: NDArray[np.object_], name: str) -> gpd.GeoSeries:
        from craterkit.frames import geo_series

        return geo_series(geometries, self._table.index, self.crs, name)

    def __getattr__(self, name: str) -> gpd.GeoSeries:
        for region in self.__dict__.get("_regions", ()):
            if name in (region, as_attribute(region)):
                return self.data[region]
        # Says what is missing, or what went wrong inside a property.
        return object.__getattribute__(self, name)

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *self._regions]

    def __len__(self) -> int:
        return len(self._features)

    def __bool__(self) -> bool:
        return len(self) > 0

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, CraterDatabase):
            return NotImplemented
        return (
            self._body == other._body
            and self._features.equals(other._features)
            and self._regions == other._regions
            and self._table.equals(other._table)
        )

    __hash__ = None  # type: ignore[assignment]
    __iter__ = None  # rows are reached through `data`
    __contains__ = None

    def __getitem__(
        self, rows: slice | Sequence[bool] | NDArray[Any] | pd.Series[Any]
    ) -> CraterDatabase:
        """Select rows by a boolean mask, a slice or positions; regions are kept."""
        which = select_rows(rows, self._table.index)
        selected = object.__new__(type(self))
        selected._body = self._body
        selected._features = self._features[which]
        selected._table = self._table.iloc[which].copy()
        # Columns that the user has added go along.
        selected._frame = None if self._frame is None else self._frame.select(which)
        selected._regions = Regions(selected._is_taken)
        for name, region in self._regions.items():
            selected._regions.add(name, region)
        return selected

    def __repr__(self) -> str:
        attributes = ", ".join(["lat", "lon", "rad", "center", *self._regions])
        return f"CraterDatabase of length {len(self)} with attributes {attributes}."

    def __str__(self) -> str:
        return f"{self._body.name} CraterDatabase (N={len(self)})"

    def _repr_html_(self) -> str:
        from craterkit.display import database_html

        return database_html(self._body, self._features, self._regions, self._table)

    def copy(self) -> CraterDatabase:
        """Return an independent copy."""
        return self[:]

    __copy__ = copy

    def __deepcopy__(self, memo: dict[int, Any]) -> CraterDatabase:
        return self.copy()

    def add_circles(
        self,
        name: str = "",
        size: float = 1.0,
        *,
        nvert: int | None = None,
        overwrite: bool = False,
    ) -> None:
        """Define a circular region around every feature.

        Parameters
        ----------
        name : str, optional
            What to call it; ``circle_<size>`` by default.
        size : float, default 1
            Radius in feature radii.
        nvert : int, optional
            Vertices, if the region shall be a polygon instead of the circle itself.
        overwrite : bool, default False
            Whether to replace a region of this name.

        Raises
        ------
        RegionError
            If the name is taken or cannot be one, or the size is not above 0.

        Examples
        --------
        >>> from craterkit import CraterDatabase, sample_data
        >>> cdb = CraterDatabase(sample_data["moon_craters_km.csv"], "moon")
        >>> cdb.add_circles("floor", 0.5)
        >>> cdb.regions["floor"]
        Annulus(inner=0.0, outer=0.5, nvert=None)
        """
        region = Annulus.circle(size, nvert)
        self._add(name or f"circle_{size}", region, overwrite=overwrite)

    def add_annuli(
        self,
        name: str,
        inner: float,
        outer: float,
        *,
        nvert: int | None = None,
        overwrite: bool = False,
    ) -> None:
        """Define an annular region around every feature.

        Parameters
        ----------
        name : str
            What to call it; ``annulus_<inner>_<outer>`` if empty.
        inner, outer : float
            Edges in feature radii: the ground with ``inner < distance <= outer``. 0 means no hole.
        nvert : int, optional
            Vertices of each edge, if the region shall be a polygon instead of the annulus itself.
        overwrite : bool, default False
            Whether to replace a region of this name.

        Raises
        ------
        RegionError
            If the name is taken or cannot be one, or inner is not below outer.
        """
        region = Annulus(inner, outer, nvert)
        self._add(name or f"annulus_{inner}_{outer}", region, overwrite=overwrite)

    def _add(self, name: str, region: Annulus, *, overwrite: bool) -> None:
        self._regions.add(name, region, overwrite=overwrite)
        if self._frame is not None:
            self._frame.withdraw(name)

    def _is_taken(self, name: str) -> str | None:
        attribute = as_attribute(name)
        if hasattr(type(self), attribute) or attribute in self.__dict__:
            return "the database has that attribute"
        if name in self._table.columns or name in ("geometry", "center"):
            return "the table has that column"
        if self._frame is not None and self._frame.has_own(name):
            return "data has a column of that name"
        return None

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
        from craterkit.extraction.extract import Options, extract_stats
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
        from craterkit.extraction.extract import Options, extract_arrays

        options = Options(coverage, None, nodata, bands, scaled, raster_crs, n_jobs, progress)
        subject = self._subject(regions)
        return self._with(extract_arrays(subject, rasters, options, georeferenced=georeferenced))

    def _with(self, columns: Mapping[str, NDArray[Any]]) -> pd.DataFrame:
        """The table, and new columns behind it."""
        new = pd.DataFrame(dict(columns), index=self._table.index)
        return pd.concat([self._table, new], axis=1)
