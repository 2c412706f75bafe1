"""Name what a supervisor remembers of its children, and what it can be told to do with them."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from supervision.child import ChildSpec
from supervision.exits import ExitReason
from supervision.messages import Monitor
from supervision.process import Process
from supervision.reference import ProcessRef

if TYPE_CHECKING:
    from supervision.static_supervisor import StaticSupervisor

ChildStatus = Literal["starting", "running", "restarting", "stopped"]


@dataclass(frozen=True, slots=True)
class StartChild:
    """Add a child and start it."""

    spec: ChildSpec


@dataclass(frozen=True, slots=True)
class TerminateChild:
    """Stop a child and leave it stopped."""

    id: str


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
    """Try again to restart a child that did not come up."""

    id: str
    reason: ExitReason


@dataclass(slots=True)
class Child:
    """What a supervisor remembers of a child."""

    spec: ChildSpec
    status: ChildStatus = "stopped"
    restarts: int = 0
    process: Process | None = None
    monitor: Monitor | None = None
    nested: "StaticSupervisor | None" = None
    """The current incarnation, where the child is a supervisor itself."""

    @property
    def is_active(self) -> bool:
        """Whether it runs or is about to."""
        return self.status != "stopped"

    @property
    def ref(self) -> ProcessRef | None:
        """Its current incarnation."""
        return None if self.process is None else self.process.ref
