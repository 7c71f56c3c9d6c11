"""Footprints pixel by pixel, for the few ROIs whose outline a map tears apart.

Where an ROI reaches a seam, a map's edge or a point that the projection sends to infinity, nothing is
asked of the outline's shape in the plane: pixels are carried to the body and asked whether they lie in
the ROI. Tiles that agree all over and hold no part of the outline are filled at once; within the others
pixels that the outline passes through are sampled.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from craterkit.footprints.spans import Spans
from craterkit.grids.cylindrical import CylindricalGrid

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from craterkit.footprints.outlines import Outlines
    from craterkit.footprints.rules import Rules
    from craterkit.grids.base import Grid

    Floats = NDArray[np.float64]
    Ints = NDArray[np.intp]
    Bools = NDArray[np.bool_]
    States = NDArray[np.int8]

__all__ = ["outline_vertices", "sampled"]

#: Pixels along the side of a tile, and tiles that are worked on at a time.
TILE, TILES = 32, 256

#: Pixels between the points of a tile that are asked before it is filled.
LATTICE = 8

#: Samples of a pixel that the outline passes through: for shares, and to see whether it is touched; pixels
#: that are sampled at a time.
SAMPLES, TOUCHES, SAMPLED = 1024, 256, 1 << 11

#: Vertices of the outline: at least, at most, and for each pixel that it passes through.
FEWEST, MOST, PER_PIXEL = 512, 1 << 17, 4.0

OUT, IN, OFF_THE_MAP = 0, 1, 2


def outline_vertices(grid: Grid, outlines: Outlines, roi: int) -> tuple[Floats, Floats]:
    """Pixel coordinates of an outline, so dense that hardly a pixel of the raster is crossed unseen."""
    count = FEWEST
    while True:
        x, y = outlines.vertices(roi, count)
        if grid.period < np.inf:
            x = np.mod(x, grid.period)
        step = np.hypot(np.diff(x), np.diff(y))
        # Far off the raster no more are needed than it takes not to jump across it.
        off = np.hypot(
            np.maximum(np.maximum(-x, x - grid.extent), 0.0),
            np.maximum(np.maximum(-y, y - grid.shape[0]), 0.0),
        )[:-1]
        with np.errstate(invalid="ignore"):
            near = step[off <= 2.0 * step]
        if count >= MOST or not near.size or np.quantile(near, 0.9) * PER_PIXEL <= 1.0:
            return x, y
        count *= 4


def sampled(
    grid: Grid,
    outlines: Outlines,
    roi: int,
    vertices: tuple[Floats, Floats],
    window: tuple[int, int, int, int],
    rules: Rules,
    *,
    filled: bool = False,
) -> tuple[Spans, Floats | None]:
    """Pixels of one ROI within a window.

    Parameters
    ----------
    grid : Grid
        The grid.
    outlines : Outlines
        What says where the ROI lies.
    roi : int
        The ROI.
    vertices : tuple of ndarray
        Its `outline_vertices`.
    window : tuple of int
        First row, end row, first column, end column.
    rules : Rules
        Which pixels belong; shares are of a pixel's area on the ground if `rules.area_weighted`.
    filled : bool
        Whether those in its hole belong, too.

    Returns
    -------
    spans : Spans
        Their `roi` is 0.
    shares : ndarray or None
        Covered share of every pixel under ``"fraction"``.
    """
    return _Sampler(grid, outlines, roi, vertices, window, rules, filled).footprint()


class _Sampler:
    def __init__(
        self,
        grid: Grid,
        outlines: Outlines,
        roi: int,
        vertices: tuple[Floats, Floats],
        window: tuple[int, int, int, int],
        rules: Rules,
        filled: bool,
    ) -> None:
        self._grid = grid
        self._outlines = outlines
        self._roi = roi
        self._row, row_stop, self._column, column_stop = window
        self._vertices = vertices[0] - self._column, vertices[1] - self._row
        self._shape = row_stop - self._row, column_stop - self._column
        self._rules = rules
        self._filled = filled

    def footprint(self) -> tuple[Spans, Floats | None]:
        shares = self._shares()
        if shares is None:
            none = np.zeros(0, dtype=np.intp)
            spans = Spans(none, none, none, none)
            return spans, np.zeros(0) if self._rules.coverage == "fraction" else None
        held = shares > 0
        padded = np.zeros((self._shape[0], self._shape[1] + 2), dtype=np.int8)
        padded[:, 1:-1] = held
        steps = np.diff(padded, axis=1)
        rows, starts = np.nonzero(steps > 0)
        _, stops = np.nonzero(steps < 0)
        spans = Spans(
            np.zeros(rows.size, dtype=np.intp),
            rows + self._row,
            starts + self._column,
            stops + self._column,
        )
        return spans, shares[held] if self._rules.coverage == "fraction" else None

    def _state(self, x: Floats, y: Floats) -> States:
        """Whether the ROI holds points of the window."""
        lon, lat = self._grid.to_body(x + self._column, y + self._row)
        return np.where(np.isfinite(lon), self._held(lon, lat, x), OFF_THE_MAP).astype(np.int8)

    def _held(self, lon: Floats, lat: Floats, x: Floats) -> Bools:
        """Whether the ROI holds places at columns `x`; ground that is repeated counts once."""
        repeated = x + self._column > self._grid.period
        return self._outlines.holds(self._roi, lon, lat, filled=self._filled) & ~repeated

    def _shares(self) -> Floats | None:
        """Covered share of every pixel of the window, or 1 and 0; None if all are 0."""
        height, width = self._shape
        tall, wide = -(-height // TILE), -(-width // TILE)
        crossed = self._crossed(tall, wide)
        # Gaps between the lobes of a map may be narrow.
        each = TILE // LATTICE
        y, x = (np.arange(tiles * each + 1) * float(LATTICE) for tiles in (tall, wide))
        points = self._state(*np.meshgrid(x, y))
        cells_alike, cells_held = _compare(points, points[:-1, :-1])
        alike = np.asarray(cells_alike.reshape(tall, each, wide, each).all(axis=(1, 3)))
        held = np.asarray(cells_held.reshape(tall, each, wide, each).any(axis=(1, 3)))
        centres = points[each // 2 :: each, each // 2 :: each]
        near = np.asarray(crossed.reshape(tall, TILE, wide, TILE).any(axis=(1, 3)))
        mixed = (held & ~alike) | _spread(near) | (_spread(held) & (centres == OFF_THE_MAP))
        if not (held | mixed).any():
            return None
        shares = np.zeros((tall, TILE, wide, TILE))
        shares[...] = ((centres == IN) & ~mixed)[:, None, :, None]
        tile_rows, tile_columns = np.nonzero(mixed)
        crossed = crossed.reshape(tall, TILE, wide, TILE)
        for start in range(0, tile_rows.size, TILES):
            at = tile_rows[start : start + TILES], tile_columns[start : start + TILES]
            shares[at[0], :, at[1], :] = self._tile_shares(*at, crossed[at[0], :, at[1], :])
        return shares.reshape(tall * TILE, wide * TILE)[:height, :width]

    def _crossed(self, tall: int, wide: int) -> Bools:
        """Pixels that hold a vertex of the outline."""
        x, y = self._vertices
        crossed = np.zeros((tall * TILE, wide * TILE), dtype=bool)
        inside = (x >= 0) & (x < self._shape[1]) & (y >= 0) & (y < self._shape[0])
        crossed[y[inside].astype(np.intp), x[inside].astype(np.intp)] = True
        return crossed

    def _tile_shares(self, tile_row: Ints, tile_column: Ints, crossed: Bools) -> Floats:
        """Shares of the pixels of tiles."""
        y0 = (tile_row * float(TILE))[:, None, None]
        x0 = (tile_column * float(TILE))[:, None, None]
        edge = np.arange(TILE + 1.0)
        middle = edge[:-1] + 0.5
        centres = self._state(*np.broadcast_arrays(x0 + middle, y0 + middle[:, None]))
        shares = (centres == IN).astype(np.float64)
        if self._rules.coverage == "center":
            return shares
        corners = self._state(*np.broadcast_arrays(x0 + edge, y0 + edge[:, None]))
        alike, held = _compare(corners, centres)
        # Beside pixels that it holds, the ROI may reach into some that the map's edge cuts.
        edge_pixels = ~alike | (centres == OFF_THE_MAP)
        torn = (held & ~alike) | crossed | (_spread(held) & edge_pixels & ~held)
        at = np.nonzero(torn)
        x, y = x0[at[0], 0, 0] + at[2], y0[at[0], 0, 0] + at[1]
        found = np.concatenate(
            [
                self._sample(x[start : start + SAMPLED], y[start : start + SAMPLED])
                for start in range(0, x.size, SAMPLED)
            ]
            or [np.zeros(0)]
        )
        if self._rules.coverage == "all_touched":
            found = (found > 0) | crossed[at]
        shares[at] = found
        return shares

    def _sample(self, x: Floats, y: Floats) -> Floats:
        """Shares of pixels, by samples spread evenly over each."""
        dx, dy = _spread_samples(TOUCHES if self._rules.coverage == "all_touched" else SAMPLES)
        x, y = x[:, None] + dx, y[:, None] + dy
        lon, lat = self._grid.to_body(x + self._column, y + self._row)
        weight = np.isfinite(lon).astype(np.float64)
        if isinstance(self._grid, CylindricalGrid) and self._rules.area_weighted:
            # Near a pole one half of a pixel has far more ground than the other.
            weight *= np.cos(np.radians(np.nan_to_num(lat)))
        held = self._held(lon, lat, x)
        total = weight.sum(axis=1)
        # A share is one of the pixel's square, on which its area is reckoned, too.
        whole = total if isinstance(self._grid, CylindricalGrid) else float(dx.size)
        return np.divide(
            (held * weight).sum(axis=1), whole, out=np.zeros(total.shape), where=total > 0
        )


def _compare(corners: States, centres: States) -> tuple[Bools, Bools]:
    """Squares whose four corners and centre are in the same state, and those of which one is held."""
    alike, held = np.ones(centres.shape, dtype=bool), centres == IN
    for corner in (
        corners[..., :-1, :-1],
        corners[..., :-1, 1:],
        corners[..., 1:, :-1],
        corners[..., 1:, 1:],
    ):
        alike &= corner == centres
        held |= corner == IN
    return alike, held


def _spread(marks: Bools) -> Bools:
    """Marks and their neighbours, in the last two axes."""
    height, width = marks.shape[-2:]
    padded = np.pad(marks, [(0, 0)] * (marks.ndim - 2) + [(1, 1), (1, 1)])
    spread = np.zeros(marks.shape, dtype=bool)
    for dy in range(3):
        for dx in range(3):
            spread |= padded[..., dy : dy + height, dx : dx + width]
    return spread


def _spread_samples(count: int) -> tuple[Floats, Floats]:
    """Places within a pixel: the additive recurrence of the plastic number.

    Roberts (2018), "The unreasonable effectiveness of quasirandom sequences".
    """
    plastic = 1.32471795724474602596
    nth = np.arange(1, count + 1)
    return np.mod(0.5 + nth / plastic, 1.0), np.mod(0.5 + nth / plastic**2, 1.0)
