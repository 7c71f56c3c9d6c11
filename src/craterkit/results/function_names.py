"""What functions and classes are called, where they come from, and which names functions look up."""

from __future__ import annotations

import dis
import functools
import sys
import types
from pathlib import PurePath
from typing import Any

__all__ = ["function_name", "global_names", "is_installed", "name_of"]


def name_of(value: Any) -> str:  # noqa: ANN401
    """Module and name of a function, class or module."""
    name = getattr(value, "__qualname__", None) or getattr(value, "__name__", type(value).__name__)
    module = getattr(value, "__module__", None)
    return f"{module}.{name}" if isinstance(module, str) else str(name)


def function_name(function: Any) -> str:  # noqa: ANN401
    """Module and name of a function, or of the class of a callable object."""
    if isinstance(function, functools.partial):
        return f"functools.partial({name_of(function.func)})"
    return name_of(function if hasattr(function, "__name__") else type(function))


@functools.cache
def is_installed(module: str | None) -> bool:
    """Whether a module is of Python or of an installed package, so that it is not edited between runs."""
    if module is None or module == "__main__":
        return False
    if module.partition(".")[0] in sys.stdlib_module_names:
        return True
    file = getattr(sys.modules.get(module), "__file__", None) or ""
    return not {"site-packages", "dist-packages"}.isdisjoint(PurePath(file).parts)


def global_names(function: types.FunctionType) -> list[str]:
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
