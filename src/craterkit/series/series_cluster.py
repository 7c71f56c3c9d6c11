"""Series by the workers of a Dask cluster: some layers are an errand, the selection goes out once."""

from __future__ import annotations

import pickle
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

import pandas as pd

from craterkit import __version__
from craterkit.cluster.errands import Errand, another_raster, made_of, no_raster, pickled
from craterkit.cluster.workers import ERRANDS_EACH, carry_out, count_workers, open_cluster
from craterkit.errors import ArgumentError, CRSError, RasterError
from craterkit.extraction.sources import Header
from craterkit.rasters.gdal_settings import block_cache
from craterkit.selection.placement import place
from craterkit.series.opening import open_stack
from craterkit.series.stack import Stack
from craterkit.series.tasks import layers_together, open_shared, tasks_of

if TYPE_CHECKING:
    from craterkit.bodies import Body
    from craterkit.cluster.errands import Shared
    from craterkit.cluster.workers import Cluster
    from craterkit.extraction.budget import Budget
    from craterkit.extraction.execution import Execution
    from craterkit.extraction.sources import SourceSpec
    from craterkit.extraction.walk import Interruption
    from craterkit.grids.base import Grid
    from craterkit.rasters.base import Raster
    from craterkit.selection.placement import Placement
    from craterkit.selection.runs import Runs
    from craterkit.series.stack import Layer
    from craterkit.series.tasks import LayerValues, SeriesOptions, Way

__all__ = ["SeriesCluster", "series_cluster"]

#: Layers of an errand, and bytes of their values, at most, unless fewer cannot be read apart.
ERRAND_LAYERS, RESULT_BYTES = 64, 32 * 1024**2


class Common(NamedTuple):
    """What is the same for all layers; `grid` is that of the pixels, `ways` what workers find out."""

    runs: Runs
    grid: Grid | None
    options: SeriesOptions
    block_cache: int
    ways: list[Way]


@dataclass(frozen=True)
class RemoteRaster:
    """Bands of a raster that workers open by name, and what was found here of it.

    Attributes
    ----------
    spec : SourceSpec
        The raster.
    name : str
        What messages call it.
    header : Header
        Its shape, its grid and the bands in use.
    placement : Placement or None
        Where it lies, if it has no grid.
    """

    spec: SourceSpec
    name: str
    header: Header
    placement: Placement | None

    def open(self, body: Body | None) -> tuple[Layer, ...]:
        """Its bands as layers, on a worker.

        Raises
        ------
        RasterError
            If it cannot be opened there, or is another one.
        """
        spec = self.spec
        try:
            layers = open_stack(
                body,
                [spec.given],
                range(len(self.header.bands)),
                bands=[band.number for band in self.header.bands],
                nodata=spec.nodata,
                raster_crs=spec.crs,
                transform=spec.transform,
            ).layers
        except RasterError as error:
            raise no_raster(error) from error
        except (ArgumentError, CRSError) as error:
            raise another_raster(self.name, error) from error
        if difference := self._difference(layers):
            raise another_raster(self.name, difference)
        return layers

    def _difference(self, layers: Sequence[Layer]) -> str:
        raster = _raster(layers[0])
        difference = self.header.difference(_header(raster, layers))
        if difference or self.placement is None:
            return difference
        return self.placement.difference(place(raster))


@dataclass(frozen=True)
class SeriesErrand(Errand):
    """Some layers: `own` is a list of `RemoteRaster` and the layers' numbers, what is shared a `Common`."""

    def results(self, shared: Sequence[Shared]) -> tuple[list[LayerValues], int]:
        """What is found in the layers, and how many pixels were read for it."""
        common: Common = made_of(shared)
        rasters, numbers = pickle.loads(self.own)
        body = None if common.grid is None else common.grid.body
        layers = tuple(layer for raster in rasters for layer in raster.open(body))
        stack = Stack(layers, pd.RangeIndex(len(layers)), "order")
        tasks = tasks_of(common.runs, common.grid, stack, common.options, common.ways)
        with block_cache(common.block_cache), open_shared(tasks):
            found = [layer for task in tasks for layer in task.results()]
        return (
            [replace(layer, number=numbers[layer.number]) for layer in found],
            sum(task.pixels_read for task in tasks),
        )


