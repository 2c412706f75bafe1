"""Put R-hat and effective sample sizes together from their parts, for all quantities at once.

This is for the warnings at the end of every run, where loading ArviZ (0.8 s) would take longer than
sampling a small model; the summary table is ArviZ's own.  The tests hold these against ArviZ's values.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from exmc_actors.diagnostics.ess import ess
from exmc_actors.diagnostics.ranks import ascending, folded, normal_scores, quantile, split_chains
from exmc_actors.diagnostics.rhat import rhat

FEWEST_DRAWS = 4
"""Shorter chains cannot be split into halves that vary; their estimates are NaN."""

Apply = Callable[[Callable[[np.ndarray], None], Iterable[np.ndarray]], Iterable[None]]
"""Whoever calls a function with each batch: ``map``, or that of a pool of threads."""

BATCH = 1 << 16
"""Numbers worked on at once, at most: half a megabyte an array, which stays in the cache."""


@dataclass(frozen=True)
class Convergence:
    """How far the chains agree about each quantity, and how much their draws are worth."""

    r_hat: np.ndarray
    """Rank-normalised, split and folded; for a single chain its halves are compared."""
    ess_bulk: np.ndarray
    ess_tail: np.ndarray
    """The smaller one of the 5 % and the 95 % quantile."""


def convergence(draws: np.ndarray, *, apply: Apply = map) -> Convergence:
    """Return the diagnostics of each quantity; NaN where draws are too few or not finite.

    Args:
        draws: shape (quantity, chain, draw).
        apply: works on the batches, in any order.
    """
    quantities, chains, length = draws.shape
    result = np.full((3, quantities), np.nan)
    if chains == 0 or length < FEWEST_DRAWS:
        return Convergence(*result)
    sound = np.flatnonzero(np.isfinite(draws).all(axis=(1, 2)))
    most = max(1, BATCH // (chains * length))
    batches = np.array_split(sound, max(1, -(-len(sound) // most)))

    def work(batch: np.ndarray) -> None:
        result[:, batch] = _convergence(draws[batch].astype(float, copy=False))

    list(apply(work, batches))
    return Convergence(*result)


def _convergence(draws: np.ndarray) -> tuple[np.ndarray, ...]:
    split = split_chains(draws)
    in_order = ascending(split)
    bulk, spread = (normal_scores(one).reshape(split.shape) for one in (in_order, folded(in_order)))
    # Of an odd number of draws, the halves leave one out.
    whole = in_order if draws.shape[2] % 2 == 0 else ascending(draws)
    tails = (_indicator(draws, quantile(whole, level)[:, None, None]) for level in (0.05, 0.95))
    # Together, since each call has its price.
    r_hats = rhat(np.concatenate([bulk, spread])).reshape(2, -1)
    of_bulk, *of_tails = ess(np.concatenate([bulk, *tails])).reshape(3, -1)
    return r_hats.max(axis=0), of_bulk, np.minimum(*of_tails)


def _indicator(draws: np.ndarray, bound: np.ndarray) -> np.ndarray:
    return split_chains((draws <= bound).astype(float))
