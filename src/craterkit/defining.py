"""How regions are defined on a database: `CraterDatabase.add_*` and `drop_region`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from craterkit.regions import Annulus
from craterkit.regions.given_shapes import read_ellipse, read_sector

if TYPE_CHECKING:
    from collections.abc import Sequence

    import geopandas as gpd
    import shapely
    from numpy.typing import ArrayLike

    from craterkit.bodies import Body
    from craterkit.frames import RegionFrame
    from craterkit.regions import Region, Regions
    from craterkit.tables.features import Features

__all__ = ["DefinesRegions"]


class DefinesRegions:
    """Methods that add regions to a database and drop them."""

    _body: Body
    _features: Features
    _table: pd.DataFrame
    _regions: Regions
    _frame: RegionFrame | None

    if TYPE_CHECKING:

        def _own_columns(self) -> pd.DataFrame: ...

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

    def add_ellipses(
        self,
        name: str,
        major: str | float | ArrayLike | None = None,
        minor: str | float | ArrayLike | None = None,
        azimuth: str | float | ArrayLike | None = None,
        size: float = 1.0,
        *,
        units: str | None = None,
        nvert: int | None = None,
        errors: str = "raise",
        overwrite: bool = False,
    ) -> None:
        """Define an elliptical region around every feature.

        Without `major`, `minor` and `azimuth` they are the ellipses of a known catalogue: Robbins
        (2018) of the Moon, Robbins and Hynek (2012) of Mars.

        Parameters
        ----------
        name : str
            What to call it.
        major, minor : str, float or array_like
            The axes. A column of the table holds *full* axes, lengths on the ground, unless its name says
            "semi" or "radius". A number is the semi-axis in feature radii. An array, or a Series, which is
            aligned by its index, holds semi-axes in `units`.
        azimuth : str, float or array_like
            Direction of the major axis, degrees clockwise from north: a column, a number or an array.
        size : float, default 1
            Factor on both axes.
        units : {None, "m", "km", "radii"} or spelled out, default None
            Unit of the axes. By default the one in a column's name, that of a known catalogue, or
            metres; numbers are in feature radii. Arrays need it.
        nvert : int, optional
            Vertices, if the region shall be a polygon instead of the ellipse itself: at equal
            steps of the eccentric anomaly, from the end of the major axis at `azimuth`.
        errors : {"raise", "drop"}, default "raise"
            Whether rows without a possible ellipse are an error, or get an empty ROI (no pixels) with
            a warning.
        overwrite : bool, default False
            Whether to replace a region of this name.

        Raises
        ------
        RegionError
            If the name is taken or cannot be one, the size is not above 0, or rows lack a number, have an
            axis that is not above 0 or a minor axis longer than the major one; each is named.
        ColumnError
            If a column is missing, ambiguous or contradicts `units`.

        Warns
        -----
        DroppedRowsWarning
            If rows have no ellipse and `errors` is "drop".
        AssumedWarning
            If nothing names the unit of columns of axes.

        Notes
        -----
        A point at distance d and azimuth α from the *feature's centre* belongs if d ≤ size·ρ(α − azimuth),
        ρ(β) = ab/√((b cos β)² + (a sin β)²). Robbins' ellipses have centres of their own; to use them, make
        the database with ``lat_col="LAT_ELLI_IMG", lon_col="LON_ELLI_IMG"``.

        ``DIAM_ELLI_ANGLE_IMG`` (and Mars' ``DIAM_ELLIPSE_ANGLE_IMAGE``) is taken to count *anticlockwise
        from east*, so that the azimuth is 90° minus it, wherever the column is given by name. The
        catalogues' labels do not define the angle. That 90° is north–south is how Robbins' lunar angles
        are read in a question about them that he answered
        (https://astronomy.stackexchange.com/questions/55809); the sense of rotation is the usual one of
        ellipse fits and of software that matches these ellipses to images, but no statement by the
        authors was found. To read the angle otherwise pass ``azimuth=`` an array.

        Examples
        --------
        >>> from craterkit import CraterDatabase, sample_data
        >>> cdb = CraterDatabase(sample_data["moon_craters_km.csv"], "moon")
        >>> cdb.add_ellipses("oval", 1.2, 0.8, azimuth=45)
        >>> cdb.regions["oval"].describe()
        'ellipse of 1.2 by 0.8 radii, azimuth 45'
        """
        region = read_ellipse(
            self._own_columns(),
            self._features.radius,
            major=major,
            minor=minor,
            azimuth=azimuth,
            size=size,
            units=units,
            nvert=nvert,
            errors=errors,
        )
        self._add(name, region, overwrite=overwrite)

    def add_sectors(
        self,
        name: str,
        inner: float,
        outer: float,
        azimuth_from: str | float | ArrayLike,
        azimuth_to: str | float | ArrayLike,
        *,
        errors: str = "raise",
        overwrite: bool = False,
    ) -> None:
        """Define a region between two distances and two azimuths from every feature.

        Parameters
        ----------
        name : str
            What to call it.
        inner, outer : float
            Edges in feature radii: the ground with ``inner < distance <= outer``. 0 begins at the centre.
        azimuth_from, azimuth_to : str, float or array_like
            Degrees clockwise from north: a column of the table, a number, or an array or Series of one
            number for each feature. The region runs clockwise from the one (included) to the other
            (excluded), through north if need be: 350 to 10 is 20 degrees wide. A whole turn is an annulus:
            see `add_annuli`.
        errors : {"raise", "drop"}, default "raise"
            Whether rows without azimuths are an error, or get an empty ROI (no pixels) with a warning.
        overwrite : bool, default False
            Whether to replace a region of this name.

        Raises
        ------
        RegionError
            If the name is taken or cannot be one, inner is not below outer, the azimuths are the same
            direction, or rows lack one.
        ColumnError
            If there is no such column.

        Warns
        -----
        DroppedRowsWarning
            If rows have no sector and `errors` is "drop".

        Examples
        --------
        >>> from craterkit import CraterDatabase, sample_data
        >>> cdb = CraterDatabase(sample_data["moon_craters_km.csv"], "moon")
        >>> cdb.add_sectors("north", 1, 2, 315, 45)
        >>> cdb.regions["north"].describe()
        '1 to 2 radii, azimuth 315 to 45'
        """
        region = read_sector(
            self._own_columns(), inner, outer, azimuth_from, azimuth_to, errors=errors
        )
        self._add(name, region, overwrite=overwrite)

    def add_regions(
        self,
        name: str,
        polygons: gpd.GeoSeries | gpd.GeoDataFrame | Sequence[shapely.Geometry],
        *,
        errors: str = "raise",
        overwrite: bool = False,
    ) -> None:
        """Define a region by one polygon for every feature.

        Parameters
        ----------
        name : str
            What to call it.
        polygons : GeoSeries, GeoDataFrame, or sequence of Polygons and MultiPolygons
            One for each feature. A Series is aligned by its index, which must hold the labels of the
            table's; a sequence is in the order of the rows. Edges are straight in the polygons' own
            coordinate system: any of the body's. Without a CRS they are in planetocentric
            longitude (east-positive; -180 to 180, 0 to 360 or running on past either) and latitude.
        errors : {"raise", "drop"}, default "raise"
            Whether rows without a usable polygon (missing, empty, invalid, of another type, off the
            body) are an error, or get an empty ROI (no pixels) with a warning.
        overwrite : bool, default False
            Whether to replace a region of this name.

        Raises
        ------
        RegionError
            If the name is taken or cannot be one, there is not one polygon for each feature, the index is
            not the table's, or rows have no usable polygon; each is named.
        CRSError
            If the polygons' CRS is unusable or of another body.

        Warns
        -----
        DroppedRowsWarning
            If rows have no usable polygon and `errors` is "drop".

        Notes
        -----
        Longitudes are taken as they are: an edge from 179 to -179 runs the long way round. A polygon
        across the seam has vertices on to 181, or two parts that are cut there. On a polar map a ring
        around the pole encloses it.

        Examples
        --------
        >>> import shapely
        >>> from craterkit import CraterDatabase, sample_data
        >>> cdb = CraterDatabase(sample_data["moon_craters_km.csv"], "moon")
        >>> south, north = (cdb.lat - 1).clip(lower=-90), (cdb.lat + 1).clip(upper=90)
        >>> cdb.add_regions("box", shapely.box(cdb.lon - 1, south, cdb.lon + 1, north))
        >>> cdb.regions["box"].describe()
        'given polygons'
        """
        from craterkit.regions.given_polygons import read_polygons

        region = read_polygons(polygons, self._body, self._table.index, errors=errors)
        self._add(name, region, overwrite=overwrite)

    def drop_region(self, name: str) -> None:
        """Forget a region, and its polygons in `data`.

        Parameters
        ----------
        name : str
            The region.

        Raises
        ------
        RegionError
            If there is no such region.
        """
        self._regions.drop(name)
        if self._frame is not None:
            self._frame.withdraw(name)

    def _add(self, name: str, region: Region, *, overwrite: bool) -> None:
        self._regions.add(name, region, overwrite=overwrite)
        if self._frame is not None:
            self._frame.withdraw(name)
