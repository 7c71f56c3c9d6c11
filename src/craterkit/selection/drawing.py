"""Selections as pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from craterkit.footprints.spans import Spans, ranges

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from craterkit.grids.base import Grid
    from craterkit.selection.runs import Runs

    Ints = NDArray[np.intp]

__all__ = ["draw"]

#: Most cells of the picture along a side.
MOST_CELLS = 2000

#: So many areas have colours of their own.
FEW_AREAS = 20

#: How far, in pixels, latitude may be from growing evenly with the rows of a picture in degrees.
EVEN_PX = 0.01


def draw(
    runs: Runs, label: Ints, grid: Grid | None, ax: Axes | None, options: dict[str, Any]
) -> Axes:
    """Draw a selection's bounding box; the axes are degrees if these grow evenly with the pixels."""
    top, bottom = int(runs.row[0]), int(runs.row[-1]) + 1
    left, right = int(runs.start.min()), int(runs.stop.max())
    if ax is None:
        from matplotlib import pyplot as plt

        _, ax = plt.subplots()
    step = -(-max(bottom - top, right - left) // MOST_CELLS)
    height, width = -(-(bottom - top) // step), -(-(right - left) // step)
    cells = Spans.union(
        label,
        (runs.row - top) // step,
        (runs.start - left) // step,
        (runs.stop - 1 - left) // step + 1,
    )
    image = np.full((height, width), np.nan)
    by_area = int(label.max()) < FEW_AREAS
    number = cells.roi if by_area else np.zeros_like(cells.roi)
    image[np.repeat(cells.row, cells.length), ranges(cells.start, cells.length)] = np.repeat(
        number, cells.length
    )
    degrees = _degrees(grid, top, bottom, left, right)
    west, east, south, north = degrees or (left - 0.5, right - 0.5, bottom - 0.5, top - 0.5)
    # The last cells may reach beyond the last pixels.
    east = west + (east - west) * width * step / (right - left)
    south = north + (south - north) * height * step / (bottom - top)
    names = ("Longitude (°E)", "Latitude (°)") if degrees else ("Column", "Row")
    given: dict[str, Any] = {
        "extent": (west, east, south, north),
        "cmap": "tab20",
        "vmin": -0.5,
        "vmax": FEW_AREAS - 0.5,
        "interpolation": "nearest",
    }
    ax.imshow(image, **(given | options))
    ax.set(xlabel=names[0], ylabel=names[1])
    return ax


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
