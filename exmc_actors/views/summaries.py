"""Summarise a run while it goes on: a subscriber that keeps estimates, and hands one out every so often.

It reads the log from the first draw on and skips nothing.  No chain waits for it, and what it has not read
yet costs nothing, since the log holds it in any case.
"""

import math
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from typing import Any, Protocol

import trio

from exmc_actors.arguments import is_number
from exmc_actors.diagnostics import Online, OnlineSummary
from exmc_actors.errors import SettingsError
from exmc_actors.messages import (
    DROP_OLDEST,
    ChainFailed,
    ChainStopped,
    DrawBlock,
    Message,
    SubscriptionStatistics,
)

NUMBERS_AT_ONCE = 1 << 20
"""Values that are taken in by one call of a worker thread, about 50 ms of work."""


ANY_NUMBER = 1 << 62
"""Of messages may be unread: the log holds them."""


SECONDS_A_NUMBER, SECONDS_A_MESSAGE = 5e-8, 5e-5
"""What it takes to observe, roughly: little is done where it is, and much in a thread."""


class Runner(Protocol):
    """Runs a blocking function, in a thread where it takes long."""

    def __call__(self, function: Callable[[], Any], /, *, seconds: float = ...) -> Awaitable[Any]:
        """Return what the function returns."""
        ...


class Feed(Protocol):
    """A subscription that a cancelled wait takes no message from."""

    def __anext__(self) -> Awaitable[Message]:
        """Return the next message."""
        ...

    def statistics(self) -> SubscriptionStatistics:
        """Say how many messages can be read at once."""
        ...


class Summaries(AsyncIterator[OnlineSummary]):
    """Iterate over it; iteration ends with the run, after a summary of its end."""

    def __init__(self, feed: Feed, online: Online, every: float, runner: Runner) -> None:
        """Only ``open_summaries`` makes these."""
        self.online = online
        """The estimators, for what a summary does not hold: histograms, autocorrelations, recent draws."""
        self._feed = feed
        self._every = every
        self._runner = runner
        self._due = trio.current_time() + every
        self._unobserved: list[Message] = []
        self._is_new = False
        self._is_over = False

    async def __anext__(self) -> OnlineSummary:
        """Return the next summary, waiting until it is due and tells of more than the last one."""
        await trio.lowlevel.checkpoint()
        # Who comes late, or slowly, is told of all that there is, unless that takes long to read.
        latest = max(self._due, trio.current_time()) + self._every
        while not self._is_over and not (self._is_new and self._is_time(latest)):
            await self._gather()
            await self._observe()
        if not self._is_new:
            raise StopAsyncIteration
        summary: OnlineSummary = await self._runner(self.online.summary)
        self._is_new = False
        self._due = trio.current_time() + self._every
        return summary

    def _is_time(self, latest: float) -> bool:
        now = trio.current_time()
        return now >= latest or (now >= self._due and not self._feed.statistics().waiting)

    async def _gather(self) -> None:
        """Take the messages that are there, or wait for one, until a summary is due where there is one."""
        waiting = self._feed.statistics().waiting
        if not waiting:
            with trio.move_on_at(self._due if self._is_new else math.inf):
                await self._take()
        while waiting and numbers_in(self._unobserved) < NUMBERS_AT_ONCE:
            await self._take()
            waiting -= 1

    async def _take(self) -> None:
        try:
            self._unobserved.append(await anext(self._feed))
        except StopAsyncIteration:
            self._is_over = True

    async def _observe(self) -> None:
        taken = self._unobserved
        seconds = SECONDS_A_MESSAGE * len(taken) + SECONDS_A_NUMBER * numbers_in(taken)
        await self._runner(partial(_observe_all, self.online, taken), seconds=seconds)
        # Only now: a call that is cancelled loses no message, and what is observed twice counts once.
        self._unobserved = []
        self._is_new = bool(self.online.names) and (self._is_new or any(map(_tells, taken)))


def _observe_all(online: Online, messages: Sequence[Message]) -> None:
    for message in messages:
        online.observe(message)


def numbers_in(messages: Sequence[Message]) -> int:
    """Return how many values of variables there are in messages."""
    return sum(
        values.size
        for message in messages
        if isinstance(message, DrawBlock)
        for values in message.draws.values()
    )


def _tells(message: Message) -> bool:
    """Whether a message changes what a summary says."""
    has_draws = isinstance(message, DrawBlock) and message.phase == "sample"
    return has_draws or isinstance(message, ChainFailed | ChainStopped)


@asynccontextmanager
async def open_summaries(
    subscribe: Callable[..., AbstractAsyncContextManager[Feed]], online: Online, *, every: Any, runner: Runner
) -> AsyncIterator[Summaries]:
    """Open a subscription to summaries.

    Args:
      subscribe: opens a subscription to the run.
      online: estimators that have seen nothing yet.
      every: seconds between two summaries at least.
      runner: runs what takes long.

    Raises:
      SettingsError: ``every`` is no positive number.
    """
    if not is_number(every) or not 0.0 < float(every) < math.inf:
        raise SettingsError(
            f"every must be a positive number of seconds, got {every!r}: write, say, every=1.0."
        )
    opened = subscribe(overflow=DROP_OLDEST, capacity=ANY_NUMBER, from_start=True)
    async with opened as feed:
        yield Summaries(feed, online, float(every), runner)
