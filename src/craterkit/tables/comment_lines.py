"""Comment lines above the header of a text table."""

from __future__ import annotations

import csv
import re
from contextlib import suppress

__all__ = ["header_of", "lines_of"]


def header_of(text: str, separators: tuple[str, ...]) -> tuple[int, str | None]:
    r"""How many lines come before the header, and the header where it begins with a comment sign itself.

    Blank lines and lines that begin with ``#`` are comments; the last of them is the header if what follows
    has as many fields, and numbers among them.

    Parameters
    ----------
    text : str
        The beginning of a table.
    separators : tuple of str
        What may separate fields, besides blanks.

    Examples
    --------
    >>> header_of("# Craters\n\nlat,lon,diam\n1,2,3", (",",))
    (2, None)
    >>> header_of("# Craters\n# lat, lon, diam\n1,2,3", (",",))
    (1, 'lat, lon, diam')
    """
    lines = lines_of(text)
    first = next((n for n, line in enumerate(lines) if not _is_comment(line)), len(lines))
    comments = [n for n in range(first) if lines[n].strip()]
    if not comments:
        return 0, None
    last = lines[comments[-1]].strip().lstrip("#").strip()
    if first == len(lines):
        return comments[-1], last  # a table without rows
    for separator in (*separators, None):
        fields, names = _fields(lines[first], separator), _fields(last, separator)
        if len(fields) == len(names) > 1 and any(map(_is_number, fields)):
            return comments[-1], last
    return first, None


def lines_of(text: str) -> list[str]:
    """Lines as files are read line by line, which `str.splitlines` ends at other signs, too."""
    return re.split(r"\r\n|\r|\n", text)


def _is_comment(line: str) -> bool:
    return not line.strip() or line.lstrip().startswith("#")


def _fields(line: str, separator: str | None) -> list[str]:
    if separator is None:
        return line.split()
    return next(csv.reader([line], delimiter=separator), [])


def _is_number(field: str) -> bool:
    with suppress(ValueError):
        float(field.replace(",", "."))
        return True
    return False
