"""Geometry on a body's ellipsoid: geodesics, areas and auxiliary latitudes.

Pure functions on arrays. Latitudes called ``lat`` are planetocentric degrees, as everywhere
inside craterkit; those called ``phi`` are planetographic (geodetic) radians, the latitude in
which an ellipsoid's formulae are written. On a sphere the two agree.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import ArrayLike, NDArray

    from craterkit.bodies import Body

    Floats = NDArray[np.float64]

__all__ = [
    "as_far_as_shortest",
    "band_area",
    "cut_distance",
    "destination",
    "geodesics",
    "inverse",
    "isometric_latitude",
    "lat_from_phi",
    "parallel_radius",
    "phi_from_lat",
    "radii_of_curvature",
]


def phi_from_lat(body: Body, lat: ArrayLike) -> Floats:
    """Planetographic latitude (radians) of a planetocentric one (degrees).

    tan φ = (a/b)² tan φc (Snyder 1987, USGS PP 1395, eq. 3-28), written so that the poles are exact.
    """
    radians = np.radians(np.asarray(lat, dtype=np.float64))
    if body.is_sphere:
        return radians
    axis = (body.a / body.b) ** 2
    return np.where(
        np.abs(radians) >= np.pi / 2,
        np.copysign(np.pi / 2, radians),
        np.arctan2(axis * np.sin(radians), np.cos(radians)),
    )


def lat_from_phi(body: Body, phi: ArrayLike) -> Floats:
    """Planetocentric latitude (degrees) of a planetographic one (radians)."""
    radians = np.asarray(phi, dtype=np.float64)
    if body.is_sphere:
        return np.degrees(radians)
    axis = (body.b / body.a) ** 2
    lat = np.degrees(np.arctan2(axis * np.sin(radians), np.cos(radians)))
    return np.where(np.abs(radians) >= np.pi / 2, np.copysign(90.0, radians), lat)


def destination(
    body: Body, lon: ArrayLike, lat: ArrayLike, azimuth: ArrayLike, distance: ArrayLike
) -> tuple[Floats, Floats]:
    """Where the geodesic of a given start, azimuth and length ends.

    Parameters
    ----------
    body : Body
        Whose ellipsoid the geodesic runs on.
    lon, lat : array_like
        Start, planetocentric degrees, east-positive.
    azimuth : array_like
        Direction at the start, degrees clockwise from north.
    distance : array_like
        Length, metres. The arguments broadcast together.

    Returns
    -------
    lon, lat : ndarray
        End, planetocentric degrees; ``lon`` lies within 180 degrees of the start's, unwrapped.
    """
    if body.is_sphere:
        # Left to broadcast by themselves: a ring's azimuths and distances need few sines.
        lon = np.asarray(lon, dtype=np.float64)
        phi, alpha, d = np.radians(lat), np.radians(azimuth), np.asarray(distance) / body.a
        sin_phi, cos_phi = np.sin(phi), np.cos(phi)
        sin_d, cos_d = np.sin(d), np.cos(d)
        north, east = sin_d * np.cos(alpha), sin_d * np.sin(alpha)
        outward = cos_phi * cos_d - sin_phi * north
        lat_end = np.degrees(np.arctan2(sin_phi * cos_d + cos_phi * north, np.hypot(outward, east)))
        lon_end = lon + np.degrees(np.arctan2(east, outward))
        return lon_end, np.broadcast_to(lat_end, lon_end.shape)
    lon, lat, azimuth, distance = np.broadcast_arrays(lon, lat, azimuth, distance)
    start = np.degrees(phi_from_lat(body, lat))
    lon_end, lat_end, _ = geodesics(
        body.geod.fwd, np.ravel(lon), np.ravel(start), np.ravel(azimuth), np.ravel(distance)
    )
    turn = np.round((lon_end - np.ravel(lon)) / 360.0)
    lon_end = (lon_end - 360.0 * turn).reshape(lon.shape)
    return lon_end, lat_from_phi(body, np.radians(lat_end)).reshape(lat.shape)


def inverse(
    body: Body, lon: ArrayLike, lat: ArrayLike, to_lon: ArrayLike, to_lat: ArrayLike
) -> tuple[Floats, Floats]:
    """Length and starting azimuth of the geodesic between two places.

    Parameters
    ----------
    body : Body
        Whose ellipsoid the geodesic runs on.
    lon, lat : array_like
        Start, planetocentric degrees, east-positive.
    to_lon, to_lat : array_like
        End. The arguments broadcast together; where the end is NaN, so are the results.

    Returns
    -------
    distance, azimuth : ndarray
        Metres; degrees clockwise from north at the start, 0 to 360.
    """
    if body.is_sphere:
        phi, to_phi = np.radians(lat), np.radians(to_lat)
        step = np.radians(np.asarray(to_lon, dtype=np.float64) - np.asarray(lon))
        # Between neighbours the difference of latitudes keeps its digits in this form.
        east = np.cos(to_phi) * np.sin(step)
        north = np.sin(to_phi - phi) + 2.0 * np.sin(phi) * np.cos(to_phi) * np.sin(step / 2) ** 2
        along = np.sin(phi) * np.sin(to_phi) + np.cos(phi) * np.cos(to_phi) * np.cos(step)
        distance = body.a * np.arctan2(np.hypot(east, north), along)
        azimuth = np.degrees(np.arctan2(east, north))
        return distance, np.mod(azimuth, 360.0)
    lon, lat, to_lon, to_lat = np.broadcast_arrays(lon, lat, to_lon, to_lat)
    start, end = (np.degrees(phi_from_lat(body, np.ravel(value))) for value in (lat, to_lat))
    ahead, _, length = geodesics(body.geod.inv, np.ravel(lon), start, np.ravel(to_lon), end)
    missing = np.isnan(np.ravel(to_lon) + end)
    distance, azimuth = (
        np.where(missing, np.nan, value).reshape(lon.shape) for value in (length, ahead)
    )
    return distance, np.mod(azimuth, 360.0)


def cut_distance(body: Body, lat: ArrayLike, azimuth: ArrayLike) -> Floats:
    """Length up to which geodesics are the shortest way: beyond it they come back.

    They end on the parallel of the opposite latitude, about the antipode: after half a turn of the auxiliary
    sphere, at 2b E(−e'² cos² α0) with sin α0 = sin α cos β (Karney 2013, eqs. 5, 7 and 9). None ends farther
    away than those along the meridian, at the antipode.

    Parameters
    ----------
    body : Body
        Whose ellipsoid the geodesics run on.
    lat : array_like
        Where they start, planetocentric degrees.
    azimuth : array_like
        Their directions at the start, degrees. The arguments broadcast together.
    """
    if body.is_sphere:
        return np.full(np.broadcast_shapes(np.shape(lat), np.shape(azimuth)), np.pi * body.a)
    from scipy.special import ellipe

    e2 = body.eccentricity_squared
    beta = np.arctan(np.tan(phi_from_lat(body, lat)) * (body.b / body.a))
    cosine2 = 1.0 - (np.sin(np.radians(azimuth)) * np.cos(beta)) ** 2
    return np.asarray(2.0 * body.b * ellipe(-e2 / (1.0 - e2) * cosine2))


def as_far_as_shortest(
    body: Body, lat: ArrayLike, azimuth: ArrayLike, distance: Floats
) -> tuple[Floats, NDArray[np.bool_]]:
    """Distances, but no longer than `cut_distance`, and whether they reach as far as that."""
    if distance.max(initial=0.0) < np.pi * body.b:  # the nearest end of all
        return distance, np.zeros(distance.shape, dtype=bool)
    end = cut_distance(body, lat, azimuth)
    return np.minimum(distance, end), distance >= end


def geodesics(solve: Callable[..., Any], *arguments: Floats) -> tuple[Floats, Floats, Floats]:
    """What `pyproj.Geod.fwd` or `inv` finds for 1-D arrays, which may have a single value.

    pyproj takes an array of one value for a number, and NumPy warns of that.
    """
    if arguments[0].size != 1:
        return solve(*arguments)
    first, second, third = solve(*(argument.item() for argument in arguments))
    return np.array([first]), np.array([second]), np.array([third])


def radii_of_curvature(body: Body, phi: ArrayLike) -> tuple[Floats, Floats]:
    """Radii of curvature M (meridional) and N (prime vertical) in metres (Snyder 1987, eqs. 4-18, 4-20)."""
    w2 = 1.0 - body.eccentricity_squared * np.sin(phi) ** 2
    n = body.a / np.sqrt(w2)
    return n * (1.0 - body.eccentricity_squared) / w2, n


def parallel_radius(body: Body, phi: ArrayLike) -> Floats:
    """Radius in metres of the parallel at planetographic latitude `phi` (radians)."""
    return radii_of_curvature(body, phi)[1] * np.cos(phi)


def isometric_latitude(body: Body, phi: ArrayLike) -> Floats:
    """Isometric latitude ψ: the northing of a Mercator map of unit radius (Snyder 1987, eq. 7-7).

    The poles give ±inf.
    """
    phi = np.asarray(phi, dtype=np.float64)
    e = np.sqrt(body.eccentricity_squared)
    sin_phi = np.sin(phi)
    at_pole = np.abs(phi) >= np.pi / 2
    safe = np.where(at_pole, 0.0, phi)
    psi = np.arcsinh(np.tan(safe)) - e * np.arctanh(e * sin_phi)
    return np.where(at_pole, np.copysign(np.inf, phi), psi)


def band_area(body: Body, phi_from: ArrayLike, phi_to: ArrayLike) -> Floats:
    """Area between two parallels per radian of longitude, in m²: negative if they are swapped.

    On the ellipsoid (b²/2) [sin φ/(1 − e² sin² φ) + artanh(e sin φ)/e] between the two latitudes
    (Snyder 1987, eq. 3-12); on the sphere R² (sin φ₂ − sin φ₁), in a form without cancellation.
    """
    phi_from = np.asarray(phi_from, dtype=np.float64)
    phi_to = np.asarray(phi_to, dtype=np.float64)
    # sin φ2 − sin φ1 without cancellation between close latitudes.
    rise = 2.0 * np.cos((phi_to + phi_from) / 2) * np.sin((phi_to - phi_from) / 2)
    if body.is_sphere:
        return body.a**2 * rise
    e2 = body.eccentricity_squared
    e = np.sqrt(e2)
    s1, s2 = np.sin(phi_from), np.sin(phi_to)
    # Both terms as exact differences: artanh x − artanh y = artanh((x − y)/(1 − xy)).
    rational = rise * (1.0 + e2 * s1 * s2) / ((1.0 - e2 * s1**2) * (1.0 - e2 * s2**2))
    logarithm = np.arctanh(e * rise / (1.0 - e2 * s1 * s2)) / e
    return body.b**2 / 2.0 * (rational + logarithm)
