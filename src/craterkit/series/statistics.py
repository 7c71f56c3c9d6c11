"""Statistics of ROIs in every layer of a stack: a footprint is found once for all layers of a grid."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from craterkit.errors import ArgumentError, quoted
from craterkit.extraction.get_stats import COUNTS, RasterStatistics, prepared
from craterkit.extraction.survey import Survey
from craterkit.flags import Flag
from craterkit.grids.alignment import same_grid
from craterkit.series.unreadable import warn_of_unreadable
from craterkit.statistics.registry import Function

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from craterkit.extraction.execution import Execution
    from craterkit.extraction.options import Options
    from craterkit.extraction.sources import Source
    from craterkit.extraction.subject import Subject
    from craterkit.series.stack import Stack
    from craterkit.statistics.registry import Request

    Bools = NDArray[np.bool_]

__all__ = ["SeriesStatistics", "check_names", "extract_series"]

#: Rasters that a thread has open at a time, at most.
OPEN_TOGETHER = 32

#: ROIs times layers whose sums are held at a time, unless a single layer has more.
SUMS_TOGETHER = 4_000_000


@dataclass(frozen=True)
class SeriesStatistics:
    """Statistics of all ROIs in all layers.

    Attributes
    ----------
    subject : Subject
        Whose ROIs.
    stack : Stack
        The t layers.
    found : dict of str to (t, n) ndarray
        By statistic.
    unread : frozenset of int
        Numbers of layers of which blocks with some of the pixels could not be read.
    """

    subject: Subject
    stack: Stack
    found: dict[str, NDArray[Any]]
    unread: frozenset[int] = frozenset()

    def tidy(
        self,
        feature: str,
        *,
        with_region: bool = True,
        renamed: Mapping[str, str] | None = None,
        kept: pd.DataFrame | None = None,
    ) -> pd.DataFrame:
        """One row for each feature, region and time, in this order.

        `feature` names the first column, and `renamed` some of those of statistics anew. `kept` are columns
        of the features that are repeated behind these.
        """
        import pandas as pd

        times, size = self.stack.times, len(self.subject.features)
        regions = list(self.subject.regions)
        columns: dict[str, Any] = {
            feature: self.subject.index.repeat(len(regions) * len(times)),
        }
        if with_region:
            names = np.array(regions, dtype=object)
            columns["region"] = np.tile(np.repeat(names, len(times)), size)
        columns["time"] = times[np.tile(np.arange(len(times)), size * len(regions))]
        for name, values in self.found.items():
            by_feature = values.reshape(len(times), len(regions), size).transpose(2, 1, 0)
            columns[(renamed or {}).get(name, name)] = by_feature.ravel()
        table = pd.DataFrame(columns)
        if kept is not None and kept.shape[1]:
            rows = np.repeat(np.arange(size), len(regions) * len(times))
            table = pd.concat([table, kept.iloc[rows].set_axis(table.index)], axis=1)
        table.attrs.update(self.stack.attrs)
        return table


def check_names(request: Request, keys: Sequence[str]) -> None:
    """Raise if a function is called like another column of the table.

    Raises
    ------
    ArgumentError
        Names all such functions.
    """
    taken = [
        item.name for item in request.items if isinstance(item, Function) and item.name in keys
    ]
    if taken:
        raise ArgumentError(
            f"stats: functions cannot be called {quoted(taken)}, as other columns of the table are "
            f"({quoted(keys)}); call them something else"
        )


def extract_series(
    subject: Subject, stack: Stack, request: Request, options: Options, execution: Execution
) -> SeriesStatistics:
    """Statistics of every feature in every layer of a stack."""
    names, request = prepared(request, options)
    readable = [number for number, layer in enumerate(stack.layers) if layer.source is not None]
    sources = [source for layer in stack.layers if (source := layer.source) is not None]
    most = min(_files_each(execution.budget.threads), SUMS_TOGETHER // max(1, len(subject)))
    groups = _groups(sources, max(1, most))
    survey = Survey(subject, None, options, execution, "Series", sources=sources, walks=len(groups))
    rois = np.arange(len(subject))
    found: list[dict[str, NDArray[Any]]] = [{} for _ in stack.layers]
    outside: list[Bools] = [np.zeros(rois.size, dtype=np.bool_) for _ in sources]
    unread = list(outside)
    setting = None
    with survey:
        for group in groups:
            setting = survey.setting([sources[number] for number in group], setting)
            run = RasterStatistics(survey, setting, names, request)
            for _ in run.finished(rois):
                pass
            for number, columns, missed in zip(
                group, run.columns(rois), run.unread_on, strict=True
            ):
                found[readable[number]] = columns
                outside[number], unread[number] = run.plan.outside, missed
    survey.warn_of_outside(outside, stacklevel=3)
    survey.warn_of_unread(unread, stacklevel=3)
    warn_of_unreadable(stack, stacklevel=3)
    lost = dict.fromkeys(COUNTS, 0) | {"flags": int(Flag.UNREADABLE)}
    for columns in found:
        for name in names:
            columns.setdefault(name, np.full(rois.size, lost.get(name, np.nan)))
    return SeriesStatistics(
        subject,
        stack,
        {name: np.stack([columns[name] for columns in found]) for name in names},
        frozenset(readable[number] for number, missed in enumerate(unread) if missed.any()),
    )


def _files_each(threads: int) -> int:
    """Rasters that each of some threads may have open at a time: of all files the half."""
    try:
        import resource
    except ImportError:  # on Windows, which has no such limit
        return OPEN_TOGETHER
    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if limit == resource.RLIM_INFINITY:
        return OPEN_TOGETHER
    return min(OPEN_TOGETHER, limit // 2 // threads)


def _groups(sources: Sequence[Source], most: int) -> list[list[int]]:
    """Numbers of sources that are walked together: of one grid, with equal blocks."""
    groups: list[list[int]] = []
    for number, source in enumerate(sources):
        for group in groups:
            first = sources[group[0]]
            if len(group) < most and _alike(first, source):
                group.append(number)
                break
        else:
            groups.append([number])
    return groups


def _alike(one: Source, other: Source) -> bool:
    edges = zip(one.raster.block_edges(), other.raster.block_edges(), strict=True)
    same_blocks = all(np.array_equal(first, second) for first, second in edges)
    return same_blocks and same_grid(one.grid, other.grid)
