"""Which ground a map shows in one piece, and where it is cut: the sheets on which polygons are drawn.

Two kinds of maps serve nearly every projection. One is cut along the meridian opposite to its central
one, and shows every longitude once: `CutSheet`. The other is continuous all around a centre, out to
some angle: `RoundSheet`. Which of them a map is, and how far it reaches, is measured.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from craterkit.bodies import (
    planetocentric_to_planetographic,
    planetographic_to_planetocentric,
    wrap_longitude,
)
from craterkit.errors import CRSError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from craterkit.coordinates import CoordinateSystem

    Floats = NDArray[np.float64]
    Bools = NDArray[np.bool_]

__all__ = ["CutSheet", "RoundSheet", "Sheet", "located", "sheet_of"]

#: Ground whose scale on the map is larger than this in every direction is not shown.
LARGEST_SCALE = 100.0

#: Degrees over which the scale is measured.
SCALE_STEP = 1e-4

#: By how much, as a share of the body's radius, a place may miss itself, there and back: what is no place of
#: the map misses by far more.
MISPLACED = 1e-2

#: Degrees from the cut of a map at which its edge is drawn: on the cut itself rounding picks a side.
OFF_THE_CUT = 1e-10

#: Degrees by which a round sheet ends before the map does, and how far it reaches at most: the point
#: opposite to the centre is drawn out into the map's rim.
MARGIN, FARTHEST = 1e-3, 179.99

#: Latitudes at which the two sides of a cut are compared, and what is apart, in radii of the body.
CUT_LATITUDES, APART = (-60.0, -30.0, 0.0, 30.0, 60.0), 0.1

#: Steps on a map that are this many times their neighbours', and this many radii, are tears.
TEAR, SHORTEST_TEAR = 5.0, 0.03

#: Share of the way to a pole from which on a map shows the pole, but for rounding.
NEARLY_POLE = 1.0 - 1e-5

#: How often a limit is halved.
HALVINGS = 40


@dataclass(frozen=True, slots=True)
class CutSheet:
    """A map that is cut along a meridian.

    Attributes
    ----------
    system : CoordinateSystem
        The map's.
    left, right : float
        The cut: longitudes of the body, degrees, 360 apart.
    south, north : float
        Latitudes, planetocentric degrees, between which the map is drawn.
    """

    system: CoordinateSystem
    left: float
    right: float
    south: float = -90.0
    north: float = 90.0

    def wrapped(self, lon: Floats) -> Floats:
        """Longitudes brought between the sides of the cut."""
        turns = np.floor((lon - self.left) / 360.0)
        return np.clip(lon - 360.0 * turns, self.left, self.right)

    def to_map(self, lon: Floats, lat: Floats) -> tuple[Floats, Floats]:
        """Map coordinates of places whose longitudes lie between the sides of the cut."""
        if not self.system.is_geographic:
            lon = np.clip(lon, self.left + OFF_THE_CUT, self.right - OFF_THE_CUT)
        return self.system.from_body(lon, lat)

    def points(self, lon: Floats, lat: Floats) -> tuple[Floats, Floats]:
        """Map coordinates of places anywhere; NaN where the map does not show them."""
        x, y = self.to_map(self.wrapped(lon), lat)
        beyond = (lat < self.south) | (lat > self.north)
        return np.where(beyond, np.nan, x), np.where(beyond, np.nan, y)


@dataclass(frozen=True, slots=True)
class RoundSheet:
    """A map that is continuous around a centre.

    In the sheet's own plane places have their angle from the centre for distance, degrees, and their
    direction at the centre: x to the east, y to the north.

    Attributes
    ----------
    system : CoordinateSystem
        The map's.
    lon, lat : float
        The centre: degrees, latitude of the kind that the map's formulas take.
    reach : float
        Angle from the centre, degrees, up to which everything is shown.
    handed : float
        1 if the map's y lies a quarter turn anticlockwise of its x as north does of east, else -1.
    """

    system: CoordinateSystem
    lon: float
    lat: float
    reach: float
    handed: float

    def _axes(self) -> Floats:
        lon, lat = np.radians([self.lon, self.lat])
        up = np.array([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)])
        east = np.array([-np.sin(lon), np.cos(lon), 0.0])
        return np.stack([east, np.cross(up, east), up])

    def to_plane(self, lon: Floats, lat: Floats) -> tuple[Floats, Floats]:
        """The sheet's plane, degrees, from longitude and planetocentric latitude."""
        if self.system.latitude_type == "planetographic":
            lat = planetocentric_to_planetographic(lat, self.system.a, self.system.b)
        lam, phi = np.radians(lon), np.radians(lat)
        across = np.cos(phi)
        place = np.stack([across * np.cos(lam), across * np.sin(lam), np.sin(phi)])
        east, north, up = np.tensordot(self._axes(), place, axes=1)
        aside = np.hypot(east, north)
        angle = np.degrees(np.arctan2(aside, up))
        safe = np.where(aside > 0, aside, 1.0)
        return angle * east / safe, angle * north / safe

    def from_plane(self, x: Floats, y: Floats) -> tuple[Floats, Floats]:
        """Longitude and planetocentric latitude from the sheet's plane."""
        angle = np.hypot(x, y)
        safe = np.where(angle > 0, angle, 1.0)
        aside = np.sin(np.radians(angle))
        local = np.stack([aside * x / safe, aside * y / safe, np.cos(np.radians(angle))])
        place = np.tensordot(self._axes().T, local, axes=1)
        lat = np.degrees(np.arctan2(place[2], np.hypot(place[0], place[1])))
        if self.system.latitude_type == "planetographic":
            lat = planetographic_to_planetocentric(lat, self.system.a, self.system.b)
        return np.degrees(np.arctan2(place[1], place[0])), lat

    def to_map(self, lon: Floats, lat: Floats) -> tuple[Floats, Floats]:
        """Map coordinates of places within reach."""
        # PROJ has none for longitudes of more than a turn and a half.
        return self.system.from_body(wrap_longitude(lon), lat)

    def points(self, lon: Floats, lat: Floats) -> tuple[Floats, Floats]:
        """Map coordinates of places anywhere; NaN where the map does not show them."""
        return located(self.system, wrap_longitude(lon), lat)


