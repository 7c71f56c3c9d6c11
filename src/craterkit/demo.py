"""The demo: the tutorial on the sample data, written to files.

The statistics of the annulus from 1 to 1.5 radii around every feature of the sample Moon, a table of
them, and pictures: a map, a sheet of the nine largest, and histograms of five. This module imports
matplotlib only to draw, and never touches its global state.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, cast

from craterkit.database import CraterDatabase
from craterkit.errors import ArgumentError
from craterkit.samples import sample_data

if TYPE_CHECKING:
    import os

    import pandas as pd
    from matplotlib.figure import Figure

__all__ = ["draw_histograms", "draw_map", "draw_sheet", "measure_rims", "run_demo"]

#: ROIs on the sheet, and those whose pixels have histograms; the table is sorted by size.
PANELS, RIMS = 9, 5


def run_demo(folder: str | os.PathLike[str]) -> dict[str, Path]:
    """Run the tutorial on the sample data and write what comes out.

    Parameters
    ----------
    folder : path
        Where to write; made if it does not exist.

    Returns
    -------
    dict of str to pathlib.Path
        The files: ``"stats"``, a table of all rims; ``"map"``, ``"rois"`` and ``"histograms"``, pictures.

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
    cdb, stats = measure_rims()
    paths = {"stats": folder / "stats.csv"}
    stats.to_csv(paths["stats"], index=False)
    for name, figure in (
        ("map", draw_map(cdb, stats["mean_rim"])),
        ("rois", draw_sheet(cdb)),
        ("histograms", draw_histograms(cdb)),
    ):
        paths[name] = folder / f"{name}.png"
        figure.savefig(paths[name], dpi=120)
    return paths


def measure_rims() -> tuple[CraterDatabase, pd.DataFrame]:
    """Measure the annulus from 1 to 1.5 radii around every feature of the sample Moon.

    Returns
    -------
    database : CraterDatabase
        The features with the region ``"rim"``.
    stats : pandas.DataFrame
        The table with mean, count, standard deviation and 90th percentile of the rims' pixels.
    """
    cdb = CraterDatabase(sample_data["moon_craters_km.csv"], "moon", units="km")
    cdb.add_annuli("rim", 1, 1.5)
    names = ["mean", "count", "std", "percentile_90"]
    return cdb, cast("pd.DataFrame", cdb.get_stats(sample_data["moon.tif"], "rim", names))


def draw_map(cdb: CraterDatabase, mean: pd.Series[float]) -> Figure:
    """Draw the rims of a database on the sample image, coloured by the mean of their pixels."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 4.6), layout="constrained")
    moon = sample_data["moon.tif"]
    cdb.plot(moon, "rim", ax=figure.add_subplot(), column=mean.rename("Mean of the rim's pixels"))
    return figure


def draw_sheet(cdb: CraterDatabase) -> Figure:
    """Draw the first nine rims of a database, each on a map of its own."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 9.3), layout="constrained")
    cdb.plot_rois(sample_data["moon.tif"], "rim", PANELS, fig=figure, resampling="bilinear")
    return figure


def draw_histograms(cdb: CraterDatabase) -> Figure:
    """Draw histograms of the pixels of the first five rims of a database."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.4, 4), layout="constrained")
    cdb.plot_hist(sample_data["moon.tif"], "rim", RIMS, ax=figure.add_subplot())
    return figure
