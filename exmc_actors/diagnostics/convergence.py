"""Put R-hat and effective sample sizes together from their parts, a few quantities at a time.

These are our own because loading ArviZ (0.6 s) takes longer than sampling a small model; the tests hold them
against its values.
"""

from dataclasses import dataclass

import numpy as np

from exmc_actors.diagnostics.by_quantity import by_quantity
from exmc_actors.diagnostics.ess import ess
from exmc_actors.diagnostics.ranks import ascending, folded, normal_scores, quantile, split_chains
from exmc_actors.diagnostics.rhat import rhat


@dataclass(frozen=True)
class Convergence:
    """How far the chains agree about each quantity, and how much their draws are worth."""

    r_hat: np.ndarray
    """Rank-normalised, split and folded; for a single chain its halves are compared."""
    ess_bulk: np.ndarray
    ess_tail: np.ndarray
    """The smaller one of the 5 % and the 95 % quantile."""


def convergence(draws: np.ndarray) -> Convergence:
    """Return the diagnostics of each quantity; NaN where draws are too few or not finite.

    Args:
        draws: shape (quantity, chain, draw).
    """
    return Convergence(*by_quantity(draws, _of_some, rows=3))


def _of_some(draws: np.ndarray) -> np.ndarray:
    """Return R-hat, bulk and tail ESS, a row each, of draws of shape (quantity, chain, draw)."""
    split = split_chains(draws)
    in_order = ascending(split)
    # Of an odd number of draws, the halves leave one out.
    whole = in_order if draws.shape[2] % 2 == 0 else ascending(draws)
    series = np.empty((4, *split.shape))
    for scores, ranked in zip(series[:2], (folded(in_order), in_order), strict=True):
        scores[:] = normal_scores(ranked).reshape(split.shape)
    for indicator, level in zip(series[2:], (0.05, 0.95), strict=True):
        np.less_equal(split, quantile(whole, level)[:, None, None], out=indicator)
    bulk, low, high = ess(series[1:].reshape(-1, *split.shape[1:])).reshape(3, -1)
    # Of draws with two values in equal numbers, all distances from the median are the same.
    r_hat = np.fmax.reduce(rhat(series[:2].reshape(-1, *split.shape[1:])).reshape(2, -1))
    return np.stack([r_hat, bulk, np.minimum(low, high)])
