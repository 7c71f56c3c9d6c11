"""Rasters: opening them, and reading their blocks from several threads.

The rest of the library sees a raster through `Raster`: shape, transform, CRS, blocks, bands with their
nodata, scale and offset, and one method that reads a window. GDAL, through rasterio, does the work.
"""

from __future__ import annotations

import os
import threading
import warnings
from collections.abc import Iterable
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from craterkit.errors import ArgumentError, CRSError, RasterError, RasterTypeError
from craterkit.grids import make_grid

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from craterkit.bodies import Body
    from craterkit.grids import Grid

__all__ = ["Band", "Raster", "Window"]


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
    nodata : float or None
        Raw value that stands for no data.
    nodata_is_exact : bool
        Whether that is certain: GDAL hands it over as a double, which 64-bit integers may not fit.
    scale, offset : float
        The physical value is ``raw * scale + offset``.
    has_mask : bool
        Whether the file has a mask or alpha band that says which pixels are valid.
    description : str
        The file's name for the band; may be empty.
    """

    number: int
    dtype: np.dtype[Any]
    nodata: float | None
    nodata_is_exact: bool
    scale: float
    offset: float
    has_mask: bool
    description: str

    @property
    def is_scaled(self) -> bool:
        """Whether physical values differ from raw ones."""
        return self.scale != 1.0 or self.offset != 0.0

    def physical(self, raw: NDArray[Any]) -> NDArray[np.float64]:
        """Apply scale and offset, in double precision."""
        return raw.astype(np.float64) * self.scale + self.offset

    def valid(self, raw: NDArray[Any]) -> NDArray[np.bool_] | None:
        """Which raw numbers are data, masks apart; None if all are.

        NaN and ±inf never are.
        """
        valid: NDArray[np.bool_] | None = None
        if self.dtype.kind == "f":
            valid = np.isfinite(raw)
        nodata = self._nodata_in_dtype()
        if nodata is not None:
            differs = raw != nodata
            valid = differs if valid is None else valid & differs
        return None if valid is None or valid.all() else valid

    def _nodata_in_dtype(self) -> Any:  # noqa: ANN401
        """The nodata value as the raster's dtype holds it; None if no pixel can have it."""
        if self.nodata is None or np.isnan(self.nodata):
            return None
        if self.dtype.kind == "f":
            with np.errstate(over="ignore"):
                return self.dtype.type(self.nodata)
        info = np.iinfo(self.dtype)
        if int(self.nodata) != self.nodata or not info.min <= self.nodata <= info.max:
            return None
        return self.dtype.type(int(self.nodata))


