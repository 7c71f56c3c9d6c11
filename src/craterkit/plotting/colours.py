"""Colours that colour-blind people tell apart (Okabe and Ito 2008)."""

from __future__ import annotations

__all__ = ["FILLS", "LINES", "OKABE_ITO"]

OKABE_ITO = {
    "orange": "#E69F00",
    "sky blue": "#56B4E9",
    "bluish green": "#009E73",
    "yellow": "#F0E442",
    "blue": "#0072B2",
    "vermillion": "#D55E00",
    "reddish purple": "#CC79A7",
    "black": "#000000",
}

#: Of lines over gray pictures, in order.
LINES = tuple(OKABE_ITO.values())

#: Of areas and lines on a white page, in order.
FILLS = tuple(
    OKABE_ITO[name]
    for name in (
        *("blue", "vermillion", "bluish green", "reddish purple"),
        *("orange", "sky blue", "yellow", "black"),
    )
)
