"""Panels of sheets: an ROI's frame, the raster's values on it, and the ROI's boundary."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from craterkit.errors import ArgumentError
from craterkit.plotting.arguments import checked_count, checked_number
from craterkit.plotting.frame_sampling import FrameSampler
from craterkit.plotting.hillshade import check_light, hillshade
from craterkit.plotting.local_frames import Curve, LocalFrame, outlines, reach
from craterkit.plotting.units import metres_per_unit
from craterkit.rasters.gdal_settings import block_cache

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from craterkit.extraction.sources import Source
    from craterkit.extraction.subject import Subject
    from craterkit.plotting.frame_sampling import Resampling

    Floats = NDArray[np.float64]

__all__ = ["Light", "Panel", "panels"]

#: A sheet has no more panels.
MOST_PANELS = 400

#: Bytes of decoded blocks that are kept while panels are read.
BLOCK_CACHE = 1 << 26

#: Fewest cells of a frame and of a hillshade along a side.
FEWEST_CELLS, FEWEST_SHADED = 8, 24


@dataclass(frozen=True, slots=True, kw_only=True)
class Light:
    """Where the light of a hillshade comes from; see `hillshade`."""

    azimuth: float = 315.0
    altitude: float = 45.0
    exaggeration: float = 1.0

    def __post_init__(self) -> None:
        for name in ("azimuth", "altitude", "exaggeration"):
            checked_number(name, getattr(self, name))
        check_light(self.azimuth, self.altitude, self.exaggeration)


@dataclass(frozen=True, slots=True)
class Panel:
    """What one panel of a sheet shows.

    Attributes
    ----------
    frame : LocalFrame
        The map.
    values : (count, count) ndarray
        The raster's values, row 0 the northernmost; NaN where there are none. The hillshade itself if only
        that is drawn.
    shade : (n, n) ndarray or None
        Brightness of a hillshade, if one is asked for.
    curves : list of list of Curve
        The boundary of the ROI of each region.
    """

    frame: LocalFrame
    values: Floats
    shade: Floats | None
    curves: list[list[Curve]]


def panels(
    subject: Subject,
    source: Source,
    *,
    cells: int,
    margin: float,
    resampling: Resampling | None,
    scaled: bool,
    light: Light | None,
    coloured: bool = True,
) -> list[Panel]:
    """What a sheet shows of each feature of a subject.

    Parameters
    ----------
    subject : Subject
        The features and regions.
    source : Source
        The raster.
    cells : int
        Cells along a side of a frame.
    margin : float
        How far frames reach beyond the ROIs, as a share of these.
    resampling : {None, "nearest", "bilinear"}
        See `FrameSampler`; by default ``"nearest"`` for 8-bit integers, ``"bilinear"`` for others.
    scaled : bool
        Whether scale and offset are applied.
    light : Light or None
        Light of a hillshade, if one is wanted.
    coloured : bool, default True
        Whether values are wanted, too, beside a hillshade.
    """
    features, body = subject.features, subject.body
    cells = checked_count("cells", cells, FEWEST_CELLS)
    if checked_number("margin", margin) < 0:
        raise ArgumentError(f"margin must be a share of the ROI's size, 0 or more, not {margin!r}")
    if resampling not in (None, "nearest", "bilinear"):
        raise ArgumentError(f"resampling must be None, 'nearest' or 'bilinear', not {resampling!r}")
    if len(source.bands) != 1:
        raise ArgumentError(f"band must name one band, not {source.spec.bands!r}")
    if len(features) > MOST_PANELS:
        raise ArgumentError(
            f"index picks {len(features)} features; a sheet has {MOST_PANELS} panels at most"
        )
    sampler = FrameSampler(source, resampling or _suitable(source), scaled)
    farthest = np.max(
        [reach(body, features, region) for region in subject.regions.values()], axis=0
    )
    # A feature whose ROIs are all empty is shown itself.
    half = (1.0 + margin) * np.where(farthest > 0, farthest, features.radius)
    unit = metres_per_unit(source)
    found = []
    with block_cache(BLOCK_CACHE), source.raster:
        for i in range(len(features)):
            own = subject.part(np.array([i]))
            place = float(features.lon[i]), float(features.lat[i])
            frame = LocalFrame.around(body, *place, float(half[i]))
            curves = [
                outlines(frame, own.features, region, source.grid)
                for region in own.regions.values()
            ]
            shade = None if light is None else _shade(sampler, frame, cells, light, unit)
            values = shade if shade is not None and not coloured else sampler.sample(frame, cells)
            found.append(Panel(frame, values, shade, curves))
    return found


def _suitable(source: Source) -> Resampling:
    """Rasters of 8-bit integers may hold classes, between which there is nothing."""
    dtype = source.bands[0].dtype
    return "nearest" if dtype.kind in "iu" and dtype.itemsize == 1 else "bilinear"


def _shade(
    sampler: FrameSampler, frame: LocalFrame, count: int, light: Light, unit: float
) -> Floats:
    """Hillshade of a frame, in cells that are not finer than the raster's pixels."""
    pixel = sampler.pixel_size(frame, count)
    cells = count if not pixel > 1 else int(np.clip(count / pixel, FEWEST_SHADED, count))
    wider = LocalFrame(frame.body, frame.lon, frame.lat, frame.half * (cells + 2) / cells)
    return hillshade(
        sampler.sample(wider, cells + 2) * unit,
        2.0 * frame.half / cells,
        azimuth=light.azimuth,
        altitude=light.altitude,
        exaggeration=light.exaggeration,
    )
