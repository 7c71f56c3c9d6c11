"""What `PixelSelection.get_series` does: chosen pixels of every layer of a stack."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from typing import TYPE_CHECKING, Any

import numpy as np

from craterkit.errors import ArgumentError
from craterkit.extraction.walk import Interruption
from craterkit.progress import Progress
from craterkit.rasters.gdal_settings import CallerSettings, block_cache
from craterkit.series.tasks import open_shared, tasks_of

if TYPE_CHECKING:
    from collections.abc import Generator

    from numpy.typing import NDArray

    from craterkit.extraction.budget import Budget
    from craterkit.extraction.execution import Execution
    from craterkit.grids.base import Grid
    from craterkit.selection.runs import Runs
    from craterkit.series.series_cluster import SeriesCluster
    from craterkit.series.stack import Stack
    from craterkit.series.tasks import LayerValues, SeriesOptions, Task

    Bools = NDArray[np.bool_]

__all__ = ["read_series"]

#: Integers beyond this are no float64.
LARGEST_EXACT = 1 << 53


def read_series(
    runs: Runs,
    grid: Grid | None,
    stack: Stack,
    options: SeriesOptions,
    execution: Execution,
    cluster: SeriesCluster | None = None,
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
    cluster : SeriesCluster, optional
        Whose workers do it; else threads of this process.

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
    ClusterError
        If the cluster cannot do its work.
    """
    table = _Table(stack, runs.pixels, options)
    with ExitStack() as context:
        progress = context.enter_context(Progress(len(stack), "Series", show=execution.progress))
        interruption = context.enter_context(Interruption())
        if cluster is None:
            tasks = tasks_of(runs, grid, stack, options)
            done = _put_by_threads(tasks, table, execution.budget, interruption)
        else:
            results = cluster.results(runs, grid, stack, options, execution.budget, interruption)
            done = _put(results, table)
        for layers, pixels in context.enter_context(closing(done)):
            progress.advance(layers, pixels)
        progress.advance(len(stack) - len(stack.readable))
    if interruption.asked:
        raise KeyboardInterrupt
    return table.finished()


def _put_by_threads(
    tasks: list[Task], table: _Table, budget: Budget, interruption: Interruption
) -> Generator[tuple[int, int], None, None]:
    """Read all layers into a table; gives how many layers, and pixels of these, come at a time."""
    caller = CallerSettings.here()

    def run(task: Task) -> None:
        if interruption.asked:
            return
        with caller.applied():
            for found in task.results():
                table.put(found)

    with (
        block_cache(budget.block_cache),
        open_shared(tasks),
        ThreadPoolExecutor(budget.threads) as pool,
    ):
        for task, _ in zip(tasks, pool.map(run, tasks), strict=True):
            yield len(task.bands), task.pixels_read


def _put(
    results: Generator[tuple[list[LayerValues], int], None, None], table: _Table
) -> Generator[tuple[int, int], None, None]:
    """Store what workers found, as `_put_by_threads`."""
    with closing(results):
        for found, pixels in results:
            for layer in found:
                table.put(layer)
            yield len(found), pixels


class _Table:
    """The values of all layers, filled in by any thread in any order."""

    def __init__(self, stack: Stack, size: int, options: SeriesOptions) -> None:
        dtype = stack.dtype(scaled=options.scaled)
        if options.align == "bilinear":
            dtype = np.result_type(dtype, np.float64)
        self._values = np.empty((len(stack), size), dtype=dtype)
        self._missing: dict[int, Bools] = {}
        for number, layer in enumerate(stack.layers):
            if not layer.is_readable:
                self._miss(number, np.ones(size, dtype=np.bool_))

    def put(self, found: LayerValues) -> None:
        """Store the values of a layer."""
        self._values[found.number] = found.values
        if found.missing is not None:
            self._miss(found.number, found.missing)

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
