"""Where a table's numbers are from: what goes into its ``attrs``."""

from __future__ import annotations

import os
import platform
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from craterkit import __version__
from craterkit.addresses import without_secrets
from craterkit.extraction.conditions import parse_where
from craterkit.extraction.options import Options
from craterkit.rasters.gdal import is_dataset
from craterkit.tables.carried import without_columns

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from craterkit.bodies import Body
    from craterkit.extraction.sources import Source, SourceSpec
    from craterkit.extraction.subject import Subject
    from craterkit.selection.placement import Placement
    from craterkit.series.stack import Layer, Stack
    from craterkit.series.tasks import SeriesOptions

__all__ = [
    *("ATTRIBUTE", "Provenance", "about_pixels", "about_subject", "provenance_of"),
    *("provenance_of_series", "with_columns"),
]

#: The entry of a table's ``attrs``.
ATTRIBUTE = "craterkit"

#: Arguments that say which pixels are taken and what they count for.
ARGUMENTS = (
    *("coverage", "exclude", "exclude_size", "min_valid_fraction"),
    *("scaled", "align", "errors"),
)


class Provenance(dict[str, Any]):
    """Where a table's numbers are from, as JSON can hold it.

    pandas copies a table's ``attrs`` deeply with every column and row that is taken; of this it
    gets the same object, which nobody should change.
    """

    def __deepcopy__(self, memo: dict[int, Any]) -> Provenance:
        return self


def provenance_of(
    method: str,
    subject: Subject,
    sources: Sequence[Source],
    options: Options,
    statistics: Sequence[str] | None = None,
) -> Provenance:
    """Where the numbers of a result are from.

    Parameters
    ----------
    method : str
        The method that was called.
    subject : Subject
        Features and regions.
    sources : sequence of Source
        The rasters.
    options : Options
        How pixels were chosen.
    statistics : sequence of str, optional
        What was computed of them.

    Returns
    -------
    Provenance
        Texts, numbers, lists and dicts.
    """
    rasters = [
        _raster(source.spec, source.raster.name, [band.number for band in source.bands])
        for source in sources
    ]
    found = Provenance(method=method, **about_subject(subject), rasters=rasters)
    return _with_rules(found, options, statistics)


def about_subject(subject: Subject) -> dict[str, Any]:
    """The body and the regions."""
    return {
        "body": _body(subject.body),
        "regions": {name: region.describe() for name, region in subject.regions.items()},
    }


def about_pixels(placement: Placement, pixels: int) -> dict[str, Any]:
    """Whose pixels were chosen, of which body (None if that is not known), and how many."""
    return {
        "body": None if placement.body is None else _body(placement.body),
        "selection": {
            "raster": placement.name,
            "shape": list(placement.shape),
            "pixels": pixels,
        },
    }


def provenance_of_series(
    method: str,
    about: Mapping[str, Any],
    stack: Stack,
    options: Options | SeriesOptions,
    statistics: Sequence[str] | None = None,
    *,
    unreadable: Mapping[str, str] | None = None,
) -> Provenance:
    """Where the numbers of a table of a stack are from.

    Parameters
    ----------
    method : str
        The method that was called.
    about : mapping
        What `about_subject` or `about_pixels` says.
    stack : Stack
        The layers.
    options : Options or SeriesOptions
        How they were read, and pixels chosen.
    statistics : sequence of str, optional
        What was computed of the pixels.
    unreadable : mapping, optional
        What could not be read, by name, and why.

    Returns
    -------
    Provenance
        Texts, numbers, lists and dicts.
    """
    rasters: dict[int, list[Layer]] = {}
    for layer in stack.layers:
        rasters.setdefault(id(layer if layer.raster is None else layer.raster), []).append(layer)
    listed = [
        _raster(
            layers[0].spec,
            layers[0].name if layers[0].raster is None else layers[0].raster.name,
            [layer.band.number for layer in layers if layer.band is not None],
        )
        for layers in rasters.values()
    ]
    found = Provenance(method=method, **about, rasters=listed)
    found["times_from"] = stack.times_from
    if unreadable:
        found["unreadable"] = dict(unreadable)
    return _with_rules(found, options, statistics)


def _with_rules(
    found: Provenance, options: Options | SeriesOptions, statistics: Sequence[str] | None
) -> Provenance:
    """Add what was computed, how pixels were chosen, and the versions."""
    if statistics is not None:
        found["statistics"] = list(statistics)
    if isinstance(options, Options):
        weights = options.weights_raster
        found["weights"] = options.weights if weights is None else _name(weights)
        found["where"] = [
            {"raster": _name(raster), "band": _plain(band), "condition": condition.text}
            for raster, band, condition in parse_where(options.where)
        ]
    found |= {name: _plain(getattr(options, name)) for name in ARGUMENTS if hasattr(options, name)}
    found["versions"] = {"craterkit": __version__, **_versions()}
    return found


def _body(body: Body) -> dict[str, Any]:
    return {"name": body.name, "a": body.a, "b": body.b}


def with_columns(
    table: pd.DataFrame, columns: Mapping[str, NDArray[Any]], provenance: Provenance
) -> pd.DataFrame:
    """A table with new columns behind its own, and where these are from among its ``attrs``.

    Columns of the table that bear the name of a new one are left out.
    """
    import pandas as pd

    table = without_columns(table, columns)
    whole = pd.concat([table, pd.DataFrame(dict(columns), index=table.index)], axis=1)
    whole.attrs = {**table.attrs, ATTRIBUTE: provenance}
    return whole


def _raster(spec: SourceSpec, name: str, bands: list[int]) -> dict[str, Any]:
    """A raster's name, and what was given instead of what it says of itself."""
    told = {"nodata": spec.nodata, "raster_crs": spec.crs, "transform": spec.transform}
    return {"label": spec.label, "name": name, "bands": bands} | {
        argument: _plain(value) for argument, value in told.items() if value is not None
    }


def _name(given: Any) -> str:  # noqa: ANN401
    """What a raster of `where` or `weights` is called."""
    if is_dataset(given):
        return without_secrets(str(given.name))
    if isinstance(given, str | os.PathLike):
        return without_secrets(os.fspath(given))
    return str(getattr(given, "name", None) or type(given).__name__)


def _plain(value: Any) -> Any:  # noqa: ANN401
    """A value as JSON can hold it."""
    if isinstance(value, np.generic):
        value = value.item()
    return value if isinstance(value, str | int | float | bool | None) else str(value)


@cache
def _versions() -> dict[str, str]:
    """Versions of what numbers depend on."""
    import pandas as pd
    import pyproj
    import rasterio

    return {
        "python": platform.python_version(),
        "numpy": np.__version__,
        "pandas": pd.__version__,
        "rasterio": rasterio.__version__,
        "gdal": rasterio.__gdal_version__,
        "proj": pyproj.proj_version_str,
    }
