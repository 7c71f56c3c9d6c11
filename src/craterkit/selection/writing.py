"""Selections as rasters on disk."""

from __future__ import annotations

import os
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from craterkit.errors import ArgumentError
from craterkit.files.writing import unfinished
from craterkit.rasters.base import Window
from craterkit.results.file_locks import followed

if TYPE_CHECKING:
    import pyproj
    from affine import Affine
    from numpy.typing import DTypeLike

    from craterkit.selection.runs import Runs

__all__ = ["write_raster"]

#: Side of the tiles.
TILE = 256


def write_raster(
    path: str | os.PathLike[str],
    runs: Runs,
    shape: tuple[int, int],
    transform: Affine | None,
    crs: pyproj.CRS | None,
    *,
    dtype: DTypeLike,
    selected: float,
    other: float,
) -> Path:
    """Write a GeoTIFF that holds one value where the pixels of a selection are, and another elsewhere.

    It is written beside `path` and gets that name once it is whole.

    Raises
    ------
    ArgumentError
        If `path` is no name of a GeoTIFF, or a value does not fit the dtype, or both are the same.
    OutputError
        If it cannot be written.
    """
    target = Path(path)
    if target.suffix.lower() not in (".tif", ".tiff"):
        raise ArgumentError(f"path must end in .tif, as a GeoTIFF is written, not {str(path)!r}")
    kind = np.dtype(dtype)
    values = [
        _held(value, kind, name) for name, value in (("selected", selected), ("other", other))
    ]
    if values[0] == values[1]:
        raise ArgumentError(f"selected and other must differ; both are {selected!r}")
    profile: dict[str, Any] = {
        "driver": "GTiff",
        "count": 1,
        "height": shape[0],
        "width": shape[1],
        "dtype": kind,
        "compress": "deflate",
    }
    if max(shape) > TILE:
        profile |= {"tiled": True, "blockxsize": TILE, "blockysize": TILE}
    if transform is not None:
        profile["transform"] = transform
    with unfinished(followed(target)) as part:
        _write(part, runs, shape, profile, crs, values)
    return target


def _write(
    path: Path,
    runs: Runs,
    shape: tuple[int, int],
    profile: dict[str, Any],
    crs: pyproj.CRS | None,
    values: list[Any],
) -> None:
    import rasterio
    from rasterio.errors import NotGeoreferencedWarning
    from rasterio.windows import Window as Area

    if crs is not None:
        profile["crs"] = rasterio.CRS.from_wkt(crs.to_wkt())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NotGeoreferencedWarning)
        with rasterio.open(path, "w", **profile) as file:
            for top in range(0, shape[0], TILE):
                window = Window(top, min(top + TILE, shape[0]), 0, shape[1])
                rows = np.full(window.shape, values[1])
                runs.paint(values[0], rows, window)
                file.write(rows, 1, window=Area(0, top, shape[1], rows.shape[0]))


def _held(value: Any, dtype: np.dtype[Any], name: str) -> Any:  # noqa: ANN401
    """A value in a dtype that has it exactly."""
    if dtype.kind in "iuf":
        with np.errstate(all="ignore"):
            try:
                held = np.array(value).astype(dtype)[()]
            except (TypeError, ValueError):
                held = None
        if held is not None and (held == value or (held != held and value != value)):
            return held
    raise ArgumentError(f"{name} {value!r} is not a number that {dtype} holds exactly")
