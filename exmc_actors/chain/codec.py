"""Turn a chain state into bytes and back, to the bit, and notice damage; files and frames are for others."""

import functools
import math
import zlib
from typing import Any

import jax
import msgpack
import numpy as np

from exmc_actors.chain.state import ChainState, empty_state
from exmc_actors.errors import ExmcError

FORMAT = "exmc chain state"
VERSION = 2
_LARGEST_DIM = 100_000_000


class UnreadableState(ExmcError, ValueError):
    """The bytes are not a chain state of this version."""


def encode(state: ChainState) -> bytes:
    """Return the state as msgpack: a header, the raw little-endian bytes of each leaf, and their checksum."""
    leaves = [np.asarray(leaf) for leaf in jax.tree.leaves(state)]
    dim = int(np.asarray(state.point.position).shape[0])
    expected = jax.tree.leaves(empty_state(dim))
    raw = [leaf.astype(like.dtype, copy=False).tobytes() for leaf, like in zip(leaves, expected, strict=True)]
    packed: bytes = msgpack.packb([FORMAT, VERSION, dim, raw, _checksum(raw)])
    return packed


def decode(data: bytes) -> ChainState:
    """Return the state that ``encode`` was given, as NumPy arrays.

    Raises:
      UnreadableState: the bytes are damaged, foreign, or of another version.
    """
    try:
        content = msgpack.unpackb(data)
    except (ValueError, msgpack.UnpackException) as error:
        raise UnreadableState(
            f"these {len(data)} bytes are not a chain state: they are not msgpack"
        ) from error
    match content:
        case [format_name, int(version), int(dim), list(raw), checksum] if format_name == FORMAT:
            pass
        case _:
            raise UnreadableState(f"these {len(data)} bytes are not a chain state: the header is another one")
    if version != VERSION:
        raise UnreadableState(
            f"this chain state is of version {version}; this library reads version {VERSION}"
        )
    if not 0 <= dim <= _LARGEST_DIM:
        raise UnreadableState(f"this chain state claims {dim} dimensions; 0 to {_LARGEST_DIM} are accepted")
    leaves, structure, sizes = _layout(dim)
    if [len(part) if isinstance(part, bytes) else -1 for part in raw] != sizes:
        raise UnreadableState(f"this chain state of {dim} dimensions is damaged: its arrays have other sizes")
    if checksum != _checksum(raw):
        raise UnreadableState(f"this chain state of {dim} dimensions is damaged: its checksum is another one")
    arrays = [
        np.frombuffer(part, like.dtype).reshape(like.shape) for part, like in zip(raw, leaves, strict=True)
    ]
    state: ChainState = jax.tree.unflatten(structure, arrays)
    return state


@functools.lru_cache(maxsize=8)
def _layout(dim: int) -> tuple[list[Any], Any, list[int]]:
    """Return leaves like those of a state, how they make one, and how many bytes each takes."""
    leaves, structure = jax.tree.flatten(empty_state(dim))
    return leaves, structure, [math.prod(like.shape) * like.dtype.itemsize for like in leaves]


def _checksum(raw: list[bytes]) -> int:
    return zlib.crc32(b"".join(raw))
