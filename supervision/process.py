"""Run one program as a process: it can be asked to end, killed, watched and called, and it never raises.

Knows nothing of supervisors: another kind of supervisor can be written on what is public here.
"""

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from threading import get_ident
from typing import Any, TypeVar, get_args

import trio
from trio.lowlevel import enable_ki_protection

from supervision.attempts import attempt
from supervision.background import Background
from supervision.child import Name
from supervision.contacts import Contacts
from supervision.context import current_process
from supervision.exits import ExitOrder, ExitReason, Shutdown
from supervision.mailbox import Mailbox
from supervision.messages import Exit
from supervision.program import Program
from supervision.reference import ProcessRef, ProcessStatistics, Ref
from supervision.report import report_end, report_start
from supervision.signals import Effect, effect_of
from supervision.threads import other_thread
from supervision.timer import Timers
from supervision.verdict import Verdict

T = TypeVar("T")


class Process:
    """One running program.

    An order to end, a crash of any part, and a kill cancel its work; what cleans up runs after that, and
    only a kill cancels it. It is shielded from the scopes around it, and so are the processes that it has
    spawned: they live in a nursery of its own, and it cannot end before they have.
    """

    def __init__(
        self,
        program: Program,
        label: str,
        home: trio.Nursery,
        mailbox: Mailbox | None = None,
        name: Name | None = None,
        owner: "Process | None" = None,
    ) -> None:
        """Prepare a process; ``spawn`` runs it.

        Args:
          program: what it does.
          label: its place in the tree, for people.
          home: the nursery that it runs in.
          mailbox: where its messages go; an unbounded one by default.
          name: taken before the program starts.
          owner: the process that has spawned it, if one has.
        """
        self.program = program
        self.label = label
        self.ref = ProcessRef(self)
        self.mailbox = Mailbox() if mailbox is None else mailbox
        self.contacts = Contacts(self)
        self.background = Background(home, self.guard, label)
        self.timers: Timers | None = None
        self.has_started = False
        self.is_ignored = False
        self.handled = 0
        self.calls: tuple[str, ...] = ()
        """Whom it waits for, the latest last."""
        self.main_task: trio.lowlevel.Task | None = None
        self.reason: ExitReason | None = None
        self._name = name
        self._owner = owner
        # Processes that it owns are stopped in order when they or their surroundings are interrupted.
        self._work = trio.CancelScope(shield=not program.spawns)
        self._shields: tuple[trio.CancelScope, ...] = ()
        self._ready = trio.Event()
        self._ended = trio.Event()
        self._verdict = Verdict()
        self._account: str | None = None
        self._owned: dict[Process, None] = {}
        self._nursery: trio.Nursery | None = None

    # What the program says of itself.

    def acknowledge(self) -> None:
        """Say that the program has started up."""
        self.has_started = True
        self._ready.set()
        report_start(self.label)

    async def guard(self, part: Callable[..., Awaitable[T]], *args: Any) -> T | None:
        """Run a part of the program; what it raises becomes the exit reason and ends the other parts.

        The one place where a crash turns into data. Cancellation and KeyboardInterrupt pass through.
        """
        try:
            return await part(*args)
        except Exception as error:  # noqa: BLE001 - let it crash: here, and nowhere else
            self._note_crash(error)
        except (KeyboardInterrupt, SystemExit) as interrupt:
            self._verdict.note_interrupt(interrupt)
            raise
        except BaseExceptionGroup as group:
            errors, others = group.split(Exception)
            if errors is not None:
                self._note_crash(errors)
            assert others is not None  # a group of Exceptions alone would be an Exception
            self._verdict.note_interrupt(others)
            raise others from None
        return None

    # What others do to it.

    def exit(self, order: ExitOrder) -> None:
        """Send the process an exit signal; what follows is for the rules of ``effect_of``."""
        if order != "kill" and not isinstance(order, get_args(ExitReason)):
            raise TypeError(f"exit takes KILL or an exit reason such as Shutdown(), got {order!r}.")
        if get_ident() != self.mailbox.thread:
            raise other_thread("ref.exit, reason")
        sender = current_process.get()
        self.signal(order, None if sender is None else sender.ref, is_own=sender is self)

    @enable_ki_protection
    def signal(self, order: ExitOrder, sender: Ref | None, *, is_own: bool = False) -> None:
        """Take an exit signal, sent or through a link."""
        effect = effect_of(order, is_trapping=self.program.is_trapping, is_own=is_own)
        if order == "kill":
            self.kill()
        elif effect is Effect.MESSAGE:
            self.mailbox.put_signal(Exit(sender, order))
        elif effect is Effect.END:
            self.end(order)

    @enable_ki_protection
    def end(self, reason: ExitReason) -> None:
        """Cancel the work of the process, trapping or not, as its supervisor may; the first reason counts."""
        if self._verdict.note_order(reason):
            self._cancel_work(f"{self.label} is to end: {type(reason).__name__}")

    @enable_ki_protection
    def kill(self, *, overdue: bool = False) -> None:
        """End the process at once, without clean-up.

        Args:
          overdue: it had been asked to stop, and its time was up.
        """
        self._verdict.note_kill(overdue=overdue)
        self._cancel_work(f"{self.label} is killed")
        self.background.cancel()
        for scope in self._shields:
            scope.cancel(reason=f"{self.label} is killed")

    # How it stands.

    @property
    def is_ended(self) -> bool:
        """Whether it has ended; its name is free then."""
        return self.reason is not None

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
            self.label,
            is_alive=not self.is_ended,
            waiting=len(self.mailbox),
            handled=self.handled,
            calling=self.calls[-1] if self.calls else None,
            dropped=self.mailbox.dropped,
            capacity=self.mailbox.capacity,
            links=len(self.contacts.links),
        )

    # How it lives and ends.

    @enable_ki_protection
    async def run(self) -> None:
        """Live: run the program, clean up, end what is owned, and tell everybody. Raises no Exception."""
        current_process.set(self)
        self.main_task = trio.lowlevel.current_task()
        is_interrupted = True  # no Exception comes here
        try:
            if self.program.spawns:
                with trio.CancelScope(shield=True):
                    async with trio.open_nursery() as self._nursery:
                        await self._live()
            else:
                await self._live()
            is_interrupted = False
        finally:
            # Its owner is interrupted, too, and must not find a Down to heal first.
            if self._owner is not None and is_interrupted:
                self._owner.end(Shutdown())
            self._finish()

    async def _live(self) -> None:
        try:
            with self._work:
                self._verdict.returned = await self.guard(self._start)
        finally:
            await self.background.end()
            await self._clean_up()

    async def _start(self) -> ExitReason:
        if self._name is not None:
            self._name.register(self.ref)
        return await self.program.run(self)

    async def _clean_up(self) -> None:
        try:
            await self._give_account()
            if self.has_started and self.program.cleans_up and not self._verdict.is_killed:
                with self.shield():
                    await self.guard(self.program.terminate, self._verdict.reason)
            await self._give_account()
        finally:
            for process in reversed(self._owned):
                process.kill()
            await self.background.end()

    async def _give_account(self) -> None:
        self._verdict.note_returned_crash()
        if self._verdict.crash is not None and self._account is None:
            self._account = await self.guard(self.program.account) or ""

    def _finish(self) -> None:
        """Tell the end, in this order, without a checkpoint: nobody can act on one part before the next.

        What others have a hand in may raise. Nothing may keep the end from being told: who waits for it
        holds off interrupts, too.
        """
        self.main_task = None
        self.reason = reason = self._verdict.reason
        try:
            if self._name is not None:
                attempt(f"the name of {self.label!r}", self._name.release, self.ref)
            left = self.mailbox.close()
            if self.timers is not None:
                self.timers.end()
            self.contacts.tell_end(reason)
        finally:
            self._ready.set()
            self._ended.set()
        report_end(self.label, reason, self._account or "", left, is_ordered=self._verdict.is_ordered)
        self.program.forget()

    def _cancel_work(self, reason: str) -> None:
        self.mailbox.end_batches()
        self._work.cancel(reason=reason)

    def _note_crash(self, error: Exception) -> None:
        if self._verdict.note_crash(error, self.label):
            self._cancel_work(f"{self.label} crashed")

    @contextmanager
    def shield(self) -> Iterator[None]:
        """Hold every cancellation off a piece of the work, but for a kill."""
        with trio.CancelScope(shield=True) as scope:
            self._shields = (*self._shields, scope)
            if self._verdict.is_killed:
                scope.cancel(reason=f"{self.label} is killed")
            try:
                yield
            finally:
                self._shields = tuple(other for other in self._shields if other is not scope)

    @enable_ki_protection
    def spawn(
        self, program: Program, label: str, *, mailbox: Mailbox | None = None, name: Name | None = None
    ) -> "Process":
        """Start a process that this one owns: it is killed and awaited when this one ends."""
        assert self._nursery is not None
        process = Process(program, label, self._nursery, mailbox, name, self)
        self._owned[process] = None
        self._nursery.start_soon(self._run_owned, process, name=label)
        return process

    @enable_ki_protection
    async def _run_owned(self, process: "Process") -> None:
        try:
            await process.run()
        finally:
            del self._owned[process]
