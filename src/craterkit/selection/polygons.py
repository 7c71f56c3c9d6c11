"""Selections as polygons, for GIS."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from affine import Affine
    from numpy.typing import NDArray

    from craterkit.selection.runs import Runs

    Ints = NDArray[np.intp]

__all__ = ["area_polygons", "pixel_polygons"]


def pixel_polygons(runs: Runs, transform: Affine | None) -> NDArray[Any]:
    """The outline of every pixel; in pixel coordinates (x, y) if there is no transform."""
    import shapely

    row, col = runs.rows, runs.cols
    return _placed(shapely.box(col, row, col + 1, row + 1), transform)


def area_polygons(runs: Runs, label: Ints, transform: Affine | None) -> NDArray[Any]:
    """The outline of every area; of several parts where these share no side.

    Parameters
    ----------
    runs : Runs
        The pixels.
    label : (n,) ndarray of int
        Which area each run belongs to, from 0 on.
    transform : affine.Affine or None
        From pixel coordinates to those of the outlines.
    """
    import shapely

    # Equal runs in rows that follow each other make a rectangle.
    order = np.lexsort((runs.row, runs.stop, runs.start, label))
    area, row, start, stop = (values[order] for values in (label, runs.row, runs.start, runs.stop))
    goes_on = (np.diff(row) == 1) & (np.diff(start) == 0) & (np.diff(stop) == 0)
    goes_on &= np.diff(area) == 0
    first = np.flatnonzero(np.concatenate([np.ones(min(1, row.size), dtype=bool), ~goes_on]))
    last = np.append(first[1:], row.size) - 1 if first.size else first
    boxes = shapely.box(start[first], row[first], stop[first], row[last] + 1)
    _, begins, count = np.unique(area[first], return_index=True, return_counts=True)
    outlines = boxes[begins]
    for several in np.flatnonzero(count > 1).tolist():
        begin = begins[several]
        outlines[several] = shapely.union_all(boxes[begin : begin + count[several]])
    return _placed(outlines, transform)


def _placed(outlines: NDArray[Any], transform: Affine | None) -> NDArray[Any]:
    import shapely

    if transform is None:
        return outlines
    t = transform

    def apply(points: NDArray[np.float64]) -> NDArray[np.float64]:
        x, y = points.T
        return np.column_stack([t.a * x + t.b * y + t.c, t.d * x + t.e * y + t.f])

    return np.asarray(shapely.transform(outlines, apply))
