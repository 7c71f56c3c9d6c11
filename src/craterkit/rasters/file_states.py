"""Files on this machine that rasters are read from, and whether they changed meanwhile."""

from __future__ import annotations

from typing import TYPE_CHECKING

from craterkit.errors import RasterError
from craterkit.extraction.raster_files import file_version, local_file

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["FileStates", "RasterChangedError"]


class RasterChangedError(RasterError):
    """A raster of which a file was replaced or overwritten while it was being read."""


class FileStates:
    """The state of files when this is made, to be compared with later.

    Parameters
    ----------
    names : iterable of str
        What GDAL calls them; those that are not on this machine are passed over.
    """

    def __init__(self, names: Iterable[str]) -> None:
        files = dict.fromkeys(map(local_file, names))
        self._states = {file: file_version(file) for file in files if file is not None}

    def check(self, raster: str) -> None:
        """Raise if a file is another one now; one that is gone cannot be mixed with another.

        Raises
        ------
        RasterChangedError
            Names the raster and the file.
        """
        for file, state in self._states.items():
            if file_version(file) not in (state, None):
                raise RasterChangedError(
                    f"{raster}: {file} changed while it was being read, and the results would be of "
                    "both the old and the new file; make the same call again"
                )
