"""Turn arrays into plain data for msgpack and back; what is read is checked, not trusted."""

from typing import Any

import numpy as np

_TYPES = ("<f8", "<i8", "|b1")


def packed(array: np.ndarray) -> list[Any]:
    """Return type, shape and bytes."""
    values = np.ascontiguousarray(array)
    values = values.astype(values.dtype.newbyteorder("<"), copy=False)
    assert values.dtype.str in _TYPES, values.dtype
    return [values.dtype.str, list(array.shape), values.tobytes()]


def unpacked(data: Any) -> np.ndarray:
    """Return the array, read-only.

    Raises:
      ValueError: the data is anything else.
    """
    match data:
        case [str(kind), list(shape), bytes(values)] if kind in _TYPES:
            if all(type(size) is int and size >= 0 for size in shape):
                return np.frombuffer(values, kind).reshape(shape)  # raises where the size is another
    raise ValueError("no array")
