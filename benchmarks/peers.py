"""Other packages at the same work: exactextract, rasterstats."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from benchmarks.measuring import best_of
from craterkit import CraterDatabase

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import geopandas as gpd
    import pandas as pd

__all__ = ["STRATEGIES", "annuli", "time_exactextract", "time_rasterstats"]

STRATEGIES = ("feature-sequential", "raster-sequential")


def annuli(craters: pd.DataFrame) -> gpd.GeoDataFrame:
    """Return annuli of 1 to 1.5 radii as polygons of 64 vertices a circle."""
    cdb = CraterDatabase(craters, "moon")
    cdb.add_annuli("rim", 1, 1.5)
    return cdb.data[["rim"]].rename(columns={"rim": "geometry"}).set_geometry("geometry")


def time_exactextract(
    path: Path, polygons: gpd.GeoDataFrame, strategy: str, repeat: int
) -> tuple[float, pd.DataFrame]:
    """Return seconds, and means, counts and standard deviations."""
    from exactextract import exact_extract

    def work() -> Any:
        return exact_extract(
            str(path), polygons, ["mean", "count", "stdev"], strategy=strategy, output="pandas"
        )

    return best_of(repeat, work)


def time_rasterstats(
    path: Path, polygons: gpd.GeoDataFrame, repeat: int
) -> tuple[float, list[Mapping[str, float]]]:
    """Return seconds, and means, counts and standard deviations."""
    from rasterstats import zonal_stats

    def work() -> Any:
        return zonal_stats(
            polygons.geometry, str(path), stats=["mean", "count", "std"], all_touched=True
        )

    return best_of(repeat, work)
