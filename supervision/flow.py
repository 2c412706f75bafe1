"""Let consumers ask for events and producers never give more: back-pressure from the end to the source.

A consumer asks for some events, a producer makes at most that many, a producer-consumer sits in between. What
they say to each other waits for nothing, so no stage ever waits for another one inside a handler; and it gets
into a full mailbox, too, for the demand is what bounds it.
"""

import math
from collections import deque
from collections.abc import Awaitable, Hashable, Sequence
from typing import Any, ClassVar, get_args

from supervision.child import one_of
from supervision.demand import (
    ABSENCE,
    Absent,
    Arrival,
    Ask,
    Cancel,
    Events,
    FlowStatistics,
    FlowSubscription,
    Intake,
    Keep,
    Outlet,
    Refuse,
    Subscribe,
)
from supervision.dispatch import DemandDispatcher, Dispatcher
from supervision.errors import SpecError
from supervision.exits import Crash, ExitReason, NoProc
from supervision.messages import Down, Monitor
from supervision.notices import tell
from supervision.reference import Ref
from supervision.server import Server


class Producer(Server):
    """A source of events. Fill in ``handle_demand``.

    The handler ``handle_info`` carries the conversation of the stages; where you override it, hand on to
    ``super()`` what is not yours.
    """

    buffer_size: ClassVar[float] = 10_000
    """Events that may wait because they were emitted without having been asked for; or ``math.inf``."""
    buffer_keep: ClassVar[Keep] = "last"
    """Which of them stay when there are more: the ``last`` or the ``first``."""

    _is_finishing = False
    _is_making = False
    _made_outlet: Outlet | None = None

    def dispatcher(self) -> Dispatcher:
        """Return the rule by which events are shared out among consumers; called once."""
        return DemandDispatcher()

    async def handle_demand(self, count: int) -> Sequence[Any]:
        """Return at most ``count`` events.

        Fewer is no error: what is missing stays asked for, see ``pending_demand``, and is given with
        ``emit`` when it is there. It is not asked for again.
        """
        raise NotImplementedError(f"{type(self).__name__} defines no handle_demand(self, count).")

    def emit(self, events: Sequence[Any]) -> None:
        """Give events to the consumers that have asked; the others wait in the buffer."""
        self._outlet.emit(events)
        self._end_if_finished()

    def finish(self) -> None:
        """End normally once everything that was emitted has been given to a consumer."""
        self._is_finishing = True
        self._end_if_finished()

    @property
    def pending_demand(self) -> int:
        """How many events ``handle_demand`` has been asked for that have not been emitted."""
        return self._outlet.requested

    def flow_statistics(self) -> FlowStatistics:
        """Return a snapshot."""
        outlet = self._outlet
        return FlowStatistics(
            len(outlet.monitors), outlet.dispatcher.demand, len(outlet.buffer), outlet.given, outlet.dropped
        )

    async def handle_info(self, message: Any) -> None:
        """Serve consumers, and forget one that has ended: what it had asked for, nobody wants any more."""
        match message:
            case Subscribe(subscription):
                self._admit(subscription)
            case Ask(subscription, count):
                self._outlet.dispatcher.ask(subscription, count)
                await self._satisfy()
            case Down(monitor) if monitor in self._outlet.monitors:
                self._outlet.dispatcher.cancel(self._outlet.monitors.pop(monitor))
                await self._satisfy()
            case _:
                await super().handle_info(message)

    @property
    def _outlet(self) -> Outlet:
        if self._made_outlet is None:
            one_of("buffer_keep", self.buffer_keep, get_args(Keep))
            label = self.ref.statistics().label
            self._made_outlet = Outlet(self.dispatcher(), self.buffer_size, self.buffer_keep, label)
        return self._made_outlet

    def _admit(self, subscription: FlowSubscription) -> None:
        try:
            self._outlet.dispatcher.subscribe(subscription, subscription.partition)
        except SpecError as error:
            tell(subscription.consumer, Refuse(subscription, error))
        else:
            self._outlet.monitors[self.monitor(subscription.consumer)] = subscription

    async def _satisfy(self) -> None:
        """Give what is there, then make what is missing."""
        self._outlet.give_out()
        if not self._is_finishing:
            await self._make()
        self._end_if_finished()

    async def _make(self) -> None:
        if wanted := self._outlet.wanted:
            self._outlet.requested += wanted
            self._outlet.emit(await self._made_by(self.handle_demand(wanted)))

    async def _made_by(self, handler: Awaitable[Sequence[Any]]) -> Sequence[Any]:
        """Return what a handler makes, which has still to be given when it calls ``finish``."""
        self._is_making = True
        events = await handler
        self._is_making = False
        return events

    def _end_if_finished(self) -> None:
        if self._is_finishing and not self._is_making and self._outlet.is_empty:
            self.stop()


