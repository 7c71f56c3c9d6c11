"""What the labels of planetary formats say that GDAL's drivers do not pass on.

- ISIS cubes reserve numbers for special pixels: null, and low and high saturation of the instrument or of
  the representation. GDAL's mask names those in use, but not the numbers beside them that ISIS keeps for
  more, and costs a second reading; the range of valid numbers serves better.
- PDS3 labels name constants of the same kind one by one. GDAL takes one of them for nodata.
- Labels may count longitudes westward. The drivers for ISIS3, PDS3 and VICAR then read the central
  meridian of a projection as an east longitude (that for PDS4 does not).
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["mirrored_meridian", "special_constant", "special_values", "valid_range"]

#: VALID_MIN and VALID_MAX by type of pixel: USGS ISIS, isis/src/base/objs/SpecialPixel/SpecialPixel.h.
ISIS_VALID: dict[np.dtype[Any], tuple[float, float]] = {
    np.dtype(np.uint8): (1, 254),
    np.dtype(np.int16): (-32752, 32767),
    np.dtype(np.uint16): (3, 65522),
    np.dtype(np.float32): (
        float(np.uint32(0xFF7FFFFA).view(np.float32)),
        float(np.finfo(np.float32).max),
    ),
}

#: Constants of images in the PDS3 data dictionary; those of cubes have the prefix CORE_.
PDS3_CONSTANT = re.compile(
    r"(CORE_)?NULL|(MISSING|INVALID|UNKNOWN|NOT_APPLICABLE)_CONSTANT"
    r"|(CORE_)?(LOW|HIGH)_(REPR|INSTR)_SATURATION"
)

#: Where GDAL keeps labels, by driver.
LABELS = {"ISIS3": "json:ISIS3", "PDS": "json:PDS", "VICAR": "json:VICAR"}


def valid_range(dataset: Any, dtype: np.dtype[Any]) -> tuple[float, float] | None:  # noqa: ANN401
    """Least and greatest raw number that is data; None if all are."""
    return ISIS_VALID.get(dtype) if dataset.driver == "ISIS3" else None


def special_values(dataset: Any, dtype: np.dtype[Any]) -> tuple[float, ...]:  # noqa: ANN401
    """Raw numbers that are no data, beside the dataset's nodata values."""
    if dataset.driver != "PDS":
        return ()
    values = [
        special_constant(value, dtype)
        for key, value in _entries(_label(dataset))
        if PDS3_CONSTANT.fullmatch(key)
    ]
    known = {None if value is None else float(dtype.type(value)) for value in dataset.nodatavals}
    return tuple(sorted({value for value in values if value is not None} - known))


def mirrored_meridian(dataset: Any) -> float | None:  # noqa: ANN401
    """Central meridian that a label counts westward but the CRS has as an east longitude; None if right."""
    label = dict(_entries(_label(dataset)))
    direction = label.get("LongitudeDirection", label.get("POSITIVE_LONGITUDE_DIRECTION"))
    west = label.get("CenterLongitude", label.get("CENTER_LONGITUDE"))
    if dataset.crs is None or not re.fullmatch(r"(positive)?west", str(direction), re.I):
        return None
    read = re.search(r"\+lon_0=(\S+)", dataset.crs.to_proj4())
    east = float(read[1]) if read else 0.0
    if not isinstance(west, int | float) or abs((east + west + 180) % 360 - 180) < 1e-9:
        return None
    return float(west)


def _label(dataset: Any) -> Any:  # noqa: ANN401
    """The label as a mapping of mappings; empty if there is none."""
    space = LABELS.get(dataset.driver)
    # rasterio takes the label for a tag, whose name ends at the first colon.
    for tag in dataset.tags(ns=space).items() if space else ():
        try:
            return json.loads(":".join(tag))
        except ValueError:
            break
    return {}


def _entries(label: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Keys and values at all depths, without units."""
    for key, value in label.items():
        if not isinstance(value, dict):
            yield key, value
        elif "value" in value:
            yield key, value["value"]
        else:
            yield from _entries(value)


def special_constant(value: Any, dtype: np.dtype[Any]) -> float | None:  # noqa: ANN401
    """A constant as pixels hold it, which may be given by its bits ("16#FF7FFFFB#"); None if they cannot."""
    bits = re.fullmatch(r'"?(\d+)#([0-9A-Fa-f]+)#"?', str(value).strip())
    if bits:
        pattern = int(bits[2], int(bits[1]))
        if pattern >= 1 << (8 * dtype.itemsize):
            return None
        unsigned = np.dtype(f"u{dtype.itemsize}")
        return float(np.array(pattern, dtype=unsigned).view(dtype))
    try:
        with np.errstate(over="ignore"):
            held = float(np.array(float(value)).astype(dtype))
    except (TypeError, ValueError, OverflowError):
        return None
    return held if dtype.kind == "f" or held == float(value) else None
