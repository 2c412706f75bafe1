"""Turn a run's messages into plain data for msgpack and back; what is read is checked, not trusted."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import numpy as np

from exmc_actors.messages import (
    STATS,
    ChainAdded,
    ChainFailed,
    ChainFinished,
    ChainRestarted,
    ChainStalled,
    ChainStopped,
    DrawBlock,
    Message,
    RunPaused,
    RunResumed,
)
from exmc_actors.wire.arrays import packed, unpacked


def row_of(message: Message) -> list[Any]:
    """Return a message as plain data."""
    match message:
        case DrawBlock(chain, phase, first, draws, stats):
            return ["block", chain, phase, first, _packed(draws), _packed(stats)]
        case ChainRestarted(chain, phase, first, restarts, reason):
            return ["restarted", chain, phase, first, restarts, reason]
        case ChainFinished(chain):
            return ["finished", chain]
        case ChainFailed(chain, phase, first, reason):
            return ["failed", chain, phase, first, reason]
        case ChainAdded(chain):
            return ["added", chain]
        case ChainStopped(chain, phase, first):
            return ["stopped", chain, phase, first]
        case ChainStalled(chain, phase, first, seconds):
            return ["stalled", chain, phase, first, float(seconds)]
        case RunPaused(reason):
            return ["paused", reason]
        case RunResumed():
            return ["resumed"]


def message_of(row: Any) -> Message:
    """Return the message of a row.

    Raises:
      ValueError: there is none in it.
    """
    match row:
        case [str(), int(chain), "warmup" | "sample", int(first), *_] if not is_count(chain, first):
            pass
        case ["block", int(chain), "warmup" | "sample" as phase, int(first), dict(draws), dict(stats)]:
            return _checked(DrawBlock(chain, phase, first, _unpacked(draws), _unpacked(stats)))
        case ["restarted", int(chain), "warmup" | "sample" as phase, int(first), restarts, str(reason)] if (
            is_count(restarts)
        ):
            return ChainRestarted(chain, phase, first, restarts, reason)
        case ["finished", int(chain)] if is_count(chain):
            return ChainFinished(chain)
        case ["failed", int(chain), "warmup" | "sample" as phase, int(first), str(reason)]:
            return ChainFailed(chain, phase, first, reason)
        case ["added", int(chain)] if is_count(chain):
            return ChainAdded(chain)
        case ["stopped", int(chain), "warmup" | "sample" as phase, int(first)]:
            return ChainStopped(chain, phase, first)
        case ["stalled", int(chain), "warmup" | "sample" as phase, int(first), float(seconds)]:
            return ChainStalled(chain, phase, first, seconds)
        case ["paused", str(reason)]:
            return RunPaused(reason)
        case ["resumed"]:
            return RunResumed()
    raise ValueError("no message")


def is_count(*values: Any) -> bool:
    """Whether all of some values are integers from 0 on."""
    return all(type(value) is int and value >= 0 for value in values)


def _checked(block: DrawBlock) -> DrawBlock:
    """Return a block whose columns are of the same draws."""
    columns = [*block.draws.values(), *block.stats.values()]
    if set(block.stats) != set(STATS) or len({array.shape[:1] for array in columns}) != 1:
        raise ValueError("no block")
    if any(array.ndim != 1 for array in block.stats.values()):
        raise ValueError("no block")
    return block


def _packed(columns: Mapping[str, np.ndarray]) -> dict[str, Any]:
    return {name: packed(array) for name, array in columns.items()}


def _unpacked(columns: Mapping[Any, Any]) -> Mapping[str, np.ndarray]:
    if not all(isinstance(name, str) for name in columns):
        raise ValueError("no columns")
    return MappingProxyType({name: unpacked(array) for name, array in columns.items()})
