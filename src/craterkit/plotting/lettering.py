"""Texts of sheets: as large as there is room for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes

    from craterkit.plotting.local_frames import LocalFrame

__all__ = ["Lettering"]

#: Size of a panel with the numbers beside it, in heights of letters, below which letters are smaller than
#: usual, and how small they become.
ROOMY, SMALLEST = 17.0, 0.5

#: Width of a letter as a share of its height, and height of small letters as a share of the usual ones.
LETTER, SMALL = 0.56, 0.83

#: Letters of the longest numbers beside a panel, and of one and its distance from the next below it.
TICK_LETTERS, TICK_STEP = 5, 6.5

#: Most steps between the numbers along an axis.
MOST_STEPS = 5


@dataclass(frozen=True, slots=True)
class Lettering:
    """Size of the letters of a sheet's panels.

    Attributes
    ----------
    points : float
        Size of a panel's name.
    width : float
        About the width of a panel, inches.
    """

    points: float
    width: float

    @classmethod
    def for_slots(cls, width: float, height: float) -> Lettering:
        """For panels that have so much room, inches, with their numbers and names."""
        from matplotlib import rcParams

        usual = float(rcParams["font.size"])
        points = usual * float(np.clip(min(width, height) / (ROOMY * usual / 72.0), SMALLEST, 1.0))
        beside = (TICK_LETTERS + 1) * LETTER * SMALL * points / 72.0
        above = 4.0 * points / 72.0
        return cls(points, max(min(width - beside, height - above), 0.1))

    def inches(self, letters: int) -> float:
        """About the width of so many letters."""
        return letters * LETTER * self.points / 72.0

    @staticmethod
    def fitting(text: str, inches: float) -> float:
        """Size of letters, up to the usual one, of which a text is not longer than so many inches."""
        from matplotlib import rcParams

        return min(float(rcParams["font.size"]), inches * 72.0 / (LETTER * len(text)))

    def name_panels(
        self, axes: Sequence[Axes], names: Sequence[str], frames: Sequence[LocalFrame]
    ) -> None:
        """Write names and positions above panels, on two lines if one is too short for some of them."""
        from matplotlib import rcParams

        places = [position(frame.lon, frame.lat) for frame in frames]
        longest = max(
            self.inches(len(name) + 2) + SMALL * self.inches(len(place))
            for name, place in zip(names, places, strict=True)
        )
        below = "\n" if longest > self.width else ""
        room = max(int(self.width / self.inches(1)), 3)
        small: dict[str, Any] = {"fontsize": SMALL * self.points}
        small["color"] = rcParams["axes.titlecolor"]
        if small["color"] == "auto":
            small["color"] = rcParams["text.color"]
        for ax, name, place in zip(axes, names, places, strict=True):
            shown = name if len(name) <= room else f"{name[: room - 1].rstrip()}…"
            ax.set_title(shown + below, loc="left", fontsize=self.points, parse_math=False)
            ax.set_title(place, loc="right", alpha=0.7, **small)

    def number_axes(self, ax: Axes) -> None:
        """Size and distance of the numbers along the axes of a panel."""
        size = SMALL * self.points
        ax.tick_params(labelsize=size)
        steps = self.width / (TICK_STEP * LETTER * size / 72.0)
        ax.locator_params(nbins=int(np.clip(steps, 1, MOST_STEPS)))


def position(lon: float, lat: float) -> str:
    """Latitude and longitude as maps write them."""
    lon = np.mod(lon + 180.0, 360.0) - 180.0
    side = "" if round(abs(lon), 1) in (0.0, 180.0) else " E" if lon > 0 else " W"
    half = "" if round(lat, 1) == 0 else " N" if lat > 0 else " S"
    return f"{abs(lat):.1f}°{half}, {abs(lon):.1f}°{side}"
