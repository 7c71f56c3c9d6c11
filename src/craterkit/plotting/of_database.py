"""The methods of a database that draw."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from craterkit.plotting.arguments import names_raster

if TYPE_CHECKING:
    import os
    from collections.abc import Hashable, Mapping, Sequence

    import pandas as pd
    from matplotlib.axes import Axes
    from numpy.typing import ArrayLike, NDArray

    from craterkit.bodies import Body
    from craterkit.extracting import Where
    from craterkit.extraction.subject import Subject
    from craterkit.footprints.rules import Coverage
    from craterkit.plotting.frame_sampling import Resampling
    from craterkit.regions import Region, Regions
    from craterkit.tables.features import Features

__all__ = ["DrawsPictures"]


class DrawsPictures:
    """The methods of `CraterDatabase` that draw."""

    _body: Body
    _features: Features
    _regions: Regions
    _table: pd.DataFrame

    if TYPE_CHECKING:

        def _subject(self, regions: str | Sequence[str]) -> Subject: ...

        def _own_columns(self) -> pd.DataFrame: ...

    @names_raster
    def plot_rois(
        self,
        raster: object,
        region: str | Sequence[str],
        index: Any = 9,  # noqa: ANN401
        grid_kw: Mapping[str, Any] | None = None,
        *,
        label: Hashable | None = None,
        shade: bool = False,
        azimuth: float = 315.0,
        altitude: float = 45.0,
        exaggeration: float = 1.0,
        cmap: object = None,
        vmin: float | None = None,
        vmax: float | None = None,
        stretch: tuple[float, float] = (2.0, 98.0),
        shared: bool = False,
        color: object = None,
        margin: float = 0.15,
        cells: int = 360,
        resampling: Resampling | None = None,
        band: int | str = 1,
        nodata: float | None = None,
        scaled: bool = True,
        raster_crs: object = None,
        transform: object = None,
        columns: int = 3,
        size: float | tuple[float, float] | None = None,
        dpi: float | None = None,
        gridspec_kw: Mapping[str, Any] | None = None,
        fig: object = None,
        savefig: str | os.PathLike[str] | None = None,
        savefig_kwargs: Mapping[str, Any] | None = None,
        **kwargs: Any,  # noqa: ANN401
    ) -> NDArray[Any]:
        """Draw a sheet of ROIs, each on a map of its own, north up.

        The maps are azimuthal equidistant about the features' centres: every point is at its true distance
        and azimuth from the centre, at the poles and across the seam as anywhere else. The raster is read
        only there, and only as fine as the picture is.

        Parameters
        ----------
        raster : raster or dict
            One raster, as in `get_stats`, or ``{name: raster}``.
        region : str or list of str
            Region, or several, whose boundaries are drawn.
        index : int, slice, iterable or pandas.Index, default 9
            Which features: how many of the first rows; a slice; a boolean mask or positions, as in
            ``(1, 6, 9)`` or ``range(3, 9)``; or labels of the table's index: a `pandas.Index`, or an
            iterable of anything but numbers.
        grid_kw : dict, optional
            Draws grid lines, with these properties of lines; ``{}`` for the usual ones. ``draw_labels=False``
            leaves out the numbers along the axes; what only maps in degrees have, such as ``dms``, ``crs`` and
            ``xlocs``, does nothing.
        label : hashable, optional
            Column with the features' names. By default one called "name", "crater_id" or the like, else
            labels of the table's index.
        shade : bool, default False
            Whether the raster has heights, of which a hillshade is drawn; with `cmap`, under their colours.
            Heights are metres, unless the raster says that they are kilometres.
        azimuth, altitude : float, default 315 and 45
            Where the hillshade's light comes from: degrees clockwise from north, and above the horizon.
        exaggeration : float, default 1
            Factor on the hillshade's heights.
        cmap : str or Colormap, default "gray"
            Colours of the values.
        vmin, vmax : float, optional
            Values with the first and the last colour, instead of `stretch`.
        stretch : tuple of float, default (2, 98)
            Percentiles of the values in a panel that get the first and the last colour.
        shared : bool, default False
            Whether all panels share one scale of colours, which is then drawn beside them.
        color : colour, list or dict of colours, optional
            Of the boundaries: one for all, one for each region, or by region. By default colours that are
            told apart with any colour vision.
        margin : float, default 0.15
            How far maps reach beyond the ROIs, as a share of these.
        cells : int, default 360
            Cells of a map along a side.
        resampling : {None, "nearest", "bilinear"}, default None
            Whether a map's cell shows the pixel in which it lies, or a value between pixels (without those
            that are no data). By default ``"nearest"`` for rasters of 8-bit integers, which may be
            classes, and ``"bilinear"`` for others. Where pixels are smaller than cells, a middle one, or a
            mean, stands for those in a cell.
        band : int or str, default 1
            Band, by number or description.
        nodata, scaled, raster_crs, transform
            As in `get_stats`.
        columns : int, default 3
            Panels side by side.
        size : float or tuple of float, optional
            Width, or width and height, of the figure in inches.
        dpi : float, optional
            Resolution of the figure.
        gridspec_kw : dict, optional
            For `matplotlib.figure.Figure.subplots`.
        fig : matplotlib.figure.Figure or SubFigure, optional
            Where to draw; by default on a new figure. An empty one without a layout gets the constrained one.
        savefig : str or os.PathLike, optional
            A picture to write; its ending says the format.
        savefig_kwargs : dict, optional
            For `matplotlib.figure.Figure.savefig`.
        **kwargs
            Properties of the boundaries, for `matplotlib.patches.PathPatch`, such as ``lw``, ``alpha`` and
            ``facecolor``.

        Returns
        -------
        ndarray of matplotlib.axes.Axes
            In the sheet's rows and columns, or in one dimension if there is a single row. Coordinates are
            kilometres (metres if all maps are smaller than one) east and north of the centre.

        Raises
        ------
        RegionError
            If there is no such region.
        ArgumentError
            If an argument is wrong, or `index` picks rows or `band` a band that do not exist.
        ColumnError
            If there is no column `label`.
        CRSError
            If the raster has no CRS, or is of another body.
        RasterError
            If it cannot be opened or read.
        OutputError
            If `savefig` cannot be written.
        TypeError
            If there is no such argument or property of boundaries.

        Notes
        -----
        Ground without data, or outside the raster, is hatched.

        Examples
        --------
        >>> from craterkit import CraterDatabase, sample_data
        >>> cdb = CraterDatabase(sample_data["moon_craters_km.csv"], "moon")
        >>> cdb.add_annuli("rim", 1, 1.5)
        >>> axes = cdb.plot_rois(sample_data["moon.tif"], "rim", index=(40, 44, 52))
        >>> axes.shape
        (3,)
        >>> heights = cdb.plot_rois(sample_data["moon_dem.tif"], "rim", 2, shade=True, cmap="viridis")
        """
        from craterkit.extraction.sources import SourceSpec
        from craterkit.plotting.panels import Light, panels
        from craterkit.plotting.rows import feature_names, picked_rows
        from craterkit.plotting.sheets import SheetStyle, draw_sheet
        from craterkit.plotting.units import named_raster

        subject = self._subject(region)
        rows = picked_rows(index, self._table.index)
        names = feature_names(self._own_columns(), rows, label)
        style = SheetStyle(
            columns=columns,
            size=size,
            dpi=dpi,
            cmap=cmap,
            vmin=vmin,
            vmax=vmax,
            stretch=stretch,
            shared=shared,
            color=color,
            gridspec_kw=gridspec_kw,
            grid_kw=grid_kw,
            lines=kwargs,
        )
        light = Light(azimuth=azimuth, altitude=altitude, exaggeration=exaggeration)
        given = named_raster(raster)
        source = SourceSpec(*given, raster_crs, transform, nodata, band).open(self._body)
        found = panels(
            subject.part(rows),
            source,
            cells=cells,
            margin=margin,
            resampling=resampling,
            scaled=scaled,
            light=light if shade else None,
            coloured=cmap is not None,
        )
        return draw_sheet(
            found,
            names,
            list(subject.regions),
            source,
            style,
            fig=fig,
            savefig=savefig,
            savefig_kwargs=savefig_kwargs,
        )

    @names_raster
    def plot_hist(
        self,
        raster: object,
        region: str | Sequence[str],
        index: Any = 5,  # noqa: ANN401
        *,
        bins: int | ArrayLike | None = None,
        range: tuple[float, float] | None = None,
        density: bool = False,
        log: bool = False,
        label: Hashable | None = None,
        coverage: Coverage = "all_touched",
        weights: object = None,
        where: Where | None = None,
        exclude: Literal["neighbors"] | None = None,
        exclude_size: float = 1.0,
        band: int | str = 1,
        nodata: float | None = None,
        scaled: bool = True,
        raster_crs: object = None,
        transform: object = None,
        align: Literal["nearest"] | None = None,
        color: object = None,
        ax: Axes | None = None,
        n_jobs: int | None = None,
        max_memory: float | str | None = None,
        progress: bool | None = None,
        savefig: str | os.PathLike[str] | None = None,
        savefig_kwargs: Mapping[str, Any] | None = None,
        **kwargs: Any,  # noqa: ANN401
    ) -> Axes:
        """Draw histograms of the pixels in ROIs.

        Parameters
        ----------
        raster : raster
            One raster, as in `get_stats`.
        region : str or list of str
            Region or several.
        index : int, slice, iterable, pandas.Index, None or "all", default 5
            Which features, as in `plot_rois`; each has a histogram. With None or "all", all features
            together make one for each region: pixels are counted block by block, a million features too.
        bins : int or sequence of float, optional
            How many bins of equal width, the same for all histograms, or their edges. By default up to 30,
            as wide as a whole number if the values are such.
        range : tuple of float, optional
            Least and greatest value to count, instead of those that there are; saves one of two walks over
            the raster.
        density : bool, default False
            Whether each histogram has an area of 1.
        log : bool, default False
            Whether counts have a logarithmic axis.
        label : hashable, optional
            As in `plot_rois`.
        coverage, weights, where, exclude, exclude_size, nodata, scaled, raster_crs, transform, align
            As in `get_stats`. With weights, or the coverage ``"fraction"``, pixels count for these.
        band : int or str, default 1
            Band, by number or description.
        color : colour, list or dict of colours, optional
            Of the histograms: one for all, one for each, or by feature or region. By default colours that
            are told apart with any colour vision, with lines in different dashes if there are many.
        ax : matplotlib.axes.Axes, optional
            Where to draw; by default on a new figure.
        n_jobs, max_memory, progress
            As in `get_stats`.
        savefig : str or os.PathLike, optional
            A picture to write; its ending says the format.
        savefig_kwargs : dict, optional
            For `matplotlib.figure.Figure.savefig`.
        **kwargs
            For `matplotlib.axes.Axes.hist`, such as ``histtype`` and ``alpha``; histograms lie over each
            other and cannot be ``stacked``.

        Returns
        -------
        matplotlib.axes.Axes
            The legend says which ROIs have no pixels.

        Raises
        ------
        RegionError, ArgumentError, ColumnError, CRSError, RasterError, OutputError, TypeError
            As `plot_rois`.

        Examples
        --------
        >>> from craterkit import CraterDatabase, sample_data
        >>> cdb = CraterDatabase(sample_data["moon_craters_km.csv"], "moon")
        >>> cdb.add_annuli("rim", 1, 1.5)
        >>> ax = cdb.plot_hist(sample_data["moon.tif"], "rim", index=(40, 44))
        >>> [text.get_text() for text in ax.get_legend().get_texts()] == list(cdb.data["Name"].iloc[[40, 44]])
        True
        >>> ax = cdb.plot_hist(sample_data["moon_dem.tif"], "rim", None, weights="area", density=True)
        """
        from craterkit.extraction.execution import Execution
        from craterkit.extraction.options import Options
        from craterkit.plotting.drawn_histograms import HistogramStyle, draw_histograms
        from craterkit.plotting.histograms import count_pixels, counted_as
        from craterkit.plotting.rows import check_label, feature_names, picked_rows
        from craterkit.plotting.units import value_label

        style = HistogramStyle(
            color=color,
            savefig=savefig,
            savefig_kwargs=savefig_kwargs,
            options={"density": density, "log": log} | kwargs,
        )
        ax = style.checked(ax)
        options = Options(
            coverage=coverage,
            weights=weights,
            where=where,
            exclude=exclude,
            exclude_size=exclude_size,
            nodata=nodata,
            bands=band,
            scaled=scaled,
            raster_crs=raster_crs,
            transform=transform,
            align=align,
        )
        execution = Execution(n_jobs=n_jobs, max_memory=max_memory, progress=progress)
        subject = self._subject(region)
        rows = names = None
        table = self._own_columns()
        if index is not None and not (isinstance(index, str) and index == "all"):
            rows = picked_rows(index, table.index)
            names = feature_names(table, rows, label)
        else:
            check_label(table, label)
        found, source = count_pixels(
            subject, raster, options, execution, bins=bins, limits=range, features=rows
        )
        return draw_histograms(
            found,
            names,
            list(subject.regions),
            len(subject.features),
            value_label(source),
            style,
            counted=counted_as(options),
            ax=ax,
        )

    def plot(
        self,
        raster: Any = None,  # noqa: ANN401
        region: str | Sequence[str] | None = None,
        *,
        ax: Axes | None = None,
        size: float | tuple[float, float] | None = None,
        dpi: float | None = None,
        band: int | str | Sequence[int | str] = 1,
        color: Any = None,  # noqa: ANN401
        alpha: float = 0.9,
        column: Hashable | pd.Series[Any] | None = None,
        cmap: Any = None,  # noqa: ANN401
        norm: Any = None,  # noqa: ANN401
        vmin: Any = None,  # noqa: ANN401
        vmax: Any = None,  # noqa: ANN401
        raster_cmap: Any = None,  # noqa: ANN401
        stretch: tuple[float, float] | None = None,
        extent: tuple[float, float, float, float] | None = None,
        nodata: float | None = None,
        raster_crs: Any = None,  # noqa: ANN401
        transform: Any = None,  # noqa: ANN401
        savefig: str | os.PathLike[str] | None = None,
        savefig_kwargs: dict[str, Any] | None = None,
        **kwargs: Any,  # noqa: ANN401
    ) -> Axes:
        """Draw a map: the outlines of regions over a raster.

        Axes are degrees of longitude and planetocentric latitude where the raster's rows are parallels and
        its columns meridians, and without a raster; on any other map they are the raster's own coordinates,
        with parallels and meridians drawn and labelled. Without a raster and `extent`, features that all
        lie within 30 degrees of one pole are drawn on a polar stereographic map.

        Parameters
        ----------
        raster : raster, optional
            What is behind: a path or anything else that `get_stats` takes. It is read no finer than the
            picture shows it, from its overviews if it has any. Ground without data is hatched.
        region : str or sequence of str, optional
            Names of regions; by default the circles of one radius around the features.
        ax : matplotlib.axes.Axes, optional
            Where to draw; by default on a new figure. On axes that have a map of `plot` already, more is
            drawn in its projection if there is no raster.
        size : float or tuple of float, optional
            Inches: the figure's width, or its width and height.
        dpi : float, optional
            The figure's dots per inch.
        band : int, str or three of them, default 1
            The raster's band by number or description, or those that are red, green and blue.
        color : colour, list or dict, optional
            Colour of the outlines, one for each region, or colours by region.
        alpha : float, default 0.9
            Opacity of the outlines.
        column : label or pandas.Series, optional
            What colours features: a column of `data`, or values with its index. Numbers, dates and durations
            get a colour bar, all else a legend: eight colours, of which the last stands for all but the
            seven commonest values if there are more. Features without a value are gray.
        cmap, norm, vmin, vmax : optional
            Colour map, scale (such as ``"log"``) and ends, for a column of numbers, dates or durations.
        raster_cmap : str or Colormap, default "gray"
            Colours of the raster.
        stretch : tuple of float, optional
            Percentiles of the raster's values that get the first and the last colour. By default bytes are
            drawn as they are if any is above 64, other bytes (masks, classes) from the least to the
            greatest, and all else from the 1st to the 99th percentile.
        extent : tuple of float, optional
            West, east, south and north of what is shown, degrees; by default the raster, or all features.
        nodata : number, optional
            Raw value that means "no data" instead of the file's.
        raster_crs, transform : optional
            As in `get_stats`.
        savefig : path, optional
            File to save the figure in, in the format of its extension. It appears whole or not at all.
        savefig_kwargs : dict, optional
            For `matplotlib.figure.Figure.savefig`; `dpi` and a tight bounding box are the defaults.
        **kwargs
            For `matplotlib.collections.LineCollection`, such as ``linewidth``.

        Returns
        -------
        matplotlib.axes.Axes

        Raises
        ------
        RegionError
            If there is no such region.
        ColumnError
            If there is no such column, or it holds complex numbers.
        BodyError
            If `ax` has a map of another body.
        CRSError, RasterError
            If the raster is of another body, has no CRS, or cannot be read.
        ArgumentError
            If another argument has a value that it cannot take.
        OutputError
            If the figure cannot be saved.

        Notes
        -----
        Outlines have as many vertices as the picture can show, and ROIs below a pixel are points: draw anew,
        with `extent` or a higher `dpi`, rather than zoom in. In vector files many outlines are pixels.

        Examples
        --------
        >>> from craterkit import CraterDatabase, sample_data
        >>> cdb = CraterDatabase(sample_data["moon_craters_km.csv"], "moon", units="km")
        >>> cdb.add_annuli("rim", 1, 1.5)
        >>> axes = cdb.plot(sample_data["moon.tif"], "rim", color="gold")
        >>> axes.get_xlabel()
        'Longitude'
        """
        from craterkit.plotting.map_options import MapOptions
        from craterkit.plotting.maps import draw_map
        from craterkit.regions import Annulus

        regions: dict[str, Region] = {"": Annulus.circle(1.0)}
        if region is not None and region != "":
            regions = self._regions.pick(region)
        options = MapOptions(
            size=size,
            dpi=dpi,
            band=band,
            color=color,
            alpha=alpha,
            column=column,
            cmap=cmap,
            norm=norm,
            vmin=vmin,
            vmax=vmax,
            raster_cmap=raster_cmap,
            stretch=stretch,
            extent=extent,
            nodata=nodata,
            raster_crs=raster_crs,
            transform=transform,
            savefig=savefig,
            savefig_kwargs=savefig_kwargs,
            line_options=kwargs,
        )
        return draw_map(
            self._body, self._features, regions, self._own_columns(), raster, ax, options
        )
