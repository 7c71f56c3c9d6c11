"""Axes that hold maps: what is on them already, and what fits on that."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary, ref

from craterkit.errors import ArgumentError, BodyError
from craterkit.plotting.frames import Box, DegreeFrame, ProjectedFrame

if TYPE_CHECKING:
    from collections.abc import Iterable

    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

    from craterkit.bodies import Body
    from craterkit.plotting.frames import Frame

__all__ = [
    "box_of_axes",
    "check_fit",
    "drawn_frame",
    "has_room_beside",
    "remember",
    "remove_graticule",
]


@dataclass(frozen=True, slots=True)
class _Drawn:
    """A map on axes, and what of it is drawn anew with another frame."""

    frame: Frame
    graticule: tuple[ref[Artist], ...]


#: What maps have been drawn on, so that more can be drawn there.
_DRAWN: WeakKeyDictionary[Any, _Drawn] = WeakKeyDictionary()


def box_of_axes(ax: Axes) -> Box:
    """What axes show, whichever way they run."""
    return Box(*sorted(ax.get_xlim()), *sorted(ax.get_ylim()))


def drawn_frame(ax: Axes) -> Frame | None:
    """The frame of the map on axes; None if they have none, or were cleared."""
    drawn = _DRAWN.get(ax)
    return drawn.frame if drawn is not None and ax.has_data() else None


def remember(ax: Axes, frame: Frame, graticule: Iterable[Artist] | None) -> None:
    """Keep the frame of a map on axes, with its graticule; None if the one before still serves."""
    if graticule is None:
        kept = _DRAWN[ax].graticule if ax in _DRAWN else ()
    else:
        kept = tuple(ref(artist) for artist in graticule)
    _DRAWN[ax] = _Drawn(frame, kept)


def remove_graticule(ax: Axes) -> None:
    """Take the parallels, meridians and labels of an earlier frame off axes."""
    drawn = _DRAWN.get(ax)
    for reference in () if drawn is None else drawn.graticule:
        artist = reference()
        if artist is not None and artist.axes is ax and artist in ax.get_children():
            artist.remove()


def check_fit(before: Frame | None, body: Body, frame: Frame | None) -> None:
    """Refuse a map on axes that have one of another body, or in other coordinates.

    Parameters
    ----------
    before : Frame or None
        The frame of the map that is there.
    body : Body
        The body of the new map.
    frame : Frame or None
        Its frame; None if it takes that of the map before.

    Raises
    ------
    BodyError, ArgumentError
        If it does not fit.
    """
    if before is None:
        return
    if before.body != body:
        raise BodyError(
            f"ax: the map on these axes is of {before.body.name}, and this one of {body.name}"
        )
    if frame is not None and _coordinates(before) != _coordinates(frame):
        raise ArgumentError(
            f"ax: the map on these axes is in {_described(before)}, and this one in "
            f"{_described(frame)}; draw it on axes of its own"
        )


def _coordinates(frame: Frame) -> Any:  # noqa: ANN401
    if isinstance(frame, DegreeFrame):
        return None
    system = frame.grid.system
    return system.projection, system.longitude_sign, system.longitude_shift, system.latitude_type


def _described(frame: Frame) -> str:
    if isinstance(frame, ProjectedFrame):
        return f"the projection of {frame.grid.name}"
    return "degrees"


def has_room_beside(ax: Axes) -> bool:
    """Whether a legend to the right of axes hides no others: a layout makes room, or there are none."""
    figure: Any = ax.figure.figure
    if figure.get_layout_engine() is not None:
        return True
    own = ax.get_position()
    others = [other.get_position() for other in figure.axes if other is not ax]
    return not any(
        other.x0 >= own.x1 - 1e-6 and other.y0 < own.y1 and other.y1 > own.y0 for other in others
    )
