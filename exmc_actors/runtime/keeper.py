"""Write what a run commits to its journal before it is committed; the recorder's business.

Where the disk takes no more, the run pauses: it says so, tries again once in a while, and goes on as soon
as there is room.
"""

import functools
import math
from collections.abc import Callable
from typing import Any, TypeVar

import trio

from exmc_actors.runtime.feed import Feed
from exmc_actors.runtime.journal import BlockRecord, Journal, Place, Record
from exmc_actors.runtime.worker import DISK_SPEED, Runner

T = TypeVar("T")

TRY_AGAIN = 1.0
"""Seconds between two attempts to write."""


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

    async def keep(self, record: Record) -> Place | None:
        """Return where the record lies once the operating system has it; wait for as long as it takes none.

        Without a journal it lies nowhere.
        """
        if self._journal is None:
            return None
        async with self._one_writes:
            write = functools.partial(self._journal.append, record)
            place = await self._until_taken(write, _size_of(record) / DISK_SPEED)
            if self._sync_every is not None and trio.current_time() - self._synced >= self._sync_every:
                await self._until_taken(self._journal.sync, math.inf)
                self._synced = trio.current_time()
        return place

    async def _until_taken(self, act: Callable[[], T], seconds: float) -> T:
        """Do something with the journal, which takes so many seconds, and again until it succeeds."""
        while True:
            try:
                done = await self._runner(act, seconds=seconds)
            except OSError as error:
                self._feed.pause("disk", f"the journal cannot be written: {error.strerror}")
                await trio.sleep(TRY_AGAIN)
            else:
                break
        self._feed.go_on("disk")
        return done


def _size_of(record: Record) -> int:
    if not isinstance(record, BlockRecord):
        return 0
    arrays: list[Any] = [*record.block.draws.values(), *record.block.stats.values(), *record.state.metric]
    size: int = sum(array.nbytes for array in arrays)
    return size + (0 if record.pairs is None else record.pairs.nbytes)
