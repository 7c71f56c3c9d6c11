"""Values in planetary labels: numbers with or without units, quoted texts, lists."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["entries", "length", "listed", "number", "text", "unit"]

_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[EeDd][+-]?\d+)?")

_WITH_UNIT = re.compile(r"(.*?)\s*<([^<>]*)>\s*", re.DOTALL)

#: Metres in a unit of length, by how labels spell it.
METRES = {
    **dict.fromkeys(("m", "meter", "meters", "metre", "metres"), 1.0),
    **dict.fromkeys(("km", "kilometer", "kilometers", "kilometre", "kilometres"), 1000.0),
}


def entries(label: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Keys and values of a label at all depths, as GDAL gives them in JSON."""
    for key, value in label.items():
        if isinstance(value, dict) and "value" not in value:
            yield from entries(value)
        else:
            yield key, value


def _taken_apart(value: Any) -> tuple[Any, str]:  # noqa: ANN401
    """A value and its unit; an empty text if it has none."""
    if isinstance(value, dict):
        return value.get("value"), str(value.get("unit", ""))
    if isinstance(value, str):
        bare = value.strip().strip("\"'").strip()
        found = _WITH_UNIT.fullmatch(bare)
        return (found[1].strip().strip("\"'"), found[2].strip()) if found else (bare, "")
    return value, ""


def text(value: Any) -> str:  # noqa: ANN401
    """A value as a text, without quotes and unit.

    Examples
    --------
    >>> text('"PLANETOGRAPHIC"'), text({"value": 5, "unit": "KM"})
    ('PLANETOGRAPHIC', '5')
    """
    bare, _ = _taken_apart(value)
    return "" if bare is None else str(bare)


def unit(value: Any) -> str:  # noqa: ANN401
    """The unit of a value, in lower case; empty if it has none.

    Examples
    --------
    >>> unit("200.0<DEG>"), unit(200.0)
    ('deg', '')
    """
    return _taken_apart(value)[1].casefold()


def number(value: Any) -> float | None:  # noqa: ANN401
    """A value as a number; None if it is none.

    Examples
    --------
    >>> number("200.0<DEG>"), number('"1.5D3 <km>"'), number({"value": 2, "unit": "m"}), number("N/A")
    (200.0, 1500.0, 2.0, None)
    """
    bare, _ = _taken_apart(value)
    if isinstance(bare, bool):
        return None
    if isinstance(bare, int | float):
        return float(bare)
    if isinstance(bare, str) and _NUMBER.fullmatch(bare):
        return float(re.sub("[Dd]", "e", bare))
    return None


def listed(value: Any) -> list[Any]:  # noqa: ANN401
    """The values of a list, or the one value.

    Examples
    --------
    >>> listed([7, 9]), listed("(7, 9)"), listed(7)
    ([7, 9], ['7', '9'], [7])
    """
    if isinstance(value, list):
        return value
    bare = value.strip() if isinstance(value, str) else ""
    if bare[:1] + bare[-1:] in ("()", "{}"):
        return [part.strip() for part in bare[1:-1].split(",")]
    return [value]


def length(value: Any, default: str) -> float | None:  # noqa: ANN401
    """A length in metres, also one a pixel (``<km/pixel>``); None if it is none or its unit unknown.

    Parameters
    ----------
    value : object
        The value.
    default : str
        The unit that it has if it names none.

    Examples
    --------
    >>> length("3396.19 <KM>", "m"), length({"value": 463.0, "unit": "METRES/PIXEL"}, "km")
    (3396190.0, 463.0)
    """
    size, named = number(value), unit(value) or default
    metres = METRES.get(named.partition("/")[0].strip())
    return None if size is None or metres is None else size * metres
