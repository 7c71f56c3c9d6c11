"""The methods of a database that write and read files."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING, Self

from craterkit.addresses import without_secrets
from craterkit.bodies import get_body
from craterkit.errors import BodyError, CRSError, FeatureError, TableError
from craterkit.extraction.raster_files import is_remote
from craterkit.files.foreign import body_of_table, is_body
from craterkit.files.places import file_name, on_disk
from craterkit.tables.positions import OUTLINE

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Mapping, Sequence

    import pandas as pd
    import pyproj

    from craterkit.bodies import Body
    from craterkit.coordinates import CoordinateSystem
    from craterkit.files.contents import Contents
    from craterkit.files.formats import Format
    from craterkit.frames import RegionFrame
    from craterkit.regions import Region, Regions
    from craterkit.tables.features import Features

__all__ = ["StoredInFiles"]


class StoredInFiles:
    """The methods of `CraterDatabase` that write and read files."""

    _body: Body
    _features: Features
    _table: pd.DataFrame
    _regions: Regions

    if TYPE_CHECKING:

        @property
        def crs(self) -> pyproj.CRS: ...  # noqa: D102

        @property
        def data(self) -> RegionFrame: ...  # noqa: D102

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
        ) -> None: ...

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
        ) -> Self: ...

        def _own_columns(self) -> pd.DataFrame: ...

    def to_file(
        self,
        path: str | os.PathLike[str],
        region: str | None = None,
        *,
        crs: object = None,
        keep_cols: Sequence[Hashable] | None = None,
        overwrite: bool = True,
    ) -> None:
        """Write the database to a file for GIS software, from which `read_file` brings it back.

        Parameters
        ----------
        path : path
            The file. Its extension tells the format: ``.gpkg`` (GeoPackage), ``.parquet``
            (GeoParquet; needs pyarrow), ``.shp`` (Shapefile), ``.geojson`` or ``.json``.
        region : str, optional
            The region whose polygons are the file's geometry; by default the centres are, as points.
        crs : CRS, optional
            The system of the geometry: any of the body, map projections too, as of `to_crs`. By default
            that of the database. What such a map does not show has no geometry.
        keep_cols : list of labels, optional
            Columns of the table to write; by default all. Positions and radii are written in any case.
        overwrite : bool, default True
            Whether to replace a file of that name.

        Raises
        ------
        ArgumentError
            If the extension is unknown, the folder is missing, the file is there and must not be replaced,
            or a column holds what such a file cannot, or there are too many (a Shapefile holds 255, a
            GeoPackage 1998); if pyarrow is needed and not installed.
        RegionError, ColumnError
            If there is no such region or column.
        CRSError
            If `crs` is unusable or of another body, or counts longitude westward: of all formats only
            GeoParquet keeps that.
        OutputError
            If the disk does not take the file. What was there before is then as it was.

        Warns
        -----
        CraterkitWarning
            If a Shapefile needs to be told how to read its columns, since their names do not say it.

        See Also
        --------
        read_file : the way back.
        to_geojson : GeoJSON as other software for crater tables has it.

        Notes
        -----
        The file holds the columns of the table, and those that were added to `data`; the planetocentric
        latitude, the east-positive longitude (degrees) and the radius (metres), as ``lat``, ``lon``
        and ``radius_m`` (or ``craterkit_lat`` and so on, beside another column that could be meant) unless
        a column of the table has exactly these values; and what regions say of every feature, such as
        ``<region>_major``.

        All formats but the Shapefile also hold a description: the body, the definitions of the regions,
        the index, and the dtypes of columns. What a format has no place for (categories, dates beyond
        milliseconds, objects) is written as text and made again of it. GeoPackage turns -0.0 into 0.
        The frequency of an index of times, and `attrs`, are not kept.
        A file of polygons also says whose they are, in a column ``craterkit_region``, so that those of other
        regions than ``outline`` are not taken for the features' outlines.
        A Shapefile keeps neither description nor regions nor polygons that the table has, cuts names
        after ten bytes (``craterkit_lat`` is ``ck_lat`` there) and numbers after 15 decimals, and refuses
        texts beyond 254 bytes. Its files have extensions in small letters, whatever those of `path` are.

        The file is written in a hidden folder beside it and renamed once it is whole. The several files of a
        Shapefile are renamed one after another.

        Examples
        --------
        >>> import pathlib, tempfile
        >>> from craterkit import CraterDatabase, sample_data
        >>> cdb = CraterDatabase(sample_data["moon_craters_km.csv"], "moon")
        >>> cdb.add_annuli("rim", 1, 1.5)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     cdb.to_file(pathlib.Path(folder, "craters.gpkg"), "rim")
        ...     CraterDatabase.read_file(pathlib.Path(folder, "craters.gpkg")) == cdb
        True
        """
        from craterkit.files.formats import named_format

        kind = named_format(file_name(path, "path"), "path")
        self._write(kind, path, "path", region, crs, keep_cols, overwrite=overwrite)

    def to_geojson(
        self,
        filename: str | os.PathLike[str],
        region: str | None = None,
        crs: object = None,
        keep_cols: Sequence[Hashable] | None = None,
        keep_all: bool = False,
    ) -> None:
        """Write the database to a GeoJSON file, whatever its extension.

        Parameters
        ----------
        filename : path
            The file; one that exists is replaced.
        region, crs, keep_cols
            As of `to_file`.
        keep_all : bool, default False
            Whether to write the polygons of all regions, too: as texts (WKT) in columns
            ``<region>_wkt``, in the same system. Not with `keep_cols`.

        Raises
        ------
        ArgumentError, RegionError, ColumnError, CRSError, OutputError
            As of `to_file`.

        Notes
        -----
        RFC 7946 knows only WGS 84. The file has the member ``crs`` of the specification before it, which
        GDAL, QGIS and geopandas read, with the IAU's code of the system, or WKT where it has none.

        Examples
        --------
        >>> import pathlib, tempfile
        >>> from craterkit import CraterDatabase, sample_data
        >>> cdb = CraterDatabase(sample_data["moon_craters_km.csv"], "moon")
        >>> cdb.add_circles("floor", 0.5)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     cdb.to_geojson(pathlib.Path(folder, "floor.geojson"), "floor")
        ...     CraterDatabase.read_file(pathlib.Path(folder, "floor.geojson")) == cdb
        True
        """
        from craterkit.files.formats import format_of

        kind = format_of(".geojson")
        assert kind is not None
        several = list(self._regions) if keep_all and keep_cols is None else []
        self._write(kind, filename, "filename", region, crs, keep_cols, drawn=several)

    def _write(
        self,
        kind: Format,
        path: str | os.PathLike[str],
        argument: str,
        region: str | None,
        crs: object,
        keep_cols: Sequence[Hashable] | None,
        *,
        overwrite: bool = True,
        drawn: Sequence[str] = (),
    ) -> None:
        from craterkit.files.contents import Parts, check_region, contents_of
        from craterkit.files.geometry import Drawer

        target = kind.target(path, argument, overwrite=overwrite)
        check_region(region, self._regions)
        if keep_cols is None and not kind.is_described and OUTLINE in self._regions:
            # The table's polygons have no place beside the file's own geometry.
            geometry = getattr(self._table, "active_geometry_name", None)
            keep_cols = [label for label in self._own_columns() if label != geometry]
        parts = Parts(
            self._body, self._features, self._table, self._own_columns(), self._regions, self.crs
        )
        drawer = Drawer(parts, self.crs if crs is None else crs)
        contents = contents_of(
            parts if kind.is_described else replace(parts, regions={}),
            drawer.draw(region),
            drawer.crs,
            region,
            holds=kind.holds,
            reserved=kind.reserved,
            where=f"{kind.title} ({target})",
            keep_cols=keep_cols,
            drawn={name: drawer.draw(name) for name in drawn},
        )
        kind.write(contents, target)
        if not kind.is_described:
            from craterkit.files.own_columns import warn_of_columns
            from craterkit.files.shapefile import renamed

            warn_of_columns(renamed(contents), parts, str(target))

    @classmethod
    def read_file(
        cls,
        path: str | os.PathLike[str],
        body: str | int | Body | None = None,
        input_crs: object = "default",
        units: str | None = None,
        *,
        lat_col: Hashable | None = None,
        lon_col: Hashable | None = None,
        rad_col: Hashable | None = None,
        diam_col: Hashable | None = None,
        errors: str = "raise",
    ) -> Self:
        """Make a database of a file: the same one again of a file that `to_file` wrote.

        Parameters
        ----------
        path : path
            The file: any that the constructor reads, also one of ``http://``, ``https://`` or ``file://``,
            and one that is alone in a zip archive.
        body : str, int or Body, optional
            The body. Not needed if `to_file` wrote the file, or if the CRS of its geometry names the body
            (a code of the IAU, or a name in it), which is then taken.
        input_crs, units, lat_col, lon_col, rad_col, diam_col
            How to read the columns, as of the constructor. With any of them a file that `to_file` wrote
            is read as any other.
        errors : {"raise", "drop"}, default "raise"
            Whether rows with impossible values are an error, or are dropped with a warning.

        Returns
        -------
        CraterDatabase
            Of a file of `to_file` (GeoPackage, GeoParquet or GeoJSON) the database that was written:
            positions and radii bit for bit, the table with its index and dtypes, the regions'
            definitions, the body.

        Raises
        ------
        TableError
            If there is no such file, it is no table of features, or what makes it a database was damaged:
            columns of positions are lost, or points, polygons or other columns disagree with them.
        BodyError
            If no body is given and the file names none, or it is of another body.
        FeatureError, CRSError
            As of the constructor.

        Notes
        -----
        Other software may change the file meanwhile. Rows that were deleted are missing from the database;
        an index that only counted the rows then counts those that are left. Added columns come last in the
        table, deleted ones are missing, changed values are taken. Added rows need a position and a
        radius in the columns, and have no ROI of regions that differ from feature to feature. A
        column of integers or truths from which values were deleted is of pandas' nullable dtype. The
        geometry may be in another system.

        Positions and radii are made of the columns ``lat``, ``lon`` and ``radius_m``, or ``craterkit_lat`` and
        so on where the file has these. Where it says the same in other columns of the table, as
        in a diameter, a longitude from 0 to 360 or a planetographic latitude, a value that was changed in
        one place only is an error that names row and columns; a missing value is not. Columns of easting and
        northing are not compared. Points must be where the columns say. Regions are made of
        their definitions: polygons whose bounds have moved by more than a fiftieth of their size are
        an error, other changes of polygons have no effect.
        Of a file without a description the columns ``craterkit_lat`` or ``ck_lat`` (and so on) are compared
        with those that are read.

        A GeoJSON file without a member ``crs`` is in WGS 84 for other software. Here it is of `body`, with a
        warning.

        Examples
        --------
        >>> import pathlib, tempfile
        >>> from craterkit import CraterDatabase, sample_data
        >>> cdb = CraterDatabase(sample_data["moon_craters_km.csv"], "moon")
        >>> cdb.add_annuli("rim", 1, 1.5)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     cdb.to_file(pathlib.Path(folder, "craters.geojson"))
        ...     CraterDatabase.read_file(pathlib.Path(folder, "craters.geojson")).regions["rim"]
        Annulus(inner=1.0, outer=1.5, nvert=None)
        """
        from craterkit.files.formats import described_extensions, format_of
        from craterkit.files.own_columns import check_own_columns
        from craterkit.tables.reading import read_table

        name = file_name(path, "path")
        columns = {"lat_col": lat_col, "lon_col": lon_col, "rad_col": rad_col, "diam_col": diam_col}
        told = [*columns.values(), units, None if input_crs == "default" else input_crs]
        plain = all(value is None for value in told)
        given, name = name, without_secrets(name) if is_remote(name) else name
        with on_disk(given, described_extensions()) as place:
            kind = format_of(place)
            place = place if kind is None else kind.found(place)
            try:
                contents = None if kind is None or not plain else kind.read(place)
                table = read_table(place) if contents is None else None
            except TableError as error:
                # A temporary copy is nothing to name.
                raise type(error)(str(error).replace(place, name)) from error
        if contents is not None:
            return cls._of_contents(contents, name, body, errors)
        assert table is not None
        of_body = body_of_table(table, name) if body is None else get_body(body)
        try:
            made = cls(table, of_body, input_crs=input_crs, units=units, errors=errors, **columns)
        except (TableError, CRSError) as error:
            raise type(error)(f"{name}: {error}") from error
        if plain:
            check_own_columns(made._table, made._features, of_body, name)
        return made

    @classmethod
    def _of_contents(
        cls, contents: Contents, name: str, body: str | int | Body | None, errors: str
    ) -> Self:
        """The database that was written."""
        from craterkit.files.assembling import parts_of, placing_labels
        from craterkit.regions.projecting import read_map

        try:
            parts = parts_of(contents, name, errors=errors)
        except FeatureError as error:
            raise FeatureError(f"{name}: {error}") from error
        if body is not None and not is_body(body, parts.body):
            raise BodyError(f"{name} is of {parts.body}, not of {body!r}")
        system = None if parts.crs == parts.body.crs else read_map(parts.crs, parts.body)
        return cls._assembled(
            parts.body,
            parts.features,
            parts.table,
            parts.regions,
            placing=placing_labels(contents.description),
            system=system,
            added=parts.columns.iloc[:, parts.table.shape[1] :],
        )

    @classmethod
    def read_shapefile(
        cls,
        filename: str | os.PathLike[str],
        body: str | int | Body | None = None,
        units: str | None = None,
        input_crs: object = "default",
        *,
        lat_col: Hashable | None = None,
        lon_col: Hashable | None = None,
        rad_col: Hashable | None = None,
        diam_col: Hashable | None = None,
        errors: str = "raise",
    ) -> Self:
        """Make a database of a Shapefile or a GeoJSON file; the same as `read_file`.

        Parameters
        ----------
        filename : path
            The file.
        body, units, input_crs, lat_col, lon_col, rad_col, diam_col, errors
            As of `read_file`.

        Returns
        -------
        CraterDatabase

        Raises
        ------
        TableError, BodyError, FeatureError, CRSError
            As of `read_file`.
        """
        return cls.read_file(
            file_name(filename, "filename"),
            body,
            input_crs,
            units,
            lat_col=lat_col,
            lon_col=lon_col,
            rad_col=rad_col,
            diam_col=diam_col,
            errors=errors,
        )
