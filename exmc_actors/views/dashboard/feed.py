"""Send the messages of a run to other processes: a cursor into the run's log for each, and nothing queued.

A reader that stalls costs nothing and holds nobody back: its cursor stays where it is, in a log that is there
in any case.  One that was cut off says where it was and goes on from there.
"""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from typing import Protocol

import trio

from exmc_actors.errors import StoreError
from exmc_actors.messages import DROP_OLDEST, Message, Overflow
from exmc_actors.views.dashboard.asgi import Send, begin
from exmc_actors.views.dashboard.selection import Asked
from exmc_actors.wire import MEDIA_TYPE, Ended, FeedItem, Hello, Here, Lost, Told, framed_item

HEARTBEAT = 5.0
"""Seconds without news after which a reader hears that the server is there."""
PART = 64 * 1024
"""Bytes that are written at once: each write has its time, so that slow readers get long messages too."""


class Cursor(Protocol):
    """A subscription that knows where in the run's log it is."""

    dropped: int

    @property
    def number(self) -> int:
        """The number in the log of the message that comes next."""
        ...

    def __aiter__(self) -> AsyncIterator[Message]:
        """Iterate over the messages."""
        ...

    async def __anext__(self) -> Message:
        """Return the next message; a wait for it that is cancelled takes none."""
        ...


class SubscribeAt(Protocol):
    """Opens a subscription at a message of the log."""

    def __call__(
        self,
        *,
        overflow: Overflow,
        capacity: int,
        number: int | None,
        chains: tuple[int, ...] | None,
        var_names: tuple[str, ...] | None,
        thin: int,
    ) -> AbstractAsyncContextManager[Cursor]:
        """Return a context manager that yields the cursor."""
        ...


class Feeds:
    """The feeds of one run to other processes."""

    def __init__(self, subscribe: SubscribeAt, run: str) -> None:
        """Open none yet.

        Args:
          subscribe: opens a subscription to the run.
          run: names it, and nobody else's, so that numbers of messages are not taken for another's.
        """
        self.run = run
        self.open = 0
        """How many there are."""
        self._subscribe = subscribe
        self._left = trio.lowlevel.ParkingLot()

    async def send(self, asked: Asked, send: Send) -> None:
        """Send what was asked for, until the run ends or the reader has had enough.

        Raises:
          SettingsError: there is no such message, chain or variable; nothing was sent then.
        """
        self.open += 1
        try:
            async with self._subscribe(
                overflow=DROP_OLDEST,
                capacity=asked.capacity,
                number=asked.number,
                chains=asked.chains,
                var_names=asked.var_names,
                thin=asked.thin,
            ) as cursor:
                await begin(send, 200, MEDIA_TYPE, (b"x-accel-buffering", b"no"))
                await _write(send, Hello(self.run, cursor.number))
                await _follow(cursor, send)
            await send({"type": "http.response.body", "body": b""})
        finally:
            self.open -= 1
            self._left.unpark_all()

    async def all_left(self) -> None:
        """Wait until there is no feed."""
        await trio.lowlevel.checkpoint()
        while self.open:
            await self._left.park()


async def _follow(cursor: Cursor, send: Send) -> None:
    """Send what a cursor comes to, up to the end of the run."""
    told = 0
    while True:
        item = await _next_item(cursor, told)
        await _write(send, item)
        if isinstance(item, Ended):
            return
        if not isinstance(item, Here):
            told += item.dropped


async def _next_item(cursor: Cursor, told: int) -> Told | Lost | Here | Ended:
    """Return what a cursor comes to, or that nothing is new for a while.

    Args:
      cursor: of the reader.
      told: how many dropped messages it has been told of.
    """
    with trio.move_on_after(HEARTBEAT):
        try:
            message = await anext(cursor)
        except StopAsyncIteration:
            return Ended(cursor.dropped - told)
        except StoreError as error:
            return Lost(cursor.number - 1, cursor.dropped - told, str(error))
        return Told(cursor.number - 1, cursor.dropped - told, message)
    return Here()


async def _write(send: Send, item: FeedItem) -> None:
    frame = framed_item(item)
    for begin_at in range(0, len(frame), PART):
        part = frame[begin_at : begin_at + PART]
        await send({"type": "http.response.body", "body": part, "more_body": True})
