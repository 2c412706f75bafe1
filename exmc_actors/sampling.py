"""Sample a model in one blocking call, from a script, a notebook or another event loop's thread."""

import functools
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import trio
from rich.console import Console

from exmc_actors.ahead import Ahead
from exmc_actors.arguments import boolean
from exmc_actors.blocking import blocking
from exmc_actors.cell import Cell, current_cell
from exmc_actors.diagnostics import Rule
from exmc_actors.errors import RunFailed
from exmc_actors.kernel import Kernel
from exmc_actors.opening import open_run
from exmc_actors.result import warn_about
from exmc_actors.run import Run
from exmc_actors.runtime import Store
from exmc_actors.stored import store_of
from exmc_actors.views import View, progress_view
from exmc_actors.views.notebook import notebook_progress
from exmc_actors.where import Kind

if TYPE_CHECKING:
    import xarray


def sample(  # noqa: PLR0913 - PyMC's words, keyword-only
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
    store: str | Path | Store | None = None,
    stop: Rule | None = None,
    workers: Kind = "thread",
    patience: float | None = None,
    progressbar: bool = True,
    dashboard: bool | int = False,
) -> "xarray.DataTree":
    """Sample and return the draws; Ctrl-C returns those that were committed.

    Args:
      model: a ``Model``, a ``Program``, a ``LogDensity``, or what ``from_numpyro`` or ``from_pymc`` returns.
      draws: kept draws a chain.
      tune: warmup transitions a chain; None means the default, 150.
      chains: how many.
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
      store: a folder to keep the run in, or a ``Store``; ``resume`` goes on with it, whatever has ended it.
      stop: a rule by which the run may end before all draws are made: ``ex.Converged()``,
        ``ex.MaxTime("10 min")``, ``ex.MaxGradients(10**6)``, ``ex.MaxDivergences(50)``, or several by ``|``.
      workers: where blocks are computed: ``"thread"``, or ``"process"`` for as many processes as ``cores``,
        of which one that is killed, or crashes, is replaced.  The draws are the same bits.
      patience: seconds after which a worker process that has not finished a block is ended and replaced.
      progressbar: whether to show progress: on standard error, in a notebook in the cell.
      dashboard: whether to show the run in browsers while it lasts, or at which port; the address is written
        to standard error, in a notebook into the cell.  Whoever has it may also pause the run, end it, and
        kill chains.

    Returns:
      An ``xarray.DataTree`` in ArviZ's schema: posterior, sample_stats, observed_data, ...

    Raises:
      SettingsError: an argument is of the wrong kind or out of range.
      ModelError: the model, or an initial value, does not fit.
      StoreError: the store holds a run already, or cannot be written to.
      StartError: no chain found a point with a finite log density.
      RunFailed: every chain gave up.

    Example:
      >>> import exmc_actors as ex
      >>> b = ex.Builder()
      >>> mu = b.rv("mu", ex.Normal(0.0, 5.0))
      >>> _ = b.obs("y", ex.Normal(mu, 1.0), [0.5, 1.5])
      >>> tree = ex.sample(b.model(), draws=1000, random_seed=1, progressbar=False)
      >>> tree.posterior["mu"].shape
      (4, 1000)
    """
    return _sampled(
        functools.partial(
            open_run,
            model,
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
            stop=stop,
            workers=workers,
            patience=patience,
        ),
        progressbar,
        dashboard,
    )


