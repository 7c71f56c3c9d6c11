"""Files of arrays: Parquet, one row an array, written as the arrays come."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from craterkit.errors import ArgumentError
from craterkit.results.result_files import metadata, written_labels

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from craterkit.extraction.sources import Source
    from craterkit.extraction.subject import Subject

    Masked = np.ma.MaskedArray[Any, Any]

__all__ = ["CONTENT", "VERSION", "ArrayFileWriter", "ArrayLayout"]

#: What a file's metadata says that it holds.
CONTENT = "arrays"
VERSION = 1

#: Bytes of a row group, before it is compressed, if memory allows; and the share of it that one takes.
GROUP_BYTES = 16 * 1024**2
GROUP_SHARE = 16

#: Bytes that an array takes in memory besides its pixels.
BYTES_EACH = 512

VALUES = "values.list.element"


@dataclass(frozen=True)
class ArrayLayout:
    """What a file of arrays holds.

    Attributes
    ----------
    labels : pyarrow.Array
        What the features are called.
    regions, sources : sequence
        Names of the regions, and the rasters.
    dtypes : sequence of sequence of numpy.dtype
        Of the arrays of each raster's bands.
    dtype : numpy.dtype
        In which all of them are stored.
    """

    labels: Any
    regions: Sequence[str]
    sources: Sequence[Source]
    dtypes: Sequence[Sequence[np.dtype[Any]]]
    dtype: np.dtype[Any]

    @classmethod
    def of(cls, subject: Subject, sources: Sequence[Source], *, scaled: bool) -> ArrayLayout:
        """The layout for the features and regions of a subject.

        Raises
        ------
        ArgumentError
            If the table's index cannot be written, or the rasters' numbers share no dtype.
        """
        dtypes = [
            [
                np.dtype(np.float64) if scaled and band.is_scaled else band.dtype
                for band in source.bands
            ]
            for source in sources
        ]
        labels = written_labels(subject.index)
        return cls(labels, list(subject.regions), sources, dtypes, _common_dtype(sources, dtypes))

    @property
    def several(self) -> bool:
        """Whether a feature has several arrays."""
        return len(self.regions) * sum(len(of_source) for of_source in self.dtypes) > 1

    @property
    def metadata(self) -> dict[bytes, bytes]:
        """What the file says of itself."""
        rasters = {}
        for source in self.sources:
            system = source.grid.system
            rasters[source.label] = {
                "name": source.raster.name,
                "transform": list(source.grid.transform)[:6],
                "crs": None if system.crs is None else system.crs.to_wkt(),
                "coordinates": system.describe(),
            }
        return metadata(CONTENT, VERSION, several=self.several, rasters=rasters)


def _common_dtype(
    sources: Sequence[Source], dtypes: Sequence[Sequence[np.dtype[Any]]]
) -> np.dtype[Any]:
    """The dtype that holds the numbers of all bands exactly."""
    own = {dtype for of_source in dtypes for dtype in of_source}
    common = np.result_type(*own)
    if not all(_fits(dtype, common) for dtype in own):
        names = [
            f"{source.raster.name} ({', '.join(sorted({str(dtype) for dtype in of_source}))})"
            for source, of_source in zip(sources, dtypes, strict=True)
        ]
        raise ArgumentError(
            f"out: no dtype holds the numbers of all rasters exactly: {'; '.join(names)}; write a file "
            "for each of them"
        )
    return common


def _fits(dtype: np.dtype[Any], common: np.dtype[Any]) -> bool:
    """Whether each number of one dtype is one of another, to which NumPy would promote it."""
    if dtype.kind == "f" or common.kind != "f":
        return True
    return np.iinfo(dtype).bits - (dtype.kind == "i") <= np.finfo(common).nmant + 1


class ArrayFileWriter:
    """Writes arrays to an open file in row groups of bounded size; a context.

    Parameters
    ----------
    layout : ArrayLayout
        What the file holds.
    file : binary file
        The open file.
    memory : int
        Bytes of the memory budget, of which this takes a share.
    """

    def __init__(self, layout: ArrayLayout, file: BinaryIO, memory: int) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        self._layout = layout
        self._group_bytes = min(GROUP_BYTES, memory // GROUP_SHARE)
        number = pa.from_numpy_dtype(layout.dtype)
        name = pa.dictionary(pa.int32(), pa.string())
        self._schema = pa.schema(
            [
                pa.field("feature", layout.labels.type),
                *(pa.field(key, name, False) for key in ("region", "raster", "band", "dtype")),
                *(pa.field(key, pa.int32()) for key in ("row", "col")),
                *(pa.field(key, pa.int32(), False) for key in ("height", "width")),
                pa.field("values", pa.large_list(pa.field("element", number)), False),
            ],
            metadata=layout.metadata,
        )
        numbers = layout.dtype.kind == "f"
        names = [field.name for field in self._schema][:-1]
        self._writer = pq.ParquetWriter(
            file,
            self._schema,
            compression="zstd",
            use_dictionary=[key for key in names if key not in ("row", "col")],
            column_encoding={VALUES: "BYTE_STREAM_SPLIT" if numbers else "DELTA_BINARY_PACKED"},
            write_statistics=names,
            write_page_checksum=True,
        )
        self._first_band = np.cumsum([0, *(len(of_source) for of_source in layout.dtypes)])
        self._rows: list[tuple[Any, ...]] = []
        self._arrays: list[Masked] = []
        self._bytes = 0

    def __enter__(self) -> ArrayFileWriter:
        return self

    def __exit__(self, kind: type[BaseException] | None, *exception: object) -> None:
        try:
            if kind is None:
                self._flush()
                self._writer.close()
        finally:
            # What is left of a file that failed is of no use: nothing more is to be written to it.
            self._writer.is_open = False

    def add(
        self, roi: int, source: int, arrays: Sequence[Masked], corner: tuple[int, int] | None
    ) -> None:
        """Take the arrays of an ROI, one for each band of a source.

        Parameters
        ----------
        roi : int
            Number of the ROI.
        source : int
            Number of the raster.
        arrays : sequence of numpy.ma.MaskedArray
            The arrays.
        corner : tuple of int or None
            Their first row and column in the raster.
        """
        layout = self._layout
        region, feature = divmod(roi, len(layout.labels))
        row, column = corner or (None, None)
        for band, array in enumerate(arrays):
            size = array.nbytes + array.size + BYTES_EACH
            if self._bytes + size > self._group_bytes:
                self._flush()
            self._bytes += size
            self._rows.append((feature, region, source, band, row, column, *array.shape))
            self._arrays.append(array)

    def _flush(self) -> None:
        """Write the arrays in hand as one row group."""
        import pyarrow as pa

        if not self._arrays:
            return
        layout = self._layout
        feature, region, source, band, row, column, height, width = zip(*self._rows, strict=True)
        of_band = self._first_band[list(source)] + band

        def named(names: Sequence[str], which: Any) -> Any:  # noqa: ANN401
            return pa.array(names, pa.string()).take(pa.array(which)).dictionary_encode()

        columns = {
            "feature": layout.labels.take(pa.array(feature)),
            "region": named(layout.regions, region),
            "raster": named([source.label for source in layout.sources], source),
            "band": named([label for s in layout.sources for label in s.band_labels], of_band),
            "dtype": named([dtype.name for own in layout.dtypes for dtype in own], of_band),
            "row": pa.array(row, pa.int32()),
            "col": pa.array(column, pa.int32()),
            "height": pa.array(height, pa.int32()),
            "width": pa.array(width, pa.int32()),
            "values": _lists(self._arrays, layout.dtype, self._schema.field("values").type),
        }
        self._rows, self._arrays, self._bytes = [], [], 0
        table = pa.table([columns[field.name] for field in self._schema], schema=self._schema)
        self._writer.write_table(table, row_group_size=len(table))


def _lists(arrays: Sequence[Masked], dtype: np.dtype[Any], kind: Any) -> Any:  # noqa: ANN401
    """The pixels of arrays as lists, with nulls for what is masked."""
    import pyarrow as pa

    def joined(parts: Sequence[NDArray[Any]], dtype: np.dtype[Any]) -> NDArray[Any]:
        return np.concatenate([part.reshape(-1) for part in parts], dtype=dtype)

    values = joined([np.ma.getdata(array) for array in arrays], dtype)
    masked = joined([np.ma.getmaskarray(array) for array in arrays], np.dtype(np.bool_))
    ends = np.cumsum([0, *(array.size for array in arrays)])
    flat = pa.array(values, mask=masked, from_pandas=False)
    return pa.LargeListArray.from_arrays(pa.array(ends, pa.int64()), flat, type=kind)
