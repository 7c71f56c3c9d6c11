"""Planetary products with labels, written byte by byte or, PDS4 and VICAR, by GDAL."""

from __future__ import annotations

import numpy as np
import rasterio

ISIS_TYPES = {"u1": "UnsignedByte", "i2": "SignedWord", "u2": "UnsignedWord", "f4": "Real"}


def write_cube(path, values, *, mapping=None):
    """Write an ISIS cube; without a mapping it is as a camera took it."""
    rows, columns = values.shape
    lines = [
        *("Object = IsisCube", "Object = Core", "StartByte = 65537", "Format = BandSequential"),
        *(
            "Group = Dimensions",
            f"Samples = {columns}",
            f"Lines = {rows}",
            "Bands = 1",
            "End_Group",
        ),
        *("Group = Pixels", f"Type = {ISIS_TYPES[values.dtype.str[1:]]}", "ByteOrder = Lsb"),
        *("Base = 0.0", "Multiplier = 1.0", "End_Group", "End_Object"),
    ]
    if mapping is not None:
        entries = [f"{key} = {value}" for key, value in mapping.items()]
        lines += ["Group = Mapping", *entries, "End_Group"]
    head = "\n".join([*lines, "End_Object", "End", ""]).encode().ljust(65536, b"\0")
    path.write_bytes(head + values.astype(values.dtype.newbyteorder("<")).tobytes())
    return path


def isis_map(rows, columns, *, target, radii, centre=0.0, **changed):
    """A simple cylindrical map of the whole globe."""
    a, b = radii
    mapping = {
        "ProjectionName": "SimpleCylindrical",
        "CenterLongitude": centre,
        "TargetName": target,
        "EquatorialRadius": f"{a} <meters>",
        "PolarRadius": f"{b} <meters>",
        "LatitudeType": "Planetocentric",
        "LongitudeDirection": "PositiveEast",
        "LongitudeDomain": 360,
        "PixelResolution": f"{2 * np.pi * a / columns} <meters/pixel>",
        "UpperLeftCornerX": f"{-np.pi * a} <meters>",
        "UpperLeftCornerY": f"{np.pi * a / 2} <meters>",
    }
    return mapping | changed


def write_pds3(
    path, values, *, image=None, target="MARS", extra=(), compressed=None, **map_entries
):
    """Write a PDS3 label and its image; with `compressed` the image is another file that is there already."""
    *bands, rows, columns = values.shape
    dtype = values.dtype
    order = "MSB" if dtype.byteorder == ">" else "LSB"
    sample = {
        "u": "UNSIGNED_INTEGER" if dtype.itemsize == 1 else f"{order}_UNSIGNED_INTEGER",
        "i": f"{order}_INTEGER",
        "f": "PC_REAL",
    }[dtype.kind]
    lines = [
        *("PDS_VERSION_ID = PDS3", "RECORD_TYPE = FIXED_LENGTH", f"TARGET_NAME = {target}"),
        *(f"RECORD_BYTES = {columns * dtype.itemsize}", f"FILE_RECORDS = {rows}"),
    ]
    block = [
        *("OBJECT = IMAGE", f"LINES = {rows}", f"LINE_SAMPLES = {columns}"),
        *(f"SAMPLE_TYPE = {sample}", f"SAMPLE_BITS = {8 * dtype.itemsize}"),
        *(f"BANDS = {count}" for count in bands),
        *extra,
        "END_OBJECT = IMAGE",
    ]
    if compressed is None:
        image = image or path.with_suffix(".img")
        values.tofile(image)
        lines += [f'^IMAGE = "{image.name}"', *block]
    else:
        lines += [
            *("OBJECT = COMPRESSED_FILE", f'FILE_NAME = "{compressed.name}"'),
            *('ENCODING_TYPE = "JP2"', "END_OBJECT = COMPRESSED_FILE"),
            *("OBJECT = UNCOMPRESSED_FILE", f'FILE_NAME = "{compressed.stem}.IMG"', *block),
            "END_OBJECT = UNCOMPRESSED_FILE",
        ]
    entries = [f"{key} = {value}" for key, value in map_entries.items()]
    lines += ["OBJECT = IMAGE_MAP_PROJECTION", *entries, "END_OBJECT = IMAGE_MAP_PROJECTION", "END"]
    path.write_text("\r\n".join(lines) + "\r\n")
    return path


def pds3_map(rows, columns, *, radii, centre=180.0, **changed):
    """A simple cylindrical map of the whole globe, whose offsets count as GDAL has it; None leaves out."""
    a, b = (radius / 1000 for radius in radii)
    entries = {
        "MAP_PROJECTION_TYPE": '"SIMPLE CYLINDRICAL"',
        "A_AXIS_RADIUS": f"{a} <KM>",
        "B_AXIS_RADIUS": f"{a} <KM>",
        "C_AXIS_RADIUS": f"{b} <KM>",
        "CENTER_LATITUDE": 0.0,
        "CENTER_LONGITUDE": f"{centre} <DEG>",
        "MAP_SCALE": f"{2 * np.pi * a / columns} <KM/PIXEL>",
        "LINE_PROJECTION_OFFSET": rows / 2 - 0.5,
        "SAMPLE_PROJECTION_OFFSET": columns / 2 - 0.5,
    }
    return {key: value for key, value in (entries | changed).items() if value is not None}


def write_with(driver, path, values, *, radii, centre=0.0, **options):
    """Write a global equirectangular map with a format's own driver."""
    a, _ = radii
    size = 2 * np.pi * a / values.shape[1]
    with rasterio.open(
        path,
        "w",
        driver=driver,
        count=1,
        height=values.shape[0],
        width=values.shape[1],
        dtype=values.dtype,
        crs=f"+proj=eqc +R={a} +lon_0={centre} +units=m",
        transform=rasterio.Affine(size, 0, -np.pi * a, 0, -size, np.pi * a / 2),
        **options,
    ) as file:
        file.write(values, 1)
    return path
