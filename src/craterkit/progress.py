"""A progress bar for work that lasts."""

from __future__ import annotations

import time
from typing import Any

__all__ = ["Progress"]

#: Seconds of work after which a bar appears by itself.
PATIENCE = 1.0


class Progress:
    """Count finished ROIs and pixels, and show a tqdm bar if asked to or if it takes long.

    The bar shows how much is done, the rates, and the time that is left.

    Parameters
    ----------
    total : int
        ROIs to do.
    description : str
        What the bar is labelled.
    show : bool or None
        True: from the start. False: never. None: once the work has lasted over a second.
    """

    def __init__(self, total: int, description: str, *, show: bool | None = None) -> None:
        self._total = total
        self._description = description
        self._show = show
        self._done = 0
        self._pixels = 0
        self._start = time.monotonic()
        self._bar: Any = None

    def __enter__(self) -> Progress:
        if self._show:
            self._open()
        return self

    def __exit__(self, *exception: object) -> None:
        if self._bar is not None:
            self._bar.close()

    def advance(self, finished: int, pixels: int = 0) -> None:
        """Count more finished ROIs, and more pixels of the raster that were read."""
        self._done += finished
        self._pixels += pixels
        if self._bar is None:
            if self._show is None and self._done < self._total and self._elapsed() > PATIENCE:
                self._open()
            return
        self._bar.set_postfix_str(self._pixel_text(), refresh=False)
        self._bar.update(finished)

    def _pixel_text(self) -> str:
        from tqdm.auto import tqdm

        rate = self._pixels / max(self._elapsed(), 1e-9)
        return f"{tqdm.format_sizeof(self._pixels)}px read, {tqdm.format_sizeof(rate)}px/s"

    def _elapsed(self) -> float:
        return time.monotonic() - self._start

    def _open(self) -> None:
        # Imported here because a short call should not pay for it.
        from tqdm.auto import tqdm

        self._bar = tqdm(
            total=self._total,
            initial=self._done,
            desc=self._description,
            unit="ROI",
            unit_scale=True,
            dynamic_ncols=True,
            postfix=self._pixel_text() if self._pixels else None,
        )
