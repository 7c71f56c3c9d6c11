"""Sheets of ROIs: every ROI on a map of its own, in kilometres from its centre, north up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from craterkit.errors import ArgumentError
from craterkit.plotting.arguments import (
    checked_count,
    checked_mapping,
    checked_number,
    checked_pair,
    checked_size,
    closed_on_error,
    colours_by_name,
    properties_of,
)
from craterkit.plotting.colours import LINES
from craterkit.plotting.lettering import Lettering
from craterkit.plotting.saving import picture_path, save_figure
from craterkit.plotting.units import value_label

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from craterkit.extraction.sources import Source
    from craterkit.plotting.local_frames import Curve
    from craterkit.plotting.panels import Panel

    Floats = NDArray[np.float64]

__all__ = ["SheetStyle", "draw_sheet"]

#: Width and height of a panel, height of the label below all, width of the scale of colours, and margins,
#: inches.
PANEL_INCHES, LABEL_INCHES, SCALE_INCHES, PAD_INCHES = (3.2, 3.3), 0.3, 1.1, 0.08

#: Frames below this many metres to each side are drawn in metres.
SMALL = 500.0

#: Percentiles of brightness that are black and white in a hillshade.
SHADE_STRETCH = (0.5, 99.5)

#: How ground without data looks.
NO_DATA = {"facecolor": "0.94", "edgecolor": "0.78", "hatch": "////", "linewidth": 0.0}

#: Properties of boundaries beside which these have no dark halo: it would show through.
HALO_FREE = {"alpha", "facecolor", "fill", "hatch", "linestyle", "path_effects"}

#: Arguments of a gridliner of geographic maps that say nothing on a frame in kilometres.
GEOGRAPHIC_ONLY = {
    *("crs", "dms", "xlocs", "ylocs", "xlocator", "ylocator", "xformatter", "yformatter"),
    *("x_inline", "y_inline", "auto_inline", "xlim", "ylim", "rotate_labels", "xlabel_style"),
    *("ylabel_style", "labels_bbox_style", "xpadding", "ypadding", "offset_angle", "auto_update"),
    *("formatter_kwargs", "collection_kwargs"),
}

#: Share of the values' size that is no difference between them.
ALIKE = 1e-9

#: Names of regions side by side in the legend of a sheet of one column.
LEGEND_COLUMNS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class SheetStyle:
    """How a sheet looks: the arguments of `CraterDatabase.plot_rois`."""

    columns: int = 3
    size: Any = None
    dpi: float | None = None
    cmap: Any = None
    vmin: float | None = None
    vmax: float | None = None
    stretch: tuple[float, float] = (2.0, 98.0)
    shared: bool = False
    color: Any = None
    gridspec_kw: Mapping[str, Any] | None = None
    grid_kw: Mapping[str, Any] | None = None
    lines: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        import matplotlib

        checked_count("columns", self.columns, 1)
        if self.size is not None:
            checked_size(self.size)
        if self.dpi is not None and checked_number("dpi", self.dpi) < 1:
            raise ArgumentError(f"dpi must be a number of dots per inch, not {self.dpi!r}")
        for name in ("vmin", "vmax"):
            if getattr(self, name) is not None:
                checked_number(name, getattr(self, name))
        if self.vmin is not None and self.vmax is not None and not self.vmin < self.vmax:
            raise ArgumentError(
                f"vmin must lie below vmax, but they are {self.vmin} and {self.vmax}"
            )
        low, high = checked_pair("stretch", self.stretch, "two percentiles between 0 and 100")
        if low < 0 or high > 100:
            raise ArgumentError(
                f"stretch must be two percentiles between 0 and 100, not {self.stretch!r}"
            )
        if self.cmap is not None:
            try:
                matplotlib.colormaps.get_cmap(self.cmap)
            except (TypeError, ValueError):
                raise ArgumentError(f"cmap: matplotlib has no colour map {self.cmap!r}") from None
        for name in ("gridspec_kw", "grid_kw"):
            checked_mapping(name, getattr(self, name))

    @property
    def has_scale(self) -> bool:
        """Whether one scale of colours serves all panels."""
        return self.shared or (self.vmin is not None and self.vmax is not None)


def draw_sheet(
    found: Sequence[Panel],
    names: Sequence[str],
    regions: Sequence[str],
    source: Source,
    style: SheetStyle,
    *,
    fig: Any = None,  # noqa: ANN401
    savefig: object = None,
    savefig_kwargs: Mapping[str, Any] | None = None,
) -> NDArray[Any]:
    """Draw panels in rows.

    Parameters
    ----------
    found : sequence of Panel
        The panels.
    names : sequence of str
        What they are called.
    regions : sequence of str
        What their regions are called.
    source : Source
        The raster.
    style : SheetStyle
        How the sheet looks.
    fig : matplotlib.figure.Figure or SubFigure, optional
        Where to draw; by default on a new figure. An empty one without a layout gets one.
    savefig, savefig_kwargs
        The picture to write; see `save_figure`.

    Returns
    -------
    ndarray of matplotlib.axes.Axes
        (rows, columns), or (columns,) if there is a single row. Those without a panel are off the figure.
    """
    from matplotlib.figure import Figure, FigureBase

    if not isinstance(fig, FigureBase | None):
        raise ArgumentError(f"fig must be a figure of matplotlib, not {fig!r}")
    path = picture_path(savefig, Figure)
    # The layout leaves no margins to cut off.
    options = {"bbox_inches": None} | checked_mapping("savefig_kwargs", savefig_kwargs)
    colours = colours_by_name(style.color, regions, LINES)
    columns = min(style.columns, len(found))
    rows = -(-len(found) // columns)
    new = fig is None
    if new:
        from matplotlib import pyplot as plt

        size = _inches(style, rows, columns, regions)
        fig = plt.figure(figsize=size, dpi=style.dpi)
    if isinstance(fig, Figure) and not fig.axes and (new or fig.get_layout_engine() is None):
        fig.set_layout_engine("constrained", w_pad=PAD_INCHES, h_pad=PAD_INCHES)
    with closed_on_error(fig if new else None):
        with properties_of("plot_rois: gridspec_kw", "matplotlib.gridspec.GridSpec"):
            apart = {} if fig.get_layout_engine() else {"wspace": 0.4, "hspace": 0.4}
            grid = apart | checked_mapping("gridspec_kw", style.gridspec_kw)
            axes = fig.subplots(rows, columns, squeeze=False, gridspec_kw=grid)
        _fill(fig, axes, found, names, regions, colours, source, style)
        save_figure(fig.figure, path, options)
    sheet: NDArray[Any] = axes[0] if rows == 1 else axes
    return sheet


def _inches(
    style: SheetStyle, rows: int, columns: int, regions: Sequence[str]
) -> tuple[float, ...]:
    """Width and height of a figure."""
    from matplotlib import rcParams

    scale = SCALE_INCHES if style.has_scale else 0.0
    size = checked_size(columns * PANEL_INCHES[0] + scale if style.size is None else style.size)
    if len(size) == 2:
        return size
    panel = (size[0] - scale) / columns / PANEL_INCHES[0]
    # A scale may leave next to nothing of a narrow figure.
    lines = 1
    if len(regions) > 1:
        lines += -(-len(regions) // (LEGEND_COLUMNS * columns))
    height = rows * max(panel, 0.1) * PANEL_INCHES[1]
    return size[0], height + lines * LABEL_INCHES * rcParams["font.size"] / 10.0


def _fill(
    fig: Any,  # noqa: ANN401
    axes: NDArray[Any],
    found: Sequence[Panel],
    names: Sequence[str],
    regions: Sequence[str],
    colours: Sequence[Any],
    source: Source,
    style: SheetStyle,
) -> None:
    metres, unit = (1.0, "m") if max(p.frame.half for p in found) < SMALL else (1000.0, "km")
    used, unused = list(axes.flat[: len(found)]), axes.flat[len(found) :]
    for ax in unused:
        ax.remove()
    width, height = fig.bbox.width / fig.dpi, fig.bbox.height / fig.dpi
    height -= LABEL_INCHES * (1 if len(regions) == 1 else 2)
    if style.has_scale:
        width -= SCALE_INCHES
    lettering = Lettering.for_slots(width / axes.shape[1], height / axes.shape[0])
    image = _draw_values(used, found, style, metres)
    handles: dict[str, Any] = {}
    for ax, panel in zip(used, found, strict=True):
        handles = _draw_outlines(ax, panel.curves, regions, colours, style.lines, metres) | handles
        lettering.number_axes(ax)
        _draw_grid(ax, style.grid_kw)
    lettering.name_panels(used, names, [panel.frame for panel in found])
    east, north = f"East of the centre ({unit})", f"North of the centre ({unit})"
    fig.supxlabel(east, fontsize=lettering.fitting(east, width))
    fig.supylabel(north, fontsize=lettering.fitting(north, height))
    if len(regions) > 1 and handles:
        shown = [handles[region] for region in regions if region in handles]
        # Above the panels, where it hides none of them.
        legend = fig.legend(
            handles=shown,
            loc="outside upper right",
            ncols=min(len(shown), LEGEND_COLUMNS * axes.shape[1]),
            fontsize="small",
        )
        for text in legend.get_texts():
            text.set_parse_math(False)
    if image is not None and style.has_scale:
        bar = fig.colorbar(image, ax=used, shrink=0.6, alpha=1.0)
        bar.set_label(value_label(source), parse_math=False)


def _draw_values(
    axes: Sequence[Axes], found: Sequence[Panel], style: SheetStyle, metres: float
) -> Any:  # noqa: ANN401
    """Draw values and hillshades; the last image of values, if any."""
    shaded = found[0].shade is not None
    limits = [
        _given_limits(style, *own)
        for own in _all_limits([panel.values for panel in found], style.stretch, style)
    ]
    shades = [panel.values if panel.shade is None else panel.shade for panel in found]
    brightness = _all_limits(shades, SHADE_STRETCH, style)
    image = None
    for ax, panel, (low, high), (dark, bright) in zip(axes, found, limits, brightness, strict=True):
        half = panel.frame.half / metres
        place: dict[str, Any] = {"extent": (-half, half, -half, half), "origin": "upper"}
        ax.patch.set(**NO_DATA)
        if panel.shade is not None:
            ax.imshow(
                panel.shade, cmap="gray", vmin=dark, vmax=bright, interpolation="bilinear", **place
            )
        if not shaded or style.cmap is not None:
            image = ax.imshow(
                panel.values,
                cmap=style.cmap or "gray",
                vmin=low,
                vmax=high,
                alpha=0.5 if shaded else None,
                interpolation="antialiased",
                **place,
            )
        if not np.isfinite(panel.values).any():
            middle: dict[str, Any] = {"transform": ax.transAxes, "ha": "center", "va": "center"}
            ax.text(0.5, 0.5, "no data", color="0.2", **middle)
    return image


def _all_limits(
    values: Sequence[Floats], stretch: tuple[float, float], style: SheetStyle
) -> list[tuple[float, float]]:
    """Values of each panel with the first and the last colour."""
    if style.shared:
        together = _limits(np.concatenate([own.ravel() for own in values]), stretch)
        return [together] * len(values)
    return [_limits(own, stretch) for own in values]


def _limits(values: Floats, stretch: tuple[float, float]) -> tuple[float, float]:
    known = values[np.isfinite(values)]
    if not known.size:
        return 0.0, 1.0
    for shares in (stretch, (0.0, 100.0)):
        low, high = (float(value) for value in np.percentile(known, shares))
        if high - low > ALIKE * max(abs(low), abs(high)):
            return low, high
    half = 0.5 * max(1.0, abs(low))
    return low - half, low + half


def _given_limits(style: SheetStyle, low: float, high: float) -> tuple[float, float]:
    """Limits with those of them that are given, which may lie beyond all values."""
    if style.vmin is not None:
        low, high = style.vmin, high if high > style.vmin else style.vmin + (abs(style.vmin) or 1.0)
    if style.vmax is not None:
        low, high = low if low < style.vmax else style.vmax - (abs(style.vmax) or 1.0), style.vmax
    return low, high


def _draw_outlines(
    ax: Axes,
    of_regions: Sequence[Sequence[Curve]],
    regions: Sequence[str],
    colours: Sequence[Any],
    given: Mapping[str, Any],
    metres: float,
) -> dict[str, Any]:
    """Draw the boundaries of ROIs; those that there are, by region."""
    from matplotlib import patheffects
    from matplotlib.patches import PathPatch
    from matplotlib.path import Path

    drawn = {}
    given = _spelled(given)
    for curves, region, colour in zip(of_regions, regions, colours, strict=True):
        if not curves:
            continue
        paths = []
        for curve in curves:
            points = curve.points / metres
            if curve.hole:
                points = points[::-1]
            if curve.closed:
                points = np.concatenate([points, points[:1]])
            paths.append(Path(points, closed=curve.closed))
        usual = {"edgecolor": colour, "facecolor": "none", "linewidth": 1.4, "label": region}
        with properties_of("plot_rois", "matplotlib.patches.PathPatch"):
            patch = PathPatch(Path.make_compound_path(*paths), **usual | given)
        if not HALO_FREE & given.keys():
            wide = patch.get_linewidth() + 1.2
            halo = patheffects.Stroke(linewidth=wide, foreground="black", alpha=0.5)
            patch.set_path_effects([halo, patheffects.Normal()])
        # The image has set the limits already; `add_patch` would find them anew, which takes long.
        ax.add_artist(patch)
        drawn[region] = patch
    return drawn


def _spelled(options: Mapping[str, Any]) -> dict[str, Any]:
    """Properties of patches without their short names."""
    short = {"lw": "linewidth", "ls": "linestyle", "ec": "edgecolor", "fc": "facecolor"}
    return {short.get(name, name): value for name, value in options.items()}


def _draw_grid(ax: Axes, given: Mapping[str, Any] | None) -> None:
    if given is None:
        return
    options: dict[str, Any] = {"linestyle": "--", "alpha": 0.5}
    options |= {n: v for n, v in _spelled(given).items() if n not in GEOGRAPHIC_ONLY}
    if not options.pop("draw_labels", True):
        ax.tick_params(labelbottom=False, labelleft=False)
    with properties_of("plot_rois: grid_kw", "matplotlib.axes.Axes.grid"):
        ax.grid(visible=True, **options)
