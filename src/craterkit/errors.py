"""Exceptions and warnings.

Every exception derives from `CraterkitError` and from the built-in that fits, so both
``except CraterkitError`` and ``except ValueError`` do what they say.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from craterkit.addresses import safe_text

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = [
    "ArgumentError",
    "AssumedWarning",
    "BodyError",
    "CRSError",
    "ClusterError",
    "ColumnError",
    "CraterkitError",
    "CraterkitWarning",
    "DroppedRowsWarning",
    "FeatureError",
    "OutputError",
    "OutsideRasterWarning",
    "RasterError",
    "RasterTypeError",
    "RegionError",
    "StatisticError",
    "TableError",
    "UnreadableWarning",
]


def _safe(args: tuple[object, ...]) -> tuple[object, ...]:
    """What an exception says, without passwords and signatures of addresses."""
    return tuple(safe_text(arg) if isinstance(arg, str) else arg for arg in args)


class CraterkitError(Exception):
    """Base of every error that craterkit raises on purpose."""

    def __init__(self, *args: object) -> None:
        super().__init__(*_safe(args))


class ArgumentError(CraterkitError, ValueError):
    """An argument with a value that it cannot take."""


class BodyError(CraterkitError, ValueError):
    """An unknown body, impossible radii, or data of another body."""


class CRSError(CraterkitError, ValueError):
    """A coordinate reference system that is missing, unusable or of another body."""


class TableError(CraterkitError, ValueError):
    """A dataset that cannot be read as a table of features."""


class ColumnError(TableError, KeyError):
    """A column that is missing, ambiguous or contradicts another argument."""

    def __str__(self) -> str:
        # KeyError would show the repr of the message.
        return str(self.args[0]) if self.args else ""


class FeatureError(TableError):
    """Rows with an impossible position or size."""


class RegionError(CraterkitError, ValueError):
    """A region that is impossible, unknown, or whose name is taken."""


class RasterError(CraterkitError, OSError):
    """A raster that cannot be opened or read."""


class OutputError(CraterkitError, OSError):
    """A result that cannot be written, or what an earlier run wrote that cannot be read."""


class RasterTypeError(CraterkitError, TypeError):
    """Something that is no raster at all."""


class ClusterError(CraterkitError, RuntimeError):
    """A Dask cluster that cannot do its work."""


class StatisticError(CraterkitError, ValueError):
    """An unknown statistic, or one that cannot be computed as asked."""


class CraterkitWarning(UserWarning):
    """Base of every warning that craterkit issues."""

    def __init__(self, *args: object) -> None:
        super().__init__(*_safe(args))


class AssumedWarning(CraterkitWarning):
    """Something that a table does not say was assumed: the unit of sizes, or the body of a GeoJSON file."""


class DroppedRowsWarning(CraterkitWarning):
    """Rows were dropped because ``errors="drop"`` was given."""


class OutsideRasterWarning(CraterkitWarning):
    """Some regions of interest lie outside the raster."""


class UnreadableWarning(CraterkitWarning):
    """Parts of a raster could not be read, and ``errors="flag"`` was given."""


def quoted(names: Iterable[object]) -> str:
    """Names as messages list them."""
    return ", ".join(repr(name) for name in names)
