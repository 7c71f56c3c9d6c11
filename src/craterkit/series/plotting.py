"""Pictures of series through time."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np

from craterkit.errors import ArgumentError, quoted
from craterkit.plotting.arguments import checked_axes, checked_count, closed_on_error, properties_of
from craterkit.plotting.colours import FILLS
from craterkit.plotting.legends import legend_beside
from craterkit.rasters.opening import is_data_array

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.intp]

__all__ = ["plot_series"]

#: Percentiles between which many series are shaded.
SHADED = 5.0, 95.0

#: The method and the artist whose properties further arguments are.
PROPERTIES = "plot_series", "matplotlib.axes.Axes.plot"

#: How lines are told apart: by all colours first.
STYLES = tuple(
    {"linestyle": dashes, "color": colour}
    for dashes, colour in product(("-", "--", ":", "-."), FILLS)
)


def plot_series(
    series: pd.DataFrame | pd.Series | xr.DataArray,
    value: str = "mean",
    *,
    by: str | Iterable[object] | None = None,
    most: int = 20,
    ax: Axes | None = None,
    **kwargs: Any,  # noqa: ANN401
) -> Axes:
    """Draw series of pixels, areas or features in the order of time, with gaps where data are missing.

    Parameters
    ----------
    series : pandas.DataFrame, pandas.Series or xarray.DataArray
        What `PixelSelection.get_series`, `PixelSelection.get_stats`, `PixelSelection.to_xarray` or
        `CraterDatabase.get_series` returned, or some of its columns or rows.
    value : str, default "mean"
        Which statistic, of a table of statistics. Features that have one index are drawn apart.
    by : iterable or str, optional
        One label for each series (each column, or each pixel of a DataArray), such as
        `PixelSelection.labels`; or the name of a column level, of a column that comes before ``time``
        in a table of statistics, or of a coordinate of a DataArray's pixels. Series of one label
        share a colour and an entry of the legend.
    most : int, default 20
        Up to how many series are drawn one by one. Of more, the median is drawn and the range from
        the 5th to the 95th percentile is shaded; with `by`, of each label that has several.
    ax : matplotlib.axes.Axes, optional
        Where to draw; by default on a new figure.
    **kwargs
        For `matplotlib.axes.Axes.plot`.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    ArgumentError
        If it is no such table or array, has no such column, or nothing to draw; if `by` are not one
        label for each series, or more labels than can be told apart.

    Examples
    --------
    >>> import numpy as np
    >>> from craterkit import PixelSelection, plot_series
    >>> pixels = PixelSelection.from_raster(np.array([[0, 1], [1, 0]]), value=0)
    >>> series = pixels.get_series([np.full((2, 2), week) for week in range(5)])
    >>> axes = plot_series(series)
    >>> len(axes.lines)
    2
    >>> axes = plot_series(series, by=pixels.labels)
    >>> [text.get_text() for text in axes.get_legend().get_texts()]
    ['0']
    """
    import matplotlib.pyplot as plt
    from matplotlib import cbook, dates
    from matplotlib.lines import Line2D

    wide, label, by = _wide(series, value, by)
    if not wide.shape[1] or not len(wide):
        raise ArgumentError("series: there is nothing to draw")
    wide = _in_order(wide)
    grouping = None if by is None else _grouping(by, wide.columns)
    most = checked_count("most", most, 0)
    ax = checked_axes(ax)
    new = None
    if ax is None:
        new, ax = plt.subplots(layout="constrained")
    with closed_on_error(new):
        with properties_of(*PROPERTIES):
            options = cbook.normalize_kwargs(kwargs, Line2D)
        values = _numbers(wide)
        if grouping is not None:
            _draw_groups(ax, wide.index, values, *grouping, most, options, new)
        elif values.shape[1] <= most:
            texts = [_text(name) for name in wide.columns]
            _draw_lines(ax, wide.index, values, texts, np.arange(len(texts)), options)
            _explain_lines(ax, wide.columns, new)
        else:
            style = {"label": "median", **STYLES[0], **options}
            _draw_range(ax, wide.index, values, style, _shade(values))
            legend_beside(ax, figure=new)
        if not np.isfinite(values).any():
            _say_no_data(ax, wide.index)
        ax.set_xlabel("time")
        ax.set_ylabel(label, parse_math=False)
        if wide.index.dtype.kind == "M":
            locator = ax.xaxis.get_major_locator()
            ax.xaxis.set_major_formatter(dates.ConciseDateFormatter(locator))  # type: ignore[no-untyped-call]
    return ax


def _in_order(wide: pd.DataFrame) -> pd.DataFrame:
    """The table with its times, if they are such, from the first to the last."""
    times = wide.index
    ordered = times.dtype.kind in "iufM" or times.inferred_type in ("period", "timedelta64")
    return wide.sort_index(kind="stable") if ordered else wide


def _explain_lines(ax: Axes, columns: pd.Index, new: Figure | None) -> None:
    """A legend of single series, or how many they are if their lines cannot be told apart."""
    from matplotlib.lines import Line2D

    title = ", ".join(str(part) for part in columns.names if part) or None
    if 1 < len(columns) <= len(STYLES):
        legend_beside(ax, figure=new, title=title)
    elif len(columns) > 1:
        none = Line2D([], [], linestyle="none", label=f"{len(columns):,} series")
        legend_beside(ax, [none], figure=new, title=title)


def _say_no_data(ax: Axes, times: pd.Index) -> None:
    """Show the times of series that are all gaps."""
    x = np.asarray(ax.convert_xunits(times), dtype=np.float64)  # type: ignore[no-untyped-call]
    ax.update_datalim(np.column_stack([x, np.zeros(x.size)]), updatey=False)
    ax.autoscale_view()
    ax.text(0.5, 0.5, "no data", transform=ax.transAxes, ha="center", va="center")


def _wide(series: Any, value: str, by: Any) -> tuple[pd.DataFrame, str, Any]:  # noqa: ANN401
    """One row a time and one column a series, what the values are called, and labels if any."""
    import pandas as pd

    if is_data_array(series):
        return _of_array(series, by)
    if isinstance(series, pd.Series):
        series = series.to_frame()
    if not isinstance(series, pd.DataFrame):
        raise ArgumentError(
            "series must be a table or array that get_series, get_stats or to_xarray returned, not "
            f"{type(series).__name__}"
        )
    if "time" not in series.columns:
        return series, "value", by
    if value not in series.columns:
        raise ArgumentError(
            f"value: the table has no column {value!r}; it has {quoted(list(series.columns))}"
        )
    keys = list(series.columns[: list(series.columns).index("time")])
    if not keys:
        return series.set_index("time")[[value]], value, by
    if "region" in keys and len(set(series["region"])) == 1 and by != "region":
        keys.remove("region")
    owners = series[keys]
    repeats = series.groupby([*keys, "time"], dropna=False, observed=True).cumcount()
    if repeats.any():
        owners = owners.assign(occurrence=repeats + 1)
    owner = pd.MultiIndex.from_frame(owners) if owners.shape[1] > 1 else pd.Index(owners.iloc[:, 0])
    row, times = pd.factorize(series["time"])
    column, _ = pd.factorize(owner)
    wide = np.full((len(times), int(column.max(initial=-1)) + 1), np.nan)
    wide[row, column] = _numbers(series[[value]])[:, 0]
    columns = owner[~owner.duplicated()]
    return pd.DataFrame(wide, index=pd.Index(times, name="time"), columns=columns), value, by


def _of_array(array: Any, by: Any) -> tuple[pd.DataFrame, str, Any]:  # noqa: ANN401
    """A labelled array as a table."""
    import pandas as pd

    others = [name for name in array.dims if name != "time"]
    if "time" not in array.dims or len(others) > 1:
        raise ArgumentError(
            "series: a DataArray must have the dimension time and at most one more, not "
            f"{quoted(list(array.dims))}"
        )
    array = array.transpose("time", ...)
    if isinstance(by, str):
        known = [str(name) for name, place in array.coords.items() if place.dims == tuple(others)]
        if by not in known:
            raise ArgumentError(
                f"by: no series has a {by!r}; they have {quoted(known) or 'no names'}"
            )
        by = pd.Series(array[by].values, name=by)
    values = array.to_numpy().reshape(len(array["time"]), -1)
    name = "value" if array.name is None else str(array.name)
    return pd.DataFrame(values, index=pd.Index(array["time"].values, name="time")), name, by


def _numbers(table: pd.DataFrame) -> Floats:
    try:
        return np.asarray(table.to_numpy(dtype=np.float64, na_value=np.nan))
    except (TypeError, ValueError) as error:
        raise ArgumentError(f"series: not all of it are numbers: {error}") from error


def _grouping(by: Any, columns: pd.Index) -> tuple[Ints, list[str], str]:  # noqa: ANN401
    """Number of the label of each column, the labels, and what they are called."""
    import pandas as pd

    if isinstance(by, str):
        if by not in columns.names:
            known = [str(name) for name in columns.names if name is not None]
            raise ArgumentError(
                f"by: no series has a {by!r}; they have {quoted(known) or 'no names'}"
            )
        given = pd.Series(columns.get_level_values(by), name=by)
    elif isinstance(by, Iterable):
        given = by if isinstance(by, pd.Series) else pd.Series(list(by))
    else:
        raise ArgumentError(f"by must be one label for each series, or a name, not {by!r}")
    if len(given) != len(columns):
        raise ArgumentError(f"by has {len(given)} labels for {len(columns)} series")
    if given.isna().any():
        place = int(np.flatnonzero(given.isna())[0])
        raise ArgumentError(f"by: the label at position {place} is missing")
    number, labels = pd.factorize(given)
    if len(labels) > len(STYLES):
        raise ArgumentError(
            f"by has {len(labels)} different labels, of which {len(STYLES)} can be told apart in a "
            "picture; draw the columns of some of them"
        )
    return number, [_text(name) for name in labels], "" if given.name is None else str(given.name)


def _draw_groups(
    ax: Axes,
    times: pd.Index,
    values: Floats,
    number: Ints,
    labels: list[str],
    name: str,
    most: int,
    options: dict[str, Any],
    new: Figure | None,
) -> None:
    """Draw series in the colours of their labels, with a legend."""
    shaded = values.shape[1] > most
    for i, label in enumerate(labels):
        own = values[:, number == i]
        count = own.shape[1]
        if shaded and count > 1:
            style = {"label": f"{label} (n = {count:,})", **STYLES[i], **options}
            _draw_range(ax, times, own, style, None)
        else:
            _draw_lines(ax, times, own, [label, *[None] * (count - 1)], np.full(count, i), options)
    what = f"median, {SHADED[0]:g} to {SHADED[1]:g} %" if shaded else ""
    title = "\n".join(filter(None, (name, what))) or None
    legend_beside(ax, figure=new, title=title)


def _draw_lines(
    ax: Axes,
    times: pd.Index,
    values: Floats,
    texts: list[Any],
    style: Ints,
    options: dict[str, Any],
) -> None:
    for own, text, number in zip(values.T, texts, style.tolist(), strict=True):
        look = STYLES[number % len(STYLES)]
        with properties_of(*PROPERTIES):
            ax.plot(times, own, **{"label": text, "marker": ".", **look, **options})


def _draw_range(
    ax: Axes, times: pd.Index, values: Floats, options: dict[str, Any], label: str | None
) -> None:
    """Draw the median of series, and shade where most of them are."""
    points: dict[str, Any] = {"marker": ".", "markersize": 3.0}
    with properties_of(*PROPERTIES):
        (line,) = ax.plot(times, _percentile(values, 50.0), **points | options)
    low, high = (_percentile(values, share) for share in SHADED)
    ax.fill_between(times, low, high, color=line.get_color(), alpha=0.25, linewidth=0, label=label)


def _shade(values: Floats) -> str:
    return f"{SHADED[0]:g} to {SHADED[1]:g} % of {values.shape[1]:,}"


def _text(name: object) -> str:
    return ", ".join(map(str, name)) if isinstance(name, tuple) else str(name)


def _percentile(values: Floats, share: float) -> Floats:
    """Of each row without its gaps; NaN where there are only such."""
    out = np.full(values.shape[0], np.nan)
    known = np.isfinite(values).any(axis=1)
    out[known] = np.nanpercentile(values[known], share, axis=1)
    return out
