"""Sources of virtual rasters (VRT): which files they are, whether these open, and where their blocks end."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from xml.etree import ElementTree

import numpy as np

from craterkit.rasters.gdal_reports import placed_or_not

if TYPE_CHECKING:
    from collections.abc import Iterable
    from xml.etree.ElementTree import Element

    from numpy.typing import NDArray

    from craterkit.rasters.base import Window

    Edges = NDArray[np.intp]

__all__ = ["VrtSources", "vrt_description", "vrt_sources"]

#: Blocks are joined until they have so many rows and columns.
LEAST = 64

#: If fewer cuts than one in so many blocks are left, sources do not line up.
SPARSEST = 8

#: A rectangle (left, top, right, bottom) that meets every window.
WHOLE = (-np.inf, -np.inf, np.inf, np.inf)


class Cuts(NamedTuple):
    """Along one axis: where a source lies, where one of its blocks begins, and how long these are."""

    start: int
    stop: int
    begin: int
    block: int


class VrtSources:
    """The rasters that a virtual one is made of.

    Parameters
    ----------
    dataset : rasterio dataset
        A virtual raster, open.

    Attributes
    ----------
    names : list of str
        What GDAL opens, each once.
    """

    def __init__(self, dataset: Any) -> None:  # noqa: ANN401
        self._shape = dataset.height, dataset.width
        # GDAL follows links, and takes names in a description that is no file from where the process is.
        is_file = os.path.exists(dataset.name)
        path = os.path.realpath(dataset.name) if is_file else dataset.name
        self._folder = "" if path.lstrip().startswith("<") else os.path.dirname(path)
        self._lock = threading.Lock()
        self._opened: set[str] = set()
        self._elements: list[Element] = []
        places: dict[str, list[tuple[float, ...]]] = {}
        warped = getattr(dataset, "src_dataset", None)
        self._inner = None if warped is None else vrt_sources(warped)
        if warped is not None:
            places[warped.name] = []  # It is open.
        else:
            for element in _parsed(dataset).iter():
                if element.tag.endswith("Source"):
                    self._elements.append(element)
                    for name in element.iter("SourceFilename"):
                        places.setdefault(self._full(name), []).append(_rectangle(element))
                elif element.tag == "SourceDataset":
                    places.setdefault(self._full(element), []).append(WHOLE)
        self.names = list(places)
        placed = [(i, *rectangle) for i, name in enumerate(places) for rectangle in places[name]]
        self._placed = np.array(placed, dtype=np.float64).reshape(-1, 5)

    def _full(self, element: Element) -> str:
        name = element.text or ""
        relative = element.get("relativeToVRT") == "1"
        return os.path.join(self._folder, name) if relative else name

    def check(self, window: Window) -> None:
        """Raise unless all sources in a window can be opened.

        Where several threads read, GDAL gives zeros instead of an error for those that cannot be.

        Raises
        ------
        rasterio.errors.RasterioError
            The error that one gives.
        """
        number, left, top, right, bottom = self._placed.T
        inside = (left < window.col_stop) & (right > window.col_start)
        inside &= (top < window.row_stop) & (bottom > window.row_start)
        for i in np.unique(number[inside]).astype(int):
            self._check(self.names[i])
        if self._inner is not None:
            self._inner.check_all()

    def check_all(self) -> None:
        """Raise unless all sources can be opened."""
        for name in self.names:
            self._check(name)

    def _check(self, name: str) -> None:
        if name in self._opened:
            return
        import rasterio

        with placed_or_not():
            source = rasterio.open(name)
        with source:
            inner = vrt_sources(source)
        if inner is not None:
            inner.check_all()
        with self._lock:
            self._opened.add(name)

    def block_edges(self) -> tuple[Edges | None, Edges | None]:
        """Rows and columns between the blocks of all sources.

        None where it is not known which blocks they have, or these do not line up.
        """
        try:
            rows, columns = (
                [_cuts(source, axis) for source in self._elements] for axis in ("y", "x")
            )
        except (AttributeError, KeyError, ValueError):
            return None, None
        if not self._elements:
            return None, None
        return _edges(rows, self._shape[0]), _edges(columns, self._shape[1])


def vrt_sources(dataset: Any) -> VrtSources | None:  # noqa: ANN401
    """The sources of an open dataset; None if it is no virtual raster."""
    return VrtSources(dataset) if dataset.driver == "VRT" else None


def _parsed(dataset: Any) -> Element:  # noqa: ANN401
    try:
        return ElementTree.fromstring(vrt_description(dataset))
    except (ElementTree.ParseError, OSError):
        return ElementTree.Element("VRTDataset")


def _rectangle(source: Element) -> tuple[float, ...]:
    """Where a source lies in the virtual raster."""
    place = source.find("DstRect")
    try:
        assert place is not None
        left, top = float(place.attrib["xOff"]), float(place.attrib["yOff"])
        return left, top, left + float(place.attrib["xSize"]), top + float(place.attrib["ySize"])
    except (AssertionError, KeyError, ValueError):
        return WHOLE


def vrt_description(dataset: Any) -> bytes:  # noqa: ANN401
    """The XML of a virtual raster, from its file if there is one."""
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
