"""Keep the picture of a run up to date from one subscription, and wake the pages that show it.

The subscription skips what it cannot take in, so no chain waits for a page.  Messages are taken in, and
frames made, in a worker thread, one thing after the other: the loop stays awake.  No more is taken in at a
time than some tenth of a second's work: pages see what has come so far, and leaving waits for no more.
"""

import json
import math
import secrets
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from functools import partial
from time import thread_time
from typing import Any

import trio

from exmc_actors.errors import StoreError
from exmc_actors.messages import DROP_OLDEST, Message
from exmc_actors.views.dashboard.audience import Audience
from exmc_actors.views.dashboard.frames import Frame, charts, estimates, news, processes, standing
from exmc_actors.views.dashboard.picture import Cursor, Picture
from exmc_actors.views.dashboard.selection import Selection
from exmc_actors.views.subscribing import Subscribe
from exmc_actors.views.summaries import numbers_in
from supervision import Node

TICK = 0.1
"""Seconds between two frames, and between two looks at what has come."""
AT_FULL_RATE = 1
"""Pages that are told so often; more of them are told less often, so that together they cost no more."""
ESTIMATE = 1.0
"""Seconds between two estimates at least."""
PATIENCE = 100
"""Estimating, and telling pages of it, may take one part in so many of a core."""
SHARE = 80
"""Taking in draws may take one part in so many of a core, while the run is live ..."""
BURST = 0.05
"""... and so many seconds of a core before that, as for what was drawn before anybody looked."""
CAPACITY = 1 << 20
"""Messages that may be unread: they lie in the run's log anyway, so that hardly any need be skipped."""
AT_ONCE = 256
"""Messages that are taken in at once, and so many more may wait for it."""
NUMBERS_AT_ONCE = 1 << 17
"""Values that are taken in at once, some tenth of a second's work where draws are of one value."""
FRAMES = 32
"""Of one moment that are kept for other pages: a run that is over has one moment for ever."""


