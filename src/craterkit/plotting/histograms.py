"""Histograms of the pixels of ROIs, counted chunk by chunk: no ROI's pixels are kept.

The range is found in a first walk over the raster, unless it is given, and the pixels are counted in a second.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from craterkit.errors import ArgumentError
from craterkit.extraction.batches import portions
from craterkit.extraction.survey import Survey
from craterkit.footprints.spans import ranges
from craterkit.plotting.arguments import checked_pair

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import ArrayLike, NDArray

    from craterkit.extraction.blocks import Pixels
    from craterkit.extraction.companions import Layers
    from craterkit.extraction.execution import Execution
    from craterkit.extraction.options import Options
    from craterkit.extraction.plan import Chunk
    from craterkit.extraction.setting import Setting
    from craterkit.extraction.sources import Source
    from craterkit.extraction.subject import Subject

    Floats = NDArray[np.float64]
    Ints = NDArray[np.intp]

__all__ = ["Histograms", "count_pixels", "counted_as"]

#: Bins, unless others are asked for.
BINS = 30

#: More histograms cannot be told apart.
MOST_HISTOGRAMS = 32


@dataclass(frozen=True)
class Histograms:
    """Pixels of ROIs, counted by value.

    Attributes
    ----------
    edges : (k + 1,) ndarray
        Edges of the bins. A bin has its lower edge, the last one both.
    counts : (n, k) ndarray
        Pixels, or the sum of their weights, in each bin of each histogram.
    pixels : (n,) ndarray of int
        Valid pixels of each histogram, in a bin or not.
    empty : (n,) ndarray of int
        ROIs of each histogram that have none.
    """

    edges: Floats
    counts: Floats
    pixels: NDArray[np.int64]
    empty: NDArray[np.int64]


@dataclass(frozen=True)
class _Found:
    """What some pixels of a chunk give.

    `rois` have pixels; row k of `numbers` is of histogram ``groups[k]``: its least and greatest value, or
    how many pixels it has and what is in its bins.
    """

    rois: Ints
    groups: Ints
    numbers: Floats


@dataclass(frozen=True)
class _MakeWorker:
    """Makes the worker that ranges or counts pixels, on any machine."""

    edges: Floats | None
    group: Ints

    def __call__(self, setting: Setting) -> _Worker:
        return _Worker(setting, self.edges, self.group)


@dataclass(frozen=True)
class _Worker:
    """Ranges, or counts by value, the pixels of a chunk; `group` is the histogram of each ROI."""

    setting: Setting
    edges: Floats | None
    group: Ints

    def work(self, chunk: Chunk, pixels: Sequence[Pixels], layers: Layers) -> list[_Found]:
        """What the pixels of a chunk give, portion by portion."""
        (pixel,) = pixels
        found = []
        for batch, footprints in self.setting.selection.footprints(chunk, layers):
            rois = chunk.rois[batch.rois]
            for portion in portions(footprints):
                spans, weights = portion.spans, portion.weights
                raw, valid = pixel.take(ranges(pixel.places(spans), spans.length))
                roi = np.repeat(spans.roi, spans.length)
                if valid is not None:
                    raw, roi = raw[valid], roi[valid]
                    weights = None if weights is None else weights[valid]
                if raw.size:
                    scaled = self.setting.options.scaled and pixel.band.is_scaled
                    values = pixel.band.physical(raw) if scaled else raw
                    found.append(self._measured(rois, roi, values, weights))
        return found

    def renumber(self, result: list[_Found], rois: Ints) -> list[_Found]:
        """The result with ``rois[i]`` for ROI i; histograms keep their numbers."""
        return [replace(found, rois=rois[found.rois]) for found in result]

    def _measured(
        self, rois: Ints, roi: Ints, values: NDArray[Any], weights: Floats | None
    ) -> _Found:
        """Of valid pixels in the order of their ROIs."""
        new = np.flatnonzero(np.diff(roi, prepend=-1))
        own = rois[roi[new]]
        if self.edges is None:
            both = np.array([[values.min(), values.max()]], dtype=np.float64)
            return _Found(own, np.zeros(1, dtype=np.intp), both)
        groups, of_roi = np.unique(self.group[own], return_inverse=True)
        pixels = np.diff(np.append(new, roi.size))
        number, bins = np.repeat(of_roi, pixels), self.edges.size - 1
        # As numpy.histogram: a value on an edge is in the bin above it, on the last edge in the last bin.
        place = np.searchsorted(self.edges, values, side="right") - 1
        place[values == self.edges[-1]] = bins - 1
        within = (place >= 0) & (place < bins)
        counts = np.bincount(
            number[within] * bins + place[within],
            None if weights is None else weights[within],
            minlength=groups.size * bins,
        ).reshape(groups.size, bins)
        total = np.bincount(of_roi, pixels, minlength=groups.size)
        return _Found(own, groups, np.concatenate([total[:, None], counts], axis=1))


def count_pixels(
    subject: Subject,
    raster: object,
    options: Options,
    execution: Execution,
    *,
    bins: int | ArrayLike | None = None,
    limits: tuple[float, float] | None = None,
    features: Ints | None = None,
) -> tuple[Histograms, Source]:
    """Count the pixels of ROIs by value.

    Parameters
    ----------
    subject : Subject
        Whose pixels.
    raster : object
        One raster, as a user gives it.
    options : Options
        Which pixels, and how they are read.
    execution : Execution
        How the work is done.
    bins : int or sequence of float, optional
        How many bins of equal width between the least and the greatest value of all ROIs, or their edges.
        By default up to 30, as wide as a whole number if the values are such.
    limits : tuple of float, optional
        Least and greatest value to count, instead of those that there are.
    features : ndarray of int, optional
        Positions of features whose ROIs have a histogram each; by default all ROIs of a region make one.

    Returns
    -------
    Histograms
        One for each region and, within it, feature; or one for each region.
    Source
        The raster.

    Raises
    ------
    ArgumentError
        If an argument is wrong, or more than one raster or band is given.
    """
    edges = _checked_edges(bins, limits)
    if features is not None and features.size * len(subject.regions) > MOST_HISTOGRAMS:
        raise ArgumentError(
            f"index picks {features.size} features, which would make more than {MOST_HISTOGRAMS} "
            "histograms, too many to be told apart; pass index=None for one of all features together"
        )
    if features is not None and options.exclude is None:
        subject, features = subject.part(features), np.arange(features.size)
    walks = 2 if edges is None and limits is None else 1
    survey = Survey(subject, raster, options, execution, "Histograms", walks=walks)
    if len(survey.sources) != 1 or len(survey.sources[0].bands) != 1:
        raise ArgumentError("raster and band must name one raster, and one band of it")
    source, size = survey.sources[0], len(subject.features)
    regions = np.arange(len(subject.regions))
    group = np.zeros(len(subject), dtype=np.intp)
    if features is None:
        rois, own = np.arange(len(subject)), regions
        group[:] = np.repeat(regions, size)
    else:
        rois, own = np.unique((regions[:, None] * size + features).ravel(), return_inverse=True)
        group[rois] = np.arange(rois.size)
    with survey:
        (setting,) = survey.settings()
        plan = setting.plan()

        def walk(edges: Floats | None) -> Iterator[_Found]:
            for _, result in survey.results(setting, plan, _MakeWorker(edges, group), rois):
                yield from result

        if edges is None:
            limits = _range(walk(None)) if limits is None else limits
            edges = _edges(bins, limits, whole=_is_whole(source, scaled=options.scaled))
        groups = int(own.max(initial=-1)) + 1
        numbers = np.zeros((groups, edges.size))
        seen = np.zeros(len(subject), dtype=bool)
        for found in walk(edges):
            numbers[found.groups] += found.numbers
            seen[found.rois] = True
    empty = np.bincount(group[rois[~seen[rois]]], minlength=groups)
    return Histograms(edges, numbers[own, 1:], numbers[own, 0].astype(np.int64), empty[own]), source


def _range(results: Iterable[_Found]) -> tuple[float, float]:
    """Least and greatest value of all pixels; 0 and 1 if there are none."""
    low, high = np.inf, -np.inf
    for found in results:
        low, high = min(low, found.numbers[:, 0].min()), max(high, found.numbers[:, 1].max())
    return (float(low), float(high)) if low <= high else (0.0, 1.0)


def _checked_edges(bins: Any, limits: object) -> Floats | None:  # noqa: ANN401
    """The edges of bins if they are given."""
    if limits is not None:
        checked_pair("range", limits, "two numbers")
    if bins is None:
        return None
    if isinstance(bins, int | np.integer) and not isinstance(bins, bool):
        if bins < 1:
            raise ArgumentError(f"bins must be 1 or more, not {bins}")
        return None
    try:
        edges = np.asarray(bins, dtype=np.float64)
    except (TypeError, ValueError):
        edges = np.zeros(0)
    if edges.ndim != 1 or edges.size < 2 or not (np.diff(edges) > 0).all():
        raise ArgumentError(
            f"bins must be a number of bins, or their ascending edges, not {bins!r}"
        )
    return edges


def _is_whole(source: Source, *, scaled: bool) -> bool:
    band = source.bands[0]
    return band.dtype.kind in "iu" and not (scaled and band.is_scaled)


def _edges(bins: Any, limits: tuple[float, float], *, whole: bool) -> Floats:  # noqa: ANN401
    """Edges of bins of equal width."""
    if bins is None and whole:
        # Bins that hold equally many whole numbers: others would look like a comb.
        low, high = np.floor(limits[0]), np.ceil(limits[1])
        width = max(1.0, np.ceil((high - low + 1) / BINS))
        edges: Floats = low - 0.5 + width * np.arange(np.ceil((high - low + 1) / width) + 1)
        return edges
    least, greatest = limits if limits[0] < limits[1] else (limits[0] - 0.5, limits[0] + 0.5)
    return np.linspace(least, greatest, (BINS if bins is None else int(bins)) + 1)


def counted_as(options: Options) -> tuple[str, float]:
    """What pixels are counted as, and the factor from that to what is shown."""
    if options.rules.area_weighted:
        return "Area (km²)", 1e-6
    if options.weights_raster is not None:
        return "Sum of weights", 1.0
    return ("Pixels, by covered share" if options.coverage == "fraction" else "Count"), 1.0
