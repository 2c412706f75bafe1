"""Decide which consumer gets which event. Pure: nothing here knows of processes or of time.

Every dispatcher guarantees that no consumer is given more than it has asked for, that each event it takes
is given to those it is meant for once, and that what one consumer gets is in the order of emission.
"""

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import Any, final

from supervision.errors import SpecError

Share = tuple[Hashable, list[Any]]
"""A consumer, and the events that it gets."""


class Dispatcher(ABC):
    """Keeps account of what consumers have asked for, and shares events out among them."""

    def __init__(self) -> None:
        """Start without consumers."""
        self._asked: dict[Hashable, int] = {}

    def subscribe(self, consumer: Hashable, partition: Hashable = None) -> None:
        """Count a consumer in; it has asked for nothing yet."""
        if partition is not None:
            raise SpecError(f"{type(self).__name__} has no partitions, but a consumer wants {partition!r}.")
        self._asked[consumer] = 0

    def cancel(self, consumer: Hashable) -> None:
        """Forget a consumer and what it has asked for."""
        self._asked.pop(consumer, None)

    def ask(self, consumer: Hashable, count: int) -> None:
        """Note that a consumer wants so many events more; one that is not known wants nothing."""
        if consumer in self._asked:
            self._asked[consumer] += count

    @property
    @abstractmethod
    def demand(self) -> int:
        """How many events can be taken now."""

    @property
    def parked(self) -> int:
        """Events that have been taken and wait for the one consumer that they are meant for."""
        return 0

    @abstractmethod
    def share(self, events: Sequence[Any]) -> list[Share]:
        """Share out at most ``demand`` events, and what is parked."""


@final
class DemandDispatcher(Dispatcher):
    """Each event goes to one consumer: to the one that has asked for most."""

    @property
    def demand(self) -> int:
        """All that has been asked for."""
        return sum(self._asked.values())

    def share(self, events: Sequence[Any]) -> list[Share]:
        """Fill up the hungriest first."""
        shares, start = [], 0
        for consumer in sorted(self._asked, key=self._asked.__getitem__, reverse=True):
            if batch := list(events[start : start + self._asked[consumer]]):
                self._asked[consumer] -= len(batch)
                start += len(batch)
                shares.append((consumer, batch))
        return shares


@final
class BroadcastDispatcher(Dispatcher):
    """Each event goes to all consumers that have subscribed by then, at the pace of the slowest.

    Who comes later misses what was given before: a producer whose events all are to see returns none from
    ``handle_demand`` until they are there, and then has them by ``emit``.
    """

    @property
    def demand(self) -> int:
        """What everybody has asked for."""
        return min(self._asked.values(), default=0)

    def share(self, events: Sequence[Any]) -> list[Share]:
        """Give everything to everybody."""
        if not events:
            return []
        for consumer in self._asked:
            self._asked[consumer] -= len(events)
        return [(consumer, list(events)) for consumer in self._asked]


@final
class PartitionDispatcher(Dispatcher):
    """Each event goes to the one consumer of its partition.

    Events for a partition that has not asked are parked and count as delivered, so a partition that never
    asks holds up the others in the end; they are never more than the others have asked for.
    """

    def __init__(self, partitions: Iterable[Hashable], partition_of: Callable[[Any], Hashable]) -> None:
        """Start without consumers.

        Args:
          partitions: their names; each has at most one consumer.
          partition_of: the partition that an event belongs to.
        """
        super().__init__()
        self._parked: dict[Hashable, deque[Any]] = {partition: deque() for partition in partitions}
        self._partition_of = partition_of
        self._consumers: dict[Hashable, Hashable] = {}

    def subscribe(self, consumer: Hashable, partition: Hashable = None) -> None:
        """Give a partition to a consumer.

        Raises:
          SpecError: when there is no such partition, or it has a consumer.
        """
        self._refuse_unknown(partition)
        if partition in self._consumers:
            raise SpecError(f"Partition {partition!r} has a consumer already; it can have one only.")
        self._consumers[partition] = consumer
        super().subscribe(consumer)

    def cancel(self, consumer: Hashable) -> None:
        """Forget a consumer; what is parked waits for the next one of its partition."""
        super().cancel(consumer)
        self._consumers = {key: value for key, value in self._consumers.items() if value != consumer}

    @property
    def demand(self) -> int:
        """What has been asked for and is not covered by what is parked."""
        return max(0, sum(self._asked.values()) - self.parked)

    @property
    def parked(self) -> int:
        """Events of partitions that have not asked."""
        return sum(map(len, self._parked.values()))

    def share(self, events: Sequence[Any]) -> list[Share]:
        """Sort the events into their partitions, and give each consumer what it has asked for."""
        for event in events:
            partition = self._partition_of(event)
            self._refuse_unknown(partition)
            self._parked[partition].append(event)
        shares = []
        for partition, consumer in self._consumers.items():
            waiting = self._parked[partition]
            if count := min(len(waiting), self._asked[consumer]):
                self._asked[consumer] -= count
                shares.append((consumer, [waiting.popleft() for _ in range(count)]))
        return shares

    def _refuse_unknown(self, partition: Hashable) -> None:
        if partition not in self._parked:
            known = ", ".join(map(repr, self._parked))
            raise SpecError(f"There is no partition {partition!r}; the partitions are {known}.")
