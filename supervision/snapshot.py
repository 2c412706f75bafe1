"""Show a supervisor as it stands: frozen records, made at once, of one level or of the whole tree below."""

from dataclasses import dataclass

from supervision.child import ChildType
from supervision.child_keeper import ChildKeeper, SupervisorKind
from supervision.children import Child, ChildStatus
from supervision.reference import ProcessRef, ProcessStatistics
from supervision.strategy import Strategy


@dataclass(frozen=True, slots=True)
class ChildInfo:
    """One child, as it stands."""

    id: str
    ref: ProcessRef | None
    """The current incarnation; None while there is none. A child of a dynamic supervisor that waits for its
    restart has its last one still, for ``terminate_child``."""
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

    kind: SupervisorKind
    strategy: Strategy
    restarts: int
    """Of all its own children."""
    children: tuple[ChildStatistics, ...]
    """In the order of start."""


def which_children(supervisor: ChildKeeper) -> tuple[ChildInfo, ...]:
    """Return the children, oldest first."""
    return tuple(
        ChildInfo(child.spec.id, child.address, child.status, child.spec.type)
        for child in supervisor.list_children()
    )


def count_children(supervisor: ChildKeeper) -> ChildCounts:
    """Return how many children there are of each kind."""
    children = list(supervisor.list_children())
    supervisors = sum(child.spec.type == "supervisor" for child in children)
    active = sum(child.process is not None for child in children)
    return ChildCounts(len(children), active, supervisors, len(children) - supervisors)


def statistics(supervisor: ChildKeeper) -> SupervisorStatistics:
    """Return a snapshot of the whole tree below."""
    return SupervisorStatistics(
        supervisor.kind,
        supervisor.strategy,
        supervisor.restarts,
        tuple(_child_statistics(child) for child in supervisor.list_children()),
    )


def _child_statistics(child: Child) -> ChildStatistics:
    return ChildStatistics(
        child.spec.id,
        child.status,
        child.restarts,
        child.spec.type,
        None if child.process is None else child.process.statistics(),
        None if child.nested is None else statistics(child.nested),
    )
