"""What is read of a stack: bands of one raster at a time, the same here and on the workers of a cluster."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np

from craterkit.errors import ArgumentError
from craterkit.grids.alignment import grid_difference
from craterkit.series.reading import Reading
from craterkit.series.resampling import Resampling

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

    from craterkit.extraction.budget import Budget
    from craterkit.grids.base import Grid
    from craterkit.rasters.base import Band, Raster
    from craterkit.selection.runs import Runs
    from craterkit.series.reading import Values
    from craterkit.series.stack import Layer, Stack

    Bools = NDArray[np.bool_]
    Ints = NDArray[np.intp]

__all__ = [
    "LayerValues",
    "OpenRasters",
    "SeriesOptions",
    "Task",
    "Way",
    "layers_together",
    "tasks_of",
]


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


@dataclass(frozen=True, slots=True)
class LayerValues:
    """What was found in a layer.

    Attributes
    ----------
    number : int
        Which layer.
    values : (n,) ndarray
        The n pixels' values, scaled if that is asked for.
    missing : (n,) ndarray of bool or None
        Which of them are no data; None: none.
    unread : bool
        Whether some lie in blocks that could not be read.
    """

    number: int
    values: NDArray[Any]
    missing: Bools | None
    unread: bool = False


@dataclass(frozen=True)
class Task:
    """Bands of one raster that are read together.

    Attributes
    ----------
    raster : Raster
        The raster.
    numbers : sequence of int
        Which layers they are.
    bands : sequence of Band
        The bands.
    reading : Reading
        What is read of them.
    resampling : Resampling or None
        What makes of these the values on the selection's grid, if that is another one.
    options : SeriesOptions
        How values are read.
    """

    raster: Raster
    numbers: Sequence[int]
    bands: Sequence[Band]
    reading: Reading
    resampling: Resampling | None
    options: SeriesOptions

    @property
    def pixels_read(self) -> int:
        """Pixels that are decoded, of all bands."""
        return self.reading.pixels_read * len(self.bands)

    def results(self) -> Iterator[LayerValues]:
        """The values of the layers; `OpenRasters` closes the raster.

        Raises
        ------
        RasterError
            If a block cannot be read, unless such blocks are flagged.
        """
        flag = self.options.errors == "flag"
        found = self.reading.values(self.raster, self.bands, flag_unread=flag)
        for number, band, values in zip(self.numbers, self.bands, found, strict=True):
            yield self._of_layer(number, band, values)

    def _of_layer(self, number: int, band: Band, values: Values) -> LayerValues:
        scaled = self.options.scaled and band.is_scaled
        physical = band.physical(values.raw) if scaled else values.raw
        valid = values.valid
        if self.resampling is not None:
            valid = self.resampling.valid(values)
            physical = self.resampling.combine(physical, values.valid)
        missing = None if valid is None or valid.all() else ~valid
        return LayerValues(number, physical, missing, values.unread)


class OpenRasters:
    """Rasters that stay open from the first of some tasks that needs them to the last one's end.

    Parameters
    ----------
    tasks : sequence of Task
        The tasks, of which each is done once, in any thread.
    """

    def __init__(self, tasks: Sequence[Task]) -> None:
        self._rasters = {id(task.raster): task.raster for task in tasks}
        self._left = Counter(id(task.raster) for task in tasks)
        self._lock = Lock()

    def results(self, task: Task) -> Iterator[LayerValues]:
        """What `Task.results` gives; then the raster is closed, unless other tasks need it.

        Raises
        ------
        RasterError
            As `Task.results`; after all is given, if a file of the raster has changed meanwhile.
        """
        try:
            yield from task.results()
            task.raster.check_unchanged()
        finally:
            with self._lock:
                self._left[id(task.raster)] -= 1
                done = not self._left[id(task.raster)]
            if done:
                task.raster.close()

    def __enter__(self) -> OpenRasters:
        return self

    def __exit__(self, *exception: Any) -> None:  # noqa: ANN401
        for number, left in self._left.items():
            if left:
                self._rasters[number].__exit__(*exception)


@dataclass(frozen=True)
class Way:
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


def tasks_of(
    runs: Runs,
    grid: Grid | None,
    stack: Stack,
    options: SeriesOptions,
    budget: Budget,
    ways: list[Way] | None = None,
) -> list[Task]:
    """What is to be read; what rasters with equal grids and blocks share is found once.

    `ways` are those that are known already; new ones are added to them.
    """
    ways = [] if ways is None else ways
    tasks = []
    for raster, members in layers_together(stack):
        place = members[0][1].grid, raster.block_edges(), len(members)
        way = next((known for known in ways if known.serves(*place)), None)
        if way is None:
            resampling = _resampling(runs, grid, place[0], options.align)
            reading = Reading(resampling.runs if resampling else runs, *place[1:], budget)
            way = Way(*place, reading, resampling)
            ways.append(way)
        task = Task(
            raster,
            [number for number, _ in members],
            [layer.band for _, layer in members if layer.band is not None],
            way.reading,
            way.resampling,
            options,
        )
        tasks.append(task)
    return tasks


def layers_together(stack: Stack) -> Iterator[tuple[Raster, list[tuple[int, Layer]]]]:
    """Layers that are decoded together, with their numbers; those of one raster follow each other."""
    rasters: dict[int, tuple[Raster, list[tuple[int, Layer]]]] = {}
    for number, layer in enumerate(stack.layers):
        if layer.raster is not None:
            rasters.setdefault(id(layer.raster), (layer.raster, []))[1].append((number, layer))
    for raster, members in rasters.values():
        if raster.bands_share_blocks:
            yield raster, members
        else:
            yield from ((raster, [member]) for member in members)


def _resampling(runs: Runs, grid: Grid | None, other: Grid | None, align: str) -> Resampling | None:
    if align == "error" or grid is None or other is None:
        return None
    if not grid_difference(grid, other):
        return None
    make: Callable[[Grid, Runs, Grid], Resampling] = (
        Resampling.nearest if align == "nearest" else Resampling.bilinear
    )
    return make(grid, runs, other)
