"""Bodies: names, NAIF ids, ellipsoids, and the conventions of latitude and longitude on them.

The bodies come from the ``IAU_2015`` list of PROJ, which follows the report of the IAU Working
Group on Cartographic Coordinates and Rotational Elements: Archinal, B. A., et al. (2018), Report
of the IAU Working Group on Cartographic Coordinates and Rotational Elements: 2015, Celestial
Mechanics and Dynamical Astronomy 130:22, https://doi.org/10.1007/s10569-017-9805-5 ("the
report" below). A code of that list is NAIF id × 100 + k; k = 0 is the planetocentric system on a
sphere, 1 the planetographic and 2 the planetocentric system on the ellipsoid, for the bodies that
have one.

The functions on latitudes and longitudes are pure: arrays in, new arrays out.
"""

from __future__ import annotations

import difflib
import math
import numbers
import re
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Literal

import numpy as np

from craterkit.errors import BodyError

if TYPE_CHECKING:
    import pyproj
    from numpy.typing import ArrayLike, NDArray

__all__ = [
    "Body",
    "get_body",
    "list_bodies",
    "planetocentric_to_planetographic",
    "planetographic_to_planetocentric",
    "wrap_longitude",
]

_AUTHORITY = "IAU_2015"
_SPHERE, _OGRAPHIC, _OCENTRIC = 0, 1, 2

# Sense of planetographic longitude of bodies without an ographic system in PROJ's list, from the
# sign of dW/dt in the report's tables: west-positive for direct rotation, east-positive for
# retrograde. Left out, so unknown: satellites for which the report gives no rotation (506-513,
# 632 and above, 802) and Hyperion (607), which tumbles.
_WEST_POSITIVE = frozenset(
    {401, 402, *range(501, 506), *range(514, 517), *range(601, 607), *range(608, 619), 808}
)
_EAST_POSITIVE = frozenset({299, *range(701, 716), 801}) | frozenset(
    # By tradition the Sun, the Earth and the Moon; by the right-hand rule dwarf planets with
    # their satellites (Pluto, Charon). Comets and asteroids, below, follow the same rule.
    {10, 301, 399, 901, 999}
)
_FIRST_SMALL_BODY = 1_000_000

# Numbers of comets and minor planets whose NAIF id is not 2,000,000 + the number.
_FIRST_ASTEROID = 2_000_000
_NUMBERS = {999: "134340", 2431010: "243", 9511010: "951"} | {
    **{1000005: "19p", 1000012: "67p", 1000036: "1p", 1000041: "103p", 1000093: "9p"},
    1000107: "81p",
}


