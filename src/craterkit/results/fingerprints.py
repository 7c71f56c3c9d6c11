"""What a run depends on, as values that JSON can hold and that another run can compare with its own.

Small things are written out, so that a manifest can be read; arrays, functions, objects and tables are
hashed. A fingerprint is the same in every process, and in any order of dicts and sets.
"""

from __future__ import annotations

import copyreg
import dataclasses
import datetime
import functools
import inspect
import json
import math
import os
import random
import types
from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from enum import Enum
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from craterkit.errors import ArgumentError
from craterkit.rasters.base import Raster
from craterkit.rasters.gdal import is_dataset
from craterkit.rasters.opening import is_data_array
from craterkit.results.function_names import (
    function_name,
    global_names,
    is_installed,
    name_of,
)
from craterkit.results.hashes import hash_bytes, hash_json, hash_numbers, json_text

if TYPE_CHECKING:
    from collections.abc import Callable

    from craterkit.regions import Region
    from craterkit.tables.features import Features

__all__ = [
    "fingerprint_features",
    "fingerprint_function",
    "fingerprint_region",
    "fingerprint_value",
]

#: Flags of code that change what it does.
_FLAGS = inspect.CO_VARARGS | inspect.CO_VARKEYWORDS | inspect.CO_GENERATOR | inspect.CO_COROUTINE

_PLAIN = (bool, int, float, complex, str, bytes, np.generic, np.ndarray)
_COLLECTIONS = (list, tuple, Mapping, AbstractSet)

_BUILT_IN = (
    types.BuiltinFunctionType,
    types.MethodDescriptorType,
    types.WrapperDescriptorType,
    types.MethodWrapperType,
    types.ClassMethodDescriptorType,
)

#: Where classes keep the functions of class methods, static methods, properties and the like.
_FUNCTIONS_OF = ("__func__", "fget", "fset", "fdel", "func", "__wrapped__")

#: Their state changes with every use.
_GENERATORS = (np.random.Generator, np.random.BitGenerator, np.random.RandomState, random.Random)

#: How many things within each other are read.
DEPTH = 80

_LEAVES = (
    *(
        type(None),
        bool,
        int,
        float,
        complex,
        str,
        bytes,
        bytearray,
        memoryview,
        np.generic,
        np.dtype,
    ),
    *(slice, range, type(...), datetime.date, datetime.time, datetime.timedelta, os.PathLike),
)


def fingerprint_features(features: Features, index: pd.Index[Any]) -> str:
    """A hash of positions, radii and the table's index."""
    places = [hash_numbers(getattr(features, name)) for name in ("lon", "lat", "radius")]
    return hash_json([*places, fingerprint_value(index)])


def fingerprint_region(region: Region) -> dict[str, Any]:
    """The kind of a region, and all that defines it."""
    found: dict[str, Any] = fingerprint_value(region)
    return found


def fingerprint_function(function: Callable[..., Any]) -> str:
    """The name of a function, and a hash of what it does.

    The hash covers its code, defaults and closure; what it refers to by name: functions and classes
    of the same module, and values of any kind; and the state of a callable object. What it calls in other
    modules counts by name only, a random generator by its kind, and a value that it refers to by name
    and that nothing tells from another one in a later run (a lock, an open file) by its type.

    Raises
    ------
    ArgumentError
        If it holds something that cannot be told from another one in a later run.
    """
    module = function.__module__ if isinstance(function, type) else None
    found: str = _Reader(module).value(function)
    return found


def fingerprint_value(value: Any) -> Any:  # noqa: ANN401
    """A value of any kind, as JSON can hold it.

    Raises
    ------
    ArgumentError
        If it cannot be told from another one in a later run: an open socket, a generator.
    """
    return _Reader().value(value)


