"""Say what a run and its worker processes tell each other, as bytes and back; what is read is not trusted.

A worker is opened once, with what a stored run has as its head; after that each request has one answer.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import msgpack
import numpy as np

from exmc_actors.chain import ChainState, Started, decode, encode
from exmc_actors.runtime.protocol import Advanced
from exmc_actors.runtime.start_position import StartPosition
from exmc_actors.wire.arrays import packed, unpacked

_KEY = np.dtype("<u4")


@dataclass(frozen=True, slots=True)
class Open:
    """Compile a run's program, or load it; answered with ``Ready``."""

    head: bytes


@dataclass(frozen=True, slots=True)
class StartChains:
    """Start some chains; answered with a list of ``Started``."""

    places: Sequence[tuple[np.ndarray, StartPosition]]
    """The key of each, and where it looks for its start."""


@dataclass(frozen=True, slots=True)
class AdvanceChains:
    """Advance some chains; answered with a list of ``Advanced``."""

    chains: Sequence[tuple[ChainState, int]]
    """Where each stands, and how many transitions it makes."""


Request: TypeAlias = Open | StartChains | AdvanceChains


@dataclass(frozen=True, slots=True)
class Ready:
    """What the worker has compiled."""

    is_folded: bool
    device: str


@dataclass(frozen=True, slots=True)
class Failed:
    """The answer to a request that raised."""

    kind: str
    text: str


Answer: TypeAlias = Ready | Failed | list[Started] | list[Advanced]


def encode_request(request: Request) -> bytes:
    """Return a request as msgpack."""
    match request:
        case Open(head):
            row: list[Any] = ["open", head]
        case StartChains(places):
            rows = [[key.astype(_KEY).tobytes(), packed(at.centre), float(at.radius)] for key, at in places]
            row = ["start", rows]
        case AdvanceChains(chains):
            row = ["advance", [[encode(state), transitions] for state, transitions in chains]]
    data: bytes = msgpack.packb(row)
    return data


def decode_request(data: bytes) -> Request:
    """Return what was encoded.

    Raises:
      ValueError: the bytes are no request.
    """
    match _plain(data):
        case ["open", bytes(head)]:
            return Open(head)
        case ["start", list(rows)]:
            return StartChains([_place(row) for row in rows])
        case ["advance", list(rows)]:
            return AdvanceChains([_asked(row) for row in rows])
    raise ValueError("no request")


def encode_answer(answer: Answer) -> bytes:
    """Return an answer as msgpack."""
    match answer:
        case Ready(is_folded, device):
            row: list[Any] = ["ready", is_folded, device]
        case Failed(kind, text):
            row = ["failed", kind, text]
        case _:
            is_start = isinstance(answer[0], Started)
            row = ["started" if is_start else "advanced", [_row(one) for one in answer]]
    data: bytes = msgpack.packb(row)
    return data


def decode_answer(data: bytes) -> Answer:
    """Return what was encoded.

    Raises:
      ValueError: the bytes are no answer.
    """
    match _plain(data):
        case ["ready", bool(is_folded), str(device)]:
            return Ready(is_folded, device)
        case ["failed", str(kind), str(text)]:
            return Failed(kind, text)
        case ["started", list(rows)]:
            return [_started(row) for row in rows]
        case ["advanced", list(rows)]:
            return [_advanced(row) for row in rows]
    raise ValueError("no answer")


def _plain(data: bytes) -> Any:
    try:
        return msgpack.unpackb(data)
    except (ValueError, msgpack.UnpackException) as error:
        raise ValueError("no msgpack") from error


def _place(row: Any) -> tuple[np.ndarray, StartPosition]:
    match row:
        case [bytes(key), centre, float(radius)] if len(key) == 2 * _KEY.itemsize:
            return np.frombuffer(key, _KEY), StartPosition(unpacked(centre), radius)
    raise ValueError("no place to start from")


def _asked(row: Any) -> tuple[ChainState, int]:
    match row:
        case [bytes(state), int(transitions)]:
            return decode(state), transitions
    raise ValueError("no chain")


def _started(row: Any) -> Started:
    match row:
        case [bytes(state), bool(is_finite)]:
            return Started(decode(state), np.bool_(is_finite))  # type: ignore[arg-type]
    raise ValueError("no start")


def _row(one: Started | Advanced) -> list[Any]:
    if isinstance(one, Started):
        return [encode(one.state), bool(one.is_finite)]
    pairs = None if one.pairs is None else packed(one.pairs)
    return [encode(one.state), packed(one.values), packed(one.stats), pairs]


def _advanced(row: Any) -> Advanced:
    match row:
        case [bytes(state), values, stats, pairs]:
            learnt = None if pairs is None else unpacked(pairs)
            return Advanced(decode(state), unpacked(values), unpacked(stats), learnt)
    raise ValueError("no block")
