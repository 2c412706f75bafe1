"""Keep a fixed order of children running: carry out what the plan and the strategy decide."""

from collections.abc import Iterable, Iterator, Sequence
from typing import final

from supervision.child import ChildSpec
from supervision.child_keeper import ChildKeeper, MakeKeeper
from supervision.children import Child, DeleteChild, RestartChild, StartChild, TerminateChild
from supervision.errors import (
    AlreadyPresent,
    AlreadyStarted,
    NoSuchChild,
    StartFailed,
    StillRunning,
    SupervisionError,
)
from supervision.exits import ExitReason, Shutdown
from supervision.plan import SupervisorPlan
from supervision.reference import ProcessRef
from supervision.spawning import shielded
from supervision.strategy import is_auto_shutdown_due, is_restarted, restart_round


@final
class StaticKeeper(ChildKeeper):
    """The server behind ``open_supervisor`` and ``supervisor``."""

    kind = "static"

    def __init__(self, plan: SupervisorPlan, path: tuple[str, ...], make_keeper: MakeKeeper) -> None:
        """Prepare a supervisor; its ``init`` starts the children.

        Args:
          plan: children and rules.
          path: the ids that lead here from the root.
          make_keeper: makes the supervisors among the children.
        """
        super().__init__(plan.limit, path, make_keeper)
        self.plan = plan
        self.strategy = plan.strategy
        self.children: dict[str, Child] = {}

    async def init(self) -> None:
        """Start all children in order; if one does not come up, stop the others in reverse and fail."""
        self.children = {spec.id: self._new(spec) for spec in self.plan.children_now()}
        is_complete = False
        try:
            for child in list(self.children.values()):
                await self.start(child)
            is_complete = True
        finally:
            if not is_complete:
                with shielded():
                    await self._stop_all()

    async def terminate(self, reason: ExitReason) -> None:
        """Stop all children, the youngest first."""
        await self._stop_all()

    def list_children(self) -> Iterable[Child]:
        """Return the children in the order of start."""
        return self.children.values()

    def find_child(self, id: str) -> Child | None:
        """Return the child of that id."""
        return self.children.get(id)

    async def carry_out(self, command: object) -> ProcessRef | None:
        """Carry out a command, or raise the SupervisionError that refuses it."""
        match command:
            case StartChild(spec):
                return await self._add(spec)
            case TerminateChild(str(id)):
                await self.stop_child(self._child(id))
                self.forget_if_gone(self._child(id))
            case RestartChild(str(id)):
                return await self._start_stopped(self._child(id))
            case DeleteChild(str(id)):
                if (child := self._child(id)).is_active:
                    raise StillRunning(f"child {id!r} is {child.status}; terminate_child({id!r}) comes first")
                del self.children[id]
            case _:
                raise SupervisionError(
                    f"a supervisor knows its children by their ids, which are strings; got {command!r}"
                )
        return None

    async def _add(self, spec: ChildSpec) -> ProcessRef | None:
        self.plan.check_child(spec)
        if (present := self.children.get(spec.id)) is not None:
            if present.status == "running":
                raise AlreadyStarted(f"child {spec.id!r} is running already")
            first = "terminate_child and then " if present.is_active else ""
            raise AlreadyPresent(
                f"child {spec.id!r} is {present.status}; {first}restart_child or delete_child it"
            )
        child = self.children[spec.id] = self._new(spec)
        try:
            await self.start(child)
        except StartFailed:
            del self.children[spec.id]
            raise
        return child.ref

    def _new(self, spec: ChildSpec) -> Child:
        return Child(spec, place=f"{self.place}/{spec.id}")

    async def _start_stopped(self, child: Child) -> ProcessRef | None:
        if child.is_active:
            raise AlreadyStarted(
                f"child {child.spec.id!r} is {child.status}; only a stopped child can be started"
            )
        await self.start(child)
        return child.ref

    def _child(self, id: str) -> Child:
        if id not in self.children:
            known = ", ".join(map(repr, self.children)) or "none"
            raise NoSuchChild(f"the supervisor has no child {id!r}; its children are: {known}")
        return self.children[id]

    async def after_end(self, child: Child, reason: ExitReason, lived: float) -> None:
        """Restart the child, or end with it, or go on without it."""
        if is_restarted(child.spec.restart, reason):
            await self.heal(child, reason, lived)
            return
        self.forget_if_gone(child)
        if child.spec.significant and is_auto_shutdown_due(
            self.plan.auto_shutdown, self._significant_active()
        ):
            self.stop(Shutdown())

    async def prepare_round(self, child: Child) -> Sequence[Child]:
        """Stop whom the strategy restarts with the child."""
        if self.plan.strategy == "one_for_one":
            return (child,)  # nobody else is looked at: there may be thousands
        order = {id: other.spec.restart for id, other in self.children.items()}
        todo = restart_round(self.plan.strategy, order, child.spec.id)
        for id in todo.stop:
            other = self.children[id]
            was_active = other.is_active
            await self.stop_child(other)
            self.forget_if_gone(other)
            if was_active:
                other.status = "restarting"
        return [self.children[id] for id in todo.start]

    def forget_if_gone(self, child: Child) -> None:
        """Forget a temporary child."""
        if child.spec.restart == "temporary":
            del self.children[child.spec.id]

    def _significant_active(self) -> Iterator[str]:
        return (id for id, child in self.children.items() if child.spec.significant and child.is_active)

    async def _stop_all(self) -> None:
        for child in reversed(list(self.children.values())):
            await self.stop_child(child)
