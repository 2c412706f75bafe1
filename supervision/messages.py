"""Name everything that can lie in a mailbox, and the reply that a call is owed."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import trio

from supervision.exits import ExitReason

if TYPE_CHECKING:
    from supervision.reference import ProcessRef, Ref


class Reply:
    """The answer owed to one caller; whoever holds it may give it, from any task and at any time."""

    __slots__ = ("_answered", "_error", "_value")

    def __init__(self) -> None:
        self._answered = trio.Event()
        self._value: Any = None
        self._error: Exception | None = None

    def send(self, value: Any) -> None:
        """Answer the call. The first answer counts; one that nobody waits for is dropped silently."""
        if not self._answered.is_set():
            self._value = value
            self._answered.set()

    def fail(self, error: Exception) -> None:
        """Let the call raise ``error``, unless it has been answered."""
        if not self._answered.is_set():
            self._error = error
            self._answered.set()

    async def wait(self) -> Any:
        """Wait for the answer and return it, or raise what the call failed with."""
        await self._answered.wait()
        if self._error is not None:
            raise self._error
        return self._value


@dataclass(frozen=True, slots=True)
class Call:
    """A message whose sender waits for the reply."""

    message: Any
    reply: Reply
    caller: "ProcessRef | None"


@dataclass(frozen=True, slots=True)
class Cast:
    """A message whose sender has gone on."""

    message: Any
    caller: "ProcessRef | None"


@dataclass(frozen=True, slots=True)
class Stop:
    """The request to end after the current message."""

    reason: ExitReason


class Monitor:
    """One watch over one process; it ends with one ``Down``, or with ``demonitor``."""

    __slots__ = ("is_cancelled", "ref")

    def __init__(self, ref: "Ref") -> None:
        self.ref = ref
        self.is_cancelled = False

    def __repr__(self) -> str:
        return f"<monitor of {self.ref}>"


@dataclass(frozen=True, slots=True)
class Down:
    """A monitored process has ended."""

    monitor: Monitor
    ref: "Ref"
    """As it was given to ``monitor``."""
    reason: ExitReason
    """``NoProc()`` if there was no process to monitor."""
