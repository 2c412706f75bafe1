"""Keep what was read of a run in another process until somebody takes it, and where to go on; no network."""

from collections import deque
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import trio

from exmc_actors.errors import ExmcError, RemoteRefused, SettingsError, StoreError
from exmc_actors.messages import WAIT, Message, Overflow, SubscriptionStatistics
from exmc_actors.wire import MOST_QUERY, Ended, FeedItem, Hello, Lost, Refused, Told


@dataclass(frozen=True)
class Wish:
    """What of a run is to be read, and how."""

    run: str
    overflow: Overflow
    capacity: int
    from_start: bool
    chains: Sequence[int] | None
    var_names: Sequence[str] | None
    thin: int

    def path(self, number: int | None) -> str:
        """Return what to ask for, from the message of a number on; None for the next one.

        Raises:
          SettingsError: it is longer than a dashboard reads.
        """
        fields: dict[str, Any] = {"run": self.run, "thin": self.thin}
        if number is not None:
            fields["from"] = number
        if self.overflow is not WAIT:
            fields["capacity"] = self.capacity
        if self.chains is not None:
            fields["chains"] = list(self.chains) or ""
        if self.var_names is not None:
            fields["var_names"] = list(self.var_names) or ""
        query = urlencode(fields, doseq=True)
        if len(query) > MOST_QUERY:
            raise SettingsError(
                f"chains and var_names must fit into a query of {MOST_QUERY} characters, got {len(query)}: "
                "name fewer, or subscribe to all of them with None and choose among what comes."
            )
        return f"feed?{query}"


class RemoteSubscription(AsyncIterator[Message]):
    """One subscriber's place in the messages of a run; iterate over it.  Iteration ends with the run."""

    def __init__(self, wish: Wish) -> None:
        """Only ``RemoteRun.subscribe`` makes these."""
        self.number: int | None = 0 if wish.from_start else None
        """Of the message that is to be read next; None for whichever is committed next."""
        self.begun = trio.Event()
        """It is clear where to begin, or that there is nothing to be had."""
        self.is_over = False
        self.error: ExmcError | None = None
        """What the reader ended with."""
        self._wish = wish
        self._unread: deque[Message | StoreError] = deque()
        self._delivered = 0
        self._dropped = 0
        self._came = trio.lowlevel.ParkingLot()
        self._room = trio.lowlevel.ParkingLot()

    async def __anext__(self) -> Message:
        """Return the next message, waiting for one to be committed.

        Raises:
          ConnectionLost: nobody answered there for longer than was to be waited.
          RemoteRefused: there is another run now, or the token is no longer right.
          UnreadableFeed: what comes from there is no feed.
          StoreError: the message lay in the run's store and can no longer be read; the one behind it can.
        """
        await trio.lowlevel.checkpoint()
        while not self._unread:
            if self.error is not None:
                raise type(self.error)(*self.error.args) from self.error
            if self.is_over:
                raise StopAsyncIteration
            await self._came.park()
        return self._taken()

    def take(self) -> Message | None:
        """Return a message that was read already; None where there is none."""
        return self._taken() if self._unread else None

    def statistics(self) -> SubscriptionStatistics:
        """Return how this subscriber keeps up, with what was skipped on both sides."""
        wish = self._wish
        return SubscriptionStatistics(
            wish.overflow, wish.capacity, len(self._unread), self._delivered, self._dropped
        )

    async def accept(self, item: FeedItem) -> None:
        """Take in what the feed says; waits for room under ``WAIT``."""
        match item:
            case Hello(_, number):
                self.number = number
                self.begun.set()
            case Told(number, dropped, message):
                await self._keep(message, number, dropped)
            case Lost(number, dropped, reason):
                await self._keep(StoreError(reason), number, dropped)
            case Ended(dropped):
                self._dropped += dropped
                self.end()
            case Refused(reason):
                raise RemoteRefused(reason)

    def end(self, error: ExmcError | None = None) -> None:
        """Note that nothing more will be read."""
        self.is_over, self.error = True, error
        self.begun.set()
        self._came.unpark_all()

    async def _keep(self, one: Message | StoreError, number: int, dropped: int) -> None:
        while self._wish.overflow is WAIT and len(self._unread) >= self._wish.capacity:
            await self._room.park()
        self.number = number + 1
        self._dropped += dropped
        self._unread.append(one)
        if len(self._unread) > self._wish.capacity:
            self._unread.popleft()
            self._dropped += 1
        self._came.unpark_all()

    def _taken(self) -> Message:
        one = self._unread.popleft()
        self._room.unpark_all()
        if isinstance(one, StoreError):
            raise one
        self._delivered += 1
        return one
