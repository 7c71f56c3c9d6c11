"""The database of features: what a user works with. No algorithm lives here."""

from __future__ import annotations

import os
from collections.abc import Hashable, Iterable, Mapping, Sequence
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import pandas as pd

from craterkit.bodies import Body, get_body
from craterkit.defining import DefinesRegions
from craterkit.errors import TableError
from craterkit.extracting import ExtractsPixels
from craterkit.files.of_database import StoredInFiles
from craterkit.matching.of_database import MergesDatabases
from craterkit.plotting.of_database import DrawsPictures
from craterkit.regions import Regions, as_attribute
from craterkit.series.of_database import FeatureSeries
from craterkit.tables.carried import carried, placing_columns
from craterkit.tables.positions import OUTLINE, place_features
from craterkit.tables.reading import read_table
from craterkit.tables.rows import select_rows

if TYPE_CHECKING:
    import geopandas as gpd
    import pyproj
    from numpy.typing import NDArray

    from craterkit.coordinates import CoordinateSystem
    from craterkit.frames import RegionFrame
    from craterkit.regions import Region
    from craterkit.tables.features import Features

__all__ = ["CraterDatabase"]


class CraterDatabase(
    DefinesRegions, ExtractsPixels, FeatureSeries, DrawsPictures, StoredInFiles, MergesDatabases
):
    """Features with a centre and a radius on a planetary body: craters, domes, boulders, sites.

    Parameters
    ----------
    dataset : path, pandas.DataFrame or geopandas.GeoDataFrame
        A table with a row for each feature: a CSV, TSV or Parquet file or anything that geopandas
        reads, or a frame, which is never changed. A geometry of points gives positions; one of polygons
        gives outlines, which become the region ``"outline"``, and the centres and radii (of the circle
        of the same area) that no column gives. Rows that a column such as "Target" says are of another
        body are bad rows, and so are rows whose columns and geometry contradict each other.
    body : str, int or Body
        Name (any case) or NAIF id of the body, or a `Body` with its own radii.
    input_crs : str or CRS, default "default"
        Coordinate system of the positions: ``"planetocentric"``, ``"planetographic"``, either
        with ``"_east"`` or ``"_west"`` for the direction of longitude, ``"claudia_dp"``, ``"claudia_p"`` or
        ``"dawn_claudia"`` on Vesta, or any CRS that pyproj understands. By default what the
        dataset says (the CRS of its geometry, columns such as "Coordinate System" row by row, words in
        column names), else planetocentric (geodetic on the Earth) and east-positive. Columns of
        hemispheres ("E_W", "N_S") beside numbers without signs count in any case.
    units : {None, "m", "km"} or spelled out, default None
        Unit of the radius or diameter. By default the one in the column's name, that of a known
        catalogue, or metres, with a warning.
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
        The system in which centres and polygons are: the body's planetocentric, east-positive lon/lat
        system, unless `to_crs` has set another.
    lat, lon, rad : pandas.Series
        Planetocentric latitude and longitude (degrees, -180 to 180) and radius (metres).
    center : geopandas.GeoSeries
        The centres as points.
    data : geopandas.GeoDataFrame
        The table, the centres, and each region's polygons once asked for. It is the table that results,
        pictures, files and copies carry: columns that are added or edited here go along. Positions and
        sizes are fixed; rows may be sorted, but are selected with ``cdb[mask]`` only.
    regions : mapping
        Definitions of the regions by name. Each region is an attribute, too: its polygons.

    Raises
    ------
    TableError
        If the dataset cannot be read, columns are missing, ambiguous or contradictory
        (`ColumnError`), or rows have impossible values (`FeatureError`), each of which is named.
    BodyError, CRSError
        If the body is unknown, or the coordinate system is unknown or of another body.

    Warns
    -----
    AssumedWarning
        If nothing names the unit of sizes, or a GeoJSON file of another body than the Earth has no CRS.
    DroppedRowsWarning
        If rows are bad and `errors` is "drop".

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
        placed = place_features(
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
        self._features, keep = placed.features, placed.keep
        self._table = table.copy() if keep.all() else table[keep].copy()
        self._placing = placing_columns(table, placed.roles)
        self._regions = Regions(self._is_taken)
        self._frame: RegionFrame | None = None
        self._map: CoordinateSystem | None = None
        if placed.outlines is not None:
            self._regions.add(OUTLINE, placed.outlines)

    @property
    def body(self) -> Body:
        """The body."""
        return self._body

    @property
    def crs(self) -> pyproj.CRS:
        """The system of centres and polygons: planetocentric, east-positive, unless set by `to_crs`."""
        if self._map is None:
            return self._body.crs
        assert self._map.crs is not None
        return self._map.crs

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

        if self._map is None:
            points = shapely.points(self._features.lon, self._features.lat)
        else:
            from craterkit.regions.projecting import draw_centres

            points = draw_centres(self._features, self._map)
        return self._geo_series(points, "center")

    @property
    def regions(self) -> Mapping[str, Region]:
        """Definitions of the regions by name, in the order in which they were added."""
        return MappingProxyType(self._regions)

    @property
    def data(self) -> RegionFrame:
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
        region = self._regions[name]
        if self._map is None:
            from craterkit.regions.drawing import draw_region

            polygons = draw_region(self._body, self._features, region)
        else:
            from craterkit.regions.projecting import draw_on_map

            polygons = draw_on_map(self._body, self._features, region, self._map)
        return self._geo_series(polygons, name)

    def _geo_series(self, geometries: NDArray[np.object_], name: str) -> gpd.GeoSeries:
        from craterkit.frames import geo_series

        return geo_series(geometries, self._table.index, self.crs, name)

    def __getattr__(self, name: str) -> gpd.GeoSeries:
        for region in self.__dict__.get("_regions", ()):
            if name in (region, as_attribute(region)):
                return self.data.drawn(region, self._table.index)
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
            and self.crs == other.crs
            and self._own_columns().equals(other._own_columns())
        )

    __hash__ = None  # type: ignore[assignment]
    __iter__ = None  # rows are reached through `data`
    __contains__ = None

    def __getitem__(
        self, rows: slice | Sequence[Any] | NDArray[Any] | pd.Series[Any] | pd.Index[Any]
    ) -> CraterDatabase:
        """Select rows; regions are kept.

        By a boolean mask, a slice or positions (integers); or by labels of the table's index: a
        `pandas.Index`, such as that of a query of `data`, or a list of anything but numbers.
        """
        positions = select_rows(rows, self._table.index)
        which = rows if isinstance(rows, slice) else positions  # a slice keeps a RangeIndex
        self._own_columns()  # positions must not have been edited
        return self._assembled(
            self._body,
            self._features[which],
            self._table.iloc[which].copy(),
            {name: region.take(which) for name, region in self._regions.items()},
            placing=self._placing,
            # Columns that the user has added go along.
            frame=None if self._frame is None else self.data.select(which, self._table.index),
            system=self._map,
        )

    @classmethod
    def _assembled(
        cls,
        body: Body,
        features: Features,
        table: pd.DataFrame,
        regions: Mapping[str, Region],
        *,
        placing: Iterable[Hashable],
        frame: RegionFrame | None = None,
        system: CoordinateSystem | None = None,
        added: pd.DataFrame | None = None,
    ) -> Self:
        """A database of parts that are known to be right; it keeps them, so pass copies.

        `placing` are the columns that hold positions and sizes. `system` is that of centres and polygons,
        `frame`'s among them; by default the body's own. `added` are columns of the user's in `data`.
        """
        database = object.__new__(cls)
        database._placing = tuple(placing)
        database._body = body
        database._features = features
        database._table = table
        database._frame = frame
        database._map = system
        database._regions = Regions(database._is_taken)
        for name, region in regions.items():
            database._regions.add(name, region)
        for label, column in () if added is None else added.items():
            database.data[label] = column
        return database

    def __repr__(self) -> str:
        attributes = ", ".join(["lat", "lon", "rad", "center", *self._regions])
        return f"CraterDatabase of length {len(self)} with attributes {attributes}."

    def __str__(self) -> str:
        return f"{self._body.name} CraterDatabase (N={len(self)})"

    def _repr_html_(self) -> str:
        from craterkit.display import database_html

        try:
            table = self._own_columns()
        except TableError:  # whoever uses the database is told
            table = self._table
        return database_html(self._body, self._features, self._regions, table)

    def to_crs(self, crs: object, inplace: bool = False) -> CraterDatabase | None:
        """Give the centres and polygons in another coordinate system.

        Only `center`, `data` and the regions' polygons change: `lon`, `lat`, `rad`, the regions' definitions
        and whatever is computed from rasters stay as they are.

        Parameters
        ----------
        crs : str or CRS
            Any lon/lat or projected system of the body that pyproj understands, or the name of a convention
            that `input_crs` takes, such as ``"planetographic"``.
        inplace : bool, default False
            Whether to change this database and return None.

        Returns
        -------
        CraterDatabase or None
            A copy in that system.

        Raises
        ------
        CRSError
            If it is no coordinate system, is of another body, or of a map that is interrupted.

        Notes
        -----
        Vertices of the curve itself are projected. Polygons are cut where the map is cut and nowhere else:
        around a pole they are whole on a polar map. What a map does not show, or stretches more than a
        hundredfold (Mercator beyond 89.4 degrees), is cut off; an ROI or centre of which nothing is
        shown is empty. With ``nvert=n`` the n vertices are joined by straight lines of the map.
        Other columns of geometries that `data` may have are not touched.

        Examples
        --------
        >>> from craterkit import CraterDatabase, sample_data
        >>> cdb = CraterDatabase(sample_data["moon_craters_km.csv"], "moon")
        >>> cdb.add_circles("floor", 0.5)
        >>> polar = cdb.to_crs("IAU_2015:30135")
        >>> polar.floor.crs.name
        'Moon (2015) - Sphere / Ocentric / South Polar'
        """
        from craterkit.regions.projecting import read_map

        system = read_map(crs, self._body)
        self._own_columns()  # positions must not have been edited
        changed = self if inplace else self.copy()
        # The polygons drawn so far are in the old system.
        frame = None if changed._frame is None else changed.data
        changed._map = None if system.crs == self._body.crs else system
        if frame is not None:
            changed._frame = frame.moved(changed.center)
        return None if inplace else changed

    def copy(self) -> CraterDatabase:
        """Return an independent copy."""
        return self[:]

    __copy__ = copy

    def __deepcopy__(self, memo: dict[int, Any]) -> CraterDatabase:
        return self.copy()

    def __getstate__(self) -> dict[str, Any]:
        self._own_columns()  # positions must not have been edited
        frame = None if self._frame is None else self._frame.select(slice(None), self._table.index)
        return {**self.__dict__, "_frame": frame}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        if self._frame is not None:
            # A frame knows its rows by objects that a pickle does not keep.
            self._frame = self._frame.select(slice(None), self._table.index)

    def _own_columns(self) -> pd.DataFrame:
        """The table with what the user has changed in `data`."""
        if self._frame is None:
            return self._table
        return carried(self.data.own(self._table.index), self._table, self._placing)

    def _is_taken(self, name: str) -> str | None:
        attribute = as_attribute(name)
        if hasattr(type(self), attribute) or attribute in self.__dict__:
            return "the database has that attribute"
        if name in self._table.columns or name in ("geometry", "center"):
            return "the table has that column"
        if self._frame is not None and self._frame.has_own(name):
            return "data has a column of that name"
        return None
