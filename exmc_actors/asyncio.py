"""The same runs for asyncio programs: ``async with exmc_actors.asyncio.open_run(...) as run``.

Trio runs in a thread of its own for as long as the run is open; what is awaited here is awaited there.
Cancelling works both ways: a task that is cancelled here stops what it waits for there, and a run that breaks
cancels the block that holds it, which then raises ``RunFailed``.
"""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import TYPE_CHECKING, Any

from exmc_actors import opening
from exmc_actors.diagnostics import OnlineSummary
from exmc_actors.messages import Message, RunStatistics, SubscriptionStatistics
from exmc_actors.portal import Portal, open_portal
from exmc_actors.run import Run as TrioRun
from exmc_actors.runtime import Subscription as TrioSubscription

if TYPE_CHECKING:
    import xarray

    from exmc_actors.views.summaries import Summaries as TrioSummaries

__all__ = ["Run", "Subscription", "Summaries", "open_run"]


class Subscription(AsyncIterator[Message]):
    """One subscriber's place in the messages of a run; iterate over it.  Iteration ends with the run."""

    def __init__(self, portal: Portal, subscription: TrioSubscription) -> None:
        """Only ``Run.subscribe`` makes these."""
        self._portal = portal
        self._subscription = subscription

    async def __anext__(self) -> Message:
        """Return the next message, waiting for one to be committed."""
        message = await self._portal.call(self._next)
        if message is None:
            raise StopAsyncIteration
        return message

    def statistics(self) -> SubscriptionStatistics:
        """Return how this subscriber keeps up."""
        return self._subscription.statistics()

    async def _next(self) -> Message | None:
        return await anext(self._subscription, None)


class Summaries(AsyncIterator[OnlineSummary]):
    """Summaries of a run as it goes on; iterate over them.  Iteration ends with the run."""

    def __init__(self, portal: Portal, summaries: "TrioSummaries") -> None:
        """Only ``Run.subscribe_summaries`` makes these."""
        self._portal = portal
        self._summaries = summaries

    async def __anext__(self) -> OnlineSummary:
        """Return the next summary, waiting for it to be due."""
        summary = await self._portal.call(self._next)
        if summary is None:
            raise StopAsyncIteration
        return summary

    async def _next(self) -> OnlineSummary | None:
        return await anext(self._summaries, None)


class Run:
    """A run in progress; made by ``open_run``."""

    def __init__(self, portal: Portal, run: TrioRun) -> None:
        """Attach to a run in a portal's loop."""
        self._portal = portal
        self._run = run

    @asynccontextmanager
    async def subscribe(self, **options: Any) -> AsyncIterator[Subscription]:
        """Open a subscription to the run's messages, with the arguments of ``exmc_actors.Run.subscribe``."""
        async with self._portal.held(lambda: self._run.subscribe(**options)) as subscription:
            yield Subscription(self._portal, subscription)

    @asynccontextmanager
    async def subscribe_summaries(self, **options: Any) -> AsyncIterator[Summaries]:
        """Open a subscription to summaries, with the arguments of ``exmc_actors.Run.subscribe_summaries``."""
        async with self._portal.held(lambda: self._run.subscribe_summaries(**options)) as summaries:
            yield Summaries(self._portal, summaries)

    async def result(self) -> "xarray.DataTree":
        """Wait for the chains to end and return their draws; may be called again.

        Raises:
          StartError: no chain found a point to start from.
          RunFailed: every chain gave up.
        """
        return await self._portal.call(self._run.result)

    async def pause(self) -> None:
        """Let the chains wait before their next block."""
        await self._portal.call(self._run.pause)

    async def resume(self) -> None:
        """Let the chains go on."""
        await self._portal.call(self._run.resume)

    async def abort(self) -> None:
        """End the run and keep what is committed."""
        await self._portal.call(self._run.abort)

    async def kill_chain(self, chain: int) -> bool:
        """Kill a chain's actor at once, for tests and demonstrations; its supervisor heals it."""
        return await self._portal.call(lambda: self._run.kill_chain(chain))

    async def statistics(self) -> RunStatistics:
        """Return a snapshot of every chain and every subscription."""

        async def look() -> RunStatistics:
            return self._run.statistics()

        return await self._portal.call(look)


@asynccontextmanager
async def open_run(model: Any = None, **options: Any) -> AsyncIterator[Run]:
    """Start the chains of a run under supervision, and stop them on leaving.

    Args:
      model: as of ``exmc_actors.open_run``.
      options: its arguments.  ``views`` are async functions of trio's.

    Raises:
      As ``exmc_actors.open_run``.
    """
    async with open_portal() as portal:
        opened: AbstractAsyncContextManager[TrioRun] = portal.held(lambda: opening.open_run(model, **options))
        async with opened as run:
            yield Run(portal, run)
