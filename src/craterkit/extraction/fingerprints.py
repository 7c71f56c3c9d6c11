"""What a run depends on, as values that JSON can hold and that another run can compare with its own.

Small things are written out, so that a manifest can be read; arrays, functions and tables are hashed.
A fingerprint is the same in every process, and in any order of dicts and sets.
"""

from __future__ import annotations

import dataclasses
import datetime
import dis
import functools
import hashlib
import inspect
import json
import math
import os
import re
import types
from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from enum import Enum
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from craterkit.errors import ArgumentError
from craterkit.extraction.raster_files import absolute_name, file_state, local_file, names_of_files
from craterkit.rasters.base import Raster, Window
from craterkit.rasters.gdal import GdalRaster, is_dataset
from craterkit.rasters.labelled import LabelledRaster
from craterkit.rasters.opening import is_data_array, open_raster

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from craterkit.regions import Region
    from craterkit.tables.features import Features

__all__ = [
    "HASH",
    "fingerprint_features",
    "fingerprint_function",
    "fingerprint_given",
    "fingerprint_raster",
    "fingerprint_region",
    "fingerprint_value",
]

#: Bytes that are hashed at a time.
STRIP_BYTES = 1 << 24

#: What hashes begin with.
HASH = "sha256:"

#: What may be secret in an address: user and password, and what a signature adds.
_SECRET = re.compile(r"(?<=://)[^/@]*@|\?.*")

#: Flags of code that change what it does.
_FLAGS = inspect.CO_VARARGS | inspect.CO_VARKEYWORDS | inspect.CO_GENERATOR | inspect.CO_COROUTINE

_PLAIN = (bool, int, float, complex, str, bytes, np.generic, np.ndarray)

_BUILT_IN = (
    types.BuiltinFunctionType,
    types.MethodDescriptorType,
    types.WrapperDescriptorType,
    types.MethodWrapperType,
    types.ClassMethodDescriptorType,
)


def fingerprint_raster(raster: Raster) -> dict[str, Any]:
    """What tells a raster from another one.

    Of a raster in files, names, sizes and times of the files that are on this machine; of one in
    memory, a hash of its pixels; of others what they say of themselves.
    """
    found: dict[str, Any] = {
        "kind": type(raster).__name__,
        "shape": list(raster.shape),
        "crs": fingerprint_value(raster.crs),
        "bands": fingerprint_value(raster.bands),
    }
    if isinstance(raster, GdalRaster):
        dataset = raster._dataset()
        names = names_of_files(dataset)
        files = sorted({file for name in names if (file := local_file(name)) is not None})
        found["transform"] = fingerprint_value(raster.transform)
        if hasattr(dataset, "resampling"):
            found["resampling"] = str(dataset.resampling)
        if files:
            found["name"] = absolute_name(raster.name, names)
            found["files"] = [file_state(file) for file in files]
        elif dataset.driver == "MEM" or any(name.startswith("/vsimem/") for name in names):
            found["name"] = "in memory"
            found["pixels"] = _hash_pixels(raster)
        else:
            found["name"] = _SECRET.sub("", raster.name)
            found["blocks"] = list(raster.block_shape)
    elif isinstance(raster, LabelledRaster):
        found |= _labelled(raster._array)
    else:
        found["pixels"] = _hash_pixels(raster)
    return found


def fingerprint_given(given: Any) -> dict[str, Any]:  # noqa: ANN401
    """What tells a raster from another one, given as `open_raster` takes it.

    For rasters that are arguments: a path among other values (`fingerprint_value`) is only a text.
    """
    with open_raster(given) as raster:
        return fingerprint_raster(raster)


