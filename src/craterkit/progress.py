"""A progress bar for work that lasts."""

from __future__ import annotations

import time
from importlib.util import find_spec
from typing import Any

__all__ = ["Progress"]

#: Seconds after which a bar appears by itself.
PATIENCE = 1.0


class Progress:
    """Count finished ROIs and pixels, and show a tqdm bar if asked to or if it takes long.

    The bar shows how much is done, the average rates, and the time that is left by these. Its clock
    starts with the first reading, so that planning, the start of a cluster, and ROIs that need no
    reading do not distort them.

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
        self._done = self._without_reading = self._pixels = 0
        self._made = self._start = time.monotonic()
        self._bar: Any = None

    def __enter__(self) -> Progress:
        if self._show:
            self._open()
        return self

    def __exit__(self, *exception: object) -> None:
        if self._bar is not None:
            self._update()
            self._bar.close()

    def advance(self, finished: int, pixels: int = 0) -> None:
        """Count more finished ROIs, and more pixels of the raster that were read."""
        if not (pixels or self._pixels):
            self._without_reading += finished
            self._start = time.monotonic()
        self._done += finished
        self._pixels += pixels
        if self._bar is not None:
            self._update()
        elif self._show is None and self._done < self._total and self._is_late():
            self._open()

    def _is_late(self) -> bool:
        return time.monotonic() - self._made > PATIENCE

    def _open(self) -> None:
        self._bar = _bar_class()(
            total=self._total,
            initial=self._done,
            desc=self._description,
            unit="ROI",
            unit_scale=True,
            dynamic_ncols=True,
            miniters=0,
            smoothing=0,
        )
        self._update()
        self._bar.refresh()

    def _update(self) -> None:
        """Bring the bar and its clock up to date."""
        bar, elapsed = self._bar, time.monotonic() - self._start
        bar.initial, bar.start_t = self._without_reading, time.time() - elapsed
        # tqdm takes a bar last shown before its start for one that never was.
        bar.last_print_t = max(bar.last_print_t, bar.start_t)
        rate = self._pixels / max(elapsed, 1e-9)
        bar.set_postfix_str(f"{_short(self._pixels)}px, {_short(rate)}px/s", refresh=False)
        bar.update(self._done - bar.n)


def _bar_class() -> Any:  # noqa: ANN401
    # Imported here because a short call should not pay for it.
    if find_spec("ipywidgets") is None:
        # In a notebook tqdm.auto would warn of that.
        from tqdm.std import tqdm
    else:
        from tqdm.auto import tqdm
    return tqdm


def _short(number: float) -> str:
    """A number in three characters and a metric prefix."""
    for prefix in ("", "k", "M", "G", "T"):
        if number < 999.5:
            return f"{number:.{int(0 < number < 9.95)}f}{prefix}"
        number /= 1000
    return f"{number:.0f}P"
