"""Pixels that points lie in, or that regions of interest cover."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from craterkit.errors import ArgumentError, CRSError, OutsideRasterWarning
from craterkit.extraction.companions import Layers
from craterkit.extraction.plan import Plan
from craterkit.extraction.selection import Selection
from craterkit.footprints.engines import engine_for
from craterkit.footprints.joined import JoinedRegions
from craterkit.footprints.rules import Rules
from craterkit.grids.base import TIE_PX
from craterkit.selection.runs import Runs

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike

    from craterkit.database import CraterDatabase
    from craterkit.grids.base import Grid

__all__ = ["runs_at", "runs_of"]

#: Runs of ROIs that are kept before they are joined.
MOST_RUNS = 1 << 22


def runs_at(grid: Grid, lon: ArrayLike, lat: ArrayLike) -> Runs:
    """The pixels of a grid in which points lie.

    Raises
    ------
    ArgumentError
        If there are no points, or their numbers differ, or some are no positions or off the raster.
    """
    x, y = (np.atleast_1d(np.asarray(values, dtype=np.float64)) for values in (lon, lat))
    if x.shape != y.shape or x.ndim != 1 or not x.size:
        raise ArgumentError(
            f"lon and lat must be as many numbers, at least one; their shapes are {x.shape} and {y.shape}"
        )
    _refuse(
        ~(np.isfinite(x) & (np.abs(y) <= 90.0)), x, y, "no positions: longitude finite, |lat| <= 90"
    )
    col, row = grid.to_pixels(x, y)
    with np.errstate(invalid="ignore"):
        # A point on a border counts to the pixel behind it, at the raster's end to the last one.
        col, row = col + TIE_PX, row + TIE_PX
        if np.isfinite(grid.period):
            col = np.mod(col, grid.period)
        col = np.where(np.abs(col - grid.columns) <= 2 * TIE_PX, grid.columns - 1, col)
        row = np.where(np.abs(row - grid.shape[0]) <= 2 * TIE_PX, grid.shape[0] - 1, row)
        on = (col >= 0) & (col < grid.columns) & (row >= 0) & (row < grid.shape[0])
    on[on] = ~grid.misplaces(x[on], y[on], col[on] - TIE_PX, row[on] - TIE_PX)
    _refuse(~on, x, y, f"outside {grid.name}")
    return Runs.from_pixels(row.astype(np.intp), col.astype(np.intp))


def _refuse(wrong: Any, lon: Any, lat: Any, what: str) -> None:  # noqa: ANN401
    if wrong.any():
        first = int(np.flatnonzero(wrong)[0])
        raise ArgumentError(
            f"{int(wrong.sum())} of {wrong.size} points are {what}; the first is number {first} "
            f"(from 0), at lon {lon[first]:.10g}, lat {lat[first]:.10g}"
        )


def runs_of(
    cdb: CraterDatabase, regions: str | Sequence[str], grid: Grid, coverage: str, stacklevel: int
) -> Runs:
    """The pixels of a grid that belong to some ROI of a database.

    Raises
    ------
    RegionError
        If there is no such region.
    CRSError
        If the grid is of another body.
    ArgumentError
        If `coverage` does not say yes or no of every pixel, or no ROI has any.

    Warns
    -----
    OutsideRasterWarning
        If some ROIs lie outside the raster.
    """
    if coverage not in ("all_touched", "center"):
        raise ArgumentError(f"coverage must be 'all_touched' or 'center' here, not {coverage!r}")
    if grid.body != cdb.body:
        raise CRSError(f"{grid.name}: is of {grid.body.name}, but the database of {cdb.body.name}")
    subject = cdb._subject(regions)
    if not len(subject):
        raise ArgumentError("the database has no features")
    rules = Rules("center" if coverage == "center" else "all_touched")
    joined = JoinedRegions(
        [engine_for(region, grid, subject.features, rules) for region in subject.regions.values()]
    )
    whole = np.array([0, grid.shape[0]]), np.array([0, grid.shape[1]])
    plan, selection = Plan(grid, whole, joined), Selection(joined)
    parts: list[Runs] = []
    held = 0
    for chunk in plan.chunks():
        for _, footprints in selection.footprints(chunk, Layers()):
            spans = footprints.spans
            parts.append(Runs.union([Runs(spans.row, spans.start, spans.stop)]))
            held += len(parts[-1])
            if held > MOST_RUNS:
                parts = [Runs.union(parts)]
                held = len(parts[0]) // 2
    chosen = Runs.union(parts)
    if not len(chosen):
        raise ArgumentError(
            f"{grid.name}: none of the {len(joined)} ROIs has a pixel of it (coverage={coverage!r})"
        )
    outside = int(plan.outside.sum())
    if outside:
        warnings.warn(
            f"{outside} of {len(joined)} ROIs lie outside {grid.name}, without any pixels",
            OutsideRasterWarning,
            stacklevel=stacklevel + 1,
        )
    return chosen
