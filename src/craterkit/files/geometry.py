"""The geometry of a file: centres or polygons of a region, in any system of the body."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pyproj
    from numpy.typing import NDArray

    from craterkit.files.contents import Parts

    Objects = NDArray[np.object_]

__all__ = ["Drawer"]


class Drawer:
    """Draws the features of a database in one system.

    Parameters
    ----------
    parts : Parts
        The database.
    crs : object
        Any system of the body, as `CraterDatabase.to_crs` takes it.

    Attributes
    ----------
    crs : pyproj.CRS
        The system.

    Raises
    ------
    CRSError
        If it is unusable or of another body.
    """

    def __init__(self, parts: Parts, crs: object) -> None:
        self._parts = parts
        from craterkit.regions.projecting import read_map

        self._system = read_map(crs, parts.body)
        assert self._system.crs is not None
        self.crs: pyproj.CRS = self._system.crs

    def draw(self, region: str | None) -> Objects:
        """Points at the centres, or polygons of a region; None where there is nothing."""
        import shapely

        shapes = np.array(self._drawn(region), dtype=object)
        shapes[shapely.is_empty(shapes)] = None
        return shapes

    def _drawn(self, region: str | None) -> Any:  # noqa: ANN401
        import shapely

        body, features = self._parts.body, self._parts.features
        if self.crs == body.crs:
            if region is None:
                return shapely.points(features.lon, features.lat)
            from craterkit.regions.drawing import draw_region

            return draw_region(body, features, self._parts.regions[region])
        from craterkit.regions.projecting import draw_centres, draw_on_map

        if region is None:
            return draw_centres(features, self._system)
        return draw_on_map(body, features, self._parts.regions[region], self._system)
