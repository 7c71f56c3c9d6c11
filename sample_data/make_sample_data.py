"""Make the sample data: worlds with known answers.

Reads the hand-written ``named_features.csv`` and writes, beside it or into another folder,

- ``moon_craters_km.csv``: the named features and synthetic small craters, largest first,
- ``moon_dem.tif``: an elevation model in which every crater has the depth of a published law,
- ``moon.tif``: an albedo image of the same surface,
- ``crater_depths.csv``: the depths that can be measured on the elevation model.

Positions and diameters of the named features are real; everything else is drawn from fixed
seeds. Run it as ``python sample_data/make_sample_data.py [folder]``; it takes some seconds.
"""

from __future__ import annotations

import sys
from pathlib import Path

from sketches import ceres, moon, south_pole, weeks

HERE = Path(__file__).resolve().parent


def make(folder: Path = HERE) -> None:
    """Write all files into `folder`."""
    drawn = moon.make(folder, HERE / "named_features.csv")
    weeks.make(folder, drawn.catalogue.query("type == 'crater'"))
    south_pole.make(folder, drawn)
    ceres.make(folder)


if __name__ == "__main__":
    make(Path(sys.argv[1]) if len(sys.argv) > 1 else HERE)
