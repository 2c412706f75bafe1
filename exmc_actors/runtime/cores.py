"""Share the cores of the process among all its runs, in whichever event loops and threads they are.

No loop is blocked: a task waits, for a core itself or for what is to be computed on one.  Whoever gives a
core back wakes the task whose turn it is, in its own loop; a thread that has computed goes on with what is
next before any loop hears of it, so that a loop that is busy keeps no core idle.  Compiling takes none: it
may last for seconds, and the operating system shares a core for so long better than turns do.
"""

import contextlib
import math
import os
import threading
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Any, TypeVar

import outcome
import trio
from trio.lowlevel import Abort, Task, enable_ki_protection

from exmc_actors.runtime import threads
from exmc_actors.runtime.threads import ANY, SHORT, Allowance, Place, allowed_cpus
from exmc_actors.runtime.turns import Line, Turns


def available_cores() -> int:
    """Return how many cores this process may use."""
    cpus = allowed_cpus()
    return max(1, (os.cpu_count() or 1) if cpus is None else len(cpus))


T = TypeVar("T")

_BROKEN = (trio.RunFinishedError, OSError)
"""What is raised by a loop that broke down: it has ended, or its wakeup socket is closed already."""


@dataclass(eq=False)
class _Waiter:
    """A task that waits for a core, or for what is to be computed on one, and its loop."""

    task: Task
    loop: trio.lowlevel.TrioToken
    function: Callable[[], Any] | None = None
    allowance: Allowance = ANY
    """For the thread in which it is called."""
    result: outcome.Outcome[Any] | None = None

    def wake(self, here: trio.lowlevel.TrioToken | None) -> None:
        """Let the task go on, which may be that of another thread's loop."""
        if self.loop is here:
            trio.lowlevel.reschedule(self.task)
        else:
            self.loop.run_sync_soon(trio.lowlevel.reschedule, self.task)

    def compute(self) -> None:
        """Call the function; its thread then keeps nothing of it.

        What a thread lets go of last, it frees: of JAX's, while the process may be ending, which aborts it.
        """
        function, self.function = self.function, None
        assert function is not None
        self.result = outcome.capture(function)

    def tell(self) -> None:
        """Let the task go on with what came of its function, from whichever thread."""
        with contextlib.suppress(*_BROKEN):  # nobody waits any more
            self.loop.run_sync_soon(self._go_on)

    def _go_on(self) -> None:
        result, self.result = self.result, None
        assert result is not None
        trio.lowlevel.reschedule(self.task, result)


