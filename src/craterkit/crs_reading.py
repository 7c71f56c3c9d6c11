"""Reading coordinate reference systems: from what users and files give, and what their parts say."""

from __future__ import annotations

import math
import re
import warnings
from contextlib import suppress
from functools import cache
from typing import TYPE_CHECKING, Any, Literal

from craterkit.errors import CRSError, quoted
from craterkit.projections import check_formulas

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pyproj

__all__ = [
    *("Sign", "as_crs", "crs_key", "easting_sign", "formulas_of", "horizontal"),
    *("meridian_of", "says_ocentric", "unusable", "with_lost_axes"),
]

Sign = Literal[1, -1]

# Parts of a PROJ string that are not of the formulas: dealt with elsewhere, or datum shifts.
_NOT_FORMULA = frozenset(
    {"axis", "geoidgrids", "nadgrids", "no_defs", "pm", "title", "towgs84", "type"}
    | {"vto_meter", "vunits", "wktext"}
)


def crs_key(value: Any) -> str | pyproj.CRS | None:  # noqa: ANN401
    """What to remember findings about a CRS by: its text, or a CRS of pyproj; None for anything else."""
    import pyproj

    if isinstance(value, str | pyproj.CRS):
        return value
    if type(value).__module__.partition(".")[0] != "rasterio":
        return None
    with suppress(ValueError):  # which rasterio's errors are
        # Its default, WKT 1, has no spherical coordinate systems.
        return str(value.to_wkt(version="WKT2_2019"))
    return None


def as_crs(value: Any, what: str, argument: str, names: Sequence[str] = ()) -> pyproj.CRS:  # noqa: ANN401
    """Make a CRS of whatever a user or a file gives; `names` are others that it might have, for messages."""
    import pyproj

    if isinstance(value, pyproj.CRS):
        return value
    given = value
    try:
        if hasattr(value, "to_wkt"):
            try:  # rasterio's default, WKT1, has no spherical coordinate systems
                value = value.to_wkt(version="WKT2_2019")
            except TypeError:
                value = value.to_wkt()
        if value is None or (isinstance(value, str) and not value.strip()):
            raise CRSError(
                f"{what} has no coordinate reference system. If its coordinates are planetocentric "
                f'degrees, east-positive, pass {argument}="planetocentric"; else pass the system '
                f'that it is in, e.g. {argument}="planetographic" or a CRS.'
            )
        if not isinstance(value, bool):
            return pyproj.CRS.from_user_input(value)
        cause = None
    except CRSError:
        raise
    except (pyproj.exceptions.CRSError, ValueError) as error:  # rasterio's are ValueErrors
        cause = error
    raise CRSError(
        f"{what}: {given!r} is not a coordinate reference system. {argument}= takes {quoted(names)} "
        "(the last three for Vesta), and whatever pyproj.CRS accepts."
    ) from cause


def horizontal(crs: pyproj.CRS) -> pyproj.CRS:
    """Strip heights and datum shifts."""
    while crs.is_bound or crs.is_compound:
        inner = crs.source_crs if crs.is_bound else crs.sub_crs_list[0]
        if inner is None:
            break
        crs = inner
    return crs


def unusable(crs: pyproj.CRS, what: str, argument: str, why: str = "") -> CRSError:
    """What to raise for a CRS in which nothing can be placed."""
    return CRSError(
        f"{what}: the CRS {crs.name!r} ({crs.type_name}) is neither longitude and latitude nor "
        f"a projection of them that is supported{why}. If the CRS is wrong, pass the right one as "
        f"{argument}=."
    )


def says_ocentric(crs: pyproj.CRS) -> bool:
    """Whether names or axes of a lon/lat system declare planetocentric latitude."""
    if crs.to_json_dict()["coordinate_system"]["subtype"] == "spherical":
        return True
    names = (crs.name, crs.datum.name if crs.datum else "")
    # Datums of the Earth are called "geocentric" for another reason.
    return any(re.search(r"(?<!ge)ocentric", name, re.I) for name in names)


