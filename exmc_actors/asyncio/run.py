"""Hold a run from asyncio, and read what it tells: each call is made in the thread that runs trio."""

from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from exmc_actors import opening, remote
from exmc_actors.diagnostics import OnlineSummary
from exmc_actors.messages import Message, RunStatistics, SubscriptionStatistics
from exmc_actors.portal import NoLongerOpen, Portal, open_portal
from exmc_actors.run import Run as TrioRun
from exmc_actors.runtime import Subscription as TrioSubscription

if TYPE_CHECKING:
    import xarray

    from exmc_actors.views.summaries import Summaries as TrioSummaries

T = TypeVar("T")


class _Taken(Generic[T]):
    """What was read in trio's thread and not yet seen here: whoever waited for it may have been cancelled."""

    def __init__(self, portal: Portal, source: AsyncIterator[T]) -> None:
        self._portal = portal
        self._source = source
        self._taken: deque[T | None] = deque()

    async def next(self, left: Callable[[], T | None]) -> T:
        """Return the next one; ``left`` gives those that are left when trio's thread has ended."""
        while not self._taken:
            try:
                await self._portal.call(self._take)
            except NoLongerOpen:
                self._taken.append(left())
        one = self._taken.popleft()
        if one is None:
            raise StopAsyncIteration
        return one

    async def _take(self) -> None:
        self._taken.append(await anext(self._source, None))


class Subscription(AsyncIterator[Message]):
    """One subscriber's place in the messages of a run; iterate over it.  Iteration ends with the run."""

    def __init__(self, portal: Portal, subscription: TrioSubscription | remote.RemoteSubscription) -> None:
        """Only ``subscribe`` makes these."""
        self._portal = portal
        self._subscription = subscription
        self._taken: _Taken[Message] = _Taken(portal, subscription)

    async def __anext__(self) -> Message:
        """Return the next message, waiting for one to be committed."""
        return await self._taken.next(self._subscription.take)

    async def statistics(self) -> SubscriptionStatistics:
        """Return how this subscriber keeps up."""
        return await self._portal.ask(self._subscription.statistics)


class Summaries(AsyncIterator[OnlineSummary]):
    """Summaries of a run as it goes on; iterate over them.  Iteration ends with the run."""

    def __init__(self, portal: Portal, summaries: "TrioSummaries") -> None:
        """Only ``Run.subscribe_summaries`` makes these."""
        self.online = summaries.online
        """The estimators, to be asked between two summaries: they change while one is waited for."""
        self._taken: _Taken[OnlineSummary] = _Taken(portal, summaries)

    async def __anext__(self) -> OnlineSummary:
        """Return the next summary, waiting for it to be due."""
        return await self._taken.next(lambda: None)


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

    async def wait_over(self) -> None:
        """Wait until nothing will be committed any more, however the run ends."""
        await self._portal.call(self._run.wait_over)

    async def result(self) -> "xarray.DataTree":
        """Wait for the chains to end and return their draws; may be called again.

        Raises:
          StartError: no chain found a point to start from.
          RunFailed: every chain gave up, or the run was cancelled.
        """
        return await self._portal.call(self._run.result)

    async def stop_chain(self, chain: int) -> bool:
        """End one chain and keep what it has, apart from the others, which go on."""
        return await self._portal.call(lambda: self._run.stop_chain(chain))

    async def add_chains(self, number: int = 1) -> range:
        """Add chains while the run goes on, and return their numbers.

        Raises:
          SettingsError: it is no positive integer, the run is over, or its chains advance together.
        """
        return await self._portal.call(lambda: self._run.add_chains(number))

    async def pause(self) -> None:
        """Let the chains wait before their next block."""
        await self._portal.call(self._run.pause)

    async def resume(self) -> None:
        """Let the chains go on."""
        await self._portal.call(self._run.resume)

    async def abort(self) -> None:
        """End the run and keep what is committed."""
        await self._portal.call(self._run.abort)

    async def cancel(self) -> None:
        """End the run and keep nothing; a store holds no run any more.

        Raises:
          StoreError: the run cannot be removed from its store.
        """
        await self._portal.call(self._run.cancel)

    async def kill_chain(self, chain: int) -> bool:
        """Kill a chain's actor at once, for tests and demonstrations; its supervisor heals it."""
        return await self._portal.call(lambda: self._run.kill_chain(chain))

    @asynccontextmanager
    async def serve_dashboard(self, *args: Any, **options: Any) -> AsyncIterator[str]:
        """Show the run in browsers, with the arguments of ``exmc_actors.Run.serve_dashboard``."""
        async with self._portal.held(lambda: self._run.serve_dashboard(*args, **options)) as url:
            yield url

    async def statistics(self) -> RunStatistics:
        """Return a snapshot of every chain and every subscription."""
        return await self._portal.ask(self._run.statistics)

    def _repr_html_(self) -> str:
        """Return a picture of the moment, which a notebook shows where a run is the value of a cell."""
        from exmc_actors.moment import look  # not at the top: views load rich

        return self._portal.ask_at_once(lambda: look(self._run)).html()


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
