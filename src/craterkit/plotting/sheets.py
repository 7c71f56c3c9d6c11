"""Sheets of ROIs: every ROI on a map of its own, in kilometres from its centre, north up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from craterkit.errors import ArgumentError
from craterkit.plotting.colours import LINES
from craterkit.plotting.saving import picture_path, save_figure
from craterkit.plotting.units import value_label

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from craterkit.extraction.sources import Source
    from craterkit.plotting.local_frames import Curve, LocalFrame
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

#: Names of this many letters leave no room for the position beside them.
LONG_NAME = 16

#: How ground without data looks.
NO_DATA = {"facecolor": "0.94", "edgecolor": "0.78", "hatch": "////", "linewidth": 0.0}

#: Properties of boundaries beside which these have no dark halo: it would show through.
HALO_FREE = {"alpha", "facecolor", "fill", "hatch", "linestyle", "path_effects"}

#: Arguments of a gridliner of geographic maps that say nothing on a frame in kilometres.
GEOGRAPHIC_ONLY = ("dms", "crs")


@dataclass(frozen=True, slots=True, kw_only=True)
class SheetStyle:
    """How a sheet looks: the arguments of `CraterDatabase.plot_rois`."""

    columns: int = 3
    size: float | tuple[float, float] | None = None
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
        if not isinstance(self.columns, int) or self.columns < 1:
            raise ArgumentError(
                f"columns must be a number of panels side by side, not {self.columns!r}"
            )
        low, high = self.stretch
        if not 0 <= low < high <= 100:
            raise ArgumentError(
                f"stretch must be two percentiles between 0 and 100, the lower one first, not {self.stretch!r}"
            )

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
        Where to draw; by default on a new figure.
    savefig, savefig_kwargs
        The picture to write; see `save_figure`.

    Returns
    -------
    ndarray of matplotlib.axes.Axes
        (rows, columns), or (columns,) if there is a single row. Those without a panel are off the figure.
    """
    from matplotlib.figure import Figure

    path = picture_path(savefig, Figure)
    columns = min(style.columns, len(found))
    rows = -(-len(found) // columns)
    new = fig is None
    if new:
        from matplotlib import pyplot as plt

        fig = plt.figure(figsize=_inches(style, rows, columns), dpi=style.dpi, layout="constrained")
        fig.get_layout_engine().set(w_pad=PAD_INCHES, h_pad=PAD_INCHES)
    try:
        axes = fig.subplots(rows, columns, squeeze=False, gridspec_kw=style.gridspec_kw)
        _fill(fig, axes, found, names, regions, source, style)
        # The layout leaves no margins to cut off.
        save_figure(fig.figure, path, {"bbox_inches": None} | dict(savefig_kwargs or {}))
    except BaseException:
        if new:
            plt.close(fig)
        raise
    sheet: NDArray[Any] = axes[0] if rows == 1 else axes
    return sheet


def _inches(style: SheetStyle, rows: int, columns: int) -> tuple[float, float]:
    """Width and height of a figure."""
    if isinstance(style.size, Sequence):
        return style.size
    scale = SCALE_INCHES if style.has_scale else 0.0
    width = columns * PANEL_INCHES[0] + scale if style.size is None else float(style.size)
    panel = (width - scale) / columns / PANEL_INCHES[0]
    return width, rows * panel * PANEL_INCHES[1] + LABEL_INCHES


def _fill(
    fig: Any,  # noqa: ANN401
    axes: NDArray[Any],
    found: Sequence[Panel],
    names: Sequence[str],
    regions: Sequence[str],
    source: Source,
    style: SheetStyle,
) -> None:
    metres, unit = (1.0, "m") if max(p.frame.half for p in found) < SMALL else (1000.0, "km")
    shaded = found[0].shade is not None
    coloured = not shaded or style.cmap is not None
    limits = _all_limits([panel.values for panel in found], style.stretch, style)
    limits = [
        (low if style.vmin is None else style.vmin, high if style.vmax is None else style.vmax)
        for low, high in limits
    ]
    shades = [panel.values if panel.shade is None else panel.shade for panel in found]
    brightness = _all_limits(shades, SHADE_STRETCH, style)
    image = None
    for ax, panel, name, (low, high), (dark, bright) in zip(
        axes.flat, found, names, limits, brightness, strict=False
    ):
        half = panel.frame.half / metres
        place = {"extent": (-half, half, -half, half)}
        ax.patch.set(**NO_DATA)
        if panel.shade is not None:
            ax.imshow(
                panel.shade, cmap="gray", vmin=dark, vmax=bright, interpolation="bilinear", **place
            )
        if coloured:
            image = ax.imshow(
                panel.values,
                cmap=style.cmap or "gray",
                vmin=low,
                vmax=high,
                alpha=0.5 if shaded else None,
                **place,
            )
        if not np.isfinite(panel.values).any():
            ax.text(0.5, 0.5, "no data", transform=ax.transAxes, ha="center", va="center")
        _draw_outlines(ax, panel.curves, regions, style, metres)
        _label(ax, panel.frame, name)
        _draw_grid(ax, style.grid_kw)
    for ax in axes.flat[len(found) :]:
        ax.remove()
    fig.supxlabel(f"East of the centre ({unit})", fontsize="medium")
    fig.supylabel(f"North of the centre ({unit})", fontsize="medium")
    if len(regions) > 1:
        axes.flat[0].legend(loc="upper right", fontsize="small", framealpha=0.8)
    if image is not None and style.has_scale:
        shown = list(axes.flat[: len(found)])
        fig.colorbar(image, ax=shown, label=value_label(source), shrink=0.6, alpha=1.0)


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
    low, high = (float(value) for value in np.percentile(known, stretch))
    return (low, high) if low < high else (low - 0.5, low + 0.5)


def _draw_outlines(
    ax: Axes,
    of_regions: Sequence[Sequence[Curve]],
    regions: Sequence[str],
    style: SheetStyle,
    metres: float,
) -> None:
    from matplotlib import patheffects
    from matplotlib.colors import is_color_like
    from matplotlib.patches import PathPatch
    from matplotlib.path import Path

    given = style.color
    colors = LINES if given is None else [given] if is_color_like(given) else list(given)
    for number, (curves, region) in enumerate(zip(of_regions, regions, strict=True)):
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
        options: dict[str, Any] = {
            "edgecolor": colors[number % len(colors)],
            "facecolor": "none",
            "linewidth": 1.4,
            "label": region,
        } | _spelled(style.lines)
        if not HALO_FREE & _spelled(style.lines).keys():
            options["path_effects"] = [
                patheffects.Stroke(
                    linewidth=options["linewidth"] + 1.2, foreground="black", alpha=0.5
                ),
                patheffects.Normal(),
            ]
        patch = PathPatch(Path.make_compound_path(*paths), **options)
        # The image has set the limits already; `add_patch` would find them anew, which takes long.
        ax.add_artist(patch)


def _spelled(options: Mapping[str, Any]) -> dict[str, Any]:
    """Properties of patches without their short names."""
    short = {"lw": "linewidth", "ls": "linestyle", "ec": "edgecolor", "fc": "facecolor"}
    return {short.get(name, name): value for name, value in options.items()}


def _label(ax: Axes, frame: LocalFrame, name: str) -> None:
    long = len(name) > LONG_NAME
    ax.set_title(f"{name}\n" if long else name, loc="left", fontsize="medium", parse_math=False)
    ax.set_title(_place(frame.lon, frame.lat), loc="right", fontsize="small", color="0.35")
    ax.tick_params(labelsize="small")
    ax.locator_params(nbins=5)


def _place(lon: float, lat: float) -> str:
    """Latitude and longitude as maps write them."""
    lon = np.mod(lon + 180.0, 360.0) - 180.0
    side = "" if round(abs(lon), 1) in (0.0, 180.0) else " E" if lon > 0 else " W"
    half = "" if round(lat, 1) == 0 else " N" if lat > 0 else " S"
    return f"{abs(lat):.1f}°{half}, {abs(lon):.1f}°{side}"


def _draw_grid(ax: Axes, given: Mapping[str, Any] | None) -> None:
    if given is None:
        return
    options: dict[str, Any] = {"linestyle": "--", "alpha": 0.5}
    options |= {n: v for n, v in _spelled(given).items() if n not in GEOGRAPHIC_ONLY}
    if not options.pop("draw_labels", True):
        ax.tick_params(labelbottom=False, labelleft=False)
    ax.grid(visible=True, **options)
