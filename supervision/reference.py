"""Address a process without holding it: by incarnation, by name, or by its place in a supervisor."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeVar, final, overload

import trio

from supervision import post
from supervision.errors import ProcessExited
from supervision.exits import ExitOrder, ExitReason, NoProc, Normal
from supervision.messages import Request

if TYPE_CHECKING:
    from supervision.process import Process

MessageT_contra = TypeVar("MessageT_contra", contravariant=True)
ReplyT = TypeVar("ReplyT")


@dataclass(frozen=True, slots=True)
class ProcessStatistics:
    """How one process does."""

    label: str
    """Where it stands in its supervision tree."""
    is_alive: bool
    waiting: int
    """Messages in the mailbox."""
    handled: int
    """Messages taken from the mailbox so far."""
    calling: str | None
    """The process that its message loop waits for, if it is in the middle of a call."""
    dropped: int
    """Messages that found no room in the mailbox, or had to make room."""
    capacity: int | None
    """How many sent messages may wait; None means any number."""
    links: int
    """Processes that it shares its end with."""


@dataclass(frozen=True, slots=True)
class LogEntry:
    """One message that a server has handled."""

    kind: Literal["call", "cast", "info"]
    message: Any
    caller: "ProcessRef | None"


class RefTo(Protocol[MessageT_contra]):
    """For type checkers: a ref to whoever understands these messages. Every ``Ref`` can be used as one.

    ``counter: RefTo[Add | Reset] = sup.child("counter")`` makes ``counter.cast(Sub(1))`` an error.
    """

    def cast(self, message: MessageT_contra) -> None:
        """Send a message and go on; see ``Ref.cast``."""

    async def send(self, message: MessageT_contra) -> None:
        """Send a message, as soon as there is room; see ``Ref.send``."""

    async def call(self, message: Request[ReplyT]) -> ReplyT:
        """Send a request and wait for the reply; see ``Ref.call``."""


class Ref(ABC):
    """The address of a process. Every use finds the process anew, so a ref may outlive what it points to.

    It belongs to trio's thread: in a worker thread, write ``trio.from_thread.run_sync(ref.cast, message)``.
    """

    __slots__ = ()

    @abstractmethod
    def resolve(self) -> "Process | None":
        """Return the process meant right now; None if there is none. For the library's own use."""

    @overload
    async def call(self, message: Request[ReplyT]) -> ReplyT: ...

    @overload
    async def call(self, message: Any) -> Any: ...

    async def call(self, message: Any) -> Any:
        """Send a message and wait for the reply.

        There is no time-out: put the call into ``trio.fail_after`` or ``move_on_after``. Leaving early does
        not withdraw the message; its reply is then dropped.

        Raises:
          ProcessExited: when the process ends before it replies, or there is none.
          CallingSelf: when a server calls itself.
          MailboxFull: when there is no room and ``overflow`` is not to wait for it.
        """
        return await post.call(self, message)

    def cast(self, message: Any) -> None:
        """Send a message and go on. Never blocks; to nobody, it is dropped.

        Raises:
          MailboxFull: when there is no room, and ``overflow`` is WAIT or RAISE.
        """
        post.cast(self, message)

    async def send(self, message: Any) -> None:
        """Send a message; under WAIT, as soon as there is room. Cancelled, nothing has been sent.

        It is a cast for the receiver. Two servers that send to each other from their handlers can wait for
        each other for ever: ``send`` is for what feeds servers.

        Raises:
          MailboxFull: when there is no room, and ``overflow`` is RAISE.
          CallingSelf: when a server would wait for room in its own mailbox.
        """
        await post.send(self, message)

    def exit(self, order: ExitOrder) -> None:
        """Tell the process to end, and go on.

        ``KILL`` ends it at once, without clean-up. With any other reason its work is cancelled, then
        ``terminate`` runs; but a process that traps exits gets an ``Exit`` message instead. ``Normal()`` is
        ignored then, unless a process sends it to itself.
        """
        if (process := self.resolve()) is not None:
            process.exit(order)

    async def stop(self, reason: ExitReason = Normal()) -> ExitReason:  # noqa: B008 - an immutable value
        """Let the server finish its current message, end for ``reason``, and wait for that.

        A plain function has no messages to finish: it is cancelled.

        Returns:
          How it ended in fact.

        Raises:
          ProcessExited: when there is no such process.
          CallingSelf: when a server waits for its own end; it should use ``self.stop``.
        """
        return await post.stop(self, reason)

    async def wait_exited(self) -> ExitReason:
        """Wait until the process has ended and return why; ``NoProc()`` if there is none."""
        process = self.resolve()
        if process is None:
            await trio.lowlevel.checkpoint()
            return NoProc()
        return await process.wait_exited()

    async def get_state(self) -> dict[str, Any]:
        """Return the server's attributes, between two messages: a new dict of its own values, not copies.

        Raises:
          ProcessExited: when there is no such process.
        """
        state: dict[str, Any] = await post.ask_loop(self, lambda loop: loop.get_state())
        return state

    async def replace_state(self, change: Callable[[dict[str, Any]], dict[str, Any]]) -> dict[str, Any]:
        """Give the server the attributes that ``change`` makes of its present ones, and return them.

        No message is handled meanwhile. If ``change`` raises, or returns no dict, the server keeps the
        attributes that it had; their values are its own, so ``change`` makes new ones and leaves them be.

        Raises:
          ProcessExited: when there is no such process.
        """
        process = self.resolve()
        this = self if process is None else process.ref
        holder = object()
        try:
            after = change(await post.ask_loop(this, lambda loop: loop.hold(holder)))
            if not isinstance(after, dict):
                raise TypeError(f"change must return all attributes of the server in a dict, got {after!r}.")
            await post.ask_loop(this, lambda loop: loop.set_state(after))
        finally:
            post.tell_loop(this, lambda loop: loop.let_go(holder))
        return after

    async def suspend(self) -> None:
        """Let the server handle no message until ``resume``; it can still be ended and looked into.

        Raises:
          ProcessExited: when there is no such process.
        """
        await post.ask_loop(self, lambda loop: loop.suspend())

    async def resume(self) -> None:
        """Let the server go on after ``suspend``.

        Raises:
          ProcessExited: when there is no such process.
        """
        await post.ask_loop(self, lambda loop: loop.resume())

    async def trace(self, is_on: bool = True) -> None:
        """Let every message of the server be a telemetry event, ``("supervision", "server", "message")``.

        Raises:
          ProcessExited: when there is no such process.
        """
        await post.ask_loop(self, lambda loop: loop.trace(is_on))

    async def log(self, size: int = 10) -> tuple[LogEntry, ...]:
        """Return the last messages that were logged; from now on keep the last ``size`` of them.

        Raises:
          ProcessExited: when there is no such process.
        """
        if isinstance(size, bool) or not isinstance(size, int) or size < 0:
            raise ValueError(f"size must be a whole number, 0 or more, got {size!r}.")
        entries: tuple[LogEntry, ...] = await post.ask_loop(self, lambda loop: loop.log(size))
        return entries

    @property
    def is_alive(self) -> bool:
        """Whether there is such a process and it has not ended."""
        process = self.resolve()
        return process is not None and not process.is_ended

    def statistics(self) -> ProcessStatistics:
        """Return a snapshot.

        Raises:
          ProcessExited: when there is no such process.
        """
        process = self.resolve()
        if process is None:
            raise ProcessExited(NoProc(), str(self))
        return process.statistics()


@final
class ProcessRef(Ref):
    """The address of one incarnation; once that has ended, it means nobody."""

    __slots__ = ("_process",)

    def __init__(self, process: "Process") -> None:
        """Refer to ``process``, for ever."""
        self._process = process

    def resolve(self) -> "Process":
        """Return the one incarnation, ended or not."""
        return self._process

    def __str__(self) -> str:
        return f"process {self._process.label!r}"

    def __repr__(self) -> str:
        return f"<{self}>"
