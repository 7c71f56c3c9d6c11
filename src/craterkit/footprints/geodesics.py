"""Circles on an ellipsoid, solved on the geodesics themselves (Karney 2013, through PROJ).

Used for the few circles for which the conformal sphere of `craterkit.footprints.circles` will not
do: the largest basins, and those that hold a pole. Angles are radians, latitudes planetographic.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from craterkit.geodesy import geodesics, parallel_radius

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from craterkit.bodies import Body

    Floats = NDArray[np.float64]

__all__ = ["meridian_reach", "solve_half_width", "tangent_parallel"]

BISECTIONS = 60


def meridian_reach(body: Body, phi: Floats, radius: Floats) -> tuple[Floats, Floats]:
    """Latitudes of the southern and northern end of each circle.

    Past a pole they count on: an end at φ on the far side is ±π − φ.
    """
    geod = body.geod
    start, zero = np.degrees(phi), np.zeros(phi.size)

    def reach(towards: float) -> Floats:
        azimuth = np.full(phi.size, 90.0 - 90.0 * towards)
        end = np.radians(geodesics(geod.fwd, zero, start, azimuth, radius)[1])
        pole = np.full(phi.size, 90.0 * towards)
        to_pole = geodesics(geod.inv, zero, start, zero, pole)[2]
        return np.where(radius >= to_pole, towards * np.pi - end, end)

    return reach(-1.0), reach(1.0)


def solve_half_width(body: Body, phi0: Floats, phi: Floats, radius: Floats) -> Floats:
    """Difference in longitude at which a parallel lies `radius` metres from a centre.

    Newton's method on the geodesic distance s, whose derivative is ds/dλ = N cos φ sin α₂ with α₂ the
    azimuth of arrival, kept inside a shrinking bracket.

    Parameters
    ----------
    body : Body
        The ellipsoid.
    phi0, phi, radius : (m,) ndarray
        Latitude of the centre, latitude of the parallel, radius of the circle.

    Returns
    -------
    (m,) ndarray
        Between 0 and π; −1 where the whole parallel is farther away.
    """
    start, end = np.degrees(phi0), np.degrees(phi)

    def distance(which: NDArray[np.intp], half: Floats) -> tuple[Floats, Floats]:
        zero = np.zeros(which.size)
        _, back, length = geodesics(body.geod.inv, zero, start[which], np.degrees(half), end[which])
        return length, np.abs(np.sin(np.radians(back)))

    every = np.arange(phi.size)
    nearest, _ = distance(every, np.zeros(phi.size))
    farthest, _ = distance(every, np.full(phi.size, np.pi))
    half = np.where(nearest > radius, -1.0, np.pi)
    open_ = np.flatnonzero((nearest <= radius) & (farthest > radius))
    low, high = np.zeros(open_.size), np.full(open_.size, np.pi)
    guess = np.full(open_.size, np.pi / 2)
    reach = parallel_radius(body, phi)
    for _ in range(BISECTIONS):
        if not open_.size:
            break
        length, sine = distance(open_, guess)
        miss = length - radius[open_]
        low = np.where(miss <= 0, guess, low)
        high = np.where(miss > 0, guess, high)
        half[open_] = guess
        going = (np.abs(miss) > 1e-7 + 1e-13 * body.a) & (high - low > 1e-15)
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            newton = guess - miss / (reach[open_] * sine)
        inside = (newton > low) & (newton < high)
        guess = np.where(inside, newton, (low + high) / 2)
        open_, low, high, guess = open_[going], low[going], high[going], guess[going]
    return half


def tangent_parallel(body: Body, phi0: Floats, radius: Floats) -> tuple[Floats, Floats]:
    """Latitude where each circle touches a meridian, and its half-width in longitude there.

    The radius that ends there arrives at azimuth 90°: its starting azimuth is found by bisection.
    A circle that holds just one pole touches no meridian: NaN, NaN.
    """
    geod = body.geod
    start, zero = np.degrees(phi0), np.zeros(phi0.size)

    def arrive(azimuth: Floats) -> tuple[Floats, Floats, Floats]:
        lon, lat, back = geodesics(geod.fwd, zero, start, azimuth, radius)
        return lon, lat, -np.cos(np.radians(back))

    low, high = np.full(phi0.size, 1e-9), np.full(phi0.size, 180.0 - 1e-9)
    northward = np.sign(arrive(low)[2])
    exists = northward != np.sign(arrive(high)[2])
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        before = np.sign(arrive(middle)[2]) == northward
        low, high = np.where(before, middle, low), np.where(before, high, middle)
    lon, lat, _ = arrive((low + high) / 2)
    return (
        np.where(exists, np.radians(lat), np.nan),
        np.where(exists, np.radians(np.abs(lon)), np.nan),
    )
