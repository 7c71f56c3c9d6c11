"""What labels say of a raster: its own, one beside it, or those of its sources."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from craterkit.errors import RasterError
from craterkit.rasters.gdal_reports import placed_or_not
from craterkit.rasters.label_places import corrected_system
from craterkit.rasters.planetary_labels import ISIS, PDS3, Label, read_label
from craterkit.rasters.vrt_sources import vrt_description, vrt_sources

if TYPE_CHECKING:
    from craterkit.coordinates import CoordinateSystem
    from craterkit.rasters.base import Band
    from craterkit.rasters.vrt_sources import VrtSources

__all__ = ["Facts", "find_facts", "label_beside"]

#: VALID_MIN and VALID_MAX by type of pixel: USGS ISIS, isis/src/base/objs/SpecialPixel/SpecialPixel.h.
#: Those of floats are in `missing_values`, since they hold for all rasters.
ISIS_VALID: dict[np.dtype[Any], tuple[float, float]] = {
    np.dtype(np.uint8): (1, 254),
    np.dtype(np.int16): (-32752, 32767),
    np.dtype(np.uint16): (3, 65522),
    np.dtype(np.uint32): (3, 4294967282),
}

#: What GDAL's driver for PDS3 takes for no data where the label names nothing.
GUESSED = {"uint8": 0.0, "int16": -32768.0, "uint16": 0.0}

#: What in the description of a virtual raster makes other numbers of those of its sources.
MIXING = re.compile(
    rb'resampling="(?!near)|<ResampleAlg>(?!near)|<LUT>|PixelFunction', re.IGNORECASE
)
RATIO = re.compile(rb"<ScaleRatio>([^<]*)")
OFFSET = re.compile(rb"<ScaleOffset>([^<]*)")

#: So many sources of a mosaic, evenly spread, have their labels read.
SOURCES = 64


@dataclass(frozen=True)
class Facts:
    """What labels say of a raster.

    Attributes
    ----------
    label : Label or None
        The label; None if there is none.
    source : str
        The raster whose label it is, where that is another one, of which this is a copy or mosaic.
    """

    label: Label | None = None
    source: str = ""

    def read_as_labelled(self, band: Band, driver: str, name: str) -> Band:
        """A band whose numbers mean what the label says.

        Parameters
        ----------
        band : Band
            The band as GDAL describes it.
        driver : str
            What GDAL reads it with.
        name : str
            What messages call the raster.

        Raises
        ------
        RasterError
            If it holds the label's numbers in a dtype that garbles them.
        """
        label = self.label
        if driver == "ISIS2":
            return replace(band, valid_range=ISIS_VALID.get(band.dtype))
        stored = None if label is None else label.stored
        if label is None or (stored is not None and not _holds(band.dtype, stored)):
            return band
        if label.kind == ISIS:
            if stored != band.dtype and label.is_scaled and not band.is_scaled:
                raise RasterError(
                    f"{name}: holds the numbers of an ISIS cube as {band.dtype}, without the Base and "
                    "Multiplier that its label has: it cannot be known whether they are applied; use "
                    "the cube itself"
                )
            return replace(band, valid_range=None if stored is None else ISIS_VALID.get(stored))
        dtype, nodata = band.dtype, band.nodata
        raw = driver == "PDS" and not label.is_compressed
        if raw and label.is_interleaved_by_sample and band.number > 1:
            raise RasterError(
                f"{name}: its bands alternate from pixel to pixel (BAND_STORAGE_TYPE), which GDAL reads as "
                "if they followed each other"
            )
        if stored is not None and stored.itemsize == dtype.itemsize and not label.is_compressed:
            if not raw and dtype.kind == "f" != stored.kind:
                raise RasterError(
                    f"{name}: holds the {stored} numbers of a PDS3 image as {dtype}, as GDAL copies them; "
                    "use the image's own label instead"
                )
            dtype = stored
        if label.kind == PDS3:
            guess = nodata if dtype != band.dtype else (GUESSED.get((stored or dtype).name),)
            nodata = tuple(value for value in nodata if value not in guess)
        missing, special = label.constants(dtype)
        scale, offset = band.scale, band.offset
        if not band.is_scaled or scale == 0:
            try:
                scale, offset = label.scale_and_offset(band.number) or (1.0, 0.0)
            except RasterError as error:
                raise RasterError(f"{name}: {error}") from error
        return replace(
            band,
            dtype=dtype,
            nodata=tuple(dict.fromkeys((*nodata, *missing))),
            special=special,
            scale=scale,
            offset=offset,
        )

    def system(self, system: CoordinateSystem) -> CoordinateSystem:
        """The coordinate system as the label means it; see `corrected_system`."""
        return system if self.label is None else corrected_system(self.label, system)


def find_facts(dataset: Any, sources: VrtSources | None) -> Facts:  # noqa: ANN401
    """What labels say of an open dataset, which may be made of others.

    Raises
    ------
    RasterError
        If it is made of rasters whose labels say different things, or mixes their special pixels.
    """
    label = read_label(dataset)
    if label is not None:
        return Facts(label)
    if dataset.driver.startswith("JP2"):
        beside = label_beside(dataset.name)
        return (None if beside is None else _of_file(beside)) or Facts()
    return Facts() if sources is None else _of_sources(dataset, sources.names)


def label_beside(name: str) -> Path | None:
    """The label (``.lbl``) beside an image on this machine that names it; None if there is none."""
    image = Path(name)
    with suppress(OSError, ValueError):
        for file in sorted(image.parent.iterdir()) if image.is_file() else ():
            stem = file.stem.casefold()
            own = stem in (image.stem.casefold(), f"{image.stem}_{image.suffix[1:]}".casefold())
            if own and file.suffix.casefold() == ".lbl":
                content = file.read_bytes()[: 1 << 20]
                if image.name.casefold().encode() in content.lower():
                    return file
    return None


def _of_file(name: str | Path) -> Facts | None:
    """What labels say of a file that another raster is made of; None if it cannot be opened."""
    import rasterio
    from rasterio.errors import RasterioError

    try:
        with placed_or_not():
            source = rasterio.open(name)
    except (RasterioError, UnicodeDecodeError):
        return None
    with source:
        return find_facts(source, vrt_sources(source))


def _of_sources(dataset: Any, named: list[str]) -> Facts:  # noqa: ANN401
    """What the labels of a virtual raster's sources say, which must be one thing."""
    if len(named) > SOURCES:
        named = [named[i] for i in np.linspace(0, len(named) - 1, SOURCES).astype(int)]
    # Whether all sources open is seen when pixels are read.
    found = {name: facts for name in named if (facts := _of_file(name)) is not None}
    labels = {name: facts.label for name, facts in found.items() if facts.label is not None}
    if not labels:
        return Facts()
    first, label = next(iter(labels.items()))
    for name, facts in found.items():
        if _meaning(facts.label) != _meaning(label):
            raise RasterError(
                f"{dataset.name}: the labels of its sources {first} and {name} say different things of "
                "latitudes, longitudes or special pixels; use these files one by one"
            )
    if _mixes(dataset) and (label.kind == ISIS or any(label.constants(np.dtype(np.float64)))):
        raise RasterError(
            f"{dataset.name}: the special pixels that the label of {first} names are mixed with others, as "
            "it resamples or rescales them; use that file itself, or resample to the nearest pixel"
        )
    return Facts(label, found[first].source or first)


