"""Open a run: compose a program, a supervision tree and views; this is where a run begins and ends."""

import contextlib
import math
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from typing import Any, cast

import trio

import supervision as sv
from exmc_actors.compiler import Evaluator, Target, compile
from exmc_actors.errors import ExmcError, RunFailed, SettingsError
from exmc_actors.kernel import Kernel
from exmc_actors.model import Model
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
    check,
    default_platform,
    ensemble_width,
    executables_for,
    in_thread,
    run_children,
    start_positions,
    wants_ensemble,
)
from exmc_actors.runtime.block_size import SECONDS_A_LANE
from exmc_actors.runtime.executables import Executables
from exmc_actors.xla import is_prepared, prepare

Subscribe = Callable[..., AbstractAsyncContextManager[Subscription]]
View = Callable[[Subscribe], Awaitable[None]]
"""Anything that subscribes: an async function of ``Run.subscribe``."""

_FAREWELL = 1.0
"""Seconds that views are given to show the end of a finished run."""


@asynccontextmanager
async def open_run(  # noqa: PLR0913 - PyMC's words, keyword-only
    model: Any,
    *,
    draws: int = 1000,
    tune: int | None = None,
    chains: int = 4,
    cores: int | None = None,
    target_accept: float = 0.8,
    step_size_jitter: float = 0.0,
    max_treedepth: int = 10,
    kernel: Kernel | None = None,
    random_seed: int | None = None,
    ensemble: bool | None = None,
    initvals: Any = None,
    var_names: str | Sequence[str] | None = None,
    save_warmup: bool = False,
    views: Sequence[View] = (),
    block_size: BlockSize | None = None,
    runner: Runner = in_thread,
) -> AsyncIterator[Run]:
    """Start the chains of a run under supervision, and stop them on leaving.

    The same arguments with the same ``random_seed`` give the same draws, bit for bit, whatever happens to
    the actors meanwhile.

    Args:
      model: a ``Model``, a ``Program``, a ``LogDensity``, or what ``from_numpyro`` or ``from_pymc`` returns.
      draws: kept draws a chain.
      tune: warmup transitions a chain; None means the default, 150.
      chains: how many.
      cores: how many blocks may run at once; None means the cores that this process may use.
      target_accept: the acceptance that warmup aims at, between 0 and 1.
      step_size_jitter: how far, in parts of the chain's step size, that of each trajectory is drawn above or
        below it, uniformly; under 1.
      max_treedepth: the largest number of doublings of a trajectory.
      kernel: ``Nuts()``, or ``Walnuts()`` for funnels and other hard geometry; None means ``Nuts()``.
      random_seed: a non-negative integer; None draws one, which the result's attributes then hold.
      ensemble: whether chains advance together, many in one kernel: faster for dozens of chains.  Their
        draws are other ones than without it; None means only where the device is no CPU.
      initvals: start values by variable, or a list of such mappings, one a chain.  What is not given starts
        at random; a ``LogDensity`` starts around its ``init``.
      var_names: the variables that the result keeps; None keeps all.
      save_warmup: whether the result keeps warmup draws, in ``warmup_`` groups.
      views: async functions of ``Run.subscribe``, run as supervised guests of the run.
      block_size: chooses the transitions of each block; None aims at 50 ms a block, and at shorter ones where
        chains that share cores come to an end.  Never changes a draw.
      runner: runs blocking computations; the default uses worker threads.  Tests pass ``runtime.inline``.

    Raises:
      SettingsError: an argument is of the wrong kind or out of range.
      ModelError: the model, or an initial value, does not fit.
      RunFailed: the supervision tree gave up.
    """
    target = _target(model)
    settings = check(
        draws=draws,
        tune=tune,
        chains=chains,
        cores=cores,
        target_accept=target_accept,
        step_size_jitter=step_size_jitter,
        max_treedepth=max_treedepth,
        kernel=kernel,
        random_seed=random_seed,
        initvals=initvals,
    )
    if not is_prepared():
        await runner(prepare)
    if wants_ensemble(ensemble, settings.kernel, default_platform):
        width = ensemble_width(settings.chains, target.dim, default_platform())
        settings = replace(settings, ensemble_width=width)
    keep = Keep(_names(var_names), save_warmup)
    keep.check(target)
    feed = Feed(Log(settings))
    executables = _executables(target, settings)
    # What is given may be large, and has to be unconstrained.
    seconds = math.inf if settings.initvals else 0.0
    starts = await runner(lambda: start_positions(target, settings), seconds=seconds)
    sizes = block_size or _block_size(settings)
    parts = Parts(target, settings, starts, executables, feed, sizes, runner)
    children = run_children(parts, [_view(number, view, feed) for number, view in enumerate(views)])
    try:
        async with sv.open_supervisor(children, strategy="one_for_one") as supervisor:
            yield Run(parts, supervisor, keep)
            await _farewell(supervisor, feed.log)
    except sv.GaveUp as error:
        raise RunFailed(f"the run's supervision tree gave up: {error}") from error
    except sv.StartFailed as error:
        raise _start_error(error) from error
    finally:
        feed.close()  # only now: the chains may commit until they have stopped


def _block_size(settings: Settings) -> BlockSize:
    if settings.ensemble_width:
        return ByWallTime(seconds=SECONDS_A_LANE * settings.ensemble_width)
    return ByWallTime(shares_cores=settings.chains > settings.cores)


def _executables(target: Target, settings: Settings) -> Executables:
    depth, kernel, width = settings.max_treedepth, settings.kernel, settings.ensemble_width
    if width:
        return executables_for(target, depth, kernel, EnsembleExecutables, width=width)
    return executables_for(target, depth, kernel)


def _target(model: Any) -> Target:
    if isinstance(model, Model):
        return compile(model)
    if isinstance(model, Evaluator):
        return cast(Target, model)
    raise SettingsError(
        f"a Model, a Program or a LogDensity can be sampled, got {model!r}: "
        "write sample(builder.model()), or sample(LogDensity(function, init)); "
        "from_pymc and from_numpyro take models of those libraries."
    )


def _names(var_names: str | Sequence[str] | None) -> tuple[str, ...] | None:
    if var_names is None:
        return None
    if len(var_names) == 0:
        raise SettingsError(
            "var_names is empty, so that nothing would be kept: name a variable, or leave it out."
        )
    return (var_names,) if isinstance(var_names, str) else tuple(var_names)


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