class Board:
    """A picture that many pages look at."""

    def __init__(
        self, picture: Picture, *, inside: Callable[[], Node] | None = None, is_live: bool = True
    ) -> None:
        """Begin with what the picture shows.

        Args:
          picture: of the run; nobody else changes it.
          inside: returns the supervision tree as it stands; None where there is none.
          is_live: whether messages come when they happen; of a stored run, times and speeds mean nothing.
        """
        self.picture = picture
        self.epoch = secrets.token_hex(4)
        """Tells the sequence numbers of this board from those of others."""
        self.audience = Audience()
        self.complete = trio.Event()
        """Set once everything is taken in, and estimated."""
        self._inside = inside
        self._is_live = is_live
        self._lock = trio.Lock()
        self._news = trio.lowlevel.ParkingLot()
        self._room = trio.lowlevel.ParkingLot()
        self._came = trio.lowlevel.ParkingLot()
        self._threads = trio.CapacityLimiter(1)
        self._waiting: list[Message] = []
        self._has_ended = False
        self._began = trio.current_time()
        self._estimated = -1
        self._estimated_at = -math.inf
        self._cost = 0.0
        """What the last estimates, and frames that tell of them, have cost so far, in seconds of a core."""
        self._credit = BURST
        """Seconds of a core for draws to come."""
        self._credited_at = 0.0
        self._moment: tuple[str, int] = ("", -1)
        self._frames: dict[Any, Frame] = {}
        """Of that moment, by what pages have asked for."""
        self._standing: tuple[int, str] = (-1, "")
        self._charts: dict[str, dict[str, Any]] = {}
        """Of the present revision, by quantity: many pages show the same ones."""

    async def follow(self, subscribe: Subscribe) -> None:
        """Take in all messages of a subscription, until it ends."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._digest)
            async with subscribe(overflow=DROP_OLDEST, capacity=CAPACITY, from_start=True) as feed:
                messages = aiter(feed)
                while (message := await _next(messages)) is not None:
                    while len(self._waiting) >= AT_ONCE:
                        await self._room.park()
                    self._waiting.append(message)
                    self._came.unpark_all()
            self._has_ended = True
            self._came.unpark_all()
        async with self._lock:
            self.picture.end(self._now())
            await trio.to_thread.run_sync(self._estimate, limiter=self._threads)
        self.complete.set()
        self._news.unpark_all()

    async def resize(self, draws: int) -> None:
        """Note that the chains of a stored run are to have more draws, or were found to have enough."""
        async with self._lock:
            self.picture.resize(draws)

    async def frame(
        self, chosen: Selection, shown: tuple[str, ...] | None, since: Cursor | None, revision: int
    ) -> Frame:
        """Return what a page is to know next.

        Args:
          chosen: what it shows.
          shown: the quantities that it has traces of.
          since: what it has seen of these; None for nothing.
          revision: of the estimates that it has.
        """
        async with self._lock:
            asked, moment = (chosen, shown, since, revision), (self.identifier, self.picture.revision)
            if moment != self._moment or len(self._frames) == FRAMES:
                self._moment, self._frames = moment, {}
            if asked in self._frames:  # pages that show the same have mostly seen the same
                return self._frames[asked]
            knows_events = since is not None and since.events == self.picture.happened
            is_same = knows_events and revision == self.picture.revision
            # Not in the thread: a tree is looked at where its processes run.
            more = {} if is_same else {"tree": self._tree()}
            make = partial(self._frame, chosen, shown, since, revision, more)
            frame = await trio.to_thread.run_sync(make, limiter=self._threads)
            self._frames[asked] = frame
            return frame

    def _frame(
        self,
        chosen: Selection,
        shown: tuple[str, ...] | None,
        since: Cursor | None,
        revision: int,
        more: dict[str, Any],
    ) -> Frame:
        began, picture = thread_time(), self.picture
        now_shown = chosen.shown(picture.quantities)
        own: dict[str, Any] = news(picture, now_shown, since if shown in (None, now_shown) else None)
        if revision != picture.revision:
            own["estimates"] = self._estimates(chosen, now_shown)
        text = f"{self._common()[:-1]},{_encoded(own | more)[1:]}"
        if revision != picture.revision:
            self._cost += thread_time() - began
        return Frame(self.identifier, text, now_shown, picture.cursor(), picture.revision)

    @property
    def pause(self) -> float:
        """Return the seconds until pages are told again: all at one moment, so that they share a frame."""
        left = self._every - self._now() % self._every
        # Who sleeps until a moment may, by rounding, wake up just before it.
        return left if left > 0.5 * self._every else left + self._every

    @property
    def _every(self) -> float:
        """Return the seconds between two moments at which something happens."""
        return TICK * max(1.0, len(self.audience) / AT_FULL_RATE)

    async def changed(self, seen: Frame) -> None:
        """Wait until there is more than a frame has told of."""
        while self._is_all_in(seen):
            await self._news.park()

    def tells_end(self, frame: Frame) -> bool:
        """Whether a frame tells of the end, and of all that there was."""
        return self.complete.is_set() and self._is_all_in(frame)

    def _is_all_in(self, frame: Frame) -> bool:
        return self.identifier == frame.id and self.picture.revision == frame.revision

    @property
    def identifier(self) -> str:
        """Return what names the present moment."""
        return f"{self.epoch}.{self.picture.sequence}"

    def cursor_at(self, identifier: str) -> Cursor | None:
        """Return what somebody has seen who has the frame of that name; None where nobody remembers."""
        epoch, _, sequence = identifier.partition(".")
        if epoch != self.epoch or not (sequence.isascii() and sequence.isdecimal() and len(sequence) < 18):
            return None
        return self.picture.cursor_at(int(sequence))

    async def _digest(self) -> None:
        while self._waiting or not self._has_ended:
            with trio.move_on_after(ESTIMATE):
                while not (self._waiting or self._has_ended):
                    await self._came.park()
            await self._take_in()
            if not self._has_ended:
                await trio.sleep(TICK)
                # Where many look, less often, unless there is much to take in, or an end to tell of.
                with trio.move_on_after(self._every - TICK):
                    while not (self._has_ended or len(self._waiting) >= AT_ONCE):
                        await self._came.park()

    async def _take_in(self) -> None:
        batch, self._waiting = self._waiting, []
        self._room.unpark_all()
        for part in _parts(batch):
            async with self._lock:
                observe = partial(self._observe, part, self._now())
                await trio.to_thread.run_sync(observe, limiter=self._threads)
            self._news.unpark_all()
        async with self._lock:
            if self._is_due():
                self._estimated, self._estimated_at = self.picture.sequence, self._now()
                await trio.to_thread.run_sync(self._estimate, limiter=self._threads)
        self._news.unpark_all()

    def _observe(self, messages: Sequence[Message], now: float) -> None:
        """Take in messages; the draws of blocks for which there is no time are passed over, and counted."""
        self._credit = min(BURST, self._credit + (now - self._credited_at) / SHARE)
        self._credited_at, began = now, thread_time()
        self.picture.observe(messages, now, with_draws=self._credit > 0 or not self._is_live)
        self._credit -= thread_time() - began

    def _is_due(self) -> bool:
        """Whether there is something new to estimate from, and it is time to."""
        picture = self.picture
        is_new = picture.quantities is not None and picture.sequence != self._estimated
        return is_new and self._now() >= self._estimated_at + max(ESTIMATE, PATIENCE * self._cost)

    def _estimate(self) -> None:
        began = thread_time()
        self.picture.estimate()
        self._charts.clear()
        self._cost = thread_time() - began

    def _now(self) -> float:
        return trio.current_time() - self._began

    def _estimates(self, chosen: Selection, shown: tuple[str, ...]) -> dict[str, Any] | None:
        summary = self.picture.estimates
        if summary is None or not summary.names:
            return None
        for name in shown:
            if name not in self._charts:
                self._charts[name] = charts(self.picture.online, name)
        return estimates(summary, chosen) | {"charts": [self._charts[name] for name in shown]}

    def _common(self) -> str:
        sequence, text = self._standing
        if sequence != self.picture.sequence:
            text = _encoded({"live": self._is_live} | standing(self.picture))
            self._standing = (self.picture.sequence, text)
        return text

    def _tree(self) -> list[Any] | None:
        return None if self._inside is None else list(processes(self._inside()))


async def _next(messages: AsyncIterator[Message]) -> Message | None:
    """Return the next message; None at the end.  One that a store has lost is left out, and counted."""
    while True:
        try:
            return await anext(messages, None)
        except StoreError:
            continue


def _parts(messages: Sequence[Message]) -> Iterator[list[Message]]:
    """Cut messages into parts that each take hardly longer than is good."""
    part: list[Message] = []
    numbers = 0
    for message in messages:
        part.append(message)
        numbers += numbers_in([message])
        if numbers >= NUMBERS_AT_ONCE:
            yield part
            part, numbers = [], 0
    if part:
        yield part


def _encoded(value: dict[str, Any]) -> str:
    return json.dumps(value, separators=(",", ":"), allow_nan=False)
