"""Rasters as the rest of the library sees them: windows, bands, and one method that reads a window.

`Raster` is what files, NumPy arrays and labelled arrays have in common; each kind has a module of its own.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple, Self

import numpy as np

from craterkit.errors import ArgumentError, CRSError, RasterError
from craterkit.grids.base import make_grid
from craterkit.rasters.missing_values import any_declared, can_be_missing, is_number

if TYPE_CHECKING:
    from collections.abc import Sequence

    from affine import Affine
    from numpy.typing import NDArray

    from craterkit.bodies import Body
    from craterkit.coordinates import CoordinateSystem
    from craterkit.grids.base import Grid

__all__ = ["Band", "Raster", "Window", "as_affine", "pixel_dtype"]


class Window(NamedTuple):
    """Rows and columns of a raster; ends are exclusive."""

    row_start: int
    row_stop: int
    col_start: int
    col_stop: int

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns in it."""
        return self.row_stop - self.row_start, self.col_stop - self.col_start

    def __str__(self) -> str:
        return (
            f"rows {self.row_start} to {self.row_stop - 1}, "
            f"columns {self.col_start} to {self.col_stop - 1}"
        )


@dataclass(frozen=True, slots=True)
class Band:
    """One band of a raster and how its numbers are to be read.

    Attributes
    ----------
    number : int
        1 for the first.
    dtype : numpy.dtype
        Of the raw numbers.
    nodata : tuple of float
        Raw values that stand for no data, as the raster declares or the user says; see
        `with_nodata`.
    nodata_is_exact : bool
        Whether they are certain: GDAL hands them over as doubles, which 64-bit integers may not fit.
    scale, offset : float
        The physical value is ``raw * scale + offset``.
    has_mask : bool
        Whether the raster has a mask or alpha band that says which pixels are valid.
    description : str
        The raster's name for the band; may be empty.
    valid_range : tuple of float or None
        Least and greatest raw value that are data, where others have special meanings.
    special : tuple of float
        Raw values that the file's format keeps for pixels without data, whatever `nodata` says.
    """

    number: int
    dtype: np.dtype[Any]
    nodata: tuple[float, ...]
    nodata_is_exact: bool
    scale: float
    offset: float
    has_mask: bool
    description: str
    valid_range: tuple[float, float] | None = None
    special: tuple[float, ...] = ()

    @property
    def is_scaled(self) -> bool:
        """Whether physical values differ from raw ones."""
        return self.scale != 1.0 or self.offset != 0.0

    def physical(self, raw: NDArray[Any]) -> NDArray[np.float64]:
        """Apply scale and offset, in double precision."""
        return raw.astype(np.float64) * self.scale + self.offset

    def valid(self, raw: NDArray[Any]) -> NDArray[np.bool_] | None:
        """Which raw numbers are data, masks apart; None if all are.

        NaN, ±inf and the floats that formats reserve (`is_number`) never are.
        """
        valid = is_number(raw) if self.dtype.kind == "f" else None
        missing = any_declared(raw, (*self.nodata, *self.special))
        if missing is not None:
            valid = ~missing if valid is None else valid & ~missing
        if self.valid_range is not None:
            within = (raw >= self.valid_range[0]) & (raw <= self.valid_range[1])
            valid = within if valid is None else valid & within
        return None if valid is None or valid.all() else valid

    @property
    def may_lack(self) -> bool:
        """Whether any pixel may be no data."""
        return (
            self.dtype.kind == "f"
            or self.has_mask
            or self.valid_range is not None
            or any(can_be_missing(self.dtype, value) for value in (*self.nodata, *self.special))
        )

    def with_nodata(self, value: float) -> Band:
        """The same with another value for no data than the raster declares."""
        return replace(self, nodata=(value,), nodata_is_exact=True)


