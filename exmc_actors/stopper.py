"""Stop a run as soon as a rule says so: a guest of the run that sees what is committed.

It looks at the chains that the run began with: how far others have come depends on when they were added.
"""

import functools
import math
import sys
import warnings

import trio

from exmc_actors.diagnostics.stopping import Rule, judged_at
from exmc_actors.errors import StoreError, StoreWarning
from exmc_actors.run import Run
from exmc_actors.runtime import Log, collect


class Held:
    """A run that will be there: whoever judges it is started before."""

    def __init__(self) -> None:
        """Hold none."""
        self._run: Run | None = None
        self._is_there = trio.Event()

    def put(self, run: Run) -> None:
        """Let those go on who wait for the run."""
        self._run = run
        self._is_there.set()

    async def get(self) -> Run:
        """Return the run, as soon as it is there."""
        await self._is_there.wait()
        assert self._run is not None
        return self._run


async def stopper(held: Held, rule: Rule) -> None:
    """Judge a run at fixed numbers of draws, and stop it there; or at the end of its time.

    The run waits for this: its chains may come to their ends before anybody has judged their first draws.
    """
    run = await held.get()
    limit = math.inf if rule.seconds is None else rule.seconds
    # From the beginning of the run, whenever this began: it may be started again.
    with trio.CancelScope(deadline=run._began + limit):
        try:
            await _judge(run, rule)
        finally:
            if not isinstance(sys.exception(), trio.Cancelled):  # else it is started again, or time is up
                run._decide()
        await run.wait_over()  # the time may end after the last judgement, too
        return
    await run._end_because(f"the time of {limit:g} s was over")


async def _judge(run: Run, rule: Rule) -> None:
    log = run._log
    if log.enough is not None:  # as was found before: what was lost since is made again, whatever a rule says
        return
    for number in judged_at(log.settings.draws):
        while not _are_there(log, number):
            if log.is_over:
                return
            await run._feed.committed.park()
        try:
            async with run.reading:
                if log.is_over:
                    return
                reason = await run._parts.runner(functools.partial(_reason, log, rule, number))
        except StoreError as error:
            # No reason to lose the run: it goes on to its last draw, or to the end of its time.
            warnings.warn(f"the stopping rule can no longer be judged: {error}", StoreWarning, stacklevel=2)
            return
        if reason is not None:
            await run._stop_at(number, reason)
            return


def _are_there(log: Log, number: int) -> bool:
    """Whether every first chain has made so many draws, or has ended before."""
    wanted = log.settings.tune + number
    return all(record.transitions >= wanted or record.status != "running" for record in log.first_chains)


def _reason(log: Log, rule: Rule, number: int) -> str | None:
    wanted = log.settings.tune + number
    chains = [chain for chain, record in enumerate(log.first_chains) if record.transitions >= wanted]
    if not chains:
        return None
    warmup_steps = sum(log.chains[chain].warmup_steps for chain in chains)
    return rule.reason(*collect(log, chains, "sample", number), warmup_steps)