def _mixes(dataset: Any) -> bool:  # noqa: ANN401
    """Whether a virtual raster holds other numbers than its sources."""
    resampling = getattr(dataset, "resampling", None)
    if resampling is not None:
        return bool(resampling.name != "nearest")
    description = vrt_description(dataset)
    scales = [(float(n), 1.0) for n in RATIO.findall(description)]
    scales += [(float(n), 0.0) for n in OFFSET.findall(description)]
    return bool(MIXING.search(description)) or any(n != neutral for n, neutral in scales)


def _meaning(label: Label | None) -> tuple[object, ...]:
    """What must be the same of all sources of a mosaic; a raster without a label says nothing."""
    if label is None:
        return None, None, ((), ()), None, None
    a, b = label.radii or (0.0, 0.0)
    west = (label.centre_longitude or 0.0) % 360.0 if label.counts_westward else 0.0
    return (
        label.stated_latitude_type.casefold()[-8:] if a != b else None,
        west if west % 180.0 else None,
        label.constants(np.dtype(np.float64)),
        label.stored if label.stored in ISIS_VALID and label.kind == ISIS else None,
        label.scale_and_offset(1),
    )


def _holds(dtype: np.dtype[Any], stored: np.dtype[Any]) -> bool:
    """Whether pixels of a dtype may be the numbers of a product, not others made of them."""
    return dtype.itemsize == stored.itemsize or bool(np.can_cast(stored, dtype))
