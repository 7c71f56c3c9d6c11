"""Maps of a database: outlines of ROIs over a raster."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from craterkit.errors import ArgumentError
from craterkit.plotting.arguments import (
    checked_axes,
    checked_size,
    closed_on_error,
    colours_by_name,
)
from craterkit.plotting.artists import draw_key, draw_regions
from craterkit.plotting.background import read_background, with_nodata
from craterkit.plotting.colours import NO_DATA, is_dark, palette
from craterkit.plotting.column_colours import colour_by_column
from craterkit.plotting.frames import (
    Box,
    DegreeFrame,
    ProjectedFrame,
    checked_extent,
    frame_of_grid,
    polar_frame,
)
from craterkit.plotting.graticule import draw_graticule, label_degrees
from craterkit.plotting.map_axes import (
    box_of_axes,
    check_fit,
    drawn_frame,
    has_room_beside,
    remember,
    remove_graticule,
)
from craterkit.plotting.outlines import lines_of_region
from craterkit.plotting.saving import save_figure
from craterkit.regions import RoundRegion

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from craterkit.bodies import Body
    from craterkit.plotting.background import Background
    from craterkit.plotting.frames import Frame
    from craterkit.plotting.map_options import MapOptions
    from craterkit.regions import Region
    from craterkit.tables.features import Features

__all__ = ["draw_map"]

#: Inches and dots per inch of a new figure.
SIZE, DPI = 7.0, 150.0

#: Share of a figure's width and inches of its height that labels take.
LABELS = 0.88, 0.7

#: Heights of a figure in its widths.
FLATTEST, TALLEST = 0.3, 1.5

#: Width of lines, in points, for up to so many ROIs.
LINE_WIDTHS = ((3_000, 1.0), (100_000, 0.6), (np.inf, 0.4))

#: Share of the features' span that is shown around them.
MARGIN = 0.05

#: Degrees of longitude from which the whole body is shown, and of latitude from which a pole is.
WIDE, POLAR = 240.0, 60.0


def draw_map(
    body: Body,
    features: Features,
    regions: dict[str, Region],
    table: pd.DataFrame,
    raster: Any,  # noqa: ANN401
    ax: Axes | None,
    options: MapOptions,
) -> Axes:
    """Draw the ROIs of some regions over a raster.

    Parameters
    ----------
    body : Body
        The body.
    features : Features
        The features.
    regions : dict
        Regions by name; the name is empty for one that needs no legend.
    table : pandas.DataFrame
        The features' table, for colours.
    raster : raster or None
        What is behind.
    ax : matplotlib.axes.Axes or None
        Where to draw; on a new figure by default.
    options : MapOptions
        How it looks.

    Returns
    -------
    matplotlib.axes.Axes
    """
    from matplotlib import pyplot as plt

    ax = checked_axes(ax)
    options.check_effect(raster=raster is not None, new_figure=ax is None)
    path, save = options.checked_saving()
    line_options = options.checked_line_options()
    dpi = options.checked_dpi() or (DPI if ax is None else float(ax.figure.dpi))
    stretch, raster_cmap = options.checked_stretch(), options.checked_raster_cmap()
    extent = None if options.extent is None else checked_extent(options.extent)
    on_raster = raster is not None or (ax is not None and bool(ax.images))
    dark = is_dark(plt.rcParams["axes.facecolor"] if ax is None else ax.get_facecolor())
    own_colours = palette(on_raster=on_raster, dark=dark)
    colouring = None
    if options.column is not None:
        colouring = colour_by_column(
            options.column,
            table,
            colours=own_colours,
            cmap=options.cmap,
            norm=options.norm,
            vmin=options.vmin,
            vmax=options.vmax,
            on_raster=on_raster or dark,
        )
    of_regions = colours_by_name(options.color, list(regions), own_colours)
    colours = dict(zip(regions, of_regions, strict=True))
    before = None if ax is None else drawn_frame(ax)
    check_fit(before, body, None)
    opened = None if raster is None else _open(raster, body, options)
    if opened is not None:
        frame = frame_of_grid(opened[1], extent)
        check_fit(before, body, frame)
    else:
        frame = _frame_without_raster(body, features, regions, ax, extent)
    figsize = _figure_size(checked_size(SIZE if options.size is None else options.size), frame.box)
    shown_dpi = max(dpi, dpi if path is None else float(save.get("dpi", dpi)))
    pixels = _pixels(ax, figsize, shown_dpi, dpi)
    px_per_unit = min(pixels[1] / frame.box.width, pixels[0] / frame.box.height)
    background = None
    if opened is not None:
        with opened[0]:
            background = read_background(*opened, frame, pixels, stretch)
        if background is None:
            raise ArgumentError(f"extent: no part of {extent} is on {opened[1].name}")
        if options.raster_cmap is not None and len(opened[2]) > 1:
            raise ArgumentError("raster_cmap is for one band; three are red, green and blue")
    if "linewidth" not in line_options:
        count = len(features) * len(regions)
        line_options["linewidth"] = next(width for most, width in LINE_WIDTHS if count <= most)
    # What is narrower than its own line is a dot.
    point_px = max(1.0, float(np.max(line_options["linewidth"])) * shown_dpi / 72.0)
    lines = {
        name: lines_of_region(features, region, frame, px_per_unit, point_px)
        for name, region in regions.items()
    }
    figure = None
    if ax is None:
        figure = plt.figure(figsize=figsize, dpi=dpi, layout="constrained")
    with closed_on_error(figure):
        target = figure.add_subplot() if ax is None and figure is not None else ax
        assert target is not None
        _draw_frame(target, frame, background, raster_cmap, px_per_unit, on_raster=on_raster)
        draw_regions(
            target,
            lines,
            colours,
            colouring,
            options.alpha,
            line_options,
            frame,
            px_per_unit,
            on_raster=on_raster,
        )
        draw_key(
            target,
            list(regions),
            colours,
            colouring,
            frame,
            on_raster=on_raster,
            inside=ax is not None and not has_room_beside(ax),
        )
        save_figure(target.figure, path, {"dpi": dpi, **save})
    return target


def _open(raster: Any, body: Body, options: MapOptions) -> tuple[Any, Any, Any]:  # noqa: ANN401
    """The raster, its grid, and the bands to show."""
    from craterkit.extraction.sources import check_nodata
    from craterkit.rasters.opening import open_raster

    opened = open_raster(raster)
    nodata = None if options.nodata is None else check_nodata(options.nodata)
    grid = opened.grid(body, options.raster_crs, options.transform)
    return opened, grid, with_nodata(opened.pick_bands(options.band), nodata)


def _frame_without_raster(
    body: Body,
    features: Features,
    regions: dict[str, Region],
    ax: Axes | None,
    extent: tuple[float, float, float, float] | None,
) -> Frame:
    before = None if ax is None else drawn_frame(ax)
    if before is not None:
        assert ax is not None
        if extent is None:
            return before.showing(box_of_axes(ax))
        if isinstance(before, ProjectedFrame):
            return frame_of_grid(before.grid, extent)
    if extent is not None:
        return DegreeFrame(body, Box(*extent))
    if ax is not None and ax.has_data():
        return DegreeFrame(body, box_of_axes(ax))
    return _polar_frame_of(body, features, regions) or DegreeFrame(
        body, _box_of_features(body, features, regions)
    )


def _polar_frame_of(body: Body, features: Features, regions: dict[str, Region]) -> Frame | None:
    """About a pole, if all round regions around all features lie near it; else None."""
    if not len(features) or not all(isinstance(own, RoundRegion) for own in regions.values()):
        return None
    angle = _angles(body, features, regions)
    for side in (1.0, -1.0):
        if (side * features.lat - angle).min() >= POLAR:
            return polar_frame(body, side, features.lon, features.lat, angle, MARGIN)
    return None


def _angles(body: Body, features: Features, regions: dict[str, Region]) -> NDArray[np.float64]:
    """Degrees to which features and their round regions reach from their centres."""
    reach = features.radius
    for region in regions.values():
        if isinstance(region, RoundRegion):
            reach = np.maximum(reach, region.reach(features.radius))
    return np.asarray(np.degrees(reach / body.b))


def _box_of_features(body: Body, features: Features, regions: dict[str, Region]) -> Box:
    """Degrees around all features and their regions; the whole body if they are all over it."""
    whole = Box(-180.0, 180.0, -90.0, 90.0)
    if not len(features):
        return whole
    angle = _angles(body, features, regions)
    south, north = float((features.lat - angle).min()), float((features.lat + angle).max())
    turned = np.unique(np.mod(features.lon, 360.0))
    gaps = np.diff(turned, append=turned[0] + 360.0)
    widest = int(np.argmax(gaps))
    west, span = float(turned[(widest + 1) % turned.size]), 360.0 - float(gaps[widest])
    sideways = float((angle / np.maximum(np.cos(np.radians(features.lat)), 1e-3)).max())
    pad = MARGIN * max(span + 2 * sideways, north - south)
    west, span = west - sideways - pad, span + 2 * (sideways + pad)
    if span > WIDE or south <= -90.0 or north >= 90.0:
        west, span = -180.0, 360.0
        if north - south > WIDE / 2:
            return whole
    west = (west + 180.0) % 360.0 - 180.0
    return Box(west, west + span, max(south - pad, -90.0), min(north + pad, 90.0))


def _figure_size(size: tuple[float, ...], box: Box) -> tuple[float, float]:
    """Width and height in inches."""
    if len(size) == 2:
        return size[0], size[1]
    (width,) = size
    shape = float(np.clip(box.height / box.width, FLATTEST, TALLEST))
    return width, width * LABELS[0] * shape + LABELS[1]


def _pixels(
    ax: Axes | None, figsize: tuple[float, float], shown_dpi: float, dpi: float
) -> tuple[int, int]:
    """Rows and columns of the picture's pixels."""
    if ax is None:
        width, height = figsize
        return max(1, round(height * shown_dpi)), max(1, round(width * shown_dpi))
    extent = ax.get_window_extent()
    share = shown_dpi / ax.figure.dpi
    return max(1, round(extent.height * share)), max(1, round(extent.width * share))


