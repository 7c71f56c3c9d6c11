"""Where a virtual raster (VRT) may be cut so that no block of its sources is cut through."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from xml.etree import ElementTree

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    Edges = NDArray[np.intp]

__all__ = ["vrt_block_edges", "vrt_description"]

#: Blocks are joined until they have so many rows and columns.
LEAST = 64

#: If fewer cuts than one in so many blocks are left, sources do not line up.
SPARSEST = 8


class Cuts(NamedTuple):
    """Along one axis: where a source lies, where one of its blocks begins, and how long these are."""

    start: int
    stop: int
    begin: int
    block: int


def vrt_block_edges(dataset: Any) -> tuple[Edges | None, Edges | None]:  # noqa: ANN401
    """Rows and columns between the blocks of all sources of a VRT.

    None where it is no VRT, does not say which blocks its sources have, or these do not line up.

    Parameters
    ----------
    dataset : rasterio dataset
        The raster.
    """
    if dataset.driver != "VRT":
        return None, None
    try:
        sources = [
            source
            for band in ElementTree.fromstring(vrt_description(dataset)).iter("VRTRasterBand")
            for source in band
            if source.tag.endswith("Source")
        ]
        rows, columns = ([_cuts(source, axis) for source in sources] for axis in ("y", "x"))
    except (ElementTree.ParseError, AttributeError, KeyError, ValueError, OSError):
        return None, None
    if not sources:
        return None, None
    return _edges(rows, dataset.height), _edges(columns, dataset.width)


def vrt_description(dataset: Any) -> bytes:  # noqa: ANN401
    """The XML of a VRT, from its file if there is one."""
    # Of sources that it has not opened yet, GDAL itself forgets which blocks they have.
    if os.path.isfile(dataset.name):
        return Path(dataset.name).read_bytes()
    return str(dataset.tags(ns="xml:VRT").get("xml:VRT", "")).encode()


def _cuts(source: Any, axis: str) -> Cuts:  # noqa: ANN401
    """Cuts along the axis "x" or "y"."""
    taken, place = source.find("SrcRect").attrib, source.find("DstRect").attrib
    offset, start = float(taken[f"{axis}Off"]), float(place[f"{axis}Off"])
    size = float(place[f"{axis}Size"])
    if float(taken[f"{axis}Size"]) != size or any(n != int(n) for n in (offset, start, size)):
        raise ValueError("resampled")
    block = int(source.find("SourceProperties").attrib[f"Block{axis.upper()}Size"])
    return Cuts(int(start), int(start + size), int(start) - int(offset) % block, block)


def _edges(sources: Iterable[Cuts], size: int) -> Edges | None:
    allowed = np.ones(size + 1, dtype=np.bool_)
    longest = LEAST
    for cuts in set(sources):
        within = slice(max(cuts.start + 1, 0), min(cuts.stop, size))
        place = np.arange(within.start, within.stop)
        allowed[within] &= (place - cuts.begin) % cuts.block == 0
        longest = max(longest, cuts.block)
    edges = [0]
    for edge in np.flatnonzero(allowed)[1:-1].tolist():
        if edge - edges[-1] >= LEAST:
            edges.append(edge)
    found = np.array([*edges, size])
    return None if np.diff(found).max() > SPARSEST * longest else found
