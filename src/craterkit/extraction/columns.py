"""How the columns of results are called."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from craterkit.errors import ArgumentError, quoted

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Sequence

    from craterkit.extraction.sources import Source

__all__ = ["column_name", "column_names"]

#: What is named last, behind the region.
TRANSFORM = "transform"


def column_name(name: str, raster: str, band: str, region: str) -> str:
    """The column of a statistic; parts may be empty."""
    parts = (raster, band, region, name) if name == TRANSFORM else (name, raster, band, region)
    return "_".join(part for part in parts if part)


def column_names(
    regions: Iterable[str],
    sources: Sequence[Source],
    names: Sequence[str],
    taken: Container[Any],
) -> list[str]:
    """Every column in order: by region, raster, band and statistic.

    Raises
    ------
    ArgumentError
        If one is `taken`, or two would be the same.
    """
    columns = [
        column_name(name, source.label, band, region)
        for region in regions
        for source in sources
        for band in source.band_labels
        for name in names
    ]
    clashes = [name for name in columns if name in taken]
    if clashes:
        raise ArgumentError(
            f"the table has columns that the result needs: {quoted(clashes)}; rename the region or "
            "give the raster another name, as in {'name': raster}"
        )
    if len(set(columns)) < len(columns):
        twice = sorted({name for name in columns if columns.count(name) > 1})
        raise ArgumentError(f"two results would share a column: {quoted(twice)}")
    return columns
