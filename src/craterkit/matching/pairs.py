"""Which features of two catalogues are the same: pairs that agree in position and in size."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from craterkit.errors import ArgumentError
from craterkit.geodesy import inverse
from craterkit.regions.checks import is_number

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from scipy.spatial import cKDTree

    from craterkit.bodies import Body
    from craterkit.tables.features import Features

    Floats = NDArray[np.float64]
    Ints = NDArray[np.intp]

__all__ = ["POSITION", "SIZE", "Pairs", "match_features"]

#: Farthest distance between the centres of one feature in two catalogues, in radii of the smaller.
POSITION = 0.5

#: Largest difference between its radii in two catalogues, in radii of the smaller.
SIZE = 0.25

#: Widest class of sizes, as a share of its smallest radius: pairs are looked for class by class.
WIDEST_CLASS = 0.25

#: Share of the candidates that a round may leave before they are gone through one by one, so many at a time.
SLOW, PASS = 0.75, 1 << 16

#: By how much a chord may come out too long.
ROUNDING = 1e-9


@dataclass(frozen=True, slots=True)
class Pairs:
    """Features that two catalogues share; every feature is in one pair at most.

    Attributes
    ----------
    a, b : (k,) ndarray of int
        Positions in the one catalogue and in the other, by rising `a`.
    distance : (k,) ndarray of float
        Metres along the geodesic between the two centres.
    """

    a: Ints
    b: Ints
    distance: Floats

    def __len__(self) -> int:
        return int(self.a.size)


def match_features(
    body: Body, a: Features, b: Features, *, position: float = POSITION, size: float = SIZE
) -> Pairs:
    """Find the features that two catalogues share.

    Parameters
    ----------
    body : Body
        The body.
    a, b : Features
        The catalogues.
    position : float, default 0.5
        Farthest distance between centres, in radii of the smaller feature. 0: the same place.
    size : float, default 0.25
        Largest difference between radii, in radii of the smaller feature. 0: the same radius.

    Returns
    -------
    Pairs

    Raises
    ------
    ArgumentError
        If a tolerance is no number of at least 0.

    Notes
    -----
    Pairs are made one to one, best first: by the misfit √((d/(position·r))² + (Δr/(size·r))²), with r the
    smaller radius, then by position in `a` and in `b`. d is the geodesic on the body's ellipsoid.

    Examples
    --------
    >>> from craterkit.bodies import get_body
    >>> from craterkit.tables.features import Features
    >>> basin = Features(lon=[10.0, 10.0], lat=[0.0, 0.0], radius=[5e4, 5e2])
    >>> small = Features(lon=[10.001], lat=[0.0], radius=[520.0])
    >>> pairs = match_features(get_body("moon"), basin, small)
    >>> print(pairs.a, pairs.b, pairs.distance.round(1))
    [1] [0] [30.3]
    """
    position, size = tolerance(position, "position"), tolerance(size, "size")
    same_a, same_b = _identical(a, b)
    rest_a, rest_b = (
        np.setdiff1d(np.arange(len(each)), known, assume_unique=True)
        for each, known in ((a, same_a), (b, same_b))
    )
    near_a, near_b, apart = _near(body, a[rest_a], b[rest_b], position, size)
    at_a, at_b = np.append(same_a, rest_a[near_a]), np.append(same_b, rest_b[near_b])
    distance = np.append(np.zeros(same_a.size), apart)
    order = np.argsort(at_a)
    return Pairs(at_a[order], at_b[order], distance[order])


def _identical(a: Features, b: Features) -> tuple[Ints, Ints]:
    """Pairs of features with the same numbers, the first with the first: no others are better."""
    lon, lat, radius = (
        np.append(getattr(a, name), getattr(b, name)) for name in ("lon", "lat", "radius")
    )
    lon = np.where(np.abs(lat) == 90.0, 0.0, np.where(lon == 180.0, -180.0, lon))
    # Stable, so that those of a come first among equals.
    order = np.lexsort((radius, lat, lon))
    keys = np.stack([lon, lat, radius])[:, order]
    differs = np.append(True, (np.diff(keys, axis=1) != 0).any(axis=0))[: order.size]
    group = np.cumsum(differs) - 1
    start = np.flatnonzero(differs)
    of_a = order < len(a)
    count_a = np.bincount(group[of_a], minlength=start.size)
    rank = np.arange(order.size) - start[group] - count_a[group]
    second = np.flatnonzero(~of_a & (rank < count_a[group]))
    return order[start[group[second]] + rank[second]], order[second] - len(a)


def _near(
    body: Body, a: Features, b: Features, position: float, size: float
) -> tuple[Ints, Ints, Floats]:
    """Pairs of features that agree, best first, and their distances."""
    at_a, at_b = _candidates(body, a, b, position, size)
    smaller = np.minimum(a.radius[at_a], b.radius[at_b])
    apart = np.abs(a.radius[at_a] - b.radius[at_b]) / smaller
    distance = inverse(body, a.lon[at_a], a.lat[at_a], b.lon[at_b], b.lat[at_b])[0]
    away = distance / smaller
    good = (away <= position) & (apart <= size)
    at_a, at_b, distance = at_a[good], at_b[good], distance[good]
    misfit = np.hypot(away[good] / (position or 1.0), apart[good] / (size or 1.0))
    order = np.lexsort((at_b, at_a, misfit))
    taken = order[_best_first(at_a[order], at_b[order], len(a), len(b))]
    return at_a[taken], at_b[taken], distance[taken]


def tolerance(value: object, name: str) -> float:
    """A tolerance, checked."""
    if not is_number(value) or value < 0:  # type: ignore[operator]
        raise ArgumentError(
            f"{name} must be a finite number of feature radii, 0 or above, not {value!r}"
        )
    return float(value)  # type: ignore[arg-type]


def _best_first(at_a: Ints, at_b: Ints, size_a: int, size_b: int) -> Ints:
    """Which of some candidates, in order of preference, are pairs when the best is taken, then the next.

    A candidate that is the first of both its features is a pair, whatever else is; without their features
    others come first.
    """
    open_ones = np.arange(at_a.size)
    taken = []
    while open_ones.size:
        own_a, own_b = at_a[open_ones], at_b[open_ones]
        rank = np.arange(open_ones.size)
        first_a, first_b = np.full(size_a, -1), np.full(size_b, -1)
        # The last to be written stays.
        first_a[own_a[::-1]], first_b[own_b[::-1]] = rank[::-1], rank[::-1]
        mutual = (first_a[own_a] == rank) & (first_b[own_b] == rank)
        taken.append(open_ones[mutual])
        gone_a, gone_b = np.zeros(size_a, dtype=bool), np.zeros(size_b, dtype=bool)
        gone_a[own_a[mutual]] = gone_b[own_b[mutual]] = True
        still = ~(gone_a[own_a] | gone_b[own_b])
        open_ones = open_ones[still]
        if open_ones.size > SLOW * still.size:
            # Many have the same first choice: rounds would be many.
            taken.append(open_ones[_one_by_one(at_a[open_ones], at_b[open_ones])])
            break
        if open_ones.size and open_ones.size < min(size_a, size_b) // 4:
            # Few are left: forget the rest.
            _, at_a[open_ones] = np.unique(at_a[open_ones], return_inverse=True)
            _, at_b[open_ones] = np.unique(at_b[open_ones], return_inverse=True)
            size_a, size_b = int(at_a[open_ones].max()) + 1, int(at_b[open_ones].max()) + 1
    return np.concatenate(taken) if taken else open_ones


def _one_by_one(at_a: Ints, at_b: Ints) -> Ints:
    """Which candidates are pairs, as `_best_first`, in one pass through all of them."""
    free_a, free_b = (bytearray(b"\1") * (int(at.max()) + 1) for at in (at_a, at_b))
    taken = []
    for begin in range(0, at_a.size, PASS):
        part = slice(begin, begin + PASS)
        for k, (i, j) in enumerate(
            zip(at_a[part].tolist(), at_b[part].tolist(), strict=True), begin
        ):
            if free_a[i] and free_b[j]:
                free_a[i] = free_b[j] = 0
                taken.append(k)
    return np.array(taken, dtype=np.intp)


def _candidates(
    body: Body, a: Features, b: Features, position: float, size: float
) -> tuple[Ints, Ints]:
    """Pairs that may agree: all that do, and some that do not."""
    from scipy.spatial import cKDTree

    none = np.zeros(0, dtype=np.intp)
    if not len(a) or not len(b):
        return none, none
    width = np.log1p(min(max(size, 0.05), WIDEST_CLASS))
    farthest = int(np.ceil(np.log1p(size) / width * (1.0 + ROUNDING) + ROUNDING))
    class_a, class_b = (np.floor(np.log(each.radius) / width).astype(int) for each in (a, b))
    trees: dict[int, tuple[Ints, cKDTree]] = {}

    def tree_of(number: int) -> tuple[Ints, cKDTree]:
        if number not in trees:
            members = np.flatnonzero(class_b == number)
            trees[number] = members, cKDTree(_places(body, b[members]))
        return trees[number]

    known_b = set(np.unique(class_b).tolist())
    found_a, found_b = [none], [none]
    for number in np.unique(class_a).tolist():
        near = [n for n in range(number - farthest, number + farthest + 1) if n in known_b]
        if not near:
            continue
        members_a = np.flatnonzero(class_a == number)
        tree_a = cKDTree(_places(body, a[members_a]))
        for other in near:
            members_b, tree_b = tree_of(other)
            # No smaller radius of a pair is beyond the upper edge of the lower class.
            reach = position * np.exp((min(number, other) + 1) * width) * (1.0 + ROUNDING)
            reach += ROUNDING * body.a
            near_a, near_b = _neighbours(tree_a, tree_b, reach)
            found_a.append(members_a[near_a])
            found_b.append(members_b[near_b])
    return np.concatenate(found_a), np.concatenate(found_b)


def _neighbours(tree_a: cKDTree, tree_b: cKDTree, reach: float) -> tuple[Ints, Ints]:
    """Pairs of points of two trees within a chord."""
    found = tree_a.sparse_distance_matrix(tree_b, reach, output_type="ndarray")
    return found["i"], found["j"]


def _places(body: Body, features: Features) -> Floats:
    """Centres in space, metres, (n, 3): chords between them are no longer than geodesics."""
    lam, lat = np.radians(features.lon), np.radians(features.lat)
    radius = body.a * body.b / np.hypot(body.b * np.cos(lat), body.a * np.sin(lat))
    across = radius * np.cos(lat)
    return np.stack([across * np.cos(lam), across * np.sin(lam), radius * np.sin(lat)], axis=1)
