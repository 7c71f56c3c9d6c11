"""Whether a coordinate reference system is of a given body.

Equality of CRS is the wrong question: files write the same system in many ways. Names and radii tell.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING, Any

from craterkit.bodies import Body, get_body, list_bodies
from craterkit.errors import BodyError, CRSError

if TYPE_CHECKING:
    import pyproj

__all__ = ["body_called", "check_body", "radii_text"]

# How GDAL calls the ellipsoid of a damaged GeoTIFF, for which it puts the Earth's.
_UNREADABLE = "unretrievable"
# Radii of a system may differ from the body's by this much: if the system names the body (older
# reports had other radii), and if it names none (ISIS writes the local radius).
_NAMED_TOLERANCE, _ANONYMOUS_TOLERANCE = 0.2, 0.005
_EARTH_WORDS = frozenset({"wgs", "etrs", "etrf", "nad", "grs", "itrf", "egm"})
# Bodies whose names are words or abbreviations with other uses. They count only with radii to
# match: "Io" in the name of a system with the Moon's radius says nothing.
_EVERYDAY_WORDS = frozenset({"Sun", "Earth", "Io", "Ida", "Pan", "Atlas", "Puck", "Juliet"})


def check_body(crs: pyproj.CRS, body: Body, what: str, argument: str) -> None:
    """Raise if a CRS is of another body, by its names and its radii.

    Parameters
    ----------
    crs : pyproj.CRS
        Horizontal, with an ellipsoid.
    body : Body
        The body that it should be of.
    what : str
        What the CRS belongs to, for messages.
    argument : str
        The argument that would override it, for messages.

    Raises
    ------
    CRSError
        If it is of another body.
    """
    assert crs.ellipsoid is not None
    if crs.ellipsoid.name.startswith(_UNREADABLE):
        raise CRSError(
            f"{what}: the ellipsoid of its CRS {crs.name!r} cannot be read. Pass the right CRS as {argument}=."
        )
    a, b = crs.ellipsoid.semi_major_metre, crs.ellipsoid.semi_minor_metre
    candidates = {
        name: candidate
        for name, candidate in _named_bodies(crs, body).items()
        if name not in _EVERYDAY_WORDS
        or candidate == body
        or _misfit(a, b, candidate) <= _ANONYMOUS_TOLERANCE
    }
    override = f"If the CRS is wrong, pass the right one as {argument}=."
    if not candidates and _misfit(a, b, body) > _ANONYMOUS_TOLERANCE:
        raise CRSError(
            f"{what}: its CRS {crs.name!r} names no body, and its radii ({radii_text(a, b)}) are not "
            f"those of {body.name} ({radii_text(body.a, body.b)}). {override}"
        )
    if not candidates:
        return
    # A name like "Jupiter moon Europa" mentions several; the radii tell which is meant.
    nearest = min(candidates.values(), key=lambda named: (_misfit(a, b, named), named != body))
    if nearest != body:
        raise CRSError(
            f"{what}: its CRS {crs.name!r} is of {nearest.name}, but {body.name} is the body "
            f"asked for. {override}"
        )
    if _misfit(a, b, body) > _NAMED_TOLERANCE:
        raise CRSError(
            f"{what}: its CRS {crs.name!r} is named after {body.name}, but its radii "
            f"({radii_text(a, b)}) are more than {_NAMED_TOLERANCE:.0%} from {radii_text(body.a, body.b)}. "
            f"{override}"
        )


def body_called(name: str, body: Body) -> Body | None:
    """The body that a text names: `body` if it answers to it, else one of the list; None if it names none.

    Examples
    --------
    >>> bennu = Body("101955 Bennu", a=282.37)
    >>> body_called("bennu", bennu) is bennu, body_called("IAU_MOON", bennu).name
    (True, 'Moon')
    >>> body_called("crater", bennu)
    """
    try:
        found = get_body(name)
    except BodyError:
        words, own = _words(name), _words(body.name)
        # "Bennu" and "101955 Bennu" are one, unless there are two numbers.
        same = own in (words, _unnumbered(words)) or words == _unnumbered(own)
        return body if words and same else None
    answers = found.naif_id == body.naif_id or found.name in _synonyms(body)
    return body if answers else found


def _unnumbered(words: tuple[str, ...]) -> tuple[str, ...]:
    """Words without numbers: "Bennu" of "101955 Bennu"."""
    return tuple(word for word in words if not word.isdecimal())


def _synonyms(body: Body) -> set[str]:
    """Listed bodies to whose names a body answers: Body("Moon 1738 km") to "Moon", too."""
    return set(_mentions(_words(body.name), _listed_words()))


def _misfit(a: float, b: float, body: Body) -> float:
    """Return by how much, relatively, the radii a and b leave the span from body.b to body.a."""
    return max(max(a, b) / body.a - 1.0, 1.0 - min(a, b) / body.b, 0.0)


def radii_text(a: float, b: float) -> str:
    """Radii of an ellipsoid for messages."""
    return f"{a:.10g} m" if a == b else f"{a:.10g} and {b:.10g} m"


def _named_bodies(crs: pyproj.CRS, body: Body) -> dict[str, Body]:
    """Return the bodies that the names in `crs` mention as whole words."""
    names = {crs.name, *(part.name for part in (crs.datum, crs.ellipsoid) if part)}
    if crs.geodetic_crs is not None:
        names.add(crs.geodetic_crs.name)
    own, synonyms = _words(body.name), _synonyms(body)
    patterns = {w: "" if name in synonyms else name for w, name in _listed_words().items()}
    patterns |= {words: "" for words in (own, _unnumbered(own)) if words}  # "": the body itself
    found = {mention for name in names for mention in _mentions(_words(name), patterns)}
    if not found and _is_of_epsg(crs.to_json_dict()):
        found.add(patterns["earth",])
    return {name or body.name: get_body(name) if name else body for name in found}


def _words(name: str) -> tuple[str, ...]:
    """Split a name into runs of letters and runs of digits."""
    return tuple(re.findall(r"[^\W\d_]+|\d+", name.casefold()))


@cache
def _listed_words() -> dict[tuple[str, ...], str]:
    words = {_words(name): name for name in list_bodies()}
    return words | {(word,): "Earth" for word in _EARTH_WORDS}


def _mentions(words: tuple[str, ...], patterns: dict[tuple[str, ...], str]) -> Iterator[str]:
    """Yield what the patterns in `words` stand for, the longest at each place."""
    longest = max(map(len, patterns))
    start = 0
    while start < len(words):
        lengths = range(min(longest, len(words) - start), 0, -1)
        hit = next((n for n in lengths if words[start : start + n] in patterns), 0)
        if hit:
            yield patterns[words[start : start + hit]]
        start += max(hit, 1)


def _is_of_epsg(crs: dict[str, Any]) -> bool:
    """Whether the CRS, its base, datum or ellipsoid bears a code of the EPSG's registry."""
    if crs.get("id", {}).get("authority") == "EPSG":
        return True
    parts = (crs.get(key) for key in ("base_crs", "datum", "datum_ensemble", "ellipsoid"))
    return any(_is_of_epsg(part) for part in parts if part)
