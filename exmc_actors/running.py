"""Run the supervision tree of what was opened, and everything that belongs to one run alone.

What is run, and by which settings, is for ``opening.py``.
"""

import contextlib
import math
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass

import trio

import supervision as sv
from exmc_actors.compiler import Target
from exmc_actors.diagnostics import Rule
from exmc_actors.errors import ExmcError, RunFailed
from exmc_actors.run import Keep, Run
from exmc_actors.runtime import (
    BlockSize,
    ByWallTime,
    EnsembleExecutables,
    Feed,
    Log,
    Parts,
    Runner,
    Settings,
    Subscription,
    Workers,
    executables_for,
    run_children,
    start_positions,
)
from exmc_actors.runtime.block_size import SECONDS_A_LANE
from exmc_actors.runtime.executables import Executables
from exmc_actors.stopper import Held, stopper
from exmc_actors.stored import Opened
from exmc_actors.where import remote_executables

Subscribe = Callable[..., AbstractAsyncContextManager[Subscription]]
View = Callable[[Subscribe], Awaitable[None]]
"""Anything that subscribes: an async function of ``Run.subscribe``."""

_FAREWELL = 1.0
"""Seconds that views are given to show the end of a finished run."""


def unchanged(parts: Parts) -> Parts:
    """Return what the actors of a run are made from: nothing is exchanged."""
    return parts


@dataclass(frozen=True)
class Tree:
    """What the supervision tree of a run is made with, besides what it computes."""

    views: Sequence[View]
    block_size: BlockSize | None
    runner: Runner
    priority: int
    workers: Workers | None
    patience: float
    exchange: Callable[[Parts], Parts]
    """Given what the actors are made from, returns what they are made from in its place."""


@asynccontextmanager
async def running(opened: Opened, keep: Keep, tree: Tree, stop: Rule | None) -> AsyncIterator[Run]:
    """Run the supervision tree of what was opened.

    Raises:
      SettingsError: what is to be kept is not there.
      ModelError: an initial value does not fit.
      RunFailed: the tree could not be started, or gave up.
    """
    keep.check(opened.target)
    parts = await _parts(opened, tree)
    feed, held = parts.feed, Held()
    guests = [_view(number, view, feed) for number, view in enumerate(tree.views)]
    if stop is not None:
        opened.log.is_undecided = True
        guests.append(sv.ChildSpec("stopper", stopper, args=(held, stop), restart="transient"))
    children = run_children(parts, guests)
    try:
        async with sv.open_supervisor(children, strategy="one_for_one") as supervisor:
            run = Run(parts, supervisor, keep)
            held.put(run)
            try:
                yield run
            finally:
                feed.hold_for_good()
            await _farewell(supervisor, feed.log)
    except sv.GaveUp as error:
        raise RunFailed(f"the run's supervision tree gave up: {error}") from error
    except sv.StartFailed as error:
        raise _start_error(error) from error
    finally:
        feed.close()  # only now: the chains may commit until they have stopped


async def _parts(opened: Opened, tree: Tree) -> Parts:
    target, settings = opened.target, opened.settings
    executables = _executables(target, settings, tree.workers)
    # What is given may be large, and has to be unconstrained.
    seconds = math.inf if settings.initvals else 0.0
    chains = range(len(opened.log.chains))
    starts = await tree.runner(lambda: start_positions(target, settings, chains), seconds=seconds)
    made = Parts(
        target=target,
        settings=settings,
        starts=starts,
        executables=executables,
        feed=Feed(opened.log, target.values_layout.names, tree.runner),
        block_size=tree.block_size or _block_size(settings),
        runner=tree.runner,
        durability=opened.durability,
        priority=tree.priority,
        workers=tree.workers,
        patience=tree.patience,
    )
    return tree.exchange(made)


def _block_size(settings: Settings) -> BlockSize:
    if settings.ensemble_width:
        return ByWallTime(seconds=SECONDS_A_LANE * settings.ensemble_width)
    return ByWallTime(shares_cores=settings.chains > settings.cores)


def _executables(target: Target, settings: Settings, workers: Workers | None) -> Executables:
    if workers is not None:
        return remote_executables(target, settings)
    depth, kernel, width = settings.max_treedepth, settings.kernel, settings.ensemble_width
    if width:
        return executables_for(target, depth, kernel, EnsembleExecutables, width=width)
    return executables_for(target, depth, kernel)


def _view(number: int, view: View, feed: Feed) -> sv.ChildSpec:
    async def guest() -> None:
        await view(feed.subscribe)

    return sv.ChildSpec(f"view {number}", guest, restart="temporary")


async def _farewell(supervisor: sv.Supervisor, log: Log) -> None:
    """Let the views of a finished run show its end, for a moment."""
    if log.is_over:
        with trio.move_on_after(_FAREWELL), contextlib.suppress(sv.ProcessExited):
            for child in supervisor.supervisor("views").which_children():
                if child.ref is not None:
                    await child.ref.wait_exited()


def _start_error(error: sv.StartFailed) -> ExmcError:
    """Say why a part of the tree did not come up, by what it raised."""
    cause: BaseException = error
    while isinstance(cause, sv.StartFailed | ExceptionGroup):
        below = cause.exceptions[0] if isinstance(cause, ExceptionGroup) else cause.__cause__
        if below is None:
            break
        cause = below
    if isinstance(cause, ExmcError):
        return cause
    return RunFailed(f"the run could not be started: {type(cause).__name__}: {cause}")
