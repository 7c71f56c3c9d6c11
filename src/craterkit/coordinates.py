"""How the coordinates of a table or raster relate to a body's own longitude and latitude.

Inside the library a position is planetocentric latitude and east-positive longitude on the body.
`CoordinateSystem` carries anything else there and back: other conventions of latitude and
longitude, prime meridians, angular units, projections. PROJ serves for the projection formulas
alone; its transformations between a body's systems get axes, signs or latitudes wrong in silence.

What was measured with PROJ 9.5, and what follows from it:

- Axis order never matters here: x is longitude or easting, y is latitude or northing.
- The formulas of a projection take *planetographic* latitude on an ellipsoid, also under a base
  system that is planetocentric (``IAU_2015:49912``: PROJ and GDAL turn the base's latitude into a
  planetographic one before they project it). So a projected position has planetographic latitude
  on an ellipsoid whatever the names say; only on lon/lat systems does "ocentric" in a name count.
- The equirectangular projection of an *ellipsoid* (method 1028 of the EPSG) changed with PROJ 9.8:
  northings were a · φ before and are distances along the meridian since, 23 km apart on Mars at
  45°. Maps are read with the formulas of the PROJ that is installed.
- ``IAU_2015:49911``, ``49916``, ``49931`` have a *westing* that grows westward, for PROJ and GDAL
  alike. Axes are taken as declared; a GeoTIFF and most WKT 1 do not keep them, so that westings
  and west-positive longitudes come back as eastings and east-positive longitudes.
"""

from __future__ import annotations

import math
import re
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from craterkit.bodies import (
    Body,
    get_body,
    planetocentric_to_planetographic,
    planetographic_to_planetocentric,
    wrap_longitude,
)
from craterkit.body_check import check_body
from craterkit.crs_reading import (
    Sign,
    as_crs,
    crs_key,
    easting_sign,
    formulas_of,
    horizontal,
    meridian_of,
    says_ocentric,
    unusable,
)
from craterkit.errors import CRSError
from craterkit.projections import project, unproject

if TYPE_CHECKING:
    import pyproj
    from numpy.typing import ArrayLike, NDArray

__all__ = ["CoordinateSystem", "system_on_own_ellipsoid"]

LatitudeType = Literal["planetocentric", "planetographic"]

# Names of conventions: latitude and direction of longitude; "iau" is the body's ographic one.
_CONVENTIONS: dict[str, tuple[LatitudeType, Literal["east", "west", "iau"]]] = {
    "default": ("planetocentric", "east"),
    "planetocentric": ("planetocentric", "east"),
    "ocentric": ("planetocentric", "east"),
    "planetocentric_east": ("planetocentric", "east"),
    "planetocentric_west": ("planetocentric", "west"),
    "planetographic": ("planetographic", "iau"),
    "ographic": ("planetographic", "iau"),
    "planetographic_east": ("planetographic", "east"),
    "planetographic_west": ("planetographic", "west"),
}
# Longitude frames of Vesta, east-positive: degrees to add to reach Claudia Double-Prime, the
# frame of the IAU's 2015 report, in which the crater Claudia lies at 146° E. It lies at 136° E in
# Claudia Prime and at 356° E in the Dawn team's Claudia frame.
_VESTA_FRAMES = {"claudia_dp": 0.0, "claudia_p": 10.0, "dawn_claudia": 150.0}


