"""Start many runs from asyncio: the runtime and the runs in it live in the thread that runs trio."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from exmc_actors import many
from exmc_actors.asyncio.run import Run, Subscription
from exmc_actors.held_run import HeldRun as TrioHeldRun
from exmc_actors.held_run import RunStatus
from exmc_actors.portal import Portal, open_portal

if TYPE_CHECKING:
    import xarray


class HeldRun:
    """A run in a runtime, which may have to wait for its beginning; made by ``Runtime.start_run``."""

    def __init__(self, portal: Portal, held: TrioHeldRun) -> None:
        """Attach to a run in a portal's loop."""
        self._portal = portal
        self._held = held
        self.name = held.name
        self.priority = held.priority

    async def opened(self) -> Run:
        """Wait until the run has begun, and return it.

        Raises:
          ExmcError: as ``exmc_actors.HeldRun.opened``.
        """
        return Run(self._portal, await self._portal.call(self._held.opened))

    async def result(self) -> "xarray.DataTree":
        """Wait for the run to begin and to end, and return its draws; may be called again.

        Raises:
          ExmcError: as ``exmc_actors.HeldRun.result``.
        """
        return await self._portal.call(self._held.result)

    @asynccontextmanager
    async def subscribe(self, **options: Any) -> AsyncIterator[Subscription]:
        """Wait until the run has begun, and open a subscription to its messages."""
        async with self._portal.held(lambda: self._held.subscribe(**options)) as subscription:
            yield Subscription(self._portal, subscription)

    async def status(self) -> RunStatus:
        """Return how it stands."""
        return await self._portal.ask(self._held.status)


class Runtime:
    """The runs of a program; made by ``open_runtime``.  What looks at them is awaited here, too."""

    def __init__(self, portal: Portal, runtime: many.Runtime) -> None:
        """Attach to a runtime in a portal's loop."""
        self._portal = portal
        self._runtime = runtime

    async def start_run(self, model: Any = None, **options: Any) -> HeldRun:
        """Put a run into the queue, with the arguments of ``exmc_actors.Runtime.start_run``."""
        held = await self._portal.call(lambda: self._runtime.start_run(model, **options))
        return HeldRun(self._portal, held)

    async def run(self, name: str) -> HeldRun:
        """Return a run by its name."""
        return HeldRun(self._portal, await self._portal.ask(lambda: self._runtime.run(name)))

    async def runs(self) -> tuple[RunStatus, ...]:
        """Return how all runs stand that are not forgotten."""
        return await self._portal.ask(self._runtime.runs)

    async def stop(self, name: str) -> None:
        """Stop a run, or take it out of the queue; returns when nothing of it goes on."""
        await self._portal.call(lambda: self._runtime.stop(name))

    async def forget(self, name: str) -> None:
        """Let go of a run that has ended."""
        await self._portal.ask(lambda: self._runtime.forget(name))


@asynccontextmanager
async def open_runtime(**options: Any) -> AsyncIterator[Runtime]:
    """Open a runtime, which runs are started in; leaving stops them all.

    Args:
      options: those of ``exmc_actors.open_runtime``.

    Raises:
      As ``exmc_actors.open_runtime``.
    """
    async with (
        open_portal() as portal,
        portal.held(lambda: many.open_runtime(**options)) as runtime,
    ):
        yield Runtime(portal, runtime)
