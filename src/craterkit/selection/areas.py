"""Connected areas of a set of pixels, found on its runs, and what is known of them."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from craterkit.footprints.spans import Spans, ranges

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from craterkit.grids.base import Grid
    from craterkit.selection.runs import Runs

    Floats = NDArray[np.float64]
    Ints = NDArray[np.intp]

__all__ = ["area_table", "label_runs"]

#: Pixels whose positions are worked out at a time.
PORTION_PIXELS = 1 << 20

#: A mean position this near the body's centre, in radii, is on no side of it.
NOWHERE = 1e-9


def label_runs(runs: Runs, connectivity: int, period: int | None = None) -> Ints:
    """Number of the connected area that each run belongs to.

    Areas are numbered from 0 on, in the order of their first pixels.

    Parameters
    ----------
    runs : Runs
        The pixels.
    connectivity : {4, 8}
        Whether pixels that share a corner only are connected (8) or not (4).
    period : int, optional
        Columns after which the ground repeats itself, if it does within the raster.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    reach = 1 if connectivity == 8 else 0
    pairs = [_touching(runs, np.arange(len(runs)), 0, 1, reach)]
    if period is not None:
        ends = np.flatnonzero(runs.stop >= period)
        pairs += [_touching(runs, ends, period, down, reach) for down in (-1, 1)]
        pairs.append(_touching(runs, ends, period, 0, 1))
    one, other = (np.concatenate([pair[side] for pair in pairs]) for side in (0, 1))
    graph = coo_array((np.ones(one.size, dtype=np.int8), (one, other)), shape=(len(runs),) * 2)
    _, number = connected_components(graph, directed=False)
    _, first, number = np.unique(number, return_index=True, return_inverse=True)
    rank = np.empty(first.size, dtype=np.intp)
    rank[np.argsort(first)] = np.arange(first.size)
    return rank[number]


def _touching(runs: Runs, which: Ints, left: int, down: int, reach: int) -> tuple[Ints, Ints]:
    """Pairs of runs of which one touches the other when moved `left` and `down`.

    With a reach of 0 they must overlap; with 1 it is enough to meet.
    """
    # Rows lie so far apart on a line that no run that was moved or reaches out gets near another row.
    pitch = 2 * int(runs.stop.max(initial=0)) + 4
    line = runs.row * pitch
    own = (runs.row[which] + down) * pitch - left
    first = np.searchsorted(line + runs.stop, own + runs.start[which] - reach, side="right")
    end = np.searchsorted(line + runs.start, own + runs.stop[which] + reach, side="left")
    count = np.maximum(end - first, 0)
    return np.repeat(which, count), ranges(first, count)


def area_table(runs: Runs, label: Ints, grid: Grid | None) -> pd.DataFrame:
    """One row for each area: its pixels, its place and its bounds.

    Parameters
    ----------
    runs : Runs
        The pixels.
    label : (n,) ndarray of int
        Which area each run belongs to.
    grid : Grid or None
        Where the pixels lie; without one there is neither an area on the ground nor a centre.
    """
    import pandas as pd

    count = int(label.max(initial=-1)) + 1
    pixels = np.bincount(label, runs.length, count).astype(np.int64)
    table: dict[str, NDArray[Any]] = {"area": np.arange(count), "pixels": pixels}
    spans = Spans(label, runs.row, runs.start, runs.stop)
    period = grid.columns if grid is not None and grid.wraps else None
    if period is not None:
        spans = _folded(spans, period)
    if grid is not None:
        table |= _ground(grid, spans, count)
    row_start, row_stop = np.full(count, np.iinfo(np.intp).max), np.zeros(count, dtype=np.intp)
    np.minimum.at(row_start, label, runs.row)
    np.maximum.at(row_stop, label, runs.row + 1)
    col_start, col_stop = _column_bounds(spans, period)
    table |= {
        "row_start": row_start,
        "row_stop": row_stop,
        "col_start": col_start,
        "col_stop": col_stop,
    }
    return pd.DataFrame(table)


