"""Wake the subscribers of a log and hold back chains for those who ask to lose nothing.

The log is the truth and the feed only wakes: a subscription is a cursor into the log, so a message is
seen once and in order whatever restarts in between, and joining late is starting at an older cursor.
"""

import functools
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager

import trio

from exmc_actors.arguments import boolean, integer
from exmc_actors.errors import SettingsError, StoreError
from exmc_actors.messages import (
    DROP_OLDEST,
    LATEST,
    WAIT,
    Message,
    Overflow,
    RunPaused,
    RunResumed,
    SubscriptionStatistics,
)
from exmc_actors.runtime.choice import Choice, chosen
from exmc_actors.runtime.log import Log
from exmc_actors.runtime.unread import Unread
from exmc_actors.runtime.worker import DISK_SPEED, Runner, in_thread

DEFAULT_CAPACITY = 64


class Subscription(AsyncIterator[Message]):
    """One subscriber's cursor; iterate over it.  Iteration ends with the run."""

    def __init__(self, feed: "Feed", overflow: Overflow, capacity: int, cursor: int, choice: Choice) -> None:
        """Only ``Feed.subscribe`` makes these."""
        self._feed = feed
        self._overflow = overflow
        self._capacity = capacity
        self._choice = choice
        self._unread = Unread(feed.log, choice, cursor)
        self._delivered = 0
        self.dropped = 0
        """Messages that were skipped because the subscriber fell behind."""

    @property
    def number(self) -> int:
        """Return a number in the log: from the message of this number on, it has read and skipped nothing."""
        return self._unread.number

    async def __anext__(self) -> Message:
        """Return the next message, waiting for one to be committed.

        Raises:
          StoreError: the next message lies in the store, and can no longer be read; the one behind it can.
        """
        await trio.lowlevel.checkpoint()
        while True:
            self._skip_to_capacity()
            at = self._unread.first()
            if at is not None:
                message = await self._message(at)
                if self._unread.first() == at:  # nobody else has read it meanwhile, and it was not skipped
                    return self._delivered_now(message)
            elif self._feed.log.is_over:
                raise StopAsyncIteration
            else:
                await self._feed.committed.park()

    def take(self) -> Message | None:
        """Return the next message of a run that is over; None where none is unread.

        Raises:
          StoreError: as iteration does.
        """
        self._skip_to_capacity()
        at = self._unread.first()
        if at is None:
            return None
        try:
            return self._delivered_now(self._feed.log.messages[at])
        except StoreError:
            self._go_on()
            raise

    async def _message(self, at: int) -> Message:
        """Return a message, from the journal where it is not in memory."""
        messages = self._feed.log.messages
        message = messages.in_memory(at)
        if message is not None:
            return message
        read = functools.partial(messages.__getitem__, at)
        try:
            return await self._feed.runner(read, seconds=messages.position(at).frame / DISK_SPEED)
        except StoreError:
            if self._feed.log.is_cancelled:
                raise StopAsyncIteration from None
            if self._unread.first() == at:  # who bears that goes on behind it, and holds nobody back
                self._go_on()
            raise

    def _delivered_now(self, message: Message) -> Message:
        self._go_on()
        self._delivered += 1
        return self._choice.seen(message)

    def _go_on(self) -> None:
        self._unread.pass_first()
        self._feed.read.unpark_all()

    def statistics(self) -> SubscriptionStatistics:
        """Return how this subscriber keeps up."""
        self._skip_to_capacity()
        return SubscriptionStatistics(
            self._overflow, self._capacity, len(self._unread), self._delivered, self.dropped
        )

    @property
    def holds_back(self) -> bool:
        """Say whether the chains must wait for this subscriber to read on."""
        return self._overflow is WAIT and len(self._unread) >= self._capacity

    def _skip_to_capacity(self) -> None:
        if self._overflow is not WAIT:
            self.dropped += self._unread.skip_to(self._capacity)


