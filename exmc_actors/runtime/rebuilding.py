"""Make the log of a run again from its journal: each chain as far as nothing is missing.

Arrays are read of few blocks only: the last of each chain, and those that a lesson is about.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from heapq import heapify, heappop, heappush

from exmc_actors.runtime.chain_record import ChainRecord
from exmc_actors.runtime.history import History
from exmc_actors.runtime.journal import (
    MOST_ADDED,
    BlockEntry,
    ChainsRecord,
    Entry,
    FailedRecord,
    Head,
    LengthRecord,
    LessonRecord,
    MakerRecord,
    Shelf,
    StoppedRecord,
    StopRecord,
)
from exmc_actors.runtime.lessons import on_one_thread
from exmc_actors.runtime.log import Log
from exmc_actors.warmup import Learnt, teach


def rebuilt(head: Head, records: Iterable[Entry], shelf: Shelf) -> Log:
    """Return the log that a run goes on with.

    What follows a record that is missing is left out, of that chain alone: it will be computed again, to the
    same bits.  A lesson that is missing is held again.

    Args:
      head: of the run.
      records: of its journal.
      shelf: where the blocks lie.

    Raises:
      StoreError: a block that was there when the journal was read no longer is.
    """
    settings, records = head.settings, tuple(records)
    chains = number_of_chains(head, records)
    found = _sorted(head, chains, records)
    log = Log(settings, History(shelf))
    for _ in range(chains - settings.chains):
        log.add_chain()
    for lesson in settings.schedule.lessons:
        _commit_up_to(lesson, log, found)
        if lesson in found.lessons:
            log.learn(lesson, dict(found.lessons[lesson].learnt))
        elif _was_held(lesson, log, found):
            _read_back(lesson, log, found, shelf)
            log.learn(lesson, on_one_thread(teach, settings.schedule, lesson, log.learners(lesson)))
        else:
            break
    else:
        _commit_up_to(settings.transitions, log, found)
    _read_back(
        next((one for one in settings.schedule.lessons if one not in log.lessons), None), log, found, shelf
    )
    for chain, record in enumerate(log.chains):
        failure, stopped = found.failures.get(chain), found.stopped.get(chain)
        was_left_behind = _was_left_behind(chain, record, log)
        # Blocks of its warmup that are missing are made again: what the others learnt may need them.
        if stopped is not None and (
            was_left_behind or record.transitions >= min(stopped.transitions, settings.tune)
        ):
            log.stop_chain(chain)
        elif failure is not None and failure.transitions == record.transitions:
            record.failed_start = failure.is_start
            log.fail(chain, failure.reason)
        elif was_left_behind:
            log.fail(
                chain,
                "gave up; what the journal says of it is damaged" if failure is None else failure.reason,
            )
    if found.stop is not None and 0 < found.stop.draws <= settings.draws:
        log.stop_again(found.stop.draws, found.stop.reason, found.furthest())
    return log


def number_of_chains(head: Head, records: Iterable[Entry]) -> int:
    """Return how many chains there are, with those that were added."""
    number, most = head.settings.chains, head.settings.chains + MOST_ADDED
    for record in records:
        match record:
            case ChainsRecord(chains) if chains <= most:
                number = max(number, chains)
            case BlockEntry(chain=chain) if chain < most:  # what said that there are so many may be damaged
                number = max(number, chain + 1)
    return number


@dataclass
class _Found:
    """The records of a run, by what they are about."""

    blocks: list[dict[int, BlockEntry]]
    """Of each chain, by how many transitions it had made before."""
    taken: list[list[BlockEntry]]
    """Of each chain, those that the log has: one follows from the other."""
    lessons: dict[int, LessonRecord] = field(default_factory=dict)
    failures: dict[int, FailedRecord] = field(default_factory=dict)
    """The last one of each chain."""
    stopped: dict[int, StoppedRecord] = field(default_factory=dict)
    stop: StopRecord | None = None
    """The last one that no longer run came after."""

    def furthest(self) -> list[int]:
        """Return how many transitions each chain had made; there may be holes before."""
        return [max((at + one.length for at, one in blocks.items()), default=0) for blocks in self.blocks]


def _sorted(head: Head, number: int, records: Iterable[Entry]) -> _Found:
    """Return the records that can be of this run; their bytes may be anybody's."""
    chains = range(number)
    found = _Found([{} for _ in chains], [[] for _ in chains])
    since: list[dict[int, int]] = [{} for _ in chains]
    makers, stale = (
        0,
        [-1 for _ in chains],
    )  # of each chain, its furthest block that an earlier maker computed
    for record in records:
        match record:
            case MakerRecord():
                makers += 1
                stale = [max(blocks, default=-1) for blocks in found.blocks]
            case BlockEntry(chain=chain, transitions=done) if fits(record, head, number):
                found.blocks[chain][done] = record
                since[chain][done] = makers
                if stale[chain] > done:
                    # What another maker had computed behind it does not follow from it.
                    for later in [at for at, of in since[chain].items() if at > done and of < makers]:
                        del found.blocks[chain][later], since[chain][later]
                    stale[chain] = done
            case LessonRecord(lesson, learnt) if _fits_chains(learnt, head):
                found.lessons[lesson] = record
            case StoppedRecord(chain) if chain in chains:
                found.stopped[chain] = record
            case StopRecord():
                found.stop = record
            case LengthRecord():
                found.stop = None
            case FailedRecord(chain) if chain in chains:
                found.failures[chain] = record
    return found


