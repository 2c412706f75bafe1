"""Run one program as a process: it can be asked to end, killed, watched and called, and it never raises.

Knows nothing of supervisors: another kind of supervisor can be written on what is public here.
"""

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar, get_args

import trio

from supervision.child import Name
from supervision.contacts import Contacts
from supervision.context import awaited_by, current, current_process
from supervision.errors import CallingSelf, ProcessExited
from supervision.exits import Crash, ExitOrder, ExitReason, Killed, NoProc, Normal
from supervision.mailbox import Mailbox
from supervision.messages import Call, Cast, Reply, Stop
from supervision.program import Program
from supervision.reference import ProcessRef, ProcessStatistics
from supervision.report import report_end

T = TypeVar("T")


class Process:
    """One running program. Its three cancel scopes lie within each other:

    life    shielded from everything around; only a kill cancels it
    owned   the nursery of the processes that this one has spawned; it cannot end before they have
    work    what an exit order or a crash of any part cancels; ``terminate`` runs outside it
    """

    def __init__(self, label: str, receives: bool, name: Name | None = None) -> None:
        """Prepare a process; ``spawn`` runs it.

        Args:
          label: its place in the tree, for people.
          receives: whether its program reads the mailbox.
          name: taken before the program starts.
        """
        self.label = label
        self.ref = ProcessRef(self)
        self.mailbox = Mailbox()
        self.contacts = Contacts(self.mailbox)
        self.has_started = False
        self.is_ignored = False
        self.last_message: str | None = None
        self.handled = 0
        self.reason: ExitReason | None = None
        self._receives = receives
        self._name = name
        self._life = trio.CancelScope(shield=True)
        self._work = trio.CancelScope()
        self._shields: set[trio.CancelScope] = set()
        self._ready = trio.Event()
        self._ended = trio.Event()
        self._is_killed = False
        self._is_overdue = False
        self._asked: ExitReason | None = None
        self._returned: ExitReason | None = None
        self._crash: Crash | None = None
        self._calling: str | None = None
        self._owned: dict[Process, None] = {}
        self._owned_nursery: trio.Nursery | None = None

    # What the program says of itself.

    def acknowledge(self) -> None:
        """Say that the program has started up."""
        self.has_started = True
        self._ready.set()

    async def guard(self, part: Callable[..., Awaitable[T]], *args: Any) -> T | None:
        """Run a part of the program; what it raises becomes the exit reason and ends the other parts.

        The one place where a crash turns into data. Cancellation and KeyboardInterrupt pass through.
        """
        try:
            return await part(*args)
        except Exception as error:  # noqa: BLE001 - let it crash: here, and nowhere else
            self._note_crash(error)
        except BaseExceptionGroup as group:
            errors, others = group.split(Exception)
            if errors is not None:
                self._note_crash(errors)
            assert others is not None  # a group of Exceptions alone would be an Exception
            raise others from None
        return None

    async def guard_apart(self, part: Callable[..., Awaitable[object]], *args: Any) -> None:
        """As ``guard``, for a part that runs beside the message loop, which goes on meanwhile."""
        awaited_by.set(None)
        await self.guard(part, *args)

    # What others do to it.

    def exit(self, order: ExitOrder) -> None:
        """Kill the process, or cancel its work for a reason; the first reason counts."""
        if order == "kill":
            self.kill()
        elif not isinstance(order, get_args(ExitReason)):
            raise TypeError(f"exit takes KILL or an exit reason such as Shutdown(), got {order!r}.")
        elif not isinstance(order, Normal) or current_process.get() is self:
            self._ask(order)

    def kill(self, *, overdue: bool = False) -> None:
        """End the process at once, without clean-up.

        Args:
          overdue: it had been asked to stop, and its time was up.
        """
        self._is_overdue = self._is_overdue or (overdue and not self._is_killed)
        self._is_killed = True
        for scope in (self._life, *self._shields):
            scope.cancel(reason=f"{self.label} is killed")

    async def stop(self, reason: ExitReason) -> ExitReason:
        """Ask for an end after the current message and wait for it."""
        if awaited_by.get() is self:
            raise CallingSelf(
                f"{self.label!r} would wait for its own end. Within a server write self.stop(reason)."
            )
        if self._receives:
            self.mailbox.put_urgent(Stop(reason))
        else:
            self._ask(reason)
        return await self.wait_exited()

    async def call(self, message: Any, target: str) -> Any:
        """Put a call into the mailbox and wait for the reply; see ``Ref.call``."""
        self._refuse_call(message)
        if self.is_ended:
            await trio.lowlevel.checkpoint()
            raise ProcessExited(NoProc(), target)
        reply, waiting = Reply(), awaited_by.get()
        self.contacts.callers[reply] = None
        self.mailbox.put(Call(message, reply, current()))
        if waiting is not None:
            waiting._calling = self.label
        try:
            return await reply.wait()
        finally:
            del self.contacts.callers[reply]
            if waiting is not None:
                waiting._calling = None

    def cast(self, message: Any) -> None:
        """Put a message into the mailbox, if anybody reads it."""
        if self._receives:
            self.mailbox.put(Cast(message, current()))

    # How it stands.

    @property
    def is_ended(self) -> bool:
        """Whether it has ended; its name is free then."""
        return self._ended.is_set()

    async def wait_started(self) -> None:
        """Wait until the program has started up or the process has ended, whichever is first."""
        await self._ready.wait()

    async def wait_exited(self) -> ExitReason:
        """Wait until the process has ended; return why."""
        await self._ended.wait()
        assert self.reason is not None
        return self.reason

    def statistics(self) -> ProcessStatistics:
        """Return a snapshot."""
        return ProcessStatistics(
            self.label, not self.is_ended, len(self.mailbox), self.handled, self._calling
        )

    # How it lives and ends.

    async def run(self, program: Program) -> None:
        """Live: run the program, clean up, end what is owned, and tell everybody. Raises no Exception."""
        current_process.set(self)
        awaited_by.set(self)
        try:
            with self._life:
                async with trio.open_nursery() as self._owned_nursery:
                    try:
                        with self._work:
                            self._returned = await self.guard(self._start, program)
                    finally:
                        await self._clean_up(program)
        finally:
            self._finish()

    async def _start(self, program: Program) -> ExitReason:
        if self._name is not None:
            self._name.register(self.ref)
        return await program.run(self)

    async def _clean_up(self, program: Program) -> None:
        try:
            if self.has_started and not self._is_killed:
                with self._shield():
                    await self.guard(program.terminate, self._verdict())
        finally:
            for process in reversed(self._owned):
                process.kill()

    def _finish(self) -> None:
        """Tell the end, in this order, without a checkpoint: nobody can act on one part before the next."""
        self.reason = reason = self._verdict()
        if self._name is not None:
            self._name.release(self.ref)
        self.mailbox.close()
        self.contacts.tell_end(self.ref, reason)
        self._ready.set()
        self._ended.set()
        if reason.is_abnormal:
            is_ordered = self._is_killed and not self._is_overdue
            report_end(self.label, reason, self.last_message, is_ordered=is_ordered)

    def _verdict(self) -> ExitReason:
        """Decide by who asked: a cancelled work may look like a crash, and a crash like a cancellation."""
        if self._is_killed:
            return Killed()
        # Nothing at all is known only when an interrupt is on its way through.
        return self._crash or self._asked or self._returned or Killed()

    def _ask(self, reason: ExitReason) -> None:
        if self._asked is None and self._returned is None and self._crash is None:
            self._asked = reason
            self._work.cancel(reason=f"{self.label} is to end: {reason}")

    def _note_crash(self, error: Exception) -> None:
        if self._crash is None:
            self._crash = Crash(error)
            self._work.cancel(reason=f"{self.label} crashed")
        elif error is not self._crash.error:
            self._crash.error.add_note(f"While {self.label!r} ended, it also raised {error!r}.")

    def _refuse_call(self, message: Any) -> None:
        if awaited_by.get() is self:
            raise CallingSelf(
                f"{self.label!r} called itself with {message!r} and would wait for ever. "
                "Call the method directly, or cast the message to self.ref."
            )
        if not self._receives:
            raise TypeError(
                f"{self.label!r} is a plain function and reads no messages, so the call {message!r} would "
                "never be answered. Make it a Server."
            )

    @contextmanager
    def _shield(self) -> Iterator[None]:
        with trio.CancelScope(shield=True) as scope:
            self._shields.add(scope)
            if self._is_killed:
                scope.cancel(reason=f"{self.label} is killed")
            try:
                yield
            finally:
                self._shields.discard(scope)

    def _spawn(self, process: "Process", program: Program) -> None:
        assert self._owned_nursery is not None
        self._owned[process] = None
        self._owned_nursery.start_soon(self._run_owned, process, program, name=process.label)

    async def _run_owned(self, process: "Process", program: Program) -> None:
        try:
            await process.run(program)
        finally:
            del self._owned[process]


def spawn(program: Program, label: str, name: Name | None = None) -> Process:
    """Start a process that the current one owns: it is killed and awaited when its owner ends."""
    owner = current_process.get()
    assert owner is not None
    process = Process(label, program.receives, name)
    owner._spawn(process, program)
    return process


def spawn_in(nursery: trio.Nursery, program: Program, label: str) -> Process:
    """Start a process that nobody owns, in a nursery that waits for it but cannot cancel it."""
    process = Process(label, program.receives)
    nursery.start_soon(process.run, program, name=label)
    return process


@contextmanager
def shielded() -> Iterator[None]:
    """Hold every cancellation off a piece of the current process's work, but for a kill."""
    process = current_process.get()
    assert process is not None
    with process._shield():
        yield
