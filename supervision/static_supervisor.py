"""Keep a fixed order of children running: carry out what the plan, the strategy and the intensity decide.

A server like any other, built on what processes offer to everybody. One task starts, stops and restarts,
so these never overlap; while it waits for a child's ``init``, its other requests wait.
"""

from typing import Any

import trio

from supervision.child import ChildSpec
from supervision.children import Child, DeleteChild, RestartChild, Retry, StartChild, TerminateChild
from supervision.errors import (
    AlreadyPresent,
    AlreadyStarted,
    GaveUp,
    NoSuchChild,
    StartFailed,
    StillRunning,
    SupervisionError,
)
from supervision.exits import ExitReason, Shutdown
from supervision.intensity import RestartIntensity
from supervision.messages import Down
from supervision.plan import SupervisorPlan
from supervision.process import shielded, spawn
from supervision.program import FunctionProgram, Program
from supervision.reference import ProcessRef
from supervision.server import Server, ServerProgram
from supervision.strategy import is_auto_shutdown_due, is_restarted, restart_round


class StaticSupervisor(Server):
    """The server behind every supervisor."""

    def __init__(self, plan: SupervisorPlan, path: tuple[str, ...]) -> None:
        """Prepare a supervisor; its ``init`` starts the children.

        Args:
          plan: children and rules.
          path: the ids that lead here from the root.
        """
        self.plan = plan
        self.path = path
        self.children = {spec.id: Child(spec) for spec in plan.children}
        self.restarts = 0
        self._intensity = RestartIntensity(plan.max_restarts, plan.max_seconds)

    async def init(self) -> None:
        """Start all children in order; if one does not come up, stop the others in reverse and fail."""
        is_complete = False
        try:
            for child in self.children.values():
                await self._start(child)
            is_complete = True
        finally:
            if not is_complete:
                with shielded():
                    await self._stop_all()

    async def handle_call(self, message: Any) -> ProcessRef | SupervisionError | None:
        """Carry out a command; a refusal is a reply, for the asker to raise."""
        try:
            return await self._carry_out(message)
        except SupervisionError as refusal:
            return refusal

    async def handle_cast(self, message: Any) -> None:
        """Try a failed restart again, unless somebody has decided otherwise meanwhile."""
        match message:
            case Retry(id, reason) if id in self.children and self.children[id].status == "restarting":
                await self._restart(self.children[id], reason)

    async def handle_info(self, message: Any) -> None:
        """Act on the end of a child."""
        match message:
            case Down(monitor, _, reason):
                ended = [child for child in self.children.values() if child.monitor is monitor]
                for child in ended:
                    await self._act_on_end(child, reason)

    async def terminate(self, reason: ExitReason) -> None:
        """Stop all children, the youngest first."""
        await self._stop_all()

    # Commands

    async def _carry_out(self, command: object) -> ProcessRef | None:
        match command:
            case StartChild(spec):
                return await self._add(spec)
            case TerminateChild(id):
                await self._stop(self._child(id))
                self._forget_if_temporary(self._child(id))
            case RestartChild(id):
                return await self._start_again(self._child(id))
            case DeleteChild(id):
                if self._child(id).is_active:
                    raise StillRunning(f"child {id!r} is running; terminate_child({id!r}) comes first")
                del self.children[id]
            case _:
                raise SupervisionError(f"a supervisor does not understand {command!r}")
        return None

    async def _add(self, spec: ChildSpec) -> ProcessRef | None:
        self.plan.check_child(spec)
        if (present := self.children.get(spec.id)) is not None:
            if present.status == "running":
                raise AlreadyStarted(f"child {spec.id!r} is running already")
            raise AlreadyPresent(f"child {spec.id!r} is {present.status}; restart_child or delete_child it")
        child = self.children[spec.id] = Child(spec)
        try:
            await self._start(child)
        except StartFailed:
            del self.children[spec.id]
            raise
        if child.process is None:
            self._forget_if_temporary(child)
        return child.ref

    async def _start_again(self, child: Child) -> ProcessRef | None:
        if child.is_active:
            raise AlreadyStarted(
                f"child {child.spec.id!r} is {child.status}; only a stopped child can be started"
            )
        await self._start(child)
        return child.ref

    def _child(self, id: str) -> Child:
        if id not in self.children:
            known = ", ".join(map(repr, self.children)) or "none"
            raise NoSuchChild(f"the supervisor has no child {id!r}; its children are: {known}")
        return self.children[id]

    # Ends of children

    async def _act_on_end(self, child: Child, reason: ExitReason) -> None:
        self._set_down(child)
        if is_restarted(child.spec.restart, reason):
            await self._restart(child, reason)
            return
        self._forget_if_temporary(child)
        if child.spec.significant and is_auto_shutdown_due(
            self.plan.auto_shutdown, self._significant_active()
        ):
            self.stop(Shutdown())

    async def _restart(self, child: Child, reason: ExitReason) -> None:
        """Heal one failure, counted once, or give up. A start that fails is tried again, as a new failure."""
        self._intensity = self._intensity.record(trio.current_time())
        if self._intensity.is_exceeded:
            child.status = "stopped"
            failures = len(self._intensity.times)
            self.stop(Shutdown(GaveUp(child.spec.id, failures, self.plan.max_seconds, reason)))
            return
        child.status = "restarting"
        order = {id: other.spec.restart for id, other in self.children.items()}
        todo = restart_round(self.plan.strategy, order, child.spec.id)
        for id in todo.stop:
            await self._stop(self.children[id])
            self._forget_if_temporary(self.children[id])
        try:
            for id in todo.start:
                await self._start(self.children[id])
                self.children[id].restarts += 1
                self.restarts += 1
        except StartFailed as failure:
            self.children[failure.child].status = "restarting"
            # Through the mailbox, so that other requests are answered between two attempts.
            self.ref.cast(Retry(failure.child, failure.reason))

    def _significant_active(self) -> list[str]:
        return [id for id, child in self.children.items() if child.spec.significant and child.is_active]

    def _forget_if_temporary(self, child: Child) -> None:
        if child.spec.restart == "temporary":
            del self.children[child.spec.id]

    # Starting and stopping one child

    async def _start(self, child: Child) -> None:
        """Start a child and wait until it has started.

        Raises:
          StartFailed: when it ended before that.
        """
        child.status = "starting"
        spec, path = child.spec, (*self.path, child.spec.id)
        process = child.process = spawn(self._program(child, path), "/".join(path), spec.name)
        child.monitor = self.monitor(process.ref)
        await process.wait_started()
        if process.has_started:
            child.status = "running"
            return
        self._set_down(child)
        if not process.is_ignored:
            assert process.reason is not None
            raise StartFailed(spec.id, process.reason)

    def _program(self, child: Child, path: tuple[str, ...]) -> Program:
        spec = child.spec
        if isinstance(spec.start, SupervisorPlan):
            nested = child.nested = StaticSupervisor(spec.start, path)
            return ServerProgram(lambda: nested)
        if isinstance(spec.start, type):
            return ServerProgram(spec.start, spec.args, spec.kwargs)
        return FunctionProgram(spec.start, spec.args, spec.kwargs)

    async def _stop(self, child: Child) -> None:
        """Stop a child within its time and wait for its end, which then is nobody's failure."""
        if (process := child.process) is not None:
            if child.spec.shutdown == "brutal_kill":
                process.kill()
            else:
                process.exit(Shutdown())
                with trio.move_on_after(child.spec.grace):
                    await process.wait_exited()
                if not process.is_ended:
                    process.kill(overdue=True)
            # Without limit: a worker thread cannot be killed, only waited for.
            await process.wait_exited()
        self._set_down(child)

    async def _stop_all(self) -> None:
        for child in reversed(list(self.children.values())):
            await self._stop(child)

    def _set_down(self, child: Child) -> None:
        if child.monitor is not None:
            self.demonitor(child.monitor)
        child.process = child.monitor = child.nested = None
        child.status = "stopped"