def _hash_pixels(raster: Raster) -> str:
    digest = hashlib.sha256()
    height, width = raster.shape
    for band in raster.bands:
        step = max(STRIP_BYTES // (width * band.dtype.itemsize), 1)
        step = -(-step // raster.block_shape[0]) * raster.block_shape[0]
        for start in range(0, height, step):
            window = Window(start, min(start + step, height), 0, width)
            values = np.empty(window.shape, dtype=band.dtype)
            mask = np.full(window.shape, 255, dtype=np.uint8) if band.has_mask else None
            raster.read(band, window, values, mask)
            if mask is not None:
                values[mask == 0] = 0
                digest.update(mask.tobytes())
            digest.update(values.tobytes())
    return HASH + digest.hexdigest()


def _labelled(array: Any) -> dict[str, Any]:  # noqa: ANN401
    """What tells an `xarray.DataArray` from another one."""
    found: dict[str, Any] = {
        "name": None if array.name is None else str(array.name),
        "shape": list(array.shape),
        "dimensions": [str(name) for name in array.dims],
        "dtype": str(array.dtype),
        "attributes": _hash_json(fingerprint_value(dict(array.attrs))),
        "coordinates": {
            str(name): _hash_array(np.asarray(coordinate.values))
            for name, coordinate in array.coords.items()
            if coordinate.ndim <= 1
        },
    }
    source = array.encoding.get("source")
    if array.chunks is not None:
        found["dask"] = str(array.data.name)
    elif array.variable._in_memory or source is None:
        found["pixels"] = _hash_array(np.asarray(array.values))
        return found
    if source is not None:
        file = local_file(str(source))
        found["files"] = [file_state(file)] if file else _SECRET.sub("", str(source))
    return found


def fingerprint_features(features: Features, index: pd.Index[Any]) -> str:
    """A hash of positions, radii and the table's index."""
    places = [_hash_array(getattr(features, name)) for name in ("lon", "lat", "radius")]
    return _hash_json([*places, _hash_column(index)])


def fingerprint_region(region: Region) -> dict[str, Any]:
    """The kind of a region, and all that defines it."""
    return fingerprint_value(region)


def fingerprint_function(function: Callable[..., Any]) -> str:
    """The name of a function, and a hash of what it does.

    The hash covers its code, defaults and closure; functions of the same module, numbers, texts and
    collections that it refers to by name; and the state of a callable object. What it calls in other
    modules counts by name only.

    Raises
    ------
    ArgumentError
        If it holds something that cannot be told from another one in a later run.
    """
    return _function(function, frozenset())


def fingerprint_value(value: Any) -> Any:  # noqa: ANN401
    """A value of any kind, as JSON can hold it.

    Raises
    ------
    ArgumentError
        If it cannot be told from another one in a later run: an open socket, a generator.
    """
    return _value(value, frozenset())


def _value(value: Any, seen: frozenset[int]) -> Any:  # noqa: ANN401
    if isinstance(value, Enum):
        return f"{_name(type(value))}.{value.name}"
    if value is None or isinstance(value, bool | int | str):
        return str(value) if isinstance(value, str) else value
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else json.dumps(float(value))
    if isinstance(value, np.generic) and value.dtype.kind in "biuf" and value.dtype.itemsize <= 8:
        return _value(value.item(), seen)
    if isinstance(value, np.dtype | complex | slice | range | np.generic) or value is ...:
        return str(value)
    if isinstance(value, datetime.date | datetime.time | datetime.timedelta):
        return str(value)
    if isinstance(value, bytes | bytearray | memoryview):
        return HASH + hashlib.sha256(value).hexdigest()
    if isinstance(value, os.PathLike):
        return os.path.abspath(os.fspath(value))
    if isinstance(value, np.ndarray):
        return _hash_array(value)
    if isinstance(value, pd.Series | pd.Index | pd.api.extensions.ExtensionArray):
        return _hash_column(value)
    if isinstance(value, pd.DataFrame):
        columns = {str(name): _hash_column(column) for name, column in value.items()}
        return {"index": _hash_column(value.index), "columns": columns}
    if id(value) in seen:
        return "itself"
    return _compound(value, seen | {id(value)})


def _compound(value: Any, seen: frozenset[int]) -> Any:  # noqa: ANN401
    """A value that holds others; `seen` are those that it is in."""
    from affine import Affine

    if isinstance(value, Raster):
        return fingerprint_raster(value)
    if is_dataset(value):
        return fingerprint_given(value)
    if is_data_array(value):
        return _labelled(value)
    if isinstance(value, Affine):
        return [float(number) for number in tuple(value)[:6]]
    if hasattr(value, "to_wkt") and not isinstance(value, type):
        return value.to_wkt()
    if hasattr(value, "geom_type"):
        return _hash_array(np.array([value], dtype=object))
    if isinstance(value, Mapping):
        if all(isinstance(key, str) for key in value):
            return {str(key): _value(item, seen) for key, item in value.items()}
        pairs = [[_value(key, seen), _value(item, seen)] for key, item in value.items()]
        return sorted(pairs, key=_text)
    if isinstance(value, AbstractSet):
        return sorted((_value(item, seen) for item in value), key=_text)
    if isinstance(value, list | tuple):
        return [_value(item, seen) for item in value]
    if isinstance(value, type | types.ModuleType):
        return _name(value)
    if callable(value):
        return _function(value, seen - {id(value)})
    if dataclasses.is_dataclass(value):
        fields = {f.name: _value(getattr(value, f.name), seen) for f in dataclasses.fields(value)}
        return {"type": _name(type(value)), **fields}
    return {"type": _name(type(value)), "state": _state_of(value, seen)}


def _state_of(value: Any, seen: frozenset[int]) -> Any:  # noqa: ANN401
    """What an object would be pickled as."""
    try:
        reduced = value.__reduce_ex__(4)
    except Exception as error:
        raise ArgumentError(
            f"out: nothing tells {value!r} from another {_name(type(value))} in a later run, so that a "
            "run could not be resumed; pass a function that does not hold one"
        ) from error
    if isinstance(reduced, str):
        return reduced
    parts = [list(part) if isinstance(part, Iterator) else part for part in reduced]
    return [_value(part, seen) for part in parts]


def _name(value: Any) -> str:  # noqa: ANN401
    """Module and name of a function, class or module."""
    name = getattr(value, "__qualname__", None) or getattr(value, "__name__", type(value).__name__)
    module = getattr(value, "__module__", None)
    return f"{module}.{name}" if isinstance(module, str) else str(name)


def _function(function: Any, seen: frozenset[int]) -> str:  # noqa: ANN401
    if isinstance(function, functools.partial):
        name = f"functools.partial({_name(function.func)})"
    elif callable(function) and not hasattr(function, "__name__"):
        name = _name(type(function))
    else:
        name = _name(function)
    if id(function) in seen:
        return name
    content = _content(function, seen | {id(function)})
    return name if content is None else f"{name} {_hash_json(content)}"


def _content(function: Any, seen: frozenset[int]) -> Any:  # noqa: ANN401
    """What a function does; None if its name says that."""
    if isinstance(function, functools.partial):
        parts = (function.func, function.args, function.keywords)
        return [_value(part, seen) for part in parts]
    if isinstance(function, types.MethodType):
        owner = function.__self__
        members = _members(owner if isinstance(owner, type) else type(owner), seen)
        return [_value(function.__func__, seen), members, _value(owner, seen)]
    if isinstance(function, types.FunctionType):
        return {
            "code": _code(function.__code__),
            "defaults": _value(function.__defaults__, seen),
            "keywords": _value(function.__kwdefaults__, seen),
            "closure": [_cell(cell, seen) for cell in function.__closure__ or ()],
            "globals": {name: _global(function, name, seen) for name in _global_names(function)},
        }
    if isinstance(function, _BUILT_IN):
        owner = getattr(function, "__self__", None)
        if owner is None or isinstance(owner, types.ModuleType):
            return None
        return _value(owner, seen)
    if isinstance(function, type):
        return None
    if isinstance(function, np.ufunc) and not function.__name__.endswith("(vectorized)"):
        return None
    if hasattr(function, "__wrapped__"):
        return _value(function.__wrapped__, seen)
    return [_members(type(function), seen), _state_of(function, seen)]


def _members(kind: type, seen: frozenset[int]) -> dict[str, Any]:
    """Methods and plain values that a class and its bases define in Python."""
    found: dict[str, Any] = {}
    for base in reversed(kind.__mro__[:-1]):
        for name, member in vars(base).items():
            if isinstance(member, types.FunctionType):
                found[name] = _code(member.__code__)
            elif isinstance(member, _PLAIN) and not name.startswith("__"):
                found[name] = _value(member, seen)
    return found


def _cell(cell: Any, seen: frozenset[int]) -> Any:  # noqa: ANN401
    try:
        return _value(cell.cell_contents, seen)
    except ValueError as error:
        if isinstance(error, ArgumentError):
            raise
        return "empty"


def _global_names(function: types.FunctionType) -> list[str]:
    """Names that the code of a function looks up among the globals of its module."""
    found: set[str] = set()
    waiting = [function.__code__]
    while waiting:
        code = waiting.pop()
        waiting += [constant for constant in code.co_consts if isinstance(constant, types.CodeType)]
        for instruction in dis.get_instructions(code):
            if instruction.opname in ("LOAD_GLOBAL", "LOAD_NAME"):
                found.add(instruction.argval)
    return sorted(found & function.__globals__.keys())


def _global(function: types.FunctionType, name: str, seen: frozenset[int]) -> Any:  # noqa: ANN401
    value = function.__globals__[name]
    if isinstance(value, types.FunctionType):
        return _function(value, seen) if value.__module__ == function.__module__ else _name(value)
    if value is None or isinstance(value, (*_PLAIN, list, tuple, Mapping, AbstractSet)):
        return _value(value, seen)
    if isinstance(value, functools.partial):
        return _function(value, seen)
    return _name(value) if hasattr(value, "__name__") else _name(type(value))


def _code(code: types.CodeType) -> dict[str, Any]:
    """Compiled code, without what only says where it was written."""
    constants = [
        _code(constant) if isinstance(constant, types.CodeType) else fingerprint_value(constant)
        for constant in code.co_consts
    ]
    return {
        "code": code.co_code.hex(),
        "constants": constants,
        "names": list(code.co_names),
        "arguments": [code.co_argcount, code.co_kwonlyargcount, code.co_flags & _FLAGS],
        "handlers": code.co_exceptiontable.hex(),
    }


def _hash_json(value: Any) -> str:  # noqa: ANN401
    return HASH + hashlib.sha256(_text(value).encode()).hexdigest()


def _text(value: Any) -> str:  # noqa: ANN401
    return json.dumps(value, sort_keys=True, allow_nan=False)


def _hash_array(values: NDArray[Any]) -> str:
    if isinstance(values, np.ma.MaskedArray):
        mask = np.ma.getmaskarray(values)
        return _hash_json([_hash_array(mask), _hash_array(values.filled(0))])
    if values.dtype.kind in "OT":
        return _hash_objects(values.astype(object).ravel().tolist(), values.shape)
    native = values.astype(values.dtype.newbyteorder("="), copy=False)
    digest = hashlib.sha256(f"{native.dtype.str}{native.shape}".encode())
    rows = native.reshape(1) if native.ndim == 0 else native
    step = max(STRIP_BYTES // max(rows[:1].nbytes, 1), 1)
    for start in range(0, len(rows), step):
        digest.update(rows[start : start + step].tobytes())
    return HASH + digest.hexdigest()


def _hash_objects(values: list[Any], shape: tuple[int, ...]) -> str:
    if not all(value is None or hasattr(value, "geom_type") for value in values):
        return _hash_json([list(shape), fingerprint_value(values)])
    import shapely

    digest = hashlib.sha256(str(shape).encode())
    for geometry in shapely.to_wkb(np.array([None, *values], dtype=object)[1:], flavor="iso"):
        digest.update(b"none" if geometry is None else geometry)
    return HASH + digest.hexdigest()


def _hash_column(values: Any) -> str:  # noqa: ANN401
    """A hash of the values of a pandas object that has one dimension."""
    if getattr(values.dtype, "name", "") == "geometry":
        return _hash_array(np.asarray(values, dtype=object))
    try:
        if isinstance(values, pd.api.extensions.ExtensionArray):
            return _hash_array(pd.util.hash_array(values))
        return _hash_array(pd.util.hash_pandas_object(values, index=False).to_numpy())
    except TypeError:  # lists and other objects that have no hash
        return _hash_array(np.asarray(values, dtype=object))
