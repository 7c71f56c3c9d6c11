"""Rasters that GDAL reads, through rasterio: GeoTIFF, ISIS cubes, PDS, VICAR, netCDF, Zarr, VRT, ..."""

from __future__ import annotations

import os
import threading
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import numpy as np

from craterkit.addresses import cause, without_secrets
from craterkit.errors import CRSError, RasterError
from craterkit.extraction.raster_files import is_remote, names_of_files
from craterkit.rasters.band_names import netcdf_band_names
from craterkit.rasters.base import Band, Raster, Window, pixel_dtype
from craterkit.rasters.cf_packing import with_netcdf_tags
from craterkit.rasters.file_states import FileStates, RasterChangedError
from craterkit.rasters.gdal_reports import header_reports, placed_or_not, table_reports
from craterkit.rasters.gdal_settings import one_thread_for_mosaics
from craterkit.rasters.label_facts import find_facts, label_beside
from craterkit.rasters.label_places import corrected_transform, stretched
from craterkit.rasters.vrt_sources import vrt_sources

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from affine import Affine
    from numpy.typing import NDArray

    from craterkit.bodies import Body
    from craterkit.coordinates import CoordinateSystem
    from craterkit.grids.base import Grid

__all__ = ["GdalRaster", "is_dataset"]

WARPING = (
    "`gdalwarp -t_srs <crs> {name} map.tif`, or pass rasterio.vrt.WarpedVRT(dataset, crs=...); or say "
    "with transform= and raster_crs= where its pixels lie"
)


@dataclass
class _Handle:
    """An open dataset that is the caller's, which may be given as several rasters.

    Attributes
    ----------
    lock : threading.Lock
        Only one thread at a time may read from it.
    failed : str
        How a read has failed, after which GDAL may give zeros; empty if none has.
    """

    lock: threading.Lock = field(default_factory=threading.Lock)
    failed: str = ""


