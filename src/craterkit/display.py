"""How a database shows itself in a notebook."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from craterkit.bodies import Body
    from craterkit.regions import Region
    from craterkit.tables.features import Features

__all__ = ["database_html"]

ROWS = 5


def database_html(
    body: Body, features: Features, regions: Mapping[str, Region], table: pd.DataFrame
) -> str:
    """Describe a database in HTML: body, sizes, regions, first rows."""
    lines = [f"<b>CraterDatabase</b> of {len(features):,} features on {escape(body.name)}"]
    if len(features):
        low, high = features.radius.min() / 1e3, features.radius.max() / 1e3
        lines.append(f"radii {low:,.4g} to {high:,.4g} km")
    described = [
        f"<code>{escape(name)}</code> ({region.describe()})" for name, region in regions.items()
    ]
    lines.append("regions: " + (", ".join(described) or "none yet"))
    return "<br>".join(lines) + table.head(ROWS).to_html()
