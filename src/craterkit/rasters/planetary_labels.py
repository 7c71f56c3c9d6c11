"""Labels of planetary rasters (ISIS, PDS3, PDS4, VICAR), as GDAL keeps them with a raster and its copies."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

import numpy as np

from craterkit.errors import CRSError, RasterError
from craterkit.rasters.label_values import entries, length, listed, number, text, unit

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["CENTRE", "ISIS", "OFFSETS", "PDS3", "PDS4", "Label", "read_label", "special_constant"]

#: Where GDAL keeps labels: of rasters in these formats, and of copies in others.
ISIS, PDS3, PDS4, VICAR = "json:ISIS3", "json:PDS", "xml:PDS4", "json:VICAR"

#: Where in a label the map projection is described.
MAPS = ("Mapping", "IMAGE_MAP_PROJECTION", "MAP", "Map_Projection", "Cartography")

#: Objects of PDS3 that hold the pixels.
IMAGES = ("IMAGE", "QUBE", "SPECTRAL_QUBE")

#: What stands for a kind of latitude, but names the frame of the coordinates, or nothing.
FRAMES = re.compile(r"MEAN EARTH|POLAR AXIS|BODY.?FIXED|^(N/A|NULL|UNK|UNKNOWN)$", re.IGNORECASE)

#: The central meridian of a map, and line and sample of the projection's origin.
CENTRE = ("CenterLongitude", "CENTER_LONGITUDE", "longitude_of_central_meridian")
OFFSETS = ("LINE_PROJECTION_OFFSET", "SAMPLE_PROJECTION_OFFSET")

#: Constants of images in the PDS3 data dictionary for pixels without data, and for those of which something
#: else is wrong; the constants of cubes have the prefix CORE_.
MISSING = re.compile(r"(CORE_)?NULL(_CONSTANT)?|MISSING_CONSTANT|DUMMY_DATA")
SPECIAL = re.compile(
    r"(CORE_)?(LOW|HIGH)_(REPR|INSTR)_SATURATION|(INVALID|UNKNOWN|NOT_APPLICABLE)_CONSTANT"
    r"|(INVALID|OUT_OF_IMAGE_BOUNDS)_VALUE"
)


ISIS_TYPES: dict[str, np.dtype[Any]] = {
    "UnsignedByte": np.dtype(np.uint8),
    "SignedWord": np.dtype(np.int16),
    "UnsignedWord": np.dtype(np.uint16),
    "UnsignedInteger": np.dtype(np.uint32),
    "Real": np.dtype(np.float32),
    "Double": np.dtype(np.float64),
}


@dataclass(frozen=True)
class Label:
    """What the label of a raster says.

    Attributes
    ----------
    kind : str
        Under which name GDAL keeps it.
    values : dict
        Its values by key; those of the map projection where a key stands more than once.
    """

    kind: str
    values: Mapping[str, Any]
    groups: frozenset[str] = field(default=frozenset(), repr=False)

    def get(self, *keys: str) -> Any:  # noqa: ANN401
        """The value of the first of some keys that the label has; None if it has none of them."""
        return next((self.values[key] for key in keys if key in self.values), None)

    def has_quoted(self, *keys: str) -> bool:
        """Whether one of some numbers is in quotes, without a unit: GDAL does not read it then."""
        values = [self.get(key) for key in keys]
        return any(isinstance(value, str) and not unit(value) for value in values)

    @property
    def has_map(self) -> bool:
        """Whether it describes a map projection."""
        return bool(self.groups.intersection(MAPS))

    @property
    def stated_latitude_type(self) -> str:
        """What it says of latitudes, in its own words; empty if nothing."""
        return text(self.get("LatitudeType", "COORDINATE_SYSTEM_NAME", "latitude_type"))

    @property
    def latitude_type(self) -> str | None:
        """``"planetocentric"`` or ``"planetographic"``; None if it does not say.

        Raises
        ------
        CRSError
            If it says something else, and the body is flattened.
        """
        value = self.stated_latitude_type
        kind = re.search("ocentric|ographic|ocentral|odetic", value, re.IGNORECASE)
        if kind:
            is_graphic = kind[0].casefold() in ("ographic", "odetic")
            return "planetographic" if is_graphic else "planetocentric"
        radii = self.radii
        if not value or FRAMES.search(value) or (radii is not None and radii[0] == radii[1]):
            return None
        raise CRSError(f"its label says that latitudes are {value!r}, which is not understood")

    @property
    def counts_westward(self) -> bool:
        """Whether longitudes grow to the west."""
        value = text(
            self.get("LongitudeDirection", "POSITIVE_LONGITUDE_DIRECTION", "longitude_direction")
        )
        return bool(re.fullmatch(r"(positive)?[\s_]*west(ward)?", value, re.IGNORECASE))

    @property
    def centre_longitude(self) -> float | None:
        """The central meridian of the map, in the label's own direction."""
        return number(self.get(*CENTRE))

    @property
    def radii(self) -> tuple[float, float] | None:
        """Equatorial and polar radius in metres; None if it lacks one."""
        unit = "m" if self.kind in (ISIS, PDS4) else "km"
        found = (
            length(self.get("EquatorialRadius", "A_AXIS_RADIUS", "a_axis_radius"), unit),
            length(self.get("PolarRadius", "C_AXIS_RADIUS", "c_axis_radius"), unit),
        )
        return None if found[0] is None or found[1] is None else (found[0], found[1])

    @property
    def bounds(self) -> tuple[float, float, float, float] | None:
        """Westernmost and easternmost longitude, southernmost and northernmost latitude, as it counts them."""
        found = (
            number(self.get("WESTERNMOST_LONGITUDE", "west_bounding_coordinate")),
            number(self.get("EASTERNMOST_LONGITUDE", "east_bounding_coordinate")),
            number(self.get("MINIMUM_LATITUDE", "south_bounding_coordinate")),
            number(self.get("MAXIMUM_LATITUDE", "north_bounding_coordinate")),
        )
        return None if any(bound is None for bound in found) else found  # type: ignore[return-value]

    @property
    def shape(self) -> tuple[int, int] | None:
        """Rows and columns of the image; None if it does not say."""
        rows, columns = number(self.get("LINES", "NL")), number(self.get("LINE_SAMPLES", "NS"))
        return None if rows is None or columns is None else (int(rows), int(columns))

    @property
    def offsets(self) -> tuple[float, float] | None:
        """Line and sample of the projection's origin, which PDS3 leaves open from where they count."""
        line, sample = (number(self.get(key)) for key in OFFSETS)
        return None if line is None or sample is None else (line, sample)

    @property
    def resolved_size(self) -> float | None:
        """Metres a pixel by its resolution in pixels a degree."""
        per_degree, radius = (
            number(self.get("MAP_RESOLUTION")),
            length(self.get("A_AXIS_RADIUS"), "km"),
        )
        return float(np.radians(radius / per_degree)) if radius and per_degree else None

    @property
    def pixel_size(self) -> float | None:
        """Metres a pixel; by its resolution where its scale is that but for its last digit or unit."""
        stated, resolved = self.get("MAP_SCALE"), self.resolved_size
        scale, value = length(stated, "km"), number(stated)
        if resolved is None or not scale or not value:
            return resolved or scale
        last = 10.0 ** -len(repr(value).partition("e")[0].partition(".")[2]) * scale / value
        near = abs(scale - resolved) <= last
        return resolved if near or not 0.01 < scale / resolved < 100 else scale

    def scale_and_offset(self, band: int) -> tuple[float, float] | None:
        """What turns raw numbers of a band into physical values; None if it does not say.

        Raises
        ------
        RasterError
            If it has a list that lacks the band.
        """
        found = []
        for keys, default in (
            (("SCALING_FACTOR", "CORE_MULTIPLIER"), 1.0),
            (("OFFSET", "CORE_BASE"), 0.0),
        ):
            stated = listed(self.get(*keys))
            if len(stated) > 1 and band > len(stated):
                raise RasterError(
                    f"its label has {len(stated)} of {keys[0]}, but none for band {band}"
                )
            value = number(stated[band - 1] if len(stated) > 1 else stated[0])
            found.append(default if value is None else value)
        return None if found == [1.0, 0.0] else (found[0], found[1])

    @property
    def stored(self) -> np.dtype[Any] | None:
        """Type of the numbers in the product, as far as it is known."""
        if self.kind == ISIS:
            return ISIS_TYPES.get(text(self.get("Type")))
        stated = re.search(r"(UNSIGNED_)?(INTEGER|REAL)$", text(self.get("SAMPLE_TYPE")))
        bits = number(self.get("SAMPLE_BITS"))
        if self.kind != PDS3 or not stated or bits not in (8, 16, 32, 64):
            return None
        kind = "f" if stated[2] == "REAL" else "u" if stated[1] else "i"
        return None if kind == "f" and bits < 32 else np.dtype(f"{kind}{int(bits) // 8}")

    @property
    def is_scaled(self) -> bool:
        """Whether the numbers of a cube are not physical values."""
        base, multiplier = number(self.get("Base")), number(self.get("Multiplier"))
        return base not in (None, 0.0) or multiplier not in (None, 1.0)

    @property
    def is_compressed(self) -> bool:
        """Whether the image is in a file of another format, which knows the type of its numbers itself."""
        return "COMPRESSED_FILE" in self.groups

    @property
    def is_interleaved_by_sample(self) -> bool:
        """Whether bands alternate from pixel to pixel."""
        return "SAMPLE_INTERLEAVED" in text(self.get("BAND_STORAGE_TYPE"))

    def constants(self, dtype: np.dtype[Any]) -> tuple[tuple[float, ...], tuple[float, ...]]:
        """Raw numbers for pixels without data, and for saturated or otherwise unusable ones."""
        found = []
        for meaning in (MISSING, SPECIAL):
            values = [
                special_constant(value, dtype)
                for key, of_key in self.values.items()
                if meaning.fullmatch(key)
                for value in listed(of_key)
            ]
            found.append(tuple(sorted({value for value in values if value is not None})))
        return found[0], found[1]


