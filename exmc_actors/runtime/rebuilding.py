"""Make the log of a run again from its records: each chain as far as nothing is missing."""

from collections.abc import Iterable

import numpy as np

from exmc_actors.messages import STATS
from exmc_actors.runtime.journal import BlockRecord, FailedRecord, Head, LessonRecord, Record
from exmc_actors.runtime.lessons import teach_on_one_thread
from exmc_actors.runtime.log import Log

Blocks = dict[int, dict[int, BlockRecord]]
"""By chain, and by how many transitions it had made before."""


def rebuilt(head: Head, records: Iterable[Record]) -> Log:
    """Return the log that a run goes on with.

    What follows a record that is missing is left out, of that chain alone: it will be computed again, to the
    same bits.  A lesson that is missing is held again.
    """
    settings = head.settings
    blocks: Blocks = {chain: {} for chain in range(settings.chains)}
    lessons: dict[int, LessonRecord] = {}
    failures: dict[int, FailedRecord] = {}
    for record in records:
        match record:
            case BlockRecord() if _fits(record, head):
                blocks[record.block.chain][record.transitions] = record
            case LessonRecord(lesson):
                lessons[lesson] = record
            case FailedRecord(chain) if chain in blocks:
                failures[chain] = record
    log = Log(settings)
    for lesson in settings.schedule.lessons:
        _commit_up_to(lesson, log, blocks)
        if lesson in lessons:
            log.learn(lesson, dict(lessons[lesson].learnt))
        elif _was_held(lesson, log, blocks, failures):
            log.learn(lesson, teach_on_one_thread(settings.schedule, lesson, log.learners(lesson)))
        else:
            break
    else:
        _commit_up_to(settings.transitions, log, blocks)
    for chain, failure in failures.items():
        if not any(done >= log.chains[chain].transitions for done in blocks[chain]):
            log.chains[chain].failed_start = failure.is_start
            log.fail(chain, failure.reason)
    return log


def _fits(record: BlockRecord, head: Head) -> bool:
    """Whether a record can be of this run; its bytes may be anybody's."""
    block, settings, done = record.block, head.settings, record.transitions
    columns = [*block.draws.values(), *block.stats.values()]
    return (
        0 <= block.chain < settings.chains
        and 0 <= done < settings.transitions
        and set(block.stats) == set(STATS)
        and len({array.shape[:1] for array in columns}) == 1
        and 0 < len(block) <= settings.left_in_leg(done)
        and (block.phase, block.first) == settings.place(done)
        and np.shape(record.state.point.position) == (head.dim,)
        and (record.pairs is None or record.pairs.shape[1:] == (2, head.dim))
    )


def _commit_up_to(stop: int, log: Log, blocks: Blocks) -> None:
    for record, found in zip(log.chains, blocks.values(), strict=True):
        while record.transitions < stop and record.transitions in found:
            one = found[record.transitions]
            log.commit(one.block, one.transitions, one.state, one.pairs)


def _was_held(lesson: int, log: Log, blocks: Blocks, failures: dict[int, FailedRecord]) -> bool:
    """Whether a lesson was held whose record is missing, and all is there to hold it again."""
    has_gone_on = any(done >= lesson for found in blocks.values() for done in found)
    are_there = all(
        record.transitions >= lesson or chain in failures for chain, record in enumerate(log.chains)
    )
    return has_gone_on and are_there
