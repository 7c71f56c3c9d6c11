"""The rasters that a user gives: named, opened, checked, and their bands picked."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

import numpy as np

from craterkit.addresses import without_secrets
from craterkit.errors import ArgumentError, RasterError, quoted
from craterkit.extraction.raster_files import absolute_name, local_file
from craterkit.grids.alignment import grid_difference
from craterkit.rasters.gdal import GdalRaster, is_dataset
from craterkit.rasters.opening import is_data_array, open_raster

if TYPE_CHECKING:
    from craterkit.bodies import Body
    from craterkit.extraction.options import Options
    from craterkit.grids.base import Grid
    from craterkit.rasters.base import Band, Raster

__all__ = [
    *("Header", "Source", "SourceSpec", "by_label", "check_nodata", "open_sources"),
    *("raster_stem", "remote_name", "unique_label"),
]

#: What of a band its numbers depend on.
BAND_FIELDS = (
    *("number", "dtype", "nodata", "scale", "offset"),
    *("has_mask", "valid_range", "special"),
)


BY_NAME = "workers of a cluster open rasters by name, so write it to a file first"

#: How GDAL's names of what is in archives begin.
_VIRTUAL = re.compile(r"(?:/vsi[a-z0-9_]+/)+")


@dataclass(frozen=True, slots=True)
class Header:
    """What is known of a raster before a pixel is read, for comparison on another machine.

    Attributes
    ----------
    shape : tuple of int
        Rows and columns.
    grid : Grid or None
        Where the pixels lie, if that is known.
    bands : tuple of Band
        How the bands in use are to be read.
    """

    shape: tuple[int, int]
    grid: Grid | None
    bands: tuple[Band, ...]

    def difference(self, other: Header) -> str:
        """Say how another header differs from this one; an empty string if it does not."""
        if other.shape != self.shape:
            own, others = (f"{header.shape[0]} x {header.shape[1]}" for header in (self, other))
            return f"it has {others} pixels, not {own}"
        if self.grid is None or other.grid is None:
            if self.grid is not other.grid:
                return "only one of the two says where its pixels lie"
        elif found := grid_difference(self.grid, other.grid):
            return found
        for own_band, other_band in zip(self.bands, other.bands, strict=True):
            for name in BAND_FIELDS:
                # As texts, since NaN does not equal itself.
                here, there = (_told(getattr(band, name)) for band in (own_band, other_band))
                if here != there:
                    return f"band {own_band.number} has {name} {there}, not {here}"
        return ""


def _told(value: object) -> str:
    """What a band has, in words: of several values all, of none None."""
    return (
        (", ".join(map(str, value)) if value else "None")
        if isinstance(value, tuple)
        else str(value)
    )


@dataclass(frozen=True)
class SourceSpec:
    """A raster as a user gives it, and how it is to be read; it can be opened on another machine.

    Attributes
    ----------
    label : str
        What columns call it; empty for one bare raster.
    given : object
        A name, an open dataset or an array.
    crs, transform, nodata : object
        What is to be used instead of the raster's own.
    bands : object
        Which bands.
    """

    label: str
    given: Any
    crs: Any
    transform: Any
    nodata: Any
    bands: Any

    def open(self, body: Body) -> Source:
        """Open and check the raster.

        Raises
        ------
        RasterError, CRSError, ArgumentError
            If it cannot be used.
        """
        with open_raster(self.given, self.label) as raster:
            grid = raster.grid(body, self.crs, self.transform)
            bands = raster.pick_bands(self.bands)
        if self.nodata is not None:
            value = check_nodata(self.nodata)
            bands = [band.with_nodata(value) for band in bands]
        for band in bands:
            if not band.nodata_is_exact:
                raise ArgumentError(
                    f"{raster.name}: band {band.number} declares a nodata value for 64-bit integers, "
                    "which cannot be read exactly; pass it as nodata="
                )
        return Source(self, raster, grid, bands, _band_labels(bands, self.bands))

    def by_name(self) -> SourceSpec:
        """The same, to be opened elsewhere.

        Raises
        ------
        ArgumentError
            If it has no name that could be opened there.
        """
        return replace(self, given=remote_name(self.given, self.label or "rasters"))


@dataclass(frozen=True)
class Source:
    """A raster that was opened and checked."""

    spec: SourceSpec
    raster: Raster
    grid: Grid
    bands: list[Band]
    band_labels: list[str] = field(default_factory=list)

    @property
    def label(self) -> str:
        """What columns call it."""
        return self.spec.label

    @property
    def header(self) -> Header:
        """What workers of a cluster must find, too."""
        return Header(self.raster.shape, self.grid, tuple(self.bands))


def remote_name(given: Any, argument: str) -> str:  # noqa: ANN401
    """The name under which workers of a cluster can open a raster, whatever their working directory.

    Raises
    ------
    ArgumentError
        If it has none, or means something else there.
    """
    if not (isinstance(given, str | os.PathLike) or is_dataset(given)):
        raise ArgumentError(
            f"{argument}: the {type(given).__name__} lies in the memory of this process; {BY_NAME}"
        )
    if not is_dataset(given):
        return _absolute(os.fspath(given))
    name = str(given.name)
    if options := getattr(given, "options", None):
        raise ArgumentError(
            f"{argument}: {name} was opened with {quoted(options)}, which workers would not do; {BY_NAME}"
        )
    if given.mode != "r":
        raise ArgumentError(
            f"{argument}: {name} is open for writing, and workers would not see what is not written "
            "yet; close it, and pass its name"
        )
    try:
        return _absolute(name)
    except RasterError as error:
        raise ArgumentError(
            f"{argument}: the {type(given).__name__} {name} has no name that opens it again; {BY_NAME}"
        ) from error


def _absolute(name: str) -> str:
    """A raster's name, with the file in it from the root on."""
    with open_raster(name) as raster:
        assert isinstance(raster, GdalRaster)
        found = absolute_name(name, raster.files)
    inside = _VIRTUAL.match(name)
    if found == name and inside and local_file(name) is not None:
        return inside[0] + os.path.abspath(name[inside.end() :])
    return found


