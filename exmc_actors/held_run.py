"""Hand out a run of a runtime, which may have to wait for its beginning: to wait, to look, to subscribe."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from exmc_actors.runtime import Subscription

if TYPE_CHECKING:
    import xarray

    from exmc_actors.run import Run
    from exmc_actors.slot import Slot

RunState = Literal["queued", "running", "finished", "failed", "stopped"]


@dataclass(frozen=True, slots=True)
class RunStatus:
    """How a run of a runtime stands."""

    name: str
    state: RunState
    priority: int
    place: int | None
    """In the queue, from 0 on; None once it has begun."""
    reason: str | None
    """Why it failed, or which rule ended it early."""


class HeldRun:
    """A run in a runtime, which may have to wait for its beginning; made by ``Runtime.start_run``."""

    def __init__(self, slot: "Slot", status: Callable[[], RunStatus]) -> None:
        """Stand for a run.

        Args:
          slot: of the run.
          status: returns how it stands.
        """
        self.name = slot.name
        self.priority = slot.priority
        self._slot = slot
        self._status = status

    async def opened(self) -> "Run":
        """Wait until the run has begun, and return it; it can be asked for its draws after its end, too.

        Raises:
          SettingsError, ModelError, StoreError: it could not be opened.
          RunFailed: it could not be started, or was stopped before it began.
        """
        return await self._slot.opened()

    async def result(self) -> "xarray.DataTree":
        """Wait for the run to begin and to end, and return its draws; may be called again.

        Of a run that was stopped these are what it had committed, all chains cut to the shortest.

        Raises:
          SettingsError, ModelError, StoreError: it could not be opened.
          StartError: no chain found a point to start from.
          RunFailed: every chain gave up, the supervision tree did, or the run was stopped before each chain
            had a draw.
        """
        return await self._slot.result()

    @asynccontextmanager
    async def subscribe(self, **options: Any) -> AsyncIterator[Subscription]:
        """Wait until the run has begun, and open a subscription with the arguments of ``Run.subscribe``.

        Raises:
          ExmcError: as ``opened``.
        """
        run = await self.opened()
        async with run.subscribe(**options) as subscription:
            yield subscription

    def status(self) -> RunStatus:
        """Return how it stands."""
        return self._status()
