"""Publish to whoever has subscribed; each subscriber says what happens when it falls behind.

The overflow belongs to the subscriber: one that must lose nothing makes publishers wait, one that must
slow nobody loses messages, and they are counted.
"""

import math
from collections import deque
from collections.abc import AsyncIterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from types import TracebackType
from typing import Final, Generic, TypeVar, final

import trio

from supervision import telemetry
from supervision.context import current
from supervision.errors import Lagged, SpecError
from supervision.notices import EndWatch
from supervision.overflow import DROP_NEWEST, LATEST, RAISE, WAIT, Overflow

T = TypeVar("T")

DEFAULT_CAPACITY: Final = 256

DROPPED: Final = ("supervision", "topic", "dropped")
"""A subscriber missed a message: ``topic``, ``overflow``, ``message``; measured: ``dropped`` so far."""


@dataclass(frozen=True, slots=True)
class SubscriptionStatistics:
    """How one subscriber does."""

    overflow: Overflow
    capacity: float
    waiting: int
    """Messages that it has not read yet."""
    received: int
    """Messages that it has read."""
    dropped: int
    """Messages that it will never see because it fell behind; always 0 under ``WAIT``."""


@dataclass(frozen=True, slots=True)
class TopicStatistics:
    """How a topic does."""

    name: str
    published: int
    publishers_waiting: int
    """Publishers that are held up by subscribers under ``WAIT``."""
    subscriptions: tuple[SubscriptionStatistics, ...]


@final
class Topic(Generic[T]):
    """A place where messages are published to all who have subscribed by then, in one order for all."""

    def __init__(self, name: str = "topic") -> None:
        """Start without subscribers.

        Args:
          name: for people and telemetry.
        """
        self.name = name
        self._subscriptions: dict[Subscription[T], None] = {}
        # One publisher at a time, so that all subscribers see one order even where some have to wait.
        self._turn = trio.StrictFIFOLock()
        self._room = trio.lowlevel.ParkingLot()
        self._published = 0
        self._is_closed = False

    def subscribe(
        self, *, overflow: Overflow = WAIT, capacity: float = DEFAULT_CAPACITY
    ) -> "Subscription[T]":
        """Receive what is published from now on.

        Use it in a ``with`` block. A subscription that was made within a process ends with the process.

        Args:
          overflow: what happens when ``capacity`` messages are unread. ``WAIT``: publishers wait. ``RAISE``:
            this subscriber gets ``Lagged`` after what it had, and is out. ``DROP_OLDEST``, ``DROP_NEWEST``:
            messages are lost to it. ``LATEST``: it only ever finds the newest.
          capacity: a whole number, 1 or more, or ``math.inf``; always 1 for ``LATEST``.

        Raises:
          SpecError: when an option does not make sense.
        """
        self._refuse_if_closed()
        return Subscription(self, overflow, 1 if overflow is LATEST else capacity)

    async def publish(self, message: T) -> None:
        """Give a message to every subscriber, when all who insist on it have room. Cancelled: to nobody."""
        async with self._turn:
            self._refuse_if_closed()
            while self._is_held_up():
                await self._room.park()
                self._refuse_if_closed()
            self._deliver(message)

    def publish_nowait(self, message: T) -> None:
        """Give a message to every subscriber.

        Raises:
          trio.WouldBlock: when ``publish`` would wait; nobody has got the message then.
        """
        self._refuse_if_closed()
        if self._turn.locked() or self._is_held_up():
            raise trio.WouldBlock
        self._deliver(message)

    def close(self) -> None:
        """End all subscriptions, each when its subscriber has read what it has."""
        self._is_closed = True
        for subscription in list(self._subscriptions):
            subscription.finish()
        self._room.unpark_all()

    def statistics(self) -> TopicStatistics:
        """Return a snapshot."""
        return TopicStatistics(
            self.name,
            self._published,
            self._turn.statistics().tasks_waiting + len(self._room),
            tuple(subscription.statistics() for subscription in self._subscriptions),
        )

    # For its subscriptions.

    def enter(self, subscription: "Subscription[T]") -> None:
        """Count a subscriber in."""
        self._subscriptions[subscription] = None

    def leave(self, subscription: "Subscription[T]") -> None:
        """Count a subscriber out."""
        self._subscriptions.pop(subscription, None)
        self.note_room()

    def note_room(self) -> None:
        """Let a waiting publisher look again."""
        self._room.unpark()

    def _is_held_up(self) -> bool:
        return any(subscription.is_holding_up for subscription in self._subscriptions)

    def _deliver(self, message: T) -> None:
        self._published += 1
        for subscription in list(self._subscriptions):
            subscription.put(message)

    def _refuse_if_closed(self) -> None:
        if self._is_closed:
            raise trio.ClosedResourceError(f"the topic {self.name!r} is closed")


