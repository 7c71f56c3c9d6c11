"""Selections as pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from craterkit.footprints.spans import Spans, ranges
from craterkit.plotting.arguments import (
    checked_axes,
    checked_mapping,
    closed_on_error,
    properties_of,
)
from craterkit.plotting.colours import FILLS, is_dark, palette
from craterkit.plotting.legends import legend_beside
from craterkit.plotting.saving import picture_path, save_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from craterkit.grids.base import Grid
    from craterkit.selection.runs import Runs

    Ints = NDArray[np.intp]

__all__ = ["draw"]

#: Most cells of the picture along a side.
MOST_CELLS = 2000

#: So many areas have colours of their own.
FEW_AREAS = len(FILLS)

#: How far, in pixels, latitude may be from growing evenly with the rows of a picture in degrees.
EVEN_PX = 0.01

#: Share of the axes that labels and a legend may leave to the picture.
LEFT = 0.75


def draw(
    runs: Runs,
    label: Ints,
    grid: Grid | None,
    ax: Axes | None,
    savefig: object,
    savefig_kwargs: object,
    options: dict[str, Any],
) -> Axes:
    """Draw a selection's bounding box; the axes are degrees if these grow evenly with the pixels."""
    from matplotlib.figure import Figure

    path = picture_path(savefig, Figure)
    saving = checked_mapping("savefig_kwargs", savefig_kwargs)
    ax = checked_axes(ax)
    new = None
    if ax is None:
        from matplotlib import pyplot as plt

        new = plt.figure(layout="constrained")
        ax = new.add_subplot()
    with closed_on_error(new):
        _draw(ax, runs, label, grid, new, options)
        save_figure(ax.figure, path, saving)
    return ax


def _draw(
    ax: Axes,
    runs: Runs,
    label: Ints,
    grid: Grid | None,
    new: Figure | None,
    options: dict[str, Any],
) -> None:
    top, bottom = int(runs.row[0]), int(runs.row[-1]) + 1
    left, right = int(runs.start.min()), int(runs.stop.max())
    degrees = _degrees(grid, top, bottom, left, right)
    west, east, south, north = degrees or (left - 0.5, right - 0.5, bottom - 0.5, top - 0.5)
    size = bottom - top, right - left
    shape = abs(north - south) / size[0], abs(east - west) / size[1]
    down, across = _steps(ax, size, shape, options.get("aspect", "equal"))
    height, width = -(-size[0] // down), -(-size[1] // across)
    cells = Spans.union(
        label,
        (runs.row - top) // down,
        (runs.start - left) // across,
        (runs.stop - 1 - left) // across + 1,
    )
    image = np.full((height, width), np.nan)
    areas = int(label.max()) + 1
    # Of more areas than colours, some share one.
    colour = np.repeat(cells.roi % FEW_AREAS, cells.length)
    image[np.repeat(cells.row, cells.length), ranges(cells.start, cells.length)] = colour
    # The last cells may reach beyond the last pixels.
    east = west + (east - west) * width * across / size[1]
    south = north + (south - north) * height * down / size[0]
    shown = _show(ax, image, (west, east, south, north), options)
    names = ("Longitude (°E)", "Latitude (°)") if degrees else ("Column", "Row")
    ax.set(xlabel=names[0], ylabel=names[1])
    if new is not None and 1 < areas <= FEW_AREAS:
        from matplotlib.patches import Patch

        handles = [Patch(color=shown.to_rgba(area), label=str(area)) for area in range(areas)]
        legend_beside(ax, handles, figure=new, always=True, title="area")


def _show(
    ax: Axes,
    image: NDArray[np.float64],
    extent: tuple[float, ...],
    options: dict[str, Any],
) -> Any:  # noqa: ANN401
    from matplotlib.colors import ListedColormap

    colours = palette(on_raster=False, dark=is_dark(ax.get_facecolor()))
    given: dict[str, Any] = {
        "extent": extent,
        "origin": "upper",
        "aspect": "equal",
        "cmap": ListedColormap(list(colours)),
        "interpolation": "nearest",
    }
    if options.get("norm") is None:
        given |= {"vmin": -0.5, "vmax": len(colours) - 0.5}
    with properties_of("plot", "matplotlib.axes.Axes.imshow"):
        return ax.imshow(image, **(given | options))


def _steps(
    ax: Axes,
    size: tuple[int, int],
    shape: tuple[float, float],
    aspect: Any,  # noqa: ANN401
) -> tuple[int, int]:
    """Rows and columns of pixels in a cell, so that cells are not smaller than what axes show.

    `size` is the rows and columns, and `shape` the height and width of a pixel on the axes.
    """
    box = ax.get_window_extent()
    room = np.array([box.height, box.width]) * LEFT
    wanted = np.array(size) * shape
    if not (ax.get_autoscalex_on() or ax.get_autoscaley_on()):
        wanted = np.abs([np.diff(ax.get_ylim())[0], np.diff(ax.get_xlim())[0]])
    fine = room / wanted
    if aspect != "auto":
        stretch = np.array([aspect if isinstance(aspect, int | float) else 1.0, 1.0])
        fine = stretch * float((room / (wanted * stretch)).min())
    steps = np.maximum(np.ceil(1.0 / (fine * shape)), np.ceil(np.array(size) / MOST_CELLS))
    down, across = np.clip(steps, 1, size).astype(np.intp).tolist()
    return down, across


def _degrees(
    grid: Grid | None, top: int, bottom: int, left: int, right: int
) -> tuple[float, float, float, float] | None:
    """West, east, south and north of a window; None if it is no rectangle in degrees."""
    if grid is None or not np.isfinite(grid.period):
        return None
    lon, _ = grid.to_body([left, right], (top + bottom) / 2)
    rows = np.linspace(top, bottom, 5)
    _, lat = grid.to_body((left + right) / 2, rows)
    even = np.linspace(lat[0], lat[-1], 5)
    pixel = abs(lat[-1] - lat[0]) / (bottom - top)
    if not np.abs(lat - even).max() <= EVEN_PX * pixel:
        return None
    return float(lon[0]), float(lon[1]), float(lat[-1]), float(lat[0])
