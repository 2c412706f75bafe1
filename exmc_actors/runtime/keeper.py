"""Write what a run commits to its journal before it is committed; the recorder's business.

Where the disk takes no more, the run pauses: it says so, tries again once in a while, and goes on as soon
as there is room.
"""

import functools
import math
from collections.abc import Callable
from typing import Any

import trio

from exmc_actors.runtime.feed import Feed
from exmc_actors.runtime.journal import BlockRecord, Journal, Record
from exmc_actors.runtime.worker import Runner

TRY_AGAIN = 1.0
"""Seconds between two attempts to write."""
_SPEED = 1e8
"""Bytes a second that are packed and written, with much to spare."""


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
        # A keeper that died while the disk took nothing ends its pause no more, and while there is one nobody
        # commits anything by which this one could find out that the disk is well again.
        feed.go_on("disk")

    async def keep(self, record: Record) -> None:
        """Return when the operating system has the record; wait for as long as it takes none."""
        if self._journal is None:
            return
        async with self._one_writes:
            write = functools.partial(self._journal.append, record)
            await self._until_taken(write, _size_of(record) / _SPEED)
            if self._sync_every is not None and trio.current_time() - self._synced >= self._sync_every:
                await self._until_taken(self._journal.sync, math.inf)
                self._synced = trio.current_time()

    async def _until_taken(self, act: Callable[[], None], seconds: float) -> None:
        """Do something with the journal, which takes so many seconds, and again until it succeeds."""
        while True:
            try:
                await self._runner(act, seconds=seconds)
            except OSError as error:
                self._feed.pause("disk", f"the journal cannot be written: {error.strerror}")
                await trio.sleep(TRY_AGAIN)
            else:
                break
        self._feed.go_on("disk")


def _size_of(record: Record) -> int:
    if not isinstance(record, BlockRecord):
        return 0
    arrays: list[Any] = [*record.block.draws.values(), *record.block.stats.values(), *record.state.metric]
    size: int = sum(array.nbytes for array in arrays)
    return size + (0 if record.pairs is None else record.pairs.nbytes)
