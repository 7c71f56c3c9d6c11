"""Hashes of texts, of what JSON can hold, and of arrays of numbers."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["HASH", "STRIP_BYTES", "hash_bytes", "hash_json", "hash_numbers", "json_text"]

#: What hashes begin with.
HASH = "sha256:"

#: Bytes that are hashed at a time.
STRIP_BYTES = 1 << 24


def hash_bytes(value: bytes | bytearray | memoryview) -> str:
    """A hash of bytes."""
    return HASH + hashlib.sha256(value).hexdigest()


def json_text(value: object) -> str:
    """JSON that is the same for equal values."""
    return json.dumps(value, sort_keys=True, allow_nan=False)


def hash_json(value: object) -> str:
    """A hash of what JSON can hold."""
    return hash_bytes(json_text(value).encode())


def hash_numbers(values: NDArray[Any]) -> str:
    """A hash of an array of any dtype but objects, whatever its order in memory."""
    native = values.astype(values.dtype.newbyteorder("="), copy=False)
    digest = hashlib.sha256(f"{native.dtype.str}{native.shape}".encode())
    rows = native.reshape(1) if native.ndim == 0 else native
    step = max(STRIP_BYTES // max(rows[:1].nbytes, 1), 1)
    for start in range(0, len(rows), step):
        digest.update(rows[start : start + step].tobytes())
    return HASH + digest.hexdigest()
