"""What `PixelSelection.get_series` does: chosen pixels of every layer of a stack."""

from __future__ import annotations

import itertools
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from craterkit.errors import ArgumentError
from craterkit.extraction.walk import Interruption
from craterkit.grids.alignment import grid_difference
from craterkit.progress import Progress
from craterkit.rasters.gdal_settings import CallerSettings, block_cache
from craterkit.series.reading import Reading
from craterkit.series.resampling import Resampling

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

    from craterkit.extraction.execution import Execution
    from craterkit.grids.base import Grid
    from craterkit.rasters.base import Band, Raster
    from craterkit.selection.runs import Runs
    from craterkit.series.reading import Values
    from craterkit.series.stack import Layer, Stack

    Bools = NDArray[np.bool_]
    Ints = NDArray[np.intp]

__all__ = ["SeriesOptions", "read_series"]

#: Integers beyond this are no float64.
LARGEST_EXACT = 1 << 53


@dataclass(frozen=True, kw_only=True)
class SeriesOptions:
    """How the values of layers are read.

    Attributes
    ----------
    scaled : bool
        Whether scale and offset are applied.
    align : {"error", "nearest", "bilinear"}
        How values are found on another grid.
    errors : {"raise", "flag"}
        Whether what cannot be read is an error or no data.
    """

    scaled: bool = True
    align: str = "error"
    errors: str = "raise"

    def __post_init__(self) -> None:
        if self.errors not in ("raise", "flag"):
            raise ArgumentError(f"errors must be 'raise' or 'flag', not {self.errors!r}")


def read_series(
    runs: Runs,
    grid: Grid | None,
    stack: Stack,
    options: SeriesOptions,
    execution: Execution,
) -> NDArray[Any]:
    """The pixels' values in every layer.

    Parameters
    ----------
    runs : Runs
        The n pixels.
    grid : Grid or None
        Their grid; None if the layers are only known to have its shape.
    stack : Stack
        The t layers, which `check_same_grid` has compared.
    options : SeriesOptions
        How they are read.
    execution : Execution
        How the work is done.

    Returns
    -------
    (t, n) ndarray
        Of the layers' common dtype; where data are missing, NaN, for which integers become float64.

    Raises
    ------
    RasterError
        If a layer cannot be read.
    ArgumentError
        If integers beyond 2**53 and missing values meet.
    """
    table = _Table(stack, runs.pixels, options)
    caller = CallerSettings.here()
    interruption = Interruption()
    with ExitStack() as context:
        progress = context.enter_context(Progress(len(stack), "Series", show=execution.progress))
        context.enter_context(interruption)
        context.enter_context(block_cache(execution.budget.block_cache))
        tasks = _tasks(runs, grid, stack, options)
        for task in tasks:
            if not task.alone:
                context.enter_context(task.raster)

        def run(task: _Task) -> None:
            if interruption.asked:
                return
            with caller.applied():
                task.work(table)

        threads = execution.budget.threads
        pool = context.enter_context(ThreadPoolExecutor(threads))
        for task, _ in zip(tasks, pool.map(run, tasks), strict=True):
            progress.advance(len(task.bands), task.reading.pixels_read * len(task.bands))
        progress.advance(len(stack) - len(stack.readable))
    if interruption.asked:
        raise KeyboardInterrupt
    return table.finished()


@dataclass(frozen=True)
class _Task:
    """Bands of one raster that are read together; `alone` if no other task needs the raster."""

    raster: Raster
    numbers: Sequence[int]
    bands: Sequence[Band]
    reading: Reading
    resampling: Resampling | None
    alone: bool
    flag: bool

    def work(self, table: _Table) -> None:
        with self.raster if self.alone else nullcontext():
            found = self.reading.values(self.raster, self.bands, flag_unread=self.flag)
        for number, values in zip(self.numbers, found, strict=True):
            table.put(number, values, self.resampling)


@dataclass(frozen=True)
class _Way:
    """How rasters with one grid and equal blocks are read, so many bands at a time."""

    grid: Grid | None
    edges: tuple[Ints, Ints]
    bands: int
    reading: Reading
    resampling: Resampling | None

    def serves(self, grid: Grid | None, edges: tuple[Ints, Ints], bands: int) -> bool:
        """Whether another raster is read in the same way."""
        if bands != self.bands or not all(map(np.array_equal, edges, self.edges)):
            return False
        if grid is None or self.grid is None:
            return grid is self.grid
        return not grid_difference(grid, self.grid)


