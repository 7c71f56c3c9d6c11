"""Times of layers of which some cannot be read: those of the others must not change by that."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from craterkit.errors import ArgumentError
from craterkit.series.times import Times, find_times

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import PurePath

    from craterkit.series.metadata import Statements

__all__ = ["Described", "find_layer_times"]


@dataclass(frozen=True)
class Described:
    """What is known of n layers, from which `find_times` finds their times.

    Attributes
    ----------
    stated : sequence of dict
        What their metadata state.
    paths : sequence of PurePath or None
        Their paths.
    names : sequence of str
        What messages call them.
    stems : sequence of str
        Names to use if there are no dates.
    """

    stated: Sequence[Statements]
    paths: Sequence[PurePath | None]
    names: Sequence[str]
    stems: Sequence[str]

    def times(self, where: str | None) -> Times:
        """Their times."""
        return find_times(self.stated, self.paths, self.names, self.stems, where=where)

    def only(self, which: Sequence[int]) -> Described:
        """The same of some of them."""
        columns = (self.stated, self.paths, self.names, self.stems)
        return Described(*([column[i] for i in which] for column in columns))  # type: ignore[arg-type]


def find_layer_times(layers: Described, readable: Sequence[bool], where: str | None) -> Times:
    """Find the times of layers.

    Parameters
    ----------
    layers : Described
        The layers.
    readable : sequence of bool
        Which of them can be read. The times of these are what they were without the others, which
        have only their names to tell theirs.
    where : {"metadata", "names", "stems"}, optional
        Look there only.

    Raises
    ------
    ArgumentError
        As `find_times`; or if the time of a layer that cannot be read is not known.
    """
    known = [number for number, is_readable in enumerate(readable) if is_readable]
    if len(known) == len(readable):
        return layers.times(where)
    found = layers.only(known).times(where)
    if found.origin in ("stems", "order"):
        # Names without dates, or numbers, are no less known of what cannot be read.
        return replace(layers.times("stems"), detail=found.detail)
    lost = next(
        name for name, is_readable in zip(layers.names, readable, strict=True) if not is_readable
    )
    unknown = f"times: {lost} cannot be read, so that its time is not known; "
    advice = "pass times=, or leave it out"
    if found.origin != "names" and where == "metadata":
        raise ArgumentError(f"{unknown}{advice}")
    try:
        named = layers.times("names")
    except ArgumentError as error:
        raise ArgumentError(
            f"{unknown}{advice} (those of others are from their {found.detail or found.origin}; "
            f"{error})"
        ) from error
    if found.origin == "names":
        return named
    if found.index.dtype.kind != "M":
        raise ArgumentError(f"{unknown}{advice} (those of others are no dates: {found.detail})")
    index = named.index.to_series().reset_index(drop=True)
    index.iloc[known] = found.index
    lacking = len(readable) - len(known)
    return Times(
        type(found.index)(index),
        found.origin,
        f"{found.detail}; of {lacking} that cannot be read: the name",
    )