class Raster:
    """A raster that can be read from several threads.

    A raster given by name is opened once in each thread; an open dataset is the caller's, is read
    by one thread at a time, and is left open.

    Parameters
    ----------
    source : str, os.PathLike or rasterio dataset
        A path, anything that GDAL opens, or an open dataset.

    Raises
    ------
    RasterError
        If it cannot be opened.
    RasterTypeError
        If `source` is something else.
    """

    def __init__(self, source: Any) -> None:  # noqa: ANN401
        self._local = threading.local()
        self._lock = threading.Lock()
        self._opened: list[Any] = []
        if isinstance(source, str | os.PathLike):
            self.name = os.fspath(source)
            self._given = None
        elif hasattr(type(source), "block_shapes") and hasattr(type(source), "read_masks"):
            self.name = str(source.name)
            self._given = source
            if source.closed:
                raise RasterError(f"{self.name}: the dataset is closed")
        else:
            raise RasterTypeError(
                "a raster must be a path, a name that GDAL opens or an open rasterio dataset, "
                f"not {type(source).__name__}"
            )
        dataset = self._dataset()
        if dataset.count == 0:
            raise RasterError(f"{self.name}: holds no bands{_subdatasets(dataset)}")
        self.shape = (int(dataset.height), int(dataset.width))
        self.transform = dataset.transform
        self.crs = dataset.crs
        self.block_shape: tuple[int, int] = tuple(dataset.block_shapes[0])
        self._alpha = _alpha_band(dataset)
        self.bands = [self._describe(dataset, number) for number in dataset.indexes]

    def __enter__(self) -> Raster:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Close what was opened here."""
        with self._lock:
            while self._opened:
                self._opened.pop().close()
            self._local = threading.local()

    def _dataset(self) -> Any:  # noqa: ANN401
        """The dataset to read from in this thread."""
        if self._given is not None:
            return self._given
        dataset = getattr(self._local, "dataset", None)
        if dataset is None:
            import rasterio
            from rasterio.errors import NotGeoreferencedWarning, RasterioIOError

            with warnings.catch_warnings():
                # A raster without a place is refused below, with advice.
                warnings.simplefilter("ignore", NotGeoreferencedWarning)
                try:
                    dataset = rasterio.open(self.name)
                except RasterioIOError as error:
                    raise RasterError(
                        f"{self.name}: cannot be opened as a raster: {error}"
                    ) from error
            self._local.dataset = dataset
            with self._lock:
                self._opened.append(dataset)
        return dataset

    def _describe(self, dataset: Any, number: int) -> Band:  # noqa: ANN401
        from rasterio.enums import MaskFlags

        dtype = np.dtype(dataset.dtypes[number - 1])
        if dtype.kind not in "iuf":
            raise RasterError(f"{self.name}: band {number} holds {dtype}, not real numbers")
        flags = dataset.mask_flag_enums[number - 1]
        return Band(
            number=number,
            dtype=dtype,
            nodata=dataset.nodatavals[number - 1],
            nodata_is_exact=_is_exact(dataset.nodatavals[number - 1], dtype),
            scale=float(dataset.scales[number - 1]),
            offset=float(dataset.offsets[number - 1]),
            has_mask=MaskFlags.per_dataset in flags or self._alpha not in (None, number),
            description=dataset.descriptions[number - 1] or "",
        )

    def grid(self, body: Body, raster_crs: object = None) -> Grid:
        """Where the pixels lie on `body`.

        Parameters
        ----------
        body : Body
            The body that the raster must be of.
        raster_crs : optional
            Overrides the file's CRS; anything that `CoordinateSystem.from_user_input` takes.

        Raises
        ------
        CRSError
            If there is no CRS, or it is of another body.
        """
        from affine import Affine

        from craterkit.coordinates import CoordinateSystem

        if self.transform == Affine.identity():
            raise CRSError(
                f"{self.name}: has no georeferencing (no affine transform); "
                "write one into the file, for example with rasterio or gdal_edit"
            )
        value = self.crs if raster_crs is None else raster_crs
        if value is None or value == "":
            raise CRSError(
                f"{self.name}: has no CRS; say what its coordinates are with raster_crs=, for "
                'example raster_crs="planetocentric"'
            )
        system = CoordinateSystem.from_user_input(
            value,
            body,
            what=self.name if raster_crs is None else "raster_crs",
            argument="raster_crs",
        )
        return make_grid(self.shape, self.transform, system, self.name)

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
        for band in self.bands:
            if wanted == (band.description if isinstance(wanted, str) else band.number):
                return band
        names = ", ".join(
            f"{b.number} ({b.description})" if b.description else str(b.number) for b in self.bands
        )
        raise ArgumentError(f"{self.name}: has no band {wanted!r}; its bands are {names}")

    def read(
        self, band: Band, window: Window, out: NDArray[Any], mask: NDArray[np.uint8] | None
    ) -> None:
        """Read a window of raw numbers into `out`, and of the file's mask into `mask`."""
        from rasterio.windows import Window as RasterioWindow

        area = RasterioWindow.from_slices(
            (window.row_start, window.row_stop), (window.col_start, window.col_stop)
        )
        with self._reading(band, window) as dataset:
            out[...] = dataset.read(band.number, window=area)
            if mask is not None:
                # Beside a nodata value, GDAL's own mask leaves an alpha band out.
                if self._alpha is None:
                    mask[...] = dataset.read_masks(band.number, window=area)
                else:
                    mask[...] = dataset.read(self._alpha, window=area) != 0

    @contextmanager
    def _reading(self, band: Band, window: Window) -> Iterator[Any]:
        from rasterio.errors import RasterioError

        try:
            if self._given is None:
                yield self._dataset()
            else:
                with self._lock:
                    yield self._given
        except (RasterioError, OSError) as error:
            reason = error.__cause__ or error
            raise RasterError(
                f"{self.name}: band {band.number} cannot be read in {window}: {reason}"
            ) from error


def _alpha_band(dataset: Any) -> int | None:  # noqa: ANN401
    from rasterio.enums import ColorInterp

    for number, meaning in zip(dataset.indexes, dataset.colorinterp, strict=True):
        if meaning == ColorInterp.alpha:
            return int(number)
    return None


def _is_exact(nodata: float | None, dtype: np.dtype[Any]) -> bool:
    if nodata is None or dtype.kind == "f" or dtype.itemsize < 8:
        return True
    return abs(nodata) < 2.0**53 or nodata == float(np.iinfo(np.int64).min)


def _subdatasets(dataset: Any) -> str:  # noqa: ANN401
    names = list(dataset.subdatasets)
    return f"; open one of its subdatasets instead: {', '.join(names)}" if names else ""
