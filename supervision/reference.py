"""Address a process without holding it: by incarnation, by name, or by its place in a supervisor."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, final

import trio

from supervision.errors import ProcessExited
from supervision.exits import ExitOrder, ExitReason, NoProc, Normal

if TYPE_CHECKING:
    from supervision.process import Process


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


class Ref(ABC):
    """The address of a process. Every use finds the process anew, so a ref may outlive what it points to."""

    @abstractmethod
    def resolve(self) -> "Process | None":
        """Return the process meant right now; None if there is none. For the library's own use."""

    async def call(self, message: Any) -> Any:
        """Send a message and wait for the reply.

        There is no time-out: put the call into ``trio.fail_after`` or ``move_on_after``. Leaving early does
        not withdraw the message; its reply is then dropped.

        Raises:
          ProcessExited: when the process ends before it replies, or there is none.
          CallingSelf: when a server calls itself.
        """
        process = self.resolve()
        if process is None:
            await trio.lowlevel.checkpoint()
            raise ProcessExited(NoProc(), str(self))
        return await process.call(message, str(self))

    def cast(self, message: Any) -> None:
        """Send a message and go on. Never blocks and never fails; to nobody, it is dropped."""
        if (process := self.resolve()) is not None:
            process.cast(message)

    def exit(self, order: ExitOrder) -> None:
        """Tell the process to end, and go on.

        ``KILL`` ends it at once, without clean-up. With any other reason its work is cancelled, then
        ``terminate`` runs. ``Normal()`` is ignored unless a process sends it to itself.
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
        process = self.resolve()
        if process is None or process.is_ended:
            await trio.lowlevel.checkpoint()
            raise ProcessExited(NoProc(), str(self))
        return await process.stop(reason)

    async def wait_exited(self) -> ExitReason:
        """Wait until the process has ended and return why; ``NoProc()`` if there is none."""
        process = self.resolve()
        if process is None:
            await trio.lowlevel.checkpoint()
            return NoProc()
        return await process.wait_exited()

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
