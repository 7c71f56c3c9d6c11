"""Pictures of series through time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from craterkit.errors import ArgumentError, quoted

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["plot_series"]

#: Percentiles between which many series are shaded.
SHADED = 5.0, 95.0


def plot_series(
    series: pd.DataFrame,
    value: str = "mean",
    *,
    most: int = 20,
    ax: Axes | None = None,
    **kwargs: Any,  # noqa: ANN401
) -> Axes:
    """Draw series of pixels, areas or features against time, with gaps where data are missing.

    Parameters
    ----------
    series : pandas.DataFrame
        What `PixelSelection.get_series`, `PixelSelection.get_stats` or `CraterDatabase.get_series`
        returned, or some of its columns or rows.
    value : str, default "mean"
        Which statistic, of a table of statistics.
    most : int, default 20
        Up to how many series are drawn one by one. Of more, the median is drawn and the range from
        the 5th to the 95th percentile is shaded.
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
        If the table has no such column, or nothing to draw.

    Examples
    --------
    >>> import numpy as np
    >>> from craterkit import PixelSelection, plot_series
    >>> pixels = PixelSelection.from_raster(np.array([[0, 1], [1, 0]]), value=0)
    >>> series = pixels.get_series([np.full((2, 2), week) for week in range(5)])
    >>> axes = plot_series(series)
    >>> len(axes.lines)
    2
    """
    import matplotlib.pyplot as plt
    from matplotlib import dates

    wide, label = _wide(series, value)
    if not wide.shape[1] or not len(wide):
        raise ArgumentError("series: there is nothing to draw")
    if ax is None:
        _, ax = plt.subplots(layout="constrained")
    times, values = wide.index, wide.to_numpy(dtype=np.float64)
    if values.shape[1] <= most:
        for name, own in zip(wide.columns, values.T, strict=True):
            text = ", ".join(map(str, np.atleast_1d(np.asarray(name, dtype=object))))
            ax.plot(times, own, label=text, **{"marker": ".", **kwargs})
        if 1 < values.shape[1] <= most // 2:
            ax.legend(title=", ".join(str(part) for part in wide.columns.names if part) or None)
    else:
        ax.plot(times, _percentile(values, 50.0), label="median", **kwargs)
        low, high = (_percentile(values, share) for share in SHADED)
        shade = f"{SHADED[0]:g} to {SHADED[1]:g} % of {values.shape[1]:,}"
        ax.fill_between(times, low, high, alpha=0.3, linewidth=0, label=shade)
        ax.legend()
    ax.set_xlabel("time")
    ax.set_ylabel(label)
    if wide.index.dtype.kind == "M":
        locator = ax.xaxis.get_major_locator()
        ax.xaxis.set_major_formatter(dates.ConciseDateFormatter(locator))  # type: ignore[no-untyped-call]
    return ax


def _wide(series: pd.DataFrame, value: str) -> tuple[pd.DataFrame, str]:
    """One row a time and one column a series, and what the values are called."""
    if "time" not in series.columns:
        return series, "value"
    if value not in series.columns:
        raise ArgumentError(
            f"value: the table has no column {value!r}; it has {quoted(list(series.columns))}"
        )
    keys = list(series.columns[: list(series.columns).index("time")])
    if not keys:
        return series.set_index("time")[[value]], value
    if "region" in keys and len(set(series["region"])) == 1:
        keys.remove("region")
    wide = series.pivot(index="time", columns=keys, values=value)  # noqa: PD010
    return wide.reindex(series["time"].unique()), value


def _percentile(values: np.ndarray[Any, np.dtype[np.float64]], share: float) -> Any:  # noqa: ANN401
    """Of each row without its gaps; NaN where there are only such."""
    out = np.full(values.shape[0], np.nan)
    known = np.isfinite(values).any(axis=1)
    out[known] = np.nanpercentile(values[known], share, axis=1)
    return out
