"""Degrees on maps: labels of axes that are longitude and latitude, and a graticule on all others."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from craterkit.plotting.colours import is_dark
from craterkit.plotting.outlines import split_lines

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.text import Annotation
    from matplotlib.ticker import Locator
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

#: Steps between ticks in powers of ten, and those from so many degrees on.
STEPS_OF_TICKS, WIDE_STEPS, WIDE = (1, 1.5, 2, 3, 5, 6, 10), (1, 1.5, 3, 4.5, 6, 9, 10), 60.0

#: Alignments of labels where an axis is inverted.
OPPOSITE = {"left": "right", "right": "left", "top": "bottom", "bottom": "top", "center": "center"}

LINE_STYLE: dict[str, Any] = {"linewidths": 0.5, "zorder": 1.5}

#: Colours of lines and of what surrounds them, over a raster and on a page.
OVER_RASTER, ON_PAGE = ("0.92", (0.0, 0.0, 0.0, 0.45)), ("0.6", None)

#: Points by which the surroundings of lines reach beyond them.
HALO = 0.9

#: Most labels of an axis in degrees; widths of a letter and of a gap between labels, and heights of lines, in
#: sizes of the font.
MOST_TICKS, LETTER, GAP, LINE_HEIGHT = 7, 0.6, 0.9, 1.6


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
    """Label axes whose coordinates are degrees, as densely as there is room; `grid` draws lines, too."""
    from matplotlib.ticker import FuncFormatter

    named = ((ax.xaxis, "E", "W", "Longitude"), (ax.yaxis, "N", "S", "Latitude"))
    for axis, positive, negative, name in named:
        axis.set_major_locator(_degree_locator(axis, positive, negative))
        axis.set_major_formatter(
            FuncFormatter(lambda value, _, p=positive, n=negative: degree_text(value, p, n))
        )
        axis.set_label_text(name)
    if grid:
        colour = "0.35" if is_dark(ax.get_facecolor()) else "0.85"
        ax.grid(visible=True, color=colour, linewidth=0.5, zorder=0.5)


def _degree_locator(axis: Axis, positive: str, negative: str) -> Locator:
    """Round degrees, as many as have labels that do not touch when the axis is drawn."""
    from matplotlib import rcParams
    from matplotlib.font_manager import FontProperties
    from matplotlib.ticker import MaxNLocator

    sideways = positive == "E"
    size_name: Any = "xtick.labelsize" if sideways else "ytick.labelsize"

    class DegreeLocator(MaxNLocator):
        def tick_values(self, vmin: float, vmax: float) -> Any:  # noqa: ANN401
            low, high = sorted((vmin, vmax))
            box, dpi = axis.axes.get_window_extent(), axis.axes.figure.dpi
            length = (box.width if sideways else box.height) / dpi * 72.0
            given = axis.get_tick_params().get("labelsize", rcParams[size_name])
            font = FontProperties(size=given).get_size_in_points()
            self.set_params(steps=WIDE_STEPS if high - low >= WIDE else STEPS_OF_TICKS)
            for nbins in range(MOST_TICKS, 0, -1):
                self.set_params(nbins=nbins)
                ticks = super().tick_values(low, high)
                shown = [float(tick) for tick in ticks if low <= tick <= high]
                letters = max((len(degree_text(at, positive, negative)) for at in shown), default=0)
                need = LETTER * letters + GAP if sideways else LINE_HEIGHT
                if len(shown) < 2 or length * (shown[1] - shown[0]) / (high - low) >= need * font:
                    return ticks
            return shown[len(shown) // 2 :][:1]

    return DegreeLocator(nbins=MOST_TICKS)


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


def draw_graticule(
    ax: Axes, frame: ProjectedFrame, px_per_unit: float, *, on_raster: bool = True
) -> list[Artist]:
    """Draw and label parallels and meridians; the ticks of the axes are removed.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
        Where.
    frame : ProjectedFrame
        The map.
    px_per_unit : float
        Pixels of the picture to a unit of the axes.
    on_raster : bool, default True
        Whether a raster is behind.

    Returns
    -------
    list of matplotlib.artist.Artist
        What was added to the axes.
    """
    from matplotlib.collections import LineCollection
    from matplotlib.patheffects import withStroke

    ax.set_xticks([])
    ax.set_yticks([])
    lon, lat = frame.net()
    known = np.isfinite(lon)
    if not known.any():
        return []
    lines, lat_step = _lines(frame, lon[known], lat[known], px_per_unit)
    pieces = [
        piece
        for line in lines
        for piece in split_lines(np.stack([line.x, line.y], axis=-1)[None], line.cut[None])[0]
    ]
    colour, halo = OVER_RASTER if on_raster else ON_PAGE
    net = LineCollection(pieces, colors=colour, **LINE_STYLE)
    if halo is not None:
        width = LINE_STYLE["linewidths"] + HALO
        net.set_path_effects([withStroke(linewidth=width, foreground=halo)])
    ax.add_collection(net, autolim=False)
    lines = [_without_poles(line, frame, lat_step) for line in lines]
    return [net, *_label_lines(ax, frame, lines, px_per_unit, on_raster=on_raster)]


def _without_poles(line: _Line, frame: ProjectedFrame, lat_step: float) -> _Line:
    """A meridian cut near poles that are points, where it cannot be told from others."""
    if not line.is_meridian:
        return line
    near = np.zeros(line.lat.shape, dtype=bool)
    for pole in (-90.0, 90.0):
        x, y = frame.to_axes(np.arange(-135.0, 180.0, 90.0), np.full(4, pole))
        if max(np.ptp(x), np.ptp(y)) < NEAR * max(frame.box.width, frame.box.height):
            near |= np.abs(line.lat - pole) < lat_step
    return replace(line, cut=line.cut | near[1:] | near[:-1])


def _lines(
    frame: ProjectedFrame, lon: Floats, lat: Floats, px_per_unit: float
) -> tuple[list[_Line], float]:
    """Parallels and meridians, and the degrees between parallels."""
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
    return out, lat_step


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


def _label_lines(
    ax: Axes, frame: ProjectedFrame, lines: list[_Line], px_per_unit: float, *, on_raster: bool
) -> list[Annotation]:
    from matplotlib import rcParams
    from matplotlib.patheffects import withStroke

    box = frame.box
    placed: list[tuple[float, float]] = []
    labels = []
    flip = [-1.0 if axis.get_inverted() else 1.0 for axis in (ax.xaxis, ax.yaxis)]
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
            inner: tuple[Any, Any] = ("black", "white")
            if not on_raster:
                inner = (rcParams["text.color"], ax.get_facecolor())
            stroke = withStroke(linewidth=2.0, foreground=inner[1])
            style = {"color": inner[0], "path_effects": [stroke]}
        px = x * px_per_unit, y * px_per_unit
        if any(
            abs(px[0] - other[0]) < ROOM[0] * radius and abs(px[1] - other[1]) < ROOM[1] * radius
            for other in placed
        ):
            continue
        placed.append(px)
        label = ax.annotate(
            line.text,
            (x, y),
            xytext=(offset[0] * flip[0], offset[1] * flip[1]),
            textcoords="offset points",
            ha=align[0] if flip[0] > 0 else OPPOSITE[align[0]],
            va=align[1] if flip[1] > 0 else OPPOSITE[align[1]],
            fontsize="small",
            annotation_clip=False,
            zorder=5,
            **style,
        )
        labels.append(label)
    return labels


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
