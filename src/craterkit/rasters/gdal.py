"""Rasters that GDAL reads, through rasterio: GeoTIFF, ISIS cubes, PDS, VICAR, netCDF, Zarr, VRT, ..."""

from __future__ import annotations

import os
import threading
import warnings
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import numpy as np

from craterkit.errors import CRSError, RasterError
from craterkit.extraction.raster_files import is_remote, names_of_files
from craterkit.rasters.band_names import netcdf_band_names
from craterkit.rasters.base import Band, Raster, Window, pixel_dtype
from craterkit.rasters.file_states import FileStates, RasterChangedError
from craterkit.rasters.planetary_labels import mirrored_meridian, special_values, valid_range
from craterkit.rasters.vrt_blocks import vrt_block_edges

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from affine import Affine
    from numpy.typing import NDArray

    from craterkit.bodies import Body
    from craterkit.grids.base import Grid

__all__ = ["GdalRaster", "is_dataset"]

WARPING = (
    "`gdalwarp -t_srs <crs> {name} map.tif`, or pass rasterio.vrt.WarpedVRT(dataset, crs=...); or say "
    "with transform= and raster_crs= where its pixels lie"
)


#: One lock for each open dataset, which may be given as several rasters.
_LOCKS: WeakKeyDictionary[Any, threading.Lock] = WeakKeyDictionary()


#: Filters of warnings are the whole process's, and restored wrongly if two threads change them at a time.
_FILTERING = threading.Lock()


@contextmanager
def _silence() -> Iterator[None]:
    """Without rasterio's warning of rasters without a place: they are refused, with advice."""
    from rasterio.errors import NotGeoreferencedWarning

    with _FILTERING, warnings.catch_warnings():
        warnings.simplefilter("ignore", NotGeoreferencedWarning)
        yield


def _lock_of(dataset: Any) -> threading.Lock:  # noqa: ANN401
    return _LOCKS.setdefault(dataset, threading.Lock())


