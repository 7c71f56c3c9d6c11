"""In what the manifests of two runs differ."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from craterkit.results.hashes import HASH

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["differences"]

#: Differences that a message lists.
LISTED = 12


def differences(there: dict[str, Any], now: dict[str, Any]) -> list[str]:
    """In what a manifest differs from this run's, in words.

    Examples
    --------
    >>> differences({"coverage": "center", "bands": [1]}, {"coverage": "fraction", "bands": [1]})
    ["coverage: 'center' there, 'fraction' now"]
    """
    found = list(dict.fromkeys(_compare("", there, now)))
    more = len(found) - LISTED
    return [*found[:LISTED], f"{more} more"] if more > 0 else found


def _compare(key: str, there: Any, now: Any) -> Iterator[str]:  # noqa: ANN401
    if there == now:
        return
    if isinstance(there, dict) and isinstance(now, dict):
        if "mtime_ns" in there and there.get("path") == now.get("path"):
            yield f"{key}: the file has changed ({there['path']})"
            return
        for name in {**there, **now}:
            inner = f"{key}.{name}" if key else name
            if name in there and name in now:
                yield from _compare(inner, there[name], now[name])
            elif name in there:
                yield f"{inner}: {_shortened(there[name])} there, nothing now"
            else:
                yield f"{inner}: nothing there, {_shortened(now[name])} now"
    elif _is_nested(there) and _is_nested(now) and len(there) == len(now):
        for number, (one, other) in enumerate(zip(there, now, strict=True)):
            yield from _compare(f"{key}[{number}]", one, other)
    elif _shortened(there) == _shortened(now):
        yield f"{key}: has changed"
    else:
        yield f"{key}: {_shortened(there)} there, {_shortened(now)} now"


def _is_nested(value: object) -> bool:
    return isinstance(value, list) and any(isinstance(item, list | dict) for item in value)


def _shortened(value: Any) -> str:  # noqa: ANN401
    if isinstance(value, str):
        value = re.sub(rf" ?{HASH}\w+", "", value)
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
