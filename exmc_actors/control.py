"""Rule a run in progress: kill a chain, pause, end early; what was decided lies in the log."""

import contextlib
import functools
import math
from typing import TYPE_CHECKING

import trio

import supervision as sv
from exmc_actors.arguments import is_integer
from exmc_actors.errors import RunFailed, SettingsError, StoreError
from exmc_actors.runtime import NO_MORE_LANES, Parts, chain_child, chain_path, start_positions
from exmc_actors.runtime.chain_record import ChainRecord
from exmc_actors.runtime.journal import MOST_ADDED, StopRecord
from exmc_actors.runtime.keeper import Keeper
from exmc_actors.runtime.protocol import Stop, StopChain

if TYPE_CHECKING:
    import xarray

_RESTARTING = 0.01
"""Seconds between two attempts to reach a recorder that is being restarted."""

_RESTARTED = (sv.AlreadyStarted, sv.AlreadyPresent, sv.ProcessExited, sv.StartFailed, sv.NoSuchChild)
"""What adding a chain meets while all chains are restarted, this one maybe with them."""

_LEFT = (
    "the run is no longer open, and its result stays: cancel a run within the block that opens it, and one "
    "of a runtime before it ends; now remove its store, or let go of it by rt.forget(name)."
)


class Control:
    """What can be done to a run."""

    def __init__(self, parts: Parts, supervisor: sv.Supervisor) -> None:
        """Attach to a started supervision tree."""
        self._parts = parts
        self.supervisor = supervisor
        """The root of the run's tree, to look at and to break on purpose."""
        self._feed = parts.feed
        self._log = parts.feed.log
        self.reading = trio.Lock()
        """Whoever has it reads the log in a thread."""
        self._adding = trio.Lock()
        self._result: xarray.DataTree | None = None

    async def kill_chain(self, chain: int) -> bool:
        """Kill a chain's actor at once, for tests and demonstrations; its supervisor heals it.

        Returns:
          Whether there was anything to kill: False for a chain that has ended.

        Raises:
          SettingsError: the run has no such chain.
        """
        record = self._record(chain)
        actor = self.supervisor.child(*chain_path(chain))
        if record.status != "running" or not actor.is_alive:
            return False
        actor.exit(sv.KILL)
        await actor.wait_exited()
        return True

    async def stop_chain(self, chain: int) -> bool:
        """End one chain and keep what it has; the others go on, and the result is not cut to its length.

        What it has is apart, in ``unfinished_posterior``; ``stopped_chains`` in the result's attributes names
        it.  Lessons of the warmup that it had not come to are held without it, so that from then on the
        others' draws depend on which lesson that was.  It stays stopped, in a run that goes on later, too.

        Returns:
          Whether there was anything to stop: False for a chain that has ended.

        Raises:
          SettingsError: the run has no such chain.
        """
        record = self._record(chain)
        await trio.lowlevel.checkpoint()
        if record.status != "running" or not await self._tell(StopChain(chain)):
            return False
        actor = self.supervisor.child(*chain_path(chain))
        if actor.is_alive:  # it may be computing a long block, which nobody waits for any more
            actor.exit(sv.KILL)
            await actor.wait_exited()
        return record.was_stopped

    async def add_chains(self, number: int = 1) -> range:
        """Add chains while the run goes on; they begin with their warmup, and are supervised as the others.

        They get the next numbers.  They bring nothing to the lessons of the warmup, so that the draws of the
        chains that were there stay what they are, but take what those have learnt, or learn by themselves
        where those did not agree.  So their draws do not depend on when they were added.

        Args:
          number: how many.

        Returns:
          Their numbers.

        Raises:
          SettingsError: it is no positive integer, or too large, the run is over, or its chains advance
            together.
          ModelError: an initial value does not fit.
        """
        if not is_integer(number) or number < 1:
            raise SettingsError(f"add_chains takes a positive integer, got {number!r}: write add_chains(2).")
        if self._parts.settings.ensemble_width:
            raise SettingsError(NO_MORE_LANES)
        async with self._adding:
            first = len(self._log.chains)
            room = self._parts.settings.chains + MOST_ADDED - first
            if number > room:
                raise SettingsError(
                    f"add_chains can add {room} more chains to this run, got {number}: begin another run for "
                    "the others."
                )
            for chain in range(first, first + number):
                await self._add(chain)
            return range(first, first + number)

    async def _add(self, chain: int) -> None:
        """Start a chain; that it belongs to the run is decided by the recorder, once its actor asks."""
        starts, settings = self._parts.starts, self._parts.settings
        if chain == len(starts):
            seconds = math.inf if settings.initvals else 0.0
            compute = functools.partial(start_positions, self._parts.target, settings, [chain])
            starts.extend(await self._parts.runner(compute, seconds=seconds))
        while not self._log.is_over:
            with contextlib.suppress(*_RESTARTED):
                await self.supervisor.supervisor("engine", "chains").start_child(
                    chain_child(self._parts, chain)
                )
            if chain < len(self._log.chains):
                break
            await trio.sleep(_RESTARTING)
        if chain >= len(self._log.chains):
            raise SettingsError(
                "the run is over, so that no chain can be added: a run in a store takes more by "
                "ex.resume(folder, chains=...)."
            )

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

    async def _end_because(self, reason: str) -> None:
        """End the run as ``abort`` does, and note why."""
        if not (self._log.is_over or self._log.is_aborted):
            self._log.why_stopped = reason
        await self.abort()

    async def cancel(self) -> None:
        """End the run and keep nothing: ``result`` then raises, and a store holds no run any more.

        Returns when nothing computes any more, and what was committed is let go of.  A run that has ended can
        be cancelled as well.  If the process dies meanwhile, its store holds the run, or the first part of
        it, or none.

        Raises:
          RunFailed: the block that held the run has been left; its result stays.
          StoreError: the run cannot be removed from its store; all else is done.
        """
        if not self.supervisor.ref.is_alive:
            await trio.lowlevel.checkpoint()
            raise RunFailed(_LEFT)
        before = self._log.is_aborted, self._log.is_cancelled
        self._log.cancel()
        try:
            # Who waits for the run's end may then leave its block, and with it the store that is to be empty.
            await self.supervisor.terminate_child("closer")
            await self.supervisor.terminate_child("engine")
            async with self.reading:
                await self._discard()
        except sv.ProcessExited:
            self._log.is_aborted, self._log.is_cancelled = before
            raise RunFailed(_LEFT) from None
        finally:
            self._feed.close()

    async def _discard(self) -> None:
        """Let go of what was committed, in memory and in the store."""
        self._log.discard()
        self._result = None
        journal = self._parts.durability.journal
        if journal is not None:
            try:
                await self._parts.runner(journal.discard)
            except OSError as error:
                raise StoreError(f"the run cannot be removed from its store: {error.strerror}.") from error

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

    async def _tell(self, order: StopChain) -> bool:
        """Have the recorder act, while it is being restarted, too; False where the run has ended by then."""
        while not self._log.is_over:
            with contextlib.suppress(sv.ProcessExited):
                await self.supervisor.child("engine", "recorder").call(order)
                return True
            await trio.sleep(_RESTARTING)
        return False

    def _record(self, chain: int) -> ChainRecord:
        if not is_integer(chain) or not 0 <= chain < len(self._log.chains):
            last = len(self._log.chains) - 1
            raise SettingsError(f"this run has no chain {chain!r}: give a number from 0 to {last}.")
        return self._log.chains[chain]
