"""Make the log of a run again from its records: each chain as far as nothing is missing."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from heapq import heapify, heappop, heappush

import numpy as np

from exmc_actors.messages import STATS
from exmc_actors.runtime.journal import (
    BlockRecord,
    FailedRecord,
    Head,
    LengthRecord,
    LessonRecord,
    MakerRecord,
    Record,
    StopRecord,
)
from exmc_actors.runtime.lessons import teach_on_one_thread
from exmc_actors.runtime.log import ChainRecord, Log
from exmc_actors.warmup import Learnt


def rebuilt(head: Head, records: Iterable[Record]) -> Log:
    """Return the log that a run goes on with.

    What follows a record that is missing is left out, of that chain alone: it will be computed again, to the
    same bits.  A lesson that is missing is held again.
    """
    settings = head.settings
    found = _sorted(head, records)
    log = Log(settings)
    for lesson in settings.schedule.lessons:
        _commit_up_to(lesson, log, found)
        if lesson in found.lessons:
            log.learn(lesson, dict(found.lessons[lesson].learnt))
        elif _was_held(lesson, log, found):
            log.learn(lesson, teach_on_one_thread(settings.schedule, lesson, log.learners(lesson)))
        else:
            break
    else:
        _commit_up_to(settings.transitions, log, found)
    for chain, record in enumerate(log.chains):
        failure = found.failures.get(chain)
        if failure is not None and failure.transitions == record.transitions:
            record.failed_start = failure.is_start
            log.fail(chain, failure.reason)
        elif _was_left_behind(chain, record, log):
            log.fail(
                chain,
                "gave up; what the journal says of it is damaged" if failure is None else failure.reason,
            )
    if found.stop is not None and 0 < found.stop.draws <= settings.draws:
        log.stop_again(found.stop.draws, found.stop.reason)
    return log


@dataclass
class _Found:
    """The records of a run, by what they are about."""

    blocks: list[dict[int, BlockRecord]]
    """Of each chain, by how many transitions it had made before."""
    lessons: dict[int, LessonRecord] = field(default_factory=dict)
    failures: dict[int, FailedRecord] = field(default_factory=dict)
    """The last one of each chain."""
    stop: StopRecord | None = None
    """The last one that no longer run came after."""


def _sorted(head: Head, records: Iterable[Record]) -> _Found:
    """Return the records that can be of this run; their bytes may be anybody's."""
    found = _Found([{} for _ in range(head.settings.chains)])
    since: list[dict[int, int]] = [{} for _ in found.blocks]
    makers = 0
    for record in records:
        match record:
            case MakerRecord():
                makers += 1
            case BlockRecord() if _fits(record, head):
                chain, done = record.block.chain, record.transitions
                found.blocks[chain][done] = record
                since[chain][done] = makers
                # What another maker had computed behind it does not follow from it.
                for later in [place for place, of in since[chain].items() if place > done and of < makers]:
                    del found.blocks[chain][later], since[chain][later]
            case LessonRecord(lesson, learnt) if _fits_chains(learnt, head):
                found.lessons[lesson] = record
            case StopRecord():
                found.stop = record
            case LengthRecord():
                found.stop = None
            case FailedRecord(chain) if 0 <= chain < head.settings.chains:
                found.failures[chain] = record
    return found


def _fits(record: BlockRecord, head: Head) -> bool:
    block, settings, done = record.block, head.settings, record.transitions
    columns = [*block.draws.values(), *block.stats.values()]
    return (
        0 <= block.chain < settings.chains
        and 0 <= done < settings.transitions
        and set(block.stats) == set(STATS)
        and len({array.shape[:1] for array in columns}) == 1
        and 0 < len(block) <= settings.left_in_leg(done)
        and (block.phase, block.first) == settings.place(done)
        and int(record.state.transitions) == done + len(block)
        and np.shape(record.state.point.position) == (head.dim,)
        and (record.pairs is None or record.pairs.shape[1:] == (2, head.dim))
    )


def _fits_chains(learnt: Mapping[int, Learnt], head: Head) -> bool:
    return all(
        0 <= chain < head.settings.chains and one.metric.scale.shape == (head.dim,)
        for chain, one in learnt.items()
    )


def _commit_up_to(stop: int, log: Log, found: _Found) -> None:
    """Commit the blocks before a transition, those of all chains side by side, as they once were."""
    waiting = [(record.transitions, chain) for chain, record in enumerate(log.chains)]
    heapify(waiting)
    while waiting:
        done, chain = heappop(waiting)
        if done < stop and done in found.blocks[chain]:
            one = found.blocks[chain][done]
            log.commit(one.block, one.transitions, one.state, one.pairs)
            heappush(waiting, (log.chains[chain].transitions, chain))


def _was_held(lesson: int, log: Log, found: _Found) -> bool:
    """Whether a lesson was held whose record is missing, and all is there to hold it again."""
    has_gone_on = any(done >= lesson for blocks in found.blocks for done in blocks)
    failed_before = {chain for chain, failure in found.failures.items() if failure.transitions < lesson}
    are_there = all(
        record.transitions >= lesson or chain in failed_before for chain, record in enumerate(log.chains)
    )
    return has_gone_on and are_there


def _was_left_behind(chain: int, record: ChainRecord, log: Log) -> bool:
    """Whether a chain comes to a lesson that was held without it, as is done when a chain has given up."""
    return any(lesson >= record.transitions and chain not in learnt for lesson, learnt in log.lessons.items())
