"""Keep account between producers and consumers: who has asked for how much, and what was made too early.

What stages say to each other is here too; what they do about it is in ``flow``.
"""

from collections import deque
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from supervision import telemetry
from supervision.dispatch import Dispatcher
from supervision.errors import SpecError
from supervision.exits import ExitReason
from supervision.messages import Monitor
from supervision.notices import tell
from supervision.reference import ProcessRef, Ref

Keep = Literal["last", "first"]
"""Which events a full buffer keeps."""

Cancel = Literal["permanent", "transient", "temporary"]
"""A consumer ends with its producer: always; only if that ended abnormally; never."""

ABSENCE: Final = 0.1
"""Seconds after which a consumer hears that there was no producer: it may subscribe anew then at once."""

DROPPED: Final = ("supervision", "flow", "dropped")
"""A producer's buffer was full; metadata: ``stage``; measured: ``dropped`` events so far."""


@dataclass(frozen=True, slots=True, eq=False)
class FlowSubscription:
    """Between one producer and one consumer; it is its own identity."""

    consumer: ProcessRef
    partition: Hashable


@dataclass(frozen=True, slots=True)
class Subscribe:
    """From a consumer: it wants to be given events."""

    subscription: FlowSubscription


@dataclass(frozen=True, slots=True)
class Refuse:
    """From a producer: it cannot have this consumer."""

    subscription: FlowSubscription
    error: SpecError


@dataclass(frozen=True, slots=True)
class Ask:
    """From a consumer: so many events more."""

    subscription: FlowSubscription
    count: int


@dataclass(frozen=True, slots=True)
class Events:
    """From a producer: some of what was asked for."""

    subscription: FlowSubscription
    events: Sequence[Any]


@dataclass(slots=True)
class Intake:
    """What a consumer remembers of a subscription."""

    producer: Ref
    subscription: FlowSubscription
    step: int
    """So many events make a batch, and when so many have been handled, as many are asked for."""
    cancel: Cancel
    monitor: Monitor
    handled: int = 0

    def note(self, count: int) -> None:
        """Ask for as many as have been handled, but not for each one singly."""
        self.handled += count
        if self.handled >= self.step:
            tell(self.producer, Ask(self.subscription, self.handled))
            self.handled = 0


@dataclass(frozen=True, slots=True)
class Absent:
    """From a consumer to itself: there was no producer, and it has waited before it hears of that."""

    intake: Intake


@dataclass(frozen=True, slots=True)
class Arrival:
    """What a stage in the middle has been sent and not looked at: an event, or its producer's end."""

    intake: Intake
    event: Any
    end: ExitReason | None = None


@dataclass(frozen=True, slots=True)
class FlowStatistics:
    """How a producing stage does."""

    consumers: int
    demand: int
    """Events that consumers have asked for and not been given."""
    buffered: int
    """Events that nobody has asked for yet."""
    given: int
    dropped: int
    """Events for which the buffer had no room."""


@dataclass(slots=True)
class Outlet:
    """The producing half of a stage: who has asked, and what has been made too early."""

    dispatcher: Dispatcher
    size: float
    keep: Keep
    label: str
    buffer: deque[Any] = field(default_factory=deque)
    requested: int = 0
    """Asked of the source and not emitted yet."""
    given: int = 0
    dropped: int = 0
    monitors: dict[Monitor, FlowSubscription] = field(default_factory=dict)

    @property
    def wanted(self) -> int:
        """How many events more are to be asked of the source; what a consumer left behind comes first."""
        return max(0, self.dispatcher.demand - self.requested)

    @property
    def is_empty(self) -> bool:
        """Whether everything that was emitted has been given to somebody."""
        return not self.buffer and not self.dispatcher.parked

    def emit(self, events: Sequence[Any]) -> None:
        """Give events to whoever has asked; keep the others, as far as there is room."""
        self.requested = max(0, self.requested - len(events))
        self.buffer.extend(events)
        self.give_out()
        if len(self.buffer) > self.size:
            excess = len(self.buffer) - int(self.size)
            for _ in range(excess):
                (self.buffer.popleft if self.keep == "last" else self.buffer.pop)()
            self.dropped += excess
            telemetry.execute(DROPPED, {"dropped": self.dropped}, {"stage": self.label})

    def give_out(self) -> None:
        """Give what is kept to whoever has asked."""
        count = min(self.dispatcher.demand, len(self.buffer))
        for subscription, events in self.dispatcher.share([self.buffer.popleft() for _ in range(count)]):
            assert isinstance(subscription, FlowSubscription)
            self.given += len(events)
            tell(subscription.consumer, Events(subscription, events))
