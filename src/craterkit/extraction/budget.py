"""The memory budget: how many pixels are held, worked on and kept waiting at a time."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from craterkit.errors import ArgumentError

__all__ = ["DEFAULT_MEMORY", "Budget", "parse_memory"]

DEFAULT_MEMORY = 512 * 1024**2

#: Less than this serves no raster.
LEAST_MEMORY = 1024**2

_UNITS = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12}
_UNITS |= {f"{unit}i": 1024**power for power, unit in enumerate("kmgt", start=1)}
_AMOUNT = re.compile(r"(\d+(?:\.\d+)?)\s*([kmgt]?i?)b?", re.IGNORECASE)

#: Bytes of decoded blocks that GDAL keeps at most; each is read once, so that few do.
BLOCK_CACHE = 64 * 1024**2

#: Bytes that a pixel of a footprint takes while its statistics are worked out, and its value on every
#: further band.
BYTES_AT_WORK, BYTES_A_BAND = 64, 16

#: Bytes that a value takes while it waits for others, with what tells whose it is.
BYTES_KEPT = 24

#: Bytes that a value takes while it is put in order with others.
BYTES_IN_ORDER = 96

#: Bytes that `Streamed` takes for each value that it holds, and in any case.
BYTES_STREAMED, BYTES_OF_STREAM = 160, 20 * 1024**2


def parse_memory(value: object) -> int:
    """Bytes of a number, or of a text such as ``"2 GB"`` or ``"512MiB"``; the default for None.

    Raises
    ------
    ArgumentError
        If it is neither, or less than 1 MiB.

    Examples
    --------
    >>> parse_memory("1.5 GB")
    1500000000
    """
    if value is None:
        return DEFAULT_MEMORY
    memory = -1.0
    if isinstance(value, str):
        match = _AMOUNT.fullmatch(value.strip())
        if match and match[2].lower() in _UNITS:
            memory = float(match[1]) * _UNITS[match[2].lower()]
    elif isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool):
        memory = float(value)
    if not LEAST_MEMORY <= memory < float("inf"):
        raise ArgumentError(
            'max_memory must be a number of bytes or a text such as "2 GB", at least 1 MiB, '
            f"not {value!r}"
        )
    return int(memory)


@dataclass(frozen=True, slots=True)
class Budget:
    """What `max_memory` allows.

    A quarter each for pixels that were read, for footprints at work in all threads, and for values
    that wait for the rest of their ROI; the last is for results and rounding up.

    Attributes
    ----------
    memory : int
        Bytes.
    threads : int
        Threads that work at a time.
    bands : int
        Bands that are read at a time.
    """

    memory: int = DEFAULT_MEMORY
    threads: int = 1
    bands: int = 1

    @property
    def block_cache(self) -> int:
        """Bytes of decoded blocks that GDAL may keep."""
        return min(BLOCK_CACHE, self.memory // 8)

    def pixels_read(self, bytes_each: int) -> int:
        """Pixels of a chunk, of which one more than there are threads are held."""
        return max(1, self.memory // 4 // (self.threads + 1) // bytes_each)

    @property
    def pixels_at_work(self) -> int:
        """Pixels of the footprints that one thread has in hand."""
        each = BYTES_AT_WORK + BYTES_A_BAND * (self.bands - 1)
        return max(1, self.memory // 4 // self.threads // each)

    @property
    def values_held(self) -> int:
        """Values of each band that wait for the rest of their ROI, in all."""
        return max(1, self.memory // 4 // BYTES_KEPT // self.bands)

    @property
    def values_in_order(self) -> int:
        """Values that are put in order at a time: of several ROIs, or of a single one."""
        return max(BYTES_OF_STREAM // BYTES_STREAMED, self.memory // 4 // BYTES_IN_ORDER)

    @property
    def values_streamed(self) -> int:
        """Values held of an ROI that is walked several times, while nothing else goes on."""
        return max(1 << 10, (self.memory * 3 // 4 - BYTES_OF_STREAM) // BYTES_STREAMED)
