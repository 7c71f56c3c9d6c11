"""Degrees on maps: labels of axes that are longitude and latitude, and a graticule on all others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from craterkit.plotting.outlines import split_lines

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from craterkit.plotting.frames import Box, ProjectedFrame

    Floats = NDArray[np.float64]

__all__ = ["degree_text", "draw_graticule", "label_degrees"]

#: Degrees between lines of a graticule.
STEPS = (
    *(0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 45.0),
    *(60.0, 90.0),
)

#: About so many parallels and meridians are drawn.
PARALLELS, MERIDIANS = 5, 8

#: Vertices of each line of a graticule.
VERTICES = 721

#: Room of a label, in pixels of the picture at 100 dpi: neighbours that would be nearer are left out.
ROOM = 42.0, 14.0

#: Share of the map's width within which the ends of a parallel meet, or it is at the frame.
CLOSED, NEAR = 1e-6, 0.02

#: Degrees from a cut.
CUT = 1e-7

#: Points between the frame and a label.
PAD = 3.0

LINE_STYLE: dict[str, Any] = {"colors": "0.75", "linewidths": 0.5, "alpha": 0.8, "zorder": 1.5}


def degree_text(value: float, positive: str, negative: str) -> str:
    """A coordinate as a label has it.

    Examples
    --------
    >>> degree_text(-30.0, "E", "W"), degree_text(180.0, "E", "W"), degree_text(0.0, "N", "S")
    ('30°W', '180°', '0°')
    """
    value = round(value, 6)
    turnless = value == 0 or (abs(value) == 180 and positive == "E")
    return f"{abs(value):.10g}°" + ("" if turnless else positive if value > 0 else negative)


def label_degrees(ax: Axes, *, grid: bool) -> None:
    """Label axes whose coordinates are degrees; `grid` draws lines, too."""
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    named = ((ax.xaxis, "E", "W", "Longitude"), (ax.yaxis, "N", "S", "Latitude"))
    for axis, positive, negative, name in named:
        axis.set_major_locator(MaxNLocator(nbins=7, steps=[1, 1.5, 2, 3, 5, 6, 10]))
        axis.set_major_formatter(
            FuncFormatter(lambda value, _, p=positive, n=negative: degree_text(value, p, n))
        )
        axis.set_label_text(name)
    if grid:
        ax.grid(visible=True, color="0.85", linewidth=0.5, zorder=0.5)


@dataclass(frozen=True, slots=True)
class _Line:
    """A parallel or a meridian as it is on the map."""

    text: str
    is_meridian: bool
    lon: Floats
    lat: Floats
    x: Floats
    y: Floats
    cut: NDArray[np.bool_]


def draw_graticule(ax: Axes, frame: ProjectedFrame, px_per_unit: float) -> None:
    """Draw and label parallels and meridians; the ticks of the axes are removed.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
        Where.
    frame : ProjectedFrame
        The map.
    px_per_unit : float
        Pixels of the picture to a unit of the axes.
    """
    from matplotlib.collections import LineCollection

    ax.set_xticks([])
    ax.set_yticks([])
    lon, lat = frame.net()
    known = np.isfinite(lon)
    if not known.any():
        return
    lines = _lines(frame, lon[known], lat[known], px_per_unit)
    pieces = [
        piece
        for line in lines
        for piece in split_lines(np.stack([line.x, line.y], axis=-1)[None], line.cut[None])[0]
    ]
    ax.add_collection(LineCollection(pieces, **LINE_STYLE), autolim=False)
    _label_lines(ax, frame, lines, px_per_unit)


def _lines(frame: ProjectedFrame, lon: Floats, lat: Floats, px_per_unit: float) -> list[_Line]:
    west, east = _arc(lon)
    south, north = float(lat.min()), float(lat.max())
    px = [frame.to_axes(0.0, pole) for pole in (-90.0, 90.0)]
    on_map = [_within(frame.box, float(x), float(y)) for x, y in px]
    if any(on_map):
        west, east = west if east - west >= 360 else -180.0, east if east - west >= 360 else 180.0
        south, north = (-90.0 if on_map[0] else south), (90.0 if on_map[1] else north)
    lat_step = _step((north - south) / PARALLELS)
    lon_step = _step((east - west) / MERIDIANS)
    margin = lat_step
    along_lat = np.linspace(max(south - margin, -90.0), min(north + margin, 90.0), VERTICES)
    along_lon = np.linspace(west, east, VERTICES)
    lines = []
    for value in _multiples(west, east, lon_step):
        if value >= west + 360.0 - 1e-9:
            # The other edge of a map that is cut along the first of the meridians.
            lines.append(("", True, np.full(VERTICES, value - CUT), along_lat))
            continue
        turned = (value + 180.0) % 360.0 - 180.0
        text = degree_text(180.0 if turned == -180.0 else turned, "E", "W")
        lines.append((text, True, np.full(VERTICES, value), along_lat))
    for value in _multiples(south, north, lat_step):
        if abs(value) < 90.0:
            text = degree_text(value, "N", "S")
            lines.append((text, False, along_lon, np.full(VERTICES, value)))
    out = []
    for text, is_meridian, line_lon, line_lat in lines:
        x, y = frame.to_axes(line_lon, line_lat)
        cut = frame.cuts(line_lon[None], line_lat[None], x[None], y[None], px_per_unit)[0]
        out.append(_Line(text, is_meridian, line_lon, line_lat, x, y, cut))
    return out


def _step(wanted: float) -> float:
    return next((step for step in STEPS if step >= wanted * 0.8), STEPS[-1])


def _multiples(low: float, high: float, step: float) -> list[float]:
    numbers = np.arange(np.ceil(low / step - 1e-9), np.floor(high / step + 1e-9) + 1)
    return [float(value) for value in numbers * step]


def _arc(lon: Floats) -> tuple[float, float]:
    """West and east end of the shortest arc that holds all longitudes; a whole turn if none does."""
    turned = np.unique(np.mod(lon, 360.0))
    gaps = np.diff(turned, append=turned[0] + 360.0)
    widest = int(np.argmax(gaps))
    if gaps[widest] < 30.0:
        return -180.0, 180.0
    west, east = turned[(widest + 1) % turned.size], turned[widest]
    west -= 360.0 * (west > 180.0)
    return float(west), float(east + 360.0 * np.ceil((west - east) / 360.0))


def _within(box: Box, x: float, y: float) -> bool:
    return bool(box.left < x < box.right and box.bottom < y < box.top)


def _label_lines(ax: Axes, frame: ProjectedFrame, lines: list[_Line], px_per_unit: float) -> None:
    from matplotlib.patheffects import withStroke

    box = frame.box
    placed: list[tuple[float, float]] = []
    polar = any(_within(box, *map(float, frame.to_axes(0.0, pole))) for pole in (-90.0, 90.0))
    radius = ax.figure.dpi / 100.0
    for line in lines:
        if not line.text:
            continue
        found = None if polar and not line.is_meridian else _at_edge(line, box)
        if found is not None:
            x, y, offset, align = found
            style: dict[str, Any] = {}
        else:
            spot = _inside(line, frame)
            if spot is None:
                continue
            (x, y), offset, align = spot, (0.0, 0.0), ("center", "center")
            style = {"path_effects": [withStroke(linewidth=2.0, foreground="white")]}
        px = x * px_per_unit, y * px_per_unit
        if any(
            abs(px[0] - other[0]) < ROOM[0] * radius and abs(px[1] - other[1]) < ROOM[1] * radius
            for other in placed
        ):
            continue
        placed.append(px)
        ax.annotate(
            line.text,
            (x, y),
            xytext=offset,
            textcoords="offset points",
            ha=align[0],
            va=align[1],
            fontsize="small",
            annotation_clip=False,
            zorder=5,
            **style,
        )


def _at_edge(
    line: _Line, box: Box
) -> tuple[float, float, tuple[float, float], tuple[str, str]] | None:
    """Where a line leaves the frame: at the bottom or left if it does there."""
    edges = {
        "bottom": (line.y, line.x, box.bottom, box.left, box.right),
        "top": (line.y, line.x, box.top, box.left, box.right),
        "left": (line.x, line.y, box.left, box.bottom, box.top),
        "right": (line.x, line.y, box.right, box.bottom, box.top),
    }
    order = ("bottom", "top", "left", "right") if line.is_meridian else ("left", "right")
    for name in order:
        across, along, edge, low, high = edges[name]
        with np.errstate(invalid="ignore"):
            passes = (np.diff(np.sign(across - edge)) != 0) & ~line.cut
        for i in np.flatnonzero(passes).tolist():
            share = (edge - across[i]) / (across[i + 1] - across[i])
            at = float(along[i] + share * (along[i + 1] - along[i]))
            if not low <= at <= high:
                continue
            place = {
                "bottom": (at, edge, (0.0, -PAD), ("center", "top")),
                "top": (at, edge, (0.0, PAD), ("center", "bottom")),
                "left": (edge, at, (-PAD, 0.0), ("right", "center")),
                "right": (edge, at, (PAD, 0.0), ("left", "center")),
            }
            return place[name]
    return None


def _inside(line: _Line, frame: ProjectedFrame) -> tuple[float, float] | None:
    """A place on a line: of meridians in middle latitudes, of parallels between two meridians."""
    box = frame.box
    with np.errstate(invalid="ignore"):
        shown = (line.x > box.left) & (line.x < box.right)
        shown &= (line.y > box.bottom) & (line.y < box.top)
    if not shown.any():
        return None
    if line.is_meridian:
        middle = float(np.median(line.lat[shown]))
        score = np.abs(line.lat - middle)
    else:
        # To the lower right of the pole, at the left end of a line that ends on the map, or in the middle.
        ends = np.hypot(line.x[-1] - line.x[0], line.y[-1] - line.y[0])
        if ends < CLOSED * box.width:
            score = line.y - line.x
        elif line.x[shown].min() > box.left + NEAR * box.width:
            score = np.where(shown, line.x, np.inf)
            if float(line.y[np.argmin(score)]) > box.top - NEAR * box.height:
                score = np.abs(line.x - (box.left + box.right) / 2)
        else:
            score = np.abs(line.x - (box.left + box.right) / 2)
    best = int(np.argmin(np.where(shown, score, np.inf)))
    return float(line.x[best]), float(line.y[best])
