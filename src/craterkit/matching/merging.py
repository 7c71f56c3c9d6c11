"""One database made of two: features that are the same become one, and keep what both know of them."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, fields, replace
from itertools import permutations
from typing import TYPE_CHECKING, Any

import numpy as np

from craterkit.errors import BodyError, CraterkitWarning, RegionError, quoted
from craterkit.matching.columns import united_table
from craterkit.matching.pairs import match_features
from craterkit.regions import Annulus, Ellipse, Polygons, Sector
from craterkit.tables.features import Features

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd
    from numpy.typing import NDArray

    from craterkit.bodies import Body
    from craterkit.regions import Region

    Ints = NDArray[np.intp]

__all__ = ["Catalogue", "merge_catalogues"]


@dataclass(frozen=True, slots=True)
class Catalogue:
    """What a database is made of.

    Attributes
    ----------
    body : Body
        The body.
    features : Features
        The n features.
    table : pandas.DataFrame
        A row for each, with whatever columns.
    regions : mapping
        Definitions by name.
    """

    body: Body
    features: Features
    table: pd.DataFrame
    regions: Mapping[str, Region]


def merge_catalogues(a: Catalogue, b: Catalogue, *, position: float, size: float) -> Catalogue:
    """Everything of one catalogue, and the features of another that it does not have.

    Parameters
    ----------
    a, b : Catalogue
        The catalogues.
    position, size : float
        Tolerances; see `match_features`.

    Returns
    -------
    Catalogue

    Raises
    ------
    BodyError
        If they are of different bodies.
    ArgumentError
        If a tolerance is no number of at least 0.
    RegionError
        If regions of one name have different definitions, or a region of one catalogue has the name of a
        column of the other.
    TableError
        If a table has two columns of one name.

    Warns
    -----
    CraterkitWarning
        If a region that is defined feature by feature is in one catalogue only, and so is left out.
    """
    if a.body != b.body:
        raise BodyError(
            f"databases of different bodies cannot be merged: a is of {a.body!r}, b of {b.body!r}"
        )
    for (role, one), (other_role, other) in permutations([("a", a), ("b", b)]):
        clashing = [name for name in one.regions if name in other.table.columns]
        if clashing:
            raise RegionError(
                f"{quoted(clashing)}: the name of a region in {role} and of a column in {other_role}; rename "
                f"or drop either before merging, for example with {role}.drop_region({clashing[0]!r})"
            )
    pairs = match_features(a.body, a.features, b.features, position=position, size=size)
    new = np.setdiff1d(np.arange(len(b.features)), pairs.b)
    features = Features(
        *(
            np.concatenate([getattr(a.features, name), getattr(b.features, name)[new]])
            for name in ("lon", "lat", "radius")
        )
    )
    table = united_table(a.body, (a.table, b.table), (a.features, b.features), (pairs.a, pairs.b))
    return Catalogue(a.body, features, table, _united_regions(a, b, new))


def _united_regions(a: Catalogue, b: Catalogue, new: Ints) -> dict[str, Region]:
    regions: dict[str, Region] = {}
    left_out = []
    for name in dict.fromkeys([*a.regions, *b.regions]):
        ours, theirs = a.regions.get(name), b.regions.get(name)
        if ours is None or theirs is None:
            only = theirs if ours is None else ours
            count = len(b.features if ours is None else a.features)
            united = only if _is_for_all(only) else None
            if united is None and count == len(a.features) and not new.size:
                united = ours
        else:
            united = _united(ours, theirs, len(a.features), new)
            if united is None:
                raise RegionError(
                    f"region {name!r} is {ours.describe()} in a and {theirs.describe()} in b; drop or "
                    "rename one of them before merging"
                )
        if united is None:
            left_out.append(name)
        else:
            regions[name] = united
    if left_out:
        warnings.warn(
            f"regions {quoted(left_out)} have a shape of their own for every feature in one database and "
            "are not in the other; they are left out of the merged one",
            CraterkitWarning,
            stacklevel=4,
        )
    return regions


def _is_for_all(region: Region | None) -> bool:
    """Whether a definition is the same for whatever features."""
    return isinstance(region, Annulus) or (
        isinstance(region, Ellipse | Sector)
        and all(np.ndim(getattr(region, field.name)) == 0 for field in fields(region))
    )


def _united(ours: Region, theirs: Region, count: int, new: Ints) -> Region | None:
    """The definition for `count` features of the one and some of the other; None if they contradict."""
    if type(ours) is not type(theirs):
        return None
    if isinstance(ours, Polygons):
        assert isinstance(theirs, Polygons)
        return Polygons(np.concatenate([ours.geometries, theirs.geometries[new]]))
    if not isinstance(ours, Annulus | Ellipse | Sector):
        return None
    changed: dict[str, Any] = {}
    for field in fields(ours):
        one, other = getattr(ours, field.name), getattr(theirs, field.name)
        if np.ndim(one) == 0 and np.ndim(other) == 0:
            if one != other:
                return None
        else:
            theirs_now = np.asarray(other)[new] if np.ndim(other) else np.full(new.size, other)
            ours_now = one if np.ndim(one) else np.full(count, one)
            changed[field.name] = np.concatenate([ours_now, theirs_now])
    return replace(ours, **changed) if changed else ours