class GdalRaster(Raster):
    """A raster that rasterio opens.

    One that is given by name is opened once in each thread; an open dataset is the caller's, is read
    by one thread at a time, and is left open.

    Parameters
    ----------
    source : str, os.PathLike or rasterio dataset
        A path, anything that GDAL opens, or an open dataset.

    Attributes
    ----------
    files : list of str
        What GDAL reads it from, see `names_of_files`; of one on a server only its name.
    driver : str
        What GDAL calls its format.
    resampling : str
        How a dataset that is warped while it is read is resampled; empty for others.

    Raises
    ------
    RasterError
        If it cannot be opened, holds no bands, or no real numbers.
    """

    def __init__(self, source: Any) -> None:  # noqa: ANN401
        self._local = threading.local()
        self._lock = _lock_of(source) if is_dataset(source) else threading.Lock()
        self._opened: list[Any] = []
        self._is_placed = False
        self._given = source if is_dataset(source) else None
        self.name = os.fspath(source) if self._given is None else str(source.name)
        if self._given is not None and source.closed:
            raise RasterError(f"{self.name}: the dataset is closed")
        self._states = FileStates([self.name] if self._given is None else [])
        dataset = self.dataset()
        self.driver = str(dataset.driver)
        self.resampling = str(getattr(dataset, "resampling", ""))
        self.files = [self.name] if is_remote(self.name) else names_of_files(dataset)
        # What is written through a dataset changes its file.
        self._states = FileStates(self.files if dataset.mode == "r" else [])
        if dataset.count == 0:
            raise RasterError(f"{self.name}: holds no bands{_subdatasets(dataset)}")
        self.shape = (int(dataset.height), int(dataset.width))
        self.crs = dataset.crs
        self.block_shape = tuple(dataset.block_shapes[0])
        self._source_edges = vrt_block_edges(dataset)
        self._transform: Affine = dataset.transform
        self._is_placed = self.transform is not None
        self._located_by = _located_by(dataset) if self.transform is None else ""
        self._mirrored = mirrored_meridian(dataset)
        self._alpha = _alpha_band(dataset)
        self._interleaved = dataset.tags(ns="IMAGE_STRUCTURE").get("INTERLEAVE") == "PIXEL"
        names = _descriptions(dataset)
        self.bands = [
            self._describe(dataset, number, name)
            for number, name in zip(dataset.indexes, names, strict=True)
        ]

    @property
    def transform(self) -> Affine | None:
        """Its own affine transform; None if it has none."""
        from affine import Affine

        return None if self._transform == Affine.identity() else self._transform

    @property
    def bands_share_blocks(self) -> bool:
        """Whether the bands of a pixel lie side by side in the file."""
        return self._interleaved

    def block_edges(self) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Rows and columns at which blocks begin; of a VRT, the blocks of its sources."""
        rows, columns = super().block_edges()
        source_rows, source_columns = self._source_edges
        return (
            rows if source_rows is None else source_rows,
            columns if source_columns is None else source_columns,
        )

    def close(self) -> None:
        """Close what was opened here; reading opens it again."""
        with self._lock:
            while self._opened:
                self._opened.pop().close()
            self._local = threading.local()

    def forget(self) -> None:
        """Leave what was opened here to threads that may still read it; it is closed when they end."""
        with self._lock:
            self._opened.clear()
            self._local = threading.local()

    def check_unchanged(self) -> None:
        """Raise if a file is another one than when it was opened first; see `Raster.check_unchanged`."""
        self._states.check(self.name)

    def dataset(self) -> Any:  # noqa: ANN401
        """The dataset to read from in this thread."""
        if self._given is not None:
            return self._given
        dataset = getattr(self._local, "dataset", None)
        if dataset is None:
            import rasterio
            from rasterio.errors import RasterioIOError

            with nullcontext() if self._is_placed else _silence():
                try:
                    dataset = rasterio.open(self.name)
                except RasterioIOError as error:
                    raise RasterError(
                        f"{self.name}: cannot be opened as a raster: {error}"
                    ) from error
            self.check_unchanged()
            self._local.dataset = dataset
            with self._lock:
                self._opened.append(dataset)
        return dataset

    def _describe(self, dataset: Any, number: int, description: str) -> Band:  # noqa: ANN401
        from rasterio.enums import MaskFlags

        index = number - 1
        dtype = pixel_dtype(np.dtype(dataset.dtypes[index]), f"{self.name}: band {number}")
        flags = dataset.mask_flag_enums[index]
        within = valid_range(dataset, dtype)
        # A mask of the driver's own, such as the special constants of PDS4, has no flag.
        own_mask = not flags and within is None
        return Band(
            number=number,
            dtype=dtype,
            nodata=_declared(dataset.nodatavals[index]),
            nodata_is_exact=_is_exact(dataset.nodatavals[index], dtype),
            scale=float(dataset.scales[index]),
            offset=float(dataset.offsets[index]),
            has_mask=MaskFlags.per_dataset in flags
            or own_mask
            or self._alpha not in (None, number),
            description=description,
            valid_range=within,
            special=special_values(dataset, dtype),
        )

    def _why_unplaced(self) -> CRSError:
        if self._located_by:
            return CRSError(
                f"{self.name}: is located by {self._located_by} alone, not georeferenced by an affine "
                f"transform; warp it first: {WARPING.format(name=self.name)}"
            )
        return CRSError(
            f"{self.name}: has no georeferencing (no affine transform); say where its pixels lie with "
            "transform= (and raster_crs=), or write it into the file: `gdal_edit -a_ullr <west> "
            f"<north> <east> <south> -a_srs <crs> {self.name}`"
        )

    def grid(self, body: Body, raster_crs: object = None, transform: object = None) -> Grid:
        """Where the pixels lie on `body`; see `Raster.grid`."""
        if self._mirrored is not None and raster_crs is None:
            raise CRSError(
                f"{self.name}: its label counts longitudes westward, but its CRS has the central "
                f"meridian of the label, {self._mirrored:g}, as an east longitude: "
                f"{self.crs.to_proj4()!r}; pass the right one as raster_crs="
            )
        return super().grid(body, raster_crs, transform)

    def read(
        self, band: Band, window: Window, out: NDArray[Any], mask: NDArray[np.uint8] | None
    ) -> None:
        """Read a window of raw numbers into `out`, and of the file's mask into `mask`."""
        area = _area(window)
        with self._reading(band, window) as dataset:
            # Views, since rasterio changes the shape of what it gets, for good if it fails.
            dataset.read(band.number, window=area, out=out.view())
            if mask is not None:
                # Beside a nodata value, GDAL's own mask leaves an alpha band out.
                if self._alpha is None:
                    dataset.read_masks(band.number, window=area, out=mask.view())
                else:
                    opacity = dataset.read(self._alpha, window=area, out_shape=mask.shape)
                    mask[...] = opacity != 0

    def read_bands(
        self,
        bands: Sequence[Band],
        window: Window,
        out: Sequence[NDArray[Any]],
        masks: Sequence[NDArray[np.uint8] | None],
    ) -> None:
        """Read a window of several bands, each as `read` does; of bands that share blocks, at once."""
        together = self._interleaved and len({band.dtype for band in bands}) == 1
        if len(bands) == 1 or not together or any(mask is not None for mask in masks):
            super().read_bands(bands, window, out, masks)
            return
        with self._reading(bands[0], window) as dataset:
            found = dataset.read([band.number for band in bands], window=_area(window))
        for raw, values in zip(out, found, strict=True):
            raw[...] = values

    @contextmanager
    def _reading(self, band: Band, window: Window) -> Iterator[Any]:
        from rasterio.errors import RasterioError

        try:
            if self._given is None:
                yield self.dataset()
            else:
                with self._lock:
                    yield self._given
        except RasterChangedError:
            raise
        except (RasterioError, OSError) as error:
            self.check_unchanged()
            reason = error.__cause__ or error
            raise RasterError(
                f"{self.name}: band {band.number} cannot be read in {window}: {reason}"
            ) from error