def read_label(dataset: Any) -> Label | None:  # noqa: ANN401
    """The label that GDAL keeps with an open dataset; None if it keeps none."""
    kept = dataset.tag_namespaces()
    for kind in (ISIS, PDS3, PDS4, VICAR):
        if kind not in kept:
            continue
        # rasterio takes the label for a tag, whose name ends at the first colon.
        for key, rest in dataset.tags(ns=kind).items():
            content = _parsed(rest if kind == PDS4 else f"{key}:{rest}", kind)
            if content:
                groups = _groups(content)
                return Label(kind, _values(content, groups), frozenset(name for name, _ in groups))
    return None


def _values(content: Mapping[str, Any], groups: list[tuple[str, dict[str, Any]]]) -> dict[str, Any]:
    """Values that are about the image: of PDS3, not those of a histogram or a picture beside it."""
    parts = [group for name, group in groups if name in MAPS]
    parts += [group for name, group in groups if name in IMAGES][:1]
    images = any(name in IMAGES for name, _ in groups)
    top = {key: value for key, value in content.items() if not isinstance(value, dict)}
    values: dict[str, Any] = {}
    for part in (*parts, top if images else content):
        for name, value in entries(part):
            values.setdefault(name, value)
    return values


def _parsed(content: str, kind: str) -> dict[str, Any]:
    """A label as a mapping of mappings; empty if it is damaged."""
    try:
        if kind == PDS4:
            return _of_element(ElementTree.fromstring(content[content.index("<") :].encode()))
        parsed = json.loads(content)
    except (ValueError, ElementTree.ParseError):
        return {}
    return parsed if isinstance(parsed, dict) else {}


