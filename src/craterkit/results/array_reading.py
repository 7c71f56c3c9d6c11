"""Arrays read back from the files that `get_arrays` writes."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, overload

import numpy as np
import pandas as pd

from craterkit.errors import ArgumentError, OutputError, quoted
from craterkit.extraction.columns import column_name
from craterkit.results.array_files import CONTENT, VERSION
from craterkit.results.result_files import description

if TYPE_CHECKING:
    from affine import Affine
    from numpy.typing import NDArray

    Ints = NDArray[np.intp]
    Masked = np.ma.MaskedArray[Any, Any]

__all__ = ["read_arrays"]


@overload
def read_arrays(
    path: str | os.PathLike[str],
    features: object = None,
    *,
    georeferenced: Literal[False] = False,
) -> Iterator[tuple[Any, Masked]]: ...


@overload
def read_arrays(
    path: str | os.PathLike[str], features: object = None, *, georeferenced: Literal[True]
) -> Iterator[tuple[Any, Masked, Affine | None]]: ...


def read_arrays(
    path: str | os.PathLike[str], features: object = None, *, georeferenced: bool = False
) -> Iterator[tuple[Any, ...]]:
    """Read the arrays that `CraterDatabase.get_arrays` wrote to a file, one after the other.

    A part of the file is in memory at a time.

    Parameters
    ----------
    path : str or os.PathLike
        The file.
    features : label or list of labels, optional
        Only the arrays of features that the table's index called so.
    georeferenced : bool, default False
        Whether to give each array's affine transform, too.

    Yields
    ------
    index : label
        The feature's label in the table's index; with several rasters, regions or bands, a pair of it
        and the name of the column that `get_arrays` would have.
    array : numpy.ma.MaskedArray
        The array as it was, with zeros under the mask.
    transform : affine.Affine or None
        With ``georeferenced=True``: where the array lies; None for those without pixels.

    Raises
    ------
    OutputError
        If the file cannot be read, is damaged, or is no file of arrays.
    ArgumentError
        If no feature is called so, or pyarrow is not installed.

    See Also
    --------
    CraterDatabase.get_arrays : writes such files, and says what is in them.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from craterkit import CraterDatabase, read_arrays, sample_data
    >>> cdb = CraterDatabase(sample_data["moon_craters_km.csv"], "moon")
    >>> cdb.add_annuli("rim", 1, 1.5)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = cdb.get_arrays(sample_data["moon.tif"], "rim", out=Path(folder, "rims.parquet"))
    ...     means = {index: array.mean() for index, array in read_arrays(path)}
    ...     for index, array in read_arrays(path, features=[3]):
    ...         print(index, bool(array.mean() == means[3]))
    3 True
    """
    if not isinstance(path, str | os.PathLike):
        raise ArgumentError(f"path must be the name of a file of arrays, not {path!r}")
    if georeferenced not in (True, False):
        raise ArgumentError(f"georeferenced must be True or False, not {georeferenced!r}")
    file = _ArrayFile(Path(path))
    wanted = None if features is None else file.find(_labels(features))
    return file.arrays(wanted, georeferenced=georeferenced)


def _labels(features: object) -> pd.Index[Any]:
    """Labels as a user gives them."""
    several = isinstance(features, Iterable) and not isinstance(features, str | bytes)
    return pd.Index(list(features) if several else [features], tupleize_cols=False)  # type: ignore[call-overload]


class _ArrayFile:
    """A file of arrays that is open.

    Parameters
    ----------
    path : pathlib.Path
        The file.
    """

    def __init__(self, path: Path) -> None:
        try:
            import pyarrow.parquet as pq
        except ImportError as error:
            raise ArgumentError(
                'read_arrays needs pyarrow: pip install "craterkit[parquet]"'
            ) from error
        self._path = path
        with self._reading("is no file of arrays"):
            self._file = pq.ParquetFile(path, page_checksum_verification=True)
        try:
            self._read_description()
        except BaseException:
            self._file.close()
            raise

    def _read_description(self) -> None:
        from affine import Affine

        about = description(self._file.schema_arrow)
        if about.get("content") != CONTENT:
            raise OutputError(
                f"{self._path} is no file of arrays: get_arrays(..., out=...) did not write it"
            )
        with self._reading("has a damaged description"):
            later = about["version"] > VERSION
            self._several = bool(about["several"])
            self._transforms = {
                label: Affine(*raster["transform"]) for label, raster in about["rasters"].items()
            }
        if later:
            raise OutputError(
                f"{self._path} was written by a later version of craterkit; update craterkit to read it"
            )

    @contextmanager
    def _reading(self, fault: str = "is damaged") -> Iterator[None]:
        import pyarrow as pa

        try:
            yield
        except FileNotFoundError as error:
            raise OutputError(f"{self._path} does not exist") from error
        except (
            *(pa.ArrowException, OSError, ValueError, KeyError),
            *(TypeError, AttributeError, OverflowError),
        ) as error:
            raise OutputError(f"{self._path} {fault}: {error}") from error

    def find(self, wanted: pd.Index[Any]) -> dict[int, Ints]:
        """Which rows of which row groups are of features that are called so."""
        rows, found = {}, np.zeros(len(wanted), dtype=np.bool_)
        for group in range(self._file.num_row_groups):
            with self._reading():
                labels = _index(self._file.read_row_group(group, ["feature"], use_threads=False))
            try:
                own = np.flatnonzero(labels.isin(wanted))
                found |= wanted.isin(labels)
            except (TypeError, ValueError) as error:
                raise ArgumentError(
                    f"features must be labels of the table's index: {error}"
                ) from error
            if own.size:
                rows[group] = own
        if not found.all():
            unknown = wanted[~found]
            more = f" and {len(unknown) - 5} more" if len(unknown) > 5 else ""
            raise ArgumentError(
                f"features: {self._path} has none called {quoted(unknown[:5])}{more}"
            )
        return rows

    def arrays(
        self, rows: dict[int, Ints] | None, *, georeferenced: bool
    ) -> Iterator[tuple[Any, ...]]:
        """All arrays, or those of some rows of some row groups."""
        with self._file as file:
            for group in range(file.num_row_groups) if rows is None else rows:
                with self._reading():
                    table = file.read_row_group(group, use_threads=False)
                    if rows is not None:
                        table = table.take(rows[group])
                    values, masked, ends = _pixels(table)
                    labels = _index(table)
                    names = ("region", "raster", "band", "dtype")
                    places = ("row", "col", "height", "width")
                    columns = [table[name].to_pylist() for name in (*names, *places)]
                for label, start, stop, (region, raster, band, dtype, *place) in zip(
                    labels, ends[:-1], ends[1:], zip(*columns, strict=True), strict=True
                ):
                    row, column, *shape = place
                    with self._reading():
                        array = _array(values[start:stop], masked[start:stop], dtype, shape)
                        index = label
                        if self._several:
                            index = label, column_name("", raster, band, region)
                        transform = None
                        if georeferenced and row is not None:
                            transform = _moved(self._transforms[raster], row, column)
                    yield (index, array, transform) if georeferenced else (index, array)


def _index(table: Any) -> pd.Index[Any]:  # noqa: ANN401
    """What the features in the rows of a table are called."""
    return pd.Index(table["feature"].to_pandas())


def _pixels(table: Any) -> tuple[NDArray[Any], NDArray[np.bool_], list[int]]:  # noqa: ANN401
    """Pixels of all arrays of a table, which are masked, and where each array begins and ends."""
    import pyarrow as pa

    lists = pa.concat_arrays(table["values"].chunks)
    sizes = lists.value_lengths().to_numpy()
    if (sizes != table["height"].to_numpy().astype(np.int64) * table["width"].to_numpy()).any():
        raise ValueError("an array has not as many values as its height and width say")
    flat = lists.flatten()
    masked = flat.is_null().to_numpy(zero_copy_only=False)
    values = flat.fill_null(0).to_numpy(zero_copy_only=False)
    return values, masked, [0, *np.cumsum(sizes).tolist()]


def _array(values: NDArray[Any], masked: NDArray[np.bool_], dtype: str, shape: list[int]) -> Masked:
    """One array, which shares no memory with the others."""
    data = values.astype(dtype).reshape(shape)
    if not data.size:
        return np.ma.MaskedArray(data)
    return np.ma.MaskedArray(data, mask=masked.reshape(shape).copy())


def _moved(transform: Affine, row: int, column: int) -> Affine:
    """The transform of a part of a raster, as `ArrayJoiner.transform` has it."""
    t = transform
    x, y = t.c + column * t.a + row * t.b, t.f + column * t.d + row * t.e
    return type(t)(t.a, t.b, x, t.d, t.e, y)
