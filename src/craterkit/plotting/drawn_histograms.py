"""Histograms of ROIs drawn over each other."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from craterkit.errors import ArgumentError
from craterkit.plotting.arguments import (
    checked_axes,
    checked_mapping,
    closed_on_error,
    colours_by_name,
    properties_of,
)
from craterkit.plotting.colours import FILLS, is_dark, palette
from craterkit.plotting.legends import legend_beside
from craterkit.plotting.saving import picture_path, save_figure

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes

    from craterkit.plotting.histograms import Histograms

__all__ = ["HistogramStyle", "draw_histograms"]

#: Options of `Axes.hist` beside which histograms over each other are not drawn half transparent.
FILLING = {"alpha", "histtype", "fill", "facecolor", "fc", "edgecolor", "ec"}

#: How lines of one colour are told apart.
DASHES = ("solid", "dashed", "dotted", "dashdot")


@dataclass(frozen=True, slots=True, kw_only=True)
class HistogramStyle:
    """How histograms look, and the picture to write; see `CraterDatabase.plot_hist`."""

    color: Any = None
    savefig: Any = None
    savefig_kwargs: Any = None
    options: Mapping[str, Any] = field(default_factory=dict)

    def checked(self, ax: object) -> Any:  # noqa: ANN401
        """The axes, if these and everything else can be; None for new ones."""
        from matplotlib.figure import Figure

        picture_path(self.savefig, Figure)
        checked_mapping("savefig_kwargs", self.savefig_kwargs)
        if self.options.get("stacked"):
            raise ArgumentError("stacked: histograms lie over each other; pass index=None for one")
        return checked_axes(ax)


def draw_histograms(
    found: Histograms,
    features: Sequence[str] | None,
    regions: Sequence[str],
    size: int,
    label: str,
    style: HistogramStyle,
    *,
    counted: tuple[str, float] = ("Count", 1.0),
    ax: Axes | None = None,
) -> Axes:
    """Draw histograms over each other.

    Parameters
    ----------
    found : Histograms
        The histograms.
    features : sequence of str or None
        Names of the features; None if each region has one histogram, of all `size` features.
    regions : sequence of str
        Names of the regions.
    size : int
        Features of the database.
    label : str
        What the values are called.
    style : HistogramStyle
        How they look.
    counted : tuple of str and float, default ("Count", 1)
        What is counted, and the factor on it.
    ax : matplotlib.axes.Axes, optional
        Where to draw; by default on a new figure.

    Returns
    -------
    matplotlib.axes.Axes
    """
    from matplotlib import rcParams
    from matplotlib.figure import Figure

    page = rcParams["axes.facecolor"] if ax is None else ax.get_facecolor()
    usual = palette(on_raster=False, dark=is_dark(page))
    colours = _colours(style.color, features, regions, usual)
    names = _names(found, features, regions, size)
    options = _full_names(style.options)
    new = None
    if ax is None:
        from matplotlib import pyplot as plt

        new = plt.figure(layout="constrained")
        ax = new.add_subplot()
    with closed_on_error(new):
        if not found.counts.any():
            # An axis without values cannot be logarithmic.
            options["log"] = False
        _draw(ax, found, names, colours, counted[1], options)
        count = "Density" if options.get("density") else counted[0]
        texts = (count, label) if options.get("orientation") == "horizontal" else (label, count)
        ax.set_xlabel(texts[0], parse_math=False)
        ax.set_ylabel(texts[1], parse_math=False)
        legend_beside(ax, figure=new)
        save_figure(ax.figure, picture_path(style.savefig, Figure), style.savefig_kwargs)
    return ax


def _draw(
    ax: Axes,
    found: Histograms,
    names: Sequence[str],
    colours: Sequence[Any],
    factor: float,
    options: Mapping[str, Any],
) -> None:
    from matplotlib.colors import to_rgba

    many = len(names) > len(FILLS)
    for number, (name, colour) in enumerate(zip(names, colours, strict=True)):
        given: dict[str, Any] = {"histtype": "stepfilled", "label": name, "color": colour}
        if many and not FILLING & options.keys():
            dashes = DASHES[number // len(FILLS) % len(DASHES)]
            given |= {"histtype": "step", "linestyle": dashes, "linewidth": 1.2}
        elif len(names) > 1 and not FILLING & options.keys():
            given |= {"facecolor": to_rgba(colour, 0.35), "edgecolor": colour, "linewidth": 1.2}
        given |= options
        counts = found.counts[number] * factor
        if given.get("density") and not counts.any():
            given["density"] = False
        with properties_of("plot_hist", "matplotlib.axes.Axes.hist"):
            ax.hist(found.edges[:-1], bins=found.edges.tolist(), weights=counts, **given)


def _full_names(options: Mapping[str, Any]) -> dict[str, Any]:
    """Properties of patches by their full names."""
    from matplotlib import cbook
    from matplotlib.patches import Patch

    with properties_of("plot_hist", "matplotlib.axes.Axes.hist"):
        return dict(cbook.normalize_kwargs(dict(options), Patch))


def _colours(
    color: Any,  # noqa: ANN401
    features: Sequence[str] | None,
    regions: Sequence[str],
    usual: Sequence[str],
) -> list[Any]:
    """The colour of each histogram: one of its own, its feature's or its region's."""
    if features is None or (len(regions) > 1 and _is_by(color, regions)):
        own = colours_by_name(color, regions, usual)
        return (
            own
            if features is None
            else list(np.repeat(np.asarray(own, dtype=object), len(features)))
        )
    if _is_by(color, regions):
        return [color[regions[0]]] * len(features)
    if len(regions) == 1 or _is_by(color, features):
        return colours_by_name(color, features, usual) * len(regions)
    both = [f"{feature}, {region}" for region in regions for feature in features]
    return colours_by_name(color, both, usual)


def _is_by(color: Any, names: Sequence[str]) -> bool:  # noqa: ANN401
    return isinstance(color, dict) and bool(color) and all(name in names for name in color)


def _names(
    found: Histograms, features: Sequence[str] | None, regions: Sequence[str], size: int
) -> list[str]:
    """What histograms are called, and which of them have no pixels."""
    if features is None:
        return [
            f"{region}: {size:,} ROIs" + (f", {empty:,} of them without pixels" if empty else "")
            for region, empty in zip(regions, found.empty.tolist(), strict=True)
        ]
    names = [
        feature if len(regions) == 1 else f"{feature}, {region}"
        for region in regions
        for feature in features
    ]
    return [
        name if pixels else f"{name} (no pixels)"
        for name, pixels in zip(names, found.pixels.tolist(), strict=True)
    ]
