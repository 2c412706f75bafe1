"""Split chains and replace draws by normal scores of their ranks, for many quantities at once.

Arrays are of shape (quantity, chain, draw) in this and the neighbouring modules.

References:
    Vehtari, Gelman, Simpson, Carpenter, Bürkner (2021), *Rank-normalization, folding, and localization: an
    improved R-hat for assessing convergence of MCMC*, Bayesian Analysis 16.
"""

from functools import lru_cache
from statistics import NormalDist

import numpy as np


def split_chains(draws: np.ndarray) -> np.ndarray:
    """Return each chain as two chains of half the length; of an odd number the middle draw is left out."""
    half = draws.shape[2] // 2
    return np.concatenate((draws[:, :, :half], draws[:, :, draws.shape[2] - half :]), axis=1)


def normal_scores(draws: np.ndarray) -> np.ndarray:
    """Return the normal quantiles of the ranks within each quantity; ties share their mean rank."""
    flat = draws.reshape(len(draws), -1)
    if not flat.size:
        return draws
    scores: np.ndarray = _scores(flat.shape[1])[_doubled_ranks(flat)]
    return scores.reshape(draws.shape)


def _doubled_ranks(rows: np.ndarray) -> np.ndarray:
    """Return twice the mean rank within each row, an integer from 2 to twice the length."""
    size = rows.shape[1]
    order = np.argsort(rows, axis=1)
    ordered = np.take_along_axis(rows, order, axis=1)
    opens_tie = np.ones(rows.shape, dtype=bool)
    np.not_equal(ordered[:, 1:], ordered[:, :-1], out=opens_tie[:, 1:])
    first = np.flatnonzero(opens_tie)
    length = np.diff(first, append=rows.size)
    ranks = np.empty(rows.shape, dtype=np.intp)
    in_order = np.repeat(2 * (first % size) + length + 1, length).reshape(rows.shape)
    np.put_along_axis(ranks, order, in_order, axis=1)
    return ranks


@lru_cache(maxsize=4)
def _scores(size: int) -> np.ndarray:
    """Return the score of each doubled rank among ``size`` draws; computed once for all quantities."""
    # Blom's offset of 3/8; the scores are antisymmetric around the middle rank.
    quantile = NormalDist().inv_cdf
    lower = [quantile((doubled / 2 - 0.375) / (size + 0.25)) for doubled in range(1, size + 1)]
    return np.array([0.0, *lower, 0.0, *(-score for score in reversed(lower))])
