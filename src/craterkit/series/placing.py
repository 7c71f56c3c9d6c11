"""Stacks on the grid of a selection, of which it may not be known where on a body it lies."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from craterkit.bodies import Body
from craterkit.coordinates import CoordinateSystem
from craterkit.errors import ArgumentError, CRSError, quoted
from craterkit.grids.base import make_grid
from craterkit.selection.placement import place
from craterkit.series.opening import open_stack
from craterkit.series.stack import Stack, check_same_grid
from craterkit.statistics.moments import Need
from craterkit.statistics.registry import Statistic

if TYPE_CHECKING:
    from craterkit.grids.base import Grid
    from craterkit.selection.placement import Placement
    from craterkit.series.stack import Layer
    from craterkit.series.tasks import SeriesOptions
    from craterkit.statistics.registry import Request

__all__ = ["check_needs_no_ground", "off_ground", "open_like"]

#: How many degrees the longer side of a grid spans that lies on no body.
SPAN = 90.0


def open_like(
    placement: Placement,
    rasters: object,
    times: object,
    options: SeriesOptions,
    **how: Any,  # noqa: ANN401
) -> Stack:
    """Open a stack and compare it with a selection; all is checked that can be before pixels are read.

    Parameters
    ----------
    placement : Placement
        Where the selection's pixels lie. If that is not known on a body, rasters are compared with what
        is known; if that is their shape only, with the first of them that says where it lies.
    rasters, times
        As `open_stack` takes them.
    options : SeriesOptions
        How values are read.
    **how
        For `open_stack`.

    Raises
    ------
    ArgumentError
        If rasters are not on the grid, and are not to be resampled or cannot be.
    RasterError, CRSError
        As `open_stack`.
    """
    like = None if placement.grid is None else placement
    stack = open_stack(placement.body, rasters, times, errors=options.errors, like=like, **how)
    why_not = ""
    if placement.grid is None and options.align != "error":
        why_not = f"; align={options.align!r} needs to know where both lie on a body, but {placement.why_not}"
    check_same_grid(
        stack,
        placement.shape if placement.grid is None else placement.grid,
        placement.name,
        align=options.align,
        why_not=why_not,
    )
    if placement.grid is None:
        _check_places(placement, stack, why_not)
    return stack


def _check_places(placement: Placement, stack: Stack, why_not: str) -> None:
    """Raise if rasters lie elsewhere, as far as is known, than the selection or than each other."""
    reference = None if placement.transform is None else placement
    for layer in {id(layer.raster): layer for layer in stack.readable}.values():
        own = _place_of(layer)
        if own is None or own.transform is None:
            continue
        if reference is None:
            reference = own
            continue
        compared = reference, own
        if own.crs is None or (reference is not placement and reference.crs is None):
            compared = _without_crs(reference), _without_crs(own)
        if difference := compared[0].difference(compared[1]):
            raise ArgumentError(
                f"rasters: {own.name} is not on the grid of {reference.name}: {difference}{why_not}"
            )
        if reference is not placement and reference.crs is None:
            reference = own


def _place_of(layer: Layer) -> Placement | None:
    """Where a raster lies; None if its coordinates are none of a raster."""
    assert layer.raster is not None
    told = layer.spec.crs, layer.spec.transform
    try:
        return place(layer.raster, None, *told)
    except CRSError:
        if told != (None, None):
            raise
        return None


def _without_crs(placement: Placement) -> Placement:
    return replace(placement, crs=None, grid=None)


def off_ground(placement: Placement, stack: Stack) -> tuple[Grid, Stack]:
    """Have the layers of a stack lie on a grid of no real body, for statistics that need no ground.

    Parameters
    ----------
    placement : Placement
        Of the selection.
    stack : Stack
        Layers of the same shape.

    Returns
    -------
    grid : Grid
        Of their shape, without seam or pole.
    stack : Stack
        The same layers on it.
    """
    from affine import Affine

    rows, columns = placement.shape
    step = SPAN / max(rows, columns)
    transform = Affine(step, 0.0, 0.0, 0.0, -step, step * rows / 2)
    system = CoordinateSystem(body=Body("no body", 1.0))
    grid = make_grid(placement.shape, transform, system, placement.name)
    layers = tuple(
        replace(layer, grid=grid, spec=replace(layer.spec, crs=system, transform=transform))
        for layer in stack.layers
    )
    return grid, replace(stack, layers=layers)


def check_needs_no_ground(placement: Placement, request: Request, weights: object) -> None:
    """Raise if statistics are asked for that need to know where pixels lie on a body.

    Raises
    ------
    CRSError
        Names them, and says what is not known.
    """
    names = [
        item.name
        for item in request.items
        if isinstance(item, Statistic) and (Need.AREAS in item.need or Need.PLACES in item.need)
    ]
    if names:
        raise CRSError(
            f"stats: {quoted(names)} cannot be had without the ground that pixels lie on: "
            f"{placement.why_not}"
        )
    if weights is not None:
        what = '"area"' if isinstance(weights, str) and weights == "area" else "a raster as weight"
        raise CRSError(
            f"weights: {what} cannot be had without the ground that pixels lie on: "
            f"{placement.why_not}"
        )
