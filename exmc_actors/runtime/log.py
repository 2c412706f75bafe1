"""Keep what a run has committed: the truth that a restarted actor adopts.

A passive object that belongs to the run, above its supervision tree.  It decides nothing about restarts
and wakes nobody; the recorder does.
"""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from exmc_actors.chain import ChainState
from exmc_actors.messages import (
    ChainAdded,
    ChainFailed,
    ChainFinished,
    ChainRestarted,
    ChainStalled,
    ChainStopped,
    DrawBlock,
)
from exmc_actors.runtime.chain_record import ChainRecord
from exmc_actors.runtime.history import History
from exmc_actors.runtime.journal import BlockEntry, Place
from exmc_actors.runtime.journal.entries import Counts, counts_of
from exmc_actors.runtime.settings import Settings
from exmc_actors.runtime.window import learner
from exmc_actors.warmup import Learner, Learnt, Pairs


@dataclass
class Log:
    """The committed messages of a run in the order of their commits, and a record a chain."""

    settings: Settings
    messages: History = field(default_factory=History)
    chains: list[ChainRecord] = field(default_factory=list)
    lessons: dict[int, Mapping[int, Learnt]] = field(default_factory=dict)
    """By the transition before which it was learnt: what each chain took."""
    is_closed: bool = False
    """Nothing will be committed any more."""
    is_aborted: bool = False
    """What is there is all that is wanted."""
    is_cancelled: bool = False
    """Nothing of it is wanted."""
    enough: int | None = None
    """How many draws a chain are wanted, where that was found out on the way."""
    why_stopped: str | None = None
    """By which rule the run ended: enough was found, or its time was over."""
    is_undecided: bool = False
    """A rule has still to say how many draws are wanted, though all may be there."""
    identity: str = field(default_factory=lambda: secrets.token_hex(8))
    """Names this log, whose numbers of messages are no other's."""
    pauses: dict[str, str] = field(default_factory=dict)
    """Why no chain goes on at the moment, by whom it waits for."""

    def __post_init__(self) -> None:
        """Open a record for each chain."""
        self.chains.extend(ChainRecord() for _ in range(self.settings.chains))

    @property
    def first_chains(self) -> list[ChainRecord]:
        """Return those that the run began with, who learn from each other; the others follow them."""
        return self.chains[: self.settings.chains]

    @property
    def length(self) -> int:
        """Return how many transitions each chain is to make, warmup included."""
        return self.settings.tune + (self.settings.draws if self.enough is None else self.enough)

    @property
    def is_over(self) -> bool:
        """Say whether a reader at the end need not wait for more."""
        have_ended = all(record.status != "running" for record in self.chains)
        return self.is_closed or (have_ended and not self.is_undecided)

    @property
    def paused(self) -> str | None:
        """Return why no chain goes on at the moment; None while they do."""
        return "; ".join(self.pauses.values()) or None

    def close(self) -> None:
        """Note that nothing will be committed any more; a second time changes nothing."""
        self.is_closed = True
        for record in self.chains:
            if record.status == "running":
                record.status = "stopped"

    def stop(self, draws: int, reason: str) -> None:
        """Note that so many draws a chain are enough; a second time changes nothing.

        A chain that gave up behind them was judged with the others, and has what is wanted.
        """
        if self.enough is None:
            self.enough, self.why_stopped = draws, reason
            self.is_aborted = True
            for record in self.chains:
                if record.status == "failed" and record.transitions >= self.settings.tune + draws:
                    record.status = "stopped"
            self.close()

    def stop_again(self, draws: int, reason: str, had: Sequence[int]) -> None:
        """Note what was enough in an earlier sitting; a chain that has lost draws since makes them again.

        An added chain that was behind then stays so.

        Args:
          draws: as of ``stop``.
          reason: as of ``stop``.
          had: of each chain how many transitions it had made then, as far as that is known.
        """
        wanted = self.settings.tune + draws
        again = {
            chain
            for chain, record in enumerate(self.chains)
            if record.status == "running"
            and record.transitions < wanted
            and (chain < self.settings.chains or had[chain] >= wanted)
        }
        if not again:
            self.stop(draws, reason)
            return
        self.enough, self.why_stopped = draws, reason
        for chain, record in enumerate(self.chains):
            has_ended = record.status == "running" or record.transitions >= wanted
            if has_ended and chain not in again:  # those that gave up behind what is wanted, too
                record.status = "stopped"

    def cancel(self) -> None:
        """Note that nothing of the run is wanted; what is there can be let go of once nobody commits."""
        self.is_aborted = self.is_cancelled = True

    def discard(self) -> None:
        """Let go of what was committed, but for the counts."""
        self.messages = History()  # a new one: somebody may be reading the old one
        self.lessons = {}
        for record in self.chains:
            record.state, record.window = None, []

    def begin(self, chain: int) -> None:
        """Note that a chain begins; a second time is a restart."""
        record = self.chains[chain]
        record.stalled = None
        record.stands += 1
        if record.stands > 1 and record.status == "running":
            place = self.settings.place(record.transitions)
            reason = record.last_end or "stopped with its engine"
            self.messages.append(ChainRestarted(chain, *place, record.restarts, reason))
        record.last_end = ""

    def commit(
        self,
        block: DrawBlock,
        transitions: int,
        state: ChainState,
        pairs: Pairs | None = None,
        place: Place | None = None,
    ) -> None:
        """Take in a block with the state that follows it, and with what can be learnt from it.

        The chain's last block finishes it.
        A block that does not begin where the chain stands would lose or repeat draws; the supervision
        tree makes that impossible, and this is where it would show.

        Args:
          block: as computed.
          transitions: how many the chain had made before.
          state: that follows.
          pairs: to learn from, of a warmup block.
          place: where the block lies in the journal, if it does: then its arrays need not stay in memory.
        """
        record = self.chains[block.chain]
        assert transitions == record.transitions, (block.chain, transitions, record.transitions)
        assert (block.phase, block.first) == self.settings.place(transitions), (block.phase, block.first)
        if pairs is not None and self._may_be_asked_for(block.chain, transitions):
            record.window.append((transitions, pairs))
        if block.chain >= self.settings.chains:
            self._forget(record, transitions)
        record.state = state
        self.messages.append(block, place)
        self._count(block.chain, len(block), counts_of(block))

    def commit_again(self, entry: BlockEntry) -> None:
        """Take in a block that lies in the journal, without its arrays and without the state that follows."""
        assert entry.transitions == self.chains[entry.chain].transitions, entry
        self.messages.append_kept(entry.chain, entry.phase, entry.first, entry.length, entry.place)
        self._count(entry.chain, entry.length, entry.counts)

    def _count(self, chain: int, length: int, counts: Counts) -> None:
        record = self.chains[chain]
        record.transitions += length
        record.crashes = 0
        record.stalled = None
        record.step_size = counts.step_size
        record.steps += counts.steps
        if record.transitions <= self.settings.tune:  # no block is of both phases
            record.warmup_steps = record.steps
        record.divergences += counts.divergences
        if record.transitions == self.length:
            record.status = "finished"
            self.messages.append(ChainFinished(chain))

    def stall(self, chain: int, seconds: float) -> None:
        """Note that a chain's block takes far longer than was foretold."""
        record = self.chains[chain]
        if record.status == "running":
            record.stalled = seconds
            self.messages.append(ChainStalled(chain, *self.settings.place(record.transitions), seconds))

    def is_ready(self, lesson: int) -> bool:
        """Whether every first chain that is still running has come to a lesson."""
        return all(record.transitions >= lesson for record in self.first_chains if record.status == "running")

    def learners(self, lesson: int) -> dict[int, Learner]:
        """Return what the first chains bring to a lesson, the ones that ended before it left out."""
        return {
            chain: self.learner(chain, lesson)
            for chain, record in enumerate(self.first_chains)
            if record.transitions >= lesson and record.state is not None
        }

    def learner(self, chain: int, lesson: int) -> Learner:
        """Return what a chain that has come to a lesson would bring to it."""
        record = self.chains[chain]
        assert record.state is not None
        return learner(record.window, self.settings.schedule.window_start(lesson), record.state)

    def learn(self, lesson: int, learnt: Mapping[int, Learnt]) -> None:
        """Take in what was learnt, and let go of the draws that no later lesson is about."""
        self.lessons[lesson] = learnt
        for chain in learnt:
            self.chains[chain].crashes = 0
        for record in self.first_chains:
            self._forget(record, lesson)

    def _may_be_asked_for(self, chain: int, transitions: int) -> bool:
        """Say whether a lesson is still to come for which a chain's draws are needed."""
        is_first = chain < self.settings.chains
        lessons = self.settings.schedule.lessons
        return any(lesson > transitions and not (is_first and lesson in self.lessons) for lesson in lessons)

    def _forget(self, record: ChainRecord, transitions: int) -> None:
        """Let go of the draws that no lesson is about which comes after some transition."""
        later = self.settings.schedule.next_stop(transitions)
        start = self.settings.schedule.window_start(later)
        record.window = [entry for entry in record.window if entry[0] >= start and transitions < later]

    def abandon(self, reason: str, cause: str | None = None) -> None:
        """Note that nobody is left to go on with the chains that have not ended, wanted or not.

        Args:
          reason: why nobody is, for a chain of which nothing else is known.
          cause: what ended all chains alike, whatever is known of each; None where nothing did.
        """
        if self.is_aborted:
            self.close()
        for chain, record in enumerate(self.chains):
            self.fail(chain, f"ended before its last draw: {cause or record.last_end or reason}")

    def fail(self, chain: int, reason: str) -> None:
        """Note that a chain gave up; a second time changes nothing."""
        record = self.chains[chain]
        if record.status == "running":
            record.status = "failed"
            record.stalled = None
            record.reason = reason
            self.messages.append(ChainFailed(chain, *self.settings.place(record.transitions), reason))

    def stop_chain(self, chain: int) -> None:
        """Note that the user ended a chain that was running; lessons to come are held without it."""
        record = self.chains[chain]
        if record.status == "running":
            record.status, record.was_stopped, record.stalled = "stopped", True, None
            self.messages.append(ChainStopped(chain, *self.settings.place(record.transitions)))

    def add_chain(self) -> None:
        """Take in one more chain, which gets the next number."""
        self.chains.append(ChainRecord(status="stopped" if self.is_closed else "running"))
        self.messages.append(ChainAdded(len(self.chains) - 1))
