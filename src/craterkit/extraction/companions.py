"""Rasters beside the one that is read: those that choose its pixels, and those that weigh them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from craterkit.errors import ArgumentError, RasterError
from craterkit.extraction.blocks import cover, read_window, within
from craterkit.extraction.conditions import Condition, parse_where
from craterkit.extraction.sources import Header
from craterkit.footprints.spans import ranges
from craterkit.grids.alignment import grid_difference, nearest_pixels
from craterkit.rasters.base import Window
from craterkit.rasters.opening import open_raster

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from craterkit.bodies import Body
    from craterkit.extraction.options import Options
    from craterkit.extraction.plan import Chunk
    from craterkit.footprints.spans import Spans
    from craterkit.grids.base import Grid
    from craterkit.rasters.base import Band, Raster

    Bools = NDArray[np.bool_]
    Floats = NDArray[np.float64]
    Ints = NDArray[np.intp]

__all__ = ["Companions", "Layers", "open_companions"]

#: Pixels of a companion on another grid that are read at a time, unless a row of blocks has more.
SLAB_PIXELS = 1 << 22

#: Pixels whose places on another grid are found at a time.
STRIP_PIXELS = 1 << 18


NO_WINDOW = Window(0, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class Layers:
    """What companions say of the pixels of a chunk's window; None where there is none.

    Only pixels in the chunk's blocks are filled in. `unread` are those of which a companion cannot say
    anything, as its blocks could not be read.
    """

    chosen: Bools | None = None
    weights: Floats | None = None
    window: Window = NO_WINDOW
    unread: Bools | None = None

    def places(self, spans: Spans) -> Ints:
        """Flat indices of the pixels of spans."""
        window = self.window
        row = spans.row - window.row_start
        return ranges(row * window.shape[1] + (spans.start - window.col_start), spans.length)


class Sample(NamedTuple):
    """Raw numbers of a companion for a rectangle of pixels.

    `unmasked` are those that lie on the companion and are not masked in the file; None: all.
    """

    part: Window
    raw: NDArray[Any]
    unmasked: Bools | None
    unread: Bools | None
    where: tuple[Ints, Ints] | None = None

    def place(self, index: int) -> str:
        """Where on the companion the pixel of a flat index lies."""
        if self.where is None:
            row, column = divmod(index, self.raw.shape[1])
            row, column = row + self.part.row_start, column + self.part.col_start
        else:
            row, column = (int(numbers.flat[index]) for numbers in self.where)
        return f"row {row}, column {column}"


@dataclass(frozen=True)
class Companion:
    """A raster on the same ground; without a condition it weighs pixels, without a grid it has any."""

    raster: Raster
    band: Band
    grid: Grid | None
    condition: Condition | None

    @property
    def argument(self) -> str:
        """The argument that it was given as."""
        return "weights" if self.condition is None else "where"

    @property
    def header(self) -> Header:
        """What workers of a cluster must find, too."""
        return Header(self.raster.shape, self.grid, (self.band,))

    def samples(
        self, grid: Grid, chunk: Chunk, *, nearest: bool, flag_unread: bool
    ) -> Iterator[Sample]:
        """Raw numbers for the pixels of a chunk of another raster, which has the grid `grid`."""
        if nearest and self.grid is not None:
            yield from self._nearest(grid, self.grid, chunk.reads, flag_unread=flag_unread)
            return
        for part in chunk.reads:
            yield self._read(part, flag_unread=flag_unread)

    def _read(self, window: Window, *, flag_unread: bool) -> Sample:
        raw = np.zeros(window.shape, dtype=self.band.dtype)
        mask = np.zeros(window.shape, dtype=np.uint8) if self.band.has_mask else None
        (failed,) = read_window(
            self.raster, [self.band], window, [raw], [mask], flag_unread=flag_unread
        )
        unread = cover(failed, window) if failed else None
        return Sample(window, raw, None if mask is None else mask != 0, unread)

    def _nearest(
        self, grid: Grid, own: Grid, parts: Sequence[Window], *, flag_unread: bool
    ) -> Iterator[Sample]:
        found = [_places(grid, part, own) for part in parts]
        if not found:
            return
        row, column = (np.concatenate([places[axis] for places in found]) for axis in (0, 1))
        raw = np.zeros(row.size, dtype=self.band.dtype)
        unmasked, unread = row >= 0, np.zeros(row.size, dtype=np.bool_)
        for window, inside in self._windows(row, column):
            here = self._read(window, flag_unread=flag_unread)
            at = row[inside] - window.row_start, column[inside] - window.col_start
            raw[inside] = here.raw[at]
            if here.unmasked is not None:
                unmasked[inside] = here.unmasked[at]
            if here.unread is not None:
                unread[inside] = here.unread[at]
        start = 0
        for part in parts:
            shape = part.shape
            pixels = slice(start, start + shape[0] * shape[1])
            yield Sample(
                part,
                raw[pixels].reshape(shape),
                unmasked[pixels].reshape(shape),
                unread[pixels].reshape(shape) if unread.any() else None,
                (row[pixels], column[pixels]),
            )
            start = pixels.stop

    def _windows(self, row: Ints, column: Ints) -> Iterator[tuple[Window, Ints]]:
        """Windows that hold the pixels at (row, column), and which pixels each holds.

        Each block of the companion lies in one of them.
        """
        height, width = self.raster.shape
        tall, wide = (max(1, side) for side in self.raster.block_shape)
        tall *= max(1, SLAB_PIXELS // (tall * width))
        on = np.flatnonzero(row >= 0)
        for slab in _groups(on, row[on] // tall):
            blocks = column[slab] // wide
            touched = np.unique(blocks)
            # Neighbouring blocks are read together.
            begins = touched[np.diff(touched, prepend=-2) > 1]
            for run in _groups(slab, np.searchsorted(begins, blocks, side="right")):
                window = Window(
                    int(row[run].min()),
                    min(int(row[run].max()) + 1, height),
                    int(column[run].min()),
                    min(int(column[run].max()) + 1, width),
                )
                yield window, run


def _groups(items: Ints, key: Ints) -> Iterator[Ints]:
    """The items of each key."""
    order = np.argsort(key, kind="stable")
    cuts = np.flatnonzero(np.diff(key[order])) + 1
    for group in np.split(items[order], cuts):
        if group.size:
            yield group


def _places(grid: Grid, part: Window, other: Grid) -> tuple[Ints, Ints]:
    """Nearest row and column on another grid of the pixels of a rectangle, row by row; −1: none."""
    _, width = part.shape
    columns = np.arange(part.col_start, part.col_stop)
    step = max(1, STRIP_PIXELS // width)
    strips = []
    for start in range(part.row_start, part.row_stop, step):
        rows = np.arange(start, min(start + step, part.row_stop))
        row, column = (axis.ravel() for axis in np.meshgrid(rows, columns, indexing="ij"))
        strips.append(nearest_pixels(grid, row, column, other))
    row, column = (np.concatenate(axis) for axis in zip(*strips, strict=True))
    return row, column


class Companions:
    """All rasters that choose or weigh the pixels of others.

    Parameters
    ----------
    companions : sequence of Companion
        Any number.
    options : Options
        What gave them: whether they may lie on other grids.

    Attributes
    ----------
    options : Options
        The same.
    """

    def __init__(self, companions: Sequence[Companion], options: Options) -> None:
        self._companions = companions
        self.options = options
        self._nearest = options.align == "nearest"

    def __enter__(self) -> Companions:
        return self

    def __exit__(self, *exception: Any) -> None:  # noqa: ANN401
        for raster in self.rasters:
            raster.__exit__(*exception)

    @property
    def rasters(self) -> list[Raster]:
        """The rasters."""
        return [companion.raster for companion in self._companions]

    @property
    def headers(self) -> list[tuple[str, Header]]:
        """The name of each, and what workers of a cluster must find under it."""
        return [(companion.raster.name, companion.header) for companion in self._companions]

    @property
    def bytes_per_pixel(self) -> int:
        """What they take for each pixel of a chunk of another raster."""
        if not self._companions:
            return 0
        weights = 8 if any(of.condition is None for of in self._companions) else 0
        places = 32 if self._nearest else 0
        return 1 + weights + places + max(of.band.dtype.itemsize + 10 for of in self._companions)

    def check(self, grid: Grid) -> None:
        """Raise unless every pixel of a raster's grid has its pixel on each companion."""
        for companion in self._companions:
            what = (
                f"{companion.argument}: {companion.raster.name} is not on the grid of {grid.name}"
            )
            if companion.grid is None:
                if companion.raster.shape != grid.shape:
                    raise ArgumentError(
                        f"{what}: its shape is {companion.raster.shape}, not {grid.shape}"
                    )
            elif not self._nearest and (difference := grid_difference(grid, companion.grid)):
                raise ArgumentError(
                    f'{what}: {difference}; align="nearest" takes the pixel at each pixel\'s centre'
                )

    def layers(self, grid: Grid, chunk: Chunk, *, flag_unread: bool = False) -> Layers:
        """What the companions say of the pixels of a chunk of the raster with this grid.

        With `flag_unread`, blocks of theirs that cannot be read are told of in `Layers.unread`.
        """
        if not self._companions:
            return Layers()
        window = chunk.window
        chosen = np.ones(window.shape, dtype=np.bool_)
        weights: Floats | None = None
        unread: Bools | None = None
        for companion in self._companions:
            band, condition, name = companion.band, companion.condition, companion.raster.name
            if condition is None:
                weights = np.zeros(window.shape)
            for sample in companion.samples(
                grid, chunk, nearest=self._nearest, flag_unread=flag_unread
            ):
                part = within(sample.part, window)
                if sample.unread is not None:
                    unread = np.zeros(window.shape, dtype=np.bool_) if unread is None else unread
                    unread[part] |= sample.unread
                if condition is None:
                    assert weights is not None
                    usable, weights[part] = self._weigh(companion, sample)
                else:
                    usable = condition.passes(
                        band, sample.raw, sample.unmasked, scaled=True, name=name
                    )
                chosen[part] &= usable
        if unread is not None:
            # Whoever has such a pixel is to meet it.
            chosen |= unread
        return Layers(chosen, weights, window, unread)

    def _weigh(self, companion: Companion, sample: Sample) -> tuple[Bools, Floats]:
        """Which pixels have a weight, and all weights: 0 where there is none."""
        band, raw = companion.band, sample.raw
        valid = band.valid(raw)
        usable = np.ones(raw.shape, dtype=np.bool_) if valid is None else valid
        if sample.unmasked is not None:
            usable = usable & sample.unmasked
        weights = np.where(usable, band.physical(raw), 0.0)
        if weights.size and weights.min() < 0:
            worst = int(weights.argmin())
            raise RasterError(
                f"weights: {companion.raster.name} holds the weight {weights.flat[worst]:g} in "
                f"{sample.place(worst)}; weights must not be negative"
            )
        return usable, weights


