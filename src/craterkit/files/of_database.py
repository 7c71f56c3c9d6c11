"""The methods of a database that write and read files."""

from __future__ import annotations

__all__ = ["StoredInFiles"]


class StoredInFiles:
    """The methods of `CraterDatabase` that write and read files."""
