"""Subscribe from asyncio to a run of another process."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from exmc_actors import remote
from exmc_actors.asyncio.run import Subscription
from exmc_actors.portal import Portal, open_portal


class RemoteRun:
    """A run of another process; made by ``connect``."""

    def __init__(self, portal: Portal, run: remote.RemoteRun) -> None:
        """Attach to a run that was found from a portal's loop."""
        self._portal = portal
        self._run = run
        self.identity = run.identity

    @asynccontextmanager
    async def subscribe(self, **options: Any) -> AsyncIterator[Subscription]:
        """Open a subscription to the run's messages, with the arguments of ``RemoteRun.subscribe``."""
        async with self._portal.held(lambda: self._run.subscribe(**options)) as subscription:
            yield Subscription(self._portal, subscription)


@asynccontextmanager
async def connect(url: str, token: str | None = None, **options: Any) -> AsyncIterator[RemoteRun]:
    """Find the run whose dashboard has this address.

    Args:
      url: as ``serve_dashboard`` told it.
      token: what the dashboard wants to see, where the address does not have it.
      options: those of ``exmc_actors.connect``.

    Raises:
      As ``exmc_actors.connect``.
    """
    async with open_portal() as portal, portal.held(lambda: remote.connect(url, token, **options)) as found:
        yield RemoteRun(portal, found)
