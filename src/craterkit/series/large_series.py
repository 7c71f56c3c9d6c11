"""Series that need not fit in memory: written as Parquet, or read when asked for."""

from __future__ import annotations

import json
from dataclasses import replace
from importlib import import_module
from itertools import pairwise
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple

import numpy as np

from craterkit.errors import ArgumentError
from craterkit.extraction.execution import Execution
from craterkit.grids.alignment import grid_difference
from craterkit.results.parquet import ATTRS_KEY
from craterkit.results.result_files import metadata, result_path, write_result
from craterkit.series.pixel_series import read_series, values_dtype
from craterkit.series.portions import Portions

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import pyarrow as pa
    from numpy.typing import NDArray

    from craterkit.grids.base import Grid
    from craterkit.selection.runs import Runs
    from craterkit.series.series_cluster import RemoteLayers, SeriesCluster
    from craterkit.series.stack import Stack
    from craterkit.series.tasks import SeriesOptions

    Ints = NDArray[np.intp]

__all__ = ["check_chunks", "lazy_series", "pixel_places", "series_path", "write_series"]

#: What the metadata of a file say that it holds.
CONTENT = "series"

#: Columns that tell where a pixel lies.
PLACES = ("row", "col", "area", "lon", "lat")

#: Pixels of a row group at most, and at least whatever the memory.
GROUP_PIXELS, LEAST_GROUP = 1 << 20, 1 << 14

#: Bytes that a pixel's place takes while it is worked out and written.
BYTES_PLACED = 160


def dtype_of(stack: Stack, options: SeriesOptions, grid: Grid | None) -> np.dtype[Any]:
    """The dtype that holds whatever the layers may turn out to have: float64 if data may be missing."""
    dtype = values_dtype(stack, options)
    if dtype.kind == "f" or not _may_lack(stack, options, grid):
        return dtype
    return np.dtype(np.float64)


def _may_lack(stack: Stack, options: SeriesOptions, grid: Grid | None) -> bool:
    if options.errors == "flag" or len(stack.readable) < len(stack):
        return True
    if any(layer.band is not None and layer.band.may_lack for layer in stack.layers):
        return True
    if grid is None or options.align == "error":
        return False
    grids = {id(layer.raster): layer.grid for layer in stack.layers}.values()
    return any(other is not None and bool(grid_difference(grid, other)) for other in grids)


def pixel_places(runs: Runs, labels: Ints, grid: Grid | None) -> dict[str, NDArray[Any]]:
    """Row, column, area and, if known, longitude and latitude of every pixel."""
    from craterkit.bodies import wrap_longitude

    places: dict[str, NDArray[Any]] = {"row": runs.rows, "col": runs.cols, "area": labels}
    if grid is not None:
        lon, lat = grid.to_body(places["col"] + 0.5, places["row"] + 0.5)
        places |= {"lon": wrap_longitude(lon), "lat": lat}
    return places


def series_path(out: object, stack: Stack) -> Path:
    """The argument `out` as the path of a file that `write_series` may write.

    Raises
    ------
    ArgumentError
        If it is none, or is of something else; if two columns would have one name.
    """
    path = result_path(out, CONTENT)
    names = [str(time) for time in stack.times]
    if repeated := sorted({name for name in names if names.count(name) > 1}):
        raise ArgumentError(f"times: two columns would be called {repeated[0]!r}")
    if taken := [name for name in names if name in PLACES]:
        raise ArgumentError(
            f"times: {taken[0]!r} would be the name of two columns, since that of the pixels' places "
            "has it, too; give other times="
        )
    return path


