"""Stop a run as soon as a rule says so: a guest of the run that sees what is committed."""

import functools
import math
import warnings

import trio

from exmc_actors.diagnostics.stopping import Rule, judged_at
from exmc_actors.errors import StoreError, StoreWarning
from exmc_actors.run import Run
from exmc_actors.runtime import Log, collect


async def stopper(run: Run, rule: Rule) -> None:
    """Judge a run at fixed numbers of draws, and stop it there; or at the end of its time."""
    limit = math.inf if rule.seconds is None else rule.seconds
    # From the beginning of the run, whenever this began: it may be started again.
    with trio.CancelScope(deadline=run._began + limit):
        await _judge(run, rule)
        return
    await run.abort()


async def _judge(run: Run, rule: Rule) -> None:
    log = run._log
    for number in judged_at(log.settings.draws):
        while not _are_there(log, number):
            if log.is_over:
                return
            await run._feed.committed.park()
        if log.is_over:
            return
        try:
            reason = await run._parts.runner(functools.partial(_reason, log, rule, number))
        except StoreError as error:
            # No reason to lose the run: it goes on to its last draw, or to the end of its time.
            warnings.warn(f"the stopping rule can no longer be judged: {error}", StoreWarning, stacklevel=2)
            await run._over()
            return
        if reason is not None:
            await run._stop_at(number, reason)
            return


def _are_there(log: Log, number: int) -> bool:
    """Whether every chain has made so many draws, or has given up."""
    wanted = log.settings.tune + number
    return all(record.transitions >= wanted or record.status == "failed" for record in log.chains)


def _reason(log: Log, rule: Rule, number: int) -> str | None:
    wanted = log.settings.tune + number
    chains = [chain for chain, record in enumerate(log.chains) if record.transitions >= wanted]
    return rule.reason(*collect(log, chains, "sample", number)) if chains else None
