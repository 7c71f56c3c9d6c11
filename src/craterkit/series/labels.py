"""What the rasters of a stack are called, and what an argument gives each of them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from craterkit.errors import ArgumentError, quoted
from craterkit.extraction.sources import raster_stem, unique_label
from craterkit.series.given import raster_path

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["for_each", "labels_of"]


def labels_of(rasters: Sequence[object]) -> list[str]:
    """A name for each raster: of its file, without ending, made unique.

    Examples
    --------
    >>> labels_of(["1/ndvi.tif", "2/ndvi.tif"])
    ['ndvi', 'ndvi_2']
    """
    taken: set[str] = set()
    labels = []
    for raster in rasters:
        label = unique_label(raster_stem(raster), taken)
        taken.add(label)
        labels.append(label)
    return labels


def for_each(
    value: Any,  # noqa: ANN401
    rasters: Sequence[object],
    labels: Sequence[str],
    argument: str,
) -> list[Any]:
    """The value for each raster, of one for all or a dict.

    Parameters
    ----------
    value : object
        One for all rasters; or a dict by path, which counts first, by name of the file without
        ending, of as many files as have it, or by label.
    rasters : sequence
        The rasters as a user gives them.
    labels : sequence of str
        Their labels, as `labels_of` gives them.
    argument : str
        What messages call the value.

    Raises
    ------
    ArgumentError
        If a key names no raster.

    Examples
    --------
    >>> given = ["1/ndvi.tif", "2/ndvi.tif", "2/evi.tif"]
    >>> for_each({"ndvi": 7, "2/ndvi.tif": 9}, given, labels_of(given), "nodata")
    [7, 9, None]
    """
    if not isinstance(value, Mapping):
        return [value] * len(rasters)
    given = {
        str(raster_path(os.fspath(key) if isinstance(key, os.PathLike) else str(key))): key
        for key in value
    }
    stems = [raster_stem(raster) for raster in rasters]
    found: list[Any] = []
    used: set[str] = set()
    for raster, stem, label in zip(rasters, stems, labels, strict=True):
        # A label that was made unique may be the name of another file.
        names = [str(raster_path(raster) or stem), stem, *([] if label in stems else [label])]
        key = next((name for name in names if name in given), None)
        used.update(name for name in names if name in given)
        found.append(None if key is None else value[given[key]])
    if unknown := [key for name, key in given.items() if name not in used]:
        raise ArgumentError(
            f"{argument} names rasters that were not given: {quoted(unknown)} "
            f"(known: {quoted(dict.fromkeys(stems))}, and paths)"
        )
    return found
