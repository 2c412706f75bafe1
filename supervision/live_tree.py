"""Show a supervision tree: as data with one kind of node, and printed."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import final

from supervision.child_keeper import SupervisorKind
from supervision.children import ChildStatus
from supervision.handle import DynamicSupervisor, Supervisor
from supervision.reference import ProcessStatistics
from supervision.snapshot import ChildStatistics, SupervisorStatistics
from supervision.strategy import Strategy


@final
@dataclass(frozen=True, slots=True)
class Node:
    """One process as it stood, and what was below it; ``str`` draws it, ``for`` walks through it."""

    id: str
    status: ChildStatus
    restarts: int
    """How often its supervisor has started it again."""
    process: ProcessStatistics | None
    """None while there is no incarnation."""
    kind: SupervisorKind | None = None
    """What kind of supervisor it is; None for a worker."""
    strategy: Strategy | None = None
    children: tuple["Node", ...] = ()

    def __iter__(self) -> "Iterator[Node]":
        """Go through this node and all below it, from the top, the oldest first."""
        yield self
        for child in self.children:
            yield from child

    def __str__(self) -> str:
        lines = list(self._lines())
        width = max(len(name) for name, _ in lines)
        return "\n".join(f"{name:<{width}}  {what}" for name, what in lines)

    def _lines(self) -> Iterator[tuple[str, str]]:
        yield self.id, self._in_words()
        for child in self.children:
            is_last = child is self.children[-1]
            first, rest = ("`- ", "   ") if is_last else ("|- ", "|  ")
            for place, (name, what) in enumerate(child._lines()):
                yield (first if place == 0 else rest) + name, what

    def _in_words(self) -> str:
        """Say what it is and what is remarkable: nothing is said of what is zero."""
        words: list[str] = []
        if self.kind is not None:
            words.append(self.strategy if self.kind == "static" and self.strategy else self.kind)
        if self.status != "running":
            words.append(self.status)
        words += _counted(self.restarts, "restart")
        if self.process is not None and self.kind is None:
            words += [f"{self.process.handled} handled"] if self.process.handled else []
            words += [f"{self.process.waiting} waiting"] if self.process.waiting else []
            words += [f"calling {self.process.calling!r}"] if self.process.calling else []
        return ", ".join(words) or "running"


def tree(supervisor: Supervisor | DynamicSupervisor) -> Node:
    """Return the tree of a supervisor as it stands, at once; ``print(tree(sup))`` draws it."""
    ref = supervisor.ref
    process = ref.statistics()
    name = process.label.rpartition("/")[2]
    return _supervisor_node(name, "running", 0, process, supervisor.statistics())


def _supervisor_node(
    id: str,
    status: ChildStatus,
    restarts: int,
    process: ProcessStatistics | None,
    below: SupervisorStatistics,
) -> Node:
    children = tuple(map(_node, below.children))
    return Node(id, status, restarts, process, below.kind, below.strategy, children)


def _node(child: ChildStatistics) -> Node:
    if child.supervisor is not None:
        return _supervisor_node(child.id, child.status, child.restarts, child.process, child.supervisor)
    return Node(child.id, child.status, child.restarts, child.process)


def _counted(number: int, what: str) -> list[str]:
    return [f"{number} {what}{'' if number == 1 else 's'}"] if number else []
