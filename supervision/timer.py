"""Put a message into a process's own mailbox when its time has come."""

from typing import TYPE_CHECKING, Any

import trio
from trio.lowlevel import enable_ki_protection

if TYPE_CHECKING:
    from supervision.process import Process


class Timer:
    """One message that is due later; it ends with the process."""

    __slots__ = ("_scope", "deadline")

    def __init__(self, deadline: float) -> None:
        """Prepare a timer for ``deadline``, on trio's clock."""
        self.deadline = deadline
        self._scope: trio.CancelScope | None = None

    def start(self, process: "Process", message: Any) -> None:
        """Have the message come to ``process``."""
        self._scope = process.background.start(self._ring, process, message, name="timer")

    def cancel(self) -> float | None:
        """Stop the timer; return the seconds that were left, None if it has rung or was cancelled before."""
        if self._scope is None:
            return None
        self._scope.cancel(reason="cancel_timer")
        self._scope = None
        return max(0.0, self.deadline - trio.current_time())

    @enable_ki_protection
    async def _ring(self, process: "Process", message: Any) -> None:
        await trio.sleep_until(self.deadline)
        if self._scope is not None:
            self._scope = None
            process.mailbox.put_signal(message)
