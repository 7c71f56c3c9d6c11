"""Colours that colour-blind people tell apart (Okabe and Ito 2008)."""

from __future__ import annotations

from typing import Any

__all__ = ["FILLS", "LINES", "NO_DATA", "OKABE_ITO", "is_dark", "palette"]

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

#: How ground without data looks.
NO_DATA = {"facecolor": "0.94", "edgecolor": "0.78", "hatch": "////", "linewidth": 0.0}

#: What black is replaced with on dark ground.
WHITE = "#FFFFFF"

#: Luminance below which ground is dark: white stands out from it better than black.
DARK = 0.18


def is_dark(colour: Any) -> bool:  # noqa: ANN401
    """Whether a page is dark, by its relative luminance.

    Parameters
    ----------
    colour : colour
        The page's, as matplotlib takes it.

    Examples
    --------
    >>> is_dark("black"), is_dark("0.9")
    (True, False)
    """
    from matplotlib.colors import to_rgb

    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(colour)]
    luminance = sum(c * w for c, w in zip(linear, (0.2126, 0.7152, 0.0722), strict=True))
    return bool(luminance < DARK)


def palette(*, on_raster: bool, dark: bool = False) -> tuple[str, ...]:
    """Colours of lines, in order.

    Parameters
    ----------
    on_raster : bool
        Whether they lie over a gray picture, not on a page.
    dark : bool, default False
        Whether the page is dark.

    Examples
    --------
    >>> palette(on_raster=False)[0], palette(on_raster=False, dark=True)[-1]
    ('#0072B2', '#FFFFFF')
    """
    if on_raster:
        return LINES
    if not dark:
        return FILLS
    return tuple(WHITE if colour == OKABE_ITO["black"] else colour for colour in LINES)
