"""What a run depends on, for another run to compare with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from craterkit import __version__
from craterkit.extraction.conditions import parse_where
from craterkit.results.fingerprints import (
    fingerprint_features,
    fingerprint_function,
    fingerprint_region,
    fingerprint_value,
)
from craterkit.results.raster_fingerprints import fingerprint_given, fingerprint_raster

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from craterkit.extraction.options import Options
    from craterkit.extraction.sources import Source
    from craterkit.extraction.subject import Subject
    from craterkit.statistics.registry import Request

__all__ = ["manifest_of"]

#: Arguments that say which pixels are taken and what for; `rasters` has the rest.
ARGUMENTS = (
    *("coverage", "align", "exclude", "exclude_size"),
    *("min_valid_fraction", "scaled", "errors"),
)


def manifest_of(
    subject: Subject,
    sources: Sequence[Source],
    table: pd.DataFrame,
    options: Options,
    request: Request | None = None,
    **further: object,
) -> dict[str, Any]:
    """All that the result of a run depends on, as JSON can hold it.

    Parameters
    ----------
    subject : Subject
        Features and regions.
    sources : sequence of Source
        The rasters.
    table : pandas.DataFrame
        What the result is added to.
    options : Options
        How pixels are chosen.
    request : Request, optional
        The statistics.
    **further
        Other arguments.
    """
    manifest: dict[str, Any] = {
        "craterkit": __version__,
        "content": "statistics",
        "body": fingerprint_value([subject.body.name, subject.body.a, subject.body.b]),
        "features": fingerprint_features(subject.features, subject.index),
        "table": fingerprint_value(table),
        "regions": {name: fingerprint_region(region) for name, region in subject.regions.items()},
        "rasters": [
            {
                "label": source.label,
                "raster": fingerprint_raster(source.raster),
                "bands": [band.number for band in source.bands],
                "nodata": [fingerprint_value(band.nodata) for band in source.bands],
                "raster_crs": fingerprint_value(source.spec.crs),
                "transform": fingerprint_value(source.spec.transform),
            }
            for source in sources
        ],
    }
    weights = options.weights_raster
    manifest["weights"] = options.weights if weights is None else fingerprint_given(weights)
    manifest["where"] = [
        [fingerprint_given(raster), fingerprint_value(band), fingerprint_value(condition)]
        for raster, band, condition in parse_where(options.where)
    ]
    for name in ARGUMENTS:
        manifest[name] = fingerprint_value(getattr(options, name))
    if request is not None:
        functions = {item.name: item.function for item in request.functions}
        manifest["stats"] = {
            item.name: fingerprint_function(functions[item.name])
            if item.name in functions
            else "craterkit"
            for item in request.items
        }
    return manifest | {name: fingerprint_value(value) for name, value in further.items()}
