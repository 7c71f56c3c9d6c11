"""Sample data: tables and rasters of made-up worlds, found by name.

The files come with the package; nothing is downloaded. ``sample_data/README.md`` in the
repository says what in them is real and what is made up:

- a Moon, ``moon.tif`` and ``moon_dem.tif``, with its craters, ``moon_craters_km.csv``, and those
  depths that can be measured, ``crater_depths.csv``;
- its south pole on polar stereographic maps, ``moon_south_pole.tif`` and
  ``moon_south_pole_dem.tif``, with the depths of craters, ``moon_south_pole_craters.csv``;
- a year of weekly temperatures around Tycho, the folder ``moon_weeks``, the mask
  ``weekly_mask.tif`` of areas of interest, and their seasons, ``weekly_areas.csv``;
- a flattened body, ``ceres.tif`` and ``ceres_dem.tif``, in planetographic latitudes, with craters and
  their depths, ``ceres_craters.csv``, in planetocentric ones.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path

__all__ = ["SampleData", "sample_data"]

_SUFFIXES = (".csv", ".tif")


class SampleData(Mapping[str, Path]):
    """Read-only mapping from name to path of the data in a folder.

    Parameters
    ----------
    folder : pathlib.Path
        Folder whose ``.csv`` and ``.tif`` files are the data, and the folders in it that hold some.

    Examples
    --------
    >>> from craterkit.samples import sample_data
    >>> sample_data["moon.tif"].name
    'moon.tif'
    >>> [name for name in sample_data if name.startswith("moon_")]
    ['moon_craters_km.csv', 'moon_dem.tif', 'moon_south_pole.tif', 'moon_south_pole_craters.csv',
    'moon_south_pole_dem.tif', 'moon_weeks']

    A folder is a stack of rasters:

    >>> weeks = sorted(sample_data["moon_weeks"].glob("*.tif"))
    >>> len(weeks), weeks[0].name
    (52, 'temperature_20200106.tif')

    >>> sample_data["mars.tif"]
    Traceback (most recent call last):
        ...
    KeyError: "no sample file 'mars.tif'; there are ceres.tif, ceres_craters.csv, ..."
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __getitem__(self, name: str) -> Path:
        """Return the path of a file, or of a folder of files.

        Parameters
        ----------
        name : str
            Name, such as ``"moon.tif"``.

        Returns
        -------
        pathlib.Path
            Where it is; absolute.

        Raises
        ------
        KeyError
            There is nothing of this name; the message lists what there is.
        """
        if name not in self._names():
            known = ", ".join(self) or f"none in {self._folder}"
            raise KeyError(f"no sample file {name!r}; there are {known}")
        return self._folder / name

    def __iter__(self) -> Iterator[str]:
        return iter(self._names())

    def __len__(self) -> int:
        return len(self._names())

    def __repr__(self) -> str:
        return f"<SampleData: {', '.join(self)}>"

    def _ipython_key_completions_(self) -> list[str]:
        return self._names()

    def _names(self) -> list[str]:
        """Names of files and folders in alphabetical order."""
        if not self._folder.is_dir():
            return []
        return sorted(path.name for path in self._folder.iterdir() if _is_data(path))


def _is_data(path: Path) -> bool:
    """Whether a path is a data file, or a folder with such files."""
    if path.is_dir():
        return any(inside.suffix in _SUFFIXES for inside in path.iterdir())
    return path.suffix in _SUFFIXES


def _folder() -> Path:
    """Return the data's folder: inside an installed package, else beside a checkout's ``src``."""
    here = Path(__file__).resolve()
    inside = here.parent / "sample_data"
    return inside if inside.is_dir() else here.parents[2] / "sample_data"


#: The files and folders that come with craterkit, by name.
sample_data: Mapping[str, Path] = SampleData(_folder())
