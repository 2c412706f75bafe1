"""Hold a supervisor from outside: find its children, change them, look at the whole tree."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, final

from supervision.child import ChildSpec, ChildType
from supervision.children import Child, ChildStatus, DeleteChild, RestartChild, StartChild, TerminateChild
from supervision.errors import ProcessExited, SupervisionError
from supervision.exits import ExitReason, NoProc
from supervision.process import Process
from supervision.reference import ProcessRef, ProcessStatistics, Ref
from supervision.static_supervisor import StaticSupervisor
from supervision.strategy import Strategy


@dataclass(frozen=True, slots=True)
class ChildInfo:
    """One child, as it stands."""

    id: str
    ref: ProcessRef | None
    """The current incarnation; None while there is none."""
    status: ChildStatus
    type: ChildType


@dataclass(frozen=True, slots=True)
class ChildCounts:
    """How many children there are of each kind."""

    specs: int
    active: int
    """Running or starting; one that waits to be restarted is not active."""
    supervisors: int
    workers: int


@dataclass(frozen=True, slots=True)
class ChildStatistics:
    """How one child does."""

    id: str
    status: ChildStatus
    restarts: int
    """How often this supervisor has started it again, with others or alone."""
    type: ChildType
    process: ProcessStatistics | None
    """None while there is no incarnation."""
    supervisor: "SupervisorStatistics | None"
    """The tree below, where the child is a running supervisor."""


@dataclass(frozen=True, slots=True)
class SupervisorStatistics:
    """A snapshot of a supervisor and of everything below it."""

    strategy: Strategy
    restarts: int
    """Of all its own children."""
    children: tuple[ChildStatistics, ...]
    """In the order of start."""


@final
class Supervisor:
    """A handle on a supervisor. Snapshots are immediate; commands are carried out one after another."""

    def __init__(self, ref: Ref, locate: Callable[[], StaticSupervisor | None]) -> None:
        """Hold the supervisor at ``ref``; ``open_supervisor`` and ``Supervisor.supervisor`` make these.

        Args:
          ref: where commands are sent.
          locate: finds the current incarnation.
        """
        self.ref = ref
        self._locate = locate

    def child(self, id: str, *below: str) -> Ref:
        """Return the address of a child, or of a child of a child: of its current incarnation when used."""
        return _ChildRef(self._locate, (id, *below))

    def supervisor(self, id: str, *below: str) -> "Supervisor":
        """Return a handle on a supervisor further down."""
        ref = _ChildRef(self._locate, (id, *below))
        return Supervisor(ref, ref.locate_supervisor)

    def which_children(self) -> tuple[ChildInfo, ...]:
        """Return the children in the order of start."""
        return tuple(
            ChildInfo(child.spec.id, child.ref, child.status, child.spec.type)
            for child in self._here().children.values()
        )

    def count_children(self) -> ChildCounts:
        """Return how many children there are."""
        children = self._here().children.values()
        supervisors = sum(child.spec.type == "supervisor" for child in children)
        active = sum(child.process is not None for child in children)
        return ChildCounts(len(children), active, supervisors, len(children) - supervisors)

    def statistics(self) -> SupervisorStatistics:
        """Return a snapshot of the whole tree below."""
        return _statistics(self._here())

    async def start_child(self, spec: ChildSpec) -> ProcessRef | None:
        """Add a child at the end of the order and wait until it has started.

        Returns:
          The running child; None if its ``init`` returned ``Ignore``.

        Raises:
          StartFailed: when it did not come up; the spec is forgotten then.
          AlreadyStarted: when a child of that id is running.
          AlreadyPresent: when there is a child of that id that is not running.
          SpecError: when the child cannot live under this supervisor.
        """
        ref: ProcessRef | None = await self._ask(StartChild(spec))
        return ref

    async def terminate_child(self, id: str) -> None:
        """Stop a child and leave it stopped; a temporary one is forgotten. Stopping twice is no error.

        Raises:
          NoSuchChild: when there is no child of that id.
        """
        await self._ask(TerminateChild(id))

    async def restart_child(self, id: str) -> ProcessRef | None:
        """Start a stopped child.

        Raises:
          StartFailed: when it did not come up; it stays stopped then.
          AlreadyStarted: when it is not stopped.
          NoSuchChild: when there is no child of that id.
        """
        ref: ProcessRef | None = await self._ask(RestartChild(id))
        return ref

    async def delete_child(self, id: str) -> None:
        """Forget a stopped child.

        Raises:
          StillRunning: when it is not stopped.
          NoSuchChild: when there is no child of that id.
        """
        await self._ask(DeleteChild(id))

    async def wait_exited(self) -> ExitReason:
        """Wait until the supervisor has ended, and all its children with it; return why."""
        return await self.ref.wait_exited()

    async def _ask(self, command: object) -> Any:
        answer = await self.ref.call(command)
        if isinstance(answer, SupervisionError):
            raise answer
        return answer

    def _here(self) -> StaticSupervisor:
        supervisor = self._locate()
        if supervisor is None:
            raise ProcessExited(NoProc(), str(self.ref))
        return supervisor


@final
class _ChildRef(Ref):
    """A place in the tree as an address."""

    def __init__(self, locate: Callable[[], StaticSupervisor | None], path: tuple[str, ...]) -> None:
        self._locate = locate
        self._path = path

    def resolve(self) -> Process | None:
        child = self._find()
        return None if child is None else child.process

    def locate_supervisor(self) -> StaticSupervisor | None:
        child = self._find()
        return None if child is None else child.nested

    def _find(self) -> Child | None:
        child, supervisor = None, self._locate()
        for id in self._path:
            child = None if supervisor is None else supervisor.children.get(id)
            supervisor = None if child is None else child.nested
        return child

    def __str__(self) -> str:
        return f"child {'/'.join(self._path)!r}"

    def __repr__(self) -> str:
        return f"<{self}>"


def _statistics(supervisor: StaticSupervisor) -> SupervisorStatistics:
    return SupervisorStatistics(
        supervisor.plan.strategy,
        supervisor.restarts,
        tuple(_child_statistics(child) for child in supervisor.children.values()),
    )


def _child_statistics(child: Child) -> ChildStatistics:
    return ChildStatistics(
        child.spec.id,
        child.status,
        child.restarts,
        child.spec.type,
        None if child.process is None else child.process.statistics(),
        None if child.nested is None else _statistics(child.nested),
    )
