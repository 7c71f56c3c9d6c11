"""What rasters say of their own times: positions along an axis, tags of files and bands."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from craterkit.errors import ArgumentError
from craterkit.rasters.band_names import axis_labels, netcdf_band_names
from craterkit.rasters.gdal import GdalRaster
from craterkit.rasters.labelled import LabelledRaster
from craterkit.series.dates import Moment, read_date

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from craterkit.rasters.base import Band, Raster

__all__ = [
    "AXIS",
    "DESCRIPTION",
    "OF_FILES",
    "TAGS",
    "Position",
    "Statements",
    "by_certainty",
    "has_time_axis",
    "stated_times",
]

#: Where a time comes from that is a position along an axis; how that begins, if it is no date.
AXIS = "the axis of times"

#: Where a time comes from that is the description of a band.
DESCRIPTION = "the descriptions of bands"

#: Tags that hold a date, in any case, the surest first: the last two say when a file was made, too.
TAGS = (
    *("ACQUISITIONDATETIME", "ACQUISITION_DATETIME", "ACQUISITION_DATE", "DATE_ACQUIRED"),
    *("DATETIME", "START_TIME", "NC_GLOBAL#TIME_COVERAGE_START"),
    *("TIFFTAG_IMAGEDATE", "TIFFTAG_DATETIME"),
)

#: Those of `TAGS` that programs set to the time at which they write a file.
OF_FILES = ("TIFFTAG_DATETIME",)

#: Names of axes that are times even if their positions are plain numbers.
TIME_AXES = ("time", "t", "date", "datetime", "sol", "week", "month", "year")

#: A place in time: a date, or a number or text where the axis has such.
Position = Moment | float | str

#: Where positions along an axis are stated, and these.
_Axis = tuple[str, list[Position]]

#: What is stated for one layer, by where it is stated.
Statements = dict[str, Position]


def stated_times(raster: Raster, bands: Sequence[Band]) -> list[Statements]:
    """What a raster says of the time of each of its bands.

    Parameters
    ----------
    raster : Raster
        The raster; it is opened if need be, and left open.
    bands : sequence of Band
        Bands in use.

    Returns
    -------
    list of dict
        For each band what is stated, by where: one of `TAGS`; `DESCRIPTION`; `AXIS`, or, for positions
        that are no dates, that with the name and units of the axis.

    Raises
    ------
    ArgumentError
        If the bands differ in more than one position.
    """
    if isinstance(raster, GdalRaster):
        dataset = raster.dataset()
        file = {**dataset.tags(), **dataset.tags(ns="IMAGERY")}
        tags = [dataset.tags(band.number) for band in bands]
        further = [dataset.tags(band.number, ns="IMAGERY") for band in bands]
        axis = _gdal_axis(raster.name, file, tags)
        sets = [{**own, **more} for own, more in zip(tags, further, strict=True)]
    elif isinstance(raster, LabelledRaster):
        axis = _labelled_axis(raster, bands)
        file, sets = raster.array.attrs, [{} for _ in bands]
    else:
        return [{} for _ in bands]
    # What a file says of itself is the time of none of several bands.
    of_file = _of_tags(file) if len(bands) == 1 else {}
    stated = [of_file | _of_tags(own) for own in sets]
    for i, band in enumerate(bands):
        if axis is not None:
            key, positions = axis
            stated[i][key] = positions[i]
            continue
        described = read_date(band.description)
        if described is not None and described.moment is not None:
            stated[i][DESCRIPTION] = described.moment
    return stated


def by_certainty(stated: Statements) -> list[str]:
    """Where something is stated, the surest first: along an axis, in one of `TAGS`, elsewhere."""
    ranks = {key: rank for rank, key in enumerate((*TAGS, DESCRIPTION))}
    return sorted(stated, key=lambda key: ranks.get(key, -1))


def has_time_axis(raster: Raster) -> bool:
    """Whether the bands of a raster lie along an axis, so that they are not different quantities."""
    if isinstance(raster, GdalRaster):
        return bool(_axes(raster.dataset().tags(1)))
    return isinstance(raster, LabelledRaster) and _labelled_axis(raster, raster.bands) is not None


def _of_tags(tags: Mapping[str, Any]) -> Statements:
    stated: Statements = {}
    by_name = {str(name).upper(): str(value) for name, value in tags.items()}
    for name in TAGS:
        date = read_date(by_name.get(name, ""))
        if date is not None and date.moment is not None:
            stated[name] = date.moment
    return stated


def _axes(tags: Mapping[str, str]) -> dict[str, str]:
    """Positions of a band of a netCDF or Zarr raster, by the name of the axis."""
    axes = {
        key.removeprefix("NETCDF_DIM_"): value
        for key, value in tags.items()
        if key.startswith("NETCDF_DIM_")
    }
    for key, value in tags.items():
        if key.startswith("DIM_") and key.endswith("_VALUE"):
            axes[key.removeprefix("DIM_").removesuffix("_VALUE")] = value
    return axes


def _gdal_axis(
    name: str, file: Mapping[str, str], tags: Sequence[Mapping[str, str]]
) -> _Axis | None:
    """Positions of bands along the one axis in which they differ, or along that of time."""
    positions = [_axes(own) for own in tags]
    axes = [axis for axis in positions[0] if all(axis in own for own in positions)]
    varying = [axis for axis in axes if len({own[axis] for own in positions}) > 1]
    if len(varying) > 1:
        raise ArgumentError(
            f"{name}: its bands differ in {' and '.join(varying)}, but a layer is one time; pick the "
            "bands of one series with bands="
        )
    for axis in varying or axes:
        units = file.get(f"{axis}#units") or tags[0].get(f"DIM_{axis}_UNIT", "")
        calendar = file.get(f"{axis}#calendar", "")
        own = [place[axis] for place in positions]
        texts = netcdf_band_names(
            {f"{axis}#units": units, f"{axis}#calendar": calendar},
            [{f"NETCDF_DIM_{axis}": text} for text in own],
        )
        is_time = texts != own or axis.lower() in TIME_AXES
        if varying or is_time:
            return _axis(texts, axis, units, dates=texts != own)
    return None


def _labelled_axis(raster: LabelledRaster, bands: Sequence[Band]) -> _Axis | None:
    """Positions of bands of a labelled array: along its further dimension, or its one time."""
    array, dimension = raster.array, raster.band_dimension
    name = "time" if dimension is None else dimension
    if (
        name == "band"
        or name not in array.coords
        or (dimension is None and array.coords[name].ndim)
    ):
        return None
    coordinate = array.coords[name]
    values = np.asarray(coordinate.values).reshape(-1)
    if dimension is not None:
        values = values[[band.number - 1 for band in bands]]
    texts = axis_labels(values)
    dates = values.dtype.kind == "M" or hasattr(values[0], "isoformat")
    return _axis(texts, str(name), str(coordinate.attrs.get("units", "")), dates=dates)


def _axis(texts: Sequence[str], name: str, units: str, *, dates: bool) -> _Axis:
    """Dates if they are (and exist in the usual calendar), else numbers if all are, else texts."""
    if dates:
        found = [read_date(text) for text in texts]
        moments = [date.moment for date in found if date is not None and date.moment is not None]
        if len(moments) == len(texts):
            return AXIS, list(moments)
    key = f"{AXIS}, {name}{units and f' in {units}'}"
    try:
        return key, [float(text) for text in texts]
    except ValueError:
        return key, list(texts)
