"""The database as a GeoDataFrame, whose polygons are drawn when they are asked for.

This module imports geopandas, so it is imported only once a geometry is wanted.
"""

from __future__ import annotations

from operator import is_
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
from shapely import equals_exact

from craterkit.errors import TableError
from craterkit.tables.carried import edited

if TYPE_CHECKING:
    from collections.abc import Callable

    import pyproj
    from numpy.typing import NDArray

    Ints = NDArray[np.intp]

__all__ = ["RegionFrame", "geo_series"]


def geo_series(
    geometries: NDArray[np.object_], index: pd.Index[Any], crs: pyproj.CRS, name: str
) -> gpd.GeoSeries:
    """A GeoSeries of geometries."""
    return gpd.GeoSeries(geometries, index=index, crs=crs, name=name)


class RegionFrame(gpd.GeoDataFrame):  # type: ignore[misc]
    """A GeoDataFrame with columns that come into being when they are first asked for.

    What is derived from it (selections, copies, ...) has the columns that exist by then.

    Users may sort its rows in place, drop some or number them anew. Which row of the table each of them
    is, is known from its centre: a point is the same object wherever pandas takes it.
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

    def rows(self, labels: pd.Index[Any]) -> Ints:
        """Positions in the table of the rows as they are now.

        Parameters
        ----------
        labels : pandas.Index
            The table's.

        Raises
        ------
        TableError
            If rows are not of the table, or cannot be told apart any more.
        """
        given: NDArray[np.object_] | None = self.__dict__.get("_given")
        if given is not None and self._centre in self.columns:
            points = _points(self, self._centre)
            if points.size == given.size and all(map(is_, points, given)):
                return np.arange(given.size)
            numbers = {id(point): number for number, point in enumerate(given)}
            found = [numbers.get(id(point), -1) for point in points]
            rows = np.array(found, dtype=np.intp)
            if (rows >= 0).all() and np.unique(rows).size == rows.size:
                return rows
        # The centres have been replaced, or come from a pickle.
        if self.index.equals(labels):
            return np.arange(len(labels))
        if not labels.is_unique or not self.index.is_unique or not self.index.isin(labels).all():
            raise TableError(
                f"data has rows that are not of the database, or cannot be told apart ({len(self)} rows, "
                f"{len(labels)} features): keep its index or its centres, and add features in the table "
                "that a database is made of"
            )
        return np.asarray(labels.get_indexer(self.index), dtype=np.intp)

    def _in_order(self, frame: Any, labels: pd.Index[Any]) -> Any:  # noqa: ANN401
        """Rows of this frame, or one of its columns, in the order of the table."""
        if len(frame) != len(labels):
            raise TableError(
                f"data has lost or gained rows ({len(labels)} -> {len(frame)}), but the database has not; "
                "select rows with cdb[mask] instead"
            )
        rows = self.rows(labels)
        if (rows == np.arange(rows.size)).all():
            return frame
        ordered = frame.iloc[np.argsort(rows)]
        # Rows that were numbered anew after they were sorted have lost their labels.
        return ordered.set_axis(labels) if isinstance(frame.index, pd.RangeIndex) else ordered

    def _kept(self, labels: pd.Index[Any]) -> pd.DataFrame:
        """The rows in the order of the table, with the columns that were not offered."""
        kept = [name for name in self.columns if name not in self._offered]
        frame: pd.DataFrame = self._in_order(pd.DataFrame(self)[kept], labels)
        given = self.__dict__.get("_given")
        if given is not None and self._centre in frame:
            points = _points(frame, self._centre)
            if not all(map(is_, points, given)) and not equals_exact(points, given).all():
                raise edited(self._centre)
        return frame

    def drawn(self, name: str, labels: pd.Index[Any]) -> gpd.GeoSeries:
        """A column of polygons in the order of the table; see `own`."""
        polygons: gpd.GeoSeries = self._in_order(self[name], labels)
        return polygons

    def own(self, labels: pd.Index[Any]) -> pd.DataFrame:
        """The table with what the user has added, in its own order, without centres and offered columns.

        Parameters
        ----------
        labels : pandas.Index
            The table's.

        Raises
        ------
        TableError
            If the frame has lost or gained rows, or its centres were edited.
        """
        frame = self._kept(labels)
        return frame[[name for name in frame.columns if name != self._centre]]

    def select(self, rows: slice | Ints, labels: pd.Index[Any]) -> RegionFrame:
        """Return some rows of the table, without the columns that were offered; see `own`."""
        return _with_centres(self._kept(labels).iloc[rows].copy(), self._centre)

    def moved(self, centres: gpd.GeoSeries) -> RegionFrame:
        """Return the frame with other centres, and without the columns that were offered; see `own`."""
        frame = self._kept(centres.index).copy()
        frame[self._centre] = centres.set_axis(frame.index)
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
                drawn = self._offered[name]()
                self[name] = drawn.iloc[self.rows(drawn.index)].set_axis(self.index)

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


def _points(frame: pd.DataFrame, name: str) -> NDArray[np.object_]:
    return np.asarray(frame[name].array, dtype=object)


def _with_centres(frame: pd.DataFrame, name: str) -> RegionFrame:
    made = RegionFrame(frame, geometry=name)
    object.__setattr__(made, "_centre", name)
    # Kept, so that no other object gets the identity of a point.
    object.__setattr__(made, "_given", _points(made, name).copy())
    return made