class Consumer(Server):
    """A sink of events. Fill in ``handle_events``; say where they come from with ``subscribe``."""

    _made_intakes: dict[FlowSubscription, Intake] | None = None

    async def handle_events(self, events: Sequence[Any]) -> Any:
        """Take events in; what is asked for next is asked for when this returns."""
        raise NotImplementedError(f"{type(self).__name__} defines no handle_events(self, events).")

    async def handle_cancel(self, producer: Ref, reason: ExitReason) -> None:
        """Act on the end of a producer that this consumer survives: subscribe again, for instance.

        Where there is no producer, as while it waits for its restart, this is called a moment later, with
        ``NoProc()``, so that subscribing again and again until it is back costs nothing.
        """

    def subscribe(
        self,
        producer: Ref,
        *,
        max_demand: int = 1000,
        min_demand: int | None = None,
        cancel: Cancel = "permanent",
        partition: Hashable = None,
    ) -> None:
        """Ask a producer for events, again and again.

        Args:
          producer: a Producer or ProducerConsumer.
          max_demand: at most so many events are asked for and not yet handled.
          min_demand: when there are only so many left, more are asked for; by default half of the maximum.
            ``handle_events`` gets at most the difference at a time.
          cancel: whether this consumer ends with its producer, and for the same reason.
          partition: the part of the events to get, where the producer's dispatcher knows parts.

        Raises:
          SpecError: when the demands contradict each other.
        """
        if min_demand is None:
            min_demand = max_demand // 2
        one_of("cancel", cancel, get_args(Cancel))
        are_whole = isinstance(min_demand, int) and isinstance(max_demand, int)
        if not (are_whole and 0 <= min_demand < max_demand):
            raise SpecError(
                "A consumer needs whole numbers 0 <= min_demand < max_demand, "
                f"got {min_demand!r} and {max_demand!r}."
            )
        subscription = FlowSubscription(self.ref, partition)
        # Its Down comes after all events: what was sent before the end is handled before the end.
        intake = Intake(producer, subscription, max_demand - min_demand, cancel, self.monitor(producer))
        self._intakes[subscription] = intake
        tell(producer, Subscribe(subscription))
        tell(producer, Ask(subscription, max_demand))

    async def handle_info(self, message: Any) -> None:
        """Take what producers send, and act on the end of one."""
        match message:
            case Events(subscription, events):
                if (intake := self._intakes.get(subscription)) is not None:
                    await self._take_in(intake, events)
            case Refuse(subscription, error) if subscription in self._intakes:
                self.demonitor(self._intakes.pop(subscription).monitor)
                self.stop(Crash(error))
            case Down(monitor, _, reason) if (intake := self._watched_by(monitor)) is not None:
                del self._intakes[intake.subscription]
                await self._lose(intake, reason)
            case Absent(intake):
                await self.handle_cancel(intake.producer, NoProc())
            case _:
                await super().handle_info(message)

    @property
    def _intakes(self) -> dict[FlowSubscription, Intake]:
        if self._made_intakes is None:
            self._made_intakes = {}
        return self._made_intakes

    def _watched_by(self, monitor: Monitor) -> Intake | None:
        return next((intake for intake in self._intakes.values() if intake.monitor is monitor), None)

    async def _take_in(self, intake: Intake, events: Sequence[Any]) -> None:
        for start in range(0, len(events), intake.step):
            batch = events[start : start + intake.step]
            await self.handle_events(batch)
            intake.note(len(batch))

    async def _lose(self, intake: Intake, reason: ExitReason) -> None:
        match intake.cancel:
            case "permanent":
                self.stop(reason)
            case "transient" if reason.is_abnormal:
                self.stop(reason)
            case _ if isinstance(reason, NoProc):
                self.send_after(ABSENCE, Absent(intake))
            case _:
                await self.handle_cancel(intake.producer, reason)


class ProducerConsumer(Producer, Consumer):
    """A stage in the middle: ``handle_events`` returns what to emit for what it was given.

    It handles events only while somebody further on has asked, and asks for new ones only when it has handled
    the old ones; so it holds at most its own ``max_demand`` of them, and what it makes of one batch.
    """

    buffer_size: ClassVar[float] = math.inf
    """No limit, for what it makes of a batch has been asked for, however many events that are."""

    _made_queue: deque[Arrival] | None = None

    @property
    def _queue(self) -> deque[Arrival]:
        if self._made_queue is None:
            self._made_queue = deque()
        return self._made_queue

    async def _take_in(self, intake: Intake, events: Sequence[Any]) -> None:
        self._queue.extend(Arrival(intake, event) for event in events)
        await self._satisfy()

    async def _lose(self, intake: Intake, reason: ExitReason) -> None:
        # Queued, so that what the producer gave before it ended is handled first.
        self._queue.append(Arrival(intake, None, reason))
        await self._satisfy()

    async def _make(self) -> None:
        while self._queue and not self._is_finishing:
            intake, reason = self._queue[0].intake, self._queue[0].end
            if reason is not None:
                self._queue.popleft()
                await self._act_on_loss(intake, reason)
            elif self._outlet.wanted:
                batch = self._next_batch()
                self._outlet.emit(await self._made_by(self.handle_events(batch)))
                intake.note(len(batch))
            else:
                return

    def _next_batch(self) -> list[Any]:
        first = self._queue[0].intake
        batch: list[Any] = []
        limit = min(first.step, self._outlet.wanted)
        while len(batch) < limit and self._queue:
            arrival = self._queue[0]
            if arrival.intake is not first or arrival.end is not None:
                break
            batch.append(self._queue.popleft().event)
        return batch

    async def _act_on_loss(self, intake: Intake, reason: ExitReason) -> None:
        if intake.cancel == "permanent" and not reason.is_abnormal:
            self.finish()
        else:
            await super()._lose(intake, reason)
