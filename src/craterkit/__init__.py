"""Statistics and pixels of planetary rasters around craters and other features."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from craterkit import errors
    from craterkit.bodies import Body, list_bodies
    from craterkit.database import CraterDatabase
    from craterkit.flags import Flag
    from craterkit.results.array_reading import read_arrays
    from craterkit.samples import sample_data
    from craterkit.selection.pixel_selection import PixelSelection
    from craterkit.series.plotting import plot_series

__version__ = "0.1.0.dev0"

__all__ = [
    "Body",
    "CraterDatabase",
    "Flag",
    "PixelSelection",
    "__version__",
    "errors",
    "list_bodies",
    "plot_series",
    "read_arrays",
    "sample_data",
]

#: Where each public name is defined; imported when first asked for.
_HOMES = {
    "Body": "craterkit.bodies",
    "CraterDatabase": "craterkit.database",
    "Flag": "craterkit.flags",
    "PixelSelection": "craterkit.selection.pixel_selection",
    "list_bodies": "craterkit.bodies",
    "plot_series": "craterkit.series.plotting",
    "read_arrays": "craterkit.results.array_reading",
    "sample_data": "craterkit.samples",
}


def __getattr__(name: str) -> Any:  # noqa: ANN401
    if name == "errors":
        return import_module("craterkit.errors")
    if name in _HOMES:
        value = getattr(import_module(_HOMES[name]), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
