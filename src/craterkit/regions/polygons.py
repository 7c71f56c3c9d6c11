"""Given polygons: an ROI for every feature that no distance defines."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Objects = NDArray[np.object_]

__all__ = ["Polygons"]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Polygons:
    """One polygon or multipolygon for every feature.

    Parameters
    ----------
    geometries : (n,) ndarray of shapely geometries
        Valid, in planetocentric longitude and latitude from -180 to 180 and -90 to 90 degrees, and cut
        at ±180; edges are straight in longitude and latitude. Empty where a feature has none.
        `read_polygons` makes such from what a user gives.

    Notes
    -----
    In `geometries` shells run anticlockwise and holes clockwise.
    """

    geometries: Objects

    def __post_init__(self) -> None:
        import shapely

        # GEOS normalises shells to clockwise; the order of parts and of first vertices is then fixed, too.
        geometries = np.asarray(shapely.reverse(shapely.normalize(self.geometries)), dtype=object)
        geometries.flags.writeable = False
        object.__setattr__(self, "geometries", geometries)

    def __eq__(self, other: object) -> bool:
        import shapely

        if not isinstance(other, Polygons):
            return NotImplemented
        return self.geometries.shape == other.geometries.shape and bool(
            shapely.equals_exact(self.geometries, other.geometries).all()
        )

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"<Polygons of {self.geometries.size} features>"

    def __reduce__(self) -> tuple[Any, ...]:
        # Unpickled arrays would be writeable.
        return Polygons, (self.geometries,)

    def take(self, which: Any) -> Polygons:  # noqa: ANN401
        """The definition for some of the features: a slice, a mask or positions."""
        taken = object.__new__(Polygons)  # geometries in order need no second ordering
        geometries = self.geometries[which]
        geometries.flags.writeable = False
        object.__setattr__(taken, "geometries", geometries)
        return taken

    def describe(self) -> str:
        """A few words on what it is."""
        import shapely

        empty = int(np.count_nonzero(shapely.is_empty(self.geometries)))
        return "given polygons" + (f", {empty} of them empty" if empty else "")