def resume(  # noqa: PLR0913 - as sample, keyword-only
    folder: str | Path | Store,
    *,
    draws: int | None = None,
    chains: int | None = None,
    model: Any = None,
    cores: int | None = None,
    var_names: str | Sequence[str] | None = None,
    save_warmup: bool = False,
    anyway: bool = False,
    stop: Rule | None = None,
    workers: Kind = "thread",
    patience: float | None = None,
    progressbar: bool = True,
    dashboard: bool | int = False,
) -> "xarray.DataTree":
    """Go on with a stored run and return its draws: the bits that it would have had without a stop.

    Args:
      folder: that was named by ``store``.
      draws: kept draws a chain, at least as many as before; None means as many as before.
      chains: how many there are to be, at least as many as before; those that are added make all their draws.
      model: needed where the run is of a ``LogDensity``, of a model with functions of your own, or of one of
        another library, which no store holds: the same one again.
      cores: how many blocks may run at once; None means the cores that this process may use.
      var_names: the variables that the result keeps; None keeps all.
      save_warmup: whether the result keeps warmup draws, in ``warmup_`` groups.
      anyway: whether to go on although another version or processor computed the draws that are there.
      stop: as in ``sample``; a store keeps no rule.
      workers: where blocks are computed: ``"thread"``, or ``"process"`` for as many processes as ``cores``,
        of which one that is killed, or crashes, is replaced.  The draws are the same bits.
      patience: seconds after which a worker process that has not finished a block is ended and replaced.
      progressbar: whether to show progress: on standard error, in a notebook in the cell.
      dashboard: whether to show the run in browsers while it lasts, or at which port; the address is written
        to standard error, in a notebook into the cell.  Whoever has it may also pause the run, end it, and
        kill chains.

    Returns:
      An ``xarray.DataTree`` in ArviZ's schema: posterior, sample_stats, observed_data, ...

    Raises:
      StoreError: there is no run to go on with, or it cannot be read, or something else computed its draws.
      SettingsError: an argument is of the wrong kind or out of range.
      RunFailed: every chain gave up.
    """
    store = store_of(folder, "folder")
    return _sampled(
        functools.partial(
            open_run,
            model,
            resume=store,
            draws=draws,
            chains=chains,
            cores=cores,
            var_names=var_names,
            save_warmup=save_warmup,
            anyway=anyway,
            stop=stop,
            workers=workers,
            patience=patience,
        ),
        progressbar,
        dashboard,
    )


def _sampled(
    opening: Callable[..., AbstractAsyncContextManager[Run]], progressbar: bool, dashboard: bool | int
) -> "xarray.DataTree":
    """Run to the end, or to Ctrl-C, and warn of what makes the draws doubtful."""
    boolean("progressbar", progressbar)
    runs: list[Run] = []
    ahead = Ahead()
    cell = current_cell() if progressbar else None  # here: other threads know of no cell

    async def main() -> "xarray.DataTree":
        is_open = trio.Event()

        async def progress(subscribe: Any) -> None:
            # How long a run is that goes on, is known when it is open.
            await is_open.wait()
            log = runs[0]._log
            shown = progress_view(Console(stderr=True)) if cell is None else _view(runs[0], cell)
            await shown(subscribe, chains=len(log.chains), draws=log.settings.draws, tune=log.settings.tune)

        views = (progress,) if progressbar else ()
        opened = opening(views=views, parts=ahead.put_into)
        async with _door(dashboard) as show, opened as run, show(run):
            runs.append(run)
            is_open.set()
            await run.wait_over()
        # Not beside the tree that ends: Python's lock would go to and fro between the two, for milliseconds.
        return await run.result()

    try:
        tree: xarray.DataTree = blocking(main)
    except KeyboardInterrupt:
        ahead.end()
        tree = _interrupted(runs)
    warn_about(tree, stacklevel=3)
    return tree


@asynccontextmanager
async def _door(dashboard: bool | int) -> AsyncIterator[Callable[[Run], AbstractAsyncContextManager[Any]]]:
    """Listen for browsers, if asked to, before a run is begun; yield what shows it to them."""
    if dashboard is False:
        yield nullcontext
        return
    from exmc_actors.dashboard import opened_door, serving

    async with opened_door(port=0 if dashboard is True else dashboard, control=True) as door:
        Console(stderr=True).out(f"dashboard: {door.url}", highlight=False)
        yield functools.partial(serving, door=door, control=True)


def _view(run: Run, cell: Cell) -> View:
    target = run._parts.target
    return functools.partial(
        notebook_progress,
        show=cell.show,
        dims=target.dims,
        coords=target.coords,
        var_names=run._keep.var_names,
    )


def _interrupted(runs: list[Run]) -> "xarray.DataTree":
    """Return what was committed before Ctrl-C; pass Ctrl-C on if that is nothing."""
    try:
        (run,) = runs
        tree = run.committed_result()
    except (ValueError, RunFailed):
        raise KeyboardInterrupt from None
    tree.attrs["interrupted"] = 1
    return tree
