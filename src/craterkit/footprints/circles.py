"""Geodesic circles as parallels see them: half-widths in longitude, in closed form.

A circle of angular radius d around latitude φ0 meets the parallel φ in one arc, whose half-width
Δλ in longitude follows from the haversine form of the cosine rule::

    sin²(Δλ/2) = (sin²(d/2) − sin²(δ/2)) / (cos φ0 cos φ),     δ = φ − φ0

(negative: the parallel lies outside; at least one: the whole parallel lies inside). On a flattened
body the same formula holds on the Gauss conformal sphere at the circle's centre, which keeps
parallels parallels (Snyder 1987, USGS PP 1395, pp. 170-173; EPSG method 9809). Where that sphere is
not exact enough, or a pole lies inside, `craterkit.footprints.geodesics` solves the geodesic
distance for Δλ.

Angles are radians, latitudes planetographic, as in `craterkit.geodesy`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from craterkit.footprints.geodesics import meridian_reach, solve_half_width, tangent_parallel
from craterkit.geodesy import isometric_latitude, phi_from_lat, radii_of_curvature

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from craterkit.bodies import Body

    Floats = NDArray[np.float64]
    Ints = NDArray[np.intp]
    Bools = NDArray[np.bool_]

__all__ = ["OUTSIDE", "Centres", "Circles", "Parallels", "Sight"]

#: Half-width of a parallel that the circle does not reach.
OUTSIDE = -1.0

#: Stands for the cosine of ±90 degrees in divisions.
TINY_COSINE = 1e-17


class Parallels:
    """Parallels of one body: their latitudes and what the closed form needs of them.

    Parameters
    ----------
    body : Body
        The body.
    phi : (n,) ndarray
        Planetographic latitudes in radians.
    """

    def __init__(self, body: Body, phi: Floats) -> None:
        self.phi = phi
        self.cos_phi = np.maximum(np.cos(phi), TINY_COSINE)
        self.psi = None if body.is_sphere else isometric_latitude(body, phi)


@dataclass(frozen=True, slots=True)
class Sight:
    """Pairs of a centre and a parallel: the terms of the closed form that no radius enters.

    Attributes
    ----------
    centre : (m,) ndarray of int
        Which centre each pair is about.
    phi, chi : (m,) ndarray
        Latitude of the parallel: planetographic, and on the centre's conformal sphere.
    haversine : (m,) ndarray
        sin²(δ/2) of the difference in latitude.
    cosines : (m,) ndarray
        cos χ0 cos χ.
    """

    centre: Ints
    phi: Floats
    chi: Floats
    haversine: Floats
    cosines: Floats


class Centres:
    """Centres of circles on one body.

    Parameters
    ----------
    body : Body
        Whose ellipsoid distances are measured on.
    lat : (n,) ndarray
        Planetocentric latitudes in degrees.
    """

    def __init__(self, body: Body, lat: Floats) -> None:
        self.body = body
        self.phi = phi_from_lat(body, lat)
        if body.is_sphere:
            self.stretch = np.ones(self.phi.shape)
            self.sphere_radius = np.full(self.phi.shape, float(body.a))
            self.chi = self.phi
        else:
            meridional, prime = radii_of_curvature(body, self.phi)
            e2 = body.eccentricity_squared
            #: Longitudes on the conformal sphere are this many times those on the body.
            self.stretch = np.sqrt(1.0 + e2 / (1.0 - e2) * np.cos(self.phi) ** 4)
            self.sphere_radius = np.sqrt(meridional * prime)
            self.chi = np.arcsin(np.sin(self.phi) / self.stretch)
            # Isometric latitude on the conformal sphere is stretch · ψ + offset.
            with np.errstate(invalid="ignore"):
                self._offset = np.arcsinh(np.tan(self.chi)) - self.stretch * isometric_latitude(
                    body, self.phi
                )
        self.cos_chi = np.maximum(np.cos(self.chi), TINY_COSINE)

    def __len__(self) -> int:
        return self.phi.size

    def see(self, centre: Ints, parallels: Parallels, which: Ints | None = None) -> Sight:
        """Pair each of the centres with the parallel of the same place (in `which`, if given)."""
        phi, cos_phi, psi = parallels.phi, parallels.cos_phi, parallels.psi
        if which is not None:
            phi, cos_phi = phi[which], cos_phi[which]
            psi = None if psi is None else psi[which]
        if psi is None:
            chi, cos_chi = phi, cos_phi
        else:
            with np.errstate(invalid="ignore"):
                psi = self.stretch[centre] * psi + self._offset[centre]
            chi = np.arcsin(np.tanh(psi))
            cos_chi = np.maximum(1.0 / np.cosh(np.clip(psi, -300.0, 300.0)), TINY_COSINE)
        half_difference = chi - self.chi[centre]
        half_difference *= 0.5
        haversine = np.sin(half_difference)
        haversine *= haversine
        return Sight(centre, phi, chi, haversine, cos_chi * self.cos_chi[centre])


class Circles:
    """Geodesic circles around centres, to be cut by parallels.

    Parameters
    ----------
    centres : Centres
        The n centres.
    radius : (n,) ndarray
        Geodesic radii in metres; not negative.
    accuracy : float or (n,) ndarray
        By how many metres edges may be misplaced.

    Attributes
    ----------
    south, north : (n,) ndarray
        Latitudes that each circle spans; ±π/2 where it holds the pole.
    partial_south, partial_north : (n,) ndarray
        Latitudes between which it holds parts of parallels. Beyond them it holds whole parallels up to a
        pole, or none.
    """

    def __init__(self, centres: Centres, radius: Floats, accuracy: float | Floats) -> None:
        self.centres = centres
        self.radius = radius
        body = centres.body
        self._angle = np.minimum(radius / centres.sphere_radius, np.pi)
        if body.is_sphere:
            south, north = centres.phi - self._angle, centres.phi + self._angle
            self._solved = None
        else:
            south, north = meridian_reach(body, centres.phi, radius)
            # Measured: distances on the conformal sphere are right to about 0.25 f (r/a)³.
            error = 0.3 * body.flattening * radius * (radius / body.a) ** 3
            solved = (error > accuracy) | (south <= -np.pi / 2) | (north >= np.pi / 2)
            self._solved = solved if solved.any() else None
        self._ends = south, north
        self.south, self.north = np.maximum(south, -np.pi / 2), np.minimum(north, np.pi / 2)

    @cached_property
    def partial_south(self) -> Floats:
        """Where parts of parallels begin."""
        # Past a pole a meridian comes back: that is where parallels become whole.
        south, _ = self._ends
        return np.where(south < -np.pi / 2, -np.pi - south, south)

    @cached_property
    def partial_north(self) -> Floats:
        """Where parts of parallels end."""
        _, north = self._ends
        return np.where(north > np.pi / 2, np.pi - north, north)

    @cached_property
    def _haversine(self) -> Floats:
        return np.sin(self._angle / 2) ** 2

    @cached_property
    def _tangents(self) -> tuple[Floats, Floats]:
        """Parallel on which each circle touches a meridian, its widest one, and the half-width there.

        There sin χ = sin χ0 / cos d and sin Δλ = sin d / cos χ0. For a circle that holds both poles
        it is the narrowest parallel instead; one that holds a single pole has none (NaN).
        """
        centres, angle = self.centres, self._angle
        with np.errstate(invalid="ignore", divide="ignore"):
            half = np.arcsin(np.sin(angle) / centres.cos_chi)
            tangent = np.arcsin(np.sin(centres.chi) / np.cos(angle))
        tangent = np.where(np.isnan(half), np.nan, tangent)
        half = np.where(angle > np.pi / 2, np.pi - half, half) / centres.stretch
        if self._solved is not None:
            at = self._solved
            tangent[at], half[at] = tangent_parallel(centres.body, centres.phi[at], self.radius[at])
        return tangent, half

    @cached_property
    def _tangent_is_narrowest(self) -> Bools:
        return (self.south <= -np.pi / 2) & (self.north >= np.pi / 2)

    def half_widths(self, sight: Sight) -> Floats:
        """Half-widths of the circles on parallels, in radians of longitude.

        Returns
        -------
        (m,) ndarray
            Between 0 and π; `OUTSIDE` where the circle does not reach the parallel.
        """
        centre = sight.centre
        square = self._haversine[centre]
        square -= sight.haversine
        outside = square < 0
        np.maximum(square, 0.0, out=square)
        square /= sight.cosines
        np.minimum(square, 1.0, out=square)
        half = np.arcsin(np.sqrt(square, out=square), out=square)
        half *= 2.0
        if not self.centres.body.is_sphere:
            half /= self.centres.stretch[centre]
        half[outside] = OUTSIDE
        if self._solved is not None:
            solved = self._solved[centre]
            if solved.any():
                which = centre[solved]
                half[solved] = solve_half_width(
                    self.centres.body,
                    self.centres.phi[which],
                    sight.phi[solved],
                    self.radius[which],
                )
        return half

    def widest(self) -> Floats:
        """Largest half-width of each circle on any parallel."""
        _, half = self._tangents
        return np.where(np.isnan(half) | self._tangent_is_narrowest, np.pi, half)

    def strip_extremes(
        self, sight: Sight, half: Floats, upper: Ints, lower: Ints
    ) -> tuple[Floats, Floats]:
        """Smallest and largest half-width anywhere between two parallels.

        Parameters
        ----------
        sight, half : Sight, (m,) ndarray
            Parallels and the half-widths there.
        upper, lower : (k,) ndarray of int
            Positions in them of the two edges of each strip, of the same centre.
        """
        half_upper, half_lower = half[upper], half[lower]
        smallest = np.minimum(half_upper, half_lower)
        largest = np.maximum(half_upper, half_lower)
        # Latitude in which the tangent is given: that of a solved circle is planetographic.
        key = sight.chi
        if self._solved is not None:
            key = np.where(self._solved[sight.centre], sight.phi, key)
        tangent, tangent_half = self._tangents
        beyond = key - tangent[sight.centre]
        with np.errstate(invalid="ignore"):
            at = np.flatnonzero(beyond[upper] * beyond[lower] <= 0)
        if at.size:
            centre = sight.centre[upper[at]]
            half = tangent_half[centre]
            narrowest = self._tangent_is_narrowest[centre]
            held = np.where(narrowest, np.minimum(smallest[at], half), smallest[at])
            smallest[at] = held
            held = np.where(narrowest, largest[at], np.maximum(largest[at], half))
            largest[at] = held
        return smallest, largest
