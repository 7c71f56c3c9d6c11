"""What of a stack could not be read: said in a warning and in a table's attributes."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

from craterkit.errors import UnreadableWarning

if TYPE_CHECKING:
    from collections.abc import Collection

    from craterkit.series.stack import Stack

__all__ = ["unreadable_layers", "warn_of_unreadable"]

#: Layers that a message names.
NAMED = 3

#: What is said of a layer of which only blocks cannot be read.
BLOCKS = "blocks with chosen pixels cannot be read"


def unreadable_layers(stack: Stack, unread: Collection[int] = ()) -> dict[str, str]:
    """Say what is wrong with each layer that cannot be read; `unread` are those with such blocks."""
    return {
        layer.name: layer.problem or BLOCKS
        for number, layer in enumerate(stack.layers)
        if not layer.is_readable or number in unread
    }


def warn_of_unreadable(stack: Stack, unread: Collection[int] = (), *, stacklevel: int) -> None:
    """Warn once of the layers that cannot be read; `unread` are those with such blocks."""
    lost = [layer.name for layer in stack.layers if not layer.is_readable]
    holed = [stack.layers[number].name for number in sorted(unread)]
    total = len(stack)
    parts = []
    if lost:
        parts.append(f"{len(lost)} of {total} layers cannot be opened: {_listed(lost)}")
    if holed:
        parts.append(
            f"{len(holed)} of {total} layers have blocks with chosen pixels that cannot be read: "
            f"{_listed(holed)}"
        )
    if parts:
        warnings.warn(
            f"{'; '.join(parts)}; what is missing is NaN",
            UnreadableWarning,
            stacklevel=stacklevel + 1,
        )


def _listed(names: list[str]) -> str:
    return ", ".join(names[:NAMED]) + (", ..." if len(names) > NAMED else "")
