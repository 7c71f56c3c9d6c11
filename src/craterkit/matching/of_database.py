"""The method of a database that merges it with another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

import numpy as np

from craterkit.errors import ArgumentError
from craterkit.matching.pairs import POSITION, SIZE

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Mapping

    import pandas as pd

    from craterkit.bodies import Body
    from craterkit.coordinates import CoordinateSystem
    from craterkit.frames import RegionFrame
    from craterkit.regions import Region, Regions
    from craterkit.tables.features import Features

__all__ = ["MergesDatabases"]


class MergesDatabases:
    """The method of `CraterDatabase` that makes one of two."""

    _body: Body
    _features: Features
    _table: pd.DataFrame
    _placing: tuple[Hashable, ...]
    _regions: Regions
    _map: CoordinateSystem | None

    if TYPE_CHECKING:

        def _own_columns(self) -> pd.DataFrame: ...

        @classmethod
        def _assembled(
            cls,
            body: Body,
            features: Features,
            table: pd.DataFrame,
            regions: Mapping[str, Region],
            *,
            placing: Iterable[Hashable],
            frame: RegionFrame | None = None,
            system: CoordinateSystem | None = None,
            added: pd.DataFrame | None = None,
        ) -> Self: ...

    @classmethod
    def merge(
        cls,
        a: MergesDatabases,
        b: MergesDatabases,
        *,
        position: float = POSITION,
        size: float = SIZE,
    ) -> Self:
        """Make one database of two: the features of `a`, and those of `b` that `a` does not have.

        Two features are the same if they agree in position *and* in size, so that a small crater within a
        large one stays. Features of one database are never taken for each other.

        Parameters
        ----------
        a, b : CraterDatabase
            The databases, which are not changed.
        position : float, default 0.5
            Farthest distance between the centres of one feature, in radii of the smaller of the two.
        size : float, default 0.25
            Largest difference between its radii, in radii of the smaller.

        Returns
        -------
        CraterDatabase
            The features of `a` in their order, then the others of `b` in theirs, numbered from 0; a
            named index becomes a column. It is in the system of `a` (see `to_crs`).

        Raises
        ------
        ArgumentError
            If `a` or `b` is no database, or a tolerance is no number of at least 0.
        BodyError
            If they are of different bodies.
        RegionError
            If regions of one name have different definitions, or a region of one database has the name of
            a column of the other.
        TableError
            If a table has two columns of one name, or rows of `data` have been dropped in place.

        Warns
        -----
        CraterkitWarning
            If a region that is defined feature by feature is in one database only, and so is left out.

        Notes
        -----
        Pairs are made one to one, the best first: distance (the geodesic between centres) and difference of
        radii are each divided by their tolerance and added as squares.

        Positions and radii are those of `a` for features that both have. The table has the columns of both,
        with what the user added to `data`: a feature that both have keeps the values of `a`, missing ones,
        too, in the columns of `a`, and has those of `b` in the others. Columns that both have are continued
        with the values of `b`. Where such a column is found to be the latitude, longitude, radius or
        diameter in two conventions or units (0–360 and -180–180, km and m), the values of `b` are
        given as `a` has them: by its name, or because three different values or more agree. Numbers of
        such columns that are kept as texts become numbers where need be.

        Regions of either are kept; those that are defined feature by feature (given polygons, ellipses
        with columns for axes) only if both have them.

        Examples
        --------
        >>> import pandas as pd
        >>> from craterkit import CraterDatabase
        >>> old = pd.DataFrame({"lon": [10.0, 50.0], "lat": 0.0, "diam_km": [100.0, 20.0]})
        >>> new = pd.DataFrame({"lon": [370.0, 10.0], "lat": 0.1, "diam_km": [98.0, 1.0]})
        >>> new["depth"] = [3.0, 0.2]
        >>> merged = CraterDatabase.merge(CraterDatabase(old, "moon"), CraterDatabase(new, "moon"))
        >>> print(merged.data[["lon", "lat", "diam_km", "depth"]])
            lon  lat  diam_km  depth
        0  10.0  0.0    100.0    3.0
        1  50.0  0.0     20.0    NaN
        2  10.0  0.1      1.0    0.2
        """
        from craterkit.matching.merging import Catalogue, merge_catalogues

        for name, given in (("a", a), ("b", b)):
            if not isinstance(given, MergesDatabases):
                raise ArgumentError(
                    f"{name} must be a CraterDatabase, not {type(given).__name__}; make one of a table with "
                    "CraterDatabase(table, body)"
                )
        ours, theirs = (
            Catalogue(one._body, one._features, one._own_columns(), one._regions) for one in (a, b)
        )
        merged = merge_catalogues(ours, theirs, position=position, size=size)
        of_data = {*ours.table.columns, *theirs.table.columns} - {*a._table, *b._table}
        added = np.array([name in of_data for name in merged.table.columns], dtype=np.bool_)
        return cls._assembled(
            merged.body,
            merged.features,
            merged.table.loc[:, ~added],
            merged.regions,
            placing=dict.fromkeys([*a._placing, *b._placing]),
            system=a._map,
            added=merged.table.loc[:, added],
        )
