"""The formulas of projections there and back: PROJ's, mended where its inverses are not exact.

Several inverse formulas of PROJ 9.5 are series or iterations that are cut short for the figure of the
Earth. On flattened bodies they miss: the azimuthal and the cylindrical equal-area projection of Ceres by
0.005 degrees, its transverse Mercator by more, and the stereographic one of Iapetus has no inverse at all
for half of the body. The forward formulas are right; so what does not lead back is found by Newton's method
on them.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Literal

import numpy as np

if TYPE_CHECKING:
    import pyproj
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Bools = NDArray[np.bool_]

__all__ = ["check_formulas", "project", "unproject"]

# Cylindrical projections have columns that are meridians and may go round more than once.
_CYLINDRICAL = frozenset(
    {"cc", "cea", "comill", "eqc", "gall", "merc", "mill", "patterson", "webmerc"}
)
# What a PROJ string says of the figure of the body.
_FIGURE = frozenset({"R", "a", "b", "ellps", "rf", "f", "e", "es", "n"})
_SEAM_TOLERANCE = 1e-9  # degrees

#: By how much a place may miss itself, there and back: a share of the map's size, or of the distance from
#: its middle where that is larger. Places that still miss by more than the latter are off the map.
EXACT, LOST = 2.5e-10, 1e-6

#: Places by which the inverse of a projection is judged, and the degrees between them in longitude.
SPREAD, GOLDEN_ANGLE = 4096, 137.50776405003785

#: Steps of Newton's method, the longest one, and the one over which slopes are taken, in radians.
STEPS, LONGEST_STEP, SLOPE_STEP = 12, 0.3, 1e-6


@lru_cache(maxsize=128)
def _transformer(formulas: str) -> pyproj.Transformer:
    """Return a transformer; pyproj gives each thread that uses it one of its own."""
    import pyproj

    return pyproj.Transformer.from_pipeline(formulas)


def project(formulas: str, lon: Floats, lat: Floats) -> tuple[Floats, Floats]:
    """Project positions.

    Parameters
    ----------
    formulas : str
        A projection as a PROJ string.
    lon, lat : ndarray
        Degrees; latitude of the kind that the formulas take.

    Returns
    -------
    x, y : ndarray
        In the units of the map; NaN outside the domain of the projection.
    """
    x, y = _applied(formulas, lon, lat, "FORWARD")
    outside = ~(np.isfinite(x) & np.isfinite(y))
    return np.where(outside, np.nan, x), np.where(outside, np.nan, y)


def unproject(
    formulas: str, x: Floats, y: Floats, radius: float, *, is_sphere: bool
) -> tuple[Floats, Floats]:
    """Invert a projection.

    Parameters
    ----------
    formulas : str
        The projection as a PROJ string.
    x, y : ndarray
        In the units of the map.
    radius : float
        Equatorial radius of the body in metres.
    is_sphere : bool
        Whether the formulas are those of a sphere, whose inverses are exact.

    Returns
    -------
    lon, lat : ndarray
        Degrees; longitudes run on continuously from the central meridian. NaN outside the domain of the
        projection.
    """
    parameters = _parameters(formulas)
    shape = np.shape(x)
    x, y = np.ravel(x), np.ravel(y)
    lon, lat = _inverse(formulas, x, y)
    if not is_sphere:
        size = _size_if_inexact(formulas)
        if size is not None:
            lon, lat = _mended(formulas, lon, lat, x, y, radius, size)
    with np.errstate(invalid="ignore"):
        outside = ~(np.isfinite(lon) & (np.abs(lat) <= 90.0 + _SEAM_TOLERANCE))
        if parameters["proj"] not in _CYLINDRICAL:
            # Beyond its edge a map has no points, yet the formulas of e.g. the sinusoidal still
            # give a longitude there. Oblique projections exceed half a turn legitimately, so ask
            # whether the position leads back to x, y.
            center = float(parameters.get("lon_0") or 0.0)
            doubtful = ~outside & (np.abs(lon - center) > 180.0 + _SEAM_TOLERANCE)
            if doubtful.any():
                back = project(formulas, lon[doubtful], np.clip(lat[doubtful], -90.0, 90.0))
                slack = 1e-6 * (np.abs(x[doubtful]) + np.abs(y[doubtful]))
                missed = np.hypot(back[0] - x[doubtful], back[1] - y[doubtful])
                outside[doubtful] = ~(missed <= slack)
    lon, lat = np.where(outside, np.nan, [lon, np.clip(lat, -90.0, 90.0)])
    return lon.reshape(shape), lat.reshape(shape)


def check_formulas(formulas: str) -> None:
    """Raise pyproj's `ProjError` unless PROJ has a projection and its inverse."""
    _applied(formulas, np.zeros(1), np.zeros(1), "FORWARD")
    _inverse(formulas, np.zeros(1), np.zeros(1))


def _parameters(formulas: str) -> dict[str, str]:
    return dict(word.removeprefix("+").partition("=")[::2] for word in formulas.split())


def _over(formulas: str) -> str:
    """The formulas with longitudes that run on past half a turn."""
    return formulas + " +over"


def _inverse(formulas: str, x: Floats, y: Floats) -> tuple[Floats, Floats]:
    """PROJ's inverse; not finite where it has none."""
    return _applied(_over(formulas), x, y, "INVERSE")


