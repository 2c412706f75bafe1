"""Sample a model in one blocking call, from a script, a notebook or another event loop's thread."""

import functools
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from rich.console import Console

from exmc_actors.blocking import blocking
from exmc_actors.opening import View, open_run
from exmc_actors.result import warn_about
from exmc_actors.run import Run
from exmc_actors.runtime import DEFAULT_TUNE
from exmc_actors.views import progress_view

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
    max_treedepth: int = 10,
    random_seed: int | None = None,
    initvals: Any = None,
    var_names: Sequence[str] | None = None,
    save_warmup: bool = False,
    progressbar: bool = True,
) -> "xarray.DataTree":
    """Sample and return the draws; Ctrl-C returns those that were committed.

    Args:
      model: a ``Model``, a ``Program`` or a ``LogDensity``.
      draws: kept draws a chain.
      tune: warmup transitions a chain; None means the default, 400.
      chains: how many.
      cores: how many blocks may run at once; None means the cores that this process may use.
      target_accept: the acceptance that warmup aims at, between 0 and 1.
      max_treedepth: the largest number of doublings of a trajectory.
      random_seed: a non-negative integer; None draws one, which the result's attributes then hold.
      initvals: start values by variable, or a list of such mappings, one a chain; None starts at random.
      var_names: the variables that the result keeps; None keeps all.
      save_warmup: whether the result keeps warmup draws, in ``warmup_`` groups.
      progressbar: whether to show progress on standard error.

    Returns:
      An ``xarray.DataTree`` in ArviZ's schema: posterior, sample_stats, observed_data, ...

    Raises:
      SettingsError: an argument is of the wrong kind or out of range.
      ModelError: the model, or an initial value, does not fit.
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
    views = _progress(chains, draws, tune) if progressbar else ()
    tree, _ = _until_interrupted(
        model,
        draws=draws,
        tune=tune,
        chains=chains,
        cores=cores,
        target_accept=target_accept,
        max_treedepth=max_treedepth,
        random_seed=random_seed,
        initvals=initvals,
        var_names=var_names,
        save_warmup=save_warmup,
        views=views,
    )
    warn_about(tree, stacklevel=2)
    return tree


def sample_until_interrupted(
    model: Any, *, draws: int, tune: int | None, chains: int, random_seed: int | None
) -> "tuple[xarray.DataTree, bool]":
    """Sample with progress, as ``sample`` does; return also whether Ctrl-C cut the run short."""
    views = _progress(chains, draws, tune)
    tree, is_interrupted = _until_interrupted(
        model, draws=draws, tune=tune, chains=chains, random_seed=random_seed, views=views
    )
    warn_about(tree, stacklevel=2)
    return tree, is_interrupted


def _until_interrupted(model: Any, **settings: Any) -> "tuple[xarray.DataTree, bool]":
    """Run to the end, or to Ctrl-C if every chain has a draw by then."""
    runs: list[Run] = []

    async def main() -> "xarray.DataTree":
        async with open_run(model, **settings) as run:
            runs.append(run)
            return await run.result()

    try:
        return blocking(main), False
    except KeyboardInterrupt:
        if not runs or not runs[0].has_draws:
            raise
        return runs[0].committed_result(), True


def _progress(chains: int, draws: int, tune: int | None) -> tuple[View, ...]:
    shown = progress_view(Console(stderr=True))
    return (
        functools.partial(shown, chains=chains, draws=draws, tune=DEFAULT_TUNE if tune is None else tune),
    )