class Feed:
    """All subscriptions of a run."""

    def __init__(self, log: Log, names: Sequence[str] = (), runner: Runner = in_thread) -> None:
        """Attach to a log; the recorder calls ``wake`` after each commit.

        Args:
          log: of the run.
          names: of the variables that its draws have.
          runner: reads old blocks from the journal.
        """
        self.log = log
        self._names = names
        self.runner = runner
        self.committed = trio.lowlevel.ParkingLot()
        self.read = trio.lowlevel.ParkingLot()
        self.ended: float | None = None
        """When the log was over, by trio's clock."""
        self._over = trio.lowlevel.ParkingLot()
        self._is_left = False
        self._subscriptions: list[Subscription] = []

    @asynccontextmanager
    async def subscribe(
        self,
        *,
        overflow: Overflow = DROP_OLDEST,
        capacity: int = DEFAULT_CAPACITY,
        from_start: bool = False,
        number: int | None = None,
        chains: int | Iterable[int] | None = None,
        var_names: str | Sequence[str] | None = None,
        thin: int = 1,
    ) -> AsyncIterator[Subscription]:
        """Open a subscription at the end of the log, or at its start.

        Args:
          overflow: what happens when ``capacity`` messages are unread.
          capacity: how many unread messages the subscriber may have, at least 1.
          from_start: replay what is already committed first.
          number: begin with the message of this number in the log, from 0 on, wherever that is.
          chains: numbers of the chains to hear of; None means all.
          var_names: variables that blocks are to have; None means all.
          thin: one draw of so many.

        Raises:
          SettingsError: an argument is none of its kind, or names no chain or variable of the run.
        """
        if not isinstance(overflow, Overflow):
            raise SettingsError(
                f"overflow must be exmc_actors.WAIT, DROP_OLDEST or LATEST, got {overflow!r}."
            )
        capacity = integer("capacity", capacity, least=1, example=64)
        committed = len(self.log.messages)
        if number is not None and not 0 <= number <= committed:
            raise SettingsError(f"this run has {committed} messages so far: number={number} is none of them.")
        choice = chosen(chains, var_names, thin, of=len(self.log.chains), known=self._names)
        is_replayed = boolean("from_start", from_start)
        cursor = number if number is not None else 0 if is_replayed else committed
        room = 1 if overflow is LATEST else capacity
        subscription = Subscription(self, overflow, room, cursor, choice)
        self._subscriptions.append(subscription)
        try:
            yield subscription
        finally:
            self._subscriptions.remove(subscription)
            self.read.unpark_all()

    def wake(self) -> None:
        """Wake every subscriber; what there is to see is in the log."""
        if self.log.is_over:
            self.ended = trio.current_time() if self.ended is None else self.ended
            self._over.unpark_all()
        self.committed.unpark_all()

    async def wait_over(self) -> None:
        """Wait until nothing will be committed any more."""
        await trio.lowlevel.checkpoint()
        while not self.log.is_over:
            await self._over.park()

    def hold_for_good(self) -> None:
        """Let no chain begin another block, ever: the run is left, and parts of its tree have yet to stop."""
        self._is_left = True

    def close(self) -> None:
        """End every subscription once it has read what is committed."""
        self.log.close()
        self.wake()
        self.read.unpark_all()

    def pause(self, whom: str, reason: str) -> None:
        """Let the chains wait for somebody before their next block; asked again, nothing changes."""
        if whom not in self.log.pauses:
            self.log.pauses[whom] = reason
            self._tell_of_pauses()

    def go_on(self, whom: str) -> None:
        """Let the chains wait no longer for somebody."""
        if self.log.pauses.pop(whom, None) is not None:
            self._tell_of_pauses()
            self.read.unpark_all()

    def stall(self, chain: int, seconds: float) -> None:
        """Tell that a chain's block takes far longer than was foretold."""
        self.log.stall(chain, seconds)
        self.wake()

    def _tell_of_pauses(self) -> None:
        if self.log.is_over:  # those who have read it all are gone
            return
        self.log.messages.append(RunPaused(self.log.paused) if self.log.paused else RunResumed())
        self.wake()

    async def wait_for_room(self) -> None:
        """Return as soon as nobody holds the chains back: never, once the run is left.

        No checkpoint where nobody does.
        """
        while self._chains_must_wait():
            await self.read.park()

    def _chains_must_wait(self) -> bool:
        held_back = any(subscription.holds_back for subscription in self._subscriptions)
        return self._is_left or bool(self.log.pauses) or held_back

    def statistics(self) -> tuple[SubscriptionStatistics, ...]:
        """Return a snapshot of each subscription."""
        return tuple(subscription.statistics() for subscription in self._subscriptions)
