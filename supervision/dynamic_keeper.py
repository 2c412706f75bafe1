"""Keep children that come and go, without an order: each is restarted alone, all are stopped at once."""

from collections.abc import Iterable, Sequence
from itertools import count
from operator import attrgetter
from typing import final

from supervision.child import ChildSpec
from supervision.child_keeper import ChildKeeper, MakeKeeper
from supervision.children import Child, StartChild, TerminateChild
from supervision.errors import NoSuchChild, StartFailed, SupervisionError, TooManyChildren
from supervision.exits import ExitReason
from supervision.plan import DynamicPlan
from supervision.reference import ProcessRef
from supervision.strategy import is_restarted


@final
class DynamicKeeper(ChildKeeper):
    """The server behind ``open_dynamic_supervisor`` and ``dynamic_supervisor``."""

    kind = "dynamic"

    def __init__(self, plan: DynamicPlan, path: tuple[str, ...], make_keeper: MakeKeeper) -> None:
        """Prepare a supervisor without children.

        Args:
          plan: the rules.
          path: the ids that lead here from the root.
          make_keeper: makes the supervisors among the children.
        """
        super().__init__(plan.limit, path, make_keeper)
        self.plan = plan
        self.children: dict[Child, None] = {}
        self._known: dict[ProcessRef, Child] = {}
        """By the last incarnation that came up, which names a child also while it waits for the next one."""
        self._numbers = count()

    async def terminate(self, reason: ExitReason) -> None:
        """Stop all children at once; each has its own time."""
        running = [child for child in self.children if child.process is not None]
        for child in running:
            self.ask_to_stop(child)
        # Waiting in the order of the deadlines is waiting for all at once, without a task for each.
        for child in sorted(running, key=attrgetter("deadline")):
            await self.wait_for_deadline(child)
        for child in running:
            await self.wait_until_gone(child)
            self.set_down(child)

    def list_children(self) -> Iterable[Child]:
        """Return the children, the oldest first."""
        return self.children

    def find_child(self, id: str) -> Child | None:
        """Return None: ids are not unique here, refs are."""
        return None

    async def carry_out(self, command: object) -> ProcessRef | None:
        """Carry out a command, or raise the SupervisionError that refuses it."""
        match command:
            case StartChild(spec):
                return await self._add(spec)
            case TerminateChild(ProcessRef() as ref):
                child = self._child(ref)
                await self.stop_child(child)
                self.forget_if_gone(child)
                return None
            case _:
                raise SupervisionError(
                    "a dynamic supervisor knows its children by what start_child returned, their refs; "
                    f"got {command!r}"
                )

    async def _add(self, spec: ChildSpec) -> ProcessRef | None:
        self.plan.check_child(spec)
        limit = self.plan.max_children
        if limit is not None and len(self.children) >= limit:
            raise TooManyChildren(f"there are {limit} children already, and max_children={limit}")
        child = Child(spec, place=f"{self.place}/{spec.id}#{next(self._numbers)}")
        self.children[child] = None
        try:
            await self.start(child)
        except StartFailed:
            self.forget_if_gone(child)
            raise
        return child.ref

    async def start(self, child: Child) -> None:
        """Start a child, which from then on is named by its new ref."""
        await super().start(child)
        if child.ref is not None:
            self._forget_ref(child)
            child.last_ref = child.ref
            self._known[child.ref] = child

    def _forget_ref(self, child: Child) -> None:
        if child.last_ref is not None:
            del self._known[child.last_ref]

    def _child(self, ref: ProcessRef) -> Child:
        if (child := self._known.get(ref)) is None:
            raise NoSuchChild(f"{ref} is no child of this supervisor, or is one no more")
        return child

    async def after_end(self, child: Child, reason: ExitReason, lived: float) -> None:
        """Restart the child, or forget it."""
        if is_restarted(child.spec.restart, reason):
            await self.heal(child, reason, lived)
        else:
            self.forget_if_gone(child)

    async def prepare_round(self, child: Child) -> Sequence[Child]:
        """Stop nobody: a child is restarted alone."""
        return (child,)

    def forget_if_gone(self, child: Child) -> None:
        """Forget any child that is down: nobody could name it to start it again."""
        del self.children[child]
        self._forget_ref(child)