def open_companions(body: Body, options: Options) -> Companions:
    """Open the rasters that `where` and `weights` give, and check that they are of the body.

    Raises
    ------
    ArgumentError, RasterError, CRSError
        If one is no raster, cannot be read, or is of another body.
    """
    companions = [
        _open(body, given, band, condition, options)
        for given, band, condition in parse_where(options.where)
    ]
    if options.weights_raster is not None:
        companions.append(_open(body, options.weights_raster, 1, None, options))
    return Companions(companions, options)


def _open(
    body: Body,
    given: Any,  # noqa: ANN401
    band_number: Any,  # noqa: ANN401
    condition: Condition | None,
    options: Options,
) -> Companion:
    argument = "weights" if condition is None else "where"
    with _raster(given, argument) as raster:
        crs = options.raster_crs
        own = raster.crs is None or raster.crs == ""
        # An array that says nothing of its place lies where the raster's own pixels do.
        bare = own and raster.transform is None
        crs = None if isinstance(crs, Mapping) or not own else crs
        grid = None if bare else raster.grid(body, crs)
        (band,) = raster.pick_bands([band_number])
    if not band.nodata_is_exact:
        raise ArgumentError(
            f"{argument}: {raster.name}: band {band.number} declares a nodata value for 64-bit "
            "integers, which cannot be read exactly"
        )
    return Companion(raster, band, grid, condition)


def _raster(given: Any, argument: str) -> Raster:  # noqa: ANN401
    try:
        return open_raster(given, argument)
    except (RasterError, TypeError) as error:
        is_path = not isinstance(given, str) or any(mark in given for mark in "./\\:")
        if isinstance(error, RasterError) and is_path:
            raise
        accepted = 'None, "area" or a raster' if argument == "weights" else "a raster"
        raise ArgumentError(f"{argument} must be {accepted}, not {given!r}: {error}") from error
