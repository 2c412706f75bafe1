"""Describe a child of a supervisor: what to start, when to restart it, how long it may take to stop.

A description only; it starts nothing.
"""

import inspect
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final, Literal, Protocol, TypeGuard, get_args

from supervision.errors import SpecError
from supervision.overflow import DROP_NEWEST, DROP_OLDEST, RAISE, WAIT, Overflow

RestartType = Literal["permanent", "transient", "temporary"]
"""Restarted always; only after an abnormal end; never."""

ChildType = Literal["worker", "supervisor"]

ShutdownTime = float | Literal["brutal_kill", "infinity"]
"""Seconds to stop in before the kill; or no question asked; or as long as it takes."""

WORKER_SHUTDOWN: Final = 5.0
"""Seconds that a worker has to stop in, where its spec does not say."""


class Behaviour:
    """Mark a class whose instances run as processes: it is given as ``start`` itself, uncalled."""


class Blueprint:
    """Mark a record from which a process is made: it is given as ``start``."""


class Name(Protocol):
    """A name that a process takes before it starts and gives back when it ends."""

    def register(self, holder: Any) -> None:
        """Take the name for ``holder``, or raise AlreadyStarted."""

    def release(self, holder: Any) -> None:
        """Give the name back, if ``holder`` has it."""


@dataclass(frozen=True)
class ChildSpec:
    """What a supervisor needs to know of a child, in OTP's words.

    Raises:
      SpecError: when a field is of the wrong kind or two fields contradict each other.
    """

    id: str
    """Unique within the supervisor."""
    start: Any
    """A Server subclass, or a plain async function."""
    args: tuple[Any, ...] = ()
    """For ``init``, or for the function."""
    kwargs: Mapping[str, Any] = field(default_factory=dict)
    restart: RestartType = field(default="permanent", kw_only=True)
    shutdown: ShutdownTime | None = field(default=None, kw_only=True)
    """None means 5.0 for a worker and "infinity" for a supervisor."""
    type: ChildType = field(default="worker", kw_only=True)
    significant: bool = field(default=False, kw_only=True)
    """Its own end may end the supervisor; see ``auto_shutdown``."""
    name: Name | None = field(default=None, kw_only=True)
    """A name in a registry, ``registry.via(key)``, held from before ``init`` to the end."""
    capacity: int | None = field(default=None, kw_only=True)
    """How many sent messages may wait in its mailbox; None means any number."""
    overflow: Overflow = field(default=WAIT, kw_only=True)
    """What happens to one more: WAIT, RAISE, DROP_NEWEST or DROP_OLDEST."""

    def __post_init__(self) -> None:
        if self.shutdown is None:
            default = WORKER_SHUTDOWN if self.type == "worker" else "infinity"
            object.__setattr__(self, "shutdown", default)
        object.__setattr__(self, "args", self._checked_args())
        object.__setattr__(self, "kwargs", MappingProxyType(dict(self.kwargs)))
        self._check_id()
        self._check_start()
        one_of(f"restart of child {self.id!r}", self.restart, get_args(RestartType))
        one_of(f"type of child {self.id!r}", self.type, get_args(ChildType))
        self._check_shutdown()
        self._check_significant()
        self._check_mailbox()
        self._check_name()

    @property
    def grace(self) -> float:
        """Seconds between being asked to stop and being killed."""
        match self.shutdown:
            case "infinity":
                return math.inf
            case "brutal_kill" | None:
                return 0.0
            case seconds:
                return float(seconds)

    def _checked_args(self) -> tuple[Any, ...]:
        if isinstance(self.args, list | tuple):
            return tuple(self.args)
        raise SpecError(
            f"args of child {self.id!r} must be a tuple, got {self.args!r}. "
            f"For one argument write args=({self.args!r},)."
        )

    def _check_id(self) -> None:
        if not isinstance(self.id, str) or not self.id:
            raise SpecError(f"A child's id must be a non-empty string, got {self.id!r}.")

    def _check_start(self) -> None:
        start = self.start
        if isinstance(start, type):
            if not issubclass(start, Behaviour):
                raise SpecError(
                    f"start of child {self.id!r} is the class {start.__name__}, which is not a Server. "
                    f"Write class {start.__name__}(Server), or give an async function."
                )
        elif isinstance(start, Behaviour):
            raise SpecError(
                f"start of child {self.id!r} is an instance of {type(start).__name__}, but every start needs "
                f"a new one. Give the class itself, ChildSpec({self.id!r}, {type(start).__name__}, args=...)."
            )
        elif not isinstance(start, Blueprint) and not is_async(start):
            raise SpecError(
                f"start of child {self.id!r} must be a Server subclass or an async function, got {start!r}. "
                "A function must be written with 'async def' and given without calling it."
            )

    def _check_shutdown(self) -> None:
        value = self.shutdown
        is_seconds = is_number(value) and 0 <= value < math.inf
        if not is_seconds and value not in ("brutal_kill", "infinity"):
            raise SpecError(
                f"shutdown of child {self.id!r} must be seconds (0 or more), 'brutal_kill' or 'infinity', "
                f"got {value!r}."
            )

    def _check_significant(self) -> None:
        if self.significant and self.restart == "permanent":
            raise SpecError(
                f"Child {self.id!r} is significant and permanent, but a permanent child is always restarted, "
                "so its end can never end the supervisor. "
                "Write restart='transient' or 'temporary', or significant=False."
            )

    def _check_mailbox(self) -> None:
        size = self.capacity
        if size is not None and (isinstance(size, bool) or not isinstance(size, int) or size < 1):
            raise SpecError(
                f"capacity of child {self.id!r} must be a whole number, 1 or more, or None, got {size!r}."
            )
        if self.overflow not in (WAIT, RAISE, DROP_NEWEST, DROP_OLDEST):
            raise SpecError(
                f"overflow of child {self.id!r} must be WAIT, RAISE, DROP_NEWEST or DROP_OLDEST, "
                f"got {self.overflow!r}."
            )

    def _check_name(self) -> None:
        if self.name is not None and not (hasattr(self.name, "register") and hasattr(self.name, "release")):
            raise SpecError(
                f"name of child {self.id!r} must come from a registry, registry.via(key), got {self.name!r}."
            )


def is_async(start: object) -> bool:
    """Return whether calling ``start`` gives a coroutine: a function, a partial, or a callable object."""
    call: Callable[..., object] | None = getattr(start, "__call__", None)  # noqa: B004
    return inspect.iscoroutinefunction(start) or inspect.iscoroutinefunction(call)


def is_number(value: object) -> TypeGuard[float]:
    """Return whether ``value`` is a number of seconds or a part, and not a word or a truth."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def one_of(what: str, value: object, accepted: tuple[str, ...]) -> None:
    """Raise SpecError unless ``value`` is one of the accepted words."""
    if value not in accepted:
        raise SpecError(f"{what} must be one of {', '.join(map(repr, accepted))}, got {value!r}.")
