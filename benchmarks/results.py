"""What benchmarks find: rows, kept as JSON and shown as one Markdown table."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

__all__ = ["Part", "Row", "fill", "load", "render", "save"]

_HEADER = "| measured | time | ROI/s | peak memory | compared |\n| --- | ---: | ---: | ---: | --- |"


@dataclass(frozen=True, slots=True)
class Row:
    """One measurement.

    Attributes
    ----------
    what : str
        What was measured.
    seconds : float or None
        How long it took.
    rate : float or None
        ROIs a second.
    peak : float or None
        The most memory that the process had resident, in MB (10⁶ bytes).
    ratios : dict of str to float
        Factors, by what they compare with.
    note : str
        What else there is to say.
    """

    what: str
    seconds: float | None = None
    rate: float | None = None
    peak: float | None = None
    ratios: dict[str, float] = field(default_factory=dict)
    note: str = ""


@dataclass(frozen=True, slots=True)
class Part:
    """The rows of one benchmark, all measured in one run."""

    title: str
    rows: tuple[Row, ...]
    finished: str = ""


def save(path: Path, machine: dict[str, str], parts: dict[str, Part]) -> None:
    """Write a run as JSON."""
    run = {"machine": machine, "parts": {name: asdict(part) for name, part in parts.items()}}
    path.write_text(json.dumps(run, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def load(path: Path) -> tuple[dict[str, str], dict[str, Part]]:
    """Return the machine and the parts that `save` wrote; nothing if there is no such file."""
    if not path.exists():
        return {}, {}
    run: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    parts = {
        name: Part(part["title"], tuple(Row(**row) for row in part["rows"]), part["finished"])
        for name, part in run["parts"].items()
    }
    return run["machine"], parts


def render(parts: Iterable[Part]) -> str:
    """Return one Markdown table of all parts."""
    lines = [_HEADER]
    for part in parts:
        lines.append(f"| **{part.title}** ({part.finished}) | | | | |")
        lines += [_line(row) for row in part.rows]
    return "\n".join(lines)


def fill(page: str, section: str, text: str) -> str:
    """Return a page with the text between ``<!-- section -->`` and ``<!-- /section -->`` replaced."""
    opening, closing = f"<!-- {section} -->\n", f"<!-- /{section} -->"
    if page.count(opening) != 1 or page.count(closing) != 1:
        raise ValueError(f"the page needs one {opening.strip()} and one {closing}")
    before, rest = page.split(opening)
    return f"{before}{opening}\n{text}\n\n{closing}{rest.split(closing)[1]}"


def _line(row: Row) -> str:
    compared = [f"{_number(ratio)} × {against}" for against, ratio in row.ratios.items()]
    cells = (
        row.what,
        "" if row.seconds is None else _duration(row.seconds),
        "" if row.rate is None else f"{row.rate:,.0f}",
        "" if row.peak is None else f"{row.peak:,.0f} MB",
        "; ".join([*compared, row.note] if row.note else compared),
    )
    return "| " + " | ".join(cells) + " |"


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 20 else f"{value:.2g}" if value < 1 else f"{value:.1f}"


def _duration(seconds: float) -> str:
    if seconds < 1:
        return f"{1000 * seconds:.0f} ms" if seconds >= 0.01 else f"{1000 * seconds:.2g} ms"
    return f"{seconds:.2f} s" if seconds < 10 else f"{seconds:.1f} s"
