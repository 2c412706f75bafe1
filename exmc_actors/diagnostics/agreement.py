"""Say which quantities the chains disagree about, or know too little of, in bounded time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from exmc_actors.diagnostics import clearing
from exmc_actors.diagnostics.convergence import Convergence, convergence
from exmc_actors.diagnostics.quantities import Quantities, chosen_variables, count_quantities, quantities

if TYPE_CHECKING:
    import xarray as xr

HIGHEST_R_HAT = 1.01
LOWEST_ESS_PER_CHAIN = 100

MOST_NUMBERS = 1 << 21
"""Draws looked at, some tenths of a second's worth: of a larger model only some quantities are.

What is doubtful in long chains takes longer.
"""

ENOUGH_DRAWS = 500
"""Of a chain, to see that nothing is wrong with a quantity; up to twice as many are looked at."""
MORE_DRAWS = 4
"""So many times as many are looked at next where that is in doubt, as far as there are so many."""
SURE_R_HAT = 1.004
"""Fewer draws scatter more: a quantity that they put beyond this is looked at again.

Of four chains of 5,000 draws with autocorrelation 0.3 that is one in a hundred.  Of those that disagree, so
that all draws put them beyond the limit by less than a thousandth, one or two in a hundred are not seen.
"""
GOLDEN = (5**0.5 - 1) / 2
"""Its multiples are spread over the unit interval as evenly as can be, and in no order."""
ENOUGH_ESS_PER_CHAIN = 150
"""Well above what is asked for: an estimate is off by some per cent."""

FEWEST_QUANTITIES = 20
"""Looked at however long the chains are."""


@dataclass(frozen=True)
class Judged:
    """The diagnostics of quantities."""

    names: list[str]
    looked_at: int
    """How many quantities these are, with those that were cleared and are not among them."""
    total: int
    """How many the model has."""
    chains: int
    convergence: Convergence

    def share(self, found: int) -> str:
        """Return ``found`` in words, as a share of what was looked at."""
        if self.looked_at < self.total:
            return f"{found} of {self.looked_at} quantities looked at (the model has {self.total})"
        return f"{found} of {self.looked_at} quantities"

    def foremost(self, order: np.ndarray, texts: Sequence[str]) -> str:
        """Return the first few quantities with their texts, and how many more there are."""
        shown = [f"{self.names[i]} ({texts[i]})" for i in order[:3]]
        return ", ".join(shown) + (f" and {len(order) - 3} more" if len(order) > 3 else "")


def judge(posterior: xr.Dataset, *, most_numbers: int = MOST_NUMBERS) -> Judged:
    """Return the diagnostics of all quantities, or of some in even steps where they are too many."""
    return _judged(posterior, most_numbers, lambda parts: parts)


def judge_doubtful(posterior: xr.Dataset, *, most_numbers: int = MOST_NUMBERS) -> Judged:
    """As ``judge``, but without the quantities that are well beyond doubt by a look that takes a fraction."""
    return _judged(posterior, most_numbers, _doubtful)


def _judged(
    posterior: xr.Dataset, most_numbers: int, choose: Callable[[list[Quantities]], list[Quantities]]
) -> Judged:
    chains, draws = posterior.sizes["chain"], posterior.sizes["draw"]
    total = count_quantities(posterior)
    most = max(FEWEST_QUANTITIES, most_numbers // max(1, chains * min(draws, 2 * ENOUGH_DRAWS)))
    stride = max(1, -(-total // most))
    parts = list(quantities(posterior, chosen_variables(posterior, None), stride=stride))
    left = choose(parts) if parts else []
    found = _of_all_or_some_draws([part.draws for part in left]) if left else np.zeros((3, 0))
    names = [name for part in left for name in part.names]
    return Judged(names, sum(len(part.names) for part in parts), total, chains, Convergence(*found))


def _doubtful(parts: Sequence[Quantities]) -> list[Quantities]:
    """Return what is left of some quantities without those that batches of their draws show to be well."""
    variables = [part.draws for part in parts]
    length = variables[0].shape[2]
    step = max(1, length // clearing.DRAWS_LOOKED_AT)
    is_left = ~clearing.are_well(_picked(variables, step))
    if step > 1:
        is_left |= ~_are_finite(variables)
    ends = np.cumsum([len(draws) for draws in variables])
    left = (np.flatnonzero(here) for here in np.split(is_left, ends[:-1]))
    return [
        Quantities([part.names[i] for i in places], part.draws[places])
        for part, places in zip(parts, left, strict=True)
        if len(places)
    ]


def _of_all_or_some_draws(variables: Sequence[np.ndarray]) -> np.ndarray:
    """Return R-hat, bulk and tail ESS, a row each; of long chains by some draws, by more where in doubt.

    Some of the draws are worth no more than all of them are, and their chains agree no better.
    """
    _, chains, length = variables[0].shape
    step = max(1, length // ENOUGH_DRAWS)
    estimates = _estimates(_picked(variables, step))
    if step > 1:
        is_finite = _are_finite(variables)
        estimates[:, ~is_finite] = np.nan
        doubtful = np.flatnonzero(is_finite)
        while step > 1:
            doubtful = doubtful[_leave_a_doubt(estimates[:, doubtful], chains)]
            step = max(1, step // MORE_DRAWS)
            _look_again(estimates, doubtful, variables, step)
    return estimates


def _leave_a_doubt(estimates: np.ndarray, chains: int) -> np.ndarray:
    """Say of which quantities some of the draws do not show that nothing is wrong."""
    r_hat, *sizes = estimates
    is_good: np.ndarray = (r_hat < SURE_R_HAT) & (np.minimum(*sizes) > ENOUGH_ESS_PER_CHAIN * chains)
    return ~is_good


def _look_again(
    estimates: np.ndarray, doubtful: np.ndarray, variables: Sequence[np.ndarray], step: int
) -> None:
    """Estimate what is in doubt by one draw of ``step``, a variable at a time: these are copied."""
    _, chains, length = variables[0].shape
    picks = _in_uneven_steps(length, step)
    first = 0
    for draws in variables:
        here = doubtful[(first <= doubtful) & (doubtful < first + len(draws))]
        if len(here):
            estimates[:, here] = _estimates(draws[np.ix_(here - first, np.arange(chains), picks)])
        first += len(draws)


def _picked(variables: Sequence[np.ndarray], step: int) -> np.ndarray:
    """Return a draw of ``step`` of all quantities, whichever variable they belong to, one after the other."""
    picks = slice(None) if step == 1 else _in_uneven_steps(variables[0].shape[2], step)
    return np.concatenate([draws[:, :, picks] for draws in variables], dtype=float)


def _are_finite(variables: Sequence[np.ndarray]) -> np.ndarray:
    """Say of which quantities all draws are finite."""
    return np.concatenate([_are_finite_in(draws) for draws in variables])


def _are_finite_in(draws: np.ndarray) -> np.ndarray:
    with np.errstate(over="ignore", invalid="ignore"):
        if np.isfinite(draws.sum()):  # which takes a tenth of the time
            return np.ones(len(draws), bool)
    is_finite: np.ndarray = np.isfinite(draws).all(axis=(1, 2))
    return is_finite


def _in_uneven_steps(draws: int, step: int) -> np.ndarray:
    """Return a draw of each stretch of ``step``, at places that differ, lest these meet a period."""
    number = np.arange(draws // step)
    picks: np.ndarray = step * number + (step * (number * GOLDEN % 1.0)).astype(int)
    return picks


def _estimates(draws: np.ndarray) -> np.ndarray:
    found = convergence(draws)
    return np.stack([found.r_hat, found.ess_bulk, found.ess_tail])


def not_finite(judged: Judged) -> str | None:
    """Return a sentence where draws are NaN or infinite, since nothing else can be said of them."""
    bad = np.flatnonzero(np.isnan(judged.convergence.ess_bulk))
    if not len(bad):
        return None
    return (
        f"{judged.share(len(bad))} have draws that are not finite numbers, {judged.names[bad[0]]} among "
        "them. They are not judged here: look for an overflow, log(0) or 0/0 in what defines them."
    )


def disagreement(judged: Judged) -> str | None:
    """Return a sentence where R-hat is too high."""
    r_hat = judged.convergence.r_hat
    bad = np.flatnonzero(r_hat > HIGHEST_R_HAT)
    if not len(bad):
        return None
    worst = bad[np.argsort(-r_hat[bad])]
    texts = [f"{value:.3f}" if value < 100 else "over 100" for value in r_hat]
    return (
        f"R-hat is above {HIGHEST_R_HAT} for {judged.share(len(bad))}: {judged.foremost(worst, texts)}. "
        "The chains, or their halves, do not agree yet: raise tune and draws; if that does not help, look "
        "for separate modes, or reparameterise."
    )


def too_few_effective_draws(judged: Judged) -> list[str]:
    """Return a sentence each where the bulk or the tail of the draws is worth too little."""
    kinds = (
        ("Bulk ESS", judged.convergence.ess_bulk, "means and medians"),
        ("Tail ESS", judged.convergence.ess_tail, "5 % and 95 % quantiles"),
    )
    found = (_too_few(judged, name, ess, loses) for name, ess, loses in kinds)
    return [sentence for sentence in found if sentence]


def _too_few(judged: Judged, name: str, ess: np.ndarray, loses: str) -> str | None:
    bad = np.flatnonzero(ess < LOWEST_ESS_PER_CHAIN * judged.chains)
    if not len(bad):
        return None
    worst = bad[np.argsort(ess[bad])]
    texts = [f"{value:.0f}" for value in ess]
    return (
        f"{name} is below {LOWEST_ESS_PER_CHAIN} per chain for {judged.share(len(bad))}: "
        f"{judged.foremost(worst, texts)}. Their {loses} are not precise yet: raise draws, or reparameterise "
        "what is strongly correlated."
    )
