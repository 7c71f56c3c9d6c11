"""Outlines as matplotlib draws them, and the key of a map."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from craterkit.plotting.frames import DegreeFrame

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.path import Path as MatplotlibPath
    from numpy.typing import NDArray

    from craterkit.plotting.column_colours import Colouring
    from craterkit.plotting.frames import Frame
    from craterkit.plotting.outlines import Lines

__all__ = ["draw_key", "draw_regions"]

LINE_STYLES: tuple[Literal["solid", "dashed", "dotted", "dashdot"], ...]
LINE_STYLES = ("solid", "dashed", "dotted", "dashdot")

#: From so many lines on they are pixels in vector files, too, and drawn so many at a time.
VERY_MANY, LINES_PER_PATH = 20_000, 100

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
) -> None:
    """The legend and the colour bar, to the right of the map."""
    from matplotlib.lines import Line2D

    right = 1.02 if isinstance(frame, DegreeFrame) else 1.08
    entries = []
    if colouring is not None:
        entries += [Line2D([], [], color=colour, label=label) for label, colour in colouring.key]
        if colouring.mappable is not None:
            bar = ax.inset_axes((right, 0.0, 0.03, 1.0))
            ax.figure.colorbar(colouring.mappable, cax=bar, label=colouring.title)
    if len(names) > 1:
        entries += [
            Line2D(
                [],
                [],
                color=colours[name] if colouring is None else "black",
                linestyle="solid" if colouring is None else LINE_STYLES[i % len(LINE_STYLES)],
                label=name,
            )
            for i, name in enumerate(names)
        ]
    if not entries:
        return
    has_bar = colouring is not None and colouring.mappable is not None
    title = colouring.title if colouring is not None and not has_bar else None
    place: dict[str, Any] = {"loc": "upper left", "bbox_to_anchor": (right, 1.0)}
    if has_bar:
        place = {"loc": "upper right", "bbox_to_anchor": (1.0, -0.12)}
    ax.legend(
        handles=entries,
        title=title,
        fontsize="small",
        title_fontsize="small",
        borderaxespad=0.0,
        ncols=min(len(entries), 4) if has_bar else 1,
        **place,
    )
