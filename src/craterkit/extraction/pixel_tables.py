"""Tables of pixels: a frame in memory, or a Parquet file that is written as the pixels come."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from craterkit.errors import ArgumentError, quoted
from craterkit.extraction.parquet import parquet_path
from craterkit.extraction.pixels import PLACE_COLUMNS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from craterkit.extraction.pixels import PixelRows
    from craterkit.rasters.base import Band

    Bools = NDArray[np.bool_]

__all__ = ["FrameTable", "Layout", "ParquetTable"]

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
    """

    columns: Sequence[str]
    dtypes: dict[str, np.dtype[Any]]
    index: pd.Index[Any]
    regions: Sequence[str]

    @classmethod
    def choose(
        cls,
        columns: Any,  # noqa: ANN401
        values: Sequence[tuple[str, Band]],
        index: pd.Index[Any],
        regions: Sequence[str],
        *,
        scaled: bool,
    ) -> Layout:
        """The layout that a user asks for; all columns if `columns` is None.

        Raises
        ------
        ArgumentError
            If a column is unknown or named twice, or a raster's name is that of another column.
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
        return cls(wanted, dtypes, index, regions)

    def column(self, name: str, rows: PixelRows) -> tuple[NDArray[Any], Bools | None]:
        """A column of some rows, and where it is known (None: everywhere)."""
        if name == "feature":
            return self.index.take(rows.roi % len(self.index)).to_numpy(), None
        if name == "region":
            return np.array(self.regions, dtype=object)[rows.roi // max(len(self.index), 1)], None
        if name in self.dtypes:
            return rows.bands[list(self.dtypes).index(name)]
        return (getattr(rows, name) if name in ("row", "col") else rows.columns[name]), None


class FrameTable:
    """Rows gathered in memory.

    Parameters
    ----------
    layout : Layout
        Its columns.
    """

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._pieces: list[PixelRows] = []

    def add(self, rows: PixelRows) -> None:
        """Take rows."""
        self._pieces.append(rows)

    def frame(self) -> pd.DataFrame:
        """All rows by region, feature, row and column."""
        layout, pieces = self._layout, self._pieces
        roi = _joined([piece.roi for piece in pieces], np.dtype(np.intp))
        # Chunks come from the first row to the last.
        order = np.argsort(roi, kind="stable")
        columns: dict[str, Any] = {}
        for name in layout.columns:
            if name == "feature":
                columns[name] = layout.index.take(roi[order] % max(len(layout.index), 1))
                continue
            parts = [layout.column(name, piece) for piece in pieces]
            dtype = layout.dtypes.get(name) or _dtype_of(name)
            if all(known is None or known.all() for _, known in parts):
                whole = _joined([values for values, _ in parts], dtype)
            else:
                whole = _joined([_with_gaps(*part) for part in parts], np.dtype(np.float64))
            columns[name] = whole[order]
        return pd.DataFrame(columns)


def _joined(parts: Sequence[NDArray[Any]], dtype: np.dtype[Any]) -> NDArray[Any]:
    return np.concatenate(parts) if parts else np.zeros(0, dtype=dtype)


def _dtype_of(name: str) -> np.dtype[Any]:
    if name == "region":
        return np.dtype(object)
    return np.dtype(np.int32 if name in ("row", "col") else np.float64)


def _with_gaps(values: NDArray[Any], known: Bools | None) -> NDArray[Any]:
    """Values as floats, NaN where they are not known."""
    floats = values if values.dtype.kind == "f" else values.astype(np.float64)
    return floats if known is None else np.where(known, floats, floats.dtype.type(np.nan))


class ParquetTable:
    """Rows written to a Parquet file as they come; values that are not known are nulls.

    Until all is written the file bears another name, so that what is under `path` is whole.

    Parameters
    ----------
    layout : Layout
        Its columns.
    path : str or os.PathLike
        The file.

    Raises
    ------
    ArgumentError
        If `path` is no name of a Parquet file, its folder is missing, the table's index cannot be
        written, or pyarrow is not installed.
    """

    def __init__(self, layout: Layout, path: Any) -> None:  # noqa: ANN401
        self.path = parquet_path(path)
        import pyarrow as pa
        import pyarrow.parquet as pq

        self._layout = layout
        try:
            index_type = pa.array(layout.index).type
        except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError) as error:
            raise ArgumentError(f"out: the table's index cannot be written: {error}") from error
        types = {
            "feature": index_type,
            "region": pa.dictionary(pa.int32(), pa.string()),
            "row": pa.int32(),
            "col": pa.int32(),
        } | {name: pa.from_numpy_dtype(dtype) for name, dtype in layout.dtypes.items()}
        self._schema = pa.schema([(name, types.get(name, pa.float64())) for name in layout.columns])
        self._part = self.path.with_name(f".{self.path.name}.{os.getpid()}.part")
        self._writer = pq.ParquetWriter(self._part, self._schema)

    def __enter__(self) -> ParquetTable:
        return self

    def __exit__(self, kind: type[BaseException] | None, *exception: object) -> None:
        self._writer.close()
        if kind is None:
            os.replace(self._part, self.path)
        else:
            self._part.unlink(missing_ok=True)

    def add(self, rows: PixelRows) -> None:
        """Write rows."""
        import pyarrow as pa

        if not rows.roi.size:
            return
        arrays = []
        for field in self._schema:
            if field.name == "region":
                number = rows.roi // len(self._layout.index)
                arrays.append(
                    pa.DictionaryArray.from_arrays(
                        number.astype(np.int32), pa.array(self._layout.regions, pa.string())
                    )
                )
                continue
            values, known = self._layout.column(field.name, rows)
            gaps = None if known is None else ~known
            arrays.append(pa.array(values, field.type, mask=gaps))
        self._writer.write_table(pa.Table.from_arrays(arrays, schema=self._schema))
