"""Describe a supervisor: its children in order of start, and the rules by which it heals them.

A description only; the same plan can be started any number of times.
"""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import get_args

from supervision.backoff import Backoff
from supervision.child import Blueprint, ChildSpec, Name, RestartType, ShutdownTime, is_number, one_of
from supervision.errors import SpecError
from supervision.strategy import AutoShutdown, Strategy


@dataclass(frozen=True)
class RestartLimit:
    """How much a supervisor heals, and how fast.

    Raises:
      SpecError: when a number is out of its range.
    """

    max_restarts: int = 3
    max_seconds: float = 5.0
    backoff: Backoff | None = None

    def __post_init__(self) -> None:
        number = self.max_restarts
        if isinstance(number, bool) or not isinstance(number, int) or number < 0:
            raise SpecError(f"max_restarts must be a whole number, 0 or more, got {number!r}.")
        if not (is_number(self.max_seconds) and 0 < self.max_seconds < math.inf):
            raise SpecError(f"max_seconds must be a positive number of seconds, got {self.max_seconds!r}.")
        if self.backoff is not None and not isinstance(self.backoff, Backoff):
            raise SpecError(f"backoff must be a Backoff(min, max, ...) or None, got {self.backoff!r}.")


@dataclass(frozen=True)
class SupervisorPlan(Blueprint):
    """What a supervisor with an order of children is started from.

    Raises:
      SpecError: when a field is of the wrong kind, or children and flags contradict each other.
    """

    children: Iterable[ChildSpec] | Callable[[], Iterable[ChildSpec]]
    """In the order of start; kept as a tuple.  A function is asked whenever the supervisor is started."""
    strategy: Strategy = "one_for_one"
    limit: RestartLimit = RestartLimit()
    auto_shutdown: AutoShutdown = "never"

    def __post_init__(self) -> None:
        one_of("strategy", self.strategy, get_args(Strategy))
        one_of("auto_shutdown", self.auto_shutdown, get_args(AutoShutdown))
        if not callable(self.children):
            object.__setattr__(self, "children", self._checked(self.children))

    def children_now(self) -> tuple[ChildSpec, ...]:
        """Return the children to start with, in order.

        Raises:
          SpecError: when a function returned what no supervisor can have.
        """
        return self._checked(self.children() if callable(self.children) else self.children)

    def _checked(self, children: Iterable[ChildSpec]) -> tuple[ChildSpec, ...]:
        if isinstance(children, ChildSpec) or not isinstance(children, Iterable):
            raise SpecError(f"children must be a list of ChildSpecs, even of one, got {children!r}.")
        specs = tuple(children)
        seen: set[str] = set()
        for spec in specs:
            self.check_child(spec)
            if spec.id in seen:
                raise SpecError(f"Two children have the id {spec.id!r}; ids are unique within a supervisor.")
            seen.add(spec.id)
        return specs

    def check_child(self, spec: ChildSpec) -> None:
        """Raise SpecError if the child cannot live under this supervisor."""
        _check_is_spec(spec)
        if spec.significant and self.auto_shutdown == "never":
            raise SpecError(
                f"Child {spec.id!r} is significant, but auto_shutdown='never' ignores that. "
                "Write auto_shutdown='any_significant' or 'all_significant', or significant=False."
            )


@dataclass(frozen=True)
class DynamicPlan(Blueprint):
    """What a supervisor without an order of children is started from: all of them come later.

    Raises:
      SpecError: when a field is of the wrong kind.
    """

    max_children: int | None = None
    limit: RestartLimit = RestartLimit()

    def __post_init__(self) -> None:
        number = self.max_children
        if number is not None and (isinstance(number, bool) or not isinstance(number, int) or number < 0):
            raise SpecError(f"max_children must be a whole number, 0 or more, or None, got {number!r}.")

    def check_child(self, spec: ChildSpec) -> None:
        """Raise SpecError if the child cannot live under this supervisor."""
        _check_is_spec(spec)
        if spec.significant:
            raise SpecError(
                f"Child {spec.id!r} is significant, but the end of a child never ends a dynamic supervisor. "
                "Write significant=False, or put the child under a supervisor with auto_shutdown."
            )


def _check_is_spec(spec: object) -> None:
    if not isinstance(spec, ChildSpec):
        start = getattr(spec, "__name__", "start")
        raise SpecError(
            f"A child must be a ChildSpec, got {spec!r}. Write ChildSpec('an id', {start}, ...); "
            "for a supervisor among the children, supervisor('an id', [...])."
        )


def supervisor(  # noqa: PLR0913 - OTP's words, all but two of them keyword-only with defaults
    id: str,
    children: Iterable[ChildSpec] | Callable[[], Iterable[ChildSpec]],
    *,
    strategy: Strategy = "one_for_one",
    max_restarts: int = 3,
    max_seconds: float = 5.0,
    auto_shutdown: AutoShutdown = "never",
    backoff: Backoff | None = None,
    restart: RestartType = "permanent",
    shutdown: ShutdownTime = "infinity",
    significant: bool = False,
    name: Name | None = None,
) -> ChildSpec:
    """Describe a supervisor as a child of another one.

    Args:
      id: unique within the parent.
      children: in the order of start; stopped in reverse.  A function that returns them is asked at every
        start, so that a supervisor that is restarted can have other ones than it had at first.
      strategy: who is restarted with a failed child.
      max_restarts: failures that are healed within ``max_seconds``; one more ends this supervisor.
      max_seconds: the period over which failures are counted.
      auto_shutdown: whether the own end of significant children ends this supervisor.
      backoff: how long to wait before a restart; not at all by default.
      restart: when the parent restarts this supervisor.
      shutdown: time to stop in; "infinity" is safe as long as the children's own times are finite.
      significant: whether this supervisor's own end may end the parent.
      name: a name in a registry.
    """
    limit = RestartLimit(max_restarts, max_seconds, backoff)
    plan = SupervisorPlan(children, strategy, limit, auto_shutdown)
    return ChildSpec(
        id, plan, type="supervisor", restart=restart, shutdown=shutdown, significant=significant, name=name
    )


def dynamic_supervisor(  # noqa: PLR0913 - OTP's words, all but one of them keyword-only with defaults
    id: str,
    *,
    max_children: int | None = None,
    max_restarts: int = 3,
    max_seconds: float = 5.0,
    backoff: Backoff | None = None,
    restart: RestartType = "permanent",
    shutdown: ShutdownTime = "infinity",
    significant: bool = False,
    name: Name | None = None,
) -> ChildSpec:
    """Describe a dynamic supervisor as a child of another one: it starts empty, children come and go.

    Args:
      id: unique within the parent.
      max_children: how many children it may have at a time; None means any number.
      max_restarts: failures that are healed within ``max_seconds``; one more ends this supervisor.
      max_seconds: the period over which failures are counted.
      backoff: how long to wait before a restart; not at all by default.
      restart: when the parent restarts this supervisor, which then is empty again.
      shutdown: time to stop in; "infinity" is safe as long as the children's own times are finite.
      significant: whether this supervisor's own end may end the parent.
      name: a name in a registry.
    """
    plan = DynamicPlan(max_children, RestartLimit(max_restarts, max_seconds, backoff))
    return ChildSpec(
        id, plan, type="supervisor", restart=restart, shutdown=shutdown, significant=significant, name=name
    )
