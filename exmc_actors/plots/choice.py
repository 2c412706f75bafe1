"""Choose which quantities of a posterior a picture shows: those asked for, of many the most doubtful."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from exmc_actors.diagnostics.agreement import judge
from exmc_actors.diagnostics.quantities import (
    by_chain_and_draw,
    chosen_variables,
    count_quantities,
    names_in,
    posterior_of,
    quantities,
)
from exmc_actors.errors import SettingsError
from exmc_actors.plots.curves import REACH, within_reach

if TYPE_CHECKING:
    import xarray as xr


@dataclass(frozen=True)
class Shown:
    """What a picture shows."""

    names: list[str]
    """As in ``ex.summary``."""
    draws: np.ndarray
    """Shape (quantity, chain, draw)."""
    chains: list[str]
    diverging: np.ndarray
    """Shape (chain, draw); all False where nothing is known."""
    notes: tuple[str, ...]
    """What the picture leaves out, a sentence each."""


def choose(tree: xr.DataTree, var_names: str | Sequence[str] | None, most: int) -> Shown:
    """Return the quantities to show, in the order of the posterior.

    Args:
        tree: with a group ``posterior``.
        var_names: variables, or quantities such as ``theta[0]``; None means all.
        most: of more, those with the highest R-hat are taken.

    Raises:
        SettingsError: a name is unknown, or there are no draws, or no elements of what is named.
    """
    posterior = posterior_of(tree)
    if not (posterior.sizes.get("chain") and posterior.sizes.get("draw")):
        raise SettingsError("the posterior has no draws to plot: sample first.")
    variables, only = _wanted(posterior, var_names)
    total = len(only) if only else count_quantities(posterior[variables])
    if not total:
        raise SettingsError(
            f"no elements to plot in {', '.join(variables)}: name a variable in var_names that has some."
        )
    picked, note = only, None
    if total > most:
        picked, note = _most_doubtful(posterior[variables], only, most, total)
    parts = list(_picked(posterior, variables, picked))
    return Shown(
        [name for names, _ in parts for name in names],
        np.concatenate([draws for _, draws in parts]).astype(float, copy=False),
        [str(chain) for chain in posterior["chain"].values],
        _diverging(tree, posterior),
        tuple(sentence for sentence in (note, gave_up(tree)) if sentence),
    )


def reached(shown: Shown) -> Shown:
    """Return what can be drawn along an axis, with a note where that leaves out some draws."""
    draws = within_reach(shown.draws)
    lost = np.count_nonzero(np.isinf(draws)) - np.count_nonzero(np.isinf(shown.draws))
    if not lost:
        return shown
    note = f"{lost:,} draws are not shown: they lie beyond {REACH:.0e}, farther than an axis reaches."
    return replace(shown, draws=draws, notes=(*shown.notes, note))


def gave_up(tree: xr.DataTree) -> str | None:
    """Return a sentence about the chains whose draws lie apart, if there are any."""
    if "failed_posterior" not in tree.children:
        return None
    chains = [str(chain) for chain in tree.children["failed_posterior"].to_dataset()["chain"].values]
    which = f"Chain {chains[0]}" if len(chains) == 1 else f"Chains {', '.join(chains)}"
    return f"{which} gave up, and {'is' if len(chains) == 1 else 'are'} not shown."


def _wanted(
    posterior: xr.Dataset, var_names: str | Sequence[str] | None
) -> tuple[list[str], frozenset[str] | None]:
    """Return variables, and which of their quantities are meant; None where all are."""
    given = None if var_names is None else names_in(var_names)
    if given is None or all(name in posterior.data_vars for name in given):
        variables = chosen_variables(posterior, given)
        if not variables:
            raise SettingsError("var_names is empty, so that nothing would be plotted: leave it out.")
        return list(dict.fromkeys(variables)), None
    homes = {name: _home(posterior, name) for name in given}
    variables = chosen_variables(posterior, [home or name for name, home in homes.items()])
    variables = list(dict.fromkeys(variables))
    named = frozenset(name for name, home in homes.items() if home != name)
    whole = [name for name in variables if name in homes]
    rest = {name for part in quantities(posterior, whole) for name in part.names}
    return variables, named | rest


def _home(posterior: xr.Dataset, name: str) -> str | None:
    """Return the variable to which a quantity's name belongs, or the name if it is one itself."""
    if name in posterior.data_vars:
        return name
    bases = [str(base) for base in posterior.data_vars if name.startswith(f"{base}[")]
    found = (base for base in bases for part in quantities(posterior, [base]) if name in part.names)
    return next(found, None)


def _most_doubtful(
    posterior: xr.Dataset, only: frozenset[str] | None, most: int, total: int
) -> tuple[frozenset[str], str]:
    judged = judge(posterior)
    found = judged.convergence
    # Draws that are not finite have no ESS, and come first; constants have one, but no R-hat, and come last.
    doubt = np.where(np.isnan(found.ess_bulk), np.inf, np.nan_to_num(found.r_hat, nan=-np.inf))
    order = [judged.names[i] for i in np.argsort(-doubt, kind="stable")]
    picked = [name for name in order if only is None or name in only][:most]
    looked_at = f" of {judged.looked_at:,} looked at" if judged.looked_at < total and not only else ""
    return frozenset(picked), (
        f"{len(picked)} of {total:,} quantities are shown, those with the highest R-hat{looked_at}."
    )


def _picked(
    posterior: xr.Dataset, variables: Sequence[str], picked: frozenset[str] | None
) -> Iterator[tuple[list[str], np.ndarray]]:
    for part in quantities(posterior, variables):
        places = [i for i, name in enumerate(part.names) if picked is None or name in picked]
        yield [part.names[i] for i in places], part.draws[places]


def statistic(tree: xr.DataTree, name: str) -> xr.DataArray | None:
    """Return a sample statistic, chain and draw first; None where the tree has none."""
    if "sample_stats" not in tree.children or name not in tree.children["sample_stats"].data_vars:
        return None
    stats = tree.children["sample_stats"].to_dataset()
    by_chain_and_draw(stats, name)  # refuses what is no draws
    return stats[name].transpose("chain", "draw", ...)


def _diverging(tree: xr.DataTree, posterior: xr.Dataset) -> np.ndarray:
    """Return which of the posterior's draws diverged: of some of the draws, those with the same numbers."""
    found = statistic(tree, "diverging")
    sizes = {axis: posterior.sizes[axis] for axis in ("chain", "draw")}
    if found is None:
        return np.zeros(tuple(sizes.values()), dtype=bool)
    for axis in sizes:
        if axis in posterior.indexes and axis in found.indexes and found.indexes[axis].is_unique:
            numbers = posterior.indexes[axis]
            found = found.sel({axis: numbers}) if numbers.isin(found.indexes[axis]).all() else found
    if found.shape != tuple(sizes.values()):
        raise SettingsError(
            f"sample_stats has {found.shape[0]} chains of {found.shape[1]} draws, the posterior "
            f"{sizes['chain']} of {sizes['draw']}, and their numbers do not match: select the same in both."
        )
    return found.values.astype(bool)
