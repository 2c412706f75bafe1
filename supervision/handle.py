"""Hold a supervisor from outside: find its children, change them, look at the whole tree."""

from collections.abc import Callable
from typing import Any, final

from supervision import snapshot
from supervision.child import Blueprint, ChildSpec
from supervision.child_keeper import ChildKeeper
from supervision.children import Child, DeleteChild, RestartChild, StartChild, TerminateChild
from supervision.errors import NoSuchChild, ProcessExited
from supervision.exits import ExitReason, NoProc
from supervision.process import Process
from supervision.reference import ProcessRef, Ref


class _Handle:
    """What can be asked of every supervisor. Snapshots are immediate; commands are carried out in turn."""

    def __init__(self, ref: Ref, locate: Callable[[], ChildKeeper | None]) -> None:
        """Hold the supervisor at ``ref``; the library makes these.

        Args:
          ref: where commands are sent.
          locate: finds the current incarnation.
        """
        self.ref = ref
        self._locate = locate

    def which_children(self) -> tuple[snapshot.ChildInfo, ...]:
        """Return the children, oldest first."""
        return snapshot.which_children(self._here())

    def count_children(self) -> snapshot.ChildCounts:
        """Return how many children there are."""
        return snapshot.count_children(self._here())

    def statistics(self) -> snapshot.SupervisorStatistics:
        """Return a snapshot of the whole tree below."""
        return snapshot.statistics(self._here())

    async def wait_exited(self) -> ExitReason:
        """Wait until the supervisor has ended, and all its children with it; return why."""
        return await self.ref.wait_exited()

    async def _ask(self, command: object) -> Any:
        # Finds out first whether it is a supervisor: a server would take a command for a message.
        self._here()
        return await self.ref.call(command)

    def _here(self) -> ChildKeeper:
        supervisor = self._locate()
        if supervisor is None:
            raise ProcessExited(NoProc(), str(self.ref))
        return supervisor


@final
class Supervisor(_Handle):
    """A handle on a supervisor whose children have ids and an order of start."""

    def child(self, id: str, *below: str) -> Ref:
        """Return the address of a child, or of a child of a child: of its current incarnation when used.

        Two that mean the same place are equal, from whichever supervisor above they were asked.
        """
        return self._below(id, *below)

    def supervisor(self, id: str, *below: str) -> "Supervisor":
        """Return a handle on a supervisor further down."""
        ref = self._below(id, *below)
        return Supervisor(ref, ref.locate_supervisor)

    def dynamic_supervisor(self, id: str, *below: str) -> "DynamicSupervisor":
        """Return a handle on a dynamic supervisor further down."""
        ref = self._below(id, *below)
        return DynamicSupervisor(ref, ref.locate_supervisor)

    def _below(self, *ids: str) -> "_ChildRef":
        if isinstance(self.ref, _ChildRef):
            return self.ref.below(ids)
        return _ChildRef(self._locate, ids)

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


@final
class DynamicSupervisor(_Handle):
    """A handle on a supervisor whose children come and go; each is known by its ref."""

    async def start_child(self, spec: ChildSpec) -> ProcessRef | None:
        """Add a child and wait until it has started. Any number of children may have the same id.

        A child that ends and is not restarted, or is terminated, is forgotten.

        Returns:
          The running child; None if its ``init`` returned ``Ignore``.

        Raises:
          StartFailed: when it did not come up.
          TooManyChildren: when there are ``max_children`` already; those that wait to be restarted count.
          SpecError: when the child cannot live under this supervisor.
        """
        ref: ProcessRef | None = await self._ask(StartChild(spec))
        return ref

    async def terminate_child(self, ref: ProcessRef) -> None:
        """Stop a child within its time and forget it; one that waits for its restart is not started again.

        Args:
          ref: what ``start_child`` or ``which_children`` gave; each restart gives the child a new one.

        Raises:
          NoSuchChild: when ``ref`` is no child, because it has ended or has been restarted, say.
        """
        await self._ask(TerminateChild(ref))


@final
class _ChildRef(Ref):
    """A place in the tree as an address: where it is rooted, and the ids that lead there."""

    def __init__(self, locate: Callable[[], ChildKeeper | None], path: tuple[str, ...]) -> None:
        self._locate = locate
        self._path = path

    def resolve(self) -> Process | None:
        child = self._find()
        return None if child is None else child.process

    def below(self, ids: tuple[str, ...]) -> "_ChildRef":
        return _ChildRef(self._locate, (*self._path, *ids))

    def locate_supervisor(self) -> ChildKeeper | None:
        child = self._find()
        if child is not None and not isinstance(child.spec.start, Blueprint):
            raise NoSuchChild(f"{self} is no supervisor")
        return None if child is None else child.nested

    def _find(self) -> Child | None:
        child, supervisor = None, self._locate()
        for id in self._path:
            child = None if supervisor is None else supervisor.find_child(id)
            supervisor = None if child is None else child.nested
        return child

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _ChildRef) and (self._locate, self._path) == (other._locate, other._path)

    def __hash__(self) -> int:
        return hash((self._locate, self._path))

    def __str__(self) -> str:
        return f"child {'/'.join(self._path)!r}"

    def __repr__(self) -> str:
        return f"<{self}>"
