"""Estimate how well a model predicts new data, from the pointwise log likelihood that is there.

The Pareto smoothing is that of ArviZ's array functions; nothing is sampled or fitted again.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from exmc_actors.diagnostics.by_quantity import FEWEST_DRAWS
from exmc_actors.diagnostics.elpd import Elpd, standard_error_of_sum, weights_of
from exmc_actors.diagnostics.ess import ess, in_units_of_range
from exmc_actors.diagnostics.quantities import by_chain_and_draw, chosen_variables, posterior_of, quantities
from exmc_actors.diagnostics.ranks import split_chains
from exmc_actors.errors import SamplingWarning, SettingsError

if TYPE_CHECKING:
    import xarray as xr

_FEWEST_FOR_LOO = 25
"""The Pareto distribution is fitted to a fifth of the draws, and to five at least."""
_SHAKY_VARIANCE = 0.4
"""A log likelihood that varies by more makes its term of the WAIC unreliable."""


def loo(tree: xr.DataTree, var_name: str | None = None) -> Elpd:
    """Estimate leave-one-out predictive accuracy by Pareto-smoothed importance sampling.

    Args:
        tree: with a group ``log_likelihood``.
        var_name: the observed variable, where there are several.

    Raises:
        SettingsError: the group is missing, or holds what cannot be used.

    Warns:
        SamplingWarning: some observations have importance ratios that cannot be smoothed.

    References:
        Vehtari, Gelman & Gabry (2017), *Practical Bayesian model evaluation using leave-one-out
        cross-validation and WAIC*; Vehtari, Simpson, Gelman, Yao & Gabry (2024), *Pareto smoothed importance
        sampling*.
    """
    found, doubt = loo_with_doubt(tree, var_name)
    if doubt:
        _warn(doubt)
    return found


def loo_with_doubt(tree: xr.DataTree, var_name: str | None) -> tuple[Elpd, str | None]:
    """Return what ``loo`` does, and in a sentence why it should not be trusted, if so."""
    values = _log_likelihood(tree, var_name)
    n_samples = values.sizes["chain"] * values.sizes["draw"]
    if n_samples < _FEWEST_FOR_LOO:
        raise SettingsError(
            f"loo needs {_FEWEST_FOR_LOO} draws at least, the tree has {n_samples}: draw more."
        )
    good_k = float(min(1 - 1 / np.log10(n_samples), 0.7))
    logs = values.values.reshape(n_samples, -1)
    elpd_i, pareto_k, p_i = _leave_one_out(logs, tree, values.sizes["chain"])
    bad = int(np.sum(~((pareto_k <= good_k) & np.isfinite(elpd_i))))  # NaN is bad, too
    elpd_i, pareto_k, p_i = (each.reshape(values.shape[2:]) for each in (elpd_i, pareto_k, p_i))
    more = {"warning": bad > 0, "pareto_k": _like(values, pareto_k), "good_k": good_k}
    found = _elpd("loo", tree, values, elpd_i, p_i, **more)
    doubt = (
        f"{bad} of {found.n_data_points} observations of {values.name} have a Pareto k above {good_k:.2f}, "
        "so that their part of elpd_loo is unreliable: the posterior without them may be far from the one "
        "with them. Look at them (result.pareto_k), and consider a model with heavier tails."
    )
    return found, doubt if bad else None


def waic(tree: xr.DataTree, var_name: str | None = None) -> Elpd:
    """Estimate predictive accuracy by the widely applicable information criterion.

    ``loo`` is as good or better, and says where it fails; this is here to compare with what others report.

    Args:
        tree: with a group ``log_likelihood``.
        var_name: the observed variable, where there are several.

    Raises:
        SettingsError: the group is missing, or holds what cannot be used.

    Warns:
        SamplingWarning: some log likelihoods vary too much for the formula.

    References:
        Watanabe (2010), *Asymptotic equivalence of Bayes cross validation and widely applicable information
        criterion*; Gelman, Hwang & Vehtari (2014), *Understanding predictive information criteria for
        Bayesian models*, with the second of its effective numbers of parameters.
    """
    values = _log_likelihood(tree, var_name)
    flat = values.values.reshape(-1, *values.shape[2:])
    highest = flat.max(axis=0)
    lppd_i = np.log(np.exp(flat - highest).mean(axis=0)) + highest
    p_i = flat.var(axis=0, ddof=1)
    shaky = int((p_i > _SHAKY_VARIANCE).sum())
    found = _elpd("waic", tree, values, lppd_i - p_i, p_i, warning=shaky > 0)
    if shaky:
        _warn(
            f"{shaky} of {found.n_data_points} log likelihoods of {values.name} have a variance above "
            f"{_SHAKY_VARIANCE} over the posterior, so that elpd_waic is unreliable: take ex.loo(tree) "
            "instead."
        )
    return found


def _leave_one_out(logs: np.ndarray, tree: xr.DataTree, n_chains: int) -> tuple[np.ndarray, ...]:
    """Return elpd_i, Pareto k and p_i of log likelihoods with a row for each draw, chain after chain."""
    # What is as likely at every draw, of weight zero say, has no tail to smooth, and needs no estimate.
    varies = np.exp(logs.min(axis=0) - logs.max(axis=0)) < 1.0
    elpd_i, pareto_k, p_i = logs[0].astype(float), np.zeros(varies.size), np.zeros(varies.size)
    if varies.any():
        r_eff = _relative_efficiency(tree)
        tied = varies & _has_tied_tail(logs, r_eff)
        smooth = varies & ~tied
        if tied.any():
            elpd_i[tied], p_i[tied] = _unsmoothed(logs[:, tied])
            pareto_k[tied] = np.inf
        if smooth.any():
            elpd_i[smooth], pareto_k[smooth], p_i[smooth] = _smoothed(logs[:, smooth], n_chains, r_eff)
    return elpd_i, pareto_k, p_i


def _smoothed(logs: np.ndarray, n_chains: int, r_eff: float) -> Any:
    # Imported here: it takes longer to load than a small model takes to sample.
    from arviz_stats.base.array import array_stats

    by_chain = logs.reshape(n_chains, -1, logs.shape[1])
    with np.errstate(all="ignore"):
        return array_stats.loo(by_chain, chain_axis=0, draw_axis=1, r_eff=r_eff)


def _unsmoothed(logs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return elpd_i and p_i by importance ratios as they are."""
    highest, lowest = logs.max(axis=0), logs.min(axis=0)
    elpd_i = lowest - np.log(np.exp(lowest - logs).mean(axis=0))
    return elpd_i, highest + np.log(np.exp(logs - highest).mean(axis=0)) - elpd_i


