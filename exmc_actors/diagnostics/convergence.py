"""Put R-hat and effective sample sizes together from their parts, a few quantities at a time.

Loading ArviZ (0.6 s) takes longer than sampling a small model; the tests hold these against its values.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from exmc_actors.diagnostics.ess import ess
from exmc_actors.diagnostics.ranks import ascending, folded, normal_scores, quantile, split_chains
from exmc_actors.diagnostics.rhat import rhat

FEWEST_DRAWS = 4
"""Shorter chains cannot be split into halves that vary; their estimates are NaN."""
_NUMBERS_AT_ONCE = 1 << 15
"""Draws of some quantities: few enough for a processor's cache, and many for a call of NumPy's."""


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
    return Convergence(*of_the_finite(draws, _of_some, 3))


def of_the_finite(draws: np.ndarray, estimates: Callable[[np.ndarray], np.ndarray], count: int) -> np.ndarray:
    """Return estimates, a row each, of the quantities whose draws can be estimated from; NaN for the others.

    Args:
        draws: shape (quantity, chain, draw).
        estimates: returns a row an estimate, of finite draws of some of the quantities.
        count: how many rows.
    """
    quantities, chains, length = draws.shape
    result = np.full((count, quantities), np.nan)
    if chains == 0 or length < FEWEST_DRAWS:
        return result
    finite = np.flatnonzero(np.isfinite(draws).all(axis=(1, 2)))
    at_once = max(1, _NUMBERS_AT_ONCE // (chains * length))
    for first in range(0, len(finite), at_once):
        some = finite[first : first + at_once]
        result[:, some] = estimates(np.ascontiguousarray(draws[some], dtype=float))
    return result


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
