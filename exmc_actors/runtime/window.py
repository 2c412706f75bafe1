"""Collect what chains bring to a lesson: the positions and gradients of their last transitions that count."""

from collections.abc import Sequence

import numpy as np

from exmc_actors.chain import ChainState
from exmc_actors.messages import STATS
from exmc_actors.runtime.protocol import Advanced
from exmc_actors.warmup import Learner, Pairs

Window = list[tuple[int, Pairs]]
"""For each warmup block of a chain its first transition, and what counts of it."""

_DIVERGING = STATS.index("diverging")


def pairs_that_count(before: ChainState, advanced: Advanced) -> Pairs | None:
    """Return the positions and gradients of a warmup block that say something of the posterior.

    A transition that stayed where it was repeats a draw, and one that diverged broke off on its way.
    """
    if advanced.pairs is None:
        return None
    positions = advanced.pairs[:, 0]
    has_moved = np.empty(positions.shape, dtype=bool)
    np.not_equal(positions[0], before.point.position, out=has_moved[0])
    np.not_equal(positions[1:], positions[:-1], out=has_moved[1:])
    kept: Pairs = advanced.pairs[has_moved.any(axis=1) & (advanced.stats[:, _DIVERGING] == 0.0)]
    return kept


def learner(window: Sequence[tuple[int, Pairs]], start: int, state: ChainState) -> Learner:
    """Return what a chain brings to a lesson.

    Args:
      window: of the chain.
      start: the first transition that the lesson is about.
      state: where the chain stands.
    """
    told = [pairs for first, pairs in window if first >= start]
    pairs = np.concatenate(told) if told else np.zeros((0, 2, len(state.metric.scale)))
    return Learner(pairs, state.metric, float(state.step_size.log_average))
