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
from craterkit.extraction.sources import Header, SourceSpec
from craterkit.rasters.gdal_settings import block_cache
from craterkit.selection.placement import place
from craterkit.series.opening import open_stack
from craterkit.series.stack import Layer, Stack
from craterkit.series.tasks import OpenRasters, layers_together, tasks_of

if TYPE_CHECKING:
    from craterkit.bodies import Body
    from craterkit.cluster.errands import Shared
    from craterkit.cluster.workers import Cluster
    from craterkit.extraction.budget import Budget
    from craterkit.extraction.execution import Execution
    from craterkit.extraction.walk import Interruption
    from craterkit.grids.base import Grid
    from craterkit.rasters.base import Raster
    from craterkit.selection.placement import Placement
    from craterkit.selection.runs import Runs
    from craterkit.series.tasks import LayerValues, SeriesOptions, Way

__all__ = ["RemoteLayers", "SeriesCluster", "names_elsewhere", "series_cluster"]

#: Layers of an errand, and bytes of their values, at most, unless fewer cannot be read apart.
ERRAND_LAYERS, RESULT_BYTES = 64, 32 * 1024**2

#: Stands for a layer that is read elsewhere, or nowhere.
NO_LAYER = Layer(None, "", SourceSpec("", "", None, None, None, None), None, None, None)


class Common(NamedTuple):
    """What is the same for all layers; `grid` is that of the pixels, `ways` what workers find out."""

    runs: Runs
    grid: Grid | None
    options: SeriesOptions
    budget: Budget
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
class RemoteLayers:
    """Layers of a stack that another process opens anew.

    Attributes
    ----------
    rasters : sequence of RemoteRaster
        Their rasters.
    numbers : sequence of int
        Which layers these are, in the order of the rasters and their bands.
    count : int
        How many layers the stack has.
    """

    rasters: Sequence[RemoteRaster]
    numbers: Sequence[int]
    count: int

    @classmethod
    def of(
        cls, layers: Sequence[tuple[int, Layer]], count: int, names: Mapping[int, str]
    ) -> RemoteLayers:
        """Readable layers with their numbers; `names` are those of their rasters, by `id`."""
        by_raster: dict[int, list[tuple[int, Layer]]] = {}
        for number, layer in layers:
            by_raster.setdefault(id(layer.raster), []).append((number, layer))
        rasters = [
            _remote([layer for _, layer in own], names[raster]) for raster, own in by_raster.items()
        ]
        return cls(rasters, [number for own in by_raster.values() for number, _ in own], count)

    def open(self, body: Body | None) -> Stack:
        """The stack; all other layers of it cannot be read.

        Raises
        ------
        RasterError
            As `RemoteRaster.open`.
        """
        layers = [NO_LAYER] * self.count
        opened = (layer for raster in self.rasters for layer in raster.open(body))
        for number, layer in zip(self.numbers, opened, strict=True):
            layers[number] = layer
        return Stack(tuple(layers), pd.RangeIndex(self.count), "order")


@dataclass(frozen=True)
class SeriesErrand(Errand):
    """Some layers: `own` is a `RemoteLayers`, what is shared a `Common`."""

    def results(self, shared: Sequence[Shared]) -> tuple[list[LayerValues], int]:
        """What is found in the layers, and how many pixels were read for it."""
        common: Common = made_of(shared)
        layers: RemoteLayers = pickle.loads(self.own)
        stack = layers.open(None if common.grid is None else common.grid.body)
        ways, budget = common.ways, common.budget
        tasks = tasks_of(common.runs, common.grid, stack, common.options, budget, ways)
        with block_cache(budget.block_cache), OpenRasters(tasks) as rasters:
            found = [layer for task in tasks for layer in rasters.results(task)]
        return found, sum(task.pixels_read for task in tasks)


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
        own = replace(budget, memory=budget.memory // self.cluster.sharing, threads=1)
        common = Common(runs, grid, options, own, ways=[])
        threads = count_workers(self.cluster)
        each = stack.dtype(scaled=options.scaled).itemsize * runs.pixels
        size = min(
            max(1, len(stack.readable) // (threads * ERRANDS_EACH)),
            max(1, RESULT_BYTES // max(1, each)),
            ERRAND_LAYERS,
        )
        errands = (self._errand(layers, len(stack)) for layers in _groups(stack, size))
        shared = pickled(common, "the selection")
        answers = carry_out(self.cluster, threads, errands, interruption, shared)
        with closing(answers):
            for _, answer in answers:
                yield answer

    def _errand(self, layers: Sequence[tuple[int, Layer]], of: int) -> tuple[None, str, Errand]:
        own = RemoteLayers.of(layers, of, self.names)
        first, last = own.rasters[0].name, own.rasters[-1].name
        subject = first if first == last else f"{first} to {last}"
        return None, subject, SeriesErrand(__version__, pickled(own, "rasters"))


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
    names = names_elsewhere(stack)
    with open_cluster(execution) as cluster:
        yield SeriesCluster(cluster, names)


def names_elsewhere(stack: Stack) -> dict[int, str]:
    """Names under which other processes can open the rasters, by the `id` of a raster.

    Raises
    ------
    ArgumentError
        If one has none.
    """
    specs = {id(layer.raster): layer.spec for layer in stack.readable}
    return {number: spec.by_name().given for number, spec in specs.items()}


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


def _remote(layers: Sequence[Layer], name: str) -> RemoteRaster:
    raster = _raster(layers[0])
    header = _header(raster, layers)
    return RemoteRaster(
        replace(layers[0].spec, given=name),
        raster.name,
        header,
        place(raster) if header.grid is None else None,
    )


def _raster(layer: Layer) -> Raster:
    assert layer.raster is not None
    return layer.raster


def _header(raster: Raster, layers: Sequence[Layer]) -> Header:
    bands = tuple(layer.band for layer in layers if layer.band is not None)
    return Header(raster.shape, layers[0].grid, bands)
