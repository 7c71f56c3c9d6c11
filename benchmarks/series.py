"""Chosen pixels of 52 weekly rasters, beside loops that read them whole or point by point."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import rasterio
from affine import Affine

from benchmarks import inputs
from benchmarks.measuring import Settings, best_of, isolated
from benchmarks.results import Part, Row
from craterkit import PixelSelection

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    Bools = NDArray[np.bool_]

__all__ = ["measure_series"]

_AREAS, _PIXELS = 25, 250


def measure_series(settings: Settings) -> Part:
    """Time pixels in areas, scattered ones, and a tenth of all."""
    size, weeks = settings.pick((4096, 52), (256, 4))
    isolated(_write, settings.data, size, weeks)
    rows = []
    for name, chosen in _masks(size).items():
        times = isolated(_time, settings.data, size, weeks, name, settings).value
        pixels = int(chosen.sum())
        own = f"craterkit, threads: {settings.jobs}"
        loop = times["read whole, index, vstack"]
        for way, seconds in times.items():
            ratios = (
                {}
                if way == "read whole, index, vstack"
                else {"the speed of the loop": loop / seconds}
            )
            what = f"{pixels:,} pixels, {name}: {way}"
            rows.append(
                Row(what, seconds, ratios=ratios, note="the same values" if way == own else "")
            )
    title = f"{weeks} rasters of {size} × {size} pixels; best of {settings.repeat}"
    return Part(f"pixels through time: {title}", tuple(rows))


def _masks(size: int) -> dict[str, Bools]:
    rng = np.random.default_rng(4)
    areas = np.zeros((size, size), dtype=np.bool_)
    for row, col in rng.integers(0, size - 10, (_AREAS, 2)):
        areas[row : row + 2, col : col + _PIXELS // _AREAS // 2] = True
    scattered = np.zeros(size * size, dtype=np.bool_)
    scattered[rng.choice(scattered.size, _PIXELS, replace=False)] = True
    return {
        f"in {_AREAS} areas": areas,
        "scattered": scattered.reshape(size, size),
        "a tenth of all": rng.random((size, size)) < 0.1,
    }


def _paths(folder: Path, size: int, weeks: int) -> list[Path]:
    return [folder / f"week_{size}_{week:02d}.tif" for week in range(weeks)]


def _write(folder: Path, size: int, weeks: int) -> None:
    """Write the same field with another noise every week: int16, tiles of 256 pixels, deflate."""
    paths = _paths(folder, size, weeks)
    if paths[-1].exists():
        return
    field = inputs.relief(2 * size, 0, size)[:, :size]
    profile = {
        "driver": "GTiff",
        "width": size,
        "height": size,
        "count": 1,
        "dtype": "int16",
        "crs": inputs.MOON,
        "transform": Affine(0.005, 0.0, 0.0, 0.0, -0.005, 10.0),
        "tiled": True,
        "compress": "deflate",
        "num_threads": "all_cpus",
    }
    for week, path in enumerate(paths):
        noise = np.random.default_rng(week).integers(-4, 5, field.shape, dtype=np.int16)
        with rasterio.open(path, "w", **profile) as file:
            file.write(field + noise, 1)


def _time(folder: Path, size: int, weeks: int, name: str, settings: Settings) -> dict[str, float]:
    """Seconds by way, which all must give the same values."""
    mask, paths = _masks(size)[name], _paths(folder, size, weeks)
    selection = PixelSelection.from_array(mask, grid=paths[0])
    ways: dict[str, Callable[[], Any]] = {
        "read whole, index, vstack": partial(_loop, paths, mask),
        "read whole into a preallocated array": partial(_preallocated, paths, mask),
    }
    if mask.sum() <= _PIXELS:
        ways["rasterio.sample"] = partial(_sampled, paths, mask)
    ways["xarray with dask"] = partial(_labelled, paths, mask)
    for jobs in sorted({1, settings.jobs}):
        ways[f"craterkit, threads: {jobs}"] = partial(_own, selection, paths, jobs)
    times, expected = {}, _loop(paths, mask)
    for way, work in ways.items():
        times[way], values = best_of(settings.repeat, work)
        if not np.array_equal(values, expected):
            raise AssertionError(f"{way} gives other values")
    return times


def _loop(paths: Sequence[Path], mask: Bools) -> Any:
    stack = None
    for path in paths:
        with rasterio.open(path) as file:
            extract = file.read(1)[mask]
        stack = extract[None] if stack is None else np.vstack((stack, extract))
    return stack


def _preallocated(paths: Sequence[Path], mask: Bools) -> Any:
    stack = np.empty((len(paths), int(mask.sum())), dtype=np.int16)
    for week, path in enumerate(paths):
        with rasterio.open(path) as file:
            stack[week] = file.read(1)[mask]
    return stack


def _sampled(paths: Sequence[Path], mask: Bools) -> Any:
    stack = []
    for path in paths:
        with rasterio.open(path) as file:
            places = [file.xy(row, col) for row, col in np.argwhere(mask)]
            stack.append([values[0] for values in file.sample(places)])
    return np.array(stack)


def _labelled(paths: Sequence[Path], mask: Bools) -> Any:
    import rioxarray
    import xarray as xr

    weeks = [rioxarray.open_rasterio(path, chunks=(1, 1024, 1024)) for path in paths]
    stack = xr.concat(weeks, "band", join="override", combine_attrs="override")
    row, col = np.nonzero(mask)
    return stack.isel(y=xr.DataArray(row, dims="pixel"), x=xr.DataArray(col, dims="pixel")).values


def _own(selection: PixelSelection, paths: Sequence[Path], jobs: int) -> Any:
    table = selection.get_series(paths, times=range(len(paths)), n_jobs=jobs, progress=False)
    return table.to_numpy()  # type: ignore[union-attr]
