"""Finished ROIs kept on disk, so that a run that was cut short goes on where it stopped."""

from __future__ import annotations

import json
import os
import re
import secrets
import socket
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np
import pandas as pd

from craterkit.errors import ArgumentError, CraterkitError, OutputError, StatisticError
from craterkit.results.file_locks import followed, lock, open_own, refuse_links
from craterkit.results.manifest_differences import differences
from craterkit.results.parquet import (
    arrow_column,
    arrow_table,
    column_kind,
    mixed,
    numpy_column,
    parquet_path,
)
from craterkit.results.whole_files import write_whole

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path
    from typing import Self

    from numpy.typing import NDArray

    Ints = NDArray[np.int64]
    Columns = dict[str, NDArray[Any]]

__all__ = ["ROI", "Ledger"]

#: Where the final file's metadata has the manifest.
METADATA_KEY = b"craterkit"

#: Entry of the manifest that tells files of other kinds apart.
CONTENT = "content"

#: Column of a part that numbers its ROIs.
ROI = "roi"

MANIFEST = "manifest.json"
LOCK = "lock"

_PART = re.compile(r"\d+-\d+-[0-9a-f]+\.parquet")


class Ledger:
    """Finished ROIs of a run, kept on disk until the table is whole.

    They lie in parts, in a folder ``<path>.partial`` beside the final file. A part has its name only
    once it is whole; what a killed run leaves unfinished is removed by the next. One process at a
    time may have a folder; it is free again when the process ends, however it does.

    Parameters
    ----------
    path : str or os.PathLike
        The final Parquet file.
    manifest : dict
        What the run depends on, as `json` can write it. Parts of another run are refused.
    name_roi : callable, optional
        What messages call an ROI.

    Attributes
    ----------
    path : pathlib.Path
        The final file, as given.
    complete : bool
        Whether the final file is there, made by a run with the same manifest.

    Raises
    ------
    ArgumentError
        If `path` cannot be the file's name (see `parquet_path`), the file or the folder is of another
        run or not of craterkit, or another process is at work on it.
    OutputError
        If the folder cannot be written, or something in it is damaged.
    """

    complete: bool

    def __init__(
        self,
        path: str | os.PathLike[str],
        manifest: dict[str, Any],
        name_roi: Callable[[int], str] = "ROI {}".format,
    ) -> None:
        self._name_roi = name_roi
        self.path = parquet_path(path)
        self._final = followed(self.path).absolute()
        self._folder = self._final.with_name(f"{self._final.name}.partial")
        self._parts = self._folder / "parts"
        self._manifest: dict[str, Any] = json.loads(json.dumps(manifest, allow_nan=False))
        self._lock: BinaryIO | None = None
        self._files: dict[int, list[Path]] = {}
        self._kinds: dict[tuple[int, str], str] = {}
        self.complete = self._is_complete()
        try:
            if not self.complete:
                self._open()
            elif self._folder.is_dir():
                self._tidy()
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Let other processes have the folder; finished ROIs stay in it."""
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def finished(self, source: int) -> Ints:
        """ROIs of a source that are stored, ascending."""
        found = [self._read(file, [ROI])[ROI] for file in self._files.get(source, [])]
        return np.unique(np.concatenate(found)) if found else np.zeros(0, dtype=np.int64)

    def store(self, source: int, roi: Ints, columns: Columns) -> None:
        """Store finished ROIs of a source, all of them or none.

        Parameters
        ----------
        source : int
            Number of the raster.
        roi : (n,) ndarray of int
            Numbers of the ROIs.
        columns : dict of (n,) ndarray
            Their statistics: numbers, booleans, or objects that are all numbers or all texts, in every
            part; None and NaN stand for what is missing.

        Raises
        ------
        StatisticError
            If a Parquet file cannot hold a column; nothing is stored then.
        OutputError
            If the part cannot be written; parts stored before stay.
        """
        import pyarrow as pa
        import pyarrow.parquet as pq

        if ROI in columns:
            raise StatisticError(f"a statistic cannot be called {ROI!r} with out=; rename it")
        arrays = [pa.array(np.asarray(roi, dtype=np.int64))]
        fields = [pa.field(ROI, pa.int64())]
        for name, values in columns.items():
            known = self._kinds.get((source, name), "")
            array, field = arrow_column(
                name, values, known, lambda place: self._name_roi(int(roi[place]))
            )
            if known and column_kind(field) not in ("", known):
                before, stored = self.load(source)
                raise mixed(
                    name,
                    *self._first(before, stored[name]),
                    *self._first(roi, numpy_column(pa.chunked_array([array]))),
                )
            arrays.append(array)
            fields.append(field)
        part = pa.Table.from_arrays(arrays, schema=pa.schema(fields))
        buffer = pa.BufferOutputStream()
        pq.write_table(part, buffer, write_page_checksum=True)
        file = self._parts / f"{source}-{os.getpid()}-{secrets.token_hex(8)}.parquet"
        self._write(file, lambda opened: opened.write(buffer.getvalue()))
        self._files.setdefault(source, []).append(file)
        self._remember(source, fields)

    def load(self, source: int) -> tuple[Ints, Columns]:
        """All that is stored of a source.

        Returns
        -------
        roi : (n,) ndarray of int64
            Numbers of the ROIs, each once, ascending.
        columns : dict of (n,) ndarray
            Their statistics. Columns of texts are objects, with NaN for what is missing.

        Raises
        ------
        OutputError
            If a part is damaged.
        """
        parts = [self._read(file) for file in self._files.get(source, [])]
        if not parts:
            return np.zeros(0, dtype=np.int64), {}
        for file, part in zip(self._files[source], parts, strict=True):
            if part.keys() != parts[0].keys():
                raise OutputError(
                    f"{file} has other columns than {self._files[source][0].name}; delete one of "
                    "them, and its ROIs are computed again"
                )
        roi, first = np.unique(np.concatenate([part[ROI] for part in parts]), return_index=True)
        # A part without ROIs has no say in what numbers its columns hold.
        filled = [part for part in parts if part[ROI].size] or parts
        columns = {
            name: np.concatenate([part[name] for part in filled])[first] for name in parts[0]
        }
        del columns[ROI]
        return roi, columns

    def _first(self, roi: Ints, values: NDArray[Any]) -> list[tuple[str, Any]]:
        """The first ROI that has a value, and the value; nothing if none has."""
        places = np.flatnonzero(~pd.isna(values))[:1].tolist()
        return [
            (self._name_roi(int(roi[place])), values[place : place + 1].tolist()[0])
            for place in places
        ]

    def finish(self, table: pd.DataFrame) -> Path:
        """Write the final file, and remove the parts.

        Parameters
        ----------
        table : pandas.DataFrame or geopandas.GeoDataFrame
            The whole table; its index is kept. The manifest goes into the file's metadata.

        Raises
        ------
        ArgumentError
            If a Parquet file cannot hold the table.
        OutputError
            If the file cannot be written, or has come into being during the run; the parts stay.
        """
        import pyarrow.parquet as pq

        whole = arrow_table(table, {METADATA_KEY: json.dumps(self._manifest).encode()})
        if self._final.exists():
            raise OutputError(
                f"{self._final} has been written by something else during the run; move it, and the "
                f"same call goes on from the finished ROIs in {self._folder}"
            )
        self._write(self._final, lambda opened: pq.write_table(whole, opened))
        self.complete = True
        self._remove()
        return self.path

    def _is_complete(self) -> bool:
        """Whether the final file is there, and of this run."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        if not self._final.exists():
            return False
        advice = "delete it or choose another name"
        try:
            written = (pq.read_schema(self._final).metadata or {}).get(METADATA_KEY)
            there = None if written is None else json.loads(written)
        except (pa.ArrowException, OSError, ValueError):
            there = None
        if not isinstance(there, dict) or there.get(CONTENT) != self._manifest.get(CONTENT):
            raise ArgumentError(
                f"out: {str(self.path)!r} exists and does not come from get_stats; {advice}"
            )
        if there != self._manifest:
            raise ArgumentError(
                f"out: {str(self.path)!r} holds the statistics of another call "
                f"({'; '.join(differences(there, self._manifest))}); {advice}"
            )
        return True

    def _open(self) -> None:
        """Make the folder, or take over what another run has left there."""
        try:
            self._acquire()
            # The process that had the folder may have finished meanwhile.
            self.complete = self._is_complete()
            if self.complete:
                self._tidy()
                return
            there = self._written_manifest()
            if there is None or (there != self._manifest and not self._part_files()):
                text = json.dumps(self._manifest, indent=2, sort_keys=True) + "\n"
                self._write(self._folder / MANIFEST, lambda opened: opened.write(text.encode()))
            elif there != self._manifest:
                raise ArgumentError(
                    f"out: the finished ROIs in {self._folder} are of another call: "
                    f"{'; '.join(differences(there, self._manifest))}. Repeat that call to go on with "
                    "it, delete the folder to begin anew, or choose another name"
                )
            self._parts.mkdir(exist_ok=True)
            for folder in (self._folder, self._parts):
                for unfinished in folder.glob(".*.tmp"):
                    unfinished.unlink()
            for file in self._part_files():
                self._take(file)
        except CraterkitError:
            raise
        except OSError as error:
            raise OutputError(f"out: the folder {self._folder} cannot be used: {error}") from error

    def _acquire(self) -> None:
        """Lock the folder for this process.

        The system lets go of the lock when a process ends, so that none is ever left behind.
        """
        while True:
            self._folder.mkdir(exist_ok=True)
            name = self._folder / LOCK
            try:
                refuse_links(self._folder, self._parts, self._folder / MANIFEST)
                self._lock = open_own(name)
            except FileNotFoundError:  # the process that had the folder has just removed it
                continue
            if not lock(self._lock):
                self._lock.seek(0)
                holder = self._lock.read().decode(errors="replace")
                raise ArgumentError(
                    f"out: {holder or 'another process'} is at work on {str(self.path)!r}; wait for it, "
                    "stop it, or choose another name"
                )
            if name.exists() and os.path.samestat(name.stat(), os.fstat(self._lock.fileno())):
                break
            self._lock.close()
        self._lock.truncate(0)
        self._lock.write(f"process {os.getpid()} on {socket.gethostname()}".encode())
        self._lock.flush()

    def _written_manifest(self) -> dict[str, Any] | None:
        """The folder's manifest; None if the folder is new."""
        file = self._folder / MANIFEST
        if not file.exists():
            if any(entry.name[0] != "." and entry.name != LOCK for entry in self._folder.iterdir()):
                raise ArgumentError(
                    f"out: the folder {self._folder} has no {MANIFEST} that says of what run it is; "
                    "delete it or choose another name"
                )
            return None
        try:
            there = json.loads(file.read_text(encoding="utf-8"))
        except ValueError as error:
            raise _damaged(file, error, "the folder to begin anew") from error
        if not isinstance(there, dict):
            raise _damaged(file, "it holds no manifest", "the folder to begin anew")
        return there

    def _part_files(self) -> list[Path]:
        return sorted(file for file in self._parts.glob("*") if _PART.fullmatch(file.name))

    def _take(self, file: Path) -> None:
        """Take over a part of an earlier run."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        source = int(file.name.partition("-")[0])
        refuse_links(file)
        try:
            schema = pq.read_schema(file)
            schema.field(ROI)
            self._remember(source, schema)
        except (pa.ArrowException, OSError, KeyError, ValueError) as error:
            raise _damaged(file, error) from error
        self._files.setdefault(source, []).append(file)

    def _remember(self, source: int, fields: Iterable[Any]) -> None:
        """Keep in mind which columns hold numbers and which texts."""
        for field in fields:
            if not self._kinds.get((source, field.name)):
                self._kinds[source, field.name] = column_kind(field)

    def _read(self, file: Path, columns: list[str] | None = None) -> Columns:
        """Columns of a part."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        try:
            with pq.ParquetFile(file, page_checksum_verification=True) as opened:
                table = opened.read(columns, use_threads=False)
            return {name: numpy_column(table[name]) for name in table.column_names}
        except (pa.ArrowException, OSError, ValueError) as error:
            raise _damaged(file, error) from error

    def _write(self, file: Path, write: Callable[[BinaryIO], object]) -> None:
        try:
            write_whole(file, write, folder=self._folder)
        except OSError as error:
            raise OutputError(
                f"{file} cannot be written: {error}; finished ROIs are kept in {self._folder}, and the "
                "same call goes on from there"
            ) from error

    def _remove(self) -> None:
        """Remove what is ours in the folder, and the folder if nothing else is there.

        The manifest is the last to go: parts are never without one.
        """
        with suppress(OSError):
            for file in [
                *self._part_files(),
                *self._parts.glob(".*.tmp"),
                *self._folder.glob(".*.tmp"),
            ]:
                file.unlink()
            if self._parts.exists():
                self._parts.rmdir()
            (self._folder / MANIFEST).unlink(missing_ok=True)
            if sys.platform == "win32":
                self.close()  # an open file cannot be removed there
            (self._folder / LOCK).unlink()
            self._folder.rmdir()
        self._files, self._kinds = {}, {}
        self.close()

    def _tidy(self) -> None:
        """Remove what a run that was cut short after its final file has left."""
        with suppress(CraterkitError, OSError):
            if self._lock is None:
                self._acquire()
            if self._written_manifest() in (None, self._manifest):
                self._remove()
        self.close()


def _damaged(file: Path, why: object, remedy: str = "") -> OutputError:
    remedy = remedy or "it, and its ROIs are computed again"
    return OutputError(f"{file} is damaged: {why}; delete {remedy}")