@dataclass(frozen=True, slots=True, init=False)
class Body:
    """A planet, moon or small body: a name and an ellipsoid of revolution.

    Parameters
    ----------
    name : str
        Any name; blanks around it are dropped.
    a : float
        Equatorial radius in metres.
    b : float, optional
        Polar radius in metres, at most `a`. By default `a`: a sphere.
    naif_id : int, optional
        NAIF id. With one of PROJ's ``IAU_2015`` list, `crs` is the system of that list.

    Raises
    ------
    BodyError
        If the name is empty, a radius is not a finite positive number, or b > a.

    See Also
    --------
    get_body : a body of the IAU's list by name.

    Notes
    -----
    Bodies are equal if all four attributes are; a body of one's own may bear a listed name and
    does not change what `get_body` finds.

    Examples
    --------
    >>> bennu = Body("bennu", a=282.37, b=249.25)
    >>> bennu
    Body(name='bennu', a=282.37, b=249.25, naif_id=None)
    >>> round(bennu.mean_radius, 2)
    271.33
    """

    name: str
    a: float
    b: float
    naif_id: int | None

    def __init__(
        self, name: str, a: float, b: float | None = None, naif_id: int | None = None
    ) -> None:
        if not isinstance(name, str) or not name.strip():
            raise BodyError(f"name must be a non-empty string, not {name!r}.")
        name = name.strip()
        a = _radius(a, f"a (equatorial radius) of {name}")
        b = a if b is None else _radius(b, f"b (polar radius) of {name}")
        if b > a:
            raise BodyError(
                f"{name}: the polar radius b = {b:.10g} m exceeds the equatorial radius "
                f"a = {a:.10g} m. Prolate ellipsoids are not supported; pass a sphere of the "
                "mean radius, or exchange a and b if they were mixed up."
            )
        if naif_id is not None:
            number = _integer(naif_id)
            if number is None:
                raise BodyError(f"naif_id of {name} must be an integer or None, not {naif_id!r}.")
            naif_id = number
        for attribute, value in (("name", name), ("a", a), ("b", b), ("naif_id", naif_id)):
            object.__setattr__(self, attribute, value)

    @property
    def is_sphere(self) -> bool:
        """Whether both radii are equal."""
        return self.a == self.b

    @property
    def flattening(self) -> float:
        """(a − b)/a."""
        return (self.a - self.b) / self.a

    @property
    def eccentricity_squared(self) -> float:
        """(a² − b²)/a², of the meridian ellipse."""
        return (self.a - self.b) * (self.a + self.b) / self.a**2

    @property
    def mean_radius(self) -> float:
        """(2a + b)/3, in metres."""
        return (2 * self.a + self.b) / 3

    @property
    def geod(self) -> pyproj.Geod:
        """Geodesics on the ellipsoid. They take planetographic latitudes."""
        return _geod(self.a, self.b)

    @property
    def crs(self) -> pyproj.CRS:
        """The planetocentric, east-positive system of centres and polygons, in degrees.

        ``IAU_2015:<naif_id>00`` if there is one, else a system of the same kind on a sphere of
        radius `a`, named ``<name> - Sphere / Ocentric``. Planetocentric latitude is the angle at
        the centre, so that the sphere's radius plays no part in it.
        """
        return _planetocentric_crs(self.name, self.a, self.naif_id)

    @property
    def ographic_longitude(self) -> Literal["east", "west"] | None:
        """The direction in which planetographic longitude grows; None if it is unknown.

        From the axes of PROJ's planetographic system where there is one, else by the rule of the
        report: westward on planets and satellites that rotate directly, eastward on those that
        rotate retrograde, on dwarf planets, asteroids and comets, and by tradition on the Sun,
        the Earth and the Moon. A body without a NAIF id is looked up by its name.

        Examples
        --------
        >>> [get_body(name).ographic_longitude for name in ("Mars", "Moon", "Himalia")]
        ['west', 'east', None]
        """
        number = _id_of_name(self.name) if self.naif_id is None else self.naif_id
        return None if number is None else _ographic_longitude(number)


def get_body(body: str | int | Body) -> Body:
    """Look up a body.

    Parameters
    ----------
    body : str, int or Body
        A name of `list_bodies` in any case, also as in ``"1 Ceres"``, ``"(4) Vesta"``, ``"1P/Halley"`` or
        ``"IAU_MOON"``; a NAIF id (number or digits), or a code of PROJ's list such as
        ``"IAU_2015:30100"``. A `Body` is returned unchanged.

    Returns
    -------
    Body
        With the ellipsoid of the report where PROJ's list has one, else its sphere.

    Raises
    ------
    BodyError
        If there is no such body.

    Examples
    --------
    >>> get_body("moon")
    Body(name='Moon', a=1737400.0, b=1737400.0, naif_id=301)
    >>> get_body(499) == get_body("IAU_2015:49901") == get_body(" MARS ")
    True
    """
    if isinstance(body, Body):
        return body
    number = _integer(body)
    if isinstance(body, str):
        text = body.strip()
        number = _id_of_name(text)
        if number is None and text.isdecimal():
            number = int(text)
        elif number is None and (code := re.fullmatch(r"(?i)IAU(?:_\d{4})?:(\d+)", text)):
            number = int(code[1]) // 100
    if number is None or number not in _registry():
        raise BodyError(_unknown(body))
    return _listed_body(number)


def list_bodies() -> list[str]:
    """List the names that `get_body` knows, in the order of their NAIF ids.

    Returns
    -------
    list of str

    Examples
    --------
    >>> list_bodies()[:5]
    ['Sun', 'Mercury', 'Venus', 'Moon', 'Earth']
    """
    return [name for name, _ in _registry().values()]


