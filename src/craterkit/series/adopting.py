"""Rasters that do not say where they lie, taken to lie where a selection of their shape does."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from craterkit.errors import ArgumentError
from craterkit.rasters.base import as_affine
from craterkit.rasters.opening import open_raster
from craterkit.selection.placement import Placement

if TYPE_CHECKING:
    from craterkit.extraction.sources import SourceSpec

__all__ = ["placed_like"]


def placed_like(spec: SourceSpec, like: Placement) -> SourceSpec:
    """Give a raster the place of another one of its shape, as far as it has none.

    Parameters
    ----------
    spec : SourceSpec
        The raster.
    like : Placement
        What lies on a body.

    Returns
    -------
    SourceSpec
        The same if the raster says where it lies, if it has another shape, or if it has another affine
        transform and no CRS: that of `like` would be a guess then.

    Raises
    ------
    RasterError
        If it cannot be opened.
    ArgumentError
        If it has neither a transform nor the same shape.
    """
    grid = like.known_grid
    with open_raster(spec.given, spec.label) as raster:
        has_crs = spec.crs is not None or raster.crs not in (None, "")
        transform = raster.transform if spec.transform is None else as_affine(spec.transform)
        if transform is None and raster.shape != grid.shape:
            (rows, columns), (height, width) = raster.shape, grid.shape
            raise ArgumentError(
                f"rasters: {raster.name} is not on the grid of {like.name}: it has {rows} x {columns} "
                f"pixels, not {height} x {width}, and does not say where these lie"
            )
        if raster.shape != grid.shape or (has_crs and transform is not None):
            return spec
    if transform is not None:
        own, other = (
            Placement(name, grid.shape, affine, None, None)
            for name, affine in ((like.name, grid.transform), (spec.label, transform))
        )
        return spec if own.difference(other) else replace(spec, crs=grid.system)
    return replace(spec, transform=grid.transform, crs=spec.crs if has_crs else grid.system)