@dataclass(frozen=True, slots=True, kw_only=True)
class CoordinateSystem:
    """What the x and y of a table or raster mean on a body.

    Usually made by `from_user_input`; the defaults are the body's own planetocentric system.

    Parameters
    ----------
    body : Body
        The body that the positions are on.
    crs : pyproj.CRS, optional
        The coordinate reference system it was made from (the horizontal part); None if it was
        made from the name of a convention.
    is_geographic : bool
        Whether x and y are longitude and latitude; else they are projected.
    latitude_type : {"planetocentric", "planetographic"}
        The latitude of a geographic system, or the one that a projection's formulas take.
    longitude_sign : {1, -1}
        1 if x grows eastward, -1 if westward; of projected systems, too (a westing).
    longitude_shift : float
        Degrees to add to the east-positive longitude to reach the body's.
    degrees_per_unit : float
        Size of the angular unit of a geographic system.
    a, b : float, optional
        Radii, in metres, of the ellipsoid that planetographic latitudes refer to; by default the
        body's.
    projection : str, optional
        The projection's formulas as a PROJ string, units included; None if geographic.

    Notes
    -----
    Immutable, hashable, picklable, and safe to use from several threads.

    Examples
    --------
    >>> ographic = CoordinateSystem.from_user_input("planetographic", "mars", what="input_crs")
    >>> print(ographic)
    planetographic latitude, west-positive longitude on Mars
    >>> lon, lat = ographic.to_body(30, 45)
    >>> print(lon, lat.round(4))
    -30.0 44.6618
    """

    body: Body
    crs: pyproj.CRS | None = None
    is_geographic: bool = True
    latitude_type: LatitudeType = "planetocentric"
    longitude_sign: Sign = 1
    longitude_shift: float = 0.0
    degrees_per_unit: float = 1.0
    a: float = math.nan
    b: float = math.nan
    projection: str | None = None

    def __post_init__(self) -> None:
        if math.isnan(self.a) or math.isnan(self.b):
            object.__setattr__(self, "a", self.body.a)
            object.__setattr__(self, "b", self.body.b)

    @classmethod
    def from_user_input(
        cls, value: object, body: str | int | Body, *, what: str, argument: str | None = None
    ) -> CoordinateSystem:
        """Make a coordinate system from whatever a user or a file gives, and check its body.

        Parameters
        ----------
        value : str, int, pyproj.CRS, rasterio CRS, CoordinateSystem
            The name of a convention in any case, or anything that pyproj takes for a CRS: an
            object of rasterio or geopandas, an authority's code, WKT, PROJJSON, a PROJ string.
            The conventions: ``"default"`` or ``"planetocentric"`` (east-positive),
            ``"planetocentric_west"``, ``"planetographic"`` (longitude in the IAU's direction),
            ``"planetographic_east"``, ``"planetographic_west"``; ``"ocentric"`` and
            ``"ographic"`` for short; on Vesta ``"claudia_dp"`` (the default), ``"claudia_p"``
            and ``"dawn_claudia"``, planetocentric and east-positive.
        body : str, int or Body
            The body that the positions must be on.
        what : str
            What `value` belongs to, for messages: an argument's or a file's name.
        argument : str, optional
            The argument that would override `value`, for messages. By default `what` if that
            ends in ``_crs``, else ``raster_crs``.

        Returns
        -------
        CoordinateSystem

        Raises
        ------
        CRSError
            If `value` is None, empty or unknown, no lon/lat or projected system, of another
            body, or ``"planetographic"`` on a body whose ographic direction is unknown.

        Notes
        -----
        A system belongs to the body if a name in it (of the CRS, datum or ellipsoid) says so and
        its radii are within 20 % of the body's (older reports had other radii); or if it names
        no body and its radii are within 0.5 % of the span from `b` to `a` of the body (ISIS
        writes local radii). Systems of the EPSG are of the Earth.

        Latitude is planetocentric on a sphere. On an ellipsoid that of a lon/lat system is
        planetographic unless its axes or names say "ocentric"; see the module's notes for
        projections.

        Examples
        --------
        >>> CoordinateSystem.from_user_input("IAU_2015:49901", "moon", what="mars.tif")
        Traceback (most recent call last):
        ...
        craterkit.errors.CRSError: mars.tif: its CRS 'Mars (2015) / Ographic' is of Mars, ...
        """
        body = get_body(body)
        argument = argument or (what if what.endswith("_crs") else "raster_crs")
        if isinstance(value, CoordinateSystem):
            if value.body != body:
                raise CRSError(f"{what}: the system is of {value.body.name}, not of {body.name}.")
            return value
        if isinstance(value, str):
            named = _from_name(value, body, what)
            if named is not None:
                return named
        key = crs_key(value)
        if key is not None:
            # What goes wrong is worked out anew below, as the message is to name what `value` is of.
            with suppress(CRSError):
                return _remembered(key, body)
        return _checked(value, body, what, argument)

    def to_body(
        self, x: ArrayLike, y: ArrayLike, *, wrap: bool = False
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Turn coordinates into the body's longitude and latitude.

        Parameters
        ----------
        x, y : array_like
            Longitude and latitude, or easting and northing, in the system's units; of shapes
            that broadcast.
        wrap : bool
            Whether to bring longitudes into [−180, 180). By default they are not wrapped, so
            that the columns of a raster stay in order.

        Returns
        -------
        lon, lat : ndarray of float64
            East-positive longitude and planetocentric latitude in degrees, of the broadcast
            shape. NaN where x or y is, and outside the domain of a projection.
        """
        x, y = (np.array(v) for v in np.broadcast_arrays(_floats(x), _floats(y)))
        if self.projection is None:
            lon, lat = x, y
            if self.degrees_per_unit != 1.0:
                lon, lat = lon * self.degrees_per_unit, lat * self.degrees_per_unit
            if self.longitude_sign < 0:
                lon = -lon
        else:
            lon, lat = unproject(
                self.projection, self.longitude_sign * x, y, self.a, is_sphere=self.a == self.b
            )
        if self.longitude_shift:
            lon = lon + self.longitude_shift
        if self.latitude_type == "planetographic":
            lat = planetographic_to_planetocentric(lat, self.a, self.b)
        return (wrap_longitude(lon) if wrap else lon), lat

    def from_body(
        self, lon: ArrayLike, lat: ArrayLike
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Turn the body's longitude and latitude into coordinates; the inverse of `to_body`.

        Parameters
        ----------
        lon, lat : array_like
            East-positive longitude and planetocentric latitude in degrees, of shapes that
            broadcast.

        Returns
        -------
        x, y : ndarray of float64
            In the system's units. Longitudes are not wrapped; projected points lie within half
            a turn of the central meridian. NaN outside the domain of a projection.
        """
        lon, lat = (np.array(v) for v in np.broadcast_arrays(_floats(lon), _floats(lat)))
        if self.longitude_shift:
            lon = lon - self.longitude_shift
        if self.latitude_type == "planetographic":
            lat = planetocentric_to_planetographic(lat, self.a, self.b)
        if self.projection is not None:
            x, y = project(self.projection, lon, lat)
            return self.longitude_sign * x, y
        if self.longitude_sign < 0:
            lon = -lon
        if self.degrees_per_unit != 1.0:
            return lon / self.degrees_per_unit, lat / self.degrees_per_unit
        return lon, lat

    def describe(self) -> str:
        """Say in one line what the coordinates are."""
        body = self.body
        toward = "east" if self.longitude_sign > 0 else "west"
        if self.is_geographic:
            text = f"{self.latitude_type} latitude, {toward}-positive longitude"
        else:
            text = f"projected by {self.projection}"
            text += "" if self.longitude_sign > 0 else ", x growing westward"
        if self.longitude_shift:
            text += f" from the meridian {self.longitude_shift:.10g}° E"
        if self.degrees_per_unit != 1.0:
            text += f" in units of {self.degrees_per_unit:.10g}°"
        if self.latitude_type == "planetographic" and (self.a, self.b) != (body.a, body.b):
            text += f" of an ellipsoid of {self.a:.10g} and {self.b:.10g} m"
        text += f" on {body.name}"
        return text if self.crs is None else f"{self.crs.name!r} ({text})"

    def __str__(self) -> str:
        return self.describe()


def _floats(values: ArrayLike) -> NDArray[np.float64]:
    return np.asarray(values, dtype=np.float64)


# --- Reading what the user or the file gives ------------------------------------------------


def _from_name(value: str, body: Body, what: str) -> CoordinateSystem | None:
    """Return the system of a convention's name; None if `value` is not such a name."""
    name = re.sub(r"[\s-]+", "_", value.strip()).casefold()
    if name in _VESTA_FRAMES:
        if body.name.casefold() != "vesta" and body.naif_id != 2000004:
            raise CRSError(f"{what}: {value!r} is a longitude frame of Vesta, not of {body.name}.")
        return CoordinateSystem(body=body, longitude_shift=_VESTA_FRAMES[name])
    if name not in _CONVENTIONS:
        return None
    latitude_type, toward = _CONVENTIONS[name]
    if toward == "iau":
        if body.ographic_longitude is None:
            raise CRSError(
                f"{what}: {value!r} is ambiguous, since the direction of planetographic longitude "
                f'on {body.name} is not known; use "planetographic_east" or "planetographic_west".'
            )
        toward = body.ographic_longitude
    sign: Sign = 1 if toward == "east" else -1
    return CoordinateSystem(body=body, latitude_type=latitude_type, longitude_sign=sign)


@lru_cache(maxsize=64)
def _remembered(key: str | pyproj.CRS, body: Body) -> CoordinateSystem:
    """The rasters of a stack have one CRS, and parsing it takes milliseconds."""
    return _checked(key, body, "", "raster_crs")


@lru_cache(maxsize=64)
def system_on_own_ellipsoid(crs: pyproj.CRS) -> CoordinateSystem:
    """Make the system of a CRS on a body of which only the CRS's ellipsoid is known.

    Raises
    ------
    CRSError
        If it has no ellipsoid, or is no lon/lat or projected system.
    BodyError
        If the ellipsoid is prolate.
    """
    crs = horizontal(crs)
    if crs.ellipsoid is None:
        raise unusable(crs, "it", "raster_crs")
    a, b = crs.ellipsoid.semi_major_metre, crs.ellipsoid.semi_minor_metre
    return _from_crs(crs, Body("a body of this ellipsoid", a, b), "it", "raster_crs")


def _checked(value: Any, body: Body, what: str, argument: str) -> CoordinateSystem:  # noqa: ANN401
    crs = horizontal(as_crs(value, what, argument, (*_CONVENTIONS, *_VESTA_FRAMES)))
    if crs.ellipsoid is None:
        raise unusable(crs, what, argument)
    check_body(crs, body, what, argument)
    return _from_crs(crs, body, what, argument)


def _from_crs(crs: pyproj.CRS, body: Body, what: str, argument: str) -> CoordinateSystem:
    """Make the system of a horizontal CRS, known to be of `body`."""
    assert crs.ellipsoid is not None
    a, b = crs.ellipsoid.semi_major_metre, crs.ellipsoid.semi_minor_metre
    system = CoordinateSystem(body=body, crs=crs, a=a, b=b, longitude_shift=meridian_of(crs))
    ographic: LatitudeType = "planetocentric" if a == b else "planetographic"
    if crs.is_projected:
        return replace(
            system,
            is_geographic=False,
            latitude_type=ographic,
            longitude_sign=easting_sign(crs, what, argument),
            projection=formulas_of(crs, what, argument),
        )
    across = [axis for axis in crs.axis_info if axis.direction in ("east", "west")]
    along = [axis for axis in crs.axis_info if axis.direction == "north"]
    derived = crs.type_name.startswith("Derived")  # e.g. a rotated pole
    if derived or crs.is_geocentric or len(across) != 1 or len(along) != 1:
        raise unusable(crs, what, argument)
    size = math.degrees(along[0].unit_conversion_factor)
    if not size > 0.0:
        raise unusable(crs, what, argument, ": its unit of angle has no size")
    return replace(
        system,
        latitude_type="planetocentric" if says_ocentric(crs) else ographic,
        longitude_sign=1 if across[0].direction == "east" else -1,
        degrees_per_unit=1.0 if math.isclose(size, 1.0, rel_tol=1e-12) else size,
    )
