"""Say what a journal holds, record by record, and turn each into bytes and back; files are for others.

A record is one commit, whole: a block with the state that follows it, what was learnt together, a chain that
gave up or was stopped, more chains, a longer run, or what computes.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, TypeAlias

import msgpack
import numpy as np

from exmc_actors.chain import ChainState, decode, encode
from exmc_actors.kernel import Metric
from exmc_actors.messages import DrawBlock
from exmc_actors.warmup import Learnt, Pairs
from exmc_actors.wire.arrays import packed, unpacked


@dataclass(frozen=True, slots=True)
class BlockRecord:
    """A committed block."""

    block: DrawBlock
    transitions: int
    """How many the chain had made before it."""
    state: ChainState
    pairs: Pairs | None


@dataclass(frozen=True, slots=True)
class LessonRecord:
    """What each chain took from a lesson."""

    lesson: int
    learnt: Mapping[int, Learnt]


@dataclass(frozen=True, slots=True)
class FailedRecord:
    """A chain that gave up."""

    chain: int
    transitions: int
    """How many it had made."""
    reason: str
    is_start: bool


@dataclass(frozen=True, slots=True)
class StoppedRecord:
    """A chain that the user ended."""

    chain: int
    transitions: int
    """How many it had made."""


@dataclass(frozen=True, slots=True)
class ChainsRecord:
    """How many chains there are from now on, those included that the run began with."""

    chains: int


@dataclass(frozen=True, slots=True)
class LengthRecord:
    """How many draws a chain is to have, from now on."""

    draws: int


@dataclass(frozen=True, slots=True)
class StopRecord:
    """So many draws a chain were found to be enough, and why; until a longer run is asked for."""

    draws: int
    reason: str


@dataclass(frozen=True, slots=True)
class MakerRecord:
    """What computes from now on, as far as it decides the last bits of a draw."""

    maker: Mapping[str, str]


Record: TypeAlias = (
    BlockRecord
    | LessonRecord
    | FailedRecord
    | StoppedRecord
    | ChainsRecord
    | LengthRecord
    | StopRecord
    | MakerRecord
)


def encode_record(record: Record) -> bytes:
    """Return the record as msgpack."""
    match record:
        case BlockRecord(block, transitions, state, pairs):
            columns = [
                {name: packed(array) for name, array in part.items()} for part in (block.draws, block.stats)
            ]
            places = [block.chain, block.phase, block.first, transitions]
            row: list[Any] = [
                "block",
                *places,
                *columns,
                encode(state),
                None if pairs is None else packed(pairs),
            ]
        case LessonRecord(lesson, learnt):
            metrics, numbers = _metrics_of(learnt)
            taken = [[chain, numbers[chain], one.log_step_size] for chain, one in learnt.items()]
            row = ["lesson", lesson, metrics, taken]
        case FailedRecord(chain, transitions, reason, is_start):
            row = ["failed", chain, transitions, reason, is_start]
        case StoppedRecord(chain, transitions):
            row = ["stopped", chain, transitions]
        case ChainsRecord(chains):
            row = ["chains", chains]
        case LengthRecord(draws):
            row = ["length", draws]
        case StopRecord(draws, reason):
            row = ["stop", draws, reason]
        case MakerRecord(maker):
            row = ["maker", dict(maker)]
    data: bytes = msgpack.packb(row)
    return data


def decode_record(data: bytes) -> Record:
    """Return what was encoded.

    Raises:
      ValueError: the bytes are no record.
    """
    row = _unpacked(data)
    match row:
        case ["block", *_, int(done), dict(), dict(), bytes(state), pairs]:
            return BlockRecord(_block(row), done, decode(state), None if pairs is None else unpacked(pairs))
        case ["lesson", int(lesson), list(metrics), list(taken)]:
            return LessonRecord(lesson, _learnt([_metric(one) for one in metrics], taken))
        case ["failed", int(chain), int(transitions), str(reason), bool(is_start)]:
            return FailedRecord(chain, transitions, reason, is_start)
        case ["stopped", int(chain), int(transitions)]:
            return StoppedRecord(chain, transitions)
        case ["chains", int(chains)]:
            return ChainsRecord(chains)
        case ["length", int(draws)]:
            return LengthRecord(draws)
        case ["stop", int(draws), str(reason)]:
            return StopRecord(draws, reason)
        case ["maker", dict(maker)]:
            return MakerRecord({str(name): str(value) for name, value in maker.items()})
    raise ValueError("no record")


def decode_block(data: bytes) -> DrawBlock:
    """Return the block of an encoded ``BlockRecord``, without the state that follows.

    Raises:
      ValueError: the bytes are no such record.
    """
    return _block(_unpacked(data))


def _unpacked(data: bytes) -> Any:
    try:
        return msgpack.unpackb(data)
    except (ValueError, msgpack.UnpackException) as error:
        raise ValueError("no msgpack") from error


def _block(row: Any) -> DrawBlock:
    match row:
        case ["block", int(chain), "warmup" | "sample" as phase, int(first), _, dict(draws), dict(stats), *_]:
            return DrawBlock(chain, phase, first, _columns(draws), _columns(stats))
    raise ValueError("no block")


def _columns(data: Mapping[Any, Any]) -> Mapping[str, np.ndarray]:
    return MappingProxyType({str(name): unpacked(array) for name, array in data.items()})


def _metrics_of(learnt: Mapping[int, Learnt]) -> tuple[list[Any], dict[int, int]]:
    """Return the metrics that differ, and which one each chain has: as a rule all have the same object."""
    found: dict[int, int] = {}
    rows: list[Any] = []
    for one in learnt.values():
        if id(one.metric) not in found:
            found[id(one.metric)] = len(rows)
            rows.append([packed(np.asarray(leaf)) for leaf in one.metric])
    return rows, {chain: found[id(one.metric)] for chain, one in learnt.items()}


def _metric(data: Any) -> Metric:
    if not isinstance(data, list) or len(data) != len(Metric._fields):
        raise ValueError("no metric")
    leaves: list[Any] = [unpacked(leaf) for leaf in data]
    return Metric(*leaves)


def _learnt(metrics: list[Metric], taken: list[Any]) -> dict[int, Learnt]:
    learnt = {}
    for one in taken:
        match one:
            case [int(chain), int(number), None | float() as step_size] if 0 <= number < len(metrics):
                learnt[chain] = Learnt(metrics[number], step_size)
            case _:
                raise ValueError("no lesson")
    return learnt
