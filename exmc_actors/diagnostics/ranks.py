"""Split chains, and replace the draws of one quantity by normal scores of their ranks.

One quantity at a time: its arrays stay in the fastest cache, and in memory that the process has already.

References:
    Vehtari, Gelman, Simpson, Carpenter, Bürkner (2021), *Rank-normalization, folding, and localization: an
    improved R-hat for assessing convergence of MCMC*, Bayesian Analysis 16.
"""

from functools import lru_cache
from math import ceil
from statistics import NormalDist
from typing import NamedTuple

import numpy as np


def split_chains(draws: np.ndarray) -> np.ndarray:
    """Return each chain as two chains of half the length; of an odd number the middle draw is left out.

    Args:
        draws: shape (..., chain, draw); the result has twice as many chains, in another order.
    """
    half = draws.shape[-1] // 2
    return np.concatenate((draws[..., :half], draws[..., draws.shape[-1] - half :]), axis=-2)


class Sorted(NamedTuple):
    """The draws of a quantity, whichever their chains, in ascending order."""

    order: np.ndarray
    """Where each came from, shape (draws of all chains,)."""
    values: np.ndarray


def ascending(draws: np.ndarray) -> Sorted:
    """Return the draws of a quantity in order."""
    flat = draws.reshape(-1)
    order = flat.argsort()
    return Sorted(order, flat[order])


def folded(draws: Sorted) -> Sorted:
    """Return the distances from the median, in order."""
    size = len(draws.values)
    middle = (draws.values[(size - 1) // 2] + draws.values[size // 2]) / 2
    distances = np.abs(draws.values - middle)
    # They fall to the median and rise again: a sort that sees runs merges the two.
    order = distances.argsort(kind="stable")
    return Sorted(draws.order[order], distances[order])


def quantile(draws: Sorted, level: float) -> float:
    """Return a quantile, between two draws as NumPy's ``linear`` method has it."""
    at = level * (len(draws.values) - 1)
    low, high = draws.values[int(at)], draws.values[ceil(at)]
    part = at - int(at)
    between: float = low + (high - low) * part if part < 0.5 else high - (high - low) * (1.0 - part)
    return between


def normal_scores(draws: Sorted) -> np.ndarray:
    """Return the normal quantiles of the ranks, where the draws came from; ties share their mean rank."""
    size = len(draws.values)
    in_order = _scores_in_order(size)
    tied = np.flatnonzero(draws.values[1:] == draws.values[:-1]) + 1
    if len(tied):
        in_order = _with_shared_ranks(in_order, tied)
    scores = np.empty(size)
    scores[draws.order] = in_order
    return scores


def _with_shared_ranks(scores: np.ndarray, tied: np.ndarray) -> np.ndarray:
    """Return the scores of draws in order, each that equals the one before it named in ``tied``."""
    begins = np.flatnonzero(tied[1:] != tied[:-1] + 1) + 1
    bounds = np.array([0, *begins, len(tied)])
    length = bounds[1:] - bounds[:-1] + 1
    first = tied[bounds[:-1]] - 1
    # Twice the mean rank is an integer, from 2 to twice the number of draws.
    shared = _scores(len(scores))[2 * first + length + 1]
    scores = scores.copy()
    scores[first] = shared
    scores[tied] = np.repeat(shared, length - 1)
    return scores


@lru_cache(maxsize=4)
def _scores_in_order(size: int) -> np.ndarray:
    """Return the scores of ``size`` draws that all differ, the smallest first."""
    return np.ascontiguousarray(_scores(size)[2::2])


@lru_cache(maxsize=4)
def _scores(size: int) -> np.ndarray:
    """Return the score of each doubled rank among ``size`` draws; computed once for all quantities."""
    # Blom's offset of 3/8; the scores are antisymmetric around the middle rank.
    quantile = NormalDist().inv_cdf
    lower = [quantile((doubled / 2 - 0.375) / (size + 0.25)) for doubled in range(1, size + 1)]
    return np.array([0.0, *lower, 0.0, *(-score for score in reversed(lower))])
