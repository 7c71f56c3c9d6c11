"""Exact shares of pixels that polygons cover, from their edges alone.

What lies east of an edge is a step in each row it crosses, split over the pixels it passes through. Edges
are cut at every line between pixels; each bit leaves two numbers, and a cumulative sum along the
rows makes shares of them (the signed-area method of font rasterisers).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from craterkit.footprints.spans import ranges

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry

    Floats = NDArray[np.float64]

__all__ = ["covered"]


def covered(
    shape: BaseGeometry,
    window: tuple[int, int, int, int],
    measure: Callable[[Floats, Floats], Floats],
) -> Floats:
    """Covered weight of the pixels of a window.

    Parameters
    ----------
    shape : Polygon or MultiPolygon
        In pixel coordinates (x, y).
    window : tuple of int
        First row, end row, first column, end column.
    measure : callable
        Signed weight of one column between two y: ``y_to - y_from`` for shares of pixels.

    Returns
    -------
    ndarray
        Of the window's shape.

    Examples
    --------
    >>> import shapely
    >>> triangle = shapely.Polygon([(0, 0), (2, 0), (0, 2)])
    >>> covered(triangle, (0, 2, 0, 2), lambda y_from, y_to: y_to - y_from)
    array([[1. , 0.5],
           [0.5, 0. ]])
    """
    row, row_end, column, column_end = window
    start, stop = _bits(*_edges(shape))
    inside = np.floor((start[:, 1] + stop[:, 1]) / 2).astype(np.intp)
    kept = (inside >= row) & (inside < row_end)
    start, stop, rows = start[kept], stop[kept], inside[kept] - row
    middle = np.clip((start[:, 0] + stop[:, 0]) / 2, column, column_end)
    whole = np.floor(middle)
    share = middle - whole
    weight = measure(start[:, 1], stop[:, 1])
    size = (row_end - row, column_end - column + 2)
    place = rows * size[1] + whole.astype(np.intp) - column
    steps = np.bincount(
        np.concatenate([place, place + 1]),
        weights=np.concatenate([weight * (1.0 - share), weight * share]),
        minlength=size[0] * size[1],
    )
    sums = np.abs(np.cumsum(steps.reshape(size), axis=1))[:, :-2]
    # Rounding leaves dust where nothing is covered.
    return np.where(sums < 1e-12 * sums.max(initial=0.0), 0.0, sums)


def _edges(shape: BaseGeometry) -> tuple[Floats, Floats]:
    """Start and stop of every edge, holes against the direction of their shells."""
    import shapely
    from shapely.geometry.polygon import orient

    parts = [orient(part) for part in shapely.get_parts(shape)]
    starts, stops = [], []
    for ring in shapely.get_rings(parts):
        vertices = shapely.get_coordinates(ring)
        starts.append(vertices[:-1])
        stops.append(vertices[1:])
    return np.concatenate(starts), np.concatenate(stops)


def _bits(start: Floats, stop: Floats) -> tuple[Floats, Floats]:
    """Edges cut at every whole x and y."""
    for axis in (1, 0):
        start, stop = _cut(start, stop, axis)
    return start, stop


def _cut(start: Floats, stop: Floats, axis: int) -> tuple[Floats, Floats]:
    """Edges cut where one coordinate is whole."""
    low = np.minimum(start[:, axis], stop[:, axis])
    high = np.maximum(start[:, axis], stop[:, axis])
    first = np.floor(low).astype(np.intp) + 1
    count = np.maximum(np.ceil(high).astype(np.intp) - first, 0)
    edge = np.repeat(np.arange(count.size), count + 1)
    # Whole values in the direction of the edge, then its end.
    nth = ranges(np.zeros(count.size, dtype=np.intp), count + 1)
    up = (stop[:, axis] > start[:, axis])[edge]
    value = np.where(up, first[edge] + nth, first[edge] + count[edge] - 1 - nth)
    last = nth == count[edge]
    extent = (stop - start)[edge]
    with np.errstate(invalid="ignore", divide="ignore"):
        share = (value - start[edge, axis]) / extent[:, axis]
    ends = start[edge] + extent * np.where(last, 0.0, share)[:, None]
    ends[:, axis] = value
    ends[last] = stop[edge[last]]
    begins = np.empty_like(ends)
    begins[1:] = ends[:-1]
    opening = nth == 0
    begins[opening] = start[edge[opening]]
    return begins, ends