@final
class Subscription(AbstractContextManager["Subscription[T]"], AsyncIterator[T]):
    """One subscriber's unread messages; read them with ``async for``, in one task or in several."""

    def __init__(self, topic: Topic[T], overflow: Overflow, capacity: float) -> None:
        """Subscribe; ``Topic.subscribe`` makes these."""
        _check(overflow, capacity)
        self._topic = topic
        self._overflow = overflow
        self._capacity = capacity
        self._unread: deque[T] = deque()
        self._readers = trio.lowlevel.ParkingLot()
        self._received = self._dropped = 0
        self._is_closed = self._is_finished = self._is_lagging = False
        self._owner_watch: EndWatch | None = None
        topic.enter(self)
        # Last, for a task may outlive the process that it was started in; it is closed at once then.
        if (owner := current()) is not None:
            self._owner_watch = EndWatch(owner, self.close)

    async def receive(self) -> T:
        """Wait for the next message and take it; one checkpoint, and cancelled, nothing is lost.

        Raises:
          trio.EndOfChannel: when the topic is closed and everything has been read.
          trio.ClosedResourceError: when this subscription is closed.
          Lagged: when it fell behind under ``RAISE``, after the messages that it had.
        """
        if self._unread:
            await trio.lowlevel.checkpoint()
        while not self._unread:
            self._refuse_if_over()
            await self._readers.park()
        return self._take()

    def receive_nowait(self) -> T:
        """Take the next message; as ``receive``, but with ``trio.WouldBlock`` when there is none yet."""
        if not self._unread:
            self._refuse_if_over()
            raise trio.WouldBlock
        return self._take()

    async def __anext__(self) -> T:
        """Wait for the next message; stop when the topic is closed."""
        try:
            return await self.receive()
        except trio.EndOfChannel:
            raise StopAsyncIteration from None

    def close(self) -> None:
        """Stop receiving; what is unread is dropped."""
        if not self._is_closed:
            self._is_closed = True
            self._unread.clear()
            self.finish()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Close."""
        self.close()

    def statistics(self) -> SubscriptionStatistics:
        """Return a snapshot."""
        return SubscriptionStatistics(
            self._overflow, self._capacity, len(self._unread), self._received, self._dropped
        )

    # For its topic.

    @property
    def is_holding_up(self) -> bool:
        """Whether publishers have to wait for it."""
        return self._overflow is WAIT and len(self._unread) >= self._capacity

    def put(self, message: T) -> None:
        """Add a message, or do what is to be done for want of room."""
        if len(self._unread) < self._capacity:
            self._unread.append(message)
            self._readers.unpark()
            return
        assert self._overflow is not WAIT  # or the topic would not have published
        self._dropped += 1
        if self._overflow is RAISE:
            self._is_lagging = True
            self.finish()
        elif self._overflow is not DROP_NEWEST:
            self._unread.popleft()
            self._unread.append(message)
        telemetry.execute(
            DROPPED,
            {"dropped": self._dropped},
            {"topic": self._topic.name, "overflow": self._overflow, "message": message},
        )

    def finish(self) -> None:
        """Take no more messages; the reader may still have those that are here."""
        self._is_finished = True
        self._topic.leave(self)
        self._readers.unpark_all()
        if self._owner_watch is not None:
            self._owner_watch.cancel()

    def _take(self) -> T:
        message = self._unread.popleft()
        self._received += 1
        if self._overflow is WAIT:
            self._topic.note_room()
        return message

    def _refuse_if_over(self) -> None:
        if self._is_closed:
            raise trio.ClosedResourceError(f"this subscription to {self._topic.name!r} is closed")
        if self._is_lagging:
            raise Lagged(
                f"a subscriber to {self._topic.name!r} had {self._capacity} messages unread when the next "
                "one came. Read faster, allow more, or choose to lose some: overflow=DROP_OLDEST."
            )
        if self._is_finished:
            raise trio.EndOfChannel


def _check(overflow: Overflow, capacity: float) -> None:
    if not isinstance(overflow, Overflow):
        raise SpecError(f"overflow must be one of WAIT, DROP_OLDEST, ..., got {overflow!r}: write sv.WAIT.")
    is_whole = isinstance(capacity, int) and not isinstance(capacity, bool)
    if not (is_whole and capacity >= 1) and capacity != math.inf:
        raise SpecError(f"capacity must be a whole number, 1 or more, or math.inf, got {capacity!r}.")
