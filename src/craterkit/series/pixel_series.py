"""What `PixelSelection.get_series` does: chosen pixels of every layer of a stack."""

from __future__ import annotations

from contextlib import ExitStack, closing
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np

from craterkit.daemon_threads import DaemonThreads, result_of
from craterkit.errors import ArgumentError
from craterkit.extraction.walk import Interruption
from craterkit.progress import Progress
from craterkit.rasters.gdal_settings import CallerSettings, block_cache
from craterkit.series.tasks import OpenRasters, tasks_of

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

__all__ = ["read_series", "values_dtype"]

#: Integers beyond this are no float64.
LARGEST_EXACT = 1 << 53

#: Why integers become float64, and what to do where that would round them.
_GAPS = (
    "some pixels have no data, for which integers become float64; leave these out of the selection"
)
_COMMON = (
    "all values are float64, since the dtypes of the rasters, a scale or align='bilinear' want that; read "
    "this raster by itself"
)
_GIVEN = (
    "values are float64, since pixels may have no data, or other rasters want that; with neither out= nor "
    "chunks= integers stay what they are as long as no pixel lacks data"
)


def values_dtype(stack: Stack, options: SeriesOptions) -> np.dtype[Any]:
    """The dtype of the values if none is missing."""
    dtype = stack.dtype(scaled=options.scaled)
    return np.result_type(dtype, np.float64) if options.align == "bilinear" else dtype


def read_series(
    runs: Runs,
    grid: Grid | None,
    stack: Stack,
    options: SeriesOptions,
    execution: Execution,
    cluster: SeriesCluster | None = None,
    dtype: np.dtype[Any] | None = None,
    unread: set[int] | None = None,
) -> NDArray[Any]:
    """The pixels' values in every layer.

    Beside them memory holds what the threads read: for each, a few million pixels or one row of
    blocks, and a layer's values.

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
    dtype : numpy.dtype, optional
        What the values are to be, one that holds all values and NaN where data may be missing. By
        default the layers' common dtype, or float64 if that is one of integers and data are missing.
    unread : set of int, optional
        Gets the numbers of layers of which blocks with some of the pixels could not be read.

    Returns
    -------
    (t, n) ndarray
        NaN where data are missing.

    Raises
    ------
    RasterError
        If a layer cannot be read, or a file has changed since the stack was opened.
    ArgumentError
        If values are float64, for any of these reasons, and an integer beyond 2**53 is among them.
    ClusterError
        If the cluster cannot do its work.
    """
    table = _Table(stack, runs.pixels, options, dtype)
    with ExitStack() as context:
        progress = context.enter_context(Progress(len(stack), "Series", show=execution.progress))
        interruption = context.enter_context(Interruption())
        if cluster is None:
            tasks = tasks_of(runs, grid, stack, options, execution.budget)
            done = _put_by_threads(tasks, table, execution.budget, interruption)
        else:
            results = cluster.results(runs, grid, stack, options, execution.budget, interruption)
            done = _put(results, table)
        for layers, pixels in context.enter_context(closing(done)):
            progress.advance(layers, pixels)
        progress.advance(len(stack) - len(stack.readable))
    if interruption.asked:
        raise KeyboardInterrupt
    stack.check_unchanged()
    if unread is not None:
        unread |= table.unread
    return table.values


def _put_by_threads(
    tasks: list[Task], table: _Table, budget: Budget, interruption: Interruption
) -> Generator[tuple[int, int], None, None]:
    """Read all layers into a table; gives how many layers, and pixels of these, come at a time."""
    caller = CallerSettings.here()

    def run(task: Task) -> None:
        if interruption.asked:
            return
        with caller.applied():
            for found in rasters.results(task):
                table.put(found)

    with (
        block_cache(budget.block_cache),
        OpenRasters(tasks) as rasters,
        DaemonThreads(budget.threads) as pool,
    ):
        for task, future in [(task, pool.submit(run, task)) for task in tasks]:
            result_of(future)
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
    """The values of all layers, filled in by any thread in any order.

    Integers become float64 once the first of them is missing.
    """

    def __init__(
        self, stack: Stack, size: int, options: SeriesOptions, dtype: np.dtype[Any] | None
    ) -> None:
        common = values_dtype(stack, options)
        self._layers = stack.layers
        self._why = _GIVEN if dtype is not None else _COMMON if common.kind == "f" else _GAPS
        self._flat = np.empty(len(stack) * size, dtype=common if dtype is None else dtype)
        self._shape = len(stack), size
        self._held: set[int] = set()
        self.unread: set[int] = set()
        # While the table may be widened, nobody else may write to it.
        self._lock = Lock()
        unreadable = [i for i, layer in enumerate(stack.layers) if not layer.is_readable]
        if unreadable:
            self._widen()
            self.values[unreadable] = np.nan

    @property
    def values(self) -> NDArray[Any]:
        """All values."""
        return self._flat.reshape(self._shape)

    def put(self, found: LayerValues) -> None:
        """Store the values of a layer."""
        if found.unread:
            self.unread.add(found.number)
        if self._flat.dtype.kind == "f":
            self._put_floats(found)
            return
        with self._lock:
            if found.missing is not None:
                self._widen()
            if self._flat.dtype.kind != "f":
                self.values[found.number] = found.values
                self._held.add(found.number)
                return
        self._put_floats(found)

    def _put_floats(self, found: LayerValues) -> None:
        if found.values.dtype.kind != "f" and self._flat.dtype == np.float64:
            self._check(found.number, found.values, found.missing)
        row = self.values[found.number]
        row[...] = found.values
        if found.missing is not None:
            row[found.missing] = np.nan

    def _widen(self) -> None:
        """Make all values float64 in their place: beside them only a layer is held."""
        if self._flat.dtype.kind == "f":
            return
        for number in self._held:
            self._check(number, self.values[number], None)
        rows, size = self._shape
        flat = self._flat
        flat.resize(flat.size * np.dtype(np.float64).itemsize // flat.itemsize, refcheck=False)
        wide = flat.view(np.float64)
        # From the last on, since no row reaches into those before it.
        for number in reversed(range(rows)):
            own = slice(number * size, (number + 1) * size)
            if number in self._held:
                wide[own] = flat[own].astype(np.float64)
        self._flat = wide

    def _check(self, number: int, values: NDArray[Any], missing: Bools | None) -> None:
        """Raise if float64 does not hold a layer's integers."""
        if values.dtype.itemsize < 8:
            return
        held = values if missing is None else values[~missing]
        if held.size and max(int(held.max()), -int(held.min())) > LARGEST_EXACT:
            raise ArgumentError(
                f"rasters: {self._layers[number].name} holds integers beyond 2**53, which float64 does not "
                f"hold, but {self._why}"
            )
