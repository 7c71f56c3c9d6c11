"""Sample data: a crater table and rasters of a made-up Moon, found by file name.

The files come with the package; nothing is downloaded. ``sample_data/README.md`` in the
repository says what in them is real and what is made up.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path

__all__ = ["SampleData", "sample_data"]

_SUFFIXES = (".csv", ".tif")


class SampleData(Mapping[str, Path]):
    """Read-only mapping from file name to path of the data files in a folder.

    Parameters
    ----------
    folder : pathlib.Path
        Folder whose ``.csv`` and ``.tif`` files are the data.

    Examples
    --------
    >>> from craterkit.samples import sample_data
    >>> for name in sample_data:
    ...     print(name)
    crater_depths.csv
    moon.tif
    moon_craters_km.csv
    moon_dem.tif
    named_features.csv
    >>> sample_data["moon.tif"].name
    'moon.tif'
    >>> sample_data["mars.tif"]
    Traceback (most recent call last):
        ...
    KeyError: "no sample file 'mars.tif'; there are crater_depths.csv, moon.tif, ..."
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __getitem__(self, name: str) -> Path:
        """Return the path of a file.

        Parameters
        ----------
        name : str
            File name, such as ``"moon.tif"``.

        Returns
        -------
        pathlib.Path
            Where the file is; absolute.

        Raises
        ------
        KeyError
            There is no such file; the message lists those there are.
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
        """File names in alphabetical order."""
        if not self._folder.is_dir():
            return []
        return sorted(path.name for path in self._folder.iterdir() if path.suffix in _SUFFIXES)


def _folder() -> Path:
    """Return the data's folder: inside an installed package, else beside a checkout's ``src``."""
    here = Path(__file__).resolve()
    inside = here.parent / "sample_data"
    return inside if inside.is_dir() else here.parents[2] / "sample_data"


#: The files that come with craterkit, by name.
sample_data: Mapping[str, Path] = SampleData(_folder())