def _has_tied_tail(logs: np.ndarray, r_eff: float) -> np.ndarray:
    """Say of which observations the greatest importance ratios are so alike that no Pareto fits them.

    The fit divides by the lower quartile of how far the tail's ratios lie above the greatest one before it.
    Ties are those of a model that says the same at many draws, as before a change point, or of a stuck chain.
    """
    count = len(logs)
    size = int(3.0 * np.sqrt(count / r_eff)) if count * r_eff > 225 else count // 5  # as ArviZ takes it
    quartile = size - int(size / 4 + 0.5)
    ordered = np.partition(logs, (0, quartile, size - 1, size), axis=0)
    ratios = np.exp(ordered[0] - ordered[[quartile, size - 1, size]])
    is_tied: np.ndarray = (ratios[0] <= ratios[2]) | (ratios[1] == 1.0)
    return is_tied


def _log_likelihood(tree: xr.DataTree, var_name: str | None) -> xr.DataArray:
    """Return one variable of the group, chain and draw first."""
    if "log_likelihood" not in getattr(tree, "children", {}):
        raise SettingsError(
            "a tree with a group 'log_likelihood' is needed: write "
            "tree = ex.log_likelihood(tree, model) first."
        )
    group = tree.children["log_likelihood"].to_dataset()
    names = [str(name) for name in group.data_vars]
    if var_name is None and len(names) > 1:
        raise SettingsError(
            f"the log likelihood has several variables, {', '.join(names)}: say which by "
            f"var_name={names[0]!r}."
        )
    name = names[0] if var_name is None and names else var_name
    if name not in names:
        raise SettingsError(
            f"the log likelihood has no variable {name!r}; it has {', '.join(names) or 'none'}."
        )
    by_chain_and_draw(group, name)  # refuses what is no draws
    return _usable(group[name].transpose("chain", "draw", ...))


def _usable(values: xr.DataArray) -> xr.DataArray:
    if not values.size or values.shape[0] * values.shape[1] < 2:
        raise SettingsError(
            f"the log likelihood of {values.name} has shape {values.shape}: two draws and one observation "
            "are needed at least."
        )
    finite = np.isfinite(values.values)
    if not finite.all():
        at = tuple(int(i) for i in np.unravel_index(int(np.argmin(finite)), finite.shape))
        raise SettingsError(
            f"the log likelihood of {values.name} is {values.values[at]} at chain {at[0]}, draw {at[1]}, "
            f"observation {list(at[2:])}: it must be finite at every draw."
        )
    # Of thousands of draws, sums of single precision keep few digits, and the variances fewer.
    return values.astype(float, copy=False)


def _relative_efficiency(tree: xr.DataTree) -> float:
    """Return the effective draws per draw of the posterior's means; one chain is taken for independent."""
    if "posterior" not in tree.children:
        return 1.0
    posterior = posterior_of(tree)
    count = 1
    sizes: list[np.ndarray] = []
    for part in quantities(posterior, chosen_variables(posterior, None)):
        _, chains, draws = part.draws.shape
        if chains == 1 or draws < FEWEST_DRAWS:
            return 1.0
        count = chains * draws
        sound = part.draws[np.isfinite(part.draws).all(axis=(1, 2))].astype(float, copy=False)
        sizes += [ess(split_chains(one[None])) for one in in_units_of_range(sound)[0]]
    return float(np.concatenate(sizes).mean()) / count if sizes else 1.0


def _elpd(
    kind: str, tree: xr.DataTree, values: xr.DataArray, elpd_i: np.ndarray, p_i: np.ndarray, **more: Any
) -> Elpd:
    pointwise = _like(values, elpd_i)
    counted = pointwise.values[weights_of(pointwise) > 0.0]
    observed = tree.children.get("observed_data")
    return Elpd(
        kind,
        str(values.name),
        elpd=float(counted.sum()),
        se=standard_error_of_sum(counted),
        p=float(np.sum(p_i)),
        n_samples=values.sizes["chain"] * values.sizes["draw"],
        n_data_points=counted.size,
        elpd_i=pointwise,
        p_i=_like(values, p_i),
        observed=None if observed is None else observed.data_vars.get(values.name),
        **more,
    )


def _like(values: xr.DataArray, pointwise: Any) -> xr.DataArray:
    """Return one number an observation, with the log likelihood's names and labels."""
    return values.isel(chain=0, draw=0, drop=True).copy(data=np.asarray(pointwise, float))


def _warn(sentence: str) -> None:
    warnings.warn(sentence, SamplingWarning, stacklevel=3)
