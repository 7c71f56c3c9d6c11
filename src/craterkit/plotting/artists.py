"""Outlines as matplotlib draws them, and the key of a map."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from craterkit.plotting.frames import DegreeFrame

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.path import Path as MatplotlibPath
    from matplotlib.transforms import Transform
    from numpy.typing import NDArray

    from craterkit.plotting.column_colours import Colouring
    from craterkit.plotting.frames import Frame
    from craterkit.plotting.outlines import Lines

__all__ = ["draw_key", "draw_regions"]

LINE_STYLES: tuple[Literal["solid", "dashed", "dotted", "dashdot"], ...]
LINE_STYLES = ("solid", "dashed", "dotted", "dashdot")

#: From so many lines on they are pixels in vector files, too, and drawn so many at a time.
VERY_MANY, LINES_PER_PATH = 20_000, 100

#: Over a raster up to so many outlines have a dark halo, points wider than they are.
HALOED, HALO = 3_000, 1.2

#: Properties of lines beside which these have no halo: it would show through, or is given.
HALO_FREE = {"facecolor", "hatch", "path_effects"}

#: Points to the right of a map in degrees and of another one, whose labels may be there, and below the map,
#: in sizes of the font, at which its key is.
RIGHT, BELOW = (8.0, 34.0), 4.0

#: Share of the map that points may hide before they become fainter, and their least opacity.
HIDDEN, FAINTEST = 0.3, 0.02


def draw_regions(
    ax: Axes,
    lines: dict[str, Lines],
    colours: dict[str, Any],
    colouring: Colouring | None,
    alpha: float,
    line_options: dict[str, Any],
    frame: Frame,
    px_per_unit: float,
    *,
    on_raster: bool,
) -> None:
    """Add the outlines of regions to axes; what is too small for one is a point."""
    from matplotlib.collections import LineCollection, PathCollection

    for number, (name, own) in enumerate(lines.items()):
        count = len(own.segments) + own.points.shape[0]
        style: dict[str, Any] = {
            "linestyle": "solid" if colouring is None else LINE_STYLES[number % len(LINE_STYLES)],
            "zorder": 2.0,
            "rasterized": count > VERY_MANY,
            "capstyle": "round",
            "joinstyle": "round",
        } | line_options
        point_colour = line_colour = colours[name]
        if colouring is not None:
            line_colour = colouring.rgba[own.owner]
            point_colour = colouring.rgba[own.point_owner]
        if on_raster and count <= HALOED and not HALO_FREE & line_options.keys():
            width = float(np.max(style["linewidth"]))
            style["path_effects"] = halo(width, alpha)
        style = {"edgecolor": line_colour, "facecolor": "none", "alpha": alpha} | style
        if colouring is None and len(own.segments) > VERY_MANY:
            ax.add_collection(PathCollection(_joined(own.segments), **style), autolim=False)
        elif own.segments or not own.points.size:
            ax.add_collection(LineCollection(own.segments, **style), autolim=False)
        if own.points.size:
            points = own.points
            diameter = max(float(np.max(style["linewidth"])), 72.0 / ax.figure.dpi)
            if colouring is not None:
                seen = _topmost(points, px_per_unit)
                points, point_colour = points[seen], point_colour[seen]
            ax.scatter(
                points[:, 0],
                points[:, 1],
                s=diameter**2,
                marker="o",
                c=point_colour if colouring is not None else None,
                color=None if colouring is not None else point_colour,
                alpha=alpha
                * _opacity(
                    len(points) * (diameter * ax.figure.dpi / 72.0) ** 2, frame, px_per_unit
                ),
                linewidths=0,
                zorder=style["zorder"] - 0.1,
                rasterized=style["rasterized"],
            )


def halo(linewidth: float, alpha: float = 1.0) -> list[Any]:
    """Path effects that set lines off from any raster."""
    from matplotlib.patheffects import Normal, Stroke

    return [Stroke(linewidth=linewidth + HALO, foreground="black", alpha=0.5 * alpha), Normal()]


def _opacity(area: float, frame: Frame, px_per_unit: float) -> float:
    """Of points that have an area, in pixels, so that very many of them do not hide the map."""
    hidden = area / (frame.box.width * frame.box.height * px_per_unit**2)
    return min(1.0, max(HIDDEN / hidden, FAINTEST))


def _joined(segments: list[NDArray[np.float64]]) -> list[MatplotlibPath]:
    """Paths of many lines each, which are drawn faster than as many paths."""
    from matplotlib.path import Path as MatplotlibPath

    vertices = np.concatenate(segments)
    ends = np.cumsum([len(segment) for segment in segments])
    codes = np.full(len(vertices), MatplotlibPath.LINETO, dtype=MatplotlibPath.code_type)
    codes[np.concatenate([[0], ends[:-1]])] = MatplotlibPath.MOVETO
    edges = [0, *ends[LINES_PER_PATH - 1 : -1 : LINES_PER_PATH].tolist(), len(vertices)]
    return [MatplotlibPath(vertices[a:b], codes[a:b]) for a, b in itertools.pairwise(edges)]


def _topmost(points: NDArray[np.float64], px_per_unit: float) -> NDArray[np.intp]:
    """The last of the points on each pixel, in order."""
    pixel = np.floor((points - points.min(axis=0)) * px_per_unit).astype(np.int64)
    number = pixel[:, 0] * (int(pixel[:, 1].max()) + 1) + pixel[:, 1]
    _, last = np.unique(number[::-1], return_index=True)
    return np.sort(number.size - 1 - last)


def draw_key(
    ax: Axes,
    names: list[str],
    colours: dict[str, Any],
    colouring: Colouring | None,
    frame: Frame,
    *,
    on_raster: bool,
    inside: bool = False,
) -> None:
    """The legend and the colour bar, to the right of the map; `inside`, the legend is on it."""
    from matplotlib import rcParams
    from matplotlib.lines import Line2D
    from matplotlib.transforms import ScaledTranslation

    gap = RIGHT[0] if isinstance(frame, DegreeFrame) else RIGHT[1]
    beside = ax.transAxes + ScaledTranslation(gap / 72.0, 0.0, ax.figure.dpi_scale_trans)
    entries: list[tuple[str, Line2D]] = []
    style: dict[str, Any] = {"path_effects": halo(rcParams["lines.linewidth"])} if on_raster else {}
    title = None
    has_bar = colouring is not None and colouring.mappable is not None
    if colouring is not None:
        entries += [(text, Line2D([], [], color=own, **style)) for text, own in colouring.key]
        if has_bar:
            _draw_bar(ax, colouring, beside)
        else:
            title = colouring.title
    if len(names) > 1:
        for i, name in enumerate(names):
            dashes = LINE_STYLES[i % len(LINE_STYLES)]
            sample = (
                Line2D([], [], color=colours[name], **style)
                if colouring is None
                else Line2D([], [], color=rcParams["text.color"], linestyle=dashes)
            )
            entries.append((name, sample))
    if not entries:
        return
    place: dict[str, Any] = {"loc": "upper left", "bbox_to_anchor": (1.0, 1.0)}
    place["bbox_transform"] = beside
    if inside:
        place = {"loc": "upper right", "framealpha": 0.85}
    elif has_bar:
        down = -BELOW * rcParams["font.size"] / 72.0
        place = {"loc": "upper right", "bbox_to_anchor": (1.0, 0.0)}
        place["bbox_transform"] = ax.transAxes + ScaledTranslation(
            0.0, down, ax.figure.dpi_scale_trans
        )
    legend = ax.legend(
        # A label that begins with an underscore would be left out.
        handles=[sample for _, sample in entries],
        labels=["x"] * len(entries),
        title=title,
        fontsize="small",
        title_fontsize="small",
        borderaxespad=0.5 if inside else 0.0,
        ncols=min(len(entries), 4) if has_bar and not inside else 1,
        **place,
    )
    legend.get_title().set_parse_math(False)
    for text, (label, _) in zip(legend.get_texts(), entries, strict=True):
        text.set_parse_math(False)
        text.set_text(label)


def _draw_bar(ax: Axes, colouring: Colouring, beside: Transform) -> None:
    import matplotlib.dates

    dates: Any = matplotlib.dates
    bar = ax.inset_axes((1.0, 0.0, 0.03, 1.0), transform=beside)
    options: dict[str, Any] = {}
    if colouring.dates:
        locator = dates.AutoDateLocator()
        options = {"ticks": locator, "format": dates.ConciseDateFormatter(locator)}
    ax.figure.colorbar(colouring.mappable, cax=bar, label=colouring.title, **options)
    bar.yaxis.label.set_parse_math(False)
