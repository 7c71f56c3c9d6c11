"""Series that need not fit in memory: written as Parquet, or read when asked for."""

from __future__ import annotations

from dataclasses import replace
from importlib import import_module
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from craterkit.errors import ArgumentError
from craterkit.extraction.execution import Execution
from craterkit.results.result_files import metadata, result_path, write_result
from craterkit.series.pixel_series import read_series

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from craterkit.grids.base import Grid
    from craterkit.selection.runs import Runs
    from craterkit.series.series_cluster import SeriesCluster
    from craterkit.series.stack import Stack
    from craterkit.series.tasks import SeriesOptions

    Ints = NDArray[np.intp]

__all__ = ["lazy_series", "pixel_places", "write_series"]

#: What the metadata of a file say that it holds.
CONTENT = "series"

#: Pixels of a row group at most.
GROUP_PIXELS = 1 << 20


def dtype_of(stack: Stack, options: SeriesOptions) -> np.dtype[Any]:
    """The dtype that holds whatever the layers may turn out to have."""
    dtype = stack.dtype(scaled=options.scaled)
    gaps = options.align != "error" or len(stack.readable) < len(stack) or options.errors == "flag"
    for layer in stack.layers:
        band = layer.band
        if band is not None and band.may_lack:
            gaps = True
    return np.dtype(np.float64) if gaps and dtype.kind != "f" else dtype


def pixel_places(runs: Runs, grid: Grid | None, labels: Ints) -> dict[str, NDArray[Any]]:
    """Row, column, area and, if known, longitude and latitude of every pixel."""
    from craterkit.bodies import wrap_longitude

    places: dict[str, NDArray[Any]] = {"row": runs.rows, "col": runs.cols, "area": labels}
    if grid is not None:
        lon, lat = grid.to_body(places["col"] + 0.5, places["row"] + 0.5)
        places |= {"lon": wrap_longitude(lon), "lat": lat}
    return places


def write_series(
    out: object,
    runs: Runs,
    grid: Grid | None,
    labels: Ints,
    stack: Stack,
    options: SeriesOptions,
    execution: Execution,
    cluster: SeriesCluster | None = None,
) -> Path:
    """Write one row a pixel, with its place and a column for every time; some pixels at a time."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = result_path(out, CONTENT)
    dtype = dtype_of(stack, options)
    names = [str(time) for time in stack.times]
    if repeated := sorted({name for name in names if names.count(name) > 1}):
        raise ArgumentError(f"times: two columns would be called {repeated[0]!r}")
    some = max(1, min(GROUP_PIXELS, execution.budget.memory // 4 // (len(stack) * 8)))

    def table(first: int) -> pa.Table:
        part = runs.portion(first, first + some)
        columns = pixel_places(part, grid, labels[first : first + some])
        values = read_series(part, grid, stack, options, execution, cluster)
        columns |= dict(zip(names, values.astype(dtype, copy=False), strict=True))
        about = metadata(CONTENT, 1, times=names, **stack.attrs)
        return pa.table(columns).replace_schema_metadata(about)

    def write(file: BinaryIO) -> None:
        first = table(0)
        with pq.ParquetWriter(file, first.schema, compression="zstd") as writer:
            writer.write_table(first)
            for start in range(some, runs.pixels, some):
                writer.write_table(table(start))

    write_result(path, write)
    return path


def lazy_series(
    runs: Runs, grid: Grid | None, stack: Stack, options: SeriesOptions, layers: int
) -> Any:  # noqa: ANN401
    """A Dask array of all values, of which so many layers are read at a time, once they are needed."""
    da: Any = import_module("dask.array")
    dask: Any = import_module("dask")
    dtype = dtype_of(stack, options)
    execution = Execution(n_jobs=1, progress=False)

    def read(part: Stack) -> NDArray[Any]:
        return read_series(runs, grid, part, options, execution).astype(dtype, copy=False)

    blocks = []
    for start in range(0, len(stack), layers):
        own = slice(start, start + layers)
        part = replace(stack, layers=stack.layers[own], times=stack.times[own])
        shape = len(part), runs.pixels
        blocks.append(da.from_delayed(dask.delayed(read, pure=False)(part), shape, dtype))
    return da.concatenate(blocks)
