"""Colours of features on maps: by region, by a number, by a category."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from craterkit.errors import ArgumentError, ColumnError, quoted
from craterkit.plotting.colours import FILLS, LINES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from craterkit.regions import Region

__all__ = ["Colouring", "colour_by_column", "colours_of_regions"]

#: Colours of numbers, and which part of them stands out from a page or a gray raster.
NUMBERS, ON_WHITE, ON_GRAY = "plasma", (0.0, 0.9), (0.35, 1.0)

#: Features without a value.
MISSING = "#9A9A9A"


@dataclass(frozen=True, slots=True)
class Colouring:
    """The colour of every feature, and what the map's key says of it.

    Attributes
    ----------
    rgba : (n, 4) ndarray
        Colours.
    key : list of (str, colour)
        Entries of the legend.
    title : str
        What the colours mean.
    mappable : matplotlib ScalarMappable or None
        What a colour bar shows.
    """

    rgba: NDArray[np.float64]
    key: list[tuple[str, Any]]
    title: str
    mappable: Any = None


def colours_of_regions(
    regions: Mapping[str, Region],
    color: Any,  # noqa: ANN401
    *,
    on_white: bool,
) -> dict[str, Any]:
    """The colour of each region.

    Parameters
    ----------
    regions : mapping
        The regions by name.
    color : colour or dict, optional
        One colour for all, or colours by region; those of a palette by default.
    on_white : bool
        Whether there is no raster behind.

    Raises
    ------
    ArgumentError
        If something is no colour, or a dict names a region that is not drawn.
    """
    from matplotlib.colors import is_color_like

    palette = FILLS if on_white else LINES
    colours: dict[str, Any] = {name: palette[i % len(palette)] for i, name in enumerate(regions)}
    if isinstance(color, dict):
        unknown = [name for name in color if name not in colours]
        if unknown:
            raise ArgumentError(
                f"color: there is no region {quoted(unknown)} on the map; it has {quoted(colours)}"
            )
        colours |= color
    elif color is not None:
        colours = dict.fromkeys(colours, color)
    for value in colours.values():
        if not is_color_like(value):
            raise ArgumentError(
                f"color must be a colour of matplotlib, or a dict of them by region, not {value!r}"
            )
    return colours


def colour_by_column(
    column: Any,  # noqa: ANN401
    table: pd.DataFrame,
    *,
    cmap: Any = None,  # noqa: ANN401
    vmin: float | None = None,
    vmax: float | None = None,
    on_white: bool = False,
) -> Colouring:
    """Colour features by the values of a column.

    Parameters
    ----------
    column : label or pandas.Series
        A column of the table, or a value for each row with the table's index.
    table : pandas.DataFrame
        The features' table.
    cmap : str or Colormap, optional
        Colours of numbers.
    vmin, vmax : float, optional
        Ends of the colours; the least and greatest number by default.
    on_white : bool, default False
        Whether there is no raster behind.

    Raises
    ------
    ColumnError
        If there is no such column.
    ArgumentError
        If a Series has another index, or nothing has a value.
    """
    values = _values(column, table)
    title = "" if values.name is None else str(values.name)
    if pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values):
        return _by_number(values, title, _colormap(cmap, on_white=on_white), vmin, vmax)
    return _by_category(values, title)


def _values(column: Any, table: pd.DataFrame) -> pd.Series[Any]:  # noqa: ANN401
    if isinstance(column, pd.Series):
        if not column.index.equals(table.index):
            raise ArgumentError(
                "column: the index of the Series is not that of the table; reindex it to cdb.data.index"
            )
        return column
    try:
        known = column in table.columns
    except TypeError:
        known = False
    if not known:
        names = [str(name) for name in table.columns]
        near = get_close_matches(str(column), names, n=3)
        advice = f"did you mean {quoted(near)}?" if near else f"it has {quoted(names)}"
        raise ColumnError(f"column: the table has no column {column!r}; {advice}")
    values = table[column]
    if isinstance(values, pd.DataFrame):
        raise ColumnError(f"column: the table has {values.shape[1]} columns {column!r}")
    return values


def _colormap(cmap: Any, *, on_white: bool) -> Any:  # noqa: ANN401
    from matplotlib import colormaps
    from matplotlib.colors import ListedColormap

    if cmap is None:
        name, (low, high) = NUMBERS, (ON_WHITE if on_white else ON_GRAY)
        return ListedColormap(colormaps[name](np.linspace(low, high, 256)), name)
    try:
        return colormaps.get_cmap(cmap)
    except (ValueError, TypeError) as error:
        raise ArgumentError(f"cmap: {error}") from error


def _by_number(
    values: pd.Series[Any],
    title: str,
    cmap: Any,  # noqa: ANN401
    vmin: float | None,
    vmax: float | None,
) -> Colouring:
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Normalize, to_rgba

    numbers = values.to_numpy(dtype=np.float64, na_value=np.nan)
    known = np.isfinite(numbers)
    if known.any():
        vmin = float(numbers[known].min()) if vmin is None else vmin
        vmax = float(numbers[known].max()) if vmax is None else vmax
    mappable = ScalarMappable(Normalize(vmin, vmax), cmap)
    rgba = np.empty((numbers.size, 4))
    rgba[known] = mappable.to_rgba(numbers[known])
    rgba[~known] = to_rgba(MISSING)
    key = [] if known.all() else [(_missing(known), MISSING)]
    return Colouring(rgba, key, title, mappable if known.any() else None)


def _by_category(values: pd.Series[Any], title: str) -> Colouring:
    from matplotlib.colors import to_rgba

    missing = values.isna().to_numpy()
    texts = values.astype(str).to_numpy(dtype=object)
    if isinstance(values.dtype, pd.CategoricalDtype):
        names = [str(name) for name in values.cat.categories if (texts == str(name)).any()]
    else:
        names = sorted(set(texts[~missing]))
    colours = list(LINES)
    key: list[tuple[str, Any]]
    if len(names) <= len(colours):
        own = dict(zip(names, colours, strict=False))
        key = list(own.items())
    else:
        # The commonest have colours of their own.
        counts = pd.Series(texts[~missing]).value_counts()
        common = [name for name in names if name in set(counts.index[: len(colours) - 1])]
        own = dict.fromkeys(names, colours[-1]) | dict(zip(common, colours, strict=False))
        others = f"{len(names) - len(common)} others"
        key = [*((name, own[name]) for name in common), (others, colours[-1])]
    rgba = np.empty((len(values), 4))
    rgba[missing] = to_rgba(MISSING)
    for name, colour in own.items():
        rgba[texts == name] = to_rgba(colour)
    rgba[missing] = to_rgba(MISSING)
    if missing.any():
        key.append((_missing(~missing), MISSING))
    return Colouring(rgba, key, title)


def _missing(known: NDArray[np.bool_]) -> str:
    return f"no value ({int(np.count_nonzero(~known)):,})"
