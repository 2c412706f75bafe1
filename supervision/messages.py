"""Name everything that can lie in a mailbox, and the reply that a call is owed."""

from collections.abc import Callable
from dataclasses import dataclass
from threading import get_ident
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import trio
from trio.lowlevel import enable_ki_protection

from supervision.exits import ExitReason
from supervision.threads import other_thread

if TYPE_CHECKING:
    from supervision.reference import ProcessRef, Ref
    from supervision.server_loop import ServerLoop

ReplyT_co = TypeVar("ReplyT_co", covariant=True)


class Request(Generic[ReplyT_co]):
    """A base for messages that says what they are answered with: ``await ref.call(Request[int])`` is an int.

    For type checkers; at run time it adds nothing.
    """

    __slots__ = ()


class Reply:
    """The answer owed to one caller; whoever holds it may give it, from any task and at any time.

    Not from a worker thread: there, write ``trio.from_thread.run_sync(reply.send, value)``.
    """

    __slots__ = ("_error", "_is_given", "_thread", "_value", "_waiter")

    def __init__(self) -> None:
        self._is_given = False
        self._value: Any = None
        self._error: Exception | None = None
        self._waiter: trio.lowlevel.Task | None = None
        self._thread = get_ident()

    def send(self, value: Any) -> None:
        """Answer the call. The first answer counts; one that nobody waits for is dropped silently."""
        self._give(value, None)

    def fail(self, error: Exception) -> None:
        """Let the call raise ``error``, unless it has been answered."""
        self._give(None, error)

    @enable_ki_protection
    def _give(self, value: Any, error: Exception | None) -> None:
        if get_ident() != self._thread:
            raise other_thread("reply.send, value")
        if not self._is_given:
            self._is_given, self._value, self._error = True, value, error
            if self._waiter is not None:
                trio.lowlevel.reschedule(self._waiter)
                self._waiter = None

    @enable_ki_protection
    async def wait(self) -> Any:
        """Wait for the answer and return it, or raise what the call failed with; for one task, once."""
        if self._is_given:
            await trio.lowlevel.checkpoint()
        else:
            self._waiter = trio.lowlevel.current_task()
            await trio.lowlevel.wait_task_rescheduled(self._abort)
        if self._error is not None:
            try:
                raise self._error
            finally:
                self._error = None  # it leads to all frames that it passes, and this one leads to it
        return self._value

    def _abort(self, _raise_cancel: object) -> trio.lowlevel.Abort:
        self._waiter = None
        return trio.lowlevel.Abort.SUCCEEDED


# What is made for every message is not frozen: freezing makes it three times as slow to make.


@dataclass(slots=True, eq=False)
class Call:
    """A message whose sender waits for the reply. Plain functions receive it as it is."""

    message: Any
    reply: Reply
    caller: "ProcessRef | None"


@dataclass(slots=True, eq=False)
class Cast:
    """A message whose sender has gone on."""

    message: Any
    caller: "ProcessRef | None"


@dataclass(frozen=True, slots=True)
class Stop:
    """The request to end after the current message."""

    reason: ExitReason


@dataclass(frozen=True, slots=True)
class System:
    """Something to be done between two messages, by the loop of the server and not by its handlers."""

    act: "Callable[[ServerLoop], Any]"
    reply: Reply


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


@dataclass(frozen=True, slots=True)
class Exit:
    """An exit signal, for a process that traps them: a linked process has ended, or somebody asks."""

    ref: "Ref | None"
    """The linked process, or whoever asks; None if that is no process."""
    reason: ExitReason
    """``NoProc()`` if there was no process to link to."""


@dataclass(frozen=True, slots=True)
class IdleTimeout:
    """No message has come for as long as the server's ``idle_timeout``."""
