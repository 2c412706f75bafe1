"""Be a subscriber that is slow, stalls, leaves or breaks, and remembers what it has seen."""

from dataclasses import dataclass, field
from typing import Any

import trio

from exmc_actors.faults.kinds import InjectedError
from exmc_actors.messages import DROP_OLDEST, Message, Overflow, SubscriptionStatistics


@dataclass
class Reader:
    """A view, for ``open_run(views=[...])`` or as ``await reader(run.subscribe)``.

    Attributes:
      overflow: as in ``run.subscribe``, and so are the two that follow.
      capacity: how many messages may be unread.
      from_start: whether it begins with the first message of the run.
      seconds: that it takes over each message.
      stalls_after: after how many messages it stalls once; None means never.
      stall: for how many seconds.
      leaves_after: after how many messages it leaves; None means with the run.
      raises_after: after how many messages it raises ``InjectedError``; None means never.
      seen: the messages, in order.
      is_done: whether it has read all there was, up to the end of the run.
      statistics: of its subscription, when it ended.
    """

    overflow: Overflow = DROP_OLDEST
    capacity: int = 64
    from_start: bool = False
    seconds: float = 0.0
    stalls_after: int | None = None
    stall: float = 60.0
    leaves_after: int | None = None
    raises_after: int | None = None
    seen: list[Message] = field(default_factory=list, init=False)
    is_done: bool = field(default=False, init=False)
    statistics: SubscriptionStatistics | None = field(default=None, init=False)

    async def __call__(self, subscribe: Any) -> None:
        """Subscribe and read.

        Raises:
          InjectedError: it is due.
        """
        options = {"overflow": self.overflow, "capacity": self.capacity, "from_start": self.from_start}
        async with subscribe(**options) as feed:
            try:
                await self._read(feed)
            finally:
                self.statistics = feed.statistics()

    async def _read(self, feed: Any) -> None:
        while len(self.seen) != self.leaves_after:
            if len(self.seen) == self.raises_after:
                raise InjectedError(f"injected after message {len(self.seen)}")
            if len(self.seen) == self.stalls_after:
                await trio.sleep(self.stall)
            try:
                self.seen.append(await anext(feed))
            except StopAsyncIteration:
                self.is_done = True
                return
            if self.seconds:
                await trio.sleep(self.seconds)