def fits(entry: BlockEntry, head: Head, chains: int) -> bool:
    """Whether a block can be of a run with so many chains; its bytes may be anybody's."""
    settings, done = head.settings, entry.transitions
    # Of a run of before only the lessons are unknown: no block goes from the warmup into what follows.
    left = settings.left_in_leg if head.has_our_lessons else settings.left_in_phase
    return (
        0 <= entry.chain < chains
        and 0 <= done < settings.transitions
        and entry.dim == head.dim
        and entry.length <= left(done)
        and (entry.phase, entry.first) == settings.place(done)
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
            log.commit_again(found.blocks[chain][done])
            found.taken[chain].append(found.blocks[chain][done])
            heappush(waiting, (log.chains[chain].transitions, chain))


def _read_back(lesson: int | None, log: Log, found: _Found, shelf: Shelf) -> None:
    """Read the state of each chain where it stands, and what it needs for the lesson that is to come."""
    schedule = log.settings.schedule
    for chain, record in enumerate(log.chains):
        if chain >= log.settings.chains:  # it comes to lessons that others have held
            lesson = next((one for one in schedule.lessons if one >= record.transitions), None)
        start = None if lesson is None else schedule.window_start(lesson)
        record.window = []
        for entry in found.taken[chain]:
            if start is not None and entry.transitions >= start:
                pairs = shelf.record(entry.place).pairs
                if pairs is not None:
                    record.window.append((entry.transitions, pairs))
        if found.taken[chain]:
            record.state = shelf.record(found.taken[chain][-1].place).state


def _was_held(lesson: int, log: Log, found: _Found) -> bool:
    """Whether a lesson was held whose record is missing, and all is there to hold it again."""
    has_gone_on = any(done >= lesson for blocks in found.blocks for done in blocks)
    ends: list[FailedRecord | StoppedRecord] = [*found.failures.values(), *found.stopped.values()]
    ended_before = {end.chain for end in ends if end.transitions < lesson}
    are_there = all(
        record.transitions >= lesson or chain in ended_before for chain, record in enumerate(log.first_chains)
    )
    return has_gone_on and are_there


def _was_left_behind(chain: int, record: ChainRecord, log: Log) -> bool:
    """Whether a first chain comes to a lesson that was held without it, as is done when one has ended."""
    return chain < log.settings.chains and any(
        lesson >= record.transitions and chain not in learnt for lesson, learnt in log.lessons.items()
    )