Sheet: TypeAlias = CutSheet | RoundSheet


@lru_cache(maxsize=64)
def sheet_of(system: CoordinateSystem) -> Sheet:
    """The sheet of a map.

    Raises
    ------
    CRSError
        If the map is interrupted, so that it is neither kind.
    """
    if system.is_geographic:
        middle = system.longitude_shift + _longitude_wrap(system)
        return CutSheet(system, middle - 180.0, middle + 180.0)
    parameters = _parameters(system)
    middle = system.longitude_shift + parameters.get("lon_0", 0.0)
    if "zone" in parameters:
        middle = system.longitude_shift + 6.0 * parameters["zone"] - 183.0
    if _is_cut(system, middle):
        return _cut_sheet(system, middle)
    return _round_sheet(system, middle, parameters.get("lat_0", 0.0))


def located(system: CoordinateSystem, lon: ArrayLike, lat: ArrayLike) -> tuple[Floats, Floats]:
    """Map coordinates of places that a map really shows; NaN for others.

    Formulae give numbers beyond the edge of a map, too: those do not lead back, or the map is stretched
    beyond use there.
    """
    lon, lat = np.broadcast_arrays(np.asarray(lon, dtype=np.float64), lat)
    x, y = system.from_body(lon, lat)
    with np.errstate(invalid="ignore"):
        there = _directions(*system.to_body(x, y))
        missed = np.linalg.norm(there - _directions(lon, lat), axis=-1)
        # PROJ's inverses fail for some maps of spheres: then nothing speaks against a place.
        good = ~(missed > MISPLACED) if system.a == system.b else missed <= MISPLACED
        good &= np.isfinite(x + y)
        # Inwards, so that there is ground.
        toward = -np.copysign(SCALE_STEP, lat)
        sideways = np.minimum(SCALE_STEP / np.maximum(np.cos(np.radians(lat)), 1e-9), 1.0)
        huge = np.ones(lon.shape, dtype=bool)
        ground = np.radians(SCALE_STEP) * system.body.a / _metres_per_unit(system)
        for dlon, dlat in ((0.0, toward), (sideways, 0.0)):
            to_x, to_y = system.from_body(lon + dlon, lat + dlat)
            huge &= np.hypot(to_x - x, to_y - y) > LARGEST_SCALE * ground
    good &= ~huge
    return np.where(good, x, np.nan), np.where(good, y, np.nan)


def _directions(lon: ArrayLike, lat: ArrayLike) -> Floats:
    lam, phi = np.radians(lon), np.radians(lat)
    across = np.cos(phi)
    return np.stack([across * np.cos(lam), across * np.sin(lam), np.sin(phi)], axis=-1)


def _words(text: str) -> dict[str, float]:
    """The numbers of a PROJ string by name; angles are degrees."""
    found = {}
    for word in text.split():
        name, _, value = word.removeprefix("+").partition("=")
        try:
            found[name] = float(value.removesuffix("r")) * (
                180.0 / np.pi if value.endswith("r") else 1.0
            )
        except ValueError:
            continue
    return found


def _parameters(system: CoordinateSystem) -> dict[str, float]:
    assert system.projection is not None
    return _words(system.projection)


def _longitude_wrap(system: CoordinateSystem) -> float:
    """The longitude in the middle of a lon/lat system that says so; PROJ keeps it in a remark only."""
    remarks = (system.crs.remarks if system.crs is not None else None) or ""
    return _words(remarks).get("lon_wrap", 0.0)


