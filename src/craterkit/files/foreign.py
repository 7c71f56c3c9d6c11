"""Files that other software wrote: of which body they are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from craterkit.bodies import Body, get_body, list_bodies
from craterkit.body_check import check_body
from craterkit.errors import BodyError, CRSError

if TYPE_CHECKING:
    import pandas as pd
    import pyproj

__all__ = ["body_named_by", "body_of_table", "is_body"]

#: A body of no name: what a CRS that names none could be of.
NOBODY = "a body without a name"


def body_of_table(table: pd.DataFrame, where: str) -> Body:
    """The body that the CRS of a table's geometry names.

    Raises
    ------
    BodyError
        If the table has no CRS that names one.
    """
    crs: Any = getattr(table, "crs", None) if hasattr(table, "active_geometry_name") else None
    found = None if crs is None else body_named_by(crs)
    if found is None:
        why = "has no CRS" if crs is None else f"has the CRS {crs.name!r}, which names none"
        raise BodyError(
            f'{where}: of which body is it? The file {why}; pass body=, for example body="moon"'
        )
    return found


def body_named_by(crs: pyproj.CRS) -> Body | None:
    """The body that a CRS names: by a code of the IAU's list, or by a name in it.

    Systems of the EPSG, such as WGS 84, name none: files that say nothing of their system are read as if
    they were in WGS 84.

    Parameters
    ----------
    crs : pyproj.CRS
        Any.

    Returns
    -------
    Body or None

    Examples
    --------
    >>> import pyproj
    >>> body_named_by(pyproj.CRS("IAU_2015:49910")).name
    'Mars'
    >>> body_named_by(pyproj.CRS("EPSG:4326")), body_named_by(pyproj.CRS("+proj=eqc +R=1737400"))
    (None, None)
    """
    authority = crs.to_authority(min_confidence=100)
    if authority is not None and authority[0].startswith("IAU"):
        return get_body(f"{authority[0]}:{authority[1]}")
    if crs.ellipsoid is None:
        return None
    anyone = Body(NOBODY, crs.ellipsoid.semi_major_metre, crs.ellipsoid.semi_minor_metre)
    if _fits(crs, anyone):
        return None
    found = next((body for body in map(get_body, list_bodies()) if _fits(crs, body)), None)
    return None if found is not None and found.name == "Earth" else found


def _fits(crs: pyproj.CRS, body: Body) -> bool:
    try:
        check_body(crs, body, "", "")
    except CRSError:
        return False
    return True


def is_body(body: str | int | Body, known: Body) -> bool:
    """Whether what the user gives is a body that is known, be it only by its own name."""
    try:
        return get_body(body) == known
    except BodyError:
        return isinstance(body, str) and body.strip().casefold() == known.name.casefold()
