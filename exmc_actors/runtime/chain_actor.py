"""Be one chain: ask for a block, commit it with the state that follows, and again.

A chain holds nothing that matters: killed anywhere and started again, it asks the recorder where it
stands and draws the same draws.  It never looks at a draw.
"""

from types import MappingProxyType
from typing import Any

import trio

import supervision as sv
from exmc_actors.compiler import Target
from exmc_actors.errors import ExmcError
from exmc_actors.messages import DrawBlock
from exmc_actors.runtime.feed import Feed
from exmc_actors.runtime.protocol import (
    Advance,
    Advanced,
    BlockFailed,
    Commit,
    Ended,
    GiveUp,
    Learn,
    Stand,
    Start,
    Unstartable,
)
from exmc_actors.runtime.settings import Settings
from exmc_actors.runtime.soundness import sound_block, sound_start
from exmc_actors.runtime.window import pairs_that_count
from exmc_actors.warmup import Learnt


class BlockError(ExmcError):
    """A block of transitions raised; the cause is attached."""


async def chain(
    number: int,
    recorder: sv.Ref,
    model_server: sv.Ref,
    feed: Feed,
    target: Target,
    settings: Settings,
    *,
    task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Go on with chain ``number`` from its last commit to its end."""
    try:
        standing = await recorder.call(Stand(number))
    except sv.ProcessExited:
        # The recorder comes again, and this chain with it; one that did not start would end the run.
        task_status.started()
        raise
    task_status.started()
    if not standing.may_go_on:
        return
    state, done = standing.state, standing.transitions
    if done in settings.schedule.lessons:
        state = _with_lesson(standing.state, await recorder.call(Learn(number, done)))
    if state is None:
        outcome = await model_server.call(Start(number))
        if isinstance(outcome, Unstartable):
            await recorder.call(GiveUp(number, outcome.reason, is_start=True))
            return
        state = sound_start(_unless_failed(outcome), number, target, settings)
    while done < settings.transitions:
        await feed.wait_for_room()
        at_most = settings.left_in_leg(done)
        outcome = _unless_failed(await model_server.call(Advance(number, state, at_most)))
        advanced = sound_block(outcome, number, state, at_most, target, settings)
        block = draw_block(number, done, advanced, target, settings)
        pairs = pairs_that_count(state, advanced)
        learnt = await recorder.call(Commit(block, done, advanced.state, pairs, advanced.lessons))
        if isinstance(learnt, Ended):
            return
        state, done = _with_lesson(advanced.state, learnt), done + len(block)


def draw_block(number: int, done: int, advanced: Advanced, target: Target, settings: Settings) -> DrawBlock:
    """Name the columns of a computed block, all read-only: every subscriber gets the same ones."""
    phase, first = settings.place(done)
    draws = target.values_layout.unflatten(advanced.values)
    assert advanced.typed_stats is not None
    stats = dict(advanced.typed_stats)
    for array in stats.values():  # views of the rows are read-only as these are
        array.flags.writeable = False
    return DrawBlock(number, phase, first, MappingProxyType(draws), MappingProxyType(stats))


def _with_lesson(state: Any, learnt: Learnt | BlockFailed | None) -> Any:
    return state if learnt is None else state.with_lesson(_unless_failed(learnt))


def _unless_failed(outcome: Any) -> Any:
    if isinstance(outcome, BlockFailed):
        raise BlockError(f"a block raised {type(outcome.error).__name__}: {outcome.error}") from outcome.error
    return outcome