def _area(window: Window) -> Any:  # noqa: ANN401
    from rasterio.windows import Window as RasterioWindow

    return RasterioWindow.from_slices(
        (window.row_start, window.row_stop), (window.col_start, window.col_stop)
    )


def is_dataset(value: object) -> bool:
    """Whether something is a dataset of rasterio, open or closed."""
    return hasattr(type(value), "block_shapes") and hasattr(type(value), "read_masks")


def _alpha_band(dataset: Any) -> int | None:  # noqa: ANN401
    from rasterio.enums import ColorInterp

    for number, meaning in zip(dataset.indexes, dataset.colorinterp, strict=True):
        if meaning == ColorInterp.alpha:
            return int(number)
    return None


def _declared(nodata: float | None) -> tuple[float, ...]:
    return () if nodata is None else (nodata,)


def _is_exact(nodata: float | None, dtype: np.dtype[Any]) -> bool:
    if nodata is None or dtype.kind == "f" or dtype.itemsize < 8:
        return True
    return abs(nodata) < 2.0**53 or nodata == float(np.iinfo(np.int64).min)


def _subdatasets(dataset: Any) -> str:  # noqa: ANN401
    names = list(dataset.subdatasets)
    return f"; open one of its subdatasets instead: {', '.join(names)}" if names else ""


def _located_by(dataset: Any) -> str:  # noqa: ANN401
    """What else than an affine transform says where the pixels lie."""
    points = len(dataset.gcps[0])
    if points:
        return f"{points} ground control points (GCPs)"
    if dataset.rpcs is not None:
        return "rational polynomials (RPCs)"
    return "geolocation arrays" if dataset.tags(ns="GEOLOCATION") else ""


def _descriptions(dataset: Any) -> list[str]:  # noqa: ANN401
    names = [description or "" for description in dataset.descriptions]
    if any(names) or dataset.driver != "netCDF":
        return names
    return netcdf_band_names(dataset.tags(), [dataset.tags(number) for number in dataset.indexes])
