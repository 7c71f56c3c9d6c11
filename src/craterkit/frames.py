"""The database as a GeoDataFrame, whose polygons are drawn when they are asked for.

This module imports geopandas, so it is imported only once a geometry is wanted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import geopandas as gpd
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    import pyproj
    from numpy.typing import NDArray

__all__ = ["RegionFrame", "geo_series"]


def geo_series(
    geometries: NDArray[np.object_], index: pd.Index[Any], crs: pyproj.CRS, name: str
) -> gpd.GeoSeries:
    """A GeoSeries of geometries."""
    return gpd.GeoSeries(geometries, index=index, crs=crs, name=name)


class RegionFrame(gpd.GeoDataFrame):  # type: ignore[misc]
    """A GeoDataFrame with columns that come into being when they are first asked for.

    What is derived from it (selections, copies, ...) has the columns that exist by then.
    """

    # Kept by pandas where a frame is pickled.
    _metadata = [*gpd.GeoDataFrame._metadata, "_centre"]  # noqa: RUF012

    @property
    def _constructor(self) -> Any:  # noqa: ANN401
        return gpd.GeoDataFrame

    @property
    def _offered(self) -> dict[str, Callable[[], gpd.GeoSeries]]:
        # Neither a derived nor an unpickled frame has any to begin with.
        if "_lazy" not in self.__dict__:
            object.__setattr__(self, "_lazy", {})
        lazy: dict[str, Callable[[], gpd.GeoSeries]] = self.__dict__["_lazy"]
        return lazy

    def offer(self, name: str, draw: Callable[[], gpd.GeoSeries]) -> None:
        """Let `draw` make the column `name` when it is asked for."""
        self._offered[name] = draw

    def has_own(self, name: str) -> bool:
        """Whether a column of this name exists that was never offered."""
        return name in self.columns and name not in self._offered

    def own(self) -> pd.DataFrame:
        """The table with what the user has added: neither the centres nor columns that were offered."""
        kept = [name for name in self.columns if name not in (*self._offered, self._centre)]
        return pd.DataFrame(self)[kept]

    def select(self, rows: slice | NDArray[np.intp]) -> RegionFrame:
        """Return some of the rows, without the columns that were offered."""
        kept = [column for column in self.columns if column not in self._offered]
        return _with_centres(pd.DataFrame(self)[kept].iloc[rows].copy(), self._centre)

    def moved(self, centres: gpd.GeoSeries) -> RegionFrame:
        """Return the frame with other centres, and without the columns that were offered."""
        kept = [column for column in self.columns if column not in self._offered]
        frame = pd.DataFrame(self)[kept].copy()
        frame[self._centre] = centres
        return _with_centres(frame, self._centre)

    def withdraw(self, name: str) -> None:
        """Forget the column `name`, drawn or not."""
        self._offered.pop(name, None)
        if name in self.columns:
            del self[name]

    def _fill(self, key: object) -> None:
        names = key if isinstance(key, list) else [key]
        for name in names:
            if isinstance(name, str) and name in self._offered and name not in self.columns:
                self[name] = self._offered[name]()

    def __getitem__(self, key: Any) -> Any:  # noqa: ANN401
        self._fill(key)
        return super().__getitem__(key)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401
        if name in self._offered:
            return self[name]
        return super().__getattr__(name)

    def set_geometry(self, col: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401
        """Set the geometry to a column, which is drawn if need be; see geopandas."""
        self._fill(col if isinstance(col, str) else None)
        return super().set_geometry(col, *args, **kwargs)


#: Names of the column of centres: the first that the table leaves free.
CENTRE_NAMES = ("geometry", "center", "feature_center")


def region_frame(table: pd.DataFrame, centres: gpd.GeoSeries) -> RegionFrame:
    """A table with the centres of its features as geometry."""
    frame = pd.DataFrame(table).copy()
    taken = {*CENTRE_NAMES} & {*map(str, frame.columns)}
    free = next((name for name in CENTRE_NAMES if name not in taken), "_".join(CENTRE_NAMES))
    frame[free] = centres
    return _with_centres(frame, free)


def _with_centres(frame: pd.DataFrame, name: str) -> RegionFrame:
    made = RegionFrame(frame, geometry=name)
    object.__setattr__(made, "_centre", name)
    return made