class Cores:
    """A number of cores that runs take turns to compute on."""

    def __init__(self, count: Callable[[], int] = available_cores) -> None:
        """Hold none of them.

        Args:
          count: how many there are; asked whenever somebody asks for one, since it may change.
        """
        self._count = count
        self._counted = 1
        self._turns: Turns[_Waiter] = Turns()
        self._lock = threading.Lock()  # held for microseconds, and never while a task waits

    def share(self, at_most: int, priority: int = 0, threads: int = 1) -> "Share":
        """Return a run's share of the cores.

        Args:
          at_most: how many it holds at once.
          priority: higher ones go first.
          threads: among how many the CPUs are shared while these compute for a short time; one has them all.
        """
        return Share(self, at_most, priority, threads)

    def _ask(self, line: Line[_Waiter], waiter: _Waiter) -> bool:
        """Get in line; return whether the core is there at once, else the waiter will be woken."""
        with self._lock:
            self._turns.ask(line, waiter)
            self._counted = self._count()  # here, since a thread that computes may be kept from some of them
        return self._give_away(waiter.loop, waiter)

    def _leave(self, line: Line[_Waiter], waiter: _Waiter) -> bool:
        with self._lock:
            return self._turns.leave(line, waiter)

    def _give_back(self, line: Line[_Waiter]) -> None:
        with self._lock:
            self._turns.give_back(line)

    def _give_away(self, here: trio.lowlevel.TrioToken, asking: _Waiter | None = None) -> bool:
        """Give the free cores to those whose turn it is; return whether who is asking for one got it."""
        has_got = False
        while (granted := self._next()) is not None:
            if granted[1] is asking and asking.function is None:
                has_got = True
            else:
                self._serve(*granted, here)
        return has_got

    def _serve(self, line: Line[_Waiter], waiter: _Waiter, here: trio.lowlevel.TrioToken | None) -> None:
        """Let somebody have the core that was granted."""
        if waiter.function is not None:
            self._start(line, waiter)
            return
        try:
            waiter.wake(here)
        except _BROKEN:  # it will never give the core back
            self._give_back(line)

    def _start(self, line: Line[_Waiter], waiter: _Waiter) -> None:
        """Compute in a thread on a core that was granted."""
        # Taken out by the thread, which would else keep them for as long as it goes on.
        granted = [(line, waiter)]
        try:
            threads.PROCESS.start(lambda place: self._compute(place, *granted.pop()), waiter.allowance)
        except (RuntimeError, MemoryError) as error:  # there is no room for another thread
            self._give_back(line)
            waiter.result = outcome.Error(error)
            waiter.tell()

    def _compute(self, place: Place, line: Line[_Waiter], waiter: _Waiter) -> Callable[[], None]:
        """Compute, and then whatever is next, for as long as there is something; runs in a thread.

        Returns:
          How to tell of the last.  Whoever is told may leave and end the process, or have the next for the
          thread to compute.
        """
        while True:
            waiter.compute()
            self._give_back(line)
            following = None
            while (granted := self._next()) is not None:
                if following is None and granted[1].function is not None:
                    following = granted
                else:
                    self._serve(*granted, None)
            if following is None:
                return waiter.tell
            waiter.tell()  # what is next is in hand already, so that its loop waits for it
            line, waiter = following
            place.take(waiter.allowance)

    def _next(self) -> tuple[Line[_Waiter], _Waiter] | None:
        with self._lock:
            return self._turns.grant(self._counted)


class Share:
    """What one run may have of the cores: ``async with share`` computes on one, when it is its turn."""

    def __init__(self, cores: Cores, at_most: int, priority: int, threads: int) -> None:
        """Hold no core; ``at_most`` of them at once later."""
        self._cores = cores
        self._line: Line[_Waiter] = Line(at_most, priority)
        self._threads = threads

    @enable_ki_protection
    async def compute(
        self, function: Callable[[], T], /, *, seconds: float = math.inf, outlives: bool = False
    ) -> T:
        """Run a blocking function in a thread, on a core, when it is this run's turn.

        It is a ``Runner``.  Who is cancelled while waiting leaves; a function that runs is waited for.
        """
        allowance = Allowance(allowed_cpus(), self._threads if seconds <= SHORT else 1)
        waiter, _ = await self._asked(function, allowance)
        result: T = await trio.lowlevel.wait_task_rescheduled(self._leaving(waiter))
        return result

    @enable_ki_protection
    async def __aenter__(self) -> None:
        """Wait for a core; a checkpoint."""
        waiter, got_one = await self._asked(None)
        if got_one:
            await trio.lowlevel.cancel_shielded_checkpoint()
        else:
            await trio.lowlevel.wait_task_rescheduled(self._leaving(waiter))

    @enable_ki_protection
    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        """Give the core back; no checkpoint."""
        self._cores._give_back(self._line)
        self._cores._give_away(trio.lowlevel.current_trio_token())

    async def _asked(
        self, function: Callable[[], Any] | None, allowance: Allowance = ANY
    ) -> tuple[_Waiter, bool]:
        """Get in line; return who waits there, and whether a core is there at once."""
        await trio.lowlevel.checkpoint_if_cancelled()
        waiter = _Waiter(
            trio.lowlevel.current_task(), trio.lowlevel.current_trio_token(), function, allowance
        )
        return waiter, self._cores._ask(self._line, waiter)

    def _leaving(self, waiter: _Waiter) -> Callable[[Any], Abort]:
        def abort(_: object) -> Abort:
            # If it was given a core in another thread just now, its waking is on its way.
            return Abort.SUCCEEDED if self._cores._leave(self._line, waiter) else Abort.FAILED

        return abort


PROCESS = Cores()
"""Those of this process."""
