"""Colours of features on maps by the values of a column: numbers, dates, durations, categories."""

from __future__ import annotations

from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from craterkit.errors import ArgumentError, ColumnError, RegionError, quoted
from craterkit.tables.feature_values import in_order

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

__all__ = ["Colouring", "colour_by_column"]

#: Colours of numbers, and which part of them stands out from a page or a gray raster.
NUMBERS, ON_PAGE, ON_RASTER = "plasma", (0.0, 0.9), (0.35, 1.0)

#: Features without a value, on a page and over a raster.
MISSING, MISSING_ON_RASTER = "#9A9A9A", "#DDDDDD"

#: Units of durations in seconds, the longest first.
DURATIONS = {"days": 86_400.0, "h": 3600.0, "min": 60.0, "s": 1.0}


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
    dates : bool
        Whether its numbers are matplotlib's dates.
    """

    rgba: NDArray[np.float64]
    key: list[tuple[str, Any]]
    title: str
    mappable: Any = None
    dates: bool = False


def colour_by_column(
    column: Any,  # noqa: ANN401
    table: pd.DataFrame,
    *,
    colours: Sequence[str],
    cmap: Any = None,  # noqa: ANN401
    norm: Any = None,  # noqa: ANN401
    vmin: Any = None,  # noqa: ANN401
    vmax: Any = None,  # noqa: ANN401
    on_raster: bool = True,
) -> Colouring:
    """Colour features by the values of a column.

    Parameters
    ----------
    column : label or pandas.Series
        A column of the table, or a value for each row with the table's index.
    table : pandas.DataFrame
        The features' table.
    colours : sequence of str
        Those of categories.
    cmap : str or Colormap, optional
        Colours of numbers, dates and durations.
    norm : str or Normalize, optional
        Their scale, such as ``"log"``; linear by default.
    vmin, vmax : number, date or duration, optional
        Ends of the colours; the least and greatest by default.
    on_raster : bool, default True
        Whether a raster, or a dark page, is behind.

    Raises
    ------
    ColumnError
        If there is no such column, or it holds complex numbers.
    ArgumentError
        If a Series has another index, `cmap` or `norm` is none, the ends are not in order, or there are
        such arguments but no numbers.
    """
    values = _values(column, table).infer_objects()
    if pd.api.types.infer_dtype(values, skipna=True) == "date":
        values = pd.to_datetime(values)
    title = "" if values.name is None else str(values.name)
    if pd.api.types.is_complex_dtype(values):
        raise ColumnError(
            f"column: {title!r} holds complex numbers, which have no order; give, for example, their abs()"
        )
    scale = _Scale(cmap, norm, vmin, vmax, on_raster)
    if pd.api.types.is_datetime64_any_dtype(values):
        return _by_date(values, title, scale)
    if pd.api.types.is_timedelta64_dtype(values):
        return _by_duration(values, title, scale)
    if pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values):
        return _by_number(values.to_numpy(dtype=np.float64, na_value=np.nan), title, scale)
    given = {"cmap": cmap, "norm": norm, "vmin": vmin, "vmax": vmax}
    useless = [name for name, value in given.items() if value is not None]
    if useless:
        raise ArgumentError(
            f"{useless[0]} is for numbers, but column {title!r} holds {values.dtype} and is shown by category"
        )
    return _by_category(values, title, colours, MISSING_ON_RASTER if on_raster else MISSING)


@dataclass(frozen=True, slots=True)
class _Scale:
    """How numbers become colours: arguments of `colour_by_column`."""

    cmap: Any
    norm: Any
    vmin: Any
    vmax: Any
    on_raster: bool

    def ends(self, convert: Callable[[Any], float]) -> _Scale:
        """The same with ends in the unit of the numbers."""
        found: dict[str, Any] = {}
        for name, value in (("vmin", self.vmin), ("vmax", self.vmax)):
            if value is None:
                continue
            try:
                end = float(convert(value))
            except (TypeError, ValueError, OverflowError) as error:
                raise ArgumentError(f"{name}: {value!r} is no value of the column") from error
            if not np.isfinite(end):
                raise ArgumentError(f"{name} must be a finite value of the column, not {value!r}")
            found[name] = end
        return replace(self, **found)

    def mappable(self, numbers: NDArray[np.float64]) -> Any:  # noqa: ANN401
        """What gives some numbers, all finite, their colours."""
        from matplotlib.cm import ScalarMappable

        try:
            mappable = ScalarMappable(self.norm, _colormap(self.cmap, on_raster=self.on_raster))
        except (ValueError, TypeError) as error:
            raise ArgumentError(f"norm: {error}") from error
        scale: Any = mappable.norm
        if not isinstance(self.norm, str | None) and (self.vmin, self.vmax) != (None, None):
            raise ArgumentError("norm has ends of its own; set its vmin and vmax instead of these")
        if self.vmin is not None:
            scale.vmin = self.vmin
        if self.vmax is not None:
            scale.vmax = self.vmax
        scale.autoscale_None(numbers)
        if not scale.scaled():
            # None of the numbers is on the scale.
            return mappable
        if scale.vmin > scale.vmax:
            raise ArgumentError(f"vmin ({scale.vmin:g}) must not be above vmax ({scale.vmax:g})")
        try:
            scale(numbers)
        except ValueError as error:
            raise ArgumentError(
                f"vmin, vmax: colours from {scale.vmin:g} to {scale.vmax:g}: {error}"
            ) from error
        return mappable


def _values(column: Any, table: pd.DataFrame) -> pd.Series[Any]:  # noqa: ANN401
    if isinstance(column, pd.Series):
        try:
            return in_order(column, table.index, "column")
        except RegionError as error:
            raise ArgumentError(str(error)) from error
    try:
        known = column in table.columns
    except TypeError:
        known = False
    if not known:
        names = [str(name) for name in table.columns]
        near = get_close_matches(str(column), names, n=3)
        advice = f"did you mean {quoted(near)}?" if near else f"it has {quoted(names)}"
        raise ColumnError(f"column: the table has no column {column!r}; {advice}")
    values: pd.Series[Any] | pd.DataFrame = table[column]
    if isinstance(values, pd.DataFrame):
        raise ColumnError(f"column: the table has {values.shape[1]} columns {column!r}")
    return values


def _colormap(cmap: Any, *, on_raster: bool) -> Any:  # noqa: ANN401
    from matplotlib import colormaps
    from matplotlib.colors import ListedColormap

    if cmap is None:
        name, (low, high) = NUMBERS, (ON_RASTER if on_raster else ON_PAGE)
        return ListedColormap(colormaps[name](np.linspace(low, high, 256)), name)
    try:
        return colormaps.get_cmap(cmap)
    except (ValueError, TypeError) as error:
        raise ArgumentError(f"cmap: {error}") from error


def _by_number(numbers: NDArray[np.float64], title: str, scale: _Scale) -> Colouring:
    from matplotlib.colors import to_rgba

    missing = MISSING_ON_RASTER if scale.on_raster else MISSING
    scale = scale.ends(float)
    known = np.isfinite(numbers)
    mappable = scale.mappable(numbers[known])
    rgba = np.tile(to_rgba(missing), (numbers.size, 1))
    on_scale = known.copy()
    if known.any() and mappable.norm.scaled():
        on_scale[known] = ~np.ma.getmaskarray(mappable.norm(numbers[known]))
        rgba[on_scale] = mappable.to_rgba(numbers[on_scale])
    else:
        on_scale[:] = False
    key: list[tuple[str, Any]] = []
    if (known & ~on_scale).any():
        key.append((f"not on the scale ({np.count_nonzero(known & ~on_scale):,})", missing))
    if not known.all():
        key.append((_missing(known), missing))
    return Colouring(rgba, key, title, mappable if on_scale.any() else None)


def _by_date(values: pd.Series[Any], title: str, scale: _Scale) -> Colouring:
    import matplotlib.dates

    date2num: Any = matplotlib.dates.date2num

    def number(date: Any) -> float:  # noqa: ANN401
        at = pd.Timestamp(date)
        return float(date2num(at.tz_convert(None) if at.tz is not None else at))

    if getattr(values.dtype, "tz", None) is not None:
        values = values.dt.tz_convert(None)
    numbers = np.full(len(values), np.nan)
    known = values.notna().to_numpy()
    numbers[known] = date2num(values[known].to_numpy(dtype="datetime64[us]"))
    return replace(_by_number(numbers, title, scale.ends(number)), dates=True)


def _by_duration(values: pd.Series[Any], title: str, scale: _Scale) -> Colouring:
    seconds = values.dt.total_seconds().to_numpy(dtype=np.float64, na_value=np.nan)
    longest = float(np.nanmax(np.abs(seconds))) if np.isfinite(seconds).any() else 0.0
    unit, size = next((it for it in DURATIONS.items() if it[1] <= longest), ("s", 1.0))
    scale = scale.ends(lambda value: pd.Timedelta(value).total_seconds() / size)
    return _by_number(seconds / size, f"{title} ({unit})", scale)


def _by_category(
    values: pd.Series[Any], title: str, colours: Sequence[str], lacking: str
) -> Colouring:
    from matplotlib.colors import to_rgba

    missing = values.isna().to_numpy()
    texts = values.astype(str).to_numpy(dtype=object)
    if isinstance(values.dtype, pd.CategoricalDtype):
        names = [str(name) for name in values.cat.categories if (texts == str(name)).any()]
    else:
        names = sorted(set(texts[~missing]))
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
    for name, colour in own.items():
        rgba[texts == name] = to_rgba(colour)
    rgba[missing] = to_rgba(lacking)
    if missing.any():
        key.append((_missing(~missing), lacking))
    return Colouring(rgba, key, title)


def _missing(known: NDArray[np.bool_]) -> str:
    return f"no value ({int(np.count_nonzero(~known)):,})"
