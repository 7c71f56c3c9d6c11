"""Labelled arrays (`xarray.DataArray`) as rasters.

What an array says of itself is taken from its coordinates, attributes and encoding alone, so it does not
matter whether rioxarray is imported: that keeps everything there, too. xarray itself is never imported.

Pixels that are in files or in Dask's graphs stay there until their window is read. The threads need no
lock: xarray's own backends lock their files, and Dask's graphs never change.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from craterkit.errors import ArgumentError, CRSError, RasterError
from craterkit.rasters.arrays import MEMORY_BLOCK
from craterkit.rasters.axes import complete_steps, mesh_transform, regular_axis
from craterkit.rasters.band_names import axis_labels, entries_of_bands
from craterkit.rasters.base import Band, Raster, Window, pixel_dtype
from craterkit.rasters.cf_packing import MISSING, numbers
from craterkit.rasters.file_states import FileStates
from craterkit.rasters.labelled_packing import (
    OFFSETS,
    SCALES,
    comes_from_a_file,
    missing_in_source,
    packing_of,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from affine import Affine
    from numpy.typing import NDArray

    from craterkit.rasters.labelled_packing import Packing

__all__ = ["MESH_NAMES", "LabelledRaster"]

X_NAMES = ("x", "lon", "longitude")
Y_NAMES = ("y", "lat", "latitude")

#: Coordinates of each pixel's centre that rioxarray gives a rotated raster.
MESH_NAMES = ("xc", "yc")


class LabelledRaster(Raster):
    """An `xarray.DataArray` as a raster.

    Parameters
    ----------
    array : xarray.DataArray
        Pixels with dimensions y (or lat, latitude) and x (or lon, longitude), in any order, and at most
        one more, which makes bands. Its coordinates are the pixels' centres. Attributes by which CF packs
        numbers hold as `packing_of` says; lists by band follow the coordinate band, from 1 on.
    label : str
        What error messages call it if it has no name.

    Attributes
    ----------
    array : xarray.DataArray
        The array, without further dimensions of size 1.
    band_dimension : hashable or None
        The dimension that makes bands.

    Raises
    ------
    ArgumentError
        If it has other dimensions.
    RasterError
        If it is empty, holds no real numbers, or it cannot be known whether attributes that matter are
        about its numbers.
    """

    def __init__(self, array: Any, label: str) -> None:  # noqa: ANN401
        self.name = label if array.name is None else str(array.name)
        self._x, self._y = _dimension(array, "X", X_NAMES), _dimension(array, "Y", Y_NAMES)
        if self._x is None or self._y is None:
            raise ArgumentError(
                f"{self.name}: its dimensions {_listed(array.dims)} do not say which is x and which y; "
                'rename them to "y" and "x" (or "lat" and "lon")'
            )
        self.crs = _crs(array)
        further = [name for name in array.dims if name not in (self._x, self._y)]
        if len(further) > 1:
            single = [name for name in further if array.sizes[name] == 1]
            array = array.isel(dict.fromkeys(single, 0))
            further = [name for name in further if name not in single]
        if len(further) > 1:
            raise ArgumentError(
                f"{self.name}: besides {self._y} and {self._x} it has the dimensions "
                f"{_listed(further)}, but only one may make bands; select from the others, as in "
                f"array.isel({further[0]}=0)"
            )
        if not array.size:
            raise RasterError(f"{self.name}: holds no pixels; its shape is {array.shape}")
        self.band_dimension = further[0] if further else None
        self.array = array
        pixel_dtype(array.dtype, self.name)
        self.shape = (int(array.sizes[self._y]), int(array.sizes[self._x]))
        self.block_shape = _block(array, self._y), _block(array, self._x)
        self.bands = self._describe(packing_of(array, self.name))
        self._states = FileStates(_files(array))

    def check_unchanged(self) -> None:
        """Raise if the file that it is loaded from bit by bit has changed; see `Raster.check_unchanged`."""
        self._states.check(self.name)

    def _describe(self, packing: Packing) -> list[Band]:
        count = 1 if self.band_dimension is None else int(self.array.sizes[self.band_dimension])
        dtype = pixel_dtype(packing.dtype, self.name)
        scales, offsets, past_scales, past_offsets = (
            self._of_bands(attrs, keys, count)
            for attrs in (packing.attrs, packing.applied)
            for keys in (SCALES, OFFSETS)
        )
        declared = packing.nodata + self._told_nodata() + missing_in_source(self.array)
        nodata = tuple(dict.fromkeys(declared))
        names = self._band_names(count)
        return [
            Band(
                number=i + 1,
                dtype=dtype,
                nodata=nodata,
                nodata_is_exact=True,
                scale=scales[i],
                offset=offsets[i],
                has_mask=False,
                description=names[i],
                valid_range=packing.valid_range(
                    (scales[i], offsets[i]), (past_scales[i], past_offsets[i]), self.name
                ),
            )
            for i in range(count)
        ]

    def _of_bands(self, attrs: Mapping[str, Any], keys: Sequence[str], count: int) -> list[float]:
        """Scale or offset of each band: of all, or (as rioxarray has it) of each where they differ."""
        found = next((key for key in keys if key in attrs), None)
        if found is None:
            return [1.0 if keys is SCALES else 0.0] * count
        values = numbers(attrs, found, self.name)
        if len(values) == 1:
            return [float(values[0])] * count
        picked = self.entries(values, count)
        if picked is None:
            raise RasterError(
                f"{self.name}: its attribute {found} has {len(values)} entries for {count} bands, and no "
                "coordinate band that tells by different numbers from 1 on which bands of the file these "
                "are; give it one entry for each band"
            )
        return [float(value) for value in picked]

    def entries(self, values: Sequence[Any], count: int) -> list[Any] | None:
        """Entries for its bands out of a list by band; None if it cannot be told which."""
        coordinate = self.array.coords.get("band")
        if coordinate is not None and coordinate.dims not in ((), (self.band_dimension,)):
            coordinate = None
        return entries_of_bands(values, None if coordinate is None else coordinate.values, count)

    def _band_names(self, count: int) -> list[str]:
        """Labels of bands: descriptions by band, or the coordinate along them, unless it only counts."""
        array, dimension = self.array, self.band_dimension
        labels = None
        if dimension is not None and dimension in array.coords:
            values = np.asarray(array.coords[dimension].values)
            if values.dtype.kind not in "iu" or (values != np.arange(1, count + 1)).any():
                labels = axis_labels(values)
        described = array.attrs.get("long_name")
        if isinstance(described, list | tuple) and (labels is None or dimension == "band"):
            names = self.entries(described, count)
            if names is not None:
                return [str(name or "") for name in names]
        return labels or [""] * count

    def _told_nodata(self) -> tuple[float, ...]:
        """What rioxarray alone was told stands for no data."""
        if any(key in self.array.attrs for key in MISSING) or self.array.dtype.kind == "b":
            return ()
        told = _told(self.array, "nodata")
        return () if told is None else tuple(np.atleast_1d(told).tolist())

    @property
    def transform(self) -> Affine | None:
        """Affine transform from its coordinates; without any, from the attribute GeoTransform.

        That attribute stays what it was when a part of the array is selected, coordinates do not.
        """
        from affine import Affine

        x, y = self._centres(self._x, X_NAMES), self._centres(self._y, Y_NAMES)
        if x is None or y is None:
            mesh = [self.array.coords.get(name) for name in MESH_NAMES]
            if all(axis is not None and {*axis.dims} == {self._y, self._x} for axis in mesh):
                across, down = (axis.transpose(self._y, self._x).values for axis in mesh)
                return mesh_transform(across, down, self._written_transform(), self.name)
            return self._transform_of_whole()
        right, left = self._axis(self._x, x)
        down, top = self._axis(self._y, y)
        (a, d), (b, e) = complete_steps(
            None if right is None else (right, 0.0),
            None if down is None else (0.0, down),
            (float(x[0]), float(y[0])),
            self._written_transform(),
            self.name,
            (str(self._x), str(self._y)),
        )
        return Affine(
            a, b, left if right else left - (a + b) / 2, d, e, top if down else top - (d + e) / 2
        )

    def _axis(self, name: Any, centres: NDArray[Any]) -> tuple[float | None, float]:  # noqa: ANN401
        """Step along an axis and its outer edge; of a single pixel, no step and its centre."""
        if centres.size == 1:
            return None, float(centres[0])
        edge, step = regular_axis(centres, f"{self.name}: coordinate {name}")
        return step, edge

    def _transform_of_whole(self) -> Affine | None:
        """The attribute GeoTransform, if the array is known to be the whole that it was written for."""
        from craterkit.rasters.gdal import GdalRaster

        written = self._written_transform()
        source = self.array.encoding.get("source")
        if written is None or (source is None and not comes_from_a_file(self.array)):
            return written
        reason = "its source is not known"
        if source is not None:
            try:
                with GdalRaster(str(source)) as file:
                    if file.shape == self.shape and file.transform == written:
                        return written
                    reason = f"{source} has {file.shape[0]} rows and {file.shape[1]} columns"
            except RasterError as error:
                reason = str(error)
        raise CRSError(
            f"{self.name}: has no coordinates along {self._y} and {self._x}, and may be a part of what its "
            f"attribute GeoTransform is about ({reason}, the array {self.shape[0]} and {self.shape[1]}); "
            "open it with coordinates (parse_coordinates=True), or pass transform="
        )

    def _written_transform(self) -> Affine | None:
        """The transform that GDAL and rioxarray write as an attribute."""
        from affine import Affine

        written = _grid_mapping(self.array).get("GeoTransform")
        if written is None:
            return None
        try:
            numbers = [float(number) for number in str(written).split()]
            return Affine.from_gdal(*numbers)
        except (TypeError, ValueError) as error:
            raise CRSError(
                f"{self.name}: its attribute GeoTransform {written!r} is not six numbers; pass transform="
            ) from error

    def _centres(self, dimension: Any, names: Sequence[str]) -> NDArray[Any] | None:  # noqa: ANN401
        """Coordinates of centres along a dimension, under its own name or another; None if it has none."""
        coordinates = self.array.coords
        along = [
            name
            for name in coordinates
            if coordinates[name].dims == (dimension,) and str(name).lower() in names
        ]
        if dimension not in coordinates and not along:
            return None
        name = dimension if dimension in coordinates else along[0]
        centres = np.asarray(coordinates[name].values)
        if centres.dtype.kind not in "iuf":
            raise CRSError(f"{self.name}: coordinate {name} holds {centres.dtype}, not numbers")
        return centres

    def _why_unplaced(self) -> CRSError:
        return CRSError(
            f"{self.name}: has no coordinates along {self._y} and {self._x} (one number for each row and "
            "column: its centre); assign them, or pass transform="
        )

    def read(
        self, band: Band, window: Window, out: NDArray[Any], mask: NDArray[np.uint8] | None
    ) -> None:
        """Read a window of raw numbers into `out`."""
        self.read_bands([band], window, [out], [mask])

    def read_bands(
        self,
        bands: Sequence[Band],
        window: Window,
        out: Sequence[NDArray[Any]],
        masks: Sequence[NDArray[np.uint8] | None],
    ) -> None:
        """Read a window of several bands at once: a chunk that holds them all is computed once."""
        where: dict[Any, Any] = {
            self._y: slice(window.row_start, window.row_stop),
            self._x: slice(window.col_start, window.col_stop),
        }
        order = [self._y, self._x]
        if self.band_dimension is not None:
            where[self.band_dimension] = _as_slice([band.number - 1 for band in bands])
            order.insert(0, self.band_dimension)
        part = self.array.variable.isel(where)
        try:
            values = np.asarray(part.values)
        except Exception as error:
            numbers = ", ".join(str(band.number) for band in bands)
            raise RasterError(
                f"{self.name}: band {numbers} cannot be read in {window}: "
                f"{type(error).__name__}: {error}"
            ) from error
        planes = values.transpose([part.dims.index(name) for name in order])
        planes = planes.reshape(-1, *window.shape)
        for plane, raw in zip(planes, out, strict=True):
            raw[...] = plane


def _files(array: Any) -> list[str]:  # noqa: ANN401
    """The file that pixels are still in."""
    source = array.encoding.get("source")
    return [] if source is None or array.variable._in_memory else [str(source)]


def _listed(names: Sequence[Any]) -> str:
    return ", ".join(map(str, names))


def _dimension(array: Any, axis: str, names: Sequence[str]) -> Any:  # noqa: ANN401
    """The dimension along an axis, by its name or by what its coordinate says of itself."""
    for name in array.dims:
        if str(name).lower() in names:
            return name
    for name in array.dims:
        attrs = array.coords[name].attrs if name in array.coords else {}
        if attrs.get("axis") == axis:
            return name
    return _told(array, f"{axis.lower()}_dim")


def _told(array: Any, what: str) -> Any:  # noqa: ANN401
    """What rioxarray alone was told of an array, without its being written in there; None if nothing."""
    accessor = getattr(array, "rio", None)
    if accessor is None:
        return None
    from rioxarray.exceptions import RioXarrayError

    try:
        return getattr(accessor, what)
    except RioXarrayError:
        return None


def _block(array: Any, dimension: Any) -> int:  # noqa: ANN401
    """Pixels along a dimension that are best read together."""
    if array.chunks is not None:
        return int(max(array.chunksizes[dimension]))
    preferred = array.encoding.get("preferred_chunks", {}).get(dimension)
    return int(preferred or MEMORY_BLOCK[0])


def _grid_mapping(array: Any) -> dict[str, Any]:  # noqa: ANN401
    """Attributes of the coordinate that says where the pixels lie."""
    named = array.encoding.get("grid_mapping") or array.attrs.get("grid_mapping")
    if named in array.coords:
        return dict(array.coords[named].attrs)
    for name, coordinate in array.coords.items():
        attrs = coordinate.attrs
        if not coordinate.ndim and (
            name == "spatial_ref" or {"crs_wkt", "spatial_ref"} & set(attrs)
        ):
            return dict(attrs)
    return {}


def _crs(array: Any) -> Any:  # noqa: ANN401
    """The CRS that the array names; None if it names none, or none that can be understood."""
    attrs = _grid_mapping(array)
    for key in ("crs_wkt", "spatial_ref"):
        if attrs.get(key):
            return attrs[key]
    if "grid_mapping_name" in attrs:
        import pyproj

        try:
            return pyproj.CRS.from_cf(attrs)
        except (pyproj.exceptions.CRSError, KeyError, ValueError):
            return None
    return array.attrs.get("crs") or _told(array, "crs")


def _as_slice(places: list[int]) -> slice | list[int]:
    """Consecutive places as a slice, which is the faster index."""
    first, end = places[0], places[0] + len(places)
    return slice(first, end) if places == list(range(first, end)) else places
