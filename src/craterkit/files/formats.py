"""The kinds of files that hold a database, by extension."""

from __future__ import annotations

import os
import warnings
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from craterkit.errors import ArgumentError, CraterkitError, CraterkitWarning, TableError
from craterkit.files import geojson, geopackage, geoparquet, shapefile
from craterkit.files.writing import output_path, unfinished

if TYPE_CHECKING:
    from craterkit.files.contents import Contents
    from craterkit.files.holdings import Holds

__all__ = ["Format", "described_extensions", "format_of", "known_extensions", "named_format"]


@dataclass(frozen=True, slots=True)
class Format:
    """A kind of file.

    Attributes
    ----------
    title : str
        What messages call it.
    extensions : tuple of str
        Extensions that tell it; the first is the usual one.
    module : module
        What writes it, and reads it if it has a place for a description.
    """

    title: str
    extensions: tuple[str, ...]
    module: ModuleType

    @property
    def holds(self) -> Holds:
        """What its columns can hold."""
        holds: Holds = self.module.HOLDS
        return holds

    @property
    def reserved(self) -> frozenset[str]:
        """Names of columns that it keeps for itself."""
        names: frozenset[str] = self.module.RESERVED
        return names

    @property
    def is_described(self) -> bool:
        """Whether it has a place for a description."""
        return hasattr(self.module, "read")

    def target(self, path: Any, argument: str, *, overwrite: bool) -> Path:  # noqa: ANN401
        """The path of a file that may be written, before any work is done for it.

        Raises
        ------
        ArgumentError
            If it may not, or what writes it is not installed.
        """
        found = output_path(path, argument, overwrite=overwrite)
        if found.name.lower() in self.extensions:
            raise ArgumentError(f"{argument}: {found.name!r} is an extension without a name")
        family: frozenset[str] = getattr(self.module, "FAMILY", frozenset())
        if family:
            found = found.with_suffix(self.extensions[0])  # GDAL writes small letters
            for file in found.parent.iterdir():
                if file.stem == found.stem and file.suffix.lower() == found.suffix:
                    output_path(file, argument, overwrite=overwrite)
        if self.module is geoparquet:
            geoparquet.check_installed(str(path))
        if self.module is geopackage and found.exists():
            geopackage.check_replaced(found)
        return found

    def write(self, contents: Contents, path: Path) -> None:
        """Write a file that bears its name once it is whole.

        Raises
        ------
        CraterkitError
            If it cannot be written; what was there before is as it was.
        """
        with unfinished(path, getattr(self.module, "FAMILY", frozenset())) as whole:
            self.module.write(contents, whole)

    def found(self, name: str) -> str:
        """The name under which a file was written, if it is not there under this one."""
        written = Path(name).with_suffix(self.extensions[0])
        several = hasattr(self.module, "FAMILY") and not os.path.exists(name) and written.is_file()
        return str(written) if several else name

    def read(self, name: str) -> Contents | None:
        """What a file holds that was written here; None if it was not.

        Raises
        ------
        TableError
            If it was, and cannot be read.
        """
        if not self.is_described:
            return None
        path: Any = name if name.startswith("/vsi") else Path(name)
        if path is name and self.module is not geopackage:
            warnings.warn(
                f"{name} is read as a table: whether {self.title} holds a database, with regions, can be told "
                "of one on the disk, of an address or in a zip archive only; copy it to the disk",
                CraterkitWarning,
                stacklevel=3,
            )
            return None
        try:
            found = self.module.described(path)
        except (OSError, ValueError, RuntimeError, ImportError):
            return None  # reading it as a table says why
        if found is None:
            return None
        try:
            contents: Contents = self.module.read(path, found)
        except (CraterkitError, MemoryError):
            raise
        except Exception as error:  # drivers have no common base
            raise TableError(
                f"{path} holds a database that cannot be read: {type(error).__name__}: {error}"
            ) from error
        return contents


FORMATS = (
    Format("a GeoPackage", (".gpkg",), geopackage),
    Format("a GeoParquet file", (".parquet", ".geoparquet", ".pq"), geoparquet),
    Format("a Shapefile", (".shp",), shapefile),
    Format("a GeoJSON file", (".geojson", ".json"), geojson),
)


def known_extensions() -> str:
    """The usual extensions, as messages list them."""
    return ", ".join(f"{kind.extensions[0]} ({kind.title[2:]})" for kind in FORMATS)


def described_extensions() -> tuple[str, ...]:
    """The extensions of files that have a place for a description."""
    return tuple(end for kind in FORMATS if kind.is_described for end in kind.extensions)


def format_of(name: str) -> Format | None:
    """The kind of file that an extension tells."""
    ends = name.lower()
    return next((kind for kind in FORMATS if ends.endswith(kind.extensions)), None)


def named_format(name: str, argument: str) -> Format:
    """The kind of file to write.

    Raises
    ------
    ArgumentError
        If the extension tells none.
    """
    found = format_of(name)
    if found is None and os.path.isdir(name):
        raise ArgumentError(f"{argument}: {name!r} is a folder; name a file in it")
    if found is None:
        raise ArgumentError(
            f"{argument}: the extension of {name!r} tells no kind of file that can be written; known are "
            f"{known_extensions()}"
        )
    return found