def meridian_of(crs: pyproj.CRS) -> float:
    """Return the longitude, in degrees, at which the system's own longitudes begin."""
    shift = 0.0
    if crs.prime_meridian is not None:
        unit = math.degrees(float(crs.prime_meridian.unit_conversion_factor))
        unit = 1.0 if math.isclose(unit, 1.0, rel_tol=1e-12) else unit
        shift = crs.prime_meridian.longitude * unit
    if not crs.is_projected and "+lon_0=" in (crs.remarks or ""):
        # PROJ keeps "+proj=longlat +lon_0=…" in a remark only, but subtracts it all the same.
        shift += float(_parameters(crs).get("lon_0") or 0.0)
    return shift


def with_lost_axes(crs: Any) -> Any:  # noqa: ANN401
    """The CRS of a vector file, with the axes of the IAU's system whose name it bears.

    WKT 1, in which GDAL writes GeoPackages, Shapefiles and others, has no west-positive axes, and loses that
    ``IAU_2015:49901`` has one: numbers stay as they are, which then count westward.
    """
    import pyproj

    if not isinstance(crs, pyproj.CRS) or any(axis.direction == "west" for axis in crs.axis_info):
        return crs
    name = _letters(crs.name)
    code = _west_positive_systems().get(name) if "ographic" in name else None
    return crs if code is None else pyproj.CRS.from_authority("IAU_2015", code)


def _letters(name: str) -> str:
    """The letters and digits of a CRS's name; Shapefiles put "GCS" before it and have no other signs."""
    return re.sub(r"[^a-z0-9]", "", name.casefold()).removeprefix("gcs")


@cache
def _west_positive_systems() -> dict[str, str]:
    """Codes of the IAU's planetographic systems whose longitude or easting counts westward, by their names."""
    from pyproj import CRS
    from pyproj.database import query_crs_info

    infos = [info for info in query_crs_info(auth_name="IAU_2015") if "Ographic" in info.name]
    west = {
        body: any(
            axis.direction == "west" for axis in CRS.from_authority("IAU_2015", code).axis_info
        )
        for body, code in {info.name.split(" /")[0]: info.code for info in infos}.items()
    }
    return {_letters(info.name): info.code for info in infos if west[info.name.split(" /")[0]]}


def easting_sign(crs: pyproj.CRS, what: str, argument: str) -> Sign:
    """Return 1 if the abscissa of a projected system grows eastward, -1 if westward."""
    directions = {axis.direction for axis in crs.axis_info if axis.direction not in ("up", "down")}
    if directions in ({"east", "north"}, {"north"}, {"south"}):  # the latter two: polar aspects
        return 1
    if directions == {"west", "north"}:
        return -1
    raise CRSError(
        f"{what}: the axes of {crs.name!r} point {' and '.join(sorted(directions))}; an easting "
        f"or westing and a northing are needed. If the CRS is wrong, pass the right one as {argument}=."
    )


def _parameters(crs: pyproj.CRS) -> dict[str, str | None]:
    """Return the PROJ string of `crs`, taken apart."""
    with warnings.catch_warnings():
        # The warning that a PROJ string loses the datum's name: it is not needed here.
        warnings.simplefilter("ignore", UserWarning)
        words = crs.to_proj4().split()
    pairs = (word.removeprefix("+").partition("=") for word in words)
    return {key: value if equals else None for key, equals, value in pairs}


def formulas_of(crs: pyproj.CRS, what: str, argument: str) -> str:
    """Return the projection's formulas and units as a PROJ string without datum shift."""
    import pyproj

    try:
        parameters = _parameters(crs)
    except pyproj.exceptions.CRSError as error:
        raise unusable(crs, what, argument) from error
    if parameters.pop("datum", None) and crs.ellipsoid is not None:
        parameters["a"] = repr(crs.ellipsoid.semi_major_metre)
        parameters["b"] = repr(crs.ellipsoid.semi_minor_metre)
    kept = ((key, value) for key, value in parameters.items() if key not in _NOT_FORMULA)
    formulas = " ".join(f"+{key}" if value is None else f"+{key}={value}" for key, value in kept)
    try:
        check_formulas(formulas)
    except pyproj.exceptions.ProjError as error:
        raise unusable(crs, what, argument, f": {error}") from error
    return formulas
