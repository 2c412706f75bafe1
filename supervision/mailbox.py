"""Keep messages in order until one reader takes them; urgent ones overtake the others.

Unbounded unless told otherwise: actors that send to each other cannot deadlock then. A bound holds for what
others send, never for what the library has to say: signals keep their place in the order, system requests
go first, and neither ever waits for room.
"""

from collections import deque
from collections.abc import Callable, Iterable
from threading import get_ident
from typing import Any, Final

import trio
from trio.lowlevel import Abort, Task, enable_ki_protection

from supervision.errors import MailboxFull
from supervision.messages import Call, Cast, Down
from supervision.overflow import DROP_NEWEST, DROP_OLDEST, RAISE, WAIT, Overflow
from supervision.threads import other_thread

BATCH: Final = 16
"""Messages that are taken without letting other tasks run in between, if they are there already."""


class Mailbox:
    """A queue with a lane for urgent messages; each lane keeps the order of its senders."""

    __slots__ = (
        "_batch",
        "_is_nudged",
        "_is_searched",
        "_left_in_batch",
        "_ordinary",
        "_reader",
        "_senders",
        "_sent",
        "_urgent",
        "capacity",
        "dropped",
        "is_closed",
        "overflow",
        "thread",
    )

    def __init__(self, capacity: int | None = None, overflow: Overflow = WAIT) -> None:
        """Start empty and open.

        Args:
          capacity: how many sent messages may wait; None means any number.
          overflow: what happens to one more.
        """
        self.capacity = capacity
        self.overflow = overflow
        self.dropped = 0
        self.is_closed = False
        self.thread = get_ident()
        # Nearly always empty, and an empty list takes a tenth of the memory of an empty deque.
        self._urgent: list[Any] = []
        self._ordinary: deque[Any] = deque()
        self._sent = 0
        self._senders: dict[Task, Call | Cast] = {}
        self._reader: Task | None = None
        self._batch = BATCH
        self._left_in_batch = 0
        self._is_nudged = False
        self._is_searched = False

    def __len__(self) -> int:
        """Return the number of messages that wait."""
        return len(self._urgent) + len(self._ordinary)

    @property
    def is_waiting_needed(self) -> bool:
        """Whether a sender would have to wait for room."""
        is_full = self.capacity is not None and self._sent >= self.capacity
        return is_full and self.overflow is WAIT and not self.is_closed

    # Putting

    @enable_ki_protection
    def put(self, message: Call | Cast) -> None:
        """Add a sent message at the end; into a closed box it is dropped.

        Raises:
          MailboxFull: when there is no room, under WAIT and RAISE; and for a call that is dropped.
          RuntimeError: in another thread than the reader's.
        """
        if get_ident() != self.thread:  # here, and not in a function, for every message comes by
            raise other_thread("ref.cast, message")
        if self.capacity is None:
            if not self.is_closed:
                self._ordinary.append(message)
                if self._reader is not None:
                    self._wake_reader()
        elif not self.is_closed and (self._sent < self.capacity or self._makes_room(message)):
            self._add_sent(message)

    @enable_ki_protection
    async def put_when_there_is_room(self, message: Call | Cast) -> None:
        """Add a sent message, under WAIT as soon as there is room; cancelled, nothing is added."""
        await trio.lowlevel.checkpoint_if_cancelled()
        if not self.is_waiting_needed:
            self.put(message)
            await trio.lowlevel.cancel_shielded_checkpoint()
            return
        task = trio.lowlevel.current_task()
        self._senders[task] = message

        def withdraw(_raise_cancel: object) -> Abort:
            del self._senders[task]
            return Abort.SUCCEEDED

        await trio.lowlevel.wait_task_rescheduled(withdraw)

    @enable_ki_protection
    def put_signal(self, message: Any) -> None:
        """Add what the library says at the end, room or not."""
        self._refuse_other_thread()
        if not self.is_closed:
            self._ordinary.append(message)
            self._wake_reader()

    @enable_ki_protection
    def put_urgent(self, message: Any) -> None:
        """Add a message behind the urgent ones and before all others, room or not."""
        self._refuse_other_thread()
        if not self.is_closed:
            self._urgent.append(message)
            self._wake_reader()

    @enable_ki_protection
    def put_back(self, messages: Iterable[Any]) -> None:
        """Put messages that were taken before all ordinary ones, in their order, room or not."""
        self._refuse_other_thread()
        for message in reversed(list(messages)):
            self._ordinary.appendleft(message)
            self._sent += isinstance(message, Call | Cast)
            self._wake_reader()

    # Taking

    @enable_ki_protection
    async def ready(self) -> bool:
        """Wait for a message; return whether there is one, or whether the reader was only nudged.

        A checkpoint when there is none, and after each batch: not a checkpoint for every message.
        """
        if self._left_in_batch and (self._urgent or self._ordinary):
            self._left_in_batch -= 1
            return True
        return await self._wait_for(self)

    @enable_ki_protection
    async def ready_with_urgent(self) -> bool:
        """As ``ready``, but wait for an urgent message."""
        return await self._wait_for(self._urgent)

    @enable_ki_protection
    def take(self) -> Any:
        """Take the next message; there is one."""
        return self._urgent.pop(0) if self._urgent else self._take_ordinary()

    def nudge(self) -> None:
        """Let the reader, if it waits for a message, see what else there is to do."""
        self._refuse_other_thread()
        if self._reader is not None:
            self._is_nudged = True
            self._wake_reader()

    @enable_ki_protection
    async def get_match(self, as_received: Callable[[Any], Any], match: Callable[[Any], object]) -> Any:
        """Wait for the oldest ordinary message that matches and take it; the others keep their places.

        Args:
          as_received: says what the reader gets of a message.
          match: says whether the reader wants it.
        """
        await trio.lowlevel.checkpoint()
        if self._is_searched:
            raise _busy()
        # Not only while it is parked: a second reader would move what this one has seen.
        self._is_searched = True
        try:
            return await self._search(as_received, match)
        finally:
            self._is_searched = False

    def end_batches(self) -> None:
        """Let ``ready`` be a checkpoint for every message from now on."""
        self._batch, self._left_in_batch = 1, 0

    @enable_ki_protection
    def close(self) -> list[Any]:
        """Let whatever comes later be dropped; return the ordinary messages that nobody has taken."""
        left = [*self._ordinary, *self._senders.values()]
        self.is_closed = True
        self._urgent.clear()
        self._ordinary.clear()
        for task in self._senders:
            trio.lowlevel.reschedule(task)
        self._senders.clear()
        return left

    # Within

    def _refuse_other_thread(self) -> None:
        if get_ident() != self.thread:
            raise other_thread("method, *args")

    def _wake_reader(self) -> None:
        if self._reader is not None:
            trio.lowlevel.reschedule(self._reader)
            self._reader = None

    async def _wait_for(self, lane: "Mailbox | list[Any]") -> bool:
        if lane:
            await trio.lowlevel.checkpoint()
        while not lane and not self._is_nudged:
            await self._park()
        self._is_nudged, self._left_in_batch = False, self._batch - 1
        return bool(lane)

    async def _search(self, as_received: Callable[[Any], Any], match: Callable[[Any], object]) -> Any:
        seen = 0
        while True:
            for place in range(seen, len(self._ordinary)):
                message = self._ordinary[place]
                if _is_deliverable(message) and match(received := as_received(message)):
                    del self._ordinary[place]
                    self._note_taken(message)
                    return received
            # What is dropped to make room moves the others, so all are looked at again.
            seen = 0 if self.overflow is DROP_OLDEST else len(self._ordinary)
            await self._park()

    async def _park(self) -> None:
        if self._reader is not None:
            raise _busy()
        self._reader = trio.lowlevel.current_task()
        await trio.lowlevel.wait_task_rescheduled(self._abort_park)

    def _abort_park(self, _raise_cancel: object) -> Abort:
        self._reader = None
        return Abort.SUCCEEDED

    def _take_ordinary(self) -> Any:
        message = self._ordinary.popleft()
        if self.capacity is not None:
            self._note_taken(message)
        return message

    def _note_taken(self, message: Any) -> None:
        """Let the sender that has waited longest have the room."""
        if self.capacity is not None and isinstance(message, Call | Cast):
            self._sent -= 1
            if self._senders and self._sent < self.capacity:
                task = next(iter(self._senders))
                self._add_sent(self._senders.pop(task))
                trio.lowlevel.reschedule(task)

    def _add_sent(self, message: Call | Cast) -> None:
        self._sent += 1
        self._ordinary.append(message)
        self._wake_reader()

    def _makes_room(self, message: Call | Cast) -> bool:
        """Do what ``overflow`` says about one message too many; return whether it goes in."""
        if self.overflow in (WAIT, RAISE):
            raise self._full()
        self.dropped += 1
        if self.overflow is DROP_NEWEST:
            self._refuse(message)
            return False
        assert self.overflow is DROP_OLDEST
        place = next(place for place, other in enumerate(self._ordinary) if isinstance(other, Call | Cast))
        self._refuse(self._ordinary[place])
        del self._ordinary[place]
        self._sent -= 1
        return True

    def _refuse(self, message: Call | Cast) -> None:
        if isinstance(message, Call):
            message.reply.fail(self._full())

    def _full(self) -> MailboxFull:
        return MailboxFull(f"{self._sent} messages wait, and capacity={self.capacity}")


def _busy() -> trio.BusyResourceError:
    return trio.BusyResourceError("another task of this process waits for messages already")


def _is_deliverable(message: Any) -> bool:
    return not (isinstance(message, Down) and message.monitor.is_cancelled)
