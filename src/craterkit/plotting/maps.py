"""Maps of a database: outlines of ROIs over a raster."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import numpy as np

from craterkit.errors import ArgumentError
from craterkit.plotting.artists import draw_key, draw_regions
from craterkit.plotting.background import read_background, with_nodata
from craterkit.plotting.column_colours import colour_by_column, colours_of_regions
from craterkit.plotting.frames import (
    Box,
    DegreeFrame,
    ProjectedFrame,
    checked_extent,
    frame_of_grid,
)
from craterkit.plotting.graticule import draw_graticule, label_degrees
from craterkit.plotting.outlines import lines_of_region
from craterkit.plotting.saving import picture_path, save_figure

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd
    from matplotlib.axes import Axes

    from craterkit.bodies import Body
    from craterkit.plotting.background import Background
    from craterkit.plotting.frames import Frame
    from craterkit.regions import Region
    from craterkit.tables.features import Features

__all__ = ["MapOptions", "draw_map"]

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

#: Degrees of longitude from which the whole body is shown.
WIDE = 240.0

#: What maps have been drawn on, so that more can be drawn there.
_FRAMES: WeakKeyDictionary[Any, Frame] = WeakKeyDictionary()


@dataclass(frozen=True, slots=True)
class MapOptions:
    """How a map looks; see `CraterDatabase.plot`."""

    size: Any = None
    dpi: float | None = None
    band: Any = 1
    color: Any = None
    alpha: float = 0.9
    column: Any = None
    cmap: Any = None
    vmin: float | None = None
    vmax: float | None = None
    extent: Any = None
    nodata: float | None = None
    raster_crs: Any = None
    transform: Any = None
    savefig: Any = None
    savefig_kwargs: dict[str, Any] | None = None
    line_options: dict[str, Any] = field(default_factory=dict)


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

    path, save = _checked_saving(options)
    line_options = _checked_line_options(options)
    dpi = _checked_dpi(options.dpi) or (DPI if ax is None else ax.figure.dpi)
    extent = None if options.extent is None else checked_extent(options.extent)
    colouring = None
    if options.column is not None:
        colouring = colour_by_column(
            options.column,
            table,
            cmap=options.cmap,
            vmin=options.vmin,
            vmax=options.vmax,
            on_white=raster is None,
        )
    colours = colours_of_regions(regions, options.color, on_white=raster is None)
    opened = None if raster is None else _open(raster, body, options)
    if opened is not None:
        frame = frame_of_grid(opened[1], extent)
    else:
        frame = _frame_without_raster(body, features, regions, ax, extent)
    figsize = _figure_size(options.size, frame.box)
    shown_dpi = max(dpi, dpi if path is None else float(save.get("dpi", dpi)))
    pixels = _pixels(ax, figsize, shown_dpi, dpi)
    px_per_unit = min(pixels[1] / frame.box.width, pixels[0] / frame.box.height)
    background = None
    if opened is not None:
        with opened[0]:
            background = read_background(*opened, frame, pixels)
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
    try:
        target = figure.add_subplot() if ax is None and figure is not None else ax
        assert target is not None
        _draw_frame(target, frame, background, px_per_unit)
        draw_regions(
            target,
            lines,
            colours,
            colouring,
            options.alpha,
            line_options,
            frame,
            px_per_unit,
        )
        draw_key(target, list(regions), colours, colouring, frame)
        save_figure(target.figure, path, {"dpi": dpi, **save})
    except BaseException:
        if figure is not None:
            plt.close(figure)
        raise
    _FRAMES[target] = frame
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
    before = None if ax is None else _FRAMES.get(ax)
    if before is not None:
        assert ax is not None
        if extent is None:
            return before.showing(Box(*ax.get_xlim(), *ax.get_ylim()))
        if isinstance(before, ProjectedFrame):
            return frame_of_grid(before.grid, extent)
    if extent is not None:
        return DegreeFrame(body, Box(*extent))
    if ax is not None and ax.has_data():
        (left, right), (bottom, top) = sorted(ax.get_xlim()), sorted(ax.get_ylim())
        return DegreeFrame(body, Box(left, right, bottom, top))
    return DegreeFrame(body, _box_of_features(body, features, regions))


def _box_of_features(body: Body, features: Features, regions: dict[str, Region]) -> Box:
    """Degrees around all features and their regions; the whole body if they are all over it."""
    from craterkit.regions import RoundRegion

    whole = Box(-180.0, 180.0, -90.0, 90.0)
    if not len(features):
        return whole
    reach = features.radius
    for region in regions.values():
        if isinstance(region, RoundRegion):
            reach = np.maximum(reach, region.reach(features.radius))
    angle = np.degrees(reach / body.b)
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


def _figure_size(size: Any, box: Box) -> tuple[float, float]:  # noqa: ANN401
    """Width and height in inches."""
    try:
        numbers = [float(value) for value in (np.atleast_1d(SIZE if size is None else size))]
    except (TypeError, ValueError):
        numbers = []
    if len(numbers) not in (1, 2) or not all(0 < number < np.inf for number in numbers):
        raise ArgumentError(
            f"size must be the width of the figure in inches, or (width, height), not {size!r}"
        )
    if len(numbers) == 2:
        return numbers[0], numbers[1]
    (width,) = numbers
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


def _checked_dpi(dpi: Any) -> float | None:  # noqa: ANN401
    if dpi is None:
        return None
    if isinstance(dpi, bool) or not isinstance(dpi, int | float | np.number) or not dpi >= 1:
        raise ArgumentError(f"dpi must be a number of dots per inch, not {dpi!r}")
    return float(dpi)


def _checked_saving(options: MapOptions) -> tuple[Path | None, dict[str, Any]]:
    """Where the figure is saved, and options for `Figure.savefig`."""
    from matplotlib.figure import Figure

    given = {} if options.savefig_kwargs is None else options.savefig_kwargs
    if not isinstance(given, dict):
        raise ArgumentError(f"savefig_kwargs must be a dict, not {type(given).__name__}")
    return picture_path(options.savefig, Figure), given


def _checked_line_options(options: MapOptions) -> dict[str, Any]:
    """Options for the collections of lines, by their full names."""
    from matplotlib import cbook
    from matplotlib.collections import LineCollection

    try:
        given = cbook.normalize_kwargs(options.line_options, LineCollection)
        LineCollection([], **given)
    except (AttributeError, TypeError, ValueError) as error:
        raise TypeError(
            f"plot: {error}; further arguments are for matplotlib.collections.LineCollection"
        ) from error
    if not isinstance(options.alpha, int | float | np.number) or not 0 <= options.alpha <= 1:
        raise ArgumentError(f"alpha must be a number from 0 to 1, not {options.alpha!r}")
    return dict(given)


def _draw_frame(ax: Axes, frame: Frame, background: Background | None, px_per_unit: float) -> None:
    box = frame.box
    if background is not None:
        _draw_background(ax, frame, background)
    ax.set_aspect("equal")
    ax.set_xlim(box.left, box.right)
    ax.set_ylim(box.bottom, box.top)
    if ax in _FRAMES and background is None:
        return
    if isinstance(frame, DegreeFrame):
        label_degrees(ax, grid=background is None)
    else:
        draw_graticule(ax, frame, px_per_unit)


def _draw_background(ax: Axes, frame: Frame, background: Background) -> None:
    from matplotlib.transforms import Affine2D

    low, high = background.limits
    style: dict[str, Any] = {"zorder": 0, "origin": "upper"}
    if background.image.ndim == 2:
        style |= {"cmap": "gray", "vmin": low, "vmax": high}
    if background.box is not None:
        ax.imshow(background.image, extent=background.box, **style)
        return
    assert isinstance(frame, ProjectedFrame)
    window, t = background.pixels, frame.grid.transform
    extent = window.col_start, window.col_stop, window.row_stop, window.row_start
    matrix = np.array([[t.a, t.b, t.c], [t.d, t.e, t.f], [0.0, 0.0, 1.0]])
    image = ax.imshow(background.image, extent=extent, **style)
    image.set_transform(Affine2D(matrix) + ax.transData)
