"""What the files that GDAL writes have in common."""

from __future__ import annotations

import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from craterkit.errors import ArgumentError, CRSError, OutputError
from craterkit.files.contents import Contents

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["check_eastward", "check_width", "contents_of_frame", "told_losses", "write_layer"]


def write_layer(
    contents: Contents,
    path: Path,
    driver: str,
    *,
    layer: str,
    **options: Any,  # noqa: ANN401
) -> None:
    """Write one layer.

    Raises
    ------
    OutputError
        If GDAL has something to say against it.
    """
    import geopandas as gpd
    import shapely

    kinds = set(shapely.get_type_id(contents.geometry).tolist())
    several = int(shapely.GeometryType.MULTIPOLYGON) in kinds
    areal = several or int(shapely.GeometryType.POLYGON) in kinds
    geometry = gpd.GeoSeries(contents.geometry, crs=contents.crs, index=contents.columns.index)
    frame = gpd.GeoDataFrame(contents.columns.assign(geometry=geometry))
    with told_losses(path):
        frame.to_file(
            path,
            driver=driver,
            engine="pyogrio",
            layer=layer,
            index=False,
            geometry_type="MultiPolygon" if several else "Polygon" if areal else "Point",
            promote_to_multi=several,
            **options,
        )


@contextmanager
def told_losses(path: Path) -> Iterator[None]:
    """Make errors of what GDAL or geopandas warn of: values that are cut, columns that are renamed."""
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        try:
            yield
        except (RuntimeError, ValueError) as error:
            raise OutputError(f"{path.name} cannot be written: {error}") from error
    losses = [str(warning.message) for warning in told]
    if losses:
        raise OutputError(f"{path.name} cannot be written without a loss: {'; '.join(losses)}")


def contents_of_frame(table: pd.DataFrame, description: dict[str, Any]) -> Contents:
    """What a file holds of which geopandas has made a frame."""
    import pyproj

    geometry = np.full(len(table), None, dtype=object)
    active = getattr(table, "active_geometry_name", None)
    if active is not None:
        geometry[:] = np.asarray(table[active].array, dtype=object)
    columns = pd.DataFrame(table).drop(columns=[] if active is None else [active])
    crs = None if active is None else getattr(table, "crs", None)
    if crs is None:
        crs = pyproj.CRS.from_json_dict(description["geometry"]["crs"])
    return Contents(columns.reset_index(drop=True), geometry, crs, description)


def check_width(contents: Contents, most: int, kind: str) -> None:
    """Refuse more columns than a kind of file holds.

    Raises
    ------
    ArgumentError
        If there are.
    """
    count = contents.columns.shape[1]
    if count > most:
        raise ArgumentError(
            f"{kind} holds {most} columns, and these are {count}, with those of positions and regions; write "
            ".parquet, or choose columns with keep_cols="
        )


def check_eastward(crs: Any, kind: str) -> None:  # noqa: ANN401
    """Refuse a system whose abscissa grows westward, for a file that would not say so.

    Raises
    ------
    CRSError
        If it does.
    """
    if any(axis.direction == "west" for axis in crs.axis_info):
        raise CRSError(
            f"crs: in {crs.name!r} longitude counts westward, which a {kind} does not keep: software would "
            "read it eastward; write .parquet, or choose an east-positive "
            'system, such as crs="planetographic_east"'
        )
