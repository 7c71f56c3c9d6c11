"""Opening stacks: every raster of a series is opened once and checked before anything is read."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from craterkit.errors import ArgumentError, CRSError, RasterError, quoted
from craterkit.extraction.sources import SourceSpec, check_nodata
from craterkit.rasters.opening import open_raster
from craterkit.series.adopting import placed_like
from craterkit.series.given import list_rasters, raster_path
from craterkit.series.labels import for_each, labels_of
from craterkit.series.layer_times import Described, find_layer_times
from craterkit.series.metadata import has_time_axis, stated_times
from craterkit.series.stack import Layer, Stack
from craterkit.series.times import ORIGINS, Times, order_of, read_times

if TYPE_CHECKING:
    from collections.abc import Sequence

    from craterkit.bodies import Body
    from craterkit.extraction.sources import Source
    from craterkit.grids.base import Grid
    from craterkit.rasters.base import Band, Raster
    from craterkit.selection.placement import Placement
    from craterkit.series.given import GivenRasters
    from craterkit.series.metadata import Statements

__all__ = ["open_stack"]


def open_stack(
    body: Body | None,
    rasters: object,
    times: object = None,
    *,
    bands: Any = None,  # noqa: ANN401
    nodata: Any = None,  # noqa: ANN401
    raster_crs: Any = None,  # noqa: ANN401
    transform: Any = None,  # noqa: ANN401
    sort: bool = False,
    errors: str = "raise",
    like: Placement | None = None,
) -> Stack:
    """Open every raster of a series, check it, close it again, and give each layer its time.

    Parameters
    ----------
    body : Body or None
        The body that the rasters must be of. None for rasters whose place does not matter: only their
        shapes are known then.
    rasters : object
        An iterable of rasters, a dict or Series of rasters by time, a pattern such as
        ``"weekly/*.tif"``, or one raster whose bands are the layers. A raster is anything that
        `open_raster` takes.
    times : iterable or {"metadata", "names", "stems"}, optional
        One time for each layer, in the order of the layers; or where to look for the times. By default
        they are those of the dict, or are looked for as `find_times` describes.
    bands : int, str, sequence or "all", optional
        Bands to use of each raster; several make several layers. By default all bands of one raster
        that is given alone and of those whose bands lie along an axis, as in a netCDF; else band 1.
    nodata, raster_crs, transform : optional
        Used instead of what the rasters say; a dict gives them by the name of the file without ending,
        to all files of this name, or by its path.
    sort : bool
        Whether rasters may be given out of order; they are sorted by time. Without, that is an error.
    errors : {"raise", "flag"}
        With ``"flag"`` a raster that cannot be opened is a layer with a `Layer.problem`.
    like : Placement, optional
        What lies on a body, and in whose place rasters of its shape are taken to lie that do not say
        where they do: what has no transform, and what has the same one but no CRS.

    Returns
    -------
    Stack

    Raises
    ------
    RasterError
        If a raster cannot be opened; with ``errors="flag"`` if none can, or if that leaves open how
        many layers it has.
    CRSError
        If a raster does not say where its pixels lie, or is of another body.
    ArgumentError
        If times are not one for each layer, different and ascending; if an argument has a value that
        it cannot take.

    Examples
    --------
    >>> import numpy as np
    >>> weeks = [np.full((2, 2), week) for week in (3, 1, 2)]
    >>> stack = open_stack(None, weeks, ["2024-W10", "2024-W11", "2024-W12"])
    >>> len(stack), stack.times_from, stack.times[0].date().isoformat()
    (3, 'argument', '2024-03-04')
    """
    if errors not in ("raise", "flag"):
        raise ArgumentError(f"errors must be one of 'raise', 'flag', not {errors!r}")
    given = list_rasters(rasters)
    where = _place_of_times(times)
    if given.keys is not None and times is not None:
        raise ArgumentError(
            "times: the keys of rasters are times already; pass a list of rasters, or no times"
        )
    looks_for_times = given.keys is None and (times is None or where == "metadata")
    opener = _Opener(body, errors == "flag", looks_for_times, given.alone, bands, like)
    labels = labels_of(given.rasters)
    crs = for_each(raster_crs, given.rasters, labels, "raster_crs")
    affine = for_each(transform, given.rasters, labels, "transform")
    missing = for_each(nodata, given.rasters, labels, "nodata")
    opened = [
        opener.open(SourceSpec(*told, "all"))
        for told in zip(labels, given.rasters, crs, affine, missing, strict=True)
    ]
    _check_problems(opened)
    layers = [layer for of_raster in opened for layer in of_raster.layers]
    found = _times_of(given, times, where, opened, layers)
    what = {"argument": "times", "keys": "rasters: their keys"}.get(
        found.origin, f"times from {found.detail or found.origin}"
    )
    order = order_of(found.index, [layer.name for layer in layers], what=what, sort=sort)
    index = found.index[order].rename("time")
    return Stack(
        tuple(replace(layers[i], time=index[place]) for place, i in enumerate(order)),
        index,
        found.origin,
        found.detail,
    )


@dataclass(frozen=True, slots=True)
class _Opened:
    """The layers of one raster, without times, and what it says of these."""

    layers: list[Layer]
    stated: list[Statements]
    error: RasterError | None = None


@dataclass(frozen=True, slots=True)
class _Opener:
    """What opens one raster after the other."""

    body: Body | None
    flags: bool
    looks_for_times: bool
    alone: bool
    bands: Any
    like: Placement | None

    def open(self, spec: SourceSpec) -> _Opened:
        """Read the header of a raster."""
        try:
            raster, found, grid, spec = self._header(spec)
            with raster:
                picked = raster.pick_bands(self._choice(raster))
                stated = (
                    stated_times(raster, picked) if self.looks_for_times else [{}] * len(picked)
                )
        except RasterError as error:
            if not self.flags:
                raise
            spec = replace(spec, bands=self.bands if self.bands is not None else 1)
            name = str(raster_path(spec.given) or spec.label)
            return _Opened([Layer(None, name, spec, None, None, None, str(error))], [{}], error)
        bands = [found[band.number - 1] for band in picked]
        name = spec.label if raster_path(spec.given) is None else raster.name
        layers = [
            Layer(
                None,
                name if len(bands) == 1 else f"{name} band {band.number}",
                replace(spec, bands=band.number),
                raster,
                band,
                grid,
            )
            for band in bands
        ]
        return _Opened(layers, stated)

    def _header(self, spec: SourceSpec) -> tuple[Raster, list[Band], Grid | None, SourceSpec]:
        if self.body is not None:
            source = self._source(spec, self.body)
            return source.raster, source.bands, source.grid, source.spec
        with open_raster(spec.given, spec.label) as raster:
            bands = raster.bands
        if spec.nodata is not None:
            value = check_nodata(spec.nodata)
            bands = [band.with_nodata(value) for band in bands]
        for band in bands:
            if not band.nodata_is_exact:
                raise ArgumentError(
                    f"{raster.name}: the nodata value of band {band.number} cannot be read exactly; "
                    "pass it as nodata="
                )
        return raster, bands, None, spec

    def _source(self, spec: SourceSpec, body: Body) -> Source:
        try:
            return spec.open(body)
        except (CRSError, ArgumentError):
            placed = spec if self.like is None else placed_like(spec, self.like)
            if placed is spec:
                raise
        return placed.open(body)

    def _choice(self, raster: Raster) -> Any:  # noqa: ANN401
        if self.bands is not None:
            return self.bands
        every = self.alone or (len(raster.bands) > 1 and has_time_axis(raster))
        return "all" if every else 1


def _place_of_times(times: object) -> str | None:
    """Where to look for times, if that is what a user says."""
    if not isinstance(times, str):
        return None
    if times not in ORIGINS:
        raise ArgumentError(
            f"times must be one of {quoted(ORIGINS)}, or one time for each layer, not {times!r}"
        )
    return times


def _check_problems(opened: Sequence[_Opened]) -> None:
    """Raise if too little of the stack can be opened."""
    failed = [of_raster.error for of_raster in opened if of_raster.error is not None]
    if not failed:
        return
    if len(failed) == len(opened):
        raise RasterError(f"none of the {len(opened)} rasters can be opened: {failed[0]}")
    if any(len(of_raster.layers) > 1 for of_raster in opened):
        raise RasterError(
            f"{failed[0]}; as others have several layers, it is unknown how many are missing; leave it out"
        )


def _times_of(
    given: GivenRasters,
    times: object,
    where: str | None,
    opened: Sequence[_Opened],
    layers: Sequence[Layer],
) -> Times:
    if given.keys is not None or (times is not None and where is None):
        keys = given.keys is not None
        index = read_times(given.keys if keys else times, "rasters: the keys" if keys else "times")
        if len(index) != len(layers):
            raise ArgumentError(_unequal(len(index), opened, layers))
        return Times(index, "keys" if keys else "argument")
    single = all(len(of_raster.layers) == 1 for of_raster in opened)
    described = Described(
        [own for of_raster in opened for own in of_raster.stated],
        [raster_path(layer.spec.given) if single else None for layer in layers],
        [layer.name for layer in layers],
        _stems(opened, given),
    )
    found = find_layer_times(described, [layer.is_readable for layer in layers], where)
    if len(opened) == 1 and not single and found.origin in ("stems", "order"):
        return _of_bands(layers, found.detail)
    return found


def _stems(opened: Sequence[_Opened], given: GivenRasters) -> list[str]:
    """What layers are called if they have no dates."""
    named = any(
        raster_path(raster) is not None or getattr(raster, "name", None) is not None
        for raster in given.rasters
    )
    stems = []
    for of_raster in opened:
        several = len(of_raster.layers) > 1
        for layer in of_raster.layers:
            suffix = f"_b{layer.band.number}" if several and layer.band is not None else ""
            stems.append(f"{layer.spec.label}{suffix}" if named else "")
    return stems


def _of_bands(layers: Sequence[Layer], why: str) -> Times:
    """Descriptions of bands if they differ, else numbers."""
    import pandas as pd

    bands = [layer.band for layer in layers if layer.band is not None]
    described = [band.description for band in bands]
    if all(described) and len(set(described)) == len(described):
        return Times(pd.Index(described), "bands", why)
    return Times(pd.Index([band.number for band in bands]), "bands", why)


def _unequal(times: int, opened: Sequence[_Opened], layers: Sequence[Layer]) -> str:
    if len(opened) == len(layers):
        more = ""
        if len(opened) == 1 and layers[0].raster is not None:
            count = len(layers[0].raster.bands)
            more = f'; it has {count} bands, of which bands="all" makes layers' if count > 1 else ""
        return f"times has {times} entries for {len(opened)} rasters{more}"
    return f"times has {times} entries for {len(layers)} layers (bands of {len(opened)} rasters)"
