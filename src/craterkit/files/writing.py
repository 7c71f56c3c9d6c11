"""Files that bear their names only once they are whole."""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
import socket
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from craterkit.errors import ArgumentError, OutputError
from craterkit.results.file_locks import lock, open_own

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["finish_exchange", "output_path", "unfinished"]

#: In which files are named that are about to be renamed.
JOURNAL = "journal"


def output_path(path: Any, argument: str, *, overwrite: bool) -> Path:  # noqa: ANN401
    """The path of a file that is to be written.

    Parameters
    ----------
    path : object
        What the user gave.
    argument : str
        The argument's name, for messages.
    overwrite : bool
        Whether the file may exist.

    Raises
    ------
    ArgumentError
        If it is no path, is a folder, lies in none, or exists though it must not.
    """
    if not isinstance(path, str | os.PathLike) or not isinstance(name := os.fspath(path), str):
        raise ArgumentError(f"{argument} must be the name of a file, not {path!r}")
    found = Path(name).expanduser()
    if found.is_dir():
        raise ArgumentError(f"{argument}: {name!r} is a folder; name a file in it")
    if not found.parent.is_dir():
        raise ArgumentError(f"{argument}: there is no folder {str(found.parent)!r}")
    if found.exists() and not overwrite:
        raise ArgumentError(
            f"{argument}: {name!r} exists; choose another name or pass overwrite=True"
        )
    return found.resolve() if found.is_symlink() else found


@contextmanager
def unfinished(path: Path, family: frozenset[str] = frozenset()) -> Iterator[Path]:
    """Give the name of a file to write, which becomes `path` once it is whole.

    The file lies in a hidden folder beside `path`, on the same disk. When the block ends it is flushed to
    the disk and renamed, together with all that was written beside it; when the block raises, nothing
    has changed. What a killed process of this machine left for the same name is removed, once renaming
    of several files that it had begun is finished.

    Parameters
    ----------
    path : pathlib.Path
        The final name. One that exists is replaced.
    family : frozenset of str
        Extensions of files beside `path` that belong to it, such as ``.dbf`` to a ``.shp``. Those of
        the file that is replaced go with it.

    Raises
    ------
    OutputError
        If the disk does not take it.
    """
    owner = f"{_host()}-{os.getpid()}-{secrets.token_hex(4)}"
    folder = path.parent / f".{path.name}.{owner}.tmp"
    try:
        finish_exchange(path)
        _remove_leftovers(path)
        folder.mkdir()
        yield folder / path.name
        _move_in(folder, path, family)
    except OSError as error:
        if isinstance(error, OutputError):
            raise
        raise OutputError(f"{path} cannot be written: {error}") from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _move_in(folder: Path, path: Path, family: frozenset[str]) -> None:
    new = sorted(folder.iterdir(), key=lambda file: file.name == path.name)
    for file in new:
        _flush(file)
    if len(new) == 1 and not family:
        os.replace(new[0], path)
    else:
        _exchange(folder, new, path, family)
    _flush(path.parent)


def _exchange(folder: Path, new: list[Path], path: Path, family: frozenset[str]) -> None:
    """Put several files in the place of others; those come back if it fails.

    A journal lies beside the new files meanwhile: they are whole, so that `finish_exchange` can do the rest
    if the process is killed.
    """
    stem = path.with_suffix("")
    ends = {*family, *(file.name[len(stem.name) :].casefold() for file in new)}
    old = sorted(
        file
        for file in path.parent.iterdir()
        if file.name.startswith(stem.name) and file.name[len(stem.name) :].casefold() in ends
    )
    kept = folder / "replaced"
    kept.mkdir()
    with open_own(folder / JOURNAL, new=True) as journal:
        lock(journal)
        names = {"old": [file.name for file in old], "new": [file.name for file in new]}
        journal.write(json.dumps(names).encode())
        journal.flush()
        os.fsync(journal.fileno())
        moved: list[tuple[Path, Path]] = []
        try:
            for where, name in [
                *((file, kept / file.name) for file in old),
                *((file, path.with_name(file.name)) for file in new),
            ]:
                os.replace(where, name)
                moved.append((where, name))
        except BaseException:
            for where, name in reversed(moved):
                os.replace(name, where)
            raise


def finish_exchange(path: Path) -> None:
    """Finish the renaming of several files, among them `path`, in which a process was killed.

    Raises
    ------
    OSError
        If that cannot be done.
    """
    pattern = re.compile(re.escape(f".{path.name}.") + r"\w+-\d+-[0-9a-f]{8}\.tmp")
    for folder in [place for place in _entries(path.parent) if pattern.fullmatch(place.name)]:
        if folder.is_symlink() or not (folder / JOURNAL).is_file():
            continue
        with open_own(folder / JOURNAL) as journal:
            if not lock(journal):
                continue
            old, new = _journalled(journal.read(), path.stem)
            for name in old - new:
                path.with_name(name).unlink(missing_ok=True)
            for name in new:
                if (folder / name).exists():
                    os.replace(folder / name, path.with_name(name))
        shutil.rmtree(folder, ignore_errors=True)


def _journalled(text: bytes, stem: str) -> tuple[set[str], set[str]]:
    """Names of the old and the new files in a journal; none if it is not whole, as nothing was renamed then."""
    try:
        found = json.loads(text)
        old, new = ({*map(str, found[which])} for which in ("old", "new"))
    except (ValueError, KeyError, TypeError):
        return set(), set()
    own = all(Path(name).name == name and name.startswith(stem) for name in old | new)
    return (old, new) if own else (set(), set())


def _entries(folder: Path) -> list[Path]:
    return list(folder.iterdir()) if folder.is_dir() else []


def _flush(path: Path) -> None:
    """Make sure that a file, or a new name in a folder, outlasts a loss of power, where that can be done."""
    with suppress(OSError):
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _host() -> str:
    return re.sub(r"\W", "_", socket.gethostname()) or "host"


def _remove_leftovers(path: Path) -> None:
    """Remove what processes that are no more have left of this file."""
    pattern = re.compile(re.escape(f".{path.name}.{_host()}-") + r"(\d+)-[0-9a-f]{8}\.tmp")
    for folder in path.parent.iterdir():
        found = pattern.fullmatch(folder.name)
        if found and not _is_running(int(found[1])):
            shutil.rmtree(folder, ignore_errors=True)


def _is_running(process: int) -> bool:
    if os.name != "posix":
        return True  # there, asking a process would end it
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True