def _of_element(element: ElementTree.Element) -> dict[str, Any]:
    """An element of XML like an object of a label; of several with one name the first."""
    found: dict[str, Any] = {}
    for child in element:
        name = child.tag.rpartition("}")[2]
        if len(child):
            found.setdefault(name, _of_element(child))
        else:
            found.setdefault(name, {"value": child.text or "", "unit": child.get("unit", "")})
    return found


def _groups(label: Mapping[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """All objects and groups in a label, with their names."""
    found = []
    for key, value in label.items():
        if isinstance(value, dict) and "value" not in value:
            found += [(key, value), *_groups(value)]
    return found


def special_constant(value: Any, dtype: np.dtype[Any]) -> float | None:  # noqa: ANN401
    """A constant as pixels hold it, which may be given by its bits ("16#FF7FFFFB#"); None if they cannot."""
    bits = re.fullmatch(r"(\d+)#([0-9A-Fa-f]+)#", text(value))
    if bits:
        pattern = int(bits[2], int(bits[1]))
        if pattern >= 1 << (8 * dtype.itemsize):
            return None
        unsigned = np.dtype(f"u{dtype.itemsize}")
        return float(np.array(pattern, dtype=unsigned).view(dtype))
    stated = number(value)
    if stated is None:
        return None
    if dtype.kind == "f":
        return stated
    info = np.iinfo(dtype)
    return stated if stated.is_integer() and info.min <= stated <= info.max else None
