"""Bodies and regions as JSON, and what regions say of every feature as columns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from craterkit.bodies import Body
from craterkit.errors import RegionError, TableError
from craterkit.regions import Annulus, Ellipse, Polygons, Sector

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from craterkit.regions import Region

__all__ = [
    "DefinedRegion",
    "body_from_json",
    "body_to_json",
    "region_from_json",
    "region_to_json",
]

Json = dict[str, Any]

#: The numbers of each kind of region. Those of the second tuple may differ from feature to feature.
_PARTS: dict[str, tuple[type[Any], tuple[str, ...], tuple[str, ...]]] = {
    "annulus": (Annulus, ("inner", "outer", "nvert"), ()),
    "ellipse": (Ellipse, ("size", "nvert"), ("major", "minor", "azimuth")),
    "sector": (Sector, ("inner", "outer"), ("azimuth_from", "azimuth_to")),
    "polygons": (Polygons, (), ("geometries",)),
}


@dataclass(frozen=True, slots=True)
class DefinedRegion:
    """The definition of a region, without and with what it says of every feature.

    Attributes
    ----------
    definition : dict
        What JSON can hold: the kind of region and the numbers that hold for all features.
    columns : dict
        Arrays of one value for each feature, by the name of the number: floats (NaN where a feature has no
        ROI) or polygons (empty where it has none).
    """

    definition: Json
    columns: dict[str, NDArray[Any]]


def body_to_json(body: Body) -> Json:
    """A body as JSON holds it."""
    return {"name": body.name, "a": body.a, "b": body.b, "naif_id": body.naif_id}


def body_from_json(found: Any) -> Body:  # noqa: ANN401
    """The body that was written.

    Raises
    ------
    TableError
        If it is none.
    """
    try:
        return Body(found["name"], found["a"], found["b"], found["naif_id"])
    except (KeyError, TypeError, ValueError) as error:
        raise TableError(f"{found!r} does not describe a body: {error}") from error


def region_to_json(name: str, region: Region) -> DefinedRegion:
    """The definition of a region in two parts.

    Raises
    ------
    RegionError
        If it is of no kind that can be written.

    Examples
    --------
    >>> region_to_json("rim", Annulus(1, 1.5)).definition
    {'kind': 'annulus', 'inner': 1.0, 'outer': 1.5, 'nvert': None}
    """
    for kind, (cls, shared, several) in _PARTS.items():
        if type(region) is cls:
            definition = {"kind": kind} | {part: getattr(region, part) for part in shared}
            columns = {}
            for part in several:
                value = getattr(region, part)
                if np.ndim(value):
                    columns[part] = value
                else:
                    definition[part] = value
            return DefinedRegion(definition, columns)
    raise RegionError(
        f"region {name!r} ({region.describe()}) cannot be written; drop it with drop_region({name!r})"
    )


def region_from_json(
    name: str, definition: Json, column: Callable[[str], NDArray[Any] | None]
) -> Region:
    """The region that was written.

    Parameters
    ----------
    name : str
        Its name.
    definition : dict
        As from `region_to_json`.
    column : callable
        Gives the values of a number that differs from feature to feature; None if the file has lost them.

    Raises
    ------
    TableError
        If it is no definition, or the values are lost.
    """
    try:
        cls, shared, several = _PARTS[definition["kind"]]
        parts = {part: definition[part] for part in shared}
        for part in several:
            if part in definition:
                parts[part] = definition[part]
                continue
            values = column(part)
            if values is None:
                raise TableError(
                    f"region {name!r} needs its {part} of every feature, whose column the file no "
                    "longer has"
                )
            parts[part] = values
        made: Region = cls(**parts)
    except (KeyError, TypeError, RegionError) as error:
        raise TableError(
            f"region {name!r} cannot be made of {definition!r}: {error}; it was changed, or written by "
            "a later version"
        ) from error
    return made
