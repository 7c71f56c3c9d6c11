"""The pixels of all ROIs one by one, with their places, values and weights."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from craterkit.bodies import wrap_longitude
from craterkit.footprints.spans import ranges
from craterkit.geodesy import inverse

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from craterkit.extraction.blocks import Pixels
    from craterkit.extraction.companions import Layers
    from craterkit.extraction.plan import Chunk
    from craterkit.extraction.selection import Selection
    from craterkit.footprints.spans import Footprints
    from craterkit.grids.base import Grid
    from craterkit.tables.features import Features

    Bools = NDArray[np.bool_]
    Floats = NDArray[np.float64]
    Ints = NDArray[np.intp]

__all__ = ["PLACE_COLUMNS", "PixelRows", "PixelsWorker"]

#: What can be known of a pixel's place.
PLACE_COLUMNS = ("lon", "lat", "distance", "azimuth")


@dataclass(frozen=True)
class PixelRows:
    """Some pixels of ROIs that are data on at least one band.

    Attributes
    ----------
    roi, row, col : (m,) ndarray of int
        Which ROI and which pixel.
    bands : list of (values, valid)
        For each band; `valid` is None if all values are data.
    columns : dict of (m,) ndarray
        Those of lon, lat, distance, azimuth and weight that are wanted.
    """

    roi: Ints
    row: NDArray[np.int32]
    col: NDArray[np.int32]
    bands: list[tuple[NDArray[Any], Bools | None]]
    columns: dict[str, Floats] = field(default_factory=dict)


class PixelsWorker:
    """Lists the pixels of the chunks of a walk.

    Parameters
    ----------
    grid : Grid
        The rasters' grid.
    features : Features
        The n features; ROI k is that of feature k modulo n.
    selection : Selection
        The ROIs and their pixels.
    wanted : collection of str
        Which of lon, lat, distance, azimuth and weight to find.
    scaled : bool
        Whether scale and offset are applied.
    """

    def __init__(
        self,
        grid: Grid,
        features: Features,
        selection: Selection,
        wanted: Collection[str],
        *,
        scaled: bool,
    ) -> None:
        self._grid = grid
        self._features = features
        self._selection = selection
        self._wanted = wanted
        self._scaled = scaled

    def work(self, chunk: Chunk, pixels: Sequence[Pixels], layers: Layers) -> list[PixelRows]:
        """Rows of the ROIs of a chunk."""
        return [
            self._rows(chunk.rois[batch.rois], footprints, pixels)
            for batch, footprints in self._selection.footprints(chunk, layers)
            if len(footprints.spans)
        ]

    def renumber(self, result: list[PixelRows], rois: Ints) -> list[PixelRows]:
        """The rows with ``rois[i]`` for ROI i."""
        return [replace(rows, roi=rois[rows.roi]) for rows in result]

    def _rows(self, rois: Ints, footprints: Footprints, pixels: Sequence[Pixels]) -> PixelRows:
        spans = footprints.spans
        length = spans.length
        taken = [pixel.take(ranges(pixel.places(spans), length)) for pixel in pixels]
        roi, row = np.repeat(rois[spans.roi], length), np.repeat(spans.row, length)
        column, weights = ranges(spans.start, length), footprints.weights
        masks = [valid for _, valid in taken if valid is not None]
        if len(masks) == len(taken):
            known = np.logical_or.reduce(masks)
            if not known.all():
                roi, row, column = roi[known], row[known], column[known]
                weights = None if weights is None else weights[known]
                taken = [(raw[known], valid[known]) for raw, valid in taken if valid is not None]
        values = [
            (pixel.band.physical(raw) if self._scaled and pixel.band.is_scaled else raw, valid)
            for pixel, (raw, valid) in zip(pixels, taken, strict=True)
        ]
        columns = self._places(roi, row, column)
        if "weight" in self._wanted:
            columns["weight"] = np.ones(roi.size) if weights is None else weights
        return PixelRows(roi, row.astype(np.int32), column.astype(np.int32), values, columns)

    def _places(self, roi: Ints, row: Ints, column: Ints) -> dict[str, Floats]:
        wanted = [name for name in PLACE_COLUMNS if name in self._wanted]
        if not wanted:
            return {}
        lon, lat = self._grid.to_body(column + 0.5, row + 0.5)
        found = {"lon": wrap_longitude(lon), "lat": lat}
        if "distance" in wanted or "azimuth" in wanted:
            features, feature = self._features, roi % len(self._features)
            distance, found["azimuth"] = inverse(
                self._grid.body, features.lon[feature], features.lat[feature], lon, lat
            )
            found["distance"] = distance / features.radius[feature]
        return {name: found[name] for name in wanted}