def _metres_per_unit(system: CoordinateSystem) -> float:
    assert system.crs is not None
    return float(system.crs.axis_info[0].unit_conversion_factor) or 1.0


def _is_cut(system: CoordinateSystem, middle: float) -> bool:
    """Whether the two sides of the meridian opposite to the middle one are apart on the map."""
    lat = np.array(CUT_LATITUDES)
    sides = [
        system.from_body(np.full(lat.shape, middle + side * (180.0 - 1e-6)), lat)
        for side in (-1.0, 1.0)
    ]
    (west_x, west_y), (east_x, east_y) = sides
    apart = np.hypot(east_x - west_x, east_y - west_y)
    known = np.isfinite(apart)
    far = apart[known] > APART * system.body.a / _metres_per_unit(system)
    return bool(known.any() and far.all())


def _cut_sheet(system: CoordinateSystem, middle: float) -> CutSheet:
    probes = middle + np.array([-60.0, 0.0, 60.0])

    def shown(lat: float) -> bool:
        return bool(np.isfinite(located(system, probes, lat)[0]).all())

    limits: list[float] = []
    for pole in (-90.0, 90.0):
        low, high = 0.0, 1.0
        for _ in range(HALVINGS * (not shown(pole))):
            half = (low + high) / 2
            low, high = (half, high) if shown(half * pole) else (low, half)
        limits.append(pole * low if 0.0 < low < NEARLY_POLE else pole)
    south, north = limits
    sheet = CutSheet(system, middle - 180.0, middle + 180.0, south, north)
    lat = np.linspace(sheet.south, sheet.north, 27)[1:-1, None]
    x, y = sheet.to_map(np.broadcast_to(np.linspace(sheet.left, sheet.right, 721), (25, 721)), lat)
    steps = np.hypot(np.diff(x, axis=1), np.diff(y, axis=1))
    usual = np.median(steps, axis=1, keepdims=True)
    least = SHORTEST_TEAR * system.body.a / _metres_per_unit(system)
    if not (steps <= np.maximum(TEAR * usual, least)).all():
        raise CRSError(
            f"crs: the map of {system} is interrupted or has gaps, so that polygons cannot be drawn on "
            "it; choose a projection that is continuous or cut along one meridian"
        )
    return sheet


def _round_sheet(system: CoordinateSystem, lon: float, lat: float) -> RoundSheet:
    lat = float(np.clip(lat, -90.0, 90.0))
    sheet = RoundSheet(system, lon, lat, 180.0, 1.0)
    angle = np.arange(0.25, 180.0, 0.5)
    azimuth = np.radians(np.arange(72) * 5.0 + 1.0)[:, None]
    lam, phi = sheet.from_plane(angle * np.sin(azimuth), angle * np.cos(azimuth))
    x, y = located(system, lam, phi)
    least = SHORTEST_TEAR * system.body.a / _metres_per_unit(system)
    with np.errstate(invalid="ignore"):
        outward = np.hypot(np.diff(x, axis=1), np.diff(y, axis=1))
        sound = np.asarray(np.isfinite(x).all(axis=0))
        sound[2:] &= (outward[:, 1:] <= np.maximum(TEAR * outward[:, :-1], least)).all(axis=0)
        around = np.hypot(x - np.roll(x, 1, axis=0), y - np.roll(y, 1, axis=0))
        around[:, ~sound] = np.inf
        usual = np.median(around, axis=0)
        sound &= (around <= np.maximum(TEAR * usual, 5.0 * least)).all(axis=0)
    first = int(np.argmin(sound)) if not sound.all() else sound.size
    if first < 2:
        raise CRSError(
            f"crs: the map of {system} shows no ground around {lon:g}° E, {lat:g}° N, its centre, so "
            "that polygons cannot be drawn on it"
        )
    low, high = float(angle[first - 1]), float(angle[first]) if first < angle.size else 180.0
    for _ in range(HALVINGS):
        half = (low + high) / 2
        lam, phi = sheet.from_plane(half * np.sin(azimuth), half * np.cos(azimuth))
        good = np.isfinite(located(system, lam, phi)[0]).all()
        low, high = (half, high) if good else (low, half)
    (x0, x1), (y0, y1) = (np.ravel(v)[:2] for v in (x[[0, 18], 0], y[[0, 18], 0]))
    cx, cy = np.mean(x[:, 0]), np.mean(y[:, 0])
    # From azimuth 1° to 91° is clockwise.
    turn = (x0 - cx) * (y1 - cy) - (x1 - cx) * (y0 - cy)
    return RoundSheet(system, lon, lat, min(low - MARGIN, FARTHEST), float(-np.sign(turn)))
