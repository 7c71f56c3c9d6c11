"""Files of arrays and of pixels: what they say of themselves, and which files they may replace."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, BinaryIO

import pandas as pd

from craterkit.errors import ArgumentError, CraterkitError, OutputError
from craterkit.results.parquet import parquet_path
from craterkit.results.whole_files import write_whole

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

__all__ = ["description", "metadata", "result_path", "write_result", "written_labels"]

#: Where a file's metadata says what it holds.
METADATA_KEY = b"craterkit"


def metadata(content: str, version: int, **more: object) -> dict[bytes, bytes]:
    """What a file says of itself: JSON under one key."""
    return {METADATA_KEY: json.dumps({"content": content, "version": version, **more}).encode()}


def description(schema: Any) -> dict[str, Any]:  # noqa: ANN401
    """What a file of this schema says of itself; nothing if it is not of craterkit."""
    try:
        found = json.loads((schema.metadata or {}).get(METADATA_KEY, b"{}"))
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def result_path(out: object, content: str) -> Path:
    """The argument `out` as the path of a new file, or of one that holds such a result.

    Parameters
    ----------
    out : object
        The argument.
    content : {"arrays", "pixels"}
        What is to be written.

    Raises
    ------
    ArgumentError
        As `parquet_path`; or if the file is there and holds anything else.
    """
    path = parquet_path(out)
    if path.exists() and _content(path) != content:
        raise ArgumentError(
            f"out: {str(path)!r} exists and does not come from get_{content}; delete it or choose "
            "another name"
        )
    return path


def _content(path: Path) -> object:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        return description(pq.read_schema(path)).get("content")
    except (pa.ArrowException, OSError):
        return None


def write_result(path: Path, write: Callable[[BinaryIO], object]) -> None:
    """Write a file whole or not at all, as `write_whole`.

    Raises
    ------
    OutputError
        If it cannot be written.
    """
    import pyarrow as pa

    try:
        write_whole(path, write)
    except CraterkitError:
        raise
    except (OSError, pa.ArrowException) as error:
        raise OutputError(f"{path} was not written: {error}") from error


def written_labels(index: pd.Index[Any]) -> Any:  # noqa: ANN401
    """Labels of features as Parquet holds them.

    Raises
    ------
    ArgumentError
        If it cannot, or if other labels would come back.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    advice = "make its labels all texts or all numbers, or call table.reset_index()"
    if index.nlevels > 1:
        raise ArgumentError(f"out: the table's index has {index.nlevels} levels; {advice}")
    try:
        labels = pa.array(index)
        pq.write_table(pa.table({"feature": labels.slice(0, 0)}), pa.BufferOutputStream())
        back = pd.Index(labels.to_pandas())
    except (pa.ArrowException, ValueError, TypeError, OverflowError) as error:
        raise ArgumentError(
            f"out: the table's index cannot be written: {error}; {advice}"
        ) from error
    if not back.astype(object).equals(index.astype(object)):
        raise ArgumentError(
            f"out: the labels of the table's index would not come back as they are; {advice}"
        )
    return labels
