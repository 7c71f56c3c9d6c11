"""The rasters of a series as a user gives them: a list, a pattern of names, a dict, or one raster."""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

import numpy as np

from craterkit.addresses import without_secrets
from craterkit.errors import ArgumentError
from craterkit.rasters.gdal import is_dataset
from craterkit.rasters.opening import is_data_array

__all__ = ["GivenRasters", "list_rasters", "natural_key", "raster_path"]

#: How names begin that GDAL resolves: of a driver, a protocol, or one of its file systems.
_GDAL_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_+]+:|/vsi")


@dataclass(frozen=True, slots=True)
class GivenRasters:
    """The rasters of a series, in the order in which they were given.

    Attributes
    ----------
    rasters : list
        Each of them.
    keys : list or None
        Their times, where they were given with them.
    alone : bool
        Whether it is one raster that was not in a list.
    """

    rasters: list[Any]
    keys: list[Any] | None = None
    alone: bool = False


def list_rasters(rasters: object) -> GivenRasters:
    """List the rasters that a user gives.

    Parameters
    ----------
    rasters : object
        An iterable of rasters, a dict of rasters by time, a Series (whose index are the times, unless
        it is a RangeIndex, which only counts), one raster, or a pattern such as ``"weekly/*.tif"``
        (``**`` for folders at any depth). Files that match a pattern are sorted by name, numbers in
        names by value, so that week_9 comes before week_10.

    Returns
    -------
    GivenRasters

    Raises
    ------
    ArgumentError
        If there is none, no file matches the pattern, or they have no order.
    """
    if _is_xarray_dataset(rasters):
        names = [str(name) for name in rasters.data_vars]  # type: ignore[attr-defined]
        first = names[0] if names else "height"
        raise ArgumentError(
            f"rasters: a Dataset holds several variables ({', '.join(names)}); pass one of them, as in "
            f"dataset[{first!r}]"
        )
    if isinstance(rasters, str | os.PathLike):
        name = os.fspath(rasters)
        return GivenRasters(_matching(name)) if _is_pattern(name) else _one(rasters)
    if is_dataset(rasters) or is_data_array(rasters) or isinstance(rasters, bytes):
        return _one(rasters)
    if isinstance(rasters, np.ndarray) and not (rasters.ndim == 1 and rasters.dtype.kind in "OUT"):
        return _one(rasters)
    if isinstance(rasters, AbstractSet):
        raise ArgumentError("rasters: a set has no order; pass a list")
    if isinstance(rasters, Mapping) or _has_times(rasters):
        given = GivenRasters(*_items(rasters))
    elif isinstance(rasters, Iterable):
        given = GivenRasters(list(rasters))
    else:
        return _one(rasters)
    if not given.rasters:
        raise ArgumentError("rasters names no raster")
    return given


def natural_key(text: str) -> list[tuple[int, int, str]]:
    """Key that sorts texts with the numbers in them by value.

    Examples
    --------
    >>> sorted(["w10", "w9", "w"], key=natural_key)
    ['w', 'w9', 'w10']
    """
    parts = re.split(r"(\d+)", text)
    return [
        (0, int(part), part) if i % 2 else (1, 0, part)
        for i, part in enumerate(parts)
        if part or i % 2
    ]


def raster_path(raster: Any) -> PurePath | None:  # noqa: ANN401
    """Path of a raster in a file, perhaps with what GDAL adds to it; None if it has none."""
    if isinstance(raster, str | os.PathLike) or is_dataset(raster):
        name = raster.name if is_dataset(raster) else raster
        return PurePath(without_secrets(os.fspath(name)).split("?")[0])
    return None


def _one(raster: object) -> GivenRasters:
    return GivenRasters([raster], alone=True)


def _items(rasters: Any) -> tuple[list[Any], list[Any]]:  # noqa: ANN401
    """Values and keys of a mapping or Series."""
    pairs = list(rasters.items())
    return [raster for _, raster in pairs], [key for key, _ in pairs]


def _has_times(rasters: object) -> bool:
    """Whether it is a Series with an index that does more than count."""
    import pandas as pd

    return isinstance(rasters, pd.Series) and not isinstance(rasters.index, pd.RangeIndex)


def _is_xarray_dataset(value: object) -> bool:
    return any(
        base.__name__ == "Dataset" and base.__module__.partition(".")[0] == "xarray"
        for base in type(value).__mro__
    )


def _is_pattern(name: str) -> bool:
    return glob.has_magic(name) and not _GDAL_NAME.match(name) and not os.path.exists(name)


def _matching(pattern: str) -> list[Any]:
    found = sorted(
        glob.glob(pattern, recursive=True),
        key=lambda name: [natural_key(part) for part in PurePath(name).parts],
    )
    if not found:
        raise ArgumentError(f"rasters: no file matches {pattern!r} in {os.getcwd()}")
    return list(found)
