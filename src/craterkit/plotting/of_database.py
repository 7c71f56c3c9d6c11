"""The methods of a database that draw."""

from __future__ import annotations

__all__ = ["DrawsPictures"]


class DrawsPictures:
    """The methods of `CraterDatabase` that draw."""
