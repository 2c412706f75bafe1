"""Run a supervision tree for as long as an ``async with`` block: nothing in it outlives the block."""

from collections.abc import Callable, Iterable
from contextlib import AbstractAsyncContextManager
from traceback import format_exception_only
from types import TracebackType
from typing import Generic, TypeVar, final

import trio
from trio.lowlevel import enable_ki_protection

from supervision.backoff import Backoff
from supervision.child import ChildSpec
from supervision.child_keeper import ChildKeeper
from supervision.errors import GaveUp, ProcessExited, StartFailed
from supervision.exits import Crash, Killed, Shutdown
from supervision.handle import DynamicSupervisor, Supervisor
from supervision.keepers import make_keeper
from supervision.plan import DynamicPlan, RestartLimit, SupervisorPlan
from supervision.process import Process
from supervision.reference import Ref
from supervision.server_loop import ServerLoop
from supervision.spawning import spawn_in
from supervision.strategy import AutoShutdown, Strategy


def open_supervisor(
    children: Iterable[ChildSpec],
    *,
    strategy: Strategy = "one_for_one",
    max_restarts: int = 3,
    max_seconds: float = 5.0,
    auto_shutdown: AutoShutdown = "never",
    backoff: Backoff | None = None,
) -> AbstractAsyncContextManager[Supervisor]:
    """Start a supervisor and its children; stop them, in reverse order, when the block is left.

    Every way of leaving the block stops the children, each within its own time: its end, an exception
    (raised on, unwrapped, when they have stopped), or a cancellation from around. If the supervisor
    gives up, the block is cancelled.

    Args:
      children: in the order of start; each has started before the next one is.
      strategy: who is restarted with a failed child.
      max_restarts: failures that are healed within ``max_seconds``; one more and the supervisor gives up.
      max_seconds: the period over which failures are counted.
      auto_shutdown: whether the own end of significant children ends the supervisor.
      backoff: how long to wait before a restart; not at all by default.

    Returns:
      A context manager that gives a handle on the supervisor.

    Raises:
      SpecError: when children and rules contradict each other; at once.
      StartFailed: on entering, when a child does not come up; the others have been stopped.
      GaveUp: on leaving, when the supervisor gave up; the last crash is its cause.
    """
    limit = RestartLimit(max_restarts, max_seconds, backoff)
    plan = SupervisorPlan(children, strategy, limit, auto_shutdown)
    return _Scope(make_keeper(plan), Supervisor)


def open_dynamic_supervisor(
    *,
    max_children: int | None = None,
    max_restarts: int = 3,
    max_seconds: float = 5.0,
    backoff: Backoff | None = None,
) -> AbstractAsyncContextManager[DynamicSupervisor]:
    """Start a supervisor whose children come and go; when the block is left, stop them all at once.

    It starts empty, restarts its children one for one, and forgets those that have ended. For everything
    else, see ``open_supervisor``.

    Args:
      max_children: how many children it may have at a time; None means any number.
      max_restarts: failures that are healed within ``max_seconds``; one more and the supervisor gives up.
      max_seconds: the period over which failures are counted.
      backoff: how long to wait before a restart; not at all by default.

    Returns:
      A context manager that gives a handle on the supervisor.

    Raises:
      SpecError: when a rule cannot work; at once.
      GaveUp: on leaving, when the supervisor gave up; the last crash is its cause.
    """
    plan = DynamicPlan(max_children, RestartLimit(max_restarts, max_seconds, backoff))
    return _Scope(make_keeper(plan), DynamicSupervisor)


Handle = TypeVar("Handle", Supervisor, DynamicSupervisor)
MakeHandle = Callable[[Ref, Callable[[], ChildKeeper | None]], Handle]


@final
class _Scope(AbstractAsyncContextManager[Handle], Generic[Handle]):
    """A class and not a generator, so that what the body raises is seen as it is and passed on as it is."""

    def __init__(self, server: ChildKeeper, handle: MakeHandle[Handle]) -> None:
        self._server = server
        self._handle: MakeHandle[Handle] = handle
        self._body = trio.CancelScope()
        self._root: Process

    @enable_ki_protection
    async def __aenter__(self) -> Handle:
        # Not before, so that a tree may be described where trio does not run yet.
        self._nursery = trio.open_nursery()
        nursery = await self._nursery.__aenter__()
        self._root = spawn_in(nursery, ServerLoop(lambda: self._server, spawns=True), "supervisor")
        is_entered = False
        try:
            await self._root.wait_started()
            is_entered = self._root.has_started
        finally:
            # Not entered: it failed, or waiting for it was cancelled or interrupted.
            if not is_entered:
                await self._stop_and_close()
        if (failure := self._failure()) is not None:
            raise failure
        nursery.start_soon(self._cancel_body_on_failure, name="end of the supervisor")
        self._body.__enter__()
        return self._handle(self._root.ref, lambda: self._server)

    @enable_ki_protection
    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool:
        try:
            await self._stop()
        finally:
            try:
                # Now, for if it is a group, only what is left of it is raised; notes are passed on to that.
                self._note_failure(error)
                is_absorbed = self._body.__exit__(kind, error, traceback)
            finally:
                await self._close()
        failure = self._failure()
        if failure is not None and (error is None or is_absorbed):
            raise failure
        return is_absorbed

    def _note_failure(self, error: BaseException | None) -> None:
        if error is not None and (failure := self._failure()) is not None:
            error.add_note(f"Meanwhile: {format_exception_only(failure)[0].strip()}")

    async def _stop_and_close(self) -> None:
        try:
            await self._stop()
        finally:
            await self._close()

    async def _stop(self) -> None:
        # Bounded by the children's own times to stop in.
        with trio.CancelScope(shield=True):
            self._root.end(Shutdown())
            await self._root.wait_exited()

    async def _close(self) -> None:
        """Wait for the last task. Processes raise nothing, so what is raised here is an interrupt."""
        interrupt: BaseException | None = None
        try:
            await self._nursery.__aexit__(None, None, None)
        except BaseExceptionGroup as group:
            interrupt = group
        while isinstance(interrupt, BaseExceptionGroup):
            interrupt = interrupt.exceptions[0]
        if interrupt is not None:
            raise interrupt

    @enable_ki_protection
    async def _cancel_body_on_failure(self) -> None:
        # Shielded, for a cancellation from here would take the place of what the body has raised.
        with trio.CancelScope(shield=True):
            await self._root.wait_exited()
        if (failure := self._failure()) is not None:
            self._body.cancel(reason=f"the supervisor ended: {type(failure).__name__}")

    def _failure(self) -> Exception | None:
        """Return what to raise for the supervisor's end; None if it runs, or has ended as it should."""
        match self._root.reason:
            case Crash(StartFailed() as failure) | Shutdown(GaveUp() as failure):
                return failure
            case Killed() | Crash() as reason:
                return ProcessExited(reason, "the supervisor")
            case _:
                return None
