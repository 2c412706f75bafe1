"""Hold a run in progress: subscribe, look, kill a chain, wait for the result; ``open_run`` makes it."""

import functools
from collections.abc import Iterable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import trio

import supervision as sv
from exmc_actors.compiler import Target
from exmc_actors.diagnostics import Online
from exmc_actors.errors import SettingsError
from exmc_actors.messages import DROP_OLDEST, ChainStatistics, Overflow, RunStatistics
from exmc_actors.model import unknown
from exmc_actors.result import result
from exmc_actors.runtime import DEFAULT_CAPACITY, Parts, Subscription, chain_path
from exmc_actors.runtime.journal import StopRecord
from exmc_actors.runtime.keeper import Keeper
from exmc_actors.runtime.protocol import Stop

if TYPE_CHECKING:
    import xarray

    from exmc_actors.views.summaries import Summaries


_RESTARTING = 0.01
"""Seconds between two looks at a recorder that is being restarted."""


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


class Run:
    """A run in progress; made by ``open_run``."""

    def __init__(self, parts: Parts, supervisor: sv.Supervisor, keep: Keep) -> None:
        """Attach to a started supervision tree."""
        self._parts = parts
        self.supervisor = supervisor
        """The root of the run's tree, to look at and to break on purpose."""
        self._keep = keep
        self._feed = parts.feed
        self._log = parts.feed.log
        self._began = trio.current_time()
        self._result: xarray.DataTree | None = None
        self._building = trio.Lock()

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

    async def kill_chain(self, chain: int) -> bool:
        """Kill a chain's actor at once, for tests and demonstrations; its supervisor heals it.

        Returns:
          Whether there was anything to kill: False for a chain that has ended.

        Raises:
          SettingsError: the run has no such chain.
        """
        if not 0 <= chain < len(self._log.chains):
            last = len(self._log.chains) - 1
            raise SettingsError(f"this run has no chain {chain!r}: give a number from 0 to {last}.")
        actor = self.supervisor.child(*chain_path(chain))
        if self._log.chains[chain].status != "running" or not actor.is_alive:
            return False
        actor.exit(sv.KILL)
        await actor.wait_exited()
        return True

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

    async def pause(self) -> None:
        """Let the chains wait before their next block; those that compute one finish and commit it.

        A run that is paused stays so, whatever is restarted in it, until ``resume``.
        """
        await trio.lowlevel.checkpoint()
        if not self._log.is_over:
            self._feed.pause("user", "asked to")

    async def resume(self) -> None:
        """Let the chains go on; where they do, nothing changes."""
        await trio.lowlevel.checkpoint()
        self._feed.go_on("user")

    async def abort(self) -> None:
        """End the run and keep what is committed: ``result`` then returns it, all chains cut to the shortest.

        Returns when nothing computes any more.  A run in a store can be gone on with later.
        """
        if self._log.is_over:
            await trio.lowlevel.checkpoint()
            return
        self._log.is_aborted = True
        await self._end_engine()

    async def _stop_at(self, draws: int, reason: str) -> None:
        """End the run with so many draws a chain, whatever else the chains have."""
        while self._log.enough is None and not self._log.is_aborted:
            try:
                await self.supervisor.child("engine", "recorder").call(Stop(draws, reason))
            except sv.ProcessExited:
                if self.supervisor.child("closer").is_alive:  # the engine begins again, or is about to end
                    await trio.sleep(_RESTARTING)
                else:  # all chains have made all their draws: nobody else writes any more
                    await self._keep_stop(StopRecord(draws, reason))
        await self._end_engine()

    async def _keep_stop(self, stop: StopRecord) -> None:
        durability = self._parts.durability
        keeper = Keeper(durability.journal, durability.sync_every, self._feed, self._parts.runner)
        await keeper.keep(stop)
        self._log.stop(stop.draws, stop.reason)

    def _decide(self) -> None:
        """Note that no rule has still to say how many draws are wanted."""
        self._log.is_undecided = False
        self._feed.wake()

    async def _end_engine(self) -> None:
        await self.supervisor.terminate_child("engine")
        self._feed.close()

    def statistics(self) -> RunStatistics:
        """Return a snapshot of every chain and every subscription."""
        elapsed = self._elapsed()
        return RunStatistics(
            tuple(self._chain_statistics(chain, elapsed) for chain in range(len(self._log.chains))),
            self._feed.statistics(),
            elapsed,
            self._log.paused,
        )

    async def result(self) -> "xarray.DataTree":
        """Wait for the chains to end and return their draws; may be called again.

        Returns:
          An ``xarray.DataTree`` in ArviZ's schema: posterior, sample_stats, observed_data, ...

        Raises:
          StartError: no chain found a point to start from.
          RunFailed: every chain gave up.
        """
        await self._over()
        async with self._building:
            if self._result is None:
                self._result = await self._parts.runner(self.committed_result)
        return self._result

    def committed_result(self) -> "xarray.DataTree":
        """Return what is committed so far, all chains cut to the shortest; waits for nothing.

        Raises:
          RunFailed: a chain has no kept draw yet.
        """
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

    async def _over(self) -> None:
        """Wait until nothing will be committed any more."""
        await trio.lowlevel.checkpoint()
        while not self._log.is_over:
            await self._feed.committed.park()

    def _elapsed(self) -> float:
        return (trio.current_time() if self._feed.ended is None else self._feed.ended) - self._began

    def _chain_statistics(self, chain: int, elapsed: float) -> ChainStatistics:
        record = self._log.chains[chain]
        phase, index = self._log.settings.place(record.transitions)
        return ChainStatistics(
            chain=chain,
            status=record.status,
            phase=phase,
            index=index,
            step_size=record.step_size,
            divergences=record.divergences,
            restarts=record.restarts,
            steps=record.steps,
            draws_per_second=record.transitions / elapsed if elapsed > 0 else 0.0,
            stalled=record.stalled,
        )
