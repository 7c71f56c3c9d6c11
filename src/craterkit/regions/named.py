"""The regions of a database, by name."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from craterkit.errors import RegionError
from craterkit.regions.definitions import Region

__all__ = ["Regions", "as_attribute"]


def as_attribute(name: str) -> str:
    """Return the attribute under which a region is found."""
    return name.replace(" ", "_")


class Regions(Mapping[str, Region]):
    """Definitions of regions by name, in the order in which they were added.

    Parameters
    ----------
    is_taken : callable
        Says why a name is taken by something else, or returns None.

    Examples
    --------
    >>> from craterkit.regions import Annulus
    >>> regions = Regions(lambda name: None)
    >>> regions.add("rim", Annulus(1, 1.5))
    >>> list(regions)
    ['rim']
    """

    def __init__(self, is_taken: Callable[[str], str | None]) -> None:
        self._is_taken = is_taken
        self._definitions: dict[str, Region] = {}

    def __getitem__(self, name: str) -> Region:
        return self._definitions[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._definitions)

    def __len__(self) -> int:
        return len(self._definitions)

    def __repr__(self) -> str:
        return f"Regions({self._definitions!r})"

    def add(self, name: str, region: Region, *, overwrite: bool = False) -> None:
        """Add a definition.

        Raises
        ------
        RegionError
            If the name is no string, is taken, or is in use and `overwrite` is false.
        """
        if not isinstance(name, str) or not name:
            raise RegionError(f"a region's name must be a string, not {name!r}")
        if name in self and not overwrite:
            raise RegionError(
                f"there is a region {name!r} already; choose another name or pass overwrite=True"
            )
        alike = [
            other for other in self if other != name and as_attribute(other) == as_attribute(name)
        ]
        reason = f"region {alike[0]!r} has the same attribute" if alike else self._is_taken(name)
        if reason is not None:
            raise RegionError(f"a region cannot be called {name!r}: {reason}")
        self._definitions[name] = region

    def pick(self, names: str | Sequence[str]) -> dict[str, Region]:
        """Pick one definition or several.

        Raises
        ------
        RegionError
            If there is no such region, or none is named.
        """
        wanted = (
            [names] if isinstance(names, str) or not isinstance(names, Iterable) else list(names)
        )
        if not wanted:
            raise RegionError("regions names no region")
        for name in wanted:
            if not isinstance(name, str) or name not in self:
                known = ", ".join(map(repr, self)) or "none yet; see add_circles and add_annuli"
                raise RegionError(f"there is no region {name!r}; known: {known}")
        return {name: self[name] for name in wanted}

    def drop(self, name: str) -> None:
        """Forget a definition.

        Raises
        ------
        RegionError
            If there is no such region.
        """
        self.pick([name])
        del self._definitions[name]
