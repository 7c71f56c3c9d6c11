"""The arguments of maps, checked before anything is read or drawn."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from craterkit.errors import ArgumentError
from craterkit.plotting.saving import picture_path

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["MapOptions"]

#: Arguments that need a column, and those that need a raster.
OF_COLUMNS = ("cmap", "norm", "vmin", "vmax")
OF_RASTERS = ("raster_cmap", "stretch", "nodata", "raster_crs", "transform")

#: Properties of collections that would move or recolour outlines, and what to use instead.
NOT_OF_LINES = {
    **dict.fromkeys(("edgecolor", "colors"), "give color"),
    **dict.fromkeys(("array", "clim"), "give column, vmin and vmax"),
    **dict.fromkeys(
        ("offsets", "offset_transform", "paths", "segments", "verts"), "outlines lie where ROIs do"
    ),
    "fraster": "the raster is the first argument, raster",
}


@dataclass(frozen=True, slots=True)
class MapOptions:
    """How a map looks; see `CraterDatabase.plot`."""

    size: Any = None
    dpi: float | None = None
    band: Any = 1
    color: Any = None
    alpha: float = 0.9
    column: Any = None
    cmap: Any = None
    norm: Any = None
    vmin: Any = None
    vmax: Any = None
    raster_cmap: Any = None
    stretch: Any = None
    extent: Any = None
    nodata: float | None = None
    raster_crs: Any = None
    transform: Any = None
    savefig: Any = None
    savefig_kwargs: dict[str, Any] | None = None
    line_options: dict[str, Any] = field(default_factory=dict)

    def check_effect(self, *, raster: bool, new_figure: bool) -> None:
        """Refuse arguments that would do nothing.

        Parameters
        ----------
        raster : bool
            Whether there is one.
        new_figure : bool
            Whether the map gets a figure of its own.

        Raises
        ------
        ArgumentError
            If there are such.
        """
        if self.column is None:
            for name in OF_COLUMNS:
                if getattr(self, name) is not None:
                    other = "raster_cmap" if name in ("cmap", "norm") else "stretch"
                    raise ArgumentError(
                        f"{name} colours features by a column, and column is not given; "
                        f"for the raster there is {other}"
                    )
        elif self.color is not None:
            raise ArgumentError("color and column both colour the outlines; give one of them")
        if not raster:
            given = [name for name in OF_RASTERS if getattr(self, name) is not None]
            if given:
                raise ArgumentError(f"{given[0]} is for the raster, and none is given")
        if self.size is not None and not new_figure:
            raise ArgumentError("size is that of a new figure; ax has a figure already")

    def checked_stretch(self) -> tuple[float, float] | None:
        """Percentiles of the raster that are black and white."""
        if self.stretch is None:
            return None
        try:
            low, high = (float(value) for value in self.stretch)
        except (TypeError, ValueError):
            low = high = np.nan
        if not 0 <= low < high <= 100:
            raise ArgumentError(
                "stretch must be two percentiles between 0 and 100, the lower one first, "
                f"not {self.stretch!r}"
            )
        return low, high

    def checked_raster_cmap(self) -> Any:  # noqa: ANN401
        """The colour map of a raster of one band."""
        from matplotlib import colormaps

        try:
            return colormaps.get_cmap("gray" if self.raster_cmap is None else self.raster_cmap)
        except (ValueError, TypeError) as error:
            raise ArgumentError(f"raster_cmap: {error}") from error

    def checked_dpi(self) -> float | None:
        """Dots per inch."""
        dpi = self.dpi
        if dpi is None:
            return None
        if isinstance(dpi, bool) or not isinstance(dpi, int | float | np.number) or not dpi >= 1:
            raise ArgumentError(f"dpi must be a number of dots per inch, not {dpi!r}")
        return float(dpi)

    def checked_saving(self) -> tuple[Path | None, dict[str, Any]]:
        """Where the figure is saved, and options for `Figure.savefig`."""
        from matplotlib.figure import Figure

        given = {} if self.savefig_kwargs is None else self.savefig_kwargs
        if not isinstance(given, dict):
            raise ArgumentError(f"savefig_kwargs must be a dict, not {type(given).__name__}")
        return picture_path(self.savefig, Figure), given

    def checked_line_options(self) -> dict[str, Any]:
        """Options for the collections of lines, by their full names."""
        from matplotlib import cbook
        from matplotlib.collections import LineCollection

        hint = "further arguments are for matplotlib.collections.LineCollection"
        try:
            given = cbook.normalize_kwargs(self.line_options, LineCollection)
        except TypeError as error:
            raise TypeError(f"plot: {error}; {hint}") from error
        for name, instead in NOT_OF_LINES.items():
            if name in given:
                raise TypeError(f"plot has no argument {name!r}: {instead}")
        try:
            LineCollection([], **given)
        except (AttributeError, TypeError, ValueError) as error:
            raise TypeError(f"plot: {error}; {hint}") from error
        if not isinstance(self.alpha, int | float | np.number) or not 0 <= self.alpha <= 1:
            raise ArgumentError(f"alpha must be a number from 0 to 1, not {self.alpha!r}")
        return dict(given)