def _folded(spans: Spans, period: int) -> Spans:
    """The same ground in the first `period` columns; what occurs twice counts once."""
    turns = range(-(-int(spans.stop.max(initial=0)) // period))
    if len(turns) < 2:
        return spans
    start = np.concatenate([np.maximum(spans.start - turn * period, 0) for turn in turns])
    stop = np.concatenate([np.minimum(spans.stop - turn * period, period) for turn in turns])
    return Spans.union(np.tile(spans.roi, len(turns)), np.tile(spans.row, len(turns)), start, stop)


def _column_bounds(spans: Spans, period: int | None) -> tuple[Ints, Ints]:
    """First and end column of each area; the end is beyond the period if it crosses the seam."""
    columns = Spans.union(spans.roi, np.zeros_like(spans.row), spans.start, spans.stop)
    # The columns of a connected area are one stretch; two, if the seam lies between.
    _, first, stretches = np.unique(columns.roi, return_index=True, return_counts=True)
    start, stop = columns.start[first], columns.stop[first]
    torn = np.flatnonzero(stretches > 1)
    if torn.size:
        assert period is not None
        start[torn] = columns.start[first[torn] + 1]
        stop[torn] += period
    return start, stop


def _ground(grid: Grid, spans: Spans, count: int) -> dict[str, Floats]:
    """Area in km² and position of the centre of each area."""
    sums = _by_meridian(grid, spans) if np.isfinite(grid.period) else _by_pixel(grid, spans)
    area, *direction = (np.bincount(spans.roi, values, count) for values in sums)
    x, y, z = direction
    with np.errstate(invalid="ignore"):
        nowhere = ~(np.sqrt(x * x + y * y + z * z) > NOWHERE * area)
    lon = np.degrees(np.arctan2(y, x))
    lat = np.degrees(np.arctan2(z, np.hypot(x, y)))
    return {
        "area_km2": area / 1e6,
        "lon": np.where(nowhere, np.nan, np.where(lon >= 180.0, lon - 360.0, lon)),
        "lat": np.where(nowhere, np.nan, lat),
    }


def _by_meridian(grid: Grid, spans: Spans) -> list[Floats]:
    """Area of each run, and the sum of the directions of its pixels by their areas.

    The centres of a run's pixels are evenly spaced on a parallel, which has a closed form.
    """
    number = spans.length
    area = grid.areas_at(spans.row, spans.start) * number
    lon, lat = grid.to_body((spans.start + spans.stop) / 2, spans.row + 0.5)
    step = np.pi / grid.period
    shrinks = np.sin(number * step) / (number * np.sin(step))
    return _weighed(area, lon, lat, shrinks)


def _by_pixel(grid: Grid, spans: Spans) -> list[Floats]:
    ends = np.cumsum(spans.length)
    cuts = [0, *(np.flatnonzero(np.diff(ends // PORTION_PIXELS) > 0) + 1).tolist(), len(spans)]
    parts = []
    for first, end in pairwise(cuts):
        own = spans.take(slice(first, end))
        row, column = np.repeat(own.row, own.length), ranges(own.start, own.length)
        lon, lat = grid.to_body(column + 0.5, row + 0.5)
        sums = _weighed(grid.areas_at(row, column), lon, lat, 1.0)
        begins = np.cumsum(own.length) - own.length
        parts.append([np.add.reduceat(values, begins) for values in sums])
    return [np.concatenate(columns) for columns in zip(*parts, strict=True)]


def _weighed(area: Floats, lon: Floats, lat: Floats, shrinks: Floats | float) -> list[Floats]:
    """Areas, and directions times areas; 0 where there is no ground."""
    area = np.where(np.isfinite(lon), np.nan_to_num(area), 0.0)
    east, north = np.radians(np.nan_to_num(lon)), np.radians(np.nan_to_num(lat))
    across = area * np.cos(north) * shrinks
    return [area, across * np.cos(east), across * np.sin(east), area * np.sin(north)]