def _tasks(runs: Runs, grid: Grid | None, stack: Stack, options: SeriesOptions) -> list[_Task]:
    """What is to be read; what rasters with equal grids and blocks share is found once."""
    ways: list[_Way] = []
    tasks = []
    for raster, members in _together(stack):
        place = members[0][1].grid, raster.block_edges(), len(members)
        way = next((known for known in ways if known.serves(*place)), None)
        if way is None:
            resampling = _resampling(runs, grid, place[0], options.align)
            reading = Reading(resampling.runs if resampling else runs, *place[1:])
            way = _Way(*place, reading, resampling)
            ways.append(way)
        task = _Task(
            raster,
            [number for number, _ in members],
            [layer.band for _, layer in members if layer.band is not None],
            way.reading,
            way.resampling,
            alone=sum(other.raster is raster for other in stack.layers) == len(members),
            flag=options.errors == "flag",
        )
        tasks.append(task)
    return tasks


def _together(stack: Stack) -> Iterator[tuple[Raster, list[tuple[int, Layer]]]]:
    """Layers that are decoded together, with their numbers."""
    apart = itertools.count()
    groups: dict[Any, tuple[Raster, list[tuple[int, Layer]]]] = {}
    for number, layer in enumerate(stack.layers):
        raster = layer.raster
        if raster is not None:
            key = ("one", id(raster)) if raster.bands_share_blocks else ("other", next(apart))
            groups.setdefault(key, (raster, []))[1].append((number, layer))
    yield from groups.values()


def _resampling(runs: Runs, grid: Grid | None, other: Grid | None, align: str) -> Resampling | None:
    if align == "error" or grid is None or other is None:
        return None
    if not grid_difference(grid, other):
        return None
    make: Callable[[Grid, Runs, Grid], Resampling] = (
        Resampling.nearest if align == "nearest" else Resampling.bilinear
    )
    return make(grid, runs, other)


class _Table:
    """The values of all layers, filled in by any thread in any order."""

    def __init__(self, stack: Stack, size: int, options: SeriesOptions) -> None:
        self._stack = stack
        self._scaled = options.scaled
        dtype = stack.dtype(scaled=options.scaled)
        if options.align == "bilinear":
            dtype = np.result_type(dtype, np.float64)
        self._values = np.empty((len(stack), size), dtype=dtype)
        self._missing: dict[int, Bools] = {}
        for number, layer in enumerate(stack.layers):
            if not layer.is_readable:
                self._miss(number, np.ones(size, dtype=np.bool_))

    def put(self, number: int, values: Values, resampling: Resampling | None) -> None:
        """Store the values of a layer."""
        band = self._stack.layers[number].band
        assert band is not None
        scaled = self._scaled and band.is_scaled
        physical = band.physical(values.raw) if scaled else values.raw
        valid = values.valid
        if resampling is not None:
            valid = resampling.valid(values)
            physical = resampling.combine(physical, values.valid)
        self._values[number] = physical
        if valid is not None and not valid.all():
            self._miss(number, ~valid)

    def _miss(self, number: int, missing: Bools) -> None:
        if self._values.dtype.kind == "f":
            self._values[number, missing] = np.nan
        else:
            self._missing[number] = missing

    def finished(self) -> NDArray[Any]:
        """All values."""
        if not self._missing:
            return self._values
        dtype = self._values.dtype
        if dtype.itemsize == 8 and self._beyond_float():
            raise ArgumentError(
                "rasters: some pixels have no data, for which integers become float64, but others hold "
                "integers beyond 2**53, which float64 does not hold; leave the former out of the selection"
            )
        values = self._values.astype(np.float64)
        for number, missing in self._missing.items():
            values[number, missing] = np.nan
        return values

    def _beyond_float(self) -> bool:
        for number, values in enumerate(self._values):
            missing = self._missing.get(number)
            held = values if missing is None else values[~missing]
            if held.size and max(int(held.max()), -int(held.min())) > LARGEST_EXACT:
                return True
        return False
