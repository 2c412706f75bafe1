"""Commit blocks and lessons to the run's log, wake the subscribers, and count each chain's crashes.

All that must survive is in the log, which a restarted recorder adopts.
"""

from collections.abc import Callable
from typing import Any

import supervision as sv
from exmc_actors.errors import ExmcError
from exmc_actors.runtime.durability import Durability
from exmc_actors.runtime.feed import Feed
from exmc_actors.runtime.journal import (
    BlockRecord,
    ChainsRecord,
    FailedRecord,
    StoppedRecord,
    StopRecord,
)
from exmc_actors.runtime.keeper import Keeper
from exmc_actors.runtime.lessons import Lessons
from exmc_actors.runtime.protocol import Commit, Ended, GiveUp, Learn, Stand, Standing, Stop, StopChain
from exmc_actors.runtime.worker import Runner

MAX_ATTEMPTS = 3
"""A chain gives up after so many crashes with no commit between, however much time lies between them."""


class Recorder(sv.Server):
    """The one writer of a run's log."""

    async def init(
        self,
        feed: Feed,
        supervisor_of: Callable[[int], sv.Ref],
        above_them: sv.Ref,
        runner: Runner,
        durability: Durability,
    ) -> None:
        """Adopt the log of the run.

        Args:
          feed: the run's feed, and through it the log.
          supervisor_of: gives the supervisor of a chain.
          above_them: the supervisor of these.
          runner: computes lessons.
          durability: where what is committed is kept before it is.
        """
        self._feed = feed
        self._log = feed.log
        self._supervisor_of = supervisor_of
        self._above_them = above_them
        self._keeper = Keeper(durability.journal, durability.sync_every, feed, runner)
        self._lessons = Lessons(feed.log, runner, self._keeper)
        self._actor: dict[sv.Monitor, int] = {}
        self._supervisor: dict[sv.Monitor, int] = {}

    async def handle_call(self, message: Stand | Commit | Learn | GiveUp | StopChain | Stop) -> Any:
        """Answer a chain; what changes the log also wakes the subscribers."""
        match message:
            case Stand(chain):
                return await self._stand(chain)
            case Learn(chain, lesson):
                self._lessons.ask(chain, lesson, self.defer())
                self._hold_lessons()
                return sv.NO_REPLY
            case Commit() if self._log.is_closed:
                self.defer()  # the run has ended for all who listen, and this chain ends with its engine
                return sv.NO_REPLY
            case Commit(block) if self._log.chains[block.chain].status != "running":
                return Ended()
            case Commit(block, transitions, state, pairs, lessons):
                if lessons is not None:
                    await self._lessons.take(lessons)
                place = await self._keeper.keep(BlockRecord(block, transitions, state, pairs))
                self._log.commit(block, transitions, state, pairs, place)
                come_to = transitions + len(block)
                if come_to in self._log.settings.schedule.lessons:
                    self._lessons.ask(block.chain, come_to, self.defer())
                    self._changed()
                    return sv.NO_REPLY
            case StopChain(chain):
                record = self._log.chains[chain]
                if record.status == "running":
                    await self._keeper.keep(StoppedRecord(chain, record.transitions))
                    self._log.stop_chain(chain)
            case Stop(draws, reason):
                if self._log.enough is None:
                    await self._keeper.keep(StopRecord(draws, reason))
                self._log.stop(draws, reason)
            case GiveUp(chain, reason, is_start):
                self._log.chains[chain].failed_start = is_start
                await self._fail(chain, reason)
                return None
        self._changed()
        return None

    async def handle_info(self, message: Any) -> None:
        """Note how a chain's actor, or its supervisor, ended."""
        match message:
            case sv.Down(monitor, _, reason) if monitor in self._actor:
                self._note_end(self._actor.pop(monitor), reason)
            case sv.Down(monitor, _, reason) if monitor in self._supervisor:
                chain = self._supervisor.pop(monitor)
                if isinstance(reason, sv.Shutdown) and isinstance(reason.detail, sv.GaveUp):
                    await self._fail(chain, str(reason.detail))
                elif not reason.is_abnormal and self._log.chains[chain].status == "running":
                    self.start_soon(self._fail_unless_it_comes_back, chain, str(reason))

    async def _fail_unless_it_comes_back(self, chain: int, reason: str) -> None:
        """Give up a chain that was stopped by itself; one that was stopped with all others begins again."""
        try:
            await self._above_them.get_state()
        except sv.ProcessExited:
            return
        # The word of its end may have waited until all were started again.
        if not self._supervisor_of(chain).is_alive:
            await self._fail(
                chain, f"ended before its last draw: {self._log.chains[chain].last_end or reason}"
            )

    async def _fail(self, chain: int, reason: str) -> None:
        if self._log.chains[chain].status == "running":
            record = self._log.chains[chain]
            await self._keeper.keep(FailedRecord(chain, record.transitions, reason, record.failed_start))
        self._log.fail(chain, reason)
        self._changed()

    def _changed(self) -> None:
        self._feed.wake()
        self._hold_lessons()

    def _hold_lessons(self) -> None:
        for task in self._lessons.due():
            self.start_soon(task)

    def _note_end(self, chain: int, reason: sv.ExitReason) -> None:
        """Only a chain's own crashes count as attempts.

        An ordered kill, a shutdown with its siblings, and the death of an actor that it was calling are
        not evidence against the chain.
        """
        record = self._log.chains[chain]
        record.last_end = _in_words(reason)
        if isinstance(reason, sv.Crash) and not isinstance(reason.error, sv.ProcessExited):
            record.crashes += 1

    async def _stand(self, chain: int) -> Standing:
        if chain == len(self._log.chains) and not await self._has_joined(chain):
            return Standing(None, 0, may_go_on=False)
        record = self._log.chains[chain]
        if self.caller is not None:
            self._actor[self.monitor(self.caller)] = chain
        if chain not in self._supervisor.values():
            self._supervisor[self.monitor(self._supervisor_of(chain))] = chain
        if record.crashes >= MAX_ATTEMPTS:
            reason = f"gave up after {record.crashes} attempts at one block: {record.last_end}"
            await self._fail(chain, reason)
        elif not record.was_stopped:
            self._log.begin(chain)
            self._changed()
        return Standing(record.state, record.transitions, record.status == "running")

    async def _has_joined(self, chain: int) -> bool:
        """Take in a chain that was not there before; not where all the others have ended."""
        if self._log.is_over:
            return False
        await self._keeper.keep(ChainsRecord(chain + 1))
        self._log.add_chain()
        return True


def _in_words(reason: sv.ExitReason) -> str:
    if isinstance(reason, sv.Crash) and isinstance(reason.error, ExmcError):
        return str(reason.error)
    return str(reason)
