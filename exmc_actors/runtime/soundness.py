"""Refuse an answer of the model server that cannot follow from what a chain asked; it computes nothing again.

What a chain commits becomes the truth, so this is the last place where a garbled answer can be stopped.
The statistics must end where the state stands, which costs a few microseconds a block, and tells all but
values that were changed by themselves.
"""

from typing import Any

import numpy as np

from exmc_actors.chain import ChainState, chain_key
from exmc_actors.compiler import Target
from exmc_actors.errors import ExmcError
from exmc_actors.messages import STATS
from exmc_actors.runtime.piecewise import are_finite
from exmc_actors.runtime.protocol import Advanced, Held
from exmc_actors.runtime.settings import Settings

_LP = STATS.index("lp")


class UnsoundAnswer(ExmcError):
    """The model server answered with something that is no answer to what the chain asked."""


def sound_start(state: ChainState, chain: int, target: Target, settings: Settings) -> ChainState:
    """Return the first state of a chain as it came.

    Raises:
      UnsoundAnswer: it is that of another chain, or none.
    """
    _check_state(
        state, chain_key(settings.random_seed, chain), 0, (target.dim,), f"the start of chain {chain}"
    )
    return state


def sound_block(
    advanced: Advanced, chain: int, before: ChainState, at_most: int, target: Target, settings: Settings
) -> Advanced:
    """Return a block as it came.

    Args:
      advanced: the answer.
      chain: who asked.
      before: the state that was sent along.
      at_most: how many transitions were asked for.
      target: says how many values a draw has.
      settings: say which lessons a whole warmup has.

    Raises:
      UnsoundAnswer: it does not follow from that state, or is cut, or not finite.
    """
    made, of = len(advanced.stats), f"a block of chain {chain}"
    size, dim = target.values_layout.size, target.dim
    if advanced.lessons is not None:
        _check_whole_warmup(made, advanced.lessons, int(before.transitions), of, settings)
    elif not 1 <= made <= at_most:
        raise UnsoundAnswer(f"{of} has {made} transitions, and 1 to {at_most} were asked for.")
    for name, array, columns in (("values", advanced.values, size), ("stats", advanced.stats, len(STATS))):
        if array.shape != (made, columns):
            raise UnsoundAnswer(f"{of} has {name} of shape {array.shape} instead of {(made, columns)}.")
    if advanced.pairs is not None and advanced.pairs.shape != (made, 2, dim):
        raise UnsoundAnswer(f"{of} has positions and gradients of shape {advanced.pairs.shape}.")
    _check_state(advanced.state, before.key, int(before.transitions) + made, (dim,), of)
    densities = advanced.stats[:, _LP]
    if not are_finite(densities) or densities[-1] != advanced.state.point.log_density:
        raise UnsoundAnswer(f"{of} has log densities that do not lead to its state.")
    return advanced


def _check_whole_warmup(made: int, lessons: Held, done: int, of: str, settings: Settings) -> None:
    """Refuse a block that goes through lessons but is no whole warmup; what they teach is not looked at."""
    if done or made != settings.tune or (*lessons,) != settings.schedule.lessons:
        raise UnsoundAnswer(
            f"{of} has {made} transitions from {done} on with the lessons {[*lessons]}: no whole warmup."
        )


def _check_state(state: ChainState, key: Any, transitions: int, shape: tuple[int, ...], of: str) -> None:
    if state.key.tolist() != key.tolist():  # of two numbers, NumPy's array_equal is mostly overhead
        raise UnsoundAnswer(f"{of} is that of another chain.")
    if int(state.transitions) != transitions:
        raise UnsoundAnswer(f"{of} leads to transition {int(state.transitions)} instead of {transitions}.")
    position = state.point.position
    if np.shape(position) != shape or not np.isfinite(position).all():
        raise UnsoundAnswer(f"{of} has a position that is not finite, or of another shape.")