def _draw_frame(
    ax: Axes,
    frame: Frame,
    background: Background | None,
    raster_cmap: Any,  # noqa: ANN401
    px_per_unit: float,
    *,
    on_raster: bool,
) -> None:
    box = frame.box
    before = drawn_frame(ax)
    inverted = ax.xaxis_inverted(), ax.yaxis_inverted()
    if background is not None:
        ax.patch.set(**NO_DATA)
        _draw_background(ax, frame, background, raster_cmap)
    ax.set_aspect("equal")
    ax.set_xlim(*((box.right, box.left) if inverted[0] else (box.left, box.right)))
    ax.set_ylim(*((box.top, box.bottom) if inverted[1] else (box.bottom, box.top)))
    graticule = None
    if isinstance(frame, DegreeFrame):
        if before is None:
            label_degrees(ax, grid=not on_raster)
    elif before is None or before.box != box:
        remove_graticule(ax)
        graticule = draw_graticule(ax, frame, px_per_unit, on_raster=on_raster)
    remember(ax, frame, graticule)


def _draw_background(
    ax: Axes,
    frame: Frame,
    background: Background,
    raster_cmap: Any,  # noqa: ANN401
) -> None:
    from matplotlib.transforms import Affine2D

    low, high = background.limits
    style: dict[str, Any] = {"zorder": 0, "origin": "upper"}
    if background.image.ndim == 2:
        style |= {"cmap": raster_cmap, "vmin": low, "vmax": high}
    if background.box is not None:
        ax.imshow(background.image, extent=background.box, **style)
        return
    assert isinstance(frame, ProjectedFrame)
    window, t = background.pixels, frame.grid.transform
    extent = window.col_start, window.col_stop, window.row_stop, window.row_start
    matrix = np.array([[t.a, t.b, t.c], [t.d, t.e, t.f], [0.0, 0.0, 1.0]])
    image = ax.imshow(background.image, extent=extent, **style)
    image.set_transform(Affine2D(matrix) + ax.transData)
