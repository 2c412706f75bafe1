"""Put messages into a process's own mailbox when their times have come, in the order of these times."""

import heapq
from itertools import count
from typing import TYPE_CHECKING, Any, final

import trio
from trio.lowlevel import enable_ki_protection

if TYPE_CHECKING:
    from supervision.process import Process

_NUMBERS = count()


@final
class Timer:
    """One message that is due later; it ends with the process."""

    __slots__ = ("_message", "_number", "_scope", "_timers", "deadline")

    def __init__(self, deadline: float) -> None:
        """Prepare a timer for ``deadline``, on trio's clock."""
        self.deadline = deadline
        self._number = next(_NUMBERS)
        self._message: Any = None
        self._scope: trio.CancelScope | None = None
        self._timers: Timers | None = None

    def __lt__(self, other: "Timer") -> bool:
        """Whether it is due before another one; of two that are due at once, whether it was made before."""
        return (self.deadline, self._number) < (other.deadline, other._number)

    @property
    def is_pending(self) -> bool:
        """Whether it will ring, if the process lives till then."""
        return self._scope is not None

    def start(self, process: "Process", message: Any) -> None:
        """Have the message come to ``process``."""
        if process.timers is None:  # most processes never have any
            process.timers = Timers()
        self._message, self._timers = message, process.timers
        self._timers.add(self)
        self._scope = process.background.start(self._ring, process, name="timer")

    def cancel(self) -> float | None:
        """Stop the timer; return the seconds that were left, None if it has rung or was cancelled before."""
        if self._scope is None or self._timers is None:
            return None
        self._scope.cancel(reason="cancel_timer")
        self.end()
        self._timers.forget_one()
        return max(0.0, self.deadline - trio.current_time())

    @enable_ki_protection
    async def _ring(self, process: "Process") -> None:
        await trio.sleep_until(self.deadline)
        # Tasks that wake together run in any order: whichever is first rings all that are due.
        assert self._timers is not None
        for timer in self._timers.take_due(trio.current_time()):
            process.mailbox.put_signal(timer.end())

    def end(self) -> Any:
        """Be pending no more; return the message."""
        message, self._message, self._scope = self._message, None, None
        return message


@final
class Timers:
    """Those of a process that have not rung."""

    __slots__ = ("_cancelled", "_heap")

    def __init__(self) -> None:
        """Start without any."""
        self._heap: list[Timer] = []
        self._cancelled = 0

    def add(self, timer: Timer) -> None:
        """Take a timer in."""
        heapq.heappush(self._heap, timer)

    def forget_one(self) -> None:
        """Hear that one is pending no more; when most are not, they are let go of."""
        self._cancelled += 1
        if 2 * self._cancelled > len(self._heap):
            self._heap = [timer for timer in self._heap if timer.is_pending]
            heapq.heapify(self._heap)
            self._cancelled = 0

    def end(self) -> None:
        """Let go of all: the process has ended."""
        for timer in self._heap:
            timer.end()
        self._heap.clear()

    def take_due(self, now: float) -> list[Timer]:
        """Return those that are due, the first one first, and forget them."""
        due = []
        while self._heap and self._heap[0].deadline <= now:
            timer = heapq.heappop(self._heap)
            if timer.is_pending:
                due.append(timer)
            else:
                self._cancelled -= 1
        return due
