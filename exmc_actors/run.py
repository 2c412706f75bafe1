"""Hold a run in progress: subscribe, look, wait for the result; what rules it is in control.py."""

import functools
from collections.abc import Iterable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import trio

import supervision as sv
from exmc_actors.compiler import Target
from exmc_actors.control import Control
from exmc_actors.diagnostics import Online
from exmc_actors.errors import RunFailed, SettingsError
from exmc_actors.messages import DROP_OLDEST, ChainStatistics, Overflow, RunStatistics
from exmc_actors.model import unknown
from exmc_actors.result import result
from exmc_actors.runtime import DEFAULT_CAPACITY, Parts, Subscription

if TYPE_CHECKING:
    import xarray

    from exmc_actors.views.summaries import Summaries


@dataclass(frozen=True)
class Keep:
    """What of the draws the result is to hold."""

    var_names: tuple[str, ...] | None
    """None keeps every variable."""
    save_warmup: bool

    def check(self, target: Target) -> None:
        """Refuse names that the target does not have."""
        for name in self.var_names or ():
            if name not in target.values_layout.names:
                raise SettingsError(f"var_names: {unknown('variable', name, target.values_layout.names)}.")


class Run(Control):
    """A run in progress; made by ``open_run``."""

    def __init__(self, parts: Parts, supervisor: sv.Supervisor, keep: Keep) -> None:
        """Attach to a started supervision tree."""
        super().__init__(parts, supervisor)
        self._keep = keep
        self._began = trio.current_time()
        self._made_before = [record.transitions for record in self._log.chains]

    def subscribe(
        self,
        *,
        overflow: Overflow = DROP_OLDEST,
        capacity: int = DEFAULT_CAPACITY,
        from_start: bool = False,
        chains: int | Iterable[int] | None = None,
        var_names: str | Sequence[str] | None = None,
        thin: int = 1,
    ) -> AbstractAsyncContextManager[Subscription]:
        """Open a subscription to the run's messages; iteration over it ends with the run.

        Args:
          overflow: ``DROP_OLDEST`` skips the oldest unread messages and never slows a chain; ``WAIT`` holds
            the chains back once ``capacity`` messages are unread, so that none is lost; ``LATEST`` skips all
            but the newest.
          capacity: how many messages may be unread.
          from_start: begin with the first message of the run, not with the next one.
          chains: numbers of the chains to hear of; None means all.
          var_names: variables that blocks are to have; None means all.
          thin: one draw of so many, counted within the phase; a block's ``first`` is that of its first draw.

        Raises:
          SettingsError: an argument is out of range.
        """
        return self._feed.subscribe(
            overflow=overflow,
            capacity=capacity,
            from_start=from_start,
            chains=chains,
            var_names=var_names,
            thin=thin,
        )

    def subscribe_summaries(
        self,
        *,
        every: float = 1.0,
        var_names: str | Sequence[str] | None = None,
        chains: int | Iterable[int] | None = None,
    ) -> "AbstractAsyncContextManager[Summaries]":
        """Open a subscription to summaries of all draws so far, from the first one on, in bounded memory.

        Iteration over it ends with the run, after a summary of all that was committed.  No chain waits for
        it: estimates are computed in a worker thread, and where they take longer than the chains, the
        summaries are of earlier draws.

        Args:
          every: seconds between two summaries at least; none comes before there is a draw after warmup, or
            where there is none since the last one.
          var_names: variables that the summaries are of; None means all.
          chains: numbers of the chains that they are of; None means all.

        Raises:
          SettingsError: an argument is out of range.
        """
        from exmc_actors.views.summaries import open_summaries  # not at the top: views load rich

        target, runner = self._parts.target, self._parts.runner
        online = Online(len(self._log.chains), dims=target.dims, coords=target.coords)
        subscribe = functools.partial(self.subscribe, var_names=var_names, chains=chains)
        return open_summaries(subscribe, online, every=every, runner=runner)

    def serve_dashboard(
        self,
        host: str = "127.0.0.1",
        port: int = 0,
        token: str | None = None,
        *,
        control: bool = False,
        names: Iterable[str] = (),
    ) -> AbstractAsyncContextManager[str]:
        """Show the run in browsers while a block lasts: ``async with run.serve_dashboard() as url``.

        The page is a guest of the run: however many browsers look, and however slow they are, no chain waits.

        Args:
          host: an address or a name of this machine; others than its own loopback need a token.
          port: 0 for one that is free.
          token: what browsers must know to see anything; the address that is yielded holds it.
          control: whether the page may pause, resume and abort the run, and kill chains; where no token is
            given, one is made.
          names: other names by which browsers know this machine, as behind a proxy.

        Returns:
          What yields the address of the page, which ``exmc_actors.connect`` takes, too; leaving it, or the
          run, closes every connection.

        Raises:
          SettingsError: the host cannot be listened on, it needs a token, or ``h11`` is not installed.
        """
        from exmc_actors.dashboard import shown

        return shown(self, control, host=host, port=port, token=token, names=names)

    def statistics(self) -> RunStatistics:
        """Return a snapshot of every chain and every subscription."""
        elapsed = self._elapsed()
        return RunStatistics(
            tuple(self._chain_statistics(chain, elapsed) for chain in range(len(self._log.chains))),
            self._feed.statistics(),
            elapsed,
            self._log.paused,
        )

    def _repr_html_(self) -> str:
        """Return a picture of the moment, which a notebook shows where a run is the value of a cell."""
        from exmc_actors.moment import look  # not at the top: views load rich

        return look(self).html()

    async def wait_over(self) -> None:
        """Wait until nothing will be committed any more, however the run ends."""
        await self._feed.wait_over()

    async def result(self) -> "xarray.DataTree":
        """Wait for the chains to end and return their draws; may be called again.

        Returns:
          An ``xarray.DataTree`` in ArviZ's schema: posterior, sample_stats, observed_data, ...

        Raises:
          StartError: no chain found a point to start from.
          RunFailed: every chain gave up, or the run was cancelled.
        """
        await self.wait_over()
        async with self.reading:
            if self._result is None:
                self._result = await self._parts.runner(self.committed_result)
            return self._result

    def committed_result(self) -> "xarray.DataTree":
        """Return what is committed so far, all chains cut to the shortest; waits for nothing.

        Raises:
          RunFailed: a chain has no kept draw yet, or the run was cancelled.
        """
        if self._log.is_cancelled:
            raise RunFailed("the run was cancelled: nothing of it was kept, as run.abort() would have done.")
        compiled = self._parts.executables.compiled
        return result(
            self._log,
            self._parts.target,
            var_names=self._keep.var_names,
            save_warmup=self._keep.save_warmup,
            attrs={
                "folded": compiled.is_folded,
                "device": compiled.device,
                "sampling_time": self._elapsed(),
            },
        )

    def _elapsed(self) -> float:
        return (trio.current_time() if self._feed.ended is None else self._feed.ended) - self._began

    def _chain_statistics(self, chain: int, elapsed: float) -> ChainStatistics:
        record = self._log.chains[chain]
        phase, index = self._log.settings.place(record.transitions)
        made_before = self._made_before[chain] if chain < len(self._made_before) else 0
        return ChainStatistics(
            chain=chain,
            status=record.status,
            phase=phase,
            index=index,
            step_size=record.step_size,
            divergences=record.divergences,
            restarts=record.restarts,
            steps=record.steps,
            draws_per_second=(record.transitions - made_before) / elapsed if elapsed > 0 else 0.0,
            stalled=record.stalled,
        )
