"""Start, watch and stop one child at a time, and count failures: what all supervisors have in common.

A server like any other, built on what processes offer to everybody. One task starts, stops and restarts,
so these never overlap; while it waits for a child's ``init``, its other requests wait. Which children
there are, and who is restarted with whom, is for the two kinds of supervisors to say.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from typing import Any, ClassVar, Literal

import trio
from trio.lowlevel import enable_ki_protection

from supervision.children import Child, Retry, WaitIsOver
from supervision.errors import GaveUp, StartFailed, SupervisionError
from supervision.exits import ExitReason, Shutdown
from supervision.intensity import RestartIntensity
from supervision.mailbox import Mailbox
from supervision.messages import Down
from supervision.notices import tell
from supervision.plan import DynamicPlan, RestartLimit, SupervisorPlan
from supervision.program import FunctionProgram, Program
from supervision.reference import ProcessRef, Ref
from supervision.report import report_give_up, report_restart
from supervision.server import NO_REPLY, Server
from supervision.server_loop import ServerLoop
from supervision.spawning import spawn
from supervision.strategy import Strategy

SupervisorKind = Literal["static", "dynamic"]
"""Children with ids and an order of start; children that come and go."""


class ChildKeeper(Server, ABC):
    """The server behind every supervisor."""

    kind: ClassVar[SupervisorKind]
    strategy: Strategy = "one_for_one"
    trap_exit = True
    restarts: int = 0
    """How many starts were restarts, of all children."""

    def __init__(self, limit: RestartLimit, path: tuple[str, ...], make_keeper: "MakeKeeper") -> None:
        """Prepare to keep children.

        Args:
          limit: how much is healed before giving up.
          path: the ids that lead here from the root.
          make_keeper: makes the supervisors among the children, of either kind.
        """
        self.path = path
        self.place = ""
        self._make_keeper = make_keeper
        self._limit = limit
        self._intensity = RestartIntensity(limit.max_restarts, limit.max_seconds)
        self._watched: dict[Ref, Child] = {}

    @abstractmethod
    def list_children(self) -> Iterable[Child]:
        """Return the children, oldest first."""

    @abstractmethod
    async def carry_out(self, command: object) -> ProcessRef | None:
        """Carry out a command, or raise the SupervisionError that refuses it."""

    @abstractmethod
    def find_child(self, id: str) -> Child | None:
        """Return the child that the id means, if ids mean anything here."""

    @abstractmethod
    async def after_end(self, child: Child, reason: ExitReason, lived: float) -> None:
        """Decide what follows from the end of a child that has lived for so many seconds."""

    @abstractmethod
    async def prepare_round(self, child: Child) -> Sequence[Child]:
        """Stop whoever is restarted with a failed child; return all of them in the order of start.

        Those that were stopped for it wait then, as it does.
        """

    @abstractmethod
    def forget_if_gone(self, child: Child) -> None:
        """Forget a child that is down for good, if this kind of supervisor keeps no such spec."""

    async def handle_call(self, message: Any) -> Any:
        """Carry out a command; a refusal is raised where it was given."""
        try:
            return await self.carry_out(message)
        except SupervisionError as refusal:
            self.defer().fail(refusal)
            return NO_REPLY

    async def handle_cast(self, message: Any) -> None:
        """Ignore it: supervisors are asked by calls."""

    async def handle_info(self, message: Any) -> None:
        """Act on the end of a child; or go on with a restart, unless somebody has decided otherwise."""
        match message:
            case Down(_, ref, reason) if (child := self._watched.get(ref)) is not None:
                self.set_down(child)
                await self.after_end(child, reason, trio.current_time() - child.started_at)
            case Retry(child, attempt) | WaitIsOver(child, attempt) if child.attempt != attempt:
                pass
            case Retry(child) | WaitIsOver(child) if child.status != "restarting":
                await self._start_all(_still_waiting(child))
            case Retry(child, _, reason):
                await self.heal(child, reason, lived=0.0)
            case WaitIsOver(child):
                await self._start_all(await self.prepare_round(child))

    # Healing

    async def heal(self, child: Child, reason: ExitReason, lived: float) -> None:
        """Answer one failure, counted once: restart at once or after the backoff, or give up."""
        self._intensity.record(trio.current_time())
        if self._intensity.is_exceeded:
            child.status = "stopped"
            failures = self._intensity.failures
            report_give_up(self._label, child.spec.id, failures, reason)
            self.stop(Shutdown(GaveUp(child.spec.id, failures, self._limit.max_seconds, reason)))
            return
        child.status = "restarting"
        report_restart(self._label, child.spec.id, child.restarts + 1, reason)
        # At once, not after a wait: they depend on the one that failed.
        together = await self.prepare_round(child)
        if (backoff := self._limit.backoff) is None:
            await self._start_all(together)
            return
        self._let_wait(child, together)
        child.failures = backoff.failures_in_a_row(child.failures, lived)
        self.start_soon(
            self._wait_for_restart, child, child.attempt, backoff.wait(child.place, child.failures)
        )

    async def _wait_for_restart(self, child: Child, attempt: int, seconds: float) -> None:
        await trio.sleep(seconds)
        tell(self.ref, WaitIsOver(child, attempt))

    async def _start_all(self, children: Sequence[Child]) -> None:
        for place, child in enumerate(children):
            try:
                await self.start(child)
            except StartFailed as failure:
                self._let_wait(child, children[place:])
                # Through the mailbox, so that other requests are answered between two attempts.
                tell(self.ref, Retry(child, child.attempt, failure.reason))
                return
            child.restarts += 1
            self.restarts += 1

    def _let_wait(self, first: Child, children: Sequence[Child]) -> None:
        """Have children wait to be started together, whomever they have waited for before."""
        first.status = "restarting"
        for child in children:
            child.attempt += 1
        first.followers = tuple((child, child.attempt) for child in children if child is not first)

    @property
    def _label(self) -> str:
        return self._loop.process.label

    # Starting and stopping one child

    async def start(self, child: Child) -> None:
        """Start a child and wait until it has started, or has said that there is nothing to do.

        Raises:
          StartFailed: when it ended before that.
        """
        child.status = "starting"
        spec, path = child.spec, (*self.path, child.spec.id)
        mailbox = None if spec.capacity is None else Mailbox(spec.capacity, spec.overflow)
        program = self._program(child, path)
        process = child.process = spawn(program, "/".join(path), mailbox=mailbox, name=spec.name)
        child.monitor = self.monitor(process.ref)
        self._watched[process.ref] = child
        await process.wait_started()
        if process.has_started:
            child.status = "running"
            child.started_at = trio.current_time()
            return
        self.set_down(child)
        if process.is_ignored:
            self.forget_if_gone(child)
            return
        assert process.reason is not None
        raise StartFailed(spec.id, process.reason)

    def _program(self, child: Child, path: tuple[str, ...]) -> Program:
        spec = child.spec
        if isinstance(spec.start, SupervisorPlan | DynamicPlan):
            nested = child.nested = self._make_keeper(spec.start, path)
            nested.place = child.place
            return ServerLoop(lambda: nested, spawns=True)
        if isinstance(spec.start, type):
            return ServerLoop(spec.start, spec.args, spec.kwargs)
        return FunctionProgram(spec.start, spec.args, spec.kwargs)

    async def stop_child(self, child: Child) -> None:
        """Stop a child within its time and wait for its end, which then is nobody's failure."""
        if child.process is not None:
            self.ask_to_stop(child)
            await self.wait_for_deadline(child)
            await self.wait_until_gone(child)
        self.set_down(child)

    def ask_to_stop(self, child: Child) -> None:
        """Tell a child to stop, in the words of its spec."""
        assert child.process is not None
        if child.deadline is None:
            child.deadline = trio.current_time() + child.spec.grace
        if child.spec.shutdown == "brutal_kill":
            child.process.kill()
        else:
            child.process.end(Shutdown())

    async def wait_for_deadline(self, child: Child) -> None:
        """Wait for the end of a child that has been told to stop; at its deadline, kill it."""
        assert child.process is not None
        assert child.deadline is not None
        with trio.move_on_at(child.deadline):
            await child.process.wait_exited()
        if not child.process.is_ended:
            child.process.kill(overdue=True)

    async def wait_until_gone(self, child: Child) -> None:
        """Wait for the end without limit: a worker thread cannot be killed, only waited for."""
        assert child.process is not None
        await child.process.wait_exited()

    @enable_ki_protection
    def set_down(self, child: Child) -> None:
        """Remember that a child does not run, and look for no end of it."""
        if child.monitor is not None:
            del self._watched[child.monitor.ref]
            self.demonitor(child.monitor)
        child.process = child.monitor = child.nested = child.deadline = None
        child.status = "stopped"


def _still_waiting(child: Child) -> list[Child]:
    """Return those that wait with a child and, since, for nobody else."""
    return [
        other
        for other, attempt in child.followers
        if other.attempt == attempt and other.status == "restarting"
    ]


MakeKeeper = Callable[[SupervisorPlan | DynamicPlan, tuple[str, ...]], ChildKeeper]
"""Makes the supervisor of a plan, at the place in the tree that the ids lead to."""
