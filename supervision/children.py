"""Name what a supervisor remembers of its children, and what it can be told to do with them."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from supervision.child import ChildSpec
from supervision.exits import ExitReason
from supervision.messages import Monitor
from supervision.process import Process
from supervision.reference import ProcessRef

if TYPE_CHECKING:
    from supervision.child_keeper import ChildKeeper

ChildStatus = Literal["starting", "running", "restarting", "stopped"]


@dataclass(frozen=True, slots=True)
class StartChild:
    """Add a child and start it."""

    spec: ChildSpec


@dataclass(frozen=True, slots=True)
class TerminateChild:
    """Stop a child and leave it stopped: by its id, or by its ref where ids are not unique."""

    child: "str | ProcessRef"


@dataclass(frozen=True, slots=True)
class RestartChild:
    """Start a child that was stopped."""

    id: str


@dataclass(frozen=True, slots=True)
class DeleteChild:
    """Forget a child that is stopped."""

    id: str


@dataclass(frozen=True, slots=True)
class Retry:
    """Heal a child that did not come up: a failure of its own, which counts."""

    child: "Child"
    attempt: int
    reason: ExitReason


@dataclass(frozen=True, slots=True)
class WaitIsOver:
    """Restart a child after its backoff, unless somebody has decided otherwise meanwhile."""

    child: "Child"
    attempt: int


@dataclass(slots=True, eq=False)
class Child:
    """What a supervisor remembers of a child."""

    spec: ChildSpec
    status: ChildStatus = "stopped"
    restarts: int = 0
    process: Process | None = None
    monitor: Monitor | None = None
    nested: "ChildKeeper | None" = None
    """The current incarnation, where the child is a supervisor itself."""
    started_at: float = 0.0
    failures: int = 0
    """In a row, for the backoff."""
    attempt: int = 0
    """Counts the waits for a restart, so that one is known that another wait has taken the place of."""
    last_ref: ProcessRef | None = None
    """The last incarnation that came up, where a child is named by that."""
    place: str = ""
    """Where it stands in the tree, told apart from all others, also of those that have the same ids."""
    followers: tuple[tuple["Child", int], ...] = ()
    """Those of its last wait with their attempts: should it be stopped meanwhile, they come without it."""
    deadline: float | None = None
    """When it is killed, once it has been told to stop: whoever tells it again gives it no more time."""

    @property
    def is_active(self) -> bool:
        """Whether it runs or is about to."""
        return self.status != "stopped"

    @property
    def ref(self) -> ProcessRef | None:
        """Its current incarnation."""
        return None if self.process is None else self.process.ref

    @property
    def address(self) -> ProcessRef | None:
        """What it is named by, where its id does not do: also while it waits for its next incarnation."""
        return self.last_ref if self.status == "restarting" else self.ref