_GIVEN: WeakKeyDictionary[Any, _Handle] = WeakKeyDictionary()


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

    _transform: Affine

    def __init__(self, source: Any) -> None:  # noqa: ANN401
        from rasterio._err import CPLE_BaseError

        self._local = threading.local()
        self._lock = threading.Lock()
        self._opened: list[Any] = []
        self._is_placed = False
        self._given = source if is_dataset(source) else None
        self._handle = _GIVEN.setdefault(source, _Handle()) if is_dataset(source) else _Handle()
        self._path = os.fspath(source) if self._given is None else str(source.name)
        self.name = without_secrets(self._path)
        if self._given is not None and source.closed:
            raise RasterError(f"{self.name}: the dataset is closed")
        self._states = FileStates([self._path] if self._given is None else [])
        dataset = self.dataset()
        self.resampling = str(getattr(dataset, "resampling", ""))
        self.files = [self._path] if is_remote(self._path) else names_of_files(dataset)
        # What is written through a dataset changes its file.
        self._states = FileStates(self.files if dataset.mode == "r" else [])
        try:
            with header_reports() as reports:
                self._read_header(dataset)
        except CPLE_BaseError as error:
            reports = [error.errmsg]
        if reports:
            self.close()
            raise RasterError(f"{self.name}: is damaged: {'; '.join(dict.fromkeys(reports))}")
        self._sources = vrt_sources(dataset)
        self._source_edges = (None, None) if self._sources is None else self._sources.block_edges()
        self._facts = find_facts(dataset, self._sources)
        if self._facts.label is not None and not self._facts.source:
            self._transform = stretched(self._facts.label, self._transform)
        self._is_placed = self.transform is not None
        self._stored: dict[int, np.dtype[Any]] = {}
        self._masked: set[int] = set()
        names = _descriptions(dataset)
        self.bands = [
            self._describe(dataset, number, name)
            for number, name in zip(dataset.indexes, names, strict=True)
        ]

    def _read_header(self, dataset: Any) -> None:  # noqa: ANN401
        if dataset.count == 0:
            raise RasterError(f"{self.name}: holds no bands{_subdatasets(dataset)}")
        self.shape = (int(dataset.height), int(dataset.width))
        self.crs = dataset.crs
        self.block_shape = tuple(dataset.block_shapes[0])
        self.driver = dataset.driver
        self._mask_flags = dataset.mask_flag_enums
        self._transform = dataset.transform
        self._located_by = _located_by(dataset) if self.transform is None else ""
        self._alpha = _alpha_band(dataset)
        self._interleaved = dataset.tags(ns="IMAGE_STRUCTURE").get("INTERLEAVE") == "PIXEL"

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
        if self._given is not None and not self._handle.failed:
            return self._given
        dataset = getattr(self._local, "dataset", None)
        if dataset is None:
            dataset = self._open()
            self.check_unchanged()
            self._local.dataset = dataset
            with self._lock:
                self._opened.append(dataset)
        return dataset

    def _open(self) -> Any:  # noqa: ANN401
        import rasterio
        from rasterio._err import CPLE_BaseError
        from rasterio.errors import RasterioError

        if self._given is not None and not _can_reopen(self._given):
            raise RasterError(
                f"{self.name}: {self._handle.failed}; GDAL may give zeros from this dataset from now on, "
                "so open it anew, or pass its name"
            )
        with nullcontext() if self._is_placed else placed_or_not():
            try:
                return rasterio.open(self._path)
            except (RasterioError, CPLE_BaseError, UnicodeDecodeError) as error:
                why = str(error).replace(self._path, self.name)
                raise RasterError(
                    f"{self.name}: cannot be opened as a raster: {why}{_own_label(self._path)}"
                ) from cause(error)

    def _forsake(self, why: str) -> None:
        """Never read again from the handle of this thread, on which a read has failed."""
        if self._given is not None and not self._handle.failed:
            self._handle.failed = why
        dataset = getattr(self._local, "dataset", None)
        if dataset is not None:
            self._local.dataset = None
            with self._lock:
                self._opened.remove(dataset)
            dataset.close()

    def _describe(self, dataset: Any, number: int, description: str) -> Band:  # noqa: ANN401
        from rasterio.enums import MaskFlags

        index = number - 1
        dtype = pixel_dtype(np.dtype(dataset.dtypes[index]), f"{self.name}: band {number}")
        flags = self._mask_flags[index]
        nodata = dataset.nodatavals[index]
        band = Band(
            number=number,
            dtype=dtype,
            nodata=() if nodata is None else (nodata,),
            nodata_is_exact=_is_exact(nodata, dtype),
            scale=float(dataset.scales[index]),
            offset=float(dataset.offsets[index]),
            has_mask=False,
            description=description,
        )
        band = self._facts.read_as_labelled(band, self.driver, self.name)
        band = with_netcdf_tags(band, dataset.tags(number), self.name)
        self._stored[number] = dtype
        # A mask of the driver's own, such as the special constants of PDS4, has no flag; that of ISIS cubes
        # says less than the range of their valid numbers.
        if (MaskFlags.per_dataset in flags and MaskFlags.alpha not in flags) or (
            not flags and self.driver != "ISIS3"
        ):
            self._masked.add(number)
        has_alpha = self._alpha not in (None, number)
        return replace(band, has_mask=number in self._masked or has_alpha)

    def _why_unplaced(self) -> CRSError:
        if self._facts.label is not None and not self._facts.label.has_map:
            return CRSError(
                f"{self.name}: its label describes no map projection, as of an image before it is "
                "projected; project it first, with ISIS by cam2map"
            )
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
        if self._facts.source and None in (raster_crs, transform):
            self._check_source(body, raster_crs, transform)
        return super().grid(body, raster_crs, transform)

    def _as_labelled(self, system: CoordinateSystem) -> CoordinateSystem:
        try:
            return self._facts.system(system)
        except CRSError as error:
            raise CRSError(f"{self.name}: {error}") from error

    def _as_bounded(self, transform: Affine, system: CoordinateSystem) -> Affine:
        label = self._facts.label
        if label is None or self._facts.source:
            return transform
        try:
            return corrected_transform(label, self.shape, transform, system)
        except CRSError as error:
            raise CRSError(f"{self.name}: {error}") from error

    def _check_source(self, body: Body, raster_crs: object, transform: object) -> None:
        """Raise if a copy lies where GDAL wrongly puts the raster that it was made of."""
        with GdalRaster(self._facts.source) as source:
            grid = source.grid(body)
            moved = transform is None and grid.transform != source.dataset().transform
            other = raster_crs is None and source.crs != self.crs
            turned = other and source._system(body) != grid.system
        if moved or turned:
            raise CRSError(
                f"{self.name}: is made of {source.name}, whose label puts its pixels elsewhere than GDAL "
                "did when it was made; use that file itself, or pass transform= and raster_crs="
            )

    def read(
        self, band: Band, window: Window, out: NDArray[Any], mask: NDArray[np.uint8] | None
    ) -> None:
        """Read a window of raw numbers into `out`, and of the file's mask into `mask`."""
        area = _area(window)
        with self._reading(band, window) as dataset:
            # Views, since rasterio changes the shape of what it gets, for good if it fails.
            dataset.read(band.number, window=area, out=out.view(self._stored[band.number]))
            if mask is None:
                return
            # What hides a pixel: the mask of the file, and beside it an alpha band, which GDAL leaves out.
            mask[...] = 255
            if band.number in self._masked:
                dataset.read_masks(band.number, window=area, out=mask.view())
            if self._alpha not in (None, band.number):
                mask[dataset.read(self._alpha, window=area, out_shape=mask.shape) == 0] = 0

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
        for band, raw, values in zip(bands, out, found, strict=True):
            raw.view(self._stored[band.number])[...] = values

    @contextmanager
    def _reading(self, band: Band, window: Window) -> Iterator[Any]:
        from rasterio._err import CPLE_BaseError
        from rasterio.errors import RasterioError, RasterioIOError

        try:
            dataset = self.dataset()
            own = self._handle.lock if dataset is self._given else nullcontext()
            with own, one_thread_for_mosaics(), table_reports() as reports:
                if self._sources is not None:
                    self._sources.check(window)
                yield dataset
            if reports:
                raise RasterioIOError("; ".join(dict.fromkeys(reports)))
        except RasterChangedError:
            raise
        except (RasterioError, CPLE_BaseError, OSError) as error:
            self.check_unchanged()
            reason = str(error.__cause__ or error).removeprefix(f"{self._path}: ")
            reason = reason.replace(self._path, self.name)
            self._forsake(reason)
            raise RasterError(
                f"{self.name}: band {band.number} cannot be read in {window}: {reason}"
            ) from cause(error)


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


def _can_reopen(dataset: Any) -> bool:  # noqa: ANN401
    """Whether the name of a caller's dataset opens the same again."""
    plain = type(dataset).__name__ == "DatasetReader" and dataset.mode == "r"
    return plain and not getattr(dataset, "options", None)


def _own_label(name: str) -> str:
    """Where to find what describes an image that cannot be opened by itself."""
    beside = label_beside(name)
    return "" if beside is None else f"; its label {beside} says what it holds, open that"


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