def open_sources(body: Body, rasters: object, options: Options) -> list[Source]:
    """Check every raster; each is opened again when its turn comes."""
    named = _name_rasters(rasters)
    labels = [label for label, _ in named]
    nodata = by_label(options.nodata, labels, "nodata")
    crs = by_label(options.raster_crs, labels, "raster_crs")
    transform = by_label(options.transform, labels, "transform")
    return [
        SourceSpec(label, given, crs[label], transform[label], nodata[label], options.bands).open(
            body
        )
        for label, given in named
    ]


def _name_rasters(rasters: object) -> list[tuple[str, Any]]:
    """Label and source of every raster; one bare raster has no label."""
    if isinstance(rasters, Mapping):
        named = [(str(label), raster) for label, raster in rasters.items()]
        for label, _ in named:
            if not label:
                raise ArgumentError("rasters: a raster's name must not be empty")
    elif isinstance(rasters, Iterable) and not _is_one(rasters):
        named = []
        taken: set[str] = set()
        for raster in rasters:
            label = unique_label(raster_stem(raster), taken)
            taken.add(label)
            named.append((label, raster))
    else:
        return [("", rasters)]
    if not named:
        raise ArgumentError("rasters names no raster")
    return named


def _is_one(raster: object) -> bool:
    """Whether something that can be iterated over is a single raster, or none."""
    return isinstance(raster, str | bytes | os.PathLike | np.ndarray) or is_data_array(raster)


def raster_stem(raster: Any) -> str:  # noqa: ANN401
    """What a raster is called without folder and ending."""
    if isinstance(raster, str | os.PathLike) or is_dataset(raster):
        path = without_secrets(os.fspath(raster.name if is_dataset(raster) else raster))
        return PurePath(path.split("?")[0]).stem or "raster"
    name = getattr(raster, "name", None)
    return "raster" if name is None else str(name) or "raster"


def unique_label(label: str, taken: set[str]) -> str:
    """A label that is not taken: with a number behind it, if need be."""
    number, unique = 1, label
    while unique in taken:
        number += 1
        unique = f"{label}_{number}"
    return unique


def by_label(value: Any, labels: list[str], argument: str) -> dict[str, Any]:  # noqa: ANN401
    """The value for each raster, of one for all or a dict by label."""
    if not isinstance(value, Mapping):
        return dict.fromkeys(labels, value)
    value = {str(key): own for key, own in value.items()}
    unknown = [key for key in value if key not in labels]
    if unknown:
        known = quoted(labels) if labels != [""] else "none: a bare raster has no name"
        raise ArgumentError(
            f"{argument} names rasters that were not given: {quoted(unknown)} (known: {known})"
        )
    return {label: value.get(label) for label in labels}


def check_nodata(value: Any) -> float:  # noqa: ANN401
    """Raise unless a nodata value is a number."""
    if isinstance(value, bool) or not isinstance(value, int | float | np.integer | np.floating):
        raise ArgumentError(
            f"nodata must be a number, or a dict of numbers by raster, not {value!r}"
        )
    return value  # type: ignore[return-value]


def _band_labels(bands: list[Band], asked: Any) -> list[str]:  # noqa: ANN401
    if isinstance(asked, int | str | np.integer) and asked != "all":
        return [""]
    described = [band.description for band in bands]
    if all(described) and len(set(described)) == len(described):
        return described
    labels = [f"b{band.number}" for band in bands]
    if len(set(labels)) < len(labels):
        raise ArgumentError("bands names a band twice")
    return labels
