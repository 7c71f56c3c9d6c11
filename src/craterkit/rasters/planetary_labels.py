"""Labels of planetary rasters (ISIS, PDS3, PDS4, VICAR), as GDAL keeps them with a raster and its copies."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

import numpy as np

from craterkit.errors import CRSError
from craterkit.rasters.label_values import entries, length, listed, number, text, unit

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["CENTRE", "ISIS", "OFFSETS", "PDS3", "PDS4", "Label", "read_label", "special_constant"]

#: Where GDAL keeps labels: of rasters in these formats, and of copies in others.
ISIS, PDS3, PDS4, VICAR = "json:ISIS3", "json:PDS", "xml:PDS4", "json:VICAR"

#: Where in a label the map projection is described.
MAPS = ("Mapping", "IMAGE_MAP_PROJECTION", "MAP", "Map_Projection", "Cartography")

#: The central meridian of a map, and line and sample of the projection's origin.
CENTRE = ("CenterLongitude", "CENTER_LONGITUDE", "longitude_of_central_meridian")
OFFSETS = ("LINE_PROJECTION_OFFSET", "SAMPLE_PROJECTION_OFFSET")

#: Constants of images in the PDS3 data dictionary for pixels without data, and for those of which something
#: else is wrong; the constants of cubes have the prefix CORE_.
MISSING = re.compile(r"(CORE_)?NULL|MISSING_CONSTANT")
SPECIAL = re.compile(
    r"(CORE_)?(LOW|HIGH)_(REPR|INSTR)_SATURATION|(INVALID|UNKNOWN|NOT_APPLICABLE)_CONSTANT"
)


ISIS_TYPES = {
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
            If it says something else.
        """
        value = self.stated_latitude_type
        kind = re.search("ocentric|ographic|ocentral|odetic", value, re.IGNORECASE)
        if kind:
            is_graphic = kind[0].casefold() in ("ographic", "odetic")
            return "planetographic" if is_graphic else "planetocentric"
        if not value or value.casefold() in ("n/a", "null", "unk", "unknown"):
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
    def pixel_size(self) -> float | None:
        """Metres a pixel, from its scale or its resolution."""
        scale = length(self.get("MAP_SCALE"), "km")
        per_degree = number(self.get("MAP_RESOLUTION"))
        radius = length(self.get("A_AXIS_RADIUS"), "km")
        if radius is None or not per_degree:
            return scale
        resolved = float(np.radians(radius / per_degree))
        # A scale in metres that names no unit counts as kilometres.
        return resolved if scale is None or not 0.01 < scale / resolved < 100 else scale

    @property
    def scale_and_offset(self) -> tuple[float, float]:
        """What turns raw numbers into physical values."""
        scale = number(self.get("SCALING_FACTOR", "CORE_MULTIPLIER"))
        offset = number(self.get("OFFSET", "CORE_BASE"))
        return (1.0 if scale is None else scale), (0.0 if offset is None else offset)

    def describes(self, dtype: np.dtype[Any]) -> bool:
        """Whether pixels of a dtype may be those that it describes, not others made of them."""
        if self.kind == ISIS:
            return ISIS_TYPES.get(text(self.get("Type"))) == dtype
        bits, size = number(self.get("SAMPLE_BITS")), number(self.get("CORE_ITEM_BYTES"))
        if bits is None and size is not None:
            bits = 8 * size
        return bits in (None, 8 * dtype.itemsize)

    def dtype(self, read_as: np.dtype[Any]) -> np.dtype[Any]:
        """Type of the numbers that GDAL's driver reads as others of the same size."""
        stated = re.search(r"(UNSIGNED_)?INTEGER$", text(self.get("SAMPLE_TYPE")))
        if self.kind != PDS3 or not stated:
            return read_as
        return np.dtype(f"{'u' if stated[1] else 'i'}{read_as.itemsize}")

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
                maps = [content_of for name, content_of in _groups(content) if name in MAPS]
                values: dict[str, Any] = {}
                for part in (*maps, content):
                    for name, value in entries(part):
                        values.setdefault(name, value)
                return Label(kind, values, frozenset(name for name, _ in _groups(content)))
    return None


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
