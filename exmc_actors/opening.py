"""Open a run: check what was asked for, and compose a program, a store, workers and a supervision tree."""

import contextlib
import math
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractContextManager, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from exmc_actors.again import Again
from exmc_actors.asked import Asked, asked
from exmc_actors.compiler import Evaluator
from exmc_actors.diagnostics import Rule
from exmc_actors.kernel import Kernel
from exmc_actors.run import Run
from exmc_actors.running import Tree, View, running, unchanged
from exmc_actors.runtime import (
    BlockSize,
    Parts,
    Runner,
    Settings,
    Store,
    default_platform,
    ensemble_width,
    in_thread,
    wants_ensemble,
)
from exmc_actors.stored import Opened, begun, gone_on_with, target_of
from exmc_actors.where import Kind
from exmc_actors.xla import is_prepared, prepare


@asynccontextmanager
async def open_run(  # noqa: PLR0913 - PyMC's words, keyword-only
    model: Any = None,
    *,
    draws: int | None = None,
    tune: int | None = None,
    chains: int | None = None,
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
    store: str | Path | Store | None = None,
    resume: str | Path | Store | None = None,
    anyway: bool = False,
    stop: Rule | None = None,
    priority: int = 0,
    workers: Kind = "thread",
    patience: float | None = None,
    views: Sequence[View] = (),
    block_size: BlockSize | None = None,
    runner: Runner = in_thread,
    parts: Callable[[Parts], Parts] = unchanged,
) -> AsyncIterator[Run]:
    """Start the chains of a run under supervision, and stop them on leaving.

    The same arguments with the same ``random_seed`` give the same draws, bit for bit, whatever happens to
    the actors meanwhile.

    Args:
      model: a ``Model``, a ``Program``, a ``LogDensity``, or what ``from_numpyro`` or ``from_pymc`` returns.
      draws: kept draws a chain; None means 1,000, and of a stored run as many as it was opened for.
      tune: warmup transitions a chain; None means the default, 150.
      chains: how many; None means 4, and of a stored run as many as it has.
      cores: how many blocks may run at once; None means the cores that this process may use.
      target_accept: the acceptance that warmup aims at, between 0 and 1.
      step_size_jitter: how far, in parts of the chain's step size, that of each trajectory is drawn above or
        below it, uniformly; under 1.
      max_treedepth: how often a trajectory can grow, to under 2^max_treedepth steps.
      kernel: ``Nuts()``, or ``Walnuts()`` for funnels and other hard geometry; None means ``Nuts()``.
      random_seed: a non-negative integer; None draws one, which the result's attributes then hold.
      ensemble: whether chains advance together, many in one kernel: faster for dozens of chains.  Their
        draws are other ones than without it; None means only where the device is no CPU.
      initvals: start values by variable, or a list of such mappings, one a chain.  What is not given starts
        at random, at the first of 100 places that can be; a ``LogDensity`` starts around its ``init``.
      var_names: the variables that the result keeps; None keeps all.
      save_warmup: whether the result keeps warmup draws, in ``warmup_`` groups.
      store: a folder to keep the run in, or a ``Store``; None keeps nothing.  What was committed outlives the
        process.
      resume: the folder of a stored run to go on with, to the bits that it would have had; ``draws`` and
        ``chains`` may be larger than before.  Its model and its settings are there; only ``cores``, what the
        result keeps, and what is below may be given.
      anyway: whether a stored run goes on although another version or processor computed its draws.
      stop: a rule by which the run may end before all draws are made: ``ex.Converged()``,
        ``ex.MaxTime("10 min")``, ``ex.MaxGradients(10**6)``, ``ex.MaxDivergences(50)``, or several by ``|``.
        Not stored.
      priority: where the runs of this process wait for a core, those of a higher priority go first, and
        equals take turns.  Never changes a draw.
      workers: where blocks are computed: ``"thread"``, or ``"process"`` for as many processes as ``cores``,
        of which one that is killed, or crashes, is replaced.  The draws are the same bits.
      patience: seconds after which a worker process that has not finished a block is ended and replaced; None
        waits.  A chain gives up whose block is not finished three times.
      views: async functions of ``Run.subscribe``, run as supervised guests of the run.
      block_size: chooses the transitions of each block; None aims at 50 ms a block, and at shorter ones where
        chains that share cores come to an end.  Never changes a draw.
      runner: runs blocking computations; the default uses worker threads.  Tests pass ``runtime.inline``.
      parts: exchanges what the actors are made from; ``faults.Faults(...)`` makes them fail on purpose.

    Raises:
      SettingsError: an argument is of the wrong kind or out of range.
      ModelError: the model, or an initial value, does not fit.
      StoreError: the store holds a run already, or the one to go on with is not there or cannot be read.
      RunFailed: the supervision tree gave up.
      WorkerDied: worker processes cannot be started, or do not survive compiling.
    """
    wanted = asked(
        draws=draws,
        tune=tune,
        chains=chains,
        cores=cores,
        target_accept=target_accept,
        step_size_jitter=step_size_jitter,
        max_treedepth=max_treedepth,
        kernel=kernel,
        random_seed=random_seed,
        ensemble=ensemble,
        initvals=initvals,
        var_names=var_names,
        save_warmup=save_warmup,
        store=store,
        resume=resume,
        anyway=anyway,
        stop=stop,
        priority=priority,
        workers=workers,
        patience=patience,
        views=views,
        block_size=block_size,
        runner=runner,
        parts=parts,
    )
    if not is_prepared():
        await runner(prepare)
    where, settings = wanted.where, wanted.settings
    where.check_device()
    opening: AbstractContextManager[Opened]
    if settings is None:
        assert wanted.store is not None
        opening = gone_on_with(wanted.store, Again(model, anyway=anyway, **wanted.again))
    else:
        # Asked here, and not in a thread: JAX's default device may be set for the host's thread alone.
        together = default_platform() if wants_ensemble(ensemble, settings.kernel, default_platform) else None
        # A model has to be compiled, and one that goes to other processes has to be packed.
        seconds = 0.0 if isinstance(model, Evaluator) and where.workers == "thread" else math.inf
        opening = await runner(lambda: _begin(model, settings, together, wanted), seconds=seconds)
    with contextlib.ExitStack() as files:
        if wanted.store is None:
            opened = files.enter_context(opening)
        else:  # files take their time
            opened = await runner(lambda: files.enter_context(opening))
        async with where.opened(opened.target, opened.settings) as started:
            tree = Tree(views, block_size, runner, wanted.priority, started, where.seconds, parts)
            async with running(opened, wanted.keep, tree, wanted.rule) as run:
                yield run


def _begin(
    model: Any, settings: Settings, together: str | None, wanted: Asked
) -> AbstractContextManager[Opened]:
    """Return how a new run is opened: what does not fit together is refused before there is a folder.

    Args:
      model: to be sampled.
      settings: of the run.
      together: the platform on which chains advance together; None where each advances by itself.
      wanted: what else was asked for.
    """
    target = target_of(model)
    wanted.keep.check(target)
    if together is not None:
        width = ensemble_width(settings.chains, target.dim, together)
        settings = replace(settings, ensemble_width=width)
    wanted.where.check(target, settings)
    return begun(target, settings, wanted.store)
