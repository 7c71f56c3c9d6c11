"""Stacks: bands of rasters of one place at different times."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from craterkit.errors import ArgumentError
from craterkit.extraction.sources import Source
from craterkit.grids.alignment import grid_difference

if TYPE_CHECKING:
    import pandas as pd

    from craterkit.extraction.sources import SourceSpec
    from craterkit.grids.base import Grid
    from craterkit.rasters.base import Band, Raster

__all__ = ["ALIGNMENTS", "Layer", "Stack", "check_same_grid"]

#: What may be done with rasters on another grid.
ALIGNMENTS = ("error", "nearest", "bilinear")

#: Rasters that a message names beside the first.
NAMED = 3


@dataclass(frozen=True, slots=True)
class Layer:
    """One band of a raster at one time.

    Attributes
    ----------
    time : object
        Its time, as the index of the stack has it.
    name : str
        What messages call it.
    spec : SourceSpec
        The raster as the user gave it, with this band only; it can be opened elsewhere.
    raster : Raster or None
        The raster, closed, which bands of one raster share; None if it cannot be opened.
    band : Band or None
        The band; None if the raster cannot be opened.
    grid : Grid or None
        Where its pixels lie; None if that is not known.
    problem : str
        Why the raster cannot be opened; empty if it can.
    """

    time: Any
    name: str
    spec: SourceSpec
    raster: Raster | None
    band: Band | None
    grid: Grid | None
    problem: str = ""

    @property
    def is_readable(self) -> bool:
        """Whether the raster could be opened."""
        return self.raster is not None

    @property
    def source(self) -> Source | None:
        """The layer as a raster of its own; None if it cannot be opened or is not placed on a body."""
        if self.raster is None or self.band is None or self.grid is None:
            return None
        return Source(self.spec, self.raster, self.grid, [self.band], [""])


@dataclass(frozen=True)
class Stack:
    """Layers in order of time.

    Attributes
    ----------
    layers : tuple of Layer
        One for each time.
    times : pandas.Index
        Their times, named ``"time"``: a DatetimeIndex, numbers or texts.
    times_from : str
        Where these are from: ``"argument"``, ``"keys"`` (of a dict), ``"coordinate"`` (the time axis of
        a netCDF, Zarr or labelled raster), ``"metadata"`` (tags of files or bands), ``"bands"`` (their
        descriptions or numbers), ``"names"`` (dates in names of files), ``"stems"`` (names of files,
        as texts) or ``"order"`` (numbers from 1).
    times_detail : str
        Which tag or axis that is, or why there are no dates.
    """

    layers: tuple[Layer, ...]
    times: pd.Index
    times_from: str
    times_detail: str = ""

    def __len__(self) -> int:
        return len(self.layers)

    @property
    def readable(self) -> list[Layer]:
        """The layers whose rasters can be opened."""
        return [layer for layer in self.layers if layer.is_readable]

    def check_unchanged(self) -> None:
        """Raise if a file of a raster has changed; see `Raster.check_unchanged`."""
        for raster in {id(layer.raster): layer.raster for layer in self.layers}.values():
            if raster is not None:
                raster.check_unchanged()

    @property
    def attrs(self) -> dict[str, str]:
        """Where the times are from, for the attributes of a table."""
        return {"times_from": self.times_from, "times_detail": self.times_detail}

    def dtype(self, *, scaled: bool = True) -> np.dtype[Any]:
        """The dtype that holds the values of all readable layers, if none is missing.

        float64 if none is readable, or any of them has a scale or offset and `scaled` is true; else
        what NumPy makes of the dtypes of the raw numbers: float64 for, say, int64 and uint64, which
        does not hold all of their integers beyond 2**53.
        """
        bands = [layer.band for layer in self.layers if layer.band is not None]
        if not bands or (scaled and any(band.is_scaled for band in bands)):
            return np.dtype(np.float64)
        return np.result_type(*(band.dtype for band in bands))


def check_same_grid(
    stack: Stack,
    reference: Grid | tuple[int, int],
    name: str,
    *,
    align: str = "error",
    why_not: str = "",
) -> None:
    """Raise unless all readable layers are on one grid.

    Parameters
    ----------
    stack : Stack
        The layers.
    reference : Grid or tuple of int
        The grid; or rows and columns, where only these are known.
    name : str
        What messages call the raster that has it.
    align : {"error", "nearest", "bilinear"}
        Other grids of the same body are accepted unless it is ``"error"``; `open_stack` has checked
        the body.
    why_not : str
        Why rasters cannot be resampled, where only shapes are known; the end of a message.

    Raises
    ------
    ArgumentError
        If one is not: which, how it differs, and how many others do. With another `align`, if only
        shapes are known and they differ.
    """
    if align not in ALIGNMENTS:
        raise ArgumentError(
            f"align must be one of {', '.join(map(repr, ALIGNMENTS))}, not {align!r}"
        )
    different: dict[int, tuple[str, str]] = {}
    rasters: set[int] = set()
    placed = not isinstance(reference, tuple)
    for layer in stack.layers:
        if layer.raster is None or id(layer.raster) in rasters:
            continue
        rasters.add(id(layer.raster))
        difference = _difference(layer, reference, align)
        if difference:
            different[id(layer.raster)] = layer.name, difference
    if not different:
        return
    (first, difference), *others = different.values()
    more = ""
    if others:
        listed = ", ".join(other for other, _ in others[:NAMED])
        more = (
            f"; so are {len(others)} others of the {len(rasters)} rasters ({listed}"
            f"{', ...' if len(others) > NAMED else ''})"
        )
    advice = '; align="nearest" or align="bilinear" resamples them' if placed else why_not
    raise ArgumentError(
        f"rasters: {first} is not on the grid of {name}: {difference}{more}{advice}"
    )


def _difference(layer: Layer, reference: Grid | tuple[int, int], align: str) -> str:
    if layer.raster is None:
        return ""
    if not isinstance(reference, tuple) and layer.grid is not None:
        return "" if align != "error" else grid_difference(reference, layer.grid)
    shape = reference if isinstance(reference, tuple) else reference.shape
    if layer.raster.shape == shape:
        return ""
    rows, columns = layer.raster.shape
    return f"it has {rows} x {columns} pixels, not {shape[0]} x {shape[1]}"