class Raster(ABC):
    """A raster that can be read from several threads.

    Attributes
    ----------
    name : str
        What error messages call it.
    shape : tuple of int
        Rows and columns.
    crs : CRS, str or None
        Its own coordinate reference system.
    block_shape : tuple of int
        Rows and columns of the blocks in which it is best read.
    bands : list of Band
        Its bands.
    """

    name: str
    shape: tuple[int, int]
    crs: Any
    block_shape: tuple[int, int]
    bands: list[Band]

    @property
    @abstractmethod
    def transform(self) -> Affine | None:
        """Its own affine transform; None if it has none.

        Raises
        ------
        CRSError
            If its coordinates are none of a raster.
        """

    @abstractmethod
    def read(
        self, band: Band, window: Window, out: NDArray[Any], mask: NDArray[np.uint8] | None
    ) -> None:
        """Read a window of raw numbers into `out`, and of the raster's mask into `mask`.

        Raises
        ------
        RasterError
            If it cannot be read.
        """

    def read_bands(
        self,
        bands: Sequence[Band],
        window: Window,
        out: Sequence[NDArray[Any]],
        masks: Sequence[NDArray[np.uint8] | None],
    ) -> None:
        """Read a window of several bands, each as `read` does."""
        for band, raw, mask in zip(bands, out, masks, strict=True):
            self.read(band, window, raw, mask)

    @property
    def bands_share_blocks(self) -> bool:
        """Whether bands are decoded together, so that they are better read together."""
        return False

    def block_edges(self) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Rows and columns at which blocks begin, and the ends of the last ones."""
        rows, columns = (
            np.append(np.arange(0, size, block), size)
            for size, block in zip(self.shape, self.block_shape, strict=True)
        )
        return rows, columns

    def close(self) -> None:  # noqa: B027
        """Close what was opened here; reading opens it again."""

    def forget(self) -> None:
        """Leave what was opened here to threads that may still read it; it is closed when they end."""
        self.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *rest: object) -> None:
        # Ctrl-C does not wait for threads.
        if kind is not None and issubclass(kind, KeyboardInterrupt):
            self.forget()
        else:
            self.close()

    def check_unchanged(self) -> None:  # noqa: B027
        """Raise if a file that it is read from is another one than when it was opened first.

        Raises
        ------
        RasterChangedError
            Names the file.
        """

    def _why_unplaced(self) -> CRSError | ArgumentError:
        """What to raise if there is no transform."""
        return CRSError(f"{self.name}: has no affine transform; pass transform=")

    def grid(self, body: Body, raster_crs: object = None, transform: object = None) -> Grid:
        """Where the pixels lie on `body`.

        Parameters
        ----------
        body : Body
            The body that the raster must be of.
        raster_crs : optional
            Overrides the raster's CRS; anything that `CoordinateSystem.from_user_input` takes.
        transform : optional
            Overrides the raster's affine transform; anything that `as_affine` takes.

        Raises
        ------
        CRSError
            If there is no transform or no CRS, or it is of another body.
        ArgumentError
            If an array has neither, or `transform` is no transform.
        """
        affine = self.transform if transform is None else as_affine(transform)
        if affine is None:
            raise self._why_unplaced()
        system = self._system(body, raster_crs)
        if raster_crs is None:
            system = self._as_labelled(system)
        if transform is None:
            affine = self._as_bounded(affine, system)
        return make_grid(self.shape, affine, system, self.name)

    def _system(self, body: Body, raster_crs: object = None) -> CoordinateSystem:
        """What its coordinates, or those of `raster_crs`, are on a body."""
        from craterkit.coordinates import CoordinateSystem

        value = self.crs if raster_crs is None else raster_crs
        if value is None or value == "":
            raise CRSError(
                f"{self.name}: has no CRS; say what its coordinates are with raster_crs=, for "
                'example "planetocentric" if they are degrees, or a projected CRS if they are metres'
            )
        return CoordinateSystem.from_user_input(
            value,
            body,
            what=self.name if raster_crs is None else "raster_crs",
            argument="raster_crs",
        )

    def _as_labelled(self, system: CoordinateSystem) -> CoordinateSystem:
        """Its own coordinate system, corrected where a label says more than the CRS."""
        return system

    def _as_bounded(self, transform: Affine, system: CoordinateSystem) -> Affine:
        """Its own transform, corrected where a label has bounds that contradict it."""
        return transform

    def pick_bands(self, bands: int | str | Sequence[int | str]) -> list[Band]:
        """The bands that `bands` names by number or description; all of them for ``"all"``."""
        if isinstance(bands, str) and bands == "all":
            return self.bands
        single = isinstance(bands, int | str | np.integer) or not isinstance(bands, Iterable)
        wanted: list[Any] = [bands] if single else list(bands)  # type: ignore[arg-type]
        for band in wanted:
            if isinstance(band, bool) or not isinstance(band, int | str | np.integer):
                raise ArgumentError(
                    f'bands takes numbers from 1 on, descriptions, or "all", not {band!r}'
                )
        if not wanted:
            raise ArgumentError("bands names no band")
        return [self._pick_band(band) for band in wanted]

    def _pick_band(self, wanted: int | str) -> Band:
        found = [
            band
            for band in self.bands
            if wanted == (band.description if isinstance(wanted, str) else band.number)
        ]
        if len(found) == 1:
            return found[0]
        if found:
            numbers = ", ".join(str(band.number) for band in found)
            raise ArgumentError(
                f"{self.name}: has several bands called {wanted!r}; say which by number: {numbers}"
            )
        names = ", ".join(
            f"{b.number} ({b.description})" if b.description else str(b.number) for b in self.bands
        )
        raise ArgumentError(f"{self.name}: has no band {wanted!r}; its bands are {names}")


def pixel_dtype(dtype: np.dtype[Any], what: str) -> np.dtype[Any]:
    """Give the dtype in which pixels are read: native byte order, bool as uint8, float16 as float32.

    Raises
    ------
    RasterError
        If they are not real numbers of at most 64 bits.
    """
    if dtype.kind == "b":
        return np.dtype(np.uint8)
    if dtype.kind not in "iuf":
        raise RasterError(f"{what} holds {dtype}, not real numbers")
    if dtype.itemsize > 8:
        raise RasterError(f"{what} holds {dtype}, which has more than 64 bits; make it float64")
    return np.dtype(np.float32) if dtype == np.float16 else dtype.newbyteorder("=")


def as_affine(value: object) -> Affine:
    """Make an affine transform of one, or of its six numbers a, b, c, d, e, f.

    Raises
    ------
    ArgumentError
        If it is something else, or in the order that GDAL has.
    """
    from affine import Affine

    try:
        numbers = [float(number) for number in value]  # type: ignore[attr-defined]
    except (TypeError, ValueError):
        numbers = []
    if isinstance(value, str) or len(numbers) not in (6, 9) or not np.isfinite(numbers).all():
        raise ArgumentError(
            "transform must be an affine.Affine or its six numbers (column width, row rotation, left "
            f"edge, column rotation, row height, top edge), not {value!r}"
        )
    a, b, c, d, e, f = numbers[:6]
    if len(numbers) == 6 and c == e == 0 and b != 0 and d != 0:
        raise ArgumentError(
            f"transform {value!r} seems to be in GDAL's order; pass "
            "affine.Affine.from_gdal(*transform)"
        )
    return Affine(a, b, c, d, e, f)