@dataclass(frozen=True)
class SeriesCluster:
    """A cluster, and the names under which its workers open the rasters of a stack.

    Attributes
    ----------
    cluster : Cluster
        The cluster.
    names : dict
        Of a raster, by its `id`.
    """

    cluster: Cluster
    names: Mapping[int, str]

    def results(
        self,
        runs: Runs,
        grid: Grid | None,
        stack: Stack,
        options: SeriesOptions,
        budget: Budget,
        interruption: Interruption,
    ) -> Generator[tuple[list[LayerValues], int], None, None]:
        """What workers find in all readable layers, and how many pixels they read, errand by errand.

        Raises
        ------
        RasterError
            If a worker cannot open a raster or read a block, or finds another raster.
        ClusterError
            If the cluster cannot do its work.
        """
        memory = replace(budget, memory=budget.memory // self.cluster.sharing)
        common = Common(runs, grid, options, memory.block_cache, ways=[])
        threads = count_workers(self.cluster)
        each = stack.dtype(scaled=options.scaled).itemsize * runs.pixels
        size = min(
            max(1, len(stack.readable) // (threads * ERRANDS_EACH)),
            max(1, RESULT_BYTES // max(1, each)),
            ERRAND_LAYERS,
        )
        errands = (self._errand(layers) for layers in _groups(stack, size))
        shared = pickled(common, "the selection")
        answers = carry_out(self.cluster, threads, errands, interruption, shared)
        with closing(answers):
            for _, answer in answers:
                yield answer

    def _errand(self, layers: Sequence[tuple[int, Layer]]) -> tuple[None, str, Errand]:
        by_raster: dict[int, list[tuple[int, Layer]]] = {}
        for number, layer in layers:
            by_raster.setdefault(id(layer.raster), []).append((number, layer))
        rasters = [self._remote([layer for _, layer in own]) for own in by_raster.values()]
        numbers = [number for own in by_raster.values() for number, _ in own]
        first, last = rasters[0].name, rasters[-1].name
        subject = first if first == last else f"{first} to {last}"
        return None, subject, SeriesErrand(__version__, pickled((rasters, numbers), "rasters"))

    def _remote(self, layers: Sequence[Layer]) -> RemoteRaster:
        raster = _raster(layers[0])
        header = _header(raster, layers)
        return RemoteRaster(
            replace(layers[0].spec, given=self.names[id(raster)]),
            raster.name,
            header,
            place(raster) if header.grid is None else None,
        )


@contextmanager
def series_cluster(stack: Stack, execution: Execution) -> Iterator[SeriesCluster | None]:
    """The cluster that is to read a stack; None if threads of this process are.

    Raises
    ------
    ArgumentError
        If a raster has no name that workers could open.
    ClusterError
        If there is no cluster.
    """
    if not execution.on_cluster:
        yield None
        return
    specs = {id(layer.raster): layer.spec for layer in stack.readable}
    names = {number: spec.by_name().given for number, spec in specs.items()}
    with open_cluster(execution) as cluster:
        yield SeriesCluster(cluster, names)


def _groups(stack: Stack, size: int) -> Iterator[list[tuple[int, Layer]]]:
    """Readable layers, so many at a time; those that are decoded together are not put asunder."""
    group: list[tuple[int, Layer]] = []
    for _, members in layers_together(stack):
        if group and len(group) + len(members) > size:
            yield group
            group = []
        group += members
    if group:
        yield group


def _raster(layer: Layer) -> Raster:
    assert layer.raster is not None
    return layer.raster


def _header(raster: Raster, layers: Sequence[Layer]) -> Header:
    bands = tuple(layer.band for layer in layers if layer.band is not None)
    return Header(raster.shape, layers[0].grid, bands)
