"""Make the warmup of all first chains in one go, lessons included, as they would make it leg by leg.

Of a small model a leg takes less time than the chains' ways to the recorder and back after it.
"""

import time
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from exmc_actors.chain import ChainState
from exmc_actors.runtime import lessons
from exmc_actors.runtime.executables import Executables
from exmc_actors.runtime.pace import CALL_SECONDS
from exmc_actors.runtime.protocol import Advanced
from exmc_actors.runtime.window import Window, learner, pairs_that_count
from exmc_actors.warmup import Learnt, Schedule, teach

Asked = Sequence[tuple[ChainState, int]]
"""Where chains stand, and how many transitions each makes."""
Advance = Callable[[Asked], Sequence[Advanced]]
"""Returns what came of them."""

LONGEST = 0.1
"""Seconds after which chains go on leg by leg: they were expected to need a fraction of them."""
WORTH_A_CALL = 1e-3
"""Seconds of one chain."""
WORTH_A_THREAD = 1e-3
"""Seconds of all chains together."""


def warm_up(advance: Advance, states: Mapping[int, ChainState], schedule: Schedule) -> dict[int, Advanced]:
    """Return the warmup of each chain with the lessons on its way, or its first leg where that takes long.

    The bits are those of chains that go leg by leg, whichever it is.  The state that a chain is left with is
    that before the last lesson, as at the end of any leg.

    Args:
      advance: makes transitions.
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
        made = dict(zip(at, advance([(state, lesson - done) for state in at.values()]), strict=True))
        if done and time.perf_counter() - began > LONGEST:
            return {chain: first for chain, (first, *_) in legs.items()}
        learners = {}
        for chain, leg in made.items():
            legs[chain].append(leg)
            pairs = pairs_that_count(at[chain], leg)
            if pairs is not None:
                windows[chain].append((done, pairs))
            learners[chain] = learner(windows[chain], schedule.window_start(lesson), leg.state)
        held[lesson] = lessons.on_one_thread(teach, schedule, lesson, learners)
        at = {chain: leg.state.with_lesson(held[lesson][chain]) for chain, leg in made.items()}
        done = lesson
    return {chain: _joined(parts, held) for chain, parts in legs.items()}


def in_calls(asked: Asked, executables: Executables, threads: int) -> list[Asked]:
    """Cut a leg of all chains into calls, for so many threads; no bit depends on it.

    A call costs as much as many transitions of a small model, and a thread that is to take part as much as a
    call.  Where a chain alone is worth a call, each has one: whoever has had a quick one takes another.
    """
    transitions = asked[0][1]
    seconds = executables.advance_pace.expect(transitions) - CALL_SECONDS
    if seconds > WORTH_A_CALL:
        size = 1
    else:
        calls = threads if seconds * len(asked) > WORTH_A_THREAD else 1
        size = min(-(-len(asked) // calls), executables.lanes, executables.capacity // transitions)
    return [asked[first : first + size] for first in range(0, len(asked), size)]


def _joined(legs: Sequence[Advanced], held: Mapping[int, Mapping[int, Learnt]]) -> Advanced:
    """Return a chain's legs as one block; what was to be learnt from its pairs has been."""
    values, stats = (
        np.concatenate(parts) for parts in ([leg.values for leg in legs], [leg.stats for leg in legs])
    )
    for array in (values, stats):
        array.flags.writeable = False
    return Advanced(legs[-1].state, values, stats, lessons=held)
