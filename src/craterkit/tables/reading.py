"""Reading files of features into data frames.

The frame comes back as the file has it: no column is renamed, converted or dropped here. A file
that cannot be read whole is an error, never a part of it.
"""

import bz2
import csv
import gzip
import io
import lzma
import os
import re
import time
import zipfile
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import Any, Literal, TypeAlias
from urllib.parse import unquote, urlsplit

import pandas as pd

from craterkit.addresses import cause, without_secrets
from craterkit.daemon_threads import DaemonThreads, result_of
from craterkit.downloads import download
from craterkit.errors import TableError
from craterkit.extraction.raster_files import is_remote
from craterkit.files.writing import finish_exchange
from craterkit.rasters.gdal_settings import patience, silence, timeouts
from craterkit.tables.comment_lines import header_of, lines_of
from craterkit.tables.geojson_crs import without_assumed_crs

__all__ = ["MissingTableError", "read_table"]

Source: TypeAlias = str | io.BytesIO

# The separator that a file of this extension has unless its lines say otherwise.
_TEXT = {".csv": ",", ".tsv": "\t", ".tab": "\t", ".txt": "\t"}
_OTHER_SEPARATORS = (";", "|")
_PARQUET = (".parquet", ".geoparquet", ".pq")
_FEATHER = (".feather",)
_GEOGRAPHIC = (".shp", ".gpkg", ".geojson", ".json", ".fgb", ".gml", ".kml")
_SEVERAL = (".shp", ".shx", ".dbf")  # a table in several files, which GDAL finds
_OPENERS: dict[str, Callable[..., Any]] = {
    "": open,
    ".gz": gzip.open,
    ".bz2": bz2.open,
    ".xz": lzma.open,
}
_COMPRESSIONS: dict[str, Literal["gzip", "bz2", "xz"] | None] = {
    "": None,
    ".gz": "gzip",
    ".bz2": "bz2",
    ".xz": "xz",
}
_SPACED = (".txt", ".tab")  # texts whose fields may be set apart by spaces
_SAMPLE = 1 << 16  # bytes that are looked at before a text is read
_ACCEPTED = (
    f"craterkit reads {', '.join(_TEXT)} (also as .gz, .bz2, .xz or .zip), "
    f"{', '.join((*_PARQUET, *_FEATHER))}, {', '.join(_GEOGRAPHIC)} and what else geopandas reads"
)


class MissingTableError(TableError, FileNotFoundError):
    """A dataset whose file does not exist."""


def read_table(path: str | os.PathLike[str]) -> pd.DataFrame:
    r"""Read a file of features.

    Parameters
    ----------
    path : str or os.PathLike
        A file, or an address that starts with ``http://`` or ``https://``. The extension tells
        the format: text (``.csv .tsv .tab .txt``, also compressed; the separator is found from
        the lines), ``.parquet``, ``.feather``, or what geopandas reads
        (``.shp .gpkg .geojson .fgb .gml .kml`` and so on).

    Returns
    -------
    pandas.DataFrame
        The table; a GeoDataFrame where the file has a geometry.

    Raises
    ------
    MissingTableError
        If there is no such file. It is a FileNotFoundError as well.
    TableError
        If the file cannot be read as a table.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = pathlib.Path(folder, "craters.csv")
    ...     _ = file.write_text("lat,lon,diam_km\n10.5,20,3.2\n")
    ...     read_table(file)
        lat  lon  diam_km
    0  10.5   20      3.2
    """
    if not isinstance(path, str | os.PathLike) or not isinstance(name := os.fspath(path), str):
        raise TableError(f"a dataset must be a path, not {type(path).__name__}")
    remote = re.match(r"https?://", name) is not None
    virtual = name.startswith("/vsi")  # GDAL's own file systems
    if not remote and not virtual:
        name = str(Path(name).expanduser())
        if name.lower().endswith(".shp"):
            try:
                finish_exchange(Path(name))
            except OSError as error:
                raise TableError(f"{name}: its writing was cut short: {error}") from error
        _check_file(name)
    suffix, packing = _suffixes(unquote(urlsplit(name).path) if remote else name)
    if not remote or suffix in _SEVERAL:
        return _read(name, name, suffix, packing)
    with TemporaryDirectory(prefix="craterkit-") as folder:
        return _read(without_secrets(name), download(name, folder), suffix, packing)