def write_series(
    path: Path,
    runs: Runs,
    run_labels: Ints,
    grid: Grid | None,
    stack: Stack,
    options: SeriesOptions,
    execution: Execution,
    cluster: SeriesCluster | None = None,
    unread: set[int] | None = None,
    attrs: Mapping[str, Any] | None = None,
) -> Path:
    """Write one row a pixel, with its place and a column for every time; some pixels at a time.

    Blocks are decoded once if half of the memory holds the values of a row of blocks, of all layers;
    else once for each portion into which such a row is cut.

    Parameters
    ----------
    path : Path
        The file, as `series_path` gives it.
    runs : Runs
        The pixels.
    run_labels : (r,) ndarray of int
        The area of each run.
    grid, stack, options, execution, cluster, unread
        As in `read_series`.
    attrs : mapping, optional
        The attributes that pandas is to give the table that it reads from the file.

    Raises
    ------
    OutputError
        If it cannot be written.
    RasterError, ArgumentError, ClusterError
        As `read_series`.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    dtype = dtype_of(stack, options, grid)
    names = [str(time) for time in stack.times]
    about = metadata(CONTENT, 1, times=names, **stack.attrs)
    about |= {ATTRS_KEY: json.dumps(dict(attrs)).encode()} if attrs else {}
    portions = Portions(runs, run_labels)
    held, written = _sizes(stack, dtype, execution)

    def table(first: int, end: int, values: NDArray[Any]) -> pa.Table:
        columns = pixel_places(*portions.part(first, end), grid)
        columns |= dict(zip(names, values, strict=True))
        return pa.table(columns).replace_schema_metadata(about)

    def write_portion(writer: pq.ParquetWriter, first: int, end: int) -> None:
        part, _ = portions.part(first, end)
        values = read_series(part, grid, stack, options, execution, cluster, dtype, unread)
        for start in range(first, end, written):
            stop = min(start + written, end)
            writer.write_table(table(start, stop, values[:, start - first : stop - first]))

    def write(file: BinaryIO) -> None:
        schema = table(0, 0, np.empty((len(stack), 0), dtype)).schema
        with pq.ParquetWriter(file, schema, compression="zstd") as writer:
            for first, end in pairwise(portions.cuts(_row_edges(stack, grid), held)):
                write_portion(writer, first, end)

    write_result(path, write)
    return path


def _sizes(stack: Stack, dtype: np.dtype[Any], execution: Execution) -> tuple[int, int]:
    """How many pixels are read at a time, and written: half and a quarter of the memory."""
    budget, each = execution.budget, len(stack) * dtype.itemsize
    # Each thread has the values of a layer, raw and scaled, and knows which are missing.
    in_threads = budget.threads * (2 * dtype.itemsize + 2)
    read = max(1, budget.memory // 2 // (each + in_threads))
    # What was written waits, encoded, for the rest of its row group.
    written = budget.memory // 4 // (2 * each + BYTES_PLACED)
    return read, min(GROUP_PIXELS, max(LEAST_GROUP, written))


def _row_edges(stack: Stack, grid: Grid | None) -> Ints:
    """Rows at which blocks begin and end, of the raster with the highest blocks on the pixels' grid."""
    rasters = {id(layer.raster): layer.raster for layer in stack.readable}.values()
    edges = [
        raster.block_edges()[0]
        for raster in rasters
        if raster is not None and (grid is None or raster.shape == grid.shape)
    ]
    return min(edges, key=len, default=np.zeros(1, dtype=np.intp))


class Pixels(NamedTuple):
    """What is read of each layer, and how."""

    runs: Runs
    grid: Grid | None
    options: SeriesOptions
    dtype: np.dtype[Any]


class LayersToRead:
    """Some layers of a stack; in another process they are opened anew, by name."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack

    def read(self, pixels: Pixels) -> NDArray[Any]:
        """The values of some pixels."""
        return _values(pixels, self._stack)

    def __reduce__(self) -> tuple[type[LayersElsewhere], tuple[RemoteLayers]]:
        from craterkit.series.series_cluster import RemoteLayers, names_elsewhere

        stack = self._stack
        layers = [(i, layer) for i, layer in enumerate(stack.layers) if layer.is_readable]
        stack.check_unchanged()
        return LayersElsewhere, (RemoteLayers.of(layers, len(stack), names_elsewhere(stack)),)


class LayersElsewhere:
    """Some layers of a stack that was opened in another process."""

    def __init__(self, layers: RemoteLayers) -> None:
        self._layers = layers

    def read(self, pixels: Pixels) -> NDArray[Any]:
        """The values of some pixels."""
        body = None if pixels.grid is None else pixels.grid.body
        return _values(pixels, self._layers.open(body))


def _values(pixels: Pixels, stack: Stack) -> NDArray[Any]:
    runs, grid, options, dtype = pixels
    execution = Execution(n_jobs=1, progress=False)
    return read_series(runs, grid, stack, options, execution, dtype=dtype)


def _read(layers: LayersToRead | LayersElsewhere, pixels: Pixels) -> NDArray[Any]:
    return layers.read(pixels)


def check_chunks(chunks: object) -> None:
    """Raise unless the argument is a number of layers.

    Raises
    ------
    ArgumentError
        If it is not.
    """
    if isinstance(chunks, bool) or not isinstance(chunks, int | np.integer) or chunks < 1:
        raise ArgumentError(f"chunks must be a number of layers from 1 on, not {chunks!r}")


def lazy_series(
    runs: Runs, grid: Grid | None, stack: Stack, options: SeriesOptions, layers: int
) -> Any:  # noqa: ANN401
    """A Dask array of all values, of which so many layers are read at a time, once they are needed.

    It may be computed by other processes, if these can open the rasters by name.
    """
    da: Any = import_module("dask.array")
    dask: Any = import_module("dask")
    dtype = dtype_of(stack, options, grid)
    # One task for all chunks, so that pixels are sent to a process once.
    pixels = dask.delayed(Pixels(runs, grid, options, dtype), pure=False, traverse=False)
    read = dask.delayed(_read, pure=False, traverse=False)
    blocks = []
    for start in range(0, len(stack), layers):
        own = slice(start, start + layers)
        part = replace(stack, layers=stack.layers[own], times=stack.times[own])
        values = read(LayersToRead(part), pixels)
        blocks.append(da.from_delayed(values, (len(part), runs.pixels), dtype))
    return da.concatenate(blocks)
