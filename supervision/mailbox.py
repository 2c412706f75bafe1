"""Keep messages in order until one reader takes them; urgent ones overtake the others.

Unbounded, so that putting never blocks: actors that send to each other cannot deadlock on a full box.
"""

from collections import deque
from typing import Any

import trio


class Mailbox:
    """A queue with a lane for urgent messages; each lane keeps the order of its senders."""

    def __init__(self) -> None:
        """Start empty and open."""
        self._urgent: deque[Any] = deque()
        self._ordinary: deque[Any] = deque()
        self._reader = trio.lowlevel.ParkingLot()
        self._is_closed = False

    def __len__(self) -> int:
        """Return the number of messages that wait."""
        return len(self._urgent) + len(self._ordinary)

    def put(self, message: Any) -> None:
        """Add a message at the end; into a closed box it is dropped."""
        self._add(self._ordinary, message)

    def put_urgent(self, message: Any) -> None:
        """Add a message behind the urgent ones and before all others."""
        self._add(self._urgent, message)

    async def get(self) -> Any:
        """Wait for the next message and take it; one checkpoint, and cancelled, nothing is lost."""
        if self:
            await trio.lowlevel.checkpoint()
        while not self:
            await self._reader.park()
        return (self._urgent or self._ordinary).popleft()

    def close(self) -> None:
        """Drop what waits, and whatever comes later."""
        self._is_closed = True
        self._urgent.clear()
        self._ordinary.clear()

    def _add(self, lane: deque[Any], message: Any) -> None:
        if not self._is_closed:
            lane.append(message)
            self._reader.unpark()
