"""Labelled arrays (`xarray.DataArray`) as rasters.

What an array says of itself is taken from its coordinates and attributes alone, so it does not matter
whether rioxarray is imported: that keeps everything there, too. xarray itself is never imported.

Pixels that are in files or in Dask's graphs stay there until their window is read. The threads need no
lock: xarray's own backends lock their files, and Dask's graphs never change.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from craterkit.errors import ArgumentError, CRSError, RasterError
from craterkit.rasters.arrays import MEMORY_BLOCK
from craterkit.rasters.axes import regular_axis
from craterkit.rasters.band_names import axis_labels
from craterkit.rasters.base import Band, Raster, Window, pixel_dtype
from craterkit.rasters.file_states import FileStates

if TYPE_CHECKING:
    from collections.abc import Sequence

    from affine import Affine
    from numpy.typing import NDArray

__all__ = ["LabelledRaster"]

X_NAMES = ("x", "lon", "longitude")
Y_NAMES = ("y", "lat", "latitude")

#: Attributes that say what stands for no data: of the CF conventions, and of older readers.
MISSING = ("_FillValue", "missing_value", "fill_value", "nodata")


class LabelledRaster(Raster):
    """An `xarray.DataArray` as a raster.

    Parameters
    ----------
    array : xarray.DataArray
        Pixels with dimensions y (or lat, latitude) and x (or lon, longitude), in any order, and at most
        one more, which makes bands. Its coordinates are the pixels' centres.
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
        If it is empty, or holds no real numbers.
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
        self._missing = _missing(array, self.name)
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
        self._dtype = pixel_dtype(array.dtype, self.name)
        self.shape = (int(array.sizes[self._y]), int(array.sizes[self._x]))
        self.block_shape = _block(array, self._y), _block(array, self._x)
        self.bands = self._describe()
        self._states = FileStates(_files(array))

    def check_unchanged(self) -> None:
        """Raise if the file that it is loaded from bit by bit has changed; see `Raster.check_unchanged`."""
        self._states.check(self.name)

    def _describe(self) -> list[Band]:
        array, dimension = self.array, self.band_dimension
        count = 1 if dimension is None else int(array.sizes[dimension])
        names = _band_names(array, dimension, count)
        scales = self._of_bands("scale_factor", "scales", 1.0, count)
        offsets = self._of_bands("add_offset", "offsets", 0.0, count)
        return [
            Band(
                number=i + 1,
                dtype=self._dtype,
                nodata=self._missing,
                nodata_is_exact=True,
                scale=scales[i],
                offset=offsets[i],
                has_mask=False,
                description=names[i],
            )
            for i in range(count)
        ]

    def _of_bands(self, attribute: str, plural: str, default: float, count: int) -> list[float]:
        """Scale or offset of each band: of all, or (as rioxarray has it) of each where they differ."""
        attrs = self.array.attrs
        found = attrs.get(attribute, attrs.get(plural, default))
        try:
            values = np.asarray(found, dtype=np.float64).ravel()
            return [float(value) for value in np.broadcast_to(values, count)]
        except ValueError as error:
            raise RasterError(
                f"{self.name}: its attribute {attribute} {found!r} is not a number, or one for each of "
                f"{count} bands"
            ) from error

    @property
    def transform(self) -> Affine | None:
        """Affine transform from its coordinates; without any, from the attribute GeoTransform.

        That attribute stays what it was when a part of the array is selected, coordinates do not.
        """
        from affine import Affine

        x, y = self._centres(self._x, X_NAMES), self._centres(self._y, Y_NAMES)
        if x is None or y is None:
            return self._written_transform()
        axes = []
        for name, centres in ((self._x, x), (self._y, y)):
            if centres.size > 1:
                axes.append(regular_axis(centres, f"{self.name}: coordinate {name}"))
                continue
            written = self._written_transform()
            if written is None:
                raise CRSError(
                    f"{self.name}: its only {name} does not tell how large a pixel is; pass transform="
                )
            step = written.a if name == self._x else written.e
            axes.append((float(centres[0]) - step / 2, step))
        (left, width), (top, height) = axes
        return Affine(width, 0.0, left, 0.0, height, top)

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


def _missing(array: Any, name: str) -> tuple[float, ...]:  # noqa: ANN401
    """Raw values that stand for no data: there are none left once xarray has decoded them."""
    declared = [array.attrs[key] for key in MISSING if key in array.attrs]
    if not declared:
        declared = [value for value in [_told(array, "nodata")] if value is not None]
    values = [value for of_key in declared for value in np.atleast_1d(of_key).tolist()]
    for value in values:
        if not isinstance(value, int | float):
            raise RasterError(f"{name}: declares {value!r} for no data, which is not a number")
    return tuple(dict.fromkeys(values))


def _as_slice(places: list[int]) -> slice | list[int]:
    """Consecutive places as a slice, which is the faster index."""
    first, end = places[0], places[0] + len(places)
    return slice(first, end) if places == list(range(first, end)) else places


def _band_names(array: Any, dimension: Any, count: int) -> list[str]:  # noqa: ANN401
    """Labels of bands: the coordinate along them, unless it only counts."""
    if dimension is None:
        return [""]
    if dimension in array.coords:
        values = np.asarray(array.coords[dimension].values)
        if values.dtype.kind not in "iu" or (values != np.arange(1, count + 1)).any():
            return axis_labels(values)
    described = array.attrs.get("long_name")
    if isinstance(described, list | tuple) and len(described) == count:
        return [str(name) for name in described]
    return [""] * count