def _read(name: str, source: Source, suffix: str, packing: str) -> pd.DataFrame:
    """Read a file that messages call `name`."""
    try:
        if packing == ".zip" and (suffix in _TEXT or not name.startswith("/vsi")):
            with zipfile.ZipFile(source) as archive:
                member, suffix = _text_in_zip(name, archive.namelist(), suffix)
                if member:
                    source, packing = io.BytesIO(archive.read(member)), ""
        if suffix in _TEXT:
            return _read_text(name, source, suffix, packing)
        if suffix in (*_PARQUET, *_FEATHER):
            return _read_arrow(name, source, suffix)
        assert isinstance(source, str)
        if is_remote(source):
            return _ask_server(name, source)
        return _read_geographic(name, source)
    except TableError:
        raise
    except Exception as error:  # drivers and parsers have no common base
        raise TableError(f"{name} cannot be read: {error}; {_ACCEPTED}") from cause(error)


def _check_file(name: str) -> None:
    if not os.path.exists(name):
        raise MissingTableError(f"{name} does not exist; {_ACCEPTED}")
    if os.path.isdir(name):
        if not name.lower().endswith(".gdb"):  # a file geodatabase is a directory
            raise TableError(f"{name} is a directory, not a file; {_ACCEPTED}")
    elif os.path.getsize(name) == 0:
        raise TableError(f"{name} is empty")


def _suffixes(name: str) -> tuple[str, str]:
    """Split off the extension of the format and that of the packing, if any."""
    parts = [part.lower() for part in PurePosixPath(name).suffixes]
    if parts and parts[-1] in (*_OPENERS, ".zip"):
        return (parts[-2] if len(parts) > 1 else ""), parts[-1]
    return (parts[-1] if parts else ""), ""


def _text_in_zip(name: str, members: list[str], suffix: str) -> tuple[str, str]:
    """Find a zip's one text: its member and extension, or two "" for geopandas to look."""
    members = [m for m in members if not m.startswith("__MACOSX") and not m.endswith("/")]
    kinds = {member: _suffixes(member)[0] for member in members}
    if suffix in _TEXT and len(kinds) == 1:
        return next(iter(kinds)), suffix
    if not set(_TEXT).isdisjoint(kinds.values()) and set(_GEOGRAPHIC).isdisjoint(kinds.values()):
        texts = [member for member, kind in kinds.items() if kind in _TEXT]
        # A .txt beside a .csv only tells what the columns are.
        texts = [member for member in texts if kinds[member] != ".txt"] or texts
        if len(texts) > 1:
            raise TableError(f"{name} holds several tables ({', '.join(texts)}); pass one of them")
        return texts[0], kinds[texts[0]]
    return "", ""


def _sample(source: Source, packing: str) -> bytes:
    if isinstance(source, io.BytesIO) and not packing:
        return source.getvalue()[:_SAMPLE]
    with _OPENERS[packing](source, "rb") as stream:
        return bytes(stream.read(_SAMPLE))


def _read_text(name: str, source: Source, suffix: str, packing: str) -> pd.DataFrame:
    sample = _sample(source, packing)
    if not sample.strip():
        raise TableError(f"{name} is empty")
    encoding = "utf-16" if sample.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig"
    if encoding != "utf-16" and re.search(rb"[\x00-\x08\x0e-\x19\x1b-\x1f]", sample):
        raise TableError(f"{name} is not text, whatever its name says; {_ACCEPTED}")
    text = sample.decode(encoding, errors="replace")
    if len(sample) == _SAMPLE:
        text = text.rpartition("\n")[0] or text  # the last line is cut off
    above, header = header_of(text, tuple(dict.fromkeys(_TEXT.values())) + _OTHER_SEPARATORS)
    below = lines_of(text)[above:]
    if header is not None:
        below[0] = header
    separator = _separator("\n".join(below), suffix)
    try:
        table = _parse(source, encoding, separator, packing, above, header)
    except UnicodeDecodeError:
        table = _parse(source, "latin-1", separator, packing, above, header)
    if not isinstance(table.index, pd.RangeIndex):
        # pandas took the first column for the index, which shifts all names by one.
        raise TableError(f"{name} has rows with more fields than its header has names")
    return table


