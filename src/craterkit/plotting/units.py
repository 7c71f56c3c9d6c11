"""What rasters and their units are called, as far as they tell it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from craterkit.errors import ArgumentError
from craterkit.extraction.sources import raster_stem
from craterkit.rasters.gdal import GdalRaster
from craterkit.rasters.labelled import LabelledRaster

if TYPE_CHECKING:
    from craterkit.extraction.sources import Source

__all__ = ["metres_per_unit", "named_raster", "unit_of", "value_label"]

#: Metres in units of length that heights come in.
LENGTHS = {
    **dict.fromkeys(("km", "kilometer", "kilometre", "kilometers", "kilometres"), 1000.0),
    **dict.fromkeys(("cm", "centimeter", "centimetre", "centimeters", "centimetres"), 0.01),
    **dict.fromkeys(("ft", "foot", "feet"), 0.3048),
}


def named_raster(raster: Any) -> tuple[str, Any]:  # noqa: ANN401
    """The argument `raster` as a name, empty if there is none, and the raster itself."""
    if not isinstance(raster, Mapping):
        return "", raster
    if len(raster) != 1:
        raise ArgumentError(f"raster must be one raster, not a dict of {len(raster)}")
    ((name, only),) = raster.items()
    return str(name), only


def unit_of(source: Source) -> str:
    """The unit of a raster's values; empty if it does not tell."""
    raster, band = source.raster, source.bands[0]
    if isinstance(raster, GdalRaster):
        with raster:
            return str(raster.dataset().units[band.number - 1] or "")
    if isinstance(raster, LabelledRaster):
        units = raster.array.attrs.get("units", "")
        if isinstance(units, list | tuple):
            units = (raster.entries(units, len(raster.bands)) or [""] * band.number)[
                band.number - 1
            ]
        return str(units or "")
    return ""


def metres_per_unit(source: Source) -> float:
    """Metres in the unit of a raster of heights; 1 if it does not tell."""
    return LENGTHS.get(unit_of(source).strip().lower(), 1.0)


def value_label(source: Source) -> str:
    """What an axis of a raster's values is called: the raster or its band, and the unit if it is known."""
    raster, band = source.raster, source.bands[0]
    name = source.label or raster_stem(source.spec.given)
    if len(raster.bands) > 1:
        name += f", {band.description}" if band.description else f", band {band.number}"
    unit = unit_of(source)
    return f"{name} ({unit})" if unit else name