def planetographic_to_planetocentric(lat: ArrayLike, a: float, b: float) -> NDArray[np.float64]:
    """Turn planetographic latitudes into planetocentric ones.

    Parameters
    ----------
    lat : array_like
        Planetographic (geodetic) latitudes in degrees, any shape.
    a, b : float
        Equatorial and polar radius, in one unit.

    Returns
    -------
    ndarray of float64
        Planetocentric latitudes in degrees, of the shape of `lat`; NaN where `lat` is NaN.

    Notes
    -----
    tan φc = (b/a)² tan φg (Snyder 1987, USGS Professional Paper 1395, eq. 3-28), for points on
    the ellipsoid. Poles and equator stay exactly where they are. Beyond ±90° (edges of a grid
    that overshoots the pole) the relation is continued over the pole.

    Examples
    --------
    >>> planetographic_to_planetocentric([45, 90], a=3396190, b=3376200)
    array([44.66176805, 90.        ])
    """
    return _scale_tangent(lat, a, b)


def planetocentric_to_planetographic(lat: ArrayLike, a: float, b: float) -> NDArray[np.float64]:
    """Turn planetocentric latitudes into planetographic ones.

    Parameters
    ----------
    lat : array_like
        Planetocentric latitudes in degrees, any shape.
    a, b : float
        Equatorial and polar radius, in one unit.

    Returns
    -------
    ndarray of float64
        Planetographic (geodetic) latitudes in degrees, of the shape of `lat`; NaN where `lat` is.

    See Also
    --------
    planetographic_to_planetocentric : the inverse, with formula and source.

    Examples
    --------
    >>> planetocentric_to_planetographic([45, -90], a=487300, b=446000)
    array([ 50.04784629, -90.        ])
    """
    return _scale_tangent(lat, b, a)


def wrap_longitude(lon: ArrayLike) -> NDArray[np.float64]:
    """Bring longitudes into [−180, 180) by whole turns.

    Parameters
    ----------
    lon : array_like
        Longitudes in degrees, any shape.

    Returns
    -------
    ndarray of float64
        Of the shape of `lon`, with −180 ≤ result < 180. Longitudes that lie there already are
        returned bit for bit; NaN and ±inf give NaN.

    Examples
    --------
    >>> wrap_longitude([0, 180, 270, -540])
    array([   0., -180.,  -90., -180.])
    """
    lon = np.asarray(lon, dtype=np.float64)
    with np.errstate(invalid="ignore"):
        wrapped = lon - 360.0 * np.floor((lon + 180.0) / 360.0)
    # The sum above is rounded, so next to the ends the turn may come out as one too many.
    wrapped = np.where(wrapped < -180.0, wrapped + 360.0, wrapped)
    wrapped = np.where(wrapped >= 180.0, wrapped - 360.0, wrapped)
    return np.where((lon >= -180.0) & (lon < 180.0), lon, wrapped)


def _scale_tangent(lat: ArrayLike, a: float, b: float) -> NDArray[np.float64]:
    """Return the latitudes, in degrees, whose tangents are (b/a)² times those of `lat`."""
    lat = np.asarray(lat, dtype=np.float64)
    if a == b:
        return np.array(lat)
    angle = np.radians(lat)
    with np.errstate(invalid="ignore"):
        scaled = np.degrees(np.arctan2((b / a) ** 2 * np.sin(angle), np.cos(angle)))
    return np.where(np.abs(lat) == 90.0, lat, scaled)  # the cosine of 90° is not quite 0


def _radius(value: object, what: str) -> float:
    if not isinstance(value, bool) and isinstance(value, numbers.Real):
        radius = float(value)
        if math.isfinite(radius) and radius > 0:
            return radius
    raise BodyError(f"{what} must be a positive, finite number of metres, not {value!r}.")


def _integer(value: object) -> int | None:
    """Return `value` as an int if it is one of any kind (numpy's, too), else None."""
    if not isinstance(value, bool) and isinstance(value, numbers.Integral):
        return int(value)
    return None


def _key(name: str) -> str:
    return " ".join(name.replace("_", " ").split()).casefold()