def _parse(
    source: Source, encoding: str, separator: str, packing: str, above: int, header: str | None
) -> pd.DataFrame:
    if isinstance(source, io.BytesIO):
        source.seek(0)

    def parse(source: Any, **options: Any) -> pd.DataFrame:  # noqa: ANN401
        blanks = separator != "\t"
        return pd.read_csv(
            source, sep=separator, skipinitialspace=blanks, low_memory=False, **options
        )

    if not above and header is None:
        return parse(source, encoding=encoding, compression=_COMPRESSIONS[packing])
    opened = (
        io.BytesIO(source.getvalue())
        if isinstance(source, io.BytesIO)
        else _OPENERS[packing](source, "rb")
    )
    with opened, io.TextIOWrapper(opened, encoding=encoding, newline="") as lines:
        # pandas would look for quotes in lines that it skips.
        for _ in range(above if header is None else above + 1):
            lines.readline()
        if header is None:
            return parse(lines)
        names = list(parse(io.StringIO(header)).columns)
        return parse(lines, header=None, names=names)


def _separator(text: str, suffix: str) -> str:
    r"""Find what separates the fields: what splits every line into as many as the header.

    Examples
    --------
    >>> _separator("lat;lon;r\n1,5;2,5;3\n", ".csv")
    ';'
    """
    lines = [line for line in text.splitlines() if line.strip()][:50]
    usual = _TEXT[suffix]
    header_widths = {}
    for separator in dict.fromkeys((usual, "\t", ",", *_OTHER_SEPARATORS)):
        widths = [len(fields) for fields in csv.reader(lines, delimiter=separator)]
        if len(set(widths)) == 1 and widths[0] > 1:
            return separator
        header_widths[separator] = widths[0]
    by_spaces = {len(line.split()) for line in lines}
    if suffix in _SPACED and len(by_spaces) == 1 and 1 not in by_spaces:
        return r"\s+"
    return max(header_widths, key=header_widths.__getitem__)


def _read_arrow(name: str, source: Source, suffix: str) -> pd.DataFrame:
    try:
        import pyarrow.ipc
        import pyarrow.parquet
    except ImportError as error:
        raise TableError(
            f"{name} needs pyarrow, which is not installed; "
            'install it with: pip install "craterkit[parquet]"'
        ) from error
    parquet = suffix in _PARQUET
    if parquet:
        schema = pyarrow.parquet.read_schema(source)
    else:
        with pyarrow.ipc.open_file(source) as stream:
            schema = stream.schema
    if isinstance(source, io.BytesIO):
        source.seek(0)
    if b"geo" in (schema.metadata or {}):
        import geopandas

        read = geopandas.read_parquet if parquet else geopandas.read_feather
    else:
        read = pd.read_parquet if parquet else pd.read_feather
    table: pd.DataFrame = read(source)
    return table


def _read_geographic(name: str, source: str) -> pd.DataFrame:
    import geopandas

    layers = geopandas.list_layers(source)
    spatial = layers["name"][layers["geometry_type"].notna()].tolist()
    if len(spatial) > 1:
        raise TableError(
            f"{name} holds {len(spatial)} layers ({', '.join(spatial)}); read one with "
            "geopandas.read_file(path, layer=...) and pass the GeoDataFrame"
        )
    layer = (spatial or layers["name"].tolist())[0]
    table: pd.DataFrame = geopandas.read_file(source, layer=layer)
    return without_assumed_crs(table, source)


def _ask_server(name: str, source: str) -> pd.DataFrame:
    """Read what GDAL gets from a server by itself, in a thread for which Ctrl-C need not wait."""
    import pyogrio  # type: ignore[import-untyped]

    if not source.startswith("/vsi"):
        source = f"/vsicurl/{source}"
    wanted = timeouts()
    missing = {key: wanted[key] for key in wanted if pyogrio.get_gdal_config_option(key) is None}
    pyogrio.set_gdal_config_options(missing)
    begin, threads = time.monotonic(), DaemonThreads(1)
    try:
        table: pd.DataFrame = result_of(threads.submit(_read_geographic, name, source))
    except Exception as error:
        if patience() and time.monotonic() - begin >= patience():
            raise TableError(f"{name} cannot be read: {silence()}") from error
        raise
    finally:
        threads.close()
        pyogrio.set_gdal_config_options(dict.fromkeys(missing))
    return table
