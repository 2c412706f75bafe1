"""Garble an answer of the model server in a chosen way; nothing is sent here."""

from dataclasses import replace
from typing import Any

import numpy as np

from exmc_actors.chain import ChainState
from exmc_actors.faults.kinds import Wrongness
from exmc_actors.messages import STATS
from exmc_actors.runtime.protocol import Advance, Advanced, Start
from exmc_actors.runtime.typed_stats import typed_stats


def garbled(answer: Any, asked: Start | Advance, how: Wrongness) -> Any:
    """Return an answer with something wrong in it; an answer that is no block and no start as it is."""
    if isinstance(answer, ChainState):
        return _state(answer, how)
    if not isinstance(answer, Advanced) or not isinstance(asked, Advance):
        return answer
    match how:
        case "density":
            stats = answer.stats.copy()
            stats[0, STATS.index("lp")] = np.nan
            return replace(answer, stats=stats, typed_stats=typed_stats(stats))
        case "shape":
            return replace(answer, values=answer.values[:-1])
        case "stale":
            return replace(answer, state=asked.state)
        case _:
            return replace(answer, state=_state(answer.state, how))


def _state(state: ChainState, how: Wrongness) -> ChainState:
    transitions: Any = np.int64(int(state.transitions) + 1)
    match how:
        case "chain":
            key: Any = np.asarray(state.key) + np.uint32(1)
            return state._replace(key=key)
        case "shape":
            position: Any = np.asarray(state.point.position)[:-1]
        case "stale":
            return state._replace(transitions=transitions)
        case _:
            position = np.full_like(np.asarray(state.point.position), np.nan)
    return state._replace(point=state.point._replace(position=position))
