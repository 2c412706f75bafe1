"""Write what a run commits to its journal before it is committed; the recorder's business.

Where the disk takes no more, the run pauses: it says so, tries again once in a while, and goes on as soon
as there is room.
"""

import functools
import math

import trio

from exmc_actors.messages import RunPaused, RunResumed
from exmc_actors.runtime.feed import Feed
from exmc_actors.runtime.journal import BlockRecord, Journal, Record
from exmc_actors.runtime.worker import Runner

TRY_AGAIN = 1.0
"""Seconds between two attempts to write."""
_SPEED = 1e8
"""Bytes a second that are packed and written: the worst of what was seen."""


class Keeper:
    """Whoever writes to the journal of a run, if it has one."""

    def __init__(self, journal: Journal | None, sync_every: float | None, feed: Feed, runner: Runner) -> None:
        """Attach to an open journal.

        Args:
          journal: of the run; None keeps nothing.
          sync_every: seconds after which a write waits for the disk; None leaves that to the system.
          feed: is told of pauses.
          runner: writes what is large.
        """
        self._journal = journal
        self._sync_every = sync_every
        self._feed = feed
        self._runner = runner
        self._one_writes = trio.Lock()
        self._synced = trio.current_time()

    async def keep(self, record: Record) -> None:
        """Return when the operating system has the record; wait for as long as it takes none."""
        if self._journal is None:
            return
        async with self._one_writes:
            write = functools.partial(self._journal.append, record)
            while (trouble := await self._trouble_with(write, _size_of(record) / _SPEED)) is not None:
                self._pause(trouble)
                await trio.sleep(TRY_AGAIN)
            self._resume()
            await self._sync_when_due(self._journal)

    async def _trouble_with(self, write: functools.partial[None], seconds: float) -> OSError | None:
        try:
            await self._runner(write, seconds=seconds)
        except OSError as error:
            return error
        return None

    async def _sync_when_due(self, journal: Journal) -> None:
        now = trio.current_time()
        if self._sync_every is not None and now - self._synced >= self._sync_every:
            await self._runner(journal.sync, seconds=math.inf)
            self._synced = now

    def _pause(self, trouble: OSError) -> None:
        if self._feed.log.paused is None:
            self._feed.log.paused = f"the journal cannot be written: {trouble.strerror}"
            self._feed.log.messages.append(RunPaused(self._feed.log.paused))
            self._feed.wake()

    def _resume(self) -> None:
        if self._feed.log.paused is not None:
            self._feed.log.paused = None
            self._feed.log.messages.append(RunResumed())
            self._feed.wake()


def _size_of(record: Record) -> int:
    if not isinstance(record, BlockRecord):
        return 0
    columns = (*record.block.draws.values(), *record.block.stats.values())
    return sum(array.nbytes for array in columns) + (0 if record.pairs is None else record.pairs.nbytes)