class _Reader:
    """Reads a value and all that it refers to, each thing once."""

    def __init__(self, module: str | None = None) -> None:
        #: What has been read by identity, kept alive so that it keeps it.
        self._known: dict[int, tuple[Any, Any]] = {}
        #: What is being read.
        self._open: set[int] = set()
        #: The module of the function that is being read.
        self._module = module
        #: Whether what cannot be told from another one may count by its type.
        self._lenient = False

    def value(self, value: Any) -> Any:  # noqa: ANN401
        if isinstance(value, Enum) and not self._is_own(type(value)):
            return f"{name_of(type(value))}.{value.name}"
        if isinstance(value, _LEAVES) and not isinstance(value, Enum):
            return _leaf(value)
        if isinstance(value, type):
            return self._class(value) if self._is_own(value) else name_of(value)
        key = id(value)
        if key in self._open:
            return function_name(value) if callable(value) else "itself"
        if key not in self._known:
            self._open.add(key)
            try:
                self._known[key] = value, self._compound(value)
            finally:
                self._open.remove(key)
        return self._known[key][1]

    def _compound(self, value: Any) -> Any:  # noqa: ANN401
        try:
            if len(self._open) > DEPTH:
                raise _untold(value, "it holds too many things within each other")
            found = self._function(value) if callable(value) else self._described(value)
        except Exception:
            if not self._lenient:
                raise
            return name_of(type(value))
        kind = type(value)
        return [found, self._class(kind)] if self._is_own(kind) else found

    def _is_own(self, kind: type) -> bool:
        """Whether a class may be edited together with the function that is being read."""
        return kind.__module__ == self._module and not is_installed(self._module)

    def _described(self, value: Any) -> Any:  # noqa: ANN401
        """A value that holds others, or that is written out as no leaf is."""
        from affine import Affine

        if isinstance(value, np.ndarray):
            return self._array(value)
        if isinstance(value, pd.Series):
            return hash_json([self.value(value.index), self._column(value), str(value.name)])
        if isinstance(value, pd.Index | pd.api.extensions.ExtensionArray):
            return self._column(value)
        if isinstance(value, pd.DataFrame):
            columns = {str(name): self._column(column) for name, column in value.items()}
            return {"index": self._column(value.index), "columns": columns}
        if isinstance(value, Raster) or is_dataset(value) or is_data_array(value):
            return _raster(value)
        if isinstance(value, Affine):
            return [float(number) for number in tuple(value)[:6]]
        if hasattr(value, "to_wkt") and isinstance(text := value.to_wkt(), str):
            return text
        if hasattr(value, "geom_type"):
            return self._objects([value], ())
        if isinstance(value, Mapping):
            if all(isinstance(key, str) for key in value):
                return {str(key): self.value(value[key]) for key in sorted(value)}
            return self._unordered(value.items())
        if isinstance(value, AbstractSet):
            return self._unordered(value)
        if isinstance(value, list | tuple):
            return [self.value(item) for item in value]
        if isinstance(value, types.ModuleType):
            return name_of(value)
        if isinstance(value, _GENERATORS):
            return name_of(type(value))
        if dataclasses.is_dataclass(value):
            fields = {f.name: self.value(getattr(value, f.name)) for f in dataclasses.fields(value)}
            return {"type": name_of(type(value)), **fields}
        return f"{name_of(type(value))} {hash_json(self._state(value))}"

    def _unordered(self, values: Iterable[Any]) -> list[Any]:
        """Each value as if it were the first, so that their order does not matter."""
        found, known = [], len(self._known)
        for value in values:
            found.append(self.value(value))
            while len(self._known) > known:
                self._known.popitem()
        return sorted(found, key=json_text)

    def _state(self, value: Any) -> Any:  # noqa: ANN401
        """What an object would be pickled as."""
        try:
            reduce = copyreg.dispatch_table.get(type(value))
            reduced = value.__reduce_ex__(4) if reduce is None else reduce(value)
        except Exception as error:
            raise _untold(value, error) from error
        if isinstance(reduced, str):
            return reduced
        parts = [list(part) if isinstance(part, Iterator) else part for part in reduced[1:]]
        return [name_of(reduced[0]), *(self.value(part) for part in parts)]

    def _function(self, function: Any) -> str:  # noqa: ANN401
        """A function or callable object: its name, and a hash of what it does."""
        own = function.func if isinstance(function, functools.partial) else function
        before, self._module = self._module, getattr(own, "__module__", None)
        try:
            content = self._content(function)
        finally:
            self._module = before
        name = function_name(function)
        return name if content is None else f"{name} {hash_json(content)}"

    def _content(self, function: Any) -> Any:  # noqa: ANN401
        """What a function does; None if its name says that."""
        if isinstance(function, functools.partial):
            return [self.value(part) for part in (function.func, function.args, function.keywords)]
        if isinstance(function, types.MethodType):
            owner = function.__self__
            kind = owner if isinstance(owner, type) else type(owner)
            return [self.value(function.__func__), self._class(kind), self.value(owner)]
        if isinstance(function, types.FunctionType):
            return {
                "code": self._code(function.__code__),
                "defaults": self.value(function.__defaults__),
                "keywords": self.value(function.__kwdefaults__),
                "closure": [self._cell(cell) for cell in function.__closure__ or ()],
                "globals": {name: self._global(function, name) for name in global_names(function)},
                "attributes": self._leniently(vars(function)),
            }
        if isinstance(function, _BUILT_IN):
            owner = getattr(function, "__self__", None)
            if owner is None or isinstance(owner, types.ModuleType):
                return None
            return self.value(owner)
        if isinstance(function, np.ufunc) and not function.__name__.endswith("(vectorized)"):
            return None
        if hasattr(function, "__wrapped__") and is_installed(type(function).__module__):
            return self.value(function.__wrapped__)
        return [self._class(type(function)), self._state(function)]

    def _cell(self, cell: Any) -> Any:  # noqa: ANN401
        try:
            content = cell.cell_contents
        except ValueError:
            return "empty"
        return self.value(content)

    def _global(self, function: types.FunctionType, name: str) -> Any:  # noqa: ANN401
        value = function.__globals__[name]
        defined = isinstance(value, type | types.FunctionType) or hasattr(value, "__wrapped__")
        if defined and getattr(value, "__module__", None) != function.__module__:
            return name_of(value)
        simple = value is None or isinstance(value, (types.FunctionType, *_PLAIN, *_COLLECTIONS))
        if not simple and is_installed(function.__module__):
            return function_name(value)
        return self._leniently(value)

    def _leniently(self, value: Any) -> Any:  # noqa: ANN401
        before, self._lenient = self._lenient, True
        try:
            return self.value(value)
        finally:
            self._lenient = before

    def _class(self, kind: type) -> str:
        """The name of a class, and a hash of its methods and values and of those it inherits."""
        key = id(kind)
        if key in self._open:
            return name_of(kind)
        if key not in self._known:
            self._open.add(key)
            try:
                members = [self._members(base) for base in reversed(kind.__mro__[:-1])]
                self._known[key] = kind, f"{name_of(kind)} {hash_json(members)}"
            finally:
                self._open.remove(key)
        found: str = self._known[key][1]
        return found

    def _members(self, kind: type) -> dict[str, Any]:
        """What a class defines; what is not of its module counts by its code alone."""
        found: dict[str, Any] = {}
        installed = is_installed(kind.__module__)
        for name, member in sorted(vars(kind).items()):
            inner = [getattr(member, key, None) for key in _FUNCTIONS_OF]
            functions = [f for f in (member, *inner) if isinstance(f, types.FunctionType)]
            if functions:
                found[name] = [
                    self._code(f.__code__)
                    if installed or f.__module__ != kind.__module__
                    else self._leniently(f)
                    for f in functions
                ]
            elif not name.startswith("__") and (not installed or isinstance(member, _PLAIN)):
                found[name] = self._leniently(member)
        return found

    def _code(self, code: types.CodeType) -> dict[str, Any]:
        """Compiled code, without what only says where it was written."""
        constants = [
            self._code(constant) if isinstance(constant, types.CodeType) else self.value(constant)
            for constant in code.co_consts
        ]
        return {
            "code": code.co_code.hex(),
            "constants": constants,
            "names": list(code.co_names),
            "arguments": [code.co_argcount, code.co_kwonlyargcount, code.co_flags & _FLAGS],
            "handlers": code.co_exceptiontable.hex(),
        }

    def _array(self, values: Any) -> str:  # noqa: ANN401
        if isinstance(values, np.ma.MaskedArray):
            return hash_json(
                [hash_numbers(np.ma.getmaskarray(values)), self._array(values.filled(0))]
            )
        if values.dtype.kind in "OT":
            return self._objects(values.astype(object).ravel().tolist(), values.shape)
        return hash_numbers(values)

    def _objects(self, values: list[Any], shape: tuple[int, ...]) -> str:
        if not all(value is None or hasattr(value, "geom_type") for value in values):
            return hash_json([list(shape), [self.value(value) for value in values]])
        import shapely

        texts = shapely.to_wkb(np.array([None, *values], dtype=object)[1:], flavor="iso")
        return hash_json([list(shape), [text and hash_bytes(text) for text in texts]])

    def _column(self, values: Any) -> str:  # noqa: ANN401
        """A hash of the values of a pandas object that has one dimension."""
        if getattr(values.dtype, "name", "") == "geometry":
            return self._array(np.asarray(values, dtype=object))
        try:
            if isinstance(values, pd.api.extensions.ExtensionArray):
                return hash_numbers(pd.util.hash_array(values))
            return hash_numbers(pd.util.hash_pandas_object(values, index=False).to_numpy())
        except TypeError:  # lists and other objects that have no hash
            return self._array(np.asarray(values, dtype=object))


def _untold(value: object, why: object) -> ArgumentError:
    return ArgumentError(
        f"out: nothing tells {value!r} from another {name_of(type(value))} in a later run ({why}), so that "
        "a run could not be resumed; pass a function that does not hold one"
    )


def _leaf(value: Any) -> Any:  # noqa: ANN401
    """A value that holds no others."""
    if isinstance(value, np.generic) and value.dtype.kind in "biuf" and value.dtype.itemsize <= 8:
        value = value.item()
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else json.dumps(float(value))
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, bytes | bytearray | memoryview):
        return hash_bytes(value)
    if isinstance(value, os.PathLike):
        return os.path.abspath(os.fspath(value))
    return str(value)


def _raster(value: Any) -> dict[str, Any]:  # noqa: ANN401
    from craterkit.results import raster_fingerprints as of

    if isinstance(value, Raster):
        return of.fingerprint_raster(value)
    return of.fingerprint_given(value) if is_dataset(value) else of.fingerprint_labelled(value)
