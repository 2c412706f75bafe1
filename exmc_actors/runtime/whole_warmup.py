"""Make the warmup of all first chains in one go, lessons included, as they would make it leg by leg.

Of a small model a leg takes less time than the chains' ways to the recorder and back after it.
"""

import time
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from exmc_actors.chain import ChainState
from exmc_actors.runtime import lessons
from exmc_actors.runtime.protocol import Advanced
from exmc_actors.runtime.window import Window, learner, pairs_that_count
from exmc_actors.warmup import Learnt, Schedule, teach

Leg = Callable[[Sequence[ChainState], int], Sequence[Advanced]]
"""Given where chains stand, and how many transitions each makes, returns what came of them."""

LONGEST = 0.1
"""Seconds after which chains go on leg by leg: they were expected to need a fraction of them."""


def warm_up(leg: Leg, states: Mapping[int, ChainState], schedule: Schedule) -> dict[int, Advanced]:
    """Return the warmup of each chain with the lessons on its way, or its first leg where that takes long.

    The bits are those of chains that go leg by leg, whichever it is.  The state that a chain is left with is
    that before the last lesson, as at the end of any leg.

    Args:
      leg: makes the transitions of all chains up to a lesson.
      states: of all chains that learn from each other, before their first transition, by number.
      schedule: of the warmup.
    """
    began, done = time.perf_counter(), 0
    # By number, whoever asked first: sums over the chains are taken in this order.
    at = {chain: states[chain] for chain in sorted(states)}
    windows: dict[int, Window] = {chain: [] for chain in at}
    legs: dict[int, list[Advanced]] = {chain: [] for chain in at}
    held: dict[int, dict[int, Learnt]] = {}
    for lesson in schedule.lessons:
        made = dict(zip(at, leg([*at.values()], lesson - done), strict=True))
        if done and time.perf_counter() - began > LONGEST:
            return {chain: first for chain, (first, *_) in legs.items()}
        learners = {}
        for chain, one in made.items():
            legs[chain].append(one)
            pairs = pairs_that_count(at[chain], one)
            if pairs is not None:
                windows[chain].append((done, pairs))
            learners[chain] = learner(windows[chain], schedule.window_start(lesson), one.state)
        held[lesson] = lessons.on_one_thread(teach, schedule, lesson, learners)
        at = {chain: one.state.with_lesson(held[lesson][chain]) for chain, one in made.items()}
        done = lesson
    return {chain: _joined(parts, held) for chain, parts in legs.items()}


def _joined(legs: Sequence[Advanced], held: Mapping[int, Mapping[int, Learnt]]) -> Advanced:
    """Return a chain's legs as one block; what was to be learnt from its pairs has been."""
    values, stats = (
        np.concatenate(parts) for parts in ([leg.values for leg in legs], [leg.stats for leg in legs])
    )
    for array in (values, stats):
        array.flags.writeable = False
    return Advanced(legs[-1].state, values, stats, lessons=held)