def _applied(
    formulas: str, x: Floats, y: Floats, direction: Literal["FORWARD", "INVERSE"]
) -> tuple[Floats, Floats]:
    """What PROJ finds; arrays of the arguments' shape."""
    x, y = np.broadcast_arrays(x, y)
    # pyproj takes an array of one value for a number, and NumPy warns of that.
    one = x.size == 1
    found = _transformer(formulas).transform(
        x.item() if one else x, y.item() if one else y, direction=direction
    )
    first, second = (np.asarray(v, dtype=np.float64).reshape(x.shape) for v in found)
    return first, second


@lru_cache(maxsize=128)
def _size_if_inexact(formulas: str) -> tuple[float, float, float] | None:
    """The middle of a map and its size, in its units; None if places all over it lead back as they are."""
    nth = np.arange(SPREAD) + 0.5
    lat = np.degrees(np.arcsin(1.0 - 2.0 * nth / SPREAD))
    lon = np.mod(nth * GOLDEN_ANGLE, 360.0) - 180.0
    x, y = project(formulas, lon, lat)
    shown = np.isfinite(x)
    if not shown.any():
        return None
    x, y = x[shown], y[shown]
    middle = float(np.median(x)), float(np.median(y))
    size = (*middle, float(np.median(np.hypot(x - middle[0], y - middle[1]))))
    *_, missed = _missed(formulas, *_inverse(formulas, x, y), x, y)
    return None if (missed <= EXACT * _scale(x, y, size)).all() else size


def _scale(x: Floats, y: Floats, size: tuple[float, float, float]) -> Floats:
    return np.maximum(np.hypot(x - size[0], y - size[1]), size[2])


def _missed(
    formulas: str, lon: Floats, lat: Floats, x: Floats, y: Floats
) -> tuple[Floats, Floats, Floats]:
    """By how much places miss x and y: each way, and in all; infinite if they have no place on the map."""
    with np.errstate(invalid="ignore"):
        there = project(_over(formulas), lon, np.clip(lat, -90.0, 90.0))
        dx, dy = x - there[0], y - there[1]
        return dx, dy, np.nan_to_num(np.hypot(dx, dy), nan=np.inf)


def _mended(
    formulas: str,
    lon: Floats,
    lat: Floats,
    x: Floats,
    y: Floats,
    radius: float,
    size: tuple[float, float, float],
) -> tuple[Floats, Floats]:
    """PROJ's inverse with the places that do not lead back replaced by places that do, or by NaN."""
    lon, lat = lon.copy(), lat.copy()
    known = np.isfinite(x) & np.isfinite(y)
    unknown = np.flatnonzero(known & ~np.isfinite(lon + lat))
    if unknown.size:
        # A sphere's inverse is near enough to start from.
        lon[unknown], lat[unknown] = _on_a_sphere(formulas, x[unknown], y[unknown], radius)
    scale = _scale(x, y, size)
    dx, dy, missed = _missed(formulas, lon, lat, x, y)
    off = np.flatnonzero(known & np.isfinite(missed) & (missed > EXACT * scale))
    for _ in range(STEPS):
        if not off.size:
            break
        stepped = _stepped(formulas, lon[off], lat[off], x[off], y[off], dx[off], dy[off])
        *apart, now = _missed(formulas, *stepped, x[off], y[off])
        better = now < missed[off]
        off = off[better]
        for kept, new in zip((lon, lat, dx, dy, missed), (*stepped, *apart, now), strict=True):
            kept[off] = new[better]
        off = off[missed[off] > EXACT * 1e-3 * scale[off]]
    with np.errstate(invalid="ignore"):
        gone = ~(missed <= LOST * scale)
    lon[gone] = lat[gone] = np.nan
    return lon, lat


def _on_a_sphere(formulas: str, x: Floats, y: Floats, radius: float) -> tuple[Floats, Floats]:
    """The inverse of the same projection of a sphere; NaN if there is none."""
    import pyproj

    words = [word for word in formulas.split() if word[1:].partition("=")[0] not in _FIGURE]
    try:
        return _inverse(" ".join([*words, f"+R={radius!r}"]), x, y)
    except pyproj.exceptions.ProjError:
        return np.full(x.shape, np.nan), np.full(x.shape, np.nan)


def _stepped(
    formulas: str, lon: Floats, lat: Floats, x: Floats, y: Floats, dx: Floats, dy: Floats
) -> tuple[Floats, Floats]:
    """Places one step of Newton's method nearer to x and y, which they miss by dx and dy."""
    slopes = []
    for step in ((SLOPE_STEP, 0.0), (0.0, SLOPE_STEP)):
        beside = project(_over(formulas), *_moved(lon, lat, *step))
        slopes += [beside[0] - x + dx, beside[1] - y + dy]
    xe, ye, xn, yn = slopes
    with np.errstate(invalid="ignore", divide="ignore"):
        determinant = xe * yn - xn * ye
        east = SLOPE_STEP * (dx * yn - dy * xn) / determinant
        north = SLOPE_STEP * (dy * xe - dx * ye) / determinant
        shorter = np.minimum(1.0, LONGEST_STEP / np.hypot(east, north))
        return _moved(lon, lat, east * shorter, north * shorter)


def _moved(
    lon: Floats, lat: Floats, east: Floats | float, north: Floats | float
) -> tuple[Floats, Floats]:
    """Places some radians to the east and north along great circles; longitudes run on."""
    phi = np.radians(lat)
    length = np.asarray(np.hypot(east, north))
    share = np.sinc(length / np.pi)
    up = np.cos(length) * np.cos(phi) - share * north * np.sin(phi)
    aside = np.asarray(share * east)
    z = np.cos(length) * np.sin(phi) + share * north * np.cos(phi)
    turned = np.degrees(np.arctan2(aside, up))
    return lon + turned, np.degrees(np.arctan2(z, np.hypot(up, aside)))
