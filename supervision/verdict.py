"""Decide for what reason a process ended, from all that was asked of it and raised in it."""

from traceback import format_exception_only
from typing import final

from supervision.exits import Crash, ExitReason, Killed, Shutdown


@final
class Verdict:
    """A kill counts first, then a crash, then who asked, then what the program returned, then an interrupt.

    What it looks like does not count: a cancelled work may look like a crash, and a crash like a
    cancellation.
    """

    __slots__ = ("asked", "crash", "interrupt", "is_killed", "is_overdue", "returned")

    def __init__(self) -> None:
        self.is_killed = False
        self.is_overdue = False
        self.asked: ExitReason | None = None
        self.crash: Crash | None = None
        self.interrupt = Shutdown()
        """Of which the process is told by the cancellation of all around it, unless it raised it itself."""
        self.returned: ExitReason | None = None

    @property
    def reason(self) -> ExitReason:
        """Why the process ends, by what is known so far."""
        if self.is_killed:
            return Killed()
        return self.crash or self.asked or self.returned or self.interrupt

    @property
    def is_ordered(self) -> bool:
        """Whether somebody killed it on purpose."""
        return self.is_killed and not self.is_overdue

    def note_kill(self, *, overdue: bool) -> None:
        """Hear of a kill; one that was ordered stays so, whatever time it takes."""
        self.is_overdue = self.is_overdue or (overdue and not self.is_killed)
        self.is_killed = True

    def note_order(self, reason: ExitReason) -> bool:
        """Hear that the process is to end; return whether nothing had been said of its end before."""
        is_first = self.asked is None and self.returned is None and self.crash is None
        if is_first:
            self.asked = reason
        return is_first

    def note_crash(self, error: Exception, label: str) -> bool:
        """Hear what a part of the process raised; return whether it is the first. Others are its notes."""
        if self.crash is None:
            self.crash = Crash(error)
            return True
        if error is not self.crash.error:
            what = format_exception_only(error)[0].strip()
            self.crash.error.add_note(f"While {label!r} ended, it also raised {what}")
        return False

    def note_interrupt(self, error: BaseException) -> None:
        """Hear what a part of the process raised that is no Exception; a cancellation says nothing."""
        interrupt: BaseException | None
        interrupt = BaseExceptionGroup("", [error]).subgroup((KeyboardInterrupt, SystemExit))
        while isinstance(interrupt, BaseExceptionGroup):
            interrupt = interrupt.exceptions[0]
        if interrupt is not None:
            self.interrupt = Shutdown(f"interrupted by {interrupt!r}")

    def note_returned_crash(self) -> None:
        """Let a crash that the program returned be the reason, whatever goes wrong from here on."""
        if isinstance(self.returned, Crash) and self.crash is None and not self.is_killed:
            self.crash = self.returned
