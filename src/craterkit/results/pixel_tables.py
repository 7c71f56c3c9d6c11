"""Tables of pixels: a frame in memory, or a Parquet file that is written as the pixels come."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np
import pandas as pd

from craterkit.errors import ArgumentError, quoted
from craterkit.extraction.pixels import PLACE_COLUMNS
from craterkit.results.parquet import arrow_table
from craterkit.results.result_files import metadata
from craterkit.tables.carried import free_columns

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from craterkit.extraction.pixels import PixelRows
    from craterkit.rasters.base import Band

    Bools = NDArray[np.bool_]

__all__ = ["CONTENT", "Layout", "pixel_frame", "write_pixels"]

#: What a file's metadata says that it holds.
CONTENT = "pixels"
VERSION = 1

BEFORE_VALUES = ("feature", "region", "row", "col", *PLACE_COLUMNS)
AFTER_VALUES = ("weight",)


@dataclass(frozen=True)
class Layout:
    """Which columns a table of pixels has, and what is in them.

    Attributes
    ----------
    columns : sequence of str
        Names in order.
    dtypes : dict
        Dtype of each column of values, in the order of the bands.
    index : pandas.Index
        Of the table of features.
    regions : sequence of str
        Names of the regions.
    kept : pandas.DataFrame
        Columns of the table of features that are repeated behind the others.
    """

    columns: Sequence[str]
    dtypes: dict[str, np.dtype[Any]]
    index: pd.Index[Any]
    regions: Sequence[str]
    kept: pd.DataFrame

    @classmethod
    def choose(
        cls,
        columns: Any,  # noqa: ANN401
        values: Sequence[tuple[str, Band]],
        index: pd.Index[Any],
        regions: Sequence[str],
        kept: pd.DataFrame,
        taken: Iterable[Any],
        *,
        scaled: bool,
    ) -> Layout:
        """The layout that a user asks for; all columns if `columns` is None.

        Columns of `kept` that bear the name of another are left out, unless they are `taken`.

        Raises
        ------
        ArgumentError
            If a column is unknown or named twice, or has the name of another.
        """
        names = [name for name, _ in values]
        known = [*BEFORE_VALUES, *names, *AFTER_VALUES]
        if len(set(known)) < len(known):
            twice = sorted({name for name in known if known.count(name) > 1})
            raise ArgumentError(
                f"two columns would be called {quoted(twice)}; give the raster another name, "
                "as in {'name': raster}"
            )
        if columns is None:
            wanted = known
        else:
            wanted = [columns] if isinstance(columns, str) else list(columns)
            unknown = [name for name in wanted if name not in known]
            if unknown or not wanted:
                what = (
                    f"unknown columns {quoted(unknown)}" if unknown else "columns names no column"
                )
                raise ArgumentError(f"{what}; known are {quoted(known)}")
            if len(set(wanted)) < len(wanted):
                raise ArgumentError(f"columns names a column twice: {quoted(wanted)}")
        dtypes = {
            name: np.dtype(np.float64) if scaled and band.is_scaled else band.dtype
            for name, band in values
        }
        return cls(wanted, dtypes, index, regions, free_columns(kept, taken, wanted))

    def column(self, name: str, rows: PixelRows) -> tuple[NDArray[Any], Bools | None]:
        """A column of some rows but for feature and region, and where it is known (None: everywhere)."""
        if name in self.dtypes:
            return rows.bands[list(self.dtypes).index(name)]
        return (getattr(rows, name) if name in ("row", "col") else rows.columns[name]), None


def pixel_frame(layout: Layout, pieces: Iterable[PixelRows]) -> pd.DataFrame:
    """All rows by region, feature, row and column."""
    pieces = list(pieces)
    roi = _joined([piece.roi for piece in pieces], np.dtype(np.intp))
    row, col = (
        _joined([getattr(piece, axis) for piece in pieces], np.dtype(np.intp))
        for axis in ("row", "col")
    )
    # Chunks come from the first row to the last; if they are parts of these, pixels are out of order.
    order = np.argsort(roi, kind="stable")
    back = (np.diff(row[order]) < 0) | ((np.diff(row[order]) == 0) & (np.diff(col[order]) < 0))
    if (back & (np.diff(roi[order]) == 0)).any():
        order = np.lexsort((col, row, roi))
    size = max(len(layout.index), 1)
    columns: dict[str, Any] = {}
    for name in layout.columns:
        if name == "feature":
            columns[name] = layout.index.take(roi[order] % size)
        elif name == "region":
            columns[name] = np.array(layout.regions, dtype=object)[roi[order] // size]
        else:
            parts = [layout.column(name, piece) for piece in pieces]
            dtype = layout.dtypes.get(name) or _dtype_of(name)
            if all(known is None or known.all() for _, known in parts):
                whole = _joined([values for values, _ in parts], dtype)
            else:
                whole = _joined([_with_gaps(*part) for part in parts], np.dtype(np.float64))
            columns[name] = whole[order]
    found = pd.DataFrame(columns)
    if not layout.kept.shape[1]:
        return found
    features = layout.kept.iloc[roi[order] % size].set_axis(found.index)
    return pd.concat([found, features], axis=1)


def _joined(parts: Sequence[NDArray[Any]], dtype: np.dtype[Any]) -> NDArray[Any]:
    return np.concatenate(parts) if parts else np.zeros(0, dtype=dtype)


def _dtype_of(name: str) -> np.dtype[Any]:
    return np.dtype(np.int32 if name in ("row", "col") else np.float64)


def _with_gaps(values: NDArray[Any], known: Bools | None) -> NDArray[Any]:
    """Values as floats, NaN where they are not known."""
    floats = values if values.dtype.kind == "f" else values.astype(np.float64)
    return floats if known is None else np.where(known, floats, floats.dtype.type(np.nan))


def write_pixels(file: BinaryIO, layout: Layout, labels: Any, pieces: Iterable[PixelRows]) -> None:  # noqa: ANN401
    """Write rows to an open file as they come; values that are not known are nulls.

    Parameters
    ----------
    file : binary file
        The open file.
    layout : Layout
        The columns.
    labels : pyarrow.Array
        What the features are called.
    pieces : iterable of PixelRows
        The rows.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    regions = pa.array(layout.regions, pa.string())
    types = {
        "feature": labels.type,
        "region": pa.dictionary(pa.int32(), pa.string()),
        "row": pa.int32(),
        "col": pa.int32(),
    } | {name: pa.from_numpy_dtype(dtype) for name, dtype in layout.dtypes.items()}
    kept = arrow_table(pd.DataFrame(layout.kept).reset_index(drop=True))
    geo = {key: text for key, text in kept.schema.metadata.items() if key == b"geo"}
    schema = pa.schema(
        [*((name, types.get(name, pa.float64())) for name in layout.columns), *kept.schema],
        metadata=metadata(CONTENT, VERSION) | geo,
    )

    def column(name: str, rows: PixelRows) -> Any:  # noqa: ANN401
        if name == "feature":
            return labels.take(pa.array(rows.roi % len(labels)))
        if name == "region":
            number = (rows.roi // len(labels)).astype(np.int32)
            return pa.DictionaryArray.from_arrays(number, regions)
        values, known = layout.column(name, rows)
        return pa.array(
            values, types.get(name, pa.float64()), mask=None if known is None else ~known
        )

    writer = pq.ParquetWriter(file, schema)
    try:
        for rows in pieces:
            if rows.roi.size:
                columns = [column(name, rows) for name in layout.columns]
                columns += kept.take(pa.array(rows.roi % len(labels))).columns
                writer.write_table(pa.Table.from_arrays(columns, schema=schema))
        writer.close()
    finally:
        # What is left of a file that failed is of no use: nothing more is to be written to it.
        writer.is_open = False
