"""Keep what a runtime knows of one run, from the queue to its end; who begins when is decided elsewhere."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, ExitStack
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING, NoReturn

import trio

from exmc_actors.errors import ExmcError, RunFailed
from exmc_actors.held_run import RunState, RunStatus
from exmc_actors.run import Run

if TYPE_CHECKING:
    import xarray


class Slot:
    """The place of a run in a runtime."""

    def __init__(
        self, name: str, priority: int, chains: int, opening: Callable[[], AbstractAsyncContextManager[Run]]
    ) -> None:
        """Begin nothing.

        Args:
          name: of the run.
          priority: of the run, in the queue and for cores.
          chains: how many it has, as far as that is known.
          opening: opens it.
        """
        self.name = name
        self.priority = priority
        self._chains = chains
        self._opening = opening
        self._state: RunState = "queued"
        self._reason: str | None = None
        self._run: Run | None = None
        self._error: ExmcError | None = None
        self._is_opened = trio.Event()
        self._is_over = trio.Event()
        self._scope = trio.CancelScope()

    async def opened(self) -> Run:
        """Wait until the run has begun, and return it; raise why it did not."""
        await self._is_opened.wait()
        if self._run is None:
            self._raise()
        return self._run

    async def result(self) -> "xarray.DataTree":
        """Wait for the run to end, and return its draws; raise why there are none."""
        await self._is_over.wait()
        if self._run is None or self._error is not None:
            self._raise()
        return await self._run.result()

    def status(self, place: int | None = None) -> RunStatus:
        """Return how it stands, and its place in the queue where that is known."""
        return RunStatus(self.name, self._state, self.priority, place, self._reason)

    @property
    def is_queued(self) -> bool:
        """Whether it has not begun, and may."""
        return self._state == "queued"

    @property
    def is_over(self) -> bool:
        """Whether nothing of it goes on, nor will."""
        return self._is_over.is_set()

    @property
    def sampling(self) -> int:
        """Return how many chains sample, or are about to: none where somebody has paused the run."""
        if self._state != "running":
            return 0
        if self._run is None:
            return self._chains
        log = self._run._log
        return 0 if log.paused else sum(record.status == "running" for record in log.chains)

    def begin(self) -> None:
        """Leave the queue."""
        self._state = "running"

    def cancel(self) -> None:
        """Stop the run, in the next moment or as soon as it begins."""
        self._scope.cancel()

    async def wait_over(self) -> None:
        """Wait until nothing of it goes on."""
        await self._is_over.wait()

    async def keep_open(self, changed: Callable[[], None], ended: Callable[["Slot"], None]) -> None:
        """Open the run, and leave it when it is over: what the process of a run does.

        What goes wrong in a run is the run's result, and no crash.

        Args:
          changed: is called when other chains sample than before.
          ended: is called when nothing of the run goes on.
        """
        with ExitStack() as stack:  # told what passes: sys.exception() may be what the host is handling
            stack.push(partial(self._left, ended))
            try:
                with self._scope:
                    async with self._opening() as self._run:
                        self._is_opened.set()
                        await self._watch(self._run, changed)
            except ExmcError as error:
                self._error = error

    def _left(
        self,
        ended: Callable[["Slot"], None],
        kind: type[BaseException] | None,
        crash: BaseException | None,
        where: TracebackType | None,
    ) -> None:
        self.end(crash)
        ended(self)

    def end(self, crash: BaseException | None = None) -> None:
        """Note that nothing of it goes on; a second time changes nothing.

        Args:
          crash: what is on its way through its process, which is no error of a run.
        """
        if self.is_over:
            return
        if isinstance(crash, Exception):
            self._error = RunFailed(f"run {self.name!r} broke down: {type(crash).__name__}: {crash}")
            self._error.__cause__ = crash
        self._state, self._reason = self._outcome()
        self._is_opened.set()
        self._is_over.set()

    async def _watch(self, run: Run, changed: Callable[[], None]) -> None:
        before = self._chains
        while not run._log.is_over:
            if self.sampling != before:
                before = self.sampling
                changed()
            await run._feed.committed.park()
        changed()

    def _outcome(self) -> tuple[RunState, str | None]:
        if self._error is not None:
            return "failed", str(self._error)
        if self._run is None:
            return "stopped", None
        log = self._run._log
        states = {record.status for record in log.chains}
        if states == {"failed"}:
            return "failed", log.chains[0].reason
        # Chains that were stopped one by one are apart in the result, and the others are whole.
        is_cut = any(record.status == "stopped" and not record.was_stopped for record in log.chains)
        is_whole = log.enough is not None or ("finished" in states and not is_cut)
        return "finished" if is_whole else "stopped", log.why_stopped

    def _raise(self) -> NoReturn:
        if self._error is None:
            raise RunFailed(f"run {self.name!r} was stopped before it began: there is nothing to return.")
        raise self._error.with_traceback(None)  # without the frames of those who have asked before