def _unknown(body: object) -> str:
    message = f"Unknown body {body!r}."
    if isinstance(body, str):
        names = {_key(name): name for name in list_bodies()}
        matches = difflib.get_close_matches(_key(body), names, n=3)
        if matches:
            message += f" Did you mean {' or '.join(repr(names[match]) for match in matches)}?"
    return (
        f"{message} craterkit.list_bodies() lists the names; NAIF ids are accepted too. For any "
        'other body give its radii in metres, e.g. Body("bennu", a=282.37, b=249.25).'
    )


@cache
def _registry() -> dict[int, tuple[str, frozenset[int]]]:
    """Map NAIF id to name and the kinds (k = 0, 1, 2) of lon/lat systems, in order of id."""
    from pyproj.database import query_crs_info
    from pyproj.enums import PJType

    kinds = [PJType.GEOGRAPHIC_2D_CRS, PJType.GEODETIC_CRS]
    names: dict[int, str] = {}
    codes: dict[int, set[int]] = {}
    for info in query_crs_info(auth_name=_AUTHORITY, pj_types=kinds):
        number, kind = divmod(int(info.code), 100)
        codes.setdefault(number, set()).add(kind)
        if kind == _SPHERE:
            names[number] = info.name.split(" (2015)")[0]
    return {number: (names[number], frozenset(codes[number])) for number in sorted(names)}


@cache
def _ids_by_name() -> dict[str, int]:
    return {_key(name): number for number, (name, _) in _registry().items()}


def _id_of_name(name: str) -> int | None:
    """NAIF id of a listed body by its name, with or without the number of a minor planet or comet."""
    ids, key = _ids_by_name(), _key(name).removeprefix("iau ")
    numbered = re.fullmatch(r"\(?(\d+p?)\)?[ /]+(.+)", key)
    if key in ids or numbered is None:
        return ids.get(key)
    number = ids.get(numbered[2])
    if number is None or numbered[1] != _NUMBERS.get(number, str(number - _FIRST_ASTEROID)):
        return None
    return number


@cache
def _listed_body(number: int) -> Body:
    name, kinds = _registry()[number]
    kind = next(k for k in (_OGRAPHIC, _OCENTRIC, _SPHERE) if k in kinds)
    ellipsoid = _listed_crs(number, kind).ellipsoid
    assert ellipsoid is not None  # every geodetic system has one
    return Body(name, ellipsoid.semi_major_metre, ellipsoid.semi_minor_metre, number)


def _listed_crs(number: int, kind: int) -> pyproj.CRS:
    import pyproj

    return pyproj.CRS.from_authority(_AUTHORITY, str(100 * number + kind))


@cache
def _ographic_longitude(number: int) -> Literal["east", "west"] | None:
    if number in _registry() and _OGRAPHIC in _registry()[number][1]:
        directions = {axis.direction for axis in _listed_crs(number, _OGRAPHIC).axis_info}
        return "west" if "west" in directions else "east"
    if number in _WEST_POSITIVE:
        return "west"
    if number in _EAST_POSITIVE or number >= _FIRST_SMALL_BODY:
        return "east"
    return None


@lru_cache(maxsize=256)
def _geod(a: float, b: float) -> pyproj.Geod:
    import pyproj

    return pyproj.Geod(a=a, b=b)


@lru_cache(maxsize=256)
def _planetocentric_crs(name: str, a: float, naif_id: int | None) -> pyproj.CRS:
    import pyproj

    if naif_id is not None and naif_id in _registry():
        return _listed_crs(naif_id, _SPHERE)
    sphere = f"{name} - Sphere"
    axes = (("Latitude", "Lat", "north"), ("Longitude", "Lon", "east"))
    return pyproj.CRS.from_json_dict(
        {
            "type": "GeographicCRS",
            "name": f"{sphere} / Ocentric",
            "datum": {
                "type": "GeodeticReferenceFrame",
                "name": sphere,
                "ellipsoid": {"name": sphere, "radius": a},
                "prime_meridian": {"name": "Reference Meridian", "longitude": 0},
            },
            "coordinate_system": {
                "subtype": "ellipsoidal",
                "axis": [
                    {"name": axis, "abbreviation": short, "direction": way, "unit": "degree"}
                    for axis, short, way in axes
                ],
            },
        }
    )
