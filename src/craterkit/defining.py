"""How regions are defined on a database: the `add_*` methods of `CraterDatabase`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from craterkit.regions import Annulus

if TYPE_CHECKING:
    from craterkit.frames import RegionFrame
    from craterkit.regions import Region, Regions

__all__ = ["DefinesRegions"]


class DefinesRegions:
    """Methods that add regions to a database and drop them."""

    _regions: Regions
    _frame: RegionFrame | None

    def add_circles(
        self,
        name: str = "",
        size: float = 1.0,
        *,
        nvert: int | None = None,
        overwrite: bool = False,
    ) -> None:
        """Define a circular region around every feature.

        Parameters
        ----------
        name : str, optional
            What to call it; ``circle_<size>`` by default.
        size : float, default 1
            Radius in feature radii.
        nvert : int, optional
            Vertices, if the region shall be a polygon instead of the circle itself.
        overwrite : bool, default False
            Whether to replace a region of this name.

        Raises
        ------
        RegionError
            If the name is taken or cannot be one, or the size is not above 0.

        Examples
        --------
        >>> from craterkit import CraterDatabase, sample_data
        >>> cdb = CraterDatabase(sample_data["moon_craters_km.csv"], "moon")
        >>> cdb.add_circles("floor", 0.5)
        >>> cdb.regions["floor"]
        Annulus(inner=0.0, outer=0.5, nvert=None)
        """
        region = Annulus.circle(size, nvert)
        self._add(name or f"circle_{size}", region, overwrite=overwrite)

    def add_annuli(
        self,
        name: str,
        inner: float,
        outer: float,
        *,
        nvert: int | None = None,
        overwrite: bool = False,
    ) -> None:
        """Define an annular region around every feature.

        Parameters
        ----------
        name : str
            What to call it; ``annulus_<inner>_<outer>`` if empty.
        inner, outer : float
            Edges in feature radii: the ground with ``inner < distance <= outer``. 0 means no hole.
        nvert : int, optional
            Vertices of each edge, if the region shall be a polygon instead of the annulus itself.
        overwrite : bool, default False
            Whether to replace a region of this name.

        Raises
        ------
        RegionError
            If the name is taken or cannot be one, or inner is not below outer.
        """
        region = Annulus(inner, outer, nvert)
        self._add(name or f"annulus_{inner}_{outer}", region, overwrite=overwrite)

    def _add(self, name: str, region: Region, *, overwrite: bool) -> None:
        self._regions.add(name, region, overwrite=overwrite)
        if self._frame is not None:
            self._frame.withdraw(name)
