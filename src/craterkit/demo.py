"""The demo: the tutorial on the sample data, written to files.

The statistics and pixels of the annulus from 1 to 1.5 radii around every feature of the sample
Moon, a table of them, and a picture of the first five: where they lie and how their pixels are
distributed. This module imports matplotlib only to draw, and never touches its global state.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np

from craterkit.database import CraterDatabase
from craterkit.errors import ArgumentError
from craterkit.samples import sample_data

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence

    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["draw_rims", "measure_rims", "run_demo"]

#: Rims in the picture; the table is sorted by size, so these are the largest.
RIMS = 5
COLOURS = ("#0072b2", "#e69f00", "#009e73", "#d55e00", "#cc79a7")


def run_demo(folder: str | os.PathLike[str]) -> dict[str, Path]:
    """Run the tutorial on the sample data and write what comes out.

    Parameters
    ----------
    folder : path
        Where to write; made if it does not exist.

    Returns
    -------
    dict of str to pathlib.Path
        The files: ``"stats"``, a table of all rims; ``"histograms"``, a picture of some.

    Raises
    ------
    ArgumentError
        If the folder cannot be made.
    """
    folder = Path(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ArgumentError(f"folder {str(folder)!r} cannot be made: {error}") from error
    paths = {"stats": folder / "stats.csv", "histograms": folder / "rim_histograms.png"}
    cdb, stats, pixels = measure_rims()
    stats.to_csv(paths["stats"], index=False)
    draw_rims(cdb[:RIMS], list(pixels[:RIMS])).savefig(paths["histograms"], dpi=100)
    return paths


def measure_rims() -> tuple[CraterDatabase, pd.DataFrame, pd.Series]:
    """Measure the annulus from 1 to 1.5 radii around every feature of the sample Moon.

    Returns
    -------
    database : CraterDatabase
        The features with the region ``"rim"``.
    stats : pandas.DataFrame
        The table with mean, count, standard deviation and 90th percentile of the rims' pixels.
    pixels : pandas.Series
        The masked array of each rim's pixels.
    """
    cdb = CraterDatabase(sample_data["moon_craters_km.csv"], "moon", units="km")
    cdb.add_annuli("rim", 1, 1.5)
    stats = cast("pd.DataFrame", cdb.get_stats(sample_data["moon.tif"], "rim"))
    pixels = cast("pd.DataFrame", cdb.get_arrays(sample_data["moon.tif"], "rim"))["rim"]
    stats["percentile_90_rim"] = [
        np.percentile(a.compressed(), 90) if a.count() else np.nan for a in pixels
    ]
    return cdb, stats, pixels


def draw_rims(cdb: CraterDatabase, pixels: Sequence[np.ma.MaskedArray]) -> Figure:
    """Draw rims on the sample image, and histograms of their pixels.

    Parameters
    ----------
    cdb : CraterDatabase
        The features, with a region ``"rim"``; a few.
    pixels : sequence of numpy.ma.MaskedArray
        The pixels of each.

    Returns
    -------
    matplotlib.figure.Figure
        The picture, 10 by 3.4 inches: the map and the histograms.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 3.4), layout="constrained")
    map_axes, histogram_axes = figure.subplots(1, 2, width_ratios=(1.7, 1))
    _draw_map(map_axes, cdb)
    names = [str(name) for name in cdb.data["Name"]]
    for name, array, colour in zip(names, pixels, COLOURS, strict=True):
        histogram_axes.hist(
            array.compressed(), bins=30, histtype="stepfilled", alpha=0.6, color=colour, label=name
        )
    histogram_axes.set(xlabel="Pixel value", ylabel="Count", title="Their pixels")
    histogram_axes.legend(frameon=False)
    return figure


def _draw_map(axes: Axes, cdb: CraterDatabase) -> None:
    """Show the sample image in longitude and latitude, with the edges of the rims."""
    import rasterio
    import shapely

    with rasterio.open(sample_data["moon.tif"]) as moon:
        image, bounds = moon.read(1), moon.bounds
    extent = (bounds.left, bounds.right, bounds.bottom, bounds.top)
    axes.imshow(image, cmap="gray", extent=extent)
    for polygon, colour in zip(cdb.data["rim"], COLOURS, strict=True):
        for part in shapely.get_parts(polygon):
            for ring in (part.exterior, *part.interiors):
                axes.plot(*shapely.get_coordinates(ring).T, color=colour, linewidth=1.8)
    axes.set(xlim=extent[:2], ylim=extent[2:])
    axes.set(xlabel="Longitude (°)", ylabel="Latitude (°)")
    axes.set(title=f"The {len(cdb)} largest features, 1 to 1.5 radii")
