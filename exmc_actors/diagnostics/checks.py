"""Say in plain sentences why draws should not be trusted yet, and what to do about each reason."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from exmc_actors.diagnostics import agreement
from exmc_actors.diagnostics.by_quantity import FEWEST_DRAWS
from exmc_actors.diagnostics.quantities import by_chain_and_draw, posterior_of

if TYPE_CHECKING:
    import xarray as xr

HIGHEST_SHARE_OF_DEEP_TREES = 0.05
LOWEST_E_BFMI = 0.3

_LOOKED_AT = ("diverging", "energy", "reached_max_treedepth")


def problems(tree: xr.DataTree, *, most_numbers: int = agreement.MOST_NUMBERS) -> list[str]:
    """Return one sentence a problem, the gravest first; none where all is well.

    Args:
        tree: with a group ``posterior``, and ``sample_stats`` where there are any.
        most_numbers: bounds the time for R-hat and ESS; a large model is looked at in even steps.
    """
    posterior = posterior_of(tree)
    draws = posterior.sizes.get("draw", 0)
    if draws < FEWEST_DRAWS:
        return [f"{draws} draws a chain are too few to judge: take some hundreds at least."]
    judged = agreement.judge_doubtful(posterior, most_numbers=most_numbers)
    stats, chains = _sample_stats(tree)
    found = [
        _divergences(stats),
        agreement.not_finite(judged),
        agreement.disagreement(judged),
        *agreement.too_few_effective_draws(judged),
        _low_energy_change(stats, chains),
        _deep_trees(stats),
    ]
    return [sentence for sentence in found if sentence]


def e_bfmi(energy: np.ndarray) -> np.ndarray:
    """Return each chain's estimated Bayesian fraction of missing information.

    Args:
        energy: shape (chain, draw).
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        change = np.square(np.diff(energy, axis=1)).mean(axis=1)
        fraction: np.ndarray = change / energy.var(axis=1, ddof=1)
    return fraction


def _sample_stats(tree: xr.DataTree) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Return what is looked at, and the numbers of its chains: a posterior may have fewer."""
    if "sample_stats" not in tree.children:
        return {}, np.zeros(0, int)
    stats = tree.children["sample_stats"].to_dataset()
    found = {name: by_chain_and_draw(stats, name).values for name in _LOOKED_AT if name in stats}
    return found, stats["chain"].values if found else np.zeros(0, int)


def _divergences(stats: dict[str, np.ndarray]) -> str | None:
    diverging = stats.get("diverging", np.zeros(0))
    if not diverging.any():
        return None
    return (
        f"{int(diverging.sum())} of {diverging.size} draws diverged: the sampler could not follow the "
        "posterior there, so estimates may be biased. Reparameterise (a non-centred form helps most "
        "hierarchical models), raise target_accept towards 0.99, or sample with kernel=ex.Walnuts()."
    )


def _low_energy_change(stats: dict[str, np.ndarray], chains: np.ndarray) -> str | None:
    if "energy" not in stats:
        return None
    fractions = e_bfmi(stats["energy"])
    bad = np.flatnonzero(fractions < LOWEST_E_BFMI)
    if not len(bad):
        return None
    shown = [f"chain {chains[i]}: {fractions[i]:.2f}" for i in bad[:8]] + ["..."] * (len(bad) > 8)
    return (
        f"E-BFMI is below {LOWEST_E_BFMI} in {len(bad)} of {len(fractions)} chains ({', '.join(shown)}): "
        "they change their energy slowly, so that heavy tails and funnels are explored badly. Reparameterise "
        "or raise tune."
    )


def _deep_trees(stats: dict[str, np.ndarray]) -> str | None:
    reached = stats.get("reached_max_treedepth", np.zeros(0))
    if not reached.size or reached.mean() <= HIGHEST_SHARE_OF_DEEP_TREES:
        return None
    return (
        f"{int(reached.sum())} of {reached.size} draws reached the maximum tree depth: they are valid, but "
        "each cost much and moved little. Bring the parameters to similar scales, reparameterise, or raise "
        "max_treedepth."
    )
