"""Rings of sectors: vertices of the circles that they lie between, and sides along two directions.

Corners lie on the sides of the polygons that stand for the circles, and a side depends on nothing but its
direction. So sectors next to each other have it in common, and all around they make up the annulus.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from craterkit.footprints.curve_vertices import wanted
from craterkit.footprints.scan import Rings
from craterkit.footprints.spans import ranges

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.intp]
    #: Pixel coordinates of points of some ROIs at distances (k, m) in the direction of each.
    Project = Callable[[Ints, Floats], tuple[Floats, Floats]]

__all__ = ["Path", "sector_rings", "side"]

#: Pieces of a side whose chords are looked at, and pieces at most.
PIECES, MOST = 16, 4096


class Path(NamedTuple):
    """Points of n ROIs one after the other, `number` of each."""

    number: Ints
    x: Floats
    y: Floats

    def reversed(self) -> Path:
        """The same points of each ROI in the opposite order."""
        ends = np.repeat(np.cumsum(self.number), self.number)
        firsts = np.repeat(np.cumsum(self.number) - self.number, self.number)
        at = firsts + ends - 1 - np.arange(ends.size)
        return Path(self.number, self.x[at], self.y[at])


def side(project: Project, near: Floats, far: Floats, tolerance: float) -> Path:
    """Points between two distances, as many as an edge takes that strays no farther than `tolerance`."""

    def along(which: Ints, steps: Floats) -> tuple[Floats, Floats]:
        return project(which, near[which, None] + (far - near)[which, None] * steps)

    x, y = along(np.arange(near.size), np.arange(PIECES + 1) / PIECES)
    stray = np.hypot(
        *(v[:, 1::2] - (v[:, :-1:2] + v[:, 2::2]) / 2 for v in (x, y)),
    ).max(axis=1)
    pieces = np.clip(wanted(stray, PIECES // 2, tolerance / 4), 1, MOST).astype(np.intp)
    count = pieces - 1
    x, y = np.empty((2, int(count.sum())))
    first = np.cumsum(count) - count
    for number in np.unique(pieces[count > 0]):
        which = np.flatnonzero(pieces == number)
        at = first[which, None] + np.arange(number - 1)
        x[at], y[at] = along(which, np.arange(1, number) / number)
    return Path(count, x, y)


def sector_rings(
    outer: Rings,
    inner: Rings | Path,
    directions: tuple[Floats, Floats],
    sides: tuple[Path, Path],
    orientation: float,
) -> Rings:
    """Rings of sectors.

    Parameters
    ----------
    outer : Rings
        Polygons of the outer circles, one an ROI: vertices at even steps clockwise from north.
    inner : Rings or Path
        Those of the inner circles, or the centres if there are none.
    directions : tuple of (n,) ndarray
        Where sectors begin and end, degrees from 0 to below 360 clockwise from north.
    sides : tuple of Path
        Points on either side, from the inside outwards.
    orientation : float
        The grid's.
    """
    start, stop = directions
    there, back = _arc(outer, start, stop), inner
    if isinstance(back, Rings):
        back = _arc(back, start, stop).reversed()
    path = _chained([there, sides[1].reversed(), back, sides[0]])
    size = path.number.size
    none = np.zeros(size, dtype=bool)
    return Rings(outer.roi, none, np.full(size, orientation), path.number, path.x, path.y)


def _arc(rings: Rings, start: Floats, stop: Floats) -> Path:
    """The part of rings from one direction clockwise to another."""
    begin, end = (direction / 360.0 * rings.count for direction in (start, stop))
    first = np.floor(begin).astype(np.intp) + 1
    last = np.ceil(np.where(end <= begin, end + rings.count, end)).astype(np.intp) - 1
    count = np.maximum(last - first + 1, 0)
    ring = np.repeat(np.arange(count.size), count)
    at = rings.starts[ring] + np.mod(ranges(first, count), rings.count[ring])
    one = np.ones(count.size, dtype=np.intp)
    corners = (Path(one, *_on_ring(rings, place)) for place in (begin, end))
    return _chained([next(corners), Path(count, rings.x[at], rings.y[at]), next(corners)])


def _on_ring(rings: Rings, place: Floats) -> tuple[Floats, Floats]:
    """Points on the sides of rings, `place` sides from their first vertices."""
    before = np.floor(place).astype(np.intp)
    share = place - before
    at, then = (rings.starts + np.mod(before + step, rings.count) for step in (0, 1))
    return (
        rings.x[at] + (rings.x[then] - rings.x[at]) * share,
        rings.y[at] + (rings.y[then] - rings.y[at]) * share,
    )


def _chained(paths: Sequence[Path]) -> Path:
    """Paths of the same ROIs, one after the other in each."""
    counts = np.stack([path.number for path in paths])
    total = counts.sum(axis=0)
    first = np.cumsum(total) - total + np.cumsum(counts, axis=0) - counts
    x, y = np.empty((2, int(total.sum())))
    for path, begin in zip(paths, first, strict=True):
        at = ranges(begin, path.number)
        x[at], y[at] = path.x, path.y
    return Path(total, x, y)
